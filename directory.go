package roomkit

import "time"

// PutCompany adds or replaces a company. Only the system may (ADM-23). The fields
// that the library keeps are ignored.
type PutCompany struct {
	Company Company
}

// EditCompany changes what a company's administrator decides. Nil fields stay. By
// an administrator of that company or the system (ADM-23).
type EditCompany struct {
	Company             CompanyID
	MembersCreateGroups *bool          // ADM-09
	RecallWindow        *time.Duration // ADM-22; 0 means 24 hours
}

// PutUsers adds or replaces users. Only the system may (ADM-23). Company and kind
// of a user never change. The fields that the library keeps are ignored.
type PutUsers struct {
	Users []User // 1 to MaxPeople, distinct
}

// SetExternalMessaging permits or forbids talking with outsiders: for a whole
// company, or for one user (ADM-01, ADM-02). By an administrator of the company or
// the system (ADM-23). While the company's mode is ExternalAll, it cannot be
// withdrawn from one user (ADM-03), by [PutUsers] neither. Access that depended on it
// ends at once; [Service.Enforce] takes the people out of their rooms (EXT-22,
// ADM-08). Forbidding LINE hides the rooms with LINE users from the members but ends
// nothing: to the LINE users and to the host's audit they stay (ADM-05 to ADM-07).
type SetExternalMessaging struct {
	Company CompanyID
	User    UserID // empty: the whole company
	Channel Channel
	Mode    ExternalMode // for a user: ExternalOff or ExternalSelected
}

// SuspendUser blocks an account or lifts the block. A suspended user cannot act
// (ADM-17) but stays in its rooms and keeps its roles (ADM-18). By an administrator
// of the user's company or the system (ADM-23), of a LINE user by the system. Not of
// a deleted account (ADM-13).
type SuspendUser struct {
	User UserID
	Lift bool
}

// DeleteUser ends an account: its access ends at once, and [Service.Enforce]
// takes it out of every room (ADM-13). By an administrator of the user's company or
// the system (ADM-23), of a LINE user by the system.
type DeleteUser struct {
	User UserID
}

// RestoreUser undoes a deletion. It gives back no room (ADM-14). By an administrator
// of the user's company or the system (ADM-23), of a LINE user by the system. An
// account that is not deleted stays as it is.
type RestoreUser struct {
	User UserID
}

func (c PutCompany) check() error {
	switch {
	case !c.Company.ID.Valid():
		return invalid("Company.ID", "not a company id")
	case c.Company.MaxGroups < 0:
		return invalid("Company.MaxGroups", "negative")
	}
	if err := checkWindow("Company.RecallWindow", c.Company.RecallWindow); err != nil {
		return err
	}
	if err := enumOK("Company.Works", c.Company.Works, externalModeCount); err != nil {
		return err
	}
	return enumOK("Company.LINE", c.Company.LINE, externalModeCount)
}

func (c PutCompany) need(_ Actor, n *Need) { n.Companies = append(n.Companies, c.Company.ID) }

func (c PutCompany) decide(d *decider) error {
	if !d.actor.system {
		return d.denied("ADM-23", ActionNone, "only the system provisions companies")
	}
	before := *d.f.company(c.Company.ID)
	after := c.Company
	after.Version, after.WorksOff, after.WorksNarrowed, after.Groups = 0, 0, 0, 0
	if before.given() == after {
		return nil
	}
	d.emitCompany(before, after.ID, &CompanyPut{Company: after})
	return nil
}

// given is what the host gave of a company, without what the library keeps.
func (c Company) given() Company {
	c.Version, c.WorksOff, c.WorksNarrowed, c.Groups = 0, 0, 0, 0
	return c
}

func (c EditCompany) check() error {
	if !c.Company.Valid() {
		return invalid("Company", "not a company id")
	}
	if c.MembersCreateGroups == nil && c.RecallWindow == nil {
		return invalid("EditCompany", "changes nothing")
	}
	if c.RecallWindow != nil {
		return checkWindow("RecallWindow", *c.RecallWindow)
	}
	return nil
}

func checkWindow(field string, d time.Duration) error {
	if d < 0 || d%time.Microsecond != 0 {
		return invalid(field, "negative or finer than a microsecond")
	}
	return nil
}

func (c EditCompany) need(_ Actor, n *Need) { n.Companies = append(n.Companies, c.Company) }

func (c EditCompany) decide(d *decider) error {
	before := *d.f.company(c.Company)
	if err := d.mayAdminister(before.ID); err != nil {
		return err
	}
	after := before.given()
	if c.MembersCreateGroups != nil {
		after.MembersCreateGroups = *c.MembersCreateGroups
	}
	if c.RecallWindow != nil {
		after.RecallWindow = *c.RecallWindow
	}
	if after != before.given() {
		d.emitCompany(before, before.ID, &CompanyPut{Company: after})
	}
	return nil
}

// mayAdminister demands the system or an administrator of the company itself
// (ADM-11). What does not exist and what belongs to another company are refused
// alike (ADM-23, ADM-12).
func (d *decider) mayAdminister(company CompanyID) error {
	own := d.actor.system || d.me.Administrator && d.home() == company
	if company == "" || !own {
		return d.denied("ADM-23", ActionNone, "not an account or company that the actor administers")
	}
	return nil
}

func (d *decider) emitCompany(before Company, id CompanyID, e Event) {
	d.stampDirectory(e, CompanySubject(id), before.Version)
	d.out.rows.companies = append(d.out.rows.companies, before.Apply(e))
	d.out.Events = append(d.out.Events, e)
}

func (d *decider) emitUser(before User, id UserID, e Event) {
	d.stampDirectory(e, UserSubject(id), before.Version)
	d.out.rows.users = append(d.out.rows.users, before.Apply(e))
	d.out.Events = append(d.out.Events, e)
}

func (d *decider) stampDirectory(e Event, of Subject, before Version) {
	info := e.meta()
	info.Subject, info.Version, info.At = of, before+1, d.now
	if before == 0 {
		d.begun = append(d.begun, Expect{Subject: of})
	}
	d.sign(info, CauseNone)
}

func (c SetExternalMessaging) check() error {
	if !c.Company.Valid() {
		return invalid("Company", "not a company id")
	}
	if c.Channel != ChannelWorks && c.Channel != ChannelLINE {
		return invalid("Channel", "neither ChannelWorks nor ChannelLINE")
	}
	if c.User != "" {
		if c.Mode == ExternalAll {
			return invalid("Mode", "ExternalAll is for a company")
		}
		if err := checkUser("User", c.User); err != nil {
			return err
		}
	}
	return enumOK("Mode", c.Mode, externalModeCount)
}

func (c SetExternalMessaging) need(_ Actor, n *Need) {
	n.Companies = append(n.Companies, c.Company)
	if c.User != "" {
		n.People = append(n.People, c.User)
	}
}

func (c SetExternalMessaging) decide(d *decider) error {
	company := *d.f.company(c.Company)
	if err := d.mayAdminister(company.ID); err != nil {
		return err
	}
	mode := &company.Works
	if c.Channel == ChannelLINE {
		mode = &company.LINE
	}
	if c.User != "" {
		return c.forUser(d, company, *mode)
	}
	if *mode != c.Mode {
		d.emitCompany(company, company.ID, &CompanyMessagingChanged{Channel: c.Channel, From: *mode, To: c.Mode})
	}
	return nil
}

func (c SetExternalMessaging) forUser(d *decider, company Company, mode ExternalMode) error {
	u := *d.f.user(c.User)
	if u.ID == "" || u.Company != company.ID || u.Kind != UserMember {
		return d.denied("ADM-23", ActionNone, "no such member of the company", c.User)
	}
	on, has := c.Mode == ExternalSelected, u.Works
	if c.Channel == ChannelLINE {
		has = u.LINE
	}
	if !on && mode == ExternalAll {
		return d.denied("ADM-03", ActionNone, "it is granted to all members", c.User)
	}
	if on != has {
		d.emitUser(u, u.ID, &UserMessagingChanged{
			Channel: c.Channel, On: on, Permits: on && mode == ExternalSelected, Company: company.Version,
		})
	}
	return nil
}
