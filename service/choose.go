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
// outside the company under AudienceExternal (CRE-11). A command that chooses nobody yet is fine, and so is a group
// without a name. OpenDirect names one person; its With is not looked at.
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
// once, about all; whom the directory fills in costs three more, and nothing is stored.
// Of the Call only Contacts may be set.
func (s *Service) Choose(ctx context.Context, actor roomkit.Actor, cmd roomkit.Command, candidates []roomkit.UserID, call ...Call) ([]roomkit.Choice, error) {
	list, err := s.choose(ctx, actor, cmd, candidates, call)
	if err != nil {
		room := roomkit.RoomID{}
		if decide.Known(cmd) {
			room = decide.RoomNamed(cmd)
		}
		return nil, placed("Choose", room, err)
	}
	return list, nil
}

func (s *Service) choose(ctx context.Context, actor roomkit.Actor, cmd roomkit.Command, candidates []roomkit.UserID, given []Call) ([]roomkit.Choice, error) {
	if err := cmp.Or(ctx.Err(), decide.CheckChoice(actor, cmd, candidates)); err != nil {
		return nil, err
	}
	c := &choosing{Service: s, actor: actor}
	if err := c.take(given); err != nil {
		return nil, err
	}
	c.ask(cmd, "")
	for _, id := range candidates {
		c.ask(cmd, id)
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
	asks     []ask // the first one is about the command as it stands
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

func (c *choosing) take(given []Call) error {
	if len(given) == 1 && (given[0].Key != "" || given[0].IfVersion != 0) {
		return &roomkit.Invalid{Field: "Call", Reason: "has more than Contacts"}
	}
	j := job{}
	err := j.take(given)
	c.contacts = j.contacts
	return err
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
	if err != nil {
		return err
	}
	if facts, err = c.askHost(ctx, facts); err != nil {
		return err
	}
	for c.judge(facts) {
		if facts, err = c.load(ctx); err != nil {
			return err
		}
	}
	return c.asks[0].err
}

// load loads what the open questions need, once for all who need the same.
func (c *choosing) load(ctx context.Context) ([]decide.Facts, error) {
	type rows struct {
		room      roomkit.RoomID
		everybody bool
	}
	var needs []store.Need
	at := map[rows]int{}
	for i := range c.asks {
		a := &c.asks[i]
		if a.done {
			continue
		}
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
		facts[i] = decide.Facts{Facts: answers[i], Need: needs[i], Contacts: c.contacts}
		c.assumed.patch(&facts[i])
	}
	return facts, nil
}

// askHost asks the directory about all who are not known, and who of the outsiders are
// contacts of the actor.
func (c *choosing) askHost(ctx context.Context, facts []decide.Facts) ([]decide.Facts, error) {
	missing := gather(facts, (*decide.Facts).Missing)
	if c.o.Directory != nil && len(missing) > 0 {
		if err := c.assume(ctx, &c.assumed, missing); err != nil {
			return nil, err
		}
		if c.assumed.told {
			var err error
			if facts, err = c.load(ctx); err != nil {
				return nil, err
			}
		}
	}
	if c.o.Contacts == nil || c.actor.IsSystem() {
		return facts, nil
	}
	outsiders := gather(facts, func(f *decide.Facts) []roomkit.UserID { return f.Outsiders(c.actor.User()) })
	if len(outsiders) == 0 {
		return facts, nil
	}
	known, err := c.o.Contacts(ctx, c.actor.User(), outsiders)
	c.contacts = slices.Concat(c.contacts, known)
	for i := range facts {
		facts[i].Contacts = c.contacts
	}
	return facts, faultOf(ctx, "contacts", err)
}

// gather gives the people of all facts, each once.
func gather(facts []decide.Facts, of func(*decide.Facts) []roomkit.UserID) (all []roomkit.UserID) {
	for i := range facts {
		all = append(all, of(&facts[i])...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// judge answers the open questions, and reports whether some need more facts. Nothing
// more is needed once the command as it stands is refused.
func (c *choosing) judge(facts []decide.Facts) (more bool) {
	for i := range c.asks {
		a := &c.asks[i]
		if a.done {
			continue
		}
		f := &facts[a.facts]
		need, err := decide.Judge(c.rules, f, c.actor, a.cmd, i == 0)
		if i == 0 && err != nil && c.standsAlone(f, a.cmd) {
			err = nil // whoever makes it a room of several has the refusal
		}
		if need != nil {
			a.need, more = *need, true
			continue
		}
		a.done, a.err, a.already = true, err, a.user != "" && decide.Already(f, c.actor, a.cmd, a.user)
		if i == 0 && err != nil {
			return false
		}
	}
	return more
}

// standsAlone reports whether a command is not refused as it stands, though it is with
// further people: one person is the other party of a 1:1 room.
func (c *choosing) standsAlone(f *decide.Facts, cmd roomkit.Command) bool {
	need, err := decide.Judge(c.rules, f, c.actor, cmd, false)
	return need != nil || err == nil
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
