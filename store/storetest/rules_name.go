package storetest

import (
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func nameRules() []Rule {
	return []Rule{
		{"name/unique", "A NameKey that another active room of the company holds is ErrConflict.", nameUnique},
		{"name/in-one-call", "Of two rooms that take the same NameKey in one call the first gets it.", nameInOneCall},
		{"name/in-one-change", "A change that gives one NameKey to two rooms is ErrConflict.", nameInOneChange},
		{"name/other-company", "Rooms of different companies can hold the same NameKey.", nameOtherCompany},
		{"name/empty", "An empty NameKey is no name.", nameEmpty},
		{"name/own", "A room keeps its own NameKey through changes.", nameOwn},
		{"name/freed-by-end", "The end of a room frees its NameKey.", nameFreedByEnd},
		{"name/freed-by-rename", "A room that takes another NameKey frees the one before.", nameFreedByRename},
		{"name/passed-on", "One change can free a NameKey in one room and take it in the next.", namePassedOn},
		{"name/bytes", "NameKeys are compared as bytes.", nameBytes},
		{"name/begin-anew", "A room that begins anew takes its NameKey only if it is free.", nameBeginAnew},
	}
}

func (k *kit) holder(company roomkit.CompanyID, key string) roomkit.RoomID {
	k.Helper()
	return k.load(store.Need{Name: key, Company: company}).NameHolder
}

// named stores a group with a name.
func (k *kit) named(n int, key string) *sheet {
	k.Helper()
	s := k.sheet(roomID(n), roomkit.KindGroup)
	k.must(k.change(s.begin(ann, bob), s.claim(key)))
	return s
}

func nameUnique(k *kit) {
	a, b := k.named(1, "ops"), k.found(2, roomkit.KindGroup, ann, cho)
	k.refuse(roomkit.ErrConflict, k.change(b.clone().claim("ops")))
	fresh := k.sheet(roomID(3), roomkit.KindExternalGroup)
	k.refuse(roomkit.ErrConflict, k.change(fresh.begin(ann), fresh.claim("ops"), tallyCompany(acme, 0, 1)))
	require.Equal(k, a.room.ID, k.holder(acme, "ops"))
	k.must(k.change(b.claim("opz")))
	k.sees(a)
	k.sees(b)
}

func nameInOneCall(k *kit) {
	a, b, c := k.found(1, roomkit.KindGroup, ann), k.found(2, roomkit.KindGroup, ann), k.found(3, roomkit.KindGroup, ann)
	results := k.commit(k.change(a.claim("ops")), k.change(b.clone().claim("ops")), k.change(c.claim("dev")))
	require.NoError(k, results[0].Err)
	k.refused(roomkit.ErrConflict, results[1])
	require.NoError(k, results[2].Err)
	k.sees(b)
}

func nameInOneChange(k *kit) {
	a, b := k.found(1, roomkit.KindGroup, ann), k.found(2, roomkit.KindGroup, ann)
	k.refuse(roomkit.ErrConflict, k.change(a.clone().claim("ops"), b.clone().claim("ops")))
}

func nameOtherCompany(k *kit) {
	a := k.named(1, "ops")
	b := k.sheet(roomID(2), roomkit.KindGroup)
	b.room.Company = beta
	k.must(k.change(b.begin(eve, fay), b.claim("ops")))
	require.Equal(k, a.room.ID, k.holder(acme, "ops"))
	require.Equal(k, b.room.ID, k.holder(beta, "ops"))
	k.must(k.change(b.end()))
	require.Equal(k, a.room.ID, k.holder(acme, "ops"))
	require.Zero(k, k.holder(beta, "ops"))
}

func nameEmpty(k *kit) {
	a, b := k.found(1, roomkit.KindGeneral, ann, bob), k.found(2, roomkit.KindGeneral, ann, bob)
	k.must(k.change(a.rename("Lunch")))
	k.must(k.change(b.rename("Lunch")))
	k.must(k.change(a.claim("ops")))
	k.must(k.change(a.claim("")))
	require.Zero(k, k.holder(acme, "ops"))
	require.Zero(k, k.holder(acme, ""))
}

func nameOwn(k *kit) {
	a := k.named(1, "ops")
	k.must(k.change(a.join(cho)))
	k.must(k.change(a.claim("ops")))
	k.must(k.change(a.edit(func(r *roomkit.Room) { r.Name = "OPS" })))
	require.Equal(k, a.room.ID, k.holder(acme, "ops"))
	b := k.found(2, roomkit.KindGroup, ann)
	k.refuse(roomkit.ErrConflict, k.change(b.claim("ops")))
}

func nameFreedByEnd(k *kit) {
	a := k.named(1, "ops")
	k.must(k.change(a.end()))
	require.Equal(k, "ops", a.room.NameKey, "the ended row still says it")
	require.Zero(k, k.holder(acme, "ops"))
	b := k.named(2, "ops")
	require.Equal(k, b.room.ID, k.holder(acme, "ops"))
	k.sees(a)
}

func nameFreedByRename(k *kit) {
	a := k.named(1, "ops")
	k.must(k.change(a.claim("dev")))
	require.Zero(k, k.holder(acme, "ops"))
	require.Equal(k, a.room.ID, k.holder(acme, "dev"))
	b := k.named(2, "ops")
	k.refuse(roomkit.ErrConflict, k.change(a.clone().claim("ops")))
	require.Equal(k, b.room.ID, k.holder(acme, "ops"))
}

func namePassedOn(k *kit) {
	a, b := k.named(1, "ops"), k.found(2, roomkit.KindGroup, ann)
	k.must(k.change(a.claim("dev"), b.claim("ops")))
	require.Equal(k, b.room.ID, k.holder(acme, "ops"))
	require.Equal(k, a.room.ID, k.holder(acme, "dev"))
	k.must(k.change(b.end(), a.claim("ops")))
	require.Equal(k, a.room.ID, k.holder(acme, "ops"))
	require.Zero(k, k.holder(acme, "dev"))
}

func nameBytes(k *kit) {
	keys := []string{"ops", "OPS", "ops ", " ops", "op", "öps", "o\u0308ps", "o_s", "o%", "ß", "ss", "ﬁ", "fi"}
	for i, key := range keys {
		r := k.named(i+1, key)
		require.Equal(k, r.room.ID, k.holder(acme, key), "%q", key)
	}
	for i, key := range keys {
		require.Equal(k, roomID(i+1), k.holder(acme, key), "%q", key)
	}
	for _, free := range []string{"Ops", "o?s", "o*", "%", "opsx"} {
		require.Zero(k, k.holder(acme, free), "%q", free)
	}
}

func nameBeginAnew(k *kit) {
	a := k.named(1, "ops")
	k.must(k.change(a.end()))
	b := k.named(2, "ops")
	k.refuse(roomkit.ErrConflict, k.change(a.clone().begin(ann, bob)))
	k.must(k.change(b.end()))
	k.must(k.change(a.begin(ann, bob)))
	require.Equal(k, a.room.ID, k.holder(acme, "ops"))
}
