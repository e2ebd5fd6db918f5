package beside

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// roll draws a number below n, all equally often.
func (h *history) roll(n int) int { return h.random.IntN(max(1, n)) }

func (h *history) chance(n, of int) bool { return h.roll(of) >= of-n }

func (h *history) oneOf(from ...int) int { return pick(h, from) }

// pick draws one of some values; the zero value if there is none.
func pick[T any](h *history, from []T) (v T) {
	if len(from) == 0 {
		return v
	}
	return from[h.roll(len(from))]
}

// some draws up to most of them, at least one if there is one.
func some[T any](h *history, from []T, most int) []T {
	from = slices.Clone(from)
	for i := range from {
		j := i + h.roll(len(from)-i)
		from[i], from[j] = from[j], from[i]
	}
	return from[:min(len(from), 1+h.roll(most))]
}

// order is what one call is asked for: one command of Do, or several of Batch.
type order struct {
	actor    roomkit.Actor
	cmds     []roomkit.Command
	key      string
	ifVer    roomkit.Version
	contacts []roomkit.UserID
}

func (o *order) call() service.Call {
	return service.Call{Key: o.key, IfVersion: o.ifVer, Contacts: o.contacts}
}

// order draws a command, most often one that somebody may give.
func (h *history) order() order {
	actor, cmd := h.command()
	o := order{actor: actor, cmds: []roomkit.Command{cmd}}
	if room, ok := roomNamed(cmd); ok && h.chance(1, 8) {
		o.ifVer = max(0, h.row(room).Version-roomkit.Version(h.oneOf(0, 0, 1, -1)))
	}
	if h.chance(1, 6) {
		o.contacts = some(h, h.world.people(), 3)
	}
	if h.chance(1, 4) {
		o.key = fmt.Sprint("key ", h.roll(1000))
		h.kept = append(h.kept, o)
	}
	return o
}

// again repeats an order that had a key, now and then with another command.
func (h *history) again() order {
	if len(h.kept) == 0 {
		return h.order()
	}
	o := pick(h, h.kept)
	o.ifVer = 0
	if h.chance(1, 5) {
		_, cmd := h.command()
		o.cmds = []roomkit.Command{cmd}
	}
	return o
}

// batch draws commands for different rooms that do not touch each other, so that the
// order in which they are carried out makes no difference.
func (h *history) batch() order {
	of := h.active(roomkit.KindDirect, roomkit.KindGeneral)
	actor := h.someoneIn(pick(h, of), store.MembersTakingPart)
	o := order{actor: roomkit.By(actor)}
	for _, room := range some(h, of, 4) {
		o.cmds = append(o.cmds, h.apart(actor, room))
	}
	if h.chance(1, 2) && len(o.cmds) > 0 {
		o.key = fmt.Sprint("batch ", h.roll(1000))
		h.kept = append(h.kept, o)
	}
	return o
}

// apart draws a command that concerns one 1:1 or General room and people who are in
// no group because of it.
func (h *history) apart(actor roomkit.UserID, room roomkit.Room) roomkit.Command {
	switch h.roll(4) {
	case 0:
		return roomkit.Leave{Room: room.ID}
	case 1:
		if room.Kind != roomkit.KindGeneral { // else it leads to another room, which may be one of the others
			return roomkit.Leave{Room: room.ID}
		}
		colleagues := some(h, h.world.of(room.Company), 2)
		return roomkit.Invite{Room: room.ID, People: append(colleagues, actor)[:1]}
	case 2:
		return roomkit.Remove{Room: room.ID, People: []roomkit.UserID{h.someoneIn(room, store.MembersTakingPart)}}
	}
	return roomkit.Edit{Room: room.ID, Photo: new(h.text("photo"))}
}

// What is drawn goes by what the reference holds.

func (h *history) load(n store.Need) store.Facts {
	facts, err := h.sides[0].store.Load(h.ctx, []store.Need{n})
	require.NoError(h, err)
	return facts[0]
}

func (h *history) row(room roomkit.RoomID) roomkit.Room {
	return h.load(store.Need{Room: room}).Room
}

func (h *history) user(id roomkit.UserID) (u roomkit.User) {
	for _, u = range h.load(store.Need{People: []roomkit.UserID{id}}).Users {
		return u
	}
	return u
}

func (h *history) company(id roomkit.CompanyID) roomkit.Company {
	for _, c := range h.load(store.Need{Companies: []roomkit.CompanyID{id}}).Companies {
		return c
	}
	return roomkit.Company{}
}

// active gives the active rooms of some kinds, in byte order; no kind means all.
func (h *history) active(kinds ...roomkit.Kind) (rooms []roomkit.Room) {
	for _, id := range h.rooms {
		row := h.row(id)
		if row.State == roomkit.StateActive && (len(kinds) == 0 || slices.Contains(kinds, row.Kind)) {
			rooms = append(rooms, row)
		}
	}
	slices.SortFunc(rooms, func(a, b roomkit.Room) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return rooms
}

// room draws a room, most often an active one of these kinds.
func (h *history) room(kinds ...roomkit.Kind) roomkit.Room {
	if of := h.active(kinds...); len(of) > 0 && !h.chance(1, 10) {
		return pick(h, of)
	}
	if len(h.rooms) > 0 && !h.chance(1, 6) {
		id := pick(h, h.rooms)
		room := h.row(id)
		room.ID = id // it may not have been stored
		return room
	}
	return roomkit.Room{ID: roomkit.RoomID{0xff, byte(h.roll(3))}}
}

func (h *history) inside(room roomkit.Room, which store.MemberFilter) (ids []roomkit.UserID) {
	rows, err := h.sides[0].store.Members(h.ctx, store.MemberQuery{Room: room.ID, Which: which})
	require.NoError(h, err)
	for _, m := range rows {
		ids = append(ids, m.User)
	}
	return ids
}

// someoneIn draws one of the people of a room; anybody if nobody is there.
func (h *history) someoneIn(room roomkit.Room, which store.MemberFilter) roomkit.UserID {
	if ids := h.inside(room, which); len(ids) > 0 {
		return pick(h, ids)
	}
	return h.anybody()
}

// anyCompany gives a company; the empty one stands for consumers.
func (h *history) anyCompany() roomkit.CompanyID {
	return pick(h, []roomkit.CompanyID{"x", "y", "Z", ""})
}

func (h *history) anybody() roomkit.UserID { return pick(h, h.world.people()) }

// actorFor draws somebody who has a say in a room, seldom somebody else.
func (h *history) actorFor(room roomkit.Room) roomkit.Actor {
	switch {
	case h.chance(1, 20):
		return roomkit.System()
	case h.chance(1, 8):
		return roomkit.By(h.anybody())
	case room.Kind == roomkit.KindTeam && h.chance(1, 2):
		return roomkit.By(pick(h, []roomkit.UserID{"10", "c"}))
	case room.Kind.HasBadge() && h.chance(1, 3), room.Kind == roomkit.KindTeam:
		return roomkit.By(h.world.head(room.Company))
	case room.Kind.IsGroup():
		return roomkit.By(h.someoneIn(room, store.MembersManaging))
	}
	return roomkit.By(h.someoneIn(room, store.MembersTakingPart))
}

// provider draws who may change the directory of a company, seldom somebody else.
func (h *history) provider(company roomkit.CompanyID) roomkit.Actor {
	switch {
	case h.chance(1, 6):
		return roomkit.By(h.anybody())
	case h.chance(1, 2):
		return roomkit.By(h.world.head(company))
	}
	return roomkit.System()
}

func (h *history) text(what string) string { return fmt.Sprint(what, " ", h.roll(4)) }

func (h *history) toss() bool { return h.roll(2) == 1 }

// roomNamed gives the room that a command for one room is for.
func roomNamed(cmd roomkit.Command) (roomkit.RoomID, bool) {
	field := reflect.Indirect(reflect.ValueOf(cmd)).FieldByName("Room")
	if !field.IsValid() {
		return roomkit.RoomID{}, false
	}
	room, ok := field.Interface().(roomkit.RoomID)
	return room, ok && !room.IsZero()
}
