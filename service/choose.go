package service

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/store"
)

// Choose says of each candidate, in the order given, whether the actor can choose them
// for a command, together with those whom the command names already: an OpenDirect, a
// CreateRoom, a CreateGroup or CreateExternalGroup (as a further member), an Invite or an
// AppointMasters. A picker shows with it who can be picked, and why the others cannot.
//
// Every candidate is judged alone, by the decision of Do: who can be chosen is not refused
// by Do, as long as nothing else of the command is. What Do asks besides is not looked
// at: the name, the photo and the description, rooms that the people share already
// (CRE-04), Options.Veto, and whether people are still missing, for instance somebody
// outside the company under AudienceExternal (CRE-11). A command that chooses nobody yet is
// fine, and so is a group without a name. OpenDirect names one person; its With is not
// looked at.
//
// If the actor may not give the command at all, or somebody whom it names already cannot
// be chosen, the error says so as Do would: ErrDenied, ErrInvalid, ErrNotFound. A command
// that chooses nobody, and more than MaxPeople, malformed or repeated candidates are
// ErrInvalid. People who do not exist and outsiders who are no contacts of the actor are
// refused alike.
//
// One round trip; another one where what the actor may do in one room decides about
// another one: the room that candidates were taken from, the people of a 1:1 or General
// room who come along into a new one. Options.Directory and Options.Contacts are asked
// once, about all; with a directory that costs another one, and nothing is stored.
// Of the Call only Contacts may be set.
func (s *Service) Choose(ctx context.Context, actor roomkit.Actor, cmd roomkit.Command, candidates []roomkit.UserID, call ...Call) ([]roomkit.Choice, error) {
	room := named(cmd)
	ctx, asked := s.asks(ctx, "Choose", room)
	list, err := s.choose(ctx, actor, cmd, candidates, call)
	return list, asked.answered(ctx, placed("Choose", room, err))
}

func (s *Service) choose(ctx context.Context, actor roomkit.Actor, cmd roomkit.Command, candidates []roomkit.UserID, given []Call) ([]roomkit.Choice, error) {
	if err := cmp.Or(ctx.Err(), decide.CheckChoice(actor, cmd, candidates)); err != nil {
		return nil, err
	}
	c := &choosing{Service: s, actor: actor}
	c.ask(cmd, "")
	for _, id := range candidates {
		c.ask(cmd, id)
	}
	if err := c.take(given, candidates); err != nil {
		return nil, err
	}
	if err := c.answer(ctx); err != nil {
		return nil, err
	}
	list := make([]roomkit.Choice, len(candidates))
	for i, id := range candidates {
		list[i] = roomkit.Choice{User: id, Against: against(c.asks[i+1].err), Already: c.asks[i+1].already}
	}
	return list, nil
}

// choosing is one call of Choose.
type choosing struct {
	*Service
	actor    roomkit.Actor
	contacts []roomkit.UserID
	assumed  assumed
	asked    []roomkit.UserID // about whom the host has been asked
	asks     []ask            // the first one is about the command as it stands
	people   []roomkit.UserID
}

// ask is the question whether one more person can be chosen.
type ask struct {
	cmd     roomkit.Command
	user    roomkit.UserID
	need    store.Need // People are those of choosing, and the user
	facts   int        // which of those that were loaded
	done    bool
	err     error // what refuses the command
	already bool
}

func (c *choosing) take(given []Call, candidates []roomkit.UserID) error {
	if len(given) == 1 && (given[0].Key != "" || given[0].IfVersion != 0) {
		return &roomkit.Invalid{Field: "Call", Reason: "has more than Contacts"}
	}
	j := job{}
	if len(given) == 1 {
		c.contacts = namedIn(given[0].Contacts, slices.Concat(c.people, candidates))
	}
	return j.take(given)
}

// ask adds a question; without a user it is about the command as it stands.
func (c *choosing) ask(cmd roomkit.Command, user roomkit.UserID) {
	a := ask{user: user}
	if user == "" {
		a.cmd, _ = decide.With(cmd)
	} else {
		a.cmd, _ = decide.With(cmd, user)
	}
	if a.need = decide.ChoiceNeed(c.actor, a.cmd, user == ""); user == "" {
		c.people = a.need.People
	}
	c.asks = append(c.asks, a)
}

// answer answers all questions, or gives what refuses the command as it stands.
func (c *choosing) answer(ctx context.Context) error {
	facts, err := c.load(ctx)
	for err == nil {
		more, ask := c.judge(facts)
		if !more && ask == nil {
			return c.asks[0].err
		}
		if ask != nil {
			if err = c.askHost(ctx, facts, ask); err != nil || c.o.Directory == nil {
				continue
			}
		}
		facts, err = c.load(ctx)
	}
	return err
}

// load loads what the questions need, once for all who need the same, and opens all of them
// again: the actor and everybody else are judged on one moment.
func (c *choosing) load(ctx context.Context) ([]decide.Facts, error) {
	type rows struct {
		room      roomkit.RoomID
		everybody bool
	}
	var needs []store.Need
	at := map[rows]int{}
	for i := range c.asks {
		a := &c.asks[i]
		a.done = false
		of := rows{a.need.Room, a.need.Everybody}
		n, known := at[of]
		if !known {
			n, at[of] = len(needs), len(needs)
			needs = append(needs, store.Need{Room: of.room, Everybody: of.everybody, People: slices.Clone(c.people), Companies: c.assumed.homes()})
		}
		a.facts = n
		if a.user != "" && !slices.Contains(c.people, a.user) {
			needs[n].People = append(needs[n].People, a.user)
		}
	}
	answers, err := store.Ask(ctx, c.store, needs)
	if err != nil {
		return nil, err
	}
	facts := make([]decide.Facts, len(answers))
	for i := range answers {
		f := &facts[i]
		*f = decide.Facts{
			Facts: answers[i], Need: needs[i], Contacts: c.contacts, Asked: c.asked,
			HasDirectory: c.o.Directory != nil, HasContacts: c.o.Contacts != nil,
		}
		if _, err := c.patch(ctx, &c.assumed, f); err != nil {
			return nil, err
		}
	}
	return facts, nil
}

// askHost asks the host about all whom the questions are about and who are not known to
// the actor.
func (c *choosing) askHost(ctx context.Context, facts []decide.Facts, ask *decide.Ask) error {
	who := facts[0].Person(c.actor.User())
	contacts, err := c.Service.askHost(ctx, &who, ask, &c.assumed)
	c.asked, c.contacts = slices.Concat(c.asked, ask.About), slices.Concat(c.contacts, contacts)
	for i := range facts {
		facts[i].Asked, facts[i].Contacts = c.asked, c.contacts
	}
	return err
}

// judge answers the open questions, and says whether some need more facts, and about whom
// the host has to be asked for others. Nothing more is needed once the command as it stands is
// refused.
func (c *choosing) judge(facts []decide.Facts) (more bool, ask *decide.Ask) {
	for i := range c.asks {
		a := &c.asks[i]
		if a.done {
			continue
		}
		f := &facts[a.facts]
		decision, err := decide.Judge(c.rules, f, c.actor, a.cmd, i == 0)
		if i == 0 && err != nil && c.standsAlone(f, a.cmd) {
			err = nil // whoever makes it a room of several has the refusal
		}
		if decision.Need != nil {
			a.need, more = *decision.Need, true
			continue
		}
		if decision.Ask != nil {
			ask = ask.With(decision.Ask)
			continue
		}
		a.done, a.err, a.already = true, err, a.user != "" && decide.Already(f, c.actor, a.cmd, a.user)
		if i == 0 && err != nil {
			return false, nil
		}
	}
	return more, ask
}

// standsAlone reports whether a command is not refused as it stands, though it is with
// further people: one person is the other party of a 1:1 room.
func (c *choosing) standsAlone(f *decide.Facts, cmd roomkit.Command) bool {
	_, err := decide.Judge(c.rules, f, c.actor, cmd, false)
	return err == nil
}

// against gives what a refusal says against a choice.
func against(err error) []roomkit.Refusal {
	var denied *roomkit.Denied
	var malformed *roomkit.Invalid
	switch {
	case errors.As(err, &denied) && len(denied.Against) > 0:
		return denied.Against
	case errors.As(err, &denied):
		return []roomkit.Refusal{{Rule: denied.Rule, Reason: denied.Reason}}
	case errors.As(err, &malformed):
		return []roomkit.Refusal{{Rule: malformed.Rule, Reason: malformed.Field + ": " + malformed.Reason}}
	}
	return nil
}
