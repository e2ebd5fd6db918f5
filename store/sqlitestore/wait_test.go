package sqlitestore_test

import (
	"context"
	"database/sql"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/sqlitestore"
	"github.com/go-roomkit/roomkit/store/sqlitestore/sqliteopen"
	"github.com/go-roomkit/roomkit/store/verify"
)

// host is a program that has a transaction open on the one connection for writing while
// it calls the service, in a synctest bubble.
type host struct {
	*sqliteopen.Store
	svc   *service.Service
	rooms []roomkit.RoomID
	tx    *sql.Tx
}

func hosting(t *testing.T, play func(t *testing.T, h *host)) {
	t.Helper()
	path := newPath(t)
	synctest.Test(t, func(t *testing.T) {
		h := &host{Store: open(t, path)}
		h.rooms, h.svc = populate(t, h, 1), newService(t, h)
		_, err := h.svc.Do(t.Context(), roomkit.By(boss), edit(h.rooms[0], "so that what a commit needs is prepared"))
		require.NoError(t, err)
		h.tx, err = h.Writer.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		_, err = h.tx.ExecContext(t.Context(), "CREATE TABLE IF NOT EXISTS messages (id)")
		require.NoError(t, err)
		play(t, h)
	})
}

// lasted demands that a call takes so long, and no longer.
func lasted(t *testing.T, want time.Duration, call func() error) error {
	t.Helper()
	start := time.Now() //nolint:forbidigo // the clock of the bubble
	err := call()
	require.InDelta(t, want, time.Since(start), float64(want/10+time.Millisecond)) //nolint:forbidigo // as above
	return err
}

const patience = 10 * time.Second // of the zero value

func (h *host) do(ctx context.Context) error {
	_, err := h.svc.Do(ctx, roomkit.By(boss), edit(h.rooms[0], "while the host writes"))
	return err
}

// Nothing waits for ever for a host that calls the service inside of its own
// transaction: what reads does not wait, what writes waits as long as Patience and says why.
func TestHostHasTransactionOpen(t *testing.T) {
	writes := map[string]func(ctx context.Context, h *host) error{
		"Do": func(ctx context.Context, h *host) error { return h.do(ctx) },
		"Batch": func(ctx context.Context, h *host) error {
			cmd := edit(h.rooms[0], "in a batch")
			return h.svc.Batch(ctx, roomkit.By(boss), []roomkit.Command{cmd})[0].Err
		},
		"Commit":  func(ctx context.Context, h *host) error { _, err := h.Commit(ctx, []store.Change{{}}); return err },
		"Migrate": func(ctx context.Context, h *host) error { return sqlitestore.Migrate(ctx, h.Writer, nil) },
		"New":     func(ctx context.Context, h *host) error { _, err := sqlitestore.New(ctx, h.Writer, nil); return err },
	}
	for name, write := range writes {
		t.Run(name, func(t *testing.T) {
			hosting(t, func(t *testing.T, h *host) {
				err := lasted(t, patience, func() error { return write(t.Context(), h) })
				require.ErrorIs(t, err, sqlitestore.ErrBusy)
				require.Equal(t, service.CategoryUnavailable, service.CategoryOf(err))
				require.ErrorContains(t, err, "all connections of the handle, 1, are in use: end the transaction")
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				err = lasted(t, time.Second, func() error { return write(ctx, h) })
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.NoError(t, h.tx.Commit())
				require.NoError(t, h.do(t.Context()))
				verifyStore(t, h)
			})
		})
	}
}

func TestReadersDoNotWaitForHost(t *testing.T) {
	reads := map[string]func(ctx context.Context, h *host) error{
		"Check": func(ctx context.Context, h *host) error {
			return h.svc.Check(ctx, boss, roomkit.ActionPost, h.rooms[0])
		},
		"Access": func(ctx context.Context, h *host) error { _, err := h.svc.Access(ctx, boss, h.rooms...); return err },
		"Members": func(ctx context.Context, h *host) error {
			_, err := h.svc.MembersPage(ctx, boss, h.rooms[0], service.MemberList{})
			return err
		},
		"Feed":   func(ctx context.Context, h *host) error { _, err := h.Feed(ctx, "", 0); return err },
		"Verify": func(ctx context.Context, h *host) error { return verify.Run(ctx, h, nil) },
		"Plan": func(ctx context.Context, h *host) error {
			_, err := h.svc.Plan(ctx, roomkit.By(boss), edit(h.rooms[0], "x"))
			return err
		},
	}
	for name, read := range reads {
		t.Run(name, func(t *testing.T) {
			hosting(t, func(t *testing.T, h *host) {
				require.NoError(t, lasted(t, 0, func() error { return read(t.Context(), h) }))
				require.NoError(t, h.tx.Rollback())
			})
		})
	}
}

// A follower waits for the host with its checkpoint, and goes on when the host is done.
func TestFollowerWaitsForHost(t *testing.T) {
	hosting(t, func(t *testing.T, h *host) {
		handled, ended := 0, make(chan error, 1)
		go func() {
			ended <- h.svc.Follow(t.Context(), "mail", func(context.Context, service.Recorded) error { handled++; return nil },
				&service.FollowOptions{Once: true})
		}()
		time.Sleep(3 * patience) //nolint:forbidigo // in the bubble
		synctest.Wait()
		require.Empty(t, ended, "the follower has neither failed nor ended")
		require.NoError(t, h.tx.Rollback())
		require.NoError(t, <-ended)
		require.Equal(t, countRecords(t, h), handled)
	})
}

// Rows that the host has left open on all connections for reading, and one handle for
// everything, are no reason to wait for ever either.
func TestReadsHaveNoConnection(t *testing.T) {
	for name, single := range map[string]bool{"readers": false, "one handle for all": true} {
		t.Run(name, func(t *testing.T) {
			path := newPath(t)
			rooms := populate(t, open(t, path), 1)
			synctest.Test(t, func(t *testing.T) {
				db, readers := handle(t, path), handle(t, path)
				for _, h := range []*sql.DB{db, readers} {
					h.SetMaxOpenConns(1)
				}
				o := &sqlitestore.Options{Patience: 2 * time.Second, Readers: readers}
				if single {
					o.Readers = nil
				}
				s, err := sqlitestore.New(t.Context(), db, o)
				require.NoError(t, err)
				access := func(rooms ...roomkit.RoomID) func(ctx context.Context) error {
					return func(ctx context.Context) error {
						return s.LoadAccess(ctx, boss, rooms, []*store.Facts{{}, {}}[:len(rooms)])
					}
				}
				require.NoError(t, access(rooms[0])(t.Context()), "so that what it needs is prepared")
				for _, h := range []*sql.DB{db, readers} {
					tx, err := h.BeginTx(t.Context(), nil)
					require.NoError(t, err)
					defer func() { require.NoError(t, tx.Rollback()) }()
				}
				for name, read := range map[string]func(ctx context.Context) error{
					"Load": func(ctx context.Context) error { _, err := s.Load(ctx, []store.Need{{Room: rooms[0]}}); return err },
					"Members": func(ctx context.Context) error {
						_, err := s.Members(ctx, store.MemberQuery{Room: rooms[0]})
						return err
					},
					"Feed":       func(ctx context.Context) error { _, err := s.Feed(ctx, "", 0); return err },
					"LoadAccess": access(rooms[0]), "LoadAccess of two": access(rooms[0], rooms[0]),
				} {
					err := lasted(t, o.Patience, func() error { return read(t.Context()) })
					require.ErrorIs(t, err, sqlitestore.ErrBusy, name)
					require.ErrorContains(t, err, "are in use", name)
					ctx, cancel := context.WithTimeout(t.Context(), time.Second)
					require.ErrorIs(t, lasted(t, time.Second, func() error { return read(ctx) }), context.DeadlineExceeded, name)
					cancel()
				}
			})
		})
	}
}
