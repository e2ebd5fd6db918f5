package oracle

import "slices"

// OpenSelf opens the actor's message-to-me room (SELF-02).
type OpenSelf struct{}

func (OpenSelf) wellFormed() bool { return true }

func (OpenSelf) run(c *call) *refusal {
	if c.system() {
		return refused()
	}
	if c.who.Kind != Human {
		if no := c.either(); no != nil {
			return no
		}
	}
	id := SelfID(c.actor)
	r := c.w.Rooms[id]
	if r == nil || r.Ended {
		r = c.begin(&Room{ID: id, Kind: SelfRoom, Company: c.who.Company, Creator: c.actor, Origin: FromSystem, Parties: []string{c.actor}})
		c.join(r, ByCreation, false, c.actor)
		return nil
	}
	c.out.Room, c.out.Kind = r.ID, r.Kind
	if !c.w.takesPart(r, c.actor) {
		c.join(r, AnyCause, false, c.actor)
	}
	return nil
}

// OpenDirect opens the 1:1 room with somebody (DIR-02).
type OpenDirect struct{ With string }

func (x OpenDirect) wellFormed() bool { return x.With != "" }

func (x OpenDirect) run(c *call) *refusal {
	if c.system() {
		return refused()
	}
	if x.With == c.actor {
		return refused() // DIR-01
	}
	if c.who.Kind == Bot {
		if no := c.either(); no != nil {
			return no
		}
	}
	return c.direct(x.With)
}

// direct opens the 1:1 room of the actor with another: the same whichever way
// (CRE-33).
func (c *call) direct(with string) *refusal {
	id := DirectID(c.actor, with)
	r := c.w.Rooms[id]
	exists := r != nil && !r.Ended
	if no := c.notDirect(with, exists); no != nil {
		return no
	}
	pair := []string{c.actor, with}
	slices.Sort(pair)
	if !exists {
		if no := c.cannotAll(pair); no != nil {
			return no
		}
		r = c.begin(&Room{ID: id, Kind: DirectRoom, Company: c.owner(with), Creator: c.actor, Origin: FromContacts, Parties: pair})
		c.join(r, ByCreation, false, pair...)
		return nil
	}
	return c.reopen(r, pair, with)
}

// reopen brings back who of a 1:1 room's parties is out of it (DIR-17).
func (c *call) reopen(r *Room, pair []string, with string) *refusal {
	var back []string
	for _, p := range pair {
		if !c.w.takesPart(r, p) {
			back = append(back, p)
		}
	}
	if no := c.cannotAll(back); no != nil {
		if !c.w.any(back, func(u *User) bool { return u.Status == Deleted || !c.w.served(u) }) {
			no = c.either(no.rules...) // AMB-23 is about new rooms
		}
		if no != nil {
			return no
		}
	}
	if !c.w.served(c.w.Users[with]) {
		if no := c.either("COM-10"); no != nil { // COM-10 is about the room, in which the other one stays
			return no
		}
	}
	c.out.Room, c.out.Kind = r.ID, r.Kind
	c.join(r, ByReopening, false, back...)
	return nil
}

func (c *call) owner(with string) string {
	if c.who.Kind == Line {
		return c.w.Users[with].Company
	}
	return c.who.Company
}

func (c *call) cannotAll(people []string) *refusal {
	var f faults
	for _, p := range people {
		c.w.cannotJoin(&f, p)
	}
	return f.refusal()
}

// notDirect says why two people cannot have a 1:1 room.
func (c *call) notDirect(with string, exists bool) *refusal {
	u := c.w.Users[with]
	var f faults
	switch {
	case u == nil:
		f.add("CRE-49", "EXT-32", "LINE-02")
	case c.who.Kind == Line || u.Kind == Line:
		c.notLine(&f, u, exists)
	case u.Company == c.who.Company:
	case u.Kind == Bot:
		f.add("CRE-49", "EXT-32", "EXT-33", "ADM-04", "EXT-30", "EXT-04")
	default:
		if !exists && !c.w.isContact(c.actor, with) {
			return denied("CRE-49", "EXT-32")
		}
		lacking := !c.w.worksInForce(c.who) || !c.w.worksInForce(u)
		f.when(lacking, "EXT-30", "EXT-33", "ADM-04", "DIR-18")
		f.when(u.Status == Deleted, "ADM-13", "ADM-14", "CRE-49", "EXT-32")
	}
	f.orBecauseOf(c.w, c.who, []string{with})
	return f.refusal()
}

// notLine: the LINE user begins, and the member holds the LINE permission
// (LINE-01, LINE-02).
func (c *call) notLine(f *faults, with *User, exists bool) {
	if c.who.Kind == Line && with.Kind != Human {
		f.add("LINE-01", "LINE-02", "LINE-04", "CRE-49", "EXT-32")
		return
	}
	member := with
	if c.who.Kind != Line {
		member = c.who
		f.when(!exists && !c.w.isContact(c.actor, with.ID), "LINE-02", "EXT-32", "CRE-49")
	}
	f.when(member.Kind == Bot, "LINE-04")
	f.when(!c.w.lineInForce(member), "LINE-01", "ADM-13", "CRE-49")
}
