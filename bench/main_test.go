package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEnginesAgree: the comparison is one of equals.
func TestEnginesAgree(t *testing.T) {
	m := newModel(50)
	list, err := engines(m)
	require.NoError(t, err)
	require.NoError(t, agree(m, list))
}

func TestAgreeRefuses(t *testing.T) {
	m := newModel(50)
	list, err := engines(m)
	require.NoError(t, err)
	liar := engine{"liar", func(q question) bool { return q.person == m.people[0] || list[0].may(q) }}
	m.questions = append(m.questions, question{room: 1, person: m.people[0], action: "leave"})
	require.Error(t, agree(m, append(list, liar)))
}

func BenchmarkEngines(b *testing.B) {
	m := newModel(50)
	list, err := engines(m)
	require.NoError(b, err)
	for _, e := range list {
		b.Run(e.name, func(b *testing.B) {
			for i := range b.N {
				e.may(m.questions[i%len(m.questions)])
			}
		})
	}
}
