package decide

import (
	"cmp"
	"slices"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// The directory arrives as AddCompany, AddUser and SyncTeam would add it: what exists is
// left as it is, and Decision.Differs tells what it is otherwise. Kept means what it does in
// [Arrival].

func newArrival(r *roomkit.Rules, f *Facts, now time.Time) *decider {
	return &decider{rules: r, f: f, actor: roomkit.System(), now: stamp(now), me: f.nobody()}
}

// concludeArrival gives what the arrival of a row of the directory comes to.
func (d *decider) concludeArrival(err error) (Decision, []roomkit.Refusal, error) {
	if d.no != nil {
		_ = d.refused()
		return Decision{}, d.no.Against, err
	}
	if err != nil {
		return Decision{}, nil, err
	}
	d.out.Relied = append(d.f.Versions(nil), d.begun...)
	return d.out, nil, nil
}

// ArriveCompany judges a company of which the facts are.
func ArriveCompany(r *roomkit.Rules, f *Facts, c roomkit.Company, kept bool, now time.Time) (Decision, []roomkit.Refusal, error) {
	d := newArrival(r, f, now)
	given, version := c, c.Version
	if !kept {
		given, version = givenCompany(c), 1
	}
	given.Version, given.Groups = 0, 0
	if before := *f.company(c.ID); before.Version > 0 {
		if given.PartnersOff+given.PartnersNarrowed == 0 && !kept {
			given.PartnersOff, given.PartnersNarrowed = before.PartnersOff, before.PartnersNarrowed
		}
		same := given
		same.Version, same.Groups = before.Version, before.Groups
		d.differs(same == before && (!kept || version == before.Version))
		return d.concludeArrival(nil)
	}
	err := cmp.Or(
		checkAddCompany(roomkit.AddCompany{Company: given}),
		checkVersion(version, given.PartnersOff, given.PartnersNarrowed),
	)
	if err == nil {
		e := &roomkit.CompanyPut{Company: given}
		d.arriveAs(e, roomkit.CompanySubject(c.ID), version)
		d.out.Rows.Companies = append(d.out.Rows.Companies, roomkit.Company{}.Apply(e))
	}
	return d.concludeArrival(err)
}

// ArriveUser judges a user, with the company, of whom the facts are.
func ArriveUser(r *roomkit.Rules, f *Facts, u roomkit.User, kept bool, now time.Time) (Decision, []roomkit.Refusal, error) {
	d := newArrival(r, f, now)
	given, version := u, u.Version
	if !kept {
		given, version = givenUser(u), 1
	}
	given.Version, given.Groups = 0, 0
	if before := *f.user(u.ID); before.Version > 0 {
		same := given
		if !kept {
			same.PartnersSince, same.PartnersLost, same.Ended = before.PartnersSince, before.PartnersLost, before.Ended
		}
		same.Version, same.Groups = before.Version, before.Groups
		d.differs(same == before && (!kept || version == before.Version))
		return d.concludeArrival(nil)
	}
	company := f.company(u.Company)
	err := cmp.Or(
		checkAddUser(roomkit.AddUser{User: given}),
		demand(u.Company == company.ID, "company", reasonUnknown, ""),
		checkVersion(version, given.PartnersLost, given.Ended),
		demand(given.PartnersSince >= 0 && given.PartnersSince <= company.Version, "partners_since", "behind the version of the company", ""),
	)
	if err == nil {
		e := &roomkit.UserPut{User: given}
		d.arriveAs(e, roomkit.UserSubject(u.ID), version)
		d.out.Rows.Users = append(d.out.Rows.Users, roomkit.User{}.Apply(e))
	}
	return d.concludeArrival(err)
}

// NeedTeamArrival gives what has to be loaded before a team can be judged.
func NeedTeamArrival(t *roomkit.Team) store.Need {
	n := store.Need{Team: roomkit.KeyOfTeam(t.Company, t.ID), Companies: []roomkit.CompanyID{t.Company}, People: slices.Clone(t.Members)}
	if t.Leader != "" && !slices.Contains(n.People, t.Leader) {
		n.People = append(n.People, t.Leader)
	}
	return n
}

// ArriveTeam judges a team, with its people, of which the facts are.
func ArriveTeam(r *roomkit.Rules, f *Facts, t roomkit.Team, kept bool, now time.Time) (Decision, []roomkit.Refusal, error) {
	d := newArrival(r, f, now)
	after := t
	after.Members = sorted(t.Members)
	if !kept {
		after.Version = 1
	}
	err := cmp.Or(
		checkSyncTeam(roomkit.SyncTeam{Team: t.ID, Company: t.Company, Name: t.Name, Leader: t.Leader, Members: after.Members, Seq: t.SyncedSeq}),
		demand(f.company(t.Company).ID == t.Company && t.Company != "", "company", reasonUnknown, ""),
		demand(t.Preset&^roomkit.AllFeatures == 0, "preset", "unknown feature", ""),
		checkVersion(after.Version),
	)
	if err != nil || !d.checkTeamPeople(&after) {
		return d.concludeArrival(err)
	}
	if !kept {
		d.leaveOutDeleted(&after)
	}
	if before := f.Team; before.Version > 0 {
		same := sameTeam(after, before) && slices.Equal(after.Members, before.Members)
		d.differs(same && (!kept || after.Version == before.Version))
		return d.concludeArrival(nil)
	}
	e := &roomkit.TeamSynced{
		Company: after.Company, Name: after.Name, Leader: after.Leader, Added: after.Members, Room: after.Room,
		Features: after.Features, Photo: after.Photo, Preset: after.Preset, Notify: after.Notify, Seq: after.SyncedSeq,
	}
	d.arriveAs(e, roomkit.TeamSubject(t.Company, t.ID), after.Version)
	d.out.Rows.Teams = append(d.out.Rows.Teams, roomkit.Team{}.Apply(e))
	return d.concludeArrival(nil)
}

func (d *decider) differs(same bool) {
	if !same {
		d.out.Differs = []string{"row"}
	}
}

// checkVersion demands a version, and others that are not behind it.
func checkVersion(version roomkit.Version, not ...roomkit.Version) error {
	late := slices.ContainsFunc(not, func(v roomkit.Version) bool { return v < 0 || v > version })
	return cmp.Or(demand(version > 0, "version", "not positive", ""), demand(!late, "version", "lower than one that the row names", ""))
}

func (d *decider) arriveAs(e roomkit.Event, of roomkit.Subject, version roomkit.Version) {
	info := e.Info()
	d.sign(info, roomkit.CauseImported)
	info.Subject, info.Version, info.At = of, version, d.now
	d.begun = append(d.begun, store.Expect{Subject: of})
	d.beginsBehind(of, version-1)
	d.out.Events = append(d.out.Events, e)
}
