package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/examples/internal/storytest"
	"github.com/go-roomkit/roomkit/roomtest"
	"github.com/go-roomkit/roomkit/service"
)

func TestFollower(t *testing.T) {
	for _, store := range storytest.Stores(t) {
		var out bytes.Buffer
		clock := roomtest.NewClock()
		o := &service.Options{Clock: clock.Now, NewID: roomtest.IDs(clock)}
		require.NoError(t, run(storytest.Context(t), store, o, &out))
		storytest.Compare(t, "testdata/events.txt", out.String())
	}
}
