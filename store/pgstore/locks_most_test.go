package pgstore

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

// No commit takes more locks of subjects than docs/operations-postgres.md says.
func TestMostLocks(t *testing.T) {
	locks := func(n int) int {
		var relies, writes []roomkit.Subject
		for _, of := range []roomkit.SubjectType{roomkit.SubjectRoom, roomkit.SubjectUser, roomkit.SubjectCompany, roomkit.SubjectTeam} {
			for i := range n {
				relies, writes = append(relies, subjectOf(of, i)), append(writes, subjectOf(of, n+i))
			}
		}
		return len(lockedBatch(relies, writes).subjectLocks(1, fewSubjects))
	}
	require.Equal(t, 1608, locks(fewSubjects))
	require.Equal(t, 8, locks(fewSubjects+1))
}
