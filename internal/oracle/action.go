package oracle

import (
	"slices"
	"time"
)

// Action is something a person can do in a room.
type Action string

// The actions.
const (
	MayEnter             Action = "enter"
	MayPost              Action = "post"
	MayInvite            Action = "invite"
	MayRemove            Action = "remove"
	MayLeave             Action = "leave"
	MayAppoint           Action = "appoint_master"
	MayDismiss           Action = "dismiss_master"
	MayRename            Action = "rename"
	MayChangePhoto       Action = "change_photo"
	MayDescribe          Action = "describe"
	MaySwitchNote        Action = "switch_note"
	MaySwitchEvent       Action = "switch_event"
	MaySwitchTask        Action = "switch_task"
	MaySwitchFolder      Action = "switch_folder"
	MaySwitchMailingList Action = "switch_mailing_list"
	MaySetVisibility     Action = "set_visibility"
	MaySwitchMessage     Action = "switch_message"
	MayShareHistory      Action = "share_history"
	MaySetNotification   Action = "set_notification"
	MayWithhold          Action = "withhold_features"
	MayDeleteData        Action = "delete_feature_data"
	MayConvert           Action = "convert"
	MayDelete            Action = "delete"
	MayUseNote           Action = "use_note"
	MayUseEvent          Action = "use_event"
	MayUseTask           Action = "use_task"
	MayUseFolder         Action = "use_folder"
	MayUseMailingList    Action = "use_mailing_list"
	MayInviteAttendees   Action = "invite_attendees"
	MayRestrictFolder    Action = "restrict_folder"
	MayShareFolderLinks  Action = "share_folder_links"
	MaySwitchFileNotice  Action = "switch_file_notice"
	MayRecallOwn         Action = "recall_own"
	MayRecallOthers      Action = "recall_others"
	MaySource            Action = "source"
	MaySeeRoom           Action = "see_room"
	MaySeeMembers        Action = "see_members"
	MayMailMembers       Action = "mail_members"
)

var allFeatures = [...]Feature{Note, Event, Task, Folder, MailingList}

func switching(f Feature) Action { return "switch_" + Action(f) }

func using(f Feature) Action { return "use_" + Action(f) }

// offered says which features a kind offers at all (FEA-01).
func (w *World) offered(k Kind, f Feature) bool {
	switch k {
	case GeneralRoom:
		return f != MailingList // GEN-15, GEN-20
	case GroupRoom, TeamRoom:
		return true // GRP-15, GRP-16, TEAM-10, TEAM-15
	case ExternalRoom:
		return f == Note || f == Event || f == Folder || f == Task && w.Policy.ExternalTask // EXT-05 to EXT-07
	default:
		return false // DIR-10, DIR-11, SELF-06
	}
}

// usable says which features of a room participants can use now.
func (w *World) usable(r *Room, f Feature) bool {
	if !w.offered(r.Kind, f) || !r.OffSince.IsZero() {
		return false
	}
	if r.Kind == GeneralRoom {
		return !w.hasLine(r) || w.Policy.LineFeatures // LINE-07
	}
	return r.Features[f]
}

// rulesFor lists the rules that forbid an action in a kind to those who have no
// authority for it. An action that is missing may be refused with any rule.
var rulesFor = map[Kind]map[Action][]string{
	SelfRoom: {
		MayInvite: {"SELF-03"}, MayLeave: {"SELF-05", "LST-22"}, MaySource: {"SELF-04", "CRE-25"},
		MaySwitchNote: {"SELF-06"}, MaySwitchEvent: {"SELF-06"}, MaySwitchTask: {"SELF-06"},
		MaySwitchFolder: {"SELF-06"}, MaySwitchMailingList: {"SELF-06"}, MaySetVisibility: {"SELF-06"},
	},
	DirectRoom: {
		MayRemove: {"DIR-09"}, MayRename: {"DIR-08"}, MayChangePhoto: {"DIR-19"}, MayDescribe: {"DIR-19"},
		MaySwitchNote: {"DIR-10"}, MaySwitchEvent: {"DIR-10"}, MaySwitchTask: {"DIR-10"},
		MaySwitchFolder: {"DIR-10"}, MaySwitchMailingList: {"DIR-11"}, MaySetVisibility: {"DIR-11"},
		MayConvert: {"DIR-16"}, MaySource: {"DIR-12", "CRE-25"}, MayEnter: {"COM-02", "DIR-04"},
		MayLeave: {"COM-08"}, MayInvite: {"COM-02", "DIR-06"},
	},
	GeneralRoom: {
		MaySwitchNote: {"GEN-16"}, MaySwitchEvent: {"GEN-17"}, MaySwitchTask: {"GEN-19"},
		MaySwitchFolder: {"GEN-18"}, MaySwitchMailingList: {"GEN-20"}, MaySetVisibility: {"GEN-21"},
		MayLeave: {"COM-08", "GEN-09"}, MayEnter: {"COM-02", "GEN-10", "GEN-08"},
	},
	GroupRoom: {
		MayInvite: {"GRP-07", "GRP-23", "GRP-24", "GRP-25"}, MayRemove: {"GRP-07"},
		MayAppoint: {"GRP-06"}, MayDismiss: {"GRP-06"}, MayLeave: {"GRP-12", "LST-22", "COM-08"},
		MayRename: {"GRP-28"}, MayChangePhoto: {"GRP-27"}, MaySetVisibility: {"GRP-18"},
		MayShareHistory: {"GRP-26"}, MayConvert: {"GRP-44"}, MayDelete: {"GRP-41"}, MayWithhold: {"GRP-31"},
		MayEnter: {"COM-02", "GRP-11", "GRP-13", "GRP-21"},
	},
	ExternalRoom: {
		MayInvite: {"EXT-15", "EXT-14"}, MayRemove: {"EXT-16", "EXT-14"},
		MayAppoint: {"EXT-13"}, MayDismiss: {"EXT-13"}, MayLeave: {"EXT-17", "EXT-18", "LST-22", "COM-08"},
		MaySwitchNote: {"EXT-11", "EXT-12"}, MaySwitchEvent: {"EXT-11", "EXT-12"},
		MaySwitchFolder: {"EXT-11", "EXT-12"}, MaySwitchTask: {"EXT-06", "EXT-12"},
		MaySwitchMailingList: {"EXT-07", "EXT-12"}, MaySetVisibility: {"EXT-10", "EXT-12"},
		MayRename: {"EXT-46", "EXT-12"}, MayChangePhoto: {"EXT-46"}, MayConvert: {"EXT-44", "CRE-43"},
		MaySource: {"EXT-40", "CRE-25"}, MayInviteAttendees: {"EXT-38"}, MayRestrictFolder: {"EXT-39"},
	},
	TeamRoom: {
		MayInvite: {"TEAM-07", "TEAM-08"}, MayRemove: {"TEAM-08", "TEAM-07"},
		MayLeave: {"TEAM-06", "LST-22", "COM-08"}, MayRename: {"TEAM-09"},
	},
}

// mayDo is nil or the refusal of an action.
func (w *World) mayDo(u *User, r *Room, a Action) *refusal {
	st := w.Standing(u.ID, r)
	may, open := w.actions(r, st)
	switch {
	case open[a]:
		return unsettled
	case may[a]:
		return nil
	}
	rules, any := w.rulesAgainst(u, r, a, st)
	if any || len(rules) == 0 {
		return denied()
	}
	return denied(slices.Concat(rules, st.Lost)...)
}

// rulesAgainst lists the rules that may be named, or says that any may.
func (w *World) rulesAgainst(u *User, r *Room, a Action, st Standing) (rules []string, any bool) {
	rules = slices.Clone(rulesFor[r.Kind][a])
	off := !r.OffSince.IsZero()
	switch {
	case r.Kind == TeamRoom && !w.Teams[r.Team].Room:
		return nil, true // TEAM-04 beside all others
	case isSwitch(a) && !st.Admin && (r.Withheld || r.Kind == TeamRoom):
		return nil, true // GRP-31, TEAM-10 and TEAM-11 beside the missing standing
	case off && !w.couldIfOn(u, r, a):
		return nil, true // for the message or for the standing
	case isSwitch(a) && off:
		rules = append(rules, "GRP-37", "GRP-38", "TEAM-19")
	case off:
		rules = append(rules, "GRP-37", "GRP-38", "TEAM-19")
	case a == MaySource && w.hasLine(r):
		rules = append(rules, "LINE-05", "CRE-25", "CRE-28")
	}
	return rules, false
}

// couldIfOn reports whether only the switched-off message stands in the way.
func (w *World) couldIfOn(u *User, r *Room, a Action) bool {
	asIfOn := r.clone()
	asIfOn.OffSince = time.Time{}
	return w.mayDo(u, &asIfOn, a) == nil
}

func isSwitch(a Action) bool {
	for _, f := range allFeatures {
		if switching(f) == a {
			return true
		}
	}
	return false
}
