package main

import (
	"github.com/go-roomkit/roomkit"
)

// features are those that a group can begin without, by the name of their switch.
var features = map[string]roomkit.Feature{
	"note": roomkit.FeatureNote, "event": roomkit.FeatureEvent, "task": roomkit.FeatureTask, "folder": roomkit.FeatureFolder,
}

// begin is a switch of a new group.
type begin struct {
	Name, Label string
	Rule        roomkit.Rule
	On          bool
}

// Switches are what a group begins with (EXT-36).
func (ch *choice) Switches() []begin {
	list := []begin{{Name: "note", Label: "Note"}, {Name: "event", Label: "Event"}, {Name: "folder", Label: "Folder"}}
	if ch.Name == "group" {
		list = append(list, begin{Name: "task", Label: "Task"}, begin{Name: "public", Label: "Public: in the company's list of groups", Rule: "GRP-19"})
	}
	list = append(list, begin{Name: "history", Label: "Newcomers see what was said before", Rule: "GRP-26"}, begin{Name: "notify", Label: "Group notification"})
	for i := range list {
		_, on := features[list[i].Name]
		if ch.Form.Has("settings") {
			on = ch.Form.Has(list[i].Name)
		}
		list[i].On = on
	}
	return list
}

// Photos are what a room can have for a picture.
func (ch *choice) Photos() []string { return photos }

// Absent are those who are chosen and not on the page: the form carries them.
func (ch *choice) Absent() (absent []roomkit.UserID) {
	shown := map[roomkit.UserID]bool{}
	for _, g := range ch.Groups {
		for _, p := range g.Rows {
			shown[p.ID] = true
		}
	}
	for _, p := range ch.Chosen {
		if !shown[p.ID] {
			absent = append(absent, p.ID)
		}
	}
	return absent
}

// Blocked says why there is no next step.
func (ch *choice) Blocked() *problem {
	if ch.Problem != nil {
		return ch.Problem
	}
	for _, p := range ch.Chosen {
		if len(p.Why) > 0 {
			why := *p.Why[0]
			why.Detail = p.Name + ": " + why.Detail
			return &why
		}
	}
	if !ch.ready() {
		return &problem{Detail: "Choose somebody first."}
	}
	return nil
}

// Direct says that nothing is left to be asked.
func (ch *choice) Direct() bool {
	return ch.Single() || ch.Name == "invite" && ch.result != nil && ch.result.Room == ch.roomID()
}

// pair says that people are invited into a 1:1 room, for whom another one opens (DIR-06).
func (ch *choice) pair() bool {
	return ch.Name == "invite" && ch.Room.Row.Kind == roomkit.KindDirect
}

// Next is what the button says that goes on from the choice.
func (ch *choice) Next() string {
	switch {
	case ch.Name == "invite" && (ch.result == nil && !ch.pair() || ch.Direct()):
		return "Invite"
	case ch.Single():
		return "Message"
	}
	return "Next"
}

// Confirm is what the last button says.
func (ch *choice) Confirm() string {
	switch {
	case ch.Single():
		return "Message"
	case ch.Name == "invite" && (ch.result == nil && !ch.pair() || ch.Direct()):
		return "Invite"
	case ch.Name == "invite" && ch.result != nil && !ch.result.Opened:
		return "Open"
	case len(ch.Offers) > 0:
		return "Create anyway"
	}
	return "Create"
}

// Basics says that the new room can be given a name.
func (ch *choice) Basics() bool {
	switch {
	case ch.Single(), ch.result == nil && ch.Done == nil:
		return false
	case ch.Name == "invite":
		return ch.NeedName || ch.Form.Get("name") != "" || ch.result != nil && ch.result.Kind == roomkit.KindExternalGroup && !ch.Direct()
	}
	return true
}

// DefaultName is what the room is called without a name of its own (CRE-17, CRE-21).
func (ch *choice) DefaultName() string {
	if ch.File == nil {
		return ""
	}
	return ch.File.Title
}

// outcomes say what comes into being, and what holds there.
var outcomes = map[roomkit.Kind][]note{
	roomkit.KindDirect: {{"A 1:1 room. The two of you have one: opened again, it is the same.", "DIR-02"}},
	roomkit.KindGeneral: {
		{"A room without masters: everybody in it may invite others.", "GEN-02"}, {"Everybody may remove others.", "GEN-05"}, {"Everybody may leave.", "GEN-09"},
	},
	roomkit.KindGroup: {
		{"A group. You become its Group Master.", "GRP-03"}, {"Only masters invite and remove.", "GRP-07"}, {"Nobody can leave alone.", "GRP-12"},
	},
	roomkit.KindExternalGroup: {
		{"An external group. You become its Group Master.", "EXT-26"}, {"Only masters invite.", "EXT-15"}, {"Only masters remove.", "EXT-16"},
		{"Nobody can leave alone, masters neither.", "EXT-18"},
	},
}

// Why is the rule of a note.
func (n note) Why() *problem { return (&problem{Rule: n.Rule}).cite() }

// Outcome says what the last button will do.
func (ch *choice) Outcome() (notes []note) {
	if ch.result == nil {
		return nil
	}
	if ch.Name != "invite" {
		return outcomes[ch.result.Kind]
	}
	if ch.Direct() {
		return []note{{"They take part at once.", "COM-13"}}
	}
	stays, rule := "This room cannot take them in and stays as it is", roomkit.Rule("GEN-27")
	if ch.pair() {
		stays, rule = "This 1:1 stays as it is", "DIR-06"
	}
	if !ch.result.Opened {
		return []note{{stays + ". The room of exactly these people, which is there already, opens.", rule}}
	}
	return append([]note{{stays + ". A new, empty room opens.", rule}}, outcomes[ch.result.Kind]...)
}
