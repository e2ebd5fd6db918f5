package roomkit

import "time"

// UserKind says what kind of account a user is.
type UserKind uint8

// The kinds of users.
const (
	UserNone   UserKind = iota
	UserMember          // a member of a company that uses the product
	UserLINE            // a LINE user; belongs to no company
	UserBot             // a bot of a company
	userKindCount
)

var userKindNames = [userKindCount]string{"none", "member", "line", "bot"}

// String gives the stable name of the kind.
func (k UserKind) String() string { return enumName(userKindNames[:], int(k)) }

// UserStatus is the state of an account.
type UserStatus uint8

// The states of an account.
const (
	StatusNone      UserStatus = iota
	StatusActive               // in use
	StatusSuspended            // cannot act, but stays in its rooms (ADM-18)
	StatusDeleted              // out of every room (ADM-13)
	userStatusCount
)

var userStatusNames = [userStatusCount]string{"none", "active", "suspended", "deleted"}

// String gives the stable name of the status.
func (s UserStatus) String() string { return enumName(userStatusNames[:], int(s)) }

// User is an account as far as decisions depend on it. The host provisions
// users with [PutUsers] or [Options.Directory].
type User struct {
	ID            UserID
	Version       Version
	Company       CompanyID // empty for LINE users only; never changes
	Kind          UserKind  // never changes
	Status        UserStatus
	Administrator bool // administers the own company
	Works         bool // own permission to talk with users of other companies; counts while the company's mode is ExternalSelected
	LINE          bool // own permission to talk with LINE users

	// The library keeps these: they void memberships that began before a loss.
	WorksSince Version // the company's version when Works was granted last
	WorksLost  Version // the own version when Works was withdrawn last
	Ended      Version // the own version when the account was deleted last

	Groups int64 // in how many groups the user takes part (LIM-02); kept by the store
}

// ExternalMode says who of a company may talk with outsiders (ADM-02).
type ExternalMode uint8

// The modes. Off is the zero value: what is unknown is not permitted.
const (
	ExternalOff      ExternalMode = iota // nobody
	ExternalSelected                     // those who hold the permission themselves
	ExternalAll                          // all members
	externalModeCount
)

var externalModeNames = [externalModeCount]string{"off", "selected", "all"}

// String gives the stable name of the mode.
func (m ExternalMode) String() string { return enumName(externalModeNames[:], int(m)) }

// Company is a tenant as far as decisions depend on it.
type Company struct {
	ID                  CompanyID
	Version             Version
	Core                bool          // has the Core product, without which there are no rooms (COM-10)
	MembersCreateGroups bool          // members, not only administrators, may create groups (CRE-36)
	Works               ExternalMode  // talking with users of other companies
	LINE                ExternalMode  // talking with LINE users
	MaxGroups           int64         // LIM-01; 0 means 100,000; the free plan has 1,000
	RecallWindow        time.Duration // how long own messages can be recalled (FEA-10); 0 means 24 hours

	// The library keeps these: they void memberships that began before a loss.
	WorksOff      Version // the version with which Works became ExternalOff last
	WorksNarrowed Version // the version with which Works went from all to selected last

	Groups int64 // how many groups the company owns (LIM-01); kept by the store
}

// Team is a unit of the organisation chart as far as its room depends on it.
type Team struct {
	ID        TeamID
	Version   Version
	Company   CompanyID
	Name      string
	Leader    UserID     // may be empty
	Members   []UserID   // in byte order, at most MaxTeamMembers; the host expands sub-teams (TEAM-16)
	Room      bool       // the administrator allows a team room (TEAM-04)
	Features  bool       // the administrator grants the leader the right over features (TEAM-11)
	Photo     bool       // the administrator grants the leader the right over the photo (TEAM-25)
	Preset    FeatureSet // what a new team room has switched on (TEAM-12)
	Notify    bool       // group notification of a new team room (TEAM-12)
	SyncedSeq int64      // the host's sequence number of the last sync
}

// Channel is one of the two ways of talking with outsiders, permitted apart
// from each other (ADM-01).
type Channel uint8

// The channels.
const (
	ChannelNone  Channel = iota
	ChannelWorks         // users of other companies
	ChannelLINE          // LINE users
	channelCount
)

var channelNames = [channelCount]string{"none", "works", "line"}

// String gives the stable name of the channel.
func (c Channel) String() string { return enumName(channelNames[:], int(c)) }
