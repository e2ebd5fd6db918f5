package otelroomkit_test

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/otelroomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/storetest"
)

var ctx = context.Background()

// kit is a service that is watched, on a store that takes time and can fail.
type kit struct {
	*service.Service
	t      *testing.T
	clock  *proof.Clock
	disk   *disk
	spans  *tracetest.InMemoryExporter
	reader *sdkmetric.ManualReader
}

// disk is a store on which every commit takes a quarter of a second of the clock.
type disk struct {
	store.Store
	clock *proof.Clock
	fails error
}

func (d *disk) Unwrap() store.Store { return d.Store }

func (d *disk) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	d.clock.Add(250 * time.Millisecond)
	if d.fails != nil {
		return nil, d.fails
	}
	return d.Store.Commit(ctx, changes)
}

func newKit(t *testing.T, change ...func(*otelroomkit.Options, *service.Options)) *kit {
	k := &kit{t: t, clock: proof.NewClock(), spans: tracetest.NewInMemoryExporter(), reader: sdkmetric.NewManualReader()}
	k.disk = &disk{Store: memstore.New(), clock: k.clock}
	o := &otelroomkit.Options{
		TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSyncer(k.spans)),
		MeterProvider:  sdkmetric.NewMeterProvider(sdkmetric.WithReader(k.reader)),
	}
	so := &service.Options{Clock: k.clock.Now, Policy: roomkit.Policy{AnyoneIsContact: true}}
	for _, c := range change {
		c(o, so)
	}
	var err error
	so.Observer, err = otelroomkit.Observer(o)
	require.NoError(t, err)
	st, err := otelroomkit.Store(k.disk, o)
	require.NoError(t, err)
	k.Service = proof.ServiceOn(t, st, so)
	_, err = otelroomkit.ObserveFollowers(k.Service, o)
	require.NoError(t, err)
	k.spans.Reset()
	return k
}

// tree gives the spans since the last call as "name < parent < ...", in the order in which
// they ended.
func (k *kit) tree() (lines []string) {
	spans := k.spans.GetSpans()
	byID := map[string]tracetest.SpanStub{}
	for _, s := range spans {
		byID[s.SpanContext.SpanID().String()] = s
	}
	for _, s := range spans {
		line := s.Name
		for s.Parent.IsValid() {
			s = byID[s.Parent.SpanID().String()]
			line += " < " + s.Name
		}
		lines = append(lines, line)
	}
	k.spans.Reset()
	return lines
}

func (k *kit) lastSpan() tracetest.SpanStub {
	spans := k.spans.GetSpans()
	require.NotEmpty(k.t, spans)
	return spans[len(spans)-1]
}

func attributes(s tracetest.SpanStub) map[string]string {
	m := map[string]string{}
	for _, a := range s.Attributes {
		m[string(a.Key)] = a.Value.String()
	}
	return m
}

// metric collects, and gives what is known of one instrument.
func (k *kit) metric(name string) metricdata.Metrics {
	k.t.Helper()
	var all metricdata.ResourceMetrics
	require.NoError(k.t, k.reader.Collect(ctx, &all))
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			if m.Name == name {
				return m
			}
		}
	}
	require.FailNow(k.t, "no metric "+name)
	return metricdata.Metrics{}
}

// point gives the data point of an instrument that has the attributes, as "key=value".
func point[P any](k *kit, points []P, of func(P) attribute.Set, want ...string) P {
	k.t.Helper()
	for _, p := range points {
		set := of(p)
		var got []string
		for _, a := range set.ToSlice() {
			got = append(got, fmt.Sprintf("%s=%s", a.Key, a.Value.String()))
		}
		if slices.Equal(got, want) {
			return p
		}
	}
	require.FailNow(k.t, fmt.Sprintf("no point with %s", want))
	var none P
	return none
}

func (k *kit) duration(name string, want ...string) metricdata.HistogramDataPoint[float64] {
	k.t.Helper()
	m := k.metric(name)
	require.Equal(k.t, "s", m.Unit)
	return point(k, m.Data.(metricdata.Histogram[float64]).DataPoints, func(p metricdata.HistogramDataPoint[float64]) attribute.Set { return p.Attributes }, want...)
}

func (k *kit) count(name string, want ...string) int64 {
	k.t.Helper()
	return point(k, k.metric(name).Data.(metricdata.Sum[int64]).DataPoints, func(p metricdata.DataPoint[int64]) attribute.Set { return p.Attributes }, want...).Value
}

func (k *kit) gauge(name string, want ...string) float64 {
	k.t.Helper()
	if d, ok := k.metric(name).Data.(metricdata.Gauge[int64]); ok {
		return float64(point(k, d.DataPoints, func(p metricdata.DataPoint[int64]) attribute.Set { return p.Attributes }, want...).Value)
	}
	d := k.metric(name).Data.(metricdata.Gauge[float64])
	return point(k, d.DataPoints, func(p metricdata.DataPoint[float64]) attribute.Set { return p.Attributes }, want...).Value
}

func people(ids ...roomkit.UserID) []roomkit.UserID { return ids }

type directory struct{}

func (directory) Users(context.Context, []roomkit.UserID) ([]roomkit.User, []roomkit.Company, error) {
	return []roomkit.User{{ID: "kim", Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}}, nil, nil
}

// TestSpansAreNested: store calls and commands are inside of what has brought them about.
func TestSpansAreNested(t *testing.T) {
	k := newKit(t, func(_ *otelroomkit.Options, o *service.Options) { o.Directory = directory{} })
	room := proof.General(t, k.Service, "ann", "ben", "cat")
	proof.External(t, k.Service, "ann", "ben", "eve")
	k.tree()
	require.NoError(t, k.Check(ctx, "ann", roomkit.ActionEnter, room))
	require.Equal(t, []string{"roomkit.store Load < roomkit Check", "roomkit Check"}, k.tree())

	proof.Do(t, k.Service, roomkit.By("ann"), roomkit.Invite{Room: room, People: people("kim")})
	got := k.tree()
	require.Equal(t, []string{
		"roomkit.store Load < roomkit Invite", "roomkit.store Load < roomkit Invite",
		"roomkit.store Load < roomkit AddUser < roomkit Invite", "roomkit.store Commit < roomkit AddUser < roomkit Invite", "roomkit AddUser < roomkit Invite",
		"roomkit.store Load < roomkit Invite", "roomkit.store Commit < roomkit Invite", "roomkit Invite",
	}, got)

	require.NoError(t, k.Follow(ctx, "mails", func(ctx context.Context, _ service.Recorded) error {
		return k.Check(ctx, "ann", roomkit.ActionEnter, room)
	}, &service.FollowOptions{Once: true}))
	require.Contains(t, k.tree(), "roomkit Check < roomkit batch mails")

	proof.Do(t, k.Service, roomkit.System(), roomkit.DeleteUser{User: "ben"})
	require.NoError(t, k.Enforce(ctx, &service.EnforceOptions{Once: true}))
	require.Contains(t, k.tree(), "roomkit.store Commit < roomkit Expel < roomkit step roomkit.enforce < roomkit batch roomkit.enforce")
}

// TestStatus: a failure is an error with error.type, a refusal an answer with its rule.
func TestStatus(t *testing.T) {
	k := newKit(t)
	room := proof.General(t, k.Service, "ann", "ben", "cat")
	_, err := k.Do(ctx, roomkit.By("bot"), roomkit.Invite{Room: room, People: people("dan")})
	require.ErrorIs(t, err, roomkit.ErrNotFound)
	require.Equal(t, codes.Unset, k.lastSpan().Status.Code)
	require.Equal(t, map[string]string{
		"roomkit.command": "Invite", "roomkit.outcome": "not_found", "roomkit.changed": "false", "roomkit.repeat": "false", "roomkit.attempts": "1",
	}, attributes(k.lastSpan()))

	_, err = k.Do(ctx, roomkit.By("ben"), roomkit.DeleteUser{User: "cat"})
	var denied *roomkit.Denied
	require.ErrorAs(t, err, &denied)
	require.Equal(t, string(denied.Rule), attributes(k.lastSpan())["roomkit.rule"])
	require.Equal(t, codes.Unset, k.lastSpan().Status.Code)
	require.EqualValues(t, 1, k.count("roomkit.command.refusals", "roomkit.command=DeleteUser", "roomkit.rule="+string(denied.Rule)))

	k.disk.fails = roomkit.ErrUnavailable
	_, err = k.Do(ctx, roomkit.By("ann"), roomkit.Invite{Room: room, People: people("dan")})
	require.ErrorIs(t, err, roomkit.ErrUnavailable)
	spans := k.spans.GetSpans()
	for _, s := range spans[len(spans)-2:] { // the commit and the command
		require.Equal(t, sdktrace.Status{Code: codes.Error, Description: "unavailable"}, s.Status, s.Name)
		require.Equal(t, "unavailable", attributes(s)["error.type"])
	}
	require.EqualValues(t, 1, k.duration("roomkit.store.duration", "error.type=unavailable", "roomkit.store.call=Commit").Count)
	require.EqualValues(t, 1, k.duration("roomkit.group.duration", "error.type=unavailable", "roomkit.outcome=unavailable").Count)
	k.disk.fails = nil
}

// TestLink: the span of a command that was carried out in the group of another one has a
// link to it.
func TestLink(t *testing.T) {
	k := newKit(t)
	observer, err := otelroomkit.Observer(&otelroomkit.Options{TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSyncer(k.spans))})
	require.NoError(t, err)
	op := service.Operation{Kind: service.OperationCommand, Name: "Invite"}
	leader, other := observer.Begin(ctx, op), observer.Begin(ctx, op)
	observer.Command(other, service.CommandReport{Name: "Invite", Group: leader})
	links := k.lastSpan().Links
	observer.Command(leader, service.CommandReport{Name: "Invite"})
	require.Len(t, links, 1)
	require.Equal(t, k.lastSpan().SpanContext.SpanID(), links[0].SpanContext.SpanID())
}

// TestMetrics: what is measured is what has happened.
func TestMetrics(t *testing.T) {
	k := newKit(t)
	room := proof.General(t, k.Service, "ann", "ben", "cat")
	proof.Do(t, k.Service, roomkit.By("ann"), roomkit.Invite{Room: room, People: people("dan")})
	p := k.duration("roomkit.command.duration", "roomkit.command=Invite", "roomkit.outcome=ok")
	require.EqualValues(t, 1, p.Count)
	require.InDelta(t, 0.25, p.Sum, 1e-9)
	require.EqualValues(t, 1, p.BucketCounts[slices.Index(p.Bounds, 0.25)], "a bound is inside of its bucket")

	proof.External(t, k.Service, "ann", "ben", "eve")
	require.NoError(t, k.Follow(ctx, "mails", func(context.Context, service.Recorded) error {
		k.clock.Add(time.Second)
		return nil
	}, &service.FollowOptions{Once: true}))
	records := k.count("roomkit.follower.events", "roomkit.follower=mails")
	require.Positive(t, records)
	require.Zero(t, k.gauge("roomkit.follower.behind", "roomkit.follower=mails"))
	require.GreaterOrEqual(t, k.gauge("roomkit.follower.lag", "roomkit.follower=mails"), float64(records))
	require.Zero(t, k.gauge("roomkit.follower.stored.behind", "roomkit.follower=mails"))

	proof.Do(t, k.Service, roomkit.System(), roomkit.DeleteUser{User: "ben"})
	require.EqualValues(t, 1, k.gauge("roomkit.follower.stored.behind", "roomkit.follower=mails"), "of a follower that nobody runs")
	require.Positive(t, k.gauge("roomkit.follower.stored.age", "roomkit.follower=mails"))
	k.clock.Add(time.Minute)
	require.NoError(t, k.Enforce(ctx, &service.EnforceOptions{Once: true}))
	require.EqualValues(t, 2, k.count("roomkit.enforce.people"))
	require.EqualValues(t, 2, k.count("roomkit.enforce.rooms"))
	require.GreaterOrEqual(t, k.gauge("roomkit.enforce.lag"), 60.0)

	fails := func(context.Context, service.Recorded) error { return fmt.Errorf("no") }
	require.Error(t, k.Follow(ctx, "sad", fails, &service.FollowOptions{Once: true, Attempts: 1}))
	require.EqualValues(t, 1, k.count("roomkit.follower.poisoned", "roomkit.follower=sad"))
	require.Positive(t, k.gauge("roomkit.follower.behind", "roomkit.follower=sad"))
	batch := slices.IndexFunc(k.spans.GetSpans(), func(s tracetest.SpanStub) bool { return s.Name == "roomkit batch sad" })
	require.Equal(t, codes.Error, k.spans.GetSpans()[batch].Status.Code)
}

// TestNobodyIsNamed: no attribute of a span or a metric, no name and no status has the id of
// a person, a company or a room, unless it is asked for.
func TestNobodyIsNamed(t *testing.T) {
	story := func(k *kit) {
		room := proof.General(t, k.Service, "ann", "ben", "cat")
		_, _ = k.Do(ctx, roomkit.By("ben"), roomkit.DeleteUser{User: "cat"})
		_, _ = k.Do(ctx, roomkit.By("ann"), roomkit.Invite{Room: room, People: people("fay")})
		_ = k.Check(ctx, "eve", roomkit.ActionEnter, room)
		proof.Do(t, k.Service, roomkit.System(), roomkit.DeleteUser{User: "ben"})
		_ = k.Enforce(ctx, &service.EnforceOptions{Once: true})
		_ = k.Follow(ctx, "mails", func(context.Context, service.Recorded) error {
			return &roomkit.Denied{Rule: "EXT-17", Actor: roomkit.By("ann")}
		},
			&service.FollowOptions{Once: true, Attempts: 1})
	}
	told := func(k *kit) (all []string) {
		for _, s := range k.spans.GetSpans() {
			all = append(all, s.Name, s.Status.Description)
			for _, v := range attributes(s) {
				all = append(all, v)
			}
			require.Empty(t, s.Events)
		}
		return all
	}
	k := newKit(t)
	story(k)
	for _, id := range people("ann", "ben", "cat", "lin", "fay", "eve", "acme", "bolt") {
		for _, v := range told(k) {
			require.False(t, v == string(id) || strings.Contains(v, ":"+string(id)), "%q names %s", v, id)
		}
	}
	k = newKit(t, func(o *otelroomkit.Options, _ *service.Options) { o.Rooms, o.Actors = true, true })
	story(k)
	require.Contains(t, told(k), roomkit.By("ann").String())
}

// TestStoreHidesNothing: every capability of a store is found through Store.
func TestStoreHidesNothing(t *testing.T) {
	inside := guarded{memstore.New()}
	st, err := otelroomkit.Store(inside, nil)
	require.NoError(t, err)
	found := map[string]bool{
		"Notifier": same[store.Notifier](inside, st), "Header": same[store.Header](inside, st), "Numbered": same[store.Numbered](inside, st),
		"Parallel": same[store.Parallel](inside, st), "Auditor": same[store.Auditor](inside, st),
		"Guard": same[store.Guard](inside, st), "Eraser": same[store.Eraser](inside, st), "Pruner": same[store.Pruner](inside, st),
		"Accessor": same[store.Accessor](inside, st), "Hasty": same[store.Hasty](inside, st), "Copier": same[store.Copier](inside, st),
	}
	for name, is := range found {
		require.True(t, is, name)
	}
	for _, name := range capabilities(t) {
		require.Contains(t, found, name, "add the capability to this test")
	}
}

// guarded is a store with what those inside a transaction have, and those with a copy at hand.
type guarded struct{ *memstore.Store }

func (g guarded) LoadHasty(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	return g.Load(ctx, needs)
}

func (guarded) Rely(context.Context, []store.Expect) error { return nil }

// same reports whether a store has a capability, and it is found from outside.
func same[T any](inside, outside store.Store) bool {
	_, in := store.Capability[T](inside)
	_, out := store.Capability[T](outside)
	return in && out
}

// capabilities are the interfaces that package store declares, but for Store and Wrapper.
func capabilities(t *testing.T) (names []string) {
	files, err := filepath.Glob("../store/*.go")
	require.NoError(t, err)
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok && spec.Name.IsExported() && spec.Name.Name != "Store" && spec.Name.Name != "Wrapper" {
				if _, is := spec.Type.(*ast.InterfaceType); is {
					names = append(names, spec.Name.Name)
				}
			}
			return true
		})
	}
	require.NotEmpty(t, names)
	return names
}

// TestStore: a wrapped store is a store.
func TestStore(t *testing.T) {
	storetest.Run(t, func(tb testing.TB) store.Store {
		st, err := otelroomkit.Store(memstore.New(), nil)
		require.NoError(tb, err)
		return st
	}, nil)
}

// TestDocNamesEveryMetric: the table of the package's documentation has the metrics that
// there are, with their units.
func TestDocNamesEveryMetric(t *testing.T) {
	k := newKit(t)
	proof.General(t, k.Service, "ann", "ben", "cat")
	_, _ = k.Do(ctx, roomkit.By("ben"), roomkit.DeleteUser{User: "cat"})
	proof.Do(t, k.Service, roomkit.System(), roomkit.DeleteUser{User: "ben"})
	require.NoError(t, k.Enforce(ctx, &service.EnforceOptions{Once: true}))
	fails := func(context.Context, service.Recorded) error { return fmt.Errorf("no") }
	_ = k.Check(ctx, "ann", roomkit.ActionEnter, roomkit.RoomID{1})
	require.Error(t, k.Follow(ctx, "sad", fails, &service.FollowOptions{Once: true, Attempts: 1}))
	var all metricdata.ResourceMetrics
	require.NoError(t, k.reader.Collect(ctx, &all))
	got := map[string]string{}
	for _, m := range all.ScopeMetrics[0].Metrics {
		got[m.Name] = m.Unit
		require.NotEmpty(t, m.Description, m.Name)
	}
	text, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	told := map[string]string{}
	for _, row := range regexp.MustCompile(`(?m)^//\t(roomkit\.\S+) +(\S+)`).FindAllStringSubmatch(string(text), -1) {
		told[row[1]] = row[2]
	}
	require.Equal(t, got, told)
}
