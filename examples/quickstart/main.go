// Quickstart tells the story of a 1:1 room and a room of several people: who
// comes, who goes, what everybody may do before and after.
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
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/memstore"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// story is a service and the place where the story is told.
type story struct {
	*service.Service
	out io.Writer
}

func (s *story) tell(format string, args ...any) { fmt.Fprintf(s.out, format+"\n", args...) }

func run(ctx context.Context, out io.Writer) error {
	svc, err := service.New(memstore.New(), nil)
	if err != nil {
		return err
	}
	s := &story{svc, out}
	if err := s.provision(ctx); err != nil {
		return err
	}
	if err := s.oneToOne(ctx); err != nil {
		return err
	}
	room, err := s.severalPeople(ctx)
	if err != nil {
		return err
	}
	if err := s.comeAndGo(ctx, room); err != nil {
		return err
	}
	return s.outsider(ctx, room)
}

// provision gives the library its companies and users, as only the host may.
func (s *story) provision(ctx context.Context) error {
	s.tell("# Companies and users")
	for company, people := range map[roomkit.CompanyID][]roomkit.UserID{"acme": {"ann", "ben", "cat", "dan"}, "bolt": {"eve"}} {
		_, err := s.Do(ctx, roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{
			ID: company, Licensed: true, MembersCreateGroups: true, Partners: roomkit.ExternalSelected,
		}})
		if err != nil {
			return err
		}
		for _, id := range people {
			_, err := s.Do(ctx, roomkit.System(), roomkit.AddUser{User: roomkit.User{
				ID: id, Company: company, Kind: roomkit.UserMember, Status: roomkit.StatusActive, Partners: true,
			}})
			if err != nil {
				return err
			}
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
	s.tell("ann opens the room with ben: a new %s room", first.Kind)
	again, err := s.Do(ctx, roomkit.By("ben"), roomkit.OpenDirect{With: "ann"})
	if err != nil {
		return err
	}
	s.tell("ben opens the room with ann: the same room, %t; anything changed, %t", again.Room == first.Room, again.Changed)
	return nil
}

func (s *story) severalPeople(ctx context.Context) (roomkit.RoomID, error) {
	s.tell("\n# A room of several people")
	create := roomkit.CreateRoom{People: []roomkit.UserID{"ben", "cat"}, Audience: roomkit.AudienceMembers, Name: "Launch"}
	made, err := s.Do(ctx, roomkit.By("ann"), create)
	if err != nil {
		return roomkit.RoomID{}, err
	}
	s.tell("ann picks ben and cat: a new %s room 'Launch'", made.Kind)
	_, err = s.Do(ctx, roomkit.By("cat"), roomkit.CreateRoom{People: []roomkit.UserID{"ann", "ben"}})
	var offered *roomkit.Offered
	if !errors.As(err, &offered) {
		return roomkit.RoomID{}, fmt.Errorf("no room is offered: %w", err)
	}
	for _, offer := range offered.Offers {
		s.tell("cat picks ann and ben: '%s' is offered (the same people, %t)", offer.Room.Name, offer.Exact)
	}
	return made.Room, nil
}

func (s *story) comeAndGo(ctx context.Context, room roomkit.RoomID) error {
	s.tell("\n# Coming and going")
	for _, next := range []struct {
		actor roomkit.UserID
		cmd   roomkit.Command
		step  string
		shown []roomkit.UserID
	}{
		{"ben", roomkit.Invite{Room: room, People: []roomkit.UserID{"dan"}}, "ben invites dan", []roomkit.UserID{"dan"}},
		{"cat", roomkit.Remove{Room: room, People: []roomkit.UserID{"dan"}}, "cat removes dan", []roomkit.UserID{"dan"}},
		{"ann", roomkit.Leave{Room: room}, "ann, who made the room, leaves it", []roomkit.UserID{"ann", "ben"}},
	} {
		done, err := s.try(ctx, next.actor, next.cmd, next.step)
		if err != nil {
			return err
		}
		for _, n := range done.Notices {
			s.tell("  notice to %s: %s from '%s' by %s", n.To, n.Key, n.Params["name"], n.Params["actor"])
		}
		if err := s.show(ctx, room, next.shown...); err != nil {
			return err
		}
	}
	return s.members(ctx, "ben", room, "in 'Launch' are")
}

func (s *story) outsider(ctx context.Context, room roomkit.RoomID) error {
	s.tell("\n# Somebody of another company")
	invite := roomkit.Invite{Room: room, People: []roomkit.UserID{"eve"}}
	if _, err := s.try(ctx, "ben", invite, "ben invites eve, who is none of his contacts"); err != nil {
		return err
	}
	opened, err := s.try(ctx, "ben", invite, "ben adds eve to his contacts and invites her", service.Call{Contacts: []roomkit.UserID{"eve"}})
	if err != nil || !opened.Opened {
		return err
	}
	s.tell("  a new %s opens", opened.Kind)
	if err := s.members(ctx, "eve", opened.Room, "in it are"); err != nil {
		return err
	}
	return s.members(ctx, "ben", room, "in 'Launch' are still")
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
func (s *story) show(ctx context.Context, room roomkit.RoomID, users ...roomkit.UserID) error {
	shown := roomkit.Actions(roomkit.ActionEnter, roomkit.ActionInvite, roomkit.ActionRemove, roomkit.ActionLeave)
	for _, user := range users {
		list, err := s.Access(ctx, user, room)
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
		name := string(m.User)
		if m.Master {
			name += " (Group Master)"
		}
		names = append(names, name)
	}
	s.tell("  %s %s", intro, strings.Join(names, ", "))
	return nil
}
