package oracle

// Set is a set of actions.
type Set map[Action]bool

func (s Set) add(as ...Action) {
	for _, a := range as {
		s[a] = true
	}
}

func (s Set) when(ok bool, as ...Action) {
	if ok {
		s.add(as...)
	}
}

// actions says what a user may do in a room, and what the rule book does not
// settle for that user.
func (w *World) actions(r *Room, st Standing) (may, unsettled Set) {
	may, unsettled = Set{}, Set{}
	if r.Ended {
		return may, unsettled
	}
	switch r.Kind {
	case SelfRoom:
		may.when(st.Participant, MayEnter, MayPost, MayRecallOwn, MaySeeRoom, MaySeeMembers)
	case DirectRoom:
		w.inDirect(r, st, may, unsettled)
	case GeneralRoom:
		w.inGeneral(r, st, may, unsettled)
	case GroupRoom:
		w.inGroup(r, st, may, unsettled)
	case ExternalRoom:
		w.inExternal(r, st, may, unsettled)
	case TeamRoom:
		w.inTeam(r, st, may, unsettled)
	}
	return may, unsettled
}

func (w *World) inDirect(r *Room, st Standing, may, unsettled Set) {
	if !st.Participant {
		return
	}
	may.add(MayEnter, MayLeave, MayInvite, MaySeeRoom, MaySeeMembers)
	may.when(w.talking(r), MayPost)
	if w.lineParty(r) {
		unsettled.add(MayPost, MayRecallOwn) // LINE-01 from the LINE user's side; see Recall
		return
	}
	may.when(w.talking(r), MayRecallOwn)
	unsettled.when(!w.talking(r), MayRecallOwn)
}

// talking is false while a 1:1 room of two companies lacks a permission (DIR-18).
func (w *World) talking(r *Room) bool {
	a, b := w.Users[r.Parties[0]], w.Users[r.Parties[1]]
	if a.Kind != Human || b.Kind != Human || a.Company == b.Company {
		return true
	}
	return w.worksInForce(a) && w.worksInForce(b)
}

func (w *World) lineParty(r *Room) bool {
	return w.Users[r.Parties[0]].Kind == Line || w.Users[r.Parties[1]].Kind == Line
}

func (w *World) inGeneral(r *Room, st Standing, may, unsettled Set) {
	if !st.Participant {
		return
	}
	may.add(MayEnter, MayPost, MayInvite, MayRemove, MayLeave, MayRename, MayChangePhoto,
		MayDescribe, MayShareHistory, MaySeeRoom, MaySeeMembers)
	w.use(r, may)
	may.when(w.usable(r, Folder), MayShareFolderLinks, MaySwitchFileNotice)
	may.when(w.usable(r, Event), MayInviteAttendees)
	if r.HadLine && !w.hasLine(r) { // LINE-07 speaks of rooms with LINE users
		unsettled.add(MayUseNote, MayUseEvent, MayUseTask, MayUseFolder, MayInviteAttendees, MayShareFolderLinks, MaySwitchFileNotice)
	}
	may.when(!w.hasLine(r), MaySource)
	may.when(!r.HadLine, MayRecallOwn)
	unsettled.when(r.HadLine, MayRecallOwn) // see Recall
	may.add(MayConvert)                     // as far as kind and standing go; the command looks at more
}

func (w *World) use(r *Room, may Set) {
	for _, f := range allFeatures {
		may.when(w.usable(r, f), using(f))
	}
}

// takingPart is what participants of groups and teams may do.
func (w *World) takingPart(r *Room, may, unsettled Set) {
	on := r.OffSince.IsZero()
	may.add(MaySeeRoom, MaySeeMembers)
	may.when(on, MayEnter, MayPost, MayRecallOwn)
	w.use(r, may)
	may.when(w.usable(r, Folder), MaySwitchFileNotice)
	may.when(w.usable(r, Event) && r.Kind != ExternalRoom, MayInviteAttendees)
	may.when(on && r.Kind != ExternalRoom, MaySource)
	unsettled.when(!on && r.Kind != ExternalRoom, MaySource)
	unsettled.when(!on, MayRecallOwn, MaySwitchFileNotice)
}

// leading is what comes with the master's or leader's role for the room's
// content. Without taking part the rule book does not settle it (GRP-11).
func (w *World) leading(r *Room, st Standing, may, unsettled Set) {
	content := []Action{MayRecallOthers, MayShareFolderLinks}
	if r.Kind != ExternalRoom {
		content = append(content, MayRestrictFolder)
	}
	unsettled.add(content...)
	if st.Participant && r.OffSince.IsZero() {
		may.add(MayRecallOthers)
		delete(unsettled, MayRecallOthers)
	}
	if st.Participant && w.usable(r, Folder) {
		may.add(content...)
		delete(unsettled, MayShareFolderLinks)
		delete(unsettled, MayRestrictFolder)
	}
}

func (w *World) switches(r *Room, may, unsettled Set) {
	for _, f := range allFeatures {
		may.when(w.offered(r.Kind, f) && r.OffSince.IsZero(), switching(f)) // GRP-37
	}
	// GRP-37 does not name the mailing list.
	unsettled.when(w.offered(r.Kind, MailingList) && !r.OffSince.IsZero(), MaySwitchMailingList)
}

func (w *World) inGroup(r *Room, st Standing, may, unsettled Set) {
	if st.Participant {
		w.takingPart(r, may, unsettled)
		may.add(MayChangePhoto)
		unsettled.when(!r.OffSince.IsZero(), MayChangePhoto)
	}
	if st.Master {
		w.leading(r, st, may, unsettled)
		may.add(MayShareHistory)
	}
	if st.Master || st.Admin {
		may.add(MayInvite, MayRemove, MayAppoint, MayDismiss, MayRename, MayDescribe, MaySetVisibility,
			MaySwitchMessage, MaySetNotification, MayDeleteData, MayDelete, MaySeeRoom, MaySeeMembers)
	}
	if st.Admin || st.Master && !r.Withheld {
		w.switches(r, may, unsettled)
	}
	may.when(st.Admin, MayWithhold)
	may.when(st.Colleague, MaySeeRoom, MaySeeMembers, MayMailMembers) // GRP-21, GRP-22
	unsettled.when(st.Participant || st.Master || st.Admin, MayMailMembers)
	unsettled.when(!r.OffSince.IsZero(), MayMailMembers)
}

func (w *World) inExternal(r *Room, st Standing, may, unsettled Set) {
	if st.Participant {
		w.takingPart(r, may, unsettled)
		may.add(MayChangePhoto)
		unsettled.when(!r.OffSince.IsZero(), MayChangePhoto)
	}
	if st.Master {
		w.leading(r, st, may, unsettled)
		may.add(MayShareHistory)
	}
	if st.Master || st.Admin {
		may.add(MayAppoint, MayDismiss, MayRename, MayDescribe, MaySwitchMessage, MaySetNotification,
			MayDeleteData, MayDelete, MaySeeRoom, MaySeeMembers)
		w.switches(r, may, unsettled)
	}
	may.when(st.Master || st.Admin && w.Policy.AdminsManageExternal, MayInvite, MayRemove)
}

func (w *World) inTeam(r *Room, st Standing, may, unsettled Set) {
	t := w.Teams[r.Team]
	if st.Participant {
		w.takingPart(r, may, unsettled)
		may.when(w.Policy.TeamPhotoByMembers, MayChangePhoto)
	}
	if st.Leader {
		w.leading(r, st, may, unsettled)
		may.add(MayShareHistory, MayDeleteData, MaySeeRoom, MaySeeMembers)
		may.when(t.Photo, MayChangePhoto)
		unsettled.when(!st.Admin, MaySetNotification)
	}
	if st.Admin {
		may.add(MayDescribe, MayChangePhoto, MaySetVisibility, MaySetNotification, MayDeleteData, MayDelete,
			MaySeeRoom, MaySeeMembers)
	}
	if st.Admin || st.Leader && t.Features {
		w.switches(r, may, unsettled)
		may.add(MaySwitchMessage)
	}
	unsettled.when(st.Participant || st.Leader || st.Admin, MayMailMembers)
	if !t.Room {
		for a := range may {
			unsettled.add(a) // what is left of a room that may not be used
		}
		for _, a := range []Action{MayEnter, MayPost, MayUseNote, MayUseEvent, MayUseTask, MayUseFolder, MayUseMailingList} {
			delete(may, a)
			delete(unsettled, a)
		}
	}
}
