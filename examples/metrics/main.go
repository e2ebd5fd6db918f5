// Metrics is a service that Prometheus can scrape. Without -serve people use it for a
// moment, it scrapes itself, prints what metrics there are, and ends. dashboard.json is a
// dashboard of Grafana for them.
//
//	go run . -serve localhost:8080
//	curl localhost:8080/metrics
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/examples/internal/companies"
	"github.com/go-roomkit/roomkit/examples/internal/listen"
	"github.com/go-roomkit/roomkit/examples/internal/storeflag"
	"github.com/go-roomkit/roomkit/otelroomkit"
	"github.com/go-roomkit/roomkit/service"
)

func main() {
	address := flag.String("serve", "", "serve at this `address` until interrupted")
	store := storeflag.Begin("metrics", "people use rooms; what Prometheus would scrape then")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, store, *address, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, name, address string, out io.Writer) error {
	store, closeStore, err := storeflag.Open(ctx, name, "metrics")
	if err != nil {
		return err
	}
	defer closeStore()
	registry := prometheus.NewRegistry()
	exporter, err := otelprometheus.New(otelprometheus.WithRegisterer(registry), otelprometheus.WithoutScopeInfo())
	if err != nil {
		return err
	}
	watch := &otelroomkit.Options{MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter))}
	observer, err := otelroomkit.Observer(watch)
	if err != nil {
		return err
	}
	if store, err = otelroomkit.Store(store, watch); err != nil {
		return err
	}
	svc, err := service.New(store, &service.Options{Contacts: companies.Contacts, Observer: observer})
	if err != nil {
		return err
	}
	if _, err := otelroomkit.ObserveFollowers(svc, watch); err != nil {
		return err
	}
	if err := useRooms(ctx, svc); err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	meanwhile := listen.Forever
	if address == "" {
		meanwhile = func(ctx context.Context, url string) error { return scrape(ctx, url+"/metrics", out) }
	}
	return listen.Serve(ctx, address, mux, meanwhile)
}

// useRooms is a day of a service: a room, a question, a refusal, a follower, and somebody
// whose account is deleted and whom Enforce takes out.
func useRooms(ctx context.Context, svc *service.Service) error {
	if err := companies.Provision(ctx, svc); err != nil {
		return err
	}
	made, err := svc.Do(ctx, roomkit.By("kim"), roomkit.CreateRoom{
		People: []roomkit.UserID{"adm", "lee", "min"}, Name: "Launch", AllowDuplicate: true,
	})
	if err != nil {
		return err
	}
	if err := svc.Check(ctx, "lee", roomkit.ActionPost, made.Room); err != nil {
		return err
	}
	_, err = svc.Do(ctx, roomkit.By("lee"), roomkit.DeleteUser{User: "kim"})
	if !errors.Is(err, roomkit.ErrDenied) { // an administrator may
		return fmt.Errorf("lee deletes kim: %w", err)
	}
	if _, err := svc.Do(ctx, roomkit.System(), roomkit.DeleteUser{User: "min"}); err != nil {
		return err
	}
	if err := svc.Enforce(ctx, &service.EnforceOptions{Once: true}); err != nil {
		return err
	}
	if _, err := svc.Do(ctx, roomkit.System(), roomkit.RestoreUser{User: "min"}); err != nil { // for the next run
		return err
	}
	search := func(context.Context, service.Recorded) error { return nil }
	return svc.Follow(ctx, "search", search, &service.FollowOptions{Once: true})
}

// scrape does what Prometheus does, and prints the names and types of all metrics.
func scrape(ctx context.Context, url string, out io.Writer) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	var types []string
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		if is, ok := strings.CutPrefix(lines.Text(), "# TYPE "); ok {
			types = append(types, is)
		}
	}
	slices.Sort(types)
	fmt.Fprintf(out, "# GET /metrics: %d\n%s\n", answer.StatusCode, strings.Join(types, "\n"))
	return lines.Err()
}
