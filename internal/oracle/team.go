package oracle

import (
	"maps"
	"slices"
)

// OpenTeamRoom makes a team's room (TEAM-02). A team is named by its company; without
// one it is of the actor's.
type OpenTeamRoom struct {
	Team    string
	Company string
}

// team finds the team that a command names, and whose it is.
func (c *call) team(company, team string) (string, *Team, *refusal) {
	switch {
	case company != "":
	case c.system():
		return "", nil, malformed
	default:
		company = c.who.Company
	}
	return company, c.w.Teams[TeamKey(company, team)], nil
}

func (x OpenTeamRoom) wellFormed() bool { return x.Team != "" }

func (x OpenTeamRoom) run(c *call) *refusal {
	_, t, no := c.team(x.Company, x.Team)
	if no != nil {
		return no
	}
	if t == nil {
		return refused()
	}
	leader := t.Leader == c.actor
	admin := c.system() || c.who.Admin && c.who.Company == t.Company // TEAM-03: in person or through the host's console
	if !leader && !admin {
		return refused("TEAM-03")
	}
	id := TeamID(t.Company, t.ID)
	if r := c.w.Rooms[id]; r != nil && !r.Ended {
		c.out.Room, c.out.Kind = r.ID, r.Kind
		if !t.Room {
			return c.either("TEAM-04")
		}
		return nil
	}
	var f faults
	f.when(!t.Room, "TEAM-04")
	f.when(!c.w.Companies[t.Company].Licensed, "COM-10")
	f.when(!admin && len(t.Members) > c.w.Policy.leaderTeamLimit(), "LIM-08")
	people, no := c.w.alive(t.Members), f.refusal()
	switch {
	case no != nil && len(people) == 0:
		return refused() // that there is nobody may come first
	case no != nil:
		return no
	case len(people) == 0:
		return unsettled
	}
	r := &Room{
		ID: id, Kind: TeamRoom, Company: t.Company, Team: t.ID, Origin: FromSystem,
		Name: t.Name, Notify: t.Notify, Features: maps.Clone(t.Preset),
	}
	if !c.system() {
		r.Creator = c.actor
	}
	c.begin(r)
	c.join(r, AnyCause, false, people...)
	return nil
}

func (w *World) alive(people []string) []string {
	var out []string
	for _, p := range people {
		if w.Users[p].Status != Deleted {
			out = append(out, p)
		}
	}
	return out
}

// SyncTeam puts a team as the organisation chart has it (TEAM-05). What is granted to
// it stays, and to a new one nothing is granted.
type SyncTeam struct {
	Team    string
	Company string
	Name    string
	Leader  string
	Members []string
	Seq     int
}

func (x SyncTeam) wellFormed() bool {
	return x.Team != "" && x.Name != "" && len(x.Members) <= 5000
}

func (x SyncTeam) excessive() bool { return longer(x.Name, 100) || twice(x.Members) }

func (x SyncTeam) run(c *call) *refusal {
	company, old, no := c.team(x.Company, x.Team)
	if no != nil {
		return no
	}
	t := Team{ID: x.Team, Company: company}
	if old != nil {
		t = old.clone()
	}
	if longer(x.Name, 100) {
		return refused() // LIM-04
	}
	if no := c.directs(company); no != nil {
		return no
	}
	if c.w.Companies[company] == nil || x.Seq != 0 && x.Seq < t.SyncedSeq {
		return refused()
	}
	ours := func(u *User) bool { return u.Company == company && u.Kind == Human }
	if !c.w.all(x.Members, ours) || x.Leader != "" && !c.w.all([]string{x.Leader}, ours) {
		return unsettled
	}
	t.Name, t.Leader, t.Members = x.Name, "", nil
	if x.Seq > t.SyncedSeq {
		t.SyncedSeq = x.Seq
	}
	// Whose account has ended is in no team, even if the chart has not followed yet (ADM-13).
	if x.Leader != "" && c.w.Users[x.Leader].Status != Deleted {
		t.Leader = x.Leader
	}
	for _, p := range unique(x.Members...) {
		if c.w.Users[p].Status != Deleted {
			t.Members = append(t.Members, p)
		}
	}
	slices.Sort(t.Members)
	c.put(old, t)
	if r := c.w.Rooms[TeamID(t.Company, t.ID)]; r != nil && !r.Ended {
		c.follow(r, t)
	}
	return nil
}

// EditTeam changes what the administrator grants to a team (TEAM-04, TEAM-11, TEAM-12,
// TEAM-25).
type EditTeam struct {
	Team     string
	Company  string
	Room     *bool
	Features *bool
	Photo    *bool
	Notify   *bool
	Preset   *Features
}

func (x EditTeam) wellFormed() bool {
	return x.Team != "" && (x.Room != nil || x.Features != nil || x.Photo != nil || x.Notify != nil || x.Preset != nil)
}

func (x EditTeam) run(c *call) *refusal {
	_, old, no := c.team(x.Company, x.Team)
	if no != nil {
		return no
	}
	if old == nil {
		if no := c.directs(""); no != nil {
			return no
		}
		return refused()
	}
	if no := c.directs(old.Company); no != nil {
		return no
	}
	t := old.clone()
	for field, to := range map[*bool]*bool{&t.Room: x.Room, &t.Features: x.Features, &t.Photo: x.Photo, &t.Notify: x.Notify} {
		if to != nil {
			*field = *to
		}
	}
	if x.Preset != nil {
		t.Preset = *x.Preset
	}
	c.put(old, t)
	return nil
}

// put stores a team that is not as it was.
func (c *call) put(old *Team, t Team) {
	if old == nil || !old.same(t) {
		c.w.Teams[TeamKey(t.Company, t.ID)] = &t
		c.changed = true
	}
}

func (t *Team) same(o Team) bool {
	return t.Name == o.Name && t.Leader == o.Leader && slices.Equal(t.Members, o.Members) && t.Room == o.Room &&
		t.Features == o.Features && t.Photo == o.Photo && t.Notify == o.Notify && t.SyncedSeq == o.SyncedSeq && sameSet(t.Preset, o.Preset)
}

func sameSet(a, b Features) bool {
	for _, f := range allFeatures {
		if a[f] != b[f] {
			return false
		}
	}
	return true
}

// follow brings a team's room in line with the team (TEAM-01, TEAM-05, TEAM-09).
func (c *call) follow(r *Room, t Team) {
	for _, p := range slices.Sorted(maps.Keys(r.Participants)) {
		if !contains(t.Members, p) {
			c.leave(r, ByOrganisation, p)
		}
	}
	for _, p := range c.w.alive(t.Members) {
		if !c.w.takesPart(r, p) {
			c.join(r, ByOrganisation, r.Sharing, p)
		}
	}
	if r.Name != t.Name {
		c.announce(r, TextRenamed, false)
		r.Name = t.Name
		c.changed = true
	}
	c.settle(r)
	c.out.Room, c.out.Kind = r.ID, r.Kind
}
