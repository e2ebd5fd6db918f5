// Fromfile opens the room for the people of a calendar event or of a mail. The
// room gets the title of the event or the subject of the mail. A room that these
// people share already is offered first; -new insists on another one. People
// whom the directory does not know are named and left out.
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
	"github.com/go-roomkit/roomkit/store"
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
	another := flags.Bool("new", false, "open a new room although one is offered")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *users == "" || *as == "" || flags.NArg() == 0 {
		return errors.New("usage: fromfile -users users.tsv -as user [-new] [-store STORE] FILE.ics|FILE.eml")
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
	svc, err := open(ctx, store, dir)
	if err != nil {
		return err
	}
	for _, path := range flags.Args() {
		what, err := invitation.Read(path)
		if err != nil {
			return err
		}
		create := request(what, dir, actor, out)
		create.AllowDuplicate = *another
		if err := openRoom(ctx, svc, actor, create, out); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

// open makes a service that knows the directory.
func open(ctx context.Context, store store.Store, dir *userlist.List) (*service.Service, error) {
	svc, err := service.New(store, &service.Options{Policy: roomkit.Policy{AnyoneIsContact: true}})
	if err != nil {
		return nil, err
	}
	var cmds []roomkit.Command
	for _, company := range dir.Companies {
		cmds = append(cmds, roomkit.AddCompany{Company: company})
	}
	for _, user := range dir.Users {
		cmds = append(cmds, roomkit.AddUser{User: user})
	}
	for _, cmd := range cmds {
		if _, err := svc.Do(ctx, roomkit.System(), cmd); err != nil {
			return nil, err
		}
	}
	return svc, nil
}

// request makes the command for the people whom the directory knows, and names
// the others.
func request(what *invitation.Invitation, dir *userlist.List, actor roomkit.UserID, out io.Writer) roomkit.CreateRoom {
	create := roomkit.CreateRoom{Origin: what.Origin, Title: what.Title}
	var unknown []string
	for _, address := range what.Addresses {
		id, ok := dir.ByMail[strings.ToLower(address)]
		switch {
		case !ok:
			unknown = append(unknown, address)
		case id != actor && !slices.Contains(create.People, id):
			create.People = append(create.People, id)
		}
	}
	fmt.Fprintf(out, "%s %q\n", what.Origin, what.Title)
	fmt.Fprintf(out, "  people: %s\n", list(create.People))
	if len(unknown) > 0 {
		fmt.Fprintf(out, "  left out, not in the directory: %s\n", strings.Join(unknown, ", "))
	}
	return create
}

func openRoom(ctx context.Context, svc *service.Service, actor roomkit.UserID, create roomkit.CreateRoom, out io.Writer) error {
	if len(create.People) == 0 {
		return fmt.Errorf("nobody besides %s is in the directory", actor)
	}
	result, err := svc.Do(ctx, roomkit.By(actor), create)
	var denied *roomkit.Denied
	var offered *roomkit.Offered
	switch {
	case errors.As(err, &offered):
		for _, offer := range offered.Offers {
			fmt.Fprintf(out, "  offered: %q, which these people share with %d others; -new opens another room\n", offer.Room.Name, offer.Extra)
		}
		return nil
	case errors.As(err, &denied):
		return fmt.Errorf("refused by rule %s: %s: %s", denied.Rule, denied.Reason, list(denied.People))
	case err != nil:
		return err
	}
	room, err := svc.Room(ctx, actor, result.Room)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "  room: %s %q of %d people, new: %t\n", room.Kind, room.Name, room.Participants, result.Opened)
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
