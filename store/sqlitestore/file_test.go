package sqlitestore_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"modernc.org/sqlite"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/sqlitestore"
	"github.com/go-roomkit/roomkit/store/sqlitestore/sqliteopen"
)

// A path opens the file of that name or is refused; it never opens another one.
func TestPaths(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.Mkdir("folder", 0o700))
	require.NoError(t, os.Symlink("rooms.db", "link.db"))
	for _, path := range []string{
		"", "rooms.db\x00.old", "\x00", ":memory:", ":memory:?cache=shared", "file::memory:?cache=shared", "file:rooms.db", "file:///rooms.db",
		"rooms.db?mode=ro", "rooms.db?_pragma=synchronous(off)", "folder", "folder/", "rooms.db/", ".", "/dev/null",
	} {
		_, err := sqliteopen.Open(t.Context(), path, &sqliteopen.Options{Create: true})
		var invalid *roomkit.Invalid
		require.ErrorAs(t, err, &invalid, "%q", path)
		require.Equal(t, "path", invalid.Field)
	}
	for _, path := range []string{"rooms.db", "a b#c.db", "100%20.db", "방 ü.db", "folder/../x.db", "-wal", "&_pragma=x", "'quoted'.db", "link.db"} {
		s, err := sqliteopen.Open(t.Context(), path, &sqliteopen.Options{Create: true})
		require.NoError(t, err, "%q", path)
		require.NoError(t, s.Close())
		info, err := os.Stat(path)
		require.NoError(t, err, "%q is there", path)
		require.Positive(t, info.Size())
	}
	found, err := os.ReadDir(".")
	require.NoError(t, err)
	require.Len(t, found, 10, "no other file was made: %v", found)
}

// A file that is missing, or lost but for its WAL, is not made without being told.
func TestMissingFile(t *testing.T) {
	path := newPath(t)
	for name, prepare := range map[string]func() error{
		"missing": func() error { return nil },
		"empty":   func() error { return os.WriteFile(path, nil, 0o600) },
	} {
		require.NoError(t, prepare(), name)
		_, err := sqliteopen.Open(t.Context(), path, nil)
		require.ErrorIs(t, err, sqlitestore.ErrUnavailable, name)
		require.ErrorContains(t, err, "Options.Create", name)
		require.ErrorContains(t, err, path, name)
	}
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.WriteFile(path+"-wal", []byte("what a crash has left"), 0o600))
	_, err := sqliteopen.Open(t.Context(), path, &sqliteopen.Options{Create: true})
	require.ErrorIs(t, err, sqlitestore.ErrReplaced)
	require.NoFileExists(t, path)
	require.NoError(t, os.Remove(path+"-wal"))
	s := open(t, path)
	populate(t, s, 1)
	for _, db := range []*sql.DB{s.Writer, s.Readers} { // its connections go, as after ConnMaxLifetime
		db.SetMaxIdleConns(0)
	}
	require.NoError(t, os.Rename(path, path+".moved"))
	_, err = s.Writer.Exec("SELECT 1")
	require.Error(t, err)
	require.NoFileExists(t, path, "a connection that comes later makes no file either")
}

// harms are what can be done to a database under an open store.
var harms = []struct {
	name string
	do   func(t *testing.T, path string)
	heal func(t *testing.T, path string) // puts it right again
}{
	{
		"moved", func(t *testing.T, path string) { require.NoError(t, os.Rename(path, path+".old")) },
		func(t *testing.T, path string) { require.NoError(t, os.Rename(path+".old", path)) },
	},
	{"deleted", func(t *testing.T, path string) { require.NoError(t, os.Remove(path)) }, nil},
	{"replaced by a backup", func(t *testing.T, path string) { require.NoError(t, os.Rename(backupOf(path), path)) }, nil},
	{
		"moved, and another one begun", func(t *testing.T, path string) {
			for _, end := range []string{"", "-wal", "-shm"} {
				require.NoError(t, os.Rename(path+end, path+".old"+end))
			}
			require.NoError(t, open(t, path).Close())
		}, nil,
	},
	{"all files deleted", func(t *testing.T, path string) {
		for _, name := range []string{path, path + "-wal", path + "-shm"} {
			require.NoError(t, os.Remove(name))
		}
	}, nil},
	{
		"WAL moved", func(t *testing.T, path string) { require.NoError(t, os.Rename(path+"-wal", path+".wal")) },
		func(t *testing.T, path string) { require.NoError(t, os.Rename(path+".wal", path+"-wal")) },
	},
	{"WAL replaced", func(t *testing.T, path string) {
		wal, err := os.ReadFile(path + "-wal")
		require.NoError(t, err)
		require.NoError(t, os.Remove(path+"-wal"))
		require.NoError(t, os.WriteFile(path+"-wal", wal, 0o600))
	}, nil},
	{"WAL index deleted", func(t *testing.T, path string) { require.NoError(t, os.Remove(path+"-shm")) }, nil},
}

func backupOf(path string) string { return path + ".backup" }

// guarded is an open store with a backup from some commits ago, and a driver that calls
// something before a COMMIT.
func guarded(t *testing.T) (path string, s *sqlitestore.Store, f *faults, rooms []roomkit.RoomID) {
	t.Helper()
	path, f = newPath(t), &faults{}
	first := open(t, path)
	rooms = populate(t, first, 1)
	mustExec(t, first.Writer, "VACUUM INTO ?", backupOf(path))
	require.NoError(t, first.Close())
	s, err := sqlitestore.New(t.Context(), f.open(t, path), nil)
	require.NoError(t, err)
	_, err = newService(t, s).Do(t.Context(), roomkit.By(boss), edit(rooms[0], "before"), service.Call{Key: "before"})
	require.NoError(t, err)
	return path, s, f, rooms
}

// What is acknowledged is in the file that is there.
func TestFileUnderOpenStore(t *testing.T) {
	for _, harm := range harms {
		t.Run(harm.name, func(t *testing.T) {
			path, s, f, rooms := guarded(t)
			svc := newService(t, s)
			c := captured(t, s, edit(rooms[0], "after"))
			before := allRecords(t, s)
			harm.do(t, path)
			_, err := s.Commit(t.Context(), []store.Change{c})
			require.ErrorIs(t, err, sqlitestore.ErrReplaced)
			require.NotErrorIs(t, err, roomkit.ErrUnknownOutcome, "nothing was done")
			_, err = svc.Do(t.Context(), roomkit.By(boss), edit(rooms[0], "after"))
			require.ErrorIs(t, err, sqlitestore.ErrReplaced)
			require.Equal(t, service.CategoryUnsupported, service.CategoryOf(err))
			require.NotErrorIs(t, err, roomkit.ErrUnknownOutcome)
			if harm.heal == nil {
				return
			}
			harm.heal(t, path)
			require.Equal(t, before, allRecords(t, s))
			f.before = func() { harm.do(t, path) }
			_, err = s.Commit(t.Context(), []store.Change{c})
			require.ErrorIs(t, err, roomkit.ErrUnknownOutcome)
			harm.heal(t, path)
			results, err := s.Commit(t.Context(), []store.Change{c})
			require.NoError(t, err, "put back, all is well")
			require.True(t, results[0].Repeat)
			verifyStore(t, s)
		})
	}
}

// The same while a commit is under way: whether it is stored is unknown, and the service
// does not take it for stored because the connection still sees it.
func TestFileGoesDuringCommit(t *testing.T) {
	for _, harm := range harms {
		t.Run(harm.name, func(t *testing.T) {
			path, s, f, rooms := guarded(t)
			f.before = func() { harm.do(t, path) }
			_, err := newService(t, s).Do(t.Context(), roomkit.By(boss), edit(rooms[0], "during"), service.Call{Key: "during"})
			require.ErrorIs(t, err, roomkit.ErrUnknownOutcome)
			require.ErrorIs(t, err, sqlitestore.ErrReplaced)
		})
	}
}

// An older backup that SQLite itself restores into the file leaves the file in its place.
// It is the records that tell.
func TestRestoredUnderOpenStore(t *testing.T) {
	for name, goesOn := range map[string]bool{"and nothing more": false, "and it went on otherwise": true} {
		t.Run(name, func(t *testing.T) {
			path, s, _, rooms := guarded(t)
			svc := newService(t, s)
			restore(t, path, backupOf(path))
			if goesOn {
				other, err := sqlitestore.New(t.Context(), handle(t, path), nil)
				require.NoError(t, err)
				for _, text := range []string{"one", "two", "three"} {
					_, err = newService(t, other).Do(t.Context(), roomkit.By(boss), edit(rooms[0], text))
					require.NoError(t, err)
				}
			}
			_, err := svc.Do(t.Context(), roomkit.By(boss), edit(rooms[0], "after"))
			require.ErrorIs(t, err, sqlitestore.ErrReplaced)
			require.ErrorContains(t, err, "like an older copy")
			_, err = svc.Do(t.Context(), roomkit.By(boss), edit(rooms[0], "before"), service.Call{Key: "before"})
			require.ErrorIs(t, err, sqlitestore.ErrReplaced, "what was acknowledged is not acknowledged again by chance")
			again := open(t, path)
			_, err = newService(t, again).Do(t.Context(), roomkit.By(boss), edit(rooms[0], "after"))
			require.NoError(t, err, "opened anew, it goes on with what there is")
			verifyStore(t, again)
		})
	}
}

// restore puts a backup into a file as the shell's .restore does.
func restore(t *testing.T, path, backup string) {
	t.Helper()
	conn, err := handle(t, path).Conn(t.Context())
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.Raw(func(c any) error {
		b, err := c.(interface {
			NewRestore(string) (*sqlite.Backup, error)
		}).NewRestore("file:" + backup)
		if err != nil {
			return err
		}
		if _, err = b.Step(-1); err != nil {
			return err
		}
		return b.Finish()
	}))
}

// Connections that come and go take the WAL along and begin another one. That is no harm.
func TestConnectionsComeAndGo(t *testing.T) {
	path := newPath(t)
	rooms := populate(t, open(t, path), 1)
	matches, err := filepath.Glob(path + "*")
	require.NoError(t, err)
	require.Greater(t, len(matches), 1, strings.Join(matches, " "))
	db := handle(t, path)
	db.SetMaxIdleConns(0)
	s, err := sqlitestore.New(t.Context(), db, nil)
	require.NoError(t, err)
	for _, text := range []string{"one", "two", "three", "four"} {
		_, err = newService(t, s).Do(t.Context(), roomkit.By(boss), edit(rooms[0], text))
		require.NoError(t, err)
	}
	verifyStore(t, s)
}

// brokenOff gives what a process that ends in a transaction leaves of a file in which these statements
// were carried out before: the file and its rollback journal.
func brokenOff(t *testing.T, before string) (file, journal []byte) {
	path := filepath.Join(t.TempDir(), "broken.db")
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	defer db.Close()
	_, err = db.Exec(before)
	require.NoError(t, err)
	tx, err := db.Begin()
	require.NoError(t, err)
	_, err = tx.Exec("CREATE TABLE next (a)")
	require.NoError(t, err)
	file, err = os.ReadFile(path)
	require.NoError(t, err)
	journal, err = os.ReadFile(path + "-journal")
	require.NoError(t, err)
	require.NoError(t, tx.Rollback())
	return file, journal
}

// A file of which nothing is there but the beginning of its first transaction is a new one; one that had
// something, as its journal says, is not.
func TestEmptyFileWithJournal(t *testing.T) {
	for name, before := range map[string]string{"new": "", "emptied": "CREATE TABLE was (a)"} {
		t.Run(name, func(t *testing.T) {
			_, journal := brokenOff(t, before)
			require.NotEmpty(t, journal)
			path := newPath(t)
			require.NoError(t, os.WriteFile(path, nil, 0o600))
			require.NoError(t, os.WriteFile(path+"-journal", journal, 0o600))
			_, err := sqliteopen.Open(t.Context(), path, nil)
			require.Error(t, err, "without Create")
			s, err := sqliteopen.Open(t.Context(), path, &sqliteopen.Options{Create: true})
			if before != "" {
				require.ErrorIs(t, err, sqlitestore.ErrReplaced)
				return
			}
			require.NoError(t, err)
			require.NoError(t, s.Close())
			require.NoError(t, os.Remove(path))
			require.NoError(t, os.WriteFile(path+"-journal", journal, 0o600))
			_, err = sqliteopen.Open(t.Context(), path, &sqliteopen.Options{Create: true})
			require.ErrorIs(t, err, sqlitestore.ErrReplaced, "the file itself is gone")
		})
	}
}
