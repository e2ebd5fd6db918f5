package pgstore_test

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/pgstore"
)

// line is a room that gets one version after another; the events mean nothing.
type line struct {
	room roomkit.Room
}

var lineCommands atomic.Uint64

func newLine(n int) *line {
	l := &line{room: roomkit.Room{Kind: roomkit.KindGeneral, State: roomkit.StateActive, Company: "acme"}}
	binary.BigEndian.PutUint32(l.room.ID[:], uint32(n)+1)
	return l
}

// next gives a change that adds events.
func (l *line) next(events int) store.Change {
	of := roomkit.RoomSubject(l.room.ID)
	c := store.Change{Expect: []store.Expect{{Subject: of, Version: l.room.Version}}}
	binary.BigEndian.PutUint64(c.Command[8:], lineCommands.Add(1))
	for range events {
		l.room.Version++
		c.Records = append(c.Records, store.Record{
			Subject: of, Version: l.room.Version, Type: "test", At: time.Unix(1, 0), Command: c.Command, Data: []byte("x"),
		})
	}
	c.Rooms = []roomkit.Room{l.room}
	return c
}

// back takes back a change that was not stored.
func (l *line) back(events int) { l.room.Version -= roomkit.Version(events) }

// follower reads a feed page by page and crashes now and then: what it has read
// since its last checkpoint is gone then, and it goes on from there.
type follower struct {
	store   *pgstore.Store
	seen    []store.Record
	safe    int
	crashes int
}

func (f *follower) run(ctx context.Context, stop *atomic.Bool) error {
	wake, err := f.store.Wake(ctx)
	if err != nil {
		return err
	}
	for stopped := false; ; {
		var after roomkit.Cursor
		if n := len(f.seen); n > 0 {
			after = f.seen[n-1].Cursor
		}
		page, err := f.store.Feed(ctx, after, 1+rand.IntN(roomkit.MaxPage))
		if err != nil {
			return err
		}
		f.seen = append(f.seen, page...)
		switch rand.IntN(10) {
		case 0:
			f.safe = len(f.seen)
		case 1:
			f.seen = f.seen[:f.safe]
			f.crashes++
			continue
		}
		if len(page) == 0 {
			if stopped {
				return nil
			}
			select {
			case <-wake:
			case <-time.After(50 * time.Millisecond):
				stopped = stop.Load()
			}
		}
	}
}

// mustBeWhole demands every record of the lines once, each line's in order.
func mustBeWhole(tb testing.TB, records []store.Record, lines []*line) {
	tb.Helper()
	last := map[roomkit.Subject]roomkit.Version{}
	for _, r := range records {
		require.Equal(tb, last[r.Subject]+1, r.Version, "version of %v", r.Subject)
		last[r.Subject] = r.Version
	}
	for _, l := range lines {
		require.Equal(tb, l.room.Version, last[roomkit.RoomSubject(l.room.ID)])
	}
}

const (
	feedWriters = 16
	perChange   = 10
)

// Writers that commit on their own or inside transactions of a host, of which
// some roll back; one such transaction stays open for 5 s.
func TestFeedIsComplete(t *testing.T) {
	pool := poolOf(t, databaseURL(t))
	store, o := newStore(t, pool)
	naiveTable := o.Schema + `.naive`
	_, err := pool.Exec(t.Context(), `CREATE TABLE `+naiveTable+` (id bigserial PRIMARY KEY)`)
	require.NoError(t, err)
	events := scale(100_000, 1_000_000)
	lines := make([]*line, feedWriters+1)
	for i := range lines {
		lines[i] = newLine(i)
	}
	h := &hostWriter{t: t, pool: pool, store: store, naive: naiveTable}

	var stop atomic.Bool
	followers := []*follower{{store: store}, {store: store}, {store: openStore(t, pool, o)}}
	var reading, writing sync.WaitGroup
	for _, f := range followers {
		reading.Go(func() { assert.NoError(t, f.run(t.Context(), &stop)) })
	}
	var naive []int64
	reading.Go(func() { naive = h.pollNaively(&stop) })
	writing.Go(func() { h.writeHeld(lines[feedWriters], 5*time.Second) })
	for i := range feedWriters {
		writing.Go(func() {
			for l := lines[i]; l.room.Version < roomkit.Version(events/feedWriters) && !t.Failed(); {
				switch {
				case i%2 == 0:
					h.write(l, rand.IntN(10) == 0)
				case rand.IntN(10) == 0:
					h.writeStale(l)
				default:
					h.writeMany(l)
				}
			}
		})
	}
	writing.Wait()
	stop.Store(true)
	reading.Wait()
	crashes := 0
	for _, f := range followers {
		mustBeWhole(t, f.seen, lines)
		crashes += f.crashes
	}
	var all int
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT count(*) FROM `+naiveTable).Scan(&all))
	t.Logf("%d records, %d crashes of followers: 0 missed, 0 doubled, 0 out of order; a naive poller saw %d of %d",
		len(followers[0].seen), crashes, len(naive), all)
	require.Less(t, len(naive), all, "the writers do not even disturb a naive poller")
}

func TestMustBeWholeRefuses(t *testing.T) {
	l := newLine(1)
	c := l.next(3)
	for name, records := range map[string][]store.Record{
		"missed": {c.Records[0], c.Records[2]}, "doubled": {c.Records[0], c.Records[0]}, "unordered": {c.Records[1], c.Records[0]}, "short": c.Records[:2],
	} {
		t.Run(name, func(t *testing.T) {
			f := &failing{TB: t}
			f.run(func() { mustBeWhole(f, slices.Clone(records), []*line{l}) })
			require.True(t, f.failed)
		})
	}
}
