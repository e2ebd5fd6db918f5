package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// ask is what is timed.
type ask func(ctx context.Context) error

// probe is a row of the table: one question or command.
type probe struct {
	name string
	of   string // the methods of the service, or the commands, that it measures
	// prepare makes what the i-th ask is about, which is not timed.
	prepare func(ctx context.Context, w *world, i int) (ask, error)
	once    bool // a sample costs much
}

// errNone says that a store has nothing of the kind.
var errNone = errors.New("the store has nothing of the kind")

// leftOut are methods that no row measures, and why.
var leftOut = map[string]string{
	"On":    "makes a value and asks nobody",
	"Rules": "gives what the service was made with",
	"Store": "gives what the service was made with",
}

func allProbes() []probe {
	return append(append(append(accessProbes(), listProbes()...), feedProbes()...), commandProbes()...)
}

// about is what a question is about, so that finding it is not timed.
type about struct {
	i          int
	room       roomkit.RoomID // of 15 people
	people     []roomkit.UserID
	outside    roomkit.UserID // a colleague who is not in the room
	anybody    roomkit.UserID // one of all users
	chatting   roomkit.UserID // somebody who is in a General room
	candidates []roomkit.UserID
	hubRooms   []roomkit.RoomID
}

// read is a row of a question.
func read(name, of string, f func(ctx context.Context, w *world, q *about) error) probe {
	return probe{name: name, of: of, prepare: func(_ context.Context, w *world, i int) (ask, error) {
		room, people := w.readRoom(i)
		q := &about{
			i: i, room: room, outside: w.outsideOf(people), anybody: userID((i*7919 + 13) % w.users), chatting: userID(w.generalRoom(i)[0]),
			candidates: w.candidates(i, 20), hubRooms: w.ownRooms(min(100, w.begins[external]-w.begins[own])),
		}
		for _, u := range people {
			q.people = append(q.people, userID(u))
		}
		return func(ctx context.Context) error { return f(ctx, w, q) }, nil
	}}
}

// command is a row of a command, which has to change something.
func command(name string, prepare func(ctx context.Context, w *world, i int) (roomkit.Actor, roomkit.Command, error)) probe {
	of, _, _ := strings.Cut(name, ",")
	return probe{name: name, of: of + " Do", prepare: func(ctx context.Context, w *world, i int) (ask, error) {
		actor, cmd, err := prepare(ctx, w, i)
		if err != nil {
			return nil, err
		}
		if is := roomkit.CommandName(cmd); is != of {
			return nil, fmt.Errorf("the row of %s gives %s", of, is)
		}
		return func(ctx context.Context) error {
			r, err := w.svc.Do(ctx, actor, cmd)
			return demand(err, r.Changed, "nothing has changed")
		}, nil
	}}
}

func demand(err error, holds bool, otherwise string) error {
	if err == nil && !holds {
		err = errors.New(otherwise)
	}
	return err
}

// first reads so many rows of a list, which has to have them.
func first[T any](list iter.Seq2[T, error], many int) (last T, err error) {
	n := 0
	for row, err := range list {
		if err != nil {
			return last, err
		}
		last = row
		if n++; n == many {
			return last, nil
		}
	}
	return last, fmt.Errorf("%d rows instead of %d", n, many)
}

// usualRoom is a group of 15 people of company 0, and of the first half those that are
// asked about, of the second those that change.
func (w *world) usualRoom(i int) (roomkit.RoomID, []int) {
	at := w.hot
	if at < 0 {
		at = w.usual(i)
	}
	return w.roomID(at), w.room(at).people
}

func (w *world) readRoom(i int) (roomkit.RoomID, []int)  { return w.usualRoom(2 * i) }
func (w *world) writeRoom(i int) (roomkit.RoomID, []int) { return w.usualRoom(2*i + 1) }
func (w *world) crowd() roomkit.RoomID                   { return w.roomID(w.begins[crowd]) }

// generalRoom gives the people of a General room.
func (w *world) generalRoom(i int) []int {
	return w.room(w.begins[general] + i%(w.begins[direct]-w.begins[general])).people
}

func accessProbes() []probe {
	return []probe{
		read("Check, room of 15", "Check", func(ctx context.Context, w *world, q *about) error {
			return w.svc.Check(ctx, q.people[q.i%len(q.people)], roomkit.ActionPost, q.room)
		}),
		read("Check, room of n/10", "Check", func(ctx context.Context, w *world, q *about) error {
			return w.svc.Check(ctx, q.anybody, roomkit.ActionPost, w.crowd())
		}),
		read("Check, a stranger", "Check", func(ctx context.Context, w *world, q *about) error {
			err := w.svc.Check(ctx, userID(1), roomkit.ActionPost, q.room)
			return demand(nil, err != nil, "a stranger may post")
		}),
		read("Access, 1 room", "Access", func(ctx context.Context, w *world, q *about) error {
			list, err := w.svc.Access(ctx, q.people[1], q.room)
			return demand(err, len(list) == 1, "no access")
		}),
		read("Access, 100 rooms", "Access", func(ctx context.Context, w *world, q *about) error {
			_, err := w.svc.Access(ctx, userID(hub), q.hubRooms...)
			return err
		}),
		read("Screen, 5 rooms", "Screen", func(ctx context.Context, w *world, q *about) error {
			list, err := w.svc.Screen(ctx, userID(hub), q.hubRooms[:5]...)
			return demand(err, len(list) == 5, "rooms are missing")
		}),
		read("Room", "Room", func(ctx context.Context, w *world, q *about) error {
			_, err := w.svc.Room(ctx, q.people[2], q.room)
			return err
		}),
		requireProbe(),
		recommendProbe("Recommend, 3 people", func(w *world, i int) []int {
			return w.generalRoom(i)[:3]
		}),
		recommendProbe("Recommend, among n/1000 groups of 3 people", func(*world, int) []int { return []int{hub, twin, third} }),
		read("Plan, Invite", "Plan", func(ctx context.Context, w *world, q *about) error {
			r, err := w.svc.Plan(ctx, roomkit.By(q.people[0]), roomkit.Invite{Room: q.room, People: []roomkit.UserID{q.outside}})
			return demand(err, r.Changed, "nothing would change")
		}),
		read("Choose, 20 candidates", "Choose", func(ctx context.Context, w *world, q *about) error {
			list, err := w.svc.Choose(ctx, roomkit.By(q.people[0]), roomkit.Invite{Room: q.room}, q.candidates)
			return demand(err, len(list) == 20, "candidates are missing")
		}),
		read("PlanConsequences, DeleteUser", "PlanConsequences", func(ctx context.Context, w *world, q *about) error {
			n := 0
			for _, err := range w.svc.PlanConsequences(ctx, roomkit.System(), roomkit.DeleteUser{User: q.anybody}) {
				if err != nil {
					return err
				}
				n++
			}
			return demand(nil, n > 0, "no consequences")
		}),
		read("Health, room of 15", "Health", func(ctx context.Context, w *world, q *about) error {
			_, err := w.svc.Health(ctx, q.room)
			return err
		}),
		onceOnly(read("Health, room of n/10", "Health", func(ctx context.Context, w *world, _ *about) error {
			_, err := w.svc.Health(ctx, w.crowd())
			return err
		})),
	}
}

func onceOnly(p probe) probe { p.once = true; return p }

func (w *world) ownRooms(many int) (list []roomkit.RoomID) {
	for i := range many {
		list = append(list, w.roomID(w.begins[own]+i))
	}
	return list
}

// outsideOf gives somebody of company 0 who is not one of these people.
func (w *world) outsideOf(people []int) roomkit.UserID {
	in := map[int]bool{}
	for _, u := range people {
		in[u] = true
	}
	for u := w.worker(0, 1); ; u += 2 {
		if !in[u] {
			return userID(u)
		}
	}
}

func (w *world) candidates(i, many int) (list []roomkit.UserID) {
	for k := range many {
		list = append(list, userID(w.worker(0, (i*31+k)%w.staffOf(0))))
	}
	return list
}

func requireProbe() probe {
	return probe{name: "Require, with a transaction of the host", of: "Require", prepare: func(_ context.Context, w *world, i int) (ask, error) {
		if w.inTx == nil {
			return nil, errNone
		}
		room, people := w.readRoom(i)
		return func(ctx context.Context) error {
			return w.inTx(ctx, func(tx store.Store) error {
				return w.svc.On(tx).Require(ctx, userID(people[1]), roomkit.ActionPost, room)
			})
		}, nil
	}}
}

func recommendProbe(name string, people func(w *world, i int) []int) probe {
	return probe{name: name, of: "Recommend", prepare: func(_ context.Context, w *world, i int) (ask, error) {
		var list []roomkit.UserID
		for _, u := range people(w, i) {
			list = append(list, userID(u))
		}
		return func(ctx context.Context) error {
			offers, err := w.svc.Recommend(ctx, list[0], list[1:], roomkit.AudienceNone, false)
			return demand(err, len(offers) > 0, "no room is offered")
		}, nil
	}}
}
