package decide

import (
	"cmp"
	"slices"

	"github.com/go-roomkit/roomkit"
)

// picked are people chosen for a room, by what they are to the room's company.
type picked struct {
	all       []Person
	partners  []Person // users of other companies
	consumers []Person // consumers
}

func (p *picked) outside() int { return len(p.partners) + len(p.consumers) }

func sortOut(all []Person, owner roomkit.CompanyID) picked {
	p := picked{all: all}
	for i := range all {
		switch {
		case all[i].Kind == roomkit.UserConsumer:
			p.consumers = append(p.consumers, all[i])
		case all[i].User.Company != owner:
			p.partners = append(p.partners, all[i])
		}
	}
	return p
}

// pick gathers people who are to come into a room.
func (d *decider) pick(list []roomkit.UserID, unknown roomkit.Rule) ([]Person, error) {
	people := d.f.people(list)
	if err := d.checkPicked(people, unknown); err != nil {
		return nil, err
	}
	return people, nil
}

func (f *Facts) people(list []roomkit.UserID) []Person {
	people := make([]Person, 0, len(list))
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
// other companies are unknown, too.
func (d *decider) checkPicked(people []Person, unknown roomkit.Rule) error {
	return cmp.Or(
		d.refuse(people, d.isStranger, unknown, "unknown, or outsiders who are no contacts of the actor"),
		d.refuse(people, (*Person).suspended, "ADM-17", "suspended accounts cannot be chosen"),
		d.refuse(people, (*Person).unlicensed, "COM-10", "their company does not have a licence"),
	)
}

// refuse denies the command if there are people to whom an objection applies.
func (d *decider) refuse(people []Person, objection func(*Person) bool, rule roomkit.Rule, reason string) error {
	var because []roomkit.UserID
	for i := range people {
		if objection(&people[i]) {
			because = append(because, people[i].ID)
		}
	}
	if len(because) == 0 {
		return nil
	}
	return d.denied(rule, d.action, reason, because...)
}

func (d *decider) isStranger(who *Person) bool {
	if who.Status == roomkit.StatusNone || who.Status == roomkit.StatusDeleted {
		return true
	}
	colleague := who.User.Company != "" && who.User.Company == d.home()
	if colleague || d.actor.IsSystem() || who.Row.Participant {
		return false
	}
	return who.Kind == roomkit.UserBot || !d.policy().AnyoneIsContact && !d.f.isContact(who.ID)
}

// home is the company for which the actor acts.
func (d *decider) home() roomkit.CompanyID { return d.me.User.Company }

// checkExternal demands what everyone in an external group needs (EXT-02 to
// EXT-04, EXT-30, EXT-33).
func (d *decider) checkExternal(people []Person, owner roomkit.CompanyID) error {
	if i := slices.IndexFunc(people, func(p Person) bool { return p.isConsumer() }); i >= 0 {
		return d.denied("EXT-03", d.action, "consumers do not take part in external groups", people[i].ID)
	}
	own := func(p *Person) bool { return !p.partnersPermitted() && p.User.Company == owner }
	foreign := func(p *Person) bool { return !p.partnersPermitted() }
	return cmp.Or(
		d.refuse(people, (*Person).bot, "EXT-04", "bots do not take part in external groups"),
		d.refuse(people, own, "EXT-30", "no permission to talk with external users"),
		d.refuse(people, foreign, "EXT-33", "not permitted by their own company"),
	)
}

// checkColleagues demands that all belong to the owning company.
func (d *decider) checkColleagues(people []Person, owner roomkit.CompanyID, rule roomkit.Rule) error {
	foreign := func(p *Person) bool { return p.User.Company != owner || owner == "" }
	return d.refuse(people, foreign, rule, "not of the owning company")
}

// checkMembers demands what those who take part in a group of either kind need.
func (d *decider) checkMembers(people []Person, kind roomkit.Kind, owner roomkit.CompanyID) error {
	if kind == roomkit.KindExternalGroup {
		return d.checkExternal(people, owner)
	}
	return d.checkColleagues(people, owner, "GRP-02")
}

// checkConsumers demands what a room with consumers needs (LINE-01, LINE-04).
func (d *decider) checkConsumers(people []Person) error {
	unpermitted := func(p *Person) bool { return p.Kind == roomkit.UserMember && !p.consumersPermitted() }
	return cmp.Or(
		d.refuse(people, (*Person).bot, "LINE-04", "bots do not take part in rooms with consumers"),
		d.refuse(people, unpermitted, "LINE-01", "no permission to talk with consumers"),
	)
}

// checkMasters demands who can be a Group Master (EXT-28, EXT-29, GRP-02).
func (d *decider) checkMasters(people []Person, kind roomkit.Kind, owner roomkit.CompanyID) error {
	for i := range people {
		if people[i].Kind != roomkit.UserMember {
			return d.denied("GRP-02", d.action, "only members of a company can be Group Masters", people[i].ID)
		}
		if kind == roomkit.KindExternalGroup && !people[i].partnersPermitted() {
			return d.denied("EXT-28", d.action, "no permission to talk with external users", people[i].ID)
		}
	}
	switch {
	case kind != roomkit.KindExternalGroup:
		return d.checkColleagues(people, owner, "GRP-02")
	case d.policy().ForeignMasters:
		return nil
	}
	return d.checkColleagues(people, owner, "EXT-29")
}

// checkRoomFor demands that the room has space for more people, and each of
// them for one more group (LIM-07, LIM-02). groupRule is the rule to name.
func (d *decider) checkRoomFor(people []Person, kind roomkit.Kind, already int64, groupRule roomkit.Rule) error {
	if limit := d.policy().MaxParticipants[kind]; limit > 0 && already+int64(len(people)) > limit {
		return d.denied("LIM-07", d.action, "too many participants")
	}
	if !kind.IsGroup() {
		return nil
	}
	most := orDefault(d.policy().MaxGroupsPerUser, 2000)
	full := func(p *Person) bool { return p.Groups >= most }
	return d.refuse(people, full, groupRule, "already in the maximum number of groups")
}

// CanCreate says why a user cannot act at all, or not create a room with so many others
// (LINE-02, CRE-48): a [*roomkit.Denied], or nil.
func CanCreate(f *Facts, user roomkit.UserID, others int) error {
	who := f.Person(user)
	return cmp.Or(canAct(f, &who, roomkit.By(user)), canCreate(f, &who, others))
}

// Recommend gives the rooms of f.Shared that are offered to a user who picks others for
// an audience, best first.
func Recommend(f *Facts, user roomkit.UserID, others []roomkit.UserID, audience roomkit.Audience, exactOnly bool) []roomkit.Offer {
	p := sortOut(f.people(others), f.user(user).Company)
	return offers(f.Shared, &p, audience, exactOnly)
}

// external reports whether rooms with outsiders are looked for (LST-11): the people
// decide where the audience was not asked for.
func external(audience roomkit.Audience, p *picked) bool {
	return audience == roomkit.AudienceExternal || audience == roomkit.AudienceNone && p.outside() > 0
}

// offers ranks the rooms that the actor shares with all picked people: exact ones
// first, then fewer others, then the latest activity, then the id (LST-08).
func offers(shared []roomkit.RoomEntry, p *picked, audience roomkit.Audience, exactOnly bool) (list []roomkit.Offer) {
	for i := range shared {
		room := shared[i].Room
		extra := room.Participants - int64(len(p.all)+1)
		if !recommendable(&room, external(audience, p)) || exactOnly && extra != 0 {
			continue
		}
		list = append(list, roomkit.Offer{Room: room, Exact: extra == 0, Extra: extra})
	}
	slices.SortFunc(list, func(x, y roomkit.Offer) int {
		return cmp.Or(
			cmp.Compare(x.Extra, y.Extra),
			y.Room.ChangedAt.Compare(x.Room.ChangedAt),
			slices.Compare(x.Room.ID[:], y.Room.ID[:]),
		)
	})
	return list[:min(len(list), roomkit.MaxOffers)]
}

// recommendable leaves out 1:1 rooms and message to me (LST-09, SELF-07), rooms
// that are switched off, and rooms of the other audience (LST-10, LST-11).
func recommendable(room *roomkit.Room, external bool) bool {
	if room.State != roomkit.StateActive || !room.MessageOffSince.IsZero() {
		return false
	}
	withOutsiders := room.Kind == roomkit.KindExternalGroup || room.Consumers > 0
	return room.Kind >= roomkit.KindGeneral && withOutsiders == external
}
