package memstore_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// kit fills a store and remembers the rows that the next change goes on from.
type kit struct {
	testing.TB
	*memstore.Store
	rooms    map[roomkit.RoomID]*roomkit.Room
	commands uint64
}

const acme = roomkit.CompanyID("acme")

func newKit(tb testing.TB) *kit {
	tb.Helper()
	k := &kit{TB: tb, Store: memstore.New(), rooms: map[roomkit.RoomID]*roomkit.Room{}}
	k.must(store.Change{
		Command:   k.command(),
		Expect:    []store.Expect{{Subject: roomkit.CompanySubject(acme)}},
		Companies: []roomkit.Company{{ID: acme, Version: 1, Licensed: true}},
		Records:   []store.Record{{Subject: roomkit.CompanySubject(acme), Version: 1}},
	})
	return k
}

// command gives ids that are in no order.
func (k *kit) command() (id roomkit.CommandID) {
	k.commands++
	binary.BigEndian.PutUint64(id[:8], k.commands*0x9e3779b97f4a7c15)
	binary.BigEndian.PutUint64(id[8:], k.commands)
	return id
}

func (k *kit) must(c store.Change) store.Outcome {
	k.Helper()
	results, err := k.Commit(context.Background(), []store.Change{c})
	require.NoError(k, err)
	require.NoError(k, results[0].Err)
	return results[0].Outcome
}

// staff stores n users of acme.
func (k *kit) staff(n int) []roomkit.UserID {
	k.Helper()
	ids := make([]roomkit.UserID, n)
	for i := range ids {
		ids[i] = roomkit.UserID(fmt.Sprintf("user-%07d", i))
		k.must(k.user(ids[i]))
	}
	return ids
}

// user gives the change that adds a user of acme.
func (k *kit) user(id roomkit.UserID) store.Change {
	of := roomkit.UserSubject(id)
	return store.Change{
		Command: k.command(),
		Expect:  []store.Expect{{Subject: of}},
		Users:   []roomkit.User{{ID: id, Version: 1, Company: acme, Kind: roomkit.UserMember, Status: roomkit.StatusActive}},
		Records: []store.Record{{Subject: of, Version: 1}},
	}
}

// join gives the change that adds somebody to a room, which begins with it.
func (k *kit) join(id roomkit.RoomID, actor, user roomkit.UserID) store.Change {
	r := k.rooms[id]
	if r == nil {
		r = &roomkit.Room{ID: id, Kind: roomkit.KindGeneral, State: roomkit.StateActive, Company: acme}
		k.rooms[id] = r
	}
	was := r.Version
	r.Version++
	r.Participants++
	now := time.Unix(1e9+int64(r.Version), 0).UTC()
	r.ChangedAt = now
	of := roomkit.RoomSubject(id)
	c := store.Change{
		Command: k.command(),
		Expect: []store.Expect{
			{Subject: of, Version: was},
			{Subject: roomkit.UserSubject(actor), Version: 1},
			{Subject: roomkit.UserSubject(user), Version: 1},
			{Subject: roomkit.CompanySubject(acme), Version: 1},
		},
		Rooms: []roomkit.Room{*r},
		Members: []roomkit.Member{{
			Room: id, User: user, Company: acme, Kind: roomkit.UserMember, Participant: true,
			Period: 1, Joined: roomkit.CauseInvited, JoinedAt: now, JoinedVersion: r.Version,
		}},
		Records: []store.Record{{
			Subject: of, Version: r.Version, Type: "member.joined", At: now, Data: make([]byte, 200),
		}},
	}
	if actor == user {
		c.Expect = append(c.Expect[:2:2], c.Expect[3:]...)
	}
	c.Records[0].Command = c.Command
	c.Outcome = store.Outcome{
		Command: c.Command, Room: id, Changed: true,
		Events: []store.EventAt{{Subject: of, Version: r.Version}},
	}
	return c
}

// fill stores a room of these people.
func (k *kit) fill(id roomkit.RoomID, people []roomkit.UserID) {
	k.Helper()
	changes := make([]store.Change, len(people))
	for i, u := range people {
		changes[i] = k.join(id, people[0], u)
	}
	results, err := k.Commit(context.Background(), changes)
	require.NoError(k, err)
	for i := range results {
		require.NoError(k, results[i].Err)
	}
}

// roomID gives ids that are in no order.
func roomID(n int) (id roomkit.RoomID) {
	binary.BigEndian.PutUint64(id[:], uint64(n+1)*0x9e3779b97f4a7c15)
	binary.BigEndian.PutUint64(id[8:], uint64(n))
	return id
}
