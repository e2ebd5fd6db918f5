package service

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"iter"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/codec"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/store"
)

// HistoryList says which events of a room to list.
type HistoryList struct {
	Since roomkit.Version // after this version of the room; 0: from the beginning, or from where the user may read
	After PageToken       // begins behind it
	Limit int             // how many; 0: all, or for a page DefaultPage
}

// History gives the events of a room in their order, as far as a user may know
// them: participants from where they may read, Group Masters, leaders and
// administrators all. Two round trips for each part of the list; each is judged anew and
// holds nothing that came after the judgement, so that who loses the access meanwhile
// learns of nothing later and gets a refusal. Errors are those of Room; colleagues who
// see a public group without taking part get a [*roomkit.Denied] (GRP-21). Where events that the
// user may know were pruned, a history that does not begin behind them is a
// [*roomkit.Pruned] with the version after which the rest begins, for HistoryList.Since.
func (s *Service) History(ctx context.Context, user roomkit.UserID, room roomkit.RoomID, q HistoryList) iter.Seq2[roomkit.Event, error] {
	return rows(ctx, s, historyList(user, room, &q), s.readHistory(user, room, q.Since))
}

// HistoryPage is one page of [Service.History].
func (s *Service) HistoryPage(ctx context.Context, user roomkit.UserID, room roomkit.RoomID, q HistoryList) (Page[roomkit.Event], error) {
	return page(ctx, s, historyList(user, room, &q), s.readHistory(user, room, q.Since))
}

func historyList(user roomkit.UserID, room roomkit.RoomID, q *HistoryList) list {
	bad := cmp.Or(decide.CheckUser("User", user), decide.CheckRoom(room))
	if bad == nil && q.Since < 0 {
		bad = &roomkit.Invalid{Field: "Since", Reason: "negative"}
	}
	return list{
		op: "History", room: room, about: []string{string(user), fmt.Sprint(q.Since)}, after: q.After, limit: q.Limit, step: userStep, bad: bad,
		fits: func(place string) bool { return len(place) == 8 && versionAt(place) > 0 },
	}
}

// A place in a history is the version of an event.

func placeOf(v roomkit.Version) string {
	return string(binary.BigEndian.AppendUint64(nil, uint64(v)))
}

func versionAt(place string) roomkit.Version {
	if place == "" {
		return 0
	}
	return roomkit.Version(binary.BigEndian.Uint64([]byte(place)))
}

func (s *Service) readHistory(user roomkit.UserID, room roomkit.RoomID, since roomkit.Version) reading[roomkit.Event] {
	return func(ctx context.Context, from string, step int, yield func(roomkit.Event, string) bool) error {
		at := max(since, versionAt(from))
		for {
			f, err := s.look(ctx, user, room, roomkit.ActionSeeRoom)
			if err != nil {
				return err
			}
			first, err := s.readableFrom(&f, user)
			if err != nil {
				return err
			}
			if at = max(at, first-1); at >= f.Room.Version {
				return nil
			}
			part, err := s.store.History(ctx, roomkit.RoomSubject(room), at, step)
			if err != nil || len(part) == 0 {
				return err
			}
			more, err := tellEvents(part, f.Room.Version, yield)
			if !more || err != nil {
				return err
			}
			at = min(part[len(part)-1].Version, f.Room.Version)
		}
	}
}

// tellEvents yields the events of records up to a version.
func tellEvents(part []store.Record, last roomkit.Version, yield func(roomkit.Event, string) bool) (more bool, err error) {
	for i := range part {
		if part[i].Version > last {
			return true, nil
		}
		e, err := codec.DecodeRecord(part[i])
		if err != nil {
			return false, err
		}
		if !yield(e, placeOf(part[i].Version)) {
			return false, nil
		}
	}
	return true, nil
}
