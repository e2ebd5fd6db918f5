package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

const (
	maxStreams   = 16               // open streams of one person
	writePatient = 10 * time.Second // for a reader that does not read
	heartbeat    = 20 * time.Second
)

// live tells open pages that something has changed, and never what: a page fetches it,
// and what it gets is decided at that moment. So a stream can show nobody anything. One
// reader of the feed serves all streams.
type live struct {
	svc       *service.Service
	store     store.Store
	companyOf func(roomkit.UserID) roomkit.CompanyID // empty: a consumer

	mu     sync.Mutex
	at     roomkit.Cursor
	open   map[roomkit.UserID]map[*stream]bool
	rooms  map[roomkit.RoomID]map[*stream]bool
	closed bool

	mixings int // how often outsiders have come into a room
}

// stream is one open page. What it has to be told is kept once, however slow it reads.
type stream struct {
	user     roomkit.UserID
	watching roomkit.RoomID // that the page shows
	wake     chan struct{}
	sees     map[roomkit.RoomID]bool // what it is told of
	stale    bool                    // that can be another by now
	outside  bool                    // some of them have people of several companies, or consumers
	all      bool                    // everything may have changed
	list     bool                    // the list of rooms has changed
	rooms    map[roomkit.RoomID]bool // have changed; true: by an event, and then it is told though the room is lost
	end      bool
}

func newLive(c *chat) *live {
	of := func(id roomkit.UserID) roomkit.CompanyID { return c.people.person(id).Company }
	return &live{svc: c.svc, store: c.store, companyOf: of, open: map[roomkit.UserID]map[*stream]bool{}, rooms: map[roomkit.RoomID]map[*stream]bool{}}
}

// run reads the feed until ctx ends, and again where a store that was busy broke it off.
func (l *live) run(ctx context.Context) error {
	for {
		err := l.watch(ctx)
		if !errors.Is(err, roomkit.ErrUnavailable) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (l *live) watch(ctx context.Context) error {
	l.mu.Lock()
	at := l.at
	l.mu.Unlock()
	for rec, err := range l.svc.Watch(ctx, at) {
		if err != nil {
			return err
		}
		l.happened(ctx, rec)
	}
	return ctx.Err()
}

// happened tells whom an event concerns: those in the room, who come in, and who go.
func (l *live) happened(ctx context.Context, rec service.Recorded) {
	var r reach
	subject := rec.Event.Info().Subject
	if subject.Type != roomkit.SubjectRoom {
		r = l.reached(ctx, rec.Event)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at = rec.Cursor
	if subject.Type != roomkit.SubjectRoom {
		l.tellReached(r)
		return
	}
	switch e := rec.Event.(type) {
	case *roomkit.MemberJoined:
		l.join(subject.Room, e.People)
		l.mixes(subject.Room, e.Counts)
	case *roomkit.MembersImported:
		l.mixes(subject.Room, e.Counts)
	case *roomkit.MasterAppointed:
		l.join(subject.Room, e.People)
	case *roomkit.MemberLeft:
		l.lookAgain(e.People)
	case *roomkit.MasterDismissed:
		l.lookAgain(e.People)
	case *roomkit.VisibilityChanged, *roomkit.RoomConverted, *roomkit.RoomEnded:
		for s := range l.rooms[subject.Room] {
			s.stale = true
		}
	default: // everybody sees the rooms that they saw before
	}
	l.tell(subject.Room, true)
}

// join tells people of a room from now on.
func (l *live) join(room roomkit.RoomID, people []roomkit.Person) {
	l.lookAgain(people)
	for _, p := range people {
		for s := range l.open[p.User] {
			l.add(room, s)
		}
	}
}

// lookAgain says that people can see other rooms than before. A stream finds out which,
// before it says anything more.
func (l *live) lookAgain(people []roomkit.Person) {
	for _, p := range people {
		for s := range l.open[p.User] {
			s.stale = true
		}
	}
}

func (l *live) add(room roomkit.RoomID, s *stream) {
	if l.rooms[room] == nil {
		l.rooms[room] = map[*stream]bool{}
	}
	l.rooms[room][s], s.sees[room] = true, true
}

func (l *live) drop(room roomkit.RoomID, s *stream) {
	delete(s.sees, room)
	delete(l.rooms[room], s)
	if len(l.rooms[room]) == 0 {
		delete(l.rooms, room)
	}
}

// posted tells of a message.
func (l *live) posted(room roomkit.RoomID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tell(room, false)
}

// noticed tells people of notices, which the list of rooms counts.
func (l *live) noticed(people []roomkit.UserID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, user := range people {
		for s := range l.open[user] {
			s.list = true
			s.nudge()
		}
	}
}

func (l *live) tell(room roomkit.RoomID, event bool) {
	for s := range l.rooms[room] {
		s.rooms[room] = s.rooms[room] || event
		s.nudge()
	}
}

func (s *stream) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// begin opens a stream. It first says that everything may have changed, so that nothing
// is missing that happened before.
func (l *live) begin(user roomkit.UserID, watching roomkit.RoomID) (*stream, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || len(l.open[user]) >= maxStreams {
		p := &problem{Status: http.StatusServiceUnavailable, Category: service.CategoryUnavailable, Title: "The chat is stopping"}
		if !l.closed {
			p.Title, p.Detail = "This page is not kept up to date", fmt.Sprintf("You have %d others open. Close one of them.", maxStreams)
		}
		return nil, p
	}
	s := &stream{
		user: user, watching: watching, wake: make(chan struct{}, 1), all: true,
		sees: map[roomkit.RoomID]bool{}, rooms: map[roomkit.RoomID]bool{},
	}
	if l.open[user] == nil {
		l.open[user] = map[*stream]bool{}
	}
	l.open[user][s] = true
	return s, nil
}

// look finds out which rooms the person of a stream may know of now. What comes while it
// reads stays, and is looked at again.
func (l *live) look(ctx context.Context, s *stream) error {
	l.mu.Lock()
	mixings := l.mixings
	l.mu.Unlock()
	sees, of, outside := map[roomkit.RoomID]bool{}, l.companyOf(s.user), false
	for entry, err := range l.svc.Rooms(ctx, s.user, service.RoomList{}) {
		if err != nil {
			return err
		}
		sees[entry.Room.ID] = true
		outside = outside || mixed(of, &entry.Room)
	}
	if !s.watching.IsZero() && !sees[s.watching] && l.svc.Check(ctx, s.user, roomkit.ActionSeeRoom, s.watching) == nil {
		sees[s.watching], outside = true, true // whoever is there
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s.outside = s.outside || outside || mixings != l.mixings
	for room := range s.sees {
		if !s.stale && !sees[room] {
			l.drop(room, s)
		}
	}
	for room := range sees {
		l.add(room, s)
	}
	return nil
}

func (l *live) finish(s *stream) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for room := range s.sees {
		l.drop(room, s)
	}
	delete(l.open[s.user], s)
	if len(l.open[s.user]) == 0 {
		delete(l.open, s.user)
	}
}

// stopped says whether the chat is stopping.
func (l *live) stopped() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

// close ends all streams, so that the server can stop.
func (l *live) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for _, streams := range l.open {
		for s := range streams {
			s.end = true
			s.nudge()
		}
	}
}

// take gives what a stream has to be told, and forgets it. An error says that its person
// may see nothing more, or that nobody knows.
func (l *live) take(ctx context.Context, s *stream) (text string, end bool, err error) {
	l.mu.Lock()
	all, list, stale, rooms := s.all, s.list, s.stale, s.rooms
	s.all, s.list, s.stale, s.rooms = false, false, false, map[roomkit.RoomID]bool{}
	l.mu.Unlock()
	if all || stale {
		err = l.look(ctx, s)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	signal := func(event, data string) {
		text += fmt.Sprintf("id: %s\nevent: %s\ndata: %s\n\n", l.at, event, data)
	}
	if all {
		signal("all", "")
		return text, s.end, err
	}
	for room, event := range rooms {
		if event || err == nil && s.sees[room] {
			signal("room", room.String())
			list = true
		}
	}
	if list {
		signal("rooms", "")
	}
	return text, s.end, err
}

// serveLive is the stream of a person's page. Its room may be one of which the person is
// no member, such as an administrator's.
func (c *chat) serveLive(w http.ResponseWriter, r *http.Request, me roomkit.UserID) error {
	var watching roomkit.RoomID
	if text := r.FormValue("room"); text != "" {
		room, err := roomkit.ParseRoomID(text)
		if err != nil {
			return err
		}
		watching = room
	}
	s, err := c.live.begin(me, watching)
	if err != nil {
		return err
	}
	defer c.live.finish(s)
	text, end, err := c.live.take(r.Context(), s)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	out := http.NewResponseController(w)
	_ = out.SetReadDeadline(time.Time{}) // the request is read
	alive := time.NewTicker(heartbeat)
	defer alive.Stop()
	text = "retry: 500\n\n" + text
	for {
		_ = out.SetWriteDeadline(time.Now().Add(writePatient))
		if _, err := w.Write([]byte(text)); err != nil || out.Flush() != nil {
			return nil // the page is gone
		}
		if end || err != nil {
			return nil // the page asks again, and is told why
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-s.wake:
			text, end, err = c.live.take(r.Context(), s)
		case <-alive.C:
			text = ":\n\n"
		}
	}
}
