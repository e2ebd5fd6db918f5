package storetest

import (
	"slices"

	"pgregory.net/rapid"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// extras adds what a change can have besides rows.
func (d *drawing) extras() {
	if rapid.IntRange(0, 2).Draw(d.t, "relies") == 0 {
		d.relies()
	}
	if rapid.IntRange(0, 2).Draw(d.t, "tallies") == 0 {
		d.tallies()
	}
	if rapid.IntRange(0, 3).Draw(d.t, "moves a checkpoint") == 0 {
		name := rapid.SampledFrom(d.world.checkpoints).Draw(d.t, "checkpoint")
		was := d.base.checkpoints[name]
		if rapid.IntRange(0, 3).Draw(d.t, "from elsewhere") == 0 {
			was = d.cursor()
		}
		checkpoint(name, was, d.cursor())(d.c)
	}
}

// cursor draws a cursor that the store has issued in this history, or none.
func (d *drawing) cursor() roomkit.Cursor {
	return rapid.SampledFrom(append([]roomkit.Cursor{""}, d.cursors...)).Draw(d.t, "cursor")
}

func (d *drawing) relies() {
	subjects := []roomkit.Subject{roomkit.TeamSubject(d.world.teams[0]), roomkit.UserSubject("nobody")}
	for _, id := range d.world.users {
		subjects = append(subjects, roomkit.UserSubject(id))
	}
	for _, id := range d.world.companies {
		subjects = append(subjects, roomkit.CompanySubject(id))
	}
	for _, id := range d.world.rooms {
		subjects = append(subjects, roomkit.RoomSubject(id))
	}
	on := rapid.SampledFrom(subjects).Draw(d.t, "relied on")
	if d.take(on) {
		rely(on, d.version(d.base.version(on)))(d.c)
	}
}

func (d *drawing) tallies() {
	wrong := int64(0)
	if rapid.IntRange(0, 4).Draw(d.t, "wrong count") == 0 {
		wrong = 1
	}
	if rapid.Bool().Draw(d.t, "of a company") {
		id := rapid.SampledFrom(d.world.companies).Draw(d.t, "company")
		is := d.base.companies[id].Groups
		tallyCompany(id, is+wrong, is+2)(d.c)
		return
	}
	id := rapid.SampledFrom(d.world.users).Draw(d.t, "user")
	if slices.ContainsFunc(d.c.Ended, func(store.RoomEnd) bool { return true }) {
		return // whether the end or the tally comes first is not said
	}
	is := d.base.users[id].Groups
	tallyUser(id, is+wrong, is+2)(d.c)
}

// spoil makes some changes malformed; rapid draws large numbers less often.
func (d *drawing) spoil() {
	c := d.c
	switch rapid.IntRange(0, 31).Draw(d.t, "spoilt") {
	case 26:
		c.Expect = nil
	case 27:
		c.Expect = append(c.Expect, c.Expect...)
	case 28:
		if len(c.Records) > 0 {
			c.Records[len(c.Records)-1].Version++
		}
	case 29:
		c.Rooms = append(c.Rooms, c.Rooms...)
	case 30:
		c.Tallies = append(c.Tallies, store.Tally{Now: 1})
	case 31:
		c.Records = nil
	}
}
