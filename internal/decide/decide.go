// Package decide is the pure core: it says what a command does, or which rule refuses
// it, from facts that somebody else has loaded. It does no I/O, reads no clock and
// draws no ids.
//
// [Need] says what to load for a command, [Decide] decides it, [Access] and [May]
// answer for one room. A decision with a Need wants more: load it and decide again.
package decide

import (
	"cmp"
	"errors"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// Decision is what a command would do.
type Decision struct {
	Need *store.Need // these facts are not enough: load this and decide again; nothing else is set
	Ask  *Ask        // the same: ask the host
	Look *Look       // the same: look at rooms that people share

	Room    roomkit.RoomID   // the room concerned or opened; zero for directory commands
	Opens   bool             // the command opens a new room
	Dropped []roomkit.UserID // people left out for lack of permission, in byte order
	Differs []string         // the JSON keys of what a row that exists says otherwise than the command
	Events  []roomkit.Event  // what happens, in order; none if everything is already so
	Found   *roomkit.Room    // a room that was there already and is the answer, if it is not that of the facts

	Rows   Rows
	Relied []store.Expect
	Begins []store.Expect // of an arrival, see store.Change
}

// Ask is what the host has to be asked before a command can be decided: only the answer
// tells whether people are refused. Whether the store knows them makes no difference.
type Ask struct {
	About    []roomkit.UserID
	Contacts bool // also who of them is a contact of the actor
}

// With gives one question that stands for two.
func (a *Ask) With(other *Ask) *Ask {
	if a == nil {
		return other
	}
	return &Ask{About: appendNew(a.About, other.About), Contacts: a.Contacts || other.Contacts}
}

// Rows are the changed rows that the events lead to.
type Rows struct {
	Rooms     []roomkit.Room
	Members   []roomkit.Member
	Users     []roomkit.User
	Companies []roomkit.Company
	Teams     []roomkit.Team
	Ended     []store.RoomEnd
	Tallies   []store.Tally
}

// Decide says what a command does, or which error refuses it: a [*roomkit.Denied], a
// [*roomkit.Invalid], a [*roomkit.Offered] or [roomkit.ErrNotFound]. It is a pure function of its arguments.
func Decide(r *roomkit.Rules, f *Facts, actor roomkit.Actor, cmd roomkit.Command, now time.Time) (Decision, error) {
	if err := Check(actor, cmd); err != nil {
		return Decision{}, err
	}
	return new(decider).run(r, f, actor, cmd, now, memory{})
}

// Scratch is memory in which one decision after the other can be made, so that most
// need no allocations for it: what a decision refers to holds until the next one.
type Scratch struct {
	d       decider
	rooms   [1]roomkit.Room
	members [2]roomkit.Member
	tallies [2]store.Tally
	relied  [8]store.Expect
	people  [2]Person
}

// memory is where a decision begins what it has to say; what does not fit gets its own.
type memory struct {
	rows   Rows
	relied []store.Expect
	people []Person
}

func (s *Scratch) memory() memory {
	return memory{Rows{Rooms: s.rooms[:0], Members: s.members[:0], Tallies: s.tallies[:0]}, s.relied[:0], s.people[:0]}
}

// Decide is [Decide] for a command that has passed [Check].
func (s *Scratch) Decide(r *roomkit.Rules, f *Facts, actor roomkit.Actor, cmd roomkit.Command, now time.Time) (Decision, error) {
	return s.d.run(r, f, actor, cmd, now, s.memory())
}

func (d *decider) run(r *roomkit.Rules, f *Facts, actor roomkit.Actor, cmd roomkit.Command, now time.Time, m memory) (Decision, error) {
	*d = decider{rules: r, f: f, actor: actor, now: stamp(now), room: f.Room, few: m.people}
	d.out.Rows = m.rows
	return d.conclude(cmd, m.relied)
}

// conclude decides the command.
func (d *decider) conclude(cmd roomkit.Command, relied []store.Expect) (Decision, error) {
	d.me = d.f.nobody()
	var err error
	if !d.actor.IsSystem() {
		if d.me = d.f.Person(d.actor.User()); d.me.ID == "" {
			d.ask(false, d.actor.User())
		}
		err = canAct(d.f, &d.me, d.actor)
	}
	if err == nil {
		err = d.decide(cmd)
	}
	switch {
	case d.out.Ask != nil:
		return Decision{Ask: d.out.Ask}, nil
	case errors.Is(err, errMore):
		return Decision{Need: d.out.Need, Look: d.out.Look}, nil
	case d.no != nil: // whatever else is in the way: it may follow from leaving people out
		return Decision{}, d.refused()
	case err != nil:
		return Decision{}, err
	}
	if !d.judge {
		d.finish(relied)
	}
	return d.out, nil
}

// CanAct says why a user cannot act at all: a [*roomkit.Denied], or nil.
func CanAct(f *Facts, user roomkit.UserID) error {
	who := f.Person(user)
	return canAct(f, &who, roomkit.By(user))
}

func canAct(f *Facts, who *Person, actor roomkit.Actor) error {
	if who.ID == "" {
		return &roomkit.Denied{Rule: "COM-16", Actor: actor, Reason: "the actor is not a known user"}
	}
	if rule := who.unusable(); rule != "" {
		return &roomkit.Denied{Rule: rule, Actor: actor, Room: f.Need.Room, Reason: voidReasons[rule]}
	}
	return nil
}

// Need gives what has to be loaded before a command can be decided.
func Need(actor roomkit.Actor, cmd roomkit.Command) (n store.Need) {
	FillNeed(&n, actor, cmd)
	return n
}

// FillNeed is [Need] in memory of the caller: it appends to the slices of n.
func FillNeed(n *store.Need, actor roomkit.Actor, cmd roomkit.Command) {
	if !actor.IsSystem() {
		n.People = append(n.People, actor.User())
	}
	need(n, actor, cmd)
}

// Known reports whether a value is one of the commands and not, for instance, a
// pointer to one.
func Known(cmd roomkit.Command) bool {
	var malformed *roomkit.Invalid
	return !errors.As(check(cmd), &malformed) || malformed.Field != fieldCommand
}

// RoomNamed gives the room that a command names by its id; rooms whose ids follow from
// the people or the team named are left out, so that a malformed command has no other
// room than it says.
func RoomNamed(cmd roomkit.Command) roomkit.RoomID {
	switch c := cmd.(type) {
	case roomkit.OpenSelf, roomkit.OpenDirect, roomkit.OpenTeamRoom, roomkit.SyncTeam:
		return roomkit.RoomID{}
	case roomkit.CreateRoom:
		return cmp.Or(c.Source, c.Existing)
	default:
		return Need(roomkit.System(), cmd).Room
	}
}

// Named gives the company, user or team that a command of the directory names, and the
// zero subject for all others. A team whose company is the actor's has a subject
// without it.
func Named(cmd roomkit.Command) roomkit.Subject {
	switch c := cmd.(type) {
	case roomkit.AddCompany:
		return roomkit.CompanySubject(c.Company.ID)
	case roomkit.EditCompany:
		return roomkit.CompanySubject(c.Company)
	case roomkit.SetCompanyMessaging:
		return roomkit.CompanySubject(c.Company)
	case roomkit.AddUser:
		return roomkit.UserSubject(c.User.ID)
	case roomkit.EditUser:
		return roomkit.UserSubject(c.User)
	case roomkit.SetUserMessaging:
		return roomkit.UserSubject(c.User)
	case roomkit.SuspendUser:
		return roomkit.UserSubject(c.User)
	case roomkit.DeleteUser:
		return roomkit.UserSubject(c.User)
	case roomkit.RestoreUser:
		return roomkit.UserSubject(c.User)
	case roomkit.SyncTeam:
		return roomkit.TeamSubject(c.Company, c.Team)
	case roomkit.EditTeam:
		return roomkit.TeamSubject(c.Company, c.Team)
	case roomkit.OpenSelf, roomkit.OpenDirect, roomkit.CreateRoom, roomkit.CreateGroup, roomkit.CreateExternalGroup, roomkit.OpenTeamRoom,
		roomkit.Invite, roomkit.Remove, roomkit.Leave, roomkit.Expel, roomkit.AppointMasters, roomkit.DismissMasters, roomkit.HandOver,
		roomkit.Edit, roomkit.DeleteFeatureData, roomkit.Convert, roomkit.DeleteRoom: // are about rooms
	}
	return roomkit.Subject{}
}

// Versioned reports whether a command is about something that has a version, a room or what
// [Named] gives. The room is that of its [Need]; which one OpenTeamRoom opens, only the
// company of the actor may tell.
func Versioned(cmd roomkit.Command, room roomkit.RoomID) bool {
	_, ofTeam := cmd.(roomkit.OpenTeamRoom)
	return ofTeam || !room.IsZero() || Named(cmd) != (roomkit.Subject{})
}

// OpensRoom reports whether a command may open a room whose id does not follow from
// whom it is for: Facts.NewRoom is the id.
func OpensRoom(cmd roomkit.Command) bool {
	switch cmd.(type) {
	case roomkit.CreateRoom, roomkit.CreateGroup, roomkit.CreateExternalGroup, roomkit.Invite:
		return true
	default:
		return false
	}
}

// Check looks at the form of a command, before anything is loaded: nil or a
// [*roomkit.Invalid].
func Check(actor roomkit.Actor, cmd roomkit.Command) error {
	if err := check(cmd); err != nil {
		return err
	}
	if !actor.IsSystem() && !actor.User().Valid() {
		return bad("Actor", "not a user id")
	}
	if company, names := companyOfTeam(cmd); names && company == "" && actor.IsSystem() {
		return bad("Company", reasonMissing)
	}
	return nil
}
