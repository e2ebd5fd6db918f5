package oracle

// Action is something a person can do in a room.
type Action string

// ActionSet is a set of actions.
type ActionSet map[Action]bool

// Has reports whether a is in the set.
func (s ActionSet) Has(a Action) bool { return s[a] }

// switchActions are the actions that switch a feature, and useActions those
// that use one.
var (
	switchActions = map[string]Action{
		"note": "switch_note", "event": "switch_event", "task": "switch_task", "folder": "switch_folder",
		"mailing_list": "switch_mailing_list",
	}
	useActions = map[string]Action{
		"note": "use_note", "event": "use_event", "task": "use_task", "folder": "use_folder",
		"mailing_list": "use_mailing_list",
	}
)

// Allowed gives what a person may do in a room now; seen is false where the
// room and one that does not exist are the same to that person.
func (w *World) Allowed(id, room string) (set ActionSet, seen bool) {
	r, u := w.Rooms[room], w.Users[id]
	if r == nil || u == nil {
		return nil, false
	}
	s := w.stand(u, r)
	if !s.sees {
		return nil, false
	}
	if r.Ended || w.barred(u) != nil {
		return nil, true
	}
	return w.actions(u, r, s), true
}

type granter struct {
	set ActionSet
}

func (g granter) add(when bool, actions ...Action) {
	if when {
		for _, a := range actions {
			g.set[a] = true
		}
	}
}

func (w *World) actions(u *User, r *Room, s standing) ActionSet {
	g := granter{ActionSet{}}
	g.add(s.part || s.master || s.lead || s.admin || s.colleague, "see_room", "see_members")
	g.add(r.Kind == Group && r.Public && s.colleague, "mail_members") // GRP-22
	w.managing(g, u, r, s)
	if !r.MessageOff { // GRP-37, GRP-38
		w.using(g, r, s)
	}
	return g.set
}

// managing is the authority matrix, without what using the room means.
func (w *World) managing(g granter, u *User, r *Room, s standing) {
	switch r.Kind {
	case Direct:
		g.add(s.part, "invite", "leave") // DIR-03, DIR-06
	case General:
		g.add(s.part, "invite", "remove", "leave", "rename", "change_photo", "describe", "share_history")
		g.add(s.part && w.maker(u), "convert") // CRE-36
	case Group:
		g.add(s.part, "change_photo")
		g.add(s.master || s.admin, "invite", "remove", "set_visibility")
		w.mastering(g, r, s)
	case External:
		g.add(s.part, "change_photo")
		g.add(s.master, "invite", "remove") // EXT-15, EXT-16
		w.mastering(g, r, s)
	case TeamRoom:
		w.leading(g, r, s)
	}
}

// mastering is what Group and external group have in common.
func (w *World) mastering(g granter, r *Room, s standing) {
	g.add(s.master || s.admin, "appoint_master", "dismiss_master", "rename", "describe", "switch_message",
		"set_notification", "delete_feature_data", "delete")
	g.add(s.master, "share_history") // GRP-26, EXT-42
	g.add(s.admin, "withhold_features")
	if s.admin || s.master && !r.Withheld { // GRP-31
		for _, f := range offered(r.Kind) {
			g.add(!r.MessageOff, switchActions[f]) // GRP-37
		}
	}
}

func (w *World) leading(g granter, r *Room, s standing) {
	t := w.Teams[r.Team]
	leads := s.lead && t.Features // TEAM-11
	g.add(s.admin, "describe", "delete", "set_visibility")
	g.add(s.admin || s.lead && t.Photo, "change_photo") // TEAM-25
	g.add(s.admin || leads, "switch_message", "set_notification", "delete_feature_data")
	g.add(s.lead, "share_history") // TEAM-14
	if s.admin || leads {
		for _, f := range offered(TeamRoom) {
			g.add(!r.MessageOff, switchActions[f])
		}
	}
}

// using is what a participant does in a room that is switched on.
func (w *World) using(g granter, r *Room, s standing) {
	if !s.part {
		return
	}
	g.add(true, "enter")
	g.add(r.Kind != Direct || w.bothTalk(r), "post") // DIR-18
	hasLINE := w.hasLINE(r)
	g.add(!hasLINE, "recall_own")                                                             // FEA-10, FEA-14
	g.add(s.lead && r.Kind == TeamRoom || s.master, "recall_others")                          // FEA-11
	g.add((r.Kind == General && !hasLINE) || r.Kind == Group || r.Kind == TeamRoom, "source") // CRE-25, GRP-43, TEAM-26
	heads := s.master || s.lead
	for f := range w.InForce(r) {
		g.add(true, useActions[f])
		switch f {
		case "event":
			g.add(r.Kind != External, "invite_attendees") // EXT-38
		case "folder":
			g.add((r.Kind == Group || r.Kind == TeamRoom) && heads, "restrict_folder") // FEA-08
			g.add(r.Kind == General || heads, "share_folder_links")                    // FEA-07
			g.add(true, "switch_file_notice")                                          // FEA-09
		}
	}
}

// bothTalk reports whether nothing stands against a 1:1 room's messages: with
// users of two companies both sides need the permission.
func (w *World) bothTalk(r *Room) bool {
	companies := map[string]bool{}
	all := true
	for id := range r.People {
		if u := w.Users[id]; u.Kind == Person {
			companies[u.Company] = true
			all = all && w.works(id)
		}
	}
	return len(companies) < 2 || all
}

// InForce gives the features that participants can use (FEA-01).
func (w *World) InForce(r *Room) Features {
	if r.MessageOff || r.Ended || w.hasLINE(r) { // GRP-37, LINE-07
		return nil
	}
	if r.Kind == General {
		return features(offered(General)...) // GEN-16 to GEN-19
	}
	in := Features{}
	for _, f := range offered(r.Kind) {
		if r.Features[f] {
			in[f] = true
		}
	}
	return in
}

// maker reports whether somebody may make groups (CRE-36, CRE-37).
func (w *World) maker(u *User) bool {
	c := w.Companies[u.Company]
	return u.Kind == Person && c != nil && (c.MembersCreate || u.Admin)
}
