package otelroomkit

import (
	"errors"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/go-roomkit/roomkit/service"
)

// Options say where spans and metrics go. The zero value and nil stand for the global
// providers.
type Options struct {
	TracerProvider trace.TracerProvider // nil: otel.GetTracerProvider
	MeterProvider  metric.MeterProvider // nil: otel.GetMeterProvider
	// Rooms adds the ids of rooms to spans (roomkit.room.id), never to metrics.
	Rooms bool
	// Actors adds to the spans of commands who gives them (roomkit.actor), never to metrics.
	// That is personal data.
	Actors bool
}

// scope names this package to the providers.
const scope = "github.com/go-roomkit/roomkit/otelroomkit"

func (o *Options) tracer() trace.Tracer {
	p := otel.GetTracerProvider()
	if o != nil && o.TracerProvider != nil {
		p = o.TracerProvider
	}
	return p.Tracer(scope, trace.WithSchemaURL(semconv.SchemaURL))
}

func (o *Options) meter() metric.Meter {
	p := otel.GetMeterProvider()
	if o != nil && o.MeterProvider != nil {
		p = o.MeterProvider
	}
	return p.Meter(scope, metric.WithSchemaURL(semconv.SchemaURL))
}

// The keys of attributes.
const (
	keyCommand   = attribute.Key("roomkit.command")
	keyRead      = attribute.Key("roomkit.read")
	keyFollower  = attribute.Key("roomkit.follower")
	keyOutcome   = attribute.Key("roomkit.outcome")
	keyRule      = attribute.Key("roomkit.rule")
	keyCall      = attribute.Key("roomkit.store.call")
	keyKind      = attribute.Key("roomkit.room.kind")
	keyRoom      = attribute.Key("roomkit.room.id")
	keyActor     = attribute.Key("roomkit.actor")
	keyChanged   = attribute.Key("roomkit.changed")
	keyRepeat    = attribute.Key("roomkit.repeat")
	keyAttempts  = attribute.Key("roomkit.attempts")
	keyCommands  = attribute.Key("roomkit.group.commands")
	keyConflicts = attribute.Key("roomkit.group.conflicts")
	keyEvents    = attribute.Key("roomkit.events")
	keyBehind    = attribute.Key("roomkit.behind")
	keyCause     = attribute.Key("roomkit.cause")
	keyRooms     = attribute.Key("roomkit.rooms")
	keyPeople    = attribute.Key("roomkit.people")
	keyFailed    = attribute.Key("roomkit.rooms.failed")
	keyNeeds     = attribute.Key("roomkit.store.needs")
	keyChanges   = attribute.Key("roomkit.store.changes")
	keyRows      = attribute.Key("roomkit.store.rows")
)

// outcome gives the category of an error as an attribute, and whether it is a failure and no
// answer.
func outcome(err error) (name string, failed bool) {
	c := service.CategoryOf(err)
	if c == service.CategoryNone {
		return "ok", false
	}
	return c.String(), c.HTTPStatus() >= 500
}

// instruments makes instruments, and keeps the errors.
type instruments struct {
	metric.Meter
	errs []error
}

// durations are bounds in seconds, from a store in memory to one that cannot answer.
var durations = metric.WithExplicitBucketBoundaries(0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

func (m *instruments) duration(name, about string) metric.Float64Histogram {
	i, err := m.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(about), durations)
	m.errs = append(m.errs, err)
	return i
}

func (m *instruments) sizes(name, unit, about string, bounds ...float64) metric.Int64Histogram {
	i, err := m.Int64Histogram(name, metric.WithUnit(unit), metric.WithDescription(about), metric.WithExplicitBucketBoundaries(bounds...))
	m.errs = append(m.errs, err)
	return i
}

func (m *instruments) counter(name, unit, about string) metric.Int64Counter {
	i, err := m.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(about))
	m.errs = append(m.errs, err)
	return i
}

func (m *instruments) seconds(name, about string) metric.Float64Counter {
	i, err := m.Float64Counter(name, metric.WithUnit("s"), metric.WithDescription(about))
	m.errs = append(m.errs, err)
	return i
}

func (m *instruments) gauge(name, unit, about string) metric.Int64Gauge {
	i, err := m.Int64Gauge(name, metric.WithUnit(unit), metric.WithDescription(about))
	m.errs = append(m.errs, err)
	return i
}

func (m *instruments) age(name, about string) metric.Float64Gauge {
	i, err := m.Float64Gauge(name, metric.WithUnit("s"), metric.WithDescription(about))
	m.errs = append(m.errs, err)
	return i
}

func (m *instruments) err() error { return errors.Join(m.errs...) }

// inSeconds gives a time that a clock has measured, which may have gone back meanwhile.
func inSeconds(d time.Duration) float64 { return max(0, d).Seconds() }
