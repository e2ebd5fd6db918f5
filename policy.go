package roomkit

import (
	"strings"
	"time"
)

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
	MaxParticipants                     [kindCount]int64 // by Kind; 0 means no limit (LIM-07); teams follow the organisation chart whatever it is
	MaxGroupsPerUser                    int64            // 0 means 2,000 (LIM-02)
	LeaderTeamLimit                     int64            // largest team whose leader may open the room; 0 means 100 (LIM-08)
	MessageOffPeriod                    time.Duration    // until a switched-off room's data is deleted; 0 means 30 days (GRP-38)
}

func (p Policy) maxGroupsPerUser() int64 { return orDefault(p.MaxGroupsPerUser, 2000) }
func (p Policy) leaderTeamLimit() int64  { return orDefault(p.LeaderTeamLimit, 100) }
func (p Policy) messageOffPeriod() time.Duration {
	return orDefault(p.MessageOffPeriod, 30*24*time.Hour)
}
func (c *Company) maxGroups() int64            { return orDefault(c.MaxGroups, 100_000) }
func (c *Company) recallWindow() time.Duration { return orDefault(c.RecallWindow, 24*time.Hour) }

func orDefault[T int64 | time.Duration](v, def T) T {
	if v == 0 {
		return def
	}
	return v
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
var matrix = [actionCount][kindCount]cell{
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
type limit uint8

const (
	limitMessageOff       limit = iota // message is switched off
	limitTeamRoomOff                   // the administrator does not allow the team room
	limitFeaturesWithheld              // from the masters
	limitLeaderFeatures                // not granted to the leader
	limitLeaderPhoto                   // not granted to the leader
	limitPrivate                       // not found by colleagues
	limitLINERoom                      // LINE users take part
	limitPartner                       // the other party of a 1:1 room, or the own side, lacks the permission
	limitNoNote
	limitNoEvent
	limitNoTask
	limitNoFolder
	limitNoMailingList
	limitCount
)

type limits uint16

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
	limitMessageOff:       {"GRP-38", allStandings, useRoom | switchFeatures},
	limitTeamRoomOff:      {"TEAM-04", allStandings, useRoom | switchFeatures},
	limitFeaturesWithheld: {"GRP-31", mast, switchFeatures},
	limitLeaderFeatures:   {"TEAM-11", lead, switchFeatures | 1<<ActionSwitchMessage},
	limitLeaderPhoto:      {"TEAM-25", lead, 1 << ActionChangePhoto},
	limitPrivate:          {"GRP-20", coll, allActions},
	limitLINERoom:         {"LINE-05", allStandings, 1 << ActionSource},
	limitPartner:          {"DIR-18", allStandings, 1 << ActionPost},
	limitNoNote:           {"FEA-01", allStandings, 1 << ActionUseNote},
	limitNoEvent:          {"FEA-01", allStandings, useEvent},
	limitNoTask:           {"FEA-01", allStandings, 1 << ActionUseTask},
	limitNoFolder:         {"FEA-01", allStandings, useFolder},
	limitNoMailingList:    {"FEA-01", allStandings, 1 << ActionUseMailingList},
}

// Rules is a compiled [Policy]: the matrix as bits. It is immutable.
type Rules struct {
	policy  Policy
	cells   [actionCount][kindCount]cell
	allowed [kindCount][standingCount]ActionSet
	narrows [actionCount]limits // which limits can take an action away
}

// NewRules compiles a policy.
func NewRules(policy Policy) *Rules {
	r := &Rules{policy: policy, cells: matrix}
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
	for act := range actionCount {
		for lim := range limitCount {
			if conditions[lim].mask.Has(act) {
				r.narrows[act] |= 1 << lim
			}
		}
		for kind := range kindCount {
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
func (r *Rules) actions(kind Kind, st Standing, lim limits) ActionSet {
	if kind >= kindCount || st >= standingCount {
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
func (r *Rules) permits(action Action, kind Kind, st Standing, lim limits) bool {
	return inSet(r.allowed[kind][st], action) && (lim&r.narrows[action] == 0 || r.actions(kind, st, lim).Has(action))
}

// forbids gives the rule that forbids an action and why, or "" if it is allowed.
func (r *Rules) forbids(action Action, kind Kind, st Standing, lim limits) (rule Rule, why string) {
	if action == ActionNone || action >= actionCount || kind == KindNone || kind >= kindCount || st >= standingCount {
		return "COM-02", "unknown"
	}
	if r.permits(action, kind, st, lim) {
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
func (r *Rules) Allowed(kind Kind, st Standing) ActionSet { return r.actions(kind, st, 0) }

// RuleFor gives the rule that decides who may take an action in a kind of room.
func (r *Rules) RuleFor(action Action, kind Kind) Rule {
	if action >= actionCount || kind >= kindCount {
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
func Kinds() []Kind { return valuesUpTo(KindSelf, kindCount) }

// AllActions lists all actions.
func AllActions() []Action { return valuesUpTo(ActionEnter, actionCount) }

// Causes lists all causes.
func Causes() []Cause { return valuesUpTo(CauseCreated, causeCount) }

func valuesUpTo[E ~uint8](first, end E) []E {
	list := make([]E, 0, end-first)
	for v := first; v < end; v++ {
		list = append(list, v)
	}
	return list
}
