package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-roomkit/roomkit"
)

// provision adds a desk of acme and a customer of beta.
func (a *app) provision(ctx context.Context) error {
	commands := []roomkit.Command{
		roomkit.AddCompany{Company: roomkit.Company{ID: "acme", Licensed: true, MembersCreateGroups: true, Partners: roomkit.ExternalAll}},
		roomkit.AddCompany{Company: roomkit.Company{ID: "beta", Licensed: true, Partners: roomkit.ExternalAll}},
	}
	for _, id := range []roomkit.UserID{"ann", "ben", "cat"} {
		of := roomkit.CompanyID("acme")
		if id == "cat" {
			of = "beta"
		}
		commands = append(commands, roomkit.AddUser{User: roomkit.User{ID: id, Company: of, Kind: roomkit.UserMember, Status: roomkit.StatusActive}})
	}
	for _, cmd := range commands {
		if _, err := a.svc.Do(ctx, roomkit.System(), cmd); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) story(ctx context.Context) error {
	fmt.Fprintln(a.out, "# A ticket and its room")
	t, err := a.open(ctx, "The printer smokes", func() error { return nil })
	if err != nil {
		return err
	}
	if err := a.tell(ctx, t); err != nil {
		return err
	}
	if _, err := a.post(ctx, t, "cat", "It smokes", nil); err != nil {
		return err
	}

	fmt.Fprintln(a.out, "\n# A ticket that the host takes back")
	taken := errors.New("no number is left on the shelf")
	lost, err := a.open(ctx, "The coffee is cold", func() error { return taken })
	if !errors.Is(err, taken) {
		return fmt.Errorf("it was not taken back: %w", err)
	}
	fmt.Fprintln(a.out, taken)
	if err := a.tell(ctx, lost); err != nil {
		return err
	}

	fmt.Fprintln(a.out, "\n# Somebody changes the room meanwhile")
	attempts, err := a.post(ctx, t, "cat", "It burns", func() error {
		_, err := a.svc.Do(ctx, roomkit.By("ann"), roomkit.Edit{Room: t.room, Description: new("Urgent")})
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "with attempt %d\n", attempts)

	fmt.Fprintln(a.out, "\n# The guest is suspended for a moment")
	for _, lift := range []bool{false, true} {
		if _, err := a.svc.Do(ctx, roomkit.System(), roomkit.SuspendUser{User: "cat", Lift: lift}); err != nil {
			return err
		}
		if _, err := a.post(ctx, t, "cat", "Hello?", nil); err != nil {
			return err
		}
	}

	fmt.Fprintln(a.out, "\n# The guest is removed")
	if _, err := a.svc.Do(ctx, roomkit.By("ann"), roomkit.Remove{Room: t.room, People: []roomkit.UserID{"cat"}}); err != nil {
		return err
	}
	if _, err := a.post(ctx, t, "cat", "Is it out?", nil); err != nil {
		return err
	}
	if _, err := a.post(ctx, t, "ben", "It is out", nil); err != nil {
		return err
	}
	return a.tell(ctx, t)
}

// tell says what there is of a ticket, as everybody sees it.
func (a *app) tell(ctx context.Context, t ticket) error {
	var rows, messages int
	err := a.inTx(ctx, func(tx hostTx) error {
		if err := tx.ask(&rows, "SELECT count(*) FROM desk_tickets WHERE id = $1", t.id); err != nil {
			return err
		}
		return tx.ask(&messages, "SELECT count(*) FROM desk_messages WHERE ticket = $1", t.id)
	})
	if err != nil {
		return err
	}
	room := "a room"
	if err := a.svc.Check(ctx, "ann", roomkit.ActionEnter, t.room); errors.Is(err, roomkit.ErrNotFound) {
		room = "no room"
	} else if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "ticket %d: rows: %d, messages: %d, %s\n", t.id, rows, messages, room)
	return nil
}
