package decide

import (
	"cmp"
	"slices"

	"github.com/go-roomkit/roomkit"
)

// picked are people chosen for a room, by what they are to the room's company.
type picked struct {
	all        []Person
	colleagues []Person // of that company
	partners   []Person // users of other companies
	consumers  []Person
}

func (p *picked) outside() int { return len(p.partners) + len(p.consumers) }

func (p *picked) outsiders() []roomkit.UserID { return append(ids(p.partners), ids(p.consumers)...) }

func sortOut(all []Person, owner roomkit.CompanyID) picked {
	p := picked{all: all}
	for i := range all {
		list := p.of(&all[i], owner)
		if len(*list) == i { // all so far: they share the array of all
			*list = all[: i+1 : i+1]
		} else {
			*list = append(*list, all[i])
		}
	}
	return p
}

func (p *picked) of(who *Person, owner roomkit.CompanyID) *[]Person {
	switch {
	case who.Kind == roomkit.UserConsumer:
		return &p.consumers
	case who.User.Company != owner:
		return &p.partners
	}
	return &p.colleagues
}

// pick gathers people who are to come into a room, see [decider.checkPicked].
func (d *decider) pick(list []roomkit.UserID, unknown roomkit.Rule) []Person {
	return d.checkPicked(d.f.people(list), unknown)
}

func (f *Facts) people(list []roomkit.UserID) []Person {
	return f.appendPeople(make([]Person, 0, len(list)), list)
}

func (f *Facts) appendPeople(people []Person, list []roomkit.UserID) []Person {
	for _, id := range list {
		who := f.Person(id)
		if who.ID == "" {
			who.User = &roomkit.User{ID: id} // with an id, to be named in a refusal
		}
		people = append(people, who)
	}
	return people
}

// checkPicked demands that people can be chosen for a room. Whoever is unknown to
// the actor, because there is no such user or because it is an outsider who is no
// contact, is refused with the same rule: the answer does not tell which. Bots of
// other companies are unknown, too. It gives the others: nothing more is said of people
// who are unknown, and nothing that follows from what they are.
func (d *decider) checkPicked(people []Person, unknown roomkit.Rule) []Person {
	d.ask(true, ids(those(people, d.isStranger))...)
	if d.refuse(people, d.isStranger, unknown, "unknown, or outsiders who are no contacts of the actor") {
		people = those(people, func(p *Person) bool { return !d.isStranger(p) })
	}
	d.refuse(people, (*Person).suspended, "ADM-17", "suspended accounts cannot be chosen")
	d.refuse(people, (*Person).unlicensed, "COM-10", "their company does not have a licence")
	return people
}

// refuse notes a rule against the people to whom an objection applies, and reports
// whether there are any.
func (d *decider) refuse(people []Person, objection func(*Person) bool, rule roomkit.Rule, reason string) bool {
	because := ids(those(people, objection))
	d.object(rule, d.action, reason, because...)
	return len(because) > 0
}

func (d *decider) isStranger(who *Person) bool {
	if who.Status == roomkit.StatusNone || who.Status == roomkit.StatusDeleted {
		return true
	}
	colleague := who.User.Company != "" && who.User.Company == d.home()
	if colleague || d.actor.IsSystem() || who.Row.Participant || who.ID == d.me.ID {
		return false
	}
	return who.Kind == roomkit.UserBot || !d.policy().AnyoneIsContact && !d.f.isContact(who.ID)
}

// isOutsider reports whether somebody is not of the actor's company.
func (d *decider) isOutsider(p *Person) bool { return p.User.Company != d.home() }

// home is the company for which the actor acts.
func (d *decider) home() roomkit.CompanyID { return d.me.User.Company }

// checkExternal demands what everyone in an external group needs (EXT-02 to
// EXT-04, EXT-30, EXT-33).
func (d *decider) checkExternal(people []Person, owner roomkit.CompanyID) {
	unpermitted := func(p *Person) bool { return p.Kind == roomkit.UserMember && !p.partnersPermitted() }
	own := func(p *Person) bool { return unpermitted(p) && p.User.Company == owner }
	foreign := func(p *Person) bool { return unpermitted(p) && p.User.Company != owner }
	d.refuse(people, (*Person).isConsumer, "EXT-03", "consumers do not take part in external groups")
	d.refuse(people, (*Person).bot, "EXT-04", "bots do not take part in external groups")
	d.refuse(people, own, "EXT-30", "no permission to talk with external users")
	d.refuse(people, foreign, "EXT-33", "not permitted by their own company")
}

// checkColleagues demands that all belong to the owning company.
func (d *decider) checkColleagues(people []Person, owner roomkit.CompanyID, rule roomkit.Rule) {
	foreign := func(p *Person) bool { return p.User.Company != owner || owner == "" }
	d.refuse(people, foreign, rule, "not of the owning company")
}

// checkMembers demands what those who take part in a new room of the kind need, or come
// into a group.
func (d *decider) checkMembers(people []Person, kind roomkit.Kind, owner roomkit.CompanyID) {
	switch kind {
	case roomkit.KindExternalGroup:
		d.checkExternal(people, owner)
	case roomkit.KindGroup:
		d.checkColleagues(people, owner, "GRP-02")
	case roomkit.KindGeneral:
		if slices.ContainsFunc(people, func(p Person) bool { return p.isConsumer() }) {
			d.checkConsumers(people)
		}
	}
}

// checkConsumers demands what a room with consumers needs (LINE-01, LINE-04).
func (d *decider) checkConsumers(people []Person) {
	unpermitted := func(p *Person) bool { return p.Kind == roomkit.UserMember && !p.consumersPermitted() }
	d.refuse(people, (*Person).bot, "LINE-04", "bots do not take part in rooms with consumers")
	d.refuse(people, unpermitted, "LINE-01", "no permission to talk with consumers")
}

// checkMixture demands that consumers and users of other companies do not come together
// (CRE-46): named are the first, refused are both. Told is also who cannot come, whichever
// of the two stay away.
func (d *decider) checkMixture(action roomkit.Action, named, others, colleagues []Person) {
	const reason = "consumers and users of other companies do not mix"
	d.object("CRE-46", action, reason, ids(named)...)
	d.object("CRE-46", action, reason, ids(others)...)
	for _, outside := range [][]Person{named, others} {
		partners := those(outside, func(p *Person) bool { return !p.isConsumer() })
		d.checkExternal(partners, d.home())
		d.refuse(partners, d.inAllGroups, "CRE-45", "already in the maximum number of groups")
	}
	neither := those(colleagues, func(p *Person) bool { return !p.partnersPermitted() && !p.consumersPermitted() })
	d.checkExternal(neither, d.home())
	d.checkConsumers(neither)
}

// checkMasters demands who can be a Group Master (EXT-28, EXT-29, GRP-02).
func (d *decider) checkMasters(people []Person, kind roomkit.Kind, owner roomkit.CompanyID) {
	d.refuse(people, func(p *Person) bool { return p.Kind != roomkit.UserMember }, "GRP-02", "only members of a company can be Group Masters")
	if kind != roomkit.KindExternalGroup {
		d.checkColleagues(people, owner, "GRP-02")
		return
	}
	unpermitted := func(p *Person) bool { return p.Kind == roomkit.UserMember && !p.partnersPermitted() }
	d.refuse(people, unpermitted, "EXT-28", "no permission to talk with external users")
	if !d.policy().ForeignMasters {
		d.checkColleagues(people, owner, "EXT-29")
	}
}

// checkRoomFor demands that the room has space for more people, or gives an error, and
// that each of them has for one more group (LIM-07, LIM-02). groupRule is the rule to name.
func (d *decider) checkRoomFor(people []Person, kind roomkit.Kind, already int64, groupRule roomkit.Rule) error {
	if kind.IsGroup() {
		d.refuse(people, d.inAllGroups, groupRule, "already in the maximum number of groups")
	}
	if limit := d.policy().MaxParticipants[kind]; limit > 0 && already+int64(len(people)) > limit {
		return d.denied("LIM-07", d.action, "too many participants")
	}
	return nil
}

func (d *decider) inAllGroups(p *Person) bool {
	return p.Groups >= orDefault(d.policy().MaxGroupsPerUser, 2000)
}

// CanCreate says why a user cannot act at all, or not create a room with so many others
// (LINE-02, CRE-48): a [*roomkit.Denied], or nil.
func CanCreate(f *Facts, user roomkit.UserID, others int) error {
	who := f.Person(user)
	return cmp.Or(canAct(f, &who, roomkit.By(user)), mayOpen(f, roomkit.By(user), &who, roomkit.KindNone, others))
}
