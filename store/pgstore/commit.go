package pgstore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/puddle/v2"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// Commit implements [roomkit.Store]. If everything is as the changes expect, it
// is one round trip; else it takes three more: to end the transaction, to find out
// under locks which of them fail, and to store the rest.
func (s *Store) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	return commitAll(ctx, changes, s.commitSome)
}

// commitAll commits all changes by a function that commits the first of them,
// one at least, and keeps count of the versions that they have not made.
func commitAll(ctx context.Context, changes []store.Change, some func(context.Context, []store.Change, *store.Refusals) ([]store.CommitResult, error)) ([]store.CommitResult, error) {
	if err := ctx.Err(); err != nil {
		return nil, classify(ctx, err)
	}
	results := make([]store.CommitResult, 0, len(changes))
	never := &store.Refusals{}
	for len(results) < len(changes) {
		more, err := some(ctx, changes[len(results):], never)
		if err != nil {
			isStored := func(r store.CommitResult) bool { return r.Err == nil }
			if slices.ContainsFunc(results, isStored) {
				err = partlyStored(err)
			}
			return nil, err
		}
		results = append(results, more...)
	}
	return results, nil
}

// partlyStored is for errors of a call of which some changes are stored.
func partlyStored(err error) error {
	if errors.Is(err, roomkit.ErrUnknownOutcome) {
		return err
	}
	return fmt.Errorf("pgstore: %w: some of the changes are stored: %w", roomkit.ErrUnknownOutcome, err)
}

func (s *Store) commitSome(ctx context.Context, changes []store.Change, never *store.Refusals) ([]store.CommitResult, error) {
	partly := false
	results, err := s.commitPatiently(ctx, changes, never, &partly)
	if err != nil && partly {
		err = partlyStored(err)
	}
	return results, err
}

// commitPatiently makes attempts until one says something: for as long as the
// patience lasts if the server is to blame, and a few times if others are.
func (s *Store) commitPatiently(ctx context.Context, changes []store.Change, never *store.Refusals, partly *bool) ([]store.CommitResult, error) {
	patient, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.patience)
	defer cancel()
	careful := false
	for n := 0; ; n++ {
		results, err := s.attempt(ctx, changes, never, careful)
		switch {
		case err == nil:
			return results, nil
		case errors.Is(err, errMismatch):
			careful = true
		case errors.Is(err, errPartly):
			careful, *partly = true, true
		case errors.Is(err, errHeld) && len(changes) == 1:
			return s.heldUp(ctx, changes, never, err)
		case errors.Is(err, roomkit.ErrInvalid) && len(changes) == 1:
			return refused(changes, never, err), nil
		case errors.Is(err, errHeld) || errors.Is(err, roomkit.ErrInvalid):
			return s.commitSome(ctx, changes[:len(changes)/2], never)
		case !errors.Is(err, errNotStored):
			return nil, err
		}
		hopeless := n > 0 && patient.Err() != nil
		if !errors.Is(err, errNotStored) {
			hopeless = n+1 >= maxTries
		}
		if hopeless || ctx.Err() != nil || n > 0 && pause(ctx, n-1) != nil {
			return nil, classify(ctx, err)
		}
	}
}

// heldUp ends a change whose rows somebody else holds: it is a repeat if the other
// one was the same command, else a conflict.
func (s *Store) heldUp(ctx context.Context, change []store.Change, never *store.Refusals, cause error) ([]store.CommitResult, error) {
	var done map[roomkit.CommandID]*store.Outcome
	err := s.reading(ctx, func(conn *pgx.Conn) error {
		t := &trip{sql: s.sql}
		done = s.askOutcomes(t, []roomkit.CommandID{change[0].Command})
		return t.run(ctx, conn)
	})
	switch {
	case err != nil:
		return nil, err
	case len(done) > 0:
		return fold(change, &stored{done: done}, never).plan().results(&s.base, never), nil
	}
	return refused(change, never, classify(ctx, cause)), nil
}

// refused is the result of a single change that is not stored.
func refused(change []store.Change, never *store.Refusals, err error) []store.CommitResult {
	never.Refuse(&change[0], nil)
	return []store.CommitResult{{Err: err}}
}

var (
	errMismatch  = errors.New("something is not as expected")
	errNotStored = errors.New("not stored this time")
	errPartly    = errors.New("some changes were stored by others meanwhile")
	errHeld      = errors.New("somebody else holds a row")
)

// attempt runs one transaction. The error is errMismatch or errPartly if the
// changes have to be judged by what is stored, errNotStored if it is worth another
// attempt, errHeld if fewer of them may do better, else final.
func (s *Store) attempt(ctx context.Context, changes []store.Change, never *store.Refusals, careful bool) ([]store.CommitResult, error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, s.unreached(ctx, err)
	}
	at, err := processOf(ctx, conn.Conn())
	var p *plan
	if err == nil {
		err = remembering(ctx, conn.Conn(), func() (err error) {
			p, err = s.tryOn(ctx, conn.Conn(), changes, never, careful)
			return err
		})
	}
	if err != nil && !errors.Is(err, errMismatch) {
		leave(ctx, conn.Conn(), err)
	}
	conn.Release() // another one may be needed to look up what became of it
	switch {
	case err == nil:
		return p.results(&s.base, never), nil
	case errors.Is(err, errMismatch):
		return nil, err
	case verdict(err) != "":
		return nil, s.refusal(ctx, err)
	case p == nil || errors.Is(err, errUnsent):
		return nil, s.unreached(ctx, err)
	}
	return s.resolve(ctx, p, never, at, err)
}

// tryOn makes the attempt on a connection. The plan is nil if an error came before
// the commit.
func (s *Store) tryOn(ctx context.Context, conn *pgx.Conn, changes []store.Change, never *store.Refusals, careful bool) (*plan, error) {
	if careful {
		return s.tryCarefully(ctx, conn, changes, never)
	}
	b := fold(changes, nil, never)
	if b.unsure {
		return nil, errMismatch
	}
	p := b.plan()
	return p, s.tryAtOnce(ctx, conn, p)
}

// unreached is for errors before anything could be stored.
func (s *Store) unreached(ctx context.Context, err error) error {
	if ctx.Err() != nil || errors.Is(err, puddle.ErrClosedPool) || isOurs(err) {
		return classify(ctx, err)
	}
	return fmt.Errorf("%w: %w", errNotStored, err)
}

// refusal is for errors of statements: the transaction has left nothing.
func (s *Store) refusal(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return classify(ctx, err)
	case mismatch(err):
		return fmt.Errorf("%w: %w", errMismatch, err)
	case held(err):
		return fmt.Errorf("%w: %w", errHeld, err)
	case transient(err):
		return fmt.Errorf("%w: %w", errNotStored, err)
	}
	return classify(ctx, err)
}

// tryAtOnce commits a plan on the assumption that all it expects holds.
func (s *Store) tryAtOnce(ctx context.Context, conn *pgx.Conn, p *plan) error {
	if len(p.stored) == 0 {
		return nil
	}
	t := &trip{sql: s.sql}
	t.add(beginWriting, nil, nil)
	if p.isLone() {
		t.add(byIndex, nil, nil)
	} else {
		t.add(keepPlans, nil, nil)
	}
	p.writeCommands(t) // first, since a repeat waits for what it repeats
	t.add(waitBriefly, nil, nil)
	p.lock(t, false)
	p.write(t)
	p.publish(t, &s.base)
	t.add(endTx, nil, nil)
	return t.run(ctx, conn)
}

// tryCarefully locks what the changes write, judges them by what is stored, and
// commits those that hold. The plan is nil if an error came before the commit.
func (s *Store) tryCarefully(ctx context.Context, conn *pgx.Conn, changes []store.Change, never *store.Refusals) (*plan, error) {
	t := &trip{sql: s.sql}
	t.add(beginWriting, nil, nil)
	t.add(waitBriefly, nil, nil)
	t.add(keepPlans, nil, nil)
	p, err := s.judge(ctx, conn, t, changes, never)
	if err != nil {
		return nil, err
	}
	t = &trip{sql: s.sql}
	if len(p.stored) > 0 {
		p.writeCommands(t)
		p.write(t)
		p.publish(t, &s.base)
	}
	t.add(endTx, nil, nil)
	return p, t.run(ctx, conn)
}

// judge goes on with a trip that has begun a transaction: it locks and reads
// what the changes are about.
func (b *base) judge(ctx context.Context, conn *pgx.Conn, t *trip, changes []store.Change, never *store.Refusals) (*plan, error) {
	guess := fold(changes, nil, never)
	changes = changes[:len(guess.fates)]
	all := everything(changes).plan()
	if b.inTx { // counts are raised when the host commits
		all.userTallies, all.companyTallies = nil, nil
	}
	all.lock(t, true)
	known := b.ask(t, changes)
	if err := t.run(ctx, conn); err != nil {
		return nil, err
	}
	return fold(changes, known, never).plan(), nil
}

// everything is a batch that writes whatever one of the changes may write. It is
// only good for locking.
func everything(changes []store.Change) *batch {
	b := fold(nil, nil, &store.Refusals{})
	for i := range changes {
		c := &changes[i]
		for j := range c.Expect {
			b.base[c.Expect[j].Subject] = max(c.Expect[j].Version, 1) // it may exist by now
		}
		b.apply(c)
	}
	return b
}

// results says what has become of the changes of a plan that is stored.
func (p *plan) results(b *base, never *store.Refusals) []store.CommitResult {
	*never = p.never
	results := make([]store.CommitResult, len(p.fates))
	for i := range p.fates {
		f, r := &p.fates[i], &results[i]
		switch {
		case f.err != nil:
			r.Err = f.err
		case f.stored:
			r.Outcome = f.change.Outcome
			r.Outcome.Command, r.Outcome.Digest, r.Outcome.Cursor = f.change.Command, f.change.Digest, ""
			if len(f.change.Records) > 0 && len(p.positions) > 0 {
				r.Outcome.Cursor = b.cursor(p.positions[f.records-1])
			}
		case f.outcome != nil:
			r.Outcome, r.Repeat = *f.outcome, true
		default:
			r.Outcome, r.Repeat = results[f.first].Outcome, true
		}
		r.Outcome.Events = slices.Clone(r.Outcome.Events)
	}
	return results
}
