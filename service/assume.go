package service

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/store"
)

// assumed is what Options.Directory has said of people who may be unknown to the store.
// A command is decided with them as if they were stored; they are stored only if the
// command is carried out.
type assumed struct {
	users     map[roomkit.UserID]roomkit.User // as given
	companies map[roomkit.CompanyID]roomkit.Company
}

// askHost asks the directory about people, and who of them is a contact of the actor. It
// does the same for those whom the store knows and for those who do not exist.
func (s *Service) askHost(ctx context.Context, actor *decide.Person, ask *decide.Ask, a *assumed) (contacts []roomkit.UserID, err error) {
	slices.Sort(ask.About)
	if s.o.Directory != nil {
		if err := s.askDirectory(ctx, ask.About, a); err != nil {
			return nil, err
		}
	}
	if !ask.Contacts {
		return nil, nil
	}
	home := actor.User.Company
	outsiders := slices.DeleteFunc(slices.Clone(ask.About), func(id roomkit.UserID) bool {
		return home != "" && a.users[id].Company == home
	})
	if len(outsiders) == 0 {
		return nil, nil
	}
	known, err := s.o.Contacts(ctx, actor.ID, slices.Clone(outsiders))
	if err != nil {
		return nil, faultOf(ctx, "contacts", err)
	}
	asked := make(map[roomkit.UserID]bool, len(outsiders))
	for _, id := range outsiders {
		asked[id] = true
	}
	return slices.DeleteFunc(slices.Clone(known), func(id roomkit.UserID) bool { return !asked[id] }), nil
}

// askDirectory keeps of what the directory answers the users asked for, and their
// companies. Of two rows for the same the first one holds.
func (s *Service) askDirectory(ctx context.Context, about []roomkit.UserID, a *assumed) error {
	for ids := range slices.Chunk(about, roomkit.MaxPeople) {
		users, companies, err := s.o.Directory.Users(ctx, slices.Clone(ids))
		if err != nil {
			return faultOf(ctx, "directory", err)
		}
		asked, homes := make(map[roomkit.UserID]bool, len(ids)), map[roomkit.CompanyID]bool{}
		for _, id := range ids {
			asked[id] = true
		}
		for _, u := range users {
			if _, twice := a.users[u.ID]; asked[u.ID] && !twice {
				homes[u.Company] = true
				put(&a.users, u.ID, u)
			}
		}
		for _, c := range companies {
			if _, twice := a.companies[c.ID]; homes[c.ID] && !twice {
				put(&a.companies, c.ID, c)
			}
		}
	}
	return nil
}

// homes gives the companies of the users, of which the store may know some.
func (a *assumed) homes() (ids []roomkit.CompanyID) {
	for _, u := range a.users {
		if u.Company.Valid() {
			ids = append(ids, u.Company)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// filling is the commands that add who and what is assumed.
type filling struct{ companies, users []roomkit.Command }

func (f *filling) empty() bool { return len(f.companies)+len(f.users) == 0 }

// patch adds to facts who was asked for and is absent, as AddCompany and AddUser would,
// and says which of these that takes. What these refuse is the directory's fault.
func (s *Service) patch(ctx context.Context, a *assumed, f *decide.Facts) (fill filling, err error) {
	if len(a.users) == 0 {
		return fill, nil
	}
	add := func(cmd roomkit.Command) (decide.Rows, error) { // of who is absent, so that others do not matter
		decision, err := decide.Decide(s.rules, &decide.Facts{Facts: store.Facts{Companies: f.Companies}}, roomkit.System(), cmd, s.o.Clock())
		if err != nil {
			err = faultOf(ctx, "directory", fmt.Errorf("%s: %w", roomkit.CommandName(cmd), err))
		}
		return decision.Rows, err
	}
	missing := f.Missing() // some of them twice
	slices.Sort(missing)
	for _, id := range slices.Compact(missing) {
		u, ok := a.users[id]
		if !ok {
			continue
		}
		home, ok := a.companies[u.Company]
		known := slices.ContainsFunc(f.Companies, func(c roomkit.Company) bool { return c.ID == u.Company })
		if ok && !known {
			rows, err := add(roomkit.AddCompany{Company: home})
			if err != nil {
				return fill, err
			}
			f.Companies = append(f.Companies, rows.Companies...)
			fill.companies = append(fill.companies, roomkit.AddCompany{Company: home})
		}
		rows, err := add(roomkit.AddUser{User: u})
		if err != nil {
			return fill, err
		}
		f.Users = append(f.Users, rows.Users...)
		fill.users = append(fill.users, roomkit.AddUser{User: u})
	}
	return fill, nil
}

// provision stores what a command takes for known that is to be carried out.
func (s *Service) provision(ctx context.Context, fill *filling) error {
	for _, cmds := range [...][]roomkit.Command{fill.companies, fill.users} {
		results := s.each(cmds, func(i int) (*job, error) { return s.newJob(ctx, roomkit.System(), cmds[i], nil) })
		for _, r := range results {
			switch err := within(r.Err); {
			case r.Err == nil:
			case errors.Is(err, roomkit.ErrInvalid) || errors.Is(err, roomkit.ErrDenied):
				return faultOf(ctx, "directory", err)
			default: // the store's
				return fmt.Errorf("directory: %w", err)
			}
		}
	}
	return nil
}
