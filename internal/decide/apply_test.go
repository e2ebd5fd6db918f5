package decide

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

// TestApplyConcernsOnlyTheNamed: an event leaves the rows of people it does not
// name, and of other subjects, as they are.
func TestApplyConcernsOnlyTheNamed(t *testing.T) {
	row := roomkit.Member{Room: theRoom, User: "ben", Participant: true, Master: true, Period: 1}
	others := []roomkit.Person{{User: "ann"}, {User: "cat"}}
	for _, e := range []roomkit.Event{
		&roomkit.MemberJoined{People: others}, &roomkit.MemberLeft{People: others, Roles: true}, &roomkit.MasterAppointed{People: others},
		&roomkit.MasterDismissed{People: others}, &roomkit.RoomConverted{People: others}, &roomkit.RoomRenamed{To: "x"},
	} {
		*e.Info() = roomkit.Meta{Subject: roomkit.RoomSubject(theRoom), Version: 7, At: worldTime, Cause: roomkit.CauseRemoved}
		require.Equal(t, row, row.Apply(e), e.Type())
		require.Equal(t, roomkit.Company{ID: "acme"}, roomkit.Company{ID: "acme"}.Apply(e))
		require.Equal(t, roomkit.User{ID: "ben"}, roomkit.User{ID: "ben"}.Apply(e))
		require.Equal(t, roomkit.Team{ID: "t"}, roomkit.Team{ID: "t"}.Apply(e))
	}
	e := &roomkit.CompanyPut{}
	e.Subject, e.Version = roomkit.CompanySubject("acme"), 3
	require.Equal(t, roomkit.Room{ID: theRoom}, roomkit.Room{ID: theRoom}.Apply(e))
	ended := &roomkit.RoomEnded{}
	ended.Subject, ended.Version, ended.At, ended.Cause = roomkit.RoomSubject(theRoom), 9, worldTime, roomkit.CauseRoomEnded
	gone := roomkit.Member{User: "dan", Left: roomkit.CauseSelf, LeftVersion: 4}
	require.Equal(t, gone, gone.Apply(ended), "who had left before keeps how")
}
