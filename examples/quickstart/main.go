// Quickstart tells the story of a 1:1 room and a room of several people: who
// comes, who goes, what everybody may do before and after. On a store that lasts it goes
// on with the rooms that an earlier run has left.
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
	"github.com/go-roomkit/roomkit/examples/internal/storeflag"
	"github.com/go-roomkit/roomkit/service"
)

func main() {
	store := storeflag.Begin("quickstart", "a 1:1 room and a room of several people: who comes, who goes, who may do what")
	if err := run(context.Background(), store, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// story is a service and the place where the story is told.
type story struct {
	*service.Service
	out    io.Writer
	launch roomkit.RoomID // of several people
}

func (s *story) tell(format string, args ...any) { fmt.Fprintf(s.out, format+"\n", args...) }

func run(ctx context.Context, name string, out io.Writer) error {
	store, closeStore, err := storeflag.Open(ctx, name, "quickstart")
	if err != nil {
		return err
	}
	defer closeStore()
	svc, err := service.New(store, nil)
	if err != nil {
		return err
	}
	s := &story{Service: svc, out: out}
	for _, scene := range []func(context.Context) error{s.provision, s.oneToOne, s.severalPeople, s.comeAndGo, s.outsider} {
		if err := scene(ctx); err != nil {
			return err
		}
	}
	return nil
}

// provision gives the library its companies and users, as only the host may.
func (s *story) provision(ctx context.Context) error {
	s.tell("# Companies and users")
	var cmds []roomkit.Command
	company := roomkit.Company{Licensed: true, MembersCreateGroups: true, Partners: roomkit.ExternalSelected}
	for _, company.ID = range []roomkit.CompanyID{"acme", "bolt"} {
		cmds = append(cmds, roomkit.AddCompany{Company: company})
	}
	user := roomkit.User{Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Partners: true}
	for _, user.ID = range []roomkit.UserID{"ann", "ben", "cat", "dan"} {
		cmds = append(cmds, roomkit.AddUser{User: user})
	}
	user.ID, user.Company = "eve", "bolt"
	cmds = append(cmds, roomkit.AddUser{User: user})
	for _, cmd := range cmds {
		if _, err := s.Do(ctx, roomkit.System(), cmd); err != nil {
			return err
		}
	}
	s.tell("acme has ann, ben, cat and dan; bolt has eve")
	return nil
}

func (s *story) oneToOne(ctx context.Context) error {
	s.tell("\n# A 1:1 room")
	first, err := s.Do(ctx, roomkit.By("ann"), roomkit.OpenDirect{With: "ben"})
	if err != nil {
		return err
	}
	s.tell("ann opens the room with ben: a %s %s room", age(first), first.Kind)
	again, err := s.Do(ctx, roomkit.By("ben"), roomkit.OpenDirect{With: "ann"})
	if err != nil {
		return err
	}
	s.tell("ben opens the room with ann: the same room, %t; anything changed, %t", again.Room == first.Room, again.Changed)
	return nil
}

// age tells a room that the command has opened from one that was there before.
func age(r service.Result) string { return map[bool]string{true: "new", false: "known"}[r.Opened] }

func (s *story) severalPeople(ctx context.Context) error {
	s.tell("\n# A room of several people")
	create := roomkit.CreateRoom{People: []roomkit.UserID{"ben", "cat"}, Name: "Launch"}
	made, err := s.Do(ctx, roomkit.By("ann"), create)
	var offered *roomkit.Offered
	if errors.As(err, &offered) { // they have one, of a run that was stopped
		create.Existing = offered.Offers[0].Room.ID
		made, err = s.Do(ctx, roomkit.By("ann"), create)
	}
	if err != nil {
		return err
	}
	s.tell("ann picks ben and cat: a %s %s room 'Launch'", age(made), made.Kind)
	_, err = s.Do(ctx, roomkit.By("cat"), roomkit.CreateRoom{People: []roomkit.UserID{"ann", "ben"}})
	if !errors.As(err, &offered) {
		return fmt.Errorf("no room is offered: %w", err)
	}
	offer := offered.Offers[0]
	s.tell("cat picks ann and ben: '%s' is offered (the same people, %t)", offer.Room.Name, offer.Exact)
	s.launch = made.Room
	return nil
}

func (s *story) comeAndGo(ctx context.Context) error {
	s.tell("\n# Coming and going")
	for _, next := range []struct {
		actor roomkit.UserID
		cmd   roomkit.Command
		step  string
		shown []roomkit.UserID
	}{
		{"ben", roomkit.Invite{Room: s.launch, People: []roomkit.UserID{"dan"}}, "ben invites dan", []roomkit.UserID{"dan"}},
		{"cat", roomkit.Remove{Room: s.launch, People: []roomkit.UserID{"dan"}}, "cat removes dan", []roomkit.UserID{"dan"}},
		{"ann", roomkit.Leave{Room: s.launch}, "ann, who made the room, leaves it", []roomkit.UserID{"ann", "ben"}},
	} {
		done, err := s.try(ctx, next.actor, next.cmd, next.step)
		for _, n := range done.Notices {
			s.tell("  notice to %s: %s from '%s' by %s", n.To, n.Key, n.Params["name"], n.Params["actor"])
		}
		if err != nil {
			return err
		}
		if err := s.show(ctx, next.shown...); err != nil {
			return err
		}
	}
	return s.members(ctx, "ben", s.launch, "in 'Launch' are")
}

func (s *story) outsider(ctx context.Context) error {
	s.tell("\n# Somebody of another company")
	invite := roomkit.Invite{Room: s.launch, People: []roomkit.UserID{"eve"}}
	if _, err := s.try(ctx, "ben", invite, "ben invites eve, who is none of his contacts"); err != nil {
		return err
	}
	opened, err := s.try(ctx, "ben", invite, "ben adds eve to his contacts and invites her", service.Call{Contacts: []roomkit.UserID{"eve"}})
	if err != nil || opened.Room.IsZero() {
		return err
	}
	s.tell("  that is a %s %s", age(opened), opened.Kind)
	if err := s.members(ctx, "eve", opened.Room, "in it are"); err != nil {
		return err
	}
	return s.members(ctx, "ben", s.launch, "in 'Launch' are still")
}

// try does a step of the story. A refusal by the rules belongs to it.
func (s *story) try(ctx context.Context, actor roomkit.UserID, cmd roomkit.Command, step string, call ...service.Call) (service.Result, error) {
	result, err := s.Do(ctx, roomkit.By(actor), cmd, call...)
	var denied *roomkit.Denied
	if errors.As(err, &denied) {
		s.tell("%s: refused by %s, %s", step, denied.Rule, denied.Reason)
		return result, nil
	}
	s.tell("%s", step)
	return result, err
}

// show prints what people may do with the room's membership.
func (s *story) show(ctx context.Context, users ...roomkit.UserID) error {
	shown := roomkit.Actions(roomkit.ActionEnter, roomkit.ActionInvite, roomkit.ActionRemove, roomkit.ActionLeave)
	for _, user := range users {
		list, err := s.Access(ctx, user, s.launch)
		if err != nil {
			return err
		}
		s.tell("  %s may: %s", user, cmp.Or((list[0].Actions&shown).String(), "nothing"))
	}
	return nil
}

// members prints who takes part, as one of them sees it.
func (s *story) members(ctx context.Context, user roomkit.UserID, room roomkit.RoomID, intro string) error {
	var names []string
	for m, err := range s.Members(ctx, user, room, service.MemberList{Role: service.RoleParticipant}) {
		if err != nil {
			return err
		}
		names = append(names, string(m.User)+map[bool]string{true: " (Group Master)"}[m.Master])
	}
	s.tell("  %s %s", intro, strings.Join(names, ", "))
	return nil
}
