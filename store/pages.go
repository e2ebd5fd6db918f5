package store

import (
	"context"
	"errors"
	"iter"

	"github.com/go-roomkit/roomkit"
)

// The functions in this file read page after page until one is empty. A page is
// never empty; a non-nil error comes once, and last. Nothing is held while the loop
// body runs.

// MemberPages gives the pages of Members.
func MemberPages(ctx context.Context, s Store, q MemberQuery) iter.Seq2[[]roomkit.Member, error] {
	return pages(q.After, func(m *roomkit.Member) roomkit.UserID { return m.User }, func(after roomkit.UserID) ([]roomkit.Member, error) {
		q.After = after
		return s.Members(ctx, q)
	})
}

// RoomPages gives the pages of Rooms.
func RoomPages(ctx context.Context, s Store, q RoomQuery) iter.Seq2[[]roomkit.RoomEntry, error] {
	return pages(q.After, func(e *roomkit.RoomEntry) roomkit.RoomID { return e.Room.ID }, func(after roomkit.RoomID) ([]roomkit.RoomEntry, error) {
		q.After = after
		return s.Rooms(ctx, q)
	})
}

// UserPages gives the pages of Users.
func UserPages(ctx context.Context, s Store, q UserQuery) iter.Seq2[[]roomkit.User, error] {
	return pages(q.After, func(u *roomkit.User) roomkit.UserID { return u.ID }, func(after roomkit.UserID) ([]roomkit.User, error) {
		q.After = after
		return s.Users(ctx, q)
	})
}

// TeamPages gives the pages of Teams.
func TeamPages(ctx context.Context, s Store, q TeamQuery) iter.Seq2[[]roomkit.Team, error] {
	return pages(q.After, func(t *roomkit.Team) roomkit.TeamID { return t.ID }, func(after roomkit.TeamID) ([]roomkit.Team, error) {
		q.After = after
		return s.Teams(ctx, q)
	})
}

// HistoryPages gives the pages of History, of MaxPage records each.
func HistoryPages(ctx context.Context, s Store, of roomkit.Subject, after roomkit.Version) iter.Seq2[[]Record, error] {
	return pages(after, func(r *Record) roomkit.Version { return r.Version }, func(after roomkit.Version) ([]Record, error) {
		return s.History(ctx, of, after, roomkit.MaxPage)
	})
}

// FeedPages gives the pages of Feed, of MaxPage records each.
func FeedPages(ctx context.Context, s Store, after roomkit.Cursor) iter.Seq2[[]Record, error] {
	return pages(after, func(r *Record) roomkit.Cursor { return r.Cursor }, func(after roomkit.Cursor) ([]Record, error) {
		return s.Feed(ctx, after, roomkit.MaxPage)
	})
}

// FeedBegin gives the place at which the feed begins: the empty cursor, or the one behind
// what was pruned. One round trip.
func FeedBegin(ctx context.Context, s Store) (roomkit.Cursor, error) {
	_, err := s.Feed(ctx, "", 1)
	if gone := (*roomkit.Pruned)(nil); errors.As(err, &gone) {
		return gone.Cursor, nil
	}
	return "", err
}

// BasePages gives the pages of Bases, of a few bases each; none of a store that is no
// [Pruner].
func BasePages(ctx context.Context, s Store) iter.Seq2[[]Base, error] {
	const few = 50 // a base of a large room is long
	return pages(roomkit.Subject{}, func(b *Base) roomkit.Subject { return b.Subject }, func(after roomkit.Subject) ([]Base, error) {
		if p, ok := Capability[Pruner](s); ok {
			return p.Bases(ctx, after, few)
		}
		return nil, nil
	})
}

// BaseOf gives the base of a subject, or one of version 0 if there is none.
func BaseOf(ctx context.Context, s Store, of roomkit.Subject) (Base, error) {
	if p, ok := Capability[Pruner](s); ok {
		return p.Base(ctx, of)
	}
	return Base{}, nil
}

func pages[Row, Place any](after Place, place func(*Row) Place, read func(after Place) ([]Row, error)) iter.Seq2[[]Row, error] {
	return func(yield func([]Row, error) bool) {
		for at := after; ; {
			page, err := read(at)
			if err != nil {
				yield(nil, err)
				return
			}
			if len(page) == 0 || !yield(page, nil) {
				return
			}
			at = place(&page[len(page)-1])
		}
	}
}
