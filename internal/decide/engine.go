package decide

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// decider holds one decision while it is made. The rows in it are folded: every
// event is applied as it is emitted, and the next question sees its effect.
type decider struct {
	rules   *roomkit.Rules
	f       *Facts
	actor   roomkit.Actor
	now     time.Time
	me      Person          // the acting user; empty for the system
	room    roomkit.Room    // the room being changed
	action  roomkit.Action  // the last one that the actor was asked for
	no      *roomkit.Denied // what the people of the command are refused for so far
	judge   bool            // only whether these people can be chosen is asked, see [Scratch.Judge]
	fresh   bool            // room is a new one, not that of the facts
	growing bool            // then: further people come, so that one is not the other party of a 1:1 room
	begun   []store.Expect  // directory subjects that must not exist yet
	few     []Person        // memory for the people of the command
	out     Decision
	index   index // into out.Rows.Members, when there are many
}

func (d *decider) policy() *roomkit.Policy { return &d.rules.Policy }

// errMore ends a decision that needs more facts than it has; what it needs is in
// d.out.Need.
var errMore = errors.New("more facts are needed")

// more ends the decision: the facts that change asks for have to be loaded first.
func (d *decider) more(change func(n *store.Need)) error {
	n := d.f.Need
	n.People = slices.Clone(n.People)
	change(&n)
	d.out.Need = &n
	return errMore
}

// object notes a rule against people of the command. The decision goes on, so that the
// refusal says all that is against them; its rule is the first one.
func (d *decider) object(rule roomkit.Rule, action roomkit.Action, reason string, people ...roomkit.UserID) {
	if len(people) == 0 {
		return
	}
	if d.no == nil {
		d.no = &roomkit.Denied{Rule: rule, Action: action, Actor: d.actor, Room: d.f.Need.Room, People: sorted(people), Reason: reason}
	}
	for _, id := range people {
		d.no.Against = append(d.no.Against, roomkit.Refusal{User: id, Rule: rule, Reason: reason})
	}
}

// refused gives the refusal because of people, with each rule once.
func (d *decider) refused() error {
	slices.SortStableFunc(d.no.Against, func(a, b roomkit.Refusal) int { return cmp.Compare(a.User, b.User) })
	all := d.no.Against
	d.no.Against = make([]roomkit.Refusal, 0, len(all))
	first := 0 // of this user, in what is kept
	for i, r := range all {
		if i > 0 && r.User != all[i-1].User {
			first = len(d.no.Against)
		}
		if !slices.ContainsFunc(d.no.Against[first:], func(kept roomkit.Refusal) bool { return kept.Rule == r.Rule }) {
			d.no.Against = append(d.no.Against, r)
		}
	}
	return d.no
}

// decided reports whether nothing happens any more: people are refused, or nothing but
// that was asked.
func (d *decider) decided() bool { return d.no != nil || d.judge }

// ask notes people about whom the host has to be asked, because they are to be refused
// for being unknown. Whoever may not give the command at all is refused before, so that
// nobody is asked for it.
func (d *decider) ask(contacts bool, people ...roomkit.UserID) {
	contacts = contacts && d.f.HasContacts && !d.actor.IsSystem()
	if !d.f.HasDirectory && !contacts {
		return
	}
	people = slices.DeleteFunc(slices.Clone(people), func(id roomkit.UserID) bool {
		return slices.Contains(d.f.Asked, id) || d.actor.IsSystem() && d.f.user(id).ID != ""
	})
	if len(people) == 0 {
		return
	}
	if d.out.Ask == nil {
		d.out.Ask = new(Ask)
	}
	d.out.Ask.About = appendNew(d.out.Ask.About, people)
	d.out.Ask.Contacts = d.out.Ask.Contacts || contacts
}

// denied makes a refusal of the command.
func (d *decider) denied(rule roomkit.Rule, action roomkit.Action, reason string, people ...roomkit.UserID) error {
	return d.f.denied(d.actor, rule, action, reason, people...)
}

// member gives a row as the events so far have left it.
func (d *decider) member(id roomkit.UserID) *roomkit.Member {
	if i := d.changed(id); i >= 0 {
		return &d.out.Rows.Members[i]
	}
	if d.fresh {
		return &d.f.noRow
	}
	return d.f.row(id)
}

// changed gives the place of a user's row among the changed ones, or -1.
func (d *decider) changed(id roomkit.UserID) int {
	return find(&d.index, d.out.Rows.Members, id, userOf)
}

func (d *decider) setMember(m roomkit.Member) {
	if i := d.changed(m.User); i >= 0 {
		d.out.Rows.Members[i] = m
		return
	}
	d.out.Rows.Members = append(d.out.Rows.Members, m)
	if d.index != nil {
		d.index[m.User] = len(d.out.Rows.Members) - 1
	}
}

func (d *decider) people(ids []roomkit.UserID) []Person {
	list := d.f.people(ids)
	for i, id := range ids {
		list[i].Row = d.member(id)
	}
	return list
}

// begin starts a new room; everything emitted from then on concerns it.
func (d *decider) begin(id roomkit.RoomID, e *roomkit.RoomCreated, notify bool) {
	d.fresh = d.f.Room.ID != id || d.f.Room.Version == 0
	if d.fresh {
		d.room = roomkit.Room{}
	}
	d.out.Opens = true
	d.room.ID, d.room.Notify = id, notify
	d.emit(e, roomkit.CauseCreated)
}

// emit stamps an event of the room, applies it and keeps it.
func (d *decider) emit(e roomkit.Event, cause roomkit.Cause) {
	info := e.Info()
	info.Subject = roomkit.RoomSubject(d.room.ID)
	info.Version = d.room.Version + 1
	info.At = d.time()
	info.Notify = d.room.Notify
	if info.Kind == roomkit.KindNone {
		info.Kind = d.room.Kind
	}
	d.sign(info, cause)
	d.room = d.room.Apply(e)
	d.out.Events = append(d.out.Events, e)
}

func (d *decider) sign(info *roomkit.Meta, cause roomkit.Cause) {
	info.Actor, info.Cause = d.actor, cause
	if !d.actor.IsSystem() {
		info.Epoch = d.me.epoch()
	}
}

func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// time is when something happens in the room, and what deadlines are judged by: not before
// the event before it, as long as that is ahead by no more than clocks may differ. Beyond,
// a clock has been wrong, and the event does not follow it.
func (d *decider) time() time.Time {
	if ahead := d.room.ChangedAt.Sub(d.now); ahead > 0 && ahead <= d.f.MaxDrift {
		return d.room.ChangedAt
	}
	return d.now
}

// finish gathers what the commit has to compare and to write; relied is memory for it.
func (d *decider) finish(relied []store.Expect) {
	if d.out.Room.IsZero() {
		d.out.Room = d.room.ID
	}
	if d.fresh || d.room.Version != d.f.Room.Version {
		d.out.Rows.Rooms = append(d.out.Rows.Rooms, d.room)
	}
	d.out.Relied = d.relied(relied)
}

// relied lists the versions of everything that the decision could have looked at.
func (d *decider) relied(list []store.Expect) []store.Expect {
	list = slices.Grow(list, 3+len(d.f.Users)+len(d.f.Companies))
	list = d.f.Versions(list)
	for f := d.f.Earlier; f != nil; f = f.Earlier {
		for _, e := range f.Versions(nil) {
			list = addExpect(list, e)
		}
	}
	if d.fresh {
		list = addExpect(list, store.Expect{Subject: roomkit.RoomSubject(d.room.ID)})
	}
	return append(list, d.begun...)
}

// Versions adds the versions of all rows to a list.
func (f *Facts) Versions(list []store.Expect) []store.Expect {
	if !f.Need.Room.IsZero() {
		list = append(list, store.Expect{Subject: roomkit.RoomSubject(f.Need.Room), Version: f.Room.Version})
	}
	for i := range f.Users {
		list = append(list, store.Expect{Subject: roomkit.UserSubject(f.Users[i].ID), Version: f.Users[i].Version})
	}
	for i := range f.Companies {
		list = append(list, store.Expect{Subject: roomkit.CompanySubject(f.Companies[i].ID), Version: f.Companies[i].Version})
	}
	if f.Team.Version > 0 {
		list = append(list, store.Expect{Subject: roomkit.TeamSubject(f.Team.Company, f.Team.ID), Version: f.Team.Version})
	}
	return list
}

func addExpect(list []store.Expect, e store.Expect) []store.Expect {
	if slices.ContainsFunc(list, func(have store.Expect) bool { return have.Subject == e.Subject }) {
		return list
	}
	return append(list, e)
}
