package pgstore_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
	"github.com/go-roomkit/roomkit/store/pgstore"
	"github.com/go-roomkit/roomkit/store/verify"
)

// firstVersion makes of the tables of a world those of the first version of the schema, with
// their rows.
func (w *world) firstVersion(t *testing.T) *oldProcess {
	t.Helper()
	text, err := os.ReadFile("migrations/0001.sql")
	require.NoError(t, err)
	_, settle, ok := strings.Cut(string(text), "CREATE FUNCTION roomkit_settle()")
	require.True(t, ok)
	settle, _, ok = strings.Cut(settle, "COMMENT ON FUNCTION")
	require.True(t, ok)
	mustExec(t, w.pool, "CREATE OR REPLACE FUNCTION "+w.o.Schema+".roomkit_settle()"+settle)
	mustExec(t, w.pool, w.within(`DROP SEQUENCE %[1]s.roomkit_places;
		UPDATE %[1]s.roomkit_meta SET schema_version = 1, lock_key = lock_key # 4611686018427387904`))
	p := &oldProcess{w: w}
	require.NoError(t, w.pool.QueryRow(t.Context(), w.within(`SELECT epoch, lock_key FROM %[1]s.roomkit_meta`)).Scan(&p.epoch, &p.lock))
	return p
}

// oldProcess commits as the package did with the first version of the schema.
type oldProcess struct {
	w     *world
	epoch string
	lock  int64
	n     int
}

// begin has written what comes before the places.
func (p *oldProcess) begin(t *testing.T) *oldCommit {
	t.Helper()
	p.n++
	tx, err := p.w.pool.Begin(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	c := &oldCommit{Tx: tx, p: p, command: roomkit.CommandID{9, byte(p.n)}, room: roomkit.RoomID{9, byte(p.n)}}
	_, err = tx.Exec(t.Context(), p.w.within(`INSERT INTO %[1]s.roomkit_commands VALUES ($1, '', NULL, true, NULL)`), c.command.String())
	require.NoError(t, err)
	return c
}

type oldCommit struct {
	pgx.Tx
	p       *oldProcess
	command roomkit.CommandID
	room    roomkit.RoomID
}

// end takes the one lock of all commits, and the place behind the newest record.
func (c *oldCommit) end(t *testing.T) error {
	_, err := c.Exec(t.Context(), `SELECT pg_advisory_xact_lock($1)`, c.p.lock)
	if err == nil {
		_, err = c.Exec(t.Context(), fmt.Sprintf(`INSERT INTO %[1]s.roomkit_records (position, subject, room, version, type, command, data)
			SELECT newest.place + row_number() OVER (), 'room', $1::uuid, 1, 'test', $2::uuid, '' FROM (SELECT
			coalesce((SELECT coalesce((SELECT max(e.position) FROM %[1]s.roomkit_records e WHERE e.position > 0), 0)
				FROM %[1]s.roomkit_meta m WHERE m.only_row AND m.epoch = '%[2]s' AND m.lock_key = %[3]d),
				concat('roomkit: other tables than those that were opened')::bigint) AS place) newest`, c.p.w.o.Schema, c.p.epoch, c.p.lock),
			c.room.String(), c.command.String())
	}
	if err != nil {
		return err
	}
	return c.Commit(t.Context())
}

// park leaves a record to the trigger.
func (c *oldCommit) park(t *testing.T) {
	t.Helper()
	_, err := c.Exec(t.Context(), c.p.w.within(`INSERT INTO %[1]s.roomkit_records (position, subject, room, version, type, command, data)
		VALUES (nextval('%[1]s.roomkit_waiting'), 'room', $1, 1, 'test', $2, '')`), c.room.String(), c.command.String())
	require.NoError(t, err)
	_, err = c.Exec(t.Context(), c.p.w.within(`INSERT INTO %[1]s.roomkit_pending (command) VALUES ($1)`), c.command.String())
	require.NoError(t, err)
}

// upgraded demands that followers go on from all cursors that there were before.
func (w *world) upgraded(t *testing.T, before []roomkit.Cursor, more int) {
	t.Helper()
	w.store = openStore(t, w.pool, w.o)
	all := w.feed(t, "")
	require.Len(t, all, len(before)+more)
	for i, at := range before {
		require.Equal(t, all[i+1:], w.feed(t, at), "a follower in the middle goes on")
	}
	c := sqltest.NewPen(77)
	for range 3 {
		require.NoError(t, commitOne(t, w.store, c.Change(2, false)))
	}
	news := w.feed(t, all[len(all)-1].Cursor)
	require.Len(t, news, 6)
	require.Equal(t, append(all, news...), w.feed(t, ""))
}

func (w *world) cursors(t *testing.T) (all []roomkit.Cursor) {
	t.Helper()
	for _, r := range w.feed(t, "") {
		all = append(all, r.Cursor)
	}
	return all
}

// Whoever commits in the old way is waited for, or refused when the tables have been
// migrated: nobody takes a place that another one has.
func TestUpgradeBesideOldProcesses(t *testing.T) {
	w := newWorld(t)
	before := w.cursors(t)
	old := w.firstVersion(t)
	require.NoError(t, old.begin(t).end(t))
	inHost, direct, late := old.begin(t), old.begin(t), old.begin(t)
	inHost.park(t)
	require.NoError(t, late.Rollback(t.Context()))
	side := w.side(t)
	migrated := make(chan error)
	go func() { migrated <- pgstore.Migrate(t.Context(), w.pool, w.o) }()
	side.waiting(1)
	require.NoError(t, inHost.Commit(t.Context()), "the trigger of the old version")
	side.waiting(1)
	require.NoError(t, direct.end(t))
	require.NoError(t, <-migrated)
	w.upgraded(t, before, 3)

	n := len(w.feed(t, ""))
	require.ErrorContains(t, old.begin(t).end(t), "other tables than those that were opened")
	require.Len(t, w.feed(t, ""), n)
	_, err := pgstore.New(t.Context(), w.pool, w.o)
	require.NoError(t, err)
}

// A migration that fails, or whose process is killed, leaves all as it was.
func TestUpgradeFails(t *testing.T) {
	w := newWorld(t)
	before := w.cursors(t)
	old := w.firstVersion(t)
	mustExec(t, w.pool, w.within(`CREATE SEQUENCE %[1]s.roomkit_places`))
	require.ErrorIs(t, pgstore.Migrate(t.Context(), w.pool, w.o), pgstore.ErrForeignTables)
	require.NoError(t, old.begin(t).end(t), "the old version goes on")
	mustExec(t, w.pool, w.within(`DROP SEQUENCE %[1]s.roomkit_places`))

	held := old.begin(t)
	ctx, cancel := context.WithCancel(t.Context())
	migrated := make(chan error)
	go func() { migrated <- pgstore.Migrate(ctx, w.pool, w.o) }()
	side := w.side(t)
	side.exec(`SELECT pg_terminate_backend($1)`, side.waiting(1)[0])
	cancel()
	require.Error(t, <-migrated)
	require.NoError(t, held.end(t), "the old version goes on")
	require.NoError(t, old.begin(t).end(t))
	_, err := pgstore.New(t.Context(), w.pool, w.o)
	require.ErrorIs(t, err, pgstore.ErrNotMigrated)

	require.NoError(t, pgstore.Migrate(t.Context(), w.pool, w.o))
	w.upgraded(t, before, 3)
}

// What services have stored before is as right as what they store afterwards.
func TestUpgradeOfServices(t *testing.T) {
	w := newWorld(t)
	tellStory(t, w)
	before := w.cursors(t)
	w.firstVersion(t)
	require.NoError(t, pgstore.Migrate(t.Context(), w.pool, w.o))
	w.store = openStore(t, w.pool, w.o)
	require.Equal(t, before, w.cursors(t))
	h := w.host(t)
	team(t, h.service, "After")
	require.NoError(t, h.Commit(t.Context()))
	require.Greater(t, len(w.feed(t, before[3])), len(before)-4)
	require.NoError(t, verify.Run(t.Context(), w.store, nil))
}
