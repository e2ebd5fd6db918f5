package sqlitestore_test

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/sqlitestore/sqliteopen"
)

// handTables are what somebody would read lists from without this library: every
// value in a column of its own. They stand in the same file, so that both ways use
// the same connections and the same cache, and hold the same rows.
const handTables = `
CREATE TABLE h_people (room BLOB NOT NULL, user TEXT NOT NULL, company TEXT, kind TEXT NOT NULL, participant INTEGER NOT NULL, master INTEGER NOT NULL,
	period INTEGER NOT NULL, joined TEXT NOT NULL, joined_at INTEGER, joined_version INTEGER NOT NULL, read_all INTEGER NOT NULL,
	epoch_user INTEGER NOT NULL, epoch_company INTEGER NOT NULL, master_epoch_user INTEGER NOT NULL, master_epoch_company INTEGER NOT NULL,
	"left" TEXT NOT NULL, left_at INTEGER, left_version INTEGER NOT NULL, left_by TEXT, PRIMARY KEY (room, user)) WITHOUT ROWID;
CREATE INDEX h_people_user ON h_people (user, room) WHERE participant OR master;
CREATE TABLE h_list (id BLOB PRIMARY KEY, version INTEGER NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL, company TEXT, name TEXT, photo TEXT,
	digest BLOB NOT NULL, participants INTEGER NOT NULL, partners INTEGER NOT NULL, consumers INTEGER NOT NULL, party_a TEXT, party_b TEXT,
	changed_at INTEGER) WITHOUT ROWID;
CREATE INDEX h_list_digest ON h_list (digest, id) WHERE state = 'active';
INSERT INTO h_people SELECT room, user, company, kind, participant, master, period, joined, joined_at, joined_version, read_all, epoch_user, epoch_company,
	master_epoch_user, master_epoch_company, ifnull("left", 'none'), left_at, left_version, left_by FROM roomkit_members;
INSERT INTO h_list SELECT id, version, kind, state, company, name, photo, digest, participants, partners, consumers, party_a, party_b, changed_at FROM roomkit_rooms;`

// handMember is what a list of members written by hand has for each, if it has all
// that the library's answer has.
type handMember struct {
	user, company, kind, joined, left, leftBy string
	participant, master, readAll              bool
	period, joinedAt, joinedVersion, leftAt   int64
	epochs                                    [4]int64
	leftVersion                               int64
}

const handPage = `SELECT user, ifnull(company, ''), kind, participant, master, period, joined, ifnull(joined_at, 0), joined_version, read_all,
	epoch_user, epoch_company, master_epoch_user, master_epoch_company, "left", ifnull(left_at, 0), left_version, ifnull(left_by, '')
	FROM h_people WHERE room = ? AND user > ? AND (participant OR master) ORDER BY user LIMIT 100`

func (m *handMember) scan(rows *sql.Rows) error {
	return rows.Scan(&m.user, &m.company, &m.kind, &m.participant, &m.master, &m.period, &m.joined, &m.joinedAt, &m.joinedVersion, &m.readAll,
		&m.epochs[0], &m.epochs[1], &m.epochs[2], &m.epochs[3], &m.left, &m.leftAt, &m.leftVersion, &m.leftBy)
}

// narrow is as little as any list needs.
const handNarrow = `SELECT user, participant, master, joined_at FROM h_people WHERE room = ? AND user > ? AND (participant OR master) ORDER BY user LIMIT 100`

func countRows(rows *sql.Rows, err error, want int, scan func() error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		if err := scan(); err != nil {
			return err
		}
		n++
	}
	if n != want {
		return fmt.Errorf("%d rows, not %d: %w", n, want, rows.Err())
	}
	return rows.Err()
}

// bigRoom stores a room of n people.
func bigRoom(b *testing.B, s *sqliteopen.Store, n int) roomkit.RoomID {
	b.Helper()
	room := populate(b, s, 1)[0]
	mustExec(b, s.Writer, `WITH RECURSIVE n (i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i < ?2 - 1)
		INSERT INTO roomkit_members SELECT ?1, printf('crowd-%07d', i), 'acme', 'member', 1, 0, 1, 1, 'invited', 1700000000000000 + i, 7, 1, 1, 0, 0, NULL, NULL, 0, NULL FROM n`,
		room[:], n)
	mustExec(b, s.Writer, "UPDATE roomkit_rooms SET participants = participants + ?", n)
	return room
}

func BenchmarkMembersPage(b *testing.B) {
	s := open(b, newPath(b))
	room := bigRoom(b, s, 100_000)
	mustExec(b, s.Writer, handTables)
	ctx := b.Context()
	for _, depth := range []int{0, 50_000, 99_800} {
		after := fmt.Sprintf("crowd-%07d", depth)
		ours := func(n int) error {
			for range n {
				page, err := s.Members(ctx, store.MemberQuery{Room: room, After: roomkit.UserID(after), Limit: 100})
				if err != nil || len(page) != 100 {
					return fmt.Errorf("%d rows: %w", len(page), err)
				}
			}
			return nil
		}
		b.Run(fmt.Sprint("same-columns/after-", depth), func(b *testing.B) {
			st, err := s.Readers.Prepare(handPage)
			require.NoError(b, err)
			compare(b, 20, func(n int) error {
				for range n {
					page := make([]handMember, 0, 100)
					rows, err := st.QueryContext(ctx, room[:], after)
					err = countRows(rows, err, 100, func() error { page = append(page, handMember{}); return page[len(page)-1].scan(rows) })
					if err != nil {
						return err
					}
				}
				return nil
			}, ours)
		})
		b.Run(fmt.Sprint("four-columns/after-", depth), func(b *testing.B) {
			st, err := s.Readers.Prepare(handNarrow)
			require.NoError(b, err)
			compare(b, 20, func(n int) error {
				for range n {
					page := make([]handMember, 0, 100)
					rows, err := st.QueryContext(ctx, room[:], after)
					err = countRows(rows, err, 100, func() error {
						page = append(page, handMember{})
						m := &page[len(page)-1]
						return rows.Scan(&m.user, &m.participant, &m.master, &m.joinedAt)
					})
					if err != nil {
						return err
					}
				}
				return nil
			}, ours)
		})
	}
}

// handRooms is what a list of one's rooms shows: of a 1:1 room, which has no name,
// the parties; of a membership what tells whether it still counts, for a room whose
// permission was withdrawn is not to be shown.
const handRooms = `SELECT r.id, r.version, r.kind, ifnull(r.company, ''), ifnull(r.name, ''), ifnull(r.photo, ''), r.participants, r.partners, r.consumers,
	ifnull(r.party_a, ''), ifnull(r.party_b, ''), r.changed_at, m.participant, m.master, m.joined_at, m.joined_version, m.read_all, m.epoch_user, m.epoch_company
	FROM h_people m CROSS JOIN h_list r ON r.id = m.room
	WHERE m.user = ? AND m.room > ? AND (m.participant OR m.master) AND r.state = 'active' ORDER BY m.room LIMIT 50`

type handRoom struct {
	id                                          []byte
	kind, company, name, photo, a, b            string
	version, people, outsiders, line, changedAt int64
	participant, master, readAll                bool
	joinedAt, joinedVersion                     int64
	epochs                                      [2]int64
}

func (e *handRoom) scan(rows *sql.Rows) error {
	return rows.Scan(&e.id, &e.version, &e.kind, &e.company, &e.name, &e.photo, &e.people, &e.outsiders, &e.line, &e.a, &e.b,
		&e.changedAt, &e.participant, &e.master, &e.joinedAt, &e.joinedVersion, &e.readAll, &e.epochs[0], &e.epochs[1])
}

// handWhole is all of a room, as the library's answer has it, in plain columns.
const handWhole = `r.id, r.version, r.digest, r.participants, r.masters, r.partners, r.consumers, r.bots, ifnull(r.changed_at, 0), ifnull(r.created_at, 0),
	ifnull(r.name, ''), ifnull(r.photo, ''), ifnull(r.description, ''), r.origin, ifnull(r.creator, ''), r.history_sharing, r.notify, r.features_withheld,
	r.had_consumers, r.features, r.kind, r.state, ifnull(r.company, ''), r.public, ifnull(r.name_key, ''), ifnull(r.team, ''), ifnull(r.party_a, ''),
	ifnull(r.party_b, ''), ifnull(r.message_off_since, 0), r.emptied_at, ifnull(r.emptied_on, 0)`

// handWholeRooms is all of a user's rooms and memberships.
const handWholeRooms = `SELECT ` + handWhole + `, m.user, ifnull(m.company, ''), m.kind, m.participant, m.master, m.period, m.joined, ifnull(m.joined_at, 0),
	m.joined_version, m.read_all, m.epoch_user, m.epoch_company, m.master_epoch_user, m.master_epoch_company, ifnull(m."left", ''), ifnull(m.left_at, 0),
	m.left_version, ifnull(m.left_by, '')
	FROM roomkit_members m CROSS JOIN roomkit_rooms r ON r.id = m.room
	WHERE m.user = ? AND m.room > ? AND (m.participant OR m.master) AND r.state = 'active' ORDER BY m.room LIMIT 50`

// handWholeRoom is what is scanned into it, with times as numbers and enumerations as
// their names.
type handWholeRoom struct {
	id, digest                                                                                      []byte
	version, participants, masters, partners, consumers, bots, features, offSince, emptied, emptyOn int64
	changedAt, createdAt                                                                            int64
	name, photo, description, origin, creator, kind, state, company, nameKey, team, a, b            string
	sharing, notify, withheld, had, public                                                          bool
	member                                                                                          handMember
}

func (e *handWholeRoom) fields() []any {
	return []any{
		&e.id, &e.version, &e.digest, &e.participants, &e.masters, &e.partners, &e.consumers, &e.bots, &e.changedAt, &e.createdAt,
		&e.name, &e.photo, &e.description, &e.origin, &e.creator, &e.sharing, &e.notify, &e.withheld, &e.had, &e.features, &e.kind, &e.state,
		&e.company, &e.public, &e.nameKey, &e.team, &e.a, &e.b, &e.offSince, &e.emptied, &e.emptyOn,
	}
}

func (e *handWholeRoom) scan(rows *sql.Rows) error {
	m := &e.member
	return rows.Scan(append(e.fields(), &m.user, &m.company, &m.kind, &m.participant, &m.master, &m.period, &m.joined, &m.joinedAt, &m.joinedVersion,
		&m.readAll, &m.epochs[0], &m.epochs[1], &m.epochs[2], &m.epochs[3], &m.left, &m.leftAt, &m.leftVersion, &m.leftBy)...)
}

// handList reads pages of 50 rooms of the boss.
func handList[R any](b *testing.B, s *sqliteopen.Store, query string, after roomkit.RoomID, scan func(*R, *sql.Rows) error) func(n int) error {
	b.Helper()
	st, err := s.Readers.Prepare(query)
	require.NoError(b, err)
	ctx := b.Context()
	return func(n int) error {
		for range n {
			page := make([]R, 0, 50)
			rows, err := st.QueryContext(ctx, string(boss), after[:])
			err = countRows(rows, err, 50, func() error { page = append(page, *new(R)); return scan(&page[len(page)-1], rows) })
			if err != nil {
				return err
			}
		}
		return nil
	}
}

// A page of a user's rooms, beside what a list shows of each, and beside all that the
// library's answer has ("same-columns").
func BenchmarkRoomsOfUser(b *testing.B) {
	s := open(b, newPath(b))
	rooms := populate(b, s, 1000)
	mustExec(b, s.Writer, handTables)
	ctx := b.Context()
	for _, depth := range []int{0, 500, 940} {
		after := rooms[depth]
		hands := []func(n int) error{
			handList(b, s, handRooms, after, (*handRoom).scan), handList(b, s, handWholeRooms, after, (*handWholeRoom).scan),
		}
		for i, prefix := range []string{"", "same-columns/"} {
			b.Run(fmt.Sprint(prefix, "after-", depth), func(b *testing.B) {
				compare(b, 20, hands[i], func(n int) error {
					for range n {
						page, err := s.Rooms(ctx, store.RoomQuery{User: boss, After: after, Limit: 50})
						if err != nil || len(page) != 50 {
							return fmt.Errorf("%d rows: %w", len(page), err)
						}
					}
					return nil
				})
			})
		}
	}
}

// Adding somebody to a room of 10 people, by "hand", and of 1,000,000, "ours".
func BenchmarkGrowth(b *testing.B) {
	small, large := open(b, newPath(b)), open(b, newPath(b))
	const people = 1_000_000
	adder := func(s *sqliteopen.Store, size int) func(n int) error {
		room := bigRoom(b, s, size)
		svc := newService(b, s)
		put := func(n int) []roomkit.UserID {
			var ids []roomkit.UserID
			for range n {
				ids = append(ids, roomkit.UserID(fmt.Sprintf("x%x", time.Now().UnixNano())))
			}
			addUsers(b, svc, ids)
			return ids
		}
		ids := put(500)
		used := 0
		return func(n int) error {
			for range n {
				if used == len(ids) {
					return fmt.Errorf("only %d rounds", used/n)
				}
				if _, err := svc.Do(b.Context(), roomkit.By(boss), roomkit.Invite{Room: room, People: ids[used : used+1]}); err != nil {
					return err
				}
				used++
			}
			return nil
		}
	}
	compare(b, 8, adder(small, 10), adder(large, people))
}
