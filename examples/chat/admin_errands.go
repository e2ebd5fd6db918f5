package main

import (
	"context"
	"fmt"
	"net/url"

	"github.com/go-roomkit/roomkit"
)

// ofAccount is an errand about one account.
func ofAccount(button, sentence string, command func(roomkit.UserID) roomkit.Command) errand {
	return func(_ context.Context, c *chat, a *admin, form url.Values) (intent, error) {
		who := roomkit.UserID(form.Get("who"))
		says := fmt.Sprintf(sentence, isolated(c.people.colleague(a.Company.ID, who).Name))
		return intent{tab: "accounts", back: "/accounts", says: says, button: button, cmds: []roomkit.Command{command(who)}}, nil
	}
}

// outsiderWords say with whom, and what that is called.
var outsiderWords = map[roomkit.Outsider]struct{ who, messaging string }{
	roomkit.OutsiderPartner:  {"users of other companies", "external messaging"},
	roomkit.OutsiderConsumer: {"consumers", "messaging with consumers"},
}

func outsiderOf(form url.Values) (roomkit.Outsider, error) {
	with, err := roomkit.ParseOutsider(form.Get("with"))
	if err != nil {
		return with, &roomkit.Invalid{Field: "with", Reason: "not one of partner and consumer"}
	}
	return with, nil
}

// modeWords say what a mode brings, and what the button does that sets it.
var modeWords = map[roomkit.ExternalMode]struct{ says, button string }{
	roomkit.ExternalOff:      {"Nobody of %s may talk with %s.", "Switch %s off"},
	roomkit.ExternalSelected: {"Only those of %s who are permitted themselves may talk with %s.", "Limit %s to those permitted"},
	roomkit.ExternalAll:      {"Everybody of %s may talk with %s.", "Switch %s on for everybody"},
}

func messagingOf(_ context.Context, _ *chat, a *admin, form url.Values) (do intent, err error) {
	with, err := outsiderOf(form)
	if err != nil {
		return do, err
	}
	mode, err := roomkit.ParseExternalMode(form.Get("mode"))
	if err != nil {
		return do, &roomkit.Invalid{Field: "mode", Reason: "not one of off, selected and all"}
	}
	do.tab, do.cmds = "messaging", []roomkit.Command{roomkit.SetCompanyMessaging{Company: a.Company.ID, With: with, Mode: &mode}}
	do.says = fmt.Sprintf(modeWords[mode].says, a.Name, outsiderWords[with].who)
	do.button = fmt.Sprintf(modeWords[mode].button, outsiderWords[with].messaging)
	if mode == roomkit.ExternalAll {
		return do, nil
	}
	switch with {
	case roomkit.OutsiderPartner:
		do.says += " Who may not is taken out of every external group (EXT-22)."
	case roomkit.OutsiderConsumer:
		do.says += " Rooms with consumers are hidden from those who may not, and nothing in them ends (ADM-05, ADM-06)."
	}
	return do, nil
}

func permissionOf(_ context.Context, c *chat, a *admin, form url.Values) (do intent, err error) {
	with, err := outsiderOf(form)
	if err != nil {
		return do, err
	}
	who, allow := roomkit.UserID(form.Get("who")), form.Get("allow") == on
	name, words := isolated(c.people.colleague(a.Company.ID, who).Name), outsiderWords[with]
	do.tab, do.cmds = "messaging", []roomkit.Command{roomkit.SetUserMessaging{User: who, With: with, Allow: &allow}}
	if !allow {
		do.button, do.says = "Withdraw the permission", fmt.Sprintf("%s may not talk with %s any more.", name, words.who)
		if with == roomkit.OutsiderPartner {
			do.says += " That ends the part in every external group (EXT-22)."
		}
		return do, nil
	}
	do.button, do.says = "Give the permission", fmt.Sprintf("%s may talk with %s. It gives back no room (EXT-25).", name, words.who)
	for _, o := range outsiders {
		if o.with == with && o.mode(&a.Company) == roomkit.ExternalOff {
			do.says += " It counts as soon as the company's switch is on."
		}
	}
	return do, nil
}

func groupsByMembersOf(_ context.Context, _ *chat, a *admin, form url.Values) (intent, error) {
	members := form.Get("members") == on
	do := intent{tab: "groups", back: "/groups", cmds: []roomkit.Command{roomkit.EditCompany{Company: a.Company.ID, MembersCreateGroups: &members}}}
	do.says, do.button = "Only administrators of "+a.Name+" may create groups (ADM-09).", "Let only administrators create groups"
	if members {
		do.says, do.button = "Every member of "+a.Name+" may create groups (ADM-09).", "Let every member create groups"
	}
	return do, nil
}
