package memstore_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// crowd is 10,000 rooms of 50 out of 50,000 users: 500,000 memberships.
type crowd struct {
	*kit
	rooms []roomkit.RoomID
	users []roomkit.UserID
}

func newCrowd(tb testing.TB) *crowd {
	tb.Helper()
	k := newKit(tb)
	c := &crowd{kit: k, users: k.staff(50_000), rooms: make([]roomkit.RoomID, 10_000)}
	people := make([]roomkit.UserID, 50)
	for n := range c.rooms {
		c.rooms[n] = roomID(n)
		for i := range people {
			people[i] = c.member(n, i)
		}
		k.fill(c.rooms[n], people)
	}
	runtime.GC() // of what filling left, so that it does not run into the measurement
	return c
}

func (c *crowd) member(room, i int) roomkit.UserID { return c.users[(room*50+i*977)%len(c.users)] }

func BenchmarkLoad(b *testing.B) {
	b.Run("one room/2 people", func(b *testing.B) {
		k := newKit(b)
		users := k.staff(10)
		k.fill(roomID(1), users)
		needs := []store.Need{{Room: roomID(1), People: users[:2]}}
		b.ReportAllocs()
		for b.Loop() {
			loads(b, k, needs, 2)
		}
	})
	fixture := sync.OnceValue(func() *crowd { return newCrowd(b) })
	for _, n := range []int{1, 2} {
		b.Run(fmt.Sprintf("500k at random/%d people", n), func(b *testing.B) {
			c := fixture()
			people := make([]roomkit.UserID, n)
			needs := []store.Need{{People: people}}
			b.ReportAllocs()
			for b.Loop() {
				room := rand.IntN(len(c.rooms))
				needs[0].Room = c.rooms[room]
				for i := range people {
					people[i] = c.member(room, rand.IntN(25)*2+i)
				}
				loads(b, c.kit, needs, n)
			}
		})
	}
	b.Run("500k at random/both cores", func(b *testing.B) {
		c := fixture()
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			people := make([]roomkit.UserID, 1)
			needs := []store.Need{{People: people}}
			for pb.Next() {
				room := rand.IntN(len(c.rooms))
				needs[0].Room, people[0] = c.rooms[room], c.member(room, rand.IntN(50))
				loads(b, c.kit, needs, 1)
			}
		})
	})
}

func loads(tb testing.TB, k *kit, needs []store.Need, rows int) {
	facts, err := k.Load(context.Background(), needs)
	if err != nil || len(facts) != 1 || len(facts[0].Members) != rows {
		tb.Errorf("%d facts, %v", len(facts), err)
	}
}

// next makes the change go on from itself, with somebody else. It is used again
// and again because memstore keeps nothing of a change but its data.
func (k *kit) next(c *store.Change, user roomkit.UserID, joins bool) {
	k.commands++
	binary.BigEndian.PutUint64(c.Command[:8], k.commands*0x9e3779b97f4a7c15)
	c.Expect[0].Version++
	c.Expect[2].Subject.ID = string(user)
	c.Rooms[0].Version++
	c.Members[0].User, c.Members[0].Participant = user, joins
	c.Records[0].Version++
	c.Records[0].Command = c.Command
	c.Outcome.Command = c.Command
	c.Outcome.Events[0].Version++
}

// BenchmarkAdd commits what adds somebody to a room, with and without the load
// that comes before. People come and go, so that the room keeps its size.
func BenchmarkAdd(b *testing.B) {
	for _, size := range []int{10, 100_000, 1_000_000} {
		if testing.Short() && size > 100_000 {
			continue
		}
		b.Run(fmt.Sprintf("room of %d", size), func(b *testing.B) {
			k := newKit(b)
			users := k.staff(size + 1000)
			k.fill(roomID(1), users[:size])
			changes := []store.Change{k.join(roomID(1), users[0], users[1])}
			k.must(changes[0])
			runtime.GC()
			b.Run("commit", func(b *testing.B) { k.add(b, changes, nil, users[size:]) })
			needs := []store.Need{{Room: roomID(1), People: users[:2]}}
			b.Run("load and commit", func(b *testing.B) { k.add(b, changes, needs, users[size:]) })
		})
	}
}

func (k *kit) add(b *testing.B, changes []store.Change, needs []store.Need, people []roomkit.UserID) {
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if needs != nil {
			loads(b, k, needs, 2)
		}
		k.next(&changes[0], people[i%len(people)], i/len(people)%2 == 0)
		results, err := k.Commit(context.Background(), changes)
		if err != nil || results[0].Err != nil {
			b.Fatal(err, results[0].Err)
		}
	}
}

// BenchmarkAddNew adds people who are new to the room.
func BenchmarkAddNew(b *testing.B) {
	for _, size := range []int{10, 100_000} {
		b.Run(fmt.Sprintf("room of %d", size), func(b *testing.B) {
			k := newKit(b)
			users := k.staff(size + b.N)
			k.fill(roomID(1), users[:size])
			changes := make([]store.Change, b.N)
			for i := range changes {
				changes[i] = k.join(roomID(1), users[0], users[size+i])
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i := range changes {
				results, err := k.Commit(context.Background(), changes[i:i+1])
				if err != nil || results[0].Err != nil {
					b.Fatal(err, results[0].Err)
				}
			}
		})
	}
}

func BenchmarkMembersPage(b *testing.B) {
	k := newKit(b)
	users := k.staff(100_000)
	k.fill(roomID(1), users)
	for _, at := range []int{0, 90_000} {
		b.Run(fmt.Sprintf("100 of 100000 after %d", at), func(b *testing.B) {
			q := store.MemberQuery{Room: roomID(1), After: users[at], Limit: 100}
			b.ReportAllocs()
			for b.Loop() {
				page, err := k.Members(context.Background(), q)
				if err != nil || len(page) != 100 {
					b.Fatal(len(page), err)
				}
			}
		})
	}
}

func BenchmarkRooms(b *testing.B) {
	k := newKit(b)
	users := k.staff(1000)
	for n := range 1000 {
		k.fill(roomID(n), []roomkit.UserID{users[0], users[n%999+1]})
	}
	queries := []struct {
		name string
		q    store.RoomQuery
		want int
	}{
		{"page of 50 of a user's 1000", store.RoomQuery{User: users[0], After: roomkit.RoomID{100}, Limit: 50}, 50},
		{"exact set", store.RoomQuery{Participants: users[:2], Exact: true}, 2},
	}
	for _, bench := range queries {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				page, err := k.Rooms(context.Background(), bench.q)
				if err != nil || len(page) != bench.want {
					b.Fatal(len(page), err)
				}
			}
		})
	}
}

func BenchmarkFeed(b *testing.B) {
	k := newKit(b)
	users := k.staff(10)
	for n := range 1000 {
		k.fill(roomID(n), users)
	}
	page, err := k.Feed(context.Background(), "", 1000)
	require.NoError(b, err)
	after := page[len(page)-1].Cursor
	b.ReportAllocs()
	for b.Loop() {
		if page, err := k.Feed(context.Background(), after, 1000); err != nil || len(page) != 1000 {
			b.Fatal(len(page), err)
		}
	}
}
