package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

// demoPeople are two made-up companies that work together, and one consumer.
func demoPeople() directory {
	return newDirectory(map[roomkit.CompanyID]string{"harbour": "Harbour Foods", "mill": "Mill Print"},
		person{ID: "ann", Name: "Ann Okafor", Mail: "ann@harbour.example", Job: "Office, administrator", Company: "harbour", Administrator: true},
		person{ID: "ben", Name: "Ben Lindqvist", Mail: "ben@harbour.example", Job: "Head of Sales", Company: "harbour"},
		person{ID: "cat", Name: "Cat Moreau", Mail: "cat@harbour.example", Job: "Sales", Company: "harbour"},
		person{ID: "dev", Name: "Dev Patel", Mail: "dev@harbour.example", Job: "Sales", Company: "harbour"},
		person{ID: "eli", Name: "Eli Brandt", Mail: "eli@harbour.example", Job: "Head of Kitchen", Company: "harbour"},
		person{ID: "fay", Name: "Fay Nakamura", Mail: "fay@harbour.example", Job: "Kitchen", Company: "harbour"},
		person{ID: "gus", Name: "Gus Ferreira", Mail: "gus@harbour.example", Job: "Kitchen", Company: "harbour", NoPartners: true},
		person{ID: "hana", Name: "Hana Kim", Mail: "hana@mill.example", Job: "Office, administrator", Company: "mill", Administrator: true},
		person{ID: "ivo", Name: "Ivo Novak", Mail: "ivo@mill.example", Job: "Head of Press", Company: "mill"},
		person{ID: "jun", Name: "Jun Sato", Mail: "jun@mill.example", Job: "Press", Company: "mill"},
		person{ID: "kai", Name: "Kai Reyes", Mail: "kai@mill.example", Job: "Head of Design", Company: "mill"},
		person{ID: "lea", Name: "Lea Rossi", Mail: "lea@mill.example", Job: "Design", Company: "mill", NoContact: true},
		person{ID: "max", Name: "Max Stein", Job: "Guest at the counter"},
	)
}

// demoTeams are the organisation charts of both.
var demoTeams = []roomkit.SyncTeam{
	{Company: "harbour", Team: "sales", Name: "Sales", Leader: "ben", Members: []roomkit.UserID{"ben", "cat", "dev"}},
	{Company: "harbour", Team: "kitchen", Name: "Kitchen", Leader: "eli", Members: []roomkit.UserID{"eli", "fay", "gus"}},
	{Company: "mill", Team: "press", Name: "Press", Leader: "ivo", Members: []roomkit.UserID{"ivo", "jun"}},
	{Company: "mill", Team: "design", Name: "Design", Leader: "kai", Members: []roomkit.UserID{"kai", "lea"}},
}

// filler gives commands and messages with keys of their own, and remembers the first error.
type filler struct {
	*chat
	ctx   context.Context
	steps int
	err   error
}

func (f *filler) key() string {
	f.steps++
	return fmt.Sprintf("demo %d", f.steps)
}

func (f *filler) do(actor roomkit.Actor, cmd roomkit.Command) roomkit.RoomID {
	call := service.Call{Key: f.key()}
	if f.err != nil {
		return roomkit.RoomID{}
	}
	made, err := f.svc.Do(f.ctx, actor, cmd, call)
	if err != nil {
		f.err = fmt.Errorf("%v: %w", actor, err)
	}
	return made.Room
}

func (f *filler) write(room roomkit.RoomID, author roomkit.UserID, body string) {
	draft := draft{Room: room, Author: author, Body: body, Key: f.key()}
	if f.err == nil {
		_, f.err = f.post(f.ctx, draft)
	}
}

// provision adds the companies and people of the directory.
func (f *filler) provision() {
	for _, id := range slices.Sorted(maps.Keys(f.people.companies)) {
		f.do(roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{
			ID: id, Licensed: true, MembersCreateGroups: true, Partners: roomkit.ExternalSelected, Consumers: roomkit.ExternalAll,
		}})
	}
	for _, p := range f.people.all() {
		u := roomkit.User{ID: p.ID, Company: p.Company, Kind: roomkit.UserMember, Status: roomkit.StatusActive,
			Administrator: p.Administrator, Partners: !p.NoPartners}
		if p.Company == "" {
			u.Kind, u.Partners = roomkit.UserConsumer, false
		}
		f.do(roomkit.System(), roomkit.AddUser{User: u})
	}
}

// fillDemo makes the two companies, a few rooms of every kind, and what was said there.
func fillDemo(ctx context.Context, c *chat) error {
	f := &filler{chat: c, ctx: ctx}
	f.provision()
	for _, team := range demoTeams {
		f.do(roomkit.System(), team)
		f.do(roomkit.System(), roomkit.EditTeam{Company: team.Company, Team: team.Team, Room: new(true), Features: new(true)})
		room := f.do(roomkit.By(team.Leader), roomkit.OpenTeamRoom{Team: team.Team, Company: team.Company})
		f.write(room, team.Leader, "This room follows the chart: whoever joins "+team.Name+" is in.")
	}
	f.talk()
	return f.err
}

func (f *filler) talk() {
	pair := f.do(roomkit.By("cat"), roomkit.OpenDirect{With: "ivo"})
	f.write(pair, "cat", "Hello Ivo, do you have a minute for the menu cards?")
	f.write(pair, "ivo", "Of course. How many pages?")
	counter := f.do(roomkit.By("cat"), roomkit.OpenDirect{With: "max"})
	f.write(counter, "max", "Do you have a table for six on Friday?")
	lunch := f.do(roomkit.By("dev"), roomkit.CreateRoom{People: []roomkit.UserID{"cat", "fay", "gus"}, Audience: roomkit.AudienceMembers})
	f.write(lunch, "dev", "Lunch at noon?")
	f.write(lunch, "gus", "I cook.")
	party := f.do(roomkit.By("fay"), roomkit.CreateRoom{
		People: []roomkit.UserID{"ann", "ben", "cat", "eli"}, Name: "Summer party", Audience: roomkit.AudienceMembers, AllowDuplicate: true,
	})
	f.write(party, "fay", "Everybody here may invite, remove and leave: nobody is master of this room.")
	menu := f.do(roomkit.By("eli"), roomkit.CreateGroup{
		Name: "Autumn menu", Members: []roomkit.UserID{"ben", "cat", "fay", "gus"}, Settings: roomkit.GroupSettings{Public: true, Notify: true},
	})
	f.write(menu, "eli", "Eight dishes, please. Pumpkin is not optional.")
	f.write(menu, "cat", "Noted. When do the cards go to print?")
	cards := f.do(roomkit.By("ben"), roomkit.CreateExternalGroup{
		Name: "Menu cards", Members: []roomkit.UserID{"cat", "eli", "ivo", "jun", "kai"}, Settings: roomkit.GroupSettings{Notify: true},
	})
	f.write(cards, "ben", "Welcome. Here both of us, Harbour and Mill, agree on the cards.")
	f.write(cards, "kai", "Two drafts are on the way.")
	f.write(cards, "ivo", "We print on Thursday if the text is final by Tuesday.")
}
