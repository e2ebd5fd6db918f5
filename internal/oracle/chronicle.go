package oracle

import (
	"maps"
	"slices"
)

// Chronicle states EXT-22, EXT-25, ADM-13 and ADM-14 as plain history: for each
// person the spans of time in which the account existed and in which it was permitted
// to talk with outsiders, for each room since when somebody takes part or is a Group
// Master. Time is counted in steps. Nothing else is kept, and nothing is worked out
// ahead: what counts is read from the spans.
type Chronicle struct {
	now    int
	modes  map[string]Mode // by company
	people map[string]*life
	rooms  map[string]*stay
}

// span is a stretch of time; until is 0 while it goes on.
type span struct{ from, until int }

type life struct {
	company   string
	own       bool // holds the permission alone
	suspended bool
	exists    []span
	permitted []span
}

// stay is a room: a group that external messaging is needed for, or a 1:1 room.
type stay struct {
	group   bool
	in      map[string]int // since when they take part
	masters map[string]int // since when they are Group Masters
}

// NewChronicle begins a history in which nothing has happened.
func NewChronicle() *Chronicle {
	return &Chronicle{now: 1, modes: map[string]Mode{}, people: map[string]*life{}, rooms: map[string]*stay{}}
}

// Clone gives a history that goes on apart from this one.
func (c *Chronicle) Clone() *Chronicle {
	next := &Chronicle{now: c.now, modes: maps.Clone(c.modes), people: map[string]*life{}, rooms: map[string]*stay{}}
	for id, l := range c.people {
		mine := *l
		mine.exists, mine.permitted = slices.Clone(l.exists), slices.Clone(l.permitted)
		next.people[id] = &mine
	}
	for id, r := range c.rooms {
		next.rooms[id] = &stay{group: r.group, in: maps.Clone(r.in), masters: maps.Clone(r.masters)}
	}
	return next
}

// happens lets a step of time pass, in which something changes, and writes down for
// everybody what holds from now on.
func (c *Chronicle) happens(change func()) {
	c.now++
	change()
	for _, l := range c.people {
		mode := c.modes[l.company]
		permitted := open(l.exists) && (mode == All || mode == Selected && l.own)
		l.permitted = c.note(l.permitted, permitted)
	}
}

// note begins a span or ends the last one.
func (c *Chronicle) note(spans []span, holds bool) []span {
	switch {
	case holds && !open(spans):
		return append(spans, span{from: c.now})
	case !holds && open(spans):
		spans[len(spans)-1].until = c.now
	}
	return spans
}

func open(spans []span) bool { return len(spans) > 0 && spans[len(spans)-1].until == 0 }

// unbroken reports whether what the spans are of has held from then until now.
func unbroken(spans []span, then int) bool {
	return slices.ContainsFunc(spans, func(s span) bool { return s.from <= then && s.until == 0 })
}

// Company says who of a company may talk with outsiders from now on; it reports
// whether that is a change, as all functions do that something happens with.
func (c *Chronicle) Company(id string, mode Mode) bool {
	if was, ok := c.modes[id]; ok && was == mode {
		return false
	}
	c.happens(func() { c.modes[id] = mode })
	return true
}

// Account begins somebody's account.
func (c *Chronicle) Account(id, company string, own bool) {
	c.happens(func() { c.people[id] = &life{company: company, own: own, exists: []span{{from: c.now}}} })
}

// Own gives somebody the permission alone, or withdraws it; while all of the company
// have it, none can be withdrawn (ADM-03).
func (c *Chronicle) Own(id string, on bool) bool {
	l := c.people[id]
	if l.own == on || !on && c.modes[l.company] == All {
		return false
	}
	c.happens(func() { l.own = on })
	return true
}

// Suspend blocks an account or lifts the block. It ends nothing (ADM-18).
func (c *Chronicle) Suspend(id string, on bool) bool {
	l := c.people[id]
	if l.suspended == on || !open(l.exists) {
		return false
	}
	c.happens(func() { l.suspended = on })
	return true
}

// Delete ends an account.
func (c *Chronicle) Delete(id string) bool {
	l := c.people[id]
	if !open(l.exists) {
		return false
	}
	c.happens(func() { l.exists, l.suspended = c.note(l.exists, false), false })
	return true
}

// Restore begins the account anew.
func (c *Chronicle) Restore(id string) bool {
	l := c.people[id]
	if open(l.exists) {
		return false
	}
	c.happens(func() { l.exists = c.note(l.exists, true) })
	return true
}

// Room opens a room.
func (c *Chronicle) Room(id string, group bool) {
	c.rooms[id] = &stay{group: group, in: map[string]int{}, masters: map[string]int{}}
}

// Admit lets people take part who do not.
func (c *Chronicle) Admit(room string, people ...string) {
	c.happens(func() {
		for _, id := range people {
			c.rooms[room].in[id] = c.now
		}
	})
}

// Appoint makes somebody a Group Master.
func (c *Chronicle) Appoint(room, id string) {
	c.happens(func() { c.rooms[room].masters[id] = c.now })
}

// Convert makes a room of colleagues a group that external messaging is needed for,
// with those who have it (CRE-41).
func (c *Chronicle) Convert(room, by string) {
	r, stays := c.rooms[room], map[string]bool{}
	for id := range r.in {
		stays[id] = c.TakesPart(room, id) && c.InForce(id)
	}
	c.happens(func() {
		r.group, r.in, r.masters = true, map[string]int{}, map[string]int{by: c.now}
		for id, in := range stays {
			if in {
				r.in[id] = c.now
			}
		}
	})
}

// External reports whether external messaging is needed for a room.
func (c *Chronicle) External(room string) bool { return c.rooms[room].group }

// Active reports whether somebody can do anything at all (ADM-13, ADM-17).
func (c *Chronicle) Active(id string) bool {
	return open(c.people[id].exists) && !c.people[id].suspended
}

// InForce reports whether somebody may talk with outsiders now.
func (c *Chronicle) InForce(id string) bool { return open(c.people[id].permitted) }

// TakesPart reports whether somebody takes part: admitted, and nothing that the
// admission relied on has been lost since, for however short a time.
func (c *Chronicle) TakesPart(room, id string) bool {
	since, ok := c.rooms[room].in[id]
	return ok && c.counts(room, id, since)
}

// Manages is the same of Group Masters.
func (c *Chronicle) Manages(room, id string) bool {
	since, ok := c.rooms[room].masters[id]
	return ok && c.counts(room, id, since)
}

func (c *Chronicle) counts(room, id string, since int) bool {
	l := c.people[id]
	return unbroken(l.exists, since) && (!c.rooms[room].group || unbroken(l.permitted, since))
}

// Sweep ends what does not count any more, and a room in which nobody is left (COM-09).
func (c *Chronicle) Sweep() {
	c.happens(func() {
		for room, r := range c.rooms {
			maps.DeleteFunc(r.in, func(id string, _ int) bool { return !c.TakesPart(room, id) })
			maps.DeleteFunc(r.masters, func(id string, _ int) bool { return !c.Manages(room, id) })
			if len(r.in) == 0 {
				clear(r.masters)
			}
		}
	})
}

// Ended reports whether a room has ended.
func (c *Chronicle) Ended(room string) bool { return len(c.rooms[room].in) == 0 }

// Now tells apart histories after which not the same counts, or not the same will
// count whatever happens. Spans that have ended count for nobody any more.
func (c *Chronicle) Now() string {
	var b []byte
	note := func(facts ...bool) {
		var bits byte
		for i, f := range facts {
			if f {
				bits |= 1 << i
			}
		}
		b = append(b, 'a'+bits)
	}
	for _, id := range slices.Sorted(maps.Keys(c.modes)) {
		b = append(b, c.modes[id][:2]...)
	}
	rooms := slices.Sorted(maps.Keys(c.rooms))
	for _, room := range rooms {
		note(c.External(room), c.Ended(room))
	}
	for _, id := range slices.Sorted(maps.Keys(c.people)) {
		l := c.people[id]
		note(l.own, l.suspended, open(l.exists), open(l.permitted))
		for _, room := range rooms {
			note(c.TakesPart(room, id), c.Manages(room, id))
		}
	}
	return string(b)
}
