package oracle

import (
	"maps"
	"slices"
)

func (x Invite) run(c *call) *refusal {
	r, no := c.authorised(x.Room, MayInvite)
	if no != nil {
		return no
	}
	var invited []string
	for _, p := range unique(x.People...) {
		if _, in := r.Participants[p]; !in || c.w.voidParticipant(r, p) {
			invited = append(invited, p) // COM-07 for the others
		}
	}
	switch {
	case len(invited) == 0:
		return nil
	case r.Kind.Managed():
		return c.admit(r, invited)
	case c.who.Kind != Human:
		return unsettled
	default:
		return x.freely(c, r, invited)
	}
}

// admit adds people to a group.
func (c *call) admit(r *Room, people []string) *refusal {
	var f faults
	for _, p := range people {
		if r.Kind == GroupRoom {
			c.w.notInternal(&f, r.Company, p)
		} else {
			c.w.notExternal(&f, c.who, p)
		}
	}
	var more []string
	for _, p := range people {
		if _, in := r.Participants[p]; !in {
			more = append(more, p)
		}
	}
	c.w.tooManyGroups(&f, more)
	c.w.tooLarge(&f, r.Kind, len(r.Participants)+len(more))
	if no := f.refusal(); no != nil {
		return no
	}
	c.join(r, ByMaster, r.Sharing, people...)
	return nil
}

// mixture says whom a room and the invited people bring together.
type mixture struct {
	works   bool // users of another company are invited
	line    bool // LINE users are invited
	works0  bool // the 1:1 partner is of another company
	line0   bool // LINE users are in the room
	unknown bool
}

func (c *call) mixture(r *Room, invited []string) mixture {
	foreign := func(u *User) bool { return u.Kind != Line && u.Company != c.who.Company }
	return mixture{
		works:   c.w.any(invited, foreign),
		line:    c.w.any(invited, func(u *User) bool { return u.Kind == Line }),
		works0:  c.w.holds(r, foreign),
		line0:   c.w.hasLine(r),
		unknown: c.w.unknown(invited),
	}
}

// freely invites into a general or 1:1 room, or opens a new room (GEN-27,
// DIR-06).
func (x Invite) freely(c *call, r *Room, invited []string) *refusal {
	m := c.mixture(r, invited)
	works, line := m.works || m.works0, m.line || m.line0
	switch {
	case m.unknown:
		return denied("CRE-49", "EXT-32")
	case works && line:
		return denied("CRE-46", "EXT-03")
	case works:
		return x.newExternal(c, r, invited)
	case r.Kind == DirectRoom || m.line && !m.line0:
		return x.newGeneral(c, r, invited, line)
	}
	var f faults
	for _, p := range invited {
		c.w.cannotJoin(&f, p)
		if line {
			c.notBesideLine(&f, c.w.Users[p])
		}
	}
	c.w.tooLarge(&f, GeneralRoom, len(r.Participants)+len(invited))
	if no := f.refusal(); no != nil {
		return no
	}
	c.join(r, ByInvitation, r.Sharing, invited...)
	return nil
}

// taken sorts the people of the old room: who comes along, who is dropped for
// lack of a permission, and who stays away because of the account.
func (c *call) taken(r *Room, holds func(*User) bool) (along, dropped, away []string) {
	for _, p := range slices.Sorted(maps.Keys(r.Participants)) {
		u := c.w.Users[p]
		switch {
		case p == c.actor:
		case u.Status != Active || c.w.voidParticipant(r, p):
			away = append(away, p)
		case holds(u):
			along = append(along, p)
		default:
			dropped = append(dropped, p)
		}
	}
	return along, dropped, away
}

func (x Invite) newExternal(c *call, r *Room, invited []string) *refusal {
	along, dropped, away := c.taken(r, c.w.worksInForce)
	everybody := unique(slices.Concat([]string{c.actor}, along, invited)...)
	if !c.w.any(everybody, func(u *User) bool { return u.Company != c.who.Company }) {
		return unsettled // the outsider of the 1:1 room is not among them any more
	}
	g := newGroup{
		kind: ExternalRoom, name: orDefault(x.Name, r.Name), origin: FromInvite,
		members: everybody, known: along, masters: []string{c.actor},
	}
	if no := g.open(c, c.groupFaults(g)); no != nil {
		return no
	}
	c.out.Dropped, c.out.Unsure = dropped, away
	return nil
}

func (x Invite) newGeneral(c *call, r *Room, invited []string, line bool) *refusal {
	along, dropped, away := c.taken(r, func(u *User) bool {
		return !line || u.Kind == Line || c.w.lineInForce(u)
	})
	var f faults
	f.when(line && !c.w.lineInForce(c.who), "LINE-01")
	for _, p := range invited {
		c.w.cannotJoin(&f, p)
		if line {
			c.notBesideLine(&f, c.w.Users[p])
		}
	}
	size := len(unique(slices.Concat([]string{c.actor}, along, invited)...))
	f.when(size < 3, "GEN-29")
	c.w.tooLarge(&f, GeneralRoom, size)
	if no := f.refusal(); no != nil {
		return no
	}
	c.openGeneral(&Room{Origin: FromInvite}, slices.Concat(along, invited))
	c.out.Dropped, c.out.Unsure = dropped, away
	return nil
}
