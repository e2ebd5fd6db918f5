package service

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/internal/enum"
	"github.com/go-roomkit/roomkit/store"
)

// Problem is something about a room that its host should know.
type Problem uint8

// The problems. Commands alone lead to none of them but for the changes of the
// directory that [Service.Enforce] has not carried out yet or that nobody can mend
// by rule: a group that lost its last Group Master waits for an administrator.
const (
	ProblemNone            Problem = iota
	ProblemNoMaster                // nobody manages the group; an administrator of its company may appoint somebody (GRP-04, ADM-19)
	ProblemOwnerAbsent             // nobody of the owning company takes part in the external group any more
	ProblemVoid                    // people are in by the rows whose account or permission has ended (EXT-31, ADM-13, LINE-01)
	ProblemOutsider                // people of another company are where only the owning one's may be (GEN-27, GRP-02, TEAM-07)
	ProblemMasterIdle              // the Group Masters cannot act: suspended, or of a company without a licence (ADM-17, COM-10)
	ProblemNoAdministrator         // nobody manages the group who can act, nor does an administrator of its company, who could appoint somebody
	ProblemNobodyActs              // none of the people who take part can act (ADM-17, COM-10, LINE-01)
	ProblemBarred                  // the parties of the 1:1 room may not talk with each other for lack of a permission (ADM-04, DIR-18)
	problemCount
)

var problemNames = [problemCount]string{
	"none", "no_master", "owner_absent", "void", "outsider", "master_idle", "no_administrator", "nobody_acts", "barred",
}

// String gives a stable name, for instance "no_master".
func (p Problem) String() string { return enum.Name(problemNames[:], p) }

// Finding is one problem of a room.
type Finding struct {
	Problem Problem          `json:"problem,omitzero"`
	People  []roomkit.UserID `json:"people,omitempty"` // because of whom, in byte order, at most MaxPeople of them; none for what nobody is
	Count   int64            `json:"count,omitzero"`   // how many they are
}

// Health looks for what is wrong with a room, by its rows and the directory of this
// moment; nothing means that it is well. It is for hosts and their administrators'
// tools, not for users. A room that does not exist is ErrNotFound; one that has
// ended has no problems.
//
// It pages through the people of the room: two round trips for up to MaxPage of
// them, and one to begin. Of a group that nobody manages who can act it looks for an
// administrator among the people of its company, MaxPage of them at a time. That nobody
// is somewhere it says only after it has looked twice and everybody was as before: people
// come and go between two pages. ErrConflict says that this was never so in
// Options.Attempts looks.
func (s *Service) Health(ctx context.Context, room roomkit.RoomID) ([]Finding, error) {
	ctx, asked := s.asks(ctx, "Health", room)
	found, err := s.health(ctx, room)
	return found, asked.answered(ctx, placed("Health", room, err))
}

func (s *Service) health(ctx context.Context, room roomkit.RoomID) ([]Finding, error) {
	if err := decide.CheckRoom(room); err != nil {
		return nil, err
	}
	var before seen
	for range s.o.Attempts {
		f, err := s.load(ctx, store.Need{Room: room})
		switch {
		case err != nil:
			return nil, err
		case f.Room.Version == 0:
			return nil, roomkit.ErrNotFound
		case f.Room.State != roomkit.StateActive:
			return nil, nil
		}
		e, err := s.examine(ctx, f)
		if err != nil {
			return nil, err
		}
		found := e.findings(f.Room.Kind)
		if !slices.ContainsFunc(found, Finding.ofNobody) || e.seen.equal(&before) {
			return found, nil
		}
		before = e.seen
	}
	return nil, fmt.Errorf("%w: people come and go with every look", roomkit.ErrConflict)
}

// examine looks at the people of a room.
func (s *Service) examine(ctx context.Context, f *decide.Facts) (e examination, err error) {
	room := f.Room.ID
	e = examination{
		void: Finding{Problem: ProblemVoid}, outsiders: Finding{Problem: ProblemOutsider}, idle: Finding{Problem: ProblemMasterIdle},
		barred: f.Barred(),
	}
	e.seen.add(f)
	for part, err := range store.MemberPages(ctx, s.store, store.MemberQuery{Room: room, Limit: roomkit.MaxPage}) {
		if err == nil {
			f, err = s.factsAbout(ctx, room, part)
		}
		if err != nil {
			return e, err
		}
		e.seen.add(f)
		for i := range part {
			e.look(&f.Room, f.Person(part[i].User))
		}
	}
	if f.Room.Kind.IsGroup() && e.managing == 0 {
		e.headless, err = s.withoutAdministrator(ctx, f.Room.Company, &e.seen)
	}
	return e, err
}

// seen is how many changes an examination has seen of what it has looked at: of the users
// all together, as their versions only grow.
type seen struct {
	room      roomkit.Version
	users     roomkit.Version
	companies map[roomkit.CompanyID]roomkit.Version
}

func (s *seen) add(f *decide.Facts) {
	s.room = max(s.room, f.Room.Version)
	for i := range f.Users {
		s.users += f.Users[i].Version
	}
	for i := range f.Companies {
		put(&s.companies, f.Companies[i].ID, f.Companies[i].Version)
	}
}

func (s *seen) equal(before *seen) bool {
	return s.room == before.room && s.users == before.users && maps.Equal(s.companies, before.companies)
}

// withoutAdministrator reports whether no administrator of a company can act.
func (s *Service) withoutAdministrator(ctx context.Context, company roomkit.CompanyID, seen *seen) (bool, error) {
	f, err := s.load(ctx, store.Need{Companies: []roomkit.CompanyID{company}})
	if err != nil {
		return false, err
	}
	for part, err := range store.UserPages(ctx, s.store, store.UserQuery{Company: company, Limit: roomkit.MaxPage}) {
		if err != nil {
			return false, err
		}
		f.Users = part
		seen.add(f)
		for i := range part {
			f.Users = part[i : i+1]
			if part[i].Administrator && decide.CanAct(f, part[i].ID) == nil {
				return false, nil
			}
		}
	}
	return true, nil
}

// examination is what a look at the people of a room has brought so far.
type examination struct {
	seen                   seen
	masters, managing      int64 // Group Masters, and those who can act
	people, acting, owners int64 // who take part, but for bots
	barred, headless       bool
	void, outsiders, idle  Finding
}

func (e *examination) look(room *roomkit.Room, who decide.Person) {
	st, _ := who.Standing(room, &roomkit.Team{})
	switch {
	case st.Has(roomkit.StandingMaster):
		e.masters++
		e.managing++
	case who.Manages(room):
		e.masters++
		e.idle.add(who.ID)
	}
	if who.Kind != roomkit.UserBot && who.Row.Participant {
		e.people++
		if st.Has(roomkit.StandingParticipant) {
			e.acting++
		}
	}
	if who.Row.Participant && !who.ListedIn(room) || who.Row.Master && !who.Manages(room) {
		e.void.add(who.ID)
	}
	switch {
	case !who.TakesPart(room):
	case who.User.Company == room.Company:
		e.owners++
	case who.Kind != roomkit.UserConsumer && slices.Contains([]roomkit.Kind{roomkit.KindGeneral, roomkit.KindGroup, roomkit.KindTeam}, room.Kind):
		e.outsiders.add(who.ID)
	}
}

// ofNobody reports whether a finding says that somebody is missing, which the people of a
// room tell only together.
func (f Finding) ofNobody() bool {
	return f.Problem != ProblemVoid && f.Problem != ProblemOutsider && f.Problem != ProblemBarred
}

func (f *Finding) add(id roomkit.UserID) {
	if f.Count++; f.Count <= roomkit.MaxPeople {
		f.People = append(f.People, id)
	}
}

func (e *examination) findings(kind roomkit.Kind) (list []Finding) {
	note := func(is bool, f Finding) {
		if is {
			list = append(list, f)
		}
	}
	note(kind.IsGroup() && e.masters == 0, Finding{Problem: ProblemNoMaster})
	note(kind == roomkit.KindExternalGroup && e.owners == 0, Finding{Problem: ProblemOwnerAbsent})
	note(e.void.Count > 0, e.void)
	note(e.outsiders.Count > 0, e.outsiders)
	note(e.idle.Count > 0 && e.managing == 0, e.idle)
	note(e.headless, Finding{Problem: ProblemNoAdministrator})
	note(e.people > 0 && e.acting == 0, Finding{Problem: ProblemNobodyActs})
	note(e.barred, Finding{Problem: ProblemBarred})
	return list
}
