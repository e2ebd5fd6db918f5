package memstore_test

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/go-roomkit/roomkit"
)

// handWritten is what a service would write for itself: maps behind a lock, one
// kind of room, one rule, and the same duties (counts, digest, an encoded event
// in a log and in the room's history, an id remembered per command). It stands
// beside the library's rows.
type handWritten struct {
	mu    sync.Mutex
	users map[roomkit.UserID]handUser
	rooms map[roomkit.RoomID]*handRoom
	log   []handRecord
	done  map[[16]byte]int
	of    map[roomkit.UserID]map[roomkit.RoomID]bool
}

type handUser struct {
	company string
	active  bool
}

type handRoom struct {
	company string
	version int64
	count   int64
	digest  [2]uint64
	members map[roomkit.UserID]handMember
	history []int
}

type handMember struct {
	joined  time.Time
	version int64
	current bool
}

type handRecord struct {
	room    roomkit.RoomID
	version int64
	at      time.Time
	data    []byte
}

func (h *handWritten) add(room roomkit.RoomID, actor, who roomkit.UserID) bool {
	id := uuid.Must(uuid.NewV7())
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	r, ok := h.rooms[room]
	if !ok || !r.members[actor].current || !h.users[actor].active {
		return false
	}
	u, ok := h.users[who]
	if !ok || !u.active || u.company != r.company || r.members[who].current {
		return false
	}
	r.version++
	r.count++
	sum := sha256.Sum256([]byte(who))
	r.digest[0] += binary.BigEndian.Uint64(sum[:])
	r.digest[1] += binary.BigEndian.Uint64(sum[8:])
	r.members[who] = handMember{now, r.version, true}
	if h.of[who] == nil {
		h.of[who] = map[roomkit.RoomID]bool{}
	}
	h.of[who][room] = true
	data := make([]byte, 0, 320)
	data = append(data, `{"type":"member.joined","v":1,"room":"`...)
	data = append(data, room.String()...)
	data = append(data, `","version":`...)
	data = strconv.AppendInt(data, r.version, 10)
	data = append(data, `,"at":`...)
	data = strconv.AppendInt(data, now.UnixMicro(), 10)
	data = append(data, `,"actor":"`...)
	data = append(data, actor...)
	data = append(data, `","command":"`...)
	data = append(data, id.String()...)
	data = append(data, `","cause":"invited","kind":"general","people":[{"user":"`...)
	data = append(data, who...)
	data = append(data, `"}],"counts":{"participants":`...)
	data = strconv.AppendInt(data, r.count, 10)
	data = append(data, `}}`...)
	r.history = append(r.history, len(h.log))
	h.log = append(h.log, handRecord{room, r.version, now, data})
	h.done[id] = len(h.log)
	return true
}

func (h *handWritten) mayPost(who roomkit.UserID, room roomkit.RoomID) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	r, u := h.rooms[room], h.users[who]
	return r != nil && r.members[who].current && u.active && u.company == r.company
}

func newHandWritten(rooms []roomkit.RoomID, ids []roomkit.UserID) *handWritten {
	h := &handWritten{
		users: map[roomkit.UserID]handUser{"ann": {"acme", true}}, rooms: map[roomkit.RoomID]*handRoom{},
		done: map[[16]byte]int{}, of: map[roomkit.UserID]map[roomkit.RoomID]bool{},
	}
	for _, id := range ids {
		h.users[id] = handUser{"acme", true}
	}
	for _, id := range rooms {
		h.rooms[id] = &handRoom{company: "acme", members: map[roomkit.UserID]handMember{"ann": {current: true}}}
	}
	return h
}

// handCheck answers one question, whether somebody may post, from maps of the same size as
// the library's.
type handCheck struct {
	mu        sync.RWMutex
	users     map[roomkit.UserID]handUser
	companies map[string]bool // may talk with others
	rooms     map[roomkit.RoomID]*handRoom
	in        map[handKey]*handMember
}

type handKey struct {
	room roomkit.RoomID
	user roomkit.UserID
}

func newHandCheck(c *crowd) *handCheck {
	h := &handCheck{
		users: map[roomkit.UserID]handUser{}, rooms: map[roomkit.RoomID]*handRoom{}, in: map[handKey]*handMember{}, companies: map[string]bool{"acme": true},
	}
	for _, id := range c.users {
		h.users[id] = handUser{"acme", true}
	}
	for n, id := range c.rooms {
		h.rooms[id] = &handRoom{company: "acme"}
		for i := range 50 {
			h.in[handKey{id, c.member(n, i)}] = &handMember{current: true}
		}
	}
	return h
}

func (h *handCheck) mayPost(who roomkit.UserID, room roomkit.RoomID) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	ok, _ := h.may(who, room)
	return ok
}

func (h *handCheck) may(who roomkit.UserID, room roomkit.RoomID) (bool, *handMember) {
	r, u, m := h.rooms[room], h.users[who], h.in[handKey{room, who}]
	return r != nil && m != nil && m.current && u.active && (u.company == r.company || h.companies[u.company]), m
}

// handAccess is what somebody may do in a room, and from when on they may read.
type handAccess struct {
	room    roomkit.RoomID
	post    bool
	joined  time.Time
	version int64
}

func (h *handCheck) access(who roomkit.UserID, rooms []roomkit.RoomID) []handAccess {
	h.mu.RLock()
	defer h.mu.RUnlock()
	list := make([]handAccess, len(rooms))
	for i, room := range rooms {
		ok, m := h.may(who, room)
		if list[i] = (handAccess{room: room, post: ok}); ok {
			list[i].joined, list[i].version = m.joined, m.version
		}
	}
	return list
}
