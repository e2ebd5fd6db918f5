package oracle

import (
	"maps"
	"slices"
)

// CreateGroup makes a group or an external group (CRE-34, CRE-35).
type CreateGroup struct {
	External    bool // the library's CreateExternalGroup
	Name        string
	Members     []string
	Masters     []string
	ForOthers   bool
	Photo       string
	Description string
	Settings    Settings
}

func (x CreateGroup) wellFormed() bool { return len(x.Members) <= 500 && len(x.Masters) <= 500 }

// doubtful is a form that may be refused before the actor is looked at.
func (x CreateGroup) doubtful() bool {
	return x.Name == "" || x.ForOthers && len(x.Masters) == 0 || x.External && x.Settings.Public
}

func (x CreateGroup) excessive() bool {
	return longer(x.Name, 100) || longer(x.Description, 300) || twice(x.Members) || twice(x.Masters)
}

func (x CreateGroup) run(c *call) *refusal {
	if c.system() {
		return refused()
	}
	if c.who.Kind != Human {
		return denied() // CRE-36 is about members
	}
	g := newGroup{
		kind: GroupRoom, name: x.Name, photo: x.Photo, description: x.Description,
		origin: FromContacts, settings: x.Settings,
	}
	if x.External {
		g.kind = ExternalRoom
	}
	if x.ForOthers {
		empty := !c.w.any(x.Members, human) // nobody who could talk: COM-09 is about the last one leaving
		if empty || contains(x.Members, c.actor) || g.kind == ExternalRoom && !c.w.worksInForce(c.who) {
			if no := c.either(); no != nil {
				return no
			}
		}
		g.members, g.masters = unique(x.Members...), unique(x.Masters...)
	} else {
		g.members = unique(append([]string{c.actor}, x.Members...)...)
		g.masters = unique(append([]string{c.actor}, x.Masters...)...)
	}
	f := c.groupFaults(g)
	f.when(x.ForOthers && !c.who.Admin, "ADM-10", "CRE-36", "GRP-03", "EXT-26")
	f.loosely(x.ForOthers && len(x.Masters) == 0, "CRE-51", "GRP-04", "EXT-27")
	return g.open(c, f)
}

// newGroup is a group on its way: by Contacts, picker or invitation.
type newGroup struct {
	kind        Kind
	name        string
	photo       string
	description string
	origin      Origin
	members     []string // everybody who takes part, the actor included
	known       []string // members who come from a room with the actor: no contacts needed
	masters     []string
	settings    Settings
}

func contains(people []string, p string) bool { return slices.Contains(people, p) }

// groupFaults collects everything that speaks against a new group.
func (c *call) groupFaults(g newGroup) *faults {
	f := &faults{}
	c.w.noNewGroup(f, g.kind, c.who)
	c.w.badGroupName(f, g.kind, c.who.Company, g.name, "")
	f.loosely(longer(g.description, 300), "GRP-30", "EXT-35")
	f.loosely(g.kind == ExternalRoom && g.settings.Public, "EXT-10", "EXT-08")
	for _, p := range g.members {
		switch {
		case p == c.actor || contains(g.known, p):
		case g.kind == GroupRoom:
			c.w.notInternal(f, c.who.Company, p)
		default:
			c.w.notExternal(f, c.who, p)
		}
	}
	for _, p := range g.masters {
		if p != c.actor {
			c.w.notMaster(f, g.kind, c.who.Company, p)
			if g.kind == ExternalRoom && !contains(g.known, p) {
				c.w.cannotMeet(f, c.who, p)
			}
		}
	}
	c.w.tooManyGroups(f, g.members)
	c.w.tooLarge(f, g.kind, len(g.members))
	return f
}

func (g newGroup) open(c *call, f *faults) *refusal {
	if no := f.refusal(); no != nil {
		return no
	}
	r := c.begin(&Room{
		Kind: g.kind, Company: c.who.Company, Creator: c.actor, Origin: g.origin,
		Name: g.name, Photo: g.photo, Description: g.description,
		Public: g.settings.Public, Sharing: g.settings.Sharing, Notify: g.settings.Notify,
		Features: c.w.startingFeatures(g.kind, g.settings.FeaturesOff),
	})
	if g.settings.MessageOff {
		r.OffSince = c.now
	}
	c.join(r, ByCreation, g.settings.Sharing, g.members...)
	c.appoint(r, ByCreation, g.masters...)
	return nil
}

func (w *World) startingFeatures(k Kind, off Features) Features {
	on := Features{}
	for _, f := range allFeatures {
		if w.offered(k, f) && !off[f] {
			on[f] = true
		}
	}
	return on
}

// Convert makes a General room a group (CRE-43).
type Convert struct {
	Room string
	To   Kind
	Name string
}

func (x Convert) wellFormed() bool { return x.To.Managed() }

func (x Convert) excessive() bool { return longer(x.Name, 100) }

func (x Convert) run(c *call) *refusal {
	r, no := c.room(x.Room)
	if no != nil {
		return no
	}
	if c.system() {
		return denied()
	}
	if r.Kind != GeneralRoom || !c.w.takesPart(r, c.actor) {
		return c.may(r, MayConvert)
	}
	kept, dropped, away := x.sort(c, r)
	name := orDefault(x.Name, r.Name)
	f := &faults{}
	f.when(c.w.hasLine(r), "CRE-42", "GRP-02", "EXT-03", "LINE-07")
	if c.who.Kind == Line {
		f.add("CRE-36", "CRE-37", "CRE-38")
		return f.refusal()
	}
	c.w.noNewGroup(f, x.To, c.who)
	c.w.badGroupName(f, x.To, r.Company, name, "")
	c.w.tooManyGroups(f, append(kept, c.actor))
	c.w.tooLarge(f, x.To, len(kept)+1)
	if no := f.refusal(); no != nil {
		return no
	}
	for _, p := range away {
		c.leave(r, ByAccount, p)
	}
	x.apply(c, r, name, dropped)
	c.out.Dropped, c.out.Unsure = dropped, away
	return nil
}

// sort says who of the others stays. Whose participation is void is away
// already; an external group drops who lacks the permission (CRE-41).
func (x Convert) sort(c *call, r *Room) (kept, dropped, away []string) {
	for _, p := range slices.Sorted(maps.Keys(r.Participants)) {
		switch {
		case p == c.actor:
		case c.w.voidParticipant(r, p):
			away = append(away, p)
		case x.To == GroupRoom:
			kept = append(kept, p)
		case !c.w.worksInForce(c.w.Users[p]):
			dropped = append(dropped, p)
		default:
			kept = append(kept, p)
		}
	}
	return kept, dropped, away
}

// apply keeps the room, its people and what they may read. In an external group
// everybody's membership begins with the conversion as far as permissions go.
func (x Convert) apply(c *call, r *Room, name string, dropped []string) {
	for _, p := range dropped {
		c.leave(r, ByConversion, p)
	}
	r.Kind, r.Name, r.Converted = x.To, name, true
	r.Features = c.w.startingFeatures(x.To, nil)
	if x.To == ExternalRoom {
		for p, m := range r.Participants {
			m.Since = c.w.Step
			r.Participants[p] = m
		}
	}
	c.appoint(r, ByConversion, c.actor)
	c.out.Kind = x.To
	c.changed = true
}
