package sqlitestore_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store/sqlitestore"
)

// meeting lets two services decide on the same state of a room: the first Load of
// each waits for that of the other.
type meeting struct {
	roomkit.Store
	mine, theirs chan struct{}
	met          bool
	unchecked    bool // commits whatever the versions are
}

func (m *meeting) Load(ctx context.Context, needs []roomkit.Need) ([]roomkit.Facts, error) {
	facts, err := m.Store.Load(ctx, needs)
	if !m.met {
		m.met = true
		close(m.mine)
		<-m.theirs
	}
	return facts, err
}

func (m *meeting) Commit(ctx context.Context, changes []roomkit.Change) ([]roomkit.CommitResult, error) {
	for {
		results, err := m.Store.Commit(ctx, changes)
		if err != nil || !m.unchecked || !errors.Is(results[0].Err, roomkit.ErrConflict) {
			return results, err
		}
		c := &changes[0]
		facts, err := m.Store.Load(ctx, []roomkit.Need{{Room: c.Rooms[0].ID}})
		if err != nil {
			return nil, err
		}
		drop(c, facts[0].Room.Version)
	}
}

// drop makes a change believe in another version of its room.
func drop(c *roomkit.Change, version roomkit.Version) {
	for i := range c.Expect {
		if c.Expect[i].Subject.Type == roomkit.SubjectRoom {
			c.Expect[i].Version = version
		}
	}
	for i := range c.Records {
		c.Records[i].Version = version + roomkit.Version(i) + 1
	}
	c.Rooms[0].Version = version + roomkit.Version(len(c.Records))
}

// dismissEachOther lets the two masters of n groups dismiss each other at the same
// time, and counts the groups that have none then.
func dismissEachOther(t *testing.T, n int, unchecked bool) (masterless int) {
	t.Helper()
	s := open(t, newPath(t))
	populate(t, s, 0)
	svc := service(t, s)
	for i := range n {
		made, err := svc.Do(t.Context(), roomkit.By(boss), roomkit.CreateGroup{
			Name: fmt.Sprint("group ", i), Members: []roomkit.UserID{user(1), user(2)}, Masters: []roomkit.UserID{user(1)},
		})
		require.NoError(t, err)
		one, other := make(chan struct{}), make(chan struct{})
		a := service(t, &meeting{Store: s, mine: one, theirs: other, unchecked: unchecked})
		b := service(t, &meeting{Store: s, mine: other, theirs: one, unchecked: unchecked})
		var wg sync.WaitGroup
		var refused atomic.Int64
		dismiss := func(svc *roomkit.Service, actor, whom roomkit.UserID) {
			_, err := svc.Do(t.Context(), roomkit.By(actor), roomkit.DismissMasters{Room: made.Room, People: []roomkit.UserID{whom}})
			if err != nil && assert.ErrorIs(t, err, roomkit.ErrDenied) {
				refused.Add(1)
			}
		}
		wg.Go(func() { dismiss(a, boss, user(1)) })
		wg.Go(func() { dismiss(b, user(1), boss) })
		wg.Wait()
		facts, err := s.Load(t.Context(), []roomkit.Need{{Room: made.Room, Masters: true}})
		require.NoError(t, err)
		if !unchecked {
			require.EqualValues(t, 1, refused.Load(), "one of two comes too late")
		}
		if len(facts[0].Members) == 0 {
			masterless++
		}
	}
	if !unchecked {
		verify(t, s)
	}
	return masterless
}

func TestLastMasterRace(t *testing.T) {
	require.Zero(t, dismissEachOther(t, scale(200, 10_000), false))
	require.Greater(t, dismissEachOther(t, 20, true), 10, "without the versions races are lost")
}

// Somebody else has moved the room just as far as the first change of a call wanted
// to. The second one, which was decided on the first, must not be taken for one
// that was decided on what is stored.
func TestBuiltOnRefused(t *testing.T) {
	s := open(t, newPath(t))
	theirs, mine := pen{room: roomkit.RoomID{1}}, pen{room: roomkit.RoomID{1}, written: 100}
	commit := func(changes ...roomkit.Change) []roomkit.CommitResult {
		results, err := s.Commit(t.Context(), changes)
		require.NoError(t, err)
		return results
	}
	require.NoError(t, commit(theirs.change(1, false))[0].Err)
	first, second, third := mine.change(1, false), mine.change(1, false), mine.change(2, false)
	for _, r := range commit(first, second, third) {
		require.ErrorIs(t, r.Err, roomkit.ErrConflict)
	}
	mine.version = 1
	again := mine.change(1, false)
	require.NoError(t, commit(again)[0].Err, "decided on what is stored")
	next := mine.change(1, false)
	results := commit(first, again, next)
	require.ErrorIs(t, results[0].Err, roomkit.ErrConflict)
	require.True(t, results[1].Repeat)
	require.NoError(t, results[2].Err, "decided on a change that is stored")
}

// Two services on one store, as two processes have them: many groups lose a race
// in the middle.
func TestTwoServices(t *testing.T) {
	for range scale(5, 100) {
		s := open(t, newPath(t))
		rooms := populate(t, s, 4)
		var wg sync.WaitGroup
		for p := range 2 {
			svc := service(t, s)
			for w := range 8 {
				wg.Go(func() {
					for n := range 20 {
						key := fmt.Sprintf("%d-%d-%d", p, w, n)
						_, err := svc.Do(t.Context(), roomkit.By(boss), commandOf(key, rooms), roomkit.WithKey(key))
						assert.NoError(t, err)
					}
				})
			}
		}
		wg.Wait()
		verify(t, s)
	}
}

// pen writes records of one room.
type pen struct {
	room    roomkit.RoomID
	version roomkit.Version
	written uint64
}

// change gives a change of n records, which relies on a wrong version if stale.
func (p *pen) change(n int, stale bool) roomkit.Change {
	p.written++
	of := roomkit.RoomSubject(p.room)
	c := roomkit.Change{Expect: []roomkit.Expect{{Subject: of, Version: p.version}}}
	copy(c.Command[:], p.room[:])
	binary.BigEndian.PutUint64(c.Command[8:], p.written)
	if stale {
		c.Expect[0].Version++
	}
	for i := range n {
		c.Records = append(c.Records, roomkit.Record{Subject: of, Version: c.Expect[0].Version + roomkit.Version(i) + 1, Type: "test", Data: make([]byte, 100)})
	}
	for _, r := range c.Records {
		c.Outcome.Events = append(c.Outcome.Events, roomkit.EventAt{Subject: of, Version: r.Version})
	}
	last := c.Expect[0].Version + roomkit.Version(n)
	c.Rooms = []roomkit.Room{{ID: p.room, Version: last, Kind: roomkit.KindGeneral, State: roomkit.StateActive, Company: acme}}
	if !stale {
		p.version = last
	}
	return c
}

// complete reports what is wrong with a feed: nothing, if every room's records are
// there in order, as many as its version says.
func complete(feed []roomkit.Record, versions map[roomkit.RoomID]roomkit.Version) error {
	seen := map[roomkit.RoomID]roomkit.Version{}
	for _, r := range feed {
		if r.Version != seen[r.Subject.Room]+1 {
			return fmt.Errorf("%v: version %d after %d", r.Subject, r.Version, seen[r.Subject.Room])
		}
		seen[r.Subject.Room] = r.Version
	}
	for id, v := range versions {
		if seen[id] != v {
			return fmt.Errorf("%v: ends at %d, not at %d", id, seen[id], v)
		}
	}
	return nil
}

// follow reads the feed until it has n records. It crashes now and then, which
// means that it goes on from an earlier place that it has kept.
func follow(ctx context.Context, s roomkit.Store, n int) (feed []roomkit.Record, err error) {
	kept := 0
	for len(feed) < n && ctx.Err() == nil {
		var after roomkit.Cursor
		if len(feed) > 0 {
			after = feed[len(feed)-1].Cursor
		}
		page, err := s.Feed(ctx, after, 1+rand.N(roomkit.MaxPage))
		if err != nil {
			return nil, err
		}
		feed = append(feed, page...)
		switch rand.N(10) {
		case 0:
			kept = len(feed)
		case 1:
			feed = feed[:kept]
		}
	}
	return feed, ctx.Err()
}

func TestFeedIsComplete(t *testing.T) {
	const writers, perChange, perCall = 16, 10, 8
	calls := scale(80, 800)
	path := newPath(t)
	s := open(t, path)
	f := &faults{}
	shaky, err := sqlitestore.New(t.Context(), f.open(t, path), nil)
	require.NoError(t, err)
	pens := make([]pen, writers)
	var wg sync.WaitGroup
	var refused, failed atomic.Int64
	for w := range pens {
		p := &pens[w]
		p.room = roomkit.RoomID{byte(w + 1)}
		wg.Go(func() {
			for range calls {
				var changes []roomkit.Change
				for range perCall {
					changes = append(changes, p.change(perChange, rand.N(10) == 0))
				}
				r, f := commitAnyhow(t, s, shaky, changes)
				refused.Add(r)
				failed.Add(f)
			}
		})
	}
	wg.Go(func() { hold(t, path, time.Duration(scale(300, 5000))*time.Millisecond) })
	stop := make(chan struct{})
	var breaker sync.WaitGroup
	breaker.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
				f.failAt(1 + rand.N(12))
			}
		}
	})
	wg.Wait()
	close(stop)
	breaker.Wait()
	f.heal()
	versions := map[roomkit.RoomID]roomkit.Version{}
	for _, p := range pens {
		versions[p.room] = p.version
	}
	all := allRecords(t, s)
	require.NoError(t, complete(all, versions))
	t.Logf("%d records, %d changes refused, %d calls failed", len(all), refused.Load(), failed.Load())
	require.Positive(t, refused.Load())
	require.Positive(t, failed.Load())
	require.Error(t, complete(append(slices.Clone(all[:7]), all[8:]...), versions), "a record that is missing")
	require.Error(t, complete(append(slices.Clone(all), all[7]), versions), "a record twice")
	require.Error(t, complete(all[:len(all)-1], versions), "the last record")
	swapped := slices.Clone(all)
	swapped[0], swapped[1] = swapped[1], swapped[0]
	require.Error(t, complete(swapped, versions), "two records in the wrong order")
}

// commitAnyhow commits through a handle that fails now and then, and repeats what
// failed through one that does not.
func commitAnyhow(t *testing.T, sound, shaky roomkit.Store, changes []roomkit.Change) (refused, failed int64) {
	results, err := shaky.Commit(t.Context(), slices.Clone(changes))
	if err != nil {
		assert.ErrorIs(t, err, errPower)
		failed++
		results, err = sound.Commit(t.Context(), changes)
	}
	if assert.NoError(t, err) {
		for _, r := range results {
			if r.Err != nil && assert.ErrorIs(t, r.Err, roomkit.ErrConflict) {
				refused++
			}
		}
	}
	return refused, failed
}

// hold keeps the write lock for a while.
func hold(t *testing.T, path string, d time.Duration) {
	db := handle(t, path, "_txlock=immediate")
	for {
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			continue // busy: the others hold it
		}
		<-time.After(d)
		assert.NoError(t, tx.Rollback())
		return
	}
}

func TestFollowersResume(t *testing.T) {
	const writers = 4
	calls := scale(60, 600)
	s := open(t, newPath(t))
	total := writers * calls * 5
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			p := pen{room: roomkit.RoomID{byte(w + 1)}}
			for range calls {
				_, err := s.Commit(t.Context(), []roomkit.Change{p.change(5, false)})
				assert.NoError(t, err)
			}
		})
	}
	feeds := make([][]roomkit.Record, 4)
	for i := range feeds {
		wg.Go(func() {
			var err error
			feeds[i], err = follow(t.Context(), s, total)
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	all := allRecords(t, s)
	require.Len(t, all, total)
	for _, feed := range feeds {
		require.Equal(t, all, feed)
	}
}
