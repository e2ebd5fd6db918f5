package beside

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

// run gives an order to one side.
func (s *side) run(o order) []service.BatchResult {
	if len(o.cmds) > 1 {
		return s.svc.Batch(s.h.ctx, o.actor, o.cmds, o.call())
	}
	list := make([]service.BatchResult, len(o.cmds))
	for i, cmd := range o.cmds {
		list[i].Result, list[i].Err = s.svc.Do(s.h.ctx, o.actor, cmd, o.call())
	}
	return list
}

// carryOut gives an order and counts how its commands end; now and then the sides
// have to say beforehand what will come of it.
func (h *history) carryOut(o order) {
	if len(o.cmds) == 0 {
		return
	}
	if h.chance(1, 6) || withConsequences(o.cmds[0]) && h.toss() {
		h.plan(o)
	}
	for i, is := range h.give(o) {
		h.reached.command(o.cmds[i], &is)
		h.stored[roomkit.CommandName(o.cmds[i])] = h.stored[roomkit.CommandName(o.cmds[i])] || is.stored()
	}
}

// withConsequences reports whether rooms may have to follow a command of the directory.
func withConsequences(cmd roomkit.Command) bool {
	switch cmd.(type) {
	case roomkit.SetCompanyMessaging, roomkit.SetUserMessaging, roomkit.DeleteUser:
		return true
	default:
		return false
	}
}

// give gives an order to both sides and compares what comes of it.
func (h *history) give(o order) []told {
	h.tell("%s", o)
	var results [2][]service.BatchResult
	for i, s := range h.sides {
		results[i] = s.run(o)
	}
	h.follow(len(o.cmds) > 1)
	all := both(h, func(s *side) []told {
		if s == h.sides[0] {
			return s.tell(results[0])
		}
		return s.tell(results[1])
	}, "answer to %s", o)
	for _, is := range all {
		if is.Result.Opened {
			h.know(is.Result.Room)
		}
	}
	return all
}

func (h *history) know(room roomkit.RoomID) {
	if !slices.Contains(h.rooms, room) {
		h.rooms = append(h.rooms, room)
	}
}

func (h *history) plan(o order) {
	for _, cmd := range o.cmds {
		both(h, func(s *side) []told {
			result, err := s.svc.Plan(h.ctx, o.actor, cmd, o.call())
			return s.tell([]service.BatchResult{{Result: result, Err: err}})
		}, "plan of %s", o)
		planned := both(h, func(s *side) answered[[]service.Consequence] {
			return listOf(s.svc.PlanConsequences(h.ctx, o.actor, cmd))
		}, "consequences of %s", o)
		h.reached.note("consequences planned", len(planned.Is) > 0)
	}
}

// String tells what was ordered, with what pointers point to.
func (o order) String() string {
	text := fmt.Sprintf("%s key=%q", o.actor, o.key)
	if o.ifVer != 0 {
		text += fmt.Sprintf(" version=%d", o.ifVer)
	}
	for _, cmd := range o.cmds {
		fields, err := json.Marshal(cmd)
		text += fmt.Sprintf(" %s%s", roomkit.CommandName(cmd), fields)
		if err != nil {
			text += err.Error()
		}
	}
	return text
}

// sweep carries out what changes of the directory have decided.
func (h *history) sweep() {
	both(h, func(s *side) answered[[]service.EnforceProgress] {
		var steps []service.EnforceProgress
		ctx, cancel := context.WithTimeout(h.ctx, patience/6) // on a broken store it may try for ever
		defer cancel()
		err := s.svc.Enforce(ctx, &service.EnforceOptions{
			Once: true, Progress: func(p service.EnforceProgress) { steps = append(steps, p) },
		})
		return answerTo(steps, err)
	}, "progress of Enforce")
	h.reached.note("swept", len(h.follow(true)) > 0)
}

// handed is what a follower was given, by places in the feed.
type handed struct {
	From, To int
	Gaps     bool
	Progress []int // the places of the checkpoints
}

// followOn lets a follower go on to the end of the feed.
func (h *history) followOn() {
	name, batch := pick(h, []string{"mail", "search"}), h.oneOf(0, 15)
	got := both(h, func(s *side) answered[handed] {
		got := handed{From: -1}
		ctx, cancel := context.WithTimeout(h.ctx, patience/6)
		defer cancel()
		err := s.svc.Follow(ctx, name, func(_ context.Context, rec service.Recorded) error {
			place, known := s.places[rec.Cursor]
			if got.From < 0 {
				got.From, got.To = place, place
			}
			got.Gaps = got.Gaps || !known || place != got.To
			got.To = place + 1
			return nil
		}, &service.FollowOptions{Once: true, Batch: batch, Progress: func(p service.FollowProgress) {
			got.Progress = append(got.Progress, s.places[p.Cursor])
		}})
		return answerTo(got, err)
	}, "follower %s", name)
	h.reached.note("followed on", got.Is.From > 0)
}
