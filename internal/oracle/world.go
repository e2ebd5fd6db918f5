// Package oracle is a second reading of the rule book, written apart from the
// library: plain sets and maps, own types, no code shared with what it judges.
// Tests run the same commands against both and compare.
//
// What the rule book leaves open is answered as the service has answered it
// ([World.Answer]) and has to be meant; what cannot be answered so is [Open], and
// callers skip it.
package oracle

import (
	"maps"
	"slices"
	"time"
)

// System is the host as actor.
const System = "*system"

// Kind is the kind of a room.
type Kind string

// The kinds of rooms.
const (
	SelfRoom     Kind = "self"
	DirectRoom   Kind = "direct"
	GeneralRoom  Kind = "general"
	GroupRoom    Kind = "group"
	ExternalRoom Kind = "external_group"
	TeamRoom     Kind = "team"
)

// Managed reports whether Group Masters manage the kind.
func (k Kind) Managed() bool { return k == GroupRoom || k == ExternalRoom }

// UserKind is the kind of an account.
type UserKind string

// The kinds of accounts.
const (
	Human UserKind = "member"
	Line  UserKind = "consumer"
	Bot   UserKind = "bot"
)

// Status is the state of an account.
type Status string

// The states of an account.
const (
	Active    Status = "active"
	Suspended Status = "suspended"
	Deleted   Status = "deleted"
)

// Mode says who of a company may talk with outsiders.
type Mode string

// The modes.
const (
	Off      Mode = "off"
	Selected Mode = "selected"
	All      Mode = "all"
)

// Outsider says with which outsiders somebody talks.
type Outsider string

// The channels.
const (
	WithPartners  Outsider = "partner"
	WithConsumers Outsider = "consumer"
)

// Feature is what a room offers besides messages.
type Feature string

// The features.
const (
	Note        Feature = "note"
	Event       Feature = "event"
	Task        Feature = "task"
	Folder      Feature = "folder"
	MailingList Feature = "mailing_list"
)

// Features is a set of features.
type Features map[Feature]bool

// Cause says why a participation or a role began or ended.
type Cause string

// The causes. AnyCause stands where the rule book names none.
const (
	AnyCause       Cause = "any"
	ByCreation     Cause = "created"
	ByInvitation   Cause = "invited"
	ByMaster       Cause = "added"
	ByReopening    Cause = "reopened"
	ByOrganisation Cause = "organisation"
	BySelf         Cause = "self"
	ByRemoval      Cause = "removed"
	ByPermission   Cause = "permission_withdrawn"
	ByAccount      Cause = "account_ended"
	ByEnd          Cause = "room_ended"
	ByConversion   Cause = "converted"
	ByHandOver     Cause = "handed_over"
)

// Origin says which way a room came into being.
type Origin string

// The ways of creation.
const (
	FromPicker   Origin = "picker"
	FromEvent    Origin = "event"
	FromMail     Origin = "mail"
	FromRoom     Origin = "room"
	FromContacts Origin = "contacts"
	FromInvite   Origin = "invite"
	FromSystem   Origin = "system"
)

// Policy holds the decisions on open points; the zero value is recommended.
type Policy struct {
	ExternalTask         bool // AMB-01
	ForeignMasters       bool // AMB-04
	AdminsManageExternal bool // ADM-10 against EXT-15
	LineFeatures         bool // AMB-11
	TeamPhotoByMembers   bool // AMB-17
	AnyoneIsContact      bool
	MembersFromRooms     bool         // AMB-27: outsiders are not added in the path from a room
	MaxParticipants      map[Kind]int // 0: no limit
	MaxGroupsPerUser     int          // 0: 2,000
	LeaderTeamLimit      int          // 0: 100
	OffPeriod            time.Duration
}

// Company is a tenant.
type Company struct {
	ID                  string
	Licensed            bool
	MembersCreateGroups bool
	Partners            Mode
	Consumers           Mode
	MaxGroups           int // 0: 100,000
	RecallWindow        time.Duration
}

// User is an account. LostPartners and LostAccount are the steps at which the
// permission in force and the account itself ended last; 0: never.
type User struct {
	ID           string
	Company      string // empty for a LINE user
	Kind         UserKind
	Status       Status
	Admin        bool
	Partners     bool
	Consumers    bool
	LostPartners int
	LostAccount  int
}

// Team is a unit of the organisation chart.
type Team struct {
	ID        string
	Company   string
	Name      string
	Leader    string
	Members   []string
	Room      bool
	Features  bool
	Photo     bool
	Preset    Features
	Notify    bool
	SyncedSeq int
}

// Membership is a participation that lasts.
type Membership struct {
	Since    int // the step of the admission: what is lost later voids it
	JoinedAt time.Time
	ReadAll  bool
	Joined   Cause
}

// Certainty is whether something is so; the zero value says that it is not.
type Certainty int

// The other certainties.
const (
	Perhaps Certainty = iota + 1
	Certainly
)

// Room is a room with its people. Masters maps a person to the step of the
// appointment.
type Room struct {
	ID      string
	Kind    Kind
	Company string
	Team    string
	Creator string
	Origin  Origin
	Parties []string // of a 1:1 room, sorted; of a message-to-me room its owner

	Ended     bool
	EndedWith map[string]Certainty // whose participation or role the end ended
	Lives     int                  // how often the room began
	Converted bool
	HadLine   bool // LINE users take part or have taken part (FEA-14)
	BeganAt   time.Time
	EmptiedAt time.Time // what was written before is gone; zero: nothing is
	OffSince  time.Time // message is off; zero: it is on

	Name        string
	Photo       string
	Description string
	Public      bool
	Sharing     bool
	Notify      bool
	Withheld    bool
	Features    Features

	Participants map[string]Membership
	Masters      map[string]int
	Masterless   Cause          // why a group has no master; empty: it has one
	Periods      map[string]int // how often a person has joined
}

// World is everything there is.
type World struct {
	Policy    Policy
	Companies map[string]*Company
	Users     map[string]*User
	Teams     map[string]*Team // by their keys
	Rooms     map[string]*Room
	Contacts  map[[2]string]bool // of whom, which outsider
	Step      int                // counts commands
	Swept     int                // the step of the last sweep
	Changed   int                // the step of the last change of the directory
	Answer    Verdict            // what the service answers to the next command; decides what the rule book leaves open
	Trusted   int                // how many commands the answer has decided
	lastRoom  int
	directing bool   // the last command that was drawn is one of the directory
	focus     string // whom it was about
}

// New is an empty world.
func New(p Policy) *World {
	return &World{
		Policy:    p,
		Companies: map[string]*Company{},
		Users:     map[string]*User{},
		Teams:     map[string]*Team{},
		Rooms:     map[string]*Room{},
		Contacts:  map[[2]string]bool{},
	}
}

// SelfID is the id of a message-to-me room.
func SelfID(user string) string { return "self:" + user }

// DirectID is the id of the 1:1 room of a pair.
func DirectID(a, b string) string {
	if b < a {
		a, b = b, a
	}
	return "direct:" + a + "|" + b
}

// TeamID is the id of a team's room.
func TeamID(company, team string) string { return "team:" + TeamKey(company, team) }

// TeamKey tells a team from those of other companies, which may have the same id.
func TeamKey(company, team string) string { return company + "/" + team }

func (p Policy) maxGroupsPerUser() int { return orDefault(p.MaxGroupsPerUser, 2000) }

func (p Policy) leaderTeamLimit() int { return orDefault(p.LeaderTeamLimit, 100) }

func (c *Company) maxGroups() int { return orDefault(c.MaxGroups, 100_000) }

func orDefault[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// Clone copies the world.
func (w *World) Clone() *World {
	c := *w
	c.Policy.MaxParticipants = maps.Clone(w.Policy.MaxParticipants)
	c.Companies = cloneAll(w.Companies, func(v Company) Company { return v })
	c.Users = cloneAll(w.Users, func(v User) User { return v })
	c.Teams = cloneAll(w.Teams, Team.clone)
	c.Rooms = cloneAll(w.Rooms, Room.clone)
	c.Contacts = maps.Clone(w.Contacts)
	return &c
}

func cloneAll[V any](m map[string]*V, clone func(V) V) map[string]*V {
	c := make(map[string]*V, len(m))
	for k, v := range m {
		copied := clone(*v)
		c[k] = &copied
	}
	return c
}

func (t Team) clone() Team {
	t.Members = slices.Clone(t.Members)
	t.Preset = maps.Clone(t.Preset)
	return t
}

func (r Room) clone() Room {
	r.Parties = slices.Clone(r.Parties)
	r.EndedWith = maps.Clone(r.EndedWith)
	r.Features = maps.Clone(r.Features)
	r.Participants = maps.Clone(r.Participants)
	r.Masters = maps.Clone(r.Masters)
	r.Periods = maps.Clone(r.Periods)
	return r
}
