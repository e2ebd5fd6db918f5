package pgstore

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	prove "github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/retention"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
	"github.com/go-roomkit/roomkit/store/storetest"
)

// wholeTables are the texts that go through a table, by their beginnings, and why.
var wholeTables = map[string]string{
	`SELECT 'room' AS subject`:                                    "strays: an audit looks at every row",
	`SELECT name, cursor FROM roomkit_checkpoints`:                "all followers",
	`SELECT EXISTS (SELECT FROM pg_trigger t`:                     "whether anything is pending: it ends at the first row",
	`DELETE FROM roomkit_commands WHERE id IN`:                    "planned for few positions it goes by the index; here it is planned for any number of them",
	`UPDATE roomkit_commands d SET events = (`:                    "the same",
	`UPDATE roomkit_commands SET events = substr(replace(chr(10)`: "the name of somebody who is erased may stand in what any command has stored",
}

// heard are the texts that pgx was given outside of trips, whose statements [TestPlans] has.
type heard struct {
	mu    sync.Mutex
	texts map[string]bool
}

func (h *heard) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.texts[data.SQL] = true
	return ctx
}

func (*heard) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func openPlans(tb testing.TB, h *heard, schema string) (*pgxpool.Pool, *Options) {
	tb.Helper()
	config, err := pgxpool.ParseConfig(os.Getenv("ROOMKIT_POSTGRES_URL"))
	require.NoError(tb, err)
	config.ConnConfig.Tracer = h
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	require.NoError(tb, err)
	tb.Cleanup(pool.Close)
	o, err := (&Options{Prefix: "t_", Schema: schema}).complete()
	require.NoError(tb, err)
	require.NoError(tb, Migrate(tb.Context(), pool, &o), "run these tests with .ci/with-postgres")
	tb.Cleanup(func() {
		_, err := pool.Exec(context.Background(), "DROP SCHEMA "+o.Schema+" CASCADE")
		require.NoError(tb, err)
	})
	return pool, &o
}

// What is written out where it is used, because it is seldom used, goes through no table either,
// but where that is said. Every such text is heard in histories with erasures, prunings and audits.
func TestPlansOfSeldomTexts(t *testing.T) {
	h := &heard{texts: map[string]bool{}}
	histories := 0
	name := func() string { histories++; return fmt.Sprintf("seldom%d_%d", os.Getpid(), histories) }
	var names []string
	open := func(tb testing.TB) store.Store {
		names = append(names, name())
		pool, o := openPlans(tb, h, names[len(names)-1])
		s, err := New(tb.Context(), pool, o)
		require.NoError(tb, err)
		return s
	}
	storetest.Forgetting(t, open, 3)
	forget(t, open(t))
	pool, o := openPlans(t, &heard{texts: map[string]bool{}}, name())
	for _, text := range fills {
		_, err := pool.Exec(t.Context(), o.named(text))
		require.NoError(t, err, text)
	}
	conn, err := pool.Acquire(t.Context())
	require.NoError(t, err)
	defer conn.Release()
	_, err = conn.Exec(t.Context(), "SET plan_cache_mode = force_generic_plan")
	require.NoError(t, err)

	all := sqltest.Texts(t, "statements.go", "migrate.go", "printed.go")
	require.Greater(t, len(all), 20)
	plain := map[string]bool{}
	for text := range h.texts {
		for _, schema := range names {
			text = strings.ReplaceAll(text, pgx.Identifier{schema}.Sanitize()+".t_", defaultPrefix)
		}
		plain[text] = true
	}
	for _, text := range all {
		require.True(t, slices.ContainsFunc(slices.Collect(maps.Keys(plain)), func(is string) bool { return strings.Contains(is, text) }), "no history has this text: %s", text)
	}
	for text := range plain {
		if !slices.ContainsFunc(all, func(part string) bool { return strings.Contains(text, part) }) {
			continue
		}
		plan := planOf(t, conn, o.named(text))
		_, may := reason(text)
		require.Equal(t, may, len(slow(plan, false)) > 0, "%s\n%s", text, plan)
	}
}

// forget erases somebody who leads a team, and commands without events, which no history does.
func forget(t *testing.T, st store.Store) {
	t.Helper()
	svc := prove.ServiceOn(t, st, nil)
	prove.Do(t, svc, roomkit.System(), prove.Team("sales", "ben", "ben", "cat"))
	prove.Do(t, svc, roomkit.System(), roomkit.DeleteUser{User: "ben"})
	require.NoError(t, svc.Enforce(t.Context(), &service.EnforceOptions{Once: true}))
	report, err := retention.Erase(t.Context(), st, "ben", retention.EraseOptions{Pseudonym: retention.NewPseudonym()})
	require.NoError(t, err)
	require.True(t, report.Done)
	pruned, err := retention.Prune(t.Context(), st, retention.PruneOptions{Before: time.Now().Add(time.Hour)})
	require.NoError(t, err)
	require.Positive(t, pruned.Commands)
}

func reason(text string) (why string, known bool) {
	for begin, why := range wholeTables {
		if strings.HasPrefix(strings.TrimSpace(text), begin) {
			return why, true
		}
	}
	return "", false
}
