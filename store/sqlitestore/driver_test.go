package sqlitestore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"modernc.org/sqlite"
)

// handle opens a file as a user of the package would, with further parameters.
func handle(tb testing.TB, path string, parameters ...string) *sql.DB {
	tb.Helper()
	db, err := sql.Open("sqlite", source(path, parameters...))
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, db.Close()) })
	return db
}

func source(path string, parameters ...string) string {
	parameters = append(parameters, "_busy_timeout=100")
	return "file:" + path + "?" + strings.Join(parameters, "&")
}

// faults makes a driver fail.
type faults struct {
	driver.Connector
	mu      sync.Mutex
	countTo int    // the statement that fails; 0: none
	hit     bool   // it was reached
	atHit   func() // called then
	after   bool   // all after it fail, too
	commit  bool   // the next COMMIT fails
	applied bool   // but is carried out
	blind   bool   // and then nothing works
	down    bool
	hook    func() // called when a COMMIT has failed
	before  func() // called before the next COMMIT
}

func (f *faults) open(tb testing.TB, path string) *sql.DB {
	tb.Helper()
	db, err := f.connect(path)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, db.Close()) })
	return db
}

func (f *faults) connect(path string) (*sql.DB, error) {
	var err error
	f.Connector, err = sqlite.NewConnector(source(path))
	return sql.OpenDB(f), err
}

func (f *faults) failAt(n int) { f.set(func() { f.countTo, f.hit = n, false }) }

func (f *faults) failCommit(applied, blind bool) {
	f.set(func() { f.commit, f.applied, f.blind = true, applied, blind })
}

// heal ends all faults and reports whether the statement to fail was reached.
func (f *faults) heal() (hit bool) {
	f.set(func() { hit = f.hit; f.countTo, f.commit, f.down, f.hit = 0, false, false, false })
	return hit
}

func (f *faults) set(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
}

// statement is called before each one.
func (f *faults) statement() (err error) {
	f.set(func() {
		if f.down {
			err = errPower
		}
		if f.countTo > 0 {
			if f.countTo--; f.countTo == 0 {
				f.hit, f.down, err = true, f.after, errPower
				if f.atHit != nil {
					f.atHit()
				}
			}
		}
	})
	return err
}

func (f *faults) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := f.Connector.Connect(ctx)
	return faultyConn{c, f}, err
}

type faultyConn struct {
	driver.Conn
	f *faults
}

func (c faultyConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	if err := c.f.statement(); err != nil {
		return nil, err
	}
	tx, err := c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
	return faultyTx{tx, c.f}, err
}

func (c faultyConn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	st, err := c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, text)
	return faultyStmt{st, c.f}, err
}

// ExecContext runs the statements of a text one by one.
func (c faultyConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (result driver.Result, err error) {
	for statement := range strings.SplitAfterSeq(text, ";\n") {
		if err := c.f.statement(); err != nil {
			return nil, err
		}
		if result, err = c.Conn.(driver.ExecerContext).ExecContext(ctx, statement, args); err != nil {
			return nil, err
		}
	}
	return result, nil
}

type faultyStmt struct {
	driver.Stmt
	f *faults
}

func (s faultyStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	if err := s.f.statement(); err != nil {
		return nil, err
	}
	return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
}

func (s faultyStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	if err := s.f.statement(); err != nil {
		return nil, err
	}
	return s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
}

type faultyTx struct {
	driver.Tx
	f *faults
}

func (t faultyTx) Commit() error {
	if err := t.f.statement(); err != nil {
		_ = t.Tx.Rollback()
		return err
	}
	var fails, applied bool
	hook, before := func() {}, func() {}
	t.f.set(func() {
		if t.f.before != nil {
			before, t.f.before = t.f.before, nil
		}
	})
	before()
	t.f.set(func() {
		fails, applied = t.f.commit, t.f.applied
		if fails && t.f.hook != nil {
			hook, t.f.hook = t.f.hook, nil
		}
		t.f.commit, t.f.down = false, fails && t.f.blind
	})
	if !fails {
		return t.Tx.Commit()
	}
	if applied {
		if err := t.Tx.Commit(); err != nil {
			return err
		}
	} else if err := t.Tx.Rollback(); err != nil {
		return err
	}
	hook()
	return errPower
}
