package decide

import (
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func checkEdit(c roomkit.Edit) error {
	if err := CheckRoom(c.Room); err != nil {
		return err
	}
	if changesEdit(c) == 0 {
		return roomkit.BadInput("Edit", "changes nothing")
	}
	if c.Name != nil {
		if err := checkText("Name", *c.Name, roomkit.MaxNameRunes, "LIM-05"); err != nil {
			return err
		}
	}
	if c.Photo != nil {
		if err := checkPhoto(*c.Photo); err != nil {
			return err
		}
	}
	if c.Description != nil {
		return checkText("Description", *c.Description, roomkit.MaxDescription, "GRP-30")
	}
	return nil
}

// changes gives the actions that the fields ask for.
func changesEdit(c roomkit.Edit) (set roomkit.ActionSet) {
	for action, asked := range map[roomkit.Action]bool{
		roomkit.ActionRename: c.Name != nil, roomkit.ActionChangePhoto: c.Photo != nil, roomkit.ActionDescribe: c.Description != nil,
		roomkit.ActionSetVisibility: c.Public != nil, roomkit.ActionShareHistory: c.HistorySharing != nil,
		roomkit.ActionSetNotification: c.Notify != nil, roomkit.ActionSwitchMessage: c.Message != nil,
		roomkit.ActionSwitchNote: c.Note != nil, roomkit.ActionSwitchEvent: c.Event != nil, roomkit.ActionSwitchTask: c.Task != nil,
		roomkit.ActionSwitchFolder: c.Folder != nil, roomkit.ActionSwitchMailingList: c.MailingList != nil,
		roomkit.ActionWithholdFeatures: c.WithholdFeatures != nil,
	} {
		if asked {
			set |= 1 << action
		}
	}
	return set
}

func needEdit(c roomkit.Edit, _ roomkit.Actor, n *store.Need) { n.Room = c.Room }

func decideEdit(c roomkit.Edit, d *Decider) error {
	judged := *d.F // with message on again, when this command switches it on
	if c.Message != nil && *c.Message {
		if err := d.may(roomkit.ActionSwitchMessage); err != nil {
			return err
		}
		d.switchMessage(true)
		judged.Room.MessageOffSince = d.room.MessageOffSince
	}
	for action := range roomkit.Elements[roomkit.Action](changesEdit(c)) {
		if err := MayRules(d.Rules, &judged, &d.Me, d.Actor, action); err != nil {
			return err
		}
	}
	if err := renameEdit(c, d); err != nil {
		return err
	}
	if c.Photo != nil && *c.Photo != d.room.Photo {
		d.emit(&roomkit.PhotoChanged{From: d.room.Photo, To: *c.Photo}, roomkit.CauseNone)
	}
	if c.Description != nil && *c.Description != d.room.Description {
		d.emit(&roomkit.DescriptionChanged{From: d.room.Description, To: *c.Description}, roomkit.CauseNone)
	}
	if c.Public != nil && *c.Public != d.room.Public {
		d.emit(&roomkit.VisibilityChanged{Public: *c.Public}, roomkit.CauseNone)
	}
	if c.HistorySharing != nil && *c.HistorySharing != d.room.HistorySharing {
		d.emit(&roomkit.HistorySharingChanged{On: *c.HistorySharing}, roomkit.CauseNone)
	}
	if c.Notify != nil && *c.Notify != d.room.Notify {
		d.emit(&roomkit.NotificationSwitched{}, roomkit.CauseNone)
	}
	if c.WithholdFeatures != nil && *c.WithholdFeatures != d.room.FeaturesWithheld {
		d.emit(&roomkit.FeaturesWithheldChanged{Withheld: *c.WithholdFeatures}, roomkit.CauseNone)
	}
	if to := switchedEdit(c, d.room.Features); to != d.room.Features {
		d.emit(&roomkit.FeaturesSwitched{From: d.room.Features, To: to}, roomkit.CauseNone)
	}
	if c.Message != nil && !*c.Message {
		d.switchMessage(false)
	}
	return nil
}

func renameEdit(c roomkit.Edit, d *Decider) error {
	if c.Name == nil {
		return nil
	}
	name, key := *c.Name, ""
	if d.room.Kind.IsGroup() {
		o := opening{kind: d.room.Kind, name: name, company: d.room.Company}
		if err := d.checkGroupName(&o, d.room.ID); err != nil {
			return err
		}
	}
	if d.room.Kind == roomkit.KindGroup {
		key = nameKey(name)
	}
	if name != d.room.Name {
		d.emit(&roomkit.RoomRenamed{From: d.room.Name, To: name, NameKey: key}, roomkit.CauseNone)
	}
	return nil
}

func switchedEdit(c roomkit.Edit, features roomkit.FeatureSet) roomkit.FeatureSet {
	for f, on := range [roomkit.FeatureCount]*bool{c.Note, c.Event, c.Task, c.Folder, c.MailingList} {
		switch {
		case on == nil:
		case *on:
			features |= 1 << f
		default:
			features &^= 1 << f
		}
	}
	return features
}

// switchMessage makes the room usable or unusable; after the period the old
// content is gone (GRP-38, GRP-39, TEAM-19).
func (d *Decider) switchMessage(on bool) {
	since, period := d.room.MessageOffSince, MessageOffPeriodPolicy(*d.policy())
	switch {
	case on && !since.IsZero():
		d.emit(&roomkit.MessageSwitchedOn{Emptied: !d.now.Before(since.Add(period))}, roomkit.CauseNone)
	case !on && since.IsZero():
		at := later(d.now, d.room.ChangedAt)
		d.emit(&roomkit.MessageSwitchedOff{Deadline: at.Add(period)}, roomkit.CauseNone)
	}
}

func checkDeleteFeatureData(c roomkit.DeleteFeatureData) error {
	if c.Features == 0 || c.Features&^roomkit.Features(roomkit.FeatureNote, roomkit.FeatureEvent, roomkit.FeatureFolder) != 0 {
		return &roomkit.Invalid{Field: "Features", Reason: "not one or more of Note, Event and Folder", Rule: "TEAM-13"}
	}
	return CheckRoom(c.Room)
}

func needDeleteFeatureData(c roomkit.DeleteFeatureData, _ roomkit.Actor, n *store.Need) {
	n.Room = c.Room
}

func decideDeleteFeatureData(c roomkit.DeleteFeatureData, d *Decider) error {
	if err := d.may(roomkit.ActionDeleteFeatureData); err != nil {
		return err
	}
	d.emit(&roomkit.FeatureDataDeleted{Features: c.Features}, roomkit.CauseNone)
	return nil
}

func checkDeleteRoom(c roomkit.DeleteRoom) error { return CheckRoom(c.Room) }

func needDeleteRoom(c roomkit.DeleteRoom, _ roomkit.Actor, n *store.Need) { n.Room = c.Room }

func decideDeleteRoom(c roomkit.DeleteRoom, d *Decider) error {
	if err := d.may(roomkit.ActionDelete); err != nil {
		return err
	}
	d.end(true)
	return nil
}

func checkConvert(c roomkit.Convert) error {
	if c.To != roomkit.KindGroup && c.To != roomkit.KindExternalGroup {
		return roomkit.BadInput("To", "neither KindGroup nor KindExternalGroup")
	}
	if err := checkText("Name", c.Name, roomkit.MaxGroupName, groupNameRule(c.To)); err != nil {
		return err
	}
	return CheckRoom(c.Room)
}

func needConvert(c roomkit.Convert, _ roomkit.Actor, n *store.Need) { n.Room = c.Room }

func decideConvert(c roomkit.Convert, d *Decider) error {
	if err := d.may(roomkit.ActionConvert); err != nil {
		return err
	}
	if d.room.LINEUsers > 0 {
		return d.denied(convertLINERule(c.To), roomkit.ActionConvert, "LINE users take part")
	}
	here, err := d.everybodyHere()
	if err != nil {
		return err
	}
	var stay, drop []Person
	for i := range here {
		if c.To == roomkit.KindGroup || worksPermittedUser(here[i].User, here[i].company) {
			stay = append(stay, here[i])
		} else {
			drop = append(drop, here[i])
		}
	}
	o := opening{kind: c.To, company: d.room.Company, name: c.Name, people: stay, masters: []Person{d.Me}}
	if o.name == "" {
		o.name = d.room.Name
	}
	if err := d.checkConversion(&o); err != nil {
		return err
	}
	d.out.Dropped = ids(drop)
	slices.Sort(d.out.Dropped)
	d.endVoid(d.everyRow())
	d.leave(drop, roomkit.CauseConverted)
	d.convert(&o)
	return nil
}

// checkConversion judges the room that would come out. The name of the old room
// is not unique yet, so it is looked at like a new one. Without LINE users all
// people of a General room are of its company.
func (d *Decider) checkConversion(o *opening) error {
	if err := d.checkRoomFor(o.people, o.kind, 0, "CRE-45"); err != nil {
		return err
	}
	if err := d.checkGroupCreation(o.kind, o.company); err != nil {
		return err
	}
	return d.checkGroupName(o, d.room.ID)
}

func (d *Decider) convert(o *opening) {
	sortPeople(o.people)
	e := &roomkit.RoomConverted{From: d.room.Kind, Features: offeredRules(d.Rules, o.kind, 0), People: asPeople(o.people)}
	e.Kind = o.kind
	d.emit(e, roomkit.CauseConverted)
	d.applyTo(e.People, e)
	for i := range o.people {
		d.tallyUser(&o.people[i], +1)
	}
	d.tallyCompany(CompanyFacts(d.F, o.company), +1)
	key := ""
	if o.kind == roomkit.KindGroup {
		key = nameKey(o.name)
	}
	if o.name != d.room.Name || key != "" {
		d.emit(&roomkit.RoomRenamed{From: d.room.Name, To: o.name, NameKey: key}, roomkit.CauseConverted)
	}
	d.appoint(o.masters, roomkit.CauseConverted)
}

func convertLINERule(to roomkit.Kind) roomkit.Rule {
	if to == roomkit.KindExternalGroup {
		return "CRE-42"
	}
	return "GRP-02"
}
