package service

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/codec"
	"github.com/go-roomkit/roomkit/internal/backoff"
	"github.com/go-roomkit/roomkit/store"
)

// Handler handles one event of the feed. An error means that the event has to be
// handled again, and so does a panic: handlers run at least once per event and should not
// mind a repeat. ctx ends after FollowOptions.Timeout.
type Handler func(ctx context.Context, rec Recorded) error

// FollowOptions configure [Service.Follow]. The zero value is ready for use.
type FollowOptions struct {
	// From is where a follower begins that has no checkpoint yet. Empty: at the
	// beginning of the feed, which is an error where that has been pruned.
	From roomkit.Cursor
	// Once ends Follow at the end of the feed instead of waiting for more.
	Once bool
	// Batch is how many events are read and then checkpointed together. Defaults
	// to 256.
	Batch int
	// Lease is how long a follower that died keeps others of its name waiting, once
	// they have seen what it stored last. Each measures that itself; the clocks of
	// processes are never compared. Defaults to 30 seconds, or to half as much again as
	// Timeout if that is longer.
	Lease time.Duration
	// Timeout bounds one call of the handler. Defaults to two thirds of Lease, and has
	// to be less: what is between them is for a handler that returns late, because
	// others of the name take over when the lease is over. One that does not heed its
	// context for even longer can overlap with theirs; it blocks its own Follow, and
	// cannot move the checkpoint any more.
	Timeout time.Duration
	// Attempts is how often an event is handed over, when its handler fails or panics,
	// before Follow stops with a
	// [*PoisonEvent]. Defaults to 10, which take about half a minute: a host whose
	// handler can be kept longer by an outage calls Follow again, or gives more.
	Attempts int
	// Within runs a step inside a transaction of the host: step handles a batch
	// and moves the checkpoint in the store that it is given, for instance
	// pgstore's InTx, so that the effects of the handler in the same transaction
	// happen exactly once. The context given to step reaches the handler. Within may
	// run step more than once, as for a transaction that has to be run again, and must
	// return nil only if the transaction of the last run is committed. A step takes
	// fewer events than a batch has if they take long, and is an error, after which
	// Within is called again, if Within begins it when most of the lease is over.
	Within func(ctx context.Context, step func(ctx context.Context, tx store.Store) error) error
	// Progress is called after every checkpoint: all events up to its cursor have
	// been handled.
	Progress func(FollowProgress)
}

// FollowProgress is the progress mark of a follower.
type FollowProgress struct {
	Name    string         `json:"name,omitzero"`
	Cursor  roomkit.Cursor `json:"cursor,omitzero"`
	Records int64          `json:"records,omitzero"` // handled by this call of Follow
	At      time.Time      `json:"at,omitzero"`      // when the newest of them happened
}

// PoisonEvent says that a follower stopped because it cannot get past an event.
// [Service.SkipEvent] goes past it knowingly.
type PoisonEvent struct {
	Follower string
	Record   store.Record
	Attempts int // 0: the event cannot be decoded
	Err      error
}

// Error names the event and the cause.
func (p *PoisonEvent) Error() string {
	return fmt.Sprintf("follower %q stops at %s/%d after %d attempts: %v", p.Follower, p.Record.Subject, p.Record.Version, p.Attempts, p.Err)
}

// Unwrap gives what the handler or the decoder said last.
func (p *PoisonEvent) Unwrap() error { return p.Err }

// Follow hands every event of the feed to a handler, in order and at least once,
// and remembers in the store how far it has come: after a crash, a restart or an
// error it goes on there. Any number of processes may run a follower of the same
// name; one works at a time, and the others take over when it dies.
//
// Without FollowOptions.Within remember what you have done under Subject and Version
// of the record, which name an event for ever. What leaves your database, as a mail
// does, can happen at least once or at most once, never exactly once.
//
// Follow returns the context's error, a [*PoisonEvent], ErrInvalid for a cursor
// that this store did not issue, a [*roomkit.Pruned] if events that come next have been pruned
// (see [Service.RestartFollower]), and nil only with Once. Errors of the store are
// tried again with growing pauses; with Once the last one is returned after
// FollowOptions.Attempts more tries in a row. One round trip reads the checkpoint, one a
// batch, and one stores the checkpoint behind it.
func (s *Service) Follow(ctx context.Context, name string, handle Handler, o *FollowOptions) error {
	f, err := s.newFollower(name, handle, o)
	switch {
	case err != nil:
	case handle == nil:
		err = &roomkit.Invalid{Field: "Handler", Reason: "missing"}
	case strings.HasPrefix(name, "roomkit."):
		err = &roomkit.Invalid{Field: "Name", Reason: "begins like those of Enforce"}
	}
	if err == nil {
		err = f.run(ctx, f.turn)
	}
	return placed("Follow", roomkit.RoomID{}, err)
}

// SkipEvent moves a stopped follower past the event that it cannot handle. The
// event must be the next one of the follower, else SkipEvent is ErrConflict. If the
// follower has not said that it stops, as when its process died, SkipEvent watches it
// for as long as the lease, and is ErrConflict if it is at work.
func (s *Service) SkipEvent(ctx context.Context, follower string, rec store.Record) error {
	f, err := s.newFollower(follower, nil, nil)
	if err == nil {
		err = f.skip(ctx, rec)
	}
	return placed("SkipEvent", roomkit.RoomID{}, err)
}

// RestartFollower gives a follower another place in the feed, for one that has ended with a
// [*roomkit.Pruned], or that would before it has begun: events that it has not handled are
// forgotten, so what it has made of the feed must be made anew. Read the place, for instance from
// that error; then the rows, all of which are at least as new; then call RestartFollower with the place,
// and Follow. It handles events that the rows have already, and Versions tell which. If the follower
// has not said that it stops, RestartFollower watches it for as long as the lease, and is
// ErrConflict if it is at work. A place that this store does not have is ErrInvalid, or
// ErrPruned. For Enforce, whose name is "roomkit.enforce", there is nothing to make anew; what it has not done of
// forgotten events stays undone, although nobody has more rights by it.
func (s *Service) RestartFollower(ctx context.Context, follower string, at roomkit.Cursor) error {
	f, err := s.newFollower(follower, nil, nil)
	if err == nil {
		_, err = s.store.Feed(ctx, at, 1)
	}
	if err == nil {
		err = f.load(ctx)
	}
	if err == nil {
		err = f.idle(ctx)
	}
	if err == nil {
		err = f.put(ctx, s.store, mark{cursor: at})
	}
	return placed("RestartFollower", roomkit.RoomID{}, err)
}

type follower struct {
	FollowOptions
	s       *Service
	name    string
	me      string // tells this call of Follow from all others
	handle  Handler
	mark    mark           // as stored last
	stored  roomkit.Cursor // the same as the store has it
	seen    time.Time      // since when, at least, the store has it
	claimed time.Time      // when this call began to store it; zero: it did not
	claims  bool           // this call has tried to
	done    roomkit.Cursor // behind the last event that was handled
	records int64
	tries   int // of the next event
	few     int // with Within: the most events to take after a failure; 0: all
	telling
}

func (s *Service) newFollower(name string, handle Handler, o *FollowOptions) (*follower, error) {
	if name == "" || len(name) > roomkit.MaxKeyBytes {
		return nil, &roomkit.Invalid{Field: "Name", Reason: fmt.Sprintf("not 1 to %d bytes", roomkit.MaxKeyBytes)}
	}
	f := &follower{s: s, name: name, handle: handle, me: roomkit.RoomID(s.o.NewID()).String()}
	if o != nil {
		f.FollowOptions = *o
	}
	return f, f.setDefaults()
}

func (o *FollowOptions) setDefaults() error {
	if o.Batch < 0 || o.Lease < 0 || o.Timeout < 0 || o.Attempts < 0 {
		return &roomkit.Invalid{Field: "FollowOptions", Reason: "negative"}
	}
	o.Batch = cmp.Or(o.Batch, 256)
	o.Lease = cmp.Or(o.Lease, max(30*time.Second, o.Timeout+o.Timeout/2))
	o.Timeout = cmp.Or(o.Timeout, o.Lease-o.Lease/3)
	o.Attempts = cmp.Or(o.Attempts, 10)
	if o.Timeout >= o.Lease {
		return &roomkit.Invalid{Field: "FollowOptions.Timeout", Reason: "not less than Lease"}
	}
	return nil
}

// run takes turns until the context, a poison event or, with Once, the end of
// the feed ends it.
func (f *follower) run(ctx context.Context, turn func(context.Context) (atEnd bool, err error)) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	defer f.release(ctx)
	w := waker{s: f.s}
	for failures := 0; ; {
		f.told = false
		atEnd, err := turn(ctx)
		if err != nil {
			f.failed(ctx, err)
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			if isPoison(err) || errors.Is(err, roomkit.ErrInvalid) || errors.Is(err, roomkit.ErrPruned) || f.Once && failures >= f.Attempts {
				return err
			}
			failures++
			f.warn(ctx, "roomkit: a follower tries again", failures, err)
			rest(ctx, failures)
			continue
		case atEnd && f.Once:
			return nil
		case atEnd:
			_ = w.wait(ctx)
		}
		failures = 0
	}
}

// warn says that something has failed: the first times may pass, later ones are worth
// a look.
func (f *follower) warn(ctx context.Context, what string, failures int, err error) {
	level := slog.LevelDebug
	if failures > 2 {
		level = slog.LevelWarn
	}
	f.s.o.Logger.LogAttrs(ctx, level, what, slog.String("follower", f.name), slog.Int("failures", failures), slog.Any("error", err))
}

func isPoison(err error) bool {
	var poison *PoisonEvent
	return errors.As(err, &poison)
}

// turn handles the next batch. It reports whether there was none to handle: the
// feed is at its end, or another follower of the name is at work, which with Once
// has to be waited for.
func (f *follower) turn(ctx context.Context) (atEnd bool, err error) {
	if err := f.load(ctx); err != nil {
		return false, err
	}
	page, err := f.s.store.Feed(ctx, f.mark.cursor, f.Batch)
	if err != nil || len(page) == 0 {
		return true, err
	}
	if held, atEnd := f.waits(ctx); held {
		return atEnd, nil
	}
	batch, before := f.beginBatch(ctx), f.records
	err = f.renew(batch)
	if err == nil {
		err = f.batch(batch, page)
	}
	err = f.taken(batch, err)
	events := int(f.records - before)
	at := max(events-1, 0)
	if err != nil {
		at = min(events, len(page)-1) // that could not be handled
	}
	f.endBatch(batch, events, page[at].At, err)
	return false, err
}

// waits reports whether somebody else is at work, and whether to wait for news then. With
// Once it waits here.
func (f *follower) waits(ctx context.Context) (held, atEnd bool) {
	left := f.heldFor()
	if left > 0 && f.Once {
		_ = backoff.Sleep(ctx, min(left, f.s.o.Poll))
	}
	return left > 0, !f.Once
}

// taken is no error: another follower of the name was faster.
func (f *follower) taken(ctx context.Context, err error) error {
	if !errors.Is(err, roomkit.ErrConflict) || isPoison(err) {
		return err
	}
	if f.load(ctx) == nil && f.mark.holder == f.me {
		return err
	}
	f.tries, f.few = 0, 0
	return nil
}

// batch handles a page and moves the checkpoint behind it.
func (f *follower) batch(ctx context.Context, page []store.Record) error {
	if f.Within != nil {
		return f.batchWithin(ctx, page)
	}
	for i := range page {
		if err := f.one(ctx, &page[i]); err != nil {
			return err
		}
		f.done = page[i].Cursor
		f.records++
	}
	if err := f.move(ctx, f.s.store); err != nil {
		return err
	}
	f.report(&page[len(page)-1])
	return nil
}

// stepped is one call of FollowOptions.Within, as the last run of its step has left it.
type stepped struct {
	handled int       // events of the page
	failed  bool      // the handler has
	moved   *follower // as it is once the transaction is committed
}

// batchWithin handles a page and moves the checkpoint in a transaction of the
// host. When an event fails, those before it are handled again on their own.
func (f *follower) batchWithin(ctx context.Context, page []store.Record) error {
	if f.few > 0 {
		page = page[:min(f.few, len(page))]
	}
	var w stepped
	err := f.Within(ctx, func(ctx context.Context, tx store.Store) error {
		w = stepped{}
		return f.stepWithin(ctx, tx, page, &w)
	})
	if err == nil && w.moved == nil {
		err = errNotWithin
	}
	f.few = 0
	switch {
	case err == nil:
		f.mark, f.stored, f.done, f.claimed, f.tries = w.moved.mark, w.moved.stored, w.moved.done, w.moved.claimed, 0
		f.records += int64(w.handled)
		f.report(&page[w.handled-1])
		return nil
	case ctx.Err() != nil || !w.failed:
		return err
	case w.handled > 0:
		f.few = w.handled
		return nil
	}
	return f.rested(ctx, &page[0], err)
}

// stepWithin handles as much of a page as there is time for, and moves the checkpoint of a
// copy of the follower: nothing holds before the transaction is committed.
func (f *follower) stepWithin(ctx context.Context, tx store.Store, page []store.Record, w *stepped) error {
	if !f.fresh() {
		return errTooLate
	}
	for ; w.handled < len(page) && (w.handled == 0 || f.fresh()); w.handled++ {
		if err := f.call(ctx, &page[w.handled]); err != nil {
			w.failed = true
			return err
		}
	}
	step := *f
	step.done = page[w.handled-1].Cursor
	if err := step.move(ctx, tx); err != nil {
		return err
	}
	w.moved = &step
	return nil
}

// errNotWithin tells a host that its transaction has ended without what belongs to it.
var errNotWithin = errors.New("FollowOptions.Within is nil without its step having been carried out")

// errSlowStore keeps a handler from beginning without having time.
var errSlowStore = errors.New("renewing the lease has taken nearly as long as the lease")

// errTooLate keeps a handler from running on when others may have begun.
var errTooLate = errors.New("FollowOptions.Within has begun its step when most of the lease was over")

func (f *follower) report(newest *store.Record) {
	if f.Progress != nil {
		f.Progress(FollowProgress{Name: f.name, Cursor: newest.Cursor, Records: f.records, At: newest.At})
	}
}

// one handles an event as often as it takes.
func (f *follower) one(ctx context.Context, rec *store.Record) error {
	for {
		if err := f.renew(ctx); err != nil {
			return err
		}
		if f.time() <= 0 {
			return errSlowStore
		}
		err := f.call(ctx, rec)
		if err == nil || ctx.Err() != nil {
			f.tries = 0
			return err
		}
		if err := f.rested(ctx, rec, err); err != nil {
			return err
		}
	}
}

// rested counts a failure of an event and waits for the next try; it gives an error if that
// was the last one.
func (f *follower) rested(ctx context.Context, rec *store.Record, err error) error {
	if isPoison(err) {
		return err
	}
	if f.tries++; f.tries >= f.Attempts {
		return &PoisonEvent{Follower: f.name, Record: *rec, Attempts: f.tries, Err: err}
	}
	f.warn(ctx, "roomkit: a follower's handler has failed and is called again", f.tries, err)
	rest(ctx, f.tries)
	return nil
}

// call hands an event to the handler once; a panic of the handler is an error.
func (f *follower) call(ctx context.Context, rec *store.Record) error {
	e, err := codec.DecodeRecord(*rec)
	if err != nil {
		return &PoisonEvent{Follower: f.name, Record: *rec, Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, f.time())
	defer cancel()
	defer f.handled(f.handles())
	return guarded(func() error { return f.handle(ctx, Recorded{*rec, e}) })
}

// rest waits longer with every failure.
func rest(ctx context.Context, failures int) {
	_ = backoff.Pauses{First: 100 * time.Millisecond, Longest: 10 * time.Second}.Wait(ctx, failures)
}

// mark is what a follower keeps as its checkpoint: how far it has come, who works on,
// and for how long others leave it to him after they have seen this. Stores do not
// interpret it. No two marks with a holder are equal.
type mark struct {
	cursor roomkit.Cursor
	holder string // empty: nobody
	turn   int64  // counts the marks of the holder
	lease  time.Duration
}

func (m mark) encode() roomkit.Cursor {
	if m.holder == "" {
		return m.cursor
	}
	return roomkit.Cursor(fmt.Sprintf("%s\n%s\n%d\n%d", m.cursor, m.holder, m.turn, m.lease))
}

func decodeMark(c roomkit.Cursor) (m mark) {
	parts := strings.Split(string(c), "\n")
	m.cursor = roomkit.Cursor(parts[0])
	if len(parts) == 4 {
		turn, notTurn := strconv.ParseInt(parts[2], 10, 64)
		lease, notLease := strconv.ParseInt(parts[3], 10, 64)
		if notTurn == nil && notLease == nil {
			m.holder, m.turn, m.lease = parts[1], turn, time.Duration(lease)
		}
	}
	return m
}

// elapsed is how long ago something was by this process alone. The clock of the host is
// not asked: it may jump, and differs from that of others.
func elapsed(since time.Time) time.Duration { return moment().Sub(since) }

func moment() time.Time { return time.Now() } //nolint:forbidigo // only differences are used, and they are monotonic

// heldFor is how long somebody else may still be at work: as long as the lease after
// this process has seen the mark for the first time.
func (f *follower) heldFor() time.Duration {
	if f.mark.holder == "" || f.mark.holder == f.me {
		return 0
	}
	return f.mark.lease - elapsed(f.seen)
}

// slack is how much of the lease may be over when a handler begins, and how much has to
// be left when it ends.
func (f *follower) slack() time.Duration { return (f.Lease - f.Timeout) / 2 }

// fresh reports whether a handler may begin that takes its whole Timeout.
func (f *follower) fresh() bool { return f.mark.holder == f.me && elapsed(f.claimed) <= f.slack() }

// time is how long a handler that begins now may take. It is less than Timeout only if
// the store has taken long to renew the lease.
func (f *follower) time() time.Duration {
	return min(f.Timeout, f.Lease-f.slack()-elapsed(f.claimed))
}

// load reads the stored mark.
func (f *follower) load(ctx context.Context) error {
	facts, err := store.Ask(ctx, f.s.store, []store.Need{{Checkpoint: f.name}})
	if err != nil {
		return err
	}
	if now := facts[0].Checkpoint; f.seen.IsZero() || now != f.stored {
		f.stored, f.seen = now, moment()
	}
	f.mark = decodeMark(f.stored)
	if f.stored == "" {
		f.mark.cursor = f.From
	}
	f.done = f.mark.cursor
	return nil
}

// move stores how far the follower has come and that it works on. It is
// ErrConflict if somebody else has moved the checkpoint meanwhile.
func (f *follower) move(ctx context.Context, store store.Store) error {
	f.claims = true
	began, turn := moment(), int64(1)
	if f.mark.holder == f.me {
		turn = f.mark.turn + 1
	}
	err := f.put(ctx, store, mark{f.done, f.me, turn, f.Lease})
	if err == nil {
		f.claimed = began
	}
	return err
}

// renew keeps others away while the handling of a batch takes long.
func (f *follower) renew(ctx context.Context) error {
	if f.fresh() {
		return nil
	}
	return f.move(ctx, f.s.store)
}

// release lets others begin at once. It is no harm if it fails: the lease ends. The store
// may have a later mark of this call than it is known here, if the answer was lost.
func (f *follower) release(ctx context.Context) {
	if !f.claims {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), f.Lease)
	defer cancel()
	err := fmt.Errorf("%w: not known to hold it", roomkit.ErrConflict)
	if f.mark.holder == f.me {
		err = f.put(ctx, f.s.store, mark{cursor: f.done})
	}
	if errors.Is(err, roomkit.ErrConflict) && f.load(ctx) == nil && f.mark.holder == f.me {
		err = f.put(ctx, f.s.store, mark{cursor: f.done})
	}
	if err != nil {
		f.s.o.Logger.DebugContext(ctx, "follower not released", "follower", f.name, "error", err)
	}
}

func (f *follower) put(ctx context.Context, st store.Store, now mark) error {
	c := store.Checkpoint{Name: f.name, Was: f.stored, Now: now.encode()}
	id := roomkit.CommandID(f.s.o.NewID())
	results, err := st.Commit(ctx, []store.Change{{
		Command: id, Digest: sha256.Sum256([]byte(c.Now)), Checkpoint: &c, Outcome: store.Outcome{Command: id},
	}})
	switch {
	case err != nil:
		return err
	case len(results) != 1:
		return fmt.Errorf("%w: the store answered %d of 1 changes", roomkit.ErrUnknownOutcome, len(results))
	case results[0].Err != nil:
		return results[0].Err
	}
	f.mark, f.stored, f.seen = now, c.Now, moment()
	return nil
}

// skip moves the checkpoint past rec if that is the next event.
func (f *follower) skip(ctx context.Context, rec store.Record) error {
	if err := f.load(ctx); err != nil {
		return err
	}
	next, err := f.s.store.Feed(ctx, f.mark.cursor, 1)
	if err != nil {
		return err
	}
	if len(next) != 1 || next[0].Subject != rec.Subject || next[0].Version != rec.Version {
		return fmt.Errorf("%w: %s/%d is not the follower's next event", roomkit.ErrConflict, rec.Subject, rec.Version)
	}
	if err := f.idle(ctx); err != nil {
		return err
	}
	return f.put(ctx, f.s.store, mark{cursor: next[0].Cursor})
}

// idle waits until nobody can be at work any more.
func (f *follower) idle(ctx context.Context) error {
	for was := f.stored; f.heldFor() > 0; {
		if err := backoff.Sleep(ctx, min(f.heldFor(), f.s.o.Poll)); err != nil {
			return err
		}
		if err := f.load(ctx); err != nil {
			return err
		}
		if f.stored != was {
			return fmt.Errorf("%w: the follower is at work", roomkit.ErrConflict)
		}
	}
	return nil
}
