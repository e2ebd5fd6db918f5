package store

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/enum"
)

// Store keeps rooms, people, directory and events. Package storetest holds the
// rules of this contract as a suite that any store can run; memstore is the
// reference.
//
// Every method may block and honours its context. Slices that a store returns
// belong to the caller; slices that it is given, and those inside of them, it does
// not keep. Ids compare as bytes.
// Times are UTC microseconds. A limit of 0 means [roomkit.DefaultPage], and a store
// never returns more than [roomkit.MaxPage] rows. Fewer rows than the limit do not mean
// the end; an empty page does. Errors wrap one of this package's sentinels together
// with the cause, where one of them fits; others are those of the context and of
// what the store keeps its data in, a full disk for instance.
//
// A store may also be a [Notifier], a [Header], [Numbered], [Parallel], an [Accessor], [Hasty], an [Auditor], an
// [Eraser] and a [Pruner], and one inside a transaction of the host a [Guard]. A store
// that wraps another one is a [Wrapper], too, or these capabilities are not found.
type Store interface {
	// Load answers all needs from one consistent read, in the order given.
	Load(ctx context.Context, needs []Need) ([]Facts, error)

	// Commit stores the changes, each whole or not at all and none depending on
	// another's success; they are applied in the order given, so that a later one
	// can build on an earlier one. One that relies on a version which a refused
	// change of the same call would have made is ErrConflict, even if somebody else
	// has made that version meanwhile. The results are in the same order. A non-nil
	// error means that nothing can be said of any of them: it is
	// ErrUnknownOutcome if some may have been stored, and anything else if none
	// was.
	Commit(ctx context.Context, changes []Change) ([]CommitResult, error)

	// Members pages through the people of a room in byte order of their ids.
	Members(ctx context.Context, q MemberQuery) ([]roomkit.Member, error)

	// Rooms pages through rooms in byte order of their ids.
	Rooms(ctx context.Context, q RoomQuery) ([]roomkit.RoomEntry, error)

	// Users pages through users in byte order of their ids.
	Users(ctx context.Context, q UserQuery) ([]roomkit.User, error)

	// Teams pages through teams in byte order of their ids.
	Teams(ctx context.Context, q TeamQuery) ([]roomkit.Team, error)

	// History pages through the records of one subject after a version. It is ErrPruned if
	// records after it were forgotten; see [Pruner].
	History(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]Record, error)

	// Feed pages through all records after a cursor: every record exactly once,
	// those of one subject in version order, and never a record that comes before
	// one already returned. An empty page means that all is returned that was acknowledged
	// when it was asked for; other pages may end before a record of which it cannot be said yet
	// what comes before it, and records of a command may have those of others between them.
	// A cursor that this store did not issue is ErrInvalid; one behind which records were forgotten is
	// ErrPruned, the empty cursor too.
	Feed(ctx context.Context, after roomkit.Cursor, limit int) ([]Record, error)
}

// Need says which rows a decision depends on. Zero fields ask for nothing.
type Need struct {
	// Command asks for the outcome of an earlier commit of this command.
	Command roomkit.CommandID
	// Room asks for the room's row. For a Direct room both parties come with it
	// (as if named in People), for a Team room its team's row, for any room the
	// owning company.
	Room roomkit.RoomID
	// People asks for these users, their companies and their rows in Room.
	People []roomkit.UserID
	// Masters asks for all Group Masters of Room, as if named in People.
	Masters bool
	// Everybody asks for all who take part in or manage Room, as if named in
	// People, up to MaxEverybody + 1 rows.
	Everybody bool
	// First asks, if Room has no name, for the first so many who take part in it, in
	// byte order of their ids, as if named in People; at most MaxPage.
	First int
	// Companies asks for further companies.
	Companies []roomkit.CompanyID
	// Team asks for a team and, as if named in People, its leader.
	Team roomkit.TeamKey
	// Name asks which active room holds this NameKey in Company.
	Name    string
	Company roomkit.CompanyID
	// Shared asks for the active rooms in which all of these take part: those
	// with exactly these participants first, then by room id, at most
	// MaxShared of each.
	Shared []roomkit.UserID
	// Checkpoint asks for a follower's cursor.
	Checkpoint string
}

// MaxShared limits the rooms that a store returns for Need.Shared.
const MaxShared = 100

// Facts are the answer to a Need, of one moment. What does not exist is absent
// from the slices; Room and Team have version 0 then. Slices have no order and
// no duplicates.
type Facts struct {
	Done       *Outcome // of Need.Command, if it was committed
	Room       roomkit.Room
	Members    []roomkit.Member // rows in Room of the people asked for, ended ones included
	Users      []roomkit.User
	Companies  []roomkit.Company // of the users, of the room, and those asked for
	Team       roomkit.Team
	NameHolder roomkit.RoomID // zero: the name is free
	Shared     []roomkit.RoomEntry
	Checkpoint roomkit.Cursor
}

// Expect is a version that a change relies on. Version 0 means that the subject
// must not exist.
type Expect struct {
	Subject roomkit.Subject
	Version roomkit.Version
}

// Tally adds to a count, by Now - Was: to User.Groups or Company.Groups. With Most, the
// count may have become another one than Was meanwhile, as long as it is between 0 and
// Most with what is added (it may fall from any number). Without, it has to be Was.
// It is compared like a version but is not part of one.
type Tally struct {
	User    roomkit.UserID    // either
	Company roomkit.CompanyID // or
	Was     int64
	Now     int64
	Most    int64 // 0: none
}

// Bounds are between which the count may be to which t is added.
func (t *Tally) Bounds() (least, most int64) {
	by := t.Now - t.Was
	switch {
	case t.Most == 0:
		return t.Was, t.Was
	case by > 0:
		return 0, t.Most - by
	}
	return -by, math.MaxInt64
}

// Change is what one command does: stored whole or not at all. Commit compares
// everything in Expect, Tallies and Checkpoint and writes in one atomic
// step; a mismatch is ErrConflict for this change and stores nothing of it. Room
// rows whose NameKey is not empty are unique by Company and NameKey among active
// rooms; a change that would break this is ErrConflict, too.
//
// A malformed change is ErrInvalid and stores nothing: a zero Command, a row
// that is not expected, that appears twice or whose new version is not the
// expected one plus the number of its records, records that leave a gap or are
// longer than MaxEventBytes; [Change.Check] says so. [Refusals] helps with changes
// that rely on refused ones of the same call.
type Change struct {
	Command roomkit.CommandID // a command id already stored makes the change a repeat
	Digest  [32]byte          // identifies the payload: a repeat with another one is ErrCommandReused
	Expect  []Expect          // of everything written and everything relied on, each once
	// Begins are subjects of Expect that must not exist, and whose first record has the version
	// behind this one instead of 1: they have had their earlier versions somewhere else.
	Begins []Expect

	Rooms     []roomkit.Room // new values; the expected version is the old one
	Members   []roomkit.Member
	Users     []roomkit.User // Groups is ignored
	Companies []roomkit.Company
	Teams     []roomkit.Team // given back with nil Members where there are none
	// Ended are rooms among Rooms that end: the store ends all rows of people who
	// still take part or manage in these rooms (Left, LeftAt, LeftVersion and
	// LeftBy from it) and, in a group, lowers User.Groups of those who took part.
	Ended []RoomEnd

	Tallies    []Tally
	Checkpoint *Checkpoint
	Records    []Record // the events, in order; Cursor is empty
	Outcome    Outcome  // what a repeat returns; the store fills in Cursor
}

// RoomEnd says how the remaining memberships of a room end.
type RoomEnd struct {
	Room    roomkit.RoomID
	Kind    roomkit.Kind
	At      time.Time
	Version roomkit.Version
	Cause   roomkit.Cause
	By      roomkit.Actor
}

// Checkpoint moves a follower's stored cursor from Was to Now.
type Checkpoint struct {
	Name string
	Was  roomkit.Cursor
	Now  roomkit.Cursor
}

// Outcome is what a store remembers of a command.
type Outcome struct {
	Command roomkit.CommandID
	Digest  [32]byte
	Room    roomkit.RoomID // the room the command concerned or opened; may be zero
	Changed bool           // false: the command found everything already so
	Events  []EventAt      // the events it stored, in order
	Cursor  roomkit.Cursor // behind its last event; empty if there was none. Commits side by side may come before it later
}

// EventAt names one stored event.
type EventAt struct {
	Subject roomkit.Subject
	Version roomkit.Version
}

// CommitResult is the fate of one change.
type CommitResult struct {
	Outcome Outcome // what was stored, by this commit or by an earlier one of the same command
	Repeat  bool    // the command had been stored before; nothing was done now
	Err     error   // nil, or ErrConflict, ErrCommandReused, ErrInvalid: nothing of it is stored
}

// Record is a stored event: an envelope that stores can read and bytes that
// they need not understand.
type Record struct {
	Subject roomkit.Subject
	Version roomkit.Version
	Type    string
	At      time.Time
	Command roomkit.CommandID
	Cursor  roomkit.Cursor // the place behind this record in the feed; set by the store
	Data    []byte         // the encoded event, at most MaxEventBytes
}

// MemberQuery asks for people of a room.
type MemberQuery struct {
	Room  roomkit.RoomID
	Which MemberFilter
	After roomkit.UserID // the last id of the page before
	Limit int            // rows of one page
}

// MemberFilter selects rows of people.
type MemberFilter uint8

// The filters.
const (
	MembersPresent MemberFilter = iota // who take part or manage
	MembersTakingPart
	MembersManaging
	MembersAll // those who left, too
	memberFilterCount
)

var memberFilterNames = [memberFilterCount]string{"present", "taking_part", "managing", "all"}

// String gives the stable name of the filter.
func (f MemberFilter) String() string { return enum.Name(memberFilterNames[:], f) }

// RoomQuery asks for rooms. Exactly one of User, Company and Participants is set.
type RoomQuery struct {
	User         roomkit.UserID // rooms in which this user takes part or manages, as Which says
	Which        MemberFilter
	Company      roomkit.CompanyID // active rooms that this company owns
	Public       bool              // with Company: only public groups
	Participants []roomkit.UserID  // active rooms in which all of these take part
	Exact        bool              // with Participants: and nobody else
	Kinds        []roomkit.Kind    // empty: all
	After        roomkit.RoomID    // the last id of the page before
	Limit        int               // rows of one page
}

// UserQuery asks for users of a company; the empty company stands for users who
// belong to none.
type UserQuery struct {
	Company roomkit.CompanyID
	After   roomkit.UserID // the last id of the page before
	Limit   int            // rows of one page
}

// TeamQuery asks for the teams of a company.
type TeamQuery struct {
	Company roomkit.CompanyID // required
	After   roomkit.TeamID    // the last id of the page before
	Limit   int               // rows of one page
}

// The optional capabilities of stores. They are found through every [Wrapper] as well.
type (
	// Wrapper is a store around another one, for instance one that logs.
	Wrapper interface {
		// Unwrap gives the store inside.
		Unwrap() Store
	}
	// Notifier is a store that can wake followers.
	Notifier interface {
		// Wake returns a channel that receives a value some time after each commit;
		// several commits may share one. It carries no data. It ends with ctx. A value can be
		// lost with a connection, so look without one as well, from time to time.
		Wake(ctx context.Context) (<-chan struct{}, error)
	}
	// Header is a store that knows where its feed ends.
	Header interface {
		// Head gives the cursor of the newest record that Feed gives, or the empty one. While
		// commits are under way it may be an earlier one, so that none of them comes before it, but
		// no part of a command is behind it and another one in front.
		Head(ctx context.Context) (roomkit.Cursor, error)
	}
	// Numbered is a store that numbers the records of its feed.
	Numbered interface {
		// Place gives the number of the record that a cursor is behind, without asking
		// anybody: 0 of the empty cursor, and of each further record in the feed at least one
		// more. So the difference of two is how many records are between them at most: a store
		// may leave numbers out for what was not stored. A cursor that has not the form of this
		// store's is ErrInvalid.
		Place(at roomkit.Cursor) (int64, error)
	}
	// Parallel is a store that commits several groups of changes side by side.
	Parallel interface {
		// CommitsInParallel is how many Commits the store does well at the same time.
		// Without this method it is 1.
		CommitsInParallel() int
	}
	// Hasty is a store that has a copy at hand, of which it has to ask others before [Store.Load] may
	// answer from it. A service decides a command on the copy where that ends in a change of
	// which Commit compares all that it has relied on.
	Hasty interface {
		// LoadHasty is Load without asking anybody: the answer may be older. It has all that was
		// stored when the last Commit of this store was called that has come back without an error.
		LoadHasty(ctx context.Context, needs []Need) ([]Facts, error)
	}
	// Guard is a store inside a transaction of the host that can hold what the host itself
	// writes there to what it was allowed by.
	Guard interface {
		// Rely adds versions to what has to hold when the host's transaction commits: if one
		// of them has changed by then, that commit fails as one does of which a change has
		// relied on it, and nothing of the transaction is stored. What the transaction
		// itself changes afterwards is no change by others. It is ErrConflict if one does not
		// hold already, ErrInvalid for a malformed one or a subject named twice; then, and
		// after any other error, nothing is added and the transaction can go on, unless it
		// could not before. Nothing to rely on is no error.
		Rely(ctx context.Context, on []Expect) error
	}
	// Auditor is a store that finds what no list has and no event accounts for. Package
	// verify asks it.
	Auditor interface {
		// Strays gives, of one moment, at most so many rows that should not be there: rooms,
		// users, companies and teams without an event, people of rooms and teams that are
		// not there, names held by no room, events whose command is not remembered, and
		// commands whose events are not there.
		Strays(ctx context.Context, limit int) ([]Stray, error)
		// Checkpoints gives those of all followers, by name.
		Checkpoints(ctx context.Context) (map[string]roomkit.Cursor, error)
	}
)

// Stray is a row that no event accounts for.
type Stray struct {
	Subject roomkit.Subject // whose row it is; zero where nothing says that
	What    string          // "row", "members", "name", "command", or one of the store's own
	Detail  string
}

// Capability finds an optional capability of a store, or of one that it wraps.
func Capability[T any](s Store) (T, bool) {
	for s != nil {
		if c, ok := s.(T); ok {
			return c, true
		}
		u, ok := s.(Wrapper)
		if !ok {
			break
		}
		s = u.Unwrap()
	}
	var none T
	return none, false
}

// Ask loads and demands an answer to every need.
func Ask(ctx context.Context, store Store, needs []Need) ([]Facts, error) {
	facts, err := store.Load(ctx, needs)
	if err == nil && len(facts) != len(needs) {
		err = fmt.Errorf("%w: the store answered %d of %d needs", roomkit.ErrUnsupported, len(facts), len(needs))
	}
	return facts, err
}
