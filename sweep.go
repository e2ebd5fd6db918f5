package roomkit

import (
	"bytes"
	"context"
	"maps"
	"slices"
)

// sweep is a search for memberships that do not count any more: those of a user,
// or of all users of a company.
type sweep struct {
	user    UserID
	company CompanyID
	cause   Cause
}

// sweepsOf says what an event of the directory calls for.
func sweepsOf(e Event) []sweep {
	info := e.Info()
	user, company := UserID(info.Subject.ID), CompanyID(info.Subject.ID)
	switch e := e.(type) {
	case *UserMessagingChanged:
		if !e.On && e.Channel == ChannelWorks {
			return []sweep{{user: user, cause: CausePermission}}
		}
	case *UserStatusChanged:
		if e.To == StatusDeleted {
			return []sweep{{user: user, cause: CauseAccount}}
		}
	case *UserPut:
		return sweepsOfPut(e)
	case *CompanyMessagingChanged:
		if e.Channel == ChannelWorks && e.To < e.From {
			return []sweep{{company: company, cause: CausePermission}}
		}
	case *CompanyPut:
		if info.Version > 1 && e.Company.Works != ExternalAll {
			return []sweep{{company: company, cause: CausePermission}}
		}
	default: // has no consequences elsewhere
	}
	return nil
}

// sweepsOfPut says what provisioning a user again may have taken away.
func sweepsOfPut(e *UserPut) (list []sweep) {
	user := UserID(e.Subject.ID)
	if e.Version > 1 && !e.User.Works {
		list = append(list, sweep{user: user, cause: CausePermission})
	}
	if e.Version > 1 && e.User.Status == StatusDeleted {
		list = append(list, sweep{user: user, cause: CauseAccount})
	}
	return list
}

// sweepChunk is how many rooms are swept side by side.
const sweepChunk = 32

// sweep finds the rooms concerned and hands over the commands that end what does
// not count any more, those of some whole rooms at a time.
func (s *Service) sweep(ctx context.Context, sw sweep, do func(rooms []RoomID, total int, steps []Expel) error) error {
	rooms, err := s.roomsOf(ctx, sw)
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(rooms, sweepChunk) {
		var steps []Expel
		for _, room := range chunk {
			if steps, err = s.stepsIn(ctx, sw, room, steps); err != nil {
				return err
			}
		}
		if err := do(chunk, len(rooms), steps); err != nil {
			return err
		}
	}
	return nil
}

// roomsOf lists the rooms that a sweep has to look at, in byte order.
func (s *Service) roomsOf(ctx context.Context, sw sweep) ([]RoomID, error) {
	found := map[RoomID]struct{}{}
	if sw.company == "" {
		if err := s.roomsOfUser(ctx, sw.user, sw.cause, found); err != nil {
			return nil, err
		}
	}
	q := UserQuery{Company: sw.company, Limit: MaxPage}
	for sw.company != "" {
		page, err := s.store.Users(ctx, q)
		if err != nil {
			return nil, err
		}
		if len(page) == 0 {
			break
		}
		for i := range page {
			if err := s.roomsOfUser(ctx, page[i].ID, sw.cause, found); err != nil {
				return nil, err
			}
		}
		q.After = page[len(page)-1].ID
	}
	return slices.SortedFunc(maps.Keys(found), func(a, b RoomID) int { return bytes.Compare(a[:], b[:]) }), nil
}

func (s *Service) roomsOfUser(ctx context.Context, user UserID, cause Cause, found map[RoomID]struct{}) error {
	q := RoomQuery{User: user, Limit: MaxPage}
	if cause == CausePermission {
		q.Kinds = []Kind{KindExternalGroup}
	}
	for {
		page, err := s.store.Rooms(ctx, q)
		if err != nil || len(page) == 0 {
			return err
		}
		for i := range page {
			found[page[i].Room.ID] = struct{}{}
		}
		q.After = page[len(page)-1].Room.ID
	}
}

// stepsIn appends the commands that a sweep needs in one room.
func (s *Service) stepsIn(ctx context.Context, sw sweep, room RoomID, steps []Expel) ([]Expel, error) {
	if sw.company == "" {
		return append(steps, Expel{Room: room, People: []UserID{sw.user}, Cause: sw.cause}), nil
	}
	people, err := s.colleaguesIn(ctx, room, sw.company)
	for chunk := range slices.Chunk(people, MaxPeople) {
		steps = append(steps, Expel{Room: room, People: chunk, Cause: sw.cause})
	}
	return steps, err
}

// colleaguesIn lists the people of a company who take part in or manage a room.
func (s *Service) colleaguesIn(ctx context.Context, room RoomID, company CompanyID) ([]UserID, error) {
	var people []UserID
	q := MemberQuery{Room: room, Limit: MaxPage}
	for {
		page, err := s.store.Members(ctx, q)
		if err != nil || len(page) == 0 {
			return people, err
		}
		for i := range page {
			if page[i].Company == company {
				people = append(people, page[i].User)
			}
		}
		q.After = page[len(page)-1].User
	}
}
