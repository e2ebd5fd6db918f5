package service

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/codec"
	"github.com/go-roomkit/roomkit/internal/backoff"
	"github.com/go-roomkit/roomkit/store"
)

// EnforceOptions configure [Service.Enforce]. The zero value is ready for use.
type EnforceOptions struct {
	// Name is that of the stored checkpoint. Defaults to "roomkit.enforce".
	Name string
	// From is where enforcing begins that has no checkpoint yet. Empty: at the
	// beginning of the feed, which costs little, as what is done is not done again.
	From roomkit.Cursor
	// Once ends Enforce at the end of the feed instead of waiting for more.
	Once bool
	// Lease is as in FollowOptions.
	Lease time.Duration
	// Progress is called after every step of a consequence.
	Progress func(EnforceProgress)
}

// EnforceProgress says how far the consequences of one event have been carried
// out. After a restart the rooms that are done already are not counted any more. Steps
// go by the directory of now, so that what a later event has decided may be carried
// out with an earlier one of the same user or company.
type EnforceProgress struct {
	Because roomkit.Subject `json:"because,omitzero"` // the user or company that changed
	Version roomkit.Version `json:"version,omitzero"` // with this event
	Cause   roomkit.Cause   `json:"cause,omitzero"`   // that was looked for; nobody need have left
	Rooms   int             `json:"rooms,omitzero"`   // looked at so far
	Total   int             `json:"total,omitzero"`   // of so many
	Changed int             `json:"changed,omitzero"` // rooms that somebody left
	Failed  int             `json:"failed,omitzero"`  // rooms in which it failed, and is tried again
	Events  int             `json:"events,omitzero"`  // that were stored
}

// Enforce is the built-in follower that carries out what changes of the directory
// have already decided: people whose external permission was withdrawn leave all
// external groups (EXT-22, EXT-31, EXT-43), those whose account was deleted leave
// every room (ADM-13). Access has ended before, at the moment of the change (EXT-23,
// EXT-24); Enforce makes the rows follow and tells the people.
//
// Every step is one command with a derived id, of one room and at most MaxPeople
// people, so that Enforce can be killed anywhere, run again, and run in several
// processes. A group whose last master has to leave goes on without (ADM-19).
// [Service.PlanConsequences] is the dry run.
//
// Companies take turns of about 32 rooms, and between the turns Enforce looks for
// news, so that the withdrawals of one company do not wait for a large one of another,
// as long as no more than 10,000 are open. A step that fails, or panics, holds up no
// other: it is tried again, with growing pauses of up to 10 seconds, and the
// checkpoint stays before its event meanwhile. Options.Logger is told from the third
// time on; Observer.Command of every command that was given; Health of a room that waits.
//
// Enforce returns what Follow does. It stops with a [*PoisonEvent] at an event that this
// version of the library does not know, which is ErrUnsupported: it may have consequences, and the
// Enforce of a newer process, which takes over at once, knows them. With Once it also
// stops so if after FollowOptions.Attempts, by default, steps still fail and all
// others are done.
//
// A user's change costs a page of the user's rooms and a command for each room
// that is left. A company's costs a page of rooms for each of its users, and the
// people of each external group once; it keeps the ids of those groups in memory.
func (s *Service) Enforce(ctx context.Context, o *EnforceOptions) error {
	if o == nil {
		o = new(EnforceOptions)
	}
	f, err := s.newFollower(cmp.Or(o.Name, "roomkit.enforce"), nil, &FollowOptions{From: o.From, Once: o.Once, Lease: o.Lease})
	if err == nil {
		e := &enforcer{follower: f, progress: o.Progress}
		err = f.run(ctx, e.turn)
	}
	return placed("Enforce", roomkit.RoomID{}, err)
}

// enforcer reads the feed ahead of what is done, so that it can go from one company to
// the other. The checkpoint is before the first event that has something left to do.
type enforcer struct {
	*follower
	progress func(EnforceProgress)
	read     roomkit.Cursor // how far the feed is read
	open     []*task        // in the order of their events
	unknown  error          // that of what comes next in the feed, if nobody here knows what it means
}

// maxOpen is how many sweeps may be open before Enforce stops reading ahead.
const maxOpen = 10_000

// task is a sweep that an event calls for.
type task struct {
	search
	EnforceProgress
	rec      store.Record
	before   roomkit.Cursor // the place before the event
	lane     string         // whose turn it is
	people   int            // who were taken out
	failures int
	due      time.Time // of the next try
	err      error     // the last one
}

// turn reads on in the feed and takes a round.
func (e *enforcer) turn(ctx context.Context) (atEnd bool, err error) {
	if len(e.open) == 0 && e.unknown == nil {
		if err := e.load(ctx); err != nil {
			return false, err
		}
		e.read = e.done
	}
	var page []store.Record
	if len(e.open) < maxOpen && e.unknown == nil {
		if page, err = e.s.store.Feed(ctx, e.read, e.Batch); err != nil {
			return false, err
		}
	}
	if len(page)+len(e.open) == 0 {
		return true, e.unknown
	}
	if held, atEnd := e.waits(ctx); held {
		return atEnd, nil
	}
	batch, idle := ctx, len(page) == 0 && !slices.ContainsFunc(e.open, (*task).isDue)
	if !idle {
		batch = e.beginBatch(ctx)
	}
	atEnd, err = e.work(batch, page)
	if !idle {
		e.endBatch(batch, len(page), e.oldest(page), err)
	}
	return atEnd, err
}

// work takes a round with what a page calls for.
func (e *enforcer) work(ctx context.Context, page []store.Record) (atEnd bool, err error) {
	err = e.renew(ctx)
	if err == nil {
		err = e.take(ctx, page)
	}
	if err == nil {
		atEnd, err = e.round(ctx)
	}
	if errors.Is(err, roomkit.ErrConflict) && !isPoison(err) {
		e.open, e.unknown = nil, nil
	}
	return atEnd, e.taken(ctx, err)
}

// oldest is when the event happened that Enforce is at.
func (e *enforcer) oldest(page []store.Record) (at time.Time) {
	switch {
	case len(e.open) > 0:
		at = e.open[0].rec.At
	case len(page) > 0:
		at = page[len(page)-1].At
	}
	return at
}

func (t *task) isDue() bool { return elapsed(t.due) >= 0 }

// take opens a task for each sweep that the events of a page call for.
func (e *enforcer) take(ctx context.Context, page []store.Record) error {
	var tasks []*task
	read := e.read
	for i := range page {
		event, err := codec.DecodeRecord(page[i])
		if u, ok := event.(*roomkit.Unknown); ok {
			err = fmt.Errorf("%w: %s in codec version %d is newer than this process", roomkit.ErrUnsupported, u.Name, u.Codec)
		}
		if err != nil {
			e.unknown = &PoisonEvent{Follower: e.name, Record: page[i], Err: err}
			break
		}
		for _, sw := range sweepsOf(event) {
			rec := page[i]
			rec.Data = bytes.Clone(rec.Data)
			tasks = append(tasks, &task{
				search: newSearch(sw, guarded), rec: rec, before: read,
				EnforceProgress: EnforceProgress{Because: rec.Subject, Version: rec.Version, Cause: sw.cause},
			})
		}
		read = page[i].Cursor
	}
	if err := e.findLanes(ctx, tasks); err != nil {
		e.unknown = nil
		return err
	}
	e.open, e.read = append(e.open, tasks...), read
	return nil
}

// findLanes finds out to which companies the tasks belong. One whose user cannot be
// loaded goes apart from all others.
func (e *enforcer) findLanes(ctx context.Context, tasks []*task) error {
	var users []*task
	for _, t := range tasks {
		if t.lane = t.of.ID; t.of.Type == roomkit.SubjectUser {
			t.lane = "user " + t.of.ID
			users = append(users, t)
		}
	}
	if len(users) > 0 && e.askLanes(ctx, users) != nil {
		for i := range users {
			_ = e.askLanes(ctx, users[i:i+1])
		}
	}
	return ctx.Err()
}

func (e *enforcer) askLanes(ctx context.Context, tasks []*task) error {
	return guarded(func() error {
		needs := make([]store.Need, len(tasks))
		for i, t := range tasks {
			needs[i].People = []roomkit.UserID{roomkit.UserID(t.of.ID)}
		}
		facts, err := store.Ask(ctx, e.s.store, needs)
		for i := range facts {
			for _, u := range facts[i].Users {
				tasks[i].lane = string(u.Company)
			}
		}
		return err
	})
}

// round gives each company a turn, and stores how far everything is done.
func (e *enforcer) round(ctx context.Context) (atEnd bool, err error) {
	spent, worked := map[string]int{}, false
	for _, t := range e.open {
		for spent[t.lane] < sweepChunk && !t.over() && t.isDue() {
			cost, err := e.step(ctx, t)
			if err != nil {
				return false, err
			}
			spent[t.lane] += cost
			worked = true
			if err := e.renew(ctx); err != nil {
				return false, err
			}
		}
	}
	e.open = slices.DeleteFunc(e.open, func(t *task) bool { return t.over() })
	if e.done = e.read; len(e.open) > 0 {
		e.done = e.open[0].before
		return e.rest(ctx, worked)
	}
	return false, e.move(ctx, e.s.store)
}

// rest waits until a failed step is due, or says that it is time to stop.
func (e *enforcer) rest(ctx context.Context, worked bool) (atEnd bool, err error) {
	if worked {
		return false, nil
	}
	tries := 1
	if e.Once && e.unknown == nil {
		tries = e.Attempts
	}
	stuck := !slices.ContainsFunc(e.open, func(t *task) bool { return t.failures < tries })
	switch {
	case stuck && e.unknown != nil:
		return false, e.unknown
	case stuck && e.Once:
		t := e.open[0]
		return false, &PoisonEvent{Follower: e.name, Record: t.rec, Attempts: t.failures, Err: t.err}
	case e.Once:
		return false, backoff.Sleep(ctx, min(e.s.o.Poll, 100*time.Millisecond))
	}
	return true, nil
}

// step goes on with a task, and tells the observer. It gives an error only if nothing can
// go on.
func (e *enforcer) step(ctx context.Context, t *task) (cost int, err error) {
	if o := &e.s.o.Observer; o.Begin == nil && o.Step == nil {
		return e.advance(ctx, t)
	}
	before, began := *t, e.s.o.Clock()
	ctx = e.s.o.Observer.begin(ctx, Operation{Kind: OperationStep, Name: e.name})
	cost, err = e.advance(ctx, t)
	e.endStep(ctx, &before, t, began, err)
	return cost, err
}

func (e *enforcer) advance(ctx context.Context, t *task) (cost int, err error) {
	var part sweepPart
	err = guarded(func() (err error) {
		part, err = t.next(ctx, e.s)
		return err
	})
	e.expel(ctx, t, &part)
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	t.Rooms, t.Total, t.Failed = t.Rooms+part.looked, part.total, len(t.failed.rooms)
	if e.progress != nil && part.swept {
		e.progress(t.EnforceProgress)
	}
	if err != nil || t.again() {
		t.err = cmp.Or(err, t.failed.err)
		t.failures++
		t.due = moment().Add(min(100*time.Millisecond<<min(t.failures, 10), 10*time.Second))
		e.warn(ctx, "roomkit: a consequence has failed and is tried again", t.failures, t.err)
	}
	return max(1, part.cost), nil
}

// expel carries out what a part of a sweep has found, in commands of at most
// MaxPeople people. What fails is noted, and is no hindrance to the rest.
func (e *enforcer) expel(ctx context.Context, t *task, part *sweepPart) {
	var jobs []*job
	var rooms []roomkit.RoomID
	failed, changed := map[roomkit.RoomID]error{}, map[roomkit.RoomID]bool{}
	for _, step := range part.expel {
		for step.People = range slices.Chunk(step.People, roomkit.MaxPeople) {
			err := guarded(func() error {
				j, err := e.s.newJob(ctx, roomkit.System(), step, nil)
				j.id, j.digest, j.consequence = derivedID(t.rec.Command, &t.EnforceProgress, step), [32]byte{}, true
				if err == nil {
					e.s.begun(j)
					jobs, rooms = append(jobs, j), append(rooms, step.Room)
				}
				return err
			})
			if err != nil {
				failed[step.Room] = err
			}
		}
	}
	results, broken := e.s.finishAll(jobs)
	for i, r := range results {
		if broken[i] != nil {
			r.Err = broken[i].asError()
		}
		if r.Err != nil {
			failed[rooms[i]] = within(r.Err)
		}
		if r.Result.Changed {
			changed[rooms[i]] = true
		}
		t.Events += len(r.Result.Events)
		t.people += takenOut(r.Result.Events)
	}
	t.Changed += len(changed)
	for _, step := range part.expel {
		if err := failed[step.Room]; err != nil {
			t.fail(step.Room, err)
			part.looked--
		}
	}
}

// takenOut counts the people whom events of Expel tell of.
func takenOut(events []roomkit.Event) (people int) {
	for _, e := range events {
		switch e := e.(type) {
		case *roomkit.MemberLeft:
			people += len(e.People)
		case *roomkit.MasterDismissed:
			people += len(e.People)
		default: // is about the room
		}
	}
	return people
}

// derivedID is the same whenever the same consequence of the same event is
// carried out for the same people. A step that finds nothing to do is not stored
// under it. The command of the event is part of it: an id that an erased person had can be
// that of somebody else, whose account ends with the same version.
func derivedID(by roomkit.CommandID, p *EnforceProgress, step roomkit.Expel) (id roomkit.CommandID) {
	h := sha256.New()
	fmt.Fprintf(h, "roomkit enforce\x00%s/%s/%d/%s/%s", by, p.Because, p.Version, step.Cause, step.Room)
	for _, user := range step.People {
		fmt.Fprintf(h, "/%s", user)
	}
	copy(id[:], h.Sum(nil))
	return id
}
