package main

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/examples/internal/storytest"
	"github.com/go-roomkit/roomkit/service"
)

func TestFollower(t *testing.T) {
	for _, store := range storytest.Stores(t) {
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
		require.NoError(t, run(storytest.Context(t), store, o, &out))
		storytest.Compare(t, "testdata/events.txt", out.String())
	}
}
