package sqlitestore_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/sqlitestore"
	"github.com/go-roomkit/roomkit/store/sqlitestore/sqliteopen"
	"github.com/go-roomkit/roomkit/store/verify"
)

// fillUp runs commands until the store fails, and demands that it fails with
// ErrFull and keeps what it acknowledged.
func fillUp(t *testing.T, s store.Store) {
	t.Helper()
	rooms, err := roomsOf(t.Context(), s)
	require.NoError(t, err)
	svc := newService(t, s)
	var keys []string
	long := strings.Repeat("字", 150)
	for n := 0; err == nil; n++ {
		require.Less(t, n, 20_000, "the disk does not get full")
		key := fmt.Sprint("fill", n)
		keys = append(keys, key)
		_, err = svc.Do(t.Context(), roomkit.By(boss), edit(rooms[0], long+key), service.Call{Key: key})
	}
	require.ErrorIs(t, err, sqlitestore.ErrFull)
	require.NotErrorIs(t, err, roomkit.ErrConflict)
	require.NotErrorIs(t, err, roomkit.ErrUnknownOutcome)
	before := allRecords(t, s)
	_, err = svc.Do(t.Context(), roomkit.By(boss), edit(rooms[0], long), service.Call{Key: "again"})
	require.ErrorIs(t, err, sqlitestore.ErrFull)
	require.NotErrorIs(t, err, roomkit.ErrUnknownOutcome)
	require.Equal(t, before, allRecords(t, s), "what failed has left something")
	for _, key := range keys[:len(keys)-1] {
		r, err := svc.Do(t.Context(), roomkit.By(boss), edit(rooms[0], long+key), service.Call{Key: key})
		require.NoError(t, err)
		require.True(t, r.Repeat, "acknowledged, but not stored: %s", key)
	}
	verifyStore(t, s)
}

func TestFullDatabase(t *testing.T) {
	s := open(t, newPath(t))
	rooms := populate(t, s, 2)
	var pages int
	require.NoError(t, s.Writer.QueryRow("PRAGMA page_count").Scan(&pages))
	mustExec(t, s.Writer, fmt.Sprintf("PRAGMA max_page_count = %d", pages+50))
	fillUp(t, s)
	mustExec(t, s.Writer, "PRAGMA max_page_count = 1000000")
	_, err := newService(t, s).Do(t.Context(), roomkit.By(boss), commandOf("later", rooms))
	require.NoError(t, err, "there is room again")
	verifyStore(t, s)
}

func TestReadOnly(t *testing.T) {
	path := newPath(t)
	rooms := populate(t, open(t, path), 1)
	for _, parameter := range []string{"mode=ro", "_query_only=1"} {
		t.Run(parameter, func(t *testing.T) {
			db := handle(t, path, parameter)
			s, err := sqlitestore.New(t.Context(), db, nil)
			require.NoError(t, err)
			before := allRecords(t, s)
			_, err = newService(t, s).Do(t.Context(), roomkit.By(boss), commandOf("k", rooms))
			require.ErrorIs(t, err, sqlitestore.ErrReadOnly)
			require.ErrorIs(t, err, roomkit.ErrUnsupported)
			require.NotErrorIs(t, err, roomkit.ErrUnknownOutcome)
			require.Equal(t, before, allRecords(t, s))
			require.NoError(t, sqlitestore.Migrate(t.Context(), db, nil), "there is nothing to do")
		})
	}
}

func TestClosedHandle(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	rooms := populate(t, s, 1)
	svc := newService(t, s)
	before := allRecords(t, s)
	require.NoError(t, s.Close())
	for name, call := range map[string]func() error{
		"Commit":  func() error { _, err := s.Commit(t.Context(), []store.Change{{}}); return err },
		"Load":    func() error { _, err := s.Load(t.Context(), []store.Need{{Room: rooms[0]}}); return err },
		"Members": func() error { _, err := s.Members(t.Context(), store.MemberQuery{Room: rooms[0]}); return err },
		"Rooms":   func() error { _, err := s.Rooms(t.Context(), store.RoomQuery{User: boss}); return err },
		"Users":   func() error { _, err := s.Users(t.Context(), store.UserQuery{Company: acme}); return err },
		"History": func() error { _, err := s.History(t.Context(), roomkit.RoomSubject(rooms[0]), 0, 0); return err },
		"Feed":    func() error { _, err := s.Feed(t.Context(), "", 0); return err },
		"Do":      func() error { _, err := svc.Do(t.Context(), roomkit.By(boss), commandOf("k", rooms)); return err },
		"New":     func() error { _, err := sqlitestore.New(t.Context(), s.Writer, nil); return err },
		"Migrate": func() error { return sqlitestore.Migrate(t.Context(), s.Writer, nil) },
	} {
		err := call()
		require.ErrorIs(t, err, sqlitestore.ErrUnavailable, name)
		require.NotErrorIs(t, err, roomkit.ErrUnknownOutcome, name)
	}
	require.Equal(t, before, allRecords(t, open(t, path)))
}

func TestNoFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "no", "such", "folder.db")
	_, err := sqliteopen.Open(t.Context(), path, &sqliteopen.Options{Create: true})
	require.ErrorIs(t, err, sqlitestore.ErrUnavailable)
	require.ErrorContains(t, err, path)
}

// A command whose context has ended changes nothing, and the store goes on.
func TestCancelledCommand(t *testing.T) {
	s := open(t, newPath(t))
	rooms := populate(t, s, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	before := allRecords(t, s)
	_, err := newService(t, s).Do(ctx, roomkit.By(boss), edit(rooms[0], "late"))
	require.ErrorIs(t, err, context.Canceled)
	_, err = s.Commit(ctx, []store.Change{captured(t, s, edit(rooms[0], "late"))})
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, roomkit.ErrUnknownOutcome)
	require.Equal(t, before, allRecords(t, s))
	_, err = newService(t, s).Do(t.Context(), roomkit.By(boss), edit(rooms[0], "in time"))
	require.NoError(t, err)
}

// Bytes that are no event are found by whoever decodes them; the store gives them
// as they are.
func TestCorruptEvent(t *testing.T) {
	for _, bytes := range []string{"\x00\xff", "", "{", `{"type":"member.joined"}`} {
		s := open(t, newPath(t))
		rooms := populate(t, s, 2)
		records := allRecords(t, s)
		mustExec(t, s.Writer, "UPDATE roomkit_records SET data = ? WHERE position = 5", []byte(bytes))
		require.Equal(t, records[5:], allRecords(t, s)[5:])
		var last error
		for _, err := range newService(t, s).Feed(t.Context(), "") {
			last = err
		}
		require.ErrorIs(t, last, roomkit.ErrInvalid)
		require.ErrorContains(t, last, fmt.Sprintf("event %s/%d", records[4].Subject, records[4].Version))
		require.ErrorIs(t, verify.Run(t.Context(), s, nil), roomkit.ErrInconsistent)
		_, err := newService(t, s).Do(t.Context(), roomkit.By(boss), commandOf("k", rooms))
		require.NoError(t, err, "commands do not read events")
	}
}

// Values that this package does not write are ErrCorrupt and never taken for
// something else.
func TestCorruptRow(t *testing.T) {
	for _, spoil := range []string{
		"UPDATE roomkit_rooms SET kind = 'party'", "UPDATE roomkit_rooms SET state = ''", "UPDATE roomkit_rooms SET origin = '日本'",
		`UPDATE roomkit_members SET "left" = 'x'`, `UPDATE roomkit_members SET "left" = ''`, "UPDATE roomkit_members SET joined = 'Created'",
		"UPDATE roomkit_users SET kind = 'robot'", "UPDATE roomkit_users SET status = ' active'",
		"UPDATE roomkit_companies SET partners = 'on'", "UPDATE roomkit_rooms SET digest = x'00'",
	} {
		s := open(t, newPath(t))
		rooms := populate(t, s, 1)
		mustExec(t, s.Writer, spoil)
		_, err := s.Load(t.Context(), []store.Need{{Room: rooms[0], People: []roomkit.UserID{boss}}})
		require.ErrorIs(t, err, sqlitestore.ErrCorrupt, spoil)
		_, err = newService(t, s).Do(t.Context(), roomkit.By(boss), commandOf("k", rooms))
		require.ErrorIs(t, err, sqlitestore.ErrCorrupt, spoil)
	}
}

func TestDamagedFile(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	rooms := populate(t, s, 1)
	require.NoError(t, s.Close())
	file, err := os.ReadFile(path)
	require.NoError(t, err)
	for i := 4096; i < len(file); i++ {
		file[i] = 0xa5
	}
	damaged := filepath.Join(t.TempDir(), "damaged.db")
	require.NoError(t, os.WriteFile(damaged, file, 0o600))
	d, err := sqlitestore.New(t.Context(), handle(t, damaged), nil)
	if err == nil {
		_, err = d.Load(t.Context(), []store.Need{{Room: rooms[0]}})
	}
	require.ErrorIs(t, err, sqlitestore.ErrCorrupt)
	none := filepath.Join(t.TempDir(), "none.db")
	require.NoError(t, os.WriteFile(none, []byte(strings.Repeat("this is no database ", 300)), 0o600))
	_, err = sqlitestore.New(t.Context(), handle(t, none, "_journal_mode=off"), nil)
	require.ErrorIs(t, err, sqlitestore.ErrCorrupt)
}

// errPower is what the faults of the driver say.
var errPower = errors.New("power failure")

// A statement that fails, wherever it stands in a load or a commit, leaves nothing
// behind, and the next attempt succeeds.
func TestEveryStatementFails(t *testing.T) {
	path := newPath(t)
	kept := open(t, path)
	rooms := populate(t, kept, 1)
	f := &faults{}
	s, err := sqlitestore.New(t.Context(), f.open(t, path), nil)
	require.NoError(t, err)
	c := captured(t, kept, roomkit.Invite{Room: rooms[0], People: []roomkit.UserID{user(5), user(6)}})
	need := store.Need{Room: rooms[0], People: []roomkit.UserID{user(1)}, Masters: true, Everybody: true, Command: c.Command, Shared: []roomkit.UserID{user(1), user(2)}}
	before := countRecords(t, kept)
	struck := 0
	for _, call := range []func() error{
		func() error { _, err := s.Load(t.Context(), []store.Need{need}); return err },
		func() error {
			results, err := s.Commit(t.Context(), []store.Change{c})
			if err == nil {
				err = results[0].Err
			}
			return err
		},
	} {
		for n := 1; ; n++ {
			f.failAt(n)
			err := call()
			if !f.heal() {
				require.NoError(t, err)
				break
			}
			struck++
			require.ErrorIs(t, err, errPower)
			require.NotErrorIs(t, err, roomkit.ErrUnknownOutcome)
			require.Equal(t, before, countRecords(t, kept), "after a failure of statement %d", n)
		}
	}
	require.Greater(t, struck, 10)
	require.Equal(t, before+1, countRecords(t, kept))
	verifyStore(t, kept)
}

// captured gives the change that a command comes to, without storing it.
func captured(t *testing.T, s store.Store, cmd roomkit.Command) store.Change {
	t.Helper()
	r := &recorder{Store: s}
	_, err := newService(t, r).Do(t.Context(), roomkit.By(boss), cmd)
	require.ErrorIs(t, err, roomkit.ErrInvalid, "the command does not come to a change")
	return r.changes[0]
}

// recorder keeps what it is to commit to itself.
type recorder struct {
	store.Store
	changes []store.Change
}

func (r *recorder) Commit(_ context.Context, changes []store.Change) ([]store.CommitResult, error) {
	r.changes = nil
	for i := range changes {
		r.changes = append(r.changes, changes[i].Clone())
	}
	return []store.CommitResult{{Err: roomkit.ErrInvalid}}, nil
}

// edit changes something in a room of the world.
func edit(room roomkit.RoomID, text string) roomkit.Command {
	rules := roomkit.NewRules(roomkit.Policy{})
	return proof.EditOf(room, rules.Allowed(roomkit.KindGeneral, roomkit.StandingParticipant), text)
}

func TestCommitWithoutAnswer(t *testing.T) {
	tests := []struct {
		name           string
		applied, blind bool
		fails          error
		stored         bool
	}{
		{name: "applied, and found", applied: true, stored: true},
		{name: "not applied, and not found", fails: errPower},
		{name: "applied, and nobody can look", applied: true, blind: true, fails: roomkit.ErrUnknownOutcome, stored: true},
		{name: "not applied, and nobody can look", blind: true, fails: roomkit.ErrUnknownOutcome},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := newPath(t)
			kept := open(t, path)
			populate(t, kept, 1)
			f := &faults{}
			s, err := sqlitestore.New(t.Context(), f.open(t, path), nil)
			require.NoError(t, err)
			c := store.Change{Command: roomkit.CommandID{7}, Expect: []store.Expect{{Subject: roomkit.UserSubject(boss), Version: 1}}}
			f.failCommit(tt.applied, tt.blind)
			results, err := s.Commit(t.Context(), []store.Change{c})
			f.heal()
			if tt.fails == nil {
				require.NoError(t, err)
				require.NoError(t, results[0].Err)
				require.False(t, results[0].Repeat)
			} else {
				require.ErrorIs(t, err, tt.fails)
				require.Equal(t, tt.blind, errors.Is(err, roomkit.ErrUnknownOutcome))
			}
			facts, err := kept.Load(t.Context(), []store.Need{{Command: c.Command}})
			require.NoError(t, err)
			require.Equal(t, tt.stored, facts[0].Done != nil)
			results, err = s.Commit(t.Context(), []store.Change{c})
			require.NoError(t, err, "the store goes on")
			require.Equal(t, tt.stored, results[0].Repeat)
			verifyStore(t, kept)
		})
	}
}
