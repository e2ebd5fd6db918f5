package oracle

import (
	"slices"
	"time"
)

// directs reports whether the actor may manage a company's directory (ADM-23).
func (c *call) directs(company string) *refusal {
	if c.system() || c.who.Kind == Human && c.who.Admin && c.who.Company == company && c.w.Companies[company] != nil {
		return nil
	}
	if c.who.Admin {
		return denied("ADM-23")
	}
	return denied()
}

// account finds a user for somebody who directs the user's company.
func (c *call) account(id string) (*User, *refusal) {
	u := c.w.Users[id]
	if u == nil && c.system() {
		return nil, refused()
	}
	if u == nil {
		return nil, c.directs("")
	}
	return u, c.directs(u.Company)
}

// amend changes the directory and notes what everybody lost by it. It gives those
// who have the permission in force now and had not before.
func (c *call) amend(change func()) (gained []string) {
	before := map[string]bool{}
	alive := map[string]bool{}
	for id, u := range c.w.Users {
		before[id] = c.w.worksInForce(u)
		alive[id] = u.Status != Deleted
	}
	change()
	for id, u := range c.w.Users {
		if before[id] && !c.w.worksInForce(u) {
			u.LostPartners = c.w.Step
		}
		if !before[id] && c.w.worksInForce(u) {
			gained = append(gained, id)
		}
		if alive[id] && u.Status == Deleted {
			u.LostAccount = c.w.Step
		}
	}
	c.w.Changed = c.w.Step
	c.changed = true
	slices.Sort(gained)
	return gained
}

// AddCompany adds a company; one that is there stays as it is (ADM-23).
type AddCompany struct{ Company Company }

func (x AddCompany) wellFormed() bool { return x.Company.ID != "" }

func (x AddCompany) run(c *call) *refusal {
	if !c.system() {
		return denied("ADM-23")
	}
	if c.w.Companies[x.Company.ID] == nil {
		c.amend(func() { c.w.Companies[x.Company.ID] = &x.Company })
	}
	return nil
}

// EditCompany changes what is named: the system all of it, the administrator of the
// company who may create groups (ADM-09) and how long messages are recalled (ADM-22).
type EditCompany struct {
	Company             string
	Licensed            *bool
	MembersCreateGroups *bool
	MaxGroups           *int
	RecallWindow        *time.Duration
}

func (x EditCompany) wellFormed() bool {
	return x.Company != "" && (x.Licensed != nil || x.MembersCreateGroups != nil || x.MaxGroups != nil || x.RecallWindow != nil)
}

func (x EditCompany) run(c *call) *refusal {
	if no := c.directs(x.Company); no != nil {
		return no
	}
	co := c.w.Companies[x.Company]
	switch {
	case co == nil:
		return refused()
	case !c.system() && (x.Licensed != nil || x.MaxGroups != nil):
		return denied("ADM-23")
	}
	set(c, &co.Licensed, x.Licensed)
	set(c, &co.MembersCreateGroups, x.MembersCreateGroups)
	set(c, &co.MaxGroups, x.MaxGroups)
	set(c, &co.RecallWindow, x.RecallWindow)
	return nil
}

// SetCompanyMessaging permits or forbids a company to talk with outsiders (ADM-01).
type SetCompanyMessaging struct {
	Company string
	With    Outsider
	Mode    *Mode
}

func (x SetCompanyMessaging) wellFormed() bool { return x.Company != "" && x.Mode != nil }

func (x SetCompanyMessaging) run(c *call) *refusal {
	if no := c.directs(x.Company); no != nil {
		return no
	}
	co := c.w.Companies[x.Company]
	if co == nil {
		return refused()
	}
	mode := &co.Partners
	if x.With == WithConsumers {
		mode = &co.Consumers
	}
	if *mode != *x.Mode {
		gained := c.amend(func() { *mode = *x.Mode })
		c.permitAll(x.Company, *x.Mode, gained)
	}
	return nil
}

// AddUser adds an account; one that is there stays as it is (ADM-23).
type AddUser struct{ User User }

func (x AddUser) wellFormed() bool {
	return x.User.ID != "" && (x.User.Company == "") == (x.User.Kind == Line) && (x.User.Kind == Human || !x.User.Admin && !x.User.Partners && !x.User.Consumers)
}

func (x AddUser) run(c *call) *refusal {
	switch u := x.User; {
	case !c.system():
		return denied("ADM-23")
	case c.w.Users[u.ID] != nil:
		return nil
	case u.Kind != Line && c.w.Companies[u.Company] == nil:
		return refused()
	}
	c.amend(func() { c.w.Users[x.User.ID] = &x.User })
	return nil
}

// EditUser says who administers the own company (ADM-23).
type EditUser struct {
	User  string
	Admin *bool
}

func (x EditUser) wellFormed() bool { return x.User != "" && x.Admin != nil }

func (x EditUser) run(c *call) *refusal {
	u := c.w.Users[x.User]
	switch {
	case !c.system():
		return denied("ADM-23")
	case u == nil || u.Kind != Human:
		return refused()
	}
	set(c, &u.Admin, x.Admin)
	return nil
}

// SetUserMessaging grants or withdraws one user's own permission (ADM-01).
type SetUserMessaging struct {
	User  string
	With  Outsider
	Allow *bool
}

func (x SetUserMessaging) wellFormed() bool { return x.User != "" && x.Allow != nil }

func (x SetUserMessaging) run(c *call) *refusal {
	u, no := c.account(x.User)
	switch {
	case no != nil:
		return no
	case u.Kind != Human:
		return refused()
	}
	if u.Status == Deleted {
		if no := c.either(); no != nil {
			return no
		}
	}
	co := c.w.Companies[u.Company]
	own, mode := &u.Partners, co.Partners
	if x.With == WithConsumers {
		own, mode = &u.Consumers, co.Consumers
	}
	if mode == All && !*x.Allow { // none can be withdrawn while all have it
		return denied("ADM-03")
	}
	if *own != *x.Allow {
		gained := c.amend(func() { *own = *x.Allow })
		if *own {
			c.permit(x.User, len(gained) == 0)
		}
	}
	return nil
}

// SuspendUser blocks an account or lifts the block (ADM-17).
type SuspendUser struct {
	User string
	Lift bool
}

func (x SuspendUser) wellFormed() bool { return x.User != "" }

func (x SuspendUser) run(c *call) *refusal {
	u, no := c.account(x.User)
	if no != nil {
		return no
	}
	if u.Status == Deleted {
		return c.either()
	}
	if u.ID == c.actor {
		if no := c.either(); no != nil {
			return no
		}
	}
	to := Suspended
	if x.Lift {
		to = Active
	}
	if u.Status != to {
		c.amend(func() { u.Status = to })
	}
	return nil
}

// DeleteUser ends an account (ADM-13).
type DeleteUser struct{ User string }

func (x DeleteUser) wellFormed() bool { return x.User != "" }

func (x DeleteUser) run(c *call) *refusal {
	u, no := c.account(x.User)
	if no != nil {
		return no
	}
	if u.Admin && u.Status != Deleted {
		if no := c.either("ADM-16"); no != nil { // the host's matter
			return no
		}
	}
	if u.Status != Deleted {
		c.amend(func() { u.Status = Deleted })
	}
	return nil
}

// RestoreUser undoes that and gives back no room (ADM-14).
type RestoreUser struct{ User string }

func (x RestoreUser) wellFormed() bool { return x.User != "" }

func (x RestoreUser) run(c *call) *refusal {
	u, no := c.account(x.User)
	if no != nil {
		return no
	}
	if u.Status == Deleted {
		c.amend(func() { u.Status = Active })
	}
	return nil
}
