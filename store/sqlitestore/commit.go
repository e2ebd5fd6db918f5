package sqlitestore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/answer"
	"github.com/go-roomkit/roomkit/store/internal/judge"
	"github.com/go-roomkit/roomkit/store/internal/text"
)

// Commit implements [store.Store]: one transaction, however many changes.
func (s *Store) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	if len(changes) == 0 {
		return nil, ctx.Err()
	}
	var results []store.CommitResult
	err := patiently(ctx, s.o.Patience, func(waiting context.Context) (err error) {
		results, err = s.commit(ctx, waiting, changes)
		return err
	})
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(results, judge.Stored) {
		s.bell.Ring()
	}
	return results, nil
}

func (s *Store) commit(ctx, waiting context.Context, changes []store.Change) ([]store.CommitResult, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-waiting.Done():
		return nil, waited(waiting, s.writer.db, waiting.Err())
	}
	return s.attempt(ctx, waiting, changes)
}

// attempt commits while it is this call's turn.
func (s *Store) attempt(ctx, waiting context.Context, changes []store.Change) ([]store.CommitResult, error) {
	t, err := s.writer.begin(ctx, waiting, false)
	if err != nil {
		return nil, err
	}
	defer t.end()
	if err := s.lock(t); err != nil {
		return nil, err
	}
	results, err := s.write(t, changes)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(results, judge.Stored) {
		return results, nil
	}
	if err := t.tx.Commit(); err != nil {
		t.end()
		if results, err = s.resolve(ctx, changes, results, classify(err)); err != nil {
			return nil, err
		}
		if _, err := s.file.check(nil); err != nil {
			return nil, s.file.lose(err)
		}
		s.note(results)
		return results, nil
	}
	size, err := s.file.check(t.conn)
	if err != nil {
		return nil, s.file.lose(err)
	}
	s.note(results)
	s.shrink(ctx, t.conn, size)
	return results, nil
}

// write judges changes under the write lock and writes those that hold.
func (s *base) write(t *tx, changes []store.Change) ([]store.CommitResult, error) {
	results := make([]store.CommitResult, len(changes))
	call := judge.Call{Form: text.Check}
	for from := 0; from < len(changes); {
		to := segment(changes, from)
		if err := s.commitSegment(t, &call, changes[from:to], results[from:to]); err != nil {
			return nil, err
		}
		from = to
	}
	return results, t.ctx.Err()
}

// lock takes the write lock, and demands that the database is the one that the store
// knows.
func (s *Store) lock(t *tx) error {
	if _, err := t.exec(lockDatabase); err != nil {
		return err
	}
	if _, err := s.file.check(t.conn); err != nil {
		return err
	}
	return s.recall(t)
}

// note keeps which record is the newest one that was stored.
func (s *Store) note(results []store.CommitResult) {
	for i := range results {
		if r := &results[i]; judge.Stored(*r) && r.Outcome.Cursor != "" {
			if position, ok := s.position(r.Outcome.Cursor); ok && position > s.newest.Load().position {
				s.newest.Store(&newest{position, r.Outcome.Cursor})
			}
		}
	}
}

// segment gives the end of the changes that can be judged in memory and written
// together: a room that ends moves counts that only the database knows.
func segment(changes []store.Change, from int) int {
	for i := from; i < len(changes); i++ {
		if len(changes[i].Ended) > 0 {
			return i + 1
		}
	}
	return len(changes)
}

// commitSegment judges the changes in their order, by what the database has under
// the write lock, and writes what comes out of it.
func (s *base) commitSegment(t *tx, call *judge.Call, changes []store.Change, results []store.CommitResult) error {
	w := &writes{store: s}
	if err := w.read(t, changes); err != nil {
		return err
	}
	w.expect(len(changes))
	for i := range changes {
		r := &results[i]
		if *r = call.Judge(w.book, &changes[i]); judge.Stored(*r) {
			w.book.Accept(&changes[i], &r.Outcome)
			w.add(&changes[i], &r.Outcome)
		}
	}
	if err := w.flush(t); err != nil {
		return err
	}
	for i := range results { // a repeat in the same call was met before the first had its cursor
		if r := &results[i]; r.Repeat {
			r.Outcome.Cursor = w.book.Outcome(changes[i].Command).Cursor
		}
	}
	return nil
}

// resolve finds out what became of a COMMIT that failed. Commands that are there
// otherwise than this call would have stored them came through somebody else, who
// was given them, too: committing again tells what holds of each change.
func (s *Store) resolve(ctx context.Context, changes []store.Change, results []store.CommitResult, failure error) ([]store.CommitResult, error) {
	found, own, err := s.lookUp(ctx, results)
	switch {
	case err == nil && own:
		return results, nil
	case err == nil && !found:
		return nil, failure
	case err == nil:
		err = patiently(ctx, s.o.Patience, func(waiting context.Context) (err error) {
			results, err = s.attempt(ctx, waiting, changes)
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", roomkit.ErrUnknownOutcome, errors.Join(failure, err))
	}
	return results, nil
}

// lookUp reports whether any of the commands that should be stored by now is, and
// whether all of them are, with just these outcomes.
func (s *Store) lookUp(ctx context.Context, results []store.CommitResult) (found, own bool, err error) {
	var commands []roomkit.CommandID
	for i := range results {
		if judge.Stored(results[i]) {
			commands = append(commands, results[i].Outcome.Command)
		}
	}
	outcomes := map[roomkit.CommandID]*store.Outcome{}
	ctx = context.WithoutCancel(ctx)
	err = patiently(ctx, s.o.Patience, func(waiting context.Context) error {
		t, err := s.writer.begin(ctx, waiting, true)
		if err != nil {
			return err
		}
		defer t.end()
		return s.readOutcomes(t, commands, outcomes)
	})
	own = true
	for i := range results {
		if want := &results[i].Outcome; judge.Stored(results[i]) {
			has := outcomes[want.Command]
			own = own && has != nil && has.Cursor == want.Cursor && judge.Same(has, want)
		}
	}
	return len(outcomes) > 0, own, err
}

// writes are the rows of the changes accepted, each with its last value.
type writes struct {
	store     *base
	book      *judge.Book
	stored    map[roomkit.RoomID]*storedRoom
	changes   []*store.Change
	outcomes  []*store.Outcome
	rooms     latest[roomkit.RoomID, roomkit.Room]
	members   latest[answer.Place, roomkit.Member]
	users     latest[roomkit.UserID, roomkit.User]
	companies latest[roomkit.CompanyID, roomkit.Company]
	teams     latest[roomkit.TeamKey, roomkit.Team]
}

// storedRoom is a room in the database as far as indexes are about it.
type storedRoom struct {
	roomkit.Room
	rare bool // it has what few rooms have
}

// read enters into the book all that the changes rely on, as much at once as one
// statement takes: of users twice as many as of anything else.
func (w *writes) read(t *tx, changes []store.Change) error {
	w.book, w.stored = judge.NewBook(), make(map[roomkit.RoomID]*storedRoom, len(changes))
	var q judge.Question
	for i := range changes {
		q.Add(&changes[i])
	}
	rooms, users, companies, commands := blobs(q.Rooms.List), texts(q.Users.List), texts(q.Companies.List), blobs(q.Commands.List)
	var done []*command
	parts := []part{{&rooms, 1}, {&users, 2}, {&companies, 1}, {&commands, 1}}
	err := t.findParts(statesByID, parts, func(r *row) {
		if kind := r.text(); kind == "command" {
			done = append(done, w.store.command(r))
		} else {
			w.enter(kind, r)
		}
	})
	if err == nil {
		err = t.find(teamsByID, texts(q.Teams.List), func(r *row) {
			team := w.store.names.team(r)
			w.book.Versions[roomkit.TeamSubject(team.Company, team.ID)] = team.Version
		})
	}
	if err == nil {
		err = w.store.readRecords(t, done, w.book.Outcomes)
	}
	if err != nil {
		return err
	}
	return w.readNames(t, &q)
}

func (w *writes) enter(kind string, r *row) {
	counted := func(of roomkit.Subject) { w.book.Versions[of], w.book.Counts[of] = r.version(), r.int() }
	switch kind {
	case "room":
		n := w.store.names
		v := &storedRoom{Room: roomkit.Room{ID: r.id(), NameKey: r.text(), Version: r.version(), Kind: value(r, n.Kind), State: value(r, n.State), Company: r.company()}}
		r.flags(&v.Public, &v.rare)
		w.stored[v.ID] = v
		w.book.EnterRoom(&v.Room)
	case "user":
		counted(roomkit.UserSubject(r.user()))
	case "company":
		counted(roomkit.CompanySubject(r.company()))
	}
}

// readNames finds out who holds the names and checkpoints that the changes are
// about. Rooms that keep their names need no look.
func (w *writes) readNames(t *tx, q *judge.Question) error {
	for _, name := range q.Names.List {
		if !w.book.Holder(name).IsZero() {
			continue
		}
		err := t.query(nameHolder, func(r *row) { w.book.Holders[name] = r.id() }, nullable(name.Company), name.Key)
		if err != nil {
			return err
		}
	}
	for _, name := range q.Checkpoints.List {
		err := t.query(checkpointOf, func(r *row) { w.book.Cursors[name] = roomkit.Cursor(r.text()) }, name)
		if err != nil {
			return err
		}
	}
	return nil
}

// latest keeps the last value for each key.
type latest[K comparable, V any] struct {
	rows []*V
	at   map[K]int
}

func (l *latest[K, V]) put(k K, v *V) {
	if i, ok := l.at[k]; ok {
		l.rows[i] = v
		return
	}
	if l.at == nil {
		l.at = make(map[K]int, 4)
	}
	l.at[k] = len(l.rows)
	l.rows = append(l.rows, v)
}

// expect makes room for what n changes write at least.
func (w *writes) expect(n int) {
	w.changes, w.outcomes = make([]*store.Change, 0, n), make([]*store.Outcome, 0, n)
	w.rooms.expect(n)
	w.members.expect(n)
}

func (l *latest[K, V]) expect(n int) {
	l.rows, l.at = make([]*V, 0, n), make(map[K]int, n)
}

// add takes a change. Its outcome gets its cursor when the change is written.
func (w *writes) add(c *store.Change, out *store.Outcome) {
	w.changes, w.outcomes = append(w.changes, c), append(w.outcomes, out)
	for i := range c.Rooms {
		w.rooms.put(c.Rooms[i].ID, &c.Rooms[i])
	}
	for i := range c.Members {
		w.members.put(answer.Place{Room: c.Members[i].Room, User: c.Members[i].User}, &c.Members[i])
	}
	for i := range c.Users {
		w.users.put(c.Users[i].ID, &c.Users[i])
	}
	for i := range c.Companies {
		w.companies.put(c.Companies[i].ID, &c.Companies[i])
	}
	for i := range c.Teams {
		w.teams.put(roomkit.KeyOfTeam(c.Teams[i].Company, c.Teams[i].ID), &c.Teams[i])
	}
}

func (w *writes) flush(t *tx) error {
	if len(w.changes) == 0 {
		return nil
	}
	for _, step := range [...]func(*tx) error{
		w.freeNames, w.writeRooms, w.writeMembers, w.writeDirectory, w.writeTeams, w.writeCounts, w.writeEnds, w.writeRecords,
	} {
		if err := step(t); err != nil {
			return err
		}
	}
	return nil
}

// freeNames takes names from rooms that others get, for the index is unique after
// every statement.
func (w *writes) freeNames(t *tx) error {
	for id, r := range w.stored {
		name, named := judge.NameOf(&r.Room)
		if holder := w.book.Holder(name); !named || holder.IsZero() || holder == id {
			continue
		}
		if _, err := t.exec(freeName, id[:]); err != nil {
			return err
		}
	}
	return nil
}

func (w *writes) writeRooms(t *tx) error {
	buffer := make(values, 0, 27)
	for _, r := range w.rooms.rows {
		id, v := updateRoom, buffer.usualRoom(r)
		switch was := w.stored[r.ID]; {
		case was == nil:
			id, v = insertRoom, v.roomRest(r)
		case sameRest(&was.Room, r, was.rare):
			id = touchRoom
		default:
			v = v.roomRest(r)
		}
		if _, err := t.exec(id, v...); err != nil {
			return err
		}
	}
	return nil
}

func (w *writes) writeMembers(t *tx) error {
	v := make(values, 0, memberWidth*len(w.members.rows))
	for _, m := range w.members.rows {
		v = v.member(m)
	}
	_, err := t.store(putMembers, v)
	return err
}

func (w *writes) writeDirectory(t *tx) error {
	for _, u := range w.users.rows {
		if _, err := t.exec(putUser, values{}.user(u)...); err != nil {
			return err
		}
	}
	for _, c := range w.companies.rows {
		if _, err := t.exec(putCompany, values{}.company(c)...); err != nil {
			return err
		}
	}
	return nil
}

func (w *writes) writeTeams(t *tx) error {
	for _, team := range w.teams.rows {
		if _, err := t.exec(putTeam, values{}.team(team)...); err != nil {
			return err
		}
		key := string(roomkit.KeyOfTeam(team.Company, team.ID))
		if _, err := t.exec(clearTeam, key); err != nil {
			return err
		}
		v := make(values, 0, 2*len(team.Members))
		for _, u := range team.Members {
			v = append(v, key, string(u))
		}
		if _, err := t.store(putTeamMembers, v); err != nil {
			return err
		}
	}
	return nil
}

// writeCounts writes tallies and checkpoints.
func (w *writes) writeCounts(t *tx) error {
	for _, c := range w.changes {
		for i := range c.Tallies {
			var err error
			if of := &c.Tallies[i]; of.User != "" {
				_, err = t.exec(tallyUser, of.Now-of.Was, string(of.User))
			} else {
				_, err = t.exec(tallyCompany, of.Now-of.Was, string(of.Company))
			}
			if err != nil {
				return err
			}
		}
		if p := c.Checkpoint; p != nil {
			if _, err := t.exec(putCheckpoint, p.Name, string(p.Now)); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeEnds ends the rows of people in rooms that end. Only the last change of a
// segment has any.
func (w *writes) writeEnds(t *tx) error {
	ended := w.changes[len(w.changes)-1].Ended
	for i := range ended {
		e := &ended[i]
		if e.Kind.IsGroup() {
			if _, err := t.exec(endGroups, e.Room[:]); err != nil {
				return err
			}
		}
		v := some(values{}, e.Cause).time(e.At).version(e.Version).text(e.By.String()).id(e.Room)
		if _, err := t.exec(endMembers, v...); err != nil {
			return err
		}
	}
	return nil
}

// writeRecords writes the records, which get the next positions, and the commands.
func (w *writes) writeRecords(t *tx) error {
	count := 0
	for _, c := range w.changes {
		count += len(c.Records)
	}
	records := make(values, 0, count*lists[insertRecords].width)
	commands := make(values, 0, len(w.changes)*lists[insertCommands].width)
	for _, c := range w.changes {
		for i := range c.Records {
			records = append(records, nil).record(&c.Records[i])
		}
	}
	last, err := t.store(insertRecords, records)
	if err != nil {
		return err
	}
	position := last - int64(count)
	for i, c := range w.changes {
		out := w.outcomes[i]
		commands = append(commands, c.Command[:], c.Digest[:]).id(out.Room).bool(out.Changed)
		if n := int64(len(c.Records)); n > 0 {
			position += n
			out.Cursor = w.store.cursor(position, &c.Records[n-1])
			commands = append(commands, position, n)
		} else {
			commands = append(commands, nil, n)
		}
		if judge.OwnEvents(out.Events, c.Records) {
			commands = append(commands, nil)
		} else {
			commands = append(commands, text.Events(out.Events))
		}
	}
	_, err = t.store(insertCommands, commands)
	return err
}

// command is what the table has of a command: not its cursor, and its events only
// if they are not just those of its records.
type command struct {
	*store.Outcome
	last    int64 // position of its last record; 0: it has none
	records int64
	listed  bool
}

func (s *base) command(r *row) *command {
	c := &command{Outcome: &store.Outcome{Command: r.id()}}
	copy(c.Digest[:], r.bytes())
	c.Room, c.Changed, c.last, c.records = r.id(), r.bool(), r.int(), r.int()
	if c.listed = !r.isNull(); c.listed {
		events, ok := (*text.Names)(s.names).ParseEvents(r.text())
		if !ok {
			r.fail("malformed events")
		}
		c.Events = events
	}
	return c
}

// readOutcomes finds what is remembered of commands.
func (s *base) readOutcomes(t *tx, commands []roomkit.CommandID, outcomes map[roomkit.CommandID]*store.Outcome) error {
	var done []*command
	err := t.find(commandsByID, blobs(commands), func(r *row) { done = append(done, s.command(r)) })
	if err != nil {
		return err
	}
	return s.readRecords(t, done, outcomes)
}

// readRecords completes commands by what their records say.
func (s *base) readRecords(t *tx, done []*command, outcomes map[roomkit.CommandID]*store.Outcome) error {
	for _, c := range done {
		outcomes[c.Command] = c.Outcome
		if c.last == 0 {
			continue
		}
		err := t.query(recordsAt, func(r *row) {
			position := r.int()
			rec := s.names.record(r)
			c.Cursor = s.cursor(position, &rec)
			if !c.listed {
				c.Events = append(c.Events, store.EventAt{Subject: rec.Subject, Version: rec.Version})
			}
		}, c.last-c.records+1, c.last)
		if err != nil {
			return err
		}
		if c.Cursor == "" {
			return corrupt("command %v has no records", c.Command)
		}
	}
	return nil
}
