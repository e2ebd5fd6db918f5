package roomkit

import (
	"context"
	"slices"
)

// Problem is something about a room that its host should know.
type Problem uint8

// The problems. Commands alone lead to none of them but for the changes of the
// directory that [Service.Enforce] has not carried out yet or that nobody can mend
// by rule: a group that lost its last Group Master waits for an administrator.
const (
	ProblemNone        Problem = iota
	ProblemNoMaster            // nobody manages the group; an administrator of its company may appoint somebody (GRP-04, ADM-19)
	ProblemOwnerAbsent         // nobody of the owning company takes part in the external group any more (AMB-05)
	ProblemVoid                // people are in by the rows whose account or permission has ended (EXT-31, ADM-13, LINE-01)
	ProblemOutsider            // people of another company are where only the owning one's may be (GEN-27, GRP-02, TEAM-07)
	problemCount
)

var problemNames = [problemCount]string{"none", "no_master", "owner_absent", "void", "outsider"}

// String gives a stable name, for instance "no_master".
func (p Problem) String() string { return enumName(problemNames[:], int(p)) }

// Finding is one problem of a room.
type Finding struct {
	Problem Problem
	People  []UserID // because of whom, in byte order, at most MaxPeople of them; none for what nobody is
	Count   int64    // how many they are
}

// Health looks for what is wrong with a room, by its rows and the directory of this
// moment; nothing means that it is well. It is for hosts and their administrators'
// tools, not for users. A room that does not exist is [ErrNotFound]; one that has
// ended has no problems.
//
// It pages through the people of the room: two round trips for up to MaxPage of
// them, and one to begin.
func (s *Service) Health(ctx context.Context, room RoomID) ([]Finding, error) {
	found, err := s.health(ctx, room)
	if err != nil {
		return nil, &Error{Op: "Health", Room: room, Err: err}
	}
	return found, nil
}

func (s *Service) health(ctx context.Context, room RoomID) ([]Finding, error) {
	if err := checkRoom(room); err != nil {
		return nil, err
	}
	facts, err := ask(ctx, s.store, []Need{{Room: room}})
	switch {
	case err != nil:
		return nil, err
	case facts[0].Room.Version == 0:
		return nil, ErrNotFound
	case facts[0].Room.State != StateActive:
		return nil, nil
	}
	e := examination{}
	q := MemberQuery{Room: room, Limit: MaxPage}
	for {
		f, people, err := s.presentPeople(ctx, q)
		if err != nil {
			return nil, err
		}
		if len(people) == 0 {
			return e.findings(facts[0].Room.Kind), nil
		}
		for _, id := range people {
			e.look(&f.Room, f.person(id))
		}
		q.After = people[len(people)-1]
	}
}

// examination is what a look at the people of a room has brought so far.
type examination struct {
	masters, owners int64
	void, outsiders Finding
}

func (e *examination) look(room *Room, who person) {
	own := who.User.Company == room.Company
	if who.manages(room) {
		e.masters++
	}
	if who.row.Participant && !who.shows(room) || who.row.Master && !who.manages(room) {
		e.void.add(who.ID)
	}
	if !who.takesPart(room) {
		return
	}
	if own {
		e.owners++
	}
	if !own && who.Kind != UserLINE && slices.Contains([]Kind{KindGeneral, KindGroup, KindTeam}, room.Kind) {
		e.outsiders.add(who.ID)
	}
}

func (f *Finding) add(id UserID) {
	if f.Count++; f.Count <= MaxPeople {
		f.People = append(f.People, id)
	}
}

func (e *examination) findings(kind Kind) (list []Finding) {
	if kind.IsGroup() && e.masters == 0 {
		list = append(list, Finding{Problem: ProblemNoMaster})
	}
	if kind == KindExternalGroup && e.owners == 0 {
		list = append(list, Finding{Problem: ProblemOwnerAbsent})
	}
	e.void.Problem, e.outsiders.Problem = ProblemVoid, ProblemOutsider
	for _, f := range []Finding{e.void, e.outsiders} {
		if f.Count > 0 {
			list = append(list, f)
		}
	}
	return list
}
