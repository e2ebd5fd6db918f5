package main

import (
	"context"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// reach are those whom a change of the directory can concern. A stream that is told lists
// its rooms again and its page is fetched: with a thousand pages open that is not for all of
// them whenever one account is suspended.
type reach struct {
	everybody bool
	company   roomkit.CompanyID // its people, and who shares a room with any of them
	users     []roomkit.UserID  // who can see other rooms than before
	rooms     []roomkit.RoomID  // in which something looks different
	others    bool              // somebody can see other rooms than before among those who see these
}

// reached finds them. Of what is not known everybody is told.
func (l *live) reached(ctx context.Context, e roomkit.Event) reach {
	subject := e.Info().Subject
	switch e := e.(type) {
	case *roomkit.UserPut, *roomkit.UserStatusChanged, *roomkit.UserMessagingChanged:
		user := roomkit.UserID(subject.ID)
		rooms, err := l.roomsOf(ctx, user)
		return reach{everybody: err != nil, users: []roomkit.UserID{user}, rooms: rooms}
	case *roomkit.TeamSynced:
		company, team := roomkit.TeamKey(subject.ID).Split()
		users := append(append([]roomkit.UserID{e.Leader}, e.Added...), e.Removed...)
		return reach{users: users, rooms: []roomkit.RoomID{roomkit.TeamRoom(company, team)}, others: true}
	case *roomkit.CompanyPut, *roomkit.CompanyMessagingChanged:
		return reach{company: roomkit.CompanyID(subject.ID)}
	default:
		return reach{everybody: true}
	}
}

// roomsOf gives the rooms that somebody is or was in.
func (l *live) roomsOf(ctx context.Context, user roomkit.UserID) (rooms []roomkit.RoomID, err error) {
	for page, err := range store.RoomPages(ctx, l.store, store.RoomQuery{User: user, Which: store.MembersAll}) {
		if err != nil {
			return nil, err
		}
		for _, entry := range page {
			rooms = append(rooms, entry.Room.ID)
		}
	}
	return rooms, nil
}

// tellReached is called with the lock held.
func (l *live) tellReached(r reach) {
	for user, streams := range l.open {
		of := l.companyOf(user)
		for s := range streams {
			if r.everybody || r.company != "" && (of == r.company || s.outside) {
				s.all = true
				s.nudge()
			}
		}
	}
	for _, user := range r.users {
		for s := range l.open[user] {
			s.all = true
			s.nudge()
		}
	}
	for _, room := range r.rooms {
		for s := range l.rooms[room] {
			s.stale = s.stale || r.others
		}
		l.tell(room, false)
	}
}

// mixed reports whether somebody meets people of other companies in a room, or consumers.
func mixed(of roomkit.CompanyID, room *roomkit.Room) bool {
	return of != room.Company || room.Partners > 0 || room.Consumers > 0
}

// mixes remembers that outsiders are in a room now.
func (l *live) mixes(room roomkit.RoomID, counts roomkit.Counts) {
	if counts.Partners == 0 && counts.Consumers == 0 {
		return
	}
	l.mixings++
	for s := range l.rooms[room] {
		s.outside = true
	}
}
