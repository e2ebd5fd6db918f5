package roomkit

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"
)

// EnforceOptions configure [Service.Enforce]. The zero value is ready for use.
type EnforceOptions struct {
	// Name is that of the stored checkpoint. Defaults to "roomkit.enforce".
	Name string
	// From is where enforcing begins that has no checkpoint yet. Empty: at the
	// beginning of the feed, which costs little, as what is done is not done again.
	From Cursor
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
	Because Subject // the user or company that changed
	Version Version // with this event
	Cause   Cause   // that was looked for; nobody need have left
	Rooms   int     // looked at so far
	Total   int     // of so many
	Changed int     // rooms that somebody left
	Events  int     // that were stored
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
// [Service.PlanConsequences] is the dry run. Errors are those of Follow.
//
// A user's change costs a page of the user's rooms and a command for each room
// that is left. A company's costs a page of rooms for each of its users, and the
// people of each external group once; it keeps the ids of those groups in memory.
func (s *Service) Enforce(ctx context.Context, o *EnforceOptions) error {
	var opts EnforceOptions
	if o != nil {
		opts = *o
	}
	if opts.Name == "" {
		opts.Name = "roomkit.enforce"
	}
	f, err := s.newFollower(opts.Name, nil, &FollowOptions{
		From: opts.From, Once: opts.Once, Lease: opts.Lease, Timeout: -1,
	})
	if err == nil {
		e := &enforcer{s: s, progress: opts.Progress, alive: f.renew}
		f.handle = e.handle
		err = f.run(ctx)
	}
	if err != nil {
		return &Error{Op: "Enforce", Err: err}
	}
	return nil
}

type enforcer struct {
	s        *Service
	progress func(EnforceProgress)
	alive    func(context.Context) error // called between steps
}

func (e *enforcer) handle(ctx context.Context, rec Recorded) error {
	for _, sw := range sweepsOf(rec.Event) {
		p := EnforceProgress{Because: rec.Subject, Version: rec.Version, Cause: sw.cause}
		err := e.s.sweep(ctx, sw, func(rooms []RoomID, total int, steps []Expel) error {
			p.Rooms, p.Total = p.Rooms+len(rooms), total
			return e.steps(ctx, &p, steps)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// steps carries out the commands of some whole rooms.
func (e *enforcer) steps(ctx context.Context, p *EnforceProgress, steps []Expel) error {
	cmds := make([]Command, len(steps))
	for i, step := range steps {
		cmds[i] = step
	}
	results := e.s.each(System(), cmds, func(i int, cmd Command) (*call, error) {
		c, err := e.s.newCall(ctx, System(), cmd, nil)
		if err == nil {
			c.id = derivedID(p, steps[i])
		}
		return c, err
	})
	for i, r := range results {
		if r.Err != nil {
			return within(r.Err)
		}
		if r.Result.Changed && (i == 0 || steps[i].Room != steps[i-1].Room) {
			p.Changed++
		}
		p.Events += len(r.Result.Events)
	}
	if e.progress != nil {
		e.progress(*p)
	}
	return e.alive(ctx)
}

// derivedID is the same whenever the same consequence of the same event is
// carried out for the same people. A step that finds nothing to do is not stored
// under it.
func derivedID(p *EnforceProgress, step Expel) (id CommandID) {
	h := sha256.New()
	fmt.Fprintf(h, "roomkit enforce\x00%s/%d/%s/%s", p.Because, p.Version, step.Cause, step.Room)
	for _, user := range step.People {
		fmt.Fprintf(h, "/%s", user)
	}
	copy(id[:], h.Sum(nil))
	return id
}
