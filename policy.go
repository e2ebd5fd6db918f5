package roomkit

import (
	"math/bits"
	"strings"
	"time"
)

// Action is something a person can do in a room. Commands ask for one or more
// actions; features such as posting are asked for with [Service.Access].
type Action uint8

// The actions.
const (
	ActionNone              Action = iota
	ActionEnter                    // open the room and read
	ActionPost                     // write messages
	ActionInvite                   // bring people in
	ActionRemove                   // take other people out
	ActionLeave                    // end the own participation
	ActionAppointMaster            // make Group Masters
	ActionDismissMaster            // end master roles
	ActionRename                   // change the name
	ActionChangePhoto              // change the photo
	ActionDescribe                 // change the description
	ActionSwitchNote               // switch Note on and off
	ActionSwitchEvent              // switch Event on and off
	ActionSwitchTask               // switch Task on and off
	ActionSwitchFolder             // switch Folder on and off
	ActionSwitchMailingList        // switch Mailing List on and off
	ActionSetVisibility            // make public or private
	ActionSwitchMessage            // switch the whole room on and off
	ActionShareHistory             // let newcomers read earlier conversation
	ActionSetNotification          // switch group notification
	ActionWithholdFeatures         // withhold the masters' right over features
	ActionDeleteFeatureData        // delete the data of Note, Event, Folder
	ActionConvert                  // turn a General room into a group; whether it can become one, Service.Plan tells
	ActionDelete                   // end the room for everybody
	ActionUseNote                  // read and write notes
	ActionUseEvent                 // create, edit and delete events, those of others too (FEA-04)
	ActionUseTask                  // create tasks (FEA-03)
	ActionUseFolder                // use the room's folder (FEA-05)
	ActionUseMailingList           // write mail to all members
	ActionInviteAttendees          // invite attendees to an event of the room's calendar (EXT-38)
	ActionRestrictFolder           // set access lists on folders (FEA-08)
	ActionShareFolderLinks         // decide whether folder links may be shared (FEA-07)
	ActionSwitchFileNotice         // switch the notice about new files (FEA-09)
	ActionRecallOwn                // recall own messages, see Access.MayRecall
	ActionRecallOthers             // recall messages of others (FEA-11)
	ActionSource                   // choose people for a new room among the members (CRE-23, GRP-43, TEAM-26)
	ActionSeeRoom                  // see name and properties
	ActionSeeMembers               // see who takes part
	ActionMailMembers              // mail or invite all members of a public group (GRP-22)
	ActionCount
)

var actionNames = [ActionCount]string{
	"none", "enter", "post", "invite", "remove", "leave", "appoint_master", "dismiss_master", "rename",
	"change_photo", "describe", "switch_note", "switch_event", "switch_task", "switch_folder",
	"switch_mailing_list", "set_visibility", "switch_message", "share_history", "set_notification",
	"withhold_features", "delete_feature_data", "convert", "delete", "use_note", "use_event", "use_task",
	"use_folder", "use_mailing_list", "invite_attendees", "restrict_folder", "share_folder_links",
	"switch_file_notice", "recall_own", "recall_others", "source", "see_room", "see_members", "mail_members",
}

// String gives the stable name of the action, for instance "appoint_master".
func (a Action) String() string { return EnumName(actionNames[:], int(a)) }

// ActionSet is a set of actions, one bit each.
type ActionSet uint64

// Actions makes a set.
func Actions(as ...Action) ActionSet { return setOf[ActionSet](as...) }

// Has reports whether a is in the set. ActionNone and unknown actions never are.
func (s ActionSet) Has(a Action) bool { return a > ActionNone && a < ActionCount && inSet(s, a) }

// String lists the names of the actions.
func (s ActionSet) String() string { return setString[Action](s) }

const allActions = ActionSet(1<<ActionCount-1) &^ 1

// Standing is what a person is in a room: a set of the bits below.
type Standing uint8

// The standings.
const (
	StandingParticipant   Standing = 1 << iota // takes part
	StandingMaster                             // is a Group Master
	StandingLeader                             // leads the team of a Team room
	StandingAdministrator                      // administers the company that owns the group or team
	StandingColleague                          // belongs to the company that owns a Group
	StandingNone          Standing = 0
	standingCount                  = 1 << 5
	allStandings          Standing = standingCount - 1
)

var standingNames = [...]string{"participant", "master", "leader", "administrator", "colleague"}

type standingBit uint8

func (b standingBit) String() string { return EnumName(standingNames[:], int(b)) }

// String lists the names of the standings.
func (s Standing) String() string { return setString[standingBit](s) }

// This file is the only one that says who may do what. A cell of the matrix
// names the standings that may, and the rule that forbids it to all others.
// Conditions take actions away again.

// Policy holds the decisions on points that the rule book leaves open. Every
// field's zero value is the recommended decision.
type Policy struct {
	ExternalGroupTask                   bool             // Task in external groups (AMB-01, EXT-06)
	ForeignMasters                      bool             // Group Masters of other companies in external groups (AMB-04, EXT-29)
	AdministratorsManageExternalMembers bool             // administrators add and remove members of external groups (ADM-10 against EXT-15)
	LINERoomFeatures                    bool             // Note, Event, Task and Folder in rooms with LINE users (AMB-11, LINE-07)
	TeamPhotoByMembers                  bool             // any member changes a team room's photo (AMB-17, TEAM-25)
	AnyoneIsContact                     bool             // outsiders need not be contacts (EXT-32, LINE-02)
	MaxParticipants                     [KindCount]int64 // by Kind; 0 means no limit (LIM-07); teams follow the organisation chart whatever it is
	MaxGroupsPerUser                    int64            // 0 means 2,000 (LIM-02)
	LeaderTeamLimit                     int64            // largest team whose leader may open the room; 0 means 100 (LIM-08)
	MessageOffPeriod                    time.Duration    // until a switched-off room's data is deleted; 0 means 30 days (GRP-38)
}

// cell says who may take an action in a kind of room, and which rule forbids it
// to everybody else.
type cell struct {
	who  Standing
	rule Rule
}

const (
	none = StandingNone
	part = StandingParticipant
	mast = StandingMaster
	lead = StandingLeader
	admn = StandingAdministrator
	coll = StandingColleague
)

// matrix is the authority matrix: action × kind. The columns are none, self,
// direct, general, group, external group, team. Managing members is the masters'
// right (EXT-14).
var matrix = [ActionCount][KindCount]cell{
	ActionEnter:             {{}, {part, "SELF-01"}, {part, "DIR-04"}, {part, "COM-02"}, {part, "GRP-11"}, {part, "EXT-19"}, {part, "COM-02"}},
	ActionPost:              {{}, {part, "SELF-01"}, {part, "DIR-04"}, {part, "COM-02"}, {part, "GRP-11"}, {part, "EXT-19"}, {part, "COM-02"}},
	ActionInvite:            {{}, {none, "SELF-03"}, {part, "GEN-02"}, {part, "GEN-02"}, {mast | admn, "GRP-07"}, {mast, "EXT-15"}, {none, "TEAM-08"}},
	ActionRemove:            {{}, {none, "SELF-01"}, {none, "DIR-09"}, {part, "GEN-05"}, {mast | admn, "GRP-07"}, {mast, "EXT-16"}, {none, "TEAM-08"}},
	ActionLeave:             {{}, {none, "SELF-05"}, {part, "DIR-03"}, {part, "GEN-09"}, {none, "GRP-12"}, {none, "EXT-17"}, {none, "TEAM-06"}},
	ActionAppointMaster:     {{}, {none, "SELF-01"}, {none, "GEN-34"}, {none, "GEN-34"}, {mast | admn, "GRP-06"}, {mast | admn, "EXT-13"}, {none, "TEAM-08"}},
	ActionDismissMaster:     {{}, {none, "SELF-01"}, {none, "GEN-34"}, {none, "GEN-34"}, {mast | admn, "GRP-06"}, {mast | admn, "EXT-13"}, {none, "TEAM-08"}},
	ActionRename:            {{}, {none, "SELF-01"}, {none, "DIR-08"}, {part, "GEN-22"}, {mast | admn, "GRP-28"}, {mast | admn, "EXT-46"}, {none, "TEAM-09"}},
	ActionChangePhoto:       {{}, {none, "SELF-01"}, {none, "DIR-19"}, {part, "GEN-23"}, {part, "GRP-27"}, {part, "EXT-46"}, {lead | admn, "TEAM-25"}},
	ActionDescribe:          {{}, {none, "SELF-01"}, {none, "DIR-19"}, {part, "GEN-34"}, {mast | admn, "GRP-28"}, {mast | admn, "EXT-12"}, {admn, "TEAM-10"}},
	ActionSwitchNote:        {{}, {none, "SELF-06"}, {none, "DIR-10"}, {none, "GEN-16"}, {mast | admn, "GRP-15"}, {mast | admn, "EXT-12"}, {lead | admn, "TEAM-10"}},
	ActionSwitchEvent:       {{}, {none, "SELF-06"}, {none, "DIR-10"}, {none, "GEN-17"}, {mast | admn, "GRP-15"}, {mast | admn, "EXT-12"}, {lead | admn, "TEAM-10"}},
	ActionSwitchTask:        {{}, {none, "SELF-06"}, {none, "DIR-10"}, {none, "GEN-19"}, {mast | admn, "GRP-15"}, {none, "EXT-06"}, {lead | admn, "TEAM-10"}},
	ActionSwitchFolder:      {{}, {none, "SELF-06"}, {none, "DIR-10"}, {none, "GEN-18"}, {mast | admn, "GRP-15"}, {mast | admn, "EXT-12"}, {lead | admn, "TEAM-10"}},
	ActionSwitchMailingList: {{}, {none, "SELF-06"}, {none, "DIR-11"}, {none, "GEN-20"}, {mast | admn, "GRP-16"}, {none, "EXT-07"}, {lead | admn, "TEAM-15"}},
	ActionSetVisibility:     {{}, {none, "SELF-06"}, {none, "DIR-11"}, {none, "GEN-21"}, {mast | admn, "GRP-18"}, {none, "EXT-10"}, {admn, "TEAM-15"}},
	ActionSwitchMessage:     {{}, {none, "SELF-01"}, {none, "GEN-34"}, {none, "GEN-34"}, {mast | admn, "GRP-38"}, {mast | admn, "EXT-12"}, {lead | admn, "TEAM-10"}},
	ActionShareHistory:      {{}, {none, "SELF-01"}, {none, "DIR-17"}, {part, "GEN-26"}, {mast, "GRP-26"}, {mast, "EXT-42"}, {lead, "TEAM-14"}},
	ActionSetNotification:   {{}, {none, "SELF-01"}, {none, "NTF-04"}, {none, "NTF-04"}, {mast | admn, "NTF-04"}, {mast | admn, "EXT-12"}, {lead | admn, "TEAM-12"}},
	ActionWithholdFeatures:  {{}, {none, "SELF-06"}, {none, "DIR-10"}, {none, "GEN-34"}, {admn, "GRP-31"}, {none, "EXT-11"}, {none, "TEAM-11"}},
	ActionDeleteFeatureData: {{}, {none, "SELF-06"}, {none, "DIR-10"}, {none, "GEN-34"}, {mast | admn, "GRP-15"}, {mast | admn, "EXT-12"}, {lead | admn, "TEAM-13"}},
	ActionConvert:           {{}, {none, "SELF-03"}, {none, "DIR-16"}, {part, "GEN-31"}, {none, "GRP-44"}, {none, "EXT-44"}, {none, "TEAM-01"}},
	ActionDelete:            {{}, {none, "SELF-02"}, {none, "DIR-05"}, {none, "GEN-34"}, {mast | admn, "GRP-41"}, {mast | admn, "GRP-41"}, {admn, "TEAM-04"}},
	ActionUseNote:           {{}, {none, "SELF-06"}, {none, "DIR-10"}, {part, "GEN-15"}, {part, "GRP-11"}, {part, "EXT-05"}, {part, "FEA-01"}},
	ActionUseEvent:          {{}, {none, "SELF-06"}, {none, "DIR-10"}, {part, "GEN-15"}, {part, "GRP-11"}, {part, "EXT-05"}, {part, "FEA-04"}},
	ActionUseTask:           {{}, {none, "SELF-06"}, {none, "DIR-10"}, {part, "GEN-15"}, {part, "GRP-11"}, {none, "EXT-06"}, {part, "FEA-03"}},
	ActionUseFolder:         {{}, {none, "SELF-06"}, {none, "DIR-10"}, {part, "GEN-15"}, {part, "GRP-11"}, {part, "EXT-05"}, {part, "FEA-06"}},
	ActionUseMailingList:    {{}, {none, "SELF-06"}, {none, "DIR-11"}, {none, "GEN-20"}, {part, "GRP-16"}, {none, "EXT-07"}, {part, "TEAM-15"}},
	ActionInviteAttendees:   {{}, {none, "SELF-06"}, {none, "DIR-10"}, {part, "FEA-04"}, {part, "GRP-11"}, {none, "EXT-38"}, {part, "FEA-04"}},
	ActionRestrictFolder:    {{}, {none, "SELF-06"}, {none, "DIR-10"}, {none, "FEA-08"}, {mast, "FEA-08"}, {none, "EXT-39"}, {lead, "FEA-08"}},
	ActionShareFolderLinks:  {{}, {none, "SELF-06"}, {none, "DIR-10"}, {part, "FEA-07"}, {mast, "FEA-07"}, {mast, "FEA-07"}, {lead, "FEA-07"}},
	ActionSwitchFileNotice:  {{}, {none, "SELF-06"}, {none, "DIR-10"}, {part, "FEA-09"}, {part, "FEA-09"}, {part, "FEA-09"}, {part, "FEA-09"}},
	ActionRecallOwn:         {{}, {part, "SELF-01"}, {part, "FEA-10"}, {part, "FEA-10"}, {part, "FEA-10"}, {part, "FEA-10"}, {part, "FEA-10"}},
	ActionRecallOthers:      {{}, {none, "SELF-01"}, {none, "FEA-12"}, {none, "FEA-12"}, {mast, "FEA-11"}, {mast, "FEA-11"}, {lead, "FEA-11"}},
	ActionSource:            {{}, {none, "SELF-04"}, {none, "DIR-12"}, {part, "CRE-28"}, {part, "CRE-28"}, {none, "EXT-40"}, {part, "CRE-28"}},
	ActionSeeRoom:           {{}, {part, "SELF-01"}, {part, "COM-02"}, {part, "COM-02"}, {part | mast | admn | coll, "GRP-20"}, {part | mast | admn, "EXT-09"}, {part | lead | admn, "TEAM-27"}},
	ActionSeeMembers:        {{}, {part, "SELF-01"}, {part, "COM-02"}, {part, "COM-02"}, {part | mast | admn | coll, "GRP-20"}, {part | mast | admn, "EXT-09"}, {part | lead | admn, "TEAM-27"}},
	ActionMailMembers:       {{}, {none, "SELF-06"}, {none, "DIR-11"}, {none, "GEN-20"}, {part | mast | admn | coll, "GRP-22"}, {none, "EXT-07"}, {part | lead | admn, "FEA-17"}},
}

// colleagueRules are the rules that refuse a colleague who found a public group.
var colleagueRules = map[Action]Rule{
	ActionEnter: "GRP-21", ActionPost: "GRP-21", ActionInvite: "GRP-25", ActionLeave: "COM-08",
}

// condition takes actions away from some standings while a limit holds.
type condition struct {
	rule  Rule
	strip Standing  // these standings do not count …
	mask  ActionSet // … for these actions
}

// limit is a circumstance of a room that narrows what may be done in it.
type Limit uint8

const (
	LimitMessageOff       Limit = iota // message is switched off
	LimitTeamRoomOff                   // the administrator does not allow the team room
	LimitFeaturesWithheld              // from the masters
	LimitLeaderFeatures                // not granted to the leader
	LimitLeaderPhoto                   // not granted to the leader
	LimitPrivate                       // not found by colleagues
	LimitLINERoom                      // LINE users take part
	LimitPartner                       // the other party of a 1:1 room, or the own side, lacks the permission
	LimitNoNote
	LimitNoEvent
	LimitNoTask
	LimitNoFolder
	LimitNoMailingList
	limitCount
)

type Limits uint16

const (
	switchFeatures = ActionSet(1<<ActionSwitchNote | 1<<ActionSwitchEvent | 1<<ActionSwitchTask | 1<<ActionSwitchFolder | 1<<ActionSwitchMailingList)
	useEvent       = ActionSet(1<<ActionUseEvent | 1<<ActionInviteAttendees)
	useFolder      = ActionSet(1<<ActionUseFolder | 1<<ActionRestrictFolder | 1<<ActionShareFolderLinks | 1<<ActionSwitchFileNotice)
	useFeatures    = ActionSet(1<<ActionUseNote|1<<ActionUseTask|1<<ActionUseMailingList) | useEvent | useFolder
	useRoom        = ActionSet(1<<ActionEnter|1<<ActionPost|1<<ActionRecallOwn|1<<ActionRecallOthers|1<<ActionSource) | useFeatures
)

// conditions stand in order of priority: the first that takes an action away
// gives the rule of the refusal.
var conditions = [limitCount]condition{
	LimitMessageOff:       {"GRP-38", allStandings, useRoom | switchFeatures},
	LimitTeamRoomOff:      {"TEAM-04", allStandings, useRoom | switchFeatures},
	LimitFeaturesWithheld: {"GRP-31", mast, switchFeatures},
	LimitLeaderFeatures:   {"TEAM-11", lead, switchFeatures | 1<<ActionSwitchMessage},
	LimitLeaderPhoto:      {"TEAM-25", lead, 1 << ActionChangePhoto},
	LimitPrivate:          {"GRP-20", coll, allActions},
	LimitLINERoom:         {"LINE-05", allStandings, 1 << ActionSource},
	LimitPartner:          {"DIR-18", allStandings, 1 << ActionPost},
	LimitNoNote:           {"FEA-01", allStandings, 1 << ActionUseNote},
	LimitNoEvent:          {"FEA-01", allStandings, useEvent},
	LimitNoTask:           {"FEA-01", allStandings, 1 << ActionUseTask},
	LimitNoFolder:         {"FEA-01", allStandings, useFolder},
	LimitNoMailingList:    {"FEA-01", allStandings, 1 << ActionUseMailingList},
}

// Rules is a compiled [Policy]: the matrix as bits. It is immutable.
type Rules struct {
	Policy  Policy
	cells   [ActionCount][KindCount]cell
	allowed [KindCount][standingCount]ActionSet
	narrows [ActionCount]Limits // which limits can take an action away
}

// NewRules compiles a policy.
func NewRules(policy Policy) *Rules {
	r := &Rules{Policy: policy, cells: matrix}
	if policy.ExternalGroupTask {
		r.cells[ActionSwitchTask][KindExternalGroup] = cell{mast | admn, "EXT-12"}
		r.cells[ActionUseTask][KindExternalGroup] = cell{part, "FEA-03"}
	}
	if policy.AdministratorsManageExternalMembers {
		r.cells[ActionInvite][KindExternalGroup].who |= admn
		r.cells[ActionRemove][KindExternalGroup].who |= admn
	}
	if policy.TeamPhotoByMembers {
		r.cells[ActionChangePhoto][KindTeam].who |= part
	}
	for act := range ActionCount {
		for lim := range limitCount {
			if conditions[lim].mask.Has(act) {
				r.narrows[act] |= 1 << lim
			}
		}
		for kind := range KindCount {
			for st := range Standing(standingCount) {
				if r.cells[act][kind].who&st != 0 {
					r.allowed[kind][st] |= 1 << act
				}
			}
		}
	}
	return r
}

// actions gives all that a standing may do in a kind of room under limits.
func (r *Rules) Actions(kind Kind, st Standing, lim Limits) ActionSet {
	if kind >= KindCount || st >= standingCount {
		return 0
	}
	set := r.allowed[kind][st]
	for ; lim != 0; lim &= lim - 1 {
		c := &conditions[firstLimit(lim)]
		set = set&^c.mask | set&c.mask&r.allowed[kind][st&^c.strip]
	}
	return set
}

// permits reports whether an action is allowed; kind, standing and action are
// known ones.
func (r *Rules) Permits(action Action, kind Kind, st Standing, lim Limits) bool {
	return inSet(r.allowed[kind][st], action) && (lim&r.narrows[action] == 0 || r.Actions(kind, st, lim).Has(action))
}

// forbids gives the rule that forbids an action and why, or "" if it is allowed.
func (r *Rules) Forbids(action Action, kind Kind, st Standing, lim Limits) (rule Rule, why string) {
	if action == ActionNone || action >= ActionCount || kind == KindNone || kind >= KindCount || st >= standingCount {
		return "COM-02", "unknown"
	}
	if r.Permits(action, kind, st, lim) {
		return "", ""
	}
	cell := r.cells[action][kind]
	if rule, ok := colleagueRules[action]; ok && st == StandingColleague {
		return rule, "only for those who belong to the group"
	}
	if cell.who == none {
		return cell.rule, "not possible there"
	}
	if cell.who&st == 0 {
		return cell.rule, "only as " + strings.ReplaceAll(cell.who.String(), ",", " or ")
	}
	for ; lim != 0; lim &= lim - 1 {
		c := &conditions[firstLimit(lim)]
		if c.mask.Has(action) && cell.who&st&^c.strip == 0 {
			return c.rule, limitNames[firstLimit(lim)]
		}
	}
	return cell.rule, "not allowed"
}

// Allowed gives what a standing may do in a kind of room when nothing narrows
// it: message on, all features on and granted, a public group.
func (r *Rules) Allowed(kind Kind, st Standing) ActionSet { return r.Actions(kind, st, 0) }

// RuleFor gives the rule that decides who may take an action in a kind of room.
func (r *Rules) RuleFor(action Action, kind Kind) Rule {
	if action >= ActionCount || kind >= KindCount {
		return ""
	}
	return r.cells[action][kind].rule
}

// Condition is a circumstance that takes actions away, and the rule that says so.
type Condition struct {
	Name    string
	Rule    Rule
	Whom    Standing // whose standing does not count then
	Actions ActionSet
}

var limitNames = [limitCount]string{
	"message is switched off", "the administrator does not allow the team room",
	"features are withheld from the masters", "features are not granted to the leader",
	"the photo is not granted to the leader", "the group is private", "LINE users take part",
	"a party of a 1:1 room lacks the permission", "Note is off", "Event is off", "Task is off",
	"Folder is off", "Mailing List is off",
}

// Conditions lists all circumstances that take actions away, in order of
// priority.
func Conditions() []Condition {
	list := make([]Condition, 0, limitCount)
	for i, c := range conditions {
		list = append(list, Condition{Name: limitNames[i], Rule: c.rule, Whom: c.strip, Actions: c.mask})
	}
	return list
}

// Kinds lists all kinds of rooms.
func Kinds() []Kind { return valuesUpTo(KindSelf, KindCount) }

// AllActions lists all actions.
func AllActions() []Action { return valuesUpTo(ActionEnter, ActionCount) }

// Causes lists all causes.
func Causes() []Cause { return valuesUpTo(CauseCreated, CauseCount) }

func valuesUpTo[E ~uint8](first, end E) []E {
	list := make([]E, 0, end-first)
	for v := first; v < end; v++ {
		list = append(list, v)
	}
	return list
}

func firstLimit(l Limits) Limit { return Limit(bits.TrailingZeros16(uint16(l))) }

func (st Standing) Has(one Standing) bool { return st&one != 0 }
