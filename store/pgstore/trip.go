package pgstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/puddle/v2"

	"github.com/go-roomkit/roomkit/internal/backoff"
)

// trip is a round trip: statements that are sent together and whose results are
// read together. An error in one ends all that follow.
type trip struct {
	sql   *statements
	calls []call
}

type call struct {
	statement *statement
	values    [][]byte
	each      func(*row)
}

// add puts a statement into the trip; a may be nil, and so may each, which gets
// the rows of the result.
func (t *trip) add(number int, a *args, each func(*row)) {
	c := call{statement: t.sql.of(number, a), each: each}
	if a != nil {
		c.values = a.values
	}
	t.calls = append(t.calls, c)
}

// ofOneMoment lets the statements of a trip that only reads see the same moment.
// One statement does anyway; what is sent together is one transaction.
func (t *trip) ofOneMoment() *trip {
	whole := &trip{sql: t.sql}
	if len(t.calls) > 1 {
		whole.add(beginReading, nil, nil)
	}
	whole.add(byIndex, nil, nil)
	whole.calls = append(whole.calls, t.calls...)
	if len(t.calls) > 1 {
		whole.add(endTx, nil, nil)
	}
	return whole
}

var binary1 = []int16{pgx.BinaryFormatCode}

// run makes the round trip, after others for statements that the connection has
// not prepared yet.
func (t *trip) run(ctx context.Context, conn *pgx.Conn) error {
	prepared := make([]*pgconn.StatementDescription, len(t.calls))
	for i := range t.calls {
		var err error
		if prepared[i], err = conn.Prepare(ctx, t.calls[i].statement.name, t.calls[i].statement.text); err != nil {
			return unsent(err)
		}
	}
	p := conn.PgConn().StartPipeline(ctx)
	for i := range t.calls {
		p.SendQueryStatement(prepared[i], t.calls[i].values, binary1, binary1)
	}
	err := p.Sync()
	for i := 0; i < len(t.calls) && err == nil; i++ {
		err = t.calls[i].read(p)
	}
	return errors.Join(err, p.Close())
}

var errUnsent = errors.New("nothing was sent")

// unsent is for a trip that has not begun.
func unsent(err error) error {
	if verdict(err) != "" {
		return err
	}
	return fmt.Errorf("%w: %w", errUnsent, err)
}

func (c *call) read(p *pgconn.Pipeline) error {
	results, err := p.GetResults()
	if err != nil {
		return err
	}
	r, ok := results.(*pgconn.ResultReader)
	if !ok {
		return errors.New("pipeline without results")
	}
	var row row
	for r.NextRow() {
		if c.each != nil {
			row.values, row.next = r.Values(), 0
			c.each(&row)
		}
	}
	_, err = r.Close()
	return errors.Join(err, row.err)
}

// How often something is tried again, and how long it waits before.
const (
	maxTries   = 8
	firstPause = 2 * time.Millisecond
	longPause  = 250 * time.Millisecond
)

// pause waits before try number n+2, or until ctx ends.
func pause(ctx context.Context, n int) error { return pauseUpTo(ctx, n, longPause) }

func pauseUpTo(ctx context.Context, n int, longest time.Duration) error {
	return backoff.Pauses{First: firstPause, Longest: longest}.Wait(ctx, n)
}

func (s *Store) onPool(ctx context.Context, do func(*pgx.Conn) error) error {
	return onPool(ctx, s.pool, do)
}

// onPool runs something that may be run again, on a connection of the pool; it
// is, if connections are lost or transactions get in each other's way.
func onPool(ctx context.Context, pool *pgxpool.Pool, do func(*pgx.Conn) error) error {
	for n := 0; ; n++ {
		err := onConn(ctx, pool, do)
		lost := err != nil && verdict(err) == ""
		if n+1 == maxTries || !lost && !again(err) || errors.Is(err, puddle.ErrClosedPool) || ctx.Err() != nil || isOurs(err) {
			return classify(ctx, err)
		}
		if pause(ctx, n) != nil {
			return classify(ctx, err)
		}
	}
}

func onConn(ctx context.Context, pool *pgxpool.Pool, do func(*pgx.Conn) error) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	err = remembering(ctx, conn.Conn(), func() error { return do(conn.Conn()) })
	if err != nil {
		leave(ctx, conn.Conn(), err)
	}
	return err
}

// remembering runs something again if the server has forgotten the statements that
// were prepared on a connection, as it does at DISCARD ALL. Nothing is done then.
func remembering(ctx context.Context, conn *pgx.Conn, do func() error) error {
	err := do()
	if verdict(err) != stateForgotten {
		return err
	}
	leave(ctx, conn, err)
	if err := conn.DeallocateAll(ctx); err != nil {
		return unsent(err)
	}
	return do()
}

// leave ends what an error has left of a connection: the transaction, so that the
// connection can be used again, or the connection if it is of no use any more.
func leave(ctx context.Context, conn *pgx.Conn, err error) {
	switch {
	case verdict(err) == "" && !isOurs(err):
		_ = conn.Close(ctx)
	case !conn.IsClosed() && conn.PgConn().TxStatus() != 'I':
		_, _ = conn.PgConn().Exec(ctx, "ROLLBACK").ReadAll() // else the pool drops the connection
	}
}

// isOurs reports whether this package has found the error itself.
func isOurs(err error) bool {
	return errors.Is(err, ErrCorrupt) || errors.Is(err, ErrWeak) || errors.Is(err, ErrNotMigrated) ||
		errors.Is(err, ErrNewerSchema) || errors.Is(err, ErrForeignTables)
}
