package main

import (
	"net/http"
	"slices"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

// Taking somebody out of a room, leaving one, and leaving several from the list. What
// happens is said first, and confirmed.
func (c *chat) leaveRoutes(mux *http.ServeMux) {
	mux.Handle("GET /as/{user}/rooms/{room}/remove", c.as(c.askRemove))
	mux.Handle("POST /as/{user}/rooms/{room}/remove", c.as(c.remove))
	mux.Handle("GET /as/{user}/rooms/{room}/leave", c.as(c.askLeave))
	mux.Handle("POST /as/{user}/rooms/{room}/leave", c.as(c.leave))
	mux.Handle("GET /as/{user}/leave", c.as(c.askLeaveSeveral))
	mux.Handle("POST /as/{user}/leave", c.as(c.leaveSeveral))
}

// confirmation is asked before something that cannot be taken back.
type confirmation struct {
	Name   string // of the action
	Title  string
	Notes  []note
	Who    []roomkit.UserID // sent with the form
	Verb   string
	Back   string
	Denied *problem // it would be refused
}

// note is something to know before, with its rule.
type note struct {
	Text string
	Rule roomkit.Rule
}

// rulesOf picks the rule that a kind of room has for something.
func rulesOf(kind roomkit.Kind, general, group, external roomkit.Rule) roomkit.Rule {
	switch kind {
	case roomkit.KindGroup:
		return group
	case roomkit.KindExternalGroup:
		return external
	}
	return general
}

// roomOf is the room that a path names. Text that names none is as a room that one may
// not know.
func roomOf(r *http.Request) (roomkit.RoomID, error) {
	room, err := roomkit.ParseRoomID(r.PathValue("room"))
	if err != nil {
		return room, roomkit.ErrNotFound
	}
	return room, nil
}

func (c *chat) askRemove(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
	return c.confirmRemove(w, r, me, usersOf(r.URL.Query()["who"]), nil)
}

func (c *chat) confirmRemove(w http.ResponseWriter, r *http.Request, me roomkit.UserID, who []roomkit.UserID, failed *problem) error {
	o, err := c.openRoom(r, me)
	if err != nil {
		return err
	}
	kind, names := o.Row.Kind, []string{}
	for _, id := range who {
		names = append(names, c.met(r.Context(), me, id, o.View.Room.String()).Name)
	}
	ask := confirmation{
		Name: "remove", Title: "Remove " + strings.Join(names, ", ") + "?", Who: who, Verb: "Remove", Back: o.URL(),
		Denied: c.deny(r.Context(), me, roomkit.Remove{Room: o.View.Room, People: who}),
		Notes: []note{
			{"They see nothing of this room any more, not even what was said before.", rulesOf(kind, "GEN-08", "GRP-13", "EXT-20")},
			{"What they have written stays for the others.", rulesOf(kind, "COM-03", "GRP-14", "EXT-21")},
		},
	}
	if !kind.HasBadge() {
		ask.Notes = append(ask.Notes, note{"They are told.", "GEN-07"})
	}
	return c.show(w, r, me, "confirm", page{Title: ask.Title, Room: o, Data: ask, Problem: failed, Form: r.PostForm, Show: "main"})
}

func (c *chat) remove(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
	room, err := roomOf(r)
	if err != nil {
		return err
	}
	who := usersOf(r.PostForm["who"])
	if _, err := c.send(r, me, roomkit.Remove{Room: room, People: who}); err != nil {
		return c.confirmRemove(w, r, me, who, c.explain(r.Context(), me, room, err))
	}
	if c.svc.Check(r.Context(), me, roomkit.ActionSeeRoom, room) != nil {
		return see(w, r, me, "/") // a Group Master who has gone
	}
	return see(w, r, me, "/rooms/"+room.String()+"?show=people")
}

func (c *chat) askLeave(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
	return c.confirmLeave(w, r, me, nil)
}

func (c *chat) confirmLeave(w http.ResponseWriter, r *http.Request, me roomkit.UserID, failed *problem) error {
	o, err := c.openRoom(r, me)
	if err != nil {
		return err
	}
	ask := confirmation{
		Name: "leave", Title: "Leave " + o.Title + "?", Verb: "Leave", Back: o.URL(),
		Denied: c.deny(r.Context(), me, roomkit.Leave{Room: o.View.Room}),
		Notes: []note{
			{"You see nothing of this room any more, not even what was said before.", "GEN-10"},
			{"For the others it goes on.", "GEN-11"},
		},
	}
	return c.show(w, r, me, "confirm", page{Title: ask.Title, Room: o, Data: ask, Problem: failed, Form: r.PostForm, Show: "main"})
}

func (c *chat) leave(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
	room, err := roomOf(r)
	if err != nil {
		return err
	}
	if _, err := c.send(r, me, roomkit.Leave{Room: room}); err != nil {
		return c.confirmLeave(w, r, me, c.explain(r.Context(), me, room, err))
	}
	return see(w, r, me, "/")
}

// leavable is a room in the list of those that can be left together.
type leavable struct {
	roomLine
	Denied *problem
	Failed *problem // it was tried
}

func (c *chat) askLeaveSeveral(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
	list, err := c.leavables(r, me)
	if err != nil {
		return err
	}
	return c.show(w, r, me, "leave", page{Title: "Leave rooms", Data: list, Show: "main"})
}

func (c *chat) leavables(r *http.Request, me roomkit.UserID) (list []leavable, err error) {
	rooms, err := c.list(r.Context(), me, roomkit.RoomID{}, listMost)
	if err != nil {
		return nil, err
	}
	for _, line := range rooms.Rows {
		l := leavable{roomLine: line}
		if !line.View.Can(roomkit.ActionLeave) {
			l.Denied = c.denial(r.Context(), me, roomkit.ActionLeave, line.View.Room)
		}
		list = append(list, l)
	}
	return list, nil
}

// leaveSeveral leaves rooms together. Each is judged on its own: what went well is done,
// and the others say why they were not left.
func (c *chat) leaveSeveral(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
	var rooms []roomkit.RoomID
	var cmds []roomkit.Command
	for _, text := range r.PostForm["room"] {
		room, err := roomkit.ParseRoomID(text)
		if err != nil {
			return err
		}
		if !slices.Contains(rooms, room) {
			rooms, cmds = append(rooms, room), append(cmds, roomkit.Leave{Room: room})
		}
	}
	failed := map[roomkit.RoomID]*problem{}
	for i, result := range c.svc.Batch(r.Context(), roomkit.By(me), cmds, service.Call{Key: r.PostForm.Get("key")}) {
		if result.Err != nil {
			failed[rooms[i]] = c.explain(r.Context(), me, rooms[i], result.Err)
		}
	}
	if len(failed) == 0 {
		return see(w, r, me, "/")
	}
	list, err := c.leavables(r, me)
	if err != nil {
		return err
	}
	for i := range list {
		list[i].Failed = failed[list[i].View.Room]
	}
	return c.show(w, r, me, "leave", page{Title: "Leave rooms", Data: list, Status: http.StatusConflict, Show: "main"})
}

// names joins the names of people.
func (d directory) names(of []roomkit.UserID) (text string) {
	for i, id := range of {
		if i > 0 {
			text += ", "
		}
		text += d.name(id)
	}
	return text
}
