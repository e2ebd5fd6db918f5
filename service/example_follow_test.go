package service_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// A follower remembers in the store how far it has come: what it was told once it
// is not told again, be it after a restart. A service leaves Once out.
func ExampleService_Follow() {
	ctx := context.Background()
	svc, _ := service.New(memstore.New(), nil)
	_, _ = svc.Do(ctx, roomkit.System(), roomkit.PutCompany{Company: roomkit.Company{ID: "acme", Core: true}})
	user := roomkit.User{Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}
	for _, user.ID = range []roomkit.UserID{"ann", "ben"} {
		_, _ = svc.Do(ctx, roomkit.System(), roomkit.PutUsers{Users: []roomkit.User{user}})
	}
	index := func(_ context.Context, rec service.Recorded) error {
		if rec.Subject.Type == roomkit.SubjectRoom {
			fmt.Println(rec.Version, rec.Event.Type())
		}
		return nil
	}
	once := service.FollowOptions{Once: true}
	direct, _ := svc.Do(ctx, roomkit.By("ann"), roomkit.OpenDirect{With: "ben"})
	fmt.Println(svc.Follow(ctx, "search", index, &once))

	_, _ = svc.Do(ctx, roomkit.By("ann"), roomkit.Leave{Room: direct.Room})
	fmt.Println(svc.Follow(ctx, "search", index, &once))
	// Output:
	// 1 room.created
	// 2 member.joined
	// <nil>
	// 3 member.left
	// <nil>
}

// An event that the handler cannot get past stops the follower, until somebody
// decides to skip it.
func ExampleService_SkipEvent() {
	ctx := context.Background()
	svc, _ := service.New(memstore.New(), nil)
	for _, company := range []roomkit.CompanyID{"acme", "bolt"} {
		_, _ = svc.Do(ctx, roomkit.System(), roomkit.PutCompany{Company: roomkit.Company{ID: company, Core: true}})
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
			_, _ = svc.Do(ctx, roomkit.System(), roomkit.PutCompany{Company: roomkit.Company{ID: company, Core: true}})
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
	svc, _ := service.New(memstore.New(), nil)
	_, _ = svc.Do(ctx, roomkit.System(), roomkit.PutCompany{Company: roomkit.Company{ID: "acme", Core: true}})
	user := roomkit.User{Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}
	for _, user.ID = range []roomkit.UserID{"ann", "ben", "cat", "dan"} {
		_, _ = svc.Do(ctx, roomkit.System(), roomkit.PutUsers{Users: []roomkit.User{user}})
	}
	opened, _ := svc.Do(ctx, roomkit.By("ann"), roomkit.CreateRoom{
		People: []roomkit.UserID{"ben", "cat"}, Audience: roomkit.AudienceMembers,
	})
	room := opened.Room
	_, _ = svc.Do(ctx, roomkit.By("ann"), roomkit.Invite{Room: room, People: []roomkit.UserID{"dan"}})
	for rec, err := range svc.WatchRooms(ctx, "cat", opened.Cursor, room) {
		if err != nil {
			fmt.Println(err)
			break
		}
		fmt.Println(rec.Version, rec.Event.Type())
		_, _ = svc.Do(ctx, roomkit.By("cat"), roomkit.Leave{Room: room})
	}
	fmt.Println("cat is in no room any more")
	// Output:
	// 3 member.joined
	// 4 member.left
	// cat is in no room any more
}
