package sqltest

import (
	"context"
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
	"github.com/go-roomkit/roomkit/store/verify"
)

// LastMasterRace lets the two masters of many groups dismiss each other at the same
// time, each through a service and a handle of its own: one of two comes too late.
// open gives both handles on a new, empty database. Without the comparison of
// versions races are lost, or they are none.
func LastMasterRace(t *testing.T, open func(testing.TB) [2]store.Store, races int) {
	t.Helper()
	const each = 500 // nobody may be in many more groups
	for from := 0; from < races; from += each {
		require.Zero(t, dismissEachOther(t, open(t), min(each, races-from), false))
	}
	lost := dismissEachOther(t, open(t), 20, true)
	t.Logf("%d races, no group without a master; without the versions %d of 20", races, lost)
	require.Positive(t, lost, "without the versions races are lost; how many depends on who else works")
}

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
		believe(c, facts[0].Room.Version)
	}
}

// believe makes a change rely on another version of its room.
func believe(c *store.Change, version roomkit.Version) {
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

// dismissEachOther counts the groups, of n, that have no master in the end.
func dismissEachOther(t *testing.T, handles [2]store.Store, n int, unchecked bool) int {
	t.Helper()
	masters := [2]roomkit.UserID{"ann", "bob"}
	svc := newService(t, handles[0])
	_, err := svc.Do(t.Context(), roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{ID: "acme", Licensed: true, MembersCreateGroups: true}})
	require.NoError(t, err)
	for _, id := range masters {
		_, err = svc.Do(t.Context(), roomkit.System(), roomkit.AddUser{User: roomkit.User{ID: id, Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}})
		require.NoError(t, err)
	}
	var next, masterless atomic.Int64
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for i := next.Add(1); i <= int64(n) && !t.Failed(); i = next.Add(1) {
				made, err := svc.Do(t.Context(), roomkit.By(masters[0]), roomkit.CreateGroup{Name: fmt.Sprint("group ", i), Members: masters[1:], Masters: masters[1:]})
				if assert.NoError(t, err) && !race(t, handles, made.Room, masters, unchecked) {
					masterless.Add(1)
				}
			}
		})
	}
	workers.Wait()
	if !unchecked {
		require.NoError(t, verify.Run(t.Context(), handles[0], nil))
	}
	return int(masterless.Load())
}

// race reports whether the room has a master afterwards.
func race(t *testing.T, handles [2]store.Store, room roomkit.RoomID, masters [2]roomkit.UserID, unchecked bool) bool {
	met := [2]chan struct{}{make(chan struct{}), make(chan struct{})}
	var both sync.WaitGroup
	var refused atomic.Int64
	for i := range handles {
		svc := newService(t, &meeting{Store: handles[i], mine: met[i], theirs: met[1-i], unchecked: unchecked})
		both.Go(func() {
			_, err := svc.Do(t.Context(), roomkit.By(masters[i]), roomkit.DismissMasters{Room: room, People: []roomkit.UserID{masters[1-i]}})
			if err != nil && assert.ErrorIs(t, err, roomkit.ErrDenied) {
				refused.Add(1)
			}
		})
	}
	both.Wait()
	if !unchecked {
		assert.EqualValues(t, 1, refused.Load(), "one of two comes too late")
	}
	facts, err := handles[0].Load(t.Context(), []store.Need{{Room: room, Masters: true}})
	return assert.NoError(t, err) && len(facts[0].Members) > 0
}

func newService(t *testing.T, s store.Store) *service.Service {
	svc, err := service.New(s, nil)
	assert.NoError(t, err)
	return svc
}
