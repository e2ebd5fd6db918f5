package decide

import (
	"fmt"
	"maps"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/enum"
)

type move struct {
	actor roomkit.Actor
	cmd   roomkit.Command
}

func (m move) String() string { return fmt.Sprintf("%s: %#v", m.actor, m.cmd) }

// by gives the moves of everybody, and of the system.
func by(w *world, commands func(roomkit.Actor) []roomkit.Command) (list []move) {
	actors := []roomkit.Actor{roomkit.System()}
	for _, id := range w.everybody {
		actors = append(actors, roomkit.By(id))
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
	list := []roomkit.Command{
		roomkit.Leave{Room: room}, roomkit.DeleteRoom{Room: room}, roomkit.Convert{Room: room, To: roomkit.KindGroup, Name: "g"}, roomkit.Convert{Room: room, To: roomkit.KindExternalGroup, Name: "g"},
		roomkit.Edit{Room: room, Message: &off}, roomkit.Edit{Room: room, Message: &on},
	}
	for i, u := range people {
		list = append(list, roomkit.HandOver{Room: room, To: u})
		for _, v := range people[i:] {
			some := slices.Compact([]roomkit.UserID{u, v})
			list = append(list, roomkit.Invite{Room: room, People: some, Name: "n"}, roomkit.Remove{Room: room, People: some},
				roomkit.AppointMasters{Room: room, People: some}, roomkit.DismissMasters{Room: room, People: some})
		}
	}
	return by(w, func(roomkit.Actor) []roomkit.Command { return list })
}

// sweepMoves are those of the sweep, which alone may make them.
func sweepMoves(w *world) []move {
	return by(w, func(roomkit.Actor) []roomkit.Command {
		return []roomkit.Command{roomkit.Expel{Room: w.main, People: w.everybody, Cause: roomkit.CausePermission}, roomkit.Expel{Room: w.main, People: w.everybody, Cause: roomkit.CauseAccount}}
	})
}

// settingMoves change what no rule of membership looks at, or open other rooms.
func settingMoves(w *world) []move {
	room := w.main
	list := []roomkit.Command{roomkit.DeleteFeatureData{Room: room, Features: roomkit.Features(roomkit.FeatureNote)}, roomkit.OpenSelf{}, roomkit.OpenTeamRoom{Team: "crew"}, roomkit.CreateGroup{Name: "h"}}
	for _, on := range []*bool{new(bool), ptr(true)} {
		list = append(list, roomkit.Edit{Room: room, Public: on}, roomkit.Edit{Room: room, HistorySharing: on}, roomkit.Edit{Room: room, Notify: on},
			roomkit.Edit{Room: room, Note: on}, roomkit.Edit{Room: room, Event: on}, roomkit.Edit{Room: room, Task: on}, roomkit.Edit{Room: room, Folder: on},
			roomkit.Edit{Room: room, MailingList: on}, roomkit.Edit{Room: room, WithholdFeatures: on})
	}
	for _, text := range []string{"", "other"} {
		list = append(list, roomkit.Edit{Room: room, Name: &text}, roomkit.Edit{Room: room, Photo: &text}, roomkit.Edit{Room: room, Description: &text})
	}
	return by(w, func(a roomkit.Actor) []roomkit.Command {
		others := slices.DeleteFunc(slices.Clone(w.everybody), func(id roomkit.UserID) bool { return id == a.User() })
		mine := slices.Clone(list)
		for i, id := range others {
			two := []roomkit.UserID{id, others[(i+1)%len(others)]}
			mine = append(mine, roomkit.OpenDirect{With: id}, roomkit.CreateExternalGroup{Name: "x", Members: others[i : i+1]},
				roomkit.CreateRoom{People: two, Audience: roomkit.AudienceMembers, Anyway: true}, roomkit.CreateRoom{People: two, Audience: roomkit.AudienceExternal, Anyway: true})
		}
		return mine
	})
}

// permissions are about the permission to talk with outsiders and about the end
// of accounts, on which membership depends.
func permissions(w *world) (list []roomkit.Command) {
	for _, u := range w.everybody {
		home := w.users[u].Company
		list = append(list,
			roomkit.SetExternalMessaging{Company: home, User: u, Channel: roomkit.ChannelWorks, Mode: roomkit.ExternalOff}, roomkit.SetExternalMessaging{Company: home, User: u, Channel: roomkit.ChannelWorks, Mode: roomkit.ExternalSelected},
			roomkit.DeleteUser{User: u}, roomkit.RestoreUser{User: u})
	}
	for _, c := range slices.Sorted(maps.Keys(w.companies)) {
		for _, mode := range enum.Values(roomkit.ExternalOff) {
			list = append(list, roomkit.SetExternalMessaging{Company: c, Channel: roomkit.ChannelWorks, Mode: mode})
		}
	}
	return list
}

// directory are all commands about people, companies and teams.
func directory(w *world) []roomkit.Command {
	list := permissions(w)
	for _, id := range w.everybody {
		u := w.users[id]
		u.Status = roomkit.StatusActive
		list = append(list, roomkit.SuspendUser{User: id}, roomkit.SuspendUser{User: id, Lift: true}, roomkit.PutUsers{Users: []roomkit.User{u}})
	}
	for _, id := range slices.Sorted(maps.Keys(w.companies)) {
		list = append(list, roomkit.PutCompany{Company: w.companies[id]}, roomkit.EditCompany{Company: id, MembersCreateGroups: new(bool)})
	}
	if crew, ok := w.teams["crew"]; ok {
		for i := range crew.Members {
			smaller := crew
			smaller.Members = slices.Delete(slices.Clone(crew.Members), i, i+1)
			list = append(list, roomkit.SyncTeam{Team: smaller})
		}
		list = append(list, roomkit.SyncTeam{Team: crew})
	}
	return list
}

// bySystem gives the moves of the system.
func bySystem(commands []roomkit.Command) (list []move) {
	for _, c := range commands {
		list = append(list, move{roomkit.System(), c})
	}
	return list
}

func ptr[T any](v T) *T { return &v }
