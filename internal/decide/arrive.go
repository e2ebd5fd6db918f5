package decide

import (
	"cmp"
	"slices"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/enum"
	"github.com/go-roomkit/roomkit/internal/names"
	"github.com/go-roomkit/roomkit/store"
)

// Arrival is a room that was somewhere else until now, with the rows of its people.
type Arrival struct {
	Room    roomkit.Room
	Members []roomkit.Member // each person once
	// Kept says that the room comes from a store as it was: with its version, and with what
	// commands do not lead to but changes of the directory do, for instance people who have
	// lost their permission. Without, versions and epochs are given by the arrival.
	Kept bool
}

// NeedArrival gives what has to be loaded before an arrival can be judged.
func NeedArrival(a *Arrival) store.Need {
	r := &a.Room
	n := store.Need{Room: r.ID, People: make([]roomkit.UserID, 0, len(a.Members)+2)}
	if r.Company != "" {
		n.Companies = []roomkit.CompanyID{r.Company}
	}
	for i := range a.Members {
		n.People = append(n.People, a.Members[i].User)
	}
	for _, id := range []roomkit.UserID{r.Parties[0], r.Parties[1], r.Creator} {
		if id != "" && !slices.Contains(n.People, id) {
			n.People = append(n.People, id)
		}
	}
	if r.Kind == roomkit.KindTeam {
		n.Team = roomkit.KeyOfTeam(r.Company, r.Team)
	}
	if r.Kind == roomkit.KindGroup && r.State == roomkit.StateActive {
		n.Name, n.Company = names.Key(r.Name), r.Company
	}
	return n
}

// Arrive says what has to be stored for a room to be there as it was, or what stands
// against it: people, each with a rule (an empty one for who is not known), and what the
// room as a whole lacks. The room of the facts must not exist.
func Arrive(r *roomkit.Rules, f *Facts, a *Arrival, now time.Time) (Decision, []roomkit.Refusal, error) {
	d := &decider{rules: r, f: f, actor: roomkit.System(), now: stamp(now), fresh: true, me: f.nobody(), room: a.Room}
	err := d.checkArrival(a)
	if err == nil && !a.Kept {
		err = d.checkBeginning(a)
	}
	if err == nil && d.knowsAll(a) {
		err = d.judgeArrival(a)
	}
	var against []roomkit.Refusal
	if d.no != nil {
		_ = d.refused() // puts them in order
		against = d.no.Against
	}
	if err != nil || len(against) > 0 {
		return Decision{}, against, err
	}
	if err := d.arrive(a); err != nil {
		return Decision{}, nil, err
	}
	d.finish(nil)
	return d.out, nil, nil
}

// checkArrival looks at the form of the room's row.
func (d *decider) checkArrival(a *Arrival) error {
	r := &a.Room
	limit, rule := roomkit.MaxNameRunes, roomkit.Rule("LIM-05")
	if r.Kind.IsGroup() {
		limit, rule = roomkit.MaxGroupName, externally(r.Kind, "EXT-34", "GRP-29")
	}
	return cmp.Or(
		demand(r.Kind != roomkit.KindNone && enum.Known(r.Kind), "kind", "missing or unknown", ""),
		demand(r.State == roomkit.StateActive || a.Kept && r.State == roomkit.StateEnded, "state", "neither active nor ended", ""),
		demand(r.Company != "", "company", "missing", ""),
		demand(d.f.company(r.Company).ID == r.Company, "company", reasonUnknown, ""),
		demand(r.Kind != roomkit.KindTeam || r.State == roomkit.StateEnded || d.f.Team.Version > 0, "team", reasonUnknown, ""),
		demand((r.Kind == roomkit.KindTeam) == (r.Team != ""), "team", "goes with rooms of teams, and only with them", ""),
		demand(r.Creator == "" || d.f.user(r.Creator).ID != "", "creator", reasonUnknown, ""),
		d.checkParties(a),
		checkProfile(r.Name, r.Photo, r.Description, limit, rule),
		demand(r.Kind != roomkit.KindSelf && r.Kind != roomkit.KindDirect || r.Name == "", "name", "rooms of this kind have none", ""),
		demand(r.Features&^roomkit.AllFeatures == 0, "features", "unknown feature", ""),
		demand(!r.Public || r.Kind == roomkit.KindGroup || r.Kind == roomkit.KindTeam, "public", "rooms of this kind are private", externally(r.Kind, "EXT-10", "GEN-21")),
		demand(r.MessageOffSince.IsZero() || r.Kind.HasBadge(), "message_off_since", "message cannot be switched off in rooms of this kind", "GEN-34"),
		demand(r.EmptiedAt >= 0 && r.EmptiedAt <= r.Version, "emptied_at", "behind the version of the room", ""),
	)
}

// checkBeginning demands of a room that was in no store what it can only have come to be.
func (d *decider) checkBeginning(a *Arrival) error {
	r, latest := &a.Room, d.now.Add(roomkit.MinClockDrift)
	for i := range a.Members {
		if m := &a.Members[i]; m.JoinedAt.After(latest) {
			d.object("COM-04", roomkit.ActionNone, "joined in the future", m.User)
		}
	}
	return cmp.Or(
		demand(!r.CreatedAt.After(latest), "created_at", "in the future", ""),
		demand(!r.MessageOffSince.After(latest), "message_off_since", "in the future", "GRP-38"),
		demand(r.Kind != roomkit.KindTeam || d.f.Team.Room, "team", "without a room", ""),
		demand(r.Kind != roomkit.KindTeam || r.Name == d.f.Team.Name, "name", "not that of the team", ""),
	)
}

// checkParties demands the ids that follow from whom a room is for. Those of somebody who was
// erased follow from the id that is gone.
func (d *decider) checkParties(a *Arrival) error {
	r := &a.Room
	one, two := r.Parties[0], r.Parties[1]
	fits, id := one == "" && two == "", r.ID
	switch r.Kind {
	case roomkit.KindSelf:
		fits, id = one.Valid() && two == "", roomkit.SelfRoom(one)
	case roomkit.KindDirect:
		fits, id = one.Valid() && two.Valid() && one < two, roomkit.DirectRoom(one, two)
	case roomkit.KindTeam:
		id = roomkit.TeamRoom(r.Company, r.Team)
	default:
	}
	erased := a.Kept && slices.ContainsFunc(r.Parties[:], func(id roomkit.UserID) bool { return d.f.user(id).Status == roomkit.StatusDeleted })
	return cmp.Or(
		demand(fits, "parties", "a message to me has its owner, a 1:1 room two people, all others none", ""),
		demand((id == r.ID || erased) && !r.ID.IsZero(), "id", "not the one that follows from whom the room is for", ""),
	)
}

// knowsAll notes who is not known.
func (d *decider) knowsAll(a *Arrival) bool {
	for i := range a.Members {
		if id := a.Members[i].User; d.f.user(id).ID == "" {
			d.object("", roomkit.ActionNone, reasonUnknown, id)
		}
	}
	for _, id := range a.Room.Parties {
		if id != "" && d.f.user(id).ID == "" {
			d.object("", roomkit.ActionNone, reasonUnknown, id)
		}
	}
	return d.no == nil
}

// judgeArrival judges the people, and what the room as a whole lacks.
func (d *decider) judgeArrival(a *Arrival) error {
	people, masters, err := d.rowsOf(a)
	if err != nil || a.Room.State == roomkit.StateEnded {
		return err
	}
	if err := d.checkShape(a, people, masters); err != nil {
		return err
	}
	if a.Kept {
		return nil
	}
	return d.checkRights(a, people, masters)
}

// rowsOf completes the rows and gives who takes part and who manages.
func (d *decider) rowsOf(a *Arrival) (people, masters []Person, err error) {
	for i := range a.Members {
		m := &a.Members[i]
		who := d.f.Person(m.User)
		m.Room, m.Company, m.Kind, who.Row = a.Room.ID, who.User.Company, who.Kind, m
		if a.Kept {
			err = cmp.Or(err, checkKept(a, m, &who))
		}
		if m.Participant {
			people = append(people, who)
		}
		if m.Master {
			masters = append(masters, who)
		}
	}
	if err == nil && a.Room.State == roomkit.StateEnded && len(people)+len(masters) > 0 {
		err = bad("state", "people are in a room that has ended")
	}
	return people, masters, err
}

// checkKept demands that a row relies on nothing that is still to come.
func checkKept(a *Arrival, m *roomkit.Member, who *Person) error {
	past := func(e roomkit.Epoch) bool {
		return e.User >= 0 && e.User <= who.Version && e.Company >= 0 && e.Company <= who.company.Version
	}
	within := func(v roomkit.Version) bool { return v >= 0 && v <= a.Room.Version }
	return cmp.Or(
		demand(past(m.Epoch) && past(m.MasterEpoch), "epoch", "a version that the user or the company does not have yet", ""),
		demand(within(m.JoinedVersion) && within(m.LeftVersion), "joined_version", "behind the version of the room", ""),
		demand(!m.Participant || m.Period > 0 && m.Left == roomkit.CauseNone, "period", "who takes part has joined, and not left", ""),
		demand(m.Period >= 0 && (m.Left == roomkit.CauseNone) == m.LeftAt.IsZero(), "left_at", "goes with left", ""),
	)
}

// checkShape demands what holds of a room whatever the directory has become since: of which
// companies and kinds its people are.
func (d *decider) checkShape(a *Arrival, people, masters []Person) error {
	r := &a.Room
	switch r.Kind {
	case roomkit.KindSelf, roomkit.KindDirect:
		other := func(p *Person) bool { return p.ID != r.Parties[0] && p.ID != r.Parties[1] }
		d.refuse(people, other, "GEN-01", "not one of those whom the room is for")
		owner, partner := d.f.Person(r.Parties[0]), d.f.Person(r.Parties[1])
		if r.Company != owner.User.Company && r.Company != partner.User.Company {
			return bad("company", "not that of one of the people")
		}
		if r.Kind == roomkit.KindSelf && owner.Kind != roomkit.UserMember {
			d.object("SELF-02", roomkit.ActionNone, "only members of a company have a message to me", owner.ID)
		}
	case roomkit.KindGeneral:
		p := sortOut(people, r.Company)
		d.object("GEN-27", roomkit.ActionNone, "users of other companies are in external groups", ids(p.partners)...)
	case roomkit.KindGroup:
		d.checkColleagues(people, r.Company, "GRP-02")
	case roomkit.KindExternalGroup:
		d.refuse(people, (*Person).isConsumer, "EXT-03", "consumers do not take part in external groups")
		d.refuse(people, (*Person).bot, "EXT-04", "bots do not take part in external groups")
	case roomkit.KindTeam:
		d.checkColleagues(people, r.Company, "TEAM-07")
	default:
	}
	if r.Kind.IsGroup() {
		d.refuse(masters, func(p *Person) bool { return p.Kind != roomkit.UserMember }, "GRP-02", "only members of a company can be Group Masters")
	} else {
		d.object("GEN-34", roomkit.ActionNone, "there are no Group Masters in rooms of this kind", ids(masters)...)
	}
	if d.no == nil && !slices.ContainsFunc(people, func(p Person) bool { return p.Kind != roomkit.UserBot }) {
		return d.denied(botsOnly(r.Kind), roomkit.ActionNone, "a room without people ends")
	}
	if !r.Kind.IsGroup() {
		return nil
	}
	return d.checkGroupName(&opening{id: r.ID, kind: r.Kind, name: r.Name, company: r.Company})
}

// checkRights demands what commands demand of those whom they bring in.
func (d *decider) checkRights(a *Arrival, people, masters []Person) error {
	r := &a.Room
	gone := func(p *Person) bool { return p.Status == roomkit.StatusDeleted }
	d.refuse(append(slices.Clone(masters), people...), gone, "ADM-13", "the account is deleted")
	d.checkMembers(people, r.Kind, r.Company)
	offered := d.rules.Offered(r.Kind, int64(len(sortOut(people, r.Company).consumers)))
	if err := demand(r.Features&^offered == 0, "features", "rooms of this kind do not have all of them", ""); err != nil {
		return err
	}
	switch r.Kind {
	case roomkit.KindDirect:
		one, two := d.f.Person(r.Parties[0]), d.f.Person(r.Parties[1])
		if rule := outsiderRule(&one, &two); rule != "" {
			d.object(rule, roomkit.ActionNone, "not permitted to talk with each other", two.ID)
		}
	case roomkit.KindGroup, roomkit.KindExternalGroup:
		d.checkMasters(masters, r.Kind, r.Company)
		if len(masters) == 0 {
			return d.denied("GRP-04", roomkit.ActionNone, "a group needs a Group Master")
		}
		if company := d.f.company(r.Company); company.Groups >= orDefault(company.MaxGroups, 100_000) {
			return d.denied("LIM-01", roomkit.ActionNone, "the company has the maximum number of groups")
		}
	case roomkit.KindTeam:
		stranger := func(p *Person) bool { _, ok := slices.BinarySearch(d.f.Team.Members, p.ID); return !ok }
		d.refuse(people, stranger, "TEAM-05", "not a member of the team")
	default:
	}
	if !d.f.company(r.Company).Licensed {
		return d.denied("COM-10", roomkit.ActionNone, "the company does not have a licence")
	}
	return d.checkRoomFor(people, r.Kind, 0, "LIM-02")
}

// arrive makes the events. The row and those of the people are in them as they are to be.
func (d *decider) arrive(a *Arrival) error {
	row := a.Room
	slices.SortFunc(a.Members, func(x, y roomkit.Member) int { return cmp.Compare(x.User, y.User) })
	events := roomkit.Version(1 + (len(a.Members)+roomkit.MaxPeople-1)/roomkit.MaxPeople)
	begins := row.Version - events
	if !a.Kept {
		begins = 0
	}
	if begins < 0 {
		return bad("version", "too low for so many people")
	}
	key := ""
	if row.Kind == roomkit.KindGroup && row.State == roomkit.StateActive {
		key = names.Key(row.Name)
	}
	d.beginsBehind(roomkit.RoomSubject(row.ID), begins)
	d.room = roomkit.Room{ID: row.ID, Kind: row.Kind, Version: begins, Notify: row.Notify}
	d.emit(&roomkit.RoomImported{
		State: row.State, Company: row.Company, Team: row.Team, Creator: row.Creator, Parties: row.Parties, Name: row.Name, NameKey: key,
		Photo: row.Photo, Description: names.Lines(row.Description), Origin: row.Origin, Public: row.Public, HistorySharing: row.HistorySharing,
		Features: row.Features, FeaturesWithheld: row.FeaturesWithheld, MessageOffSince: row.MessageOffSince, HadConsumers: row.HadConsumers,
		EmptiedAt: row.EmptiedAt, EmptiedOn: row.EmptiedOn, CreatedAt: row.CreatedAt,
	}, roomkit.CauseImported)
	if row.Kind.IsGroup() && row.State == roomkit.StateActive {
		d.tallyCompany(d.f.company(row.Company), +1)
	}
	d.out.Rows.Members = make([]roomkit.Member, 0, len(a.Members))
	for chunk := range slices.Chunk(a.Members, roomkit.MaxPeople) {
		d.emit(d.arrived(a, chunk), roomkit.CauseImported)
		d.out.Rows.Members = append(d.out.Rows.Members, chunk...)
	}
	return nil
}

// arrived makes the event of some people.
func (d *decider) arrived(a *Arrival, rows []roomkit.Member) *roomkit.MembersImported {
	e := &roomkit.MembersImported{Rows: rows, Counts: d.room.Counts}
	for i := range rows {
		m := &rows[i]
		who := d.f.Person(m.User)
		if !a.Kept {
			d.beginRow(m, &who)
		}
		if m.Master {
			e.Counts.Masters++
			e.Void = e.Void || who.voidRule(&d.room, m.MasterEpoch) != ""
		}
		if !m.Participant {
			continue
		}
		takeCounts(&e.Counts, &who, d.room.Company, +1)
		e.Void = e.Void || who.voidRule(&d.room, m.Epoch) != ""
		if d.room.Kind.IsGroup() {
			most := max(orDefault(d.policy().MaxGroupsPerUser, 2000), who.Groups+1)
			d.out.Rows.Tallies = append(d.out.Rows.Tallies, store.Tally{User: who.ID, Was: who.Groups, Now: who.Groups + 1, Most: most})
		}
	}
	return e
}

// beginRow gives a row what an admission of this moment would give it.
func (d *decider) beginRow(m *roomkit.Member, who *Person) {
	m.Period, m.Joined, m.JoinedVersion = 0, roomkit.CauseNone, 0
	if m.Participant {
		m.Period, m.Joined, m.JoinedVersion, m.Epoch = 1, roomkit.CauseImported, d.room.Version+1, who.epoch()
	} else {
		m.JoinedAt, m.ReadAll = time.Time{}, false
	}
	if m.Master {
		m.MasterEpoch = who.epoch()
	}
}

// beginsBehind notes that a subject has had its earlier versions somewhere else.
func (d *decider) beginsBehind(of roomkit.Subject, version roomkit.Version) {
	if version > 0 {
		d.out.Begins = append(d.out.Begins, store.Expect{Subject: of, Version: version})
	}
}
