package beside

import (
	"iter"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/verify"
)

// glance compares what one user can see of the rooms, and one of them more closely.
func (h *history) glance() {
	user, room := h.anybody(), roomkit.SelfRoom(h.anybody())
	if len(h.rooms) > 0 {
		room = pick(h, h.rooms)
	}
	if h.chance(3, 4) {
		user = h.someoneIn(roomkit.Room{ID: room}, store.MembersAll)
	}
	h.lookAsUser(user)
	h.lookInto(user, room)
}

// lookAtAccess compares all that a user can do.
func (h *history) lookAtAccess(user roomkit.UserID) {
	access := both(h, func(s *side) answered[[]roomkit.Access] {
		return answerTo(s.svc.Access(h.ctx, user, h.rooms...))
	}, "access of %s", user)
	h.reached.note("something to read", slices.ContainsFunc(access.Is, func(a roomkit.Access) bool { return a.ReadFrom.Allowed }))
}

// lookAtScreen compares what a list on a screen shows a user of the rooms.
func (h *history) lookAtScreen(user roomkit.UserID) {
	rooms := some(h, h.rooms, roomkit.MaxScreenRooms)
	shown := both(h, func(s *side) answered[[]roomkit.RoomView] {
		return answerTo(s.svc.Screen(h.ctx, user, rooms...))
	}, "screen of %s", user)
	h.reached.note("people of a room without a name", slices.ContainsFunc(shown.Is, func(v roomkit.RoomView) bool { return len(v.People) > 1 }))
}

// lookAsUser compares what a user can do and find.
func (h *history) lookAsUser(user roomkit.UserID) {
	h.lookAtAccess(user)
	h.lookAtScreen(user)
	q := service.RoomList{Role: service.Role(h.roll(3)), Limit: h.oneOf(0, 1, 2), Kinds: h.kinds()}
	both(h, func(s *side) answered[[]roomkit.RoomEntry] { return listOf(s.svc.Rooms(h.ctx, user, q)) }, "rooms of %s by %+v", user, q)
	both(h, func(s *side) answered[service.Page[roomkit.RoomEntry]] {
		return answerTo(s.svc.RoomsPage(h.ctx, user, q))
	}, "a page of the rooms of %s by %+v", user, q)
	which := service.GroupList{Part: service.GroupPart(h.roll(3))}
	groups := both(h, func(s *side) answered[[]roomkit.RoomEntry] { return listOf(s.svc.Groups(h.ctx, user, which)) }, "groups of %s by %+v", user, which)
	h.reached.note("groups listed", len(groups.Is) > 0)
	people, audience, exact := some(h, h.world.people(), 3), roomkit.Audience(h.roll(3)), h.chance(1, 4)
	if rooms := h.active(roomkit.KindGeneral, roomkit.KindGroup, roomkit.KindExternalGroup, roomkit.KindTeam); len(rooms) > 0 && h.chance(3, 4) {
		here := h.inside(pick(h, rooms), store.MembersTakingPart)
		user, people = pick(h, append(here, user)), some(h, append(here, user), 4)
	}
	offers := both(h, func(s *side) answered[[]roomkit.Offer] {
		return answerTo(s.svc.Recommend(h.ctx, user, people, audience, exact))
	}, "recommended to %s for %s", user, people)
	h.reached.note("recommended", len(offers.Is) > 0)
}

func (h *history) kinds() []roomkit.Kind {
	if h.toss() {
		return nil
	}
	return some(h, roomkit.Kinds(), 3)
}

// lookInto compares what a user can know of a room.
func (h *history) lookInto(user roomkit.UserID, room roomkit.RoomID) {
	both(h, func(s *side) answered[roomkit.Room] { return answerTo(s.svc.Room(h.ctx, user, room)) }, "room %s for %s", room, user)
	q := service.MemberList{Role: service.Role(h.roll(4)), Limit: h.oneOf(0, 1, 2)}
	both(h, func(s *side) answered[[]roomkit.Member] { return listOf(s.svc.Members(h.ctx, user, room, q)) }, "members of %s for %s by %+v", room, user, q)
	events := service.HistoryList{Since: roomkit.Version(h.oneOf(0, 0, 1, 5)), Limit: h.oneOf(0, 0, 2)}
	told := both(h, func(s *side) answered[[]roomkit.Event] { return listOf(s.svc.History(h.ctx, user, room, events)) }, "history of %s for %s", room, user)
	h.reached.note("history read", len(told.Is) > 0)
	action := pick(h, roomkit.AllActions())
	both(h, func(s *side) fault { return faultOf(s.svc.Check(h.ctx, user, action, room)) }, "whether %s may %s in %s", user, action, room)
}

// lookAtAll compares all that there is.
func (h *history) lookAtAll() {
	for _, user := range h.world.people() {
		h.lookAtAccess(user)
	}
	for _, room := range h.rooms {
		h.lookAtRoom(room)
	}
	for _, company := range []roomkit.CompanyID{"x", "y", "Z", ""} {
		h.lookAtCompany(company)
	}
	h.lookAtFeed()
	both(h, func(s *side) fault { return faultOf(verify.Run(h.ctx, s.store, nil)) }, "what Verify finds")
}

// lookAtRoom compares a room as the host and as everybody sees it.
func (h *history) lookAtRoom(room roomkit.RoomID) {
	found := both(h, func(s *side) answered[[]service.Finding] { return answerTo(s.svc.Health(h.ctx, room)) }, "health of %s", room)
	h.reached.note("unwell", len(found.Is) > 0)
	limit := h.oneOf(0, 1, 3)
	for which := store.MembersPresent; which <= store.MembersAll; which++ {
		q := store.MemberQuery{Room: room, Which: which, Limit: limit}
		both(h, func(s *side) answered[[]roomkit.Member] { return allPages(limit, store.MemberPages(h.ctx, s.store, q)) }, "rows %d of %s", which, room)
	}
	for _, user := range some(h, h.world.people(), 4) {
		h.lookInto(user, room)
	}
}

// lookAtCompany compares what the host can list of a company.
func (h *history) lookAtCompany(company roomkit.CompanyID) {
	limit := h.oneOf(0, 1, 3)
	users := store.UserQuery{Company: company, Limit: limit}
	both(h, func(s *side) answered[[]roomkit.User] { return allPages(limit, store.UserPages(h.ctx, s.store, users)) }, "users of %s", company)
	if company == "" {
		return
	}
	teams := store.TeamQuery{Company: company, Limit: limit}
	both(h, func(s *side) answered[[]roomkit.Team] { return allPages(limit, store.TeamPages(h.ctx, s.store, teams)) }, "teams of %s", company)
	rooms := store.RoomQuery{Company: company, Public: h.chance(1, 3), Kinds: h.kinds(), Limit: limit}
	both(h, func(s *side) answered[[]roomkit.RoomEntry] {
		return allPages(limit, store.RoomPages(h.ctx, s.store, rooms))
	}, "rooms of %s", company)
	expired := service.ExpiredList{Company: company, At: h.now.Add(time.Duration(h.roll(100)) * 24 * time.Hour)}
	due := both(h, func(s *side) answered[[]service.ExpiredRoom] { return listOf(s.svc.Expired(h.ctx, expired)) }, "due of %s", company)
	h.reached.note("due", len(due.Is) > 0)
}

// allPages gives the rows of all pages, none of which may be longer than limit;
// pages without end are an error, too.
func allPages[T any](limit int, pages iter.Seq2[[]T, error]) answered[[]T] {
	var all []T
	for page, err := range pages {
		if err == nil && (limit > 0 && len(page) > limit || len(all) > 100_000) {
			err = roomkit.ErrInconsistent
		}
		if err != nil {
			return answerTo(all, err)
		}
		all = append(all, page...)
	}
	return answerTo(all, nil)
}

// lookAtFeed demands that the feed of each side is what it was as it came, from the
// beginning and from any place in it.
func (h *history) lookAtFeed() {
	for i, s := range h.sides {
		whole := listOf(s.svc.Feed(h.ctx, ""))
		require.Equal(h, fault{}, whole.Fault, "the feed of side %d", i)
		require.Len(h, whole.Is, len(s.records), "records in the feed of side %d", i)
		for n, rec := range whole.Is {
			require.Equal(h, s.records[n], rec.Record, "record %d of side %d", n, i)
		}
	}
	h.lookAtPage(h.roll(len(h.sides[0].records)), h.oneOf(0, 1, 7, roomkit.MaxPage))
}

// lookAtPage demands that a page of the feed of each side is what came after a record.
func (h *history) lookAtPage(place, limit int) {
	for i, s := range h.sides {
		page, err := s.store.Feed(h.ctx, s.records[place].Cursor, limit)
		require.NoError(h, err)
		rest := s.records[place+1:]
		require.True(h, len(page) <= len(rest) && (len(page) > 0 || len(rest) == 0), "%d records on a page of side %d after record %d", len(page), i, place)
		require.Equal(h, Own(rest[:len(page)]), Own(page), "page of side %d after record %d", i, place)
	}
}
