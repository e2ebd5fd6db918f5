package decide

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

// TestPermissionInForce: ADM-01 and ADM-02 grant it to members of a company by
// the company's mode and their own permission; bots (EXT-04, LINE-04), LINE users
// and deleted accounts (ADM-13) have none, whatever the rows say.
func TestPermissionInForce(t *testing.T) {
	cases := []struct {
		name   string
		kind   roomkit.UserKind
		status roomkit.UserStatus
		mode   roomkit.ExternalMode
		own    bool
		want   bool
	}{
		{"granted to all", roomkit.UserMember, roomkit.StatusActive, roomkit.ExternalAll, false, true},
		{"selected", roomkit.UserMember, roomkit.StatusActive, roomkit.ExternalSelected, true, true},
		{"not selected", roomkit.UserMember, roomkit.StatusActive, roomkit.ExternalSelected, false, false},
		{"off", roomkit.UserMember, roomkit.StatusActive, roomkit.ExternalOff, true, false},
		{"suspended", roomkit.UserMember, roomkit.StatusSuspended, roomkit.ExternalAll, false, true},
		{"deleted", roomkit.UserMember, roomkit.StatusDeleted, roomkit.ExternalAll, true, false},
		{"bot", roomkit.UserBot, roomkit.StatusActive, roomkit.ExternalAll, true, false},
		{"LINE user", roomkit.UserLINE, roomkit.StatusActive, roomkit.ExternalAll, true, false},
		{"nobody", roomkit.UserNone, roomkit.StatusNone, roomkit.ExternalAll, true, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			works := roomkit.User{Kind: c.kind, Status: c.status, Works: c.own}
			require.Equal(t, c.want, (&Person{User: &works, company: &roomkit.Company{Works: c.mode}}).worksPermitted())
			require.False(t, (&Person{User: &works, company: &roomkit.Company{LINE: roomkit.ExternalAll}}).worksPermitted())
			line := roomkit.User{Kind: c.kind, Status: c.status, LINE: c.own}
			require.Equal(t, c.want, (&Person{User: &line, company: &roomkit.Company{LINE: c.mode}}).linePermitted())
			require.False(t, (&Person{User: &line, company: &roomkit.Company{Works: roomkit.ExternalAll}}).linePermitted())
		})
	}
}

// TestAccountHeldSince: an admission counts while the account exists, and not
// once it has been deleted since (ADM-13, ADM-14).
func TestAccountHeldSince(t *testing.T) {
	cases := []struct {
		name  string
		user  roomkit.User
		since roomkit.Version
		want  bool
	}{
		{"never deleted", roomkit.User{Status: roomkit.StatusActive, Version: 4}, 2, true},
		{"suspended", roomkit.User{Status: roomkit.StatusSuspended, Version: 4}, 2, true},
		{"deleted", roomkit.User{Status: roomkit.StatusDeleted, Version: 3, Ended: 3}, 2, false},
		{"deleted, whenever admitted", roomkit.User{Status: roomkit.StatusDeleted, Version: 3, Ended: 3}, 3, false},
		{"restored", roomkit.User{Status: roomkit.StatusActive, Version: 4, Ended: 3}, 2, false},
		{"admitted after the restoration", roomkit.User{Status: roomkit.StatusActive, Version: 5, Ended: 3}, 4, true},
		{"nobody", roomkit.User{}, 0, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.want, (&Person{User: &c.user}).accountHeldSince(roomkit.Epoch{User: c.since}))
		})
	}
}
