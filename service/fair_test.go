package service_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// TestTurns: however many commands of a company wait, one of another company is in the
// group after the one under way.
func TestTurns(t *testing.T) {
	const flood = 800
	type floods func(p *pile, ids []roomkit.UserID, rooms []roomkit.RoomID, i int) func() (service.Result, error)
	photo := func(i int) *string { return new(fmt.Sprint(i)) }
	for name, next := range map[string]floods{
		"of one person in one room": func(p *pile, _ []roomkit.UserID, _ []roomkit.RoomID, i int) func() (service.Result, error) {
			return p.do("ann", roomkit.Edit{Room: p.room, Photo: photo(i)})
		},
		"of many people in many rooms": func(p *pile, ids []roomkit.UserID, rooms []roomkit.RoomID, i int) func() (service.Result, error) {
			return p.do(ids[i%len(ids)], roomkit.Edit{Room: rooms[i%len(rooms)], Photo: photo(i)})
		},
		"of the system": func(p *pile, ids []roomkit.UserID, _ []roomkit.RoomID, i int) func() (service.Result, error) {
			return func() (service.Result, error) {
				return p.Do(ctx, roomkit.System(), roomkit.SuspendUser{User: ids[i%len(ids)]})
			}
		},
		"of people who never acted": func(p *pile, _ []roomkit.UserID, _ []roomkit.RoomID, i int) func() (service.Result, error) {
			return p.do(roomkit.UserID(fmt.Sprint("stranger", i)), roomkit.OpenSelf{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				st := &hooked{Store: memstore.New()}
				p := newPile(t, st, &service.Options{Policy: roomkit.Policy{AnyoneIsContact: true}, MaxGroup: 8})
				defer p.gate.abandon()
				ids, rooms := proof.Crowd(t, p.Service, "u", 40), []roomkit.RoomID(nil)
				for _, id := range ids {
					create := roomkit.CreateRoom{People: people("ben", "cat"), AllowDuplicate: true}
					rooms = append(rooms, proof.Do(t, p.Service, roomkit.By(id), create).Room)
				}
				theirs := proof.AnyEdit(t, p.Service, "eve", proof.External(t, p.Service, "eve", "ann"), "eve")
				held := proof.AnyEdit(t, p.Service, "ann", p.held, "held")
				p.gate.held.Store(true)
				first := call(p.do("ann", held))
				require.Equal(t, 1, p.gate.came())
				var all sync.WaitGroup
				for i := range flood {
					do := next(p, ids, rooms, i)
					all.Go(func() { _, _ = do() })
				}
				synctest.Wait()
				other := call(p.do("eve", theirs))
				synctest.Wait()
				loads := 0
				st.load = func(needs []store.Need) error {
					if loads++; slices.ContainsFunc(needs, func(n store.Need) bool { return n.Room == theirs.Room }) {
						assert.Equal(t, 1, loads, "groups begun, until hers was")
					}
					return nil
				}
				p.gate.release()
				require.NoError(t, (<-first).err)
				require.NoError(t, (<-other).err)
				all.Wait()
				st.load = nil
				require.Greater(t, loads, flood/8)
			})
		})
	}
}

// TestTurnsOfAll: of so many companies, none waits longer than it takes to serve one
// command of each.
func TestTurnsOfAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const companies, each, most = 20, 30, 4
		st := &hooked{Store: memstore.New()}
		p := newPile(t, st, &service.Options{Policy: roomkit.Policy{AnyoneIsContact: true}, MaxGroup: most})
		defer p.gate.abandon()
		var bosses []roomkit.UserID
		for i := range companies {
			id := roomkit.CompanyID(fmt.Sprint("corp", i))
			proof.Do(t, p.Service, roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{ID: id, Licensed: true}})
			bosses = append(bosses, roomkit.UserID(fmt.Sprint("boss", i)))
			proof.AddUsers(t, p.Service, active(bosses[i], id))
			proof.Do(t, p.Service, roomkit.By(bosses[i]), roomkit.OpenSelf{})
		}
		held := proof.AnyEdit(t, p.Service, "ann", p.held, "held")
		p.gate.held.Store(true)
		first := call(p.do("ann", held))
		require.Equal(t, 1, p.gate.came())
		var all sync.WaitGroup
		for i, boss := range bosses { // the later, the fewer
			for range each - i {
				all.Go(func() { _, _ = p.Do(ctx, roomkit.By(boss), roomkit.OpenSelf{}) })
				synctest.Wait()
			}
		}
		groups, served := 0, map[roomkit.UserID]int{}
		st.load = func(needs []store.Need) error {
			groups++
			for _, n := range needs {
				if served[n.People[0]] == 0 {
					served[n.People[0]] = groups
				}
			}
			return nil
		}
		p.gate.release()
		require.NoError(t, (<-first).err)
		all.Wait()
		st.load = nil
		for _, boss := range bosses {
			require.LessOrEqual(t, served[boss], companies/most)
			require.Positive(t, served[boss])
		}
	})
}

// busy are callers who invite and remove people in a room as fast as they can.
type busy struct {
	stop atomic.Bool
	wait sync.WaitGroup
}

func keepBusy(svc *service.Service, room roomkit.RoomID, by roomkit.UserID, ids []roomkit.UserID) *busy {
	b := new(busy)
	var begun sync.WaitGroup
	for _, id := range ids {
		begun.Add(1)
		b.wait.Go(func() {
			for i := 0; !b.stop.Load(); i++ {
				_, _ = svc.Do(ctx, roomkit.By(by), roomkit.Invite{Room: room, People: people(id)})
				_, _ = svc.Do(ctx, roomkit.By(by), roomkit.Remove{Room: room, People: people(id)})
				if i == 10 {
					begun.Done()
				}
			}
		})
	}
	begun.Wait()
	return b
}

func (b *busy) end() {
	b.stop.Store(true)
	b.wait.Wait()
}

// TestNeedsEverybody: a command that needs everybody in a room, or all its Group Masters,
// is carried out in its first attempt beside callers who change who that is all the time.
func TestNeedsEverybody(t *testing.T) {
	svc := proof.Service(t, &service.Options{Attempts: 1})
	ids := proof.Crowd(t, svc, "u", 4)
	try := func(room roomkit.RoomID, by roomkit.UserID, cmd roomkit.Command) {
		callers := keepBusy(svc, room, "ann", ids)
		_, err := svc.Do(ctx, roomkit.By(by), cmd)
		callers.end()
		require.NoError(t, err)
	}
	for i := range 20 {
		general := proof.General(t, svc, "ann", "ben", "cat")
		try(general, "cat", roomkit.Convert{Room: general, To: roomkit.KindGroup, Name: fmt.Sprint("c", i)})
		group := proof.Do(t, svc, roomkit.By("ann"), roomkit.CreateGroup{
			Name: fmt.Sprint("g", i), Members: people("ben"), Masters: people("ben"),
		}).Room
		try(group, "adm", roomkit.DismissMasters{Room: group, People: people("ben")})
	}
}

// TestNeedsEverybodyInAnotherProcess: beside another service such a command is carried out
// in the first attempt that nobody comes between, and is open to that for one load only.
func TestNeedsEverybodyInAnotherProcess(t *testing.T) {
	for name, cmd := range map[string]func(svc *service.Service) (roomkit.RoomID, roomkit.Command){
		"everybody": func(svc *service.Service) (roomkit.RoomID, roomkit.Command) {
			room := proof.General(t, svc, "ann", "ben", "cat")
			return room, roomkit.Convert{Room: room, To: roomkit.KindGroup, Name: "all"}
		},
		"masters": func(svc *service.Service) (roomkit.RoomID, roomkit.Command) {
			room := proof.Do(t, svc, roomkit.By("ann"), roomkit.CreateGroup{Name: "g", Members: people("ben"), Masters: people("ben")}).Room
			return room, roomkit.DismissMasters{Room: room, People: people("ben")}
		},
	} {
		for _, between := range []int{0, 1, 15, 16} {
			t.Run(fmt.Sprint(name, " ", between), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					st := memstore.New()
					svc := proof.ServiceOn(t, st, nil)
					room, cmd := cmd(svc)
					loads, commits := 0, 0
					mine, err := service.New(&hooked{
						Store: st,
						load:  func([]store.Need) error { loads++; return nil },
						commit: func(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
							if commits++; commits <= between {
								proof.Do(t, svc, roomkit.By("ann"), invitedOrRemoved(room, commits))
							}
							return st.Commit(ctx, changes)
						},
					}, nil)
					require.NoError(t, err)
					_, err = mine.Do(ctx, roomkit.By("ann"), cmd)
					if between == 16 {
						require.ErrorIs(t, err, roomkit.ErrConflict)
						return
					}
					require.NoError(t, err)
					require.Equal(t, between+1, commits)
					require.Equal(t, between+map[string]int{"everybody": 3, "masters": 2}[name], loads) // the first finds out what is needed
				})
			})
		}
	}
}

func invitedOrRemoved(room roomkit.RoomID, n int) roomkit.Command {
	if n%2 == 1 {
		return roomkit.Invite{Room: room, People: people("dan")}
	}
	return roomkit.Remove{Room: room, People: people("dan")}
}

// TestLosesToNoNeighbour: what needs everybody in a room is carried out after whatever
// came before it in its group, in its only attempt.
func TestLosesToNoNeighbour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPile(t, &hooked{Store: memstore.New()}, &service.Options{Policy: roomkit.Policy{AnyoneIsContact: true}, Attempts: 1})
		defer p.gate.abandon()
		general := proof.General(t, p.Service, "ann", "ben", "cat")
		before := len(allPlaces(t, p.Service))
		answers := p.group(
			p.do("ann", roomkit.Invite{Room: general, People: people("dan")}),
			p.do("ben", roomkit.Convert{Room: general, To: roomkit.KindGroup, Name: "all"}),
			p.do("dan", roomkit.Leave{Room: general}),
		)
		for _, got := range answers {
			require.NoError(t, got.err)
			require.True(t, got.Changed)
		}
		require.Equal(t, people("ann", "ben", "cat"), proof.NamedBy(proof.EventsOf[*roomkit.RoomConverted](answers[1].Events)[0]))
		require.Greater(t, len(allPlaces(t, p.Service)), before)
	})
}

// TestVetoThatNeverReturns: it keeps nobody whose context ends, neither the caller whose
// command it was asked about, nor whoever leads the group, nor those who wait for the next.
func TestVetoThatNeverReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, stuck := &hooked{Store: memstore.New()}, make(chan struct{})
		slow, on := roomkit.UserID(""), false
		p := newPile(t, st, &service.Options{
			Policy: roomkit.Policy{AnyoneIsContact: true},
			Veto: func(_ roomkit.Actor, cmd roomkit.Command, _ service.Result) error {
				if c, ok := cmd.(roomkit.Invite); on && ok && c.People[0] == slow {
					<-stuck
				}
				return nil
			},
		})
		defer p.gate.abandon()
		ids := proof.Crowd(t, p.Service, "u", 4)
		slow, on = ids[1], true
		held := proof.AnyEdit(t, p.Service, "ann", p.held, "held")
		p.gate.held.Store(true)
		first := call(p.do("ann", held))
		require.Equal(t, 1, p.gate.came())
		short, cancel := context.WithCancel(ctx)
		var waiting []<-chan heard
		invite := func(who ...roomkit.UserID) {
			waiting = append(waiting, call(func() (service.Result, error) {
				return p.Do(short, roomkit.By("ann"), roomkit.Invite{Room: p.room, People: who})
			}))
			synctest.Wait()
		}
		invite(ids[0])
		invite(ids[1])
		invite(ids[2])
		p.gate.release()
		require.NoError(t, (<-first).err)
		synctest.Wait()
		invite(ids[3])
		cancel()
		for i, done := range waiting {
			got := <-done
			require.ErrorIs(t, got.err, context.Canceled)
			require.Equal(t, i < 3, service.CategoryOf(got.err) == service.CategoryUnknownOutcome, "%d: %s", i, got.err)
		}
		close(stuck)
		synctest.Wait()
		require.Subset(t, proof.Participants(t, p.Service, "ann", p.room), ids[:3], "as they were told: it may be")
		require.NotContains(t, proof.Participants(t, p.Service, "ann", p.room), ids[3])
	})
}

// TestPanicOfNobody: what the store panics with over several commands, and what does not
// come again, is logged: no caller is told.
func TestPanicOfNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, lines := &hooked{Store: memstore.New()}, &logged{}
		p := newPile(t, st, &service.Options{Policy: roomkit.Policy{AnyoneIsContact: true}, Logger: slog.New(lines)})
		defer p.gate.abandon()
		ids := proof.Crowd(t, p.Service, "u", 3)
		st.load = func(needs []store.Need) error {
			if len(needs) > 1 {
				panic("boom")
			}
			return nil
		}
		lines.attrs, lines.warnings = nil, 0
		for _, got := range p.group(p.invite(ids[0]), p.invite(ids[1]), p.invite(ids[2])) {
			require.NoError(t, got.err)
			require.True(t, got.Changed)
		}
		require.Equal(t, 1, lines.warnings)
		require.Equal(t, "boom", lines.attrs[0]["value"].String())
		require.Contains(t, lines.attrs[0]["stack"].String(), "TestPanicOfNobody")
		st.load = nil
	})
}
