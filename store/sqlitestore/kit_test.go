package sqlitestore_test

import (
	"context"
	"database/sql"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/sqlitestore"
	"github.com/go-roomkit/roomkit/store/sqlitestore/sqliteopen"
	"github.com/go-roomkit/roomkit/store/verify"
)

// TestMain lets the test binary be its own child process. If a column is forgotten
// somewhere it says so in one line, and runs nothing.
func TestMain(m *testing.M) {
	if run, ok := children[os.Getenv("ROOMKIT_SQLITE_CHILD")]; ok {
		if err := run(os.Getenv("ROOMKIT_SQLITE_PATH"), os.Getenv("ROOMKIT_SQLITE_SEED")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if err := sqlitestore.CheckColumns(); err != nil {
		fmt.Fprintln(os.Stderr, "store/sqlitestore, no test was run:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

var children = map[string]func(path, seed string) error{"endless": writeEndlessly, "some": writeSome, "migrate": migrateUntil}

// scale gives the size of a test: the long one if ROOMKIT_LONG is set, a fifth of
// the usual one with -short, which the race detector needs.
func scale(usual, long int) int {
	switch {
	case os.Getenv("ROOMKIT_LONG") != "":
		return long
	case testing.Short():
		return max(1, usual/5)
	}
	return usual
}

func open(tb testing.TB, path string) *sqliteopen.Store {
	tb.Helper()
	s, err := sqliteopen.Open(context.Background(), path, &sqliteopen.Options{Create: true})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, s.Close()) })
	return s
}

func newPath(tb testing.TB) string {
	tb.Helper()
	return filepath.Join(tb.TempDir(), "rooms.db")
}

func newService(tb testing.TB, s store.Store) *service.Service {
	tb.Helper()
	svc, err := service.New(s, nil)
	require.NoError(tb, err)
	return svc
}

// The world of the tests: one company, some users, some General rooms of the
// first three of them.
const (
	acme      = roomkit.CompanyID("acme")
	worldSize = 24 // users
	boss      = roomkit.UserID("user-000")
)

func user(n int) roomkit.UserID { return roomkit.UserID(fmt.Sprintf("user-%03d", n)) }

// addUsers adds members of acme; who is there stays.
func addUsers(tb testing.TB, svc *service.Service, ids []roomkit.UserID) {
	tb.Helper()
	for some := range slices.Chunk(ids, roomkit.MaxBatch) {
		cmds := make([]roomkit.Command, len(some))
		for i, id := range some {
			cmds[i] = roomkit.AddUser{User: roomkit.User{ID: id, Company: acme, Kind: roomkit.UserMember, Status: roomkit.StatusActive}}
		}
		for _, is := range svc.Batch(context.WithoutCancel(tb.Context()), roomkit.System(), cmds) {
			require.NoError(tb, is.Err)
		}
	}
}

// populate makes the world with n rooms.
func populate(tb testing.TB, s store.Store, n int) []roomkit.RoomID {
	tb.Helper()
	ctx, svc := tb.Context(), newService(tb, s)
	_, err := svc.Do(ctx, roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{ID: acme, Licensed: true, MembersCreateGroups: true}})
	require.NoError(tb, err)
	var ids []roomkit.UserID
	for i := range worldSize {
		ids = append(ids, user(i))
	}
	addUsers(tb, svc, ids)
	rooms := make([]roomkit.RoomID, n)
	for i := range rooms {
		r, err := svc.Do(ctx, roomkit.By(boss), roomkit.CreateRoom{
			People: []roomkit.UserID{user(1), user(2)}, Audience: roomkit.AudienceMembers, AllowDuplicate: true,
		})
		require.NoError(tb, err)
		rooms[i] = r.Room
	}
	return rooms
}

// roomsOf gives the rooms of the world.
func roomsOf(ctx context.Context, s store.Store) (ids []roomkit.RoomID, err error) {
	page, err := s.Rooms(ctx, store.RoomQuery{User: boss, Limit: roomkit.MaxPage})
	for _, e := range page {
		ids = append(ids, e.Room.ID)
	}
	return ids, err
}

// commandOf gives the command that a key stands for, so that whoever knows the
// key can repeat it.
func commandOf(key string, rooms []roomkit.RoomID) roomkit.Command {
	h := fnv.New32a()
	h.Write([]byte(key))
	n := int(h.Sum32() >> 4)
	room, who := rooms[n%len(rooms)], []roomkit.UserID{user(3 + n/len(rooms)%(worldSize-3))}
	if n%2 == 0 {
		return edit(room, key)
	}
	return roomkit.Invite{Room: room, People: who}
}

func verifyStore(tb testing.TB, s store.Store) {
	tb.Helper()
	require.NoError(tb, verify.Run(context.Background(), s, nil))
}

// allRecords reads the whole feed.
func allRecords(tb testing.TB, s store.Store) (all []store.Record) {
	tb.Helper()
	for after := roomkit.Cursor(""); ; after = all[len(all)-1].Cursor {
		page, err := s.Feed(context.Background(), after, roomkit.MaxPage)
		require.NoError(tb, err)
		if len(page) == 0 {
			return all
		}
		all = append(all, page...)
	}
}

func countRecords(tb testing.TB, s store.Store) int { return len(allRecords(tb, s)) }

func mustExec(tb testing.TB, db *sql.DB, text string, args ...any) {
	tb.Helper()
	_, err := db.ExecContext(context.Background(), text, args...)
	require.NoError(tb, err)
}
