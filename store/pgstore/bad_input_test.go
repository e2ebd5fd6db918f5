package pgstore_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
	"github.com/go-roomkit/roomkit/store/pgstore"
)

// mustOnlyRead demands that a store answers questions and refuses to write, and some more.
func mustOnlyRead(t *testing.T, s store.Store, refused ...string) {
	t.Helper()
	for name, err := range everyCall(t.Context(), s) {
		if name != "Commit" && !slices.Contains(refused, name) {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorIs(t, err, pgstore.ErrReadOnly)
		require.ErrorIs(t, err, roomkit.ErrUnsupported)
		require.NotErrorIs(t, err, roomkit.ErrUnknownOutcome)
	}
}

func TestReadOnly(t *testing.T) {
	w := newWorld(t)
	pool := poolOf(t, databaseURL(t))
	config := pool.Config()
	config.ConnConfig.RuntimeParams["default_transaction_read_only"] = "on"
	readers, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	defer readers.Close()
	before := w.feed(t, "")
	s := openStore(t, readers, w.o)
	mustOnlyRead(t, s)
	require.NoError(t, pgstore.Migrate(t.Context(), readers, w.o), "there is nothing to do")
	require.ErrorIs(t, pgstore.Migrate(t.Context(), readers, newSchema(t, pool)), pgstore.ErrReadOnly)
	tx, err := readers.Begin(t.Context())
	require.NoError(t, err)
	defer tx.Rollback(context.WithoutCancel(t.Context()))
	_, err = s.InTx(tx).Commit(t.Context(), []store.Change{sqltest.NewPen(8).Change(1, false)})
	require.ErrorIs(t, err, pgstore.ErrReadOnly)
	require.Equal(t, before, w.feed(t, ""))
}

// A server that only follows another one answers questions, but has no feed: it does not know what
// is in flight.
func TestStandby(t *testing.T) {
	c := newCluster(t)
	c.start(t)
	pool := poolOf(t, c.url())
	require.Eventually(t, func() bool { return pgstore.Migrate(t.Context(), pool, nil) == nil }, time.Minute, 10*time.Millisecond)
	primary := openStore(t, pool, nil)
	service, err := service.New(primary, nil)
	require.NoError(t, err)
	settle(t, service, 2)
	gone, err := primary.IsGone(t.Context(), 0)
	require.NoError(t, err)
	require.True(t, gone, "there is no such process")
	c.stop(t)
	require.NoError(t, os.WriteFile(filepath.Join(c.data(), "standby.signal"), nil, 0o644))
	c.start(t)
	var s *pgstore.Store
	require.Eventually(t, func() bool {
		s, err = pgstore.New(t.Context(), pool, nil)
		return err == nil
	}, time.Minute, 10*time.Millisecond)
	mustOnlyRead(t, s, "Feed")
	_, err = s.Head(t.Context())
	require.ErrorIs(t, err, pgstore.ErrReadOnly)
	gone, err = s.IsGone(t.Context(), 0)
	require.NoError(t, err)
	require.False(t, gone, "a standby cannot say what became of a commit on the primary")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err = s.Wake(ctx)
	require.NoError(t, err, "nobody can listen here, but that is no reason to wait")
}

func TestCancelledContext(t *testing.T) {
	w := newWorld(t)
	before := w.feed(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tx, err := w.pool.Begin(t.Context())
	require.NoError(t, err)
	defer tx.Rollback(t.Context())
	for of, s := range map[string]store.Store{"store": w.store, "in a transaction": w.store.InTx(tx)} {
		for name, err := range everyCall(ctx, s) {
			require.ErrorIs(t, err, context.Canceled, "%s %s", of, name)
			require.NotErrorIs(t, err, roomkit.ErrUnknownOutcome, "%s %s", of, name)
		}
	}
	_, err = tx.Exec(t.Context(), "SELECT 1")
	require.NoError(t, err, "the host's transaction goes on")
	require.ErrorIs(t, pgstore.Migrate(ctx, w.pool, w.o), context.Canceled)
	require.Equal(t, before, w.feed(t, ""))
}

// hostile are texts that would hurt if they became part of a statement, or were
// folded, cut, escaped or sorted on their way.
var hostile = []string{
	`'; DROP TABLE roomkit_rooms; --`, `"; DROP SCHEMA public CASCADE; --`, `' OR '1'='1`, `\'`, `\`, `$1`, `$$`, `{rows a text}`, `{count}`, `{a,"b"}`, `NULL`, `null`,
	`%`, `_`, `(SELECT 1)`, `roomkit_rooms`, "a\tb\nc\rd", "\x01\x7f", "e\u0301", "\u00e9", "\u202etxt.exe", "\u200b", "\ufeff", "\U0001F469\u200d\U0001F680", "\U0010ffff",
	"ß", "ẞ", "İ", " ", " leading and trailing ", strings.Repeat("x", 10_000),
}

func TestHostileText(t *testing.T) {
	w := newWorld(t)
	before := relations(t, w.pool, w.o.Schema)
	for n, text := range hostile {
		l := sqltest.NewPen(n)
		l.Row.Name, l.Row.Description, l.Row.Company, l.Row.NameKey = text, text, roomkit.CompanyID(text), text
		c := l.Change(1, false)
		c.Records[0].Data, c.Records[0].Type = []byte(text), text
		c.Members = []roomkit.Member{{Room: l.Row.ID, User: roomkit.UserID(text), Participant: true}}
		c.Checkpoint = &store.Checkpoint{Name: text, Now: roomkit.Cursor(text)}
		results, err := w.store.Commit(t.Context(), []store.Change{c})
		require.NoError(t, err, text)
		require.NoError(t, results[0].Err, text)

		facts, err := w.store.Load(t.Context(), []store.Need{{
			Room: l.Row.ID, People: []roomkit.UserID{roomkit.UserID(text)}, Name: text, Company: roomkit.CompanyID(text), Checkpoint: text,
		}})
		require.NoError(t, err, text)
		require.Equal(t, l.Row, facts[0].Room)
		require.Equal(t, c.Members, facts[0].Members)
		require.Equal(t, l.Row.ID, facts[0].NameHolder)
		require.Equal(t, roomkit.Cursor(text), facts[0].Checkpoint)
		rooms, err := w.store.Rooms(t.Context(), store.RoomQuery{User: roomkit.UserID(text)})
		require.NoError(t, err, text)
		require.Equal(t, []roomkit.RoomEntry{{Room: l.Row, Member: c.Members[0]}}, rooms)
		records := w.history(t, roomkit.RoomSubject(l.Row.ID))
		require.Equal(t, text, records[0].Type)
		require.Equal(t, text, string(records[0].Data))
		_, err = w.store.Feed(t.Context(), roomkit.Cursor(text), 1)
		require.ErrorIs(t, err, roomkit.ErrInvalid, "a cursor that the store did not issue")
	}
	require.Equal(t, before, relations(t, w.pool, w.o.Schema))
}
