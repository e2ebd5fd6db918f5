package simulation

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/sqlitestore"
	"github.com/go-roomkit/roomkit/store/sqlitestore/sqliteopen"
)

// files are where worlds have their databases.
type files struct {
	t        *testing.T
	folder   string
	template string // a file that is migrated and empty
	mu       sync.Mutex
	count    int
}

func newFiles(t *testing.T) *files {
	f := &files{t: t, folder: t.TempDir()}
	f.template = f.next()
	s, err := sqliteopen.Open(t.Context(), f.template, &sqliteopen.Options{Create: true})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	return f
}

func (f *files) next() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count++
	return filepath.Join(f.folder, fmt.Sprint(f.count, ".db"))
}

// inFile is a database of one world.
type inFile struct {
	*files
	path  string
	opens []interface{ Close() error }
	made  []string
}

// engine gives a new database.
func (f *files) engine() (e *engine, end func()) {
	d := &inFile{files: f, path: f.next()}
	d.copy(f.template, d.path)
	e = &engine{
		open: func() store.Store { return d.open() }, rest: func() {}, drop: func(store.Store) {},
		commits: []fault{faultCut, faultHeld, faultBusy, faultFull, faultFull}, reads: []fault{faultCut}, strike: d.strike,
	}
	e.own = e.open()
	e.crash = func() {
		d.crash()
		e.own = e.open()
	}
	return e, d.end
}

func (d *inFile) copy(from, to string) {
	for _, rest := range []string{"", "-wal"} {
		data, err := os.ReadFile(from + rest)
		if os.IsNotExist(err) && rest != "" {
			continue
		}
		if err == nil {
			err = os.WriteFile(to+rest, data, 0o600)
		}
		if err != nil {
			panic(err)
		}
	}
	d.made = append(d.made, to)
}

func (d *inFile) open() *sqliteopen.Store {
	s, err := sqliteopen.Open(context.Background(), d.path, &sqliteopen.Options{Options: sqlitestore.Options{Patience: 25 * time.Millisecond}})
	if err != nil {
		panic(fmt.Errorf("a file that was there: %w", err))
	}
	d.opens = append(d.opens, s)
	return s
}

// crash leaves what is in the file and in its WAL, and nothing else.
func (d *inFile) crash() {
	was := d.path
	d.path = d.next()
	d.copy(was, d.path)
}

// strike brings a fault about for the time of a call.
func (d *inFile) strike(f fault, of store.Store, amount int) (heal func()) {
	s, _ := of.(*sqliteopen.Store)
	if f == faultFull {
		must(s.Writer.Exec("PRAGMA max_page_count = 1"))
		return func() { must(s.Writer.Exec("PRAGMA max_page_count = 1073741823")) }
	}
	other, err := sql.Open("sqlite", d.path)
	if err == nil {
		other.SetMaxOpenConns(1)
		_, err = other.Exec("BEGIN IMMEDIATE")
	}
	if err != nil {
		panic(err)
	}
	release := sync.OnceFunc(func() { _ = other.Close() })
	if f == faultHeld {
		time.AfterFunc(time.Duration(amount)*50*time.Microsecond, release)
	}
	return release
}

func must(_ sql.Result, err error) {
	if err != nil {
		panic(err)
	}
}

func (d *inFile) end() {
	for _, s := range d.opens {
		_ = s.Close()
	}
	for _, path := range d.made {
		for _, rest := range []string{"", "-wal", "-shm"} {
			_ = os.Remove(path + rest)
		}
	}
}

// TestSimulationOnSQLite runs worlds on files, until so many commands have been sent as
// ROOMKIT_SQLITE_STEPS says.
func TestSimulationOnSQLite(t *testing.T) {
	simulate(t, stepsOf(t, "ROOMKIT_SQLITE_STEPS", 1_000), newFiles(t).engine)
}

// TestControlsOnSQLite: a store that lies is found in a file as in memory.
func TestControlsOnSQLite(t *testing.T) { lies(t, newFiles(t).engine) }

func stepsOf(t *testing.T, name string, steps int) int {
	if testing.Short() {
		steps /= 4
	}
	if given := os.Getenv(name); given != "" {
		n, err := strconv.Atoi(given)
		require.NoError(t, err, name)
		steps = n
	}
	return steps
}

// simulate runs worlds of a database, each by a seed of its own.
func simulate(t *testing.T, steps int, engine func() (*engine, func())) {
	all, began := &tally{}, time.Now()
	next, violations := *soakSeed, 0
	var mu sync.Mutex
	var workers sync.WaitGroup
	for range 2 * runtime.GOMAXPROCS(0) { // some of them wait for the disk
		workers.Go(func() {
			for {
				mu.Lock()
				seed, over := next, all.commands >= steps || violations > 3
				next++
				mu.Unlock()
				if over {
					return
				}
				count := &tally{}
				out := onEngine(t, seed, count, nil, engine)
				mu.Lock()
				all.add(count)
				if len(out.wrong) > 0 {
					violations++
				}
				mu.Unlock()
				if len(out.wrong) > 0 {
					t.Errorf("world %d, which -soak.seed %d begins with: %s", seed, seed, strings.Join(out.wrong, "\n"))
					again := onEngine(t, seed, &tally{failed: true}, nil, engine)
					t.Logf("once more, with its moves, %d violations: %s\n%s", len(again.wrong), strings.Join(again.told, "\n"), strings.Join(again.wrong, "\n"))
				}
			}
		})
	}
	workers.Wait()
	took := time.Since(began) //nolint:forbidigo // what it takes is measured
	t.Logf("%s, %d violations, %.0f commands a second", all, violations, float64(all.commands)/took.Seconds())
}

func onEngine(t *testing.T, seed uint64, count *tally, lie *control, engine func() (*engine, func())) outcome {
	e, end := engine()
	defer end()
	return run(t, &seeded{state: seed << 32}, count, func(move func()) { move() }, lie, e)
}

// lies demands that a store that lies is found. Those about feeds take another way in memory.
func lies(t *testing.T, honest func() (*engine, func())) {
	for name, lie := range controls() {
		if lie().feeds == nil && !strings.Contains(name, "checkpoint") && !testing.Short() {
			t.Run(name, func(t *testing.T) { found(t, lie, honest) })
		}
	}
	t.Run("a feed that passes over the last event of a page", func(t *testing.T) {
		found(t, func() *control { return nil }, func() (*engine, func()) {
			e, end := honest()
			e.own = passing{e.own}
			return e, end
		})
	})
}

func found(t *testing.T, lie func() *control, engine func() (*engine, func())) {
	count := &tally{}
	for seed := range uint64(200) {
		if out := onEngine(t, seed, count, lie(), engine); len(out.wrong) > 0 {
			t.Logf("found in world %d, after %d commands: %.200s", seed, count.commands, out.wrong[0])
			return
		}
	}
	require.Fail(t, "the lie is not found")
}

// passing leaves out the last event of a page, unless it is read from the beginning.
type passing struct{ store.Store }

func (p passing) Feed(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
	page, err := p.Store.Feed(ctx, after, limit)
	if n := len(page); after != "" && n > 1 {
		page[n-2].Cursor = page[n-1].Cursor
		page = page[:n-1]
	}
	return page, err
}
