package pgstore_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/pgstore"
	"github.com/go-roomkit/roomkit/store/storetest"
)

type txKey struct{}

// inTransactions gives FollowOptions.Within: a batch of events, what the handler
// writes with the transaction in its context, and the checkpoint are stored
// together or not at all.
func inTransactions(pool *pgxpool.Pool, st *pgstore.Store) func(context.Context, func(context.Context, store.Store) error) error {
	return func(ctx context.Context, step func(context.Context, store.Store) error) error {
		return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			return step(context.WithValue(ctx, txKey{}, tx), st.InTx(tx))
		})
	}
}

// A follower whose handler writes to the host's own table in the transaction of
// the checkpoint: each event counts exactly once.
func ExampleStore_InTx_follower() {
	var pool *pgxpool.Pool // the host's
	var store *pgstore.Store
	var svc *service.Service

	count := func(ctx context.Context, rec service.Recorded) error {
		tx := ctx.Value(txKey{}).(pgx.Tx)
		_, err := tx.Exec(ctx, `UPDATE statistics SET events = events + 1 WHERE type = $1`, rec.Type)
		return err
	}
	_ = svc.Follow(context.Background(), "statistics", count, &service.FollowOptions{Within: inTransactions(pool, store)})
}

func TestFollowCountsExactlyOnce(t *testing.T) {
	w := newWorld(t)
	table := pgx.Identifier{w.o.Schema, "sent"}.Sanitize()
	_, err := w.pool.Exec(t.Context(), `CREATE TABLE `+table+` (subject text, version bigint)`)
	require.NoError(t, err)
	calls := 0
	handle := func(ctx context.Context, rec service.Recorded) error {
		tx := ctx.Value(txKey{}).(pgx.Tx)
		if _, err := tx.Exec(ctx, `INSERT INTO `+table+` VALUES ($1, $2)`, rec.Subject.String(), int64(rec.Version)); err != nil {
			return err
		}
		if calls++; calls%7 == 3 {
			return errors.New("fails after it has written")
		}
		return nil
	}
	require.NoError(t, w.service.Follow(t.Context(), "sent", handle, &service.FollowOptions{
		Once: true, Batch: 8, Within: inTransactions(w.pool, w.store),
	}))
	records := len(w.feed(t, ""))
	require.Greater(t, records, 8)
	require.Greater(t, calls, records, "some were handled more than once")
	var rows, different int
	require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT count(*), count(DISTINCT (subject, version)) FROM `+table).Scan(&rows, &different))
	require.Equal(t, records, rows)
	require.Equal(t, records, different)
}

// sent are effects in a table of the host.
type sent struct {
	w     *world
	table string
}

func (s sent) Begin(ctx context.Context) (storetest.Transaction, error) {
	tx, err := s.w.pool.Begin(ctx)
	return sending{s, tx}, err
}

func (s sent) Of(follower string) ([]string, error) {
	rows, err := s.w.pool.Query(context.Background(), `SELECT effect FROM `+s.table+` WHERE follower = $1 ORDER BY n`, follower)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

type sending struct {
	sent
	tx pgx.Tx
}

func (s sending) Store() store.Store { return s.w.store.InTx(s.tx) }

func (s sending) Write(ctx context.Context, follower, effect string) error {
	_, err := s.tx.Exec(ctx, `INSERT INTO `+s.table+` (follower, effect) VALUES ($1, $2)`, follower, effect)
	return err
}

func (s sending) Commit(ctx context.Context) error { return s.tx.Commit(ctx) }
func (s sending) Rollback()                        { _ = s.tx.Rollback(context.Background()) }

// TestFollowIsExactlyOnceAtEveryPoint: see storetest.ExactlyOnce.
func TestFollowIsExactlyOnceAtEveryPoint(t *testing.T) {
	w := newWorld(t)
	s := sent{w, pgx.Identifier{w.o.Schema, "sent"}.Sanitize()}
	_, err := w.pool.Exec(t.Context(), `CREATE TABLE `+s.table+` (n bigint GENERATED ALWAYS AS IDENTITY, follower text, effect text)`)
	require.NoError(t, err)
	store, _ := newStore(t, w.pool)
	w.store = store
	storetest.ExactlyOnce(t, store, s)
}
