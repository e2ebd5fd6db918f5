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

// PutCompany adds or replaces a company (ADM-23).
type PutCompany struct{ Company Company }

func (x PutCompany) wellFormed() bool { return x.Company.ID != "" }

func (x PutCompany) run(c *call) *refusal {
	if !c.system() {
		return denied()
	}
	old := c.w.Companies[x.Company.ID]
	if old != nil && *old == x.Company {
		return nil
	}
	put := x.Company
	c.amend(func() { c.w.Companies[put.ID] = &put })
	return nil
}

// EditCompany changes what the administrator of a company decides (ADM-09, ADM-22).
type EditCompany struct {
	Company             string
	MembersCreateGroups *bool
	RecallWindow        *time.Duration
}

func (x EditCompany) wellFormed() bool { return x.Company != "" }

func (x EditCompany) run(c *call) *refusal {
	if no := c.directs(x.Company); no != nil {
		return no
	}
	co := c.w.Companies[x.Company]
	if co == nil {
		return refused()
	}
	if x.MembersCreateGroups == nil && x.RecallWindow == nil {
		return c.either()
	}
	set(c, &co.MembersCreateGroups, x.MembersCreateGroups)
	set(c, &co.RecallWindow, x.RecallWindow)
	return nil
}

// PutUsers adds or replaces accounts (ADM-23).
type PutUsers struct{ Users []User }

func (x PutUsers) wellFormed() bool { return len(x.Users) > 0 }

func (x PutUsers) run(c *call) *refusal {
	if !c.system() {
		return denied()
	}
	for _, u := range x.Users {
		old := c.w.Users[u.ID]
		homeless := (u.Company == "") != (u.Kind == Line) || u.Kind != Line && c.w.Companies[u.Company] == nil
		if homeless || old != nil && (old.Company != u.Company || old.Kind != u.Kind) {
			return refused()
		}
	}
	fresh := slices.ContainsFunc(x.Users, func(u User) bool { return !c.w.same(u) })
	if !fresh {
		return nil
	}
	if slices.ContainsFunc(x.Users, c.w.withdraws) {
		return denied("ADM-03")
	}
	c.amend(func() {
		for _, u := range x.Users {
			if old := c.w.Users[u.ID]; old != nil {
				u.LostPartners, u.LostAccount = old.LostPartners, old.LostAccount
			}
			c.w.Users[u.ID] = &u
		}
	})
	return nil
}

// withdraws reports whether somebody would lose an own permission that the
// company grants to all (ADM-03).
func (w *World) withdraws(u User) bool {
	old, co := w.Users[u.ID], w.Companies[u.Company]
	return old != nil && co != nil && (co.Partners == All && old.Partners && !u.Partners || co.Consumers == All && old.Consumers && !u.Consumers)
}

func (w *World) same(u User) bool {
	old := w.Users[u.ID]
	if old == nil {
		return false
	}
	u.LostPartners, u.LostAccount = old.LostPartners, old.LostAccount
	return *old == u
}

// SetExternalMessaging permits or forbids talking with outsiders (ADM-01).
type SetExternalMessaging struct {
	Company string
	User    string
	With    Outsider
	Mode    Mode
}

func (x SetExternalMessaging) wellFormed() bool {
	return x.Company != "" && (x.User == "" || x.Mode != All)
}

func (x SetExternalMessaging) run(c *call) *refusal {
	if no := c.directs(x.Company); no != nil {
		return no
	}
	co := c.w.Companies[x.Company]
	if co == nil {
		return refused()
	}
	if x.User == "" {
		mode := &co.Partners
		if x.With == WithConsumers {
			mode = &co.Consumers
		}
		if *mode != x.Mode {
			gained := c.amend(func() { *mode = x.Mode })
			c.permitAll(x, gained)
		}
		return nil
	}
	u := c.w.Users[x.User]
	if u == nil || u.Company != x.Company {
		return denied("ADM-23")
	}
	if u.Kind != Human || u.Status == Deleted {
		if no := c.either(); no != nil {
			return no
		}
	}
	return x.one(c, co, u)
}

// one user's own permission; none can be withdrawn while all have it (ADM-03).
func (x SetExternalMessaging) one(c *call, co *Company, u *User) *refusal {
	own, mode := &u.Partners, co.Partners
	if x.With == WithConsumers {
		own, mode = &u.Consumers, co.Consumers
	}
	if mode == All && x.Mode == Off {
		return denied("ADM-03")
	}
	if on := x.Mode == Selected; *own != on {
		gained := c.amend(func() { *own = on })
		if on {
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
