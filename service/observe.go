package service

import (
	"cmp"
	"context"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/internal/enum"
)

// Observer holds functions that the service calls, each in the goroutine of a caller
// concerned, several at a time; nil ones are skipped. They may block and call the service:
// nobody else waits for them. So a report may come after those of later commands. A panic
// of theirs reaches that caller and nobody else. Without functions nothing is measured.
//
// Module otelroomkit has one that makes spans and metrics.
type Observer struct {
	// Begin is called when an operation begins. The context that it returns is that of all
	// that belongs to it: store calls, functions of the host, operations within, and the
	// report. It is ctx or made of it; nil stands for ctx. Every operation that has begun
	// has one report, of the function for its kind, unless a panic breaks it off.
	Begin func(ctx context.Context, op Operation) context.Context
	// Command is called once for every command that has ended with a result or an error:
	// those of Do and Batch, those by which Enforce takes people out, and those that add
	// whom Options.Directory knows. It is not called for a command that was not begun,
	// because it is malformed or its context has ended before, nor for one that a panic has
	// broken off.
	Command func(ctx context.Context, r CommandReport)
	// Group is called for every commit, and for every group whose rows the store could not
	// load, for the first of its commands whose caller waits, or by the goroutine of the
	// group if none does any more. Commands of several callers are in one group: its store
	// calls have the context of the first of them.
	Group func(ctx context.Context, r GroupReport)
	// Read is called once for every question that has ended, whether with an answer or an
	// error: all methods that change nothing, but for Watch and WatchRooms, which end only
	// with their callers. A sequence ends when the loop over it does.
	Read func(ctx context.Context, r ReadReport)
	// Follow is called for every batch of a follower, Enforce included, that was handled or
	// has failed, by the process at work: those that stand by have nothing to tell.
	// [Service.Followers] tells of all, also of those that nobody runs. A service that
	// has this function asks the store for the head of its feed once for every
	// Options.Poll in which a follower works.
	Follow func(ctx context.Context, r FollowReport)
	// Step is called for every step of Enforce, in which rooms are listed, or people are taken
	// out of some.
	Step func(ctx context.Context, r StepReport)
}

// OperationKind says what an operation is.
type OperationKind uint8

// The kinds of operations.
const (
	OperationNone    OperationKind = iota
	OperationCommand               // a command of Do, Batch or the service itself; ends with Observer.Command
	OperationRead                  // a question; ends with Observer.Read
	OperationBatch                 // a batch of a follower; ends with Observer.Follow
	OperationStep                  // a step of Enforce; ends with Observer.Step
	operationCount
)

var operationNames = [operationCount]string{"none", "command", "read", "batch", "step"}

// String gives the stable name of the kind.
func (k OperationKind) String() string { return enum.Name(operationNames[:], k) }

// Operation is what begins.
type Operation struct {
	Kind  OperationKind
	Name  string         // of the command, the method or the follower
	Actor roomkit.Actor  // of a command
	Room  roomkit.RoomID // that is named, if one is
}

// CommandReport tells how a command ended.
type CommandReport struct {
	Name     string // the command's name
	Actor    roomkit.Actor
	Room     roomkit.RoomID
	Kind     roomkit.Kind // of the room, where there is a result about one
	Err      error        // nil, or what Do returned
	Changed  bool
	Repeat   bool // it had been done before with the same key
	Attempts int
	Took     time.Duration
	// Group is the context of the command whose group it was in the last time, if that was
	// another one: store calls were made with that, for both. Otherwise nil.
	Group context.Context
}

// GroupReport tells about one commit.
type GroupReport struct {
	Commands  int   // how many commands were in it
	Conflicts int   // how many of them have to run again
	Err       error // of the store, where it said nothing of single commands
	Took      time.Duration
}

// ReadReport tells how a question ended.
type ReadReport struct {
	Name string // the method, for instance "Check" or "MembersPage"
	Room roomkit.RoomID
	Err  error
	Took time.Duration // of a sequence with what its caller did in between
}

// FollowReport tells about a batch of a follower.
type FollowReport struct {
	Name     string
	Cursor   roomkit.Cursor // behind the last event that is done
	Events   int            // how many were handled; of Enforce, looked at
	Handling time.Duration  // in the handler, all calls together
	Took     time.Duration
	// Behind is how many events of the feed come after Cursor, at most, as of a look at its head that
	// is at most Options.Poll older; -1: the store is not store.Numbered or did not answer. What is
	// committed while an earlier commit is under way may not be counted, as in [FollowerState].
	Behind int64
	// Lag is how long ago the last event happened that was handled, or the first one that
	// could not be: of a follower that keeps up, how long it takes for it to learn of
	// something.
	Lag time.Duration
	Err error // nil, a [*PoisonEvent] with which the follower stops, or what is tried again
}

// Poison reports whether the follower stops at an event that it cannot handle.
func (r *FollowReport) Poison() bool { return isPoison(r.Err) }

// StepReport tells about a step of Enforce.
type StepReport struct {
	Name    string // of the checkpoint
	Because roomkit.Subject
	Cause   roomkit.Cause
	Rooms   int           // that were looked at
	Changed int           // rooms that somebody left
	People  int           // who were taken out, counted for every room
	Failed  int           // rooms in which it failed, and is tried again
	Left    int           // rooms that are known and still have to be looked at
	Open    int           // changes of users and companies that Enforce is at, this one included
	Lag     time.Duration // how long ago the change happened
	Err     error         // why something has to be tried again
	Took    time.Duration
}

// reads reports whether somebody wants to know of reads.
func (o *Observer) reads() bool { return o.Begin != nil || o.Read != nil }

// begin gives the context of an operation.
func (o *Observer) begin(ctx context.Context, op Operation) context.Context {
	if o.Begin == nil {
		return ctx
	}
	return cmp.Or(o.Begin(ctx, op), ctx)
}

// begun tells the observer that a command begins. Nobody knows of the job yet.
func (s *Service) begun(j *job) {
	j.ctx = s.o.Observer.begin(j.ctx, Operation{Kind: OperationCommand, Name: j.op, Actor: j.actor, Room: j.room})
}

// ended tells the observer how a command ended.
func (s *Service) ended(j *job, result *Result, err error) {
	if report := s.o.Observer.Command; report != nil {
		report(j.ctx, CommandReport{
			Name: j.op, Actor: j.actor, Room: result.Room, Kind: result.Kind, Err: err, Changed: result.Changed,
			Repeat: result.Repeat, Attempts: j.attempts, Took: s.o.Clock().Sub(j.start), Group: j.led,
		})
	}
}

// measure makes the report of a group that has been at the store.
func (g *group) measure(s *Service, conflicts int, err error) {
	if s.o.Observer.Group != nil {
		g.report = &GroupReport{Commands: len(g.committing), Conflicts: conflicts, Err: err, Took: s.o.Clock().Sub(g.now)}
	}
}

// asked is a read under way; of a service whose reads nobody observes, the zero one.
type asked struct {
	s     *Service
	name  string
	room  roomkit.RoomID
	start time.Time
}

// asks begins a read.
func (s *Service) asks(ctx context.Context, name string, room roomkit.RoomID) (context.Context, asked) {
	if !s.o.Observer.reads() {
		return ctx, asked{}
	}
	a := asked{s: s, name: name, room: room, start: s.o.Clock()}
	return s.o.Observer.begin(ctx, Operation{Kind: OperationRead, Name: name, Room: room}), a
}

// answered ends a read, and gives the error.
func (a *asked) answered(ctx context.Context, err error) error {
	if a.s != nil && a.s.o.Observer.Read != nil {
		a.s.o.Observer.Read(ctx, ReadReport{Name: a.name, Room: a.room, Err: err, Took: a.s.o.Clock().Sub(a.start)})
	}
	return err
}

// named gives the room that a command names, if it is a command.
func named(cmd roomkit.Command) (room roomkit.RoomID) {
	if decide.Known(cmd) {
		room = decide.RoomNamed(cmd)
	}
	return room
}

// telling is what a follower keeps for the observer.
type telling struct {
	began    time.Time     // of the batch
	handling time.Duration // of the batch
	told     bool          // of the turn
	lookedAt time.Time     // at the head of the feed
	head     int64         // its place then; -1: not known
}

// beginBatch begins a batch.
func (f *follower) beginBatch(ctx context.Context) context.Context {
	if o := &f.s.o.Observer; o.Begin != nil || o.Follow != nil {
		f.began, f.handling = f.s.o.Clock(), 0
		ctx = o.begin(ctx, Operation{Kind: OperationBatch, Name: f.name})
	}
	return ctx
}

// handles and handled measure a call of the handler.
func (f *follower) handles() (from time.Time) {
	if f.s.o.Observer.Follow != nil {
		from = f.s.o.Clock()
	}
	return from
}

func (f *follower) handled(from time.Time) {
	if f.s.o.Observer.Follow != nil {
		f.handling += f.s.o.Clock().Sub(from)
	}
}

// endBatch tells of a batch of so many events; at is when the one happened that says how
// late the follower is.
func (f *follower) endBatch(ctx context.Context, events int, at time.Time, err error) {
	f.told = true
	report := f.s.o.Observer.Follow
	if report == nil {
		return
	}
	r := FollowReport{Name: f.name, Cursor: f.done, Events: events, Handling: f.handling, Err: err, Behind: f.behind(ctx)}
	now := f.s.o.Clock()
	r.Took = now.Sub(f.began)
	if !at.IsZero() {
		r.Lag = max(0, now.Sub(at))
	}
	report(ctx, r)
}

// failed tells of a turn that came to no batch.
func (f *follower) failed(ctx context.Context, err error) {
	if !f.told {
		f.endBatch(f.beginBatch(ctx), 0, time.Time{}, err)
	}
}

// behind says how many events are left, by a head of the feed that is not old.
func (f *follower) behind(ctx context.Context) int64 {
	if f.lookedAt.IsZero() || elapsed(f.lookedAt) >= f.s.o.Poll {
		f.lookedAt, f.head = moment(), -1
		if head, err := f.s.headPlace(ctx); err == nil {
			f.head = head
		}
	}
	at := f.s.placeOf(f.done)
	if at < 0 || f.head < 0 {
		return -1
	}
	return max(0, f.head-at)
}

// endStep tells of a step of Enforce, by what its task was before.
func (e *enforcer) endStep(ctx context.Context, before, t *task, began time.Time, err error) {
	report := e.s.o.Observer.Step
	if report == nil {
		return
	}
	if t.failures > before.failures {
		err = cmp.Or(err, t.err)
	}
	now := e.s.o.Clock()
	report(ctx, StepReport{
		Name: e.name, Because: t.Because, Cause: t.Cause, Rooms: max(0, t.Rooms-before.Rooms), Changed: t.Changed - before.Changed,
		People: t.people - before.people, Failed: t.Failed, Left: len(t.rooms), Open: len(e.open),
		Lag: max(0, now.Sub(t.rec.At)), Err: err, Took: now.Sub(began),
	})
}
