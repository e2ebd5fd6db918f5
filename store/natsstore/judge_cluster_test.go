package natsstore_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/codec"
	"github.com/go-roomkit/roomkit/store"
)

// place is where an event is: the room, and its version.
type place struct {
	room    roomkit.RoomID
	version roomkit.Version
}

// judge demands that the log has what was acknowledged, once, and nothing else, and that
// all answers about a room can be put in an order.
func (tr *trial) judge(t *testing.T) {
	t.Helper()
	require.Empty(t, append(tr.wrong, tr.judgement(t)...), "seed %d", tr.seed)
}

func (tr *trial) judgement(t *testing.T) []string {
	t.Helper()
	s := tr.take(t, len(tr.seats), seatOptions{node: anyNode})
	all, err := recordsOf(minutes(t, 1), s.host.(local).store)
	require.NoError(t, err)
	return judged(tr.founded, all, tr.ops, tr.edits)
}

// judged says what is wrong with a log and the answers that were given meanwhile.
func judged(founded map[roomkit.RoomID]roomkit.Version, all []store.Record, ops, edits []operation) (wrong []string) {
	complain := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	events := map[place]roomkit.Event{}
	texts := map[string]roomkit.Version{}
	for i := range all {
		e, err := codec.DecodeRecord(all[i])
		if err != nil {
			complain("%v", err)
			continue
		}
		info := e.Info()
		if info.Subject.Type != roomkit.SubjectRoom || info.Version <= founded[info.Subject.Room] {
			continue
		}
		if e, ok := e.(*roomkit.DescriptionChanged); ok {
			if texts[e.To] > 0 {
				complain("%q is stored twice", e.To)
			}
			texts[e.To] = info.Version
		}
		events[place{info.Subject.Room, info.Version}] = e
	}
	var told []operation
	for _, op := range ops {
		if op.What != check && op.Fate == done {
			at := place{op.Room, op.Version}
			if e := events[at]; !makes(op.Order, e) {
				complain("the acknowledged %s of %s at version %d is not stored, but %T", op.What, op.Person, op.Version, e)
			}
			delete(events, at)
		}
		told = append(told, op)
	}
	for _, op := range edits {
		version, stored := texts[op.Text]
		switch {
		case op.Fate == done && version != op.Version:
			complain("the acknowledged %q at version %d is at version %d", op.Text, op.Version, version)
		case stored && (op.Fate == nothing || op.Fate == refused):
			complain("%q is stored, and its caller was told: %s", op.Text, op.Error)
		case stored && op.Fate == unknown:
			op.Version, op.to = version, math.MaxInt64
		}
		if stored {
			delete(events, place{op.Room, version})
			told = append(told, op)
		}
	}
	for at, e := range events {
		complain("%T at version %d of %s is nobody's", e, at.version, at.room)
	}
	return append(wrong, linear(founded, told)...)
}

// makes reports whether an order makes an event.
func makes(o Order, e roomkit.Event) bool {
	var people []roomkit.Person
	switch e := e.(type) {
	case *roomkit.MemberJoined:
		if o.What == invite {
			people = e.People
		}
	case *roomkit.MemberLeft:
		if o.What == remove {
			people = e.People
		}
	}
	return len(people) == 1 && people[0].User == o.Person
}

// sheet is the state of a room: its version, and who is in it.
type sheet struct {
	version roomkit.Version
	inside  [64]bool
}

// linear demands for every room an order of the answers in which each is true.
func linear(founded map[roomkit.RoomID]roomkit.Version, ops []operation) (wrong []string) {
	rooms := map[roomkit.RoomID][]porcupine.Operation{}
	people := map[roomkit.UserID]int{}
	for i := range ops {
		op := &ops[i]
		if _, known := people[op.Person]; !known && op.Person != "" {
			people[op.Person] = len(people)
		}
		rooms[op.Room] = append(rooms[op.Room], porcupine.Operation{Input: op, Call: int64(op.from), Return: int64(op.to)})
	}
	model := porcupine.Model{
		Step: func(state, input, _ any) (bool, any) {
			s, op := state.(sheet), input.(*operation)
			who := people[op.Person]
			if op.What == check {
				return s.inside[who] == op.Changed, s
			}
			s.version++
			if op.What != edit {
				was := s.inside[who]
				s.inside[who] = op.What == invite
				return s.version == op.Version && was != s.inside[who], s
			}
			return s.version == op.Version, s
		},
	}
	for room, list := range rooms {
		model.Init = func() any { return sheet{version: founded[room]} }
		if r := porcupine.CheckOperationsTimeout(model, list, 2*time.Minute); r != porcupine.Ok {
			wrong = append(wrong, fmt.Sprintf("the %d answers about room %s fit in no order: %s", len(list), room, r))
		}
	}
	return wrong
}

// TestJudge: histories with a fault are found, one without is not.
func TestJudge(t *testing.T) {
	histories := []struct {
		name  string
		spoil func(h *history)
		want  string
	}{
		{"nothing", func(*history) {}, ""},
		{"an acknowledged command is lost", func(h *history) { h.records = h.records[:len(h.records)-1] }, "not stored"},
		{"a command is stored twice", func(h *history) { h.add("u00", invite, 5) }, "nobody's"},
		{"an edit is stored twice", func(h *history) { h.edit("one", 5) }, "stored twice"},
		{"an edit that was refused is stored", func(h *history) { h.edits[0].Fate = nothing }, "its caller was told"},
		{"an answer is old", func(h *history) { h.ask("u00", true, 9) }, "in no order"},
		{"an answer is not old but early", func(h *history) { h.ask("u00", true, 3) }, ""},
		{"an edit of unknown outcome is stored", func(h *history) { h.edits[0].Fate, h.edits[0].Version = unknown, 0 }, ""},
	}
	for _, c := range histories {
		t.Run(c.name, func(t *testing.T) {
			h := &history{}
			h.add("u00", invite, 2)
			h.edit("one", 3)
			h.edits = append(h.edits, operation{Order{What: edit, Room: judgedRoom, Text: "one"}, Answer{Fate: done, Version: 3}, 30, 39})
			h.add("u00", remove, 4)
			for i, what := range []what{invite, remove} {
				version := roomkit.Version(2 + 2*i)
				h.ops = append(h.ops, operation{Order{What: what, Room: judgedRoom, Person: "u00"}, Answer{Fate: done, Version: version}, time.Duration(version) * 10, time.Duration(version)*10 + 9})
			}
			h.ask("u00", false, 1)
			h.ask("u00", false, 6)
			c.spoil(h)
			wrong := judged(map[roomkit.RoomID]roomkit.Version{judgedRoom: 1}, h.records, h.ops, h.edits)
			if c.want == "" {
				require.Empty(t, wrong)
				return
			}
			require.Contains(t, strings.Join(wrong, "\n"), c.want)
		})
	}
}

var judgedRoom = roomkit.RoomID{1}

// history is a log and answers that were made by hand.
type history struct {
	records    []store.Record
	ops, edits []operation
}

func (h *history) record(e roomkit.Event, version roomkit.Version) {
	*e.Info() = roomkit.Meta{Subject: roomkit.RoomSubject(judgedRoom), Version: version, Actor: roomkit.By(boss), At: time.Unix(1, 0).UTC(), Command: roomkit.CommandID{1}, Kind: roomkit.KindGroup}
	data, err := codec.Encode(nil, e)
	if err != nil {
		panic(err)
	}
	h.records = append(h.records, store.Record{Subject: e.Info().Subject, Version: version, Type: e.Type(), At: e.Info().At, Data: data})
}

func (h *history) add(who roomkit.UserID, what what, version roomkit.Version) {
	people := []roomkit.Person{{User: who}}
	if what == invite {
		h.record(&roomkit.MemberJoined{People: people}, version)
		return
	}
	h.record(&roomkit.MemberLeft{People: people}, version)
}

func (h *history) edit(text string, version roomkit.Version) {
	h.record(&roomkit.DescriptionChanged{To: text}, version)
}

func (h *history) ask(who roomkit.UserID, in bool, at time.Duration) {
	h.ops = append(h.ops, operation{Order{What: check, Room: judgedRoom, Person: who}, Answer{Fate: done, Changed: in}, at * 10, at*10 + 1})
}
