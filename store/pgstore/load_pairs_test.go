package pgstore

import (
	"context"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// What is looked up one by one is what one statement finds for all; a room that brings more than
// its id tells is asked for in the other way.
func TestLoadPairs(t *testing.T) {
	pool, err := pgxpool.New(t.Context(), os.Getenv("ROOMKIT_POSTGRES_URL"))
	require.NoError(t, err)
	defer pool.Close()
	o := &Options{Prefix: "two_", Schema: "load_pairs"}
	require.NoError(t, Migrate(t.Context(), pool, o))
	defer func() {
		_, err := pool.Exec(context.WithoutCancel(t.Context()), "DROP SCHEMA load_pairs CASCADE")
		require.NoError(t, err)
	}()
	s, err := New(t.Context(), pool, o)
	require.NoError(t, err)
	rooms := stockRooms(t, s)
	group, external, direct := rooms[0], rooms[1], rooms[2]
	look := func(needs []store.Need, mixed bool) (facts []store.Facts, found bool) {
		require.NoError(t, s.onPool(t.Context(), func(conn *pgx.Conn) error {
			l := newLookup(&s.base, needs, mixed)
			err := l.trip.ofOneMoment(false).run(t.Context(), conn)
			facts, found = l.facts(needs), l.mixed
			return err
		}))
		return facts, found
	}
	need := func(room roomkit.RoomID, people ...roomkit.UserID) store.Need {
		return store.Need{Room: room, People: people}
	}
	tests := []struct {
		name  string
		needs []store.Need
	}{
		{"a room", []store.Need{need(group)}},
		{"two people", []store.Need{need(external, "a", "b")}},
		{"people of other companies and of none", []store.Need{need(external, "a", "other", "free", "nobody", "b")}},
		{"two rooms", []store.Need{need(external, "a", "b"), need(group, "a", "c")}},
		{"one room twice", []store.Need{need(external, "b"), need(external, "other"), need(group)}},
		{"people in no room", []store.Need{need(roomkit.RoomID{}, "a", "other"), need(group, "free")}},
		{"no such room", []store.Need{need(roomkit.RoomID{6: 0x70}, "a", "other")}},
		{"masters besides", []store.Need{{Room: group, People: []roomkit.UserID{"b"}, Masters: true}}},
		{"a room of two", []store.Need{need(direct, "c")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, found := look(tt.needs, false)
			want, _ := look(tt.needs, true)
			require.Equal(t, want, got)
			require.False(t, found)
		})
	}

	_, err = pool.Exec(t.Context(), `UPDATE load_pairs.two_rooms SET kind = 'direct', party_a = 'a', party_b = 'b' WHERE id = $1`, group)
	require.NoError(t, err)
	needs := []store.Need{need(group, "c"), need(external, "a")}
	want, _ := look(needs, true)
	require.Len(t, want[0].Users, 3)
	_, found := look(needs, false)
	require.True(t, found)
	got, err := s.Load(t.Context(), needs)
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.NoError(t, pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		got, err := s.InTx(tx).Load(t.Context(), needs)
		require.Equal(t, want, got)
		return err
	}))
}
