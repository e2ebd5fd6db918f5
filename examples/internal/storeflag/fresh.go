package storeflag

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"os"
	"path/filepath"

	"github.com/jackc/pgx/v5"
)

// Fresh names one empty store of each kind for a test: in memory, a file in dir,
// and a database of its own on the server of ROOMKIT_POSTGRES_URL, which drop
// removes.
func Fresh(ctx context.Context, dir string) (names []string, drop func(), err error) {
	names = []string{"memory", "sqlite:" + filepath.Join(dir, "rooms.db")}
	server := os.Getenv("ROOMKIT_POSTGRES_URL")
	if server == "" {
		return nil, nil, errors.New("ROOMKIT_POSTGRES_URL is not set; .ci/with-postgres runs a command with a server of its own")
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
