// Fromfile opens the room for the people of calendar events and of mails, of files as
// Outlook, Google, Apple, Zimbra, and Korean and Japanese mailers write them. The room gets the
// title of the event or the subject of the mail. A room that these people share already is
// offered first; -new insists on another one.
//
// A calendar file gives a room for each of its events; a series is one event. What its METHOD
// says decides: REQUEST, PUBLISH and none open or find the room, CANCEL, REPLY and the others
// open none. So it is for a mail that carries such a calendar; any other mail gives the room of
// its sender and its recipients.
//
// Whoever is named and does not come in is left out with the reason: not in the directory, a
// meeting room, a hidden recipient, not a mail address, refused by a rule. What is not read, like
// winmail.dat and Outlook's .msg, is in the comment of package invitation.
//
//	go run . -users testdata/users.tsv -as kim testdata/weekly.ics testdata/release.eml
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
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/examples/internal/invitation"
	"github.com/go-roomkit/roomkit/examples/internal/storeflag"
	"github.com/go-roomkit/roomkit/examples/internal/userlist"
	"github.com/go-roomkit/roomkit/service"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("fromfile: ")
	log.Print("the rooms of calendar events and mails")
	err := run(context.Background(), os.Args[1:], os.Stdout)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		log.Fatal(err)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("fromfile", flag.ContinueOnError)
	flags.SetOutput(out)
	users := flags.String("users", "", "the directory: a `file` of lines with user id, company, mail address and flags")
	as := flags.String("as", "", "the `user` id of whoever opens the room")
	where := flags.String("store", "memory", storeflag.Usage)
	charset := flags.String("charset", "", "of text that is not UTF-8 and does not name its `charset`, like euc-kr")
	another := flags.Bool("new", false, "open a new room although one is offered")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *users == "" || *as == "" || flags.NArg() == 0 {
		return errors.New("usage: fromfile -users users.tsv -as user [-new] [-charset CHARSET] [-store STORE] FILE.ics|FILE.eml …")
	}
	dir, err := userlist.Read(*users)
	if err != nil {
		return err
	}
	actor := roomkit.UserID(*as)
	if !dir.Knows(actor) {
		return fmt.Errorf("%s: user %q is not in it", *users, *as)
	}
	store, closeStore, err := storeflag.Open(ctx, *where, "fromfile")
	if err != nil {
		return err
	}
	defer closeStore()
	svc, err := service.New(store, &service.Options{Directory: dir, Policy: roomkit.Policy{AnyoneIsContact: true}})
	if err != nil {
		return err
	}
	opener := &opener{svc: svc, dir: dir, actor: actor, another: *another, out: out}
	var errs []error
	for _, path := range flags.Args() {
		found, err := invitation.Read(path, *charset)
		errs = append(errs, err)
		for _, what := range found {
			if err := opener.open(ctx, what); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", path, err))
			}
		}
	}
	return errors.Join(errs...)
}

type opener struct {
	svc     *service.Service
	dir     *userlist.List
	actor   roomkit.UserID
	another bool // although a room is offered
	out     io.Writer
}

// open opens or finds the room of an invitation, and tells who does not come in.
func (o *opener) open(ctx context.Context, what *invitation.Invitation) error {
	fmt.Fprintf(o.out, "%s %q\n", what.Origin, what.Title)
	for _, note := range what.Notes {
		fmt.Fprintf(o.out, "  note: %q\n", note)
	}
	for _, left := range what.LeftOut {
		o.leaveOut(left.Who, left.Why)
	}
	people := o.people(what)
	if what.NoRoom != "" {
		fmt.Fprintf(o.out, "  people: %s\n  no room: %s\n", list(people), what.NoRoom)
		return nil
	}
	for {
		create := roomkit.CreateRoom{Origin: what.Origin, Title: what.Title, People: people, AllowDuplicate: o.another}
		if len(people) == 0 {
			return fmt.Errorf("nobody besides %s comes in", o.actor)
		}
		result, err := o.svc.Do(ctx, roomkit.By(o.actor), create)
		var denied *roomkit.Denied
		if errors.As(err, &denied) {
			if rest := o.without(people, denied.Against); len(rest) < len(people) {
				people = rest
				continue
			}
			return fmt.Errorf("refused by rule %s: %s: %s", denied.Rule, denied.Reason, list(denied.People))
		}
		fmt.Fprintf(o.out, "  people: %s\n", list(people))
		return o.tell(ctx, result, err)
	}
}

// people gives the users with the addresses of an invitation, and leaves out the others.
func (o *opener) people(what *invitation.Invitation) []roomkit.UserID {
	var people []roomkit.UserID
	in := map[roomkit.UserID]bool{o.actor: true} // one may have several addresses
	for _, address := range what.People {
		id, ok := o.dir.ByMail(address)
		if !ok {
			o.leaveOut(address, "not in the directory")
		} else if !in[id] {
			people = append(people, id)
			in[id] = true
		}
	}
	return people
}

// without leaves out the people whom a rule refuses.
func (o *opener) without(people []roomkit.UserID, refused []roomkit.Refusal) []roomkit.UserID {
	rest := slices.Clone(people)
	for _, r := range refused {
		if i := slices.Index(rest, r.User); i >= 0 {
			rest = slices.Delete(rest, i, i+1)
			o.leaveOut(string(r.User), fmt.Sprintf("rule %s: %s", r.Rule, r.Reason))
		}
	}
	return rest
}

func (o *opener) leaveOut(who, why string) { fmt.Fprintf(o.out, "  left out: %q, %s\n", who, why) }

// tell tells which room there is now.
func (o *opener) tell(ctx context.Context, result service.Result, err error) error {
	var offered *roomkit.Offered
	if errors.As(err, &offered) {
		for _, offer := range offered.Offers {
			fmt.Fprintf(o.out, "  offered: %q, which these people share with %d others; -new opens another room\n", offer.Room.Name, offer.Extra)
		}
		return nil
	}
	if err != nil {
		return err
	}
	room, err := o.svc.Room(ctx, o.actor, result.Room)
	if err != nil {
		return err
	}
	fmt.Fprintf(o.out, "  room: %s %q of %d people, new: %t\n", room.Kind, room.Name, room.Participants, result.Opened)
	return nil
}

func list(people []roomkit.UserID) string {
	names := make([]string, len(people))
	for i, id := range people {
		names[i] = string(id)
	}
	if len(names) == 0 {
		return "nobody"
	}
	return strings.Join(names, ", ")
}
