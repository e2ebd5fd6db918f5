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
	return d.director(company), SetExternalMessaging{Company: company, With: d.channel(), Mode: d.mode()}
}

func drawUserMode(d *drawing) (string, Command) {
	u := d.account(human)
	x := SetExternalMessaging{Company: u.Company, User: u.ID, With: d.channel(), Mode: Selected}
	if own := u.Partners && x.With == WithPartners || u.Consumers && x.With == WithConsumers; own != d.percent(10) {
		x.Mode = Off
	}
	if d.percent(8) {
		x.User = d.user()
	}
	return d.director(u.Company), x
}

func drawPutCompany(d *drawing) (string, Command) {
	co := *d.company()
	co.Partners, co.Consumers = d.mode(), d.mode()
	co.Licensed = d.percent(90) || !co.Licensed
	return d.system(), PutCompany{co}
}

func drawEditCompany(d *drawing) (string, Command) {
	company, window := d.company().ID, one(d, "window", time.Hour, 24*time.Hour)
	return d.director(company), EditCompany{Company: company, MembersCreateGroups: d.flip(), RecallWindow: &window}
}

func drawPutUsers(d *drawing) (string, Command) {
	u := *d.account(human)
	u.Partners, u.Consumers, u.Admin = d.coin(), d.coin(), d.percent(40)
	u.LostPartners, u.LostAccount = 0, 0
	switch {
	case d.percent(4):
		u.Company = one(d, "company", "a", "b", "nowhere")
	case d.percent(3):
		u.Kind = Bot
	case d.percent(20):
		u.Status = one(d, "status", Active, Active, Suspended, Deleted)
	}
	return d.system(), PutUsers{[]User{u}}
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

func drawTeam(d *drawing) (string, Command) {
	t := d.w.Teams["t"].clone()
	ours := d.users(func(u *User) bool {
		return u.Company == t.Company && u.Kind == Human && (u.Status != Deleted || d.percent(10))
	})
	switch d.c.Choose(5, "team") {
	case 0:
		t.Name = d.name()
	case 1:
		t.Leader = one(d, "leader", append(ours, "")...)
	case 2:
		t.Features, t.Photo, t.Room = d.coin(), d.coin(), d.percent(70)
	default:
		t.Members = d.people(4, "", ours)
	}
	t.Seq = one(d, "sequence", 0, 0, t.Seq, t.Seq+1, max(0, t.Seq-1))
	return d.director(t.Company), SyncTeam{t}
}
