package oracle

import (
	"time"
)

// Edit changes properties and settings of a room.
type Edit struct {
	Room        string
	Name        *string
	Photo       *string
	Description *string
	Public      *bool
	Sharing     *bool
	Notify      *bool
	Message     *bool
	Switch      map[Feature]bool // what to switch on or off
	Withhold    *bool
}

func (Edit) wellFormed() bool { return true }

func (x Edit) doubtful() bool { return len(x.actions()) == 0 }

func (x Edit) excessive() bool {
	photo := x.Photo != nil && len(*x.Photo) > 512 // a reference of the host
	return photo || x.Name != nil && longer(*x.Name, 1000) || x.Description != nil && longer(*x.Description, 300)
}

func (x Edit) run(c *call) *refusal {
	r, no := c.room(x.Room)
	if no != nil {
		return no
	}
	wanted := x.actions()
	if len(wanted) == 0 || x.Message != nil && len(x.Switch) > 0 {
		return unsettled // what GRP-37 means within one command
	}
	if no := x.authority(c, r, wanted); no != nil {
		return no
	}
	if no := x.values(c, r); no != nil {
		return no
	}
	x.apply(c, r)
	return nil
}

func (x Edit) actions() []Action {
	var wanted []Action
	ask := func(given bool, a Action) {
		if given {
			wanted = append(wanted, a)
		}
	}
	ask(x.Name != nil, MayRename)
	ask(x.Photo != nil, MayChangePhoto)
	ask(x.Description != nil, MayDescribe)
	ask(x.Public != nil, MaySetVisibility)
	ask(x.Sharing != nil, MayShareHistory)
	ask(x.Notify != nil, MaySetNotification)
	ask(x.Message != nil, MaySwitchMessage)
	ask(x.Withhold != nil, MayWithhold)
	for _, f := range allFeatures {
		_, given := x.Switch[f]
		ask(given, switching(f))
	}
	return wanted
}

// authority needs every action. A refusal may name any rule that forbids one of
// them.
func (x Edit) authority(c *call, r *Room, wanted []Action) *refusal {
	var f faults
	anyRule, doubt := false, false
	for _, a := range wanted {
		no := c.may(r, a)
		switch {
		case no == nil:
		case no.verdict == Open || x.idle(c, r, a):
			doubt = true
		case len(no.rules) == 0:
			anyRule = true
		default:
			f.add(no.rules...)
		}
	}
	switch {
	case anyRule:
		return denied()
	case f.refusal() != nil:
		return f.refusal()
	case doubt:
		return unsettled
	}
	return nil
}

// idle: a feature is set to the value it has while message is off, by somebody
// who could switch it otherwise.
func (x Edit) idle(c *call, r *Room, a Action) bool {
	if r.OffSince.IsZero() || c.system() {
		return false
	}
	for f, on := range x.Switch {
		if switching(f) == a && on == r.Features[f] {
			return c.w.couldIfOn(c.who, r, a)
		}
	}
	return false
}

func (x Edit) values(c *call, r *Room) *refusal {
	var f faults
	if x.Name != nil && r.Kind.Managed() {
		c.w.badGroupName(&f, r.Kind, r.Company, *x.Name, r.ID)
	}
	f.loosely(x.Name != nil && longer(*x.Name, 1000), "LIM-05")
	f.loosely(x.Description != nil && longer(*x.Description, 300), "GRP-30", "EXT-35")
	return f.refusal()
}

func (x Edit) apply(c *call, r *Room) {
	both := x.Notify != nil && *x.Notify != r.Notify // which comes first is not said
	if x.Name != nil && *x.Name != r.Name {
		c.announce(r, TextRenamed, both)
	}
	for f, on := range x.Switch {
		if r.Features[f] != on {
			c.announce(r, TextSwitched, both)
			break // one notice for all of them
		}
	}
	set(c, &r.Name, x.Name)
	set(c, &r.Photo, x.Photo)
	set(c, &r.Description, x.Description)
	set(c, &r.Public, x.Public)
	set(c, &r.Sharing, x.Sharing)
	set(c, &r.Notify, x.Notify)
	set(c, &r.Withheld, x.Withhold)
	for f, on := range x.Switch {
		if r.Features[f] != on {
			r.Features[f] = on
			c.changed = true
		}
	}
	if x.Message != nil {
		c.switchMessage(r, *x.Message)
	}
}

func set[T comparable](c *call, field, to *T) {
	if to != nil && *field != *to {
		*field = *to
		c.changed = true
	}
}

// switchMessage: after the period the room is empty when it comes back (GRP-39).
func (c *call) switchMessage(r *Room, on bool) {
	switch {
	case on == r.OffSince.IsZero():
		return
	case on:
		if !c.now.Before(r.OffSince.Add(c.w.OffPeriod())) {
			r.EmptiedAt = c.now
			c.out.Emptied = true
		}
		r.OffSince = time.Time{}
	default:
		r.OffSince = c.now
	}
	c.changed = true
}

// DeleteFeatureData has the host delete what features hold (TEAM-13).
type DeleteFeatureData struct {
	Room     string
	Features Features
}

func (x DeleteFeatureData) wellFormed() bool {
	for f, on := range x.Features {
		if on && f != Note && f != Event && f != Folder {
			return false
		}
	}
	return len(x.Features) > 0
}

func (x DeleteFeatureData) run(c *call) *refusal {
	_, no := c.authorised(x.Room, MayDeleteData)
	c.changed = no == nil
	return no
}

// DeleteRoom ends a group or a team room (GRP-40).
type DeleteRoom struct{ Room string }

func (DeleteRoom) wellFormed() bool { return true }

func (x DeleteRoom) run(c *call) *refusal {
	r, no := c.authorised(x.Room, MayDelete)
	if no != nil {
		return no
	}
	c.end(r)
	return nil
}
