package service_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// interposed runs a step of somebody else before the n-th Load of a service, from 1 on.
type interposed struct {
	store.Store
	loads int
	steps map[int]func()
}

func (s *interposed) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	s.loads++
	if step := s.steps[s.loads]; step != nil {
		step()
	}
	return s.Store.Load(ctx, needs)
}

func (s *interposed) Unwrap() store.Store { return s.Store }

// besides is a service in whose loads others get between.
func besides(t *testing.T, s *proof.Stage, steps map[int]func()) *service.Service {
	t.Helper()
	svc, err := service.New(&interposed{Store: s.Store, steps: steps}, &service.Options{
		Policy: roomkit.Policy{AnyoneIsContact: true}, Clock: s.Clock.Now,
	})
	require.NoError(t, err)
	return svc
}

// TestInviteFindsTheRoomOfThesePeople: who comes in between two looks is one of those whom an
// invitation brings together, and a room with as many people, but others, is not theirs.
func TestInviteFindsTheRoomOfThesePeople(t *testing.T) {
	s := proof.NewStage(t)
	others := proof.External(t, s.Service, "ann", "ben", "cat", "eve", "fay")
	svc := besides(t, s, map[int]func(){3: func() { s.Does("ann", roomkit.Invite{Room: s.General, People: people("dan")}) }})
	res := proof.Do(t, svc, roomkit.By("ann"), roomkit.Invite{Room: s.General, People: people("eve"), Name: "with eve"})
	require.NotEqual(t, others, res.Room, "fay is in it, and dan is not")
	require.Equal(t, people("ann", "ben", "cat", "dan", "eve"), s.Inside("ann", res.Room))
}

// TestInviteIsNotKeptByOthers: while the people of a room come and go, whoever invites there is
// told so in the end, and does not keep the lane.
func TestInviteIsNotKeptByOthers(t *testing.T) {
	s := proof.NewStage(t)
	steps, dan := map[int]func(){}, people("dan")
	for load := range 100 {
		steps[load] = func() {
			if load%2 == 0 {
				s.Does("ann", roomkit.Invite{Room: s.General, People: dan})
			} else {
				s.Out(s.General, "dan")
			}
		}
	}
	svc, err := service.New(&interposed{Store: s.Store, steps: steps, loads: -1}, &service.Options{
		Policy: roomkit.Policy{AnyoneIsContact: true}, Clock: s.Clock.Now, Attempts: 2,
	})
	require.NoError(t, err)
	_, err = svc.Do(ctx, roomkit.By("ann"), roomkit.Invite{Room: s.General, People: people("eve"), Name: "with eve"})
	require.ErrorIs(t, err, roomkit.ErrConflict)
}

// TestOneMomentOfTwoRooms: where the room from which people are taken decides about another
// one, the answer is of a moment of both.
func TestOneMomentOfTwoRooms(t *testing.T) {
	s := proof.NewStage(t)
	svc := besides(t, s, map[int]func(){2: func() {
		s.Does("ben", roomkit.Remove{Room: s.General, People: people("ann")})
		s.Does("dan", roomkit.OpenDirect{With: "ann"})
	}})
	_, err := svc.Do(ctx, roomkit.By("ann"), roomkit.CreateRoom{People: people("dan"), Origin: roomkit.OriginRoom, Source: s.General})
	require.ErrorIs(t, err, roomkit.ErrNotFound, "before ann could be in a room with dan, ann had to leave the one with him")
}

// TestOneMomentOfThoseWhoAreAssumed: whom the directory tells of is not missed when a room is
// loaded again.
func TestOneMomentOfThoseWhoAreAssumed(t *testing.T) {
	s := proof.NewStage(t)
	svc, err := service.New(s.Store, &service.Options{Directory: knows{"gus"}})
	require.NoError(t, err)
	create := roomkit.CreateRoom{People: people("gus"), Origin: roomkit.OriginRoom, Source: s.General}
	planned, err := svc.Plan(ctx, roomkit.By("ann"), create)
	require.NoError(t, err)
	require.Equal(t, planned.Room, proof.Do(t, svc, roomkit.By("ann"), create).Room)
}

// TestHealthOfOneMoment: nobody is missed who has come between two looks.
func TestHealthOfOneMoment(t *testing.T) {
	s := proof.NewStage(t)
	crowd := proof.Crowd(t, s.Service, "c", roomkit.MaxPage+10)
	large := func(masters ...roomkit.UserID) roomkit.RoomID {
		room := s.Does("ann", roomkit.CreateGroup{Name: "large " + string(masters[0]), Members: masters, Masters: masters}).Room
		proof.Fill(t, s.Service, room, crowd)
		s.Does("ann", roomkit.DismissMasters{Room: room, People: people("ann")})
		return room
	}
	last := proof.Crowd(t, s.Service, "z", 2)
	handed, tired := large(last[0]), large("adm", last[1])
	s.Sys(roomkit.SuspendUser{User: "adm"})
	for name, c := range map[string]struct {
		room   roomkit.RoomID
		before int // which load
		step   func()
	}{
		"a master hands over": {s.Group, 2, func() { s.Does("ann", roomkit.HandOver{Room: s.Group, To: crowd[2]}) }},
		"between two pages":   {handed, 3, func() { s.Does(last[0], roomkit.HandOver{Room: handed, To: crowd[0]}) }},
		"a master is suspended when another one is not any more": {tired, 3, func() {
			s.Sys(roomkit.SuspendUser{User: "adm", Lift: true})
			s.Sys(roomkit.SuspendUser{User: last[1]})
		}},
		"the last colleague goes, when another one has come": {s.External, 2, func() {
			s.Does("ann", roomkit.Invite{Room: s.External, People: crowd[1:2]})
			s.Does("ann", roomkit.AppointMasters{Room: s.External, People: crowd[1:2]})
			s.Does(crowd[1], roomkit.Remove{Room: s.External, People: people("ann", "ben", "cat")})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := besides(t, s, map[int]func(){c.before: c.step}).Health(ctx, c.room)
			require.NoError(t, err)
			require.Empty(t, found)
		})
	}
}

// TestAmongThoseOfTheGroup: who stays in a room is told as the commands before leave it, which
// share the group.
func TestAmongThoseOfTheGroup(t *testing.T) {
	remove := func(room roomkit.RoomID, who ...roomkit.UserID) roomkit.Command {
		return roomkit.Remove{Room: room, People: who}
	}
	for name, c := range map[string]struct {
		before func(room roomkit.RoomID) roomkit.Command
		want   []roomkit.UserID
	}{
		"somebody comes": {
			func(room roomkit.RoomID) roomkit.Command { return roomkit.Invite{Room: room, People: people("adm")} },
			people("adm", "ann", "ben", "c000001", "c000002"),
		},
		"many go": {
			func(room roomkit.RoomID) roomkit.Command {
				return remove(room, "ben", "c000001", "c000002", "c000003", "c000004", "c000005", "c000006")
			},
			people("ann", "c000007", "c000008", "c000009", "c000010"),
		},
		"the name goes": {
			func(room roomkit.RoomID) roomkit.Command { return roomkit.Edit{Room: room, Name: new("")} },
			people("ann", "ben", "c000001", "c000002", "c000003"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPile(t, &hooked{Store: memstore.New()}, nil)
				crowd := proof.Crowd(t, p.Service, "c", 20)
				room := proof.General(t, p.Service, "ann", append(people("ben"), crowd...)...)
				if name == "the name goes" {
					proof.Do(t, p.Service, roomkit.By("ann"), roomkit.Edit{Room: room, Name: new("a name")})
				}
				got := p.group(p.do("ann", c.before(room)), p.do("ann", remove(room, "c000000")))
				require.NoError(t, got[0].err)
				require.NoError(t, got[1].err)
				require.Equal(t, c.want, proof.EventsOf[*roomkit.MemberLeft](got[1].Events)[0].Among)
			})
		})
	}
}

// TestChooseOfOneMoment: where some candidates take another look, all are judged by it, and so
// is the actor.
func TestChooseOfOneMoment(t *testing.T) {
	s := proof.NewStage(t)
	gus := proof.Crowd(t, s.Service, "gus", 1)[0]
	suspend := func(who roomkit.UserID) func() { return func() { s.Sys(roomkit.SuspendUser{User: who}) } }
	choose := func(step func()) ([]roomkit.Choice, error) {
		svc := besides(t, s, map[int]func(){2: step})
		return svc.Choose(ctx, roomkit.By("ann"), roomkit.Invite{Room: s.General}, people(gus, "fay", "lin"))
	}
	list, err := choose(suspend(gus))
	require.NoError(t, err)
	require.Equal(t, roomkit.Rule("ADM-17"), list[0].Against[0].Rule, "gus is judged with the others")
	_, err = choose(suspend("ann"))
	proof.Refused(t, "ADM-17", err)
}

// TestWatchGoesOnForAMaster: who has lost the part in a room and not the role watches on until
// the role ends, however late the events are looked at.
func TestWatchGoesOnForAMaster(t *testing.T) {
	for name, late := range map[string]bool{"as it happens": false, "all at once": true} {
		t.Run(name, func(t *testing.T) {
			s := proof.NewStage(t)
			s.Permit("cat", false)
			s.Permit("cat", true) // the part counts no more
			s.Does("adm", roomkit.AppointMasters{Room: s.External, People: people("cat")})
			steps := []func(){
				s.Sweep,
				func() { s.Does("adm", roomkit.DismissMasters{Room: s.External, People: people("cat")}) },
			}
			ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
			defer cancel()
			var told []string
			for rec, err := range s.WatchRooms(ctx, "cat", "", s.External) {
				require.NoError(t, err)
				if told = append(told, rec.Type); rec.Version < s.RoomOf("ann", s.External).Version {
					continue
				}
				for len(steps) > 0 {
					steps[0]()
					if steps = steps[1:]; !late {
						break
					}
				}
			}
			require.Equal(t, "master.dismissed", told[len(told)-1])
		})
	}
}

// TestOneInvitationOpensOneRoomAgain: where the room of an invitation is not any more what it
// was opened for, two processes that are given the invitation again open one room.
func TestOneInvitationOpensOneRoomAgain(t *testing.T) {
	s := proof.NewStage(t)
	invite := roomkit.Invite{Room: s.Direct, People: people("dan")}
	opened := map[roomkit.RoomID]bool{}
	open := func(svc *service.Service) roomkit.RoomID {
		room := proof.Do(t, svc, roomkit.By("ann"), invite).Room
		opened[room] = true
		return room
	}
	s.Out(open(s.Service), "dan")

	var first roomkit.RoomID
	commits, st := 0, &hooked{Store: s.Store}
	st.commit = func(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
		if commits++; commits == 2 {
			first = open(s.Service)
		}
		return s.Store.Commit(ctx, changes)
	}
	other, err := service.New(st, &service.Options{Policy: roomkit.Policy{AnyoneIsContact: true}, Clock: s.Clock.Now})
	require.NoError(t, err)
	second := open(other)
	require.NotZero(t, first)
	require.Equal(t, first, second)

	s.Out(first, "dan")
	for range 10 { // more than there are ids that follow from an invitation
		s.Out(open(s.Service), "dan")
	}
	require.Len(t, opened, 12)
}

// tardy is a store of which every call takes a millisecond.
type tardy struct{ store.Store }

func (s tardy) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	<-time.After(time.Millisecond)
	return s.Store.Load(ctx, needs)
}

func (s tardy) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	<-time.After(time.Millisecond)
	return s.Store.Commit(ctx, changes)
}

// TestWhatChangesNothingSharesItsGroup: in a room in which much happens, those who find
// everything already so keep it no longer than those who change something.
func TestWhatChangesNothingSharesItsGroup(t *testing.T) {
	const callers, each = 32, 8
	took := func(already bool) (took time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			st := memstore.New()
			setup := proof.ServiceOn(t, st, nil)
			room, ids := crew(t, setup), proof.Crowd(t, setup, "u", callers*each)
			svc, err := service.New(tardy{st}, nil)
			require.NoError(t, err)
			began := bubbleTime()
			var wait sync.WaitGroup
			for i := range callers {
				wait.Go(func() {
					for n := range each {
						who := ids[i*each+n]
						if already && i%2 == 0 {
							who = "ben"
						}
						_, err := svc.Do(ctx, roomkit.By("ann"), roomkit.Invite{Room: room, People: people(who)})
						assert.NoError(t, err)
					}
				})
			}
			wait.Wait()
			took = bubbleTime().Sub(began)
		})
		return took
	}
	require.Less(t, took(true), 3*took(false))
}

// knows is a directory of people of acme.
type knows []roomkit.UserID

func (k knows) Users(_ context.Context, ids []roomkit.UserID) (users []roomkit.User, _ []roomkit.Company, _ error) {
	for _, id := range ids {
		if slices.Contains(k, id) {
			users = append(users, roomkit.User{ID: id, Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive})
		}
	}
	return users, nil, nil
}
