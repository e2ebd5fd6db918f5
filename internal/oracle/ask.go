package oracle

import (
	"maps"
	"slices"
	"time"
)

// Check says whether a user may do something in a room at this moment.
func (w *World) Check(user string, a Action, room string) Outcome {
	if no := w.check(user, a, room); no != nil {
		return Outcome{Verdict: no.verdict, Rules: no.rules}
	}
	return Outcome{Verdict: OK}
}

func (w *World) check(user string, a Action, room string) *refusal {
	if no := w.actorRefused(user); no != nil {
		return no
	}
	r, u := w.Rooms[room], w.Users[user]
	switch {
	case r == nil || !w.visible(u, r):
		return notFound
	case r.Ended:
		return denied("COM-14")
	}
	return w.mayDo(u, r, a)
}

// Actions says what a user may do in a room, and what the rule book does not
// settle. Nobody outside may do anything.
func (w *World) Actions(user, room string) (may, unsettled Set) {
	r, u := w.Rooms[room], w.Users[user]
	if w.actorRefused(user) != nil || r == nil || r.Ended || !w.visible(u, r) {
		return Set{}, Set{}
	}
	return w.actions(u, r, w.Standing(user, r))
}

// CanEnter says whether a user may enter a room and read it.
func (w *World) CanEnter(user, room string) Outcome { return w.Check(user, MayEnter, room) }

// CanPost says whether a user may write in a room.
func (w *World) CanPost(user, room string) Outcome { return w.Check(user, MayPost, room) }

// UsableFeatures are the features that a user can use in a room now.
func (w *World) UsableFeatures(user, room string) Features {
	may, _ := w.Actions(user, room)
	on := Features{}
	for _, f := range allFeatures {
		if may[using(f)] {
			on[f] = true
		}
	}
	return on
}

// ReadFrom says from when on a user may read a room (COM-04, GRP-39). Reading
// from the beginning is reading from the moment when the room began.
func (w *World) ReadFrom(user, room string) (since time.Time, allowed bool) {
	if w.CanEnter(user, room).Verdict != OK {
		return time.Time{}, false
	}
	r := w.Rooms[room]
	m := r.Participants[user]
	since = m.JoinedAt
	if m.ReadAll {
		since = r.BeganAt
	}
	if r.EmptiedAt.After(since) {
		since = r.EmptiedAt
	}
	return since, true
}

// Members are the people who take part in a room or manage it: those who count,
// and beside them those whose standing is void or lacks a permission.
func (w *World) Members(room string) (effective, others []string) {
	r := w.Rooms[room]
	everybody := map[string]bool{}
	for p := range r.Participants {
		everybody[p] = true
	}
	for p := range r.Masters {
		everybody[p] = true
	}
	for _, p := range slices.Sorted(maps.Keys(everybody)) {
		if w.takesPart(r, p) || w.manages(r, p) {
			effective = append(effective, p)
		} else {
			others = append(others, p)
		}
	}
	return effective, others
}

// RoomsOf are the rooms in which a user takes part or manages (LST-15).
func (w *World) RoomsOf(user string) []string {
	return w.rooms(user, func(r *Room) bool { return w.takesPart(r, user) || w.manages(r, user) })
}

// GroupsManaged are the groups of which a user is Group Master (LST-23).
func (w *World) GroupsManaged(user string) []string {
	return w.rooms(user, func(r *Room) bool { return r.Kind.Managed() && w.manages(r, user) })
}

// GroupsBelonging are the groups in which a user takes part (LST-23).
func (w *World) GroupsBelonging(user string) []string {
	return w.rooms(user, func(r *Room) bool { return r.Kind.Managed() && w.takesPart(r, user) })
}

// GroupsAll are the public groups of the company and the user's own (LST-23).
func (w *World) GroupsAll(user string) []string {
	return w.rooms(user, func(r *Room) bool {
		return r.Kind.Managed() && (w.takesPart(r, user) || w.manages(r, user) || w.Standing(user, r).Colleague)
	})
}

func (w *World) rooms(user string, is func(*Room) bool) []string {
	if w.actorRefused(user) != nil {
		return nil
	}
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(w.Rooms)) {
		if r := w.Rooms[id]; !r.Ended && is(r) {
			ids = append(ids, id)
		}
	}
	return ids
}

// Recommend answers with the rooms that a user and the chosen people share.
// Without an audience the people decide it.
func (w *World) Recommend(user string, people []string, audience Audience) []Offer {
	if w.actorRefused(user) != nil {
		return nil
	}
	if audience == NoAudience {
		company := w.Users[user].Company
		audience = Members
		if w.any(people, func(u *User) bool { return u.Company != company }) {
			audience = Externals
		}
	}
	return w.offers(user, people, audience)
}

// offers: several people, all of them and the user take part, external rooms
// only under 'External Users' (LST-05 to LST-11).
func (w *World) offers(user string, people []string, audience Audience) []Offer {
	var out []Offer
	for _, id := range slices.Sorted(maps.Keys(w.Rooms)) {
		r := w.Rooms[id]
		if r.Ended || len(people) < 2 || !w.recommendable(r, audience) || !w.shared(r, append([]string{user}, people...)) {
			continue
		}
		extra := len(r.Participants) - len(people) - 1
		out = append(out, Offer{Room: id, Exact: extra == 0, Extra: extra, Unsure: !r.OffSince.IsZero()})
	}
	return out
}

func (w *World) recommendable(r *Room, audience Audience) bool {
	external := r.Kind == ExternalRoom || w.hasLine(r)
	switch r.Kind {
	case SelfRoom, DirectRoom:
		return false // LST-09
	default:
		return external == (audience == Externals)
	}
}

func (w *World) shared(r *Room, people []string) bool {
	for _, p := range people {
		if w.Users[p] == nil || !w.takesPart(r, p) {
			return false
		}
	}
	return true
}
