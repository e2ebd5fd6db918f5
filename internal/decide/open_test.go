package decide

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

// A room opens in many ways, and the same rules hold for all of them. The towns below
// are a few people of each kind, with the rooms out of which others can be opened; each
// town is otherwise in one respect, or in two.

// town is people of two companies and consumers, with rooms of some of them.
func town(t testing.TB) *world {
	member := func(id roomkit.UserID, company roomkit.CompanyID) roomkit.User {
		return roomkit.User{ID: id, Company: company, Kind: roomkit.UserMember, Status: roomkit.StatusActive, Partners: true, Consumers: true}
	}
	bot := func(id roomkit.UserID, company roomkit.CompanyID) roomkit.User {
		return roomkit.User{ID: id, Company: company, Kind: roomkit.UserBot, Status: roomkit.StatusActive}
	}
	line := func(id roomkit.UserID) roomkit.User {
		return roomkit.User{ID: id, Kind: roomkit.UserConsumer, Status: roomkit.StatusActive}
	}
	company := func(id roomkit.CompanyID) roomkit.Company {
		return roomkit.Company{ID: id, Licensed: true, MembersCreateGroups: true, Partners: roomkit.ExternalSelected, Consumers: roomkit.ExternalSelected}
	}
	head := member("adm", "acme")
	head.Administrator = true
	w := newWorld([]roomkit.Company{company("acme"), company("bolt")}, []roomkit.User{
		head, member("ann", "acme"), member("ben", "acme"), bot("robo", "acme"), bot("robot", "acme"),
		member("gus", "bolt"), bot("hal", "bolt"), line("lin"), line("lou"),
	})
	crew := roomkit.Team{ID: "crew", Version: 1, Company: "acme", Name: "crew", Leader: "ann", Members: []roomkit.UserID{"ann", "ben"}, Room: true}
	w.teams["acme crew"] = crew
	crew.ID, crew.Leader, crew.Members = "bots", "", []roomkit.UserID{"robo", "robot"}
	w.teams["acme bots"] = crew
	for i, open := range []struct {
		actor roomkit.UserID
		cmd   roomkit.Command
	}{
		{"ann", roomkit.OpenDirect{With: "ben"}}, {"ann", roomkit.OpenDirect{With: "gus"}}, {"lin", roomkit.OpenDirect{With: "ann"}},
		{"robo", roomkit.OpenDirect{With: "ann"}},
		{"ann", anew("ben", "robo")}, {"ann", anew("ben", "lin")},
	} {
		d, err := w.decide(townRules(), roomkit.By(open.actor), open.cmd, roomkit.RoomID{0xa, byte(i)})
		require.NoError(t, err, "%+v", open.cmd)
		require.True(t, w.commit(&d))
	}
	return w
}

func townRules() *roomkit.Rules { return roomkit.NewRules(roomkit.Policy{AnyoneIsContact: true}) }

func anew(people ...roomkit.UserID) roomkit.CreateRoom {
	return roomkit.CreateRoom{People: people, AllowDuplicate: true, Name: map[bool]string{true: "n"}[len(people) > 1]}
}

// respect is what is otherwise in a town.
type respect struct {
	name   string
	change func(w *world)
}

func respects() (list []respect) {
	company := func(name string, id roomkit.CompanyID, change func(c *roomkit.Company)) {
		list = append(list, respect{string(id) + " " + name, func(w *world) { c := w.companies[id]; change(&c); w.companies[id] = c }})
	}
	user := func(name string, id roomkit.UserID, change func(u *roomkit.User)) {
		list = append(list, respect{string(id) + " " + name, func(w *world) { u := w.users[id]; change(&u); w.users[id] = u }})
	}
	company("lets only administrators create groups", "acme", func(c *roomkit.Company) { c.MembersCreateGroups = false })
	company("has all groups", "acme", func(c *roomkit.Company) { c.Groups, c.MaxGroups = 7, 7 })
	for _, id := range []roomkit.CompanyID{"acme", "bolt"} {
		company("has no licence", id, func(c *roomkit.Company) { c.Licensed = false })
		company("talks with no partners", id, func(c *roomkit.Company) { c.Partners = roomkit.ExternalOff })
		company("talks with no consumers", id, func(c *roomkit.Company) { c.Consumers = roomkit.ExternalOff })
	}
	for _, id := range []roomkit.UserID{"ann", "ben", "gus"} {
		user("talks with no partners", id, func(u *roomkit.User) { u.Partners = false })
		user("talks with no consumers", id, func(u *roomkit.User) { u.Consumers = false })
		user("is in all groups", id, func(u *roomkit.User) { u.Groups = 2000 })
	}
	for _, id := range []roomkit.UserID{"ann", "ben", "gus", "robo", "lin"} {
		user("is suspended", id, func(u *roomkit.User) { u.Status = roomkit.StatusSuspended })
		user("is deleted", id, func(u *roomkit.User) { u.Status, u.Ended = roomkit.StatusDeleted, u.Version+1 })
	}
	for _, pair := range [][2]roomkit.UserID{{"ann", "ben"}, {"ann", "gus"}, {"ann", "lin"}, {"ann", "robo"}} {
		for _, gone := range pair {
			list = append(list, respect{fmt.Sprint(gone, " has left ", pair), func(w *world) { w.takeOut(roomkit.DirectRoom(pair[0], pair[1]), gone) }})
		}
	}
	return list
}

// takeOut is somebody leaving a room.
func (w *world) takeOut(room roomkit.RoomID, who roomkit.UserID) {
	r, rows := w.rooms[room], maps.Clone(w.rows[room])
	m := rows[who]
	m.Participant, r.Participants = false, r.Participants-1
	rows[who], w.rooms[room], w.rows[room] = m, r, rows
}

// towns are the town as it is, in each respect otherwise, and in the long run in each two.
func towns(t testing.TB) map[string]*world {
	all, base := map[string]*world{}, town(t)
	otherwise := func(changes ...respect) {
		w, names := *base, []string{}
		w.users, w.companies, w.rooms, w.rows = maps.Clone(base.users), maps.Clone(base.companies), maps.Clone(base.rooms), maps.Clone(base.rows)
		for _, c := range changes {
			c.change(&w)
			names = append(names, c.name)
		}
		all[cmp.Or(strings.Join(names, ", "), "as it is")] = &w
	}
	otherwise()
	list := respects()
	for i, one := range list {
		otherwise(one)
		for _, two := range list[:i] {
			if long {
				otherwise(two, one)
			}
		}
	}
	return all
}

// groupsOf are all groups of up to so many people.
func groupsOf(people []roomkit.UserID, most int) (all [][]roomkit.UserID) {
	all = [][]roomkit.UserID{nil}
	for _, u := range people {
		for _, some := range all {
			if len(some) < most {
				all = append(all, append(slices.Clone(some), u))
			}
		}
	}
	return all[1:]
}

// openings are the commands that may open a room of so many people besides the actor.
func openings(w *world, most int) (list []roomkit.Command) {
	list = append(list, roomkit.OpenSelf{}, roomkit.OpenTeamRoom{Team: "crew", Company: "acme"}, roomkit.OpenTeamRoom{Team: "bots", Company: "acme"})
	for _, some := range groupsOf(w.everybody, most) {
		list = append(list, anew(some...))
		if len(some) == 1 {
			list = append(list, roomkit.OpenDirect{With: some[0]})
		}
		if len(some) > 2 {
			continue
		}
		list = append(list, roomkit.CreateGroup{Name: "g", Members: some}, roomkit.CreateExternalGroup{Name: "g", Members: some},
			roomkit.CreateGroup{Name: "g", Members: some, Masters: []roomkit.UserID{"ann"}, ForOthers: true},
			roomkit.CreateExternalGroup{Name: "g", Members: some, Masters: []roomkit.UserID{"gus"}, ForOthers: true})
		for _, room := range slices.SortedFunc(maps.Keys(w.rooms), func(a, b roomkit.RoomID) int { return slices.Compare(a[:], b[:]) }) {
			list = append(list, roomkit.Invite{Room: room, People: some, Name: "n"})
		}
	}
	for id, r := range w.rooms {
		if r.Kind == roomkit.KindGeneral {
			list = append(list, roomkit.Convert{Room: id, To: roomkit.KindGroup, Name: "g"}, roomkit.Convert{Room: id, To: roomkit.KindExternalGroup, Name: "g"})
		}
	}
	return list
}

// begun is a room that a command has opened or converted.
type begun struct {
	room      roomkit.Room
	people    []roomkit.UserID // who take part
	masters   []roomkit.UserID
	converted bool
}

func (b *begun) without(who roomkit.UserID) []roomkit.UserID {
	return slices.DeleteFunc(slices.Clone(b.people), func(id roomkit.UserID) bool { return id == who })
}

// opens gives the room that a decision opens, or nil.
func opens(d *Decision) *begun {
	is := func(e roomkit.Event) bool {
		switch e.(type) {
		case *roomkit.RoomCreated, *roomkit.RoomConverted:
			return true
		}
		return false
	}
	if !slices.ContainsFunc(d.Events, is) {
		return nil
	}
	b := &begun{room: d.Rows.Rooms[0], converted: !d.Opens}
	for _, m := range d.Rows.Members {
		if m.Participant {
			b.people = append(b.people, m.User)
		}
		if m.Master {
			b.masters = append(b.masters, m.User)
		}
	}
	slices.Sort(b.people)
	return b
}

// wrong says what the rules have against a room that somebody has opened, whichever way.
// It is stated here anew and asks nothing of what is tested.
func (w *world) wrong(b *begun, by roomkit.Actor) (faults []string) {
	fault := func(is bool, text string) {
		if is {
			faults = append(faults, text)
		}
	}
	permitted := func(mode roomkit.ExternalMode, own bool) bool {
		return mode == roomkit.ExternalAll || mode == roomkit.ExternalSelected && own
	}
	kind, creator, owner := b.room.Kind, w.users[by.User()], w.companies[b.room.Company]
	counts := map[roomkit.UserKind]int{}
	for _, id := range slices.Concat(b.people, b.masters) {
		u := w.users[id]
		home, foreign := w.companies[u.Company], u.Company != owner.ID
		counts[u.Kind]++
		stays := b.converted || kind == roomkit.KindTeam // what they are already
		fault(u.Status == roomkit.StatusDeleted || u.Status == roomkit.StatusSuspended && !stays, "ADM-17 "+string(id))
		fault(u.Kind != roomkit.UserConsumer && !home.Licensed, "COM-10 "+string(id))
		fault(kind == roomkit.KindGeneral && foreign && u.Kind != roomkit.UserConsumer, "CRE-11 "+string(id))
		fault((kind == roomkit.KindGroup || kind == roomkit.KindTeam || kind == roomkit.KindSelf) && foreign, "GRP-02 "+string(id))
		if kind == roomkit.KindExternalGroup {
			fault(u.Kind != roomkit.UserMember, "EXT-03 EXT-04 "+string(id))
			fault(!permitted(home.Partners, u.Partners), "EXT-30 EXT-33 "+string(id))
		}
		fault(kind.IsGroup() && u.Groups >= 2000 && slices.Contains(b.people, id), "CRE-45 "+string(id))
	}
	for _, id := range b.people {
		if u := w.users[id]; counts[roomkit.UserConsumer] > 0 {
			fault(u.Kind == roomkit.UserBot, "LINE-04 "+string(id))
			fault(u.Kind == roomkit.UserMember && !permitted(w.companies[u.Company].Consumers, u.Consumers), "LINE-01 "+string(id))
		}
	}
	fault(owner.ID == "" || !owner.Licensed, "COM-10 of a company without a licence, or of none")
	fault(counts[roomkit.UserBot] == len(b.people)+len(b.masters), "COM-09 CRE-51 of bots only")
	fault(by.IsSystem() && kind != roomkit.KindTeam, "CRE-30 by the system")
	switch {
	case kind == roomkit.KindGeneral:
		fault(len(b.people) < 3, "GEN-29 of two")
		fault(creator.Kind == roomkit.UserConsumer, "LINE-02 by a consumer")
		fault(owner.ID != creator.Company, "of another company than its creator")
	case kind.IsGroup():
		fault(creator.Kind != roomkit.UserMember, "CRE-36 CRE-37 by a bot or a consumer")
		fault(!owner.MembersCreateGroups && !creator.Administrator, "CRE-36 CRE-37")
		fault(owner.MaxGroups > 0 && owner.Groups >= owner.MaxGroups, "LIM-01")
		fault(owner.ID != creator.Company, "of another company than its creator")
		fault(kind == roomkit.KindExternalGroup && !permitted(owner.Partners, creator.Partners), "CRE-38")
		fault(len(b.masters) == 0 || b.room.Name == "", "CRE-51")
	case kind == roomkit.KindDirect:
		one, two := w.users[b.people[0]], w.users[b.people[1]]
		fault(len(b.people) != 2 || one.Kind == roomkit.UserConsumer && two.Kind == roomkit.UserConsumer, "DIR-01 LINE-02")
		partners := one.Company != "" && two.Company != "" && one.Company != two.Company
		both := permitted(w.companies[one.Company].Partners, one.Partners) && permitted(w.companies[two.Company].Partners, two.Partners)
		fault(partners && !both, "ADM-04")
	}
	return faults
}

// otherWays are other commands by which the same people can open the same room.
func otherWays(b *begun, by roomkit.Actor) []roomkit.Command {
	others := b.without(by.User())
	switch b.room.Kind {
	case roomkit.KindDirect:
		return []roomkit.Command{roomkit.OpenDirect{With: others[0]}, anew(others[0])}
	case roomkit.KindGeneral:
		return []roomkit.Command{anew(others...)}
	case roomkit.KindGroup:
		return []roomkit.Command{roomkit.CreateGroup{Name: "other", Members: others}}
	case roomkit.KindExternalGroup:
		return []roomkit.Command{roomkit.CreateExternalGroup{Name: "other", Members: others}}
	}
	return nil
}

// TestNoWayAround tries every command that opens a room, by everybody, in every town: no
// room opens that the rules have anything against, and none that the same person could not
// open with the same people in another way. In the long run towns are otherwise in two
// respects.
func TestNoWayAround(t *testing.T) {
	rules, opened, scratch := townRules(), map[string]int{}, new(Scratch)
	alike := []roomkit.UserID{"robot", "hal", "lou"} // to others, who act
	for name, w := range towns(t) {
		most := 2
		if name == "as it is" || long {
			most = 3
		}
		for _, m := range by(w, func(roomkit.Actor) []roomkit.Command { return openings(w, most) }) {
			if slices.Contains(alike, m.actor.User()) {
				continue
			}
			d, err := w.decideIn(scratch, rules, m.actor, m.cmd, theRoom)
			if err != nil {
				continue
			}
			b := opens(&d)
			if b == nil {
				continue
			}
			opened[roomkit.CommandName(m.cmd)+" "+b.room.Kind.String()]++
			if faults := w.wrong(b, m.actor); len(faults) > 0 {
				require.Fail(t, "a room opens that the rules forbid", "town: %s; %s makes a %s of %s: %s", name, m, b.room.Kind, b.people, faults)
			}
			if b.converted || slices.ContainsFunc(b.masters, func(id roomkit.UserID) bool { return id != m.actor.User() }) {
				continue // suspended people stay where they are; and who creates for others takes no part
			}
			for _, cmd := range otherWays(b, m.actor) {
				again, err := w.decide(rules, m.actor, cmd, theRoom)
				require.NoError(t, err, "town: %s; %s is done, but not %#v", name, m, cmd)
				require.Equal(t, b.people, opens(&again).people)
				require.Equal(t, b.room.Kind, opens(&again).room.Kind)
			}
		}
	}
	for _, way := range []string{
		"OpenSelf self", "OpenDirect direct", "CreateRoom direct", "CreateRoom general", "CreateRoom external_group", "CreateGroup group",
		"CreateExternalGroup external_group", "OpenTeamRoom team", "Invite general", "Invite external_group", "Convert group", "Convert external_group",
	} {
		require.Positive(t, opened[way], way)
	}
	t.Log(opened)
}

// TestCreationRules: a rule about new rooms refuses every way in which one opens, by the
// same name.
func TestCreationRules(t *testing.T) {
	crowd := func(w *world) (people []roomkit.UserID) {
		for i := range 101 {
			u := w.users["ben"]
			u.ID = roomkit.UserID(fmt.Sprintf("p%03d", i))
			w.users[u.ID], people = u, append(people, u.ID)
		}
		w.everybody = slices.Sorted(maps.Keys(w.users))
		return people
	}
	change := func(w *world, what ...string) {
		for _, r := range respects() {
			if slices.Contains(what, r.name) {
				r.change(w)
			}
		}
	}
	general, withLine := roomkit.RoomID{0xa, 4}, roomkit.RoomID{0xa, 5}
	toGus, toLin, toRobo := roomkit.DirectRoom("ann", "gus"), roomkit.DirectRoom("ann", "lin"), roomkit.DirectRoom("ann", "robo")
	invite := func(room roomkit.RoomID, people ...roomkit.UserID) roomkit.Command {
		return roomkit.Invite{Room: room, People: people, Name: "n"}
	}
	group := func(people ...roomkit.UserID) roomkit.Command { return roomkit.CreateGroup{Name: "g", Members: people} }
	external := func(people ...roomkit.UserID) roomkit.Command {
		return roomkit.CreateExternalGroup{Name: "g", Members: people}
	}
	convert := func(to roomkit.Kind) roomkit.Command { return roomkit.Convert{Room: general, To: to, Name: "g"} }
	for name, tt := range map[string]struct {
		rule  roomkit.Rule
		by    roomkit.UserID
		town  []string
		ways  []roomkit.Command
		named int // how many of the crowd the ways name besides
	}{
		"a consumer makes no room of several people": {"LINE-02", "lin", nil, []roomkit.Command{anew("ann", "lou"), invite(toLin, "lou"), invite(toLin, "ben")}, 0},
		"nor when the other one has left":            {"LINE-02", "lin", []string{"ann has left [ann lin]"}, []roomkit.Command{anew("lou", "ben"), invite(toLin, "lou", "ben")}, 0},
		"a consumer makes no group":                  {"CRE-36", "lin", nil, []roomkit.Command{group("ann")}, 0},
		"a bot names at most a hundred":              {"CRE-48", "robo", nil, []roomkit.Command{roomkit.CreateRoom{Name: "n", AllowDuplicate: true}, roomkit.Invite{Room: toRobo}}, 101},
		"nor beside those who come along":            {"CRE-48", "robo", nil, []roomkit.Command{roomkit.Invite{Room: toRobo}}, 100},
		"a bot makes no group with outsiders":        {"CRE-37", "robo", nil, []roomkit.Command{anew("ann", "gus"), external("gus"), invite(toRobo, "gus"), invite(general, "gus")}, 0},
		"the company lets administrators alone": {
			"CRE-37", "ann", []string{"acme lets only administrators create groups"},
			[]roomkit.Command{anew("ben", "gus"), external("gus"), invite(toGus, "ben"), invite(general, "gus"), convert(roomkit.KindExternalGroup)}, 0,
		},
		"and of its own members": {"CRE-36", "ann", []string{"acme lets only administrators create groups"}, []roomkit.Command{group("ben"), convert(roomkit.KindGroup)}, 0},
		"the creator lacks the permission": {
			"CRE-38", "ann", []string{"ann talks with no partners"},
			[]roomkit.Command{anew("ben", "gus"), external("gus"), invite(general, "gus"), convert(roomkit.KindExternalGroup)}, 0,
		},
		"the company has all groups": {
			"LIM-01", "ann", []string{"acme has all groups"},
			[]roomkit.Command{anew("ben", "gus"), group("ben"), external("gus"), invite(toGus, "ben"), invite(general, "gus"), convert(roomkit.KindGroup), convert(roomkit.KindExternalGroup)}, 0,
		},
		"somebody is in all groups": {
			"CRE-45", "ann", []string{"gus is in all groups", "ben is in all groups"},
			[]roomkit.Command{anew("adm", "gus"), group("ben"), external("gus"), invite(toGus, "ben"), invite(general, "gus"), convert(roomkit.KindGroup), convert(roomkit.KindExternalGroup)}, 0,
		},
		"consumers and partners do not mix":         {"CRE-46", "ann", nil, []roomkit.Command{anew("lin", "gus"), invite(toGus, "lin"), invite(toLin, "gus"), invite(general, "lin", "gus"), invite(withLine, "gus")}, 0},
		"no bots beside consumers":                  {"LINE-04", "ann", nil, []roomkit.Command{anew("lin", "robo"), invite(toLin, "robo"), invite(withLine, "robo")}, 0},
		"a member may not talk with consumers":      {"LINE-01", "ann", []string{"ben talks with no consumers"}, []roomkit.Command{anew("lin", "ben"), invite(toLin, "ben")}, 0},
		"a partner may not talk with others":        {"EXT-33", "ann", []string{"gus talks with no partners"}, []roomkit.Command{anew("ben", "gus"), external("gus"), invite(general, "gus")}, 0},
		"suspended people are not chosen":           {"ADM-17", "ann", []string{"ben is suspended"}, []roomkit.Command{anew("ben", "adm"), anew("ben", "gus"), group("ben"), external("ben"), invite(toGus, "ben"), invite(toRobo, "ben")}, 0},
		"nor who has no licence":                    {"COM-10", "ann", []string{"bolt has no licence"}, []roomkit.Command{anew("gus"), anew("ben", "gus"), external("gus"), invite(general, "gus"), roomkit.OpenDirect{With: "gus"}}, 0},
		"bots alone":                                {"COM-09", "robo", nil, []roomkit.Command{anew("robot"), roomkit.OpenDirect{With: "robot"}}, 0},
		"nor as a team":                             {"COM-09", "adm", nil, []roomkit.Command{roomkit.OpenTeamRoom{Team: "bots"}}, 0},
		"bots alone, whom people have left":         {"GEN-29", "robo", []string{"ann has left [ann robo]"}, []roomkit.Command{invite(toRobo, "robot")}, 0},
		"two people":                                {"GEN-29", "ann", []string{"gus has left [ann gus]"}, []roomkit.Command{invite(toGus, "ben")}, 0},
		"two people, as the other one is suspended": {"GEN-29", "ann", []string{"gus is suspended"}, []roomkit.Command{invite(toGus, "ben")}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := town(t)
			people := crowd(w)[:tt.named]
			change(w, tt.town...)
			for _, cmd := range tt.ways {
				if tt.named > 0 {
					cmd, _ = With(cmd, people...)
					if c, ok := cmd.(roomkit.CreateRoom); ok {
						c.Name = "n"
						cmd = c
					}
				}
				_, err := w.decide(townRules(), roomkit.By(tt.by), cmd, theRoom)
				var no *roomkit.Denied
				require.ErrorAs(t, err, &no, "%T", cmd)
				require.Equal(t, tt.rule, no.Rule, "%#v: %v", cmd, no)
			}
		})
	}
}

// TestSystemOpensForLicensedCompanies: COM-10 is about the room, whoever opens it.
func TestSystemOpensForLicensedCompanies(t *testing.T) {
	w, cmd := town(t), roomkit.OpenTeamRoom{Team: "crew", Company: "acme"}
	_, err := w.decide(townRules(), roomkit.System(), cmd, theRoom)
	require.NoError(t, err)
	acme := w.companies["acme"]
	acme.Licensed = false
	w.companies["acme"] = acme
	_, err = w.decide(townRules(), roomkit.System(), cmd, theRoom)
	var no *roomkit.Denied
	require.ErrorAs(t, err, &no)
	require.Equal(t, roomkit.Rule("COM-10"), no.Rule)
}

// TestBotInvitesMany: what limits a bot that opens a room (CRE-48) does not limit one that
// invites into its room.
func TestBotInvitesMany(t *testing.T) {
	w := town(t)
	var people []roomkit.UserID
	for i := range 101 {
		u := w.users["ben"]
		u.ID = roomkit.UserID(fmt.Sprintf("p%03d", i))
		w.users[u.ID], people = u, append(people, u.ID)
	}
	w.everybody = slices.Sorted(maps.Keys(w.users))
	d, err := w.decide(townRules(), roomkit.By("robo"), roomkit.Invite{Room: roomkit.RoomID{0xa, 4}, People: people}, theRoom)
	require.NoError(t, err)
	require.Len(t, d.Rows.Members, 101)
}
