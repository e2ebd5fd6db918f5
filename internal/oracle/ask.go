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
	r, u := w.Rooms[room], w.Users[user]
	switch w.Visible(user, room) {
	case Perhaps:
		return refused()
	case Certainly:
	default:
		return notFound
	}
	no := w.actorRefused(user)
	switch {
	case no != nil && r.Ended:
		return denied(append(no.rules, "COM-14")...)
	case no != nil:
		return no
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
	return w.actions(r, w.Standing(user, r))
}

// CanEnter says whether a user may enter a room and read it.
func (w *World) CanEnter(user, room string) Outcome { return w.Check(user, MayEnter, room) }

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

// MayPick reports whether a user picks people for rooms of several: LINE users
// cannot begin (LINE-02).
func (w *World) MayPick(user string) bool { return w.Users[user] == nil || w.Users[user].Kind != Line }

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
		out = append(out, Offer{Room: id, Exact: extra == 0, Extra: extra, Unsure: !r.OffSince.IsZero() || r.Kind == TeamRoom && !w.Teams[TeamKey(r.Company, r.Team)].Room})
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

// Visible says whether a user may know that a room exists.
func (w *World) Visible(user, room string) Certainty {
	r, u := w.Rooms[room], w.Users[user]
	switch {
	case r == nil || u == nil:
		return 0
	case u.Status == Deleted || r.Ended && r.EndedWith[user] == Perhaps:
		return Perhaps
	case w.visible(u, r):
		return Certainly
	case r.Ended && administers(u, r):
		return Perhaps // the account is not in use
	}
	return 0
}

// Barred reports whether a user may do nothing at all at present: no such
// account, one that is not in use, or a company without the product.
func (w *World) Barred(user string) bool { return w.actorRefused(user) != nil }

// GroupsOf is in how many groups a user takes part (LIM-02).
func (w *World) GroupsOf(user string) int { return w.groupsOf(user) }

// OwnedGroups is how many groups a company has (LIM-01).
func (w *World) OwnedGroups(company string) int { return w.ownedGroups(company) }

// Recall says whether a user may recall a message of somebody that is so old
// (FEA-10 to FEA-14).
func (w *World) Recall(user, author, room string, age time.Duration) Outcome {
	action := MayRecallOthers
	if author == user {
		action = MayRecallOwn
	}
	no := w.check(user, action, room)
	r, u := w.Rooms[room], w.Users[user]
	switch {
	case no != nil && no.verdict != Open && author != user && w.CanEnter(user, room).Verdict == OK:
		return Outcome{Verdict: Denied, Rules: othersMessages(r)}
	case no != nil && no.verdict != Open:
		return Outcome{Verdict: Refused}
	case r.HadLine:
		return Outcome{Verdict: Denied, Rules: []string{"FEA-14"}}
	}
	short, long := w.recallWindow(u.Company), w.recallWindow(r.Company) // whose administrator's time it is, is not said
	if short > long {
		short, long = long, short
	}
	switch {
	case no != nil || author != user && age > short || age > short && age <= long:
		return Outcome{Verdict: Open} // whether others' messages may be older
	case age > long:
		return Outcome{Verdict: Denied, Rules: []string{"FEA-10"}}
	}
	return Outcome{Verdict: OK}
}

// othersMessages lists the rules that keep a participant from recalling what others
// wrote.
func othersMessages(r *Room) []string {
	rules := []string{"FEA-12"}
	if r.Kind.Managed() || r.Kind == TeamRoom {
		rules = []string{"FEA-11"}
	}
	if r.HadLine {
		rules = append(rules, "FEA-14")
	}
	return rules
}

// recallWindow of people without a company is everybody's longest.
func (w *World) recallWindow(company string) time.Duration {
	day := 24 * time.Hour
	if co := w.Companies[company]; co != nil {
		return orDefault(co.RecallWindow, day)
	}
	return day
}

// Due are the rooms of a company whose content is to be deleted (GRP-38, TEAM-19).
func (w *World) Expired(company string, now time.Time) []string {
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(w.Rooms)) {
		r := w.Rooms[id]
		if !r.Ended && r.Company == company && !r.OffSince.IsZero() && !now.Before(r.OffSince.Add(w.OffPeriod())) {
			ids = append(ids, id)
		}
	}
	return ids
}

// OffPeriod is how long message may be off before the content is to be deleted.
func (w *World) OffPeriod() time.Duration { return orDefault(w.Policy.OffPeriod, 30*24*time.Hour) }
