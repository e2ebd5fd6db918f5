package decide

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/enum"
	"github.com/go-roomkit/roomkit/internal/sample"
	"github.com/go-roomkit/roomkit/store"
)

// world is a whole installation in a few maps: facts for the pure core without a
// store, small enough to be copied at every step.
type world struct {
	rooms     map[roomkit.RoomID]roomkit.Room
	rows      map[roomkit.RoomID]map[roomkit.UserID]roomkit.Member
	users     map[roomkit.UserID]roomkit.User
	companies map[roomkit.CompanyID]roomkit.Company
	teams     map[roomkit.TeamKey]roomkit.Team
	everybody []roomkit.UserID // of users, in byte order
	main      roomkit.RoomID   // the room that is explored
}

var worldTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func newWorld(companies []roomkit.Company, users []roomkit.User) *world {
	w := &world{
		rooms: map[roomkit.RoomID]roomkit.Room{}, rows: map[roomkit.RoomID]map[roomkit.UserID]roomkit.Member{},
		users: map[roomkit.UserID]roomkit.User{}, companies: map[roomkit.CompanyID]roomkit.Company{}, teams: map[roomkit.TeamKey]roomkit.Team{},
	}
	for _, c := range companies {
		c.Version = 1
		w.companies[c.ID] = c
	}
	for _, u := range users {
		u.Version = 1
		w.users[u.ID] = u
	}
	w.everybody = slices.Sorted(maps.Keys(w.users))
	return w
}

// copyFor copies what a decision changes; the rest is shared.
func (w *world) copyFor(d *Decision) *world {
	next, r := *w, &d.Rows
	if len(r.Rooms) > 0 {
		next.rooms = maps.Clone(w.rooms)
	}
	if len(r.Members)+len(r.Ended) > 0 {
		next.rows = make(map[roomkit.RoomID]map[roomkit.UserID]roomkit.Member, len(w.rows))
		for id, people := range w.rows {
			next.rows[id] = maps.Clone(people)
		}
	}
	if len(r.Users)+len(r.Tallies) > 0 {
		next.users = maps.Clone(w.users)
	}
	if len(r.Companies)+len(r.Tallies) > 0 {
		next.companies = maps.Clone(w.companies)
	}
	if len(r.Teams) > 0 {
		next.teams = maps.Clone(w.teams)
	}
	return &next
}

func (w *world) answer(n store.Need, newRoom roomkit.RoomID) *Facts {
	f := &Facts{Need: n, NewRoom: newRoom}
	f.Room = w.rooms[n.Room]
	rows := w.rows[n.Room]
	f.Team = w.teams[n.Team]
	leader := f.Team.Leader
	if n.Team == "" && f.Room.Kind == roomkit.KindTeam {
		f.Team = w.teams[roomkit.KeyOfTeam(f.Room.Company, f.Room.Team)]
	}
	for _, id := range w.everybody {
		m, has := rows[id]
		comes := n.Everybody && m.Participant || (n.Everybody || n.Masters) && m.Master
		if !comes && id != leader && !slices.Contains(n.People, id) && !slices.Contains(f.Room.Parties[:], id) {
			continue
		}
		if has {
			f.Members = append(f.Members, m)
		}
		u := w.users[id]
		f.Users = append(f.Users, u)
		w.addCompany(f, u.Company)
	}
	w.addCompany(f, f.Room.Company)
	for _, id := range n.Companies {
		w.addCompany(f, id)
	}
	for id, r := range w.rooms {
		if n.Name != "" && r.NameKey == n.Name && r.Company == n.Company && r.State == roomkit.StateActive {
			f.NameHolder = id
		}
	}
	return f
}

func (w *world) addCompany(f *Facts, id roomkit.CompanyID) {
	if c, ok := w.companies[id]; ok && !slices.ContainsFunc(f.Companies, func(c roomkit.Company) bool { return c.ID == id }) {
		f.Companies = append(f.Companies, c)
	}
}

// decide runs a command to its decision, as the service does.
func (w *world) decide(rules *roomkit.Rules, actor roomkit.Actor, cmd roomkit.Command, newRoom roomkit.RoomID) (Decision, error) {
	return w.decideIn(new(Scratch), rules, actor, cmd, newRoom)
}

func (w *world) decideIn(s *Scratch, rules *roomkit.Rules, actor roomkit.Actor, cmd roomkit.Command, newRoom roomkit.RoomID) (Decision, error) {
	if err := Check(actor, cmd); err != nil {
		return Decision{}, err
	}
	need := Need(actor, cmd)
	var first *Facts
	for {
		f := w.answer(need, newRoom)
		f.Earlier = first
		d, err := s.Decide(rules, f, actor, cmd, worldTime)
		if d.Need == nil {
			return d, err
		}
		if d.Need.Room != need.Room {
			first = f
		}
		need = *d.Need
	}
}

func (w *world) version(s roomkit.Subject) roomkit.Version {
	switch s.Type {
	case roomkit.SubjectRoom:
		return w.rooms[s.Room].Version
	case roomkit.SubjectUser:
		return w.users[roomkit.UserID(s.ID)].Version
	case roomkit.SubjectCompany:
		return w.companies[roomkit.CompanyID(s.ID)].Version
	case roomkit.SubjectTeam:
		return w.teams[roomkit.TeamKey(s.ID)].Version
	}
	return 0
}

// commit compares what the decision relied on and writes its rows; it reports
// whether it did.
func (w *world) commit(d *Decision) bool {
	for _, e := range d.Relied {
		if w.version(e.Subject) != e.Version {
			return false
		}
	}
	for _, r := range d.Rows.Rooms {
		w.rooms[r.ID] = r
	}
	for _, m := range d.Rows.Members {
		if w.rows[m.Room] == nil {
			w.rows[m.Room] = map[roomkit.UserID]roomkit.Member{}
		}
		w.rows[m.Room][m.User] = m
	}
	for _, u := range d.Rows.Users {
		w.users[u.ID] = u
	}
	for _, c := range d.Rows.Companies {
		w.companies[c.ID] = c
	}
	for _, t := range d.Rows.Teams {
		w.teams[roomkit.KeyOfTeam(t.Company, t.ID)] = t
	}
	for _, end := range d.Rows.Ended {
		w.end(end)
	}
	for _, t := range d.Rows.Tallies {
		if t.User != "" {
			u := w.users[t.User]
			u.Groups = t.Now
			w.users[t.User] = u
		} else {
			c := w.companies[t.Company]
			c.Groups = t.Now
			w.companies[t.Company] = c
		}
	}
	return true
}

func (w *world) end(end store.RoomEnd) {
	for id, m := range w.rows[end.Room] {
		if m.Participant || m.Master {
			m.Participant, m.Master = false, false
			m.Left, m.LeftAt, m.LeftVersion, m.LeftBy = end.Cause, end.At, end.Version, end.By
			w.rows[end.Room][id] = m
		}
	}
}

func (w *world) person(room roomkit.RoomID, id roomkit.UserID) Person {
	u := w.users[id]
	company, row := w.companies[u.Company], w.rows[room][id]
	return Person{User: &u, company: &company, Row: &row}
}

func smallUsers() ([]roomkit.Company, []roomkit.User) {
	return []roomkit.Company{
			{ID: "acme", Licensed: true, MembersCreateGroups: true, Partners: roomkit.ExternalSelected},
			{ID: "bolt", Licensed: true, Partners: roomkit.ExternalAll},
		}, []roomkit.User{
			{ID: "ann", Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Partners: true},
			{ID: "ben", Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Partners: true},
			{ID: "cat", Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Administrator: true},
			{ID: "dan", Company: "bolt", Kind: roomkit.UserMember, Status: roomkit.StatusActive},
		}
}

func started(t testing.TB, actor roomkit.UserID, cmd roomkit.Command, id roomkit.RoomID) *world {
	companies, users := smallUsers()
	return startedWith(t, newWorld(companies, users), actor, cmd, id)
}

func startedWith(t testing.TB, w *world, actor roomkit.UserID, cmd roomkit.Command, id roomkit.RoomID) *world {
	d, err := w.decide(roomkit.NewRules(roomkit.Policy{AnyoneIsContact: true}), roomkit.By(actor), cmd, id)
	require.NoError(t, err)
	require.True(t, w.commit(&d))
	w.main = d.Room
	return w
}

// smallWorlds are rooms of every kind in a world of four people.
func smallWorlds(t testing.TB) map[string]*world {
	companies, users := smallUsers()
	withTeam := newWorld(companies, users)
	withTeam.teams["acme crew"] = roomkit.Team{ID: "crew", Version: 1, Company: "acme", Name: "crew", Leader: "ann", Members: []roomkit.UserID{"ann", "ben", "cat"}, Room: true}
	return map[string]*world{
		"self":   started(t, "ann", roomkit.OpenSelf{}, roomkit.RoomID{}),
		"direct": started(t, "ann", roomkit.OpenDirect{With: "ben"}, roomkit.RoomID{}),
		"general": started(t, "ann", roomkit.CreateRoom{
			People: []roomkit.UserID{"ben", "cat"}, Audience: roomkit.AudienceMembers, AllowDuplicate: true,
		}, theRoom),
		"group": started(t, "ann", roomkit.CreateGroup{Name: "g", Members: []roomkit.UserID{"ben"}}, theRoom),
		"external": started(t, "ann", roomkit.CreateExternalGroup{
			Name: "g", Members: []roomkit.UserID{"ben", "dan"},
		}, theRoom),
		"team": startedWith(t, withTeam, "ann", roomkit.OpenTeamRoom{Team: "crew", Company: "acme"}, roomkit.RoomID{}),
	}
}

// worldOf is a room in a world of some of the four people.
func worldOf(t testing.TB, master roomkit.UserID, cmd roomkit.Command, ids ...roomkit.UserID) *world {
	companies, users := smallUsers()
	kept := slices.DeleteFunc(users, func(u roomkit.User) bool { return !slices.Contains(ids, u.ID) })
	return startedWith(t, newWorld(companies, kept), master, cmd, theRoom)
}

func groupOfTwo(t testing.TB) *world {
	return worldOf(t, "ann", roomkit.CreateGroup{Name: "g", Members: []roomkit.UserID{"ben"}}, "ann", "ben")
}

func externalOfTwo(t testing.TB) *world {
	return worldOf(t, "ann", roomkit.CreateExternalGroup{Name: "g", Members: []roomkit.UserID{"dan"}}, "ann", "dan")
}

type move struct {
	actor roomkit.Actor
	cmd   roomkit.Command
}

func (m move) String() string { return fmt.Sprintf("%s: %#v", m.actor, m.cmd) }

// by gives the moves of everybody, and of the system.
func by(w *world, commands func(roomkit.Actor) []roomkit.Command) (list []move) {
	actors := []roomkit.Actor{roomkit.System()}
	for _, id := range w.everybody {
		actors = append(actors, roomkit.By(id))
	}
	for _, a := range actors {
		for _, c := range commands(a) {
			list = append(list, move{a, c})
		}
	}
	return list
}

// peopleMoves change who takes part, who is a master, and what the room is.
func peopleMoves(w *world) []move {
	room, people := w.main, w.everybody
	on, off := true, false
	list := []roomkit.Command{
		roomkit.Leave{Room: room}, roomkit.DeleteRoom{Room: room}, roomkit.Convert{Room: room, To: roomkit.KindGroup, Name: "g"}, roomkit.Convert{Room: room, To: roomkit.KindExternalGroup, Name: "g"},
		roomkit.Edit{Room: room, Message: &off}, roomkit.Edit{Room: room, Message: &on},
	}
	for i, u := range people {
		list = append(list, roomkit.HandOver{Room: room, To: u})
		for _, v := range people[i:] {
			some := slices.Compact([]roomkit.UserID{u, v})
			list = append(list, roomkit.Invite{Room: room, People: some, Name: "n"}, roomkit.Remove{Room: room, People: some},
				roomkit.AppointMasters{Room: room, People: some}, roomkit.DismissMasters{Room: room, People: some})
		}
	}
	return by(w, func(roomkit.Actor) []roomkit.Command { return list })
}

// sweepMoves are those of the sweep, which alone may make them.
func sweepMoves(w *world) []move {
	return by(w, func(roomkit.Actor) []roomkit.Command {
		return []roomkit.Command{roomkit.Expel{Room: w.main, People: w.everybody, Cause: roomkit.CausePermission}, roomkit.Expel{Room: w.main, People: w.everybody, Cause: roomkit.CauseAccount}}
	})
}

// settingMoves change what no rule of membership looks at, or open other rooms. Commands
// about the room that no list has come from package sample.
func settingMoves(w *world) []move {
	room := w.main
	list := []roomkit.Command{roomkit.DeleteFeatureData{Room: room, Features: roomkit.Features(roomkit.FeatureNote)}, roomkit.OpenSelf{}, roomkit.OpenTeamRoom{Team: "crew", Company: "acme"}, roomkit.CreateGroup{Name: "h"}}
	for _, on := range []*bool{new(bool), ptr(true)} {
		list = append(list, roomkit.Edit{Room: room, Public: on}, roomkit.Edit{Room: room, HistorySharing: on}, roomkit.Edit{Room: room, Notify: on},
			roomkit.Edit{Room: room, Note: on}, roomkit.Edit{Room: room, Event: on}, roomkit.Edit{Room: room, Task: on}, roomkit.Edit{Room: room, Folder: on},
			roomkit.Edit{Room: room, MailingList: on}, roomkit.Edit{Room: room, WithholdFeatures: on})
	}
	for _, text := range []string{"", "other"} {
		list = append(list, roomkit.Edit{Room: room, Name: &text}, roomkit.Edit{Room: room, Photo: &text}, roomkit.Edit{Room: room, Description: &text})
	}
	for _, cmd := range sample.OfRooms(room, w.everybody[0]) {
		if !movesHave(cmd, peopleMoves(w), sweepMoves(w), by(w, func(roomkit.Actor) []roomkit.Command { return list })) {
			list = append(list, cmd)
		}
	}
	return by(w, func(a roomkit.Actor) []roomkit.Command {
		others := slices.DeleteFunc(slices.Clone(w.everybody), func(id roomkit.UserID) bool { return id == a.User() })
		mine := slices.Clone(list)
		for i, id := range others {
			two := []roomkit.UserID{id, others[(i+1)%len(others)]}
			mine = append(mine, roomkit.OpenDirect{With: id}, roomkit.CreateExternalGroup{Name: "x", Members: others[i : i+1]},
				roomkit.CreateRoom{People: two, Audience: roomkit.AudienceMembers, AllowDuplicate: true}, roomkit.CreateRoom{People: two, Audience: roomkit.AudienceExternal, AllowDuplicate: true})
		}
		return mine
	})
}

// movesHave reports whether one of the moves makes a command of the same type.
func movesHave(cmd roomkit.Command, lists ...[]move) bool {
	return slices.ContainsFunc(slices.Concat(lists...), func(m move) bool { return roomkit.CommandName(m.cmd) == roomkit.CommandName(cmd) })
}

// permissions are about the permission to talk with outsiders and about the end
// of accounts, on which membership depends.
func permissions(w *world) (list []roomkit.Command) {
	for _, u := range w.everybody {
		list = append(list,
			roomkit.SetUserMessaging{User: u, With: roomkit.OutsiderPartner, Allow: new(false)}, roomkit.SetUserMessaging{User: u, With: roomkit.OutsiderPartner, Allow: new(true)},
			roomkit.DeleteUser{User: u}, roomkit.RestoreUser{User: u})
	}
	for _, c := range slices.Sorted(maps.Keys(w.companies)) {
		for _, mode := range enum.Values(roomkit.ExternalOff) {
			list = append(list, roomkit.SetCompanyMessaging{Company: c, With: roomkit.OutsiderPartner, Mode: new(mode)})
		}
	}
	return list
}

// directory are all commands about people, companies and teams.
func directory(w *world) []roomkit.Command {
	list := permissions(w)
	for _, id := range w.everybody {
		u := w.users[id]
		u.Status = roomkit.StatusActive
		list = append(list, roomkit.SuspendUser{User: id}, roomkit.SuspendUser{User: id, Lift: true}, roomkit.AddUser{User: u},
			roomkit.EditUser{User: id, Administrator: new(!u.Administrator)})
	}
	list = append(list, roomkit.AddCompany{Company: roomkit.Company{ID: "corp"}},
		roomkit.AddUser{User: roomkit.User{ID: "zed", Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}})
	for _, id := range slices.Sorted(maps.Keys(w.companies)) {
		list = append(list, roomkit.AddCompany{Company: w.companies[id]}, roomkit.EditCompany{Company: id, MembersCreateGroups: new(bool)}, roomkit.EditCompany{Company: id, Licensed: new(false)})
	}
	if crew, ok := w.teams["acme crew"]; ok {
		chart := roomkit.SyncTeam{Team: crew.ID, Company: crew.Company, Name: crew.Name, Leader: crew.Leader, Members: crew.Members, Seq: crew.SyncedSeq}
		for i := range crew.Members {
			smaller := chart
			smaller.Members = slices.Delete(slices.Clone(crew.Members), i, i+1)
			list = append(list, smaller)
		}
		list = append(list, chart, roomkit.EditTeam{Team: crew.ID, Company: crew.Company, Room: new(!crew.Room), Features: new(!crew.Features)})
	}
	return list
}

// bySystem gives the moves of the system.
func bySystem(commands []roomkit.Command) (list []move) {
	for _, c := range commands {
		list = append(list, move{roomkit.System(), c})
	}
	return list
}

func ptr[T any](v T) *T { return &v }
