package pgstore_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
	"github.com/go-roomkit/roomkit/store/pgstore"
)

// Every operation is one round trip once its statements are prepared; a commit
// of which something does not hold is four.
func TestRoundTrips(t *testing.T) {
	w := newWorld(t)
	p, pool := through(t)
	st := openStore(t, pool, w.o)
	db := stdlib.OpenDBFromPool(pool)
	tx, err := pool.Begin(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	inside := st.InTx(tx)
	required := w.service.On(inside)
	sqlTx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = sqlTx.Rollback() })
	requiredSQL := w.service.On(st.InSQLTx(sqlTx))
	_, err = w.pool.Exec(t.Context(), `CREATE TABLE `+w.o.Schema+`.messages (body text)`)
	require.NoError(t, err)
	message := `INSERT INTO ` + w.o.Schema + `.messages VALUES ($1)`
	a := newToggles(t, w.service, 2)
	room, people := a.rooms[0], []roomkit.UserID{"u1", "u2"}
	need := store.Need{
		Command: roomkit.CommandID{1}, Room: room, People: people, Masters: true, Everybody: true, Companies: []roomkit.CompanyID{"acme"},
		Team: "none", Name: "x", Company: "acme", Shared: people, Checkpoint: "f",
	}
	lines := []*sqltest.Pen{sqltest.NewPen(1), sqltest.NewPen(2), sqltest.NewPen(3), sqltest.NewPen(4)}
	commit := func(want []error, changes ...store.Change) error {
		results, err := st.Commit(t.Context(), changes)
		for i := range results {
			require.ErrorIs(t, results[i].Err, want[i])
		}
		return err
	}
	stored := []error{nil, nil, nil, nil}
	stale := func() store.Change { return lines[0].Change(1, true) }
	tests := []struct {
		name string
		want int64
		do   func() error
	}{
		{"load", 1, func() error {
			_, err := st.Load(t.Context(), []store.Need{need, {Room: a.rooms[1], People: people}})
			return err
		}},
		{"commit", 1, func() error { return commit(stored, lines[0].Change(1, false)) }},
		{"commit a group", 1, func() error {
			return commit(stored, lines[0].Change(1, false), lines[1].Change(2, false), lines[2].Change(1, false), lines[1].Change(1, false))
		}},
		{"commit with a conflict", 4, func() error { return commit([]error{nil, roomkit.ErrConflict}, lines[1].Change(1, false), stale()) }},
		{"members", 1, func() error { _, err := st.Members(t.Context(), store.MemberQuery{Room: room}); return err }},
		{"rooms", 1, func() error { _, err := st.Rooms(t.Context(), store.RoomQuery{User: "u1"}); return err }},
		{"users", 1, func() error { _, err := st.Users(t.Context(), store.UserQuery{Company: "acme"}); return err }},
		{"history", 1, func() error { _, err := st.History(t.Context(), roomkit.RoomSubject(room), 0, 0); return err }},
		{"feed", 1, func() error { _, err := st.Feed(t.Context(), "", 0); return err }},
		{"load in a transaction", 3, func() error { _, err := inside.Load(t.Context(), []store.Need{need}); return err }},
		{"commit in a transaction", 4, func() error {
			_, err := inside.Commit(t.Context(), []store.Change{lines[3].Change(1, false)})
			return err
		}},
		{"rely in a transaction", 3, func() error {
			return inside.(store.Guard).Rely(t.Context(), []store.Expect{{Subject: roomkit.UserSubject("nobody")}})
		}},
		{"require in a transaction", 6, func() error { return required.Require(t.Context(), "u1", roomkit.ActionPost, room) }},
		{"require through database/sql", 6, func() error { return requiredSQL.Require(t.Context(), "u1", roomkit.ActionPost, room) }},
		{"a message with its transaction", 9, func() error {
			return pgstore.Retry(t.Context(), func(ctx context.Context) error {
				return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
					err := w.service.On(st.InTx(tx)).Require(ctx, "u1", roomkit.ActionPost, room)
					if err == nil {
						_, err = tx.Exec(ctx, message, "hello")
					}
					return err
				})
			})
		}},
		{"a message through database/sql", 9, func() error {
			return pgstore.Retry(t.Context(), func(ctx context.Context) error {
				tx, err := db.BeginTx(ctx, nil)
				if err != nil {
					return err
				}
				defer tx.Rollback()
				if err = w.service.On(st.InSQLTx(tx)).Require(ctx, "u1", roomkit.ActionPost, room); err != nil {
					return err
				}
				if _, err = tx.ExecContext(ctx, message, "hello"); err != nil {
					return err
				}
				return tx.Commit()
			})
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for range 2 { // the statements are prepared
				require.NoError(t, tt.do())
			}
			before := p.trips.Load()
			require.NoError(t, tt.do())
			require.Equal(t, tt.want, p.trips.Load()-before)
		})
	}
}
