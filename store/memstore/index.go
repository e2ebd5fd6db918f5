package memstore

import (
	"iter"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
)

// An index lists elements in the order of their ids. Writers, who have the
// store to themselves, only append to a tail or count what went stale. The next
// reader settles the index: it sorts the tail in and throws the stale out. So
// nothing that is written costs more because a list is long, and a list that
// nobody reads in order is never put in order.
type index[E any, O order[E]] struct {
	dirty  atomic.Bool
	mu     sync.Mutex // for readers that settle at the same time
	chunks [][]*E     // in order, none empty
	tail   []*E       // since then
	size   int        // of chunks and tail
	stale  int        // of size, those that do not belong here any more
	living int        // how many belong here; only writers change it, so any reader may look
}

// order says what an index lists, and in which order.
type order[E any] interface {
	compare(a, b *E) int
	live(e *E) bool  // belongs here
	held(e *E) *bool // whether it is in chunks or tail
}

const (
	maxChunk    = 512 // a chunk that grows beyond is halved
	newChunk    = maxChunk * 3 / 4
	spareStale  = 16 // stale elements that are not worth a purge
	bulkDivisor = 8  // a tail of more than this part of all is merged at once
)

// turn tells that an element that belonged here or not now does or does not.
func (x *index[E, O]) turn(e *E, was, is bool) {
	switch {
	case was == is:
	case is:
		x.living++
		x.add(e)
	default:
		x.living--
		x.stale++
		if x.manyStale() {
			x.dirty.Store(true)
		}
	}
}

func (x *index[E, O]) add(e *E) {
	var o O
	held := o.held(e)
	if *held {
		x.stale--
		return
	}
	*held = true
	x.tail = append(x.tail, e)
	x.size++
	if !x.dirty.Load() {
		x.dirty.Store(true)
	}
}

// forget takes an element out at once. It is the one write that looks at the
// whole list; only a room or user whose company changes needs it.
func (x *index[E, O]) forget(e *E, live bool) {
	var o O
	if held := o.held(e); *held {
		*held = false
		x.size--
		if live {
			x.living--
		} else {
			x.stale--
		}
		is := func(other *E) bool { return other == e }
		x.tail = slices.DeleteFunc(x.tail, is)
		for i := range x.chunks {
			x.chunks[i] = slices.DeleteFunc(x.chunks[i], is)
		}
		x.chunks = slices.DeleteFunc(x.chunks, func(c []*E) bool { return len(c) == 0 })
	}
}

func (x *index[E, O]) manyStale() bool { return x.stale > spareStale+x.size/2 }

// all gives what belongs here in no order. Only writers may use it.
func (x *index[E, O]) all() iter.Seq[*E] {
	var o O
	return func(yield func(*E) bool) {
		for _, chunk := range append(slices.Clip(x.chunks), x.tail) {
			for _, e := range chunk {
				if o.live(e) && !yield(e) {
					return
				}
			}
		}
	}
}

// from gives what belongs here, in order, from the first element on that is
// past a point.
func (x *index[E, O]) from(past func(*E) bool) iter.Seq[*E] {
	var o O
	return func(yield func(*E) bool) {
		x.settle()
		k := sort.Search(len(x.chunks), func(k int) bool { return past(x.chunks[k][len(x.chunks[k])-1]) })
		for i, chunk := range x.chunks[k:] {
			if i == 0 {
				chunk = chunk[sort.Search(len(chunk), func(i int) bool { return past(chunk[i]) }):]
			}
			for _, e := range chunk {
				if o.live(e) && !yield(e) {
					return
				}
			}
		}
	}
}

// settle puts the index in order. Readers that find it dirty do it one at a
// time; while it is clean it does not change, for writers wait for all readers.
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
	if x.manyStale() {
		x.purge()
	}
	slices.SortFunc(x.tail, o.compare)
	if len(x.tail) > len(x.chunks)+x.size/bulkDivisor {
		x.cut(merge(slices.Concat(x.chunks...), x.tail, o.compare))
	} else {
		for _, e := range x.tail {
			x.insert(e)
		}
	}
	x.tail = nil
	x.dirty.Store(false)
}

func (x *index[E, O]) purge() {
	var o O
	dead := func(e *E) bool {
		if o.live(e) {
			return false
		}
		*o.held(e) = false
		return true
	}
	x.tail = slices.DeleteFunc(x.tail, dead)
	sorted := slices.DeleteFunc(slices.Concat(x.chunks...), dead)
	x.cut(sorted)
	x.size, x.stale = len(sorted)+len(x.tail), 0
}

// cut makes chunks of what is sorted.
func (x *index[E, O]) cut(sorted []*E) {
	x.chunks = slices.AppendSeq(x.chunks[:0:0], slices.Chunk(sorted, newChunk))
}

func (x *index[E, O]) insert(e *E) {
	var o O
	k := sort.Search(len(x.chunks), func(k int) bool { return o.compare(x.chunks[k][0], e) > 0 })
	k = max(k-1, 0)
	i, _ := slices.BinarySearchFunc(x.chunks[k], e, o.compare)
	x.chunks[k] = slices.Insert(x.chunks[k], i, e)
	if chunk := x.chunks[k]; len(chunk) > maxChunk {
		half := len(chunk) / 2
		x.chunks[k] = slices.Clip(chunk[:half])
		x.chunks = slices.Insert(x.chunks, k+1, slices.Clone(chunk[half:]))
	}
}

func merge[E any](a, b []*E, compare func(a, b *E) int) []*E {
	merged := make([]*E, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if compare(a[0], b[0]) < 0 {
			merged, a = append(merged, a[0]), a[1:]
		} else {
			merged, b = append(merged, b[0]), b[1:]
		}
	}
	return append(append(merged, a...), b...)
}
