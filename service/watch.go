package service

import (
	"bytes"
	"context"
	"iter"
	"slices"
	"sync"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/codec"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/store"
)

// WatchRooms is Watch for a user: only events of these rooms, and only what the
// user may know of them at the moment of delivery, as History would give it. For
// each room it ends with the event by which the user left it, or the room ended, to
// those as well who take no part and manage it by their office;
// what has happened between a loss of access and its sweep is not told. Nor is what had
// happened before to somebody who is slow: a gap in the versions of a room says that
// something has been left out. When no room is left, the sequence ends. A room that the user may not enter or manage
// at the beginning is an error, also if it has ended behind the cursor, and ErrNotFound if
// the user may not know of it: the error names the room, go on without it. So it is
// when a leader or administrator who takes no part loses the office, which no event of
// the room tells; the error names the room, and the sequence ends.
//
// It begins by reading the feed from the cursor to its end: [Service.Head] gives the
// cursor of now. From then on all who
// watch rooms on this service share one reader of the feed, which one of those who
// wait is at a time: what happens elsewhere costs as much as if there were one.
// An event costs one round trip for each who watches its room. Who is slow is
// remembered 1,000 events, and reads the feed again from there if that is not enough.
func (s *Service) WatchRooms(ctx context.Context, user roomkit.UserID, after roomkit.Cursor, rooms ...roomkit.RoomID) iter.Seq2[Recorded, error] {
	return func(yield func(Recorded, error) bool) {
		v := &view{
			s: s, user: user, at: after, behind: true, wake: make(chan struct{}, 1),
			open: map[roomkit.RoomID]*watched{}, office: map[roomkit.RoomID]bool{}, subjects: map[roomkit.Subject]bool{},
		}
		defer s.watching.leave(v)
		room, err := v.run(ctx, rooms, func(rec Recorded) bool { return yield(rec, nil) })
		if err != nil {
			yield(Recorded{}, placed("WatchRooms", room, err))
		}
	}
}

// view is what one user may know of the feed.
type view struct {
	s      *Service
	user   roomkit.UserID
	at     roomkit.Cursor              // up to here everything is told
	open   map[roomkit.RoomID]*watched // the rooms that the user is still in
	office map[roomkit.RoomID]bool     // those of them in which by office alone

	// These belong to the hub.
	subjects map[roomkit.Subject]bool // of which it is told
	queue    []store.Record
	behind   bool          // the queue does not have everything since at
	wake     chan struct{} // holds a value when there may be something to do
}

// watched is a room of a view.
type watched struct {
	begun roomkit.Version // of the room when the view began
	told  roomkit.Version // the last one that was looked at
	row   roomkit.Member  // the user's, as of the later one of the two
}

// maxQueue is how many records are kept for a view whose caller is slow.
const maxQueue = 1000

// run tells what happens until no room is left. With an error it says which room that is
// about, if it is about one.
func (v *view) run(ctx context.Context, rooms []roomkit.RoomID, yield func(Recorded) bool) (roomkit.RoomID, error) {
	if room, err := v.begin(ctx, rooms); err != nil {
		return room, err
	}
	for len(v.open) > 0 {
		records, behind, err := v.s.watching.wait(ctx, v)
		if err != nil {
			return roomkit.RoomID{}, err
		}
		if behind {
			if more, err := v.catchUp(ctx, yield); err != nil || !more {
				return roomkit.RoomID{}, err
			}
			continue
		}
		if more, err := v.tell(ctx, records, false, yield); err != nil || !more {
			return roomkit.RoomID{}, err
		}
		v.at = records[len(records)-1].Cursor
		if slices.ContainsFunc(records, func(r store.Record) bool { return r.Subject.Type != roomkit.SubjectRoom }) {
			if room, err := v.review(ctx); err != nil {
				return room, err
			}
		}
	}
	return roomkit.RoomID{}, nil
}

// begin asks for the hub's records first, so that nothing comes between them and what
// is loaded.
func (v *view) begin(ctx context.Context, rooms []roomkit.RoomID) (roomkit.RoomID, error) {
	about := []roomkit.Subject{roomkit.UserSubject(v.user)}
	for _, room := range rooms {
		about = append(about, roomkit.RoomSubject(room))
	}
	for len(about) > 0 {
		v.s.watching.enter(v, about)
		about = nil
		facts, err := v.s.accessFacts(ctx, v.user, rooms)
		if err != nil {
			return roomkit.RoomID{}, err
		}
		for i := range facts {
			f := &decide.Facts{Facts: facts[i]}
			if _, err := v.s.readableFrom(f, v.user); err != nil {
				return rooms[i], err
			}
			row := f.Row(v.user)
			row.User = v.user // also of somebody who has none yet
			v.open[rooms[i]] = &watched{begun: f.Room.Version, row: row}
			if row.Participant || row.Master {
				continue
			}
			v.office[rooms[i]] = true
			about = append(about, roomkit.CompanySubject(f.Room.Company))
			if f.Room.Team != "" {
				about = append(about, roomkit.TeamSubject(f.Room.Company, f.Room.Team))
			}
		}
		about = slices.DeleteFunc(about, func(of roomkit.Subject) bool { return v.subjects[of] })
	}
	return roomkit.RoomID{}, nil
}

// review looks whether the user still has the offices by which it watches rooms.
func (v *view) review(ctx context.Context) (roomkit.RoomID, error) {
	var rooms []roomkit.RoomID
	for room := range v.office {
		if v.open[room] != nil {
			rooms = append(rooms, room)
		}
	}
	if len(rooms) == 0 {
		return roomkit.RoomID{}, nil
	}
	slices.SortFunc(rooms, func(a, b roomkit.RoomID) int { return bytes.Compare(a[:], b[:]) })
	facts, err := v.s.accessFacts(ctx, v.user, rooms)
	if err != nil {
		return roomkit.RoomID{}, err
	}
	for i := range facts {
		f := &decide.Facts{Facts: facts[i]}
		if f.Room.State != roomkit.StateActive { // its last event comes yet
			continue
		}
		if _, err := v.s.readableFrom(f, v.user); err != nil {
			return rooms[i], err
		}
	}
	return roomkit.RoomID{}, nil
}

// catchUp reads the feed up to its end.
func (v *view) catchUp(ctx context.Context, yield func(Recorded) bool) (more bool, err error) {
	for page, err := range store.FeedPages(ctx, v.s.store, v.at) {
		if err != nil {
			return false, err
		}
		if more, err := v.tell(ctx, page, true, yield); err != nil || !more {
			return false, err
		}
		v.at = page[len(page)-1].Cursor
	}
	v.s.watching.begin(ctx, v.s, v.at)
	return true, nil
}

// tell yields of some records what the user may know now. Those of the past are told
// from where the view begins in the feed; of the others only those since it was begun.
func (v *view) tell(ctx context.Context, records []store.Record, past bool, yield func(Recorded) bool) (more bool, err error) {
	var rooms []roomkit.RoomID
	for i := range records {
		if w := v.open[records[i].Subject.Room]; w != nil && w.isNew(&records[i], past) && !slices.Contains(rooms, records[i].Subject.Room) {
			rooms = append(rooms, records[i].Subject.Room)
		}
	}
	if len(rooms) == 0 {
		return true, nil
	}
	facts, err := v.s.accessFacts(ctx, v.user, rooms)
	if err != nil {
		return false, err
	}
	for i := range records {
		rec := records[i]
		w := v.open[rec.Subject.Room]
		if w == nil || !w.isNew(&rec, past) {
			continue
		}
		w.told = rec.Version
		e, err := codec.DecodeRecord(rec)
		if err != nil {
			return false, err
		}
		tell, last := v.judge(&decide.Facts{Facts: facts[slices.Index(rooms, rec.Subject.Room)]}, w, rec.Version, e)
		if last {
			delete(v.open, rec.Subject.Room)
		}
		rec.Data = bytes.Clone(rec.Data) // others have it, too
		if tell && !yield(Recorded{rec, e}) {
			return false, nil
		}
	}
	return len(v.open) > 0, nil
}

func (w *watched) isNew(rec *store.Record, past bool) bool {
	return rec.Version > w.told && (past || rec.Version > w.begun)
}

// judge says whether the user may know of an event, and whether it is the last
// one of its room.
func (v *view) judge(f *decide.Facts, w *watched, at roomkit.Version, e roomkit.Event) (tell, last bool) {
	if _, unknown := e.(*roomkit.Unknown); unknown {
		w.row = roomkit.Member{} // nobody here can tell what has become of it
	} else if at > w.begun {
		w.row = w.row.Apply(e)
	}
	row := f.Row(v.user)
	left := at == row.LeftVersion && !w.row.Master || at > row.LeftVersion && dismisses(e, v.user)
	if !row.Participant && !row.Master && left && at > w.begun {
		return true, true
	}
	if last = at == f.Room.Version && f.Room.State == roomkit.StateEnded; last {
		f.Room.State = roomkit.StateActive // as it was until this event
	}
	from, err := v.s.readableFrom(f, v.user)
	return err == nil && at >= from, last
}

func dismisses(e roomkit.Event, user roomkit.UserID) bool {
	d, ok := e.(*roomkit.MasterDismissed)
	return ok && slices.ContainsFunc(d.People, func(p roomkit.Person) bool { return p.User == user })
}

// hub reads the feed for all who watch rooms of a service. It has no goroutine: one of
// those who wait leads, and when it gets something itself, or goes away, another one does.
type hub struct {
	mu      sync.Mutex
	views   map[roomkit.Subject]map[*view]bool
	count   int
	waiting map[*view]bool
	leading bool
	begun   bool           // at is known
	at      roomkit.Cursor // up to where the feed is read; it belongs to who leads
	waker   waker
	stop    context.CancelFunc
}

// enter has a view told of more subjects.
func (h *hub) enter(v *view, about []roomkit.Subject) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(v.subjects) == 0 {
		h.count++
	}
	for _, of := range about {
		v.subjects[of] = true
		views := h.views[of]
		put(&views, v, true)
		put(&h.views, of, views)
	}
}

func (h *hub) leave(v *view) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(v.subjects) == 0 {
		return
	}
	for of := range v.subjects {
		if delete(h.views[of], v); len(h.views[of]) == 0 {
			delete(h.views, of)
		}
	}
	if h.count--; h.count == 0 {
		if h.begun {
			h.stop()
		}
		h.begun, h.at, h.waker, h.stop = false, "", waker{}, nil
	}
}

// begin says from where on views need the hub: the end of the feed, to which the first
// of them has read.
func (h *hub) begin(ctx context.Context, s *Service, at roomkit.Cursor) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.begun {
		return
	}
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	h.begun, h.at, h.stop, h.waker = true, at, stop, waker{s: s, until: life}
}

// wait gives what has come for a view, or says that it has to catch up.
func (h *hub) wait(ctx context.Context, v *view) (records []store.Record, behind bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		if err := ctx.Err(); err != nil {
			h.handOver()
			return nil, false, err
		}
		if v.ready() {
			records, behind = v.queue, v.behind
			v.queue, v.behind = nil, false
			h.handOver()
			return records, behind, nil
		}
		if !h.leading {
			if err := h.lead(ctx, v); err != nil {
				return nil, false, err
			}
			continue
		}
		put(&h.waiting, v, true)
		h.mu.Unlock()
		select {
		case <-v.wake:
		case <-ctx.Done():
		}
		h.mu.Lock()
		delete(h.waiting, v)
	}
}

func (v *view) ready() bool { return v.behind || len(v.queue) > 0 }

// lead reads the feed until something has come for the view itself. It is called, and
// returns, with the lock held.
func (h *hub) lead(ctx context.Context, v *view) error {
	h.leading = true
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		h.leading = false
		h.handOver()
	}()
	for {
		page, err := v.s.store.Feed(ctx, h.at, roomkit.MaxPage)
		if err != nil {
			return err
		}
		if h.pass(page, v) {
			return nil
		}
		if len(page) == 0 {
			if err := h.waker.wait(ctx); err != nil {
				return err
			}
		}
	}
}

// pass gives records to those whom they concern.
func (h *hub) pass(page []store.Record, leader *view) (ready bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range page {
		for v := range h.views[page[i].Subject] {
			switch {
			case v.behind:
			case len(v.queue) < maxQueue:
				v.queue = append(v.queue, page[i])
			default:
				v.queue, v.behind = nil, true
			}
			v.signal()
		}
		h.at = page[i].Cursor
	}
	return leader.ready()
}

// handOver lets one of those who wait lead.
func (h *hub) handOver() {
	if h.leading {
		return
	}
	for v := range h.waiting {
		v.signal()
		return
	}
}

func (v *view) signal() {
	select {
	case v.wake <- struct{}{}:
	default:
	}
}
