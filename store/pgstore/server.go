package pgstore

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
)

// isPostgreSQL is how version() of PostgreSQL begins, also where a distribution has
// packaged it. Many servers that speak like it say so there.
var isPostgreSQL = regexp.MustCompile(`^PostgreSQL \d+(\.\d+|devel|(alpha|beta|rc)\d+)?( \([^)]*\))? on .*, \d+-bit$`)

// makers stand in the version of what is made from PostgreSQL and works in another way.
var makers = regexp.MustCompile(`(?i)cockroach|yugabyte|-YB-|redshift|greenplum|enterprisedb|materialize|opengauss|gaussdb|polardb|-TiDB-|questdb|cratedb`)

// spreading are the extensions that keep tables in another way than PostgreSQL does.
const spreading = "citus orioledb bdr pgxc_ctl columnar"

const oldestServer = 13

// checkServer demands a server that this package is tested with, and a database that
// holds all texts.
func checkServer(ctx context.Context, conn *pgx.Conn, anyServer bool) error {
	if is := conn.PgConn().ParameterStatus("server_encoding"); is != "UTF8" && is != "" {
		return fmt.Errorf("%w; it is in %s", ErrEncoding, is)
	}
	if anyServer {
		return nil
	}
	var version, extension string
	var number int
	err := conn.QueryRow(ctx, `SELECT version()`, pgx.QueryExecModeExec).Scan(&version)
	if err == nil && !isTested(version) {
		return fmt.Errorf("%w; it is %s", ErrServer, version)
	}
	const ask = `SELECT current_setting('server_version_num')::integer, coalesce((SELECT min(e.extname) FROM pg_extension e WHERE e.extname = ANY($1::text[])), '')`
	if err == nil {
		err = conn.QueryRow(ctx, ask, pgx.QueryExecModeExec, strings.Fields(spreading)).Scan(&number, &extension)
	}
	switch {
	case err != nil:
		return err
	case number < oldestServer*10_000:
		return fmt.Errorf("%w; it is %s", ErrServer, version)
	case extension != "":
		return fmt.Errorf("%w; it has the extension %s", ErrServer, extension)
	}
	return nil
}

func isTested(version string) bool {
	return isPostgreSQL.MatchString(version) && !makers.MatchString(version)
}

// checkSettings demands that an acknowledged commit survives a crash, and the loss of the
// primary if there are synchronous standbys.
func checkSettings(ctx context.Context, conn *pgx.Conn, weak bool) error {
	var fsync, synchronous, standbys string
	const ask = `SELECT current_setting('fsync'), current_setting('synchronous_commit'), current_setting('synchronous_standby_names')`
	if err := conn.QueryRow(ctx, ask, pgx.QueryExecModeExec).Scan(&fsync, &synchronous, &standbys); err != nil {
		return err
	}
	fast := synchronous == "off" || standbys != "" && (synchronous == "local" || synchronous == "remote_write")
	if !weak && (fsync == "off" || fast) {
		return fmt.Errorf("%w: fsync=%s, synchronous_commit=%s, synchronous_standby_names=%q", ErrWeak, fsync, synchronous, standbys)
	}
	return nil
}
