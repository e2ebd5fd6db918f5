package service_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
)

// TestIDsHoldTheTime: the id of a room is a UUIDv7, which begins with the time on the
// service's clock, so that rooms are stored in the order in which they were opened.
func TestIDsHoldTheTime(t *testing.T) {
	clock := proof.NewClock()
	svc := proof.Service(t, &service.Options{Clock: clock.Now})
	for range 2 {
		clock.Add(50 * 24 * time.Hour) // more milliseconds than 32 bits hold
		id := uuid.UUID(proof.General(t, svc, "ann", "ben", "cat"))
		require.Equal(t, uuid.Version(7), id.Version())
		require.Equal(t, uuid.RFC4122, id.Variant())
		sec, nsec := id.Time().UnixTime()
		require.Equal(t, clock.Now().Truncate(time.Millisecond), time.Unix(sec, nsec).UTC())
	}
}

// TestObserverLearnsHowLongACommandTook, from its start to its end on the service's clock.
func TestObserverLearnsHowLongACommandTook(t *testing.T) {
	clock := proof.NewClock()
	var seen []service.CommandReport
	svc := proof.Service(t, &service.Options{
		Clock: clock.Now,
		Veto: func(roomkit.Actor, roomkit.Command, service.Result) error {
			clock.Add(3 * time.Second)
			return nil
		},
		Observer: service.Observer{Command: func(_ context.Context, r service.CommandReport) { seen = append(seen, r) }},
	})
	proof.General(t, svc, "ann", "ben", "cat")
	require.Equal(t, 3*time.Second, seen[len(seen)-1].Took)
}
