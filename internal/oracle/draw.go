package oracle

import (
	"maps"
	"slices"
	"strings"
)

// Chooser draws a number from 0 to n-1.
type Chooser interface {
	Choose(n int, what string) int
}

type drawing struct {
	w *World
	c Chooser
}

type drawer struct {
	weight int
	draw   func(*drawing) (actor string, cmd Command)
}

var drawers = []drawer{
	{4, drawOpen}, {4, drawDirect}, {8, drawCreate}, {4, drawMeeting}, {7, drawGroup}, {10, drawInvite}, {4, drawGathering},
	{10, drawEdit}, {10, drawLoss}, {12, drawDirectory},
	{7, inRoom(inside, remove, GeneralRoom, GroupRoom, ExternalRoom)}, {5, inRoom(inside, leave)},
	{4, inRoom(managing, appoint, GroupRoom, ExternalRoom)}, {1, inRoom(inside, appoint)}, {1, inRoom(inside, remove)}, {2, inRoom(managing, handOver, GroupRoom, ExternalRoom)},
	{4, inRoom(managing, dismiss, GroupRoom, ExternalRoom)}, {1, inRoom(inside, deleteRoom)}, {1, inRoom(inside, deleteData)},
	{4, inRoom(inside, convert, GeneralRoom)}, {1, inRoom(inside, nonsense)},
}

// directory has the commands that change it, each as likely as the others: half of
// the time another one follows, so that they come in every order.
var directory = []drawer{
	{1, drawCompanyMode}, {1, drawUserMode}, {1, drawAddCompany}, {1, drawEditCompany}, {1, drawAddUser}, {1, drawEditUser},
	{1, drawSuspend}, {1, drawDelete}, {1, drawRestore}, {1, drawChart}, {1, drawGrant},
}

var inside, managing = (*drawing).somebodyIn, (*drawing).manager

// openers are drawn while there are few rooms.
var openers = []drawer{{3, drawOpen}, {3, drawDirect}, {6, drawCreate}, {6, drawGroup}, {1, drawDirectory}}

// Draw draws a command and who sends it: mostly somebody who stands a chance.
func (w *World) Draw(c Chooser) (actor string, cmd Command) {
	d, after := &drawing{w, c}, w.directing
	w.directing = false
	switch {
	case after && d.coin():
		return drawDirectory(d)
	case len(w.Rooms) < 5 && c.Choose(8, "opener") > 0:
		return d.from(openers)
	default:
		return d.from(drawers)
	}
}

func (d *drawing) from(table []drawer) (string, Command) {
	var all []int
	for i, of := range table {
		all = append(all, slices.Repeat([]int{i}, of.weight)...)
	}
	return table[one(d, "command", all...)].draw(d)
}

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

// actor draws one of them who sends a command: mostly somebody who can do anything.
func (d *drawing) actor(from []string) string {
	if awake := slices.DeleteFunc(slices.Clone(from), func(u string) bool { return u != System && d.w.Barred(u) }); len(awake) > 0 && !d.percent(8) {
		from = awake
	}
	return one(d, "actor", from...)
}

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
	if d.percent(1) {
		out = append(out, out[0])
	}
	return out
}

// human draws an acting member of a company.
func (d *drawing) human() string {
	if d.percent(2) {
		return System
	}
	return d.actor(d.users(human))
}

// rooms are those of some kinds, or all, that have not ended.
func (d *drawing) rooms(kinds ...Kind) (all []*Room) {
	for _, id := range slices.Sorted(maps.Keys(d.w.Rooms)) {
		if r := d.w.Rooms[id]; !r.Ended && (len(kinds) == 0 || slices.Contains(kinds, r.Kind)) {
			all = append(all, r)
		}
	}
	return all
}

// room draws a room, now and then one that has ended or does not exist.
func (d *drawing) room(kinds ...Kind) string {
	all := d.rooms(kinds...)
	if often := d.rooms(one(d, "kind", GeneralRoom, GroupRoom, ExternalRoom, GroupRoom, ExternalRoom, TeamRoom, DirectRoom)); len(kinds) == 0 && len(often) > 0 {
		all = often
	}
	switch {
	case d.percent(4):
		return one(d, "any room", append(slices.Sorted(maps.Keys(d.w.Rooms)), "nowhere")...)
	case len(all) == 0:
		return "nowhere"
	}
	return one(d, "room", all...).ID
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
		return d.actor(append(d.users(anyone), System))
	default:
		return d.actor(in)
	}
}

func (d *drawing) present(room string) []string {
	if r := d.w.Rooms[room]; r != nil && d.percent(85) {
		return slices.Sorted(maps.Keys(r.Participants))
	}
	return d.users(anyone)
}

// name draws from a few names, so that they meet, and now and then one as long as
// may be or longer.
func (d *drawing) name() string {
	if d.percent(3) {
		return strings.Repeat("é", one(d, "length", 100, 101, 300, 301, 1000, 1001))
	}
	return one(d, "name", "Red", "RED", "Red ", "Blue", "Green", "Grey", "Gold")
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

// void lists the people of a room whose participation or role does not count.
func (d *drawing) void(room string) []string {
	r := d.w.Rooms[room]
	if r == nil {
		return nil
	}
	return d.users(func(u *User) bool { return d.w.voidParticipant(r, u.ID) || d.w.voidMaster(r, u.ID) })
}

// where draws a room that is like this, or else any room.
func (d *drawing) where(is func(*Room) bool) string {
	all := slices.DeleteFunc(d.rooms(), func(r *Room) bool { return !is(r) })
	if len(all) == 0 {
		return d.room()
	}
	return one(d, "room", all...).ID
}

// manager draws a master or administrator of a room, or else anybody in it.
func (d *drawing) manager(room string) string {
	if r := d.w.Rooms[room]; r != nil && d.percent(80) {
		could := d.users(func(u *User) bool {
			_, is := r.Masters[u.ID]
			return is || administers(u, r) || d.w.leads(u, r)
		})
		if len(could) > 0 {
			return d.actor(could)
		}
	}
	return d.somebodyIn(room)
}

func drawOpen(d *drawing) (string, Command) {
	if d.coin() {
		return d.actor(append(d.users(anyone), System)), OpenSelf{}
	}
	company, team, _ := strings.Cut(one(d, "team", append(slices.Sorted(maps.Keys(d.w.Teams)), "a/noteam")...), "/")
	actor := d.human()
	return actor, OpenTeamRoom{Team: team, Company: d.teamOf(actor, company)}
}

func drawDirect(d *drawing) (string, Command) {
	actor := d.actor(d.users(func(u *User) bool { return u.Kind != Bot }))
	return actor, OpenDirect{With: d.user()}
}

func drawCreate(d *drawing) (string, Command) {
	actor := d.human()
	x := CreateRoom{Origin: one(d, "origin", FromPicker, FromPicker, FromEvent, FromMail, FromRoom), AllowDuplicate: d.percent(60)}
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
	if d.percent(20) {
		x.Audience = NoAudience
	}
	switch x.Origin {
	case FromEvent, FromMail:
		x.Title = d.name()
		if d.coin() {
			x.Audience = NoAudience
		}
	case FromRoom:
		if d.coin() {
			x.Audience = NoAudience
		}
		x.Source = d.room()
		actor = d.somebodyIn(x.Source)
		x.People = slices.DeleteFunc(x.People, func(p string) bool { return p == actor })
	}
	if len(x.People) > 1 && d.coin() {
		x.Name = d.name()
	}
	if len(x.People) > 1 && d.percent(10) {
		x.Photo, x.Description = "photo", d.name()
	}
	if len(x.People) > 1 && !x.AllowDuplicate && d.percent(30) {
		x.Existing = d.room()
	}
	return actor, x
}

// drawMeeting picks people who share a room already (CRE-04).
func drawMeeting(d *drawing) (string, Command) {
	room := d.where(func(r *Room) bool { return len(r.Participants) > 2 })
	people := d.present(room)
	if len(people) < 3 {
		return drawCreate(d)
	}
	actor := d.actor(people)
	x := CreateRoom{Origin: one(d, "origin", FromPicker, FromEvent, FromMail), People: d.people(3, actor, people)}
	if x.Origin == FromPicker {
		x.Audience = one(d, "audience", Members, Members, Externals)
	}
	switch d.c.Choose(3, "answer") {
	case 0:
		x.Existing = room
	case 1:
		x.AllowDuplicate, x.Name = true, d.name()
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
	if d.percent(10) {
		x.Photo, x.Description = "photo", d.name()
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
	if gone := d.void(x.Room); len(gone) > 0 && d.coin() {
		x.People = d.people(2, "", gone)
	}
	if d.coin() {
		x.Name = d.name()
	}
	return actor, x
}

// drawGathering invites into a room without masters whoever could change its kind:
// LINE users and people of another company.
func drawGathering(d *drawing) (string, Command) {
	x := Invite{Room: d.where(func(r *Room) bool { return r.Kind == GeneralRoom || r.Kind == DirectRoom }), Name: d.name()}
	actor := d.somebodyIn(x.Room)
	x.People = d.people(2, actor, d.users(func(u *User) bool { return u.Kind == Line || d.w.Contacts[[2]string{actor, u.ID}] || d.percent(20) }))
	return actor, x
}

// inRoom draws a command for a room of some kinds, who sends it, and whom of the
// room it names.
func inRoom(by func(d *drawing, room string) string, cmd func(d *drawing, room string, people []string) Command, kinds ...Kind) func(*drawing) (string, Command) {
	return func(d *drawing) (string, Command) {
		room := d.room(kinds...)
		return by(d, room), cmd(d, room, d.people(2, "", d.present(room)))
	}
}

func remove(_ *drawing, room string, people []string) Command { return Remove{room, people} }

func leave(_ *drawing, room string, _ []string) Command { return Leave{room} }

func appoint(_ *drawing, room string, people []string) Command { return AppointMasters{room, people} }

func handOver(_ *drawing, room string, people []string) Command { return HandOver{room, people[0]} }

func dismiss(d *drawing, room string, people []string) Command {
	if r := d.w.Rooms[room]; r != nil && len(r.Masters) > 0 && d.percent(70) {
		people = d.people(2, "", slices.Sorted(maps.Keys(r.Masters)))
	}
	return DismissMasters{room, people}
}

func deleteRoom(_ *drawing, room string, _ []string) Command { return DeleteRoom{room} }

func deleteData(d *drawing, room string, _ []string) Command {
	return DeleteFeatureData{room, Features{one(d, "feature", Note, Event, Folder): true}}
}

func convert(d *drawing, room string, _ []string) Command {
	x := Convert{Room: room, To: one(d, "kind", GroupRoom, ExternalRoom)}
	if d.percent(70) {
		x.Name = d.name()
	}
	return x
}

// nonsense is what nobody may say in any room.
func nonsense(d *drawing, room string, _ []string) Command {
	return one[Command](d, "malformed", Invite{Room: room}, Remove{Room: room}, AppointMasters{Room: room}, HandOver{Room: room},
		Convert{Room: room, To: TeamRoom}, CreateRoom{People: []string{"a2", "a3"}, Origin: FromRoom})
}

func drawEdit(d *drawing) (string, Command) {
	x := Edit{Room: d.room(), Switch: map[Feature]bool{}}
	if d.percent(20) {
		return d.drawOn()
	}
	actor := d.somebodyIn(x.Room)
	if d.coin() {
		actor = d.manager(x.Room)
	}
	for range 1 + d.c.Choose(2, "fields") {
		d.field(&x)
	}
	return actor, x
}

// drawOn switches message on where it is off.
func (d *drawing) drawOn() (string, Command) {
	on := true
	x := Edit{Room: d.where(func(r *Room) bool { return !r.OffSince.IsZero() }), Message: &on}
	return d.manager(x.Room), x
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

// drawLoss deals with people whose participation or role does not count any more,
// and makes some if there are none.
func drawLoss(d *drawing) (string, Command) {
	room := d.where(func(r *Room) bool { return len(d.void(r.ID)) > 0 })
	gone := d.void(room)
	if len(gone) == 0 {
		return d.lose()
	}
	people := d.people(2, "", gone)
	switch d.c.Choose(6, "after a loss") {
	case 0, 1:
		x := Expel{Room: room, People: people, Cause: one(d, "cause", ByPermission, ByAccount)}
		if d.percent(90) {
			return System, x
		}
		return d.somebodyIn(room), x
	case 2:
		return d.manager(room), Invite{Room: room, People: people}
	case 3:
		return d.manager(room), AppointMasters{Room: room, People: people}
	case 4:
		return d.manager(room), one[Command](d, "end", Remove{Room: room, People: people}, DismissMasters{Room: room, People: people})
	default:
		return d.give(people[0])
	}
}

// lose takes the permission or the account from somebody in an external group.
func (d *drawing) lose() (string, Command) {
	room := d.where(func(r *Room) bool { return r.Kind == ExternalRoom })
	user := one(d, "loser", append(d.present(room), "a2")...)
	u := d.w.Users[user]
	switch d.c.Choose(4, "loss") {
	case 0:
		return System, DeleteUser{User: user}
	case 1:
		return d.director(u.Company), SetCompanyMessaging{Company: u.Company, With: WithPartners, Mode: new(Off)}
	default:
		return d.director(u.Company), SetUserMessaging{User: user, With: WithPartners, Allow: new(false)}
	}
}

// give undoes a loss.
func (d *drawing) give(user string) (string, Command) {
	u := d.w.Users[user]
	switch {
	case u == nil || u.Kind == Line || u.Status == Deleted:
		return System, RestoreUser{User: user}
	case d.w.Companies[u.Company].Partners == Off:
		return System, SetCompanyMessaging{Company: u.Company, With: WithPartners, Mode: new(one(d, "mode", Selected, All))}
	default:
		return System, SetUserMessaging{User: user, With: WithPartners, Allow: new(true)}
	}
}
