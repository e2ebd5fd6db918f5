package service

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
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
	if err != nil {
		return &roomkit.Error{Op: "Enforce", Err: err}
	}
	return nil
}

type enforcer struct {
	s        *Service
	progress func(EnforceProgress)
	alive    func(context.Context) error // called between steps
}

func (e *enforcer) handle(ctx context.Context, rec Recorded) error {
	for _, sw := range sweepsOf(rec.Event) {
		p := EnforceProgress{Because: rec.Subject, Version: rec.Version, Cause: sw.cause}
		err := e.s.sweep(ctx, sw, func(rooms []roomkit.RoomID, total int, steps []roomkit.Expel) error {
			p.Rooms, p.Total = p.Rooms+len(rooms), total
			return e.steps(ctx, &p, steps)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// steps carries out the commands of some whole rooms.
func (e *enforcer) steps(ctx context.Context, p *EnforceProgress, steps []roomkit.Expel) error {
	cmds := make([]roomkit.Command, len(steps))
	for i, step := range steps {
		cmds[i] = step
	}
	results := e.s.each(cmds, func(i int) (*job, error) {
		c, err := e.s.newJob(ctx, roomkit.System(), cmds[i], nil)
		c.id = derivedID(p, steps[i])
		return c, err
	})
	for i, r := range results {
		if r.Err != nil {
			return within(r.Err)
		}
		if r.Result.Changed && (i == 0 || steps[i].Room != steps[i-1].Room) {
			p.Changed++
		}
		p.Events += len(r.Result.Events)
	}
	if e.progress != nil {
		e.progress(*p)
	}
	return e.alive(ctx)
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

// sweep finds the rooms concerned and hands over the commands that end what does
// not count any more, those of some whole rooms at a time.
func (s *Service) sweep(ctx context.Context, sw sweep, do func(rooms []roomkit.RoomID, total int, steps []roomkit.Expel) error) error {
	rooms, err := s.roomsOf(ctx, sw)
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(rooms, sweepChunk) {
		var steps []roomkit.Expel
		for _, room := range chunk {
			if steps, err = s.stepsIn(ctx, sw, room, steps); err != nil {
				return err
			}
		}
		if err := do(chunk, len(rooms), steps); err != nil {
			return err
		}
	}
	return nil
}

// roomsOf lists the rooms that a sweep has to look at, in byte order.
func (s *Service) roomsOf(ctx context.Context, sw sweep) ([]roomkit.RoomID, error) {
	found := map[roomkit.RoomID]struct{}{}
	users := store.UserPages(ctx, s.store, store.UserQuery{Company: sw.company, Limit: roomkit.MaxPage})
	if sw.company == "" {
		users = func(yield func([]roomkit.User, error) bool) { yield([]roomkit.User{{ID: sw.user}}, nil) }
	}
	for page, err := range users {
		if err != nil {
			return nil, err
		}
		for i := range page {
			if err := s.roomsOfUser(ctx, page[i].ID, sw.cause, found); err != nil {
				return nil, err
			}
		}
	}
	return slices.SortedFunc(maps.Keys(found), func(a, b roomkit.RoomID) int { return bytes.Compare(a[:], b[:]) }), nil
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

// stepsIn appends the commands that a sweep needs in one room.
func (s *Service) stepsIn(ctx context.Context, sw sweep, room roomkit.RoomID, steps []roomkit.Expel) ([]roomkit.Expel, error) {
	if sw.company == "" {
		return append(steps, roomkit.Expel{Room: room, People: []roomkit.UserID{sw.user}, Cause: sw.cause}), nil
	}
	people, err := s.colleaguesIn(ctx, room, sw.company)
	for chunk := range slices.Chunk(people, roomkit.MaxPeople) {
		steps = append(steps, roomkit.Expel{Room: room, People: chunk, Cause: sw.cause})
	}
	return steps, err
}

// colleaguesIn lists the people of a company who take part in or manage a room.
func (s *Service) colleaguesIn(ctx context.Context, room roomkit.RoomID, company roomkit.CompanyID) ([]roomkit.UserID, error) {
	var people []roomkit.UserID
	for page, err := range store.MemberPages(ctx, s.store, store.MemberQuery{Room: room, Limit: roomkit.MaxPage}) {
		if err != nil {
			return nil, err
		}
		for i := range page {
			if page[i].Company == company {
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

// errStop ends a sweep whose results nobody wants any more.
var errStop = errors.New("stopped by the caller")

// PlanConsequences is the dry run of a directory command and of Enforce after it:
// the rooms that people will leave, who, and which groups end up without a master.
// It changes nothing. Commands that refuse, refuse here, too; those with no
// consequences give an empty sequence. Rooms come in byte order per user or
// company that changes.
//
// The decisions are those of Enforce, on the directory as it would be. One round
// trip for up to 32 rooms, besides the pages that Enforce reads as well.
func (s *Service) PlanConsequences(ctx context.Context, actor roomkit.Actor, cmd roomkit.Command) iter.Seq2[Consequence, error] {
	return func(yield func(Consequence, error) bool) {
		err := s.planConsequences(ctx, actor, cmd, func(c Consequence) bool { return yield(c, nil) })
		if err != nil && !errors.Is(err, errStop) {
			yield(Consequence{}, &roomkit.Error{Op: "PlanConsequences", Err: err})
		}
	}
}

func (s *Service) planConsequences(ctx context.Context, actor roomkit.Actor, cmd roomkit.Command, yield func(Consequence) bool) error {
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
			err := s.sweep(ctx, sw, func(_ []roomkit.RoomID, _ int, steps []roomkit.Expel) error { return w.each(ctx, steps, yield) })
			if err != nil {
				return err
			}
		}
	}
	return nil
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

// each decides the steps of some rooms; those of one room stand together and
// become one.
func (w *supposed) each(ctx context.Context, steps []roomkit.Expel, yield func(Consequence) bool) error {
	var whole []roomkit.Expel
	for _, step := range steps {
		if last := len(whole) - 1; last >= 0 && whole[last].Room == step.Room {
			whole[last].People = append(whole[last].People[:len(whole[last].People):len(whole[last].People)], step.People...)
			continue
		}
		whole = append(whole, step)
	}
	needs := make([]store.Need, len(whole))
	for i := range whole {
		needs[i] = decide.Need(roomkit.System(), whole[i])
	}
	facts, err := w.load(ctx, needs)
	if err != nil {
		return err
	}
	for i := range whole {
		d, err := w.decide(ctx, &facts[i], whole[i])
		if err != nil {
			return err
		}
		if len(d.Events) == 0 {
			continue
		}
		c := consequenceOf(&facts[i].Room, whole[i].Cause, d.Events)
		if err := w.addMasters(ctx, &c, facts[i].Room.Masters); err != nil {
			return err
		}
		if !yield(c) {
			return errStop
		}
	}
	return nil
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

func (w *supposed) decide(ctx context.Context, f *decide.Facts, cmd roomkit.Expel) (decide.Decision, error) {
	for {
		d, err := decide.Decide(w.s.rules, f, roomkit.System(), cmd, w.s.o.Clock())
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
