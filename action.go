package roomkit

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
func (a Action) String() string { return enumName(actionNames[:], int(a)) }

// ActionSet is a set of actions, one bit each.
type ActionSet uint64

// Actions makes a set.
func Actions(as ...Action) ActionSet { return setOf[ActionSet](as...) }

// Has reports whether a is in the set. ActionNone and unknown actions never are.
func (s ActionSet) Has(a Action) bool { return a > ActionNone && a < actionCount && inSet(s, a) }

// String lists the names of the actions.
func (s ActionSet) String() string { return setString[Action](s) }

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

func (b standingBit) String() string { return enumName(standingNames[:], int(b)) }

// String lists the names of the standings.
func (s Standing) String() string { return setString[standingBit](s) }
