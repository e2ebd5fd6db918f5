package pgstore

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/judge"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
)

// lockTable is a database and what takes locks there as commits do.
type lockTable struct {
	t    *testing.T
	pool *pgxpool.Pool
	sql  *statements
	key  int64
}

func newLockTable(t *testing.T) *lockTable {
	pool, err := pgxpool.New(t.Context(), os.Getenv("ROOMKIT_POSTGRES_URL"))
	require.NoError(t, err, "run these tests with .ci/with-postgres")
	t.Cleanup(pool.Close)
	key := int64(os.Getpid()) << 32
	o, err := (&Options{}).complete()
	require.NoError(t, err)
	return &lockTable{t, pool, o.statements(&found{schema: "none", lock: key}), key}
}

// lockedBatch relies on some subjects and writes others.
func lockedBatch(relies, writes []roomkit.Subject) *batch {
	b := newBatch(belief(), &judge.Call{})
	for _, of := range relies {
		b.base[of] = 1
	}
	for _, of := range writes {
		b.base[of] = 1
		switch of.Type {
		case roomkit.SubjectRoom:
			b.rooms.put(of.Room, &roomkit.Room{ID: of.Room}, 1)
		case roomkit.SubjectUser:
			b.users.put(roomkit.UserID(of.ID), &roomkit.User{ID: roomkit.UserID(of.ID)}, 1)
		case roomkit.SubjectCompany:
			b.companies.put(roomkit.CompanyID(of.ID), &roomkit.Company{ID: roomkit.CompanyID(of.ID)}, 1)
		case roomkit.SubjectTeam:
			b.teams.put(roomkit.TeamKey(of.ID), &roomkit.Team{ID: roomkit.TeamID(of.ID)}, 1)
		}
	}
	return b
}

// take takes the locks of a batch in a transaction of its own, which waits no longer than a moment.
func (l *lockTable) take(b *batch, few int) (pgx.Tx, error) {
	tx, err := l.pool.Begin(l.t.Context())
	require.NoError(l.t, err)
	l.t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	text := l.sql.one[lockSubjects].text
	_, err = tx.Exec(l.t.Context(), `SET LOCAL statement_timeout = '150ms'`) // lock_timeout is what the statement switches off
	require.NoError(l.t, err)
	keys, alone := split(b.subjectLocks(l.key, few), func(l subjectLock) (int64, bool) { return l.key, l.alone })
	_, err = tx.Exec(l.t.Context(), text, l.key, keys, alone)
	return tx, err
}

func subjectOf(of roomkit.SubjectType, n int) roomkit.Subject {
	if of == roomkit.SubjectRoom {
		return roomkit.RoomSubject(roomkit.RoomID{1, byte(n), byte(n >> 8)})
	}
	return roomkit.Subject{Type: of, ID: fmt.Sprint("n", n)}
}

// use is what a transaction does with subjects of a type.
type use struct {
	writes bool
	many   bool
}

func (u use) String() string {
	return map[bool]string{false: "relies on ", true: "writes "}[u.writes] + map[bool]string{false: "a few", true: "many"}[u.many]
}

var uses = []use{{false, false}, {false, true}, {true, false}, {true, true}}

// batch uses subject number n, and many others of the type if that is what the use is.
func (u use) batch(of roomkit.SubjectType, n, few int) *batch {
	list := []roomkit.Subject{subjectOf(of, n)}
	for i := range few {
		if u.many {
			list = append(list, subjectOf(of, 1000*(n+1)+i))
		}
	}
	if u.writes {
		return lockedBatch(nil, list)
	}
	return lockedBatch(list, nil)
}

// Whoever relies on a subject and whoever writes it exclude each other, however many others
// they use; those who rely on it do not.
func TestSubjectLocks(t *testing.T) {
	l := newLockTable(t)
	const few = 3
	for _, of := range []roomkit.SubjectType{roomkit.SubjectRoom, roomkit.SubjectUser, roomkit.SubjectCompany, roomkit.SubjectTeam} {
		for _, first := range uses {
			for _, second := range uses {
				held, err := l.take(first.batch(of, 1, few), few)
				require.NoError(t, err)
				other, err := l.take(second.batch(of, 1, few), few)
				if first.writes != second.writes {
					require.Error(t, err, "%s: one %s, one %s", of, first, second)
				} else if !first.writes && (!first.many || !second.many) {
					require.NoError(t, err, "%s: one %s, one %s", of, first, second)
				}
				require.NoError(t, other.Rollback(t.Context()))

				apart, err := l.take(second.batch(of, 2, few), few)
				if !first.many && !second.many {
					require.NoError(t, err, "%s: subjects of their own: one %s, one %s", of, first, second)
				}
				require.NoError(t, apart.Rollback(t.Context()))
				require.NoError(t, held.Rollback(t.Context()))
			}
		}
	}
}

// A transaction that does both is excluded by either.
func TestSubjectLocksOfBoth(t *testing.T) {
	l := newLockTable(t)
	const few = 3
	a, b := subjectOf(roomkit.SubjectUser, 1), subjectOf(roomkit.SubjectUser, 2)
	many := func(n int) (list []roomkit.Subject) {
		for i := range few + 1 {
			list = append(list, subjectOf(roomkit.SubjectUser, 1000*n+i))
		}
		return list
	}
	for _, relies := range [][]roomkit.Subject{{a}, append(many(1), a)} {
		for _, writes := range [][]roomkit.Subject{{b}, append(many(2), b)} {
			held, err := l.take(lockedBatch(relies, writes), few)
			require.NoError(t, err)
			for name, other := range map[string]*batch{
				"writes what was relied on":  lockedBatch(nil, []roomkit.Subject{a}),
				"relies on what was written": lockedBatch([]roomkit.Subject{b}, nil),
				"the other way round":        lockedBatch([]roomkit.Subject{b}, []roomkit.Subject{a}),
			} {
				tx, err := l.take(other, few)
				require.Error(t, err, "%s: %d, %d", name, len(relies), len(writes))
				require.NoError(t, tx.Rollback(t.Context()))
			}
			require.NoError(t, held.Rollback(t.Context()))
		}
	}
}

// Those who commit at the same time do not take each other for somebody who listens.
func TestNobodyIsWokenInVain(t *testing.T) {
	l := newLockTable(t)
	listener, err := l.pool.Acquire(t.Context())
	require.NoError(t, err)
	defer listener.Release()
	channel := fmt.Sprint("woken", l.key)
	_, err = listener.Exec(t.Context(), "LISTEN "+channel)
	require.NoError(t, err)
	woken := func() bool {
		_, err := listener.Exec(t.Context(), "SELECT 1")
		require.NoError(t, err)
		_, err = listener.Conn().WaitForNotification(canceled(t))
		return err == nil
	}
	commit := func() {
		_, err := l.pool.Exec(t.Context(), l.sql.one[wakeOthers].text, l.key, channel)
		require.NoError(t, err)
	}
	tx, err := l.pool.Begin(t.Context())
	require.NoError(t, err)
	defer tx.Rollback(context.WithoutCancel(t.Context()))
	_, err = tx.Exec(t.Context(), l.sql.one[wakeOthers].text, l.key, channel)
	require.NoError(t, err)
	commit()
	require.False(t, woken(), "nobody listens")
	_, err = listener.Exec(t.Context(), "SELECT pg_advisory_lock_shared($1)", l.key)
	require.NoError(t, err)
	commit()
	require.True(t, woken())
	_, err = listener.Exec(t.Context(), "SELECT pg_advisory_unlock_shared($1)", l.key)
	require.NoError(t, err)
}

func canceled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// A transaction of a host takes the locks that a commit of its own would take.
func TestLocksInsideATransaction(t *testing.T) {
	pool, err := pgxpool.New(t.Context(), os.Getenv("ROOMKIT_POSTGRES_URL"))
	require.NoError(t, err)
	defer pool.Close()
	o := &Options{Schema: "locks_inside"}
	require.NoError(t, Migrate(t.Context(), pool, o))
	defer func() {
		_, err := pool.Exec(context.WithoutCancel(t.Context()), "DROP SCHEMA locks_inside CASCADE")
		require.NoError(t, err)
	}()
	s, err := New(t.Context(), pool, o)
	require.NoError(t, err)
	for _, of := range []roomkit.SubjectType{roomkit.SubjectUser, roomkit.SubjectRoom, roomkit.SubjectCompany, roomkit.SubjectTeam} {
		for _, n := range []int{1, fewSubjects, fewSubjects + 1} {
			change := sqltest.NewPen(n).Change(1, false)
			batch := fold([]store.Change{change}, belief(), &judge.Call{})
			for i := range n {
				e := store.Expect{Subject: subjectOf(of, i+1)} // of nothing
				change.Expect = append(change.Expect, e)
				batch.base[e.Subject] = e.Version
			}
			tx, err := pool.Begin(t.Context())
			require.NoError(t, err)
			defer tx.Rollback(context.WithoutCancel(t.Context()))
			_, err = s.InTx(tx).Commit(t.Context(), []store.Change{change})
			require.NoError(t, err)
			_, err = tx.Exec(t.Context(), "SET CONSTRAINTS ALL IMMEDIATE")
			require.NoError(t, err)
			rows, err := tx.Query(t.Context(), `SELECT (l.classid::bigint << 32) | l.objid::bigint, l.mode = 'ExclusiveLock' FROM pg_locks l
				WHERE l.pid = pg_backend_pid() AND l.locktype = 'advisory' AND l.objsubid = 1 ORDER BY 1`)
			require.NoError(t, err)
			locks, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (l subjectLock, err error) {
				err = row.Scan(&l.key, &l.alone)
				return l, err
			})
			require.NoError(t, err)
			want := append(batch.subjectLocks(s.lock, fewSubjects), subjectLock{key: s.lock})
			require.ElementsMatch(t, want, locks, "%d of %s", n, of)
			require.NoError(t, tx.Rollback(t.Context()))
		}
	}
}
