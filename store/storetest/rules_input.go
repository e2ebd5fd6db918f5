package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

var inputRules = []Rule{
	{"invalid/command", "A change without a command id is ErrInvalid.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		k.refuse(roomkit.ErrInvalid, k.changeAs(roomkit.CommandID{}, r.clone().join(cho)))
	}},
	{"invalid/unexpected", "A change that writes a row or a record without expecting a version of its subject is ErrInvalid.", func(k *kit) {
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
		k.refuse(roomkit.ErrInvalid, spoilt(k.change(r.clone().touch()), func(c *store.Change) {
			c.Members = append(c.Members, other.rows[bob])
		}))
	}},
	{"invalid/expected-twice", "A change that expects a version of one subject twice is ErrInvalid.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		k.refuse(roomkit.ErrInvalid, k.change(r.clone().join(cho), rely(r.subject(), 1)))
		k.refuse(roomkit.ErrInvalid, k.change(rely(roomkit.UserSubject(ann), 1), rely(roomkit.UserSubject(ann), 1)))
		k.refuse(roomkit.ErrInvalid, k.change(rely(roomkit.UserSubject(ann), 1), rely(roomkit.UserSubject(ann), 2)))
	}},
	{"invalid/subject", "An expectation or a record of no subject is ErrInvalid.", func(k *kit) {
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
	}},
	{"invalid/row-twice", "A change that writes one row twice is ErrInvalid.", func(k *kit) {
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
	}},
	{"invalid/record-versions", "Records that do not lead from the expected version to the row's, one by one, are ErrInvalid.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		k.must(k.change(r.touch()))
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
	}},
	{"invalid/record-size", "A record of more than MaxEventBytes is ErrInvalid; one of just as many is stored.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		size := func(n int) func(c *store.Change) {
			return func(c *store.Change) { c.Records[0].Data = make([]byte, n) }
		}
		k.refuse(roomkit.ErrInvalid, spoilt(k.change(r.clone().join(cho)), size(roomkit.MaxEventBytes+1)))
		k.must(spoilt(k.change(r.join(cho)), size(roomkit.MaxEventBytes)))
		require.Len(k, k.history(r.subject())[1].Data, roomkit.MaxEventBytes)
	}},
	{"invalid/tally", "A tally that names both a user and a company, or neither, is ErrInvalid.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		for _, t := range []store.Tally{{Now: 1}, {User: ann, Company: acme, Now: 1}} {
			k.refuse(roomkit.ErrInvalid, k.change(r.clone().join(cho), func(c *store.Change) { c.Tallies = append(c.Tallies, t) }))
		}
	}},
	{"invalid/end", "Ending a room that the change does not write is ErrInvalid.", func(k *kit) {
		r, other := k.found(1, roomkit.KindGeneral, ann, bob), k.found(2, roomkit.KindGeneral, ann, bob)
		ended := store.RoomEnd{Room: other.room.ID, Kind: other.room.Kind, At: at(2), Version: 2, Cause: roomkit.CauseRoomEnded, By: roomkit.By(ann)}
		k.refuse(roomkit.ErrInvalid, k.change(r.clone().join(cho), func(c *store.Change) { c.Ended = append(c.Ended, ended) }))
		k.refuse(roomkit.ErrInvalid, k.change(rely(other.subject(), 1), func(c *store.Change) { c.Ended = append(c.Ended, ended) }))
	}},
	{"invalid/expected-version", "An expectation of a negative version is ErrInvalid.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		for _, v := range []roomkit.Version{-1, math.MinInt64} {
			k.refuse(roomkit.ErrInvalid, k.change(r.clone().join(cho), rely(roomkit.UserSubject(ann), v)))
			k.refuse(roomkit.ErrInvalid, k.change(r.clone().join(cho), rely(roomkit.UserSubject("nobody"), v)))
		}
	}},
	{"invalid/begins", "Beginning behind no version, twice, or as what is not expected not to exist is ErrInvalid; so are records that begin elsewhere.", func(k *kit) {
		r := k.sheet(roomID(1), roomkit.KindGeneral)
		r.room.Version = 7
		c := k.change(begun(r.begin(ann, bob)))
		for _, spoil := range []func(c *store.Change){
			func(c *store.Change) { c.Begins = nil },
			func(c *store.Change) { c.Begins = append(slices.Clone(c.Begins), c.Begins[0]) },
			func(c *store.Change) {
				c.Begins = append(slices.Clone(c.Begins), store.Expect{Subject: roomkit.UserSubject("nobody"), Version: 3})
			},
			func(c *store.Change) {
				rely(roomkit.UserSubject(bob), 1)(c)
				c.Begins = append(slices.Clone(c.Begins), c.Expect[1])
			},
			func(c *store.Change) { c.Begins = []store.Expect{{Subject: r.subject(), Version: 6}} },
			func(c *store.Change) { c.Begins = []store.Expect{{Subject: r.subject()}} },
			func(c *store.Change) { c.Begins = []store.Expect{{Subject: r.subject(), Version: -7}} },
			func(c *store.Change) { c.Expect = []store.Expect{{Subject: r.subject(), Version: 7}} },
		} {
			k.refuse(roomkit.ErrInvalid, spoilt(c.Clone(), spoil))
		}
		k.must(c)
	}},
	{"invalid/person", "The row of nobody, or of a room that neither exists nor begins with the change, is ErrInvalid.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		nobody := r.rows[bob]
		nobody.User = ""
		k.refuse(roomkit.ErrInvalid, spoilt(k.change(r.clone().touch()), func(c *store.Change) { c.Members = append(c.Members, nobody) }))
		orphan := r.rows[bob]
		orphan.Room = roomID(2)
		k.refuse(roomkit.ErrInvalid, spoilt(k.change(r.clone().touch(), rely(roomkit.RoomSubject(orphan.Room), 0)),
			func(c *store.Change) { c.Members = append(c.Members, orphan) }))
	}},
	{"invalid/checkpoint", "A checkpoint without a name is ErrInvalid.", func(k *kit) {
		r := k.found(1, roomkit.KindGeneral, ann, bob)
		k.refuse(roomkit.ErrInvalid, k.change(r.clone().join(cho), checkpoint("", "", k.tail())))
		k.refuse(roomkit.ErrInvalid, k.change(checkpoint("", "", "")))
	}},
	{"invalid/alone", "A malformed change does not touch the others of the same call.", func(k *kit) {
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
	}},
	{"values/every-field", "Every field of every row comes back as it was given.", func(k *kit) {
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
	}},
	{"values/zero-fields", "Fields that are zero come back as zero, also where a value was before.", func(k *kit) {
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
	}},
	{"values/strings", "Text comes back byte by byte, whatever it says in any language of queries.", func(k *kit) {
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
	}},
	{"values/ids", "Ids of every allowed form are kept apart and come back as they are.", func(k *kit) {
		const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~@:+-!#$%&'(),/;=?[]^`{|}"
		ids := []roomkit.UserID{"a", "A", "kim", "KIM", "Kim", roomkit.UserID(letters), roomkit.UserID(letters[5:]), roomkit.UserID(strings.Repeat("-", 128))}
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
			k.answers(store.Need{Room: own.room.ID, Everybody: true, Team: roomkit.KeyOfTeam(company, team), Name: "ops", Company: company}, store.Facts{
				Room: own.room, Members: own.rowsOf(id), Users: k.userRows(id), NameHolder: own.room.ID,
				Companies: k.companyRows(acme, company), Team: *k.teams[team],
			})
			require.Len(k, k.history(roomkit.UserSubject(id)), 2)
			require.Equal(k, entries("", own), k.rooms(store.RoomQuery{Company: company}))
		}
	}},
	{"values/ids-together", "Ids that are equal when they are put together are still different.", func(k *kit) {
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
	}},
	{"values/int64", "Numbers reach from the smallest to the largest int64.", func(k *kit) {
		for _, n := range []int64{math.MaxInt64, 1<<53 + 1, 1 << 31, math.MaxInt32, -1, math.MinInt64} {
			count := n & math.MaxInt64
			v := roomkit.Version(count)
			k.keeps(
				func(r *roomkit.Room) {
					r.Counts = roomkit.Counts{Participants: count, Masters: count, Partners: count, Consumers: count, Bots: count}
					r.EmptiedAt = v
				},
				func(m *roomkit.Member) {
					m.Period, m.JoinedVersion, m.LeftVersion = count, v, v
					m.Epoch, m.MasterEpoch = roomkit.Epoch{User: v, Company: v}, roomkit.Epoch{User: v, Company: v}
				},
				func(u *roomkit.User) { u.PartnersSince, u.PartnersLost, u.Ended = v, v, v },
				func(c *roomkit.Company) {
					c.MaxGroups, c.RecallWindow, c.PartnersOff, c.PartnersNarrowed = n, time.Duration(n), v, v
				},
				func(t *roomkit.Team) { t.SyncedSeq = n },
			)
		}
	}},
	{"values/times", "Times come back in UTC with their microseconds, the zero time as zero.", func(k *kit) {
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
	}},
	{"values/data", "The data of a record is any bytes.", func(k *kit) {
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
	}},
	{"values/questions", "Any text can be asked for, in every question: what nobody has written is found nowhere, and nothing changes.", func(k *kit) {
		k.found(1, roomkit.KindGroup, ann, bob)
		k.must(k.change(k.putTeam(core, nil)))
		before, records := k.picture(), k.feed("")
		members, users := k.members(store.MemberQuery{Room: roomID(1)}), k.people(store.UserQuery{Company: acme})
		for _, text := range slices.Concat(hostile(), unwritable()) {
			for _, q := range k.questions(text) {
				found, err := q.ask()
				if !errors.Is(err, roomkit.ErrInvalid) {
					require.NoError(k, err, "%s %.40q", q.name, text)
				}
				require.Empty(k, found, "%s %.40q", q.name, text)
			}
			k.behind(text, members, users)
		}
		require.Equal(k, before, k.picture())
		require.Equal(k, records, k.feed(""))
	}},
}

// spoilt gives the change after spoil.
func spoilt(c store.Change, spoil func(c *store.Change)) store.Change {
	spoil(&c)
	return c
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
	got := k.load(store.Need{Room: s.room.ID, People: []roomkit.UserID{ann}, Team: coreKey})
	require.Equal(k, c.Rooms[0], got.Room)
	require.Equal(k, c.Members, got.Members)
	require.Equal(k, k.userRows(ann), got.Users)
	require.Equal(k, k.companyRows(acme), got.Companies)
	require.Equal(k, *k.teams[core], got.Team)
	list := store.RoomQuery{User: ann, Which: store.MembersAll}
	require.Equal(k, []roomkit.RoomEntry{{Room: c.Rooms[0], Member: c.Members[0]}}, k.rooms(list))
	require.Equal(k, c.Members, k.members(store.MemberQuery{Room: s.room.ID, Which: store.MembersAll}))
	require.Contains(k, k.people(store.UserQuery{Company: acme}), k.userRows(ann)[0])
	all := withoutCursors(k.feed(""))
	require.Equal(k, withoutCursors(c.Records), all[len(all)-len(c.Records):])
}

// hostile is text that has broken programs.
func hostile() []string {
	return []string{
		"'); DROP TABLE rooms; --", `"; DROP SCHEMA public CASCADE; --`, "' OR '1'='1", `" OR 1=1 --`, "(SELECT 1)",
		`"`, `\`, `\'`, `\x00`, "$1", "$$", "$a", "%", "%s%n", "_", "?", "?1", ":name", "@p1", "{}", `{a,"b"}`, "${x}", "{{.}}", `["ann"]`, `ann"]`, "ann,bob",
		"a\tb\nc\r\nd", "\u00a0", " ", "  two  spaces  ", "null", "NULL", "nil", "0", "1e309", "true", "\x01\x7f",
		"<script>alert(1)</script>", "&amp;", "../../etc/passwd", "*", ">", "a.b.>", "\u2028",
		"👩\u200d👩\u200d👧\u200d👦", "🏳️\u200d🌈", "e\u0301", "é", "ﬀ", "İı", "ß", "ẞ", "Ω", "한글 방", "방", "日本語", "עברית", "العربية",
		"\u202e", "\u200b", "\ufeff", "\U0010fffd", "\U0010ffff",
		strings.Repeat("字", 1000), strings.Repeat("👍", 1000), strings.Repeat("x", 10_000),
	}
}

// unwritable is text that some databases cannot hold. Nobody writes it, but it can
// be asked for.
func unwritable() []string {
	return []string{"", "\x00", "ann\x00", "a\x00b", "\xff\xfe", "ann\xff", "\xed\xa0\x80", "ANN", " ann", "ann ", strings.Repeat("x", 1<<16)}
}

type question struct {
	name string
	ask  func() (found string, err error)
}

// questions puts a text wherever a store takes one. What is found is given as
// text; nothing is the empty one.
func (k *kit) questions(text string) []question {
	user, company, team := roomkit.UserID(text), roomkit.CompanyID(text), roomkit.TeamID(text)
	list := []question{
		{"Load of a user", k.asks(store.Need{People: []roomkit.UserID{user}})},
		{"Load of a member", k.asks(store.Need{Room: roomID(77), People: []roomkit.UserID{user}})},
		{"Load of a company", k.asks(store.Need{Companies: []roomkit.CompanyID{company}})},
		{"Load of a team", k.asks(store.Need{Team: roomkit.KeyOfTeam(acme, team)})},
		{"Load of a name", k.asks(store.Need{Name: text, Company: acme})},
		{"Load of a name in a company", k.asks(store.Need{Name: "key", Company: company})},
		{"Load of what somebody shares", k.asks(store.Need{Shared: []roomkit.UserID{user}})},
		{"Load of what two share", k.asks(store.Need{Shared: []roomkit.UserID{ann, user}})},
		{"Load of a checkpoint", k.asks(store.Need{Checkpoint: text})},
	}
	for _, q := range []store.RoomQuery{
		{User: user}, {User: user, Which: store.MembersAll}, {Company: company}, {Company: company, Public: true},
		{Participants: []roomkit.UserID{user}}, {Participants: []roomkit.UserID{user}, Exact: true},
		{Participants: []roomkit.UserID{ann, user}}, {Participants: []roomkit.UserID{ann, bob, user}, Exact: true},
	} {
		if user != "" {
			list = append(list, question{fmt.Sprintf("Rooms %+v", q), found(func() ([]roomkit.RoomEntry, error) { return k.store.Rooms(k.ctx, q) })})
		}
	}
	if text != "" {
		list = append(list, question{"Users of a company", found(func() ([]roomkit.User, error) {
			return k.store.Users(k.ctx, store.UserQuery{Company: company})
		})})
	}
	for _, of := range []roomkit.Subject{roomkit.UserSubject(user), roomkit.CompanySubject(company), roomkit.TeamSubject(acme, team)} {
		list = append(list, question{"History of a " + of.Type.String(), found(func() ([]store.Record, error) { return k.store.History(k.ctx, of, 0, 0) })})
	}
	return list
}

// behind demands that what comes after a text is what does in the order of bytes.
// A store may refuse text that it cannot hold.
func (k *kit) behind(text string, members []roomkit.Member, users []roomkit.User) {
	k.Helper()
	after := roomkit.UserID(text)
	page, err := k.store.Members(k.ctx, store.MemberQuery{Room: roomID(1), After: after})
	if !errors.Is(err, roomkit.ErrInvalid) {
		require.NoError(k, err, "Members after %.40q", text)
		members = slices.DeleteFunc(slices.Clone(members), func(m roomkit.Member) bool { return m.User <= after })
		require.Equal(k, members, append([]roomkit.Member{}, page...), "Members after %.40q", text)
	}
	known, err := k.store.Users(k.ctx, store.UserQuery{Company: acme, After: after})
	if !errors.Is(err, roomkit.ErrInvalid) {
		require.NoError(k, err, "Users after %.40q", text)
		users = slices.DeleteFunc(slices.Clone(users), func(u roomkit.User) bool { return u.ID <= after })
		require.Equal(k, users, append([]roomkit.User{}, known...), "Users after %.40q", text)
	}
}

func (k *kit) asks(n store.Need) func() (string, error) {
	return func() (string, error) {
		facts, err := k.store.Load(k.ctx, []store.Need{n})
		if err != nil {
			return "", err
		}
		f := facts[0]
		if f.Room.Version == 0 && f.Team.Version == 0 && f.NameHolder.IsZero() && f.Checkpoint == "" &&
			len(f.Users)+len(f.Members)+len(f.Companies)+len(f.Shared) == 0 {
			return "", nil
		}
		return fmt.Sprintf("%+v", f), nil
	}
}

func found[T any](read func() ([]T, error)) func() (string, error) {
	return func() (string, error) {
		rows, err := read()
		if len(rows) == 0 {
			return "", err
		}
		return fmt.Sprintf("%+v", rows), err
	}
}
