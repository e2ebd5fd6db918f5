package natsstore

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// A cursor is the log and how many records are before it; the empty one stands for none. It is
// the same on all copies.
func (s *Store) cursor(place int64) roomkit.Cursor {
	if place == 0 {
		return ""
	}
	b := make([]byte, 0, 40)
	return roomkit.Cursor(strconv.AppendInt(append(append(b, s.log.String()...), '-'), place, 10))
}

// Place implements [store.Numbered].
func (s *Store) Place(at roomkit.Cursor) (int64, error) {
	if at == "" {
		return 0, nil
	}
	digits, ok := strings.CutPrefix(string(at), s.log.String()+"-")
	n, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || n < 1 || s.cursor(n) != at {
		return 0, invalid("Cursor", "not issued by this store")
	}
	return n, nil
}

// outward gives the cursor of the log for one of the copy.
func (s *Store) outward(at roomkit.Cursor) (roomkit.Cursor, error) {
	n, err := s.copy.Place(at)
	return s.cursor(n), err
}

// inward gives the cursor of the copy for one of the log.
func (s *Store) inward(ctx context.Context, at roomkit.Cursor) (roomkit.Cursor, error) {
	n, err := s.Place(at)
	if err != nil || n == 0 {
		return "", err
	}
	to, err := s.copy.CursorAt(ctx, n)
	if bad := (*roomkit.Invalid)(nil); errors.As(err, &bad) {
		return "", invalid("Cursor", "not issued by this store")
	}
	return to, s.outwardErr(err)
}

// outwardErr gives an error of the copy with the cursor of the log in it.
func (s *Store) outwardErr(err error) error {
	gone := (*roomkit.Pruned)(nil)
	if !errors.As(err, &gone) || gone.Cursor == "" {
		return err
	}
	at, wrong := s.outward(gone.Cursor)
	if wrong != nil {
		return wrong
	}
	return &roomkit.Pruned{Subject: gone.Subject, Version: gone.Version, Cursor: at}
}

func (s *Store) outwardRecords(page []store.Record, err error) ([]store.Record, error) {
	for i := range page {
		if err == nil {
			page[i].Cursor, err = s.outward(page[i].Cursor)
		}
	}
	if err != nil {
		return nil, s.outwardErr(err)
	}
	return page, nil
}

// answer asks the copy when it is as fresh as it has to be.
func answer[T any](ctx context.Context, s *Store, ask func() (T, error)) (is T, err error) {
	var none T
	if err := s.read(ctx); err != nil {
		return none, err
	}
	if is, err = ask(); err == nil {
		err = s.Err() // a log that is not as it has to be may have come to light meanwhile
	}
	if err != nil {
		return none, err
	}
	return is, nil
}

// Load implements [store.Store].
func (s *Store) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	return answer(ctx, s, func() ([]store.Facts, error) { return s.load(ctx, needs) })
}

// LoadHasty implements [store.Hasty]: it answers from the copy as it is.
func (s *Store) LoadHasty(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	if err := cmp.Or(ctx.Err(), s.Err()); err != nil {
		return nil, err
	}
	return s.load(ctx, needs)
}

func (s *Store) load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	facts, err := s.copy.Load(ctx, needs)
	for i := range facts {
		if done := facts[i].Done; done != nil && err == nil {
			done.Cursor, err = s.outward(done.Cursor)
		}
	}
	return facts, err
}

// LoadAccess implements [store.Accessor].
func (s *Store) LoadAccess(ctx context.Context, user roomkit.UserID, rooms []roomkit.RoomID, facts []*store.Facts) error {
	if err := s.read(ctx); err != nil {
		return err
	}
	if err := s.copy.LoadAccess(ctx, user, rooms, facts); err != nil {
		return err
	}
	return s.Err()
}

// Members implements [store.Store].
func (s *Store) Members(ctx context.Context, q store.MemberQuery) ([]roomkit.Member, error) {
	return answer(ctx, s, func() ([]roomkit.Member, error) { return s.copy.Members(ctx, q) })
}

// Rooms implements [store.Store].
func (s *Store) Rooms(ctx context.Context, q store.RoomQuery) ([]roomkit.RoomEntry, error) {
	return answer(ctx, s, func() ([]roomkit.RoomEntry, error) { return s.copy.Rooms(ctx, q) })
}

// Users implements [store.Store].
func (s *Store) Users(ctx context.Context, q store.UserQuery) ([]roomkit.User, error) {
	return answer(ctx, s, func() ([]roomkit.User, error) { return s.copy.Users(ctx, q) })
}

// Teams implements [store.Store].
func (s *Store) Teams(ctx context.Context, q store.TeamQuery) ([]roomkit.Team, error) {
	return answer(ctx, s, func() ([]roomkit.Team, error) { return s.copy.Teams(ctx, q) })
}

// History implements [store.Store].
func (s *Store) History(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
	return answer(ctx, s, func() ([]store.Record, error) {
		return s.outwardRecords(s.copy.History(ctx, of, after, limit))
	})
}

// Feed implements [store.Store]. A cursor that another process has given is known here, too,
// with StaleReads as soon as the copy is as far.
func (s *Store) Feed(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
	return answer(ctx, s, func() ([]store.Record, error) {
		from, err := s.inward(ctx, after)
		if s.o.StaleReads && errors.Is(err, roomkit.ErrInvalid) && s.Refresh(ctx) == nil {
			from, err = s.inward(ctx, after)
		}
		if err != nil {
			return nil, err
		}
		return s.outwardRecords(s.copy.Feed(ctx, from, limit))
	})
}

// Head implements [store.Header].
func (s *Store) Head(ctx context.Context) (roomkit.Cursor, error) {
	return answer(ctx, s, func() (roomkit.Cursor, error) {
		head, err := s.copy.Head(ctx)
		if err != nil {
			return "", err
		}
		return s.outward(head)
	})
}

// Strays implements [store.Auditor].
func (s *Store) Strays(ctx context.Context, limit int) ([]store.Stray, error) {
	return answer(ctx, s, func() ([]store.Stray, error) { return s.copy.Strays(ctx, limit) })
}

// Checkpoints implements [store.Auditor].
func (s *Store) Checkpoints(ctx context.Context) (map[string]roomkit.Cursor, error) {
	return answer(ctx, s, func() (map[string]roomkit.Cursor, error) { return s.copy.Checkpoints(ctx) })
}

// Base implements [store.Pruner].
func (s *Store) Base(ctx context.Context, of roomkit.Subject) (store.Base, error) {
	return answer(ctx, s, func() (store.Base, error) { return s.copy.Base(ctx, of) })
}

// Bases implements [store.Pruner].
func (s *Store) Bases(ctx context.Context, after roomkit.Subject, limit int) ([]store.Base, error) {
	return answer(ctx, s, func() ([]store.Base, error) { return s.copy.Bases(ctx, after, limit) })
}
