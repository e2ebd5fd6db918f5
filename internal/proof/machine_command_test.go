package proof_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/oracle"
)

// named finds the constant of the library with the name that the oracle uses.
func named[T fmt.Stringer](name string, all ...T) T {
	i := slices.IndexFunc(all, func(v T) bool { return v.String() == name })
	if i < 0 {
		var none T
		return none
	}
	return all[i]
}

func kindOf(k oracle.Kind) roomkit.Kind { return named(string(k), roomkit.Kinds()...) }

func causeOf(c oracle.Cause) roomkit.Cause { return named(string(c), roomkit.Causes()...) }

func originOf(o oracle.Origin) roomkit.Origin {
	return named(string(o), roomkit.OriginPicker, roomkit.OriginEvent, roomkit.OriginMail, roomkit.OriginRoom,
		roomkit.OriginContacts, roomkit.OriginInvite, roomkit.OriginSystem)
}

func modeOf(m oracle.Mode) roomkit.ExternalMode {
	return named(string(m), roomkit.ExternalOff, roomkit.ExternalSelected, roomkit.ExternalAll)
}

func channelOf(c oracle.Channel) roomkit.Channel {
	return named(string(c), roomkit.ChannelWorks, roomkit.ChannelLINE)
}

func audienceOf(a oracle.Audience) roomkit.Audience {
	switch a {
	case oracle.Members:
		return roomkit.AudienceMembers
	case oracle.Externals:
		return roomkit.AudienceExternal
	default:
		return roomkit.AudienceNone
	}
}

var everyFeature = []roomkit.Feature{
	roomkit.FeatureNote, roomkit.FeatureEvent, roomkit.FeatureTask, roomkit.FeatureFolder, roomkit.FeatureMailingList,
}

func featuresOf(fs oracle.Features) (set roomkit.FeatureSet) {
	for f, on := range fs {
		if on {
			set |= roomkit.Features(named(string(f), everyFeature...))
		}
	}
	return set
}

func peopleOf(list []string) []roomkit.UserID {
	var ids []roomkit.UserID
	for _, u := range list {
		ids = append(ids, roomkit.UserID(u))
	}
	return ids
}

func actorOf(actor string) roomkit.Actor {
	if actor == oracle.System {
		return roomkit.System()
	}
	return roomkit.By(roomkit.UserID(actor))
}

func policyOf(p oracle.Policy) roomkit.Policy {
	q := roomkit.Policy{
		ExternalGroupTask: p.ExternalTask, ForeignMasters: p.ForeignMasters,
		AdministratorsManageExternalMembers: p.AdminsManageExternal,
		LINERoomFeatures:                    p.LineFeatures, TeamPhotoByMembers: p.TeamPhotoByMembers,
		AnyoneIsContact: p.AnyoneIsContact, MaxGroupsPerUser: int64(p.MaxGroupsPerUser),
		LeaderTeamLimit: int64(p.LeaderTeamLimit), MessageOffPeriod: p.OffPeriod,
	}
	for k, n := range p.MaxParticipants {
		q.MaxParticipants[kindOf(k)] = int64(n)
	}
	return q
}

// said is a command in words, with what its pointers point to.
func said(actor string, cmd oracle.Command) string {
	e, ok := cmd.(oracle.Edit)
	if !ok {
		return fmt.Sprintf("%s %#v", actor, cmd)
	}
	var set []string
	note := func(name string, v any) { set = append(set, fmt.Sprintf("%s=%v", name, v)) }
	for name, p := range map[string]*string{"Name": e.Name, "Photo": e.Photo, "Description": e.Description} {
		if p != nil {
			note(name, *p)
		}
	}
	for name, p := range map[string]*bool{
		"Public": e.Public, "Sharing": e.Sharing, "Notify": e.Notify, "Message": e.Message, "Withhold": e.Withhold,
	} {
		if p != nil {
			note(name, *p)
		}
	}
	for f, on := range e.Switch {
		note(string(f), on)
	}
	slices.Sort(set)
	return fmt.Sprintf("%s oracle.Edit{%s: %s}", actor, e.Room, strings.Join(set, ", "))
}

// roomsOf are the rooms that a command names.
func roomsOf(cmd oracle.Command) []string {
	var named []string
	switch x := cmd.(type) {
	case oracle.CreateRoom:
		named = []string{x.Source, x.Use}
	case oracle.Invite:
		named = []string{x.Room}
	case oracle.Remove:
		named = []string{x.Room}
	case oracle.Leave:
		named = []string{x.Room}
	case oracle.Expel:
		named = []string{x.Room}
	case oracle.AppointMasters:
		named = []string{x.Room}
	case oracle.DismissMasters:
		named = []string{x.Room}
	case oracle.HandOver:
		named = []string{x.Room}
	case oracle.Edit:
		named = []string{x.Room}
	case oracle.DeleteFeatureData:
		named = []string{x.Room}
	case oracle.DeleteRoom:
		named = []string{x.Room}
	case oracle.Convert:
		named = []string{x.Room}
	}
	return slices.DeleteFunc(named, func(room string) bool { return room == "" })
}

// roomNamed is the room that a command for one room is for.
func roomNamed(cmd roomkit.Command) roomkit.RoomID {
	switch x := cmd.(type) {
	case roomkit.Invite:
		return x.Room
	case roomkit.Remove:
		return x.Room
	case roomkit.Leave:
		return x.Room
	case roomkit.AppointMasters:
		return x.Room
	case roomkit.DismissMasters:
		return x.Room
	case roomkit.HandOver:
		return x.Room
	case roomkit.Edit:
		return x.Room
	case roomkit.Convert:
		return x.Room
	case roomkit.DeleteRoom:
		return x.Room
	}
	return roomkit.RoomID{}
}

// command is the library's form of an oracle's command.
func (m *machine) command(cmd oracle.Command) roomkit.Command {
	switch x := cmd.(type) {
	case oracle.OpenSelf:
		return roomkit.OpenSelf{}
	case oracle.OpenDirect:
		return roomkit.OpenDirect{With: roomkit.UserID(x.With)}
	case oracle.OpenTeamRoom:
		return roomkit.OpenTeamRoom{Team: roomkit.TeamID(x.Team)}
	case oracle.CreateRoom:
		return roomkit.CreateRoom{
			People: peopleOf(x.People), Audience: audienceOf(x.Audience), Origin: originOf(x.Origin), Source: m.id(x.Source),
			Title: x.Title, Name: x.Name, Photo: x.Photo, Description: x.Description, Use: m.id(x.Use), Anyway: x.Anyway,
		}
	case oracle.CreateGroup:
		return groupCommand(x)
	case oracle.Invite:
		return roomkit.Invite{Room: m.id(x.Room), People: peopleOf(x.People), Name: x.Name}
	case oracle.Remove:
		return roomkit.Remove{Room: m.id(x.Room), People: peopleOf(x.People)}
	case oracle.Leave:
		return roomkit.Leave{Room: m.id(x.Room)}
	case oracle.Expel:
		return roomkit.Expel{Room: m.id(x.Room), People: peopleOf(x.People), Cause: causeOf(x.Cause)}
	default:
		return m.managing(cmd)
	}
}

func groupCommand(x oracle.CreateGroup) roomkit.Command {
	s := roomkit.GroupSettings{
		Public: x.Settings.Public, HistorySharing: x.Settings.Sharing, Notify: x.Settings.Notify,
		MessageOff: x.Settings.MessageOff, FeaturesOff: featuresOf(x.Settings.FeaturesOff),
	}
	group := roomkit.CreateGroup{
		Name: x.Name, Members: peopleOf(x.Members), Masters: peopleOf(x.Masters), ForOthers: x.ForOthers,
		Photo: x.Photo, Description: x.Description, Settings: s,
	}
	if x.External {
		return roomkit.CreateExternalGroup(group)
	}
	return group
}

func (m *machine) managing(cmd oracle.Command) roomkit.Command {
	switch x := cmd.(type) {
	case oracle.AppointMasters:
		return roomkit.AppointMasters{Room: m.id(x.Room), People: peopleOf(x.People)}
	case oracle.DismissMasters:
		return roomkit.DismissMasters{Room: m.id(x.Room), People: peopleOf(x.People)}
	case oracle.HandOver:
		return roomkit.HandOver{Room: m.id(x.Room), To: roomkit.UserID(x.To)}
	case oracle.Edit:
		return m.edit(x)
	case oracle.DeleteFeatureData:
		return roomkit.DeleteFeatureData{Room: m.id(x.Room), Features: featuresOf(x.Features)}
	case oracle.DeleteRoom:
		return roomkit.DeleteRoom{Room: m.id(x.Room)}
	case oracle.Convert:
		return roomkit.Convert{Room: m.id(x.Room), To: kindOf(x.To), Name: x.Name}
	default:
		return directoryCommand(cmd)
	}
}

func (m *machine) edit(x oracle.Edit) roomkit.Edit {
	e := roomkit.Edit{
		Room: m.id(x.Room), Name: x.Name, Photo: x.Photo, Description: x.Description, Public: x.Public,
		HistorySharing: x.Sharing, Notify: x.Notify, Message: x.Message, WithholdFeatures: x.Withhold,
	}
	fields := map[oracle.Feature]**bool{
		oracle.Note: &e.Note, oracle.Event: &e.Event, oracle.Task: &e.Task, oracle.Folder: &e.Folder, oracle.MailingList: &e.MailingList,
	}
	for f, on := range x.Switch {
		*fields[f] = &on
	}
	return e
}

func directoryCommand(cmd oracle.Command) roomkit.Command {
	switch x := cmd.(type) {
	case oracle.PutCompany:
		return roomkit.PutCompany{Company: companyOf(x.Company)}
	case oracle.EditCompany:
		return roomkit.EditCompany{
			Company: roomkit.CompanyID(x.Company), MembersCreateGroups: x.MembersCreateGroups, RecallWindow: x.RecallWindow,
		}
	case oracle.PutUsers:
		var put roomkit.PutUsers
		for _, u := range x.Users {
			put.Users = append(put.Users, userOf(u))
		}
		return put
	case oracle.SetExternalMessaging:
		return roomkit.SetExternalMessaging{
			Company: roomkit.CompanyID(x.Company), User: roomkit.UserID(x.User), Channel: channelOf(x.Channel), Mode: modeOf(x.Mode),
		}
	case oracle.SuspendUser:
		return roomkit.SuspendUser{User: roomkit.UserID(x.User), Lift: x.Lift}
	case oracle.DeleteUser:
		return roomkit.DeleteUser{User: roomkit.UserID(x.User)}
	case oracle.RestoreUser:
		return roomkit.RestoreUser{User: roomkit.UserID(x.User)}
	case oracle.SyncTeam:
		return roomkit.SyncTeam{Team: teamOf(x.Team)}
	default:
		return nil
	}
}

func companyOf(co oracle.Company) roomkit.Company {
	return roomkit.Company{
		ID: roomkit.CompanyID(co.ID), Core: co.Core, MembersCreateGroups: co.MembersCreateGroups,
		Works: modeOf(co.Works), LINE: modeOf(co.Line), MaxGroups: int64(co.MaxGroups), RecallWindow: co.RecallWindow,
	}
}

func userOf(u oracle.User) roomkit.User {
	return roomkit.User{
		ID: roomkit.UserID(u.ID), Company: roomkit.CompanyID(u.Company),
		Kind:   named(string(u.Kind), roomkit.UserMember, roomkit.UserLINE, roomkit.UserBot),
		Status: named(string(u.Status), roomkit.StatusActive, roomkit.StatusSuspended, roomkit.StatusDeleted),
		Works:  u.Works, LINE: u.Line, Administrator: u.Admin,
	}
}

func teamOf(t oracle.Team) roomkit.Team {
	return roomkit.Team{
		ID: roomkit.TeamID(t.ID), Company: roomkit.CompanyID(t.Company), Name: t.Name, Leader: roomkit.UserID(t.Leader),
		Members: peopleOf(t.Members), Room: t.Room, Features: t.Features, Photo: t.Photo,
		Preset: featuresOf(t.Preset), Notify: t.Notify, SyncedSeq: int64(t.Seq),
	}
}
