package service_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// Plan says what a command would do, or which rule forbids it.
func ExampleService_Plan() {
	svc := exampleService() // acme with adm, ann, ben, cat and dan; bolt with eve
	create := roomkit.CreateExternalGroup{Name: "Project", Members: []roomkit.UserID{"ben", "eve"}}
	plan, err := svc.Plan(ctx, roomkit.By("ann"), create)
	fmt.Println(err, "would open:", plan.Kind, plan.Opened)
	_, err = svc.Room(ctx, "ann", plan.Room)
	fmt.Println(err)
	mustRun(svc, roomkit.By("adm"), roomkit.SetUserMessaging{User: "ben", With: roomkit.OutsiderPartner, Allow: new(false)})
	_, err = svc.Plan(ctx, roomkit.By("ann"), create)
	fmt.Println(ruleOf(err))
	// Output:
	// <nil> would open: external_group true
	// roomkit: Room: not found
	// EXT-30
}

// What a newcomer may read begins with joining, unless history is shared. In a team room
// the newcomers come with the organisation chart.
func ExampleReadFrom() {
	svc := exampleService() // acme with adm, ann, ben, cat and dan; bolt with eve
	team := roomkit.SyncTeam{Team: "sales", Company: "acme", Name: "Sales", Leader: "ann", Members: []roomkit.UserID{"ann", "ben"}}
	mustRun(svc, roomkit.System(), team)
	mustRun(svc, roomkit.By("adm"), roomkit.EditTeam{Team: "sales", Room: new(true)})
	room := mustRun(svc, roomkit.By("ann"), roomkit.OpenTeamRoom{Team: "sales"}).Room

	team.Members = []roomkit.UserID{"ann", "ben", "dan"}
	mustRun(svc, roomkit.System(), team)
	mustRun(svc, roomkit.By("ann"), roomkit.Edit{Room: room, HistorySharing: new(true)})
	team.Members = []roomkit.UserID{"adm", "ann", "ben", "dan"}
	mustRun(svc, roomkit.System(), team)
	for _, user := range []roomkit.UserID{"ann", "dan", "adm", "eve"} {
		list, _ := svc.Access(ctx, user, room)
		from := list[0].ReadFrom
		fmt.Println(user, from.Allowed, from.All, from.Version)
	}
	// Output:
	// ann true true 0
	// dan true false 3
	// adm true true 0
	// eve false false 0
}

// A command that was meant for the room as the user saw it.
func ExampleCall_ifVersion() {
	svc := exampleService()  // acme with adm, ann, ben, cat and dan; bolt with eve
	room := exampleRoom(svc) // "Launch", a General room of ann, ben and cat
	seen, _ := svc.Room(ctx, "ann", room)
	mustRun(svc, roomkit.By("ben"), roomkit.Edit{Room: room, Description: new("all about the launch")})
	_, err := svc.Do(ctx, roomkit.By("ann"), roomkit.Edit{Room: room, Description: new("")}, service.Call{IfVersion: seen.Version})
	fmt.Println(errors.Is(err, roomkit.ErrConflict))
	// Output: true
}

// The feed has every event once, in order, from any cursor on.
func ExampleService_Feed() {
	svc := exampleService()  // acme with adm, ann, ben, cat and dan; bolt with eve
	room := exampleRoom(svc) // "Launch", a General room of ann, ben and cat
	done := mustRun(svc, roomkit.By("ben"), roomkit.Edit{Room: room, Description: new("all about the launch")})
	for rec, err := range svc.Feed(ctx, "") {
		if err != nil {
			fmt.Println(err)
			break
		}
		if rec.Subject == roomkit.RoomSubject(room) {
			fmt.Println(rec.Version, rec.Event.Type(), rec.Event.Info().Actor)
		}
	}
	for rec, err := range svc.Feed(ctx, done.Cursor) {
		fmt.Println("nothing is newer:", rec.Version, err)
	}
	// Output:
	// 1 room.created ann
	// 2 member.joined ann
	// 3 room.description_changed ben
}

func ExampleService_Members() {
	svc := exampleService()      // acme with adm, ann, ben, cat and dan; bolt with eve
	room := exampleExternal(svc) // "Project" of ann, its Group Master, ben and eve
	for m, err := range svc.Members(ctx, "eve", room, service.MemberList{}) {
		fmt.Println(m.User, m.Company, m.Master, err)
	}
	for _, err := range svc.Members(ctx, "dan", room, service.MemberList{}) {
		fmt.Println(err)
	}
	// Output:
	// ann acme true <nil>
	// ben acme false <nil>
	// eve bolt false <nil>
	// roomkit: Members: not found
}

func ExampleService_Rooms() {
	svc := exampleService() // acme with adm, ann, ben, cat and dan; bolt with eve
	exampleRoom(svc)
	exampleExternal(svc)
	for entry, err := range svc.Rooms(ctx, "ann", service.RoomList{Kinds: []roomkit.Kind{roomkit.KindExternalGroup}}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(entry.Room.Name, entry.Room.Kind, "badge:", entry.Room.Kind.HasBadge(), "master:", entry.Member.Master)
	}
	// Output: Project external_group badge: true master: true
}

func ExampleService_Groups() {
	svc := exampleService() // acme with adm, ann, ben, cat and dan; bolt with eve
	mustRun(svc, roomkit.By("ann"), roomkit.CreateGroup{Name: "open to all", Members: []roomkit.UserID{"ben"}, Settings: roomkit.GroupSettings{Public: true}})
	mustRun(svc, roomkit.By("ann"), roomkit.CreateGroup{Name: "closed", Members: []roomkit.UserID{"ben"}})
	for entry, err := range svc.Groups(ctx, "dan", service.GroupList{Part: service.GroupsAll}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(entry.Room.Name)
	}
	// Output: open to all
}

// A list that somebody scrolls is read page by page. The token of the next page can go to
// the browser and come back.
func ExampleService_MembersPage() {
	svc := exampleService()  // acme with adm, ann, ben, cat and dan; bolt with eve
	room := exampleRoom(svc) // "Launch", a General room of ann, ben and cat
	list := service.MemberList{Limit: 2}
	for more := true; more; more = list.After != "" {
		page, err := svc.MembersPage(ctx, "ben", room, list)
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, m := range page.Rows {
			fmt.Println(m.User)
		}
		list.After = page.Next
		fmt.Println("another page:", list.After != "")
	}
	_, err := svc.MembersPage(ctx, "ben", room, service.MemberList{After: "c2Vjb25k"})
	fmt.Println(err)
	// Output:
	// ann
	// ben
	// another page: true
	// cat
	// another page: false
	// roomkit: MembersPage: invalid After: not a token of this list
}

// What a list of rooms shows, in one round trip and in the order of the host, here by the
// last message.
func ExampleService_Screen() {
	svc := exampleService()      // acme with adm, ann, ben, cat and dan; bolt with eve
	room := exampleExternal(svc) // "Project" of ann, its Group Master, ben and eve
	lunch := mustRun(svc, roomkit.By("ann"), roomkit.CreateRoom{People: []roomkit.UserID{"ben", "dan"}}).Room
	direct := mustRun(svc, roomkit.By("ben"), roomkit.OpenDirect{With: "cat"}).Room
	views, err := svc.Screen(ctx, "ben", lunch, room, direct, roomkit.SelfRoom("ann"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, v := range views {
		title := v.Name
		if title == "" {
			title = fmt.Sprint(v.People)
		}
		fmt.Println(v.Kind, title, v.Counts.Participants, "badge:", v.Badge, "partners:", v.WithPartners, "post:", v.Can(roomkit.ActionPost))
	}
	// Output:
	// general [ann dan] 3 badge: false partners: false post: true
	// external_group Project 3 badge: true partners: true post: true
	// direct [cat] 2 badge: false partners: false post: true
	// none [] 0 badge: false partners: false post: false
}

// The host, and as far as it allows its administrators, reads what the library knows of
// the directory.
func ExampleService_Users() {
	svc := exampleService() // acme with adm, ann, ben, cat and dan; bolt with eve
	for u, err := range svc.Users(ctx, service.UserList{Company: "acme", Limit: 3}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(u.ID, u.Kind, u.Status, "administrator:", u.Administrator)
	}
	_, err := svc.User(ctx, "zoe")
	fmt.Println(err)
	// Output:
	// adm member active administrator: true
	// ann member active administrator: false
	// ben member active administrator: false
	// roomkit: User: not found
}

func ExampleService_Recommend() {
	svc := exampleService() // acme with adm, ann, ben, cat and dan; bolt with eve
	exampleRoom(svc)        // "Launch", a General room of ann, ben and cat
	mustRun(svc, roomkit.By("ann"), roomkit.CreateRoom{
		People: []roomkit.UserID{"ben", "cat", "dan"}, Audience: roomkit.AudienceMembers, Name: "Review", AllowDuplicate: true,
	})
	offers, _ := svc.Recommend(ctx, "cat", []roomkit.UserID{"ann", "ben"}, roomkit.AudienceMembers, false)
	for _, o := range offers {
		fmt.Println(o.Room.Name, o.Exact, o.Extra)
	}
	// Output:
	// Launch true 0
	// Review false 1
}

// A newcomer knows of a room's history what may be read.
func ExampleService_History() {
	svc := exampleService() // acme with adm, ann, ben, cat and dan; bolt with eve
	team := roomkit.SyncTeam{Team: "sales", Company: "acme", Name: "Sales", Leader: "ann", Members: []roomkit.UserID{"ann", "ben"}}
	mustRun(svc, roomkit.System(), team)
	mustRun(svc, roomkit.By("adm"), roomkit.EditTeam{Team: "sales", Room: new(true)})
	room := mustRun(svc, roomkit.By("ann"), roomkit.OpenTeamRoom{Team: "sales"}).Room
	team.Members = []roomkit.UserID{"ann", "ben", "dan"}
	mustRun(svc, roomkit.System(), team)
	for e, err := range svc.History(ctx, "dan", room, service.HistoryList{}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(e.Type(), e.Info().Version)
	}
	// Output: member.joined 3
}

// A veto narrows the rules and never widens them.
func ExampleOptions_veto() {
	svc := exampleServiceWith(service.Options{
		Policy: roomkit.Policy{AnyoneIsContact: true},
		Veto: func(_ roomkit.Actor, cmd roomkit.Command, _ service.Result) error {
			if create, ok := cmd.(roomkit.CreateGroup); ok && create.Settings.Public {
				return errors.New("no public groups here")
			}
			return nil
		},
	})
	create := roomkit.CreateGroup{Name: "Crew", Settings: roomkit.GroupSettings{Public: true}}
	_, err := svc.Do(ctx, roomkit.By("ann"), create)
	fmt.Println(err)
	// Output: roomkit: CreateGroup: denied by VETO: no public groups here
}

func ExampleObserver() {
	svc := exampleServiceWith(service.Options{Observer: service.Observer{
		Command: func(_ context.Context, r service.CommandReport) {
			if !r.Actor.IsSystem() {
				fmt.Println(r.Name, r.Actor, "changed:", r.Changed, "attempts:", r.Attempts, "error:", r.Err)
			}
		},
	}})
	room := exampleRoom(svc) // "Launch", a General room of ann, ben and cat
	_, _ = svc.Do(ctx, roomkit.By("dan"), roomkit.Leave{Room: room})
	// Output:
	// CreateRoom ann changed: true attempts: 1 error: <nil>
	// Leave dan changed: false attempts: 1 error: roomkit: Leave: not found
}

// People of other companies have to be contacts. Only the host knows who is.
func ExampleOptions_contacts() {
	svc := exampleServiceWith(service.Options{
		Contacts: func(_ context.Context, of roomkit.UserID, outsiders []roomkit.UserID) ([]roomkit.UserID, error) {
			if of == "ann" {
				return outsiders, nil
			}
			return nil, nil
		},
	})
	_, err := svc.Do(ctx, roomkit.By("ann"), roomkit.OpenDirect{With: "eve"})
	fmt.Println(err)
	_, err = svc.Do(ctx, roomkit.By("ben"), roomkit.OpenDirect{With: "eve"})
	fmt.Println(err)
	_, err = svc.Do(ctx, roomkit.By("ben"), roomkit.OpenDirect{With: "eve"}, service.Call{Contacts: []roomkit.UserID{"eve"}})
	fmt.Println(err)
	// Output:
	// <nil>
	// roomkit: OpenDirect: denied by CRE-49: unknown, or an outsider who is no contact of the actor [eve]
	// <nil>
}

// A host that stores messages in the database of the rooms asks with Require in the
// transaction that stores one. The examples of pgstore and sqlitestore run this.
func ExampleService_Require() {
	type transactional interface{ InTx(*sql.Tx) store.Store } // a *sqlitestore.Store for instance
	post := func(tx *sql.Tx, rooms transactional, svc *service.Service, sender roomkit.UserID, room roomkit.RoomID, body string) error {
		if err := svc.On(rooms.InTx(tx)).Require(ctx, sender, roomkit.ActionPost, room); err != nil {
			return err // a *roomkit.Denied says by which rule
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO messages (room, sender, body) VALUES (?, ?, ?)", room, sender, body)
		return err // the commit fails if the sender has lost the right by then
	}
	_ = post

	svc := exampleService() // in memory, without transactions: nothing would hold
	err := svc.Require(ctx, "ann", roomkit.ActionPost, exampleRoom(svc))
	fmt.Println(errors.Is(err, roomkit.ErrUnsupported))
	// Output:
	// true
}
