package pgstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/judge"
)

// txStore is a store inside a transaction of the host.
type txStore struct {
	base
	exec func(ctx context.Context, with pgx.QueryRewriter) error
}

// The statements of the host's connection. work.RewriteQuery makes one of the last two of the first.
const (
	rewritten = `SELECT 'roomkit'`
	markTx    = `SAVEPOINT roomkit; SELECT current_setting('transaction_isolation')`
	undoWork  = `ROLLBACK TO SAVEPOINT roomkit`
	keepWork  = `RELEASE SAVEPOINT roomkit`
)

var (
	_ store.Store = (*txStore)(nil)
	_ store.Guard = (*txStore)(nil)
)

// InTx gives a store whose loads and commits are part of a transaction of the
// host, which has to be READ COMMITTED. What it stores becomes visible, comes
// into the feed and is durable when that transaction commits, and is gone if it
// rolls back, as a whole or to a savepoint. Until then outcomes have no cursor. Use it for
// one goroutine, like the transaction.
//
// Writers of other rooms do not wait for the transaction; writers of the same
// rows do, and so does who wants to give a group the same name in the same
// company. Therefore what a command has relied on without writing it, for instance
// a company's switches, is compared when the transaction commits, and the numbers of
// groups of companies and users are added to only then. If something has changed that
// a command has relied on, or a limit of these numbers is reached, tx.Commit fails with
// SQLSTATE 40001 and the host has to run the transaction again: [Retry]. As always with
// transactions that lock several rows, 40P01 is another reason to, and then it is the
// command that fails: [ErrDeadlock]. The end of a group is different: it lowers the
// numbers of those who took part at once, and their rows are locked from then on.
//
// The store is a [store.Guard], for which the service has Require. A transaction that
// has only that compares when it commits, too, beside others of its kind; commits that
// change what it relied on wait for it from the comparison to the end of its commit, and it
// for them.
//
// The transaction is left as it was after every error but that of a lost connection.
// [ErrIsolation], [ErrReadOnly], [ErrTxAborted], [ErrTxBusy] and [ErrTxEnded] say what is
// wrong with it.
//
// A Load is 3 round trips, a Commit 4 and a Rely 3, one at each end of them for a
// savepoint. What is left to do at the end is within tx.Commit.
//
// SET CONSTRAINTS ALL IMMEDIATE and PREPARE TRANSACTION make commits that use the same
// rooms, users, companies and teams wait for the rest of the transaction, and so does who
// reads the end of the feed.
func (s *Store) InTx(tx pgx.Tx) store.Store {
	return s.inTxOf(func(ctx context.Context, with pgx.QueryRewriter) error {
		_, err := tx.Exec(ctx, rewritten, with)
		return err
	})
}

// SQLTx is a transaction of database/sql: a *sql.Tx, or a *sql.Conn on which one has begun.
type SQLTx interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// InSQLTx is [Store.InTx] for a transaction of database/sql, with the driver of package
// github.com/jackc/pgx/v5/stdlib. Bun, ent and sqlx have the *sql.Tx as a field, GORM
// as tx.Statement.ConnPool, and code of sqlc is given one. Another driver is
// [ErrDriver]. The database has to be that of the store. While the store works, the
// connection is its own, as it would be a statement's. It costs the same round trips.
func (s *Store) InSQLTx(tx SQLTx) store.Store {
	return s.inTxOf(func(ctx context.Context, with pgx.QueryRewriter) error {
		_, err := tx.ExecContext(ctx, rewritten, with)
		return err
	})
}

func (s *Store) inTxOf(exec func(context.Context, pgx.QueryRewriter) error) store.Store {
	t := &txStore{base: s.base, exec: exec}
	t.inTx = true
	t.reading = t.onTx
	t.asking = func(ctx context.Context, do asks) error {
		return t.onTx(ctx, func(conn *pgx.Conn) error { return do(ctx, conn, nil) })
	}
	return t
}

// onTx runs something that only reads. Nothing is left of it, not even settings.
func (s *txStore) onTx(ctx context.Context, do func(*pgx.Conn) error) error {
	if err := ctx.Err(); err != nil {
		return classify(ctx, err)
	}
	return classify(ctx, s.guarded(ctx, do, true))
}

// guarded runs something so that an error does not end the host's transaction. It
// prepares nothing itself, so that it can run it again where the server has forgotten
// what was prepared.
func (s *txStore) guarded(ctx context.Context, do func(*pgx.Conn) error, reads bool) error {
	w := &work{do: do, reads: reads}
	err := s.exec(ctx, w)
	switch {
	case w.err != nil:
		return w.err
	case err == nil && !w.begun:
		return ErrDriver
	case !w.begun && verdict(err) == "" && ctx.Err() == nil && !isOver(err) && !errors.Is(err, driver.ErrBadConn):
		return fmt.Errorf("%w: %w", ErrDriver, err)
	}
	return err
}

// isOver reports whether a driver knows that a transaction has ended.
func isOver(err error) bool { return errors.Is(err, pgx.ErrTxClosed) || errors.Is(err, sql.ErrTxDone) }

// work is what is done on the connection of a transaction. It is given as the rewriter of a
// statement: through database/sql that is the way to the connection, which nobody else
// can use meanwhile, and whoever owns the transaction first looks whether it goes on.
type work struct {
	do    func(*pgx.Conn) error
	reads bool
	begun bool
	err   error
}

// RewriteQuery implements [pgx.QueryRewriter]: it does the work, and gives the statement
// that keeps it or undoes it.
func (w *work) RewriteQuery(ctx context.Context, conn *pgx.Conn, _ string, _ []any) (string, []any, error) {
	w.begun = true
	if conn.PgConn().IsBusy() {
		w.err = ErrTxBusy
		return "", nil, w.err
	}
	said, err := conn.PgConn().Exec(ctx, markTx).ReadAll()
	if err != nil {
		w.err = err
		return "", nil, err
	}
	if err = w.do(conn); verdict(err) == stateForgotten {
		if _, err = conn.PgConn().Exec(ctx, undoWork).ReadAll(); err == nil {
			err = conn.DeallocateAll(ctx)
		}
		if err == nil {
			err = w.do(conn)
		}
	}
	if isolation := string(said[1].Rows[0][0]); err == nil && isolation != "read committed" {
		err = fmt.Errorf("%w, not %s", ErrIsolation, isolation)
	}
	w.err = err
	switch {
	case conn.IsClosed():
		return "", nil, err
	case err != nil || w.reads:
		return undoWork + "; " + keepWork, nil, nil //nolint:nilerr // guarded gives it back
	}
	return keepWork, nil, nil
}

// Load implements [store.Store]. It reads twice at a time until two answers agree,
// because the statements of a READ COMMITTED transaction see different moments.
func (s *txStore) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	var facts []store.Facts
	agree, mixed := false, false
	err := s.reading(ctx, func(conn *pgx.Conn) error {
		for range maxTries {
			one, two := newLookup(&s.base, needs, mixed), newLookup(&s.base, needs, mixed)
			both := &trip{sql: s.sql, calls: slices.Concat(one.trip.calls, two.trip.calls)}
			if err := both.planned().run(ctx, conn); err != nil {
				return err
			}
			facts = two.facts(needs)
			if two.mixed {
				mixed = true
				continue
			}
			if agree = reflect.DeepEqual(one.facts(needs), facts); agree {
				return nil
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case !agree:
		return nil, fmt.Errorf("pgstore: %w: what was to be loaded kept changing", roomkit.ErrConflict)
	}
	return facts, nil
}

// Commit implements [store.Store].
func (s *txStore) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	return commitAll(ctx, changes, s.commitSome)
}

func (s *txStore) commitSome(ctx context.Context, changes []store.Change, call *judge.Call) ([]store.CommitResult, error) {
	var err error
	for range maxTries {
		var p *plan
		err = s.guarded(ctx, func(conn *pgx.Conn) (err error) {
			p, err = s.park(ctx, conn, changes, call)
			return err
		}, false)
		switch {
		case err == nil:
			return p.finish(&s.base, call), nil
		case verdict(err) == stateDeadlock: // what earlier commands have locked is given up by a rollback of the host only
			return nil, fmt.Errorf("%w: %w", ErrDeadlock, err)
		case mismatch(err) || again(err):
			continue
		}
		err = classify(ctx, err)
		switch {
		case !errors.Is(err, roomkit.ErrInvalid):
			return nil, err
		case len(changes) == 1:
			return []store.CommitResult{call.Refuse(&changes[0], err)}, nil
		}
		return s.commitSome(ctx, changes[:len(changes)/2], call)
	}
	return nil, classify(ctx, err)
}

// Rely implements [store.Guard]. It locks nothing.
func (s *txStore) Rely(ctx context.Context, on []store.Expect) error {
	if err := store.CheckExpect(on); err != nil || len(on) == 0 {
		return err
	}
	if err := ctx.Err(); err != nil {
		return classify(ctx, err)
	}
	b := newBatch(belief(), &judge.Call{})
	var subjects []roomkit.Subject
	for _, e := range on {
		b.base[e.Subject] = e.Version
		subjects = append(subjects, e.Subject)
	}
	p := b.plan(s.names)
	return classify(ctx, s.guarded(ctx, func(conn *pgx.Conn) error {
		t := &trip{sql: s.sql}
		p.checkRelied(t)
		p.addSubjects(t, addRelied, subjects, p.version)
		p.settle(t, []roomkit.CommandID{{}}) // of no command: there are only versions to compare
		return t.run(ctx, conn)
	}, false))
}

// park judges changes and writes those that hold. Their records wait for their
// places, and what they relied on for being compared, until the host commits.
func (s *txStore) park(ctx context.Context, conn *pgx.Conn, changes []store.Change, call *judge.Call) (*plan, error) {
	p, err := s.judge(ctx, conn, &trip{sql: s.sql}, changes, call)
	if err != nil || len(p.stored) == 0 {
		return p, err
	}
	t := &trip{sql: s.sql}
	p.writeCommands(t)
	p.writeRows(t)
	p.parkTallies(t)
	p.writeCheckpoints(t)
	p.writeEnds(t)
	p.park(t)
	return p, t.run(ctx, conn)
}

// askParked asks what earlier commits of a host's transaction have added to
// counts. The rows of users and companies do not have it yet.
func (b *base) askParked(t *trip) map[roomkit.Subject]int64 {
	parked := map[roomkit.Subject]int64{}
	if b.inTx { // nobody else sees any
		t.add(readParked, nil, func(r *row) {
			of := read(r, b.names.subject)
			parked[of] = r.int()
		})
	}
	return parked
}

// parkTallies adds what takes the place of writing counts inside a transaction of
// the host: what their rows have to hold when it commits, and what they get then.
func (p *plan) parkTallies(t *trip) {
	tallied := map[roomkit.Subject]*tally{}
	for id, c := range p.companyTallies {
		tallied[roomkit.CompanySubject(id)] = c
	}
	for id, c := range p.userTallies {
		tallied[roomkit.UserSubject(id)] = c
	}
	p.addSubjects(t, parkTallies, slices.Collect(maps.Keys(tallied)), func(f *fields, of *roomkit.Subject) {
		c := tallied[*of]
		least, most := shifted(c.least, -p.parked[*of]), shifted(c.most, -p.parked[*of])
		f.ints(&least, &most, &c.delta)
	})
	if groups := p.endingGroups(); len(groups) > 0 {
		t.add(lowerParked, uuids(new(args), groups), nil)
	}
}

// addSubjects adds a statement about subjects, each with something of its own.
func (p *plan) addSubjects(t *trip, number int, list []roomkit.Subject, more func(*fields, *roomkit.Subject)) {
	if len(list) > 0 {
		t.add(number, rows(len(list), func(i int) *roomkit.Subject { return &list[i] }, func(f *fields, of *roomkit.Subject) {
			p.names.subject(f, of)
			more(f, of)
		}), nil)
	}
}

// park adds what takes the place of publish inside a transaction of the host.
func (p *plan) park(t *trip) {
	if len(p.records) > 0 {
		t.add(parkRecords, p.recordRows(), nil)
	}
	var writes, relied []roomkit.Subject
	for of := range p.base {
		if p.writes(&of) {
			writes = append(writes, of)
		} else {
			relied = append(relied, of)
		}
	}
	p.addSubjects(t, replaceRelied, writes, p.version) // earlier commits of the transaction relied on them as they were until now
	p.addSubjects(t, addRelied, relied, p.version)
	p.settle(t, p.commands())
	t.add(demandDurable, nil, nil)
}

func (p *plan) version(f *fields, of *roomkit.Subject) {
	v := p.base[*of]
	f.version(&v)
}

// settle lets the trigger be due for commands when the host commits.
func (p *plan) settle(t *trip, commands []roomkit.CommandID) {
	t.add(addCommands, uuids(new(args), commands), nil)
	t.add(checkTrigger, nil, nil)
	t.add(checkStore, nil, nil)
}
