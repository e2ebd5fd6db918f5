package roomkit

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPermissionInForce: ADM-01 and ADM-02 grant it to members of a company by
// the company's mode and their own permission; bots (EXT-04, LINE-04), LINE users
// and deleted accounts (ADM-13) have none, whatever the rows say.
func TestPermissionInForce(t *testing.T) {
	cases := []struct {
		name   string
		kind   UserKind
		status UserStatus
		mode   ExternalMode
		own    bool
		want   bool
	}{
		{"granted to all", UserMember, StatusActive, ExternalAll, false, true},
		{"selected", UserMember, StatusActive, ExternalSelected, true, true},
		{"not selected", UserMember, StatusActive, ExternalSelected, false, false},
		{"off", UserMember, StatusActive, ExternalOff, true, false},
		{"suspended", UserMember, StatusSuspended, ExternalAll, false, true},
		{"deleted", UserMember, StatusDeleted, ExternalAll, true, false},
		{"bot", UserBot, StatusActive, ExternalAll, true, false},
		{"LINE user", UserLINE, StatusActive, ExternalAll, true, false},
		{"nobody", UserNone, StatusNone, ExternalAll, true, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			works := User{Kind: c.kind, Status: c.status, Works: c.own}
			require.Equal(t, c.want, works.worksPermitted(&Company{Works: c.mode}))
			require.False(t, works.worksPermitted(&Company{LINE: ExternalAll}))
			line := User{Kind: c.kind, Status: c.status, LINE: c.own}
			require.Equal(t, c.want, line.linePermitted(&Company{LINE: c.mode}))
			require.False(t, line.linePermitted(&Company{Works: ExternalAll}))
		})
	}
}

// TestAccountHeldSince: an admission counts while the account exists, and not
// once it has been deleted since (ADM-13, ADM-14).
func TestAccountHeldSince(t *testing.T) {
	cases := []struct {
		name  string
		user  User
		since Version
		want  bool
	}{
		{"never deleted", User{Status: StatusActive, Version: 4}, 2, true},
		{"suspended", User{Status: StatusSuspended, Version: 4}, 2, true},
		{"deleted", User{Status: StatusDeleted, Version: 3, Ended: 3}, 2, false},
		{"deleted, whenever admitted", User{Status: StatusDeleted, Version: 3, Ended: 3}, 3, false},
		{"restored", User{Status: StatusActive, Version: 4, Ended: 3}, 2, false},
		{"admitted after the restoration", User{Status: StatusActive, Version: 5, Ended: 3}, 4, true},
		{"nobody", User{}, 0, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.want, c.user.accountHeldSince(Epoch{User: c.since}))
		})
	}
}
