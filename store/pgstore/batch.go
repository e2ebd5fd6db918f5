package pgstore

import (
	"fmt"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// batch is the effect of several changes folded into one, so that one
// transaction can write every row once. It judges the changes one after another:
// against what earlier ones leave, and else against what is known of the store.
// While nothing is known, it believes the first expectation of everything and
// notes it in base; the transaction finds out whether all of them hold.
type batch struct {
	known *stored // nil: nothing is known
	never store.Refusals
	fates []fate // of the changes judged so far
	base  map[roomkit.Subject]roomkit.Version

	rooms     written1[roomkit.RoomID, roomkit.Room]
	users     written1[roomkit.UserID, roomkit.User]
	companies written1[roomkit.CompanyID, roomkit.Company]
	teams     written1[roomkit.TeamID, roomkit.Team]
	members   map[place]*roomkit.Member

	userTallies    map[roomkit.UserID]*count
	companyTallies map[roomkit.CompanyID]*count
	checkpoints    map[string]*move
	named          map[nameKey]roomkit.RoomID // names that rooms of the batch hold
	ended          []store.RoomEnd
	records        []*store.Record
	commands       map[roomkit.CommandID]int // the change that stores it
	unsure         bool                      // something cannot be said while nothing is known

	added []roomkit.Subject // to base, by the change at hand
}

// fate is what becomes of a change.
type fate struct {
	change  *store.Change
	err     error
	stored  bool           // by this batch
	records int            // how many records of the batch are before the end of it
	first   int            // with repeat: the change of the batch that stores the command, or -1
	repeat  bool           // the command was stored before
	outcome *store.Outcome // then, if it was not by this batch
}

type (
	place struct {
		room roomkit.RoomID
		user roomkit.UserID
	}
	nameKey struct {
		company roomkit.CompanyID
		key     string
	}
	count struct{ was, now int64 }
	move  struct{ was, now roomkit.Cursor }
)

// stored is what a transaction has found in the store under its locks.
type stored struct {
	versions    map[roomkit.Subject]roomkit.Version
	parked      map[roomkit.Subject]int64 // see askParked; the following counts have it added
	userGroups  map[roomkit.UserID]int64
	groups      map[roomkit.CompanyID]int64
	held        map[roomkit.RoomID]nameKey // names of the rooms asked for
	holders     map[nameKey]roomkit.RoomID // of the names asked for
	checkpoints map[string]roomkit.Cursor
	done        map[roomkit.CommandID]*store.Outcome
}

// fold makes a batch of as many of the changes as fit, one at least. never are the
// versions that earlier changes of the call have not made.
func fold(changes []store.Change, known *stored, never *store.Refusals) *batch {
	b := &batch{
		known: known, never: never.Clone(), base: map[roomkit.Subject]roomkit.Version{}, commands: map[roomkit.CommandID]int{},
		rooms: written1[roomkit.RoomID, roomkit.Room]{}, users: written1[roomkit.UserID, roomkit.User]{},
		companies: written1[roomkit.CompanyID, roomkit.Company]{}, teams: written1[roomkit.TeamID, roomkit.Team]{},
		members: map[place]*roomkit.Member{}, userTallies: map[roomkit.UserID]*count{},
		companyTallies: map[roomkit.CompanyID]*count{}, checkpoints: map[string]*move{}, named: map[nameKey]roomkit.RoomID{},
	}
	for i := range changes {
		if i > 0 && !b.fits(&changes[i]) {
			break
		}
		b.fates = append(b.fates, b.judge(&changes[i]))
	}
	return b
}

// fits reports whether a change can be in the batch. The rows of people whose
// room ends are not known here, so nothing that may look at them comes behind.
func (b *batch) fits(c *store.Change) bool {
	for i := range b.ended {
		of := roomkit.RoomSubject(b.ended[i].Room)
		if slices.ContainsFunc(c.Expect, func(e store.Expect) bool { return e.Subject == of }) {
			return false
		}
	}
	userTally := func(t store.Tally) bool { return t.User != "" }
	return len(b.ended) == 0 || !slices.ContainsFunc(c.Tallies, userTally)
}

func (b *batch) judge(c *store.Change) fate {
	f := fate{change: c, first: -1}
	if f.repeat, f.err = b.repeats(c, &f); f.repeat || f.err != nil {
		b.never.Refuse(c, b.madeBefore(&f))
		return f
	}
	b.added = b.added[:0]
	if f.err = c.Check(); f.err == nil {
		f.err = b.compare(c)
	}
	if f.err != nil {
		b.never.Refuse(c, nil)
		b.unsure = b.unsure || b.known == nil && !c.Command.IsZero() // it may be a repeat
		for _, of := range b.added {                                 // nobody relies on it
			delete(b.base, of)
		}
		return f
	}
	b.apply(c)
	b.never.Store(c)
	b.commands[c.Command] = len(b.fates)
	f.stored, f.records = true, len(b.records)
	return f
}

// repeats reports whether the command was stored before.
func (b *batch) repeats(c *store.Change, f *fate) (bool, error) {
	if first, ok := b.commands[c.Command]; ok {
		f.first = first
		return sameDigest(&b.fates[first].change.Digest, c)
	}
	if b.known != nil && b.known.done[c.Command] != nil {
		f.outcome = b.known.done[c.Command]
		return sameDigest(&f.outcome.Digest, c)
	}
	return false, nil
}

// madeBefore gives the events of a command that was stored before.
func (b *batch) madeBefore(f *fate) []store.EventAt {
	switch {
	case f.outcome != nil:
		return f.outcome.Events
	case f.first >= 0:
		return b.fates[f.first].change.Outcome.Events
	}
	return nil
}

func sameDigest(first *[32]byte, c *store.Change) (bool, error) {
	if *first != c.Digest {
		return false, roomkit.ErrCommandReused
	}
	return true, nil
}

func conflict(format string, a ...any) error {
	return fmt.Errorf("pgstore: %w: %s", roomkit.ErrConflict, fmt.Sprintf(format, a...))
}

// compare demands that everything is as the change believes.
func (b *batch) compare(c *store.Change) error {
	for i := range c.Expect {
		e := &c.Expect[i]
		if has := b.version(e); has != e.Version {
			return conflict("%v has version %d, not %d", e.Subject, has, e.Version)
		}
	}
	was := make(map[store.Tally]int64, len(c.Tallies))
	for i := range c.Tallies {
		t := &c.Tallies[i]
		of := store.Tally{User: t.User, Company: t.Company}
		if v, twice := was[of]; twice && v != t.Was || !b.tallied(c, t) {
			return conflict("the tally of %s%s", t.User, t.Company)
		}
		was[of] = t.Was
	}
	if p := c.Checkpoint; p != nil && b.cursor(p) != p.Was {
		return conflict("checkpoint %s", p.Name)
	}
	if err := b.never.Check(c); err != nil {
		return err
	}
	return b.compareNames(c)
}

// version gives the version of a subject as the batch leaves it so far.
func (b *batch) version(e *store.Expect) roomkit.Version {
	if v, ok := b.writtenVersion(&e.Subject); ok {
		return v
	}
	v, ok := b.base[e.Subject]
	if !ok {
		if v = e.Version; b.known != nil {
			v = b.known.versions[e.Subject]
		}
		b.base[e.Subject] = v
		b.added = append(b.added, e.Subject)
	}
	return v
}

func (b *batch) writtenVersion(of *roomkit.Subject) (roomkit.Version, bool) {
	switch of.Type {
	case roomkit.SubjectRoom:
		if w := b.rooms[of.Room]; w != nil {
			return w.row.Version, true
		}
	case roomkit.SubjectUser:
		if w := b.users[roomkit.UserID(of.ID)]; w != nil {
			return w.row.Version, true
		}
	case roomkit.SubjectCompany:
		if w := b.companies[roomkit.CompanyID(of.ID)]; w != nil {
			return w.row.Version, true
		}
	case roomkit.SubjectTeam:
		if w := b.teams[roomkit.TeamID(of.ID)]; w != nil {
			return w.row.Version, true
		}
	}
	return 0, false
}

// tallied reports whether a count is as a tally believes. Of what neither exists
// nor begins with the change there is no count.
func (b *batch) tallied(c *store.Change, t *store.Tally) bool {
	if t.User != "" {
		if n := b.userTallies[t.User]; n != nil {
			return n.now == t.Was
		}
		begins := slices.ContainsFunc(c.Users, func(u roomkit.User) bool { return u.ID == t.User })
		_, before := b.users[t.User]
		return b.known == nil || b.known.userGroups[t.User] == t.Was &&
			(begins || before || b.known.versions[roomkit.UserSubject(t.User)] > 0)
	}
	if n := b.companyTallies[t.Company]; n != nil {
		return n.now == t.Was
	}
	begins := slices.ContainsFunc(c.Companies, func(co roomkit.Company) bool { return co.ID == t.Company })
	_, before := b.companies[t.Company]
	return b.known == nil || b.known.groups[t.Company] == t.Was &&
		(begins || before || b.known.versions[roomkit.CompanySubject(t.Company)] > 0)
}

func (b *batch) cursor(p *store.Checkpoint) roomkit.Cursor {
	if m := b.checkpoints[p.Name]; m != nil {
		return m.now
	}
	if b.known != nil {
		return b.known.checkpoints[p.Name]
	}
	return p.Was
}

// compareNames demands that the names which the change leaves its rooms with are
// free or given up by it. What is not known, the unique index finds out.
func (b *batch) compareNames(c *store.Change) error {
	for i := range c.Rooms {
		key, named := nameOf(&c.Rooms[i])
		if !named {
			continue
		}
		if holder := b.holder(key); holder != c.Rooms[i].ID && !holder.IsZero() && !givesUp(c, holder, key) {
			return conflict("name %q is taken", key.key)
		}
		for j := range i {
			if other, ok := nameOf(&c.Rooms[j]); ok && other == key {
				return conflict("name %q is taken", key.key)
			}
		}
	}
	return nil
}

// holder gives the room that holds a name as the batch leaves it so far.
func (b *batch) holder(key nameKey) roomkit.RoomID {
	if id, ok := b.named[key]; ok {
		return id
	}
	if b.known != nil {
		if id := b.known.holders[key]; b.rooms[id] == nil {
			return id
		}
	}
	return roomkit.RoomID{}
}

// givesUp reports whether a change writes the room without that name.
func givesUp(c *store.Change, id roomkit.RoomID, key nameKey) bool {
	for i := range c.Rooms {
		if c.Rooms[i].ID == id {
			left, named := nameOf(&c.Rooms[i])
			return !named || left != key
		}
	}
	return false
}

// nameOf gives the name that a room holds, if any.
func nameOf(r *roomkit.Room) (nameKey, bool) {
	return nameKey{r.Company, r.NameKey}, r.NameKey != "" && r.State == roomkit.StateActive
}
