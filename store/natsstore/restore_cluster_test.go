package natsstore_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/natsstore"
	"github.com/go-roomkit/roomkit/store/verify"
)

// backedUp is what "nats stream backup" writes into its directory.
type backedUp struct {
	config *server.StreamConfig
	state  *server.StreamState
	chunks [][]byte
}

// backUp asks for a stream as "nats stream backup" does.
func backUp(tb testing.TB, conn *nats.Conn, stream string) (b backedUp) {
	tb.Helper()
	inbox := nats.NewInbox()
	chunks, err := conn.SubscribeSync(inbox)
	require.NoError(tb, err)
	defer chunks.Unsubscribe() //nolint:errcheck // a test
	is := apiCall[server.JSApiStreamSnapshotResponse](tb, conn, "$JS.API.STREAM.SNAPSHOT."+stream, server.JSApiStreamSnapshotRequest{
		DeliverSubject: inbox, NoConsumers: true, CheckMsgs: true, ChunkSize: 1024, WindowSize: 1024, // so that the servers wait for what acknowledges a chunk
	})
	require.Nil(tb, is.Error)
	b.config, b.state = is.Config, is.State
	for {
		chunk, err := chunks.NextMsg(20 * time.Second)
		require.NoError(tb, err)
		if len(chunk.Data) == 0 {
			require.Contains(tb, []string{"", "204"}, chunk.Header.Get("Status"), chunk.Header)
			require.NotEmpty(tb, b.chunks)
			return b
		}
		b.chunks = append(b.chunks, chunk.Data)
		if chunk.Reply != "" { // the last one has none
			require.NoError(tb, chunk.Respond(nil))
		}
	}
}

// restore makes the stream anew as "nats stream restore" does.
func (b *backedUp) restore(tb testing.TB, conn *nats.Conn) {
	tb.Helper()
	to := apiCall[server.JSApiStreamRestoreResponse](tb, conn, "$JS.API.STREAM.RESTORE."+b.config.Name,
		server.JSApiStreamRestoreRequest{Config: *b.config, State: *b.state})
	require.Nil(tb, to.Error)
	var end *nats.Msg
	for _, chunk := range append(b.chunks, nil) {
		var err error
		end, err = conn.Request(to.DeliverSubject, chunk, 20*time.Second)
		require.NoError(tb, err)
	}
	var is server.JSApiStreamCreateResponse
	require.NoError(tb, json.Unmarshal(end.Data, &is), "%s", end.Data)
	require.Nil(tb, is.Error)
	require.GreaterOrEqual(tb, is.State.LastSeq, b.state.LastSeq, "a process that goes on asks at once, by a message")
}

func apiCall[T any](tb testing.TB, conn *nats.Conn, subject string, request any) (is T) {
	tb.Helper()
	data, err := json.Marshal(request)
	require.NoError(tb, err)
	answer, err := conn.Request(subject, data, 20*time.Second)
	require.NoError(tb, err)
	require.NoError(tb, json.Unmarshal(answer.Data, &is))
	return is
}

// TestBackupOfTheLog: a log and its snapshots that are backed up and restored into another cluster are what they were,
// for copies that have applied no more than that; those that have stop.
func TestBackupOfTheLog(t *testing.T) {
	t.Parallel()
	first, second := servers(t), servers(t)
	denied := make(chan error, 1)
	l := &testLog{options: natsstore.Options{Stream: "rooms", Installation: "example", SyncAlways: true, Patience: 30 * time.Second}}
	keeper := l.keeper(t, first, denied)
	fileBehind, fileAhead := newPath(t), newPath(t)

	l.path = fileBehind
	behind := l.inFile(t)
	svc, err := service.New(behind, nil)
	require.NoError(t, err)
	populate(t, svc, "acme")
	_, err = behind.Compact(t.Context(), 0)
	require.NoError(t, err)
	populate(t, svc, "before")
	log, snapshots := backUp(t, keeper, "rooms"), backUp(t, keeper, "rooms-snapshots")
	then := feed(t, behind)
	require.NoError(t, behind.Close())

	l.path = fileAhead
	ahead := l.inFile(t)
	svc, err = service.New(ahead, nil)
	require.NoError(t, err)
	populate(t, svc, "after")
	end := ahead.Lag().Applied
	require.NoError(t, ahead.Close())
	l.options.File, l.options.StaleReads = nil, true
	moving := l.movedTo(t, first, second)
	keeper = l.keeper(t, second, denied)
	require.NoError(t, l.js.DeleteStream(t.Context(), "rooms"))
	down(first)

	require.Empty(t, denied)
	snapshots.restore(t, keeper)
	log.restore(t, keeper)
	require.ErrorIs(t, await(t, moving), natsstore.ErrLost, "a process that went on, and has applied more")
	require.ErrorContains(t, moving.Err(), "the log ends before what was applied")
	l.options.StaleReads = false
	copied := openFile(t, fileAhead)
	l.options.File = copied.Writer
	refuses(t, l, copied, natsstore.ErrLost, "the log has lost messages")

	l.path = fileBehind
	restored := l.inFile(t)
	require.Equal(t, then, feed(t, restored), "it goes on")
	require.NoError(t, verify.Run(t.Context(), restored, nil))
	fresh := l.inMemoryOnly(t)
	require.Equal(t, then, feed(t, fresh), "it begins with the restored snapshot")
	require.NoError(t, verify.Run(t.Context(), fresh, nil))
	svc, err = service.New(fresh, nil)
	require.NoError(t, err)
	populate(t, svc, "after")
	require.Equal(t, feed(t, fresh), feed(t, restored))
	for l.state(t).LastSeq <= end {
		require.NoError(t, fresh.Refresh(t.Context()))
	}
	l.options.File = copied.Writer
	refuses(t, l, copied, natsstore.ErrLost, "is not what the log has")
	require.Empty(t, denied)
}

// keeper connects to servers, and makes the log, as soon as they have found each other.
func (l *testLog) keeper(t *testing.T, all []*server.Server, denied chan<- error) (conn *nats.Conn) {
	t.Helper()
	conn = as(t, all, "keeper", denied)
	var err error
	l.js, err = jetstream.New(conn)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return natsstore.CreateStream(t.Context(), l.js, &l.options) == nil }, time.Minute, 100*time.Millisecond)
	return conn
}

// movedTo opens the log with a copy in memory in a process that goes on with other servers when the first ones are down.
func (l *testLog) movedTo(t *testing.T, from, to []*server.Server) *natsstore.Store {
	t.Helper()
	conn, err := nats.Connect(from[0].ClientURL(), nats.UserInfo("keeper", "keeper-word"), nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond))
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	require.NoError(t, conn.SetServerPool([]string{from[0].ClientURL(), to[0].ClientURL()}))
	js, err := jetstream.New(conn)
	require.NoError(t, err)
	s, err := natsstore.Open(t.Context(), js, memstore.New(), &l.options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func down(all []*server.Server) {
	for _, srv := range all {
		srv.Shutdown()
		srv.WaitForShutdown()
	}
}

// populate adds a company with a group.
func populate(tb testing.TB, svc *service.Service, company roomkit.CompanyID) {
	tb.Helper()
	boss := roomkit.UserID(company + "-boss")
	for _, cmd := range []roomkit.Command{
		roomkit.AddCompany{Company: roomkit.Company{ID: company, Licensed: true, MembersCreateGroups: true}},
		roomkit.AddUser{User: roomkit.User{ID: boss, Kind: roomkit.UserMember, Status: roomkit.StatusActive, Company: company}},
	} {
		_, err := svc.Do(context.WithoutCancel(tb.Context()), roomkit.System(), cmd)
		require.NoError(tb, err)
	}
	_, err := svc.Do(tb.Context(), roomkit.By(boss), roomkit.CreateGroup{Name: "group of " + string(company)})
	require.NoError(tb, err)
}
