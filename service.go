package roomkit

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Service runs commands and answers questions on top of a [Store]. It is safe
// for concurrent use, starts no goroutines that outlive a call and needs no
// closing.
//
// Commands that wait at the same time share one Load and one Commit. One caller
// on an idle service is never delayed by this; one caller's cancelled context,
// refused command or conflict does not touch the others.
type Service struct {
	store     Store
	rules     *Rules
	o         Options
	batches   batches
	calls     sync.Pool // of *call
	questions sync.Pool // of *question
}

// New makes a service. Nil options are the defaults.
func New(store Store, o *Options) (*Service, error) {
	if store == nil {
		return nil, invalid("Store", "missing")
	}
	s := &Service{store: store}
	if o != nil {
		s.o = *o
	}
	if err := s.o.setDefaults(); err != nil {
		return nil, err
	}
	s.rules = NewRules(s.o.Policy)
	s.batches.lanes = 1
	if p, ok := capability[Parallel](store); ok {
		s.batches.lanes = max(1, p.CommitsInParallel())
	}
	return s, nil
}

func (o *Options) setDefaults() error {
	if o.Attempts < 0 || o.MaxGroup < 0 || o.GroupTimeout < 0 || o.Poll < 0 {
		return invalid("Options", "negative")
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.NewID == nil {
		o.NewID = newIDs(o.Clock)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Attempts == 0 {
		o.Attempts = 16
	}
	if o.MaxGroup == 0 {
		o.MaxGroup = 256
	}
	if o.GroupTimeout == 0 {
		o.GroupTimeout = 30 * time.Second
	}
	if o.Poll == 0 {
		o.Poll = time.Second
	}
	return nil
}

// Result says what a command did, or for [Service.Plan] would do.
type Result struct {
	Room    RoomID   // the room concerned or opened; zero for directory commands
	Kind    Kind     // of that room; KindNone for directory commands
	Version Version  // of that room
	Opened  bool     // the command opened a new room; of a repeat, that it did the first time
	Changed bool     // false: everything was already so, or rooms are offered
	Repeat  bool     // the command had been done before with the same key; nothing was done now
	Offers  []Offer  // rooms to choose from instead; nothing was changed (CRE-04)
	Dropped []UserID // people left out for lack of permission, in byte order
	Events  []Event  // what happened, in order
	Notices []Notice // whom to tell, see NoticesOf; a host that takes them from the feed leaves these alone
	Cursor  Cursor   // the place in the feed behind the last event
}

// EachResult is the outcome of one command of [Service.Each].
type EachResult struct {
	Result Result
	Err    error
}

// Do runs one command. It decides on facts that the store compares again when it
// commits, and decides anew when they have changed meanwhile.
//
// Errors are [*Error]. A refusal is [ErrDenied], [ErrInvalid] or [ErrNotFound];
// [ErrCommandReused] and [ErrConflict] come of [WithKey], [IfVersion] and of others
// who change the same. Commands in conflict are run again, up to Options.Attempts
// times, and so are those of which the store says [ErrUnknownOutcome]. Any other
// error of the store means that nothing was stored; Do returns it as it is, at once,
// as well as an error of Options.Directory, of Options.Contacts and of the context,
// unless an earlier attempt is unknown: then the error is ErrUnknownOutcome, too.
//
// After [ErrUnknownOutcome] repeat the command with the same [WithKey]; after every
// other error nothing has changed, except that users whom Options.Directory filled
// in stay known.
func (s *Service) Do(ctx context.Context, actor Actor, cmd Command, opts ...CallOption) (Result, error) {
	c, err := s.newCall(ctx, actor, cmd, opts)
	if err != nil {
		return Result{}, wrap(actor, cmd, err)
	}
	result, err := s.finish(c)
	s.release(c)
	return result, err
}

// Each runs several commands, for instance leaving several rooms (GEN-13). Every
// command is judged on its own and none undoes another (GEN-14). They may be
// decided in any order; the results are in the order of the commands, each with an
// error as Do gives it. Of more than MaxEach commands none is carried out, and
// every one gets the same [*Invalid].
func (s *Service) Each(ctx context.Context, actor Actor, cmds []Command, opts ...CallOption) []EachResult {
	return s.each(actor, cmds, func(i int, cmd Command) (*call, error) {
		if len(cmds) > MaxEach {
			return nil, invalid("Commands", fmt.Sprintf("more than %d", MaxEach))
		}
		c, err := s.newCall(ctx, actor, cmd, opts)
		if err == nil {
			c.numbered(i)
		}
		return c, err
	})
}

func (s *Service) each(actor Actor, cmds []Command, newCall func(int, Command) (*call, error)) []EachResult {
	results := make([]EachResult, len(cmds))
	var all sync.WaitGroup
	for i, cmd := range cmds {
		c, err := newCall(i, cmd)
		if err != nil {
			results[i].Err = wrap(actor, cmd, err)
			continue
		}
		all.Go(func() { results[i].Result, results[i].Err = s.finish(c) })
	}
	all.Wait()
	return results
}

// Plan says what a command would do, or which rule forbids it, and changes
// nothing. It runs the same decision as Do and has its errors, but never
// [ErrUnknownOutcome]. Options.Directory is not asked: who is not known yet is
// refused.
func (s *Service) Plan(ctx context.Context, actor Actor, cmd Command, opts ...CallOption) (Result, error) {
	result, err := s.plan(ctx, actor, cmd, opts)
	return result, wrap(actor, cmd, err)
}

func (s *Service) plan(ctx context.Context, actor Actor, cmd Command, opts []CallOption) (Result, error) {
	c, err := s.newCall(ctx, actor, cmd, opts)
	if err != nil {
		return Result{}, err
	}
	c.plan = true
	return s.attempt(c)
}
