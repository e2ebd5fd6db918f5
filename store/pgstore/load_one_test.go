package pgstore

import (
	"context"
	"os"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// What one statement finds of one person in one room is what others find.
func TestLoadOne(t *testing.T) {
	pool, err := pgxpool.New(t.Context(), os.Getenv("ROOMKIT_POSTGRES_URL"))
	require.NoError(t, err)
	defer pool.Close()
	o := &Options{Prefix: "one_", Schema: "load_one"}
	require.NoError(t, Migrate(t.Context(), pool, o))
	defer func() {
		_, err := pool.Exec(context.WithoutCancel(t.Context()), "DROP SCHEMA load_one CASCADE")
		require.NoError(t, err)
	}()
	s, err := New(t.Context(), pool, o)
	require.NoError(t, err)
	rooms := stockRooms(t, s)
	fresh, err := uuid.NewV7()
	require.NoError(t, err)
	alone := 0
	for _, room := range append(rooms, roomkit.RoomID(fresh)) {
		for _, user := range []roomkit.UserID{"a", "b", "c", "other", "free", "nobody"} {
			n := store.Need{Room: room, People: []roomkit.UserID{user}}
			got, err := s.Load(t.Context(), []store.Need{n})
			require.NoError(t, err)
			want, err := s.Load(t.Context(), []store.Need{n, n})
			require.NoError(t, err)
			require.Equal(t, want[0], got[0], "%s in %s", user, room)
			if !isOfOne([]store.Need{n}) {
				continue
			}
			one, ok, err := s.loadOne(t.Context(), &n)
			require.NoError(t, err)
			require.True(t, ok)
			require.Equal(t, want[0], one)
			alone++
		}
	}
	require.Equal(t, 18, alone, "of rooms with ids that time gives")
	for _, room := range rooms[2:] {
		_, ok, err := s.loadOne(t.Context(), &store.Need{Room: room, People: []roomkit.UserID{"a"}})
		require.NoError(t, err)
		require.False(t, ok, "it brings more than one")
	}
}

// stockRooms makes rooms of several kinds: two that have nobody but those who take part, and
// two that bring others.
func stockRooms(t *testing.T, s *Store) (rooms []roomkit.RoomID) {
	t.Helper()
	svc, err := service.New(s, nil)
	require.NoError(t, err)
	do := func(actor roomkit.Actor, cmd roomkit.Command) {
		r, err := svc.Do(t.Context(), actor, cmd)
		require.NoError(t, err)
		if !r.Room.IsZero() {
			rooms = append(rooms, r.Room)
		}
	}
	for _, c := range []roomkit.CompanyID{"acme", "others"} {
		do(roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{ID: c, Licensed: true, MembersCreateGroups: true, Partners: roomkit.ExternalAll}})
	}
	for id, company := range map[roomkit.UserID]roomkit.CompanyID{"a": "acme", "b": "acme", "c": "acme", "other": "others"} {
		do(roomkit.System(), roomkit.AddUser{User: roomkit.User{ID: id, Company: company, Kind: roomkit.UserMember, Status: roomkit.StatusActive, Partners: true}})
	}
	do(roomkit.System(), roomkit.AddUser{User: roomkit.User{ID: "free", Kind: roomkit.UserConsumer, Status: roomkit.StatusActive}})
	do(roomkit.By("a"), roomkit.CreateGroup{Name: "Group"})
	do(roomkit.By("a"), roomkit.CreateExternalGroup{Name: "External", Members: []roomkit.UserID{"b"}})
	do(roomkit.By("a"), roomkit.OpenDirect{With: "b"})
	return rooms
}
