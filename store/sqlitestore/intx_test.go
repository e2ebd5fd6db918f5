package sqlitestore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/sqlitestore"
	"github.com/go-roomkit/roomkit/store/sqlitestore/sqliteopen"
	"github.com/go-roomkit/roomkit/store/storetest"
)

// hosted is a store that commits everything inside a transaction of a host. It does not
// wake anybody.
type hosted struct {
	store.Store
	file *sqliteopen.Store
	db   *sql.DB // where the host begins
}

func (h *hosted) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	tx, err := h.db.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	results, err := h.file.InTx(tx).Commit(ctx, changes)
	if err != nil {
		return nil, err
	}
	return results, tx.Commit()
}

// The contract of stores, with every commit in a transaction of the host, on the handle of
// the store and on one of its own by turns.
func TestStoreInTx(t *testing.T) {
	var n atomic.Int64
	open := func(tb testing.TB) store.Store {
		path := newPath(tb)
		s := open(tb, path)
		if n.Add(1)%2 == 0 {
			return &hosted{s, s, hostHandle(tb, path)}
		}
		return &hosted{s, s, s.Writer}
	}
	storetest.Run(t, open, &storetest.Options{Parallel: true})
}

// withHost is a store and the handle on which a host begins.
type withHost struct {
	*sqliteopen.Store
	db *sql.DB
}

// What is relied on in a transaction holds, on the handle of the store and on one of the host.
func TestGuards(t *testing.T) {
	for name, begins := range map[string]func(tb testing.TB, s *sqliteopen.Store, path string) *sql.DB{
		"own":  func(tb testing.TB, _ *sqliteopen.Store, path string) *sql.DB { return hostHandle(tb, path) },
		"ours": func(_ testing.TB, s *sqliteopen.Store, _ string) *sql.DB { return s.Writer },
	} {
		t.Run(name, func(t *testing.T) {
			open := func(tb testing.TB) store.Store {
				path := newPath(tb)
				s, err := sqliteopen.Open(tb.Context(), path, &sqliteopen.Options{Create: true, Options: sqlitestore.Options{Patience: time.Second}})
				require.NoError(tb, err)
				tb.Cleanup(func() { require.NoError(tb, s.Close()) })
				return &withHost{s, begins(tb, s, path)}
			}
			storetest.Guards(t, open, func(tb testing.TB, outside store.Store) (store.Store, func(bool) error) {
				h := outside.(*withHost)
				tx, err := h.db.BeginTx(context.WithoutCancel(tb.Context()), nil)
				require.NoError(tb, err)
				return h.InTx(tx), func(keep bool) error {
					if keep {
						return tx.Commit()
					}
					return tx.Rollback()
				}
			})
		})
	}
}

// hostHandle is a handle of the host's own; transactions on it are DEFERRED.
func hostHandle(tb testing.TB, path string, parameters ...string) *sql.DB {
	tb.Helper()
	return handle(tb, path, append(parameters, "_pragma=synchronous(full)")...)
}

// inTx begins a transaction with a service inside.
func inTx(tb testing.TB, s *sqliteopen.Store, db *sql.DB) (*sql.Tx, *service.Service) {
	tb.Helper()
	tx, err := db.BeginTx(context.Background(), nil)
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = tx.Rollback() })
	return tx, newService(tb, s.InTx(tx))
}

// messages makes the host's table.
func messages(tb testing.TB, s *sqliteopen.Store) {
	tb.Helper()
	mustExec(tb, s.Writer, "CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL)")
}

func count(tb testing.TB, db *sql.DB, query string) (n int) {
	tb.Helper()
	require.NoError(tb, db.QueryRowContext(context.Background(), query).Scan(&n))
	return n
}

const (
	countMessages  = "SELECT count(*) FROM messages"
	insertMessage  = "INSERT INTO messages (body) VALUES ('hello')"
	insertTheFirst = "INSERT INTO messages (id, body) VALUES (1, 'first')"
)

func TestHostRowsAndRoomAreOne(t *testing.T) {
	for name, end := range map[string]func(*sql.Tx) error{"commit": (*sql.Tx).Commit, "rollback": (*sql.Tx).Rollback} {
		t.Run(name, func(t *testing.T) {
			path := newPath(t)
			s := open(t, path)
			rooms := populate(t, s, 1)
			messages(t, s)
			before := allRecords(t, s)
			tx, svc := inTx(t, s, hostHandle(t, path))
			opened, err := svc.Do(t.Context(), roomkit.By(boss), roomkit.CreateGroup{Name: "Support"})
			require.NoError(t, err)
			require.NotEmpty(t, opened.Cursor, "places are known under the write lock")
			edited, err := svc.Do(t.Context(), roomkit.By(boss), edit(rooms[0], "in a transaction"))
			require.NoError(t, err)
			_, err = tx.ExecContext(t.Context(), insertMessage)
			require.NoError(t, err)
			require.NoError(t, svc.Check(t.Context(), boss, roomkit.ActionPost, opened.Room), "inside it is there")
			require.ErrorIs(t, newService(t, s).Check(t.Context(), boss, roomkit.ActionPost, opened.Room), roomkit.ErrNotFound, "outside nobody sees it")
			require.Equal(t, before, allRecords(t, s), "nor does a follower")
			require.NoError(t, end(tx))

			after, err := s.Feed(t.Context(), before[len(before)-1].Cursor, 0)
			require.NoError(t, err)
			if name == "commit" {
				require.Equal(t, 1, count(t, s.Readers, countMessages))
				require.Equal(t, edited.Cursor, after[len(after)-1].Cursor)
				require.NoError(t, newService(t, s).Check(t.Context(), boss, roomkit.ActionPost, opened.Room))
			} else {
				require.Zero(t, count(t, s.Readers, countMessages))
				require.Empty(t, after)
				_, err = newService(t, s).Do(t.Context(), roomkit.By(boss), roomkit.CreateGroup{Name: "Takes the same places"})
				require.NoError(t, err)
				_, err = s.Feed(t.Context(), opened.Cursor, 0)
				require.ErrorIs(t, err, roomkit.ErrInvalid, "the cursor of what was rolled back is refused")
			}
			verifyStore(t, s)
		})
	}
}

// A savepoint of the host takes a command back as it does rows of the host, and what was
// relied on holds all the same.
func TestSavepointOfHost(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	rooms := populate(t, s, 1)
	messages(t, s)
	before := countRecords(t, s)
	tx, svc := inTx(t, s, hostHandle(t, path))
	for _, step := range []string{"SAVEPOINT a", insertMessage} {
		_, err := tx.ExecContext(t.Context(), step)
		require.NoError(t, err)
	}
	_, err := svc.Do(t.Context(), roomkit.By(boss), edit(rooms[0], "taken back"))
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), "ROLLBACK TO a")
	require.NoError(t, err)
	o := *impatient
	other, err := sqlitestore.New(t.Context(), s.Writer, &o)
	require.NoError(t, err)
	_, err = newService(t, other).Do(t.Context(), roomkit.System(), roomkit.SuspendUser{User: boss})
	require.ErrorIs(t, err, sqlitestore.ErrBusy, "the write lock stays")
	_, err = svc.Do(t.Context(), roomkit.By(boss), edit(rooms[0], "kept"))
	require.NoError(t, err)
	require.NoError(t, tx.Commit())
	require.Zero(t, count(t, s.Readers, countMessages))
	require.Equal(t, before+1, countRecords(t, s))
	verifyStore(t, s)
}

// What cannot be done in a transaction says why, and leaves nothing.
func TestTransactionsThatCannotBeUsed(t *testing.T) {
	begin := func(tb testing.TB, db *sql.DB) *sql.Tx {
		tx, err := db.BeginTx(tb.Context(), nil)
		require.NoError(tb, err)
		tb.Cleanup(func() { _ = tx.Rollback() })
		return tx
	}
	done := func(tx *sql.Tx, text string) *sql.Tx {
		_, _ = tx.Exec(text)
		return tx
	}
	tests := []struct {
		name string
		tx   func(t *testing.T, s *sqliteopen.Store, path string) *sql.Tx
		want error
	}{
		{"none", func(*testing.T, *sqliteopen.Store, string) *sql.Tx { return nil }, roomkit.ErrInvalid},
		{"committed", func(t *testing.T, _ *sqliteopen.Store, path string) *sql.Tx {
			tx := begin(t, hostHandle(t, path))
			require.NoError(t, tx.Commit())
			return tx
		}, sqlitestore.ErrTxEnded},
		{"its context has ended", func(t *testing.T, _ *sqliteopen.Store, path string) *sql.Tx {
			ctx, cancel := context.WithCancel(t.Context())
			tx, err := hostHandle(t, path).BeginTx(ctx, nil)
			require.NoError(t, err)
			cancel()
			for tx.Rollback() == nil { // until database/sql has noticed
			}
			return tx
		}, sqlitestore.ErrTxEnded},
		{"rolled back by SQLite", func(t *testing.T, _ *sqliteopen.Store, path string) *sql.Tx {
			return done(done(begin(t, hostHandle(t, path)), insertTheFirst), "INSERT OR ROLLBACK INTO messages (id, body) VALUES (1, 'again')")
		}, sqlitestore.ErrTxEnded},
		{"rolled back by a statement", func(t *testing.T, _ *sqliteopen.Store, path string) *sql.Tx {
			return done(begin(t, hostHandle(t, path)), "ROLLBACK")
		}, sqlitestore.ErrTxEnded},
		{"it has read, and others wrote", func(t *testing.T, s *sqliteopen.Store, path string) *sql.Tx {
			tx := begin(t, hostHandle(t, path))
			require.NoError(t, tx.QueryRow(countMessages).Scan(new(int)))
			mustExec(t, s.Writer, "UPDATE messages SET body = body")
			mustExec(t, s.Writer, insertMessage)
			mustExec(t, s.Writer, "DELETE FROM messages")
			return tx
		}, sqlitestore.ErrSnapshot},
		{"others are writing", func(t *testing.T, s *sqliteopen.Store, path string) *sql.Tx {
			begin(t, s.Writer) // BEGIN IMMEDIATE
			return begin(t, hostHandle(t, path))
		}, sqlitestore.ErrBusy},
		{"a handle that cannot write", func(t *testing.T, s *sqliteopen.Store, _ string) *sql.Tx {
			tx, err := s.Readers.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
			require.NoError(t, err)
			t.Cleanup(func() { _ = tx.Rollback() })
			return tx
		}, sqlitestore.ErrReadOnly},
		{"made read-only by a statement", func(t *testing.T, _ *sqliteopen.Store, path string) *sql.Tx {
			return done(begin(t, hostHandle(t, path)), "PRAGMA query_only = 1")
		}, sqlitestore.ErrReadOnly},
		{"another file", func(t *testing.T, _ *sqliteopen.Store, _ string) *sql.Tx {
			return begin(t, open(t, filepath.Join(t.TempDir(), "other.db")).Writer)
		}, sqlitestore.ErrOtherDatabase},
		{"a copy of the file", func(t *testing.T, s *sqliteopen.Store, _ string) *sql.Tx {
			copied := filepath.Join(t.TempDir(), "copy.db")
			mustExec(t, s.Writer, "VACUUM INTO ?", copied)
			return begin(t, open(t, copied).Writer)
		}, sqlitestore.ErrOtherDatabase},
		{"a file without tables", func(t *testing.T, _ *sqliteopen.Store, _ string) *sql.Tx {
			return begin(t, hostHandle(t, filepath.Join(t.TempDir(), "empty.db")))
		}, sqlitestore.ErrOtherDatabase},
		{"another driver", func(t *testing.T, _ *sqliteopen.Store, _ string) *sql.Tx {
			db := sql.OpenDB(foreignDriver{})
			t.Cleanup(func() { require.NoError(t, db.Close()) })
			return begin(t, db)
		}, sqlitestore.ErrOtherDatabase},
		{"commits that a power cut takes back", func(t *testing.T, _ *sqliteopen.Store, path string) *sql.Tx {
			return begin(t, handle(t, path, "_pragma=synchronous(normal)"))
		}, sqlitestore.ErrWeak},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := newPath(t)
			s, err := sqliteopen.Open(t.Context(), path, &sqliteopen.Options{Create: true, Options: sqlitestore.Options{Patience: 1}})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, s.Close()) })
			rooms := populate(t, s, 1)
			messages(t, s)
			before := countRecords(t, s)
			tx := tt.tx(t, s, path)
			in := s.InTx(tx)
			calls := map[string]func() error{
				"Load":    func() error { _, err := in.Load(t.Context(), []store.Need{{Room: rooms[0]}}); return err },
				"Members": func() error { _, err := in.Members(t.Context(), store.MemberQuery{Room: rooms[0]}); return err },
				"Commit":  func() error { _, err := in.Commit(t.Context(), []store.Change{{}}); return err },
				"Rely":    func() error { return rely(t, in) },
				"Do": func() error {
					_, err := newService(t, in).Do(t.Context(), roomkit.By(boss), edit(rooms[0], "never"))
					return err
				},
			}
			for name, call := range calls {
				require.ErrorIs(t, call(), tt.want, name)
			}
			if errors.Is(tt.want, sqlitestore.ErrTxEnded) {
				_, err := tx.ExecContext(t.Context(), insertMessage)
				require.ErrorIs(t, err, sql.ErrTxDone, "no statement of the host is stored alone")
			}
			if tx != nil {
				_ = tx.Rollback()
			}
			require.Equal(t, before, countRecords(t, s))
			require.Zero(t, count(t, s.Readers, countMessages))
		})
	}
}

func rely(tb testing.TB, in store.Store, on ...store.Expect) error {
	tb.Helper()
	guard, ok := store.Capability[store.Guard](in)
	require.True(tb, ok, "a store in a transaction is a store.Guard")
	return guard.Rely(tb.Context(), on)
}

// foreignDriver is a database that does not know what SQLite knows.
type foreignDriver struct{}

func (f foreignDriver) Connect(context.Context) (driver.Conn, error) { return f, nil }
func (f foreignDriver) Driver() driver.Driver                        { return nil }
func (f foreignDriver) Prepare(string) (driver.Stmt, error)          { return nil, errors.New("syntax error") }
func (f foreignDriver) Close() error                                 { return nil }
func (f foreignDriver) Begin() (driver.Tx, error)                    { return f, nil }
func (f foreignDriver) Commit() error                                { return nil }
func (f foreignDriver) Rollback() error                              { return nil }

// Beside the host's open transaction nothing waits for ever: a command through the
// service outside of it ends with ErrBusy, after the patience.
func TestSQLiteDoesNotWaitForItself(t *testing.T) {
	path := newPath(t)
	synctest.Test(t, func(t *testing.T) {
		s := open(t, path)
		rooms := populate(t, s, 1)
		tx, svc := inTx(t, s, s.Writer)
		_, err := svc.Do(t.Context(), roomkit.By(boss), edit(rooms[0], "inside"))
		require.NoError(t, err)
		outside := newService(t, s)
		err = lasted(t, patience, func() error {
			_, err := outside.Do(t.Context(), roomkit.By(boss), edit(rooms[0], "outside"))
			return err
		})
		require.ErrorIs(t, err, sqlitestore.ErrBusy)
		require.Equal(t, service.CategoryUnavailable, service.CategoryOf(err))
		require.NoError(t, outside.Check(t.Context(), boss, roomkit.ActionPost, rooms[0]), "who reads does not wait")
		_, err = svc.Do(t.Context(), roomkit.By(boss), edit(rooms[0], "inside again"))
		require.NoError(t, err)
		require.NoError(t, tx.Commit())
		_, err = outside.Do(t.Context(), roomkit.By(boss), edit(rooms[0], "outside again"))
		require.NoError(t, err)
		verifyStore(t, s)
	})
}

// Two transactions of one process on two connections: the second one ends with ErrBusy.
func TestSecondTransactionIsBusy(t *testing.T) {
	path := newPath(t)
	s, err := sqliteopen.Open(t.Context(), path, &sqliteopen.Options{Create: true, Options: sqlitestore.Options{Patience: 200 * time.Millisecond}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	rooms := populate(t, s, 1)
	db := hostHandle(t, path)
	_, first := inTx(t, s, db)
	_, err = first.Do(t.Context(), roomkit.By(boss), edit(rooms[0], "first"))
	require.NoError(t, err)
	_, second := inTx(t, s, db)
	_, err = second.Do(t.Context(), roomkit.By(boss), edit(rooms[0], "second"))
	require.ErrorIs(t, err, sqlitestore.ErrBusy)
}

// Every statement of a command in a host's transaction fails in turn: the command leaves
// nothing, and the host's rows and its other commands are stored, or all is gone.
func TestFaultsInTx(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	rooms := populate(t, s, 1)
	messages(t, s)
	var f faults
	db := f.open(t, path)
	failed := 0
	for n := 1; ; n++ {
		records, had := countRecords(t, s), count(t, s.Readers, countMessages)
		tx, svc := inTx(t, s, db)
		_, err := svc.Do(t.Context(), roomkit.By(boss), edit(rooms[0], "before"+time.Duration(n).String()))
		require.NoError(t, err)
		f.failAt(n)
		_, err = svc.Do(t.Context(), roomkit.By(boss), edit(rooms[0], "after"+time.Duration(n).String()))
		hit := f.heal()
		if !hit {
			require.NoError(t, err)
			require.NoError(t, tx.Commit())
			require.Equal(t, records+2, countRecords(t, s))
			break
		}
		failed++
		require.Error(t, err, n)
		_, err = tx.ExecContext(t.Context(), insertMessage)
		if err == nil {
			err = tx.Commit()
		}
		stored := countRecords(t, s) - records
		if err == nil {
			require.Equal(t, 1, stored, "statement %d: what was before it", n)
			require.Equal(t, had+1, count(t, s.Readers, countMessages))
		} else {
			require.ErrorIs(t, err, sql.ErrTxDone)
			require.Zero(t, stored, "statement %d", n)
			require.Equal(t, had, count(t, s.Readers, countMessages))
		}
	}
	t.Logf("%d statements have failed", failed)
	require.Greater(t, failed, 8)
	verifyStore(t, s)
}

func TestRetry(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	rooms := populate(t, s, 1)
	messages(t, s)
	db := hostHandle(t, path)
	tries := 0
	err := sqlitestore.Retry(t.Context(), func(ctx context.Context) error {
		tries++
		tx, svc := inTx(t, s, db)
		defer tx.Rollback()
		require.NoError(t, tx.QueryRowContext(ctx, countMessages).Scan(new(int)))
		if tries == 1 {
			mustExec(t, s.Writer, insertMessage)
		}
		if _, err := svc.Do(ctx, roomkit.By(boss), edit(rooms[0], "once")); err != nil {
			require.ErrorIs(t, err, sqlitestore.ErrSnapshot)
			require.NotErrorIs(t, err, sqlitestore.ErrBusy, "no patience helps, so none is waited for")
			require.NotContains(t, err.Error(), "%!")
			return err
		}
		return tx.Commit()
	})
	require.NoError(t, err)
	require.Equal(t, 2, tries)
	verifyStore(t, s)
}

func TestRetryGivesUp(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	messages(t, s)
	holder, err := s.Writer.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer holder.Rollback()
	db := handle(t, path, "_pragma=busy_timeout(0)")
	_, busy := db.ExecContext(t.Context(), insertMessage)
	require.Error(t, busy)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	tests := []struct {
		name  string
		ctx   context.Context
		err   error
		tries int
	}{
		{"a statement of the host is busy", t.Context(), busy, 10},
		{"the store has waited already", t.Context(), sqlitestore.ErrBusy, 1},
		{"something else", t.Context(), sqlitestore.ErrTxEnded, 1},
		{"the context has ended", ended, busy, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tries := 0
			err := sqlitestore.Retry(tt.ctx, func(context.Context) error { tries++; return tt.err })
			require.ErrorIs(t, err, tt.err)
			require.Equal(t, tt.tries, tries)
			require.Equal(t, tt.tries == 10 || tt.name == "the store has waited already", errors.Is(err, sqlitestore.ErrBusy))
			if tt.ctx.Err() != nil {
				require.ErrorIs(t, err, context.Canceled)
			}
		})
	}
}

// What is relied on is compared under the write lock, and holds until the host commits.
func TestRely(t *testing.T) {
	path := newPath(t)
	s, err := sqliteopen.Open(t.Context(), path, &sqliteopen.Options{Create: true, Options: sqlitestore.Options{Patience: 1}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	rooms := populate(t, s, 1)
	_, err = newService(t, s).Do(t.Context(), roomkit.System(), roomkit.SyncTeam{Team: "sales", Company: acme, Name: "Sales", Members: []roomkit.UserID{boss}})
	require.NoError(t, err)
	facts, err := s.Load(t.Context(), []store.Need{{Room: rooms[0], People: []roomkit.UserID{boss}, Team: roomkit.KeyOfTeam(acme, "sales")}})
	require.NoError(t, err)
	f := &facts[0]
	on := []store.Expect{
		{Subject: roomkit.RoomSubject(rooms[0]), Version: f.Room.Version},
		{Subject: roomkit.UserSubject(boss), Version: f.Users[0].Version},
		{Subject: roomkit.CompanySubject(acme), Version: f.Companies[0].Version},
		{Subject: roomkit.TeamSubject(acme, "sales"), Version: f.Team.Version},
		{Subject: roomkit.UserSubject("nobody"), Version: 0},
	}
	tx, svc := inTx(t, s, hostHandle(t, path))
	in := s.InTx(tx)
	require.NoError(t, rely(t, in, on...))
	_, err = newService(t, s).Do(t.Context(), roomkit.System(), roomkit.SuspendUser{User: boss})
	require.ErrorIs(t, err, sqlitestore.ErrBusy, "nobody changes it before the commit")
	for i := range on {
		wrong := on[i]
		wrong.Version++
		require.ErrorIs(t, rely(t, in, wrong), roomkit.ErrConflict, wrong.Subject)
	}
	require.ErrorIs(t, rely(t, in, on[0], on[0]), roomkit.ErrInvalid)
	require.ErrorIs(t, rely(t, in, store.Expect{}), roomkit.ErrInvalid)
	require.NoError(t, rely(t, in))
	_, err = svc.Do(t.Context(), roomkit.By(boss), edit(rooms[0], "by the transaction itself"))
	require.NoError(t, err)
	require.ErrorIs(t, rely(t, in, on[0]), roomkit.ErrConflict)
	require.NoError(t, tx.Commit())
	_, err = newService(t, s).Do(t.Context(), roomkit.System(), roomkit.SuspendUser{User: boss})
	require.NoError(t, err)
	_, ok := store.Capability[store.Guard](s)
	require.False(t, ok, "outside of a transaction nothing holds")
}

// A transaction of another handle is told from one of the store's own, whatever the store has
// prepared for itself before, and whichever of its statements the transaction needs first.
func TestTransactionsOfAnotherHandle(t *testing.T) {
	path := newPath(t)
	rooms := populate(t, open(t, path), 1)
	for _, first := range []string{"a question", "a command"} {
		s, other := open(t, path), open(t, path).Writer
		outside := newService(t, s)
		for n := range 3 {
			_, err := outside.Do(t.Context(), roomkit.By(boss), edit(rooms[0], fmt.Sprint(first, n)))
			require.NoError(t, err)
			tx, inside := inTx(t, s, other)
			if first == "a command" || n > 0 {
				_, err = inside.Do(t.Context(), roomkit.By(boss), edit(rooms[0], fmt.Sprint(first, n, " inside")))
				require.NoError(t, err, "%s first, round %d", first, n)
			}
			require.NoError(t, inside.Require(t.Context(), boss, roomkit.ActionPost, rooms[0]), "%s first, round %d", first, n)
			require.NoError(t, tx.Commit())
		}
	}
}
