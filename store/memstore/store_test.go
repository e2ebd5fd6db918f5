package memstore

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// What a suite for all stores cannot ask, because others may refuse it or
// because it is not to be seen from outside.

const (
	acme = roomkit.CompanyID("acme")
	beta = roomkit.CompanyID("beta")
	ann  = roomkit.UserID("ann")
)

func begin(id byte, company roomkit.CompanyID, was roomkit.Version) store.Change {
	room := roomkit.RoomID{id}
	of := roomkit.RoomSubject(room)
	return store.Change{
		Command: roomkit.CommandID{id, byte(was), company[0]},
		Expect:  []store.Expect{{Subject: of, Version: was}},
		Rooms: []roomkit.Room{{
			ID: room, Version: was + 1, Company: company, Kind: roomkit.KindGroup, State: roomkit.StateActive, Public: true,
		}},
		Members: []roomkit.Member{{Room: room, User: ann, Participant: true}},
		Records: []store.Record{{Subject: of, Version: was + 1}},
	}
}

func commit(t *testing.T, s *Store, c store.Change) error {
	t.Helper()
	results, err := s.Commit(context.Background(), []store.Change{c})
	require.NoError(t, err)
	require.Len(t, results, 1)
	return results[0].Err
}

func TestRefusedChangesLeaveNoRows(t *testing.T) {
	subjects := []roomkit.Subject{
		roomkit.RoomSubject(roomkit.RoomID{9}), roomkit.UserSubject(ann),
		roomkit.CompanySubject(acme), roomkit.TeamSubject(acme, "core"),
	}
	tests := []struct {
		name  string
		spoil func(*store.Change)
		want  error
	}{
		{"conflict", func(c *store.Change) { c.Expect[0].Version = 7; c.Records[0].Version = 8; c.Rooms[0].Version = 8 }, roomkit.ErrConflict},
		{"malformed", func(c *store.Change) { c.Records[0].Version = 5 }, roomkit.ErrInvalid},
		{"malformed subject", func(c *store.Change) { c.Expect = append(c.Expect, store.Expect{}) }, roomkit.ErrInvalid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := New()
			c := begin(1, acme, 0)
			for _, of := range subjects {
				c.Expect = append(c.Expect, store.Expect{Subject: of})
			}
			tt.spoil(&c)
			require.ErrorIs(t, commit(t, s, c), tt.want)
			require.Empty(t, s.rooms)
			require.Empty(t, s.users)
			require.Empty(t, s.companies)
			require.Empty(t, s.teams)
		})
	}
}

func TestRowsMayNameWhatIsNotYetThere(t *testing.T) {
	s := New()
	require.NoError(t, commit(t, s, begin(1, acme, 0)))
	need := []store.Need{{Room: roomkit.RoomID{1}, People: []roomkit.UserID{ann}, Companies: []roomkit.CompanyID{acme}}}
	facts, err := s.Load(context.Background(), need)
	require.NoError(t, err)
	require.Len(t, facts[0].Members, 1)
	require.Empty(t, facts[0].Users)
	require.Empty(t, facts[0].Companies)

	require.NoError(t, commit(t, s, store.Change{
		Command:   roomkit.CommandID{1},
		Expect:    []store.Expect{{Subject: roomkit.UserSubject(ann)}, {Subject: roomkit.CompanySubject(acme)}},
		Users:     []roomkit.User{{ID: ann, Version: 1, Company: acme}},
		Companies: []roomkit.Company{{ID: acme, Version: 1}},
		Records: []store.Record{
			{Subject: roomkit.UserSubject(ann), Version: 1}, {Subject: roomkit.CompanySubject(acme), Version: 1},
		},
	}))
	facts, err = s.Load(context.Background(), need)
	require.NoError(t, err)
	require.Len(t, facts[0].Members, 1)
	require.Len(t, facts[0].Users, 1)
	require.Len(t, facts[0].Companies, 1)
}

// A room with a derived id can begin anew for another company.
func TestRoomChangesCompany(t *testing.T) {
	s := New()
	require.NoError(t, commit(t, s, begin(1, acme, 0)))
	require.NoError(t, commit(t, s, begin(2, acme, 0)))
	end := begin(1, acme, 1)
	end.Rooms[0].State, end.Members = roomkit.StateEnded, nil
	end.Ended = []store.RoomEnd{{Room: roomkit.RoomID{1}, Kind: roomkit.KindGroup}}
	require.NoError(t, commit(t, s, end))
	require.NoError(t, commit(t, s, begin(1, beta, 2)))
	require.NoError(t, commit(t, s, begin(2, beta, 1)))
	for _, public := range []bool{false, true} {
		rooms, err := s.Rooms(context.Background(), store.RoomQuery{Company: acme, Public: public})
		require.NoError(t, err)
		require.Empty(t, rooms)
		rooms, err = s.Rooms(context.Background(), store.RoomQuery{Company: beta, Public: public})
		require.NoError(t, err)
		require.Len(t, rooms, 2)
	}
}

// A reader is woken once however often something was stored, and costs nothing
// more once its context has ended.
func TestWakeUpsAreOne(t *testing.T) {
	s := New()
	ctx, cancel := context.WithCancel(context.Background())
	ch, err := s.Wake(ctx)
	require.NoError(t, err)
	for id := range byte(3) {
		require.NoError(t, commit(t, s, begin(id+1, acme, 0)))
	}
	require.Len(t, ch, 1)
	<-ch
	require.ErrorIs(t, commit(t, s, begin(1, beta, 0)), roomkit.ErrConflict)
	require.NoError(t, commit(t, s, begin(1, acme, 0)), "a repeat")
	require.Empty(t, ch)
	cancel()
	_, open := <-ch
	require.False(t, open)
	require.Zero(t, s.bell.Waiting())
	_, err = s.Wake(ctx)
	require.ErrorIs(t, err, context.Canceled)
}

func TestAllocations(t *testing.T) {
	s := New()
	require.NoError(t, commit(t, s, begin(1, acme, 0)))
	needs := []store.Need{{Room: roomkit.RoomID{1}, People: []roomkit.UserID{ann, "nobody"}}}
	loads := testing.AllocsPerRun(100, func() {
		if facts, err := s.Load(context.Background(), needs); err != nil || len(facts[0].Members) != 1 {
			t.Error("no facts", err)
		}
	})
	require.LessOrEqual(t, loads, 1.0, "the facts and their rows are one block")
	changes := []store.Change{begin(1, acme, 1)}
	commits := testing.AllocsPerRun(100, func() {
		if r, err := s.Commit(context.Background(), changes); err != nil || r[0].Err != nil {
			t.Error(err, r[0].Err)
		}
		c := &changes[0]
		c.Expect[0].Version, c.Rooms[0].Version, c.Records[0].Version = c.Expect[0].Version+1, c.Rooms[0].Version+1, c.Records[0].Version+1
		c.Command[1]++
	})
	require.LessOrEqual(t, commits, 3.0, "results, cursor and now and then a list that grows")
}
