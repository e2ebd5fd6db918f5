package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// FollowerState says how far a follower has come, Enforce included, by what is stored.
type FollowerState struct {
	Name   string         `json:"name,omitzero"`
	Cursor roomkit.Cursor `json:"cursor,omitzero"` // behind the last event that is done for good
	// Behind is how many events come after Cursor, at most, up to the head of the feed; -1: the store is not [store.Numbered].
	// While commits are under way the head may be in front of what others have committed meanwhile, as [store.Header] says, and that is not
	// counted: on pgstore a commit that hangs keeps the number small, whatever is acknowledged behind it.
	Behind int64     `json:"behind"`
	Since  time.Time `json:"since,omitzero"`  // when the first of these happened; zero: there is none, or it has been pruned
	Worked bool      `json:"worked,omitzero"` // a call of Follow or Enforce has not given it back: it works, or has died
}

// Followers gives all followers that have begun, by name. Unlike the reports of an
// Observer it tells of those as well that nobody runs, and those that other processes run.
// It is for the host, for instance for a gauge of how late they are. One round trip for the
// checkpoints, one for the head of the feed, and one for those that are behind within 100
// events of each other: one in all where they are near each other, else one for each. A
// store that is no [store.Auditor] is ErrUnsupported; a follower whose cursor the store does
// not know any more is given with -1.
func (s *Service) Followers(ctx context.Context) ([]FollowerState, error) {
	ctx, asked := s.asks(ctx, "Followers", roomkit.RoomID{})
	list, err := s.followers(ctx)
	return list, asked.answered(ctx, placed("Followers", roomkit.RoomID{}, err))
}

func (s *Service) followers(ctx context.Context) ([]FollowerState, error) {
	auditor, ok := store.Capability[store.Auditor](s.store)
	if !ok {
		return nil, fmt.Errorf("%w: the store does not list checkpoints", roomkit.ErrUnsupported)
	}
	marks, err := auditor.Checkpoints(ctx) // before the head, so that none is ahead of it
	if err != nil {
		return nil, err
	}
	head, err := s.headPlace(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]FollowerState, 0, len(marks))
	for name, stored := range marks {
		m := decodeMark(stored)
		f := FollowerState{Name: name, Cursor: m.cursor, Behind: -1, Worked: m.holder != ""}
		if at := s.placeOf(m.cursor); head >= 0 && at >= 0 {
			f.Behind = max(0, head-at)
		}
		list = append(list, f)
	}
	if err := s.sinceWhen(ctx, list); err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b FollowerState) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}

// sinceWhen finds when the first event happened that each follower has not done. What is
// behind one follower is read as far as the next ones stand, if that is not far.
func (s *Service) sinceWhen(ctx context.Context, list []FollowerState) error {
	slices.SortFunc(list, func(a, b FollowerState) int { return cmp.Compare(b.Behind, a.Behind) }) // those without a number last
	for rest := list; len(rest) > 0; {
		first, near := &rest[0], 1
		for first.Behind > 0 && near < len(rest) && rest[near].Behind > 0 && first.Behind-rest[near].Behind < roomkit.DefaultPage {
			near++
		}
		if first.Behind == 0 {
			rest = rest[1:]
			continue
		}
		last := &rest[near-1]
		events, err := s.store.Feed(ctx, first.Cursor, int(first.Behind-last.Behind)+1)
		switch {
		case errors.Is(err, roomkit.ErrInvalid), errors.Is(err, roomkit.ErrPruned):
			near = 1 // the others' cursors may be known
		case err != nil:
			return err
		}
		for i := range rest[:near] {
			done := s.placeOf(rest[i].Cursor)
			if at := slices.IndexFunc(events, func(r store.Record) bool { return s.placeOf(r.Cursor) > done }); at >= 0 {
				rest[i].Since = events[at].At
			}
		}
		rest = rest[near:]
	}
	return nil
}

// headPlace gives the place of the newest event of the feed; -1 where there are no places.
func (s *Service) headPlace(ctx context.Context) (int64, error) {
	header, ok := store.Capability[store.Header](s.store)
	if !ok {
		return -1, nil
	}
	head, err := header.Head(ctx)
	if err != nil {
		return -1, err
	}
	return s.placeOf(head), nil
}

// placeOf gives the place of a cursor, or -1.
func (s *Service) placeOf(at roomkit.Cursor) int64 {
	numbered, ok := store.Capability[store.Numbered](s.store)
	if !ok {
		return -1
	}
	place, err := numbered.Place(at)
	if err != nil {
		return -1
	}
	return place
}
