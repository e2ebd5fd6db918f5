package roomkit

import "github.com/go-roomkit/roomkit/internal/enum"

// Notice is a service notification: it goes to the user's own service
// notification room, never into the room concerned (NTF-01), and to nobody but
// those concerned (NTF-02). The host turns the
// key and the parameters into text.
type Notice struct {
	To       UserID            `json:"to,omitzero"`       // the person told; empty if Everyone
	Everyone bool              `json:"everyone,omitzero"` // everyone who takes part in Room (Params["actor"] among them), or every member of Company
	Room     RoomID            `json:"room,omitzero"`     // the room concerned; zero for NoticePermitted
	Company  CompanyID         `json:"company,omitzero"`  // for Everyone of a company
	Holders  Holders           `json:"holders,omitzero"`  // which members of Company
	Key      NoticeKey         `json:"key,omitzero"`      // which text
	People   []UserID          `json:"people,omitempty"`  // some who take part in Room, if it has no name by which the text could tell which one it is
	Params   map[string]string `json:"params,omitempty"`  // what the text names: "room", "actor", "name", "cause", "features"
}

// Holders narrows the members of a company by the permission that they hold
// themselves (User.Partners).
type Holders uint8

// The parts of a company.
const (
	HoldersAll    Holders = iota // every member
	HoldersOnly                  // those who hold the permission
	HoldersOthers                // those who do not
	holdersCount
)

var holdersNames = [holdersCount]string{"all", "only", "others"}

// String gives the stable name of the part.
func (h Holders) String() string { return enum.Name(holdersNames[:], h) }

// NoticeKey names the text of a notice.
type NoticeKey string

// The notices.
const (
	NoticeRemoved          NoticeKey = "removed"           // you were excluded from a room (GEN-07)
	NoticeWithdrawn        NoticeKey = "withdrawn"         // you were taken out because the external permission ended (NTF-11)
	NoticeDropped          NoticeKey = "dropped"           // you were left out when the room was converted
	NoticeAdded            NoticeKey = "added"             // you were added to a group
	NoticeMasterAppointed  NoticeKey = "master_appointed"  // you became Group Master
	NoticeMasterDismissed  NoticeKey = "master_dismissed"  // you are no longer Group Master
	NoticeRenamed          NoticeKey = "renamed"           // the group has a new name
	NoticeFeaturesSwitched NoticeKey = "features_switched" // features were switched on or off
	NoticePermitted        NoticeKey = "permitted"         // you may talk with external users and could not before (NTF-06)
)

// NoticesOf derives from an event who gets which service notification. It looks
// at nothing but the event. Nobody is told of what they did themselves, and bots and
// consumers are told nothing. In groups and teams notices are sent only
// while group notification is on (NTF-04), except those about a withdrawn permission.
// What the host provisions with AddCompany and AddUser tells nobody.
func NoticesOf(e Event) []Notice {
	info := e.Info()
	switch e := e.(type) {
	case *MemberJoined:
		if info.Kind.HasBadge() && info.Notify { // an invitation to a General room needs none (NTF-12)
			return toPeople(info, e.People, NoticeAdded, nil)
		}
	case *MemberLeft:
		if key := leftNotice(info); key != "" {
			list := toPeople(info, e.People, key, map[string]string{"name": e.Name})
			for i := range list {
				list[i].People = e.Among
			}
			return list
		}
	case *MasterAppointed:
		if info.Notify {
			return toPeople(info, e.People, NoticeMasterAppointed, nil)
		}
	case *MasterDismissed:
		if info.Notify || info.Cause == CausePermission {
			return toPeople(info, e.People, NoticeMasterDismissed, nil)
		}
	case *RoomRenamed:
		if info.Kind.HasBadge() && info.Notify && e.From != e.To { // else only the key is another
			return toRoom(info, NoticeRenamed, map[string]string{"name": e.To})
		}
	case *FeaturesSwitched:
		if info.Notify {
			return toRoom(info, NoticeFeaturesSwitched, map[string]string{"features": e.To.String()})
		}
	case *UserMessagingChanged:
		if e.Permits && e.With == OutsiderPartner {
			return []Notice{{To: UserID(info.Subject.ID), Key: NoticePermitted}}
		}
	case *CompanyMessagingChanged:
		if holders, some := newlyPermitted(e); some && e.With == OutsiderPartner {
			return []Notice{{Everyone: true, Company: CompanyID(info.Subject.ID), Holders: holders, Key: NoticePermitted}}
		}
	case *RoomCreated, *RoomImported, *MembersImported, *PhotoChanged, *DescriptionChanged, *VisibilityChanged, *HistorySharingChanged, *NotificationSwitched,
		*FeaturesWithheldChanged, *MessageSwitchedOff, *MessageSwitchedOn, *FeatureDataDeleted, *RoomConverted, *RoomEnded,
		*MasterVacated, *CompanyPut, *UserPut, *UserStatusChanged, *TeamSynced, *Unknown:
	}
	return nil
}

// newlyPermitted says who may talk with outsiders and could not before.
func newlyPermitted(e *CompanyMessagingChanged) (who Holders, some bool) {
	switch {
	case e.To == ExternalAll && e.From == ExternalSelected:
		return HoldersOthers, true
	case e.To == ExternalAll:
		return HoldersAll, true
	}
	return HoldersOnly, e.From == ExternalOff
}

// leftNotice: whoever leaves (NTF-03) or whose account ended is not
// told.
func leftNotice(info *Meta) NoticeKey {
	switch info.Cause {
	case CauseRemoved:
		if info.Kind == KindGeneral || info.Notify {
			return NoticeRemoved
		}
	case CauseOrganisation:
		if info.Notify {
			return NoticeRemoved
		}
	case CausePermission:
		return NoticeWithdrawn
	case CauseConverted:
		return NoticeDropped
	}
	return ""
}

func toPeople(info *Meta, people []Person, key NoticeKey, params map[string]string) []Notice {
	list := make([]Notice, 0, len(people))
	for i := range people {
		if people[i].Kind == UserMember && people[i].User != info.Actor.User() {
			list = append(list, Notice{To: people[i].User, Room: info.Subject.Room, Key: key, Params: about(info, params)})
		}
	}
	return list
}

func toRoom(info *Meta, key NoticeKey, params map[string]string) []Notice {
	return []Notice{{Everyone: true, Room: info.Subject.Room, Key: key, Params: about(info, params)}}
}

func about(info *Meta, more map[string]string) map[string]string {
	params := map[string]string{"room": info.Subject.Room.String(), "actor": info.Actor.String()}
	if info.Cause != CauseNone {
		params["cause"] = info.Cause.String()
	}
	for k, v := range more {
		params[k] = v
	}
	return params
}
