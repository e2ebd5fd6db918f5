package sqlitestore_test

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/store/sqlitestore"
)

func TestMigrateTwiceAndTogether(t *testing.T) {
	path := newPath(t)
	var wg sync.WaitGroup
	for range 8 {
		db := handle(t, path, "_journal_mode=wal")
		wg.Go(func() {
			for range 3 {
				assert.NoError(t, sqlitestore.Migrate(t.Context(), db, nil))
			}
		})
	}
	wg.Wait()
	populate(t, open(t, path), 1)
}

// migrated gives the whole schema.
func migrated(t *testing.T) string {
	t.Helper()
	db := handle(t, newPath(t), "_journal_mode=wal")
	require.NoError(t, sqlitestore.Migrate(t.Context(), db, nil))
	return schemaOf(t, db)
}

// A migration that fails at any of its statements, alone or with all that come after
// it, leaves nothing, and the same handle can migrate then.
func TestMigrateFailsAnywhere(t *testing.T) {
	want := migrated(t)
	for _, after := range []bool{false, true} {
		path := newPath(t)
		looker := handle(t, path, "_journal_mode=wal")
		f := &faults{after: after}
		db := f.open(t, path)
		n := 1
		for ; ; n++ {
			f.failAt(n)
			err := sqlitestore.Migrate(t.Context(), db, nil)
			if !f.heal() {
				require.NoError(t, err)
				break
			}
			require.ErrorIs(t, err, errPower)
			require.Empty(t, schemaOf(t, looker), "after a failure of statement %d", n)
		}
		require.Greater(t, n, 25, "a statement for every table, index and view")
		require.Equal(t, want, schemaOf(t, looker))
		populate(t, open(t, path), 1)
	}
}

// migrateUntil migrates and kills its process at a statement, if there are so many.
func migrateUntil(path, statement string) error {
	n, err := strconv.Atoi(statement)
	if err != nil {
		return err
	}
	me, err := os.FindProcess(os.Getpid())
	if err != nil {
		return err
	}
	f := &faults{atHit: func() {
		_ = me.Kill()
		select {}
	}}
	db, err := f.connect(path)
	if err != nil {
		return err
	}
	f.failAt(n)
	return sqlitestore.Migrate(context.Background(), db, nil)
}

// The same, if the process is killed.
func TestMigrateKilledAnywhere(t *testing.T) {
	path := newPath(t)
	looker := handle(t, path, "_journal_mode=wal")
	mustExec(t, looker, "SELECT 1")
	step, kills := 1, 0
	if testing.Short() {
		step = 6
	}
	for n := 1; ; n += step {
		cmd := child(t, "migrate", path, strconv.Itoa(n))
		var complaints strings.Builder
		cmd.Stderr = &complaints
		err := cmd.Run()
		require.Empty(t, complaints.String())
		if err == nil {
			break
		}
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
		require.False(t, exit.Exited(), "it was killed")
		require.Empty(t, schemaOf(t, looker), "killed at statement %d", n)
		kills++
	}
	require.Greater(t, step*kills, 25)
	require.Equal(t, migrated(t), schemaOf(t, looker))
}
