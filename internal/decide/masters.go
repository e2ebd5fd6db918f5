package decide

import (
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func (d *decider) appointMasters(people []roomkit.UserID) error {
	if err := d.may(roomkit.ActionAppointMaster); err != nil {
		return err
	}
	d.makeMasters(people, roomkit.CauseAdded)
	return nil
}

func (d *decider) makeMasters(list []roomkit.UserID, cause roomkit.Cause) {
	people := slices.DeleteFunc(d.f.people(list), func(p Person) bool { return p.Manages(&d.room) })
	people = d.checkPicked(people, "CRE-49")
	d.checkMasters(people, d.room.Kind, d.room.Company)
	if !d.decided() {
		d.appointed(people, cause)
	}
}

func (d *decider) dismissMasters(people []roomkit.UserID) error {
	if err := d.may(roomkit.ActionDismissMaster); err != nil {
		return err
	}
	masters := those(d.people(people), func(p *Person) bool { return p.Row.Master })
	if len(masters) == 0 {
		return nil
	}
	if err := d.checkMasterRemains(people, externally(d.room.Kind, "EXT-27", "GRP-09")); err != nil {
		return err
	}
	d.dismissVoid(masters)
	left := func(p *Person) bool { return d.member(p.ID).Master }
	others := func(p *Person) bool { return left(p) && p.ID != d.actor.User() }
	d.dismissed(those(masters, others), roomkit.CauseRemoved)
	d.dismissed(those(masters, left), roomkit.CauseSelf)
	return nil
}

// externally chooses between the rule of an external group and that of others.
func externally(kind roomkit.Kind, external, others roomkit.Rule) roomkit.Rule {
	if kind == roomkit.KindExternalGroup {
		return external
	}
	return others
}

// checkMasterRemains demands that somebody besides those who go is a Group
// Master whose role counts (GRP-04).
func (d *decider) checkMasterRemains(going []roomkit.UserID, rule roomkit.Rule) error {
	if !d.f.Need.Masters {
		return d.more(func(n *store.Need) { n.Masters = true })
	}
	stays := func(p Person) bool { return p.Manages(&d.f.Room) && !slices.Contains(going, p.ID) }
	if slices.ContainsFunc(d.f.everyRow(), stays) {
		return nil
	}
	return d.denied(rule, roomkit.ActionDismissMaster, "no Group Master would remain", going...)
}

func (d *decider) handOver(to roomkit.UserID) error {
	if err := d.may(roomkit.ActionAppointMaster); err != nil {
		return err
	}
	if !d.me.Manages(&d.room) {
		return d.denied("GRP-08", roomkit.ActionDismissMaster, "only a Group Master has the role to hand over")
	}
	if to == d.me.ID {
		return bad("To", "oneself")
	}
	d.makeMasters([]roomkit.UserID{to}, roomkit.CauseHandedOver)
	if !d.decided() {
		d.dismissed([]Person{d.me}, roomkit.CauseHandedOver)
	}
	return nil
}
