package beside

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

// insist gives an order of one command to a side with faults, as a client would: again,
// with the same key, as long as it is told of a fault or not told what has happened.
func (s *side) insist(o order) []service.BatchResult {
	before, ids := s.broken.Struck(), s.ids.Load()
	s.broken.Relapse()
	defer s.broken.Heal()
	for n := 0; ; n++ {
		s.ids.Store(ids)
		list := s.caught(o)
		err := list[0].Err
		if s.h.ctx.Err() != nil || !errors.Is(err, s.broken.Fault) && !errors.Is(err, roomkit.ErrUnknownOutcome) && !errors.Is(err, context.Canceled) {
			s.h.reached.note("struck", s.broken.Struck() > before)
			s.h.reached.note("given again", n > 0)
			return list
		}
		if n > 20 {
			s.broken.Heal()
		}
	}
}

// drawsRoom reports whether a command has opened a room with an id that was drawn: after a
// fault the service draws another one.
func drawsRoom(r service.Result) bool {
	return r.Opened && !slices.Contains([]roomkit.Kind{roomkit.KindSelf, roomkit.KindDirect, roomkit.KindTeam}, r.Kind)
}

// caught makes an error of a panic.
func (s *side) caught(o order) (list []service.BatchResult) {
	defer func() {
		if err, ok := recover().(error); ok {
			list = []service.BatchResult{{Err: err}}
		}
	}()
	return s.run(o)
}

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
	if h.faulty && o.key == "" && len(o.cmds) == 1 {
		o.key = fmt.Sprint("insisted on in step ", h.last)
	}
	h.tell("%s", o)
	var results [2][]service.BatchResult
	for i, s := range h.sides {
		if s.broken != nil && len(o.cmds) == 1 && !drawsRoom(results[0][0].Result) {
			results[i] = s.insist(o)
		} else {
			results[i] = s.run(o)
		}
	}
	h.follow(len(o.cmds) > 1)
	both(h, func(s *side) []told {
		i := 0
		if s == h.sides[1] {
			i = 1
		}
		all := s.tell(results[i])
		if h.faulty { // who was not told at once learns later only what is remembered of a command
			for i, is := range all {
				all[i].Result = service.Result{Room: is.Result.Room, Changed: is.Result.Changed}
			}
		}
		return all
	}, "answer to %s", o)
	all := h.sides[0].tell(results[0])
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
