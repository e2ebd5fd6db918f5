package sqlitestore_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// meeting lets two services decide on the same state of a room: the first Load of
// each waits for that of the other.
type meeting struct {
	store.Store
	mine, theirs chan struct{}
	met          bool
	unchecked    bool // commits whatever the versions are
}

func (m *meeting) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	facts, err := m.Store.Load(ctx, needs)
	if !m.met {
		m.met = true
		close(m.mine)
		<-m.theirs
	}
	return facts, err
}

func (m *meeting) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	for {
		results, err := m.Store.Commit(ctx, changes)
		if err != nil || !m.unchecked || !errors.Is(results[0].Err, roomkit.ErrConflict) {
			return results, err
		}
		c := &changes[0]
		facts, err := m.Store.Load(ctx, []store.Need{{Room: c.Rooms[0].ID}})
		if err != nil {
			return nil, err
		}
		drop(c, facts[0].Room.Version)
	}
}

// drop makes a change believe in another version of its room.
func drop(c *store.Change, version roomkit.Version) {
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
	svc := newService(t, s)
	for i := range n {
		made, err := svc.Do(t.Context(), roomkit.By(boss), roomkit.CreateGroup{
			Name: fmt.Sprint("group ", i), Members: []roomkit.UserID{user(1), user(2)}, Masters: []roomkit.UserID{user(1)},
		})
		require.NoError(t, err)
		one, other := make(chan struct{}), make(chan struct{})
		a := newService(t, &meeting{Store: s, mine: one, theirs: other, unchecked: unchecked})
		b := newService(t, &meeting{Store: s, mine: other, theirs: one, unchecked: unchecked})
		var wg sync.WaitGroup
		var refused atomic.Int64
		dismiss := func(svc *service.Service, actor, whom roomkit.UserID) {
			_, err := svc.Do(t.Context(), roomkit.By(actor), roomkit.DismissMasters{Room: made.Room, People: []roomkit.UserID{whom}})
			if err != nil && assert.ErrorIs(t, err, roomkit.ErrDenied) {
				refused.Add(1)
			}
		}
		wg.Go(func() { dismiss(a, boss, user(1)) })
		wg.Go(func() { dismiss(b, user(1), boss) })
		wg.Wait()
		facts, err := s.Load(t.Context(), []store.Need{{Room: made.Room, Masters: true}})
		require.NoError(t, err)
		if !unchecked {
			require.EqualValues(t, 1, refused.Load(), "one of two comes too late")
		}
		if len(facts[0].Members) == 0 {
			masterless++
		}
	}
	if !unchecked {
		verifyStore(t, s)
	}
	return masterless
}

func TestLastMasterRace(t *testing.T) {
	races, each := scale(1_000, 10_000), 100 // nobody may be in too many groups
	for from := 0; from < races; from += each {
		require.Zero(t, dismissEachOther(t, min(each, races-from), false))
	}
	lost := dismissEachOther(t, 20, true)
	t.Logf("%d races, no group without a master; without the versions %d of 20", races, lost)
	require.Greater(t, lost, 10, "without the versions races are lost")
}

// Somebody else has moved the room just as far as the first change of a call wanted
// to. The second one, which was decided on the first, must not be taken for one
// that was decided on what is stored.
func TestBuiltOnRefused(t *testing.T) {
	s := open(t, newPath(t))
	theirs, mine := pen{room: roomkit.RoomID{1}}, pen{room: roomkit.RoomID{1}, written: 100}
	commit := func(changes ...store.Change) []store.CommitResult {
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
			svc := newService(t, s)
			for w := range 8 {
				wg.Go(func() {
					for n := range 20 {
						key := fmt.Sprintf("%d-%d-%d", p, w, n)
						_, err := svc.Do(t.Context(), roomkit.By(boss), commandOf(key, rooms), service.Call{Key: key})
						assert.NoError(t, err)
					}
				})
			}
		}
		wg.Wait()
		verifyStore(t, s)
	}
}

// pen writes records of one room.
type pen struct {
	room    roomkit.RoomID
	version roomkit.Version
	written uint64
}

// change gives a change of n records, which relies on a wrong version if stale.
func (p *pen) change(n int, stale bool) store.Change {
	p.written++
	of := roomkit.RoomSubject(p.room)
	c := store.Change{Expect: []store.Expect{{Subject: of, Version: p.version}}}
	copy(c.Command[:], p.room[:])
	binary.BigEndian.PutUint64(c.Command[8:], p.written)
	if stale {
		c.Expect[0].Version++
	}
	for i := range n {
		c.Records = append(c.Records, store.Record{Subject: of, Version: c.Expect[0].Version + roomkit.Version(i) + 1, Type: "test", Data: make([]byte, 100)})
	}
	for _, r := range c.Records {
		c.Outcome.Events = append(c.Outcome.Events, store.EventAt{Subject: of, Version: r.Version})
	}
	last := c.Expect[0].Version + roomkit.Version(n)
	c.Rooms = []roomkit.Room{{ID: p.room, Version: last, Kind: roomkit.KindGeneral, State: roomkit.StateActive, Company: acme}}
	if !stale {
		p.version = last
	}
	return c
}
