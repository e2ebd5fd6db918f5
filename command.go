package roomkit

import (
	"time"

	"github.com/go-roomkit/roomkit/internal/enum"
)

// Command is what an actor wants to happen. The set is sealed; the package's
// documentation lists it by subject. Commands are values; none of them carries the
// actor, the time or a version.
//
//sumtype:decl
type Command interface {
	name() string
}

// CommandName is the stable name of a command, for instance "Leave".
func CommandName(c Command) string { return c.name() }

func (OpenSelf) name() string            { return "OpenSelf" }
func (OpenDirect) name() string          { return "OpenDirect" }
func (CreateRoom) name() string          { return "CreateRoom" }
func (CreateGroup) name() string         { return "CreateGroup" }
func (CreateExternalGroup) name() string { return "CreateExternalGroup" }
func (OpenTeamRoom) name() string        { return "OpenTeamRoom" }
func (Invite) name() string              { return "Invite" }
func (Remove) name() string              { return "Remove" }
func (Leave) name() string               { return "Leave" }
func (Expel) name() string               { return "Expel" }
func (AppointMasters) name() string      { return "AppointMasters" }
func (DismissMasters) name() string      { return "DismissMasters" }
func (HandOver) name() string            { return "HandOver" }
func (Edit) name() string                { return "Edit" }
func (DeleteFeatureData) name() string   { return "DeleteFeatureData" }
func (Convert) name() string             { return "Convert" }
func (DeleteRoom) name() string          { return "DeleteRoom" }
func (AddCompany) name() string          { return "AddCompany" }
func (EditCompany) name() string         { return "EditCompany" }
func (AddUser) name() string             { return "AddUser" }
func (EditUser) name() string            { return "EditUser" }
func (SetCompanyMessaging) name() string { return "SetCompanyMessaging" }
func (SetUserMessaging) name() string    { return "SetUserMessaging" }
func (SuspendUser) name() string         { return "SuspendUser" }
func (DeleteUser) name() string          { return "DeleteUser" }
func (RestoreUser) name() string         { return "RestoreUser" }
func (SyncTeam) name() string            { return "SyncTeam" }
func (EditTeam) name() string            { return "EditTeam" }

// CommandNames lists the names of all commands.
func CommandNames() (names []string) {
	for _, c := range allCommands() {
		names = append(names, c.name())
	}
	return names
}

func allCommands() []Command {
	return []Command{
		OpenSelf{}, OpenDirect{}, CreateRoom{}, CreateGroup{}, CreateExternalGroup{}, OpenTeamRoom{}, Convert{}, DeleteRoom{},
		Invite{}, Remove{}, Leave{}, Expel{}, AppointMasters{}, DismissMasters{}, HandOver{}, Edit{}, DeleteFeatureData{},
		AddCompany{}, EditCompany{}, SetCompanyMessaging{}, AddUser{}, EditUser{}, SetUserMessaging{}, SuspendUser{}, DeleteUser{}, RestoreUser{},
		SyncTeam{}, EditTeam{},
	}
}

// Audience is the choice a picker starts with (CRE-02).
type Audience uint8

// The audiences.
const (
	AudienceNone     Audience = iota // not chosen; fine only where the origin decides
	AudienceMembers                  // 'Company Members'
	AudienceExternal                 // 'External Users': users of other companies or consumers
)

var audienceNames = [...]string{"none", "members", "external"}

// String gives the stable name of the audience.
func (a Audience) String() string { return enum.Name(audienceNames[:], a) }

// OpenSelf opens the actor's "message to me" room; the same room every time
// (SELF-02).
type OpenSelf struct{}

// OpenDirect opens the 1:1 room with another user (CRE-13 to CRE-15, DIR-13,
// DIR-15). There is one room per pair (DIR-02): opening it again answers with
// it, and a party that had left starts a new membership period (DIR-17). So a host sends
// it, too, when somebody who has left is written to.
type OpenDirect struct {
	With UserID `json:"with,omitzero"`
}

// CreateRoom makes a room of the right kind from picked people (CRE-01): the 1:1
// room for one person, a General room for several company members, an
// ExternalGroup when users of other companies are among them, together with
// company members or not (CRE-12), a General room with consumers. The room comes
// into being with this command, when the creator has confirmed (CRE-08, CRE-09);
// Service.Plan shows it before.
//
// The people are those whom the creator has chosen: of a picker, of a calendar
// event (CRE-16, CRE-18), of a mail (CRE-20, CRE-22), or of the members of another
// room (CRE-23), which stays as it is (CRE-27) and must not be a 1:1 room, message to
// me or a room with outsiders (CRE-25). Further people of any company may be among
// those from another room (CRE-24, CRE-29).
//
// With several people it offers first what Service.Recommend gives, on every way
// (CRE-04, CRE-19, CRE-22, CRE-26, LST-12): where rooms exist that all of them share,
// the error is an [*Offered] and nothing changes, unless AllowDuplicate or Existing is
// set. Several rooms of the same people may stand side by side (CRE-07).
type CreateRoom struct {
	People         []UserID `json:"people,omitempty"`  // 1 to MaxPeople; the actor is in anyway; of a team, its people of this moment (CRE-53)
	Audience       Audience `json:"audience,omitzero"` // what a picker started with (CRE-02): the people have to fit it; AudienceNone: the people decide
	Origin         Origin   `json:"origin,omitzero"`   // OriginPicker, OriginEvent, OriginMail or OriginRoom
	Source         RoomID   `json:"source,omitzero"`   // the room the people were chosen from, for OriginRoom
	Title          string   `json:"title,omitzero"`    // the event's title or the mail's subject; shortened to fit between two characters as people see them (CRE-32), of its first 64 KiB
	Name           string   `json:"name,omitzero"`     // given by the creator; wins over Title; with people of other companies required (CRE-51)
	Photo          string   `json:"photo,omitzero"`
	Description    string   `json:"description,omitzero"`
	Existing       RoomID   `json:"existing,omitzero"`        // choose this room, which the people share, offered or not: nothing is created (CRE-05), and what is said of a new room is left aside
	AllowDuplicate bool     `json:"allow_duplicate,omitzero"` // create although rooms are offered (CRE-06)
}

// CreateGroup makes a group of the actor's company (CRE-34). The actor becomes
// Group Master and member, unless an administrator creates it for others.
type CreateGroup struct {
	Name        string        `json:"name,omitzero"`       // required; unique in the company, whatever the case and width of its letters: see the package (GRP-29)
	Members     []UserID      `json:"members,omitempty"`   // besides the actor; at most MaxPeople
	Masters     []UserID      `json:"masters,omitempty"`   // further Group Masters; they need not be members (GRP-10)
	ForOthers   bool          `json:"for_others,omitzero"` // an administrator creates it without taking part; Masters is required
	Photo       string        `json:"photo,omitzero"`
	Description string        `json:"description,omitzero"`
	Settings    GroupSettings `json:"settings,omitzero"`
}

// CreateExternalGroup makes an external group owned by the actor's company
// (CRE-35). Everyone in it needs the external permission (EXT-30), and outsiders
// have to be contacts of the actor (EXT-32): the Contacts of the call, those of
// the service's options and [Policy].AnyoneIsContact say who is.
type CreateExternalGroup struct {
	Name        string        `json:"name,omitzero"`       // required (CRE-51)
	Members     []UserID      `json:"members,omitempty"`   // besides the actor, of any company; at most MaxPeople
	Masters     []UserID      `json:"masters,omitempty"`   // further Group Masters, of the owning company
	ForOthers   bool          `json:"for_others,omitzero"` // an administrator creates it without taking part; Masters is required
	Photo       string        `json:"photo,omitzero"`
	Description string        `json:"description,omitzero"`
	Settings    GroupSettings `json:"settings,omitzero"`
}

// GroupSettings are chosen when a group is created (EXT-36). The zero value:
// message on, every feature the kind offers on, private, no group notification,
// no history sharing.
type GroupSettings struct {
	Public         bool       `json:"public,omitzero"`          // Group only (EXT-10)
	HistorySharing bool       `json:"history_sharing,omitzero"` // newcomers read from the beginning
	Notify         bool       `json:"notify,omitzero"`          // group notification (NTF-05)
	MessageOff     bool       `json:"message_off,omitzero"`     // start with message switched off
	FeaturesOff    FeatureSet `json:"features_off,omitzero"`    // features to start with switched off
}

// OpenTeamRoom makes a team's room, by its leader or an administrator (TEAM-02,
// TEAM-03). The team's members are its participants (TEAM-01).
type OpenTeamRoom struct {
	Team    TeamID    `json:"team,omitzero"`
	Company CompanyID `json:"company,omitzero"` // whose team it is; the empty one is the actor's, which costs a further load; the system names it
}

// Invite adds people, one or several (GEN-04), to a room. They take part at once
// (COM-13). It is the only way into a group, public or private (GRP-23, GRP-24),
// and takes people with an account only (EXT-41).
//
// People whom the actor cannot know are refused with one rule (CRE-49, in an
// external group EXT-32): there is no such user, or it is an outsider who is no
// contact of the actor.
//
// Where the room cannot take them in, Invite opens a new, empty room instead and
// leaves this one as it is: a 1:1 room with a third person (DIR-06, DIR-07), a
// General room with users of other companies or consumers (GEN-27).
// Result.Room says which room it was. If a room of exactly these people and of that
// kind is there already, for instance because the command is repeated, it is that one and
// nothing changes, also when two processes are asked in the same moment.
type Invite struct {
	Room   RoomID   `json:"room,omitzero"`
	People []UserID `json:"people,omitempty"` // 1 to MaxPeople; who already takes part is skipped (COM-07)
	Name   string   `json:"name,omitzero"`    // name of the new external group, where one has to be opened and the room has none
}

// Remove takes people, one or several (GEN-06), out of a room: others, and in a
// group Group Masters can name themselves as long as another one remains (GRP-45,
// EXT-27). They can read nothing of it any more (GEN-08, GRP-13, EXT-20); what they
// wrote stays for the others (COM-03, GRP-14, EXT-21). In a group it ends a master
// role too and is refused if no Group Master would remain (GRP-45).
type Remove struct {
	Room   RoomID   `json:"room,omitzero"`
	People []UserID `json:"people,omitempty"` // 1 to MaxPeople, all of them participants (COM-08)
}

// Leave ends the actor's own participation. Only Direct and General rooms can
// be left, from the list as from inside (LST-22, GEN-12), and no group by anybody
// (GRP-12, EXT-17, EXT-18). The leaver can read nothing of it any more (GEN-10); for
// the others it goes on unchanged (GEN-11, GEN-35). For several rooms use
// Service.Batch (GEN-13).
type Leave struct {
	Room RoomID `json:"room,omitzero"`
}

// Expel is the system's command that carries out what a change of the directory
// has already decided: it takes out those of People to whom Cause applies and
// leaves the others alone. It can leave a group without a Group Master (ADM-19).
type Expel struct {
	Room   RoomID   `json:"room,omitzero"`
	People []UserID `json:"people,omitempty"` // 1 to MaxPeople
	Cause  Cause    `json:"cause,omitzero"`   // CausePermission or CauseAccount
}

// AppointMasters makes people Group Masters; a group may have several (GRP-05).
// They need not take part (GRP-10). By a Group Master or an administrator of the
// owning company (GRP-06, EXT-13); other kinds have no masters (GEN-34, TEAM-08).
type AppointMasters struct {
	Room   RoomID   `json:"room,omitzero"`
	People []UserID `json:"people,omitempty"` // 1 to MaxPeople
}

// DismissMasters ends master roles; whoever takes part goes on doing so. At
// least one Group Master has to remain (GRP-09, EXT-27). By a Group Master, who can name
// themselves (GRP-08), or an administrator of the owning company (GRP-06, EXT-13).
type DismissMasters struct {
	Room   RoomID   `json:"room,omitzero"`
	People []UserID `json:"people,omitempty"` // 1 to MaxPeople
}

// HandOver appoints another Group Master and ends the actor's own role in one
// step. The actor goes on taking part as before. By a Group Master only (GRP-08).
type HandOver struct {
	Room RoomID `json:"room,omitzero"`
	To   UserID `json:"to,omitzero"`
}

// Edit changes properties and settings of a room. Nil fields stay as they are.
// Either all changes are allowed and made, or none is. Whether a new name is announced
// depends on group notification as it was before.
//
// Each field is an action of its own in docs/permissions.md. In a General room those
// who take part may take it (GEN-22, GEN-23, GEN-26). In a group a Group Master or an
// administrator of the owning company may (GRP-15, GRP-28, EXT-12, EXT-46), but Photo
// is for those who take part (GRP-27), HistorySharing for the masters alone (GRP-26,
// EXT-42) and WithholdFeatures for the administrators alone (GRP-31). In a team room
// an administrator may and, as far as granted, the leader (TEAM-10, TEAM-11,
// TEAM-25), who alone shares history (TEAM-14). A setting that a
// kind lacks cannot be changed. The system may not edit rooms.
type Edit struct {
	Room             RoomID  `json:"room,omitzero"`
	Name             *string `json:"name,omitzero"`
	Photo            *string `json:"photo,omitzero"`
	Description      *string `json:"description,omitzero"`     // may have several lines; CRLF is stored as LF
	Public           *bool   `json:"public,omitzero"`          // find by colleagues
	HistorySharing   *bool   `json:"history_sharing,omitzero"` // acts on people who join from now on (COM-05)
	Notify           *bool   `json:"notify,omitzero"`          // group notification
	Message          *bool   `json:"message,omitzero"`         // off makes the room unusable and starts the 30 days (GRP-38)
	Note             *bool   `json:"note,omitzero"`
	Event            *bool   `json:"event,omitzero"`
	Task             *bool   `json:"task,omitzero"`
	Folder           *bool   `json:"folder,omitzero"`
	MailingList      *bool   `json:"mailing_list,omitzero"`
	WithholdFeatures *bool   `json:"withhold_features,omitzero"` // administrators: withhold the masters' right over features (GRP-31)
}

// DeleteFeatureData asks to delete what was stored with features of a room, for
// good (TEAM-13). The host deletes when it sees the event. By a Group Master or an
// administrator of the owning company (GRP-15, EXT-12), in a team room by the leader
// or an administrator (TEAM-13).
type DeleteFeatureData struct {
	Room     RoomID     `json:"room,omitzero"`
	Features FeatureSet `json:"features,omitzero"` // Note, Event or Folder
}

// DeleteRoom ends a group or team room for everybody; what it held is to be
// deleted (GRP-40). The host deletes when it sees the event. By a Group Master or an
// administrator of the owning company (GRP-41), of a team room by an administrator
// (TEAM-04). No other kind can be deleted (SELF-02, DIR-05, GEN-34).
type DeleteRoom struct {
	Room RoomID `json:"room,omitzero"`
}

// Convert turns a General room into a group, for good (CRE-43). The actor
// becomes Group Master, the others become members (CRE-39); the room and its
// conversation stay (CRE-40), and the rules of a group hold at once (CRE-44).
// Conversion to an ExternalGroup drops those who lack the external permission
// (CRE-41); Result.Dropped names them.
type Convert struct {
	Room RoomID `json:"room,omitzero"`
	To   Kind   `json:"to,omitzero"`   // KindGroup or KindExternalGroup
	Name string `json:"name,omitzero"` // required if the room has none; else replaces it when given
}

// Offer is a room that already exists and in which all the chosen people take
// part (CRE-04).
type Offer struct {
	Room  Room  `json:"room,omitzero"`
	Exact bool  `json:"exact,omitzero"` // nobody else takes part
	Extra int64 `json:"extra,omitzero"` // how many others take part
}

// Offered is the answer to [CreateRoom] where the chosen people share rooms already
// (CRE-04). Nothing was created. Repeat the command with Existing set to one of the rooms
// to go on there (CRE-05), or with AllowDuplicate to create another one (CRE-06).
// errors.Is(err, ErrOffered) holds.
type Offered struct {
	Offers []Offer `json:"offers,omitempty"` // 1 to MaxOffers, the best first (LST-08)
}

// Error says that there are such rooms.
func (e *Offered) Error() string {
	return "offered: the chosen people share rooms already"
}

// Unwrap makes an Offered an [ErrOffered].
func (e *Offered) Unwrap() error { return ErrOffered }

// Error says where an error happened. Service adds it, once, to every error
// it returns; what happened is in Err.
type Error struct {
	Op   string `json:"op,omitzero"`   // the command's or the method's name, for instance "Leave"
	Room RoomID `json:"room,omitzero"` // the room that the command or the call names or opens, be there one or not, whatever the error; zero without
	Err  error  `json:"-"`
}

// Error gives the operation and the cause.
func (e *Error) Error() string { return "roomkit: " + e.Op + ": " + e.Err.Error() }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Limits on what one call may carry. They are checked before anything is loaded.
const (
	MaxPeople      = 500  // people named in one command
	MaxEverybody   = 1000 // people of a room where a command needs all of them: converting, opening a new room by inviting
	MaxTeamMembers = 5000 // members of a team given to SyncTeam
	MaxPage        = 1000 // rows of one page; a limit of 0 means DefaultPage
	DefaultPage    = 100
	MaxAccessRooms = 1000 // rooms in one call of Access
	MaxScreenRooms = 100  // rooms in one call of Screen
	MaxTitlePeople = 5    // people named for a room without a name: in RoomView and in MemberLeft
	MaxBatch       = 1000 // commands in one call of Batch
	MaxOffers      = 20   // rooms recommended by one command
	MaxSharedSeen  = 1000 // rooms of the same people that are looked at for them
	MaxNameRunes   = 1000 // characters (code points of Unicode) of a General room's name (LIM-05, CRE-32)
	MaxGroupName   = 100  // characters of a group's name (GRP-29, EXT-34)
	MaxDescription = 300  // characters of a description (GRP-30, EXT-35)
	MaxPhotoBytes  = 512  // bytes of a photo reference
	MaxKeyBytes    = 128  // bytes of an idempotency key
	MaxEventBytes  = 1 << 20
)

// MinClockDrift is the least difference of clocks that services put up with: up to it the
// events of a room never go back in time.
const MinClockDrift = time.Minute
