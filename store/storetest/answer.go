package storetest

import (
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// answer is what a store fills in of Facts, in one form: rows in byte order and
// nil for none.
type answer struct {
	Done       *store.Outcome
	Room       roomkit.Room
	Members    []roomkit.Member
	Users      []roomkit.User
	Companies  []roomkit.Company
	Team       roomkit.Team
	NameHolder roomkit.RoomID
	Shared     []store.RoomEntry
	Checkpoint roomkit.Cursor
}

func answerOf(f store.Facts) answer {
	a := answer{
		Room: f.Room, Members: sortMembers(f.Members), Users: sortUsers(f.Users), Companies: sortCompanies(f.Companies),
		Team: cleanTeam(f.Team), NameHolder: f.NameHolder, Shared: own(f.Shared), Checkpoint: f.Checkpoint,
	}
	if f.Room.Version == 0 {
		a.Room = roomkit.Room{}
	}
	if f.Team.Version == 0 {
		a.Team = roomkit.Team{}
	}
	if f.Done != nil {
		done := cleanOutcome(*f.Done)
		a.Done = &done
	}
	return a
}

// answers demands that a need is answered by want and nothing else.
func (k *kit) answers(n store.Need, want answer) {
	k.Helper()
	require.Equal(k, want, answerOf(k.load(n)), "answer to %+v", n)
}

// userRows gives the stored rows of users, in byte order.
func (k *kit) userRows(ids ...roomkit.UserID) (rows []roomkit.User) {
	for _, id := range slices.Sorted(slices.Values(ids)) {
		rows = append(rows, *k.users[id])
	}
	return rows
}

// companyRows gives the stored rows of companies, in byte order.
func (k *kit) companyRows(ids ...roomkit.CompanyID) (rows []roomkit.Company) {
	for _, id := range slices.Sorted(slices.Values(ids)) {
		rows = append(rows, *k.companies[id])
	}
	return rows
}

// rowsOf gives the rows that these people have in the room, in byte order.
func (s *sheet) rowsOf(people ...roomkit.UserID) []roomkit.Member {
	return s.present(func(m roomkit.Member) bool { return slices.Contains(people, m.User) })
}
