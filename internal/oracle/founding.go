package oracle

import "time"

// Founding are the commands that bring a small world into being: company a with
// five members, a bot and a team, company b with three members and a team that is called
// the same, company c without the Core product, and two LINE users.
func Founding() []Command {
	member := func(company, id string, admin bool) User {
		return User{ID: id, Company: company, Kind: Human, Status: Active, Admin: admin, Partners: true, Consumers: true}
	}
	a5 := member("a", "a5", false)
	a5.Partners, a5.Consumers = false, false
	b3 := member("b", "b3", false)
	b3.Partners = false // but all of b may
	return []Command{
		AddCompany{Company{ID: "a", Licensed: true, MembersCreateGroups: true, Partners: Selected, Consumers: Selected, MaxGroups: 4, RecallWindow: 24 * time.Hour}},
		AddCompany{Company{ID: "b", Licensed: true, MembersCreateGroups: true, Partners: All, Consumers: Off, RecallWindow: 24 * time.Hour}},
		AddCompany{Company{ID: "c", MembersCreateGroups: true, Partners: All, Consumers: All}},
		AddUser{member("a", "a1", true)}, AddUser{member("a", "a2", false)}, AddUser{member("a", "a3", false)}, AddUser{member("a", "a4", false)}, AddUser{a5},
		AddUser{User{ID: "abot", Company: "a", Kind: Bot, Status: Active}},
		AddUser{member("b", "b1", true)}, AddUser{member("b", "b2", false)}, AddUser{b3},
		AddUser{member("c", "c1", false)},
		AddUser{User{ID: "l1", Kind: Line, Status: Active}}, AddUser{User{ID: "l2", Kind: Line, Status: Active}},
		SyncTeam{Team: "t", Company: "a", Name: "Team", Leader: "a2", Members: []string{"a2", "a3", "a5"}},
		EditTeam{Team: "t", Company: "a", Room: new(true), Features: new(true), Preset: &Features{Note: true, Folder: true}},
		SyncTeam{Team: "t", Company: "b", Name: "Team", Leader: "b2", Members: []string{"b2", "b3"}},
		EditTeam{Team: "t", Company: "b", Room: new(true)},
	}
}

// FoundingContacts are the external contacts of the small world: of whom, which
// outsiders.
func FoundingContacts() map[string][]string {
	return map[string][]string{
		"a1": {"b1", "b2", "b3", "c1", "l1", "l2"},
		"a2": {"b1", "b2", "l1"},
		"a3": {"b1"},
		"b1": {"a1", "a2", "a3"},
		"b2": {"a1"},
	}
}
