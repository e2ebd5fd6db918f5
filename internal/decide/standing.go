package decide

import (
	"math/bits"
	"slices"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// Permission in force (EXT-22, EXT-23, ADM-01, ADM-02): what the company's
// switch and the user's own permission say together. The account's state is
// looked at apart from it, because a suspended user keeps its rooms (ADM-18).

func worksPermittedUser(u *roomkit.User, c *roomkit.Company) bool {
	return u.Kind == roomkit.UserMember && u.Status != roomkit.StatusDeleted && permitted(c.Works, u.Works)
}

func linePermittedUser(u *roomkit.User, c *roomkit.Company) bool {
	return u.Kind == roomkit.UserMember && u.Status != roomkit.StatusDeleted && permitted(c.LINE, u.LINE)
}

func permitted(company roomkit.ExternalMode, own bool) bool {
	return company == roomkit.ExternalAll || company == roomkit.ExternalSelected && own
}

// worksHeldSince reports whether the permission is in force and has been since
// the given state of the directory (EXT-25: giving it back restores nothing).
func worksHeldSinceUser(u *roomkit.User, c *roomkit.Company, e roomkit.Epoch) bool {
	if !worksPermittedUser(u, c) || e.User < u.WorksLost || e.Company < c.WorksOff {
		return false
	}
	narrowed := e.Company < c.WorksNarrowed
	return !narrowed || u.Works && u.WorksSince < c.WorksNarrowed
}

// accountHeldSince reports whether the account exists and has not been deleted
// since (ADM-14: undoing the deletion restores no participation).
func accountHeldSinceUser(u *roomkit.User, e roomkit.Epoch) bool {
	return u.Status != roomkit.StatusDeleted && u.Status != roomkit.StatusNone && e.User >= u.Ended
}

// usable says why an account cannot act at all, or "".
func usableUser(u *roomkit.User, c *roomkit.Company) roomkit.Rule {
	switch {
	case u.Status == roomkit.StatusDeleted:
		return "ADM-13"
	case u.Status != roomkit.StatusActive:
		return "ADM-17"
	case u.Kind != roomkit.UserLINE && !c.Core:
		return "COM-10"
	}
	return ""
}

// person is what the facts say about somebody in a room.
type Person struct {
	*roomkit.User
	company *roomkit.Company
	Row     *roomkit.Member
}

func (p *Person) epoch() roomkit.Epoch {
	return roomkit.Epoch{User: p.Version, Company: p.company.Version}
}

func (p *Person) asPerson() roomkit.Person {
	return roomkit.Person{User: p.ID, Company: p.User.Company, Kind: p.Kind, Epoch: p.epoch()}
}

// voidRule says why a membership or mastership that the rows show does not
// count any more, or "" if it counts.
func (p *Person) voidRule(room *roomkit.Room, since roomkit.Epoch) roomkit.Rule {
	switch {
	case !accountHeldSinceUser(p.User, since):
		return "ADM-13"
	case room.Kind == roomkit.KindExternalGroup && !worksHeldSinceUser(p.User, p.company, since):
		return "EXT-22"
	}
	return ""
}

// takesPart reports whether the person is an effective participant.
func (p *Person) TakesPart(room *roomkit.Room) bool {
	return p.Row.Participant && p.voidRule(room, p.Row.Epoch) == ""
}

// shows reports whether the person appears as a participant: in a room with LINE
// users a member without the permission is unknown to the others (ADM-06).
func (p *Person) Shows(room *roomkit.Room) bool {
	return p.TakesPart(room) && (room.LINEUsers == 0 || p.Kind != roomkit.UserMember || linePermittedUser(p.User, p.company))
}

// manages reports whether the person is an effective Group Master.
func (p *Person) Manages(room *roomkit.Room) bool {
	return p.Row.Master && p.voidRule(room, p.Row.MasterEpoch) == ""
}

// standing gives what the person is in the room, and the rule because of which
// a participation or role that the rows show does not count.
func (p *Person) Standing(room *roomkit.Room, team *roomkit.Team) (st roomkit.Standing, void roomkit.Rule) {
	if room.State != roomkit.StateActive {
		return 0, "COM-14"
	}
	if rule := usableUser(p.User, p.company); rule != "" {
		return 0, rule
	}
	if p.Row.Participant {
		if rule := p.voidRule(room, p.Row.Epoch); rule != "" {
			void = rule
		} else if room.LINEUsers > 0 && p.Kind == roomkit.UserMember && !linePermittedUser(p.User, p.company) {
			void = "LINE-01"
		} else {
			st |= roomkit.StandingParticipant
		}
	}
	if p.Row.Master {
		if rule := p.voidRule(room, p.Row.MasterEpoch); rule != "" {
			void = rule
		} else {
			st |= roomkit.StandingMaster
		}
	}
	return st | p.officialStanding(room, team), void
}

func (p *Person) officialStanding(room *roomkit.Room, team *roomkit.Team) (st roomkit.Standing) {
	if p.User.Company == "" || p.User.Company != room.Company {
		return 0
	}
	if room.Kind == roomkit.KindTeam && team.Leader == p.ID {
		st |= roomkit.StandingLeader
	}
	if p.Administrator && (room.Kind.IsGroup() || room.Kind == roomkit.KindTeam) {
		st |= roomkit.StandingAdministrator
	}
	if room.Kind == roomkit.KindGroup && p.Kind == roomkit.UserMember {
		st |= roomkit.StandingColleague
	}
	return st
}

// offered gives the features a kind has at all (GEN-15, GEN-20, EXT-06, EXT-07,
// DIR-10, DIR-11, SELF-06, TEAM-15, GRP-16).
func offeredRules(r *roomkit.Rules, kind roomkit.Kind, lineUsers int64) roomkit.FeatureSet {
	ground := roomkit.Features(roomkit.FeatureNote, roomkit.FeatureEvent, roomkit.FeatureTask, roomkit.FeatureFolder)
	switch kind {
	case roomkit.KindGeneral:
		if lineUsers > 0 && !r.Policy.LINERoomFeatures {
			return 0
		}
		return ground
	case roomkit.KindGroup, roomkit.KindTeam:
		return roomkit.AllFeatures
	case roomkit.KindExternalGroup:
		if r.Policy.ExternalGroupTask {
			return ground
		}
		return ground &^ roomkit.Features(roomkit.FeatureTask)
	}
	return 0
}

// inForce gives the features that can be used in the room while message is on
// (FEA-01, GRP-37).
func inForceRules(r *roomkit.Rules, room *roomkit.Room) roomkit.FeatureSet {
	return room.Features & offeredRules(r, room.Kind, room.LINEUsers)
}

var featureLimits = [roomkit.FeatureCount]roomkit.Limit{roomkit.LimitNoNote, roomkit.LimitNoEvent, roomkit.LimitNoTask, roomkit.LimitNoFolder, roomkit.LimitNoMailingList}

// limitsOf gathers what narrows the actions in a room. barred says that a party
// of a 1:1 room with an outsider lacks the permission (DIR-18).
func limitsOfRules(r *roomkit.Rules, room *roomkit.Room, team *roomkit.Team, barred bool) (lim roomkit.Limits) {
	if !room.MessageOffSince.IsZero() {
		lim |= 1 << roomkit.LimitMessageOff
	}
	if room.FeaturesWithheld {
		lim |= 1 << roomkit.LimitFeaturesWithheld
	}
	if room.Kind == roomkit.KindTeam {
		if !team.Room {
			lim |= 1 << roomkit.LimitTeamRoomOff
		}
		if !team.Features {
			lim |= 1 << roomkit.LimitLeaderFeatures
		}
		if !team.Photo {
			lim |= 1 << roomkit.LimitLeaderPhoto
		}
	}
	if !room.Public {
		lim |= 1 << roomkit.LimitPrivate
	}
	if room.LINEUsers > 0 {
		lim |= 1 << roomkit.LimitLINERoom
	}
	if barred {
		lim |= 1 << roomkit.LimitPartner
	}
	for missing := roomkit.AllFeatures &^ inForceRules(r, room); missing != 0; missing &= missing - 1 {
		lim |= 1 << featureLimits[bits.TrailingZeros8(uint8(missing))]
	}
	return lim
}

func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// Facts are what a decision knows. The helpers here answer questions about them;
// what is absent answers with a zero value, which every rule refuses. The rows
// they give are not to be written to.

var (
	noUser    = new(roomkit.User)
	noCompany = new(roomkit.Company)
	noRow     = new(roomkit.Member)
	noNeed    = new(store.Need)
)

func askedFacts(f *store.Facts) *store.Need {
	if f.Asked == nil {
		return noNeed
	}
	return f.Asked
}

func CompanyFacts(f *store.Facts, id roomkit.CompanyID) *roomkit.Company {
	for i := range f.Companies {
		if f.Companies[i].ID == id {
			return &f.Companies[i]
		}
	}
	return noCompany
}

const indexFrom = 16

func UserFacts(f *store.Facts, id roomkit.UserID) *roomkit.User {
	if len(f.Users) < indexFrom {
		for i := range f.Users {
			if f.Users[i].ID == id {
				return &f.Users[i]
			}
		}
		return noUser
	}
	if f.Index.Users == nil {
		f.Index.Users = make(map[roomkit.UserID]int, len(f.Users))
		for i := range f.Users {
			f.Index.Users[f.Users[i].ID] = i
		}
	}
	if i, ok := f.Index.Users[id]; ok {
		return &f.Users[i]
	}
	return noUser
}

func RowFacts(f *store.Facts, id roomkit.UserID) *roomkit.Member {
	if len(f.Members) < indexFrom {
		for i := range f.Members {
			if f.Members[i].User == id {
				return &f.Members[i]
			}
		}
		return noRow
	}
	if f.Index.Rows == nil {
		f.Index.Rows = make(map[roomkit.UserID]int, len(f.Members))
		for i := range f.Members {
			f.Index.Rows[f.Members[i].User] = i
		}
	}
	if i, ok := f.Index.Rows[id]; ok {
		return &f.Members[i]
	}
	return noRow
}

// person gathers what is known of somebody; ID is empty if there is no such user.
func PersonFacts(f *store.Facts, id roomkit.UserID) Person {
	u := UserFacts(f, id)
	return Person{User: u, company: CompanyFacts(f, u.Company), Row: RowFacts(f, id)}
}

func isContactFacts(f *store.Facts, id roomkit.UserID) bool { return slices.Contains(f.Contacts, id) }

// barred reports whether the two parties of a 1:1 room may not talk for lack of
// a permission on either side (DIR-18, ADM-04).
func barredFacts(f *store.Facts) bool {
	if f.Room.Kind != roomkit.KindDirect {
		return false
	}
	one, two := PersonFacts(f, f.Room.Parties[0]), PersonFacts(f, f.Room.Parties[1])
	return outsiderRule(&one, &two) != ""
}

// outsiderRule says why two people may not talk with each other for lack of a
// permission, or "" if nothing is in the way.
func outsiderRule(one, two *Person) roomkit.Rule {
	switch {
	case one.Kind == roomkit.UserLINE && two.Kind == roomkit.UserLINE:
		return "LINE-02"
	case one.Kind == roomkit.UserLINE || two.Kind == roomkit.UserLINE:
		if one.Kind == roomkit.UserLINE {
			one, two = two, one
		}
		if one.Kind == roomkit.UserBot {
			return "LINE-04"
		}
		if !linePermittedUser(one.User, one.company) {
			return "LINE-01"
		}
	case one.User.Company != two.User.Company:
		if !worksPermittedUser(one.User, one.company) || !worksPermittedUser(two.User, two.company) {
			return "ADM-04"
		}
	}
	return ""
}

var featureActions = [roomkit.FeatureCount]roomkit.Action{roomkit.ActionUseNote, roomkit.ActionUseEvent, roomkit.ActionUseTask, roomkit.ActionUseFolder, roomkit.ActionUseMailingList}

// access evaluates the facts of one room for one user.
func AccessRules(r *roomkit.Rules, f *store.Facts, id roomkit.RoomID, user roomkit.UserID) roomkit.Access {
	room := &f.Room
	out := roomkit.Access{Room: id}
	if room.Version == 0 {
		return out
	}
	who := PersonFacts(f, user)
	st, void := who.Standing(room, &f.Team)
	if st == 0 && void == "" || !visibleRules(r, room, &who, st, void) {
		return out
	}
	out.Version, out.Kind, out.Standing = room.Version, room.Kind, st
	out.Actions = r.Actions(room.Kind, st, limitsOfRules(r, room, &f.Team, barredFacts(f)))
	for feature, action := range featureActions {
		if out.Actions.Has(action) {
			out.Features |= 1 << feature
		}
	}
	if out.Can(roomkit.ActionEnter) {
		out.ReadFrom = readFrom(room, who.Row)
	}
	out.EmptiedAt = room.EmptiedAt
	out.RecallWindow, out.LINE = recallWindowCompany(who.company), room.HadLINE
	return out
}

func readFrom(room *roomkit.Room, row *roomkit.Member) roomkit.ReadFrom {
	from := roomkit.ReadFrom{Allowed: true, All: row.ReadAll && room.EmptiedAt == 0}
	if from.All {
		return from
	}
	from.Version, from.At = row.JoinedVersion, row.JoinedAt
	if row.ReadAll || room.EmptiedAt > row.JoinedVersion {
		from.Version, from.At = room.EmptiedAt, room.EmptiedOn
	}
	return from
}
