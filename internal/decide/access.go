package decide

import (
	"slices"
	"time"

	"github.com/go-roomkit/roomkit"
)

// May says whether an actor may take an action in the room of the facts: nil, a
// [*roomkit.Denied], or to somebody who may not know of the room [roomkit.ErrNotFound].
func May(r *roomkit.Rules, f *Facts, actor roomkit.Actor, action roomkit.Action) error {
	who := f.nobody()
	if !actor.IsSystem() {
		who = f.Person(actor.User())
	}
	return may(r, f, &f.Room, &who, actor, action)
}

// may demands that the actor may take the action in the room as the events so far
// have left it.
func (d *decider) may(action roomkit.Action) error {
	d.action = action
	return may(d.rules, d.f, &d.room, &d.me, d.actor, action)
}

func may(r *roomkit.Rules, f *Facts, room *roomkit.Room, who *Person, actor roomkit.Actor, action roomkit.Action) error {
	if room.Version == 0 {
		return roomkit.ErrNotFound
	}
	var st roomkit.Standing
	var void roomkit.Rule
	if !actor.IsSystem() {
		st, void = who.Standing(room, &f.Team)
		if !visible(r, f, room, who, st, void) {
			return roomkit.ErrNotFound
		}
	} else if room.State == roomkit.StateEnded {
		void = "COM-14"
	}
	rule, why := r.Forbids(action, room, &f.Team, st, f.Barred())
	if rule == "" {
		return nil
	}
	if void != "" && st&^roomkit.StandingColleague == 0 {
		rule, why = void, voidReasons[void]
	}
	return &roomkit.Denied{Rule: rule, Action: action, Actor: actor, Room: room.ID, Kind: room.Kind, Standing: st, Reason: why}
}

// voidReasons say why somebody who is in a room by the rows may not act there.
var voidReasons = map[roomkit.Rule]string{
	"COM-14":  "the room has ended",
	"COM-10":  "the company does not have a licence",
	"ADM-13":  "the account is deleted, or has been since",
	"ADM-17":  "the account is suspended",
	"EXT-22":  "the permission to talk with external users is withdrawn, or has been since",
	"LINE-01": "no permission to talk with consumers",
}

// visible reports whether somebody may know that the room exists.
func visible(r *roomkit.Rules, f *Facts, room *roomkit.Room, who *Person, st roomkit.Standing, void roomkit.Rule) bool {
	if room.State == roomkit.StateEnded {
		endedWith := who.Row.LeftVersion == room.Version // the end is the last event
		return endedWith || who.Administrator && who.User.Company == room.Company && room.Kind >= roomkit.KindGroup
	}
	if void != "" && (who.Row.Participant || who.Row.Master) {
		return true
	}
	return r.Actions(room, &f.Team, st, false).Has(roomkit.ActionSeeRoom)
}

var featureActions = [...]roomkit.Action{
	roomkit.FeatureNote: roomkit.ActionUseNote, roomkit.FeatureEvent: roomkit.ActionUseEvent, roomkit.FeatureTask: roomkit.ActionUseTask,
	roomkit.FeatureFolder: roomkit.ActionUseFolder, roomkit.FeatureMailingList: roomkit.ActionUseMailingList,
}

// Access says all that a user may do in the room with this id, of which the facts are.
func Access(r *roomkit.Rules, f *Facts, id roomkit.RoomID, user roomkit.UserID) roomkit.Access {
	room := &f.Room
	out := roomkit.Access{Room: id}
	who := f.Person(user)
	st, void := who.Standing(room, &f.Team)
	if st == 0 && void == "" || !visible(r, f, room, &who, st, void) {
		return out
	}
	out.Version, out.Kind, out.Standing = room.Version, room.Kind, st
	out.Actions = r.Actions(room, &f.Team, st, f.Barred())
	for feature, action := range featureActions {
		if out.Actions.Has(action) {
			out.Features |= 1 << feature
		}
	}
	if out.Can(roomkit.ActionEnter) {
		out.ReadFrom = readFrom(room, who.Row)
	}
	out.EmptiedAt = room.EmptiedAt
	out.RecallWindow, out.Consumers = orDefault(who.company.RecallWindow, 24*time.Hour), room.HadConsumers
	return out
}

// View says what a screen shows a user of the room with this id, as far as the user may
// know it.
func View(r *roomkit.Rules, f *Facts, id roomkit.RoomID, user roomkit.UserID) roomkit.RoomView {
	v := roomkit.RoomView{Access: Access(r, f, id, user)}
	room := &f.Room
	if v.Version > 0 {
		v.State = room.State
	}
	if v.Can(roomkit.ActionSeeRoom) {
		v.Name, v.Photo, v.Badge, v.Counts = room.Name, room.Photo, room.Kind.HasBadge(), room.Counts
		v.WithPartners, v.WithConsumers = room.Counts.Partners > 0, room.Counts.Consumers > 0
	}
	if v.Can(roomkit.ActionSeeMembers) && room.Name == "" {
		v.People = f.titlePeople(user)
	}
	return v
}

// titlePeople gives the others by whom a user knows a room without a name.
func (f *Facts) titlePeople(user roomkit.UserID) (others []roomkit.UserID) {
	if f.Room.Kind == roomkit.KindDirect {
		return slices.DeleteFunc([]roomkit.UserID{f.Room.Parties[0], f.Room.Parties[1]}, func(id roomkit.UserID) bool { return id == user })
	}
	for i := range f.Members {
		if who := f.Person(f.Members[i].User); who.ID != user && who.ListedIn(&f.Room) {
			others = append(others, who.ID)
		}
	}
	slices.Sort(others)
	return others[:min(len(others), roomkit.MaxTitlePeople)]
}

func readFrom(room *roomkit.Room, row *roomkit.Member) roomkit.ReadFrom {
	from := roomkit.ReadFrom{Allowed: true, All: row.ReadAll && room.EmptiedAt == 0, Version: row.JoinedVersion, At: row.JoinedAt}
	if row.ReadAll || room.EmptiedAt > row.JoinedVersion {
		from.Version, from.At = room.EmptiedAt, room.EmptiedOn
	}
	return from
}
