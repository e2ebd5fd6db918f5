package pgstore

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// plan is a batch in the order in which it is written.
type plan struct {
	*batch
	newCompanies, companies []*written[roomkit.Company]
	newTeams, teams         []*written[roomkit.Team]
	newUsers, users         []*written[roomkit.User]
	newRooms, rooms         []*written[roomkit.Room]
	members                 []*roomkit.Member
	stored                  []*fate // the changes that are
	positions               []int64 // of the records, once they are written
}

func (b *batch) plan() *plan {
	p := &plan{batch: b}
	p.newCompanies, p.companies = begun(b.companies, byCompany)
	p.newTeams, p.teams = begun(b.teams, byTeam)
	p.newUsers, p.users = begun(b.users, byUser)
	p.newRooms, p.rooms = begun(b.rooms, byRoom)
	p.members = slices.SortedFunc(maps.Values(b.members), func(a, b *roomkit.Member) int {
		return cmp.Or(bytes.Compare(a.Room[:], b.Room[:]), cmp.Compare(a.User, b.User))
	})
	for i := range b.fates {
		if b.fates[i].stored {
			p.stored = append(p.stored, &b.fates[i])
		}
	}
	return p
}

// isLone reports whether the plan has a row of each kind at most.
func (p *plan) isLone() bool {
	return len(p.stored) == 1 && len(p.records) <= 1 && len(p.members) <= 1
}

// lock locks all rows that the plan replaces, so that transactions wait for each
// other in one order. A single row of a table is locked by the update itself.
func (p *plan) lock(t *trip, all bool) {
	worth := func(rows int) bool { return rows > 1 || all && rows > 0 }
	companies := ids(p.companies, func(w *written[roomkit.Company]) roomkit.CompanyID { return w.row.ID })
	if companies = both(companies, p.companyTallies); worth(len(companies)) {
		t.add(lockCompanies, textList(arrays(), companies), nil)
	}
	if teams := ids(p.teams, func(w *written[roomkit.Team]) roomkit.TeamID { return w.row.ID }); worth(len(teams)) {
		t.add(lockTeams, textList(arrays(), teams), nil)
	}
	users := ids(p.users, func(w *written[roomkit.User]) roomkit.UserID { return w.row.ID })
	users = both(users, p.userTallies)
	switch groups := p.endingGroups(); {
	case len(groups) > 0:
		t.add(lockEnding, uuidList(textList(arrays(), users), groups), nil)
	case worth(len(users)):
		t.add(lockUsers, textList(arrays(), users), nil)
	}
	rooms := ids(p.rooms, func(w *written[roomkit.Room]) roomkit.RoomID { return w.row.ID })
	if rooms = p.withMembersRooms(rooms); worth(len(rooms)) {
		t.add(lockRooms, uuidList(arrays(), rooms), nil)
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
func both[K cmp.Ordered](list []K, counts map[K]*count) []K {
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
	writeTallies(t, tallyCompanies, p.companyTallies)
	p.writeCheckpoints(t)
	p.writeEnds(t)
}

func (p *plan) writeRows(t *trip) {
	p.writeDirectory(t)
	if given := p.namesGivenUp(); len(given) > 0 {
		t.add(freeNames, uuidList(arrays(), given), nil)
	}
	p.replaceRooms(t)
	if n := len(p.newRooms); n > 0 {
		t.add(insertRooms, bindRooms(of(n), p.newRooms), nil)
	}
	if n := len(p.members); n > 0 {
		t.add(putMembers, bindMembers(of(n), p.members), nil)
	}
}

func replace[R any](t *trip, number int, rows []*written[R], bind func(*args, []*written[R]) *args) {
	n := len(rows)
	if n == 0 {
		return
	}
	a := bind(of(n), rows).ints(n, func(i int) int64 { return int64(rows[i].was) })
	t.add(number, a.int(int64(n)), nil)
}

// replaceRooms demands, while nothing is known, that rooms keep their names in the
// first change of the batch: else an earlier change might have taken a name that
// was not free yet.
func (p *plan) replaceRooms(t *trip) {
	strict := p.known == nil && len(p.rooms)+len(p.newRooms) > 1
	replace(t, updateRooms, p.rooms, func(a *args, rows []*written[roomkit.Room]) *args {
		n := len(rows)
		bindRooms(a, rows)
		a.bools(n, func(int) bool { return strict })
		return a.textsOrNull(n, func(i int) string {
			if key, named := nameOf(&rows[i].first); named {
				return key.key
			}
			return ""
		})
	})
}

func (p *plan) writeDirectory(t *trip) {
	if n := len(p.newCompanies); n > 0 {
		t.add(insertCompanies, bindCompanies(of(n), p.newCompanies), nil)
	}
	replace(t, updateCompanies, p.companies, bindCompanies)
	if n := len(p.newTeams); n > 0 {
		t.add(insertTeams, bindTeams(of(n), p.newTeams), nil)
	}
	replace(t, updateTeams, p.teams, bindTeams)
	p.writeTeamMembers(t)
	if n := len(p.newUsers); n > 0 {
		t.add(insertUsers, bindUsers(of(n), p.newUsers), nil)
	}
	replace(t, updateUsers, p.users, bindUsers)
}

func (p *plan) writeTeamMembers(t *trip) {
	var teams, of, members []string
	for _, w := range slices.Concat(p.newTeams, p.teams) {
		teams = append(teams, string(w.row.ID))
		for _, u := range w.row.Members {
			of, members = append(of, string(w.row.ID)), append(members, string(u))
		}
	}
	if len(p.teams) > 0 {
		t.add(deleteTeamMembers, textList(textList(textList(arrays(), teams), of), members), nil)
	}
	if len(members) > 0 {
		t.add(insertTeamMembers, textList(textList(arrays(), of), members), nil)
	}
}

// namesGivenUp are the rooms that do not keep the name they are known to hold.
func (p *plan) namesGivenUp() (rooms []roomkit.RoomID) {
	if p.known == nil {
		return nil
	}
	for _, w := range p.rooms {
		held, named := p.known.held[w.row.ID]
		if keeps, still := nameOf(&w.row); named && (!still || keeps != held) {
			rooms = append(rooms, w.row.ID)
		}
	}
	return rooms
}

func writeTallies[K ~string](t *trip, number int, counts map[K]*count) {
	n := len(counts)
	if n == 0 {
		return
	}
	keys := slices.Sorted(maps.Keys(counts))
	a := of(n).texts(n, func(i int) string { return string(keys[i]) })
	a.ints(n, func(i int) int64 { return counts[keys[i]].was })
	a.ints(n, func(i int) int64 { return counts[keys[i]].now })
	t.add(number, a.int(int64(n)), nil)
}

func (p *plan) writeCheckpoints(t *trip) {
	n := len(p.checkpoints)
	if n == 0 {
		return
	}
	keys := slices.Sorted(maps.Keys(p.checkpoints))
	a := of(n).texts(n, func(i int) string { return keys[i] })
	a.texts(n, func(i int) string { return string(p.checkpoints[keys[i]].was) })
	a.texts(n, func(i int) string { return string(p.checkpoints[keys[i]].now) })
	t.add(putCheckpoints, a.int(int64(n)), nil)
}

func (p *plan) writeEnds(t *trip) {
	n := len(p.ended)
	if n == 0 {
		return
	}
	a := of(n).uuids(n, func(i int) [16]byte { return p.ended[i].Room })
	a.bools(n, func(i int) bool { return p.ended[i].Kind.IsGroup() })
	a.texts(n, func(i int) string { return p.ended[i].Cause.String() })
	a.times(n, func(i int) time.Time { return p.ended[i].At })
	a.ints(n, func(i int) int64 { return int64(p.ended[i].Version) })
	a.textsOrNull(n, func(i int) string { return p.ended[i].By.String() })
	t.add(endMembers, a, nil)
}

func (p *plan) writeCommands(t *trip) {
	n := len(p.stored)
	inOrder := slices.Clone(p.stored)
	slices.SortFunc(inOrder, func(a, b *fate) int { return bytes.Compare(a.change.Command[:], b.change.Command[:]) })
	a := of(n).uuids(n, func(i int) [16]byte { return inOrder[i].change.Command })
	a.byteas(n, func(i int) []byte { return inOrder[i].change.Digest[:] })
	a.uuidsOrNull(n, func(i int) [16]byte { return inOrder[i].change.Outcome.Room })
	a.bools(n, func(i int) bool { return inOrder[i].change.Outcome.Changed })
	a.column(n, oidText, func(b []byte, i int) ([]byte, bool) {
		c := inOrder[i].change
		if sameEvents(c.Outcome.Events, c.Records) {
			return b, false
		}
		return append(b, formatEvents(c.Outcome.Events)...), true
	})
	t.add(insertCommands, a, nil)
}

// formatEvents writes events as "user:kim/3 room:…/1".
func formatEvents(events []store.EventAt) string {
	var b strings.Builder
	for i, e := range events {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(e.Subject.String() + "/" + strconv.FormatInt(int64(e.Version), 10))
	}
	return b.String()
}

// publish adds what has to be done while no other transaction commits: compare
// what the batch relied on, and give the records their places.
func (p *plan) publish(t *trip, b *base) {
	t.add(takeTurn, new(args).int(b.lock).text(b.channel), nil)
	p.checkRelied(t)
	if n := len(p.records); n > 0 {
		t.add(insertRecords, bindRecords(of(n), p.records), func(r *row) { p.positions = append(p.positions, r.int()) })
	}
}

func (p *plan) checkRelied(t *trip) {
	users, companies := p.relied(roomkit.SubjectUser), p.relied(roomkit.SubjectCompany)
	if len(users)+len(companies) > 0 {
		t.add(checkPeople, expectations(expectations(arrays(), users), companies), nil)
	}
	rooms, teams := p.relied(roomkit.SubjectRoom), p.relied(roomkit.SubjectTeam)
	if n := len(rooms); n+len(teams) > 0 {
		a := arrays().uuids(n, func(i int) [16]byte { return rooms[i].Subject.Room })
		a.ints(n, func(i int) int64 { return int64(rooms[i].Version) })
		t.add(checkPlaces, expectations(a, teams), nil)
	}
}

func expectations(a *args, list []store.Expect) *args {
	a.texts(len(list), func(i int) string { return list[i].Subject.ID })
	return a.ints(len(list), func(i int) int64 { return int64(list[i].Version) })
}
