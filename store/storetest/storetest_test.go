package storetest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/storetest/internal/beside"
)

func openMemstore(testing.TB) store.Store { return memstore.New() }

// same hands out the same store again: nothing of a memory store is lost but
// with the process.
func same(_ testing.TB, s store.Store) store.Store { return s }

func TestMemstore(t *testing.T) { Run(t, openMemstore, &Options{Reopen: same}) }

func TestAltered(t *testing.T) { Run(t, openAltered, &Options{Reopen: same}) }

// plain hides all but the methods of a store.
type plain struct{ store.Store }

func openPlain(testing.TB) store.Store { return plain{memstore.New()} }

func TestWithoutCapabilities(t *testing.T) {
	Run(t, openPlain, &Options{Parallel: true})
}

// TestCapabilityRules demands that the rules of capabilities are run when there
// are some, also through Unwrap, and skipped when there are none; and so with
// the rules of durability.
func TestCapabilityRules(t *testing.T) {
	faulty := func(testing.TB) store.Store { return NewFaulty(memstore.New(), Plan{}) }
	for _, r := range durableRules {
		durable := strings.HasPrefix(r.Name, "durable/")
		if !durable && !strings.HasPrefix(r.Name, "capability/") {
			continue
		}
		for _, tt := range []struct {
			open    func(testing.TB) store.Store
			o       *Options
			skipped bool
		}{{faulty, &Options{Reopen: same}, false}, {faulty, &Options{}, durable}, {openPlain, &Options{Reopen: same}, !durable}} {
			rec := beside.On(t, patience, func(s testing.TB) { r.check(s, tt.open, tt.o) })
			require.False(t, rec.Failed(), "%s: %s", r.Name, rec.Text())
			require.Equal(t, tt.skipped, rec.Skipped(), "%s: %s", r.Name, rec.Text())
		}
	}
}

// TestReport demands that a rule that fails says what to do first, and little more.
func TestReport(t *testing.T) {
	rule := Rules()[0]
	rec := beside.On(t, patience, func(s testing.TB) { rule.check(s, openMemstore, &Options{}) })
	require.False(t, rec.Failed() || rec.Skipped(), "a rule that holds: %s", rec.Text())
	rule.run = func(k *kit) { require.Equal(k, strings.Repeat("a\n", 5000), strings.Repeat("b\n", 5000)) }
	rec = beside.On(t, patience, func(s testing.TB) { rule.check(s, openMemstore, &Options{}) })
	require.True(t, rec.Failed())
	require.Contains(t, strings.Split(rec.Text(), "\n")[0], "go test -run '^TestReport/"+rule.Name+"$'")
	require.Contains(t, strings.Split(rec.Text(), "\n")[0], rule.Sentence)
	require.Less(t, strings.Count(rec.Text(), "\n"), 50)
	require.Less(t, len(rec.Text()), 10_000)
}

func TestBeside(t *testing.T) {
	histories := 12
	if testing.Short() {
		histories = 2 // with the race detector
	}
	Beside(t, openMemstore, openMemstore, histories)
	rec := beside.On(t, patience, func(s testing.TB) { Beside(s, openMemstore, differentMutants[0].open, histories) })
	require.True(t, rec.Failed(), "a broken store passes")
	require.Less(t, strings.Count(rec.Text(), "\n"), 50)
}

func BenchmarkMemstore(b *testing.B) { Bench(b, openMemstore) }
