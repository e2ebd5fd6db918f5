// Package judge says what becomes of the changes of a commit: the versions, counts,
// names and cursors that they rely on, refused changes and repeats of commands. It
// is the one judgement of all stores; a store tells it what it has by a [Ledger],
// or fills a [Book].
package judge

import (
	"fmt"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// Ledger tells what is stored at the moment: with the changes of the call that were
// judged well before.
type Ledger interface {
	// Outcome gives what is remembered of a command, or nil.
	Outcome(command roomkit.CommandID) *store.Outcome
	// Version gives the version of the subject; 0 if there is none.
	Version(e *store.Expect) roomkit.Version
	// Groups gives the count that the tally is about, and whether its subject exists.
	Groups(t *store.Tally) (n int64, exists bool)
	// Cursor gives where the follower is.
	Cursor(p *store.Checkpoint) roomkit.Cursor
	// Holder gives the active room that has the name, or zero.
	Holder(name Name) roomkit.RoomID
}

// Name is a name that an active room holds in its company.
type Name struct {
	Company roomkit.CompanyID
	Key     string
}

// NameOf gives the name that a room holds, if any.
func NameOf(r *roomkit.Room) (Name, bool) {
	return Name{r.Company, r.NameKey}, r.NameKey != "" && r.State == roomkit.StateActive
}

// Call judges the changes of one call of Commit, one after another. The zero value
// is ready.
type Call struct {
	// Form is what the tables of a store demand of a change beside
	// [store.Change.Check]; it may be nil.
	Form func(*store.Change) error

	refused store.Refusals
}

// Clone gives an independent copy, for a store that may have to judge again.
func (j *Call) Clone() Call { return Call{Form: j.Form, refused: j.refused.Clone()} }

// Judge gives the result of a change. If it is [Stored], the store has to store the
// change, let the ledger tell so, and set the outcome's cursor.
func (j *Call) Judge(l Ledger, c *store.Change) store.CommitResult {
	if first := l.Outcome(c.Command); first != nil {
		j.refused.Refuse(c)
		if first.Digest != c.Digest {
			return store.CommitResult{Err: roomkit.ErrCommandReused}
		}
		return store.CommitResult{Outcome: cloned(first), Repeat: true}
	}
	if err := j.examine(l, c); err != nil {
		return j.Refuse(c, err)
	}
	j.refused.Store(c)
	r := store.CommitResult{Outcome: c.Outcome}
	r.Outcome.Command, r.Outcome.Digest, r.Outcome.Cursor = c.Command, c.Digest, ""
	return r
}

// Refuse is the result of a change that a store refuses for a reason of its own.
func (j *Call) Refuse(c *store.Change, err error) store.CommitResult {
	j.refused.Refuse(c)
	return store.CommitResult{Err: err}
}

// Stored reports whether a change is stored, and was not before.
func Stored(r store.CommitResult) bool { return r.Err == nil && !r.Repeat }

func cloned(o *store.Outcome) store.Outcome {
	c := *o
	c.Events = slices.Clone(o.Events)
	return c
}

func (j *Call) examine(l Ledger, c *store.Change) error {
	err := c.Check()
	if err == nil && j.Form != nil {
		err = j.Form(c)
	}
	if err == nil {
		err = j.refused.Check(c)
	}
	if err == nil {
		err = compare(l, c)
	}
	if err == nil {
		err = compareNames(l, c)
	}
	return err
}

func conflict(format string, args ...any) error {
	return fmt.Errorf("%w: %s", roomkit.ErrConflict, fmt.Sprintf(format, args...))
}

// compare demands that versions, counts and the checkpoint are as the change
// believes.
func compare(l Ledger, c *store.Change) error {
	for i := range c.Expect {
		e := &c.Expect[i]
		if has := l.Version(e); has != e.Version {
			return conflict("%v has version %d, not %d", e.Subject, has, e.Version)
		}
	}
	for i := range c.Tallies {
		t := &c.Tallies[i]
		least, most := t.Bounds()
		if has, exists := l.Groups(t); has < least || has > most || !exists && !begins(c, t) {
			return conflict("the tally of %s%s", t.User, t.Company)
		}
	}
	if p := c.Checkpoint; p != nil && l.Cursor(p) != p.Was {
		return conflict("checkpoint %s", p.Name)
	}
	return nil
}

// begins reports whether the change itself makes what it counts for.
func begins(c *store.Change, t *store.Tally) bool {
	if t.User != "" {
		return slices.ContainsFunc(c.Users, func(u roomkit.User) bool { return u.ID == t.User })
	}
	return slices.ContainsFunc(c.Companies, func(co roomkit.Company) bool { return co.ID == t.Company })
}

// compareNames demands that the names which the change leaves its rooms with are
// free or given up by it.
func compareNames(l Ledger, c *store.Change) error {
	for i := range c.Rooms {
		name, named := NameOf(&c.Rooms[i])
		if !named {
			continue
		}
		holder := l.Holder(name)
		taken := !holder.IsZero() && holder != c.Rooms[i].ID && !givesUp(c, holder, name)
		for j := range i {
			other, ok := NameOf(&c.Rooms[j])
			taken = taken || ok && other == name
		}
		if taken {
			return conflict("name %q is taken", name.Key)
		}
	}
	return nil
}

// givesUp reports whether a change writes the room without that name.
func givesUp(c *store.Change, id roomkit.RoomID, name Name) bool {
	for i := range c.Rooms {
		if c.Rooms[i].ID == id {
			keeps, named := NameOf(&c.Rooms[i])
			return !named || keeps != name
		}
	}
	return false
}

// OwnEvents reports whether the events of an outcome are just those of the records,
// so that they need not be stored twice.
func OwnEvents(events []store.EventAt, records []store.Record) bool {
	return slices.EqualFunc(events, records, func(e store.EventAt, r store.Record) bool {
		return e.Version == r.Version && e.Subject == r.Subject
	})
}

// Same reports whether two outcomes of a command are the same but for their cursors,
// which not every store knows at once.
func Same(a, b *store.Outcome) bool {
	return a.Digest == b.Digest && a.Room == b.Room && a.Changed == b.Changed && slices.Equal(a.Events, b.Events)
}
