package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
	"github.com/go-roomkit/roomkit/store/pgstore"
	"github.com/go-roomkit/roomkit/store/verify"
)

// failCommits lets the first attempts of commits fail with a state. It gives a
// function that counts all attempts.
func (w *world) failCommits(t *testing.T, state string, times int) (attempts func() (n int)) {
	t.Helper()
	schema := w.o.Schema
	mustExec(t, w.pool, fmt.Sprintf(`CREATE SEQUENCE %[1]s.attempts;
		CREATE FUNCTION %[1]s.fail() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN
			IF nextval('%[1]s.attempts') <= %[3]d THEN RAISE EXCEPTION 'on purpose' USING ERRCODE = '%[2]s'; END IF;
			RETURN NULL;
		END $$;
		CREATE TRIGGER fail BEFORE INSERT ON %[1]s.roomkit_commands FOR EACH STATEMENT EXECUTE FUNCTION %[1]s.fail()`, schema, state, times))
	return func() (n int) {
		require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM `+schema+`.attempts`).Scan(&n))
		return n
	}
}

const always = 1_000_000

// What passes is tried again; what does not is told at once, by its class. In both
// cases nothing is stored of what failed.
func TestErrorsOfCommit(t *testing.T) {
	tests := []struct {
		name, state string
		times       int
		want        error
		attempts    int // 0: more than one
	}{
		{"serialization failure", "40001", 2, nil, 3},
		{"deadlock", "40P01", 2, nil, 3},
		{"cancelled by an administrator", "57014", 2, nil, 3},
		{"short of memory", "53200", 2, nil, 3},
		{"serialization failure", "40001", always, roomkit.ErrConflict, 0},
		{"statement timeout", "57014", always, pgstore.ErrUnavailable, 0},
		{"disk full", "53100", always, pgstore.ErrFull, 1},
		{"input and output", "58030", always, pgstore.ErrUnavailable, 1},
		{"internal", "XX000", always, pgstore.ErrUnavailable, 1},
		{"damaged", "XX001", always, pgstore.ErrCorrupt, 1},
		{"privilege", "42501", always, pgstore.ErrForbidden, 1},
		{"something else", "0A000", always, roomkit.ErrUnsupported, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name+" "+tt.state, func(t *testing.T) {
			w := newWorld(t)
			attempts := w.failCommits(t, tt.state, tt.times)
			o := *w.o
			if tt.times == always {
				o.Patience = 50 * time.Millisecond
			}
			c, d := sqltest.NewPen(1).Change(1, false), sqltest.NewPen(2).Change(1, false)
			results, err := openStore(t, w.pool, &o).Commit(t.Context(), []store.Change{c, d})
			require.NotErrorIs(t, err, roomkit.ErrUnknownOutcome)
			if tt.attempts > 0 {
				require.Equal(t, tt.attempts, attempts())
			} else {
				require.Greater(t, attempts(), 1)
			}
			if tt.want != nil {
				require.ErrorIs(t, err, tt.want)
				require.ErrorContains(t, err, tt.state)
			} else {
				require.NoError(t, err)
				require.NoError(t, results[0].Err)
			}
			require.Equal(t, tt.want == nil, w.isStored(t, c))
		})
	}
}

// A transaction of a host takes the turn of commits and then wants what a commit
// holds: PostgreSQL ends the commit, which is made again. On a busy machine a server may
// miss its first look at the locks and end the host's transaction instead; then it has
// another try.
func TestDeadlockWithHost(t *testing.T) {
	for range 10 {
		if newDeadlock(t).endsTheCommit() {
			return
		}
	}
	require.FailNow(t, "PostgreSQL ends the transaction of the host every time")
}

// deadlock is a commit of a and b beside a transaction of a host.
type deadlock struct {
	*world
	tb    *testing.T
	a, b  store.Change
	store store.Store
	wants pgx.Tx
}

func newDeadlock(t *testing.T) *deadlock {
	w := newWorld(t)
	config := w.pool.Config()
	config.ConnConfig.RuntimeParams["deadlock_timeout"] = "10ms"
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	d := &deadlock{
		world: w, tb: t, store: openStore(t, pool, w.o),
		a: sqltest.NewPen(1).Change(1, false), b: sqltest.NewPen(2).Change(1, false),
	}
	d.wants = d.begin()
	return d
}

func (d *deadlock) begin() pgx.Tx {
	tx, err := d.pool.Begin(d.tb.Context())
	require.NoError(d.tb, err)
	d.tb.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	_, err = tx.Exec(d.tb.Context(), `SET LOCAL deadlock_timeout = '5s'`) // the commit has to find it first
	require.NoError(d.tb, err)
	return tx
}

func (d *deadlock) insert(tx pgx.Tx, c store.Change) error {
	_, err := tx.Exec(d.tb.Context(), `INSERT INTO `+d.o.Schema+`.roomkit_commands VALUES ($1, '', NULL, false, NULL)`, c.Command.String())
	return err
}

// endsTheCommit reports whether the server has ended the commit and not the host's
// transaction, and the machine was quick enough for the next attempt. Nothing that is
// acknowledged is missing either way.
func (d *deadlock) endsTheCommit() bool {
	t, side := d.tb, d.side(d.tb)
	_, err := d.wants.Exec(t.Context(), `SELECT pg_advisory_xact_lock(lock_key) FROM `+d.o.Schema+`.roomkit_meta`)
	require.NoError(t, err)
	told := commit(t.Context(), d.store, d.a, d.b)
	side.waiting(1) // it has stored both and waits for its turn
	host := d.insert(d.wants, d.a)
	require.NoError(t, d.wants.Rollback(t.Context()))
	s := <-told
	require.NoError(t, s.err)
	for i, c := range []store.Change{d.a, d.b} {
		if errors.Is(s.results[i].Err, roomkit.ErrConflict) { // the key was held for too long
			return false
		}
		require.NoError(t, s.results[i].Err)
		require.False(t, s.results[i].Repeat)
		require.True(t, d.isStored(t, c))
	}
	return host == nil
}

// A commit outlasts an outage that is shorter than its patience.
func TestOutageWithinPatience(t *testing.T) {
	w := newWorld(t)
	p, pool := through(t)
	o := *w.o
	o.Patience = time.Minute
	s := openStore(t, pool, &o)
	p.setRefuse(true)
	p.cut()
	c := sqltest.NewPen(1).Change(1, false)
	told := commit(t.Context(), s, c)
	require.Eventually(t, func() bool { return p.refused.Load() > 30 }, time.Minute, time.Millisecond)
	p.setRefuse(false)
	a := <-told
	require.NoError(t, a.err)
	require.False(t, a.results[0].Repeat)
	require.True(t, w.isStored(t, c))
}

// A pool that lets the server forget everything between two uses of a connection
// costs time, and nothing else.
func TestStatementsForgotten(t *testing.T) {
	w := newWorld(t)
	config := w.pool.Config()
	config.MaxConns = 2
	config.AfterRelease = func(conn *pgx.Conn) bool {
		_, err := conn.Exec(context.Background(), `DISCARD ALL`)
		return assert.NoError(t, err)
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	s := openStore(t, pool, w.o)
	l := sqltest.NewPen(8)
	for range 4 {
		for name, err := range everyCall(t.Context(), s) {
			require.NoError(t, err, name)
		}
		tx, err := pool.Begin(t.Context())
		require.NoError(t, err)
		t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
		results, err := s.InTx(tx).Commit(t.Context(), []store.Change{l.Change(1, false)})
		require.NoError(t, err)
		require.NoError(t, results[0].Err)
		require.NoError(t, tx.Commit(t.Context()))
	}
}

// Text that PostgreSQL cannot hold is refused, and only what brings it.
func TestBadTextInGroup(t *testing.T) {
	for name, text := range map[string]string{"NUL": "a\x00b", "no UTF-8": "\xff", "too long for an index": unpackable(10_000)} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			bad, good, more := sqltest.NewPen(1), sqltest.NewPen(2), sqltest.NewPen(3)
			bad.Row.Company, bad.Row.NameKey = "acme", text
			h := w.host(t)
			for _, s := range []store.Store{w.store, h.store} {
				results, err := s.Commit(t.Context(), []store.Change{good.Change(1, false), bad.Change(1, false), more.Change(1, false)})
				require.NoError(t, err)
				require.NoError(t, results[0].Err)
				require.ErrorIs(t, results[1].Err, roomkit.ErrInvalid)
				bad.Row.Version--
				require.NoError(t, results[2].Err)
			}
			require.NoError(t, h.Commit(t.Context()))
			require.Empty(t, w.history(t, roomkit.RoomSubject(bad.Row.ID)))
			require.Len(t, w.history(t, roomkit.RoomSubject(good.Row.ID)), 2)
		})
	}
}

// unpackable is text of which compression makes little less.
func unpackable(n int) string {
	b := make([]byte, n)
	for i, x := 0, uint32(1); i < n; i++ {
		x = x*1664525 + 1013904223
		b[i] = '!' + byte(x>>24)%90
	}
	return string(b)
}

// Questions with text that PostgreSQL cannot hold are refused.
func TestBadTextInQuestions(t *testing.T) {
	w := newWorld(t)
	h := w.host(t)
	for of, s := range map[string]store.Store{"store": w.store, "in a transaction": h.store} {
		for _, text := range []string{"a\x00b", "\x00", "\xff", "ok\xc3("} {
			ask := map[string]func() error{
				"History": func() error {
					_, err := s.History(t.Context(), roomkit.UserSubject(roomkit.UserID(text)), 0, 0)
					return err
				},
				"Members": func() error {
					_, err := s.Members(t.Context(), store.MemberQuery{Room: roomkit.RoomID{1}, After: roomkit.UserID(text)})
					return err
				},
				"Feed": func() error { _, err := s.Feed(t.Context(), roomkit.Cursor(text), 0); return err },
			}
			for name, n := range map[string]store.Need{
				"People": {People: []roomkit.UserID{roomkit.UserID(text)}}, "Companies": {Companies: []roomkit.CompanyID{roomkit.CompanyID(text)}},
				"Team": {Team: roomkit.TeamKey(text)}, "Name": {Name: text}, "Company": {Name: "x", Company: roomkit.CompanyID(text)},
				"Shared": {Shared: []roomkit.UserID{"u1", roomkit.UserID(text)}}, "Checkpoint": {Checkpoint: text},
			} {
				ask[name] = func() error { _, err := s.Load(t.Context(), []store.Need{n}); return err }
			}
			for name, q := range map[string]store.RoomQuery{
				"rooms of a user": {User: roomkit.UserID(text)}, "past rooms": {User: roomkit.UserID(text), Which: store.MembersAll},
				"rooms of a company": {Company: roomkit.CompanyID(text)}, "public rooms": {Company: roomkit.CompanyID(text), Public: true},
				"participants":       {Participants: []roomkit.UserID{"u1", roomkit.UserID(text)}},
				"exact participants": {Participants: []roomkit.UserID{"u1", roomkit.UserID(text)}, Exact: true},
			} {
				ask[name] = func() error { _, err := s.Rooms(t.Context(), q); return err }
			}
			for name, q := range map[string]store.UserQuery{
				"users": {Company: roomkit.CompanyID(text)}, "users after": {Company: "acme", After: roomkit.UserID(text)}, "free users": {After: roomkit.UserID(text)},
			} {
				ask[name] = func() error { _, err := s.Users(t.Context(), q); return err }
			}
			for name, do := range ask {
				require.ErrorIs(t, do(), roomkit.ErrInvalid, "%s: %s %q", of, name, text)
			}
		}
	}
	require.NoError(t, verify.Run(t.Context(), w.store, nil))
}
