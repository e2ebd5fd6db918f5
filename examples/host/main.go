// Host is a small messenger over HTTP: rooms on a screen, a picker, messages that are
// shown to whom they may be shown, news as server-sent events, and a status for every
// error. Without -serve it talks with itself for a moment and ends.
//
//	go run . -serve localhost:8080
//	curl -H 'User: kim' localhost:8080/commands -d '{"command":"OpenDirect","with":"lee"}'
//	curl -H 'User: kim' localhost:8080/rooms
package main

import (
	"context"
	"flag"
	"io"
	"log"
	"os"
	"os/signal"

	"github.com/go-roomkit/roomkit/examples/internal/browser"
	"github.com/go-roomkit/roomkit/examples/internal/companies"
	"github.com/go-roomkit/roomkit/examples/internal/listen"
	"github.com/go-roomkit/roomkit/examples/internal/storeflag"
	"github.com/go-roomkit/roomkit/service"
)

func main() {
	address := flag.String("serve", "", "serve at this `address` until interrupted")
	store := storeflag.Begin("host", "a messenger over HTTP, for adm, kim, lee and min of acme, eve and fay of bolt")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, store, *address, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, name, address string, out io.Writer) error {
	store, closeStore, err := storeflag.Open(ctx, name, "host")
	if err != nil {
		return err
	}
	defer closeStore()
	svc, err := service.New(store, &service.Options{Contacts: companies.Contacts})
	if err != nil {
		return err
	}
	if err := companies.Provision(ctx, svc); err != nil {
		return err
	}
	meanwhile := listen.Forever
	if address == "" {
		meanwhile = func(ctx context.Context, url string) error { return browser.Talk(ctx, url, out) }
	}
	return listen.Serve(ctx, address, newServer(svc), meanwhile)
}
