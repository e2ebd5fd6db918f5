package decide

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

// TestUsersHaveAKnownStatus: a status that this version does not know is refused before
// anything is stored with it.
func TestUsersHaveAKnownStatus(t *testing.T) {
	for status := range roomkit.UserStatus(8) {
		err := Check(roomkit.System(), roomkit.AddUser{User: roomkit.User{
			ID: "ann", Company: "acme", Kind: roomkit.UserMember, Status: status,
		}})
		if status == roomkit.StatusActive || status == roomkit.StatusSuspended || status == roomkit.StatusDeleted {
			require.NoError(t, err, status)
			continue
		}
		var malformed *roomkit.Invalid
		require.ErrorAs(t, err, &malformed, "status %d", status)
		require.Equal(t, "User.Status", malformed.Field)
	}
}

// TestRecallWindows are stored in microseconds and never negative.
func TestRecallWindows(t *testing.T) {
	cases := []struct {
		name   string
		window time.Duration
		ok     bool
	}{
		{"none", 0, true},
		{"whole microseconds", time.Hour + time.Microsecond, true},
		{"finer than a microsecond", time.Hour + time.Nanosecond, false},
		{"negative", -time.Hour, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			put := Check(roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{ID: "acme", RecallWindow: c.window}})
			edit := Check(roomkit.System(), roomkit.EditCompany{Company: "acme", RecallWindow: &c.window})
			if c.ok {
				require.NoError(t, put)
				require.NoError(t, edit)
				return
			}
			require.ErrorIs(t, put, roomkit.ErrInvalid)
			require.ErrorIs(t, edit, roomkit.ErrInvalid)
		})
	}
}
