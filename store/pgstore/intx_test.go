package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/pgstore"
	"github.com/go-roomkit/roomkit/store/storetest"
	"github.com/go-roomkit/roomkit/store/verify"
)

// hosted is a store that commits everything inside a transaction of its own.
type hosted struct {
	*pgstore.Store
	pool *pgxpool.Pool
}

func (h *hosted) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	for {
		results, err := h.once(ctx, changes)
		var e *pgconn.PgError
		if errors.As(err, &e) && e.Code == "40001" && ctx.Err() == nil {
			continue
		}
		if err != nil {
			return nil, err
		}
		return results, h.addCursors(ctx, changes, results)
	}
}

func (h *hosted) once(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	tx, err := h.pool.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback(context.WithoutCancel(ctx))
	pid := tx.Conn().PgConn().PID()
	results, err := h.InTx(tx).Commit(ctx, changes)
	if err != nil {
		return nil, err
	}
	err = tx.Commit(ctx)
	var e *pgconn.PgError
	if err != nil && !errors.As(err, &e) {
		err = fmt.Errorf("%w: %w", roomkit.ErrUnknownOutcome, err)
		err = errors.Join(err, h.ended(pid))
	}
	return results, err
}

// ended waits until the server has ended a connection, so that its last COMMIT is
// either done or will never be.
func (h *hosted) ended(pid uint32) error {
	for range 3000 {
		var alive bool
		err := h.pool.QueryRow(context.Background(), `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1) FROM pg_sleep(0.01)`, int64(pid)).Scan(&alive)
		if err != nil || !alive {
			return err
		}
	}
	return errors.New("the server does not end a connection")
}

// addCursors fills in what only the commit of the transaction has decided.
func (h *hosted) addCursors(ctx context.Context, changes []store.Change, results []store.CommitResult) error {
	needs := make([]store.Need, len(changes))
	for i := range changes {
		needs[i].Command = changes[i].Command
	}
	facts, err := h.Load(context.WithoutCancel(ctx), needs)
	if err != nil {
		return err
	}
	for i := range results {
		if done := facts[i].Done; results[i].Err == nil && done != nil { // a repeat need not look like what was stored
			results[i].Outcome.Cursor = done.Cursor
		}
	}
	return nil
}

func TestStoreInTx(t *testing.T) {
	pool := poolOf(t, databaseURL(t))
	open := func(tb testing.TB) store.Store {
		s, _ := newStore(tb, pool)
		return &hosted{Store: s, pool: pool}
	}
	storetest.Run(t, open, &storetest.Options{Parallel: true})
}

func TestHostRowsAndRoomAreOne(t *testing.T) {
	w := newWorld(t)
	_, err := w.pool.Exec(t.Context(), `CREATE TABLE `+w.o.Schema+`.tickets (id int PRIMARY KEY, room uuid NOT NULL)`)
	require.NoError(t, err)
	open := func(end func(tx pgx.Tx) error) roomkit.RoomID {
		tx, err := w.pool.Begin(t.Context())
		require.NoError(t, err)
		service, err := service.New(w.store.InTx(tx), nil)
		require.NoError(t, err)
		r, err := service.Do(t.Context(), roomkit.By("u1"), roomkit.CreateGroup{Name: "Support"})
		require.NoError(t, err)
		require.Empty(t, r.Cursor)
		_, err = tx.Exec(t.Context(), `INSERT INTO `+w.o.Schema+`.tickets VALUES (1, $1)`, r.Room)
		require.NoError(t, err)
		facts, err := w.store.Load(t.Context(), []store.Need{{Room: r.Room}})
		require.NoError(t, err)
		require.Zero(t, facts[0].Room.Version, "nobody sees it before the commit")
		require.NoError(t, end(tx))
		return r.Room
	}
	tickets := `SELECT count(*) FROM ` + w.o.Schema + `.tickets k JOIN ` + w.o.Schema + `.roomkit_rooms r ON r.id = k.room`
	count := func() (n int) {
		require.NoError(t, w.pool.QueryRow(t.Context(), tickets).Scan(&n))
		return n
	}
	before := w.feed(t, "")
	open(func(tx pgx.Tx) error { return tx.Rollback(t.Context()) })
	require.Zero(t, count())
	require.Equal(t, before, w.feed(t, ""))

	room := open(func(tx pgx.Tx) error { return tx.Commit(t.Context()) })
	require.Equal(t, 1, count())
	after := w.feed(t, before[len(before)-1].Cursor)
	require.NotEmpty(t, after)
	for _, r := range after {
		require.Equal(t, roomkit.RoomSubject(room), r.Subject)
	}
	require.NoError(t, verify.Run(t.Context(), w.store, nil))
}

func TestHostCommitsWhatItReliedOn(t *testing.T) {
	tests := []struct {
		name      string
		meanwhile roomkit.Command
		code      string
	}{
		{"unchanged", roomkit.CreateGroup{Name: "Other"}, ""},
		{"changed", roomkit.EditUser{User: "u1", Administrator: new(true)}, "40001"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			tx, err := w.pool.Begin(t.Context())
			require.NoError(t, err)
			defer tx.Rollback(context.WithoutCancel(t.Context()))
			service, err := service.New(w.store.InTx(tx), nil)
			require.NoError(t, err)
			_, err = service.Do(t.Context(), roomkit.By("u1"), roomkit.CreateRoom{Audience: roomkit.AudienceMembers, People: []roomkit.UserID{"u2", "u3"}, AllowDuplicate: true})
			require.NoError(t, err)
			_, err = service.Do(t.Context(), roomkit.By("u1"), roomkit.CreateRoom{Audience: roomkit.AudienceMembers, People: []roomkit.UserID{"u2", "u4"}, AllowDuplicate: true})
			require.NoError(t, err, "two commands of one transaction")
			actor := roomkit.By("u2")
			if tt.code != "" {
				actor = roomkit.System()
			}
			_, err = w.service.Do(t.Context(), actor, tt.meanwhile)
			require.NoError(t, err)
			err = tx.Commit(t.Context())
			if tt.code == "" {
				require.NoError(t, err)
			} else {
				var e *pgconn.PgError
				require.ErrorAs(t, err, &e)
				require.Equal(t, tt.code, e.Code)
			}
			require.NoError(t, verify.Run(t.Context(), w.store, nil))
		})
	}
}

func TestOneHostTransactionMovesWhatItReliedOn(t *testing.T) {
	w := newWorld(t)
	tx, err := w.pool.Begin(t.Context())
	require.NoError(t, err)
	service, err := service.New(w.store.InTx(tx), nil)
	require.NoError(t, err)
	_, err = service.Do(t.Context(), roomkit.By("u1"), roomkit.CreateRoom{Audience: roomkit.AudienceMembers, People: []roomkit.UserID{"u2", "u3"}, AllowDuplicate: true})
	require.NoError(t, err)
	_, err = service.Do(t.Context(), roomkit.System(), roomkit.SuspendUser{User: "u1"})
	require.NoError(t, err)
	require.NoError(t, tx.Commit(t.Context()))
	require.NoError(t, verify.Run(t.Context(), w.store, nil))
}

func TestInTxNeedsReadCommitted(t *testing.T) {
	w := newWorld(t)
	for _, level := range []pgx.TxIsoLevel{pgx.RepeatableRead, pgx.Serializable} {
		tx, err := w.pool.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: level})
		require.NoError(t, err)
		_, err = w.store.InTx(tx).Load(t.Context(), []store.Need{{People: []roomkit.UserID{"u1"}}})
		require.ErrorIs(t, err, pgstore.ErrIsolation)
		require.ErrorIs(t, err, roomkit.ErrUnsupported)
		require.NoError(t, tx.Rollback(t.Context()))
	}
}

// A transaction of a host that stays open holds up nobody but who writes the
// same rows.
func TestOpenTransactionHoldsUpNobody(t *testing.T) {
	w := newWorld(t)
	tx, err := w.pool.Begin(t.Context())
	require.NoError(t, err)
	service, err := service.New(w.store.InTx(tx), nil)
	require.NoError(t, err)
	_, err = service.Do(t.Context(), roomkit.By("u1"), roomkit.CreateRoom{Audience: roomkit.AudienceMembers, People: []roomkit.UserID{"u2", "u3"}, AllowDuplicate: true})
	require.NoError(t, err)

	before := w.feed(t, "")
	until := time.NewTimer(time.Duration(scale(2, 5)) * time.Second)
	written, slowest := 0, time.Duration(0)
	for open := true; open; {
		select {
		case <-until.C:
			open = false
		default:
			start := time.Now()
			_, err := w.service.Do(t.Context(), roomkit.By("u2"), roomkit.CreateRoom{Audience: roomkit.AudienceMembers, People: []roomkit.UserID{"u3", "u4"}, AllowDuplicate: true})
			require.NoError(t, err)
			written++
			end := time.Now()
			slowest = max(slowest, end.Sub(start))
		}
	}
	during := w.feed(t, before[len(before)-1].Cursor)
	require.NoError(t, tx.Commit(t.Context()))
	t.Logf("%d rooms while the transaction was open, the slowest in %v", written, slowest)
	require.Greater(t, written, 40)
	require.Less(t, slowest, 2*time.Second)
	all := w.feed(t, before[len(before)-1].Cursor)
	require.Equal(t, during, all[:len(during)], "what was read stays where it is")
	require.NotEmpty(t, all[len(during):], "the transaction's records come behind")
	require.NoError(t, verify.Run(t.Context(), w.store, nil))
}
