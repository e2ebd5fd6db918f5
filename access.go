package roomkit

import (
	"time"
)

// Access is all that a user may do in a room at one moment. For a room that the
// user may not know of, and for one that does not exist, only Room is set.
type Access struct {
	Room         RoomID        `json:"room,omitzero"`
	Version      Version       `json:"version,omitzero"`
	Kind         Kind          `json:"kind,omitzero"`
	Standing     Standing      `json:"standing,omitzero"` // what the user is in the room, as far as it counts
	Actions      ActionSet     `json:"actions,omitzero"`  // what the user may do
	Features     FeatureSet    `json:"features,omitzero"` // what of the room's features the user can use
	ReadFrom     ReadFrom      `json:"read_from,omitzero"`
	EmptiedAt    Version       `json:"emptied_at,omitzero"`    // nothing that was written before this version of the room exists any more (GRP-39); 0: all does
	RecallWindow time.Duration `json:"recall_window,omitzero"` // how long own messages can be recalled (FEA-10)
	Consumers    bool          `json:"consumers,omitzero"`     // consumers take part or have: what they received cannot be recalled (FEA-14)
}

// RoomView is what a list of rooms on a screen shows a user of one room, and what the
// user may do there. What the user may not see of the room is zero.
type RoomView struct {
	Access
	State         RoomState `json:"state,omitzero"`
	Name          string    `json:"name,omitzero"`           // empty: People stand for it
	Photo         string    `json:"photo,omitzero"`          // the host's reference to a picture
	Badge         bool      `json:"badge,omitzero"`          // the group badge (LST-01, LST-02)
	WithPartners  bool      `json:"with_partners,omitzero"`  // users of other companies take part: the room is marked (LST-03)
	WithConsumers bool      `json:"with_consumers,omitzero"` // consumers take part: the room is marked (LST-04)
	Counts        Counts    `json:"counts,omitzero"`
	// People are, of a room without a name, the first others who take part, in byte order
	// of their ids, at most MaxTitlePeople; of a 1:1 room the other party, in it or not.
	People []UserID `json:"people,omitempty"`
}

// RoomEntry is a room in a list, with the row of the user whose list it is; the row is
// zero in lists of nobody.
type RoomEntry struct {
	Room   Room   `json:"room,omitzero"`
	Member Member `json:"member,omitzero"`
}

// ReadFrom says which part of a room's conversation a user may read. Notes are
// readable from the beginning for everyone who can use them (GRP-42).
type ReadFrom struct {
	Allowed bool      `json:"allowed,omitzero"` // false: nothing
	All     bool      `json:"all,omitzero"`     // from the beginning; else from Version and At
	Version Version   `json:"version,omitzero"` // the room's version from which on
	At      time.Time `json:"at,omitzero"`      // the time of that version
}

// Can reports whether an action is allowed.
func (a Access) Can(action Action) bool { return a.Actions.Has(action) }

// MayRead reports whether the user may read a message, by the version that the room had
// when it was written: the host keeps with each message the Version of the Access by
// which it let the author post. A message of a later version than that of this Access is
// not for the user, who may have been removed in between (COM-02): ask for a new Access. A
// host that reads messages first and then asks for the Access shows nothing that was
// written after the user lost it, be it by the directory, which changes no room's version.
func (a Access) MayRead(written Version) bool {
	from := a.ReadFrom
	return from.Allowed && written <= a.Version && written >= a.EmptiedAt && (from.All || written >= from.Version)
}

// MayRecall says whether user, whose access this is, may recall a message of
// author: an own one within the recall window, one of others as leader or Group
// Master, none in a room that consumers are or were in (FEA-10 to FEA-14).
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
	case a.Consumers:
		return deny("FEA-14", "consumers have received it")
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

// NotesFromBeginning reports whether the user can read the room's notes from the
// beginning, or from EmptiedAt on, whatever ReadFrom says of the conversation
// (GRP-42).
func (a Access) NotesFromBeginning() bool { return a.Features.Has(FeatureNote) }
