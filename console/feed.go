package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

type feedPage struct {
	Events []eventRow
	Live   string // where the stream of what comes next is
	Next   string
	Begin  bool
	Gone   bool // what was asked for is forgotten
}

// feed shows what happens from now on, or with a place in the query what came behind it.
func (c *console) feed(r *http.Request) (view, error) {
	q := r.URL.Query()
	v := view{page: "feed", Title: "Feed"}
	if !q.Has("after") {
		head, err := c.svc.Head(r.Context())
		if err != nil {
			return view{}, err
		}
		v.Data = feedPage{Live: to("stream", "after", string(head)), Next: to("feed", "after", string(head))}
		return v, nil
	}
	after := roomkit.Cursor(q.Get("after"))
	p := feedPage{Begin: after == ""}
	if p.Begin {
		begin, err := store.FeedBegin(r.Context(), c.st)
		if err != nil {
			return view{}, err
		}
		after, p.Gone = begin, begin != ""
	}
	next := after
	for rec, err := range c.svc.Feed(r.Context(), after) {
		if err != nil {
			return view{}, err
		}
		row := rowOf(rec.Event)
		row.Cursor, next = rec.Cursor, rec.Cursor
		if p.Events = append(p.Events, row); len(p.Events) == rowsOfPage {
			break
		}
	}
	p.Next = to("feed", "after", string(next))
	v.Data = p
	return v, nil
}

// stream is the live feed as server-sent events: each has the place behind it as its id, and a
// row of the table.
func (c *console) stream(w http.ResponseWriter, r *http.Request) {
	select {
	case c.feeds <- struct{}{}:
		defer func() { <-c.feeds }()
	default:
		http.Error(w, "too many live feeds", http.StatusServiceUnavailable)
		return
	}
	after, err := url.QueryUnescape(r.Header.Get("Last-Event-ID"))
	if err != nil || after == "" {
		after = r.URL.Query().Get("after")
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	if r.Method == http.MethodHead {
		return
	}
	ctx, stop := context.WithCancel(r.Context())
	defer stop()
	out := &sender{w: w, rc: http.NewResponseController(w), every: c.o.Recheck}
	if err := c.send(ctx, r, out, roomkit.Cursor(after)); err != nil && ctx.Err() == nil {
		c.o.Logger.InfoContext(ctx, "console: live feed ended", "error", err)
	}
}

// errEnd ends a live feed.
var errEnd = errors.New("not authorized any more")

// send tells what happens until the request is not authorized any more, or gone.
func (c *console) send(ctx context.Context, r *http.Request, out *sender, after roomkit.Cursor) error {
	events, people := make(chan service.Recorded), c.newNames()
	failed := make(chan error, 1)
	go func() {
		for rec, err := range c.svc.Watch(ctx, after) {
			if err != nil {
				failed <- err
				return
			}
			select {
			case events <- rec:
			case <-ctx.Done():
			}
		}
	}()
	tick := time.NewTicker(c.o.Recheck)
	defer tick.Stop()
	err := out.write(":\n\n")
	for err == nil {
		var rec service.Recorded
		text := ":\n\n"
		select {
		case rec = <-events:
			text, err = c.message(ctx, people, rec)
		case err = <-failed:
			text = c.ending(err)
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		if c.o.Authorize(r) != nil {
			text, err = "event: end\ndata: You may not see this any more.\n\n", errEnd
		}
		err = errors.Join(err, out.write(text))
	}
	return err
}

// ending says why a live feed cannot go on.
func (c *console) ending(err error) string {
	if gone := (*roomkit.Pruned)(nil); errors.As(err, &gone) || errors.Is(err, roomkit.ErrInvalid) {
		return "event: end\ndata: This place in the feed is not known any more: load the page again.\n\n"
	}
	return ":\n\n" // the browser connects again
}

// message is an event of the feed as a message of the stream.
func (c *console) message(ctx context.Context, people *names, rec service.Recorded) (string, error) {
	row := rowOf(rec.Event)
	row.Cursor = rec.Cursor
	text, err := people.render(ctx, c.pages["feed"], "event", row)
	if err != nil {
		return "", err
	}
	data := strings.Join(strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' || r == '\r' }), " ")
	return fmt.Sprintf("id: %s\ndata: %s\n\n", url.QueryEscape(string(rec.Cursor)), data), nil
}

// sender writes to who may be slow or gone.
type sender struct {
	w     http.ResponseWriter
	rc    *http.ResponseController
	every time.Duration // something is written at least
}

func (s *sender) write(text string) error {
	const patience = 10 * time.Second
	_ = s.rc.SetWriteDeadline(deadline(s.every + patience)) // where the connection has one
	if _, err := s.w.Write([]byte(text)); err != nil {
		return err
	}
	return s.rc.Flush()
}
