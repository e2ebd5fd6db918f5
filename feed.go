package roomkit

import (
	"context"
	"fmt"
	"iter"
)

// Recorded is an event together with the record it was stored as.
type Recorded struct {
	Record
	Event Event
}

// Feed gives all events of the store after a cursor, in order: every one exactly
// once, those of one room in version order. It ends at the newest. It is for the
// host: no policy narrows it. An event of an unknown type is an [*Unknown]; one
// that cannot be decoded ends the sequence with an error that names it.
func (s *Service) Feed(ctx context.Context, after Cursor) iter.Seq2[Recorded, error] {
	return func(yield func(Recorded, error) bool) {
		for {
			page, err := s.store.Feed(ctx, after, MaxPage)
			if err != nil {
				yield(Recorded{}, &Error{Op: "Feed", Err: err})
				return
			}
			if len(page) == 0 {
				return
			}
			for _, rec := range page {
				e, err := decodeRecord(rec)
				if err != nil {
					yield(Recorded{Record: rec}, &Error{Op: "Feed", Err: err})
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

func decodeRecord(rec Record) (Event, error) {
	e, err := Decode(rec.Data)
	if err != nil {
		return nil, fmt.Errorf("event %s/%d: %w", rec.Subject, rec.Version, err)
	}
	return e, nil
}

// History gives the events of a room after a version, as far as a user may know
// them: participants from where they may read, Group Masters, leaders and
// administrators all. Errors are those of Room; colleagues who see a public group
// without taking part get a [*Denied] (GRP-21).
func (s *Service) History(ctx context.Context, user UserID, room RoomID, after Version) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		fail := func(err error) { yield(nil, &Error{Op: "History", Room: room, Err: err}) }
		from, err := s.historyFrom(ctx, user, room, after)
		if err != nil {
			fail(err)
			return
		}
		after = max(after, from-1)
		for {
			page, err := s.store.History(ctx, RoomSubject(room), after, MaxPage)
			if err != nil {
				fail(err)
				return
			}
			if len(page) == 0 {
				return
			}
			for _, rec := range page {
				e, err := decodeRecord(rec)
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

func (s *Service) historyFrom(ctx context.Context, user UserID, room RoomID, after Version) (Version, error) {
	if after < 0 {
		return 0, invalid("After", "negative")
	}
	f, err := s.look(ctx, user, room, ActionSeeRoom)
	if err != nil {
		return 0, err
	}
	return s.readableFrom(f, user)
}

// readableFrom says from which version on a user may know the events of a room.
func (s *Service) readableFrom(f *Facts, user UserID) (Version, error) {
	a := s.rules.access(f, f.Room.ID, user)
	switch {
	case a.Standing&(StandingMaster|StandingLeader|StandingAdministrator) != 0:
		return 1, nil
	case a.ReadFrom.Allowed:
		return max(1, a.ReadFrom.Version), nil
	}
	who := f.person(user)
	return 0, s.rules.may(f, &who, By(user), ActionEnter)
}
