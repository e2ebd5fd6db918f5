package storetest

import (
	"context"
	"errors"
	"iter"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/storetest/internal/beside"
)

// altered is a memory store with something wrong around it. What a mutant does not
// replace is as it should be.
type altered struct {
	store.Store
	mu    sync.Mutex // held by commit
	rooms map[roomkit.RoomID]roomkit.Room

	change   func(c *store.Change)                                                                               // what is made of a change
	one      func(c store.Change) store.CommitResult                                                             // commits the changes of a call one by one
	result   func(c *store.Change, r *store.CommitResult)                                                        // what is made of a result
	onCommit func(ctx context.Context, changes []store.Change) ([]store.CommitResult, error)                     // calls commit
	onLoad   func(ctx context.Context, needs []store.Need) ([]store.Facts, error)                                // calls load
	need     func(n *store.Need)                                                                                 // what is made of a need
	facts    func(n store.Need, f *store.Facts)                                                                  // what is made of an answer
	row      func(m *roomkit.Member)                                                                             // what is made of a row that is read
	outcome  func(o *store.Outcome)                                                                              // what is made of an outcome that is read
	onPeople func(ctx context.Context, q store.MemberQuery) ([]roomkit.Member, error)                            // calls Store.Members
	onRooms  func(ctx context.Context, q store.RoomQuery) ([]roomkit.RoomEntry, error)                           // calls Store.Rooms
	onUsers  func(ctx context.Context, q store.UserQuery) ([]roomkit.User, error)                                // calls Store.Users
	onTeams  func(ctx context.Context, q store.TeamQuery) ([]roomkit.Team, error)                                // calls Store.Teams
	onReads  func(ctx context.Context, of roomkit.Subject, v roomkit.Version, limit int) ([]store.Record, error) // calls Store.History
	onFeed   func(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error)                  // calls Store.Feed
	onWake   func(ctx context.Context) (<-chan struct{}, error)
	onHead   func(ctx context.Context) (roomkit.Cursor, error)
	onPlace  func(at roomkit.Cursor) (int64, error)
	onAccess func(ctx context.Context, user roomkit.UserID, rooms []roomkit.RoomID, facts []*store.Facts) error // calls LoadAccess
	parallel int
	reopened func()
}

func alter(spoil func(a *altered)) *altered {
	s := memstore.New()
	a := &altered{
		Store: s, rooms: map[roomkit.RoomID]roomkit.Room{}, parallel: 3, onPeople: s.Members, onRooms: s.Rooms,
		onUsers: s.Users, onTeams: s.Teams, onReads: s.History, onFeed: s.Feed, onWake: s.Wake, onHead: s.Head, onPlace: s.Place,
		onAccess: s.LoadAccess,
	}
	a.onCommit, a.onLoad = a.commit, a.load
	if spoil != nil {
		spoil(a)
	}
	return a
}

func openAltered(testing.TB) store.Store { return alter(nil) }

func (a *altered) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	return a.onCommit(ctx, changes)
}

func (a *altered) commit(ctx context.Context, changes []store.Change) (results []store.CommitResult, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	given := changes
	if changes = beside.Clones(changes); a.change != nil {
		for i := range changes {
			a.change(&changes[i])
		}
	}
	if a.one == nil || ctx.Err() != nil {
		if results, err = a.Store.Commit(ctx, changes); err != nil {
			return nil, err
		}
	} else {
		for _, c := range changes {
			results = append(results, a.one(c))
		}
	}
	for i := range results {
		a.settle(&given[i], &changes[i], &results[i])
	}
	return results, nil
}

// settle keeps the rooms of a change that was stored, and spoils its result.
func (a *altered) settle(given, c *store.Change, r *store.CommitResult) {
	for _, room := range c.Rooms {
		if r.Err == nil && !r.Repeat {
			a.rooms[room.ID] = room
		}
	}
	if a.outcome != nil && r.Err == nil {
		a.outcome(&r.Outcome)
	}
	if a.result != nil {
		a.result(given, r)
	}
}

// take commits one change as it is.
func (a *altered) take(c store.Change) store.CommitResult {
	results, err := a.Store.Commit(context.Background(), []store.Change{c})
	if err != nil {
		return store.CommitResult{Err: err}
	}
	return results[0]
}

func (a *altered) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	return a.onLoad(ctx, needs)
}

func (a *altered) LoadAccess(ctx context.Context, user roomkit.UserID, rooms []roomkit.RoomID, facts []*store.Facts) error {
	return a.onAccess(ctx, user, rooms, facts)
}

func (a *altered) load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	if a.need != nil {
		needs = slices.Clone(needs)
		for i := range needs {
			a.need(&needs[i])
		}
	}
	list, err := a.Store.Load(ctx, needs)
	for i := range list {
		f := &list[i]
		a.rows(f.Members)
		if a.outcome != nil && f.Done != nil {
			a.outcome(f.Done)
		}
		if a.facts != nil {
			a.facts(needs[i], f)
		}
	}
	return list, err
}

func (a *altered) rows(rows []roomkit.Member) {
	for i := range rows {
		if a.row != nil {
			a.row(&rows[i])
		}
	}
}

func (a *altered) Members(ctx context.Context, q store.MemberQuery) ([]roomkit.Member, error) {
	rows, err := a.onPeople(ctx, q)
	a.rows(rows)
	return rows, err
}

func (a *altered) Rooms(ctx context.Context, q store.RoomQuery) ([]roomkit.RoomEntry, error) {
	return a.onRooms(ctx, q)
}

func (a *altered) Users(ctx context.Context, q store.UserQuery) ([]roomkit.User, error) {
	return a.onUsers(ctx, q)
}

func (a *altered) Teams(ctx context.Context, q store.TeamQuery) ([]roomkit.Team, error) {
	return a.onTeams(ctx, q)
}

func (a *altered) History(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
	return a.onReads(ctx, of, after, limit)
}

func (a *altered) Feed(ctx context.Context, after roomkit.Cursor, limit int) ([]store.Record, error) {
	return a.onFeed(ctx, after, limit)
}

func (a *altered) Wake(ctx context.Context) (<-chan struct{}, error) { return a.onWake(ctx) }

func (a *altered) Head(ctx context.Context) (roomkit.Cursor, error) { return a.onHead(ctx) }

func (a *altered) Place(at roomkit.Cursor) (int64, error) { return a.onPlace(at) }

func (a *altered) CommitsInParallel() int { return a.parallel }

// What a mutant can know of the store.

func (a *altered) ask(n store.Need) store.Facts {
	facts, err := a.Store.Load(context.Background(), []store.Need{n})
	if err != nil {
		return store.Facts{}
	}
	return facts[0]
}

func (a *altered) known(c *store.Change) bool {
	return a.ask(store.Need{Command: c.Command}).Done != nil
}

func (a *altered) version(of roomkit.Subject) roomkit.Version {
	switch of.Type {
	case roomkit.SubjectRoom:
		return a.ask(store.Need{Room: of.Room}).Room.Version
	case roomkit.SubjectTeam:
		return a.ask(store.Need{Team: roomkit.TeamKey(of.ID)}).Team.Version
	case roomkit.SubjectUser:
		return first(a.ask(store.Need{People: []roomkit.UserID{roomkit.UserID(of.ID)}}).Users).Version
	}
	return first(a.ask(store.Need{Companies: []roomkit.CompanyID{roomkit.CompanyID(of.ID)}}).Companies).Version
}

func first[T any](rows []T) (none T) {
	if len(rows) > 0 {
		return rows[0]
	}
	return none
}

// counted gives the count that a tally is about, and whether there is one.
func (a *altered) counted(t store.Tally) (int64, bool) {
	if t.User != "" {
		u := first(a.ask(store.Need{People: []roomkit.UserID{t.User}}).Users)
		return u.Groups, u.Version > 0
	}
	c := first(a.ask(store.Need{Companies: []roomkit.CompanyID{t.Company}}).Companies)
	return c.Groups, c.Version > 0
}

// membersWith, roomsWith and records give all rows, without pages.
func (a *altered) membersWith(q store.MemberQuery) []roomkit.Member {
	q.After, q.Limit = "", roomkit.MaxPage
	return every(store.MemberPages(context.Background(), a.Store, q))
}

func (a *altered) roomsWith(q store.RoomQuery) []roomkit.RoomEntry {
	q.After, q.Limit = roomkit.RoomID{}, roomkit.MaxPage
	return every(store.RoomPages(context.Background(), a.Store, q))
}

func (a *altered) records() []store.Record {
	return every(store.FeedPages(context.Background(), a.Store, ""))
}

func every[T any](pages iter.Seq2[[]T, error]) (all []T) {
	for page := range pages {
		all = append(all, page...)
	}
	return all
}

// unseen are the parts of a change that a mutant does not compare.
type unseen struct {
	expect     func(c *store.Change, i int) bool
	tally      func(c *store.Change, i int) bool
	checkpoint bool
	names      bool
}

// mend makes the parts of a change that a mutant does not compare fit what is stored.
func (a *altered) mend(c *store.Change, u unseen) {
	for i := range c.Expect {
		if u.expect != nil && u.expect(c, i) {
			beside.Rebase(c, i, a.version(c.Expect[i].Subject))
		}
	}
	for i := range c.Tallies {
		if u.tally != nil && u.tally(c, i) {
			c.Tallies[i].Was, _ = a.counted(c.Tallies[i])
		}
	}
	if u.checkpoint && c.Checkpoint != nil {
		c.Checkpoint.Was = a.ask(store.Need{Checkpoint: c.Checkpoint.Name}).Checkpoint
	}
	for i, r := range c.Rooms {
		if holder := a.ask(store.Need{Name: r.NameKey, Company: r.Company}).NameHolder; u.names && !holder.IsZero() && holder != r.ID {
			c.Rooms[i].NameKey = ""
		}
	}
}

// breaks reports whether one of these parts does not hold.
func (a *altered) breaks(c store.Change, u unseen) bool {
	d := c.Clone()
	a.mend(&d, u)
	return !reflect.DeepEqual(c.Clone(), d)
}

func isWritten(c *store.Change, s roomkit.Subject) (written bool) {
	beside.EachRow(c, func(row roomkit.Subject, _ *roomkit.Version) { written = written || row == s })
	return written
}

// allParts are all parts of a change.
func allParts() unseen {
	always := func(*store.Change, int) bool { return true }
	return unseen{expect: always, tally: always, checkpoint: true, names: true}
}

var forced atomic.Uint32

// force stores what keep leaves of a change, whatever that relies on.
func (a *altered) force(c store.Change, keep func(c *store.Change)) {
	c = c.Clone()
	keep(&c)
	n := forced.Add(1)
	c.Command = roomkit.CommandID{0xf0, byte(n >> 16), byte(n >> 8), byte(n)}
	finish(&c)
	a.mend(&c, allParts())
	a.take(c)
}

// The makers of usual mutants.

// blind does not compare some parts of well-formed changes.
func blind(u unseen) func(a *altered) {
	return func(a *altered) {
		a.one = func(c store.Change) store.CommitResult {
			if c.Check() == nil && !a.known(&c) {
				a.mend(&c, u)
			}
			return a.take(c)
		}
	}
}

func blindTo(expect func(c *store.Change, e store.Expect) bool) func(a *altered) {
	return blind(unseen{expect: func(c *store.Change, i int) bool { return expect(c, c.Expect[i]) }})
}

// refusing refuses changes that are to be stored.
func refusing(when func(a *altered, c *store.Change) bool) func(a *altered) {
	return func(a *altered) {
		a.one = func(c store.Change) store.CommitResult {
			if c.Check() == nil && !a.known(&c) && when(a, &c) {
				return store.CommitResult{Err: roomkit.ErrConflict}
			}
			return a.take(c)
		}
	}
}

// storing stores what change makes of every change.
func storing(change func(a *altered, c *store.Change)) func(a *altered) {
	return func(a *altered) { a.change = func(c *store.Change) { change(a, c) } }
}

// mending makes something well-formed of malformed changes.
func mending(mend func(a *altered, c *store.Change)) func(a *altered) {
	return storing(func(a *altered, c *store.Change) {
		if c.Check() != nil {
			mend(a, c)
		}
	})
}

// after does something when a change has been dealt with.
func after(do func(a *altered, c *store.Change, r *store.CommitResult)) func(a *altered) {
	return func(a *altered) { a.result = func(c *store.Change, r *store.CommitResult) { do(a, c, r) } }
}

// onConflict stores what keep leaves of a change that is refused.
func onConflict(keep func(c *store.Change)) func(a *altered) {
	return after(func(a *altered, c *store.Change, r *store.CommitResult) {
		if errors.Is(r.Err, roomkit.ErrConflict) {
			a.force(*c, keep)
		}
	})
}

// keepOnly reduces a change to its rooms or teams.
func keepOnly(of roomkit.SubjectType) func(c *store.Change) {
	return func(c *store.Change) {
		drop(&c.Expect, func(e store.Expect) bool { return e.Subject.Type != of })
		drop(&c.Records, func(r store.Record) bool { return r.Subject.Type != of })
		rooms := of == roomkit.SubjectRoom
		*c = store.Change{
			Expect: c.Expect, Records: c.Records, Rooms: either(rooms, c.Rooms, nil), Members: either(rooms, c.Members, nil),
			Teams: either(rooms, nil, c.Teams),
		}
	}
}

// perCall replaces what a call does with its changes; no results are an error.
func perCall(do func(a *altered, changes []store.Change) []store.CommitResult) func(a *altered) {
	return func(a *altered) {
		a.onCommit = func(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
			a.mu.Lock()
			defer a.mu.Unlock()
			results := do(a, beside.Clones(changes))
			return results, either(results == nil, roomkit.ErrInvalid, ctx.Err())
		}
	}
}

// answering changes the answers of Load.
func answering(change func(a *altered, n store.Need, f *store.Facts)) func(a *altered) {
	return func(a *altered) { a.facts = func(n store.Need, f *store.Facts) { change(a, n, f) } }
}

// askingTeams changes what Teams is asked for, and telling what it answers.
func askingTeams(change func(q *store.TeamQuery)) func(a *altered) {
	return func(a *altered) {
		a.onTeams = func(ctx context.Context, q store.TeamQuery) ([]roomkit.Team, error) {
			change(&q)
			return a.Store.Teams(ctx, q)
		}
	}
}

func tellingTeams(change func(rows []roomkit.Team)) func(a *altered) {
	return func(a *altered) {
		a.onTeams = func(ctx context.Context, q store.TeamQuery) ([]roomkit.Team, error) {
			rows, err := a.Store.Teams(ctx, q)
			change(rows)
			return rows, err
		}
	}
}

// asking changes what Load is asked for.
func asking(change func(a *altered, n *store.Need)) func(a *altered) {
	return func(a *altered) { a.need = func(n *store.Need) { change(a, n) } }
}

func cut[T any](rows []T, limit int) []T {
	if limit == 0 {
		limit = roomkit.DefaultPage
	}
	return rows[:min(len(rows), limit, roomkit.MaxPage)]
}
