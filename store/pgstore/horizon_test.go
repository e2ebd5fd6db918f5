package pgstore_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/retention"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
	"github.com/go-roomkit/roomkit/store/pgstore"
	"github.com/go-roomkit/roomkit/store/verify"
)

// future is behind all that has happened.
func future() time.Time { return time.Now().Add(time.Hour) }

// drawn gives a transaction that has drawn the places of a change and has not committed.
func (w *world) drawn(t *testing.T, c store.Change) *host {
	t.Helper()
	h := w.host(t)
	require.NoError(t, commitOne(t, h.store, c))
	_, err := h.Exec(t.Context(), `SET CONSTRAINTS ALL IMMEDIATE`)
	require.NoError(t, err)
	return h
}

// A commit that has drawn its places and has not ended holds up the feed behind them, and
// nobody who writes. Whether it commits or is undone, nothing is missed.
func TestFeedWaitsForWhatIsInFlight(t *testing.T) {
	for name, end := range map[string]func(*host) error{
		"committed": func(h *host) error { return h.Commit(t.Context()) },
		"undone":    func(h *host) error { return h.Rollback(t.Context()) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			o := *w.o
			o.Patience = 50 * time.Millisecond
			hasty := openStore(t, w.pool, &o)
			before := w.feed(t, "")
			tail := before[len(before)-1].Cursor
			slow, quick := sqltest.NewPen(1), sqltest.NewPen(2)
			h := w.drawn(t, slow.Change(2, false))
			page, err := hasty.Feed(t.Context(), tail, 0)
			require.NoError(t, err)
			require.Empty(t, page, "nothing has been stored behind it")
			require.NoError(t, commitOne(t, w.store, quick.Change(3, false)))
			_, err = hasty.Feed(t.Context(), tail, 0)
			require.ErrorIs(t, err, pgstore.ErrUnavailable)
			require.ErrorContains(t, err, fmt.Sprint("process ", h.Conn().PgConn().PID()))
			head, err := w.store.Head(t.Context())
			require.NoError(t, err)
			require.Equal(t, tail, head)

			told := make(chan []store.Record, 1)
			go func() {
				page, err := w.store.Feed(t.Context(), tail, 0)
				if err == nil {
					told <- page
				}
				close(told)
			}()
			require.NoError(t, end(h))
			want := 3
			if name == "committed" {
				want += 2
			}
			page = <-told
			require.Len(t, page, want)
			require.Equal(t, roomkit.RoomSubject(quick.Row.ID), page[want-1].Subject)
			head, err = w.store.Head(t.Context())
			require.NoError(t, err)
			require.Equal(t, page[want-1].Cursor, head)
		})
	}
}

// inFlight says that somebody draws places behind this one, until the end of the test or release.
func (s *side) inFlight(w *world, place int64) (release func()) {
	s.t.Helper()
	const key = `((lock_key & 8388607) * 256)::integer, $1::integer) FROM `
	s.exec(`SELECT pg_advisory_lock_shared(`+key+w.o.Schema+`.roomkit_meta`, place)
	return func() { s.exec(`SELECT pg_advisory_unlock_shared(`+key+w.o.Schema+`.roomkit_meta`, place) }
}

// Head is between two commands, even if what can be read ends within one, or within several that
// have drawn places in turn.
func TestHeadIsBetweenCommands(t *testing.T) {
	w := newWorld(t)
	before := w.feed(t, "")
	n := int64(len(before))
	a, b := sqltest.NewPen(1), sqltest.NewPen(2)
	require.NoError(t, commitOne(t, w.store, a.Change(4, false)))
	require.NoError(t, commitOne(t, w.store, b.Change(2, false)))
	require.NoError(t, commitOne(t, w.store, a.Change(1, false)))
	// a a b a a b a
	mustExec(t, w.pool, fmt.Sprintf(`UPDATE %[1]s.roomkit_records SET position = -position WHERE position > %[2]d;
		UPDATE %[1]s.roomkit_records SET position = %[2]d + (ARRAY[1, 2, 4, 5, 3, 6, 7])[-position - %[2]d] WHERE position < 0`, w.o.Schema, n))
	all := w.feed(t, "")
	require.Len(t, all, len(before)+7)
	side := w.side(t)
	for at, want := range []int64{0, 0, 0, 0, 0, 0, 6, 7} {
		release := side.inFlight(w, n+int64(at))
		head, err := w.store.Head(t.Context())
		require.NoError(t, err)
		require.Equal(t, all[n+want-1].Cursor, head, "up to %d", at)
		page, err := w.store.Feed(t.Context(), "", 0)
		require.NoError(t, err)
		require.Len(t, page, int(n)+at)
		release()
	}
}

// A horizon is the place of the lock that is not far ahead of the newest one.
func TestHorizonOfLargePlaces(t *testing.T) {
	w := newWorld(t)
	for _, far := range []int64{1 << 31, 1 << 32, 1<<40 - 3, 1 << 50} {
		mustExec(t, w.pool, w.within(`SELECT setval('%[1]s.roomkit_places', `+fmt.Sprint(far)+`)`))
		tail, err := w.store.Head(t.Context())
		require.NoError(t, err)
		h := w.drawn(t, sqltest.NewPen(1).Change(1, false))
		for i := range 4 {
			require.NoError(t, commitOne(t, w.store, sqltest.NewPen(10+i).Change(2, false)), far)
		}
		head, err := w.store.Head(t.Context())
		require.NoError(t, err)
		require.Equal(t, tail, head, far)
		require.NoError(t, h.Rollback(t.Context()))
		page, err := w.store.Feed(t.Context(), tail, 0)
		require.NoError(t, err)
		require.Len(t, page, 8, far)
		mustExec(t, w.pool, w.within(`DELETE FROM %[1]s.roomkit_records WHERE command = ANY(ARRAY(SELECT id FROM %[1]s.roomkit_commands));
			DELETE FROM %[1]s.roomkit_rooms; DELETE FROM %[1]s.roomkit_commands`))
	}
}

// What two commands have stored in turn is pruned in between: each is remembered as it was
// until its last event is forgotten.
func TestPruneBetweenCommandsInTurn(t *testing.T) {
	w := newWorld(t)
	room := team(t, w.service, "Group")
	n := len(w.feed(t, ""))
	do(t, w.service, roomkit.By("u4"), roomkit.CreateGroup{Name: "In turn", Members: []roomkit.UserID{"u5", "u6"}})
	middle := len(w.feed(t, ""))
	do(t, w.service, roomkit.By("u1"), roomkit.CreateGroup{Name: "In turn, too", Members: []roomkit.UserID{"u7", "u8"}})
	do(t, w.service, roomkit.By("u1"), roomkit.Edit{Room: room, Name: new("Last")})
	require.Greater(t, middle, n+1)
	// The last record of the first command changes places with the first one of the second.
	mustExec(t, w.pool, fmt.Sprintf(`UPDATE %[1]s.roomkit_records SET position = -1 WHERE position = %[2]d;
		UPDATE %[1]s.roomkit_records SET position = %[2]d WHERE position = %[2]d + 1; UPDATE %[1]s.roomkit_records SET position = %[2]d + 1 WHERE position = -1`, w.o.Schema, middle))
	all := w.feed(t, "")
	first, second := all[middle].Command, all[middle-1].Command
	require.Equal(t, first, all[n].Command)
	require.Equal(t, second, all[middle+1].Command)
	outcome := func(command roomkit.CommandID) *store.Outcome {
		facts, err := w.store.Load(t.Context(), []store.Need{{Command: command}})
		require.NoError(t, err)
		return facts[0].Done
	}
	was := map[roomkit.CommandID]*store.Outcome{first: outcome(first), second: outcome(second)}
	between := 0
	report, err := retention.Prune(t.Context(), w.store, retention.PruneOptions{
		EventsBefore: future(), Step: 1, Ignore: []string{"roomkit.enforce"}, Progress: func(retention.PruneReport) {
			left, err := w.store.Feed(t.Context(), begin(t, w.store), 0)
			require.NoError(t, err)
			for command, before := range was {
				stays := slices.ContainsFunc(left, func(r store.Record) bool { return r.Command == command })
				if stays {
					require.Equal(t, before, outcome(command))
				} else {
					require.Nil(t, outcome(command))
				}
				if stays && left[0].Command != command && len(left) < len(all)-n {
					between++
				}
			}
			require.NoError(t, verify.Run(t.Context(), w.store, nil))
		},
	})
	require.NoError(t, err)
	require.EqualValues(t, len(all)-1, report.Events)
	require.Positive(t, between)
}

// begin gives the place at which the feed begins.
func begin(t *testing.T, s store.Store) roomkit.Cursor {
	t.Helper()
	at, err := store.FeedBegin(t.Context(), s)
	require.NoError(t, err)
	return at
}

// Nothing is pruned behind what can be read: who is in flight may come before it.
func TestPruneWaitsForNobody(t *testing.T) {
	w := newWorld(t)
	side := w.side(t)
	all := w.feed(t, "")
	n := len(all)
	release := side.inFlight(w, int64(n)-4)
	err := w.store.Prune(t.Context(), store.Pruning{To: all[n-3].Cursor, Fold: func(store.Base, []store.Record) (store.Base, error) { panic("not prunable") }})
	require.ErrorIs(t, err, roomkit.ErrInvalid)
	release()
}
