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
	index index[member, presentOfRoom]
	rows  map[string]*member
}

func (m *indexModel) turn(id string, there bool) {
	e := m.rows[id]
	if e == nil {
		e = &member{row: roomkit.Member{User: roomkit.UserID(id)}}
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
	var got []string
	for _, e := range m.index.page(func(e *member) bool { return string(e.row.User) > after }, 1<<30, nil) {
		got = append(got, string(e.row.User))
	}
	require.Equal(t, want, got)
	require.LessOrEqual(t, len(m.index.sorted)+len(m.index.tail), 2*living+fewStale)
	require.True(t, slices.IsSortedFunc(m.index.sorted, presentOfRoom{}.compare))
	require.Len(t, slices.Compact(slices.Clone(m.index.sorted)), len(m.index.sorted), "each once")
}

func testIndex(t *rapid.T) {
	m := &indexModel{rows: map[string]*member{}}
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

// Rows come in one by one between reads.
func TestIndexInTurn(t *testing.T) {
	const n = 2048
	m := &indexModel{rows: map[string]*member{}}
	for i := range n {
		m.turn(fmt.Sprintf("%04d", i*7%n), true)
		m.index.settle()
	}
	got := m.index.page(nil, n, nil)
	require.Len(t, got, n)
	require.True(t, slices.IsSortedFunc(got, presentOfRoom{}.compare))
}

func TestCopiedData(t *testing.T) {
	var s Store
	pieces := [][]byte{nil, {1}, make([]byte, 1<<15-1), {2}, make([]byte, 1<<15+1), {3, 4}, make([]byte, roomkit.MaxEventBytes)}
	spans := make([]span, len(pieces))
	for i, p := range pieces {
		spans[i] = s.copied(p)
	}
	for i, p := range pieces {
		at := spans[i]
		require.True(t, slices.Equal(p, s.data[at.array][at.from:at.to]), i)
		clear(p)
	}
	require.Equal(t, byte(1), s.data[spans[1].array][spans[1].from], "they are copies")
}
