package service_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// crew makes a room of ann, ben and cat that can be read, and in which ann and ben may invite and remove.
func crew(t proof.T, svc *service.Service) roomkit.RoomID {
	t.Helper()
	return proof.Open(t, svc, roomkit.Actions(roomkit.ActionInvite, roomkit.ActionRemove, roomkit.ActionEnter), "ben", "cat")
}

func TestDoIdempotentByKey(t *testing.T) {
	svc := proof.Service(t, nil)
	room := crew(t, svc)
	invite := roomkit.Invite{Room: room, People: people("dan")}
	first := proof.Do(t, svc, roomkit.By("ann"), invite, service.Call{Key: "k1"})
	require.True(t, first.Changed)
	require.False(t, first.Repeat)
	proof.Do(t, svc, roomkit.By("ann"), roomkit.Remove{Room: room, People: people("dan")})

	again := proof.Do(t, svc, roomkit.By("ann"), invite, service.Call{Key: "k1"})
	require.True(t, again.Repeat)
	first.Repeat = true
	require.Equal(t, first, again, "a repeat returns the first outcome")
	require.Equal(t, people("ann", "ben", "cat"), proof.Participants(t, svc, "ann", room), "and changes nothing")

	_, err := svc.Do(ctx, roomkit.By("ann"), roomkit.Invite{Room: room, People: people("adm")}, service.Call{Key: "k1"})
	require.ErrorIs(t, err, roomkit.ErrCommandReused)
	other := proof.Do(t, svc, roomkit.By("ben"), invite, service.Call{Key: "k1"})
	require.True(t, other.Changed, "keys belong to their actor")
}

func TestDoNoOpIsRememberedByKey(t *testing.T) {
	svc := proof.Service(t, nil)
	room := crew(t, svc)
	invite := roomkit.Invite{Room: room, People: people("ben")}
	require.False(t, proof.Do(t, svc, roomkit.By("ann"), invite, service.Call{Key: "k"}).Changed)
	proof.Do(t, svc, roomkit.By("ann"), roomkit.Remove{Room: room, People: people("ben")})
	again := proof.Do(t, svc, roomkit.By("ann"), invite, service.Call{Key: "k"})
	require.True(t, again.Repeat)
	require.False(t, again.Changed, "nothing to do is an outcome, too")
	require.Equal(t, people("ann", "cat"), proof.Participants(t, svc, "ann", room))
}

func TestDoOffersDoNotUseTheKey(t *testing.T) {
	svc := proof.Service(t, nil)
	room := crew(t, svc)
	cmd := roomkit.CreateRoom{People: people("ben", "cat"), Audience: roomkit.AudienceMembers}
	for range 2 {
		require.Len(t, proof.Offers(t, svc, roomkit.By("ann"), cmd, service.Call{Key: "k"}), 1)
	}
	cmd.Existing = room
	require.Equal(t, room, proof.Do(t, svc, roomkit.By("ann"), cmd, service.Call{Key: "k"}).Room)
}

func TestDoIfVersion(t *testing.T) {
	svc := proof.Service(t, nil)
	room := crew(t, svc)
	at, err := svc.Room(ctx, "ann", room)
	require.NoError(t, err)
	proof.Do(t, svc, roomkit.By("ann"), roomkit.Invite{Room: room, People: people("dan")}, service.Call{IfVersion: at.Version})
	_, err = svc.Do(ctx, roomkit.By("ann"), roomkit.Invite{Room: room, People: people("adm")}, service.Call{IfVersion: at.Version})
	require.ErrorIs(t, err, roomkit.ErrConflict)
	require.NotContains(t, proof.Participants(t, svc, "ann", room), roomkit.UserID("adm"))
}

func TestDoManyCallersOneRoom(t *testing.T) {
	const callers, each = 16, 25
	var conflicts atomic.Int64
	svc := proof.Service(t, &service.Options{
		Policy:   roomkit.Policy{AnyoneIsContact: true},
		Observer: service.Observer{Group: func(_ context.Context, g service.GroupReport) { conflicts.Add(int64(g.Conflicts)) }},
	})
	room := crew(t, svc)
	before, err := svc.Room(ctx, "ann", room)
	require.NoError(t, err)
	ids := proof.Crowd(t, svc, "u", callers*each)
	failed := make([]error, callers)
	var wait sync.WaitGroup
	for i := range callers {
		wait.Go(func() {
			for j := 0; j < each && failed[i] == nil; j++ {
				_, failed[i] = svc.Do(ctx, roomkit.By("ann"), roomkit.Invite{Room: room, People: ids[i*each+j : i*each+j+1]})
			}
		})
	}
	wait.Wait()
	for _, err := range failed {
		require.NoError(t, err)
	}
	got, err := svc.Room(ctx, "ann", room)
	require.NoError(t, err)
	require.EqualValues(t, 3+callers*each, got.Participants)
	require.Equal(t, before.Version+callers*each, got.Version)
	require.Zero(t, conflicts.Load(), "callers of one service see no conflict")
	require.Len(t, proof.Participants(t, svc, "ann", room), 3+callers*each)
}

// TestRepeats: what was done under a key is told again as it was, whatever the
// command changes, or not at all.
func TestRepeats(t *testing.T) {
	s := proof.NewStage(t)
	user := roomkit.User{ID: "gus", Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}
	for name, cmd := range map[string]roomkit.Command{
		"a user":            roomkit.AddUser{User: user},
		"a team and a room": proof.Team("sales", "cat", "cat", "dan"),
		"a company":         roomkit.AddCompany{Company: roomkit.Company{ID: "corp", Licensed: true}},
	} {
		t.Run(name, func(t *testing.T) {
			first := proof.Do(t, s.Service, roomkit.System(), cmd, service.Call{Key: name})
			first.Repeat = true
			require.Equal(t, first, proof.Do(t, s.Service, roomkit.System(), cmd, service.Call{Key: name}))
		})
	}
	edit := proof.AnyEdit(t, s.Service, "ben", s.General)
	s.Does("ben", edit, service.Call{Key: "k"})
	down := errors.New("down")
	for name, c := range map[string]struct {
		tell func([]store.Record, error) ([]store.Record, error)
		want error
	}{
		"the store fails":       {func([]store.Record, error) ([]store.Record, error) { return nil, down }, down},
		"the event is missing":  {func([]store.Record, error) ([]store.Record, error) { return nil, nil }, roomkit.ErrUnsupported},
		"the event is no event": {func(r []store.Record, err error) ([]store.Record, error) { r[0].Data = []byte("x"); return r, err }, roomkit.ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			svc, err := service.New(otherHistory{s.Store, c.tell}, nil)
			require.NoError(t, err)
			_, err = svc.Do(ctx, roomkit.By("ben"), edit, service.Call{Key: "k"})
			require.ErrorIs(t, err, c.want)
		})
	}
}

type otherHistory struct {
	store.Store
	tell func([]store.Record, error) ([]store.Record, error)
}

func (o otherHistory) History(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
	return o.tell(o.Store.History(ctx, of, after, limit))
}

// TestVetoNarrowsOnly: what the rules refuse, they refuse by their own name.
func TestVetoNarrowsOnly(t *testing.T) {
	s := proof.NewStage(t)
	svc, err := service.New(s.Store, &service.Options{Veto: func(roomkit.Actor, roomkit.Command, service.Result) error {
		return errors.New("no")
	}})
	require.NoError(t, err)
	_, err = svc.Do(ctx, roomkit.By("dan"), roomkit.Leave{Room: s.General})
	require.ErrorIs(t, err, roomkit.ErrNotFound)
}

// TestIfVersionOfTheRoomNamed: of two rooms in a command the version is that of
// the one from which people are picked.
func TestIfVersionOfTheRoomNamed(t *testing.T) {
	s := proof.NewStage(t)
	proof.Touch(t, s.Service, "ann", s.Group)
	chosen := crew(t, s.Service)
	use := roomkit.CreateRoom{People: people("ben", "cat"), Origin: roomkit.OriginRoom, Source: s.Group, Existing: chosen}
	for range 3 {
		proof.Touch(t, s.Service, "ann", chosen)
	}
	from, to := s.RoomOf("ann", s.Group).Version, s.RoomOf("ann", chosen).Version
	require.NotEqual(t, from, to)
	require.Equal(t, chosen, s.Run("ann", use, service.Call{IfVersion: from}).Room)
	_, err := s.Do(ctx, roomkit.By("ann"), use, service.Call{IfVersion: to})
	require.ErrorIs(t, err, roomkit.ErrConflict)
}

// TestIfVersionOfATeamRoom: the room of a team has a version also where the command leaves
// the company to the actor's own.
func TestIfVersionOfATeamRoom(t *testing.T) {
	s := proof.NewStage(t)
	open, is := roomkit.OpenTeamRoom{Team: "sales"}, s.RoomOf("cat", s.Team).Version
	require.Equal(t, s.Team, s.Run("cat", open, service.Call{IfVersion: is}).Room)
	_, err := s.Do(ctx, roomkit.By("cat"), open, service.Call{IfVersion: is + 1})
	require.ErrorIs(t, err, roomkit.ErrConflict)
	s.Denies("TEAM-03", "ben", open, service.Call{IfVersion: is + 1})
}

// TestWhoIsAskedAbout: contacts are asked of users, about people of room
// companies; the directory is asked by plans, too.
func TestWhoIsAskedAbout(t *testing.T) {
	asked := map[roomkit.UserID][]roomkit.UserID{}
	s := proof.NewStage(t, func(o *service.Options) {
		o.Policy.AnyoneIsContact = false
		o.Contacts = func(_ context.Context, of roomkit.UserID, outsiders []roomkit.UserID) ([]roomkit.UserID, error) {
			asked[of] = append(asked[of], outsiders...)
			return outsiders, nil
		}
	})
	clear(asked)
	picked := roomkit.CreateRoom{People: people("ann", "ben", "eve", "ghost"), Audience: roomkit.AudienceExternal}
	_, err := s.Do(ctx, roomkit.By("ann"), picked)
	require.ErrorIs(t, err, roomkit.ErrDenied)
	s.Run("lin", roomkit.OpenDirect{With: "ben"})
	s.Sys(roomkit.Expel{Room: s.External, People: people("eve"), Cause: roomkit.CauseAccount})
	require.Equal(t, map[roomkit.UserID][]roomkit.UserID{"ann": people("eve", "ghost")}, asked, "it cannot tell who is known")

	svc, err := service.New(s.Store, &service.Options{Directory: staffList{}})
	require.NoError(t, err)
	before := s.Records()
	planned, err := svc.Plan(ctx, roomkit.By("ann"), roomkit.Invite{Room: s.General, People: people("new")})
	require.NoError(t, err)
	require.Equal(t, people("new"), proof.NamedBy(planned.Events[0]))
	require.Equal(t, before, s.Records(), "a dry run changes nothing")
}

// TestStaleIsNotRunAgain: a demanded version that does not hold is told at once.
func TestStaleIsNotRunAgain(t *testing.T) {
	var seen []service.CommandReport
	s := proof.NewStage(t, func(o *service.Options) {
		o.Observer.Command = func(_ context.Context, r service.CommandReport) { seen = append(seen, r) }
	})
	_, err := s.Do(ctx, roomkit.By("ben"), proof.AnyEdit(t, s.Service, "ben", s.General), service.Call{IfVersion: 99})
	require.ErrorIs(t, err, roomkit.ErrConflict)
	require.Equal(t, 1, seen[len(seen)-1].Attempts)
}

// TestWhoseErrorItIs: what keeps a command from being decided comes back as it is,
// but a caller who has gone is told just that.
func TestWhoseErrorItIs(t *testing.T) {
	down := errors.New("down")
	t.Run("the contacts cannot be had", func(t *testing.T) {
		s := proof.NewStage(t, func(o *service.Options) {
			o.Policy.AnyoneIsContact = false
			o.Contacts = func(_ context.Context, _ roomkit.UserID, people []roomkit.UserID) ([]roomkit.UserID, error) {
				if people[0] == "fay" {
					return nil, down
				}
				return people, nil
			}
		})
		_, err := s.Do(ctx, roomkit.By("ann"), roomkit.OpenDirect{With: "fay"})
		require.ErrorIs(t, err, down)
		_, err = s.Plan(ctx, roomkit.By("ann"), roomkit.OpenDirect{With: "fay"})
		require.ErrorIs(t, err, down)
	})
	t.Run("the directory cannot be had", func(t *testing.T) {
		s := proof.NewStage(t, func(o *service.Options) { o.Directory = noStaffList{down} })
		_, err := s.Do(ctx, roomkit.By("ann"), roomkit.OpenDirect{With: "new"})
		require.ErrorIs(t, err, down)
	})
	t.Run("the store fails while the directory fills in", func(t *testing.T) {
		s, loads := proof.NewStage(t), 0
		svc, err := service.New(&otherLoad{s.Store, func(f []store.Facts, err error) ([]store.Facts, error) {
			if loads++; loads > 1 {
				return nil, down
			}
			return f, err
		}}, &service.Options{Directory: staffList{}})
		require.NoError(t, err)
		_, err = svc.Do(ctx, roomkit.By("ann"), roomkit.OpenDirect{With: "new"})
		require.ErrorIs(t, err, down)
	})
	t.Run("the directory has a malformed company", func(t *testing.T) {
		s := proof.NewStage(t, func(o *service.Options) { o.Directory = badCompanyList{} })
		_, err := s.Do(ctx, roomkit.By("ann"), roomkit.OpenDirect{With: "new"})
		isError(t, errOfHost, err)
		require.ErrorContains(t, err, "Company.Partners")
	})
	t.Run("the caller has gone while the store failed", func(t *testing.T) {
		s := proof.NewStage(t)
		gone, leave := context.WithCancel(ctx)
		svc, err := service.New(&otherLoad{s.Store, func([]store.Facts, error) ([]store.Facts, error) {
			leave()
			return nil, down
		}}, nil)
		require.NoError(t, err)
		_, err = svc.Do(gone, roomkit.By("ben"), roomkit.Leave{Room: s.General})
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, down)
	})
	t.Run("the caller had gone before", func(t *testing.T) {
		s := proof.NewStage(t)
		gone, leave := context.WithCancel(ctx)
		leave()
		_, err := s.Do(gone, roomkit.By("ben"), roomkit.Leave{})
		require.ErrorIs(t, err, context.Canceled)
	})
}

type badCompanyList struct{}

func (badCompanyList) Users(context.Context, []roomkit.UserID) ([]roomkit.User, []roomkit.Company, error) {
	return []roomkit.User{{ID: "new", Company: "corp"}}, []roomkit.Company{{ID: "corp", Partners: 99}}, nil
}

type noStaffList struct{ err error }

func (l noStaffList) Users(context.Context, []roomkit.UserID) ([]roomkit.User, []roomkit.Company, error) {
	return nil, nil, l.err
}

// meanwhile is a store in which something else happens before the next commit.
type meanwhile struct {
	store.Store
	happens func()
}

func (m *meanwhile) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	if f := m.happens; f != nil {
		m.happens = nil
		f()
	}
	return m.Store.Commit(ctx, changes)
}

// TestInvitedInTwoProcesses: an invitation that two processes are given in the same moment
// opens one room (GEN-27, DIR-06).
func TestInvitedInTwoProcesses(t *testing.T) {
	for name, c := range map[string]struct {
		room func(*proof.Stage) roomkit.RoomID
		who  roomkit.UserID
	}{
		"a partner":      {func(s *proof.Stage) roomkit.RoomID { return s.General }, "fay"},
		"a consumer":     {func(s *proof.Stage) roomkit.RoomID { return s.General }, "lin"},
		"a third person": {func(s *proof.Stage) roomkit.RoomID { return s.Direct }, "dan"},
	} {
		t.Run(name, func(t *testing.T) {
			s := proof.NewStage(t)
			invite := roomkit.Invite{Room: c.room(s), People: people(c.who), Name: "joint"}
			var first service.Result
			slow := &meanwhile{s.Store, func() { first = s.Run("ann", invite) }}
			other, err := service.New(slow, &service.Options{Attempts: 1, Policy: roomkit.Policy{AnyoneIsContact: true}, Clock: s.Clock.Now})
			require.NoError(t, err)
			second, err := other.Do(ctx, roomkit.By("ann"), invite)
			require.NoError(t, err)
			require.True(t, first.Opened)
			require.False(t, second.Opened)
			require.Equal(t, first.Room, second.Room)
		})
	}
}

// TestInvitedAgainLater: a room that the same invitation has opened is passed over when it
// is another one by now.
func TestInvitedAgainLater(t *testing.T) {
	s := proof.NewStage(t, func(o *service.Options) { o.Attempts = 1 })
	invite := roomkit.Invite{Room: s.Direct, People: people("dan")}
	first := s.Does("ann", invite).Room
	s.Does("dan", roomkit.Leave{Room: first})
	second := s.Does("ann", invite)
	require.True(t, second.Opened)
	require.NotEqual(t, first, second.Room)
	require.Equal(t, second.Room, s.Run("ann", invite).Room)
}

// TestInvitedBesideAConflict: a conflict that has nothing to do with the room to open does
// not give it another id, by which two processes would open two.
func TestInvitedBesideAConflict(t *testing.T) {
	s := proof.NewStage(t)
	invite := roomkit.Invite{Room: s.General, People: people("lin")}
	var first service.Result
	slow := &meanwhile{Store: s.Store}
	slow.happens = func() {
		s.Sys(roomkit.EditCompany{Company: "acme", RecallWindow: new(time.Hour)})
		slow.happens = func() { first = s.Run("ann", invite) }
	}
	other, err := service.New(slow, &service.Options{Policy: roomkit.Policy{AnyoneIsContact: true}, Clock: s.Clock.Now})
	require.NoError(t, err)
	second, err := other.Do(ctx, roomkit.By("ann"), invite)
	require.NoError(t, err)
	require.True(t, first.Opened)
	require.Equal(t, first.Room, second.Room)
	require.False(t, second.Opened)
}
