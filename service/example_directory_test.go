package service_test

import (
	"context"
	"fmt"
	"net/url"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// The host adds companies and users, as often as it likes: who is there stays as he is.
// What is not said of them is not permitted.
func ExampleAddUser() {
	ctx := context.Background()
	svc, _ := service.New(memstore.New(), nil)
	company := roomkit.AddCompany{Company: roomkit.Company{ID: "acme", Licensed: true, MembersCreateGroups: true}}
	adm := roomkit.User{ID: "adm", Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Administrator: true}
	lin := roomkit.User{ID: "lin", Kind: roomkit.UserConsumer, Status: roomkit.StatusActive}
	for range 2 {
		cmds := []roomkit.Command{company, roomkit.AddUser{User: adm}, roomkit.AddUser{User: lin}}
		for _, cmd := range cmds {
			done, err := svc.Do(ctx, roomkit.System(), cmd)
			fmt.Println(roomkit.CommandName(cmd), "changed:", done.Changed, err)
		}
	}
	_, err := svc.Do(ctx, roomkit.By("adm"), roomkit.AddUser{User: lin})
	fmt.Println(err)
	// Output:
	// AddCompany changed: true <nil>
	// AddUser changed: true <nil>
	// AddUser changed: true <nil>
	// AddCompany changed: false <nil>
	// AddUser changed: false <nil>
	// AddUser changed: false <nil>
	// roomkit: AddUser: denied by ADM-23: only the system provisions users
}

// What an identity provider calls a user is an id. Where it can be any text, such as a
// mail address beyond ASCII, all ids of that provider are escaped, and turned back.
func ExampleAddUser_idsOfProviders() {
	svc := exampleService() // acme with adm, ann, ben, cat and dan; bolt with eve
	user := roomkit.User{Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}
	for _, id := range []roomkit.UserID{"auth0|5f7c8ec7c33c6c00", "kim_globex#EXT#@acme.example"} {
		user.ID = id
		mustRun(svc, roomkit.System(), roomkit.AddUser{User: user})
	}
	for _, mail := range []string{"김철수@회사.example", "o'brien@acme.example"} {
		user.ID = roomkit.UserID(url.PathEscape(mail))
		mustRun(svc, roomkit.System(), roomkit.AddUser{User: user})
		back, err := url.PathUnescape(string(user.ID))
		fmt.Println(user.ID, back, err)
	}
	user.ID = "김철수@회사.example"
	_, err := svc.Do(ctx, roomkit.System(), roomkit.AddUser{User: user})
	fmt.Println(err)
	// Output:
	// %EA%B9%80%EC%B2%A0%EC%88%98@%ED%9A%8C%EC%82%AC.example 김철수@회사.example <nil>
	// o%27brien@acme.example o'brien@acme.example <nil>
	// roomkit: AddUser: invalid User.ID: not an id: 1 to 128 characters of ASCII, without spaces and any of " * < > \
}

// Access ends with the deletion. A restored account has no rooms.
func ExampleDeleteUser() {
	svc := exampleService() // acme with adm, ann, ben, cat and dan; bolt with eve
	room, _ := svc.Do(ctx, roomkit.By("ann"), roomkit.CreateRoom{
		People: []roomkit.UserID{"ben", "cat"}, Audience: roomkit.AudienceMembers,
	})
	for _, cmd := range []roomkit.Command{roomkit.DeleteUser{User: "cat"}, roomkit.RestoreUser{User: "cat"}} {
		_, err := svc.Do(ctx, roomkit.System(), cmd)
		fmt.Println(roomkit.CommandName(cmd), err)
		fmt.Println(svc.Check(ctx, "cat", roomkit.ActionPost, room.Room))
	}
	// Output:
	// DeleteUser <nil>
	// roomkit: Check: denied by ADM-13: post in a room of kind general: the account is deleted, or has been since
	// RestoreUser <nil>
	// roomkit: Check: denied by ADM-13: post in a room of kind general: the account is deleted, or has been since
}

// A suspended user cannot act but stays in every room.
func ExampleSuspendUser() {
	svc := exampleService() // acme with adm, ann, ben, cat and dan; bolt with eve
	direct, _ := svc.Do(ctx, roomkit.By("ann"), roomkit.OpenDirect{With: "ben"})

	_, _ = svc.Do(ctx, roomkit.System(), roomkit.SuspendUser{User: "ben"})
	fmt.Println(svc.Check(ctx, "ben", roomkit.ActionPost, direct.Room))
	for m, err := range svc.Members(ctx, "ann", direct.Room, service.MemberList{}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("in the room:", m.User)
	}
	_, _ = svc.Do(ctx, roomkit.System(), roomkit.SuspendUser{User: "ben", Lift: true})
	fmt.Println(svc.Check(ctx, "ben", roomkit.ActionPost, direct.Room))
	// Output:
	// roomkit: Check: denied by ADM-17: post in a room of kind direct: the account is suspended
	// in the room: ann
	// in the room: ben
	// <nil>
}

// directory is a host's own list of users.
type directory map[roomkit.UserID]roomkit.CompanyID

func (d directory) Users(_ context.Context, ids []roomkit.UserID) (users []roomkit.User, companies []roomkit.Company, err error) {
	for _, id := range ids {
		if company, ok := d[id]; ok {
			users = append(users, roomkit.User{ID: id, Company: company, Kind: roomkit.UserMember, Status: roomkit.StatusActive})
			companies = append(companies, roomkit.Company{ID: company, Licensed: true})
		}
	}
	return users, companies, nil
}

// Users that the store has not seen come from the host's directory when a
// command names them.
func ExampleDirectory() {
	ctx := context.Background()
	svc, _ := service.New(memstore.New(), &service.Options{
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
