package main

import (
	"context"

	"github.com/go-roomkit/roomkit"
)

// provision makes the two companies and their people.
func (s *story) provision(ctx context.Context) error {
	users := roomkit.PutUsers{}
	for id, company := range map[roomkit.UserID]roomkit.CompanyID{
		"adm": "acme", "kim": "acme", "lee": "acme", "min": "acme", "eve": "bolt", "fay": "bolt",
	} {
		users.Users = append(users.Users, roomkit.User{
			ID: id, Company: company, Kind: roomkit.UserMember, Status: roomkit.StatusActive,
			Works: true, Administrator: id == "adm",
		})
	}
	acme := roomkit.Company{ID: "acme", Core: true, MembersCreateGroups: true, Works: roomkit.ExternalSelected}
	bolt := acme
	bolt.ID = "bolt"
	for _, cmd := range []roomkit.Command{roomkit.PutCompany{Company: acme}, roomkit.PutCompany{Company: bolt}, users} {
		if _, err := s.Do(ctx, roomkit.System(), cmd); err != nil {
			return err
		}
	}
	return nil
}
