// Package oracle is a second reading of the rule book: rooms, people and
// authority as plain sets and maps, slow and obvious. Tests compare the library
// with it, so it shares no code, no constant and no table with it.
package oracle

import (
	"slices"
	"time"
)

// Kind is the kind of a room.
type Kind string

// The kinds.
const (
	Self     Kind = "self"
	Direct   Kind = "direct"
	General  Kind = "general"
	Group    Kind = "group"
	External Kind = "external_group"
	TeamRoom Kind = "team"
)

func (k Kind) mastered() bool { return k == Group || k == External }

func (k Kind) administered() bool { return k.mastered() || k == TeamRoom }

// Mode says who of a company may talk with outsiders.
type Mode string

// The modes.
const (
	Off      Mode = "off"
	Selected Mode = "selected"
	All      Mode = "all"
)

// The kinds of users.
const (
	Person = "member"
	Line   = "line"
	Bot    = "bot"
)

// The states of accounts.
const (
	Active    = "active"
	Suspended = "suspended"
	Deleted   = "deleted"
)

// Cause says why a membership began or ended.
type Cause string

// The causes.
const (
	None         Cause = "none"
	Created      Cause = "created"
	Invited      Cause = "invited"
	Added        Cause = "added"
	Reopened     Cause = "reopened"
	Organisation Cause = "organisation"
	OwnWill      Cause = "self"
	Removed      Cause = "removed"
	Permission   Cause = "permission_withdrawn"
	Account      Cause = "account_ended"
	RoomEnded    Cause = "room_ended"
	Converted    Cause = "converted"
	HandedOver   Cause = "handed_over"
)

// Company is a tenant.
type Company struct {
	ID            string
	Core          bool
	MembersCreate bool
	Works, LINE   Mode
	MaxGroups     int // 0: unlimited
	Recall        time.Duration
}

// User is an account.
type User struct {
	ID, Company string // LINE users have no company
	Kind        string
	Status      string
	Admin       bool
	Works, LINE bool // own permissions
}

// Team is a unit of the organisation chart.
type Team struct {
	ID, Company, Name, Leader string
	Members                   []string
	Room, Features, Photo     bool
	Preset                    Features
	Notify                    bool
	Seq                       int64
}

// Features is a set of features by name.
type Features map[string]bool

// Person in a room. Participation and mastership are independent. A lost one
// is void: it counts for nothing and waits for the sweep (EXT-25, ADM-14).
type Row struct {
	In, Master             bool
	InLost, MasterLost     Cause // "" while it counts
	Periods                int
	ReadAll                bool
	Since                  time.Time
	Joined, Left           Cause
	endedWith, masterEnded bool
}

// Room is one room and everybody who was ever in it.
type Room struct {
	ID            string
	Kind          Kind
	Owner         string
	Team          string
	Creator       string
	Name          string
	Photo         string
	Description   string
	Public        bool
	Sharing       bool
	Notify        bool
	Withheld      bool
	Features      Features
	MessageOff    bool
	MessageOffAt  time.Time
	EmptiedAt     time.Time
	Born, Changed time.Time
	Ended         bool
	Masterless    bool // an automatic removal took the last master
	People        map[string]*Row
}

// World is everything.
type World struct {
	Companies        map[string]*Company
	Users            map[string]*User
	Teams            map[string]*Team
	Rooms            map[string]*Room
	Contacts         map[string]map[string]bool // whose → which outsiders
	MaxGroupsPerUser int                        // 0: 2000
	OffPeriod        time.Duration              // 0: 30 days
	rooms            int
}

// New makes an empty world.
func New() *World {
	return &World{
		Companies: map[string]*Company{}, Users: map[string]*User{}, Teams: map[string]*Team{},
		Rooms: map[string]*Room{}, Contacts: map[string]map[string]bool{},
	}
}

// SystemActor is the host itself as actor.
const SystemActor = "*system"

func features(names ...string) Features {
	f := Features{}
	for _, n := range names {
		f[n] = true
	}
	return f
}

// offered are the features a kind of room offers (FEA-01).
func offered(k Kind) []string {
	switch k {
	case General:
		return []string{"note", "event", "task", "folder"} // GEN-15, GEN-20
	case External:
		return []string{"note", "event", "folder"} // EXT-05 to EXT-07
	case Group, TeamRoom:
		return []string{"note", "event", "task", "folder", "mailing_list"} // GRP-15, GRP-16, TEAM-15
	}
	return nil
}

func (r *Room) row(u string) *Row {
	row := r.People[u]
	if row == nil {
		row = &Row{Joined: None, Left: None}
		r.People[u] = row
	}
	return row
}

func (r *Room) is(u string) Row {
	if row := r.People[u]; row != nil {
		return *row
	}
	return Row{}
}

// who gives the people for whom f holds, sorted.
func (r *Room) who(f func(Row) bool) []string {
	var ids []string
	for id, row := range r.People {
		if f(*row) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// Participants are those who take part by the rows, void ones included.
func (r *Room) Participants() []string { return r.who(func(x Row) bool { return x.In }) }

// Masters are the Group Masters by the rows, void ones included.
func (r *Room) Masters() []string { return r.who(func(x Row) bool { return x.Master }) }

// Count counts the participants of a kind and company.
func (w *World) Count(r *Room, f func(*User) bool) int {
	n := 0
	for id, row := range r.People {
		if row.In && f(w.Users[id]) {
			n++
		}
	}
	return n
}

func (w *World) hasLINE(r *Room) bool {
	return w.Count(r, func(u *User) bool { return u.Kind == Line }) > 0
}

func (w *World) humans(r *Room) int {
	return w.Count(r, func(u *User) bool { return u.Kind != Bot })
}
