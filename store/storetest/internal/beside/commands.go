package beside

import (
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// way is how a command of one type is drawn.
type way struct {
	name  string
	often int
	draw  func(h *history) (roomkit.Actor, roomkit.Command)
}

// ways are those for every type of command.
var ways = []way{
	{"OpenSelf", 1, func(h *history) (roomkit.Actor, roomkit.Command) {
		return roomkit.By(h.anybody()), roomkit.OpenSelf{}
	}},
	{"OpenDirect", 1, func(h *history) (roomkit.Actor, roomkit.Command) {
		return roomkit.By(h.anybody()), roomkit.OpenDirect{With: h.anybody()}
	}},
	{"CreateRoom", 2, (*history).createRoom},
	{"CreateGroup", 1, func(h *history) (roomkit.Actor, roomkit.Command) {
		actor, company, forOthers := h.founder()
		cmd := roomkit.CreateGroup{
			Name: pick(h, []string{"Ops", "OPS", "Sales", "Lunch", "Straße", "STRASSE"}), Members: some(h, h.world.of(company), 3),
			ForOthers: forOthers, Photo: h.text("photo"), Description: h.text("about"), Settings: h.settings(),
		}
		cmd.Settings.Public = h.toss()
		if forOthers || h.chance(1, 3) {
			cmd.Masters = some(h, h.world.of(company), 2)
		}
		return roomkit.By(actor), cmd
	}},
	{"CreateExternalGroup", 2, func(h *history) (roomkit.Actor, roomkit.Command) {
		actor, company, forOthers := h.founder()
		cmd := roomkit.CreateExternalGroup{
			Name: h.text("Joint"), Members: some(h, slices.Concat(h.world.of("x")[:3], h.world.of("y"), []roomkit.UserID{"a", "d"}), 3), ForOthers: forOthers,
			Photo: h.text("photo"), Description: h.text("about"), Settings: h.settings(),
		}
		if forOthers || h.chance(1, 3) {
			cmd.Masters = some(h, h.world.of(company), 2)
		}
		return roomkit.By(actor), cmd
	}},
	{"OpenTeamRoom", 1, func(h *history) (roomkit.Actor, roomkit.Command) {
		team := pick(h, h.world.teams)
		actor := h.provider(team.Company)
		if h.chance(1, 3) {
			actor = roomkit.By(team.Leader)
		}
		return actor, roomkit.OpenTeamRoom{Team: team.ID, Company: team.Company}
	}},
	// convert converts a General room; if there is none, it creates a room.
	{"Convert", 2, func(h *history) (roomkit.Actor, roomkit.Command) {
		if len(h.active(roomkit.KindGeneral)) == 0 {
			return h.createRoom()
		}
		room := h.room(roomkit.KindGeneral)
		to := pick(h, []roomkit.Kind{roomkit.KindGroup, roomkit.KindExternalGroup})
		return h.actorFor(room), roomkit.Convert{Room: room.ID, To: to, Name: pick(h, []string{"Ops", "Board", "board", h.text("Choir"), h.text("Garden")})}
	}},
	{"DeleteRoom", 1, func(h *history) (roomkit.Actor, roomkit.Command) {
		room := h.room(roomkit.KindGroup, roomkit.KindExternalGroup, roomkit.KindTeam)
		return h.actorFor(room), roomkit.DeleteRoom{Room: room.ID}
	}},
	{"Invite", 3, func(h *history) (roomkit.Actor, roomkit.Command) {
		room := h.room(roomkit.KindDirect, roomkit.KindGeneral, roomkit.KindGroup, roomkit.KindGroup, roomkit.KindExternalGroup)
		people := h.world.people()
		if h.chance(2, 3) {
			people = h.world.of(room.Company)
		}
		return h.actorFor(room), roomkit.Invite{Room: room.ID, People: some(h, people, 3), Name: h.text("Joint")}
	}},
	{"Remove", 1, func(h *history) (roomkit.Actor, roomkit.Command) {
		room := h.room(roomkit.KindGeneral, roomkit.KindGroup, roomkit.KindExternalGroup)
		people := h.inside(room, store.MembersTakingPart)
		if len(people) == 0 || h.chance(1, 10) {
			people = h.world.people()
		}
		return h.actorFor(room), roomkit.Remove{Room: room.ID, People: some(h, people, 2)}
	}},
	{"Leave", 1, func(h *history) (roomkit.Actor, roomkit.Command) {
		room := h.room(roomkit.KindDirect, roomkit.KindGeneral)
		return h.actorFor(room), roomkit.Leave{Room: room.ID}
	}},
	// expel takes people out who are to be swept out; if there are none, it makes somebody
	// lose the permission or the account instead.
	{"Expel", 2, func(h *history) (roomkit.Actor, roomkit.Command) {
		cause := pick(h, []roomkit.Cause{roomkit.CausePermission, roomkit.CauseAccount})
		if room, people := h.unwell(); len(people) > 0 && h.chance(5, 6) {
			if u := h.load(store.Need{People: people[:1]}).Users[0]; u.Status != roomkit.StatusDeleted {
				cause = roomkit.CausePermission
			} else {
				cause = roomkit.CauseAccount
			}
			return roomkit.System(), roomkit.Expel{Room: room, People: people[:1], Cause: cause}
		}
		room := h.room(roomkit.KindExternalGroup)
		u := h.world.user(h.someoneIn(room, store.MembersPresent))
		switch {
		case h.chance(1, 3):
			return roomkit.System(), roomkit.DeleteUser{User: u.ID}
		case u.Company != "" && h.chance(2, 3):
			return roomkit.System(), roomkit.SetUserMessaging{User: u.ID, With: roomkit.OutsiderPartner, Allow: new(false)}
		}
		return h.host(), roomkit.Expel{Room: room.ID, People: some(h, h.world.people(), 3), Cause: cause}
	}},
	{"AppointMasters", 1, (*history).appoint},
	// dismiss ends a master role where another Group Master remains; if there is no such
	// group, it appoints one.
	{"DismissMasters", 1, func(h *history) (roomkit.Actor, roomkit.Command) {
		several := slices.DeleteFunc(h.active(roomkit.KindGroup, roomkit.KindExternalGroup), func(r roomkit.Room) bool { return r.Masters < 2 })
		room := h.room(roomkit.KindGroup, roomkit.KindExternalGroup)
		switch {
		case len(several) > 0:
			room = pick(h, several)
		case h.chance(3, 4):
			return h.appoint()
		}
		return h.actorFor(room), roomkit.DismissMasters{Room: room.ID, People: []roomkit.UserID{h.someoneIn(room, store.MembersManaging)}}
	}},
	{"HandOver", 1, func(h *history) (roomkit.Actor, roomkit.Command) {
		room := h.room(roomkit.KindGroup, roomkit.KindExternalGroup)
		actor, to := h.actorFor(room), h.anybody()
		others := slices.DeleteFunc(h.world.of(room.Company), func(u roomkit.UserID) bool { return u == actor.User() || u == "_bot" })
		if len(others) > 0 && h.chance(7, 8) {
			to = pick(h, others)
		}
		return actor, roomkit.HandOver{Room: room.ID, To: to}
	}},
	{"Edit", 2, func(h *history) (roomkit.Actor, roomkit.Command) {
		room := h.room()
		cmd := roomkit.Edit{Room: room.ID}
		for range 1 + h.roll(2) {
			switch h.roll(10) {
			case 0, 1:
				cmd.Name = new(pick(h, []string{"Ops", "oPs", "Sales", "Renamed", "Garden"}))
			case 2:
				cmd.Photo = new(h.text("photo"))
			case 3:
				cmd.Description = new(h.text("about"))
			case 4:
				cmd.Public = new(h.toss())
			case 5:
				cmd.HistorySharing = new(h.toss())
			case 6:
				cmd.Notify, cmd.Note, cmd.Event = new(h.toss()), new(h.toss()), new(h.toss())
			case 7:
				cmd.Folder, cmd.MailingList, cmd.Task = new(h.toss()), new(h.toss()), new(h.toss())
			case 8:
				cmd.Message = new(h.toss())
			default:
				cmd.WithholdFeatures = new(h.toss())
			}
		}
		return h.actorFor(room), cmd
	}},
	{"DeleteFeatureData", 1, func(h *history) (roomkit.Actor, roomkit.Command) {
		room := h.room(roomkit.KindGroup, roomkit.KindExternalGroup, roomkit.KindTeam)
		set := pick(h, []roomkit.FeatureSet{roomkit.Features(roomkit.FeatureNote), roomkit.Features(roomkit.FeatureEvent, roomkit.FeatureFolder)})
		return h.actorFor(room), roomkit.DeleteFeatureData{Room: room.ID, Features: set}
	}},
	// A company or a user is mostly a new one; who exists stays as it is, whatever is said.
	{"AddCompany", 1, func(h *history) (roomkit.Actor, roomkit.Command) {
		company := pick(h, h.world.companies)
		company.Partners, company.Consumers, company.Licensed = h.mode(), h.mode(), h.toss()
		if h.chance(2, 3) {
			company.ID = pick(h, []roomkit.CompanyID{"k", "K", "k2"})
		}
		return h.host(), roomkit.AddCompany{Company: company}
	}},
	{"EditCompany", 1, func(h *history) (roomkit.Actor, roomkit.Command) {
		company := pick(h, h.world.companies).ID
		actor, cmd := h.provider(company), roomkit.EditCompany{Company: company, RecallWindow: new(time.Duration(h.roll(4)) * time.Hour)}
		if h.toss() {
			cmd.MembersCreateGroups = new(h.chance(3, 4))
		}
		if actor.IsSystem() || h.chance(1, 6) {
			cmd.Licensed, cmd.MaxGroups = new(h.chance(9, 10)), new(int64(3+h.roll(4)))
		}
		return actor, cmd
	}},
	{"SetCompanyMessaging", 1, func(h *history) (roomkit.Actor, roomkit.Command) {
		company := pick(h, h.world.companies).ID
		return h.provider(company), roomkit.SetCompanyMessaging{Company: company, With: h.outsider(), Mode: new(h.mode())}
	}},
	{"AddUser", 1, func(h *history) (roomkit.Actor, roomkit.Command) {
		u := pick(h, h.world.users)
		u.Status = pick(h, []roomkit.UserStatus{roomkit.StatusActive, roomkit.StatusSuspended, roomkit.StatusDeleted})
		u.Partners, u.Administrator = h.toss(), h.chance(1, 4) && u.Kind == roomkit.UserMember
		if h.chance(2, 3) {
			u.ID = pick(h, []roomkit.UserID{"n1", "N1", "n2"})
		}
		if h.chance(1, 10) {
			u.Company = "nowhere"
		}
		return h.host(), roomkit.AddUser{User: u}
	}},
	{"EditUser", 1, func(h *history) (roomkit.Actor, roomkit.Command) {
		return h.host(), roomkit.EditUser{User: h.anybody(), Administrator: new(h.toss())}
	}},
	{"SetUserMessaging", 1, func(h *history) (roomkit.Actor, roomkit.Command) {
		u := h.world.user(h.anybody())
		return h.provider(u.Company), roomkit.SetUserMessaging{User: u.ID, With: h.outsider(), Allow: new(h.toss())}
	}},
	{"SuspendUser", 1, func(h *history) (roomkit.Actor, roomkit.Command) {
		lift := h.toss()
		u := h.world.user(h.withStatus(roomkit.StatusSuspended, lift))
		return h.provider(u.Company), roomkit.SuspendUser{User: u.ID, Lift: lift}
	}},
	{"DeleteUser", 1, func(h *history) (roomkit.Actor, roomkit.Command) {
		u := h.world.user(h.anybody())
		return h.provider(u.Company), roomkit.DeleteUser{User: u.ID}
	}},
	{"RestoreUser", 2, func(h *history) (roomkit.Actor, roomkit.Command) {
		u := h.world.user(h.withStatus(roomkit.StatusDeleted, true))
		return h.provider(u.Company), roomkit.RestoreUser{User: u.ID}
	}},
	{"SyncTeam", 1, func(h *history) (roomkit.Actor, roomkit.Command) {
		team, cmd := pick(h, h.world.teams), roomkit.SyncTeam{Name: h.text("Team")}
		cmd.Team, cmd.Company, cmd.Members = team.ID, team.Company, some(h, h.world.of(team.Company), 4)
		cmd.Leader = pick(h, cmd.Members)
		if h.chance(1, 4) {
			cmd.Seq = int64(h.roll(5))
		}
		return h.provider(team.Company), cmd
	}},
	{"EditTeam", 1, func(h *history) (roomkit.Actor, roomkit.Command) {
		team := pick(h, h.world.teams)
		return h.provider(team.Company), roomkit.EditTeam{
			Team: team.ID, Company: team.Company, Room: new(h.chance(7, 8)), Features: new(h.toss()), Photo: new(h.toss()), Notify: new(h.toss()),
			Preset: new(roomkit.FeatureSet(h.roll(32))),
		}
	}},
}

// command draws a command, mostly one of a type that the history has not stored yet.
func (h *history) command() (roomkit.Actor, roomkit.Command) {
	var from []way
	for _, w := range ways {
		from = append(from, slices.Repeat([]way{w}, w.often)...)
	}
	if wanted := slices.DeleteFunc(slices.Clone(from), func(w way) bool { return h.stored[w.name] }); len(wanted) > 0 && h.chance(2, 3) {
		from = wanted
	}
	return pick(h, from).draw(h)
}

func (h *history) createRoom() (roomkit.Actor, roomkit.Command) {
	actor := h.anybody()
	company := h.world.user(actor).Company
	cmd := roomkit.CreateRoom{
		People: some(h, h.world.of(company), 3), Audience: roomkit.AudienceMembers, Title: h.text("title"), AllowDuplicate: h.chance(1, 2),
	}
	if h.chance(2, 5) {
		cmd.Audience = roomkit.AudienceExternal
		from := pick(h, slices.DeleteFunc([]roomkit.CompanyID{"", "x", "y", "Z"}, func(c roomkit.CompanyID) bool { return c == company }))
		cmd.People = append(cmd.People, some(h, h.world.of(from), 2)...)
	}
	switch h.roll(12) {
	case 0:
		cmd.Origin, cmd.Audience = roomkit.OriginEvent, roomkit.AudienceNone
	case 1:
		room := h.room(roomkit.KindGeneral, roomkit.KindGroup, roomkit.KindTeam)
		cmd.Origin, cmd.Source, cmd.People = roomkit.OriginRoom, room.ID, some(h, h.inside(room, store.MembersPresent), 3)
		actor = h.someoneIn(room, store.MembersTakingPart)
	case 2:
		room := h.room(roomkit.KindGeneral, roomkit.KindGroup)
		cmd.Existing, cmd.People, cmd.AllowDuplicate = room.ID, some(h, h.inside(room, store.MembersTakingPart), 3), false
		actor = h.someoneIn(room, store.MembersTakingPart)
	case 3:
		cmd.Name, cmd.Photo, cmd.Description = h.text("name"), h.text("photo"), h.text("about")
	case 4:
		cmd.People = append(cmd.People, h.anybody())
	case 5, 6:
		room := h.room(roomkit.KindGeneral, roomkit.KindGroup, roomkit.KindExternalGroup)
		cmd.People, cmd.AllowDuplicate = some(h, h.inside(room, store.MembersTakingPart), 4), false
		actor = h.someoneIn(room, store.MembersTakingPart)
	}
	return roomkit.By(actor), cmd
}

func (h *history) settings() roomkit.GroupSettings {
	return roomkit.GroupSettings{
		HistorySharing: h.toss(), Notify: h.toss(), MessageOff: h.chance(1, 6), FeaturesOff: roomkit.FeatureSet(h.roll(32)),
	}
}

// founder draws who creates a group, and whether for others.
func (h *history) founder() (actor roomkit.UserID, company roomkit.CompanyID, forOthers bool) {
	company = pick(h, []roomkit.CompanyID{"x", "x", "y", "y", "Z"})
	actor = pick(h, h.world.of(company))
	if h.chance(1, 4) {
		actor, forOthers = h.world.head(company), true
	}
	return actor, company, forOthers
}

// unwell finds a room with people in it who are to be swept out.
func (h *history) unwell() (roomkit.RoomID, []roomkit.UserID) {
	rooms := h.active()
	for _, room := range some(h, rooms, len(rooms)) {
		found, err := h.sides[0].svc.Health(h.ctx, room.ID)
		require.NoError(h, err)
		for _, f := range found {
			if f.Problem == service.ProblemVoid {
				return room.ID, f.People
			}
		}
	}
	return roomkit.RoomID{}, nil
}

func (h *history) appoint() (roomkit.Actor, roomkit.Command) {
	room := h.room(roomkit.KindGroup, roomkit.KindExternalGroup)
	people := h.world.of(room.Company)
	if len(people) == 0 || h.chance(1, 8) {
		people = h.world.people()
	}
	people = slices.DeleteFunc(people, func(u roomkit.UserID) bool { return u == "_bot" && h.toss() })
	return h.actorFor(room), roomkit.AppointMasters{Room: room.ID, People: some(h, people, 2)}
}

func (h *history) mode() roomkit.ExternalMode {
	return pick(h, []roomkit.ExternalMode{roomkit.ExternalOff, roomkit.ExternalSelected, roomkit.ExternalSelected, roomkit.ExternalAll})
}

func (h *history) outsider() roomkit.Outsider {
	return pick(h, []roomkit.Outsider{roomkit.OutsiderPartner, roomkit.OutsiderPartner, roomkit.OutsiderConsumer})
}

// host is the system, seldom somebody who may not do what only it may.
func (h *history) host() roomkit.Actor {
	if h.chance(1, 6) {
		return roomkit.By(h.anybody())
	}
	return roomkit.System()
}

// withStatus draws a user, if wanted and possible one whose account is in this state.
func (h *history) withStatus(s roomkit.UserStatus, wanted bool) roomkit.UserID {
	var ids []roomkit.UserID
	for _, u := range h.load(store.Need{People: h.world.people()}).Users {
		if u.Status == s {
			ids = append(ids, u.ID)
		}
	}
	if slices.Sort(ids); wanted && len(ids) > 0 {
		return pick(h, ids)
	}
	return h.anybody()
}
