package otelroomkit

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// Store wraps a store so that each of its calls is a span and a measurement. The store
// inside keeps its capabilities, which store.Capability finds as before; their calls, few as
// they are, are not measured. What asks for a type of store, like pgstore's InTx, is called
// on the store inside; what it gives can be wrapped as well.
func Store(st store.Store, o *Options) (store.Store, error) {
	m := instruments{Meter: o.meter()}
	return &wrapped{
		in: st, tracer: o.tracer(), took: m.duration("roomkit.store.duration", "Duration of calls of the store."),
	}, m.err()
}

type wrapped struct {
	in     store.Store
	tracer trace.Tracer
	took   metric.Float64Histogram
	spans  spans
	sets   sets
}

// Unwrap implements [store.Wrapper].
func (w *wrapped) Unwrap() store.Store { return w.in }

var storeCall = beginning{prefix: "roomkit.store ", key: keyCall, kind: trace.SpanKindClient}

// call is one that is under way.
type call struct {
	w     *wrapped
	name  string
	span  trace.Span
	start time.Time
}

func (w *wrapped) call(ctx context.Context, name string) (context.Context, call) {
	is := w.spans.of(storeCall, name)
	ctx, span := w.tracer.Start(ctx, is.name, is.options...)
	return ctx, call{w: w, name: name, span: span, start: time.Now()} //nolint:forbidigo // a store has no clock of the host's
}

func (c *call) end(ctx context.Context, err error, size attribute.Key, n int) {
	took := time.Since(c.start) //nolint:forbidigo // as above
	what, failed := storeOutcome(err)
	c.w.took.Record(ctx, inSeconds(took), c.w.sets.failed(keyCall, c.name, what, failed).record...)
	if c.span.IsRecording() {
		c.span.SetAttributes(size.Int(n))
		if failed {
			c.span.SetAttributes(semconv.ErrorTypeKey.String(what))
			c.span.SetStatus(codes.Error, what)
		}
	}
	c.span.End()
}

// storeOutcome is outcome, but that every error of a store is a failure.
func storeOutcome(err error) (name string, failed bool) {
	if err == nil {
		return "ok", false
	}
	return service.CategoryOf(err).String(), true
}

// Load implements [store.Store].
func (w *wrapped) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	ctx, c := w.call(ctx, "Load")
	facts, err := w.in.Load(ctx, needs)
	c.end(ctx, err, keyNeeds, len(needs))
	return facts, err
}

// Commit implements [store.Store].
func (w *wrapped) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	ctx, c := w.call(ctx, "Commit")
	results, err := w.in.Commit(ctx, changes)
	if c.span.IsRecording() {
		conflicts := 0
		for i := range results {
			if results[i].Err != nil {
				conflicts++
			}
		}
		c.span.SetAttributes(keyConflicts.Int(conflicts))
	}
	c.end(ctx, err, keyChanges, len(changes))
	return results, err
}

// Members implements [store.Store].
func (w *wrapped) Members(ctx context.Context, q store.MemberQuery) ([]roomkit.Member, error) {
	return rows(ctx, w, "Members", func(ctx context.Context) ([]roomkit.Member, error) { return w.in.Members(ctx, q) })
}

// Rooms implements [store.Store].
func (w *wrapped) Rooms(ctx context.Context, q store.RoomQuery) ([]roomkit.RoomEntry, error) {
	return rows(ctx, w, "Rooms", func(ctx context.Context) ([]roomkit.RoomEntry, error) { return w.in.Rooms(ctx, q) })
}

// Users implements [store.Store].
func (w *wrapped) Users(ctx context.Context, q store.UserQuery) ([]roomkit.User, error) {
	return rows(ctx, w, "Users", func(ctx context.Context) ([]roomkit.User, error) { return w.in.Users(ctx, q) })
}

// Teams implements [store.Store].
func (w *wrapped) Teams(ctx context.Context, q store.TeamQuery) ([]roomkit.Team, error) {
	return rows(ctx, w, "Teams", func(ctx context.Context) ([]roomkit.Team, error) { return w.in.Teams(ctx, q) })
}

// History implements [store.Store].
func (w *wrapped) History(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
	return rows(ctx, w, "History", func(ctx context.Context) ([]store.Record, error) { return w.in.History(ctx, of, after, limit) })
}

// Feed implements [store.Store].
func (w *wrapped) Feed(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
	return rows(ctx, w, "Feed", func(ctx context.Context) ([]store.Record, error) { return w.in.Feed(ctx, after, limit) })
}

func rows[T any](ctx context.Context, w *wrapped, name string, read func(context.Context) ([]T, error)) ([]T, error) {
	ctx, c := w.call(ctx, name)
	page, err := read(ctx)
	c.end(ctx, err, keyRows, len(page))
	return page, err
}
