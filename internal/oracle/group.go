package oracle

import (
	"slices"
)

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
