package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/pgstore"
	"github.com/go-roomkit/roomkit/store/storetest"
)

// TestMain says in one line if a column is forgotten somewhere, and runs nothing then.
func TestMain(m *testing.M) {
	if os.Getenv(writerNumber) != "" {
		if err := runWriter(); err != nil {
			fmt.Fprintln(os.Stderr, "a writer:", err)
			os.Exit(1)
		}
		return
	}
	url, err := os.Getenv("ROOMKIT_POSTGRES_URL"), errNoServer
	if url != "" {
		err = checkColumns(context.Background(), url)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "store/pgstore, no test was run:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

var errNoServer = errors.New("it needs PostgreSQL: .ci/with-postgres go test ./..., or set ROOMKIT_POSTGRES_URL")

func checkColumns(ctx context.Context, url string) error {
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return err
	}
	defer pool.Close()
	o := &pgstore.Options{Schema: fmt.Sprintf("columns%d_%d", os.Getpid(), time.Now().UnixMicro()%1_000_000)}
	err = pgstore.CheckColumns(ctx, pool, o)
	_, ended := pool.Exec(ctx, `DROP SCHEMA IF EXISTS `+o.Schema+` CASCADE`)
	return errors.Join(err, ended)
}

// databaseURL names the server of the tests.
func databaseURL(tb testing.TB) string {
	tb.Helper()
	return os.Getenv("ROOMKIT_POSTGRES_URL")
}

func poolOf(tb testing.TB, url string) *pgxpool.Pool {
	tb.Helper()
	config, err := pgxpool.ParseConfig(url)
	require.NoError(tb, err)
	config.MaxConns = 24
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	require.NoError(tb, err)
	tb.Cleanup(pool.Close)
	return pool
}

var schemas atomic.Int64

// newSchema gives options for a schema of the test's own, which ends with it.
func newSchema(tb testing.TB, pool *pgxpool.Pool) *pgstore.Options {
	tb.Helper()
	o := &pgstore.Options{Schema: fmt.Sprintf("t%d_%d_%d", os.Getpid(), time.Now().UnixMicro()%1_000_000, schemas.Add(1))}
	tb.Cleanup(func() {
		_, err := pool.Exec(context.Background(), `DROP SCHEMA IF EXISTS `+o.Schema+` CASCADE`)
		require.NoError(tb, err)
	})
	return o
}

func newStore(tb testing.TB, pool *pgxpool.Pool) (*pgstore.Store, *pgstore.Options) {
	tb.Helper()
	o := newSchema(tb, pool)
	require.NoError(tb, pgstore.Migrate(tb.Context(), pool, o))
	return openStore(tb, pool, o), o
}

func openStore(tb testing.TB, pool *pgxpool.Pool, o *pgstore.Options) *pgstore.Store {
	tb.Helper()
	s, err := pgstore.New(tb.Context(), pool, o)
	require.NoError(tb, err)
	return s
}

func TestStore(t *testing.T) {
	pool := poolOf(t, databaseURL(t))
	var options sync.Map // of the stores
	open := func(tb testing.TB) store.Store {
		s, o := newStore(tb, pool)
		options.Store(s, o)
		return s
	}
	storetest.Run(t, open, &storetest.Options{
		Reopen: func(tb testing.TB, s store.Store) store.Store {
			o, _ := options.Load(s)
			return openStore(tb, poolOf(tb, databaseURL(tb)), o.(*pgstore.Options))
		},
		Parallel: true,
	})
}
