package main

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

func (c *chat) noticeRoutes(mux *http.ServeMux) {
	mux.Handle("GET /as/{user}/notices", c.as(c.showNotices))
}

// told is a service notification as it is shown.
type told struct {
	Text string
	Rule roomkit.Rule
	Room string // the page of the room; empty: there is none any more
	Name string // of the room as it is now
	At   time.Time
	New  bool
}

// noticeTexts are the host's words, with the rule by which somebody is told.
var noticeTexts = map[roomkit.NoticeKey]struct {
	text string
	rule roomkit.Rule
}{
	roomkit.NoticeAdded:            {"{actor} has added you to {name}", "NTF-04"},
	roomkit.NoticeRemoved:          {"{actor} has removed you from {name}", "GEN-07"},
	roomkit.NoticeWithdrawn:        {"You have left {name}, because you may not talk with external users any more", "NTF-11"},
	roomkit.NoticeDropped:          {"{name} has become a group that you cannot be a member of", "CRE-41"},
	roomkit.NoticeMasterAppointed:  {"{actor} has made you Group Master of {name}", "NTF-04"},
	roomkit.NoticeMasterDismissed:  {"You are no longer Group Master of {name}", "NTF-04"},
	roomkit.NoticeRenamed:          {"{actor} has given a group the name {name}", "NTF-04"},
	roomkit.NoticeFeaturesSwitched: {"{actor} has changed what {name} has: {features}", "NTF-04"},
	roomkit.NoticePermitted:        {"You may talk with external users now", "NTF-06"},
}

// say puts a notice into words. The room is named as the notice says or, where it is the
// person's to see, by the name that it has now.
func (c *chat) say(n roomkit.Notice, now roomkit.RoomView) (string, roomkit.Rule) {
	name, people := cmp.Or(n.Params["name"], now.Name), n.People
	if len(people) == 0 {
		people = now.People
	}
	switch {
	case name != "":
		name = "“" + name + "”"
	case len(people) > 0:
		name = "a room with " + c.people.names(people)
	default:
		name = "a group"
	}
	actor := "The administrator"
	if id := n.Params["actor"]; roomkit.UserID(id).Valid() {
		actor = c.people.name(roomkit.UserID(id))
	}
	features := n.Params["features"]
	if features == "" {
		features = "nothing besides messages"
	}
	words := noticeTexts[n.Key]
	text := strings.NewReplacer("{actor}", actor, "{name}", name, "{features}", features).Replace(words.text)
	return text, words.rule
}

const noticesShown = roomkit.MaxScreenRooms

// notices gives the newest notices of somebody.
func (c *chat) notices(ctx context.Context, me roomkit.UserID) (list []told, err error) {
	rows, err := c.store.Readers.QueryContext(ctx, "SELECT notice, at, seen FROM notices WHERE user = ? ORDER BY id DESC LIMIT ?", string(me), noticesShown)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var of []roomkit.Notice
	for rows.Next() {
		var text string
		var n roomkit.Notice
		var at int64
		var seen bool
		if err := rows.Scan(&text, &at, &seen); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(text), &n); err != nil {
			return nil, err
		}
		of, list = append(of, n), append(list, told{At: time.UnixMicro(at), New: !seen})
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return list, c.word(ctx, me, of, list)
}

// word fills in what notices say.
func (c *chat) word(ctx context.Context, me roomkit.UserID, of []roomkit.Notice, list []told) error {
	var rooms []roomkit.RoomID
	for _, n := range of {
		if !n.Room.IsZero() && !slices.Contains(rooms, n.Room) {
			rooms = append(rooms, n.Room)
		}
	}
	views, err := c.svc.Screen(ctx, me, rooms...)
	if err != nil {
		return err
	}
	for i, n := range of {
		var now roomkit.RoomView
		if at := slices.Index(rooms, n.Room); at >= 0 {
			now = views[at]
		}
		list[i].Text, list[i].Rule = c.say(n, now)
		if now.Kind != roomkit.KindNone {
			list[i].Room, list[i].Name = n.Room.String(), cmp.Or(now.Name, "the room")
		}
	}
	return nil
}

func (c *chat) unseen(ctx context.Context, me roomkit.UserID) (n int, err error) {
	err = c.store.Readers.QueryRowContext(ctx, "SELECT count(*) FROM notices WHERE user = ? AND NOT seen", string(me)).Scan(&n)
	return n, err
}

// showNotices shows them, which makes them seen: later, where the database is busy.
func (c *chat) showNotices(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
	list, err := c.notices(r.Context(), me)
	if err != nil {
		return err
	}
	err = c.inTx(r.Context(), func(tx *sql.Tx, _ *service.Service) error {
		_, err := tx.ExecContext(r.Context(), "UPDATE notices SET seen = 1 WHERE user = ? AND NOT seen", string(me))
		return err
	})
	if err != nil && service.CategoryOf(err) != service.CategoryUnavailable {
		return err
	}
	return c.show(w, r, me, "notices", page{Title: "Notices", Data: list, Show: "main"})
}
