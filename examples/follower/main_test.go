package main

import (
	"bytes"
	"encoding/binary"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/examples/internal/storeflag"
	"github.com/go-roomkit/roomkit/service"
)

var update = flag.Bool("update", false, "write testdata/events.txt")

func TestFollower(t *testing.T) {
	names, drop, err := storeflag.Fresh(t.Context(), t.TempDir())
	require.NoError(t, err)
	defer drop()
	for _, store := range names {
		var out bytes.Buffer
		n := uint64(0)
		o := &service.Options{
			Clock: func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) },
			NewID: func() (id [16]byte) {
				n++
				binary.BigEndian.PutUint64(id[8:], n)
				return id
			},
		}
		require.NoError(t, run(t.Context(), store, o, &out))
		if *update {
			require.NoError(t, os.WriteFile("testdata/events.txt", out.Bytes(), 0o644))
		}
		want, err := os.ReadFile("testdata/events.txt")
		require.NoError(t, err)
		require.Equal(t, string(want), out.String())
	}
}
