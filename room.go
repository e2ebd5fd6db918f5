package roomkit

import (
	"time"

	"github.com/go-roomkit/roomkit/internal/enum"
)

// Kind is the kind of a room. The kind decides the rules; it never changes
// except from General to Group or ExternalGroup by [Convert] (COM-01).
type Kind uint8

// The kinds of rooms. "Group message room" in some help pages means a General
// room of several people; here a group is always KindGroup or KindExternalGroup.
const (
	KindNone          Kind = iota // no kind; allows nothing
	KindSelf                      // message to me: one owner
	KindDirect                    // 1:1: two parties (GEN-01), also when one is an outsider (DIR-14)
	KindGeneral                   // several people with equal rights, however few are left (GEN-30); consumers too (GEN-33)
	KindGroup                     // a group of one company and its room (GRP-01), managed by Group Masters
	KindExternalGroup             // a group of several companies (EXT-01), managed by Group Masters
	KindTeam                      // follows a team of the organisation chart
	kindCount
)

var kindNames = [kindCount]string{"none", "self", "direct", "general", "group", "external_group", "team"}

// String gives the stable name of the kind, for instance "external_group". Lists
// are categorised by it (LST-24).
func (k Kind) String() string { return enum.Name(kindNames[:], k) }

// IsGroup reports whether the kind is managed by Group Masters.
func (k Kind) IsGroup() bool { return k == KindGroup || k == KindExternalGroup }

// HasBadge reports whether list entries of this kind carry the group badge
// (LST-01, LST-02).
func (k Kind) HasBadge() bool { return k.IsGroup() || k == KindTeam }

// RoomState says whether a room exists.
type RoomState uint8

// The states of a room.
const (
	StateAbsent RoomState = iota // never created
	StateActive                  // in use
	StateEnded                   // dissolved or deleted: refuses every command (COM-14)
	roomStateCount
)

var roomStateNames = [roomStateCount]string{"absent", "active", "ended"}

// String gives the stable name of the state.
func (s RoomState) String() string { return enum.Name(roomStateNames[:], s) }

// Feature is something a room offers besides messages.
type Feature uint8

// The features of rooms.
const (
	FeatureNote Feature = iota
	FeatureEvent
	FeatureTask
	FeatureFolder
	FeatureMailingList
	featureCount
)

var featureNames = [featureCount]string{"note", "event", "task", "folder", "mailing_list"}

// String gives the stable name of the feature.
func (f Feature) String() string { return enum.Name(featureNames[:], f) }

// FeatureSet is a set of features, one bit each.
type FeatureSet uint8

// Features makes a set.
func Features(fs ...Feature) FeatureSet { return enum.SetOf[FeatureSet](fs...) }

// Has reports whether f is in the set.
func (s FeatureSet) Has(f Feature) bool { return f < featureCount && enum.Has(s, f) }

// String lists the names of the features.
func (s FeatureSet) String() string { return enum.Names[Feature](s) }

// AllFeatures is the set of all features.
const AllFeatures FeatureSet = 1<<featureCount - 1

// Room is one room as the store keeps it: a row, not the list of its people.
// Counts and Participants' digest are kept in the same commit as the people.
type Room struct {
	ID      RoomID    `json:"id,omitzero"`
	Kind    Kind      `json:"kind,omitzero"`
	State   RoomState `json:"state,omitzero"`
	Version Version   `json:"version,omitzero"` // number of events so far
	Company CompanyID `json:"company,omitzero"` // the owning company: that of the creator or the team
	Team    TeamID    `json:"team,omitzero"`    // of a Team room
	Creator UserID    `json:"creator,omitzero"` // empty when the system created it
	Parties [2]UserID `json:"parties,omitzero"` // of a Direct room in byte order; of a Self room its owner first

	Name        string `json:"name,omitzero"`        // empty: hosts show the participants' names instead
	NameKey     string `json:"name_key,omitzero"`    // what names that look alike have in common, behind its version, where the name must be unique in the company (GRP-29); else empty
	Photo       string `json:"photo,omitzero"`       // the host's reference to a picture
	Description string `json:"description,omitzero"` // may have several lines, ended by LF
	Origin      Origin `json:"origin,omitzero"`      // which way of creation

	Public           bool       `json:"public,omitzero"`            // found by colleagues (GRP-17, GRP-19); private by default (EXT-08)
	HistorySharing   bool       `json:"history_sharing,omitzero"`   // newcomers read from the beginning (COM-04); off by default (GEN-24, GEN-25)
	Notify           bool       `json:"notify,omitzero"`            // group notification (NTF-04)
	Features         FeatureSet `json:"features,omitzero"`          // what is switched on; what is in force also depends on kind and message
	FeaturesWithheld bool       `json:"features_withheld,omitzero"` // the administrator withholds the masters' right over features (GRP-31)
	MessageOffSince  time.Time  `json:"message_off_since,omitzero"` // when message was switched off (GRP-38); zero while it is on
	HadConsumers     bool       `json:"had_consumers,omitzero"`     // consumers take part or have taken part (FEA-14)
	EmptiedAt        Version    `json:"emptied_at,omitzero"`        // what was written before this version is gone (GRP-39); 0: nothing
	EmptiedOn        time.Time  `json:"emptied_on,omitzero"`        // the time of that version

	Counts
	Digest    SetDigest `json:"digest,omitzero"` // of the participants
	CreatedAt time.Time `json:"created_at,omitzero"`
	ChangedAt time.Time `json:"changed_at,omitzero"` // time of the newest event
}

// Counts are the absolute numbers of people of a room. Events carry them, so
// that nobody has to add up.
type Counts struct {
	Participants int64 `json:"participants,omitzero"` // people and bots taking part
	Masters      int64 `json:"masters,omitzero"`      // Group Masters, whether or not they take part
	Partners     int64 `json:"partners,omitzero"`     // participants of a company other than the owning one; more than 0 marks the room (LST-03)
	Consumers    int64 `json:"consumers,omitzero"`    // participants from LINE, in a 1:1 room or several (LINE-03); more than 0 marks the room (LST-04)
	Bots         int64 `json:"bots,omitzero"`         // participants that are bots
}

// Origin says which way a room came into being.
type Origin uint8

// The ways of creation. The profile, the contacts and the members list lead to
// OpenDirect or, through the picker, to CreateRoom.
const (
	OriginPicker   Origin = iota // the people were picked
	OriginEvent                  // a calendar event's participants; its title becomes the room's (CRE-17)
	OriginMail                   // a mail's people; its subject becomes the room's title (CRE-21)
	OriginRoom                   // chosen among the members of another room (CRE-23)
	OriginContacts               // group creation in Contacts, or a 1:1 room from a profile (CRE-13)
	OriginInvite                 // inviting people whom the room could not take in (GEN-27, DIR-06)
	OriginSystem                 // message to me, team rooms
	originCount
)

var originNames = [originCount]string{"picker", "event", "mail", "room", "contacts", "invite", "system"}

// String gives the stable name of the origin.
func (o Origin) String() string { return enum.Name(originNames[:], o) }
