package pgstore

import (
	"bytes"
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/answer"
	"github.com/go-roomkit/roomkit/store/internal/judge"
	"github.com/go-roomkit/roomkit/store/internal/text"
)

// batch is the effect of several changes folded into one, so that one transaction
// can write every row once. While nothing is known of the store it believes what the
// changes expect; the transaction finds out whether all of that holds.
type batch struct {
	known
	call    judge.Call
	results []store.CommitResult // of the changes judged so far
	stored  []placed             // those that the batch stores
	unsure  bool                 // something cannot be said while nothing is known

	base      map[roomkit.Subject]roomkit.Version // of what the batch relies on or replaces
	held      map[roomkit.RoomID]judge.Name       // that rooms written are known to have in the store
	rooms     replaced[roomkit.RoomID, roomkit.Room]
	users     replaced[roomkit.UserID, roomkit.User]
	companies replaced[roomkit.CompanyID, roomkit.Company]
	teams     replaced[roomkit.TeamKey, roomkit.Team]
	members   map[answer.Place]*roomkit.Member

	userTallies    map[roomkit.UserID]*tally
	companyTallies map[roomkit.CompanyID]*tally
	checkpoints    map[string]*move[roomkit.Cursor]
	ended          []store.RoomEnd
	records        []*store.Record
}

// known is what a transaction knows of the store.
type known struct {
	book   *judge.Book
	locked bool                      // it is what is there, under locks; else it is believed
	parked map[roomkit.Subject]int64 // see askParked; the counts in the book have it added

	doubtful *bool // see askOutcomes
}

func belief() known { return known{book: judge.NewBelief()} }

// placed is a change that a batch stores.
type placed struct {
	change  *store.Change
	result  int // its place among the results
	records int // how many records of the batch are before the end of it
}

type (
	replaced[K comparable, R any] map[K]*written[R]

	// written is a row and the version that it replaces.
	written[R any] struct {
		was   roomkit.Version
		first R // what the first change of the batch makes of it
		row   R
	}

	move[T any] struct{ was, now T }

	// tally is what a batch adds to a count that has to be between two bounds before.
	tally struct{ least, most, delta int64 }
)

func newBatch(k known, call *judge.Call) *batch {
	return &batch{
		known: k, call: call.Clone(), base: map[roomkit.Subject]roomkit.Version{}, held: map[roomkit.RoomID]judge.Name{},
		rooms: replaced[roomkit.RoomID, roomkit.Room]{}, users: replaced[roomkit.UserID, roomkit.User]{},
		companies: replaced[roomkit.CompanyID, roomkit.Company]{}, teams: replaced[roomkit.TeamKey, roomkit.Team]{},
		members: map[answer.Place]*roomkit.Member{}, userTallies: map[roomkit.UserID]*tally{},
		companyTallies: map[roomkit.CompanyID]*tally{}, checkpoints: map[string]*move[roomkit.Cursor]{},
	}
}

// fold makes a batch of as many of the changes as fit, one at least. call has judged
// the changes of the call that came before.
func fold(changes []store.Change, k known, call *judge.Call) *batch {
	b := newBatch(k, call)
	b.results = make([]store.CommitResult, 0, len(changes)) // never moved, for the book points into it
	for i := range changes {
		c := &changes[i]
		if i > 0 && !b.fits(c) {
			break
		}
		b.results = append(b.results, b.call.Judge(b.book, c))
		r := &b.results[i]
		if judge.Stored(*r) {
			b.apply(c)
			b.book.Accept(c, &r.Outcome)
			b.stored = append(b.stored, placed{c, i, len(b.records)})
		}
		refused := r.Err != nil && r.Err != roomkit.ErrCommandReused       //nolint:errorlint // of this very package
		b.unsure = b.unsure || refused && !b.locked && !c.Command.IsZero() // it may be a repeat
	}
	return b
}

// everything is a batch that writes whatever one of the changes may write. It is
// only good for locking.
func everything(changes []store.Change) *batch {
	b := newBatch(belief(), &judge.Call{})
	for i := range changes {
		for _, e := range changes[i].Expect {
			b.base[e.Subject] = max(e.Version, 1) // it may exist by now
		}
		b.apply(&changes[i])
	}
	return b
}

// fits reports whether a change can be in the batch. The rows of people whose
// room ends are not known here, so nothing that may look at them comes behind.
func (b *batch) fits(c *store.Change) bool {
	for i := range b.ended {
		of := roomkit.RoomSubject(b.ended[i].Room)
		if slices.ContainsFunc(c.Expect, func(e store.Expect) bool { return e.Subject == of }) {
			return false
		}
	}
	userTally := func(t store.Tally) bool { return t.User != "" }
	return len(b.ended) == 0 || !slices.ContainsFunc(c.Tallies, userTally)
}

// apply adds a change that holds.
func (b *batch) apply(c *store.Change) {
	for i := range c.Expect {
		e := &c.Expect[i]
		if _, before := b.base[e.Subject]; !before {
			b.base[e.Subject] = e.Version
		}
	}
	for i := range c.Rooms {
		r := &c.Rooms[i]
		if name, named := b.book.Held(r.ID); named && b.rooms[r.ID] == nil {
			b.held[r.ID] = name
		}
		b.rooms.put(r.ID, r, b.base[roomkit.RoomSubject(r.ID)])
	}
	for i := range c.Members {
		m := &c.Members[i]
		b.members[answer.Place{Room: m.Room, User: m.User}] = m
	}
	for i := range c.Users {
		u := &c.Users[i]
		b.users.put(u.ID, u, b.base[roomkit.UserSubject(u.ID)])
	}
	for i := range c.Companies {
		co := &c.Companies[i]
		b.companies.put(co.ID, co, b.base[roomkit.CompanySubject(co.ID)])
	}
	for i := range c.Teams {
		t := &c.Teams[i]
		b.teams.put(roomkit.KeyOfTeam(t.Company, t.ID), t, b.base[roomkit.TeamSubject(t.Company, t.ID)])
	}
	for _, t := range c.Tallies {
		if t.User != "" {
			counted(b.userTallies, t.User, &t)
		} else {
			counted(b.companyTallies, t.Company, &t)
		}
	}
	b.ended = append(b.ended, c.Ended...)
	if p := c.Checkpoint; p != nil {
		moved(b.checkpoints, p.Name, p.Was, p.Now)
	}
	for i := range c.Records {
		b.records = append(b.records, &c.Records[i])
	}
}

func (w replaced[K, R]) put(id K, row *R, was roomkit.Version) {
	if w[id] == nil {
		w[id] = &written[R]{was: was, first: *row}
	}
	w[id].row = *row
}

func moved[K comparable, T any](moves map[K]*move[T], k K, was, now T) {
	if moves[k] == nil {
		moves[k] = &move[T]{was: was}
	}
	moves[k].now = now
}

// counted adds a tally to those of a batch, which found the count as they left it.
func counted[K comparable](tallies map[K]*tally, k K, t *store.Tally) {
	has := tallies[k]
	if has == nil {
		has = &tally{most: math.MaxInt64}
		tallies[k] = has
	}
	least, most := t.Bounds()
	has.least = max(has.least, shifted(least, -has.delta))
	has.most = min(has.most, shifted(most, -has.delta))
	has.delta += t.Now - t.Was
}

// shifted moves a bound, unless it is none.
func shifted(bound, by int64) int64 {
	if bound == math.MaxInt64 {
		return bound
	}
	return bound + by
}

// begun gives the rows that are new and those that replace others, in the order of
// their ids.
func begun[K comparable, R any](w replaced[K, R], order func(a, b *written[R]) int) (begun, changed []*written[R]) {
	for _, row := range w {
		if row.was == 0 {
			begun = append(begun, row)
		} else {
			changed = append(changed, row)
		}
	}
	slices.SortFunc(begun, order)
	slices.SortFunc(changed, order)
	return begun, changed
}

func byRoom(a, b *written[roomkit.Room]) int       { return bytes.Compare(a.row.ID[:], b.row.ID[:]) }
func byUser(a, b *written[roomkit.User]) int       { return cmp.Compare(a.row.ID, b.row.ID) }
func byCompany(a, b *written[roomkit.Company]) int { return cmp.Compare(a.row.ID, b.row.ID) }
func byTeam(a, b *written[roomkit.Team]) int       { return cmp.Compare(keyOf(a), keyOf(b)) }

func keyOf(w *written[roomkit.Team]) roomkit.TeamKey {
	return roomkit.KeyOfTeam(w.row.Company, w.row.ID)
}

func (b *batch) writes(of *roomkit.Subject) (does bool) {
	switch of.Type {
	case roomkit.SubjectRoom:
		does = b.rooms[of.Room] != nil
	case roomkit.SubjectUser:
		does = b.users[roomkit.UserID(of.ID)] != nil
	case roomkit.SubjectCompany:
		does = b.companies[roomkit.CompanyID(of.ID)] != nil
	case roomkit.SubjectTeam:
		does = b.teams[roomkit.TeamKey(of.ID)] != nil
	}
	return does
}

// plan is a batch in the order in which it is written.
type plan struct {
	*batch
	names                   *names
	newCompanies, companies []*written[roomkit.Company]
	newTeams, teams         []*written[roomkit.Team]
	newUsers, users         []*written[roomkit.User]
	newRooms, rooms         []*written[roomkit.Room]
	members                 []*roomkit.Member
	positions               []int64 // of the records, once they are written
	few                     int     // see subjectLocks
}

func (b *batch) plan(n *names) *plan {
	p := &plan{batch: b, names: n}
	p.newCompanies, p.companies = begun(b.companies, byCompany)
	p.newTeams, p.teams = begun(b.teams, byTeam)
	p.newUsers, p.users = begun(b.users, byUser)
	p.newRooms, p.rooms = begun(b.rooms, byRoom)
	p.members = slices.SortedFunc(maps.Values(b.members), func(a, b *roomkit.Member) int {
		return cmp.Or(bytes.Compare(a.Room[:], b.Room[:]), cmp.Compare(a.User, b.User))
	})
	return p
}

// isLone reports whether the plan has a row of each kind at most.
func (p *plan) isLone() bool {
	return len(p.stored) == 1 && len(p.records) <= 1 && len(p.members) <= 1
}

// finish gives the results when the plan is stored, and what refuses later changes
// of the call.
func (p *plan) finish(b *base, call *judge.Call) []store.CommitResult {
	for _, s := range p.stored {
		if len(s.change.Records) > 0 && len(p.positions) == len(p.records) {
			last := s.records - 1
			p.results[s.result].Outcome.Cursor = b.cursor(p.positions[last], p.records[last])
		}
	}
	p.cursorsOfRepeats()
	*call = p.call
	return p.results
}

// cursorsOfRepeats is for those of commands that the batch itself has stored.
func (p *plan) cursorsOfRepeats() {
	for i := range p.results {
		if r := &p.results[i]; r.Repeat {
			r.Outcome.Cursor = p.book.Outcome(r.Outcome.Command).Cursor
		}
	}
}

// lock locks all rows that the plan replaces, so that transactions wait for each
// other in one order. A single row of a table is locked by the update itself.
func (p *plan) lock(t *trip, all bool) {
	worth := func(rows int) bool { return rows > 1 || all && rows > 0 }
	companies := ids(p.companies, func(w *written[roomkit.Company]) roomkit.CompanyID { return w.row.ID })
	if companies = both(companies, p.companyTallies); worth(len(companies)) {
		if len(p.companies) == 0 {
			t.add(waitLonger, nil, nil)
		}
		t.add(lockCompanies, texts(new(args), companies), nil)
		if len(p.companies) == 0 {
			t.add(waitBriefly, nil, nil)
		}
	}
	if teams := ids(p.teams, keyOf); worth(len(teams)) {
		t.add(lockTeams, texts(new(args), teams), nil)
	}
	users := ids(p.users, func(w *written[roomkit.User]) roomkit.UserID { return w.row.ID })
	users = both(users, p.userTallies)
	switch groups := p.endingGroups(); {
	case len(groups) > 0:
		t.add(lockEnding, uuids(texts(new(args), users), groups), nil)
	case worth(len(users)):
		t.add(lockUsers, texts(new(args), users), nil)
	}
	rooms := ids(p.rooms, func(w *written[roomkit.Room]) roomkit.RoomID { return w.row.ID })
	if rooms = p.withMembersRooms(rooms); worth(len(rooms)) {
		t.add(lockRooms, uuids(new(args), rooms), nil)
	}
}

func ids[R any, K comparable](rows []*written[R], id func(*written[R]) K) []K {
	list := make([]K, len(rows))
	for i, row := range rows {
		list[i] = id(row)
	}
	return list
}

// both adds the keys of counts to a list.
func both[K cmp.Ordered](list []K, counts map[K]*tally) []K {
	return slices.Compact(slices.Sorted(slices.Values(slices.AppendSeq(list, maps.Keys(counts)))))
}

func (p *plan) endingGroups() (rooms []roomkit.RoomID) {
	for i := range p.ended {
		if p.ended[i].Kind.IsGroup() {
			rooms = append(rooms, p.ended[i].Room)
		}
	}
	return rooms
}

// withMembersRooms adds rooms whose people are written though they are not.
func (p *plan) withMembersRooms(rooms []roomkit.RoomID) []roomkit.RoomID {
	for _, m := range p.members {
		if p.batch.rooms[m.Room] == nil && !slices.Contains(rooms, m.Room) {
			rooms = append(rooms, m.Room)
		}
	}
	return rooms
}

// write adds all rows to the trip.
func (p *plan) write(t *trip) {
	p.writeRows(t)
	writeTallies(t, tallyUsers, p.userTallies)
	if len(p.companyTallies) > 0 && len(p.companies) == 0 {
		t.add(waitLonger, nil, nil)
	}
	writeTallies(t, tallyCompanies, p.companyTallies)
	p.writeCheckpoints(t)
	p.writeEnds(t)
}

func (p *plan) writeRows(t *trip) {
	n := p.names
	insert(t, insertCompanies, p.newCompanies, n.company)
	replace(t, updateCompanies, p.companies, n.company)
	insert(t, insertTeams, p.newTeams, n.team)
	replace(t, updateTeams, p.teams, n.team)
	p.writeTeamMembers(t)
	insert(t, insertUsers, p.newUsers, n.user)
	replace(t, updateUsers, p.users, n.user)
	if given := p.namesGivenUp(); len(given) > 0 {
		t.add(freeNames, uuids(new(args), given), nil)
	}
	p.replaceRooms(t)
	insert(t, insertRooms, p.newRooms, n.room)
	if len(p.members) > 0 {
		t.add(putMembers, rows(len(p.members), func(i int) *roomkit.Member { return p.members[i] }, n.member), nil)
	}
}

func insert[R any](t *trip, number int, list []*written[R], visit func(*fields, *R)) {
	if len(list) > 0 {
		t.add(number, rows(len(list), func(i int) *R { return &list[i].row }, visit), nil)
	}
}

func replace[R any](t *trip, number int, list []*written[R], visit func(*fields, *R)) {
	replaceRows(t, number, list, func(f *fields, w *written[R]) { visit(f, &w.row) })
}

func replaceRows[R any](t *trip, number int, list []*written[R], visit func(*fields, *written[R])) {
	n := len(list)
	if n == 0 {
		return
	}
	a := rows(n, func(i int) *written[R] { return list[i] }, func(f *fields, w *written[R]) {
		visit(f, w)
		f.version(&w.was)
	})
	t.add(number, a.int(int64(n)), nil)
}

// replaceRooms demands, while nothing is known, that rooms keep their names in the
// first change of the batch: else an earlier change might have taken a name that
// was not free yet.
func (p *plan) replaceRooms(t *trip) {
	strict := !p.locked && len(p.rooms)+len(p.newRooms) > 1
	replaceRows(t, updateRooms, p.rooms, func(f *fields, w *written[roomkit.Room]) {
		p.names.room(f, &w.row)
		f.bools(&strict)
		name, named := judge.NameOf(&w.first)
		if !named {
			name.Key = ""
		}
		field(f, &name.Key)
	})
}

func (p *plan) writeTeamMembers(t *trip) {
	var teams, of, members []string
	for _, w := range slices.Concat(p.newTeams, p.teams) {
		key := string(keyOf(w))
		teams = append(teams, key)
		for _, u := range w.row.Members {
			of, members = append(of, key), append(members, string(u))
		}
	}
	if len(p.teams) > 0 {
		t.add(deleteTeamMembers, texts(texts(texts(new(args), teams), of), members), nil)
	}
	if len(members) > 0 {
		t.add(insertTeamMembers, texts(texts(new(args), of), members), nil)
	}
}

// namesGivenUp are the rooms that do not keep the name they are known to hold.
func (p *plan) namesGivenUp() (rooms []roomkit.RoomID) {
	for _, w := range p.rooms {
		held, named := p.held[w.row.ID]
		if keeps, still := judge.NameOf(&w.row); named && (!still || keeps != held) {
			rooms = append(rooms, w.row.ID)
		}
	}
	return rooms
}

// writeByKey adds values by their keys, which a statement has to count.
func writeByKey[K ~string, V any](t *trip, number int, values map[K]*V, visit func(*fields, *V)) {
	n := len(values)
	if n == 0 {
		return
	}
	keys := slices.Sorted(maps.Keys(values))
	a := rows(n, func(i int) K { return keys[i] }, func(f *fields, k K) {
		field(f, &k)
		visit(f, values[k])
	})
	t.add(number, a.int(int64(n)), nil)
}

func writeTallies[K ~string](t *trip, number int, tallies map[K]*tally) {
	writeByKey(t, number, tallies, func(f *fields, c *tally) { f.ints(&c.least, &c.most, &c.delta) })
}

func (p *plan) writeCheckpoints(t *trip) {
	writeByKey(t, putCheckpoints, p.checkpoints, func(f *fields, c *move[roomkit.Cursor]) {
		f.text((*string)(&c.was))
		f.text((*string)(&c.now))
	})
}

func (p *plan) writeEnds(t *trip) {
	if n := len(p.ended); n > 0 {
		t.add(endMembers, rows(n, func(i int) *store.RoomEnd { return &p.ended[i] }, p.names.end), nil)
	}
}

func (p *plan) writeCommands(t *trip) {
	inOrder := slices.Clone(p.stored)
	slices.SortFunc(inOrder, func(a, b placed) int { return bytes.Compare(a.change.Command[:], b.change.Command[:]) })
	a := rows(len(inOrder), func(i int) *store.Change { return inOrder[i].change }, func(f *fields, c *store.Change) {
		f.uuid((*[16]byte)(&c.Command))
		f.sized(c.Digest[:])
		f.uuid((*[16]byte)(&c.Outcome.Room))
		f.bools(&c.Outcome.Changed)
		write(f, oidText, text.Events(c.Outcome.Events), judge.OwnEvents(c.Outcome.Events, c.Records))
	})
	t.add(insertCommands, a, nil)
}

// publish adds the end of a transaction: it locks what the batch writes and has relied on,
// compares the latter, gives the records their places, and wakes others when all of that is stored.
func (p *plan) publish(t *trip, b *base) {
	if locks := p.subjectLocks(b.lock, p.few); len(locks) > 0 {
		t.add(lockSubjects, lockArgs(b.lock, locks), nil)
	} else {
		t.add(demandDurable, nil, nil)
	}
	if len(p.records) > 0 {
		p.checkPlaces(t)
		t.add(insertRecords, p.reliedPeople().with(p.recordRows()), func(r *row) { p.positions = append(p.positions, r.int()) })
	} else {
		p.checkRelied(t)
		t.add(checkStore, nil, nil)
	}
	t.commit()
	t.add(wakeOthers, new(args).int(b.lock+1).text(b.channel), nil)
}

func lockArgs(lock int64, locks []subjectLock) *args {
	keys, alone := column{oid: oidInt8}, column{oid: oidBool}
	for _, l := range locks {
		key := bigEndian(l.key)
		put(&keys, key[:])
		put(&alone, oneByte(l.alone))
	}
	return new(args).int(lock).array(&keys).array(&alone)
}

func (p *plan) recordRows() *args {
	return rows(len(p.records), func(i int) *store.Record { return p.records[i] }, p.names.record)
}

// checkRelied adds a look at what the batch expects and does not write.
func (p *plan) checkRelied(t *trip) {
	if p.relies(roomkit.SubjectUser, roomkit.SubjectCompany) {
		t.add(checkPeople, p.reliedPeople(), nil)
	}
	p.checkPlaces(t)
}

func (p *plan) checkPlaces(t *trip) {
	if p.relies(roomkit.SubjectRoom, roomkit.SubjectTeam) {
		rooms, teams := p.relied(roomkit.SubjectRoom), p.relied(roomkit.SubjectTeam)
		a := ints(uuids(new(args), rooms.rooms), rooms.versions)
		t.add(checkPlaces, ints(texts(a, teams.ids), teams.versions), nil)
	}
}

func (p *plan) reliedPeople() *args {
	users, companies := p.relied(roomkit.SubjectUser), p.relied(roomkit.SubjectCompany)
	company := column{oid: oidBool}
	for range users.ids {
		put(&company, oneByte(false))
	}
	for range companies.ids {
		put(&company, oneByte(true))
	}
	a := texts(new(args).array(&company), append(users.ids, companies.ids...))
	return ints(a, append(users.versions, companies.versions...))
}

func (b *batch) relies(on ...roomkit.SubjectType) bool {
	for of := range b.base {
		if slices.Contains(on, of.Type) && !b.writes(&of) {
			return true
		}
	}
	return false
}

type relied struct {
	ids      []string
	rooms    []roomkit.RoomID
	versions []roomkit.Version
}

func (b *batch) relied(of roomkit.SubjectType) (list relied) {
	for subject, v := range b.base {
		if subject.Type == of && !b.writes(&subject) {
			list.ids, list.rooms = append(list.ids, subject.ID), append(list.rooms, subject.Room)
			list.versions = append(list.versions, v)
		}
	}
	return list
}
