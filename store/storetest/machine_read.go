package storetest

import (
	"cmp"
	"slices"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// Read is an action: one of the reads.
func (m *machine) Read(t *rapid.T) {
	reads := []func(*rapid.T){m.loadSome, m.membersPage, m.roomsPage, m.usersPage, m.historyPage, m.feedPage}
	reads[rapid.IntRange(0, len(reads)-1).Draw(t, "read")](t)
}

// loadSome asks needs of every sort in one call.
func (m *machine) loadSome(t *rapid.T) {
	needs := make([]store.Need, rapid.IntRange(1, 3).Draw(t, "needs"))
	for i := range needs {
		needs[i] = m.need(t)
	}
	for _, f := range m.load(t, needs...) {
		if len(f.Shared) > 0 {
			m.branches["shared found"]++
		}
	}
}

func (m *machine) need(t *rapid.T) (n store.Need) {
	some := rapid.SliceOfNDistinct(rapid.SampledFrom(m.world.users), 0, 3, rapid.ID)
	if rapid.Bool().Draw(t, "room") {
		n.Room = rapid.SampledFrom(m.world.rooms).Draw(t, "of")
		n.Masters, n.Everybody = rapid.Bool().Draw(t, "masters"), rapid.Bool().Draw(t, "everybody")
	}
	n.People, n.Shared = some.Draw(t, "people"), some.Draw(t, "shared")
	if leader := m.model.teams[m.world.teams[0]].Leader; m.world.kinds[n.Room] == roomkit.KindTeam && leader != "" {
		n.People = append(n.People, leader) // whether he comes with the room is not said
	}
	if rapid.Bool().Draw(t, "more") {
		n.Companies, n.Team = m.world.companies[:1], m.world.teams[0]
		n.Name, n.Company = rapid.SampledFrom(m.world.names).Draw(t, "name"), m.world.companies[0]
		n.Checkpoint = rapid.SampledFrom(m.world.checkpoints).Draw(t, "checkpoint")
	}
	if len(m.order) > 0 && rapid.Bool().Draw(t, "command") {
		n.Command = rapid.SampledFrom(m.order).Draw(t, "of")
	}
	return n
}

// page compares one page with all rows that could be on it: it has the first of
// them, at most limit, and is empty only if there are none.
func page[T any](t *rapid.T, m *machine, name string, limit int, want, got []T, err error) {
	require.NoError(t, err, name)
	require.LessOrEqual(t, len(got), limit, "%s: rows of a page", name)
	require.LessOrEqual(t, len(got), len(want), "%s: %+v", name, got)
	require.Equal(t, append([]T{}, want[:len(got)]...), append([]T{}, got...), name)
	if len(want) > 0 {
		require.NotEmpty(t, got, "%s: an empty page is the end", name)
		m.branches["page of "+name]++
	}
}

func limits() *rapid.Generator[int] { return rapid.IntRange(1, 4) }

func filter(t *rapid.T) store.MemberFilter {
	return rapid.SampledFrom([]store.MemberFilter{
		store.MembersPresent, store.MembersTakingPart, store.MembersManaging, store.MembersAll,
	}).Draw(t, "filter")
}

// membersPage reads a page of the people of a room.
func (m *machine) membersPage(t *rapid.T) {
	q := store.MemberQuery{
		Room: rapid.SampledFrom(m.world.rooms).Draw(t, "room"), Which: filter(t), Limit: limits().Draw(t, "limit"),
		After: rapid.SampledFrom(append([]roomkit.UserID{""}, m.world.users...)).Draw(t, "after"),
	}
	want := m.model.membersWith(q)
	want = slices.DeleteFunc(want, func(row roomkit.Member) bool { return row.User <= q.After })
	got, err := m.store.Members(m.ctx, q)
	page(t, m, "members", q.Limit, want, got, err)
}

// roomsPage reads a page of a list of rooms.
func (m *machine) roomsPage(t *rapid.T) {
	q := store.RoomQuery{
		Limit: limits().Draw(t, "limit"), After: rapid.SampledFrom(append([]roomkit.RoomID{{}}, m.world.rooms...)).Draw(t, "after"),
		Kinds: rapid.SampledFrom([][]roomkit.Kind{nil, {roomkit.KindDirect}, {roomkit.KindGroup, roomkit.KindGeneral}}).Draw(t, "kinds"),
	}
	switch rapid.IntRange(0, 2).Draw(t, "of") {
	case 0:
		q.User, q.Which = rapid.SampledFrom(m.world.users).Draw(t, "user"), filter(t)
	case 1:
		q.Company, q.Public = rapid.SampledFrom(m.world.companies).Draw(t, "company"), rapid.Bool().Draw(t, "public")
	case 2:
		q.Participants = rapid.SliceOfNDistinct(rapid.SampledFrom(m.world.users), 1, 3, rapid.ID).Draw(t, "people")
		q.Exact = rapid.Bool().Draw(t, "exact")
	}
	want := m.model.roomsWith(q)
	want = slices.DeleteFunc(want, func(e store.RoomEntry) bool { return byRoomID(e.Room.ID, q.After) <= 0 })
	got, err := m.store.Rooms(m.ctx, q)
	page(t, m, "rooms", q.Limit, want, got, err)
}

// usersPage reads a page of the users of a company.
func (m *machine) usersPage(t *rapid.T) {
	q := store.UserQuery{
		Company: rapid.SampledFrom(m.world.companies).Draw(t, "company"), Limit: limits().Draw(t, "limit"),
		After: rapid.SampledFrom(append([]roomkit.UserID{""}, m.world.users...)).Draw(t, "after"),
	}
	want := slices.DeleteFunc(m.model.usersOf(q.Company), func(u roomkit.User) bool { return cmp.Compare(u.ID, q.After) <= 0 })
	got, err := m.store.Users(m.ctx, q)
	page(t, m, "users", q.Limit, want, got, err)
}

// historyPage reads a page of the records of a room or a user.
func (m *machine) historyPage(t *rapid.T) {
	of := roomkit.RoomSubject(rapid.SampledFrom(m.world.rooms).Draw(t, "room"))
	if rapid.Bool().Draw(t, "of a user") {
		of = roomkit.UserSubject(rapid.SampledFrom(m.world.users).Draw(t, "user"))
	}
	after, limit := roomkit.Version(rapid.IntRange(0, 5).Draw(t, "after")), limits().Draw(t, "limit")
	want := slices.DeleteFunc(m.model.history(of), func(r store.Record) bool { return r.Version <= after })
	got, err := m.store.History(m.ctx, of, after, limit)
	page(t, m, "history", limit, cleanRecords(want), cleanRecords(got), err)
}

// feedPage reads a page of the feed after any record.
func (m *machine) feedPage(t *rapid.T) {
	i, limit := rapid.IntRange(0, len(m.cursors)-1).Draw(t, "after"), limits().Draw(t, "limit")
	got, err := m.store.Feed(m.ctx, m.cursors[i], limit)
	page(t, m, "feed", limit, cleanRecords(m.model.records[i+1:]), cleanRecords(got), err)
}
