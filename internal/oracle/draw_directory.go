package oracle

import "time"

// director draws who changes a company's directory.
func (d *drawing) director(company string) string {
	if d.percent(20) {
		return one(d, "actor", d.users(anyone)...)
	}
	admins := d.users(func(u *User) bool { return u.Admin && u.Company == company })
	return one(d, "director", append(admins, System)...)
}

func drawMessaging(d *drawing) (string, Command) {
	company := one(d, "company", "a", "a", "b", "c")
	x := SetExternalMessaging{Company: company, Channel: one(d, "channel", WorksChannel, WorksChannel, LineChannel)}
	if d.percent(60) {
		x.User = d.user()
		if d.percent(85) {
			x.User = one(d, "user", d.users(func(u *User) bool { return u.Company == company && u.Kind == Human })...)
		}
		x.Mode = one(d, "mode", Off, Selected)
	} else {
		x.Mode = one(d, "mode", Off, Selected, Selected, All, All)
	}
	return d.director(company), x
}

func drawAccount(d *drawing) (string, Command) {
	user := d.user()
	if gone := d.users(func(u *User) bool { return u.Status != Active }); len(gone) > 1 {
		user = one(d, "user not active", gone...)
	}
	company := "a"
	if u := d.w.Users[user]; u != nil {
		company = u.Company
	}
	actor := d.director(company)
	u := d.w.Users[user]
	switch {
	case u != nil && u.Status == Deleted && d.percent(80):
		return actor, RestoreUser{User: user}
	case u != nil && u.Status == Suspended && d.percent(80):
		return actor, SuspendUser{User: user, Lift: true}
	case d.percent(40):
		return actor, SuspendUser{User: user, Lift: d.percent(10)}
	case d.percent(90):
		return actor, DeleteUser{User: user}
	default:
		return actor, RestoreUser{User: user}
	}
}

func drawDirectory(d *drawing) (string, Command) {
	company := one(d, "company", "a", "b")
	co := *d.w.Companies[company]
	switch d.c.Choose(4, "directory") {
	case 0:
		window := one(d, "window", time.Hour, 24*time.Hour)
		return d.director(company), EditCompany{Company: company, MembersCreateGroups: d.flip(), RecallWindow: &window}
	case 1:
		co.Core = d.percent(90) || !co.Core
		co.Works, co.Line = one(d, "works", Off, Selected, All), one(d, "line", Off, Selected, All)
		return d.system(), PutCompany{co}
	default:
		u := *d.w.Users[one(d, "user", d.users(human)...)]
		u.Works, u.Line, u.Admin = d.coin(), d.coin(), d.percent(40)
		u.LostWorks, u.LostAccount = 0, 0
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
}

// system is the system, now and then somebody who must not do what it does.
func (d *drawing) system() string {
	if d.percent(10) {
		return one(d, "actor", d.users(anyone)...)
	}
	return System
}

func drawTeam(d *drawing) (string, Command) {
	t := d.w.Teams["t"].clone()
	ours := d.users(func(u *User) bool { return u.Company == t.Company && u.Kind == Human })
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
