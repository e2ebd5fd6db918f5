package pgstore_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
	"github.com/go-roomkit/roomkit/store/pgstore"
)

// pair is a primary and a standby that it waits for.
type pair struct {
	*world
	t                *testing.T
	primary, standby *cluster
}

func newPair(t *testing.T) *pair {
	p := &pair{t: t, primary: newCluster(t)}
	p.primary.start(t)
	pool := poolOf(t, p.primary.url())
	p.world = &world{pool: pool, o: &pgstore.Options{Patience: 300 * time.Millisecond}}
	require.Eventually(t, func() bool { return pgstore.Migrate(t.Context(), pool, p.o) == nil }, time.Minute, 10*time.Millisecond)
	p.standby = p.primary.backup(t, "-R")
	p.standby.start(t)
	mustExec(t, pool, `ALTER SYSTEM SET synchronous_standby_names = '*'`)
	mustExec(t, pool, `SELECT pg_reload_conf()`)
	p.store = openStore(t, pool, p.o)
	var err error
	p.service, err = service.New(p.store, nil)
	require.NoError(t, err)
	settle(t, p.service, 3)
	return p
}

// waiting gives the process that waits for the standby.
func (p *pair) waiting() (pid int32) {
	p.t.Helper()
	require.Eventually(p.t, func() bool {
		return p.pool.QueryRow(p.t.Context(), `SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'`).Scan(&pid) == nil
	}, time.Minute, time.Millisecond)
	return pid
}

// commit commits when nobody waits for the standby any more, so that it is the one who does.
func (p *pair) commit(ctx context.Context, patience time.Duration, c store.Change) <-chan answer {
	p.t.Helper()
	require.Eventually(p.t, func() bool {
		var n int
		err := p.pool.QueryRow(p.t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`).Scan(&n)
		return err == nil && n == 0
	}, time.Minute, time.Millisecond)
	return commit(ctx, openStore(p.t, p.pool, &pgstore.Options{Patience: patience}), c)
}

func (p *pair) exec(text string, values ...any) {
	p.t.Helper()
	_, err := p.pool.Exec(p.t.Context(), text, values...)
	require.NoError(p.t, err)
}

// A commit whose waiting for a standby is given up is not acknowledged: its outcome is
// unknown, also to who asks again, until a standby has it.
func TestStandbyNotWaitedFor(t *testing.T) {
	p := newPair(t)
	ways := map[string]func(cancel context.CancelFunc){
		"cancelled by an administrator": func(context.CancelFunc) { p.exec(`SELECT pg_cancel_backend($1)`, p.waiting()) },
		"ended by an administrator":     func(context.CancelFunc) { p.exec(`SELECT pg_terminate_backend($1)`, p.waiting()) },
		"cancelled by the caller":       func(cancel context.CancelFunc) { p.waiting(); cancel() },
	}
	fast := p.pool.Config()
	fast.ConnConfig.RuntimeParams["synchronous_commit"] = "local"
	local, err := pgxpool.NewWithConfig(t.Context(), fast)
	require.NoError(t, err)
	defer local.Close()
	_, err = pgstore.New(t.Context(), local, p.o)
	require.ErrorIs(t, err, pgstore.ErrWeak, "it would not wait for the standby")

	p.standby.kill()
	var changes []store.Change
	for name, giveUp := range ways {
		ctx, cancel := context.WithCancel(t.Context())
		c := sqltest.NewPen(len(changes)+1).Change(1, false)
		told := p.commit(ctx, p.o.Patience, c)
		giveUp(cancel)
		require.ErrorIs(t, (<-told).err, roomkit.ErrUnknownOutcome, name)
		cancel()
		changes = append(changes, c)
	}
	for _, c := range changes {
		short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		_, err := p.store.Load(short, []store.Need{{Command: c.Command}})
		require.ErrorIs(t, err, context.DeadlineExceeded, "no repeat is answered")
		again := <-commit(short, p.store, c)
		require.Error(t, again.err)
		cancel()
	}
	late := sqltest.NewPen(99).Change(1, false)
	told := p.commit(t.Context(), time.Minute, late)
	p.exec(`SELECT pg_cancel_backend($1)`, p.waiting())
	p.waiting() // for a commit behind it
	p.standby.start(t)
	a := <-told
	require.NoError(t, a.err)
	require.NoError(t, a.results[0].Err)
	for _, c := range changes {
		again := <-commit(t.Context(), p.store, c)
		require.NoError(t, again.err)
		require.True(t, again.results[0].Repeat)
	}
	before := p.feed(t, "")
	p.primary.kill()
	p.standby.run(t, "pg_ctl", "promote", "-D", p.standby.data(), "-w")
	pool := poolOf(t, p.standby.url())
	mustExec(t, pool, `ALTER SYSTEM SET synchronous_standby_names = ''`)
	mustExec(t, pool, `SELECT pg_reload_conf()`)
	promoted := openStore(t, pool, p.o)
	for _, c := range append(changes, late) {
		facts, err := promoted.Load(t.Context(), []store.Need{{Command: c.Command}})
		require.NoError(t, err)
		require.NotNil(t, facts[0].Done, "nothing that was acknowledged is lost")
	}
	w := &world{pool: pool, o: p.o, store: promoted}
	require.Equal(t, before, w.feed(t, ""))

	mustExec(t, pool, `ALTER SYSTEM SET fsync = off`)
	mustExec(t, pool, `SELECT pg_reload_conf()`)
	line := sqltest.NewPen(100)
	require.Eventually(t, func() bool {
		err = commitOne(t, promoted, line.Change(1, false))
		return err != nil
	}, time.Minute, 10*time.Millisecond)
	require.ErrorIs(t, err, pgstore.ErrWeak, "every commit looks")
}
