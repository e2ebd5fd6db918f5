package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// Transaction is one of a host, around what it writes itself and what a store writes.
type Transaction interface {
	Store() store.Store
	// Write stores an effect of a follower.
	Write(ctx context.Context, follower, effect string) error
	Commit(ctx context.Context) error
	Rollback()
}

// Effects is where the effects of followers are kept beside a store.
type Effects interface {
	Begin(ctx context.Context) (Transaction, error)
	// Of gives what has been committed, in order.
	Of(follower string) ([]string, error)
}

// ExactlyOnce proves that a follower that keeps its effects in the transaction of its
// checkpoint, by service.FollowOptions.Within, has each of them exactly once: whatever goes
// wrong, at every point from the beginning of the transaction to the answer to its commit.
func ExactlyOnce(t *testing.T, st store.Store, effects Effects) {
	o := &office{store: st}
	o.svc = o.service(t, st)
	o.do(t, roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{ID: "acme", Licensed: true}})
	var from roomkit.Cursor
	for rec, err := range o.svc.Feed(t.Context(), "") {
		require.NoError(t, err)
		from = rec.Cursor
	}
	var want []string
	for i := range 5 {
		u := roomkit.User{ID: roomkit.UserID(fmt.Sprint("a", i)), Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}
		o.do(t, roomkit.System(), roomkit.AddUser{User: u})
		want = append(want, effectOf(store.Record{Subject: roomkit.UserSubject(u.ID), Version: 1}))
	}
	points := []string{"begun", "stepped", "committed"}
	for i := range 3 {
		points = append(points, fmt.Sprint("before ", want[i]), fmt.Sprint("after ", want[i]))
	}
	var all sync.WaitGroup
	few := make(chan struct{}, 6)
	for _, fault := range []string{"error", "invalid", "panic", "cancel", "again", "kill"} {
		for _, point := range points {
			if fault == "panic" && point[0] == 's' { // a panic of Within is the host's own
				continue
			}
			all.Go(func() {
				few <- struct{}{}
				defer func() { <-few }()
				c := &interrupted{o: o, effects: effects, name: fault + " " + point, fault: fault, point: point}
				c.run(t, from)
				got, err := effects.Of(c.name)
				assert.NoError(t, err)
				assert.Equal(t, want, got, "%s: effects that are not there exactly once", c.name)
				assert.True(t, c.struck, "%s: did not happen", c.name)
			})
		}
	}
	all.Wait()
}

func effectOf(rec store.Record) string { return fmt.Sprintf("%s/%d", rec.Subject, rec.Version) }

// interrupted is a follower to which something happens once, at one point.
type interrupted struct {
	o            *office
	effects      Effects
	name         string
	fault, point string
	struck       bool
	again        bool // the host runs its transaction again
	process      *mortal
	stop         context.CancelFunc
}

type txKey struct{}

// run follows until the fault, and then as another process to the end.
func (c *interrupted) run(t *testing.T, from roomkit.Cursor) {
	for range 2 {
		ctx, stop := context.WithCancel(t.Context())
		c.stop, c.process = stop, &mortal{Store: c.o.store, die: stop, left: 1 << 30}
		svc, err := service.New(c.process, &service.Options{Poll: 10 * time.Millisecond})
		if !assert.NoError(t, err) {
			return
		}
		options := &service.FollowOptions{From: from, Once: true, Batch: 3, Within: c.within}
		if c.fault == "kill" { // others wait for that long
			options.Lease, options.Timeout = 600*time.Millisecond, 10*time.Millisecond
		}
		err = svc.Follow(ctx, c.name, c.handle, options)
		stop()
		if err == nil {
			return
		}
	}
	assert.Fail(t, c.name+": two processes have not come to the end")
}

// strike makes what is to happen at a point happen, the first time.
func (c *interrupted) strike(point string) error {
	if c.struck || c.point != point {
		return nil
	}
	c.struck = true
	switch c.fault {
	case "error":
		return ErrInjected
	case "invalid":
		return fmt.Errorf("%w: %w", ErrInjected, roomkit.ErrInvalid)
	case "panic":
		panic("injected") //nolint:forbidigo // what a handler may do
	case "cancel":
		c.stop()
	case "again":
		c.again = true
		return ErrInjected
	case "kill":
		c.process.kill()
		return errDead
	}
	return nil
}

func (c *interrupted) handle(ctx context.Context, rec service.Recorded) error {
	effect := effectOf(rec.Record)
	if err := c.strike("before " + effect); err != nil {
		return err
	}
	if err := ctx.Value(txKey{}).(Transaction).Write(ctx, c.name, effect); err != nil {
		return err
	}
	return c.strike("after " + effect)
}

func (c *interrupted) within(ctx context.Context, step func(context.Context, store.Store) error) error {
	for {
		c.again = false
		err := c.once(ctx, step)
		if !c.again {
			return err
		}
	}
}

func (c *interrupted) once(ctx context.Context, step func(context.Context, store.Store) error) (err error) {
	tx, err := c.effects.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", ErrInjected, r)
		}
	}()
	if err := c.strike("begun"); err != nil {
		return err
	}
	if err := step(context.WithValue(ctx, txKey{}, tx), tx.Store()); err != nil {
		return err
	}
	if err := c.strike("stepped"); err != nil {
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		return err
	}
	return c.strike("committed") // the answer to the commit is lost
}
