package console_test

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/console"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
)

// listener reads a live feed.
type listener struct {
	t     *testing.T
	res   *http.Response
	lines *bufio.Scanner
}

func listen(t *testing.T, server *httptest.Server, after, lastID string) *listener {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second) // what does not come is not waited for
	t.Cleanup(stop)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+to("/stream", "after", after), nil)
	require.NoError(t, err)
	if lastID != "" {
		r.Header.Set("Last-Event-ID", lastID)
	}
	res, err := server.Client().Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { _ = res.Body.Close() })
	return &listener{t: t, res: res, lines: bufio.NewScanner(res.Body)}
}

// next gives the fields of the next message, without comments; none at the end.
func (l *listener) next() map[string]string {
	fields := map[string]string{}
	for l.lines.Scan() {
		name, value, _ := strings.Cut(l.lines.Text(), ": ")
		if name == "" && len(fields) > 0 {
			return fields
		}
		if name != "" && name != ":" {
			fields[name] = value
		}
	}
	return fields
}

func serve(t *testing.T, svc *service.Service, o console.Options) *httptest.Server {
	t.Helper()
	h, err := console.Handler(svc, o)
	require.NoError(t, err)
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	return server
}

// TestLiveFeed tells each event once, and goes on behind the last one that has come.
func TestLiveFeed(t *testing.T) {
	stage := proof.NewStage(t, func(o *service.Options) { o.Poll = 10 * time.Millisecond })
	server := serve(t, stage.Service, console.Options{Authorize: anybody})
	head, err := stage.Head(t.Context())
	require.NoError(t, err)
	feed := listen(t, server, string(head), "")
	require.Equal(t, "text/event-stream", feed.res.Header.Get("Content-Type"))
	require.NotEmpty(t, feed.res.Header.Get("Content-Security-Policy"))
	stage.Run("ann", roomkit.Edit{Room: stage.General, Name: new("line\u0041 <b>two</b>")})
	one := feed.next()
	require.Contains(t, one["data"], "&lt;b&gt;two&lt;/b&gt;")
	require.Contains(t, one["data"], "room.renamed")
	require.NotEmpty(t, one["id"])
	stage.Run("ann", roomkit.Edit{Room: stage.General, Name: new("second")})
	require.Contains(t, feed.next()["data"], "second")

	again := listen(t, server, string(head), one["id"])
	require.Contains(t, again.next()["data"], "second", "behind the last event that has come")
	wrong := listen(t, server, "wrong", "")
	end := wrong.next()
	require.Equal(t, "end", end["event"])
	require.Empty(t, wrong.next())
}

// TestLiveFeedAsksAgain: who is not authorized any more is told of no further event, and the
// feed ends, be there events or not.
func TestLiveFeedAsksAgain(t *testing.T) {
	for name, happens := range map[string]bool{"with an event": true, "without one": false} {
		t.Run(name, func(t *testing.T) {
			stage := proof.NewStage(t, func(o *service.Options) { o.Poll = 10 * time.Millisecond })
			var out atomic.Bool
			recheck := time.Hour
			if !happens {
				recheck = time.Millisecond
			}
			server := serve(t, stage.Service, console.Options{Recheck: recheck, Authorize: func(*http.Request) error {
				if out.Load() {
					return errors.New("no operator any more")
				}
				return nil
			}})
			head, err := stage.Head(t.Context())
			require.NoError(t, err)
			feed := listen(t, server, string(head), "")
			out.Store(true)
			if happens {
				stage.Run("ann", roomkit.Edit{Room: stage.General, Name: new("secret")})
			}
			end := feed.next()
			require.Equal(t, "end", end["event"])
			require.NotContains(t, end["data"], "secret")
			require.Empty(t, feed.next())
		})
	}
}

// TestLiveFeedsAreLimited: one that ends makes room for another.
func TestLiveFeedsAreLimited(t *testing.T) {
	stage := proof.NewStage(t)
	server := serve(t, stage.Service, console.Options{Authorize: anybody, MaxFeeds: 1, Recheck: time.Millisecond})
	head, err := stage.Head(t.Context())
	require.NoError(t, err)
	first := listen(t, server, string(head), "")
	require.Equal(t, http.StatusOK, first.res.StatusCode)
	require.Equal(t, http.StatusServiceUnavailable, listen(t, server, string(head), "").res.StatusCode)
	require.NoError(t, first.res.Body.Close())
	require.Eventually(t, func() bool {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+to("/stream", "after", string(head)), nil)
		if err != nil {
			return false
		}
		res, err := server.Client().Do(r)
		return err == nil && res.Body.Close() == nil && res.StatusCode == http.StatusOK
	}, 10*time.Second, 5*time.Millisecond)
}

// TestFeedPages tells everything once, from the beginning on.
func TestFeedPages(t *testing.T) {
	stage := proof.NewStage(t)
	for range 300 {
		stage.Run("ann", roomkit.Edit{Room: stage.General, HistorySharing: new(true)})
		stage.Run("ann", roomkit.Edit{Room: stage.General, HistorySharing: new(false)})
	}
	want := 0
	for _, err := range stage.Feed(context.Background(), "") {
		require.NoError(t, err)
		want++
	}
	s := newSite(t, stage.Service, console.Options{})
	seen := 0
	for next := "feed?after="; ; {
		rows, more := rowsOf(t, s.get(next))
		if seen, next = seen+len(rows), more; len(rows) == 0 {
			break
		}
	}
	require.Equal(t, want, seen)
}
