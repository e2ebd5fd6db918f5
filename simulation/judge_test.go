package simulation

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/codec"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// A judge goes through all states that there have been, in the order of the commits, with a
// store of its own and a service that nobody disturbs. It demands that each stored change
// is what the state before it makes of its command, byte for byte, and that each answer is
// that of a state between call and return.
type judge struct {
	w     *world
	store *memstore.Store
	bare  *service.Service // without the veto of the host, which is not asked about consequences
	plain *service.Service // as for changes: users are filled in before
	full  *service.Service // as for answers: nobody is filled in for what is refused
	now   time.Time
	room  roomkit.RoomID // the id of a room that is opened
	made  []byte         // what a command would have stored instead, as far as it differs
	found roomkit.RoomID // that the state before a change has, and its command has opened another one

	at     map[store.EventAt]int   // which change an event belongs to
	opened map[string]roomkit.Room // by an invitation, the last one of each for the same people
	open   []*request              // whose answer needs a state, by the first that it could be
	asking []*question             // the same
}

func (w *world) judge() {
	j := &judge{w: w, store: memstore.New(), at: map[store.EventAt]int{}, opened: map[string]roomkit.Room{}}
	o := service.Options{
		Clock: func() time.Time { return j.now }, NewID: func() [16]byte { return j.room }, Contacts: contacts, Attempts: 1,
	}
	j.bare = j.service(o)
	if w.veto {
		o.Veto = refused
	}
	j.plain = j.service(o)
	if w.directory {
		o.Directory = honest{}
	}
	j.full = j.service(o)
	for i := range w.disk.log {
		for _, e := range w.disk.log[i].Outcome.Events {
			j.at[e] = i
		}
	}
	j.begin()
	p := newPermissions(j)
	for i := range w.disk.log {
		j.state(i)
		j.change(i, &w.disk.log[i])
		var results []store.CommitResult
		var err error
		fits := func(c store.Change) bool {
			results, err = j.store.Commit(context.Background(), []store.Change{c})
			return err == nil && results[0].Err == nil
		}
		if !fits(w.disk.log[i].Change) && !slices.ContainsFunc(w.disk.log[i].orSo, fits) {
			w.complain("change %d does not fit the state before it: %v %v", i, err, results)
			return
		}
		p.follow(&w.disk.log[i])
	}
	j.state(len(w.disk.log))
	j.end()
	if w.enforce {
		j.swept()
	}
}

func (j *judge) service(o service.Options) *service.Service {
	svc, err := service.New(j.store, &o)
	if err != nil {
		panic(err)
	}
	return svc
}

// begin sorts the answers: what was stored is looked up, what was not needs a state.
func (j *judge) begin() {
	for _, o := range j.w.ops {
		if o.question != nil {
			if !o.silent() && !passes(o.question.err) {
				j.asking = append(j.asking, o.question)
			}
			continue
		}
		for _, r := range o.requests {
			j.answer(r)
		}
	}
}

// silent reports whether the caller was told nothing.
func (o *op) silent() bool { return !o.done || o.panicked != nil || o.goexit }

// passes reports whether an error says nothing about rooms and people.
func passes(err error) bool {
	var bad *injected
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		errors.As(err, &bad) || errors.Is(err, errUnreadable) ||
		errors.Is(err, roomkit.ErrUnavailable) // of a database on a slow machine, which is less patient than it is slow
}

func (j *judge) answer(r *request) {
	if r.panicked != nil {
		j.panicked(r)
	}
	switch {
	case r.silent() || errors.Is(r.err, roomkit.ErrUnknownOutcome):
	case r.err == nil && r.result.Changed:
		if r.result.Repeat && !j.keyUsed(r) {
			j.w.complain("%s is told that it is a repeat, and nobody has used the key: %s", r.label(), r.said())
		}
		j.claim(r)
	case passes(r.err):
		j.passed(r)
	case errors.Is(r.err, roomkit.ErrConflict) && !strings.Contains(r.err.Error(), "demanded version"):
		// Nothing is stored, which is looked at from the other side.
		if r.call.Key == "" && len(r.op.requests) == 1 && r.conflicts < j.w.attempts {
			j.w.complain("%s gives up after %d conflicts of %d: %v", r.label(), r.conflicts, j.w.attempts, r.err)
		}
	case (errors.Is(r.err, roomkit.ErrCommandReused) || r.err == nil && r.result.Repeat) && !j.keyUsed(r):
		j.w.complain("%s is told that its key was used, and nobody has: %s", r.label(), r.said())
	default:
		j.open = append(j.open, r)
	}
}

// keyUsed reports whether the caller's key could have been used before.
func (j *judge) keyUsed(r *request) bool {
	return slices.ContainsFunc(j.w.ops, func(o *op) bool {
		return o != r.op && len(o.requests) > 0 && o.began <= r.ended && o.requests[0].by == r.by && o.requests[0].call.Key == r.call.Key &&
			(len(o.requests) > 1) == (len(r.op.requests) > 1)
	})
}

// panicked demands that a panic is one that belongs to the caller.
func (j *judge) panicked(r *request) {
	switch p := r.panicked.(type) {
	case *injected:
		if p.commit && p.size != 1 {
			j.w.complain("%s has the panic of a call for %d: %v", r.label(), p.size, p)
		}
	case *vetoPanic:
		if !slices.ContainsFunc(r.op.requests, func(r *request) bool { return panics(r.cmd) }) {
			j.w.complain("%s has the panic of another's command: %s", r.label(), p)
		}
	default:
		j.w.complain("%s panics: %v", r.label(), p)
	}
}

// passed demands that an error about nobody is one that concerns the command.
func (j *judge) passed(r *request) {
	var bad *injected
	if errors.Is(r.err, errUnreadable) && !r.mentions(unreadableUser) {
		j.w.complain("%s fails because of somebody else's row: %v", r.label(), r.err)
	}
	if errors.As(r.err, &bad) && bad.commit && r.call.Key == "" && !r.several && bad.who != r.actor &&
		!slices.ContainsFunc(bad.commands, func(id roomkit.CommandID) bool { return j.w.owners[id] == r.op }) {
		j.w.complain("%s has the error of others: %v", r.label(), r.err)
	}
}

func (r *request) mentions(id roomkit.UserID) bool {
	text, err := roomkit.MarshalCommand(r.cmd)
	return err != nil || r.by.User() == id || bytes.Contains(text, []byte(id))
}

// claim demands that what a caller was told as stored is stored, by this command.
func (j *judge) claim(r *request) {
	events := r.result.Events
	if len(events) == 0 {
		j.w.complain("%s has changed something without an event", r.label())
		return
	}
	info := events[0].Info()
	i, stored := j.at[store.EventAt{Subject: info.Subject, Version: info.Version}]
	if !stored {
		j.w.complain("%s was told of %s %s@%d, which is not stored", r.label(), events[0].Type(), info.Subject, info.Version)
		return
	}
	e := &j.w.disk.log[i]
	if len(e.Records) != len(events) {
		j.w.complain("%s was told of %d events, and %d are stored", r.label(), len(events), len(e.Records))
		return
	}
	for n, ev := range events {
		data, err := codec.Encode(nil, ev)
		if err != nil || !bytes.Equal(data, e.Records[n].Data) {
			j.w.complain("%s was told of another event than what is stored:\n  %s\n  %s %v", r.label(), data, e.Records[n].Data, err)
			return
		}
	}
	r.stored = i
	switch r.cmd.(type) {
	case roomkit.AddCompany, roomkit.AddUser:
		if info.Version > 1 {
			j.w.complain("%s provisions again what is there, and has changed it: %s", r.label(), r.said())
		}
	}
	switch {
	case r.result.Repeat:
		if r.call.Key == "" {
			j.w.complain("%s is told that it is a repeat, and has no key", r.label())
		}
		if i >= r.to {
			j.w.complain("%s was told of change %d before it was stored", r.label(), i)
		}
		return
	case i < r.from || i >= r.to:
		j.w.complain("%s was told that it made change %d, and was there from %d to %d", r.label(), i, r.from, r.to)
	case r.call.Key == "" && e.owner != r.op:
		j.w.complain("%s was told of what another command did", r.label())
	}
	if e.told++; e.told > 1 && r.call.Key == "" {
		j.w.complain("%s was told of change %d, as somebody else was", r.label(), i)
	}
}

// state tries to explain answers by the state before change i.
func (j *judge) state(i int) {
	j.open = slices.DeleteFunc(j.open, func(r *request) bool {
		switch {
		case i < r.from:
			return false
		case i > r.to:
			if !r.explained {
				j.w.complain("%s was told what no state between call and return explains:\n  told %s\n  last %s", r.label(), r.said(), r.nearest.said())
			}
			return true
		}
		r.explained = r.explained || j.explains(r)
		return r.explained
	})
	j.asking = slices.DeleteFunc(j.asking, func(q *question) bool {
		switch {
		case i < q.from:
			return false
		case i > q.to:
			j.w.complain("%s was told what no state between call and return explains:\n  told %+v %v\n  last %s", q.label(), q.answer, q.err, fmt.Sprintf("%+v %v", q.nearest.answer, q.nearest.err))
			return true
		}
		return j.explainsQuestion(q)
	})
}

// end complains about what is left.
func (j *judge) end() {
	j.state(len(j.w.disk.log) + 1)
	for _, r := range j.open {
		j.w.complain("%s was told what no state between call and return explains: told %s, last %s", r.label(), r.said(), r.nearest.said())
	}
}

func sameError(a, b error) bool {
	if (a == nil) != (b == nil) {
		return false
	}
	return a == nil || a.Error() == b.Error() && sameOffers(a, b)
}

func sameOffers(a, b error) bool {
	var x, y *roomkit.Offered
	if !errors.As(a, &x) {
		return true
	}
	return errors.As(b, &y) && reflect.DeepEqual(x, y)
}

// explains asks the undisturbed service for the answer.
func (j *judge) explains(r *request) bool {
	j.now, j.room = r.process.clock(), roomkit.RoomID{14: 1}
	call := r.call
	if len(r.op.requests) > 1 && call.Key != "" { // the key of a batch is another one, which Plan does not know
		call.Key = ""
		if errors.Is(r.err, roomkit.ErrCommandReused) || r.err == nil && r.result.Repeat {
			return true
		}
	}
	got, err := j.full.Plan(context.Background(), r.by, r.cmd, call)
	r.nearest = &request{result: got, err: err}
	if err != nil || r.err != nil {
		return sameError(err, r.err)
	}
	same := got.Version == r.result.Version && got.Kind == r.result.Kind
	remembered := r.call.Key != "" && r.result.Version == 0 // an outcome without events tells no version
	return !got.Changed && got.Room == r.result.Room && (same || remembered) &&
		slices.Equal(got.Dropped, r.result.Dropped) && (slices.Equal(got.Differs, r.result.Differs) || r.call.Key != "" && r.result.Differs == nil)
}

func (j *judge) explainsQuestion(q *question) bool {
	j.now, j.room = q.process.clock(), roomkit.RoomID{14: 1}
	got, err := q.ask(context.Background(), j.full)
	q.nearest = &question{answer: got, err: err}
	if q.parts && q.err == nil {
		return q.pieces(got, err)
	}
	if err != nil || q.err != nil {
		return sameError(err, q.err)
	}
	return reflect.DeepEqual(got, q.answer)
}

// pieces explains a list that was read in several steps: each row is of a state between
// call and return, and no row is missing that was there all the time.
func (q *question) pieces(got any, err error) bool {
	rows, _ := got.([]string)
	if err != nil {
		return true // a refusal in between: some rows were read before it, some after it
	}
	if q.may == nil {
		q.may, q.must = map[string]bool{}, rows
	}
	for _, row := range rows {
		q.may[row] = true
	}
	q.must = slices.DeleteFunc(slices.Clone(q.must), func(row string) bool { return !slices.Contains(rows, row) })
	told, _ := q.answer.([]string)
	return !slices.ContainsFunc(told, func(row string) bool { return !q.may[row] }) &&
		!slices.ContainsFunc(q.must, func(row string) bool { return !slices.Contains(told, row) })
}

// change demands that a change is what the state before it makes of a command that was on its way.
func (j *judge) change(i int, e *entry) {
	if len(e.Records) == 0 {
		return // an outcome without events, kept for its key
	}
	first := &e.Records[0]
	event, err := codec.DecodeRecord(*first)
	if err != nil {
		j.w.complain("change %d cannot be read: %v", i, err)
		return
	}
	by := event.Info().Actor
	switch {
	case e.step == 0: // of the founding
	case e.owner != nil:
		at := slices.IndexFunc(e.owner.requests, func(r *request) bool { return j.makes(e, r.by, r.cmd, r.call) })
		switch {
		case j.fillsIn(e, by): // even if it looks like another command of the same batch
		case at >= 0:
			j.denies(i, e.owner)
			j.invited(i, e, e.owner.requests)
		default:
			j.w.complain("change %d of %s is not what the state before it makes of the command:\n  stored %s\n  made   %s", i, e.owner.label(), first.Data, j.made)
		}
	case by.IsSystem() && j.sweeps(e):
	default:
		if !j.keyed(i, e, by) {
			j.w.complain("change %d is nobody's: %s", i, first.Data)
		}
	}
}

// denies demands that a caller whose command is stored was not told that it is not.
func (j *judge) denies(i int, o *op) {
	if o.silent() || slices.ContainsFunc(o.requests, func(r *request) bool { return r.stored == i || errors.Is(r.err, roomkit.ErrUnknownOutcome) }) {
		return
	}
	j.w.complain("change %d of %s is stored, and its caller was told %s", i, o.label(), o.said())
}

// invited demands that one invitation opens one room: no second one for the same people while
// the state before it has the first one as it was opened.
func (j *judge) invited(i int, e *entry, made []*request) {
	if !opensByInvite(e) {
		return
	}
	var keys []string
	second := false
	for _, r := range made {
		c, ok := r.cmd.(roomkit.Invite)
		if !ok || !j.makes(e, r.by, r.cmd, r.call) {
			continue
		}
		key := fmt.Sprint(c.Room, slices.Sorted(slices.Values(c.People)), participants(e.Members))
		keys = append(keys, key)
		first, again := j.opened[key]
		again = again && first.ID == j.found && first.Version == j.w.versionAt(first.ID, i)
		second = again && (second || len(keys) == 1) // if it may be of several, of each
	}
	if second {
		j.w.complain("change %d opens a second room for %s, beside %s", i, made[0].label(), j.found)
	}
	for _, key := range keys {
		j.opened[key] = e.Rooms[0]
	}
}

// keyed looks for the command of a change whose id is that of a key.
func (j *judge) keyed(i int, e *entry, by roomkit.Actor) bool {
	for _, o := range j.w.ops {
		if o.from > i || o.done && o.to < i && !o.silent() && !unknown(o) {
			continue
		}
		for _, r := range o.requests {
			open := o.silent() || errors.Is(r.err, roomkit.ErrUnknownOutcome) || r.stored == i
			if open && r.by == by && r.call.Key != "" && j.makes(e, r.by, r.cmd, service.Call{Contacts: r.call.Contacts}) {
				j.invited(i, e, []*request{r})
				return true
			}
		}
	}
	return false
}

func unknown(o *op) bool {
	return slices.ContainsFunc(o.requests, func(r *request) bool { return errors.Is(r.err, roomkit.ErrUnknownOutcome) })
}

// makes reports whether the state makes the change of a command.
func (j *judge) makes(e *entry, by roomkit.Actor, cmd roomkit.Command, call service.Call) bool {
	call.Key, call.IfVersion, j.found = "", 0, roomkit.RoomID{}
	j.now, j.room = e.Records[0].At, e.Outcome.Room
	if j.room.IsZero() {
		j.room = roomkit.RoomID{14: 1}
	}
	got, err := j.plain.Plan(context.Background(), by, cmd, call)
	if errors.Is(err, roomkit.ErrOffered) {
		// What is offered may have come while the room was opened (CRE-07).
		if c, ok := cmd.(roomkit.CreateRoom); ok {
			c.AllowDuplicate = true
			got, err = j.plain.Plan(context.Background(), by, c, call)
		}
	}
	if _, invites := cmd.(roomkit.Invite); invites && err == nil && !got.Changed && opensByInvite(e) && j.samePeople(e, got.Room) {
		j.found = got.Room // it may have come while this one was opened
		return true
	}
	if j.made = nil; err != nil || len(got.Events) != len(e.Records) {
		j.made = fmt.Appendf(nil, "%d events, %v", len(got.Events), err)
		return false
	}
	for n, ev := range got.Events {
		info, rec := ev.Info(), &e.Records[n]
		info.At, info.Command = rec.At, rec.Command
		if got.Opened && info.Subject.Room == got.Room {
			info.Subject = rec.Subject // a spare id, because that of the invitation was in use at first
		}
		data, err := codec.Encode(nil, ev)
		if err != nil || !bytes.Equal(data, rec.Data) {
			j.made = data
			return false
		}
	}
	return true
}

// opensByInvite reports whether a change is that of an invitation which opens a room.
func opensByInvite(e *entry) bool {
	event, err := codec.DecodeRecord(e.Records[0])
	made, ok := event.(*roomkit.RoomCreated)
	return err == nil && ok && made.Origin == roomkit.OriginInvite
}

// samePeople reports whether a change opens a room of the people of one that is there.
func (j *judge) samePeople(e *entry, there roomkit.RoomID) bool {
	page, err := j.store.Members(context.Background(), store.MemberQuery{Room: there, Limit: roomkit.MaxPage})
	return err == nil && slices.Equal(participants(page), participants(e.Members))
}

func participants(rows []roomkit.Member) (ids []roomkit.UserID) {
	for i := range rows {
		if rows[i].Participant {
			ids = append(ids, rows[i].User)
		}
	}
	slices.Sort(ids)
	return ids
}

// versionAt is the version of a room before a change.
func (w *world) versionAt(room roomkit.RoomID, change int) (v roomkit.Version) {
	for i := range w.disk.log[:change] {
		for n := range w.disk.log[i].Rooms {
			if w.disk.log[i].Rooms[n].ID == room {
				v = w.disk.log[i].Rooms[n].Version
			}
		}
	}
	return v
}

// fillsIn reports whether a change adds what the host's directory says of somebody who was not known.
func (j *judge) fillsIn(e *entry, by roomkit.Actor) bool {
	if !by.IsSystem() || !j.w.directory || e.Records[0].Version != 1 {
		return false
	}
	for _, id := range newcomers {
		if j.makes(e, by, roomkit.AddUser{User: userRow(id)}, service.Call{}) ||
			j.makes(e, by, roomkit.AddCompany{Company: companyRow(companyOf(id))}, service.Call{}) {
			return true
		}
	}
	return false
}

// sweeps reports whether a change carries out what the directory has decided.
func (j *judge) sweeps(e *entry) bool {
	var gone []roomkit.UserID
	cause, room := roomkit.CauseNone, e.Outcome.Room
	for _, rec := range e.Records {
		event, err := codec.DecodeRecord(rec)
		if err != nil {
			return false
		}
		var list []roomkit.Person
		switch event := event.(type) {
		case *roomkit.MemberLeft:
			list = event.People
		case *roomkit.MasterDismissed:
			list = event.People
		}
		for _, p := range list {
			gone = append(gone, p.User)
			cause = event.Info().Cause
		}
	}
	slices.Sort(gone)
	gone = slices.Compact(gone)
	plain := j.plain
	defer func() { j.plain = plain }()
	j.plain = j.bare
	return len(gone) > 0 && j.makes(e, roomkit.System(), roomkit.Expel{Room: room, People: gone, Cause: cause}, service.Call{})
}

// lines are events as they are stored.
func lines(events []roomkit.Event) (list []string) {
	for _, e := range events {
		data, err := codec.Encode(nil, e)
		list = append(list, fmt.Sprint(string(data), err))
	}
	return list
}

// swept demands that nobody is left whom the directory has decided to go.
func (j *judge) swept() {
	for _, room := range j.w.sight.rooms {
		for _, cause := range []roomkit.Cause{roomkit.CausePermission, roomkit.CauseAccount} {
			who := append(slices.Concat(everybody, newcomers), "ghost")
			got, err := j.bare.Plan(context.Background(), roomkit.System(), roomkit.Expel{Room: room, People: who, Cause: cause})
			if err == nil && got.Changed {
				j.w.complain("nobody has carried out in room %.8s: %s", room, lines(got.Events))
			}
		}
	}
}

// planned is a plan without what is drawn anew each time.
func planned(r service.Result) any {
	type plan struct {
		Changed, Opened bool
		Kind            roomkit.Kind
		Dropped         []roomkit.UserID
		Events          []string
	}
	p := plan{r.Changed, r.Opened, r.Kind, r.Dropped, nil}
	for _, e := range r.Events {
		p.Events = append(p.Events, fmt.Sprintf("%s@%d", e.Type(), e.Info().Version))
	}
	return p
}
