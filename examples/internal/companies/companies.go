// Package companies provisions the people that the stories of the examples are about.
package companies

import (
	"context"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

// Provision makes the company acme of adm, its administrator, kim, lee and min, and
// the company bolt of eve and fay. All of them may talk with users of other
// companies and create groups; an earlier run may have taken that from them.
func Provision(ctx context.Context, svc *service.Service) error {
	acme := roomkit.Company{ID: "acme", Licensed: true, MembersCreateGroups: true, Partners: roomkit.ExternalSelected}
	bolt := acme
	bolt.ID = "bolt"
	cmds := []roomkit.Command{roomkit.AddCompany{Company: acme}, roomkit.AddCompany{Company: bolt}}
	for id, company := range map[roomkit.UserID]roomkit.CompanyID{
		"adm": "acme", "kim": "acme", "lee": "acme", "min": "acme", "eve": "bolt", "fay": "bolt",
	} {
		cmds = append(cmds, roomkit.AddUser{User: roomkit.User{
			ID: id, Company: company, Kind: roomkit.UserMember, Status: roomkit.StatusActive,
			Partners: true, Administrator: id == "adm",
		}}, roomkit.SetUserMessaging{User: id, With: roomkit.OutsiderPartner, Allow: new(true)})
	}
	cmds = append(cmds, roomkit.SetCompanyMessaging{Company: "acme", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalSelected)})
	for _, cmd := range cmds {
		if _, err := svc.Do(ctx, roomkit.System(), cmd); err != nil {
			return err
		}
	}
	return nil
}

// Contacts is an address book: everybody has eve in it.
func Contacts(_ context.Context, _ roomkit.UserID, outsiders []roomkit.UserID) ([]roomkit.UserID, error) {
	return slices.DeleteFunc(slices.Clone(outsiders), func(id roomkit.UserID) bool { return id != "eve" }), nil
}
