package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
)

// One query by hand for what decides whether somebody may do something in rooms: the room,
// the row of the member, the user, and the companies of both.
const handMay = `SELECT r.id, r.version, r.kind, r.state, coalesce(r.company, ''), r.public, r.participants, r.partners, r.consumers, r.features,
			r.features_withheld, r.message_off_since, coalesce(r.creator, ''),
			coalesce(m.participant, false), coalesce(m.master, false), coalesce(m.read_all, false), coalesce(m.joined_version, 0),
			coalesce(m.period, 0), coalesce(m.epoch_user, 0), coalesce(m.epoch_company, 0),
			u.version, coalesce(u.company, ''), u.kind, u.status, u.administrator, u.partners, u.consumers, u.partners_lost,
			coalesce(o.licensed, false), coalesce(o.partners, ''), coalesce(o.consumers, ''), coalesce(o.partners_off, 0),
			coalesce(h.licensed, false), coalesce(h.partners, ''), coalesce(h.consumers, ''), coalesce(h.partners_off, 0)
		FROM roomkit_rooms r JOIN roomkit_users u ON u.id = $2 LEFT JOIN roomkit_members m ON m.room = r.id AND m."user" = $2
		LEFT JOIN roomkit_companies o ON o.id = r.company LEFT JOIN roomkit_companies h ON h.id = u.company WHERE r.id = `

// handRight is what a decision by hand looks at.
type handRight struct {
	room                                                               [16]byte
	version, participants, partners, consumers                         int64
	features                                                           int16
	kind, state, company, creator                                      string
	public, withheld                                                   bool
	messageOff                                                         *time.Time
	participant, master, readAll                                       bool
	joined, period, epochUser, epochCompany, userVersion, partnersLost int64
	userCompany, userKind, status                                      string
	administrator, userPartners, userConsumers, licensed, homeLicensed bool
	ownerPartners, ownerConsumers, homePartners, homeConsumers         string
	ownerOff, homeOff                                                  int64
}

func (r *handRight) fields() []any {
	return []any{
		&r.room, &r.version, &r.kind, &r.state, &r.company, &r.public, &r.participants, &r.partners, &r.consumers, &r.features, &r.withheld,
		&r.messageOff, &r.creator, &r.participant, &r.master, &r.readAll, &r.joined, &r.period, &r.epochUser, &r.epochCompany,
		&r.userVersion, &r.userCompany, &r.userKind, &r.status, &r.administrator, &r.userPartners, &r.userConsumers, &r.partnersLost,
		&r.licensed, &r.ownerPartners, &r.ownerConsumers, &r.ownerOff, &r.homeLicensed, &r.homePartners, &r.homeConsumers, &r.homeOff,
	}
}

func (r *handRight) may() bool {
	return r.state == "active" && r.participant && r.status == "active" && r.licensed && r.homeLicensed &&
		(r.userCompany == r.company || r.ownerPartners != "off" && r.epochCompany >= r.homeOff)
}

func (h *byHand) check(ctx context.Context, user roomkit.UserID, room roomkit.RoomID) error {
	var r handRight
	if err := h.readers.QueryRow(ctx, handMay+`$1`, [16]byte(room), string(user)).Scan(r.fields()...); err != nil {
		return err
	}
	if !r.may() {
		return errors.New("may not")
	}
	return nil
}

// access has a plan that is made once: the server would plan lists anew each time.
func (h *byHand) access(ctx context.Context, user roomkit.UserID, rooms [][16]byte) error {
	rows, err := h.pool.Query(ctx, handMay+`ANY($1)`, rooms, string(user))
	if err != nil {
		return err
	}
	may := make(map[[16]byte]bool, len(rooms))
	var r handRight
	_, err = pgx.ForEachRow(rows, r.fields(), func() error {
		may[r.room] = r.may()
		return nil
	})
	for _, room := range rooms {
		if err == nil && !may[room] {
			err = errors.New("may not")
		}
	}
	return err
}

func (c *crowd) check(ctx context.Context, user roomkit.UserID, room roomkit.RoomID) error {
	return c.service.Check(ctx, user, roomkit.ActionPost, room)
}

// around goes through rooms, without an end.
func around(rooms []roomkit.RoomID) func() roomkit.RoomID {
	var n atomic.Uint64
	return func() roomkit.RoomID { return rooms[n.Add(7)%uint64(len(rooms))] }
}

func BenchmarkCheck(b *testing.B) {
	c := newCrowd(b, 512, 4000)
	for _, callers := range []int{1, 32} {
		b.Run(fmt.Sprint("callers-", callers), func(b *testing.B) {
			next := around(c.rooms)
			c.compare(b, 512, sqltest.Way{Name: "hand", Do: func(n int) error {
				return sqltest.Callers(callers, n, func() error { return c.hand.check(b.Context(), "u2", next()) })
			}}, sqltest.Way{Name: "ours", Do: func(n int) error {
				return sqltest.Callers(callers, n, func() error { return c.check(b.Context(), "u2", next()) })
			}})
		})
	}
}

func BenchmarkAccess(b *testing.B) {
	c := newCrowd(b, 512, 4000)
	for _, size := range []int{1, 100} {
		b.Run(fmt.Sprint("rooms-", size), func(b *testing.B) {
			next := around(c.rooms)
			list := func() (rooms []roomkit.RoomID) {
				for range size {
					rooms = append(rooms, next())
				}
				return rooms
			}
			c.compare(b, max(1024/(size+3), 10), sqltest.Way{Name: "hand", Do: func(n int) error {
				return times(n, func() error {
					rooms := list()
					ids := make([][16]byte, len(rooms))
					for i, r := range rooms {
						ids[i] = r
					}
					return c.hand.access(b.Context(), "u2", ids)
				})
			}}, sqltest.Way{Name: "ours", Do: func(n int) error {
				return times(n, func() error {
					all, err := c.service.Access(b.Context(), "u2", list()...)
					if err == nil && slices.ContainsFunc(all, func(a roomkit.Access) bool { return !a.Can(roomkit.ActionPost) }) {
						err = errors.New("may not")
					}
					return err
				})
			}})
		})
	}
}

// Nine of ten ask and one adds somebody, at 32 callers. By hand commands are put into
// groups, as in BenchmarkAdd32Callers. A round is 2048 calls of each way, so 20x are some seconds, and
// 2000x eight million calls, which take a quarter of an hour and more.
func BenchmarkChecksAndCommands(b *testing.B) {
	c := newCrowd(b, 512, 4000)
	ctx := b.Context()
	queue := make(sqltest.HandQueue, 32)
	defer close(queue)
	serving := context.WithoutCancel(ctx)
	go queue.Serve(func() {}, func(group []*sqltest.HandAdd) error { return c.hand.addAll(serving, group) })
	next, nextHand, nextOurs := around(c.rooms), c.taker(), c.taker()
	mixed := func(check, add func() error) func(int) error {
		var calls atomic.Int64
		return func(n int) error {
			return sqltest.Callers(32, n, func() error {
				if calls.Add(1)%10 == 0 {
					return add()
				}
				return check()
			})
		}
	}
	c.compare(b, 2048, sqltest.Way{Name: "hand", Do: mixed(
		func() error { return c.hand.check(ctx, "u2", next()) },
		func() error {
			room, who := nextHand()
			return queue.Do(&sqltest.HandAdd{Room: room, Actor: c.users[0], Who: who})
		})}, sqltest.Way{Name: "ours", Do: mixed(
		func() error { return c.check(ctx, "u2", next()) },
		func() error {
			room, who := nextOurs()
			return c.invite(ctx, room, who)
		})})
}
