package roomkit

import (
	"math/bits"
	"time"
)

func firstLimit(l limits) limit { return limit(bits.TrailingZeros16(uint16(l))) }

// Permission in force (EXT-22, EXT-23, ADM-01, ADM-02): what the company's
// switch and the user's own permission say together. The account's state is
// looked at apart from it, because a suspended user keeps its rooms (ADM-18).

func (u *User) worksPermitted(c *Company) bool {
	return u.Kind == UserMember && u.Status != StatusDeleted && permitted(c.Works, u.Works)
}

func (u *User) linePermitted(c *Company) bool {
	return u.Kind == UserMember && u.Status != StatusDeleted && permitted(c.LINE, u.LINE)
}

func permitted(company ExternalMode, own bool) bool {
	return company == ExternalAll || company == ExternalSelected && own
}

// worksHeldSince reports whether the permission is in force and has been since
// the given state of the directory (EXT-25: giving it back restores nothing).
func (u *User) worksHeldSince(c *Company, e Epoch) bool {
	if !u.worksPermitted(c) || e.User < u.WorksLost || e.Company < c.WorksOff {
		return false
	}
	narrowed := e.Company < c.WorksNarrowed
	return !narrowed || u.Works && u.WorksSince < c.WorksNarrowed
}

// accountHeldSince reports whether the account exists and has not been deleted
// since (ADM-14: undoing the deletion restores no participation).
func (u *User) accountHeldSince(e Epoch) bool {
	return u.Status != StatusDeleted && u.Status != StatusNone && e.User >= u.Ended
}

// usable says why an account cannot act at all, or "".
func (u *User) usable(c *Company) Rule {
	switch {
	case u.Status == StatusDeleted:
		return "ADM-13"
	case u.Status != StatusActive:
		return "ADM-17"
	case u.Kind != UserLINE && !c.Core:
		return "COM-10"
	}
	return ""
}

// person is what the facts say about somebody in a room.
type person struct {
	*User
	company *Company
	row     *Member
}

func (p *person) epoch() Epoch { return Epoch{User: p.Version, Company: p.company.Version} }

func (p *person) asPerson() Person {
	return Person{User: p.ID, Company: p.User.Company, Kind: p.Kind, Epoch: p.epoch()}
}

// voidRule says why a membership or mastership that the rows show does not
// count any more, or "" if it counts.
func (p *person) voidRule(room *Room, since Epoch) Rule {
	switch {
	case !p.accountHeldSince(since):
		return "ADM-13"
	case room.Kind == KindExternalGroup && !p.worksHeldSince(p.company, since):
		return "EXT-22"
	}
	return ""
}

// takesPart reports whether the person is an effective participant.
func (p *person) takesPart(room *Room) bool {
	return p.row.Participant && p.voidRule(room, p.row.Epoch) == ""
}

// shows reports whether the person appears as a participant: in a room with LINE
// users a member without the permission is unknown to the others (ADM-06).
func (p *person) shows(room *Room) bool {
	return p.takesPart(room) && (room.LINEUsers == 0 || p.Kind != UserMember || p.linePermitted(p.company))
}

// manages reports whether the person is an effective Group Master.
func (p *person) manages(room *Room) bool {
	return p.row.Master && p.voidRule(room, p.row.MasterEpoch) == ""
}

// standing gives what the person is in the room, and the rule because of which
// a participation or role that the rows show does not count.
func (p *person) standing(room *Room, team *Team) (st Standing, void Rule) {
	if room.State != StateActive {
		return 0, "COM-14"
	}
	if rule := p.usable(p.company); rule != "" {
		return 0, rule
	}
	if p.row.Participant {
		if rule := p.voidRule(room, p.row.Epoch); rule != "" {
			void = rule
		} else if room.LINEUsers > 0 && p.Kind == UserMember && !p.linePermitted(p.company) {
			void = "LINE-01"
		} else {
			st |= StandingParticipant
		}
	}
	if p.row.Master {
		if rule := p.voidRule(room, p.row.MasterEpoch); rule != "" {
			void = rule
		} else {
			st |= StandingMaster
		}
	}
	return st | p.officialStanding(room, team), void
}

func (p *person) officialStanding(room *Room, team *Team) (st Standing) {
	if p.User.Company == "" || p.User.Company != room.Company {
		return 0
	}
	if room.Kind == KindTeam && team.Leader == p.ID {
		st |= StandingLeader
	}
	if p.Administrator && (room.Kind.IsGroup() || room.Kind == KindTeam) {
		st |= StandingAdministrator
	}
	if room.Kind == KindGroup && p.Kind == UserMember {
		st |= StandingColleague
	}
	return st
}

// offered gives the features a kind has at all (GEN-15, GEN-20, EXT-06, EXT-07,
// DIR-10, DIR-11, SELF-06, TEAM-15, GRP-16).
func (r *Rules) offered(kind Kind, lineUsers int64) FeatureSet {
	ground := Features(FeatureNote, FeatureEvent, FeatureTask, FeatureFolder)
	switch kind {
	case KindGeneral:
		if lineUsers > 0 && !r.policy.LINERoomFeatures {
			return 0
		}
		return ground
	case KindGroup, KindTeam:
		return allFeatures
	case KindExternalGroup:
		if r.policy.ExternalGroupTask {
			return ground
		}
		return ground &^ Features(FeatureTask)
	}
	return 0
}

// inForce gives the features that can be used in the room while message is on
// (FEA-01, GRP-37).
func (r *Rules) inForce(room *Room) FeatureSet {
	return room.Features & r.offered(room.Kind, room.LINEUsers)
}

var featureLimits = [featureCount]limit{limitNoNote, limitNoEvent, limitNoTask, limitNoFolder, limitNoMailingList}

// limitsOf gathers what narrows the actions in a room. barred says that a party
// of a 1:1 room with an outsider lacks the permission (DIR-18).
func (r *Rules) limitsOf(room *Room, team *Team, barred bool) (lim limits) {
	if !room.MessageOffSince.IsZero() {
		lim |= 1 << limitMessageOff
	}
	if room.FeaturesWithheld {
		lim |= 1 << limitFeaturesWithheld
	}
	if room.Kind == KindTeam {
		if !team.Room {
			lim |= 1 << limitTeamRoomOff
		}
		if !team.Features {
			lim |= 1 << limitLeaderFeatures
		}
		if !team.Photo {
			lim |= 1 << limitLeaderPhoto
		}
	}
	if !room.Public {
		lim |= 1 << limitPrivate
	}
	if room.LINEUsers > 0 {
		lim |= 1 << limitLINERoom
	}
	if barred {
		lim |= 1 << limitPartner
	}
	for missing := allFeatures &^ r.inForce(room); missing != 0; missing &= missing - 1 {
		lim |= 1 << featureLimits[bits.TrailingZeros8(uint8(missing))]
	}
	return lim
}

func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
