package oracle

import (
	"maps"
	"slices"
	"time"
)

func (d *drawing) percent(p int) bool { return d.c.Choose(100, "chance") < p }

func one[T any](d *drawing, what string, from ...T) T { return from[d.c.Choose(len(from), what)] }

func (d *drawing) users(is func(*User) bool) []string {
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(d.w.Users)) {
		if is(d.w.Users[id]) {
			ids = append(ids, id)
		}
	}
	return ids
}

func anyone(*User) bool { return true }

// user draws somebody, now and then nobody that exists.
func (d *drawing) user() string {
	if d.percent(2) {
		return "ghost"
	}
	return one(d, "user", d.users(anyone)...)
}

// people draws 1 to n of some, distinct and without one.
func (d *drawing) people(n int, except string, from []string) []string {
	from = slices.DeleteFunc(slices.Clone(from), func(p string) bool { return p == except })
	var out []string
	for range 1 + d.c.Choose(n, "how many") {
		if len(from) == 0 {
			break
		}
		i := d.c.Choose(len(from), "person")
		out = append(out, from[i])
		from = slices.Delete(from, i, i+1)
	}
	if len(out) == 0 || d.percent(2) {
		out = append(out, "ghost")
	}
	return out
}

// human draws an acting member of a company.
func (d *drawing) human() string {
	if d.percent(2) {
		return System
	}
	return one(d, "actor", d.users(human)...)
}

// room draws a room, now and then one that does not exist.
func (d *drawing) room(kinds ...Kind) string {
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(d.w.Rooms)) {
		r := d.w.Rooms[id]
		if (len(kinds) == 0 || slices.Contains(kinds, r.Kind)) && (!r.Ended || d.percent(5)) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 || d.percent(2) {
		return "nowhere"
	}
	return one(d, "room", ids...)
}

// somebodyIn draws an actor for a room: mostly one with a standing in it.
func (d *drawing) somebodyIn(room string) string {
	var in []string
	if r := d.w.Rooms[room]; r != nil {
		in = slices.Sorted(maps.Keys(r.Participants))
		for _, m := range slices.Sorted(maps.Keys(r.Masters)) {
			in = append(in, m, m)
		}
		in = append(in, d.users(func(u *User) bool { return administers(u, r) })...)
	}
	switch {
	case len(in) == 0 || d.percent(12):
		return one(d, "actor", append(d.users(anyone), System)...)
	default:
		return one(d, "actor in the room", in...)
	}
}

func (d *drawing) present(room string) []string {
	if r := d.w.Rooms[room]; r != nil && d.percent(85) {
		return slices.Sorted(maps.Keys(r.Participants))
	}
	return d.users(anyone)
}

// name draws from a few names, so that they meet.
func (d *drawing) name() string {
	return one(d, "name", "Red", "RED", "Blue", "Green", "Grey", "Gold")
}

func (d *drawing) coin() bool { return d.c.Choose(2, "coin") == 1 }

func (d *drawing) flip() *bool {
	v := d.coin()
	return &v
}

func (d *drawing) settings() Settings {
	s := Settings{Public: d.percent(20), Sharing: d.percent(30), Notify: d.percent(30), MessageOff: d.percent(5)}
	if d.percent(30) {
		s.FeaturesOff = Features{one(d, "feature", Note, Event, Folder): true}
	}
	return s
}

func drawOpen(d *drawing) (string, Command) {
	if d.coin() {
		return d.human(), OpenSelf{}
	}
	return d.human(), OpenTeamRoom{Team: one(d, "team", append(slices.Sorted(maps.Keys(d.w.Teams)), "noteam")...)}
}

func drawDirect(d *drawing) (string, Command) {
	actor := one(d, "actor", d.users(func(u *User) bool { return u.Kind != Bot })...)
	return actor, OpenDirect{With: d.user()}
}

func drawCreate(d *drawing) (string, Command) {
	actor := d.human()
	x := CreateRoom{Origin: one(d, "origin", FromPicker, FromPicker, FromEvent, FromMail, FromRoom), Anyway: d.percent(60)}
	from := d.users(anyone)
	if u := d.w.Users[actor]; u != nil && d.percent(60) {
		from = d.users(func(o *User) bool { return o.Company == u.Company })
	}
	x.People = d.people(4, actor, from)
	works := d.w.any(x.People, func(u *User) bool { return d.w.Users[actor] != nil && u.Company != d.w.Users[actor].Company })
	x.Audience = Members
	if works != d.percent(8) {
		x.Audience = Externals
	}
	switch x.Origin {
	case FromEvent, FromMail:
		x.Title = d.name()
		if d.coin() {
			x.Audience = NoAudience
		}
	case FromRoom:
		x.Audience = one(d, "audience", NoAudience, Members)
		x.Source = d.room()
		actor = d.somebodyIn(x.Source)
		x.People = slices.DeleteFunc(x.People, func(p string) bool { return p == actor })
	}
	if len(x.People) > 1 && d.coin() {
		x.Name = d.name()
	}
	if len(x.People) > 1 && !x.Anyway && d.percent(30) {
		x.Use = d.room()
	}
	return actor, x
}

func drawGroup(d *drawing) (string, Command) {
	actor := d.human()
	x := CreateGroup{External: d.coin(), Name: d.name(), Settings: d.settings(), ForOthers: d.percent(15)}
	from := d.users(human)
	if u := d.w.Users[actor]; u != nil && (!x.External || d.percent(30)) && d.percent(92) {
		from = d.users(func(o *User) bool { return o.Company == u.Company })
	}
	if x.ForOthers || d.percent(85) {
		x.Members = d.people(3, actor, from)
	}
	if x.ForOthers || d.percent(25) {
		x.Masters = d.people(2, actor, from)
	}
	if x.External && d.percent(95) {
		x.Settings.Public = false
	}
	return actor, x
}

func drawInvite(d *drawing) (string, Command) {
	x := Invite{Room: d.room()}
	actor := d.somebodyIn(x.Room)
	from := d.users(anyone)
	if r := d.w.Rooms[x.Room]; r != nil && d.coin() {
		from = d.users(func(u *User) bool { return u.Company == r.Company })
	}
	x.People = d.people(2, "", from)
	if d.coin() {
		x.Name = d.name()
	}
	return actor, x
}

func drawRemove(d *drawing) (string, Command) {
	x := Remove{Room: d.room(GeneralRoom, GroupRoom, ExternalRoom, GroupRoom, ExternalRoom, DirectRoom, TeamRoom)}
	x.People = d.people(2, "", d.present(x.Room))
	return d.somebodyIn(x.Room), x
}

func drawLeave(d *drawing) (string, Command) {
	room := d.room()
	return d.somebodyIn(room), Leave{Room: room}
}

func drawMasters(d *drawing) (string, Command) {
	room := d.room(GroupRoom, ExternalRoom)
	if d.percent(5) {
		room = d.room()
	}
	actor, people := d.somebodyIn(room), d.people(2, "", d.present(room))
	switch d.c.Choose(5, "masters") {
	case 0, 1:
		return actor, AppointMasters{Room: room, People: people}
	case 2, 3:
		if r := d.w.Rooms[room]; r != nil && len(r.Masters) > 0 && d.percent(70) {
			people = d.people(2, "", slices.Sorted(maps.Keys(r.Masters)))
		}
		return actor, DismissMasters{Room: room, People: people}
	default:
		return actor, HandOver{Room: room, To: people[0]}
	}
}

func drawEdit(d *drawing) (string, Command) {
	x := Edit{Room: d.room(), Switch: map[Feature]bool{}}
	actor := d.somebodyIn(x.Room)
	for range 1 + d.c.Choose(2, "fields") {
		d.field(&x)
	}
	return actor, x
}

func (d *drawing) field(x *Edit) {
	text := d.name()
	switch d.c.Choose(12, "field") {
	case 0, 1:
		x.Name = &text
	case 2:
		x.Photo = &text
	case 3:
		x.Description = &text
	case 4:
		x.Public = d.flip()
	case 5, 6:
		x.Sharing = d.flip()
	case 7:
		x.Notify = d.flip()
	case 8, 9:
		x.Message = d.flip()
	case 10:
		x.Withhold = d.flip()
	default:
		x.Switch[one(d, "feature", allFeatures[:]...)] = d.coin()
	}
}

func drawRoomEnd(d *drawing) (string, Command) {
	switch d.c.Choose(6, "end or change of a room") {
	case 0:
		room := d.room()
		return d.somebodyIn(room), DeleteFeatureData{Room: room, Features: Features{one(d, "feature", Note, Event, Folder): true}}
	case 1:
		room := d.room()
		return d.somebodyIn(room), DeleteRoom{Room: room}
	default:
		room := d.room(GeneralRoom)
		if d.percent(10) {
			room = d.room()
		}
		x := Convert{Room: room, To: one(d, "kind", GroupRoom, ExternalRoom)}
		if d.percent(70) {
			x.Name = d.name()
		}
		return d.somebodyIn(room), x
	}
}

func drawExpel(d *drawing) (string, Command) {
	x := Expel{Room: d.room(), Cause: one(d, "cause", ByPermission, ByAccount)}
	x.People = d.people(3, "", d.present(x.Room))
	if d.percent(90) {
		return System, x
	}
	return d.somebodyIn(x.Room), x
}

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
		t.Features, t.Photo = d.coin(), d.coin()
	default:
		t.Members = d.people(4, "", ours)
	}
	t.Seq = one(d, "sequence", 0, 0, t.Seq, t.Seq+1, max(0, t.Seq-1))
	return d.director(t.Company), SyncTeam{t}
}
