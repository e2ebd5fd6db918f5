package pgstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/puddle/v2"

	"github.com/go-roomkit/roomkit/internal/backoff"
)

// trip is a round trip: statements that are sent together and whose results are
// read together. An error in one ends all that follow.
type trip struct {
	sql     *statements
	calls   []call
	apart   bool          // the first of them has a transaction of its own
	commits int           // how many of them end with the one that acknowledges what they have written
	within  time.Duration // how long its statements may be prepared, if others wait for it
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

// commit ends the transaction that the trip has begun. What is added behind it is a transaction
// of its own, of which nobody is told whether it has failed.
func (t *trip) commit() {
	t.add(endTx, nil, nil)
	t.commits = len(t.calls)
}

// planned lets the statements of a trip go by indexes. What is sent together is one
// transaction, and the settings end with it; see onTx.
func (t *trip) planned() *trip {
	whole := &trip{sql: t.sql}
	whole.add(byIndex, nil, nil)
	whole.calls = append(whole.calls, t.calls...)
	return whole
}

// ofOneMoment lets the statements of a trip that only reads see the same moment.
// One statement does anyway, and those in a transaction of the host cannot.
func (t *trip) ofOneMoment(inTx bool) *trip {
	if inTx || len(t.calls) <= 1 {
		return t.planned()
	}
	whole := &trip{sql: t.sql}
	whole.add(beginReading, nil, nil)
	whole.calls = append(whole.calls, t.planned().calls...)
	whole.add(endTx, nil, nil)
	return whole
}

var binary1 = []int16{pgx.BinaryFormatCode}

// run makes the round trip, after others for statements that the connection has
// not prepared yet.
func (t *trip) run(ctx context.Context, conn *pgx.Conn) error {
	if err := speakUTF8(ctx, conn); err != nil {
		return unsent(err)
	}
	prepared, err := t.prepare(ctx, conn)
	if err != nil {
		return unsent(err)
	}
	p := conn.PgConn().StartPipeline(ctx)
	for i := range t.calls {
		p.SendQueryStatement(prepared[i], t.calls[i].values, binary1, binary1)
		if t.apart && i == 0 {
			p.SendPipelineSync()
		}
	}
	err = p.Sync()
	var said notices
	acknowledged := false
	for i := 0; i < len(t.calls) && err == nil; i++ {
		if commits := i+1 == t.commits; !commits {
			err = t.calls[i].read(p)
			if t.apart && i == 0 && err == nil {
				_, err = p.GetResults()
			}
			continue
		}
		// The pool is the host's, and so are its notices: nothing else shows them.
		conn.PgConn().Frontend().Trace(&said, pgproto3.TracerOptions{SuppressTimestamps: true, RegressMode: true})
		err = t.calls[i].read(p)
		conn.PgConn().Frontend().Untrace()
		acknowledged = err == nil
	}
	err = errors.Join(err, p.Close())
	switch {
	case acknowledged && said.any:
		return errNotWaited
	case acknowledged:
		return nil
	}
	return err
}

func (t *trip) prepare(ctx context.Context, conn *pgx.Conn) (prepared []*pgconn.StatementDescription, err error) {
	if t.within > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, t.within)
		defer cancel()
	}
	prepared = make([]*pgconn.StatementDescription, len(t.calls))
	for i := range t.calls {
		if prepared[i], err = conn.Prepare(ctx, t.calls[i].statement.name, t.calls[i].statement.text); err != nil {
			return nil, err
		}
	}
	return prepared, nil
}

// errNotWaited is for a commit with which the server said something. It does so, and
// says no error, if somebody has cancelled its waiting for a standby; see confirm.
var errNotWaited = errors.New("the server did not wait until a standby had the commit")

// notices looks for notices among the messages of the server.
type notices struct{ any bool }

func (n *notices) Write(message []byte) (int, error) {
	n.any = n.any || bytes.HasPrefix(message, []byte("B\tNoticeResponse"))
	return len(message), nil
}

// confirm makes sure that what is visible on a connection has been waited for by another
// commit there, behind which all others are: a commit whose waiting for a standby was
// cancelled is visible, but is lost if that standby takes over.
func (b *base) confirm(ctx context.Context, conn *pgx.Conn) error {
	t := &trip{sql: b.sql}
	t.add(beginWriting, nil, nil)
	t.add(demandDurable, nil, nil)
	t.add(emitMessage, nil, nil)
	t.commit()
	return t.run(ctx, conn)
}

// speakUTF8 lets a connection speak as the store does, whatever it was told to.
func speakUTF8(ctx context.Context, conn *pgx.Conn) error {
	if is := conn.PgConn().ParameterStatus("client_encoding"); is == "UTF8" || is == "" {
		return nil
	}
	_, err := conn.PgConn().Exec(ctx, `SET client_encoding TO 'UTF8'`).ReadAll()
	return err
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
		errors.Is(err, ErrNewerSchema) || errors.Is(err, ErrForeignTables) ||
		errors.Is(err, ErrReplaced) || errors.Is(err, ErrPlaces) || errors.Is(err, ErrTrigger) || errors.Is(err, ErrServer) || errors.Is(err, ErrEncoding)
}
