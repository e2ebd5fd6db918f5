package storetest

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

var coin = rapid.Bool()

// roll draws a number below n, all equally often, unlike the ranges of rapid.
func (h *chronicle) roll(n int) int {
	bits, v := 3, 0
	for 1<<bits < n<<3 {
		bits++
	}
	for range bits {
		v <<= 1
		if coin.Draw(h.t, "coin") {
			v++
		}
	}
	return v * n >> bits
}

func (h *chronicle) chance(n, of int) bool { return h.roll(of) >= of-n }

func (h *chronicle) oneOf(from ...int) int { return pick(h, from) }

// pick draws one of some values; the zero value if there is none.
func pick[T any](h *chronicle, from []T) (v T) {
	if len(from) == 0 {
		return v
	}
	return from[h.roll(len(from))]
}

// some draws up to most of them, at least one if there is one.
func some[T any](h *chronicle, from []T, most int) []T {
	from = slices.Clone(from)
	for i := range from {
		j := i + h.roll(len(from)-i)
		from[i], from[j] = from[j], from[i]
	}
	return from[:min(len(from), 1+h.roll(most))]
}

// order is what one call is asked for: one command of Do, or several of Each.
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
func (h *chronicle) order() order {
	o := drawn(h, "order", func() order {
		actor, cmd := h.command()
		o := order{actor: actor, cmds: []roomkit.Command{cmd}}
		if room, ok := roomNamed(actor, cmd); ok && h.chance(1, 8) {
			o.ifVer = max(0, h.row(room).Version-roomkit.Version(h.oneOf(0, 0, 1, -1)))
		}
		if h.chance(1, 6) {
			o.contacts = some(h, h.world.people(), 3)
		}
		if h.chance(1, 4) {
			o.key = fmt.Sprint("key ", h.roll(1000))
		}
		return o
	})
	if o.key != "" {
		h.kept = append(h.kept, o)
	}
	return o
}

// drawn keeps what belongs together in one group of rapid.
func drawn[T any](h *chronicle, label string, draw func() T) T {
	outer := h.t
	defer func() { h.t = outer }()
	return rapid.Custom(func(t *rapid.T) T {
		h.t = t
		return draw()
	}).Draw(outer, label)
}

// again repeats an order that had a key, now and then with another command.
func (h *chronicle) again() order {
	if len(h.kept) == 0 {
		return h.order()
	}
	return drawn(h, "again", func() order {
		o := pick(h, h.kept)
		o.ifVer = 0
		if h.chance(1, 5) {
			_, cmd := h.command()
			o.cmds = []roomkit.Command{cmd}
		}
		return o
	})
}

// batch draws commands for different rooms that do not touch each other, so that the
// order in which they are carried out makes no difference.
func (h *chronicle) batch() order {
	o := drawn(h, "batch", func() order {
		of := h.active(roomkit.KindDirect, roomkit.KindGeneral)
		actor := h.someoneIn(pick(h, of), store.MembersTakingPart)
		o := order{actor: roomkit.By(actor)}
		for _, room := range some(h, of, 4) {
			o.cmds = append(o.cmds, h.apart(actor, room))
		}
		if h.chance(1, 2) {
			o.key = fmt.Sprint("batch ", h.roll(1000))
		}
		return o
	})
	if o.key != "" && len(o.cmds) > 0 {
		h.kept = append(h.kept, o)
	}
	return o
}

// apart draws a command that concerns one 1:1 or General room and people who are in
// no group because of it.
func (h *chronicle) apart(actor roomkit.UserID, room roomkit.Room) roomkit.Command {
	switch h.roll(4) {
	case 0:
		return roomkit.Leave{Room: room.ID}
	case 1:
		colleagues := some(h, h.world.of(h.world.user(actor).Company), 2)
		return roomkit.Invite{Room: room.ID, People: append(colleagues, "10")[:1]}
	case 2:
		return roomkit.Remove{Room: room.ID, People: []roomkit.UserID{h.someoneIn(room, store.MembersTakingPart)}}
	}
	return roomkit.Edit{Room: room.ID, Photo: new(h.text("photo"))}
}

// What is drawn goes by what the reference holds.

func (h *chronicle) load(n store.Need) store.Facts {
	facts, err := h.sides[0].store.Load(h.ctx, []store.Need{n})
	require.NoError(h.t, err)
	return facts[0]
}

func (h *chronicle) row(room roomkit.RoomID) roomkit.Room {
	return h.load(store.Need{Room: room}).Room
}

func (h *chronicle) company(id roomkit.CompanyID) roomkit.Company {
	for _, c := range h.load(store.Need{Companies: []roomkit.CompanyID{id}}).Companies {
		return c
	}
	return roomkit.Company{}
}

// active gives the active rooms of some kinds, in byte order; no kind means all.
func (h *chronicle) active(kinds ...roomkit.Kind) (rooms []roomkit.Room) {
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
func (h *chronicle) room(kinds ...roomkit.Kind) roomkit.Room {
	if of := h.active(kinds...); len(of) > 0 && !h.chance(1, 10) {
		return pick(h, of)
	}
	if len(h.rooms) > 0 && !h.chance(1, 6) {
		return h.row(pick(h, h.rooms))
	}
	return roomkit.Room{ID: roomkit.RoomID{0xff, byte(h.roll(3))}}
}

func (h *chronicle) inside(room roomkit.Room, which store.MemberFilter) (ids []roomkit.UserID) {
	rows, err := h.sides[0].store.Members(h.ctx, store.MemberQuery{Room: room.ID, Which: which})
	require.NoError(h.t, err)
	for _, m := range rows {
		ids = append(ids, m.User)
	}
	return ids
}

// someoneIn draws one of the people of a room; anybody if nobody is there.
func (h *chronicle) someoneIn(room roomkit.Room, which store.MemberFilter) roomkit.UserID {
	if ids := h.inside(room, which); len(ids) > 0 {
		return pick(h, ids)
	}
	return h.anybody()
}

func (h *chronicle) anybody() roomkit.UserID { return pick(h, h.world.people()) }

// actorFor draws somebody who has a say in a room, seldom somebody else.
func (h *chronicle) actorFor(room roomkit.Room) roomkit.Actor {
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
func (h *chronicle) provider(company roomkit.CompanyID) roomkit.Actor {
	switch {
	case h.chance(1, 6):
		return roomkit.By(h.anybody())
	case h.chance(1, 2):
		return roomkit.By(h.world.head(company))
	}
	return roomkit.System()
}

func (h *chronicle) text(what string) string { return fmt.Sprint(what, " ", h.roll(4)) }

func (h *chronicle) toss() bool { return h.roll(2) == 1 }

// roomNamed gives the room that a command for one room is for.
func roomNamed(actor roomkit.Actor, cmd roomkit.Command) (roomkit.RoomID, bool) {
	n := decide.Need(actor, cmd)
	return n.Room, !n.Room.IsZero()
}
