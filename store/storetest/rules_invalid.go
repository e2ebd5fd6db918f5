package storetest

import (
	"math"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func invalidRules() []Rule {
	return []Rule{
		{"invalid/command", "A change without a command id is ErrInvalid.", invalidCommand},
		{"invalid/unexpected", "A change that writes a row or a record without expecting a version of its subject is ErrInvalid.", invalidUnexpected},
		{"invalid/expected-twice", "A change that expects a version of one subject twice is ErrInvalid.", invalidExpectedTwice},
		{"invalid/subject", "An expectation or a record of no subject is ErrInvalid.", invalidSubject},
		{"invalid/row-twice", "A change that writes one row twice is ErrInvalid.", invalidRowTwice},
		{"invalid/record-versions", "Records that do not lead from the expected version to the row's, one by one, are ErrInvalid.", invalidRecordVersions},
		{"invalid/record-size", "A record of more than MaxEventBytes is ErrInvalid; one of just as many is stored.", invalidRecordSize},
		{"invalid/tally", "A tally that names both a user and a company, or neither, is ErrInvalid.", invalidTally},
		{"invalid/end", "Ending a room that the change does not write is ErrInvalid.", invalidEnd},
		{"invalid/expected-version", "An expectation of a negative version is ErrInvalid.", invalidExpectedVersion},
		{"invalid/person", "The row of nobody, or of a room that neither exists nor begins with the change, is ErrInvalid.", invalidPerson},
		{"invalid/checkpoint", "A checkpoint without a name is ErrInvalid.", invalidCheckpoint},
		{"invalid/alone", "A malformed change does not touch the others of the same call.", invalidAlone},
	}
}

// spoilt gives the change after spoil.
func spoilt(c store.Change, spoil func(c *store.Change)) store.Change {
	spoil(&c)
	return c
}

func invalidCommand(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	k.refuse(roomkit.ErrInvalid, k.changeAs(roomkit.CommandID{}, r.clone().join(cho)))
}

func invalidUnexpected(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	drop := func(c *store.Change) { c.Expect = nil }
	for _, c := range []store.Change{
		k.change(r.clone().join(cho)),
		k.change(k.sheet(roomID(2), roomkit.KindGeneral).begin(ann, bob)),
		k.change(writeUser(*k.users[bob], 1)),
		k.change(writeCompany(*k.companies[acme], 1)),
		k.change(writeTeam(*k.teams[core], 1)),
	} {
		k.refuse(roomkit.ErrInvalid, spoilt(c, drop))
		k.refuse(roomkit.ErrInvalid, spoilt(c, func(c *store.Change) { c.Records = nil }))
		k.refuse(roomkit.ErrInvalid, spoilt(c, func(c *store.Change) { c.Expect, c.Records = nil, nil }))
	}
	k.refuse(roomkit.ErrInvalid, spoilt(k.change(r.clone().join(cho)), func(c *store.Change) {
		c.Rooms, c.Records, c.Expect = nil, nil, nil
		finish(c)
	}))
	other := k.found(3, roomkit.KindGeneral, ann, bob)
	k.refuse(roomkit.ErrInvalid, spoilt(k.change(r.clone().rename("x")), func(c *store.Change) {
		c.Members = append(c.Members, other.rows[bob])
	}))
}

func invalidExpectedTwice(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	k.refuse(roomkit.ErrInvalid, k.change(r.clone().join(cho), rely(r.subject(), 1)))
	k.refuse(roomkit.ErrInvalid, k.change(rely(roomkit.UserSubject(ann), 1), rely(roomkit.UserSubject(ann), 1)))
	k.refuse(roomkit.ErrInvalid, k.change(rely(roomkit.UserSubject(ann), 1), rely(roomkit.UserSubject(ann), 2)))
}

func invalidSubject(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	for _, none := range []roomkit.Subject{
		{}, {ID: "ann"}, {Type: roomkit.SubjectRoom}, {Type: roomkit.SubjectUser},
		{Type: roomkit.SubjectCompany}, {Type: roomkit.SubjectTeam}, {Type: 99, ID: "ann"},
		{Type: roomkit.SubjectRoom, Room: roomID(7), ID: "ann"}, {Type: roomkit.SubjectUser, Room: roomID(7), ID: "nobody"},
		{Type: roomkit.SubjectUser, Room: roomID(7)},
	} {
		k.refuse(roomkit.ErrInvalid, k.change(r.clone().join(cho), rely(none, 0)))
		k.refuse(roomkit.ErrInvalid, k.change(r.clone().join(cho), func(c *store.Change) { record(c, none, 0) }))
	}
}

func invalidRowTwice(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	for _, twice := range []func(c *store.Change){
		func(c *store.Change) { c.Rooms = append(c.Rooms, c.Rooms[0]) },
		func(c *store.Change) { c.Members = append(c.Members, c.Members[0]) },
		func(c *store.Change) { c.Users = append(c.Users, c.Users[0]) },
		func(c *store.Change) { c.Companies = append(c.Companies, c.Companies[0]) },
		func(c *store.Change) { c.Teams = append(c.Teams, c.Teams[0]) },
	} {
		c := k.change(r.clone().join(cho), writeUser(*k.users[bob], 1),
			writeCompany(*k.companies[acme], 1), writeTeam(*k.teams[core], 1))
		k.refuse(roomkit.ErrInvalid, spoilt(c, twice))
	}
}

func invalidRecordVersions(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	k.must(k.change(r.rename("two")))
	for _, spoil := range []func(c *store.Change){
		func(c *store.Change) { c.Records[0].Version = 2 },
		func(c *store.Change) { c.Records[1].Version = 5 },
		func(c *store.Change) { c.Records[1].Version = 3 },
		func(c *store.Change) { c.Records[0].Version, c.Records[1].Version = 4, 3 },
		func(c *store.Change) { c.Records[0].Version, c.Records[1].Version = 1, 2 },
		func(c *store.Change) { c.Rooms[0].Version = 3 },
		func(c *store.Change) { c.Rooms[0].Version = 5 },
		func(c *store.Change) { c.Records = c.Records[:1] },
		func(c *store.Change) { c.Records = nil },
		func(c *store.Change) { c.Records, c.Rooms[0].Version = nil, 2 },
		func(c *store.Change) { c.Rooms = nil },
	} {
		k.refuse(roomkit.ErrInvalid, spoilt(k.change(r.clone().join(cho), r.as(3).leave(bob)), spoil))
	}
	k.refuse(roomkit.ErrInvalid, spoilt(k.change(writeUser(*k.users[bob], 1)), func(c *store.Change) { c.Users[0].Version = 3 }))
}

func invalidRecordSize(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	size := func(n int) func(c *store.Change) {
		return func(c *store.Change) { c.Records[0].Data = make([]byte, n) }
	}
	k.refuse(roomkit.ErrInvalid, spoilt(k.change(r.clone().join(cho)), size(roomkit.MaxEventBytes+1)))
	k.must(spoilt(k.change(r.join(cho)), size(roomkit.MaxEventBytes)))
	require.Len(k, k.history(r.subject())[1].Data, roomkit.MaxEventBytes)
}

func invalidTally(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	for _, t := range []store.Tally{{Now: 1}, {User: ann, Company: acme, Now: 1}} {
		k.refuse(roomkit.ErrInvalid, k.change(r.clone().join(cho), func(c *store.Change) { c.Tallies = append(c.Tallies, t) }))
	}
}

func invalidEnd(k *kit) {
	r, other := k.found(1, roomkit.KindGeneral, ann, bob), k.found(2, roomkit.KindGeneral, ann, bob)
	ended := store.RoomEnd{Room: other.room.ID, Kind: other.room.Kind, At: at(2), Version: 2, Cause: roomkit.CauseRoomEnded, By: roomkit.By(ann)}
	k.refuse(roomkit.ErrInvalid, k.change(r.clone().join(cho), func(c *store.Change) { c.Ended = append(c.Ended, ended) }))
	k.refuse(roomkit.ErrInvalid, k.change(rely(other.subject(), 1), func(c *store.Change) { c.Ended = append(c.Ended, ended) }))
}

func invalidExpectedVersion(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	for _, v := range []roomkit.Version{-1, math.MinInt64} {
		k.refuse(roomkit.ErrInvalid, k.change(r.clone().join(cho), rely(roomkit.UserSubject(ann), v)))
		k.refuse(roomkit.ErrInvalid, k.change(r.clone().join(cho), rely(roomkit.UserSubject("nobody"), v)))
	}
}

func invalidPerson(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	nobody := r.rows[bob]
	nobody.User = ""
	k.refuse(roomkit.ErrInvalid, spoilt(k.change(r.clone().rename("x")), func(c *store.Change) { c.Members = append(c.Members, nobody) }))
	orphan := r.rows[bob]
	orphan.Room = roomID(2)
	k.refuse(roomkit.ErrInvalid, spoilt(k.change(r.clone().rename("x"), rely(roomkit.RoomSubject(orphan.Room), 0)),
		func(c *store.Change) { c.Members = append(c.Members, orphan) }))
}

func invalidCheckpoint(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	k.refuse(roomkit.ErrInvalid, k.change(r.clone().join(cho), checkpoint("", "", k.tail())))
	k.refuse(roomkit.ErrInvalid, k.change(checkpoint("", "", "")))
}

func invalidAlone(k *kit) {
	a, b := k.found(1, roomkit.KindGeneral, ann, bob), k.found(2, roomkit.KindGeneral, ann, bob)
	results := k.commit(
		k.change(a.join(cho)),
		spoilt(k.change(a.clone().join(dan)), func(c *store.Change) { c.Expect = nil }),
		k.changeAs(roomkit.CommandID{}, b.clone().join(dan)),
		k.change(b.join(cho)),
	)
	require.NoError(k, results[0].Err)
	k.refused(roomkit.ErrInvalid, results[1])
	k.refused(roomkit.ErrInvalid, results[2])
	require.NoError(k, results[3].Err)
	k.sees(a)
	k.sees(b)
}
