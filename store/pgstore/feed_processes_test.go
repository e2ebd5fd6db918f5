package pgstore_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
	"github.com/go-roomkit/roomkit/store/pgstore"
)

// writerNumber tells this program that it is a writer of TestFeedOfProcesses, and which.
const (
	writerNumber = "ROOMKIT_TEST_WRITER"
	writerSchema = "ROOMKIT_TEST_SCHEMA"
)

// slowFlush lets commits be in flight for long enough to overtake each other.
func slowFlush(url string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.MaxConns = 3
	config.ConnConfig.RuntimeParams["commit_delay"] = "3000"
	config.ConnConfig.RuntimeParams["commit_siblings"] = "0"
	return pgxpool.NewWithConfig(context.Background(), config)
}

// writer is what one of the processes does: it writes the records of one room, and says
// which version was acknowledged.
type writer struct {
	pool  *pgxpool.Pool
	store *pgstore.Store
	pen   *sqltest.Pen
}

func runWriter() error {
	ctx := context.Background()
	n, err := strconv.Atoi(os.Getenv(writerNumber))
	if err != nil {
		return err
	}
	w := &writer{pen: sqltest.NewPen(n)}
	if w.pool, err = slowFlush(os.Getenv("ROOMKIT_POSTGRES_URL")); err != nil {
		return err
	}
	if w.store, err = pgstore.New(ctx, w.pool, &pgstore.Options{Schema: os.Getenv(writerSchema)}); err != nil {
		return err
	}
	w.pen.Changes = rand.Uint64() >> 1 // other commands than those of a process before
	over := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(over)
	}()
	for {
		select {
		case <-over:
			return nil
		default:
		}
		if err := w.load(ctx); err != nil {
			return err
		}
		if err := w.turn(ctx); err != nil && !errors.Is(err, roomkit.ErrConflict) && !errors.Is(err, pgx.ErrTxCommitRollback) {
			return err
		}
	}
}

// load takes the room as it is: a process before may have left a commit that has ended since.
func (w *writer) load(ctx context.Context) error {
	facts, err := w.store.Load(ctx, []store.Need{{Room: w.pen.Row.ID}})
	if err == nil && facts[0].Room.Version > 0 {
		w.pen.Row = facts[0].Room
	}
	return err
}

func (w *writer) turn(ctx context.Context) error {
	n := 1 + rand.IntN(4)
	switch rand.IntN(8) {
	case 0:
		return w.inTx(ctx, n, "", pgx.Tx.Commit)
	case 1:
		return w.inTx(ctx, n, "", pgx.Tx.Rollback)
	case 2: // with places that nobody will ever have
		return w.inTx(ctx, n, `SET CONSTRAINTS ALL IMMEDIATE`, pgx.Tx.Rollback)
	case 3:
		return w.inTx(ctx, n, `SET CONSTRAINTS ALL IMMEDIATE; SELECT pg_sleep(0.02)`, pgx.Tx.Commit)
	case 4:
		return w.commit(ctx, w.pen.Change(n, false), w.pen.Change(1, true))
	}
	return w.commit(ctx, w.pen.Change(n, false), w.pen.Change(n, false))
}

func (w *writer) commit(ctx context.Context, changes ...store.Change) error {
	results, err := w.store.Commit(ctx, changes)
	if err != nil {
		return err
	}
	for i := range results {
		if results[i].Err == nil {
			w.acknowledged(changes[i].Rooms[0].Version)
		}
	}
	return results[0].Err
}

func (w *writer) inTx(ctx context.Context, n int, before string, end func(pgx.Tx, context.Context) error) error {
	tx, err := w.pool.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(ctx) }()
	c := w.pen.Change(n, false)
	results, err := w.store.InTx(tx).Commit(ctx, []store.Change{c})
	if err == nil {
		err = results[0].Err
	}
	if err == nil && before != "" {
		_, err = tx.Exec(ctx, before)
	}
	if err != nil {
		return err
	}
	if err = end(tx, ctx); err == nil && before == "" {
		facts, err := w.store.Load(ctx, []store.Need{{Command: c.Command}})
		if err != nil {
			return err
		}
		if facts[0].Done != nil {
			w.acknowledged(c.Rooms[0].Version)
		}
	}
	return err
}

func (w *writer) acknowledged(version roomkit.Version) { fmt.Println(version) }

// writers are the processes, as the test knows them.
type writers struct {
	t      *testing.T
	schema string
	mu     sync.Mutex
	run    [feedWriters]*exec.Cmd
	ends   [feedWriters]io.Closer
	acked  [feedWriters]int64
	out    sync.WaitGroup
	over   bool
}

func (w *writers) start(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprint(writerNumber, "=", n), writerSchema+"="+w.schema)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	assert.NoError(w.t, err)
	out, err := cmd.StdoutPipe()
	assert.NoError(w.t, err)
	if !assert.NoError(w.t, cmd.Start()) {
		return
	}
	w.run[n], w.ends[n] = cmd, in
	w.out.Go(func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			version, err := strconv.ParseInt(lines.Text(), 10, 64)
			assert.NoError(w.t, err)
			w.mu.Lock()
			w.acked[n] = max(w.acked[n], version)
			w.mu.Unlock()
		}
	})
}

// kill ends one process in the middle of what it does, and begins another one in its place.
func (w *writers) kill(n int) {
	assert.NoError(w.t, w.run[n].Process.Kill())
	_ = w.run[n].Wait()
	w.start(n)
}

func (w *writers) stop() {
	w.mu.Lock()
	w.over = true
	w.mu.Unlock()
	for n, cmd := range w.run {
		assert.NoError(w.t, w.ends[n].Close())
		assert.NoError(w.t, cmd.Wait())
	}
	w.out.Wait()
}

// lineOf is a record by its place in the feed.
type lineOf struct {
	Position int64
	Room     [16]byte
	Version  int64
}

// readFeed reads while others write, and as far as there is something afterwards.
func readFeed(ctx context.Context, s store.Store, done <-chan struct{}) (all []lineOf, err error) {
	wake, err := s.(store.Notifier).Wake(ctx)
	if err != nil {
		return nil, err
	}
	var after roomkit.Cursor
	for {
		over := false
		select {
		case <-done:
			over = true
		default:
		}
		page, err := s.Feed(ctx, after, 1+rand.N(200))
		if err != nil || over && len(page) == 0 {
			return all, err
		}
		for i := range page {
			after = page[i].Cursor
			place, err := s.(store.Numbered).Place(after)
			if err != nil {
				return nil, err
			}
			all = append(all, lineOf{place, page[i].Subject.Room, int64(page[i].Version)})
		}
		if len(page) == 0 {
			select {
			case <-wake:
			case <-done:
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
}

// readNaively takes whatever is there behind the last place.
func readNaively(ctx context.Context, pool *pgxpool.Pool, table string, done <-chan struct{}) (all []lineOf, err error) {
	last := int64(0)
	for over := false; ; {
		rows, err := pool.Query(ctx, `SELECT position, room, version FROM `+table+` WHERE position > $1 ORDER BY position`, last)
		if err != nil {
			return nil, err
		}
		page, err := pgx.CollectRows(rows, pgx.RowToStructByPos[lineOf])
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		switch {
		case len(page) > 0:
			last = page[len(page)-1].Position
		case over:
			return all, nil
		default:
			select {
			case <-done:
				over = true
			case <-time.After(time.Millisecond):
			}
		}
	}
}

// Sixteen processes write side by side, on their own and inside transactions, some of which are
// undone, with their places drawn already; and they are killed. Who reads the feed meanwhile sees
// every record once and in the order of the table; who just reads what is there does not.
func TestFeedOfProcesses(t *testing.T) {
	pool := poolOf(t, databaseURL(t))
	s, o := newStore(t, pool)
	table := o.Schema + ".roomkit_records"
	w := &writers{t: t, schema: o.Schema}
	for n := range feedWriters {
		w.start(n)
	}
	done := make(chan struct{})
	var reading sync.WaitGroup
	var feeds [3][]lineOf
	var naive []lineOf
	for i, reader := range []store.Store{s, openStore(t, pool, o), openStore(t, pool, o).WithoutHorizon()} {
		reading.Go(func() {
			var err error
			feeds[i], err = readFeed(t.Context(), reader, done)
			assert.NoError(t, err)
		})
	}
	reading.Go(func() {
		var err error
		naive, err = readNaively(t.Context(), pool, table, done)
		assert.NoError(t, err)
	})
	kills := 0
	for end := time.Now().Add(time.Duration(scale(6, 60)) * time.Second); time.Now().Before(end) && !t.Failed(); kills++ {
		<-time.After(100 * time.Millisecond)
		w.kill(rand.IntN(feedWriters))
	}
	w.stop()
	require.Eventually(t, func() bool { // what the killed have left
		var n int
		err := pool.QueryRow(t.Context(), `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2`).Scan(&n)
		return assert.NoError(t, err) && n == 0
	}, time.Minute, 10*time.Millisecond)
	close(done)
	reading.Wait()
	w.compare(feeds[:2], [][]lineOf{feeds[2], naive}, pool, table)
	t.Logf("%d processes killed", kills)
}

func (w *writers) compare(feeds, controls [][]lineOf, pool *pgxpool.Pool, table string) {
	t := w.t
	rows, err := pool.Query(t.Context(), `SELECT position, room, version FROM `+table+` ORDER BY position`)
	require.NoError(t, err)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[lineOf])
	require.NoError(t, err)
	for _, feed := range feeds {
		require.Len(t, feed, len(all), "the feed has all records")
		require.True(t, slices.Equal(all, feed), "in their order")
	}
	versions := map[[16]byte]int64{}
	for _, l := range all {
		require.Equal(t, versions[l.Room]+1, l.Version, "the records of a room")
		versions[l.Room] = l.Version
	}
	for n, version := range w.acked {
		require.GreaterOrEqual(t, versions[sqltest.NewPen(n).Row.ID], version, "what was acknowledged")
	}
	require.NotEmpty(t, slices.DeleteFunc(slices.Clone(w.acked[:]), func(v int64) bool { return v == 0 }))
	gaps := all[len(all)-1].Position - int64(len(all))
	require.Less(t, len(controls[0]), len(all), "a feed of what can be seen misses nothing in this test")
	require.Less(t, len(controls[1]), len(all), "places do not overtake each other in this test")
	t.Logf("%d records, %d places that nobody has; a feed of what can be seen missed %d, and who asks for what is there %d",
		len(all), gaps, len(all)-len(controls[0]), len(all)-len(controls[1]))
	require.Positive(t, gaps)
}
