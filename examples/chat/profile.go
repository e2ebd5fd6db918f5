package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// A name or a picture leads to a profile wherever it stands, and 'Message' there to the
// 1:1 room (CRE-13 to CRE-15).
func (c *chat) profileRoutes(mux *http.ServeMux) {
	mux.Handle("GET /as/{user}/profile/{who}", c.as(c.showProfile))
	mux.Handle("POST /as/{user}/profile/{who}", c.as(c.openDirect))
}

// profile is somebody as another one sees them.
type profile struct {
	Who     person
	Company string
	Teams   []string
	Myself  bool
	Deleted bool   // the account is
	Known   bool   // a colleague or a contact: with the address
	Room    string // the room from which the profile was opened
	Message deed
	With    string // where a room with them and others begins
}

func (c *chat) showProfile(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
	return c.profile(w, r, me, nil)
}

func (c *chat) profile(w http.ResponseWriter, r *http.Request, me roomkit.UserID, failed *problem) error {
	ctx, who := r.Context(), c.people.person(roomkit.UserID(r.PathValue("who")))
	p := profile{Who: who, Myself: who.ID == me, Known: c.knows(ctx, me, who), Room: r.FormValue("room")}
	if !p.Known && !c.meets(ctx, me, who.ID, p.Room) {
		return roomkit.ErrNotFound
	}
	p.Company = c.people.company(who.ID)
	at := "/as/" + url.PathEscape(string(me))
	p.Message = deed{Name: "message", Label: "Message", URL: at + "/profile/" + url.PathEscape(string(who.ID))}
	user, err := c.svc.User(ctx, who.ID)
	if err != nil && !errors.Is(err, roomkit.ErrNotFound) {
		return err
	}
	if p.Deleted = user.Status == roomkit.StatusDeleted; !p.Myself && !p.Deleted {
		p.Message.Denied = c.deny(ctx, me, roomkit.OpenDirect{With: who.ID})
	}
	p.With = at + "/new/members?who=" + url.QueryEscape(string(who.ID))
	if own := c.people.person(me).Company; own == "" || own != who.Company {
		p.With = at + "/new/external?who=" + url.QueryEscape(string(who.ID))
	} else if err := c.teamsOf(ctx, &p); err != nil {
		return err
	}
	return c.show(w, r, me, "profile", page{Title: who.Name, Data: p, Problem: failed, Form: r.PostForm, Show: "main"})
}

func (c *chat) teamsOf(ctx context.Context, p *profile) error {
	for team, err := range c.svc.Teams(ctx, service.TeamList{Company: p.Who.Company}) {
		if err != nil {
			return err
		}
		if !p.Deleted && slices.Contains(team.Members, p.Who.ID) {
			name := team.Name
			if team.Leader == p.Who.ID {
				name += ", leader"
			}
			p.Teams = append(p.Teams, name)
		}
	}
	return nil
}

// knows says that somebody is a colleague or a contact.
func (c *chat) knows(ctx context.Context, me roomkit.UserID, who person) bool {
	if _, there := c.people.people[who.ID]; !there {
		return false
	}
	if own := c.people.person(me).Company; who.ID == me || own != "" && own == who.Company {
		return true
	}
	contacts, err := c.people.contacts(ctx, me, []roomkit.UserID{who.ID})
	return err == nil && len(contacts) == 1
}

// meets says that a room shows somebody to another one: its people, and those who have
// written there.
func (c *chat) meets(ctx context.Context, me, who roomkit.UserID, text string) bool {
	room, err := roomkit.ParseRoomID(text)
	if err != nil || !who.Valid() || c.svc.Check(ctx, me, roomkit.ActionSeeMembers, room) != nil {
		return false
	}
	facts, err := store.Ask(ctx, c.store, []store.Need{{Room: room, People: []roomkit.UserID{who}}})
	return err == nil && slices.ContainsFunc(facts[0].Members, func(m roomkit.Member) bool { return m.User == who })
}

// met gives somebody with the name, if the other may know it, also from a room.
func (c *chat) met(ctx context.Context, me, id roomkit.UserID, room string) person {
	if c.meets(ctx, me, id, room) {
		return c.people.person(id)
	}
	return c.known(ctx, me, id)
}

// openDirect goes on in the 1:1 room, or in the room of messages to oneself.
func (c *chat) openDirect(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
	who := roomkit.UserID(r.PathValue("who"))
	var cmd roomkit.Command = roomkit.OpenDirect{With: who}
	if who == me {
		cmd = roomkit.OpenSelf{}
	}
	result, err := c.send(r, me, cmd)
	if err != nil {
		return c.profile(w, r, me, c.problemOf(r.Context(), err))
	}
	return see(w, r, me, "/rooms/"+result.Room.String())
}
