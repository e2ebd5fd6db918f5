package decide

import (
	"cmp"
	"slices"
	"unicode/utf8"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/names"
	"github.com/go-roomkit/roomkit/store"
)

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
func (d *decider) open(o opening) error {
	if o.cause == roomkit.CauseNone {
		o.cause = roomkit.CauseCreated
	}
	if err := d.checkOpening(&o); err != nil || d.decided() {
		return err
	}
	e := &roomkit.RoomCreated{
		Company: o.company, Team: o.team, Parties: o.parties, Origin: o.origin,
		Name: o.name, Photo: o.photo, Description: names.Lines(o.description),
		Public: o.settings.Public, HistorySharing: o.settings.HistorySharing,
		Features: d.rules.Offered(o.kind, int64(len(sortOut(o.people, o.company).consumers))) &^ o.settings.FeaturesOff,
	}
	e.Kind = o.kind
	if o.kind == roomkit.KindGroup {
		e.NameKey = names.Key(o.name)
	}
	d.begin(o.id, e, o.settings.Notify)
	if o.kind.IsGroup() {
		d.tallyCompany(d.f.company(o.company), +1)
	}
	d.joined(o.people, o.cause, true)
	d.appointed(o.masters, o.cause)
	if o.settings.MessageOff {
		d.switchMessage(false)
	}
	return nil
}

// checkOpening demands what a room of the kind needs to begin: every way in which one
// opens, conversion among them, comes here. What stands against the people comes before
// what the room as a whole lacks, which may follow from leaving them out.
func (d *decider) checkOpening(o *opening) error {
	if d.no == nil {
		if err := d.mayOpen(o.kind, len(o.people)-1); err != nil {
			return err
		}
	}
	d.checkMembers(o.people, o.kind, o.company)
	if o.kind.IsGroup() {
		d.checkMasters(o.masters, o.kind, o.company)
	}
	if err := d.checkRoomFor(o.people, o.kind, 0, "CRE-45"); err != nil || d.decided() {
		return err
	}
	switch {
	case !d.f.company(o.company).Licensed:
		return d.denied("COM-10", roomkit.ActionNone, "the company does not have a licence")
	case o.kind == roomkit.KindGeneral && len(o.people) < 3:
		return d.denied("GEN-29", roomkit.ActionNone, "a room of several people begins with at least three")
	case !slices.ContainsFunc(o.people, func(p Person) bool { return p.Kind != roomkit.UserBot }):
		return d.denied(botsOnly(o.kind), roomkit.ActionNone, "a room begins with people who are no bots")
	case o.kind.IsGroup():
		return d.checkGroupName(o)
	}
	return nil
}

// botsOnly is the rule against a room of bots: the last human one has left it (COM-09).
func botsOnly(kind roomkit.Kind) roomkit.Rule {
	if kind.IsGroup() {
		return "CRE-51"
	}
	return "COM-09"
}

// mayOpen demands what the actor needs to open a room of a kind for so many others; with
// KindNone the kind is not known yet, but not a 1:1 room. What a team's room asks is in
// [decider.openTeamRoom].
func (d *decider) mayOpen(kind roomkit.Kind, others int) error {
	return mayOpen(d.f, d.actor, &d.me, kind, others)
}

func mayOpen(f *Facts, actor roomkit.Actor, who *Person, kind roomkit.Kind, others int) error {
	no := func(rule roomkit.Rule, reason string) error { return f.denied(actor, rule, roomkit.ActionNone, reason) }
	several := kind == roomkit.KindNone || kind == roomkit.KindGeneral
	switch {
	case kind == roomkit.KindTeam:
		return nil
	case kind == roomkit.KindSelf && who.Kind != roomkit.UserMember:
		return no("SELF-02", "only members of a company have a message to me")
	case kind.IsGroup():
		return mayCreateGroup(f, actor, who, kind)
	case actor.IsSystem():
		return no("CRE-30", "the creator takes part, which the system cannot")
	case several && who.isConsumer():
		return no("LINE-02", "a consumer does not create rooms of several people")
	case several && who.bot() && others > 100:
		return no("CRE-48", "a bot names at most 100 people")
	}
	return nil
}

// mayCreateGroup demands the right to create groups (CRE-36, CRE-37), the creator's
// external permission (CRE-38) and room for one more (LIM-01).
func mayCreateGroup(f *Facts, actor roomkit.Actor, who *Person, kind roomkit.Kind) error {
	no := func(rule roomkit.Rule, reason string, people ...roomkit.UserID) error {
		return f.denied(actor, rule, roomkit.ActionNone, reason, people...)
	}
	company, rule := who.company, externally(kind, "CRE-37", "CRE-36")
	switch {
	case actor.IsSystem():
		return no("CRE-34", "groups are created by members or administrators")
	case who.Kind != roomkit.UserMember:
		return no(rule, "only members of a company create groups")
	case !company.MembersCreateGroups && !who.Administrator:
		return no(rule, "the company lets only administrators create groups")
	case kind == roomkit.KindExternalGroup && !who.partnersPermitted():
		return no("CRE-38", "no permission to talk with external users", who.ID)
	case company.Groups >= orDefault(company.MaxGroups, 100_000):
		return no("LIM-01", "the company has the maximum number of groups")
	}
	return nil
}

// checkGroupName demands a name (CRE-51) that fits (GRP-29, EXT-34) and, in an
// internal group, is unique in the company (GRP-29).
func (d *decider) checkGroupName(o *opening) error {
	fits := utf8.RuneCountInString(o.name) <= roomkit.MaxGroupName
	err := cmp.Or(
		demand(o.name != "", "Name", "a group needs a name", "CRE-51"),
		demand(fits, "Name", "longer than 100 characters", externally(o.kind, "EXT-34", "GRP-29")),
	)
	if err != nil || o.kind != roomkit.KindGroup {
		return err
	}
	return d.checkNameFree(o.name, o.company, o.id)
}

// checkNameFree demands that no other group of the company has the name, or one that
// looks like it (GRP-29).
func (d *decider) checkNameFree(name string, company roomkit.CompanyID, except roomkit.RoomID) error {
	key := names.Key(name)
	if asked := d.f.Need; asked.Name != key || asked.Company != company {
		return d.more(func(n *store.Need) { n.Name, n.Company = key, company })
	}
	if holder := d.f.NameHolder; !holder.IsZero() && holder != except {
		return d.denied("GRP-29", roomkit.ActionRename, "another group of the company has this name")
	}
	return nil
}
