package decide

import (
	"cmp"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// With gives a command for which more people are chosen, or ok false where a command
// chooses nobody. The name, the photo and the rooms to offer are left aside: they say
// nothing about who can be chosen.
func With(cmd roomkit.Command, more ...roomkit.UserID) (_ roomkit.Command, ok bool) {
	add := func(to *[]roomkit.UserID) { *to = appendNew(slices.Clone(*to), more) }
	switch c := cmd.(type) {
	case roomkit.OpenDirect:
		c.With = ""
		if len(more) > 0 {
			c.With = more[0]
		}
		return c, true
	case roomkit.CreateRoom:
		c.Name, c.Photo, c.Description, c.AllowDuplicate = "", "", "", true
		add(&c.People)
		return c, true
	case roomkit.CreateGroup:
		add(&c.Members)
		return c, true
	case roomkit.CreateExternalGroup:
		add(&c.Members)
		return c, true
	case roomkit.Invite:
		add(&c.People)
		return c, true
	case roomkit.AppointMasters:
		add(&c.People)
		return c, true
	default:
		return nil, false
	}
}

// CheckChoice looks at the form of a command for which one of candidates is to be
// chosen: nobody needs to be chosen yet, and a new group needs no name.
func CheckChoice(actor roomkit.Actor, cmd roomkit.Command, candidates []roomkit.UserID) error {
	whole, ok := With(cmd)
	if !ok {
		return cmp.Or(check(cmd), bad(fieldCommand, "chooses nobody"))
	}
	if _, direct := whole.(roomkit.OpenDirect); direct || len(chosen(whole)) == 0 {
		whole, _ = With(whole, "somebody")
	}
	switch c := whole.(type) {
	case roomkit.CreateGroup:
		c.Name, c.ForOthers = cmp.Or(c.Name, "a name"), false
		whole = c
	case roomkit.CreateExternalGroup:
		c.Name, c.ForOthers = cmp.Or(c.Name, "a name"), false
		whole = c
	default: // needs nothing besides
	}
	return cmp.Or(Check(actor, whole), checkSome("Candidates", candidates, roomkit.MaxPeople))
}

// chosen gives the people whom a command chooses besides those of [With].
func chosen(cmd roomkit.Command) []roomkit.UserID {
	switch c := cmd.(type) {
	case roomkit.CreateRoom:
		return c.People
	case roomkit.CreateGroup:
		return c.Members
	case roomkit.CreateExternalGroup:
		return c.Members
	case roomkit.Invite:
		return c.People
	case roomkit.AppointMasters:
		return c.People
	default:
		return nil
	}
}

// ChoiceNeed gives what has to be loaded for [Judge].
func ChoiceNeed(actor roomkit.Actor, cmd roomkit.Command, growing bool) store.Need {
	n := Need(actor, cmd)
	switch c := cmd.(type) {
	case roomkit.OpenDirect:
		if c.With == "" {
			return Need(actor, roomkit.AppointMasters{}) // the actor alone
		}
	case roomkit.CreateRoom:
		if growing && c.Source.IsZero() && c.Existing.IsZero() {
			n.Room = roomkit.RoomID{} // it becomes no 1:1 room
		}
	default: // as it is
	}
	return n
}

// Judge says what stands against the people of a command of [With], which may be less
// than a whole one: nil, or what refuses it; with a Need or an Ask of the decision, that
// comes first. That somebody is still missing is no refusal. Growing says that further
// people come.
func Judge(r *roomkit.Rules, f *Facts, actor roomkit.Actor, cmd roomkit.Command, growing bool) (Decision, error) {
	d := decider{rules: r, f: f, actor: actor, room: f.Room, judge: true, growing: growing}
	return d.conclude(cmd, nil)
}

// Already reports whether somebody is what the command would make of them.
func Already(f *Facts, actor roomkit.Actor, cmd roomkit.Command, user roomkit.UserID) bool {
	who := f.Person(user)
	switch c := cmd.(type) {
	case roomkit.Invite:
		return who.ListedIn(&f.Room)
	case roomkit.AppointMasters:
		return who.Manages(&f.Room)
	case roomkit.CreateRoom:
		return user == actor.User()
	case roomkit.CreateGroup:
		return user == actor.User() && !c.ForOthers
	case roomkit.CreateExternalGroup:
		return user == actor.User() && !c.ForOthers
	default:
		return false
	}
}
