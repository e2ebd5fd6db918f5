package console

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/retention"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// lifeStage is a stage in which days pass, and the console of it.
type lifeStage struct {
	*proof.Stage
	c     *console
	begin time.Time
}

func newLifeStage(t *testing.T) *lifeStage {
	t.Helper()
	s := &lifeStage{Stage: proof.NewStage(t)}
	s.begin = s.Clock.Now()
	s.c = &console{svc: s.Service, st: s.Store, o: Options{Clock: s.Clock.Now}}
	return s
}

func (s *lifeStage) pass(days int) { s.Clock.Add(time.Duration(days) * 24 * time.Hour) }

func (s *lifeStage) picture(room roomkit.RoomID) *picture {
	s.Helper()
	f, err := s.c.ask(context.Background(), store.Need{Room: room})
	require.NoError(s, err)
	p, err := s.c.picture(context.Background(), &f.Room, 0, 100)
	require.NoError(s, err)
	return p
}

// told gives the bars of a picture, in days since the beginning, by person and class.
func (s *lifeStage) told(room roomkit.RoomID) map[string][]string {
	s.Helper()
	p := s.picture(room)
	day := func(at time.Time) string {
		if at.IsZero() {
			return ""
		}
		return fmt.Sprint(int(at.Sub(s.begin).Round(time.Hour).Hours() / 24))
	}
	told := map[string][]string{}
	for _, l := range p.Lanes {
		for _, b := range l.Bars {
			key := string(l.User) + " " + b.Class
			told[key] = append(told[key], day(b.From)+"-"+day(b.To)+" "+b.Began)
			require.GreaterOrEqual(s, b.X, labels)
			require.LessOrEqual(s, b.X+b.W, labels+drawn)
			require.GreaterOrEqual(s, b.W, leastWide)
		}
	}
	for _, b := range p.Off {
		told["off"] = append(told["off"], day(b.From)+"-"+day(b.To))
	}
	for _, m := range p.Moments {
		told["moments"] = append(told["moments"], day(m.At)+" "+m.Says)
	}
	return told
}

// TestLifeOfAGroup has who was in when, with each period, the masters, and when message was off.
func TestLifeOfAGroup(t *testing.T) {
	s := newLifeStage(t)
	s.pass(2)
	s.Run("ann", roomkit.Remove{Room: s.Group, People: []roomkit.UserID{"cat"}})
	s.pass(1)
	s.Run("ann", roomkit.AppointMasters{Room: s.Group, People: []roomkit.UserID{"ben"}})
	s.pass(1)
	s.Run("ben", roomkit.Invite{Room: s.Group, People: []roomkit.UserID{"cat"}})
	s.Run("ben", roomkit.DismissMasters{Room: s.Group, People: []roomkit.UserID{"ann"}})
	s.pass(1)
	s.Run("ben", roomkit.Edit{Room: s.Group, Message: new(false)})
	s.pass(2)
	s.Run("ben", roomkit.Edit{Room: s.Group, Message: new(true)})
	s.pass(2)
	s.Sys(roomkit.SuspendUser{User: "cat"})
	s.pass(2)
	s.Sys(roomkit.SuspendUser{User: "cat", Lift: true})
	s.pass(1)
	want := map[string][]string{
		"ann in": {"0- created"}, "ann master": {"0-4 created"}, "ben in": {"0- created"}, "ben master": {"3- added"},
		"cat in": {"0-2 created", "4- added"}, "cat gap": {"9-11 account suspended"},
		"off": {"5-7"}, "moments": {"0 created as group"},
	}
	require.Equal(t, want, s.told(s.Group))

	s.Run("ben", roomkit.DeleteRoom{Room: s.Group})
	s.pass(3)
	ended := s.told(s.Group)
	require.Equal(t, []string{"0-12 created"}, ended["ann in"])
	require.Equal(t, []string{"3-12 added"}, ended["ben master"])
	require.Equal(t, s.begin.AddDate(0, 0, 12), s.picture(s.Group).To, "the picture ends with the room")
	require.Equal(t, []string{"0 created as group", "12 deleted"}, ended["moments"])
}

// TestLifeSaysWhoRemoved, on the picture too, where there is room behind the bar; who leaves has
// done it alone.
func TestLifeSaysWhoRemoved(t *testing.T) {
	s := newLifeStage(t)
	s.pass(2)
	s.Run("ann", roomkit.Remove{Room: s.Group, People: []roomkit.UserID{"cat"}})
	s.Run("ben", roomkit.Leave{Room: s.General})
	s.pass(2)
	ends := func(room roomkit.RoomID) map[roomkit.UserID]string {
		told := map[roomkit.UserID]string{}
		for _, l := range s.picture(room).Lanes {
			for _, e := range l.Ends {
				told[l.User] += e.ended(func(id roomkit.UserID) string { return string(id) }) + ";"
			}
		}
		return told
	}
	require.Equal(t, map[roomkit.UserID]string{"cat": "removed by ann;"}, ends(s.Group))
	require.Equal(t, map[roomkit.UserID]string{"ben": "left;"}, ends(s.General))
	require.Contains(t, s.picture(s.Group).Lanes[2].Bars[0].says(func(id roomkit.UserID) string { return string(id) }), "(removed by ann)")
	s.Run("ann", roomkit.Invite{Room: s.Group, People: []roomkit.UserID{"cat"}})
	s.pass(200)
	require.Empty(t, ends(s.Group), "cat's next bar begins where the words would stand")
}

// TestAxisHasRoundTimes, a few of them, whatever the length of a life.
func TestAxisHasRoundTimes(t *testing.T) {
	from := time.Date(2026, 11, 30, 20, 4, 17, 0, time.UTC)
	for long, want := range map[time.Duration][]string{
		0:                         {"20:04:17"},
		13 * time.Minute:          {"Nov 30 20:05", "Nov 30 20:10", "Nov 30 20:15"},
		20 * time.Second:          {"20:04:20", "20:04:25", "20:04:30", "20:04:35"},
		5 * 24 * time.Hour:        {"2026-12-01", "2026-12-02", "2026-12-03", "2026-12-04", "2026-12-05"},
		80 * 24 * time.Hour:       {"2026-12-01", "2027-01-01", "2027-02-01"},
		300 * 24 * time.Hour:      {"2027-01-01", "2027-03-01", "2027-05-01", "2027-07-01", "2027-09-01"},
		730 * 24 * time.Hour:      {"2027-01-01", "2027-07-01", "2028-01-01", "2028-07-01"},
		25 * 365 * 24 * time.Hour: {"2030-01-01", "2035-01-01", "2040-01-01", "2045-01-01", "2050-01-01"},
	} {
		p := draw(&life{from: from, until: from.Add(long)}, nil)
		var told []string
		for _, tick := range p.Ticks {
			told = append(told, tick.Says)
		}
		require.Equal(t, want, told, long)
	}
	for long := time.Second; long < 20*365*24*time.Hour; long = long*9/8 + time.Second {
		ticks := len(draw(&life{from: from, until: from.Add(long)}, nil).Ticks)
		require.LessOrEqual(t, ticks, mostTicks+1, long)
		require.Positive(t, ticks, long)
	}
}

// TestLifeShowsPermissionGaps: a permission that is given back restores nothing, a licence does; a
// period after the loss has no gap; the company's mode counts as well as the own permission.
func TestLifeShowsPermissionGaps(t *testing.T) {
	s := newLifeStage(t)
	set := func(allow bool) {
		s.Sys(roomkit.SetUserMessaging{User: "eve", With: roomkit.OutsiderPartner, Allow: &allow})
	}
	s.pass(1)
	set(false)
	s.pass(1)
	set(true)
	s.pass(1)
	require.Equal(t, []string{"1- no permission for partners"}, s.told(s.External)["eve gap"])
	s.Sweep()
	s.pass(1)
	s.Run("ann", roomkit.Invite{Room: s.External, People: []roomkit.UserID{"eve"}}, service.Call{Contacts: []roomkit.UserID{"eve"}})
	s.pass(1)
	told := s.told(s.External)
	require.Equal(t, []string{"1-3 no permission for partners"}, told["eve gap"])
	require.Equal(t, []string{"0-3 created", "4- added"}, told["eve in"])
	s.Sys(roomkit.EditCompany{Company: "acme", Licensed: new(false)})
	s.pass(1)
	s.Sys(roomkit.EditCompany{Company: "acme", Licensed: new(true)})
	s.Sys(roomkit.SetCompanyMessaging{Company: "bolt", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalOff)})
	s.pass(1)
	told = s.told(s.External)
	require.Equal(t, []string{"5-6 no licence"}, told["ben gap"])
	require.Equal(t, []string{"1-3 no permission for partners", "6- no permission for partners"}, told["eve gap"])
	s.SetCompany("acme", roomkit.ExternalOff)
	s.pass(1)
	require.Equal(t, []string{"5-6 no licence", "7- no permission for partners"}, s.told(s.External)["cat gap"])
	require.Equal(t, []string{"5-6 no licence"}, s.told(s.General)["cat gap"], "partners do not matter there")
}

// TestLifeEndsRolesWithTheMembership of who is removed as Group Master.
func TestLifeEndsRolesWithTheMembership(t *testing.T) {
	s := newLifeStage(t)
	s.Run("ann", roomkit.AppointMasters{Room: s.Group, People: []roomkit.UserID{"ben"}})
	s.pass(2)
	s.Run("ann", roomkit.Remove{Room: s.Group, People: []roomkit.UserID{"ben"}})
	s.pass(2)
	told := s.told(s.Group)
	require.Equal(t, []string{"0-2 added"}, told["ben master"])
	require.Equal(t, []string{"0-2 created"}, told["ben in"])
}

// TestGapsAreInsideOfPeriods: what was missing before somebody came in is so from then on.
func TestGapsAreInsideOfPeriods(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	state := func(n int, status roomkit.UserStatus) grant {
		return grant{at: day(n), user: roomkit.User{ID: "kim", Company: "acme", Status: status}, company: roomkit.Company{Licensed: true}}
	}
	list := []grant{state(1, roomkit.StatusActive), state(2, roomkit.StatusSuspended), state(6, roomkit.StatusActive), state(8, roomkit.StatusSuspended),
		state(11, roomkit.StatusSuspended), state(12, roomkit.StatusDeleted)}
	for name, c := range map[string]struct {
		in   []span
		want []span
	}{
		"began during a gap": {[]span{{From: day(3), To: day(7)}}, []span{{From: day(3), To: day(6), Began: "account suspended"}}},
		"inside of a gap":    {[]span{{From: day(3), To: day(5)}}, []span{{From: day(3), To: day(5), Began: "account suspended"}}},
		"before every gap":   {[]span{{From: day(1), To: day(2)}}, nil},
		"another reason":     {[]span{{From: day(7)}}, []span{{From: day(8), To: day(12), Began: "account suspended"}, {From: day(12), Began: "account deleted"}}},
		"two periods":        {[]span{{From: day(1), To: day(3)}, {From: day(9), To: day(10)}}, []span{{From: day(2), To: day(3), Began: "account suspended"}, {From: day(9), To: day(10), Began: "account suspended"}}},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, gaps(c.in, list, roomkit.KindGroup)) })
	}
}

// TestLifeOfWhatIsForgotten: after pruning, the last period of each person is still drawn.
func TestLifeOfWhatIsForgotten(t *testing.T) {
	s := newLifeStage(t)
	s.pass(2)
	s.Run("ann", roomkit.Remove{Room: s.Group, People: []roomkit.UserID{"cat"}})
	s.pass(1)
	s.Run("ann", roomkit.AppointMasters{Room: s.Group, People: []roomkit.UserID{"ben"}})
	s.pass(1)
	_, err := retention.Prune(t.Context(), s.Store, retention.PruneOptions{EventsBefore: s.Clock.Now().Add(-time.Hour), Ignore: []string{"roomkit.enforce"}})
	require.NoError(t, err)
	s.pass(1)
	s.Run("ann", roomkit.Remove{Room: s.Group, People: []roomkit.UserID{"ben"}})
	told := s.told(s.Group)
	require.Equal(t, []string{"0-2 created"}, told["cat in"])
	require.Equal(t, []string{"0- created"}, told["ann in"])
	require.Equal(t, []string{"0-5 created"}, told["ben in"])
	require.Contains(t, told, "ann master")
	f, err := s.c.ask(t.Context(), store.Need{Room: s.Group})
	require.NoError(t, err)
	p, err := s.c.picture(t.Context(), &f.Room, 0, 1)
	require.NoError(t, err)
	require.Positive(t, p.Forgotten)
	require.Len(t, p.Lanes, 1)
	require.Equal(t, 3, p.All)
}
