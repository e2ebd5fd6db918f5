package roomkit

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestApplyConcernsOnlyTheNamed: an event leaves the rows of people it does not
// name, and of other subjects, as they are.
func TestApplyConcernsOnlyTheNamed(t *testing.T) {
	row := Member{Room: theRoom, User: "ben", Participant: true, Master: true, Period: 1}
	others := []Person{{User: "ann"}, {User: "cat"}}
	for _, e := range []Event{
		&MemberJoined{People: others}, &MemberLeft{People: others, Roles: true}, &MasterAppointed{People: others},
		&MasterDismissed{People: others}, &RoomConverted{People: others}, &RoomRenamed{To: "x"},
	} {
		*e.meta() = Meta{Subject: RoomSubject(theRoom), Version: 7, At: worldTime, Cause: CauseRemoved}
		require.Equal(t, row, row.Apply(e), e.Type())
		require.Equal(t, Company{ID: "acme"}, Company{ID: "acme"}.Apply(e))
		require.Equal(t, User{ID: "ben"}, User{ID: "ben"}.Apply(e))
		require.Equal(t, Team{ID: "t"}, Team{ID: "t"}.Apply(e))
	}
	e := &CompanyPut{}
	e.Subject, e.Version = CompanySubject("acme"), 3
	require.Equal(t, Room{ID: theRoom}, Room{ID: theRoom}.Apply(e))
	ended := &RoomEnded{}
	ended.Subject, ended.Version, ended.At, ended.Cause = RoomSubject(theRoom), 9, worldTime, CauseRoomEnded
	gone := Member{User: "dan", Left: CauseSelf, LeftVersion: 4}
	require.Equal(t, gone, gone.Apply(ended), "who had left before keeps how")
}
