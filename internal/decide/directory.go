package decide

import (
	"cmp"
	"slices"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/enum"
	"github.com/go-roomkit/roomkit/store"
)

func checkAddCompany(c roomkit.AddCompany) error {
	return cmp.Or(
		checkID("Company.ID", c.Company.ID),
		checkMaxGroups("Company.MaxGroups", c.Company.MaxGroups),
		checkWindow("Company.RecallWindow", c.Company.RecallWindow),
		checkEnum("Company.Partners", c.Company.Partners),
		checkEnum("Company.Consumers", c.Company.Consumers),
	)
}

func (d *decider) addCompany(company roomkit.Company) error {
	if !d.actor.IsSystem() {
		return d.denied("ADM-23", roomkit.ActionNone, "only the system provisions companies")
	}
	before, given := *d.f.company(company.ID), givenCompany(company)
	if before.Version > 0 {
		d.out.Differs = differing(map[string]bool{
			"licensed": before.Licensed != given.Licensed, "members_create_groups": before.MembersCreateGroups != given.MembersCreateGroups,
			"partners": before.Partners != given.Partners, "consumers": before.Consumers != given.Consumers,
			"max_groups": before.MaxGroups != given.MaxGroups, "recall_window": before.RecallWindow != given.RecallWindow,
		})
		return nil
	}
	d.emitCompany(before, company.ID, &roomkit.CompanyPut{Company: given})
	return nil
}

// givenCompany is what the host gave of a company, without what the library keeps.
func givenCompany(c roomkit.Company) roomkit.Company {
	c.Version, c.PartnersOff, c.PartnersNarrowed, c.Groups = 0, 0, 0, 0
	return c
}

func checkEditCompany(c roomkit.EditCompany) error {
	named := c.Licensed != nil || c.MembersCreateGroups != nil || c.MaxGroups != nil || c.RecallWindow != nil
	return cmp.Or(
		checkID("Company", c.Company),
		demand(named, "EditCompany", "changes nothing", ""),
		checkMaxGroups("MaxGroups", value(c.MaxGroups)),
		checkWindow("RecallWindow", value(c.RecallWindow)),
	)
}

func checkMaxGroups(field string, n int64) error { return demand(n >= 0, field, "negative", "") }

func checkWindow(field string, d time.Duration) error {
	return demand(d >= 0 && d%time.Microsecond == 0, field, "negative or finer than a microsecond", "")
}

func (d *decider) editCompany(c roomkit.EditCompany) error {
	before := *d.f.company(c.Company)
	if err := d.mayAdminister("Company", before.ID); err != nil {
		return err
	}
	if !d.actor.IsSystem() && (c.Licensed != nil || c.MaxGroups != nil) {
		return d.denied("ADM-23", roomkit.ActionNone, "only the system changes what a company may have")
	}
	after := givenCompany(before)
	change(&after.Licensed, c.Licensed)
	change(&after.MembersCreateGroups, c.MembersCreateGroups)
	change(&after.MaxGroups, c.MaxGroups)
	change(&after.RecallWindow, c.RecallWindow)
	if after != givenCompany(before) {
		d.emitCompany(before, before.ID, &roomkit.CompanyPut{Company: after})
	}
	return nil
}

// change sets what a patch names.
func change[V any](field *V, to *V) {
	if to != nil {
		*field = *to
	}
}

// mayAdminister demands the system or an administrator of the company itself (ADM-11).
// To others, what does not exist and what belongs to another company are refused alike
// (ADM-23, ADM-12); to the system, field is what names nothing known.
func (d *decider) mayAdminister(field string, company roomkit.CompanyID) error {
	switch {
	case d.actor.IsSystem():
		return demand(company != "", field, reasonUnknown, "")
	case d.me.Administrator && d.home() == company:
		return nil
	}
	return d.denied("ADM-23", roomkit.ActionNone, "not an account or company that the actor administers")
}

const (
	reasonMissing = "missing"
	reasonUnknown = "not known"
)

func (d *decider) emitCompany(before roomkit.Company, id roomkit.CompanyID, e roomkit.Event) {
	d.stampDirectory(e, roomkit.CompanySubject(id), before.Version)
	d.out.Rows.Companies = append(d.out.Rows.Companies, before.Apply(e))
	d.out.Events = append(d.out.Events, e)
}

func (d *decider) emitUser(before roomkit.User, id roomkit.UserID, e roomkit.Event) {
	d.stampDirectory(e, roomkit.UserSubject(id), before.Version)
	d.out.Rows.Users = append(d.out.Rows.Users, before.Apply(e))
	d.out.Events = append(d.out.Events, e)
}

func (d *decider) stampDirectory(e roomkit.Event, of roomkit.Subject, before roomkit.Version) {
	info := e.Info()
	info.Subject, info.Version, info.At = of, before+1, d.now
	if before == 0 {
		d.begun = append(d.begun, store.Expect{Subject: of})
	}
	d.sign(info, roomkit.CauseNone)
}

func checkSetCompanyMessaging(c roomkit.SetCompanyMessaging) error {
	return cmp.Or(
		checkID("Company", c.Company),
		checkWith(c.With),
		demand(c.Mode != nil, "Mode", reasonMissing, ""),
		checkEnum("Mode", value(c.Mode)),
	)
}

func checkSetUserMessaging(c roomkit.SetUserMessaging) error {
	return cmp.Or(
		checkID("User", c.User),
		checkWith(c.With),
		demand(c.Allow != nil, "Allow", reasonMissing, ""),
	)
}

func checkWith(o roomkit.Outsider) error {
	return demand(o == roomkit.OutsiderPartner || o == roomkit.OutsiderConsumer, "With", "neither OutsiderPartner nor OutsiderConsumer", "")
}

func (d *decider) setCompanyMessaging(c roomkit.SetCompanyMessaging) error {
	company := *d.f.company(c.Company)
	if err := d.mayAdminister("Company", company.ID); err != nil {
		return err
	}
	if mode := modeWith(&company, c.With); mode != *c.Mode {
		d.emitCompany(company, company.ID, &roomkit.CompanyMessagingChanged{With: c.With, From: mode, To: *c.Mode})
	}
	return nil
}

func modeWith(c *roomkit.Company, o roomkit.Outsider) roomkit.ExternalMode {
	if o == roomkit.OutsiderConsumer {
		return c.Consumers
	}
	return c.Partners
}

func (d *decider) setUserMessaging(c roomkit.SetUserMessaging) error {
	u := *d.target(c.User)
	if err := d.mayAdministerMember(&u); err != nil {
		return err
	}
	company, on, has := d.f.company(u.Company), *c.Allow, u.Partners
	if c.With == roomkit.OutsiderConsumer {
		has = u.Consumers
	}
	mode := modeWith(company, c.With)
	if !on && mode == roomkit.ExternalAll {
		return d.denied("ADM-03", roomkit.ActionNone, "it is granted to all members", c.User)
	}
	if on != has {
		d.emitUser(u, u.ID, &roomkit.UserMessagingChanged{
			With: c.With, On: on, Permits: on && mode == roomkit.ExternalSelected, PartnersNarrowed: company.PartnersNarrowed,
		})
	}
	return nil
}

// mayAdministerMember is for what only members of a company have.
func (d *decider) mayAdministerMember(u *roomkit.User) error {
	if err := d.mayAdministerUser(u); err != nil {
		return err
	}
	return demand(u.Kind == roomkit.UserMember, "User", "not a member of a company", "")
}

func checkAddUser(c roomkit.AddUser) error {
	u := &c.User
	return cmp.Or(
		checkID("User.ID", u.ID),
		demand(u.Kind != roomkit.UserNone && enum.Known(u.Kind), "User.Kind", "missing or unknown", ""),
		demand(u.Status != roomkit.StatusNone && enum.Known(u.Status), "User.Status", "missing or unknown", ""),
		demand((u.Kind == roomkit.UserConsumer) == (u.Company == ""), "User.Company", "consumers have none, all others have one", ""),
		demand(u.Company == "" || u.Company.Valid(), "User.Company", "not an id", ""),
		demand(u.Kind == roomkit.UserMember || !u.Administrator, "User.Administrator", "not a member of a company", ""),
		demand(!u.Partners || u.Kind == roomkit.UserMember, "User.Partners", "not of a member of a company", ""),
		demand(!u.Consumers || u.Kind == roomkit.UserMember, "User.Consumers", "not of a member of a company", ""),
	)
}

func needAddUser(n *store.Need, u *roomkit.User) {
	n.People = append(n.People, u.ID)
	if u.Company != "" {
		n.Companies = append(n.Companies, u.Company)
	}
}

func (d *decider) addUser(u roomkit.User) error {
	if !d.actor.IsSystem() {
		return d.denied("ADM-23", roomkit.ActionNone, "only the system provisions users")
	}
	before, company := *d.f.user(u.ID), d.f.company(u.Company)
	if before.Version > 0 {
		d.out.Differs = differing(map[string]bool{
			"company": before.Company != u.Company, "kind": before.Kind != u.Kind, "status": before.Status != u.Status,
			"administrator": before.Administrator != u.Administrator, "partners": before.Partners != u.Partners, "consumers": before.Consumers != u.Consumers,
		})
		return nil
	}
	if u.Company != company.ID {
		return bad("User.Company", reasonUnknown)
	}
	d.emitUser(before, u.ID, &roomkit.UserPut{User: givenUser(u)})
	return nil
}

func checkEditUser(c roomkit.EditUser) error {
	return cmp.Or(checkID("User", c.User), demand(c.Administrator != nil, "Administrator", reasonMissing, ""))
}

func (d *decider) editUser(c roomkit.EditUser) error {
	if !d.actor.IsSystem() {
		return d.denied("ADM-23", roomkit.ActionNone, "only the system says who administers a company")
	}
	before := *d.target(c.User)
	if err := d.mayAdministerMember(&before); err != nil {
		return err
	}
	if before.Administrator != *c.Administrator {
		after := givenUser(before)
		after.Administrator = *c.Administrator
		d.emitUser(before, before.ID, &roomkit.UserPut{User: after})
	}
	return nil
}

// differing gives the keys of what differs, in byte order.
func differing(fields map[string]bool) (keys []string) {
	for key, differs := range fields {
		if differs {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// givenUser is what the host gave of a user, without what the library keeps.
func givenUser(u roomkit.User) roomkit.User {
	u.Version, u.PartnersSince, u.PartnersLost, u.Ended, u.Groups = 0, 0, 0, 0, 0
	return u
}

func (d *decider) suspendUser(c roomkit.SuspendUser) error {
	to := roomkit.StatusSuspended
	if c.Lift {
		to = roomkit.StatusActive
	}
	if u := d.target(c.User); u.Status == roomkit.StatusDeleted && (d.actor.IsSystem() || d.home() == u.Company) {
		return d.denied("ADM-13", roomkit.ActionNone, "the account is deleted", c.User)
	}
	return d.setStatus(c.User, to)
}

func (d *decider) restoreUser(id roomkit.UserID) error {
	if u := d.target(id); u.Status == roomkit.StatusSuspended || u.Status == roomkit.StatusActive {
		return d.mayAdministerUser(u)
	}
	return d.setStatus(id, roomkit.StatusActive)
}

func (d *decider) setStatus(id roomkit.UserID, to roomkit.UserStatus) error {
	u := *d.target(id)
	if err := d.mayAdministerUser(&u); err != nil {
		return err
	}
	if u.Status != to {
		d.emitUser(u, u.ID, &roomkit.UserStatusChanged{From: u.Status, To: to})
	}
	return nil
}

// target gives the user whom a command of the directory names. Whoever administers users
// has the host asked about one who is not known, or of another company.
func (d *decider) target(id roomkit.UserID) *roomkit.User {
	u := d.f.user(id)
	if d.actor.IsSystem() || d.me.Administrator && u.Company != d.home() {
		d.ask(false, id)
	}
	return u
}

// mayAdministerUser is for the system, which also keeps consumers, and for
// administrators of the user's company.
func (d *decider) mayAdministerUser(u *roomkit.User) error {
	if d.actor.IsSystem() && u.Kind == roomkit.UserConsumer {
		return nil
	}
	return d.mayAdminister("User", u.Company)
}

func checkSyncTeam(c roomkit.SyncTeam) error {
	return cmp.Or(
		checkTeam(c.Company, c.Team),
		demand(c.Name != "", "Name", reasonMissing, "TEAM-09"),
		demand(c.Leader == "" || c.Leader.Valid(), "Leader", "not an id", ""),
		demand(c.Seq >= 0, "Seq", "negative", ""),
		checkText("Name", c.Name, roomkit.MaxGroupName, "LIM-04"),
		checkSome("Members", c.Members, roomkit.MaxTeamMembers),
	)
}

func checkTeam(company roomkit.CompanyID, team roomkit.TeamID) error {
	return cmp.Or(checkID("Team", team), demand(company == "" || company.Valid(), "Company", "not an id", ""))
}

// companyOfTeam gives the company that a command names whose team it is about.
func companyOfTeam(cmd roomkit.Command) (company roomkit.CompanyID, names bool) {
	switch c := cmd.(type) {
	case roomkit.OpenTeamRoom:
		return c.Company, true
	case roomkit.SyncTeam:
		return c.Company, true
	case roomkit.EditTeam:
		return c.Company, true
	default:
		return "", false
	}
}

// needTeam asks for a team and its room. Without its company nothing is known of it yet.
func needTeam(n *store.Need, company roomkit.CompanyID, team roomkit.TeamID, room bool) {
	if company == "" {
		return
	}
	n.Team = roomkit.KeyOfTeam(company, team)
	if room {
		n.Room = roomkit.TeamRoom(company, team)
	}
}

// team makes sure that the facts are about the team that a command names: without a
// company, the one of the actor's. It gives the company, the empty one for an actor who
// has none, and so no team.
func (d *decider) team(company roomkit.CompanyID, team roomkit.TeamID, room bool) (roomkit.CompanyID, error) {
	company = cmp.Or(company, d.home())
	if company != "" && d.f.Need.Team != roomkit.KeyOfTeam(company, team) {
		return company, d.more(func(n *store.Need) { needTeam(n, company, team, room) })
	}
	return company, nil
}

func needSyncTeam(n *store.Need, c roomkit.SyncTeam) {
	needTeam(n, c.Company, c.Team, true)
	if c.Company != "" {
		n.Companies = append(n.Companies, c.Company)
	}
	n.People = append(n.People, c.Members...)
	if c.Leader != "" {
		n.People = append(n.People, c.Leader)
	}
}

func (d *decider) syncTeam(c roomkit.SyncTeam) error {
	company, err := d.team(c.Company, c.Team, true)
	if err != nil {
		return err
	}
	if err := d.mayAdminister("Company", d.f.company(company).ID); err != nil {
		return err
	}
	before := d.f.Team
	if c.Seq > 0 && c.Seq < before.SyncedSeq {
		return bad("Seq", "older than the last sync")
	}
	after := before
	after.ID, after.Company, after.Name, after.Leader = c.Team, company, c.Name, c.Leader
	after.SyncedSeq = max(c.Seq, before.SyncedSeq)
	after.Members = sorted(c.Members)
	if !d.checkTeamPeople(&after) {
		return nil
	}
	d.leaveOutDeleted(&after)
	gone := missingFrom(before.Members, after.Members)
	if !d.knows(gone) {
		return d.more(func(n *store.Need) { n.People = append(n.People, gone...) })
	}
	d.emitTeam(before, after, gone)
	if d.room.State == roomkit.StateActive {
		d.followTeam(&after, gone)
	}
	return nil
}

func checkEditTeam(c roomkit.EditTeam) error {
	named := c.Room != nil || c.Features != nil || c.Photo != nil || c.Notify != nil || c.Preset != nil
	return cmp.Or(
		checkTeam(c.Company, c.Team),
		demand(named, "EditTeam", "changes nothing", ""),
		demand(value(c.Preset)&^roomkit.AllFeatures == 0, "Preset", "unknown feature", ""),
	)
}

func (d *decider) editTeam(c roomkit.EditTeam) error {
	if _, err := d.team(c.Company, c.Team, false); err != nil {
		return err
	}
	before := d.f.Team
	if err := d.mayAdminister("Team", before.Company); err != nil {
		return err
	}
	after := before
	change(&after.Room, c.Room)
	change(&after.Features, c.Features)
	change(&after.Photo, c.Photo)
	change(&after.Notify, c.Notify)
	change(&after.Preset, c.Preset)
	d.emitTeam(before, after, nil)
	return nil
}

// checkTeamPeople demands known people of the team's company (TEAM-07), and names all
// others.
func (d *decider) checkTeamPeople(t *roomkit.Team) bool {
	foreign := func(id roomkit.UserID) bool {
		u := d.f.user(id)
		return u.ID == "" || u.Company != t.Company
	}
	var out []roomkit.UserID
	for _, id := range t.Members {
		if foreign(id) {
			out = append(out, id)
		}
	}
	if t.Leader != "" && foreign(t.Leader) && !slices.Contains(out, t.Leader) {
		out = append(out, t.Leader)
	}
	d.ask(false, out...)
	d.object("TEAM-07", roomkit.ActionInvite, "not known members of the team's company", out...)
	return len(out) == 0
}

// leaveOutDeleted takes people whose account has ended out of a team (ADM-13): a chart
// that still names them is late and not wrong.
func (d *decider) leaveOutDeleted(t *roomkit.Team) {
	deleted := func(id roomkit.UserID) bool { return d.f.user(id).Status == roomkit.StatusDeleted }
	t.Members = slices.DeleteFunc(t.Members, deleted)
	if deleted(t.Leader) {
		t.Leader = ""
	}
}

// missingFrom gives the members of one sorted list that are not in the other.
func missingFrom(list, other []roomkit.UserID) (missing []roomkit.UserID) {
	for _, u := range list {
		if _, ok := slices.BinarySearch(other, u); !ok {
			missing = append(missing, u)
		}
	}
	return missing
}

func (d *decider) knows(people []roomkit.UserID) bool {
	known := make(map[roomkit.UserID]bool, len(d.f.Need.People))
	for _, u := range d.f.Need.People {
		known[u] = true
	}
	return !slices.ContainsFunc(people, func(u roomkit.UserID) bool { return !known[u] })
}

func (d *decider) emitTeam(before, after roomkit.Team, gone []roomkit.UserID) {
	e := &roomkit.TeamSynced{
		Company: after.Company, Name: after.Name, Leader: after.Leader,
		Added: missingFrom(after.Members, before.Members), Removed: gone,
		Room: after.Room, Features: after.Features, Photo: after.Photo,
		Preset: after.Preset, Notify: after.Notify, Seq: after.SyncedSeq,
	}
	d.stampDirectory(e, roomkit.TeamSubject(after.Company, after.ID), before.Version)
	synced := before.Apply(e)
	same := synced
	same.Version = before.Version
	if len(e.Added)+len(gone) == 0 && sameTeam(same, before) {
		return
	}
	d.out.Rows.Teams = append(d.out.Rows.Teams, synced)
	d.out.Events = append(d.out.Events, e)
}

func sameTeam(a, b roomkit.Team) bool {
	return a.Name == b.Name && a.Leader == b.Leader && a.Room == b.Room && a.Features == b.Features &&
		a.Photo == b.Photo && a.Preset == b.Preset && a.Notify == b.Notify && a.SyncedSeq == b.SyncedSeq
}

// followTeam brings the room in line: its name, who joins and who leaves.
func (d *decider) followTeam(t *roomkit.Team, gone []roomkit.UserID) {
	if d.room.Name != t.Name {
		d.emit(&roomkit.RoomRenamed{From: d.room.Name, To: t.Name}, roomkit.CauseOrganisation)
	}
	out := those(d.people(gone), func(p *Person) bool { return p.Row.Participant })
	in := those(d.people(t.Members), func(p *Person) bool { return !p.TakesPart(&d.room) })
	d.left(out, roomkit.CauseOrganisation)
	d.joined(in, roomkit.CauseOrganisation, d.room.HistorySharing)
	d.endIfEmpty()
}

func (d *decider) openTeamRoom(c roomkit.OpenTeamRoom) error {
	if _, err := d.team(c.Company, c.Team, true); err != nil {
		return err
	}
	t := &d.f.Team
	leads := !d.actor.IsSystem() && t.Leader == d.me.ID
	byLeader := leads && !d.me.Administrator
	switch {
	case t.Version == 0 || !leads && d.mayAdminister("Team", t.Company) != nil:
		return d.denied("TEAM-03", roomkit.ActionNone, "only the team leader or an administrator opens the room")
	case d.room.State == roomkit.StateActive:
		return nil
	case !t.Room:
		return d.denied("TEAM-04", roomkit.ActionNone, "the administrator does not allow a room for this team")
	case byLeader && int64(len(t.Members)) > orDefault(d.policy().LeaderTeamLimit, 100):
		return d.denied("LIM-08", roomkit.ActionNone, "for a team of this size the administrator opens the room")
	case len(t.Members) == 0:
		return d.denied("TEAM-01", roomkit.ActionNone, "the team has no members")
	}
	if !d.knows(t.Members) {
		return d.more(func(n *store.Need) { n.People = append(n.People, t.Members...) })
	}
	o := opening{
		id: roomkit.TeamRoom(t.Company, t.ID), kind: roomkit.KindTeam, company: t.Company, team: t.ID, origin: roomkit.OriginSystem, name: t.Name,
		settings: roomkit.GroupSettings{Notify: t.Notify, FeaturesOff: roomkit.AllFeatures &^ t.Preset},
		cause:    roomkit.CauseOrganisation,
		people:   those(d.people(t.Members), func(p *Person) bool { return p.Status != roomkit.StatusDeleted && p.Status != roomkit.StatusNone }),
	}
	return d.open(o)
}
