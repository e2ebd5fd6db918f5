package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/codec"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/store"
)

// group is jobs that go from Load to Commit together, with the memory for it.
type group struct {
	jobs       []*job
	deciding   []*job
	committing []*job
	now        time.Time
	folded

	needs   []store.Need
	changes []store.Change
	records []store.Record
	events  []store.EventAt
	data    []byte
}

// maxKept is how much memory for events a group keeps for the next one.
const maxKept = 64 << 10

// clear makes a group usable again.
func (g *group) clear() {
	clear(g.jobs[:cap(g.jobs)])
	clear(g.deciding[:cap(g.deciding)])
	clear(g.committing[:cap(g.committing)])
	clear(g.needs)
	clear(g.changes)
	clear(g.records)
	data := g.data
	if cap(data) > maxKept {
		data = nil
	}
	*g = group{
		jobs: g.jobs[:0], deciding: g.deciding[:0], committing: g.committing[:0],
		needs: g.needs[:0], changes: g.changes[:0], records: g.records[:0], events: g.events[:0], data: data[:0],
	}
}

// run takes the jobs from Load to Commit. Every job ends with a step that is left
// to its caller.
func (g *group) run(ctx context.Context, s *Service) {
	g.now = s.o.Clock()
	g.many = len(g.jobs) > 1
	for _, c := range g.jobs {
		if c.err = c.ctx.Err(); c.err == nil {
			g.deciding = append(g.deciding, c)
		}
	}
	for len(g.deciding) > 0 {
		if err := g.load(ctx, s); err != nil {
			for _, c := range g.deciding {
				c.step = c.failed(err)
			}
			break
		}
		more := g.deciding[:0]
		for _, c := range g.deciding {
			c.step = g.decide(ctx, s, c)
			switch c.step {
			case stepLoad:
				more = append(more, c)
			case stepCommit:
				g.committing = append(g.committing, c)
			default: // left to the caller
			}
		}
		g.deciding = more
	}
	if len(g.committing) > 0 {
		g.commit(ctx, s)
	}
}

func (g *group) load(ctx context.Context, s *Service) error {
	g.needs = g.needs[:0]
	for _, c := range g.deciding {
		g.needs = append(g.needs, c.need)
	}
	answers, err := store.Ask(ctx, s.store, g.needs)
	if err != nil {
		return err
	}
	for i, c := range g.deciding {
		c.facts = decide.Facts{Facts: answers[i], Need: c.need, NewRoom: c.newRoom, Contacts: c.contacts, Earlier: c.earlier}
		if err := s.dropVoidShared(ctx, &c.facts); err != nil {
			return err
		}
	}
	return nil
}

// dropVoidShared leaves of the shared rooms those in which everybody asked for takes
// part by memberships that count (LST-06, LST-07, EXT-22). It costs a round trip
// when there are any.
func (s *Service) dropVoidShared(ctx context.Context, f *decide.Facts) error {
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
	f.Shared = f.Shared[:0]
	for i := range rooms {
		room := decide.Facts{Facts: rooms[i], Need: needs[i]}
		if room.AllListed() {
			f.Shared = append(f.Shared, store.RoomEntry{Room: room.Room})
		}
	}
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

// decide decides a job on the state as the jobs before it in the group leave it.
func (g *group) decide(ctx context.Context, s *Service, c *job) step {
	if c.facts.Done != nil {
		return s.repeat(ctx, c, c.facts.Done)
	}
	if g.mustReload(&c.need) {
		return c.failed(roomkit.ErrConflict)
	}
	g.patch(&c.facts)
	if ask := s.askFirst(c); ask != stepDone {
		return ask
	}
	c.decision, c.err = c.scratch.Decide(s.rules, &c.facts, c.actor, c.cmd, g.now)
	if c.err != nil {
		return stepDone
	}
	if more := c.decision.Need; more != nil {
		return c.loadMore(*more)
	}
	if c.IfVersion != 0 && c.facts.Named().Version != c.IfVersion {
		// Not before the decision: to an outsider no version exists.
		c.err = fmt.Errorf("%w: the room does not have the demanded version", roomkit.ErrConflict)
		return stepDone
	}
	c.result = resultOf(&c.decision, &c.facts)
	if c.err = s.veto(c); c.err != nil {
		return stepDone
	}
	if c.plan || len(c.decision.Offers) > 0 || len(c.decision.Events) == 0 && c.Key == "" {
		return stepDone
	}
	g.add(&c.decision.Rows)
	return stepCommit
}

// askFirst says whether somebody outside has to be asked before the job can be decided:
// the directory about users, or who is a contact.
func (s *Service) askFirst(c *job) step {
	_, provisions := c.cmd.(roomkit.PutUsers)
	if s.o.Directory != nil && !c.askedDirectory && !c.plan && !provisions {
		if c.about = c.facts.Missing(); len(c.about) > 0 {
			return stepAskDirectory
		}
	}
	if s.o.Contacts != nil && !c.askedContacts && !c.actor.IsSystem() {
		if c.about = c.facts.Outsiders(c.actor.User()); len(c.about) > 0 {
			return stepAskContacts
		}
	}
	return stepDone
}

// loadMore prepares the next load. Facts about another room are kept beside it,
// because the decision has relied on them already.
func (c *job) loadMore(n store.Need) step {
	if n.Room != c.need.Room {
		earlier := c.facts
		c.earlier = &earlier
	}
	n.Command = c.need.Command
	c.need = n
	return stepLoad
}

func (s *Service) veto(c *job) error {
	if s.o.Veto == nil {
		return nil
	}
	if err := s.o.Veto(c.actor, c.cmd, c.result); err != nil {
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

// commit stores what the jobs have decided.
func (g *group) commit(ctx context.Context, s *Service) {
	committing := g.committing[:0]
	for _, c := range g.committing {
		change, err := g.change(c)
		if err != nil {
			c.step = c.failed(err)
			continue
		}
		g.changes, committing = append(g.changes, change), append(committing, c)
	}
	results, err := s.store.Commit(ctx, g.changes)
	if err == nil && len(results) != len(g.changes) {
		err = fmt.Errorf("%w: the store answered %d of %d changes", roomkit.ErrUnknownOutcome, len(results), len(g.changes))
	}
	conflicts := 0
	for i, c := range committing {
		if err != nil {
			c.step = c.failed(err)
			continue
		}
		if results[i].Err != nil {
			conflicts++
		}
		c.step = s.settle(ctx, c, &results[i])
	}
	if report := s.o.Observer.Group; report != nil {
		report(GroupReport{Commands: len(committing), Conflicts: conflicts, Took: s.o.Clock().Sub(g.now)})
	}
}

// settle says what follows for a job from what the store has done with its change.
func (s *Service) settle(ctx context.Context, c *job, r *store.CommitResult) step {
	switch {
	case r.Err != nil:
		return c.failed(r.Err)
	case r.Repeat:
		return s.repeat(ctx, c, &r.Outcome)
	}
	c.result.Cursor = r.Outcome.Cursor
	return stepDone
}

// failed says what follows for a job from an error of the store.
func (c *job) failed(err error) step {
	c.err = err
	switch {
	case errors.Is(err, roomkit.ErrUnknownOutcome):
		return stepLookUp
	case errors.Is(err, roomkit.ErrConflict):
		return stepAgain
	case c.ctx.Err() != nil:
		c.err = c.ctx.Err()
	}
	return stepDone
}

// change makes what the store has to compare and to write.
func (g *group) change(c *job) (store.Change, error) {
	d := &c.decision
	record, event := len(g.records), len(g.events)
	for _, e := range d.Events {
		info := e.Info()
		info.Command = c.id
		from := len(g.data)
		var err error
		if g.data, err = codec.Encode(g.data, e); err != nil {
			return store.Change{}, err
		}
		g.records = append(g.records, store.Record{
			Subject: info.Subject, Version: info.Version, Type: e.Type(),
			At: info.At, Command: c.id, Data: g.data[from:len(g.data):len(g.data)],
		})
		g.events = append(g.events, store.EventAt{Subject: info.Subject, Version: info.Version})
	}
	return store.Change{
		Command: c.id, Digest: c.digest, Expect: d.Relied,
		Rooms: d.Rows.Rooms, Members: d.Rows.Members, Users: d.Rows.Users,
		Companies: d.Rows.Companies, Teams: d.Rows.Teams, Ended: d.Rows.Ended, Tallies: d.Rows.Tallies,
		Records: g.records[record:len(g.records):len(g.records)],
		Outcome: store.Outcome{
			Command: c.id, Digest: c.digest, Room: d.Room, Changed: len(d.Events) > 0,
			Events: g.events[event:len(g.events):len(g.events)],
		},
	}, nil
}

// repeat answers a command that was stored before with its first outcome.
func (s *Service) repeat(ctx context.Context, c *job, o *store.Outcome) step {
	if o.Digest != c.digest {
		return c.failed(roomkit.ErrCommandReused)
	}
	c.result = Result{Room: o.Room, Changed: o.Changed, Repeat: !c.uncertain, Cursor: o.Cursor}
	for _, at := range o.Events {
		e, err := s.event(ctx, at)
		if err != nil {
			return c.failed(err)
		}
		c.result.Events = append(c.result.Events, e)
		c.result.Notices = append(c.result.Notices, roomkit.NoticesOf(e)...)
		if at.Subject.Type == roomkit.SubjectRoom && at.Subject.Room == o.Room {
			c.result.Version, c.result.Kind = at.Version, e.Info().Kind
			c.result.Opened = c.result.Opened || e.Type() == "room.created"
		}
	}
	return stepDone
}

// event reads one stored event.
func (s *Service) event(ctx context.Context, at store.EventAt) (roomkit.Event, error) {
	records, err := s.store.History(ctx, at.Subject, at.Version-1, 1)
	if err != nil {
		return nil, err
	}
	if len(records) == 0 {
		return nil, fmt.Errorf("%w: event %s/%d of a stored command is missing", roomkit.ErrUnsupported, at.Subject, at.Version)
	}
	return codec.Decode(records[0].Data)
}

// folded keeps the rows that the jobs of a group have changed so far, so that a
// later job of the same group is decided on them.
type folded struct {
	many      bool // there is more than one job
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

// mustReload reports whether the group has changed people of a room of which a later
// job needs all: it has to look again after the commit.
func (f *folded) mustReload(n *store.Need) bool {
	return (n.Everybody || n.Masters) && len(f.members[n.Room]) > 0
}
