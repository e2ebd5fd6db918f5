package roomkit

import (
	"fmt"
	"maps"
	"slices"
)

// What every store has to check in the same way stands here, for the stores of
// this project and of others.

// Valid reports whether a subject names a room, a user, a company or a team.
func (s Subject) Valid() bool {
	switch s.Type {
	case SubjectRoom:
		return s.ID == "" && !s.Room.IsZero()
	case SubjectUser, SubjectCompany, SubjectTeam:
		return s.ID != "" && s.Room.IsZero()
	}
	return false
}

// PageSize gives the number of rows of a page for a limit that was asked for; a
// negative one is [ErrInvalid].
func PageSize(limit int) (int, error) {
	switch {
	case limit < 0:
		return 0, invalid("Limit", "is negative")
	case limit == 0:
		return DefaultPage, nil
	}
	return min(limit, MaxPage), nil
}

// Check gives the number of rows of a page, or [ErrInvalid] if the query is
// malformed.
func (q *MemberQuery) Check() (limit int, err error) {
	if q.Which >= memberFilterCount {
		return 0, invalid("Which", "unknown filter")
	}
	return PageSize(q.Limit)
}

// Check gives the number of rows of a page, or [ErrInvalid] if the query is
// malformed.
func (q *RoomQuery) Check() (limit int, err error) {
	selectors := 0
	for _, set := range [...]bool{q.User != "", q.Company != "", len(q.Participants) > 0} {
		if set {
			selectors++
		}
	}
	switch {
	case selectors != 1:
		return 0, invalid("RoomQuery", "needs one of User, Company and Participants")
	case q.Which >= memberFilterCount:
		return 0, invalid("Which", "unknown filter")
	case q.Public && q.Company == "":
		return 0, invalid("Public", "needs Company")
	case q.Exact && len(q.Participants) == 0:
		return 0, invalid("Exact", "needs Participants")
	}
	return PageSize(q.Limit)
}

// Refusals remembers, for one call of Commit, the versions that changes of the
// call would have made if they had not been refused. A later change that was
// decided on such a version must not take one of the same number, which somebody
// else has made meanwhile, for it. The zero value is ready for use.
type Refusals struct{ never map[Expect]struct{} }

// Refuse notes what a change would have made. For a repeat, made are the events of
// its first outcome.
func (r *Refusals) Refuse(c *Change, made []EventAt) {
	for i := range c.Records {
		of, version := c.Records[i].Subject, c.Records[i].Version
		if slices.Contains(made, EventAt{of, version}) {
			continue
		}
		if r.never == nil {
			r.never = map[Expect]struct{}{}
		}
		r.never[Expect{of, version}] = struct{}{}
	}
}

// Store forgets what a change has made.
func (r *Refusals) Store(c *Change) {
	if len(r.never) == 0 {
		return
	}
	for i := range c.Records {
		delete(r.never, Expect{c.Records[i].Subject, c.Records[i].Version})
	}
}

// Check is ErrConflict for a change that relies on what a refused one would have
// made.
func (r *Refusals) Check(c *Change) error {
	if len(r.never) == 0 {
		return nil
	}
	for _, e := range c.Expect {
		if _, ok := r.never[e]; ok {
			return fmt.Errorf("%w: %s as a refused change of the same call would have left it", ErrConflict, e.Subject)
		}
	}
	return nil
}

// Clone gives an independent copy, for a store that may have to judge a call
// again.
func (r *Refusals) Clone() Refusals { return Refusals{maps.Clone(r.never)} }
