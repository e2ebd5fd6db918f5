package roomkit

import (
	"time"

	"github.com/go-roomkit/roomkit/internal/enum"
)

// Member is the row of one person in one room. Taking part and being a Group
// Master are two independent facts: a master who does not take part manages but
// must not read (GRP-10, GRP-11). The row stays when both have ended, so that it
// tells how the last period began and ended.
type Member struct {
	Room    RoomID    `json:"room,omitzero"`
	User    UserID    `json:"user,omitzero"`
	Company CompanyID `json:"company,omitzero"`
	Kind    UserKind  `json:"kind,omitzero"`

	Participant bool `json:"participant,omitzero"`
	Master      bool `json:"master,omitzero"`

	Period        int64     `json:"period,omitzero"`         // how often this person joined; 0: never. Nothing is carried over from one to the next (COM-06)
	Joined        Cause     `json:"joined,omitzero"`         // how the last period began
	JoinedAt      time.Time `json:"joined_at,omitzero"`      // when it began
	JoinedVersion Version   `json:"joined_version,omitzero"` // the room's version with which it began
	ReadAll       bool      `json:"read_all,omitzero"`       // may read from the beginning; else from JoinedAt (COM-04)
	Epoch         Epoch     `json:"epoch,omitzero"`          // the directory versions the admission relied on
	MasterEpoch   Epoch     `json:"master_epoch,omitzero"`   // the same for the appointment as master

	Left        Cause     `json:"left,omitzero"`         // how the last period ended, or the room for a Group Master who took no part; CauseNone while it lasts
	LeftAt      time.Time `json:"left_at,omitzero"`      // when it ended
	LeftVersion Version   `json:"left_version,omitzero"` // the room's version with which it ended
	LeftBy      Actor     `json:"left_by,omitzero"`      // who ended it
}

// Epoch tells on which state of the directory an admission relied: the versions
// of the person's user row and company row. A permission that was lost later is
// recognised by it, even when it has been given back since (EXT-25).
type Epoch struct {
	User    Version `json:"user,omitzero"`
	Company Version `json:"company,omitzero"`
}

// Person names somebody in an event together with what the decision relied on.
type Person struct {
	User    UserID    `json:"user,omitzero"`
	Company CompanyID `json:"company,omitzero"`
	Kind    UserKind  `json:"kind,omitzero"`
	Epoch   Epoch     `json:"epoch,omitzero"`
}

// Cause says why a membership or a master role began or ended (NTF-09). The set
// is closed.
type Cause uint8

// The causes.
const (
	CauseNone         Cause = iota
	CauseCreated            // took part from the creation on
	CauseInvited            // invited by a participant
	CauseAdded              // added or appointed by a Group Master or administrator
	CauseReopened           // back in a 1:1 room that was opened again (DIR-17)
	CauseOrganisation       // the organisation chart changed (TEAM-05)
	CauseSelf               // own decision
	CauseRemoved            // removed or dismissed by another user: the event's actor
	CausePermission         // the external permission was withdrawn (EXT-22)
	CauseAccount            // the account was deleted (ADM-13)
	CauseRoomEnded          // the room was dissolved or deleted
	CauseConverted          // the room was converted (CRE-39, CRE-41)
	CauseHandedOver         // a master handed the role over
	CauseImported           // brought in by package transfer
	causeCount
)

var causeNames = [causeCount]string{
	"none", "created", "invited", "added", "reopened", "organisation", "self", "removed",
	"permission_withdrawn", "account_ended", "room_ended", "converted", "handed_over", "imported",
}

// String gives the stable name of the cause, for instance "permission_withdrawn".
func (c Cause) String() string { return enum.Name(causeNames[:], c) }

// Actor is who sends a command: a user or the system. It is always given by the
// host, which has authenticated the user; it is never read from a payload. The
// zero Actor may do nothing.
type Actor struct {
	user   UserID
	system bool
}

// By is the user as actor.
func By(user UserID) Actor { return Actor{user: user} }

// System is the host itself as actor: it provisions the directory and carries
// out consequences, but has no say over who takes part in a group.
func System() Actor { return Actor{system: true} }

// User is the acting user; empty for the system.
func (a Actor) User() UserID { return a.user }

// IsSystem reports whether the actor is the system.
func (a Actor) IsSystem() bool { return a.system }

// String gives the user id, or "*system" for the system.
func (a Actor) String() string {
	if a.system {
		return systemText
	}
	return string(a.user)
}

const systemText = "*system"
