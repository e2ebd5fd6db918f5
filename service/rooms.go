package service

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/internal/enum"
	"github.com/go-roomkit/roomkit/store"
)

// RoomList says which rooms of a user to list.
type RoomList struct {
	Role  Role           // what the user is there
	Kinds []roomkit.Kind // empty: all
	After PageToken      // begins behind it
	Limit int            // how many; 0: all, or for a page DefaultPage
}

// Rooms gives the rooms of a user by id, with the user's own rows: those in which the
// user takes part or manages by a membership that counts (LST-15, ADM-05). Two round
// trips for each part of the list. A user who is not known or cannot act is a
// [*roomkit.Denied] (ADM-13, ADM-17, COM-10), also one who cannot any more while
// the list is read; a malformed list is a [*roomkit.Invalid]. What a screen shows of
// the rooms is told by [Service.Screen].
func (s *Service) Rooms(ctx context.Context, user roomkit.UserID, q RoomList) iter.Seq2[roomkit.RoomEntry, error] {
	return rows(ctx, s, roomList(user, &q), s.readRooms(user, q))
}

// RoomsPage is one page of [Service.Rooms].
func (s *Service) RoomsPage(ctx context.Context, user roomkit.UserID, q RoomList) (Page[roomkit.RoomEntry], error) {
	return page(ctx, s, roomList(user, &q), s.readRooms(user, q))
}

func roomList(user roomkit.UserID, q *RoomList) list {
	names := make([]string, len(q.Kinds))
	for i, k := range q.Kinds {
		names[i] = k.String()
	}
	return list{
		op: "Rooms", about: []string{string(user), q.Role.String(), strings.Join(names, ",")},
		after: q.After, limit: q.Limit, step: userStep, fits: atRoom,
		bad: cmp.Or(decide.CheckUser("User", user), checkRole(q.Role), checkKinds(q.Kinds)),
	}
}

func checkKinds(kinds []roomkit.Kind) error {
	for i, k := range kinds {
		if k == roomkit.KindNone || !enum.Known(k) {
			return &roomkit.Invalid{Field: fmt.Sprintf("Kinds[%d]", i), Reason: fmt.Sprintf("unknown value %d", k)}
		}
	}
	return nil
}

func (s *Service) readRooms(user roomkit.UserID, q RoomList) reading[roomkit.RoomEntry] {
	return func(ctx context.Context, from string, step int, yield func(roomkit.RoomEntry, string) bool) error {
		own := store.RoomQuery{User: user, Which: filters[q.Role], Kinds: q.Kinds, After: roomAt(from), Limit: step}
		_, _, err := s.ownRooms(ctx, own, standings[q.Role], func(e roomkit.RoomEntry) bool { return yield(e, string(e.Room.ID[:])) })
		return err
	}
}

const inside = roomkit.StandingParticipant | roomkit.StandingMaster

// standings are what somebody of a role has one of.
var standings = [roleCount]roomkit.Standing{inside, roomkit.StandingParticipant, roomkit.StandingMaster}

// GroupPart is a part of the company's group list (LST-23).
type GroupPart uint8

// The parts of the group list.
const (
	GroupsManaged   GroupPart = iota // of which the user is Group Master
	GroupsBelonging                  // in which the user takes part
	GroupsAll                        // all public ones, and the own ones
	groupPartCount
)

var groupPartNames = [groupPartCount]string{"managed", "belonging", "all"}

// String gives the stable name of the part.
func (p GroupPart) String() string { return enum.Name(groupPartNames[:], p) }

// GroupList says which groups to list.
type GroupList struct {
	Part  GroupPart
	After PageToken // begins behind it
	Limit int       // how many; 0: all, or for a page DefaultPage
}

// Groups gives a part of the company's group list (LST-23), the user's own groups
// first. Public groups of the own company are in GroupsAll (GRP-19); private ones appear
// only to those who belong to or manage them (GRP-20, EXT-09), to administrators as
// well: for all groups of a company the host asks the store. Errors are those of Rooms.
func (s *Service) Groups(ctx context.Context, user roomkit.UserID, q GroupList) iter.Seq2[roomkit.RoomEntry, error] {
	return rows(ctx, s, groupList(user, &q), s.readGroups(user, q.Part))
}

// GroupsPage is one page of [Service.Groups].
func (s *Service) GroupsPage(ctx context.Context, user roomkit.UserID, q GroupList) (Page[roomkit.RoomEntry], error) {
	return page(ctx, s, groupList(user, &q), s.readGroups(user, q.Part))
}

// A place in the list of groups is that of a room among the own ones or the others.
const (
	ownGroup    = "o"
	publicGroup = "p"
)

func atGroup(place string) bool {
	return atRoom(place[1:]) && (place[:1] == ownGroup || place[:1] == publicGroup)
}

func groupList(user roomkit.UserID, q *GroupList) list {
	bad := decide.CheckUser("User", user)
	if bad == nil && !enum.Known(q.Part) {
		bad = &roomkit.Invalid{Field: "Part", Reason: fmt.Sprintf("unknown value %d", q.Part)}
	}
	return list{
		op: "Groups", about: []string{string(user), q.Part.String()}, after: q.After, limit: q.Limit, step: userStep, fits: atGroup, bad: bad,
	}
}

func (s *Service) readGroups(user roomkit.UserID, part GroupPart) reading[roomkit.RoomEntry] {
	role := [groupPartCount]Role{RoleMaster, RoleParticipant, RoleAny}[min(part, GroupsAll)]
	kinds := []roomkit.Kind{roomkit.KindGroup, roomkit.KindExternalGroup}
	return func(ctx context.Context, from string, step int, yield func(roomkit.RoomEntry, string) bool) error {
		among := func(where string) func(roomkit.RoomEntry) bool {
			return func(e roomkit.RoomEntry) bool { return yield(e, where+string(e.Room.ID[:])) }
		}
		var who decide.Person
		var err error
		others := roomkit.RoomID{}
		if strings.HasPrefix(from, publicGroup) {
			others = roomAt(from[1:])
			who, err = s.actingUser(ctx, user)
		} else {
			q := store.RoomQuery{User: user, Which: filters[role], Kinds: kinds, After: roomAt(strings.TrimPrefix(from, ownGroup)), Limit: step}
			var more bool
			if who, more, err = s.ownRooms(ctx, q, standings[role], among(ownGroup)); !more {
				return err
			}
		}
		if err != nil || part != GroupsAll || who.User.Company == "" {
			return err
		}
		q := store.RoomQuery{Company: who.User.Company, Public: true, Kinds: kinds, After: others, Limit: step}
		return s.publicGroups(ctx, q, user, among(publicGroup))
	}
}

// ownRooms yields the rooms that a user is in, by a membership that counts and with one
// of the standings, and gives the user. The user is judged with every part.
func (s *Service) ownRooms(ctx context.Context, q store.RoomQuery, wanted roomkit.Standing, yield func(roomkit.RoomEntry) bool) (who decide.Person, more bool, err error) {
	judged := false
	for part, err := range store.RoomPages(ctx, s.store, q) {
		if err == nil {
			who, err = s.actingUser(ctx, q.User)
		}
		if err != nil {
			return who, false, err
		}
		judged = true
		for i := range part {
			if standingIn(&part[i], &who)&wanted != 0 && !yield(part[i]) {
				return who, false, nil
			}
		}
	}
	if !judged {
		who, err = s.actingUser(ctx, q.User)
	}
	return who, err == nil, err
}

// publicGroups yields the public groups of a user's company that the user is not in.
func (s *Service) publicGroups(ctx context.Context, q store.RoomQuery, user roomkit.UserID, yield func(roomkit.RoomEntry) bool) error {
	for part, err := range store.RoomPages(ctx, s.store, q) {
		var facts []decide.Facts
		if err == nil {
			facts, err = s.inRooms(ctx, part, user)
		}
		if err == nil {
			err = decide.CanAct(&facts[0], user)
		}
		if err != nil {
			return err
		}
		for i := range facts {
			who := facts[i].Person(user)
			part[i].Member = *who.Row
			st := standingIn(&part[i], &who)
			if st&inside == 0 && st.Has(roomkit.StandingColleague) && !yield(part[i]) {
				return nil
			}
		}
	}
	return nil
}

// inRooms loads what is known of people in each room of a list.
func (s *Service) inRooms(ctx context.Context, rooms []roomkit.RoomEntry, people ...roomkit.UserID) ([]decide.Facts, error) {
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
func standingIn(entry *roomkit.RoomEntry, who *decide.Person) roomkit.Standing {
	p := *who
	p.Row = &entry.Member
	st, _ := p.Standing(&entry.Room, &roomkit.Team{})
	return st
}

// actingUser loads a user who can act.
func (s *Service) actingUser(ctx context.Context, user roomkit.UserID) (decide.Person, error) {
	f, err := s.load(ctx, store.Need{People: []roomkit.UserID{user}})
	if err != nil {
		return decide.Person{}, err
	}
	return f.Person(user), decide.CanAct(f, user)
}

// ExpiredRoom is a room whose content has to be deleted for good.
type ExpiredRoom struct {
	Room  roomkit.RoomID `json:"room,omitzero"`
	Kind  roomkit.Kind   `json:"kind,omitzero"`
	Name  string         `json:"name,omitzero"`
	Since time.Time      `json:"since,omitzero"` // when message was switched off
	At    time.Time      `json:"at,omitzero"`    // when the period was over
}

// ExpiredList says which expired rooms to list.
type ExpiredList struct {
	Company roomkit.CompanyID
	At      time.Time // as of when; zero: now
	After   PageToken // begins behind it
	Limit   int       // how many; 0: all, or for a page DefaultPage
}

// Expired gives the groups and team rooms of a company in which message has been
// switched off for so long that everybody's conversation and the feature data have to
// be deleted (GRP-38, TEAM-19). It is for a job of the host that runs, for instance,
// once a day. A room is given again until somebody switches message on, and then begins
// empty, whether or not the job has come by (GRP-39): deleting twice has to be harmless.
// What ended rooms leave behind is in their [roomkit.RoomEnded].
//
// It pages through the company's groups and teams, a round trip for up to MaxPage
// of them.
func (s *Service) Expired(ctx context.Context, q ExpiredList) iter.Seq2[ExpiredRoom, error] {
	return rows(ctx, s, expiredList(&q), s.readExpired(q))
}

// ExpiredPage is one page of [Service.Expired].
func (s *Service) ExpiredPage(ctx context.Context, q ExpiredList) (Page[ExpiredRoom], error) {
	return page(ctx, s, expiredList(&q), s.readExpired(q))
}

func expiredList(q *ExpiredList) list {
	return list{
		op: "Expired", about: []string{string(q.Company)}, after: q.After, limit: q.Limit, step: hostStep, fits: atRoom,
		bad: checkCompany(q.Company),
	}
}

func (s *Service) readExpired(q ExpiredList) reading[ExpiredRoom] {
	return func(ctx context.Context, from string, _ int, yield func(ExpiredRoom, string) bool) error {
		now := q.At
		if now.IsZero() {
			now = s.o.Clock()
		}
		rooms := store.RoomQuery{
			Company: q.Company, Kinds: []roomkit.Kind{roomkit.KindGroup, roomkit.KindExternalGroup, roomkit.KindTeam},
			After: roomAt(from), Limit: hostStep, // few of them have expired
		}
		for part, err := range store.RoomPages(ctx, s.store, rooms) {
			if err != nil {
				return err
			}
			for i := range part {
				room := &part[i].Room
				at := room.MessageOffSince.Add(decide.MessageOffPeriod(&s.rules.Policy))
				if room.MessageOffSince.IsZero() || now.Before(at) {
					continue
				}
				row := ExpiredRoom{Room: room.ID, Kind: room.Kind, Name: room.Name, Since: room.MessageOffSince, At: at}
				if !yield(row, string(room.ID[:])) {
					return nil
				}
			}
		}
		return nil
	}
}
