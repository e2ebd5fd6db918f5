package storetest

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

var readMutants = []mutant{
	{"load/nothing", "an empty need is answered by a company", answering(func(a *altered, n store.Need, f *store.Facts) {
		f.Companies = either(reflect.DeepEqual(n, store.Need{}), a.ask(store.Need{Companies: []roomkit.CompanyID{acme}}).Companies, f.Companies)
	})},
	{"load/order", "seven needs are answered in the order of rooms", func(a *altered) {
		a.onLoad = func(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
			facts, err := a.load(ctx, needs)
			if len(needs) == 7 {
				slices.SortStableFunc(facts, func(x, y store.Facts) int { return byRoomID(x.Room.ID, y.Room.ID) })
			}
			return facts, err
		}
	}},
	{"load/absent", "unknown people come as empty users", answering(func(a *altered, n store.Need, f *store.Facts) {
		bring(&f.Users, n.People, func(id roomkit.UserID) []roomkit.User {
			return either(len(a.user(id)) == 0, []roomkit.User{{ID: id}}, nil)
		})
	})},
	{"load/room", "an ended room comes without its company", answering(func(_ *altered, n store.Need, f *store.Facts) {
		f.Companies = either(f.Room.State == roomkit.StateEnded && len(n.People) == 0, nil, f.Companies)
	})},
	{"load/direct", "parties who left do not come", answering(func(_ *altered, n store.Need, f *store.Facts) {
		drop(&f.Members, func(m roomkit.Member) bool { return len(n.People) == 0 && hasLeft(m) })
	})},
	{"load/team-room", "the room of a team comes without it", answering(func(_ *altered, n store.Need, f *store.Facts) {
		f.Team = either(n.Team == "", roomkit.Team{}, f.Team)
	})},
	{"load/people", "rows that have ended do not come", answering(func(_ *altered, _ store.Need, f *store.Facts) { drop(&f.Members, hasLeft) })},
	{"load/people-alone", "people without a room bring rows", answering(func(a *altered, n store.Need, f *store.Facts) {
		bring(&f.Members, a.allRooms(), func(r roomkit.Room) []roomkit.Member {
			return either(n.Room.IsZero(), a.ask(store.Need{Room: r.ID, People: n.People}).Members, nil)
		})
	})},
	{"load/no-duplicates", "who is named twice comes twice", answering(func(a *altered, n store.Need, f *store.Facts) {
		f.Users = nil
		bring(&f.Users, n.People, a.user)
	})},
	{"load/everything", "Shared is not answered beside Room", answering(func(_ *altered, n store.Need, f *store.Facts) {
		f.Shared = either(n.Room.IsZero(), f.Shared, nil)
	})},
	{"load/masters", "masters who do not take part are forgotten", answering(func(_ *altered, n store.Need, f *store.Facts) {
		drop(&f.Members, func(m roomkit.Member) bool { return n.Masters && !n.Everybody && !m.Participant })
	})},
	{"load/everybody", "Everybody gives those who left, too", asking(func(a *altered, n *store.Need) {
		if n.Everybody && len(n.People) == 0 {
			n.People = idsOf(a.membersWith(store.MemberQuery{Room: n.Room, Which: store.MembersAll}), userOf)
		}
	})},
	{"load/everybody-limit", "Everybody stops at MaxEverybody", answering(func(_ *altered, n store.Need, f *store.Facts) {
		f.Members = f.Members[:min(len(f.Members), either(n.Everybody, roomkit.MaxEverybody, len(f.Members)))]
	})},
	{"load/everybody-limit", "Everybody gives everybody", asking(func(a *altered, n *store.Need) {
		n.People = either(n.Everybody, idsOf(a.membersWith(store.MemberQuery{Room: n.Room}), userOf), n.People)
	})},
	{"load/first", "First counts masters who do not take part", asking(func(a *altered, n *store.Need) {
		if n.First > 0 && a.rooms[n.Room].Name == "" {
			present := a.membersWith(store.MemberQuery{Room: n.Room})
			n.People = append(slices.Clip(n.People), idsOf(present[:min(len(present), n.First)], userOf)...)
			n.First = 0
		}
	})},
	{"load/first", "First gives rows without users", answering(func(_ *altered, n store.Need, f *store.Facts) {
		f.Users = either(n.First > 0 && len(n.People) == 0, nil, f.Users)
	})},
	{"load/first", "First is one too many", asking(func(_ *altered, n *store.Need) { n.First += either(n.First == 2, 1, 0) })},
	{"load/first-unnamed", "First looks at rooms with a name", asking(func(a *altered, n *store.Need) {
		if n.First > 0 && a.rooms[n.Room].Name != "" {
			n.Everybody = true
		}
	})},
	{"load/first-of-each", "a room is looked at once", func(a *altered) {
		a.onLoad = func(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
			needs = slices.Clone(needs)
			for i := range needs {
				first := slices.IndexFunc(needs, func(n store.Need) bool { return n.Room == needs[i].Room && n.First > 0 })
				needs[i].First = either(needs[i].First > 0, needs[max(first, 0)].First, 0)
			}
			return a.load(ctx, needs)
		}
	}},
	{"load/first-of-each", "First has no limit", asking(func(a *altered, n *store.Need) {
		if n.First > roomkit.MaxPage {
			n.People = idsOf(a.membersWith(store.MemberQuery{Room: n.Room}), userOf)
		}
	})},
	{"load/companies", "Companies is not answered beside People", asking(func(_ *altered, n *store.Need) {
		n.Companies = either(len(n.People) == 1, nil, n.Companies)
	})},
	{"load/team", "a team comes without its leader's row", answering(func(_ *altered, n store.Need, f *store.Facts) {
		drop(&f.Members, func(m roomkit.Member) bool { return n.Team != "" && m.User == f.Team.Leader && len(n.People) == 0 })
	})},
	{"load/name", "a name is looked up among titles, too", answering(func(a *altered, n store.Need, f *store.Facts) {
		r := find(a.allRooms(), func(r roomkit.Room) bool { return n.Name != "" && r.Name == n.Name && r.Company == n.Company })
		f.NameHolder = either(r.Version > 0, r.ID, f.NameHolder)
	})},
	{"load/checkpoint", "an unknown checkpoint is that of the first follower", answering(func(a *altered, n store.Need, f *store.Facts) {
		f.Checkpoint = cmp.Or(f.Checkpoint, either(n.Checkpoint == "g", a.ask(store.Need{Checkpoint: "f"}).Checkpoint, ""))
	})},
	{"shared/all-take-part", "masters count as participants", sharedBy(func(m roomkit.Member) bool { return m.Participant || m.Master })},
	{"shared/active", "rooms that somebody left are shared", sharedBy(func(m roomkit.Member) bool { return m.Participant || m.Left != roomkit.CauseNone })},
	{"shared/exact-first", "exact rooms are among the others", answering(func(_ *altered, _ store.Need, f *store.Facts) { slices.SortFunc(f.Shared, byRoomOf) })},
	{"shared/compares-people", "rooms of the same digest are exact", answering(func(_ *altered, n store.Need, f *store.Facts) {
		other := func(e roomkit.RoomEntry) int { return either(e.Room.Digest == roomkit.DigestOf(n.Shared...), 0, 1) }
		slices.SortFunc(f.Shared, func(x, y roomkit.RoomEntry) int { return cmp.Or(other(x)-other(y), byRoomOf(x, y)) })
	})},
	{"shared/limit", "MaxShared rooms in all", answering(func(_ *altered, _ store.Need, f *store.Facts) {
		f.Shared = f.Shared[:min(len(f.Shared), store.MaxShared)]
	})},
	{"shared/no-row", "entries carry the first one's row", answering(func(a *altered, n store.Need, f *store.Facts) {
		each(f.Shared, func(e *roomkit.RoomEntry) {
			e.Member = first(a.ask(store.Need{Room: e.Room.ID, People: n.Shared[:1]}).Members)
		})
	})},
	{"snapshot/counts", "the room is read before its rows", func(a *altered) {
		a.onLoad = func(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
			first, err := a.load(ctx, needs)
			if err != nil {
				return nil, err
			}
			giveWay()
			second, err := a.load(ctx, needs)
			for i := range second {
				second[i].Room = first[i].Room
			}
			return second, err
		}
	}},
	{"snapshot/needs", "every need is read by itself", func(a *altered) {
		a.onLoad = func(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
			var facts []store.Facts
			for _, n := range needs {
				f, err := a.load(ctx, []store.Need{n})
				if err != nil {
					return nil, err
				}
				facts = append(facts, f...)
				giveWay()
			}
			return facts, nil
		}
	}},
	{"snapshot/history", "rows come after their records", answering(func(_ *altered, _ store.Need, f *store.Facts) {
		f.Room.Version -= either[roomkit.Version](f.Room.Version > 300, 2, 0)
	})},
	{"members/filters", "managers who take part are not listed as managers", people(func(a *altered, q store.MemberQuery) []roomkit.Member {
		return inOrder(a.membersWith(q), nil, func(m roomkit.Member) bool {
			return m.User <= q.After || q.Which == store.MembersManaging && m.Participant
		}, q.Limit)
	})},
	{"members/one-room", "an unknown room has everybody's rows", func(a *altered) {
		askingMembers(func(q *store.MemberQuery) { q.Room = either(a.rooms[q.Room].Version == 0, roomID(1), q.Room) })(a)
	}},
	{"members/pages", "a page begins with the last row of the page before", people(func(a *altered, q store.MemberQuery) []roomkit.Member {
		return inOrder(a.membersWith(q), nil, func(m roomkit.Member) bool { return m.User < q.After }, q.Limit)
	})},
	{"members/pages", "a page has a row too many", askingMembers(func(q *store.MemberQuery) { q.Limit += either(q.Limit > 0 && q.Limit < 9, 1, 0) })},
	{"members/byte-order", "letters are in order without case", people(func(a *altered, q store.MemberQuery) []roomkit.Member {
		return inOrder(a.membersWith(q), func(x, y roomkit.Member) int { return withoutCase(x.User, y.User) },
			func(m roomkit.Member) bool { return withoutCase(m.User, q.After) <= 0 }, q.Limit)
	})},
	{"members/limits", "a page has as many rows as one likes", people(func(a *altered, q store.MemberQuery) []roomkit.Member {
		rows := a.membersWith(q)
		drop(&rows, func(m roomkit.Member) bool { return m.User <= q.After })
		return rows[:min(len(rows), either(q.Limit > 0, q.Limit, len(rows)))]
	})},
	{"members/stable", "pages are counted", func(a *altered) {
		places := map[roomkit.UserID]int{}
		people(func(a *altered, q store.MemberQuery) []roomkit.Member {
			return countPage(places, a.membersWith(q), q.After, q.Limit, userOf)
		})(a)
	}},
	{"members/crowd", "the 700th is lost when somebody leaves", people(func(a *altered, q store.MemberQuery) []roomkit.Member {
		rows, _ := a.Store.Members(context.Background(), q)
		drop(&rows, func(m roomkit.Member) bool { return a.rooms[q.Room].Version > 40 && m.User == crowdID(700) })
		return rows
	})},
	{"members/bad-query", "an unknown filter is that for all", askingMembers(func(q *store.MemberQuery) { q.Which = min(q.Which, store.MembersAll) })},
	{"members/bad-query", "a negative limit is none", askingMembers(func(q *store.MemberQuery) { q.Limit = max(q.Limit, 0) })},
	{"rooms/of-user", "rooms that one only manages are not listed", hiding(func(q store.RoomQuery, e roomkit.RoomEntry) bool { return q.User != "" && !e.Member.Participant })},
	{"rooms/left", "rooms that were left are never listed", hiding(func(_ store.RoomQuery, e roomkit.RoomEntry) bool { return e.Member.Left != roomkit.CauseNone })},
	{"rooms/of-company", "rooms of outsiders are not listed", hiding(func(q store.RoomQuery, _ roomkit.RoomEntry) bool { return q.Company == beta })},
	{"rooms/public", "private groups are listed, too", askingRooms(func(q *store.RoomQuery) { q.Public = false })},
	{"rooms/participants", "the last of the participants is not looked at", askingRooms(func(q *store.RoomQuery) {
		q.Participants = q.Participants[:min(len(q.Participants), max(1, len(q.Participants)-1))]
	})},
	{"rooms/exact", "others can take part, too", askingRooms(func(q *store.RoomQuery) { q.Exact = false })},
	{"rooms/kinds", "kinds do not limit the rooms of a company", askingRooms(func(q *store.RoomQuery) { q.Kinds = either(q.Company != "", nil, q.Kinds) })},
	{"rooms/bad-query", "the user counts if more is given", askingRooms(func(q *store.RoomQuery) { q.Company = either(q.User != "", "", q.Company) })},
	{"rooms/pages", "a page skips a room", askingRooms(func(q *store.RoomQuery) { q.After[1] += either[byte](q.Limit == 5 && !q.After.IsZero(), 10, 0) })},
	{"rooms/byte-order", "ids are signed bytes", func(a *altered) {
		signed := func(x, y roomkit.RoomID) int {
			return cmp.Or(cmp.Compare(int8(x[0]), int8(y[0])), bytes.Compare(x[:], y[:]))
		}
		a.onRooms = func(_ context.Context, q store.RoomQuery) ([]roomkit.RoomEntry, error) {
			return inOrder(a.roomsWith(q), func(x, y roomkit.RoomEntry) int { return signed(x.Room.ID, y.Room.ID) },
				func(e roomkit.RoomEntry) bool { return !q.After.IsZero() && signed(e.Room.ID, q.After) <= 0 }, q.Limit), nil
		}
	}},
	{"rooms/limits", "no limit is a thousand", askingRooms(func(q *store.RoomQuery) { q.Limit = cmp.Or(q.Limit, roomkit.MaxPage) })},
	{"rooms/stable", "pages are counted", func(a *altered) {
		places := map[roomkit.RoomID]int{}
		a.onRooms = func(_ context.Context, q store.RoomQuery) ([]roomkit.RoomEntry, error) {
			return countPage(places, a.roomsWith(q), q.After, q.Limit, roomOf), nil
		}
	}},
	{"users/of-company", "deleted accounts are not listed", func(a *altered) {
		a.onUsers = func(ctx context.Context, q store.UserQuery) ([]roomkit.User, error) {
			rows, err := a.Store.Users(ctx, q)
			drop(&rows, func(u roomkit.User) bool { return u.Status == roomkit.StatusDeleted })
			return rows, err
		}
	}},
	{"users/pages", "a page has a user too many", askingUsers(func(_ *altered, q *store.UserQuery) { q.Limit += either(q.Limit > 0 && q.Limit < 5, 1, 0) })},
	{"users/byte-order", "a page is in order without case", func(a *altered) {
		a.onUsers = func(ctx context.Context, q store.UserQuery) ([]roomkit.User, error) {
			rows, err := a.Store.Users(ctx, q)
			slices.SortFunc(rows, func(x, y roomkit.User) int { return withoutCase(x.ID, y.ID) })
			return rows, err
		}
	}},
	{"users/limits", "a negative limit is none", askingUsers(func(_ *altered, q *store.UserQuery) { q.Limit = max(0, q.Limit) })},
	{"teams/of-company", "the leader counts as a member", tellingTeams(func(rows []roomkit.Team) {
		each(rows, func(t *roomkit.Team) {
			if t.Leader != "" && !slices.Contains(t.Members, t.Leader) {
				t.Members = append([]roomkit.UserID{t.Leader}, t.Members...)
			}
		})
	})},
	{"teams/of-company", "teams have no members in a list", tellingTeams(func(rows []roomkit.Team) { each(rows, func(t *roomkit.Team) { t.Members = nil }) })},
	{"teams/pages", "a page is in order without case", tellingTeams(func(rows []roomkit.Team) {
		slices.SortFunc(rows, func(x, y roomkit.Team) int { return withoutCase(roomkit.UserID(x.ID), roomkit.UserID(y.ID)) })
	})},
	{"teams/limits", "no limit is a thousand", askingTeams(func(q *store.TeamQuery) { q.Limit = cmp.Or(q.Limit, roomkit.MaxPage) })},
	{"teams/bad-query", "no company is that of somebody", askingTeams(func(q *store.TeamQuery) { q.Company = cmp.Or(q.Company, acme) })},
	{"teams/bad-query", "a negative limit is none", askingTeams(func(q *store.TeamQuery) { q.Limit = max(0, q.Limit) })},
	{"machine/differential", "teams come without their newest change", tellingTeams(func(rows []roomkit.Team) { each(rows, func(t *roomkit.Team) { t.Version-- }) })},
	{"machine/differential", "a page after somebody else begins anew", askingUsers(func(a *altered, q *store.UserQuery) {
		q.After = either(first(a.user(q.After)).Company != q.Company, "", q.After)
	})},
	{"history/in-order", "the commands of records are lost", reading(func(_ roomkit.Subject, rows []store.Record) []store.Record {
		each(rows, func(r *store.Record) { r.Command = either(r.Version == 4, roomkit.CommandID{}, r.Command) })
		return rows
	})},
	{"history/every-subject", "teams have no history", reading(func(of roomkit.Subject, rows []store.Record) []store.Record {
		return either(of.Type == roomkit.SubjectTeam, nil, rows)
	})},
	{"history/pages", "a page begins with the version asked for", askingHistory(func(_ *roomkit.Subject, after *roomkit.Version, limit int) error {
		*after -= either[roomkit.Version](limit == 1 && *after == 3, 1, 0)
		return nil
	})},
	{"history/is-the-feed", "records of a history have no cursors", reading(func(_ roomkit.Subject, rows []store.Record) []store.Record { return withoutCursors(rows) })},
	{"history/limits", "a page can be longer than MaxPage", func(a *altered) {
		a.onReads = func(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
			rows, err := a.Store.History(ctx, of, after, limit)
			if limit > roomkit.MaxPage && len(rows) == roomkit.MaxPage {
				more, _ := a.Store.History(ctx, of, rows[len(rows)-1].Version, 1)
				rows = append(rows, more...)
			}
			return rows, err
		}
	}},
	{"history/nothing", "an unknown subject is an error", askingHistory(func(of *roomkit.Subject, _ *roomkit.Version, _ int) error {
		return either(of.ID == "nobody", roomkit.ErrNotFound, nil)
	})},
	{"history/bad-query", "no subject is that of somebody", askingHistory(func(of *roomkit.Subject, _ *roomkit.Version, _ int) error {
		*of = either(of.Type == roomkit.SubjectNone, roomkit.UserSubject(ann), *of)
		return nil
	})},
	{"feed/in-order", "rooms come before the directory", storing(func(_ *altered, c *store.Change) {
		slices.SortStableFunc(c.Records, func(x, y store.Record) int { return int(x.Subject.Type) - int(y.Subject.Type) })
	})},
	{"feed/refused", "a conflict leaves its records", onConflict(func(*store.Change) {})},
	{"feed/refused", "a repeat adds its records again", after(func(a *altered, c *store.Change, r *store.CommitResult) {
		if r.Repeat {
			a.force(*c, func(*store.Change) {})
		}
	})},
	{"feed/pages", "a page skips a record", feeds(func(rows []store.Record, after roomkit.Cursor, limit int) []store.Record {
		return rows[either(limit == 4 && len(rows) > 1 && after != "", 1, 0):]
	})},
	{"feed/limits", "no limit is a thousand", func(a *altered) {
		a.onFeed = func(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
			return a.Store.Feed(ctx, after, cmp.Or(limit, roomkit.MaxPage))
		}
	}},
	{"feed/concurrent", "a place is taken before the commit", overtaking},
	{"feed/own-writes", "the last record shows with the next one", feeds(func(rows []store.Record, _ roomkit.Cursor, limit int) []store.Record {
		return either(limit == 5 && len(rows) == 1, nil, rows)
	})},
	{"feed/stable", "records that are read again move", feeds(func(rows []store.Record, _ roomkit.Cursor, limit int) []store.Record {
		if len(rows) > 25 && limit == roomkit.MaxPage {
			rows[20], rows[21] = rows[21], rows[20]
		}
		return rows
	})},
	{"cursor/resume", "two records after a cursor are one", feeds(func(rows []store.Record, after roomkit.Cursor, limit int) []store.Record {
		return rows[either(limit == 2 && after != "" && len(rows) == 2, 1, 0):]
	})},
	{"cursor/tail", "the last cursor is not known yet", func(a *altered) {
		var asked atomic.Int64
		a.onFeed = func(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
			rows, err := a.Store.Feed(ctx, after, limit)
			if err == nil && after != "" && len(rows) == 0 && limit == roomkit.MaxPage && asked.Add(1) == 3 {
				return nil, roomkit.ErrInvalid
			}
			return rows, err
		}
	}},
	{"cursor/garbage", "what cannot be read is the beginning", beginning(func(c string) bool { return strings.Contains(c, "garbage") })},
	{"cursor/garbage", "a cursor may begin with a space", beginning(func(c string) bool { return len(c) > 1 && c[0] == ' ' })},
	{"cursor/altered", "a place beyond the tail is the tail", placed(func(n, records int) int { return min(n, records) })},
	{"cursor/altered", "a place has no fixed form", placed(func(n, records int) int { return either(n > records, -1, n) })},
	{"cursor/foreign", "cursors of other stores are taken", lenient(func(a *altered, c roomkit.Cursor) (roomkit.Cursor, bool) {
		stem, n := numbered(c)
		own, _ := numbered(a.tail())
		return "", n > 0 && stem != own && len(stem) == len(own)
	})},
}

// bring adds what brings gives for each of some things to an answer; drop leaves rows out.
func bring[T, R any](rows *[]R, of []T, brings func(T) []R) {
	for _, t := range of {
		*rows = append(*rows, brings(t)...)
	}
}

func drop[R any](rows *[]R, gone func(R) bool) { *rows = slices.DeleteFunc(*rows, gone) }

// either is a if so, else b.
func either[T any](so bool, a, b T) T {
	if so {
		return a
	}
	return b
}

func hasLeft(m roomkit.Member) bool { return !m.Participant && !m.Master }

func (a *altered) user(id roomkit.UserID) []roomkit.User {
	return a.ask(store.Need{People: []roomkit.UserID{id}}).Users
}

func (a *altered) allRooms() []roomkit.Room { return slices.Collect(maps.Values(a.rooms)) }

// sharedBy adds active rooms in which everybody has a row that a mutant takes for that of a participant.
func sharedBy(counts func(m roomkit.Member) bool) func(a *altered) {
	return answering(func(a *altered, n store.Need, f *store.Facts) {
		bring(&f.Shared, a.allRooms(), func(r roomkit.Room) []roomkit.RoomEntry {
			rows := a.ask(store.Need{Room: r.ID, People: n.Shared}).Members
			drop(&rows, func(m roomkit.Member) bool { return !slices.Contains(n.Shared, m.User) || !counts(m) })
			known := slices.ContainsFunc(f.Shared, func(e roomkit.RoomEntry) bool { return e.Room.ID == r.ID })
			takes := len(n.Shared) > 0 && !known && r.State == roomkit.StateActive && len(rows) == len(n.Shared)
			return either(takes, []roomkit.RoomEntry{{Room: r}}, nil)
		})
	})
}

func byRoomOf(x, y roomkit.RoomEntry) int { return byRoomID(x.Room.ID, y.Room.ID) }

func giveWay() {
	for range 100 {
		runtime.Gosched()
	}
}

// people replaces what a page of members has on it: all rows in, a page out.
func people(page func(a *altered, q store.MemberQuery) []roomkit.Member) func(a *altered) {
	return func(a *altered) {
		a.onPeople = func(ctx context.Context, q store.MemberQuery) ([]roomkit.Member, error) {
			if rows, err := a.Store.Members(ctx, q); err != nil {
				return rows, err
			}
			return page(a, q), nil
		}
	}
}

// askFor changes what a read is asked for.
func askFor[Q, R any](read *func(context.Context, Q) ([]R, error), change func(q *Q)) {
	was := *read
	*read = func(ctx context.Context, q Q) ([]R, error) {
		change(&q)
		return was(ctx, q)
	}
}

func askingMembers(change func(q *store.MemberQuery)) func(a *altered) {
	return func(a *altered) { askFor(&a.onPeople, change) }
}

func askingRooms(change func(q *store.RoomQuery)) func(a *altered) {
	return func(a *altered) { askFor(&a.onRooms, change) }
}

func askingUsers(change func(a *altered, q *store.UserQuery)) func(a *altered) {
	return func(a *altered) { askFor(&a.onUsers, func(q *store.UserQuery) { change(a, q) }) }
}

// inOrder gives a page of rows that are in an order of their own.
func inOrder[T any](rows []T, order func(x, y T) int, passed func(T) bool, limit int) []T {
	if order != nil {
		slices.SortFunc(rows, order)
	}
	return cut(slices.DeleteFunc(rows, passed), limit)
}

// countPage gives pages by places instead of ids.
func countPage[T any, K comparable](places map[K]int, rows []T, after K, limit int, id func(T) K) []T {
	from := min(places[after], len(rows))
	page := cut(rows[from:], limit)
	if len(page) > 0 {
		places[id(page[len(page)-1])] = from + len(page)
	}
	return page
}

func withoutCase(x, y roomkit.UserID) int {
	return cmp.Or(cmp.Compare(strings.ToLower(string(x)), strings.ToLower(string(y))), cmp.Compare(x, y))
}

// listing replaces what is listed: all entries in, all entries out.
func listing(change func(q store.RoomQuery, list []roomkit.RoomEntry) []roomkit.RoomEntry) func(a *altered) {
	return func(a *altered) {
		a.onRooms = func(ctx context.Context, q store.RoomQuery) ([]roomkit.RoomEntry, error) {
			if rows, err := a.Store.Rooms(ctx, q); err != nil {
				return rows, err
			}
			rest := slices.DeleteFunc(change(q, a.roomsWith(q)), func(e roomkit.RoomEntry) bool { return byRoomID(e.Room.ID, q.After) <= 0 })
			return cut(rest, q.Limit), nil
		}
	}
}

func hiding(hide func(q store.RoomQuery, e roomkit.RoomEntry) bool) func(a *altered) {
	return listing(func(q store.RoomQuery, list []roomkit.RoomEntry) []roomkit.RoomEntry {
		return slices.DeleteFunc(list, func(e roomkit.RoomEntry) bool { return hide(q, e) })
	})
}

// reading changes the records of a history.
func reading(change func(of roomkit.Subject, rows []store.Record) []store.Record) func(a *altered) {
	return func(a *altered) {
		a.onReads = func(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
			rows, err := a.Store.History(ctx, of, after, limit)
			return change(of, rows), err
		}
	}
}

// askingHistory changes what is asked for; an error is the answer.
func askingHistory(change func(of *roomkit.Subject, after *roomkit.Version, limit int) error) func(a *altered) {
	return func(a *altered) {
		a.onReads = func(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
			if err := change(&of, &after, limit); err != nil {
				return nil, err
			}
			return a.Store.History(ctx, of, after, limit)
		}
	}
}

// feeds changes pages of the feed.
func feeds(change func(rows []store.Record, after roomkit.Cursor, limit int) []store.Record) func(a *altered) {
	return func(a *altered) {
		a.onFeed = func(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
			rows, err := a.Store.Feed(ctx, after, limit)
			if err != nil {
				return nil, err
			}
			return change(rows, after, limit), nil
		}
	}
}

// lenient takes cursors that it should not take for another one.
func lenient(takes func(a *altered, c roomkit.Cursor) (roomkit.Cursor, bool)) func(a *altered) {
	return func(a *altered) {
		a.onFeed = func(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
			rows, err := a.Store.Feed(ctx, after, limit)
			if c, ok := takes(a, after); err != nil && ok {
				return a.Store.Feed(ctx, c, limit)
			}
			return rows, err
		}
	}
}

// numbered takes the cursors of a store apart: what comes before the number, and the number.
func numbered(c roomkit.Cursor) (stem string, n int) {
	stem = strings.TrimRight(string(c), "0123456789")
	n, err := strconv.Atoi(string(c[len(stem):]))
	if err != nil {
		return stem, -1
	}
	return stem, n
}

// placed takes every cursor with a number for that of the record at its place.
func placed(at func(n, records int) int) func(a *altered) {
	return lenient(func(a *altered, c roomkit.Cursor) (roomkit.Cursor, bool) {
		stem, n := numbered(c)
		own, _ := numbered(a.tail())
		records := a.records()
		if n = at(n, len(records)); stem != own || n < 1 {
			return "", false
		}
		return records[n-1].Cursor, true
	})
}

// beginning takes such cursors for the beginning.
func beginning(is func(c string) bool) func(a *altered) {
	return lenient(func(_ *altered, c roomkit.Cursor) (roomkit.Cursor, bool) { return "", is(string(c)) })
}

// overtaking shows some records late though their place was given to them
// before: a reader who has passed that place never sees them.
func overtaking(a *altered) {
	var mu sync.Mutex
	var inside atomic.Int32
	late, passed := map[roomkit.Cursor]bool{}, map[roomkit.Cursor]bool{}
	a.onCommit = func(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
		mu.Lock()
		results, err := a.Store.Commit(ctx, changes)
		hidden := err == nil && results[0].Err == nil && inside.Load() < 3
		if hidden {
			late[results[0].Outcome.Cursor] = true
		}
		mu.Unlock()
		if !hidden {
			return results, err
		}
		await(&inside, &mu, func() bool { return passed[results[0].Outcome.Cursor] })
		mu.Lock()
		defer mu.Unlock()
		delete(late, results[0].Outcome.Cursor)
		return results, err
	}
	a.onFeed = func(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
		mu.Lock()
		defer mu.Unlock()
		rows, err := a.Store.Feed(ctx, after, limit)
		shown := slices.DeleteFunc(slices.Clone(rows), func(r store.Record) bool { return late[r.Cursor] })
		if len(shown) > 0 {
			for _, r := range rows[:slices.IndexFunc(rows, func(r store.Record) bool { return r.Cursor == shown[len(shown)-1].Cursor })] {
				passed[r.Cursor] = true
			}
		}
		return shown, err
	}
}
