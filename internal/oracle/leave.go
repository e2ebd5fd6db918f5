package oracle

import (
	"maps"
	"slices"
)

// Leave takes the actor out of a room (GEN-09).
type Leave struct{ Room string }

func (Leave) wellFormed() bool { return true }

func (x Leave) run(c *call) *refusal {
	r, no := c.authorised(x.Room, MayLeave)
	if no != nil {
		return no
	}
	c.leave(r, BySelf, c.actor)
	c.settle(r)
	return nil
}

// Remove takes people out of a room (GEN-06, GRP-07).
type Remove struct {
	Room   string
	People []string
}

func (x Remove) wellFormed() bool { return some(x.People) }

func (x Remove) excessive() bool { return twice(x.People) }

func (x Remove) run(c *call) *refusal {
	r, no := c.authorised(x.Room, MayRemove)
	if no != nil {
		return no
	}
	var f faults
	people := unique(x.People...)
	for _, p := range people {
		_, in := r.Participants[p]
		f.when(!in, "COM-08")
	}
	self := contains(people, c.actor)
	f.when(self && r.Kind == GeneralRoom, "GEN-36")
	f.when(self && r.Kind.Managed() && !c.w.manages(r, c.actor), "GRP-12", "EXT-17", "EXT-18") // AMB-06 is about masters
	if len(c.w.mastersWithout(r, people)) == 0 {
		f.when(endsRole(r, people), "GRP-45", "GRP-04", "GRP-08", "GRP-09", "EXT-27", "AMB-06")
	}
	if no := f.refusal(); no != nil {
		return no
	}
	for _, p := range people {
		why := ByRemoval
		if p == c.actor {
			why = AnyCause
		}
		if c.w.voidParticipant(r, p) {
			c.leave(r, c.why(r, p, r.Participants[p].Since), p)
		}
		c.leave(r, why, p)
		c.dismissFor(r, why, p)
	}
	c.settle(r)
	return nil
}

// dismissFor ends a role, one that is void for its own reason (NTF-09).
func (c *call) dismissFor(r *Room, why Cause, p string) {
	if c.w.voidMaster(r, p) {
		why = c.why(r, p, r.Masters[p])
	}
	c.dismiss(r, why, p)
}

func endsRole(r *Room, people []string) bool {
	return slices.ContainsFunc(people, func(p string) bool {
		_, is := r.Masters[p]
		return is
	})
}

// mastersWithout are the effective masters who are not among people.
func (w *World) mastersWithout(r *Room, people []string) map[string]bool {
	left := w.effectiveMasters(r)
	for _, p := range people {
		delete(left, p)
	}
	return left
}

// Expel carries out what a change of the directory has decided (EXT-22, ADM-13).
type Expel struct {
	Room   string
	People []string
	Cause  Cause // ByPermission or ByAccount
}

func (x Expel) wellFormed() bool {
	return some(x.People) && (x.Cause == ByPermission || x.Cause == ByAccount)
}

func (x Expel) excessive() bool { return twice(x.People) }

// run of an Expel is the system's; for a room that never was, or that has ended,
// it has nothing to carry out.
func (x Expel) run(c *call) *refusal {
	if !c.system() {
		return denied()
	}
	r := c.w.Rooms[x.Room]
	if r == nil || r.Ended {
		return nil
	}
	c.out.Room, c.out.Kind = r.ID, r.Kind
	people := unique(x.People...)
	for _, p := range people {
		if c.expelUnsettled(r, p, x.Cause) {
			return unsettled
		}
	}
	masters := len(r.Masters)
	for _, p := range people {
		if m, in := r.Participants[p]; in && c.applies(r, p, m.Since, x.Cause) {
			c.leave(r, x.Cause, p)
		}
		if since, is := r.Masters[p]; is && c.applies(r, p, since, x.Cause) {
			c.dismiss(r, x.Cause, p)
		}
	}
	c.settle(r)
	c.vacate(r, x.Cause, masters)
	return nil
}

func (c *call) applies(r *Room, p string, since int, why Cause) bool {
	u := c.w.Users[p]
	if why == ByAccount {
		return accountLost(u, since)
	}
	return r.Kind == ExternalRoom && c.w.worksLost(u, since)
}

// expelUnsettled: whether an ended account counts as a lost permission.
func (c *call) expelUnsettled(r *Room, p string, why Cause) bool {
	u := c.w.Users[p]
	if u == nil || why == ByAccount {
		return false
	}
	_, in := r.Participants[p]
	_, over := r.Masters[p]
	return (in || over) && r.Kind == ExternalRoom && (u.Status == Deleted || u.LostAccount > 0)
}

// Sweep carries out everywhere what changes of the directory have decided: void
// participations and roles end.
func (w *World) Sweep() Outcome {
	w.Step++
	c := &call{w: w, actor: System}
	for _, id := range slices.Sorted(maps.Keys(w.Rooms)) {
		if r := w.Rooms[id]; !r.Ended {
			c.sweep(r)
		}
	}
	c.doubt()
	w.Swept = w.Step
	c.out.Verdict = NoOp
	if c.changed {
		c.out.Verdict = OK
	}
	c.notify()
	return c.out
}

// doubt: bots and Group Masters in a room that ends go for their own reason, or
// because the room ends; it depends on who is swept out first.
func (c *call) doubt() {
	for i, move := range c.out.Left {
		if r := c.w.Rooms[move.Room]; r.Ended && c.w.Users[move.User].Kind == Bot {
			c.out.Left[i].Cause = AnyCause
			r.EndedWith[move.User] = Perhaps
		}
	}
	for i, move := range c.out.Dismissed {
		if r := c.w.Rooms[move.Room]; r.Ended {
			c.out.Dismissed[i].Cause = AnyCause
			r.EndedWith[move.User] = Perhaps
		}
	}
}

func (c *call) sweep(r *Room) {
	masters, last := len(r.Masters), Cause("")
	for _, p := range slices.Sorted(maps.Keys(r.Masters)) {
		if since := r.Masters[p]; c.w.voidSince(r, p, since) {
			last = c.why(r, p, since)
			c.dismiss(r, last, p)
		}
	}
	for _, p := range slices.Sorted(maps.Keys(r.Participants)) {
		if m := r.Participants[p]; c.w.voidSince(r, p, m.Since) {
			c.leave(r, c.why(r, p, m.Since), p)
		}
	}
	if len(r.Participants) == 0 || !c.w.hasHuman(r) {
		c.settle(r)
	}
	c.vacate(r, last, masters)
}

func (c *call) why(r *Room, p string, since int) Cause {
	account := accountLost(c.w.Users[p], since)
	permission := r.Kind == ExternalRoom && c.w.worksLost(c.w.Users[p], since)
	switch {
	case account && permission:
		return AnyCause
	case account:
		return ByAccount
	default:
		return ByPermission
	}
}
