package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

// count asks the host's tables.
func (d *desk) count(query string, args ...any) (n int) {
	d.t.Helper()
	require.NoError(d.t, d.store.Readers.QueryRowContext(d.t.Context(), query, args...).Scan(&n))
	return n
}

func (d *desk) soon(what string, holds func() bool) {
	d.t.Helper()
	again, late := time.NewTicker(5*time.Millisecond), time.After(10*time.Second)
	defer again.Stop()
	for !holds() {
		select {
		case <-again.C:
		case <-late:
			require.Fail(d.t, "it does not come: "+what)
		}
	}
}

// TestRestartKeepsEverything: what was said, who is where, what was read, and each event
// in the audit exactly once.
func TestRestartKeepsEverything(t *testing.T) {
	d := newDesk(t)
	room := d.room("ben", "Menu cards")
	_, _ = d.get(at("cat", room))
	d.must("ben", roomkit.Remove{Room: room, People: []roomkit.UserID{"jun"}})
	_, err := d.post(t.Context(), draft{Room: room, Author: "kai", Body: "After the removal", Key: "1"})
	require.NoError(t, err)
	rows := d.count("SELECT count(*) FROM messages")
	d.stop()

	again := func(context.Context, *chat) error { return errors.New("it is filled again") }
	d = startDesk(t, options{data: d.data, fill: again, people: demoPeople()})
	require.Equal(t, rows, d.count("SELECT count(*) FROM messages"))
	_, page := d.get(at("ben", room))
	require.Contains(t, page, "After the removal")
	require.NotContains(t, page, `data-testid="person-jun"`)
	list, err := d.list(t.Context(), "cat", roomkit.RoomID{}, listMost)
	require.NoError(t, err)
	require.Equal(t, 1, list.Rows[0].Unread, "what was read before the stop is read")
	_, err = d.post(t.Context(), draft{Room: room, Author: "kai", Body: "After the removal", Key: "1"})
	require.NoError(t, err)
	require.Equal(t, rows, d.count("SELECT count(*) FROM messages"), "keys hold over the restart")
	var events int
	for _, err := range d.svc.Feed(t.Context(), "") {
		require.NoError(t, err)
		events++
	}
	d.soon("each event is in the audit once", func() bool { return d.count("SELECT count(*) FROM audit") == events })
}

// TestMarksAreStoredTogether: what was read counts at once, and is stored later, with
// the stop at the latest; older marks take nothing back.
func TestMarksAreStoredTogether(t *testing.T) {
	d := newDesk(t)
	room := d.room("cat", "Menu cards")
	_, _ = d.get(at("cat", room))
	list, err := d.list(t.Context(), "cat", roomkit.RoomID{}, listMost)
	require.NoError(t, err)
	require.Zero(t, list.Rows[0].Unread)
	require.NoError(t, d.storeMarks(t.Context()))
	require.Empty(t, d.marks.all())
	stored := d.count("SELECT message FROM marks WHERE user = 'cat'")
	require.Positive(t, stored)
	d.marks.set(place{"cat", room}, 1)
	require.NoError(t, d.storeMarks(t.Context()))
	require.Equal(t, stored, d.count("SELECT message FROM marks WHERE user = 'cat'"))
	list, err = d.list(t.Context(), "cat", roomkit.RoomID{}, listMost)
	require.NoError(t, err)
	require.Zero(t, list.Rows[0].Unread, "the stored one counts")
}

// TestLongPageStaysLong: what has been asked for beyond the first is asked for again when
// the page is told of a change.
func TestLongPageStaysLong(t *testing.T) {
	d := newDesk(t)
	room := d.room("cat", "Menu cards")
	_, page := d.get(at("cat", room) + "?messages=100&rooms=150")
	require.Contains(t, page, `/now?messages=100&amp;people="`)
	require.Contains(t, page, `/list?rooms=150&amp;room=`+room.String())
}

// TestFillingGoesOn: a start that was broken off while it filled the database is no harm.
func TestFillingGoesOn(t *testing.T) {
	d := newDesk(t)
	rooms, said := d.count("SELECT count(*) FROM roomkit_rooms"), d.count("SELECT count(*) FROM messages")
	_, err := d.store.Writer.ExecContext(t.Context(), "DELETE FROM filled")
	require.NoError(t, err)
	d.stop()
	d = startDesk(t, options{data: d.data, fill: fillDemo, people: demoPeople()})
	require.Equal(t, rooms, d.count("SELECT count(*) FROM roomkit_rooms"))
	require.Equal(t, said, d.count("SELECT count(*) FROM messages"))
}

// TestRemovedGetsNotice: in the removed person's own notices, and nobody else's.
func TestRemovedGetsNotice(t *testing.T) {
	d := newDesk(t)
	party := d.room("cat", "Summer party")
	d.must("cat", roomkit.Remove{Room: party, People: []roomkit.UserID{"eli"}})
	d.soon("the notice is there", func() bool { return d.count("SELECT count(*) FROM notices WHERE notice LIKE '%removed%'") == 1 })
	require.Equal(t, 1, d.count("SELECT count(*) FROM notices WHERE notice LIKE '%removed%' AND user = 'eli'"))
	_, list := d.get("/as/eli/list")
	require.Contains(t, list, `data-testid="news"`)
	_, page := d.get("/as/eli/notices")
	require.Contains(t, page, "Cat Moreau has removed you from “Summer party”")
	require.Contains(t, page, "GEN-07")
	_, list = d.get("/as/eli/list")
	require.NotContains(t, list, `data-testid="news"`, "they are seen")
}

// TestEverybodyGetsNotice: all in the room but who did it, and those of a company but
// whom it concerns already.
func TestEverybodyGetsNotice(t *testing.T) {
	d := newDesk(t)
	d.must("eli", roomkit.Edit{Room: d.room("eli", "Autumn menu"), Name: new("Winter menu")})
	d.must("ann", roomkit.SetCompanyMessaging{Company: "harbour", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalAll)})
	d.soon("all of the company are told", func() bool { return d.count("SELECT count(*) FROM notices WHERE notice LIKE '%permitted%'") > 0 })
	rows, err := d.store.Readers.QueryContext(t.Context(), "SELECT user FROM notices WHERE notice LIKE '%renamed%' OR notice LIKE '%permitted%' ORDER BY notice, user")
	require.NoError(t, err)
	defer rows.Close()
	var told []string
	for rows.Next() {
		var user string
		require.NoError(t, rows.Scan(&user))
		told = append(told, user)
	}
	require.NoError(t, rows.Err())
	require.ElementsMatch(t, []string{"ben", "cat", "fay", "gus", "gus"}, told, "gus alone could not before")
}

// TestExternalSwitch: when the administrator withdraws the permission, the room is closed
// at once, by the rule; Enforce then takes the people out, who are told.
func TestExternalSwitch(t *testing.T) {
	d := newDesk(t)
	room := d.room("ivo", "Menu cards")
	next := d.signals("/as/ivo/live?room=" + room.String())
	require.Equal(t, "all", next())
	d.must("hana", roomkit.SetCompanyMessaging{Company: "mill", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalOff)})
	_, page := d.get(at("ivo", room) + "/now")
	require.NotContains(t, page, "Two drafts")
	require.Contains(t, page, `data-testid="gone"`)
	for signal := next(); signal != "all"; signal = next() {
		require.Equal(t, "rooms", signal)
	}
	d.soon("Enforce takes them out", func() bool {
		_, page := d.get(at("ben", room))
		return !strings.Contains(page, `data-testid="person-ivo"`)
	})
	_, page = d.get(at("ivo", room))
	require.Contains(t, page, "EXT-22")
	d.soon("they are told", func() bool {
		_, page := d.get("/as/ivo/notices")
		return strings.Contains(page, "NTF-11")
	})
}
