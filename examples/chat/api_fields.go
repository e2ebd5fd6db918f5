package main

import (
	"fmt"

	"github.com/go-roomkit/roomkit"
)

// takes are the words that a field takes which does not take all of its type.
var takes = map[string][]any{
	"Convert.to":                 words(roomkit.KindGroup, roomkit.KindExternalGroup),
	"CreateRoom.origin":          words(roomkit.OriginPicker, roomkit.OriginEvent, roomkit.OriginMail, roomkit.OriginRoom),
	"DeleteFeatureData.features": words(roomkit.FeatureNote, roomkit.FeatureEvent, roomkit.FeatureFolder),
	"Expel.cause":                words(roomkit.CausePermission, roomkit.CauseAccount),
	"SetCompanyMessaging.with":   words(roomkit.OutsiderPartner, roomkit.OutsiderConsumer),
	"SetUserMessaging.with":      words(roomkit.OutsiderPartner, roomkit.OutsiderConsumer),
	"User.kind":                  words(roomkit.UserMember, roomkit.UserConsumer, roomkit.UserBot),
	"User.status":                words(roomkit.StatusActive, roomkit.StatusSuspended, roomkit.StatusDeleted),
}

func words[E fmt.Stringer](list ...E) (words []any) {
	for _, word := range list {
		words = append(words, word.String())
	}
	return words
}

// required are the fields without which a command is refused.
var required = map[string][]string{
	"OpenDirect": {"with"}, "CreateRoom": {"people"}, "CreateGroup": {"name"}, "CreateExternalGroup": {"name"},
	"OpenTeamRoom": {"team"}, "Convert": {"room", "to"}, "DeleteRoom": {"room"},
	"Invite": {"room", "people"}, "Remove": {"room", "people"}, "Leave": {"room"}, "Expel": {"room", "people", "cause"},
	"AppointMasters": {"room", "people"}, "DismissMasters": {"room", "people"}, "HandOver": {"room", "to"},
	"Edit": {"room"}, "DeleteFeatureData": {"room", "features"},
	"AddCompany": {"company"}, "EditCompany": {"company"}, "SetCompanyMessaging": {"company", "with", "mode"},
	"AddUser": {"user"}, "EditUser": {"user"}, "SetUserMessaging": {"user", "with", "allow"},
	"SuspendUser": {"user"}, "DeleteUser": {"user"}, "RestoreUser": {"user"},
	"SyncTeam": {"team", "name"}, "EditTeam": {"team"},
}

// fields say what a field of a command means: by its name alone, or after that of the command.
var fields = map[string]string{
	"command":                    "what to do",
	"room":                       "the room's id, a UUID",
	"company":                    "the company's id; where it is not required, that of who asks",
	"team":                       "the team's id, among those of its company",
	"user":                       "the person's id",
	"people":                     "ids of the people whom it is about",
	"members":                    "ids of those who take part",
	"masters":                    "ids of the Group Masters; who creates it is one",
	"for_others":                 "who creates it does not take part",
	"name":                       "the name that everybody sees",
	"description":                "the description that everybody sees",
	"photo":                      "the host's reference to a picture",
	"settings":                   "how a new group is set up",
	"allow_duplicate":            "make a new room though there is one with the same people",
	"audience":                   "with whom: members of the company only, or external users too",
	"existing":                   "a room that was offered, to be used instead of a new one",
	"origin":                     "where the people were chosen",
	"source":                     "the id of a room whose people come along",
	"title":                      "of the event or the mail, as the room's name",
	"features":                   "the features",
	"cause":                      "why they go",
	"seq":                        "a number that grows with each state of the chart: an older state changes nothing",
	"leader":                     "the id of the person who leads the team",
	"administrator":              "administers the company",
	"allow":                      "give the permission, or withdraw it",
	"lift":                       "lift the block instead",
	"licensed":                   "has a licence",
	"max_groups":                 "how many groups it may have",
	"members_create_groups":      "every member may create groups",
	"recall_window":              "how long own messages can be recalled",
	"mode":                       "who of the company may talk with them",
	"with":                       "with whom: users of other companies, or consumers",
	"preset":                     "the features that a new room of the team has",
	"notify":                     "group notification",
	"public":                     "others of the company find the group",
	"message":                    "messages can be written",
	"history_sharing":            "newcomers read what was said before",
	"note":                       "Note is on",
	"event":                      "Event is on",
	"task":                       "Task is on",
	"folder":                     "Folder is on",
	"mailing_list":               "the mailing list is on",
	"withhold_features":          "withhold the features from those who take part",
	"OpenDirect.with":            "the id of the other person",
	"Convert.to":                 "the kind that the room becomes",
	"HandOver.to":                "the id of the new Group Master",
	"Invite.name":                "of the room that opens where this one cannot take the people in",
	"AddCompany.company":         "the company",
	"AddUser.user":               "the person",
	"EditTeam.room":              "the team may have a room",
	"EditTeam.features":          "the leader switches the features",
	"EditTeam.photo":             "the leader changes the photo",
	"DeleteFeatureData.features": "the features whose data goes",
}
