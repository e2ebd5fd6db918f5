package oracle

import (
	"maps"
	"slices"
	"strings"
)

func (d *drawing) percent(p int) bool { return d.c.Choose(100, "chance") < p }

func one[T any](d *drawing, what string, from ...T) T { return from[d.c.Choose(len(from), what)] }

func (d *drawing) users(is func(*User) bool) []string {
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(d.w.Users)) {
		if is(d.w.Users[id]) {
			ids = append(ids, id)
		}
	}
	return ids
}

func anyone(*User) bool { return true }

// actor draws one of them who sends a command: mostly somebody who can do anything.
func (d *drawing) actor(from []string) string {
	if awake := slices.DeleteFunc(slices.Clone(from), func(u string) bool { return u != System && d.w.Barred(u) }); len(awake) > 0 && !d.percent(8) {
		from = awake
	}
	return one(d, "actor", from...)
}

// user draws somebody, now and then nobody that exists.
func (d *drawing) user() string {
	if d.percent(2) {
		return "ghost"
	}
	return one(d, "user", d.users(anyone)...)
}

// people draws 1 to n of some, distinct and without one.
func (d *drawing) people(n int, except string, from []string) []string {
	from = slices.DeleteFunc(slices.Clone(from), func(p string) bool { return p == except })
	var out []string
	for range 1 + d.c.Choose(n, "how many") {
		if len(from) == 0 {
			break
		}
		i := d.c.Choose(len(from), "person")
		out = append(out, from[i])
		from = slices.Delete(from, i, i+1)
	}
	if len(out) == 0 || d.percent(2) {
		out = append(out, "ghost")
	}
	if d.percent(1) {
		out = append(out, out[0])
	}
	return out
}

// human draws an acting member of a company.
func (d *drawing) human() string {
	if d.percent(2) {
		return System
	}
	return d.actor(d.users(human))
}

// rooms are those of some kinds, or all, that have not ended.
func (d *drawing) rooms(kinds ...Kind) (all []*Room) {
	for _, id := range slices.Sorted(maps.Keys(d.w.Rooms)) {
		if r := d.w.Rooms[id]; !r.Ended && (len(kinds) == 0 || slices.Contains(kinds, r.Kind)) {
			all = append(all, r)
		}
	}
	return all
}

// room draws a room, now and then one that has ended or does not exist.
func (d *drawing) room(kinds ...Kind) string {
	all := d.rooms(kinds...)
	if often := d.rooms(one(d, "kind", GeneralRoom, GroupRoom, ExternalRoom, GroupRoom, ExternalRoom, TeamRoom, DirectRoom)); len(kinds) == 0 && len(often) > 0 {
		all = often
	}
	switch {
	case d.percent(4):
		return one(d, "any room", append(slices.Sorted(maps.Keys(d.w.Rooms)), "nowhere")...)
	case len(all) == 0:
		return "nowhere"
	}
	return one(d, "room", all...).ID
}

// somebodyIn draws an actor for a room: mostly one with a standing in it.
func (d *drawing) somebodyIn(room string) string {
	var in []string
	if r := d.w.Rooms[room]; r != nil {
		in = slices.Sorted(maps.Keys(r.Participants))
		for _, m := range slices.Sorted(maps.Keys(r.Masters)) {
			in = append(in, m, m)
		}
		in = append(in, d.users(func(u *User) bool { return administers(u, r) })...)
	}
	switch {
	case len(in) == 0 || d.percent(12):
		return d.actor(append(d.users(anyone), System))
	default:
		return d.actor(in)
	}
}

func (d *drawing) present(room string) []string {
	if r := d.w.Rooms[room]; r != nil && d.percent(85) {
		return slices.Sorted(maps.Keys(r.Participants))
	}
	return d.users(anyone)
}

// name draws from a few names, so that they meet, and now and then one as long as
// may be or longer.
func (d *drawing) name() string {
	if d.percent(3) {
		return strings.Repeat("é", one(d, "length", 100, 101, 300, 301, 1000, 1001))
	}
	return one(d, "name", "Red", "RED", "Blue", "Green", "Grey", "Gold")
}

func (d *drawing) coin() bool { return d.c.Choose(2, "coin") == 1 }

func (d *drawing) flip() *bool {
	v := d.coin()
	return &v
}

func (d *drawing) settings() Settings {
	s := Settings{Public: d.percent(20), Sharing: d.percent(30), Notify: d.percent(30), MessageOff: d.percent(5)}
	if d.percent(30) {
		s.FeaturesOff = Features{one(d, "feature", Note, Event, Folder): true}
	}
	return s
}

// void lists the people of a room whose participation or role does not count.
func (d *drawing) void(room string) []string {
	r := d.w.Rooms[room]
	if r == nil {
		return nil
	}
	return d.users(func(u *User) bool { return d.w.voidParticipant(r, u.ID) || d.w.voidMaster(r, u.ID) })
}

// where draws a room that is like this, or else any room.
func (d *drawing) where(is func(*Room) bool) string {
	all := slices.DeleteFunc(d.rooms(), func(r *Room) bool { return !is(r) })
	if len(all) == 0 {
		return d.room()
	}
	return one(d, "room", all...).ID
}

// manager draws a master or administrator of a room, or else anybody in it.
func (d *drawing) manager(room string) string {
	if r := d.w.Rooms[room]; r != nil && d.percent(80) {
		could := d.users(func(u *User) bool {
			_, is := r.Masters[u.ID]
			return is || administers(u, r) || d.w.leads(u, r)
		})
		if len(could) > 0 {
			return d.actor(could)
		}
	}
	return d.somebodyIn(room)
}
