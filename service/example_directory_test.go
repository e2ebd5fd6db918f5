package service_test

import (
	"context"
	"fmt"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/memstore"
)

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
