package memstore_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/codec"
	"github.com/go-roomkit/roomkit/store"
)

// handLog keeps events as a service would by hand: their bytes per room, and the
// order of all, behind a lock.
type handLog struct {
	mu    sync.Mutex
	rooms map[roomkit.RoomID][]handEvent
	all   []*handEvent
}

type handEvent struct {
	version roomkit.Version
	typ     string
	at      time.Time
	data    []byte
}

func (h *handLog) append(room roomkit.RoomID, was roomkit.Version, events []handEvent) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if roomkit.Version(len(h.rooms[room])) != was {
		return false
	}
	list := make([]handEvent, len(events))
	for i, e := range events {
		e.data = bytes.Clone(e.data)
		list[i] = e
		h.all = append(h.all, &list[i])
	}
	h.rooms[room] = list
	return true
}

func (h *handLog) load(room roomkit.RoomID) []handEvent {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]handEvent, len(h.rooms[room]))
	for i, e := range h.rooms[room] {
		e.data = bytes.Clone(e.data)
		list[i] = e
	}
	return list
}

// BenchmarkThousandEvents encodes and appends 1,000 events of a room, and reads
// them back, beside a log by hand.
func BenchmarkThousandEvents(b *testing.B) {
	const n = 1000
	joined := make([]*roomkit.MemberJoined, n)
	for i := range joined {
		e := &roomkit.MemberJoined{People: []roomkit.Person{{User: roomkit.UserID(fmt.Sprintf("user-%07d", i)), Company: acme, Kind: roomkit.UserMember}}}
		e.Version, e.At, e.Command = roomkit.Version(i+1), time.UnixMicro(int64(i)).UTC(), roomkit.CommandID{1}
		e.Actor, e.Cause, e.Kind = roomkit.By("ann"), roomkit.CauseInvited, roomkit.KindGeneral
		joined[i] = e
	}
	events := func(room roomkit.RoomID, each func(e *roomkit.MemberJoined, data []byte)) {
		buf := make([]byte, 0, n*448)
		for _, e := range joined {
			e.Subject = roomkit.RoomSubject(room)
			from := len(buf)
			var err error
			if buf, err = codec.Encode(buf, e); err != nil {
				b.Fatal(err)
			}
			each(e, buf[from:])
		}
	}
	k, h := newKit(b), &handLog{rooms: map[roomkit.RoomID][]handEvent{}}
	byHand := func(room roomkit.RoomID) {
		list := make([]handEvent, 0, n)
		events(room, func(e *roomkit.MemberJoined, data []byte) {
			list = append(list, handEvent{e.Version, e.Type(), e.At, data})
		})
		require.True(b, h.append(room, 0, list))
	}
	ours := func(room roomkit.RoomID) {
		c := store.Change{
			Command: k.command(), Expect: []store.Expect{{Subject: roomkit.RoomSubject(room)}},
			Rooms:   []roomkit.Room{{ID: room, Version: n, Kind: roomkit.KindGeneral, State: roomkit.StateActive, Company: acme}},
			Records: make([]store.Record, 0, n),
		}
		events(room, func(e *roomkit.MemberJoined, data []byte) {
			c.Records = append(c.Records, store.Record{Subject: e.Subject, Version: e.Version, Type: e.Type(), At: e.At, Command: c.Command, Data: data})
			c.Outcome.Events = append(c.Outcome.Events, store.EventAt{Subject: e.Subject, Version: e.Version})
		})
		k.must(c)
	}
	next := 0
	appending := func(do func(roomkit.RoomID)) func(*testing.B) {
		return func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				next++
				do(roomID(next))
			}
		}
	}
	b.Run("append/hand", appending(byHand))
	b.Run("append/memstore", appending(ours))
	byHand(roomID(-1))
	ours(roomID(-1))
	b.Run("load/hand", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			require.Len(b, h.load(roomID(-1)), n)
		}
	})
	b.Run("load/memstore", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			list, err := k.History(context.Background(), roomkit.RoomSubject(roomID(-1)), 0, n)
			require.NoError(b, err)
			require.Len(b, list, n)
		}
	})
}
