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
	ready  func(c *chat, url string) // called when it answers
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
	o.ready = func(_ *chat, url string) { fmt.Println(url) }
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
	for _, work := range []func(context.Context) error{
		func(context.Context) error { return web.Serve(at) },
		func(ctx context.Context) error { return c.stopWeb(ctx, web) },
		c.enforce, c.live.run, c.audit, c.keepMarks, c.eraseExpired,
	} {
		g.Go(func() error {
			err := work(ctx)
			if errors.Is(err, http.ErrServerClosed) || ctx.Err() != nil && errors.Is(err, ctx.Err()) {
				return nil // it was told to end
			}
			return err
		})
	}
	if o.ready != nil {
		o.ready(c, "http://"+at.Addr().String())
	}
	return g.Wait()
}

// stopWeb waits for the end, lets what is being answered be answered, and cuts off who
// does not read or write.
func (c *chat) stopWeb(ctx context.Context, web *http.Server) error {
	<-ctx.Done()
	c.live.close()
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	if web.Shutdown(limit) != nil {
		return web.Close()
	}
	return nil
}

// newWeb makes the server. A stream has a deadline for each write instead of one for all.
func newWeb(c *chat) *http.Server {
	return &http.Server{
		Handler:           c.handler(),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    1 << 16,
		ErrorLog:          slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug),
	}
}
