package service_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
)

func TestDoIdempotentByKey(t *testing.T) {
	svc := proof.Service(t, nil)
	room := proof.General(t, svc, "ann", "ben", "cat")
	invite := roomkit.Invite{Room: room, People: people("dan")}
	first := proof.Do(t, svc, roomkit.By("ann"), invite, service.Call{Key: "k1"})
	require.True(t, first.Changed)
	require.False(t, first.Repeat)
	proof.Do(t, svc, roomkit.By("dan"), roomkit.Leave{Room: room})

	again := proof.Do(t, svc, roomkit.By("ann"), invite, service.Call{Key: "k1"})
	require.True(t, again.Repeat)
	first.Repeat = true
	require.Equal(t, first, again, "a repeat returns the first outcome")
	require.Equal(t, people("ann", "ben", "cat"), proof.Participants(t, svc, "ann", room), "and changes nothing")

	_, err := svc.Do(ctx, roomkit.By("ann"), roomkit.Invite{Room: room, People: people("adm")}, service.Call{Key: "k1"})
	require.ErrorIs(t, err, roomkit.ErrCommandReused)
	other := proof.Do(t, svc, roomkit.By("ben"), invite, service.Call{Key: "k1"})
	require.True(t, other.Changed, "keys belong to their actor")
}

func TestDoNoOpIsRememberedByKey(t *testing.T) {
	svc := proof.Service(t, nil)
	room := proof.General(t, svc, "ann", "ben", "cat")
	invite := roomkit.Invite{Room: room, People: people("ben")}
	require.False(t, proof.Do(t, svc, roomkit.By("ann"), invite, service.Call{Key: "k"}).Changed)
	proof.Do(t, svc, roomkit.By("ben"), roomkit.Leave{Room: room})
	again := proof.Do(t, svc, roomkit.By("ann"), invite, service.Call{Key: "k"})
	require.True(t, again.Repeat)
	require.False(t, again.Changed, "nothing to do is an outcome, too")
	require.Equal(t, people("ann", "cat"), proof.Participants(t, svc, "ann", room))
}

func TestDoOffersDoNotUseTheKey(t *testing.T) {
	svc := proof.Service(t, nil)
	room := proof.General(t, svc, "ann", "ben", "cat")
	cmd := roomkit.CreateRoom{People: people("ben", "cat"), Audience: roomkit.AudienceMembers}
	for range 2 {
		require.Len(t, proof.Do(t, svc, roomkit.By("ann"), cmd, service.Call{Key: "k"}).Offers, 1)
	}
	cmd.Use = room
	require.Equal(t, room, proof.Do(t, svc, roomkit.By("ann"), cmd, service.Call{Key: "k"}).Room)
}

func TestDoIfVersion(t *testing.T) {
	svc := proof.Service(t, nil)
	room := proof.General(t, svc, "ann", "ben", "cat")
	at, err := svc.Room(ctx, "ann", room)
	require.NoError(t, err)
	proof.Do(t, svc, roomkit.By("ann"), roomkit.Invite{Room: room, People: people("dan")}, service.Call{IfVersion: at.Version})
	_, err = svc.Do(ctx, roomkit.By("ann"), roomkit.Remove{Room: room, People: people("dan")}, service.Call{IfVersion: at.Version})
	require.ErrorIs(t, err, roomkit.ErrConflict)
	require.Contains(t, proof.Participants(t, svc, "ann", room), roomkit.UserID("dan"))
}

func TestDoManyCallersOneRoom(t *testing.T) {
	const callers, each = 16, 25
	conflicts := 0
	svc := proof.Service(t, &service.Options{
		Policy:   roomkit.Policy{AnyoneIsContact: true},
		Observer: service.Observer{Group: func(g service.GroupReport) { conflicts += g.Conflicts }},
	})
	room := proof.General(t, svc, "ann", "ben", "cat")
	ids := proof.Crowd(t, svc, "u", callers*each)
	var wait sync.WaitGroup
	for i := range callers {
		wait.Go(func() {
			for j := range each {
				_, err := svc.Do(ctx, roomkit.By("ann"), roomkit.Invite{Room: room, People: ids[i*each+j : i*each+j+1]})
				assert.NoError(t, err)
			}
		})
	}
	wait.Wait()
	got, err := svc.Room(ctx, "ann", room)
	require.NoError(t, err)
	require.EqualValues(t, 3+callers*each, got.Participants)
	require.EqualValues(t, 2+callers*each, got.Version)
	require.Zero(t, conflicts, "callers of one service see no conflict")
	require.Len(t, proof.Participants(t, svc, "ann", room), 3+callers*each)
}
