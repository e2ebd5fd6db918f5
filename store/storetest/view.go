package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/storetest/internal/beside"
)

// sightings are what a rule has used, whether stored or refused: what one can ask about it.
type sightings struct {
	needs     map[string]store.Need
	people    map[roomkit.UserID]bool
	companies map[roomkit.CompanyID]bool
}

func newSightings() *sightings {
	return &sightings{map[string]store.Need{}, map[roomkit.UserID]bool{}, map[roomkit.CompanyID]bool{}}
}

func (s *sightings) add(changes ...store.Change) {
	note := func(n store.Need) { s.needs[fmt.Sprintf("%+v", n)] = n }
	for _, c := range changes {
		note(store.Need{Command: c.Command})
		for _, e := range c.Expect {
			switch of := e.Subject; of.Type {
			case roomkit.SubjectRoom:
				note(store.Need{Room: of.Room})
			case roomkit.SubjectTeam:
				note(store.Need{Team: roomkit.TeamKey(of.ID)})
			case roomkit.SubjectUser:
				s.people[roomkit.UserID(of.ID)] = true
			case roomkit.SubjectCompany:
				s.companies[roomkit.CompanyID(of.ID)] = true
			}
		}
		for _, r := range c.Rooms {
			note(store.Need{Room: r.ID})
			note(store.Need{Name: r.NameKey, Company: r.Company})
		}
		for _, m := range c.Members {
			note(store.Need{Room: m.Room})
			s.people[m.User] = true
		}
		if c.Checkpoint != nil {
			note(store.Need{Checkpoint: c.Checkpoint.Name})
		}
	}
}

func (s *sightings) everybody() []roomkit.UserID { return slices.Sorted(maps.Keys(s.people)) }

// picture is all that a store tells about what a rule has used.
type picture struct {
	Directory store.Facts
	Answers   map[string]store.Facts // to all needs
	Feed      []store.Record
}

// picture reads everything, with one Load and the feed.
func (k *kit) picture() picture {
	k.Helper()
	people, names := k.seen.everybody(), slices.Sorted(maps.Keys(k.seen.needs))
	needs := []store.Need{{People: people, Companies: slices.Sorted(maps.Keys(k.seen.companies))}}
	for _, name := range names {
		n := k.seen.needs[name]
		if !n.Room.IsZero() {
			n.People = people
		}
		needs = append(needs, n)
	}
	facts := k.loads(needs...)
	p := picture{Directory: facts[0], Answers: map[string]store.Facts{}, Feed: k.feed("")}
	for i, name := range names {
		p.Answers[name] = facts[i+1]
	}
	return p
}

func cleanOutcome(o store.Outcome) store.Outcome {
	o.Events = beside.Own(o.Events)
	return o
}

// each does something with every row.
func each[R any](rows []R, do func(*R)) {
	for i := range rows {
		do(&rows[i])
	}
}

func cleanRecords(records []store.Record) []store.Record {
	records = slices.Clone(records)
	each(records, func(r *store.Record) { r.Data = beside.Own(r.Data) })
	return records
}

// answers demands that a need is answered by want and nothing else.
func (k *kit) answers(n store.Need, want store.Facts) {
	k.Helper()
	require.Equal(k, want, k.load(n), "answer to %+v", n)
}

// userRows and companyRows give stored rows, in byte order.
func (k *kit) userRows(ids ...roomkit.UserID) []roomkit.User { return rowsIn(k.users, ids) }

func (k *kit) companyRows(ids ...roomkit.CompanyID) []roomkit.Company {
	return rowsIn(k.companies, ids)
}

func rowsIn[K cmp.Ordered, R any](all map[K]*R, ids []K) (rows []R) {
	for _, id := range slices.Sorted(slices.Values(ids)) {
		rows = append(rows, *all[id])
	}
	return rows
}

// rowsOf gives the rows that these people have in the room, in byte order.
func (s *sheet) rowsOf(people ...roomkit.UserID) []roomkit.Member {
	return s.present(func(m roomkit.Member) bool { return slices.Contains(people, m.User) })
}

// pages reads pages until one is empty. No page may be longer than limit, and
// each has to lead on.
func pages[T any, C comparable](k *kit, limit int, read func(after C) ([]T, error), end func(T) C) []T {
	k.Helper()
	limit = min(cmp.Or(limit, roomkit.DefaultPage), roomkit.MaxPage)
	var all []T
	var after C
	for {
		page, err := read(after)
		require.NoError(k, err)
		require.LessOrEqual(k, len(page), limit, "rows of a page")
		if len(page) == 0 {
			return all
		}
		all = append(all, page...)
		last := end(page[len(page)-1])
		require.NotEqual(k, after, last, "a page leads on")
		after = last
	}
}

func (k *kit) members(q store.MemberQuery) []roomkit.Member {
	k.Helper()
	return pages(k, q.Limit, func(after roomkit.UserID) ([]roomkit.Member, error) {
		q.After = after
		return k.store.Members(k.ctx, q)
	}, userOf)
}

func (k *kit) rooms(q store.RoomQuery) []roomkit.RoomEntry {
	k.Helper()
	return pages(k, q.Limit, func(after roomkit.RoomID) ([]roomkit.RoomEntry, error) {
		q.After = after
		return k.store.Rooms(k.ctx, q)
	}, roomOf)
}

func (k *kit) people(q store.UserQuery) []roomkit.User {
	k.Helper()
	id := func(u roomkit.User) roomkit.UserID { return u.ID }
	return pages(k, q.Limit, func(after roomkit.UserID) ([]roomkit.User, error) { q.After = after; return k.store.Users(k.ctx, q) }, id)
}

func (k *kit) teamList(q store.TeamQuery) []roomkit.Team {
	k.Helper()
	id := func(t roomkit.Team) roomkit.TeamID { return t.ID }
	return pages(k, q.Limit, func(after roomkit.TeamID) ([]roomkit.Team, error) { q.After = after; return k.store.Teams(k.ctx, q) }, id)
}

// history reads all records of a subject, which have to be 1, 2, 3 …
func (k *kit) history(of roomkit.Subject) []store.Record {
	k.Helper()
	return k.historyBy(of, roomkit.MaxPage)
}

func (k *kit) historyBy(of roomkit.Subject, limit int) []store.Record {
	k.Helper()
	read := func(after roomkit.Version) ([]store.Record, error) { return k.store.History(k.ctx, of, after, limit) }
	all := cleanRecords(pages(k, limit, read, func(r store.Record) roomkit.Version { return r.Version }))
	for i, r := range all {
		require.Equal(k, of, r.Subject, "subject of a record")
		require.Equal(k, roomkit.Version(i+1), r.Version, "versions of a subject have no gap")
	}
	return all
}

// feed reads the feed from a cursor to its end.
func (k *kit) feed(after roomkit.Cursor) []store.Record {
	k.Helper()
	return k.feedBy(after, roomkit.MaxPage)
}

func (k *kit) feedBy(from roomkit.Cursor, limit int) []store.Record {
	k.Helper()
	read := func(after roomkit.Cursor) ([]store.Record, error) {
		if after == "" {
			after = from
		}
		return k.store.Feed(k.ctx, after, limit)
	}
	return cleanRecords(pages(k, limit, read, func(r store.Record) roomkit.Cursor { return r.Cursor }))
}

// tail gives the cursor behind the last record.
func (k *kit) tail() roomkit.Cursor {
	k.Helper()
	all := k.feed("")
	require.NotEmpty(k, all)
	return all[len(all)-1].Cursor
}

// readsOf gives the reads of a store, which have to find something.
func readsOf(ctx context.Context, s store.Store, r *sheet) map[Method]func() error {
	return map[Method]func() error{
		MethodLoad:    func() error { return something(s.Load(ctx, []store.Need{{Room: r.room.ID}})) },
		MethodMembers: func() error { return something(s.Members(ctx, store.MemberQuery{Room: r.room.ID})) },
		MethodRooms:   func() error { return something(s.Rooms(ctx, store.RoomQuery{User: ann})) },
		MethodUsers:   func() error { return something(s.Users(ctx, store.UserQuery{Company: acme})) },
		MethodTeams:   func() error { return something(s.Teams(ctx, store.TeamQuery{Company: acme})) },
		MethodHistory: func() error { return something(s.History(ctx, r.subject(), 0, 0)) },
		MethodFeed:    func() error { return something(s.Feed(ctx, "", 0)) },
	}
}

func something[T any](rows []T, err error) error {
	if err == nil && len(rows) == 0 {
		return errors.New("nothing found")
	}
	return err
}
