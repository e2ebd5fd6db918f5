package decide

import (
	"cmp"
	"slices"
	"unicode/utf8"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/names"
	"github.com/go-roomkit/roomkit/store"
)

func (d *decider) openSelf() error {
	if err := d.mayOpen(roomkit.KindSelf, 0); err != nil {
		return err
	}
	if d.room.State == roomkit.StateActive {
		if !d.me.TakesPart(&d.room) { // the account was deleted and restored
			d.joined([]Person{d.me}, roomkit.CauseReopened, false)
		}
		return nil
	}
	return d.open(opening{
		id: roomkit.SelfRoom(d.me.ID), kind: roomkit.KindSelf, company: d.home(), origin: roomkit.OriginSystem,
		parties: [2]roomkit.UserID{d.me.ID}, people: []Person{d.me},
	})
}

func checkCreateRoom(c roomkit.CreateRoom) error {
	return cmp.Or(
		checkPeople(c.People),
		checkEnum("Audience", c.Audience),
		demand(c.Origin <= roomkit.OriginRoom, "Origin", "not a way of picking people", ""),
		demand((c.Origin == roomkit.OriginRoom) != c.Source.IsZero(), "Source", "goes with OriginRoom, and only with it", ""),
		checkProfile(c.Name, c.Photo, c.Description, roomkit.MaxNameRunes, "LIM-05"),
	)
}

func needCreateRoom(n *store.Need, actor roomkit.Actor, c roomkit.CreateRoom) {
	others := without(c.People, actor.User())
	n.People = append(n.People, others...)
	switch {
	case c.Origin == roomkit.OriginRoom:
		n.Room = c.Source
	case !c.Existing.IsZero():
		n.Room = c.Existing
	case len(others) == 1:
		n.Room = roomkit.DirectRoom(actor.User(), others[0])
	}
	if len(others) > 1 && !c.AllowDuplicate && c.Existing.IsZero() {
		n.Shared = n.People
	}
}

func (d *decider) createRoom(c roomkit.CreateRoom) error {
	others, kind := without(c.People, d.me.ID), roomkit.KindDirect
	if len(others) > 1 || d.growing {
		kind = roomkit.KindNone
	}
	if err := d.mayOpen(kind, len(others)); err != nil {
		return err
	}
	if len(others) == 0 && !d.judge {
		return bad("People", "nobody besides the actor")
	}
	if c.Origin == roomkit.OriginRoom && d.f.Need.Room == c.Source {
		if err := d.may(roomkit.ActionSource); err != nil {
			return err
		}
	}
	switch {
	case len(others) == 0:
		return nil
	case kind == roomkit.KindDirect:
		return d.createDirect(c, others[0])
	}
	p := sortOut(d.f.people(others), d.home())
	if c.Origin == roomkit.OriginRoom && d.policy().CompanyMembersFromRooms && p.outside() > 0 {
		d.denyOutsiders(c, &p)
		return nil
	}
	if !c.Existing.IsZero() {
		return d.useRoom(c, &p)
	}
	// Whoever shares a room with the actor can be met there, even if a new room could not
	// take them (EXT-32).
	list, err := d.offers(func(room *roomkit.Room) bool { return recommendable(room, external(c.Audience, &p)) })
	if err != nil {
		return err
	}
	if len(list) > 0 {
		return &roomkit.Offered{Offers: list}
	}
	p = sortOut(d.checkPicked(p.all, unknownRule(c)), d.home())
	kind, err = d.kindOf(c, &p)
	if err != nil || kind == roomkit.KindNone {
		return err
	}
	return d.open(d.openingOf(c, &p, kind))
}

// denyOutsiders refuses outsiders where the policy keeps rooms made from another one to
// company members (CRE-29).
func (d *decider) denyOutsiders(c roomkit.CreateRoom, p *picked) {
	known := sortOut(d.checkPicked(p.all, unknownRule(c)), d.home())
	d.object("CRE-29", roomkit.ActionNone, "a room made from another one is for company members", known.outsiders()...)
}

func unknownRule(c roomkit.CreateRoom) roomkit.Rule {
	if c.Audience == roomkit.AudienceExternal {
		return "EXT-32"
	}
	return "CRE-49"
}

// createDirect leads to the 1:1 room (CRE-03, CRE-33), which has no profile (CRE-10).
func (d *decider) createDirect(c roomkit.CreateRoom, with roomkit.UserID) error {
	if c.Name != "" || c.Photo != "" || c.Description != "" {
		return &roomkit.Invalid{Field: "Name", Reason: "a 1:1 room has no name, photo or description", Rule: "CRE-10"}
	}
	id := roomkit.DirectRoom(d.me.ID, with)
	if !c.Existing.IsZero() && c.Existing != id {
		return d.denied("LST-09", roomkit.ActionNone, "one person leads to the 1:1 room")
	}
	if d.f.Need.Room != id {
		return d.more(func(n *store.Need) { n.Room = id })
	}
	if err := d.checkAudience(c, with); err != nil {
		return err
	}
	return d.openDirect(with, unknownRule(c))
}

// checkAudience demands that one person fits the audience like several would.
func (d *decider) checkAudience(c roomkit.CreateRoom, with roomkit.UserID) error {
	who := d.f.Person(with)
	outside := who.User.Company != d.home() || d.home() == ""
	switch {
	case d.isStranger(&who) && d.room.State != roomkit.StateActive: // openDirect tells
	case c.Audience == roomkit.AudienceMembers && outside:
		d.object("CRE-02", roomkit.ActionNone, "outsiders need the audience of external users", with)
	case c.Audience == roomkit.AudienceExternal && !outside && !d.judge:
		return d.denied("CRE-11", roomkit.ActionNone, "nobody outside the company is chosen")
	}
	return nil
}

// kindOf says what a room of these people would be (CRE-11, CRE-12, CRE-46, CRE-47,
// CRE-50): KindNone where no kind can hold them.
func (d *decider) kindOf(c roomkit.CreateRoom, p *picked) (roomkit.Kind, error) {
	outside := p.outside()
	if len(p.partners) > 0 && len(p.consumers) > 0 {
		d.checkMixture(roomkit.ActionNone, p.consumers, p.partners, append(p.colleagues, d.me))
	}
	switch {
	case c.Audience == roomkit.AudienceMembers:
		d.object("CRE-02", roomkit.ActionNone, "outsiders need the audience of external users", p.outsiders()...)
	case c.Audience == roomkit.AudienceExternal && outside == 0 && !d.judge:
		return roomkit.KindNone, d.denied("CRE-11", roomkit.ActionNone, "nobody outside the company is chosen")
	}
	switch {
	case len(p.partners) > 0 && len(p.consumers) > 0:
		return roomkit.KindNone, nil
	case len(p.partners) > 0:
		return roomkit.KindExternalGroup, nil
	}
	return roomkit.KindGeneral, nil
}

// useRoom answers with a room that the people share: nothing is created (CRE-05, CRE-31).
func (d *decider) useRoom(c roomkit.CreateRoom, p *picked) error {
	if d.f.Need.Room != c.Existing {
		return d.more(func(n *store.Need) { n.Room = c.Existing })
	}
	if err := d.may(roomkit.ActionEnter); err != nil {
		return err
	}
	open := d.growing && c.Audience == roomkit.AudienceNone // who is outside may still come
	if !open && !recommendable(&d.f.Room, external(c.Audience, p)) {
		return d.denied("LST-11", roomkit.ActionNone, "not a room that could have been offered")
	}
	away := those(p.all, func(who *Person) bool { return !who.ListedIn(&d.f.Room) })
	d.object("LST-06", roomkit.ActionNone, "does not take part in that room", ids(away)...)
	return nil
}

func (d *decider) openingOf(c roomkit.CreateRoom, p *picked, kind roomkit.Kind) opening {
	o := opening{
		id: d.f.NewRoom, kind: kind, company: d.home(), origin: c.Origin,
		name: c.Name, photo: c.Photo, description: c.Description,
		people: append(slices.Clone(p.all), d.me),
	}
	if o.name == "" {
		o.name = names.Title(c.Title, o.nameLimit())
	}
	if kind == roomkit.KindExternalGroup {
		o.masters = []Person{d.me}
	}
	return o
}

func checkExternalGroup(c roomkit.CreateExternalGroup) error {
	return cmp.Or(
		demand(!c.Settings.Public, "Settings.Public", "external groups are private", "EXT-10"), checkGroup(roomkit.CreateGroup(c)),
	)
}

func checkGroup(c roomkit.CreateGroup) error {
	named := c.Name != "" && (len(c.Name) > utf8.UTFMax*roomkit.MaxGroupName || !names.Blank(c.Name))
	manned := len(c.Masters) > 0 && len(c.Members) > 0
	return cmp.Or(
		demand(named, "Name", "a group needs a name", "CRE-51"),
		checkProfile(c.Name, c.Photo, c.Description, roomkit.MaxGroupName, "GRP-29"),
		demand(!c.ForOthers || manned, "Masters", "a group created for others needs masters and members", "CRE-51"),
		demand(c.Settings.FeaturesOff&^roomkit.AllFeatures == 0, "Settings.FeaturesOff", "unknown feature", ""),
		checkSome("Members", c.Members, roomkit.MaxPeople),
		checkSome("Masters", c.Masters, roomkit.MaxPeople),
	)
}

func appendNew(list []roomkit.UserID, more ...[]roomkit.UserID) []roomkit.UserID {
	for _, people := range more {
		for _, u := range people {
			if !slices.Contains(list, u) {
				list = append(list, u)
			}
		}
	}
	return list
}

// createGroup makes a group of either kind. The creator becomes Group Master and
// member (GRP-03, EXT-26) unless an administrator creates it for others (ADM-10).
func (d *decider) createGroup(kind roomkit.Kind, c roomkit.CreateGroup, unknown roomkit.Rule) error {
	if err := d.mayOpen(kind, 0); err != nil { // before anybody is looked at
		return err
	}
	if c.ForOthers && !d.me.Administrator {
		return d.denied("ADM-10", roomkit.ActionNone, "only administrators create groups for others")
	}
	members, masters := c.Members, c.Masters
	if !c.ForOthers {
		members, masters = appendNew([]roomkit.UserID{d.me.ID}, members), appendNew([]roomkit.UserID{d.me.ID}, masters)
	}
	people, leading := d.pick(members, unknown), d.pick(masters, unknown)
	return d.open(opening{
		id: d.f.NewRoom, kind: kind, company: d.home(), origin: roomkit.OriginContacts,
		name: c.Name, photo: c.Photo, description: c.Description,
		people: people, masters: leading, settings: c.Settings,
	})
}

// openDirect answers with the 1:1 room of the actor and another user, in which
// both take part afterwards (DIR-01, DIR-02, DIR-17).
func (d *decider) openDirect(with roomkit.UserID, unknown roomkit.Rule) error {
	if err := d.mayOpen(roomkit.KindDirect, 1); err != nil {
		return err
	}
	if d.judge && with == "" {
		return nil
	}
	if with == d.me.ID {
		return &roomkit.Invalid{Field: "With", Reason: "oneself: use OpenSelf", Rule: "DIR-01"}
	}
	other := d.f.Person(with)
	exists := d.room.State == roomkit.StateActive
	if d.checkPartner(&other, with, exists, unknown); d.decided() {
		return nil
	}
	if !exists {
		parties := [2]roomkit.UserID{min(d.me.ID, with), max(d.me.ID, with)}
		company := d.home()
		if company == "" {
			company = other.User.Company
		}
		return d.open(opening{
			id: roomkit.DirectRoom(d.me.ID, with), kind: roomkit.KindDirect, company: company,
			origin: roomkit.OriginContacts, parties: parties, people: []Person{d.me, other},
		})
	}
	back := those([]Person{d.me, other}, func(p *Person) bool { return !p.TakesPart(&d.room) })
	d.joined(back, roomkit.CauseReopened, false)
	return nil
}

func (d *decider) checkPartner(other *Person, with roomkit.UserID, exists bool, unknown roomkit.Rule) {
	isConsumer := d.me.isConsumer() && other.Kind == roomkit.UserMember // the consumer starts (DIR-15)
	if other.Status == roomkit.StatusNone || other.Status == roomkit.StatusDeleted || d.isStranger(other) && !exists && !isConsumer {
		d.ask(true, with)
		d.object(unknown, roomkit.ActionNone, "unknown, or an outsider who is no contact of the actor", with)
		return
	}
	if rule := outsiderRule(&d.me, other); rule != "" {
		d.object(rule, roomkit.ActionNone, "not permitted to talk with each other", with)
	}
	if other.suspended() && !exists {
		d.object("ADM-17", roomkit.ActionNone, "suspended accounts cannot be chosen", with)
	}
	if other.unlicensed() {
		d.object("COM-10", roomkit.ActionNone, "their company does not have a licence", with)
	}
}
