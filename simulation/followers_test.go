package simulation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// The followers of a world: "mail" handles events at least once, "ledger" writes into the
// same database as the checkpoint, exactly once, and Enforce. Each process runs all of them.
const (
	mail   = "mail"
	ledger = "ledger"
	sweeps = "roomkit.enforce"
)

type followers struct {
	w     *world
	names []string
	open  []*following
	heard []heard
}

// following is one call of Follow or Enforce.
type following struct {
	*actor
	cancel context.CancelFunc
	done   bool
}

// heard is a thing that happened to a follower: it has handled an event, or its checkpoint
// has moved.
type heard struct {
	name   string
	at     store.EventAt
	cursor roomkit.Cursor // of a checkpoint
}

func newFollowers(w *world) *followers {
	f := &followers{w: w}
	if w.followers {
		f.names = []string{one(w, "follower", mail, ledger)}
	}
	if w.enforce {
		f.names = append(f.names, sweeps)
	}
	return f
}

// begin begins the followers of a process.
func (f *followers) begin(p *process) {
	for _, name := range f.names {
		f.follow(p, name)
	}
}

func (f *followers) follow(p *process, name string) {
	w := f.w
	w.actors++
	who := &following{actor: &actor{number: w.actors, name: fmt.Sprintf("%s of process %d", name, p.number), process: p, several: name == sweeps}}
	ctx, cancel := context.WithCancel(context.Background())
	who.cancel = cancel
	f.open = append(f.open, who)
	w.tell("%s begins", who.name)
	w.runs(who.actor)
	go func() {
		var err error
		returned := false
		defer func() {
			defer cancel()
			thrown := recover()
			_, expected := thrown.(*injected) // of its own call of the store
			if !p.dead {
				w.wait(&park{who: who.actor, point: pointTurn})
			}
			w.mu.Lock()
			defer w.mu.Unlock()
			who.done = true
			if w.keep {
				w.told = append(w.told, fmt.Sprintf("%3d %s ends: %v", w.step, who.name, err))
			}
			if !returned && !p.dead && !expected {
				w.complain("%s is ended by a panic: %v", who.name, thrown)
			}
			if err != nil && !errors.Is(err, context.Canceled) && !f.excused(err) {
				w.complain("%s ends: %v", who.name, err)
			}
		}()
		w.wait(&park{who: who.actor, point: pointTurn}) // those of several processes begin together
		err = f.run(&watched{Context: ctx, who: who.actor}, who, name)
		returned = true
	}()
}

// excused reports whether a follower may end with an error: a fault that comes ten times.
func (f *followers) excused(err error) bool {
	var poison *service.PoisonEvent
	return errors.As(err, &poison) && passes(err)
}

func (f *followers) run(ctx context.Context, who *following, name string) error {
	svc := who.process.svc
	switch name {
	case sweeps:
		return svc.Enforce(ctx, nil)
	case mail:
		return svc.Follow(ctx, mail, func(ctx context.Context, rec service.Recorded) error {
			if _, err := f.w.host(ctx, mail); err != nil {
				return err
			}
			f.note(heard{name: mail, at: store.EventAt{Subject: rec.Subject, Version: rec.Version}})
			return nil
		}, &service.FollowOptions{Batch: 3})
	}
	return svc.Follow(ctx, ledger, func(ctx context.Context, rec service.Recorded) error {
		if _, err := f.w.host(ctx, ledger); err != nil {
			return err
		}
		tx, _ := ctx.Value(bookingKey{}).(*booking)
		tx.wrote = append(tx.wrote, heard{name: ledger, at: store.EventAt{Subject: rec.Subject, Version: rec.Version}})
		return nil
	}, &service.FollowOptions{Batch: 3, Within: func(ctx context.Context, step func(context.Context, store.Store) error) error {
		return f.within(ctx, who, step)
	}})
}

func (f *followers) note(h ...heard) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	f.heard = append(f.heard, h...)
}

type bookingKey struct{}

// booking is a transaction of the host: what the handler writes and the checkpoint, which
// are stored together or not at all.
type booking struct {
	founding
	changes []store.Change
	wrote   []heard
}

// Commit keeps the changes until the transaction is committed.
func (b *booking) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	results := make([]store.CommitResult, len(changes))
	for i := range changes {
		facts, err := b.disk.Load(ctx, []store.Need{{Checkpoint: changes[i].Checkpoint.Name}})
		if err != nil {
			return nil, err
		}
		if facts[0].Checkpoint != changes[i].Checkpoint.Was {
			results[i].Err = roomkit.ErrConflict
			continue
		}
		b.changes = append(b.changes, changes[i].Clone())
	}
	return results, nil
}

func (f *followers) within(ctx context.Context, who *following, step func(context.Context, store.Store) error) error {
	for {
		tx := &booking{founding: founding{f.w}}
		if err := step(context.WithValue(ctx, bookingKey{}, tx), tx); err != nil {
			return err
		}
		v := f.w.wait(&park{who: who.actor, point: pointHost, call: storeCall{name: "transaction"}})
		switch v.fault {
		case faultBefore:
			return &injected{fault: v.fault, who: who.actor}
		case faultWrong:
			continue // as for a transaction that has to be run again
		case faultPanic:
			return &injected{fault: v.fault, who: who.actor}
		}
		f.w.mu.Lock()
		f.heard = append(f.heard, tx.wrote...)
		written := len(tx.wrote)
		f.w.mu.Unlock()
		results, err := f.w.disk.commit(context.Background(), tx.changes, f.w)
		for i := range results {
			err = errors.Join(err, results[i].Err)
		}
		if err != nil {
			f.w.mu.Lock()
			f.heard = f.heard[:len(f.heard)-written]
			f.w.mu.Unlock()
		}
		return err
	}
}

// moved is told of every checkpoint that is stored.
func (f *followers) moved(c *store.Checkpoint) {
	cursor, _, _ := strings.Cut(string(c.Now), "\n")
	f.note(heard{name: c.Name, cursor: roomkit.Cursor(cursor)})
}

// killed ends the followers of a process, and begins them in the one that takes its place.
func (f *followers) killed(p *process) {
	for _, who := range f.open {
		if who.process == p && !who.done {
			f.w.runs(who.actor)
			who.cancel()
			f.w.settle()
		}
	}
	f.begin(f.w.procs[len(f.w.procs)-1])
}

// end ends one of them, as at an ordinary shutdown, or begins one again.
func (f *followers) end() {
	open := slices.DeleteFunc(slices.Clone(f.open), func(who *following) bool { return who.done })
	if len(open) == 0 {
		f.again()
		return
	}
	who := one(f.w, "whose", open...)
	f.w.tell("the context of %s ends", who.name)
	f.w.runs(who.actor)
	who.cancel()
}

// again begins what has ended.
func (f *followers) again() {
	for _, p := range f.w.procs {
		for _, name := range f.names {
			works := slices.ContainsFunc(f.open, func(who *following) bool {
				return who.process == p && strings.HasPrefix(who.name, name) && !who.done
			})
			if !p.dead && !works {
				f.follow(p, name)
				f.w.settle()
			}
		}
	}
}

// finish lets the followers come to the end of the feed, and ends them.
func (f *followers) finish() {
	for range 60 {
		f.again()
		f.w.drain()
		if f.atEnd() || len(f.w.wrong) > 0 {
			break
		}
		f.w.passTime(time.Minute)
	}
	for _, who := range f.open {
		if !who.done {
			f.w.runs(who.actor)
			who.cancel()
			f.w.settle()
		}
	}
	f.w.drain()
	for _, who := range f.open {
		if !who.done {
			f.w.complain("%s does not end", who.name)
		}
	}
}

func (f *followers) atEnd() bool {
	feed := f.feed()
	for _, name := range f.names {
		at := roomkit.Cursor("")
		for _, h := range f.heard {
			if h.name == name && h.cursor != "" {
				at = h.cursor
			}
		}
		if len(feed) > 0 && at != feed[len(feed)-1].Cursor {
			return false
		}
	}
	return true
}

func (f *followers) feed() (all []store.Record) {
	for page, err := range store.FeedPages(context.Background(), f.w.disk.Store, "") {
		if err != nil {
			f.w.complain("the feed cannot be read: %v", err)
			return nil
		}
		all = append(all, page...)
	}
	return all
}

// check demands of what the followers have heard that it is everything, in order.
func (f *followers) check() {
	if len(f.names) == 0 {
		return
	}
	feed := f.feed()
	place, behind := map[store.EventAt]int{}, map[roomkit.Cursor]int{"": 0}
	for i, rec := range feed {
		place[store.EventAt{Subject: rec.Subject, Version: rec.Version}] = i
		behind[rec.Cursor] = i + 1
	}
	for _, name := range f.names {
		handled, mark := 0, 0
		for _, h := range f.heard {
			if h.name != name {
				continue
			}
			if h.at.Version == 0 {
				if mark = behind[h.cursor]; mark > handled && name != sweeps {
					f.w.complain("the checkpoint of %s is behind event %d, and %d are handled", name, mark, handled)
					return
				}
				continue
			}
			at, known := place[h.at]
			switch {
			case !known:
				f.w.complain("%s has handled %s@%d, which is not in the feed", name, h.at.Subject, h.at.Version)
			case at > handled, name == ledger && at != handled:
				f.w.complain("%s has handled event %d after %d others", name, at, handled)
			case at == handled:
				handled++
			}
		}
		if name != sweeps && handled != len(feed) || mark != len(feed) {
			f.w.complain("%s has handled %d of %d events, and its checkpoint is behind %d", name, handled, len(feed), mark)
		}
	}
}
