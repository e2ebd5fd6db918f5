package pgstore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/puddle/v2"

	"github.com/go-roomkit/roomkit"
)

// Commit implements [roomkit.Store]. If everything is as the changes expect, it
// is one round trip; else it takes two more to find out which of them fail, and
// to store the rest.
func (s *Store) Commit(ctx context.Context, changes []roomkit.Change) ([]roomkit.CommitResult, error) {
	return commitAll(ctx, changes, s.commitSome)
}

// commitAll commits all changes by a function that commits the first of them,
// one at least, and keeps count of the versions that they have not made.
func commitAll(ctx context.Context, changes []roomkit.Change, some func(context.Context, []roomkit.Change, *roomkit.Refusals) ([]roomkit.CommitResult, error)) ([]roomkit.CommitResult, error) {
	if err := ctx.Err(); err != nil {
		return nil, classify(ctx, err)
	}
	results := make([]roomkit.CommitResult, 0, len(changes))
	never := &roomkit.Refusals{}
	for len(results) < len(changes) {
		more, err := some(ctx, changes[len(results):], never)
		if err != nil {
			isStored := func(r roomkit.CommitResult) bool { return r.Err == nil && !r.Repeat }
			if slices.ContainsFunc(results, isStored) && !errors.Is(err, roomkit.ErrUnknownOutcome) {
				err = fmt.Errorf("%w: some changes are stored: %w", roomkit.ErrUnknownOutcome, err)
			}
			return nil, err
		}
		results = append(results, more...)
	}
	return results, nil
}

func (s *Store) commitSome(ctx context.Context, changes []roomkit.Change, never *roomkit.Refusals) ([]roomkit.CommitResult, error) {
	var err error
	careful := false
	for n := range maxTries {
		if n > 1 && pause(ctx, n-2) != nil {
			break
		}
		var results []roomkit.CommitResult
		results, err = s.attempt(ctx, changes, never, careful)
		switch {
		case err == nil:
			return results, nil
		case errors.Is(err, errMismatch):
			careful = true
		case errors.Is(err, errHeld) && len(changes) == 1:
			return s.heldUp(ctx, changes, never, err)
		case errors.Is(err, errHeld):
			return s.commitSome(ctx, changes[:len(changes)/2], never)
		case !errors.Is(err, errNotStored):
			return nil, err
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, classify(ctx, err)
}

// heldUp ends a change whose rows somebody else holds: it is a repeat if the other
// one was the same command, else a conflict.
func (s *Store) heldUp(ctx context.Context, change []roomkit.Change, never *roomkit.Refusals, cause error) ([]roomkit.CommitResult, error) {
	var done map[roomkit.CommandID]*roomkit.Outcome
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
	never.Refuse(&change[0], nil)
	return []roomkit.CommitResult{{Err: classify(ctx, cause)}}, nil
}

var (
	errMismatch  = errors.New("something is not as expected")
	errNotStored = errors.New("not stored this time")
	errHeld      = errors.New("somebody else holds a row")
)

// attempt runs one transaction. The error is errMismatch if the changes have to
// be judged by what is stored, errNotStored if it is worth another attempt,
// errHeld if fewer of them may do better, else final.
func (s *Store) attempt(ctx context.Context, changes []roomkit.Change, never *roomkit.Refusals, careful bool) ([]roomkit.CommitResult, error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, s.unreached(ctx, err)
	}
	defer conn.Release()
	var p *plan
	if !careful {
		b := fold(changes, nil, never)
		if b.unsure {
			return nil, errMismatch
		}
		p = b.plan()
		err = s.tryAtOnce(ctx, conn.Conn(), p)
	} else {
		p, err = s.tryCarefully(ctx, conn.Conn(), changes, never)
	}
	if err == nil {
		return p.results(&s.base, never), nil
	}
	if verdict(err) != "" {
		leaveTx(ctx, conn.Conn())
		return nil, s.refusal(ctx, err)
	}
	pid := conn.Conn().PgConn().PID()
	_ = conn.Conn().Close(ctx) // it is of no use any more
	if p == nil {
		return nil, s.unreached(ctx, err) // it had not got to the commit
	}
	return s.resolve(ctx, p, never, pid, err)
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
	case again(err):
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
func (s *Store) tryCarefully(ctx context.Context, conn *pgx.Conn, changes []roomkit.Change, never *roomkit.Refusals) (*plan, error) {
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
func (b *base) judge(ctx context.Context, conn *pgx.Conn, t *trip, changes []roomkit.Change, never *roomkit.Refusals) (*plan, error) {
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
func everything(changes []roomkit.Change) *batch {
	b := fold(nil, nil, &roomkit.Refusals{})
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
func (p *plan) results(b *base, never *roomkit.Refusals) []roomkit.CommitResult {
	*never = p.never
	results := make([]roomkit.CommitResult, len(p.fates))
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

// resolve finds out whether a commit whose connection was lost is stored. The
// server may still be at it, so its process has to be gone first. The context of
// the caller does not end this: it may be the cause.
func (s *Store) resolve(ctx context.Context, p *plan, never *roomkit.Refusals, pid uint32, cause error) ([]roomkit.CommitResult, error) {
	look, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.patience)
	defer cancel()
	for n := 0; ; n++ {
		gone, done, err := s.lookUp(look, p, pid)
		switch {
		case err == nil && len(done) > 0:
			return p.resultsOf(&s.base, never, done), nil
		case err == nil && gone:
			return nil, s.unreached(ctx, cause)
		}
		if pause(look, n) != nil {
			return nil, fmt.Errorf("pgstore: %w: %w", roomkit.ErrUnknownOutcome, errors.Join(cause, err))
		}
	}
}

// lookUp asks whether a process of the server is gone, and then which commands
// of a plan are stored.
func (s *Store) lookUp(ctx context.Context, p *plan, pid uint32) (gone bool, done map[roomkit.CommandID]*roomkit.Outcome, err error) {
	commands := make([]roomkit.CommandID, len(p.stored))
	for i, f := range p.stored {
		commands[i] = f.change.Command
	}
	err = onConn(ctx, s.pool, func(conn *pgx.Conn) error {
		t := &trip{sql: s.sql}
		t.add(isGone, new(args).int(int64(pid)), func(r *row) { gone = r.bool() })
		if err := t.run(ctx, conn); err != nil {
			return err
		}
		t = &trip{sql: s.sql}
		done = s.askOutcomes(t, commands)
		return t.run(ctx, conn)
	})
	return gone, done, err
}

// resultsOf is results for a plan of which another connection has found that it
// is stored.
func (p *plan) resultsOf(b *base, never *roomkit.Refusals, done map[roomkit.CommandID]*roomkit.Outcome) []roomkit.CommitResult {
	results := p.results(b, never)
	for i := range results {
		if outcome := done[p.fates[i].change.Command]; outcome != nil && results[i].Err == nil {
			results[i].Outcome.Cursor = outcome.Cursor
		}
	}
	return results
}
