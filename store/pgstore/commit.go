package pgstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/puddle/v2"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/judge"
	"github.com/go-roomkit/roomkit/store/internal/text"
)

// Commit implements [store.Store]. If everything is as the changes expect, it
// is one round trip; else it takes three more: to end the transaction, to find out
// under locks which of them fail, and to store the rest.
func (s *Store) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	return commitAll(ctx, changes, s.commitSome)
}

// commitAll commits all changes by a function that commits the first of them, one
// at least.
func commitAll(ctx context.Context, changes []store.Change, some func(context.Context, []store.Change, *judge.Call) ([]store.CommitResult, error)) ([]store.CommitResult, error) {
	if err := ctx.Err(); err != nil {
		return nil, classify(ctx, err)
	}
	results := make([]store.CommitResult, 0, len(changes))
	call := &judge.Call{Form: text.Check}
	for len(results) < len(changes) {
		more, err := some(ctx, changes[len(results):], call)
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

// end is how an attempt to commit has ended.
type end uint8

const (
	endStored   end = iota // what holds is stored, and the results say what that is
	endMismatch            // something is not as expected: the changes have to be judged by what is stored
	endPartly              // others have stored some of the changes meanwhile: likewise
	endHeld                // somebody else holds a row: fewer changes may do better
	endBadText             // the server cannot hold a text of one of the changes: the others may do better
	endNothing             // nothing is stored, but the next attempt may do better
	endFailed              // finally
)

// commitSome makes attempts until one says something: for as long as the patience
// lasts if the server is to blame, and a few times if others are.
func (s *Store) commitSome(ctx context.Context, changes []store.Change, call *judge.Call) (results []store.CommitResult, err error) {
	patient, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.o.Patience)
	defer cancel()
	partly, careful, few := false, false, fewSubjects
	defer func() {
		if err != nil && partly {
			err = partlyStored(err)
		}
	}()
	for n := 0; ; n++ {
		var how end
		results, how, err = s.attempt(ctx, changes, call, careful, few)
		if verdict(err) == stateNoMemory { // for so many locks
			few = 0
		}
		careful = careful || how == endMismatch || how == endPartly
		partly = partly || how == endPartly
		switch {
		case how == endStored:
			return results, nil
		case how == endFailed:
			return nil, err
		case (how == endHeld || how == endBadText) && len(changes) > 1:
			return s.commitSome(ctx, changes[:len(changes)/2], call)
		case how == endHeld:
			return s.heldUp(ctx, changes, call, err)
		case how == endBadText:
			return []store.CommitResult{call.Refuse(&changes[0], err)}, nil
		}
		hopeless := n+1 >= maxTries
		if how == endNothing {
			hopeless = n > 0 && patient.Err() != nil
		}
		if hopeless || ctx.Err() != nil || n > 0 && pause(ctx, n-1) != nil {
			return nil, classify(ctx, err)
		}
	}
}

// heldUp ends a change whose rows somebody else holds: it is a repeat if the other
// one was the same command, else a conflict.
func (s *Store) heldUp(ctx context.Context, change []store.Change, call *judge.Call, cause error) ([]store.CommitResult, error) {
	k := known{book: judge.NewBook(), locked: true}
	err := s.reading(ctx, func(conn *pgx.Conn) error {
		clear(k.book.Outcomes)
		t := &trip{sql: s.sql}
		doubtful := s.askOutcomes(t, []roomkit.CommandID{change[0].Command}, k.book.Outcomes)
		if err := t.run(ctx, conn); err != nil || !*doubtful {
			return err
		}
		return s.confirm(ctx, conn)
	})
	switch {
	case err != nil:
		return nil, err
	case len(k.book.Outcomes) > 0:
		return fold(change, k, call).plan(s.names).finish(&s.base, call), nil
	}
	return []store.CommitResult{call.Refuse(&change[0], classify(ctx, cause))}, nil
}

// attempt runs one transaction. The error says why what did not end well.
func (s *Store) attempt(ctx context.Context, changes []store.Change, call *judge.Call, careful bool, few int) ([]store.CommitResult, end, error) {
	var p *plan
	if !careful {
		if p = fold(changes, belief(), call).plan(s.names); p.unsure {
			return nil, endMismatch, fmt.Errorf("pgstore: %w: changes of one call contradict each other", roomkit.ErrConflict)
		}
		p.few = few
	}
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		how, err := s.unreached(ctx, err)
		return nil, how, err
	}
	sent := false // what commits
	at, err := processOf(ctx, conn.Conn())
	if err == nil {
		err = remembering(ctx, conn.Conn(), func() (err error) {
			if sent = !careful; sent {
				return s.tryAtOnce(ctx, conn.Conn(), p)
			}
			p, sent, err = s.tryCarefully(ctx, conn.Conn(), changes, call, few)
			return err
		})
	}
	if err != nil {
		leave(ctx, conn.Conn(), err)
	}
	conn.Release() // another one may be needed to look up what became of it
	var how end
	switch {
	case err == nil:
		return p.finish(&s.base, call), endStored, nil
	case verdict(err) != "":
		if how, err = s.refusal(ctx, err); how == endHeld && s.isTableLocked(ctx) {
			how, err = endNothing, fmt.Errorf("%w: somebody keeps all others from writing to a table, as CREATE INDEX does: %w", ErrUnavailable, err)
		}
	case !sent || errors.Is(err, errUnsent):
		how, err = s.unreached(ctx, err)
	default:
		return s.resolve(ctx, p, call, at, err)
	}
	return nil, how, err
}

// unreached is for errors before anything could be stored.
func (s *Store) unreached(ctx context.Context, err error) (end, error) {
	if ctx.Err() != nil || errors.Is(err, puddle.ErrClosedPool) || isOurs(err) {
		return endFailed, classify(ctx, err)
	}
	return endNothing, err
}

// isTableLocked tells whether a commit has waited for a table, and not for a row.
func (s *Store) isTableLocked(ctx context.Context) (is bool) {
	err := onConn(ctx, s.pool, func(conn *pgx.Conn) error {
		t := &trip{sql: s.sql}
		t.add(isTableLocked, nil, func(r *row) { is = r.bool() })
		return t.run(ctx, conn)
	})
	return err == nil && is
}

// refusal is for errors of statements: the transaction has left nothing.
func (s *Store) refusal(ctx context.Context, err error) (end, error) {
	switch {
	case ctx.Err() != nil:
	case mismatch(err):
		return endMismatch, err
	case held(err):
		return endHeld, err
	case transient(err):
		return endNothing, err
	}
	how := endFailed
	if err = classify(ctx, err); errors.Is(err, roomkit.ErrInvalid) {
		how = endBadText
	}
	return how, err
}

// laneTrip begins a trip of a commit. To prepare a statement waits for a table that is
// locked, and lock_timeout is not in force yet.
func (s *Store) laneTrip() *trip {
	return &trip{sql: s.sql, within: min(max(s.o.Patience, 250*time.Millisecond), 2*time.Second)}
}

// tryAtOnce commits a plan on the assumption that all it expects holds.
func (s *Store) tryAtOnce(ctx context.Context, conn *pgx.Conn, p *plan) error {
	if len(p.stored) == 0 {
		return nil
	}
	t := s.laneTrip()
	t.add(beginWriting, nil, nil)
	if p.isLone() {
		t.add(writeOne, nil, nil)
	} else {
		t.add(writeMany, nil, nil)
	}
	p.writeCommands(t) // first, since a repeat waits for what it repeats
	p.lock(t, false)
	p.write(t)
	p.publish(t, &s.base)
	return t.run(ctx, conn)
}

// tryCarefully locks what the changes write, judges them by what is stored, and
// commits those that hold. It reports whether it came so far.
func (s *Store) tryCarefully(ctx context.Context, conn *pgx.Conn, changes []store.Change, call *judge.Call, few int) (p *plan, sent bool, err error) {
	t := s.laneTrip()
	t.add(beginWriting, nil, nil)
	t.add(writeMany, nil, nil)
	if p, err = s.judge(ctx, conn, t, changes, call); err != nil {
		return nil, false, err
	}
	t = s.laneTrip()
	switch {
	case len(p.stored) > 0:
		p.few = few
		p.writeCommands(t)
		p.write(t)
		p.publish(t, &s.base)
	case *p.doubtful:
		t.add(demandDurable, nil, nil)
		t.add(emitMessage, nil, nil)
		t.commit()
	default:
		t.commit()
	}
	return p, true, t.run(ctx, conn)
}

// judge goes on with a trip that has begun a transaction: it locks and reads
// what the changes are about.
func (b *base) judge(ctx context.Context, conn *pgx.Conn, t *trip, changes []store.Change, call *judge.Call) (*plan, error) {
	changes = changes[:len(fold(changes, belief(), call).results)]
	all := everything(changes).plan(b.names)
	if b.inTx { // counts are raised when the host commits
		all.userTallies, all.companyTallies = nil, nil
	}
	all.lock(t, true)
	k := b.ask(t, changes)
	if err := t.run(ctx, conn); err != nil {
		return nil, err
	}
	return fold(changes, k, call).plan(b.names), nil
}

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
func (s *Store) resolve(ctx context.Context, p *plan, call *judge.Call, at process, cause error) ([]store.CommitResult, end, error) {
	look, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.o.Patience)
	defer cancel()
	unknown := func(why error) ([]store.CommitResult, end, error) {
		return nil, endFailed, fmt.Errorf("pgstore: %w: %w", roomkit.ErrUnknownOutcome, errors.Join(cause, why))
	}
	for n := 0; ; n++ {
		gone, done, err := s.lookUp(look, p.commands(), at.pid)
		switch {
		case errors.Is(err, puddle.ErrClosedPool):
			return unknown(err)
		case err != nil:
		case p.isWhole(done):
			results := p.finish(&s.base, call)
			for _, s := range p.stored {
				results[s.result].Outcome.Cursor = done[s.change.Command].Cursor
			}
			p.cursorsOfRepeats()
			return results, endStored, nil
		case !at.own:
			return unknown(errPooled)
		case gone && len(done) == 0:
			how, err := s.unreached(ctx, cause)
			return nil, how, err
		case gone && ctx.Err() != nil:
			return unknown(errors.New("some changes were stored by others meanwhile"))
		case gone:
			return nil, endPartly, cause
		}
		if pause(look, n) != nil {
			return unknown(err)
		}
	}
}

// lookUp asks whether a process of the server is gone, and then which commands are
// stored.
func (s *Store) lookUp(ctx context.Context, commands []roomkit.CommandID, pid uint32) (gone bool, done map[roomkit.CommandID]*store.Outcome, err error) {
	done = map[roomkit.CommandID]*store.Outcome{}
	err = onConn(ctx, s.pool, func(conn *pgx.Conn) error {
		t := &trip{sql: s.sql}
		t.add(isGone, new(args).int(int64(pid)), func(r *row) { gone = r.bool() })
		if err := t.run(ctx, conn); err != nil {
			return err
		}
		t = &trip{sql: s.sql}
		clear(done)
		doubtful := s.askOutcomes(t, commands, done)
		if err := t.run(ctx, conn); err != nil || !*doubtful {
			return err
		}
		return s.confirm(ctx, conn)
	})
	return gone, done, err
}

func (p *plan) commands() (list []roomkit.CommandID) {
	for _, s := range p.stored {
		list = append(list, s.change.Command)
	}
	return list
}

// isWhole reports whether all that the plan stores is stored as it says. Another
// process may have stored some of its commands instead, in its own way.
func (p *plan) isWhole(done map[roomkit.CommandID]*store.Outcome) bool {
	for _, s := range p.stored {
		if has := done[s.change.Command]; has == nil || !judge.Same(has, &p.results[s.result].Outcome) {
			return false
		}
	}
	return true
}
