package storetest

import (
	"cmp"
	"maps"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// sightings are the ids that a rule has used, whether stored or refused.
type sightings struct {
	rooms       map[roomkit.RoomID]bool
	users       map[roomkit.UserID]bool
	companies   map[roomkit.CompanyID]bool
	teams       map[roomkit.TeamID]bool
	commands    map[roomkit.CommandID]bool
	names       map[heldName]bool
	checkpoints map[string]bool
}

type heldName struct {
	company roomkit.CompanyID
	key     string
}

func newSightings() *sightings {
	return &sightings{
		rooms: map[roomkit.RoomID]bool{}, users: map[roomkit.UserID]bool{},
		companies: map[roomkit.CompanyID]bool{}, teams: map[roomkit.TeamID]bool{},
		commands: map[roomkit.CommandID]bool{}, names: map[heldName]bool{}, checkpoints: map[string]bool{},
	}
}

func (s *sightings) add(changes ...store.Change) {
	for _, c := range changes {
		if !c.Command.IsZero() {
			s.commands[c.Command] = true
		}
		for _, e := range c.Expect {
			s.subject(e.Subject)
		}
		for _, r := range c.Rooms {
			s.rooms[r.ID] = true
			if r.NameKey != "" {
				s.names[heldName{r.Company, r.NameKey}] = true
			}
		}
		for _, m := range c.Members {
			s.rooms[m.Room], s.users[m.User] = true, true
		}
		if c.Checkpoint != nil {
			s.checkpoints[c.Checkpoint.Name] = true
		}
	}
}

func (s *sightings) subject(of roomkit.Subject) {
	switch {
	case of.Type == roomkit.SubjectRoom:
		s.rooms[of.Room] = true
	case of.ID == "":
	case of.Type == roomkit.SubjectUser:
		s.users[roomkit.UserID(of.ID)] = true
	case of.Type == roomkit.SubjectCompany:
		s.companies[roomkit.CompanyID(of.ID)] = true
	case of.Type == roomkit.SubjectTeam:
		s.teams[roomkit.TeamID(of.ID)] = true
	}
}

func (s *sightings) people() []roomkit.UserID { return slices.Sorted(maps.Keys(s.users)) }

// picture is all that a store tells about the ids that a rule has used.
type picture struct {
	Rooms       map[roomkit.RoomID]roomkit.Room
	Members     map[roomkit.RoomID][]roomkit.Member
	Users       []roomkit.User
	Companies   []roomkit.Company
	Teams       map[roomkit.TeamID]roomkit.Team
	Holders     map[heldName]roomkit.RoomID
	Checkpoints map[string]roomkit.Cursor
	Outcomes    map[roomkit.CommandID]store.Outcome
	Feed        []store.Record
}

// picture reads everything, with one Load and the feed.
func (k *kit) picture() picture {
	k.Helper()
	p := picture{
		Rooms: map[roomkit.RoomID]roomkit.Room{}, Members: map[roomkit.RoomID][]roomkit.Member{},
		Teams: map[roomkit.TeamID]roomkit.Team{}, Holders: map[heldName]roomkit.RoomID{},
		Checkpoints: map[string]roomkit.Cursor{}, Outcomes: map[roomkit.CommandID]store.Outcome{},
	}
	people := k.seen.people()
	needs := []store.Need{{People: people, Companies: slices.Collect(maps.Keys(k.seen.companies))}}
	take := []func(store.Facts){func(f store.Facts) { p.Users, p.Companies = sortUsers(f.Users), sortCompanies(f.Companies) }}
	ask := func(n store.Need, then func(store.Facts)) { needs, take = append(needs, n), append(take, then) }
	for id := range k.seen.rooms {
		ask(store.Need{Room: id, People: people}, func(f store.Facts) { p.Rooms[id], p.Members[id] = f.Room, sortMembers(f.Members) })
	}
	for id := range k.seen.teams {
		ask(store.Need{Team: id}, func(f store.Facts) { p.Teams[id] = cleanTeam(f.Team) })
	}
	for n := range k.seen.names {
		ask(store.Need{Name: n.key, Company: n.company}, func(f store.Facts) { p.Holders[n] = f.NameHolder })
	}
	for name := range k.seen.checkpoints {
		ask(store.Need{Checkpoint: name}, func(f store.Facts) { p.Checkpoints[name] = f.Checkpoint })
	}
	for id := range k.seen.commands {
		ask(store.Need{Command: id}, func(f store.Facts) {
			if f.Done != nil {
				p.Outcomes[id] = cleanOutcome(*f.Done)
			}
		})
	}
	for i, f := range k.loads(needs...) {
		take[i](f)
	}
	p.Feed = k.feed("")
	return p
}

// The functions below bring what a store returns into one form: without an
// order where none is promised, and with nil for empty slices.

func sortMembers(rows []roomkit.Member) []roomkit.Member {
	return sorted(rows, func(a, b roomkit.Member) int { return cmp.Compare(a.User, b.User) })
}

func sortUsers(rows []roomkit.User) []roomkit.User {
	return sorted(rows, func(a, b roomkit.User) int { return cmp.Compare(a.ID, b.ID) })
}

func sortCompanies(rows []roomkit.Company) []roomkit.Company {
	return sorted(rows, func(a, b roomkit.Company) int { return cmp.Compare(a.ID, b.ID) })
}

func sorted[T any](rows []T, order func(a, b T) int) []T {
	rows = own(rows)
	slices.SortFunc(rows, order)
	return rows
}

func cleanTeam(t roomkit.Team) roomkit.Team {
	t.Members = own(t.Members)
	return t
}

func cleanOutcome(o store.Outcome) store.Outcome {
	o.Events = own(o.Events)
	return o
}

func cleanRecords(records []store.Record) []store.Record {
	records = slices.Clone(records)
	for i := range records {
		records[i].Data = own(records[i].Data)
	}
	return records
}

// own copies a slice, because a store may wrongly have kept it.
func own[T any](s []T) []T {
	if len(s) == 0 {
		return nil
	}
	return slices.Clone(s)
}
