package service

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/backoff"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/store"
)

// request is a command as its caller gave it. It does not change, but for the id of a
// room to open.
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
	derived   bool // it follows from the command: those next to it take its place when it has been opened meanwhile, or long ago
	passed    int  // how many of these have been passed over
	firstNeed store.Need
	people    [4]roomkit.UserID // where firstNeed.People begins
	subject   roomkit.Subject   // what it will most likely change
	start     time.Time         // for the observer
}

// job carries a request out, in as many attempts as that takes.
type job struct {
	request
	attempt
	ticket
	scratch *decide.Scratch
	reading sync.Mutex        // held while a group reads the command
	home    roomkit.CompanyID // of the actor, as of the last load
	atHome  bool              // there has been one

	attempts     int
	uncounted    bool             // the next attempt is not the caller's affair
	first        bool             // is decided before those of its group who are not
	alone        bool             // shares no group any more
	sure         bool             // is not decided on a copy at hand any more
	uncertain    bool             // an earlier attempt may have been stored
	asked        []roomkit.UserID // about whom the host has been asked
	contacts     []roomkit.UserID // those of the request, and what Options.Contacts said
	assumed      assumed          // what Options.Directory said
	lookedAround bool
	looked       looked
	beside       []store.Need // of looked: to be loaded again with the rest
	moved        int          // how often looked has changed meanwhile
}

// attempt is one try to carry a request out, from Load to Commit.
type attempt struct {
	need     store.Need
	loads    int           // after the first one
	earlier  *decide.Facts // about another room, on which the decision has relied already
	outdated bool          // earlier is not what holds together with facts
	facts    decide.Facts
	atHand   bool // some of facts, or of earlier, are of a copy at hand
	decision decide.Decision
	step     step
	thrown   *thrown // when the step is stepThrow
	sent     bool    // to the store, which has not said what became of it
	fill     filling // what the facts take for known
	result   Result  // when the step is stepDone
	err      error   // the same, and why the attempt has to be repeated

	clockLag    time.Duration // by how much the clock is behind the last event of the room
	provisional bool          // decided on a neighbour's change that is not stored yet
}

// step is what has to be done next with a job. A group carries out stepLoad and
// stepCommit, the caller the others.
type step uint8

const (
	stepAlone     step = iota // again in a group of its own: nothing is settled
	stepFirst                 // again as one of the first of its group: the same
	stepDone                  // the outcome is there
	stepLoad                  // load what the job needs now
	stepCommit                // store what was decided
	stepAsk                   // ask the host about people, then again
	stepLook                  // look at rooms that people share, then again
	stepProvision             // store those whom the directory knows, then again
	stepAgain                 // somebody else was faster: again
	stepLookUp                // again, and see whether this attempt was stored
	stepThrow                 // a panic of the host or of the store
)

// newJob checks a request and gives it its ids. With an error the job serves only
// to say whose error it is.
func (s *Service) newJob(ctx context.Context, actor roomkit.Actor, cmd roomkit.Command, given []Call) (*job, error) {
	j, _ := s.jobs.Get().(*job)
	if j == nil {
		j = &job{scratch: new(decide.Scratch)}
	}
	j.ctx, j.actor, j.cmd = ctx, actor, cmd
	if s.o.Observer.Command != nil {
		j.start = s.o.Clock()
	}
	malformed := decide.Check(actor, cmd)
	j.place(malformed == nil)
	if err := cmp.Or(ctx.Err(), malformed); err != nil {
		return j, err
	}
	var err error
	if c, ok := cmd.(roomkit.Invite); ok {
		j.newRoom, j.derived = openedBy(c), true
	} else if decide.OpensRoom(cmd) {
		if j.newRoom, err = s.newRoomID(); err != nil {
			return j, err
		}
	}
	if j.id = roomkit.CommandID(s.o.NewID()); j.id.IsZero() {
		return j, badID("zero")
	}
	binary.BigEndian.PutUint64(j.digest[:], s.commands.Add(1)) // tells the command from another one of the same id
	copy(j.digest[8:], s.mark[:])
	j.subject = j.likelySubject()
	return j, j.take(given)
}

// place says what the command is called and which room it names, and, if it has the right
// form, what it needs first.
func (j *job) place(wellFormed bool) {
	switch {
	case wellFormed:
		j.op = roomkit.CommandName(j.cmd)
		j.firstNeed.People = j.people[:0]
		decide.FillNeed(&j.firstNeed, j.actor, j.cmd)
		j.room = j.firstNeed.Room
	case decide.Known(j.cmd):
		j.op, j.room = roomkit.CommandName(j.cmd), decide.RoomNamed(j.cmd)
	default:
		j.op = "Do"
	}
}

func (s *Service) newRoomID() (id roomkit.RoomID, err error) {
	if id = roomkit.RoomID(s.o.NewID()); id.IsZero() {
		err = badID("zero")
	}
	return id, err
}

// badID is the fault of an Options.NewID that gives an id which is what it says.
func badID(what string) error {
	return &hostFault{"NewID", fmt.Errorf("%w: it gives an id that is %s", roomkit.ErrUnsupported, what)}
}

// take adds what the caller has said besides the command.
func (j *job) take(given []Call) error {
	if len(given) > 1 {
		return &roomkit.Invalid{Field: "Call", Reason: "more than one"}
	}
	if len(given) == 1 {
		j.Call = given[0]
	}
	if j.IfVersion != 0 && !decide.Versioned(j.cmd, j.room) {
		return &roomkit.Invalid{Field: "IfVersion", Reason: "the command names nothing that has a version"}
	}
	for i, id := range j.Contacts {
		if !id.Valid() {
			return &roomkit.Invalid{Field: fmt.Sprintf("Contacts[%d]", i), Reason: "not a user id"}
		}
	}
	j.contacts = namedIn(j.Contacts, j.firstNeed.People)
	j.Contacts = nil // they are the caller's
	if j.Key == "" {
		return nil
	}
	if len(j.Key) > roomkit.MaxKeyBytes {
		return &roomkit.Invalid{Field: "Key", Reason: fmt.Sprintf("more than %d bytes", roomkit.MaxKeyBytes)}
	}
	j.digest = digest(j.cmd)
	j.id = keyID(j.actor, j.Key, 0)
	return nil
}

// namedIn gives those of some people who are in a list, however many the others are. A leader
// looks through them again and again while everybody waits.
func namedIn(some, list []roomkit.UserID) (found []roomkit.UserID) {
	if len(some) == 0 {
		return nil
	}
	in := make(map[roomkit.UserID]bool, len(list))
	for _, id := range list {
		in[id] = true
	}
	for _, id := range some {
		if in[id] {
			found = append(found, id)
			in[id] = false
		}
	}
	return found
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

// openedBy gives the id of the room that an invitation opens. It follows from the
// invitation, so that two processes that are given the same one cannot open two.
func openedBy(c roomkit.Invite) (id roomkit.RoomID) {
	var few [8]roomkit.UserID // so that the usual invitation needs no memory for this
	people := append(few[:0], c.People...)
	slices.Sort(people)
	var short [512]byte
	form := append(append(short[:0], "roomkit invite\x00"...), c.Room[:]...)
	for _, user := range people {
		form = append(append(form, user...), 0)
	}
	sum := sha256.Sum256(form)
	copy(id[:], sum[:])
	return asDerived(id)
}

// nextTo gives the id of the room that an invitation opens if a room has the id before.
func nextTo(id roomkit.RoomID) (next roomkit.RoomID) {
	sum := sha256.Sum256(append([]byte("roomkit invite again\x00"), id[:]...))
	copy(next[:], sum[:])
	return asDerived(next)
}

// asDerived makes an id a UUIDv8, as all that are derived: none is taken for one that has a
// time in it, by retention.Prune for instance.
func asDerived[ID roomkit.RoomID | roomkit.CommandID](id ID) ID {
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80
	return id
}

// keyID gives the id of a command under a key; place is 0, or where in a batch it is,
// from 1 on. Each part has its length before it, so that no two can be taken for one.
func keyID(actor roomkit.Actor, key string, place int) (id roomkit.CommandID) {
	form := putText(putText([]byte("roomkit command\x00"), actor.String()), key)
	sum := sha256.Sum256(binary.AppendUvarint(form, uint64(place)))
	return asDerived(roomkit.CommandID(sum[:16]))
}

// numbered gives each command of one Batch an id of its own under the same key.
func (r *request) numbered(i int) {
	if r.Key != "" {
		r.id = keyID(r.actor, r.Key, i+1)
	}
}

func (r *request) wrap(err error) error { return placed(r.op, r.room, err) }

// release makes a job usable again, unless a leader may still be writing to it.
func (s *Service) release(j *job) {
	if !j.abandoned {
		*j = job{scratch: j.scratch, ticket: ticket{wake: j.wake}}
		s.jobs.Put(j)
	}
}

// keep makes the command the job's own, when its caller goes away before it is decided.
func (j *job) keep() {
	j.reading.Lock()
	defer j.reading.Unlock()
	j.cmd = ownCopy(j.cmd)
}

// ownCopy gives a copy of a command that refers to nothing of its caller's.
func ownCopy(cmd roomkit.Command) roomkit.Command {
	own := reflect.New(reflect.TypeOf(cmd)).Elem()
	own.Set(reflect.ValueOf(cmd))
	unshare(own)
	cmd, _ = own.Interface().(roomkit.Command)
	return cmd
}

// unshare copies what a value refers to.
func unshare(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				unshare(v.Field(i))
			}
		}
	case reflect.Slice:
		v.Set(reflect.AppendSlice(reflect.Zero(v.Type()), v))
	case reflect.Pointer:
		if !v.IsNil() {
			to := reflect.New(v.Type().Elem())
			to.Elem().Set(v.Elem())
			v.Set(to)
		}
	default: // is a value
	}
}

// finish carries a job out and tells the observer.
func (s *Service) finish(j *job) (Result, error) {
	result, err := s.carryOut(j)
	err = j.wrap(err)
	if result.Changed && j.clockLag > s.o.MaxClockDrift {
		s.o.Logger.LogAttrs(j.ctx, slog.LevelWarn, "roomkit: the last event of a room lay ahead of the clock, and the clock is followed",
			slog.String("command", j.op), slog.Any("room", result.Room), slog.Duration("by", j.clockLag))
	}
	s.ended(j, &result, err)
	s.release(j)
	return result, err
}

// carryOut makes attempts until there is an outcome.
func (s *Service) carryOut(j *job) (Result, error) {
	for {
		err := s.try(j)
		if err == nil && j.step == stepDone {
			if j.err == nil {
				return j.result, nil
			}
			err = j.err
		}
		if err == nil {
			err = s.between(j)
		}
		if err != nil {
			return Result{}, j.finalError(err)
		}
		j.attempt = attempt{}
	}
}

// between does what has to be done between two attempts, here and nowhere else.
func (s *Service) between(j *job) (err error) {
	switch j.step {
	case stepAsk:
		j.uncounted = true
		ask, who := j.decision.Ask, j.facts.Person(j.actor.User())
		contacts, err := s.askHost(j.ctx, &who, ask, &j.assumed)
		j.asked, j.contacts = slices.Concat(j.asked, ask.About), slices.Concat(j.contacts, contacts)
		return err
	case stepLook:
		j.uncounted = true
		return s.lookAround(j)
	case stepProvision:
		j.uncounted, j.assumed = true, assumed{}
		return s.provision(j.ctx, &j.fill)
	case stepLookUp:
		j.uncertain = true
	case stepFirst, stepAlone:
		j.alone, j.first, j.uncounted = j.step == stepAlone || j.first, true, true
		j.uncertain = j.uncertain || j.sent
		j.needAtOnce()
		return j.ctx.Err()
	case stepThrow:
		s.o.Logger.LogAttrs(j.ctx, slog.LevelError, "roomkit: a panic while a command was decided",
			slog.String("command", j.op), slog.Any("value", j.thrown.value), slog.String("stack", string(j.thrown.stack)))
		j.thrown.again()
	default: // stepAgain
	}
	j.needAtOnce()
	return s.again(j)
}

// needAtOnce has the next attempt load everything with its first load: an attempt that takes
// longer than those of others would lose to them again and again.
func (j *job) needAtOnce() {
	if j.need.Room != j.firstNeed.Room {
		return
	}
	n := &j.firstNeed
	n.Everybody, n.Masters = n.Everybody || j.need.Everybody, n.Masters || j.need.Masters
	n.Name, n.Company = j.need.Name, j.need.Company
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
	if !j.uncounted {
		j.attempts++
	}
	j.uncounted = false
	j.need = j.firstNeed
	if j.Key != "" || j.uncertain {
		j.need.Command = j.id
	}
	if homes := j.assumed.homes(); len(homes) > 0 {
		j.need.Companies = slices.Concat(j.need.Companies, homes)
	}
}

// again waits before the next attempt, or says why there is none. The first one
// comes at once.
func (s *Service) again(j *job) error {
	drawn := j.decision.Opens && j.decision.Room == j.newRoom && !j.derived
	if err := s.makeRoom(j); err != nil {
		return err
	}
	if j.attempts >= s.o.Attempts {
		return s.lastError(j, drawn)
	}
	if err := j.ctx.Err(); err != nil {
		return err
	}
	s.o.Logger.LogAttrs(j.ctx, slog.LevelDebug, "roomkit: running a command again",
		slog.String("command", j.op), slog.Int("attempt", j.attempts), slog.Any("cause", j.err))
	if drawn {
		var err error
		if j.newRoom, err = s.newRoomID(); err != nil {
			return err
		}
	}
	if j.attempts <= 1 {
		return nil
	}
	return backoff.Pauses{First: time.Millisecond, Longest: 50 * time.Millisecond}.Wait(j.ctx, j.attempts)
}

// maxPassed is how many ids of an invitation may be in use before one is drawn.
const maxPassed = 8

// makeRoom gives the room to open another id when a room has the first one, by now or
// long ago: to find that out is no attempt. It follows from the first one, too, so that not
// even then two processes open two rooms. The next attempt finds the room that is there
// again, if it is still the one that is asked for.
func (s *Service) makeRoom(j *job) error {
	if !j.decision.Opens || !j.derived {
		return nil
	}
	opened, err := s.store.History(j.ctx, roomkit.RoomSubject(j.newRoom), 0, 1)
	if gone := errors.Is(err, roomkit.ErrPruned); !gone && (err != nil || len(opened) == 0) {
		return err
	}
	j.attempts--
	if j.passed++; j.passed == maxPassed {
		j.derived = false
		j.newRoom, err = s.newRoomID()
		return err
	}
	j.newRoom = nextTo(j.newRoom)
	return nil
}

// lastError is that of the last attempt, or says that the id that was drawn for the room to
// open is that of another one.
func (s *Service) lastError(j *job, drawn bool) error {
	if drawn && errors.Is(j.err, roomkit.ErrConflict) {
		f, err := s.load(j.ctx, store.Need{Room: j.newRoom})
		if err == nil && f.Room.Version > 0 {
			return badID("that of a room")
		}
	}
	return j.err
}

// finalError is what the caller learns. Even a refusal leaves open what becomes of
// an earlier attempt that may still be on its way.
func (j *job) finalError(err error) error {
	if j.uncertain && !errors.Is(err, roomkit.ErrUnknownOutcome) {
		return fmt.Errorf("%w: %w", roomkit.ErrUnknownOutcome, err)
	}
	return err
}
