package pgstore_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
	"github.com/go-roomkit/roomkit/store/pgstore"
	"github.com/go-roomkit/roomkit/store/verify"
)

// within puts the schema of the world into a text, in place of %[1]s.
func (w *world) within(text string) string { return fmt.Sprintf(text, w.o.Schema) }

func commitOne(tb testing.TB, s store.Store, c store.Change) error {
	tb.Helper()
	results, err := s.Commit(tb.Context(), []store.Change{c})
	if err == nil {
		err = results[0].Err
	}
	return err
}

// A sequence that is behind the records gives nobody a place, until Migrate has mended it.
func TestPlacesBehind(t *testing.T) {
	w := newWorld(t)
	a := newToggles(t, w.service, 1)
	seen := w.feed(t, "")
	h := w.host(t)
	team(t, h.service, "Group")
	mustExec(t, w.pool, w.within(`SELECT setval('%[1]s.roomkit_places', 10)`))
	require.ErrorIs(t, a.next(t.Context(), 0, 0), pgstore.ErrPlaces)
	require.ErrorContains(t, h.Commit(t.Context()), "the sequence of places is behind the records")
	_, err := pgstore.New(t.Context(), w.pool, w.o)
	require.ErrorIs(t, err, pgstore.ErrPlaces)
	require.ErrorIs(t, err, roomkit.ErrUnsupported)
	_, err = w.store.Feed(t.Context(), seen[len(seen)-2].Cursor, 1)
	require.ErrorIs(t, err, pgstore.ErrPlaces)

	require.NoError(t, pgstore.Migrate(t.Context(), w.pool, w.o))
	openStore(t, w.pool, w.o)
	for range 3 {
		require.NoError(t, a.next(t.Context(), 0, 0))
		h := w.host(t)
		do(t, h.service, roomkit.By("u1"), roomkit.CreateGroup{Name: "Group"})
		require.NoError(t, h.Rollback(t.Context()))
		news := w.feed(t, seen[len(seen)-1].Cursor)
		require.NotEmpty(t, news)
		seen = append(seen, news...)
		require.Equal(t, w.feed(t, ""), seen, "a follower sees everything")
	}
	require.NoError(t, verify.Run(t.Context(), w.store, nil))
}

// A cursor of a history that the database does not have any more is refused, even
// though there is a record at its place.
func TestCursorOfLostHistory(t *testing.T) {
	w := newWorld(t)
	a := newToggles(t, w.service, 1)
	kept := w.feed(t, "")
	n := len(kept)
	for range 3 {
		require.NoError(t, a.next(t.Context(), 0, 0))
	}
	lost := w.feed(t, kept[n-1].Cursor)
	mustExec(t, w.pool, fmt.Sprintf(`DELETE FROM %s.roomkit_records WHERE position > %d`, w.o.Schema, n)) // as an older copy
	for _, r := range lost {
		_, err := w.store.Feed(t.Context(), r.Cursor, 1)
		require.ErrorIs(t, err, roomkit.ErrInvalid)
	}
	for i := range 4 {
		require.NoError(t, commitOne(t, w.store, sqltest.NewPen(i+1).Change(1, false)))
	}
	for _, r := range lost {
		_, err := w.store.Feed(t.Context(), r.Cursor, 1)
		require.ErrorIs(t, err, roomkit.ErrInvalid)
		require.ErrorContains(t, err, "a part of the history that this database does not have")
	}
	news, err := w.store.Feed(t.Context(), kept[n-1].Cursor, 0)
	require.NoError(t, err)
	require.Len(t, news, 4)
	facts, err := w.store.Load(t.Context(), []store.Need{{Command: news[0].Command}})
	require.NoError(t, err)
	require.Equal(t, news[0].Cursor, facts[0].Done.Cursor, "the same cursor, however it is asked for")
}

// Without its trigger nothing is stored in transactions of hosts, and New says so.
// Migrate makes it again.
func TestTriggerIsProven(t *testing.T) {
	tests := map[string]string{
		"dropped":          `DROP TRIGGER roomkit_settle ON %[1]s.roomkit_pending`,
		"disabled":         `ALTER TABLE %[1]s.roomkit_pending DISABLE TRIGGER ALL`,
		"not always":       `ALTER TABLE %[1]s.roomkit_pending ENABLE TRIGGER ALL`,
		"something else's": `DROP TRIGGER roomkit_settle ON %[1]s.roomkit_pending; CREATE FUNCTION %[1]s.other() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; CREATE CONSTRAINT TRIGGER roomkit_settle AFTER INSERT ON %[1]s.roomkit_pending DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION %[1]s.other(); ALTER TABLE %[1]s.roomkit_pending ENABLE ALWAYS TRIGGER roomkit_settle`,
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			shape := triggerOf(t, w)
			mustExec(t, w.pool, w.within(spoil))
			h := w.host(t)
			_, err := h.service.Do(t.Context(), roomkit.By("u1"), roomkit.CreateGroup{Name: "Group"})
			require.ErrorIs(t, err, pgstore.ErrTrigger)
			require.NoError(t, h.Commit(t.Context()))
			require.Zero(t, groups(t, w.store)[0])
			do(t, w.service, roomkit.By("u1"), roomkit.CreateGroup{Name: "Elsewhere"}) // needs no trigger
			_, err = pgstore.New(t.Context(), w.pool, w.o)
			require.ErrorIs(t, err, pgstore.ErrTrigger)
			require.NoError(t, pgstore.Migrate(t.Context(), w.pool, w.o))
			require.Equal(t, shape, triggerOf(t, w))
			h = w.host(t)
			team(t, h.service, "Group")
			require.NoError(t, h.Commit(t.Context()))
			require.EqualValues(t, 2, groups(t, w.store)[0])
			openStore(t, w.pool, w.o)
			require.NoError(t, verify.Run(t.Context(), w.store, nil))
		})
	}
}

func triggerOf(t *testing.T, w *world) []string {
	t.Helper()
	return linesOf(t, w.pool, `SELECT pg_get_triggerdef(oid) || ' ' || tgenabled::text || ' ' || obj_description(oid, 'pg_trigger') FROM pg_trigger
		WHERE tgrelid = ($1 || '.roomkit_pending')::regclass AND NOT tgisinternal`, w.o.Schema)
}

// Nobody takes the trigger away from a transaction that needs it, and no setting of the
// session switches it off.
func TestTriggerStaysToTheEnd(t *testing.T) {
	w := newWorld(t)
	h := w.host(t)
	_, err := h.Exec(t.Context(), `SET LOCAL session_replication_role = replica`)
	require.NoError(t, err)
	team(t, h.service, "Group")
	side := w.side(t)
	side.exec(`SET lock_timeout = '20ms'`)
	for _, text := range []string{`DROP TRIGGER roomkit_settle ON %[1]s.roomkit_pending`, `ALTER TABLE %[1]s.roomkit_pending DISABLE TRIGGER ALL`} {
		_, err := side.Exec(t.Context(), w.within(text))
		require.ErrorContains(t, err, "lock timeout")
	}
	before := len(w.feed(t, ""))
	require.NoError(t, h.Commit(t.Context()))
	require.Greater(t, len(w.feed(t, "")), before)
	require.NoError(t, verify.Run(t.Context(), w.store, nil))
}

// What transactions have left behind without the trigger does not hinder others, and
// Migrate brings it into the feed.
func TestLeftBehindIsSettledLater(t *testing.T) {
	w := newWorld(t)
	h := w.host(t)
	team(t, h.service, "Left behind")
	rows, err := h.Query(t.Context(), w.within(`SELECT row_to_json(p)::text FROM %[1]s.roomkit_pending p`))
	require.NoError(t, err)
	left, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.NotEmpty(t, left)
	// As a superuser can do it in the middle: the rows stay, and nothing is settled.
	_, err = h.Exec(t.Context(), w.within(`DELETE FROM %[1]s.roomkit_pending`))
	require.NoError(t, err)
	require.NoError(t, h.Commit(t.Context()))
	side := w.side(t)
	side.exec(w.within(`ALTER TABLE %[1]s.roomkit_pending DISABLE TRIGGER ALL`))
	for _, row := range left {
		side.exec(w.within(`INSERT INTO %[1]s.roomkit_pending OVERRIDING SYSTEM VALUE SELECT * FROM json_populate_record(NULL::%[1]s.roomkit_pending, $1::json)`), row)
	}
	side.exec(w.within(`ALTER TABLE %[1]s.roomkit_pending ENABLE ALWAYS TRIGGER roomkit_settle`))
	require.Error(t, verify.Run(t.Context(), w.store, nil))

	h = w.host(t)
	do(t, h.service, roomkit.By("u9"), roomkit.CreateGroup{Name: "Others"})
	seen := len(w.feed(t, ""))
	require.NoError(t, h.Commit(t.Context()), "others are not hindered")
	require.Len(t, w.feed(t, ""), seen+3)
	_, err = pgstore.New(t.Context(), w.pool, w.o)
	require.ErrorIs(t, err, pgstore.ErrTrigger)
	before := len(w.feed(t, ""))
	require.NoError(t, pgstore.Migrate(t.Context(), w.pool, w.o))
	require.Greater(t, len(w.feed(t, "")), before)
	openStore(t, w.pool, w.o)
	require.Equal(t, []int64{2, 1, 1, 1}, groups(t, w.store))
	require.NoError(t, verify.Run(t.Context(), w.store, nil))
}

// The schema is renamed and another one takes its name while a transaction of a host is
// open: what it has done is settled where it is, and what comes next is refused.
func TestSchemaSwapped(t *testing.T) {
	w := newWorld(t)
	blue, green := w.o.Schema, newSchema(t, w.pool)
	require.NoError(t, pgstore.Migrate(t.Context(), w.pool, green))
	other, err := service.New(openStore(t, w.pool, green), nil)
	require.NoError(t, err)
	settle(t, other, 3)
	aside := newSchema(t, w.pool)
	h := w.host(t)
	team(t, h.service, "Group")
	wrong := w.host(t)
	mustExec(t, w.pool, fmt.Sprintf(`ALTER SCHEMA %s RENAME TO %s; ALTER SCHEMA %s RENAME TO %s`, blue, aside.Schema, green.Schema, blue))
	_, err = h.service.Do(t.Context(), roomkit.By("u1"), roomkit.CreateGroup{Name: "Another"})
	require.ErrorIs(t, err, pgstore.ErrReplaced)
	require.NoError(t, h.Commit(t.Context()))
	_, err = wrong.service.Do(t.Context(), roomkit.By("u1"), roomkit.CreateGroup{Name: "Another"})
	require.ErrorIs(t, err, pgstore.ErrReplaced)
	_, err = w.service.Do(t.Context(), roomkit.By("u1"), roomkit.CreateGroup{Name: "Another"})
	require.ErrorIs(t, err, pgstore.ErrReplaced)
	require.ErrorIs(t, err, roomkit.ErrUnsupported)

	now := openStore(t, w.pool, w.o)
	require.Equal(t, int64(0), groups(t, now)[0])
	require.NoError(t, verify.Run(t.Context(), now, nil))
	was := openStore(t, w.pool, aside)
	require.Equal(t, []int64{1, 1, 1, 1}, groups(t, was))
	require.NoError(t, verify.Run(t.Context(), was, nil))
}

// Another row about the schema, or none, is noticed by every commit.
func TestMetaReplaced(t *testing.T) {
	for name, spoil := range map[string]string{
		"epoch": `UPDATE %[1]s.roomkit_meta SET epoch = '0123456789abcdef'`,
		"lock":  `UPDATE %[1]s.roomkit_meta SET lock_key = lock_key + 10`,
		"none":  `DELETE FROM %[1]s.roomkit_meta`,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			a := newToggles(t, w.service, 1)
			before := w.feed(t, "")
			mustExec(t, w.pool, w.within(spoil))
			require.ErrorIs(t, a.next(t.Context(), 0, 0), pgstore.ErrReplaced)
			h := w.host(t)
			_, err := h.service.Do(t.Context(), roomkit.By("u1"), roomkit.CreateGroup{Name: "Group"})
			require.ErrorIs(t, err, pgstore.ErrReplaced)
			move := sqltest.NewPen(1).Change(1, false)
			move = store.Change{Command: move.Command, Checkpoint: &store.Checkpoint{Name: "f", Now: before[0].Cursor}}
			require.ErrorIs(t, commitOne(t, w.store, move), pgstore.ErrReplaced)
			require.Len(t, w.feed(t, ""), len(before))
		})
	}
}

// A store goes on in the tables that it was opened with, wherever search_path leads.
func TestSearchPathMoves(t *testing.T) {
	pool := poolOf(t, databaseURL(t))
	mine, others := newSchema(t, pool), newSchema(t, pool)
	require.NoError(t, pgstore.Migrate(t.Context(), pool, mine))
	require.NoError(t, pgstore.Migrate(t.Context(), pool, others))
	config := pool.Config()
	config.ConnConfig.RuntimeParams["search_path"] = mine.Schema
	path := mine.Schema
	config.PrepareConn = func(ctx context.Context, conn *pgx.Conn) (bool, error) {
		_, err := conn.Exec(ctx, `SELECT set_config('search_path', $1, false)`, path)
		return err == nil, err
	}
	own, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	defer own.Close()
	s := openStore(t, own, nil)
	svc, err := service.New(s, nil)
	require.NoError(t, err)
	settle(t, svc, 3)
	for _, path = range []string{others.Schema, "nowhere", ""} {
		team(t, svc, "Group "+path)
		tx, err := own.Begin(t.Context())
		require.NoError(t, err)
		inside, err := service.New(s.InTx(tx), nil)
		require.NoError(t, err)
		team(t, inside, "Inside "+path)
		require.NoError(t, tx.Commit(t.Context()))
	}
	require.EqualValues(t, 6, groups(t, s)[0])
	require.NoError(t, verify.Run(t.Context(), s, nil))
	empty, err := openStore(t, pool, others).Feed(t.Context(), "", 1)
	require.NoError(t, err)
	require.Empty(t, empty)
}

// Tables that are made anew with the same rows need no new connections.
func TestTablesMadeAnew(t *testing.T) {
	w := newWorld(t)
	a := newToggles(t, w.service, 1)
	h := func() error {
		tx := w.host(t)
		team(t, tx.service, "Group")
		return tx.Rollback(t.Context())
	}
	require.NoError(t, h())
	for _, table := range []string{"users", "companies", "rooms", "members", "teams", "records", "meta"} {
		mustExec(t, w.pool, fmt.Sprintf(`CREATE TABLE %[1]s.copy (LIKE %[1]s.roomkit_%[2]s INCLUDING ALL); INSERT INTO %[1]s.copy SELECT * FROM %[1]s.roomkit_%[2]s;
			DROP TABLE %[1]s.roomkit_%[2]s; ALTER TABLE %[1]s.copy RENAME TO roomkit_%[2]s`, w.o.Schema, table))
		require.NoError(t, a.next(t.Context(), 0, 0), table)
		require.NoError(t, h(), table)
	}
	require.NoError(t, verify.Run(t.Context(), w.store, nil))
}

// Each commit demands durability for itself, whatever was switched off since New.
func TestCommitDemandsDurability(t *testing.T) {
	w := newWorld(t)
	mustExec(t, w.pool, w.within(`CREATE TABLE %[1]s.seen (setting text);
		CREATE FUNCTION %[1]s.look() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN INSERT INTO %[1]s.seen VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$;
		CREATE CONSTRAINT TRIGGER look AFTER INSERT ON %[1]s.roomkit_commands DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION %[1]s.look()`))
	setting, config := "", w.pool.Config()
	config.PrepareConn = func(ctx context.Context, conn *pgx.Conn) (bool, error) {
		_, err := conn.Exec(ctx, `SELECT set_config('synchronous_commit', $1, false)`, setting)
		return err == nil, err
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	defer pool.Close()
	for i, tt := range []struct {
		opened, now, want string
		weak              bool
	}{
		{"on", "off", "on", false}, {"on", "local", "on", false}, {"on", "remote_write", "on", false}, {"on", "remote_apply", "remote_apply", false},
		{"off", "off", "off", true}, {"off", "local", "local", true},
	} {
		o := *w.o
		o.Weak = tt.weak
		setting = tt.opened
		s := openStore(t, pool, &o)
		setting = tt.now
		line := sqltest.NewPen(i)
		require.NoError(t, commitOne(t, s, line.Change(1, false)))
		require.NoError(t, commitOne(t, s, store.Change{Command: roomkit.CommandID{1, byte(i)}, Checkpoint: &store.Checkpoint{Name: fmt.Sprint(i)}}))
		tx, err := pool.Begin(t.Context())
		require.NoError(t, err)
		require.NoError(t, commitOne(t, s.InTx(tx), line.Change(1, false)))
		require.NoError(t, tx.Commit(t.Context()))
		seen := linesOf(t, w.pool, w.within(`DELETE FROM %[1]s.seen RETURNING setting`))
		require.Equal(t, slices.Repeat([]string{tt.want}, 3), seen, "%+v", tt)
	}
}
