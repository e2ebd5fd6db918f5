package natsstore

import (
	"context"
	"crypto/rand"
	"fmt"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// bench is a copy that is given messages by hand, as a log would have them.
type bench struct {
	*testing.T
	*Store
	seq   uint64
	chain chain
}

func newBench(t *testing.T) *bench {
	s := &Store{log: logID{7}, writer: writerID{1}, copy: memstore.New()}
	s.ctx, s.stop = context.WithCancelCause(t.Context())
	s.sender.begin()
	_, err := s.applier.begin(t.Context(), s)
	require.NoError(t, err)
	s.applier.start()
	return &bench{T: t, Store: s, chain: s.log.begin()}
}

// give puts a message into the log.
func (b *bench) give(e envelope) {
	b.Helper()
	data := e.encode()
	b.seq++
	require.NoError(b, b.take([]entry{{b.seq, data}}))
	b.chain = b.chain.after(data)
}

// message gives one from a writer who has seen all that is there.
func (b *bench) message(number uint64, calls ...store.Change) envelope {
	e := envelope{log: b.log, writer: writerID{9}, number: number, parts: 1, seen: b.seq, chain: b.chain, rules: rules}
	of := body{kind: kindCalls}
	if len(calls) > 0 {
		of.calls = [][]store.Change{calls}
	}
	e.body = of.encode()
	return e
}

// cut gives the parts of a message.
func cut(e envelope, parts int) (list []envelope) {
	size := (len(e.body) + parts - 1) / parts
	for i := range parts {
		p := e
		p.part, p.parts = uint64(i), uint64(parts)
		p.body = e.body[i*size : min((i+1)*size, len(e.body))]
		list = append(list, p)
	}
	return list
}

func (b *bench) records() int {
	b.Helper()
	page, err := b.copy.Feed(b.Context(), "", roomkit.MaxPage)
	require.NoError(b, err)
	return len(page)
}

func TestParts(t *testing.T) {
	change := func(n int) store.Change { return sqltest.NewPen(n).Change(1, false) }
	t.Run("between those of others", func(t *testing.T) {
		b := newBench(t)
		one, two := cut(b.message(1, change(1)), 3), cut(b.message(2, change(2)), 2)
		for _, e := range []envelope{one[0], two[0], one[1], two[1], one[2]} {
			b.give(e)
		}
		require.Equal(t, 2, b.records())
	})
	t.Run("repeated", func(t *testing.T) {
		b := newBench(t)
		one := cut(b.message(1, change(1)), 3)
		for _, e := range []envelope{one[0], one[0], one[1], one[0], one[2], one[1], one[2]} {
			b.give(e)
		}
		require.Equal(t, 1, b.records())
	})
	t.Run("one is missing", func(t *testing.T) {
		b := newBench(t)
		one := cut(b.message(1, change(1)), 3)
		b.give(one[0])
		b.give(one[2])
		b.give(one[1])
		require.Zero(t, b.records())
		require.Empty(t, b.applier.bodies)
	})
	t.Run("nobody sends the last one", func(t *testing.T) {
		b := newBench(t)
		b.give(cut(b.message(1, change(1)), 2)[0])
		for n := range uint64(2 * window) {
			b.give(b.message(n + 2))
		}
		require.Empty(t, b.applier.bodies)
	})
}

// A message that comes too long after what its writer had seen is refused by all copies: they may not
// know any more whether it is a repetition.
func TestLateMessages(t *testing.T) {
	change := sqltest.NewPen(1).Change(1, false)
	for _, late := range []uint64{0, 1} {
		b := newBench(t)
		e := b.message(1, change)
		for n := range window - 1 + late {
			b.give(b.message(n + 2))
		}
		b.give(e)
		require.Equal(t, 1-int(late), b.records())
	}
}

// Whoever waits for a message that is late is told that nothing was stored.
func TestLateIsAConflict(t *testing.T) {
	b := newBench(t)
	r := &request{changes: 1, done: make(chan struct{})}
	require.True(t, b.sender.push(r))
	b.sender.under[1] = &flight{number: 1, requests: []*request{r}, cancel: func() {}}
	e := b.message(1, sqltest.NewPen(1).Change(1, false))
	e.writer = b.writer
	for n := range uint64(window) {
		b.give(b.message(n + 2))
	}
	b.give(e)
	<-r.done
	require.ErrorIs(t, r.results[0].Err, roomkit.ErrConflict)
	require.Zero(t, b.records())
}

// A writer that has seen another log, or more than there is, shows that messages are lost.
func TestContradictions(t *testing.T) {
	for name, spoil := range map[string]func(*envelope){
		"another past": func(e *envelope) { e.chain[3] ^= 1 },
		"the future":   func(e *envelope) { e.seen = 3 },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.give(b.message(1))
			b.give(b.message(2))
			e := b.message(3, sqltest.NewPen(1).Change(1, false))
			spoil(&e)
			require.ErrorIs(t, b.take([]entry{{3, e.encode()}}), ErrLost)
			require.Zero(t, b.records())
			if name == "another past" {
				b.o.AcceptedTo = 3
				require.NoError(t, b.take([]entry{{3, e.encode()}}))
				require.Equal(t, 1, b.records())
			}
		})
	}
	t.Run("another message in the same place", func(t *testing.T) {
		b := newBench(t)
		b.give(b.message(1))
		e := b.message(2)
		b.give(e)
		require.NoError(t, b.take([]entry{{2, e.encode()}}))
		e.number++
		require.ErrorIs(t, b.take([]entry{{2, e.encode()}}), ErrLost)
	})
	t.Run("a gap", func(t *testing.T) {
		b := newBench(t)
		e := b.message(1)
		require.ErrorIs(t, b.take([]entry{{2, e.encode()}}), errGap)
	})
}

// Own messages that are acknowledged before those of others have come wait for them.
func TestOwnMessagesWait(t *testing.T) {
	b := newBench(t)
	first, second := b.message(1, sqltest.NewPen(1).Change(1, false)), b.message(1, sqltest.NewPen(2).Change(1, false))
	second.writer = b.writer
	b.own(2, second.encode())
	require.Zero(t, b.records())
	b.give(first)
	require.Equal(t, 2, b.records())
	require.Empty(t, b.applier.early)
	b.own(2, second.encode())
	require.NoError(t, b.Err())
	rand.Read(second.body)
	b.own(2, second.encode())
	require.ErrorIs(t, b.Err(), ErrLost)
}

// TestOtherRules: a copy does not judge by rules that it does not know, whatever the operator accepts.
func TestOtherRules(t *testing.T) {
	b := newBench(t)
	b.o.AcceptedTo = 100
	e := b.message(1, sqltest.NewPen(1).Change(1, false))
	e.rules++
	require.ErrorIs(t, b.take([]entry{{1, e.encode()}}), ErrNewer)
	require.Zero(t, b.records())
	e.rules = 0
	_, err := decodeEnvelope(e.encode())
	require.ErrorIs(t, err, ErrForeign)
}

// TestClockFarOff: what a copy makes of a message depends on the message alone, and not on the day: in the second
// copy it is the year 2000.
func TestClockFarOff(t *testing.T) {
	play := func(t *testing.T) (holds string, at place, year int) {
		b, pen := newBench(t), sqltest.NewPen(1)
		for n := range uint64(50) {
			c := pen.Change(3, false)
			b.give(b.message(2*n+1, c))
			if n%5 == 0 {
				c.Command[0]++ // which comes too late
				b.give(b.message(2*n+2, c))
			}
		}
		for p, err := range b.copy.Dump(t.Context()) {
			require.NoError(t, err)
			holds += fmt.Sprintf("%v\n", *p)
		}
		return holds, *b.applier.place.Load(), time.Now().Year() //nolint:forbidigo // it is what the test is about
	}
	holds, at, year := play(t)
	require.Greater(t, year, 2020)
	synctest.Test(t, func(t *testing.T) {
		again, place, year := play(t)
		require.Equal(t, 2000, year)
		require.Equal(t, holds, again)
		require.Equal(t, at, place, "and so are the results")
	})
}

// A snapshot of a copy that has other records than the log has made is neither written nor taken.
func TestSnapshotOfOtherRecords(t *testing.T) {
	copied := memstore.New()
	change := sqltest.NewPen(1).Change(3, false)
	_, err := copied.Commit(t.Context(), []store.Change{change})
	require.NoError(t, err)
	write := func(v *snapshot) (chunks [][]byte, err error) {
		w := newChunker(1000, func(chunk []byte) error {
			chunks = append(chunks, chunk)
			return nil
		})
		next, stop := iter.Pull2(copied.Dump(t.Context()))
		defer stop()
		first, err, more := next()
		err = w.all(v, first, err, more, next)
		v.chunks, v.bytes = w.n, w.bytes
		w.sum.Sum(v.sum[:0])
		return chunks, err
	}
	read := func(v *snapshot, chunks [][]byte) error {
		into := memstore.New()
		err := into.Fill(t.Context(), v.parts(v.checked(func(yield func([]byte, error) bool) {
			for _, chunk := range chunks {
				if !yield(chunk, nil) {
					return
				}
			}
		})))
		head, wrong := into.Head(t.Context())
		require.NoError(t, wrong)
		require.Equal(t, err == nil, head != "", "all of it or nothing")
		return err
	}
	v := snapshot{at: place{head: int64(len(change.Records))}}
	chunks, err := write(&v)
	require.NoError(t, err)
	require.NoError(t, read(&v, chunks))
	v.at.head++
	require.ErrorIs(t, read(&v, chunks), errTorn)
	_, err = write(&v)
	require.ErrorIs(t, err, ErrOtherLog)
}
