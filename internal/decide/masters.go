package decide

import (
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func checkAppointMasters(c roomkit.AppointMasters) error {
	if err := CheckRoom(c.Room); err != nil {
		return err
	}
	return CheckPeople("People", c.People)
}

func needAppointMasters(c roomkit.AppointMasters, _ roomkit.Actor, n *store.Need) {
	n.Room = c.Room
	n.People = append(n.People, c.People...)
}

func decideAppointMasters(c roomkit.AppointMasters, d *Decider) error {
	if err := d.may(roomkit.ActionAppointMaster); err != nil {
		return err
	}
	return d.makeMasters(c.People, roomkit.CauseAdded)
}

func (d *Decider) makeMasters(list []roomkit.UserID, cause roomkit.Cause) error {
	var fresh []roomkit.UserID
	for _, id := range list {
		if who := d.someone(id); !who.Manages(&d.room) {
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
	d.appoint(people, cause)
	return nil
}

func checkDismissMasters(c roomkit.DismissMasters) error {
	if err := CheckRoom(c.Room); err != nil {
		return err
	}
	return CheckPeople("People", c.People)
}

func needDismissMasters(c roomkit.DismissMasters, _ roomkit.Actor, n *store.Need) {
	n.Room = c.Room
	n.People = append(n.People, c.People...)
}

func decideDismissMasters(c roomkit.DismissMasters, d *Decider) error {
	if err := d.may(roomkit.ActionDismissMaster); err != nil {
		return err
	}
	var self, others []Person
	for _, id := range c.People {
		switch who := d.someone(id); {
		case !who.Row.Master:
		case id == d.Actor.User():
			self = append(self, who)
		default:
			others = append(others, who)
		}
	}
	if len(self)+len(others) == 0 {
		return nil
	}
	if err := d.checkMasterRemains(c.People, dismissLastRule(d.room.Kind)); err != nil {
		return err
	}
	ended := func(p Person) bool { return !d.member(p.ID).Master }
	d.dismissVoid(append(self, others...))
	d.dismiss(slices.DeleteFunc(others, ended), roomkit.CauseRemoved)
	d.dismiss(slices.DeleteFunc(self, ended), roomkit.CauseSelf)
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
func (d *Decider) checkMasterRemains(going []roomkit.UserID, rule roomkit.Rule) error {
	if !askedFacts(d.F).Masters {
		return d.more(func(n *store.Need) { n.Masters = true })
	}
	for i := range d.F.Members {
		who := PersonFacts(d.F, d.F.Members[i].User)
		if who.Manages(&d.F.Room) && !slices.Contains(going, who.ID) {
			return nil
		}
	}
	return d.denied(rule, roomkit.ActionDismissMaster, "no Group Master would remain", going...)
}

func checkHandOver(c roomkit.HandOver) error {
	if err := CheckRoom(c.Room); err != nil {
		return err
	}
	return CheckUser("To", c.To)
}

func needHandOver(c roomkit.HandOver, _ roomkit.Actor, n *store.Need) {
	n.Room = c.Room
	n.People = append(n.People, c.To)
}

func decideHandOver(c roomkit.HandOver, d *Decider) error {
	if err := d.may(roomkit.ActionAppointMaster); err != nil {
		return err
	}
	if !d.Me.Manages(&d.room) {
		return d.denied("GRP-08", roomkit.ActionDismissMaster, "only a Group Master has the role to hand over")
	}
	if c.To == d.Me.ID {
		return roomkit.BadInput("To", "oneself")
	}
	if err := d.makeMasters([]roomkit.UserID{c.To}, roomkit.CauseHandedOver); err != nil {
		return err
	}
	d.dismiss([]Person{d.Me}, roomkit.CauseHandedOver)
	return nil
}
