package decide

import (
	"slices"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// Facts are what a decision knows: what a store has answered, and what only the
// service can tell. Whoever is absent from them has a zero row, which every rule
// refuses.
type Facts struct {
	store.Facts
	Need     store.Need       // what the store was asked for
	NewRoom  roomkit.RoomID   // the id of the room this command may create
	Contacts []roomkit.UserID // outsiders known to be contacts of the actor (EXT-32)
	Earlier  *Facts           // of a first look at another room, on which the decision relies, too

	MaxDrift     time.Duration               // by how much clocks may differ
	HasDirectory bool                        // the host can be asked who is not known
	HasContacts  bool                        // the host can be asked who is a contact
	Asked        []roomkit.UserID            // about whom the host has been asked already
	SharedWhole  bool                        // Shared has more than a store gives at once
	Looked       map[roomkit.RoomID]LookedAt // of Shared
	Before       map[roomkit.RoomID]bool     // of Shared: read before the rest, and not looked at since
	Moved        bool                        // one of these has changed meanwhile

	doubts [4]*doubts // by class of rooms

	users index // into Users
	rows  index // into Members

	// The rows of whoever is absent. They stay zero.
	noUser    roomkit.User
	noCompany roomkit.Company
	noRow     roomkit.Member
}

// Row gives the row of a user in Room.
func (f *Facts) Row(id roomkit.UserID) roomkit.Member { return *f.row(id) }

// Person gathers what is known of somebody; the ID is empty if there is no such user.
func (f *Facts) Person(id roomkit.UserID) Person {
	u := f.user(id)
	return Person{User: u, company: f.company(u.Company), Row: f.row(id)}
}

// Missing gives the people asked for whom the store does not know.
func (f *Facts) Missing() (missing []roomkit.UserID) {
	for _, id := range f.Need.People {
		if f.user(id).ID == "" {
			missing = append(missing, id)
		}
	}
	return missing
}

// allListed reports whether Room is active and everybody asked for is listed in it.
func (f *Facts) allListed() bool {
	for _, id := range f.Need.People {
		if who := f.Person(id); !who.ListedIn(&f.Room) {
			return false
		}
	}
	return f.Room.State == roomkit.StateActive
}

// Named gives the room that the command named or led to first: a decision that asks
// for another one keeps what it knew of it in Earlier.
func (f *Facts) Named() *roomkit.Room {
	if f.Earlier != nil && !f.Earlier.Need.Room.IsZero() {
		return f.Earlier.Named()
	}
	return &f.Room
}

// Same reports whether another answer to the same need is of the same versions. Nothing of
// what is known can go, and what is not there is only assumed to be.
func (f *Facts) Same(other *store.Facts) bool {
	was, now := f.Versions(nil), (&Facts{Facts: *other, Need: f.Need}).Versions(nil)
	return !slices.ContainsFunc(now, func(e store.Expect) bool { return !slices.Contains(was, e) })
}

// VersionOf gives the version of a company, a user or the team of the facts; of others
// that of the room named.
func (f *Facts) VersionOf(s roomkit.Subject) roomkit.Version {
	switch s.Type {
	case roomkit.SubjectCompany:
		return f.company(roomkit.CompanyID(s.ID)).Version
	case roomkit.SubjectUser:
		return f.user(roomkit.UserID(s.ID)).Version
	case roomkit.SubjectTeam:
		return f.Team.Version
	default:
		return f.Named().Version
	}
}

// nobody is who acts for the system.
func (f *Facts) nobody() Person { return Person{User: &f.noUser, company: &f.noCompany, Row: &f.noRow} }

func (f *Facts) company(id roomkit.CompanyID) *roomkit.Company {
	for i := range f.Companies {
		if f.Companies[i].ID == id {
			return &f.Companies[i]
		}
	}
	return &f.noCompany
}

func (f *Facts) user(id roomkit.UserID) *roomkit.User {
	if i := find(&f.users, f.Users, id, idOf); i >= 0 {
		return &f.Users[i]
	}
	return &f.noUser
}

func (f *Facts) row(id roomkit.UserID) *roomkit.Member {
	if i := find(&f.rows, f.Members, id, userOf); i >= 0 {
		return &f.Members[i]
	}
	return &f.noRow
}

func idOf(u *roomkit.User) roomkit.UserID     { return u.ID }
func userOf(m *roomkit.Member) roomkit.UserID { return m.User }

// index finds rows by their user, so that a command that names hundreds stays linear.
// It is made when many rows are first looked for.
type index map[roomkit.UserID]int

const indexFrom = 16

// find gives the place of a user's row, or -1. Rows may be appended between calls.
func find[R any](ix *index, rows []R, id roomkit.UserID, of func(*R) roomkit.UserID) int {
	if len(rows) < indexFrom {
		for i := range rows {
			if of(&rows[i]) == id {
				return i
			}
		}
		return -1
	}
	if len(*ix) < len(rows) {
		*ix = make(index, 2*len(rows))
		for i := range rows {
			(*ix)[of(&rows[i])] = i
		}
	}
	if i, ok := (*ix)[id]; ok {
		return i
	}
	return -1
}

func (f *Facts) isContact(id roomkit.UserID) bool { return slices.Contains(f.Contacts, id) }

// Barred reports whether the two parties of a 1:1 room may not talk for lack of
// a permission on either side (DIR-18, ADM-04).
func (f *Facts) Barred() bool {
	if f.Room.Kind != roomkit.KindDirect {
		return false
	}
	one, two := f.Person(f.Room.Parties[0]), f.Person(f.Room.Parties[1])
	return outsiderRule(&one, &two) != ""
}

// denied makes a refusal. It names the room that was asked for, whether or not there is
// one.
func (f *Facts) denied(actor roomkit.Actor, rule roomkit.Rule, action roomkit.Action, reason string, people ...roomkit.UserID) error {
	d := &roomkit.Denied{Rule: rule, Action: action, Actor: actor, Room: f.Need.Room, People: sorted(people), Reason: reason}
	for _, id := range d.People {
		d.Against = append(d.Against, roomkit.Refusal{User: id, Rule: rule, Reason: reason})
	}
	return d
}
