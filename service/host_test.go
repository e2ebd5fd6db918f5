package service_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"slices"
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

// handler is a slog.Handler that does what it is told.
type handler func()

func (handler) Enabled(context.Context, slog.Level) bool    { return true }
func (h handler) WithAttrs([]slog.Attr) slog.Handler        { return h }
func (h handler) WithGroup(string) slog.Handler             { return h }
func (h handler) Handle(context.Context, slog.Record) error { h(); return nil }

// bent is a service whose host can be made to do what it must not.
type bent struct {
	*service.Service
	st    *hooked
	room  roomkit.RoomID
	now   time.Time
	does  func() // what the function in question does, when it is on
	on    bool
	times int // how often it did
}

// act is called by the function that is bent.
func (b *bent) act() {
	if b.on {
		b.on = false // once
		b.times++
		b.does()
		b.on = true
	}
}

// bend makes one function of the host call act.
var bend = map[string]func(o *service.Options, b *bent){
	"Clock": func(o *service.Options, b *bent) {
		o.Clock = func() time.Time { b.act(); return b.now }
	},
	"NewID": func(o *service.Options, b *bent) { o.NewID = countedIDs(b.act) },
	"Veto": func(o *service.Options, b *bent) {
		o.Veto = func(roomkit.Actor, roomkit.Command, service.Result) error { b.act(); return nil }
	},
	"Contacts": func(o *service.Options, b *bent) {
		o.Contacts = func(context.Context, roomkit.UserID, []roomkit.UserID) ([]roomkit.UserID, error) {
			b.act()
			return nil, nil
		}
	},
	"Directory": func(o *service.Options, b *bent) {
		o.Directory = lookup(func([]roomkit.UserID) ([]roomkit.User, []roomkit.Company, error) {
			b.act()
			return []roomkit.User{active("kim", "acme")}, nil, nil
		})
	},
	"Observer.Begin": func(o *service.Options, b *bent) {
		o.Observer.Begin = func(ctx context.Context, _ service.Operation) context.Context { b.act(); return ctx }
	},
	"Observer.Command": func(o *service.Options, b *bent) {
		o.Observer.Command = func(context.Context, service.CommandReport) { b.act() }
	},
	"Observer.Group": func(o *service.Options, b *bent) {
		o.Observer.Group = func(context.Context, service.GroupReport) { b.act() }
	},
	"Logger": func(o *service.Options, b *bent) { o.Logger = slog.New(handler(b.act)) },
}

func newBent(t *testing.T, change func(o *service.Options, b *bent)) *bent {
	b := &bent{st: &hooked{Store: memstore.New()}, now: time.Unix(1e9, 0).UTC()}
	o := &service.Options{Clock: func() time.Time { return b.now }, NewID: countedIDs(func() {})}
	change(o, b)
	b.Service = proof.ServiceOn(t, b.st, o)
	b.room = crew(t, b.Service)
	return b
}

// invites calls every function of the host: kim is known to the directory alone, and the
// commit conflicts once, so that there is something to log.
func (b *bent) invites() (service.Result, error) {
	conflicts := 1
	b.st.commit = conflicting(b.st, &conflicts, "kim")
	return b.Do(ctx, roomkit.By("ann"), roomkit.Invite{Room: b.room, People: people("kim")})
}

// goesOn demands that the service serves everybody else, and holds what it has told.
func (b *bent) goesOn(t *testing.T, got heard) {
	t.Helper()
	b.on, b.st.commit = false, nil
	if inside := proof.Participants(t, b.Service, "ann", b.room); got.err == nil && got.panicked == nil && !got.ended {
		require.Contains(t, inside, roomkit.UserID("kim"), "told as done")
	} else if got.err != nil && !errors.Is(got.err, roomkit.ErrUnknownOutcome) {
		require.NotContains(t, inside, roomkit.UserID("kim"), "told as not done")
	}
	proof.Touch(t, b.Service, "ann", b.room)
	for _, is := range b.Batch(ctx, roomkit.By("ben"), []roomkit.Command{
		proof.AnyEdit(t, b.Service, "ben", b.room, "one"), proof.AnyEdit(t, b.Service, "ben", b.room, "two"),
	}) {
		require.NoError(t, is.Err)
	}
}

// conflicting lets so many commits that bring somebody in lose against others.
func conflicting(st *hooked, conflicts *int, who roomkit.UserID) func(context.Context, []store.Change) ([]store.CommitResult, error) {
	return func(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
		in := func(m roomkit.Member) bool { return m.User == who }
		if *conflicts > 0 && slices.ContainsFunc(changes[0].Members, in) {
			*conflicts--
			return []store.CommitResult{{Err: roomkit.ErrConflict}}, nil
		}
		return st.Store.Commit(ctx, changes)
	}
}

// withKim adds a directory that knows kim, where it is not the function in question.
func withKim(name string) func(o *service.Options, b *bent) {
	return func(o *service.Options, b *bent) {
		if name != "Contacts" { // which is asked about her as about a stranger
			o.Directory = lookup(func([]roomkit.UserID) ([]roomkit.User, []roomkit.Company, error) {
				return []roomkit.User{active("kim", "acme")}, nil, nil
			})
		}
		bend[name](o, b)
	}
}

// TestHostBreaks: whichever function of the host panics, ends the goroutine or calls the
// service, the caller learns it, the service goes on, and no goroutine is left (which
// synctest demands).
func TestHostBreaks(t *testing.T) {
	for name := range bend {
		breaks := func(kind string, does func(b *bent), check func(t *testing.T, got heard)) {
			t.Run(name+" "+kind, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newBent(t, withKim(name))
					b.does, b.on = func() { does(b) }, true
					got := <-call(b.invites)
					require.Positive(t, b.times, "it has been called")
					check(t, got)
					b.goesOn(t, got)
				})
			})
		}
		breaks("panics", func(*bent) { panic("boom") }, func(t *testing.T, got heard) {
			t.Helper()
			require.Equal(t, "boom", got.panicked)
		})
		breaks("ends the goroutine", func(*bent) { runtime.Goexit() }, func(t *testing.T, got heard) {
			t.Helper()
			require.True(t, got.ended)
		})
		fine := func(t *testing.T, got heard) {
			t.Helper()
			require.Nil(t, got.panicked)
			require.Equal(t, name == "Contacts", got.err != nil, "%v", got.err)
		}
		breaks("reads", func(b *bent) { _ = b.Check(ctx, "ann", roomkit.ActionPost, b.room) }, fine)
		if slices.Contains([]string{"Contacts", "Directory", "Observer.Begin", "Observer.Command", "Observer.Group", "Logger"}, name) {
			breaks("commands", func(b *bent) { _, _ = b.Do(ctx, roomkit.By("ben"), proof.EditOf(b.room, 0, "again")) }, fine)
		}
	}
}

// TestHostIsWrong: what functions of the host answer wrongly is told to the caller as their
// fault, or passed over, and nothing wrong is stored.
func TestHostIsWrong(t *testing.T) {
	type answer = func(ids []roomkit.UserID) ([]roomkit.User, []roomkit.Company, error)
	directory := func(a answer) func(o *service.Options, b *bent) {
		return func(o *service.Options, _ *bent) { o.Directory = lookup(a) }
	}
	contacts := func(list []roomkit.UserID, err error) func(o *service.Options, b *bent) {
		return func(o *service.Options, _ *bent) {
			o.Contacts = func(context.Context, roomkit.UserID, []roomkit.UserID) ([]roomkit.UserID, error) { return list, err }
		}
	}
	clock := func(at time.Time) func(o *service.Options, b *bent) {
		return func(o *service.Options, b *bent) {
			withKim("Clock")(o, b)
			b.does = func() { b.now = at }
		}
	}
	down, kim := errors.New("down"), active("kim", "acme")
	for name, test := range map[string]struct {
		change func(o *service.Options, b *bent)
		is     service.Category
	}{
		"the directory fails": {directory(func([]roomkit.UserID) ([]roomkit.User, []roomkit.Company, error) {
			return []roomkit.User{kim}, nil, down
		}), service.CategoryInternal},
		"the directory knows nobody": {directory(func([]roomkit.UserID) ([]roomkit.User, []roomkit.Company, error) {
			return nil, nil, nil
		}), service.CategoryDenied},
		"the directory answers about others": {directory(func([]roomkit.UserID) ([]roomkit.User, []roomkit.Company, error) {
			return []roomkit.User{head("ben", "bolt"), kim, head("kim", "bolt"), {}, {ID: "a b"}}, []roomkit.Company{{}, {ID: "acme"}, {ID: "zinc"}}, nil
		}), service.CategoryNone},
		"the directory has half a user": {directory(func([]roomkit.UserID) ([]roomkit.User, []roomkit.Company, error) {
			return []roomkit.User{{ID: "kim"}}, nil, nil
		}), service.CategoryInternal},
		"the directory has no company for a user": {directory(func([]roomkit.UserID) ([]roomkit.User, []roomkit.Company, error) {
			return []roomkit.User{active("kim", "nowhere")}, nil, nil
		}), service.CategoryInternal},
		"the directory keeps what it is asked": {directory(func(ids []roomkit.UserID) ([]roomkit.User, []roomkit.Company, error) {
			ids[0] = "ben"
			return []roomkit.User{kim}, nil, nil
		}), service.CategoryNone},
		"the contacts fail":             {contacts(people("kim"), down), service.CategoryInternal},
		"the contacts are others":       {contacts([]roomkit.UserID{"ben", "", "a b", "eve", "eve"}, nil), service.CategoryDenied},
		"a contact whom nobody knows":   {contacts(people("kim", "kim"), nil), service.CategoryDenied},
		"the clock stands at zero":      {clock(time.Time{}), service.CategoryInternal},
		"the clock is in the year 9999": {clock(time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)), service.CategoryNone},
		"the clock is beyond time":      {clock(time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)), service.CategoryInternal},
		"the clock is before time":      {clock(time.Date(-3, 1, 1, 0, 0, 0, 0, time.UTC)), service.CategoryInternal},
		"the clock goes back":           {clock(time.Unix(1e9-3600, 0)), service.CategoryNone},
		"the veto objects": {func(o *service.Options, b *bent) {
			withKim("Clock")(o, b)
			b.does = func() {}
			o.Veto = func(roomkit.Actor, roomkit.Command, service.Result) error {
				if b.on {
					return roomkit.ErrUnknownOutcome
				}
				return nil
			}
		}, service.CategoryDenied},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBent(t, test.change)
			b.on = true
			records := len(allPlaces(t, b.Service))
			got := <-call(b.invites)
			require.Nil(t, got.panicked)
			require.Equal(t, test.is, service.CategoryOf(got.err), "%v", got.err)
			if got.err != nil {
				require.Len(t, allPlaces(t, b.Service), records, "nothing is stored")
			}
			b.now = time.Unix(1e9, 0)
			b.goesOn(t, got)
			ben, err := b.User(ctx, "ben")
			require.NoError(t, err)
			require.EqualValues(t, 1, ben.Version, "whom nobody asked about")
		})
	}
}

// TestWrongIDs: an id that is zero, or that of another command or room, is told as the
// host's fault; nobody is answered with what another command has done.
func TestWrongIDs(t *testing.T) {
	for name, test := range map[string]struct {
		room, command func(b *bent, drawn [16]byte) [16]byte
	}{
		"a zero id for a room":      {room: func(*bent, [16]byte) [16]byte { return [16]byte{} }},
		"a zero id for a command":   {command: func(*bent, [16]byte) [16]byte { return [16]byte{} }},
		"the id of a room":          {room: func(b *bent, _ [16]byte) [16]byte { return b.room }},
		"the id of another command": {command: func(*bent, [16]byte) [16]byte { return [16]byte{15: 7} }},
	} {
		t.Run(name, func(t *testing.T) {
			b, calls := new(bent), 0
			draw := countedIDs(func() {})
			made := newBent(t, func(o *service.Options, _ *bent) {
				o.NewID = func() [16]byte {
					id := draw()
					if !b.on {
						return id
					}
					calls++
					isRoom := calls == 1 || calls > 2 // the room's id comes first, and again for every attempt
					if test.room != nil && isRoom {
						return test.room(b, id)
					}
					if test.command != nil && !isRoom {
						return test.command(b, id)
					}
					return id
				}
			})
			*b = bent{Service: made.Service, room: made.room}
			create := func(with ...roomkit.UserID) (service.Result, error) {
				calls = 0
				return b.Do(ctx, roomkit.By("ann"), roomkit.CreateRoom{People: with, AllowDuplicate: true})
			}
			b.on = true
			first, err := create("ben", "cat")
			if name == "the id of another command" { // the first one has it
				require.NoError(t, err)
				records := len(allPlaces(t, b.Service))
				_, err = create("ben", "dan")
				require.Len(t, allPlaces(t, b.Service), records)
			}
			require.Equal(t, service.CategoryInternal, service.CategoryOf(err), "%v", err)
			require.ErrorContains(t, err, "NewID")
			b.on = false
			again, err := create("ben", "dan")
			require.NoError(t, err)
			require.True(t, again.Opened)
			require.NotEqual(t, first.Room, again.Room)
		})
	}
}

// TestIDsOfTwoProcesses: where two processes draw the same ids, none is told that its
// command is carried out because the other one's is.
func TestIDsOfTwoProcesses(t *testing.T) {
	s := proof.NewStage(t)
	process := func() *service.Service {
		svc, err := service.New(s.Store, &service.Options{Clock: s.Clock.Now, NewID: countedIDs(func() {})})
		require.NoError(t, err)
		return svc
	}
	_, err := process().Do(ctx, roomkit.By("ann"), proof.AnyEdit(t, s.Service, "ann", s.General))
	require.NoError(t, err)
	records := len(allPlaces(t, s.Service))
	_, err = process().Do(ctx, roomkit.By("ben"), proof.AnyEdit(t, s.Service, "ben", s.Group))
	require.Equal(t, service.CategoryInternal, service.CategoryOf(err), "%v", err)
	require.Len(t, allPlaces(t, s.Service), records)
}

// TestLostRaceIsNoWrongID: a room that does not open because others were faster is no fault of
// the host.
func TestLostRaceIsNoWrongID(t *testing.T) {
	s := proof.NewStage(t)
	st := &hooked{Store: s.Store, commit: func(context.Context, []store.Change) ([]store.CommitResult, error) {
		return []store.CommitResult{{Err: roomkit.ErrConflict}}, nil
	}}
	svc, err := service.New(st, &service.Options{Clock: s.Clock.Now, Attempts: 1})
	require.NoError(t, err)
	_, err = svc.Do(ctx, roomkit.By("ann"), roomkit.CreateRoom{People: []roomkit.UserID{"ben", "cat"}, AllowDuplicate: true})
	require.Equal(t, service.CategoryConflict, service.CategoryOf(err), "%v", err)
	require.NotContains(t, err.Error(), "NewID")
}
