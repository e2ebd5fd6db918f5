package service_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// exampleService is what short examples begin with: a service that knows the
// company acme with ann, ben, cat, dan and adm, its administrator, and the
// company bolt with eve. All may talk with other companies, and everybody is
// everybody's contact.
func exampleService() *service.Service {
	return exampleServiceWith(service.Options{Policy: roomkit.Policy{AnyoneIsContact: true}})
}

func exampleServiceWith(o service.Options) *service.Service {
	svc, err := service.New(memstore.New(), &o)
	if err != nil {
		panic(err)
	}
	provision(svc)
	return svc
}

func provision(svc *service.Service) {
	for _, cmd := range proof.Founding() {
		mustRun(svc, roomkit.System(), cmd)
	}
}

// mustRun runs a command that an example relies on. If it is refused, that line in
// the output fails the example, and no other.
func mustRun(svc *service.Service, actor roomkit.Actor, cmd roomkit.Command) service.Result {
	result, err := svc.Do(ctx, actor, cmd)
	if err != nil {
		fmt.Println(err)
	}
	return result
}

// exampleRoom is a General room "Launch" of ann, ben and cat.
func exampleRoom(svc *service.Service) roomkit.RoomID {
	return mustRun(svc, roomkit.By("ann"), roomkit.CreateRoom{
		People: []roomkit.UserID{"ben", "cat"}, Audience: roomkit.AudienceMembers, Name: "Launch", AllowDuplicate: true,
	}).Room
}

// exampleGroup is a group "Crew" of ann, who is its Group Master, ben and cat, with
// group notification.
func exampleGroup(svc *service.Service) roomkit.RoomID {
	return mustRun(svc, roomkit.By("ann"), roomkit.CreateGroup{
		Name: "Crew", Members: []roomkit.UserID{"ben", "cat"}, Settings: roomkit.GroupSettings{Notify: true},
	}).Room
}

// exampleExternal is an external group "Project" of ann, who is its Group
// Master, ben and eve.
func exampleExternal(svc *service.Service) roomkit.RoomID {
	return mustRun(svc, roomkit.By("ann"), roomkit.CreateExternalGroup{
		Name: "Project", Members: []roomkit.UserID{"ben", "eve"},
	}).Room
}

// ruleOf gives the rule that refused a command.
func ruleOf(err error) roomkit.Rule {
	var denied *roomkit.Denied
	if !errors.As(err, &denied) {
		return ""
	}
	return denied.Rule
}

// printMembers prints who takes part, as a user sees it.
func printMembers(svc *service.Service, user roomkit.UserID, room roomkit.RoomID) {
	var names []string
	for m, err := range svc.Members(ctx, user, room, service.MemberList{Role: service.RoleParticipant}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		names = append(names, string(m.User))
	}
	fmt.Println(strings.Join(names, " "))
}

var ctx = context.Background()

func people(ids ...roomkit.UserID) []roomkit.UserID { return ids }
