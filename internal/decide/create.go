package decide

import (
	"slices"
	"unicode/utf8"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func checkOpenSelf(_ roomkit.OpenSelf) error { return nil }

func needOpenSelf(_ roomkit.OpenSelf, actor roomkit.Actor, n *store.Need) {
	n.Room = roomkit.SelfRoom(actor.User())
}

func decideOpenSelf(_ roomkit.OpenSelf, d *Decider) error {
	if d.Actor.IsSystem() || d.Me.Kind != roomkit.UserMember {
		return d.denied("SELF-02", roomkit.ActionNone, "only members of a company have a message to me")
	}
	if d.room.State == roomkit.StateActive {
		if !d.Me.TakesPart(&d.room) { // the account was deleted and restored
			d.join([]Person{d.Me}, roomkit.CauseReopened, false)
		}
		return nil
	}
	return d.open(opening{
		id: roomkit.SelfRoom(d.Me.ID), kind: roomkit.KindSelf, company: d.Home(), origin: roomkit.OriginSystem,
		parties: [2]roomkit.UserID{d.Me.ID}, people: []Person{d.Me},
	})
}

func checkOpenDirect(c roomkit.OpenDirect) error { return CheckUser("With", c.With) }

func needOpenDirect(c roomkit.OpenDirect, actor roomkit.Actor, n *store.Need) {
	n.Room = roomkit.DirectRoom(actor.User(), c.With)
	n.People = append(n.People, c.With)
}

func decideOpenDirect(c roomkit.OpenDirect, d *Decider) error { return d.openDirect(c.With, "CRE-49") }

func checkCreateRoom(c roomkit.CreateRoom) error {
	if err := CheckPeople("People", c.People); err != nil {
		return err
	}
	if err := EnumOK("Audience", c.Audience, roomkit.AudienceCount); err != nil {
		return err
	}
	if c.Origin > roomkit.OriginRoom {
		return roomkit.BadInput("Origin", "not a way of picking people")
	}
	if c.Audience == roomkit.AudienceNone && c.Origin == roomkit.OriginPicker {
		return &roomkit.Invalid{Field: "Audience", Reason: "missing", Rule: "CRE-02"}
	}
	if (c.Origin == roomkit.OriginRoom) == c.Source.IsZero() {
		return roomkit.BadInput("Source", "goes with OriginRoom, and only with it")
	}
	return checkProfile(c.Name, c.Photo, c.Description, roomkit.MaxNameRunes, "LIM-05")
}

func needCreateRoom(c roomkit.CreateRoom, actor roomkit.Actor, n *store.Need) {
	others := Without(c.People, actor.User())
	n.People = append(n.People, others...)
	switch {
	case c.Origin == roomkit.OriginRoom:
		n.Room = c.Source
	case !c.Use.IsZero():
		n.Room = c.Use
	case len(others) == 1:
		n.Room = roomkit.DirectRoom(actor.User(), others[0])
	}
	if len(others) > 1 && !c.Anyway && c.Use.IsZero() {
		n.Shared = n.People
	}
}

func decideCreateRoom(c roomkit.CreateRoom, d *Decider) error {
	if d.Actor.IsSystem() {
		return d.denied("CRE-30", roomkit.ActionNone, "the creator takes part, which the system cannot")
	}
	others := Without(c.People, d.Me.ID)
	if len(others) == 0 {
		return roomkit.BadInput("People", "nobody besides the actor")
	}
	if c.Origin == roomkit.OriginRoom && askedFacts(d.F).Room == c.Source {
		if err := d.may(roomkit.ActionSource); err != nil {
			return err
		}
	}
	if len(others) == 1 {
		return directCreateRoom(c, d, others[0])
	}
	if err := CheckCreatorCreateRoom(c, d, len(others)); err != nil {
		return err
	}
	p := d.SortOut(d.People(others), d.Home())
	if c.Origin == roomkit.OriginRoom && p.outside() > 0 {
		return notFromRoomCreateRoom(c, d, &p)
	}
	if !c.Use.IsZero() {
		return useCreateRoom(c, d, &p)
	}
	if offers := offersCreateRoom(c, d, &p); len(offers) > 0 {
		d.out.Offers = offers
		return nil
	}
	if err := d.checkPicked(p.all, unknownRuleCreateRoom(c)); err != nil {
		return err
	}
	kind, err := kindCreateRoom(c, d, &p)
	if err != nil {
		return err
	}
	return d.open(openingCreateRoom(c, d, &p, kind))
}

func CheckCreatorCreateRoom(c roomkit.CreateRoom, d *Decider, people int) error {
	switch {
	case d.Me.Kind == roomkit.UserLINE:
		return d.denied("LINE-02", roomkit.ActionNone, "a LINE user does not create rooms of several people")
	case d.Me.Kind == roomkit.UserBot && people > 100:
		return d.denied("CRE-48", roomkit.ActionNone, "a bot names at most 100 people")
	}
	return nil
}

// notFromRoom refuses outsiders, who cannot be chosen from another room at all
// (CRE-29, AMB-27).
func notFromRoomCreateRoom(c roomkit.CreateRoom, d *Decider, p *picked) error {
	if err := d.checkPicked(p.all, unknownRuleCreateRoom(c)); err != nil {
		return err
	}
	return d.denied("CRE-29", roomkit.ActionNone, "a room made from another one is for company members", append(ids(p.outsiders), ids(p.line)...)...)
}

// offers are what [Service.Recommend] gives for the same people, where they were
// asked for: whoever shares a room with the actor can be met there, be it that a new
// room could not take them (AMB-23, EXT-32).
func offersCreateRoom(c roomkit.CreateRoom, d *Decider, p *picked) []roomkit.Offer {
	return OffersRules(d.Rules, d.F.Shared, len(p.all)+1, ExternalCreateRoom(c, p), false)
}

// external reports whether rooms with outsiders are looked for (LST-11): the people
// decide where the audience was not asked for.
func ExternalCreateRoom(c roomkit.CreateRoom, p *picked) bool {
	return c.Audience == roomkit.AudienceExternal || c.Audience == roomkit.AudienceNone && p.outside() > 0
}

func unknownRuleCreateRoom(c roomkit.CreateRoom) roomkit.Rule {
	if c.Audience == roomkit.AudienceExternal {
		return "EXT-32"
	}
	return "CRE-49"
}

// direct leads to the 1:1 room (CRE-03, CRE-33), which has no profile (CRE-10).
func directCreateRoom(c roomkit.CreateRoom, d *Decider, with roomkit.UserID) error {
	if c.Name != "" || c.Photo != "" || c.Description != "" {
		return &roomkit.Invalid{Field: "Name", Reason: "a 1:1 room has no name, photo or description", Rule: "CRE-10"}
	}
	id := roomkit.DirectRoom(d.Me.ID, with)
	if !c.Use.IsZero() && c.Use != id {
		return d.denied("LST-09", roomkit.ActionNone, "one person leads to the 1:1 room")
	}
	if askedFacts(d.F).Room != id {
		return d.more(func(n *store.Need) { n.Room = id })
	}
	if err := checkAudienceCreateRoom(c, d, with); err != nil {
		return err
	}
	return d.openDirect(with, unknownRuleCreateRoom(c))
}

// checkAudience demands that one person fits the audience like several would.
func checkAudienceCreateRoom(c roomkit.CreateRoom, d *Decider, with roomkit.UserID) error {
	who := PersonFacts(d.F, with)
	outside := who.User.Company != d.Home() || d.Home() == ""
	switch {
	case d.isStranger(&who) && d.room.State != roomkit.StateActive: // openDirect tells
	case c.Audience == roomkit.AudienceMembers && outside:
		return d.denied("CRE-02", roomkit.ActionNone, "outsiders need the audience of external users", with)
	case c.Audience == roomkit.AudienceExternal && !outside:
		return d.denied("CRE-11", roomkit.ActionNone, "nobody outside the company is chosen")
	}
	return nil
}

// kind says what a room of these people would be (CRE-11, CRE-46, CRE-47,
// CRE-50) and refuses what no kind can hold.
func kindCreateRoom(c roomkit.CreateRoom, d *Decider, p *picked) (roomkit.Kind, error) {
	outside := p.outside()
	switch {
	case len(p.outsiders) > 0 && len(p.line) > 0:
		return 0, d.denied("CRE-46", roomkit.ActionNone, "LINE users and users of other companies do not mix", ids(p.line)...)
	case c.Audience == roomkit.AudienceMembers && outside > 0:
		return 0, d.denied("CRE-02", roomkit.ActionNone, "outsiders need the audience of external users", append(ids(p.outsiders), ids(p.line)...)...)
	case c.Audience == roomkit.AudienceExternal && outside == 0:
		return 0, d.denied("CRE-11", roomkit.ActionNone, "nobody outside the company is chosen")
	}
	if len(p.outsiders) > 0 {
		return roomkit.KindExternalGroup, nil
	}
	if len(p.line) > 0 {
		return roomkit.KindGeneral, d.checkLINE(append(p.all, d.Me))
	}
	return roomkit.KindGeneral, nil
}

// use answers with a room that the people share: nothing is created (CRE-05, CRE-31).
func useCreateRoom(c roomkit.CreateRoom, d *Decider, p *picked) error {
	if askedFacts(d.F).Room != c.Use {
		return d.more(func(n *store.Need) { n.Room = c.Use })
	}
	if err := d.may(roomkit.ActionEnter); err != nil {
		return err
	}
	if !recommendable(&d.F.Room, ExternalCreateRoom(c, p)) {
		return d.denied("LST-11", roomkit.ActionNone, "not a room that could have been offered")
	}
	for i := range p.all {
		if !p.all[i].Shows(&d.F.Room) {
			return d.denied("LST-06", roomkit.ActionNone, "does not take part in that room", p.all[i].ID)
		}
	}
	return nil
}

func openingCreateRoom(c roomkit.CreateRoom, d *Decider, p *picked, kind roomkit.Kind) opening {
	o := opening{
		id: d.F.NewRoom, kind: kind, company: d.Home(), origin: c.Origin,
		name: c.Name, photo: c.Photo, description: c.Description,
		people: append(slices.Clone(p.all), d.Me),
	}
	if o.name == "" {
		o.name = derivedTitle(c.Title, o.nameLimit())
	}
	if kind == roomkit.KindExternalGroup {
		o.masters = []Person{d.Me}
	}
	return o
}

func checkCreateGroup(c roomkit.CreateGroup) error {
	return checkGroup(c.Name, c.Photo, c.Description, c.Members, c.Masters, c.ForOthers, c.Settings)
}

func needCreateGroup(c roomkit.CreateGroup, _ roomkit.Actor, n *store.Need) {
	n.People = appendNew(n.People, c.Members, c.Masters)
}

func decideCreateGroup(c roomkit.CreateGroup, d *Decider) error {
	return d.createGroup(roomkit.KindGroup, c, "CRE-49")
}

func checkCreateExternalGroup(c roomkit.CreateExternalGroup) error {
	if c.Settings.Public {
		return &roomkit.Invalid{Field: "Settings.Public", Reason: "external groups are private", Rule: "EXT-10"}
	}
	return checkGroup(c.Name, c.Photo, c.Description, c.Members, c.Masters, c.ForOthers, c.Settings)
}

func needCreateExternalGroup(c roomkit.CreateExternalGroup, _ roomkit.Actor, n *store.Need) {
	n.People = appendNew(n.People, c.Members, c.Masters)
}

func decideCreateExternalGroup(c roomkit.CreateExternalGroup, d *Decider) error {
	return d.createGroup(roomkit.KindExternalGroup, roomkit.CreateGroup(c), "EXT-32")
}

func checkGroup(name, photo, description string, members, masters []roomkit.UserID, forOthers bool, s roomkit.GroupSettings) error {
	if name == "" {
		return &roomkit.Invalid{Field: "Name", Reason: "a group needs a name", Rule: "CRE-51"}
	}
	if err := checkProfile(name, photo, description, roomkit.MaxGroupName, "GRP-29"); err != nil {
		return err
	}
	if forOthers && (len(masters) == 0 || len(members) == 0) {
		return &roomkit.Invalid{Field: "Masters", Reason: "a group created for others needs masters and members", Rule: "CRE-51"}
	}
	if s.FeaturesOff&^roomkit.AllFeatures != 0 {
		return roomkit.BadInput("Settings.FeaturesOff", "unknown feature")
	}
	if err := checkSome("Members", members, roomkit.MaxPeople); err != nil {
		return err
	}
	return checkSome("Masters", masters, roomkit.MaxPeople)
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
func (d *Decider) createGroup(kind roomkit.Kind, c roomkit.CreateGroup, unknown roomkit.Rule) error {
	if d.Actor.IsSystem() {
		return d.denied("CRE-34", roomkit.ActionNone, "groups are created by members or administrators")
	}
	if c.ForOthers && !d.Me.Administrator {
		return d.denied("ADM-10", roomkit.ActionNone, "only administrators create groups for others")
	}
	members, masters := c.Members, c.Masters
	if !c.ForOthers {
		members, masters = appendNew([]roomkit.UserID{d.Me.ID}, members), appendNew([]roomkit.UserID{d.Me.ID}, masters)
	}
	people, err := d.pick(members, unknown)
	if err != nil {
		return err
	}
	leading, err := d.pick(masters, unknown)
	if err != nil {
		return err
	}
	return d.open(opening{
		id: d.F.NewRoom, kind: kind, company: d.Home(), origin: roomkit.OriginContacts,
		name: c.Name, photo: c.Photo, description: c.Description,
		people: people, masters: leading, settings: c.Settings,
	})
}

// opening is a room about to be created.
type opening struct {
	id          roomkit.RoomID
	kind        roomkit.Kind
	company     roomkit.CompanyID
	team        roomkit.TeamID
	parties     [2]roomkit.UserID
	origin      roomkit.Origin
	name        string
	photo       string
	description string
	people      []Person // participants, the creator among them if taking part
	masters     []Person
	settings    roomkit.GroupSettings
	cause       roomkit.Cause // CauseCreated where it is none
}

func (o *opening) nameLimit() int {
	if o.kind.IsGroup() {
		return roomkit.MaxGroupName
	}
	return roomkit.MaxNameRunes
}

// open judges what depends on the kind and begins the room.
func (d *Decider) open(o opening) error {
	if o.cause == roomkit.CauseNone {
		o.cause = roomkit.CauseCreated
	}
	if err := d.checkOpening(&o); err != nil {
		return err
	}
	e := &roomkit.RoomCreated{
		Company: o.company, Team: o.team, Parties: o.parties, Origin: o.origin,
		Name: o.name, Photo: o.photo, Description: o.description,
		Public: o.settings.Public, HistorySharing: o.settings.HistorySharing,
		Features: offeredRules(d.Rules, o.kind, int64(len(d.SortOut(o.people, o.company).line))) &^ o.settings.FeaturesOff,
	}
	e.Kind = o.kind
	if o.kind == roomkit.KindGroup {
		e.NameKey = nameKey(o.name)
	}
	d.begin(o.id, e, o.settings.Notify)
	if o.kind.IsGroup() {
		d.tallyCompany(CompanyFacts(d.F, o.company), +1)
	}
	d.join(o.people, o.cause, true)
	d.appoint(o.masters, o.cause)
	if o.settings.MessageOff {
		d.switchMessage(false)
	}
	return nil
}

func (d *Decider) checkOpening(o *opening) error {
	if o.kind == roomkit.KindGeneral && len(o.people) < 3 {
		return d.denied("GEN-29", roomkit.ActionNone, "a room of several people begins with at least three")
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
	if err := d.checkGroupName(o, roomkit.RoomID{}); err != nil {
		return err
	}
	if o.kind == roomkit.KindExternalGroup {
		if err := d.checkExternal(o.people, o.company); err != nil {
			return err
		}
	} else if err := d.checkColleagues(o.people, o.company, "GRP-02"); err != nil {
		return err
	}
	if !slices.ContainsFunc(o.people, func(p Person) bool { return p.Kind != roomkit.UserBot }) {
		return d.denied("CRE-51", roomkit.ActionNone, "a group begins with members who are people")
	}
	return d.checkMasters(o.masters, o.kind, o.company)
}

// checkGroupCreation demands the right to create groups (CRE-36, CRE-37), the
// creator's external permission (CRE-38) and room for one more (LIM-01).
func (d *Decider) checkGroupCreation(kind roomkit.Kind, owner roomkit.CompanyID) error {
	company := CompanyFacts(d.F, owner)
	rule := roomkit.Rule("CRE-36")
	if kind == roomkit.KindExternalGroup {
		rule = "CRE-37"
	}
	if d.Me.Kind != roomkit.UserMember {
		return d.denied(rule, roomkit.ActionNone, "only members of a company create groups")
	}
	if !company.MembersCreateGroups && !d.Me.Administrator {
		return d.denied(rule, roomkit.ActionNone, "the company lets only administrators create groups")
	}
	if kind == roomkit.KindExternalGroup && !worksPermittedUser(d.Me.User, d.Me.company) {
		return d.denied("CRE-38", roomkit.ActionNone, "no permission to talk with external users", d.Me.ID)
	}
	if company.Groups >= maxGroupsCompany(company) {
		return d.denied("LIM-01", roomkit.ActionNone, "the company has the maximum number of groups")
	}
	return nil
}

// checkGroupName demands a name (CRE-51) that fits (GRP-29, EXT-34) and, in an
// internal group, is unique in the company (GRP-29).
func (d *Decider) checkGroupName(o *opening, except roomkit.RoomID) error {
	if o.name == "" {
		return &roomkit.Invalid{Field: "Name", Reason: "a group needs a name", Rule: "CRE-51"}
	}
	if utf8.RuneCountInString(o.name) > roomkit.MaxGroupName {
		return &roomkit.Invalid{Field: "Name", Reason: "longer than 100 characters", Rule: groupNameRule(o.kind)}
	}
	if o.kind != roomkit.KindGroup {
		return nil
	}
	return d.checkNameFree(o.name, o.company, except)
}

func groupNameRule(kind roomkit.Kind) roomkit.Rule {
	if kind == roomkit.KindExternalGroup {
		return "EXT-34"
	}
	return "GRP-29"
}

// checkNameFree demands that no other group of the company has the name,
// ignoring case (GRP-29).
func (d *Decider) checkNameFree(name string, company roomkit.CompanyID, except roomkit.RoomID) error {
	key := nameKey(name)
	if asked := askedFacts(d.F); asked.Name != key || asked.Company != company {
		return d.more(func(n *store.Need) { n.Name, n.Company = key, company })
	}
	if holder := d.F.NameHolder; !holder.IsZero() && holder != except {
		return d.denied("GRP-29", roomkit.ActionRename, "another group of the company has this name")
	}
	return nil
}

// openDirect answers with the 1:1 room of the actor and another user, in which
// both take part afterwards (DIR-01, DIR-02, DIR-17).
func (d *Decider) openDirect(with roomkit.UserID, unknown roomkit.Rule) error {
	if d.Actor.IsSystem() {
		return d.denied("CRE-30", roomkit.ActionNone, "the creator takes part, which the system cannot")
	}
	if with == d.Me.ID {
		return &roomkit.Invalid{Field: "With", Reason: "oneself: use OpenSelf", Rule: "DIR-01"}
	}
	other := PersonFacts(d.F, with)
	exists := d.room.State == roomkit.StateActive
	if err := d.checkPartner(&other, with, exists, unknown); err != nil {
		return err
	}
	if !exists {
		parties := [2]roomkit.UserID{min(d.Me.ID, with), max(d.Me.ID, with)}
		company := d.Home()
		if company == "" {
			company = other.User.Company
		}
		return d.open(opening{
			id: roomkit.DirectRoom(d.Me.ID, with), kind: roomkit.KindDirect, company: company,
			origin: roomkit.OriginContacts, parties: parties, people: []Person{d.Me, other},
		})
	}
	var back []Person
	for _, who := range []Person{d.Me, other} {
		if !who.TakesPart(&d.room) {
			back = append(back, who)
		}
	}
	d.join(back, roomkit.CauseReopened, false)
	return nil
}

func (d *Decider) checkPartner(other *Person, with roomkit.UserID, exists bool, unknown roomkit.Rule) error {
	fromLINE := d.Me.Kind == roomkit.UserLINE && other.Kind == roomkit.UserMember // the LINE user starts (DIR-15)
	if other.Status == roomkit.StatusNone || other.Status == roomkit.StatusDeleted || d.isStranger(other) && !exists && !fromLINE {
		return d.denied(unknown, roomkit.ActionNone, "unknown, or an outsider who is no contact of the actor", with)
	}
	if rule := outsiderRule(&d.Me, other); rule != "" {
		return d.denied(rule, roomkit.ActionNone, "not permitted to talk with each other", with)
	}
	if other.Status == roomkit.StatusSuspended && !exists {
		return d.denied("ADM-17", roomkit.ActionNone, "suspended accounts cannot be chosen", with)
	}
	if other.Kind != roomkit.UserLINE && !other.company.Core {
		return d.denied("COM-10", roomkit.ActionNone, "their company does not have the Core product", with)
	}
	return nil
}
