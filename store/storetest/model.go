package storetest

import (
	"maps"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// model is the contract written down as plainly as possible: maps of rows, a
// slice of records, and full scans. It is what the machine compares a store
// with. It knows no cursors of its own; mark makes them where it is used as a
// store.
type model struct {
	rooms       map[roomkit.RoomID]roomkit.Room
	members     map[roomkit.RoomID]map[roomkit.UserID]roomkit.Member
	users       map[roomkit.UserID]roomkit.User
	companies   map[roomkit.CompanyID]roomkit.Company
	teams       map[roomkit.TeamID]roomkit.Team
	outcomes    map[roomkit.CommandID]store.Outcome
	checkpoints map[string]roomkit.Cursor
	records     []store.Record
	mark        func(place int) roomkit.Cursor
	unborn      map[store.Expect]bool // what refused changes of this call would have made
}

func newModel(mark func(place int) roomkit.Cursor) *model {
	return &model{
		rooms: map[roomkit.RoomID]roomkit.Room{}, members: map[roomkit.RoomID]map[roomkit.UserID]roomkit.Member{},
		users: map[roomkit.UserID]roomkit.User{}, companies: map[roomkit.CompanyID]roomkit.Company{},
		teams: map[roomkit.TeamID]roomkit.Team{}, outcomes: map[roomkit.CommandID]store.Outcome{},
		checkpoints: map[string]roomkit.Cursor{}, mark: mark,
	}
}

// clone gives a model that goes its own way.
func (m *model) clone() *model {
	members := map[roomkit.RoomID]map[roomkit.UserID]roomkit.Member{}
	for room, rows := range m.members {
		members[room] = maps.Clone(rows)
	}
	return &model{
		rooms: maps.Clone(m.rooms), members: members, users: maps.Clone(m.users),
		companies: maps.Clone(m.companies), teams: maps.Clone(m.teams), outcomes: maps.Clone(m.outcomes),
		checkpoints: maps.Clone(m.checkpoints), records: slices.Clone(m.records), mark: m.mark,
	}
}

// begin begins a call.
func (m *model) begin() { m.unborn = map[store.Expect]bool{} }

// commit does what Commit has to do, for one change.
func (m *model) commit(c store.Change) store.CommitResult {
	r := m.commitOne(c)
	for _, rec := range c.Records {
		made := slices.Contains(m.outcomes[c.Command].Events, store.EventAt{Subject: rec.Subject, Version: rec.Version})
		if at := (store.Expect{Subject: rec.Subject, Version: rec.Version}); r.Err == nil && !r.Repeat {
			delete(m.unborn, at)
		} else if !made && m.unborn != nil {
			m.unborn[at] = true
		}
	}
	return r
}

func (m *model) commitOne(c store.Change) store.CommitResult {
	if first, ok := m.outcomes[c.Command]; ok {
		if first.Digest != c.Digest {
			return store.CommitResult{Err: roomkit.ErrCommandReused}
		}
		return store.CommitResult{Outcome: copyOutcome(first), Repeat: true}
	}
	if !wellFormed(&c) {
		return store.CommitResult{Err: roomkit.ErrInvalid}
	}
	if m.broken(&c) != "" {
		return store.CommitResult{Err: roomkit.ErrConflict}
	}
	return store.CommitResult{Outcome: copyOutcome(m.apply(c.Clone()))}
}

func copyOutcome(o store.Outcome) store.Outcome {
	o.Events = slices.Clone(o.Events)
	return o
}

// broken says what a change relies on that is not so: a version, a tally, a
// checkpoint or a name.
func (m *model) broken(c *store.Change) string {
	for _, e := range c.Expect {
		if m.version(e.Subject) != e.Version || m.unborn[e] {
			return "version"
		}
	}
	for _, t := range c.Tallies {
		if !m.exists(c, t) || m.users[t.User].Groups+m.companies[t.Company].Groups != t.Was {
			return "tally"
		}
	}
	if c.Checkpoint != nil && m.checkpoints[c.Checkpoint.Name] != c.Checkpoint.Was {
		return "checkpoint"
	}
	if !m.namesUnique(c.Rooms) {
		return "name"
	}
	return ""
}

// exists reports whether what a tally counts for is stored or written by c.
func (m *model) exists(c *store.Change, t store.Tally) bool {
	rows, _ := written(c)
	of := roomkit.UserSubject(t.User)
	if t.User == "" {
		of = roomkit.CompanySubject(t.Company)
	}
	_, now := rows[of]
	return now || m.version(of) > 0
}

func (m *model) version(of roomkit.Subject) roomkit.Version {
	switch of.Type {
	case roomkit.SubjectRoom:
		return m.rooms[of.Room].Version
	case roomkit.SubjectUser:
		return m.users[roomkit.UserID(of.ID)].Version
	case roomkit.SubjectCompany:
		return m.companies[roomkit.CompanyID(of.ID)].Version
	case roomkit.SubjectTeam:
		return m.teams[roomkit.TeamID(of.ID)].Version
	}
	return 0
}

// namesUnique reports whether names are unique with these rows written.
func (m *model) namesUnique(written []roomkit.Room) bool {
	if !slices.ContainsFunc(written, func(r roomkit.Room) bool { return r.NameKey != "" }) {
		return true
	}
	rooms := maps.Clone(m.rooms)
	for _, r := range written {
		rooms[r.ID] = r
	}
	held := map[heldName]bool{}
	for _, r := range rooms {
		name := heldName{r.Company, r.NameKey}
		if r.State != roomkit.StateActive || r.NameKey == "" {
			continue
		}
		if held[name] {
			return false
		}
		held[name] = true
	}
	return true
}

// apply writes a change that holds.
func (m *model) apply(c store.Change) store.Outcome {
	for _, r := range c.Rooms {
		m.rooms[r.ID] = r
	}
	for _, row := range c.Members {
		m.putMember(row)
	}
	for _, u := range c.Users {
		u.Groups = m.users[u.ID].Groups
		m.users[u.ID] = u
	}
	for _, company := range c.Companies {
		company.Groups = m.companies[company.ID].Groups
		m.companies[company.ID] = company
	}
	for _, t := range c.Teams {
		m.teams[t.ID] = t
	}
	for _, t := range c.Tallies {
		m.tally(t)
	}
	for _, e := range c.Ended {
		m.end(e)
	}
	if c.Checkpoint != nil {
		m.checkpoints[c.Checkpoint.Name] = c.Checkpoint.Now
	}
	for _, r := range c.Records {
		r.Cursor = m.mark(len(m.records) + 1)
		c.Outcome.Cursor = r.Cursor
		m.records = append(m.records, r)
	}
	m.outcomes[c.Command] = c.Outcome
	return c.Outcome
}

func (m *model) tally(t store.Tally) {
	if t.User != "" {
		u := m.users[t.User]
		u.Groups = t.Now
		m.users[t.User] = u
		return
	}
	c := m.companies[t.Company]
	c.Groups = t.Now
	m.companies[t.Company] = c
}

func (m *model) putMember(row roomkit.Member) {
	if m.members[row.Room] == nil {
		m.members[row.Room] = map[roomkit.UserID]roomkit.Member{}
	}
	m.members[row.Room][row.User] = row
}

func (m *model) end(by store.RoomEnd) {
	for id, row := range m.members[by.Room] {
		if u, ok := m.users[id]; ok && row.Participant && by.Kind.IsGroup() {
			u.Groups--
			m.users[id] = u
		}
		m.members[by.Room][id] = endedRow(row, by)
	}
}
