package storetest

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// sheet is a room as a rule expects it to be: its row and the rows of all who
// ever took part. Its methods give parts of changes; a part brings the sheet up
// to date when it is put into a change.
type sheet struct {
	k    *kit
	room roomkit.Room
	rows map[roomkit.UserID]roomkit.Member
}

// sheet gives a room of acme that is not stored yet.
func (k *kit) sheet(id roomkit.RoomID, kind roomkit.Kind) *sheet {
	return &sheet{k: k, rows: map[roomkit.UserID]roomkit.Member{}, room: roomkit.Room{
		ID: id, Kind: kind, Company: acme, Creator: ann, CreatedAt: at(1),
		Photo: "photo-1", Description: "About it", Origin: roomkit.OriginContacts, HistorySharing: true, Notify: true,
		Features: roomkit.Features(roomkit.FeatureNote, roomkit.FeatureFolder),
	}}
}

// found stores a room of these people; in a group the first is its Group Master.
func (k *kit) found(n int, kind roomkit.Kind, people ...roomkit.UserID) *sheet {
	k.Helper()
	s := k.sheet(roomID(n), kind)
	k.must(k.change(s.begin(people...)))
	return s
}

// foundDirect stores the 1:1 room of two users.
func (k *kit) foundDirect(a, b roomkit.UserID) *sheet {
	k.Helper()
	s := k.sheet(roomkit.DirectRoom(a, b), roomkit.KindDirect)
	s.room.Parties = [2]roomkit.UserID{min(a, b), max(a, b)}
	k.must(k.change(s.begin(a, b)))
	return s
}

func (s *sheet) subject() roomkit.Subject { return roomkit.RoomSubject(s.room.ID) }

// clone gives a sheet of the same room that goes its own way.
func (s *sheet) clone() *sheet {
	return &sheet{k: s.k, room: s.room, rows: maps.Clone(s.rows)}
}

// as gives a clone that believes the room to be at version v.
func (s *sheet) as(v roomkit.Version) *sheet {
	other := s.clone()
	other.room.Version = v
	return other
}

// begin opens the room, or opens it again.
func (s *sheet) begin(people ...roomkit.UserID) part {
	return func(c *store.Change) {
		s.room.State = roomkit.StateActive
		if s.room.Kind.IsGroup() && len(people) > 0 {
			s.row(c, people[0], func(m *roomkit.Member) { m.Master, m.MasterEpoch = true, roomkit.Epoch{User: 1, Company: 1} })
		}
		s.join(people...)(c)
	}
}

// edit changes the room's row.
func (s *sheet) edit(edit func(*roomkit.Room)) part {
	return func(c *store.Change) {
		edit(&s.room)
		s.write(c)
	}
}

// touch is a change that only has to happen: its name differs from time to time.
func (s *sheet) touch() part { return s.rename(fmt.Sprint("touched at ", s.room.Version)) }

func (s *sheet) rename(name string) part {
	return s.edit(func(r *roomkit.Room) { r.Name = name })
}

// claim gives the room a name that has to be unique in its company.
func (s *sheet) claim(key string) part {
	return s.edit(func(r *roomkit.Room) { r.Name, r.NameKey = "The "+key, key })
}

func (s *sheet) join(people ...roomkit.UserID) part {
	return s.people(people, func(m *roomkit.Member) {
		m.Participant, m.Period, m.Joined = true, m.Period+1, roomkit.CauseInvited
		m.JoinedVersion = s.room.Version + 1
		m.JoinedAt, m.ReadAll, m.Epoch = at(m.JoinedVersion), true, roomkit.Epoch{User: 1, Company: 1}
		m.Left, m.LeftAt, m.LeftVersion, m.LeftBy = 0, time.Time{}, 0, roomkit.Actor{}
	})
}

func (s *sheet) leave(people ...roomkit.UserID) part {
	return s.people(people, func(m *roomkit.Member) {
		m.Participant, m.Master, m.Left = false, false, roomkit.CauseSelf
		m.LeftVersion, m.LeftBy = s.room.Version+1, roomkit.By(m.User)
		m.LeftAt = at(m.LeftVersion)
	})
}

// manage makes people Group Masters; they take part as before.
func (s *sheet) manage(people ...roomkit.UserID) part {
	return s.people(people, func(m *roomkit.Member) { m.Master, m.MasterEpoch = true, roomkit.Epoch{User: 2, Company: 1} })
}

func (s *sheet) dismiss(people ...roomkit.UserID) part {
	return s.people(people, func(m *roomkit.Member) { m.Master = false })
}

func (s *sheet) people(people []roomkit.UserID, edit func(*roomkit.Member)) part {
	return func(c *store.Change) {
		for _, u := range people {
			s.row(c, u, edit)
		}
		s.write(c)
	}
}

// end ends the room as the system; the store has to end the rows.
func (s *sheet) end() part {
	return func(c *store.Change) {
		s.room.State = roomkit.StateEnded
		ended := store.RoomEnd{
			Room: s.room.ID, Kind: s.room.Kind, Version: s.room.Version + 1, At: at(s.room.Version + 1),
			Cause: roomkit.CauseRoomEnded, By: roomkit.System(),
		}
		c.Ended = append(c.Ended, ended)
		for u, m := range s.rows {
			s.rows[u] = endedRow(m, ended)
		}
		s.write(c)
	}
}

// endedRow gives the row as it has to be after the room's end.
func endedRow(m roomkit.Member, by store.RoomEnd) roomkit.Member {
	if m.Participant || m.Master {
		m.Participant, m.Master = false, false
		m.Left, m.LeftAt, m.LeftVersion, m.LeftBy = by.Cause, by.At, by.Version, by.By
	}
	return m
}

// row writes one person's row; a second part of the same change replaces it.
func (s *sheet) row(c *store.Change, u roomkit.UserID, edit func(*roomkit.Member)) {
	m, ok := s.rows[u]
	if user := s.k.users[u]; !ok && user != nil {
		m = roomkit.Member{Room: s.room.ID, User: u, Company: user.Company, Kind: user.Kind}
	}
	edit(&m)
	s.rows[u] = m
	same := func(o roomkit.Member) bool { return o.Room == m.Room && o.User == u }
	if i := slices.IndexFunc(c.Members, same); i >= 0 {
		c.Members[i] = m
		return
	}
	c.Members = append(c.Members, m)
}

// write writes the room's row with its next version; several in one change
// leave the last one.
func (s *sheet) write(c *store.Change) {
	record(c, s.subject(), s.room.Version)
	s.room.Version++
	s.room.ChangedAt = at(s.room.Version)
	s.count()
	if i := slices.IndexFunc(c.Rooms, func(r roomkit.Room) bool { return r.ID == s.room.ID }); i >= 0 {
		c.Rooms[i] = s.room
		return
	}
	c.Rooms = append(c.Rooms, s.room)
}

// count brings counts and digest in line with the rows.
func (s *sheet) count() {
	s.room.Counts, s.room.Digest = roomkit.Counts{}, roomkit.SetDigest{}
	for u, m := range s.rows {
		if m.Master {
			s.room.Masters++
		}
		if !m.Participant {
			continue
		}
		s.room.Participants++
		s.room.Digest = s.room.Digest.With(u)
		if m.Kind == roomkit.UserBot {
			s.room.Bots++
		}
		if m.Kind == roomkit.UserConsumer {
			s.room.Consumers++
		}
		if m.Company != s.room.Company {
			s.room.Partners++
		}
	}
}

// present gives the people with rows that keep accepts, in byte order.
func (s *sheet) present(keep func(roomkit.Member) bool) []roomkit.Member {
	var rows []roomkit.Member
	for _, u := range slices.Sorted(maps.Keys(s.rows)) {
		if keep(s.rows[u]) {
			rows = append(rows, s.rows[u])
		}
	}
	return rows
}

func anybody(roomkit.Member) bool { return true }

// sees demands that the store has this room and these rows and no others.
func (k *kit) sees(s *sheet) {
	k.Helper()
	f := k.load(store.Need{Room: s.room.ID, People: k.seen.everybody()})
	require.Equal(k, s.room, f.Room, "room")
	require.Equal(k, s.present(anybody), f.Members, "rows of people")
}
