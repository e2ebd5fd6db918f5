package stores

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"path/filepath"

	"github.com/jackc/pgx/v5"
)

// Fresh names one empty store of each kind for a test: in memory, a file in dir,
// and, if ROOMKIT_POSTGRES_URL is set, a database of its own there, which drop
// removes.
func Fresh(ctx context.Context, dir string) (names []string, drop func(), err error) {
	names = []string{"memory", "sqlite:" + filepath.Join(dir, "rooms.db")}
	server := os.Getenv("ROOMKIT_POSTGRES_URL")
	if server == "" {
		return names, func() {}, nil
	}
	database := "roomkit_example_" + rand.Text()
	run := func(sql string) error {
		conn, err := pgx.Connect(ctx, server)
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, sql+pgx.Identifier{database}.Sanitize())
		return err
	}
	if err := run("CREATE DATABASE "); err != nil {
		return nil, nil, err
	}
	where, err := url.Parse(server)
	if err != nil {
		return nil, nil, err
	}
	where.Path = "/" + database
	return append(names, "postgres:"+where.String()), func() { _ = run("DROP DATABASE ") }, nil
}
