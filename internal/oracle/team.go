package oracle

import (
	"maps"
	"slices"
)

// OpenTeamRoom makes a team's room (TEAM-02).
type OpenTeamRoom struct{ Team string }

func (x OpenTeamRoom) wellFormed() bool { return x.Team != "" }

func (x OpenTeamRoom) run(c *call) *refusal {
	t := c.w.Teams[x.Team]
	if t == nil {
		return refused()
	}
	leader := t.Leader == c.actor
	admin := c.system() || c.who.Admin && c.who.Company == t.Company // TEAM-03: in person or through the host's console
	if !leader && !admin {
		return refused("TEAM-03")
	}
	id := TeamID(t.ID)
	if r := c.w.Rooms[id]; r != nil && !r.Ended {
		c.out.Room, c.out.Kind = r.ID, r.Kind
		if !t.Room {
			return c.either("TEAM-04")
		}
		return nil
	}
	var f faults
	f.when(!t.Room, "TEAM-04")
	f.when(!admin && len(t.Members) > c.w.Policy.leaderTeamLimit(), "LIM-08")
	if no := f.refusal(); no != nil {
		return no
	}
	people := c.w.alive(t.Members)
	if len(people) == 0 {
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

// SyncTeam puts a team as the organisation chart has it (TEAM-05).
type SyncTeam struct{ Team Team }

func (x SyncTeam) wellFormed() bool { return x.Team.ID != "" && len(x.Team.Members) <= 5000 }

func (x SyncTeam) excessive() bool { return longer(x.Team.Name, 100) || twice(x.Team.Members) }

func (x SyncTeam) run(c *call) *refusal {
	old, t := c.w.Teams[x.Team.ID], x.Team.clone()
	if longer(t.Name, 100) {
		return refused() // LIM-04
	}
	if no := c.directs(t.Company); no != nil {
		return no
	}
	if c.w.Companies[t.Company] == nil || old != nil && old.Company != t.Company {
		return refused()
	}
	if old != nil && t.Seq != 0 && t.Seq < old.Seq {
		return refused()
	}
	ours := func(u *User) bool { return u.Company == t.Company && u.Kind == Human }
	if !c.w.all(t.Members, ours) || t.Leader != "" && !c.w.all([]string{t.Leader}, ours) {
		return unsettled
	}
	if gone := func(u *User) bool { return u.Status == Deleted }; c.w.any(append(t.Members, t.Leader), gone) {
		return denied("TEAM-07", "ADM-13", "TEAM-05") // the chart has not followed yet
	}
	r := c.w.Rooms[TeamID(t.ID)]
	running := r != nil && !r.Ended
	slices.Sort(t.Members)
	t.Members = slices.Compact(t.Members)
	if old == nil || !old.same(t) {
		c.w.Teams[t.ID] = &t
		c.changed = true
	}
	if running {
		c.follow(r, t)
	}
	return nil
}

func (t *Team) same(o Team) bool {
	return t.Name == o.Name && t.Leader == o.Leader && slices.Equal(t.Members, o.Members) && t.Room == o.Room &&
		t.Features == o.Features && t.Photo == o.Photo && t.Notify == o.Notify && t.Seq == o.Seq && sameSet(t.Preset, o.Preset)
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
