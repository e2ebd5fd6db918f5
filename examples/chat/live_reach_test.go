package main

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

// listeners are open pages of everybody, which have been told of all that was.
type listeners map[roomkit.UserID]*stream

func (d *desk) listeners() listeners {
	d.t.Helper()
	list := listeners{}
	for _, p := range d.people.all() {
		s, err := d.live.begin(p.ID, roomkit.RoomID{})
		require.NoError(d.t, err)
		list[p.ID] = s
	}
	d.told(list)
	return list
}

// told gives who was told anything when the feed had been read, and lets them hear it.
func (d *desk) told(list listeners) (who []roomkit.UserID) {
	d.t.Helper()
	d.soon("the feed is read", func() bool {
		head, err := d.svc.Head(d.t.Context())
		d.live.mu.Lock()
		defer d.live.mu.Unlock()
		return err == nil && d.live.at == head
	})
	for user, s := range list {
		d.live.mu.Lock()
		some := s.all || len(s.rooms) > 0
		d.live.mu.Unlock()
		if some {
			who = append(who, user)
		}
		_, _, _ = d.live.take(d.t.Context(), s)
	}
	slices.Sort(who)
	return who
}

// TestReach: of a change in the directory those are told whom it can concern: the person, and
// who shares a room with them; the people of a company, and who shares one with any of them.
func TestReach(t *testing.T) {
	d := newDesk(t)
	list := d.listeners()
	require.Empty(t, d.told(list))
	hear := func(actor roomkit.UserID, cmd roomkit.Command, who ...roomkit.UserID) {
		t.Helper()
		d.must(actor, cmd)
		require.Equal(t, who, d.told(list))
	}
	later := d.must("ben", roomkit.CreateExternalGroup{Name: "Later", Members: []roomkit.UserID{"ann"}}).Room
	d.told(list)
	d.must("ben", roomkit.Invite{Room: later, People: []roomkit.UserID{"jun"}})
	require.Equal(t, []roomkit.UserID{"ann", "ben", "jun"}, d.told(list))
	hear("hana", roomkit.EditCompany{Company: "mill", MembersCreateGroups: new(false)},
		"ann", "ben", "cat", "eli", "hana", "ivo", "jun", "kai", "lea", "max")
	hear("ann", roomkit.SetUserMessaging{User: "cat", With: roomkit.OutsiderConsumer, Allow: new(true)},
		"ann", "ben", "cat", "dev", "eli", "fay", "gus", "ivo", "jun", "kai", "max")
	hear("ann", roomkit.SuspendUser{User: "gus"}, "ben", "cat", "dev", "eli", "fay", "gus")
	hear("ann", roomkit.SuspendUser{User: "gus", Lift: true}, "ben", "cat", "dev", "eli", "fay", "gus")
	hear("hana", roomkit.SyncTeam{Company: "mill", Team: "design", Name: "Design", Leader: "lea", Members: []roomkit.UserID{"kai", "lea"}}, "kai", "lea")
	hear("ann", roomkit.EditCompany{Company: "harbour", MembersCreateGroups: new(false)},
		"ann", "ben", "cat", "dev", "eli", "fay", "gus", "ivo", "jun", "kai", "max")
	d.must("kai", roomkit.OpenDirect{With: "dev"})
	d.told(list)
	d.must("kai", roomkit.OpenDirect{With: "fay"})
	d.told(list)
	hear("hana", roomkit.EditCompany{Company: "mill", MembersCreateGroups: new(true)},
		"ann", "ben", "cat", "dev", "eli", "fay", "hana", "ivo", "jun", "kai", "lea", "max")
}

// TestReachOfALeader: who leads a team without being in it sees its room just so long.
func TestReachOfALeader(t *testing.T) {
	d := newDesk(t)
	list, room := d.listeners(), roomkit.TeamRoom("mill", "press")
	lead := func(leader roomkit.UserID) {
		d.must("hana", roomkit.SyncTeam{Company: "mill", Team: "press", Name: "Press", Leader: leader, Members: []roomkit.UserID{"ivo", "jun"}})
	}
	lead("lea")
	require.Equal(t, []roomkit.UserID{"ivo", "jun", "lea"}, d.told(list))
	page, err := d.live.begin("lea", room)
	require.NoError(t, err)
	d.told(listeners{"lea": page})
	require.True(t, page.sees[room])
	lead("ivo")
	require.Equal(t, []roomkit.UserID{"ivo", "jun"}, d.told(list)[:2])
	d.told(listeners{"lea": page})
	require.False(t, page.sees[room])
}

// TestOutsidersComeWhileLooking: nobody is forgotten who comes to meet people of another
// company while the rooms of a stream are looked up.
func TestOutsidersComeWhileLooking(t *testing.T) {
	d := newDesk(t)
	l := newLive(d.chat)
	s, err := l.begin("ann", roomkit.RoomID{})
	require.NoError(t, err)
	of := l.companyOf
	l.companyOf = func(user roomkit.UserID) roomkit.CompanyID {
		joined := &roomkit.MemberJoined{Counts: roomkit.Counts{Participants: 6, Partners: 1}}
		joined.Subject = roomkit.Subject{Type: roomkit.SubjectRoom, Room: d.room("ann", "Summer party")}
		l.happened(t.Context(), service.Recorded{Event: joined})
		return of(user)
	}
	require.NoError(t, l.look(t.Context(), s))
	require.True(t, s.outside)
}

// BenchmarkReach is what it costs with a thousand open pages, in rooms of twenty, that one
// account is suspended and comes back: until every page has been told.
func BenchmarkReach(b *testing.B) {
	const people, rooms = 1000, 50
	c, err := open(b.Context(), options{data: b.TempDir(), people: loadDirectory(people), fill: func(ctx context.Context, c *chat) error {
		return fillLoad(ctx, c, people, rooms)
	}})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, c.close()) })
	var list []*stream
	for i := range people {
		s, err := c.live.begin(loadID(i), roomkit.RoomID{})
		require.NoError(b, err)
		_, _, err = c.live.take(b.Context(), s)
		require.NoError(b, err)
		list = append(list, s)
	}
	seen := 0
	for b.Loop() {
		for _, cmd := range []roomkit.Command{roomkit.SuspendUser{User: loadID(1)}, roomkit.SuspendUser{User: loadID(1), Lift: true}} {
			made, err := c.svc.Do(b.Context(), roomkit.System(), cmd)
			require.NoError(b, err)
			for rec, err := range c.svc.Feed(b.Context(), c.live.at) {
				require.NoError(b, err)
				c.live.happened(b.Context(), rec)
			}
			require.NotEmpty(b, made.Events)
		}
		for _, s := range list {
			if s.all || len(s.rooms) > 0 {
				seen++
				_, _, err := c.live.take(b.Context(), s)
				require.NoError(b, err)
			}
		}
	}
	b.ReportMetric(float64(seen)/float64(b.N), "told/op")
}
