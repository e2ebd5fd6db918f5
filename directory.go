package roomkit

import (
	"time"

	"github.com/go-roomkit/roomkit/internal/enum"
)

// UserKind says what kind of account a user is.
type UserKind uint8

// The kinds of users.
const (
	UserNone     UserKind = iota
	UserMember            // a member of a company that uses the product
	UserConsumer          // a consumer, who belongs to no company: a LINE user in the source
	UserBot               // a bot of a company
	userKindCount
)

var userKindNames = [userKindCount]string{"none", "member", "consumer", "bot"}

// String gives the stable name of the kind.
func (k UserKind) String() string { return enum.Name(userKindNames[:], k) }

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
func (s UserStatus) String() string { return enum.Name(userStatusNames[:], s) }

// User is an account as far as decisions depend on it. The host provisions
// users with [AddUser] or service.Options.Directory.
type User struct {
	ID            UserID     `json:"id,omitzero"`
	Version       Version    `json:"version,omitzero"`
	Company       CompanyID  `json:"company,omitzero"` // empty for consumers only; never changes
	Kind          UserKind   `json:"kind,omitzero"`    // never changes
	Status        UserStatus `json:"status,omitzero"`
	Administrator bool       `json:"administrator,omitzero"` // administers the own company; members only
	Partners      bool       `json:"partners,omitzero"`      // own permission to talk with users of other companies; counts while the company's mode is ExternalSelected
	Consumers     bool       `json:"consumers,omitzero"`     // own permission to talk with consumers

	// The library keeps these: they void memberships that began before a loss.
	PartnersSince Version `json:"partners_since,omitzero"` // the company's PartnersNarrowed when Partners was granted last: later ones take nothing away
	PartnersLost  Version `json:"partners_lost,omitzero"`  // the own version when Partners was withdrawn last
	Ended         Version `json:"ended,omitzero"`          // the own version when the account was deleted last

	Groups int64 `json:"groups,omitzero"` // in how many groups the user takes part (LIM-02); kept by the store
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
func (m ExternalMode) String() string { return enum.Name(externalModeNames[:], m) }

// Company is a tenant as far as decisions depend on it.
type Company struct {
	ID                  CompanyID     `json:"id,omitzero"`
	Version             Version       `json:"version,omitzero"`
	Licensed            bool          `json:"licensed,omitzero"`              // has a licence (the Core product in the source), without which there are no rooms (COM-10)
	MembersCreateGroups bool          `json:"members_create_groups,omitzero"` // members, not only administrators, may create groups (CRE-36)
	Partners            ExternalMode  `json:"partners,omitzero"`              // talking with users of other companies
	Consumers           ExternalMode  `json:"consumers,omitzero"`             // talking with consumers (LINE users in the source)
	MaxGroups           int64         `json:"max_groups,omitzero"`            // LIM-01; 0 means 100,000; the free plan has 1,000
	RecallWindow        time.Duration `json:"recall_window,omitzero"`         // how long own messages can be recalled (FEA-10); 0 means 24 hours

	// The library keeps these: they void memberships that began before a loss.
	PartnersOff      Version `json:"partners_off,omitzero"`      // the version with which Partners became ExternalOff last
	PartnersNarrowed Version `json:"partners_narrowed,omitzero"` // the version with which Partners went from all to selected last

	Groups int64 `json:"groups,omitzero"` // how many groups the company owns (LIM-01); kept by the store
}

// Team is a unit of the organisation chart as far as its room depends on it.
type Team struct {
	ID        TeamID     `json:"id,omitzero"`
	Version   Version    `json:"version,omitzero"`
	Company   CompanyID  `json:"company,omitzero"` // never changes
	Name      string     `json:"name,omitzero"`
	Leader    UserID     `json:"leader,omitzero"`     // may be empty
	Members   []UserID   `json:"members,omitempty"`   // in byte order, at most MaxTeamMembers; the host expands sub-teams (TEAM-16)
	Room      bool       `json:"room,omitzero"`       // the administrator allows a team room (TEAM-04)
	Features  bool       `json:"features,omitzero"`   // the administrator grants the leader the right over features (TEAM-11)
	Photo     bool       `json:"photo,omitzero"`      // the administrator grants the leader the right over the photo (TEAM-25)
	Preset    FeatureSet `json:"preset,omitzero"`     // what a new team room has switched on (TEAM-12)
	Notify    bool       `json:"notify,omitzero"`     // group notification of a new team room (TEAM-12)
	SyncedSeq int64      `json:"synced_seq,omitzero"` // the highest of the host's sequence numbers so far
}

// Outsider is a kind of people who are not of the own company. Talking with either is
// permitted apart from the other (ADM-01).
type Outsider uint8

// The kinds of outsiders.
const (
	OutsiderNone     Outsider = iota
	OutsiderPartner           // users of other companies
	OutsiderConsumer          // consumers
	outsiderCount
)

var outsiderNames = [outsiderCount]string{"none", "partner", "consumer"}

// String gives the stable name of the kind.
func (o Outsider) String() string { return enum.Name(outsiderNames[:], o) }

// AddCompany adds a company. Only the system may (ADM-23). One that exists is left
// exactly as it is, whatever the row says, and nothing has changed; service.Result.Differs
// tells what it is otherwise. To change it there are [EditCompany] and
// [SetCompanyMessaging]. The fields that the library keeps are ignored.
type AddCompany struct {
	Company Company `json:"company,omitzero"`
}

// EditCompany changes what is named of a company; nil fields stay, and one has to be
// given. The system may change all of it, an administrator of the company
// MembersCreateGroups and RecallWindow (ADM-23).
type EditCompany struct {
	Company             CompanyID      `json:"company,omitzero"`
	Licensed            *bool          `json:"licensed,omitzero"`              // the system; COM-10
	MembersCreateGroups *bool          `json:"members_create_groups,omitzero"` // ADM-09
	MaxGroups           *int64         `json:"max_groups,omitzero"`            // the system; LIM-01; 0 means 100,000
	RecallWindow        *time.Duration `json:"recall_window,omitzero"`         // ADM-22; 0 means 24 hours
}

// AddUser adds a user to a known company, or a consumer. Only the system may (ADM-23).
// One who exists, be the account deleted, is left exactly as it is, whatever the row says,
// and nothing has changed; service.Result.Differs tells what is otherwise. To change
// somebody there are [EditUser], [SetUserMessaging], [SuspendUser], [DeleteUser] and
// [RestoreUser]. For many users, and an outcome for each, there is Service.Batch: after
// the one that adds their companies, as the commands of a batch come in any order. The
// fields that the library keeps are ignored.
type AddUser struct {
	User User `json:"user,omitzero"` // Kind and Status are required; Company of all but consumers
}

// EditUser changes what is named of a member of a company; nil fields stay, and one has
// to be given. Only the system may (ADM-23).
type EditUser struct {
	User          UserID `json:"user,omitzero"`
	Administrator *bool  `json:"administrator,omitzero"` // administers the own company
}

// SetCompanyMessaging says who of a company may talk with outsiders of a kind (ADM-01,
// ADM-02). By an administrator of the company or the system (ADM-23). Access that
// depended on what is withdrawn ends at once; Service.Enforce takes the people out of
// their rooms (EXT-22, ADM-08). Forbidding consumers hides the rooms with consumers from
// the members but ends nothing: to the consumers and to the host's audit they stay
// (ADM-05 to ADM-07).
type SetCompanyMessaging struct {
	Company CompanyID     `json:"company,omitzero"`
	With    Outsider      `json:"with,omitzero"` // required
	Mode    *ExternalMode `json:"mode,omitzero"` // required
}

// SetUserMessaging grants or withdraws a member's own permission to talk with outsiders
// of a kind, which counts while the company's mode is [ExternalSelected] (ADM-01,
// ADM-02). By an administrator of the member's company or the system (ADM-23). While the
// mode is [ExternalAll], it cannot be withdrawn (ADM-03). What follows is as of
// [SetCompanyMessaging].
type SetUserMessaging struct {
	User  UserID   `json:"user,omitzero"`
	With  Outsider `json:"with,omitzero"`  // required
	Allow *bool    `json:"allow,omitzero"` // required
}

// SuspendUser blocks an account or lifts the block. A suspended user cannot act
// (ADM-17) but stays in its rooms and keeps its roles (ADM-18). By an administrator
// of the user's company or the system (ADM-23), of a consumer by the system. Not of
// a deleted account (ADM-13).
type SuspendUser struct {
	User UserID `json:"user,omitzero"`
	Lift bool   `json:"lift,omitzero"`
}

// DeleteUser ends an account: its access ends at once, and Service.Enforce
// takes it out of every room (ADM-13). By an administrator of the user's company or
// the system (ADM-23), of a consumer by the system.
type DeleteUser struct {
	User UserID `json:"user,omitzero"`
}

// RestoreUser undoes a deletion. It gives back no room (ADM-14). By an administrator
// of the user's company or the system (ADM-23), of a consumer by the system. An
// account that is not deleted stays as it is.
type RestoreUser struct {
	User UserID `json:"user,omitzero"`
}

// SyncTeam brings a team and its room in line with the organisation chart
// (TEAM-05, TEAM-09), and adds the team if it is new. By the system or the company's
// administrator (ADM-23). What an administrator grants to the team is changed by
// [EditTeam] alone; to a new team nothing is granted. Whose account has ended is left out,
// as the chart may be late (ADM-13). A Seq lower than the highest so far is refused; 0
// stands for "not numbered" and leaves the highest as it is.
type SyncTeam struct {
	Team    TeamID    `json:"team,omitzero"`
	Company CompanyID `json:"company,omitzero"`  // as in [OpenTeamRoom]
	Name    string    `json:"name,omitzero"`     // required
	Leader  UserID    `json:"leader,omitzero"`   // may be empty
	Members []UserID  `json:"members,omitempty"` // at most MaxTeamMembers; the host expands sub-teams (TEAM-16)
	Seq     int64     `json:"seq,omitzero"`      // the host's sequence number
}

// EditTeam changes what is granted to a team; nil fields stay, and one has to be given.
// By an administrator of the company or the system (ADM-23). While Room is off, the room
// cannot be opened, and one that exists cannot be used (TEAM-04).
type EditTeam struct {
	Team     TeamID      `json:"team,omitzero"`
	Company  CompanyID   `json:"company,omitzero"`  // as in [OpenTeamRoom]
	Room     *bool       `json:"room,omitzero"`     // the team may have a room (TEAM-04)
	Features *bool       `json:"features,omitzero"` // the leader has the right over features (TEAM-11)
	Photo    *bool       `json:"photo,omitzero"`    // the leader has the right over the photo (TEAM-25)
	Notify   *bool       `json:"notify,omitzero"`   // group notification of a new team room (TEAM-12)
	Preset   *FeatureSet `json:"preset,omitzero"`   // what a new team room has switched on (TEAM-12)
}
