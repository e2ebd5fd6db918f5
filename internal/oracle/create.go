package oracle

import "unicode/utf8"

func (x CreateRoom) run(c *call) *refusal {
	if c.system() {
		return refused()
	}
	if c.who.Kind != Human {
		return unsettled
	}
	people := unique(x.People...)
	if len(people) != len(x.People) || contains(people, c.actor) || x.Origin == FromContacts {
		return refused()
	}
	if no := x.sourceRefused(c); no != nil {
		return no
	}
	if len(people) == 1 {
		return x.one(c, people[0])
	}
	kind, no := x.kind(c.w, c.who, people)
	if no != nil {
		return no
	}
	if x.Use != "" {
		return x.choose(c, people, kind)
	}
	if !x.Anyway {
		if done, no := c.offer(people, audienceOf(kind, c.w, people)); done {
			return no
		}
	}
	return x.create(c, kind, people)
}

// sourceRefused judges the room the people were chosen from (CRE-25, CRE-28).
func (x CreateRoom) sourceRefused(c *call) *refusal {
	if x.Origin != FromRoom {
		return nil
	}
	if _, no := c.authorised(x.Source, MaySource); no != nil {
		return no
	}
	c.out.Room, c.out.Kind = "", ""
	var f faults
	f.loosely(x.Audience == Externals, "CRE-02", "CRE-29", "CRE-25", "AMB-27", "CRE-11")
	for _, p := range x.People {
		if u := c.w.Users[p]; u == nil || u.Company != c.who.Company {
			f.add("AMB-27", "CRE-29", "CRE-25", "CRE-24", "CRE-49", "EXT-32", "CRE-02")
		}
	}
	return f.refusal()
}

// one person is a 1:1 room (CRE-03, CRE-33).
func (x CreateRoom) one(c *call, with string) *refusal {
	u := c.w.Users[with]
	outsider := u != nil && u.Company != c.who.Company
	if x.Audience == Members && outsider {
		return denied("CRE-02", "CRE-49", "EXT-32")
	}
	if x.Audience == Externals && u != nil && !outsider {
		return unsettled
	}
	return c.direct(with, x.Origin)
}

// kind derives the kind from the people (CRE-02, CRE-11, CRE-46, CRE-47, CRE-50).
func (x CreateRoom) kind(w *World, actor *User, people []string) (Kind, *refusal) {
	var f faults
	f.when(w.unknown(people), "CRE-49", "EXT-32")
	works := w.any(people, func(u *User) bool { return u.Kind != Line && u.Company != actor.Company })
	line := w.any(people, func(u *User) bool { return u.Kind == Line })
	f.loosely(x.Audience == Members && (works || line), "CRE-02", "CRE-49", "EXT-32")
	f.loosely(x.Audience == Externals && !works && !line, "CRE-11", "CRE-02")
	f.when(works && line, "CRE-46")
	if no := f.refusal(); no != nil {
		return "", no
	}
	if works {
		return ExternalRoom, nil
	}
	return GeneralRoom, nil
}

func audienceOf(k Kind, w *World, people []string) Audience {
	if k == ExternalRoom || w.any(people, func(u *User) bool { return u.Kind == Line }) {
		return Externals
	}
	return Members
}

// choose goes on in a room that was offered (CRE-05).
func (x CreateRoom) choose(c *call, people []string, k Kind) *refusal {
	r, no := c.room(x.Use)
	if no != nil {
		return no
	}
	for _, o := range c.w.offers(c.actor, people, audienceOf(k, c.w, people)) {
		if o.Room == r.ID && o.Unsure {
			return unsettled
		}
		if o.Room == r.ID {
			return nil
		}
	}
	return denied()
}

// offer answers with the rooms that exist already (CRE-04).
func (c *call) offer(people []string, audience Audience) (done bool, no *refusal) {
	all := c.w.offers(c.actor, people, audience)
	sure := false
	for _, o := range all {
		sure = sure || !o.Unsure
	}
	switch {
	case sure:
		c.out.Offers = all
		return true, nil
	case len(all) > 0:
		return true, unsettled
	default:
		return false, nil
	}
}

func (x CreateRoom) create(c *call, k Kind, people []string) *refusal {
	name := x.Name
	titled := x.Origin == FromEvent || x.Origin == FromMail
	if name == "" && titled {
		limit := 1000
		if k == ExternalRoom {
			limit = 100
		}
		name = shorten(x.Title, limit) // CRE-17, CRE-21, CRE-32
	}
	if k == ExternalRoom {
		g := newGroup{kind: k, name: name, photo: x.Photo, description: x.Description, origin: x.Origin}
		g.members = append([]string{c.actor}, people...)
		g.masters = []string{c.actor}
		return g.open(c, c.groupFaults(g))
	}
	var f faults
	f.loosely(utf8.RuneCountInString(name) > 1000, "LIM-05")
	f.loosely(utf8.RuneCountInString(x.Description) > 300)
	c.notGeneral(&f, people)
	c.w.tooLarge(&f, GeneralRoom, len(people)+1)
	if no := f.refusal(); no != nil {
		return no
	}
	c.openGeneral(&Room{Name: name, Photo: x.Photo, Description: x.Description, Origin: x.Origin}, people)
	return nil
}

func (c *call) openGeneral(r *Room, people []string) {
	r.Kind, r.Company, r.Creator = GeneralRoom, c.who.Company, c.actor
	c.begin(r)
	c.join(r, ByCreation, false, unique(append([]string{c.actor}, people...)...)...)
}

// notGeneral collects why people cannot come into a new general room.
func (c *call) notGeneral(f *faults, people []string) {
	line := c.w.any(people, func(u *User) bool { return u.Kind == Line })
	f.when(line && !c.w.lineInForce(c.who), "LINE-01")
	for _, p := range people {
		c.w.cannotJoin(f, p)
		if u := c.w.Users[p]; u != nil && line {
			c.notBesideLine(f, u)
		}
	}
}

// notBesideLine collects why a person cannot be where LINE users are.
func (c *call) notBesideLine(f *faults, u *User) {
	f.when(u.Kind == Line && !c.w.isContact(c.actor, u.ID), "LINE-02", "EXT-32", "CRE-49")
	f.when(u.Kind == Bot, "LINE-04")
	f.when(u.Kind == Human && !c.w.lineInForce(u), "LINE-01")
}
