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

// process is what is known of the process of the server behind a connection.
type process struct {
	pid uint32
	own bool // false: a pooler has made up the number, so nobody can ask for it
}

// processOf costs a round trip the first time that it is asked of a connection.
func processOf(ctx context.Context, conn *pgx.Conn) (process, error) {
	const key = "roomkit: own process"
	p, known := conn.PgConn().CustomData()[key].(process)
	if known {
		return p, nil
	}
	p.pid = conn.PgConn().PID()
	var pid uint32
	if err := conn.QueryRow(ctx, `SELECT pg_backend_pid()`, pgx.QueryExecModeExec).Scan(&pid); err != nil {
		return process{}, err
	}
	p.own = p.pid == pid
	conn.PgConn().CustomData()[key] = p
	return p, nil
}

var errPooled = errors.New("behind a pooler nobody can tell when a lost commit has ended")

// resolve finds out whether a commit whose connection was lost is stored. The
// server may still be at it, so its process has to be gone before anything else
// than success can be said. The context of the caller does not end this: it may be
// the cause.
func (s *Store) resolve(ctx context.Context, p *plan, never *store.Refusals, at process, cause error) ([]store.CommitResult, error) {
	look, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.patience)
	defer cancel()
	unknown := func(why error) error {
		return fmt.Errorf("pgstore: %w: %w", roomkit.ErrUnknownOutcome, errors.Join(cause, why))
	}
	for n := 0; ; n++ {
		gone, done, err := s.lookUp(look, p, at.pid)
		switch {
		case errors.Is(err, puddle.ErrClosedPool):
			return nil, unknown(err)
		case err != nil:
		case p.isWhole(done):
			return p.resultsOf(&s.base, never, done), nil
		case !at.own:
			return nil, unknown(errPooled)
		case gone && len(done) == 0:
			return nil, s.unreached(ctx, cause)
		case gone && ctx.Err() != nil:
			return nil, unknown(errPartly)
		case gone:
			return nil, fmt.Errorf("%w: %w", errPartly, cause)
		}
		if pause(look, n) != nil {
			return nil, unknown(err)
		}
	}
}

// lookUp asks whether a process of the server is gone, and then which commands
// of a plan are stored.
func (s *Store) lookUp(ctx context.Context, p *plan, pid uint32) (gone bool, done map[roomkit.CommandID]*store.Outcome, err error) {
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

// isWhole reports whether all that the plan stores is stored as it says. Another
// process may have stored some of its commands instead, in its own way.
func (p *plan) isWhole(done map[roomkit.CommandID]*store.Outcome) bool {
	for _, f := range p.stored {
		has, want := done[f.change.Command], &f.change.Outcome
		if has == nil || has.Digest != f.change.Digest || has.Room != want.Room || has.Changed != want.Changed || !slices.Equal(has.Events, want.Events) {
			return false
		}
	}
	return true
}

// resultsOf is results for a plan of which another connection has found that it
// is stored.
func (p *plan) resultsOf(b *base, never *store.Refusals, done map[roomkit.CommandID]*store.Outcome) []store.CommitResult {
	results := p.results(b, never)
	for i := range results {
		if outcome := done[p.fates[i].change.Command]; outcome != nil && results[i].Err == nil {
			results[i].Outcome.Cursor = outcome.Cursor
		}
	}
	return results
}
