package pgstore

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// bringsMore reports whether a room brings more than what is asked for, as those of two and of
// teams do. They have ids of another kind.
func bringsMore(room roomkit.RoomID) bool { return room[6]>>4 != 7 }

// isOfOne reports whether a need is about one person in one room, as that of each message
// is, and nothing else.
func isOfOne(needs []store.Need) bool {
	if len(needs) != 1 {
		return false
	}
	n := &needs[0]
	return !bringsMore(n.Room) && len(n.People) == 1 && !n.Masters && !n.Everybody && n.First == 0 && n.Team == "" && n.Name == "" &&
		n.Command.IsZero() && n.Checkpoint == "" && len(n.Companies) == 0 && len(n.Shared) == 0
}

// loadOne answers a need of one person in one room. It is false if the room brings more after all.
func (b *base) loadOne(ctx context.Context, n *store.Need) (f store.Facts, ok bool, err error) {
	err = b.asking(ctx, func(ctx context.Context, conn *pgx.Conn, p *proof) error {
		t := &trip{sql: b.sql}
		t.add(loadOne, new(args).uuid(n.Room).text(string(n.People[0])), func(r *row) { f, ok = b.oneRow(r) })
		return t.planned().provenBy(p).run(ctx, conn)
	})
	return f, ok && err == nil, err
}

// oneRow reads the row of loadOne.
func (b *base) oneRow(r *row) (f store.Facts, ok bool) {
	f.Members, f.Users = make([]roomkit.Member, 0, 1), make([]roomkit.User, 0, 1)
	room := whole(r, b.names.room)
	if room != nil {
		f.Room = *room
	}
	if m := whole(r, b.names.member); m != nil {
		f.Members = append(f.Members, *m)
	}
	if u := whole(r, b.names.countedUser); u != nil {
		f.Users = append(f.Users, *u)
	}
	for range 2 {
		if c := whole(r, b.names.countedCompany); c != nil {
			f.Companies = append(f.Companies, *c)
		}
	}
	return f, f.Room.Kind != roomkit.KindDirect && f.Room.Kind != roomkit.KindTeam
}
