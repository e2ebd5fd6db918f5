package pgstore

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/answer"
	"github.com/go-roomkit/roomkit/store/internal/judge"
	"github.com/go-roomkit/roomkit/store/internal/text"
)

// Load implements [store.Store] in one round trip.
func (b *base) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	if isOfOne(needs) {
		if f, ok, err := b.loadOne(ctx, &needs[0]); err != nil {
			return nil, err
		} else if ok {
			return []store.Facts{f}, nil
		}
	}
	var facts []store.Facts
	if slices.ContainsFunc(needs, isOfCommits) {
		ctx = store.WithPrimary(ctx)
	}
	err := b.asking(ctx, func(ctx context.Context, conn *pgx.Conn, p *proof) error {
		l := newLookup(b, needs, false)
		err := l.trip.ofOneMoment(b.inTx).provenBy(p).run(ctx, conn)
		if err == nil && l.mixed {
			l = newLookup(b, needs, true)
			err = l.trip.ofOneMoment(b.inTx).provenBy(p).run(ctx, conn)
		}
		if err == nil && *l.doubtful {
			err = b.confirm(ctx, conn)
		}
		if err == nil {
			facts = l.facts(needs)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return facts, nil
}

// isOfCommits reports whether a need asks what became of a commit.
func isOfCommits(n store.Need) bool { return !n.Command.IsZero() || n.Checkpoint != "" }

// lookup is a trip for some needs and what it has found.
type lookup struct {
	*answer.Rows
	b      *base
	trip   trip
	shared [][]roomkit.RoomEntry // for each need
	parked map[roomkit.Subject]int64
	mixed  bool // a room brings more than its id tells

	doubtful *bool // see askOutcomes
}

// newLookup makes a lookup. It is mixed if a room is known to bring more than its id tells.
func newLookup(b *base, needs []store.Need, mixed bool) *lookup {
	l := &lookup{b: b, trip: trip{sql: b.sql}, Rows: answer.NewRows(len(needs)), shared: make([][]roomkit.RoomEntry, len(needs))}
	l.askAbout(needs, mixed)
	for i := range needs {
		if len(needs[i].Shared) > 0 {
			l.askShared(needs[i].Shared, &l.shared[i])
		}
	}
	return l
}

// askAbout adds the questions of all needs but for shared rooms.
func (l *lookup) askAbout(needs []store.Need, mixed bool) {
	w := wanted{mixed: mixed}
	for i := range needs {
		w.add(&needs[i])
	}
	if len(w.people.List) > 0 || len(w.rooms.List) > 0 {
		l.askFacts(&w)
	}
	teams, ledRooms := split(w.led.List, func(l led) (roomkit.TeamKey, roomkit.RoomID) { return l.team, l.room })
	if len(teams) > 0 || len(w.masters.List) > 0 || len(w.everybody.List) > 0 || len(w.first.List) > 0 {
		a := uuids(uuids(new(args), w.masters.List), w.everybody.List).int(roomkit.MaxEverybody + 1)
		unnamed, most := split(w.first.List, func(f first) (roomkit.RoomID, int64) { return f.room, f.most })
		l.trip.add(loadCrowd, ints(uuids(uuids(texts(a, teams), ledRooms), unnamed), most), l.take)
	}
	if len(teams) > 0 {
		l.trip.add(loadTeams, texts(new(args), teams), l.takeTeam)
	}
	if len(w.companies.List) > 0 {
		l.trip.add(loadCompanies, texts(new(args), w.companies.List), l.takeCompany)
	}
	l.b.askNames(&l.trip, w.names.List, l.Holders)
	askCheckpoints(&l.trip, w.checkpoints.List, l.Cursors)
	l.doubtful = l.b.askOutcomes(&l.trip, w.commands.List, l.Outcomes)
	l.parked = l.b.askParked(&l.trip)
}

// askFacts asks for rooms and people.
func (l *lookup) askFacts(w *wanted) {
	if !w.isPlain() {
		rooms, users := split(w.people.List, func(p answer.Place) (roomkit.RoomID, roomkit.UserID) { return p.Room, p.User })
		l.trip.add(loadFacts, texts(uuids(uuids(new(args), w.rooms.List), rooms), users), l.take)
		return
	}
	pairs := w.people.List
	for _, room := range w.rooms.List {
		if !slices.ContainsFunc(pairs, func(p answer.Place) bool { return p.Room == room }) {
			pairs = append(pairs, answer.Place{Room: room})
		}
	}
	rooms, users := split(pairs, func(p answer.Place) (roomkit.RoomID, roomkit.UserID) { return p.Room, p.User })
	first := column{oid: oidBool}
	for i, room := range rooms {
		put(&first, oneByte(!slices.Contains(rooms[:i], room)))
	}
	l.trip.add(loadPairs, texts(uuids(new(args), rooms), users).array(&first), l.takePair)
}

// isPlain reports whether no room brings more than the people who are asked for, as far as
// their ids tell, and whether there are few of them.
func (w *wanted) isPlain() bool {
	return !w.mixed && len(w.people.List)+len(w.rooms.List) <= fewPairs && !slices.ContainsFunc(w.rooms.List, bringsMore)
}

// fewPairs is up to how many looking things up one by one is less than a statement that does so at once.
const fewPairs = 12

// takePair takes a row of loadPairs.
func (l *lookup) takePair(r *row) {
	if room := whole(r, l.b.names.room); room != nil {
		l.Rooms[room.ID] = room
		l.mixed = l.mixed || room.Kind == roomkit.KindDirect || room.Kind == roomkit.KindTeam
	}
	if m := whole(r, l.b.names.member); m != nil {
		at := answer.Place{Room: m.Room, User: m.User}
		l.Members[at] = m
		l.Crowds[m.Room] = append(l.Crowds[m.Room], m)
	}
	if u := whole(r, l.b.names.countedUser); u != nil {
		l.Users[u.ID] = u
	}
	l.takeCompany(r)
	l.takeCompany(r)
}

// split gives both parts of each element of a list.
func split[E, A, B any](list []E, parts func(E) (A, B)) (as []A, bs []B) {
	as, bs = make([]A, len(list)), make([]B, len(list))
	for i, e := range list {
		as[i], bs[i] = parts(e)
	}
	return as, bs
}

// led names a team, and the room for which its leader's row is asked.
type led struct {
	team roomkit.TeamKey
	room roomkit.RoomID
}

// first names a room, and how many of its people are asked for if it has no name.
type first struct {
	room roomkit.RoomID
	most int64
}

// wanted is what some needs ask for, each once.
type wanted struct {
	mixed       bool
	rooms       judge.Keys[roomkit.RoomID]
	people      judge.Keys[answer.Place]
	masters     judge.Keys[roomkit.RoomID]
	everybody   judge.Keys[roomkit.RoomID]
	first       judge.Keys[first]
	led         judge.Keys[led]
	companies   judge.Keys[roomkit.CompanyID]
	names       judge.Keys[judge.Name]
	checkpoints judge.Keys[string]
	commands    judge.Keys[roomkit.CommandID]
}

func (w *wanted) add(n *store.Need) {
	if !n.Room.IsZero() {
		w.rooms.Add(n.Room)
		if n.Masters {
			w.masters.Add(n.Room)
		}
		if n.Everybody {
			w.everybody.Add(n.Room)
		}
		if n.First > 0 {
			w.first.Add(first{n.Room, int64(min(n.First, roomkit.MaxPage))})
		}
	}
	for _, u := range n.People {
		w.people.Add(answer.Place{Room: n.Room, User: u})
	}
	for _, c := range n.Companies {
		w.companies.Add(c)
	}
	if n.Team != "" {
		w.led.Add(led{n.Team, n.Room})
	}
	if n.Name != "" {
		w.names.Add(judge.Name{Company: n.Company, Key: n.Name})
	}
	if n.Checkpoint != "" {
		w.checkpoints.Add(n.Checkpoint)
	}
	if !n.Command.IsZero() {
		w.commands.Add(n.Command)
	}
}

// take takes a row of peopleRows, of which one column is there.
func (l *lookup) take(r *row) {
	if u := whole(r, l.b.names.countedUser); u != nil {
		l.Users[u.ID] = u
	}
	if m := whole(r, l.b.names.member); m != nil {
		if at := (answer.Place{Room: m.Room, User: m.User}); l.Members[at] == nil {
			l.Members[at] = m
			l.Crowds[m.Room] = append(l.Crowds[m.Room], m)
		}
	}
	l.takeCompany(r)
	if room := whole(r, l.b.names.room); room != nil {
		l.Rooms[room.ID] = room
	}
	l.takeTeam(r)
}

func (l *lookup) takeCompany(r *row) {
	if c := whole(r, l.b.names.countedCompany); c != nil {
		l.Companies[c.ID] = c
	}
}

func (l *lookup) takeTeam(r *row) {
	if t := l.b.names.wholeTeam(r); t != nil {
		l.Teams[roomkit.KeyOfTeam(t.Company, t.ID)] = t
	}
}

// askShared asks for the rooms that some people share: first those which are
// theirs alone, then the others.
func (l *lookup) askShared(people []roomkit.UserID, entries *[]roomkit.RoomEntry) {
	people = slices.Compact(slices.Sorted(slices.Values(people)))
	digest := roomkit.DigestOf(people...)
	take := func(r *row) { *entries = append(*entries, roomkit.RoomEntry{Room: read(r, l.b.names.room)}) }
	exact := texts(new(args).bytes(digest[:]), people).uuid(roomkit.RoomID{})
	l.trip.add(loadExact, exact.null().int(store.MaxShared), take)
	more := texts(new(args).uuid(roomkit.RoomID{}), people)
	l.trip.add(loadMore, more.null().int(store.MaxShared), take)
}

// facts puts together what was found.
func (l *lookup) facts(needs []store.Need) []store.Facts {
	for of, n := range l.parked {
		if u := l.Users[roomkit.UserID(of.ID)]; u != nil && of.Type == roomkit.SubjectUser {
			u.Groups += n
		}
		if c := l.Companies[roomkit.CompanyID(of.ID)]; c != nil && of.Type == roomkit.SubjectCompany {
			c.Groups += n
		}
	}
	for room := range l.Crowds {
		l.SortCrowd(room)
	}
	facts := make([]store.Facts, len(needs))
	for i := range needs {
		facts[i] = l.Facts(&needs[i])
		facts[i].Shared = l.shared[i]
	}
	return facts
}

// The following questions are asked by commits, too.

func (b *base) askNames(t *trip, list []judge.Name, holders map[judge.Name]roomkit.RoomID) {
	if len(list) == 0 {
		return
	}
	companies, keys := split(list, func(n judge.Name) (roomkit.CompanyID, string) { return n.Company, n.Key })
	t.add(loadNames, texts(texts(new(args), companies), keys), func(r *row) {
		holders[judge.Name{Company: roomkit.CompanyID(r.text()), Key: r.text()}] = r.uuid()
	})
}

func askCheckpoints(t *trip, list []string, cursors map[string]roomkit.Cursor) {
	if len(list) > 0 {
		t.add(loadCheckpoints, texts(new(args), list), func(r *row) { cursors[r.text()] = roomkit.Cursor(r.text()) })
	}
}

// askOutcomes asks for commands. There is a row for each record of a command, in
// their order, and one if there are no records. If there are any, and the server waits
// for standbys, doubtful is set; see confirm.
func (b *base) askOutcomes(t *trip, commands []roomkit.CommandID, outcomes map[roomkit.CommandID]*store.Outcome) (doubtful *bool) {
	doubtful = new(bool)
	if len(commands) == 0 {
		return doubtful
	}
	t.add(loadCommands, uuids(new(args), commands), func(r *row) {
		id := roomkit.CommandID(r.uuid())
		o := outcomes[id]
		if o == nil {
			o = &store.Outcome{Command: id}
			outcomes[id] = o
		}
		copy(o.Digest[:], r.sized(len(o.Digest)))
		o.Room, o.Changed = r.uuid(), r.bool()
		*doubtful = r.bool() && !b.o.Weak && !b.inTx
		listed := !r.absent(1)
		if listed {
			var ok bool
			if o.Events, ok = (*text.Names)(b.names).ParseEvents(r.text()); !ok {
				r.fail("holds malformed events")
			}
		}
		if r.absent(7) {
			return
		}
		position := r.int()
		e := store.Record{Subject: read(r, b.names.subject), Version: r.version(), Type: r.text(), At: r.time(), Command: id}
		if position > 0 {
			o.Cursor = b.cursor(position, &e)
		}
		if !listed {
			o.Events = append(o.Events, store.EventAt{Subject: e.Subject, Version: e.Version})
		}
	})
	return doubtful
}

// ask adds to a trip the questions what is stored of all that changes rely on.
// The answers are there when the trip has been made.
func (b *base) ask(t *trip, changes []store.Change) known {
	k := known{book: judge.NewBook(), locked: true, parked: b.askParked(t)}
	var q judge.Question
	for i := range changes {
		q.Add(&changes[i])
	}
	counted := func(of roomkit.Subject, r *row) {
		k.book.Versions[of], k.book.Counts[of] = r.version(), r.int()+k.parked[of]
	}
	if len(q.Companies.List) > 0 {
		t.add(readCompanies, texts(new(args), q.Companies.List), func(r *row) { counted(roomkit.CompanySubject(roomkit.CompanyID(r.text())), r) })
	}
	if len(q.Teams.List) > 0 {
		t.add(readTeams, texts(new(args), q.Teams.List), func(r *row) {
			k.book.Versions[roomkit.Subject{Type: roomkit.SubjectTeam, ID: r.text()}] = r.version()
		})
	}
	if len(q.Users.List) > 0 {
		t.add(readUsers, texts(new(args), q.Users.List), func(r *row) { counted(roomkit.UserSubject(roomkit.UserID(r.text())), r) })
	}
	if len(q.Rooms.List) > 0 {
		t.add(readRooms, uuids(new(args), q.Rooms.List), func(r *row) {
			k.book.EnterRoom(&roomkit.Room{
				ID: r.uuid(), Version: r.version(), Company: roomkit.CompanyID(r.text()), NameKey: r.text(), State: enum(r, b.names.State),
			})
		})
	}
	b.askNames(t, q.Names.List, k.book.Holders)
	askCheckpoints(t, q.Checkpoints.List, k.book.Cursors)
	k.doubtful = b.askOutcomes(t, q.Commands.List, k.book.Outcomes)
	return k
}
