package sqlitestore_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/sqlitestore"
)

// impatient asks once, as long as the connection's busy_timeout.
var impatient = &sqlitestore.Options{Patience: 1, Weak: true}

// busies are the ways in which another process can stand in the way of a commit.
var busies = []struct {
	name    string
	journal string
	holds   string // what the other one does in its transaction
	txlock  string
}{
	{"at the first statement", "wal", "SELECT 1", "immediate"},
	{"at the COMMIT", "delete", "SELECT count(*) FROM roomkit_records", "deferred"},
}

// A database that stays locked is ErrBusy, of which nothing is stored.
func TestBusy(t *testing.T) {
	for _, tt := range busies {
		t.Run(tt.name, func(t *testing.T) {
			path := newPath(t)
			db := handle(t, path, "_journal_mode="+tt.journal)
			require.NoError(t, sqlitestore.Migrate(t.Context(), db, nil))
			s, err := sqlitestore.New(t.Context(), db, impatient)
			require.NoError(t, err)
			rooms := populate(t, s, 1)
			svc, err := service.New(s, nil)
			require.NoError(t, err)
			before := allRecords(t, s)
			c := captured(t, s, edit(rooms[0], "later"))
			release := lock(t, path, tt.txlock, tt.holds)
			_, err = s.Commit(t.Context(), []store.Change{c})
			require.ErrorIs(t, err, sqlitestore.ErrBusy)
			require.ErrorIs(t, err, roomkit.ErrUnavailable)
			require.NotErrorIs(t, err, roomkit.ErrConflict, "nobody has changed anything")
			require.NotErrorIs(t, err, roomkit.ErrUnknownOutcome)
			require.Equal(t, before, allRecords(t, s))
			_, err = svc.Do(t.Context(), roomkit.By(boss), edit(rooms[0], "later"))
			require.ErrorIs(t, err, sqlitestore.ErrBusy)
			require.NotErrorIs(t, err, roomkit.ErrUnknownOutcome)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_, err = s.Commit(ctx, []store.Change{c})
			require.ErrorIs(t, err, context.Canceled)
			require.NotErrorIs(t, err, roomkit.ErrUnknownOutcome)
			o := *impatient
			o.Prefix = "another_"
			require.ErrorIs(t, sqlitestore.Migrate(t.Context(), db, &o), sqlitestore.ErrBusy)
			release()
			results, err := s.Commit(t.Context(), []store.Change{c})
			require.NoError(t, err)
			require.NoError(t, results[0].Err)
			require.False(t, results[0].Repeat)
			require.NoError(t, sqlitestore.Migrate(t.Context(), db, &o))
			verifyStore(t, s)
		})
	}
}

// lock begins a transaction of somebody else, who is done with it when release is
// called.
func lock(t *testing.T, path, txlock, query string) (release func()) {
	t.Helper()
	tx, err := handle(t, path, "_txlock="+txlock).BeginTx(t.Context(), nil)
	require.NoError(t, err)
	var n int
	require.NoError(t, tx.QueryRowContext(t.Context(), query).Scan(&n))
	return func() { require.NoError(t, tx.Rollback()) }
}
