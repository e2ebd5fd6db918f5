package main

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

func (c *chat) roomRoutes(mux *http.ServeMux) {
	mux.Handle("GET /as/{user}/{$}", c.as(c.showRooms))
	mux.Handle("GET /as/{user}/list", c.as(c.showList))
	mux.Handle("GET /as/{user}/rooms/{room}", c.as(c.showRoom))
	mux.Handle("GET /as/{user}/rooms/{room}/now", c.as(c.showNow))
	mux.Handle("POST /as/{user}/rooms/{room}", c.as(c.sendMessage))
}

// roomLine is a room in the list.
type roomLine struct {
	View   roomkit.RoomView
	Title  string
	Kind   string
	Last   time.Time
	Said   string
	By     string
	Unread int
	Open   bool
}

// External says that the badge marks the room as one with users of other companies.
func (l roomLine) External() bool {
	return l.View.Kind == roomkit.KindExternalGroup && l.View.WithPartners
}

// roomList is the left column.
type roomList struct {
	Me   roomkit.UserID
	Rows []roomLine
	More int // how many to ask for to see more; 0: these are all
	Rest int // how many older ones a page does not show
	Size int // how many were asked for
	Open roomkit.RoomID
	New  int // notices that were not seen yet

	Deleted []string // by whom rooms were deleted lately

	Denied *problem // why there are none
}

const (
	listPage = 50
	listMost = 1000
)

func listLimit(r *http.Request) int { return numberOf(r, "rooms", listPage, listMost) }

// numberOf reads a number of a URL: there is nothing to refuse, so odd ones are the usual.
func numberOf(r *http.Request, name string, usual, most int) int {
	n, err := strconv.Atoi(r.URL.Query().Get(name))
	if err != nil || n < 1 {
		return usual
	}
	return min(n, most)
}

// list gives the rooms of a person in the order of the last message, or of coming in.
func (c *chat) list(ctx context.Context, me roomkit.UserID, open roomkit.RoomID, limit int) (l roomList, err error) {
	l.Me, l.Open, l.Size = me, open, limit
	if l.New, err = c.unseen(ctx, me); err != nil {
		return l, err
	}
	since := map[roomkit.RoomID]time.Time{}
	var ids []roomkit.RoomID
	for entry, err := range c.svc.Rooms(ctx, me, service.RoomList{}) {
		if err != nil {
			return l, err
		}
		ids = append(ids, entry.Room.ID)
		since[entry.Room.ID] = entry.Member.JoinedAt
	}
	if l.Deleted, err = c.deletedBy(ctx, me); err != nil {
		return l, err
	}
	last, err := c.last(ctx, ids)
	if err != nil {
		return l, err
	}
	for id, t := range last {
		if t.last.After(since[id]) {
			since[id] = t.last
		}
	}
	slices.SortStableFunc(ids, func(a, b roomkit.RoomID) int { return since[b].Compare(since[a]) })
	if len(ids) > limit {
		if l.More = limit + listPage; limit >= listMost {
			l.More, l.Rest = 0, len(ids)-limit
		}
		ids = ids[:limit]
	}
	for part := range slices.Chunk(ids, roomkit.MaxScreenRooms) {
		if err := c.lines(ctx, &l, part, since); err != nil {
			return l, err
		}
	}
	return l, nil
}

func (c *chat) lines(ctx context.Context, l *roomList, ids []roomkit.RoomID, since map[roomkit.RoomID]time.Time) error {
	views, err := c.svc.Screen(ctx, l.Me, ids...)
	if err != nil {
		return err
	}
	said, err := c.unread(ctx, l.Me, views)
	if err != nil {
		return err
	}
	for _, v := range views {
		if v.Kind == roomkit.KindNone {
			continue // gone meanwhile
		}
		t := said[v.Room]
		line := roomLine{View: v, Title: c.title(l.Me, v), Kind: kindLabels[v.Kind], Last: since[v.Room], Said: t.said, Unread: t.unread, Open: v.Room == l.Open}
		if t.by != "" {
			line.By = c.people.name(t.by)
		}
		l.Rows = append(l.Rows, line)
	}
	return nil
}

var kindLabels = map[roomkit.Kind]string{
	roomkit.KindSelf: "Message to me", roomkit.KindDirect: "1:1", roomkit.KindGeneral: "Room", roomkit.KindGroup: "Group",
	roomkit.KindExternalGroup: "External group", roomkit.KindTeam: "Team",
}

// title is the room's name, or the names of people.
func (c *chat) title(me roomkit.UserID, v roomkit.RoomView) string {
	if v.Name != "" {
		return v.Name
	}
	if v.Kind == roomkit.KindSelf {
		return "Message to me"
	}
	var names []string
	for _, id := range v.People {
		names = append(names, c.people.name(id))
	}
	if len(names) == 0 {
		return c.people.name(me)
	}
	if more := v.Counts.Participants - 1 - int64(len(names)); more > 0 {
		names = append(names, strconv.FormatInt(more, 10)+" more")
	}
	return strings.Join(names, ", ")
}

func (c *chat) showRooms(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
	p := page{Title: "Rooms", Show: "rooms"}
	if room, err := roomkit.ParseRoomID(r.FormValue("gone")); err == nil {
		_, err := c.svc.Room(r.Context(), me, room)
		if gone := c.explain(r.Context(), me, room, cmp.Or(err, roomkit.ErrNotFound)); gone.Mine {
			p.Data, p.Show = gone.Title, "main"
		}
	}
	return c.show(w, r, me, "welcome", p)
}

// goneFrom is the page of those who have ended a room, or their time in it, themselves.
func goneFrom(room roomkit.RoomID) string { return "/?gone=" + room.String() }

// showList is the left column alone, for when it has changed.
func (c *chat) showList(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
	open, _ := roomkit.ParseRoomID(r.FormValue("room"))
	list, err := c.list(r.Context(), me, open, listLimit(r))
	if err != nil {
		list.Denied = c.problemOf(r.Context(), err)
		c.part(w, list.Denied.Status, "rooms", list)
		return nil
	}
	c.part(w, 0, "rooms", list)
	return nil
}

func (c *chat) showRoom(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
	o, err := c.openRoom(r, me)
	if err != nil {
		return err
	}
	c.mark(me, o.Messages)
	show := "main"
	if r.FormValue("show") == "people" {
		show = "people"
	}
	return c.show(w, r, me, "conversation", page{Title: o.Title, Room: o, Show: show})
}

// showNow gives all of an open room that can have changed. Who has lost the room gets
// an empty one, with the rule, in the same places.
func (c *chat) showNow(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
	o, err := c.openRoom(r, me)
	if err != nil {
		id, _ := roomkit.ParseRoomID(r.PathValue("room"))
		p := c.explain(r.Context(), me, id, err)
		o = &openRoom{Me: c.people.person(me), View: roomkit.RoomView{Access: roomkit.Access{Room: id}}, Title: p.Title, Gone: p, Silent: p}
	}
	c.mark(me, o.Messages)
	c.part(w, 0, "now", o)
	return nil
}

// sendMessage stores a message and shows the room again, or why it was refused with the text
// as it was typed.
func (c *chat) sendMessage(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
	room, err := roomkit.ParseRoomID(r.PathValue("room"))
	if err != nil {
		return roomkit.ErrNotFound
	}
	_, err = c.post(r.Context(), draft{Room: room, Author: me, Body: r.PostForm.Get("body"), Key: r.PostForm.Get("key")})
	switch {
	case fragment(r) && err == nil:
		w.Header().Set("HX-Trigger", "sent")
		c.part(w, 0, "compose-key", uuid.NewString())
		return nil
	case fragment(r):
		return err
	case err == nil:
		return see(w, r, me, "/rooms/"+room.String())
	}
	o, gone := c.openRoom(r, me)
	if gone != nil {
		return c.show(w, r, me, "problem", page{Title: "Not sent", Problem: c.explain(r.Context(), me, room, err), Form: r.PostForm, Show: "main"})
	}
	return c.show(w, r, me, "conversation", page{Title: o.Title, Room: o, Problem: c.problemOf(r.Context(), err), Form: r.PostForm, Show: "main"})
}
