package service_test

import (
	"fmt"
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
