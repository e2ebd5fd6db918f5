package sqlitestore_test

import (
	"database/sql"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/sqlitestore/sqliteopen"
)

// handShared is what a list of rooms to go on in shows of each, as handRooms does.
const handShared = `SELECT r.id, r.version, r.kind, ifnull(r.company, ''), ifnull(r.name, ''), ifnull(r.photo, ''), r.participants, r.partners, r.consumers,
	ifnull(r.party_a, ''), ifnull(r.party_b, ''), r.changed_at FROM `

func (e *handRoom) scanShared(rows *sql.Rows) error {
	return rows.Scan(&e.id, &e.version, &e.kind, &e.company, &e.name, &e.photo, &e.people, &e.outsiders, &e.line, &e.a, &e.b, &e.changedAt)
}

// compareShared lets both ways ask for the rooms that people share.
func compareShared(b *testing.B, s *sqliteopen.Store, q store.RoomQuery, want int, query string, args func() []any) {
	b.Helper()
	compareSharedAs(b, s, q, want, query, (*handRoom).scanShared, args)
}

func compareSharedAs[R any](b *testing.B, s *sqliteopen.Store, q store.RoomQuery, want int, query string, scan func(*R, *sql.Rows) error, args func() []any) {
	b.Helper()
	st, err := s.Readers.Prepare(query)
	require.NoError(b, err)
	ctx := b.Context()
	compare(b, 50, func(n int) error {
		for range n {
			var page []R
			rows, err := st.QueryContext(ctx, args()...)
			err = countRows(rows, err, want, func() error { page = append(page, *new(R)); return scan(&page[len(page)-1], rows) })
			if err != nil {
				return err
			}
		}
		return nil
	}, func(n int) error {
		for range n {
			page, err := s.Rooms(ctx, q)
			if err != nil || len(page) != want {
				return fmt.Errorf("%d rooms: %w", len(page), err)
			}
		}
		return nil
	})
}

// The rooms of exactly three people, among hundreds of other three, beside what a list
// shows of them, and beside all that the library's answer has.
func BenchmarkExactSet(b *testing.B) {
	s := open(b, newPath(b))
	populate(b, s, 1)
	svc := newService(b, s)
	for i := range 500 {
		_, err := svc.Do(b.Context(), roomkit.By(boss), roomkit.CreateRoom{
			People: []roomkit.UserID{user(3 + i%9), user(12 + i%11)}, Audience: roomkit.AudienceMembers, AllowDuplicate: true,
		})
		require.NoError(b, err)
	}
	mustExec(b, s.Writer, handTables)
	people := []roomkit.UserID{boss, user(1), user(2)}
	q := store.RoomQuery{Participants: people, Exact: true}
	args := func() []any {
		digest := roomkit.DigestOf(people...)
		return []any{digest[:], string(people[0]), string(people[1]), string(people[2])}
	}
	const where = ` WHERE r.digest = ?1 AND r.state = 'active' AND r.participants = 3`
	const all = ` AND EXISTS (SELECT 1 FROM h_people m WHERE m.room = r.id AND m.user = ?2 AND m.participant)
		AND EXISTS (SELECT 1 FROM h_people m WHERE m.room = r.id AND m.user = ?3 AND m.participant)
		AND EXISTS (SELECT 1 FROM h_people m WHERE m.room = r.id AND m.user = ?4 AND m.participant)`
	b.Run("list", func(b *testing.B) { compareShared(b, s, q, 1, handShared+`h_list r`+where+all, args) })
	b.Run("same-columns", func(b *testing.B) {
		scan := func(e *handWholeRoom, rows *sql.Rows) error { return rows.Scan(e.fields()...) }
		compareSharedAs(b, s, q, 1, `SELECT `+handWhole+` FROM roomkit_rooms r`+where+all, scan, args)
	})
}

// manyShared stores n rooms of two people, in every twentieth of which there is a
// third.
func manyShared(b *testing.B, s *sqliteopen.Store, n int) {
	b.Helper()
	populate(b, s, 1)
	const numbers = `WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ?1) `
	mustExec(b, s.Writer, numbers+`INSERT INTO roomkit_rooms SELECT unhex(printf('%032x', i)), version, kind, state, company, public, name_key, digest, 2 + (i % 20 = 0),
		masters, partners, consumers, bots, changed_at, created_at, name, photo, description, origin, creator, team, party_a, party_b, history_sharing,
		notify, features_withheld, had_consumers, features, message_off_since, emptied_at, emptied_on FROM n, (SELECT * FROM roomkit_rooms LIMIT 1)`, n)
	for i, every := range []int{1, 1, 20} {
		mustExec(b, s.Writer, numbers+`INSERT INTO roomkit_members SELECT unhex(printf('%032x', i)), ?2, company, kind, 1, 0, 0, 1, joined, joined_at, joined_version,
			epoch_user, epoch_company, 0, 0, NULL, NULL, 0, NULL FROM n, (SELECT * FROM roomkit_members LIMIT 1) WHERE i % ?3 = 0`, n, string(user(10+i)), every)
	}
	mustExec(b, s.Writer, handTables)
}

// The first 50 rooms that hold all of some people, and others. The one who writes
// by hand is told for nothing who has the fewest rooms, and looks through these in
// order of their ids. The library leaps from one's next room to another's:
//
//	SEARCH m USING COVERING INDEX roomkit_members_user (user=? AND room>?), for each person and leap
//	SEARCH r USING PRIMARY KEY (id=?), for each room that all are in
//	SEARCH b USING PRIMARY KEY (room=? AND user=?), for each person in it
//
// So the cost grows with the rooms of whoever has the fewest, up to a page, and with
// the number of people asked for; not with the rooms of the others, the people in a
// room or the rooms there are.
func BenchmarkShared(b *testing.B) {
	const join = `h_people a CROSS JOIN h_list r ON r.id = a.room CROSS JOIN h_people m ON m.room = a.room AND m.user = ?2 AND m.participant`
	const where = ` WHERE a.user = ?1 AND (a.participant OR a.master) AND a.participant AND r.state = 'active' ORDER BY a.room LIMIT 50`
	for _, n := range []int{1000, 20_000} {
		s := open(b, newPath(b))
		manyShared(b, s, n)
		one, two, three := string(user(10)), string(user(11)), string(user(12))
		b.Run(fmt.Sprintf("all-%d", n), func(b *testing.B) {
			q := store.RoomQuery{Participants: []roomkit.UserID{user(10), user(11)}, Limit: 50}
			compareShared(b, s, q, 50, handShared+join+where, func() []any { return []any{one, two} })
		})
		b.Run(fmt.Sprintf("every-20th-of-%d", n), func(b *testing.B) {
			q := store.RoomQuery{Participants: []roomkit.UserID{user(10), user(11), user(12)}, Limit: 50}
			compareShared(b, s, q, 50, handShared+join+` CROSS JOIN h_people o ON o.room = a.room AND o.user = ?3 AND o.participant`+where,
				func() []any { return []any{three, one, two} })
		})
	}
}
