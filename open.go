package roomkit

import (
	"slices"
	"unicode/utf8"
)

// opening is a room about to be created.
type opening struct {
	id          RoomID
	kind        Kind
	company     CompanyID
	team        TeamID
	parties     [2]UserID
	origin      Origin
	name        string
	photo       string
	description string
	people      []person // participants, the creator among them if taking part
	masters     []person
	settings    GroupSettings
	cause       Cause // CauseCreated where it is none
}

func (o *opening) nameLimit() int {
	if o.kind.IsGroup() {
		return MaxGroupName
	}
	return MaxNameRunes
}

// open judges what depends on the kind and begins the room.
func (d *decider) open(o opening) error {
	if o.cause == CauseNone {
		o.cause = CauseCreated
	}
	if err := d.checkOpening(&o); err != nil {
		return err
	}
	e := &RoomCreated{
		Company: o.company, Team: o.team, Parties: o.parties, Origin: o.origin,
		Name: o.name, Photo: o.photo, Description: o.description,
		Public: o.settings.Public, HistorySharing: o.settings.HistorySharing,
		Features: d.rules.offered(o.kind, int64(len(d.sortOut(o.people, o.company).line))) &^ o.settings.FeaturesOff,
	}
	e.Kind = o.kind
	if o.kind == KindGroup {
		e.NameKey = nameKey(o.name)
	}
	d.begin(o.id, e, o.settings.Notify)
	if o.kind.IsGroup() {
		d.tallyCompany(d.f.company(o.company), +1)
	}
	d.join(o.people, o.cause, true)
	d.appoint(o.masters, o.cause)
	if o.settings.MessageOff {
		d.switchMessage(false)
	}
	return nil
}

func (d *decider) checkOpening(o *opening) error {
	if o.kind == KindGeneral && len(o.people) < 3 {
		return d.denied("GEN-29", ActionNone, "a room of several people begins with at least three")
	}
	if err := d.checkRoomFor(o.people, o.kind, 0, "CRE-45"); err != nil {
		return err
	}
	if !o.kind.IsGroup() {
		return nil
	}
	if err := d.checkGroupCreation(o.kind, o.company); err != nil {
		return err
	}
	if err := d.checkGroupName(o, RoomID{}); err != nil {
		return err
	}
	if o.kind == KindExternalGroup {
		if err := d.checkExternal(o.people, o.company); err != nil {
			return err
		}
	} else if err := d.checkColleagues(o.people, o.company, "GRP-02"); err != nil {
		return err
	}
	if !slices.ContainsFunc(o.people, func(p person) bool { return p.Kind != UserBot }) {
		return d.denied("CRE-51", ActionNone, "a group begins with members who are people")
	}
	return d.checkMasters(o.masters, o.kind, o.company)
}

// checkGroupCreation demands the right to create groups (CRE-36, CRE-37), the
// creator's external permission (CRE-38) and room for one more (LIM-01).
func (d *decider) checkGroupCreation(kind Kind, owner CompanyID) error {
	company := d.f.company(owner)
	rule := Rule("CRE-36")
	if kind == KindExternalGroup {
		rule = "CRE-37"
	}
	if d.me.Kind != UserMember {
		return d.denied(rule, ActionNone, "only members of a company create groups")
	}
	if !company.MembersCreateGroups && !d.me.Administrator {
		return d.denied(rule, ActionNone, "the company lets only administrators create groups")
	}
	if kind == KindExternalGroup && !d.me.worksPermitted(d.me.company) {
		return d.denied("CRE-38", ActionNone, "no permission to talk with external users", d.me.ID)
	}
	if company.Groups >= company.maxGroups() {
		return d.denied("LIM-01", ActionNone, "the company has the maximum number of groups")
	}
	return nil
}

// checkGroupName demands a name (CRE-51) that fits (GRP-29, EXT-34) and, in an
// internal group, is unique in the company (GRP-29).
func (d *decider) checkGroupName(o *opening, except RoomID) error {
	if o.name == "" {
		return &Invalid{Field: "Name", Reason: "a group needs a name", Rule: "CRE-51"}
	}
	if utf8.RuneCountInString(o.name) > MaxGroupName {
		return &Invalid{Field: "Name", Reason: "longer than 100 characters", Rule: groupNameRule(o.kind)}
	}
	if o.kind != KindGroup {
		return nil
	}
	return d.checkNameFree(o.name, o.company, except)
}

func groupNameRule(kind Kind) Rule {
	if kind == KindExternalGroup {
		return "EXT-34"
	}
	return "GRP-29"
}

// checkNameFree demands that no other group of the company has the name,
// ignoring case (GRP-29).
func (d *decider) checkNameFree(name string, company CompanyID, except RoomID) error {
	key := nameKey(name)
	if asked := d.f.asked(); asked.Name != key || asked.Company != company {
		return d.more(func(n *Need) { n.Name, n.Company = key, company })
	}
	if holder := d.f.NameHolder; !holder.IsZero() && holder != except {
		return d.denied("GRP-29", ActionRename, "another group of the company has this name")
	}
	return nil
}

// openDirect answers with the 1:1 room of the actor and another user, in which
// both take part afterwards (DIR-01, DIR-02, DIR-17).
func (d *decider) openDirect(with UserID, unknown Rule) error {
	if d.actor.system {
		return d.denied("CRE-30", ActionNone, "the creator takes part, which the system cannot")
	}
	if with == d.me.ID {
		return &Invalid{Field: "With", Reason: "oneself: use OpenSelf", Rule: "DIR-01"}
	}
	other := d.f.person(with)
	exists := d.room.State == StateActive
	if err := d.checkPartner(&other, with, exists, unknown); err != nil {
		return err
	}
	if !exists {
		parties := [2]UserID{min(d.me.ID, with), max(d.me.ID, with)}
		company := d.home()
		if company == "" {
			company = other.User.Company
		}
		return d.open(opening{
			id: DirectRoom(d.me.ID, with), kind: KindDirect, company: company,
			origin: OriginContacts, parties: parties, people: []person{d.me, other},
		})
	}
	var back []person
	for _, who := range []person{d.me, other} {
		if !who.takesPart(&d.room) {
			back = append(back, who)
		}
	}
	d.join(back, CauseReopened, false)
	return nil
}

func (d *decider) checkPartner(other *person, with UserID, exists bool, unknown Rule) error {
	fromLINE := d.me.Kind == UserLINE && other.Kind == UserMember // the LINE user starts (DIR-15)
	if other.Status == StatusNone || other.Status == StatusDeleted || d.isStranger(other) && !exists && !fromLINE {
		return d.denied(unknown, ActionNone, "unknown, or an outsider who is no contact of the actor", with)
	}
	if rule := outsiderRule(&d.me, other); rule != "" {
		return d.denied(rule, ActionNone, "not permitted to talk with each other", with)
	}
	if other.Status == StatusSuspended && !exists {
		return d.denied("ADM-17", ActionNone, "suspended accounts cannot be chosen", with)
	}
	if other.Kind != UserLINE && !other.company.Core {
		return d.denied("COM-10", ActionNone, "their company does not have the Core product", with)
	}
	return nil
}
