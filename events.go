package roomkit

import (
	"time"

	"github.com/go-roomkit/roomkit/internal/enum"
)

// Event is something that has happened to one room, user, company or team. The
// set is sealed; every event is a struct of this file that embeds [Meta].
//
//sumtype:decl
type Event interface {
	// Type is the stable name of the event, for instance "member.joined".
	Type() string
	// Info gives what all events carry; it belongs to the event.
	Info() *Meta
	event()
}

// SubjectType says what a version belongs to.
type SubjectType uint8

// The types of subjects.
const (
	SubjectNone SubjectType = iota
	SubjectRoom
	SubjectUser
	SubjectCompany
	SubjectTeam
	subjectTypeCount
)

var subjectTypeNames = [subjectTypeCount]string{"none", "room", "user", "company", "team"}

// String gives the stable name of the type.
func (t SubjectType) String() string { return enum.Name(subjectTypeNames[:], t) }

// Subject names one versioned thing: a room by Room, a team by a [TeamKey] in ID, users
// and companies by ID.
type Subject struct {
	Type SubjectType `json:"type,omitzero"`
	Room RoomID      `json:"room,omitzero"`
	ID   string      `json:"id,omitzero"`
}

// RoomSubject names a room.
func RoomSubject(id RoomID) Subject { return Subject{Type: SubjectRoom, Room: id} }

// UserSubject names a user.
func UserSubject(id UserID) Subject { return Subject{Type: SubjectUser, ID: string(id)} }

// CompanySubject names a company.
func CompanySubject(id CompanyID) Subject { return Subject{Type: SubjectCompany, ID: string(id)} }

// TeamSubject names a team of a company.
func TeamSubject(company CompanyID, team TeamID) Subject {
	return Subject{Type: SubjectTeam, ID: string(KeyOfTeam(company, team))}
}

// String gives the type and the id, for instance "user:kim" or "team:acme sales".
func (s Subject) String() string {
	if s.Type == SubjectRoom {
		return "room:" + s.Room.String()
	}
	return s.Type.String() + ":" + s.ID
}

// Meta is what all events carry.
type Meta struct {
	Subject Subject   `json:"subject,omitzero"`
	Version Version   `json:"version,omitzero"` // of the subject, with this event
	At      time.Time `json:"at,omitzero"`      // UTC, microseconds; never decreases within one subject
	Actor   Actor     `json:"actor,omitzero"`   // who did it; the system is an actor too
	Epoch   Epoch     `json:"epoch,omitzero"`   // the actor's permission: the directory versions relied on; zero for the system
	Command CommandID `json:"command,omitzero"` // the events of one command have the same one
	Cause   Cause     `json:"cause,omitzero"`   // why; CauseNone where nothing is to be said
	Kind    Kind      `json:"kind,omitzero"`    // the room's kind after the event; KindNone for others
	Notify  bool      `json:"notify,omitzero"`  // group notification of the room is on (NTF-04)
}

// Info gives the Meta itself; every event embeds it.
func (m *Meta) Info() *Meta { return m }
func (*Meta) event()        {}

// Events of rooms.
type (
	// RoomCreated begins a room. Joined people and masters follow in events of
	// their own. A derived id (Self, Direct, Team) can begin anew after its end,
	// with the next version.
	RoomCreated struct {
		Meta
		Company        CompanyID  `json:"company,omitzero"`
		Team           TeamID     `json:"team,omitzero"`
		Parties        [2]UserID  `json:"parties,omitzero"`
		Name           string     `json:"name,omitzero"`
		NameKey        string     `json:"name_key,omitzero"`
		Photo          string     `json:"photo,omitzero"`
		Description    string     `json:"description,omitzero"`
		Origin         Origin     `json:"origin,omitzero"`
		Public         bool       `json:"public,omitzero"`
		HistorySharing bool       `json:"history_sharing,omitzero"`
		Features       FeatureSet `json:"features,omitzero"`
	}
	// RoomImported begins a room that was somewhere else until now, with the version it had
	// there; its people follow in events of their own. The fields are those of [Room].
	RoomImported struct {
		Meta
		State            RoomState  `json:"state,omitzero"`
		Company          CompanyID  `json:"company,omitzero"`
		Team             TeamID     `json:"team,omitzero"`
		Creator          UserID     `json:"creator,omitzero"`
		Parties          [2]UserID  `json:"parties,omitzero"`
		Name             string     `json:"name,omitzero"`
		NameKey          string     `json:"name_key,omitzero"`
		Photo            string     `json:"photo,omitzero"`
		Description      string     `json:"description,omitzero"`
		Origin           Origin     `json:"origin,omitzero"`
		Public           bool       `json:"public,omitzero"`
		HistorySharing   bool       `json:"history_sharing,omitzero"`
		Features         FeatureSet `json:"features,omitzero"`
		FeaturesWithheld bool       `json:"features_withheld,omitzero"`
		MessageOffSince  time.Time  `json:"message_off_since,omitzero"`
		HadConsumers     bool       `json:"had_consumers,omitzero"`
		EmptiedAt        Version    `json:"emptied_at,omitzero"`
		EmptiedOn        time.Time  `json:"emptied_on,omitzero"`
		CreatedAt        time.Time  `json:"created_at,omitzero"`
	}
	// MembersImported brings the rows of people of an imported room, as they are to be:
	// with times, versions and roles of their own. Nobody joins by it.
	MembersImported struct {
		Meta
		Rows   []Member `json:"rows,omitempty"`
		Counts Counts   `json:"counts,omitzero"`
		Void   bool     `json:"void,omitzero"` // some do not count any more, and are to be taken out
	}
	// MemberJoined admits people; Cause says how they came (NTF-07).
	MemberJoined struct {
		Meta
		People  []Person `json:"people,omitempty"`
		ReadAll bool     `json:"read_all,omitzero"` // they may read from the beginning
		Counts  Counts   `json:"counts,omitzero"`
	}
	// MemberLeft ends participations, and master roles where those end too (NTF-08).
	// Cause says why; the actor ran the command that recorded it, which for what was
	// lost already can be anybody who may add or remove.
	MemberLeft struct {
		Meta
		People []Person `json:"people,omitempty"`
		Roles  bool     `json:"roles,omitzero"`  // some of them were Group Masters, which has ended as well
		Name   string   `json:"name,omitzero"`   // the room's name, for the notice
		Among  []UserID `json:"among,omitempty"` // of a room without a name some who stay, for the notice
		Counts Counts   `json:"counts,omitzero"`
	}
	// MasterAppointed gives the master role.
	MasterAppointed struct {
		Meta
		People []Person `json:"people,omitempty"`
		Counts Counts   `json:"counts,omitzero"`
	}
	// MasterDismissed ends the master role of people who stay in the room or never took part.
	MasterDismissed struct {
		Meta
		People []Person `json:"people,omitempty"`
		Counts Counts   `json:"counts,omitzero"`
	}
	// MasterVacated says that an automatic removal left the group without a
	// Group Master (ADM-19).
	MasterVacated struct{ Meta }
	// RoomRenamed changes the name.
	RoomRenamed struct {
		Meta
		From    string `json:"from,omitzero"`
		To      string `json:"to,omitzero"`
		NameKey string `json:"name_key,omitzero"`
	}
	// PhotoChanged changes the photo.
	PhotoChanged struct {
		Meta
		From string `json:"from,omitzero"`
		To   string `json:"to,omitzero"`
	}
	// DescriptionChanged changes the description.
	DescriptionChanged struct {
		Meta
		From string `json:"from,omitzero"`
		To   string `json:"to,omitzero"`
	}
	// VisibilityChanged makes a group public or private.
	VisibilityChanged struct {
		Meta
		Public bool `json:"public,omitzero"`
	}
	// HistorySharingChanged says what people may read who join from now on (COM-05).
	HistorySharingChanged struct {
		Meta
		On bool `json:"on,omitzero"`
	}
	// NotificationSwitched turns group notification on or off; Meta.Notify is the new value.
	NotificationSwitched struct{ Meta }
	// FeaturesSwitched switches features; To is how the switches are now.
	FeaturesSwitched struct {
		Meta
		From FeatureSet `json:"from,omitzero"`
		To   FeatureSet `json:"to,omitzero"`
	}
	// FeaturesWithheldChanged withholds the masters' right over features or gives it back (GRP-31).
	FeaturesWithheldChanged struct {
		Meta
		Withheld bool `json:"withheld,omitzero"`
	}
	// MessageSwitchedOff makes the room unusable; what it holds is due for
	// deletion at Deadline (GRP-38).
	MessageSwitchedOff struct {
		Meta
		Deadline time.Time `json:"deadline,omitzero"`
	}
	// MessageSwitchedOn makes the room usable again. Emptied says that the
	// deadline had passed: nothing before this event can be read (GRP-39).
	MessageSwitchedOn struct {
		Meta
		Emptied bool `json:"emptied,omitzero"`
	}
	// FeatureDataDeleted orders the deletion of the data of features, for good (TEAM-13).
	FeatureDataDeleted struct {
		Meta
		Features FeatureSet `json:"features,omitzero"`
	}
	// RoomConverted makes a group of a General room; Meta.Kind is the new kind (GEN-31, GEN-32).
	RoomConverted struct {
		Meta
		From     Kind       `json:"from,omitzero"`
		Features FeatureSet `json:"features,omitzero"`
		People   []Person   `json:"people,omitempty"` // who stays, with the permission relied on
	}
	// RoomEnded ends the room and with it every membership and role in it.
	// Counts are those before the end.
	RoomEnded struct {
		Meta
		Deleted bool   `json:"deleted,omitzero"` // deleted by somebody; else dissolved because the last person was gone
		Counts  Counts `json:"counts,omitzero"`
	}
)

// Events of the directory.
type (
	// CompanyPut adds a company, or changes it in what does not concern messaging.
	CompanyPut struct {
		Meta
		Company Company `json:"company,omitzero"`
	}
	// UserPut adds a user, or changes who administers.
	UserPut struct {
		Meta
		User User `json:"user,omitzero"`
	}
	// UserStatusChanged suspends, deletes or restores an account.
	UserStatusChanged struct {
		Meta
		From UserStatus `json:"from,omitzero"`
		To   UserStatus `json:"to,omitzero"`
	}
	// CompanyMessagingChanged sets who of a company may talk with outsiders.
	CompanyMessagingChanged struct {
		Meta
		With Outsider     `json:"with,omitzero"`
		From ExternalMode `json:"from,omitzero"`
		To   ExternalMode `json:"to,omitzero"`
	}
	// UserMessagingChanged grants or withdraws one user's own permission.
	UserMessagingChanged struct {
		Meta
		With             Outsider `json:"with,omitzero"`
		On               bool     `json:"on,omitzero"`
		Permits          bool     `json:"permits,omitzero"`           // with it the user may talk with outsiders and could not before: the company's mode lets it count
		PartnersNarrowed Version  `json:"partners_narrowed,omitzero"` // the company's PartnersNarrowed at that moment
	}
	// TeamSynced brings a team in line with the organisation chart, or changes what is
	// granted to it. Added and Removed are the difference to the members before.
	TeamSynced struct {
		Meta
		Company  CompanyID  `json:"company,omitzero"`
		Name     string     `json:"name,omitzero"`
		Leader   UserID     `json:"leader,omitzero"`
		Added    []UserID   `json:"added,omitempty"`
		Removed  []UserID   `json:"removed,omitempty"`
		Room     bool       `json:"room,omitzero"`
		Features bool       `json:"features,omitzero"`
		Photo    bool       `json:"photo,omitzero"`
		Preset   FeatureSet `json:"preset,omitzero"`
		Notify   bool       `json:"preset_notify,omitzero"`
		Seq      int64      `json:"seq,omitzero"`
	}
	// Unknown is an event of a type or codec version that this version of the
	// library does not know. It is kept as it is: encoding it gives the bytes it
	// was decoded from.
	Unknown struct {
		Meta
		Name  string `json:"-"`              // the type name
		Codec int    `json:"codec,omitzero"` // the codec version
		Data  []byte `json:"data,omitempty"` // the whole encoded event
	}
)

// Type names the event.
func (*RoomCreated) Type() string { return "room.created" }

// Type names the event.
func (*RoomImported) Type() string { return "room.imported" }

// Type names the event.
func (*MembersImported) Type() string { return "members.imported" }

// Type names the event.
func (*MemberJoined) Type() string { return "member.joined" }

// Type names the event.
func (*MemberLeft) Type() string { return "member.left" }

// Type names the event.
func (*MasterAppointed) Type() string { return "master.appointed" }

// Type names the event.
func (*MasterDismissed) Type() string { return "master.dismissed" }

// Type names the event.
func (*MasterVacated) Type() string { return "master.vacated" }

// Type names the event.
func (*RoomRenamed) Type() string { return "room.renamed" }

// Type names the event.
func (*PhotoChanged) Type() string { return "room.photo_changed" }

// Type names the event.
func (*DescriptionChanged) Type() string { return "room.description_changed" }

// Type names the event.
func (*VisibilityChanged) Type() string { return "room.visibility_changed" }

// Type names the event.
func (*HistorySharingChanged) Type() string { return "room.history_sharing_changed" }

// Type names the event.
func (*NotificationSwitched) Type() string { return "room.notification_switched" }

// Type names the event.
func (*FeaturesSwitched) Type() string { return "room.features_switched" }

// Type names the event.
func (*FeaturesWithheldChanged) Type() string { return "room.features_withheld" }

// Type names the event.
func (*MessageSwitchedOff) Type() string { return "room.message_off" }

// Type names the event.
func (*MessageSwitchedOn) Type() string { return "room.message_on" }

// Type names the event.
func (*FeatureDataDeleted) Type() string { return "room.feature_data_deleted" }

// Type names the event.
func (*RoomConverted) Type() string { return "room.converted" }

// Type names the event.
func (*RoomEnded) Type() string { return "room.ended" }

// Type names the event.
func (*CompanyPut) Type() string { return "company.put" }

// Type names the event.
func (*UserPut) Type() string { return "user.put" }

// Type names the event.
func (*UserStatusChanged) Type() string { return "user.status_changed" }

// Type names the event.
func (*CompanyMessagingChanged) Type() string { return "company.messaging_changed" }

// Type names the event.
func (*UserMessagingChanged) Type() string { return "user.messaging_changed" }

// Type names the event.
func (*TeamSynced) Type() string { return "team.synced" }

// Type gives the name as it was stored.
func (u *Unknown) Type() string { return u.Name }

// newEvents makes a zero event of each type, in the order of this file.
var newEvents = []func() Event{
	func() Event { return new(RoomCreated) },
	func() Event { return new(RoomImported) },
	func() Event { return new(MembersImported) },
	func() Event { return new(MemberJoined) },
	func() Event { return new(MemberLeft) },
	func() Event { return new(MasterAppointed) },
	func() Event { return new(MasterDismissed) },
	func() Event { return new(MasterVacated) },
	func() Event { return new(RoomRenamed) },
	func() Event { return new(PhotoChanged) },
	func() Event { return new(DescriptionChanged) },
	func() Event { return new(VisibilityChanged) },
	func() Event { return new(HistorySharingChanged) },
	func() Event { return new(NotificationSwitched) },
	func() Event { return new(FeaturesSwitched) },
	func() Event { return new(FeaturesWithheldChanged) },
	func() Event { return new(MessageSwitchedOff) },
	func() Event { return new(MessageSwitchedOn) },
	func() Event { return new(FeatureDataDeleted) },
	func() Event { return new(RoomConverted) },
	func() Event { return new(RoomEnded) },
	func() Event { return new(CompanyPut) },
	func() Event { return new(UserPut) },
	func() Event { return new(UserStatusChanged) },
	func() Event { return new(CompanyMessagingChanged) },
	func() Event { return new(UserMessagingChanged) },
	func() Event { return new(TeamSynced) },
}

var newEventByType = func() map[string]func() Event {
	byType := make(map[string]func() Event, len(newEvents))
	for _, create := range newEvents {
		byType[create().Type()] = create
	}
	return byType
}()

// EventTypes gives the names of all types of events that this version of the
// library knows, rooms first, in an order that does not change between calls.
// [Unknown] is not among them.
func EventTypes() []string {
	names := make([]string, len(newEvents))
	for i, create := range newEvents {
		names[i] = create().Type()
	}
	return names
}

// NewEvent makes a zero event of the type with this name. It reports false for
// names that are not among [EventTypes].
func NewEvent(typ string) (Event, bool) {
	create, ok := newEventByType[typ]
	if !ok {
		return nil, false
	}
	return create(), true
}

// Valid reports whether a subject names a room, a user, a company or a team.
func (s Subject) Valid() bool {
	switch s.Type {
	case SubjectRoom:
		return s.ID == "" && !s.Room.IsZero()
	case SubjectUser, SubjectCompany, SubjectTeam:
		return s.ID != "" && s.Room.IsZero()
	}
	return false
}

// The JSON of events, one method for each type: without it encoding/json would leave
// the type out.

// MarshalJSON writes the type and the fields.
func (e *RoomCreated) MarshalJSON() ([]byte, error) {
	type fields RoomCreated
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *RoomImported) MarshalJSON() ([]byte, error) {
	type fields RoomImported
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *MembersImported) MarshalJSON() ([]byte, error) {
	type fields MembersImported
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *MemberJoined) MarshalJSON() ([]byte, error) {
	type fields MemberJoined
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *MemberLeft) MarshalJSON() ([]byte, error) {
	type fields MemberLeft
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *MasterAppointed) MarshalJSON() ([]byte, error) {
	type fields MasterAppointed
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *MasterDismissed) MarshalJSON() ([]byte, error) {
	type fields MasterDismissed
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *MasterVacated) MarshalJSON() ([]byte, error) {
	type fields MasterVacated
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *RoomRenamed) MarshalJSON() ([]byte, error) {
	type fields RoomRenamed
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *PhotoChanged) MarshalJSON() ([]byte, error) {
	type fields PhotoChanged
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *DescriptionChanged) MarshalJSON() ([]byte, error) {
	type fields DescriptionChanged
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *VisibilityChanged) MarshalJSON() ([]byte, error) {
	type fields VisibilityChanged
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *HistorySharingChanged) MarshalJSON() ([]byte, error) {
	type fields HistorySharingChanged
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *NotificationSwitched) MarshalJSON() ([]byte, error) {
	type fields NotificationSwitched
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *FeaturesSwitched) MarshalJSON() ([]byte, error) {
	type fields FeaturesSwitched
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *FeaturesWithheldChanged) MarshalJSON() ([]byte, error) {
	type fields FeaturesWithheldChanged
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *MessageSwitchedOff) MarshalJSON() ([]byte, error) {
	type fields MessageSwitchedOff
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *MessageSwitchedOn) MarshalJSON() ([]byte, error) {
	type fields MessageSwitchedOn
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *FeatureDataDeleted) MarshalJSON() ([]byte, error) {
	type fields FeatureDataDeleted
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *RoomConverted) MarshalJSON() ([]byte, error) {
	type fields RoomConverted
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *RoomEnded) MarshalJSON() ([]byte, error) {
	type fields RoomEnded
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *CompanyPut) MarshalJSON() ([]byte, error) {
	type fields CompanyPut
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *UserPut) MarshalJSON() ([]byte, error) {
	type fields UserPut
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *UserStatusChanged) MarshalJSON() ([]byte, error) {
	type fields UserStatusChanged
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *CompanyMessagingChanged) MarshalJSON() ([]byte, error) {
	type fields CompanyMessagingChanged
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *UserMessagingChanged) MarshalJSON() ([]byte, error) {
	type fields UserMessagingChanged
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type and the fields.
func (e *TeamSynced) MarshalJSON() ([]byte, error) {
	type fields TeamSynced
	return named("type", e.Type(), (*fields)(e))
}

// MarshalJSON writes the type, the codec version, the stored form in base64, and what
// all events carry.
func (u *Unknown) MarshalJSON() ([]byte, error) {
	type fields Unknown
	return named("type", u.Name, (*fields)(u))
}
