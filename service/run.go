package service

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/backoff"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/store"
)

// request is a command as its caller gave it. It does not change.
type request struct {
	ctx   context.Context
	actor roomkit.Actor
	cmd   roomkit.Command
	Call
	plan bool // decide only

	op        string         // the command's name
	room      roomkit.RoomID // that it names or opens, whether or not there is one
	id        roomkit.CommandID
	digest    [32]byte
	newRoom   roomkit.RoomID
	firstNeed store.Need
	people    [4]roomkit.UserID // where firstNeed.People begins
	subject   roomkit.Subject   // what it will most likely change
}

// job carries a request out, in as many attempts as that takes.
type job struct {
	request
	attempt
	ticket
	scratch decide.Scratch

	attempts       int
	uncertain      bool // an earlier attempt may have been stored
	askedDirectory bool
	askedContacts  bool
	contacts       []roomkit.UserID // those of the request, and what Options.Contacts said
}

// attempt is one try to carry a request out, from Load to Commit.
type attempt struct {
	need     store.Need
	earlier  *decide.Facts // about another room, on which the decision has relied already
	facts    decide.Facts
	decision decide.Decision
	step     step
	about    []roomkit.UserID // whom the directory or the contacts are to be asked about
	result   Result           // when the step is stepDone
	err      error            // the same, and why the attempt has to be repeated
}

// step is what has to be done next with a job. A group carries out stepLoad and
// stepCommit, the caller the others.
type step uint8

const (
	stepDone         step = iota // the outcome is there
	stepLoad                     // load what the job needs now
	stepCommit                   // store what was decided
	stepAskDirectory             // fill in users, then again
	stepAskContacts              // ask who is a contact, then again
	stepAgain                    // somebody else was faster: again
	stepLookUp                   // again, and see whether this attempt was stored
)

// newJob checks a request and gives it its ids. With an error the job serves only
// to say whose error it is.
func (s *Service) newJob(ctx context.Context, actor roomkit.Actor, cmd roomkit.Command, given []Call) (*job, error) {
	c, _ := s.jobs.Get().(*job)
	if c == nil {
		c = new(job)
	}
	c.ctx, c.actor, c.cmd = ctx, actor, cmd
	malformed := decide.Check(actor, cmd)
	switch {
	case malformed == nil:
		c.op = roomkit.CommandName(cmd)
		c.firstNeed.People = c.people[:0]
		decide.FillNeed(&c.firstNeed, actor, cmd)
		c.room = c.firstNeed.Room
	case decide.Known(cmd):
		c.op, c.room = roomkit.CommandName(cmd), decide.RoomNamed(cmd)
	default:
		c.op = "Do"
	}
	if err := ctx.Err(); err != nil {
		return c, err
	}
	if malformed != nil {
		return c, malformed
	}
	if decide.OpensRoom(cmd) {
		c.newRoom = roomkit.RoomID(s.o.NewID())
	}
	c.id = roomkit.CommandID(s.o.NewID())
	c.subject = c.likelySubject()
	return c, c.take(given)
}

// take adds what the caller has said besides the command.
func (c *job) take(given []Call) error {
	if len(given) > 1 {
		return &roomkit.Invalid{Field: "Call", Reason: "more than one"}
	}
	if len(given) == 1 {
		c.Call = given[0]
	}
	if c.IfVersion != 0 && c.room.IsZero() {
		return &roomkit.Invalid{Field: "IfVersion", Reason: "the command names no room"}
	}
	for i, id := range c.Contacts {
		if !id.Valid() {
			return &roomkit.Invalid{Field: fmt.Sprintf("Contacts[%d]", i), Reason: "not a user id"}
		}
	}
	c.contacts = c.Contacts
	if c.Key == "" {
		return nil
	}
	if len(c.Key) > roomkit.MaxKeyBytes {
		return &roomkit.Invalid{Field: "Key", Reason: fmt.Sprintf("more than %d bytes", roomkit.MaxKeyBytes)}
	}
	payload, err := json.Marshal(c.cmd)
	if err != nil {
		return &roomkit.Invalid{Field: "Command", Reason: err.Error()}
	}
	c.digest = sha256.Sum256(append([]byte(c.op+"\x00"), payload...))
	c.id = keyID(c.actor, c.Key)
	return nil
}

// likelySubject is what a request will most likely change.
func (r *request) likelySubject() roomkit.Subject {
	n := &r.firstNeed
	switch {
	case !n.Room.IsZero():
		return roomkit.RoomSubject(n.Room)
	case len(n.Companies) > 0:
		return roomkit.CompanySubject(n.Companies[0])
	case len(n.People) > 0 && n.Shared == nil:
		return roomkit.UserSubject(n.People[len(n.People)-1])
	}
	return roomkit.RoomSubject(r.newRoom)
}

func keyID(actor roomkit.Actor, key string) (id roomkit.CommandID) {
	sum := sha256.Sum256([]byte("roomkit command\x00" + actor.String() + "\x00" + key))
	copy(id[:], sum[:])
	return id
}

// numbered gives each command of one Each an id of its own under the same key.
func (r *request) numbered(i int) {
	if r.Key != "" {
		r.id = keyID(r.actor, fmt.Sprintf("%s\x00%d", r.Key, i))
	}
}

func (r *request) wrap(err error) error { return placed(r.op, r.room, err) }

// release makes a job usable again, unless a leader may still be writing to it.
func (s *Service) release(c *job) {
	if !c.abandoned {
		*c = job{}
		s.jobs.Put(c)
	}
}

// finish carries a job out and tells the observer.
func (s *Service) finish(c *job) (Result, error) {
	defer s.release(c)
	report := s.o.Observer.Command
	if report == nil {
		result, err := s.carryOut(c)
		return result, c.wrap(err)
	}
	start := s.o.Clock()
	result, err := s.carryOut(c)
	err = c.wrap(err)
	report(CommandReport{
		Name: c.op, Actor: c.actor, Room: result.Room, Err: err,
		Changed: result.Changed, Attempts: c.attempts, Took: s.o.Clock().Sub(start),
	})
	return result, err
}

// carryOut makes attempts until there is an outcome. What has to be done between two
// of them is done here and nowhere else.
func (s *Service) carryOut(c *job) (Result, error) {
	for {
		if err := s.try(c); err != nil {
			return Result{}, c.finalError(err)
		}
		var err error
		switch c.step {
		case stepAskDirectory:
			err = s.fillIn(c.ctx, c.about)
			c.askedDirectory = true
		case stepAskContacts:
			err = s.askContacts(c)
		case stepLookUp:
			c.uncertain = true
			err = s.again(c)
		case stepAgain:
			err = s.again(c)
		default:
			if c.err == nil {
				return c.result, nil
			}
			err = c.err
		}
		if err != nil {
			return Result{}, c.finalError(err)
		}
	}
}

// try makes one attempt. An error says that the caller gave up waiting; then the
// attempt is not to be looked at.
func (s *Service) try(c *job) error {
	c.attempts++
	c.attempt = attempt{need: c.firstNeed}
	if c.Key != "" || c.uncertain {
		c.need.Command = c.id
	}
	if c.plan {
		g := group{jobs: []*job{c}}
		g.run(c.ctx, s)
		return nil
	}
	return s.run(c)
}

// again waits before the next attempt, or says why there is none. The first one
// comes at once.
func (s *Service) again(c *job) error {
	if c.attempts >= s.o.Attempts {
		return c.err
	}
	if err := c.ctx.Err(); err != nil {
		return err
	}
	s.o.Logger.LogAttrs(c.ctx, slog.LevelDebug, "roomkit: running a command again",
		slog.String("command", c.op), slog.Int("attempt", c.attempts), slog.Any("cause", c.err))
	if c.attempts == 1 {
		return nil
	}
	return backoff.Pauses{First: time.Millisecond, Longest: 50 * time.Millisecond}.Wait(c.ctx, c.attempts)
}

// finalError is what the caller learns. Even a refusal leaves open what becomes of
// an earlier attempt that may still be on its way.
func (c *job) finalError(err error) error {
	if c.uncertain && !errors.Is(err, roomkit.ErrUnknownOutcome) {
		return fmt.Errorf("%w: %w", roomkit.ErrUnknownOutcome, err)
	}
	return err
}

// fillIn provisions users that the host's directory knows and the store does not.
func (s *Service) fillIn(ctx context.Context, missing []roomkit.UserID) error {
	users, companies, err := s.o.Directory.Users(ctx, missing)
	if err != nil {
		return fmt.Errorf("directory: %w", err)
	}
	for _, c := range companies {
		known, err := store.Ask(ctx, s.store, []store.Need{{Companies: []roomkit.CompanyID{c.ID}}})
		if err != nil {
			return err
		}
		if len(known[0].Companies) > 0 {
			continue
		}
		if err := s.provision(ctx, roomkit.PutCompany{Company: c}); err != nil {
			return err
		}
	}
	if len(users) == 0 {
		return nil
	}
	return s.provision(ctx, roomkit.PutUsers{Users: users})
}

func (s *Service) provision(ctx context.Context, cmd roomkit.Command) error {
	if _, err := s.Do(ctx, roomkit.System(), cmd); err != nil {
		return fmt.Errorf("directory: %w", within(err))
	}
	return nil
}

func (s *Service) askContacts(c *job) error {
	known, err := s.o.Contacts(c.ctx, c.actor.User(), c.about)
	c.contacts = slices.Concat(c.contacts, known)
	c.askedContacts = true
	return err
}
