package service

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// sweep is a search for memberships that do not count any more: those of a user,
// of all users of a company, or of an imported room.
type sweep struct {
	of    roomkit.Subject
	cause roomkit.Cause
}

// sweepsOf says what an event of the directory calls for.
func sweepsOf(e roomkit.Event) (list []sweep) {
	add := func(cause roomkit.Cause, called bool) {
		if called {
			list = append(list, sweep{of: e.Info().Subject, cause: cause})
		}
	}
	switch e := e.(type) {
	case *roomkit.UserMessagingChanged:
		add(roomkit.CausePermission, e.With == roomkit.OutsiderPartner && !e.On)
	case *roomkit.UserStatusChanged:
		add(roomkit.CauseAccount, e.To == roomkit.StatusDeleted)
	case *roomkit.CompanyMessagingChanged:
		add(roomkit.CausePermission, e.With == roomkit.OutsiderPartner && e.To < e.From)
	case *roomkit.MembersImported:
		add(roomkit.CausePermission, e.Void)
		add(roomkit.CauseAccount, e.Void)
	default: // has no consequences elsewhere
	}
	return list
}

// sweepChunk is how many rooms, or pages of people of larger ones, are swept side by
// side.
const sweepChunk = 32

// sweepPart is what a step of a search has found in some whole rooms.
type sweepPart struct {
	cost   int             // how much there was to read
	looked int             // rooms of this part
	total  int             // rooms of the sweep
	swept  bool            // rooms were looked at, and not only listed
	expel  []roomkit.Expel // one for each room, of any number of people, that somebody has to leave
}

// search finds step by step what does not count any more: first the rooms, then in
// byte order the people in them. What cannot be read is left for another pass.
type search struct {
	sweep
	guard  func(func() error) error
	users  []roomkit.UserID // whose rooms have to be listed
	last   roomkit.UserID   // of the company, whose rooms are listed or going to be
	ended  bool             // there are no users behind it
	listed bool             // rooms are complete
	rooms  []roomkit.RoomID // that have to be looked at
	found  map[roomkit.RoomID]struct{}
	failed struct {
		users []roomkit.UserID
		rooms []roomkit.RoomID
		err   error // the last one
	}
}

func newSearch(sw sweep, guard func(func() error) error) search {
	x := search{sweep: sw, guard: guard, found: map[roomkit.RoomID]struct{}{}}
	if sw.of.Type == roomkit.SubjectRoom {
		x.rooms, x.ended = []roomkit.RoomID{sw.of.Room}, true
		x.found[sw.of.Room] = struct{}{}
	}
	if sw.of.Type == roomkit.SubjectUser {
		x.users, x.ended = []roomkit.UserID{roomkit.UserID(sw.of.ID)}, true
	}
	return x
}

// over reports whether everything has been looked at.
func (x *search) over() bool { return x.listed && len(x.rooms) == 0 }

// again begins another pass if the one that is over has left something.
func (x *search) again() bool {
	if !x.over() || len(x.failed.users)+len(x.failed.rooms) == 0 {
		return false
	}
	x.users, x.rooms, x.listed = x.failed.users, x.failed.rooms, false
	x.failed.users, x.failed.rooms = nil, nil
	return true
}

// fail leaves a room for another pass.
func (x *search) fail(room roomkit.RoomID, err error) {
	x.failed.rooms = append(x.failed.rooms, room)
	x.failed.err = fmt.Errorf("room %s: %w", room, err)
}

// next takes a step. After an error it can be taken again.
func (x *search) next(ctx context.Context, s *Service) (part sweepPart, err error) {
	if !x.listed {
		part.cost, err = x.list(ctx, s)
		part.total = len(x.found)
		return part, err
	}
	part.total, part.swept = len(x.found), len(x.rooms) > 0
	for part.cost < sweepChunk && len(x.rooms) > 0 {
		room := x.rooms[0]
		var people []roomkit.UserID
		var pages int
		err := x.guard(func() (err error) {
			people, pages, err = s.concerned(ctx, x.sweep, room)
			return err
		})
		if ctx.Err() != nil {
			return part, ctx.Err()
		}
		x.rooms, part.cost = x.rooms[1:], part.cost+max(1, pages)
		if err != nil {
			x.fail(room, err)
			continue
		}
		part.looked++
		if len(people) > 0 {
			part.expel = append(part.expel, roomkit.Expel{Room: room, People: people, Cause: x.cause})
		}
	}
	return part, nil
}

// list looks for the rooms of some users.
func (x *search) list(ctx context.Context, s *Service) (cost int, err error) {
	if len(x.users) == 0 && !x.ended {
		q := store.UserQuery{Company: roomkit.CompanyID(x.of.ID), After: x.last, Limit: roomkit.MaxPage}
		page, err := s.store.Users(ctx, q)
		if err != nil {
			return 0, err
		}
		for i := range page {
			x.users, x.last = append(x.users, page[i].ID), page[i].ID
		}
		x.ended = len(page) == 0
	}
	some := x.users[:min(len(x.users), sweepChunk)]
	for _, user := range some {
		if err := x.guard(func() error { return x.listRooms(ctx, s, user) }); err != nil {
			x.failed.users, x.failed.err = append(x.failed.users, user), fmt.Errorf("the rooms of %s: %w", user, err)
		}
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
	}
	x.users = x.users[len(some):]
	if x.ended && len(x.users) == 0 {
		x.listed = true
		slices.SortFunc(x.rooms, func(a, b roomkit.RoomID) int { return bytes.Compare(a[:], b[:]) })
	}
	return len(some), nil
}

func (x *search) listRooms(ctx context.Context, s *Service, user roomkit.UserID) error {
	q := store.RoomQuery{User: user, Limit: roomkit.MaxPage}
	if x.cause == roomkit.CausePermission {
		q.Kinds = []roomkit.Kind{roomkit.KindExternalGroup}
	}
	for page, err := range store.RoomPages(ctx, s.store, q) {
		if err != nil {
			return err
		}
		for i := range page {
			id := page[i].Room.ID
			if _, known := x.found[id]; !known {
				x.found[id] = struct{}{}
				x.rooms = append(x.rooms, id)
			}
		}
	}
	return nil
}

// concerned lists the people of a sweep who take part in or manage a room.
func (s *Service) concerned(ctx context.Context, sw sweep, room roomkit.RoomID) (people []roomkit.UserID, pages int, err error) {
	if sw.of.Type == roomkit.SubjectUser {
		return []roomkit.UserID{roomkit.UserID(sw.of.ID)}, 0, nil
	}
	for page, err := range store.MemberPages(ctx, s.store, store.MemberQuery{Room: room, Limit: roomkit.MaxPage}) {
		if err != nil {
			return nil, pages, err
		}
		pages++
		for i := range page {
			if sw.of.Type == roomkit.SubjectRoom || page[i].Company == roomkit.CompanyID(sw.of.ID) {
				people = append(people, page[i].User)
			}
		}
	}
	return people, pages, nil
}
