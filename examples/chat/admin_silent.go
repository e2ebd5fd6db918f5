package main

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// pairs are the 1:1 rooms of somebody in which the person may write.
type pairs struct {
	who   roomkit.UserID
	rooms []roomkit.RoomID
}

var errLooked = errors.New("only looked")

// silence is how many 1:1 rooms of the company's people they cannot write in any more,
// and by which rule the first of them.
type silence struct {
	Rooms int
	Rule  roomkit.Rule
}

// silenced counts the 1:1 rooms in which people could not write any more after a command
// (DIR-18). The command is carried out for that, its answers are asked for, and it is
// taken back: nobody sees it meanwhile. At most maxConsequences people are looked at.
func (c *chat) silenced(ctx context.Context, a *admin, cmd roomkit.Command) (s silence, err error) {
	before, err := c.pairsOf(ctx, a, cmd)
	if err != nil || len(before) == 0 {
		return s, err
	}
	err = c.inTx(ctx, func(_ *sql.Tx, rooms *service.Service) error {
		silent := map[roomkit.RoomID]bool{}
		if _, err := rooms.Do(ctx, roomkit.By(a.Me.ID), cmd, service.Call{}); err != nil {
			return err
		}
		for _, p := range before {
			still, err := writable(ctx, rooms, p.who, p.rooms)
			if err != nil {
				return err
			}
			for _, room := range p.rooms {
				denied := (*roomkit.Denied)(nil)
				if slices.Contains(still, room) {
					continue
				}
				if silent[room] = true; s.Rule == "" && errors.As(rooms.Check(ctx, p.who, roomkit.ActionPost, room), &denied) {
					s.Rule = denied.Rule
				}
			}
		}
		s.Rooms = len(silent)
		return errLooked
	})
	if errors.Is(err, errLooked) {
		err = nil
	}
	return s, err
}

// pairsOf are those of the people whose permission a command changes.
func (c *chat) pairsOf(ctx context.Context, a *admin, cmd roomkit.Command) (all []pairs, err error) {
	var people []roomkit.UserID
	switch cmd := cmd.(type) {
	case roomkit.SetUserMessaging:
		people = append(people, cmd.User)
	case roomkit.SetCompanyMessaging:
		page, err := c.svc.UsersPage(ctx, service.UserList{Company: a.Company.ID, Limit: maxConsequences})
		if err != nil {
			return nil, err
		}
		for _, user := range page.Rows {
			people = append(people, user.ID)
		}
	default: // no other takes the permission of an account that goes on
		return nil, nil
	}
	for _, id := range people {
		p := pairs{who: id}
		for page, err := range store.RoomPages(ctx, c.store, store.RoomQuery{User: id, Kinds: []roomkit.Kind{roomkit.KindDirect}}) {
			if err != nil {
				return nil, err
			}
			for _, entry := range page {
				p.rooms = append(p.rooms, entry.Room.ID)
			}
		}
		if p.rooms, err = writable(ctx, c.svc, id, p.rooms); err != nil {
			return nil, err
		}
		if len(p.rooms) > 0 {
			all = append(all, p)
		}
	}
	return all, nil
}

// writable are those of some rooms in which somebody may write.
func writable(ctx context.Context, svc *service.Service, who roomkit.UserID, rooms []roomkit.RoomID) (may []roomkit.RoomID, err error) {
	for part := range slices.Chunk(rooms, roomkit.MaxAccessRooms) {
		answers, err := svc.Access(ctx, who, part...)
		if err != nil {
			return nil, err
		}
		for _, answer := range answers {
			if answer.Can(roomkit.ActionPost) {
				may = append(may, answer.Room)
			}
		}
	}
	return may, nil
}
