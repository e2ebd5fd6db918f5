package service_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/memstore"
)

func BenchmarkAllowed(b *testing.B) {
	r := roomkit.NewRules(roomkit.Policy{})
	kinds := roomkit.Kinds()
	var n int
	b.ReportAllocs()
	for b.Loop() {
		n++
		sink = r.Allowed(kinds[n%len(kinds)], roomkit.Standing(n&15))
	}
}

var sink roomkit.ActionSet

func BenchmarkDo(b *testing.B) {
	b.Run("add/1caller", func(b *testing.B) { benchmarkAdd(b, 1, 512) })
	b.Run("add/8callers/distinct", func(b *testing.B) { benchmarkAdd(b, 8, 512) })
	b.Run("add/32callers/distinct", func(b *testing.B) { benchmarkAdd(b, 32, 512) })
	b.Run("add/32callers/hot", func(b *testing.B) { benchmarkAdd(b, 32, 1) })
}

// benchmarkAdd has callers add one member after the other to rooms of their own or
// to one.
func benchmarkAdd(b *testing.B, callers, rooms int) {
	svc := proof.Service(b, nil)
	ids := proof.Crowd(b, svc, "u", 100_000)
	list := make([]roomkit.RoomID, rooms)
	for i := range list {
		list[i] = proof.General(b, svc, "ann", "ben", "cat")
	}
	b.ReportAllocs()
	if callers > 1 {
		sideBySide(b, callers, func(n int) error { return addOne(svc, list, ids, n) })
		return
	}
	for n := 0; b.Loop(); n++ {
		if err := addOne(svc, list, ids, n); err != nil {
			b.Fatal(err)
		}
	}
}

// sideBySide has so many goroutines, whatever the number of cores, share the calls
// of add from 0 to b.N.
func sideBySide(b *testing.B, callers int, add func(n int) error) {
	var next atomic.Int64
	var all sync.WaitGroup
	b.ResetTimer()
	for range callers {
		all.Go(func() {
			for n := int(next.Add(1)) - 1; n < b.N; n = int(next.Add(1)) - 1 {
				if err := add(n); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "adds/s")
}

// addOne spreads the additions so that every one of them changes something: each
// room gets each person once, then the rooms start anew with a removal.
func addOne(svc *service.Service, rooms []roomkit.RoomID, ids []roomkit.UserID, n int) error {
	room, turn := rooms[n%len(rooms)], n/len(rooms)
	who := ids[turn%len(ids) : turn%len(ids)+1]
	var cmd roomkit.Command = roomkit.Invite{Room: room, People: who}
	if turn/len(ids)%2 == 1 {
		cmd = roomkit.Remove{Room: room, People: who}
	}
	_, err := svc.Do(ctx, roomkit.By("ann"), cmd)
	return err
}

func BenchmarkAddToRoomOf(b *testing.B) {
	for _, size := range []int{10, 100_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			svc := proof.Service(b, nil)
			room := proof.General(b, svc, "ann", "ben", "cat")
			proof.Fill(b, svc, room, proof.Crowd(b, svc, "u", size-3))
			ids := proof.Crowd(b, svc, "v", 1000)
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				if err := addOne(svc, []roomkit.RoomID{room}, ids, n); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAccess(b *testing.B) {
	svc := proof.Service(b, nil)
	ids := proof.Crowd(b, svc, "u", 10_000)
	rooms := make([]roomkit.RoomID, 10_000)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range rooms {
		rooms[i] = proof.General(b, svc, "ann", "ben", "cat")
		from := r.IntN(len(ids) - 47)
		proof.Fill(b, svc, rooms[i], ids[from:from+47])
	}
	b.Run("1room", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, err := svc.Access(ctx, ids[r.IntN(len(ids))], rooms[r.IntN(len(rooms))])
			require.NoError(b, err)
		}
	})
	b.Run("check/500k_memberships", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = svc.Check(ctx, "ann", roomkit.ActionPost, rooms[r.IntN(len(rooms))])
		}
	})
	b.Run("check/500k_memberships/handwritten", func(b *testing.B) {
		h := handChecks(ids, rooms)
		b.ReportAllocs()
		for b.Loop() {
			_ = h.mayPost("ann", rooms[r.IntN(len(rooms))])
		}
	})
	b.Run("100rooms", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			from := r.IntN(len(rooms) - 100)
			_, err := svc.Access(ctx, "ann", rooms[from:from+100]...)
			require.NoError(b, err)
		}
	})
}

// A service for one transaction of a host.
func BenchmarkOn(b *testing.B) {
	st := memstore.New()
	all, err := service.New(st, nil)
	require.NoError(b, err)
	for name, make := range map[string]func(){
		"New": func() { _, _ = service.New(st, nil) },
		"On":  func() { all.On(st) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				make()
			}
		})
	}
}
