package main

import (
	"net/http"
	"strings"

	"github.com/go-roomkit/roomkit"
)

// Taking somebody out of a room, leaving one, and leaving several from the list. What
// happens is said first, and confirmed.
func (c *chat) leaveRoutes(mux *http.ServeMux) {
	mux.Handle("GET /as/{user}/rooms/{room}/remove", c.as(c.askRemove))
	mux.Handle("POST /as/{user}/rooms/{room}/remove", c.as(c.remove))
	mux.Handle("GET /as/{user}/rooms/{room}/leave", c.as(c.askLeave))
	mux.Handle("POST /as/{user}/rooms/{room}/leave", c.as(c.leave))
	mux.Handle("GET /as/{user}/leave", c.as(c.chooseLeave))
	mux.Handle("POST /as/{user}/leave", c.as(c.leaveSeveral))
}

// confirmation is asked before something that cannot be taken back.
type confirmation struct {
	Name   string // of the action
	At     string // where it is sent
	Title  string
	Rooms  []leaving // of several: what is left, and what is not
	Notes  []note
	Fields []link // sent with the form: name and value
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
	kind, names, fields := o.Row.Kind, []string{}, []link{}
	for _, id := range who {
		names = append(names, c.met(r.Context(), me, id, o.View.Room.String()).Name)
		fields = append(fields, link{Name: "who", URL: string(id)})
	}
	ask := confirmation{
		Name: "remove", At: o.URL() + "/remove", Title: "Remove " + strings.Join(names, ", ") + "?", Fields: fields, Verb: "Remove", Back: o.URL(),
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

var leaveNotes = []note{
	{"You see nothing of it any more, not even what was said before.", "GEN-10"},
	{"For the others it goes on.", "GEN-11"},
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
		Name: "leave", At: o.URL() + "/leave", Title: "Leave " + o.Title + "?", Verb: "Leave", Back: o.URL(), Notes: leaveNotes,
		Denied: c.deny(r.Context(), me, roomkit.Leave{Room: o.View.Room}),
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
