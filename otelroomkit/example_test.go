package otelroomkit_test

import (
	"context"
	"fmt"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/otelroomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// A service whose commands and questions are spans, with its store calls inside of them.
func Example() {
	ctx := context.Background()
	spans := tracetest.NewInMemoryExporter() // a program takes an exporter of OTLP
	o := &otelroomkit.Options{
		TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)),
		MeterProvider:  sdkmetric.NewMeterProvider(),
	}
	observer, err := otelroomkit.Observer(o)
	if err != nil {
		fmt.Println(err)
	}
	st, err := otelroomkit.Store(memstore.New(), o)
	if err != nil {
		fmt.Println(err)
	}
	svc, err := service.New(st, &service.Options{Observer: observer})
	if err != nil {
		fmt.Println(err)
	}
	if _, err = otelroomkit.ObserveFollowers(svc, o); err != nil {
		fmt.Println(err)
	}
	_, err = svc.Do(ctx, roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{ID: "acme", Licensed: true}})
	fmt.Println(err)
	err = svc.Check(ctx, "ann", roomkit.ActionPost, roomkit.RoomID{1})
	fmt.Println(err)
	for _, s := range spans.GetSpans() {
		fmt.Println(s.Name)
	}
	// Output:
	// <nil>
	// roomkit: Check: not found
	// roomkit.store Load
	// roomkit.store Commit
	// roomkit AddCompany
	// roomkit.store Load
	// roomkit Check
}
