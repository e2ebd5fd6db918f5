package sqlitestore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"modernc.org/sqlite"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/retention"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
	"github.com/go-roomkit/roomkit/store/storetest"
)

// wholeTables are the texts that go through a table, by their beginnings, and why.
var wholeTables = map[string]string{
	`SELECT * FROM (`: "strays: an audit looks at every row",
	`UPDATE roomkit_commands SET events = substr(replace(char(10)`: "the name of somebody who is erased may stand in what any command has stored",
}

// heard are the texts that connections were given.
type heard struct {
	driver.Connector
	mu    sync.Mutex
	texts map[string]bool
}

func (h *heard) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := h.Connector.Connect(ctx)
	return hearing{c, h}, err
}

func (h *heard) add(text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.texts[text] = true
}

type hearing struct {
	driver.Conn
	h *heard
}

func (c hearing) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
}

func (c hearing) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	c.h.add(text)
	return c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, text)
}

func (c hearing) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	c.h.add(text)
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, text, args)
}

func (c hearing) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	c.h.add(text)
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, text, args)
}

// What is written out where it is used, because it is seldom used, goes through no table either,
// but where that is said. Every such text is heard in histories with erasures and prunings, or when a store is filled from another.
func TestPlansOfSeldomTexts(t *testing.T) {
	texts := map[string]bool{}
	open := func(tb testing.TB) store.Store {
		connector, err := sqlite.NewConnector("file:" + filepath.Join(tb.TempDir(), "a.db") + "?_pragma=busy_timeout(1000)&_pragma=journal_mode(wal)&_pragma=synchronous(full)&_txlock=immediate")
		require.NoError(tb, err)
		h := &heard{Connector: connector, texts: texts}
		db := sql.OpenDB(h)
		tb.Cleanup(func() { require.NoError(tb, db.Close()) })
		require.NoError(tb, Migrate(tb.Context(), db, nil))
		s, err := New(tb.Context(), db, nil)
		require.NoError(tb, err)
		return s
	}
	storetest.Forgetting(t, open, 3)
	forgotten := open(t)
	forget(t, forgotten)
	from, _ := store.Capability[store.Copier](forgotten)
	to, _ := store.Capability[store.Copier](open(t))
	require.NoError(t, to.Fill(t.Context(), from.Dump(t.Context())))
	all := sqltest.Texts(t, "statements.go", "schema.go", "printed.go")
	require.Greater(t, len(all), 10)
	db := migratedDB(t)
	fillTables(t, db, 1000)
	_, err := db.Exec("ANALYZE")
	require.NoError(t, err)
	ran := slices.Collect(maps.Keys(texts))
	for _, text := range all {
		require.True(t, slices.ContainsFunc(ran, func(is string) bool { return strings.Contains(is, text) }), "no history has this text: %s", text)
	}
	for _, text := range ran {
		if !slices.ContainsFunc(all, func(part string) bool { return strings.Contains(text, part) }) {
			continue
		}
		may := slices.ContainsFunc(slices.Collect(maps.Keys(wholeTables)), func(begin string) bool { return strings.HasPrefix(text, begin) })
		bad := slow(planOf(t, db, text))
		require.Equal(t, may, len(bad) > 0, "%s\n%s", text, bad)
	}
}

// forget erases somebody who leads a team, and commands without events, which no history does.
func forget(t *testing.T, st store.Store) {
	t.Helper()
	svc := proof.ServiceOn(t, st, nil)
	proof.Do(t, svc, roomkit.System(), proof.Team("sales", "ben", "ben", "cat"))
	proof.Do(t, svc, roomkit.System(), roomkit.DeleteUser{User: "ben"})
	require.NoError(t, svc.Enforce(t.Context(), &service.EnforceOptions{Once: true}))
	report, err := retention.Erase(t.Context(), st, "ben", retention.EraseOptions{Pseudonym: retention.NewPseudonym()})
	require.NoError(t, err)
	require.True(t, report.Done)
	pruned, err := retention.Prune(t.Context(), st, retention.PruneOptions{Before: time.Now().Add(time.Hour), EventsBefore: time.Now().Add(time.Hour)})
	require.NoError(t, err)
	require.Positive(t, pruned.Commands)
}
