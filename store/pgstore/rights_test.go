package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/retention"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/pgstore"
	"github.com/go-roomkit/roomkit/store/verify"
)

// newRole gives a role without rights, and a pool whose connections have it.
func (w *world) newRole(t *testing.T) (name string, pool *pgxpool.Pool) {
	t.Helper()
	name = fmt.Sprintf("r%d_%d", os.Getpid(), schemas.Add(1))
	mustExec(t, w.pool, `CREATE ROLE `+name)
	t.Cleanup(func() {
		_, err := w.pool.Exec(context.Background(), `DROP OWNED BY `+name+`; DROP ROLE `+name, pgx.QueryExecModeSimpleProtocol)
		require.NoError(t, err)
	})
	config := w.pool.Config()
	config.ConnConfig.RuntimeParams["role"] = name
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return name, pool
}

// busy does what needs every right, and gives the errors.
type busy struct {
	store *pgstore.Store
	pool  *pgxpool.Pool
	n     int
}

func (b *busy) everything(t *testing.T) error {
	ctx := t.Context()
	svc, err := service.New(b.store, nil)
	require.NoError(t, err)
	b.n++
	number := fmt.Sprint("z", b.n)
	company, team, user := roomkit.CompanyID(number), roomkit.TeamID(number), roomkit.UserID(number)
	all := roomkit.ExternalAll
	errs := []error{verify.Run(ctx, b.store, nil)}
	for _, cmd := range []roomkit.Command{
		roomkit.AddCompany{Company: roomkit.Company{ID: company, Licensed: true, MembersCreateGroups: true}},
		roomkit.SetCompanyMessaging{Company: company, With: roomkit.OutsiderPartner, Mode: &all},
		roomkit.AddUser{User: roomkit.User{ID: user, Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}},
		roomkit.SuspendUser{User: user},
		roomkit.SyncTeam{Team: team, Company: "acme", Name: number, Members: []roomkit.UserID{"u1", user}, Seq: 1},
		roomkit.SyncTeam{Team: team, Company: "acme", Name: number, Members: []roomkit.UserID{"u1"}, Seq: 2},
	} {
		_, err := svc.Do(ctx, roomkit.System(), cmd)
		errs = append(errs, err)
	}
	room, err := groupsOf(ctx, svc, "Direct "+number)
	errs = append(errs, err, pgx.BeginFunc(ctx, b.pool, func(tx pgx.Tx) error {
		in := svc.On(b.store.InTx(tx))
		_, err := groupsOf(ctx, in, "Inside "+number)
		return errors.Join(err, in.Require(ctx, "u1", roomkit.ActionPost, room))
	}), b.follow(ctx, number))
	return errors.Join(errs...)
}

// groupsOf makes a group, changes it and ends another one.
func groupsOf(ctx context.Context, svc *service.Service, name string) (kept roomkit.RoomID, err error) {
	var errs []error
	do := func(cmd roomkit.Command) roomkit.RoomID {
		r, err := svc.Do(ctx, roomkit.By("u1"), cmd)
		errs = append(errs, err)
		return r.Room
	}
	kept = do(roomkit.CreateGroup{Name: name})
	ended := do(roomkit.CreateGroup{Name: name + ", ended"})
	if err := errors.Join(errs...); err != nil {
		return kept, err
	}
	do(roomkit.Invite{Room: kept, People: []roomkit.UserID{"u2"}})
	do(roomkit.Remove{Room: kept, People: []roomkit.UserID{"u2"}})
	do(renamed(kept, name+", renamed"))
	do(roomkit.DeleteRoom{Room: ended})
	return kept, errors.Join(errs...)
}

// follow moves a checkpoint twice.
func (b *busy) follow(ctx context.Context, name string) error {
	page, err := b.store.Feed(ctx, "", 2)
	id := roomkit.CommandID{9, byte(b.n)}
	errs, was := []error{err}, roomkit.Cursor("")
	for _, r := range page {
		id[2]++
		results, err := b.store.Commit(ctx, []store.Change{{Command: id, Checkpoint: &store.Checkpoint{Name: name, Was: was, Now: r.Cursor}}})
		errs, was = append(errs, err), r.Cursor
		if err == nil {
			errs = append(errs, results[0].Err)
		}
	}
	return errors.Join(errs...)
}

func forbidden(err error) bool {
	var e *pgconn.PgError
	return errors.Is(err, pgstore.ErrForbidden) || errors.As(err, &e) && e.Code == "42501"
}

// lacking gives the statements that New says are missing.
func lacking(t *testing.T, pool *pgxpool.Pool, o *pgstore.Options) []string {
	t.Helper()
	_, err := pgstore.New(t.Context(), pool, o)
	if err == nil {
		return nil
	}
	require.ErrorIs(t, err, pgstore.ErrForbidden)
	_, grants, ok := strings.Cut(err.Error(), ": GRANT ")
	require.True(t, ok, err.Error())
	return strings.Split("GRANT "+grants, "; ")
}

// New says which rights are missing that commands and questions need, and demands no other: with
// these everything works, and without each of them something does not.
func TestRights(t *testing.T) {
	w := newWorld(t)
	name, pool := w.newRole(t)
	for _, grant := range lacking(t, pool, w.o) {
		mustExec(t, w.pool, grant)
	}
	b := &busy{store: openStore(t, pool, w.o), pool: pool}
	require.True(t, forbidden(b.everything(t)), "it may only read")
	require.NoError(t, verify.Run(t.Context(), b.store, nil))
	mustExec(t, w.pool, w.within(`GRANT INSERT ON %[1]s.roomkit_rooms TO `+name))
	all := lacking(t, pool, w.o)
	require.NotEmpty(t, all)
	for _, grant := range all {
		mustExec(t, w.pool, grant)
	}
	require.Empty(t, lacking(t, pool, w.o))
	require.NoError(t, b.everything(t))

	var n int
	for object, rights := range pgstore.Rights() {
		object = w.within("%[1]s." + object)
		if slices.Contains(rights, "USAGE") {
			object = "SEQUENCE " + object
		}
		for _, right := range rights {
			if n++; n%scale(4, 1) > 0 {
				continue // the order is another one each time
			}
			grant := fmt.Sprintf("GRANT %s ON %s TO %s", right, object, name)
			mustExec(t, w.pool, fmt.Sprintf("REVOKE %s ON %s FROM %s", right, object, name))
			require.Equal(t, []string{grant}, lacking(t, pool, w.o))
			require.True(t, forbidden(b.everything(t)), "%s is not needed", grant)
			mustExec(t, w.pool, grant)
		}
	}
	mustExec(t, w.pool, w.within(`REVOKE USAGE ON SCHEMA %[1]s FROM `+name))
	require.Equal(t, []string{w.within(`GRANT USAGE ON SCHEMA %[1]s TO ` + name)}, lacking(t, pool, w.o))
	require.NoError(t, verify.Run(t.Context(), w.store, nil))
}

// All tables and sequences have their rights, but the one that belongs to a column.
func TestRightsOfAllTables(t *testing.T) {
	w := newWorld(t)
	require.Equal(t, linesOf(t, w.pool, `SELECT relname FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind IN ('r', 'S')
		AND relname <> 'roomkit_pending_number_seq' ORDER BY relname COLLATE "C"`, w.o.Schema), slices.Sorted(maps.Keys(pgstore.Rights())))
}

// What README.md says to grant is enough for everything, also where search_path leads to the tables.
func TestGrantsOfReadme(t *testing.T) {
	w := newWorld(t)
	name, pool := w.newRole(t)
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, grants, ok := strings.Cut(string(text), "```sql\nGRANT USAGE")
	require.True(t, ok)
	grants, _, _ = strings.Cut("GRANT USAGE"+grants, "```")
	for line := range strings.Lines(grants) {
		mustExec(t, w.pool, strings.NewReplacer("SCHEMA rooms", "SCHEMA "+w.o.Schema, "service", name).Replace(line))
	}
	config := pool.Config()
	config.ConnConfig.RuntimeParams["search_path"] = w.o.Schema
	led, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(led.Close)
	b := &busy{store: openStore(t, led, nil), pool: led}
	require.NoError(t, b.everything(t))
	done, err := retention.Prune(t.Context(), b.store, retention.PruneOptions{Before: time.Now(), EventsBefore: time.Now(), Ignore: []string{"z1", "roomkit.enforce"}})
	require.NoError(t, err)
	require.Positive(t, done.Events)
	mustExec(t, w.pool, w.within(`REVOKE SELECT ON ALL TABLES IN SCHEMA %[1]s FROM `+name))
	require.Len(t, lacking(t, led, nil), len(pgstore.Rights())-2)
}
