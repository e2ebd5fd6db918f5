package pgstore_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
)

// handMember is what a list of members written by hand has for each: the fields
// of the library's answer.
type handMember struct {
	User, Company, Kind, Joined, Left, LeftBy       string
	Participant, Master, ReadAll                    bool
	Period, JoinedVersion, LeftVersion              int64
	EpochUser, EpochCompany, MasterUser, MasterComp int64
	JoinedAt, LeftAt                                *time.Time
}

const (
	handMembersPage = `SELECT "user", coalesce(company, ''), kind, joined, "left", coalesce(left_by, ''), participant, master, read_all, period,
			joined_version, left_version, epoch_user, epoch_company, master_epoch_user, master_epoch_company, joined_at, left_at
		FROM roomkit_members WHERE room = $1 AND "user" > $2 AND (participant OR master) ORDER BY room, "user" LIMIT 100`
	handRoomsPage = `SELECT r.id, r.version, r.kind, coalesce(r.company, ''), coalesce(r.name, ''), coalesce(r.photo, ''), r.participants,
			r.partners, r.consumers, r.changed_at, m.participant, m.master, m.joined_at, m.joined_version, m.read_all
		FROM roomkit_members m JOIN roomkit_rooms r ON r.id = m.room
		WHERE m."user" = $1 AND m.room > $2 AND (m.participant OR m.master) AND r.state = 'active' ORDER BY m."user", m.room LIMIT 50`
	handExact = `SELECT r.id, r.version, coalesce(r.name, ''), r.participants FROM roomkit_rooms r
		WHERE r.digest = $1 AND r.state = 'active' AND r.participants = cardinality($2::text[])
			AND (SELECT count(*) FROM roomkit_members m WHERE m.room = r.id AND m."user" = ANY($2) AND m.participant) = r.participants`
	// The planner sees who of the three is in the fewest rooms.
	handShared = `SELECT r.id, r.version, coalesce(r.name, ''), r.participants FROM roomkit_rooms r
		JOIN roomkit_members a ON a.room = r.id AND a."user" = $1 AND a.participant
		JOIN roomkit_members b ON b.room = r.id AND b."user" = $2 AND b.participant
		JOIN roomkit_members c ON c.room = r.id AND c."user" = $3 AND c.participant
		WHERE r.state = 'active' ORDER BY r.id LIMIT 50`
)

type handRoom struct {
	ID                            [16]byte
	Version                       int64
	Kind, Company, Name, Photo    string
	Participants, Outsiders, LINE int64
	ChangedAt                     *time.Time
	Participant, Master           bool
	JoinedAt                      *time.Time
	JoinedVersion                 int64
	ReadAll                       bool
}

type handFound struct {
	ID      [16]byte
	Version int64
	Name    string
	People  int64
}

// handQuery reads rows by hand, want of them.
func handQuery[R any](ctx context.Context, h *byHand, want int, text string, args ...any) error {
	rows, err := h.readers.Query(ctx, text, args...)
	if err != nil {
		return err
	}
	page, err := pgx.CollectRows(rows, pgx.RowToStructByPos[R])
	if err == nil && len(page) != want {
		err = fmt.Errorf("%d rows, not %d", len(page), want)
	}
	return err
}

// scanMembers is handQuery for members, without the reflection of CollectRows.
func (h *byHand) scanMembers(ctx context.Context, room [16]byte, after string) error {
	rows, err := h.readers.Query(ctx, handMembersPage, room, after)
	if err != nil {
		return err
	}
	defer rows.Close()
	page := make([]handMember, 0, 100)
	for rows.Next() {
		page = append(page, handMember{})
		m := &page[len(page)-1]
		if err := rows.Scan(&m.User, &m.Company, &m.Kind, &m.Joined, &m.Left, &m.LeftBy, &m.Participant, &m.Master, &m.ReadAll, &m.Period,
			&m.JoinedVersion, &m.LeftVersion, &m.EpochUser, &m.EpochCompany, &m.MasterUser, &m.MasterComp, &m.JoinedAt, &m.LeftAt); err != nil {
			return err
		}
	}
	if len(page) != 100 {
		return fmt.Errorf("%d rows", len(page))
	}
	return rows.Err()
}

func times(n int, do func() error) error {
	for range n {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

// enlarge puts n people into a room, behind the library's back.
func (w *world) enlarge(tb testing.TB, room roomkit.RoomID, n int) {
	tb.Helper()
	_, err := w.pool.Exec(tb.Context(), `INSERT INTO `+w.o.Schema+`.roomkit_members
		SELECT $1::uuid, 'v' || lpad(i::text, 7, '0'), 'acme', 'member', true, false, 1, 'invited', now(), 1, true, 1, 1, 0, 0, 'none', NULL, 0, NULL
		FROM generate_series(1, $2::int) i`, [16]byte(room), n)
	require.NoError(tb, err)
	_, err = w.pool.Exec(tb.Context(), `UPDATE `+w.o.Schema+`.roomkit_rooms SET participants = participants + $2 WHERE id = $1`, [16]byte(room), n)
	require.NoError(tb, err)
	w.analyze(tb)
}

func BenchmarkMembersPage(b *testing.B) {
	c := newCrowd(b, 16, 20)
	room := c.rooms[7]
	c.enlarge(b, room, 100_000)
	for _, depth := range []int{0, 50_000, 99_800} {
		b.Run(fmt.Sprint("after-", depth), func(b *testing.B) {
			after := fmt.Sprintf("v%07d", depth)
			c.compare(b, 50,
				sqltest.Way{Name: "hand", Do: func(n int) error {
					return times(n, func() error { return c.hand.scanMembers(b.Context(), room, after) })
				}},
				sqltest.Way{Name: "ours", Do: func(n int) error {
					return times(n, func() error {
						page, err := c.store.Members(b.Context(), store.MemberQuery{Room: room, After: roomkit.UserID(after), Limit: 100})
						if err == nil && len(page) != 100 {
							err = fmt.Errorf("%d rows", len(page))
						}
						return err
					})
				}})
		})
	}
}

func BenchmarkRoomsOfUser(b *testing.B) {
	c := newCrowd(b, 1000, 20)
	slices.SortFunc(c.rooms, func(a, b roomkit.RoomID) int { return bytes.Compare(a[:], b[:]) })
	for _, depth := range []int{0, 500, 940} {
		b.Run(fmt.Sprint("after-", depth), func(b *testing.B) {
			after := c.rooms[depth]
			c.compare(b, 50,
				sqltest.Way{Name: "hand", Do: func(n int) error {
					return times(n, func() error {
						return handQuery[handRoom](b.Context(), c.hand, 50, handRoomsPage, "u1", [16]byte(after))
					})
				}},
				sqltest.Way{Name: "ours", Do: func(n int) error {
					return times(n, func() error {
						page, err := c.store.Rooms(b.Context(), store.RoomQuery{User: "u1", After: after, Limit: 50})
						if err == nil && len(page) != 50 {
							err = fmt.Errorf("%d rows", len(page))
						}
						return err
					})
				}})
		})
	}
}

// The room of exactly three people, among many of other three.
func BenchmarkExactSet(b *testing.B) {
	c := newCrowd(b, 1, 40)
	for i := range 500 {
		_, err := c.service.Do(b.Context(), roomkit.By("u1"), roomkit.CreateRoom{
			People: []roomkit.UserID{userID(4 + i%9), userID(14 + i%25)}, Audience: roomkit.AudienceMembers, AllowDuplicate: true,
		})
		require.NoError(b, err)
	}
	c.analyze(b)
	people := []roomkit.UserID{"u1", "u2", "u3"}
	c.compare(b, 50,
		sqltest.Way{Name: "hand", Do: func(n int) error {
			return times(n, func() error {
				digest := roomkit.DigestOf(people...)
				return handQuery[handFound](b.Context(), c.hand, 1, handExact, digest[:], []string{"u1", "u2", "u3"})
			})
		}},
		sqltest.Way{Name: "ours", Do: func(n int) error {
			return times(n, func() error {
				page, err := c.store.Rooms(b.Context(), store.RoomQuery{Participants: people, Exact: true})
				if err == nil && len(page) != 1 {
					err = fmt.Errorf("%d rooms", len(page))
				}
				return err
			})
		}})
}

// The rooms in which all of three people take part. One of them is in few rooms,
// or all are in all of them. The library looks who is in the fewest, goes through
// the rooms of that one by roomkit_members_user, looks up the others in each, and
// ends with the page: how many rooms the others are in makes no difference. The
// join by hand needs no such look where they share many rooms, and reads all rooms
// of the busiest where they share few.
func BenchmarkSuperset(b *testing.B) {
	for _, rooms := range []int{1000, 10_000} {
		c := newCrowd(b, rooms, 20)
		for i := range 5 {
			room := c.rooms[i*len(c.rooms)/5]
			require.NoError(b, c.invite(b.Context(), room, "u9"))
		}
		c.analyze(b)
		for _, tt := range []struct {
			name   string
			people []roomkit.UserID
			want   int
		}{
			{"few", []roomkit.UserID{"u1", "u2", "u9"}, 5}, {"many", []roomkit.UserID{"u1", "u2", "u3"}, 50},
		} {
			b.Run(fmt.Sprint(tt.name, "-of-", rooms), func(b *testing.B) { c.compareShared(b, tt.people, tt.want) })
		}
	}
}

func (c *crowd) compareShared(b *testing.B, people []roomkit.UserID, want int) {
	c.compare(b, 50,
		sqltest.Way{Name: "hand", Do: func(n int) error {
			return times(n, func() error {
				return handQuery[handFound](b.Context(), c.hand, want, handShared, string(people[0]), string(people[1]), string(people[2]))
			})
		}},
		sqltest.Way{Name: "ours", Do: func(n int) error {
			return times(n, func() error {
				page, err := c.store.Rooms(b.Context(), store.RoomQuery{Participants: people, Limit: 50})
				if err == nil && len(page) != want {
					err = fmt.Errorf("%d rooms, not %d", len(page), want)
				}
				return err
			})
		}})
}

// Adding somebody to a room of 10 people, and of 1,000,000.
func BenchmarkGrowth(b *testing.B) {
	adder := func(size int) (*crowd, func(n int) error) {
		c := newCrowd(b, 1, 8000)
		c.enlarge(b, c.rooms[0], size)
		next := c.taker()
		return c, func(n int) error {
			return times(n, func() error {
				room, who := next()
				return c.invite(b.Context(), room, who)
			})
		}
	}
	c, toSmall := adder(10)
	_, toLarge := adder(1_000_000)
	c.compare(b, 32, sqltest.Way{Name: "10-people", Do: toSmall}, sqltest.Way{Name: "1M-people", Do: toLarge})
}
