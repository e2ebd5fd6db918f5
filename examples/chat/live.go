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
	svc    *service.Service
	mu     sync.Mutex
	at     roomkit.Cursor
	open   map[roomkit.UserID]map[*stream]bool
	rooms  map[roomkit.RoomID]map[roomkit.UserID]bool // of those who have a stream open
	closed bool
}

// stream is one open page. What it has to be told is kept once, however slow it reads.
type stream struct {
	wake  chan struct{}
	all   bool // everything may have changed
	list  bool // the list of rooms has changed
	rooms map[roomkit.RoomID]bool
	end   bool
}

func newLive(svc *service.Service) *live {
	return &live{
		svc:   svc,
		open:  map[roomkit.UserID]map[*stream]bool{},
		rooms: map[roomkit.RoomID]map[roomkit.UserID]bool{},
	}
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
	for rec, err := range l.svc.Watch(ctx, l.at) {
		if err != nil {
			return err
		}
		l.happened(rec)
	}
	return ctx.Err()
}

// happened tells whom an event concerns: those in the room, who come in, and who go. A
// change of the directory can concern anybody.
func (l *live) happened(rec service.Recorded) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at = rec.Cursor
	subject := rec.Event.Info().Subject
	if subject.Type != roomkit.SubjectRoom {
		l.tellAll()
		return
	}
	if e, ok := rec.Event.(*roomkit.MemberJoined); ok {
		l.join(subject.Room, e.People)
	}
	if e, ok := rec.Event.(*roomkit.MasterAppointed); ok {
		l.join(subject.Room, e.People)
	}
	l.tell(subject.Room)
	if e, ok := rec.Event.(*roomkit.MemberLeft); ok {
		for _, p := range e.People {
			delete(l.rooms[subject.Room], p.User)
		}
	}
	if _, ok := rec.Event.(*roomkit.RoomEnded); ok {
		delete(l.rooms, subject.Room)
	}
}

func (l *live) join(room roomkit.RoomID, people []roomkit.Person) {
	for _, p := range people {
		l.add(room, p.User)
	}
}

func (l *live) add(room roomkit.RoomID, user roomkit.UserID) {
	if len(l.open[user]) == 0 {
		return
	}
	if l.rooms[room] == nil {
		l.rooms[room] = map[roomkit.UserID]bool{}
	}
	l.rooms[room][user] = true
}

// posted tells of a message.
func (l *live) posted(room roomkit.RoomID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tell(room)
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

func (l *live) tell(room roomkit.RoomID) {
	for user := range l.rooms[room] {
		for s := range l.open[user] {
			s.rooms[room], s.list = true, true
			s.nudge()
		}
	}
}

func (l *live) tellAll() {
	for _, streams := range l.open {
		for s := range streams {
			s.all = true
			s.nudge()
		}
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
func (l *live) begin(ctx context.Context, user roomkit.UserID, watching roomkit.RoomID) (*stream, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.open[user]) >= maxStreams || l.closed {
		return nil, fmt.Errorf("%w: too many streams are open", roomkit.ErrUnavailable)
	}
	s := &stream{wake: make(chan struct{}, 1), rooms: map[roomkit.RoomID]bool{}, all: true}
	s.nudge()
	var mine []roomkit.RoomID
	for entry, err := range l.svc.Rooms(ctx, user, service.RoomList{}) {
		if err != nil {
			return nil, err
		}
		mine = append(mine, entry.Room.ID)
	}
	if !watching.IsZero() && l.svc.Check(ctx, user, roomkit.ActionSeeRoom, watching) == nil {
		mine = append(mine, watching)
	}
	if l.open[user] == nil {
		l.open[user] = map[*stream]bool{}
	}
	l.open[user][s] = true
	for _, room := range mine {
		l.add(room, user)
	}
	return s, nil
}

func (l *live) finish(user roomkit.UserID, s *stream) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open[user], s)
	if len(l.open[user]) > 0 {
		return
	}
	delete(l.open, user)
	for room, people := range l.rooms {
		delete(people, user)
		if len(people) == 0 {
			delete(l.rooms, room)
		}
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

// take gives what a stream has to be told, and forgets it.
func (l *live) take(s *stream) (text string, end bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	signal := func(event, data string) {
		text += fmt.Sprintf("id: %s\nevent: %s\ndata: %s\n\n", l.at, event, data)
	}
	if s.all {
		signal("all", "")
	} else {
		for room := range s.rooms {
			signal("room", room.String())
		}
		if s.list {
			signal("rooms", "")
		}
	}
	s.all, s.list = false, false
	clear(s.rooms)
	return text, s.end
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
	s, err := c.live.begin(r.Context(), me, watching)
	if err != nil {
		return err
	}
	defer c.live.finish(me, s)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	out := http.NewResponseController(w)
	_ = out.SetReadDeadline(time.Time{}) // the request is read
	alive := time.NewTicker(heartbeat)
	defer alive.Stop()
	text := "retry: 500\n\n"
	for end := false; !end; {
		_ = out.SetWriteDeadline(time.Now().Add(writePatient))
		if _, err := w.Write([]byte(text)); err != nil || out.Flush() != nil {
			return nil // the page is gone
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-s.wake:
			text, end = c.live.take(s)
		case <-alive.C:
			text = ":\n\n"
		}
	}
	return nil
}
