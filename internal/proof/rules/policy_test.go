package rules_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/internal/sample"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// standings lists all sets of standings.
func standings() (list []roomkit.Standing) {
	all := roomkit.StandingParticipant | roomkit.StandingMaster | roomkit.StandingLeader |
		roomkit.StandingAdministrator | roomkit.StandingColleague
	for st := roomkit.StandingNone; st <= all; st++ {
		list = append(list, st)
	}
	return list
}

func TestStandings(t *testing.T) {
	t.Run("COM-02 GRP-11 GEN-09 DIR-03 FEA-10 CRE-28 only participants use a room, leave it, recall their own", func(t *testing.T) {
		participants := []roomkit.Action{
			roomkit.ActionEnter, roomkit.ActionPost, roomkit.ActionLeave, roomkit.ActionRecallOwn, roomkit.ActionSource,
			roomkit.ActionUseNote, roomkit.ActionUseEvent, roomkit.ActionUseTask, roomkit.ActionUseFolder, roomkit.ActionUseMailingList,
			roomkit.ActionInviteAttendees, roomkit.ActionSwitchFileNotice, roomkit.ActionConvert,
		}
		rules := roomkit.NewRules(roomkit.Policy{})
		for _, kind := range roomkit.Kinds() {
			for _, st := range standings() {
				allowed := rules.Allowed(kind, st)
				for _, action := range participants {
					if st&roomkit.StandingParticipant == 0 {
						require.False(t, allowed.Has(action), "%s as %s in %s", action, st, kind)
					}
				}
				if kind < roomkit.KindGroup && st&roomkit.StandingParticipant != 0 {
					alike := rules.Allowed(kind, roomkit.StandingParticipant).Has(roomkit.ActionLeave)
					require.Equal(t, alike, allowed.Has(roomkit.ActionLeave), "leaving %s as %s", kind, st)
				}
			}
			require.Zero(t, rules.Allowed(kind, roomkit.StandingNone))
		}
	})
	t.Run("FEA-10 FEA-11 FEA-12 recalling by those who are not in", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.Edit{Room: s.Group, Public: new(true)})
		s.Permit("ben", false)
		now := s.Clock.Now()
		cases := map[string]struct {
			user roomkit.UserID
			room roomkit.RoomID
		}{
			"administrator of a group": {"adm", s.Group}, "administrator of an external group": {"adm", s.External},
			"administrator of a team": {"adm", s.Team}, "colleague": {"dan", s.Group}, "void member": {"ben", s.External},
		}
		for name, c := range cases {
			a := s.AccessOf(c.user, c.room)
			require.False(t, a.Can(roomkit.ActionRecallOwn), name)
			require.False(t, a.Can(roomkit.ActionRecallOthers), name)
			proof.Refused(t, "COM-02", a.MayRecall(c.user, c.user, now, now))
			proof.Refused(t, "FEA-11", a.MayRecall(c.user, "cat", now, now))
		}
		for _, stranger := range people("fay", "lin", "nobody") {
			for _, room := range []roomkit.RoomID{s.General, s.Group, s.External, s.Team, s.Direct, s.Self} {
				require.ErrorIs(t, s.AccessOf(stranger, room).MayRecall(stranger, stranger, now, now), roomkit.ErrNotFound)
			}
		}
		require.NoError(t, s.AccessOf("cat", s.External).MayRecall("cat", "cat", now, now))
	})
	t.Run("EXT-17 GRP-06 a refusal says who could, unless nobody can", func(t *testing.T) {
		s := proof.NewStage(t)
		require.NotContains(t, s.Denies("EXT-17", "ben", roomkit.Leave{Room: s.External}).Reason, "only as")
		mine := s.Denies("GRP-06", "ben", roomkit.AppointMasters{Room: s.Group, People: people("ben")})
		require.Contains(t, mine.Reason, "only as master or administrator")
	})
	t.Run("DIR-03 GEN-09 GRP-12 EXT-17 TEAM-06 leaving by those who are not in", func(t *testing.T) {
		s := proof.NewStage(t)
		for _, outsider := range people("adm", "dan", "fay", "lin") {
			for _, room := range []roomkit.RoomID{s.Direct, s.General, s.Self} {
				s.Cannot("", outsider, room, roomkit.ActionLeave, roomkit.ActionRecallOwn)
				s.Unknown(outsider, roomkit.Leave{Room: room})
			}
		}
		s.Does("ann", roomkit.Edit{Room: s.Group, Public: new(true)})
		s.Denies("COM-08", "dan", roomkit.Leave{Room: s.Group})
		s.Denies("GRP-12", "adm", roomkit.Leave{Room: s.Group})
		s.Denies("EXT-17", "adm", roomkit.Leave{Room: s.External})
		s.Denies("TEAM-06", "adm", roomkit.Leave{Room: s.Team})
		s.Permit("ben", false)
		s.Denies("EXT-22", "ben", roomkit.Leave{Room: s.External})
		s.Does("adm", roomkit.DeleteUser{User: "ben"})
		s.Does("adm", roomkit.RestoreUser{User: "ben"})
		for _, room := range []roomkit.RoomID{s.Direct, s.General} {
			s.Denies("ADM-13", "ben", roomkit.Leave{Room: room})
		}
	})
	t.Run("ADM-10 ADM-11 an administrator is nothing more than a participant where there is nothing to administer", func(t *testing.T) {
		s := proof.NewStage(t)
		general := proof.General(t, s.Service, "ann", "adm", "ben")
		s.Does("adm", roomkit.OpenDirect{With: "ann"})
		s.Does("adm", roomkit.OpenSelf{})
		for _, room := range []roomkit.RoomID{general, roomkit.DirectRoom("adm", "ann"), roomkit.SelfRoom("adm")} {
			require.Equal(t, roomkit.StandingParticipant, s.AccessOf("adm", room).Standing)
		}
		for _, room := range []roomkit.RoomID{s.External, s.Team} {
			require.Equal(t, roomkit.StandingAdministrator, s.AccessOf("adm", room).Standing)
		}
	})
	t.Run("COM-02 a room that does not exist is not found, by the system neither", func(t *testing.T) {
		s := proof.NewStage(t)
		for _, cmd := range roomCommands(roomkit.RoomID{0xfe}) {
			if _, creates := cmd.(roomkit.CreateRoom); creates {
				continue
			}
			_, err := s.Do(ctx, roomkit.System(), cmd)
			require.ErrorIs(t, err, roomkit.ErrNotFound, "%T", cmd)
		}
	})
}

func TestUnknown(t *testing.T) {
	const unknownAction, unknownKind = roomkit.Action(200), roomkit.Kind(99)
	t.Run("COM-02 what is unknown allows nothing", func(t *testing.T) {
		rules := roomkit.NewRules(roomkit.Policy{
			ExternalGroupTask: true, ForeignMasters: true, AdministratorsManageExternalMembers: true,
			ConsumerRoomFeatures: true, TeamPhotoByMembers: true, AnyoneIsContact: true,
		})
		for _, st := range append(standings(), roomkit.Standing(1<<5), roomkit.Standing(255)) {
			require.Zero(t, rules.Allowed(unknownKind, st))
			require.Zero(t, rules.Allowed(roomkit.KindNone, st))
			for _, kind := range roomkit.Kinds() {
				require.False(t, rules.Allowed(kind, st).Has(unknownAction))
				require.False(t, rules.Allowed(kind, st).Has(roomkit.ActionNone))
			}
		}
		for _, kind := range roomkit.Kinds() {
			require.Zero(t, rules.Allowed(kind, roomkit.Standing(1<<5)))
			require.Zero(t, rules.Allowed(kind, roomkit.Standing(255)))
			require.Empty(t, rules.RuleFor(unknownAction, kind))
			require.NotEmpty(t, rules.RuleFor(roomkit.ActionPost, kind))
		}
		require.Empty(t, rules.RuleFor(roomkit.ActionPost, unknownKind))
		require.Zero(t, roomkit.Actions(roomkit.ActionNone)&roomkit.Actions(roomkit.AllActions()...))
	})
	t.Run("COM-02 what is no action is in no set", func(t *testing.T) {
		every := ^roomkit.ActionSet(0)
		for _, action := range []roomkit.Action{roomkit.ActionNone, roomkit.Action(len(roomkit.AllActions()) + 1), 63, unknownAction} {
			require.False(t, every.Has(action), "action %d", action)
		}
		for _, action := range roomkit.AllActions() {
			require.True(t, every.Has(action), "action %s", action)
		}
	})
	t.Run("COM-02 Check and Access of an unknown action", func(t *testing.T) {
		s := proof.NewStage(t)
		for _, action := range []roomkit.Action{roomkit.ActionNone, unknownAction, roomkit.ActionMailMembers + 1, 255} {
			for user, room := range map[roomkit.UserID]roomkit.RoomID{"ann": s.Group, "ben": s.General, "fay": s.General} {
				require.ErrorIs(t, s.Check(ctx, user, action, room), roomkit.ErrInvalid)
				require.False(t, s.AccessOf(user, room).Can(action))
			}
		}
	})
	t.Run("COM-02 COM-14 a room of an unknown kind refuses every command", func(t *testing.T) {
		rules, room := roomkit.NewRules(roomkit.Policy{AnyoneIsContact: true}), roomkit.RoomID{1}
		commands := []roomkit.Command{
			roomkit.Leave{Room: room}, roomkit.Invite{Room: room, People: people("ben")}, roomkit.DeleteRoom{Room: room},
			roomkit.Edit{Room: room, Name: new("x")}, roomkit.AppointMasters{Room: room, People: people("ben")},
			roomkit.Convert{Room: room, To: roomkit.KindGroup, Name: "x"},
		}
		refusal := func(kind roomkit.Kind, actor roomkit.Actor, cmd roomkit.Command) error {
			_, err := decide.Decide(rules, oddRoom(room, kind), actor, cmd, time.Unix(1, 0))
			return err
		}
		for _, cmd := range commands {
			for _, kind := range []roomkit.Kind{roomkit.KindNone, roomkit.KindTeam + 1, unknownKind} {
				require.ErrorIs(t, refusal(kind, roomkit.By("ann"), cmd), roomkit.ErrNotFound)
				require.ErrorIs(t, refusal(kind, roomkit.By("adm"), cmd), roomkit.ErrNotFound)
			}
			for _, kind := range []roomkit.Kind{roomkit.KindNone, roomkit.KindTeam + 1, unknownKind} {
				proof.Refused(t, "COM-02", refusal(kind, roomkit.System(), cmd))
			}
		}
		require.True(t, slices.ContainsFunc(commands, func(cmd roomkit.Command) bool {
			return refusal(roomkit.KindGeneral, roomkit.By("ann"), cmd) == nil
		}), "the same facts of a known kind")
	})
}

// oddRoom gives facts of a room of any kind in which ann and adm take part and
// are masters.
func oddRoom(id roomkit.RoomID, kind roomkit.Kind) *decide.Facts {
	f := store.Facts{
		Room:      roomkit.Room{ID: id, Kind: kind, State: roomkit.StateActive, Version: 3, Company: "acme", Counts: roomkit.Counts{Participants: 2, Masters: 2}},
		Users:     []roomkit.User{{ID: "ben", Version: 1, Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}},
		Companies: []roomkit.Company{{ID: "acme", Version: 1, Licensed: true, MembersCreateGroups: true}},
	}
	for _, who := range people("ann", "adm") {
		f.Users = append(f.Users, roomkit.User{
			ID: who, Version: 1, Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Administrator: who == "adm",
		})
		f.Members = append(f.Members, roomkit.Member{
			Room: id, User: who, Company: "acme", Kind: roomkit.UserMember, Participant: true, Master: true,
			Epoch: roomkit.Epoch{User: 1, Company: 1}, MasterEpoch: roomkit.Epoch{User: 1, Company: 1},
		})
	}
	return &decide.Facts{Facts: f}
}

// Every field of Policy turns a refusal of the default into a permission, or the
// other way round.
func TestPolicyOptions(t *testing.T) {
	photo := "new"
	tests := []struct {
		name   string
		change func(*roomkit.Policy)
		actor  roomkit.UserID
		cmd    func(*proof.Stage) roomkit.Command
		rule   roomkit.Rule // of the refusal
		opens  bool         // the option permits; else it forbids
	}{
		{"ExternalGroupTask", func(p *roomkit.Policy) { p.ExternalGroupTask = true }, "ann", func(s *proof.Stage) roomkit.Command {
			return roomkit.Edit{Room: s.External, Task: new(false)}
		}, "EXT-06", true},
		{"ForeignMasters", func(p *roomkit.Policy) { p.ForeignMasters = true }, "ann", func(s *proof.Stage) roomkit.Command {
			return roomkit.AppointMasters{Room: s.External, People: people("eve")}
		}, "EXT-29", true},
		{"AdministratorsManageExternalMembers, adding", func(p *roomkit.Policy) { p.AdministratorsManageExternalMembers = true }, "adm", func(s *proof.Stage) roomkit.Command {
			return roomkit.Invite{Room: s.External, People: people("dan")}
		}, "EXT-15", true},
		{"AdministratorsManageExternalMembers, removing", func(p *roomkit.Policy) { p.AdministratorsManageExternalMembers = true }, "adm", func(s *proof.Stage) roomkit.Command {
			return roomkit.Remove{Room: s.External, People: people("ben")}
		}, "EXT-16", true},
		{"TeamPhotoByMembers", func(p *roomkit.Policy) { p.TeamPhotoByMembers = true }, "ben", func(s *proof.Stage) roomkit.Command {
			return roomkit.Edit{Room: s.Team, Photo: &photo}
		}, "TEAM-25", true},
		{"AnyoneIsContact", func(p *roomkit.Policy) { p.AnyoneIsContact = false }, "ann", func(*proof.Stage) roomkit.Command {
			return roomkit.CreateExternalGroup{Name: "with bolt", Members: people("fay")}
		}, "EXT-32", false},
		{"MaxParticipants", func(p *roomkit.Policy) { p.MaxParticipants[roomkit.KindGroup] = 3 }, "ann", func(*proof.Stage) roomkit.Command {
			return roomkit.CreateGroup{Name: "four", Members: people("ben", "cat", "dan")}
		}, "LIM-07", false},
		{"MaxGroupsPerUser", func(p *roomkit.Policy) { p.MaxGroupsPerUser = 2 }, "ann", func(*proof.Stage) roomkit.Command {
			return roomkit.CreateGroup{Name: "third", Members: people("dan")}
		}, "CRE-45", false},
		{"LeaderTeamLimit", func(p *roomkit.Policy) { p.LeaderTeamLimit = 2 }, "cat", func(s *proof.Stage) roomkit.Command {
			s.NewTeam("big", "cat", "ann", "ben", "cat")
			return roomkit.OpenTeamRoom{Team: "big"}
		}, "LIM-08", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			with := proof.NewStage(t, func(o *service.Options) { test.change(&o.Policy) })
			without := proof.NewStage(t)
			if !test.opens {
				with, without = without, with
			}
			with.Does(test.actor, test.cmd(with))
			without.Denies(test.rule, test.actor, test.cmd(without))
		})
	}
	t.Run("ConsumerRoomFeatures", func(t *testing.T) {
		for _, on := range []bool{false, true} {
			s := proof.NewStage(t, func(o *service.Options) { o.Policy.ConsumerRoomFeatures = on })
			require.Equal(t, on, s.AccessOf("ann", s.Line).Can(roomkit.ActionUseNote))
		}
	})
	t.Run("MessageOffPeriod", func(t *testing.T) {
		for period, emptied := range map[time.Duration]bool{0: false, time.Hour: true} {
			s := proof.NewStage(t, func(o *service.Options) { o.Policy.MessageOffPeriod = period })
			s.Does("ann", roomkit.Edit{Room: s.Group, Message: new(false)})
			s.Clock.Add(time.Hour)
			s.Does("ann", roomkit.Edit{Room: s.Group, Message: new(true)})
			require.Equal(t, emptied, s.AccessOf("ann", s.Group).EmptiedAt > 0)
		}
	})
}

// TestOpacity: to an outsider a room that exists and one that does not give
// equal answers to every command and question (A10, TH-24).
func TestOpacity(t *testing.T) {
	s := proof.NewStage(t)
	nowhere := roomkit.RoomID{0xff}
	for name, room := range map[string]roomkit.RoomID{
		"self": s.Self, "direct": s.Direct, "general": s.General, "group": s.Group, "external": s.External, "team": s.Team, "line": s.Line,
	} {
		t.Run(name, func(t *testing.T) {
			for i, cmd := range roomCommands(room) {
				_, here := s.Do(ctx, roomkit.By("fay"), cmd)
				_, there := s.Do(ctx, roomkit.By("fay"), roomCommands(nowhere)[i])
				require.Equal(t, &roomkit.Error{Op: roomkit.CommandName(cmd), Room: room, Err: roomkit.ErrNotFound}, here)
				require.Equal(t, &roomkit.Error{Op: roomkit.CommandName(cmd), Room: nowhere, Err: roomkit.ErrNotFound}, there)
			}
			for v := range roomkit.Version(12) {
				_, err := s.Do(ctx, roomkit.By("fay"), roomkit.Leave{Room: room}, service.Call{IfVersion: v})
				require.ErrorIs(t, err, roomkit.ErrNotFound, "no version is told either")
			}
			list, err := s.Access(ctx, "fay", room, nowhere)
			require.NoError(t, err)
			require.Equal(t, roomkit.Access{Room: room}, list[0])
			require.Equal(t, roomkit.Access{Room: nowhere}, list[1])
			_, err = s.Service.Room(ctx, "fay", room)
			require.ErrorIs(t, err, roomkit.ErrNotFound)
			require.ErrorIs(t, proof.Refusal(t, s.Members(ctx, "fay", room, service.MemberList{})), roomkit.ErrNotFound)
			require.ErrorIs(t, proof.Refusal(t, s.History(ctx, "fay", room, service.HistoryList{})), roomkit.ErrNotFound)
			require.ErrorIs(t, proof.Refusal(t, s.WatchRooms(ctx, "fay", "", room)), roomkit.ErrNotFound)
		})
	}
}

func TestRefusalsTellNoRooms(t *testing.T) {
	t.Run("ErrNotFound is the only difference an outsider can make: a refusal names the room that was named", func(t *testing.T) {
		s := proof.NewStage(t)
		nowhere := roomkit.RoomID{1: 7}
		for name, probe := range map[string]func(room roomkit.RoomID) (roomkit.UserID, roomkit.Command){
			"LST-09": func(room roomkit.RoomID) (roomkit.UserID, roomkit.Command) {
				return "dan", roomkit.CreateRoom{People: people("adm"), Audience: roomkit.AudienceMembers, Existing: room}
			},
			"EXT-24": func(room roomkit.RoomID) (roomkit.UserID, roomkit.Command) {
				return "dan", roomkit.Expel{Room: room, People: people("ben"), Cause: roomkit.CauseAccount}
			},
			"LINE-02": func(room roomkit.RoomID) (roomkit.UserID, roomkit.Command) {
				return "lin", roomkit.CreateRoom{People: people("ann", "ben"), Audience: roomkit.AudienceExternal, Existing: room}
			},
		} {
			for _, room := range []roomkit.RoomID{s.General, s.External, nowhere} {
				actor, cmd := probe(room)
				d := s.Denies(roomkit.Rule(name), actor, cmd)
				require.Equal(t, room, d.Room, name)
			}
		}
	})
}

// roomCommands are the commands about a room that are open to users; [roomkit.Expel] is not.
func roomCommands(room roomkit.RoomID) []roomkit.Command {
	return slices.DeleteFunc(sample.OfRooms(room, "ann", "ben"), func(cmd roomkit.Command) bool {
		_, system := cmd.(roomkit.Expel)
		return system
	})
}

// TestEventsCarryTheirActor: with the versions of the directory that the
// decision relied on; the system relies on none.
func TestEventsCarryTheirActor(t *testing.T) {
	s := proof.NewStage(t)
	s.Permit("ann", false)
	facts, err := s.Store.Load(ctx, []store.Need{{People: people("ann")}})
	require.NoError(t, err)
	relied := roomkit.Epoch{User: facts[0].Users[0].Version, Company: facts[0].Companies[0].Version}
	require.EqualValues(t, 2, relied.User)
	for _, e := range proof.Touch(t, s.Service, "ann", s.General).Events {
		require.Equal(t, roomkit.By("ann"), e.Info().Actor)
		require.Equal(t, relied, e.Info().Epoch)
	}
	for _, e := range s.Sys(roomkit.SuspendUser{User: "dan"}).Events {
		require.Equal(t, roomkit.System(), e.Info().Actor)
		require.Zero(t, e.Info().Epoch)
	}
}

// TestEventsNamePeopleInByteOrder: whatever the order of the command's people,
// the events are the same.
func TestEventsNamePeopleInByteOrder(t *testing.T) {
	s := proof.NewStage(t)
	s.Provision(roomkit.UserMember, "dot")
	open := proof.Open(s, s.Service, roomkit.Actions(roomkit.ActionInvite, roomkit.ActionRemove), "ben", "cat")
	commands := []struct {
		name string
		cmd  roomkit.Command
	}{
		{"created", roomkit.CreateGroup{Name: "order", Members: people("cat", "ben"), Masters: people("dan", "cat", "ben")}},
		{"invited", roomkit.Invite{Room: open, People: people("dot", "dan")}},
		{"appointed", roomkit.AppointMasters{Room: s.Group, People: people("dan", "cat", "ben")}},
		{"dismissed", roomkit.DismissMasters{Room: s.Group, People: people("dan", "cat", "ben")}},
		{"removed", roomkit.Remove{Room: open, People: people("dot", "dan", "cat")}},
		{"converted", roomkit.Convert{Room: s.General, To: roomkit.KindGroup, Name: "made"}},
	}
	for _, c := range commands {
		t.Run(c.name, func(t *testing.T) {
			several := 0
			for _, e := range s.Does("ann", c.cmd).Events {
				ids := proof.NamedBy(e)
				require.True(t, slices.IsSorted(ids), "%s: %v", e.Type(), ids)
				several = max(several, len(ids))
			}
			require.Greater(t, several, 1)
		})
	}
}
