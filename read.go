package roomkit

import (
	"context"
	"fmt"
	"iter"
)

// The reads in this file are for users: they go through the same policy as
// commands, and to an outsider every room is not found. They are pages joined to
// sequences: a non-nil error is yielded once and last; nothing is held while the
// loop body runs.

// Room gives a room's properties to those who take part in or manage it, for a
// public group to all colleagues (GRP-21), and for groups and teams to the
// administrators of the owning company and the team's leader. To everybody else it
// is [ErrNotFound]. Those who take part or manage but whose account or permission
// does not hold any more, and those who may know of a room that has ended, get a
// [*Denied] that says so. A malformed id is [ErrInvalid].
func (s *Service) Room(ctx context.Context, user UserID, room RoomID) (Room, error) {
	f, err := s.look(ctx, user, room, ActionSeeRoom)
	if err != nil {
		return Room{}, &Error{Op: "Room", Room: room, Err: err}
	}
	return f.Room, nil
}

func (s *Service) look(ctx context.Context, user UserID, room RoomID, action Action) (*Facts, error) {
	facts, err := s.accessFacts(ctx, user, []RoomID{room})
	if err != nil {
		return nil, err
	}
	who := facts[0].person(user)
	if err := s.rules.may(&facts[0], &who, By(user), action); err != nil {
		return nil, err
	}
	return &facts[0], nil
}

// Members gives the people of a room in byte order of their ids, without those
// whose membership does not count any more. It goes on from page to page by itself:
// for one page of a screen stop after so many, and give the last id as After the
// next time. q.Room is ignored; MembersAll is not for users and [ErrInvalid]. Two
// round trips a page, and one to begin. Errors are those of Room.
func (s *Service) Members(ctx context.Context, user UserID, room RoomID, q MemberQuery) iter.Seq2[Member, error] {
	return func(yield func(Member, error) bool) {
		fail := func(err error) { yield(Member{}, &Error{Op: "Members", Room: room, Err: err}) }
		if q.Which >= MembersAll {
			fail(invalid("Which", "not a filter for users"))
			return
		}
		if _, err := s.look(ctx, user, room, ActionSeeMembers); err != nil {
			fail(err)
			return
		}
		q.Room = room
		for {
			page, last, err := s.memberPage(ctx, q)
			if err != nil {
				fail(err)
				return
			}
			for _, m := range page {
				if !yield(m, nil) {
					return
				}
			}
			if last == "" {
				return
			}
			q.After = last
		}
	}
}

// memberPage gives a page as far as the memberships count, and where the next
// begins; last is empty at the end.
func (s *Service) memberPage(ctx context.Context, q MemberQuery) (page []Member, last UserID, err error) {
	f, people, err := s.presentPeople(ctx, q)
	if err != nil || len(people) == 0 {
		return nil, "", err
	}
	for _, id := range people {
		who := f.person(id)
		row := *who.row
		row.Participant, row.Master = who.shows(&f.Room), who.manages(&f.Room)
		if row.Participant && q.Which != MembersManaging || row.Master && q.Which != MembersTakingPart {
			page = append(page, row)
		}
	}
	return page, people[len(people)-1], nil
}

// presentPeople gives the people of a page, in order, and the facts about them.
func (s *Service) presentPeople(ctx context.Context, q MemberQuery) (*Facts, []UserID, error) {
	rows, err := s.store.Members(ctx, q)
	if err != nil || len(rows) == 0 {
		return nil, nil, err
	}
	people := make([]UserID, len(rows))
	for i := range rows {
		people[i] = rows[i].User
	}
	facts, err := ask(ctx, s.store, []Need{{Room: q.Room, People: people}})
	if err != nil {
		return nil, nil, err
	}
	return &facts[0], people, nil
}

// Rooms gives the rooms of a user by id, with the user's own rows: those in which
// the user takes part or manages, as q.Which says, and whose membership counts
// (LST-15, ADM-05). Only Which, Kinds, After and Limit of q are looked at;
// MembersAll is not for users and [ErrInvalid]. For one page of a screen stop after
// so many, as with Members. A user who is not known or cannot act is a [*Denied]
// (CRE-49, ADM-13, ADM-17, COM-10).
func (s *Service) Rooms(ctx context.Context, user UserID, q RoomQuery) iter.Seq2[RoomEntry, error] {
	if err := q.checkForUser(); err != nil {
		return func(yield func(RoomEntry, error) bool) { yield(RoomEntry{}, &Error{Op: "Rooms", Err: err}) }
	}
	return s.roomList(ctx, "Rooms", user, []RoomQuery{
		{User: user, Which: q.Which, Kinds: q.Kinds, After: q.After, Limit: q.Limit},
	})
}

func (q *RoomQuery) checkForUser() error {
	if q.Which >= MembersAll {
		return invalid("Which", "not a filter for users")
	}
	for i, k := range q.Kinds {
		if k == KindNone || k >= kindCount {
			return invalid(fmt.Sprintf("Kinds[%d]", i), fmt.Sprintf("unknown value %d", k))
		}
	}
	return nil
}

// GroupList selects a part of the company's group list (LST-23).
type GroupList uint8

// The parts of the group list.
const (
	GroupsManaged   GroupList = iota // of which the user is Group Master
	GroupsBelonging                  // in which the user takes part
	GroupsAll                        // all public ones, and the own ones
	groupListCount
)

// Groups gives a part of the company's group list (LST-23). Public groups of the
// own company are in GroupsAll (GRP-19); private ones appear only to those who
// belong to or manage them (GRP-20, EXT-09), to administrators as well: for all
// groups of a company the host asks the store. Errors are those of Rooms; an unknown
// part is [ErrInvalid].
func (s *Service) Groups(ctx context.Context, user UserID, which GroupList) iter.Seq2[RoomEntry, error] {
	kinds := []Kind{KindGroup, KindExternalGroup}
	own := RoomQuery{User: user, Kinds: kinds}
	queries := []RoomQuery{own}
	switch which {
	case GroupsManaged:
		queries[0].Which = MembersManaging
	case GroupsBelonging:
		queries[0].Which = MembersTakingPart
	case GroupsAll:
		queries = append(queries, RoomQuery{Public: true, Kinds: kinds})
	default:
		queries = nil
	}
	return s.roomList(ctx, "Groups", user, queries)
}

func (s *Service) roomList(ctx context.Context, op string, user UserID, queries []RoomQuery) iter.Seq2[RoomEntry, error] {
	return func(yield func(RoomEntry, error) bool) {
		fail := func(err error) { yield(RoomEntry{}, &Error{Op: op, Err: err}) }
		who, err := s.someone(ctx, user)
		if err == nil && len(queries) == 0 {
			err = invalid("GroupList", "unknown value")
		}
		if err != nil {
			fail(err)
			return
		}
		for _, q := range queries {
			if q.User == "" {
				q.Company = who.User.Company
			}
			if q.User == "" && q.Company == "" {
				continue
			}
			if more, err := s.roomPages(ctx, q, &who, yield); err != nil {
				fail(err)
				return
			} else if !more {
				return
			}
		}
	}
}

// roomPages yields what of the pages the user may see. In the list of public
// groups those of the user's own list are left out.
func (s *Service) roomPages(ctx context.Context, q RoomQuery, who *person, yield func(RoomEntry, error) bool) (more bool, err error) {
	for {
		page, err := s.store.Rooms(ctx, q)
		if err != nil || len(page) == 0 {
			return true, err
		}
		if err := s.fillRows(ctx, q, who.ID, page); err != nil {
			return false, err
		}
		for _, entry := range page {
			if s.lists(q, who, &entry) && !yield(entry, nil) {
				return false, nil
			}
		}
		q.After = page[len(page)-1].Room.ID
	}
}

// fillRows adds the user's rows to a page of a company's rooms.
func (s *Service) fillRows(ctx context.Context, q RoomQuery, user UserID, page []RoomEntry) error {
	if q.User != "" {
		return nil
	}
	needs := make([]Need, len(page))
	for i := range page {
		needs[i] = Need{Room: page[i].Room.ID, People: []UserID{user}}
	}
	facts, err := ask(ctx, s.store, needs)
	if err != nil {
		return err
	}
	for i := range page {
		page[i].Member = *facts[i].row(user)
	}
	return nil
}

func (s *Service) lists(q RoomQuery, who *person, entry *RoomEntry) bool {
	p := *who
	p.row = &entry.Member
	st, _ := p.standing(&entry.Room, &Team{})
	own := st & (StandingParticipant | StandingMaster)
	if q.User == "" {
		return own == 0 && st.has(StandingColleague)
	}
	switch q.Which {
	case MembersTakingPart:
		return own.has(StandingParticipant)
	case MembersManaging:
		return own.has(StandingMaster)
	}
	return own != 0
}

func (st Standing) has(one Standing) bool { return st&one != 0 }

// someone loads a user who can act.
func (s *Service) someone(ctx context.Context, user UserID) (person, error) {
	if err := checkUser("User", user); err != nil {
		return person{}, err
	}
	facts, err := ask(ctx, s.store, []Need{{People: []UserID{user}}})
	if err != nil {
		return person{}, err
	}
	who := facts[0].person(user)
	d := decider{rules: s.rules, f: &facts[0], actor: By(user), me: who}
	return who, d.checkActor()
}

// Recommend gives the rooms that a user already shares with all of people, for
// the audience chosen: exact ones first, then those with fewer others, then the
// most recently changed (LST-05 to LST-11). Without an audience the people decide it,
// as for calendar events and mails (LST-12). exactOnly leaves out rooms with others.
// At most MaxOffers rooms, the first of up to MaxSharedSeen that the people share.
// One round trip, another one if there are any, and a third where they share more
// than MaxShared. A user who is not known, cannot act or could not create a room of
// so many people is a [*Denied] (CRE-49, ADM-13, ADM-17, COM-10, LINE-02, CRE-48);
// malformed or repeated people are [ErrInvalid].
func (s *Service) Recommend(ctx context.Context, user UserID, people []UserID, audience Audience, exactOnly bool) ([]Offer, error) {
	offers, err := s.recommend(ctx, user, people, audience, exactOnly)
	if err != nil {
		return nil, &Error{Op: "Recommend", Err: err}
	}
	return offers, nil
}

func (s *Service) recommend(ctx context.Context, user UserID, people []UserID, audience Audience, exactOnly bool) ([]Offer, error) {
	if err := enumOK("Audience", audience, audienceCount); err != nil {
		return nil, err
	}
	if err := checkPeople("People", people); err != nil {
		return nil, err
	}
	if err := checkUser("User", user); err != nil {
		return nil, err
	}
	all := append(without(people, user), user)
	if len(all) < 3 {
		return nil, nil // one person leads to the 1:1 room (CRE-03)
	}
	facts, err := ask(ctx, s.store, []Need{{People: all, Shared: all}})
	if err != nil {
		return nil, err
	}
	d := decider{rules: s.rules, f: &facts[0], actor: By(user), me: facts[0].person(user)}
	if err := d.checkActor(); err != nil {
		return nil, err
	}
	pick := CreateRoom{Audience: audience, People: without(people, user)}
	if err := pick.checkCreator(&d, len(pick.People)); err != nil {
		return nil, err
	}
	facts[0].Asked = &Need{Shared: all}
	if err := s.keepCurrent(ctx, &facts[0]); err != nil {
		return nil, err
	}
	p := d.sortOut(d.people(pick.People), d.home())
	return s.rules.offers(facts[0].Shared, len(all), pick.external(&p), exactOnly), nil
}
