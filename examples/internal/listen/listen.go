// Package listen serves a handler until it is enough.
package listen

import (
	"cmp"
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"time"
)

// Serve serves a handler at an address, or at a free one of this machine if there is
// none, and says where. It ends when meanwhile does, which gets the URL; what is still
// being answered then is cut off.
func Serve(ctx context.Context, address string, handler http.Handler, meanwhile func(ctx context.Context, url string) error) error {
	var config net.ListenConfig
	at, err := config.Listen(ctx, "tcp", cmp.Or(address, "localhost:0"))
	if err != nil {
		return err
	}
	url := "http://" + at.Addr().String()
	log.Print("listening on ", url)
	web := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	served := make(chan error, 1)
	go func() { served <- web.Serve(at) }()
	err = errors.Join(meanwhile(ctx, url), web.Close())
	if end := <-served; !errors.Is(end, http.ErrServerClosed) {
		err = errors.Join(err, end)
	}
	return err
}

// Forever is for what goes on until it is interrupted.
func Forever(ctx context.Context, _ string) error {
	<-ctx.Done()
	return nil
}
