package storetest

import (
	"sync/atomic"
	"testing"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// Bench measures a store: commits, loads, pages and the feed, each on an empty
// store of its own that is filled first. What a benchmark hands to the store is
// made while the clock stands still.
func Bench(b *testing.B, open func(testing.TB) store.Store) {
	for _, m := range benchmarks {
		b.Run(m.name, func(b *testing.B) {
			k := newKit(b, open, &Options{})
			k.ctx = b.Context() // as long as it takes
			b.ReportAllocs()
			m.measure(b, k)
		})
	}
}

var benchmarks = []struct {
	name    string
	measure func(b *testing.B, k *kit)
}{
	{"commit/new-room", func(b *testing.B, k *kit) {
		rooms := 0
		k.commits(b, 1, func() store.Change {
			rooms++
			id := roomID(rooms)
			id[2], id[3] = byte(rooms>>24), byte(rooms>>16)
			return k.change(k.sheet(id, roomkit.KindGeneral).begin(ann, bob, cho), rely(roomkit.UserSubject(ann), 1), rely(roomkit.CompanySubject(acme), 1))
		})
	}},
	{"commit/hot-room", func(b *testing.B, k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob, cho, dan, eve, fay)
		k.commits(b, 1, k.comings(r))
	}},
	{"commit/32-in-a-call", func(b *testing.B, k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob, cho, dan, eve, fay)
		k.commits(b, 32, k.comings(r))
	}},
	// benchSideBySide lets every goroutine commit to a room of its own. The time in
	// which a change is made is counted as well.
	{"commit/side-by-side", func(b *testing.B, k *kit) {
		const rooms = 256
		var supplies [rooms]func() store.Change
		for i := range supplies {
			supplies[i] = k.comings(k.found(i, roomkit.KindGeneral, ann, bob))
		}
		var taken atomic.Int64
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			next := supplies[(taken.Add(1)-1)%rooms]
			for pb.Next() {
				results, err := k.store.Commit(k.ctx, []store.Change{next()})
				if err != nil || results[0].Err != nil {
					b.Error(err, results)
					return
				}
			}
		})
	}},
	{"load/room-of-10", benchLoad(10, false)},
	{"load/room-of-1000", benchLoad(1000, false)},
	{"load/everybody-of-1000", benchLoad(1000, true)},
	{"members/page-of-100", func(b *testing.B, k *kit) {
		r, people := k.ofPeople(1000)
		q := store.MemberQuery{Room: r.room.ID, After: people[449], Limit: 100}
		for b.Loop() {
			page, err := k.store.Members(k.ctx, q)
			if err != nil || len(page) != 100 {
				b.Fatal(err, len(page))
			}
		}
	}},
	{"rooms/of-user", func(b *testing.B, k *kit) {
		k.manyRooms(300, ann, bob)
		q := store.RoomQuery{User: ann, After: roomID(99), Limit: 100}
		for b.Loop() {
			page, err := k.store.Rooms(k.ctx, q)
			if err != nil || len(page) != 100 {
				b.Fatal(err, len(page))
			}
		}
	}},
	{"shared/exact", func(b *testing.B, k *kit) {
		k.manyRooms(300, ann, cho)
		r := k.found(999, roomkit.KindGeneral, ann, bob)
		needs := []store.Need{{Shared: []roomkit.UserID{ann, bob}}}
		for b.Loop() {
			facts, err := k.store.Load(k.ctx, needs)
			if err != nil || facts[0].Shared[0].Room.ID != r.room.ID {
				b.Fatal(err, facts)
			}
		}
	}},
	{"feed/page-of-1000", func(b *testing.B, k *kit) {
		k.long(5 * roomkit.MaxPage)
		var after roomkit.Cursor
		records := 0
		for b.Loop() {
			page, err := k.store.Feed(k.ctx, after, roomkit.MaxPage)
			if err != nil {
				b.Fatal(err)
			}
			records += len(page)
			if after = ""; len(page) > 0 {
				after = page[len(page)-1].Cursor
			}
		}
		b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
	}},
}

// supply makes changes in stock, while the clock stands still.
type supply struct {
	b     *testing.B
	stock []store.Change
	make  func() store.Change
}

func (s *supply) take(n int) []store.Change {
	if len(s.stock) < n {
		s.b.StopTimer()
		for range 1024 {
			s.stock = append(s.stock, s.make())
		}
		s.b.StartTimer()
	}
	some := s.stock[:n:n]
	s.stock = s.stock[n:]
	return some
}

// commits measures calls of n changes each.
func (k *kit) commits(b *testing.B, n int, next func() store.Change) {
	b.Helper()
	s := supply{b: b, make: next}
	for b.Loop() {
		results, err := k.store.Commit(k.ctx, s.take(n))
		if err != nil {
			b.Fatal(err)
		}
		for i := range results {
			if results[i].Err != nil {
				b.Fatal(results[i].Err)
			}
		}
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "commits/s")
}

// comings gives changes that let one person go and come.
func (k *kit) comings(r *sheet) func() store.Change {
	return func() store.Change {
		move := r.join
		if r.rows[bob].Participant {
			move = r.leave
		}
		return k.change(move(bob), rely(roomkit.UserSubject(ann), 1), rely(roomkit.UserSubject(bob), 1))
	}
}

// ofPeople stores a group of n people.
func (k *kit) ofPeople(n int) (*sheet, []roomkit.UserID) {
	k.Helper()
	people := k.crowd(n)
	r := k.sheet(roomID(1), roomkit.KindGroup)
	k.must(k.change(r.begin(people...)))
	return r, people
}

func benchLoad(n int, everybody bool) func(b *testing.B, k *kit) {
	return func(b *testing.B, k *kit) {
		r, people := k.ofPeople(n)
		needs := []store.Need{{
			Command: k.command(), Room: r.room.ID, People: []roomkit.UserID{people[1], people[n/2]},
			Masters: true, Everybody: everybody,
		}}
		want := 3
		if everybody {
			want = n
		}
		for b.Loop() {
			facts, err := k.store.Load(k.ctx, needs)
			if err != nil || len(facts[0].Members) != want {
				b.Fatal(err, facts)
			}
		}
	}
}
