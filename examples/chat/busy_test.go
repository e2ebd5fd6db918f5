package main

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

// occupy keeps everybody else from writing to the file, as a backup does, until it is called.
func (d *desk) occupy() (leave func()) {
	d.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(d.data, databaseFile)+"?_pragma=busy_timeout(5000)")
	require.NoError(d.t, err)
	d.t.Cleanup(func() { _ = db.Close() })
	conn, err := db.Conn(d.t.Context())
	require.NoError(d.t, err)
	_, err = conn.ExecContext(d.t.Context(), "BEGIN IMMEDIATE")
	require.NoError(d.t, err)
	return func() {
		_, err := conn.ExecContext(context.WithoutCancel(d.t.Context()), "ROLLBACK")
		require.NoError(d.t, err)
	}
}

// expire makes a group one in which message has been off for longer than 30 days.
func (d *desk) expire(room roomkit.RoomID) {
	d.t.Helper()
	d.must("eli", roomkit.Edit{Room: room, Message: new(false)})
	_, err := d.store.Writer.ExecContext(d.t.Context(),
		"UPDATE roomkit_rooms SET message_off_since = message_off_since - ? WHERE message_off_since IS NOT NULL", (31 * 24 * time.Hour).Microseconds())
	require.NoError(d.t, err)
}

// TestBusyDatabase: while somebody else writes to the file for long, notices are shown, and
// what has to be deleted is deleted later. Nothing ends.
func TestBusyDatabase(t *testing.T) {
	d := newDesk(t)
	room := d.room("eli", "Autumn menu")
	d.must("cat", roomkit.Remove{Room: d.room("cat", "Summer party"), People: []roomkit.UserID{"eli"}})
	d.soon("the notice is there", func() bool {
		return d.count("SELECT count(*) FROM notices WHERE user = 'eli' AND notice LIKE '%removed%'") == 1
	})
	d.expire(room)
	leave := d.occupy()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.eraseExpired(ctx) }()
	_, notices := d.get("/as/eli/notices")
	require.Contains(t, notices, "Cat Moreau has removed you")
	require.ErrorIs(t, d.eraseAsOf(t.Context(), time.Now()), roomkit.ErrUnavailable)
	require.Empty(t, ended, "it waits")
	_, list := d.get("/as/eli/list")
	require.Contains(t, list, `data-testid="news"`, "it is not stored that they were seen")
	leave()
	d.soon("what was said is deleted", func() bool { return d.count("SELECT count(*) FROM messages WHERE room = ?", room.String()) == 0 })
	_, _ = d.get("/as/eli/notices")
	_, list = d.get("/as/eli/list")
	require.NotContains(t, list, `data-testid="news"`)
	stop()
	require.ErrorIs(t, <-ended, context.Canceled)
}

// TestMessageOnMeanwhile: where message is switched on between the look and the deleting,
// what is written from then on stays.
func TestMessageOnMeanwhile(t *testing.T) {
	d, ctx := newDesk(t), t.Context()
	room := d.room("eli", "Autumn menu")
	d.must("eli", roomkit.Edit{Room: room, Message: new(false)})
	page, err := d.svc.ExpiredPage(ctx, service.ExpiredList{Company: "harbour", At: time.Now().Add(31 * 24 * time.Hour)})
	require.NoError(t, err)
	require.Len(t, page.Rows, 1)
	d.must("eli", roomkit.Edit{Room: room, Message: new(true)})
	_, err = d.post(ctx, draft{Room: room, Author: "eli", Body: "We go on", Key: "on"})
	require.NoError(t, err)
	require.NoError(t, d.eraseStill(ctx, page.Rows[0]))
	require.Equal(t, 3, d.count("SELECT count(*) FROM messages WHERE room = ?", room.String()))
	d.must("eli", roomkit.Edit{Room: room, Message: new(false)})
	require.NoError(t, d.eraseStill(ctx, page.Rows[0]), "switched off again, its days begin again")
	require.Equal(t, 3, d.count("SELECT count(*) FROM messages WHERE room = ?", room.String()))
}
