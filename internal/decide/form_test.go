package decide

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

// TestUsersHaveAKnownStatus: a status that this version does not know is refused before
// anything is stored with it.
func TestUsersHaveAKnownStatus(t *testing.T) {
	for status := range roomkit.UserStatus(8) {
		err := Check(roomkit.System(), roomkit.PutUsers{Users: []roomkit.User{
			{ID: "ann", Company: "acme", Kind: roomkit.UserMember, Status: status},
		}})
		if status == roomkit.StatusActive || status == roomkit.StatusSuspended || status == roomkit.StatusDeleted {
			require.NoError(t, err, status)
			continue
		}
		var malformed *roomkit.Invalid
		require.ErrorAs(t, err, &malformed, "status %d", status)
		require.Equal(t, "Status", malformed.Field)
	}
}
