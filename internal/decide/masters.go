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
	return d.makeMasters(people, roomkit.CauseAdded)
}

func (d *decider) makeMasters(list []roomkit.UserID, cause roomkit.Cause) error {
	var fresh []roomkit.UserID
	for _, id := range list {
		if who := d.person(id); !who.Manages(&d.room) {
			fresh = append(fresh, id)
		}
	}
	people, err := d.pick(fresh, "CRE-49")
	if err != nil {
		return err
	}
	if err := d.checkMasters(people, d.room.Kind, d.room.Company); err != nil {
		return err
	}
	d.appointed(people, cause)
	return nil
}

func (d *decider) dismissMasters(people []roomkit.UserID) error {
	if err := d.may(roomkit.ActionDismissMaster); err != nil {
		return err
	}
	var self, others []Person
	for _, id := range people {
		switch who := d.person(id); {
		case !who.Row.Master:
		case id == d.actor.User():
			self = append(self, who)
		default:
			others = append(others, who)
		}
	}
	if len(self)+len(others) == 0 {
		return nil
	}
	if err := d.checkMasterRemains(people, dismissLastRule(d.room.Kind)); err != nil {
		return err
	}
	ended := func(p Person) bool { return !d.member(p.ID).Master }
	d.dismissVoid(append(self, others...))
	d.dismissed(slices.DeleteFunc(others, ended), roomkit.CauseRemoved)
	d.dismissed(slices.DeleteFunc(self, ended), roomkit.CauseSelf)
	return nil
}

func dismissLastRule(kind roomkit.Kind) roomkit.Rule {
	if kind == roomkit.KindExternalGroup {
		return "EXT-27"
	}
	return "GRP-09"
}

// checkMasterRemains demands that somebody besides those who go is a Group
// Master whose role counts (GRP-04).
func (d *decider) checkMasterRemains(going []roomkit.UserID, rule roomkit.Rule) error {
	if !d.f.Need.Masters {
		return d.more(func(n *store.Need) { n.Masters = true })
	}
	for i := range d.f.Members {
		who := d.f.Person(d.f.Members[i].User)
		if who.Manages(&d.f.Room) && !slices.Contains(going, who.ID) {
			return nil
		}
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
	if err := d.makeMasters([]roomkit.UserID{to}, roomkit.CauseHandedOver); err != nil {
		return err
	}
	d.dismissed([]Person{d.me}, roomkit.CauseHandedOver)
	return nil
}
