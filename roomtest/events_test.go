package roomtest_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/roomtest"
)

// TestEvents: what has happened meanwhile, whoever did it, is compared exactly.
func TestEvents(t *testing.T) {
	w := roomtest.New(t).Company("acme", "ann", "ben", "cat", "dan")
	room := w.General("ann", "ben", "cat")
	events := roomtest.Events(t, w.Service, func() {
		_, err := w.Service.Do(ctx, roomkit.By("ann"), roomkit.Invite{Room: room, People: []roomkit.UserID{"dan"}})
		require.NoError(t, err)
		w.Run("ben", roomkit.Leave{Room: room})
	})
	roomtest.RequireEvents(t, events, "member.joined", "member.left")
	require.Equal(t, roomkit.CauseSelf, roomtest.RequireEvent[*roomkit.MemberLeft](t, events).Cause)
	roomtest.RequireEvents(t, roomtest.Events(t, w.Service, func() {}))

	for name, tt := range map[string]struct {
		test func(t testing.TB)
		says string
	}{
		"another order": {func(t testing.TB) { roomtest.RequireEvents(t, events, "member.left", "member.joined") },
			"wanted member.left, member.joined, got member.joined, member.left; name exactly what has to happen, in order"},
		"fewer":     {func(t testing.TB) { roomtest.RequireEvents(t, events, "member.joined") }, "wanted member.joined, got member.joined, member.left;"},
		"none":      {func(t testing.TB) { roomtest.RequireEvents(t, events) }, "wanted nothing, got member.joined, member.left;"},
		"no type":   {func(t testing.TB) { roomtest.RequireEvents(t, events, "member.went") }, `"member.went" is no type of event: docs/events.md`},
		"not there": {func(t testing.TB) { roomtest.RequireEvent[*roomkit.RoomEnded](t, events) }, "wanted one *roomkit.RoomEnded, got 0 among member.joined, member.left;"},
		"twice": {func(t testing.TB) { roomtest.RequireEvent[*roomkit.MemberLeft](t, append(events, events...)) },
			"wanted one *roomkit.MemberLeft, got 2 among"},
		"very many": {func(t testing.TB) {
			many := events
			for range 4 {
				many = append(many, many...)
			}
			roomtest.RequireEvents(t, many)
		}, "member.left and 22 more;"},
		"the store is down": {func(t testing.TB) {
			roomtest.Events(t, w.Service, w.Store.Down)
		}, "the feed cannot be read: "},
	} {
		t.Run(name, func(t *testing.T) {
			defer w.Store.Heal()
			require.Contains(t, failure(t, tt.test), tt.says)
		})
	}
}

// TestNotices: exactly the notices wanted, by as many of their fields as the test names.
func TestNotices(t *testing.T) {
	crew, other := roomkit.RoomID{1}, roomkit.RoomID{2}
	about := func(room roomkit.RoomID) roomkit.Meta {
		return roomkit.Meta{Subject: roomkit.RoomSubject(room), Actor: roomkit.By("ann"), Kind: roomkit.KindGroup, Notify: true}
	}
	added := func(room roomkit.RoomID, ids ...roomkit.UserID) roomkit.Event {
		e := &roomkit.MemberJoined{Meta: about(room)}
		for _, id := range ids {
			e.People = append(e.People, roomkit.Person{User: id, Kind: roomkit.UserMember})
		}
		return e
	}
	events := []roomkit.Event{
		added(crew, "ben", "cat"), added(other, "ben"),
		&roomkit.RoomRenamed{Meta: about(crew), From: "Crew", To: "Staff"},
	}
	ben, cat := roomkit.Notice{To: "ben", Key: roomkit.NoticeAdded}, roomkit.Notice{To: "cat", Key: roomkit.NoticeAdded}
	renamed := roomkit.Notice{Everyone: true, Key: roomkit.NoticeRenamed}
	with := func(n roomkit.Notice, set func(*roomkit.Notice)) roomkit.Notice {
		set(&n)
		return n
	}
	inOther := with(ben, func(n *roomkit.Notice) { n.Room = other })
	inCrew := with(ben, func(n *roomkit.Notice) { n.Room = crew })
	roomtest.RequireNotices(t, events, renamed, cat, ben, ben)
	roomtest.RequireNotices(t, events, ben, inCrew, cat, renamed)
	roomtest.RequireNotices(t, events, ben, inOther, cat, with(renamed, func(n *roomkit.Notice) { n.Params = map[string]string{"name": "Staff"} }))
	roomtest.RequireNotices(t, events[:0])

	for name, tt := range map[string]struct {
		events []roomkit.Event
		want   []roomkit.Notice
		says   string
	}{
		"one more":                      {events[1:2], nil, fmt.Sprintf(`missing nothing; too many "added" to ben (%s, actor "ann", room "%[1]s"); docs/notices.md`, other)},
		"none":                          {nil, []roomkit.Notice{ben}, `missing "added" to ben (`},
		"somebody else":                 {events[1:2], []roomkit.Notice{cat}, `missing "added" to cat (`},
		"another text":                  {events[2:], []roomkit.Notice{{Everyone: true, Key: roomkit.NoticeRemoved}}, `missing "removed" to everyone (`},
		"one of two":                    {events[:2], []roomkit.Notice{ben, cat}, `missing nothing; too many "added" to ben (`},
		"another room":                  {events[:1], []roomkit.Notice{inOther, cat}, `missing "added" to ben (02000000-`},
		"not everyone":                  {events[2:], []roomkit.Notice{{To: "ben", Key: roomkit.NoticeRenamed}}, `missing "renamed" to ben (`},
		"another parameter":             {events[2:], []roomkit.Notice{with(renamed, func(n *roomkit.Notice) { n.Params = map[string]string{"name": "Crew"} })}, `name "Crew"`},
		"a parameter that is not there": {events[2:], []roomkit.Notice{with(renamed, func(n *roomkit.Notice) { n.Params = map[string]string{"names": ""} })}, `names ""`},
		"another company":               {events[1:2], []roomkit.Notice{with(ben, func(n *roomkit.Notice) { n.Company = "bolt" })}, `to ben (bolt)`},
		"a part of it":                  {events[1:2], []roomkit.Notice{with(ben, func(n *roomkit.Notice) { n.Holders = roomkit.HoldersOnly })}, `missing "added" to ben (`},
		"other people":                  {events[1:2], []roomkit.Notice{with(ben, func(n *roomkit.Notice) { n.People = []roomkit.UserID{"cat"} })}, `missing "added" to ben (`},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, failure(t, func(t testing.TB) { roomtest.RequireNotices(t, tt.events, tt.want...) }), tt.says)
		})
	}
}
