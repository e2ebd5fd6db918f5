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

// sequence makes a read that yields to a sequence. Its error comes once, and last.
func sequence[T any](op string, room roomkit.RoomID, read func(yield func(T) bool) error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		if err := read(func(v T) bool { return yield(v, nil) }); err != nil {
			var none T
			yield(none, &roomkit.Error{Op: op, Room: room, Err: err})
		}
	}
}

// Recorded is an event together with the record it was stored as. Its JSON has the cursor
// and the event.
type Recorded struct {
	store.Record
	Event roomkit.Event
}

// Feed gives all events of the store after a cursor, in order: every one exactly
// once, those of one room in version order. It ends at the newest. It is for the
// host: no policy narrows it. An event of an unknown type is an [*roomkit.Unknown]; one
// that cannot be decoded ends the sequence with an error that names it.
func (s *Service) Feed(ctx context.Context, after roomkit.Cursor) iter.Seq2[Recorded, error] {
	return decoded("Feed", roomkit.RoomID{}, store.FeedPages(ctx, s.store, after))
}

// decoded gives the records of pages with their events. A record that cannot be
// decoded comes with the error.
func decoded(op string, room roomkit.RoomID, pages iter.Seq2[[]store.Record, error]) iter.Seq2[Recorded, error] {
	return func(yield func(Recorded, error) bool) {
		fail := func(rec store.Record, err error) {
			yield(Recorded{Record: rec}, &roomkit.Error{Op: op, Room: room, Err: err})
		}
		for page, err := range pages {
			if err != nil {
				fail(store.Record{}, err)
				return
			}
			for _, rec := range page {
				e, err := codec.DecodeRecord(rec)
				if err != nil {
					fail(rec, err)
					return
				}
				if !yield(Recorded{rec, e}, nil) {
					return
				}
			}
		}
	}
}

// readableFrom says from which version on a user may know the events of a room.
func (s *Service) readableFrom(f *decide.Facts, user roomkit.UserID) (roomkit.Version, error) {
	a := decide.Access(s.rules, f, f.Room.ID, user)
	switch {
	case a.Standing&(roomkit.StandingMaster|roomkit.StandingLeader|roomkit.StandingAdministrator) != 0:
		return 1, nil
	case a.ReadFrom.Allowed:
		return max(1, a.ReadFrom.Version), nil
	}
	return 0, decide.May(s.rules, f, roomkit.By(user), roomkit.ActionEnter)
}

// Watch is Feed that goes on: at the end of the feed it waits for more. It ends
// with an error, that of the context at the latest.
func (s *Service) Watch(ctx context.Context, after roomkit.Cursor) iter.Seq2[Recorded, error] {
	return decoded("Watch", roomkit.RoomID{}, s.watchPages(ctx, after))
}

func (s *Service) watchPages(ctx context.Context, after roomkit.Cursor) iter.Seq2[[]store.Record, error] {
	return func(yield func([]store.Record, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		w := waker{s: s}
		for {
			for page, err := range store.FeedPages(ctx, s.store, after) {
				if !yield(page, err) || err != nil {
					return
				}
				after = page[len(page)-1].Cursor
			}
			if err := w.wait(ctx); err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// waker waits for news: for the store's wake-ups if it has them, and in any case
// no longer than Options.Poll. It listens from the first wait on, until the context
// of that ends.
type waker struct {
	s         *Service
	listening bool
	news      <-chan struct{}
}

// wait returns at once the first time: what came before it listened has to be
// looked for. It gives the error of the context.
func (w *waker) wait(ctx context.Context) error {
	if !w.listening {
		w.listening = true
		w.listen(ctx)
		return ctx.Err()
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
	return ctx.Err()
}

func (w *waker) listen(ctx context.Context) {
	if n, ok := store.Capability[store.Notifier](w.s.store); ok {
		var err error
		if w.news, err = n.Wake(ctx); err != nil {
			w.s.o.Logger.DebugContext(ctx, "no wake-ups, polling", "error", err)
		}
	}
}

// WatchRooms is Watch for a user: only events of these rooms, and only what the
// user may know of them at the moment of delivery, as History would give it. For
// each room it ends with the event by which the user left it, or the room ended;
// what has happened between a loss of access and its sweep is not told. When no
// room is left, the sequence ends. A room that the user may not enter or manage
// at the beginning is an error, ErrNotFound if the user may not know of it.
//
// A page of the feed costs one more round trip if it concerns the rooms.
func (s *Service) WatchRooms(ctx context.Context, user roomkit.UserID, after roomkit.Cursor, rooms ...roomkit.RoomID) iter.Seq2[Recorded, error] {
	return sequence("WatchRooms", roomkit.RoomID{}, func(yield func(Recorded) bool) error {
		v := &view{s: s, user: user, open: map[roomkit.RoomID]bool{}}
		if err := v.begin(ctx, rooms); err != nil || len(rooms) == 0 {
			return err
		}
		for page, err := range s.watchPages(ctx, after) {
			if err != nil {
				return err
			}
			known, err := v.narrow(ctx, page)
			for i := range known {
				if !yield(known[i]) {
					return nil
				}
			}
			if err != nil || len(v.open) == 0 {
				return err
			}
		}
		return nil
	})
}

// view is what one user may know of the feed.
type view struct {
	s    *Service
	user roomkit.UserID
	open map[roomkit.RoomID]bool // the rooms that the user is still in
}

func (v *view) begin(ctx context.Context, rooms []roomkit.RoomID) error {
	facts, err := v.s.accessFacts(ctx, v.user, rooms)
	if err != nil {
		return err
	}
	for i := range facts {
		if _, err := v.s.readableFrom(&decide.Facts{Facts: facts[i]}, v.user); err != nil {
			return fmt.Errorf("room %s: %w", rooms[i], err)
		}
		v.open[rooms[i]] = true
	}
	return nil
}

// narrow gives of a page what the user may know now.
func (v *view) narrow(ctx context.Context, page []store.Record) (known []Recorded, err error) {
	var rooms []roomkit.RoomID
	for i := range page {
		if of := &page[i].Subject; of.Type == roomkit.SubjectRoom && v.open[of.Room] && !slices.Contains(rooms, of.Room) {
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
		if at < 0 || !v.open[rooms[at]] {
			continue
		}
		e, err := codec.DecodeRecord(page[i])
		if err != nil {
			return known, err
		}
		tell, last := v.judge(&decide.Facts{Facts: facts[at]}, page[i].Version, e)
		if tell {
			known = append(known, Recorded{page[i], e})
		}
		if last {
			delete(v.open, rooms[at])
		}
	}
	return known, nil
}

// judge says whether the user may know of an event, and whether it is the last
// one of its room.
func (v *view) judge(f *decide.Facts, at roomkit.Version, e roomkit.Event) (tell, last bool) {
	row := f.Row(v.user)
	if !row.Participant && !row.Master && (at == row.LeftVersion || at > row.LeftVersion && dismisses(e, v.user)) {
		return true, true
	}
	from, err := v.s.readableFrom(f, v.user)
	return err == nil && at >= from, false
}

func dismisses(e roomkit.Event, user roomkit.UserID) bool {
	d, ok := e.(*roomkit.MasterDismissed)
	return ok && slices.ContainsFunc(d.People, func(p roomkit.Person) bool { return p.User == user })
}
