package service

import (
	"context"
	"iter"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/codec"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/store"
)

// sequence makes a read that yields to a sequence. Its error comes once, and last.
func sequence[T any](ctx context.Context, s *Service, op string, room roomkit.RoomID, read func(ctx context.Context, yield func(T) bool) error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		ctx, asked := s.asks(ctx, op, room)
		err := read(ctx, func(v T) bool { return yield(v, nil) })
		if err = asked.answered(ctx, placed(op, room, err)); err != nil {
			var none T
			yield(none, err)
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
// once, those of one room in version order; events of a command may have those of others
// between them. It ends at the newest. It is for the host: no policy narrows it. A cursor
// behind which events were pruned, the empty one too, is a [*roomkit.Pruned] with the place
// to go on at. An event of an unknown type is an [*roomkit.Unknown]; one that cannot be
// decoded ends the sequence with an error that names it.
func (s *Service) Feed(ctx context.Context, after roomkit.Cursor) iter.Seq2[Recorded, error] {
	return func(yield func(Recorded, error) bool) {
		ctx, asked := s.asks(ctx, "Feed", roomkit.RoomID{})
		var failed error
		for rec, err := range decoded("Feed", roomkit.RoomID{}, store.FeedPages(ctx, s.store, after)) {
			if failed = err; !yield(rec, err) {
				break
			}
		}
		_ = asked.answered(ctx, failed)
	}
}

// Head gives the place behind the newest event of the feed. Feed, Watch, WatchRooms and
// FollowOptions.From that begin there tell what happens from now on. One round trip;
// on a store that is no [store.Header] it reads the whole feed.
func (s *Service) Head(ctx context.Context) (roomkit.Cursor, error) {
	ctx, asked := s.asks(ctx, "Head", roomkit.RoomID{})
	at, err := s.head(ctx)
	return at, asked.answered(ctx, placed("Head", roomkit.RoomID{}, err))
}

func (s *Service) head(ctx context.Context) (at roomkit.Cursor, err error) {
	if h, ok := store.Capability[store.Header](s.store); ok {
		return h.Head(ctx)
	}
	if at, err = store.FeedBegin(ctx, s.store); err != nil {
		return "", err
	}
	for page, err := range store.FeedPages(ctx, s.store, at) {
		if err != nil {
			return "", err
		}
		at = page[len(page)-1].Cursor
	}
	return at, nil
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
// no longer than Options.Poll. It listens from the first wait on, until a context ends.
type waker struct {
	s         *Service
	until     context.Context // nil: that of the first wait
	listening bool
	news      <-chan struct{}
}

// wait returns at once the first time: what came before it listened has to be
// looked for. It gives the error of the context.
func (w *waker) wait(ctx context.Context) error {
	if !w.listening {
		w.listening = true
		if w.until == nil {
			w.until = ctx
		}
		w.listen(w.until)
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
