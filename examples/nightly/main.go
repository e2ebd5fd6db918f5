// Nightly brings the people and the teams of a company in line with a list, as a host
// does every night: it sends the whole list, and what is so already changes nothing. What
// an administrator has decided since the night before stays.
//
//	go run . -people 10000
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/examples/internal/storeflag"
	"github.com/go-roomkit/roomkit/service"
)

func main() {
	store := flag.String("store", "memory", storeflag.Usage)
	people := flag.Int("people", 10_000, "how many `people` the company has")
	flag.Parse()
	if err := run(context.Background(), *store, *people, os.Stdout); err != nil {
		log.Fatal("nightly: ", err)
	}
}

func run(ctx context.Context, name string, people int, out io.Writer) error {
	store, closeStore, err := storeflag.Open(ctx, name, "nightly")
	if err != nil {
		return err
	}
	defer closeStore()
	svc, err := service.New(store, nil)
	if err != nil {
		return err
	}
	staff := payroll(people)
	for _, night := range []string{"The first night", "The second night, with the same list"} {
		if err := bring(ctx, svc, staff, night, out); err != nil {
			return err
		}
	}
	if err := theDay(ctx, svc, out); err != nil {
		return err
	}
	// person-7 has left, somebody has come, and a row has gone wrong.
	staff = slices.DeleteFunc(staff, func(p person) bool { return p.id == "person-7" })
	staff = append(staff, person{id: "hire", team: "team-0"}, person{id: "not an id", team: "team-0"})
	if err := bring(ctx, svc, staff, "The third night, with another list", out); err != nil {
		return err
	}
	return decided(ctx, svc, out)
}

// person is a row of the list.
type person struct {
	id   roomkit.UserID
	team roomkit.TeamID
}

const company = roomkit.CompanyID("acme")

// payroll is the list that a host would have from elsewhere: teams of 50 people.
func payroll(people int) []person {
	list := make([]person, people)
	for i := range list {
		list[i] = person{roomkit.UserID(fmt.Sprint("person-", i)), roomkit.TeamID(fmt.Sprint("team-", i/50))}
	}
	return list
}

// bring makes the directory follow the list: who is new is added, who is not in it any
// more is deleted, and the teams have the members that it says.
func bring(ctx context.Context, svc *service.Service, staff []person, night string, out io.Writer) error {
	acme := roomkit.AddCompany{Company: roomkit.Company{ID: company, Licensed: true}}
	if _, err := svc.Do(ctx, roomkit.System(), acme); err != nil {
		return err
	}
	var cmds []roomkit.Command
	listed, teams := map[roomkit.UserID]bool{}, map[roomkit.TeamID][]roomkit.UserID{}
	for _, p := range staff {
		cmds = append(cmds, roomkit.AddUser{User: roomkit.User{
			ID: p.id, Company: company, Kind: roomkit.UserMember, Status: roomkit.StatusActive,
		}})
		if listed[p.id] = true; p.id.Valid() {
			teams[p.team] = append(teams[p.team], p.id)
		}
	}
	// The company first, and the people before the teams that they are in: the commands
	// of a batch come in any order.
	if err := carryOut(ctx, svc, night+": people", cmds, out); err != nil {
		return err
	}
	cmds = nil
	for id, members := range teams {
		cmds = append(cmds, roomkit.SyncTeam{Team: id, Company: company, Name: string(id), Leader: members[0], Members: members})
	}
	for u, err := range svc.Users(ctx, service.UserList{Company: company}) {
		if err != nil {
			return err
		}
		if !listed[u.ID] && u.Status != roomkit.StatusDeleted {
			cmds = append(cmds, roomkit.DeleteUser{User: u.ID})
		}
	}
	return carryOut(ctx, svc, night+": teams, and who has left", cmds, out)
}

// carryOut runs the commands, each on its own: a row that is refused stops no other.
// Only what says that nothing can be stored at the moment ends the night.
func carryOut(ctx context.Context, svc *service.Service, what string, cmds []roomkit.Command, out io.Writer) error {
	fmt.Fprintln(out, what)
	changed, same := 0, 0
	for some := range slices.Chunk(cmds, roomkit.MaxBatch) {
		for _, is := range svc.Batch(ctx, roomkit.System(), some) {
			switch {
			case is.Err == nil && is.Result.Changed:
				changed++
			case is.Err == nil:
				same++
			case errors.Is(is.Err, roomkit.ErrInvalid) || errors.Is(is.Err, roomkit.ErrDenied):
				fmt.Fprintln(out, "  refused:", is.Err)
			default:
				return is.Err
			}
		}
	}
	_, err := fmt.Fprintf(out, "  %d changed, %d were so already\n", changed, same)
	return err
}

// theDay is what the host's administrator page does.
func theDay(ctx context.Context, svc *service.Service, out io.Writer) error {
	for _, cmd := range []roomkit.Command{
		roomkit.EditUser{User: "person-1", Administrator: new(true)},
		roomkit.SuspendUser{User: "person-2"},
		roomkit.SetUserMessaging{User: "person-3", With: roomkit.OutsiderPartner, Allow: new(true)},
		roomkit.SetCompanyMessaging{Company: company, With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalSelected)},
		roomkit.EditTeam{Team: "team-0", Room: new(true)},
	} {
		if _, err := svc.Do(ctx, roomkit.System(), cmd); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(out, "By day an administrator makes, suspends, permits and grants")
	return err
}

// decided shows what has become of it.
func decided(ctx context.Context, svc *service.Service, out io.Writer) error {
	fmt.Fprintln(out, "In the morning")
	for _, id := range []roomkit.UserID{"person-1", "person-2", "person-3", "person-7", "hire"} {
		u, err := svc.User(ctx, id)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "  %s: %s, administrator %v, may talk with partners %v\n", u.ID, u.Status, u.Administrator, u.Partners)
	}
	acme, err := svc.Company(ctx, company)
	if err != nil {
		return err
	}
	team, err := svc.Team(ctx, "team-0")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "  %s: partners %s\n  %s: %d members, may have a room: %v\n", acme.ID, acme.Partners, team.ID, len(team.Members), team.Room)
	return err
}
