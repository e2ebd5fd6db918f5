package service_test

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/verify"
)

// TestEnforceALargeCompany switches a company off whose people are in many
// external groups; ROOMKIT_LONG=1 makes it 10,000 people in 5,000 groups.
func TestEnforceALargeCompany(t *testing.T) {
	people, groups := 300, 100
	if os.Getenv("ROOMKIT_LONG") != "" {
		people, groups = 10_000, 5_000
	}
	store := memstore.New()
	svc := proof.ServiceOn(t, store, nil)
	ids := proof.Crowd(t, svc, "u", people)
	var partners []roomkit.User
	for i := range 50 {
		partners = append(partners, roomkit.User{
			ID: roomkit.UserID(fmt.Sprint("p", i)), Company: "bolt", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Partners: true,
		})
	}
	proof.AddUsers(t, svc, partners...)
	const inEach = 6
	for i := range groups {
		with := []roomkit.UserID{partners[i%len(partners)].ID}
		for k := range inEach {
			with = append(with, ids[(i*inEach/2+k)%len(ids)])
		}
		proof.Do(t, svc, roomkit.By(with[1]), roomkit.CreateExternalGroup{Name: "group", Members: append(with[:1:1], with[2:]...)})
	}
	off := roomkit.SetCompanyMessaging{Company: "acme", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalOff)}
	planned, leaving := 0, 0
	for c, err := range svc.PlanConsequences(ctx, roomkit.By("adm"), off) {
		require.NoError(t, err)
		planned++
		leaving += len(c.Leaving)
		require.True(t, c.Masterless, "the creator was the only master")
		require.False(t, c.Dissolved, "the partner stays")
	}
	require.Equal(t, groups, planned)
	require.Equal(t, groups*inEach, leaving)

	proof.Do(t, svc, roomkit.By("adm"), off)
	var last service.EnforceProgress
	var heap []uint64
	start := time.Now() //nolint:forbidigo // measured, not tested
	require.NoError(t, svc.Enforce(ctx, &service.EnforceOptions{Once: true, Progress: func(p service.EnforceProgress) {
		require.Greater(t, p.Rooms, last.Rooms)
		require.Equal(t, groups, p.Total)
		if last = p; p.Rooms%640 == 0 {
			heap = append(heap, heapInUse())
		}
	}}))
	took := time.Since(start) //nolint:forbidigo // measured, not tested
	require.Equal(t, groups, last.Rooms)
	require.Equal(t, groups, last.Changed)
	require.NoError(t, verify.Run(ctx, store, nil))
	t.Logf("%d people out of %d groups in %v, %.0f groups/s; heap on the way %v MiB",
		leaving, groups, took.Round(time.Millisecond), float64(groups)/took.Seconds(), heap)
	if len(heap) > 1 {
		require.Less(t, slices.Max(heap), 2*heap[0]+64)
	}
}

func heapInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse >> 20
}

// TestEnforceARoomOfManyPeople: more people have to leave a room than one command
// names, and what is planned is what happens.
func TestEnforceARoomOfManyPeople(t *testing.T) {
	svc := proof.Service(t, nil)
	ids := proof.Crowd(t, svc, "u", roomkit.MaxPeople)
	create := roomkit.CreateExternalGroup{Name: "all", Members: append(people("eve"), ids[1:]...)}
	room := proof.Do(t, svc, roomkit.By("ann"), create, service.Call{Contacts: people("eve")}).Room
	proof.Do(t, svc, roomkit.By("ann"), roomkit.AppointMasters{Room: room, People: append(people("ben"), ids[0])})
	off := roomkit.SetCompanyMessaging{Company: "acme", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalOff)}
	planned := map[roomkit.UserID]bool{}
	for c, err := range svc.PlanConsequences(ctx, roomkit.By("adm"), off) {
		require.NoError(t, err)
		for _, id := range slices.Concat(c.Leaving, c.Masters) {
			planned[id] = true
		}
	}
	require.Len(t, planned, roomkit.MaxPeople+2, "two of them are Group Masters who do not take part")
	proof.Do(t, svc, roomkit.By("adm"), off)
	var last service.EnforceProgress
	require.NoError(t, svc.Enforce(ctx, &service.EnforceOptions{Once: true, Progress: func(p service.EnforceProgress) { last = p }}))
	require.Equal(t, 1, last.Changed)
	require.Equal(t, people("eve"), proof.Participants(t, svc, "eve", room))
	after, err := svc.Room(ctx, "eve", room)
	require.NoError(t, err)
	require.Zero(t, after.Masters)
}

// TestConsequencesAreNotVetoed: the veto is asked about the command, and not about what
// follows from it.
func TestConsequencesAreNotVetoed(t *testing.T) {
	s := proof.NewStage(t, func(o *service.Options) {
		o.Veto = func(_ roomkit.Actor, cmd roomkit.Command, _ service.Result) error {
			if _, ok := cmd.(roomkit.Expel); ok {
				return errors.New("nobody is expelled")
			}
			return nil
		}
	})
	rooms := 0
	for c, err := range s.PlanConsequences(ctx, roomkit.System(), roomkit.DeleteUser{User: "ben"}) {
		require.NoError(t, err)
		require.Contains(t, append(c.Leaving, c.Masters...), roomkit.UserID("ben"))
		rooms++
	}
	require.Positive(t, rooms)
}
