package proof_test

import (
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// chart is the directory as its events say, and how many events everything has.
type chart struct {
	versions  map[roomkit.Subject]roomkit.Version
	users     map[roomkit.UserID]roomkit.User
	companies map[roomkit.CompanyID]roomkit.Company
	teams     map[roomkit.TeamID]roomkit.Team

	// by the library's own folds
	foldedUsers     map[roomkit.UserID]roomkit.User
	foldedCompanies map[roomkit.CompanyID]roomkit.Company
	foldedTeams     map[roomkit.TeamID]roomkit.Team
}

func newChart() chart {
	return chart{
		map[roomkit.Subject]roomkit.Version{}, map[roomkit.UserID]roomkit.User{},
		map[roomkit.CompanyID]roomkit.Company{}, map[roomkit.TeamID]roomkit.Team{},
		map[roomkit.UserID]roomkit.User{}, map[roomkit.CompanyID]roomkit.Company{}, map[roomkit.TeamID]roomkit.Team{},
	}
}

// follow reads the events of one command, or of a sweep.
func (m *machine) follow(actor roomkit.Actor, events []roomkit.Event) (e effects) {
	m.stored += len(events)
	epoch := m.chart.epoch(actor)
	for _, ev := range events {
		info := ev.Info()
		m.chart.versions[info.Subject]++
		if info.Version != m.chart.versions[info.Subject] || !info.At.Equal(m.clock.Now()) || info.Actor != actor ||
			info.Command.IsZero() || info.Epoch != epoch {
			require.Failf(m.t, "an event that is badly marked", "%s %+v\nactor %s with %+v, version %d, at %s", ev.Type(), ev, actor, epoch,
				m.chart.versions[info.Subject], m.clock.Now())
		}
		e.notices = append(e.notices, roomkit.NoticesOf(ev)...)
		if info.Subject.Type == roomkit.SubjectRoom {
			m.followRoom(&e, ev)
		} else {
			m.chart.follow(m, ev)
		}
	}
	return e
}

func (c chart) epoch(actor roomkit.Actor) roomkit.Epoch {
	if actor.IsSystem() {
		return roomkit.Epoch{}
	}
	return roomkit.Epoch{
		User:    c.versions[roomkit.UserSubject(actor.User())],
		Company: c.versions[roomkit.CompanySubject(c.users[actor.User()].Company)],
	}
}

// follow takes an event of the directory in, and demands that it changes something.
func (c chart) follow(m *machine, ev roomkit.Event) {
	var news bool
	c.fold(ev)
	switch ev := ev.(type) {
	case *roomkit.CompanyPut:
		news = c.putCompany(ev.Company)
	case *roomkit.CompanyMessagingChanged:
		co := c.companies[roomkit.CompanyID(ev.Subject.ID)]
		mode := &co.Works
		if ev.Channel == roomkit.ChannelLINE {
			mode = &co.LINE
		}
		news = *mode == ev.From && ev.From != ev.To
		*mode = ev.To
		c.companies[co.ID] = co
	case *roomkit.UserPut:
		news = c.putUser(ev.User) && ev.CompanyVersion == c.versions[roomkit.CompanySubject(ev.User.Company)]
	case *roomkit.UserMessagingChanged:
		u := c.users[roomkit.UserID(ev.Subject.ID)]
		own := &u.Works
		if ev.Channel == roomkit.ChannelLINE {
			own = &u.LINE
		}
		news = *own != ev.On && ev.Company == c.versions[roomkit.CompanySubject(u.Company)]
		*own = ev.On
		c.users[u.ID] = u
	case *roomkit.UserStatusChanged:
		u := c.users[roomkit.UserID(ev.Subject.ID)]
		news = u.Status == ev.From && ev.To != ev.From
		u.Status = ev.To
		c.users[u.ID] = u
	case *roomkit.TeamSynced:
		news = c.sync(ev)
	default:
		news = false
	}
	if !news {
		require.Failf(m.t, "an event that does not fit", "%s %+v", ev.Type(), ev)
	}
}

func (c chart) fold(ev roomkit.Event) {
	switch s := ev.Info().Subject; s.Type {
	case roomkit.SubjectUser:
		c.foldedUsers[roomkit.UserID(s.ID)] = c.foldedUsers[roomkit.UserID(s.ID)].Apply(ev)
	case roomkit.SubjectCompany:
		c.foldedCompanies[roomkit.CompanyID(s.ID)] = c.foldedCompanies[roomkit.CompanyID(s.ID)].Apply(ev)
	case roomkit.SubjectTeam:
		c.foldedTeams[roomkit.TeamID(s.ID)] = c.foldedTeams[roomkit.TeamID(s.ID)].Apply(ev)
	}
}

// What the library keeps beside the host's data is not compared here.
func (c chart) putCompany(co roomkit.Company) (news bool) {
	co.Version, co.WorksOff, co.WorksNarrowed, co.Groups = 0, 0, 0, 0
	was := c.companies[co.ID]
	c.companies[co.ID] = co
	return was != co
}

func (c chart) putUser(u roomkit.User) (news bool) {
	u.Version, u.WorksSince, u.WorksLost, u.Ended, u.Groups = 0, 0, 0, 0, 0
	was := c.users[u.ID]
	c.users[u.ID] = u
	return was != u
}

func (c chart) sync(ev *roomkit.TeamSynced) (news bool) {
	id := roomkit.TeamID(ev.Subject.ID)
	was := c.teams[id]
	now := roomkit.Team{
		ID: id, Company: ev.Company, Name: ev.Name, Leader: ev.Leader, Room: ev.Room, Features: ev.Features,
		Photo: ev.Photo, Preset: ev.Preset, Notify: ev.Notify, SyncedSeq: ev.Seq,
	}
	for _, u := range was.Members {
		if !slices.Contains(ev.Removed, u) {
			now.Members = append(now.Members, u)
		}
	}
	now.Members = append(now.Members, ev.Added...)
	slices.Sort(now.Members)
	c.teams[id] = now
	kept := len(was.Members) - len(ev.Removed)
	return len(slices.Compact(slices.Clone(now.Members))) == kept+len(ev.Added)
}

// compareDirectory compares accounts, companies and teams: as the events say and
// as the store keeps them.
func (m *machine) compareDirectory() {
	for id, co := range m.w.Companies {
		want := companyOf(*co)
		facts, err := m.store.Load(ctx, []store.Need{{Companies: []roomkit.CompanyID{want.ID}}})
		require.NoError(m.t, err)
		require.Equal(m.t, want, m.chart.companies[want.ID], "by its events")
		row, fold := facts[0].Companies[0], m.chart.foldedCompanies[want.ID]
		fold.Groups = row.Groups
		require.Equal(m.t, fold, row, "the library's fold")
		want.Version, want.WorksOff, want.WorksNarrowed = m.chart.versions[roomkit.CompanySubject(want.ID)], row.WorksOff, row.WorksNarrowed
		want.Groups = int64(m.w.OwnedGroups(id))
		require.Equal(m.t, want, row)
		m.compareUsers(want.ID)
		m.compareDue(id)
	}
	m.compareUsers("")
	for _, t := range m.w.Teams {
		want := teamOf(*t)
		facts, err := m.store.Load(ctx, []store.Need{{Team: want.ID}})
		require.NoError(m.t, err)
		require.Equal(m.t, want, m.chart.teams[want.ID], "by its events")
		want.Version = m.chart.versions[roomkit.TeamSubject(want.ID)]
		require.Equal(m.t, want, facts[0].Team)
		require.Equal(m.t, m.chart.foldedTeams[want.ID], facts[0].Team, "the library's fold")
	}
}

// compareDue compares the rooms whose content has to be deleted.
func (m *machine) compareDue(company string) {
	var got []string
	for due, err := range m.svc.Due(ctx, roomkit.CompanyID(company), m.clock.Now()) {
		require.NoError(m.t, err)
		r := m.w.Rooms[m.names[due.Room]]
		require.True(m.t, due.Since.Equal(r.OffSince) && due.At.After(due.Since) && due.Name == r.Name, "%+v", due)
		got = append(got, r.ID)
	}
	slices.Sort(got)
	m.compareNames("due", m.w.Due(company, m.clock.Now()), got)
	if len(got) > 0 {
		m.tally.reach("branch", "due")
	}
}

func (m *machine) compareUsers(company roomkit.CompanyID) {
	rows, err := m.store.Users(ctx, store.UserQuery{Company: company})
	require.NoError(m.t, err)
	for _, row := range rows {
		want := userOf(*m.w.Users[string(row.ID)])
		require.Equal(m.t, want, m.chart.users[row.ID], "by its events")
		fold := m.chart.foldedUsers[row.ID]
		fold.Groups = row.Groups
		require.Equal(m.t, fold, row, "the library's fold")
		want.Version = m.chart.versions[roomkit.UserSubject(row.ID)]
		want.WorksSince, want.WorksLost, want.Ended = row.WorksSince, row.WorksLost, row.Ended
		want.Groups = int64(m.w.GroupsOf(string(row.ID)))
		require.Equal(m.t, want, row)
	}
}

// compareFeed demands that the feed holds what the results have told, each event
// once.
func (m *machine) compareFeed() {
	versions, n := map[roomkit.Subject]roomkit.Version{}, 0
	for rec, err := range m.svc.Feed(ctx, "") {
		require.NoError(m.t, err)
		versions[rec.Subject]++
		n++
		require.Equal(m.t, versions[rec.Subject], rec.Version, "the feed of %s", rec.Subject)
	}
	require.Equal(m.t, m.stored, n, "events in the feed")
	require.Equal(m.t, m.chart.versions, versions, "events in the feed")
}
