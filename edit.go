package roomkit

// Edit changes properties and settings of a room. Nil fields stay as they are.
// Either all changes are allowed and made, or none is. Whether a new name is announced
// depends on group notification as it was before.
//
// Each field is an action of its own in docs/permissions.md. In a General room those
// who take part may take it (GEN-22, GEN-23, GEN-26). In a group a Group Master or an
// administrator of the owning company may (GRP-15, GRP-28, EXT-12, EXT-46), but Photo
// is for those who take part (GRP-27), HistorySharing for the masters alone (GRP-26,
// EXT-42) and WithholdFeatures for the administrators alone (GRP-31). In a team room
// an administrator may and, as far as granted, the leader (TEAM-10, TEAM-11,
// TEAM-25), who alone shares history (TEAM-14). What a kind of room does not have
// nobody changes. The system may not.
type Edit struct {
	Room             RoomID
	Name             *string
	Photo            *string
	Description      *string
	Public           *bool // find by colleagues
	HistorySharing   *bool // acts on people who join from now on (COM-05)
	Notify           *bool // group notification
	Message          *bool // off makes the room unusable and starts the 30 days (GRP-38)
	Note             *bool
	Event            *bool
	Task             *bool
	Folder           *bool
	MailingList      *bool
	WithholdFeatures *bool // administrators: withhold the masters' right over features (GRP-31)
}

// DeleteFeatureData asks to delete what was stored with features of a room, for
// good (TEAM-13). The host deletes when it sees the event. By a Group Master or an
// administrator of the owning company (GRP-15, EXT-12), in a team room by the leader
// or an administrator (TEAM-13).
type DeleteFeatureData struct {
	Room     RoomID
	Features FeatureSet // Note, Event or Folder
}

// DeleteRoom ends a group or team room for everybody; what it held is to be
// deleted (GRP-40). The host deletes when it sees the event. By a Group Master or an
// administrator of the owning company (GRP-41), of a team room by an administrator
// (TEAM-04). No other kind can be deleted (SELF-02, DIR-05, GEN-34).
type DeleteRoom struct {
	Room RoomID
}

func (c Edit) check() error {
	if err := checkRoom(c.Room); err != nil {
		return err
	}
	if c.changes() == 0 {
		return invalid("Edit", "changes nothing")
	}
	if c.Name != nil {
		if err := checkText("Name", *c.Name, MaxNameRunes, "LIM-05"); err != nil {
			return err
		}
	}
	if c.Photo != nil {
		if err := checkPhoto(*c.Photo); err != nil {
			return err
		}
	}
	if c.Description != nil {
		return checkText("Description", *c.Description, MaxDescription, "GRP-30")
	}
	return nil
}

// changes gives the actions that the fields ask for.
func (c Edit) changes() (set ActionSet) {
	for action, asked := range map[Action]bool{
		ActionRename: c.Name != nil, ActionChangePhoto: c.Photo != nil, ActionDescribe: c.Description != nil,
		ActionSetVisibility: c.Public != nil, ActionShareHistory: c.HistorySharing != nil,
		ActionSetNotification: c.Notify != nil, ActionSwitchMessage: c.Message != nil,
		ActionSwitchNote: c.Note != nil, ActionSwitchEvent: c.Event != nil, ActionSwitchTask: c.Task != nil,
		ActionSwitchFolder: c.Folder != nil, ActionSwitchMailingList: c.MailingList != nil,
		ActionWithholdFeatures: c.WithholdFeatures != nil,
	} {
		if asked {
			set |= 1 << action
		}
	}
	return set
}

func (c Edit) need(_ Actor, n *Need) { n.Room = c.Room }

func (c Edit) decide(d *decider) error {
	judged := *d.f // with message on again, when this command switches it on
	if c.Message != nil && *c.Message {
		if err := d.may(ActionSwitchMessage); err != nil {
			return err
		}
		d.switchMessage(true)
		judged.Room.MessageOffSince = d.room.MessageOffSince
	}
	for action := range elements[Action](c.changes()) {
		if err := d.rules.may(&judged, &d.me, d.actor, action); err != nil {
			return err
		}
	}
	if err := c.rename(d); err != nil {
		return err
	}
	if c.Photo != nil && *c.Photo != d.room.Photo {
		d.emit(&PhotoChanged{From: d.room.Photo, To: *c.Photo}, CauseNone)
	}
	if c.Description != nil && *c.Description != d.room.Description {
		d.emit(&DescriptionChanged{From: d.room.Description, To: *c.Description}, CauseNone)
	}
	if c.Public != nil && *c.Public != d.room.Public {
		d.emit(&VisibilityChanged{Public: *c.Public}, CauseNone)
	}
	if c.HistorySharing != nil && *c.HistorySharing != d.room.HistorySharing {
		d.emit(&HistorySharingChanged{On: *c.HistorySharing}, CauseNone)
	}
	if c.Notify != nil && *c.Notify != d.room.Notify {
		d.emit(&NotificationSwitched{}, CauseNone)
	}
	if c.WithholdFeatures != nil && *c.WithholdFeatures != d.room.FeaturesWithheld {
		d.emit(&FeaturesWithheldChanged{Withheld: *c.WithholdFeatures}, CauseNone)
	}
	if to := c.switched(d.room.Features); to != d.room.Features {
		d.emit(&FeaturesSwitched{From: d.room.Features, To: to}, CauseNone)
	}
	if c.Message != nil && !*c.Message {
		d.switchMessage(false)
	}
	return nil
}

func (c Edit) rename(d *decider) error {
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
	if d.room.Kind == KindGroup {
		key = nameKey(name)
	}
	if name != d.room.Name {
		d.emit(&RoomRenamed{From: d.room.Name, To: name, NameKey: key}, CauseNone)
	}
	return nil
}

func (c Edit) switched(features FeatureSet) FeatureSet {
	for f, on := range [featureCount]*bool{c.Note, c.Event, c.Task, c.Folder, c.MailingList} {
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
func (d *decider) switchMessage(on bool) {
	since, period := d.room.MessageOffSince, d.policy().messageOffPeriod()
	switch {
	case on && !since.IsZero():
		d.emit(&MessageSwitchedOn{Emptied: !d.now.Before(since.Add(period))}, CauseNone)
	case !on && since.IsZero():
		at := later(d.now, d.room.ChangedAt)
		d.emit(&MessageSwitchedOff{Deadline: at.Add(period)}, CauseNone)
	}
}

func (c DeleteFeatureData) check() error {
	if c.Features == 0 || c.Features&^Features(FeatureNote, FeatureEvent, FeatureFolder) != 0 {
		return &Invalid{Field: "Features", Reason: "not one or more of Note, Event and Folder", Rule: "TEAM-13"}
	}
	return checkRoom(c.Room)
}

func (c DeleteFeatureData) need(_ Actor, n *Need) { n.Room = c.Room }

func (c DeleteFeatureData) decide(d *decider) error {
	if err := d.may(ActionDeleteFeatureData); err != nil {
		return err
	}
	d.emit(&FeatureDataDeleted{Features: c.Features}, CauseNone)
	return nil
}

func (c DeleteRoom) check() error { return checkRoom(c.Room) }

func (c DeleteRoom) need(_ Actor, n *Need) { n.Room = c.Room }

func (c DeleteRoom) decide(d *decider) error {
	if err := d.may(ActionDelete); err != nil {
		return err
	}
	d.end(true)
	return nil
}
