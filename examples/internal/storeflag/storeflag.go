// Package storeflag opens the store that the examples' flag -store names.
package storeflag

import (
	"context"
	"flag"
	"fmt"
	"log"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/pgstore"
	"github.com/go-roomkit/roomkit/store/sqlitestore"
	"github.com/go-roomkit/roomkit/store/sqlitestore/sqliteopen"
)

// Usage is the help text of the flag.
const Usage = "where the rooms are kept: memory, sqlite:PATH or postgres:URL"

// Begin reads the flags of an example, -store among them, and says at once what the
// example does: on a large or a distant store the story itself may take its time. It
// gives the store to open. more are kinds of stores that the example opens itself.
func Begin(example, does string, more ...string) string {
	where := flag.String("store", "memory", strings.Join(append([]string{Usage}, more...), ", or "))
	flag.Parse()
	log.SetFlags(0)
	log.SetPrefix(example + ": ")
	kind, _, _ := strings.Cut(*where, ":") // a URL may hold a password
	log.Printf("%s (store: %s)", does, kind)
	return *where
}

// Open opens a store for an example; call closeStore at the end. The example's name
// begins the names of its tables, so that all examples can be run on one file or
// database, each with people and rooms of its own.
func Open(ctx context.Context, where, example string) (s store.Store, closeStore func(), err error) {
	kind, place, _ := strings.Cut(where, ":")
	prefix := example + "_"
	switch kind {
	case "memory":
		return memstore.New(), func() {}, nil
	case "sqlite":
		file, err := sqliteopen.Open(ctx, place, &sqliteopen.Options{Create: true, Options: sqlitestore.Options{Prefix: prefix}})
		if err != nil {
			return nil, nil, err
		}
		return file, func() { _ = file.Close() }, nil
	case "postgres":
		return openPostgres(ctx, place, &pgstore.Options{Prefix: prefix})
	}
	return nil, nil, fmt.Errorf("-store %q is not memory, sqlite:PATH or postgres:URL", where)
}

func openPostgres(ctx context.Context, url string, o *pgstore.Options) (store.Store, func(), error) {
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return nil, nil, err
	}
	var s *pgstore.Store
	if err = pgstore.Migrate(ctx, pool, o); err == nil {
		s, err = pgstore.New(ctx, pool, o)
	}
	if err != nil {
		pool.Close()
		return nil, nil, err
	}
	return s, pool.Close, nil
}
