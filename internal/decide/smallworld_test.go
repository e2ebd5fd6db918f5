package decide

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

// The small world is explored completely: a few users of two companies, one
// room, every command of every actor at every state that can be reached. After
// each step the invariants are checked; they are stated here as sets and do not
// ask the policy.

var theRoom = roomkit.RoomID{1}

type explorer struct {
	t     testing.TB
	rules *roomkit.Rules
	moves []move
	steps int
	tally map[string]int // which commands changed something
}

func newExplorer(t testing.TB, moves ...[]move) *explorer {
	return &explorer{t: t, rules: roomkit.NewRules(roomkit.Policy{AnyoneIsContact: true}), moves: slices.Concat(moves...), tally: map[string]int{}}
}

// key names a state without its versions and times, and without what no rule of
// membership looks at: names, pictures, features.
func (x *explorer) key(w *world) string {
	room := w.rooms[w.main]
	var b bytes.Buffer
	flag := func(set bool) byte { return map[bool]byte{false: '.', true: 'x'}[set] }
	b.Write([]byte{'0' + byte(room.Kind), '0' + byte(room.State), flag(room.MessageOffSince.IsZero())})
	for _, id := range w.everybody {
		p := w.person(w.main, id)
		b.Write([]byte{
			' ', '0' + byte(p.Status), flag(p.Row.Participant), flag(p.Row.Master), flag(p.Works), flag(p.TakesPart(&room)), flag(p.Manages(&room)),
			flag(p.worksHeldSince(p.epoch())), flag(p.Row.Left == roomkit.CauseRoomEnded),
		})
	}
	for _, id := range []roomkit.CompanyID{"acme", "bolt"} {
		b.WriteByte('0' + byte(w.companies[id].Works))
	}
	for _, u := range w.teams["crew"].Members {
		b.WriteString(string(u))
	}
	return b.String()
}

// explore visits every reachable state up to a number of states and calls at on
// each, with the decisions that changed something there.
func (x *explorer) explore(start *world, limit int, at func(w *world, changing []move)) (states int) {
	seen := map[string]bool{x.key(start): true}
	queue := []*world{start}
	for len(queue) > 0 {
		w := queue[0]
		queue[0], queue = nil, queue[1:]
		states++
		var changing []move
		for _, m := range x.moves {
			next := x.step(w, m)
			if next == nil {
				continue
			}
			changing = append(changing, m)
			if k := x.key(next); !seen[k] && len(seen) < limit {
				seen[k] = true
				queue = append(queue, next)
			}
		}
		if at != nil {
			at(w, changing)
		}
	}
	return states
}

// step makes a move and checks it; nil if nothing changed.
func (x *explorer) step(w *world, m move) *world {
	x.steps++
	d, err := w.decide(x.rules, m.actor, m.cmd, roomkit.RoomID{2})
	if err != nil {
		x.checkRefusal(m, err)
		return nil
	}
	if len(d.Events) == 0 {
		return nil
	}
	next := w.copyFor(&d)
	require.True(x.t, next.commit(&d), "%v: a fresh decision must commit", m)
	x.tally[roomkit.CommandName(m.cmd)]++
	x.checkStep(w, next, m, &d)
	if next.rooms[w.main] == w.rooms[w.main] && d.Opens {
		return nil // the new room is not explored further
	}
	return next
}
