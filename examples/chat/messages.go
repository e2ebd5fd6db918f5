package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/examples/internal/messages"
	"github.com/go-roomkit/roomkit/service"
)

// maxBody is the length of a message in characters.
const maxBody = 4000

// draft is a message that somebody wants to write.
type draft struct {
	Room   roomkit.RoomID
	Author roomkit.UserID
	Body   string
	Key    string // the same key of the same author writes once
}

// message is a row. Version is that of the room when it was written.
type message struct {
	ID      int64
	Room    roomkit.RoomID
	Author  roomkit.UserID
	Body    string
	At      time.Time
	Version roomkit.Version
}

// tidy gives the text as it is stored.
func (d *draft) tidy() error {
	d.Body = strings.TrimSpace(strings.ReplaceAll(d.Body, "\r\n", "\n"))
	switch {
	case strings.IndexFunc(d.Body, shows) < 0:
		return &roomkit.Invalid{Field: "body", Reason: "a message has at least one character"}
	case !utf8.ValidString(d.Body) || strings.ContainsRune(d.Body, 0):
		return &roomkit.Invalid{Field: "body", Reason: "not text in UTF-8"}
	case utf8.RuneCountInString(d.Body) > maxBody:
		return &roomkit.Invalid{Field: "body", Reason: "a message has at most 4,000 characters"}
	case d.Key == "" || len(d.Key) > roomkit.MaxKeyBytes:
		return &roomkit.Invalid{Field: "key", Reason: "a key has 1 to 128 bytes"}
	}
	return nil
}

// shows reports whether a character can be seen.
func shows(r rune) bool {
	const brailleBlank = '\u2800'
	return unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S) && !unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) && r != brailleBlank
}

// post stores a message if its author may write at the moment of the commit. Whoever is
// removed before that has written nothing.
func (c *chat) post(ctx context.Context, d draft) (m message, err error) {
	if err := d.tidy(); err != nil {
		return m, err
	}
	err = c.inTx(ctx, func(tx *sql.Tx, rooms *service.Service) error {
		var again bool
		if m, again, err = posted(ctx, tx, d); err != nil || again {
			return err
		}
		if err := rooms.Require(ctx, d.Author, roomkit.ActionPost, d.Room); err != nil {
			return err
		}
		access, err := rooms.Access(ctx, d.Author, d.Room)
		if err != nil {
			return err
		}
		version, err := messages.BringBack(ctx, rooms, d.Author, access[0])
		if err != nil {
			return err
		}
		m = message{Room: d.Room, Author: d.Author, Body: d.Body, At: time.Now().Truncate(time.Microsecond), Version: version}
		added, err := tx.ExecContext(ctx, "INSERT INTO messages (room, author, key, body, at, version) VALUES (?, ?, ?, ?, ?, ?)",
			m.Room.String(), string(m.Author), d.Key, m.Body, m.At.UnixMicro(), int64(m.Version))
		if err != nil {
			return err
		}
		m.ID, err = added.LastInsertId()
		return err
	})
	if err == nil {
		c.live.posted(d.Room)
	}
	return m, err
}

// posted finds what the author has written with the same key.
func posted(ctx context.Context, tx *sql.Tx, d draft) (m message, again bool, err error) {
	row := tx.QueryRowContext(ctx, selectMessage+"WHERE author = ? AND key = ?", string(d.Author), d.Key)
	m, err = scanMessage(row)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return m, false, nil
	case err == nil && (m.Room != d.Room || m.Body != d.Body):
		return m, false, roomkit.ErrCommandReused
	}
	return m, err == nil, err
}

const selectMessage = "SELECT id, room, author, body, at, version FROM messages "

func scanMessage(row interface{ Scan(to ...any) error }) (m message, err error) {
	var room string
	var at int64
	if err := row.Scan(&m.ID, &room, &m.Author, &m.Body, &at, &m.Version); err != nil {
		return m, err
	}
	m.At = time.UnixMicro(at)
	m.Room, err = roomkit.ParseRoomID(room)
	return m, err
}

// readable gives the last messages that somebody may read, and whether there are earlier
// ones. Access says which part that is: a newcomer begins with joining, and nothing is left
// of what was emptied. It is asked for when the messages have been read, so that nobody sees
// what was written after a removal.
func readable(access roomkit.Access, list []message, limit int) (readable []message, earlier bool) {
	if !reads(access) {
		return nil, false
	}
	list = slices.DeleteFunc(list, func(m message) bool { return !access.MayRead(m.Version) })
	if len(list) > limit {
		return list[len(list)-limit:], true
	}
	return list, false
}

func reads(access roomkit.Access) bool {
	return access.ReadFrom.Allowed && access.Can(roomkit.ActionEnter)
}

// newest gives the last messages of a room, the oldest first, whoever may read them.
func (c *chat) newest(ctx context.Context, room roomkit.RoomID, limit int) (list []message, err error) {
	rows, err := c.store.Readers.QueryContext(ctx, selectMessage+"WHERE room = ? ORDER BY id DESC LIMIT ?", room.String(), limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		m, err := scanMessage(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	slices.Reverse(list)
	return list, rows.Err()
}

// readFrom is the oldest version of which Access.MayRead can say yes.
func readFrom(access roomkit.Access) roomkit.Version {
	if access.ReadFrom.All {
		return access.EmptiedAt
	}
	return max(access.EmptiedAt, access.ReadFrom.Version)
}

// tally is what the list of rooms needs of messages.
type tally struct {
	last    time.Time
	unread  int
	said    string // how the last message begins
	by      roomkit.UserID
	version roomkit.Version // with which that was written
}

// last gives when something was last said in each of many rooms.
func (c *chat) last(ctx context.Context, rooms []roomkit.RoomID) (map[roomkit.RoomID]tally, error) {
	if len(rooms) == 0 {
		return nil, nil
	}
	return c.tallies(ctx, rooms, `SELECT r.value, coalesce((SELECT at FROM messages WHERE room = r.value ORDER BY id DESC LIMIT 1), 0), 0, '', '', 0
		FROM json_each(?) r`)
}

// unread counts what others have written since somebody looked, up to 100, and gives the
// last message, all as far as it may be read when that has been looked up.
func (c *chat) unread(ctx context.Context, who roomkit.UserID, views []roomkit.RoomView) (map[roomkit.RoomID]tally, error) {
	type ask struct {
		Room roomkit.RoomID  `json:"room"`
		From roomkit.Version `json:"from"`
		Mark int64           `json:"mark"`
	}
	asks := []ask{}
	for _, v := range views {
		if reads(v.Access) {
			asks = append(asks, ask{v.Room, readFrom(v.Access), c.marks.get(place{who, v.Room})})
		}
	}
	said, err := c.tallies(ctx, asks, `SELECT r.value ->> 'room', 0, (SELECT count(*) FROM (SELECT 1 FROM messages
			WHERE room = r.value ->> 'room' AND version >= r.value ->> 'from' AND author <> ?2
			AND id > max(r.value ->> 'mark', coalesce((SELECT message FROM marks WHERE user = ?2 AND room = r.value ->> 'room'), 0)) LIMIT 100)),
			coalesce(substr(m.body, 1, 100), ''), coalesce(m.author, ''), coalesce(m.version, 0)
		FROM json_each(?1) r LEFT JOIN messages m ON m.id = (SELECT id FROM messages
			WHERE room = r.value ->> 'room' AND version >= r.value ->> 'from' ORDER BY id DESC LIMIT 1)`, string(who))
	if err != nil || len(said) == 0 {
		return nil, err
	}
	now, err := c.svc.Access(ctx, who, slices.Collect(maps.Keys(said))...)
	for _, access := range now {
		if !reads(access) || !access.MayRead(said[access.Room].version) {
			delete(said, access.Room)
		}
	}
	return said, err
}

func (c *chat) tallies(ctx context.Context, of any, query string, more ...any) (map[roomkit.RoomID]tally, error) {
	list, err := json.Marshal(of)
	if err != nil || string(list) == "null" { // of no room
		return nil, err
	}
	rows, err := c.store.Readers.QueryContext(ctx, query, append([]any{string(list)}, more...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	tallies := map[roomkit.RoomID]tally{}
	for rows.Next() {
		var id string
		var at int64
		var t tally
		if err := rows.Scan(&id, &at, &t.unread, &t.said, &t.by, &t.version); err != nil {
			return nil, err
		}
		room, err := roomkit.ParseRoomID(id)
		if err != nil {
			return nil, err
		}
		if at > 0 {
			t.last = time.UnixMicro(at)
		}
		tallies[room] = t
	}
	return tallies, rows.Err()
}
