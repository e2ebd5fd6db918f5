package service_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// A picker greys out who cannot be chosen, and says why.
func ExampleService_Choose() {
	ctx := context.Background()
	svc, _ := service.New(memstore.New(), nil)
	for user, company := range map[roomkit.UserID]roomkit.CompanyID{"ann": "acme", "ben": "acme", "cat": "acme", "eve": "bolt"} {
		_, _ = svc.Do(ctx, roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{ID: company, Licensed: true, MembersCreateGroups: true}})
		_, _ = svc.Do(ctx, roomkit.System(), roomkit.AddUser{User: roomkit.User{
			ID: user, Company: company, Kind: roomkit.UserMember, Status: roomkit.StatusActive,
		}})
	}
	_, _ = svc.Do(ctx, roomkit.System(), roomkit.SuspendUser{User: "cat"})
	crew, _ := svc.Do(ctx, roomkit.By("ann"), roomkit.CreateGroup{Name: "Crew", Members: people("ben")})

	invite := roomkit.Invite{Room: crew.Room} // nobody is chosen yet
	choices, err := svc.Choose(ctx, roomkit.By("ann"), invite, people("ben", "cat", "eve"), service.Call{Contacts: people("eve")})
	for _, c := range choices {
		fmt.Println(c.User, "already:", c.Already, "against:", c.Against)
	}
	fmt.Println(err)

	// Whoever gives the command nevertheless is told the same of all at once.
	invite.People = people("cat", "eve", "zoe")
	_, err = svc.Do(ctx, roomkit.By("ann"), invite, service.Call{Contacts: people("eve")})
	var denied *roomkit.Denied
	if errors.As(err, &denied) {
		fmt.Println(denied.Rule, denied.Against)
	}
	_, err = svc.Choose(ctx, roomkit.By("ben"), invite, people("cat"))
	fmt.Println(err)
	// Output:
	// ben already: true against: []
	// cat already: false against: [cat ADM-17]
	// eve already: false against: [eve GRP-02]
	// <nil>
	// CRE-49 [cat ADM-17 eve GRP-02 zoe CRE-49]
	// roomkit: Choose: denied by GRP-07: invite in a room of kind group: only as master or administrator
}
