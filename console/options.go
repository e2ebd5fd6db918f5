package console

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/go-roomkit/roomkit"
)

// Options configure a console. Authorize is required.
type Options struct {
	// Authorize says who may see the console: nil lets a request in, an error refuses it with
	// status 403, and is logged and not shown. It is asked before every request, those for the
	// script and the styles too, and during a live feed again before every event and after
	// every Recheck, with the same request. It is called by several goroutines at a time.
	Authorize func(r *http.Request) error
	// Companies gives the companies for the first page, at most 1,000 of which are shown. Without
	// it, the page looks for them in the feed, 10,000 events at a time, says so, and has a link to
	// go on behind them. Every company is reached by its id as well.
	Companies func(ctx context.Context) ([]roomkit.CompanyID, error)
	// Names gives what people are called, by their ids; of whom it has none is shown by the id, as
	// everybody is without it. Ids stay visible beside names. It is called once for a page, with all
	// of whom the page speaks (some hundreds, each once), and in a live feed once for an event that
	// speaks of others; by several goroutines at a time, but at most by 16. Of a name the first 100
	// characters are shown, as text whatever they are. An error, a panic or no answer within
	// NamesWithin is logged, and leaves the page with ids and a word about it.
	Names func(ctx context.Context, ids []roomkit.UserID) (map[roomkit.UserID]string, error)
	// NamesWithin is how long a page waits for Names, whose context ends then. Defaults to 2
	// seconds; negative is an error.
	NamesWithin time.Duration
	// Title stands on every page. Defaults to "roomkit".
	Title string
	// Recheck is the longest time for which a live feed goes on without asking Authorize.
	// Defaults to 5 seconds; negative is an error.
	Recheck time.Duration
	// MaxFeeds is how many live feeds there may be at a time; more are refused with status
	// 503. Defaults to 64; negative is an error.
	MaxFeeds int
	// Clock gives the time, for what is late or due. Defaults to time.Now.
	Clock func() time.Time
	// Logger receives refusals at level Info, and errors of the store. Defaults to none.
	Logger *slog.Logger
}

func (o *Options) setDefaults() error {
	switch {
	case o.Authorize == nil:
		return &roomkit.Invalid{Field: "Authorize", Reason: "missing: a console without it would be open to everybody"}
	case o.Recheck < 0:
		return &roomkit.Invalid{Field: "Recheck", Reason: "negative"}
	case o.NamesWithin < 0:
		return &roomkit.Invalid{Field: "NamesWithin", Reason: "negative"}
	case o.MaxFeeds < 0:
		return &roomkit.Invalid{Field: "MaxFeeds", Reason: "negative"}
	}
	o.Title = cmp.Or(o.Title, "roomkit")
	o.Recheck = cmp.Or(o.Recheck, 5*time.Second)
	o.NamesWithin = cmp.Or(o.NamesWithin, 2*time.Second)
	o.MaxFeeds = cmp.Or(o.MaxFeeds, 64)
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return nil
}

// deadline is a moment by which connections go, whatever Options.Clock says.
func deadline(in time.Duration) time.Time { return time.Now().Add(in) }
