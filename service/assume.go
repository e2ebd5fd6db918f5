package service

import (
	"context"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/decide"
)

// assumed are rows that the store does not have yet: what Do would fill in from
// Options.Directory, where nothing may be stored.
type assumed struct {
	users     map[roomkit.UserID]roomkit.User
	companies map[roomkit.CompanyID]roomkit.Company
	told      bool // the directory has told of somebody, who may have been stored meanwhile
}

// assume asks the directory about people as Do does, by the same commands, and keeps
// what these would store.
func (s *Service) assume(ctx context.Context, a *assumed, missing []roomkit.UserID) error {
	return s.fillIn(ctx, missing, func(ctx context.Context, cmds []roomkit.Command) error {
		g := group{}
		a.told = a.told || len(cmds) > 0
		for _, cmd := range cmds {
			j, err := s.newJob(ctx, roomkit.System(), cmd, nil)
			if err != nil {
				return faultOf(ctx, "directory", within(j.wrap(err)))
			}
			j.plan, j.assumed = true, a
			j.begin()
			g.jobs = append(g.jobs, j)
		}
		g.run(ctx, s)
		for _, j := range g.jobs {
			if j.err != nil {
				return faultOf(ctx, "directory", within(j.wrap(j.err)))
			}
			a.add(&j.decision.Rows)
		}
		return nil
	})
}

// add keeps rows that are new. Of two for the same user the first one holds.
func (a *assumed) add(rows *decide.Rows) {
	for _, u := range rows.Users {
		if _, known := a.users[u.ID]; !known {
			put(&a.users, u.ID, u)
		}
	}
	for _, c := range rows.Companies {
		if _, known := a.companies[c.ID]; !known {
			put(&a.companies, c.ID, c)
		}
	}
}

// homes gives the companies of the users, of which the store may know some.
func (a *assumed) homes() (ids []roomkit.CompanyID) {
	for _, u := range a.users {
		if u.Company != "" {
			ids = append(ids, u.Company)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// patch adds to facts who and what was asked for and is absent.
func (a *assumed) patch(f *decide.Facts) {
	if len(a.users)+len(a.companies) == 0 {
		return
	}
	for _, id := range f.Missing() {
		if u, ok := a.users[id]; ok {
			f.Users = append(f.Users, u)
		}
	}
	for _, id := range f.Need.Companies {
		known := slices.ContainsFunc(f.Companies, func(c roomkit.Company) bool { return c.ID == id })
		if c, ok := a.companies[id]; ok && !known {
			f.Companies = append(f.Companies, c)
		}
	}
}
