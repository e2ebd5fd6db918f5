package otelroomkit

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

// Observer makes spans and metrics of what a service does; it goes into
// service.Options.Observer, of one service or of several. It starts no goroutines. An
// error is one of the meter's, about an instrument.
func Observer(o *Options) (service.Observer, error) {
	m := instruments{Meter: o.meter()}
	w := &watcher{tracer: o.tracer(), commands: commandMetrics(&m), followers: followerMetrics(&m), enforce: enforceMetrics(&m)}
	if o != nil {
		w.rooms, w.actors = o.Rooms, o.Actors
	}
	return service.Observer{
		Begin: w.begin, Command: w.command, Group: w.group, Read: w.read, Follow: w.follow, Step: w.step,
	}, m.err()
}

type watcher struct {
	tracer        trace.Tracer
	rooms, actors bool
	commands
	followers
	enforce
	spans spans
	sets  sets
}

type commands struct {
	duration  metric.Float64Histogram
	attempts  metric.Int64Histogram
	refusals  metric.Int64Counter
	committed metric.Float64Histogram
	size      metric.Int64Histogram
	conflicts metric.Int64Counter
	answered  metric.Float64Histogram
}

func commandMetrics(m *instruments) commands {
	return commands{
		duration:  m.duration("roomkit.command.duration", "Duration of commands."),
		attempts:  m.sizes("roomkit.command.attempts", "{attempt}", "How often a command was decided.", 1, 2, 3, 4, 6, 8, 12, 16),
		refusals:  m.counter("roomkit.command.refusals", "{refusal}", "Commands that a rule forbids."),
		committed: m.duration("roomkit.group.duration", "Duration of groups of commands, from the first load to the commit."),
		size:      m.sizes("roomkit.group.size", "{command}", "Commands in one commit.", 1, 2, 4, 8, 16, 32, 64, 128, 256),
		conflicts: m.counter("roomkit.group.conflicts", "{command}", "Commands that run again because others were faster."),
		answered:  m.duration("roomkit.read.duration", "Duration of questions."),
	}
}

type followers struct {
	batches  metric.Float64Histogram
	handling metric.Float64Counter
	events   metric.Int64Counter
	behind   metric.Int64Gauge
	lag      metric.Float64Gauge
	poisoned metric.Int64Counter
}

func followerMetrics(m *instruments) followers {
	return followers{
		batches:  m.duration("roomkit.follower.batch.duration", "Duration of a follower's batches."),
		handling: m.seconds("roomkit.follower.handling.time", "Time in a follower's handler."),
		events:   m.counter("roomkit.follower.events", "{event}", "Events that a follower has handled."),
		behind:   m.gauge("roomkit.follower.behind", "{event}", "Events that a follower still has to handle, as of its last batch."),
		lag:      m.age("roomkit.follower.lag", "How long after it happened a follower has come to an event, as of its last batch."),
		poisoned: m.counter("roomkit.follower.poisoned", "{stop}", "How often a follower has stopped at an event that it cannot handle."),
	}
}

type enforce struct {
	steps    metric.Float64Histogram
	people   metric.Int64Counter
	left     metric.Int64Counter
	open     metric.Int64Gauge
	stepsLag metric.Float64Gauge
}

func enforceMetrics(m *instruments) enforce {
	return enforce{
		steps:    m.duration("roomkit.enforce.step.duration", "Duration of steps of Enforce."),
		people:   m.counter("roomkit.enforce.people", "{person}", "People whom Enforce has taken out, counted for every room."),
		left:     m.counter("roomkit.enforce.rooms", "{room}", "Rooms that Enforce has taken people out of."),
		open:     m.gauge("roomkit.enforce.open", "{change}", "Changes of users and companies that Enforce is at."),
		stepsLag: m.age("roomkit.enforce.lag", "How long ago the change happened that Enforce carries out."),
	}
}

// beginnings are those of the spans of each kind of operation.
var beginnings = [...]beginning{
	service.OperationCommand: {prefix: "roomkit ", key: keyCommand, kind: trace.SpanKindInternal},
	service.OperationRead:    {prefix: "roomkit ", key: keyRead, kind: trace.SpanKindInternal},
	service.OperationBatch:   {prefix: "roomkit batch ", key: keyFollower, kind: trace.SpanKindConsumer},
	service.OperationStep:    {prefix: "roomkit step ", key: keyFollower, kind: trace.SpanKindInternal},
}

func (w *watcher) begin(ctx context.Context, op service.Operation) context.Context {
	if int(op.Kind) >= len(beginnings) {
		op.Kind = service.OperationNone
	}
	is := w.spans.of(beginnings[op.Kind], op.Name)
	ctx, span := w.tracer.Start(ctx, is.name, is.options...)
	if w.rooms && !op.Room.IsZero() {
		span.SetAttributes(keyRoom.String(op.Room.String()))
	}
	if w.actors && op.Kind == service.OperationCommand {
		span.SetAttributes(keyActor.String(op.Actor.String()))
	}
	return ctx
}

// end ends the span of an operation.
func end(span trace.Span, outcome string, failed bool, more ...attribute.KeyValue) {
	span.SetAttributes(append(more, keyOutcome.String(outcome))...)
	if failed {
		span.SetAttributes(semconv.ErrorTypeKey.String(outcome))
		span.SetStatus(codes.Error, outcome) // what the error says may name people
	}
	span.End()
}

func (w *watcher) command(ctx context.Context, r service.CommandReport) {
	what, failed := outcome(r.Err)
	w.duration.Record(ctx, inSeconds(r.Took), w.sets.of(keyCommand, r.Name, what, failed).record...)
	w.attempts.Record(ctx, int64(r.Attempts), w.sets.named(keyCommand, r.Name).record...)
	rule := ruleOf(r.Err)
	if rule != "" {
		w.refusals.Add(ctx, 1, w.sets.refused(r.Name, rule).add...)
	}
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		span.End()
		return
	}
	if r.Group != nil {
		span.AddLink(trace.LinkFromContext(r.Group))
	}
	if r.Kind != roomkit.KindNone {
		span.SetAttributes(keyKind.String(r.Kind.String()))
	}
	if rule != "" {
		span.SetAttributes(keyRule.String(rule))
	}
	if w.rooms && !r.Room.IsZero() { // of one that was opened
		span.SetAttributes(keyRoom.String(r.Room.String()))
	}
	end(span, what, failed, keyChanged.Bool(r.Changed), keyRepeat.Bool(r.Repeat), keyAttempts.Int(r.Attempts))
}

// ruleOf gives the rule of a refusal.
func ruleOf(err error) string {
	if err == nil {
		return ""
	}
	var denied *roomkit.Denied
	if errors.As(err, &denied) {
		return string(denied.Rule)
	}
	return ""
}

// group adds to the span of the first command of a group.
func (w *watcher) group(ctx context.Context, r service.GroupReport) {
	what, failed := outcome(r.Err)
	w.committed.Record(ctx, inSeconds(r.Took), w.sets.of("", "", what, failed).record...)
	if r.Commands > 0 {
		w.size.Record(ctx, int64(r.Commands))
	}
	w.conflicts.Add(ctx, int64(r.Conflicts))
	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		span.SetAttributes(keyCommands.Int(r.Commands), keyConflicts.Int(r.Conflicts))
	}
}

func (w *watcher) read(ctx context.Context, r service.ReadReport) {
	what, failed := outcome(r.Err)
	w.answered.Record(ctx, inSeconds(r.Took), w.sets.of(keyRead, r.Name, what, failed).record...)
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		span.End()
		return
	}
	if rule := ruleOf(r.Err); rule != "" {
		span.SetAttributes(keyRule.String(rule))
	}
	end(span, what, failed)
}

func (w *watcher) follow(ctx context.Context, r service.FollowReport) {
	what, failed := outcome(r.Err)
	set := w.sets.named(keyFollower, r.Name)
	w.batches.Record(ctx, inSeconds(r.Took), w.sets.failed(keyFollower, r.Name, what, failed).record...)
	w.handling.Add(ctx, inSeconds(r.Handling), set.add...)
	w.events.Add(ctx, int64(r.Events), set.add...)
	if r.Behind >= 0 {
		w.behind.Record(ctx, r.Behind, set.record...)
	}
	if r.Events > 0 || r.Lag > 0 {
		w.lag.Record(ctx, inSeconds(r.Lag), set.record...)
	}
	var stops int64
	if r.Poison() {
		stops = 1
	}
	w.poisoned.Add(ctx, stops, set.add...) // 0, too, so that there is something to compare with
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		span.End()
		return
	}
	end(span, what, failed, keyEvents.Int(r.Events), keyBehind.Int64(r.Behind))
}

func (w *watcher) step(ctx context.Context, r service.StepReport) {
	what, failed := outcome(r.Err)
	w.steps.Record(ctx, inSeconds(r.Took), w.sets.failed("", "", what, failed).record...)
	w.people.Add(ctx, int64(r.People))
	w.left.Add(ctx, int64(r.Changed))
	w.open.Record(ctx, int64(r.Open))
	w.stepsLag.Record(ctx, inSeconds(r.Lag))
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		span.End()
		return
	}
	end(span, what, failed, keyCause.String(r.Cause.String()), keyRooms.Int(r.Rooms), keyPeople.Int(r.People), keyFailed.Int(r.Failed))
}
