package roomkit_test

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// crooked is a store that answers wrongly where a field is set.
type crooked struct {
	roomkit.Store
	facts   func(*roomkit.Facts)
	members func([]roomkit.Member) []roomkit.Member
	rooms   func([]roomkit.RoomEntry) []roomkit.RoomEntry
	history func([]roomkit.Record) []roomkit.Record
	feed    func([]roomkit.Record) []roomkit.Record
}

func (c crooked) Load(ctx context.Context, needs []roomkit.Need) ([]roomkit.Facts, error) {
	facts, err := c.Store.Load(ctx, needs)
	for i := range facts {
		if c.facts != nil {
			c.facts(&facts[i])
		}
	}
	return facts, err
}

func (c crooked) Members(ctx context.Context, q roomkit.MemberQuery) ([]roomkit.Member, error) {
	page, err := c.Store.Members(ctx, q)
	return bend(c.members, page), err
}

func (c crooked) Rooms(ctx context.Context, q roomkit.RoomQuery) ([]roomkit.RoomEntry, error) {
	page, err := c.Store.Rooms(ctx, q)
	return bend(c.rooms, page), err
}

func (c crooked) History(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]roomkit.Record, error) {
	page, err := c.Store.History(ctx, of, after, limit)
	return bend(c.history, page), err
}

func (c crooked) Feed(ctx context.Context, after roomkit.Cursor, limit int) ([]roomkit.Record, error) {
	page, err := c.Store.Feed(ctx, after, limit)
	return bend(c.feed, page), err
}

func bend[T any](f func([]T) []T, page []T) []T {
	if f == nil || len(page) == 0 {
		return page
	}
	return f(page)
}

func first(of roomkit.SubjectType, records []roomkit.Record, change func(*roomkit.Record)) []roomkit.Record {
	for i := range records {
		if records[i].Subject.Type == of && records[i].Version == 1 {
			change(&records[i])
		}
	}
	return records
}

// verifiable is a store in which rooms were opened, filled, converted and ended.
func verifiable(t *testing.T) roomkit.Store {
	store := memstore.New()
	svc := serviceOn(t, store, nil)
	group := newExternal(t, svc, "ann", "ben", "dan")
	mustDo(t, svc, roomkit.By("ann"), roomkit.Remove{Room: group, People: []roomkit.UserID{"dan"}})
	ended := newExternal(t, svc, "ben", "ann")
	mustDo(t, svc, roomkit.By("ben"), roomkit.DeleteRoom{Room: ended})
	general := newGeneral(t, svc, "ann", "ben", "cat")
	mustDo(t, svc, roomkit.By("ann"), roomkit.Convert{Room: general, Name: "plans", To: roomkit.KindGroup})
	mustDo(t, svc, roomkit.System(), roomkit.SyncTeam{Team: team("sales", "ben", "ben", "cat")})
	mustDo(t, svc, roomkit.By("ben"), roomkit.OpenTeamRoom{Team: "sales"})
	return store
}

func TestVerifyFindsWhatIsWrong(t *testing.T) {
	store := verifiable(t)
	tests := []struct {
		name string
		lie  crooked
		what string
	}{
		{"room row", crooked{facts: func(f *roomkit.Facts) { f.Room.Name += "x" }}, "row"},
		{"user row", crooked{facts: func(f *roomkit.Facts) { changeUsers(f, func(u *roomkit.User) { u.LINE = !u.LINE }) }}, "row"},
		{"company row", crooked{facts: func(f *roomkit.Facts) { changeCompanies(f, func(c *roomkit.Company) { c.Core = !c.Core }) }}, "row"},
		{"team row", crooked{facts: func(f *roomkit.Facts) { f.Team.Members = f.Team.Members[:len(f.Team.Members)/2] }}, "row"},
		{"groups of users", crooked{facts: func(f *roomkit.Facts) { changeUsers(f, func(u *roomkit.User) { u.Groups++ }) }}, "groups"},
		{"groups of companies", crooked{facts: func(f *roomkit.Facts) { changeCompanies(f, func(c *roomkit.Company) { c.Groups-- }) }}, "groups"},
		{"member row", crooked{members: func(page []roomkit.Member) []roomkit.Member { page[0].ReadAll = !page[0].ReadAll; return page }}, "members"},
		{"missing member", crooked{members: func(page []roomkit.Member) []roomkit.Member { return page[1:] }}, "members"},
		{"missing room in a list", crooked{rooms: func(page []roomkit.RoomEntry) []roomkit.RoomEntry { return page[1:] }}, "rooms listed"},
		{"gap in the feed", crooked{feed: func(page []roomkit.Record) []roomkit.Record { return slices.Delete(page, 3, 4) }}, "feed"},
		{"feed without its end", crooked{feed: func(page []roomkit.Record) []roomkit.Record { return page[:len(page)-1] }}, "feed"},
		{"feed out of order", crooked{feed: slicesReversed}, "feed"},
		{"short history", crooked{history: func(page []roomkit.Record) []roomkit.Record { return page[:0] }}, "history"},
		{"broken bytes", crooked{history: func(page []roomkit.Record) []roomkit.Record {
			return first(roomkit.SubjectRoom, page, func(r *roomkit.Record) { r.Data = r.Data[:len(r.Data)-1] })
		}}, "history"},
		{"envelope", crooked{history: func(page []roomkit.Record) []roomkit.Record {
			return first(roomkit.SubjectUser, page, func(r *roomkit.Record) { r.Command[0]++ })
		}}, "history"},
		{"history of somebody else", crooked{history: func(page []roomkit.Record) []roomkit.Record {
			return first(roomkit.SubjectRoom, page, func(r *roomkit.Record) { r.Subject.Room[0]++ })
		}}, "history"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.lie.Store = store
			err := roomkit.Verify(ctx, test.lie, nil)
			require.ErrorIs(t, err, roomkit.ErrInconsistent)
			var found *roomkit.Inconsistency
			require.ErrorAs(t, err, &found)
			require.Equal(t, test.what, found.What, "%v", err)
		})
	}
}

func slicesReversed(page []roomkit.Record) []roomkit.Record {
	cursor := page[len(page)-1].Cursor
	slices.Reverse(page)
	page[len(page)-1].Cursor = cursor
	return page
}

func changeUsers(f *roomkit.Facts, change func(*roomkit.User)) {
	for i := range f.Users {
		change(&f.Users[i])
	}
}

func changeCompanies(f *roomkit.Facts, change func(*roomkit.Company)) {
	for i := range f.Companies {
		change(&f.Companies[i])
	}
}

func TestVerifyReportsProgress(t *testing.T) {
	store := verifiable(t)
	var last roomkit.VerifyProgress
	calls := 0
	require.NoError(t, roomkit.Verify(ctx, store, func(p roomkit.VerifyProgress) { last = p; calls++ }))
	require.Greater(t, calls, 1)
	require.Positive(t, last.Records)
	require.Equal(t, int64(4), last.Rooms)
	require.Greater(t, last.People, last.Rooms)
	require.Zero(t, last.Inconsistencies)
}

func TestVerifyEnds(t *testing.T) {
	store := verifiable(t)
	stopped, stop := context.WithCancel(ctx)
	stop()
	require.ErrorIs(t, roomkit.Verify(stopped, store, nil), context.Canceled)

	restless := crooked{Store: store, facts: func() func(*roomkit.Facts) {
		n := roomkit.Version(0)
		return func(f *roomkit.Facts) { n++; f.Room.Version += n % 2 }
	}()}
	err := roomkit.Verify(ctx, restless, nil)
	require.Error(t, err, "a room whose version is never the same twice")
}
