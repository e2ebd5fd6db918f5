package storetest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
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
	for _, r := range durableRules() {
		durable := strings.HasPrefix(r.Name, "durable/")
		if !durable && !strings.HasPrefix(r.Name, "capability/") {
			continue
		}
		rec := runRule(t, r, faulty, &Options{Reopen: same}, patience)
		require.False(t, rec.failed || rec.skipped, "%s: %s", r.Name, &rec.text)
		rec = runRule(t, r, faulty, &Options{}, patience)
		require.Equal(t, durable, rec.skipped, "%s: %s", r.Name, &rec.text)
		rec = runRule(t, r, openPlain, &Options{Reopen: same}, patience)
		require.Equal(t, !durable, rec.skipped, "%s: %s", r.Name, &rec.text)
		require.False(t, rec.failed, "%s: %s", r.Name, &rec.text)
	}
}
