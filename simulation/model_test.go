package simulation

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/codec"
)

// The model of a room is what anybody would write on a sheet of paper: a version, who takes
// part, who manages, and whether it is over. It shares nothing with the library but the
// words. Porcupine looks for an order of the calls about a room, each between call and
// return, in which every answer is true.

// sheet is the state of a room.
type sheet struct {
	version roomkit.Version
	people  crowd
	masters crowd
	ended   bool
}

// crowd is a set of people.
type crowd uint32

func member(id roomkit.UserID) crowd {
	for i, list := 0, [][]roomkit.UserID{everybody, newcomers, {"adm2", "ghost"}}; len(list) > 0; list = list[1:] {
		if at := slices.Index(list[0], id); at >= 0 {
			return 1 << (i + at)
		}
		i += len(list[0])
	}
	return 0
}

func crowdOf(list []roomkit.UserID) (c crowd) {
	for _, id := range list {
		c |= member(id)
	}
	return c
}

// claim is what an answer says about a room.
type claim struct {
	is      roomkit.Version // the version before; -1: nothing is said
	inside  crowd           // who takes part
	manage  crowd           // who manages
	outside crowd           // who neither takes part nor manages
	ended   bool            // the room is over
	going   bool            // it is not
	count   int             // so many take part; -1: nothing is said
	change  []stroke        // what it has done
}

// stroke is one event.
type stroke struct {
	version         roomkit.Version
	joins, leaves   crowd
	rises, steps    crowd
	begins, endsAll bool
}

func nothing() claim { return claim{is: -1, count: -1} }

// holds says whether a claim is true of a state, and what it makes of it.
func (c *claim) holds(s sheet) (bool, sheet) {
	ok := (c.is < 0 || c.is == s.version) && c.inside&^s.people == 0 && c.manage&^s.masters == 0 &&
		c.outside&(s.people|s.masters) == 0 && (!c.ended || s.ended) && (!c.going || !s.ended) &&
		(c.count < 0 || c.count == bits.OnesCount32(uint32(s.people)))
	for _, e := range c.change {
		var fits bool
		fits, s = e.on(s)
		ok = ok && fits
	}
	return ok, s
}

func (e *stroke) on(s sheet) (bool, sheet) {
	ok := e.version == s.version+1 && e.joins&s.people == 0 && e.leaves&^(s.people|s.masters) == 0 &&
		e.rises&s.masters == 0 && e.steps&^s.masters == 0 && (e.begins || !s.ended)
	if e.begins {
		ok = ok && (s.version == 0 || s.ended)
		s = sheet{}
	}
	s.version = e.version
	s.people = s.people&^e.leaves | e.joins
	s.masters = s.masters&^e.steps | e.rises
	if e.endsAll {
		s.people, s.masters, s.ended = 0, 0, true
	}
	return ok, s
}

func strokeOf(e roomkit.Event) stroke {
	s := stroke{version: e.Info().Version}
	switch e := e.(type) {
	case *roomkit.RoomCreated:
		s.begins = true
	case *roomkit.MemberJoined:
		s.joins = crowdIn(e.People)
	case *roomkit.MemberLeft:
		s.leaves = crowdIn(e.People)
		if e.Roles {
			s.steps = s.leaves
		}
	case *roomkit.MasterAppointed:
		s.rises = crowdIn(e.People)
	case *roomkit.MasterDismissed:
		s.steps = crowdIn(e.People)
	case *roomkit.RoomEnded:
		s.endsAll = true
	default: // changes nothing that the sheet has
	}
	return s
}

func crowdIn(list []roomkit.Person) (c crowd) {
	for i := range list {
		c |= member(list[i].User)
	}
	return c
}

// linear demands that the calls about each room can be put in an order.
func (w *world) linear() {
	rooms := map[roomkit.RoomID][]porcupine.Operation{}
	add := func(room roomkit.RoomID, c claim, from, to int64) {
		rooms[room] = append(rooms[room], porcupine.Operation{Input: &c, Call: from, Return: to})
	}
	told := map[int]bool{}
	for _, o := range w.ops {
		if o.silent() {
			continue
		}
		from, to := 2*int64(o.began), 2*int64(o.ended)+1
		for _, r := range o.requests {
			if r.err == nil && r.result.Changed && !r.result.Repeat && r.stored >= 0 && !told[r.stored] {
				told[r.stored] = true
				for room, c := range changesOf(r.result.Events) {
					r.also(room, &c)
					add(room, c, from, to)
				}
			} else if room, c, says := r.says(); says {
				add(room, c, from, to)
			}
		}
		if o.question != nil {
			for room, c := range o.question.says() {
				add(room, c, from, to)
			}
		}
	}
	for i := range w.disk.log {
		if e := &w.disk.log[i]; !told[i] {
			from, to := int64(i-len(w.disk.log))*2, int64(i-len(w.disk.log))*2+1
			if e.step > 0 {
				from, to = 0, math.MaxInt64
			}
			for room, c := range changesOf(e.events()) {
				add(room, c, from, to)
			}
		}
	}
	model := porcupine.Model{
		Init: func() any { return sheet{} },
		Step: func(state, input, _ any) (bool, any) {
			s, _ := state.(sheet)
			c, _ := input.(*claim)
			return c.holds(s)
		},
	}
	for _, room := range w.sight.rooms {
		if porcupine.CheckOperationsTimeout(model, rooms[room], time.Minute) == porcupine.Illegal {
			text := ""
			slices.SortStableFunc(rooms[room], func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
			for _, o := range rooms[room] {
				text += fmt.Sprintf("\n  %d to %d: %+v", o.Call, o.Return, *o.Input.(*claim)) //nolint:forcetypeassert // see add
			}
			w.complain("the answers about room %.8s fit in no order:%s", room, text)
		}
	}
}

func (e *entry) events() (list []roomkit.Event) {
	for _, rec := range e.Records {
		if event, err := codec.DecodeRecord(rec); err == nil {
			list = append(list, event)
		}
	}
	return list
}

// changesOf gives what events do to rooms.
func changesOf(events []roomkit.Event) map[roomkit.RoomID]claim {
	var rooms map[roomkit.RoomID]claim
	for _, e := range events {
		if info := e.Info(); info.Subject.Type == roomkit.SubjectRoom {
			if rooms == nil {
				rooms = map[roomkit.RoomID]claim{}
			}
			c, known := rooms[info.Subject.Room]
			if !known {
				c = nothing()
				c.is = info.Version - 1
			}
			c.change = append(c.change, strokeOf(e))
			rooms[info.Subject.Room] = c
		}
	}
	return rooms
}

// also adds what a success says besides its events.
func (r *request) also(room roomkit.RoomID, c *claim) {
	by := member(r.by.User())
	switch cmd := r.cmd.(type) {
	case roomkit.Leave:
		c.inside, c.going = by, true
	case roomkit.Remove:
		if cmd.Room == room {
			c.inside, c.going = crowdOf(cmd.People), true
		}
	case roomkit.HandOver:
		c.manage, c.going = by, true
	case roomkit.Edit, roomkit.AppointMasters, roomkit.DismissMasters, roomkit.DeleteRoom:
		c.going = true
	default: // says no more
	}
}

// says gives what an answer without a change says about a room.
func (r *request) says() (room roomkit.RoomID, c claim, says bool) {
	c, room = nothing(), named(r.cmd)
	var no *roomkit.Denied
	switch {
	case room.IsZero() || r.result.Repeat:
		return room, c, false
	case r.err == nil && r.call.Key == "" && !r.result.Changed && r.result.Room == room:
		c.is, c.going = r.result.Version, true
	case errors.Is(r.err, roomkit.ErrNotFound):
		c.outside = member(r.by.User())
	case errors.As(r.err, &no) && no.Rule == "COM-14":
		c.ended = true
	case errors.As(r.err, &no) && no.Rule == "GRP-06" || errors.As(r.err, &no) && no.Rule == "GRP-07":
		c.going = true
	default:
		return room, c, false
	}
	return room, c, true
}

// says gives what the answer to a question says about rooms.
func (q *question) says() map[roomkit.RoomID]claim {
	rooms := map[roomkit.RoomID]claim{}
	switch answer := q.answer.(type) {
	case []roomkit.Access:
		for _, a := range answer {
			c := nothing()
			if a.Version > 0 && q.err == nil {
				c.is = a.Version
				if a.Standing.Has(roomkit.StandingParticipant) {
					c.inside = member(q.user)
				}
				if a.Standing.Has(roomkit.StandingMaster) {
					c.manage = member(q.user)
				}
				rooms[a.Room] = c
			}
		}
	case roomkit.Room:
		if q.err == nil {
			c := nothing()
			c.is, c.count = answer.Version, int(answer.Participants)
			rooms[answer.ID] = c
		}
	}
	return rooms
}
