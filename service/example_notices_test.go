package service_test

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// The host turns the key and the parameters of a notice into text. A follower
// loses none; here the feed is read once.
func ExampleNoticesOf() {
	ctx := context.Background()
	svc, _ := service.New(memstore.New(), nil)
	_, _ = svc.Do(ctx, roomkit.System(), roomkit.PutCompany{Company: roomkit.Company{
		ID: "acme", Core: true, MembersCreateGroups: true,
	}})
	user := roomkit.User{Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}
	for _, user.ID = range []roomkit.UserID{"ann", "ben", "cat"} {
		_, _ = svc.Do(ctx, roomkit.System(), roomkit.PutUsers{Users: []roomkit.User{user}})
	}
	crew, _ := svc.Do(ctx, roomkit.By("ann"), roomkit.CreateGroup{
		Name: "Crew", Members: []roomkit.UserID{"ben"}, Settings: roomkit.GroupSettings{Notify: true},
	})
	for _, cmd := range []roomkit.Command{
		roomkit.Invite{Room: crew.Room, People: []roomkit.UserID{"cat"}},
		roomkit.Edit{Room: crew.Room, Name: new("Crew 2")},
		roomkit.Remove{Room: crew.Room, People: []roomkit.UserID{"cat"}},
	} {
		_, _ = svc.Do(ctx, roomkit.By("ann"), cmd)
	}
	texts := map[roomkit.NoticeKey]string{
		roomkit.NoticeAdded:   "{actor} has added you to a group",
		roomkit.NoticeRemoved: "{actor} has removed you from {name}",
		roomkit.NoticeRenamed: "{actor} has named the group {name}",
	}
	for rec := range svc.Feed(ctx, "") {
		for _, n := range roomkit.NoticesOf(rec.Event) {
			fill := strings.NewReplacer("{actor}", n.Params["actor"], "{name}", n.Params["name"])
			fmt.Printf("to %s: %s\n", cmp.Or(n.To, "everyone in the room"), fill.Replace(texts[n.Key]))
		}
	}
	// Output:
	// to ben: ann has added you to a group
	// to cat: ann has added you to a group
	// to everyone in the room: ann has named the group Crew 2
	// to cat: ann has removed you from Crew 2
}
