package service

import (
	"cmp"
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
	current    *job // whose command the host or the store is busy with; nil: all of them
	report     *GroupReport
	unloaded   error // that of a load
	refused    bool  // a change on which later jobs were decided has not been stored
	hasty
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
	clear(g.jobs)
	clear(g.committing)
	clear(g.changes)
	if cap(g.data) > maxKept {
		g.data = nil
	}
	*g = group{
		jobs: g.jobs[:0], deciding: g.deciding[:0], committing: g.committing[:0],
		hasty: hasty{unsure: g.unsure[:0]}, needs: g.needs[:0], changes: g.changes[:0], records: g.records[:0], events: g.events[:0], data: g.data[:0],
	}
}

// run takes the jobs from Load to Commit. Every job ends with a step that is left
// to its caller: wherever run is broken off, the steps say what holds.
func (g *group) run(ctx context.Context, s *Service) {
	g.now = s.o.Clock()
	wrong := checkTime(g.now)
	for _, j := range g.jobs {
		g.current = j
		if j.err = cmp.Or(j.ctx.Err(), wrong); j.err != nil {
			j.step = stepDone
			continue
		}
		g.deciding = append(g.deciding, j)
	}
	g.atHand = s.hasty != nil && !slices.ContainsFunc(g.jobs, (*job).needsFresh)
	g.decideAll(ctx, s)
	if len(g.unsure) > 0 && len(g.committing) == 0 {
		g.again(false)
		g.decideAll(ctx, s)
	}
	if len(g.committing) > 0 {
		g.commit(ctx, s)
	} else if g.unloaded != nil {
		g.measure(s, 0, g.unloaded)
	}
	if len(g.unsure) > 0 && !g.lost { // what has just been stored was given to the log after these jobs had begun
		g.again(true)
		g.decideAll(ctx, s)
	}
}

// decideAll decides the jobs, and says what follows for each.
func (g *group) decideAll(ctx context.Context, s *Service) {
	for len(g.deciding) > 0 {
		g.current = nil
		g.load(ctx, s)
		more := g.deciding[:0]
		for _, j := range g.deciding {
			g.current = j
			switch next := g.decide(ctx, s, j); {
			case next == stepLoad:
				more = append(more, j)
			case j.atHand && next != stepCommit:
				g.doubt(j)
			case next == stepCommit:
				g.committing = append(g.committing, j)
			default:
				j.step = next
			}
		}
		g.deciding = more
	}
	g.current = nil
}

// checkTime demands a time that can be stored.
func checkTime(t time.Time) error {
	if year := t.UTC().Year(); t.IsZero() || year < 1 || year > 9999 {
		return &hostFault{"clock", fmt.Errorf("%w: it gives the time %s", roomkit.ErrUnsupported, t)}
	}
	return nil
}

// load loads what the jobs need. If that fails, each asks on its own, so that the rows
// of one are no hindrance to others.
func (g *group) load(ctx context.Context, s *Service) {
	err := g.ask(ctx, s, g.deciding)
	if err == nil {
		return
	}
	g.unloaded = err
	alone := len(g.deciding) == 1 || ctx.Err() != nil
	loaded := g.deciding[:0]
	for _, j := range g.deciding {
		g.current = j
		if ctx.Err() != nil && len(g.jobs) > 1 {
			err = ctx.Err() // what kept the others is not theirs
		} else if !alone {
			err = g.ask(ctx, s, []*job{j})
		}
		if err != nil {
			j.step = j.failed(err)
			continue
		}
		loaded = append(loaded, j)
	}
	g.deciding = loaded
}

func (g *group) ask(ctx context.Context, s *Service, jobs []*job) error {
	g.needs = g.needs[:0]
	for _, j := range jobs {
		g.needs = append(g.needs, j.need)
	}
	for _, j := range jobs {
		if j.reliesOnEarlier() {
			g.needs = append(g.needs, j.earlier.Need)
		}
	}
	for _, j := range jobs {
		g.needs = append(g.needs, j.beside...)
	}
	answers, err := g.answers(ctx, s)
	if err != nil {
		return err
	}
	earlier := answers[len(jobs):]
	for i, j := range jobs {
		if j.reliesOnEarlier() {
			j.outdated, earlier = !j.earlier.Same(&earlier[0]), earlier[1:]
		}
		f := &j.facts
		j.atHand = j.atHand || g.atHand
		f.Facts, f.Need, f.NewRoom, f.Contacts, f.Earlier = answers[i], j.need, j.newRoom, j.contacts, j.earlier
		if !j.actor.IsSystem() {
			j.home, j.atHome = f.Person(j.actor.User()).User.Company, true
		}
		f.HasDirectory, f.HasContacts, f.Asked, f.MaxDrift = s.o.Directory != nil, s.o.Contacts != nil, j.asked, s.o.MaxClockDrift
		j.looked.add(f)
	}
	for _, j := range jobs {
		for _, n := range j.beside {
			j.facts.LookAt(n, earlier[0])
			earlier = earlier[1:]
		}
	}
	return nil
}

// reliesOnEarlier reports whether a job has relied on facts about another room, and nobody
// will compare them but whoever loads on.
func (j *job) reliesOnEarlier() bool {
	return j.earlier != nil && !j.earlier.Need.Room.IsZero() && !j.provisional
}

// decide decides a job on the state as the jobs before it in the group leave it.
func (g *group) decide(ctx context.Context, s *Service, j *job) step {
	if j.facts.Done != nil {
		return s.repeat(ctx, j, j.facts.Done)
	}
	if g.mustReload(&j.facts) {
		j.err = roomkit.ErrConflict
		return stepFirst
	}
	if j.outdated {
		j.err = roomkit.ErrConflict
		return stepAgain
	}
	j.provisional = g.patch(&j.facts) || j.provisional
	var err error
	if j.fill, err = s.patch(ctx, &j.assumed, &j.facts); err != nil {
		return j.failed(err)
	}
	for !j.facts.Moved {
		next := g.judge(s, j)
		if next != stepLook || !j.lookedAround {
			return next
		}
		if j.decision.Look.Pages { // there have become too many for one look
			break
		}
		if err := s.lookAt(ctx, &j.facts, j.decision.Look.Needs); err != nil { // what has changed since
			return j.failed(err)
		}
	}
	return j.lookAgain()
}

// judge asks the core and the host's veto.
func (g *group) judge(s *Service, j *job) step {
	next, cmd := g.think(s, j)
	if next != stepCommit {
		return next
	}
	if !g.mayDecide(j) {
		return stepFirst
	}
	if j.err = s.veto(j, cmd); j.err != nil {
		return stepDone
	}
	switch {
	case j.plan || len(j.decision.Events) == 0 && j.Key == "":
		return stepDone
	case !j.fill.empty():
		return stepProvision
	case len(g.jobs) > 1:
		g.add(&j.decision.Rows)
	}
	return stepCommit
}

// think asks the core. While it reads the command, its caller does not go away; so the
// veto, which may take long, is given a copy where the caller can.
func (g *group) think(s *Service, j *job) (step, roomkit.Command) {
	j.reading.Lock()
	defer j.reading.Unlock()
	j.decision, j.err = j.scratch.Decide(s.rules, &j.facts, j.actor, j.cmd, g.now)
	switch d := &j.decision; {
	case j.err != nil:
		return stepDone, nil
	case d.Ask != nil:
		return stepAsk, nil
	case d.Look != nil:
		return stepLook, nil
	case d.Need != nil:
		return j.loadMore(*d.Need), nil
	}
	if j.IfVersion != 0 && j.facts.VersionOf(decide.Named(j.cmd)) != j.IfVersion {
		// Not before the decision: to an outsider no version exists.
		j.err = fmt.Errorf("%w: what the command names does not have the demanded version", roomkit.ErrConflict)
		return stepDone, nil
	}
	j.result, j.clockLag = resultOf(&j.decision, &j.facts), j.facts.Room.ChangedAt.Sub(g.now)
	if s.o.Veto == nil || len(g.jobs) == 1 {
		return stepCommit, j.cmd
	}
	return stepCommit, ownCopy(j.cmd)
}

// maxLoads is how often a job can have more loaded in one attempt. None needs it as often
// while the room stays as it is.
const maxLoads = 8

// loadMore prepares the next load. Facts about another room are kept beside it,
// because the decision has relied on them already.
func (j *job) loadMore(n store.Need) step {
	if j.loads++; j.loads > maxLoads { // what it needs changes with every load
		j.err = roomkit.ErrConflict
		return stepAgain
	}
	if n.Room != j.need.Room {
		earlier := j.facts
		j.earlier = &earlier
	}
	n.Command = j.need.Command
	j.need, j.facts = n, decide.Facts{}
	return stepLoad
}

func (s *Service) veto(j *job, cmd roomkit.Command) error {
	if s.o.Veto == nil || j.consequence {
		return nil
	}
	if err := s.o.Veto(j.actor, cmd, j.result); err != nil {
		return &roomkit.Denied{Rule: "VETO", Actor: j.actor, Room: j.facts.Room.ID, Reason: err.Error()}
	}
	return nil
}

func resultOf(d *decide.Decision, f *decide.Facts) Result {
	r := Result{
		Room: d.Room, Opened: d.Opens, Changed: len(d.Events) > 0,
		Dropped: d.Dropped, Differs: d.Differs, Events: d.Events,
		Kind: f.Room.Kind, Version: f.Room.Version,
	}
	if d.Found != nil {
		r.Kind, r.Version = d.Found.Kind, d.Found.Version
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
	g.encode()
	results, err := s.store.Commit(ctx, g.changes)
	if err == nil && len(results) != len(g.changes) {
		err = fmt.Errorf("%w: the store answered %d of %d changes", roomkit.ErrUnknownOutcome, len(results), len(g.changes))
	}
	g.refused, g.lost = g.refused || err != nil, err != nil || len(g.changes) == 0
	conflicts := 0
	for i, j := range g.committing {
		g.current = j
		if err != nil {
			j.step = j.failed(err)
			continue
		}
		if results[i].Err != nil {
			conflicts++
		}
		g.refused = g.refused || results[i].Err != nil || results[i].Repeat
		j.step = s.settle(ctx, j, &results[i])
	}
	g.withdraw()
	g.measure(s, conflicts, cmp.Or(err, g.unloaded))
}

// encode makes the changes. From here on nobody but the store knows what becomes of them.
func (g *group) encode() {
	committing := g.committing[:0]
	for _, j := range g.committing {
		if g.refused && j.provisional {
			continue
		}
		change, err := g.change(j)
		if err != nil {
			j.step, g.refused = j.failed(err), true
			continue
		}
		j.sent = true
		g.changes, committing = append(g.changes, change), append(committing, j)
	}
	g.committing = committing
}

// settle says what follows for a job from what the store has done with its change.
func (s *Service) settle(ctx context.Context, j *job, r *store.CommitResult) step {
	j.sent = false
	switch {
	case r.Err != nil && j.provisional:
		return stepAlone
	case r.Err != nil:
		return j.failed(r.Err)
	}
	j.provisional = false
	if r.Repeat {
		return s.repeat(ctx, j, &r.Outcome)
	}
	j.result.Cursor = r.Outcome.Cursor
	return stepDone
}

// withdraw takes back what was decided on a change that has not been stored, and what
// changes nothing and was decided on one that has: nobody has compared the rest of what it
// was decided on, which is of an earlier moment.
func (g *group) withdraw() {
	for _, j := range g.jobs {
		switch {
		case !j.provisional || j.sent:
		case g.refused:
			j.step = stepAlone
		case j.step == stepDone:
			j.step = stepFirst
		}
	}
}

// broken says what becomes of the jobs of a group that a panic or the end of its
// goroutine has broken off, and whether it is one of them that has brought it about.
func (g *group) broken(t *thrown) bool {
	g.refused = true
	g.withdraw()
	if g.current == nil {
		return false
	}
	g.current.step, g.current.thrown = stepThrow, t
	return true
}

// failed says what follows for a job from an error of the store.
func (j *job) failed(err error) step {
	j.err = err
	switch {
	case errors.Is(err, roomkit.ErrUnknownOutcome):
		return stepLookUp
	case errors.Is(err, roomkit.ErrConflict):
		return stepAgain
	case errors.Is(err, roomkit.ErrCommandReused) && j.Key == "":
		j.err = badID("of another command")
	case j.ctx.Err() != nil:
		j.err = j.ctx.Err()
	}
	return stepDone
}

// change makes what the store has to compare and to write.
func (g *group) change(j *job) (store.Change, error) {
	d := &j.decision
	record, event := len(g.records), len(g.events)
	for _, e := range d.Events {
		info := e.Info()
		info.Command = j.id
		from := len(g.data)
		var err error
		if g.data, err = codec.Encode(g.data, e); err != nil {
			return store.Change{}, err
		}
		g.records = append(g.records, store.Record{
			Subject: info.Subject, Version: info.Version, Type: e.Type(),
			At: info.At, Command: j.id, Data: g.data[from:len(g.data):len(g.data)],
		})
		g.events = append(g.events, store.EventAt{Subject: info.Subject, Version: info.Version})
	}
	return store.Change{
		Command: j.id, Digest: j.digest, Expect: d.Relied,
		Rooms: d.Rows.Rooms, Members: d.Rows.Members, Users: d.Rows.Users,
		Companies: d.Rows.Companies, Teams: d.Rows.Teams, Ended: d.Rows.Ended, Tallies: d.Rows.Tallies,
		Records: g.records[record:len(g.records):len(g.records)],
		Outcome: store.Outcome{
			Command: j.id, Digest: j.digest, Room: d.Room, Changed: len(d.Events) > 0,
			Events: g.events[event:len(g.events):len(g.events)],
		},
	}, nil
}

// repeat answers a command that was stored before with its first outcome.
func (s *Service) repeat(ctx context.Context, j *job, o *store.Outcome) step {
	if o.Digest != j.digest {
		return j.failed(roomkit.ErrCommandReused)
	}
	j.result = Result{Room: o.Room, Changed: o.Changed, Repeat: !j.uncertain, Cursor: o.Cursor}
	for _, at := range o.Events {
		e, err := s.event(ctx, at)
		if err != nil {
			return j.failed(err)
		}
		j.result.Events = append(j.result.Events, e)
		j.result.Notices = append(j.result.Notices, roomkit.NoticesOf(e)...)
		if at.Subject.Type == roomkit.SubjectRoom && at.Subject.Room == o.Room {
			j.result.Version, j.result.Kind = at.Version, e.Info().Kind
			j.result.Opened = j.result.Opened || e.Type() == "room.created"
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
