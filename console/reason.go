package console

import (
	"cmp"
	"slices"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/why"
	"github.com/go-roomkit/roomkit/store"
)

// places name the kinds of rooms in a sentence.
var places = map[roomkit.Kind]string{
	roomkit.KindSelf: "a room of one's own", roomkit.KindDirect: "a 1:1 room", roomkit.KindGeneral: "a general room",
	roomkit.KindGroup: "a group", roomkit.KindExternalGroup: "an external group", roomkit.KindTeam: "a team room",
}

// bearers name those who have a standing, in the order of standings.
var bearers = []string{"those who take part", "Group Masters", "the leader of the team", "administrators", "colleagues"}

// deeds name the actions in a sentence, with the kind of room, or in it; the others by their own
// names.
var deeds = map[roomkit.Action]string{
	roomkit.ActionEnter: "enter %s", roomkit.ActionLeave: "leave %s",
	roomkit.ActionInvite: "invite people into %s", roomkit.ActionRemove: "remove people from %s", roomkit.ActionAppointMaster: "appoint Group Masters",
	roomkit.ActionDismissMaster: "dismiss Group Masters", roomkit.ActionRename: "change the name of %s", roomkit.ActionChangePhoto: "change the photo of %s",
	roomkit.ActionDescribe: "change the description of %s", roomkit.ActionSwitchNote: "switch Note", roomkit.ActionSwitchEvent: "switch Event",
	roomkit.ActionSwitchTask: "switch Task", roomkit.ActionSwitchFolder: "switch Folder", roomkit.ActionSwitchMailingList: "switch Mailing List",
	roomkit.ActionSetVisibility: "make %s public or private", roomkit.ActionSwitchMessage: "switch Message", roomkit.ActionShareHistory: "share the history of %s",
	roomkit.ActionSetNotification: "set the group notification", roomkit.ActionWithholdFeatures: "withhold features",
	roomkit.ActionConvert: "make a group of %s", roomkit.ActionDelete: "delete %s", roomkit.ActionUseNote: "use Note", roomkit.ActionUseEvent: "use Event",
	roomkit.ActionUseTask: "use Task", roomkit.ActionUseFolder: "use Folder", roomkit.ActionUseMailingList: "use Mailing List",
	roomkit.ActionRestrictFolder: "restrict folders", roomkit.ActionSwitchFileNotice: "switch notices of files", roomkit.ActionRecallOwn: "recall own messages",
	roomkit.ActionRecallOthers: "recall messages of others", roomkit.ActionSource: "make a new room from %s", roomkit.ActionSeeRoom: "see %s",
	roomkit.ActionSeeMembers: "see the members of %s", roomkit.ActionMailMembers: "mail the members of %s",
}

// whoMay says who may do something in a kind of room, in the best circumstances.
func (c *console) whoMay(action roomkit.Action, kind roomkit.Kind) string {
	var who []string
	for i, s := range standings {
		if c.svc.Rules().Allowed(kind, s.Is).Has(action) {
			who = append(who, bearers[i])
		}
	}
	deed := cmp.Or(deeds[action], text(action))
	if !strings.Contains(deed, "%s") {
		deed += " in %s"
	}
	what := "may " + strings.Replace(deed, "%s", places[kind], 1)
	if len(who) == 0 {
		return "Nobody " + what
	}
	last := len(who) - 1
	return "Only " + strings.Join(who[:last], ", ") + choose(last > 0, " and ", "") + who[last] + " " + what
}

// because says why somebody may not do something.
func (c *console) because(e *why.Explanation) string {
	rules := c.svc.Rules()
	if e.Reason == "" {
		return ""
	}
	if e.Rule == cmp.Or(rules.RuleFor(e.Action, e.Kind), "COM-02") && !rules.Allowed(e.Kind, e.Standing).Has(e.Action) {
		return c.whoMay(e.Action, e.Kind) + "."
	}
	return asSentence(e.Reason)
}

func asSentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// final says why nothing turns an answer round. People of another company are told apart: they
// lack a role that they cannot be given.
func (c *console) final(e *why.Explanation, f *store.Facts) (l line) {
	rules, owner := c.svc.Rules(), f.Room.Company
	if !rules.Allowed(e.Kind, allStandings()).Has(e.Action) && e.Kind != roomkit.KindGeneral && f.Room.State != roomkit.StateEnded {
		return l.say("%s, whatever is changed.", c.whoMay(e.Action, e.Kind))
	}
	i := slices.IndexFunc(f.Users, func(u roomkit.User) bool { return u.ID == e.User })
	foreign := i >= 0 && f.Users[i].Company != "" && f.Users[i].Company != owner && f.Room.State != roomkit.StateEnded
	if foreign && e.Kind == roomkit.KindExternalGroup && !rules.Policy.ForeignMasters && rules.Allowed(e.Kind, roomkit.StandingMaster).Has(e.Action) {
		l = l.say("%s, and ", c.whoMay(e.Action, e.Kind)).user(e.User).say(" cannot become Group Master there: being of the company ")
		l = l.company(f.Users[i].Company).say(", not of ").company(owner).say(", which owns the group (").rule("EXT-29").say("). So ")
		return l.say("%s.", e.Final)
	}
	return l.foreign(asSentence(e.Final))
}

func allStandings() (all roomkit.Standing) {
	for _, s := range standings {
		all |= s.Is
	}
	return all
}
