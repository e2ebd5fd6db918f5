package storetest

import (
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func feedRules() []Rule {
	return []Rule{
		{"feed/in-order", "The feed gives the records of all commits one after another, those of a change in its order.", feedInOrder},
		{"feed/refused", "Refused changes and repeats leave no trace in the feed.", feedRefused},
		{"feed/pages", "Pages of every size give every record once.", feedPages},
		{"feed/limits", "A page has at most DefaultPage records if no limit is given, and never more than MaxPage; a negative limit is ErrInvalid.", feedLimits},
		{"feed/concurrent", "While many write and some fail, a reader that follows sees every record once, each subject's in version order.", feedConcurrent},
		{"feed/own-writes", "A record can be read as soon as its commit has returned.", feedOwnWrites},
		{"feed/stable", "What was read once is read again in the same order.", feedStable},
	}
}

// mustFollow demands that versions of a subject follow one another and that no
// cursor comes twice.
func (k *kit) mustFollow(records []store.Record) {
	k.Helper()
	last := map[roomkit.Subject]roomkit.Version{}
	cursors := map[roomkit.Cursor]bool{"": true}
	for i, r := range records {
		if before, ok := last[r.Subject]; ok {
			require.Equal(k, before+1, r.Version, "version of %s in record %d", r.Subject, i)
		}
		last[r.Subject] = r.Version
		require.False(k, cursors[r.Cursor], "cursor %q of record %d is empty or comes twice", r.Cursor, i)
		cursors[r.Cursor] = true
	}
}

func feedInOrder(k *kit) {
	from := k.tail()
	a, b := k.sheet(roomID(9), roomkit.KindGeneral), k.sheet(roomID(1), roomkit.KindGeneral)
	calls := [][]store.Change{
		{k.change(a.begin(ann, bob), k.putUser(dan, nil), a.rename("x"))},
		{k.change(b.begin(ann), a.rename("y"), k.putTeam(core, nil)), k.change(k.putCompany(beta, nil), k.putUser(ann, nil))},
		{k.change(a.end()), k.change(rely(b.subject(), 1)), k.change(b.end(), k.putUser(ann, nil))},
	}
	var want []store.Record
	for _, changes := range calls {
		for i, r := range k.commit(changes...) {
			k.stored(changes[i], r)
			want = append(want, changes[i].Records...)
		}
	}
	got := k.feed(from)
	require.Equal(k, withoutCursors(want), withoutCursors(got))
	k.mustFollow(got)
}

func feedRefused(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	from := k.tail()
	first, stale := k.change(r.join(cho)), r.clone()
	last := k.change(r.rename("x"))
	stale.room.Version = 9
	malformed := spoilt(k.change(stale.rename("z")), func(c *store.Change) { c.Expect = nil })
	results := k.commit(k.change(stale.rename("y")), first, malformed, first, last, k.change(stale.rename("y")))
	require.Equal(k, []bool{false, true, false, true, true, false}, []bool{
		results[0].Err == nil, results[1].Err == nil, results[2].Err == nil,
		results[3].Repeat, results[4].Err == nil, results[5].Err == nil,
	})
	require.Equal(k, withoutCursors(append(first.Records, last.Records...)), withoutCursors(k.feed(from)))
}

func feedPages(k *kit) {
	k.must(k.change(k.sheet(roomID(1), roomkit.KindGeneral).begin(ann, bob), k.putUser(ann, nil), k.putUser(bob, nil)))
	want := k.feed("")
	for limit := range len(want) + 1 {
		require.Equal(k, want, k.feedBy("", limit+1), "by %d", limit+1)
	}
}

func feedLimits(k *kit) {
	before := len(k.feed(""))
	k.long(roomkit.MaxPage + 9)
	for _, limit := range []int{0, roomkit.MaxPage, roomkit.MaxPage + 1, math.MaxInt} {
		require.Len(k, k.feedBy("", limit), before+roomkit.MaxPage+9, "by %d", limit)
	}
	_, err := k.store.Feed(k.ctx, "", -1)
	require.ErrorIs(k, err, roomkit.ErrInvalid)
}

// follow reads the feed until stop, and then to its end.
func (k *kit) follow(from roomkit.Cursor, limit int, stop *atomic.Bool) (all []store.Record) {
	k.Helper()
	for stopped := false; ; {
		page, err := k.store.Feed(k.ctx, from, limit)
		require.NoError(k, err)
		if len(page) > 0 {
			from = page[len(page)-1].Cursor
			all = append(all, cleanRecords(page)...)
		} else if stopped {
			return all
		}
		stopped = stopped || stop.Load()
		runtime.Gosched()
	}
}

func feedConcurrent(k *kit) {
	const writers = 8
	from := k.tail()
	shared := k.found(99, roomkit.KindGeneral, ann, bob)
	var stored atomic.Int64
	var stop atomic.Bool
	var wg sync.WaitGroup
	for w := range writers {
		own, random := k.sheet(roomID(w+1), roomkit.KindGeneral), rand.New(rand.NewPCG(1, uint64(w)))
		wg.Go(func() { k.scribble(own, shared, random, &stored) })
	}
	go func() { wg.Wait(); stop.Store(true) }()
	defer wg.Wait()
	got := k.follow(from, 7, &stop)
	k.mustFollow(got)
	require.Len(k, got, 1+int(stored.Load()), "records of all that was stored")
	require.Equal(k, got, k.feed(from), "the feed read at once and while it grew")
}

// scribble commits changes of one room, some of which fail, and counts the
// records stored. It may run in a goroutine of its own.
func (k *kit) scribble(own, shared *sheet, random *rand.Rand, stored *atomic.Int64) {
	for i := range 40 {
		next, both := own.clone(), shared.clone()
		parts := []part{next.rename("x")}
		switch random.IntN(4) {
		case 0: // never holds
			parts = append(parts, rely(roomkit.UserSubject(ann), 9))
		case 1: // holds for one writer at most
			both.room.Version += roomkit.Version(i)
			parts = append(parts, both.rename("y"))
		case 2:
			parts = append(parts, next.rename("z"), next.rename("zz"))
		}
		c := k.change(parts...)
		results, err := k.store.Commit(k.ctx, cloneChanges([]store.Change{c}))
		if !assert.NoError(k, err) || !assert.Len(k, results, 1) {
			return
		}
		if results[0].Err == nil {
			stored.Add(int64(len(c.Records)))
			own = next
		}
	}
}

func feedOwnWrites(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	for range 50 {
		from := k.tail()
		c := k.change(r.rename("x"))
		o := k.must(c)
		page, err := k.store.Feed(k.ctx, from, 5)
		require.NoError(k, err)
		require.Len(k, page, 1)
		require.Equal(k, o.Cursor, page[0].Cursor)
		require.Equal(k, withoutCursors(c.Records), withoutCursors(page))
	}
}

func feedStable(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	read := k.feed("")
	for range 10 {
		k.must(k.change(r.rename("x"), k.putUser(ann, nil)))
		again := k.feed("")
		require.Equal(k, read, again[:len(read)])
		require.Len(k, again, len(read)+2)
		read = again
	}
}
