package main

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/examples/internal/storytest"
	"github.com/go-roomkit/roomkit/roomtest"
	"github.com/go-roomkit/roomkit/service"
)

func TestStory(t *testing.T) {
	for _, store := range storytest.Stores(t) {
		var out bytes.Buffer
		require.NoError(t, run(storytest.Context(t), store, &out))
		storytest.Compare(t, "testdata/story.txt", out.String())
	}
}

// TestStopped: a run that was stopped at any moment does not hinder the next.
func TestStopped(t *testing.T) {
	for stored := 0; ; stored++ {
		w := roomtest.New(t, func(o *service.Options) { o.Policy = roomkit.Policy{} })
		var out bytes.Buffer
		s := &story{Service: w.Service, out: &out}
		tell := func() error {
			for _, scene := range []func(context.Context) error{s.provision, s.oneToOne, s.severalPeople, s.comeAndGo, s.outsider} {
				if err := scene(t.Context()); err != nil {
					return err
				}
			}
			return nil
		}
		w.Store.FailCommit(append(make([]roomtest.Fault, stored), roomtest.Unavailable)...)
		err := tell()
		if err == nil {
			w.Store.Heal()
			require.Greater(t, stored, 10)
			return
		}
		require.ErrorIs(t, err, roomtest.ErrFault)
		require.NoError(t, tell(), "after %d commits", stored)
	}
}
