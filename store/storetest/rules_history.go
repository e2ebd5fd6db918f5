package storetest

import (
	"fmt"
	"math"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func historyRules() []Rule {
	return []Rule{
		{"history/in-order", "History gives the records of one subject as they were stored, with versions 1, 2, 3 … and no others.", historyInOrder},
		{"history/every-subject", "Users, companies and teams have a history as rooms have.", historyEverySubject},
		{"history/pages", "Pages of every size give every record once; after a version come those with higher ones.", historyPages},
		{"history/is-the-feed", "The records of a subject are the same in its history and in the feed, cursors included.", historyIsFeed},
		{"history/limits", "A page has at most DefaultPage records if no limit is given, and never more than MaxPage.", historyLimits},
		{"history/nothing", "What does not exist has no history, and nothing comes after the last version.", historyNothing},
		{"history/bad-query", "A subject of no type or a negative limit is ErrInvalid.", historyBadQuery},
	}
}

func historyInOrder(k *kit) {
	r, other := k.sheet(roomID(1), roomkit.KindGeneral), k.found(2, roomkit.KindGeneral, ann, bob)
	changes := []store.Change{k.change(r.begin(ann, bob)), k.change(r.join(cho), other.rename("x"), r.leave(bob)), k.change(r.end())}
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
}

func historyEverySubject(k *kit) {
	c := k.change(k.putUser(bob, nil), k.putCompany(beta, nil), k.putTeam(core, nil))
	k.must(c)
	for i, of := range []roomkit.Subject{roomkit.UserSubject(bob), roomkit.CompanySubject(beta), roomkit.TeamSubject(core)} {
		got := withoutCursors(k.history(of))
		require.Len(k, got, 2)
		require.Equal(k, withoutCursors(c.Records)[i], got[1])
	}
}

func historyPages(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	for range 6 {
		k.must(k.change(r.rename("x")))
	}
	want := k.history(r.subject())
	require.Len(k, want, 7)
	for limit := range len(want) + 1 {
		require.Equal(k, want, k.historyBy(r.subject(), limit+1), "by %d", limit+1)
		page, err := k.store.History(k.ctx, r.subject(), roomkit.Version(limit), 1)
		require.NoError(k, err)
		require.Equal(k, want[limit:min(limit+1, len(want))], append([]store.Record{}, cleanRecords(page)...))
	}
}

func historyIsFeed(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	k.must(k.change(r.join(cho), k.putUser(ann, nil), r.leave(bob), k.putTeam(core, nil)))
	k.must(k.change(k.putUser(ann, nil), r.rename("x")))
	bySubject := map[roomkit.Subject][]store.Record{}
	for _, record := range k.feed("") {
		bySubject[record.Subject] = append(bySubject[record.Subject], record)
	}
	require.Len(k, bySubject, 12)
	for of, want := range bySubject {
		require.Equal(k, want, k.history(of), "%s", of)
	}
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

func historyLimits(k *kit) {
	r := k.long(roomkit.MaxPage + 9)
	for _, limit := range []int{0, roomkit.MaxPage, roomkit.MaxPage + 1, math.MaxInt} {
		require.Len(k, k.historyBy(r.subject(), limit), roomkit.MaxPage+9, "by %d", limit)
	}
}

func historyNothing(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	for _, of := range []roomkit.Subject{
		roomkit.RoomSubject(roomID(9)), roomkit.UserSubject("nobody"), roomkit.CompanySubject("nowhere"), roomkit.TeamSubject("none"),
	} {
		require.Empty(k, k.history(of), "%s", of)
	}
	for _, after := range []roomkit.Version{1, 2, 1000, math.MaxInt64} {
		page, err := k.store.History(k.ctx, r.subject(), after, 5)
		require.NoError(k, err)
		require.Empty(k, page, "after %d", after)
	}
}

func historyBadQuery(k *kit) {
	_, err := k.store.History(k.ctx, roomkit.Subject{}, 0, 5)
	require.ErrorIs(k, err, roomkit.ErrInvalid)
	_, err = k.store.History(k.ctx, roomkit.Subject{Type: 99, ID: "ann"}, 0, 5)
	require.ErrorIs(k, err, roomkit.ErrInvalid)
	_, err = k.store.History(k.ctx, roomkit.UserSubject(ann), 0, -1)
	require.ErrorIs(k, err, roomkit.ErrInvalid)
}
