package main

import (
	"context"
	"fmt"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

const pageRows = 50

func listProbes() []probe { return append(roomLists(), directoryLists()...) }

func roomLists() []probe {
	return []probe{
		read("Members, all 15", "Members", func(ctx context.Context, w *world, q *about) error {
			_, err := first(w.svc.Members(ctx, q.people[0], q.room, service.MemberList{}), 15)
			return err
		}),
		page("MembersPage, first of n/10", "MembersPage", false, membersOfCrowd),
		page("MembersPage, in the middle of n/10", "MembersPage", true, membersOfCrowd),
		read("Rooms, 2 of a usual user", "Rooms", func(ctx context.Context, w *world, q *about) error {
			_, err := first(w.svc.Rooms(ctx, q.chatting, service.RoomList{Limit: 2}), 2)
			return err
		}),
		page("RoomsPage, first of n/1000", "RoomsPage", false, roomsOfHub),
		page("RoomsPage, in the middle of n/1000", "RoomsPage", true, roomsOfHub),
		read("Groups, 2 of a usual user", "Groups", func(ctx context.Context, w *world, q *about) error {
			_, err := first(w.svc.Groups(ctx, q.people[1], service.GroupList{Part: service.GroupsBelonging}), 2)
			return err
		}),
		page("GroupsPage, first of n/400 public ones", "GroupsPage", false, publicGroups),
		page("GroupsPage, in the middle of n/400", "GroupsPage", true, publicGroups),
		read("History, 3 events", "History", func(ctx context.Context, w *world, q *about) error {
			_, err := first(w.svc.History(ctx, q.people[0], q.room, service.HistoryList{Limit: 3}), 3)
			return err
		}),
		read("HistoryPage, the newest 3 events", "HistoryPage", func(ctx context.Context, w *world, q *about) error {
			since := roomkit.Version(max(0, w.updated-3))
			p, err := w.svc.HistoryPage(ctx, q.people[0], q.room, service.HistoryList{Since: since, Limit: 3})
			return demand(err, len(p.Rows) == 3, "events are missing")
		}),
		read("HistoryPage, 2 in the middle of n/5000 of 500 people", "HistoryPage", func(ctx context.Context, w *world, _ *about) error {
			p, err := w.svc.HistoryPage(ctx, userID(boss), w.crowd(), service.HistoryList{Since: roomkit.Version(w.users / roomkit.MaxPeople / 2), Limit: 2})
			return demand(err, len(p.Rows) > 0, "events are missing")
		}),
	}
}

func directoryLists() []probe {
	return []probe{
		read("User", "User", func(ctx context.Context, w *world, q *about) error {
			_, err := w.svc.User(ctx, q.anybody)
			return err
		}),
		read("Company", "Company", func(ctx context.Context, w *world, q *about) error {
			_, err := w.svc.Company(ctx, companyID(q.i%w.companies))
			return err
		}),
		read("Team", "Team", func(ctx context.Context, w *world, q *about) error {
			_, err := w.svc.Team(ctx, companyID(0), teamID(q.i%w.teams()))
			return err
		}),
		read("Users, 50", "Users", func(ctx context.Context, w *world, _ *about) error {
			_, err := first(w.svc.Users(ctx, service.UserList{Company: companyID(0), Limit: pageRows}), pageRows)
			return err
		}),
		page("UsersPage, in the middle of n/20", "UsersPage", true, func(ctx context.Context, w *world, at service.PageToken, limit int) (service.PageToken, int, error) {
			p, err := w.svc.UsersPage(ctx, service.UserList{Company: companyID(0), After: at, Limit: limit})
			return p.Next, len(p.Rows), err
		}),
		read("Teams, 5", "Teams", func(ctx context.Context, w *world, _ *about) error {
			_, err := first(w.svc.Teams(ctx, service.TeamList{Company: companyID(0), Limit: 5}), 5)
			return err
		}),
		page("TeamsPage, in the middle of n/10,000", "TeamsPage", true, func(ctx context.Context, w *world, at service.PageToken, limit int) (service.PageToken, int, error) {
			p, err := w.svc.TeamsPage(ctx, service.TeamList{Company: companyID(0), After: at, Limit: min(limit, 5)})
			return p.Next, len(p.Rows), err
		}),
		onceOnly(read("Expired, none in a company of n/100 groups", "Expired", func(ctx context.Context, w *world, _ *about) error {
			for _, err := range w.svc.Expired(ctx, service.ExpiredList{Company: companyID(0)}) {
				if err != nil {
					return err
				}
			}
			return nil
		})),
		onceOnly(read("ExpiredPage, none in a company of n/100 groups", "ExpiredPage", func(ctx context.Context, w *world, _ *about) error {
			_, err := w.svc.ExpiredPage(ctx, service.ExpiredList{Company: companyID(0)})
			return err
		})),
	}
}

// paging reads a page of a list and says where the next one begins.
type paging func(ctx context.Context, w *world, at service.PageToken, limit int) (next service.PageToken, rows int, err error)

func membersOfCrowd(ctx context.Context, w *world, at service.PageToken, limit int) (service.PageToken, int, error) {
	p, err := w.svc.MembersPage(ctx, userID(boss), w.crowd(), service.MemberList{After: at, Limit: limit})
	return p.Next, len(p.Rows), err
}

func roomsOfHub(ctx context.Context, w *world, at service.PageToken, limit int) (service.PageToken, int, error) {
	p, err := w.svc.RoomsPage(ctx, userID(hub), service.RoomList{After: at, Limit: limit})
	return p.Next, len(p.Rows), err
}

func publicGroups(ctx context.Context, w *world, at service.PageToken, limit int) (service.PageToken, int, error) {
	p, err := w.svc.GroupsPage(ctx, userID(w.worker(0, 1)), service.GroupList{Part: service.GroupsAll, After: at, Limit: limit})
	return p.Next, len(p.Rows), err
}

// page is a row of a page of a long list. The middle of it is looked for once.
func page(name, of string, middle bool, next paging) probe {
	return probe{name: name, of: of, prepare: func(ctx context.Context, w *world, _ int) (ask, error) {
		at, known := w.middles[name]
		if middle && !known {
			var err error
			if at, err = middleOf(ctx, w, next); err != nil {
				return nil, err
			}
			w.middles[name] = at
		}
		return func(ctx context.Context) error {
			_, rows, err := next(ctx, w, at, pageRows)
			return demand(err, rows > 0, "an empty page")
		}, nil
	}}
}

func middleOf(ctx context.Context, w *world, next paging) (service.PageToken, error) {
	var places []service.PageToken
	for at := service.PageToken(""); ; at = places[len(places)-1] {
		following, _, err := next(ctx, w, at, roomkit.MaxPage)
		if err != nil {
			return "", err
		}
		if following == "" {
			break
		}
		places = append(places, following)
	}
	if len(places) == 0 { // less than two pages
		following, _, err := next(ctx, w, "", 3)
		return following, err
	}
	return places[len(places)/2], nil
}

func feedProbes() []probe {
	return []probe{
		read("Feed, 50 in the middle", "Feed", func(ctx context.Context, w *world, _ *about) error {
			_, err := first(w.svc.Feed(ctx, w.half), pageRows)
			return err
		}),
		read("Head", "Head", func(ctx context.Context, w *world, _ *about) error {
			_, err := w.svc.Head(ctx)
			return err
		}),
		read("Followers", "Followers", func(ctx context.Context, w *world, _ *about) error {
			_, err := w.svc.Followers(ctx)
			return err
		}),
		feedProbe("Watch, the next event", "Watch", func(_ context.Context, w *world, after roomkit.Cursor, _ roomkit.RoomID, _ roomkit.UserID) (ask, error) {
			return func(ctx context.Context) error { _, err := first(w.svc.Watch(ctx, after), 1); return err }, nil
		}),
		feedProbe("WatchRooms, the next event", "WatchRooms", func(_ context.Context, w *world, after roomkit.Cursor, room roomkit.RoomID, who roomkit.UserID) (ask, error) {
			return func(ctx context.Context) error {
				_, err := first(w.svc.WatchRooms(ctx, who, after, room), 1)
				return err
			}, nil
		}),
		feedProbe("Follow, one event", "Follow", func(ctx context.Context, w *world, after roomkit.Cursor, _ roomkit.RoomID, _ roomkit.UserID) (ask, error) {
			err := w.svc.RestartFollower(ctx, "growth.follow", after)
			return func(ctx context.Context) error {
				handled := 0
				err := w.svc.Follow(ctx, "growth.follow", func(context.Context, service.Recorded) error { handled++; return nil }, &service.FollowOptions{Once: true})
				return demand(err, handled > 0, "no event was handled")
			}, err
		}),
		feedProbe("SkipEvent", "SkipEvent", func(ctx context.Context, w *world, after roomkit.Cursor, _ roomkit.RoomID, _ roomkit.UserID) (ask, error) {
			if err := w.svc.RestartFollower(ctx, "growth.skip", after); err != nil {
				return nil, err
			}
			for page, err := range store.FeedPages(ctx, w.store, after) {
				return func(ctx context.Context) error { return w.svc.SkipEvent(ctx, "growth.skip", page[0]) }, err
			}
			return nil, fmt.Errorf("nothing to skip")
		}),
		read("RestartFollower", "RestartFollower", func(ctx context.Context, w *world, _ *about) error {
			return w.svc.RestartFollower(ctx, "growth.restart", w.half)
		}),
		{name: "Enforce, a deleted user of 3 rooms", of: "Enforce", prepare: prepareEnforce},
	}
}

// feedProbe is a row about the event of an edit, which comes behind a place in the feed.
func feedProbe(name, of string, then func(ctx context.Context, w *world, after roomkit.Cursor, room roomkit.RoomID, who roomkit.UserID) (ask, error)) probe {
	return probe{name: name, of: of, prepare: func(ctx context.Context, w *world, i int) (ask, error) {
		after, err := w.svc.Head(ctx)
		if err != nil {
			return nil, err
		}
		room, people := w.writeRoom(i)
		who := userID(people[0])
		if err := w.do(ctx, roomkit.By(who), roomkit.Edit{Room: room, Description: w.text()}); err != nil {
			return nil, err
		}
		return then(ctx, w, after, room, who)
	}}
}

func prepareEnforce(ctx context.Context, w *world, i int) (ask, error) {
	who, err := w.newcomer(ctx, companyID(0))
	if err != nil {
		return nil, err
	}
	for k := range 3 {
		room, people := w.roomID(w.usual(i*3+k)), w.room(w.usual(i*3+k)).people
		if err := w.do(ctx, roomkit.By(userID(people[0])), roomkit.Invite{Room: room, People: []roomkit.UserID{who}}); err != nil {
			return nil, err
		}
	}
	head, err := w.svc.Head(ctx)
	if err == nil {
		err = w.svc.RestartFollower(ctx, "growth.enforce", head)
	}
	if err == nil {
		err = w.do(ctx, roomkit.System(), roomkit.DeleteUser{User: who})
	}
	return func(ctx context.Context) error {
		rooms := 0
		err := w.svc.Enforce(ctx, &service.EnforceOptions{Name: "growth.enforce", Once: true, Progress: func(p service.EnforceProgress) { rooms += p.Changed }})
		return demand(err, rooms > 0, "nobody was taken out")
	}, err
}
