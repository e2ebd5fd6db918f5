package service

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/codec"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/store"
)

// Recorded is an event together with the record it was stored as.
type Recorded struct {
	store.Record
	Event roomkit.Event
}

// Feed gives all events of the store after a cursor, in order: every one exactly
// once, those of one room in version order. It ends at the newest. It is for the
// host: no policy narrows it. An event of an unknown type is an [*Unknown]; one
// that cannot be decoded ends the sequence with an error that names it.
func (s *Service) Feed(ctx context.Context, after roomkit.Cursor) iter.Seq2[Recorded, error] {
	return func(yield func(Recorded, error) bool) {
		for {
			page, err := s.store.Feed(ctx, after, roomkit.MaxPage)
			if err != nil {
				yield(Recorded{}, &roomkit.Error{Op: "Feed", Err: err})
				return
			}
			if len(page) == 0 {
				return
			}
			for _, rec := range page {
				e, err := codec.DecodeRecord(rec)
				if err != nil {
					yield(Recorded{Record: rec}, &roomkit.Error{Op: "Feed", Err: err})
					return
				}
				if !yield(Recorded{rec, e}, nil) {
					return
				}
				after = rec.Cursor
			}
		}
	}
}

// History gives the events of a room after a version, as far as a user may know
// them: participants from where they may read, Group Masters, leaders and
// administrators all. Errors are those of Room; colleagues who see a public group
// without taking part get a [*Denied] (GRP-21).
func (s *Service) History(ctx context.Context, user roomkit.UserID, room roomkit.RoomID, after roomkit.Version) iter.Seq2[roomkit.Event, error] {
	return func(yield func(roomkit.Event, error) bool) {
		fail := func(err error) { yield(nil, &roomkit.Error{Op: "History", Room: room, Err: err}) }
		from, err := s.historyFrom(ctx, user, room, after)
		if err != nil {
			fail(err)
			return
		}
		after = max(after, from-1)
		for {
			page, err := s.store.History(ctx, roomkit.RoomSubject(room), after, roomkit.MaxPage)
			if err != nil {
				fail(err)
				return
			}
			if len(page) == 0 {
				return
			}
			for _, rec := range page {
				e, err := codec.DecodeRecord(rec)
				if err != nil {
					fail(err)
					return
				}
				if !yield(e, nil) {
					return
				}
			}
			after = page[len(page)-1].Version
		}
	}
}

func (s *Service) historyFrom(ctx context.Context, user roomkit.UserID, room roomkit.RoomID, after roomkit.Version) (roomkit.Version, error) {
	if after < 0 {
		return 0, roomkit.BadInput("After", "negative")
	}
	f, err := s.look(ctx, user, room, roomkit.ActionSeeRoom)
	if err != nil {
		return 0, err
	}
	return s.readableFrom(f, user)
}

// readableFrom says from which version on a user may know the events of a room.
func (s *Service) readableFrom(f *store.Facts, user roomkit.UserID) (roomkit.Version, error) {
	a := decide.AccessRules(s.rules, f, f.Room.ID, user)
	switch {
	case a.Standing&(roomkit.StandingMaster|roomkit.StandingLeader|roomkit.StandingAdministrator) != 0:
		return 1, nil
	case a.ReadFrom.Allowed:
		return max(1, a.ReadFrom.Version), nil
	}
	who := decide.PersonFacts(f, user)
	return 0, decide.MayRules(s.rules, f, &who, roomkit.By(user), roomkit.ActionEnter)
}

// waker waits for news: for the store's wake-ups if it has them, and in any case
// no longer than Options.Poll. It listens from the first wait on until stop.
type waker struct {
	s         *Service
	stop      context.CancelFunc
	listening bool
	news      <-chan struct{}
}

func (s *Service) newWaker() *waker { return &waker{s: s, stop: func() {}} }

// wait returns at once the first time: what came before it listened has to be
// looked for.
func (w *waker) wait(ctx context.Context) {
	if !w.listening {
		w.listen(ctx)
		return
	}
	t := time.NewTimer(w.s.o.Poll)
	defer t.Stop()
	select {
	case _, open := <-w.news:
		if !open {
			w.news = nil
		}
	case <-t.C:
	case <-ctx.Done():
	}
}

func (w *waker) listen(ctx context.Context) {
	w.listening = true
	n, ok := store.Capability[store.Notifier](w.s.store)
	if !ok {
		return
	}
	ctx, w.stop = context.WithCancel(ctx)
	var err error
	if w.news, err = n.Wake(ctx); err != nil {
		w.s.o.Logger.DebugContext(ctx, "no wake-ups, polling", "error", err)
	}
}

// Watch is Feed that goes on: at the end of the feed it waits for more. It ends
// with an error, that of the context at the latest.
func (s *Service) Watch(ctx context.Context, after roomkit.Cursor) iter.Seq2[Recorded, error] {
	return func(yield func(Recorded, error) bool) {
		w := s.newWaker()
		defer func() { w.stop() }()
		for {
			for rec, err := range s.Feed(ctx, after) {
				if !yield(rec, err) || err != nil {
					return
				}
				after = rec.Cursor
			}
			if w.wait(ctx); ctx.Err() != nil {
				yield(Recorded{}, &roomkit.Error{Op: "Watch", Err: ctx.Err()})
				return
			}
		}
	}
}

// WatchRooms is Watch for a user: only events of these rooms, and only what the
// user may know of them at the moment of delivery, as History would give it. For
// each room it ends with the event by which the user left it, or the room ended;
// what has happened between a loss of access and its sweep is not told. When no
// room is left, the sequence ends. A room that the user may not enter or manage
// at the beginning is an error, [ErrNotFound] if the user may not know of it.
//
// A page of the feed costs one more round trip if it concerns the rooms.
func (s *Service) WatchRooms(ctx context.Context, user roomkit.UserID, after roomkit.Cursor, rooms ...roomkit.RoomID) iter.Seq2[Recorded, error] {
	return func(yield func(Recorded, error) bool) {
		v := &view{s: s, user: user, left: map[roomkit.RoomID]bool{}}
		fail := func(err error) { yield(Recorded{}, &roomkit.Error{Op: "WatchRooms", Err: err}) }
		if err := v.begin(ctx, rooms); err != nil {
			fail(err)
			return
		}
		w := s.newWaker()
		defer func() { w.stop() }()
		for len(v.left) > 0 {
			page, err := s.store.Feed(ctx, after, roomkit.MaxPage)
			if err == nil && len(page) == 0 {
				w.wait(ctx)
				err = ctx.Err()
			}
			if err != nil {
				fail(err)
				return
			}
			known, err := v.narrow(ctx, page)
			for i := range known {
				if !yield(known[i], nil) {
					return
				}
			}
			if err != nil {
				fail(err)
				return
			}
			if len(page) > 0 {
				after = page[len(page)-1].Cursor
			}
		}
	}
}

// view is what one user may know of the feed.
type view struct {
	s    *Service
	user roomkit.UserID
	left map[roomkit.RoomID]bool // the rooms that the user is still in
}

func (v *view) begin(ctx context.Context, rooms []roomkit.RoomID) error {
	facts, err := v.s.accessFacts(ctx, v.user, rooms)
	if err != nil {
		return err
	}
	for i := range facts {
		if _, err := v.s.readableFrom(&facts[i], v.user); err != nil {
			return fmt.Errorf("room %s: %w", rooms[i], err)
		}
		v.left[rooms[i]] = true
	}
	return nil
}

// narrow gives of a page what the user may know now.
func (v *view) narrow(ctx context.Context, page []store.Record) (known []Recorded, err error) {
	var rooms []roomkit.RoomID
	for i := range page {
		if of := &page[i].Subject; of.Type == roomkit.SubjectRoom && v.left[of.Room] && !slices.Contains(rooms, of.Room) {
			rooms = append(rooms, of.Room)
		}
	}
	if len(rooms) == 0 {
		return nil, nil
	}
	facts, err := v.s.accessFacts(ctx, v.user, rooms)
	if err != nil {
		return nil, err
	}
	for i := range page {
		at := slices.Index(rooms, page[i].Subject.Room)
		if at < 0 || !v.left[rooms[at]] {
			continue
		}
		e, err := codec.DecodeRecord(page[i])
		if err != nil {
			return known, err
		}
		tell, last := v.judge(&facts[at], page[i].Version, e)
		if tell {
			known = append(known, Recorded{page[i], e})
		}
		if last {
			delete(v.left, rooms[at])
		}
	}
	return known, nil
}

// judge says whether the user may know of an event, and whether it is the last
// one of its room.
func (v *view) judge(f *store.Facts, at roomkit.Version, e roomkit.Event) (tell, last bool) {
	row := decide.RowFacts(f, v.user)
	if !row.Participant && !row.Master && (at == row.LeftVersion || at > row.LeftVersion && dismisses(e, v.user)) {
		return true, true
	}
	from, err := v.s.readableFrom(f, v.user)
	return err == nil && at >= from, false
}

func dismisses(e roomkit.Event, user roomkit.UserID) bool {
	d, ok := e.(*roomkit.MasterDismissed)
	if !ok {
		return false
	}
	_, named := roomkit.Find(d.People, user)
	return named
}
