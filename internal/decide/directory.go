package decide

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/enum"
	"github.com/go-roomkit/roomkit/store"
)

func checkPutCompany(c roomkit.PutCompany) error {
	return cmp.Or(
		checkID("Company.ID", c.Company.ID),
		demand(c.Company.MaxGroups >= 0, "Company.MaxGroups", "negative", ""),
		checkWindow("Company.RecallWindow", c.Company.RecallWindow),
		checkEnum("Company.Partners", c.Company.Partners),
		checkEnum("Company.Consumers", c.Company.Consumers),
	)
}

func (d *decider) putCompany(company roomkit.Company) error {
	if !d.actor.IsSystem() {
		return d.denied("ADM-23", roomkit.ActionNone, "only the system provisions companies")
	}
	before, after := *d.f.company(company.ID), givenCompany(company)
	if givenCompany(before) == after {
		return nil
	}
	d.emitCompany(before, after.ID, &roomkit.CompanyPut{Company: after})
	return nil
}

// givenCompany is what the host gave of a company, without what the library keeps.
func givenCompany(c roomkit.Company) roomkit.Company {
	c.Version, c.PartnersOff, c.PartnersNarrowed, c.Groups = 0, 0, 0, 0
	return c
}

func checkEditCompany(c roomkit.EditCompany) error {
	return cmp.Or(
		checkID("Company", c.Company),
		demand(c.MembersCreateGroups != nil || c.RecallWindow != nil, "EditCompany", "changes nothing", ""),
		checkWindow("RecallWindow", value(c.RecallWindow)),
	)
}

func checkWindow(field string, d time.Duration) error {
	return demand(d >= 0 && d%time.Microsecond == 0, field, "negative or finer than a microsecond", "")
}

func (d *decider) editCompany(c roomkit.EditCompany) error {
	before := *d.f.company(c.Company)
	if err := d.mayAdminister(before.ID); err != nil {
		return err
	}
	after := givenCompany(before)
	if c.MembersCreateGroups != nil {
		after.MembersCreateGroups = *c.MembersCreateGroups
	}
	if c.RecallWindow != nil {
		after.RecallWindow = *c.RecallWindow
	}
	if after != givenCompany(before) {
		d.emitCompany(before, before.ID, &roomkit.CompanyPut{Company: after})
	}
	return nil
}

// mayAdminister demands the system or an administrator of the company itself
// (ADM-11). What does not exist and what belongs to another company are refused
// alike (ADM-23, ADM-12).
func (d *decider) mayAdminister(company roomkit.CompanyID) error {
	own := d.actor.IsSystem() || d.me.Administrator && d.home() == company
	if company == "" || !own {
		return d.denied("ADM-23", roomkit.ActionNone, "not an account or company that the actor administers")
	}
	return nil
}

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

func checkSetExternalMessaging(c roomkit.SetExternalMessaging) error {
	return cmp.Or(
		checkID("Company", c.Company),
		demand(c.With == roomkit.OutsiderPartner || c.With == roomkit.OutsiderConsumer, "With", "neither OutsiderPartner nor OutsiderConsumer", ""),
		demand(c.User == "" || c.Mode != roomkit.ExternalAll, "Mode", "ExternalAll is for a company", ""),
		demand(c.User == "" || c.User.Valid(), "User", "not an id", ""),
		checkEnum("Mode", c.Mode),
	)
}

func needSetExternalMessaging(n *store.Need, c roomkit.SetExternalMessaging) {
	n.Companies = append(n.Companies, c.Company)
	if c.User != "" {
		n.People = append(n.People, c.User)
	}
}

func (d *decider) setExternalMessaging(c roomkit.SetExternalMessaging) error {
	company := *d.f.company(c.Company)
	if err := d.mayAdminister(company.ID); err != nil {
		return err
	}
	mode := &company.Partners
	if c.With == roomkit.OutsiderConsumer {
		mode = &company.Consumers
	}
	if c.User != "" {
		return d.setUserMessaging(c, company, *mode)
	}
	if *mode != c.Mode {
		d.emitCompany(company, company.ID, &roomkit.CompanyMessagingChanged{With: c.With, From: *mode, To: c.Mode})
	}
	return nil
}

func (d *decider) setUserMessaging(c roomkit.SetExternalMessaging, company roomkit.Company, mode roomkit.ExternalMode) error {
	u := *d.f.user(c.User)
	if u.ID == "" || u.Company != company.ID || u.Kind != roomkit.UserMember {
		return d.denied("ADM-23", roomkit.ActionNone, "no such member of the company", c.User)
	}
	on, has := c.Mode == roomkit.ExternalSelected, u.Partners
	if c.With == roomkit.OutsiderConsumer {
		has = u.Consumers
	}
	if !on && mode == roomkit.ExternalAll {
		return d.denied("ADM-03", roomkit.ActionNone, "it is granted to all members", c.User)
	}
	if on != has {
		d.emitUser(u, u.ID, &roomkit.UserMessagingChanged{
			With: c.With, On: on, Permits: on && mode == roomkit.ExternalSelected, Company: company.Version,
		})
	}
	return nil
}

func checkPutUsers(c roomkit.PutUsers) error {
	people := make([]roomkit.UserID, 0, len(c.Users))
	for i, u := range c.Users {
		people = append(people, u.ID)
		if err := checkOfUser(u); err != nil {
			return fmt.Errorf("user %d of the list: %w", i, err)
		}
	}
	return checkPeople("Users", people)
}

func checkOfUser(u roomkit.User) error {
	return cmp.Or(
		demand(u.Kind != roomkit.UserNone && enum.Known(u.Kind), "Kind", "missing or unknown", ""),
		demand(u.Status != roomkit.StatusNone && enum.Known(u.Status), "Status", "missing or unknown", ""),
		demand((u.Kind == roomkit.UserConsumer) == (u.Company == ""), "Company", "consumers have none, all others have one", ""),
		demand(u.Company == "" || u.Company.Valid(), "Company", "not an id", ""),
	)
}

func needPutUsers(n *store.Need, c roomkit.PutUsers) {
	for _, u := range c.Users {
		n.People = append(n.People, u.ID)
		if u.Company != "" {
			n.Companies = append(n.Companies, u.Company)
		}
	}
}

func (d *decider) putUsers(users []roomkit.User) error {
	if !d.actor.IsSystem() {
		return d.denied("ADM-23", roomkit.ActionNone, "only the system provisions users")
	}
	for i, u := range users {
		before, company := *d.f.user(u.ID), d.f.company(u.Company)
		field := fmt.Sprintf("Users[%d]", i)
		if u.Company != "" && company.Version == 0 {
			return bad(field, "the company is not known")
		}
		after := givenUser(u)
		if before.Version > 0 {
			if before.Company != u.Company || before.Kind != u.Kind {
				return bad(field, "company and kind of a user never change")
			}
			if before.Partners && !u.Partners && company.Partners == roomkit.ExternalAll || before.Consumers && !u.Consumers && company.Consumers == roomkit.ExternalAll {
				return d.denied("ADM-03", roomkit.ActionNone, "it is granted to all members", u.ID)
			}
			if givenUser(before) == after {
				continue
			}
		}
		d.emitUser(before, u.ID, &roomkit.UserPut{User: after, CompanyVersion: company.Version})
	}
	return nil
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
	if u := d.f.user(c.User); u.Status == roomkit.StatusDeleted && (d.actor.IsSystem() || d.home() == u.Company) {
		return d.denied("ADM-13", roomkit.ActionNone, "the account is deleted", c.User)
	}
	return d.setStatus(c.User, to)
}

func (d *decider) restoreUser(id roomkit.UserID) error {
	if u := d.f.user(id); u.Status == roomkit.StatusSuspended || u.Status == roomkit.StatusActive {
		return d.mayAdministerUser(u)
	}
	return d.setStatus(id, roomkit.StatusActive)
}

func (d *decider) setStatus(id roomkit.UserID, to roomkit.UserStatus) error {
	u := *d.f.user(id)
	if err := d.mayAdministerUser(&u); err != nil {
		return err
	}
	if u.Status != to {
		d.emitUser(u, u.ID, &roomkit.UserStatusChanged{From: u.Status, To: to})
	}
	return nil
}

// mayAdministerUser is for the system, which also keeps consumers, and for
// administrators of the user's company.
func (d *decider) mayAdministerUser(u *roomkit.User) error {
	if d.actor.IsSystem() && u.Kind == roomkit.UserConsumer {
		return nil
	}
	return d.mayAdminister(u.Company)
}

func checkSyncTeam(c roomkit.SyncTeam) error {
	t := &c.Team
	return cmp.Or(
		checkID("Team.ID", t.ID),
		checkID("Team.Company", t.Company),
		demand(t.Name != "", "Team.Name", "missing", "TEAM-09"),
		demand(t.Leader == "" || t.Leader.Valid(), "Team.Leader", "not an id", ""),
		demand(t.Preset&^roomkit.AllFeatures == 0, "Team.Preset", "unknown feature", ""),
		demand(t.SyncedSeq >= 0, "Team.SyncedSeq", "negative", ""),
		checkText("Team.Name", t.Name, roomkit.MaxGroupName, "LIM-04"),
		checkSome("Team.Members", t.Members, roomkit.MaxTeamMembers),
	)
}

func needSyncTeam(n *store.Need, c roomkit.SyncTeam) {
	n.Team, n.Room = c.Team.ID, roomkit.TeamRoom(c.Team.ID)
	n.Companies = append(n.Companies, c.Team.Company)
	n.People = append(n.People, c.Team.Members...)
	if c.Team.Leader != "" {
		n.People = append(n.People, c.Team.Leader)
	}
}

func (d *decider) syncTeam(after roomkit.Team) error {
	before := d.f.Team
	if err := d.mayAdminister(d.f.company(after.Company).ID); err != nil {
		return err
	}
	if before.Version > 0 && before.Company != after.Company {
		return d.denied("ADM-23", roomkit.ActionNone, "the team belongs to another company")
	}
	if after.SyncedSeq > 0 && after.SyncedSeq < before.SyncedSeq {
		return bad("Team.SyncedSeq", "older than the last sync")
	}
	after.Members = sorted(after.Members)
	if err := d.checkTeamPeople(&after); err != nil {
		return err
	}
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

// checkTeamPeople demands known people of the team's company (TEAM-07).
func (d *decider) checkTeamPeople(t *roomkit.Team) error {
	named := t.Members
	if t.Leader != "" {
		named = append(slices.Clone(named), t.Leader)
	}
	for _, id := range named {
		if u := d.f.user(id); u.ID == "" || u.Status == roomkit.StatusDeleted || u.Company != t.Company {
			return d.denied("TEAM-07", roomkit.ActionInvite, "not known members of the team's company", id)
		}
	}
	return nil
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
	d.stampDirectory(e, roomkit.TeamSubject(after.ID), before.Version)
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

func (d *decider) openTeamRoom() error {
	t := &d.f.Team
	leads := !d.actor.IsSystem() && t.Leader == d.me.ID
	byLeader := leads && !d.me.Administrator
	switch {
	case t.Version == 0 || !leads && d.mayAdminister(t.Company) != nil:
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
		id: roomkit.TeamRoom(t.ID), kind: roomkit.KindTeam, company: t.Company, team: t.ID, origin: roomkit.OriginSystem, name: t.Name,
		settings: roomkit.GroupSettings{Notify: t.Notify, FeaturesOff: roomkit.AllFeatures &^ t.Preset},
		cause:    roomkit.CauseOrganisation,
		people:   those(d.people(t.Members), func(p *Person) bool { return p.Status != roomkit.StatusDeleted && p.Status != roomkit.StatusNone }),
	}
	return d.open(o)
}
