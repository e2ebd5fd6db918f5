package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/go-roomkit/roomkit"
)

// do is for what comes before something that is timed.
func (w *world) do(ctx context.Context, actor roomkit.Actor, cmd roomkit.Command) error {
	_, err := w.svc.Do(ctx, actor, cmd)
	return err
}

// fresh gives a text that nothing in the store has.
func (w *world) fresh() string {
	w.serial++
	return fmt.Sprintf("%s-%d", w.stamp, w.serial)
}

func (w *world) text() *string {
	text := w.fresh()
	return &text
}

// newcomer adds a user.
func (w *world) newcomer(ctx context.Context, company roomkit.CompanyID) (roomkit.UserID, error) {
	id := roomkit.UserID("x" + w.fresh())
	return id, w.do(ctx, roomkit.System(), addUser(id, company))
}

func addUser(id roomkit.UserID, company roomkit.CompanyID) roomkit.AddUser {
	return roomkit.AddUser{User: roomkit.User{ID: id, Company: company, Kind: roomkit.UserMember, Status: roomkit.StatusActive}}
}

// guest adds a user and invites that one into a room.
func (w *world) guest(ctx context.Context, room roomkit.RoomID, host roomkit.UserID) (roomkit.UserID, error) {
	id, err := w.newcomer(ctx, companyID(0))
	if err == nil {
		err = w.do(ctx, roomkit.By(host), roomkit.Invite{Room: room, People: []roomkit.UserID{id}})
	}
	return id, err
}

// newGroup makes a group of company 0 with one who is new there.
func (w *world) newGroup(ctx context.Context, members ...roomkit.UserID) (roomkit.RoomID, roomkit.UserID, error) {
	id, err := w.newcomer(ctx, companyID(0))
	if err != nil {
		return roomkit.RoomID{}, "", err
	}
	r, err := w.svc.Do(ctx, roomkit.By(userID(boss)), roomkit.CreateGroup{Name: w.fresh(), Members: append(members, id)})
	return r.Room, id, err
}

// newGeneral makes a General room of the first three.
func (w *world) newGeneral(ctx context.Context, people []int) (roomkit.RoomID, error) {
	r, err := w.svc.Do(ctx, roomkit.By(userID(people[0])), threeOf(people))
	return r.Room, err
}

func threeOf(people []int) roomkit.CreateRoom {
	return roomkit.CreateRoom{People: []roomkit.UserID{userID(people[1]), userID(people[2])}, AllowDuplicate: true}
}

type commandMaker = func(ctx context.Context, w *world, i int) (roomkit.Actor, roomkit.Command, error)

// withGuest is for commands about somebody who has come into a room of 15 just now.
func withGuest(make func(room roomkit.RoomID, host, guest roomkit.UserID) (roomkit.UserID, roomkit.Command)) commandMaker {
	return func(ctx context.Context, w *world, i int) (roomkit.Actor, roomkit.Command, error) {
		room, people := w.writeRoom(i)
		host := userID(people[0])
		id, err := w.guest(ctx, room, host)
		actor, cmd := make(room, host, id)
		return roomkit.By(actor), cmd, err
	}
}

// inCrowd is the same in the largest room.
func inCrowd(make func(room roomkit.RoomID, host, guest roomkit.UserID) (roomkit.UserID, roomkit.Command)) commandMaker {
	return func(ctx context.Context, w *world, _ int) (roomkit.Actor, roomkit.Command, error) {
		id, err := w.guest(ctx, w.crowd(), userID(boss))
		actor, cmd := make(w.crowd(), userID(boss), id)
		return roomkit.By(actor), cmd, err
	}
}

// withUser is for commands of the system about a new user.
func withUser(company roomkit.CompanyID, before, cmd func(id roomkit.UserID) roomkit.Command) commandMaker {
	return func(ctx context.Context, w *world, _ int) (roomkit.Actor, roomkit.Command, error) {
		id, err := w.newcomer(ctx, company)
		if err == nil && before != nil {
			err = w.do(ctx, roomkit.System(), before(id))
		}
		return roomkit.System(), cmd(id), err
	}
}

func commandProbes() []probe {
	return slices.Concat(openingProbes(), peopleProbes(), roomProbes(), directoryProbes())
}

func openingProbes() []probe {
	company := companyID(0)
	return []probe{
		command("OpenSelf", func(ctx context.Context, w *world, _ int) (roomkit.Actor, roomkit.Command, error) {
			id, err := w.newcomer(ctx, company)
			return roomkit.By(id), roomkit.OpenSelf{}, err
		}),
		command("OpenDirect", func(ctx context.Context, w *world, i int) (roomkit.Actor, roomkit.Command, error) {
			id, err := w.newcomer(ctx, company)
			return roomkit.By(id), roomkit.OpenDirect{With: userID(i % w.users)}, err
		}),
		command("CreateRoom, 3 people", func(_ context.Context, w *world, i int) (roomkit.Actor, roomkit.Command, error) {
			_, people := w.readRoom(i)
			return roomkit.By(userID(people[0])), threeOf(people), nil
		}),
		command("CreateGroup, in a company of n/100 groups", func(_ context.Context, w *world, i int) (roomkit.Actor, roomkit.Command, error) {
			return roomkit.By(userID(boss)), roomkit.CreateGroup{Name: w.fresh(), Members: w.candidates(i+1, 5)}, nil
		}),
		command("CreateExternalGroup", func(_ context.Context, w *world, _ int) (roomkit.Actor, roomkit.Command, error) {
			return roomkit.By(userID(boss)), roomkit.CreateExternalGroup{Name: w.fresh(), Members: []roomkit.UserID{userID(1), userID(3), userID(6)}}, nil
		}),
		command("OpenTeamRoom, 5 people", func(ctx context.Context, w *world, i int) (roomkit.Actor, roomkit.Command, error) {
			id, yes, people := roomkit.TeamID(w.fresh()), true, w.candidates(i, 5)
			slices.Sort(people)
			people = slices.Compact(people)
			err := w.do(ctx, roomkit.System(), roomkit.SyncTeam{Team: id, Company: company, Name: "Team", Leader: people[0], Members: people})
			if err == nil {
				err = w.do(ctx, roomkit.System(), roomkit.EditTeam{Team: id, Company: company, Room: &yes})
			}
			return roomkit.System(), roomkit.OpenTeamRoom{Team: id, Company: company}, err
		}),
	}
}

func peopleProbes() []probe {
	invite := func(room func(w *world, i int) (roomkit.RoomID, roomkit.UserID)) commandMaker {
		return func(ctx context.Context, w *world, i int) (roomkit.Actor, roomkit.Command, error) {
			id, err := w.newcomer(ctx, companyID(0))
			to, host := room(w, i)
			return roomkit.By(host), roomkit.Invite{Room: to, People: []roomkit.UserID{id}}, err
		}
	}
	remove := func(room roomkit.RoomID, host, guest roomkit.UserID) (roomkit.UserID, roomkit.Command) {
		return host, roomkit.Remove{Room: room, People: []roomkit.UserID{guest}}
	}
	appoint := func(room roomkit.RoomID, host, guest roomkit.UserID) (roomkit.UserID, roomkit.Command) {
		return host, roomkit.AppointMasters{Room: room, People: []roomkit.UserID{guest}}
	}
	return []probe{
		command("Invite, into a room of 15", invite(func(w *world, i int) (roomkit.RoomID, roomkit.UserID) {
			room, people := w.writeRoom(i)
			return room, userID(people[0])
		})),
		command("Invite, into a room of n/10", invite(func(w *world, _ int) (roomkit.RoomID, roomkit.UserID) { return w.crowd(), userID(boss) })),
		command("Remove, from a room of 15", withGuest(remove)),
		command("Remove, from a room of n/10", inCrowd(remove)),
		command("Leave, a General room of 3", func(ctx context.Context, w *world, i int) (roomkit.Actor, roomkit.Command, error) {
			_, people := w.readRoom(i)
			room, err := w.newGeneral(ctx, people)
			return roomkit.By(userID(people[1])), roomkit.Leave{Room: room}, err
		}),
		command("Expel", func(ctx context.Context, w *world, i int) (roomkit.Actor, roomkit.Command, error) {
			room, people := w.writeRoom(i)
			id, err := w.guest(ctx, room, userID(people[0]))
			if err == nil {
				err = w.do(ctx, roomkit.System(), roomkit.DeleteUser{User: id})
			}
			return roomkit.System(), roomkit.Expel{Room: room, People: []roomkit.UserID{id}, Cause: roomkit.CauseAccount}, err
		}),
		command("AppointMasters", withGuest(appoint)),
		command("DismissMasters", func(ctx context.Context, w *world, i int) (roomkit.Actor, roomkit.Command, error) {
			actor, cmd, err := withGuest(appoint)(ctx, w, i)
			if err == nil {
				err = w.do(ctx, actor, cmd)
			}
			named, _ := cmd.(roomkit.AppointMasters)
			return actor, roomkit.DismissMasters(named), err
		}),
		command("HandOver", func(ctx context.Context, w *world, _ int) (roomkit.Actor, roomkit.Command, error) {
			room, id, err := w.newGroup(ctx)
			return roomkit.By(userID(boss)), roomkit.HandOver{Room: room, To: id}, err
		}),
	}
}

func roomProbes() []probe {
	return []probe{
		command("Edit, description", func(_ context.Context, w *world, i int) (roomkit.Actor, roomkit.Command, error) {
			room, people := w.writeRoom(i)
			return roomkit.By(userID(people[0])), roomkit.Edit{Room: room, Description: w.text()}, nil
		}),
		command("Edit, name, unique among n/100", func(_ context.Context, w *world, i int) (roomkit.Actor, roomkit.Command, error) {
			room, people := w.writeRoom(i)
			return roomkit.By(userID(people[0])), roomkit.Edit{Room: room, Name: w.text()}, nil
		}),
		command("Edit, description of a room of n/10", func(_ context.Context, w *world, _ int) (roomkit.Actor, roomkit.Command, error) {
			return roomkit.By(userID(boss)), roomkit.Edit{Room: w.crowd(), Description: w.text()}, nil
		}),
		{name: "Batch, 50 edits of 25 rooms", of: "Batch", prepare: prepareBatch},
		command("DeleteFeatureData", func(_ context.Context, w *world, i int) (roomkit.Actor, roomkit.Command, error) {
			room, people := w.writeRoom(i)
			return roomkit.By(userID(people[0])), roomkit.DeleteFeatureData{Room: room, Features: roomkit.Features(roomkit.FeatureNote)}, nil
		}),
		command("Convert, 3 people", func(ctx context.Context, w *world, i int) (roomkit.Actor, roomkit.Command, error) {
			_, people := w.readRoom(i)
			room, err := w.newGeneral(ctx, people)
			return roomkit.By(userID(people[0])), roomkit.Convert{Room: room, To: roomkit.KindGroup, Name: w.fresh()}, err
		}),
		command("DeleteRoom, of 15", func(ctx context.Context, w *world, i int) (roomkit.Actor, roomkit.Command, error) {
			room, _, err := w.newGroup(ctx, w.candidates(i+1, 13)...)
			return roomkit.By(userID(boss)), roomkit.DeleteRoom{Room: room}, err
		}),
		onceOnly(command("DeleteRoom, of n/100", prepareLargeEnd)),
	}
}

func prepareBatch(_ context.Context, w *world, i int) (ask, error) {
	var cmds []roomkit.Command
	for k := range 50 {
		room, _ := w.writeRoom(i + k%25)
		cmds = append(cmds, roomkit.Edit{Room: room, Description: w.text()})
	}
	return func(ctx context.Context) error {
		for _, r := range w.svc.Batch(ctx, roomkit.By(userID(boss)), cmds) {
			if r.Err != nil {
				return r.Err
			}
		}
		return nil
	}, nil
}

// prepareLargeEnd makes a group of n/100 people to be deleted.
func prepareLargeEnd(ctx context.Context, w *world, _ int) (roomkit.Actor, roomkit.Command, error) {
	room, _, err := w.newGroup(ctx)
	for from := 1; from < w.n/100 && err == nil; from += roomkit.MaxPeople {
		var people []roomkit.UserID
		for k := from; k < min(from+roomkit.MaxPeople, w.n/100, w.staffOf(0)); k++ {
			people = append(people, userID(w.worker(0, k)))
		}
		err = w.do(ctx, roomkit.By(userID(boss)), roomkit.Invite{Room: room, People: people})
	}
	return roomkit.By(userID(boss)), roomkit.DeleteRoom{Room: room}, err
}

func directoryProbes() []probe {
	company, yes := companyID(0), true
	remove := func(id roomkit.UserID) roomkit.Command { return roomkit.DeleteUser{User: id} }
	return append([]probe{
		command("AddUser", func(_ context.Context, w *world, _ int) (roomkit.Actor, roomkit.Command, error) {
			return roomkit.System(), addUser(roomkit.UserID("x"+w.fresh()), company), nil
		}),
		command("EditUser", withUser(company, nil, func(id roomkit.UserID) roomkit.Command {
			return roomkit.EditUser{User: id, Administrator: &yes}
		})),
		command("SetUserMessaging", withUser(lab, nil, func(id roomkit.UserID) roomkit.Command {
			return roomkit.SetUserMessaging{User: id, With: roomkit.OutsiderPartner, Allow: &yes}
		})),
		command("SuspendUser", withUser(company, nil, func(id roomkit.UserID) roomkit.Command { return roomkit.SuspendUser{User: id} })),
		command("DeleteUser", withUser(company, nil, remove)),
		command("RestoreUser", withUser(company, remove, func(id roomkit.UserID) roomkit.Command { return roomkit.RestoreUser{User: id} })),
		command("SyncTeam, 20 people", func(ctx context.Context, w *world, i int) (roomkit.Actor, roomkit.Command, error) {
			t, err := w.svc.Team(ctx, company, teamID(i%w.teams()))
			return roomkit.System(), roomkit.SyncTeam{Team: t.ID, Company: company, Name: w.fresh(), Leader: t.Leader, Members: t.Members}, err
		}),
		command("EditTeam", func(ctx context.Context, w *world, i int) (roomkit.Actor, roomkit.Command, error) {
			t, err := w.svc.Team(ctx, company, teamID(i%w.teams()))
			other := !t.Notify
			return roomkit.System(), roomkit.EditTeam{Team: t.ID, Company: company, Notify: &other}, err
		}),
	}, companyProbes()...)
}

func companyProbes() []probe {
	return []probe{
		command("AddCompany", func(_ context.Context, w *world, _ int) (roomkit.Actor, roomkit.Command, error) {
			return roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{ID: roomkit.CompanyID("x" + w.fresh())}}, nil
		}),
		command("EditCompany", func(ctx context.Context, w *world, _ int) (roomkit.Actor, roomkit.Command, error) {
			c, err := w.svc.Company(ctx, companyID(0))
			window := c.RecallWindow + time.Second
			return roomkit.System(), roomkit.EditCompany{Company: c.ID, RecallWindow: &window}, err
		}),
		command("SetCompanyMessaging", func(ctx context.Context, w *world, _ int) (roomkit.Actor, roomkit.Command, error) {
			c, err := w.svc.Company(ctx, lab)
			mode := roomkit.ExternalSelected
			if c.Consumers == mode {
				mode = roomkit.ExternalAll
			}
			return roomkit.System(), roomkit.SetCompanyMessaging{Company: lab, With: roomkit.OutsiderConsumer, Mode: &mode}, err
		}),
	}
}
