package oracle

import (
	"maps"
	"slices"
)

// Invite lets people take part, in this room or in a new one (COM-13, DIR-06, GEN-27).
type Invite struct {
	Room   string
	People []string
	Name   string
}

func (x Invite) wellFormed() bool { return some(x.People) }

func (x Invite) excessive() bool { return longer(x.Name, 100) || twice(x.People) }

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
	default:
		return x.freely(c, r, invited)
	}
}

// admit adds people to a group.
func (c *call) admit(r *Room, people []string) *refusal {
	var f, doubts faults
	doubts.when(c.w.full(r, people), "LIM-07", "LIM-02")
	for _, p := range people {
		_, in := r.Participants[p]
		switch {
		case r.Kind == GroupRoom:
			c.w.notInternal(&f, r.Company, p)
		case in: // whether somebody has to be a contact who comes back
			c.w.cannotMeet(&doubts, c.who, p)
			c.w.unfitForExternal(&f, p)
		default:
			c.w.notExternal(&f, c.who, p)
		}
	}
	more := absent(r, people)
	c.w.tooManyGroups(&f, more)
	c.w.tooLarge(&f, r.Kind, len(r.Participants)+len(more))
	if no := c.judge(f, doubts); no != nil {
		return no
	}
	c.join(r, ByMaster, r.Sharing, people...)
	return nil
}

// absent are those who are not in the room, not even as void participants.
func absent(r *Room, people []string) (out []string) {
	for _, p := range people {
		if _, in := r.Participants[p]; !in {
			out = append(out, p)
		}
	}
	return out
}

// full: a limit would be passed if void participants counted beside those who
// take their places. The rule book does not speak of it.
func (w *World) full(r *Room, people []string) bool {
	var f faults
	w.tooLarge(&f, r.Kind, len(r.Participants)+len(people))
	if r.Kind.Managed() {
		w.tooManyGroups(&f, people)
	}
	return f.refusal() != nil && len(absent(r, people)) < len(people)
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
	home := orDefault(c.who.Company, r.Company) // LINE users have none
	foreign := func(u *User) bool { return u.Kind != Line && u.Company != home }
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
	if c.who.Kind == Line {
		if no := c.either(); no != nil { // GEN-02 against CRE-49: they have no contacts
			return no
		}
	}
	m := c.mixture(r, invited)
	works, line := m.works || m.works0, m.line || m.line0
	if c.who.Kind == Line && (works || r.Kind == DirectRoom || m.line && !m.line0) {
		return refused() // LINE-02: a room opens only for those who may create it
	}
	switch {
	case m.unknown:
		return denied("CRE-49", "EXT-32")
	case (m.works0 || m.line0) && c.w.stayAway(r, orDefault(c.who.Company, r.Company)):
		return unsettled // whether those who stay away decide the kind
	case works && line:
		f := c.groupFaults(x.group(c, r, invited, nil))
		f.add("CRE-46", "EXT-03")
		f.orBecauseOf(c.w, c.who, invited)
		return f.refusal()
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
	c.w.tooLarge(&f, GeneralRoom, len(r.Participants)+len(absent(r, invited)))
	var doubts faults
	doubts.when(c.w.full(r, invited), "LIM-07", "LIM-02")
	if no := c.judge(f, doubts); no != nil {
		return no
	}
	c.join(r, ByInvitation, r.Sharing, invited...)
	return nil
}

// stayAway reports whether somebody of another company would not come along.
func (w *World) stayAway(r *Room, company string) bool {
	for p := range r.Participants {
		u := w.Users[p]
		if lacks := u.Kind == Human && !w.worksInForce(u); u.Company != company && (u.Status != Active || lacks || !w.served(u) || w.voidParticipant(r, p)) {
			return true
		}
	}
	return false
}

// taken sorts the people of the old room: who comes along, who is dropped for
// lack of a permission, and who stays away because of the account.
func (c *call) taken(r *Room, holds func(*User) bool) (along, dropped, away []string) {
	for _, p := range slices.Sorted(maps.Keys(r.Participants)) {
		u := c.w.Users[p]
		switch {
		case p == c.actor:
		case u.Status != Active || !c.w.served(u) || c.w.voidParticipant(r, p):
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
	var f faults
	f.when(c.who.Kind == Bot, "EXT-04", "EXT-02")
	f.when(c.who.Kind == Human && !c.w.worksInForce(c.who), "CRE-38", "EXT-28", "EXT-30")
	for _, p := range invited {
		c.w.notExternal(&f, c.who, p)
	}
	if f.refusal() == nil && c.openedBefore(ExternalRoom, everybody) {
		c.out.Dropped, c.out.Unsure = dropped, away
		return nil
	}
	g := x.group(c, r, everybody, along)
	if no := g.open(c, c.groupFaults(g)); no != nil {
		return no
	}
	c.out.Dropped, c.out.Unsure = dropped, away
	return nil
}

// openedBefore finds the room that these people have already, and no others: what was
// asked for twice opens one room (DIR-06, GEN-27; CRE-04 for creating).
func (c *call) openedBefore(k Kind, everybody []string) bool {
	others := slices.DeleteFunc(slices.Clone(everybody), func(p string) bool { return p == c.actor })
	audience := Members
	if c.w.any(others, func(u *User) bool { return u.Company != c.who.Company }) {
		audience = Externals
	}
	var sure, unsure []string
	for _, id := range slices.Sorted(maps.Keys(c.w.Rooms)) {
		r := c.w.Rooms[id]
		exact := len(r.Participants) == len(everybody) && c.w.shared(r, everybody)
		switch {
		case r.Ended || r.Kind != k || !exact || !c.w.recommendable(r, audience):
		case !r.OffSince.IsZero():
			unsure = append(unsure, id)
		default:
			sure = append(sure, id)
		}
	}
	if len(sure) == 0 && len(unsure) > 0 {
		c.trusts = c.w.Answer != ""
		if c.w.Answer == NoOp {
			sure = unsure
		}
	}
	switch len(sure) {
	case 0:
		return false
	case 1:
		c.out.Room, c.out.Kind = sure[0], k
	default: // which one is not said
		c.out.Room, c.out.Kind = "", ""
	}
	return true
}

func (x Invite) group(c *call, r *Room, members, known []string) newGroup {
	return newGroup{
		kind: ExternalRoom, name: orDefault(x.Name, shorten(r.Name, 100)), origin: FromInvite, // CRE-32
		members: members, known: known, masters: []string{c.actor},
	}
}

func (x Invite) newGeneral(c *call, r *Room, invited []string, line bool) *refusal {
	along, dropped, away := c.taken(r, func(u *User) bool {
		return !line || u.Kind == Line || c.w.lineInForce(u)
	})
	var f faults
	c.notHostingLine(&f, line)
	for _, p := range invited {
		c.w.cannotJoin(&f, p)
		if line {
			c.notBesideLine(&f, c.w.Users[p])
		}
	}
	everybody := unique(slices.Concat([]string{c.actor}, along, invited)...)
	if f.refusal() == nil && len(everybody) >= 3 && c.openedBefore(GeneralRoom, everybody) {
		c.out.Dropped, c.out.Unsure = dropped, away
		return nil
	}
	size := len(everybody)
	f.when(size < 3, "GEN-29")
	c.w.tooLarge(&f, GeneralRoom, size)
	if no := f.refusal(); no != nil {
		return no
	}
	c.openGeneral(&Room{Company: r.Company, Name: orDefault(x.Name, shorten(r.Name, 1000)), Origin: FromInvite}, slices.Concat(along, invited))
	c.out.Dropped, c.out.Unsure = dropped, away
	return nil
}
