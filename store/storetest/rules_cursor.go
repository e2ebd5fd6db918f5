package storetest

import (
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func cursorRules() []Rule {
	return []Rule{
		{"cursor/resume", "The feed goes on from the cursor of any record with the record after it.", cursorResume},
		{"cursor/tail", "Nothing comes after the last cursor until something is stored, and then that.", cursorTail},
		{"cursor/garbage", "A cursor that no store issued is ErrInvalid.", cursorGarbage},
		{"cursor/altered", "A cursor with one character altered is that of another record or ErrInvalid; so are places that nothing has reached yet.", cursorAltered},
		{"cursor/foreign", "A cursor that another store issued is ErrInvalid.", cursorForeign},
	}
}

func cursorResume(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	k.must(k.change(r.join(cho), k.putUser(ann, nil), r.leave(bob)))
	all := k.feed("")
	for i := range all {
		for _, limit := range []int{1, 2, roomkit.MaxPage} {
			require.Equal(k, all[i+1:], append([]store.Record{}, k.feedBy(all[i].Cursor, limit)...), "after record %d by %d", i, limit)
		}
	}
}

func cursorTail(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	for range 3 {
		tail := k.tail()
		require.Empty(k, k.feed(tail))
		require.Empty(k, k.feed(tail))
		c := k.change(r.rename("x"))
		k.must(c)
		require.Equal(k, withoutCursors(c.Records), withoutCursors(k.feed(tail)))
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

func cursorGarbage(k *kit) {
	tail := k.tail()
	k.rejects("garbage", " ", "-", "-1", "x1", "null", "\x00", "\xff\xfe", "é", "'; DROP TABLE records; --", "$1", "%s",
		roomkit.Cursor(strings.Repeat("9", 400)), roomkit.Cursor(strings.Repeat("a", 10_000)))
	k.rejects(tail+"x", tail+" ", " "+tail, "+"+tail, "-"+tail, tail+"\n", tail+"\x00", tail+tail, tail+"99999999999999999999")
	k.must(k.change(k.putUser(ann, nil)))
	require.Len(k, k.feed(tail), 1)
}

func cursorAltered(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	k.must(k.change(r.join(cho), k.putUser(ann, nil), r.leave(bob)))
	k.refuse(roomkit.ErrConflict, k.change(r.as(1).rename("x")))
	k.must(k.change(r.rename("x")))
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

func cursorForeign(k *kit) {
	other := k.over(k.open(k))
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
}
