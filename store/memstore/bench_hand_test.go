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

// handWhole does by hand what an answer of the library contains, under one lock: it looks whether
// the command has been done before and keeps its digest, judges standing by versions
// (of the people and their company, whose licence it asks for), keeps whole rows and the
// lists that pages are read from, and gives the typed event, whom to tell and the place in
// the feed.
type handWhole struct {
	mu        sync.Mutex
	companies map[roomkit.CompanyID]*handCompany
	users     map[roomkit.UserID]*handPerson
	rooms     map[roomkit.RoomID]*handWholeRoom
	in        map[handKey]*roomkit.Member
	log       []handRecord
	done      map[roomkit.CommandID]handOutcome
}

type handCompany struct {
	version  roomkit.Version
	licensed bool
}

type handPerson struct {
	version, ended roomkit.Version
	company        roomkit.CompanyID
	kind           roomkit.UserKind
	status         roomkit.UserStatus
	rooms          []*roomkit.Member // to be sorted by whoever reads them
}

type handWholeRoom struct {
	row     roomkit.Room
	people  []*roomkit.Member // to be sorted by whoever reads them
	history []int
}

type handOutcome struct {
	digest [32]byte
	end    int
}

// handAnswer is what the caller gets.
type handAnswer struct {
	room    roomkit.RoomID
	kind    roomkit.Kind
	version roomkit.Version
	changed bool
	events  []roomkit.Event
	notices []roomkit.Notice
	cursor  roomkit.Cursor
}

func newHandWhole(rooms []roomkit.RoomID, ids []roomkit.UserID) *handWhole {
	h := &handWhole{
		companies: map[roomkit.CompanyID]*handCompany{"acme": {1, true}}, users: map[roomkit.UserID]*handPerson{},
		rooms: map[roomkit.RoomID]*handWholeRoom{}, in: map[handKey]*roomkit.Member{}, done: map[roomkit.CommandID]handOutcome{},
	}
	for _, id := range ids {
		h.users[id] = &handPerson{version: 1, company: "acme", kind: roomkit.UserMember, status: roomkit.StatusActive}
	}
	for _, id := range rooms {
		h.rooms[id] = &handWholeRoom{row: roomkit.Room{ID: id, Kind: roomkit.KindGeneral, State: roomkit.StateActive, Company: "acme", Version: 2}}
		h.in[handKey{id, "ann"}] = &roomkit.Member{Room: id, User: "ann", Participant: true, Epoch: roomkit.Epoch{User: 1, Company: 1}}
	}
	return h
}

func (h *handWhole) add(room roomkit.RoomID, actor, who roomkit.UserID) (handAnswer, bool) {
	id, now := roomkit.CommandID(uuid.Must(uuid.NewV7())), time.Now().UTC().Truncate(time.Microsecond)
	var digest [32]byte
	copy(digest[:], id[:])
	h.mu.Lock()
	defer h.mu.Unlock()
	if before, again := h.done[id]; again {
		return handAnswer{room: room, cursor: handCursor(before.end)}, before.digest == digest
	}
	r, key := h.rooms[room], handKey{room, who}
	a, u := h.users[actor], h.users[who]
	was := h.in[key]
	if r == nil || u == nil || r.row.State != roomkit.StateActive || !h.counts(a, h.in[handKey{room, actor}]) || h.counts(u, was) ||
		u.status != roomkit.StatusActive || u.company != r.row.Company {
		return handAnswer{}, false
	}
	c := h.companies[u.company]
	person := roomkit.Person{User: who, Company: u.company, Kind: u.kind, Epoch: roomkit.Epoch{User: u.version, Company: c.version}}
	e := &roomkit.MemberJoined{Meta: roomkit.Meta{
		Subject: roomkit.RoomSubject(room), Version: r.row.Version + 1, At: now, Actor: roomkit.By(actor), Command: id, Cause: roomkit.CauseInvited,
		Kind: r.row.Kind, Notify: r.row.Notify, Epoch: roomkit.Epoch{User: a.version, Company: c.version},
	}, People: []roomkit.Person{person}, Counts: r.row.Counts}
	e.Counts.Participants++
	h.write(r, u, was, e)
	h.done[id] = handOutcome{digest, len(h.log)}
	return handAnswer{room, r.row.Kind, r.row.Version, true, []roomkit.Event{e}, roomkit.NoticesOf(e), handCursor(len(h.log))}, true
}

// counts reports whether a membership is there and still counts.
func (h *handWhole) counts(u *handPerson, m *roomkit.Member) bool {
	return u != nil && m != nil && m.Participant && u.status == roomkit.StatusActive && m.Epoch.User >= u.ended && h.companies[u.company].licensed
}

// write keeps the rows, the lists and the record.
func (h *handWhole) write(r *handWholeRoom, u *handPerson, m *roomkit.Member, e *roomkit.MemberJoined) {
	p := &e.People[0]
	if m == nil {
		m = &roomkit.Member{Room: r.row.ID, User: p.User}
		h.in[handKey{r.row.ID, p.User}] = m
	}
	m.Company, m.Kind, m.Participant, m.Epoch = p.Company, p.Kind, true, p.Epoch
	m.Period, m.Joined, m.JoinedAt, m.JoinedVersion = m.Period+1, e.Cause, e.At, e.Version
	r.people, u.rooms = append(r.people, m), append(u.rooms, m)
	r.row.Version, r.row.Counts, r.row.ChangedAt, r.row.Digest = e.Version, e.Counts, e.At, r.row.Digest.With(p.User)
	r.history = append(r.history, len(h.log))
	h.log = append(h.log, handRecord{r.row.ID, int64(e.Version), e.At, handJoined(e)})
}

func handCursor(end int) roomkit.Cursor {
	return roomkit.Cursor("0123456789abcdef-" + strconv.Itoa(end))
}

func handJoined(e *roomkit.MemberJoined) []byte {
	p := &e.People[0]
	data := make([]byte, 0, 384)
	data = append(append(data, `{"type":"member.joined","v":1,"room":"`...), e.Subject.Room.String()...)
	data = strconv.AppendInt(append(data, `","version":`...), int64(e.Version), 10)
	data = strconv.AppendInt(append(data, `,"at":`...), e.At.UnixMicro(), 10)
	data = append(append(data, `,"actor":"`...), e.Actor.User()...)
	data = strconv.AppendInt(append(data, `","epoch":[`...), int64(e.Epoch.User), 10)
	data = strconv.AppendInt(append(data, ','), int64(e.Epoch.Company), 10)
	data = append(append(data, `],"command":"`...), e.Command.String()...)
	data = append(append(data, `","cause":"`...), e.Cause.String()...)
	data = append(append(data, `","kind":"`...), e.Kind.String()...)
	data = append(append(data, `","people":[{"user":"`...), p.User...)
	data = append(append(data, `","company":"`...), p.Company...)
	data = append(append(data, `","kind":"`...), p.Kind.String()...)
	data = strconv.AppendInt(append(data, `","epoch":[`...), int64(p.Epoch.User), 10)
	data = strconv.AppendInt(append(data, ','), int64(p.Epoch.Company), 10)
	data = strconv.AppendInt(append(data, `]}],"counts":{"participants":`...), e.Counts.Participants, 10)
	return append(data, `}}`...)
}
