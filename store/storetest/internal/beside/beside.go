// Package beside plays the same random history on two stores and compares all that
// they say: commands through a service on each, changes that no service would commit,
// and every question.
package beside

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// Game says what is played.
type Game struct {
	Reference, Open func(testing.TB) store.Store
	Histories       int // how many; each has stores of its own
	Shorten         int // how often a history that fails is tried with fewer steps
	// Break gives faults to the store under test, in every second history: those of an
	// odd seed. Nil: in none.
	Break func(st store.Store, seed uint64) Broken
}

// Broken is a store with faults, which come only between Relapse and Heal. Errors and
// panics that it makes up wrap Fault.
type Broken struct {
	Store         store.Store
	Fault         error
	Heal, Relapse func()
	Struck        func() int // how often until now
}

// seedVariable names the variable that makes a game the same again.
const seedVariable = "STORETEST_SEED"

// Play plays histories until one fails. Steps are drawn by the seed, the number of the
// step and what the reference holds, so that the others stay much the same if one is
// left out.
func (g *Game) Play(tb testing.TB) {
	tb.Helper()
	seed := rand.Uint64() >> 16
	if given, err := strconv.ParseUint(os.Getenv(seedVariable), 10, 64); err == nil {
		seed = given
	}
	r, steps := reached{}, 0
	for n := range uint64(g.Histories) {
		h := g.play(tb, seed+n, nil, r)
		if steps += h.last; h.Failed() {
			h = g.shorten(h, tb)
			tb.Errorf("%s=%d go test -run '^%s$' shows it again: the store under test (got) is not like the reference (want).\n%s",
				seedVariable, seed+n, tb.Name(), h.report())
			tb.FailNow()
		}
	}
	tb.Logf("%d histories of %d steps, %s", g.Histories, steps, r)
	if missing := r.missing(g.Histories); len(missing) > 0 {
		tb.Errorf("no history came to this, so nothing is known about it; play more of them: %s", strings.Join(missing, ", "))
	}
}

// shorten leaves out steps of a history as long as it still fails.
func (g *Game) shorten(h *history, tb testing.TB) *history {
	tries := g.Shorten
	if h.ctx.Err() != nil {
		tries = 0 // it hangs
	}
	for size := h.last; size > 0 && tries > 0; size /= 2 {
		for from := 1; from <= h.last && tries > 0; from += size {
			skip := slices.Concat(h.skip, span(from, min(from+size, h.last)))
			tries--
			if shorter := g.play(tb, h.seed, skip, reached{}); shorter.Failed() {
				h = shorter
			}
		}
	}
	return h
}

func span(from, to int) (numbers []int) {
	for n := from; n < to; n++ {
		numbers = append(numbers, n)
	}
	return numbers
}

// patience bounds a history, so that a store that hangs fails.
const patience = time.Minute

// play plays one history without some of its steps.
func (g *Game) play(tb testing.TB, seed uint64, skip []int, r reached) *history {
	h := &history{seed: seed, skip: skip, reached: r, stored: map[string]bool{}, world: newTown(), now: dawn}
	on(tb, patience, func(s *stage) {
		h.stage, h.ctx = s, s.Context()
		h.begin(0)
		h.open(g)
		h.settle()
		h.reached.note("histories with faults", h.faulty)
		most := h.oneOf(100, 150, 200)
		for n := 1; n <= most; n++ {
			if !slices.Contains(skip, n) {
				h.begin(n)
				h.step()
			}
		}
		h.begin(most + 1)
		h.lookAtAll()
	})
	return h
}

// history is one random history: the two sides, and what drawing needs to know.
type history struct {
	*stage
	ctx     context.Context
	seed    uint64
	skip    []int
	random  *rand.Rand
	last    int // the step at hand
	sides   [2]*side
	tap     *tap
	reached reached
	world   town
	now     time.Time
	stored  map[string]bool  // types of commands
	rooms   []roomkit.RoomID // that commands have opened, in that order
	kept    []order          // that were given with a key
	past    []store.Change   // that were committed without a service
	told    []string         // what happened, to tell about it
	faulty  bool             // faults come to the store under test
}

var dawn = time.Date(2030, time.March, 1, 8, 0, 0, 0, time.UTC)

// side is one of the two services, with what its feed has shown so far.
type side struct {
	h       *history
	store   store.Store
	svc     *service.Service
	broken  *Broken       // of the store under test, in a history with faults
	ids     atomic.Uint32 // drawn in this step
	records []store.Record
	places  map[roomkit.Cursor]int
}

func (h *history) open(g *Game) {
	policy := roomkit.Policy{AnyoneIsContact: h.chance(4, 5), MaxGroupsPerUser: 5}
	h.tap = &tap{Store: g.Reference(h)}
	for i, st := range []store.Store{h.tap, g.Open(h)} {
		s := &side{h: h, store: st, places: map[roomkit.Cursor]int{}}
		if i == 1 && g.Break != nil && h.seed%2 == 1 {
			b := g.Break(st, h.seed)
			b.Heal()
			s.broken, st = &b, b.Store
			h.faulty = true
		}
		svc, err := service.New(st, &service.Options{
			Policy: policy, Clock: func() time.Time { return h.now }, NewID: s.newID,
			Directory: &h.world, Contacts: h.world.contacts,
		})
		require.NoError(h, err)
		s.svc, h.sides[i] = svc, s
	}
}

// newID gives the same ids on both sides, in no order.
func (s *side) newID() (id [16]byte) {
	var n [8]byte
	binary.BigEndian.PutUint32(n[:], uint32(s.h.last))
	binary.BigEndian.PutUint32(n[4:], s.ids.Add(1))
	sum := sha256.Sum256(n[:])
	copy(id[:], sum[:])
	return id
}

// begin is the beginning of a step: some time has passed.
func (h *history) begin(n int) {
	h.last, h.random = n, rand.New(rand.NewPCG(h.seed, uint64(n)))
	for _, s := range h.sides {
		if s != nil {
			s.ids.Store(0)
		}
	}
	h.now = h.now.Add(time.Duration(1+h.roll(1000)) * time.Millisecond)
}

// step is one command or another happening, and a look at what came of it.
func (h *history) step() {
	switch h.roll(28) {
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
	case 6, 7, 8, 9:
		h.commitBadly()
	case 10:
		h.commitAtOnce()
	case 11, 12:
		h.ask()
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

// tell keeps what happens in a step.
func (h *history) tell(format string, args ...any) {
	h.told = append(h.told, fmt.Sprintf("step %d: ", h.last)+fmt.Sprintf(format, args...))
}

// report tells what happened last and what went wrong.
func (h *history) report() string {
	const happened, most, width = 12, 25, 400
	lines := append([]string{fmt.Sprintf("%d steps, of which the last are:", len(h.told))}, h.told[max(0, len(h.told)-happened):]...)
	wrong := strings.Split(strings.TrimSpace(h.Text()), "\n")
	lines = append(lines, wrong[:min(len(wrong), most)]...)
	for i, line := range lines {
		lines[i] = line[:min(len(line), width)]
	}
	return strings.Join(lines, "\n")
}

// both asks the two sides the same and demands equal answers.
func both[T any](h *history, ask func(s *side) T, what string, args ...any) T {
	want, got := ask(h.sides[0]), ask(h.sides[1])
	if d := Difference(want, got); d != "" {
		h.Fatalf("%s: %s", fmt.Sprintf(what, args...), d)
	}
	return want
}

// Difference says where two values of one type begin to differ, if they do.
func Difference(want, got any) string {
	return difference("answer", reflect.ValueOf(want), reflect.ValueOf(got))
}

// difference says where two values of one type begin to differ.
func difference(at string, want, got reflect.Value) string {
	if reflect.DeepEqual(want.Interface(), got.Interface()) {
		return ""
	}
	switch want.Kind() {
	case reflect.Struct:
		for i := range want.NumField() {
			if field := want.Type().Field(i); field.IsExported() {
				if d := difference(at+"."+field.Name, want.Field(i), got.Field(i)); d != "" {
					return d
				}
			}
		}
	case reflect.Slice:
		for i := range min(want.Len(), got.Len()) {
			if d := difference(fmt.Sprintf("%s[%d]", at, i), want.Index(i), got.Index(i)); d != "" {
				return d
			}
		}
		if want.Len() != got.Len() {
			at = fmt.Sprintf("%s has %d, want %d", at, got.Len(), want.Len())
		}
	case reflect.Pointer, reflect.Interface:
		if !want.IsNil() && !got.IsNil() && want.Elem().Type() == got.Elem().Type() {
			return difference(at, want.Elem(), got.Elem())
		}
	}
	return fmt.Sprintf("%s:\n  want %.300s\n  got  %.300s", at, fmt.Sprintf("%+v", want), fmt.Sprintf("%+v", got))
}

// reached counts what the histories have come to.
type reached map[string]int

func (r reached) note(what string, so bool) {
	if so {
		r[what]++
	}
}

// command counts how a command has ended.
func (r reached) command(cmd roomkit.Command, is *told) {
	has := func(class error) bool { return slices.Contains(is.Fault.Classes, class) }
	name := roomkit.CommandName(cmd)
	r.note("commands", true)
	r.note(name+" stored", is.stored())
	r.note(name+" refused", has(roomkit.ErrDenied) || has(roomkit.ErrNotFound) || has(roomkit.ErrInvalid))
	r.note("repeat", is.Result.Repeat)
	r.note("stale", has(roomkit.ErrConflict))
	r.note("reused", has(roomkit.ErrCommandReused))
	r.note("offered", len(is.Fault.Offered.Offers) > 0)
	r.note("dropped", len(is.Result.Dropped) > 0)
	r.note("noticed", len(is.Result.Notices) > 0)
	r.note("opened "+is.Result.Kind.String(), is.stored() && is.Result.Opened)
}

// So many histories reach all usual branches for certain, and the rare ones too.
const usualHistories, manyHistories = 12, 60

// missing gives what so many histories should have come to and have not.
func (r reached) missing(histories int) (names []string) {
	if histories < usualHistories {
		return nil
	}
	wanted := []string{
		"repeat", "reused", "noticed", "swept", "followed on", "something to read", "groups listed", "history read",
		"unwell", "change stored", "change repeated", "change refused: conflict", "change refused: invalid",
		"change refused: idempotency key used for another command", "changes at once",
	}
	if r["histories with faults"] > 0 {
		wanted = append(wanted, "struck", "given again")
	}
	if histories >= manyHistories {
		wanted = append(wanted, "stale", "recommended", "offered", "dropped", "consequences planned", "due")
		for _, kind := range roomkit.Kinds() {
			wanted = append(wanted, "opened "+kind.String())
		}
	}
	for _, w := range ways {
		wanted = append(wanted, w.name+" stored")
		if histories >= manyHistories {
			wanted = append(wanted, w.name+" refused")
		}
	}
	return slices.DeleteFunc(wanted, func(name string) bool { return r[name] > 0 })
}

// String lists how often each branch was reached.
func (r reached) String() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(r)) {
		fmt.Fprintf(&b, "%s %d, ", name, r[name])
	}
	return strings.TrimSuffix(b.String(), ", ")
}
