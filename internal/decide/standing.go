package decide

import (
	"github.com/go-roomkit/roomkit"
)

// Person is what the facts say about somebody in a room.
type Person struct {
	*roomkit.User
	company *roomkit.Company
	Row     *roomkit.Member
}

func (p *Person) epoch() roomkit.Epoch {
	return roomkit.Epoch{User: p.Version, Company: p.company.Version}
}

func (p *Person) named() roomkit.Person {
	return roomkit.Person{User: p.ID, Company: p.User.Company, Kind: p.Kind, Epoch: p.epoch()}
}

func (p *Person) isConsumer() bool { return p.Kind == roomkit.UserConsumer }
func (p *Person) bot() bool        { return p.Kind == roomkit.UserBot }
func (p *Person) suspended() bool  { return p.Status == roomkit.StatusSuspended }

// unlicensed reports whether the person's company lacks a licence, which LINE
// users do not need (COM-10).
func (p *Person) unlicensed() bool { return !p.isConsumer() && !p.company.Licensed }

// Permission in force (EXT-22, EXT-23, ADM-01, ADM-02): what the company's
// switch and the user's own permission say together. The account's state is
// looked at apart from it, because a suspended user keeps its rooms (ADM-18).

func (p *Person) partnersPermitted() bool {
	return p.Kind == roomkit.UserMember && p.Status != roomkit.StatusDeleted && permitted(p.company.Partners, p.Partners)
}

func (p *Person) consumersPermitted() bool {
	return p.Kind == roomkit.UserMember && p.Status != roomkit.StatusDeleted && permitted(p.company.Consumers, p.Consumers)
}

func permitted(company roomkit.ExternalMode, own bool) bool {
	return company == roomkit.ExternalAll || company == roomkit.ExternalSelected && own
}

// partnersHeldSince reports whether the permission is in force and has been since
// the given state of the directory (EXT-25: giving it back restores nothing).
func (p *Person) partnersHeldSince(e roomkit.Epoch) bool {
	narrowed := p.company.PartnersNarrowed
	if p.Partners { // those after the grant took nothing away
		narrowed = p.PartnersSince
	}
	return p.partnersPermitted() && e.User >= p.PartnersLost && e.Company >= max(p.company.PartnersOff, narrowed)
}

// accountHeldSince reports whether the account exists and has not been deleted
// since (ADM-14: undoing the deletion restores no participation).
func (p *Person) accountHeldSince(e roomkit.Epoch) bool {
	return p.Status != roomkit.StatusDeleted && p.Status != roomkit.StatusNone && e.User >= p.Ended
}

// unusable says why an account cannot act at all, or "".
func (p *Person) unusable() roomkit.Rule {
	switch {
	case p.Status == roomkit.StatusDeleted:
		return "ADM-13"
	case p.Status != roomkit.StatusActive:
		return "ADM-17"
	case p.unlicensed():
		return "COM-10"
	}
	return ""
}

// voidRule says why a membership or mastership that the rows show does not
// count any more, or "" if it counts.
func (p *Person) voidRule(room *roomkit.Room, since roomkit.Epoch) roomkit.Rule {
	switch {
	case !p.accountHeldSince(since):
		return "ADM-13"
	case room.Kind == roomkit.KindExternalGroup && !p.partnersHeldSince(since):
		return "EXT-22"
	}
	return ""
}

// TakesPart reports whether the person is an effective participant.
func (p *Person) TakesPart(room *roomkit.Room) bool {
	return p.Row.Participant && p.voidRule(room, p.Row.Epoch) == ""
}

// ListedIn reports whether the person appears as a participant: in a room with LINE
// users a member without the permission is unknown to the others (ADM-06).
func (p *Person) ListedIn(room *roomkit.Room) bool {
	return p.TakesPart(room) && (room.Consumers == 0 || p.Kind != roomkit.UserMember || p.consumersPermitted())
}

// Manages reports whether the person is an effective Group Master.
func (p *Person) Manages(room *roomkit.Room) bool {
	return p.Row.Master && p.voidRule(room, p.Row.MasterEpoch) == ""
}

// Standing gives what the person is in the room, and the rule because of which
// a participation or role that the rows show does not count.
func (p *Person) Standing(room *roomkit.Room, team *roomkit.Team) (st roomkit.Standing, void roomkit.Rule) {
	if room.State != roomkit.StateActive {
		return 0, "COM-14"
	}
	if rule := p.unusable(); rule != "" {
		return 0, rule
	}
	if p.Row.Participant {
		if rule := p.voidRule(room, p.Row.Epoch); rule != "" {
			void = rule
		} else if room.Consumers > 0 && p.Kind == roomkit.UserMember && !p.consumersPermitted() {
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

// outsiderRule says why two people may not talk with each other for lack of a
// permission, or "" if nothing is in the way.
func outsiderRule(one, two *Person) roomkit.Rule {
	if two.isConsumer() {
		one, two = two, one
	}
	switch {
	case two.isConsumer():
		return "LINE-02"
	case one.isConsumer() && two.bot():
		return "LINE-04"
	case one.isConsumer() && !two.consumersPermitted():
		return "LINE-01"
	case !one.isConsumer() && one.User.Company != two.User.Company && (!one.partnersPermitted() || !two.partnersPermitted()):
		return "ADM-04"
	}
	return ""
}
