// Offboarding shows how a company switches external messaging off: first the dry
// run, then the switch, the progress of what follows, and the result.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"slices"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/examples/internal/storeflag"
	"github.com/go-roomkit/roomkit/service"
)

func main() {
	store := storeflag.Begin("offboarding", "a company switches external messaging off: dry run, switch, result")
	if err := run(context.Background(), store, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, name string, out io.Writer) error {
	store, closeStore, err := storeflag.Open(ctx, name, "offboarding")
	if err != nil {
		return err
	}
	defer closeStore()
	svc, err := service.New(store, &service.Options{Policy: roomkit.Policy{AnyoneIsContact: true}})
	if err != nil {
		return err
	}
	groups, err := provision(ctx, svc)
	if err != nil {
		return err
	}
	off := roomkit.SetCompanyMessaging{Company: "acme", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalOff)}
	if err := dryRun(ctx, svc, off, out); err != nil {
		return err
	}
	if _, err := svc.Do(ctx, roomkit.By("adm"), off); err != nil {
		return err
	}
	from, err := svc.Head(ctx)
	if err != nil {
		return err
	}
	err = svc.Check(ctx, "ann", roomkit.ActionEnter, groups[0])
	section(out, "The administrator switches external messaging off", []string{
		fmt.Sprintf("ann may still enter before anybody was removed: %v", err == nil),
	})
	if err := enforce(ctx, svc, out); err != nil {
		return err
	}
	if err := notify(ctx, svc, from, out); err != nil {
		return err
	}
	return result(ctx, svc, groups, out)
}

// dryRun lists what will happen, as a confirmation page would show it.
func dryRun(ctx context.Context, svc *service.Service, cmd roomkit.Command, out io.Writer) error {
	var lines []string
	for c, err := range svc.PlanConsequences(ctx, roomkit.By("adm"), cmd) {
		if err != nil {
			return err
		}
		if c.Room.IsZero() { // of rooms that the administrator may not know of there are counts
			lines = append(lines, fmt.Sprintf("elsewhere: %d rooms, of which %d will be dissolved", c.Rest.Rooms, c.Rest.Dissolved))
			continue
		}
		line := fmt.Sprintf("%q: %v will leave", c.Name, c.Leaving)
		switch {
		case c.Dissolved:
			line += "; nobody is left, it will be dissolved"
		case c.Masterless:
			line += "; it will have no Group Master"
		}
		lines = append(lines, line)
	}
	section(out, "Dry run", lines)
	return nil
}

func section(out io.Writer, title string, lines []string) {
	slices.Sort(lines)
	fmt.Fprintf(out, "# %s\n%s\n\n", title, strings.Join(lines, "\n"))
}

// enforce carries the consequences out. A service would let Enforce run on in a
// goroutine of its own, in as many processes as it likes.
func enforce(ctx context.Context, svc *service.Service, out io.Writer) error {
	var steps []string
	err := svc.Enforce(ctx, &service.EnforceOptions{Once: true, Progress: func(p service.EnforceProgress) {
		steps = append(steps, fmt.Sprintf("%s, %s: %d of %d rooms", p.Because, p.Cause, p.Rooms, p.Total))
	}})
	section(out, "Enforce", steps)
	return err
}

// notify prints the service notifications as a mailer would send them. The
// checkpoint "mailer" makes sure that a restart sends none again.
func notify(ctx context.Context, svc *service.Service, from roomkit.Cursor, out io.Writer) error {
	texts := map[roomkit.NoticeKey]string{
		roomkit.NoticeWithdrawn: "you have left %q: external messaging was switched off",
	}
	var mails []string
	mail := func(_ context.Context, rec service.Recorded) error {
		for _, n := range roomkit.NoticesOf(rec.Event) {
			if text, known := texts[n.Key]; known {
				mails = append(mails, fmt.Sprintf("to %s: "+text, n.To, n.Params["name"]))
			}
		}
		return nil
	}
	err := svc.Follow(ctx, "mailer", mail, &service.FollowOptions{From: from, Once: true})
	section(out, "Service notifications", mails)
	return err
}

func result(ctx context.Context, svc *service.Service, groups []roomkit.RoomID, out io.Writer) error {
	var lines []string
	for _, group := range groups {
		room, err := svc.Room(ctx, "eve", group)
		switch {
		case errors.Is(err, roomkit.ErrNotFound):
			lines = append(lines, "the third group is gone")
		case err != nil:
			return err
		default:
			lines = append(lines, fmt.Sprintf("%q: %d members, %d Group Masters", room.Name, room.Participants, room.Masters))
		}
	}
	section(out, "Result, as eve of the other company sees it", lines)
	return nil
}

// provision makes two companies and the groups they share.
func provision(ctx context.Context, svc *service.Service) (groups []roomkit.RoomID, err error) {
	do := func(actor roomkit.Actor, cmd roomkit.Command) (res service.Result) {
		if err == nil {
			res, err = svc.Do(ctx, actor, cmd)
		}
		return res
	}
	for _, id := range []roomkit.CompanyID{"acme", "bolt"} {
		do(roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{
			ID: id, Licensed: true, MembersCreateGroups: true, Partners: roomkit.ExternalAll,
		}})
	}
	for _, u := range []struct {
		id      roomkit.UserID
		company roomkit.CompanyID
	}{{"adm", "acme"}, {"ann", "acme"}, {"ben", "acme"}, {"cat", "acme"}, {"eve", "bolt"}} {
		do(roomkit.System(), roomkit.AddUser{User: roomkit.User{
			ID: u.id, Company: u.company, Kind: roomkit.UserMember, Status: roomkit.StatusActive, Administrator: u.id == "adm",
		}})
	}
	// An earlier run has switched it off.
	do(roomkit.System(), roomkit.SetCompanyMessaging{Company: "acme", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalAll)})
	open := func(name string, master roomkit.UserID, members ...roomkit.UserID) {
		res := do(roomkit.By(master), roomkit.CreateExternalGroup{Name: name, Members: members})
		groups = append(groups, res.Room)
	}
	open("Bridge", "ann", "ben", "eve")
	open("Tower", "eve", "ann", "cat")
	open("Tunnel", "cat", "ben", "ann")
	return groups, err
}
