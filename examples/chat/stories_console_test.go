package main

import (
	"context"
	"net/url"
	"testing"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

// fillYear makes a group with a life of a year, and then the demo.
func fillYear(ctx context.Context, c *chat) error {
	at := time.Now().AddDate(-1, 0, 0)
	past, err := service.New(c.store, &service.Options{Contacts: c.people.contacts, Clock: func() time.Time { return at }})
	if err != nil {
		return err
	}
	year := &filler{chat: &chat{svc: past, store: c.store, people: c.people}, ctx: ctx, steps: 1000}
	year.provision()
	later := func(days int) { at = at.AddDate(0, 0, days) }
	ben, ann := roomkit.By("ben"), roomkit.By("ann")
	room := year.do(ben, roomkit.CreateExternalGroup{Name: "Yearly calendar", Members: []roomkit.UserID{"cat", "ivo", "jun"}})
	later(40)
	year.do(ben, roomkit.Invite{Room: room, People: []roomkit.UserID{"kai", "eli"}})
	later(30)
	year.do(ben, roomkit.AppointMasters{Room: room, People: []roomkit.UserID{"cat"}})
	later(45)
	year.do(ann, roomkit.SetUserMessaging{User: "ben", With: roomkit.OutsiderPartner, Allow: new(false)})
	later(50)
	year.do(ann, roomkit.SetUserMessaging{User: "ben", With: roomkit.OutsiderPartner, Allow: new(true)})
	later(20)
	year.do(roomkit.By("cat"), roomkit.Invite{Room: room, People: []roomkit.UserID{"ben"}})
	later(30)
	year.do(roomkit.By("cat"), roomkit.Remove{Room: room, People: []roomkit.UserID{"jun"}})
	later(40)
	year.do(roomkit.By("cat"), roomkit.AppointMasters{Room: room, People: []roomkit.UserID{"ben"}})
	later(30)
	year.do(roomkit.By("cat"), roomkit.DismissMasters{Room: room, People: []roomkit.UserID{"cat"}})
	if year.err != nil {
		return year.err
	}
	return fillDemo(ctx, c)
}

// TestStoryConsole: the console is mounted, and answers what a greyed button says. That all
// of its pages can be read is the matter of examples/internal/operators.
func TestStoryConsole(t *testing.T) {
	h, w := story(t)
	cards := h.room("ben", "Menu cards")
	p := h.tab(w, "/console/")
	p.See("harbour")
	p.Go(h.url + "/console/why?" + url.Values{"user": {"jun"}, "action": {"leave"}, "room": {cards.String()}}.Encode())
	p.SeeIn("css:main", string(h.denied("jun", roomkit.ActionLeave, cards).Rule))
	p.SeeIn("css:main", "Jun Sato jun may not leave")
}
