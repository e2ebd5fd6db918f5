package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/codec"
	"github.com/go-roomkit/roomkit/internal/names"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// A fill gives the store the changes that commands would have given it, many of them at a
// time: one for each company, each user and each room with up to 500 people, and one for
// each further 500. Rows are the fold of the events by construction, as a service makes
// them. What is saved is the decisions, the loads, and the counts of groups, which are
// known before and come with the users and companies.
type filler struct {
	*shape
	rules    *roomkit.Rules
	commands uint64
	out      chan<- []store.Change
	batch    []store.Change
	rows     int // of people in batch
	done     <-chan struct{}
}

// The size of what is committed at once.
const (
	batchChanges = 1000
	batchRows    = 5000
)

var errEnded = errors.New("the fill has ended")

// told is called with how many memberships have been stored.
func fill(ctx context.Context, s *shape, st store.Store, told func(memberships int)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out, made := make(chan []store.Change, 4), make(chan error, 1)
	f := &filler{shape: s, rules: roomkit.NewRules(roomkit.Policy{}), out: out, done: ctx.Done()}
	go func() { made <- f.all(); close(out) }()
	stored := 0
	for batch := range out {
		if err := commit(ctx, st, batch); err != nil {
			return err
		}
		for i := range batch {
			stored += len(batch[i].Members)
		}
		told(stored)
	}
	return <-made
}

func commit(ctx context.Context, st store.Store, batch []store.Change) error {
	results, err := st.Commit(ctx, batch)
	for i := range results {
		if results[i].Err != nil {
			err = fmt.Errorf("change %d: %w", i, results[i].Err)
		}
	}
	return err
}

// all makes the changes of the whole world.
func (f *filler) all() error {
	groups, owns := make([]int64, f.users), make([]int64, f.companies)
	for at := range f.rooms() {
		if one := f.room(at); one.kind.IsGroup() {
			owns[one.company]++
			for _, u := range one.people {
				groups[u]++
			}
		}
	}
	for i := range f.companies {
		if err := f.addCompany(i, owns[i]); err != nil {
			return err
		}
	}
	for i := range f.users {
		if err := f.addUser(i, groups[i]); err != nil {
			return err
		}
	}
	for at := range f.rooms() {
		if err := f.addRoom(at); err != nil {
			return err
		}
	}
	return f.flush()
}

// add gives a change on, in a batch.
func (f *filler) add(c store.Change) error {
	f.batch, f.rows = append(f.batch, c), f.rows+len(c.Members)
	if len(f.batch) >= batchChanges || f.rows >= batchRows {
		return f.flush()
	}
	return nil
}

func (f *filler) flush() error {
	batch := f.batch
	f.batch, f.rows = nil, 0
	select {
	case f.out <- batch:
		return nil
	case <-f.done:
		return errEnded
	}
}

// change begins the change of the next command.
func (f *filler) change() store.Change {
	f.commands++
	c := store.Change{Command: f.id(f.commands, 2), Outcome: store.Outcome{Changed: true}}
	c.Digest = sha256.Sum256(binary.BigEndian.AppendUint64(nil, f.commands))
	return c
}

// emit completes an event and adds its record to a change.
func (f *filler) emit(c *store.Change, e roomkit.Event, of roomkit.Subject, v roomkit.Version) error {
	info := e.Info()
	info.Subject, info.Version, info.Command = of, v, c.Command
	info.At = began.Add(time.Duration(f.commands) * time.Millisecond)
	data, err := codec.Encode(nil, e)
	if err != nil {
		return err
	}
	c.Records = append(c.Records, store.Record{Subject: of, Version: v, Type: e.Type(), At: info.At, Command: c.Command, Data: data})
	c.Outcome.Events = append(c.Outcome.Events, store.EventAt{Subject: of, Version: v})
	return nil
}

// most is a limit of a count that is never met.
const most = 1 << 40

func (f *filler) addCompany(i int, groups int64) error {
	c := f.change()
	e := &roomkit.CompanyPut{Company: f.company(i)}
	e.Actor = roomkit.System()
	of := roomkit.CompanySubject(companyID(i))
	if err := f.emit(&c, e, of, 1); err != nil {
		return err
	}
	c.Expect = []store.Expect{{Subject: of}}
	c.Companies = []roomkit.Company{roomkit.Company{}.Apply(e)}
	if groups > 0 {
		c.Tallies = []store.Tally{{Company: companyID(i), Now: groups, Most: most}}
	}
	return f.add(c)
}

func (f *filler) addUser(i int, groups int64) error {
	c := f.change()
	e := &roomkit.UserPut{User: f.user(i)}
	e.Actor = roomkit.System()
	of := roomkit.UserSubject(userID(i))
	if err := f.emit(&c, e, of, 1); err != nil {
		return err
	}
	c.Expect = []store.Expect{{Subject: of}}
	c.Users = []roomkit.User{roomkit.User{}.Apply(e)}
	if groups > 0 {
		c.Tallies = []store.Tally{{User: userID(i), Now: groups, Most: most}}
	}
	return f.add(c)
}

// addRoom makes the change by which a room begins, and those by which more people come in.
func (f *filler) addRoom(at int) error {
	one := f.room(at)
	id := f.roomID(at)
	parts := slices.Collect(slices.Chunk(one.people, roomkit.MaxPeople))
	c := f.change()
	e := f.created(at, &one)
	f.sign(e, &one, roomkit.CauseCreated)
	of := roomkit.RoomSubject(id)
	if err := f.emit(&c, e, of, 1); err != nil {
		return err
	}
	room, was := roomkit.Room{}.Apply(e), roomkit.Version(0)
	for i, part := range parts {
		if i > 0 {
			c, was = f.change(), room.Version
		}
		if err := f.join(&c, &one, &room, part, i == 0); err != nil {
			return err
		}
		if i == 0 && one.kind.IsGroup() {
			if err := f.appoint(&c, &one, &room); err != nil {
				return err
			}
		}
		c.Expect = []store.Expect{{Subject: of, Version: was}}
		c.Rooms, c.Outcome.Room = []roomkit.Room{room}, id
		if err := f.add(c); err != nil {
			return err
		}
	}
	return nil
}

func (f *filler) created(at int, one *spec) *roomkit.RoomCreated {
	e := &roomkit.RoomCreated{Company: companyID(one.company), Features: f.rules.Offered(one.kind, 0), Public: one.public}
	if one.kind.IsGroup() {
		e.Name, e.Origin = fmt.Sprintf("Group %d", at), roomkit.OriginContacts
	}
	switch one.kind {
	case roomkit.KindGroup:
		e.NameKey = names.Key(e.Name)
	case roomkit.KindDirect:
		e.Parties = [2]roomkit.UserID{userID(one.people[0]), userID(one.people[1])}
		e.Origin = roomkit.OriginContacts
	default:
	}
	return e
}

// sign says who did it.
func (f *filler) sign(e roomkit.Event, one *spec, cause roomkit.Cause) {
	info := e.Info()
	info.Actor, info.Epoch = roomkit.By(userID(one.creator)), roomkit.Epoch{User: 1, Company: 1}
	info.Cause, info.Kind, info.Notify = cause, one.kind, true
}

func (f *filler) join(c *store.Change, one *spec, room *roomkit.Room, part []int, first bool) error {
	e := &roomkit.MemberJoined{ReadAll: first, Counts: room.Counts, People: make([]roomkit.Person, len(part))}
	f.sign(e, one, roomkit.CauseAdded)
	if first {
		e.Cause = roomkit.CauseCreated
	}
	for i, u := range part {
		e.People[i] = f.person(u)
		e.Counts.Participants++
		if f.companyOf(u) != one.company {
			e.Counts.Partners++
		}
	}
	if err := f.emit(c, e, roomkit.RoomSubject(room.ID), room.Version+1); err != nil {
		return err
	}
	*room = room.Apply(e)
	alone := *e
	for i := range e.People {
		alone.People = e.People[i : i+1]
		c.Members = append(c.Members, roomkit.Member{User: e.People[i].User}.Apply(&alone))
	}
	return nil
}

func (f *filler) appoint(c *store.Change, one *spec, room *roomkit.Room) error {
	e := &roomkit.MasterAppointed{People: []roomkit.Person{f.person(one.creator)}, Counts: room.Counts}
	e.Counts.Masters++
	f.sign(e, one, roomkit.CauseCreated)
	if err := f.emit(c, e, roomkit.RoomSubject(room.ID), room.Version+1); err != nil {
		return err
	}
	*room = room.Apply(e)
	for i := range c.Members {
		if c.Members[i].User == e.People[0].User {
			c.Members[i] = c.Members[i].Apply(e)
		}
	}
	return nil
}

func (f *filler) person(u int) roomkit.Person {
	return roomkit.Person{User: userID(u), Company: companyID(f.companyOf(u)), Kind: roomkit.UserMember, Epoch: roomkit.Epoch{User: 1, Company: 1}}
}

// fillTeams adds the teams, whose rooms may be opened, and the company "lab", in which
// permissions are given one by one.
func fillTeams(ctx context.Context, s *shape, svc *service.Service) error {
	if _, err := svc.Do(ctx, roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{
		ID: lab, Licensed: true, Partners: roomkit.ExternalSelected, MembersCreateGroups: true,
	}}); err != nil {
		return err
	}
	var cmds []roomkit.Command
	for i := range s.teams() {
		var members []roomkit.UserID
		for k := range 20 {
			members = append(members, userID(s.worker(0, (i*7+k*3)%s.staffOf(0))))
		}
		slices.Sort(members)
		members = slices.Compact(members)
		cmds = append(cmds, roomkit.SyncTeam{Team: teamID(i), Company: companyID(0), Name: fmt.Sprint("Team ", i), Leader: members[0], Members: members})
	}
	return batches(ctx, svc, roomkit.System(), cmds)
}

func batches(ctx context.Context, svc *service.Service, actor roomkit.Actor, cmds []roomkit.Command) error {
	for some := range slices.Chunk(cmds, roomkit.MaxBatch) {
		for _, r := range svc.Batch(ctx, actor, some) {
			if r.Err != nil {
				return r.Err
			}
		}
	}
	return nil
}

// fillThird brings one more person into all rooms of the hub and its twin.
func fillThird(ctx context.Context, s *shape, svc *service.Service) error {
	var cmds []roomkit.Command
	for i := range s.hubRooms {
		cmds = append(cmds, roomkit.Invite{Room: s.roomID(s.begins[own] + i), People: []roomkit.UserID{userID(third)}})
	}
	return batches(ctx, svc, roomkit.By(userID(boss)), cmds)
}

const lab = roomkit.CompanyID("lab")
