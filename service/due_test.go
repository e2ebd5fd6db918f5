package service_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/memstore"
)

const day = 24 * time.Hour

// TestTenYearsOfDeadlines lets a host's daily job run for ten years while masters
// switch message off and on in their groups: what is due is due on the day, and
// what comes back is full within the 30 days and empty after them (GRP-38, GRP-39).
func TestTenYearsOfDeadlines(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { tenYears(t) })
}

func tenYears(t *rapid.T) {
	now := time.Date(2026, 1, 1, 6, 0, 0, 0, time.UTC)
	svc, err := service.New(memstore.New(), &service.Options{Clock: func() time.Time { return now }})
	require.NoError(t, err)
	run := func(actor roomkit.Actor, cmd roomkit.Command) service.Result {
		res, err := svc.Do(ctx, actor, cmd)
		require.NoError(t, err)
		return res
	}
	run(roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{ID: "acme", Licensed: true, MembersCreateGroups: true}})
	run(roomkit.System(), roomkit.AddUser{User: roomkit.User{ID: "ann", Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}})
	run(roomkit.System(), roomkit.AddUser{User: roomkit.User{ID: "ben", Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}})
	read := roomkit.NewRules(roomkit.Policy{}).Allowed(roomkit.KindGroup, roomkit.StandingParticipant).Has(roomkit.ActionEnter)
	var groups [3]roomkit.RoomID
	var off, emptied [3]time.Time
	for i, name := range []string{"a", "b", "c"} {
		groups[i] = run(roomkit.By("ann"), roomkit.CreateGroup{Name: name, Members: []roomkit.UserID{"ben"}}).Room
	}
	purged := 0
	for end := now.AddDate(10, 0, 0); now.Before(end); {
		now = now.Add(time.Duration(rapid.IntRange(1, 40).Draw(t, "days"))*day + time.Duration(rapid.IntRange(-1, 1).Draw(t, "off by"))*time.Microsecond)
		want := map[roomkit.RoomID]time.Time{}
		for i := range groups {
			if !off[i].IsZero() && now.Sub(off[i]) >= 30*day {
				want[groups[i]] = off[i].Add(30 * day)
			}
		}
		for due, err := range svc.Expired(ctx, service.ExpiredList{Company: "acme", At: now}) {
			require.NoError(t, err)
			require.Equal(t, want[due.Room], due.At)
			delete(want, due.Room)
			purged++
		}
		require.Empty(t, want)
		i := rapid.IntRange(0, 2).Draw(t, "group")
		on := !off[i].IsZero()
		run(roomkit.By("ann"), roomkit.Edit{Room: groups[i], Message: &on})
		if on && now.Sub(off[i]) >= 30*day {
			emptied[i] = now
		}
		off[i] = now
		if on {
			off[i] = time.Time{}
		}
		access, err := svc.Access(ctx, "ben", groups[i])
		require.NoError(t, err)
		require.Equal(t, on && read, access[0].ReadFrom.Allowed)
		if on && read {
			require.Equal(t, emptied[i].IsZero(), access[0].ReadFrom.All)
			require.Equal(t, !emptied[i].IsZero(), access[0].EmptiedAt > 0)
		}
		if on && read && !emptied[i].IsZero() {
			require.Equal(t, emptied[i], access[0].ReadFrom.At)
		}
	}
	require.Positive(t, purged)
}

func TestDueRefusesBadInput(t *testing.T) {
	svc := proof.Service(t, nil)
	require.ErrorIs(t, proof.Refusal(t, svc.Expired(ctx, service.ExpiredList{Company: "", At: time.Unix(0, 0)})), roomkit.ErrInvalid)
}
