package why

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/store"
)

// maxPairs is enough to begin with.
const maxPairs = 5

// turns gives the changes that turn the answer round: single ones, or, if there is none,
// the first pairs.
func (q *Question) turns(allowed bool) (texts []string) {
	if q.impossible() {
		return nil
	}
	list := q.changes()
	for _, c := range list {
		if f := q.copy(); c.make(&f) && q.allowed(f) != allowed {
			texts = append(texts, c.text)
		}
	}
	if len(texts) > 0 || allowed {
		return texts
	}
	for i, one := range list {
		for _, two := range list[i+1:] {
			if f := q.copy(); len(texts) < maxPairs && one.make(&f) && two.make(&f) && q.allowed(f) {
				texts = append(texts, two.text+", and "+one.text) // an account first, a role last
			}
		}
	}
	return texts
}

// impossible reports whether nobody may take the action in rooms of the kind, nor in what
// they can become.
func (q *Question) impossible() bool {
	kind := q.Facts.Room.Kind
	if kind == roomkit.KindGeneral && q.Rules.Allowed(roomkit.KindGroup, everyStanding).Has(q.Action) {
		return false
	}
	return !q.Rules.Allowed(kind, everyStanding).Has(q.Action)
}

const everyStanding = roomkit.StandingParticipant | roomkit.StandingMaster | roomkit.StandingLeader |
	roomkit.StandingAdministrator | roomkit.StandingColleague

func (q *Question) copy() store.Facts {
	f := q.Facts
	f.Members, f.Users, f.Companies = slices.Clone(f.Members), slices.Clone(f.Users), slices.Clone(f.Companies)
	return f
}

// change is one fact made otherwise. It makes nothing if that is so already or cannot be.
type change struct {
	text string
	make func(f *store.Facts) bool
}

// flip turns a switch round, for which it has a text in both directions.
func flip(is *bool) bool {
	*is = !*is
	return true
}

func either(is bool, off, on string) string {
	if is {
		return off
	}
	return on
}

func (q *Question) changes() []change {
	return slices.Concat(q.ofRoles(), q.ofUser(), q.ofRoom(), q.ofTeam(), q.ofParties())
}

func (q *Question) ofRoles() []change {
	f := q.copy()
	u, who := userOf(&f, q.User), q.person(&f)
	return []change{
		{q.says(who.TakesPart(&f.Room), "does not take part any more", either(who.Row.Participant, "takes part anew (joins now)", "takes part (joins now)")), q.join},
		{q.says(who.Manages(&f.Room), "is no Group Master any more", "is appointed Group Master"), q.appoint},
		{q.says(u.Administrator, "is no administrator any more", "is an administrator"), func(f *store.Facts) bool {
			u := userOf(f, q.User)
			return u.Kind == roomkit.UserMember && flip(&u.Administrator)
		}},
		{q.says(f.Team.Leader == q.User, "does not lead the team any more", "leads the team"), func(f *store.Facts) bool {
			if f.Team.Leader == q.User {
				f.Team.Leader = ""
			} else {
				f.Team.Leader = q.User
			}
			return f.Room.Kind == roomkit.KindTeam && q.colleague(f)
		}},
	}
}

func (q *Question) person(f *store.Facts) decide.Person {
	rowOf(f, q.User)
	facts := &decide.Facts{Facts: *f, Need: store.Need{Room: f.Room.ID, People: []roomkit.UserID{q.User}}}
	return facts.Person(q.User)
}

// colleague reports whether the user is a member of the company of the room.
func (q *Question) colleague(f *store.Facts) bool {
	u := userOf(f, q.User)
	return u.Kind == roomkit.UserMember && u.Company == f.Room.Company
}

// join takes the user into the room, if rooms of the kind can have them, or out of it.
// Who is taken out of a group is no Group Master any more, either. An external group needs a
// Group Master for both, whom a company that forbids partners cannot have.
func (q *Question) join(f *store.Facts) bool {
	who, row := q.person(f), rowOf(f, q.User)
	managed := f.Room.Kind != roomkit.KindExternalGroup || companyOf(f, f.Room.Company).Partners != roomkit.ExternalOff
	if who.TakesPart(&f.Room) {
		row.Participant, row.Master = false, false
		return f.Room.Kind != roomkit.KindSelf && managed
	}
	row.Participant, row.Epoch = true, epochOf(f, q.User)
	switch f.Room.Kind {
	case roomkit.KindSelf, roomkit.KindDirect:
		return slices.Contains(f.Room.Parties[:], q.User)
	case roomkit.KindExternalGroup:
		return who.Kind == roomkit.UserMember && managed
	}
	return q.colleague(f)
}

func (q *Question) appoint(f *store.Facts) bool {
	who, row := q.person(f), rowOf(f, q.User)
	row.Master = !who.Manages(&f.Room)
	row.MasterEpoch = epochOf(f, q.User)
	foreign := who.Kind == roomkit.UserMember && f.Room.Kind == roomkit.KindExternalGroup && q.Rules.Policy.ForeignMasters
	return f.Room.Kind.IsGroup() && (!row.Master || foreign || q.colleague(f))
}

func (q *Question) says(is bool, off, on string) string {
	return string(q.User) + " " + either(is, off, on)
}

func (q *Question) ofUser() []change {
	f := q.copy()
	u, company := userOf(&f, q.User), companyOf(&f, userOf(&f, q.User).Company)
	list := []change{
		{q.says(u.Status == roomkit.StatusActive, "is suspended", "has an active account"), func(f *store.Facts) bool {
			u := userOf(f, q.User)
			if u.Status == roomkit.StatusActive {
				u.Status = roomkit.StatusSuspended
			} else {
				u.Status = roomkit.StatusActive
			}
			return u.ID != ""
		}},
		{fmt.Sprintf("company %s has %s licence", company.ID, either(company.Licensed, "no", "a")), func(f *store.Facts) bool {
			c := companyOf(f, userOf(f, q.User).Company)
			return c.ID != "" && flip(&c.Licensed)
		}},
	}
	return append(list, permissions(q.User)...)
}

// permissions gives and takes what a member needs to talk with others.
func permissions(user roomkit.UserID) []change {
	set := func(partners, consumers *roomkit.ExternalMode) func(*store.Facts) bool {
		return func(f *store.Facts) bool {
			u := userOf(f, user)
			c := companyOf(f, u.Company)
			if c.ID == "" || u.Kind != roomkit.UserMember {
				return false
			}
			was := *c
			if partners != nil {
				c.Partners = *partners
			}
			if consumers != nil {
				c.Consumers = *consumers
			}
			return *c != was
		}
	}
	own := func(of func(u *roomkit.User) *bool, to bool) func(*store.Facts) bool {
		return func(f *store.Facts) bool {
			u := userOf(f, user)
			has := of(u)
			return u.Kind == roomkit.UserMember && *has != to && flip(has)
		}
	}
	partners := func(u *roomkit.User) *bool { return &u.Partners }
	consumers := func(u *roomkit.User) *bool { return &u.Consumers }
	all, off := roomkit.ExternalAll, roomkit.ExternalOff
	return []change{
		{fmt.Sprintf("%s is given the permission for partners", user), own(partners, true)},
		{fmt.Sprintf("%s loses the permission for partners", user), own(partners, false)},
		{fmt.Sprintf("%s is given the permission for consumers", user), own(consumers, true)},
		{fmt.Sprintf("%s loses the permission for consumers", user), own(consumers, false)},
		{fmt.Sprintf("the company of %s lets all talk with partners", user), set(&all, nil)},
		{fmt.Sprintf("the company of %s lets nobody talk with partners", user), set(&off, nil)},
		{fmt.Sprintf("the company of %s lets all talk with consumers", user), set(nil, &all)},
		{fmt.Sprintf("the company of %s lets nobody talk with consumers", user), set(nil, &off)},
	}
}

func (q *Question) ofRoom() []change {
	room := q.Facts.Room
	list := []change{
		{"message is switched " + either(room.MessageOffSince.IsZero(), "off", "on"), func(f *store.Facts) bool {
			if f.Room.MessageOffSince.IsZero() {
				f.Room.MessageOffSince = time.Unix(1, 0)
			} else {
				f.Room.MessageOffSince = time.Time{}
			}
			return f.Room.Kind >= roomkit.KindGroup
		}},
		{"the group is made " + either(room.Public, "private", "public"), func(f *store.Facts) bool {
			return f.Room.Kind == roomkit.KindGroup && flip(&f.Room.Public)
		}},
		{"features are " + either(room.FeaturesWithheld, "given back to", "withheld from") + " the Group Masters", func(f *store.Facts) bool {
			return f.Room.Kind == roomkit.KindGroup && flip(&f.Room.FeaturesWithheld)
		}},
		{"no consumers take part", func(f *store.Facts) bool {
			had := f.Room.Consumers > 0
			f.Room.Consumers = 0
			return had && userOf(f, q.User).Kind != roomkit.UserConsumer
		}},
		{q.says(true, "converts the room into a group", ""), func(f *store.Facts) bool {
			who, row := q.person(f), rowOf(f, q.User)
			row.Master, row.MasterEpoch = true, row.Epoch
			return who.TakesPart(&f.Room) && convert(f)
		}},
		{"another one who takes part converts the room into a group", convert},
		{"the room is opened again", q.reopen},
	}
	for feature := range roomkit.Feature(8) {
		bit := roomkit.Features(feature)
		if bit == 0 || q.Rules.Offered(room.Kind, room.Consumers)&bit == 0 || room.Kind < roomkit.KindGroup {
			continue
		}
		list = append(list, change{
			strings.ToUpper(feature.String()[:1]) + feature.String()[1:] + " is switched " + either(room.Features.Has(feature), "off", "on"),
			func(f *store.Facts) bool {
				f.Room.Features ^= bit
				return true
			},
		})
	}
	return list
}

// convert makes a group of a room that can become one, if its people may create groups.
func convert(f *store.Facts) bool {
	can := f.Room.Kind == roomkit.KindGeneral && f.Room.Consumers == 0 && companyOf(f, f.Room.Company).MembersCreateGroups
	f.Room.Kind, f.Room.Features = roomkit.KindGroup, roomkit.AllFeatures
	return can
}

// reopen begins a room anew whose id follows from whom it is for.
func (q *Question) reopen(f *store.Facts) bool {
	if f.Room.State != roomkit.StateEnded {
		return false
	}
	f.Room.State, f.Room.MessageOffSince = roomkit.StateActive, time.Time{}
	row, takesPart := rowOf(f, q.User), false
	switch f.Room.Kind {
	case roomkit.KindSelf, roomkit.KindDirect:
		takesPart = slices.Contains(f.Room.Parties[:], q.User)
	case roomkit.KindTeam:
		f.Room.Features = f.Team.Preset
		takesPart = slices.Contains(f.Team.Members, q.User)
	default:
		return false
	}
	if takesPart {
		row.Participant, row.Epoch = true, epochOf(f, q.User)
	}
	return true
}

func (q *Question) ofTeam() []change {
	team := q.Facts.Team
	of := func(text string, is func(*roomkit.Team) *bool) change {
		return change{"the administrator " + either(*is(&team), "takes back", "grants") + " " + text, func(f *store.Facts) bool {
			return f.Room.Kind == roomkit.KindTeam && flip(is(&f.Team))
		}}
	}
	return []change{
		of("the team room", func(t *roomkit.Team) *bool { return &t.Room }),
		of("the right over features to the leader", func(t *roomkit.Team) *bool { return &t.Features }),
		of("the right over the photo to the leader", func(t *roomkit.Team) *bool { return &t.Photo }),
	}
}

// ofParties are about the other party of a 1:1 room, or the owner of an external group.
func (q *Question) ofParties() (list []change) {
	if q.Facts.Room.Kind == roomkit.KindExternalGroup {
		return []change{{fmt.Sprintf("company %s lets all talk with partners", q.Facts.Room.Company), func(f *store.Facts) bool {
			owner := companyOf(f, f.Room.Company)
			was := owner.Partners
			owner.Partners = roomkit.ExternalAll
			return was != roomkit.ExternalAll && userOf(f, q.User).Company != owner.ID
		}}}
	}
	if q.Facts.Room.Kind != roomkit.KindDirect {
		return nil
	}
	for _, party := range q.Facts.Room.Parties {
		if party != q.User {
			list = append(list, permissions(party)...)
		}
	}
	return list
}

func rowOf(f *store.Facts, user roomkit.UserID) *roomkit.Member {
	for i := range f.Members {
		if f.Members[i].User == user {
			return &f.Members[i]
		}
	}
	f.Members = append(f.Members, roomkit.Member{Room: f.Room.ID, User: user})
	return &f.Members[len(f.Members)-1]
}

func userOf(f *store.Facts, user roomkit.UserID) *roomkit.User {
	for i := range f.Users {
		if f.Users[i].ID == user {
			return &f.Users[i]
		}
	}
	return &roomkit.User{}
}

func companyOf(f *store.Facts, id roomkit.CompanyID) *roomkit.Company {
	for i := range f.Companies {
		if f.Companies[i].ID == id {
			return &f.Companies[i]
		}
	}
	return &roomkit.Company{}
}

func epochOf(f *store.Facts, user roomkit.UserID) roomkit.Epoch {
	u := userOf(f, user)
	return roomkit.Epoch{User: u.Version, Company: companyOf(f, u.Company).Version}
}
