package service_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// tallied is a store that counts what it gives.
type tallied struct {
	store.Store
	loads, pages, members, rooms int
	paging                       func() // before a page of rooms
}

func (c *tallied) CommitsInParallel() int { return 1 }

func (c *tallied) Unwrap() store.Store { return c.Store }

func (c *tallied) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	facts, err := c.Store.Load(ctx, needs)
	c.loads++
	for i := range facts {
		c.members += len(facts[i].Members)
		c.rooms += len(facts[i].Shared)
	}
	return facts, err
}

func (c *tallied) Rooms(ctx context.Context, q store.RoomQuery) ([]roomkit.RoomEntry, error) {
	if c.paging != nil {
		c.paging()
	}
	page, err := c.Store.Rooms(ctx, q)
	c.pages++
	c.rooms += len(page)
	return page, err
}

// alike makes so many General rooms of the same people.
func alike(t *testing.T, svc *service.Service, by roomkit.UserID, with []roomkit.UserID, n int) {
	t.Helper()
	for range n {
		proof.Do(t, svc, roomkit.By(by), roomkit.CreateRoom{People: with, Audience: roomkit.AudienceMembers, AllowDuplicate: true})
	}
}

// offeredBy gives what one call of Do offers.
func offeredBy(t *testing.T, svc *service.Service, create roomkit.CreateRoom) []roomkit.Offer {
	t.Helper()
	_, err := svc.Do(ctx, roomkit.By("ann"), create)
	var offered *roomkit.Offered
	require.ErrorAs(t, err, &offered)
	return offered.Offers
}

// TestOffersAreBounded: what is read for offers does not grow with rooms × people. Rows of
// people are read of those alone who have lost something at some time, and of as many
// rooms as are offered.
func TestOffersAreBounded(t *testing.T) {
	const rooms = 300
	others := 40
	if os.Getenv("ROOMKIT_LONG") != "" {
		others = roomkit.MaxPeople
	}
	c := &tallied{Store: memstore.New()}
	svc := proof.ServiceOn(t, c, nil)
	ids := proof.Crowd(t, svc, "u", others)
	alike(t, svc, "ann", ids, rooms)
	create := roomkit.CreateRoom{People: ids, Audience: roomkit.AudienceMembers}
	asks := map[string]func(t *testing.T) []roomkit.Offer{
		"Recommend": func(t *testing.T) []roomkit.Offer {
			t.Helper()
			offers, err := svc.Recommend(ctx, "ann", ids, roomkit.AudienceMembers, false)
			require.NoError(t, err)
			return offers
		},
		"CreateRoom": func(t *testing.T) []roomkit.Offer {
			t.Helper()
			return offeredBy(t, svc, create)
		},
	}
	reads := func(t *testing.T, ask func(t *testing.T) []roomkit.Offer, members, loads int) {
		t.Helper()
		*c = tallied{Store: c.Store}
		require.Len(t, ask(t), roomkit.MaxOffers)
		require.Equal(t, members, c.members, "rows of people")
		require.LessOrEqual(t, c.loads, loads, "round trips to load")
		require.LessOrEqual(t, c.rooms, 2*store.MaxShared+rooms, "rows of rooms")
		require.LessOrEqual(t, c.pages, 2)
	}
	for name, ask := range asks {
		t.Run(name, func(t *testing.T) { reads(t, ask, 0, 3) })
	}
	// Of whoever was away, the rows say where the old membership does not count any more:
	// in all but 25 rooms, which are the last to be changed and therefore the first to be looked at.
	proof.Do(t, svc, roomkit.System(), roomkit.DeleteUser{User: ids[0]})
	proof.Do(t, svc, roomkit.System(), roomkit.RestoreUser{User: ids[0]})
	all, err := store.Store(c).Rooms(ctx, store.RoomQuery{User: "ann", Limit: 25})
	require.NoError(t, err)
	for i := range all {
		proof.Do(t, svc, roomkit.By("ann"), roomkit.Invite{Room: all[i].Room.ID, People: ids[:1]})
	}
	for name, ask := range asks {
		t.Run(name+", of people who were away", func(t *testing.T) { reads(t, ask, roomkit.MaxOffers, 3) })
	}
	// Rooms in which somebody's membership does not count are left behind.
	proof.Do(t, svc, roomkit.System(), roomkit.DeleteUser{User: ids[0]})
	proof.Do(t, svc, roomkit.System(), roomkit.RestoreUser{User: ids[0]})
	for name, ask := range asks {
		t.Run(name+", where no membership counts", func(t *testing.T) {
			if name == "CreateRoom" {
				planned, err := svc.Plan(ctx, roomkit.By("ann"), create)
				require.NoError(t, err)
				require.True(t, planned.Opened)
				return
			}
			*c = tallied{Store: c.Store}
			require.Empty(t, ask(t))
			require.Equal(t, 5*roomkit.MaxOffers, c.members)
			require.Equal(t, 2+5, c.loads)
		})
	}
}

// TestOffersKeepNobodyWaiting: while one company's rooms are searched, the command of
// another one is carried out, in the only lane there is.
func TestOffersKeepNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &tallied{Store: memstore.New()}
		svc := proof.ServiceOn(t, c, nil)
		alike(t, svc, "ann", people("ben", "cat"), store.MaxShared+1)
		theirs := proof.External(t, svc, "eve", "ann")
		goOn := make(chan struct{})
		c.paging = func() { <-goOn }
		offered := call(func() (service.Result, error) {
			return svc.Do(ctx, roomkit.By("ann"), roomkit.CreateRoom{People: people("ben", "cat"), Audience: roomkit.AudienceMembers})
		})
		synctest.Wait()
		for i := range 3 {
			other := call(func() (service.Result, error) {
				return svc.Do(ctx, roomkit.By("eve"), proof.AnyEdit(t, svc, "eve", theirs, fmt.Sprint(i)))
			})
			synctest.Wait()
			require.NoError(t, (<-other).err)
		}
		close(goOn)
		require.ErrorIs(t, (<-offered).err, roomkit.ErrOffered)
	})
}

// TestOffersThatChange: a room that changes between the look and the decision is looked at
// again, and the caller is told what is.
func TestOffersThatChange(t *testing.T) {
	s := proof.NewStage(t)
	returns(s, "cat")
	before := s.Offered("ann", roomkit.AudienceMembers, "ben", "cat")
	require.Len(t, before, 2)
	loads := 0
	svc, err := service.New(&otherLoad{s.Store, func(facts []store.Facts, err error) ([]store.Facts, error) {
		if loads++; loads == 2 { // after the look
			s.Does("ann", roomkit.Remove{Room: s.Group, People: people("cat")})
			proof.Touch(t, s.Service, "ann", s.General)
		}
		return facts, err
	}}, nil)
	require.NoError(t, err)
	offers := offeredBy(t, svc, roomkit.CreateRoom{People: people("ben", "cat"), Audience: roomkit.AudienceMembers})
	require.Len(t, offers, 1)
	require.Equal(t, s.General, offers[0].Room.ID)
	require.Equal(t, s.RoomOf("ann", s.General).Version, offers[0].Room.Version)
	require.Equal(t, 4, loads, "the facts, the look, the facts again, and what has changed")
}

// afterRead does something after each answer of a store.
type afterRead struct {
	store.Store
	do func()
}

func (s *afterRead) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	defer s.do()
	return s.Store.Load(ctx, needs)
}

func (s *afterRead) Rooms(ctx context.Context, q store.RoomQuery) ([]roomkit.RoomEntry, error) {
	defer s.do()
	return s.Store.Rooms(ctx, q)
}

// TestOffersAreOfOneMoment: rooms that people share beyond the first ones are read before the
// rest. What changes in between is told as it is, or not at all, whenever that is.
func TestOffersAreOfOneMoment(t *testing.T) {
	for at := 1; at <= 6; at++ {
		for name, ask := range map[string]func(t *testing.T, svc *service.Service) []roomkit.Offer{
			"CreateRoom": func(t *testing.T, svc *service.Service) []roomkit.Offer {
				t.Helper()
				return offeredBy(t, svc, roomkit.CreateRoom{People: people("ben", "cat"), Audience: roomkit.AudienceMembers})
			},
			"Recommend": func(t *testing.T, svc *service.Service) []roomkit.Offer {
				t.Helper()
				offers, err := svc.Recommend(ctx, "ann", people("ben", "cat"), roomkit.AudienceMembers, false)
				require.NoError(t, err)
				return offers
			},
		} {
			t.Run(fmt.Sprint(name, ", changed after answer ", at), func(t *testing.T) {
				st := memstore.New()
				clock := proof.NewClock()
				svc := proof.ServiceOn(t, st, &service.Options{Clock: func() time.Time {
					clock.Add(time.Second) // the last room is the last by its id, too
					return clock.Now()
				}})
				alike(t, svc, "ann", people("ben", "cat"), store.MaxShared+10)
				rooms, err := st.Rooms(ctx, store.RoomQuery{User: "ann", Limit: roomkit.MaxPage})
				require.NoError(t, err)
				first, last := rooms[0].Room.ID, rooms[len(rooms)-1].Room.ID
				answers := 0
				var between, after []roomkit.Offer
				mine, err := service.New(&afterRead{st, func() {
					if answers++; answers == at {
						proof.Do(t, svc, roomkit.By("ann"), roomkit.Remove{Room: last, People: people("ben")})
						between = ask(t, svc)
						proof.Touch(t, svc, "ann", first)
						after = ask(t, svc)
					}
				}}, nil)
				require.NoError(t, err)
				before := ask(t, svc)
				told := ask(t, mine)
				if answers < at {
					require.Equal(t, before, told)
					return
				}
				ids := func(offers []roomkit.Offer) (list string) {
					for i := range offers {
						list += fmt.Sprintf(" %.8s@%d", offers[i].Room.ID.String()[28:], offers[i].Room.Version)
					}
					return list
				}
				require.Contains(t, []string{ids(before), ids(between), ids(after)}, ids(told), "the rooms of one moment")
			})
		}
	}
}
