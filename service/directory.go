package service

import (
	"context"
	"iter"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/store"
)

// The reads of the directory are for the host, and for its administrators' tools as far
// as the host allows: no policy narrows them.

// User gives a user as the library knows it. One that it does not know is ErrNotFound.
func (s *Service) User(ctx context.Context, id roomkit.UserID) (roomkit.User, error) {
	ctx, asked := s.asks(ctx, "User", roomkit.RoomID{})
	f, err := s.known(ctx, store.Need{People: []roomkit.UserID{id}}, decide.CheckUser("User", id))
	if err == nil && len(f.Users) == 0 {
		err = roomkit.ErrNotFound
	}
	if err = asked.answered(ctx, placed("User", roomkit.RoomID{}, err)); err != nil {
		return roomkit.User{}, err
	}
	return f.Users[0], nil
}

// Company gives a company as the library knows it. One that it does not know is
// ErrNotFound.
func (s *Service) Company(ctx context.Context, id roomkit.CompanyID) (roomkit.Company, error) {
	ctx, asked := s.asks(ctx, "Company", roomkit.RoomID{})
	f, err := s.known(ctx, store.Need{Companies: []roomkit.CompanyID{id}}, checkCompany(id))
	if err == nil && len(f.Companies) == 0 {
		err = roomkit.ErrNotFound
	}
	if err = asked.answered(ctx, placed("Company", roomkit.RoomID{}, err)); err != nil {
		return roomkit.Company{}, err
	}
	return f.Companies[0], nil
}

// Team gives a team of a company as the library knows it, its members included. One that
// it does not know is ErrNotFound.
func (s *Service) Team(ctx context.Context, company roomkit.CompanyID, id roomkit.TeamID) (roomkit.Team, error) {
	ctx, asked := s.asks(ctx, "Team", roomkit.RoomID{})
	bad := checkCompany(company)
	if bad == nil && !id.Valid() {
		bad = &roomkit.Invalid{Field: "Team", Reason: "not a team id"}
	}
	f, err := s.known(ctx, store.Need{Team: roomkit.KeyOfTeam(company, id)}, bad)
	if err == nil && f.Team.Version == 0 {
		err = roomkit.ErrNotFound
	}
	if err = asked.answered(ctx, placed("Team", roomkit.RoomID{}, err)); err != nil {
		return roomkit.Team{}, err
	}
	return f.Team, nil
}

func (s *Service) known(ctx context.Context, n store.Need, bad error) (*decide.Facts, error) {
	if bad != nil {
		return nil, bad
	}
	return s.load(ctx, n)
}

func checkCompany(id roomkit.CompanyID) error {
	if !id.Valid() {
		return &roomkit.Invalid{Field: "Company", Reason: "not a company id"}
	}
	return nil
}

// UserList says which users to list.
type UserList struct {
	Company roomkit.CompanyID // empty: the consumers, who belong to none
	After   PageToken         // begins behind it
	Limit   int               // how many; 0: all, or for a page DefaultPage
}

// Users gives the users of a company in byte order of their ids, deleted ones
// included. One round trip for each part of the list.
func (s *Service) Users(ctx context.Context, q UserList) iter.Seq2[roomkit.User, error] {
	return rows(ctx, s, userList(&q), s.readUsers(q.Company))
}

// UsersPage is one page of [Service.Users].
func (s *Service) UsersPage(ctx context.Context, q UserList) (Page[roomkit.User], error) {
	return page(ctx, s, userList(&q), s.readUsers(q.Company))
}

func userList(q *UserList) list {
	l := list{op: "Users", about: []string{string(q.Company)}, after: q.After, limit: q.Limit, step: hostStep, fits: atUser}
	if q.Company != "" {
		l.bad = checkCompany(q.Company)
	}
	return l
}

func (s *Service) readUsers(company roomkit.CompanyID) reading[roomkit.User] {
	return func(ctx context.Context, from string, step int, yield func(roomkit.User, string) bool) error {
		q := store.UserQuery{Company: company, After: roomkit.UserID(from), Limit: step}
		return each(store.UserPages(ctx, s.store, q), func(u roomkit.User) bool { return yield(u, string(u.ID)) })
	}
}

// TeamList says which teams to list.
type TeamList struct {
	Company roomkit.CompanyID
	After   PageToken // begins behind it
	Limit   int       // how many; 0: all, or for a page DefaultPage
}

// Teams gives the teams of a company in byte order of their ids, with their members. One
// round trip for each part of the list.
func (s *Service) Teams(ctx context.Context, q TeamList) iter.Seq2[roomkit.Team, error] {
	return rows(ctx, s, teamList(&q), s.readTeams(q.Company))
}

// TeamsPage is one page of [Service.Teams].
func (s *Service) TeamsPage(ctx context.Context, q TeamList) (Page[roomkit.Team], error) {
	return page(ctx, s, teamList(&q), s.readTeams(q.Company))
}

func teamList(q *TeamList) list {
	return list{
		op: "Teams", about: []string{string(q.Company)}, after: q.After, limit: q.Limit, step: userStep, fits: atTeam, // they have many members
		bad: checkCompany(q.Company),
	}
}

func (s *Service) readTeams(company roomkit.CompanyID) reading[roomkit.Team] {
	return func(ctx context.Context, from string, step int, yield func(roomkit.Team, string) bool) error {
		q := store.TeamQuery{Company: company, After: roomkit.TeamID(from), Limit: step}
		return each(store.TeamPages(ctx, s.store, q), func(t roomkit.Team) bool { return yield(t, string(t.ID)) })
	}
}

// each yields the rows of pages until it is told to stop.
func each[R any](pages iter.Seq2[[]R, error], yield func(R) bool) error {
	for part, err := range pages {
		if err != nil {
			return err
		}
		for i := range part {
			if !yield(part[i]) {
				return nil
			}
		}
	}
	return nil
}
