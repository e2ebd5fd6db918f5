package natsstore_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/store/natsstore/internal/cluster"
)

// TestMain lets the test binary be a node of a cluster, or a copy, in a process of its own.
func TestMain(m *testing.M) {
	cluster.Main()
	copyMain()
	os.Exit(m.Run())
}

// size gives the size of a trial: the long one if ROOMKIT_LONG is set.
func size[T any](usual, long T) T {
	if os.Getenv("ROOMKIT_LONG") != "" {
		return long
	}
	return usual
}

// seedOf gives the seed of a trial: ROOMKIT_SEED, or another one each time.
func seedOf(tb testing.TB) uint64 {
	tb.Helper()
	text := os.Getenv("ROOMKIT_SEED")
	if text == "" {
		return rand.Uint64()
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	require.NoError(tb, err)
	return seed
}
