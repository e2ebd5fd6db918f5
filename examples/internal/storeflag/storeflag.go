// Package storeflag opens the store that the examples' flag -store names.
package storeflag

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/pgstore"
	"github.com/go-roomkit/roomkit/store/sqlitestore/sqliteopen"
)

// Usage is the help text of the flag.
const Usage = "memory, sqlite:PATH or postgres:URL"

// Open opens a store; call close at the end.
func Open(ctx context.Context, name string) (store store.Store, closeStore func(), err error) {
	kind, where, _ := strings.Cut(name, ":")
	switch kind {
	case "memory":
		return memstore.New(), func() {}, nil
	case "sqlite":
		s, err := sqliteopen.Open(ctx, where, nil)
		if err != nil {
			return nil, nil, err
		}
		return s, func() { _ = s.Close() }, nil
	case "postgres":
		return openPostgres(ctx, where)
	}
	return nil, nil, fmt.Errorf("-store %q is not %s", name, Usage)
}

func openPostgres(ctx context.Context, url string) (store.Store, func(), error) {
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return nil, nil, err
	}
	var store *pgstore.Store
	if err = pgstore.Migrate(ctx, pool, nil); err == nil {
		store, err = pgstore.New(ctx, pool, nil)
	}
	if err != nil {
		pool.Close()
		return nil, nil, err
	}
	return store, pool.Close, nil
}
