package roomkit

import (
	"fmt"
	"slices"
	"time"
)

// Decision is what a command would do.
type Decision struct {
	Room    RoomID   // the room concerned or opened; zero for directory commands
	Opens   bool     // the command opens a new room
	Offers  []Offer  // rooms to choose from instead; then there are no events
	Dropped []UserID // people left out for lack of permission, in byte order
	Events  []Event  // what happens, in order; none if everything is already so

	rows   rows
	relied []Expect
}

// rows are the changed rows that the events lead to.
type rows struct {
	rooms     []Room
	members   []Member
	users     []User
	companies []Company
	teams     []Team
	ended     []RoomEnd
	tallies   []Tally
}

// MoreNeeded is the answer of [Rules.Decide] when the facts are not enough: load
// Need and decide again.
type MoreNeeded struct{ Need Need }

// Error says that more facts are needed.
func (*MoreNeeded) Error() string { return "the decision needs more facts" }

// Need gives what has to be loaded before a command can be decided. What is no
// command needs nothing; Decide refuses it.
func (r *Rules) Need(actor Actor, cmd Command) (n Need) {
	if checkValue(cmd) == nil {
		fillNeed(actor, cmd, &n)
	}
	return n
}

func fillNeed(actor Actor, cmd Command, n *Need) {
	if !actor.system {
		n.People = append(n.People, actor.user)
	}
	cmd.need(actor, n)
}

// Decide says what a command does: its events, or the error that refuses it.
// It is a pure function of its arguments. A refusal is a [*Denied], an
// [*Invalid] or [ErrNotFound]; [*MoreNeeded] asks for more facts.
func (r *Rules) Decide(f Facts, actor Actor, cmd Command, now time.Time) (Decision, error) {
	if err := checkCommand(actor, cmd); err != nil {
		return Decision{}, err
	}
	return new(decider).decide(r, &f, actor, cmd, now)
}

// decide decides a command whose form has been checked.
func (d *decider) decide(r *Rules, f *Facts, actor Actor, cmd Command, now time.Time) (Decision, error) {
	*d = decider{
		rules: r, f: f, actor: actor, now: stamp(now), room: f.Room,
		me: person{User: noUser, company: noCompany, row: noRow}, space: d.space,
	}
	if d.space != nil {
		d.out.rows = d.space.rows()
	}
	if !actor.system {
		d.me = f.person(actor.user)
		if err := d.checkActor(); err != nil {
			return Decision{}, err
		}
	}
	if err := cmd.decide(d); err != nil {
		return Decision{}, err
	}
	d.finish()
	return d.out, nil
}

func checkCommand(actor Actor, cmd Command) error {
	if err := checkValue(cmd); err != nil {
		return err
	}
	if !actor.system && !actor.user.Valid() {
		return invalid("Actor", "not a user id")
	}
	return cmd.check()
}

// checkValue demands one of the commands of this package and not, for instance, a
// pointer to one, which has the same methods.
func checkValue(cmd Command) error {
	switch cmd.(type) {
	case nil:
		return invalid("Command", "missing")
	case OpenSelf, OpenDirect, CreateRoom, CreateGroup, CreateExternalGroup, OpenTeamRoom, Convert, DeleteRoom,
		Invite, Remove, Leave, Expel, AppointMasters, DismissMasters, HandOver, Edit, DeleteFeatureData,
		PutCompany, EditCompany, PutUsers, SetExternalMessaging, SuspendUser, DeleteUser, RestoreUser, SyncTeam:
		return nil
	default:
		return invalid("Command", fmt.Sprintf("a %T is no command: commands are values of the types of this package", cmd))
	}
}

// decider holds one decision while it is made. The rows in it are folded: every
// event is applied as it is emitted, and the next question sees its effect.
type decider struct {
	rules  *Rules
	f      *Facts
	actor  Actor
	now    time.Time
	me     person   // the acting user; empty for the system
	room   Room     // the room being changed
	action Action   // the last one that the actor was asked for
	fresh  bool     // room is a new one, not f.Room
	begun  []Expect // directory subjects that must not exist yet
	out    Decision
	index  map[UserID]int // into out.rows.members, when there are many
	space  *space         // may be nil
}

// space is where the rows and records of a usual change begin, so that most
// commands need no allocations for them. No store keeps them.
type space struct {
	rooms   [1]Room
	members [2]Member
	tallies [2]Tally
	relied  [8]Expect
	records [2]Record
	events  [2]EventAt
	data    [448]byte
}

func (s *space) rows() rows {
	return rows{rooms: s.rooms[:0], members: s.members[:0], tallies: s.tallies[:0]}
}

func (d *decider) policy() *Policy { return &d.rules.policy }

func (d *decider) checkActor() error {
	if d.me.ID == "" {
		return &Denied{Rule: "CRE-49", Actor: d.actor, Reason: "the actor is not a known user"}
	}
	if rule := d.me.usable(d.me.company); rule != "" {
		return &Denied{Rule: rule, Actor: d.actor, Room: d.f.asked().Room, Reason: voidReasons[rule]}
	}
	return nil
}

// denied makes a refusal of the command. It names the room that the command names,
// whether or not there is one.
func (d *decider) denied(rule Rule, action Action, reason string, people ...UserID) error {
	return &Denied{
		Rule: rule, Action: action, Actor: d.actor, Room: d.f.asked().Room,
		People: sortedPeople(people), Reason: reason,
	}
}

// may demands that the actor may take the action in the room of the facts. To
// somebody who may not know of the room it is not found.
func (d *decider) may(action Action) error {
	d.action = action
	return d.rules.may(d.f, &d.me, d.actor, action)
}

func (r *Rules) may(f *Facts, who *person, actor Actor, action Action) error {
	room := &f.Room
	if room.Version == 0 {
		return ErrNotFound
	}
	var st Standing
	var void Rule
	if !actor.system {
		st, void = who.standing(room, &f.Team)
		if !r.visible(room, who, st, void) {
			return ErrNotFound
		}
	} else if room.State == StateEnded {
		void = "COM-14"
	}
	lim := r.limitsOf(room, &f.Team, f.barred())
	rule, why := r.forbids(action, room.Kind, st, lim)
	if rule == "" {
		return nil
	}
	if void != "" && st&^StandingColleague == 0 {
		rule, why = void, voidReasons[void]
	}
	return &Denied{
		Rule: rule, Action: action, Actor: actor, Room: room.ID,
		Reason: fmt.Sprintf("%s in a room of kind %s: %s", action, room.Kind, why),
	}
}

// voidReasons say why somebody who is in a room by the rows may not act there.
var voidReasons = map[Rule]string{
	"COM-14":  "the room has ended",
	"COM-10":  "the company does not have the Core product",
	"ADM-13":  "the account is deleted, or has been since",
	"ADM-17":  "the account is suspended",
	"EXT-22":  "the permission to talk with external users is withdrawn, or has been since",
	"LINE-01": "no permission to talk with LINE users",
}

// visible reports whether somebody may know that the room exists.
func (r *Rules) visible(room *Room, who *person, st Standing, void Rule) bool {
	if room.State == StateEnded {
		endedWith := who.row.LeftVersion == room.Version // the end is the last event
		return endedWith || who.Administrator && who.User.Company == room.Company && room.Kind >= KindGroup
	}
	if void != "" && (who.row.Participant || who.row.Master) {
		return true
	}
	return r.actions(room.Kind, st, r.visibilityLimit(room)).Has(ActionSeeRoom)
}

func (r *Rules) visibilityLimit(room *Room) limits {
	if room.Public {
		return 0
	}
	return 1 << limitPrivate
}

// more asks the service to load more and to decide again.
func (d *decider) more(change func(n *Need)) error {
	n := *d.f.asked()
	n.People = slices.Clone(n.People)
	change(&n)
	return &MoreNeeded{Need: n}
}

// member gives a row as the events so far have left it.
func (d *decider) member(id UserID) *Member {
	if i := d.rowIndex(id); i >= 0 {
		return &d.out.rows.members[i]
	}
	if d.fresh {
		return noRow
	}
	return d.f.row(id)
}

func (d *decider) rowIndex(id UserID) int {
	ms := d.out.rows.members
	if d.index == nil && len(ms) < indexFrom {
		for i := range ms {
			if ms[i].User == id {
				return i
			}
		}
		return -1
	}
	if len(d.index) < len(ms) {
		d.index = make(map[UserID]int, 2*len(ms))
		for i := range ms {
			d.index[ms[i].User] = i
		}
	}
	if i, ok := d.index[id]; ok {
		return i
	}
	return -1
}

func (d *decider) setMember(m Member) {
	if i := d.rowIndex(m.User); i >= 0 {
		d.out.rows.members[i] = m
		return
	}
	d.out.rows.members = append(d.out.rows.members, m)
	if d.index != nil {
		d.index[m.User] = len(d.out.rows.members) - 1
	}
}

// someone is a person with the row as the events so far have left it.
func (d *decider) someone(id UserID) person {
	who := d.f.person(id)
	who.row = d.member(id)
	return who
}

// begin starts a new room; everything emitted from then on concerns it.
func (d *decider) begin(id RoomID, e *RoomCreated, notify bool) {
	d.fresh = d.f.Room.ID != id || d.f.Room.Version == 0
	if d.fresh {
		d.room = Room{}
	}
	d.out.Opens = true
	d.room.ID = id
	e.Notify = notify
	d.emit(e, CauseCreated)
}

// emit stamps an event of the room, applies it and keeps it.
func (d *decider) emit(e Event, cause Cause) {
	info := e.meta()
	info.Subject = RoomSubject(d.room.ID)
	info.Version = d.room.Version + 1
	info.At = later(d.now, d.room.ChangedAt)
	if _, ok := e.(*RoomCreated); !ok {
		info.Notify = info.Notify || d.room.Notify
		if _, ok := e.(*NotificationSwitched); ok {
			info.Notify = !d.room.Notify
		}
	}
	if info.Kind == KindNone {
		info.Kind = d.room.Kind
	}
	d.sign(info, cause)
	d.room = d.room.Apply(e)
	d.out.Events = append(d.out.Events, e)
}

func (d *decider) sign(info *Meta, cause Cause) {
	info.Actor, info.Cause = d.actor, cause
	if !d.actor.system {
		info.Epoch = d.me.epoch()
	}
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// finish gathers what the commit has to compare and to write.
func (d *decider) finish() {
	if d.out.Room.IsZero() {
		d.out.Room = d.room.ID
	}
	if d.roomChanged() {
		d.out.rows.rooms = append(d.out.rows.rooms, d.room)
	}
	d.out.relied = d.relied()
}

func (d *decider) roomChanged() bool {
	return d.fresh || d.room.Version != d.f.Room.Version
}

// relied lists the versions of everything that the decision could have looked at.
func (d *decider) relied() []Expect {
	var list []Expect
	if n := 3 + len(d.f.Users) + len(d.f.Companies); d.space != nil && n <= len(d.space.relied) {
		list = d.space.relied[:0]
	} else {
		list = make([]Expect, 0, n)
	}
	for f := d.f; f != nil; f = f.earlier {
		list = d.f.relyOn(list, f)
	}
	if d.fresh {
		list = addExpect(list, Expect{Subject: RoomSubject(d.room.ID)})
	}
	return append(list, d.begun...)
}

func (f *Facts) relyOn(list []Expect, facts *Facts) []Expect {
	first := len(list) == 0
	add := func(e Expect) {
		if first {
			list = append(list, e)
		} else {
			list = addExpect(list, e)
		}
	}
	if id := facts.asked().Room; !id.IsZero() {
		add(Expect{RoomSubject(id), facts.Room.Version})
	}
	for i := range facts.Users {
		add(Expect{UserSubject(facts.Users[i].ID), facts.Users[i].Version})
	}
	for i := range facts.Companies {
		add(Expect{CompanySubject(facts.Companies[i].ID), facts.Companies[i].Version})
	}
	if facts.Team.Version > 0 {
		add(Expect{TeamSubject(facts.Team.ID), facts.Team.Version})
	}
	return list
}

func addExpect(list []Expect, e Expect) []Expect {
	if slices.ContainsFunc(list, func(have Expect) bool { return have.Subject == e.Subject }) {
		return list
	}
	return append(list, e)
}
