package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/storetest/internal/beside"
)

// untrue is a store that now and then says that nothing was done, and has done it under
// another command.
type untrue struct {
	store.Store
	on      bool
	calls   int
	commits int
}

func (u *untrue) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	if u.calls++; !u.on || u.calls%8 != 0 || len(changes) != 1 {
		return u.Store.Commit(ctx, changes)
	}
	c := changes[0].Clone()
	c.Command, c.Outcome.Command = roomkit.CommandID{byte(u.calls), 7}, roomkit.CommandID{byte(u.calls), 7}
	for i := range c.Records {
		c.Records[i].Command = c.Command
	}
	u.commits++
	if _, err := u.Store.Commit(ctx, []store.Change{c}); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("commit: %w", ErrInjected)
}

// A fault that changes what is stored does not pass for one that does not.
func TestBesideSeesFaultsThatChangeState(t *testing.T) {
	game := beside.Game{Reference: openMemstore, Open: openMemstore, Histories: 4, Break: func(st store.Store, _ uint64) beside.Broken {
		u := &untrue{Store: st}
		return beside.Broken{
			Store: u, Fault: ErrInjected, Heal: func() { u.on = false }, Relapse: func() { u.on = true }, Struck: func() int { return u.commits },
		}
	}}
	played := beside.On(t, time.Minute, func(tb testing.TB) { game.Play(tb) })
	require.True(t, played.Failed(), "nobody has noticed that commands were carried out by a store that denied it")
	require.Contains(t, played.Text(), "is not like the reference")
	game.Break = nil
	played = beside.On(t, time.Minute, func(tb testing.TB) { game.Play(tb) })
	require.False(t, played.Failed(), "%s", played.Text())
}
