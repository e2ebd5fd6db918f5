package beside

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// tap is the reference as its service sees it. It can keep changes from the store, to
// show what a command comes to.
type tap struct {
	store.Store
	catching bool
	caught   []store.Change
}

var errCaught = errors.New("the change was kept from the store")

// Unwrap gives the store inside.
func (t *tap) Unwrap() store.Store { return t.Store }

// Commit commits, or keeps the changes.
func (t *tap) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	if !t.catching {
		return t.Store.Commit(ctx, changes)
	}
	for _, c := range changes {
		t.caught = append(t.caught, c.Clone())
	}
	return nil, errCaught
}

// catch gives changes that a command comes to now, and that nobody has stored.
func (h *history) catch() []store.Change {
	for range 5 {
		o := h.order()
		h.tap.catching, h.tap.caught = true, nil
		h.sides[0].run(o)
		h.tap.catching = false
		if len(h.tap.caught) > 0 {
			return h.tap.caught
		}
	}
	return nil
}

// committed is what a change was answered.
type committed struct {
	Classes []error
	Repeat  bool
	Outcome store.Outcome // without its cursor
	Behind  string        // the event that the cursor is behind
}

// Clones copies changes with all their slices, so that what a store does to them
// reaches nobody.
func Clones(changes []store.Change) []store.Change {
	copies := slices.Clone(changes)
	for i := range copies {
		copies[i] = changes[i].Clone()
	}
	return copies
}

func (s *side) commit(changes []store.Change) []store.CommitResult {
	results, err := s.store.Commit(s.h.ctx, Clones(changes))
	if err != nil || len(results) != len(changes) {
		s.h.Fatalf("Commit of %d changes gives %d results: %v", len(changes), len(results), err)
	}
	return results
}

// compare compares what came of changes that both sides were given.
func (h *history) compare(changes []store.Change, results [2][]store.CommitResult) {
	h.follow(false)
	list := both(h, func(s *side) (list []committed) {
		for _, r := range results[slices.Index(h.sides[:], s)] {
			o := r.Outcome
			o.Cursor, o.Events = "", Own(o.Events)
			list = append(list, committed{Classes: Classes(r.Err), Repeat: r.Repeat, Outcome: o, Behind: s.behind(r.Outcome.Cursor)})
		}
		return list
	}, "results of changes")
	for i, is := range list {
		for _, class := range is.Classes {
			h.reached.note("change refused: "+class.Error(), true)
		}
		h.reached.note("change repeated", is.Repeat)
		h.reached.note("change stored", is.Classes == nil && !is.Repeat)
		h.past = append(h.past, changes[i])
		for _, room := range changes[i].Rooms {
			if is.Classes == nil {
				h.know(room.ID)
			}
		}
	}
}

// commitAtOnce commits in one call what the reference stores in several: each change
// builds on those before.
func (h *history) commitAtOnce() {
	var changes []store.Change
	var results [2][]store.CommitResult
	for range 2 + h.roll(2) {
		for _, c := range h.catch() {
			changes = append(changes, c)
			results[0] = append(results[0], h.sides[0].commit([]store.Change{c})...)
		}
	}
	h.tell("%d changes at once", len(changes))
	results[1] = h.sides[1].commit(changes)
	h.compare(changes, results)
	h.reached.note("changes at once", len(changes) > 1)
}

// commitBadly commits what no service would: several changes of one state, some of
// them in one, late ones, the same again, malformed ones.
func (h *history) commitBadly() {
	changes := h.catch()
	switch h.roll(4) {
	case 0:
		changes = append(changes, h.catch()...)
	case 1:
		if len(changes) > 0 {
			changes = append(changes, h.anew(changes[0]))
		}
	case 2:
		changes = append(changes, merged(append(changes, h.catch()...)))
	}
	if h.toss() {
		changes = append(changes, h.bare())
	}
	if len(h.past) > 0 && h.toss() {
		changes = append(changes, h.late())
	}
	changes = some(h, changes, 9)
	for i := range changes {
		if h.toss() {
			h.spoil(&changes[i])
		}
	}
	if h.chance(1, 6) && len(changes) > 0 {
		changes = append(changes, changes[0])
	}
	for _, c := range changes {
		for i := range c.Users {
			c.Users[i].Groups = 77 // is ignored
		}
		for i := range c.Companies {
			c.Companies[i].Groups = 77
		}
		h.tell("change %s without a service expects %v, writes %d rooms, %d people, %d users, %d companies, %d teams, %d records, ends %d, counts %v, moves %v",
			c.Command, c.Expect, len(c.Rooms), len(c.Members), len(c.Users), len(c.Companies), len(c.Teams), len(c.Records), len(c.Ended), c.Tallies, c.Checkpoint)
	}
	var results [2][]store.CommitResult
	for i, s := range h.sides {
		results[i] = s.commit(changes)
	}
	h.compare(changes, results)
}

// anew gives a change as a new command.
func (h *history) anew(c store.Change) store.Change {
	c = c.Clone()
	c.Command = roomkit.CommandID(h.sides[0].newID())
	c.Outcome.Command = c.Command
	for i := range c.Records {
		c.Records[i].Command = c.Command
	}
	return c
}

// late gives a change of the past: again, with another payload, or as a new one.
func (h *history) late() store.Change {
	c := pick(h, h.past)
	switch c = c.Clone(); h.roll(3) {
	case 0:
		c.Digest[31] ^= 1
		c.Outcome.Digest = c.Digest
	case 1:
		c = h.anew(c)
	}
	return c
}

// bare gives a change that writes nothing but a count.
func (h *history) bare() (c store.Change) {
	c = h.anew(c)
	if users := h.load(store.Need{People: []roomkit.UserID{h.anybody()}}).Users; len(users) > 0 && h.toss() {
		c.Tallies = append(c.Tallies, store.Tally{User: users[0].ID, Was: users[0].Groups, Now: users[0].Groups})
	}
	h.rely(&c, 0)
	return c
}

// rely lets a change rely on something besides, on a version that is off by so much.
func (h *history) rely(c *store.Change, off roomkit.Version) {
	room, team, company, user := h.room(), pick(h, h.world.teams), pick(h, h.world.companies).ID, h.anybody()
	f := h.load(store.Need{Room: room.ID, Team: roomkit.KeyOfTeam(team.Company, team.ID)})
	on := pick(h, []store.Expect{
		{Subject: roomkit.RoomSubject(room.ID), Version: f.Room.Version}, {Subject: roomkit.TeamSubject(team.Company, team.ID), Version: f.Team.Version},
		{Subject: roomkit.CompanySubject(company), Version: h.company(company).Version},
		{Subject: roomkit.UserSubject(user), Version: h.user(user).Version},
	})
	if on.Version = max(0, on.Version+off); !slices.ContainsFunc(c.Expect, func(e store.Expect) bool { return e.Subject == on.Subject }) {
		c.Expect = append(c.Expect, on)
	}
}

// merged makes one change of those that have nothing in common. Whether the end of a group
// or a tally comes first is not said, so there is one of them at most.
func merged(changes []store.Change) (all store.Change) {
	seen := map[roomkit.Subject]bool{}
	for _, c := range changes {
		if slices.ContainsFunc(c.Expect, func(e store.Expect) bool { return seen[e.Subject] }) ||
			(len(all.Tallies)+len(all.Ended))*(len(c.Tallies)+len(c.Ended)) > 0 {
			continue
		}
		for _, e := range c.Expect {
			seen[e.Subject] = true
		}
		c = c.Clone()
		all.Command, all.Digest, all.Outcome = c.Command, c.Digest, c.Outcome
		all.Expect, all.Records = append(all.Expect, c.Expect...), append(all.Records, c.Records...)
		all.Rooms, all.Members, all.Ended = append(all.Rooms, c.Rooms...), append(all.Members, c.Members...), append(all.Ended, c.Ended...)
		all.Users, all.Companies = append(all.Users, c.Users...), append(all.Companies, c.Companies...)
		all.Teams, all.Tallies = append(all.Teams, c.Teams...), append(all.Tallies, c.Tallies...)
	}
	for i := range all.Records {
		all.Records[i].Command = all.Command
	}
	return all
}

// spoil makes something of a change that has to be refused, most often.
func (h *history) spoil(c *store.Change) {
	somebody := h.anybody()
	ways := []func(){
		func() { c.Command = roomkit.CommandID{} },
		func() { c.Expect = nil },
		func() { c.Expect = append(c.Expect, c.Expect...) },
		func() { c.Expect = append(c.Expect, store.Expect{Subject: roomkit.UserSubject("nobody"), Version: 1}) },
		func() { h.rely(c, -1) },
		func() { h.rely(c, 7) }, // not 1: the change before may make that, and this one was decided without it
		func() { h.rely(c, 0) },
		func() { c.Records = nil },
		func() { c.Records = append(c.Records, c.Records...) },
		func() { c.Rooms = append(c.Rooms, c.Rooms...) },
		func() { c.Members = append(c.Members, roomkit.Member{Room: roomkit.RoomID{1}, User: somebody}) },
		func() { c.Tallies = append(c.Tallies, store.Tally{Now: 1}) },
		func() { c.Tallies = append(c.Tallies, store.Tally{User: "nobody", Now: 1}) },
		func() { c.Tallies = append(c.Tallies, store.Tally{User: somebody, Was: 77}) },
		func() { c.Tallies = append(c.Tallies, store.Tally{Company: "x", Was: 77}) },
		func() { c.Checkpoint = &store.Checkpoint{Name: "mail", Was: "elsewhere"} },
		func() { c.Checkpoint = &store.Checkpoint{} },
		func() { h.takeName(c) },
	}
	if h.chance(2, 5) && len(c.Expect) > 0 {
		i := h.roll(len(c.Expect))
		Rebase(c, i, max(0, c.Expect[i].Version+roomkit.Version(h.oneOf(-1, 7))))
		return
	}
	pick(h, ways)()
}

// Rebase makes a change rely on another version of one of the subjects that it expects,
// and lead on from there.
func Rebase(c *store.Change, i int, now roomkit.Version) {
	of, by := c.Expect[i].Subject, now-c.Expect[i].Version
	c.Expect[i].Version = now
	for i := range c.Records {
		if c.Records[i].Subject == of {
			c.Records[i].Version += by
		}
	}
	EachRow(c, func(s roomkit.Subject, v *roomkit.Version) {
		if s == of {
			*v += by
		}
	})
}

// EachRow gives the subjects whose rows a change writes, and their versions.
func EachRow(c *store.Change, do func(s roomkit.Subject, v *roomkit.Version)) {
	for i := range c.Rooms {
		do(roomkit.RoomSubject(c.Rooms[i].ID), &c.Rooms[i].Version)
	}
	for i := range c.Users {
		do(roomkit.UserSubject(c.Users[i].ID), &c.Users[i].Version)
	}
	for i := range c.Companies {
		do(roomkit.CompanySubject(c.Companies[i].ID), &c.Companies[i].Version)
	}
	for i := range c.Teams {
		do(roomkit.TeamSubject(c.Teams[i].Company, c.Teams[i].ID), &c.Teams[i].Version)
	}
}

// takeName gives a room of a change the name of another one, as long as that has it.
func (h *history) takeName(c *store.Change) {
	for _, room := range h.active(roomkit.KindGroup) {
		held := store.Expect{Subject: roomkit.RoomSubject(room.ID), Version: room.Version}
		i := slices.IndexFunc(c.Rooms, func(r roomkit.Room) bool { return r.ID != room.ID && r.Company == room.Company })
		known := slices.ContainsFunc(c.Expect, func(e store.Expect) bool { return e.Subject == held.Subject })
		if i >= 0 && room.NameKey != "" && !known {
			c.Rooms[i].NameKey, c.Expect = room.NameKey, append(c.Expect, held)
			return
		}
	}
}

// ask compares the answers to one question of every sort.
func (h *history) ask() {
	n := h.need()
	both(h, func(s *side) answered[store.Facts] {
		facts, err := s.store.Load(h.ctx, []store.Need{n, {}})
		if err != nil || len(facts) != 2 {
			return answerTo(store.Facts{}, err)
		}
		return answerTo(s.plain(facts[0]), nil)
	}, "answer to %+v", n)
	after, limit := h.anybody(), 1+h.roll(4)
	members := store.MemberQuery{Room: h.room().ID, Which: store.MemberFilter(h.roll(4)), After: after, Limit: limit}
	page(h, func(s *side) ([]roomkit.Member, error) { return s.store.Members(h.ctx, members) }, "page of members by %+v", members)
	users := store.UserQuery{Company: h.anyCompany(), After: after, Limit: limit}
	page(h, func(s *side) ([]roomkit.User, error) { return s.store.Users(h.ctx, users) }, "page of users by %+v", users)
	rooms := store.RoomQuery{Kinds: h.kinds(), After: h.room().ID, Limit: limit}
	if h.toss() {
		rooms.After = roomkit.RoomID{}
	}
	switch people := h.inside(h.room(), store.MembersTakingPart); h.roll(3) {
	case 0:
		rooms.User, rooms.Which = h.anybody(), store.MemberFilter(h.roll(4))
	case 1:
		rooms.Company, rooms.Public = pick(h, h.world.companies).ID, h.toss()
	default:
		rooms.Participants, rooms.Exact = append(some(h, people, 3), after), h.toss()
		if len(people) > 0 && h.chance(3, 4) {
			rooms.Participants = some(h, people, 4)
		}
	}
	page(h, func(s *side) ([]roomkit.RoomEntry, error) { return s.store.Rooms(h.ctx, rooms) }, "page of rooms by %+v", rooms)
	of, from := pick(h, []roomkit.Subject{roomkit.RoomSubject(h.room().ID), roomkit.UserSubject(after), roomkit.TeamSubject("x", "t")}), roomkit.Version(h.roll(4))
	page(h, func(s *side) ([]string, error) {
		return s.names(s.store.History(h.ctx, of, from, limit))
	}, "page of %d of the history of %s after %d", limit, of, from)
	h.lookAtPage(h.roll(len(h.sides[0].records)), limit)
}

func (h *history) need() (n store.Need) {
	n.People, n.Shared = some(h, h.world.people(), 3), some(h, h.world.people(), 2)
	if room := h.room(); h.chance(3, 4) {
		n.Room, n.Masters, n.Everybody, n.First = room.ID, h.toss(), h.toss(), h.roll(4)
		if people := h.inside(room, store.MembersTakingPart); len(people) > 0 {
			n.Shared = some(h, people, 3)
		}
		if h.toss() {
			n.People = nil
		}
		if room.Kind == roomkit.KindTeam { // whether the leader comes with the room is not said
			n.People = append(n.People, h.load(store.Need{Team: roomkit.KeyOfTeam(room.Company, room.Team)}).Team.Leader)
		}
	}
	if h.toss() {
		team := pick(h, h.world.teams)
		n.Team, n.Companies, n.Checkpoint = roomkit.KeyOfTeam(team.Company, team.ID), []roomkit.CompanyID{"Z"}, pick(h, []string{"mail", "search"})
	}
	if room := h.room(roomkit.KindGroup); h.toss() {
		n.Name, n.Company = pick(h, []string{room.NameKey, room.NameKey, "ops", "Ops"}), room.Company
	}
	if len(h.past) > 0 && h.toss() {
		n.Command = pick(h, h.past).Command
	}
	return n
}

// page compares a page with that of the reference, which it may be shorter than.
func page[T any](h *history, read func(s *side) ([]T, error), what string, args ...any) {
	whole, err := read(h.sides[0])
	if err != nil {
		h.Fatalf("reference: %v: %s", err, fmt.Sprintf(what, args...))
	}
	both(h, func(s *side) answered[[]T] {
		got, err := read(s)
		if n := len(got); n > 0 && n < len(whole) {
			got = append(got, whole[n:]...)
		}
		return answerTo(Own(got), err)
	}, what, args...)
}

// names tells records by what stores have in common.
func (s *side) names(records []store.Record, err error) (names []string, _ error) {
	for _, r := range records {
		names = append(names, fmt.Sprintf("%s %s %s %s %x behind %s", nameOf(&r), r.Type, r.At, r.Command, r.Data, s.behind(r.Cursor)))
	}
	return names, err
}
