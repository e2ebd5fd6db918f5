package decide

import (
	"fmt"
	"slices"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// Decision is what a command would do.
type Decision struct {
	Room    roomkit.RoomID   // the room concerned or opened; zero for directory commands
	Opens   bool             // the command opens a new room
	Offers  []roomkit.Offer  // rooms to choose from instead; then there are no events
	Dropped []roomkit.UserID // people left out for lack of permission, in byte order
	Events  []roomkit.Event  // what happens, in order; none if everything is already so

	Rows   Rows
	Relied []store.Expect
}

// rows are the changed rows that the events lead to.
type Rows struct {
	Rooms     []roomkit.Room
	Members   []roomkit.Member
	Users     []roomkit.User
	Companies []roomkit.Company
	Teams     []roomkit.Team
	Ended     []store.RoomEnd
	Tallies   []store.Tally
}

// MoreNeeded is the answer of [Rules.Decide] when the facts are not enough: load
// Need and decide again.
type MoreNeeded struct{ Need store.Need }

// Error says that more facts are needed.
func (*MoreNeeded) Error() string { return "the decision needs more facts" }

// Need gives what has to be loaded before a command can be decided. What is no
// command needs nothing; Decide refuses it.
func NeedRules(r *roomkit.Rules, actor roomkit.Actor, cmd roomkit.Command) (n store.Need) {
	if CheckValue(cmd) == nil {
		FillNeed(actor, cmd, &n)
	}
	return n
}

func FillNeed(actor roomkit.Actor, cmd roomkit.Command, n *store.Need) {
	if !actor.IsSystem() {
		n.People = append(n.People, actor.User())
	}
	needCommand(cmd, actor, n)
}

// Decide says what a command does: its events, or the error that refuses it.
// It is a pure function of its arguments. A refusal is a [*Denied], an
// [*Invalid] or [ErrNotFound]; [*MoreNeeded] asks for more facts.
func DecideRules(r *roomkit.Rules, f store.Facts, actor roomkit.Actor, cmd roomkit.Command, now time.Time) (Decision, error) {
	if err := CheckCommand(actor, cmd); err != nil {
		return Decision{}, err
	}
	return new(Decider).Decide(r, &f, actor, cmd, now)
}

// decide decides a command whose form has been checked.
func (d *Decider) Decide(r *roomkit.Rules, f *store.Facts, actor roomkit.Actor, cmd roomkit.Command, now time.Time) (Decision, error) {
	*d = Decider{
		Rules: r, F: f, Actor: actor, now: stamp(now), room: f.Room,
		Me: Person{User: noUser, company: noCompany, Row: noRow}, Space: d.Space,
	}
	if d.Space != nil {
		d.out.Rows = d.Space.rows()
	}
	if !actor.IsSystem() {
		d.Me = PersonFacts(f, actor.User())
		if err := d.CheckActor(); err != nil {
			return Decision{}, err
		}
	}
	if err := decideCommand(cmd, d); err != nil {
		return Decision{}, err
	}
	d.finish()
	return d.out, nil
}

func CheckCommand(actor roomkit.Actor, cmd roomkit.Command) error {
	if err := CheckValue(cmd); err != nil {
		return err
	}
	if !actor.IsSystem() && !actor.User().Valid() {
		return roomkit.BadInput("Actor", "not a user id")
	}
	return checkOfCommand(cmd)
}

// checkValue demands one of the commands of this package and not, for instance, a
// pointer to one, which has the same methods.
func CheckValue(cmd roomkit.Command) error {
	switch cmd.(type) {
	case nil:
		return roomkit.BadInput("Command", "missing")
	case roomkit.OpenSelf, roomkit.OpenDirect, roomkit.CreateRoom, roomkit.CreateGroup, roomkit.CreateExternalGroup, roomkit.OpenTeamRoom, roomkit.Convert, roomkit.DeleteRoom,
		roomkit.Invite, roomkit.Remove, roomkit.Leave, roomkit.Expel, roomkit.AppointMasters, roomkit.DismissMasters, roomkit.HandOver, roomkit.Edit, roomkit.DeleteFeatureData,
		roomkit.PutCompany, roomkit.EditCompany, roomkit.PutUsers, roomkit.SetExternalMessaging, roomkit.SuspendUser, roomkit.DeleteUser, roomkit.RestoreUser, roomkit.SyncTeam:
		return nil
	default:
		return roomkit.BadInput("Command", fmt.Sprintf("a %T is no command: commands are values of the types of this package", cmd))
	}
}

// decider holds one decision while it is made. The rows in it are folded: every
// event is applied as it is emitted, and the next question sees its effect.
type Decider struct {
	Rules  *roomkit.Rules
	F      *store.Facts
	Actor  roomkit.Actor
	now    time.Time
	Me     Person         // the acting user; empty for the system
	room   roomkit.Room   // the room being changed
	action roomkit.Action // the last one that the actor was asked for
	fresh  bool           // room is a new one, not f.Room
	begun  []store.Expect // directory subjects that must not exist yet
	out    Decision
	index  map[roomkit.UserID]int // into out.rows.members, when there are many
	Space  *Space                 // may be nil
}

// space is where the rows and records of a usual change begin, so that most
// commands need no allocations for them. No store keeps them.
type Space struct {
	rooms   [1]roomkit.Room
	members [2]roomkit.Member
	tallies [2]store.Tally
	relied  [8]store.Expect
	Records [2]store.Record
	Events  [2]store.EventAt
	Data    [448]byte
}

func (s *Space) rows() Rows {
	return Rows{Rooms: s.rooms[:0], Members: s.members[:0], Tallies: s.tallies[:0]}
}

func (d *Decider) policy() *roomkit.Policy { return &d.Rules.Policy }

func (d *Decider) CheckActor() error {
	if d.Me.ID == "" {
		return &roomkit.Denied{Rule: "CRE-49", Actor: d.Actor, Reason: "the actor is not a known user"}
	}
	if rule := usableUser(d.Me.User, d.Me.company); rule != "" {
		return &roomkit.Denied{Rule: rule, Actor: d.Actor, Room: askedFacts(d.F).Room, Reason: voidReasons[rule]}
	}
	return nil
}

// denied makes a refusal of the command. It names the room that the command names,
// whether or not there is one.
func (d *Decider) denied(rule roomkit.Rule, action roomkit.Action, reason string, people ...roomkit.UserID) error {
	return &roomkit.Denied{
		Rule: rule, Action: action, Actor: d.Actor, Room: askedFacts(d.F).Room,
		People: roomkit.SortedPeople(people), Reason: reason,
	}
}

// may demands that the actor may take the action in the room of the facts. To
// somebody who may not know of the room it is not found.
func (d *Decider) may(action roomkit.Action) error {
	d.action = action
	return MayRules(d.Rules, d.F, &d.Me, d.Actor, action)
}

func MayRules(r *roomkit.Rules, f *store.Facts, who *Person, actor roomkit.Actor, action roomkit.Action) error {
	room := &f.Room
	if room.Version == 0 {
		return roomkit.ErrNotFound
	}
	var st roomkit.Standing
	var void roomkit.Rule
	if !actor.IsSystem() {
		st, void = who.Standing(room, &f.Team)
		if !visibleRules(r, room, who, st, void) {
			return roomkit.ErrNotFound
		}
	} else if room.State == roomkit.StateEnded {
		void = "COM-14"
	}
	lim := limitsOfRules(r, room, &f.Team, barredFacts(f))
	rule, why := r.Forbids(action, room.Kind, st, lim)
	if rule == "" {
		return nil
	}
	if void != "" && st&^roomkit.StandingColleague == 0 {
		rule, why = void, voidReasons[void]
	}
	return &roomkit.Denied{
		Rule: rule, Action: action, Actor: actor, Room: room.ID,
		Reason: fmt.Sprintf("%s in a room of kind %s: %s", action, room.Kind, why),
	}
}

// voidReasons say why somebody who is in a room by the rows may not act there.
var voidReasons = map[roomkit.Rule]string{
	"COM-14":  "the room has ended",
	"COM-10":  "the company does not have the Core product",
	"ADM-13":  "the account is deleted, or has been since",
	"ADM-17":  "the account is suspended",
	"EXT-22":  "the permission to talk with external users is withdrawn, or has been since",
	"LINE-01": "no permission to talk with LINE users",
}

// visible reports whether somebody may know that the room exists.
func visibleRules(r *roomkit.Rules, room *roomkit.Room, who *Person, st roomkit.Standing, void roomkit.Rule) bool {
	if room.State == roomkit.StateEnded {
		endedWith := who.Row.LeftVersion == room.Version // the end is the last event
		return endedWith || who.Administrator && who.User.Company == room.Company && room.Kind >= roomkit.KindGroup
	}
	if void != "" && (who.Row.Participant || who.Row.Master) {
		return true
	}
	return r.Actions(room.Kind, st, visibilityLimitRules(r, room)).Has(roomkit.ActionSeeRoom)
}

func visibilityLimitRules(r *roomkit.Rules, room *roomkit.Room) roomkit.Limits {
	if room.Public {
		return 0
	}
	return 1 << roomkit.LimitPrivate
}

// more asks the service to load more and to decide again.
func (d *Decider) more(change func(n *store.Need)) error {
	n := *askedFacts(d.F)
	n.People = slices.Clone(n.People)
	change(&n)
	return &MoreNeeded{Need: n}
}

// member gives a row as the events so far have left it.
func (d *Decider) member(id roomkit.UserID) *roomkit.Member {
	if i := d.rowIndex(id); i >= 0 {
		return &d.out.Rows.Members[i]
	}
	if d.fresh {
		return noRow
	}
	return RowFacts(d.F, id)
}

func (d *Decider) rowIndex(id roomkit.UserID) int {
	ms := d.out.Rows.Members
	if d.index == nil && len(ms) < indexFrom {
		for i := range ms {
			if ms[i].User == id {
				return i
			}
		}
		return -1
	}
	if len(d.index) < len(ms) {
		d.index = make(map[roomkit.UserID]int, 2*len(ms))
		for i := range ms {
			d.index[ms[i].User] = i
		}
	}
	if i, ok := d.index[id]; ok {
		return i
	}
	return -1
}

func (d *Decider) setMember(m roomkit.Member) {
	if i := d.rowIndex(m.User); i >= 0 {
		d.out.Rows.Members[i] = m
		return
	}
	d.out.Rows.Members = append(d.out.Rows.Members, m)
	if d.index != nil {
		d.index[m.User] = len(d.out.Rows.Members) - 1
	}
}

// someone is a person with the row as the events so far have left it.
func (d *Decider) someone(id roomkit.UserID) Person {
	who := PersonFacts(d.F, id)
	who.Row = d.member(id)
	return who
}

// begin starts a new room; everything emitted from then on concerns it.
func (d *Decider) begin(id roomkit.RoomID, e *roomkit.RoomCreated, notify bool) {
	d.fresh = d.F.Room.ID != id || d.F.Room.Version == 0
	if d.fresh {
		d.room = roomkit.Room{}
	}
	d.out.Opens = true
	d.room.ID = id
	e.Notify = notify
	d.emit(e, roomkit.CauseCreated)
}

// emit stamps an event of the room, applies it and keeps it.
func (d *Decider) emit(e roomkit.Event, cause roomkit.Cause) {
	info := e.Head()
	info.Subject = roomkit.RoomSubject(d.room.ID)
	info.Version = d.room.Version + 1
	info.At = later(d.now, d.room.ChangedAt)
	if _, ok := e.(*roomkit.RoomCreated); !ok {
		info.Notify = info.Notify || d.room.Notify
		if _, ok := e.(*roomkit.NotificationSwitched); ok {
			info.Notify = !d.room.Notify
		}
	}
	if info.Kind == roomkit.KindNone {
		info.Kind = d.room.Kind
	}
	d.sign(info, cause)
	d.room = d.room.Apply(e)
	d.out.Events = append(d.out.Events, e)
}

func (d *Decider) sign(info *roomkit.Meta, cause roomkit.Cause) {
	info.Actor, info.Cause = d.Actor, cause
	if !d.Actor.IsSystem() {
		info.Epoch = d.Me.epoch()
	}
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// finish gathers what the commit has to compare and to write.
func (d *Decider) finish() {
	if d.out.Room.IsZero() {
		d.out.Room = d.room.ID
	}
	if d.roomChanged() {
		d.out.Rows.Rooms = append(d.out.Rows.Rooms, d.room)
	}
	d.out.Relied = d.relied()
}

func (d *Decider) roomChanged() bool {
	return d.fresh || d.room.Version != d.F.Room.Version
}

// relied lists the versions of everything that the decision could have looked at.
func (d *Decider) relied() []store.Expect {
	var list []store.Expect
	if n := 3 + len(d.F.Users) + len(d.F.Companies); d.Space != nil && n <= len(d.Space.relied) {
		list = d.Space.relied[:0]
	} else {
		list = make([]store.Expect, 0, n)
	}
	for f := d.F; f != nil; f = f.Earlier {
		list = relyOnFacts(d.F, list, f)
	}
	if d.fresh {
		list = addExpect(list, store.Expect{Subject: roomkit.RoomSubject(d.room.ID)})
	}
	return append(list, d.begun...)
}

func relyOnFacts(f *store.Facts, list []store.Expect, facts *store.Facts) []store.Expect {
	first := len(list) == 0
	add := func(e store.Expect) {
		if first {
			list = append(list, e)
		} else {
			list = addExpect(list, e)
		}
	}
	if id := askedFacts(facts).Room; !id.IsZero() {
		add(store.Expect{Subject: roomkit.RoomSubject(id), Version: facts.Room.Version})
	}
	for i := range facts.Users {
		add(store.Expect{Subject: roomkit.UserSubject(facts.Users[i].ID), Version: facts.Users[i].Version})
	}
	for i := range facts.Companies {
		add(store.Expect{Subject: roomkit.CompanySubject(facts.Companies[i].ID), Version: facts.Companies[i].Version})
	}
	if facts.Team.Version > 0 {
		add(store.Expect{Subject: roomkit.TeamSubject(facts.Team.ID), Version: facts.Team.Version})
	}
	return list
}

func addExpect(list []store.Expect, e store.Expect) []store.Expect {
	if slices.ContainsFunc(list, func(have store.Expect) bool { return have.Subject == e.Subject }) {
		return list
	}
	return append(list, e)
}

// checkOfCommand runs check of the Command at hand.
func checkOfCommand(of roomkit.Command) error {
	switch v := of.(type) {
	case roomkit.AppointMasters:
		return checkAppointMasters(v)
	case roomkit.Convert:
		return checkConvert(v)
	case roomkit.CreateExternalGroup:
		return checkCreateExternalGroup(v)
	case roomkit.CreateGroup:
		return checkCreateGroup(v)
	case roomkit.CreateRoom:
		return checkCreateRoom(v)
	case roomkit.DeleteFeatureData:
		return checkDeleteFeatureData(v)
	case roomkit.DeleteRoom:
		return checkDeleteRoom(v)
	case roomkit.DeleteUser:
		return checkDeleteUser(v)
	case roomkit.DismissMasters:
		return checkDismissMasters(v)
	case roomkit.Edit:
		return checkEdit(v)
	case roomkit.EditCompany:
		return checkEditCompany(v)
	case roomkit.Expel:
		return checkExpel(v)
	case roomkit.HandOver:
		return checkHandOver(v)
	case roomkit.Invite:
		return checkInvite(v)
	case roomkit.Leave:
		return checkLeave(v)
	case roomkit.OpenDirect:
		return checkOpenDirect(v)
	case roomkit.OpenSelf:
		return checkOpenSelf(v)
	case roomkit.OpenTeamRoom:
		return checkOpenTeamRoom(v)
	case roomkit.PutCompany:
		return checkPutCompany(v)
	case roomkit.PutUsers:
		return checkPutUsers(v)
	case roomkit.Remove:
		return checkRemove(v)
	case roomkit.RestoreUser:
		return checkRestoreUser(v)
	case roomkit.SetExternalMessaging:
		return checkSetExternalMessaging(v)
	case roomkit.SuspendUser:
		return checkSuspendUser(v)
	case roomkit.SyncTeam:
		return checkSyncTeam(v)
	}
	panic("roomkit: unknown Command")
}

// decideCommand runs decide of the Command at hand.
func decideCommand(of roomkit.Command, d *Decider) error {
	switch v := of.(type) {
	case roomkit.AppointMasters:
		return decideAppointMasters(v, d)
	case roomkit.Convert:
		return decideConvert(v, d)
	case roomkit.CreateExternalGroup:
		return decideCreateExternalGroup(v, d)
	case roomkit.CreateGroup:
		return decideCreateGroup(v, d)
	case roomkit.CreateRoom:
		return decideCreateRoom(v, d)
	case roomkit.DeleteFeatureData:
		return decideDeleteFeatureData(v, d)
	case roomkit.DeleteRoom:
		return decideDeleteRoom(v, d)
	case roomkit.DeleteUser:
		return decideDeleteUser(v, d)
	case roomkit.DismissMasters:
		return decideDismissMasters(v, d)
	case roomkit.Edit:
		return decideEdit(v, d)
	case roomkit.EditCompany:
		return decideEditCompany(v, d)
	case roomkit.Expel:
		return decideExpel(v, d)
	case roomkit.HandOver:
		return decideHandOver(v, d)
	case roomkit.Invite:
		return decideInvite(v, d)
	case roomkit.Leave:
		return decideLeave(v, d)
	case roomkit.OpenDirect:
		return decideOpenDirect(v, d)
	case roomkit.OpenSelf:
		return decideOpenSelf(v, d)
	case roomkit.OpenTeamRoom:
		return decideOpenTeamRoom(v, d)
	case roomkit.PutCompany:
		return decidePutCompany(v, d)
	case roomkit.PutUsers:
		return decidePutUsers(v, d)
	case roomkit.Remove:
		return decideRemove(v, d)
	case roomkit.RestoreUser:
		return decideRestoreUser(v, d)
	case roomkit.SetExternalMessaging:
		return decideSetExternalMessaging(v, d)
	case roomkit.SuspendUser:
		return decideSuspendUser(v, d)
	case roomkit.SyncTeam:
		return decideSyncTeam(v, d)
	}
	panic("roomkit: unknown Command")
}

// needCommand runs need of the Command at hand.
func needCommand(of roomkit.Command, actor roomkit.Actor, n *store.Need) {
	switch v := of.(type) {
	case roomkit.AppointMasters:
		needAppointMasters(v, actor, n)
	case roomkit.Convert:
		needConvert(v, actor, n)
	case roomkit.CreateExternalGroup:
		needCreateExternalGroup(v, actor, n)
	case roomkit.CreateGroup:
		needCreateGroup(v, actor, n)
	case roomkit.CreateRoom:
		needCreateRoom(v, actor, n)
	case roomkit.DeleteFeatureData:
		needDeleteFeatureData(v, actor, n)
	case roomkit.DeleteRoom:
		needDeleteRoom(v, actor, n)
	case roomkit.DeleteUser:
		needDeleteUser(v, actor, n)
	case roomkit.DismissMasters:
		needDismissMasters(v, actor, n)
	case roomkit.Edit:
		needEdit(v, actor, n)
	case roomkit.EditCompany:
		needEditCompany(v, actor, n)
	case roomkit.Expel:
		needExpel(v, actor, n)
	case roomkit.HandOver:
		needHandOver(v, actor, n)
	case roomkit.Invite:
		needInvite(v, actor, n)
	case roomkit.Leave:
		needLeave(v, actor, n)
	case roomkit.OpenDirect:
		needOpenDirect(v, actor, n)
	case roomkit.OpenSelf:
		needOpenSelf(v, actor, n)
	case roomkit.OpenTeamRoom:
		needOpenTeamRoom(v, actor, n)
	case roomkit.PutCompany:
		needPutCompany(v, actor, n)
	case roomkit.PutUsers:
		needPutUsers(v, actor, n)
	case roomkit.Remove:
		needRemove(v, actor, n)
	case roomkit.RestoreUser:
		needRestoreUser(v, actor, n)
	case roomkit.SetExternalMessaging:
		needSetExternalMessaging(v, actor, n)
	case roomkit.SuspendUser:
		needSuspendUser(v, actor, n)
	case roomkit.SyncTeam:
		needSyncTeam(v, actor, n)
	}
}

func humansCounts(c roomkit.Counts) int64 { return c.Participants - c.Bots }

func maxGroupsPerUserPolicy(p roomkit.Policy) int64 { return orDefault(p.MaxGroupsPerUser, 2000) }
func leaderTeamLimitPolicy(p roomkit.Policy) int64  { return orDefault(p.LeaderTeamLimit, 100) }
func MessageOffPeriodPolicy(p roomkit.Policy) time.Duration {
	return orDefault(p.MessageOffPeriod, 30*24*time.Hour)
}
func maxGroupsCompany(c *roomkit.Company) int64 { return orDefault(c.MaxGroups, 100_000) }
func recallWindowCompany(c *roomkit.Company) time.Duration {
	return orDefault(c.RecallWindow, 24*time.Hour)
}

func orDefault[T int64 | time.Duration](v, def T) T {
	if v == 0 {
		return def
	}
	return v
}
