package service

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/store"
)

// Consequence is what a change of the directory does to one room as soon as
// [Service.Enforce] follows it.
type Consequence struct {
	Room       roomkit.RoomID   `json:"room,omitzero"`
	Kind       roomkit.Kind     `json:"kind,omitzero"`
	Name       string           `json:"name,omitzero"`
	Cause      roomkit.Cause    `json:"cause,omitzero"`
	Leaving    []roomkit.UserID `json:"leaving,omitempty"`   // who take part and will not any more, in byte order
	Masters    []roomkit.UserID `json:"masters,omitempty"`   // Group Masters who will not be any more, in byte order
	Masterless bool             `json:"masterless,omitzero"` // nobody is left to manage the group (ADM-19)
	Dissolved  bool             `json:"dissolved,omitzero"`  // nobody is left who takes part, so that the room ends (COM-09)
	Rest       Rest             `json:"rest,omitzero"`       // of the last one, which has nothing else: what the actor may not know of
}

// Rest counts what a change does to rooms that its actor may not know of.
type Rest struct {
	Rooms      int64 `json:"rooms,omitzero"`
	Leaving    int64 `json:"leaving,omitzero"`    // in how many of them people will not take part any more, each person counted
	Masters    int64 `json:"masters,omitzero"`    // the same of Group Masters
	Masterless int64 `json:"masterless,omitzero"` // how many nobody is left to manage
	Dissolved  int64 `json:"dissolved,omitzero"`  // how many end
}

func (r *Rest) add(c *Consequence) {
	one := map[bool]int64{true: 1}
	r.Rooms++
	r.Leaving += int64(len(c.Leaving))
	r.Masters += int64(len(c.Masters))
	r.Masterless += one[c.Masterless]
	r.Dissolved += one[c.Dissolved]
}

// PlanConsequences is the dry run of a directory command and of Enforce after it:
// the rooms that people will leave, who, and which groups end up without a master.
// It changes nothing. Commands that refuse, refuse here, too; those with no
// consequences give an empty sequence. Rooms come in byte order per user or
// company that changes.
//
// An actor other than the system is told of the rooms whose members it may see at this
// moment, as an administrator those of the groups and teams of the own company. Of the
// others, such as 1:1 rooms and groups of other companies, there are counts in one last
// Consequence with a Rest and without a Room.
//
// The decisions are those of Enforce, on the directory as it would be. One round
// trip for up to 32 rooms, besides the pages that Enforce reads as well, and another one
// for actors other than the system.
func (s *Service) PlanConsequences(ctx context.Context, actor roomkit.Actor, cmd roomkit.Command) iter.Seq2[Consequence, error] {
	return sequence(ctx, s, "PlanConsequences", roomkit.RoomID{}, func(ctx context.Context, yield func(Consequence) bool) error {
		j, planned, err := s.plan(ctx, actor, cmd, nil)
		if err != nil {
			return err
		}
		var directory folded // as it would be
		directory.add(&j.decision.Rows)
		var rest Rest
		tell := func(some []Consequence) (more bool, err error) {
			told, err := s.tellable(ctx, actor, some)
			for i := range some {
				switch {
				case err != nil:
					return false, err
				case !told[i]:
					rest.add(&some[i])
				case !yield(some[i]):
					return false, nil
				}
			}
			return true, err
		}
		for _, e := range planned.Events {
			for _, sw := range sweepsOf(e) {
				if more, err := s.consequences(ctx, directory, sw, tell); err != nil || !more {
					return err
				}
			}
		}
		if rest.Rooms > 0 {
			yield(Consequence{Rest: rest})
		}
		return nil
	})
}

// tellable says of which rooms the actor may see the members.
func (s *Service) tellable(ctx context.Context, actor roomkit.Actor, some []Consequence) ([]bool, error) {
	told := make([]bool, len(some))
	if actor.IsSystem() || len(some) == 0 {
		for i := range told {
			told[i] = true
		}
		return told, nil
	}
	rooms := make([]roomkit.RoomID, len(some))
	for i := range some {
		rooms[i] = some[i].Room
	}
	facts, err := s.accessFacts(ctx, actor.User(), rooms)
	for i := range facts {
		told[i] = decide.May(s.rules, &decide.Facts{Facts: facts[i]}, actor, roomkit.ActionSeeMembers) == nil
	}
	return told, err
}

// consequences tells what a sweep would bring about, the rooms of each step together.
func (s *Service) consequences(ctx context.Context, directory folded, sw sweep, tell func([]Consequence) (bool, error)) (more bool, err error) {
	for x := newSearch(sw, func(f func() error) error { return f() }); !x.over(); {
		part, err := x.next(ctx, s)
		if err = cmp.Or(err, x.failed.err); err != nil {
			return false, err
		}
		g := group{folded: directory}
		for _, cmd := range part.expel { // not by newJob: here a command may name any number of people
			g.jobs = append(g.jobs, &job{
				request: request{ctx: ctx, actor: roomkit.System(), cmd: cmd, plan: true, consequence: true},
				attempt: attempt{need: decide.Need(roomkit.System(), cmd)},
				scratch: new(decide.Scratch),
			})
		}
		g.run(ctx, s)
		var some []Consequence
		for i, j := range g.jobs {
			if j.err != nil {
				return false, j.err
			}
			if !j.result.Changed {
				continue
			}
			c, err := s.consequenceOf(ctx, &j.facts.Room, part.expel[i].Cause, j.result.Events)
			if err != nil {
				return false, err
			}
			some = append(some, c)
		}
		if more, err := tell(some); err != nil || !more {
			return false, err
		}
	}
	return true, nil
}

func (s *Service) consequenceOf(ctx context.Context, room *roomkit.Room, cause roomkit.Cause, events []roomkit.Event) (Consequence, error) {
	c := Consequence{Room: room.ID, Kind: room.Kind, Name: room.Name, Cause: cause}
	for _, e := range events {
		switch e := e.(type) {
		case *roomkit.MemberLeft:
			c.Leaving = appendIDs(c.Leaving, e.People)
			if e.Roles {
				c.Masters = appendIDs(c.Masters, e.People)
			}
		case *roomkit.MasterDismissed:
			c.Masters = appendIDs(c.Masters, e.People)
		case *roomkit.MasterVacated:
			c.Masterless = true
		case *roomkit.RoomEnded:
			c.Dissolved = true
		default: // Expel has no other events
		}
	}
	if c.Dissolved && room.Masters > int64(len(c.Masters)) { // whose role ends with the room
		f, err := s.load(ctx, store.Need{Room: c.Room, Masters: true})
		if err != nil {
			return Consequence{}, err
		}
		for i := range f.Members {
			if row := &f.Members[i]; row.Master && !slices.Contains(c.Masters, row.User) {
				c.Masters = append(c.Masters, row.User)
			}
		}
	}
	slices.Sort(c.Leaving)
	slices.Sort(c.Masters)
	return c, nil
}

func appendIDs(ids []roomkit.UserID, people []roomkit.Person) []roomkit.UserID {
	for i := range people {
		ids = append(ids, people[i].User)
	}
	return ids
}
