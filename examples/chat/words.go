package main

import (
	"context"
	"errors"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// actionWords say what somebody would do, for a sentence that begins with who can.
var actionWords = map[roomkit.Action]string{
	roomkit.ActionPost:              "write",
	roomkit.ActionInvite:            "invite people",
	roomkit.ActionRemove:            "remove people",
	roomkit.ActionLeave:             "leave by themselves",
	roomkit.ActionAppointMaster:     "make Group Masters",
	roomkit.ActionDismissMaster:     "end the role of a Group Master",
	roomkit.ActionRename:            "change the name",
	roomkit.ActionChangePhoto:       "change the photo",
	roomkit.ActionDescribe:          "change the description",
	roomkit.ActionSwitchNote:        "switch Note on and off",
	roomkit.ActionSwitchEvent:       "switch Event on and off",
	roomkit.ActionSwitchTask:        "switch Task on and off",
	roomkit.ActionSwitchFolder:      "switch Folder on and off",
	roomkit.ActionSwitchMailingList: "switch the mailing list on and off",
	roomkit.ActionSetVisibility:     "make it public or private",
	roomkit.ActionSwitchMessage:     "switch message on and off",
	roomkit.ActionShareHistory:      "let newcomers read earlier messages",
	roomkit.ActionSetNotification:   "switch group notification",
	roomkit.ActionWithholdFeatures:  "withhold the features",
	roomkit.ActionConvert:           "turn it into a group",
	roomkit.ActionDelete:            "delete the room",
	roomkit.ActionSource:            "take its people along into a new room",
	roomkit.ActionSeeMembers:        "see who is in it",
}

var inKinds = map[roomkit.Kind]string{
	roomkit.KindSelf: "a room of messages to oneself", roomkit.KindDirect: "a 1:1 room", roomkit.KindGeneral: "a room without masters",
	roomkit.KindGroup: "a group", roomkit.KindExternalGroup: "an external group", roomkit.KindTeam: "a team's room",
}

// problemOf is the problem of an error. Where who may do something is a matter of the kind
// of room, it says who in the words of people.
func (c *chat) problemOf(ctx context.Context, err error) *problem {
	p, denied := problemOf(err), (*roomkit.Denied)(nil)
	if !errors.As(err, &denied) || denied.Rule == ruleEnded || denied.Kind == roomkit.KindNone || c.svc.Rules().Allowed(denied.Kind, denied.Standing).Has(denied.Action) {
		return p // what stands against it is not what the room and the actor are
	}
	if words := actionWords[denied.Action]; words != "" {
		p.Detail = c.whoCan(denied.Action, denied.Kind, words, inKinds[denied.Kind])
	}
	if denied.Action == roomkit.ActionLeave {
		p.Detail += c.wayOut(ctx, denied)
	}
	return p
}

func (c *chat) whoCan(action roomkit.Action, kind roomkit.Kind, words, in string) string {
	text := "In " + in + " nobody can " + words + "."
	if who := c.who(action, kind); len(who) > 0 {
		text = "In " + in + " only " + joinWords(who) + " can " + words + "."
	}
	return text
}

// wayOut says how somebody who cannot leave gets out of a room, as it is managed now.
func (c *chat) wayOut(ctx context.Context, denied *roomkit.Denied) string {
	who := c.who(roomkit.ActionRemove, denied.Kind)
	if len(who) == 0 {
		return ""
	}
	me := denied.Actor.User()
	facts, err := store.Ask(ctx, c.svc.Store(), []store.Need{{Room: denied.Room, People: []roomkit.UserID{me}}})
	if err != nil {
		return ""
	}
	master, room := false, &facts[0].Room
	for _, m := range facts[0].Members {
		master = master || m.User == me && m.Master
	}
	administrators := c.svc.Rules().Allowed(denied.Kind, roomkit.StandingAdministrator)
	switch {
	case master && room.Masters == 1:
		return " Nobody else is a Group Master: make somebody one first. Then you can remove yourself."
	case master:
		return " To go, remove yourself: as a Group Master you can."
	case room.Masters == 0 && administrators.Has(roomkit.ActionRemove):
		return " Nobody manages it. To go, ask the owner's administrators to remove you."
	case room.Masters == 0:
		return " Nobody manages it. To go, ask the owner's administrators to name a Group Master, who can remove you."
	}
	return " To go, ask " + strings.ReplaceAll(joinWords(who), " and ", " or ") + " to remove you."
}

// who are those who can do something in a kind of room, in words.
func (c *chat) who(action roomkit.Action, kind roomkit.Kind) (who []string) {
	for _, s := range standings {
		if c.svc.Rules().Allowed(kind, s.standing).Has(action) {
			who = append(who, s.words)
		}
	}
	return who
}
