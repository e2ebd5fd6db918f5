package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

// leavable is a room in the list of those that can be left together.
type leavable struct {
	roomLine
	Denied *problem
}

// leaving is a room that somebody wants to leave together with others.
type leaving struct {
	Room   roomkit.RoomID
	Title  string   // empty: the person does not take part
	Denied *problem // why it is not left
}

// Still says that the person goes on taking part, by a rule.
func (l leaving) Still() bool { return l.Title != "" && l.Denied.Rule != "" }

// leavePage is the list, and what has just been left of it.
type leavePage struct {
	Rooms []leavable
	Left  []leaving
	Stay  []leaving
}

// First is the name of one that was left, if any of their names is known.
func (p leavePage) First() string {
	for _, l := range p.Left {
		if l.Title != "" {
			return l.Title
		}
	}
	return ""
}

// More is how many were left besides the first.
func (p leavePage) More() int { return len(p.Left) - 1 }

// chooseLeave shows what can be left, and asks again when that has been chosen.
func (c *chat) chooseLeave(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
	query := r.URL.Query()
	chosen, err := c.leavings(r.Context(), me, query["room"])
	switch {
	case err != nil:
		return err
	case len(chosen) > 0:
		return c.askLeaveSeveral(w, r, me, chosen)
	case query.Has("chosen"):
		return c.showLeave(w, r, me, page{Problem: noneChosen()}, leavePage{})
	}
	return c.showLeave(w, r, me, page{}, leavePage{})
}

func noneChosen() *problem {
	return problemOf(&roomkit.Invalid{Field: "room", Reason: "Choose a room first."})
}

func (c *chat) showLeave(w http.ResponseWriter, r *http.Request, me roomkit.UserID, p page, pane leavePage) (err error) {
	if pane.Rooms, err = c.leavables(r.Context(), me); err != nil {
		return err
	}
	p.Title, p.Data, p.Show = "Leave rooms", pane, "main"
	return c.show(w, r, me, "leave", p)
}

func (c *chat) leavables(ctx context.Context, me roomkit.UserID) (list []leavable, err error) {
	rooms, err := c.list(ctx, me, roomkit.RoomID{}, listMost)
	if err != nil {
		return nil, err
	}
	for _, line := range rooms.Rows {
		l := leavable{roomLine: line}
		if !line.View.Can(roomkit.ActionLeave) {
			l.Denied = c.denial(ctx, me, roomkit.ActionLeave, line.View.Room)
		}
		list = append(list, l)
	}
	return list, nil
}

// leavings gives the rooms of a form, each once, with the names that somebody may know.
func (c *chat) leavings(ctx context.Context, me roomkit.UserID, ids []string) (list []leaving, err error) {
	var rooms []roomkit.RoomID
	for _, text := range ids {
		room, err := roomkit.ParseRoomID(text)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(rooms, room) {
			rooms = append(rooms, room)
		}
	}
	for part := range slices.Chunk(rooms, roomkit.MaxScreenRooms) {
		views, err := c.svc.Screen(ctx, me, part...)
		if err != nil {
			return nil, err
		}
		for _, view := range views {
			l := leaving{Room: view.Room}
			switch {
			case view.Standing&(roomkit.StandingParticipant|roomkit.StandingMaster) != 0:
				l.Title = c.title(me, view)
			case view.Kind != roomkit.KindNone: // others may find it
				l.Denied = &problem{Title: "You do not take part in this room", Category: service.CategoryNotFound}
			}
			list = append(list, l)
		}
	}
	return list, nil
}

// askLeaveSeveral says what will be left and what will not, before it is done.
func (c *chat) askLeaveSeveral(w http.ResponseWriter, r *http.Request, me roomkit.UserID, chosen []leaving) error {
	at, some := "/as/"+r.PathValue("user")+"/leave", false
	ask := confirmation{Name: "leave", At: at, Verb: "Leave", Back: at, Notes: leaveNotes, Rooms: chosen}
	ask.Title = fmt.Sprintf("Leave %d rooms?", len(chosen))
	if len(chosen) == 1 {
		ask.Title = "Leave a room?"
	}
	for i, l := range chosen {
		ask.Fields = append(ask.Fields, link{Name: "room", URL: l.Room.String()})
		if _, err := c.svc.Plan(r.Context(), roomkit.By(me), roomkit.Leave{Room: l.Room}); err != nil {
			chosen[i].Denied = cmp.Or(l.Denied, c.explain(r.Context(), me, l.Room, err))
			ask.Denied = chosen[i].Denied
		} else {
			some = true
		}
	}
	if some {
		ask.Denied = nil
	}
	return c.show(w, r, me, "confirm", page{Title: ask.Title, Data: ask, Show: "main"})
}

// leaveSeveral leaves rooms together. Each is judged on its own: what went well is done,
// and the others say why they were not left.
func (c *chat) leaveSeveral(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
	chosen, err := c.leavings(r.Context(), me, r.PostForm["room"])
	if err != nil {
		return err
	}
	if len(chosen) == 0 {
		return c.showLeave(w, r, me, page{Problem: noneChosen()}, leavePage{})
	}
	var cmds []roomkit.Command
	for _, l := range chosen {
		cmds = append(cmds, roomkit.Leave{Room: l.Room})
	}
	var pane leavePage
	for i, result := range c.svc.Batch(r.Context(), roomkit.By(me), cmds, service.Call{Key: r.PostForm.Get("key")}) {
		if result.Err == nil {
			pane.Left = append(pane.Left, chosen[i])
			continue
		}
		chosen[i].Denied = cmp.Or(chosen[i].Denied, c.explain(r.Context(), me, chosen[i].Room, result.Err))
		pane.Stay = append(pane.Stay, chosen[i])
	}
	var p page
	if len(pane.Stay) > 0 {
		p.Status = http.StatusConflict
	}
	return c.showLeave(w, r, me, p, pane)
}
