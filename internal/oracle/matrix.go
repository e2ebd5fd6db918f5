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

// Set is a set of actions.
type Set map[Action]bool

func (s Set) add(as ...Action) {
	for _, a := range as {
		s[a] = true
	}
}

func (s Set) when(ok bool, as ...Action) {
	if ok {
		s.add(as...)
	}
}

// actions says what a user may do in a room, and what the rule book does not
// settle for that user.
func (w *World) actions(r *Room, st Standing) (may, unsettled Set) {
	may, unsettled = Set{}, Set{}
	if r.Ended {
		return may, unsettled
	}
	switch r.Kind {
	case SelfRoom:
		may.when(st.Participant, MayEnter, MayPost, MayRecallOwn, MaySeeRoom, MaySeeMembers)
	case DirectRoom:
		w.inDirect(r, st, may, unsettled)
	case GeneralRoom:
		w.inGeneral(r, st, may, unsettled)
	case GroupRoom:
		w.inGroup(r, st, may, unsettled)
	case ExternalRoom:
		w.inExternal(r, st, may, unsettled)
	case TeamRoom:
		w.inTeam(r, st, may, unsettled)
	}
	return may, unsettled
}

func (w *World) inDirect(r *Room, st Standing, may, unsettled Set) {
	if !st.Participant {
		return
	}
	may.add(MayEnter, MayLeave, MayInvite, MaySeeRoom, MaySeeMembers)
	may.when(w.talking(r), MayPost)
	if w.lineParty(r) {
		unsettled.add(MayPost, MayRecallOwn) // LINE-01 from the LINE user's side; see Recall
		return
	}
	may.when(w.talking(r), MayRecallOwn)
	unsettled.when(!w.talking(r), MayRecallOwn)
}

// talking is false while a 1:1 room of two companies lacks a permission (DIR-18).
func (w *World) talking(r *Room) bool {
	a, b := w.Users[r.Parties[0]], w.Users[r.Parties[1]]
	if a.Kind != Human || b.Kind != Human || a.Company == b.Company {
		return true
	}
	return w.worksInForce(a) && w.worksInForce(b)
}

func (w *World) lineParty(r *Room) bool {
	return w.Users[r.Parties[0]].Kind == Line || w.Users[r.Parties[1]].Kind == Line
}

func (w *World) inGeneral(r *Room, st Standing, may, unsettled Set) {
	if !st.Participant {
		return
	}
	may.add(MayEnter, MayPost, MayInvite, MayRemove, MayLeave, MayRename, MayChangePhoto,
		MayDescribe, MayShareHistory, MaySeeRoom, MaySeeMembers)
	w.use(r, may)
	may.when(w.usable(r, Folder), MayShareFolderLinks, MaySwitchFileNotice)
	may.when(w.usable(r, Event), MayInviteAttendees)
	if r.HadLine && !w.hasLine(r) { // LINE-07 speaks of rooms with LINE users
		unsettled.add(MayUseNote, MayUseEvent, MayUseTask, MayUseFolder, MayInviteAttendees, MayShareFolderLinks, MaySwitchFileNotice)
	}
	may.when(!w.hasLine(r), MaySource)
	may.when(!r.HadLine, MayRecallOwn)
	unsettled.when(r.HadLine, MayRecallOwn) // see Recall
	may.add(MayConvert)                     // as far as kind and standing go; the command looks at more
}

func (w *World) use(r *Room, may Set) {
	for _, f := range allFeatures {
		may.when(w.usable(r, f), using(f))
	}
}

// takingPart is what participants of groups and teams may do.
func (w *World) takingPart(r *Room, may, unsettled Set) {
	on := r.OffSince.IsZero()
	may.add(MaySeeRoom, MaySeeMembers)
	may.when(on, MayEnter, MayPost, MayRecallOwn)
	w.use(r, may)
	may.when(w.usable(r, Folder), MaySwitchFileNotice)
	may.when(w.usable(r, Event) && r.Kind != ExternalRoom, MayInviteAttendees)
	may.when(on && r.Kind != ExternalRoom, MaySource)
	unsettled.when(!on && r.Kind != ExternalRoom, MaySource)
	unsettled.when(!on, MayRecallOwn, MaySwitchFileNotice)
}

// leading is what comes with the master's or leader's role for the room's
// content. Without taking part the rule book does not settle it (GRP-11).
func (w *World) leading(r *Room, st Standing, may, unsettled Set) {
	content := []Action{MayRecallOthers, MayShareFolderLinks}
	if r.Kind != ExternalRoom {
		content = append(content, MayRestrictFolder)
	}
	unsettled.add(content...)
	if st.Participant && r.OffSince.IsZero() {
		may.add(MayRecallOthers)
		delete(unsettled, MayRecallOthers)
	}
	if st.Participant && w.usable(r, Folder) {
		may.add(content...)
		delete(unsettled, MayShareFolderLinks)
		delete(unsettled, MayRestrictFolder)
	}
}

func (w *World) switches(r *Room, may, unsettled Set) {
	for _, f := range allFeatures {
		may.when(w.offered(r.Kind, f) && r.OffSince.IsZero(), switching(f)) // GRP-37
	}
	// GRP-37 does not name the mailing list.
	unsettled.when(w.offered(r.Kind, MailingList) && !r.OffSince.IsZero(), MaySwitchMailingList)
}

func (w *World) inGroup(r *Room, st Standing, may, unsettled Set) {
	if st.Participant {
		w.takingPart(r, may, unsettled)
		may.add(MayChangePhoto)
		unsettled.when(!r.OffSince.IsZero(), MayChangePhoto)
	}
	if st.Master {
		w.leading(r, st, may, unsettled)
		may.add(MayShareHistory)
	}
	if st.Master || st.Admin {
		may.add(MayInvite, MayRemove, MayAppoint, MayDismiss, MayRename, MayDescribe, MaySetVisibility,
			MaySwitchMessage, MaySetNotification, MayDeleteData, MayDelete, MaySeeRoom, MaySeeMembers)
	}
	if st.Admin || st.Master && !r.Withheld {
		w.switches(r, may, unsettled)
	}
	may.when(st.Admin, MayWithhold)
	may.when(st.Colleague, MaySeeRoom, MaySeeMembers, MayMailMembers) // GRP-21, GRP-22
	unsettled.when(st.Participant || st.Master || st.Admin, MayMailMembers)
	unsettled.when(!r.OffSince.IsZero(), MayMailMembers)
}

func (w *World) inExternal(r *Room, st Standing, may, unsettled Set) {
	if st.Participant {
		w.takingPart(r, may, unsettled)
		may.add(MayChangePhoto)
		unsettled.when(!r.OffSince.IsZero(), MayChangePhoto)
	}
	if st.Master {
		w.leading(r, st, may, unsettled)
		may.add(MayShareHistory)
	}
	if st.Master || st.Admin {
		may.add(MayAppoint, MayDismiss, MayRename, MayDescribe, MaySwitchMessage, MaySetNotification,
			MayDeleteData, MayDelete, MaySeeRoom, MaySeeMembers)
		w.switches(r, may, unsettled)
	}
	may.when(st.Master || st.Admin && w.Policy.AdminsManageExternal, MayInvite, MayRemove)
}

func (w *World) inTeam(r *Room, st Standing, may, unsettled Set) {
	t := w.Teams[TeamKey(r.Company, r.Team)]
	if st.Participant {
		w.takingPart(r, may, unsettled)
		may.when(w.Policy.TeamPhotoByMembers, MayChangePhoto)
	}
	if st.Leader {
		w.leading(r, st, may, unsettled)
		may.add(MayShareHistory, MayDeleteData, MaySeeRoom, MaySeeMembers)
		may.when(t.Photo, MayChangePhoto)
		unsettled.when(!st.Admin, MaySetNotification)
	}
	if st.Admin {
		may.add(MayDescribe, MayChangePhoto, MaySetVisibility, MaySetNotification, MayDeleteData, MayDelete,
			MaySeeRoom, MaySeeMembers)
	}
	if st.Admin || st.Leader && t.Features {
		w.switches(r, may, unsettled)
		may.add(MaySwitchMessage)
	}
	unsettled.when(st.Participant || st.Leader || st.Admin, MayMailMembers)
	if !t.Room {
		for a := range may {
			unsettled.add(a) // what is left of a room that may not be used
		}
		for _, a := range []Action{MayEnter, MayPost, MayUseNote, MayUseEvent, MayUseTask, MayUseFolder, MayUseMailingList} {
			delete(may, a)
			delete(unsettled, a)
		}
	}
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
	case r.Kind == TeamRoom && !w.Teams[TeamKey(r.Company, r.Team)].Room:
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
