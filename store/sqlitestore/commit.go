package sqlitestore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// Commit implements [roomkit.Store]: one transaction, however many changes.
func (s *Store) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	if len(changes) == 0 {
		return nil, ctx.Err()
	}
	var results []store.CommitResult
	err := patiently(ctx, s.o.Patience, func() (err error) {
		results, err = s.commit(ctx, changes)
		return err
	})
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(results, stored) {
		s.wake()
	}
	return results, nil
}

func stored(r store.CommitResult) bool { return r.Err == nil && !r.Repeat }

func (s *Store) commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return s.attempt(ctx, changes)
}

// attempt commits while it is this call's turn.
func (s *Store) attempt(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	t, err := s.writer.begin(ctx, false)
	if err != nil {
		return nil, err
	}
	defer t.end()
	if _, err := t.exec(lockDatabase); err != nil {
		return nil, err
	}
	results := make([]store.CommitResult, len(changes))
	var refused store.Refusals
	for from := 0; from < len(changes); {
		to := segment(changes, from)
		if err := s.commitSegment(t, &refused, changes[from:to], results[from:to]); err != nil {
			return nil, err
		}
		from = to
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(results, stored) {
		return results, nil
	}
	if err := t.tx.Commit(); err != nil {
		t.end()
		return s.resolve(ctx, changes, results, classify(err))
	}
	return results, nil
}

// segment gives the end of the changes that can be decided in memory and written
// together: a room that ends moves counts that only the database knows.
func segment(changes []store.Change, from int) int {
	for i := from; i < len(changes); i++ {
		if len(changes[i].Ended) > 0 {
			return i + 1
		}
	}
	return len(changes)
}

// commitSegment decides the changes in their order, on the state that the
// database has under the write lock, and writes what comes out of it.
func (s *Store) commitSegment(t *tx, refused *store.Refusals, changes []store.Change, results []store.CommitResult) error {
	st, err := s.readState(t, changes)
	if err != nil {
		return err
	}
	w := &writes{store: s, state: st}
	w.expect(len(changes))
	for i := range changes {
		c, r := &changes[i], &results[i]
		if done := st.commands.rows[c.Command]; done != nil {
			*r = repeated(c, done.Outcome)
			refused.Refuse(c, done.Events)
			continue
		}
		if r.Err = checkForm(c); r.Err == nil {
			r.Err = refused.Check(c)
		}
		if r.Err == nil {
			r.Err = st.compare(c)
		}
		if r.Err != nil {
			refused.Refuse(c, nil)
			continue
		}
		refused.Store(c)
		st.accept(c)
		w.add(c, &r.Outcome)
		st.commands.rows[c.Command] = &command{Outcome: &r.Outcome}
	}
	if err := w.flush(t); err != nil {
		return err
	}
	for i := range results { // a repeat in the same call was met before the first had its cursor
		if r := &results[i]; r.Repeat {
			r.Outcome.Cursor = st.commands.rows[changes[i].Command].Cursor
		}
	}
	return nil
}

func repeated(c *store.Change, done *store.Outcome) store.CommitResult {
	if done.Digest != c.Digest {
		return store.CommitResult{Err: roomkit.ErrCommandReused}
	}
	r := store.CommitResult{Outcome: *done, Repeat: true}
	r.Outcome.Events = slices.Clone(done.Events)
	return r
}

// resolve finds out what became of a COMMIT that failed. Commands that are there
// otherwise than this call would have stored them came through somebody else, who
// was given them, too: committing again tells what holds of each change.
func (s *Store) resolve(ctx context.Context, changes []store.Change, results []store.CommitResult, failure error) ([]store.CommitResult, error) {
	found, own, err := s.lookUp(ctx, results)
	switch {
	case err == nil && own:
		return results, nil
	case err == nil && !found:
		return nil, failure
	case err == nil:
		err = patiently(ctx, s.o.Patience, func() (err error) {
			results, err = s.attempt(ctx, changes)
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", roomkit.ErrUnknownOutcome, errors.Join(failure, err))
	}
	return results, nil
}

// lookUp reports whether any of the commands that should be stored by now is, and
// whether all of them are, with just these outcomes.
func (s *Store) lookUp(ctx context.Context, results []store.CommitResult) (found, own bool, err error) {
	var commands keyed[roomkit.CommandID, command]
	for i := range results {
		if o := &results[i].Outcome; stored(results[i]) {
			commands.want(o.Command, o.Command[:])
		}
	}
	ctx = context.WithoutCancel(ctx)
	err = patiently(ctx, s.o.Patience, func() error {
		t, err := s.writer.begin(ctx, true)
		if err != nil {
			return err
		}
		defer t.end()
		return s.readCommands(t, &commands)
	})
	own = true
	for i := range results {
		if !stored(results[i]) {
			continue
		}
		has := commands.rows[results[i].Outcome.Command]
		found = found || has != nil
		own = own && has != nil && equalOutcomes(has.Outcome, &results[i].Outcome)
	}
	return found, own, err
}

func equalOutcomes(a, b *store.Outcome) bool {
	return a.Digest == b.Digest && a.Room == b.Room && a.Changed == b.Changed && a.Cursor == b.Cursor && slices.Equal(a.Events, b.Events)
}
