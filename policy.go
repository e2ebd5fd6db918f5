package roomkit

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/go-roomkit/roomkit/internal/enum"
)

// Action is something a person can do in a room. Commands ask for one or more
// actions; features such as posting are asked for with Service.Access.
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
	actionCount
)

var actionNames = [actionCount]string{
	"none", "enter", "post", "invite", "remove", "leave", "appoint_master", "dismiss_master", "rename",
	"change_photo", "describe", "switch_note", "switch_event", "switch_task", "switch_folder",
	"switch_mailing_list", "set_visibility", "switch_message", "share_history", "set_notification",
	"withhold_features", "delete_feature_data", "convert", "delete", "use_note", "use_event", "use_task",
	"use_folder", "use_mailing_list", "invite_attendees", "restrict_folder", "share_folder_links",
	"switch_file_notice", "recall_own", "recall_others", "source", "see_room", "see_members", "mail_members",
}

// String gives the stable name of the action, for instance "appoint_master".
func (a Action) String() string { return enum.Name(actionNames[:], a) }

// ActionSet is a set of actions, one bit each.
type ActionSet uint64

// Actions makes a set.
func Actions(as ...Action) ActionSet { return enum.SetOf[ActionSet](as...) }

// Has reports whether a is in the set. ActionNone and unknown actions never are.
func (s ActionSet) Has(a Action) bool { return a > ActionNone && a < actionCount && enum.Has(s, a) }

// String lists the names of the actions.
func (s ActionSet) String() string { return enum.Names[Action](s) }

const allActions = ActionSet(1<<actionCount-1) &^ 1

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

func (b standingBit) String() string { return enum.Name(standingNames[:], b) }

// Has reports whether one of the standings is in the set.
func (s Standing) Has(one Standing) bool { return s&one != 0 }

// String lists the names of the standings.
func (s Standing) String() string { return enum.Names[standingBit](s) }

// This file is the only one that says who may do what. For each kind of room a table
// names, for every action, the standings that may take it and the rule that forbids it
// to all others. Nobody may take an action that a table leaves out. Circumstances take actions
// away again. To forbid a right, change its line here.

// Policy holds the decisions on points that the rule book leaves open. Every
// field's zero value is the recommended decision.
type Policy struct {
	// ExternalGroupTask offers Task in external groups (EXT-06).
	ExternalGroupTask bool `json:"external_group_task,omitzero"`
	// ForeignMasters allows Group Masters of other companies in external groups (EXT-29).
	ForeignMasters bool `json:"foreign_masters,omitzero"`
	// AdministratorsManageExternalMembers lets administrators add and remove members of
	// external groups (ADM-10 against EXT-15).
	AdministratorsManageExternalMembers bool `json:"administrators_manage_external_members,omitzero"`
	// ConsumerRoomFeatures offers Note, Event, Task and Folder in rooms with consumers (LINE-07).
	ConsumerRoomFeatures bool `json:"consumer_room_features,omitzero"`
	// TeamPhotoByMembers lets any member change a team room's photo (TEAM-25).
	TeamPhotoByMembers bool `json:"team_photo_by_members,omitzero"`
	// AnyoneIsContact takes all outsiders for contacts (EXT-32, LINE-02).
	AnyoneIsContact bool `json:"anyone_is_contact,omitzero"`
	// CompanyMembersFromRooms keeps people of other companies and consumers out of rooms
	// of several people that are made from another room (CRE-29).
	CompanyMembersFromRooms bool `json:"company_members_from_rooms,omitzero"`
	// MaxParticipants limits rooms by their kind; 0 means no limit (LIM-07). Teams follow
	// the organisation chart whatever it is.
	MaxParticipants [kindCount]int64 `json:"max_participants,omitzero"`
	// MaxGroupsPerUser is 2,000 if it is 0 (LIM-02).
	MaxGroupsPerUser int64 `json:"max_groups_per_user,omitzero"`
	// LeaderTeamLimit is the size of the largest team whose leader may open the room; 100
	// if it is 0 (LIM-08).
	LeaderTeamLimit int64 `json:"leader_team_limit,omitzero"`
	// MessageOffPeriod is the time until the data of a switched-off room is deleted; 30
	// days if it is 0 (GRP-38).
	MessageOffPeriod time.Duration `json:"message_off_period,omitzero"`
}

// right says who may take an action in a kind of room, and which rule forbids it to
// everybody else.
type right struct {
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

type rights [actionCount]right

var matrix = [kindCount]rights{
	KindSelf: { // message to me
		ActionEnter:             {part, "SELF-01"},
		ActionPost:              {part, "SELF-01"},
		ActionInvite:            {none, "SELF-03"},
		ActionRemove:            {none, "SELF-01"},
		ActionLeave:             {none, "SELF-05"},
		ActionAppointMaster:     {none, "SELF-01"},
		ActionDismissMaster:     {none, "SELF-01"},
		ActionRename:            {none, "SELF-01"},
		ActionChangePhoto:       {none, "SELF-01"},
		ActionDescribe:          {none, "SELF-01"},
		ActionSwitchNote:        {none, "SELF-06"},
		ActionSwitchEvent:       {none, "SELF-06"},
		ActionSwitchTask:        {none, "SELF-06"},
		ActionSwitchFolder:      {none, "SELF-06"},
		ActionSwitchMailingList: {none, "SELF-06"},
		ActionSetVisibility:     {none, "SELF-06"},
		ActionSwitchMessage:     {none, "SELF-01"},
		ActionShareHistory:      {none, "SELF-01"},
		ActionSetNotification:   {none, "SELF-01"},
		ActionWithholdFeatures:  {none, "SELF-06"},
		ActionDeleteFeatureData: {none, "SELF-06"},
		ActionConvert:           {none, "SELF-03"},
		ActionDelete:            {none, "SELF-02"},
		ActionUseNote:           {none, "SELF-06"},
		ActionUseEvent:          {none, "SELF-06"},
		ActionUseTask:           {none, "SELF-06"},
		ActionUseFolder:         {none, "SELF-06"},
		ActionUseMailingList:    {none, "SELF-06"},
		ActionInviteAttendees:   {none, "SELF-06"},
		ActionRestrictFolder:    {none, "SELF-06"},
		ActionShareFolderLinks:  {none, "SELF-06"},
		ActionSwitchFileNotice:  {none, "SELF-06"},
		ActionRecallOwn:         {part, "SELF-01"},
		ActionRecallOthers:      {none, "SELF-01"},
		ActionSource:            {none, "SELF-04"},
		ActionSeeRoom:           {part, "SELF-01"},
		ActionSeeMembers:        {part, "SELF-01"},
		ActionMailMembers:       {none, "SELF-06"},
	},
	KindDirect: { // 1:1
		ActionEnter:             {part, "DIR-04"},
		ActionPost:              {part, "DIR-04"},
		ActionInvite:            {part, "GEN-02"},
		ActionRemove:            {none, "DIR-09"},
		ActionLeave:             {part, "DIR-03"},
		ActionAppointMaster:     {none, "GEN-34"},
		ActionDismissMaster:     {none, "GEN-34"},
		ActionRename:            {none, "DIR-08"},
		ActionChangePhoto:       {none, "DIR-19"},
		ActionDescribe:          {none, "DIR-19"},
		ActionSwitchNote:        {none, "DIR-10"},
		ActionSwitchEvent:       {none, "DIR-10"},
		ActionSwitchTask:        {none, "DIR-10"},
		ActionSwitchFolder:      {none, "DIR-10"},
		ActionSwitchMailingList: {none, "DIR-11"},
		ActionSetVisibility:     {none, "DIR-11"},
		ActionSwitchMessage:     {none, "GEN-34"},
		ActionShareHistory:      {none, "DIR-17"},
		ActionSetNotification:   {none, "NTF-04"},
		ActionWithholdFeatures:  {none, "DIR-10"},
		ActionDeleteFeatureData: {none, "DIR-10"},
		ActionConvert:           {none, "DIR-16"},
		ActionDelete:            {none, "DIR-05"},
		ActionUseNote:           {none, "DIR-10"},
		ActionUseEvent:          {none, "DIR-10"},
		ActionUseTask:           {none, "DIR-10"},
		ActionUseFolder:         {none, "DIR-10"},
		ActionUseMailingList:    {none, "DIR-11"},
		ActionInviteAttendees:   {none, "DIR-10"},
		ActionRestrictFolder:    {none, "DIR-10"},
		ActionShareFolderLinks:  {none, "DIR-10"},
		ActionSwitchFileNotice:  {none, "DIR-10"},
		ActionRecallOwn:         {part, "FEA-10"},
		ActionRecallOthers:      {none, "FEA-12"},
		ActionSource:            {none, "DIR-12"},
		ActionSeeRoom:           {part, "COM-02"},
		ActionSeeMembers:        {part, "COM-02"},
		ActionMailMembers:       {none, "DIR-11"},
	},
	KindGeneral: { // several people with equal rights
		ActionEnter:             {part, "COM-02"},
		ActionPost:              {part, "COM-02"},
		ActionInvite:            {part, "GEN-02"},
		ActionRemove:            {part, "GEN-05"},
		ActionLeave:             {part, "GEN-09"},
		ActionAppointMaster:     {none, "GEN-34"},
		ActionDismissMaster:     {none, "GEN-34"},
		ActionRename:            {part, "GEN-22"},
		ActionChangePhoto:       {part, "GEN-23"},
		ActionDescribe:          {part, "GEN-34"},
		ActionSwitchNote:        {none, "GEN-16"},
		ActionSwitchEvent:       {none, "GEN-17"},
		ActionSwitchTask:        {none, "GEN-19"},
		ActionSwitchFolder:      {none, "GEN-18"},
		ActionSwitchMailingList: {none, "GEN-20"},
		ActionSetVisibility:     {none, "GEN-21"},
		ActionSwitchMessage:     {none, "GEN-34"},
		ActionShareHistory:      {part, "GEN-26"},
		ActionSetNotification:   {none, "NTF-04"},
		ActionWithholdFeatures:  {none, "GEN-34"},
		ActionDeleteFeatureData: {none, "GEN-34"},
		ActionConvert:           {part, "GEN-31"},
		ActionDelete:            {none, "GEN-34"},
		ActionUseNote:           {part, "GEN-15"},
		ActionUseEvent:          {part, "GEN-15"},
		ActionUseTask:           {part, "GEN-15"},
		ActionUseFolder:         {part, "GEN-15"},
		ActionUseMailingList:    {none, "GEN-20"},
		ActionInviteAttendees:   {part, "FEA-04"},
		ActionRestrictFolder:    {none, "FEA-08"},
		ActionShareFolderLinks:  {part, "FEA-07"},
		ActionSwitchFileNotice:  {part, "FEA-09"},
		ActionRecallOwn:         {part, "FEA-10"},
		ActionRecallOthers:      {none, "FEA-12"},
		ActionSource:            {part, "CRE-28"},
		ActionSeeRoom:           {part, "COM-02"},
		ActionSeeMembers:        {part, "COM-02"},
		ActionMailMembers:       {none, "GEN-20"},
	},
	KindGroup: { // a group of one company
		ActionEnter:             {part, "GRP-11"},
		ActionPost:              {part, "GRP-11"},
		ActionInvite:            {mast | admn, "GRP-07"},
		ActionRemove:            {mast | admn, "GRP-07"},
		ActionLeave:             {none, "GRP-12"},
		ActionAppointMaster:     {mast | admn, "GRP-06"},
		ActionDismissMaster:     {mast | admn, "GRP-06"},
		ActionRename:            {mast | admn, "GRP-28"},
		ActionChangePhoto:       {part, "GRP-27"},
		ActionDescribe:          {mast | admn, "GRP-28"},
		ActionSwitchNote:        {mast | admn, "GRP-15"},
		ActionSwitchEvent:       {mast | admn, "GRP-15"},
		ActionSwitchTask:        {mast | admn, "GRP-15"},
		ActionSwitchFolder:      {mast | admn, "GRP-15"},
		ActionSwitchMailingList: {mast | admn, "GRP-16"},
		ActionSetVisibility:     {mast | admn, "GRP-18"},
		ActionSwitchMessage:     {mast | admn, "GRP-38"},
		ActionShareHistory:      {mast, "GRP-26"},
		ActionSetNotification:   {mast | admn, "NTF-04"},
		ActionWithholdFeatures:  {admn, "GRP-31"},
		ActionDeleteFeatureData: {mast | admn, "GRP-15"},
		ActionConvert:           {none, "GRP-44"},
		ActionDelete:            {mast | admn, "GRP-41"},
		ActionUseNote:           {part, "GRP-11"},
		ActionUseEvent:          {part, "GRP-11"},
		ActionUseTask:           {part, "GRP-11"},
		ActionUseFolder:         {part, "GRP-11"},
		ActionUseMailingList:    {part, "GRP-16"},
		ActionInviteAttendees:   {part, "GRP-11"},
		ActionRestrictFolder:    {mast, "FEA-08"},
		ActionShareFolderLinks:  {mast, "FEA-07"},
		ActionSwitchFileNotice:  {part, "FEA-09"},
		ActionRecallOwn:         {part, "FEA-10"},
		ActionRecallOthers:      {mast, "FEA-11"},
		ActionSource:            {part, "CRE-28"},
		ActionSeeRoom:           {part | mast | admn | coll, "GRP-20"},
		ActionSeeMembers:        {part | mast | admn | coll, "GRP-20"},
		ActionMailMembers:       {part | mast | admn | coll, "GRP-22"},
	},
	KindExternalGroup: { // a group of several companies: managing members is the masters' right (EXT-14)
		ActionEnter:             {part, "EXT-19"},
		ActionPost:              {part, "EXT-19"},
		ActionInvite:            {mast, "EXT-15"},
		ActionRemove:            {mast, "EXT-16"},
		ActionLeave:             {none, "EXT-17"},
		ActionAppointMaster:     {mast | admn, "EXT-13"},
		ActionDismissMaster:     {mast | admn, "EXT-13"},
		ActionRename:            {mast | admn, "EXT-46"},
		ActionChangePhoto:       {part, "EXT-46"},
		ActionDescribe:          {mast | admn, "EXT-12"},
		ActionSwitchNote:        {mast | admn, "EXT-12"},
		ActionSwitchEvent:       {mast | admn, "EXT-12"},
		ActionSwitchTask:        {none, "EXT-06"},
		ActionSwitchFolder:      {mast | admn, "EXT-12"},
		ActionSwitchMailingList: {none, "EXT-07"},
		ActionSetVisibility:     {none, "EXT-10"},
		ActionSwitchMessage:     {mast | admn, "EXT-12"},
		ActionShareHistory:      {mast, "EXT-42"},
		ActionSetNotification:   {mast | admn, "EXT-12"},
		ActionWithholdFeatures:  {none, "EXT-11"},
		ActionDeleteFeatureData: {mast | admn, "EXT-12"},
		ActionConvert:           {none, "EXT-44"},
		ActionDelete:            {mast | admn, "GRP-41"},
		ActionUseNote:           {part, "EXT-05"},
		ActionUseEvent:          {part, "EXT-05"},
		ActionUseTask:           {none, "EXT-06"},
		ActionUseFolder:         {part, "EXT-05"},
		ActionUseMailingList:    {none, "EXT-07"},
		ActionInviteAttendees:   {none, "EXT-38"},
		ActionRestrictFolder:    {none, "EXT-39"},
		ActionShareFolderLinks:  {mast, "FEA-07"},
		ActionSwitchFileNotice:  {part, "FEA-09"},
		ActionRecallOwn:         {part, "FEA-10"},
		ActionRecallOthers:      {mast, "FEA-11"},
		ActionSource:            {none, "EXT-40"},
		ActionSeeRoom:           {part | mast | admn, "EXT-09"},
		ActionSeeMembers:        {part | mast | admn, "EXT-09"},
		ActionMailMembers:       {none, "EXT-07"},
	},
	KindTeam: { // follows the organisation chart
		ActionEnter:             {part, "COM-02"},
		ActionPost:              {part, "COM-02"},
		ActionInvite:            {none, "TEAM-08"},
		ActionRemove:            {none, "TEAM-08"},
		ActionLeave:             {none, "TEAM-06"},
		ActionAppointMaster:     {none, "TEAM-08"},
		ActionDismissMaster:     {none, "TEAM-08"},
		ActionRename:            {none, "TEAM-09"},
		ActionChangePhoto:       {lead | admn, "TEAM-25"},
		ActionDescribe:          {admn, "TEAM-10"},
		ActionSwitchNote:        {lead | admn, "TEAM-10"},
		ActionSwitchEvent:       {lead | admn, "TEAM-10"},
		ActionSwitchTask:        {lead | admn, "TEAM-10"},
		ActionSwitchFolder:      {lead | admn, "TEAM-10"},
		ActionSwitchMailingList: {lead | admn, "TEAM-15"},
		ActionSetVisibility:     {admn, "TEAM-15"},
		ActionSwitchMessage:     {lead | admn, "TEAM-10"},
		ActionShareHistory:      {lead, "TEAM-14"},
		ActionSetNotification:   {lead | admn, "TEAM-12"},
		ActionWithholdFeatures:  {none, "TEAM-11"},
		ActionDeleteFeatureData: {lead | admn, "TEAM-13"},
		ActionConvert:           {none, "TEAM-01"},
		ActionDelete:            {admn, "TEAM-04"},
		ActionUseNote:           {part, "FEA-01"},
		ActionUseEvent:          {part, "FEA-04"},
		ActionUseTask:           {part, "FEA-03"},
		ActionUseFolder:         {part, "FEA-06"},
		ActionUseMailingList:    {part, "TEAM-15"},
		ActionInviteAttendees:   {part, "FEA-04"},
		ActionRestrictFolder:    {lead, "FEA-08"},
		ActionShareFolderLinks:  {lead, "FEA-07"},
		ActionSwitchFileNotice:  {part, "FEA-09"},
		ActionRecallOwn:         {part, "FEA-10"},
		ActionRecallOthers:      {lead, "FEA-11"},
		ActionSource:            {part, "CRE-28"},
		ActionSeeRoom:           {part | lead | admn, "TEAM-27"},
		ActionSeeMembers:        {part | lead | admn, "TEAM-27"},
		ActionMailMembers:       {part | lead | admn, "FEA-17"},
	},
}

// colleagueRules are the rules that refuse a colleague who found a public group.
var colleagueRules = map[Action]Rule{
	ActionEnter: "GRP-21", ActionPost: "GRP-21", ActionInvite: "GRP-25", ActionLeave: "COM-08",
}

// Circumstance is something about a room that takes actions away, and the rule that
// says so.
type Circumstance struct {
	Name    string    `json:"name,omitzero"`
	Rule    Rule      `json:"rule,omitzero"`
	Whom    Standing  `json:"whom,omitzero"`    // these standings do not count then …
	Actions ActionSet `json:"actions,omitzero"` // … for these actions
}

// The circumstances stand in order of priority: the first that takes an action away
// gives the rule of the refusal.
const (
	messageOff = iota
	teamRoomOff
	featuresWithheld
	leaderFeatures
	leaderPhoto
	private
	consumerRoom
	unpermitted
	noNote // and one for each other feature, in the order of the features
	noEvent
	noTask
	noFolder
	noMailingList
	circumstanceCount
)

const (
	switchFeatures = ActionSet(1<<ActionSwitchNote | 1<<ActionSwitchEvent | 1<<ActionSwitchTask |
		1<<ActionSwitchFolder | 1<<ActionSwitchMailingList)
	useEvent  = ActionSet(1<<ActionUseEvent | 1<<ActionInviteAttendees)
	useFolder = ActionSet(1<<ActionUseFolder | 1<<ActionRestrictFolder | 1<<ActionShareFolderLinks |
		1<<ActionSwitchFileNotice)
	useFeatures = ActionSet(1<<ActionUseNote|1<<ActionUseTask|1<<ActionUseMailingList) | useEvent | useFolder
	useRoom     = ActionSet(1<<ActionEnter|1<<ActionPost|1<<ActionRecallOwn|1<<ActionRecallOthers|
		1<<ActionSource) | useFeatures
)

var circumstances = [circumstanceCount]Circumstance{
	messageOff:       {"message is switched off", "GRP-38", allStandings, useRoom | switchFeatures},
	teamRoomOff:      {"the administrator does not allow the team room", "TEAM-04", allStandings, useRoom | switchFeatures},
	featuresWithheld: {"features are withheld from the masters", "GRP-31", mast, switchFeatures},
	leaderFeatures:   {"features are not granted to the leader", "TEAM-11", lead, switchFeatures | 1<<ActionSwitchMessage},
	leaderPhoto:      {"the photo is not granted to the leader", "TEAM-25", lead, 1 << ActionChangePhoto},
	private:          {"the group is private", "GRP-20", coll, allActions},
	consumerRoom:     {"consumers take part", "LINE-05", allStandings, 1 << ActionSource},
	unpermitted:      {"a party of a 1:1 room lacks the permission", "DIR-18", allStandings, 1 << ActionPost},
	noNote:           {"Note is off", "FEA-01", allStandings, 1 << ActionUseNote},
	noEvent:          {"Event is off", "FEA-01", allStandings, useEvent},
	noTask:           {"Task is off", "FEA-01", allStandings, 1 << ActionUseTask},
	noFolder:         {"Folder is off", "FEA-01", allStandings, useFolder},
	noMailingList:    {"Mailing List is off", "FEA-01", allStandings, 1 << ActionUseMailingList},
}

// Circumstances lists all circumstances, in order of priority.
func Circumstances() []Circumstance { return slices.Clone(circumstances[:]) }

// holding is a set of circumstances, one bit each.
type holding uint16

func (h *holding) add(circumstance int, holds bool) {
	if holds {
		*h |= 1 << circumstance
	}
}

// first gives the circumstance of the highest priority.
func (h holding) first() *Circumstance { return &circumstances[bits.TrailingZeros16(uint16(h))] }

// holds gathers the circumstances of a room.
func (r *Rules) holds(room *Room, team *Team, barred bool) (h holding) {
	h.add(messageOff, !room.MessageOffSince.IsZero())
	h.add(featuresWithheld, room.FeaturesWithheld)
	if room.Kind == KindTeam {
		h.add(teamRoomOff, !team.Room)
		h.add(leaderFeatures, !team.Features)
		h.add(leaderPhoto, !team.Photo)
	}
	h.add(private, !room.Public)
	h.add(consumerRoom, room.Consumers > 0)
	h.add(unpermitted, barred)
	off := AllFeatures &^ (room.Features & r.Offered(room.Kind, room.Consumers))
	return h | holding(off)<<noNote
}

// Rules is a compiled [Policy]: the tables as bits. It is immutable.
type Rules struct {
	Policy  Policy
	rights  [kindCount]rights
	allowed [kindCount][standingCount]ActionSet
	narrows [actionCount]holding // which circumstances can take an action away
}

// NewRules compiles a policy.
func NewRules(policy Policy) *Rules {
	r := &Rules{Policy: policy, rights: matrix}
	external, team := &r.rights[KindExternalGroup], &r.rights[KindTeam]
	if policy.ExternalGroupTask {
		external[ActionSwitchTask] = right{mast | admn, "EXT-12"}
		external[ActionUseTask] = right{part, "FEA-03"}
	}
	if policy.AdministratorsManageExternalMembers {
		external[ActionInvite].who |= admn
		external[ActionRemove].who |= admn
	}
	if policy.TeamPhotoByMembers {
		team[ActionChangePhoto].who |= part
	}
	for action := range actionCount {
		for i := range circumstances {
			r.narrows[action].add(i, circumstances[i].Actions.Has(action))
		}
		for kind := range kindCount {
			for st := range Standing(standingCount) {
				if r.rights[kind][action].who&st != 0 {
					r.allowed[kind][st] |= 1 << action
				}
			}
		}
	}
	return r
}

// Offered gives the features that rooms of a kind have at all (GEN-15, GEN-20, EXT-06,
// EXT-07, DIR-10, DIR-11, SELF-06, TEAM-15, GRP-16).
func (r *Rules) Offered(kind Kind, consumers int64) FeatureSet {
	const task = FeatureSet(1 << FeatureTask)
	const ground = task | 1<<FeatureNote | 1<<FeatureEvent | 1<<FeatureFolder
	switch kind {
	case KindGeneral:
		if consumers > 0 && !r.Policy.ConsumerRoomFeatures {
			return 0
		}
		return ground
	case KindGroup, KindTeam:
		return AllFeatures
	case KindExternalGroup:
		if r.Policy.ExternalGroupTask {
			return ground
		}
		return ground &^ task
	}
	return 0
}

// Actions gives all that somebody with a standing may do in a room. The team is that of
// a Team room. Barred says that a party of a 1:1 room lacks the permission to talk with
// the other (DIR-18).
func (r *Rules) Actions(room *Room, team *Team, st Standing, barred bool) ActionSet {
	return r.actions(room.Kind, st, r.holds(room, team, barred))
}

func (r *Rules) actions(kind Kind, st Standing, h holding) ActionSet {
	if kind >= kindCount || st >= standingCount {
		return 0
	}
	set := r.allowed[kind][st]
	for ; h != 0; h &= h - 1 {
		c := h.first()
		set = set&^c.Actions | set&c.Actions&r.allowed[kind][st&^c.Whom]
	}
	return set
}

// permits reports whether an action is allowed; kind, standing and action are known ones.
func (r *Rules) permits(action Action, kind Kind, st Standing, h holding) bool {
	return enum.Has(r.allowed[kind][st], action) && (h&r.narrows[action] == 0 || r.actions(kind, st, h).Has(action))
}

// Forbids gives the rule that forbids an action in a room and why, or "" if it is
// allowed. What no table and no circumstance speaks of is forbidden by COM-02. See
// [Rules.Actions].
func (r *Rules) Forbids(action Action, room *Room, team *Team, st Standing, barred bool) (rule Rule, why string) {
	kind := room.Kind
	if action == ActionNone || action >= actionCount || kind == KindNone || kind >= kindCount || st >= standingCount {
		return "COM-02", "unknown"
	}
	h := r.holds(room, team, barred)
	if r.permits(action, kind, st, h) {
		return "", ""
	}
	rule, why = r.refusal(action, kind, st, h)
	return cmp.Or(rule, "COM-02"), why
}

func (r *Rules) refusal(action Action, kind Kind, st Standing, h holding) (rule Rule, why string) {
	right := r.rights[kind][action]
	if rule, ok := colleagueRules[action]; ok && st == StandingColleague {
		return rule, "only for those who belong to the group"
	}
	if right.who == none {
		return right.rule, "not possible there"
	}
	if right.who&st == 0 {
		return right.rule, "only as " + strings.ReplaceAll(right.who.String(), ",", " or ")
	}
	for ; h != 0; h &= h - 1 {
		if c := h.first(); c.Actions.Has(action) && right.who&st&^c.Whom == 0 {
			return c.Rule, c.Name
		}
	}
	return right.rule, "not allowed"
}

// Allowed gives what a standing may do in a kind of room in the best circumstances:
// message on, all features on and granted, a public group.
func (r *Rules) Allowed(kind Kind, st Standing) ActionSet { return r.actions(kind, st, 0) }

// RuleFor gives the rule that decides who may take an action in a kind of room.
func (r *Rules) RuleFor(action Action, kind Kind) Rule {
	if action >= actionCount || kind >= kindCount {
		return ""
	}
	return r.rights[kind][action].rule
}

// Denied says which rule forbids a command. errors.Is(err, ErrDenied) holds.
type Denied struct {
	Rule     Rule     `json:"rule,omitzero"`     // the rule that forbids
	Action   Action   `json:"action,omitzero"`   // what was asked for; ActionNone where no single action fits
	Actor    Actor    `json:"actor,omitzero"`    // who asked
	Room     RoomID   `json:"room,omitzero"`     // the room concerned; zero when a new room was refused
	Kind     Kind     `json:"kind,omitzero"`     // of that room, where Action is refused to all who stand there as Actor does
	Standing Standing `json:"standing,omitzero"` // of Actor, where Kind is given
	People   []UserID `json:"people,omitempty"`  // the people because of whom, in byte order; may be empty
	Reason   string   `json:"reason,omitzero"`   // a short English explanation, not meant for parsing

	// Against has, where people are the reason, every person of the command with each
	// rule against them, not only those of Rule: by user, in byte order, Rule's first. It
	// is empty where the command is refused whomever it names.
	Against []Refusal `json:"against,omitempty"`
}

// Refusal is one rule against one person.
type Refusal struct {
	User   UserID `json:"user,omitzero"` // empty: the rule is about the room as a whole
	Rule   Rule   `json:"rule,omitzero"`
	Reason string `json:"reason,omitzero"` // a short English explanation, not meant for parsing
}

// String gives the person and the rule.
func (r Refusal) String() string { return string(r.User) + " " + string(r.Rule) }

// Choice says whether somebody can be chosen for a command, as Service.Choose answers.
type Choice struct {
	User UserID `json:"user,omitzero"`
	// Against has every rule that stands against choosing the user. Mostly it is about
	// the user; where the user does not fit in with somebody chosen before, or the actor
	// lacks a permission, it is about them. Empty: the user can be chosen.
	Against []Refusal `json:"against,omitempty"`
	// Already says that the user is what the command would make of them: takes part in
	// the room, or manages it. Naming them changes nothing.
	Already bool `json:"already,omitzero"`
}

// Error gives the rule and the reason.
func (d *Denied) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "denied by %s: ", d.Rule)
	if d.Kind != KindNone {
		fmt.Fprintf(&b, "%s in a room of kind %s: ", d.Action, d.Kind)
	}
	b.WriteString(d.Reason)
	if len(d.People) > 0 {
		fmt.Fprintf(&b, " %v", d.People)
	}
	return b.String()
}

// Unwrap makes a Denied an [ErrDenied].
func (d *Denied) Unwrap() error { return ErrDenied }

// Kinds lists all kinds of rooms.
func Kinds() []Kind { return enum.Values(KindSelf) }

// AllActions lists all actions.
func AllActions() []Action { return enum.Values(ActionEnter) }
