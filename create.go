package roomkit

import "slices"

// Audience is the choice a picker starts with (CRE-02).
type Audience uint8

// The audiences.
const (
	AudienceNone     Audience = iota // not chosen; fine only where the origin decides
	AudienceMembers                  // 'Company Members'
	AudienceExternal                 // 'External Users': users of other companies or LINE users
	audienceCount
)

// OpenSelf opens the actor's "message to me" room; the same room every time
// (SELF-02).
type OpenSelf struct{}

// OpenDirect opens the 1:1 room with another user (CRE-13 to CRE-15, DIR-13,
// DIR-15). There is one room per pair (DIR-02): opening it again answers with
// it, and a party that had left starts a new membership period (DIR-17).
type OpenDirect struct {
	With UserID
}

// CreateRoom makes a room of the right kind from picked people (CRE-01): the 1:1
// room for one person, a General room for several company members, an
// ExternalGroup when users of other companies are among them, together with
// company members or not (CRE-12), a General room with LINE users. The room comes
// into being with this command, when the creator has confirmed (CRE-08, CRE-09);
// [Service.Plan] shows it before.
//
// The people are those whom the creator has chosen: of a picker, of a calendar
// event (CRE-16, CRE-18), of a mail (CRE-20, CRE-22), or of the members of another
// room and further people (CRE-23, CRE-24), which stays as it is (CRE-27) and must
// not be a 1:1 room, message to me or a room with outsiders (CRE-25).
//
// With several people it offers first what [Service.Recommend] gives, on every way
// (CRE-04, CRE-19, CRE-22, CRE-26, LST-12): unless Anyway or Use is set and when rooms
// exist that all of them share, it answers with Result.Offers and changes nothing.
// Several rooms of the same people may stand side by side (CRE-07).
type CreateRoom struct {
	People      []UserID // 1 to MaxPeople; the actor is in anyway; of a team, its people of this moment (CRE-53)
	Audience    Audience // required for OriginPicker
	Origin      Origin   // OriginPicker, OriginEvent, OriginMail or OriginRoom
	Source      RoomID   // the room the people were chosen from, for OriginRoom
	Title       string   // the event's title or the mail's subject; shortened to fit (CRE-32)
	Name        string   // given by the creator; wins over Title
	Photo       string
	Description string
	Use         RoomID // choose this room, which the people share, offered or not: nothing is created (CRE-05)
	Anyway      bool   // create although rooms are offered (CRE-06)
}

// CreateGroup makes a group of the actor's company (CRE-34). The actor becomes
// Group Master and member, unless an administrator creates it for others.
type CreateGroup struct {
	Name        string   // required, unique in the company ignoring case (GRP-29)
	Members     []UserID // besides the actor; at most MaxPeople
	Masters     []UserID // further Group Masters; they need not be members (GRP-10)
	ForOthers   bool     // an administrator creates it without taking part; Masters is required
	Photo       string
	Description string
	Settings    GroupSettings
}

// CreateExternalGroup makes an external group owned by the actor's company
// (CRE-35). Everyone in it needs the external permission (EXT-30), and outsiders
// have to be contacts of the actor (EXT-32): [WithContacts], [Options.Contacts] or
// [Policy].AnyoneIsContact say who is.
type CreateExternalGroup struct {
	Name        string   // required (CRE-51)
	Members     []UserID // besides the actor, of any company; at most MaxPeople
	Masters     []UserID // further Group Masters, of the owning company
	ForOthers   bool     // an administrator creates it without taking part; Masters is required
	Photo       string
	Description string
	Settings    GroupSettings
}

// GroupSettings are chosen when a group is created (EXT-36). The zero value:
// message on, every feature the kind offers on, private, no group notification,
// no history sharing.
type GroupSettings struct {
	Public         bool       // Group only (EXT-10)
	HistorySharing bool       // newcomers read from the beginning
	Notify         bool       // group notification (NTF-05)
	MessageOff     bool       // start with message switched off
	FeaturesOff    FeatureSet // features to start with switched off
}

// OpenTeamRoom makes a team's room, by its leader or an administrator (TEAM-02,
// TEAM-03). The team's members are its participants (TEAM-01).
type OpenTeamRoom struct {
	Team TeamID
}

func (OpenSelf) check() error { return nil }

func (OpenSelf) need(actor Actor, n *Need) { n.Room = SelfRoom(actor.user) }

func (OpenSelf) decide(d *decider) error {
	if d.actor.system || d.me.Kind != UserMember {
		return d.denied("SELF-02", ActionNone, "only members of a company have a message to me")
	}
	if d.room.State == StateActive {
		if !d.me.takesPart(&d.room) { // the account was deleted and restored
			d.join([]person{d.me}, CauseReopened, false)
		}
		return nil
	}
	return d.open(opening{
		id: SelfRoom(d.me.ID), kind: KindSelf, company: d.home(), origin: OriginSystem,
		parties: [2]UserID{d.me.ID}, people: []person{d.me},
	})
}

func (c OpenDirect) check() error { return checkUser("With", c.With) }

func (c OpenDirect) need(actor Actor, n *Need) {
	n.Room = DirectRoom(actor.user, c.With)
	n.People = append(n.People, c.With)
}

func (c OpenDirect) decide(d *decider) error { return d.openDirect(c.With, "CRE-49") }

func (c CreateRoom) check() error {
	if err := checkPeople("People", c.People); err != nil {
		return err
	}
	if err := enumOK("Audience", c.Audience, audienceCount); err != nil {
		return err
	}
	if c.Origin > OriginRoom {
		return invalid("Origin", "not a way of picking people")
	}
	if c.Audience == AudienceNone && c.Origin == OriginPicker {
		return &Invalid{Field: "Audience", Reason: "missing", Rule: "CRE-02"}
	}
	if (c.Origin == OriginRoom) == c.Source.IsZero() {
		return invalid("Source", "goes with OriginRoom, and only with it")
	}
	return checkProfile(c.Name, c.Photo, c.Description, MaxNameRunes, "LIM-05")
}

func (c CreateRoom) need(actor Actor, n *Need) {
	others := without(c.People, actor.user)
	n.People = append(n.People, others...)
	switch {
	case c.Origin == OriginRoom:
		n.Room = c.Source
	case !c.Use.IsZero():
		n.Room = c.Use
	case len(others) == 1:
		n.Room = DirectRoom(actor.user, others[0])
	}
	if len(others) > 1 && !c.Anyway && c.Use.IsZero() {
		n.Shared = n.People
	}
}

func (c CreateRoom) decide(d *decider) error {
	if d.actor.system {
		return d.denied("CRE-30", ActionNone, "the creator takes part, which the system cannot")
	}
	others := without(c.People, d.me.ID)
	if len(others) == 0 {
		return invalid("People", "nobody besides the actor")
	}
	if c.Origin == OriginRoom && d.f.asked().Room == c.Source {
		if err := d.may(ActionSource); err != nil {
			return err
		}
	}
	if len(others) == 1 {
		return c.direct(d, others[0])
	}
	if err := c.checkCreator(d, len(others)); err != nil {
		return err
	}
	p := d.sortOut(d.people(others), d.home())
	if c.Origin == OriginRoom && p.outside() > 0 {
		return c.notFromRoom(d, &p)
	}
	if !c.Use.IsZero() {
		return c.use(d, &p)
	}
	if offers := c.offers(d, &p); len(offers) > 0 {
		d.out.Offers = offers
		return nil
	}
	if err := d.checkPicked(p.all, c.unknownRule()); err != nil {
		return err
	}
	kind, err := c.kind(d, &p)
	if err != nil {
		return err
	}
	return d.open(c.opening(d, &p, kind))
}

func (c CreateRoom) checkCreator(d *decider, people int) error {
	switch {
	case d.me.Kind == UserLINE:
		return d.denied("LINE-02", ActionNone, "a LINE user does not create rooms of several people")
	case d.me.Kind == UserBot && people > 100:
		return d.denied("CRE-48", ActionNone, "a bot names at most 100 people")
	}
	return nil
}

// notFromRoom refuses outsiders, who cannot be chosen from another room at all
// (CRE-29, AMB-27).
func (c CreateRoom) notFromRoom(d *decider, p *picked) error {
	if err := d.checkPicked(p.all, c.unknownRule()); err != nil {
		return err
	}
	return d.denied("CRE-29", ActionNone, "a room made from another one is for company members", append(ids(p.outsiders), ids(p.line)...)...)
}

// offers are what [Service.Recommend] gives for the same people, where they were
// asked for: whoever shares a room with the actor can be met there, be it that a new
// room could not take them (AMB-23, EXT-32).
func (c CreateRoom) offers(d *decider, p *picked) []Offer {
	return d.rules.offers(d.f.Shared, len(p.all)+1, c.external(p), false)
}

// external reports whether rooms with outsiders are looked for (LST-11): the people
// decide where the audience was not asked for.
func (c CreateRoom) external(p *picked) bool {
	return c.Audience == AudienceExternal || c.Audience == AudienceNone && p.outside() > 0
}

func (c CreateRoom) unknownRule() Rule {
	if c.Audience == AudienceExternal {
		return "EXT-32"
	}
	return "CRE-49"
}

// direct leads to the 1:1 room (CRE-03, CRE-33), which has no profile (CRE-10).
func (c CreateRoom) direct(d *decider, with UserID) error {
	if c.Name != "" || c.Photo != "" || c.Description != "" {
		return &Invalid{Field: "Name", Reason: "a 1:1 room has no name, photo or description", Rule: "CRE-10"}
	}
	id := DirectRoom(d.me.ID, with)
	if !c.Use.IsZero() && c.Use != id {
		return d.denied("LST-09", ActionNone, "one person leads to the 1:1 room")
	}
	if d.f.asked().Room != id {
		return d.more(func(n *Need) { n.Room = id })
	}
	if err := c.checkAudience(d, with); err != nil {
		return err
	}
	return d.openDirect(with, c.unknownRule())
}

// checkAudience demands that one person fits the audience like several would.
func (c CreateRoom) checkAudience(d *decider, with UserID) error {
	who := d.f.person(with)
	outside := who.User.Company != d.home() || d.home() == ""
	switch {
	case d.isStranger(&who) && d.room.State != StateActive: // openDirect tells
	case c.Audience == AudienceMembers && outside:
		return d.denied("CRE-02", ActionNone, "outsiders need the audience of external users", with)
	case c.Audience == AudienceExternal && !outside:
		return d.denied("CRE-11", ActionNone, "nobody outside the company is chosen")
	}
	return nil
}

// kind says what a room of these people would be (CRE-11, CRE-46, CRE-47,
// CRE-50) and refuses what no kind can hold.
func (c CreateRoom) kind(d *decider, p *picked) (Kind, error) {
	outside := p.outside()
	switch {
	case len(p.outsiders) > 0 && len(p.line) > 0:
		return 0, d.denied("CRE-46", ActionNone, "LINE users and users of other companies do not mix", ids(p.line)...)
	case c.Audience == AudienceMembers && outside > 0:
		return 0, d.denied("CRE-02", ActionNone, "outsiders need the audience of external users", append(ids(p.outsiders), ids(p.line)...)...)
	case c.Audience == AudienceExternal && outside == 0:
		return 0, d.denied("CRE-11", ActionNone, "nobody outside the company is chosen")
	}
	if len(p.outsiders) > 0 {
		return KindExternalGroup, nil
	}
	if len(p.line) > 0 {
		return KindGeneral, d.checkLINE(append(p.all, d.me))
	}
	return KindGeneral, nil
}

// use answers with a room that the people share: nothing is created (CRE-05, CRE-31).
func (c CreateRoom) use(d *decider, p *picked) error {
	if d.f.asked().Room != c.Use {
		return d.more(func(n *Need) { n.Room = c.Use })
	}
	if err := d.may(ActionEnter); err != nil {
		return err
	}
	if !recommendable(&d.f.Room, c.external(p)) {
		return d.denied("LST-11", ActionNone, "not a room that could have been offered")
	}
	for i := range p.all {
		if !p.all[i].shows(&d.f.Room) {
			return d.denied("LST-06", ActionNone, "does not take part in that room", p.all[i].ID)
		}
	}
	return nil
}

func (c CreateRoom) opening(d *decider, p *picked, kind Kind) opening {
	o := opening{
		id: d.f.NewRoom, kind: kind, company: d.home(), origin: c.Origin,
		name: c.Name, photo: c.Photo, description: c.Description,
		people: append(slices.Clone(p.all), d.me),
	}
	if o.name == "" {
		o.name = derivedTitle(c.Title, o.nameLimit())
	}
	if kind == KindExternalGroup {
		o.masters = []person{d.me}
	}
	return o
}

func (c CreateGroup) check() error {
	return checkGroup(c.Name, c.Photo, c.Description, c.Members, c.Masters, c.ForOthers, c.Settings)
}

func (c CreateGroup) need(_ Actor, n *Need) { n.People = appendNew(n.People, c.Members, c.Masters) }

func (c CreateGroup) decide(d *decider) error {
	return d.createGroup(KindGroup, c, "CRE-49")
}

func (c CreateExternalGroup) check() error {
	if c.Settings.Public {
		return &Invalid{Field: "Settings.Public", Reason: "external groups are private", Rule: "EXT-10"}
	}
	return checkGroup(c.Name, c.Photo, c.Description, c.Members, c.Masters, c.ForOthers, c.Settings)
}

func (c CreateExternalGroup) need(_ Actor, n *Need) {
	n.People = appendNew(n.People, c.Members, c.Masters)
}

func (c CreateExternalGroup) decide(d *decider) error {
	return d.createGroup(KindExternalGroup, CreateGroup(c), "EXT-32")
}

func checkGroup(name, photo, description string, members, masters []UserID, forOthers bool, s GroupSettings) error {
	if name == "" {
		return &Invalid{Field: "Name", Reason: "a group needs a name", Rule: "CRE-51"}
	}
	if err := checkProfile(name, photo, description, MaxGroupName, "GRP-29"); err != nil {
		return err
	}
	if forOthers && (len(masters) == 0 || len(members) == 0) {
		return &Invalid{Field: "Masters", Reason: "a group created for others needs masters and members", Rule: "CRE-51"}
	}
	if s.FeaturesOff&^allFeatures != 0 {
		return invalid("Settings.FeaturesOff", "unknown feature")
	}
	if err := checkSome("Members", members, MaxPeople); err != nil {
		return err
	}
	return checkSome("Masters", masters, MaxPeople)
}

func appendNew(list []UserID, more ...[]UserID) []UserID {
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
func (d *decider) createGroup(kind Kind, c CreateGroup, unknown Rule) error {
	if d.actor.system {
		return d.denied("CRE-34", ActionNone, "groups are created by members or administrators")
	}
	if c.ForOthers && !d.me.Administrator {
		return d.denied("ADM-10", ActionNone, "only administrators create groups for others")
	}
	members, masters := c.Members, c.Masters
	if !c.ForOthers {
		members, masters = appendNew([]UserID{d.me.ID}, members), appendNew([]UserID{d.me.ID}, masters)
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
		id: d.f.NewRoom, kind: kind, company: d.home(), origin: OriginContacts,
		name: c.Name, photo: c.Photo, description: c.Description,
		people: people, masters: leading, settings: c.Settings,
	})
}
