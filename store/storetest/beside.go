package storetest

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// Beside proves on a store that a service answers on it as on a reference: it
// plays random histories through two services that have the same clock and the
// same ids, one on a store of reference and one on a store of open, and compares
// every error and result, the events, and all that can be read. Cursors are compared
// by what they lead to. Each history has empty stores of its own and some 200 steps.
// Six histories or more have to store every command, and 60 to refuse every one as well.
// It is for the tests of stores, beside [Run], with package memstore as the reference.
func Beside(tb testing.TB, reference, open func(testing.TB) store.Store, histories int) {
	tb.Helper()
	b := &beside{tb: tb, open: [2]func(testing.TB) store.Store{reference, open}, budget: histories, reached: newReached()}
	for b.played < b.budget {
		rapid.Check(tb, b.play)
	}
	tb.Logf("%d histories of %d steps, %s", b.played, b.steps, b.reached)
	require.Empty(tb, b.reached.missing(b.played), "never reached")
}

// beside plays histories until its budget is spent.
type beside struct {
	tb      testing.TB
	open    [2]func(testing.TB) store.Store
	reached *reached
	steps   int  // of the histories that went well
	played  int  // histories that went well
	budget  int  // how many are enough
	broken  bool // one has failed: what runs now makes it smaller or tells about it
}

func (b *beside) play(t *rapid.T) {
	if b.played >= b.budget && !b.broken {
		return
	}
	b.broken = true
	st := &stage{TB: b.tb}
	defer st.close()
	ctx, cancel := context.WithTimeout(b.tb.Context(), patience)
	defer cancel()
	h := &chronicle{t: t, ctx: ctx, reached: b.reached, stored: map[string]bool{}, world: newTown(), now: dawn}
	h.open(st, b.open)
	h.settle()
	for range h.oneOf(150, 200, 250) {
		h.step()
	}
	h.lookAtAll()
	b.broken, b.played, b.steps = false, b.played+1, b.steps+h.steps
}

// stage is a testing.TB for the time of one history: what is opened on it is
// closed with it.
type stage struct {
	testing.TB
	cleanups []func()
}

// Cleanup keeps what has to be done at the end of the history.
func (s *stage) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }

func (s *stage) close() {
	for _, f := range slices.Backward(s.cleanups) {
		f()
	}
}

// chronicle is one random history: the two sides, and what drawing needs to know.
type chronicle struct {
	t       *rapid.T
	ctx     context.Context
	sides   [2]*side
	reached *reached
	world   town
	now     time.Time
	steps   int
	stored  map[string]bool  // types of commands
	rooms   []roomkit.RoomID // that commands have opened, in that order
	kept    []order          // that were given with a key
}

var dawn = time.Date(2030, time.March, 1, 8, 0, 0, 0, time.UTC)

// side is one of the two services, with what its feed has shown so far.
type side struct {
	h       *chronicle
	store   store.Store
	svc     *service.Service
	ids     atomic.Uint32 // drawn in this step
	records []store.Record
	places  map[roomkit.Cursor]int
}

func (h *chronicle) open(tb testing.TB, open [2]func(testing.TB) store.Store) {
	policy := roomkit.Policy{AnyoneIsContact: h.chance(4, 5), MaxGroupsPerUser: 5}
	for i := range h.sides {
		s := &side{h: h, store: open[i](tb), places: map[roomkit.Cursor]int{}}
		svc, err := service.New(s.store, &service.Options{
			Policy: policy, Clock: func() time.Time { return h.now }, NewID: s.newID,
			Directory: &h.world, Contacts: h.world.contacts,
		})
		require.NoError(h.t, err)
		s.svc, h.sides[i] = svc, s
	}
}

// newID gives the same ids on both sides, in no order.
func (s *side) newID() (id [16]byte) {
	var n [8]byte
	binary.BigEndian.PutUint32(n[:], uint32(s.h.steps))
	binary.BigEndian.PutUint32(n[4:], s.ids.Add(1))
	sum := sha256.Sum256(n[:])
	copy(id[:], sum[:])
	return id
}

// both asks the two sides the same and demands equal answers.
func both[T any](h *chronicle, ask func(s *side) T, what string, args ...any) T {
	want, got := ask(h.sides[0]), ask(h.sides[1])
	if !reflect.DeepEqual(want, got) { // much faster than require.Equal
		require.Equal(h.t, want, got, append([]any{"step %d: " + what, h.steps}, args...)...)
	}
	return want
}

// step is one command or another happening, and a look at what came of it.
func (h *chronicle) step() {
	h.begin()
	switch h.roll(20) {
	case 0:
		h.sweep()
	case 1:
		h.followOn()
	case 2:
		h.now = h.now.Add(time.Duration(1+h.roll(20)) * 24 * time.Hour)
	case 3:
		h.carryOut(h.batch())
	case 4, 5:
		h.carryOut(h.again())
	default:
		h.carryOut(h.order())
	}
	switch {
	case h.chance(1, 8):
		h.glance()
	case h.chance(1, 200):
		h.lookAtAll()
	}
}

// begin is the beginning of a step: some time has passed.
func (h *chronicle) begin() {
	h.steps++
	for _, s := range h.sides {
		s.ids.Store(0)
	}
	h.now = h.now.Add(time.Duration(1+h.roll(1000)) * time.Millisecond)
}
