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
// One round trip, another one if there are any, and a third where they share more
// than MaxShared. A user who is not known, cannot act or could not create a room of
// so many people is a [*roomkit.Denied] (COM-16, ADM-13, ADM-17, COM-10, LINE-02, CRE-48);
// malformed or repeated people are ErrInvalid.
func (s *Service) Recommend(ctx context.Context, user roomkit.UserID, people []roomkit.UserID, audience roomkit.Audience, exactOnly bool) ([]roomkit.Offer, error) {
	offers, err := s.recommend(ctx, user, people, audience, exactOnly)
	return offers, placed("Recommend", roomkit.RoomID{}, err)
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
	f, err := s.load(ctx, need)
	if err != nil {
		return nil, err
	}
	if err := decide.CanCreate(f, user, len(others)); err != nil {
		return nil, err
	}
	if err := s.dropVoidShared(ctx, f); err != nil {
		return nil, err
	}
	return decide.Recommend(f, user, others, audience, exactOnly), nil
}

// dropVoidShared leaves of the shared rooms those in which everybody asked for takes
// part by memberships that count (LST-06, LST-07, EXT-22). It costs a round trip
// when there are any.
func (s *Service) dropVoidShared(ctx context.Context, f *decide.Facts) error {
	if len(f.Shared) == 0 {
		return nil
	}
	if err := s.moreShared(ctx, f); err != nil {
		return err
	}
	rooms, err := s.inRooms(ctx, f.Shared, f.Need.Shared...)
	f.Shared = f.Shared[:0]
	for i := range rooms {
		if rooms[i].AllListed() {
			f.Shared = append(f.Shared, roomkit.RoomEntry{Room: rooms[i].Room})
		}
	}
	return err
}

// moreShared looks for further rooms of people who share more than a store gives
// at once, so that none is missed that comes first by what the user sees.
func (s *Service) moreShared(ctx context.Context, f *decide.Facts) error {
	if len(f.Shared) < store.MaxShared {
		return nil
	}
	known := make(map[roomkit.RoomID]bool, len(f.Shared))
	for i := range f.Shared {
		known[f.Shared[i].Room.ID] = true
	}
	seen := 0
	for page, err := range store.RoomPages(ctx, s.store, store.RoomQuery{Participants: f.Need.Shared, Limit: roomkit.MaxPage}) {
		if err != nil {
			return err
		}
		for i := range page {
			if !known[page[i].Room.ID] {
				f.Shared = append(f.Shared, page[i])
			}
		}
		if seen += len(page); seen >= roomkit.MaxSharedSeen {
			break
		}
	}
	return nil
}
