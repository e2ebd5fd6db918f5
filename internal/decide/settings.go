package decide

import (
	"cmp"
	"slices"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/names"
)

func checkEdit(c roomkit.Edit) error {
	return cmp.Or(
		CheckRoom(c.Room),
		demand(c != (roomkit.Edit{Room: c.Room}), "Edit", "changes nothing", ""),
		checkProfile(value(c.Name), value(c.Photo), value(c.Description), roomkit.MaxNameRunes, "LIM-05"),
	)
}

// value is what p points to, or the zero value.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// asked is an action that a field of Edit asks for.
type asked struct {
	action roomkit.Action
	set    bool
}

// asks lists what the fields of an Edit can ask for.
func asks(c *roomkit.Edit) []asked {
	return []asked{
		{roomkit.ActionRename, c.Name != nil},
		{roomkit.ActionChangePhoto, c.Photo != nil},
		{roomkit.ActionDescribe, c.Description != nil},
		{roomkit.ActionSwitchNote, c.Note != nil},
		{roomkit.ActionSwitchEvent, c.Event != nil},
		{roomkit.ActionSwitchTask, c.Task != nil},
		{roomkit.ActionSwitchFolder, c.Folder != nil},
		{roomkit.ActionSwitchMailingList, c.MailingList != nil},
		{roomkit.ActionSetVisibility, c.Public != nil},
		{roomkit.ActionSwitchMessage, c.Message != nil},
		{roomkit.ActionShareHistory, c.HistorySharing != nil},
		{roomkit.ActionSetNotification, c.Notify != nil},
		{roomkit.ActionWithholdFeatures, c.WithholdFeatures != nil},
	}
}

func (d *decider) edit(c roomkit.Edit) error {
	if c.Message != nil && *c.Message && d.room.State != roomkit.StateEnded { // the other changes are judged with message on again
		d.switchMessage(true)
	}
	for _, a := range asks(&c) {
		if !a.set {
			continue
		}
		if err := d.may(a.action); err != nil {
			return err
		}
	}
	if c.Name != nil {
		if err := d.rename(*c.Name); err != nil {
			return err
		}
	}
	d.change(&c)
	if c.Message != nil && !*c.Message {
		d.switchMessage(false)
	}
	return nil
}

// change makes the changes of the settings that differ from what is.
func (d *decider) change(c *roomkit.Edit) {
	if c.Photo != nil && *c.Photo != d.room.Photo {
		d.emit(&roomkit.PhotoChanged{From: d.room.Photo, To: *c.Photo}, roomkit.CauseNone)
	}
	if c.Description != nil {
		if to := names.Lines(*c.Description); to != d.room.Description {
			d.emit(&roomkit.DescriptionChanged{From: d.room.Description, To: to}, roomkit.CauseNone)
		}
	}
	if c.Public != nil && *c.Public != d.room.Public {
		d.emit(&roomkit.VisibilityChanged{Public: *c.Public}, roomkit.CauseNone)
	}
	if c.HistorySharing != nil && *c.HistorySharing != d.room.HistorySharing {
		d.emit(&roomkit.HistorySharingChanged{On: *c.HistorySharing}, roomkit.CauseNone)
	}
	if c.Notify != nil && *c.Notify != d.room.Notify {
		d.room.Notify = *c.Notify
		d.emit(&roomkit.NotificationSwitched{}, roomkit.CauseNone)
	}
	if c.WithholdFeatures != nil && *c.WithholdFeatures != d.room.FeaturesWithheld {
		d.emit(&roomkit.FeaturesWithheldChanged{Withheld: *c.WithholdFeatures}, roomkit.CauseNone)
	}
	if to := switched(c, d.room.Features); to != d.room.Features {
		d.emit(&roomkit.FeaturesSwitched{From: d.room.Features, To: to}, roomkit.CauseNone)
	}
}

func (d *decider) rename(name string) error {
	key := ""
	if d.room.Kind.IsGroup() {
		o := opening{id: d.room.ID, kind: d.room.Kind, name: name, company: d.room.Company}
		if err := d.checkGroupName(&o); err != nil {
			return err
		}
	}
	if d.room.Kind == roomkit.KindGroup {
		key = names.Key(name)
	}
	if name != d.room.Name || key != d.room.NameKey { // the key may be of an earlier version
		d.emit(&roomkit.RoomRenamed{From: d.room.Name, To: name, NameKey: key}, roomkit.CauseNone)
	}
	return nil
}

func switched(c *roomkit.Edit, features roomkit.FeatureSet) roomkit.FeatureSet {
	for f, on := range [...]*bool{c.Note, c.Event, c.Task, c.Folder, c.MailingList} {
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

// MessageOffPeriod is how long the data of a room is kept after message was switched off
// (GRP-38).
func MessageOffPeriod(p *roomkit.Policy) time.Duration {
	return orDefault(p.MessageOffPeriod, 30*24*time.Hour)
}

func orDefault[T int64 | time.Duration](v, def T) T {
	if v == 0 {
		return def
	}
	return v
}

// switchMessage makes the room usable or unusable; after the period the old
// content is gone (GRP-38, GRP-39, TEAM-19).
func (d *decider) switchMessage(on bool) {
	since, period := d.room.MessageOffSince, MessageOffPeriod(d.policy())
	switch {
	case on && !since.IsZero():
		d.emit(&roomkit.MessageSwitchedOn{Emptied: !d.time().Before(since.Add(period))}, roomkit.CauseNone)
	case !on && since.IsZero():
		d.emit(&roomkit.MessageSwitchedOff{Deadline: d.time().Add(period)}, roomkit.CauseNone)
	}
}

func checkDeleteFeatureData(c roomkit.DeleteFeatureData) error {
	deletable := roomkit.Features(roomkit.FeatureNote, roomkit.FeatureEvent, roomkit.FeatureFolder)
	some := c.Features != 0 && c.Features&^deletable == 0
	return cmp.Or(demand(some, "Features", "not one or more of Note, Event and Folder", "TEAM-13"), CheckRoom(c.Room))
}

func (d *decider) deleteFeatureData(features roomkit.FeatureSet) error {
	if err := d.may(roomkit.ActionDeleteFeatureData); err != nil {
		return err
	}
	d.emit(&roomkit.FeatureDataDeleted{Features: features}, roomkit.CauseNone)
	return nil
}

func (d *decider) deleteRoom() error {
	if err := d.may(roomkit.ActionDelete); err != nil {
		return err
	}
	d.ended(true)
	return nil
}

func checkConvert(c roomkit.Convert) error {
	return cmp.Or(
		demand(c.To.IsGroup(), "To", "neither KindGroup nor KindExternalGroup", ""),
		checkText("Name", c.Name, roomkit.MaxGroupName, externally(c.To, "EXT-34", "GRP-29")),
		CheckRoom(c.Room),
	)
}

func (d *decider) convert(c roomkit.Convert) error {
	if err := d.may(roomkit.ActionConvert); err != nil {
		return err
	}
	if d.room.Consumers > 0 {
		return d.denied(externally(c.To, "CRE-42", "GRP-02"), roomkit.ActionConvert, "consumers take part")
	}
	here, err := d.everybodyHere()
	if err != nil {
		return err
	}
	stays := func(p *Person) bool { return c.To == roomkit.KindGroup || p.partnersPermitted() }
	stay, drop := those(here, stays), those(here, func(p *Person) bool { return !stays(p) })
	o := opening{id: d.room.ID, kind: c.To, company: d.room.Company, name: c.Name, people: stay, masters: []Person{d.me}}
	if o.name == "" {
		o.name = d.room.Name
	}
	if err := d.checkOpening(&o); err != nil || d.decided() {
		return err
	}
	d.out.Dropped = ids(drop)
	slices.Sort(d.out.Dropped)
	d.endVoid(d.f.everyRow())
	d.left(drop, roomkit.CauseConverted)
	d.converted(&o)
	return nil
}

func (d *decider) converted(o *opening) {
	sortPeople(o.people)
	e := &roomkit.RoomConverted{From: d.room.Kind, Features: d.rules.Offered(o.kind, 0), People: asPeople(o.people)}
	e.Kind = o.kind
	d.emit(e, roomkit.CauseConverted)
	d.applyTo(e.People, e)
	for i := range o.people {
		d.tallyUser(&o.people[i], +1)
	}
	d.tallyCompany(d.f.company(o.company), +1)
	key := ""
	if o.kind == roomkit.KindGroup {
		key = names.Key(o.name)
	}
	if o.name != d.room.Name || key != "" {
		d.emit(&roomkit.RoomRenamed{From: d.room.Name, To: o.name, NameKey: key}, roomkit.CauseConverted)
	}
	d.appointed(o.masters, roomkit.CauseConverted)
}
