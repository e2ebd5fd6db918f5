package main

import (
	"fmt"
	"math/rand/v2"
)

// model is the role model that all engines hold: groups with members and
// masters. Members read and post; masters invite and remove, and read only if
// they are members as well. Nobody leaves.
type model struct {
	people    []string
	rooms     []room
	questions []question
}

type room struct {
	members map[string]bool
	masters map[string]bool
}

type question struct {
	room     int
	person   string
	action   string
	expected bool
}

var actions = []string{"enter", "post", "invite", "remove", "leave"}

func newModel(rooms int) *model {
	r := rand.New(rand.NewPCG(1, 2))
	m := &model{}
	for i := range 1000 {
		m.people = append(m.people, fmt.Sprintf("user%04d", i))
	}
	for i := range rooms {
		group := room{map[string]bool{}, map[string]bool{}}
		for len(group.members) < 10 {
			group.members[m.people[r.IntN(len(m.people))]] = true
		}
		group.masters[m.master(i)] = true
		group.members[m.master(i)] = i%2 == 0
		m.rooms = append(m.rooms, group)
	}
	for len(m.questions) < 4096 {
		i := r.IntN(rooms)
		person := m.people[r.IntN(len(m.people))]
		if r.IntN(4) > 0 {
			person = m.member(r, i)
		}
		q := question{room: i, person: person, action: actions[r.IntN(len(actions))]}
		q.expected = m.allowed(q)
		m.questions = append(m.questions, q)
	}
	return m
}

// master is the one master of a room, who takes part in every second room only.
func (m *model) master(room int) string { return m.people[room%len(m.people)] }

func (m *model) member(r *rand.Rand, room int) string {
	if r.IntN(4) == 0 {
		return m.master(room)
	}
	for {
		if p := m.people[r.IntN(len(m.people))]; m.rooms[room].members[p] {
			return p
		}
	}
}

func (m *model) allowed(q question) bool {
	room := m.rooms[q.room]
	switch q.action {
	case "enter", "post":
		return room.members[q.person]
	case "invite", "remove":
		return room.masters[q.person]
	}
	return false
}
