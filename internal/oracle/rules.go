package oracle

// why gives the rules that may be named for refusing an action to somebody of
// this standing.
func (w *World) why(r *Room, s standing, a Action) []string {
	rules := forbids(r.Kind, a)
	if s.void || s.voidMaster {
		switch r.Kind {
		case External:
			rules = append(rules, "EXT-22")
		default:
			rules = append(rules, "ADM-13", "ADM-14")
		}
	}
	if s.lineless {
		rules = append(rules, "LINE-01")
	}
	if r.MessageOff {
		rules = append(rules, "GRP-37", "GRP-38", "TEAM-19")
	}
	if r.Withheld {
		rules = append(rules, "GRP-31")
	}
	return rules
}

// forbids gives the rules of a kind about who may do what.
func forbids(k Kind, a Action) []string {
	switch k {
	case Self:
		return forbidsSelf(a)
	case Direct:
		return forbidsDirect(a)
	case General:
		return forbidsGeneral(a)
	case Group:
		return forbidsGroup(a)
	case External:
		return forbidsExternal(a)
	}
	return forbidsTeam(a)
}

func forbidsSelf(a Action) []string {
	switch a {
	case "invite", "remove":
		return []string{"SELF-03"}
	case "leave":
		return []string{"SELF-05"}
	case "source":
		return []string{"SELF-04"}
	}
	return nil // nothing more is said than that there is nothing to do
}

func forbidsDirect(a Action) []string {
	switch a {
	case "remove":
		return []string{"DIR-09"}
	case "rename":
		return []string{"DIR-08"}
	case "change_photo", "describe":
		return []string{"DIR-19", "DIR-08"}
	case "source":
		return []string{"DIR-12"}
	case "convert":
		return []string{"DIR-16"}
	case "set_visibility", "switch_mailing_list":
		return []string{"DIR-11"}
	case "switch_note", "switch_event", "switch_task", "switch_folder":
		return []string{"DIR-10"}
	case "invite", "leave":
		return []string{"COM-02", "COM-08", "DIR-04"}
	}
	return nil
}

func forbidsGeneral(a Action) []string {
	switch a {
	case "set_visibility":
		return []string{"GEN-21"}
	case "switch_mailing_list":
		return []string{"GEN-20"}
	case "switch_note":
		return []string{"GEN-16"}
	case "switch_event":
		return []string{"GEN-17"}
	case "switch_task":
		return []string{"GEN-19"}
	case "switch_folder":
		return []string{"GEN-18"}
	case "convert":
		return []string{"CRE-36", "CRE-37", "COM-02"}
	case "source":
		return []string{"LINE-05", "CRE-25", "CRE-28", "COM-02"}
	case "appoint_master", "dismiss_master":
		return []string{"GEN-34"}
	}
	return nil
}

func forbidsGroup(a Action) []string {
	switch a {
	case "invite":
		return []string{"GRP-07", "GRP-24", "GRP-25", "GRP-23"}
	case "remove":
		return []string{"GRP-07"}
	case "leave":
		return []string{"GRP-12", "COM-08", "COM-02"}
	case "appoint_master", "dismiss_master":
		return []string{"GRP-06"}
	case "rename":
		return []string{"GRP-28"}
	case "change_photo":
		return []string{"GRP-27"}
	case "set_visibility":
		return []string{"GRP-18"}
	case "convert":
		return []string{"GRP-44"}
	case "delete":
		return []string{"GRP-41"}
	case "withhold_features":
		return []string{"GRP-31"}
	case "share_history":
		return []string{"GRP-26"}
	case "switch_note", "switch_event", "switch_task", "switch_folder":
		return []string{"GRP-15"}
	case "source":
		return []string{"CRE-28", "GRP-11", "COM-02"}
	}
	return nil
}

func forbidsExternal(a Action) []string {
	switch a {
	case "invite":
		return []string{"EXT-15"}
	case "remove":
		return []string{"EXT-16"}
	case "leave":
		return []string{"EXT-17", "EXT-18", "COM-08", "COM-02"}
	case "appoint_master", "dismiss_master":
		return []string{"EXT-13"}
	case "set_visibility":
		return []string{"EXT-10", "EXT-08"}
	case "switch_task":
		return []string{"EXT-06"}
	case "switch_mailing_list":
		return []string{"EXT-07"}
	case "convert":
		return []string{"EXT-44", "CRE-43"}
	case "source":
		return []string{"EXT-40", "CRE-25"}
	case "switch_note", "switch_event", "switch_folder":
		return []string{"EXT-11", "EXT-12"}
	case "rename", "change_photo":
		return []string{"EXT-46", "EXT-12", "COM-02"}
	}
	return nil
}

func forbidsTeam(a Action) []string {
	switch a {
	case "invite":
		return []string{"TEAM-07", "TEAM-08"}
	case "remove":
		return []string{"TEAM-08"}
	case "leave":
		return []string{"TEAM-06"}
	case "rename":
		return []string{"TEAM-09"}
	case "switch_note", "switch_event", "switch_task", "switch_folder", "switch_mailing_list", "switch_message":
		return []string{"TEAM-10", "TEAM-11"}
	case "delete_feature_data":
		return []string{"TEAM-10", "TEAM-11", "TEAM-13"}
	case "share_history":
		return []string{"TEAM-14"}
	case "change_photo":
		return []string{"TEAM-25"}
	}
	return nil
}
