package pgstore_test

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

var raceRounds = flag.Int("race-rounds", 0, "how often a message and a loss meet in TestRequireRace, for each loss and handle")

// loss is a way in which u2 loses the right to post.
type loss struct {
	name  string
	again []roomkit.Command // gives the right back, in a room that lasts
	by    roomkit.Actor
	lose  func(room roomkit.RoomID) roomkit.Command
	open  func(tb testing.TB, s *service.Service, n int) roomkit.RoomID // once, or for every round without again
}

var inRoom roomkit.RoomID // stands for the room in loss.again

// losses are all ways, each with the room in which it matters.
func losses() []loss {
	system, u1, u2 := roomkit.System(), roomkit.By("u1"), roomkit.By("u2")
	people := []roomkit.UserID{"u2"}
	invite := roomkit.Invite{Room: inRoom, People: people}
	granted := roomkit.SetUserMessaging{User: "u2", With: roomkit.OutsiderPartner, Allow: new(true)}
	always := func(c roomkit.Command) func(roomkit.RoomID) roomkit.Command {
		return func(roomkit.RoomID) roomkit.Command { return c }
	}
	return []loss{
		{"removed", []roomkit.Command{invite}, u1, func(r roomkit.RoomID) roomkit.Command {
			return roomkit.Remove{Room: r, People: people}
		}, aGroup},
		{"left", []roomkit.Command{invite}, u2, func(r roomkit.RoomID) roomkit.Command { return roomkit.Leave{Room: r} }, aGeneral},
		{"suspended", []roomkit.Command{roomkit.SuspendUser{User: "u2", Lift: true}}, system, always(roomkit.SuspendUser{User: "u2"}), aGroup},
		{"account deleted", []roomkit.Command{roomkit.RestoreUser{User: "u2"}, invite}, system, always(roomkit.DeleteUser{User: "u2"}), aGroup},
		{"own permission withdrawn", []roomkit.Command{granted, invite}, system,
			always(roomkit.SetUserMessaging{User: "u2", With: roomkit.OutsiderPartner, Allow: new(false)}), anExternal},
		{"company's switch off", nil, system,
			always(roomkit.SetCompanyMessaging{Company: "acme", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalOff)}), anExternal},
		{"licence gone", []roomkit.Command{roomkit.EditCompany{Company: "acme", Licensed: new(true)}}, system,
			always(roomkit.EditCompany{Company: "acme", Licensed: new(false)}), aGroup},
		{"message switched off", []roomkit.Command{roomkit.Edit{Room: inRoom, Message: new(true)}}, u1,
			func(r roomkit.RoomID) roomkit.Command { return roomkit.Edit{Room: r, Message: new(false)} }, aGroup},
		{"team without a room", []roomkit.Command{roomkit.EditTeam{Company: "acme", Team: "t", Room: new(true)}}, system,
			always(roomkit.EditTeam{Company: "acme", Team: "t", Room: new(false)}), aTeamRoom},
		{"out of the team", []roomkit.Command{theTeam("u1", "u2")}, system, always(theTeam("u1")), aTeamRoom},
		{"room deleted", nil, u1, func(r roomkit.RoomID) roomkit.Command { return roomkit.DeleteRoom{Room: r} }, aGroup},
		{"room converted", nil, u1, func(r roomkit.RoomID) roomkit.Command {
			return roomkit.Convert{Room: r, To: roomkit.KindExternalGroup, Name: "ext " + r.String()}
		}, aGeneralToConvert},
	}
}

func aGroup(tb testing.TB, s *service.Service, n int) roomkit.RoomID {
	return team(tb, s, fmt.Sprint("group ", n))
}

func aGeneral(tb testing.TB, s *service.Service, _ int) roomkit.RoomID {
	return do(tb, s, roomkit.By("u1"), roomkit.CreateRoom{People: []roomkit.UserID{"u2", "u3", "u4"}, AllowDuplicate: true})
}

func anExternal(tb testing.TB, s *service.Service, n int) roomkit.RoomID {
	do(tb, s, roomkit.System(), roomkit.SetCompanyMessaging{Company: "acme", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalSelected)})
	for _, id := range []roomkit.UserID{"u1", "u2"} {
		do(tb, s, roomkit.System(), roomkit.SetUserMessaging{User: id, With: roomkit.OutsiderPartner, Allow: new(true)})
	}
	return do(tb, s, roomkit.By("u1"), roomkit.CreateExternalGroup{Name: fmt.Sprint("external ", n), Members: []roomkit.UserID{"u2"}})
}

// aGeneralToConvert opens a room that u2, who has no external permission, loses by a
// conversion.
func aGeneralToConvert(tb testing.TB, s *service.Service, n int) roomkit.RoomID {
	if n == 0 {
		do(tb, s, roomkit.System(), roomkit.SetCompanyMessaging{Company: "acme", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalSelected)})
		for _, id := range []roomkit.UserID{"u1", "u3"} {
			do(tb, s, roomkit.System(), roomkit.SetUserMessaging{User: id, With: roomkit.OutsiderPartner, Allow: new(true)})
		}
	}
	return aGeneral(tb, s, n)
}

func theTeam(people ...roomkit.UserID) roomkit.Command {
	return roomkit.SyncTeam{Team: "t", Company: "acme", Name: "Team", Leader: "u1", Members: people}
}

func aTeamRoom(tb testing.TB, s *service.Service, _ int) roomkit.RoomID {
	do(tb, s, roomkit.System(), theTeam("u1", "u2"))
	do(tb, s, roomkit.System(), roomkit.EditTeam{Company: "acme", Team: "t", Room: new(true)})
	return do(tb, s, roomkit.System(), roomkit.OpenTeamRoom{Company: "acme", Team: "t"})
}

// round gives the right back, or opens another room.
func (l *loss) round(tb testing.TB, s *service.Service, room roomkit.RoomID, n int) roomkit.RoomID {
	if n == 0 || l.again == nil {
		return l.open(tb, s, n)
	}
	for _, c := range l.again {
		actor := roomkit.System()
		switch of := c.(type) {
		case roomkit.Invite:
			of.Room, actor = room, roomkit.By("u1")
			c = of
		case roomkit.Edit:
			of.Room, actor = room, roomkit.By("u1")
			c = of
		}
		do(tb, s, actor, c)
	}
	return room
}

// desk is where messages are stored. Just before the commit of one it is written down up
// to where the feed is visible.
type desk struct {
	*world
	db       *sql.DB // of database/sql, or nil
	room     roomkit.RoomID
	requires bool
	stored   int
	refused  int
	late     []string // rounds in which a message was stored after the loss
}

func newDesk(tb testing.TB) *desk {
	d := &desk{world: newWorld(tb), requires: true}
	var err error
	d.service, err = service.New(d.store, &service.Options{Policy: roomkit.Policy{MaxGroupsPerUser: 1e6}}) // some losses take a group each time
	require.NoError(tb, err)
	_, err = d.pool.Exec(tb.Context(), strings.ReplaceAll(`
		CREATE TABLE s.messages (n int PRIMARY KEY, seen bigint);
		CREATE FUNCTION s.seen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			UPDATE s.messages SET seen = (SELECT max(position) FROM s.roomkit_records) WHERE n = new.n;
			RETURN NULL;
		END $$;
		CREATE CONSTRAINT TRIGGER seen AFTER INSERT ON s.messages DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION s.seen()`, "s.", d.o.Schema+"."))
	require.NoError(tb, err)
	return d
}

// The steps of a message after which the loss may begin. With lossFirst the message goes on
// when it is over; with messageFirst it begins when the message is stored.
const (
	atBegin = iota
	atAsked
	atWritten
	lossFirst
	messageFirst
	steps
)

// transact runs a transaction of the host on its handle: a store inside it, and what
// stores a message.
func (d *desk) transact(ctx context.Context, do func(inside store.Store, insert func(n int) error) error) error {
	message := `INSERT INTO ` + d.o.Schema + `.messages (n) VALUES ($1)`
	if d.db == nil {
		return pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
			return do(d.store.InTx(tx), func(n int) error {
				_, err := tx.Exec(ctx, message, n)
				return err
			})
		})
	}
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	err = do(d.store.InSQLTx(tx), func(n int) error {
		_, err := tx.ExecContext(ctx, message, n)
		return err
	})
	if err != nil {
		return err
	}
	return tx.Commit()
}

// post stores a message in a transaction and tells after which step it is.
func (d *desk) post(ctx context.Context, room roomkit.RoomID, n int, reached func(step int)) error {
	defer reached(steps) // whatever happened
	return d.transact(ctx, func(inside store.Store, insert func(n int) error) error {
		reached(atBegin)
		ask := d.service.Check
		if d.requires {
			ask = d.service.On(inside).Require
		}
		if err := ask(ctx, "u2", roomkit.ActionPost, room); err != nil {
			return err
		}
		reached(atAsked)
		defer reached(atWritten)
		return insert(n)
	})
}

// play lets a message and a loss meet, the loss beginning after one of the steps.
func (d *desk) play(t *testing.T, l *loss, room roomkit.RoomID, n int) {
	begin, over := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var lost roomkit.Cursor
	var visible bool // before the loss was over, for sure
	messages := d.o.Schema + `.messages`
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(over)
		<-begin
		r, err := d.service.Do(t.Context(), l.by, l.lose(room))
		assert.NoError(t, err, "the loss")
		lost = r.Cursor
		assert.NoError(t, d.pool.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM `+messages+` WHERE n = $1)`, n).Scan(&visible))
	})
	err := d.post(t.Context(), room, n, func(step int) {
		at := n % steps
		if step == steps || step >= at || at == lossFirst && step == atAsked {
			once.Do(func() { close(begin) })
		}
		if at == lossFirst && step == atAsked {
			<-over
		}
	})
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
	if err != nil {
		var denied *roomkit.Denied
		if !errors.As(err, &denied) && !errors.Is(err, roomkit.ErrNotFound) {
			demandState(t, "40001", err)
		}
		d.refused++
		return
	}
	d.stored++
	var seen int64
	require.NoError(t, d.pool.QueryRow(t.Context(), `SELECT seen FROM `+messages+` WHERE n = $1`, n).Scan(&seen))
	position, err := strconv.ParseInt(strings.Split(string(lost), "-")[1], 36, 64)
	require.NoError(t, err)
	if seen >= position || !visible {
		d.late = append(d.late, fmt.Sprintf("round %d, step %d", n, n%steps))
	}
}

func (d *desk) rounds(t *testing.T, l *loss, from, to int) {
	for n := from; n < to; n++ {
		d.room = l.round(t, d.service, d.room, n)
		d.play(t, l, d.room, n)
	}
}

// A message that a host stores in one transaction with Require is stored before its sender
// loses the right, or not at all, whichever way that is lost. With Check instead some come
// later, and the same look at the database finds them.
func TestRequireRace(t *testing.T) {
	n := scale(steps, 1000)
	if *raceRounds > 0 {
		n = *raceRounds
	}
	for _, l := range losses() {
		for _, handle := range []string{"pgx", "database/sql"} {
			t.Run(l.name+" "+handle, func(t *testing.T) {
				t.Parallel()
				d := newDesk(t)
				if handle != "pgx" {
					d.db = d.sqlPool(t)
				}
				d.race(t, &l, n)
			})
		}
	}
}

// race plays rounds with Require, and then some with Check.
func (d *desk) race(t *testing.T, l *loss, n int) {
	d.rounds(t, l, 0, n)
	require.Empty(t, d.late[:min(len(d.late), 5)], "of %d messages %d were stored after the loss", d.stored, len(d.late))
	require.Positive(t, d.stored, "no message was stored, so nothing was tried")
	require.Positive(t, d.refused, "no message was refused, so nothing was tried")
	t.Logf("%d rounds: %d stored, %d refused, none late", n, d.stored, d.refused)

	d.requires, d.stored, d.refused = false, 0, 0
	control := max(steps, n/10)
	d.rounds(t, l, n, n+control)
	require.NotEmpty(t, d.late, "with Check nothing was found, so this test sees nothing")
	t.Logf("with Check: %d rounds: %d stored, of them %d late, %d refused", control, d.stored, len(d.late), d.refused)
}
