package roomkit

import "fmt"

func (c PutUsers) check() error {
	people := make([]UserID, 0, len(c.Users))
	for i, u := range c.Users {
		people = append(people, u.ID)
		if err := u.check(); err != nil {
			return fmt.Errorf("user %d of the list: %w", i, err)
		}
	}
	return checkPeople("Users", people)
}

func (u User) check() error {
	if u.Kind == UserNone || u.Kind >= userKindCount {
		return invalid("Kind", "missing or unknown")
	}
	if u.Status == StatusNone || u.Status >= userStatusCount {
		return invalid("Status", "missing or unknown")
	}
	if (u.Kind == UserLINE) != (u.Company == "") {
		return invalid("Company", "LINE users have none, all others have one")
	}
	if u.Company != "" && !u.Company.Valid() {
		return invalid("Company", "not a company id")
	}
	return nil
}

func (c PutUsers) need(_ Actor, n *Need) {
	for _, u := range c.Users {
		n.People = append(n.People, u.ID)
		if u.Company != "" {
			n.Companies = append(n.Companies, u.Company)
		}
	}
}

func (c PutUsers) decide(d *decider) error {
	if !d.actor.system {
		return d.denied("ADM-23", ActionNone, "only the system provisions users")
	}
	for i, u := range c.Users {
		before, company := *d.f.user(u.ID), d.f.company(u.Company)
		field := fmt.Sprintf("Users[%d]", i)
		if u.Company != "" && company.Version == 0 {
			return invalid(field, "the company is not known")
		}
		after := u.given()
		if before.Version > 0 {
			if before.Company != u.Company || before.Kind != u.Kind {
				return invalid(field, "company and kind of a user never change")
			}
			if before.Works && !u.Works && company.Works == ExternalAll || before.LINE && !u.LINE && company.LINE == ExternalAll {
				return d.denied("ADM-03", ActionNone, "it is granted to all members", u.ID)
			}
			if before.given() == after {
				continue
			}
		}
		d.emitUser(before, u.ID, &UserPut{User: after, CompanyVersion: company.Version})
	}
	return nil
}

// given is what the host gave of a user, without what the library keeps.
func (u User) given() User {
	u.Version, u.WorksSince, u.WorksLost, u.Ended, u.Groups = 0, 0, 0, 0, 0
	return u
}

func (c SuspendUser) check() error           { return checkUser("User", c.User) }
func (c SuspendUser) need(_ Actor, n *Need)  { n.People = append(n.People, c.User) }
func (c DeleteUser) check() error            { return checkUser("User", c.User) }
func (c DeleteUser) need(_ Actor, n *Need)   { n.People = append(n.People, c.User) }
func (c RestoreUser) check() error           { return checkUser("User", c.User) }
func (c RestoreUser) need(_ Actor, n *Need)  { n.People = append(n.People, c.User) }
func (c DeleteUser) decide(d *decider) error { return d.setStatus(c.User, StatusDeleted) }

func (c SuspendUser) decide(d *decider) error {
	to := StatusSuspended
	if c.Lift {
		to = StatusActive
	}
	if u := d.f.user(c.User); u.Status == StatusDeleted && (d.actor.system || d.home() == u.Company) {
		return d.denied("ADM-13", ActionNone, "the account is deleted", c.User)
	}
	return d.setStatus(c.User, to)
}

func (c RestoreUser) decide(d *decider) error {
	if u := d.f.user(c.User); u.Status == StatusSuspended || u.Status == StatusActive {
		return d.mayAdministerUser(u)
	}
	return d.setStatus(c.User, StatusActive)
}

func (d *decider) setStatus(id UserID, to UserStatus) error {
	u := *d.f.user(id)
	if err := d.mayAdministerUser(&u); err != nil {
		return err
	}
	if u.Status != to {
		d.emitUser(u, u.ID, &UserStatusChanged{From: u.Status, To: to})
	}
	return nil
}

// mayAdministerUser is for the system, which also keeps LINE users, and for
// administrators of the user's company.
func (d *decider) mayAdministerUser(u *User) error {
	if d.actor.system && u.Kind == UserLINE {
		return nil
	}
	return d.mayAdminister(u.Company)
}
