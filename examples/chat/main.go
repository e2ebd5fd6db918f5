// Chat is a messenger in the browser: rooms, conversation and people side by side, with
// everything that a person may not do shown greyed, and the rule that says so. It is a
// whole host of the library, on one SQLite file.
//
//	go run ./examples/chat
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// options say where the chat listens and keeps its data.
type options struct {
	listen string
	data   string                                   // the folder of the database
	fill   func(ctx context.Context, c *chat) error // fills an empty database
	people directory
	ready  func(url string) // called when it answers
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("chat: ")
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	o := options{fill: fillDemo, people: demoPeople()}
	flag.StringVar(&o.listen, "listen", "localhost:8080", "listen at this `address`")
	flag.StringVar(&o.data, "data", filepath.Join(cache, "roomkit-chat"), "keep everything in this `folder`")
	flag.Parse()
	o.ready = func(url string) { fmt.Println(url) }
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		log.Fatal(err)
	}
}

// run serves the chat until ctx ends, and leaves everything stored.
func run(ctx context.Context, o options) (err error) {
	c, err := open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	var config net.ListenConfig
	at, err := config.Listen(ctx, "tcp", o.listen)
	if err != nil {
		return err
	}
	web := newWeb(c)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return web.Serve(at) })
	g.Go(func() error { return c.live.run(ctx) })
	g.Go(func() error { return c.audit(ctx) })
	g.Go(func() error { return c.svc.Enforce(ctx, nil) })
	g.Go(func() error {
		<-ctx.Done()
		c.live.close()
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		return web.Shutdown(limit)
	})
	if o.ready != nil {
		o.ready("http://" + at.Addr().String())
	}
	if err := g.Wait(); !errors.Is(err, context.Canceled) && !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// newWeb makes the server. Streams have no deadline as a whole: each write has one.
func newWeb(c *chat) *http.Server {
	return &http.Server{
		Handler:           c.handler(),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    1 << 16,
		ErrorLog:          slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug),
	}
}
