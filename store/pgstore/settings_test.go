package pgstore_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store/verify"
)

// What docs/operations-postgres.md says of max_locks_per_transaction: how many locks a
// transaction holds, of those that are not its process's own.
func TestLocksOfTransactions(t *testing.T) {
	w := newWorld(t)
	var cmds []roomkit.Command
	var people []roomkit.UserID
	for i := range 2 * worldUsers {
		people = append(people, userID(100+i))
		cmds = append(cmds, roomkit.AddUser{User: roomkit.User{ID: people[i], Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}})
	}
	for _, is := range w.service.Batch(t.Context(), roomkit.System(), cmds) {
		require.NoError(t, is.Err)
	}
	few, many := w.locks(t, people[:3]), w.locks(t, people)
	require.Equal(t, 2*worldUsers-3, many["advisory"]-few["advisory"], "one for each person")
	require.LessOrEqual(t, few["advisory"], 12)
	require.LessOrEqual(t, max(few["relation"], many["relation"]), 50)
	t.Log(few, many)
}

// locks are those of a transaction that makes a group, by their types.
func (w *world) locks(t *testing.T, people []roomkit.UserID) map[string]int {
	t.Helper()
	h := w.host(t)
	do(t, h.service, roomkit.By("u1"), roomkit.CreateGroup{Name: "Group", Members: people})
	_, err := h.Exec(t.Context(), `SET CONSTRAINTS ALL IMMEDIATE`)
	require.NoError(t, err)
	rows, err := h.Query(t.Context(), `SELECT locktype FROM pg_locks WHERE pid = pg_backend_pid() AND NOT fastpath ORDER BY 1`)
	require.NoError(t, err)
	types, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	n := map[string]int{}
	for _, of := range types {
		n[of]++
	}
	require.NoError(t, h.Rollback(t.Context()))
	return n
}

// When the server has no room for locks any more, a commit does with few, and a transaction of the
// host fails as a whole.
func TestLocksRunOut(t *testing.T) {
	c := newCluster(t)
	c.start(t, "max_locks_per_transaction=10", "max_connections=30")
	w := fill(t, poolOf(t, c.url()))
	people := make([]roomkit.UserID, 150)
	cmds := make([]roomkit.Command, len(people))
	for i := range people {
		people[i] = userID(100 + i)
		cmds[i] = roomkit.AddUser{User: roomkit.User{ID: people[i], Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}}
	}
	for _, is := range w.service.Batch(t.Context(), roomkit.System(), cmds) {
		require.NoError(t, is.Err)
	}
	side := w.side(t)
	for n := range 1_000_000 {
		if _, err := side.Exec(t.Context(), `SELECT pg_advisory_lock($1)`, n); err != nil {
			demandState(t, "53200", err)
			side.exec(`SELECT pg_advisory_unlock(i) FROM generate_series($1::int - 100, $1::int - 1) i`, n)
			break
		}
	}
	do(t, w.service, roomkit.By("u1"), roomkit.CreateGroup{Name: "Direct", Members: people})
	h := w.host(t)
	do(t, h.service, roomkit.By("u1"), roomkit.CreateGroup{Name: "Inside", Members: people})
	demandState(t, "53200", h.Commit(t.Context()))
	require.NoError(t, verify.Run(t.Context(), w.store, nil))
}
