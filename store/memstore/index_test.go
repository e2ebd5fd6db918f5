package memstore

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/go-roomkit/roomkit"
)

// indexModel plays writes and reads on one index and keeps what it has to list.
type indexModel struct {
	index index[membership, presentOfRoom]
	rows  map[string]*membership
}

func (m *indexModel) turn(id string, there bool) {
	e := m.rows[id]
	if e == nil {
		e = &membership{row: roomkit.Member{User: roomkit.UserID(id)}}
		m.rows[id] = e
	}
	was := e.present()
	e.row.Participant = there
	m.index.turn(e, was, there)
}

func (m *indexModel) check(t *rapid.T, after string) {
	var want []string
	living := 0
	for id, e := range m.rows {
		if e.present() {
			living++
			if id > after {
				want = append(want, id)
			}
		}
	}
	slices.Sort(want)
	require.Equal(t, living, m.index.living)
	var all []string
	for e := range m.index.all() {
		all = append(all, string(e.row.User))
	}
	require.Len(t, all, living, "before it is settled")
	var got []string
	for e := range m.index.from(func(e *membership) bool { return string(e.row.User) > after }) {
		got = append(got, string(e.row.User))
	}
	require.Equal(t, want, got)
	size := 0
	for _, chunk := range m.index.chunks {
		require.NotEmpty(t, chunk)
		require.LessOrEqual(t, len(chunk), maxChunk)
		size += len(chunk)
	}
	require.Equal(t, size, m.index.size)
}

func testIndex(t *rapid.T) {
	m := &indexModel{rows: map[string]*membership{}}
	id := rapid.Custom(func(t *rapid.T) string { return fmt.Sprintf("%04d", rapid.IntRange(0, 3000).Draw(t, "id")) })
	t.Repeat(map[string]func(*rapid.T){
		"": func(*rapid.T) {},
		"turn": func(t *rapid.T) {
			m.turn(id.Draw(t, "id"), rapid.Bool().Draw(t, "there"))
		},
		"turn a run": func(t *rapid.T) {
			first, n := rapid.IntRange(0, 2000).Draw(t, "first"), rapid.IntRange(1, 900).Draw(t, "n")
			there := rapid.Bool().Draw(t, "there")
			for i := range n {
				m.turn(fmt.Sprintf("%04d", first+i), there)
			}
		},
		"forget": func(t *rapid.T) {
			if e := m.rows[id.Draw(t, "id")]; e != nil {
				m.index.forget(e, e.present())
				e.row.Participant = false
			}
		},
		"read": func(t *rapid.T) { m.check(t, id.Draw(t, "after")) },
	})
	m.check(t, "")
}

func TestIndex(t *testing.T) { rapid.Check(t, testIndex) }

func FuzzIndex(f *testing.F) { f.Fuzz(rapid.MakeFuzz(testIndex)) }

// Chunks split when rows come in one by one between reads.
func TestIndexSplits(t *testing.T) {
	m := &indexModel{rows: map[string]*membership{}}
	for i := range 4 * maxChunk {
		m.turn(fmt.Sprintf("%04d", i*7%(4*maxChunk)), true)
		for range m.index.from(func(*membership) bool { return true }) {
			break
		}
	}
	require.Greater(t, len(m.index.chunks), 4)
	var got []*membership
	for e := range m.index.from(func(*membership) bool { return true }) {
		got = append(got, e)
	}
	require.Len(t, got, 4*maxChunk)
	require.True(t, slices.IsSortedFunc(got, presentOfRoom{}.compare))
}

func TestHeap(t *testing.T) {
	var h heap
	pieces := [][]byte{nil, {1}, make([]byte, heapChunk-1), {2}, make([]byte, heapChunk+1), {3, 4}, make([]byte, roomkit.MaxEventBytes)}
	spans := make([]span, len(pieces))
	for i, p := range pieces {
		if len(p) > 9 {
			p[len(p)-1] = byte(i)
		}
		spans[i] = h.put(p)
	}
	for i, p := range pieces {
		require.True(t, slices.Equal(p, h.get(spans[i])), i)
	}
}
