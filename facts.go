package roomkit

import "slices"

// Facts are what a decision knows. The helpers here answer questions about them;
// what is absent answers with a zero value, which every rule refuses. The rows
// they give are not to be written to.

var (
	noUser    = new(User)
	noCompany = new(Company)
	noRow     = new(Member)
	noNeed    = new(Need)
)

func (f *Facts) asked() *Need {
	if f.Asked == nil {
		return noNeed
	}
	return f.Asked
}

func (f *Facts) company(id CompanyID) *Company {
	for i := range f.Companies {
		if f.Companies[i].ID == id {
			return &f.Companies[i]
		}
	}
	return noCompany
}

// people indexes the users and rows of large facts, so that a command that
// names hundreds stays linear.
type people struct {
	users map[UserID]int
	rows  map[UserID]int
}

const indexFrom = 16

func (f *Facts) user(id UserID) *User {
	if len(f.Users) < indexFrom {
		for i := range f.Users {
			if f.Users[i].ID == id {
				return &f.Users[i]
			}
		}
		return noUser
	}
	if f.index.users == nil {
		f.index.users = make(map[UserID]int, len(f.Users))
		for i := range f.Users {
			f.index.users[f.Users[i].ID] = i
		}
	}
	if i, ok := f.index.users[id]; ok {
		return &f.Users[i]
	}
	return noUser
}

func (f *Facts) row(id UserID) *Member {
	if len(f.Members) < indexFrom {
		for i := range f.Members {
			if f.Members[i].User == id {
				return &f.Members[i]
			}
		}
		return noRow
	}
	if f.index.rows == nil {
		f.index.rows = make(map[UserID]int, len(f.Members))
		for i := range f.Members {
			f.index.rows[f.Members[i].User] = i
		}
	}
	if i, ok := f.index.rows[id]; ok {
		return &f.Members[i]
	}
	return noRow
}

// person gathers what is known of somebody; ID is empty if there is no such user.
func (f *Facts) person(id UserID) person {
	u := f.user(id)
	return person{User: u, company: f.company(u.Company), row: f.row(id)}
}

func (f *Facts) isContact(id UserID) bool { return slices.Contains(f.Contacts, id) }

// barred reports whether the two parties of a 1:1 room may not talk for lack of
// a permission on either side (DIR-18, ADM-04).
func (f *Facts) barred() bool {
	if f.Room.Kind != KindDirect {
		return false
	}
	one, two := f.person(f.Room.Parties[0]), f.person(f.Room.Parties[1])
	return outsiderRule(&one, &two) != ""
}

// outsiderRule says why two people may not talk with each other for lack of a
// permission, or "" if nothing is in the way.
func outsiderRule(one, two *person) Rule {
	switch {
	case one.Kind == UserLINE && two.Kind == UserLINE:
		return "LINE-02"
	case one.Kind == UserLINE || two.Kind == UserLINE:
		if one.Kind == UserLINE {
			one, two = two, one
		}
		if one.Kind == UserBot {
			return "LINE-04"
		}
		if !one.linePermitted(one.company) {
			return "LINE-01"
		}
	case one.User.Company != two.User.Company:
		if !one.worksPermitted(one.company) || !two.worksPermitted(two.company) {
			return "ADM-04"
		}
	}
	return ""
}
