package service_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// A follower remembers in the store how far it has come: what it was told once it
// is not told again, be it after a restart. A service leaves Once out.
func ExampleService_Follow() {
	svc := exampleService() // acme with adm, ann, ben, cat and dan; bolt with eve
	index := func(_ context.Context, rec service.Recorded) error {
		if rec.Subject.Type == roomkit.SubjectRoom {
			fmt.Println(rec.Version, rec.Event.Type())
		}
		return nil
	}
	once := service.FollowOptions{Once: true}
	_, _ = svc.Do(ctx, roomkit.By("ann"), roomkit.OpenDirect{With: "ben"})
	fmt.Println(svc.Follow(ctx, "search", index, &once))

	_, _ = svc.Do(ctx, roomkit.By("cat"), roomkit.OpenDirect{With: "ben"})
	fmt.Println(svc.Follow(ctx, "search", index, &once))
	// Output:
	// 1 room.created
	// 2 member.joined
	// <nil>
	// 1 room.created
	// 2 member.joined
	// <nil>
}

// An event that the handler cannot get past stops the follower, until somebody
// decides to skip it.
func ExampleService_SkipEvent() {
	ctx := context.Background()
	svc, _ := service.New(memstore.New(), nil)
	for _, company := range []roomkit.CompanyID{"acme", "bolt"} {
		_, _ = svc.Do(ctx, roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{ID: company, Licensed: true}})
	}
	handle := func(_ context.Context, rec service.Recorded) error {
		if rec.Subject == roomkit.CompanySubject("acme") {
			return errors.New("no tenant acme in the search engine")
		}
		fmt.Println("indexed", rec.Subject)
		return nil
	}
	options := service.FollowOptions{Once: true, Attempts: 1}
	err := svc.Follow(ctx, "search", handle, &options)
	var poison *service.PoisonEvent
	if errors.As(err, &poison) {
		fmt.Println(poison.Record.Subject, poison.Err)
		fmt.Println("skipped:", svc.SkipEvent(ctx, poison.Follower, poison.Record))
	}
	fmt.Println(svc.Follow(ctx, "search", handle, &options))
	// Output:
	// company:acme no tenant acme in the search engine
	// skipped: <nil>
	// indexed company:bolt
	// <nil>
}

// Watch is the feed that goes on; it remembers nothing. Whoever watches keeps the
// cursor of the last event.
func ExampleService_Watch() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	svc, _ := service.New(memstore.New(), nil)
	go func() {
		for _, company := range []roomkit.CompanyID{"acme", "bolt"} {
			_, _ = svc.Do(ctx, roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{ID: company, Licensed: true}})
		}
	}()
	seen := 0
	for rec, err := range svc.Watch(ctx, "") {
		if err != nil {
			fmt.Println(errors.Is(err, context.Canceled))
			break
		}
		fmt.Println(rec.Subject, rec.Event.Type())
		if seen++; seen == 2 {
			cancel() // a service is shut down
		}
	}
	// Output:
	// company:acme company.put
	// company:bolt company.put
	// true
}

// WatchRooms is for one user's screen: what may be known of these rooms, as long
// as the user is in them.
func ExampleService_WatchRooms() {
	ctx, stop := context.WithTimeout(context.Background(), 5*time.Second) // as long as the screen is open
	defer stop()
	svc := exampleService() // acme with adm, ann, ben, cat and dan; bolt with eve
	team := roomkit.SyncTeam{Team: "sales", Company: "acme", Name: "Sales", Leader: "ann", Members: people("ann", "ben", "cat")}
	mustRun(svc, roomkit.System(), team)
	mustRun(svc, roomkit.By("adm"), roomkit.EditTeam{Team: "sales", Room: new(true)})
	opened := mustRun(svc, roomkit.By("ann"), roomkit.OpenTeamRoom{Team: "sales"})
	room := opened.Room
	from, _ := svc.Head(ctx)
	team.Members = people("ann", "ben", "cat", "dan")
	mustRun(svc, roomkit.System(), team)
	team.Members = people("ann", "ben", "dan")
	for rec, err := range svc.WatchRooms(ctx, "cat", from, room) {
		if err != nil {
			fmt.Println(err)
			break
		}
		fmt.Println(rec.Version, rec.Event.Type())
		_, _ = svc.Do(ctx, roomkit.System(), team)
	}
	fmt.Println("cat is in no room any more")
	// Output:
	// 3 member.joined
	// 4 member.left
	// cat is in no room any more
}

// Enforce takes people out of rooms whose account or permission has ended. A
// service lets it run on in a goroutine; Once ends it at the end of the feed.
func ExampleService_Enforce() {
	svc := exampleService() // acme with adm, ann, ben, cat and dan; bolt with eve
	open := roomkit.CreateRoom{People: []roomkit.UserID{"ben", "cat"}, Audience: roomkit.AudienceMembers, AllowDuplicate: true}
	first, _ := svc.Do(ctx, roomkit.By("ann"), open)
	_, _ = svc.Do(ctx, roomkit.By("ann"), open)

	_, _ = svc.Do(ctx, roomkit.System(), roomkit.DeleteUser{User: "cat"})
	fmt.Println("cat may enter:", svc.Check(ctx, "cat", roomkit.ActionEnter, first.Room) == nil)
	before, _ := svc.Room(ctx, "ann", first.Room)

	err := svc.Enforce(ctx, &service.EnforceOptions{Once: true, Progress: func(p service.EnforceProgress) {
		fmt.Printf("%s: %d of %d rooms, %d changed, %d events\n", p.Cause, p.Rooms, p.Total, p.Changed, p.Events)
	}})
	after, _ := svc.Room(ctx, "ann", first.Room)
	fmt.Println("participants:", before.Participants, "and then", after.Participants, err)
	// Output:
	// cat may enter: false
	// account_ended: 2 of 2 rooms, 2 changed, 2 events
	// participants: 3 and then 2 <nil>
}

// The host turns the key and the parameters of a notice into text. A follower
// loses none; here the feed is read once.
func ExampleNoticesOf() {
	svc := exampleService() // acme with adm, ann, ben, cat and dan; bolt with eve
	crew, _ := svc.Do(ctx, roomkit.By("ann"), roomkit.CreateGroup{
		Name: "Crew", Members: []roomkit.UserID{"ben", "cat"}, Settings: roomkit.GroupSettings{Notify: true},
	})
	_, _ = svc.Do(ctx, roomkit.By("ann"), roomkit.Edit{Room: crew.Room, Note: new(false)})
	texts := map[roomkit.NoticeKey]string{
		roomkit.NoticeAdded:            "{actor} has added you to a group",
		roomkit.NoticeFeaturesSwitched: "{actor} has chosen the features: {features}",
	}
	for rec, err := range svc.Feed(ctx, "") {
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, n := range roomkit.NoticesOf(rec.Event) {
			fill := strings.NewReplacer("{actor}", n.Params["actor"], "{features}", n.Params["features"])
			fmt.Printf("to %s: %s\n", cmp.Or(n.To, "everyone in the room"), fill.Replace(texts[n.Key]))
		}
	}
	// Output:
	// to ben: ann has added you to a group
	// to cat: ann has added you to a group
	// to everyone in the room: ann has chosen the features: event,task,folder,mailing_list
}

// A job of the host asks once a day what is to be deleted.
func ExampleService_Expired() {
	ctx := context.Background()
	today := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	svc, _ := service.New(memstore.New(), &service.Options{Clock: func() time.Time { return today }})
	_, _ = svc.Do(ctx, roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{
		ID: "acme", Licensed: true, MembersCreateGroups: true,
	}})
	user := roomkit.User{Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}
	for _, user.ID = range []roomkit.UserID{"ann", "ben"} {
		_, _ = svc.Do(ctx, roomkit.System(), roomkit.AddUser{User: user})
	}
	crew, _ := svc.Do(ctx, roomkit.By("ann"), roomkit.CreateGroup{Name: "Crew", Members: []roomkit.UserID{"ben"}})
	_, _ = svc.Do(ctx, roomkit.By("ann"), roomkit.Edit{Room: crew.Room, Message: new(false)})

	for _, days := range []int{29, 30} {
		today = today.AddDate(0, 0, days)
		for due, err := range svc.Expired(ctx, service.ExpiredList{Company: "acme", At: today}) {
			fmt.Println("after", days, "days:", due.Name, due.Since.Format(time.DateOnly), due.At.Format(time.DateOnly), err)
		}
		today = today.AddDate(0, 0, -days)
	}
	// Output:
	// after 30 days: Crew 2026-01-02 2026-02-01 <nil>
}

// The library records the wish; the host deletes what it has stored.
func ExampleDeleteFeatureData() {
	svc := exampleService() // acme with adm, ann, ben, cat and dan; bolt with eve
	crew, _ := svc.Do(ctx, roomkit.By("ann"), roomkit.CreateGroup{Name: "Crew", Members: []roomkit.UserID{"ben"}})

	asked := roomkit.DeleteFeatureData{Room: crew.Room, Features: roomkit.Features(roomkit.FeatureNote, roomkit.FeatureFolder)}
	_, err := svc.Do(ctx, roomkit.By("ben"), asked)
	fmt.Println(err)
	done, _ := svc.Do(ctx, roomkit.By("ann"), asked)
	for rec, err := range svc.Feed(ctx, "") {
		if err != nil {
			fmt.Println(err)
			return
		}
		if e, ok := rec.Event.(*roomkit.FeatureDataDeleted); ok {
			fmt.Println("delete", e.Features, "of the room:", e.Subject == roomkit.RoomSubject(done.Room))
		}
	}
	// Output:
	// roomkit: DeleteFeatureData: denied by GRP-15: delete_feature_data in a room of kind group: only as master or administrator
	// delete note,folder of the room: true
}
