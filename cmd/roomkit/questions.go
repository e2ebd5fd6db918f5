package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/codec"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// questions are the commands that change nothing.
func (a *app) questions() []*cli.Command {
	return []*cli.Command{
		{Name: "why", Usage: "may USER take ACTION in ROOM, by which rule, and what would change it", ArgsUsage: "USER ACTION ROOM", Action: a.why,
			ShellComplete: func(_ context.Context, c *cli.Command) {
				if c.Args().Len() == 1 {
					fmt.Fprintln(a.out, strings.Join(actionTexts(), "\n"))
				}
			}},
		{Name: "plan", Usage: "what a command would do; - reads it from the standard input", ArgsUsage: "COMMAND-JSON", Action: a.plan,
			Flags: []cli.Flag{&cli.StringFlag{Name: "as", Usage: "who gives it: a user (default: the system)"}}},
		{Name: "rooms", Usage: "rooms of a user or a company", Action: a.rooms,
			Flags: []cli.Flag{&cli.StringFlag{Name: "user", Usage: "in which this user takes part or manages"}, &cli.StringFlag{Name: "company", Usage: "that this company owns"}}},
		{Name: "members", Usage: "people of a room", ArgsUsage: "ROOM", Action: a.members,
			Flags: []cli.Flag{&cli.BoolFlag{Name: "past", Usage: "those who have left, too"}}},
		{Name: "history", Usage: "events of a room", ArgsUsage: "ROOM", Action: a.history},
		{Name: "feed", Usage: "events of all rooms and the directory", Action: a.feed,
			Flags: []cli.Flag{&cli.BoolFlag{Name: "follow", Aliases: []string{"f"}, Usage: "go on when the end is reached"}, &cli.StringFlag{Name: "after", Usage: "begin behind this `CURSOR`"}}},
		{Name: "health", Usage: "what is wrong with the rooms of companies", ArgsUsage: "COMPANY…", Action: a.health},
		{Name: "due", Usage: "rooms whose content has to be deleted", ArgsUsage: "COMPANY…", Action: a.due},
	}
}

func (a *app) plan(ctx context.Context, c *cli.Command) error {
	given, err := args(c, "COMMAND-JSON")
	if err != nil {
		return err
	}
	data := []byte(given[0])
	if given[0] == "-" {
		if data, err = io.ReadAll(io.LimitReader(newInput(ctx, a.in), 1<<24)); err != nil {
			return err
		}
	}
	cmd, err := roomkit.UnmarshalCommand(data)
	if err != nil {
		return usage("no command: %v", err)
	}
	actor := roomkit.System()
	if as := c.String("as"); as != "" {
		actor = roomkit.By(roomkit.UserID(as))
	}
	o, err := a.open(ctx, c, reads)
	if err != nil {
		return err
	}
	defer o.close()
	res, err := o.svc.Plan(ctx, actor, cmd)
	if err != nil {
		return err
	}
	if a.output == "json" {
		return json.NewEncoder(a.out).Encode(res)
	}
	t := a.table("ROOM", "KIND", "VERSION", "OPENED", "CHANGED", "DROPPED")
	if err := t.row(res, res.Room, res.Kind, res.Version, res.Opened, res.Changed, join(res.Dropped)); err != nil {
		return err
	}
	if err := t.flush(); err != nil || len(res.Events) == 0 {
		return err
	}
	t = a.table(eventHead...)
	for _, e := range res.Events {
		if err := eventRow(t, "", e); err != nil {
			return err
		}
	}
	return t.flush()
}

func (a *app) rooms(ctx context.Context, c *cli.Command) error {
	if _, err := args(c); err != nil {
		return err
	}
	q := store.RoomQuery{User: roomkit.UserID(c.String("user")), Company: roomkit.CompanyID(c.String("company"))}
	if (q.User == "") == (q.Company == "") {
		return usage("rooms: give --user or --company")
	}
	o, err := a.open(ctx, c, reads)
	if err != nil {
		return err
	}
	defer o.close()
	if err := whose(ctx, o.store, &q); err != nil {
		return err
	}
	t := a.table("ROOM", "KIND", "STATE", "VERSION", "COMPANY", "PEOPLE", "MASTERS", "NAME")
	for page, err := range store.RoomPages(ctx, o.store, q) {
		if err != nil {
			return err
		}
		for _, e := range page {
			r := e.Room
			if err := t.row(r, r.ID, r.Kind, r.State, r.Version, r.Company, r.Participants, r.Masters, r.Name); err != nil {
				return err
			}
		}
	}
	return t.flush()
}

// whose demands that there is whoever a list is of.
func whose(ctx context.Context, s store.Store, q *store.RoomQuery) error {
	need := store.Need{People: []roomkit.UserID{q.User}}
	if q.User == "" {
		need = store.Need{Companies: []roomkit.CompanyID{q.Company}}
	}
	facts, err := store.Ask(ctx, s, []store.Need{need})
	switch {
	case err != nil:
		return err
	case q.User != "" && len(facts[0].Users) == 0:
		return fmt.Errorf("%w: there is no user %s", roomkit.ErrNotFound, q.User)
	case q.User == "" && len(facts[0].Companies) == 0:
		return fmt.Errorf("%w: there is no company %s", roomkit.ErrNotFound, q.Company)
	}
	return nil
}

func (a *app) members(ctx context.Context, c *cli.Command) error {
	o, room, err := a.openRoom(ctx, c)
	if err != nil {
		return err
	}
	defer o.close()
	q := store.MemberQuery{Room: room}
	if c.Bool("past") {
		q.Which = store.MembersAll
	}
	t := a.table("USER", "COMPANY", "KIND", "PARTICIPANT", "MASTER", "JOINED", "READS", "LEFT")
	for page, err := range store.MemberPages(ctx, o.store, q) {
		if err != nil {
			return err
		}
		for _, m := range page {
			from := "from then on"
			if m.ReadAll {
				from = "all"
			}
			if err := t.row(m, m.User, m.Company, m.Kind, m.Participant, m.Master, at(m.JoinedAt), from, at(m.LeftAt)); err != nil {
				return err
			}
		}
	}
	return t.flush()
}

// openRoom is for the commands about one room, which has to be there.
func (a *app) openRoom(ctx context.Context, c *cli.Command) (*opened, roomkit.RoomID, error) {
	given, err := args(c, "ROOM")
	if err != nil {
		return nil, roomkit.RoomID{}, err
	}
	room, err := roomArg(given[0])
	if err != nil {
		return nil, room, err
	}
	o, err := a.open(ctx, c, reads)
	if err != nil {
		return nil, room, err
	}
	answers, err := store.Ask(ctx, o.store, []store.Need{{Room: room}})
	if err == nil && answers[0].Room.Version == 0 {
		err = fmt.Errorf("%w: there is no room %s", roomkit.ErrNotFound, room)
	}
	if err != nil {
		o.close()
		return nil, room, err
	}
	return o, room, nil
}

func (a *app) history(ctx context.Context, c *cli.Command) error {
	o, room, err := a.openRoom(ctx, c)
	if err != nil {
		return err
	}
	defer o.close()
	base, err := store.BaseOf(ctx, o.store, roomkit.RoomSubject(room))
	if err != nil {
		return err
	}
	if base.Version > 0 {
		a.note(fmt.Sprintf("events up to version %d are forgotten", base.Version))
	}
	t := a.table(eventHead...)
	for page, err := range store.HistoryPages(ctx, o.store, roomkit.RoomSubject(room), base.Version) {
		if err != nil {
			return err
		}
		for _, rec := range page {
			e, err := codec.DecodeRecord(rec)
			if err != nil {
				return err
			}
			if err := eventRow(t, "", e); err != nil {
				return err
			}
		}
	}
	return t.flush()
}

var eventHead = []string{"VERSION", "AT", "ACTOR", "EVENT", "CAUSE", "DATA"}

// eventRow prints an event; what all events have stands in columns of its own.
func eventRow(t *table, cursor roomkit.Cursor, e roomkit.Event) error {
	if t.json != nil {
		return t.json.Encode(e)
	}
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return err
	}
	for _, common := range []string{"subject", "version", "at", "actor", "epoch", "command", "cause", "kind", "notify", "type"} {
		delete(fields, common)
	}
	rest, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	m := e.Info()
	columns := []any{m.Version, at(m.At), m.Actor, e.Type(), m.Cause, string(rest)}
	if cursor != "" {
		columns = append([]any{cursor, m.Subject}, columns...)
	}
	return t.row(e, columns...)
}

// feed that follows ends when it is interrupted, and that is its right end.
func (a *app) feed(ctx context.Context, c *cli.Command) error {
	if _, err := args(c); err != nil {
		return err
	}
	o, err := a.open(ctx, c, reads)
	if err != nil {
		return err
	}
	defer o.close()
	read, follow := o.svc.Feed, c.Bool("follow")
	if follow {
		read = o.svc.Watch
	}
	after := roomkit.Cursor(c.String("after"))
	if after == "" {
		if after, err = store.FeedBegin(ctx, o.store); err != nil {
			return err
		}
		if after != "" {
			a.note("events up to " + string(after) + " are forgotten")
		}
	}
	for rec, err := range read(ctx, after) {
		if follow && ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if a.output == "json" {
			err = json.NewEncoder(a.out).Encode(rec)
		} else { // a line at once, whatever comes behind it
			m := rec.Event.Info()
			_, err = fmt.Fprintf(a.out, "%s %s %-26s %s %d by %s\n", rec.Cursor, at(m.At), rec.Event.Type(), m.Subject, m.Version, m.Actor)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *app) health(ctx context.Context, c *cli.Command) error {
	return a.ofCompanies(ctx, c, []string{"COMPANY", "ROOM", "NAME", "PROBLEM", "COUNT", "PEOPLE"}, func(o *opened, t *table, company roomkit.CompanyID) error {
		for page, err := range store.RoomPages(ctx, o.store, store.RoomQuery{Company: company}) {
			if err != nil {
				return err
			}
			for _, e := range page {
				if err := healthOf(ctx, o, t, &e.Room); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func healthOf(ctx context.Context, o *opened, t *table, room *roomkit.Room) error {
	findings, err := o.svc.Health(ctx, room.ID)
	if err != nil {
		return err
	}
	for _, f := range findings {
		line := struct {
			Room roomkit.RoomID `json:"room"`
			service.Finding
		}{room.ID, f}
		if err := t.row(line, room.Company, room.ID, room.Name, f.Problem, f.Count, join(f.People)); err != nil {
			return err
		}
		t.rows++
	}
	return nil
}

func (a *app) due(ctx context.Context, c *cli.Command) error {
	err := a.ofCompanies(ctx, c, []string{"COMPANY", "ROOM", "KIND", "OFF SINCE", "DUE", "NAME"}, func(o *opened, t *table, company roomkit.CompanyID) error {
		for r, err := range o.svc.Expired(ctx, service.ExpiredList{Company: company}) {
			if err != nil {
				return err
			}
			if err := t.row(r, company, r.Room, r.Kind, at(r.Since), at(r.At), r.Name); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// ofCompanies prints a table about the companies of the command line. Rows that it has
// counted are findings.
func (a *app) ofCompanies(ctx context.Context, c *cli.Command, head []string, print func(*opened, *table, roomkit.CompanyID) error) error {
	if !c.Args().Present() {
		return usage("%s: give COMPANY…", c.Name)
	}
	o, err := a.open(ctx, c, reads)
	if err != nil {
		return err
	}
	defer o.close()
	t := a.table(head...)
	for _, id := range c.Args().Slice() {
		if _, err := o.svc.Company(ctx, roomkit.CompanyID(id)); err != nil {
			return err
		}
		if err := print(o, t, roomkit.CompanyID(id)); err != nil {
			return errors.Join(err, t.flush())
		}
	}
	if err := t.flush(); err != nil || t.rows == 0 {
		return err
	}
	return errFindings
}
