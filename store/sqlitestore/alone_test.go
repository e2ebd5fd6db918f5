package sqlitestore

import (
	"context"
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

// A statement on its own ends between two rows when its context does; only one that may
// look at many rows before it has one to give is watched over meanwhile.
func TestStatementAloneEndsWithItsContext(t *testing.T) {
	db := migratedDB(t)
	fillTables(t, db, 100)
	s, err := New(t.Context(), db, nil)
	require.NoError(t, err)
	room := roomkit.RoomID{1}

	ctx, cancel := context.WithCancel(t.Context())
	rows := 0
	err = s.read(ctx, usersOfCompany, func(*row) { rows++; cancel() }, "c1", "", int64(100))
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 1, rows)

	for id, watched := range map[statement]bool{allMembers: false, roomsExact: false, roomsShared: true, roomsOfCompany: true} {
		ctx, cancel := context.WithCancel(t.Context())
		err := s.alone(ctx, id, func(until context.Context, _ *sql.Stmt, args []any) error {
			require.NotNil(t, until.Done(), "a connection is waited for")
			argument, ok := args[0].(onArrival)
			require.True(t, ok)
			value, err := argument.Value()
			require.NoError(t, err)
			require.Equal(t, room[:], value)
			cancel()
			require.Equal(t, watched, until.Done() != nil, "statement %d", id)
			require.Equal(t, watched, until.Err() != nil, "statement %d", id)
			return sql.ErrNoRows
		}, room[:])
		require.ErrorIs(t, err, context.Canceled, "statement %d", id)
	}
}
