package pgstore_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/pgstore"
	"github.com/go-roomkit/roomkit/store/verify"
)

// database makes a database beside that of the tests, and gives a pool to it.
func database(t *testing.T, options string) *pgxpool.Pool {
	t.Helper()
	pool := poolOf(t, databaseURL(t))
	name := fmt.Sprintf("d%d_%d", os.Getpid(), schemas.Add(1))
	mustExec(t, pool, `CREATE DATABASE `+name+` TEMPLATE template0 `+options)
	t.Cleanup(func() {
		_, err := pool.Exec(context.Background(), `DROP DATABASE `+name+` WITH (FORCE)`)
		require.NoError(t, err)
	})
	config := pool.Config()
	config.ConnConfig.Database = name
	own, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(own.Close)
	return own
}

// Texts are stored as they are, whatever encoding a role or an address has set.
func TestClientEncoding(t *testing.T) {
	w := newWorld(t)
	config := w.pool.Config()
	config.ConnConfig.RuntimeParams["client_encoding"] = "LATIN1"
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	defer pool.Close()
	s := openStore(t, pool, w.o)
	svc, err := service.New(s, nil)
	require.NoError(t, err)
	names := []string{"한국어 모임", "Größe", "🙂"}
	for _, name := range names {
		do(t, svc, roomkit.By("u1"), roomkit.CreateGroup{Name: name})
	}
	tx, err := pool.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), `SET client_encoding = 'LATIN1'`)
	require.NoError(t, err)
	inside, err := service.New(s.InTx(tx), nil)
	require.NoError(t, err)
	do(t, inside, roomkit.By("u1"), roomkit.CreateGroup{Name: "안"})
	require.NoError(t, tx.Commit(t.Context()))
	stored := linesOf(t, w.pool, w.within(`SELECT name FROM %[1]s.roomkit_rooms ORDER BY id`))
	require.Equal(t, append(names, "안"), stored)
	_, err = w.service.Do(t.Context(), roomkit.By("u2"), roomkit.CreateGroup{Name: "größe"})
	require.Error(t, err, "the name is taken")
	require.NoError(t, verify.Run(t.Context(), w.store, nil))
}

func TestServerEncoding(t *testing.T) {
	for _, encoding := range []string{"EUC_KR", "LATIN1", "SQL_ASCII"}[:scale(1, 3)] {
		pool := database(t, `ENCODING '`+encoding+`' LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C'`)
		err := pgstore.Migrate(t.Context(), pool, nil)
		require.ErrorIs(t, err, pgstore.ErrEncoding)
		require.ErrorContains(t, err, encoding)
		_, err = pgstore.New(t.Context(), pool, nil)
		require.ErrorIs(t, err, pgstore.ErrEncoding)
	}
}

func TestVersions(t *testing.T) {
	for version, tested := range map[string]bool{
		"PostgreSQL 13.0 on x86_64-pc-linux-gnu, compiled by gcc (GCC) 8.3.1, 64-bit":                                                   true,
		"PostgreSQL 15.18 (Debian 15.18-0+deb12u1) on x86_64-pc-linux-gnu, compiled by gcc (Debian 12.2.0-14+deb12u1) 12.2.0, 64-bit":   true,
		"PostgreSQL 16.4 (Ubuntu 16.4-1.pgdg22.04+1) on aarch64-unknown-linux-gnu, compiled by gcc (Ubuntu 11.4.0) 11.4.0, 64-bit":      true,
		"PostgreSQL 17.2 (Homebrew) on aarch64-apple-darwin24.1.0, compiled by Apple clang version 16.0.0 (clang-1600.0.26.4), 64-bit":  true,
		"PostgreSQL 18beta1 on x86_64-pc-linux-musl, compiled by gcc (Alpine 14.2.0) 14.2.0, 64-bit":                                    true,
		"CockroachDB CCL v23.1.11 (x86_64-pc-linux-gnu, built 2023/09/27 01:53:43, go1.19.10)":                                          false,
		"PostgreSQL 11.2-YB-2.20.1.0-b0 on x86_64-pc-linux-gnu, compiled by clang version 16.0.6, 64-bit":                               false,
		"PostgreSQL 15.2-YB-2.25.0.0-b489 on x86_64-pc-linux-gnu, compiled by clang version 17.0.6, 64-bit":                             false,
		"PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2 20041017 (Red Hat 3.4.2-6.fc3), Redshift 1.0.61191":     false,
		"PostgreSQL 12.12 (Greenplum Database 7.0.0 build commit:0a7a3566) on x86_64-pc-linux-gnu, compiled by gcc (GCC) 8.5.0, 64-bit": false,
		"PostgreSQL 15.4 (EnterpriseDB Advanced Server 15.4.0) on x86_64-pc-linux-gnu, compiled by gcc (GCC) 8.5.0, 64-bit":             false,
		"PostgreSQL 9.5.0 on x86_64-unknown-linux-gnu (Materialize v0.84.2)":                                                            false,
		"PostgreSQL 9.2.4 (openGauss 5.0.0 build a07d57c3) on x86_64-unknown-linux-gnu, compiled by g++ (GCC) 7.3.0, 64-bit":            false,
	} {
		require.Equal(t, tested, pgstore.IsTested(version), version)
	}
}

// A server that says it is another one, or that spreads tables, is refused unless told
// otherwise.
func TestOtherServers(t *testing.T) {
	w := newWorld(t)
	mustExec(t, w.pool, w.within(`CREATE FUNCTION %[1]s.version() RETURNS text LANGUAGE sql AS $$ SELECT 'CockroachDB CCL v23.1.11 (x86_64-pc-linux-gnu)' $$`))
	config := w.pool.Config()
	config.ConnConfig.RuntimeParams["search_path"] = w.o.Schema + ", pg_catalog"
	other, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	defer other.Close()
	refused(t, other, w.o, "CockroachDB")

	spread := database(t, "")
	mustExec(t, spread, `SET allow_system_table_mods = on; INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
		VALUES (99999, 'citus', 10, 'pg_catalog'::regnamespace, false, '12.1'); RESET allow_system_table_mods`)
	refused(t, spread, nil, "citus")
}

func refused(t *testing.T, pool *pgxpool.Pool, o *pgstore.Options, says string) {
	t.Helper()
	_, err := pgstore.New(t.Context(), pool, o)
	require.ErrorIs(t, err, pgstore.ErrServer)
	require.ErrorContains(t, err, says)
	require.ErrorIs(t, pgstore.Migrate(t.Context(), pool, o), pgstore.ErrServer)
	any := pgstore.Options{AnyServer: true}
	if o != nil {
		any.Schema = o.Schema
	}
	require.NoError(t, pgstore.Migrate(t.Context(), pool, &any))
	openStore(t, pool, &any)
}

// Processes that begin at the same time migrate once, whatever isolation is the default.
func TestMigrateAtOnce(t *testing.T) {
	for _, isolation := range []string{"read committed", "repeatable read", "serializable"} {
		pool := poolOf(t, databaseURL(t))
		o := newSchema(t, pool)
		config := pool.Config()
		config.ConnConfig.RuntimeParams["default_transaction_isolation"] = isolation
		var all sync.WaitGroup
		var errs [8]error
		for i := range errs {
			own, err := pgxpool.NewWithConfig(t.Context(), config)
			require.NoError(t, err)
			defer own.Close()
			all.Go(func() {
				if errs[i] = pgstore.Migrate(t.Context(), own, o); errs[i] == nil {
					_, errs[i] = pgstore.New(t.Context(), own, o)
				}
			})
		}
		all.Wait()
		for _, err := range errs {
			require.NoError(t, err, isolation)
		}
	}
}

// No question is compiled before it is answered, however dear the planner thinks it is:
// that takes longer than all of them.
func TestNothingIsCompiled(t *testing.T) {
	w := newWorld(t)
	team(t, w.service, "Group")
	var mu sync.Mutex
	var plans []string
	config := w.pool.Config()
	config.ConnConfig.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
		mu.Lock()
		defer mu.Unlock()
		plans = append(plans, n.Message)
	}
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0; SET auto_explain.log_analyze = on; SET client_min_messages = log;
			SET jit = on; SET jit_above_cost = 1`)
		return err
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	defer pool.Close()
	s := openStore(t, pool, w.o)
	compiled := func() (those []string) {
		mu.Lock()
		defer mu.Unlock()
		for _, plan := range plans {
			if strings.Contains(plan, "JIT:") {
				those = append(those, plan)
			}
		}
		plans = nil
		return those
	}
	mustExec(t, pool, `SELECT count(*) FROM generate_series(1, 10000)`)
	var can bool
	require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT pg_jit_available()`).Scan(&can))
	require.Equal(t, can, len(compiled()) > 0, "it would be seen")
	tx, err := pool.Begin(t.Context())
	require.NoError(t, err)
	for name, s := range map[string]store.Store{"store": s, "in a transaction": s.InTx(tx)} {
		if name == "store" {
			require.NoError(t, everyCall(t.Context(), s)["Commit"])
		}
		_, err := s.Members(t.Context(), store.MemberQuery{Room: firstGroup(t, w, "Group")})
		require.NoError(t, err)
		_, err = s.Users(t.Context(), store.UserQuery{Company: "acme"})
		require.NoError(t, err)
		_, err = s.Feed(t.Context(), "", 0)
		require.NoError(t, err)
		_, err = s.Rooms(t.Context(), store.RoomQuery{Participants: []roomkit.UserID{"u1", "u2"}})
		require.NoError(t, err)
		_, err = s.Load(t.Context(), []store.Need{{Shared: []roomkit.UserID{"u1", "u2"}}})
		require.NoError(t, err)
		require.Empty(t, compiled(), name)
	}
	require.NoError(t, tx.Rollback(t.Context()))
}

func firstGroup(t *testing.T, w *world, name string) (id roomkit.RoomID) {
	t.Helper()
	require.NoError(t, w.pool.QueryRow(t.Context(), w.within(`SELECT id FROM %[1]s.roomkit_rooms WHERE name = $1 AND state = 'active'`), name).Scan(&id))
	return id
}
