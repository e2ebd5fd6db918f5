package pgstore_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/pgstore"
	"github.com/go-roomkit/roomkit/store/verify"
)

// host is a transaction of the host with a service inside.
type host struct {
	pgx.Tx
	store   store.Store
	service *service.Service
}

func (w *world) host(tb testing.TB) *host {
	tb.Helper()
	tx, err := w.pool.Begin(tb.Context())
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	h := &host{Tx: tx, store: w.store.InTx(tx)}
	h.service, err = service.New(h.store, nil)
	require.NoError(tb, err)
	return h
}

func do(tb testing.TB, s *service.Service, who roomkit.Actor, c roomkit.Command) roomkit.RoomID {
	tb.Helper()
	r, err := s.Do(tb.Context(), who, c)
	require.NoError(tb, err)
	return r.Room
}

// team lets u1 make a group and add u2 and u3.
func team(tb testing.TB, s *service.Service, name string) roomkit.RoomID {
	tb.Helper()
	room := do(tb, s, roomkit.By("u1"), roomkit.CreateGroup{Name: name})
	do(tb, s, roomkit.By("u1"), roomkit.Invite{Room: room, People: []roomkit.UserID{"u2", "u3"}})
	return room
}

// groups gives the counts of acme, u1, u2 and u3, and demands that pages have the same.
func groups(tb testing.TB, s store.Store) []int64 {
	tb.Helper()
	people := []roomkit.UserID{"u1", "u2", "u3"}
	facts, err := s.Load(tb.Context(), []store.Need{{People: people}, {Companies: []roomkit.CompanyID{"acme"}}})
	require.NoError(tb, err)
	require.Equal(tb, facts[0].Companies, facts[1].Companies)
	page, err := s.Users(tb.Context(), store.UserQuery{Company: "acme"})
	require.NoError(tb, err)
	has := map[roomkit.UserID]int64{}
	for _, u := range page {
		has[u.ID] = u.Groups
	}
	counts := []int64{facts[1].Companies[0].Groups}
	for i, u := range facts[0].Users {
		require.Equal(tb, people[i], u.ID)
		require.Equal(tb, has[u.ID], u.Groups)
		counts = append(counts, u.Groups)
	}
	return counts
}

func requireStale(tb testing.TB, err error) {
	tb.Helper()
	var e *pgconn.PgError
	require.ErrorAs(tb, err, &e)
	require.Equal(tb, "40001", e.Code)
	require.Equal(tb, "Run the whole transaction again.", e.Hint)
}

// While a transaction has made a group, everybody else goes on with the same
// company and the same people. It fails if a count that it relied on has changed.
func TestOpenTransactionHoldsNoCounts(t *testing.T) {
	group := func(t *testing.T, s *service.Service, _ roomkit.RoomID) {
		do(t, s, roomkit.By("u11"), roomkit.CreateGroup{Name: "Other", Members: []roomkit.UserID{"u12"}})
	}
	same := func(t *testing.T, s *service.Service, room roomkit.RoomID) {
		do(t, s, roomkit.By("u10"), roomkit.Invite{Room: room, People: []roomkit.UserID{"u1", "u2", "u3"}})
	}
	company := func(t *testing.T, s *service.Service, _ roomkit.RoomID) {
		do(t, s, roomkit.System(), roomkit.SetCompanyMessaging{Company: "acme", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalSelected)})
	}
	tests := []struct {
		name  string
		stale bool
		do    []func(*testing.T, *service.Service, roomkit.RoomID)
	}{
		{"other people", false, []func(*testing.T, *service.Service, roomkit.RoomID){func(t *testing.T, s *service.Service, room roomkit.RoomID) {
			do(t, s, roomkit.By("u10"), roomkit.Invite{Room: room, People: []roomkit.UserID{"u4", "u5"}})
		}}},
		{"a group of the company", false, []func(*testing.T, *service.Service, roomkit.RoomID){group}},
		{"the same people", false, []func(*testing.T, *service.Service, roomkit.RoomID){same}},
		{"the company", true, []func(*testing.T, *service.Service, roomkit.RoomID){company}},
		{"all", true, []func(*testing.T, *service.Service, roomkit.RoomID){group, same, company}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			room := do(t, w.service, roomkit.By("u10"), roomkit.CreateGroup{Name: "Elsewhere"})
			h := w.host(t)
			team(t, h.service, "Support")
			for _, others := range tt.do {
				others(t, w.service, room) // and is no conflict
			}
			before := groups(t, w.store)
			err := h.Commit(t.Context())
			if tt.stale {
				requireStale(t, err)
				require.Equal(t, before, groups(t, w.store))
				require.NoError(t, verify.Run(t.Context(), w.store, nil))
				h = w.host(t)
				team(t, h.service, "Support")
				err = h.Commit(t.Context())
			}
			require.NoError(t, err)
			for i := range before {
				before[i]++
			}
			require.Equal(t, before, groups(t, w.store))
			require.NoError(t, verify.Run(t.Context(), w.store, nil))
		})
	}
}

// Commands of one transaction see what earlier ones have added to the same counts.
func TestCountsWithinOneTransaction(t *testing.T) {
	w := newWorld(t)
	do(t, w.service, roomkit.System(), roomkit.EditCompany{Company: "acme", MaxGroups: new(int64(2))})
	h := w.host(t)
	team(t, h.service, "One")
	require.Equal(t, []int64{1, 1, 1, 1}, groups(t, h.store))
	two := team(t, h.service, "Two")
	require.Equal(t, []int64{2, 2, 2, 2}, groups(t, h.store))
	require.Equal(t, []int64{0, 0, 0, 0}, groups(t, w.store))
	_, err := h.service.Do(t.Context(), roomkit.By("u1"), roomkit.CreateGroup{Name: "Three"})
	require.ErrorIs(t, err, roomkit.ErrDenied)
	do(t, h.service, roomkit.By("u1"), roomkit.Remove{Room: two, People: []roomkit.UserID{"u3"}})
	require.NoError(t, h.Commit(t.Context()))
	require.Equal(t, []int64{2, 2, 2, 1}, groups(t, w.store))
	require.NoError(t, verify.Run(t.Context(), w.store, nil))
}

func TestRollbackLeavesCounts(t *testing.T) {
	w := newWorld(t)
	team(t, w.service, "Zero")
	h := w.host(t)
	team(t, h.service, "One")
	inner, err := h.Begin(t.Context()) // a savepoint
	require.NoError(t, err)
	service, err := service.New(w.store.InTx(inner), nil)
	require.NoError(t, err)
	team(t, service, "Two")
	require.Equal(t, []int64{3, 3, 3, 3}, groups(t, h.store))
	require.NoError(t, inner.Rollback(t.Context()))
	require.Equal(t, []int64{2, 2, 2, 2}, groups(t, h.store))
	require.NoError(t, h.Rollback(t.Context()))
	require.Equal(t, []int64{1, 1, 1, 1}, groups(t, w.store))
	h = w.host(t)
	team(t, h.service, "Three")
	_, err = h.Exec(t.Context(), `SET CONSTRAINTS ALL IMMEDIATE`)
	require.NoError(t, err)
	team(t, h.service, "Four")
	require.NoError(t, h.Commit(t.Context()))
	require.Equal(t, []int64{3, 3, 3, 3}, groups(t, w.store))
	require.NoError(t, verify.Run(t.Context(), w.store, nil))
}

// The end of a group takes from the counts at once, and fits with what waits, and with
// what others add meanwhile.
func TestGroupEndsInTransactionThatCounts(t *testing.T) {
	for _, beside := range []int64{0, 1} {
		w := newWorld(t)
		old := team(t, w.service, "Old")
		room := do(t, w.service, roomkit.By("u10"), roomkit.CreateGroup{Name: "Elsewhere"})
		h := w.host(t)
		short := team(t, h.service, "Short")
		team(t, h.service, "Kept")
		if beside > 0 {
			do(t, w.service, roomkit.By("u10"), roomkit.Invite{Room: room, People: []roomkit.UserID{"u2"}})
		}
		do(t, h.service, roomkit.By("u1"), roomkit.DeleteRoom{Room: short})
		do(t, h.service, roomkit.By("u1"), roomkit.DeleteRoom{Room: old})
		last := team(t, h.service, "Last")
		do(t, h.service, roomkit.By("u1"), roomkit.Remove{Room: last, People: []roomkit.UserID{"u3"}})
		require.NoError(t, h.Commit(t.Context()))
		require.Equal(t, []int64{3, 2, 2 + beside, 1}, groups(t, w.store))
		require.NoError(t, verify.Run(t.Context(), w.store, nil))
	}
}

// A commit that waits for people whose rows another transaction holds does not
// hold up other commits meanwhile.
func TestCommitWaitsForCountsBeforeItsTurn(t *testing.T) {
	w := newWorld(t)
	old := team(t, w.service, "Old")
	room := do(t, w.service, roomkit.By("u10"), roomkit.CreateGroup{Name: "Elsewhere"})
	ends, waits := w.host(t), w.host(t)
	team(t, waits.service, "New")
	do(t, ends.service, roomkit.By("u1"), roomkit.DeleteRoom{Room: old})
	ended := make(chan error)
	go func() { ended <- waits.Commit(context.WithoutCancel(t.Context())) }()
	require.Eventually(t, func() bool {
		var waiting bool
		err := w.pool.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event_type = 'Lock')`,
			int64(waits.Conn().PgConn().PID())).Scan(&waiting)
		return assert.NoError(t, err) && waiting
	}, 10*time.Second, time.Millisecond)
	do(t, w.service, roomkit.By("u10"), roomkit.Invite{Room: room, People: []roomkit.UserID{"u4"}})
	require.NoError(t, ends.Commit(t.Context()))
	require.NoError(t, <-ended)
	require.NoError(t, verify.Run(t.Context(), w.store, nil))
}

// What a command relied on is compared even if a later one replaces it.
func TestHostReplacesWhatItReliedOn(t *testing.T) {
	w := newWorld(t)
	h := w.host(t)
	team(t, h.service, "Support")
	do(t, w.service, roomkit.System(), roomkit.EditUser{User: "u1", Administrator: new(true)})
	do(t, h.service, roomkit.System(), roomkit.SuspendUser{User: "u1"})
	requireStale(t, h.Commit(t.Context()))
	require.NoError(t, verify.Run(t.Context(), w.store, nil))
}

func TestPoolOfOneConnection(t *testing.T) {
	w := newWorld(t)
	config := w.pool.Config()
	config.MaxConns = 1
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	defer pool.Close()
	_, err = pgstore.New(t.Context(), pool, w.o)
	require.ErrorIs(t, err, roomkit.ErrInvalid)
	require.ErrorContains(t, err, "MaxConns")
}
