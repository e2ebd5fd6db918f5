package storetest

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/storetest/internal/beside"
)

// patience bounds every rule, so that a store that hangs fails.
const patience = time.Minute

// kit is what a rule works with: a store with a small directory in it, and
// helpers that fail the test.
type kit struct {
	testing.TB
	ctx   context.Context
	store store.Store
	open  func(testing.TB) store.Store
	o     *Options
	seen  *sightings
	drawn *atomic.Uint64

	users     map[roomkit.UserID]*roomkit.User
	companies map[roomkit.CompanyID]*roomkit.Company
	teams     map[roomkit.TeamID]*roomkit.Team
}

func newKit(tb testing.TB, open func(testing.TB) store.Store, o *Options) *kit {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	tb.Cleanup(cancel)
	k := &kit{TB: tb, ctx: ctx, o: o, open: open, seen: newSightings(), drawn: new(atomic.Uint64)}
	k.store = open(tb)
	k.settle()
	return k
}

// over gives a kit for another store, with the same directory in it.
func (k *kit) over(s store.Store) *kit {
	k.Helper()
	other := &kit{TB: k.TB, ctx: k.ctx, o: k.o, seen: newSightings(), drawn: new(atomic.Uint64), open: k.open, store: s}
	other.settle()
	return other
}

// command draws a command id. It is the only method besides change that may be
// called from several goroutines.
func (k *kit) command() (id roomkit.CommandID) {
	id[0], id[6], id[8] = 0xc0, 0x70, 0x80
	binary.BigEndian.PutUint32(id[12:], uint32(k.drawn.Add(1)))
	return id
}

// commit hands changes to the store and demands a result for each.
func (k *kit) commit(changes ...store.Change) []store.CommitResult {
	k.Helper()
	k.seen.add(changes...)
	results, err := k.store.Commit(k.ctx, cloneChanges(changes))
	require.NoError(k, err, "Commit")
	require.Len(k, results, len(changes), "results of Commit")
	return results
}

// must commits one change that has to be stored, and gives its outcome.
func (k *kit) must(c store.Change) store.Outcome {
	k.Helper()
	r := k.commit(c)[0]
	k.stored(c, r)
	return r.Outcome
}

// stored demands that a result says that c was stored just now.
func (k *kit) stored(c store.Change, r store.CommitResult) {
	k.Helper()
	require.NoError(k, r.Err, "a change that had to be stored")
	require.False(k, r.Repeat, "a change that was new is called a repeat")
	require.Equal(k, len(c.Records) > 0, r.Outcome.Cursor != "", "an outcome has a cursor if there were events")
	got := cleanOutcome(r.Outcome)
	got.Cursor = ""
	require.Equal(k, cleanOutcome(c.Outcome), got, "outcome")
}

// refuse commits one change that has to end with want, and demands that nothing
// is different afterwards.
func (k *kit) refuse(want error, c store.Change) {
	k.Helper()
	k.seen.add(c)
	before := k.picture()
	r := k.commit(c)[0]
	k.refused(want, r)
	require.Equal(k, before, k.picture(), "a refused change has left something")
}

// refused demands that a result is of one class only.
func (k *kit) refused(want error, r store.CommitResult) {
	k.Helper()
	require.ErrorIs(k, r.Err, want)
	require.Equal(k, []error{want}, beside.Classes(r.Err), "an error is of one class")
	require.False(k, r.Repeat, "a refused change is no repeat")
}

// load asks one need.
func (k *kit) load(n store.Need) store.Facts {
	k.Helper()
	return k.loads(n)[0]
}

func (k *kit) loads(needs ...store.Need) []store.Facts {
	k.Helper()
	facts, err := k.store.Load(k.ctx, needs)
	require.NoError(k, err, "Load")
	require.Len(k, facts, len(needs), "facts of Load")
	return facts
}

// crowd stores many users of acme, a few hundred in one change.
func (k *kit) crowd(n int) []roomkit.UserID {
	k.Helper()
	return k.crowdOf(acme, n)
}

func (k *kit) crowdOf(company roomkit.CompanyID, n int) []roomkit.UserID {
	k.Helper()
	people := make([]roomkit.UserID, n)
	var parts []part
	for i := range people {
		people[i] = crowdID(i)
		parts = append(parts, k.newUser(people[i], company, roomkit.UserMember))
		if len(parts) == roomkit.MaxPeople || i == n-1 {
			k.must(k.change(parts...))
			parts = nil
		}
	}
	return people
}

func crowdID(i int) roomkit.UserID { return roomkit.UserID(fmt.Sprintf("u%05d", i)) }

func withoutCursors(records []store.Record) []store.Record {
	records = cleanRecords(records)
	for i := range records {
		records[i].Cursor = ""
	}
	return records
}
