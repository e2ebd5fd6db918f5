package main

import (
	"bytes"
	"errors"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/examples/internal/storytest"
)

func TestStory(t *testing.T) {
	for _, store := range storytest.Stores(t) {
		var out bytes.Buffer
		require.NoError(t, run(storytest.Context(t), store, "", &out))
		storytest.Compare(t, "testdata/story.txt", out.String())
	}
}

// TestStatuses: the story has most of them; those of a store and of the host are these.
// What went wrong inside is not told.
func TestStatuses(t *testing.T) {
	tests := []struct {
		name   string
		err    error
		status int
		body   string
	}{
		{"others were faster", &roomkit.Error{Op: "Edit", Err: roomkit.ErrConflict}, 409, `{"category":"conflict","error":{"op":"Edit","error":"conflict","is":"conflict"}}`},
		{"a busy store", roomkit.ErrUnavailable, 503, `{"category":"unavailable"}`},
		{"it may have been stored", roomkit.ErrUnknownOutcome, 503, `{"category":"unknown_outcome"}`},
		{"a fault of the host", errors.New("secret"), 500, `{"category":"internal"}`},
		{"none of the service", &roomkit.Invalid{Field: "body", Reason: "too large"}, 400, `{"category":"invalid","error":{"op":"Read","error":"invalid body: too large","invalid":{"field":"body","reason":"too large"}}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			send(w, nil, tt.err)
			require.Equal(t, tt.status, w.Code)
			require.JSONEq(t, tt.body, w.Body.String())
		})
	}
}
