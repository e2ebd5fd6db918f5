package service_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/storetest"
)

// TestOutcomeOfFailedCommit: what a caller is told when the store fails, and how
// often it was asked. Only what may have been stored is unknown.
func TestOutcomeOfFailedCommit(t *testing.T) {
	fail := func(m storetest.Method, faults ...storetest.Fault) storetest.Plan {
		return storetest.Plan{Script: map[storetest.Method][]storetest.Fault{m: faults}}
	}
	lost := fail(storetest.MethodCommit, storetest.FaultUnknown)
	lost.Script[storetest.MethodLoad] = []storetest.Fault{storetest.FaultNone, storetest.FaultBefore}
	for name, test := range map[string]struct {
		plan            storetest.Plan
		failed, unknown bool
		loads, commits  int
		stored          bool
	}{
		"no load":                   {plan: fail(storetest.MethodLoad, storetest.FaultBefore), failed: true, loads: 1},
		"not stored":                {plan: fail(storetest.MethodCommit, storetest.FaultBefore), failed: true, loads: 1, commits: 1},
		"somebody else was faster":  {plan: fail(storetest.MethodCommit, storetest.FaultConflict), loads: 2, commits: 2, stored: true},
		"stored without an answer":  {plan: fail(storetest.MethodCommit, storetest.FaultUnknown), loads: 2, commits: 1, stored: true},
		"and nobody can look it up": {plan: lost, failed: true, unknown: true, loads: 2, commits: 1, stored: true},
	} {
		t.Run(name, func(t *testing.T) {
			inner := memstore.New()
			setup := proof.ServiceOn(t, inner, nil)
			room := proof.General(t, setup, "ann", "ben", "cat")
			faulty := storetest.NewFaulty(inner, test.plan)
			svc, err := service.New(faulty, nil)
			require.NoError(t, err)
			edit, before := proof.AnyEdit(t, setup, "ann", room), history(t, setup, room)
			_, err = svc.Do(ctx, roomkit.By("ann"), edit)
			if test.failed {
				require.ErrorIs(t, err, storetest.ErrInjected)
			} else {
				require.NoError(t, err)
			}
			if test.unknown {
				require.ErrorIs(t, err, roomkit.ErrUnknownOutcome)
			} else {
				require.NotErrorIs(t, err, roomkit.ErrUnknownOutcome)
			}
			require.Equal(t, test.loads, faulty.Calls(storetest.MethodLoad))
			require.Equal(t, test.commits, faulty.Calls(storetest.MethodCommit))
			want := len(before)
			if test.stored {
				want++
			}
			require.Len(t, history(t, setup, room), want)
		})
	}
}

// torn stores nothing and never knows.
type torn struct{ store.Store }

func (torn) Commit(_ context.Context, _ []store.Change) ([]store.CommitResult, error) {
	return nil, roomkit.ErrUnknownOutcome
}

func (s torn) Unwrap() store.Store { return s.Store }

// A store that never knows is asked as often as Attempts says.
func TestOutcomeStaysUnknown(t *testing.T) {
	inner := memstore.New()
	setup := proof.ServiceOn(t, inner, nil)
	room := proof.General(t, setup, "ann", "ben", "cat")
	faulty := storetest.NewFaulty(torn{inner}, storetest.Plan{})
	svc, err := service.New(faulty, &service.Options{Attempts: 3})
	require.NoError(t, err)
	_, err = svc.Do(ctx, roomkit.By("ben"), proof.AnyEdit(t, setup, "ben", room))
	require.ErrorIs(t, err, roomkit.ErrUnknownOutcome)
	require.Equal(t, 1, strings.Count(err.Error(), roomkit.ErrUnknownOutcome.Error()), "it is said once: %v", err)
	require.Equal(t, 3, faulty.Calls(storetest.MethodCommit))
	require.Equal(t, people("ann", "ben", "cat"), proof.Participants(t, setup, "ann", room))
}

// A refusal does not hide that an earlier attempt may still be on its way.
func TestRefusedAfterUnknown(t *testing.T) {
	inner := memstore.New()
	setup := proof.ServiceOn(t, inner, nil)
	room := proof.General(t, setup, "ann", "ben", "cat")
	asked := 0
	svc, err := service.New(torn{inner}, &service.Options{Veto: func(roomkit.Actor, roomkit.Command, service.Result) error {
		if asked++; asked == 1 {
			return nil
		}
		return errors.New("not any more")
	}})
	require.NoError(t, err)
	_, err = svc.Do(ctx, roomkit.By("ben"), proof.AnyEdit(t, setup, "ben", room))
	require.ErrorIs(t, err, roomkit.ErrUnknownOutcome)
	require.ErrorIs(t, err, roomkit.ErrDenied)
	require.Equal(t, 2, asked)
}
