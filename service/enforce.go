package service

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/store"
)

// EnforceOptions configure [Service.Enforce]. The zero value is ready for use.
type EnforceOptions struct {
	// Name is that of the stored checkpoint. Defaults to "roomkit.enforce".
	Name string
	// From is where enforcing begins that has no checkpoint yet. Empty: at the
	// beginning of the feed, which costs little, as what is done is not done again.
	From roomkit.Cursor
	// Once ends Enforce at the end of the feed instead of waiting for more.
	Once bool
	// Lease is as in FollowOptions.
	Lease time.Duration
	// Progress is called after every step of a consequence.
	Progress func(EnforceProgress)
}

// EnforceProgress says how far the consequences of one event have been carried
// out. After a restart the rooms that are done already are not counted any more. Steps
// go by the directory of now, so that what a later event has decided may be carried
// out with an earlier one of the same user or company.
type EnforceProgress struct {
	Because roomkit.Subject `json:"because,omitzero"` // the user or company that changed
	Version roomkit.Version `json:"version,omitzero"` // with this event
	Cause   roomkit.Cause   `json:"cause,omitzero"`   // that was looked for; nobody need have left
	Rooms   int             `json:"rooms,omitzero"`   // looked at so far
	Total   int             `json:"total,omitzero"`   // of so many
	Changed int             `json:"changed,omitzero"` // rooms that somebody left
	Events  int             `json:"events,omitzero"`  // that were stored
}

// Enforce is the built-in follower that carries out what changes of the directory
// have already decided: people whose external permission was withdrawn leave all
// external groups (EXT-22, EXT-31, EXT-43), those whose account was deleted leave
// every room (ADM-13). Access has ended before, at the moment of the change (EXT-23,
// EXT-24); Enforce makes the rows follow and tells the people.
//
// Every step is one command with a derived id, of one room and at most MaxPeople
// people, so that Enforce can be killed anywhere, run again, and run in several
// processes. A group whose last master has to leave goes on without (ADM-19).
// [Service.PlanConsequences] is the dry run. Errors are those of Follow.
//
// A user's change costs a page of the user's rooms and a command for each room
// that is left. A company's costs a page of rooms for each of its users, and the
// people of each external group once; it keeps the ids of those groups in memory.
func (s *Service) Enforce(ctx context.Context, o *EnforceOptions) error {
	if o == nil {
		o = new(EnforceOptions)
	}
	f, err := s.newFollower(cmp.Or(o.Name, "roomkit.enforce"), nil, &FollowOptions{
		From: o.From, Once: o.Once, Lease: o.Lease, Timeout: -1,
	})
	if err == nil {
		e := &enforcer{s: s, progress: o.Progress, alive: f.renew}
		f.handle = e.handle
		err = f.run(ctx)
	}
	return placed("Enforce", roomkit.RoomID{}, err)
}

type enforcer struct {
	s        *Service
	progress func(EnforceProgress)
	alive    func(context.Context) error // called between steps
}

func (e *enforcer) handle(ctx context.Context, rec Recorded) error {
	for _, sw := range sweepsOf(rec.Event) {
		p := EnforceProgress{Because: rec.Subject, Version: rec.Version, Cause: sw.cause}
		for part, err := range e.s.sweep(ctx, sw) {
			if err != nil {
				return err
			}
			p.Rooms, p.Total = p.Rooms+part.looked, part.total
			if err := e.expel(ctx, &p, part.expel); err != nil {
				return err
			}
			if e.progress != nil {
				e.progress(p)
			}
			if err := e.alive(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// expel carries out what a part of a sweep has found, in commands of at most
// MaxPeople people.
func (e *enforcer) expel(ctx context.Context, p *EnforceProgress, found []roomkit.Expel) error {
	var steps []roomkit.Expel
	var cmds []roomkit.Command
	for _, step := range found {
		for step.People = range slices.Chunk(step.People, roomkit.MaxPeople) {
			steps, cmds = append(steps, step), append(cmds, step)
		}
	}
	results := e.s.each(cmds, func(i int) (*job, error) {
		j, err := e.s.newJob(ctx, roomkit.System(), cmds[i], nil)
		j.id = derivedID(p, steps[i])
		return j, err
	})
	changed := map[roomkit.RoomID]bool{}
	for _, r := range results {
		if r.Err != nil {
			return within(r.Err)
		}
		if r.Result.Changed {
			changed[r.Result.Room] = true
		}
		p.Events += len(r.Result.Events)
	}
	p.Changed += len(changed)
	return nil
}

// derivedID is the same whenever the same consequence of the same event is
// carried out for the same people. A step that finds nothing to do is not stored
// under it.
func derivedID(p *EnforceProgress, step roomkit.Expel) (id roomkit.CommandID) {
	h := sha256.New()
	fmt.Fprintf(h, "roomkit enforce\x00%s/%d/%s/%s", p.Because, p.Version, step.Cause, step.Room)
	for _, user := range step.People {
		fmt.Fprintf(h, "/%s", user)
	}
	copy(id[:], h.Sum(nil))
	return id
}

// sweep is a search for memberships that do not count any more: those of a user,
// or of all users of a company.
type sweep struct {
	of    roomkit.Subject
	cause roomkit.Cause
}

// sweepsOf says what an event of the directory calls for.
func sweepsOf(e roomkit.Event) (list []sweep) {
	add := func(cause roomkit.Cause, called bool) {
		if called {
			list = append(list, sweep{of: e.Info().Subject, cause: cause})
		}
	}
	switch e := e.(type) {
	case *roomkit.UserMessagingChanged:
		add(roomkit.CausePermission, e.With == roomkit.OutsiderPartner && !e.On)
	case *roomkit.UserStatusChanged:
		add(roomkit.CauseAccount, e.To == roomkit.StatusDeleted)
	case *roomkit.CompanyMessagingChanged:
		add(roomkit.CausePermission, e.With == roomkit.OutsiderPartner && e.To < e.From)
	default: // has no consequences elsewhere
	}
	return list
}

// sweepChunk is how many rooms are swept side by side.
const sweepChunk = 32

// sweepPart is what a sweep has found in some whole rooms.
type sweepPart struct {
	looked int             // rooms of this part
	total  int             // rooms of the sweep
	expel  []roomkit.Expel // one for each room, of any number of people, that somebody has to leave
}

// sweep finds what does not count any more, in rooms in byte order.
func (s *Service) sweep(ctx context.Context, sw sweep) iter.Seq2[sweepPart, error] {
	return func(yield func(sweepPart, error) bool) {
		rooms, err := s.roomsOf(ctx, sw)
		if err != nil {
			yield(sweepPart{}, err)
			return
		}
		for chunk := range slices.Chunk(rooms, sweepChunk) {
			part := sweepPart{looked: len(chunk), total: len(rooms)}
			for _, room := range chunk {
				people, err := s.concerned(ctx, sw, room)
				if err != nil {
					yield(sweepPart{}, err)
					return
				}
				if len(people) > 0 {
					part.expel = append(part.expel, roomkit.Expel{Room: room, People: people, Cause: sw.cause})
				}
			}
			if !yield(part, nil) {
				return
			}
		}
	}
}

// roomsOf lists the rooms that a sweep has to look at.
func (s *Service) roomsOf(ctx context.Context, sw sweep) ([]roomkit.RoomID, error) {
	found := map[roomkit.RoomID]struct{}{}
	var err error
	if sw.of.Type == roomkit.SubjectUser {
		err = s.roomsOfUser(ctx, roomkit.UserID(sw.of.ID), sw.cause, found)
	} else {
		err = s.roomsOfCompany(ctx, roomkit.CompanyID(sw.of.ID), sw.cause, found)
	}
	return slices.SortedFunc(maps.Keys(found), func(a, b roomkit.RoomID) int { return bytes.Compare(a[:], b[:]) }), err
}

func (s *Service) roomsOfCompany(ctx context.Context, company roomkit.CompanyID, cause roomkit.Cause, found map[roomkit.RoomID]struct{}) error {
	for page, err := range store.UserPages(ctx, s.store, store.UserQuery{Company: company, Limit: roomkit.MaxPage}) {
		if err != nil {
			return err
		}
		for i := range page {
			if err := s.roomsOfUser(ctx, page[i].ID, cause, found); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Service) roomsOfUser(ctx context.Context, user roomkit.UserID, cause roomkit.Cause, found map[roomkit.RoomID]struct{}) error {
	q := store.RoomQuery{User: user, Limit: roomkit.MaxPage}
	if cause == roomkit.CausePermission {
		q.Kinds = []roomkit.Kind{roomkit.KindExternalGroup}
	}
	for page, err := range store.RoomPages(ctx, s.store, q) {
		if err != nil {
			return err
		}
		for i := range page {
			found[page[i].Room.ID] = struct{}{}
		}
	}
	return nil
}

// concerned lists the people of a sweep who take part in or manage a room.
func (s *Service) concerned(ctx context.Context, sw sweep, room roomkit.RoomID) ([]roomkit.UserID, error) {
	if sw.of.Type == roomkit.SubjectUser {
		return []roomkit.UserID{roomkit.UserID(sw.of.ID)}, nil
	}
	var people []roomkit.UserID
	for page, err := range store.MemberPages(ctx, s.store, store.MemberQuery{Room: room, Limit: roomkit.MaxPage}) {
		if err != nil {
			return nil, err
		}
		for i := range page {
			if page[i].Company == roomkit.CompanyID(sw.of.ID) {
				people = append(people, page[i].User)
			}
		}
	}
	return people, nil
}

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
}

// PlanConsequences is the dry run of a directory command and of Enforce after it:
// the rooms that people will leave, who, and which groups end up without a master.
// It changes nothing. Commands that refuse, refuse here, too; those with no
// consequences give an empty sequence. Rooms come in byte order per user or
// company that changes.
//
// The decisions are those of Enforce, on the directory as it would be. One round
// trip for up to 32 rooms, besides the pages that Enforce reads as well.
func (s *Service) PlanConsequences(ctx context.Context, actor roomkit.Actor, cmd roomkit.Command) iter.Seq2[Consequence, error] {
	return sequence("PlanConsequences", roomkit.RoomID{}, func(yield func(Consequence) bool) error {
		j, planned, err := s.plan(ctx, actor, cmd, nil)
		if err != nil {
			return err
		}
		var directory folded // as it would be
		directory.add(&j.decision.Rows)
		for _, e := range planned.Events {
			for _, sw := range sweepsOf(e) {
				if more, err := s.consequences(ctx, directory, sw, yield); err != nil || !more {
					return err
				}
			}
		}
		return nil
	})
}

// consequences yields what a sweep would bring about.
func (s *Service) consequences(ctx context.Context, directory folded, sw sweep, yield func(Consequence) bool) (more bool, err error) {
	for part, err := range s.sweep(ctx, sw) {
		if err != nil {
			return false, err
		}
		g := group{folded: directory}
		for _, cmd := range part.expel { // not by newJob: here a command may name any number of people
			g.jobs = append(g.jobs, &job{
				request: request{ctx: ctx, actor: roomkit.System(), cmd: cmd, plan: true, consequence: true},
				attempt: attempt{need: decide.Need(roomkit.System(), cmd)},
			})
		}
		g.run(ctx, s)
		for i, j := range g.jobs {
			if j.err != nil {
				return false, j.err
			}
			if !j.result.Changed {
				continue
			}
			c, err := s.consequenceOf(ctx, &j.facts.Room, part.expel[i].Cause, j.result.Events)
			if err != nil || !yield(c) {
				return false, err
			}
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
