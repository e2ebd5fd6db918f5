package natsstore_test

import (
	"context"
	"flag"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/natsstore"
)

var joinCommands = flag.Int("join.commands", 10_000, "how many commands BenchmarkJoin puts into the log")

// fillLog makes groups of eight people, and changes what they are described by.
func fillLog(b *testing.B, s *natsstore.Store, commands int) {
	svc := proof.ServiceOn(b, s, &service.Options{Policy: roomkit.Policy{AnyoneIsContact: true}})
	people := make([]roomkit.UserID, 0, 1000)
	for i := range cap(people) {
		u := roomkit.User{ID: roomkit.UserID(fmt.Sprint("user-", i)), Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}
		proof.Do(b, svc, roomkit.System(), roomkit.AddUser{User: u})
		people = append(people, u.ID)
	}
	const callers, every = 64, 20 // so that a company does not have too many groups
	var all sync.WaitGroup
	for c := range callers {
		all.Go(func() {
			var of roomkit.Actor
			room := roomkit.RoomID{}
			for n := 0; n < commands/callers; n++ {
				text := fmt.Sprint("what we do in the week ", n)
				var cmd roomkit.Command = roomkit.Edit{Room: room, Description: &text}
				if n%every == 0 {
					at := (c*37 + n) % (len(people) - 8)
					of = roomkit.By(people[at])
					cmd = roomkit.CreateGroup{Name: text + fmt.Sprint(c), Members: people[at+1 : at+8]}
				}
				r, err := svc.Do(context.Background(), of, cmd)
				if !assert.NoError(b, err) {
					return
				}
				room = r.Room
			}
		})
	}
	all.Wait()
}

// BenchmarkJoin: how long it takes to open a copy by reading all of the log, and by a snapshot. With
// "-benchtime 1x . -args -join.commands N" it is about a log of so many commands. "-bench Join/.*/memory" leaves out the files.
func BenchmarkJoin(b *testing.B) {
	l := newLog(b, serve(b))
	l.options.Patience = 10 * time.Minute
	s := l.inMemory(b)
	fillLog(b, s, *joinCommands)
	l.idle(b, natsstore.Window) // so that a copy with a snapshot reads no commands: they are few beside a large one
	require.NoError(b, s.Refresh(b.Context()))
	state := l.state(b)
	n := float64(*joinCommands)
	measured := func(b *testing.B, do func()) {
		cpu := sqltest.OwnTime(b)
		for range b.N {
			do()
		}
		b.ReportMetric((sqltest.OwnTime(b)-cpu)/n/float64(b.N), "cpu-µs/command") // of the server, too
		b.ReportMetric(float64(b.Elapsed().Microseconds())/n/float64(b.N), "µs/command")
	}
	open := func(b *testing.B, copied func(*testing.B) natsstore.Copy) {
		measured(b, func() { require.NoError(b, l.joined(b, copied(b)).Close()) })
	}
	inMemory := func(*testing.B) natsstore.Copy { return memstore.New() }
	inFile := func(b *testing.B) natsstore.Copy { return openFile(b, newPath(b)) }
	b.Run("log/memory", func(b *testing.B) {
		b.ReportMetric(float64(state.Bytes)/n, "B/command")
		open(b, inMemory)
	})
	b.Run("log/file", func(b *testing.B) { open(b, inFile) })
	var done natsstore.Compacted
	b.Run("compact/memory", func(b *testing.B) {
		measured(b, func() {
			var err error
			done, err = s.Compact(b.Context(), 0)
			require.NoError(b, err)
		})
		b.ReportMetric(float64(done.Bytes)/n, "B/command")
	})
	b.Run("snapshot/memory", func(b *testing.B) { open(b, inMemory) })
	b.Run("snapshot/file", func(b *testing.B) { open(b, inFile) })
}
