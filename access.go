package roomkit

import (
	"context"
	"fmt"
	"time"
)

// Access is all that a user may do in a room at one moment. For a room that the
// user may not know of, and for one that does not exist, only Room is set.
type Access struct {
	Room         RoomID
	Version      Version
	Kind         Kind
	Standing     Standing   // what the user is in the room, as far as it counts
	Actions      ActionSet  // what the user may do
	Features     FeatureSet // what of the room's features the user can use
	ReadFrom     ReadFrom
	EmptiedAt    Version       // nothing that was written before this version of the room exists any more (GRP-39); 0: all does
	RecallWindow time.Duration // how long own messages can be recalled (FEA-10)
	LINE         bool          // LINE users take part or have: what they received cannot be recalled (FEA-14)
}

// ReadFrom says which part of a room's conversation a user may read. Notes are
// readable from the beginning for everyone who can use them (GRP-42).
type ReadFrom struct {
	Allowed bool      // false: nothing
	All     bool      // from the beginning; else from Version and At
	Version Version   // the room's version from which on
	At      time.Time // the time of that version
}

// Can reports whether an action is allowed.
func (a Access) Can(action Action) bool { return a.Actions.Has(action) }

// MayRecall says whether user, whose access this is, may recall a message of
// author: an own one within the recall window, one of others as leader or Group
// Master, none in a room that LINE users are or were in (FEA-10 to FEA-14).
func (a Access) MayRecall(user, author UserID, sentAt, now time.Time) error {
	action := ActionRecallOwn
	if user != author {
		action = ActionRecallOthers
	}
	deny := func(rule Rule, reason string) error {
		return &Denied{Rule: rule, Action: action, Actor: By(user), Room: a.Room, Reason: reason}
	}
	switch {
	case a.Version == 0:
		return ErrNotFound
	case a.LINE:
		return deny("FEA-14", "LINE users have received it")
	case !a.Can(action) && action == ActionRecallOthers && a.Kind.HasBadge():
		return deny("FEA-11", "not a leader or Group Master")
	case !a.Can(action) && action == ActionRecallOthers:
		return deny("FEA-12", "nobody recalls messages of others there")
	case !a.Can(action):
		return deny("COM-02", "not a participant")
	case action == ActionRecallOwn && now.Sub(sentAt) > a.RecallWindow:
		return deny("FEA-10", "the time for recalling is over")
	}
	return nil
}

var featureActions = [featureCount]Action{ActionUseNote, ActionUseEvent, ActionUseTask, ActionUseFolder, ActionUseMailingList}

// access evaluates the facts of one room for one user.
func (r *Rules) access(f *Facts, id RoomID, user UserID) Access {
	room := &f.Room
	out := Access{Room: id}
	if room.Version == 0 {
		return out
	}
	who := f.person(user)
	st, void := who.standing(room, &f.Team)
	if st == 0 && void == "" || !r.visible(room, &who, st, void) {
		return out
	}
	out.Version, out.Kind, out.Standing = room.Version, room.Kind, st
	out.Actions = r.actions(room.Kind, st, r.limitsOf(room, &f.Team, f.barred()))
	for feature, action := range featureActions {
		if out.Actions.Has(action) {
			out.Features |= 1 << feature
		}
	}
	if out.Can(ActionEnter) {
		out.ReadFrom = readFrom(room, who.row)
	}
	out.EmptiedAt = room.EmptiedAt
	out.RecallWindow, out.LINE = who.company.recallWindow(), room.HadLINE
	return out
}

func readFrom(room *Room, row *Member) ReadFrom {
	from := ReadFrom{Allowed: true, All: row.ReadAll && room.EmptiedAt == 0}
	if from.All {
		return from
	}
	from.Version, from.At = row.JoinedVersion, row.JoinedAt
	if row.ReadAll || room.EmptiedAt > row.JoinedVersion {
		from.Version, from.At = room.EmptiedAt, room.EmptiedOn
	}
	return from
}

// Access says for each room, in the order given, all that a user may do in it.
// One round trip, at most MaxAccessRooms rooms. A permission that has just been
// withdrawn ends access with this call already, before anybody was removed. A user or
// room that is not known is no error; a malformed id and too many rooms are
// [ErrInvalid].
func (s *Service) Access(ctx context.Context, user UserID, rooms ...RoomID) ([]Access, error) {
	facts, err := s.accessFacts(ctx, user, rooms)
	if err != nil {
		return nil, &Error{Op: "Access", Err: err}
	}
	list := make([]Access, len(rooms))
	for i := range facts {
		list[i] = s.rules.access(&facts[i], rooms[i], user)
	}
	return list, nil
}

// question is what a store is asked about one user in one room. No store keeps it.
type question struct {
	needs  [1]Need
	people [1]UserID
}

func (s *Service) accessFacts(ctx context.Context, user UserID, rooms []RoomID) ([]Facts, error) {
	if err := checkUser("User", user); err != nil {
		return nil, err
	}
	if len(rooms) > MaxAccessRooms {
		return nil, invalid("Rooms", fmt.Sprintf("more than %d", MaxAccessRooms))
	}
	asked, _ := s.questions.Get().(*question)
	if asked == nil {
		asked = new(question)
	}
	defer s.questions.Put(asked)
	asked.people[0] = user
	needs := asked.needs[:]
	if len(rooms) != 1 {
		needs = make([]Need, len(rooms))
	}
	for i, room := range rooms {
		if err := checkRoom(room); err != nil {
			return nil, err
		}
		needs[i] = Need{Room: room, People: asked.people[:]}
	}
	return ask(ctx, s.store, needs)
}

// Check says whether a user may take an action in a room: nil, a [*Denied] with
// the rule that forbids it, or [ErrNotFound]; [ErrInvalid] for a malformed id and an
// unknown action. One round trip.
func (s *Service) Check(ctx context.Context, user UserID, action Action, room RoomID) error {
	if err := s.check(ctx, user, action, room); err != nil {
		return &Error{Op: "Check", Room: room, Err: err}
	}
	return nil
}

func (s *Service) check(ctx context.Context, user UserID, action Action, room RoomID) error {
	if action == ActionNone || action >= actionCount {
		return invalid("Action", "missing or unknown")
	}
	facts, err := s.accessFacts(ctx, user, []RoomID{room})
	if err != nil {
		return err
	}
	who := facts[0].person(user)
	return s.rules.may(&facts[0], &who, By(user), action)
}

// NotesFromBeginning reports whether the user can read the room's notes from the
// beginning, or from EmptiedAt on, whatever ReadFrom says of the conversation
// (GRP-42).
func (a Access) NotesFromBeginning() bool { return a.Features.Has(FeatureNote) }
