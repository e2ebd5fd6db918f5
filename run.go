package roomkit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

var errStale = fmt.Errorf("%w: the room does not have the demanded version", ErrConflict)

// lackingUsers says that the store does not know users whom the host's directory
// may know.
type lackingUsers struct{ users []UserID }

func (*lackingUsers) Error() string { return "users unknown to the store" }

// askContacts says that a decision wants to know which outsiders are contacts.
type askContacts struct{ outsiders []UserID }

func (*askContacts) Error() string { return "contacts unknown" }

// runGroup takes a group of calls from Load to Commit. Every call ends with a
// result or an error of its own.
func (s *Service) runGroup(ctx context.Context, group []*call) {
	start := s.o.Clock()
	fold := folded{many: len(group) > 1}
	var one [2][1]*call // no allocations for a call on its own
	deciding, committing := one[0][:0], one[1][:0]
	for _, c := range group {
		if c.err = c.ctx.Err(); c.err == nil {
			deciding = append(deciding, c)
		}
	}
	for len(deciding) > 0 {
		if err := s.load(ctx, deciding); err != nil {
			for _, c := range deciding {
				c.err = err
			}
			break
		}
		var more []*call
		for _, c := range deciding {
			switch needsMore, commit := s.decideCall(ctx, c, &fold, start); {
			case needsMore:
				more = append(more, c)
			case commit:
				committing = append(committing, c)
			}
		}
		deciding = more
	}
	if len(committing) > 0 {
		s.commit(ctx, committing, start)
	}
}

// ask loads and demands an answer to every need.
func ask(ctx context.Context, store Store, needs []Need) ([]Facts, error) {
	facts, err := store.Load(ctx, needs)
	if err == nil && len(facts) != len(needs) {
		err = fmt.Errorf("%w: the store answered %d of %d needs", ErrUnsupported, len(facts), len(needs))
	}
	return facts, err
}

func (s *Service) load(ctx context.Context, calls []*call) error {
	needs := calls[0].needs[:0]
	for _, c := range calls {
		needs = append(needs, *c.need)
	}
	facts, err := ask(ctx, s.store, needs)
	if err != nil {
		return err
	}
	for i, c := range calls {
		c.facts = &facts[i]
		c.facts.Asked, c.facts.NewRoom, c.facts.Contacts = c.need, c.newRoom, c.contacts
		c.facts.earlier = c.first
		if err := s.keepCurrent(ctx, c.facts); err != nil {
			return err
		}
	}
	return nil
}

// keepCurrent leaves of the shared rooms those in which everybody asked for takes
// part by memberships that count (LST-06, LST-07, EXT-22). It costs a round trip
// when there are any.
func (s *Service) keepCurrent(ctx context.Context, f *Facts) error {
	if len(f.Shared) == 0 {
		return nil
	}
	if err := s.moreShared(ctx, f); err != nil {
		return err
	}
	needs := make([]Need, len(f.Shared))
	for i := range f.Shared {
		needs[i] = Need{Room: f.Shared[i].Room.ID, People: f.Asked.Shared}
	}
	rooms, err := ask(ctx, s.store, needs)
	if err != nil {
		return err
	}
	kept := f.Shared[:0]
	for i := range rooms {
		room := &rooms[i].Room
		gone := func(id UserID) bool { who := rooms[i].person(id); return !who.shows(room) }
		if room.State == StateActive && !slices.ContainsFunc(f.Asked.Shared, gone) {
			kept = append(kept, RoomEntry{Room: *room})
		}
	}
	f.Shared = kept
	return nil
}

// moreShared looks for further rooms of people who share more than a store gives
// at once, so that none is missed that comes first by what the user sees.
func (s *Service) moreShared(ctx context.Context, f *Facts) error {
	if len(f.Shared) < MaxShared {
		return nil
	}
	known := make(map[RoomID]bool, len(f.Shared))
	for i := range f.Shared {
		known[f.Shared[i].Room.ID] = true
	}
	q := RoomQuery{Participants: f.Asked.Shared, Limit: MaxPage}
	for seen := 0; seen < MaxSharedSeen; {
		page, err := s.store.Rooms(ctx, q)
		if err != nil || len(page) == 0 {
			return err
		}
		for i := range page {
			if !known[page[i].Room.ID] {
				f.Shared = append(f.Shared, page[i])
			}
		}
		seen, q.After = seen+len(page), page[len(page)-1].Room.ID
	}
	return nil
}

// decideCall decides one call on the state as the calls before it in the group
// leave it. It reports whether the call needs another load, and whether it has
// something to commit; else the call is done.
func (s *Service) decideCall(ctx context.Context, c *call, fold *folded, now time.Time) (more, commit bool) {
	if c.facts.Done != nil {
		c.result, c.err = s.repeat(ctx, c, *c.facts.Done)
		return false, false
	}
	if fold.blurs(c.need) {
		c.err = ErrConflict
		return false, false
	}
	fold.patch(c.facts)
	if c.err = s.lacks(c); c.err != nil {
		return false, false
	}
	decision, err := c.decider.decide(s.rules, c.facts, c.actor, c.cmd, now)
	var needed *MoreNeeded
	if errors.As(err, &needed) {
		c.askFor(needed.Need)
		return true, false
	}
	if err == nil && c.opts.hasIfVer && c.demanded().Version != c.opts.ifVer {
		err = errStale // not before the decision: to an outsider no version exists
	}
	if err == nil && s.o.Veto != nil {
		err = s.veto(c, decision)
	}
	if err != nil {
		c.err = err
		return false, false
	}
	c.decision = decision
	c.result = resultOf(&decision, c.facts)
	if c.plan || len(decision.Offers) > 0 || len(decision.Events) == 0 && !c.opts.hasKey {
		return false, false
	}
	fold.add(&decision.rows)
	return false, true
}

// demanded is the room whose version IfVersion speaks of.
func (c *call) demanded() *Room {
	if c.first != nil {
		return &c.first.Room
	}
	return &c.facts.Room
}

// askFor prepares the next load. Facts about another room are kept beside it,
// because the decision has relied on them already.
func (c *call) askFor(n Need) {
	if n.Room != c.need.Room {
		c.first = c.facts
	}
	n.Command = c.need.Command
	c.need = &n
}

// lacks says what has to be got outside of the group before this call can be
// decided: users that only the host's directory knows, or contacts.
func (s *Service) lacks(c *call) error {
	if s.o.Directory != nil && !c.filledIn && !c.plan {
		var missing []UserID
		for _, id := range c.need.People {
			if c.facts.user(id).ID == "" {
				missing = append(missing, id)
			}
		}
		if len(missing) > 0 && !c.provisions() {
			return &lackingUsers{users: missing}
		}
	}
	if s.o.Contacts != nil && !c.askedContacts && !c.actor.system {
		if outsiders := c.outsiders(); len(outsiders) > 0 {
			return &askContacts{outsiders: outsiders}
		}
	}
	return nil
}

func (c *call) provisions() bool {
	_, puts := c.cmd.(PutUsers)
	return puts
}

// outsiders are the people named who are not of the actor's company.
func (c *call) outsiders() (list []UserID) {
	home := c.facts.user(c.actor.user).Company
	for _, id := range c.need.People {
		if u := c.facts.user(id); u.ID != "" && id != c.actor.user && (u.Company != home || home == "") {
			list = append(list, id)
		}
	}
	return list
}

func (s *Service) veto(c *call, d Decision) error {
	if err := s.o.Veto(c.actor, c.cmd, d); err != nil {
		return &Denied{Rule: "VETO", Actor: c.actor, Room: c.facts.Room.ID, Reason: err.Error()}
	}
	return nil
}

func resultOf(d *Decision, f *Facts) Result {
	r := Result{
		Room: d.Room, Opened: d.Opens, Changed: len(d.Events) > 0,
		Offers: d.Offers, Dropped: d.Dropped, Events: d.Events,
		Kind: f.Room.Kind, Version: f.Room.Version,
	}
	if n := len(d.rows.rooms); n > 0 {
		r.Kind, r.Version = d.rows.rooms[n-1].Kind, d.rows.rooms[n-1].Version
	}
	for _, e := range d.Events {
		r.Notices = append(r.Notices, NoticesOf(e)...)
	}
	return r
}

// commit stores what the calls have decided and gives each its outcome.
func (s *Service) commit(ctx context.Context, calls []*call, start time.Time) {
	changes := calls[0].changes[:0]
	kept := calls[:0]
	for _, c := range calls {
		change, err := c.change()
		if err != nil {
			c.err = err
			continue
		}
		changes, kept = append(changes, change), append(kept, c)
	}
	results, err := s.store.Commit(ctx, changes)
	if err == nil && len(results) != len(changes) {
		err = fmt.Errorf("%w: the store answered %d of %d changes", ErrUnknownOutcome, len(results), len(changes))
	}
	conflicts := 0
	for i, c := range kept {
		switch {
		case err != nil:
			c.err = err
		case results[i].Err != nil:
			c.err = results[i].Err
			conflicts++
		case results[i].Repeat:
			c.result, c.err = s.repeat(ctx, c, results[i].Outcome)
		default:
			c.result.Cursor = results[i].Outcome.Cursor
		}
	}
	if report := s.o.Observer.Group; report != nil {
		report(GroupReport{Commands: len(kept), Conflicts: conflicts, Took: s.o.Clock().Sub(start)})
	}
}

// change makes what the store has to compare and to write.
func (c *call) change() (Change, error) {
	d := &c.decision
	ch := Change{
		Command: c.id, Digest: c.digest, Expect: d.relied,
		Rooms: d.rows.rooms, Members: d.rows.members, Users: d.rows.users,
		Companies: d.rows.companies, Teams: d.rows.teams, Ended: d.rows.ended, Tallies: d.rows.tallies,
		Records: slices.Grow(c.space.records[:0], len(d.Events)),
		Outcome: Outcome{Command: c.id, Digest: c.digest, Room: d.Room, Changed: len(d.Events) > 0},
	}
	ch.Outcome.Events = slices.Grow(c.space.events[:0], len(d.Events))
	buf := slices.Grow(c.space.data[:0], len(c.space.data)*len(d.Events))
	for _, e := range d.Events {
		info := e.meta()
		info.Command = c.id
		from := len(buf)
		var err error
		if buf, err = Encode(buf, e); err != nil {
			return Change{}, err
		}
		ch.Records = append(ch.Records, Record{
			Subject: info.Subject, Version: info.Version, Type: e.Type(),
			At: info.At, Command: c.id, Data: buf[from:len(buf):len(buf)],
		})
		ch.Outcome.Events = append(ch.Outcome.Events, EventAt{info.Subject, info.Version})
	}
	return ch, nil
}

// repeat answers a command that was stored before with its first outcome.
func (s *Service) repeat(ctx context.Context, c *call, o Outcome) (Result, error) {
	if o.Digest != c.digest {
		return Result{}, ErrCommandReused
	}
	r := Result{Room: o.Room, Changed: o.Changed, Repeat: !c.uncertain, Cursor: o.Cursor}
	for _, at := range o.Events {
		records, err := s.store.History(ctx, at.Subject, at.Version-1, 1)
		if err != nil {
			return Result{}, err
		}
		if len(records) == 0 {
			return Result{}, fmt.Errorf("%w: event %s/%d of a stored command is missing", ErrUnsupported, at.Subject, at.Version)
		}
		e, err := Decode(records[0].Data)
		if err != nil {
			return Result{}, err
		}
		r.Events = append(r.Events, e)
		r.Notices = append(r.Notices, NoticesOf(e)...)
		if at.Subject.Type == SubjectRoom && at.Subject.Room == o.Room {
			r.Version, r.Kind = at.Version, e.Info().Kind
			r.Opened = r.Opened || e.Type() == "room.created"
		}
	}
	return r, nil
}
