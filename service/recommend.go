package service

import (
	"context"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/store"
)

// Recommend gives the rooms that a user already shares with all of people, for
// the audience chosen: exact ones first, then those with fewer others, then the
// most recently changed (LST-05 to LST-11). Without an audience the people decide it,
// as for calendar events and mails (LST-12). exactOnly leaves out rooms with others.
// At most MaxOffers rooms, the first of up to MaxSharedSeen that the people share.
// One round trip; where they share 100 rooms or more two for pages and two more, so that all
// that is offered is of one moment (ErrConflict if it never stays the same for so long). Rows of people
// in the rooms are read only of those who have lost their account or permission at some
// time and have it again, in one further round trip for as many rooms as are offered; of no
// more than five times as many rooms, so that where more of them hold somebody whose
// membership does not count any more, rooms behind them may be missing until [Service.Enforce]
// has been there. So what is read does not grow with rooms times people: at most 1,200 rows
// of rooms and 100 × len(people) rows of people, usually none. A CreateRoom reads the same,
// and what is more than its first round trip in the goroutine of its caller, so that no other
// command waits for it. A user who is not known, cannot act or could not create a room of
// so many people is a [*roomkit.Denied] (COM-16, ADM-13, ADM-17, COM-10, LINE-02, CRE-48);
// malformed or repeated people are ErrInvalid.
func (s *Service) Recommend(ctx context.Context, user roomkit.UserID, people []roomkit.UserID, audience roomkit.Audience, exactOnly bool) ([]roomkit.Offer, error) {
	ctx, asked := s.asks(ctx, "Recommend", roomkit.RoomID{})
	offers, err := s.recommend(ctx, user, people, audience, exactOnly)
	return offers, asked.answered(ctx, placed("Recommend", roomkit.RoomID{}, err))
}

func (s *Service) recommend(ctx context.Context, user roomkit.UserID, people []roomkit.UserID, audience roomkit.Audience, exactOnly bool) ([]roomkit.Offer, error) {
	if err := decide.CheckPick(user, people, audience); err != nil {
		return nil, err
	}
	others := slices.DeleteFunc(slices.Clone(people), func(id roomkit.UserID) bool { return id == user })
	all := append(others[:len(others):len(others)], user)
	need := store.Need{People: all}
	if len(others) > 1 { // one person leads to the 1:1 room (CRE-03)
		need.Shared = all
	}
	var before looked
	for range s.o.Attempts {
		f, err := s.load(ctx, need)
		if err != nil {
			return nil, err
		}
		if err := decide.CanCreate(f, user, len(others)); err != nil {
			return nil, err
		}
		before.add(f)
		for again := false; !again && !f.Moved; {
			offers, look := decide.Recommend(f, user, others, audience, exactOnly)
			switch {
			case look == nil:
				return offers, nil
			case look.Pages:
				before, err = s.moreShared(ctx, f)
				again = true // the rest would be older than these
			default:
				err = s.lookAt(ctx, f, look.Needs)
			}
			if err != nil {
				return nil, err
			}
		}
		if f.Moved {
			before = looked{}
		}
	}
	return nil, roomkit.ErrConflict
}

// looked is what a look at rooms that people share has found.
type looked struct {
	shared []roomkit.RoomEntry
	whole  bool
	rooms  map[roomkit.RoomID]decide.LookedAt
}

func (s *Service) lookAt(ctx context.Context, f *decide.Facts, needs []store.Need) error {
	answers, err := store.Ask(ctx, s.store, needs)
	if err != nil {
		return err
	}
	for i := range answers {
		f.LookAt(needs[i], answers[i])
	}
	return nil
}

// lookAround looks wherever the decision of a job has to look, in the goroutine of its
// caller: nobody else waits for it. The next load repeats what nobody would compare.
func (s *Service) lookAround(j *job) (err error) {
	j.lookedAround, j.beside = true, nil
	for look := j.decision.Look; look != nil && !j.facts.Moved; {
		if look.Pages {
			var before looked
			before, err = s.moreShared(j.ctx, &j.facts)
			before.add(&j.facts)
		} else {
			for _, n := range look.Needs {
				if j.facts.Before[n.Room] {
					j.beside = append(j.beside, n)
				}
			}
			err = s.lookAt(j.ctx, &j.facts, look.Needs)
		}
		if err != nil {
			return err
		}
		again, _ := j.scratch.Decide(s.rules, &j.facts, j.actor, j.cmd, s.o.Clock())
		look = again.Look
	}
	if j.facts.Moved {
		j.uncounted, j.step = false, j.lookAgain()
		return s.again(j)
	}
	j.looked = looked{j.facts.Shared, j.facts.SharedWhole, j.facts.Looked}
	return nil
}

// lookAgain forgets what was found, because some of it has changed meanwhile. That is no
// attempt, as long as it is not so again and again.
func (j *job) lookAgain() step {
	j.err = roomkit.ErrConflict
	j.lookedAround, j.looked, j.beside = false, looked{}, nil
	if j.moved++; j.moved <= maxLoads {
		j.attempts--
	}
	return stepAgain
}

// add makes what was found before a part of facts, but for what they have themselves.
func (l *looked) add(f *decide.Facts) {
	f.SharedWhole, f.Looked = l.whole, l.rooms
	if !l.whole {
		return
	}
	known := make(map[roomkit.RoomID]bool, len(f.Shared))
	for i := range f.Shared {
		known[f.Shared[i].Room.ID] = true
	}
	f.Before = map[roomkit.RoomID]bool{}
	for i := range l.shared {
		if id := l.shared[i].Room.ID; !known[id] {
			f.Shared = append(f.Shared, l.shared[i])
			f.Before[id] = true
		}
	}
}

// moreShared looks for further rooms of people who share more than a store gives
// at once, so that none is missed that comes first by what the user sees.
func (s *Service) moreShared(ctx context.Context, f *decide.Facts) (looked, error) {
	all := looked{whole: true, rooms: f.Looked}
	for page, err := range store.RoomPages(ctx, s.store, store.RoomQuery{Participants: f.Need.Shared, Limit: roomkit.MaxPage}) {
		if err != nil {
			return looked{}, err
		}
		if all.shared = append(all.shared, page...); len(all.shared) >= roomkit.MaxSharedSeen {
			break
		}
	}
	return all, nil
}
