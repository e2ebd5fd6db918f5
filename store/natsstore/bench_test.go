package natsstore_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/natsstore"
	"github.com/go-roomkit/roomkit/store/natsstore/internal/cluster"
	"github.com/go-roomkit/roomkit/store/sqlitestore/sqliteopen"
)

// field is a three-node cluster with SyncAlways, a log with a service, and a raw stream beside it.
type field struct {
	js    jetstream.JetStream
	log   jetstream.Stream
	copy  store.Store
	svc   *service.Service
	rooms []roomkit.RoomID
	users []roomkit.UserID
}

const (
	benchLog   = "bench"
	rawStream  = "raw"
	benchRooms = 512
	benchUsers = 4000
)

func newField(b *testing.B, file, stale bool) *field {
	b.Helper()
	ctx := context.WithoutCancel(b.Context())
	c, err := cluster.Start(minutes(b, 1), cluster.Options{Dir: b.TempDir()})
	b.Cleanup(func() { require.NoError(b, c.Close()) })
	require.NoError(b, err)
	conn, err := c.Connect()
	require.NoError(b, err)
	b.Cleanup(conn.Close)
	f := &field{copy: memstore.New()}
	f.js, err = jetstream.New(conn)
	require.NoError(b, err)
	o := &natsstore.Options{Stream: benchLog, SyncAlways: true, StaleReads: stale}
	require.NoError(b, natsstore.CreateStream(ctx, f.js, o))
	_, err = f.js.CreateStream(ctx, jetstream.StreamConfig{Name: rawStream, Subjects: []string{rawStream}, Replicas: 3})
	require.NoError(b, err)
	require.NoError(b, c.Whole(minutes(b, 1), rawStream))
	for _, stream := range []string{benchLog, rawStream} { // both as near
		lead(b, conn, stream)
	}
	if file {
		s, err := sqliteopen.Open(ctx, filepath.Join(b.TempDir(), "copy.db"), &sqliteopen.Options{Create: true})
		require.NoError(b, err)
		b.Cleanup(func() { _ = s.Close() })
		f.copy, o.File = s, s.Writer
	}
	f.svc = f.service(b, f.copy, o)
	f.log, err = f.js.Stream(ctx, benchLog)
	require.NoError(b, err)
	return f
}

// lead makes the server of a connection the leader of a stream.
func lead(b *testing.B, conn *nats.Conn, stream string) {
	b.Helper()
	js, err := jetstream.New(conn)
	require.NoError(b, err)
	ask := []byte(fmt.Sprintf(`{"placement":{"preferred":%q}}`, conn.ConnectedServerName()))
	require.EventuallyWithT(b, func(c *assert.CollectT) {
		s, err := js.Stream(context.WithoutCancel(b.Context()), stream)
		if !assert.NoError(c, err) || !assert.NotNil(c, s.CachedInfo().Cluster) {
			return
		}
		if leader := s.CachedInfo().Cluster.Leader; !assert.Equal(c, conn.ConnectedServerName(), leader) {
			_, err := conn.Request("$JS.API.STREAM.LEADER.STEPDOWN."+stream, ask, time.Second)
			assert.NoError(c, err)
		}
	}, time.Minute, 300*time.Millisecond)
}

func (f *field) service(b *testing.B, local store.Store, o *natsstore.Options) *service.Service {
	b.Helper()
	s, err := natsstore.Open(minutes(b, 5), f.js, local, o)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, s.Close()) })
	svc, err := service.New(s, nil)
	require.NoError(b, err)
	return svc
}

// fill makes a company, its people, and rooms of the first three of them.
func (f *field) fill(b *testing.B, rooms, users int) {
	b.Helper()
	all := []roomkit.Command{roomkit.AddCompany{Company: roomkit.Company{ID: "acme", Licensed: true, MembersCreateGroups: true}}}
	f.batch(b, roomkit.System(), all)
	all = nil
	for i := range users {
		f.users = append(f.users, roomkit.UserID(fmt.Sprintf("user-%04d", i)))
		all = append(all, roomkit.AddUser{User: roomkit.User{ID: f.users[i], Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}})
	}
	f.batch(b, roomkit.System(), all)
	all = nil
	for range rooms {
		all = append(all, roomkit.CreateRoom{People: f.users[1:3], Audience: roomkit.AudienceMembers, AllowDuplicate: true})
	}
	for _, r := range f.batch(b, roomkit.By(f.users[0]), all) {
		f.rooms = append(f.rooms, r.Result.Room)
	}
}

func (f *field) batch(b *testing.B, by roomkit.Actor, all []roomkit.Command) (results []service.BatchResult) {
	b.Helper()
	for some := range slices.Chunk(all, roomkit.MaxBatch) {
		results = append(results, f.svc.Batch(context.WithoutCancel(b.Context()), by, some)...)
	}
	for _, r := range results {
		require.NoError(b, r.Err)
	}
	return results
}

func (f *field) state(b *testing.B) jetstream.StreamState {
	b.Helper()
	info, err := f.log.Info(context.WithoutCancel(b.Context()))
	require.NoError(b, err)
	return info.State
}

// read gives what messages of the log say from one on, repeated until it is long enough.
func (f *field) read(b *testing.B, from uint64, length int) (text []byte) {
	b.Helper()
	for seq := from; len(text) < length; seq++ {
		msg, err := f.log.GetMsg(context.WithoutCancel(b.Context()), seq)
		require.NoError(b, err)
		text = append(text, msg.Data...)
	}
	return text
}

// BenchmarkAdd lets callers add people to rooms, beside the same callers of a raw stream: one
// message for all that wait, as long as what the service writes for them and made of it, and one message
// under way. The times of processors are those of the three servers, too.
func BenchmarkAdd(b *testing.B) {
	for _, callers := range []int{1, 32, 256} {
		of := fmt.Sprintf("/%d callers", callers)
		b.Run("memory"+of, func(b *testing.B) { benchmarkAdd(b, callers, newField(b, false, false)) })
		b.Run("file"+of, func(b *testing.B) { benchmarkAdd(b, callers, newField(b, true, false)) })
	}
}

func benchmarkAdd(b *testing.B, callers int, f *field) {
	b.Helper()
	f.fill(b, benchRooms, benchUsers)
	next := sqltest.Taker(f.rooms, f.users)
	ours := func(n int) error {
		return sqltest.Callers(callers, n, func() error {
			room, who := next()
			r, err := f.svc.Do(b.Context(), roomkit.By(f.users[0]), roomkit.Invite{Room: room, People: []roomkit.UserID{who}})
			if err == nil && !r.Changed {
				err = fmt.Errorf("%s was there", who)
			}
			return err
		})
	}
	n := min(128*callers, 8192)
	before := f.state(b)
	require.NoError(b, ours(n))
	after := f.state(b)
	size := int(after.Bytes-before.Bytes) / n
	text := f.read(b, before.LastSeq+1, size*callers) // of the log itself: zeros would be packed
	queue := make(sqltest.HandQueue, callers)
	defer close(queue)
	ctx := context.WithoutCancel(b.Context())
	groups := 0
	go queue.Serve(runtime.Gosched, func(group []*sqltest.HandAdd) error {
		groups++
		_, err := f.js.Publish(ctx, rawStream, text[:size*len(group)])
		return err
	})
	raw := func(n int) error {
		return sqltest.Callers(callers, n, func() error { return queue.Do(&sqltest.HandAdd{}) })
	}
	ready := f.state(b)
	b.ResetTimer()
	sqltest.Compare(b, n, func() float64 { return sqltest.OwnTime(b) }, sqltest.Way{Name: "raw", Do: raw}, sqltest.Way{Name: "ours", Do: ours})
	b.StopTimer()
	grown := f.state(b)
	b.ReportMetric(float64(b.N*n)/float64(grown.LastSeq-ready.LastSeq), "commands/message")
	b.ReportMetric(float64(b.N*n)/float64(groups), "raw/message")
	b.ReportMetric(float64(size), "B/command")
	b.ReportMetric(fsync(b), "fsync-µs")
}

// fsync gives what it costs to write 4 KiB behind a file, and through to the disk.
func fsync(b *testing.B) float64 {
	b.Helper()
	file, err := os.Create(filepath.Join(b.TempDir(), "file"))
	require.NoError(b, err)
	defer file.Close()
	all := make([]float64, 101)
	for i := range all {
		begin := time.Now()
		_, err := file.Write(make([]byte, 4096))
		require.NoError(b, err)
		require.NoError(b, file.Sync())
		all[i] = float64(time.Since(begin).Nanoseconds()) / 1000 //nolint:forbidigo // measured
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// BenchmarkCheck asks whether somebody may enter: the copy itself, through a store that answers
// from it at once, and through one that asks the log first, alone and with 32 callers who share the way.
func BenchmarkCheck(b *testing.B) {
	f := newField(b, false, false)
	f.fill(b, benchRooms, 64)
	bare, err := service.New(f.copy, nil)
	require.NoError(b, err)
	stale := f.service(b, memstore.New(), &natsstore.Options{Stream: benchLog, SyncAlways: true, StaleReads: true})
	ask := func(svc *service.Service, callers int) func(n int) error {
		return func(n int) error {
			return sqltest.Callers(callers, n, func() error {
				return svc.Check(b.Context(), f.users[1], roomkit.ActionEnter, f.rooms[n%len(f.rooms)])
			})
		}
	}
	compare := func(b *testing.B, n int, ways ...sqltest.Way) {
		sqltest.Compare(b, n, func() float64 { return 0 }, ways...)
	}
	b.Run("stale", func(b *testing.B) {
		compare(b, 100_000, sqltest.Way{Name: "memstore", Do: ask(bare, 1)}, sqltest.Way{Name: "stale", Do: ask(stale, 1)})
	})
	b.Run("fresh/1 caller", func(b *testing.B) {
		compare(b, 500, sqltest.Way{Name: "memstore", Do: ask(bare, 1)}, sqltest.Way{Name: "fresh", Do: ask(f.svc, 1)})
	})
	b.Run("fresh/32 callers", func(b *testing.B) {
		compare(b, 10_000, sqltest.Way{Name: "memstore", Do: ask(bare, 32)}, sqltest.Way{Name: "fresh", Do: ask(f.svc, 32)})
	})
}
