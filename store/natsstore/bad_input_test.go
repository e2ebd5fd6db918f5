package natsstore_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/natsstore"
)

// change gives the change number n, from 1 on, of a room.
func change(n int) store.Change { return changes(n)[n-1] }

// changes gives the first n changes of a room, each of which relies on the one before.
func changes(n int) []store.Change {
	pen := sqltest.NewPen(1)
	list := make([]store.Change, n)
	for i := range list {
		c := pen.Change(1, false)
		list[i] = c.Clone()
	}
	return list
}

// write commits changes one by one.
func write(tb testing.TB, s store.Store, list ...store.Change) {
	tb.Helper()
	for i := range list {
		results, err := s.Commit(tb.Context(), list[i:i+1])
		require.NoError(tb, err)
		require.NoError(tb, results[0].Err)
	}
}

// feed gives all records of a store.
func feed(tb testing.TB, s store.Store) (all []store.Record) {
	tb.Helper()
	for page, err := range store.FeedPages(tb.Context(), s, "") {
		require.NoError(tb, err)
		all = append(all, page...)
	}
	return all
}

func refuses(tb testing.TB, l *testLog, copied store.Store, want error, text string) {
	tb.Helper()
	_, err := natsstore.Open(tb.Context(), l.js, copied, &l.options)
	require.ErrorIs(tb, err, want)
	require.ErrorContains(tb, err, text)
}

func TestWrongSettings(t *testing.T) {
	srv := serve(t)
	for name, spoil := range map[string]func(*jetstream.StreamConfig){
		"subjects":             func(c *jetstream.StreamConfig) { c.Subjects = append(c.Subjects, "another") },
		"retention has":        func(c *jetstream.StreamConfig) { c.Retention = jetstream.InterestPolicy },
		"discard":              func(c *jetstream.StreamConfig) { c.Discard = jetstream.DiscardOld },
		"max_age":              func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour },
		"max_msgs_per_subject": func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 1000 },
		"deny_delete":          func(c *jetstream.StreamConfig) { c.DenyDelete = false },
		"allow_rollup_hdrs":    func(c *jetstream.StreamConfig) { c.AllowRollup = true },
		"allow_msg_ttl":        func(c *jetstream.StreamConfig) { c.AllowMsgTTL = true },
		"allow_direct":         func(c *jetstream.StreamConfig) { c.AllowDirect = true },
		"max_consumers":        func(c *jetstream.StreamConfig) { c.MaxConsumers = 3 },
		"inactive_threshold":   func(c *jetstream.StreamConfig) { c.ConsumerLimits.InactiveThreshold = time.Second },
		"no_ack":               func(c *jetstream.StreamConfig) { c.NoAck = true },
		"subject_transform": func(c *jetstream.StreamConfig) {
			c.SubjectTransform = &jetstream.SubjectTransformConfig{Source: ">", Destination: "x.>"}
		},
		"first_seq":                 func(c *jetstream.StreamConfig) { c.FirstSeq = 5 },
		"persist_mode":              func(c *jetstream.StreamConfig) { c.PersistMode = jetstream.AsyncPersistMode },
		"metadata":                  func(c *jetstream.StreamConfig) { c.Metadata = nil },
		"must not be a mirror":      func(c *jetstream.StreamConfig) { c.Sources = []*jetstream.StreamSource{{Name: "other"}} },
		"which CreateStream writes": func(c *jetstream.StreamConfig) { c.Metadata["roomkit-log"] = "7" },
	} {
		l := &testLog{js: connect(t, srv), options: natsstore.Options{Stream: "spoilt", Replicas: 1, Weak: true}}
		require.NoError(t, natsstore.CreateStream(t.Context(), l.js, &l.options))
		is, err := l.js.Stream(t.Context(), "spoilt")
		require.NoError(t, err)
		c := is.CachedInfo().Config
		require.NoError(t, l.js.DeleteStream(t.Context(), "spoilt"))
		spoil(&c)
		_, err = l.js.CreateStream(t.Context(), c)
		require.NoError(t, err, name)
		refuses(t, l, memstore.New(), natsstore.ErrSettings, name)
		require.NoError(t, l.js.DeleteStream(t.Context(), "spoilt"))
	}
}

// Two installations that are given one name of a stream do not share it.
func TestTwoInstallations(t *testing.T) {
	l := newLog(t, serve(t))
	write(t, l.inMemory(t), changes(2)...)
	l.options.Installation = "one"
	refuses(t, l, memstore.New(), natsstore.ErrSettings, `of the installation "", not of "one"`)
	l.options.Stream += "-named"
	require.NoError(t, natsstore.CreateStream(t.Context(), l.js, &l.options))
	s := l.inMemory(t)
	write(t, s, changes(2)...)
	_, err := s.Compact(t.Context(), 0)
	require.NoError(t, err)
	l.options.Installation = "two"
	require.NoError(t, natsstore.CreateStream(t.Context(), l.js, &l.options), "it is there")
	refuses(t, l, memstore.New(), natsstore.ErrSettings, `of the installation "one", not of "two"`)
	l.options.Installation = ""
	require.Len(t, feed(t, l.inMemory(t)), 2, "who does not care")
	l.options.Installation = strings.Repeat("x", 129)
	refuses(t, l, memstore.New(), roomkit.ErrInvalid, "Installation")
}

func TestWeakSettings(t *testing.T) {
	l := newLog(t, serve(t))
	stream := l.options.Stream
	l.options = natsstore.Options{Stream: stream, SyncAlways: true}
	refuses(t, l, memstore.New(), natsstore.ErrWeak, "has 1 replicas, not 3")
	l.options = natsstore.Options{Stream: stream}
	refuses(t, l, memstore.New(), natsstore.ErrWeak, "Options.SyncAlways")
	l.options = natsstore.Options{Stream: stream, SyncAlways: true, Replicas: 1}
	refuses(t, l, memstore.New(), natsstore.ErrWeak, "Replicas is 1")
	l.options = natsstore.Options{Stream: "none", Weak: true}
	refuses(t, l, memstore.New(), natsstore.ErrNoStream, "CreateStream")
	l.options = natsstore.Options{Stream: "a.b", Weak: true}
	refuses(t, l, memstore.New(), roomkit.ErrInvalid, "Stream")
	l.options = natsstore.Options{Stream: stream, Weak: true}
	refuses(t, l, nil, roomkit.ErrInvalid, "Copy")
	l.js = nil
	refuses(t, l, memstore.New(), roomkit.ErrInvalid, "js")
}

// The servers themselves say how they write to whoever may ask.
func TestServersAreAsked(t *testing.T) {
	for sync, want := range map[string]error{"always": nil, "2m": natsstore.ErrWeak} {
		conf := filepath.Join(t.TempDir(), "nats.conf")
		require.NoError(t, os.WriteFile(conf, fmt.Appendf(nil, `
			jetstream { store_dir: %q, sync_interval: %s }
			accounts { SYS { users: [{user: sys, password: s}] }, A { jetstream: enabled, users: [{user: a, password: a}] } }
			system_account: SYS`, t.TempDir(), sync), 0o600))
		o, err := server.ProcessConfigFile(conf)
		require.NoError(t, err)
		srv := serveWith(t, o)
		system, err := nats.Connect(srv.ClientURL(), nats.UserInfo("sys", "s"))
		require.NoError(t, err)
		t.Cleanup(system.Close)
		l := &testLog{js: connect(t, srv, nats.UserInfo("a", "a")), options: natsstore.Options{System: system, Replicas: 1, Weak: true}}
		require.NoError(t, natsstore.CreateStream(t.Context(), l.js, &l.options))
		require.ErrorIs(t, natsstore.AskServers(t.Context(), l.options), want)
		l.options.System = l.js.Conn()
		err = natsstore.AskServers(t.Context(), l.options)
		require.ErrorIs(t, err, roomkit.ErrInvalid)
		require.ErrorContains(t, err, "no connection of the system account")
	}
}

func TestCopiesOfOtherLogs(t *testing.T) {
	srv := serve(t)
	one, two := newLog(t, srv), newLog(t, srv)
	s := one.inFile(t)
	write(t, s, change(1))
	require.NoError(t, s.Close())
	two.path = one.path
	two.options.File = openFile(t, one.path).Writer
	refuses(t, two, openFile(t, one.path), natsstore.ErrOtherLog, "the file is one of the log")

	written := memstore.New()
	write(t, written, change(1))
	two.options.File = nil
	refuses(t, two, written, natsstore.ErrOtherLog, "not empty")

	remembers := func(yield func(*store.Contents, error) bool) { // a command that has found everything already so
		yield(&store.Contents{Commands: []store.Remembered{{Command: roomkit.CommandID{1}, Digest: [32]byte{1}}}}, nil)
	}
	silent := memstore.New()
	require.NoError(t, silent.Fill(t.Context(), remembers))
	refuses(t, two, silent, natsstore.ErrOtherLog, "not empty")
	quiet := openFile(t, newPath(t))
	require.NoError(t, quiet.Fill(t.Context(), remembers))
	two.options.File = quiet.Writer
	refuses(t, two, quiet, natsstore.ErrOtherLog, "of no log")
	two.options.File = nil

	path := newPath(t)
	write(t, openFile(t, path), change(1))
	two.options.File = openFile(t, path).Writer
	refuses(t, two, openFile(t, path), natsstore.ErrOtherLog, "of no log")
}

// Without the handle a message that fails half way would be applied in part, and then again.
func TestFilesNeedTheirHandle(t *testing.T) {
	l := newLog(t, serve(t))
	copied := openFile(t, newPath(t))
	refuses(t, l, copied, roomkit.ErrInvalid, "File")
	l.options.File = copied.Writer
	refuses(t, l, memstore.New(), roomkit.ErrInvalid, "InTx")
}

// stops demands that a store stops because of the log, and answers nothing from then on.
func stops(tb testing.TB, s *natsstore.Store, want error) {
	tb.Helper()
	select {
	case <-s.Stopped():
	case <-time.After(20 * time.Second):
		require.Fail(tb, "the store goes on")
	}
	require.ErrorIs(tb, s.Err(), want)
	_, err := s.Load(tb.Context(), []store.Need{{}})
	require.ErrorIs(tb, err, want)
	_, err = s.Commit(tb.Context(), changes(1))
	require.ErrorIs(tb, err, want)
	_, err = s.Feed(tb.Context(), "", 0)
	require.ErrorIs(tb, err, want)
}

// What somebody else writes into the log stops all copies, those that come later too.
func TestForeignMessages(t *testing.T) {
	srv := serve(t)
	whole := func(tb testing.TB, l *testLog) []byte {
		stream, err := l.js.Stream(tb.Context(), l.options.Stream)
		require.NoError(tb, err)
		msg, err := stream.GetLastMsgForSubject(tb.Context(), l.options.Stream)
		require.NoError(tb, err)
		return msg.Data
	}
	for name, give := range map[string]func(*testing.T, *testLog) []byte{
		"text":  func(*testing.T, *testLog) []byte { return []byte("hello, who reads this?") },
		"empty": func(*testing.T, *testLog) []byte { return nil },
		"changed": func(t *testing.T, l *testLog) []byte {
			data := whole(t, l)
			data[len(data)/2] ^= 1
			return data
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLog(t, srv)
			s := l.inMemory(t)
			write(t, s, change(1))
			_, err := l.js.Publish(t.Context(), l.options.Stream, give(t, l))
			require.NoError(t, err)
			stops(t, s, natsstore.ErrForeign)
			refuses(t, l, memstore.New(), natsstore.ErrForeign, "message ")
		})
	}
}

// A message that is published again, because its answer was lost, is applied once.
func TestRepeatedMessages(t *testing.T) {
	l := newLog(t, serve(t))
	s := l.inMemory(t)
	write(t, s, changes(3)...)
	stream, err := l.js.Stream(t.Context(), l.options.Stream)
	require.NoError(t, err)
	info := stream.CachedInfo().State
	for seq := info.FirstSeq; seq <= info.LastSeq; seq++ {
		msg, err := stream.GetMsg(t.Context(), seq)
		require.NoError(t, err)
		_, err = l.js.Publish(t.Context(), l.options.Stream, msg.Data)
		require.NoError(t, err)
	}
	require.NoError(t, s.Refresh(t.Context()))
	other := l.inMemory(t)
	require.Equal(t, feed(t, s), feed(t, other))
	require.Len(t, feed(t, s), len(feed(t, l.inFile(t))))
	write(t, other, changes(4)[3])
}

// again makes the stream anew with the same settings and the messages that are given.
func again(tb testing.TB, l *testLog, keep func(seq uint64, data []byte) ([]byte, bool)) {
	tb.Helper()
	stream, err := l.js.Stream(tb.Context(), l.options.Stream)
	require.NoError(tb, err)
	info := stream.CachedInfo()
	var kept [][]byte
	for seq := info.State.FirstSeq; seq <= info.State.LastSeq; seq++ {
		msg, err := stream.GetMsg(tb.Context(), seq)
		require.NoError(tb, err)
		if data, ok := keep(seq, msg.Data); ok {
			kept = append(kept, data)
		}
	}
	require.NoError(tb, l.js.DeleteStream(tb.Context(), info.Config.Name))
	_, err = l.js.CreateStream(tb.Context(), info.Config)
	require.NoError(tb, err)
	for _, data := range kept {
		_, err := l.js.Publish(tb.Context(), info.Config.Name, data)
		require.NoError(tb, err)
	}
}

// A log that has lost messages, at its end or in the middle, or has others now, is found out by a
// copy that has them and by one that begins anew, whatever is written afterwards.
func TestLostMessages(t *testing.T) {
	srv := serve(t)
	for name, keep := range map[string]func(last uint64) func(uint64, []byte) ([]byte, bool){
		"the end": func(last uint64) func(uint64, []byte) ([]byte, bool) {
			return func(seq uint64, d []byte) ([]byte, bool) { return d, seq < last-1 }
		},
		"the middle": func(last uint64) func(uint64, []byte) ([]byte, bool) {
			return func(seq uint64, d []byte) ([]byte, bool) { return d, seq != last-2 }
		},
		"the first": func(uint64) func(uint64, []byte) ([]byte, bool) {
			return func(seq uint64, d []byte) ([]byte, bool) { return d, seq != 1 }
		},
		"all": func(uint64) func(uint64, []byte) ([]byte, bool) {
			return func(uint64, []byte) ([]byte, bool) { return nil, false }
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLog(t, srv)
			l.options.Patience = time.Second
			s := l.inFile(t)
			write(t, s, changes(8)...)
			last := s.Lag().Applied
			require.NoError(t, s.Close())
			again(t, l, keep(last))
			refuses(t, l, openFile(t, l.path), natsstore.ErrLost, "")
			if name == "the middle" || name == "the first" {
				l.options.File = nil
				refuses(t, l, memstore.New(), natsstore.ErrLost, "")
			}
		})
	}
}

// A stream that is deleted under an open store and made again is another log.
func TestStreamMadeAnew(t *testing.T) {
	srv := serve(t)
	l := newLog(t, srv)
	s := l.inMemory(t)
	write(t, s, changes(3)...)
	require.NoError(t, l.js.DeleteStream(t.Context(), l.options.Stream))
	require.NoError(t, natsstore.CreateStream(t.Context(), l.js, &l.options))
	stops(t, s, natsstore.ErrLost)
}

// A full stream refuses; what is there stays, and with more room it goes on.
func TestFull(t *testing.T) {
	l := newLog(t, serve(t))
	s := l.inMemory(t)
	write(t, s, changes(3)...)
	limit := func(bytes int64) {
		stream, err := l.js.Stream(t.Context(), l.options.Stream)
		require.NoError(t, err)
		c := stream.CachedInfo().Config
		c.MaxBytes = bytes
		_, err = l.js.UpdateStream(t.Context(), c)
		require.NoError(t, err)
	}
	limit(4000)
	list, stored := changes(100), 3
	for ; stored < len(list); stored++ {
		_, err := s.Commit(t.Context(), list[stored:stored+1])
		if err != nil {
			require.ErrorIs(t, err, natsstore.ErrFull)
			require.NotErrorIs(t, err, roomkit.ErrUnknownOutcome)
			break
		}
	}
	require.Less(t, stored, len(list))
	_, err := s.Head(t.Context())
	require.ErrorIs(t, err, natsstore.ErrFull)
	limit(-1)
	write(t, s, list[stored:]...)
	require.Equal(t, feed(t, s), feed(t, l.inMemory(t)))
}

// Servers that are away are waited for as long as the patience lasts.
func TestServersAway(t *testing.T) {
	dir := t.TempDir()
	srv := serveWith(t, &server.Options{StoreDir: dir})
	port := srv.Addr().(*net.TCPAddr).Port
	l := newLog(t, srv)
	l.options.Patience = 500 * time.Millisecond
	s := l.inMemory(t)
	write(t, s, changes(3)...)
	srv.Shutdown()
	srv.WaitForShutdown()
	_, err := s.Head(t.Context())
	require.ErrorIs(t, err, natsstore.ErrUnreachable)
	_, err = s.Commit(t.Context(), changes(4)[3:])
	require.ErrorIs(t, err, natsstore.ErrUnreachable)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = s.Commit(ctx, changes(4)[3:])
	require.ErrorIs(t, err, context.Canceled)
	serveWith(t, &server.Options{StoreDir: dir, Port: port})
	require.Eventually(t, func() bool { return s.Refresh(t.Context()) == nil }, 20*time.Second, 10*time.Millisecond)
	write(t, s, changes(4)[3])
	require.Equal(t, feed(t, s), feed(t, l.inMemory(t)))
}

// Two stores on one file would apply every message twice: one of them stops.
func TestTwoStoresOnOneFile(t *testing.T) {
	l := newLog(t, serve(t))
	one, two := l.inFile(t), l.inFile(t)
	list := changes(20)
	for i := range list {
		results, err := one.Commit(t.Context(), list[i:i+1])
		if err != nil {
			require.ErrorIs(t, err, natsstore.ErrOtherLog)
			break
		}
		require.NoError(t, results[0].Err)
	}
	select {
	case <-one.Stopped():
		require.ErrorIs(t, one.Err(), natsstore.ErrOtherLog)
	case <-two.Stopped():
		require.ErrorIs(t, two.Err(), natsstore.ErrOtherLog)
	case <-time.After(20 * time.Second):
		require.Fail(t, "both go on")
	}
	require.NoError(t, one.Close())
	require.NoError(t, two.Close())
	require.Equal(t, feed(t, l.inMemoryOnly(t)), feed(t, l.inFile(t)))
}

// What an operator has looked at holds up nobody any more, and what a writer of another log sends
// does nothing.
func TestAcceptedMessages(t *testing.T) {
	srv := serve(t)
	l, other := newLog(t, srv), newLog(t, srv)
	s := l.inMemory(t)
	write(t, s, changes(3)...)
	write(t, other.inMemory(t), changes(1)...)
	foreign, err := other.js.Stream(t.Context(), other.options.Stream)
	require.NoError(t, err)
	msg, err := foreign.GetLastMsgForSubject(t.Context(), other.options.Stream)
	require.NoError(t, err)
	_, err = l.js.Publish(t.Context(), l.options.Stream, msg.Data)
	require.NoError(t, err)
	write(t, s, changes(4)[3])
	ack, err := l.js.Publish(t.Context(), l.options.Stream, []byte("hello"))
	require.NoError(t, err)
	stops(t, s, natsstore.ErrForeign)
	refuses(t, l, memstore.New(), natsstore.ErrForeign, "message ")
	l.options.AcceptedTo = ack.Sequence + 1000
	refuses(t, l, memstore.New(), roomkit.ErrInvalid, "AcceptedTo")
	l.options.AcceptedTo = ack.Sequence
	again := l.inMemory(t)
	require.Len(t, feed(t, again), 4)
	write(t, again, changes(5)[4])
}
