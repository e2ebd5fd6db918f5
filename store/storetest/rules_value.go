package storetest

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func valueRules() []Rule {
	return []Rule{
		{"values/every-field", "Every field of every row comes back as it was given.", valuesEveryField},
		{"values/zero-fields", "Fields that are zero come back as zero, also where a value was before.", valuesZeroFields},
		{"values/strings", "Text comes back byte by byte, whatever it says in any language of queries.", valuesStrings},
		{"values/ids", "Ids of every allowed form are kept apart and come back as they are.", valuesIDs},
		{"values/ids-together", "Ids that are equal when they are put together are still different.", valuesIDsTogether},
		{"values/int64", "Numbers reach from the smallest to the largest int64.", valuesInt64},
		{"values/times", "Times come back in UTC with their microseconds, the zero time as zero.", valuesTimes},
		{"values/data", "The data of a record is any bytes.", valuesData},
	}
}

// keeps writes rows with all that a rule wants to see again, and reads them.
func (k *kit) keeps(room func(*roomkit.Room), member func(*roomkit.Member), user func(*roomkit.User), company func(*roomkit.Company), team func(*roomkit.Team)) {
	k.Helper()
	s := k.sheet(roomID(1), roomkit.KindGroup)
	s.room.Version = k.load(store.Need{Room: s.room.ID}).Room.Version
	c := k.change(s.begin(ann), k.putUser(ann, user), k.putCompany(acme, company), k.putTeam(core, team))
	room(&c.Rooms[0])
	member(&c.Members[0])
	c.Records[0].Type, c.Records[0].Data = c.Rooms[0].Name+"!", []byte(c.Rooms[0].Name)
	k.must(c)
	got := answerOf(k.load(store.Need{Room: s.room.ID, People: []roomkit.UserID{ann}, Team: core}))
	require.Equal(k, c.Rooms[0], got.Room)
	require.Equal(k, c.Members, got.Members)
	require.Equal(k, k.userRows(ann), got.Users)
	require.Equal(k, k.companyRows(acme), got.Companies)
	require.Equal(k, cleanTeam(*k.teams[core]), got.Team)
	list := store.RoomQuery{User: ann, Which: store.MembersAll}
	require.Equal(k, []store.RoomEntry{{Room: c.Rooms[0], Member: c.Members[0]}}, k.rooms(list))
	require.Equal(k, c.Members, k.members(store.MemberQuery{Room: s.room.ID, Which: store.MembersAll}))
	require.Contains(k, k.people(store.UserQuery{Company: acme}), k.userRows(ann)[0])
	all := withoutCursors(k.feed(""))
	require.Equal(k, withoutCursors(c.Records), all[len(all)-len(c.Records):])
}

func valuesEveryField(k *kit) {
	for round := 1; round <= 3; round++ {
		k.keeps(
			func(r *roomkit.Room) {
				fill(r, round, "ID", "Kind", "State", "Version", "Company", "Creator", "Team", "Parties")
			},
			func(m *roomkit.Member) { fill(m, round, "Room", "User", "Company") },
			func(u *roomkit.User) { fill(u, round, "ID", "Version", "Company", "Groups") },
			func(c *roomkit.Company) { fill(c, round, "ID", "Version", "Groups") },
			func(t *roomkit.Team) { fill(t, round, "ID", "Version", "Company", "Leader", "Members") },
		)
	}
	s := k.sheet(roomkit.DirectRoom(eve, ann), roomkit.KindDirect)
	s.room.Parties, s.room.Team, s.room.Creator = [2]roomkit.UserID{ann, eve}, core, eve
	k.must(k.change(s.begin(ann, eve)))
	k.sees(s)
}

func valuesZeroFields(k *kit) {
	for _, round := range []int{1, 0} {
		k.keeps(
			func(r *roomkit.Room) {
				fill(r, round, "ID", "Kind", "State", "Version", "Company", "Team", "Creator", "Parties")
				if round == 0 {
					r.Creator = ""
				}
			},
			func(m *roomkit.Member) { fill(m, round, "Room", "User", "Company", "Kind", "Participant") },
			func(u *roomkit.User) { fill(u, round, "ID", "Version", "Company", "Kind", "Status", "Groups") },
			func(c *roomkit.Company) { fill(c, round, "ID", "Version", "Groups") },
			func(t *roomkit.Team) {
				fill(t, round, "ID", "Version", "Company", "Leader", "Members")
				if round == 0 {
					t.Leader, t.Members = "", nil
				}
			},
		)
	}
}

func valuesStrings(k *kit) {
	for i, s := range hostile() {
		runes := []rune(s)
		key, short := "key "+string(runes[:min(90, len(runes))]), string(runes[:min(roomkit.MaxDescription, len(runes))])
		photo := string(runes[:min(roomkit.MaxPhotoBytes/4-2, len(runes))])
		k.keeps(
			func(r *roomkit.Room) { r.Name, r.NameKey, r.Photo, r.Description = s, key, "photo "+photo, short },
			func(*roomkit.Member) {}, nil, nil,
			func(t *roomkit.Team) { t.Name = s },
		)
		require.Equal(k, roomID(1), k.holder(acme, key), "%q", s)
		k.must(k.change(checkpoint(key, "", k.tail())))
		require.NotEmpty(k, k.checkpoint(key), "text %d", i)
	}
}

func valuesIDs(k *kit) {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~@:+-"
	ids := []roomkit.UserID{"a", "A", "kim", "KIM", "Kim", roomkit.UserID(letters[:64]), roomkit.UserID(letters[5:]), roomkit.UserID(strings.Repeat("-", 64))}
	for i := range letters {
		ids = append(ids, roomkit.UserID("x"+letters[i:i+1]))
	}
	k.newUsers(acme, ids...)
	r := k.found(1, roomkit.KindGeneral, ids...)
	k.sees(r)
	for i, id := range ids[:8] {
		company, team := roomkit.CompanyID(id), roomkit.TeamID(id)
		k.must(k.change(k.newCompany(company), k.newTeam(team, company, id, id)))
		own := k.sheet(roomID(100+i), roomkit.KindGroup)
		own.room.Company, own.room.Creator = company, id
		k.must(k.change(own.begin(id), own.claim("ops"), k.putUser(id, nil)))
		k.answers(store.Need{Room: own.room.ID, Everybody: true, Team: team, Name: "ops", Company: company}, answer{
			Room: own.room, Members: own.rowsOf(id), Users: k.userRows(id), NameHolder: own.room.ID,
			Companies: sortCompanies(append(k.companyRows(acme), k.companyRows(company)...)), Team: *k.teams[team],
		})
		require.Len(k, k.history(roomkit.UserSubject(id)), 2)
		require.Equal(k, entries("", own), k.rooms(store.RoomQuery{Company: company}))
	}
}

func valuesIDsTogether(k *kit) {
	for _, id := range []roomkit.CompanyID{"a", "a:", "a-", "a.b"} {
		k.must(k.change(k.newCompany(id)))
	}
	k.newUsers("a", ":b", "b", "a:b", "a", "a.", "a.b", "b.c")
	named := func(n int, company roomkit.CompanyID, key string) {
		s := k.sheet(roomID(n), roomkit.KindGroup)
		s.room.Company = company
		k.must(k.change(s.begin("a"), s.claim(key)))
	}
	named(1, "a", ":b")
	named(2, "a:", "b")
	named(3, "a", "b")
	named(4, "a.b", "c")
	require.Equal(k, roomID(1), k.holder("a", ":b"))
	require.Equal(k, roomID(2), k.holder("a:", "b"))
	require.Equal(k, roomID(3), k.holder("a", "b"))
	require.Zero(k, k.holder("a", ".bc"))
	require.NotEqual(k, roomkit.DirectRoom("a", ":b"), roomkit.DirectRoom("a:", "b"))
	one, two := k.foundDirect("a", ":b"), k.foundDirect("a:b", "b")
	k.sees(one)
	k.sees(two)
	require.Equal(k, entries("", one), k.rooms(store.RoomQuery{Participants: []roomkit.UserID{":b"}}))
}

func valuesInt64(k *kit) {
	for _, n := range []int64{math.MaxInt64, 1<<53 + 1, 1 << 31, math.MaxInt32, -1, math.MinInt64} {
		count := n & math.MaxInt64
		v := roomkit.Version(count)
		k.keeps(
			func(r *roomkit.Room) {
				r.Counts = roomkit.Counts{Participants: count, Masters: count, Outsiders: count, LINEUsers: count, Bots: count}
				r.EmptiedAt = v
			},
			func(m *roomkit.Member) {
				m.Period, m.JoinedVersion, m.LeftVersion = count, v, v
				m.Epoch, m.MasterEpoch = roomkit.Epoch{User: v, Company: v}, roomkit.Epoch{User: v, Company: v}
			},
			func(u *roomkit.User) { u.WorksSince, u.WorksLost, u.Ended = v, v, v },
			func(c *roomkit.Company) {
				c.MaxGroups, c.RecallWindow, c.WorksOff, c.WorksNarrowed = n, time.Duration(n), v, v
			},
			func(t *roomkit.Team) { t.SyncedSeq = n },
		)
	}
}

func valuesTimes(k *kit) {
	for _, at := range []time.Time{
		time.Date(2026, 12, 31, 23, 59, 59, 999999000, time.UTC), time.Date(2026, 3, 29, 2, 30, 0, 1000, time.UTC),
		time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC),
		time.Date(2038, 1, 19, 3, 14, 8, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC), {},
	} {
		k.keeps(
			func(r *roomkit.Room) { r.CreatedAt, r.ChangedAt, r.MessageOffSince = at, at, at },
			func(m *roomkit.Member) { m.JoinedAt, m.LeftAt = at, at },
			nil, nil, nil)
		c := k.change(k.putUser(bob, nil))
		c.Records[0].At = at
		k.must(c)
		records := k.history(roomkit.UserSubject(bob))
		require.Equal(k, at, records[len(records)-1].At)
	}
}

func valuesData(k *kit) {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	want := [][]byte{nil, {0}, {0, 0}, {0xff}, every, []byte("\xc3\x28"), []byte(`{"a":`), bytes.Repeat(every, 4096)}
	for i, data := range want {
		c := k.change(k.putUser(bob, nil))
		c.Records[0].Data, c.Records[0].Type = bytes.Clone(data), fmt.Sprint("type.", i)
		k.must(c)
	}
	records := k.history(roomkit.UserSubject(bob))
	for i, data := range want {
		require.True(k, bytes.Equal(data, records[i+1].Data), "data %d", i)
		require.Equal(k, fmt.Sprint("type.", i), records[i+1].Type)
	}
}
