package sqlitestore_test

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/sqlitestore"
	"github.com/go-roomkit/roomkit/store/sqlitestore/sqliteopen"
)

// Who writes: a guest of beta in an external group, and where one leaves, which guests
// cannot, a colleague in a room of acme.
const (
	guest     = roomkit.UserID("guest")
	colleague = roomkit.UserID("user-001")
)

// order is a command and who gives it.
type order struct {
	by  roomkit.Actor
	cmd roomkit.Command
}

// losses are the ways of losing the right to write in a room, and how it comes back.
var losses = []struct {
	name string
	lose func(room roomkit.RoomID) order
	back func(room roomkit.RoomID) []order
}{
	{"removed", func(room roomkit.RoomID) order {
		return order{roomkit.By(boss), roomkit.Remove{Room: room, People: []roomkit.UserID{guest}}}
	}, invited},
	{"left", func(room roomkit.RoomID) order { return order{roomkit.By(colleague), roomkit.Leave{Room: room}} }, func(room roomkit.RoomID) []order {
		return []order{{roomkit.By(boss), roomkit.Invite{Room: room, People: []roomkit.UserID{colleague}}}}
	}},
	{"suspended", system(roomkit.SuspendUser{User: guest}), after(roomkit.SuspendUser{User: guest, Lift: true})},
	{"account deleted", system(roomkit.DeleteUser{User: guest}), func(room roomkit.RoomID) []order {
		allow := roomkit.SetUserMessaging{User: guest, With: roomkit.OutsiderPartner, Allow: new(true)}
		return append([]order{{roomkit.System(), roomkit.RestoreUser{User: guest}}, {roomkit.System(), allow}}, invited(room)...)
	}},
	{"own permission withdrawn", system(roomkit.SetUserMessaging{User: guest, With: roomkit.OutsiderPartner, Allow: new(false)}),
		func(room roomkit.RoomID) []order {
			return append(after(roomkit.SetUserMessaging{User: guest, With: roomkit.OutsiderPartner, Allow: new(true)})(room), invited(room)...)
		}},
	{"messaging of the guest's company off", system(roomkit.SetCompanyMessaging{Company: "beta", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalOff)}),
		func(room roomkit.RoomID) []order {
			return append(after(roomkit.SetCompanyMessaging{Company: "beta", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalSelected)})(room), invited(room)...)
		}},
	{"licence of the guest's company gone", system(roomkit.EditCompany{Company: "beta", Licensed: new(false)}), after(roomkit.EditCompany{Company: "beta", Licensed: new(true)})},
	{"room deleted", func(room roomkit.RoomID) order { return order{roomkit.By(boss), roomkit.DeleteRoom{Room: room}} },
		func(roomkit.RoomID) []order { return []order{{roomkit.By(boss), guestRoom}} }},
	{"message switched off", func(room roomkit.RoomID) order {
		return order{roomkit.By(boss), roomkit.Edit{Room: room, Message: new(false)}}
	}, func(room roomkit.RoomID) []order {
		return []order{{roomkit.By(boss), roomkit.Edit{Room: room, Message: new(true)}}}
	}},
}

var guestRoom = roomkit.CreateExternalGroup{Name: "Guests", Members: []roomkit.UserID{colleague, guest}}

func invited(room roomkit.RoomID) []order {
	return []order{{roomkit.By(boss), roomkit.Invite{Room: room, People: []roomkit.UserID{guest}}}}
}

func system(cmd roomkit.Command) func(roomkit.RoomID) order {
	return func(roomkit.RoomID) order { return order{roomkit.System(), cmd} }
}

func after(cmd roomkit.Command) func(roomkit.RoomID) []order {
	return func(roomkit.RoomID) []order { return []order{{roomkit.System(), cmd}} }
}

// desk is a host with a table of messages, and somebody else with a store and connections
// of his own on the same file.
type desk struct {
	room  roomkit.RoomID
	who   roomkit.UserID
	s     *sqliteopen.Store // of the host
	svc   *service.Service
	db    *sql.DB          // of the host
	other *service.Service // of somebody else
	o     *sqliteopen.Store
}

func newDesk(t *testing.T, way int) *desk {
	t.Helper()
	path := newPath(t)
	s, o := open(t, path), open(t, path)
	populate(t, s, 0)
	other, err := service.New(o, &service.Options{Policy: roomkit.Policy{AnyoneIsContact: true}})
	require.NoError(t, err)
	d := &desk{s: s, o: o, svc: newService(t, s), other: other, db: hostHandle(t, path)}
	partners := func(of roomkit.CompanyID, mode roomkit.ExternalMode) roomkit.Command {
		return roomkit.SetCompanyMessaging{Company: of, With: roomkit.OutsiderPartner, Mode: &mode}
	}
	for _, cmd := range []roomkit.Command{
		roomkit.EditUser{User: boss, Administrator: new(true)},
		partners(acme, roomkit.ExternalAll),
		roomkit.AddCompany{Company: roomkit.Company{ID: "beta", Licensed: true}},
		partners("beta", roomkit.ExternalSelected),
		roomkit.AddUser{User: roomkit.User{ID: guest, Company: "beta", Kind: roomkit.UserMember, Status: roomkit.StatusActive}},
		roomkit.SetUserMessaging{User: guest, With: roomkit.OutsiderPartner, Allow: new(true)},
	} {
		_, err := d.other.Do(t.Context(), roomkit.System(), cmd)
		require.NoError(t, err, roomkit.CommandName(cmd))
	}
	opening := roomkit.Command(guestRoom)
	if d.who = guest; losses[way].name == "left" {
		d.who = colleague
		opening = roomkit.CreateRoom{People: []roomkit.UserID{colleague, user(2)}, Audience: roomkit.AudienceMembers}
	}
	r, err := d.other.Do(t.Context(), roomkit.By(boss), opening)
	require.NoError(t, err)
	d.room = r.Room
	mustExec(t, s.Writer, "CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, round INTEGER NOT NULL, body TEXT NOT NULL)")
	return d
}

const insertRound = "INSERT INTO messages (round, body) VALUES (?, ?)"

// post stores a message of the guest in one transaction with Require.
func (d *desk) post(ctx context.Context, round int) error {
	return sqlitestore.Retry(ctx, func(ctx context.Context) error {
		return inside(ctx, d.db, func(tx *sql.Tx) error {
			if err := d.svc.On(d.s.InTx(tx)).Require(ctx, d.who, roomkit.ActionPost, d.room); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, insertRound, round, "message")
			return err
		})
	})
}

// postChecked stores one after a Check, which nothing holds.
func (d *desk) postChecked(ctx context.Context, round int) error {
	return sqlitestore.Retry(ctx, func(ctx context.Context) error {
		if err := d.svc.Check(ctx, d.who, roomkit.ActionPost, d.room); err != nil {
			return err
		}
		return inside(ctx, d.db, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, insertRound, round, "message")
			return err
		})
	})
}

// lose takes the right away, and says so in the table, in one transaction.
func (d *desk) lose(ctx context.Context, round int, by order) error {
	return sqlitestore.Retry(ctx, func(ctx context.Context) error {
		return inside(ctx, d.o.Writer, func(tx *sql.Tx) error {
			if _, err := d.other.On(d.o.InTx(tx)).Do(ctx, by.by, by.cmd); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, insertRound, round, "loss")
			return err
		})
	})
}

func inside(ctx context.Context, db *sql.DB, do func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := do(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// race lets the guest write while the right is taken away, in so many rounds, and counts
// the messages that were stored before the loss, those refused, and those stored after it.
func (d *desk) race(t *testing.T, rounds, way int, post func(context.Context, int) error) (stored, refused, guilty int) {
	t.Helper()
	loss := &losses[way]
	for round := range rounds {
		ends := make(chan error, 2)
		begin := make(chan struct{})
		go func() {
			<-begin
			for range rand.N(200) {
				runtime.Gosched()
			}
			ends <- d.lose(t.Context(), round, loss.lose(d.room))
		}()
		close(begin)
		for range rand.N(60) {
			runtime.Gosched()
		}
		err := post(t.Context(), round)
		require.NoError(t, <-ends)
		if err != nil {
			if !errors.Is(err, roomkit.ErrDenied) && !errors.Is(err, roomkit.ErrNotFound) {
				require.NoError(t, err, "a refusal has a rule")
			}
			refused++
		}
		for _, o := range loss.back(d.room) {
			r, err := d.other.Do(t.Context(), o.by, o.cmd)
			require.NoError(t, err, roomkit.CommandName(o.cmd))
			if r.Opened {
				d.room = r.Room
			}
		}
		require.NoError(t, d.svc.Check(t.Context(), d.who, roomkit.ActionPost, d.room))
	}
	const pairs = `FROM messages m JOIN messages l ON l.round = m.round AND l.body = 'loss' WHERE m.body = 'message' AND m.id `
	stored, guilty = count(t, d.s.Readers, "SELECT count(*) "+pairs+"< l.id"), count(t, d.s.Readers, "SELECT count(*) "+pairs+"> l.id")
	require.Equal(t, rounds, stored+refused+guilty)
	return stored, refused, guilty
}

// No message is stored of somebody who has lost the right by then, however it is lost. The
// order is that of the table's ids, which both transactions take.
func TestRequireHoldsUntilCommit(t *testing.T) {
	rounds := scale(30, 10_000)
	for way := range losses {
		t.Run(losses[way].name, func(t *testing.T) {
			d := newDesk(t, way)
			stored, refused, guilty := d.race(t, rounds, way, d.post)
			t.Logf("%d rounds: %d messages stored before the loss, %d refused, %d after it", rounds, stored, refused, guilty)
			require.Zero(t, guilty, "a message was committed after its author had lost the right")
			if rounds >= 1000 {
				require.NotZero(t, stored)
				require.NotZero(t, refused)
			}
			verifyStore(t, d.s)
		})
	}
}

// With Check, the same race stores messages of people who have lost the right.
func TestCheckDoesNotHold(t *testing.T) {
	for way := range losses {
		t.Run(losses[way].name, func(t *testing.T) {
			d := newDesk(t, way)
			total, guilty := 0, 0
			for batch, most := scale(20, 1000), 1000; guilty == 0 && total < most; total += batch {
				_, err := d.s.Writer.Exec("DELETE FROM messages")
				require.NoError(t, err)
				_, _, guilty = d.race(t, batch, way, d.postChecked)
			}
			t.Logf("%d rounds: %d messages stored after the loss", total, guilty)
			require.NotZero(t, guilty, "the race finds nothing: it has to be made harder")
		})
	}
}

// Without a transaction nothing would hold, and the service says so.
func TestRequireNeedsTransaction(t *testing.T) {
	d := newDesk(t, 0)
	require.ErrorIs(t, d.svc.Require(t.Context(), d.who, roomkit.ActionPost, d.room), roomkit.ErrUnsupported)
}

// What calls in a transaction cost in statements, as README.md has it. PRAGMAs and BEGIN
// count as well.
func TestCostInTx(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	rooms := populate(t, s, 1)
	var f faults
	tx, svc := inTx(t, s, f.open(t, path))
	const many = 1000
	cost := func(call func() error) int {
		f.failAt(many)
		require.NoError(t, call())
		defer f.heal()
		return many - f.countTo
	}
	requires := func() error { return svc.Require(t.Context(), boss, roomkit.ActionPost, rooms[0]) }
	does := func() error {
		_, err := svc.Do(t.Context(), roomkit.By(boss), edit(rooms[0], "another one"))
		return err
	}
	require.Equal(t, 11, cost(requires), "the first Require")
	require.Equal(t, 7, cost(requires), "another Require")
	require.Equal(t, 12, cost(does), "a command")
	require.NoError(t, tx.Commit())
}
