package pgstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/pgstore"
	"github.com/go-roomkit/roomkit/store/storetest"
	"github.com/go-roomkit/roomkit/store/verify"
)

// sqlPool is the pool of a world behind database/sql.
func (w *world) sqlPool(tb testing.TB) *sql.DB {
	tb.Helper()
	db := stdlib.OpenDBFromPool(w.pool)
	tb.Cleanup(func() { _ = db.Close() })
	return db
}

func demandState(tb testing.TB, state string, err error) {
	tb.Helper()
	if state == "" {
		require.NoError(tb, err)
		return
	}
	var e *pgconn.PgError
	require.ErrorAs(tb, err, &e)
	require.Equal(tb, state, e.Code)
}

// A transaction that has nothing but a Require fails when what that relied on has changed,
// and not when something else has.
func TestRequireAlone(t *testing.T) {
	w := newWorld(t)
	room, other := team(t, w.service, "one"), team(t, w.service, "two")
	tests := []struct {
		name      string
		meanwhile roomkit.Command
		state     string
	}{
		{"nothing", nil, ""},
		{"another room", roomkit.Edit{Room: other, Name: new("three")}, ""},
		{"another user", roomkit.SuspendUser{User: "u9"}, ""},
		{"the room", roomkit.Edit{Room: room, Name: new("four")}, "40001"},
		{"the user", roomkit.SuspendUser{User: "u2"}, "40001"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tx, err := w.pool.Begin(t.Context())
			require.NoError(t, err)
			defer tx.Rollback(context.WithoutCancel(t.Context()))
			require.NoError(t, w.service.On(w.store.InTx(tx)).Require(t.Context(), "u2", roomkit.ActionPost, room))
			if tt.meanwhile != nil {
				actor := roomkit.System()
				if _, is := tt.meanwhile.(roomkit.Edit); is {
					actor = roomkit.By("u1")
				}
				do(t, w.service, actor, tt.meanwhile)
			}
			demandState(t, tt.state, tx.Commit(t.Context()))
		})
	}
	var left int
	require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT count(*) FROM `+w.o.Schema+`.roomkit_pending`).Scan(&left))
	require.Zero(t, left)
}

// What a transaction relies on is compared once, however often it has asked: many messages
// of one room cost no more at the commit than one.
func TestRequireOften(t *testing.T) {
	w := newWorld(t)
	room := team(t, w.service, "one")
	tx, err := w.pool.Begin(t.Context())
	require.NoError(t, err)
	defer tx.Rollback(context.WithoutCancel(t.Context()))
	inside := w.service.On(w.store.InTx(tx))
	waiting := func() (rows int) {
		require.NoError(t, tx.QueryRow(t.Context(), `SELECT count(*) FROM `+w.o.Schema+`.roomkit_pending`).Scan(&rows))
		return rows
	}
	require.NoError(t, inside.Require(t.Context(), "u2", roomkit.ActionPost, room))
	once := waiting()
	for range 20 {
		require.NoError(t, inside.Require(t.Context(), "u2", roomkit.ActionPost, room))
	}
	require.Equal(t, once, waiting())
	do(t, w.service, roomkit.By("u1"), roomkit.Edit{Room: room, Name: new("two")})
	demandState(t, "40001", tx.Commit(t.Context()))
}

func TestRequireNeedsATransaction(t *testing.T) {
	w := newWorld(t)
	err := w.service.Require(t.Context(), "u1", roomkit.ActionPost, team(t, w.service, "one"))
	require.ErrorIs(t, err, roomkit.ErrUnsupported)
	require.ErrorContains(t, err, "InTx")
}

func TestSQLTx(t *testing.T) {
	w := newWorld(t)
	db := w.sqlPool(t)
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	inside := w.service.On(w.store.InSQLTx(tx))
	room := team(t, inside, "one")
	require.NoError(t, inside.Require(t.Context(), "u2", roomkit.ActionPost, room))
	_, err = w.service.Room(t.Context(), "u1", room)
	require.ErrorIs(t, err, roomkit.ErrNotFound)
	require.NoError(t, tx.Commit())
	_, err = w.service.Room(t.Context(), "u1", room)
	require.NoError(t, err)
	require.ErrorIs(t, inside.Require(t.Context(), "u2", roomkit.ActionPost, room), pgstore.ErrTxEnded)
}

// A transaction that is of no use is refused with an error that says why, and nothing is done
// on a connection that somebody else may have by then.
func TestBadTransactions(t *testing.T) {
	w := newWorld(t)
	room := team(t, w.service, "one")
	begin := func(o pgx.TxOptions, first ...string) func(t *testing.T) store.Store {
		return func(t *testing.T) store.Store {
			tx, err := w.pool.BeginTx(t.Context(), o)
			require.NoError(t, err)
			t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
			for _, sql := range first {
				_, _ = tx.Exec(t.Context(), sql)
			}
			return w.store.InTx(tx)
		}
	}
	beginSQL := func(o sql.TxOptions, first ...string) func(t *testing.T) store.Store {
		return func(t *testing.T) store.Store {
			tx, err := w.sqlPool(t).BeginTx(t.Context(), &o)
			require.NoError(t, err)
			t.Cleanup(func() { _ = tx.Rollback() })
			for _, text := range first {
				_, _ = tx.ExecContext(t.Context(), text)
			}
			return w.store.InSQLTx(tx)
		}
	}
	endedSQL := func(end func(*sql.Tx) error) func(t *testing.T) store.Store {
		return func(t *testing.T) store.Store {
			tx, err := w.sqlPool(t).BeginTx(t.Context(), nil)
			require.NoError(t, err)
			require.NoError(t, end(tx))
			return w.store.InSQLTx(tx)
		}
	}
	onConn := func(texts ...string) func(t *testing.T) store.Store {
		return func(t *testing.T) store.Store {
			conn, err := w.sqlPool(t).Conn(t.Context())
			require.NoError(t, err)
			t.Cleanup(func() {
				_, _ = conn.ExecContext(context.Background(), "ROLLBACK")
				_ = conn.Close()
			})
			for _, text := range texts {
				_, _ = conn.ExecContext(t.Context(), text)
			}
			return w.store.InSQLTx(conn)
		}
	}
	ended := func(end func(pgx.Tx) error) func(t *testing.T) store.Store {
		return func(t *testing.T) store.Store {
			tx, err := w.pool.Begin(t.Context())
			require.NoError(t, err)
			require.NoError(t, end(tx))
			return w.store.InTx(tx)
		}
	}
	tests := []struct {
		name string
		give func(t *testing.T) store.Store
		want error
	}{
		{"aborted", begin(pgx.TxOptions{}, `SELECT 1/0`), pgstore.ErrTxAborted},
		{"read-only", begin(pgx.TxOptions{AccessMode: pgx.ReadOnly}), pgstore.ErrReadOnly},
		{"repeatable read", begin(pgx.TxOptions{IsoLevel: pgx.RepeatableRead}), pgstore.ErrIsolation},
		{"serializable", begin(pgx.TxOptions{IsoLevel: pgx.Serializable}), pgstore.ErrIsolation},
		{"committed", ended(func(tx pgx.Tx) error { return tx.Commit(t.Context()) }), pgstore.ErrTxEnded},
		{"rolled back", ended(func(tx pgx.Tx) error { return tx.Rollback(t.Context()) }), pgstore.ErrTxEnded},
		{"a nested one that has ended", func(t *testing.T) store.Store {
			tx, err := w.pool.Begin(t.Context())
			require.NoError(t, err)
			t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
			nested, err := tx.Begin(t.Context())
			require.NoError(t, err)
			require.NoError(t, nested.Commit(t.Context()))
			return w.store.InTx(nested)
		}, pgstore.ErrTxEnded},
		{"aborted, *sql.Tx", beginSQL(sql.TxOptions{}, `SELECT 1/0`), pgstore.ErrTxAborted},
		{"aborted in a savepoint, *sql.Tx", beginSQL(sql.TxOptions{}, `SAVEPOINT host`, `SELECT 1/0`), pgstore.ErrTxAborted},
		{"read-only, *sql.Tx", beginSQL(sql.TxOptions{ReadOnly: true}), pgstore.ErrReadOnly},
		{"repeatable read, *sql.Tx", beginSQL(sql.TxOptions{Isolation: sql.LevelRepeatableRead}), pgstore.ErrIsolation},
		{"serializable, *sql.Tx", beginSQL(sql.TxOptions{Isolation: sql.LevelSerializable}), pgstore.ErrIsolation},
		{"committed, *sql.Tx", endedSQL((*sql.Tx).Commit), pgstore.ErrTxEnded},
		{"rolled back, *sql.Tx", endedSQL((*sql.Tx).Rollback), pgstore.ErrTxEnded},
		{"ended by a statement, *sql.Tx", beginSQL(sql.TxOptions{}, `COMMIT`), pgstore.ErrTxEnded},
		{"a connection without one", onConn(), pgstore.ErrTxEnded},
		{"committed, *sql.Conn", onConn(`BEGIN`, `COMMIT`), pgstore.ErrTxEnded},
		{"aborted, *sql.Conn", onConn(`BEGIN`, `SELECT 1/0`), pgstore.ErrTxAborted},
		{"read-only, *sql.Conn", onConn(`BEGIN READ ONLY`), pgstore.ErrReadOnly},
		{"serializable, *sql.Conn", onConn(`BEGIN ISOLATION LEVEL SERIALIZABLE`), pgstore.ErrIsolation},
		{"the pool", func(t *testing.T) store.Store { return w.store.InSQLTx(w.sqlPool(t)) }, pgstore.ErrTxEnded},
		{"with open rows", func(t *testing.T) store.Store {
			tx, err := w.pool.Begin(t.Context())
			require.NoError(t, err)
			t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
			_, err = tx.Query(t.Context(), `SELECT generate_series(1, 3)`)
			require.NoError(t, err)
			return w.store.InTx(tx)
		}, pgstore.ErrTxBusy},
		{"another driver", func(*testing.T) store.Store { return w.store.InSQLTx(otherDriver{}) }, pgstore.ErrDriver},
	}
	before := w.feed(t, "")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inside := w.service.On(tt.give(t))
			err := inside.Require(t.Context(), "u2", roomkit.ActionPost, room)
			require.ErrorIs(t, err, tt.want)
			require.ErrorIs(t, err, roomkit.ErrUnsupported)
			_, err = inside.Do(t.Context(), roomkit.By("u1"), roomkit.Edit{Room: room, Name: new("two")})
			require.ErrorIs(t, err, tt.want)
			require.Equal(t, before, w.feed(t, ""))
		})
	}
}

// otherDriver takes no arguments but values, like most drivers.
type otherDriver struct{}

func (otherDriver) ExecContext(context.Context, string, ...any) (sql.Result, error) {
	return nil, errors.New("sql: converting argument $1 type: unsupported type")
}

// What was required in a nested transaction is relied on as long as that is not rolled back.
func TestRequireNested(t *testing.T) {
	w := newWorld(t)
	room := team(t, w.service, "one")
	for state, end := range map[string]func(pgx.Tx) error{
		"40001": func(tx pgx.Tx) error { return tx.Commit(t.Context()) },
		"":      func(tx pgx.Tx) error { return tx.Rollback(t.Context()) },
	} {
		tx, err := w.pool.Begin(t.Context())
		require.NoError(t, err)
		nested, err := tx.Begin(t.Context())
		require.NoError(t, err)
		require.NoError(t, w.service.On(w.store.InTx(nested)).Require(t.Context(), "u2", roomkit.ActionPost, room))
		require.NoError(t, end(nested))
		do(t, w.service, roomkit.System(), roomkit.SuspendUser{User: "u2"})
		demandState(t, state, tx.Commit(t.Context()))
		do(t, w.service, roomkit.System(), roomkit.SuspendUser{User: "u2", Lift: true})
	}
}

// The same with a savepoint of database/sql, which has no nested transactions.
func TestRequireNestedInSQLTx(t *testing.T) {
	w := newWorld(t)
	room, db := team(t, w.service, "one"), w.sqlPool(t)
	for state, end := range map[string]string{"40001": "RELEASE SAVEPOINT host", "": "ROLLBACK TO SAVEPOINT host"} {
		tx, err := db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		_, err = tx.ExecContext(t.Context(), "SAVEPOINT host")
		require.NoError(t, err)
		require.NoError(t, w.service.On(w.store.InSQLTx(tx)).Require(t.Context(), "u2", roomkit.ActionPost, room))
		_, err = tx.ExecContext(t.Context(), end)
		require.NoError(t, err)
		do(t, w.service, roomkit.System(), roomkit.SuspendUser{User: "u2"})
		demandState(t, state, tx.Commit())
		do(t, w.service, roomkit.System(), roomkit.SuspendUser{User: "u2", Lift: true})
	}
}

// A refusal names its rule, and the transaction goes on.
func TestRequireRefuses(t *testing.T) {
	w := newWorld(t)
	room := team(t, w.service, "one")
	do(t, w.service, roomkit.System(), roomkit.SuspendUser{User: "u2"})
	tx, err := w.pool.Begin(t.Context())
	require.NoError(t, err)
	inside := w.service.On(w.store.InTx(tx))
	want := w.service.Check(t.Context(), "u2", roomkit.ActionPost, room)
	got := inside.Require(t.Context(), "u2", roomkit.ActionPost, room)
	var is, was *roomkit.Denied
	require.ErrorAs(t, want, &was)
	require.ErrorAs(t, got, &is)
	require.Equal(t, was, is)
	require.ErrorIs(t, inside.Require(t.Context(), "u9", roomkit.ActionPost, room), roomkit.ErrNotFound)
	require.ErrorIs(t, inside.Require(t.Context(), "u1", roomkit.ActionNone, room), roomkit.ErrInvalid)
	do(t, w.service, roomkit.System(), roomkit.SuspendUser{User: "u2", Lift: true})
	require.NoError(t, tx.Commit(t.Context()), "who was refused is not relied on")
}

// What the transaction itself changes after Require does not fail it.
func TestRequireAndCommandsOfOneTransaction(t *testing.T) {
	w := newWorld(t)
	room := team(t, w.service, "one")
	tx, err := w.sqlPool(t).BeginTx(t.Context(), nil)
	require.NoError(t, err)
	inside := w.service.On(w.store.InSQLTx(tx))
	require.NoError(t, inside.Require(t.Context(), "u2", roomkit.ActionPost, room))
	do(t, inside, roomkit.By("u1"), roomkit.Invite{Room: room, People: []roomkit.UserID{"u7"}})
	require.NoError(t, inside.Require(t.Context(), "u7", roomkit.ActionPost, room))
	do(t, inside, roomkit.By("u1"), roomkit.Remove{Room: room, People: []roomkit.UserID{"u2"}})
	require.ErrorIs(t, inside.Require(t.Context(), "u2", roomkit.ActionPost, room), roomkit.ErrNotFound)
	require.NoError(t, tx.Commit())
	require.NoError(t, verify.Run(t.Context(), w.store, nil))
}

// The store of a *sql.Conn on which the host has begun a transaction itself.
func TestSQLConn(t *testing.T) {
	w := newWorld(t)
	room := team(t, w.service, "one")
	conn, err := w.sqlPool(t).Conn(t.Context())
	require.NoError(t, err)
	defer conn.Close()
	for state, meanwhile := range map[string]roomkit.Command{"": roomkit.SuspendUser{User: "u9"}, "40001": roomkit.SuspendUser{User: "u2"}} {
		_, err = conn.ExecContext(t.Context(), "BEGIN")
		require.NoError(t, err)
		inside := w.service.On(w.store.InSQLTx(conn))
		require.NoError(t, inside.Require(t.Context(), "u2", roomkit.ActionPost, room))
		do(t, w.service, roomkit.System(), meanwhile)
		_, err = conn.ExecContext(t.Context(), "COMMIT")
		demandState(t, state, err)
		do(t, w.service, roomkit.System(), roomkit.SuspendUser{User: "u2", Lift: true})
	}
}

// Whatever ends a transaction of database/sql, its connection goes back.
func TestSQLTxGivesItsConnectionBack(t *testing.T) {
	w := newWorld(t)
	db := w.sqlPool(t)
	room := team(t, w.service, "one")
	before := w.feed(t, "")
	for n := range 12 {
		ctx, cancel := context.WithCancel(t.Context())
		tx, err := db.BeginTx(ctx, nil)
		require.NoError(t, err)
		inside := w.service.On(w.store.InSQLTx(tx))
		do(t, inside, roomkit.By("u1"), roomkit.Edit{Room: room, Name: new(fmt.Sprint("name ", n))})
		if n%2 == 0 {
			cancel() // database/sql rolls back
		}
		require.Error(t, errors.Join(inside.Require(ctx, "u9", roomkit.ActionPost, room), tx.Rollback()))
		cancel()
		require.Error(t, inside.Require(t.Context(), "u1", roomkit.ActionPost, room), "the transaction has ended")
	}
	require.Zero(t, db.Stats().InUse)
	require.Equal(t, before, w.feed(t, ""))
}

func TestRetry(t *testing.T) {
	lost := func(state string) error { return fmt.Errorf("host: %w", &pgconn.PgError{Code: state}) }
	other := errors.New("other")
	tests := []struct {
		name string
		errs []error // of the attempts; the last one again and again
		want error
		runs int
	}{
		{"at once", []error{nil}, nil, 1},
		{"in the end", []error{lost("40001"), lost("40P01"), nil}, nil, 3},
		{"another error", []error{lost("40001"), other}, other, 2},
		{"another state", []error{lost("23505"), nil}, &pgconn.PgError{Code: "23505"}, 1},
		{"never", []error{lost("40001")}, &pgconn.PgError{Code: "40001"}, 10},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				runs := 0
				err := pgstore.Retry(t.Context(), func(context.Context) error {
					runs++
					return tt.errs[min(runs, len(tt.errs))-1]
				})
				require.Equal(t, tt.runs, runs)
				var want *pgconn.PgError
				if errors.As(tt.want, &want) {
					demandState(t, want.Code, err)
					return
				}
				require.ErrorIs(t, err, tt.want)
			})
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := pgstore.Retry(ctx, func(context.Context) error { cancel(); return lost("40001") })
	require.ErrorIs(t, err, context.Canceled)
	demandState(t, "40001", err)
}

// What Retry gives up has a category for the host's answer.
func TestRetryGivesUp(t *testing.T) {
	lost := &pgconn.PgError{Code: "40001"}
	synctest.Test(t, func(t *testing.T) {
		err := pgstore.Retry(t.Context(), func(context.Context) error { return lost })
		require.ErrorIs(t, err, lost)
		require.Equal(t, service.CategoryConflict, service.CategoryOf(err))
	})
}

// Retry carries a message through what others change, with pgx and database/sql.
func TestRetryRunsTheTransactionAgain(t *testing.T) {
	w := newWorld(t)
	room := team(t, w.service, "one")
	db := w.sqlPool(t)
	for name, run := range map[string]func(ctx context.Context, do func(store.Store) error) error{
		"pgx": func(ctx context.Context, do func(store.Store) error) error {
			return pgx.BeginFunc(ctx, w.pool, func(tx pgx.Tx) error { return do(w.store.InTx(tx)) })
		},
		"database/sql": func(ctx context.Context, do func(store.Store) error) error {
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			defer tx.Rollback()
			if err = do(w.store.InSQLTx(tx)); err != nil {
				return err
			}
			return tx.Commit()
		},
	} {
		t.Run(name, func(t *testing.T) {
			runs := 0
			err := pgstore.Retry(t.Context(), func(ctx context.Context) error {
				return run(ctx, func(st store.Store) error {
					err := w.service.On(st).Require(ctx, "u2", roomkit.ActionPost, room)
					if runs++; runs < 3 {
						do(t, w.service, roomkit.By("u1"), roomkit.Edit{Room: room, Name: new(fmt.Sprint(name, runs))})
					}
					return err
				})
			})
			require.NoError(t, err)
			require.Equal(t, 3, runs)
		})
	}
}

// Two transactions that change two rooms in opposite order: the one that PostgreSQL ends
// hears of it at once, because only its rollback lets the other one go on.
func TestDeadlockReachesTheHost(t *testing.T) {
	w := newWorld(t)
	rooms := []roomkit.RoomID{team(t, w.service, "one"), team(t, w.service, "two")}
	first := make(chan struct{}, 2)
	var met sync.WaitGroup
	met.Add(2)
	change := func(ctx context.Context, way int, text string) error {
		runs := 0
		return pgstore.Retry(ctx, func(ctx context.Context) error {
			runs++
			return pgx.BeginFunc(ctx, w.pool, func(tx pgx.Tx) error {
				inside := w.service.On(w.store.InTx(tx))
				for n := range 2 {
					if n == 1 && runs == 1 {
						met.Done()
						met.Wait()
					}
					_, err := inside.Do(ctx, roomkit.By("u1"), roomkit.Edit{Room: rooms[(n+way)%2], Name: new(text + fmt.Sprint(n))})
					if err != nil {
						assert.ErrorIs(t, err, pgstore.ErrDeadlock)
						assert.Equal(t, service.CategoryUnavailable, service.CategoryOf(err))
						first <- struct{}{}
						return err
					}
				}
				return nil
			})
		})
	}
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	back := make(chan error, 1)
	go func() { back <- change(ctx, 1, "back") }()
	require.NoError(t, change(ctx, 0, "forth"))
	require.NoError(t, <-back)
	require.Len(t, first, 1, "one of them is ended, once")
}

// A service for each transaction costs next to nothing.
func TestOnIsCheap(t *testing.T) {
	w := newWorld(t)
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { w.service.On(w.store) }), 4.0)
}

func TestGuards(t *testing.T) {
	pool := poolOf(t, databaseURL(t))
	open := func(tb testing.TB) store.Store {
		s, _ := newStore(tb, pool)
		return s
	}
	db := stdlib.OpenDBFromPool(pool)
	defer db.Close()
	storetest.Guards(t, open, func(tb testing.TB, outside store.Store) (store.Store, func(bool) error) {
		tx, err := db.BeginTx(context.Background(), nil)
		require.NoError(tb, err)
		return outside.(*pgstore.Store).InSQLTx(tx), func(keep bool) error {
			if keep {
				return tx.Commit()
			}
			return tx.Rollback()
		}
	})
}
