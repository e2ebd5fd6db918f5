package natsstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/backoff"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/judge"
)

// window is how many messages back a message may refer to: one that comes more messages
// after what its writer had seen is refused by all copies. So each of them knows by the last so many
// messages what is a repetition, and which parts a body has.
const window = 8192

// place is how far a log was applied.
type place struct {
	seq     uint64
	chain   chain
	results results
	head    int64 // the number of the newest record of the copy
}

// entry is a message of the log.
type entry struct {
	seq  uint64
	data []byte
}

// applier applies the messages of the log in their order to the copy.
type applier struct {
	place   atomic.Pointer[place] // how far the copy is
	applied atomic.Uint64
	moved   atomic.Uint64         // the sequence number of the last message that was read
	failing atomic.Pointer[error] // as long as the copy cannot be written
	ready   chan struct{}         // closed when it is certain that the log has what the copy has
	readied sync.Once

	mu     sync.Mutex // guards what follows; who holds it applies
	read   place      // how far the log was read
	target place      // how far the copy had applied the log when it was opened
	recent [2 * window]slot
	known  map[id]uint64 // sequence numbers of recent messages
	bodies map[assembled]*assembly
	early  map[uint64][]byte // own messages that are acknowledged, before others have come
	file   *file             // nil: the copy remembers nothing
}

// slot is what is kept of a recent message.
type slot struct {
	place
	id id
}

// assembled tells a body from others, and assembly is what has come of it.
type (
	assembled struct {
		writer writerID
		number uint64
	}
	assembly struct {
		parts, next, seen uint64
		body              []byte
	}
)

// action is what a message makes a copy do.
type action struct {
	at place
	envelope
	of   *body // what the whole body says; nil: nothing
	last bool  // the message is the last one of its body
	late bool  // and no copy does what it says
}

func (a *applier) slot(seq uint64) *slot { return &a.recent[seq%uint64(len(a.recent))] }

// begin finds out how far the copy is; half says that it was being filled when its process ended.
func (a *applier) begin(ctx context.Context, s *Store) (half bool, err error) {
	a.ready = make(chan struct{})
	a.known, a.bodies, a.early = map[id]uint64{}, map[assembled]*assembly{}, map[uint64][]byte{}
	a.read = place{chain: s.log.begin(), results: s.log.begin().begin()}
	a.target = a.read
	empty, err := s.isEmpty(ctx)
	if err != nil {
		return false, err
	}
	switch _, files := s.copy.(fileCopy); {
	case s.o.File == nil && files:
		return false, invalid("File", "a copy that has a file needs it")
	case s.o.File != nil:
		return a.open(ctx, s, empty)
	case !empty:
		return false, fmt.Errorf("%w: it is not empty, and Options.File is not given", ErrOtherLog)
	}
	return false, nil
}

// isEmpty reports whether the copy holds nothing, not even commands without events.
func (s *Store) isEmpty(ctx context.Context) (bool, error) {
	if head, err := s.copy.Head(ctx); err != nil || head != "" {
		return false, err
	}
	for p, err := range s.copy.Dump(ctx) {
		if err != nil || len(p.Commands)+len(p.Checkpoints)+len(p.Companies)+len(p.Users)+len(p.Teams)+len(p.Rooms)+len(p.Members)+len(p.Bases) > 0 {
			return false, err
		}
	}
	return true, nil
}

// start begins to apply where the copy is.
func (a *applier) start() {
	at := a.target
	a.slot(a.read.seq).place = a.read
	a.place.Store(&at)
	a.applied.Store(at.seq)
}

// meet notes that the stream was found, and is ready if the copy had nothing of it.
func (a *applier) meet() {
	if _, target := a.position(); target.seq == 0 {
		a.readied.Do(func() { close(a.ready) })
	}
}

// position gives how far the log was read, and how far it has to go at least.
func (a *applier) position() (read, target place) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.read, a.target
}

// still does something while the copy does not move, and lets it go on if that panics.
func (a *applier) still(do func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	do()
}

// waiting reports whether own messages wait for those of others.
func (a *applier) waiting() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.early) > 0
}

// errGap says that messages are missing between what was read and what has come.
var errGap = errors.New("messages are missing in between")

// take applies messages that have come one after another. What has come before is compared. Where that
// fails or panics the copy may lack what was read, so the store stops before anybody goes on behind it.
func (s *Store) take(entries []entry) (err error) {
	s.applier.mu.Lock()
	defer s.applier.mu.Unlock()
	if why := s.Err(); why != nil {
		return why
	}
	s.guard(func() { err = s.takeNext(entries) })
	return cmp.Or(err, s.Err())
}

func (s *Store) takeNext(entries []entry) error {
	a := &s.applier
	actions := make([]action, 0, len(entries))
	var err error
	for i := range entries {
		if err = a.digest(s, &entries[i], &actions); err != nil {
			break
		}
		for next := a.early[a.read.seq+1]; next != nil && err == nil; next = a.early[a.read.seq+1] {
			err = a.digest(s, &entry{a.read.seq + 1, next}, &actions)
		}
	}
	failed := s.execute(actions)
	if failed != nil {
		s.halt(failed)
	}
	return errors.Join(err, failed)
}

// own takes an own message that is acknowledged, before it comes back.
func (s *Store) own(seq uint64, data []byte) {
	a := &s.applier
	a.mu.Lock()
	early := seq > a.read.seq+1
	if early {
		a.early[seq] = data
	}
	a.mu.Unlock()
	if early {
		return
	}
	if err := s.take([]entry{{seq, data}}); err != nil && !errors.Is(err, errGap) {
		s.halt(err)
	}
}

// digest notes a message, and adds what it makes the copy do.
func (a *applier) digest(s *Store, e *entry, actions *[]action) error {
	if e.seq <= a.read.seq {
		return a.compare(e)
	}
	if e.seq != a.read.seq+1 {
		return errGap
	}
	act, err := a.examine(s, e)
	if err != nil {
		return fmt.Errorf("message %d: %w", e.seq, err)
	}
	delete(a.early, e.seq)
	a.read = act.at
	a.moved.Store(e.seq)
	a.note(&act)
	switch {
	case e.seq > a.target.seq:
		*actions = append(*actions, act)
	case e.seq == a.target.seq && act.at.chain != a.target.chain:
		return fmt.Errorf("%w: what the copy has applied up to message %d is not what the log has", ErrLost, e.seq)
	case e.seq == a.target.seq:
		a.readied.Do(func() { close(a.ready) })
	}
	return nil
}

// compare demands that a message which comes again is the one that was applied.
func (a *applier) compare(e *entry) error {
	is, before := a.slot(e.seq), a.slot(e.seq-1)
	if e.seq == 0 || is.seq != e.seq || before.seq != e.seq-1 {
		return nil // too long ago
	}
	if before.chain.after(e.data) != is.chain {
		return fmt.Errorf("%w: message %d is another one now", ErrLost, e.seq)
	}
	return nil
}

// note keeps what later messages are compared with.
func (a *applier) note(act *action) {
	here := a.slot(act.at.seq)
	if a.known[here.id] == here.seq {
		delete(a.known, here.id)
	}
	*here = slot{act.at, act.id()}
	if _, repeated := a.known[here.id]; !repeated {
		a.known[here.id] = act.at.seq
	}
	if act.at.seq%window == 0 {
		for key, b := range a.bodies {
			if b.seen+window < act.at.seq {
				delete(a.bodies, key)
			}
		}
	}
}

// examine finds out what a message is about.
func (a *applier) examine(s *Store, e *entry) (act action, err error) {
	act.at = place{seq: e.seq, chain: a.read.chain.after(e.data)}
	accepted := e.seq <= s.o.AcceptedTo
	switch act.envelope, err = decodeEnvelope(e.data); {
	case errors.Is(err, ErrForeign) && accepted:
		act.envelope = envelope{}
		return act, nil
	case err != nil:
		return act, err
	case act.log != s.log: // of somebody who does not know yet that the stream was made anew
		act.envelope = envelope{}
		return act, nil
	case act.rules > rules:
		return act, fmt.Errorf("%w: it is judged by rules %d", ErrNewer, act.rules)
	case act.seen >= e.seq && accepted:
		return act, nil
	case act.seen >= e.seq:
		return act, fmt.Errorf("%w: its writer had seen message %d", ErrLost, act.seen)
	}
	if seen := a.slot(act.seen); seen.seq == act.seen && seen.chain != act.chain && seen.chain != (chain{}) && !accepted {
		return act, fmt.Errorf("%w: its writer had seen another log up to message %d", ErrLost, act.seen)
	}
	if _, repeated := a.known[act.id()]; repeated {
		return act, nil
	}
	act.last = act.part+1 == act.parts
	act.late = act.seen+window < e.seq
	whole := a.assemble(&act)
	if !act.last || act.late || whole == nil {
		act.late = act.late || whole == nil
		return act, nil
	}
	if e.seq <= a.target.seq { // the copy has it
		return act, nil
	}
	b, err := decodeBody(whole)
	if errors.Is(err, ErrForeign) && accepted {
		act.late = true
		return act, nil
	}
	act.of = &b
	return act, err
}

// assemble gives the body of which a message is the last part; nil if there is more to come or
// a part has not come.
func (a *applier) assemble(act *action) []byte {
	if act.parts == 1 {
		return act.body
	}
	key := assembled{act.writer, act.number}
	b := a.bodies[key]
	if b == nil && act.part == 0 {
		b = &assembly{parts: act.parts, seen: act.seen}
		a.bodies[key] = b
	}
	if b == nil || act.part != b.next || act.parts != b.parts {
		delete(a.bodies, key)
		return nil
	}
	b.body, b.next = append(b.body, act.body...), b.next+1
	if b.next < b.parts {
		return nil
	}
	delete(a.bodies, key)
	return b.body
}

// execute makes the copy do what messages say, and tries again until it can.
func (s *Store) execute(actions []action) error {
	if len(actions) == 0 {
		return nil
	}
	pauses := backoff.Pauses{First: 10 * time.Millisecond, Longest: time.Second}
	for n := 0; len(actions) > 0; n++ {
		done, err := s.attempt(actions)
		s.finish(actions[:len(done)], done)
		actions = actions[len(done):]
		if s.applier.failing.Store(nil); err != nil {
			s.applier.failing.Store(&err)
		}
		switch {
		case errors.Is(err, roomkit.ErrUnsupported):
			return err
		case err == nil:
			continue
		}
		s.o.Logger.ErrorContext(s.ctx, "natsstore: the copy cannot be written; it is tried again", "error", err)
		if pauses.Wait(s.ctx, n) != nil {
			return s.Err()
		}
	}
	return nil
}

// result is what a copy has made of a message.
type result struct {
	calls   [][]store.CommitResult
	renamed store.Renamed
	count   int
	err     error
}

// attempt makes the copy do what messages say, as far as it can.
func (s *Store) attempt(actions []action) (done []result, err error) {
	if f := s.applier.file; f != nil && !f.idle(actions) {
		return f.write(s, actions)
	}
	return s.carry(s.copy, actions)
}

// carry makes a copy, or one in a transaction, do what messages say one after another, and notes
// what it has made of them.
func (s *Store) carry(to store.Store, actions []action) (done []result, err error) {
	done = make([]result, 0, len(actions))
	is := *s.applier.place.Load()
	if err := s.demandHead(to, is.head); err != nil {
		return nil, err
	}
	for i := range actions {
		act := &actions[i]
		if err := s.agree(act); err != nil {
			return done, err
		}
		r, err := s.act(to, act)
		if err != nil {
			return done, err
		}
		if err := s.outwardResults(r.calls, &is); err != nil {
			return done, err
		}
		act.at.results, act.at.head = is.results, is.head
		s.applier.slot(act.at.seq).results = is.results
		done = append(done, r)
	}
	return done, nil
}

// agree demands that the writer of a message had the same results as this copy.
func (s *Store) agree(act *action) error {
	seen := s.applier.slot(act.seen)
	if seen.seq != act.seen || seen.results == (results{}) || act.sum == (results{}) || seen.results == act.sum || act.at.seq <= s.o.AcceptedTo {
		return nil
	}
	return fmt.Errorf("%w: up to message %d, as message %d says", ErrDiverged, act.seen, act.at.seq)
}

// act makes a copy, or one in a transaction, do what a message says. What a body of its own
// comes to is in the result; an error says that the copy could not do it.
func (s *Store) act(to store.Store, act *action) (r result, err error) {
	switch {
	case act.of == nil:
	case act.of.kind == kindCalls:
		r.calls = make([][]store.CommitResult, len(act.of.calls))
		for i, call := range act.of.calls {
			if r.calls[i], err = to.Commit(context.Background(), call); err != nil {
				return r, err
			}
		}
	default:
		return s.alter(act.of)
	}
	return r, nil
}

// finish tells everybody what was applied.
func (s *Store) finish(actions []action, results []result) {
	if len(actions) == 0 {
		return
	}
	at := actions[len(actions)-1].at
	s.applier.place.Store(&at)
	s.applier.applied.Store(at.seq)
	stored := false
	for i := range actions {
		for _, call := range results[i].calls {
			for j := range call {
				stored = stored || judge.Stored(call[j])
			}
		}
		if act := &actions[i]; act.writer == s.writer && act.last {
			s.land(act, &results[i])
		}
	}
	if stored {
		s.bell.Ring()
	}
}

// land gives their results to those who wait for a message.
func (s *Store) land(act *action, done *result) {
	f := s.sender.find(act.number)
	if f == nil || !s.sender.land(f) {
		return
	}
	if is := int64(f.sent.Sub(s.opened)); is > s.sender.fresh.Load() {
		s.sender.fresh.Store(is)
	}
	calls := done.calls
	for _, r := range f.requests {
		switch {
		case r.barrier:
		case act.late:
			r.late()
		case r.alone != nil:
			r.renamed, r.count, r.err, r.seq = done.renamed, done.count, done.err, act.at.seq
		default:
			r.results, calls = calls[0], calls[1:]
		}
		close(r.done)
	}
	f.cancel()
}

// late refuses what came so long after what its writer had seen that no copy takes it.
func (r *request) late() {
	err := fmt.Errorf("%w: the message came too late into the log", roomkit.ErrConflict)
	if r.alone != nil {
		r.err = err
		return
	}
	r.results = make([]store.CommitResult, r.changes)
	for i := range r.results {
		r.results[i].Err = err
	}
}
