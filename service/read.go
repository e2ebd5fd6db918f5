package service

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/internal/enum"
	"github.com/go-roomkit/roomkit/store"
)

// The reads in this file are for users: they go through the same policy as
// commands, and to an outsider every room is not found. They are pages joined to
// sequences: a non-nil error is yielded once and last; nothing is held while the
// loop body runs.

// Room gives a room's properties to those who take part in or manage it, for a
// public group to all colleagues (GRP-21), and for groups and teams to the
// administrators of the owning company and the team's leader. To everybody else it
// is ErrNotFound. Those who take part or manage but whose account or permission
// does not hold any more, and those who may know of a room that has ended, get a
// [*roomkit.Denied] that says so. A malformed id is ErrInvalid.
func (s *Service) Room(ctx context.Context, user roomkit.UserID, room roomkit.RoomID) (roomkit.Room, error) {
	f, err := s.look(ctx, user, room, roomkit.ActionSeeRoom)
	if err != nil {
		return roomkit.Room{}, placed("Room", room, err)
	}
	return f.Room, nil
}

// look loads a room for a user who may take the action in it.
func (s *Service) look(ctx context.Context, user roomkit.UserID, room roomkit.RoomID, action roomkit.Action) (f decide.Facts, err error) {
	answers, err := s.accessFacts(ctx, user, []roomkit.RoomID{room})
	if err != nil {
		return f, err
	}
	f.Facts = answers[0]
	return f, decide.May(s.rules, &f, roomkit.By(user), action)
}

// load answers one need.
func (s *Service) load(ctx context.Context, n store.Need) (*decide.Facts, error) {
	answers, err := store.Ask(ctx, s.store, []store.Need{n})
	if err != nil {
		return nil, err
	}
	return &decide.Facts{Facts: answers[0], Need: n}, nil
}

// Members gives the people of a room in byte order of their ids, without those
// whose membership does not count any more. It goes on from page to page by itself:
// for one page of a screen stop after so many, and give the last id as After the
// next time. q.Room is ignored; MembersAll is not for users and ErrInvalid. Two
// round trips a page, and one to begin. Errors are those of Room.
func (s *Service) Members(ctx context.Context, user roomkit.UserID, room roomkit.RoomID, q store.MemberQuery) iter.Seq2[roomkit.Member, error] {
	return sequence("Members", room, func(yield func(roomkit.Member) bool) error {
		if q.Which >= store.MembersAll {
			return &roomkit.Invalid{Field: "Which", Reason: "not a filter for users"}
		}
		if _, err := s.look(ctx, user, room, roomkit.ActionSeeMembers); err != nil {
			return err
		}
		q.Room = room
		for f, err := range s.peopleFacts(ctx, q) {
			if err != nil {
				return err
			}
			for _, id := range f.Need.People {
				who := f.Person(id)
				row := *who.Row
				row.Participant, row.Master = who.ListedIn(&f.Room), who.Manages(&f.Room)
				listed := row.Participant && q.Which != store.MembersManaging || row.Master && q.Which != store.MembersTakingPart
				if listed && !yield(row) {
					return nil
				}
			}
		}
		return nil
	})
}

// peopleFacts gives, page by page, the facts about the people of a room, who are in
// Need.People in order.
func (s *Service) peopleFacts(ctx context.Context, q store.MemberQuery) iter.Seq2[*decide.Facts, error] {
	return func(yield func(*decide.Facts, error) bool) {
		for page, err := range store.MemberPages(ctx, s.store, q) {
			var f *decide.Facts
			if err == nil {
				people := make([]roomkit.UserID, len(page))
				for i := range page {
					people[i] = page[i].User
				}
				f, err = s.load(ctx, store.Need{Room: q.Room, People: people})
			}
			if !yield(f, err) || err != nil {
				return
			}
		}
	}
}

// Rooms gives the rooms of a user by id, with the user's own rows: those in which
// the user takes part or manages, as q.Which says, and whose membership counts
// (LST-15, ADM-05). Only Which, Kinds, After and Limit of q are looked at;
// MembersAll is not for users and ErrInvalid. For one page of a screen stop after
// so many, as with Members. A user who is not known or cannot act is a [*roomkit.Denied]
// (CRE-49, ADM-13, ADM-17, COM-10).
func (s *Service) Rooms(ctx context.Context, user roomkit.UserID, q store.RoomQuery) iter.Seq2[store.RoomEntry, error] {
	return sequence("Rooms", roomkit.RoomID{}, func(yield func(store.RoomEntry) bool) error {
		if err := q.CheckForUser(); err != nil {
			return err
		}
		who, err := s.actingUser(ctx, user)
		if err == nil {
			_, err = s.ownRooms(ctx, store.RoomQuery{Which: q.Which, Kinds: q.Kinds, After: q.After, Limit: q.Limit}, &who, yield)
		}
		return err
	})
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

var groupListNames = [groupListCount]string{"managed", "belonging", "all"}

// String gives the stable name of the part.
func (l GroupList) String() string { return enum.Name(groupListNames[:], l) }

// Groups gives a part of the company's group list (LST-23). Public groups of the
// own company are in GroupsAll (GRP-19); private ones appear only to those who
// belong to or manage them (GRP-20, EXT-09), to administrators as well: for all
// groups of a company the host asks the store. Errors are those of Rooms; an unknown
// part is ErrInvalid.
func (s *Service) Groups(ctx context.Context, user roomkit.UserID, which GroupList) iter.Seq2[store.RoomEntry, error] {
	return sequence("Groups", roomkit.RoomID{}, func(yield func(store.RoomEntry) bool) error {
		who, err := s.actingUser(ctx, user)
		if err != nil {
			return err
		}
		if which >= groupListCount {
			return &roomkit.Invalid{Field: "GroupList", Reason: "unknown value"}
		}
		filters := [groupListCount]store.MemberFilter{store.MembersManaging, store.MembersTakingPart, store.MembersPresent}
		q := store.RoomQuery{Which: filters[which], Kinds: []roomkit.Kind{roomkit.KindGroup, roomkit.KindExternalGroup}}
		more, err := s.ownRooms(ctx, q, &who, yield)
		if err != nil || !more || which != GroupsAll || who.User.Company == "" {
			return err
		}
		return s.publicGroups(ctx, q.Kinds, &who, yield)
	})
}

const inside = roomkit.StandingParticipant | roomkit.StandingMaster

// ownRooms yields the rooms that a user is in, as q.Which says, by a membership that
// counts.
func (s *Service) ownRooms(ctx context.Context, q store.RoomQuery, who *decide.Person, yield func(store.RoomEntry) bool) (more bool, err error) {
	wanted := inside
	switch q.Which {
	case store.MembersTakingPart:
		wanted = roomkit.StandingParticipant
	case store.MembersManaging:
		wanted = roomkit.StandingMaster
	}
	q.User = who.ID
	for page, err := range store.RoomPages(ctx, s.store, q) {
		if err != nil {
			return false, err
		}
		for i := range page {
			if standingIn(&page[i], who)&wanted != 0 && !yield(page[i]) {
				return false, nil
			}
		}
	}
	return true, nil
}

// publicGroups yields the public groups of a user's company that the user is not in.
func (s *Service) publicGroups(ctx context.Context, kinds []roomkit.Kind, who *decide.Person, yield func(store.RoomEntry) bool) error {
	for page, err := range store.RoomPages(ctx, s.store, store.RoomQuery{Company: who.User.Company, Public: true, Kinds: kinds}) {
		var facts []decide.Facts
		if err == nil {
			facts, err = s.inRooms(ctx, page, who.ID)
		}
		if err != nil {
			return err
		}
		for i := range facts {
			page[i].Member = facts[i].Row(who.ID)
			st := standingIn(&page[i], who)
			if st&inside == 0 && st.Has(roomkit.StandingColleague) && !yield(page[i]) {
				return nil
			}
		}
	}
	return nil
}

// inRooms loads what is known of people in each room of a list.
func (s *Service) inRooms(ctx context.Context, rooms []store.RoomEntry, people ...roomkit.UserID) ([]decide.Facts, error) {
	needs := make([]store.Need, len(rooms))
	for i := range rooms {
		needs[i] = store.Need{Room: rooms[i].Room.ID, People: people}
	}
	answers, err := store.Ask(ctx, s.store, needs)
	if err != nil {
		return nil, err
	}
	facts := make([]decide.Facts, len(rooms))
	for i := range answers {
		facts[i] = decide.Facts{Facts: answers[i], Need: needs[i]}
	}
	return facts, nil
}

// standingIn is what a user is in a room of a list. Leading a team lists no room.
func standingIn(entry *store.RoomEntry, who *decide.Person) roomkit.Standing {
	p := *who
	p.Row = &entry.Member
	st, _ := p.Standing(&entry.Room, &roomkit.Team{})
	return st
}

// actingUser loads a user who can act.
func (s *Service) actingUser(ctx context.Context, user roomkit.UserID) (decide.Person, error) {
	if err := decide.CheckUser("User", user); err != nil {
		return decide.Person{}, err
	}
	f, err := s.load(ctx, store.Need{People: []roomkit.UserID{user}})
	if err != nil {
		return decide.Person{}, err
	}
	return f.Person(user), decide.CanAct(f, user)
}

// Recommend gives the rooms that a user already shares with all of people, for
// the audience chosen: exact ones first, then those with fewer others, then the
// most recently changed (LST-05 to LST-11). Without an audience the people decide it,
// as for calendar events and mails (LST-12). exactOnly leaves out rooms with others.
// At most MaxOffers rooms, the first of up to MaxSharedSeen that the people share.
// One round trip, another one if there are any, and a third where they share more
// than MaxShared. A user who is not known, cannot act or could not create a room of
// so many people is a [*roomkit.Denied] (CRE-49, ADM-13, ADM-17, COM-10, LINE-02, CRE-48);
// malformed or repeated people are ErrInvalid.
func (s *Service) Recommend(ctx context.Context, user roomkit.UserID, people []roomkit.UserID, audience roomkit.Audience, exactOnly bool) ([]roomkit.Offer, error) {
	offers, err := s.recommend(ctx, user, people, audience, exactOnly)
	return offers, placed("Recommend", roomkit.RoomID{}, err)
}

func (s *Service) recommend(ctx context.Context, user roomkit.UserID, people []roomkit.UserID, audience roomkit.Audience, exactOnly bool) ([]roomkit.Offer, error) {
	if err := decide.CheckPick(user, people, audience); err != nil {
		return nil, err
	}
	others := slices.DeleteFunc(slices.Clone(people), func(id roomkit.UserID) bool { return id == user })
	all := append(others[:len(others):len(others)], user)
	if len(all) < 3 {
		return nil, nil // one person leads to the 1:1 room (CRE-03)
	}
	f, err := s.load(ctx, store.Need{People: all, Shared: all})
	if err != nil {
		return nil, err
	}
	if err := decide.CanCreate(f, user, len(others)); err != nil {
		return nil, err
	}
	if err := s.dropVoidShared(ctx, f); err != nil {
		return nil, err
	}
	return decide.Recommend(f, user, others, audience, exactOnly), nil
}

// dropVoidShared leaves of the shared rooms those in which everybody asked for takes
// part by memberships that count (LST-06, LST-07, EXT-22). It costs a round trip
// when there are any.
func (s *Service) dropVoidShared(ctx context.Context, f *decide.Facts) error {
	if len(f.Shared) == 0 {
		return nil
	}
	if err := s.moreShared(ctx, f); err != nil {
		return err
	}
	rooms, err := s.inRooms(ctx, f.Shared, f.Need.Shared...)
	f.Shared = f.Shared[:0]
	for i := range rooms {
		if rooms[i].AllListed() {
			f.Shared = append(f.Shared, store.RoomEntry{Room: rooms[i].Room})
		}
	}
	return err
}

// moreShared looks for further rooms of people who share more than a store gives
// at once, so that none is missed that comes first by what the user sees.
func (s *Service) moreShared(ctx context.Context, f *decide.Facts) error {
	if len(f.Shared) < store.MaxShared {
		return nil
	}
	known := make(map[roomkit.RoomID]bool, len(f.Shared))
	for i := range f.Shared {
		known[f.Shared[i].Room.ID] = true
	}
	seen := 0
	for page, err := range store.RoomPages(ctx, s.store, store.RoomQuery{Participants: f.Need.Shared, Limit: roomkit.MaxPage}) {
		if err != nil {
			return err
		}
		for i := range page {
			if !known[page[i].Room.ID] {
				f.Shared = append(f.Shared, page[i])
			}
		}
		if seen += len(page); seen >= roomkit.MaxSharedSeen {
			break
		}
	}
	return nil
}

// Access says for each room, in the order given, all that a user may do in it.
// One round trip, at most MaxAccessRooms rooms. A permission that has just been
// withdrawn ends access with this call already, before anybody was removed. A user or
// room that is not known is no error; a malformed id and too many rooms are
// ErrInvalid.
func (s *Service) Access(ctx context.Context, user roomkit.UserID, rooms ...roomkit.RoomID) ([]roomkit.Access, error) {
	facts, err := s.accessFacts(ctx, user, rooms)
	if err != nil {
		return nil, placed("Access", roomkit.RoomID{}, err)
	}
	list := make([]roomkit.Access, len(rooms))
	for i := range facts {
		list[i] = decide.Access(s.rules, &decide.Facts{Facts: facts[i]}, rooms[i], user)
	}
	return list, nil
}

// question is what a store is asked about one user in one room. No store keeps it.
type question struct {
	needs  [1]store.Need
	people [1]roomkit.UserID
}

func (s *Service) accessFacts(ctx context.Context, user roomkit.UserID, rooms []roomkit.RoomID) ([]store.Facts, error) {
	if err := decide.CheckUser("User", user); err != nil {
		return nil, err
	}
	if len(rooms) > roomkit.MaxAccessRooms {
		return nil, &roomkit.Invalid{Field: "Rooms", Reason: fmt.Sprintf("more than %d", roomkit.MaxAccessRooms)}
	}
	asked, _ := s.questions.Get().(*question)
	if asked == nil {
		asked = new(question)
	}
	defer s.questions.Put(asked)
	asked.people[0] = user
	needs := asked.needs[:]
	if len(rooms) != 1 {
		needs = make([]store.Need, len(rooms))
	}
	for i, room := range rooms {
		if err := decide.CheckRoom(room); err != nil {
			return nil, err
		}
		needs[i] = store.Need{Room: room, People: asked.people[:]}
	}
	return store.Ask(ctx, s.store, needs)
}

// Check says whether a user may take an action in a room: nil, a [*roomkit.Denied] with
// the rule that forbids it, or ErrNotFound; ErrInvalid for a malformed id and an
// unknown action. One round trip.
func (s *Service) Check(ctx context.Context, user roomkit.UserID, action roomkit.Action, room roomkit.RoomID) error {
	if action == roomkit.ActionNone || !enum.Known(action) {
		return placed("Check", room, &roomkit.Invalid{Field: "Action", Reason: "missing or unknown"})
	}
	_, err := s.look(ctx, user, room, action)
	return placed("Check", room, err)
}

// Due is a room whose content has to be deleted for good.
type Due struct {
	Room  roomkit.RoomID `json:"room,omitzero"`
	Kind  roomkit.Kind   `json:"kind,omitzero"`
	Name  string         `json:"name,omitzero"`
	Since time.Time      `json:"since,omitzero"` // when message was switched off
	At    time.Time      `json:"at,omitzero"`    // when the period was over
}

// Due gives the groups and team rooms of a company in which message has been
// switched off for so long at the time now that everybody's conversation and the
// feature data have to be deleted (GRP-38, TEAM-19). It is for a job of the host
// that runs, for instance, once a day. A room is given again until somebody
// switches message on, and then begins empty, whether or not the job has come by
// (GRP-39): deleting twice has to be harmless. What ended rooms leave behind is in
// their [roomkit.RoomEnded].
//
// It pages through the company's groups and teams, a round trip for up to MaxPage
// of them.
func (s *Service) Due(ctx context.Context, company roomkit.CompanyID, now time.Time) iter.Seq2[Due, error] {
	return sequence("Due", roomkit.RoomID{}, func(yield func(Due) bool) error {
		if !company.Valid() {
			return &roomkit.Invalid{Field: "Company", Reason: "not a company id"}
		}
		q := store.RoomQuery{Company: company, Kinds: []roomkit.Kind{roomkit.KindGroup, roomkit.KindExternalGroup, roomkit.KindTeam}, Limit: roomkit.MaxPage}
		for page, err := range store.RoomPages(ctx, s.store, q) {
			if err != nil {
				return err
			}
			for i := range page {
				room := &page[i].Room
				at := room.MessageOffSince.Add(decide.MessageOffPeriod(&s.rules.Policy))
				if room.MessageOffSince.IsZero() || now.Before(at) {
					continue
				}
				if !yield(Due{Room: room.ID, Kind: room.Kind, Name: room.Name, Since: room.MessageOffSince, At: at}) {
					return nil
				}
			}
		}
		return nil
	})
}

// Problem is something about a room that its host should know.
type Problem uint8

// The problems. Commands alone lead to none of them but for the changes of the
// directory that [Service.Enforce] has not carried out yet or that nobody can mend
// by rule: a group that lost its last Group Master waits for an administrator.
const (
	ProblemNone        Problem = iota
	ProblemNoMaster            // nobody manages the group; an administrator of its company may appoint somebody (GRP-04, ADM-19)
	ProblemOwnerAbsent         // nobody of the owning company takes part in the external group any more
	ProblemVoid                // people are in by the rows whose account or permission has ended (EXT-31, ADM-13, LINE-01)
	ProblemOutsider            // people of another company are where only the owning one's may be (GEN-27, GRP-02, TEAM-07)
	problemCount
)

var problemNames = [problemCount]string{"none", "no_master", "owner_absent", "void", "outsider"}

// String gives a stable name, for instance "no_master".
func (p Problem) String() string { return enum.Name(problemNames[:], p) }

// Finding is one problem of a room.
type Finding struct {
	Problem Problem          `json:"problem,omitzero"`
	People  []roomkit.UserID `json:"people,omitempty"` // because of whom, in byte order, at most MaxPeople of them; none for what nobody is
	Count   int64            `json:"count,omitzero"`   // how many they are
}

// Health looks for what is wrong with a room, by its rows and the directory of this
// moment; nothing means that it is well. It is for hosts and their administrators'
// tools, not for users. A room that does not exist is ErrNotFound; one that has
// ended has no problems.
//
// It pages through the people of the room: two round trips for up to MaxPage of
// them, and one to begin.
func (s *Service) Health(ctx context.Context, room roomkit.RoomID) ([]Finding, error) {
	found, err := s.health(ctx, room)
	return found, placed("Health", room, err)
}

func (s *Service) health(ctx context.Context, room roomkit.RoomID) ([]Finding, error) {
	if err := decide.CheckRoom(room); err != nil {
		return nil, err
	}
	f, err := s.load(ctx, store.Need{Room: room})
	switch {
	case err != nil:
		return nil, err
	case f.Room.Version == 0:
		return nil, roomkit.ErrNotFound
	case f.Room.State != roomkit.StateActive:
		return nil, nil
	}
	e := examination{void: Finding{Problem: ProblemVoid}, outsiders: Finding{Problem: ProblemOutsider}}
	for page, err := range s.peopleFacts(ctx, store.MemberQuery{Room: room, Limit: roomkit.MaxPage}) {
		if err != nil {
			return nil, err
		}
		for _, id := range page.Need.People {
			e.look(&page.Room, page.Person(id))
		}
	}
	return e.findings(f.Room.Kind), nil
}

// examination is what a look at the people of a room has brought so far.
type examination struct {
	masters, owners int64
	void, outsiders Finding
}

func (e *examination) look(room *roomkit.Room, who decide.Person) {
	if who.Manages(room) {
		e.masters++
	}
	if who.Row.Participant && !who.ListedIn(room) || who.Row.Master && !who.Manages(room) {
		e.void.add(who.ID)
	}
	switch {
	case !who.TakesPart(room):
	case who.User.Company == room.Company:
		e.owners++
	case who.Kind != roomkit.UserLINE && slices.Contains([]roomkit.Kind{roomkit.KindGeneral, roomkit.KindGroup, roomkit.KindTeam}, room.Kind):
		e.outsiders.add(who.ID)
	}
}

func (f *Finding) add(id roomkit.UserID) {
	if f.Count++; f.Count <= roomkit.MaxPeople {
		f.People = append(f.People, id)
	}
}

func (e *examination) findings(kind roomkit.Kind) (list []Finding) {
	if kind.IsGroup() && e.masters == 0 {
		list = append(list, Finding{Problem: ProblemNoMaster})
	}
	if kind == roomkit.KindExternalGroup && e.owners == 0 {
		list = append(list, Finding{Problem: ProblemOwnerAbsent})
	}
	for _, f := range []Finding{e.void, e.outsiders} {
		if f.Count > 0 {
			list = append(list, f)
		}
	}
	return list
}
