package oracle

// CreateRoom makes a room of picked people, of the kind that they decide (CRE-01).
type CreateRoom struct {
	People         []string
	Audience       Audience
	Origin         Origin
	Source         string
	Title          string
	Name           string
	Photo          string
	Description    string
	Existing       string
	AllowDuplicate bool
}

// wellFormed asks the path from another room for that room. Who gives no audience
// leaves it to the people (CRE-02, CRE-11, CRE-12).
func (x CreateRoom) wellFormed() bool {
	return some(x.People) && (x.Origin != FromRoom || x.Source != "")
}

// namesOne: a 1:1 room takes no name (CRE-10, DIR-19).
func (x CreateRoom) namesOne() bool {
	return len(x.People) == 1 && (x.Name != "" || x.Photo != "" || x.Description != "")
}

func (x CreateRoom) doubtful() bool {
	return len(unique(x.People...)) < len(x.People) || x.namesOne() || x.Origin == FromContacts
}

func (x CreateRoom) excessive() bool { return longer(x.Name, 1000) || longer(x.Description, 300) }

func (x CreateRoom) run(c *call) *refusal {
	if c.system() {
		return refused()
	}
	if c.who.Kind == Line && len(x.People) == 1 {
		return unsettled // whether this opens the 1:1 room that LINE-02 has them begin
	}
	if c.who.Kind == Line {
		return refused()
	}
	people := unique(x.People...)
	if len(people) != len(x.People) || contains(people, c.actor) || x.Origin == FromContacts {
		return refused()
	}
	if x.namesOne() {
		return malformed
	}
	if no := x.sourceRefused(c); no != nil {
		if x.Existing == "" {
			return no
		}
		if no := c.either(); no != nil { // nothing comes of the source then
			return no
		}
	}
	if len(people) == 1 {
		return x.one(c, people[0])
	}
	return x.several(c, people)
}

// several people: the rooms that they share come first (CRE-04), whether or not a
// new one could take them: who is suspended counts as a participant (AMB-23).
func (x CreateRoom) several(c *call, people []string) *refusal {
	audience := x.audience(c.w, c.who, people)
	if x.Existing != "" {
		return x.choose(c, people, audience)
	}
	if !x.AllowDuplicate {
		if done, no := c.offer(people, audience); done {
			return no
		}
	}
	kind, no := x.kind(c.w, c.who, people)
	if no != nil {
		return no
	}
	if x.Audience == Externals && audienceOf(kind, c.w, people) == Members {
		var f faults
		f.loosely(true, "CRE-11", "CRE-02")
		f.orBecauseOf(c.w, c.who, people)
		return f.refusal()
	}
	return x.create(c, kind, people)
}

// audience is the one chosen; where none is, the people decide.
func (x CreateRoom) audience(w *World, actor *User, people []string) Audience {
	if x.Audience != NoAudience {
		return x.Audience
	}
	for _, p := range people {
		if u := w.Users[p]; u == nil || u.Company != actor.Company {
			return Externals
		}
	}
	return Members
}

// sourceRefused judges the room the people were chosen from (CRE-25, CRE-28), and under
// a narrow policy who is added to them (AMB-27).
func (x CreateRoom) sourceRefused(c *call) *refusal {
	if x.Origin != FromRoom {
		return nil
	}
	if _, no := c.authorised(x.Source, MaySource); no != nil {
		return no
	}
	c.out.Room, c.out.Kind = "", ""
	if !c.w.Policy.MembersFromRooms {
		return nil // CRE-24, CRE-29
	}
	if len(x.People) == 1 && c.w.any(x.People, func(u *User) bool { return u.Company != c.who.Company }) {
		return c.either() // CRE-33 against AMB-27
	}
	var f faults
	for _, p := range x.People {
		if u := c.w.Users[p]; u == nil || u.Company != c.who.Company {
			f.add("AMB-27", "CRE-29", "CRE-25", "CRE-24", "CRE-49", "EXT-32", "CRE-02", "CRE-46")
		}
	}
	f.orBecauseOf(c.w, c.who, x.People)
	return f.refusal()
}

// one person is a 1:1 room (CRE-03, CRE-33).
func (x CreateRoom) one(c *call, with string) *refusal {
	u := c.w.Users[with]
	outsider := u != nil && u.Company != c.who.Company
	if x.Existing != "" {
		if no := c.either(); no != nil || x.Existing != DirectID(c.actor, with) {
			return refused() // LST-09: 1:1 rooms are not offered
		}
	}
	switch {
	case x.Audience == Members && outsider:
		return denied("CRE-02", "CRE-49", "EXT-32")
	case x.Audience == Externals && u != nil && !outsider:
		var f faults
		f.loosely(true, "CRE-11", "CRE-02")
		f.orBecauseOf(c.w, c.who, x.People)
		return f.refusal()
	}
	return c.direct(with)
}

// kind derives the kind from the people (CRE-02, CRE-11, CRE-46, CRE-47, CRE-50).
func (x CreateRoom) kind(w *World, actor *User, people []string) (Kind, *refusal) {
	var f faults
	f.when(w.unknown(people), "CRE-49", "EXT-32")
	works := w.any(people, func(u *User) bool { return u.Kind != Line && u.Company != actor.Company })
	line := w.any(people, func(u *User) bool { return u.Kind == Line })
	f.loosely(x.Audience == Members && (works || line), "CRE-02", "CRE-49", "EXT-32")
	f.when(works && line, "CRE-46")
	f.orBecauseOf(w, actor, people)
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
func (x CreateRoom) choose(c *call, people []string, audience Audience) *refusal {
	r, no := c.room(x.Existing)
	if no != nil {
		return no
	}
	for _, o := range c.w.offers(c.actor, people, audience) {
		if o.Room == r.ID && o.Unsure {
			return c.either()
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
	case len(all) == 0:
		return false, nil
	case sure:
		c.out.Offers = all
		return true, nil
	case c.w.Answer == "":
		return true, c.either()
	}
	c.trusts = true
	if c.w.Answer == Offers {
		c.out.Offers = all
		return true, nil
	}
	return false, nil
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
	f.loosely(longer(name, 1000), "LIM-05")
	f.loosely(longer(x.Description, 300))
	c.notGeneral(&f, people)
	c.w.tooLarge(&f, GeneralRoom, len(people)+1)
	if no := f.refusal(); no != nil {
		return no
	}
	c.openGeneral(&Room{Name: name, Photo: x.Photo, Description: x.Description, Origin: x.Origin}, people)
	return nil
}

func (c *call) openGeneral(r *Room, people []string) {
	r.Kind, r.Company, r.Creator = GeneralRoom, orDefault(c.who.Company, r.Company), c.actor
	c.begin(r)
	c.join(r, ByCreation, false, unique(append([]string{c.actor}, people...)...)...)
}

// notGeneral collects why people cannot come into a new general room.
func (c *call) notGeneral(f *faults, people []string) {
	line := c.w.any(people, func(u *User) bool { return u.Kind == Line })
	c.notHostingLine(f, line)
	for _, p := range people {
		c.w.cannotJoin(f, p)
		if u := c.w.Users[p]; u != nil && line {
			c.notBesideLine(f, u)
		}
	}
}

// notHostingLine collects why the actor cannot bring LINE users into a new room.
func (c *call) notHostingLine(f *faults, line bool) {
	f.when(line && c.who.Kind == Bot, "LINE-04")
	f.when(line && c.who.Kind != Line && !c.w.lineInForce(c.who), "LINE-01")
}

// notBesideLine collects why a person cannot be where LINE users are.
func (c *call) notBesideLine(f *faults, u *User) {
	f.when(u.Kind == Line && !c.w.isContact(c.actor, u.ID), "LINE-02", "EXT-32", "CRE-49")
	f.when(u.Kind == Bot, "LINE-04")
	f.when(u.Kind == Human && !c.w.lineInForce(u), "LINE-01")
}
