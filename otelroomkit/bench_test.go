package otelroomkit_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/otelroomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// BenchmarkCheck is a question in memory without an observer, with metrics, with metrics and
// spans of which none is sampled, and with every span.
func BenchmarkCheck(b *testing.B) {
	metrics := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
	for _, bench := range []struct {
		name string
		o    *otelroomkit.Options
	}{
		{"nobody", nil},
		{"metrics", &otelroomkit.Options{MeterProvider: metrics, TracerProvider: noop.NewTracerProvider()}},
		{"unsampled", &otelroomkit.Options{MeterProvider: metrics, TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample()))}},
		{"sampled", &otelroomkit.Options{MeterProvider: metrics, TracerProvider: sdktrace.NewTracerProvider()}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			var st store.Store = memstore.New()
			o := &service.Options{}
			if bench.o != nil {
				var err error
				o.Observer, err = otelroomkit.Observer(bench.o)
				require.NoError(b, err)
				st, err = otelroomkit.Store(st, bench.o)
				require.NoError(b, err)
			}
			svc := proof.ServiceOn(b, st, o)
			room := proof.General(b, svc, "ann", "ben", "cat")
			b.ReportAllocs()
			for b.Loop() {
				_ = svc.Check(ctx, "ann", roomkit.ActionEnter, room)
			}
		})
	}
}

// TestMeasuringAllocatesLittle: what is measured again costs no new attributes, and no more
// than what the SDK allocates for each instrument.
func TestMeasuringAllocatesLittle(t *testing.T) {
	observer, err := otelroomkit.Observer(&otelroomkit.Options{
		MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader())), TracerProvider: noop.NewTracerProvider(),
	})
	require.NoError(t, err)
	for name, test := range map[string]struct {
		instruments float64
		report      func()
	}{
		"command": {2, func() {
			observer.Command(ctx, service.CommandReport{Name: "Invite", Attempts: 1, Took: time.Millisecond})
		}},
		"group":  {3, func() { observer.Group(ctx, service.GroupReport{Commands: 3}) }},
		"read":   {1, func() { observer.Read(ctx, service.ReadReport{Name: "Check"}) }},
		"follow": {6, func() { observer.Follow(ctx, service.FollowReport{Name: "mails", Events: 3}) }},
		"step":   {5, func() { observer.Step(ctx, service.StepReport{Name: "roomkit.enforce", People: 3}) }},
	} {
		test.report()
		require.LessOrEqual(t, testing.AllocsPerRun(100, test.report), test.instruments, name)
	}
}
