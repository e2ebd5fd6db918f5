// Externalgroup tells the whole life of an external group: who may do what in
// it, and what becomes of it when the administrator withdraws the permission.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/examples/internal/companies"
	"github.com/go-roomkit/roomkit/examples/internal/natslog"
	"github.com/go-roomkit/roomkit/examples/internal/storeflag"
	"github.com/go-roomkit/roomkit/service"
)

func main() {
	store := storeflag.Begin("externalgroup", "the life of an external group, and what becomes of it without the permission", "nats:FOLDER, on three servers in this process")
	if err := run(context.Background(), store, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// story is a service and where the story is told.
type story struct {
	*service.Service
	out io.Writer
}

// step is what somebody tries.
type step struct {
	who  roomkit.UserID // nobody: a new scene begins
	what string
	cmd  roomkit.Command // none: the host carries out what the administrator has decided
}

func run(ctx context.Context, name string, out io.Writer) error {
	store, closeStore, err := natslog.OpenStore(ctx, name, "externalgroup")
	if err != nil {
		return err
	}
	defer closeStore()
	// Without AnyoneIsContact Options.Contacts tells who knows whom.
	svc, err := service.New(store, &service.Options{Policy: roomkit.Policy{AnyoneIsContact: true}})
	if err != nil {
		return err
	}
	s := &story{svc, out}
	if err := companies.Provision(ctx, svc); err != nil {
		return err
	}
	created, err := s.Do(ctx, roomkit.By("kim"), roomkit.CreateRoom{People: people("lee", "eve"), Audience: roomkit.AudienceExternal, Name: "Project", AllowDuplicate: true})
	if err != nil {
		return err
	}
	s.tell("# Creation\nkim picks lee and eve under 'External Users': a new %s opens", created.Kind)
	for _, st := range script(created.Room) {
		if err := s.play(ctx, created.Room, st); err != nil {
			return err
		}
	}
	return s.members(ctx, "eve", created.Room)
}

func script(room roomkit.RoomID) []step {
	off := roomkit.SetCompanyMessaging{Company: "acme", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalOff)}
	minOff := roomkit.SetUserMessaging{User: "min", With: roomkit.OutsiderPartner, Allow: new(false)}
	on, minOn := off, minOff
	on.Mode, minOn.Allow = new(roomkit.ExternalSelected), new(true)
	return []step{
		{what: "Who comes and goes is the Group Master's matter"},
		{"lee", "leaves", roomkit.Leave{Room: room}},
		{"eve", "leaves", roomkit.Leave{Room: room}},
		{"kim", "leaves, though Group Master", roomkit.Leave{Room: room}},
		{"lee", "adds min", roomkit.Invite{Room: room, People: people("min")}},
		{"eve", "removes lee", roomkit.Remove{Room: room, People: people("lee")}},
		{"adm", "adds min, as administrator", roomkit.Invite{Room: room, People: people("min")}},
		{"kim", "switches group notification on", roomkit.Edit{Room: room, Notify: new(true)}},
		{"kim", "adds min and fay", roomkit.Invite{Room: room, People: people("min", "fay")}},
		{"kim", "removes fay", roomkit.Remove{Room: room, People: people("fay")}},
		{"fay", "comes back uninvited", roomkit.Invite{Room: room, People: people("fay")}},
		{what: "Settings"},
		{"lee", "switches Note off", roomkit.Edit{Room: room, Note: new(false)}},
		{"kim", "switches Note, Event and Folder off", roomkit.Edit{Room: room, Note: new(false), Event: new(false), Folder: new(false)}},
		{"kim", "switches Note and Event on", roomkit.Edit{Room: room, Note: new(true), Event: new(true)}},
		{"kim", "switches Task on", roomkit.Edit{Room: room, Task: new(true)}},
		{"kim", "switches the mailing list on", roomkit.Edit{Room: room, MailingList: new(true)}},
		{"kim", "makes the group public", roomkit.Edit{Room: room, Public: new(true)}},
		{what: "Group Masters"},
		{"lee", "makes himself Group Master", roomkit.AppointMasters{Room: room, People: people("lee")}},
		{"kim", "hands over to eve of bolt", roomkit.HandOver{Room: room, To: "eve"}},
		{"kim", "hands over to lee", roomkit.HandOver{Room: room, To: "lee"}},
		{"lee", "dismisses himself", roomkit.DismissMasters{Room: room, People: people("lee")}},
		{what: "External messaging off for min, and on again"},
		{"adm", "switches it off for min", minOff},
		{"host", "enforces", nil},
		{"adm", "switches it on for min", minOn},
		{"host", "enforces", nil},
		{what: "External messaging off for the whole company"},
		{"adm", "switches it off for acme", off},
		{"host", "enforces", nil},
		{"eve", "adds fay", roomkit.Invite{Room: room, People: people("fay")}},
		{"adm", "switches it on for acme", on},
		{"host", "enforces", nil},
		{"adm", "appoints kim", roomkit.AppointMasters{Room: room, People: people("kim")}},
		{"kim", "adds himself and lee", roomkit.Invite{Room: room, People: people("kim", "lee")}},
	}
}

// play lets somebody try something and tells how it ends.
func (s *story) play(ctx context.Context, room roomkit.RoomID, st step) error {
	if st.who == "" {
		err := s.members(ctx, "eve", room)
		s.tell("\n# %s", st.what)
		return err
	}
	if st.cmd == nil {
		return s.enforce(ctx, room)
	}
	_, err := s.Do(ctx, roomkit.By(st.who), st.cmd)
	var denied *roomkit.Denied
	switch {
	case errors.As(err, &denied):
		s.tell("%s %s: refused by %s (%s)", st.who, st.what, denied.Rule, denied.Reason)
	case errors.Is(err, roomkit.ErrNotFound):
		s.tell("%s %s: there is no such room for %s", st.who, st.what, st.who)
	case err != nil:
		return err
	default:
		s.tell("%s %s: done", st.who, st.what)
	}
	return s.follow(ctx)
}

// enforce shows that access has ended already, and then lets Enforce take the
// people out.
func (s *story) enforce(ctx context.Context, room roomkit.RoomID) error {
	for _, user := range people("kim", "lee", "min") {
		err := s.Check(ctx, user, roomkit.ActionEnter, room)
		var denied *roomkit.Denied
		switch {
		case errors.As(err, &denied):
			s.tell("  %s cannot enter: %s (%s)", user, denied.Rule, denied.Reason)
		case errors.Is(err, roomkit.ErrNotFound):
			s.tell("  %s cannot enter: there is no such room for %s", user, user)
		case err != nil:
			return err
		}
	}
	s.tell("  Enforce runs")
	if err := s.Enforce(ctx, &service.EnforceOptions{Once: true}); err != nil {
		return err
	}
	return s.follow(ctx)
}

func people(ids ...roomkit.UserID) []roomkit.UserID { return ids }

func to(n roomkit.Notice) string {
	if n.Holders == roomkit.HoldersOnly {
		return fmt.Sprintf("everyone of %s who holds the permission", n.Company)
	}
	return cmp.Or(string(n.To), "everyone")
}

// follow reads on in the feed and tells whom the host notifies of what. The store
// remembers how far it has come, so that another run does not tell it again.
func (s *story) follow(ctx context.Context) error {
	tell := func(_ context.Context, rec service.Recorded) error {
		for _, n := range roomkit.NoticesOf(rec.Event) {
			s.tell("  notice to %s: %s (%s)", to(n), n.Key, cmp.Or(n.Params["name"], n.Params["features"], "-"))
		}
		if _, ok := rec.Event.(*roomkit.MasterVacated); ok {
			s.tell("  no Group Master is left")
		}
		return nil
	}
	return s.Follow(ctx, "externalgroup", tell, &service.FollowOptions{Once: true})
}

// members prints who takes part, as one of them sees it.
func (s *story) members(ctx context.Context, user roomkit.UserID, room roomkit.RoomID) error {
	var names []string
	for m, err := range s.Members(ctx, user, room, service.MemberList{Role: service.RoleParticipant}) {
		if err != nil {
			return err
		}
		names = append(names, string(m.User)+map[bool]string{true: " (Group Master)"}[m.Master])
	}
	s.tell("=> in 'Project' are %s", strings.Join(names, ", "))
	return nil
}

func (s *story) tell(format string, args ...any) { fmt.Fprintf(s.out, format+"\n", args...) }
