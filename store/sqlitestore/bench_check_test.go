package sqlitestore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
	"github.com/go-roomkit/roomkit/store/sqlitestore/sqliteopen"
)

// handCheckTables hold users and companies beside handTables, all in the same file and with
// the same rows, so that both ways use the same connections and the same cache.
const handCheckTables = handTables + `
CREATE TABLE h_company (id TEXT PRIMARY KEY, licensed INTEGER NOT NULL, partners TEXT NOT NULL, consumers TEXT NOT NULL, groups INTEGER NOT NULL,
	partners_off INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE h_user (id TEXT PRIMARY KEY, company TEXT, kind TEXT NOT NULL, status TEXT NOT NULL, administrator INTEGER NOT NULL,
	partners INTEGER NOT NULL, consumers INTEGER NOT NULL, partners_lost INTEGER NOT NULL, ended INTEGER NOT NULL, groups INTEGER NOT NULL) WITHOUT ROWID;
ALTER TABLE h_list ADD COLUMN message_off_since INTEGER;
INSERT INTO h_company SELECT id, licensed, partners, consumers, groups, partners_off FROM roomkit_companies;
INSERT INTO h_user SELECT id, company, kind, status, administrator, partners, consumers, partners_lost, ended, groups FROM roomkit_users;`

// handCheckQuery is the one query of a program that keeps itself to one kind of room: with
// the versions by which it knows that a membership does not count any more.
const handCheckQuery = `SELECT r.kind, r.state, r.message_off_since IS NULL, m.participant, m.master, m.epoch_user, m.epoch_company,
	u.kind, u.status, u.partners, u.partners_lost, u.ended, c.licensed, c.partners, c.partners_off, u.company IS r.company
	FROM h_list r CROSS JOIN h_people m ON m.room = r.id AND m.user = ?2 CROSS JOIN h_user u ON u.id = ?2 LEFT JOIN h_company c ON c.id = u.company
	WHERE r.id = ?1`

// handAccessQuery is the same for many rooms, and says from when on somebody may read.
func handAccessQuery(n int) string {
	marks := ""
	for i := range n {
		marks += fmt.Sprintf(",?%d", i+2)
	}
	return `SELECT r.id, r.kind, r.state, r.message_off_since IS NULL, m.participant, m.master, m.epoch_user, m.epoch_company,
		u.kind, u.status, u.partners, u.partners_lost, u.ended, c.licensed, c.partners, c.partners_off, u.company IS r.company,
		ifnull(m.joined_at, 0), m.joined_version, m.read_all
		FROM h_list r CROSS JOIN h_people m ON m.room = r.id AND m.user = ?1 CROSS JOIN h_user u ON u.id = ?1 LEFT JOIN h_company c ON c.id = u.company
		WHERE r.id IN (` + marks[1:] + `)`
}

type handRight struct {
	kind, state, userKind, status, companyMode             string
	messages, participant, master, partners, licensed, own bool
	epochUser, epochCompany, lost, ended, off              int64
	id                                                     []byte
	joinedAt, joinedVersion                                int64
	readAll                                                bool
}

func (h *handRight) into() []any {
	return []any{
		&h.kind, &h.state, &h.messages, &h.participant, &h.master, &h.epochUser, &h.epochCompany, &h.userKind, &h.status,
		&h.partners, &h.lost, &h.ended, &h.licensed, &h.companyMode, &h.off, &h.own,
	}
}

var errMayNot = errors.New("may not")

func (h *handRight) mayPost() error {
	external := h.kind == "external_group" && (h.companyMode != "all" && (h.companyMode != "selected" || !h.partners) || h.epochUser < h.lost || h.epochCompany < h.off)
	if h.state != "active" || !h.messages || !h.participant || h.status != "active" || h.epochUser < h.ended || !h.licensed || external {
		return errMayNot
	}
	return nil
}

// handChecks are the questions of a program that has a prepared statement for each.
type handChecks struct{ one, hundred *sql.Stmt }

func newHandChecks(b *testing.B, s *sqliteopen.Store) *handChecks {
	b.Helper()
	mustExec(b, s.Writer, handCheckTables)
	h := &handChecks{}
	for text, st := range map[string]**sql.Stmt{handCheckQuery: &h.one, handAccessQuery(100): &h.hundred} {
		var err error
		*st, err = s.Readers.Prepare(text)
		require.NoError(b, err)
	}
	return h
}

func (h *handChecks) check(ctx context.Context, who roomkit.UserID, room roomkit.RoomID) error {
	var r handRight
	if err := h.one.QueryRowContext(ctx, room[:], string(who)).Scan(r.into()...); err != nil {
		return err
	}
	return r.mayPost()
}

func (h *handChecks) access(ctx context.Context, who roomkit.UserID, rooms []roomkit.RoomID) error {
	args := make([]any, 0, len(rooms)+1)
	args = append(args, string(who))
	for i := range rooms {
		args = append(args, rooms[i][:])
	}
	rows, err := h.hundred.QueryContext(ctx, args...)
	list := make([]handRight, 0, len(rooms))
	return countRows(rows, err, len(rooms), func() error {
		list = append(list, handRight{})
		r := &list[len(list)-1]
		if err := rows.Scan(append(append([]any{&r.id}, r.into()...), &r.joinedAt, &r.joinedVersion, &r.readAll)...); err != nil {
			return err
		}
		return r.mayPost()
	})
}

func newCheckers(b *testing.B, n int) (*handChecks, *service.Service, []roomkit.RoomID) {
	b.Helper()
	s := open(b, newPath(b))
	rooms := populate(b, s, n)
	return newHandChecks(b, s), newService(b, s), rooms
}

// BenchmarkCheck asks whether somebody may post, one query by hand beside Check.
func BenchmarkCheck(b *testing.B) {
	hand, svc, rooms := newCheckers(b, 2000)
	for _, callers := range []int{1, 32} {
		b.Run(fmt.Sprintf("%dcallers", callers), func(b *testing.B) {
			ctx := b.Context()
			asks := func(check func(who roomkit.UserID, room roomkit.RoomID) error) func(n int) error {
				return func(n int) error {
					return sqltest.Callers(callers, n, func() error { return check(user(rand.IntN(3)), rooms[rand.IntN(len(rooms))]) })
				}
			}
			compare(b, 500, asks(func(who roomkit.UserID, room roomkit.RoomID) error { return hand.check(ctx, who, room) }),
				asks(func(who roomkit.UserID, room roomkit.RoomID) error {
					return svc.Check(ctx, who, roomkit.ActionPost, room)
				}))
		})
	}
}

// BenchmarkAccess asks for all rights in one room, and in a hundred at once.
func BenchmarkAccess(b *testing.B) {
	hand, svc, rooms := newCheckers(b, 2000)
	ctx := b.Context()
	access := func(who roomkit.UserID, rooms []roomkit.RoomID) error {
		list, err := svc.Access(ctx, who, rooms...)
		if err == nil && !list[len(list)-1].Can(roomkit.ActionPost) {
			err = errMayNot
		}
		return err
	}
	b.Run("1room", func(b *testing.B) {
		compare(b, 500, func(n int) error {
			return sqltest.Callers(1, n, func() error { return hand.check(ctx, user(rand.IntN(3)), rooms[rand.IntN(len(rooms))]) })
		}, func(n int) error {
			return sqltest.Callers(1, n, func() error {
				at := rand.IntN(len(rooms))
				return access(user(rand.IntN(3)), rooms[at:at+1])
			})
		})
	})
	b.Run("100rooms", func(b *testing.B) {
		hundred := func(ask func(who roomkit.UserID, rooms []roomkit.RoomID) error) func(n int) error {
			return func(n int) error {
				return sqltest.Callers(1, n, func() error {
					at := rand.IntN(len(rooms) - 100)
					return ask(user(rand.IntN(3)), rooms[at:at+100])
				})
			}
		}
		compare(b, 20, hundred(func(who roomkit.UserID, rooms []roomkit.RoomID) error { return hand.access(ctx, who, rooms) }), hundred(access))
	})
}

// BenchmarkMixed is a service at work: 32 callers, of whose questions and commands nine of
// ten are checks and one adds somebody.
func BenchmarkMixed(b *testing.B) {
	c := newCrowd(b, 512, 4000)
	s, _ := c.store.(*sqliteopen.Store)
	hand := newHandChecks(b, s)
	queue := make(sqltest.HandQueue, 32)
	defer close(queue)
	ctx := context.WithoutCancel(b.Context())
	go queue.Serve(func() {}, func(group []*sqltest.HandAdd) error { return c.hand.addAll(ctx, group) })
	mixed := func(check func(room roomkit.RoomID) error, add func(room roomkit.RoomID, who roomkit.UserID) error) func(n int) error {
		next := sqltest.Taker(c.rooms, c.users)
		var turn atomic.Int64
		return func(n int) error {
			return sqltest.Callers(32, n, func() error {
				if turn.Add(1)%10 == 0 {
					return add(next())
				}
				return check(c.rooms[rand.IntN(len(c.rooms))])
			})
		}
	}
	compare(b, 2000, mixed(func(room roomkit.RoomID) error { return hand.check(ctx, boss, room) }, func(room roomkit.RoomID, who roomkit.UserID) error {
		return queue.Do(&sqltest.HandAdd{Room: room, Actor: boss, Who: who})
	}), mixed(func(room roomkit.RoomID) error { return c.svc.Check(ctx, boss, roomkit.ActionPost, room) }, func(room roomkit.RoomID, who roomkit.UserID) error {
		return c.invite(ctx, room, who)
	}))
}
