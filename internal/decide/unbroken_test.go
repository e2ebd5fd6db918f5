package decide

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/enum"
	"github.com/go-roomkit/roomkit/internal/oracle"
)

// A permission has to hold without a gap from the admission on (EXT-22, EXT-25, ADM-13,
// ADM-14). What the library keeps for that is compared with a plain history of the
// permission, package oracle's Chronicle, after every history of a few steps.

const (
	theGroup  = "group"
	theDirect = "direct"
)

// moment is the library and the chronicle after the same history.
type moment struct {
	w    *world
	told *oracle.Chronicle
}

// happening is a step on both sides. tell tells the chronicle and reports whether
// something changes by it; what a sweep changes has ended before.
type happening struct {
	name   string
	moves  []move
	tell   func(*oracle.Chronicle) bool
	sweeps bool
}

// chronicler explores histories.
type chronicler struct {
	rules  *roomkit.Rules
	rooms  map[string]roomkit.RoomID
	people []roomkit.UserID
	steps  []happening
	start  moment
	alter  func(before, after *world) // what a control keeps wrongly, or nil

	scratch Scratch
}

// foreign is an external group of ann with gus and gil of another company, whose
// permission changes, and gus' 1:1 room with ann.
func foreign(t *testing.T, mode roomkit.ExternalMode) *chronicler {
	c := chronicled(t, mode, "ann", "gus", "gil")
	c.directory("globex", "gus", "gil")
	c.admissions("ann", "gus", "gil")
	return c
}

// both is an external group of ann with gus of another company, their 1:1 room, and
// the permissions of both.
func both(t *testing.T, mode roomkit.ExternalMode) *chronicler {
	c := chronicled(t, mode, "ann", "gus")
	c.directory("acme", "ann")
	c.directory("globex", "gus")
	c.admissions("ann", "gus")
	c.admissions("gus", "ann")
	return c
}

// own is a room of colleagues, of whom two may make it an external group.
func own(t *testing.T, mode roomkit.ExternalMode) *chronicler {
	c := newChronicler(mode, "ann", "ben", "cat")
	c.rooms = map[string]roomkit.RoomID{theGroup: theRoom}
	c.begin(t, roomkit.CreateRoom{People: c.people[1:], Audience: roomkit.AudienceMembers, AllowDuplicate: true})
	c.start.told.Room(theGroup, false)
	c.start.told.Admit(theGroup, "ann", "ben", "cat")
	c.sweep()
	c.directory("acme", "ann", "ben")
	c.invitations("ann", "ben")
	c.invitations("ben", "ann")
	c.conversion("ann")
	c.conversion("ben")
	return c
}

func (c *chronicler) conversion(by roomkit.UserID) {
	id := string(by)
	c.add(id+" converts", func(h *oracle.Chronicle) bool {
		ok := !h.External(theGroup) && h.Active(id) && h.TakesPart(theGroup, id) && h.InForce(id)
		if ok {
			h.Convert(theGroup, id)
		}
		return ok
	}, move{roomkit.By(by), roomkit.Convert{Room: theRoom, To: roomkit.KindExternalGroup, Name: "g"}})
}

// chronicled is an external group of ann with everybody as Group Master, and her 1:1
// room with gus.
func chronicled(t *testing.T, mode roomkit.ExternalMode, people ...roomkit.UserID) *chronicler {
	c := newChronicler(mode, people...)
	c.rooms = map[string]roomkit.RoomID{theGroup: theRoom, theDirect: roomkit.DirectRoom("ann", "gus")}
	c.begin(t, roomkit.CreateExternalGroup{Name: "g", Members: people[1:], Masters: people[1:]})
	c.begin(t, roomkit.OpenDirect{With: "gus"})
	told := c.start.told
	told.Room(theGroup, true)
	told.Room(theDirect, false)
	for _, id := range people {
		told.Admit(theGroup, string(id))
		told.Appoint(theGroup, string(id))
	}
	told.Admit(theDirect, "ann", "gus")
	c.sweep()
	return c
}

// newChronicler has two companies without a room: people with a name like gus and gil
// are of globex. They hold the permission of their own if only those who do have it.
func newChronicler(mode roomkit.ExternalMode, people ...roomkit.UserID) *chronicler {
	c := &chronicler{
		rules:  roomkit.NewRules(roomkit.Policy{AnyoneIsContact: true, ForeignMasters: true}),
		people: people, start: moment{told: oracle.NewChronicle()},
	}
	companies := []roomkit.Company{{ID: "acme", Licensed: true, MembersCreateGroups: true, Partners: mode}, {ID: "globex", Licensed: true, Partners: mode}}
	for _, co := range companies {
		c.start.told.Company(string(co.ID), oracle.Mode(co.Partners.String()))
	}
	var users []roomkit.User
	for _, id := range people {
		u := roomkit.User{ID: id, Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Partners: mode == roomkit.ExternalSelected}
		if id[0] == 'g' {
			u.Company = "globex"
		}
		users = append(users, u)
		c.start.told.Account(string(id), string(u.Company), u.Partners)
	}
	c.start.w = newWorld(companies, users)
	c.start.w.main = theRoom
	return c
}

// begin lets ann do something before the first step.
func (c *chronicler) begin(t *testing.T, cmd roomkit.Command) {
	d, err := c.start.w.decide(c.rules, roomkit.By("ann"), cmd, theRoom)
	require.NoError(t, err)
	require.True(t, c.start.w.commit(&d))
}

func (c *chronicler) add(name string, tell func(*oracle.Chronicle) bool, moves ...move) {
	c.steps = append(c.steps, happening{name: name, tell: tell, moves: moves})
}

func (c *chronicler) host(cmd roomkit.Command, name string, tell func(*oracle.Chronicle) bool) {
	c.add(name, tell, bySystem([]roomkit.Command{cmd})...)
}

// idle adds changes that undo each other and concern no permission: they leave newer
// versions behind and nothing else.
func (c *chronicler) idle(name string, cmds ...roomkit.Command) {
	c.add(name, func(*oracle.Chronicle) bool { return true }, bySystem(cmds)...)
}

// directory adds what the host does with a company and people of it.
func (c *chronicler) directory(company roomkit.CompanyID, people ...roomkit.UserID) {
	for _, mode := range enum.Values(roomkit.ExternalOff) {
		c.host(roomkit.SetCompanyMessaging{Company: company, With: roomkit.OutsiderPartner, Mode: &mode}, fmt.Sprintf("%s %s", company, mode),
			func(h *oracle.Chronicle) bool { return h.Company(string(company), oracle.Mode(mode.String())) })
	}
	for _, u := range people {
		id := string(u)
		for _, on := range []bool{true, false} {
			c.host(roomkit.SetUserMessaging{User: u, With: roomkit.OutsiderPartner, Allow: &on}, fmt.Sprintf("%s own=%t", u, on),
				func(h *oracle.Chronicle) bool { return h.Own(id, on) })
			c.host(roomkit.SuspendUser{User: u, Lift: !on}, fmt.Sprintf("%s suspended=%t", u, on),
				func(h *oracle.Chronicle) bool { return h.Suspend(id, on) })
		}
		c.host(roomkit.DeleteUser{User: u}, id+" deleted", func(h *oracle.Chronicle) bool { return h.Delete(id) })
		c.host(roomkit.RestoreUser{User: u}, id+" restored", func(h *oracle.Chronicle) bool { return h.Restore(id) })
	}
	c.idle(string(company)+" edited", roomkit.EditCompany{Company: company, MaxGroups: new(int64(5))}, roomkit.EditCompany{Company: company, MaxGroups: new(int64)})
	c.idle(string(company)+" permits consumers for a while",
		roomkit.SetCompanyMessaging{Company: company, With: roomkit.OutsiderConsumer, Mode: new(roomkit.ExternalAll)},
		roomkit.SetCompanyMessaging{Company: company, With: roomkit.OutsiderConsumer, Mode: new(roomkit.ExternalOff)})
	c.idle(string(people[0])+" edited", roomkit.EditUser{User: people[0], Administrator: new(true)}, roomkit.EditUser{User: people[0], Administrator: new(false)})
	c.idle(string(people[0])+" permitted consumers for a while",
		roomkit.SetUserMessaging{User: people[0], With: roomkit.OutsiderConsumer, Allow: new(true)},
		roomkit.SetUserMessaging{User: people[0], With: roomkit.OutsiderConsumer, Allow: new(false)})
}

// admissions adds what somebody brings others in with.
func (c *chronicler) admissions(by roomkit.UserID, others ...roomkit.UserID) {
	c.invitations(by, others...)
	with := others[0]
	c.add(fmt.Sprintf("%s opens 1:1 with %s", by, with), func(h *oracle.Chronicle) bool { return reopened(h, string(by), string(with)) },
		move{roomkit.By(by), roomkit.OpenDirect{With: with}})
}

// invitations adds those into the group and among its Group Masters. Into a room of
// colleagues everybody invites.
func (c *chronicler) invitations(by roomkit.UserID, others ...roomkit.UserID) {
	actor := roomkit.By(by)
	for _, u := range others {
		id := string(u)
		may := func(h *oracle.Chronicle) bool {
			inCharge := h.Manages(theGroup, string(by)) || !h.External(theGroup) && h.TakesPart(theGroup, string(by))
			return h.Active(string(by)) && inCharge && h.Active(id) && (h.InForce(id) || !h.External(theGroup))
		}
		c.add(fmt.Sprintf("%s invites %s", by, u), func(h *oracle.Chronicle) bool {
			ok := may(h) && !h.TakesPart(theGroup, id)
			if ok {
				h.Admit(theGroup, id)
			}
			return ok
		}, move{actor, roomkit.Invite{Room: theRoom, People: []roomkit.UserID{u}}})
		c.add(fmt.Sprintf("%s appoints %s", by, u), func(h *oracle.Chronicle) bool {
			ok := h.External(theGroup) && may(h) && !h.Manages(theGroup, id)
			if ok {
				h.Appoint(theGroup, id)
			}
			return ok
		}, move{actor, roomkit.AppointMasters{Room: theRoom, People: []roomkit.UserID{u}}})
	}
}

// reopened brings those back into the 1:1 room who are out of it. Only a new one cannot
// be had with somebody who is suspended (ADM-17).
func reopened(h *oracle.Chronicle, by, with string) bool {
	if !h.Active(by) || !h.InForce(by) || !h.InForce(with) || h.Ended(theDirect) && !h.Active(with) {
		return false
	}
	out := slices.DeleteFunc([]string{by, with}, func(id string) bool { return h.TakesPart(theDirect, id) })
	if len(out) > 0 {
		h.Admit(theDirect, out...)
	}
	return len(out) > 0
}

// sweep adds what Enforce does.
func (c *chronicler) sweep() {
	var moves []move
	for _, room := range c.rooms {
		for _, cause := range []roomkit.Cause{roomkit.CausePermission, roomkit.CauseAccount} {
			moves = append(moves, move{roomkit.System(), roomkit.Expel{Room: room, People: c.people, Cause: cause}})
		}
	}
	c.steps = append(c.steps, happening{name: "sweep", moves: moves, sweeps: true})
}

// step takes a step on both sides; it gives nil if nothing changes, and what is wrong.
func (c *chronicler) step(m moment, s happening) (next *moment, problem string) {
	w, changed := m.w, false
	for _, move := range s.moves {
		d, err := w.decideIn(&c.scratch, c.rules, move.actor, move.cmd, theRoom)
		if err != nil || len(d.Events) == 0 {
			continue
		}
		changed = true
		before := w
		if w = w.copyFor(&d); !w.commit(&d) {
			return nil, "a fresh decision must commit"
		}
		if c.alter != nil {
			w.users, w.companies = maps.Clone(w.users), maps.Clone(w.companies)
			c.alter(before, w)
		}
	}
	told := m.told.Clone()
	next = &moment{w, told}
	if s.sweeps {
		told.Sweep()
		problem = c.compareSwept(next)
	} else if want := s.tell(told); want != changed {
		problem = fmt.Sprintf("changes something: %t, by the chronicle %t", changed, want)
	}
	if !changed && !s.sweeps {
		return nil, problem
	}
	return next, cmp.Or(problem, c.compare(next))
}

// compareSwept demands that no row shows what does not count.
func (c *chronicler) compareSwept(m *moment) string {
	for name, id := range c.rooms {
		for _, u := range c.people {
			row := m.w.rows[id][u]
			if row.Participant != m.told.TakesPart(name, string(u)) || row.Master != m.told.Manages(name, string(u)) {
				return fmt.Sprintf("%s: after a sweep the row of %s shows %t, %t", name, u, row.Participant, row.Master)
			}
		}
	}
	return ""
}

// compare asks both sides who takes part, manages, may enter and may post.
func (c *chronicler) compare(m *moment) string {
	for name, id := range c.rooms {
		f := m.w.answer(Need(roomkit.System(), roomkit.Expel{Room: id, People: c.people}), roomkit.RoomID{})
		room := m.w.rooms[id]
		for _, u := range c.people {
			who, user := m.w.person(id, u), string(u)
			part, manages := m.told.TakesPart(name, user), m.told.Manages(name, user)
			active := m.told.Active(user)
			posts := part && active && (name == theGroup || m.told.InForce("ann") && m.told.InForce("gus"))
			a := Access(c.rules, f, id, u)
			for _, q := range []struct {
				what      string
				got, want bool
			}{
				{"takes part", who.TakesPart(&room), part},
				{"manages", who.Manages(&room), manages},
				{"has the standing of a participant", a.Standing&roomkit.StandingParticipant != 0, part && active},
				{"has the standing of a master", a.Standing&roomkit.StandingMaster != 0, manages && active},
				{"may enter", a.Can(roomkit.ActionEnter), part && active},
				{"may post", a.Can(roomkit.ActionPost), posts},
				{"may invite", name == theGroup && a.Can(roomkit.ActionInvite), active && name == theGroup && (manages || part && !m.told.External(name))},
			} {
				if q.got != q.want {
					return fmt.Sprintf("%s: %s %s: %t, by the chronicle %t", name, u, q.what, q.got, q.want)
				}
			}
		}
	}
	return ""
}

// key tells states apart whose futures may differ: of versions only which is older.
func (c *chronicler) key(m *moment) string {
	b := []byte(m.told.Now())
	for _, company := range []roomkit.CompanyID{"acme", "globex"} {
		co := m.w.companies[company]
		b = append(b, byte(co.Partners))
		axis := []roomkit.Version{co.Version, co.PartnersOff, co.PartnersNarrowed}
		for _, u := range c.people {
			user := m.w.users[u]
			if user.Company != company {
				continue
			}
			own := []roomkit.Version{user.Version, user.PartnersLost, user.Ended}
			axis = append(axis, user.PartnersSince)
			b = append(b, byte(user.Status), bit(user.Partners, 1))
			for _, name := range []string{theGroup, theDirect} {
				row := m.w.rows[c.rooms[name]][u]
				b = append(b, bit(row.Participant, 1)|bit(row.Master, 2))
				if row.Participant {
					own, axis = append(own, row.Epoch.User), append(axis, row.Epoch.Company)
				}
				if row.Master {
					own, axis = append(own, row.MasterEpoch.User), append(axis, row.MasterEpoch.Company)
				}
			}
			b = ranked(b, own)
		}
		b = ranked(b, axis)
	}
	for _, name := range []string{theGroup, theDirect} {
		room := m.w.rooms[c.rooms[name]]
		b = append(b, byte(room.Kind), byte(room.State))
	}
	return string(b)
}

func bit(set bool, as byte) byte {
	if set {
		return as
	}
	return 0
}

// ranked writes the order of versions of one subject.
func ranked(b []byte, axis []roomkit.Version) []byte {
	order := slices.Compact(slices.Sorted(slices.Values(axis)))
	for _, v := range axis {
		rank, _ := slices.BinarySearch(order, v)
		b = append(b, byte(rank))
	}
	return b
}

// found is what an exploration has covered.
type found struct {
	states, histories int    // states with which it was gone on, histories that lead there or change nothing
	problem           string // the first thing that is wrong, with its history
}

// visited is a state with the way on which it was reached first.
type visited struct {
	moment
	from, by int
	next     []int // by step; the state itself where nothing changes
}

// explore takes every history of a length, or all until something is wrong. States that
// are the same on both sides are gone on from once.
func (c *chronicler) explore(length int) found {
	states, ids := []visited{{moment: c.start}}, map[string]int{c.key(&c.start): 0}
	for begin, depth := 0, 0; depth < length; depth++ {
		end := len(states)
		for at := begin; at < end; at++ {
			next := make([]int, len(c.steps))
			for i, s := range c.steps {
				after, problem := c.step(states[at].moment, s)
				if problem != "" {
					return found{states: len(states), problem: fmt.Sprintf("%s\nafter %q", problem, append(way(c.steps, states, at), s.name))}
				}
				if next[i] = at; after == nil {
					continue
				}
				key := c.key(after)
				id, known := ids[key]
				if !known {
					id = len(states)
					ids[key] = id
					if depth == length-1 {
						*after = moment{} // is not gone on from
					}
					states = append(states, visited{moment: *after, from: at, by: i})
				}
				next[i] = id
			}
			states[at].next, states[at].moment = next, moment{}
		}
		begin = end
	}
	return found{states: len(states), histories: histories(states, length)}
}

func way(steps []happening, states []visited, at int) (names []string) {
	for ; at > 0; at = states[at].from {
		names = append(names, steps[states[at].by].name)
	}
	slices.Reverse(names)
	return names
}

// histories counts the ways of a length.
func histories(states []visited, length int) (sum int) {
	ways := map[int]int{0: 1}
	for range length {
		longer := map[int]int{}
		for at, n := range ways {
			for _, next := range states[at].next {
				longer[next] += n
			}
		}
		ways = longer
	}
	for _, n := range ways {
		sum += n
	}
	return sum
}

// TestUnbrokenPermission explores every history of a length, and with it all shorter ones.
func TestUnbrokenPermission(t *testing.T) {
	for _, c := range []struct {
		name       string
		of         func(*testing.T, roomkit.ExternalMode) *chronicler
		mode       roomkit.ExternalMode
		steps, far int // far in the long run
	}{
		{"one company, all", foreign, roomkit.ExternalAll, 6, 8},
		{"one company, selected", foreign, roomkit.ExternalSelected, 6, 7},
		{"two companies, all", both, roomkit.ExternalAll, 5, 6},
		{"two companies, selected", both, roomkit.ExternalSelected, 5, 6},
		{"a room of colleagues, all", own, roomkit.ExternalAll, 5, 6},
		{"a room of colleagues, selected", own, roomkit.ExternalSelected, 5, 6},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			switch {
			case long:
				c.steps = c.far
			case testing.Short():
				c.steps--
			}
			x := c.of(t, c.mode)
			got := x.explore(c.steps)
			require.Empty(t, got.problem, "see partnersHeldSince, and what apply.go keeps for it")
			t.Logf("%d histories of %d steps of %d kinds, %d states", got.histories, c.steps, len(x.steps), got.states)
		})
	}
}

// TestUnbrokenPermissionOneByOne takes states that look the same for different ones.
func TestUnbrokenPermissionOneByOne(t *testing.T) {
	steps := 3
	if long {
		steps = 5
	}
	c, histories := foreign(t, roomkit.ExternalAll), 0
	var explore func(moment, []string)
	explore = func(m moment, before []string) {
		for _, s := range c.steps {
			history := append(slices.Clip(before), s.name)
			after, problem := c.step(m, s)
			if histories++; problem != "" {
				require.Empty(t, problem, "after %q", history)
			}
			if after != nil && len(history) < steps {
				explore(*after, history)
			}
		}
	}
	explore(c.start, nil)
	t.Logf("%d histories of up to %d steps that change something", histories, steps)
}

// TestUnbrokenPermissionRefuses: what keeps or forgets too much is found.
func TestUnbrokenPermissionRefuses(t *testing.T) {
	users := func(change func(before, after *roomkit.User, company *roomkit.Company)) func(before, after *world) {
		return func(before, after *world) {
			for id, u := range after.users {
				was, company := before.users[id], after.companies[u.Company]
				change(&was, &u, &company)
				after.users[id] = u
			}
		}
	}
	companies := func(change func(*roomkit.Company)) func(before, after *world) {
		return func(_, after *world) {
			for id, co := range after.companies {
				change(&co)
				after.companies[id] = co
			}
		}
	}
	granted := func(before, after *roomkit.User) bool { return after.Partners && !before.Partners }
	for name, alter := range map[string]func(before, after *world){
		"a narrowing hides those before the grant": func(before, after *world) {
			for id, u := range after.users {
				if after.companies[u.Company].PartnersNarrowed > before.companies[u.Company].PartnersNarrowed {
					u.PartnersSince = 0
					after.users[id] = u
				}
			}
		},
		"a grant heals": users(func(_, after *roomkit.User, _ *roomkit.Company) { after.PartnersSince = 0 }),
		"a grant breaks": users(func(before, after *roomkit.User, company *roomkit.Company) {
			if granted(before, after) {
				after.PartnersSince = company.Version
			}
		}),
		"a narrowing breaks what is held alone": users(func(_, after *roomkit.User, company *roomkit.Company) {
			after.PartnersSince = company.PartnersNarrowed
		}),
		"a grant is a loss": users(func(before, after *roomkit.User, _ *roomkit.Company) {
			if granted(before, after) {
				after.PartnersLost = after.Version
			}
		}),
		"a suspension is an end": users(func(_, after *roomkit.User, _ *roomkit.Company) {
			if after.Status == roomkit.StatusSuspended {
				after.Ended = after.Version
			}
		}),
		"a withdrawal is forgotten": users(func(_, after *roomkit.User, _ *roomkit.Company) { after.PartnersLost = 0 }),
		"a deletion is forgotten":   users(func(_, after *roomkit.User, _ *roomkit.Company) { after.Ended = 0 }),
		"off is forgotten":          companies(func(co *roomkit.Company) { co.PartnersOff = 0 }),
		"a narrowing is forgotten":  companies(func(co *roomkit.Company) { co.PartnersNarrowed = 0 }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := foreign(t, roomkit.ExternalAll)
			c.alter = alter
			got := c.explore(5)
			require.NotEmpty(t, got.problem, "a wrong rule was not found")
			t.Log(got.problem)
		})
	}
}
