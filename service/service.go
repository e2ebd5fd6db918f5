package service

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// Service runs commands and answers questions on top of a [store.Store]. It is safe
// for concurrent use and needs no closing. No goroutine outlives a call, but for the one
// that carries out several commands together whose callers have not waited for it; it ends
// with the store calls, for which Options.GroupTimeout is the bound, and with the functions
// of the host.
//
// Commands that wait at the same time share one Load and one Commit. One caller
// on an idle service is never delayed by this; one caller's cancelled context,
// refused command or conflict does not touch the others.
type Service struct {
	store     store.Store
	accessor  store.Accessor // the same, if it is one
	hasty     store.Hasty    // the same, or one inside, or nil
	rules     *roomkit.Rules
	o         Options
	lanes     lanes
	watching  hub
	mark      [16]byte      // of this service
	commands  atomic.Uint64 // how many have been given
	jobs      sync.Pool     // of *job
	questions sync.Pool     // of *question
}

// New makes a service. Nil options are the defaults.
func New(st store.Store, o *Options) (*Service, error) {
	if st == nil {
		return nil, &roomkit.Invalid{Field: "Store", Reason: "missing"}
	}
	s := &Service{store: st}
	if o != nil {
		s.o = *o
	}
	if err := s.o.setDefaults(); err != nil {
		return nil, err
	}
	rand.Read(s.mark[:]) // never fails
	s.accessor, _ = st.(store.Accessor)
	s.hasty, _ = store.Capability[store.Hasty](st)
	s.rules = roomkit.NewRules(s.o.Policy)
	s.openLanes()
	return s, nil
}

// Store gives the store that the service was made with, for tools of the host that show what
// is stored. Nobody's rights are looked at there.
func (s *Service) Store() store.Store { return s.store }

// Rules gives the tables by which the service decides, made from Options.Policy.
func (s *Service) Rules() *roomkit.Rules { return s.rules }

func (s *Service) openLanes() {
	s.lanes.count, s.lanes.maxGroup = 1, s.o.MaxGroup
	s.lanes.busy = map[roomkit.Subject]bool{}
	if p, ok := store.Capability[store.Parallel](s.store); ok {
		s.lanes.count = max(1, p.CommitsInParallel())
	}
}

func (o *Options) setDefaults() error {
	if o.Attempts < 0 || o.MaxGroup < 0 || o.GroupTimeout < 0 || o.Poll < 0 {
		return &roomkit.Invalid{Field: "Options", Reason: "negative"}
	}
	if o.MaxClockDrift != 0 && o.MaxClockDrift < roomkit.MinClockDrift {
		return &roomkit.Invalid{Field: "MaxClockDrift", Reason: "less than MinClockDrift"}
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
	o.Attempts = cmp.Or(o.Attempts, 16)
	o.MaxGroup = cmp.Or(o.MaxGroup, 256)
	o.GroupTimeout = cmp.Or(o.GroupTimeout, 30*time.Second)
	o.Poll = cmp.Or(o.Poll, time.Second)
	o.MaxClockDrift = cmp.Or(o.MaxClockDrift, 5*time.Minute)
	return nil
}

// Result says what a command did, or for [Service.Plan] would do.
type Result struct {
	Room    roomkit.RoomID   `json:"room,omitzero"`     // the room concerned or opened; zero for directory commands
	Kind    roomkit.Kind     `json:"kind,omitzero"`     // of that room; KindNone for directory commands
	Version roomkit.Version  `json:"version,omitzero"`  // of that room
	Opened  bool             `json:"opened,omitzero"`   // the command opened a new room; of a repeat, that it did the first time
	Changed bool             `json:"changed,omitzero"`  // false: everything was already so
	Repeat  bool             `json:"repeat,omitzero"`   // the command had been done before with the same key; nothing was done now
	Dropped []roomkit.UserID `json:"dropped,omitempty"` // people left out for lack of permission, in byte order
	Differs []string         `json:"differs,omitempty"` // of AddCompany and AddUser of what exists: the JSON keys of what it is otherwise; nothing was done about it, and a repeat by key does not tell
	Events  []roomkit.Event  `json:"events,omitempty"`  // what happened, in order
	Notices []roomkit.Notice `json:"notices,omitempty"` // whom to tell, see NoticesOf; a host that takes them from the feed leaves these alone
	// Cursor is the place in the feed behind the last event. What other commands store about other
	// subjects at the same moment may come before it and be seen later, so it is a place up to
	// which to wait, and not one to begin at: [Service.Head] gives one, asked before the command.
	Cursor roomkit.Cursor `json:"cursor,omitzero"`
}

// BatchResult is the outcome of one command of [Service.Batch].
type BatchResult struct {
	Result Result
	Err    error
}

// Do runs one command. It decides on facts that the store compares again when it
// commits, and decides anew when they have changed meanwhile. At most one Call may
// be given.
//
// Errors are [*roomkit.Error]. A refusal is ErrDenied, ErrInvalid or ErrNotFound;
// where CreateRoom finds rooms to choose from instead, the error is ErrOffered (CRE-04);
// ErrCommandReused and ErrConflict come of the Key and the IfVersion of the call and
// of others who change the same. Commands in conflict are run again, up to
// Options.Attempts times, and so are those of which the store says
// ErrUnknownOutcome. A command that needs everybody in a room, or all its Group Masters,
// and before which its group has changed them, runs again as one of the first of a later
// group, and by itself if it loses there, too. Neither is an attempt: commands through the
// same service never starve it. Against another service on the same store it uses up attempts like every
// command, each of one Load and one Commit, and loses only to what that one commits in
// between. Any other error of the store means that nothing was stored; Do
// returns it as it is, at once, as well as an error of Options.Directory, of
// Options.Contacts and of the context, unless an earlier attempt is unknown: then the
// error is ErrUnknownOutcome, too.
//
// After ErrUnknownOutcome repeat the command with the same Key; after every other
// error nothing has changed, except that users whom Options.Directory knows may have been
// added for a command that was allowed and then lost to others. A refused command leaves the
// store as it was.
func (s *Service) Do(ctx context.Context, actor roomkit.Actor, cmd roomkit.Command, call ...Call) (Result, error) {
	j, err := s.newJob(ctx, actor, cmd, call)
	if err != nil {
		return Result{}, j.wrap(err)
	}
	s.begun(j)
	return s.finish(j)
}

// Batch runs several commands, for instance leaving several rooms (GEN-13). Every
// command is judged on its own and none undoes another (GEN-14). They may be
// decided in any order; the results are in the order of the commands, each with an
// error as Do gives it. A panic over one of them goes on when the others are done. Of more
// than MaxBatch commands none is carried out, and every one gets the same
// [*roomkit.Invalid].
func (s *Service) Batch(ctx context.Context, actor roomkit.Actor, cmds []roomkit.Command, call ...Call) []BatchResult {
	return s.each(cmds, func(i int) (*job, error) {
		j, err := s.newJob(ctx, actor, cmds[i], call)
		if len(cmds) > roomkit.MaxBatch {
			err = &roomkit.Invalid{Field: "Commands", Reason: fmt.Sprintf("more than %d", roomkit.MaxBatch)}
		}
		j.numbered(i)
		return j, err
	})
}

func (s *Service) each(cmds []roomkit.Command, newJob func(int) (*job, error)) []BatchResult {
	results, jobs := make([]BatchResult, len(cmds)), make([]*job, 0, len(cmds))
	var places []int
	for i := range cmds {
		j, err := newJob(i)
		if err != nil {
			results[i].Err = j.wrap(err)
			continue
		}
		s.begun(j)
		jobs, places = append(jobs, j), append(places, i)
	}
	done, broken := s.finishAll(jobs)
	for n := range jobs {
		results[places[n]] = done[n]
	}
	for _, t := range broken {
		if t != nil {
			t.again()
		}
	}
	return results
}

// finishAll carries jobs out side by side. Where the goroutine of one was broken off,
// it says so instead of a result.
func (s *Service) finishAll(jobs []*job) (results []BatchResult, broken []*thrown) {
	results, broken = make([]BatchResult, len(jobs)), make([]*thrown, len(jobs))
	s.lanes.enterAll(jobs)
	var all sync.WaitGroup
	for n, j := range jobs {
		all.Go(func() {
			watch(func() { results[n].Result, results[n].Err = s.finish(j) }, func(t *thrown) { broken[n] = t })
		})
	}
	all.Wait()
	return results, broken
}

// Plan says what a command would do, or which rule forbids it, and changes
// nothing. It runs the same decision as Do and has its errors, but never
// ErrUnknownOutcome. Whom Do would fill in from Options.Directory it takes for known, and
// stores nothing of it.
func (s *Service) Plan(ctx context.Context, actor roomkit.Actor, cmd roomkit.Command, call ...Call) (Result, error) {
	ctx, read := s.asks(ctx, "Plan", named(cmd))
	j, result, err := s.plan(ctx, actor, cmd, call)
	return result, read.answered(ctx, j.wrap(err))
}

func (s *Service) plan(ctx context.Context, actor roomkit.Actor, cmd roomkit.Command, given []Call) (*job, Result, error) {
	j, err := s.newJob(ctx, actor, cmd, given)
	if err != nil {
		return j, Result{}, err
	}
	j.plan = true
	result, err := s.carryOut(j)
	return j, result, err
}

// Options configure a [Service]. The zero value is ready for use.
//
// The functions of the host are called by several goroutines at a time. A panic of one of
// them reaches the caller whose command it was, in the goroutine of that caller, and no
// other one; so does [runtime.Goexit], and a panic of the store. The command has not been
// carried out then, except that Observer is told of what has happened already. What
// panics over several commands at once, and not again over each of them, is logged.
//
// An error of theirs, a wrong time and a wrong id end the command with an error of
// CategoryInternal, and nothing of it is stored.
type Options struct {
	// Policy holds the decisions on open points. The zero value is the recommended one.
	Policy roomkit.Policy
	// Clock gives the time. It must not block or call the service. It may go back, see
	// MaxClockDrift. The zero time, and one before the year 1 or after 9999, is an error.
	// Defaults to time.Now.
	Clock func() time.Time
	// MaxClockDrift is by how much the clocks of services on one store may differ. Within
	// it the events of a room never go back in time: one that follows an event of later
	// time has the same time. An event that is further ahead was written by a clock that
	// was wrong, and the next one has the time of this service's Clock again. Deadlines
	// and what newcomers may read are judged by the time of the event. Defaults to 5
	// minutes; at least roomkit.MinClockDrift.
	MaxClockDrift time.Duration
	// NewID gives the ids of rooms and commands; they must never repeat. It must not block
	// or call the service. The zero id, and one that is in use, is an error: nothing is done
	// to whoever has it. For a room it is asked up to Attempts times. Defaults to UUIDv7.
	NewID func() [16]byte
	// Logger receives warnings of followers, Enforce among them, whose handler or store
	// fails for the third time and on, warnings of a clock that was ahead, panics, and debug
	// lines: commands that run again, followers that try again or cannot give up their
	// lease, waiting without the store's wake-ups. Its handler may block and call the
	// service: it keeps only the caller who is concerned. Defaults to none.
	Logger *slog.Logger
	// Observer is told what the service does.
	Observer Observer
	// Directory fills in users that the store has not seen yet. It never changes those
	// that are known. It is asked when a command that the actor may give would be refused
	// for people who are not known to the actor, and whom it knows is stored when the
	// command is carried out. It may block and call the service: it is asked in the
	// goroutine of the caller.
	Directory Directory
	// Contacts tells which of some outsiders (users of other companies, consumers)
	// are contacts of a user (EXT-32, LINE-02). It is asked when Directory is, and like it
	// about people who are not known to the actor: whether they exist makes no difference,
	// so that how long it takes does not tell. Whom it was not asked about is passed over.
	// It may block and call the service. Without it, nobody is a contact, unless
	// Call.Contacts says so or Policy.AnyoneIsContact is set.
	Contacts func(ctx context.Context, of roomkit.UserID, outsiders []roomkit.UserID) ([]roomkit.UserID, error)
	// Veto can refuse what the rules allow; it can never allow what they forbid.
	// It must be a pure function of its arguments, and is asked again when the command is
	// decided again; planned is what the command would do, as Plan gives it. A non-nil error
	// refuses the command with Rule "VETO" and the error's text as the reason. It is not asked
	// about what Enforce carries out. It may
	// read from the service, but must not call Do or Batch, which would wait for it. It
	// should not block: other commands wait for it, and one that never returns keeps a lane
	// for ever. Callers whose context ends do not wait, but for one who is alone in its group.
	Veto func(actor roomkit.Actor, cmd roomkit.Command, planned Result) error
	// Attempts is the most times a command is decided before it fails with
	// ErrConflict, because others keep changing what it relies on. Asking Directory or
	// Contacts is none of them. Defaults to 16.
	Attempts int
	// MaxGroup is the most commands that share a commit. Defaults to 256.
	MaxGroup int
	// Poll is the longest that Watch and Follow wait before they look for news, also
	// on a store that wakes them. Defaults to a second.
	Poll time.Duration
	// GroupTimeout bounds the store calls that several callers share. Defaults to
	// 30 seconds.
	GroupTimeout time.Duration
}

// Directory is the host's source of users. Users returns those it knows of ids, 1 to
// MaxPeople, with their companies; ids it does not know are left out. Some of the ids may
// be known to the store, so that how long a command takes does not tell. Rows that were not
// asked for are passed over, of two for one user the first one holds, and rows of users
// and companies that are known by the time it answers are passed over, too. A malformed row of
// somebody whom the command needs ends it with an error, and nothing is stored.
type Directory interface {
	Users(ctx context.Context, ids []roomkit.UserID) ([]roomkit.User, []roomkit.Company, error)
}

// Call says more about one call of Do, Batch, Plan or Choose. A zero field says nothing.
type Call struct {
	// Key makes the command idempotent: repeating it with the same key and actor
	// returns the first outcome (Room, Opened, Changed, Events, Notices, Cursor, and
	// Kind and Version as of those events) and changes nothing. Another command
	// under the same key, be it the same people in another order, is
	// ErrCommandReused. Refusals and offers are no outcomes: after them the key is as
	// good as new. A key has at most MaxKeyBytes bytes. With Batch it belongs to the
	// whole call.
	Key string
	// IfVersion demands that the room named in the command has this version, or of a
	// command of the directory the company, user or team; otherwise a command that
	// would be allowed ends with ErrConflict and is not run again. What is not there
	// has no version. A command that names none of them is ErrInvalid; OpenDirect,
	// OpenSelf and OpenTeamRoom mean the room that they open.
	IfVersion roomkit.Version
	// Contacts are outsiders who are contacts of the actor (EXT-32), besides those of
	// Options.Contacts.
	Contacts []roomkit.UserID
}

// newIDs gives a source of UUIDv7 (RFC 9562): milliseconds, then randomness,
// which is read in larger pieces. google/uuid would allocate for each id.
func newIDs(now func() time.Time) func() [16]byte {
	var mu sync.Mutex
	var pool [4000]byte
	used := len(pool)
	return func() (id [16]byte) {
		mu.Lock()
		if used == len(pool) {
			rand.Read(pool[:]) // never fails: it ends the program instead
			used = 0
		}
		used += copy(id[6:], pool[used:used+10])
		mu.Unlock()
		ms := uint64(now().UnixMilli())
		binary.BigEndian.PutUint16(id[:2], uint16(ms>>32))
		binary.BigEndian.PutUint32(id[2:6], uint32(ms))
		id[6] = id[6]&0x0f | 0x70
		id[8] = id[8]&0x3f | 0x80
		return id
	}
}

// placed says where an error happened.
func placed(op string, room roomkit.RoomID, err error) error {
	if err == nil {
		return nil
	}
	return &roomkit.Error{Op: op, Room: room, Err: err}
}

// within makes an error a part of another one, as [roomkit.Error] is added once.
func within(err error) error {
	var place *roomkit.Error
	if errors.As(err, &place) {
		return fmt.Errorf("%s: %w", place.Op, place.Err)
	}
	return err
}
