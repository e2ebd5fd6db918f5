package oracle

import (
	"maps"
	"slices"
)

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
