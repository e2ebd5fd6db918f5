package roomkit

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// mark is what a follower keeps as its checkpoint: how far it has come, and who
// works on until when. Stores do not interpret it.
type mark struct {
	cursor Cursor
	holder string // empty: nobody
	until  time.Time
}

func (m mark) encode() Cursor {
	if m.holder == "" {
		return m.cursor
	}
	return Cursor(fmt.Sprintf("%s\n%s\n%d", m.cursor, m.holder, m.until.UnixMicro()))
}

func decodeMark(c Cursor) (m mark) {
	parts := strings.Split(string(c), "\n")
	m.cursor = Cursor(parts[0])
	if len(parts) == 3 {
		micros, err := strconv.ParseInt(parts[2], 10, 64)
		if err == nil {
			m.holder, m.until = parts[1], time.UnixMicro(micros)
		}
	}
	return m
}

// heldFor is how long somebody else may still be at work.
func (m *mark) heldFor(me string, now time.Time) time.Duration {
	if m.holder == "" || m.holder == me {
		return 0
	}
	return m.until.Sub(now)
}

// load reads the stored mark.
func (f *follower) load(ctx context.Context) error {
	facts, err := ask(ctx, f.s.store, []Need{{Checkpoint: f.name}})
	if err != nil {
		return err
	}
	f.stored = facts[0].Checkpoint
	f.mark = decodeMark(f.stored)
	if f.stored == "" {
		f.mark.cursor = f.From
	}
	f.done = f.mark.cursor
	return nil
}

// move stores how far the follower has come and that it works on. It is
// ErrConflict if somebody else has moved the checkpoint meanwhile.
func (f *follower) move(ctx context.Context, store Store) error {
	return f.put(ctx, store, mark{f.done, f.me, f.s.o.Clock().Add(f.Lease)})
}

// renew keeps others away while the handling of a batch takes long.
func (f *follower) renew(ctx context.Context) error {
	if f.mark.until.Sub(f.s.o.Clock()) > f.Lease/2 {
		return nil
	}
	return f.move(ctx, f.s.store)
}

// release lets others begin at once. It is no harm if it fails: the lease ends.
func (f *follower) release(ctx context.Context) {
	if f.mark.holder != f.me {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), f.Lease)
	defer cancel()
	if err := f.put(ctx, f.s.store, mark{cursor: f.done}); err != nil {
		f.s.o.Logger.DebugContext(ctx, "follower not released", "follower", f.name, "error", err)
	}
}

func (f *follower) put(ctx context.Context, store Store, now mark) error {
	c := Checkpoint{Name: f.name, Was: f.stored, Now: now.encode()}
	id := CommandID(f.s.o.NewID())
	results, err := store.Commit(ctx, []Change{{
		Command: id, Digest: sha256.Sum256([]byte(c.Now)), Checkpoint: &c, Outcome: Outcome{Command: id},
	}})
	switch {
	case err != nil:
		return err
	case len(results) != 1:
		return fmt.Errorf("%w: the store answered %d of 1 changes", ErrUnknownOutcome, len(results))
	case results[0].Err != nil:
		return results[0].Err
	}
	f.mark, f.stored = now, c.Now
	return nil
}

// skip moves the checkpoint past rec if that is the next event.
func (f *follower) skip(ctx context.Context, rec Record) error {
	if err := f.load(ctx); err != nil {
		return err
	}
	if f.mark.heldFor(f.me, f.s.o.Clock()) > 0 {
		return fmt.Errorf("%w: the follower is at work", ErrConflict)
	}
	next, err := f.s.store.Feed(ctx, f.mark.cursor, 1)
	if err != nil {
		return err
	}
	if len(next) != 1 || next[0].Subject != rec.Subject || next[0].Version != rec.Version {
		return fmt.Errorf("%w: %s/%d is not the follower's next event", ErrConflict, rec.Subject, rec.Version)
	}
	return f.put(ctx, f.s.store, mark{cursor: next[0].Cursor})
}
