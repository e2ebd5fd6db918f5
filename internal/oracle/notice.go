package oracle

// Notice is a service notification that is due: to one user, or else to all who
// take part in a room or belong to a company. Unsure says that the rule book does
// not settle whether it is sent.
type Notice struct {
	To      string
	Room    string
	Company string
	Text    string
	Unsure  bool
}

// The texts of notices.
const (
	TextRemoved   = "removed"           // GEN-07, AMB-13
	TextWithdrawn = "withdrawn"         // NTF-11
	TextDropped   = "dropped"           // section 9, RoomConverted
	TextAdded     = "added"             // AMB-13
	TextAppointed = "master_appointed"  // AMB-13
	TextDismissed = "master_dismissed"  // AMB-13
	TextRenamed   = "renamed"           // AMB-13
	TextSwitched  = "features_switched" // AMB-13
	TextPermitted = "permitted"         // NTF-06
)

// notify collects the notices about what has happened to people of rooms.
func (c *call) notify() {
	for _, m := range c.out.Joined {
		c.tellIfOn(m, TextAdded, false)
	}
	for _, m := range c.out.Left {
		c.tellLeaver(m)
	}
	for _, m := range c.out.Renewed {
		c.tell(m, TextWithdrawn, true) // whoever is back at once
		c.tell(m, TextRemoved, true)
	}
	for _, m := range c.out.Appointed {
		c.tellIfOn(m, TextAppointed, false)
	}
	for _, m := range c.out.Dismissed {
		c.tellFormerMaster(m)
	}
}

// tellLeaver: NTF-02, NTF-03, NTF-11, AMB-13, AMB-14.
func (c *call) tellLeaver(m Move) {
	switch m.Cause {
	case ByRemoval:
		if c.w.Rooms[m.Room].Kind == GeneralRoom {
			c.tell(m, TextRemoved, false)
			return
		}
		c.tellIfOn(m, TextRemoved, false)
	case ByOrganisation:
		c.tellIfOn(m, TextRemoved, false)
	case ByPermission:
		c.tell(m, TextWithdrawn, false)
	case ByConversion:
		c.tell(m, TextDropped, false)
	case ByEnd:
		c.tellIfOn(m, TextRemoved, true)
	case AnyCause:
		c.tell(m, TextWithdrawn, true)
	}
}

// tellFormerMaster: with the participation the role is gone anyway.
func (c *call) tellFormerMaster(m Move) {
	left := false
	for _, l := range c.out.Left {
		left = left || l.Room == m.Room && l.User == m.User
	}
	switch m.Cause {
	case ByRemoval, ByHandOver:
		c.tellIfOn(m, TextDismissed, left)
	case ByPermission, AnyCause:
		c.tell(m, TextWithdrawn, true) // NTF-11 speaks of participants
		c.tell(m, TextDismissed, true)
	case ByEnd, ByAccount:
		c.tellIfOn(m, TextDismissed, true)
	}
}

// tell: nobody is told of their own doing. Whether bots and LINE users have a
// room for such notices is not said.
func (c *call) tell(m Move, text string, unsure bool) {
	if m.User != c.actor {
		unsure = unsure || c.w.Users[m.User].Kind != Human
		c.out.Notices = append(c.out.Notices, Notice{To: m.User, Room: m.Room, Text: text, Unsure: unsure})
	}
}

// tellIfOn: groups and teams tell while group notification is on (NTF-04).
func (c *call) tellIfOn(m Move, text string, unsure bool) {
	if r := c.w.Rooms[m.Room]; r.Notify && (r.Kind.Managed() || r.Kind == TeamRoom) {
		c.tell(m, text, unsure)
	}
}

// announce tells everybody in a room of a change, while group notification is on.
func (c *call) announce(r *Room, text string, unsure bool) {
	if (r.Notify || unsure) && (r.Kind.Managed() || r.Kind == TeamRoom) {
		c.out.Notices = append(c.out.Notices, Notice{Room: r.ID, Text: text, Unsure: unsure})
	}
}

// permit tells a user of the permission to talk with external users (NTF-06). It
// is open whether that is said while the company's switch forbids it or permits
// it to all anyway, whether LINE users are meant, and whether somebody is told of
// their own doing.
func (c *call) permit(user string, unsure bool) {
	unsure = unsure || user == c.actor
	c.out.Notices = append(c.out.Notices, Notice{To: user, Text: TextPermitted, Unsure: unsure})
}

// permitAll tells those who have the permission by the company's switch, one by
// one or all together.
func (c *call) permitAll(company string, mode Mode, gained []string) {
	all := Notice{Company: company, Text: TextPermitted, Unsure: mode != All || len(gained) == 0}
	c.out.Notices = append(c.out.Notices, all)
	for _, u := range gained {
		c.permit(u, true)
	}
}
