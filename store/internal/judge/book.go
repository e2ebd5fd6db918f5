package judge

import (
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// Book is a [Ledger] of a store that cannot look up what a change relies on while it
// judges: the store asks a [Question], enters the answers, and accepts the changes
// that are judged well.
type Book struct {
	Versions map[roomkit.Subject]roomkit.Version
	Counts   map[roomkit.Subject]int64 // of groups
	Holders  map[Name]roomkit.RoomID
	Cursors  map[string]roomkit.Cursor
	Outcomes map[roomkit.CommandID]*store.Outcome

	held      map[roomkit.RoomID]Name
	believing bool
}

// NewBook makes a book in which nothing is entered, so that nothing exists.
func NewBook() *Book {
	return &Book{
		Versions: map[roomkit.Subject]roomkit.Version{}, Counts: map[roomkit.Subject]int64{},
		Holders: map[Name]roomkit.RoomID{}, held: map[roomkit.RoomID]Name{},
		Cursors: map[string]roomkit.Cursor{}, Outcomes: map[roomkit.CommandID]*store.Outcome{},
	}
}

// NewBelief makes a book that believes the first change that says anything about a
// subject, count or checkpoint, takes names for free and commands for new. A refusal
// means no more than that the changes have to be judged by what is stored.
func NewBelief() *Book {
	b := NewBook()
	b.believing = true
	return b
}

// EnterRoom enters the version and the name of a stored room.
func (b *Book) EnterRoom(r *roomkit.Room) {
	b.Versions[roomkit.RoomSubject(r.ID)] = r.Version
	if name, named := NameOf(r); named {
		b.hold(r.ID, name)
	}
}

func (b *Book) hold(id roomkit.RoomID, name Name) { b.Holders[name], b.held[id] = id, name }

// Held gives the name that a room holds, as far as it is entered.
func (b *Book) Held(id roomkit.RoomID) (Name, bool) {
	name, named := b.held[id]
	return name, named
}

// Outcome implements [Ledger].
func (b *Book) Outcome(command roomkit.CommandID) *store.Outcome { return b.Outcomes[command] }

// Version implements [Ledger].
func (b *Book) Version(e *store.Expect) roomkit.Version {
	return entry(b, b.Versions, e.Subject, e.Version)
}

// Groups implements [Ledger].
func (b *Book) Groups(t *store.Tally) (n int64, exists bool) {
	of := counted(t)
	return entry(b, b.Counts, of, t.Was), b.believing || b.Versions[of] > 0
}

// Cursor implements [Ledger].
func (b *Book) Cursor(p *store.Checkpoint) roomkit.Cursor { return entry(b, b.Cursors, p.Name, p.Was) }

// Holder implements [Ledger].
func (b *Book) Holder(name Name) roomkit.RoomID { return b.Holders[name] }

// entry gives what is entered for a key, or what is said of it if that is believed.
func entry[K comparable, V any](b *Book, entries map[K]V, k K, said V) V {
	has, known := entries[k]
	if !known && b.believing {
		entries[k] = said
		return said
	}
	return has
}

func counted(t *store.Tally) roomkit.Subject {
	if t.User != "" {
		return roomkit.UserSubject(t.User)
	}
	return roomkit.CompanySubject(t.Company)
}

// Accept enters what is so after a change that was judged well. The outcome is
// remembered, so its cursor may be set later.
func (b *Book) Accept(c *store.Change, outcome *store.Outcome) {
	for i := range c.Rooms {
		if name, named := b.held[c.Rooms[i].ID]; named {
			delete(b.held, c.Rooms[i].ID)
			delete(b.Holders, name)
		}
	}
	for i := range c.Rooms {
		b.EnterRoom(&c.Rooms[i])
	}
	for i := range c.Users {
		b.Versions[roomkit.UserSubject(c.Users[i].ID)] = c.Users[i].Version
	}
	for i := range c.Companies {
		b.Versions[roomkit.CompanySubject(c.Companies[i].ID)] = c.Companies[i].Version
	}
	for i := range c.Teams {
		b.Versions[roomkit.TeamSubject(c.Teams[i].Company, c.Teams[i].ID)] = c.Teams[i].Version
	}
	for i := range c.Tallies {
		t := &c.Tallies[i]
		n, _ := b.Groups(t)
		b.Counts[counted(t)] = n + t.Now - t.Was
	}
	if p := c.Checkpoint; p != nil {
		b.Cursors[p.Name] = p.Now
	}
	b.Outcomes[c.Command] = outcome
}

// Question gathers, each once, what changes rely on.
type Question struct {
	Rooms       Keys[roomkit.RoomID]
	Users       Keys[roomkit.UserID]
	Companies   Keys[roomkit.CompanyID]
	Teams       Keys[roomkit.TeamKey]
	Names       Keys[Name]
	Checkpoints Keys[string]
	Commands    Keys[roomkit.CommandID]
}

// Add adds what a change relies on.
func (q *Question) Add(c *store.Change) {
	q.Commands.Add(c.Command)
	for i := range c.Expect {
		switch of := &c.Expect[i].Subject; of.Type {
		case roomkit.SubjectRoom:
			q.Rooms.Add(of.Room)
		case roomkit.SubjectUser:
			q.Users.Add(roomkit.UserID(of.ID))
		case roomkit.SubjectCompany:
			q.Companies.Add(roomkit.CompanyID(of.ID))
		case roomkit.SubjectTeam:
			q.Teams.Add(roomkit.TeamKey(of.ID))
		}
	}
	for i := range c.Tallies {
		if t := &c.Tallies[i]; t.User != "" {
			q.Users.Add(t.User)
		} else {
			q.Companies.Add(t.Company)
		}
	}
	for i := range c.Rooms {
		if name, named := NameOf(&c.Rooms[i]); named {
			q.Names.Add(name)
		}
	}
	if c.Checkpoint != nil {
		q.Checkpoints.Add(c.Checkpoint.Name)
	}
}

// Keys is a list of keys, each once, in the order in which they came.
type Keys[K comparable] struct {
	List  []K
	taken int
	seen  map[K]struct{} // the same, once they are many
}

const manyKeys = 16

// Add adds a key, and reports whether it is new.
func (k *Keys[K]) Add(key K) bool {
	if k.has(key) {
		return false
	}
	k.List = append(k.List, key)
	switch {
	case k.seen != nil:
		k.seen[key] = struct{}{}
	case len(k.List) > manyKeys:
		k.seen = make(map[K]struct{}, 2*manyKeys)
		for _, key := range k.List {
			k.seen[key] = struct{}{}
		}
	}
	return true
}

func (k *Keys[K]) has(key K) bool {
	if k.seen == nil {
		return slices.Contains(k.List, key)
	}
	_, has := k.seen[key]
	return has
}

// Take gives what was added since it was called last.
func (k *Keys[K]) Take() []K {
	list := k.List[k.taken:]
	k.taken = len(k.List)
	return list
}
