package roomkit_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store/memstore"
)

func ExampleNew() {
	svc, err := roomkit.New(memstore.New(), &roomkit.Options{
		Policy: roomkit.Policy{MaxGroupsPerUser: 500},
	})
	fmt.Println(svc != nil, err)
	// Output: true <nil>
}

func ExampleService_Do() {
	svc := exampleService()
	room := exampleRoom(svc)
	result, err := svc.Do(ctx, roomkit.By("ann"), roomkit.Invite{Room: room, People: people("dan")})
	fmt.Println(err, result.Changed, len(result.Events), result.Events[0].Type())
	result, err = svc.Do(ctx, roomkit.By("ann"), roomkit.Invite{Room: room, People: people("dan")})
	fmt.Println(err, result.Changed)
	// Output:
	// <nil> true 1 member.joined
	// <nil> false
}

// Plan says what a command would do, or which rule forbids it.
func ExampleService_Plan() {
	svc := exampleService()
	room := exampleRoom(svc)
	mustRun(svc, roomkit.By("adm"), roomkit.SetExternalMessaging{Company: "acme", User: "cat", Channel: roomkit.ChannelWorks})
	plan, err := svc.Plan(ctx, roomkit.By("ann"), roomkit.Invite{Room: room, People: people("eve")})
	fmt.Println(err, "opens", plan.Kind, "without", plan.Dropped)
	_, err = svc.Room(ctx, "eve", plan.Room)
	fmt.Println(err)
	// Output:
	// <nil> opens external_group without [cat]
	// roomkit: Room: not found
}

func ExampleService_Access() {
	svc := exampleService()
	general, external := exampleRoom(svc), exampleExternal(svc)
	list, _ := svc.Access(ctx, "ben", general, external)
	for _, a := range list {
		fmt.Println(a.Kind, a.Standing, "leave:", a.Can(roomkit.ActionLeave), "features:", a.Features)
	}
	// Output:
	// general participant leave: true features: note,event,task,folder
	// external_group participant leave: false features: note,event,folder
}

// What a newcomer may read begins with joining, unless history is shared.
func ExampleReadFrom() {
	svc := exampleService()
	room := exampleRoom(svc)
	mustRun(svc, roomkit.By("ann"), roomkit.Invite{Room: room, People: people("dan")})
	mustRun(svc, roomkit.By("ann"), roomkit.Edit{Room: room, HistorySharing: new(true)})
	mustRun(svc, roomkit.By("ann"), roomkit.Invite{Room: room, People: people("adm")})
	for _, user := range people("ann", "dan", "adm", "eve") {
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

func ExampleService_Check() {
	svc := exampleService()
	room := exampleExternal(svc)
	fmt.Println(svc.Check(ctx, "eve", roomkit.ActionPost, room))
	fmt.Println(ruleOf(svc.Check(ctx, "eve", roomkit.ActionRename, room)))
	fmt.Println(svc.Check(ctx, "dan", roomkit.ActionPost, room))
	// Output:
	// <nil>
	// EXT-46
	// roomkit: Check: not found
}

// A request that may arrive twice is done once.
func ExampleWithKey() {
	svc := exampleService()
	create := roomkit.CreateRoom{People: people("ben", "cat"), Audience: roomkit.AudienceMembers, Anyway: true}
	first, _ := svc.Do(ctx, roomkit.By("ann"), create, roomkit.WithKey("request-17"))
	second, _ := svc.Do(ctx, roomkit.By("ann"), create, roomkit.WithKey("request-17"))
	fmt.Println(second.Room == first.Room, second.Repeat)
	create.Name = "something else"
	_, err := svc.Do(ctx, roomkit.By("ann"), create, roomkit.WithKey("request-17"))
	fmt.Println(errors.Is(err, roomkit.ErrCommandReused))
	// Output:
	// true true
	// true
}

// A command that was meant for the room as the user saw it.
func ExampleIfVersion() {
	svc := exampleService()
	room := exampleRoom(svc)
	seen, _ := svc.Room(ctx, "ann", room)
	mustRun(svc, roomkit.By("ben"), roomkit.Edit{Room: room, Name: new("ben's name")})
	_, err := svc.Do(ctx, roomkit.By("ann"), roomkit.Edit{Room: room, Name: new("ann's name")}, roomkit.IfVersion(seen.Version))
	fmt.Println(errors.Is(err, roomkit.ErrConflict))
	// Output: true
}

// The feed has every event once, in order, from any cursor on.
func ExampleService_Feed() {
	svc := exampleService()
	room := exampleRoom(svc)
	done, _ := svc.Do(ctx, roomkit.By("ben"), roomkit.Leave{Room: room})
	for rec, err := range svc.Feed(ctx, "") {
		if err != nil {
			fmt.Println(err)
			break
		}
		if rec.Subject == roomkit.RoomSubject(room) {
			fmt.Println(rec.Version, rec.Event.Type(), rec.Event.Info().Actor, rec.Event.Info().Cause)
		}
	}
	for range svc.Feed(ctx, done.Cursor) {
		fmt.Println("nothing is newer")
	}
	// Output:
	// 1 room.created ann created
	// 2 member.joined ann created
	// 3 member.left ben self
}

func ExampleService_Members() {
	svc := exampleService()
	room := exampleExternal(svc)
	for m, err := range svc.Members(ctx, "eve", room, roomkit.MemberQuery{}) {
		fmt.Println(m.User, m.Company, m.Master, err)
	}
	for _, err := range svc.Members(ctx, "dan", room, roomkit.MemberQuery{}) {
		fmt.Println(err)
	}
	// Output:
	// ann acme true <nil>
	// ben acme false <nil>
	// eve bolt false <nil>
	// roomkit: Members: not found
}

func ExampleService_Rooms() {
	svc := exampleService()
	exampleRoom(svc)
	exampleExternal(svc)
	for entry := range svc.Rooms(ctx, "ann", roomkit.RoomQuery{Kinds: []roomkit.Kind{roomkit.KindExternalGroup}}) {
		fmt.Println(entry.Room.Name, entry.Room.Kind, "badge:", entry.Room.Kind.HasBadge(), "master:", entry.Member.Master)
	}
	// Output: Project external_group badge: true master: true
}

func ExampleService_Groups() {
	svc := exampleService()
	mustRun(svc, roomkit.By("ann"), roomkit.CreateGroup{Name: "open to all", Members: people("ben"), Settings: roomkit.GroupSettings{Public: true}})
	mustRun(svc, roomkit.By("ann"), roomkit.CreateGroup{Name: "closed", Members: people("ben")})
	for entry := range svc.Groups(ctx, "dan", roomkit.GroupsAll) {
		fmt.Println(entry.Room.Name)
	}
	// Output: open to all
}

func ExampleService_Recommend() {
	svc := exampleService()
	exampleRoom(svc)
	larger := exampleRoom(svc)
	mustRun(svc, roomkit.By("ann"), roomkit.Invite{Room: larger, People: people("dan")})
	offers, _ := svc.Recommend(ctx, "cat", people("ann", "ben"), roomkit.AudienceMembers, false)
	for _, o := range offers {
		fmt.Println(o.Room.Name, o.Exact, o.Extra)
	}
	// Output:
	// Launch true 0
	// Launch false 1
}

// A newcomer knows of a room's history what may be read.
func ExampleService_History() {
	svc := exampleService()
	room := exampleRoom(svc)
	mustRun(svc, roomkit.By("ann"), roomkit.Edit{Room: room, Name: new("Launch 2")})
	mustRun(svc, roomkit.By("ann"), roomkit.Invite{Room: room, People: people("dan")})
	for e, err := range svc.History(ctx, "dan", room, 0) {
		fmt.Println(e.Type(), e.Info().Version, err)
	}
	// Output: member.joined 4 <nil>
}

// A veto narrows the rules and never widens them.
func ExampleOptions_veto() {
	svc := exampleServiceWith(roomkit.Options{
		Policy: roomkit.Policy{AnyoneIsContact: true},
		Veto: func(_ roomkit.Actor, cmd roomkit.Command, _ roomkit.Decision) error {
			if remove, ok := cmd.(roomkit.Remove); ok && len(remove.People) > 1 {
				return errors.New("one at a time")
			}
			return nil
		},
	})
	room := exampleRoom(svc)
	_, err := svc.Do(ctx, roomkit.By("ann"), roomkit.Remove{Room: room, People: people("ben", "cat")})
	fmt.Println(err)
	// Output: roomkit: Remove: denied by VETO: one at a time
}

func ExampleObserver() {
	svc := exampleServiceWith(roomkit.Options{Observer: roomkit.Observer{
		Command: func(r roomkit.CommandReport) {
			if !r.Actor.IsSystem() {
				fmt.Println(r.Name, r.Actor, "changed:", r.Changed, "attempts:", r.Attempts, "error:", r.Err)
			}
		},
	}})
	room := exampleRoom(svc)
	_, _ = svc.Do(ctx, roomkit.By("dan"), roomkit.Leave{Room: room})
	// Output:
	// CreateRoom ann changed: true attempts: 1 error: <nil>
	// Leave dan changed: false attempts: 1 error: roomkit: Leave: not found
}

// directory is a host's own list of users.
type directory map[roomkit.UserID]roomkit.CompanyID

func (d directory) Users(_ context.Context, ids []roomkit.UserID) (users []roomkit.User, companies []roomkit.Company, err error) {
	for _, id := range ids {
		if company, ok := d[id]; ok {
			users = append(users, roomkit.User{ID: id, Company: company, Kind: roomkit.UserMember, Status: roomkit.StatusActive})
			companies = append(companies, roomkit.Company{ID: company, Core: true})
		}
	}
	return users, companies, nil
}

// Users that the store has not seen come from the host's directory when a
// command names them.
func ExampleDirectory() {
	svc, _ := roomkit.New(memstore.New(), &roomkit.Options{
		Directory: directory{"ann": "acme", "ben": "acme"},
	})
	opened, err := svc.Do(ctx, roomkit.By("ann"), roomkit.OpenDirect{With: "ben"})
	fmt.Println(opened.Kind, err)
	_, err = svc.Do(ctx, roomkit.By("ann"), roomkit.OpenDirect{With: "zoe"})
	fmt.Println(err)
	// Output:
	// direct <nil>
	// roomkit: OpenDirect: denied by CRE-49: unknown, or an outsider who is no contact of the actor [zoe]
}

// People of other companies have to be contacts. Only the host knows who is.
func ExampleOptions_contacts() {
	svc := exampleServiceWith(roomkit.Options{
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
	_, err = svc.Do(ctx, roomkit.By("ben"), roomkit.OpenDirect{With: "eve"}, roomkit.WithContacts("eve"))
	fmt.Println(err)
	// Output:
	// <nil>
	// roomkit: OpenDirect: denied by CRE-49: unknown, or an outsider who is no contact of the actor [eve]
	// <nil>
}

// counting is a store that counts the round trips to another one.
type counting struct {
	roomkit.Store
	loads, commits int
}

func (c *counting) Unwrap() roomkit.Store { return c.Store }

func (c *counting) Load(ctx context.Context, needs []roomkit.Need) ([]roomkit.Facts, error) {
	c.loads++
	return c.Store.Load(ctx, needs)
}

func (c *counting) Commit(ctx context.Context, changes []roomkit.Change) ([]roomkit.CommitResult, error) {
	c.commits++
	return c.Store.Commit(ctx, changes)
}

// A wrapper around a store shows what calls cost.
func ExampleStore() {
	store := &counting{Store: memstore.New()}
	svc, _ := roomkit.New(store, nil)
	provision(svc)
	room := exampleRoom(svc)
	cost := func(what string, run func()) {
		store.loads, store.commits = 0, 0
		run()
		fmt.Println(what, store.loads, store.commits)
	}
	do := func(cmd roomkit.Command) func() {
		return func() { _, _ = svc.Do(ctx, roomkit.By("ann"), cmd) }
	}
	cost("Invite:", do(roomkit.Invite{Room: room, People: people("dan")}))
	cost("Remove:", do(roomkit.Remove{Room: room, People: people("dan")}))
	cost("Edit, refused:", do(roomkit.Edit{Room: room, Note: new(true)}))
	cost("CreateRoom, offering:", do(roomkit.CreateRoom{People: people("ben", "cat"), Audience: roomkit.AudienceMembers}))
	cost("CreateGroup:", do(roomkit.CreateGroup{Name: "Crew", Members: people("ben")}))
	cost("Check:", func() { _ = svc.Check(ctx, "ann", roomkit.ActionPost, room) })
	cost("Access of two rooms:", func() { _, _ = svc.Access(ctx, "ann", room, roomkit.SelfRoom("ann")) })
	// Output:
	// Invite: 1 1
	// Remove: 1 1
	// Edit, refused: 1 0
	// CreateRoom, offering: 2 0
	// CreateGroup: 2 1
	// Check: 1 0
	// Access of two rooms: 1 0
}

// A follower remembers in the store how far it has come.
func ExampleService_Follow() {
	svc := exampleService()
	mail := func(_ context.Context, rec roomkit.Recorded) error {
		for _, n := range roomkit.NoticesOf(rec.Event) {
			fmt.Println(n.To, n.Key, n.Params["name"])
		}
		return nil
	}
	room, on := exampleExternal(svc), true
	_, _ = svc.Do(ctx, roomkit.By("ann"), roomkit.Edit{Room: room, Notify: &on})
	_, _ = svc.Do(ctx, roomkit.By("ann"), roomkit.Remove{Room: room, People: people("ben")})
	fmt.Println(svc.Follow(ctx, "mailer", mail, &roomkit.FollowOptions{Once: true}))
	fmt.Println(svc.Follow(ctx, "mailer", mail, &roomkit.FollowOptions{Once: true}), "and nobody is told again")
	// Output:
	// ben removed Project
	// <nil>
	// <nil> and nobody is told again
}

// Verify compares what a store holds with what its events say.
func ExampleVerify() {
	store := memstore.New()
	svc, _ := roomkit.New(store, nil)
	_, _ = svc.Do(ctx, roomkit.System(), roomkit.PutCompany{Company: roomkit.Company{ID: "acme", Core: true}})
	fmt.Println(roomkit.Verify(ctx, store, func(p roomkit.VerifyProgress) { fmt.Println(p.Records, "records") }))
	// Output:
	// 1 records
	// 1 records
	// <nil>
}
