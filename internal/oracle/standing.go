package oracle

// worksInForce: the company's switch, the own permission and an account that
// was not deleted. A suspended account keeps it (ADM-18).
func (w *World) worksInForce(u *User) bool {
	if u == nil || u.Kind != Human || u.Status == Deleted {
		return false
	}
	return permits(w.Companies[u.Company].Partners, u.Partners)
}

func (w *World) lineInForce(u *User) bool {
	if u == nil || u.Kind != Human || u.Status == Deleted {
		return false
	}
	return permits(w.Companies[u.Company].Consumers, u.Consumers)
}

func permits(m Mode, own bool) bool { return m == All || m == Selected && own }

func accountLost(u *User, since int) bool { return u.Status == Deleted || u.LostAccount > since }

func (w *World) worksLost(u *User, since int) bool {
	return !w.worksInForce(u) || u.LostPartners > since
}

// voidSince reports whether a participation or role that began at a step has
// lost its ground: the account was deleted since (ADM-13, ADM-14), or in an
// external group the permission was not in force all the time (EXT-22, EXT-25).
func (w *World) voidSince(r *Room, user string, since int) bool {
	u := w.Users[user]
	return accountLost(u, since) || r.Kind == ExternalRoom && w.worksLost(u, since)
}

func (w *World) voidParticipant(r *Room, user string) bool {
	m, ok := r.Participants[user]
	return ok && w.voidSince(r, user, m.Since)
}

func (w *World) voidMaster(r *Room, user string) bool {
	since, ok := r.Masters[user]
	return ok && w.voidSince(r, user, since)
}

// takesPart: in the room, not void, and with the LINE permission where LINE
// users are (LINE-01).
func (w *World) takesPart(r *Room, user string) bool {
	_, ok := r.Participants[user]
	return ok && !w.voidParticipant(r, user) && !w.lacksLine(r, user)
}

func (w *World) lacksLine(r *Room, user string) bool {
	u := w.Users[user]
	return u.Kind == Human && w.hasLine(r) && !w.lineInForce(u)
}

func (w *World) manages(r *Room, user string) bool {
	_, ok := r.Masters[user]
	return ok && !w.voidMaster(r, user)
}

func (w *World) effectiveMasters(r *Room) map[string]bool {
	set := map[string]bool{}
	for u := range r.Masters {
		if w.manages(r, u) {
			set[u] = true
		}
	}
	return set
}

func (w *World) hasLine(r *Room) bool {
	return w.holds(r, func(u *User) bool { return u.Kind == Line })
}

func (w *World) hasHuman(r *Room) bool {
	return w.holds(r, func(u *User) bool { return u.Kind != Bot })
}

func (w *World) holds(r *Room, is func(*User) bool) bool {
	for u := range r.Participants {
		if is(w.Users[u]) {
			return true
		}
	}
	return false
}

// Standing is what a person is in a room. Lost names the rules because of which
// a participation or role of theirs does not count.
type Standing struct {
	Participant bool
	Master      bool
	Leader      bool
	Admin       bool
	Colleague   bool
	Lost        []string
}

// Standing says what an active user is in a room.
func (w *World) Standing(user string, r *Room) Standing {
	u := w.Users[user]
	st := Standing{
		Participant: w.takesPart(r, user),
		Master:      w.manages(r, user),
		Leader:      w.leads(u, r),
		Admin:       administers(u, r),
		Colleague:   r.Kind == GroupRoom && r.Public && u.Kind == Human && u.Company == r.Company,
	}
	st.Lost = w.lostRules(r, user)
	return st
}

func (w *World) leads(u *User, r *Room) bool {
	return r.Kind == TeamRoom && w.Teams[TeamKey(r.Company, r.Team)].Leader == u.ID
}

// administers: administrators act on groups and teams of their company (ADM-10,
// ADM-11). Other rooms are no business of theirs.
func administers(u *User, r *Room) bool {
	return u.Admin && u.Kind == Human && u.Company == r.Company && (r.Kind.Managed() || r.Kind == TeamRoom)
}

func (w *World) lostRules(r *Room, user string) []string {
	var rules []string
	if w.voidParticipant(r, user) || w.voidMaster(r, user) {
		rules = append(rules, "ADM-13", "ADM-14")
		if r.Kind == ExternalRoom {
			rules = append(rules, "EXT-19", "EXT-22", "EXT-23", "EXT-25", "EXT-28", "EXT-30", "EXT-31", "EXT-43", "ADM-08")
		}
	}
	if _, ok := r.Participants[user]; ok && w.lacksLine(r, user) {
		rules = append(rules, "LINE-01", "ADM-05")
	}
	return rules
}

// visible reports whether a user may know that a room exists.
func (w *World) visible(u *User, r *Room) bool {
	_, in := r.Participants[u.ID]
	_, over := r.Masters[u.ID]
	switch {
	case in || over:
		return true
	case r.Ended && r.EndedWith[u.ID] == Certainly:
		return true
	case w.actorRefused(u.ID) != nil:
		return false // those who can do nothing know what they are in
	case r.Ended:
		return administers(u, r)
	}
	return administers(u, r) || w.leads(u, r) || w.Standing(u.ID, r).Colleague
}
