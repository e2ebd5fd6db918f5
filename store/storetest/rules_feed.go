package storetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/storetest/internal/beside"
)

var feedRules = []Rule{
	{"history/in-order", "History gives the records of one subject as they were stored, with versions 1, 2, 3 … and no others.", func(k *kit) {
		r, other := k.sheet(roomID(1), roomkit.KindGeneral), k.found(2, roomkit.KindGeneral, ann, bob)
		changes := []store.Change{k.change(r.begin(ann, bob)), k.change(r.join(cho), other.touch(), r.leave(bob)), k.change(r.end())}
		var want []store.Record
		for i, result := range k.commit(changes...) {
			k.stored(changes[i], result)
			for _, record := range changes[i].Records {
				if record.Subject == r.subject() {
					want = append(want, record)
				}
			}
		}
		require.Len(k, want, 4)
		require.Equal(k, withoutCursors(want), withoutCursors(k.history(r.subject())))
		require.Len(k, k.history(other.subject()), 2)
	}},
	{"history/every-subject", "Users, companies and teams have a history as rooms have.", func(k *kit) {
		c := k.change(k.putUser(bob, nil), k.putCompany(beta, nil), k.putTeam(core, nil))
		k.must(c)
		for i, of := range []roomkit.Subject{roomkit.UserSubject(bob), roomkit.CompanySubject(beta), roomkit.TeamSubject(acme, core)} {
			got := withoutCursors(k.history(of))
			require.Len(k, got, 2)
			require.Equal(k, withoutCursors(c.Records)[i], got[1])
		}
	}},
	{"history/pages", "Pages of every size give every record once; after a version come those with higher ones.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		for range 6 {
			k.must(k.change(r.touch()))
		}
		want := k.history(r.subject())
		everySize(k, want, func(limit int) []store.Record { return k.historyBy(r.subject(), limit) })
		for after := range len(want) + 1 {
			page, err := k.store.History(k.ctx, r.subject(), roomkit.Version(after), 1)
			require.NoError(k, err)
			require.Equal(k, beside.Own(want[after:min(after+1, len(want))]), beside.Own(cleanRecords(page)), "after %d", after)
		}
	}},
	{"history/is-the-feed", "The records of a subject are the same in its history and in the feed, cursors included.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		k.must(k.change(r.join(cho), k.putUser(ann, nil), r.leave(bob), k.putTeam(core, nil)))
		k.must(k.change(k.putUser(ann, nil), r.touch()))
		bySubject := map[roomkit.Subject][]store.Record{}
		for _, record := range k.feed("") {
			bySubject[record.Subject] = append(bySubject[record.Subject], record)
		}
		require.Len(k, bySubject, 12)
		for of, want := range bySubject {
			require.Equal(k, want, k.history(of), "%s", of)
		}
	}},
	{"history/limits", "A page has at most DefaultPage records if no limit is given, and never more than MaxPage.", func(k *kit) {
		r := k.long(roomkit.MaxPage + 9)
		everyLimit(k, k.history(r.subject()), func(limit int) []store.Record { return k.historyBy(r.subject(), limit) })
		require.EqualValues(k, roomkit.MaxPage+9, r.room.Version)
	}},
	{"history/nothing", "What does not exist has no history, and nothing comes after the last version.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		for _, of := range []roomkit.Subject{
			roomkit.RoomSubject(roomID(9)), roomkit.UserSubject("nobody"), roomkit.CompanySubject("nowhere"), roomkit.TeamSubject(acme, "none"),
		} {
			require.Empty(k, k.history(of), "%s", of)
		}
		for _, after := range []roomkit.Version{1, 2, 1000, math.MaxInt64} {
			page, err := k.store.History(k.ctx, r.subject(), after, 5)
			require.NoError(k, err)
			require.Empty(k, page, "after %d", after)
		}
	}},
	{"history/bad-query", "A subject of no type or a negative limit is ErrInvalid.", func(k *kit) {
		for _, of := range []roomkit.Subject{{}, {Type: 99, ID: "ann"}} {
			bad(k, func() ([]store.Record, error) { return k.store.History(k.ctx, of, 0, 5) }, "%s", of)
		}
		bad(k, func() ([]store.Record, error) { return k.store.History(k.ctx, roomkit.UserSubject(ann), 0, -1) })
	}},
	{"feed/in-order", "The feed gives the records of all commits one after another, those of a change in its order.", func(k *kit) {
		from := k.tail()
		a, b := k.sheet(roomID(9), roomkit.KindGeneral), k.sheet(roomID(1), roomkit.KindGeneral)
		calls := [][]store.Change{
			{k.change(a.begin(ann, bob), k.putUser(dan, nil), a.touch())},
			{k.change(b.begin(ann), a.touch(), k.putTeam(core, nil)), k.change(k.putCompany(beta, nil), k.putUser(ann, nil))},
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
	}},
	{"feed/refused", "Refused changes and repeats leave no trace in the feed.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		from := k.tail()
		first, stale := k.change(r.join(cho)), r.clone()
		last := k.change(r.touch())
		stale.room.Version = 9
		malformed := spoilt(k.change(stale.touch()), func(c *store.Change) { c.Expect = nil })
		results := k.commit(k.change(stale.touch()), first, malformed, last, first, k.change(stale.touch()))
		require.Equal(k, []bool{false, true, false, true, true, false}, []bool{
			results[0].Err == nil, results[1].Err == nil, results[2].Err == nil,
			results[3].Err == nil, results[4].Repeat, results[5].Err == nil,
		})
		require.Equal(k, withoutCursors(append(first.Records, last.Records...)), withoutCursors(k.feed(from)))
	}},
	{"feed/pages", "Pages of every size give every record once.", func(k *kit) {
		k.must(k.change(k.sheet(roomID(1), roomkit.KindGeneral).begin(ann, bob), k.putUser(ann, nil), k.putUser(bob, nil)))
		everySize(k, k.feed(""), func(limit int) []store.Record { return k.feedBy("", limit) })
	}},
	{"feed/limits", "A page has at most DefaultPage records if no limit is given, and never more than MaxPage; a negative limit is ErrInvalid.", func(k *kit) {
		before := len(k.feed(""))
		k.long(roomkit.MaxPage + 9)
		all := k.feed("")
		require.Len(k, all, before+roomkit.MaxPage+9)
		everyLimit(k, all, func(limit int) []store.Record { return k.feedBy("", limit) })
		bad(k, func() ([]store.Record, error) { return k.store.Feed(k.ctx, "", -1) })
	}},
	{"feed/concurrent", "While many write and some fail, a reader that follows sees every record once, each subject's in version order.", func(k *kit) {
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
	}},
	{"feed/own-writes", "A record can be read as soon as its commit has returned.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		for range 50 {
			from := k.tail()
			c := k.change(r.touch())
			o := k.must(c)
			page, err := k.store.Feed(k.ctx, from, 5)
			require.NoError(k, err)
			require.Len(k, page, 1)
			require.Equal(k, o.Cursor, page[0].Cursor)
			require.Equal(k, withoutCursors(c.Records), withoutCursors(page))
		}
	}},
	{"feed/stable", "What was read once is read again in the same order.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		read := k.feed("")
		for range 10 {
			k.must(k.change(r.touch(), k.putUser(ann, nil)))
			again := k.feed("")
			require.Equal(k, read, again[:len(read)])
			require.Len(k, again, len(read)+2)
			read = again
		}
	}},
	{"cursor/resume", "The feed goes on from the cursor of any record with the record after it.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		k.must(k.change(r.join(cho), k.putUser(ann, nil), r.leave(bob)))
		all := k.feed("")
		for i := range all {
			for _, limit := range []int{1, 2, roomkit.MaxPage} {
				require.Equal(k, beside.Own(all[i+1:]), beside.Own(k.feedBy(all[i].Cursor, limit)), "after record %d by %d", i, limit)
			}
		}
	}},
	{"cursor/tail", "Nothing comes after the last cursor until something is stored, and then that.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		for range 3 {
			tail := k.tail()
			require.Empty(k, k.feed(tail))
			require.Empty(k, k.feed(tail))
			c := k.change(r.touch())
			k.must(c)
			require.Equal(k, withoutCursors(c.Records), withoutCursors(k.feed(tail)))
		}
	}},
	{"cursor/garbage", "A cursor that no store issued is ErrInvalid.", func(k *kit) {
		tail := k.tail()
		k.rejects("garbage", " ", "-", "-1", "x1", "null", "\x00", "\xff\xfe", "é", "'; DROP TABLE records; --", "$1", "%s",
			roomkit.Cursor(strings.Repeat("9", 400)), roomkit.Cursor(strings.Repeat("a", 10_000)))
		k.rejects(tail+"x", tail+" ", " "+tail, "+"+tail, "-"+tail, tail+"\n", tail+"\x00", tail+tail, tail+"99999999999999999999")
		k.must(k.change(k.putUser(ann, nil)))
		require.Len(k, k.feed(tail), 1)
	}},
	{"cursor/altered", "A cursor with one character altered is that of another record or ErrInvalid; so are places that nothing has reached yet.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		k.must(k.change(r.join(cho), k.putUser(ann, nil), r.leave(bob)))
		k.refuse(roomkit.ErrConflict, k.change(r.as(1).touch()))
		k.must(k.change(r.touch()))
		rest := map[roomkit.Cursor][]store.Record{}
		all := k.feed("")
		for i, record := range all {
			rest[record.Cursor] = all[i+1:]
		}
		last := all[len(all)-1].Cursor
		for _, c := range []roomkit.Cursor{all[0].Cursor, all[len(all)-2].Cursor, last} {
			for i := range c {
				for _, b := range []byte{'0', '1', '9', 'a', 'A', 'f', 'z', c[i] + 1, c[i] - 1, c[i] ^ 0x20, c[i] ^ 0x80} {
					k.takes(rest, c[:i]+roomkit.Cursor([]byte{b})+c[i+1:])
				}
				k.takes(rest, c[:i]+"0"+c[i:])
				if len(c) > 1 {
					k.takes(rest, c[:i]+c[i+1:])
				}
			}
		}
	}},
	{"cursor/foreign", "A cursor that another store issued is ErrInvalid.", func(k *kit) {
		other := newKit(k.TB, k.open, k.o)
		for range 3 {
			k.must(k.change(k.putUser(ann, nil)))
			other.must(other.change(other.putUser(ann, nil)))
		}
		k.must(k.change(k.putUser(ann, nil)))
		theirs, mine := other.feed(""), k.feed("")
		require.Less(k, len(theirs), len(mine))
		for _, r := range theirs {
			k.rejects(r.Cursor)
		}
		for _, r := range mine {
			other.rejects(r.Cursor)
		}
	}},
}

// long stores a room with n records.
func (k *kit) long(n int) *sheet {
	k.Helper()
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	for int(r.room.Version) < n {
		var parts []part
		for i := range min(250, n-int(r.room.Version)) {
			parts = append(parts, r.rename(fmt.Sprint(i)))
		}
		k.must(k.change(parts...))
	}
	return r
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

// scribble commits changes of one room, some of which fail, and counts the
// records stored. It may run in a goroutine of its own.
func (k *kit) scribble(own, shared *sheet, random *rand.Rand, stored *atomic.Int64) {
	for i := range 40 {
		next, both := own.clone(), shared.clone()
		parts := []part{next.touch()}
		switch random.IntN(4) {
		case 0: // never holds
			parts = append(parts, rely(roomkit.UserSubject(ann), 9))
		case 1: // holds for one writer at most
			both.room.Version += roomkit.Version(i)
			parts = append(parts, both.touch())
		case 2:
			parts = append(parts, next.touch(), next.touch())
		}
		c := k.change(parts...)
		results, err := k.store.Commit(k.ctx, beside.Clones([]store.Change{c}))
		if !assert.NoError(k, err) || !assert.Len(k, results, 1) {
			return
		}
		if results[0].Err == nil {
			stored.Add(int64(len(c.Records)))
			own = next
		}
	}
}

// rejects demands that the store does not take these cursors.
func (k *kit) rejects(cursors ...roomkit.Cursor) {
	k.Helper()
	for _, c := range cursors {
		page, err := k.store.Feed(k.ctx, c, 5)
		require.ErrorIs(k, err, roomkit.ErrInvalid, "cursor %q", c)
		require.Empty(k, page, "cursor %q", c)
	}
}

// takes demands that the store takes a cursor for what it is if it has issued
// it, and for nothing else.
func (k *kit) takes(rest map[roomkit.Cursor][]store.Record, c roomkit.Cursor) {
	k.Helper()
	want, issued := rest[c]
	if !issued {
		k.rejects(c)
		return
	}
	page, err := k.store.Feed(k.ctx, c, roomkit.MaxPage)
	require.NoError(k, err)
	require.Equal(k, append([]store.Record{}, want...), append([]store.Record{}, cleanRecords(page)...), "after %q", c)
}
