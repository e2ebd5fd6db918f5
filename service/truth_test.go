package service_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
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

// hooked is a store that a test can get in the way of. Its hooks are set while nobody
// calls it.
type hooked struct {
	store.Store
	load   func([]store.Need) error
	commit func(context.Context, []store.Change) ([]store.CommitResult, error)
}

func (h *hooked) Unwrap() store.Store { return h.Store }

func (h *hooked) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	if h.load != nil {
		if err := h.load(needs); err != nil {
			return nil, err
		}
	}
	return h.Store.Load(ctx, needs)
}

func (h *hooked) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	if h.commit != nil {
		return h.commit(ctx, changes)
	}
	return h.Store.Commit(ctx, changes)
}

// heard is all that a call can tell its caller.
type heard struct {
	service.Result
	err      error
	panicked any
	ended    bool // the caller's goroutine has ended
}

// call makes a call in a goroutine of its own.
func call(f func() (service.Result, error)) <-chan heard {
	done := make(chan heard, 1)
	go func() {
		got := heard{ended: true}
		defer func() {
			if got.ended {
				got.panicked = recover()
				got.ended = got.panicked == nil
			}
			done <- got
		}()
		got.Result, got.err = f()
		got.ended = false
	}()
	return done
}

// pile is a service whose store can be held, so that commands go in one group.
type pile struct {
	*service.Service
	t    *testing.T
	gate *gate
	room roomkit.RoomID // of ann, ben, cat and others
	held roomkit.RoomID // where the command before the group is
}

func newPile(t *testing.T, st *hooked, o *service.Options) *pile {
	p := &pile{t: t, gate: newGate(st, 1)}
	p.Service = proof.ServiceOn(t, p.gate, o)
	p.room, p.held = crew(t, p.Service), proof.General(t, p.Service, "ann", "adm", "cat")
	return p
}

// group makes calls that go in one group, in their order, and gives what each is told.
func (p *pile) group(calls ...func() (service.Result, error)) []heard {
	p.t.Helper()
	held := proof.AnyEdit(p.t, p.Service, "ann", p.held, "held")
	p.gate.held.Store(true)
	first := call(func() (service.Result, error) { return p.Do(ctx, roomkit.By("ann"), held) })
	require.Equal(p.t, 1, p.gate.came())
	var pending []<-chan heard
	for _, c := range calls {
		pending = append(pending, call(c))
		synctest.Wait()
	}
	p.gate.release()
	require.NoError(p.t, (<-first).err)
	synctest.Wait()
	answers := make([]heard, len(calls))
	for i, done := range pending {
		select {
		case answers[i] = <-done:
		default:
			require.FailNow(p.t, fmt.Sprintf("call %d has not come back: whoever leads has not told it", i))
		}
	}
	return answers
}

func (p *pile) do(actor roomkit.UserID, cmd roomkit.Command, c ...service.Call) func() (service.Result, error) {
	return func() (service.Result, error) { return p.Do(ctx, roomkit.By(actor), cmd, c...) }
}

func (p *pile) invite(who ...roomkit.UserID) func() (service.Result, error) {
	return p.do("ann", roomkit.Invite{Room: p.room, People: who})
}

// TestPanicReachesItsCaller: when the host or the store panics, or ends the goroutine,
// over one command of a group, its caller has it, and all others are told what is stored.
func TestPanicReachesItsCaller(t *testing.T) {
	var bad roomkit.UserID
	names := func(cmd roomkit.Command) bool {
		c, ok := cmd.(roomkit.Invite)
		return ok && slices.Contains(c.People, bad)
	}
	needed := func(needs []store.Need) bool {
		return slices.ContainsFunc(needs, func(n store.Need) bool { return slices.Contains(n.People, bad) })
	}
	writes := func(changes []store.Change) bool {
		return slices.ContainsFunc(changes, func(c store.Change) bool {
			return slices.ContainsFunc(c.Members, func(m roomkit.Member) bool { return m.User == bad })
		})
	}
	boom := func() { panic("boom") }
	for name, breaks := range map[string]func(st *hooked, o *service.Options, end func()){
		"the veto": func(_ *hooked, o *service.Options, end func()) {
			o.Veto = func(_ roomkit.Actor, cmd roomkit.Command, _ service.Result) error {
				if names(cmd) {
					end()
				}
				return nil
			}
		},
		"the store as it loads": func(st *hooked, _ *service.Options, end func()) {
			st.load = func(needs []store.Need) error {
				if needed(needs) {
					end()
				}
				return nil
			}
		},
		"the store as it commits": func(st *hooked, _ *service.Options, end func()) {
			st.commit = func(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
				if writes(changes) {
					end()
				}
				return st.Store.Commit(ctx, changes)
			}
		},
	} {
		for how, end := range map[string]func(){"panics": boom, "ends the goroutine": runtime.Goexit} {
			t.Run(name+" "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					st, on := &hooked{Store: memstore.New()}, false
					o := &service.Options{Policy: roomkit.Policy{AnyoneIsContact: true}}
					breaks(st, o, func() {
						if on {
							end()
						}
					})
					p := newPile(t, st, o)
					defer p.gate.abandon()
					ids := proof.Crowd(t, p.Service, "u", 6)
					bad, on = ids[2], true
					answers := p.group(p.invite(ids[0]), p.invite(ids[1]), p.invite(ids[2]), p.invite(ids[3]), p.invite(ids[4]))
					on = false
					inside := proof.Participants(t, p.Service, "ann", p.room)
					for i, got := range answers {
						if i == 2 {
							require.NotContains(t, inside, ids[i])
							require.Equal(t, how == "panics", got.panicked == "boom")
							require.Equal(t, how != "panics", got.ended)
							continue
						}
						require.NoError(t, got.err)
						require.Nil(t, got.panicked, "what another's command has brought about")
						require.False(t, got.ended)
						require.True(t, got.Changed)
						require.Contains(t, inside, ids[i], "told as stored")
					}
					require.True(t, proof.Do(t, p.Service, roomkit.By("ann"), roomkit.Invite{Room: p.room, People: ids[5:]}).Changed, "the service serves on")
				})
			})
		}
	}
}

// TestPanicAfterTheCommit: a store that panics when all is stored leaves nobody in the
// dark, and nothing is done twice.
func TestPanicAfterTheCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &hooked{Store: memstore.New()}
		p := newPile(t, st, nil)
		defer p.gate.abandon()
		ids := proof.Crowd(t, p.Service, "u", 3)
		before := len(history(t, p.Service, p.room))
		st.commit = func(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
			results, err := st.Store.Commit(ctx, changes)
			if len(changes) > 1 {
				panic("boom")
			}
			return results, err
		}
		for _, got := range p.group(p.invite(ids[0]), p.invite(ids[1]), p.invite(ids[2])) {
			require.NoError(t, got.err)
			require.Nil(t, got.panicked)
			require.True(t, got.Changed)
		}
		require.Len(t, history(t, p.Service, p.room), before+3)
	})
}

// TestClockPanics: a panic that is about no command of a group, and that does not come
// again, is no answer to any of them.
func TestClockPanics(t *testing.T) {
	for how, end := range map[string]func(){"panics": func() { panic("boom") }, "ends the goroutine": runtime.Goexit} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				st, p := &hooked{Store: memstore.New()}, (*pile)(nil)
				on := false
				p = newPile(t, st, &service.Options{Policy: roomkit.Policy{AnyoneIsContact: true}, Clock: func() time.Time {
					if on && !p.gate.held.Load() {
						on = false
						end()
					}
					return time.Unix(1e9, 0)
				}, NewID: countedIDs(func() {})})
				defer p.gate.abandon()
				ids := proof.Crowd(t, p.Service, "u", 3)
				on = true
				for _, got := range p.group(p.invite(ids[0]), p.invite(ids[1]), p.invite(ids[2])) {
					require.NoError(t, got.err)
					require.Nil(t, got.panicked)
					require.False(t, got.ended)
					require.True(t, got.Changed)
				}
				require.False(t, on, "the clock has been asked for the group")
			})
		})
	}
}

// TestObserverPanics: what reports a group panics in the goroutine of the caller who
// leads it. The others know nothing of it.
func TestObserverPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, on := &hooked{Store: memstore.New()}, false
		p := newPile(t, st, &service.Options{
			Policy: roomkit.Policy{AnyoneIsContact: true},
			Observer: service.Observer{Group: func(_ context.Context, r service.GroupReport) {
				if on && r.Commands == 3 {
					panic("boom")
				}
			}},
		})
		defer p.gate.abandon()
		ids := proof.Crowd(t, p.Service, "u", 3)
		on = true
		answers := p.group(p.invite(ids[0]), p.invite(ids[1]), p.invite(ids[2]))
		on = false
		require.Equal(t, "boom", answers[0].panicked)
		for _, got := range answers[1:] {
			require.NoError(t, got.err)
			require.True(t, got.Changed)
		}
		require.Subset(t, proof.Participants(t, p.Service, "ann", p.room), ids)
	})
}

// TestPanicOnItsOwn: a caller on its own has the panic of whatever it calls, and nobody
// is kept waiting afterwards.
func TestPanicOnItsOwn(t *testing.T) {
	on := false
	boom := func() {
		if on {
			panic("boom")
		}
	}
	for name, options := range map[string]service.Options{
		"clock": {Clock: func() time.Time { boom(); return time.Unix(1e9, 0) }},
		"ids":   {NewID: countedIDs(boom)},
		"contacts": {Contacts: func(context.Context, roomkit.UserID, []roomkit.UserID) ([]roomkit.UserID, error) {
			boom()
			return nil, nil
		}},
		"directory": {Directory: boomList(boom)},
		"veto":      {Veto: func(roomkit.Actor, roomkit.Command, service.Result) error { boom(); return nil }},
		"command":   {Observer: service.Observer{Command: func(context.Context, service.CommandReport) { boom() }}},
		"group":     {Observer: service.Observer{Group: func(context.Context, service.GroupReport) { boom() }}},
	} {
		t.Run(name, func(t *testing.T) {
			on = false
			options.Policy.AnyoneIsContact = true
			svc := proof.Service(t, &options)
			room := crew(t, svc)
			on = true
			who := people("dan")
			if name == "contacts" || name == "directory" {
				who = people("ghost")
			}
			require.PanicsWithValue(t, "boom", func() { _, _ = svc.Do(ctx, roomkit.By("ann"), roomkit.Invite{Room: room, People: who}) })
			require.PanicsWithValue(t, "boom", func() {
				svc.Batch(ctx, roomkit.By("ann"), []roomkit.Command{roomkit.Invite{Room: room, People: who}, roomkit.Invite{Room: room, People: people("adm")}})
			})
			on = false
			proof.Touch(t, svc, "ann", room)
		})
	}
}

type boomList func()

func (b boomList) Users(context.Context, []roomkit.UserID) ([]roomkit.User, []roomkit.Company, error) {
	b()
	return nil, nil, nil
}

func countedIDs(before func()) func() [16]byte {
	var n atomic.Uint32
	return func() (id [16]byte) {
		before()
		i := n.Add(1)
		id[0], id[1], id[15] = byte(i), byte(i>>8), 1
		return id
	}
}

// TestBatchPanics: a panic over one command of a batch reaches the caller of Batch when
// the others are done.
func TestBatchPanics(t *testing.T) {
	svc := proof.Service(t, &service.Options{
		Policy: roomkit.Policy{AnyoneIsContact: true},
		Observer: service.Observer{Command: func(_ context.Context, r service.CommandReport) {
			if r.Name == "Leave" {
				panic("boom")
			}
		}},
	})
	room := crew(t, svc)
	require.PanicsWithValue(t, "boom", func() {
		svc.Batch(ctx, roomkit.By("ann"), []roomkit.Command{
			roomkit.Invite{Room: room, People: people("dan")}, roomkit.Leave{Room: roomkit.RoomID{9}}, roomkit.Invite{Room: room, People: people("adm")},
		})
	})
	require.Subset(t, proof.Participants(t, svc, "ann", room), people("dan", "adm"))
}

// TestNeighbourIsNotStored: what was decided on the change of a command before it in the
// group is decided again when that is not stored, whatever the answer was.
func TestNeighbourIsNotStored(t *testing.T) {
	adm, ann := "adm", "ann"
	suspend := roomkit.SuspendUser{User: "ben"}
	type step struct {
		actor string
		cmd   func(*pile) roomkit.Command
		call  service.Call
	}
	as := func(cmd roomkit.Command) func(*pile) roomkit.Command {
		return func(*pile) roomkit.Command { return cmd }
	}
	edit := func(by roomkit.UserID) func(*pile) roomkit.Command {
		return func(p *pile) roomkit.Command { return proof.AnyEdit(p.t, p.Service, by, p.room, string(by)) }
	}
	removal := func(p *pile) roomkit.Command { return roomkit.Remove{Room: p.room, People: people("cat")} }
	for name, c := range map[string]struct{ first, second step }{
		"already so":         {step{adm, as(suspend), service.Call{}}, step{adm, as(suspend), service.Call{}}},
		"already so, keyed":  {step{adm, as(suspend), service.Call{}}, step{adm, as(suspend), service.Call{Key: "k"}}},
		"not found":          {step{ann, removal, service.Call{}}, step{"cat", edit("cat"), service.Call{}}},
		"refused":            {step{adm, as(suspend), service.Call{}}, step{"ben", edit("ben"), service.Call{}}},
		"a version demanded": {step{ann, edit("ann"), service.Call{}}, step{"ben", edit("ben"), service.Call{IfVersion: 1}}},
		"a room that exists": {
			step{ann, removal, service.Call{}},
			step{"cat", func(p *pile) roomkit.Command {
				return roomkit.CreateRoom{People: people("ann", "ben"), Audience: roomkit.AudienceMembers, Existing: p.room}
			}, service.Call{}},
		},
		"rooms offered": {
			step{ann, as(roomkit.CreateRoom{People: people("ben", "dan"), Audience: roomkit.AudienceMembers, AllowDuplicate: true}), service.Call{}},
			step{"dan", as(roomkit.CreateRoom{People: people("ann", "ben"), Audience: roomkit.AudienceMembers}), service.Call{}},
		},
	} {
		for how, fails := range map[string]func([]store.Change) ([]store.CommitResult, error){
			"the commit fails": func([]store.Change) ([]store.CommitResult, error) {
				return nil, errDiskFull
			},
			"the change is refused": func(changes []store.Change) ([]store.CommitResult, error) {
				results := make([]store.CommitResult, len(changes))
				for i := range results {
					results[i].Err = roomkit.ErrConflict // as a store refuses what relies on the first one
				}
				results[0].Err = &roomkit.Invalid{Field: "Change", Reason: "refused"}
				return results, nil
			},
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					st, commits := &hooked{Store: memstore.New()}, 0
					p := newPile(t, st, &service.Options{Attempts: 1, Policy: roomkit.Policy{AnyoneIsContact: true}})
					defer p.gate.abandon()
					if c.second.call.IfVersion != 0 {
						room, err := p.Room(ctx, "ann", p.room)
						require.NoError(t, err)
						c.second.call.IfVersion = room.Version
					}
					first, second := c.first.cmd(p), c.second.cmd(p)
					st.commit = func(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
						if commits++; commits == 2 { // the first one is held before the group
							return fails(changes)
						}
						return st.Store.Commit(ctx, changes)
					}
					before := len(allPlaces(t, p.Service))
					answers := p.group(p.do(roomkit.UserID(c.first.actor), first, c.first.call), p.do(roomkit.UserID(c.second.actor), second, c.second.call))
					require.Error(t, answers[0].err)
					if how == "the commit fails" && c.second.call.Key != "" {
						require.ErrorIs(t, answers[1].err, errDiskFull, "its own commit failed")
						return
					}
					require.NoError(t, answers[1].err, "the neighbour's change is not stored")
					require.Equal(t, name != "a room that exists", answers[1].Changed)
					stored := len(allPlaces(t, p.Service)) - before - 1
					require.Equal(t, len(answers[1].Events), stored)
				})
			})
		}
	}
}

var errDiskFull = errors.New("disk full")

// late is a context whose end is noticed late.
type late struct {
	context.Context //nolint:containedctx // it is one
	ended           atomic.Bool
	notice          chan struct{}
}

func (l *late) Err() error {
	if l.ended.Load() {
		<-l.notice
	}
	return l.Context.Err()
}

// TestEndedContextHidesNoOutcome: a caller whose context ends, and who notices when its
// group is done, is told the outcome.
func TestEndedContextHidesNoOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(memstore.New(), 1)
		defer g.abandon()
		svc := proof.ServiceOn(t, g, nil)
		room := proof.General(t, svc, "ann", "ben", "cat")
		var edits []roomkit.Edit
		for _, by := range people("ann", "ben", "cat") {
			edits = append(edits, proof.AnyEdit(t, svc, by, room, string(by)))
		}
		inner, cancel := context.WithCancel(ctx)
		mine := &late{Context: inner, notice: make(chan struct{})}
		do := func(ctx context.Context, by roomkit.UserID, edit roomkit.Edit) <-chan heard {
			defer synctest.Wait()
			return call(func() (service.Result, error) { return svc.Do(ctx, roomkit.By(by), edit) })
		}
		g.held.Store(true)
		first := do(ctx, "ann", edits[0])
		require.Equal(t, 1, g.came())
		leader, waiting := do(ctx, "ben", edits[1]), do(mine, "cat", edits[2])
		g.pass()
		require.Equal(t, 2, g.came())
		mine.ended.Store(true)
		cancel()
		g.release()
		require.NoError(t, (<-first).err)
		require.NoError(t, (<-leader).err)
		close(mine.notice)
		got := <-waiting
		require.NoError(t, got.err, "it is stored")
		require.True(t, got.Changed)
	})
}

// TestCommandIsTheServicesOwn: what a caller does with its slices and pointers after it
// has given up changes nothing of what is decided later.
func TestCommandIsTheServicesOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &hooked{Store: memstore.New()}
		p := newPile(t, st, nil)
		defer p.gate.abandon()
		ids := proof.Crowd(t, p.Service, "u", 2)
		loading, goOn := make(chan struct{}), make(chan struct{})
		held := proof.AnyEdit(t, p.Service, "ann", p.held, "held")
		before, edit := proof.AnyEdit(t, p.Service, "ben", p.room, "before"), proof.AnyEdit(t, p.Service, "cat", p.room, "own")
		p.gate.held.Store(true)
		first := call(p.do("ann", held))
		require.Equal(t, 1, p.gate.came())
		leader := call(p.do("ben", before))
		synctest.Wait()
		gone, cancel := context.WithCancel(ctx)
		picked := slices.Clone(ids)
		invite := call(func() (service.Result, error) {
			return p.Do(gone, roomkit.By("ann"), roomkit.Invite{Room: p.room, People: picked})
		})
		rename := call(func() (service.Result, error) { return p.Do(gone, roomkit.By("cat"), edit) })
		synctest.Wait()
		st.load = func(needs []store.Need) error {
			if len(needs) > 1 {
				loading <- struct{}{}
				<-goOn
			}
			return nil
		}
		p.gate.release()
		<-loading
		cancel()
		require.ErrorIs(t, (<-invite).err, roomkit.ErrUnknownOutcome)
		require.ErrorIs(t, (<-rename).err, roomkit.ErrUnknownOutcome)
		picked[1] = picked[0]
		for _, text := range []*string{edit.Name, edit.Photo, edit.Description} {
			if text != nil {
				*text = "another's"
			}
		}
		close(goOn)
		require.NoError(t, (<-first).err)
		require.NoError(t, (<-leader).err)
		st.load = nil
		require.Subset(t, proof.Participants(t, p.Service, "ann", p.room), ids)
		for _, line := range history(t, p.Service, p.room) {
			require.NotContains(t, line, "another's")
		}
	})
}

// TestLoadOfOneFails: a row that cannot be read is in the way of those who need it, and
// of nobody else.
func TestLoadOfOneFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &hooked{Store: memstore.New()}
		p := newPile(t, st, nil)
		defer p.gate.abandon()
		ids := proof.Crowd(t, p.Service, "u", 4)
		st.load = func(needs []store.Need) error {
			if slices.ContainsFunc(needs, func(n store.Need) bool { return slices.Contains(n.People, ids[2]) }) {
				return roomkit.ErrUnsupported
			}
			return nil
		}
		answers := p.group(p.invite(ids[0]), p.invite(ids[1]), p.invite(ids[2]), p.invite(ids[3]))
		for i, got := range answers {
			if i == 2 {
				require.ErrorIs(t, got.err, roomkit.ErrUnsupported)
				continue
			}
			require.NoError(t, got.err)
			require.True(t, got.Changed)
		}
		st.load = nil
	})
}

// TestKeysAreApart: no key of Do is one of a batch, whatever it looks like.
func TestKeysAreApart(t *testing.T) {
	svc := proof.Service(t, &service.Options{Policy: roomkit.Policy{AnyoneIsContact: true}})
	room := crew(t, svc)
	cmd := roomkit.Invite{Room: room, People: people("dan")}
	require.NoError(t, svc.Batch(ctx, roomkit.By("ann"), []roomkit.Command{cmd}, service.Call{Key: "k"})[0].Err)
	for _, key := range []string{"k", "k\x000", "k\x001", "k\x00", "k0", "k1", "k\x01"} {
		require.False(t, proof.Do(t, svc, roomkit.By("ann"), cmd, service.Call{Key: key}).Repeat, "%q", key)
	}
	require.True(t, svc.Batch(ctx, roomkit.By("ann"), []roomkit.Command{cmd}, service.Call{Key: "k"})[0].Result.Repeat)
}

// TestAskingIsNoAttempt: what the host is asked uses up none of the attempts.
func TestAskingIsNoAttempt(t *testing.T) {
	st, conflicts := &hooked{Store: memstore.New()}, 1
	setup := proof.ServiceOn(t, st, nil)
	room := crew(t, setup)
	var reports []service.CommandReport
	svc, err := service.New(st, &service.Options{
		Attempts: 2, Directory: staffList{},
		Contacts: func(_ context.Context, _ roomkit.UserID, of []roomkit.UserID) ([]roomkit.UserID, error) {
			return of, nil
		},
		Observer: service.Observer{Command: func(_ context.Context, r service.CommandReport) { reports = append(reports, r) }},
	})
	require.NoError(t, err)
	st.commit = func(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
		if conflicts > 0 && len(changes[0].Members) > 0 {
			conflicts--
			return []store.CommitResult{{Err: roomkit.ErrConflict}}, nil
		}
		return st.Store.Commit(ctx, changes)
	}
	_, err = svc.Do(ctx, roomkit.By("ann"), roomkit.Invite{Room: room, People: people("new")})
	require.NoError(t, err)
	require.Zero(t, conflicts)
	require.Equal(t, 2, reports[len(reports)-1].Attempts)
}

// TestManyGiveUp: thousands of callers who give up leave nothing behind, and those who
// stay get their turn.
func TestManyGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &hooked{Store: memstore.New()}
		p := newPile(t, st, &service.Options{Policy: roomkit.Policy{AnyoneIsContact: true}, MaxGroup: 2})
		defer p.gate.abandon()
		ids := proof.Crowd(t, p.Service, "u", 9)
		held := proof.AnyEdit(t, p.Service, "ann", p.held, "held")
		p.gate.held.Store(true)
		first := call(p.do("ann", held))
		require.Equal(t, 1, p.gate.came())
		gone, cancel := context.WithCancel(ctx)
		var leaving sync.WaitGroup
		var staying []<-chan heard
		for i := range 4000 {
			if i%500 == 250 {
				staying = append(staying, call(p.invite(ids[i/500])))
			}
			leaving.Go(func() {
				_, err := p.Do(gone, roomkit.By("ann"), roomkit.Invite{Room: p.room, People: ids[8:]})
				assert.ErrorIs(t, err, context.Canceled)
				assert.NotErrorIs(t, err, roomkit.ErrUnknownOutcome)
			})
		}
		synctest.Wait()
		cancel()
		leaving.Wait()
		p.gate.release()
		require.NoError(t, (<-first).err)
		for _, done := range staying {
			got := <-done
			require.NoError(t, got.err)
			require.True(t, got.Changed)
		}
		inside := proof.Participants(t, p.Service, "ann", p.room)
		require.Subset(t, inside, ids[:8])
		require.NotContains(t, inside, ids[8])
	})
}

// TestNeighbourEndsTheRoom: who was in a room that a command before it in the group ends is
// told so, as in any group after it.
func TestNeighbourEndsTheRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPile(t, &hooked{Store: memstore.New()}, nil)
		defer p.gate.abandon()
		room := proof.Do(t, p.Service, roomkit.By("ann"), roomkit.CreateGroup{Name: "ends", Members: people("ben")}).Room
		answers := p.group(p.do("ann", roomkit.DeleteRoom{Room: room}), p.do("ben", roomkit.Edit{Room: room, Photo: new("p")}))
		require.NoError(t, answers[0].err)
		proof.Refused(t, "COM-14", answers[1].err)
	})
}

// TestNoAnswerOfTwoMoments: who is refused because of a command before it in the group is
// refused as of a state that there has been, though other rows have changed since the load.
func TestNoAnswerOfTwoMoments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &hooked{Store: memstore.New()}
		p := newPile(t, st, nil)
		defer p.gate.abandon()
		room := proof.Do(t, p.Service, roomkit.By("ann"), roomkit.CreateGroup{Name: "ends", Members: people("ben")}).Room
		other, err := service.New(st.Store, nil)
		require.NoError(t, err)
		st.commit = func(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
			if len(changes[0].Ended) > 0 {
				proof.Do(t, other, roomkit.System(), roomkit.SuspendUser{User: "ben"})
			}
			return st.Store.Commit(ctx, changes)
		}
		answers := p.group(p.do("ann", roomkit.DeleteRoom{Room: room}), p.do("ben", roomkit.Edit{Room: room, Photo: new("p")}))
		require.NoError(t, answers[0].err)
		proof.Refused(t, "ADM-17", answers[1].err)
	})
}

// TestOneKeyTwiceInAGroup: a command that is sent twice at once has one outcome.
func TestOneKeyTwiceInAGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPile(t, &hooked{Store: memstore.New()}, nil)
		defer p.gate.abandon()
		once := p.do("ann", roomkit.Remove{Room: p.room, People: people("cat")}, service.Call{Key: "k"})
		answers := p.group(once, once)
		for i, got := range answers {
			require.NoError(t, got.err)
			require.True(t, got.Changed)
			require.Equal(t, i == 1, got.Repeat)
		}
		require.Equal(t, answers[0].Events, answers[1].Events)
	})
}

// TestDerivedIDsHaveNoTime: no id of a command under a key is taken for a UUIDv7, whose time
// says when it may be forgotten.
func TestDerivedIDsHaveNoTime(t *testing.T) {
	svc := proof.Service(t, nil)
	for i := range 200 { // of plain hashes 12 would be
		made := proof.Do(t, svc, roomkit.By("ann"), roomkit.CreateRoom{People: people("ben", "cat"), AllowDuplicate: true}, service.Call{Key: fmt.Sprint(i)})
		require.Equal(t, byte(0x80), made.Events[0].Info().Command[6]&0xf0)
	}
}
