package main

import (
	"bytes"
	"io"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// On PostgreSQL no row reads a table that grows as a whole, and one that did would be seen.
func TestTablesAreNotRead(t *testing.T) {
	address := os.Getenv("ROOMKIT_POSTGRES_URL")
	require.NotEmpty(t, address, "it needs PostgreSQL: .ci/with-postgres go test ./..., or set ROOMKIT_POSTGRES_URL")
	seed := uint64(time.Now().UnixMicro() % 1e9)
	conn, err := pgx.Connect(t.Context(), address)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	name := worldName(10_000, seed)
	defer func() {
		_, err := conn.Exec(t.Context(), `DROP SCHEMA `+name+` CASCADE`)
		require.NoError(t, err)
	}()
	var out bytes.Buffer
	j := job{where: "postgres:", sizes: []int{10_000}, seed: seed, only: all, samples: 1, budget: time.Second, out: &out, told: io.Discard}
	require.NoError(t, j.run(t.Context()))
	// What is small whatever the number of memberships may be read as a whole, and so may the 50 teams of this world.
	require.Regexp(t, `1e4: rows read by going through a table: ((checkpoints|companies|meta|pending|teams) \d+ [^)]*\), )*no others\n`, out.String())

	place, err := schemas(address)(t.Context(), name, false)
	require.NoError(t, err)
	defer func() { require.NoError(t, place.close()) }()
	next, found, err := watchScans(t.Context(), &world{site: place})
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), `SELECT max(joined_at) FROM `+name+`.roomkit_members`)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), `SELECT pg_stat_force_next_flush()`)
	require.NoError(t, err)
	require.NoError(t, next("control"))
	require.Regexp(t, `^members \d{3,} \(control\), no others$`, found.String())
}
