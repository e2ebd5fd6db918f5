package proof_test

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
)

var ctx = context.Background()

// clock is a time that only moves when told.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// newService makes a service on an empty memory store with two companies: acme
// (ann, ben, cat, dan, an administrator "adm", a bot) and bolt (eve, fay), all
// permitted to talk with each other, and a LINE user "lin".
func newService(t testing.TB, o *service.Options) *service.Service {
	return serviceOn(t, memstore.New(), o)
}

func serviceOn(t testing.TB, store store.Store, o *service.Options) *service.Service {
	if o == nil {
		o = &service.Options{Policy: roomkit.Policy{AnyoneIsContact: true}}
	}
	svc, err := service.New(store, o)
	require.NoError(t, err)
	for _, id := range []roomkit.CompanyID{"acme", "bolt"} {
		mustDo(t, svc, roomkit.System(), roomkit.PutCompany{Company: roomkit.Company{
			ID: id, Core: true, MembersCreateGroups: true,
			Works: roomkit.ExternalSelected, LINE: roomkit.ExternalAll,
		}})
	}
	users := []roomkit.User{
		{ID: "bot", Company: "acme", Kind: roomkit.UserBot, Status: roomkit.StatusActive},
		{ID: "lin", Kind: roomkit.UserLINE, Status: roomkit.StatusActive},
	}
	for id, company := range map[roomkit.UserID]roomkit.CompanyID{
		"ann": "acme", "ben": "acme", "cat": "acme", "dan": "acme", "adm": "acme", "eve": "bolt", "fay": "bolt",
	} {
		users = append(users, roomkit.User{
			ID: id, Company: company, Kind: roomkit.UserMember, Status: roomkit.StatusActive,
			Works: true, Administrator: id == "adm",
		})
	}
	mustDo(t, svc, roomkit.System(), roomkit.PutUsers{Users: users})
	return svc
}

func mustDo(t testing.TB, svc *service.Service, actor roomkit.Actor, cmd roomkit.Command, call ...service.Call) service.Result {
	t.Helper()
	res, err := svc.Do(ctx, actor, cmd, call...)
	require.NoError(t, err)
	return res
}

func people(ids ...roomkit.UserID) []roomkit.UserID { return ids }

func newGeneral(t testing.TB, svc *service.Service, creator roomkit.UserID, with ...roomkit.UserID) roomkit.RoomID {
	t.Helper()
	return mustDo(t, svc, roomkit.By(creator), roomkit.CreateRoom{
		People: with, Audience: roomkit.AudienceMembers, Anyway: true,
	}).Room
}

func newExternal(t testing.TB, svc *service.Service, creator roomkit.UserID, with ...roomkit.UserID) roomkit.RoomID {
	t.Helper()
	return mustDo(t, svc, roomkit.By(creator), roomkit.CreateExternalGroup{Name: "project", Members: with}).Room
}

// participantsOf lists who takes part, as a user sees it.
func participantsOf(t testing.TB, svc *service.Service, user roomkit.UserID, room roomkit.RoomID) []roomkit.UserID {
	t.Helper()
	list := []roomkit.UserID{}
	for m, err := range svc.Members(ctx, user, room, store.MemberQuery{Which: store.MembersTakingPart}) {
		require.NoError(t, err)
		list = append(list, m.User)
	}
	return list
}

// refusalOf demands that a sequence gives an error and nothing else.
func refusalOf[T any](t testing.TB, seq iter.Seq2[T, error]) error {
	t.Helper()
	var told []error
	for v, err := range seq {
		require.Zero(t, v)
		told = append(told, err)
	}
	require.Len(t, told, 1)
	require.Error(t, told[0])
	return told[0]
}

func TestDoIdempotentByKey(t *testing.T) {
	svc := newService(t, nil)
	room := newGeneral(t, svc, "ann", "ben", "cat")
	invite := roomkit.Invite{Room: room, People: people("dan")}
	first := mustDo(t, svc, roomkit.By("ann"), invite, service.Call{Key: "k1"})
	require.True(t, first.Changed)
	require.False(t, first.Repeat)
	mustDo(t, svc, roomkit.By("dan"), roomkit.Leave{Room: room})

	again := mustDo(t, svc, roomkit.By("ann"), invite, service.Call{Key: "k1"})
	require.True(t, again.Repeat)
	first.Repeat = true
	require.Equal(t, first, again, "a repeat returns the first outcome")
	require.Equal(t, people("ann", "ben", "cat"), participantsOf(t, svc, "ann", room), "and changes nothing")

	_, err := svc.Do(ctx, roomkit.By("ann"), roomkit.Invite{Room: room, People: people("adm")}, service.Call{Key: "k1"})
	require.ErrorIs(t, err, roomkit.ErrCommandReused)
	other := mustDo(t, svc, roomkit.By("ben"), invite, service.Call{Key: "k1"})
	require.True(t, other.Changed, "keys belong to their actor")
}

func TestDoNoOpIsRememberedByKey(t *testing.T) {
	svc := newService(t, nil)
	room := newGeneral(t, svc, "ann", "ben", "cat")
	invite := roomkit.Invite{Room: room, People: people("ben")}
	require.False(t, mustDo(t, svc, roomkit.By("ann"), invite, service.Call{Key: "k"}).Changed)
	mustDo(t, svc, roomkit.By("ben"), roomkit.Leave{Room: room})
	again := mustDo(t, svc, roomkit.By("ann"), invite, service.Call{Key: "k"})
	require.True(t, again.Repeat)
	require.False(t, again.Changed, "nothing to do is an outcome, too")
	require.Equal(t, people("ann", "cat"), participantsOf(t, svc, "ann", room))
}

func TestDoOffersDoNotUseTheKey(t *testing.T) {
	svc := newService(t, nil)
	room := newGeneral(t, svc, "ann", "ben", "cat")
	cmd := roomkit.CreateRoom{People: people("ben", "cat"), Audience: roomkit.AudienceMembers}
	for range 2 {
		require.Len(t, mustDo(t, svc, roomkit.By("ann"), cmd, service.Call{Key: "k"}).Offers, 1)
	}
	cmd.Use = room
	require.Equal(t, room, mustDo(t, svc, roomkit.By("ann"), cmd, service.Call{Key: "k"}).Room)
}

func TestDoIfVersion(t *testing.T) {
	svc := newService(t, nil)
	room := newGeneral(t, svc, "ann", "ben", "cat")
	at, err := svc.Room(ctx, "ann", room)
	require.NoError(t, err)
	mustDo(t, svc, roomkit.By("ann"), roomkit.Invite{Room: room, People: people("dan")}, service.Call{IfVersion: at.Version})
	_, err = svc.Do(ctx, roomkit.By("ann"), roomkit.Remove{Room: room, People: people("dan")}, service.Call{IfVersion: at.Version})
	require.ErrorIs(t, err, roomkit.ErrConflict)
	require.Contains(t, participantsOf(t, svc, "ann", room), roomkit.UserID("dan"))
}

func TestDoManyCallersOneRoom(t *testing.T) {
	const callers, each = 16, 25
	conflicts := 0
	svc := newService(t, &service.Options{
		Policy:   roomkit.Policy{AnyoneIsContact: true},
		Observer: service.Observer{Group: func(g service.GroupReport) { conflicts += g.Conflicts }},
	})
	room := newGeneral(t, svc, "ann", "ben", "cat")
	var crowd []roomkit.User
	for i := range callers * each {
		crowd = append(crowd, roomkit.User{
			ID: roomkit.UserID(fmt.Sprintf("u%03d", i)), Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive,
		})
	}
	mustDo(t, svc, roomkit.System(), roomkit.PutUsers{Users: crowd})
	var wait sync.WaitGroup
	for i := range callers {
		wait.Go(func() {
			for j := range each {
				_, err := svc.Do(ctx, roomkit.By("ann"), roomkit.Invite{Room: room, People: people(crowd[i*each+j].ID)})
				assert.NoError(t, err)
			}
		})
	}
	wait.Wait()
	got, err := svc.Room(ctx, "ann", room)
	require.NoError(t, err)
	require.EqualValues(t, 3+callers*each, got.Participants)
	require.EqualValues(t, 2+callers*each, got.Version)
	require.Zero(t, conflicts, "callers of one service see no conflict")
	require.Len(t, participantsOf(t, svc, "ann", room), 3+callers*each)
}
