package natsstore_test

import (
	"context"
	"errors"
	"iter"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/natsstore"
	"github.com/go-roomkit/roomkit/store/sqlitestore/sqliteopen"
)

// compacted is a log of which the beginning is gone, with two snapshots, and what a copy of it holds.
func compacted(tb testing.TB, srv *server.Server) (l *testLog, s *natsstore.Store, holds string) {
	tb.Helper()
	l = newLog(tb, srv)
	copied := memstore.New()
	s = l.joined(tb, copied)
	compact(tb, l, s, 0)
	compact(tb, l, s, 1)
	require.Greater(tb, l.state(tb).FirstSeq, uint64(1))
	return l, s, all(tb, copied)
}

// compact writes some changes and a snapshot.
func compact(tb testing.TB, l *testLog, s *natsstore.Store, round int) {
	tb.Helper()
	if l.state(tb).LastSeq < aWhile {
		l.idle(tb, aWhile)
	}
	require.NoError(tb, s.Refresh(tb.Context()))
	write(tb, s, changes(10 * (round + 1))[10*round:]...)
	done, err := s.Compact(tb.Context(), 0)
	require.NoError(tb, err)
	require.True(tb, done.Written)
}

// beside gives the stream of the snapshots, and what its messages begin with, the newest one last.
func (l *testLog) beside(tb testing.TB, kind string) (stream jetstream.Stream, subjects []string) {
	tb.Helper()
	stream, err := l.js.Stream(tb.Context(), l.options.Stream+"-snapshots")
	require.NoError(tb, err)
	info, err := stream.Info(tb.Context(), jetstream.WithSubjectFilter(">"))
	require.NoError(tb, err)
	for subject := range info.State.Subjects {
		if strings.Contains(subject, kind) {
			subjects = append(subjects, subject)
		}
	}
	if len(subjects) == 2 && subjects[0] > subjects[1] {
		subjects[0], subjects[1] = subjects[1], subjects[0]
	}
	return stream, subjects
}

// replace replaces the newest message of a subject by what change makes of it; nil takes it away.
func replace(tb testing.TB, l *testLog, in jetstream.Stream, subject string, change func([]byte) []byte) {
	tb.Helper()
	msg, err := in.GetLastMsgForSubject(tb.Context(), subject)
	require.NoError(tb, err)
	require.NoError(tb, in.Purge(tb.Context(), jetstream.WithPurgeSubject(subject)))
	if data := change(msg.Data); data != nil {
		_, err = l.js.Publish(tb.Context(), subject, data)
		require.NoError(tb, err)
	}
}

// TestSpoiltSnapshots: of what is torn, tampered with or foreign nothing is used: the older snapshot is, and
// without any a log that has lost its beginning is none.
func TestSpoiltSnapshots(t *testing.T) {
	flip := func(data []byte) []byte {
		data[len(data)/2]++
		return data
	}
	gone := func([]byte) []byte { return nil }
	kept := t.TempDir()
	srv := serveWith(t, &server.Options{StoreDir: kept})
	l, s, holds := compacted(t, srv)
	require.NoError(t, s.Close())
	srv.Shutdown()
	srv.WaitForShutdown()
	for name, spoil := range map[string]func(testing.TB, *testLog, int){
		"no word that it is whole": func(tb testing.TB, l *testLog, n int) {
			in, subjects := l.beside(tb, ".whole.")
			replace(tb, l, in, subjects[n], gone)
		},
		"another word": func(tb testing.TB, l *testLog, n int) {
			in, subjects := l.beside(tb, ".whole.")
			replace(tb, l, in, subjects[n], flip)
		},
		"a word that the log does not know": func(tb testing.TB, l *testLog, n int) {
			in, subjects := l.beside(tb, ".whole.")
			replace(tb, l, in, subjects[n], natsstore.Forged)
		},
		"another part, and a word for it": func(tb testing.TB, l *testLog, n int) {
			in, parts := l.beside(tb, ".part.")
			var part []byte
			replace(tb, l, in, parts[n], func(data []byte) []byte {
				data[len(data)-30] ^= 1 // in the digest of the last command
				part = data
				return data
			})
			_, whole := l.beside(tb, ".whole.")
			replace(tb, l, in, whole[n], func(data []byte) []byte { return natsstore.ForgedFor(data, part) })
		},
		"of a newer form": func(tb testing.TB, l *testLog, n int) {
			in, subjects := l.beside(tb, ".whole.")
			replace(tb, l, in, subjects[n], natsstore.OfNewerForm)
		},
		"no parts": func(tb testing.TB, l *testLog, n int) {
			in, subjects := l.beside(tb, ".part.")
			replace(tb, l, in, subjects[n], gone)
		},
		"another part": func(tb testing.TB, l *testLog, n int) {
			in, subjects := l.beside(tb, ".part.")
			replace(tb, l, in, subjects[n], flip)
		},
		"less in a part": func(tb testing.TB, l *testLog, n int) {
			in, subjects := l.beside(tb, ".part.")
			replace(tb, l, in, subjects[n], func(data []byte) []byte { return data[:len(data)-1] })
		},
		"no number": func(tb testing.TB, l *testLog, n int) {
			in, subjects := l.beside(tb, ".part.")
			replace(tb, l, in, subjects[n], func([]byte) []byte { return []byte("x") })
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.CopyFS(dir, os.DirFS(kept)))
			l := &testLog{js: connect(t, serveWith(t, &server.Options{StoreDir: dir})), options: l.options}
			spoil(t, l, 1)
			for _, copied := range []natsstore.Copy{memstore.New(), openFile(t, newPath(t))} {
				l.joined(t, copied)
				require.Equal(t, holds, all(t, copied), "by the older one")
			}
			spoil(t, l, 0)
			l.options.File = nil
			if name == "of a newer form" {
				refuses(t, l, memstore.New(), natsstore.ErrNewer, "a snapshot of form 2")
				return
			}
			refuses(t, l, memstore.New(), natsstore.ErrLost, "there is no snapshot to begin with")
		})
	}
}

// TestWholeLogNeedsNoSnapshot: a log that has its beginning is read, whatever there is beside it.
func TestWholeLogNeedsNoSnapshot(t *testing.T) {
	l := newLog(t, serve(t))
	copied := memstore.New()
	s := l.joined(t, copied)
	write(t, s, changes(10)...)
	_, err := s.Compact(t.Context(), 0)
	require.NoError(t, err)
	in, subjects := l.beside(t, ".part.")
	replace(t, l, in, subjects[0], func([]byte) []byte { return []byte("x") })
	other := memstore.New()
	l.joined(t, other)
	require.Equal(t, all(t, copied), all(t, other))
	require.NoError(t, l.js.DeleteStream(t.Context(), l.options.Stream+"-snapshots"))
	l.joined(t, memstore.New())
}

// breaking is a file of which filling breaks off.
type breaking struct {
	*sqliteopen.Store
	after int  // so many parts
	late  bool // all is there, but nobody hears of it
}

var errBroken = errors.New("broken off")

func (b breaking) Fill(ctx context.Context, parts iter.Seq2[*store.Contents, error]) error {
	n := 0
	err := b.Store.Fill(ctx, func(yield func(*store.Contents, error) bool) {
		for p, err := range parts {
			if n++; n > b.after && !b.late {
				err = errBroken
			}
			if !yield(p, err) {
				return
			}
		}
	})
	if b.late && err == nil {
		err = errBroken
	}
	return err
}

// TestFillingBreaksOff: a process that ends while its file is filled begins again with it.
func TestFillingBreaksOff(t *testing.T) {
	l, s, _ := compacted(t, serve(t))
	for name, b := range map[string]breaking{"at once": {}, "in the middle": {after: 1}, "before it is noted": {late: true}} {
		t.Run(name, func(t *testing.T) {
			l.path = newPath(t)
			b.Store = openFile(t, l.path)
			l.options.File = b.Writer
			refuses(t, l, b, errBroken, "")
			again := l.inFile(t)
			require.Equal(t, feed(t, s), feed(t, again))
			require.NoError(t, again.Close())
			require.Equal(t, feed(t, s), feed(t, l.inFile(t)), "opened once more")
		})
	}
	t.Run("the snapshot goes meanwhile", func(t *testing.T) {
		l := newLog(t, serve(t))
		first := l.inMemory(t)
		write(t, first, changes(10)...)
		_, err := first.Compact(t.Context(), 0)
		require.NoError(t, err)
		b := breaking{Store: openFile(t, l.path), late: true}
		l.options.File = b.Writer
		refuses(t, l, b, errBroken, "")
		require.NoError(t, l.js.DeleteStream(t.Context(), l.options.Stream+"-snapshots"))
		require.Equal(t, feed(t, first), feed(t, l.inFile(t)), "what is in it counts for nothing")
	})
}

// gate lets a connection come and go.
type gate struct {
	nats.CustomDialer
	closed atomic.Bool
}

func (g *gate) Dial(network, address string) (net.Conn, error) {
	if g.closed.Load() {
		return nil, errBroken
	}
	return net.DialTimeout(network, address, time.Second)
}

// TestLeftBehind: a copy that was away while the log lost what it would have gone on with stops, and begins with
// a snapshot when it is opened again; one from which the log was taken stops, too, and says so.
func TestLeftBehind(t *testing.T) {
	for name, legal := range map[string]bool{"compacted": true, "purged": false} {
		t.Run(name, func(t *testing.T) {
			srv := serve(t)
			l := newLog(t, srv)
			s := l.inMemory(t)
			write(t, s, changes(10)...)
			away := *l
			g := &gate{}
			away.js = connect(t, srv, nats.SetCustomDialer(g))
			behind := away.inFile(t)
			require.Len(t, feed(t, behind), 10)
			g.closed.Store(true)
			require.NoError(t, away.js.Conn().ForceReconnect())
			if legal {
				compact(t, l, s, 1)
				compact(t, l, s, 2)
			} else {
				l.idle(t, 10)
				stream, err := l.js.Stream(t.Context(), l.options.Stream)
				require.NoError(t, err)
				require.NoError(t, stream.Purge(t.Context(), jetstream.WithPurgeKeep(2)))
			}
			g.closed.Store(false)
			if !legal {
				require.ErrorIs(t, await(t, behind), natsstore.ErrLost)
				return
			}
			require.ErrorIs(t, await(t, behind), natsstore.ErrBehind)
			require.NoError(t, behind.Close())
			require.Equal(t, feed(t, s), feed(t, l.inFile(t)))
		})
	}
}

// racing is a connection on which others compact the log between two looks.
type racing struct {
	jetstream.JetStream
	before func()
}

func (r racing) Stream(ctx context.Context, name string) (jetstream.Stream, error) {
	s, err := r.JetStream.Stream(ctx, name)
	return racingStream{s, r.before}, err
}

type racingStream struct {
	jetstream.Stream
	before func()
}

func (r racingStream) Info(ctx context.Context, o ...jetstream.StreamInfoOpt) (*jetstream.StreamInfo, error) {
	info, err := r.Stream.Info(ctx, o...)
	for subject := range info.State.Subjects {
		if strings.Contains(subject, ".whole.") {
			r.before()
			break
		}
	}
	return info, err
}

// TestCompactedMeanwhile: what a copy has found is taken away before it reads it.
func TestCompactedMeanwhile(t *testing.T) {
	l, s, _ := compacted(t, serve(t))
	away := *l
	rounds := 2
	away.js = racing{l.js, func() {
		if rounds < 4 { // both snapshots go
			compact(t, l, s, rounds)
			compact(t, l, s, rounds+1)
			rounds += 2
		}
	}}
	copied := memstore.New()
	joined := away.joined(t, copied)
	require.Equal(t, 4, rounds)
	require.Equal(t, feed(t, s), feed(t, joined))
}

// failing is a connection on which publications to the stream of snapshots end.
type failing struct {
	jetstream.JetStream
	left *atomic.Int64
}

func (f failing) PublishMsg(ctx context.Context, m *nats.Msg, o ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
	if strings.Contains(m.Subject, "-snapshots.") && f.left.Add(-1) < 0 {
		return nil, &jetstream.APIError{Code: 400, ErrorCode: 10054, Description: "broken off"}
	}
	return f.JetStream.PublishMsg(ctx, m, o...)
}

// TestCompactBreaksOff: whoever writes a snapshot ends at any point, and nothing of it is used; the next
// one takes it away.
func TestCompactBreaksOff(t *testing.T) {
	l := newLog(t, serve(t))
	away := *l
	left := &atomic.Int64{}
	away.js = failing{l.js, left}
	s := away.inMemory(t)
	write(t, s, changes(300)...)
	for n := range int64(4) {
		left.Store(n)
		if _, err := s.Compact(t.Context(), 0); err == nil {
			require.Positive(t, n)
			break
		}
		require.Equal(t, feed(t, s), feed(t, l.inMemory(t)))
	}
	left.Store(1 << 40)
	for range 2 {
		done, err := s.Compact(t.Context(), 0)
		require.NoError(t, err)
		require.True(t, done.Written)
	}
	_, parts := l.beside(t, ".part.")
	_, whole := l.beside(t, ".whole.")
	require.Len(t, parts, 2)
	require.Len(t, whole, 2)
	require.Equal(t, feed(t, s), feed(t, l.inMemory(t)))
}

// TestSeveralCompact: processes that compact at the same time harm nobody.
func TestSeveralCompact(t *testing.T) {
	l := newLog(t, serve(t))
	stores := []*natsstore.Store{l.inMemory(t), l.inMemory(t), l.inFile(t)}
	write(t, stores[0], changes(50)...)
	ended := make(chan struct{})
	for _, s := range stores {
		go func() {
			defer func() { ended <- struct{}{} }()
			for range 3 {
				_, err := s.Compact(t.Context(), 0)
				assert.NoError(t, err)
			}
		}()
	}
	for range stores {
		<-ended
	}
	require.Equal(t, feed(t, stores[0]), feed(t, l.inMemoryOnly(t)))
	require.NoError(t, stores[1].Refresh(t.Context()))
}

// TestCompactRefuses: what is in the way has a name.
func TestCompactRefuses(t *testing.T) {
	l := newLog(t, serve(t))
	s := l.inMemory(t)
	write(t, s, changes(5)...)
	name := l.options.Stream + "-snapshots"
	_, err := l.js.CreateStream(t.Context(), jetstream.StreamConfig{Name: name, Subjects: []string{name + ".>"}})
	require.NoError(t, err)
	_, err = s.Compact(t.Context(), 0)
	require.ErrorIs(t, err, natsstore.ErrSettings)
	require.NoError(t, l.js.DeleteStream(t.Context(), name))
	other := newLog(t, serve(t))
	other.js, other.options.Stream = l.js, name
	require.NoError(t, natsstore.CreateStream(t.Context(), other.js, &other.options))
	_, err = s.Compact(t.Context(), 0)
	require.ErrorIs(t, err, natsstore.ErrSettings)
	require.NoError(t, l.js.DeleteStream(t.Context(), name))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = s.Compact(ctx, 0)
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, s.Close())
	_, err = s.Compact(t.Context(), 0)
	require.ErrorIs(t, err, roomkit.ErrUnavailable)
}
