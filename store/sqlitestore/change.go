package sqlitestore

import (
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func invalid(field, reason string) error { return &roomkit.Invalid{Field: field, Reason: reason} }

// checkForm checks a change without looking at the database: what every store
// demands, and what these tables cannot hold.
func checkForm(c *store.Change) error {
	if err := c.Check(); err != nil {
		return err
	}
	f := form{c}
	if err := f.enums(); err != nil {
		return err
	}
	return f.ids()
}

type form struct{ *store.Change }

// enums demands values that have a name to be stored by.
func (f form) enums() error {
	known := true
	for i := range f.Rooms {
		r := &f.Rooms[i]
		known = known && r.Kind.String() != unknownName && r.State.String() != unknownName && r.Origin.String() != unknownName
	}
	for i := range f.Members {
		m := &f.Members[i]
		known = known && m.Kind.String() != unknownName && m.Joined.String() != unknownName && m.Left.String() != unknownName
	}
	for i := range f.Ended {
		known = known && f.Ended[i].Cause.String() != unknownName
	}
	for i := range f.Users {
		known = known && f.Users[i].Kind.String() != unknownName && f.Users[i].Status.String() != unknownName
	}
	for i := range f.Companies {
		known = known && f.Companies[i].Works.String() != unknownName && f.Companies[i].LINE.String() != unknownName
	}
	if !known {
		return invalid("Change", "a value that has no name")
	}
	return nil
}

// ids demands ids that a pack can hold as they are.
func (f form) ids() error {
	bad := false
	has := func(id string) { bad = bad || strings.ContainsFunc(id, unpackable) }
	for i := range f.Rooms {
		r := &f.Rooms[i]
		for _, id := range [...]string{string(r.Company), string(r.Team), string(r.Creator), string(r.Parties[0]), string(r.Parties[1])} {
			has(id)
		}
	}
	for i := range f.Members {
		has(string(f.Members[i].User))
		has(string(f.Members[i].Company))
		has(f.Members[i].LeftBy.String())
	}
	for i := range f.Users {
		has(string(f.Users[i].Company))
	}
	for i := range f.Ended {
		has(f.Ended[i].By.String())
	}
	if bad {
		return invalid("Change", "an id with a comma, a quote, a backslash or a control character")
	}
	return nil
}
