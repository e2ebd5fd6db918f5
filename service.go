package roomkit

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
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

// newCall checks the form of a command and gives it its ids.
func (s *Service) newCall(ctx context.Context, actor Actor, cmd Command, opts []CallOption) (*call, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c, _ := s.calls.Get().(*call)
	if c == nil {
		c = new(call)
	}
	c.ctx, c.actor, c.cmd, c.decider.space = ctx, actor, cmd, &c.space
	for _, o := range opts {
		o(&c.opts)
	}
	if err := checkCommand(actor, cmd); err != nil {
		return nil, err
	}
	for i, id := range c.opts.contacts {
		if err := checkUser(fmt.Sprintf("WithContacts[%d]", i), id); err != nil {
			return nil, err
		}
	}
	if opensRoom(cmd) {
		c.newRoom = RoomID(s.o.NewID())
	}
	c.id = CommandID(s.o.NewID())
	if c.opts.hasKey {
		if err := c.keyed(); err != nil {
			return nil, err
		}
	}
	c.contacts = c.opts.contacts
	c.asks.People = c.people[:0]
	fillNeed(actor, cmd, &c.asks)
	c.asksFor()
	if c.opts.hasIfVer && c.asks.Room.IsZero() {
		return nil, invalid("IfVersion", "the command names no room")
	}
	return c, nil
}

// release makes a call usable again, unless somebody may still be writing to it.
func (s *Service) release(c *call) {
	if !c.abandoned {
		*c = call{}
		s.calls.Put(c)
	}
}

// opensRoom reports whether a command may open a room that has no derived id.
func opensRoom(cmd Command) bool {
	switch cmd.(type) {
	case CreateRoom, CreateGroup, CreateExternalGroup, Invite:
		return true
	default:
		return false
	}
}

func (c *call) keyed() error {
	if len(c.opts.key) == 0 || len(c.opts.key) > MaxKeyBytes {
		return invalid("WithKey", fmt.Sprintf("not 1 to %d bytes", MaxKeyBytes))
	}
	payload, err := json.Marshal(c.cmd)
	if err != nil {
		return invalid("Command", err.Error())
	}
	c.digest = sha256.Sum256(append([]byte(c.cmd.name()+"\x00"), payload...))
	c.id = keyID(c.actor, c.opts.key)
	return nil
}

func keyID(actor Actor, key string) (id CommandID) {
	sum := sha256.Sum256([]byte("roomkit command\x00" + actor.String() + "\x00" + key))
	copy(id[:], sum[:])
	return id
}

// numbered gives each command of one Each an id of its own under the same key.
func (c *call) numbered(i int) {
	if c.opts.hasKey {
		c.id = keyID(c.actor, fmt.Sprintf("%s\x00%d", c.opts.key, i))
		c.asks.Command = c.id
	}
}

// finish runs a call until it has an outcome.
func (s *Service) finish(c *call) (Result, error) {
	report := s.o.Observer.Command
	if report == nil {
		result, err := s.attempt(c)
		return result, wrap(c.actor, c.cmd, err)
	}
	start := s.o.Clock()
	result, err := s.attempt(c)
	err = wrap(c.actor, c.cmd, err)
	report(CommandReport{
		Name: c.cmd.name(), Actor: c.actor, Room: result.Room, Err: err,
		Changed: result.Changed, Attempts: c.attempts, Took: s.o.Clock().Sub(start),
	})
	return result, err
}

func (s *Service) attempt(c *call) (Result, error) {
	for c.attempts = 1; ; c.attempts++ {
		if err := s.run(c); err != nil {
			return Result{}, c.givenUp(err)
		}
		if c.err == nil {
			return c.result, nil
		}
		again, err := s.again(c)
		if !again {
			return Result{}, err
		}
		if err := pause(c.ctx, c.attempts); err != nil {
			return Result{}, c.givenUp(err)
		}
	}
}

// again reports whether a failed call can be run once more, after getting what
// it lacked.
func (s *Service) again(c *call) (bool, error) {
	var lacking *lackingUsers
	var contacts *askContacts
	switch {
	case c.attempts >= s.o.Attempts:
		return false, c.givenUp(c.err)
	case errors.As(c.err, &lacking):
		if err := s.fillIn(c.ctx, lacking.users); err != nil {
			return false, err
		}
		c.filledIn = true
		return true, nil
	case errors.As(c.err, &contacts):
		known, err := s.o.Contacts(c.ctx, c.actor.user, contacts.outsiders)
		if err != nil {
			return false, err
		}
		c.contacts = append(c.contacts[:len(c.contacts):len(c.contacts)], known...)
		c.askedContacts = true
		return true, nil
	case c.ctx.Err() != nil:
		c.uncertain = c.uncertain || errors.Is(c.err, ErrUnknownOutcome)
		return false, c.givenUp(c.ctx.Err())
	case errors.Is(c.err, ErrUnknownOutcome):
		c.asks.Command, c.uncertain = c.id, true
	case refused(c.err):
		// On the state that the commit before relied on nothing was refused, so that
		// one is in conflict now, if it is still on its way.
		return false, c.err
	case !errors.Is(c.err, ErrConflict):
		return false, c.givenUp(c.err)
	}
	s.o.Logger.LogAttrs(c.ctx, slog.LevelDebug, "roomkit: running a command again",
		slog.String("command", c.cmd.name()), slog.Int("attempt", c.attempts), slog.Any("cause", c.err))
	return true, nil
}

// refused reports whether the command itself is the reason of an error, and not
// the store.
func refused(err error) bool {
	return errors.Is(err, ErrDenied) || errors.Is(err, ErrInvalid) || errors.Is(err, ErrNotFound) ||
		errors.Is(err, ErrCommandReused) || errors.Is(err, errStale)
}

// givenUp is what a caller learns whose command is not run again.
func (c *call) givenUp(err error) error {
	if c.uncertain && !errors.Is(err, ErrUnknownOutcome) {
		return fmt.Errorf("%w: %w", ErrUnknownOutcome, err)
	}
	return err
}

// fillIn provisions users that the host's directory knows and the store does not.
func (s *Service) fillIn(ctx context.Context, missing []UserID) error {
	users, companies, err := s.o.Directory.Users(ctx, missing)
	if err != nil {
		return fmt.Errorf("directory: %w", err)
	}
	for _, c := range companies {
		known, err := ask(ctx, s.store, []Need{{Companies: []CompanyID{c.ID}}})
		if err != nil {
			return err
		}
		if len(known[0].Companies) > 0 {
			continue
		}
		if err := s.provision(ctx, PutCompany{Company: c}); err != nil {
			return err
		}
	}
	if len(users) == 0 {
		return nil
	}
	return s.provision(ctx, PutUsers{Users: users})
}

func (s *Service) provision(ctx context.Context, cmd Command) error {
	if _, err := s.Do(ctx, System(), cmd); err != nil {
		return fmt.Errorf("directory: %w", within(err))
	}
	return nil
}

// pause waits a random time that grows with the attempts; the first rerun is
// immediate.
func pause(ctx context.Context, attempt int) error {
	if attempt < 2 {
		return ctx.Err()
	}
	limit := min(time.Millisecond<<min(attempt, 10), 50*time.Millisecond)
	timer := time.NewTimer(rand.N(limit))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// within makes an error a part of another one, as [Error] is added once.
func within(err error) error {
	var place *Error
	if errors.As(err, &place) {
		return fmt.Errorf("%s: %w", place.Op, place.Err)
	}
	return err
}

func wrap(actor Actor, cmd Command, err error) error {
	if err == nil {
		return nil
	}
	if checkValue(cmd) != nil {
		return &Error{Op: "Do", Err: err}
	}
	return &Error{Op: cmd.name(), Room: roomNamed(actor, cmd), Err: err}
}

// roomNamed is the room that a command names or opens, whether or not there is
// one.
func roomNamed(actor Actor, cmd Command) RoomID {
	malformed := checkCommand(actor, cmd) != nil
	switch c := cmd.(type) {
	case OpenSelf, OpenDirect, OpenTeamRoom, SyncTeam:
		if malformed {
			return RoomID{}
		}
	case CreateRoom:
		if malformed {
			return cmp.Or(c.Source, c.Use)
		}
	default:
	}
	var n Need
	fillNeed(actor, cmd, &n)
	return n.Room
}
