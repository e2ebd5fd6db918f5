package main

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/examples/internal/storytest"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/memstore"
)

func TestStory(t *testing.T) {
	for _, store := range storytest.Stores(t) {
		var out bytes.Buffer
		require.NoError(t, run(storytest.Context(t), store, &out))
		storytest.Compare(t, "testdata/story.txt", out.String())
	}
}

// TestStopped: a run that was stopped between two scenes does not hinder the next.
func TestStopped(t *testing.T) {
	svc, err := service.New(memstore.New(), nil)
	require.NoError(t, err)
	var out bytes.Buffer
	s := &story{Service: svc, out: &out}
	first := []func(context.Context) error{s.provision, s.oneToOne, s.severalPeople}
	for _, scene := range append(first, append(first, s.comeAndGo, s.outsider)...) {
		require.NoError(t, scene(t.Context()))
	}
	require.Contains(t, out.String(), "a known general room 'Launch'")
}
