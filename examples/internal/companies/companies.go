// Package companies provisions the people that the stories of the examples are about.
package companies

import (
	"context"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

// Provision makes the company acme of adm, its administrator, kim, lee and min, and
// the company bolt of eve and fay. All of them may talk with users of other
// companies and create groups.
func Provision(ctx context.Context, svc *service.Service) error {
	var users []roomkit.User
	for id, company := range map[roomkit.UserID]roomkit.CompanyID{
		"adm": "acme", "kim": "acme", "lee": "acme", "min": "acme", "eve": "bolt", "fay": "bolt",
	} {
		users = append(users, roomkit.User{
			ID: id, Company: company, Kind: roomkit.UserMember, Status: roomkit.StatusActive,
			Partners: true, Administrator: id == "adm",
		})
	}
	acme := roomkit.Company{ID: "acme", Licensed: true, MembersCreateGroups: true, Partners: roomkit.ExternalSelected}
	bolt := acme
	bolt.ID = "bolt"
	for _, cmd := range []roomkit.Command{
		roomkit.PutCompany{Company: acme}, roomkit.PutCompany{Company: bolt}, roomkit.PutUsers{Users: users},
	} {
		if _, err := svc.Do(ctx, roomkit.System(), cmd); err != nil {
			return err
		}
	}
	return nil
}
