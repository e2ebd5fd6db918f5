package oracle

import (
	"slices"
	"time"
)

func drawDirectory(d *drawing) (string, Command) {
	d.w.directing = true
	return d.from(directory)
}

// account draws whom a command of the directory is about: mostly whom the last one
// was about, or else somebody in an external group.
func (d *drawing) account(is func(*User) bool) *User {
	all := d.users(is)
	inside := slices.DeleteFunc(slices.Clone(all), func(u string) bool {
		return !slices.ContainsFunc(d.rooms(ExternalRoom), func(r *Room) bool { return r.Periods[u] > 0 || r.Masters[u] > 0 })
	})
	switch {
	case len(all) == 0:
		return d.account(human)
	case contains(all, d.w.focus) && d.percent(60):
	case len(inside) > 0 && d.percent(60):
		d.w.focus = one(d, "account in an external group", inside...)
	default:
		d.w.focus = one(d, "account", all...)
	}
	return d.w.Users[d.w.focus]
}

// company draws a company: mostly that of the account in focus.
func (d *drawing) company() *Company {
	if u := d.w.Users[d.w.focus]; u != nil && u.Kind == Human && d.percent(70) {
		return d.w.Companies[u.Company]
	}
	return d.w.Companies[one(d, "company", "a", "b", "a", "b", "c")]
}

// director draws who changes a company's directory.
func (d *drawing) director(company string) string {
	if d.percent(15) {
		return one(d, "actor", d.users(anyone)...)
	}
	admins := d.users(func(u *User) bool { return u.Admin && u.Company == company })
	return d.actor(append(admins, System))
}

// system is the system, now and then somebody who must not do what it does.
func (d *drawing) system() string {
	if d.percent(8) {
		return one(d, "actor", d.users(anyone)...)
	}
	return System
}

func (d *drawing) mode() Mode { return one(d, "mode", Off, Selected, Selected, All, All) }

func (d *drawing) channel() Outsider {
	return one(d, "with", WithPartners, WithPartners, WithConsumers)
}

func drawCompanyMode(d *drawing) (string, Command) {
	company := d.company().ID
	return d.director(company), SetCompanyMessaging{Company: company, With: d.channel(), Mode: new(d.mode())}
}

func drawUserMode(d *drawing) (string, Command) {
	u := d.account(human)
	x := SetUserMessaging{User: u.ID, With: d.channel(), Allow: new(true)}
	if own := u.Partners && x.With == WithPartners || u.Consumers && x.With == WithConsumers; own != d.percent(10) {
		x.Allow = new(false)
	}
	if d.percent(8) {
		x.User = d.user()
	}
	return d.director(u.Company), x
}

// drawAddCompany adds one of a few further companies, or says something else of one that
// is there.
func drawAddCompany(d *drawing) (string, Command) {
	co := *d.company()
	co.Partners, co.Consumers, co.Licensed = d.mode(), d.mode(), d.coin()
	if d.percent(80) {
		co.ID = one(d, "further company", "d", "e", "f", "g")
	}
	return d.system(), AddCompany{co}
}

func drawEditCompany(d *drawing) (string, Command) {
	company := d.company()
	x, window := EditCompany{Company: company.ID}, one(d, "window", time.Hour, 24*time.Hour)
	if d.coin() {
		x.MembersCreateGroups, x.RecallWindow = d.flip(), &window
	}
	actor := d.director(company.ID)
	if actor == System && d.percent(60) || d.percent(5) {
		x.Licensed = new(d.percent(80) || !company.Licensed)
	}
	if actor == System && d.percent(20) || x == (EditCompany{Company: company.ID}) && d.percent(90) {
		x.MaxGroups = new(d.c.Choose(6, "most groups"))
	}
	return actor, x
}

// drawAddUser adds one of a few further people, or says something else of somebody who is
// there. No bots: what becomes of a room that only bots are in is not said.
func drawAddUser(d *drawing) (string, Command) {
	u := *d.account(human)
	u.Partners, u.Consumers, u.Admin = d.coin(), d.coin(), d.percent(40)
	u.LostPartners, u.LostAccount = 0, 0
	u.Status = one(d, "status", Active, Active, Active, Suspended, Deleted)
	if d.percent(80) {
		u.ID = one(d, "further user", "n1", "n2", "n3", "n4", "n5")
	}
	switch {
	case d.percent(10):
		u.Company = one(d, "company", "a", "b", "nowhere")
	case d.percent(3):
		u.Kind = Line
	}
	return d.system(), AddUser{u}
}

func drawEditUser(d *drawing) (string, Command) {
	u := d.account(human)
	x := EditUser{User: u.ID, Admin: new(!u.Admin != d.percent(10))}
	if d.percent(5) {
		x.User = d.user()
	}
	return d.system(), x
}

func drawSuspend(d *drawing) (string, Command) {
	u := d.account(func(u *User) bool { return u.Status != Deleted || d.percent(5) })
	return d.director(u.Company), SuspendUser{User: u.ID, Lift: (u.Status == Suspended) != d.percent(10)}
}

func drawDelete(d *drawing) (string, Command) {
	if d.percent(3) {
		return d.system(), DeleteUser{User: d.user()}
	}
	u := d.account(func(u *User) bool { return u.Status != Deleted || d.percent(5) })
	return d.director(u.Company), DeleteUser{User: u.ID}
}

// drawRestore brings back whoever is deleted, or nobody is to be brought back.
func drawRestore(d *drawing) (string, Command) {
	u := d.account(func(u *User) bool { return u.Status == Deleted })
	return d.director(u.Company), RestoreUser{User: u.ID}
}

// drawChart moves a team in the organisation chart, or adds another one.
func drawChart(d *drawing) (string, Command) {
	t := d.w.Teams[TeamKey(one(d, "company", "a", "a", "a", "b"), "t")]
	x := SyncTeam{Team: t.ID, Company: t.Company, Name: t.Name, Leader: t.Leader, Members: slices.Clone(t.Members)}
	ours := d.users(func(u *User) bool {
		return u.Company == t.Company && u.Kind == Human && (u.Status != Deleted || d.percent(10))
	})
	switch d.c.Choose(4, "team") {
	case 0:
		x.Name = d.name()
	case 1:
		x.Leader = one(d, "leader", append(ours, "")...)
	default:
		x.Members = d.people(4, "", ours)
	}
	x.Seq = one(d, "sequence", 0, 0, t.SyncedSeq, t.SyncedSeq+1, max(0, t.SyncedSeq-1))
	if d.percent(8) {
		x.Team = "t2"
	}
	actor := d.director(t.Company)
	x.Company = d.teamOf(actor, t.Company)
	return actor, x
}

// drawGrant changes what is granted to a team.
func drawGrant(d *drawing) (string, Command) {
	company := one(d, "company", "a", "a", "a", "b")
	x := EditTeam{Team: "t", Features: d.flip(), Photo: d.flip(), Notify: d.flip()}
	if d.percent(40) {
		x.Room = new(d.percent(70))
	}
	if d.percent(30) {
		x.Preset = &Features{Note: d.coin(), Event: d.coin(), Folder: d.coin()}
	}
	if d.percent(5) {
		x.Team = one(d, "team", "t2", "nowhere")
	}
	actor := d.director(company)
	x.Company = d.teamOf(actor, company)
	return actor, x
}

// teamOf names the company of a team, or leaves it out: it is the actor's then.
func (d *drawing) teamOf(actor, company string) string {
	if d.percent(2) {
		return one(d, "company", "", "a", "b", "l")
	}
	if u := d.w.Users[actor]; u != nil && u.Company == company && d.coin() {
		return ""
	}
	return company
}
