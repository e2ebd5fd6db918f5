package decide

import (
	"cmp"
	"fmt"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// The three questions about commands, each one switch over all of them: is its form
// right, what has to be loaded for it, and what does it do. What falls through a switch
// is no command: a pointer to one, for instance, which has the same methods.

func check(cmd roomkit.Command) error {
	switch c := cmd.(type) {
	case roomkit.OpenSelf:
		return nil
	case roomkit.OpenDirect:
		return checkID("With", c.With)
	case roomkit.CreateRoom:
		return checkCreateRoom(c)
	case roomkit.CreateGroup:
		return checkGroup(c)
	case roomkit.CreateExternalGroup:
		return checkExternalGroup(c)
	case roomkit.OpenTeamRoom:
		return checkTeam(c.Company, c.Team)
	case roomkit.Invite:
		return checkInvite(c)
	case roomkit.Remove:
		return checkRoomPeople(c.Room, c.People)
	case roomkit.Leave:
		return CheckRoom(c.Room)
	case roomkit.Expel:
		return checkExpel(c)
	case roomkit.AppointMasters:
		return checkRoomPeople(c.Room, c.People)
	case roomkit.DismissMasters:
		return checkRoomPeople(c.Room, c.People)
	case roomkit.HandOver:
		return cmp.Or(CheckRoom(c.Room), checkID("To", c.To))
	case roomkit.Edit:
		return checkEdit(c)
	case roomkit.DeleteFeatureData:
		return checkDeleteFeatureData(c)
	case roomkit.Convert:
		return checkConvert(c)
	case roomkit.DeleteRoom:
		return CheckRoom(c.Room)
	case roomkit.AddCompany:
		return checkAddCompany(c)
	case roomkit.EditCompany:
		return checkEditCompany(c)
	case roomkit.SetCompanyMessaging:
		return checkSetCompanyMessaging(c)
	case roomkit.AddUser:
		return checkAddUser(c)
	case roomkit.EditUser:
		return checkEditUser(c)
	case roomkit.SetUserMessaging:
		return checkSetUserMessaging(c)
	case roomkit.SuspendUser:
		return checkID("User", c.User)
	case roomkit.DeleteUser:
		return checkID("User", c.User)
	case roomkit.RestoreUser:
		return checkID("User", c.User)
	case roomkit.SyncTeam:
		return checkSyncTeam(c)
	case roomkit.EditTeam:
		return checkEditTeam(c)
	}
	return noCommand(cmd)
}

const fieldCommand = "Command"

// noCommand says that a value is none of the commands.
func noCommand(cmd roomkit.Command) error {
	return bad(fieldCommand, fmt.Sprintf("a %T is no command: commands are values of the types of this package", cmd))
}

// need adds what a command needs besides the actor.
func need(n *store.Need, actor roomkit.Actor, cmd roomkit.Command) {
	switch c := cmd.(type) {
	case roomkit.OpenSelf:
		n.Room = roomkit.SelfRoom(actor.User())
	case roomkit.OpenDirect:
		needIn(n, roomkit.DirectRoom(actor.User(), c.With), c.With)
	case roomkit.CreateRoom:
		needCreateRoom(n, actor, c)
	case roomkit.CreateGroup:
		n.People = appendNew(n.People, c.Members, c.Masters)
	case roomkit.CreateExternalGroup:
		n.People = appendNew(n.People, c.Members, c.Masters)
	case roomkit.OpenTeamRoom:
		needTeam(n, c.Company, c.Team, true)
	case roomkit.Invite:
		needIn(n, c.Room, c.People...)
	case roomkit.Remove:
		needIn(n, c.Room, c.People...)
		n.First = len(c.People) + roomkit.MaxTitlePeople
	case roomkit.Leave:
		n.Room = c.Room
	case roomkit.Expel:
		needIn(n, c.Room, c.People...)
	case roomkit.AppointMasters:
		needIn(n, c.Room, c.People...)
	case roomkit.DismissMasters:
		needIn(n, c.Room, c.People...)
	case roomkit.HandOver:
		needIn(n, c.Room, c.To)
	case roomkit.Edit:
		n.Room = c.Room
	case roomkit.DeleteFeatureData:
		n.Room = c.Room
	case roomkit.Convert:
		n.Room = c.Room
	case roomkit.DeleteRoom:
		n.Room = c.Room
	case roomkit.AddCompany:
		n.Companies = append(n.Companies, c.Company.ID)
	case roomkit.EditCompany:
		n.Companies = append(n.Companies, c.Company)
	case roomkit.SetCompanyMessaging:
		n.Companies = append(n.Companies, c.Company)
	case roomkit.AddUser:
		needAddUser(n, &c.User)
	case roomkit.EditUser:
		n.People = append(n.People, c.User)
	case roomkit.SetUserMessaging:
		n.People = append(n.People, c.User)
	case roomkit.SuspendUser:
		n.People = append(n.People, c.User)
	case roomkit.DeleteUser:
		n.People = append(n.People, c.User)
	case roomkit.RestoreUser:
		n.People = append(n.People, c.User)
	case roomkit.SyncTeam:
		needSyncTeam(n, c)
	case roomkit.EditTeam:
		needTeam(n, c.Company, c.Team, false)
	}
}

// needIn asks for a room and the rows of people in it.
func needIn(n *store.Need, room roomkit.RoomID, people ...roomkit.UserID) {
	n.Room = room
	n.People = append(n.People, people...)
}

func (d *decider) decide(cmd roomkit.Command) error {
	switch c := cmd.(type) {
	case roomkit.OpenSelf:
		return d.openSelf()
	case roomkit.OpenDirect:
		return d.openDirect(c.With, "CRE-49")
	case roomkit.CreateRoom:
		return d.createRoom(c)
	case roomkit.CreateGroup:
		return d.createGroup(roomkit.KindGroup, c, "CRE-49")
	case roomkit.CreateExternalGroup:
		return d.createGroup(roomkit.KindExternalGroup, roomkit.CreateGroup(c), "EXT-32")
	case roomkit.OpenTeamRoom:
		return d.openTeamRoom(c)
	case roomkit.Invite:
		return d.invite(c)
	case roomkit.Remove:
		return d.remove(c.People)
	case roomkit.Leave:
		return d.leave()
	case roomkit.Expel:
		return d.expel(c)
	case roomkit.AppointMasters:
		return d.appointMasters(c.People)
	case roomkit.DismissMasters:
		return d.dismissMasters(c.People)
	case roomkit.HandOver:
		return d.handOver(c.To)
	case roomkit.Edit:
		return d.edit(c)
	case roomkit.DeleteFeatureData:
		return d.deleteFeatureData(c.Features)
	case roomkit.Convert:
		return d.convert(c)
	case roomkit.DeleteRoom:
		return d.deleteRoom()
	case roomkit.AddCompany:
		return d.addCompany(c.Company)
	case roomkit.EditCompany:
		return d.editCompany(c)
	case roomkit.SetCompanyMessaging:
		return d.setCompanyMessaging(c)
	case roomkit.AddUser:
		return d.addUser(c.User)
	case roomkit.EditUser:
		return d.editUser(c)
	case roomkit.SetUserMessaging:
		return d.setUserMessaging(c)
	case roomkit.SuspendUser:
		return d.suspendUser(c)
	case roomkit.DeleteUser:
		return d.setStatus(c.User, roomkit.StatusDeleted)
	case roomkit.RestoreUser:
		return d.restoreUser(c.User)
	case roomkit.SyncTeam:
		return d.syncTeam(c)
	case roomkit.EditTeam:
		return d.editTeam(c)
	}
	return noCommand(cmd)
}
