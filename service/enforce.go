package service

import (
	"bytes"
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
	Because roomkit.Subject // the user or company that changed
	Version roomkit.Version // with this event
	Cause   roomkit.Cause   // that was looked for; nobody need have left
	Rooms   int             // looked at so far
	Total   int             // of so many
	Changed int             // rooms that somebody left
	Events  int             // that were stored
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
	var opts EnforceOptions
	if o != nil {
		opts = *o
	}
	if opts.Name == "" {
		opts.Name = "roomkit.enforce"
	}
	f, err := s.newFollower(opts.Name, nil, &FollowOptions{
		From: opts.From, Once: opts.Once, Lease: opts.Lease, Timeout: -1,
	})
	if err == nil {
		e := &enforcer{s: s, progress: opts.Progress, alive: f.renew}
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
	user    roomkit.UserID
	company roomkit.CompanyID
	cause   roomkit.Cause
}

// sweepsOf says what an event of the directory calls for.
func sweepsOf(e roomkit.Event) []sweep {
	info := e.Info()
	user, company := roomkit.UserID(info.Subject.ID), roomkit.CompanyID(info.Subject.ID)
	switch e := e.(type) {
	case *roomkit.UserMessagingChanged:
		if !e.On && e.Channel == roomkit.ChannelWorks {
			return []sweep{{user: user, cause: roomkit.CausePermission}}
		}
	case *roomkit.UserStatusChanged:
		if e.To == roomkit.StatusDeleted {
			return []sweep{{user: user, cause: roomkit.CauseAccount}}
		}
	case *roomkit.UserPut:
		return sweepsOfPut(e)
	case *roomkit.CompanyMessagingChanged:
		if e.Channel == roomkit.ChannelWorks && e.To < e.From {
			return []sweep{{company: company, cause: roomkit.CausePermission}}
		}
	case *roomkit.CompanyPut:
		if info.Version > 1 && e.Company.Works != roomkit.ExternalAll {
			return []sweep{{company: company, cause: roomkit.CausePermission}}
		}
	default: // has no consequences elsewhere
	}
	return nil
}

// sweepsOfPut says what provisioning a user again may have taken away.
func sweepsOfPut(e *roomkit.UserPut) (list []sweep) {
	user := roomkit.UserID(e.Subject.ID)
	if e.Version > 1 && !e.User.Works {
		list = append(list, sweep{user: user, cause: roomkit.CausePermission})
	}
	if e.Version > 1 && e.User.Status == roomkit.StatusDeleted {
		list = append(list, sweep{user: user, cause: roomkit.CauseAccount})
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
	if sw.company == "" {
		err = s.roomsOfUser(ctx, sw.user, sw.cause, found)
	} else {
		err = s.roomsOfCompany(ctx, sw.company, sw.cause, found)
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
	if sw.company == "" {
		return []roomkit.UserID{sw.user}, nil
	}
	var people []roomkit.UserID
	for page, err := range store.MemberPages(ctx, s.store, store.MemberQuery{Room: room, Limit: roomkit.MaxPage}) {
		if err != nil {
			return nil, err
		}
		for i := range page {
			if page[i].Company == sw.company {
				people = append(people, page[i].User)
			}
		}
	}
	return people, nil
}

// Consequence is what a change of the directory does to one room as soon as
// [Service.Enforce] follows it.
type Consequence struct {
	Room       roomkit.RoomID
	Kind       roomkit.Kind
	Name       string
	Cause      roomkit.Cause
	Leaving    []roomkit.UserID // who take part and will not any more, in byte order
	Masters    []roomkit.UserID // Group Masters who will not be any more, in byte order
	Masterless bool             // nobody is left to manage the group (ADM-19)
	Dissolved  bool             // nobody is left who takes part, so that the room ends (COM-09)
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
		_, planned, err := s.plan(ctx, actor, cmd, nil)
		if err != nil {
			return err
		}
		w := supposed{s: s, users: map[roomkit.UserID]roomkit.User{}, companies: map[roomkit.CompanyID]roomkit.Company{}}
		if err := w.after(ctx, planned.Events); err != nil {
			return err
		}
		for _, e := range planned.Events {
			for _, sw := range sweepsOf(e) {
				if more, err := w.consequences(ctx, sw, yield); err != nil || !more {
					return err
				}
			}
		}
		return nil
	})
}

// supposed is the store with a directory that has changed.
type supposed struct {
	s         *Service
	users     map[roomkit.UserID]roomkit.User
	companies map[roomkit.CompanyID]roomkit.Company
}

// after applies the events of a planned directory command.
func (w *supposed) after(ctx context.Context, events []roomkit.Event) error {
	var need store.Need
	for _, e := range events {
		switch of := e.Info().Subject; of.Type {
		case roomkit.SubjectUser:
			need.People = append(need.People, roomkit.UserID(of.ID))
		case roomkit.SubjectCompany:
			need.Companies = append(need.Companies, roomkit.CompanyID(of.ID))
		default:
		}
	}
	facts, err := w.load(ctx, []store.Need{need})
	if err != nil {
		return err
	}
	for _, u := range facts[0].Users {
		w.users[u.ID] = u
	}
	for _, c := range facts[0].Companies {
		w.companies[c.ID] = c
	}
	for _, e := range events {
		switch of := e.Info().Subject; of.Type {
		case roomkit.SubjectUser:
			w.users[roomkit.UserID(of.ID)] = w.users[roomkit.UserID(of.ID)].Apply(e)
		case roomkit.SubjectCompany:
			w.companies[roomkit.CompanyID(of.ID)] = w.companies[roomkit.CompanyID(of.ID)].Apply(e)
		default:
		}
	}
	return nil
}

// load answers needs with the changed directory.
func (w *supposed) load(ctx context.Context, needs []store.Need) ([]decide.Facts, error) {
	answers, err := store.Ask(ctx, w.s.store, needs)
	if err != nil {
		return nil, err
	}
	facts := make([]decide.Facts, len(needs))
	for i := range needs {
		facts[i] = decide.Facts{Facts: answers[i], Need: needs[i]}
		f := &facts[i]
		for j := range f.Users {
			if u, ok := w.users[f.Users[j].ID]; ok {
				f.Users[j] = u
			}
		}
		for j := range f.Companies {
			if c, ok := w.companies[f.Companies[j].ID]; ok {
				f.Companies[j] = c
			}
		}
	}
	return facts, nil
}

// consequences yields what a sweep would bring about.
func (w *supposed) consequences(ctx context.Context, sw sweep, yield func(Consequence) bool) (more bool, err error) {
	for part, err := range w.s.sweep(ctx, sw) {
		if err != nil {
			return false, err
		}
		needs := make([]store.Need, len(part.expel))
		for i, cmd := range part.expel {
			needs[i] = decide.Need(roomkit.System(), cmd)
		}
		facts, err := w.load(ctx, needs)
		if err != nil {
			return false, err
		}
		for i, cmd := range part.expel {
			c, err := w.consequence(ctx, &facts[i], cmd)
			if err != nil {
				return false, err
			}
			if c != nil && !yield(*c) {
				return false, nil
			}
		}
	}
	return true, nil
}

// consequence decides what a sweep would do in one room; nil is nothing.
func (w *supposed) consequence(ctx context.Context, f *decide.Facts, cmd roomkit.Expel) (*Consequence, error) {
	d, err := w.decide(ctx, f, cmd)
	if err != nil || len(d.Events) == 0 {
		return nil, err
	}
	c := consequenceOf(&f.Room, cmd.Cause, d.Events)
	return &c, w.addMasters(ctx, &c, f.Room.Masters)
}

// addMasters adds those whose role ends with the room.
func (w *supposed) addMasters(ctx context.Context, c *Consequence, masters int64) error {
	if !c.Dissolved || masters == int64(len(c.Masters)) {
		return nil
	}
	facts, err := w.load(ctx, []store.Need{{Room: c.Room, Masters: true}})
	if err != nil {
		return err
	}
	for i := range facts[0].Members {
		if row := &facts[0].Members[i]; row.Master && !slices.Contains(c.Masters, row.User) {
			c.Masters = append(c.Masters, row.User)
		}
	}
	slices.Sort(c.Masters)
	return nil
}

// decide decides without a look at the form of cmd, which may name any number of
// people.
func (w *supposed) decide(ctx context.Context, f *decide.Facts, cmd roomkit.Expel) (decide.Decision, error) {
	for {
		d, err := new(decide.Scratch).Decide(w.s.rules, f, roomkit.System(), cmd, w.s.o.Clock())
		if d.Need == nil {
			return d, err
		}
		facts, err := w.load(ctx, []store.Need{*d.Need})
		if err != nil {
			return decide.Decision{}, err
		}
		f = &facts[0]
	}
}

func consequenceOf(room *roomkit.Room, cause roomkit.Cause, events []roomkit.Event) Consequence {
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
	slices.Sort(c.Leaving)
	slices.Sort(c.Masters)
	return c
}

func appendIDs(ids []roomkit.UserID, people []roomkit.Person) []roomkit.UserID {
	for i := range people {
		ids = append(ids, people[i].User)
	}
	return ids
}
