package service

import (
	"cmp"
	"context"
	"iter"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/store"
)

// MemberList says which people of a room to list.
type MemberList struct {
	Role  Role
	After PageToken // begins behind it
	Limit int       // how many; 0: all, or for a page DefaultPage
}

// Members gives the people of a room in byte order of their ids, without those
// whose membership does not count any more. Two round trips for each part of the list;
// each is judged anew, so that it ends with a refusal when the user loses the access
// meanwhile. Errors are those of Room; a malformed list is a [*roomkit.Invalid].
func (s *Service) Members(ctx context.Context, user roomkit.UserID, room roomkit.RoomID, q MemberList) iter.Seq2[roomkit.Member, error] {
	return rows(ctx, s, memberList(user, room, &q), s.readMembers(user, room, q.Role))
}

// MembersPage is one page of [Service.Members].
func (s *Service) MembersPage(ctx context.Context, user roomkit.UserID, room roomkit.RoomID, q MemberList) (Page[roomkit.Member], error) {
	return page(ctx, s, memberList(user, room, &q), s.readMembers(user, room, q.Role))
}

func memberList(user roomkit.UserID, room roomkit.RoomID, q *MemberList) list {
	return list{
		op: "Members", room: room, about: []string{string(user), q.Role.String()}, after: q.After, limit: q.Limit, step: userStep, fits: atUser,
		bad: cmp.Or(decide.CheckUser("User", user), decide.CheckRoom(room), checkRole(q.Role)),
	}
}

func (s *Service) readMembers(user roomkit.UserID, room roomkit.RoomID, role Role) reading[roomkit.Member] {
	return func(ctx context.Context, from string, step int, yield func(roomkit.Member, string) bool) error {
		q := store.MemberQuery{Room: room, Which: filters[role], After: roomkit.UserID(from), Limit: step}
		judged := false
		for part, err := range store.MemberPages(ctx, s.store, q) {
			var f *decide.Facts
			if err == nil {
				f, err = s.factsAbout(ctx, room, part, user)
			}
			if err == nil {
				err = decide.May(s.rules, f, roomkit.By(user), roomkit.ActionSeeMembers)
			}
			if err != nil {
				return err
			}
			judged = true
			for i := range part {
				row, listed := asListed(f, part[i].User, role)
				if listed && !yield(row, string(row.User)) {
					return nil
				}
			}
		}
		if judged {
			return nil
		}
		_, err := s.look(ctx, user, room, roomkit.ActionSeeMembers)
		return err
	}
}

// filters are what a store is asked for.
var filters = [roleCount]store.MemberFilter{store.MembersPresent, store.MembersTakingPart, store.MembersManaging}

// asListed gives somebody's row in a room, as far as it counts, and whether it is one of
// the role's.
func asListed(f *decide.Facts, id roomkit.UserID, role Role) (roomkit.Member, bool) {
	who := f.Person(id)
	row := *who.Row
	row.Participant, row.Master = who.ListedIn(&f.Room), who.Manages(&f.Room)
	return row, row.Participant && role != RoleMaster || row.Master && role != RoleParticipant
}

// factsAbout gives the facts about some people of a room, and about others.
func (s *Service) factsAbout(ctx context.Context, room roomkit.RoomID, part []roomkit.Member, also ...roomkit.UserID) (*decide.Facts, error) {
	people := make([]roomkit.UserID, 0, len(part)+len(also))
	for i := range part {
		people = append(people, part[i].User)
	}
	return s.load(ctx, store.Need{Room: room, People: append(people, also...)})
}
