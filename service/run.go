package service

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/codec"
	"github.com/go-roomkit/roomkit/internal/backoff"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/store"
)

// newCall checks the form of a command and gives it its ids.
func (s *Service) newCall(ctx context.Context, actor roomkit.Actor, cmd roomkit.Command, given []Call) (*request, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c, _ := s.calls.Get().(*request)
	if c == nil {
		c = new(request)
	}
	c.ctx, c.actor, c.cmd = ctx, actor, cmd
	if err := decide.Check(actor, cmd); err != nil {
		return nil, err
	}
	if err := c.take(given); err != nil {
		return nil, err
	}
	if decide.OpensRoom(cmd) {
		c.newRoom = roomkit.RoomID(s.o.NewID())
	}
	c.id = roomkit.CommandID(s.o.NewID())
	if c.Key != "" {
		if err := c.keyed(); err != nil {
			return nil, err
		}
	}
	c.contacts = c.Contacts
	c.asks.People = c.people[:0]
	decide.FillNeed(&c.asks, actor, cmd)
	c.asksFor()
	if c.IfVersion != 0 && c.asks.Room.IsZero() {
		return nil, roomkit.BadInput("IfVersion", "the command names no room")
	}
	return c, nil
}

// take checks what the caller has said besides the command.
func (c *request) take(given []Call) error {
	if len(given) > 1 {
		return roomkit.BadInput("Call", "more than one")
	}
	if len(given) == 1 {
		c.Call = given[0]
	}
	if len(c.Key) > roomkit.MaxKeyBytes {
		return roomkit.BadInput("Key", fmt.Sprintf("more than %d bytes", roomkit.MaxKeyBytes))
	}
	for i, id := range c.Contacts {
		if err := decide.CheckUser(fmt.Sprintf("Contacts[%d]", i), id); err != nil {
			return err
		}
	}
	return nil
}

// release makes a call usable again, unless somebody may still be writing to it.
func (s *Service) release(c *request) {
	if !c.abandoned {
		*c = request{}
		s.calls.Put(c)
	}
}

func (c *request) keyed() error {
	payload, err := json.Marshal(c.cmd)
	if err != nil {
		return roomkit.BadInput("Command", err.Error())
	}
	c.digest = sha256.Sum256(append([]byte(c.cmd.CommandName()+"\x00"), payload...))
	c.id = keyID(c.actor, c.Key)
	return nil
}

func keyID(actor roomkit.Actor, key string) (id roomkit.CommandID) {
	sum := sha256.Sum256([]byte("roomkit command\x00" + actor.String() + "\x00" + key))
	copy(id[:], sum[:])
	return id
}

// numbered gives each command of one Each an id of its own under the same key.
func (c *request) numbered(i int) {
	if c.Key != "" {
		c.id = keyID(c.actor, fmt.Sprintf("%s\x00%d", c.Key, i))
		c.asks.Command = c.id
	}
}

var errStale = fmt.Errorf("%w: the room does not have the demanded version", roomkit.ErrConflict)

// lackingUsers says that the store does not know users whom the host's directory
// may know.
type lackingUsers struct{ users []roomkit.UserID }

func (*lackingUsers) Error() string { return "users unknown to the store" }

// askContacts says that a decision wants to know which outsiders are contacts.
type askContacts struct{ outsiders []roomkit.UserID }

func (*askContacts) Error() string { return "contacts unknown" }

// runGroup takes a group of calls from Load to Commit. Every call ends with a
// result or an error of its own.
func (s *Service) runGroup(ctx context.Context, group []*request) {
	start := s.o.Clock()
	fold := folded{many: len(group) > 1}
	var one [2][1]*request // no allocations for a call on its own
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
		var more []*request
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

func (s *Service) load(ctx context.Context, calls []*request) error {
	needs := calls[0].needs[:0]
	for _, c := range calls {
		needs = append(needs, *c.need)
	}
	facts, err := store.Ask(ctx, s.store, needs)
	if err != nil {
		return err
	}
	for i, c := range calls {
		c.facts = decide.Facts{Facts: facts[i], Need: *c.need, NewRoom: c.newRoom, Contacts: c.contacts, Earlier: c.first}
		if err := s.keepCurrent(ctx, &c.facts); err != nil {
			return err
		}
	}
	return nil
}

// keepCurrent leaves of the shared rooms those in which everybody asked for takes
// part by memberships that count (LST-06, LST-07, EXT-22). It costs a round trip
// when there are any.
func (s *Service) keepCurrent(ctx context.Context, f *decide.Facts) error {
	if len(f.Shared) == 0 {
		return nil
	}
	if err := s.moreShared(ctx, f); err != nil {
		return err
	}
	needs := make([]store.Need, len(f.Shared))
	for i := range f.Shared {
		needs[i] = store.Need{Room: f.Shared[i].Room.ID, People: f.Need.Shared}
	}
	rooms, err := store.Ask(ctx, s.store, needs)
	if err != nil {
		return err
	}
	kept := f.Shared[:0]
	for i := range rooms {
		room := decide.Facts{Facts: rooms[i], Need: needs[i]}
		if room.AllListed() {
			kept = append(kept, store.RoomEntry{Room: room.Room})
		}
	}
	f.Shared = kept
	return nil
}

// moreShared looks for further rooms of people who share more than a store gives
// at once, so that none is missed that comes first by what the user sees.
func (s *Service) moreShared(ctx context.Context, f *decide.Facts) error {
	if len(f.Shared) < store.MaxShared {
		return nil
	}
	known := make(map[roomkit.RoomID]bool, len(f.Shared))
	for i := range f.Shared {
		known[f.Shared[i].Room.ID] = true
	}
	seen := 0
	for page, err := range store.RoomPages(ctx, s.store, store.RoomQuery{Participants: f.Need.Shared, Limit: roomkit.MaxPage}) {
		if err != nil {
			return err
		}
		for i := range page {
			if !known[page[i].Room.ID] {
				f.Shared = append(f.Shared, page[i])
			}
		}
		if seen += len(page); seen >= roomkit.MaxSharedSeen {
			break
		}
	}
	return nil
}

// decideCall decides one call on the state as the calls before it in the group
// leave it. It reports whether the call needs another load, and whether it has
// something to commit; else the call is done.
func (s *Service) decideCall(ctx context.Context, c *request, fold *folded, now time.Time) (more, commit bool) {
	if c.facts.Done != nil {
		c.result, c.err = s.repeat(ctx, c, *c.facts.Done)
		return false, false
	}
	if fold.blurs(c.need) {
		c.err = roomkit.ErrConflict
		return false, false
	}
	fold.patch(&c.facts)
	if c.err = s.lacks(c); c.err != nil {
		return false, false
	}
	decision, err := c.scratch.Decide(s.rules, &c.facts, c.actor, c.cmd, now)
	if decision.Need != nil {
		c.askFor(decision.Need)
		return true, false
	}
	if err == nil && c.IfVersion != 0 && c.facts.Named().Version != c.IfVersion {
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
	c.result = resultOf(&decision, &c.facts)
	if c.plan || len(decision.Offers) > 0 || len(decision.Events) == 0 && c.Key == "" {
		return false, false
	}
	fold.add(&decision.Rows)
	return false, true
}

// askFor prepares the next load. Facts about another room are kept beside it,
// because the decision has relied on them already.
func (c *request) askFor(n *store.Need) {
	if n.Room != c.need.Room {
		first := c.facts
		c.first = &first
	}
	n.Command = c.need.Command
	c.need = n
}

// lacks says what has to be got outside of the group before this call can be
// decided: users that only the host's directory knows, or contacts.
func (s *Service) lacks(c *request) error {
	if s.o.Directory != nil && !c.filledIn && !c.plan {
		if missing := c.facts.Missing(); len(missing) > 0 && !c.provisions() {
			return &lackingUsers{users: missing}
		}
	}
	if s.o.Contacts != nil && !c.askedContacts && !c.actor.IsSystem() {
		if outsiders := c.facts.Outsiders(c.actor.User()); len(outsiders) > 0 {
			return &askContacts{outsiders: outsiders}
		}
	}
	return nil
}

func (c *request) provisions() bool {
	_, puts := c.cmd.(roomkit.PutUsers)
	return puts
}

func (s *Service) veto(c *request, d decide.Decision) error {
	if err := s.o.Veto(c.actor, c.cmd, d); err != nil {
		return &roomkit.Denied{Rule: "VETO", Actor: c.actor, Room: c.facts.Room.ID, Reason: err.Error()}
	}
	return nil
}

func resultOf(d *decide.Decision, f *decide.Facts) Result {
	r := Result{
		Room: d.Room, Opened: d.Opens, Changed: len(d.Events) > 0,
		Offers: d.Offers, Dropped: d.Dropped, Events: d.Events,
		Kind: f.Room.Kind, Version: f.Room.Version,
	}
	if n := len(d.Rows.Rooms); n > 0 {
		r.Kind, r.Version = d.Rows.Rooms[n-1].Kind, d.Rows.Rooms[n-1].Version
	}
	for _, e := range d.Events {
		r.Notices = append(r.Notices, roomkit.NoticesOf(e)...)
	}
	return r
}

// commit stores what the calls have decided and gives each its outcome.
func (s *Service) commit(ctx context.Context, calls []*request, start time.Time) {
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
		err = fmt.Errorf("%w: the store answered %d of %d changes", roomkit.ErrUnknownOutcome, len(results), len(changes))
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
func (c *request) change() (store.Change, error) {
	d := &c.decision
	ch := store.Change{
		Command: c.id, Digest: c.digest, Expect: d.Relied,
		Rooms: d.Rows.Rooms, Members: d.Rows.Members, Users: d.Rows.Users,
		Companies: d.Rows.Companies, Teams: d.Rows.Teams, Ended: d.Rows.Ended, Tallies: d.Rows.Tallies,
		Records: slices.Grow(c.records[:0], len(d.Events)),
		Outcome: store.Outcome{Command: c.id, Digest: c.digest, Room: d.Room, Changed: len(d.Events) > 0},
	}
	ch.Outcome.Events = slices.Grow(c.events[:0], len(d.Events))
	buf := slices.Grow(c.data[:0], len(c.data)*len(d.Events))
	for _, e := range d.Events {
		info := e.Head()
		info.Command = c.id
		from := len(buf)
		var err error
		if buf, err = codec.Encode(buf, e); err != nil {
			return store.Change{}, err
		}
		ch.Records = append(ch.Records, store.Record{
			Subject: info.Subject, Version: info.Version, Type: e.Type(),
			At: info.At, Command: c.id, Data: buf[from:len(buf):len(buf)],
		})
		ch.Outcome.Events = append(ch.Outcome.Events, store.EventAt{Subject: info.Subject, Version: info.Version})
	}
	return ch, nil
}

// repeat answers a command that was stored before with its first outcome.
func (s *Service) repeat(ctx context.Context, c *request, o store.Outcome) (Result, error) {
	if o.Digest != c.digest {
		return Result{}, roomkit.ErrCommandReused
	}
	r := Result{Room: o.Room, Changed: o.Changed, Repeat: !c.uncertain, Cursor: o.Cursor}
	for _, at := range o.Events {
		records, err := s.store.History(ctx, at.Subject, at.Version-1, 1)
		if err != nil {
			return Result{}, err
		}
		if len(records) == 0 {
			return Result{}, fmt.Errorf("%w: event %s/%d of a stored command is missing", roomkit.ErrUnsupported, at.Subject, at.Version)
		}
		e, err := codec.Decode(records[0].Data)
		if err != nil {
			return Result{}, err
		}
		r.Events = append(r.Events, e)
		r.Notices = append(r.Notices, roomkit.NoticesOf(e)...)
		if at.Subject.Type == roomkit.SubjectRoom && at.Subject.Room == o.Room {
			r.Version, r.Kind = at.Version, e.Info().Kind
			r.Opened = r.Opened || e.Type() == "room.created"
		}
	}
	return r, nil
}

// finish runs a call until it has an outcome.
func (s *Service) finish(c *request) (Result, error) {
	report := s.o.Observer.Command
	if report == nil {
		result, err := s.attempt(c)
		return result, wrap(c.actor, c.cmd, err)
	}
	start := s.o.Clock()
	result, err := s.attempt(c)
	err = wrap(c.actor, c.cmd, err)
	report(CommandReport{
		Name: c.cmd.CommandName(), Actor: c.actor, Room: result.Room, Err: err,
		Changed: result.Changed, Attempts: c.attempts, Took: s.o.Clock().Sub(start),
	})
	return result, err
}

func (s *Service) attempt(c *request) (Result, error) {
	for c.attempts = 1; ; c.attempts++ {
		if err := s.run(c); err != nil {
			return Result{}, c.givenUp(err)
		}
		if c.err == nil {
			return c.result, nil
		}
		again, err := s.again(c)
		if !again {
			return Result{}, err
		}
		if err := pause(c.ctx, c.attempts); err != nil {
			return Result{}, c.givenUp(err)
		}
	}
}

// pause waits longer after every attempt; the first rerun is immediate.
func pause(ctx context.Context, attempts int) error {
	if attempts == 1 {
		return ctx.Err()
	}
	return backoff.Pauses{First: time.Millisecond, Longest: 50 * time.Millisecond}.Wait(ctx, attempts)
}

// again reports whether a failed call can be run once more, after getting what
// it lacked.
func (s *Service) again(c *request) (bool, error) {
	var lacking *lackingUsers
	var contacts *askContacts
	switch {
	case c.attempts >= s.o.Attempts:
		return false, c.givenUp(c.err)
	case errors.As(c.err, &lacking):
		if err := s.fillIn(c.ctx, lacking.users); err != nil {
			return false, err
		}
		c.filledIn = true
		return true, nil
	case errors.As(c.err, &contacts):
		known, err := s.o.Contacts(c.ctx, c.actor.User(), contacts.outsiders)
		if err != nil {
			return false, err
		}
		c.contacts = append(c.contacts[:len(c.contacts):len(c.contacts)], known...)
		c.askedContacts = true
		return true, nil
	case c.ctx.Err() != nil:
		c.uncertain = c.uncertain || errors.Is(c.err, roomkit.ErrUnknownOutcome)
		return false, c.givenUp(c.ctx.Err())
	case errors.Is(c.err, roomkit.ErrUnknownOutcome):
		c.asks.Command, c.uncertain = c.id, true
	case !errors.Is(c.err, roomkit.ErrConflict) || errors.Is(c.err, errStale):
		return false, c.givenUp(c.err)
	}
	s.o.Logger.LogAttrs(c.ctx, slog.LevelDebug, "roomkit: running a command again",
		slog.String("command", c.cmd.CommandName()), slog.Int("attempt", c.attempts), slog.Any("cause", c.err))
	return true, nil
}

// givenUp is what a caller learns whose command is not run again. Even a refusal
// leaves open what becomes of an earlier attempt that may still be on its way.
func (c *request) givenUp(err error) error {
	if c.uncertain && !errors.Is(err, roomkit.ErrUnknownOutcome) {
		return fmt.Errorf("%w: %w", roomkit.ErrUnknownOutcome, err)
	}
	return err
}

// fillIn provisions users that the host's directory knows and the store does not.
func (s *Service) fillIn(ctx context.Context, missing []roomkit.UserID) error {
	users, companies, err := s.o.Directory.Users(ctx, missing)
	if err != nil {
		return fmt.Errorf("directory: %w", err)
	}
	for _, c := range companies {
		known, err := store.Ask(ctx, s.store, []store.Need{{Companies: []roomkit.CompanyID{c.ID}}})
		if err != nil {
			return err
		}
		if len(known[0].Companies) > 0 {
			continue
		}
		if err := s.provision(ctx, roomkit.PutCompany{Company: c}); err != nil {
			return err
		}
	}
	if len(users) == 0 {
		return nil
	}
	return s.provision(ctx, roomkit.PutUsers{Users: users})
}

func (s *Service) provision(ctx context.Context, cmd roomkit.Command) error {
	if _, err := s.Do(ctx, roomkit.System(), cmd); err != nil {
		return fmt.Errorf("directory: %w", within(err))
	}
	return nil
}

// folded keeps the rows that the calls of a group have changed so far, so that a
// later call of the same group is decided on them.
type folded struct {
	many      bool // there is more than one call
	rooms     map[roomkit.RoomID]roomkit.Room
	members   map[roomkit.RoomID]map[roomkit.UserID]roomkit.Member
	users     map[roomkit.UserID]roomkit.User
	companies map[roomkit.CompanyID]roomkit.Company
	teams     map[roomkit.TeamID]roomkit.Team
	userTally map[roomkit.UserID]int64
	compTally map[roomkit.CompanyID]int64
}

func put[K comparable, V any](m *map[K]V, k K, v V) {
	if *m == nil {
		*m = make(map[K]V)
	}
	(*m)[k] = v
}

func (f *folded) add(r *decide.Rows) {
	if !f.many {
		return
	}
	for _, v := range r.Rooms {
		put(&f.rooms, v.ID, v)
	}
	for _, v := range r.Members {
		if f.members[v.Room] == nil {
			put(&f.members, v.Room, make(map[roomkit.UserID]roomkit.Member))
		}
		f.members[v.Room][v.User] = v
	}
	for _, v := range r.Users {
		put(&f.users, v.ID, v)
	}
	for _, v := range r.Companies {
		put(&f.companies, v.ID, v)
	}
	for _, v := range r.Teams {
		put(&f.teams, v.ID, v)
	}
	for _, v := range r.Tallies {
		if v.User != "" {
			put(&f.userTally, v.User, v.Now)
		} else {
			put(&f.compTally, v.Company, v.Now)
		}
	}
}

// patch brings facts up to what the group has decided so far. Rows of people
// whose room has ended in the group are not needed: such a room refuses all.
func (f *folded) patch(facts *decide.Facts) {
	if !f.many {
		return
	}
	if room, ok := f.rooms[facts.Need.Room]; ok {
		facts.Room = room
	}
	f.patchMembers(facts)
	for i := range facts.Users {
		u := &facts.Users[i]
		if v, ok := f.users[u.ID]; ok {
			v.Groups = u.Groups
			*u = v
		}
		if now, ok := f.userTally[u.ID]; ok {
			u.Groups = now
		}
	}
	for i := range facts.Companies {
		c := &facts.Companies[i]
		if v, ok := f.companies[c.ID]; ok {
			v.Groups = c.Groups
			*c = v
		}
		if now, ok := f.compTally[c.ID]; ok {
			c.Groups = now
		}
	}
	if team, ok := f.teams[facts.Team.ID]; ok {
		facts.Team = team
	}
}

// patchMembers replaces and adds the rows of the people asked for.
func (f *folded) patchMembers(facts *decide.Facts) {
	changed := f.members[facts.Need.Room]
	if len(changed) == 0 {
		return
	}
	for _, id := range facts.Need.People {
		v, ok := changed[id]
		if !ok {
			continue
		}
		if i := slices.IndexFunc(facts.Members, func(m roomkit.Member) bool { return m.User == id }); i >= 0 {
			facts.Members[i] = v
		} else {
			facts.Members = append(facts.Members, v)
		}
	}
}

// blurs reports whether the group has changed people of a room of which a later
// call needs all: it has to look again after the commit.
func (f *folded) blurs(n *store.Need) bool {
	return (n.Everybody || n.Masters) && len(f.members[n.Room]) > 0
}
