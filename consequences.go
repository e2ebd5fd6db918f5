package roomkit

import (
	"context"
	"errors"
	"iter"
	"slices"
)

// Consequence is what a change of the directory does to one room as soon as
// [Service.Enforce] follows it.
type Consequence struct {
	Room       RoomID
	Kind       Kind
	Name       string
	Cause      Cause
	Leaving    []UserID // who take part and will not any more, in byte order
	Masters    []UserID // Group Masters who will not be any more, in byte order
	Masterless bool     // nobody is left to manage the group (ADM-19)
	Dissolved  bool     // nobody is left who takes part, so that the room ends (COM-09)
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
func (s *Service) PlanConsequences(ctx context.Context, actor Actor, cmd Command) iter.Seq2[Consequence, error] {
	return func(yield func(Consequence, error) bool) {
		err := s.planConsequences(ctx, actor, cmd, func(c Consequence) bool { return yield(c, nil) })
		if err != nil && !errors.Is(err, errStop) {
			yield(Consequence{}, &Error{Op: "PlanConsequences", Err: err})
		}
	}
}

func (s *Service) planConsequences(ctx context.Context, actor Actor, cmd Command, yield func(Consequence) bool) error {
	planned, err := s.plan(ctx, actor, cmd, nil)
	if err != nil {
		return err
	}
	w := supposed{s: s, users: map[UserID]User{}, companies: map[CompanyID]Company{}}
	if err := w.after(ctx, planned.Events); err != nil {
		return err
	}
	for _, e := range planned.Events {
		for _, sw := range sweepsOf(e) {
			err := s.sweep(ctx, sw, func(_ []RoomID, _ int, steps []Expel) error { return w.each(ctx, steps, yield) })
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
	users     map[UserID]User
	companies map[CompanyID]Company
}

// after applies the events of a planned directory command.
func (w *supposed) after(ctx context.Context, events []Event) error {
	var need Need
	for _, e := range events {
		switch of := e.Info().Subject; of.Type {
		case SubjectUser:
			need.People = append(need.People, UserID(of.ID))
		case SubjectCompany:
			need.Companies = append(need.Companies, CompanyID(of.ID))
		default:
		}
	}
	facts, err := w.load(ctx, []Need{need})
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
		case SubjectUser:
			w.users[UserID(of.ID)] = w.users[UserID(of.ID)].Apply(e)
		case SubjectCompany:
			w.companies[CompanyID(of.ID)] = w.companies[CompanyID(of.ID)].Apply(e)
		default:
		}
	}
	return nil
}

// load answers needs with the changed directory.
func (w *supposed) load(ctx context.Context, needs []Need) ([]Facts, error) {
	facts, err := ask(ctx, w.s.store, needs)
	if err != nil {
		return nil, err
	}
	for i := range needs {
		f := &facts[i]
		f.Asked = &needs[i]
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
func (w *supposed) each(ctx context.Context, steps []Expel, yield func(Consequence) bool) error {
	var whole []Expel
	for _, step := range steps {
		if last := len(whole) - 1; last >= 0 && whole[last].Room == step.Room {
			whole[last].People = append(whole[last].People[:len(whole[last].People):len(whole[last].People)], step.People...)
			continue
		}
		whole = append(whole, step)
	}
	needs := make([]Need, len(whole))
	for i := range whole {
		needs[i] = w.s.rules.Need(System(), whole[i])
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
	facts, err := w.load(ctx, []Need{{Room: c.Room, Masters: true}})
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

func (w *supposed) decide(ctx context.Context, f *Facts, cmd Expel) (Decision, error) {
	for {
		d, err := new(decider).decide(w.s.rules, f, System(), cmd, w.s.o.Clock())
		var more *MoreNeeded
		if !errors.As(err, &more) {
			return d, err
		}
		facts, err := w.load(ctx, []Need{more.Need})
		if err != nil {
			return Decision{}, err
		}
		f = &facts[0]
	}
}

func consequenceOf(room *Room, cause Cause, events []Event) Consequence {
	c := Consequence{Room: room.ID, Kind: room.Kind, Name: room.Name, Cause: cause}
	for _, e := range events {
		switch e := e.(type) {
		case *MemberLeft:
			c.Leaving = appendIDs(c.Leaving, e.People)
			if e.Roles {
				c.Masters = appendIDs(c.Masters, e.People)
			}
		case *MasterDismissed:
			c.Masters = appendIDs(c.Masters, e.People)
		case *MasterVacated:
			c.Masterless = true
		case *RoomEnded:
			c.Dissolved = true
		default: // Expel has no other events
		}
	}
	slices.Sort(c.Leaving)
	slices.Sort(c.Masters)
	return c
}

func appendIDs(ids []UserID, people []Person) []UserID {
	for i := range people {
		ids = append(ids, people[i].User)
	}
	return ids
}
