package memstore

import (
	"bytes"
	"cmp"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
)

// An index lists elements in the order of their ids. Writers, who have the store
// to themselves, only append to a tail and count; the next reader sorts the tail
// in. So nothing that is written costs more because a list is long, and a list
// that nobody reads in order is never put in order. Elements that do not belong
// here any more stay until there are more of them than of others.
type index[E any, O order[E]] struct {
	living int         // how many belong here; only writers change it
	dirty  atomic.Bool // there is a tail
	mu     sync.Mutex  // for readers that settle at the same time
	sorted []*E        // each once
	tail   []*E        // came since then
}

// order says what an index lists, and in which order.
type order[E any] interface {
	live(e *E) bool // belongs here
	compare(a, b *E) int
}

// fewStale are not worth a purge.
const fewStale = 32

// turn tells that an element that belonged here or not now does or does not.
func (x *index[E, O]) turn(e *E, was, is bool) {
	switch {
	case was == is:
		return
	case is:
		x.living++
		x.tail = append(x.tail, e)
		if !x.dirty.Load() {
			x.dirty.Store(true)
		}
	default:
		x.living--
	}
	x.purge()
}

// forget takes an element out at once. It is the one write that looks at the
// whole list; only a room or user whose company changes needs it.
func (x *index[E, O]) forget(e *E, live bool) {
	if live {
		x.living--
	}
	is := func(other *E) bool { return other == e }
	x.sorted, x.tail = slices.DeleteFunc(x.sorted, is), slices.DeleteFunc(x.tail, is)
	x.purge()
}

// purge takes out what does not belong here, once that is more than the rest.
func (x *index[E, O]) purge() {
	if len(x.sorted)+len(x.tail) <= 2*x.living+fewStale {
		return
	}
	var o O
	stale := func(e *E) bool { return !o.live(e) }
	x.sorted, x.tail = slices.DeleteFunc(x.sorted, stale), slices.DeleteFunc(x.tail, stale)
	x.settle()
}

// settle sorts the tail in. Readers that find one do it one at a time; without a
// tail the index does not change, for writers wait for all readers.
func (x *index[E, O]) settle() {
	if !x.dirty.Load() {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.dirty.Load() {
		return
	}
	var o O
	slices.SortFunc(x.tail, o.compare)
	tail := slices.DeleteFunc(slices.Compact(x.tail), func(e *E) bool {
		_, again := slices.BinarySearchFunc(x.sorted, e, o.compare) // it had left
		return again
	})
	n := len(x.sorted)
	x.sorted = append(x.sorted, tail...)
	for i, e := range slices.Backward(tail) {
		at, _ := slices.BinarySearchFunc(x.sorted[:n], e, o.compare)
		copy(x.sorted[at+i+1:], x.sorted[at:n])
		x.sorted[at+i] = e
		n = at
	}
	x.tail = nil
	x.dirty.Store(false)
}

// page gives the first elements, in order, that are past a point and that keep
// accepts; nil stands for the beginning, and for all.
func (x *index[E, O]) page(past func(*E) bool, limit int, keep func(*E) bool) []*E {
	var o O
	x.settle()
	first := 0
	if past != nil {
		first = sort.Search(len(x.sorted), func(i int) bool { return past(x.sorted[i]) })
	}
	found := make([]*E, 0, min(limit, x.living))
	for _, e := range x.sorted[first:] {
		if len(found) == limit {
			break
		}
		if o.live(e) && (keep == nil || keep(e)) {
			found = append(found, e)
		}
	}
	return found
}

// What the indexes list.
type (
	presentOfRoom   struct{ byUser } // who take part in or manage a room
	mastersOfRoom   struct{ byUser }
	leftOfRoom      struct{ byUser }   // who did once
	presentOfUser   struct{ byRoom }   // what a user takes part in or manages
	leftOfUser      struct{ byRoom }   // what a user once did
	roomsOfCompany  struct{ byRoomID } // active rooms
	publicOfCompany struct{ byRoomID } // active public groups
	usersOfCompany  struct{}
	teamsOfCompany  struct{}

	byUser   struct{}
	byRoom   struct{}
	byRoomID struct{}
)

func (byUser) compare(a, b *member) int       { return cmp.Compare(a.row.User, b.row.User) }
func (byRoom) compare(a, b *member) int       { return bytes.Compare(a.row.Room[:], b.row.Room[:]) }
func (byRoomID) compare(a, b *room) int       { return bytes.Compare(a.row.ID[:], b.row.ID[:]) }
func (usersOfCompany) compare(a, b *user) int { return cmp.Compare(a.row.ID, b.row.ID) }
func (teamsOfCompany) compare(a, b *team) int { return cmp.Compare(a.row.ID, b.row.ID) }

func (presentOfRoom) live(m *member) bool { return m.present() }
func (mastersOfRoom) live(m *member) bool { return m.row.Master }
func (leftOfRoom) live(m *member) bool    { return !m.present() }
func (presentOfUser) live(m *member) bool { return m.present() }
func (leftOfUser) live(m *member) bool    { return !m.present() }
func (roomsOfCompany) live(r *room) bool  { return r.active() }
func (publicOfCompany) live(r *room) bool { return r.public() }
func (usersOfCompany) live(*user) bool    { return true }
func (teamsOfCompany) live(*team) bool    { return true }
