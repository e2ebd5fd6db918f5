package service

import (
	"context"
	"crypto/sha256"
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
	plan        bool // decide only
	consequence bool // of a command that the veto has let pass

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
	assumed        *assumed         // of a plan: what Options.Directory would fill in
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
	j, _ := s.jobs.Get().(*job)
	if j == nil {
		j = new(job)
	}
	j.ctx, j.actor, j.cmd = ctx, actor, cmd
	malformed := decide.Check(actor, cmd)
	switch {
	case malformed == nil:
		j.op = roomkit.CommandName(cmd)
		j.firstNeed.People = j.people[:0]
		decide.FillNeed(&j.firstNeed, actor, cmd)
		j.room = j.firstNeed.Room
	case decide.Known(cmd):
		j.op, j.room = roomkit.CommandName(cmd), decide.RoomNamed(cmd)
	default:
		j.op = "Do"
	}
	if err := ctx.Err(); err != nil {
		return j, err
	}
	if malformed != nil {
		return j, malformed
	}
	if decide.OpensRoom(cmd) {
		j.newRoom = roomkit.RoomID(s.o.NewID())
	}
	j.id = roomkit.CommandID(s.o.NewID())
	j.subject = j.likelySubject()
	return j, j.take(given)
}

// take adds what the caller has said besides the command.
func (j *job) take(given []Call) error {
	if len(given) > 1 {
		return &roomkit.Invalid{Field: "Call", Reason: "more than one"}
	}
	if len(given) == 1 {
		j.Call = given[0]
	}
	if j.IfVersion != 0 && j.room.IsZero() && decide.Named(j.cmd) == (roomkit.Subject{}) {
		return &roomkit.Invalid{Field: "IfVersion", Reason: "the command names nothing that has a version"}
	}
	for i, id := range j.Contacts {
		if !id.Valid() {
			return &roomkit.Invalid{Field: fmt.Sprintf("Contacts[%d]", i), Reason: "not a user id"}
		}
	}
	j.contacts = j.Contacts
	if j.Key == "" {
		return nil
	}
	if len(j.Key) > roomkit.MaxKeyBytes {
		return &roomkit.Invalid{Field: "Key", Reason: fmt.Sprintf("more than %d bytes", roomkit.MaxKeyBytes)}
	}
	j.digest = digest(j.cmd)
	j.id = keyID(j.actor, j.Key)
	return nil
}

// likelySubject is what a request will most likely change.
func (r *request) likelySubject() roomkit.Subject {
	n, named := &r.firstNeed, decide.Named(r.cmd)
	switch {
	case !n.Room.IsZero():
		return roomkit.RoomSubject(n.Room)
	case named != (roomkit.Subject{}):
		return named
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
func (s *Service) release(j *job) {
	if !j.abandoned {
		*j = job{}
		s.jobs.Put(j)
	}
}

// finish carries a job out and tells the observer.
func (s *Service) finish(j *job) (Result, error) {
	defer s.release(j)
	report, start := s.o.Observer.Command, time.Time{}
	if report != nil {
		start = s.o.Clock()
	}
	result, err := s.carryOut(j)
	err = j.wrap(err)
	if report != nil {
		report(CommandReport{
			Name: j.op, Actor: j.actor, Room: result.Room, Err: err,
			Changed: result.Changed, Attempts: j.attempts, Took: s.o.Clock().Sub(start),
		})
	}
	return result, err
}

// carryOut makes attempts until there is an outcome. What has to be done between two
// of them is done here and nowhere else.
func (s *Service) carryOut(j *job) (Result, error) {
	for {
		if err := s.try(j); err != nil {
			return Result{}, j.finalError(err)
		}
		var err error
		switch j.step {
		case stepAskDirectory:
			j.askedDirectory = true
			if j.plan {
				j.assumed = &assumed{}
				err = s.assume(j.ctx, j.assumed, j.about)
			} else {
				err = s.fillIn(j.ctx, j.about, s.provision)
			}
		case stepAskContacts:
			err = s.askContacts(j)
		case stepLookUp:
			j.uncertain = true
			err = s.again(j)
		case stepAgain:
			err = s.again(j)
		default:
			if j.err == nil {
				return j.result, nil
			}
			err = j.err
		}
		if err != nil {
			return Result{}, j.finalError(err)
		}
	}
}

// try makes one attempt. An error says that the caller gave up waiting; then the
// attempt is not to be looked at.
func (s *Service) try(j *job) error {
	if !j.queued {
		j.begin()
	}
	if j.plan {
		g := group{jobs: []*job{j}}
		g.run(j.ctx, s)
		return nil
	}
	return s.run(j)
}

// begin starts an attempt.
func (j *job) begin() {
	if j.attempts++; j.attempts > 1 {
		j.attempt = attempt{}
	}
	j.need = j.firstNeed
	if j.Key != "" || j.uncertain {
		j.need.Command = j.id
	}
	if j.assumed != nil {
		j.need.Companies = append(slices.Clone(j.need.Companies), j.assumed.homes()...)
	}
}

// again waits before the next attempt, or says why there is none. The first one
// comes at once.
func (s *Service) again(j *job) error {
	if j.attempts >= s.o.Attempts {
		return j.err
	}
	if err := j.ctx.Err(); err != nil {
		return err
	}
	s.o.Logger.LogAttrs(j.ctx, slog.LevelDebug, "roomkit: running a command again",
		slog.String("command", j.op), slog.Int("attempt", j.attempts), slog.Any("cause", j.err))
	if j.attempts == 1 {
		return nil
	}
	return backoff.Pauses{First: time.Millisecond, Longest: 50 * time.Millisecond}.Wait(j.ctx, j.attempts)
}

// finalError is what the caller learns. Even a refusal leaves open what becomes of
// an earlier attempt that may still be on its way.
func (j *job) finalError(err error) error {
	if j.uncertain && !errors.Is(err, roomkit.ErrUnknownOutcome) {
		return fmt.Errorf("%w: %w", roomkit.ErrUnknownOutcome, err)
	}
	return err
}

// fillIn adds users whom the host's directory knows and the store does not. Of what it
// answers only the users asked for are taken, and their companies, and who is known by
// now stays as it is.
func (s *Service) fillIn(ctx context.Context, missing []roomkit.UserID, provision func(context.Context, []roomkit.Command) error) error {
	for ids := range slices.Chunk(missing, roomkit.MaxPeople) {
		users, companies, err := s.o.Directory.Users(ctx, ids)
		if err != nil {
			return faultOf(ctx, "directory", err)
		}
		var adding, founding []roomkit.Command
		homes := map[roomkit.CompanyID]bool{}
		for _, u := range users {
			if slices.Contains(ids, u.ID) {
				homes[u.Company] = true
				adding = append(adding, roomkit.AddUser{User: u})
			}
		}
		for _, c := range companies {
			if homes[c.ID] {
				founding = append(founding, roomkit.AddCompany{Company: c})
			}
		}
		if err := provision(ctx, founding); err != nil {
			return err
		}
		if err := provision(ctx, adding); err != nil {
			return err
		}
	}
	return nil
}

// provision carries out all commands and gives the first error.
func (s *Service) provision(ctx context.Context, cmds []roomkit.Command) error {
	results := s.each(cmds, func(i int) (*job, error) { return s.newJob(ctx, roomkit.System(), cmds[i], nil) })
	for _, r := range results {
		if r.Err != nil {
			return faultOf(ctx, "directory", within(r.Err))
		}
	}
	return nil
}

func (s *Service) askContacts(j *job) error {
	known, err := s.o.Contacts(j.ctx, j.actor.User(), j.about)
	j.contacts = slices.Concat(j.contacts, known)
	j.askedContacts = true
	return faultOf(j.ctx, "contacts", err)
}
