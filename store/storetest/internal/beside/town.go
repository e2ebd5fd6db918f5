package beside

import (
	"context"
	"slices"

	"github.com/go-roomkit/roomkit"
)

// town is the directory of a history, as it begins. One of its people is known to
// the host alone until a command names them.
type town struct {
	companies []roomkit.Company
	users     []roomkit.User
	teams     []roomkit.Team
	late      roomkit.User
}

func newTown() town {
	member := func(id roomkit.UserID, company roomkit.CompanyID) roomkit.User {
		return roomkit.User{ID: id, Company: company, Kind: roomkit.UserMember, Status: roomkit.StatusActive, Partners: true, Consumers: true}
	}
	head := func(id roomkit.UserID, company roomkit.CompanyID) roomkit.User {
		u := member(id, company)
		u.Administrator = true
		return u
	}
	insider := member("a", "x")
	insider.Partners = false
	bot := member("_bot", "x")
	bot.Kind, bot.Partners, bot.Consumers = roomkit.UserBot, false, false
	line := func(id roomkit.UserID) roomkit.User {
		return roomkit.User{ID: id, Kind: roomkit.UserConsumer, Status: roomkit.StatusActive}
	}
	return town{
		companies: []roomkit.Company{
			{ID: "x", Licensed: true, MembersCreateGroups: true, Partners: roomkit.ExternalSelected, Consumers: roomkit.ExternalAll},
			{ID: "y", Licensed: true, MembersCreateGroups: true, Partners: roomkit.ExternalAll, Consumers: roomkit.ExternalSelected, MaxGroups: 4},
			{ID: "Z", Licensed: true, Partners: roomkit.ExternalSelected},
		},
		users: []roomkit.User{
			head("B", "x"), member("10", "x"), member("9", "x"), insider, bot,
			head("C", "y"), member("c", "y"), member("c2", "y"), head("D", "Z"), member("d", "Z"), line("_1"), line("l2"),
		},
		teams: []roomkit.Team{
			{ID: "t", Company: "x", Name: "Team", Leader: "10", Members: []roomkit.UserID{"10", "9", "a"}, Room: true, Features: true},
			{ID: "t", Company: "y", Name: "Other team", Leader: "c", Members: []roomkit.UserID{"c", "C"}, Room: true},
		},
		late: member("late", "x"),
	}
}

// Users is the directory of the host, which knows more people than the store.
func (w *town) Users(_ context.Context, ids []roomkit.UserID) ([]roomkit.User, []roomkit.Company, error) {
	if slices.Contains(ids, w.late.ID) {
		return []roomkit.User{w.late}, w.companies[:1], nil
	}
	return nil, nil, nil
}

// contacts knows some outsiders of everybody's.
func (*town) contacts(_ context.Context, _ roomkit.UserID, outsiders []roomkit.UserID) ([]roomkit.UserID, error) {
	return slices.DeleteFunc(slices.Clone(outsiders), func(u roomkit.UserID) bool { return u == "c2" || u == "l2" }), nil
}

// settle stores the directory and some rooms to begin with.
func (h *history) settle() {
	step := 0
	give := func(actor roomkit.Actor, c roomkit.Command) {
		step--
		h.begin(step)
		h.give(order{actor: actor, cmds: []roomkit.Command{c}})
	}
	for _, c := range h.world.companies {
		give(roomkit.System(), roomkit.AddCompany{Company: c})
	}
	for _, u := range h.world.users {
		give(roomkit.System(), roomkit.AddUser{User: u})
	}
	for _, t := range h.world.teams {
		give(roomkit.System(), roomkit.SyncTeam{Team: t.ID, Company: t.Company, Name: t.Name, Leader: t.Leader, Members: t.Members})
		give(roomkit.System(), roomkit.EditTeam{Team: t.ID, Company: t.Company, Room: &t.Room, Features: &t.Features})
	}
	give(roomkit.By("10"), roomkit.CreateRoom{People: []roomkit.UserID{"9", "a"}, Audience: roomkit.AudienceMembers, AllowDuplicate: true})
	give(roomkit.By("9"), roomkit.CreateGroup{Name: "Ops", Members: []roomkit.UserID{"a", "_bot"}, Settings: roomkit.GroupSettings{Public: true}})
	give(roomkit.By("C"), roomkit.CreateExternalGroup{Name: "Joint", Members: []roomkit.UserID{"c", "10", "B"}})
}

// people are all that a command can name.
func (w *town) people() []roomkit.UserID {
	return append([]roomkit.UserID{w.late.ID}, w.those(func(roomkit.User) bool { return true })...)
}

// of gives the people of a company; the empty one stands for consumers.
func (w *town) of(company roomkit.CompanyID) []roomkit.UserID {
	return w.those(func(u roomkit.User) bool { return u.Company == company })
}

func (w *town) those(are func(roomkit.User) bool) (ids []roomkit.UserID) {
	for _, u := range w.users {
		if are(u) {
			ids = append(ids, u.ID)
		}
	}
	return ids
}

func (w *town) user(id roomkit.UserID) roomkit.User {
	if i := slices.IndexFunc(w.users, func(u roomkit.User) bool { return u.ID == id }); i >= 0 {
		return w.users[i]
	}
	return w.late
}

// head is the administrator of a company, or of the first one.
func (w *town) head(company roomkit.CompanyID) roomkit.UserID {
	return append(w.those(func(u roomkit.User) bool { return u.Company == company && u.Administrator }), w.users[0].ID)[0]
}
