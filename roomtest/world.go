package roomtest

import (
	"context"
	"testing" //nolint:depguard // a kit for tests

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// World is a service with its people and rooms. Its methods bring them into being through
// commands, so that there is nothing in a world which the rules do not allow; one that is
// refused ends the test. They go past the faults of Store and past the Observer.
type World struct {
	Service *service.Service // what is tested, or what the tested code is given
	Store   *Faults          // where it keeps its rooms
	Clock   *Clock           // its time
	Options service.Options  // its options, for further services on Store

	t     testing.TB
	build *service.Service // beside Service: it meets no fault, and waits for nobody
}

// New makes an empty world in memory. Everybody is everybody's contact, time stands still
// at that of [NewClock], and ids are those of [IDs]; change can set these and all other
// options, for instance to those of the tested program.
func New(t testing.TB, change ...func(*service.Options)) *World {
	t.Helper()
	return NewOn(t, memstore.New(), change...)
}

// NewOn is [New] on a store of the caller's, which has to be empty.
func NewOn(t testing.TB, s store.Store, change ...func(*service.Options)) *World {
	t.Helper()
	w := &World{t: t, Store: NewFaults(t, s), Clock: NewClock()}
	w.Options = service.Options{Policy: roomkit.Policy{AnyoneIsContact: true}, Clock: w.Clock.Now, NewID: IDs(w.Clock)}
	for _, c := range change {
		c(&w.Options)
	}
	if some, err := s.Feed(background, "", 1); err != nil || len(some) > 0 {
		t.Fatalf("roomtest: the store is not empty (%v): give every test a store of its own", err)
	}
	var err error
	if w.Service, err = service.New(w.Store, &w.Options); err == nil {
		quiet := w.Options
		quiet.Observer = service.Observer{}
		w.build, err = service.New(s, &quiet)
	}
	if err != nil {
		t.Fatalf("roomtest: change the options of the world: %v", err)
	}
	return w
}

var background = context.Background()

// Company adds a company in which everything is permitted, its members' talking with other
// companies and with consumers too; or, if it is there, more members.
func (w *World) Company(id roomkit.CompanyID, members ...roomkit.UserID) *World {
	w.t.Helper()
	return w.company(id).add(roomkit.User{Company: id, Kind: roomkit.UserMember}, members)
}

// Administrators is [World.Company] with members who administer it.
func (w *World) Administrators(of roomkit.CompanyID, ids ...roomkit.UserID) *World {
	w.t.Helper()
	return w.company(of).add(roomkit.User{Company: of, Kind: roomkit.UserMember, Administrator: true}, ids)
}

// Bots is [World.Company] with bots.
func (w *World) Bots(of roomkit.CompanyID, ids ...roomkit.UserID) *World {
	w.t.Helper()
	return w.company(of).add(roomkit.User{Company: of, Kind: roomkit.UserBot}, ids)
}

// Consumers adds people who belong to no company.
func (w *World) Consumers(ids ...roomkit.UserID) *World {
	w.t.Helper()
	return w.add(roomkit.User{Kind: roomkit.UserConsumer}, ids)
}

func (w *World) company(id roomkit.CompanyID) *World {
	w.t.Helper()
	return w.System(roomkit.AddCompany{Company: roomkit.Company{
		ID: id, Licensed: true, MembersCreateGroups: true, Partners: roomkit.ExternalSelected, Consumers: roomkit.ExternalAll,
	}})
}

func (w *World) add(as roomkit.User, ids []roomkit.UserID) *World {
	w.t.Helper()
	as.Status, as.Partners = roomkit.StatusActive, as.Kind == roomkit.UserMember
	for _, as.ID = range ids {
		if !w.do(roomkit.System(), roomkit.AddUser{User: as}).Changed {
			w.t.Fatalf("roomtest: there is a user %s already: name everybody once", as.ID)
		}
	}
	return w
}

// System runs commands of the system, for instance AddUser for somebody who is not
// permitted everything, SuspendUser or SetCompanyMessaging.
func (w *World) System(cmds ...roomkit.Command) *World {
	w.t.Helper()
	for _, cmd := range cmds {
		w.do(roomkit.System(), cmd)
	}
	return w
}

// Run runs a command of a user.
func (w *World) Run(user roomkit.UserID, cmd roomkit.Command, call ...service.Call) service.Result {
	w.t.Helper()
	return w.do(roomkit.By(user), cmd, call...)
}

func (w *World) do(actor roomkit.Actor, cmd roomkit.Command, call ...service.Call) service.Result {
	w.t.Helper()
	made, err := w.build.Do(background, actor, cmd, call...)
	if err != nil {
		w.t.Fatalf("roomtest: %s may not do this to build the world: %s; permit it before, or test the refusal with Service.Do", actor, line(err))
	}
	return made
}

// Direct opens the 1:1 room of two people.
func (w *World) Direct(of, with roomkit.UserID) roomkit.RoomID {
	w.t.Helper()
	return w.Run(of, roomkit.OpenDirect{With: with}).Room
}

// General opens a room of several people of one company, consumers among them if need be.
func (w *World) General(creator roomkit.UserID, with ...roomkit.UserID) roomkit.RoomID {
	w.t.Helper()
	create := roomkit.CreateRoom{People: with, Audience: roomkit.AudienceMembers, AllowDuplicate: true}
	for _, id := range with {
		if user, err := w.build.User(background, id); err == nil && user.Kind == roomkit.UserConsumer {
			create.Audience = roomkit.AudienceExternal
		}
	}
	made := w.Run(creator, create)
	if made.Kind != roomkit.KindGeneral {
		w.t.Fatalf("roomtest: these people make a room of kind %s: open that with Direct or External", made.Kind)
	}
	return made.Room
}

// Group creates a group of one company, whose Group Master takes part.
func (w *World) Group(name string, master roomkit.UserID, members ...roomkit.UserID) roomkit.RoomID {
	w.t.Helper()
	return w.Run(master, roomkit.CreateGroup{Name: name, Members: members}).Room
}

// External creates an external group, which the Group Master's company owns.
func (w *World) External(name string, master roomkit.UserID, members ...roomkit.UserID) roomkit.RoomID {
	w.t.Helper()
	return w.Run(master, roomkit.CreateExternalGroup{Name: name, Members: members}).Room
}

// Team adds a team, allows it a room, and opens that.
func (w *World) Team(company roomkit.CompanyID, id roomkit.TeamID, leader roomkit.UserID, members ...roomkit.UserID) roomkit.RoomID {
	w.t.Helper()
	w.System(
		roomkit.SyncTeam{Team: id, Company: company, Name: string(id), Leader: leader, Members: append(members, leader)},
		roomkit.EditTeam{Team: id, Company: company, Room: new(true)},
	)
	return w.Run(leader, roomkit.OpenTeamRoom{Team: id, Company: company}).Room
}
