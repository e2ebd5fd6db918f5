package roomkit

import "slices"

// SyncTeam brings a team and its room in line with the organisation chart
// (TEAM-05, TEAM-09). By the system or the company's administrator. A SyncedSeq
// lower than that of the last sync is refused; 0 stands for "not numbered".
type SyncTeam struct {
	Team Team // Version is ignored
}

func (c SyncTeam) check() error {
	t := &c.Team
	switch {
	case !t.ID.Valid():
		return invalid("Team.ID", "not a team id")
	case !t.Company.Valid():
		return invalid("Team.Company", "not a company id")
	case t.Name == "":
		return &Invalid{Field: "Team.Name", Reason: "missing", Rule: "TEAM-09"}
	case t.Leader != "" && !t.Leader.Valid():
		return invalid("Team.Leader", "not a user id")
	case t.Preset&^allFeatures != 0:
		return invalid("Team.Preset", "unknown feature")
	case t.SyncedSeq < 0:
		return invalid("Team.SyncedSeq", "negative")
	}
	if err := checkText("Team.Name", t.Name, MaxGroupName, "LIM-04"); err != nil {
		return err
	}
	return checkSome("Team.Members", t.Members, MaxTeamMembers)
}

func (c SyncTeam) need(_ Actor, n *Need) {
	n.Team, n.Room = c.Team.ID, TeamRoom(c.Team.ID)
	n.Companies = append(n.Companies, c.Team.Company)
	n.People = append(n.People, c.Team.Members...)
	if c.Team.Leader != "" {
		n.People = append(n.People, c.Team.Leader)
	}
}

func (c SyncTeam) decide(d *decider) error {
	before, after := d.f.Team, c.Team
	if err := d.mayAdminister(d.f.company(after.Company).ID); err != nil {
		return err
	}
	if before.Version > 0 && before.Company != after.Company {
		return d.denied("ADM-23", ActionNone, "the team belongs to another company")
	}
	if after.SyncedSeq > 0 && after.SyncedSeq < before.SyncedSeq {
		return invalid("Team.SyncedSeq", "older than the last sync")
	}
	after.Members = sortedPeople(after.Members)
	if err := d.checkTeamPeople(&after); err != nil {
		return err
	}
	gone := missingFrom(before.Members, after.Members)
	if !d.knows(gone) {
		return d.more(func(n *Need) { n.People = append(n.People, gone...) })
	}
	d.emitTeam(before, after, gone)
	if d.room.State == StateActive {
		d.followTeam(&after, gone)
	}
	return nil
}

// checkTeamPeople demands known people of the team's company (TEAM-07).
func (d *decider) checkTeamPeople(t *Team) error {
	named := t.Members
	if t.Leader != "" {
		named = append(slices.Clone(named), t.Leader)
	}
	for _, id := range named {
		if u := d.f.user(id); u.ID == "" || u.Status == StatusDeleted || u.Company != t.Company {
			return d.denied("TEAM-07", ActionInvite, "not known members of the team's company", id)
		}
	}
	return nil
}

// missingFrom gives the members of one sorted list that are not in the other.
func missingFrom(list, other []UserID) (missing []UserID) {
	for _, u := range list {
		if _, ok := slices.BinarySearch(other, u); !ok {
			missing = append(missing, u)
		}
	}
	return missing
}

func (d *decider) knows(people []UserID) bool {
	known := make(map[UserID]bool, len(d.f.asked().People))
	for _, u := range d.f.asked().People {
		known[u] = true
	}
	return !slices.ContainsFunc(people, func(u UserID) bool { return !known[u] })
}

func (d *decider) emitTeam(before, after Team, gone []UserID) {
	e := &TeamSynced{
		Company: after.Company, Name: after.Name, Leader: after.Leader,
		Added: missingFrom(after.Members, before.Members), Removed: gone,
		Room: after.Room, Features: after.Features, Photo: after.Photo,
		Preset: after.Preset, Notify: after.Notify, Seq: after.SyncedSeq,
	}
	d.stampDirectory(e, TeamSubject(after.ID), before.Version)
	synced := before.Apply(e)
	same := synced
	same.Version = before.Version
	if len(e.Added)+len(gone) == 0 && sameTeam(same, before) {
		return
	}
	d.out.rows.teams = append(d.out.rows.teams, synced)
	d.out.Events = append(d.out.Events, e)
}

func sameTeam(a, b Team) bool {
	return a.Name == b.Name && a.Leader == b.Leader && a.Room == b.Room && a.Features == b.Features &&
		a.Photo == b.Photo && a.Preset == b.Preset && a.Notify == b.Notify && a.SyncedSeq == b.SyncedSeq
}

// followTeam brings the room in line: its name, who joins and who leaves.
func (d *decider) followTeam(t *Team, gone []UserID) {
	if d.room.Name != t.Name {
		d.emit(&RoomRenamed{From: d.room.Name, To: t.Name}, CauseOrganisation)
	}
	var out, in []person
	for _, id := range gone {
		if who := d.someone(id); who.row.Participant {
			out = append(out, who)
		}
	}
	for _, id := range t.Members {
		if who := d.someone(id); !who.takesPart(&d.room) {
			in = append(in, who)
		}
	}
	d.leave(out, CauseOrganisation)
	d.join(in, CauseOrganisation, d.room.HistorySharing)
	d.endIfEmpty()
}

func (c OpenTeamRoom) check() error {
	if !c.Team.Valid() {
		return invalid("Team", "not a team id")
	}
	return nil
}

func (c OpenTeamRoom) need(_ Actor, n *Need) { n.Team, n.Room = c.Team, TeamRoom(c.Team) }

func (c OpenTeamRoom) decide(d *decider) error {
	t := &d.f.Team
	leads := !d.actor.system && t.Leader == d.me.ID
	if t.Version == 0 || !leads && d.mayAdminister(t.Company) != nil {
		return d.denied("TEAM-03", ActionNone, "only the team leader or an administrator opens the room")
	}
	if d.room.State == StateActive {
		return nil
	}
	if !t.Room {
		return d.denied("TEAM-04", ActionNone, "the administrator does not allow a room for this team")
	}
	byLeader := leads && !d.me.Administrator
	if byLeader && int64(len(t.Members)) > d.policy().leaderTeamLimit() {
		return d.denied("LIM-08", ActionNone, "for a team of this size the administrator opens the room")
	}
	if len(t.Members) == 0 {
		return d.denied("TEAM-01", ActionNone, "the team has no members")
	}
	if !d.knows(t.Members) {
		return d.more(func(n *Need) { n.People = append(n.People, t.Members...) })
	}
	o := opening{
		id: TeamRoom(t.ID), kind: KindTeam, company: t.Company, team: t.ID, origin: OriginSystem, name: t.Name,
		settings: GroupSettings{Notify: t.Notify, FeaturesOff: allFeatures &^ t.Preset},
		cause:    CauseOrganisation,
	}
	for _, id := range t.Members {
		if who := d.someone(id); who.Status != StatusDeleted && who.ID != "" {
			o.people = append(o.people, who)
		}
	}
	return d.open(o)
}
