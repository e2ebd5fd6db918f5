package storetest

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// members replaces what a page of members has on it: all rows in, a page out.
func members(page func(m *model, q store.MemberQuery) []roomkit.Member) func(a *altered) {
	return func(a *altered) {
		a.onMembers = func(ctx context.Context, q store.MemberQuery) ([]roomkit.Member, error) {
			return guarded(ctx, a.simple, q.Which <= store.MembersAll && q.Limit >= 0, func() []roomkit.Member { return page(a.model, q) })
		}
	}
}

func laterMembers(rows []roomkit.Member, after roomkit.UserID) []roomkit.Member {
	return slices.DeleteFunc(rows, func(m roomkit.Member) bool { return m.User <= after })
}

func memberMutants() []mutant {
	return []mutant{
		{rule: "members/filters", name: "managers who take part are not listed as managers", spoil: members(func(m *model, q store.MemberQuery) []roomkit.Member {
			rows := slices.DeleteFunc(m.membersWith(q), func(row roomkit.Member) bool { return q.Which == store.MembersManaging && row.Participant })
			return cut(laterMembers(rows, q.After), q.Limit)
		})},
		{rule: "members/one-room", name: "an unknown room has everybody's rows", spoil: members(func(m *model, q store.MemberQuery) []roomkit.Member {
			rows := m.membersWith(q)
			if _, known := m.rooms[q.Room]; !known {
				rows = m.membersOf(roomID(1))
			}
			return cut(laterMembers(rows, q.After), q.Limit)
		})},
		{rule: "members/pages", name: "a page begins with the last row of the page before", spoil: members(func(m *model, q store.MemberQuery) []roomkit.Member {
			rows := slices.DeleteFunc(m.membersWith(q), func(row roomkit.Member) bool { return row.User < q.After || row.User == q.After && q.Limit != 3 })
			return cut(rows, q.Limit)
		})},
		{rule: "members/pages", name: "a page has a row too many", spoil: members(func(m *model, q store.MemberQuery) []roomkit.Member {
			if q.Limit > 0 && q.Limit < 9 {
				q.Limit++
			}
			return cut(laterMembers(m.membersWith(q), q.After), q.Limit)
		})},
		{rule: "members/byte-order", name: "letters are in order without case", spoil: members(func(m *model, q store.MemberQuery) []roomkit.Member {
			order := func(a, b roomkit.UserID) int {
				return cmp.Or(cmp.Compare(strings.ToLower(string(a)), strings.ToLower(string(b))), cmp.Compare(a, b))
			}
			rows := slices.DeleteFunc(m.membersWith(q), func(row roomkit.Member) bool { return order(row.User, q.After) <= 0 })
			slices.SortFunc(rows, func(a, b roomkit.Member) int { return order(a.User, b.User) })
			return cut(rows, q.Limit)
		})},
		{rule: "members/limits", name: "a page has as many rows as one likes", spoil: members(func(m *model, q store.MemberQuery) []roomkit.Member {
			rows := laterMembers(m.membersWith(q), q.After)
			if q.Limit > 0 {
				rows = rows[:min(len(rows), q.Limit)]
			}
			return rows
		})},
		{rule: "members/stable", name: "pages are counted", spoil: func(a *altered) {
			place := map[roomkit.UserID]int{}
			members(func(m *model, q store.MemberQuery) []roomkit.Member {
				rows := m.membersWith(q)
				if q.Limit != 10 {
					return cut(laterMembers(rows, q.After), q.Limit)
				}
				from := min(place[q.After], len(rows))
				page := cut(rows[from:], q.Limit)
				if len(page) > 0 {
					place[page[len(page)-1].User] = from + len(page)
				}
				return page
			})(a)
		}},
		{rule: "members/bad-query", name: "an unknown filter is that for all", spoil: func(a *altered) {
			a.onMembers = func(ctx context.Context, q store.MemberQuery) ([]roomkit.Member, error) {
				q.Which = min(q.Which, store.MembersAll)
				return a.simple.Members(ctx, q)
			}
		}},
		{rule: "members/bad-query", name: "a negative limit is none", spoil: func(a *altered) {
			a.onMembers = func(ctx context.Context, q store.MemberQuery) ([]roomkit.Member, error) {
				q.Limit = max(q.Limit, 0)
				return a.simple.Members(ctx, q)
			}
		}},
	}
}

// rooms replaces what is listed: all entries in order, before paging.
func rooms(list func(m *model, q store.RoomQuery) []store.RoomEntry) func(a *altered) {
	return func(a *altered) {
		a.onRooms = func(ctx context.Context, q store.RoomQuery) ([]store.RoomEntry, error) {
			if _, err := a.simple.Rooms(ctx, q); err != nil {
				return nil, err
			}
			return guarded(ctx, a.simple, true, func() []store.RoomEntry {
				return cut(slices.DeleteFunc(list(a.model, q), func(e store.RoomEntry) bool { return byRoomID(e.Room.ID, q.After) <= 0 }), q.Limit)
			})
		}
	}
}

func without(list []store.RoomEntry, drop func(e store.RoomEntry) bool) []store.RoomEntry {
	return slices.DeleteFunc(list, drop)
}

func roomMutants() []mutant {
	return []mutant{
		{rule: "rooms/of-user", name: "rooms that one only manages are not listed", spoil: rooms(func(m *model, q store.RoomQuery) []store.RoomEntry {
			return without(m.roomsWith(q), func(e store.RoomEntry) bool { return q.User != "" && e.Member.Master && !e.Member.Participant })
		})},
		{rule: "rooms/left", name: "rooms that were left are never listed", spoil: rooms(func(m *model, q store.RoomQuery) []store.RoomEntry {
			return without(m.roomsWith(q), func(e store.RoomEntry) bool { return e.Member.Left != roomkit.CauseNone })
		})},
		{rule: "rooms/of-company", name: "rooms of outsiders are not listed", spoil: rooms(func(m *model, q store.RoomQuery) []store.RoomEntry {
			return without(m.roomsWith(q), func(store.RoomEntry) bool { return q.Company == beta })
		})},
		{rule: "rooms/public", name: "private groups are listed, too", spoil: rooms(func(m *model, q store.RoomQuery) []store.RoomEntry {
			q.Public = false
			return m.roomsWith(q)
		})},
		{rule: "rooms/participants", name: "the last of the participants is not looked at", spoil: rooms(func(m *model, q store.RoomQuery) []store.RoomEntry {
			if n := len(q.Participants); n > 1 && !q.Exact {
				q.Participants = q.Participants[:n-1]
			}
			return m.roomsWith(q)
		})},
		{rule: "rooms/exact", name: "others can take part, too", spoil: rooms(func(m *model, q store.RoomQuery) []store.RoomEntry {
			q.Exact = false
			return m.roomsWith(q)
		})},
		{rule: "rooms/kinds", name: "kinds do not limit the rooms of a company", spoil: rooms(func(m *model, q store.RoomQuery) []store.RoomEntry {
			if q.Company != "" {
				q.Kinds = nil
			}
			return m.roomsWith(q)
		})},
		{rule: "rooms/bad-query", name: "the user counts if more is given", spoil: func(a *altered) {
			a.onRooms = func(ctx context.Context, q store.RoomQuery) ([]store.RoomEntry, error) {
				if q.User != "" {
					q.Company, q.Participants = "", nil
				}
				return a.simple.Rooms(ctx, q)
			}
		}},
		{rule: "rooms/pages", name: "a page skips a room", spoil: func(a *altered) {
			a.onRooms = func(ctx context.Context, q store.RoomQuery) ([]store.RoomEntry, error) {
				if q.Limit == 5 && !q.After.IsZero() {
					q.After[1] += 10
				}
				return a.simple.Rooms(ctx, q)
			}
		}},
		{rule: "rooms/byte-order", name: "ids are signed bytes", spoil: func(a *altered) {
			signed := func(x, y roomkit.RoomID) int {
				return cmp.Or(cmp.Compare(int8(x[0]), int8(y[0])), bytes.Compare(x[:], y[:]))
			}
			a.onRooms = func(ctx context.Context, q store.RoomQuery) ([]store.RoomEntry, error) {
				if _, err := a.simple.Rooms(ctx, q); err != nil || q.User == "" {
					return a.simple.Rooms(ctx, q)
				}
				return guarded(ctx, a.simple, true, func() []store.RoomEntry {
					list := a.model.roomsWith(q)
					slices.SortFunc(list, func(x, y store.RoomEntry) int { return signed(x.Room.ID, y.Room.ID) })
					list = without(list, func(e store.RoomEntry) bool { return !q.After.IsZero() && signed(e.Room.ID, q.After) <= 0 })
					return cut(list, q.Limit)
				})
			}
		}},
		{rule: "rooms/limits", name: "no limit is a thousand", spoil: func(a *altered) {
			a.onRooms = func(ctx context.Context, q store.RoomQuery) ([]store.RoomEntry, error) {
				if q.Limit == 0 {
					q.Limit = roomkit.MaxPage
				}
				return a.simple.Rooms(ctx, q)
			}
		}},
		{rule: "rooms/stable", name: "pages are counted", spoil: func(a *altered) {
			place := map[roomkit.RoomID]int{}
			a.onRooms = func(ctx context.Context, q store.RoomQuery) ([]store.RoomEntry, error) {
				if q.Limit != 7 {
					return a.simple.Rooms(ctx, q)
				}
				return guarded(ctx, a.simple, true, func() []store.RoomEntry {
					list := a.model.roomsWith(q)
					from := min(place[q.After], len(list))
					page := cut(list[from:], q.Limit)
					if len(page) > 0 {
						place[page[len(page)-1].Room.ID] = from + len(page)
					}
					return page
				})
			}
		}},
	}
}

func userMutants() []mutant {
	users := func(change func(q *store.UserQuery), alter func(rows []roomkit.User) []roomkit.User) func(a *altered) {
		return func(a *altered) {
			a.onUsers = func(ctx context.Context, q store.UserQuery) ([]roomkit.User, error) {
				change(&q)
				rows, err := a.simple.Users(ctx, q)
				return alter(rows), err
			}
		}
	}
	plain := func(rows []roomkit.User) []roomkit.User { return rows }
	return []mutant{
		{rule: "users/of-company", name: "deleted accounts are not listed", spoil: users(func(*store.UserQuery) {}, func(rows []roomkit.User) []roomkit.User {
			return slices.DeleteFunc(rows, func(u roomkit.User) bool { return u.Status == roomkit.StatusDeleted })
		})},
		{rule: "users/pages", name: "a page has a user too many", spoil: users(func(q *store.UserQuery) {
			if q.Limit > 0 && q.Limit < 5 {
				q.Limit++
			}
		}, plain)},
		{rule: "users/byte-order", name: "a page is in order without case", spoil: users(func(*store.UserQuery) {}, func(rows []roomkit.User) []roomkit.User {
			slices.SortStableFunc(rows, func(a, b roomkit.User) int {
				return cmp.Compare(strings.ToLower(string(a.ID)), strings.ToLower(string(b.ID)))
			})
			return rows
		})},
		{rule: "users/limits", name: "a negative limit is none", spoil: users(func(q *store.UserQuery) { q.Limit = max(0, q.Limit) }, plain)},
	}
}
