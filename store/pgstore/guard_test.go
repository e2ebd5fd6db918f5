package pgstore_test

import (
	"context"
	"database/sql"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store/pgstore"
)

// sqlPool is the pool of a world behind database/sql.
func (w *world) sqlPool(tb testing.TB) *sql.DB {
	tb.Helper()
	db := stdlib.OpenDBFromPool(w.pool)
	tb.Cleanup(func() { _ = db.Close() })
	return db
}

func demandState(tb testing.TB, state string, err error) {
	tb.Helper()
	if state == "" {
		require.NoError(tb, err)
		return
	}
	var e *pgconn.PgError
	require.ErrorAs(tb, err, &e)
	require.Equal(tb, state, e.Code)
}

// A transaction that has nothing but a Require fails when what that relied on has changed,
// and not when something else has.
func TestRequireAlone(t *testing.T) {
	w := newWorld(t)
	room, other := team(t, w.service, "one"), team(t, w.service, "two")
	tests := []struct {
		name      string
		meanwhile roomkit.Command
		state     string
	}{
		{"nothing", nil, ""},
		{"another room", roomkit.Edit{Room: other, Name: new("three")}, ""},
		{"another user", roomkit.SuspendUser{User: "u9"}, ""},
		{"the room", roomkit.Edit{Room: room, Name: new("four")}, "40001"},
		{"the user", roomkit.SuspendUser{User: "u2"}, "40001"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tx, err := w.pool.Begin(t.Context())
			require.NoError(t, err)
			defer tx.Rollback(context.WithoutCancel(t.Context()))
			require.NoError(t, w.service.On(w.store.InTx(tx)).Require(t.Context(), "u2", roomkit.ActionPost, room))
			if tt.meanwhile != nil {
				actor := roomkit.System()
				if _, is := tt.meanwhile.(roomkit.Edit); is {
					actor = roomkit.By("u1")
				}
				do(t, w.service, actor, tt.meanwhile)
			}
			demandState(t, tt.state, tx.Commit(t.Context()))
		})
	}
	var left int
	require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT count(*) FROM `+w.o.Schema+`.roomkit_pending`).Scan(&left))
	require.Zero(t, left)
}

func TestRequireNeedsATransaction(t *testing.T) {
	w := newWorld(t)
	err := w.service.Require(t.Context(), "u1", roomkit.ActionPost, team(t, w.service, "one"))
	require.ErrorIs(t, err, roomkit.ErrUnsupported)
	require.ErrorContains(t, err, "InTx")
}

func TestSQLTx(t *testing.T) {
	w := newWorld(t)
	db := w.sqlPool(t)
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	inside := w.service.On(w.store.InSQLTx(tx))
	room := team(t, inside, "one")
	require.NoError(t, inside.Require(t.Context(), "u2", roomkit.ActionPost, room))
	_, err = w.service.Room(t.Context(), "u1", room)
	require.ErrorIs(t, err, roomkit.ErrNotFound)
	require.NoError(t, tx.Commit())
	_, err = w.service.Room(t.Context(), "u1", room)
	require.NoError(t, err)
	require.ErrorIs(t, inside.Require(t.Context(), "u2", roomkit.ActionPost, room), pgstore.ErrTxEnded)
}
