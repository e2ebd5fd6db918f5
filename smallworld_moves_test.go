package roomkit

import (
	"fmt"
	"maps"
	"slices"
)

type move struct {
	actor Actor
	cmd   Command
}

func (m move) String() string { return fmt.Sprintf("%s: %#v", m.actor, m.cmd) }

// by gives the moves of everybody, and of the system.
func by(w *world, commands func(Actor) []Command) (list []move) {
	actors := []Actor{System()}
	for _, id := range w.everybody {
		actors = append(actors, By(id))
	}
	for _, a := range actors {
		for _, c := range commands(a) {
			list = append(list, move{a, c})
		}
	}
	return list
}

// peopleMoves change who takes part, who is a master, and what the room is.
func peopleMoves(w *world) []move {
	room, people := w.main, w.everybody
	on, off := true, false
	list := []Command{
		Leave{room}, DeleteRoom{room}, Convert{room, KindGroup, "g"}, Convert{room, KindExternalGroup, "g"},
		Edit{Room: room, Message: &off}, Edit{Room: room, Message: &on},
	}
	for i, u := range people {
		list = append(list, HandOver{room, u})
		for _, v := range people[i:] {
			some := slices.Compact([]UserID{u, v})
			list = append(list, Invite{Room: room, People: some, Name: "n"}, Remove{room, some},
				AppointMasters{room, some}, DismissMasters{room, some})
		}
	}
	return by(w, func(Actor) []Command { return list })
}

// sweepMoves are those of the sweep, which alone may make them.
func sweepMoves(w *world) []move {
	return by(w, func(Actor) []Command {
		return []Command{Expel{w.main, w.everybody, CausePermission}, Expel{w.main, w.everybody, CauseAccount}}
	})
}

// settingMoves change what no rule of membership looks at, or open other rooms.
func settingMoves(w *world) []move {
	room := w.main
	list := []Command{DeleteFeatureData{room, Features(FeatureNote)}, OpenSelf{}, OpenTeamRoom{"crew"}, CreateGroup{Name: "h"}}
	for _, on := range []*bool{new(bool), ptr(true)} {
		list = append(list, Edit{Room: room, Public: on}, Edit{Room: room, HistorySharing: on}, Edit{Room: room, Notify: on},
			Edit{Room: room, Note: on}, Edit{Room: room, Event: on}, Edit{Room: room, Task: on}, Edit{Room: room, Folder: on},
			Edit{Room: room, MailingList: on}, Edit{Room: room, WithholdFeatures: on})
	}
	for _, text := range []string{"", "other"} {
		list = append(list, Edit{Room: room, Name: &text}, Edit{Room: room, Photo: &text}, Edit{Room: room, Description: &text})
	}
	return by(w, func(a Actor) []Command {
		others := slices.DeleteFunc(slices.Clone(w.everybody), func(id UserID) bool { return id == a.User() })
		mine := slices.Clone(list)
		for i, id := range others {
			two := []UserID{id, others[(i+1)%len(others)]}
			mine = append(mine, OpenDirect{id}, CreateExternalGroup{Name: "x", Members: others[i : i+1]},
				CreateRoom{People: two, Audience: AudienceMembers, Anyway: true}, CreateRoom{People: two, Audience: AudienceExternal, Anyway: true})
		}
		return mine
	})
}

// permissions are about the permission to talk with outsiders and about the end
// of accounts, on which membership depends.
func permissions(w *world) (list []Command) {
	for _, u := range w.everybody {
		home := w.users[u].Company
		list = append(list,
			SetExternalMessaging{home, u, ChannelWorks, ExternalOff}, SetExternalMessaging{home, u, ChannelWorks, ExternalSelected},
			DeleteUser{u}, RestoreUser{u})
	}
	for _, c := range slices.Sorted(maps.Keys(w.companies)) {
		for mode := range externalModeCount {
			list = append(list, SetExternalMessaging{Company: c, Channel: ChannelWorks, Mode: mode})
		}
	}
	return list
}

// directory are all commands about people, companies and teams.
func directory(w *world) []Command {
	list := permissions(w)
	for _, id := range w.everybody {
		u := w.users[id]
		u.Status = StatusActive
		list = append(list, SuspendUser{User: id}, SuspendUser{User: id, Lift: true}, PutUsers{[]User{u}})
	}
	for _, id := range slices.Sorted(maps.Keys(w.companies)) {
		list = append(list, PutCompany{w.companies[id]}, EditCompany{Company: id, MembersCreateGroups: new(bool)})
	}
	if crew, ok := w.teams["crew"]; ok {
		for i := range crew.Members {
			smaller := crew
			smaller.Members = slices.Delete(slices.Clone(crew.Members), i, i+1)
			list = append(list, SyncTeam{smaller})
		}
		list = append(list, SyncTeam{crew})
	}
	return list
}

// bySystem gives the moves of the system.
func bySystem(commands []Command) (list []move) {
	for _, c := range commands {
		list = append(list, move{System(), c})
	}
	return list
}

func ptr[T any](v T) *T { return &v }
