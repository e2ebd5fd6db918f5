package verify_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/codec"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/retention"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/verify"
)

var ctx = context.Background()

// crooked is a store that answers wrongly where a field is set.
type crooked struct {
	store.Store
	facts   func(*store.Facts)
	members func([]roomkit.Member) []roomkit.Member
	rooms   func([]roomkit.RoomEntry) []roomkit.RoomEntry
	teams   func([]roomkit.Team) []roomkit.Team
	history func([]store.Record) []store.Record
	feed    func([]store.Record) []store.Record
}

func (c crooked) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	facts, err := c.Store.Load(ctx, needs)
	for i := range facts {
		if c.facts != nil {
			c.facts(&facts[i])
		}
	}
	return facts, err
}

func (c crooked) Members(ctx context.Context, q store.MemberQuery) ([]roomkit.Member, error) {
	page, err := c.Store.Members(ctx, q)
	return bend(c.members, page), err
}

func (c crooked) Rooms(ctx context.Context, q store.RoomQuery) ([]roomkit.RoomEntry, error) {
	page, err := c.Store.Rooms(ctx, q)
	return bend(c.rooms, page), err
}

func (c crooked) Teams(ctx context.Context, q store.TeamQuery) ([]roomkit.Team, error) {
	page, err := c.Store.Teams(ctx, q)
	return bend(c.teams, page), err
}

func (c crooked) History(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
	page, err := c.Store.History(ctx, of, after, limit)
	return bend(c.history, page), err
}

func (c crooked) Feed(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
	page, err := c.Store.Feed(ctx, after, limit)
	if limit == 1 {
		return page, err // whether there is any, and no more
	}
	return bend(c.feed, page), err
}

func bend[T any](f func([]T) []T, page []T) []T {
	if f == nil || len(page) == 0 {
		return page
	}
	return f(page)
}

func first(of roomkit.SubjectType, records []store.Record, change func(*store.Record)) []store.Record {
	for i := range records {
		if records[i].Subject.Type == of && records[i].Version == 1 {
			change(&records[i])
		}
	}
	return records
}

// forged is a history in which events of one type are others.
func forged(t *testing.T, typ string, change func(roomkit.Event) roomkit.Event) func([]store.Record) []store.Record {
	return func(page []store.Record) []store.Record {
		for i := range page {
			if page[i].Type != typ {
				continue
			}
			e, err := codec.DecodeRecord(page[i])
			require.NoError(t, err)
			e = change(e)
			page[i].Type, page[i].At = e.Type(), e.Info().At
			page[i].Data, err = codec.Encode(nil, e)
			require.NoError(t, err)
		}
		return page
	}
}

// verifiable is a store in which rooms were opened, filled, converted and ended.
func verifiable(t *testing.T) store.Store {
	store := memstore.New()
	svc := proof.ServiceOn(t, store, nil)
	group := proof.External(t, svc, "ann", "ben", "dan")
	proof.Do(t, svc, roomkit.By("ann"), roomkit.Remove{Room: group, People: []roomkit.UserID{"dan"}})
	ended := proof.External(t, svc, "ben", "ann")
	proof.Do(t, svc, roomkit.By("ben"), roomkit.DeleteRoom{Room: ended})
	general := proof.General(t, svc, "ann", "ben", "cat")
	proof.Do(t, svc, roomkit.By("ann"), roomkit.Convert{Room: general, Name: "plans", To: roomkit.KindGroup})
	proof.Do(t, svc, roomkit.System(), proof.Team("sales", "ben", "ben", "cat"))
	proof.Do(t, svc, roomkit.System(), proof.Granted("sales"))
	proof.Do(t, svc, roomkit.By("ben"), roomkit.OpenTeamRoom{Team: "sales"})
	return store
}

func TestVerifyFindsWhatIsWrong(t *testing.T) {
	st := verifiable(t)
	tests := []struct {
		name string
		lie  crooked
		what string
	}{
		{"room row", crooked{facts: func(f *store.Facts) { f.Room.Name += "x" }}, "row"},
		{"user row", crooked{facts: func(f *store.Facts) { changeUsers(f, func(u *roomkit.User) { u.Consumers = !u.Consumers }) }}, "row"},
		{"company row", crooked{facts: func(f *store.Facts) { changeCompanies(f, func(c *roomkit.Company) { c.Licensed = !c.Licensed }) }}, "row"},
		{"team row", crooked{facts: func(f *store.Facts) { f.Team.Members = f.Team.Members[:len(f.Team.Members)/2] }}, "row"},
		{"no user row", crooked{facts: func(f *store.Facts) { f.Users = nil }}, "row"},
		{"no company row", crooked{facts: func(f *store.Facts) { f.Companies = nil }}, "row"},
		{"no team row", crooked{facts: func(f *store.Facts) { f.Team = roomkit.Team{} }}, "row"},
		{"older room row", crooked{facts: func(f *store.Facts) { f.Room.Version = min(f.Room.Version, 1) }}, "row"},
		{"groups of users", crooked{facts: func(f *store.Facts) { changeUsers(f, func(u *roomkit.User) { u.Groups++ }) }}, "groups"},
		{"groups of companies", crooked{facts: func(f *store.Facts) { changeCompanies(f, func(c *roomkit.Company) { c.Groups-- }) }}, "groups"},
		{"member row", crooked{members: func(page []roomkit.Member) []roomkit.Member { page[0].ReadAll = !page[0].ReadAll; return page }}, "members"},
		{"missing member", crooked{members: func(page []roomkit.Member) []roomkit.Member { return page[1:] }}, "members"},
		{"missing room in a list", crooked{rooms: func(page []roomkit.RoomEntry) []roomkit.RoomEntry { return page[1:] }}, "rooms listed"},
		{"missing team in a list", crooked{teams: func(page []roomkit.Team) []roomkit.Team { return page[1:] }}, "teams listed"},
		{"team without events in a list", crooked{teams: func(page []roomkit.Team) []roomkit.Team { return append(page, roomkit.Team{ID: "zz"}) }}, "feed"},
		{"gap in the feed", crooked{feed: func(page []store.Record) []store.Record { return slices.Delete(page, 3, 4) }}, "feed"},
		{"feed without its end", crooked{feed: func(page []store.Record) []store.Record { return page[:len(page)-1] }}, "feed"},
		{"feed out of order", crooked{feed: slicesReversed}, "feed"},
		{"short history", crooked{history: func(page []store.Record) []store.Record { return page[:0] }}, "history"},
		{"broken bytes", crooked{history: func(page []store.Record) []store.Record {
			return first(roomkit.SubjectRoom, page, func(r *store.Record) { r.Data = r.Data[:len(r.Data)-1] })
		}}, "history"},
		{"envelope", crooked{history: func(page []store.Record) []store.Record {
			return first(roomkit.SubjectUser, page, func(r *store.Record) { r.Command[0]++ })
		}}, "history"},
		{"time that runs back", crooked{history: forged(t, "member.left", func(e roomkit.Event) roomkit.Event {
			e.Info().At = e.Info().At.Add(-time.Second)
			return e
		})}, "history"},
		{"event after the end", crooked{history: forged(t, "master.appointed", func(e roomkit.Event) roomkit.Event {
			end := &roomkit.RoomEnded{Meta: *e.Info(), Deleted: true}
			end.Cause = roomkit.CauseRoomEnded
			return end
		})}, "history"},
		{"room created twice", crooked{history: forged(t, "member.joined", func(e roomkit.Event) roomkit.Event {
			return &roomkit.RoomCreated{Meta: *e.Info(), Company: "acme"}
		})}, "history"},
		{"history of somebody else", crooked{history: func(page []store.Record) []store.Record {
			return first(roomkit.SubjectRoom, page, func(r *store.Record) { r.Subject.Room[0]++ })
		}}, "history"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.lie.Store = st
			err := verify.Run(ctx, test.lie, nil)
			require.ErrorIs(t, err, roomkit.ErrInconsistent)
			var found *verify.Inconsistency
			require.ErrorAs(t, err, &found)
			require.Equal(t, test.what, found.What, "%v", err)
		})
	}
}

func slicesReversed(page []store.Record) []store.Record {
	cursor := page[len(page)-1].Cursor
	slices.Reverse(page)
	page[len(page)-1].Cursor = cursor
	return page
}

func changeUsers(f *store.Facts, change func(*roomkit.User)) {
	for i := range f.Users {
		change(&f.Users[i])
	}
}

func changeCompanies(f *store.Facts, change func(*roomkit.Company)) {
	for i := range f.Companies {
		change(&f.Companies[i])
	}
}

func TestVerifyReportsProgress(t *testing.T) {
	store := verifiable(t)
	var last verify.Progress
	calls := 0
	require.NoError(t, verify.Run(ctx, store, func(p verify.Progress) { last = p; calls++ }))
	require.Greater(t, calls, 1)
	require.Positive(t, last.Records)
	require.Equal(t, int64(4), last.Rooms)
	require.Greater(t, last.People, last.Rooms)
	require.Zero(t, last.Inconsistencies)
}

// forgetful does not know any more that its feed was pruned.
type forgetful struct{ store.Store }

func (s forgetful) Unwrap() store.Store { return s.Store }

func (s forgetful) Feed(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
	list, err := s.Store.Feed(ctx, after, limit)
	if gone := (*roomkit.Pruned)(nil); errors.As(err, &gone) {
		return s.Store.Feed(ctx, gone.Cursor, limit)
	}
	return list, err
}

func TestVerifyMissesWhereTheFeedBegins(t *testing.T) {
	st := verifiable(t)
	_, err := retention.Prune(ctx, st, retention.PruneOptions{EventsBefore: time.Now().Add(time.Hour), Ignore: []string{"roomkit.enforce"}})
	require.NoError(t, err)
	require.NoError(t, verify.Run(ctx, st, nil))
	require.ErrorContains(t, verify.Run(ctx, forgetful{st}, nil), "although there is a base")
}

func TestVerifyEnds(t *testing.T) {
	st := verifiable(t)
	stopped, stop := context.WithCancel(ctx)
	stop()
	require.ErrorIs(t, verify.Run(stopped, st, nil), context.Canceled)

	restless := crooked{Store: st, facts: func() func(*store.Facts) {
		n := roomkit.Version(0)
		return func(f *store.Facts) { n++; f.Room.Version += n % 2 }
	}()}
	err := verify.Run(ctx, restless, nil)
	require.Error(t, err, "a room whose version is never the same twice")
}

// watched counts the calls of a store, and does something before the first reads of a kind.
type watched struct {
	store.Store
	store.Pruner
	calls            *int
	members, history func()
}

func (s watched) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	*s.calls++
	return s.Store.Load(ctx, needs)
}

func (s watched) Members(ctx context.Context, q store.MemberQuery) ([]roomkit.Member, error) {
	*s.calls++
	if s.members != nil {
		s.members()
	}
	return s.Store.Members(ctx, q)
}

func (s watched) Rooms(ctx context.Context, q store.RoomQuery) ([]roomkit.RoomEntry, error) {
	*s.calls++
	return s.Store.Rooms(ctx, q)
}

func (s watched) History(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
	*s.calls++
	if s.history != nil {
		s.history()
	}
	return s.Store.History(ctx, of, after, limit)
}

func (s watched) Base(ctx context.Context, of roomkit.Subject) (store.Base, error) {
	*s.calls++
	return s.Pruner.Base(ctx, of)
}

// A verification takes as long as its calls, one after another.
func TestVerifyAsksThreeTimesForASubject(t *testing.T) {
	st := memstore.New()
	svc := proof.ServiceOn(t, st, nil)
	for range 300 {
		proof.General(t, svc, "ann", "ben", "cat")
	}
	calls := 0
	require.NoError(t, verify.Run(ctx, watched{Store: st, Pruner: st, calls: &calls}, nil))
	require.InDelta(t, 3*300, calls, 50)
}

// What changes between two reads is no fault, nor what is pruned.
func TestVerifyBesideAWriter(t *testing.T) {
	st := memstore.New()
	svc := proof.ServiceOn(t, st, nil)
	people := []roomkit.UserID{"ann", "ben", "cat", "dan"}
	room := proof.General(t, svc, people[0], people[1:]...)
	calls, left := 0, 3
	leave := func() {
		if left--; left >= 0 {
			proof.Do(t, svc, roomkit.By(people[left]), roomkit.Leave{Room: room})
		}
	}
	require.NoError(t, verify.Run(ctx, watched{Store: st, Pruner: st, calls: &calls, members: leave}, nil))
	require.Negative(t, left)

	var report retention.PruneReport
	prune := func() {
		var err error
		if report.Events == 0 {
			report, err = retention.Prune(ctx, st, retention.PruneOptions{EventsBefore: time.Now().Add(time.Hour), Ignore: []string{"roomkit.enforce"}})
			require.NoError(t, err)
		}
	}
	require.NoError(t, verify.Run(ctx, watched{Store: st, Pruner: st, calls: &calls, history: prune}, nil))
	require.Positive(t, report.Events)
}
