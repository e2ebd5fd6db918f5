package roomtest_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/roomtest"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// shown is a test in an example: it prints how it fails.
type shown struct{ testing.TB }

func (shown) Helper()                           {}
func (shown) Cleanup(func())                    {}
func (shown) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) }
func (shown) Fatalf(format string, args ...any) { fmt.Printf(format+"\n", args...) }

var t testing.TB = shown{}

// Here as in the other examples, t is that of the test.
func ExampleNew() {
	w := roomtest.New(t).Company("acme", "ann", "ben").Administrators("acme", "adm").Consumers("lin")
	room := w.General("ann", "ben", "lin")
	list, _ := w.Service.Access(context.Background(), "lin", room)
	fmt.Println(list[0].Kind, list[0].Can(roomkit.ActionPost))
	// Output: general true
}

// The rule that forbids, and because of whom.
func ExampleRequireDenied() {
	w := roomtest.New(t).Company("acme", "ann", "ben", "cat").Company("bolt", "eve")
	room := w.External("Project", "ann", "ben", "eve")
	_, err := w.Service.Do(context.Background(), roomkit.By("ben"), roomkit.Leave{Room: room})
	roomtest.RequireDenied(t, err, "EXT-17")
	_, err = w.Service.Do(context.Background(), roomkit.By("ann"), roomkit.CreateGroup{Name: "Crew", Members: []roomkit.UserID{"cat", "eve"}})
	roomtest.RequireDenied(t, err, "GRP-02", "eve")
	roomtest.RequireDenied(t, err, "EXT-17")
	// Output: roomtest: wanted a refusal by EXT-17, got one by GRP-02 (not of the owning company); name that rule, or change who asks for what
}

// A store of your own, and options that the tested program has.
func ExampleNewOn() {
	w := roomtest.NewOn(t, memstore.New(), func(o *service.Options) { o.Policy.AnyoneIsContact = false })
	w.Company("acme", "ann").Company("bolt", "eve")
	_, err := w.Service.Do(context.Background(), roomkit.By("ann"), roomkit.OpenDirect{With: "eve"})
	denied := roomtest.RequireDenied(t, err, "CRE-49")
	fmt.Println(denied.People)
	// Output: [eve]
}

// Who is permitted less than everything: the company's mode, an account, a team.
func ExampleWorld_System() {
	w := roomtest.New(t).Company("acme", "ann", "ben").Company("bolt", "eve")
	room := w.External("Project", "ann", "ben", "eve")
	w.System(
		roomkit.SuspendUser{User: "ben"},
		roomkit.SetCompanyMessaging{Company: "bolt", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalOff)},
	)
	roomtest.RequireWhoMay(t, w.Service, room, roomkit.ActionPost, "ann")
	roomtest.RequireDenied(t, w.Service.Check(context.Background(), "eve", roomkit.ActionPost, room), "EXT-22")
	// Output:
}

// A message from before somebody came in stays hidden from them.
func ExampleRequireWhoReads() {
	w := roomtest.New(t).Company("acme", "ann", "ben", "cat")
	room := w.Group("Crew", "ann", "ben")
	before, _ := w.Service.Access(context.Background(), "ann", room)
	w.Run("ann", roomkit.Invite{Room: room, People: []roomkit.UserID{"cat"}})
	roomtest.RequireWhoReads(t, w.Service, room, before[0].Version, "ann", "ben")
	// Output:
}

// The typed event, for what RequireEvents does not compare.
func ExampleRequireEvent() {
	w := roomtest.New(t).Company("acme", "ann", "ben", "cat")
	room := w.General("ann", "ben", "cat")
	events := roomtest.Events(t, w.Service, func() { w.Run("ben", roomkit.Leave{Room: room}) })
	fmt.Println(roomtest.RequireEvent[*roomkit.MemberLeft](t, events).Cause)
	roomtest.RequireEvent[*roomkit.RoomEnded](t, events)
	// Output:
	// self
	// roomtest: wanted one *roomkit.RoomEnded, got 0 among member.left; look at the commands that should make it
}

func ExampleRequireNotices() {
	w := roomtest.New(t).Company("acme", "ann", "ben", "cat")
	room := w.General("ann", "ben", "cat")
	events := roomtest.Events(t, w.Service, func() { w.Run("ann", roomkit.Remove{Room: room, People: []roomkit.UserID{"cat"}}) })
	roomtest.RequireNotices(t, events, roomkit.Notice{To: "cat", Key: roomkit.NoticeRemoved})
	// Output:
}

// What was stored although the answer is lost is found again under the key of the call.
func ExampleFaults_FailCommit() {
	ctx := context.Background()
	w := roomtest.New(t).Company("acme", "ann", "ben")
	open := func() (service.Result, error) {
		return w.Service.Do(ctx, roomkit.By("ann"), roomkit.OpenDirect{With: "ben"}, service.Call{Key: "request 7"})
	}
	w.Store.FailCommit(roomtest.Unknown)
	w.Store.FailLoad(roomtest.None, roomtest.Unavailable) // when the service looks whether it was stored
	_, err := open()
	fmt.Println(service.CategoryOf(err))
	again, err := open()
	fmt.Println(again.Repeat, err)
	// Output:
	// unknown_outcome
	// true <nil>
}

// Too many others are faster: as many conflicts as the service makes attempts.
func ExampleFaults_FailCommit_conflict() {
	w := roomtest.New(t, func(o *service.Options) { o.Attempts = 3 }).Company("acme", "ann", "ben")
	w.Store.FailCommit(slices.Repeat([]roomtest.Fault{roomtest.Conflict}, 3)...)
	_, err := w.Service.Do(context.Background(), roomkit.By("ann"), roomkit.OpenDirect{With: "ben"})
	roomtest.RequireConflict(t, err)
	// Output:
}

// Somebody removes ben after his command has been decided, and before it is stored.
func ExampleFaults_BeforeCommit() {
	w := roomtest.New(t).Company("acme", "ann", "ben", "cat", "dan")
	room := w.General("ann", "ben", "cat")
	w.Store.BeforeCommit(func() { w.Run("ann", roomkit.Remove{Room: room, People: []roomkit.UserID{"ben"}}) })
	_, err := w.Service.Do(context.Background(), roomkit.By("ben"), roomkit.Invite{Room: room, People: []roomkit.UserID{"dan"}})
	roomtest.RequireNotFound(t, err)
	roomtest.RequireWhoMay(t, w.Service, room, roomkit.ActionPost, "ann", "cat")
	// Output:
}

// A group whose message is off can be opened again for 30 days.
func ExampleClock() {
	w := roomtest.New(t).Company("acme", "ann", "ben")
	room := w.Group("Crew", "ann", "ben")
	w.Run("ann", roomkit.Edit{Room: room, Message: new(false)})
	w.Clock.Add(31 * 24 * time.Hour)
	for group, err := range w.Service.Expired(context.Background(), service.ExpiredList{Company: "acme"}) {
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println(group.Room == room)
	}
	// Output: true
}
