package rules_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/internal/proof"
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

func TestRulesMoreStandings(t *testing.T) {
	t.Run("COM-02 GRP-11 GEN-09 DIR-03 FEA-10 CRE-28 only participants use a room, leave it, recall their own", func(t *testing.T) {
		participants := []roomkit.Action{
			roomkit.ActionEnter, roomkit.ActionPost, roomkit.ActionLeave, roomkit.ActionRecallOwn, roomkit.ActionSource,
			roomkit.ActionUseNote, roomkit.ActionUseEvent, roomkit.ActionUseTask, roomkit.ActionUseFolder, roomkit.ActionUseMailingList,
			roomkit.ActionInviteAttendees, roomkit.ActionSwitchFileNotice, roomkit.ActionConvert,
		}
		everywhere := roomkit.Actions(roomkit.ActionEnter, roomkit.ActionPost, roomkit.ActionRecallOwn)
		rules := roomkit.NewRules(roomkit.Policy{})
		for _, kind := range roomkit.Kinds() {
			for _, st := range standings() {
				allowed := rules.Allowed(kind, st)
				for _, action := range participants {
					if st&roomkit.StandingParticipant == 0 {
						require.False(t, allowed.Has(action), "%s as %s in %s", action, st, kind)
					} else if everywhere.Has(action) {
						require.True(t, allowed.Has(action), "%s as %s in %s", action, st, kind)
					}
				}
				leaves := st&roomkit.StandingParticipant != 0 && (kind == roomkit.KindDirect || kind == roomkit.KindGeneral)
				require.Equal(t, leaves, allowed.Has(roomkit.ActionLeave), "leaving %s as %s", kind, st)
			}
			require.Zero(t, rules.Allowed(kind, roomkit.StandingNone))
		}
	})
	t.Run("FEA-10 FEA-11 FEA-12 recalling by those who are not in", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.Edit{Room: s.Group, Public: new(true)})
		s.Permit("acme", "ben", roomkit.ExternalOff)
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
			var d *roomkit.Denied
			require.ErrorAs(t, a.MayRecall(c.user, c.user, now, now), &d, name)
			require.Equal(t, roomkit.Rule("COM-02"), d.Rule, name)
			require.ErrorAs(t, a.MayRecall(c.user, "cat", now, now), &d, name)
			require.Equal(t, roomkit.Rule("FEA-11"), d.Rule, name)
		}
		for _, stranger := range people("fay", "lin", "nobody") {
			for _, room := range []roomkit.RoomID{s.General, s.Group, s.External, s.Team, s.Direct, s.Self} {
				require.ErrorIs(t, s.AccessOf(stranger, room).MayRecall(stranger, stranger, now, now), roomkit.ErrNotFound)
			}
		}
		require.NoError(t, s.AccessOf("cat", s.External).MayRecall("cat", "cat", now, now))
	})
	t.Run("EXT-17 GRP-07 a refusal says who could, unless nobody can", func(t *testing.T) {
		s := proof.NewStage(t)
		require.NotContains(t, s.Denies("EXT-17", "ben", roomkit.Leave{Room: s.External}).Reason, "only as")
		require.Contains(t, s.Denies("GRP-07", "ben", roomkit.Invite{Room: s.Group, People: people("dan")}).Reason, "only as master or administrator")
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
		s.Permit("acme", "ben", roomkit.ExternalOff)
		s.Denies("EXT-22", "ben", roomkit.Leave{Room: s.External})
		s.Does("adm", roomkit.DeleteUser{User: "ben"})
		s.Does("adm", roomkit.RestoreUser{User: "ben"})
		for _, room := range []roomkit.RoomID{s.Direct, s.General} {
			s.Denies("ADM-13", "ben", roomkit.Leave{Room: room})
		}
	})
}

func TestRulesMoreUnknown(t *testing.T) {
	const unknownAction, unknownKind = roomkit.Action(200), roomkit.Kind(99)
	t.Run("COM-02 what is unknown allows nothing", func(t *testing.T) {
		rules := roomkit.NewRules(roomkit.Policy{
			ExternalGroupTask: true, ForeignMasters: true, AdministratorsManageExternalMembers: true,
			LINERoomFeatures: true, TeamPhotoByMembers: true, AnyoneIsContact: true,
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
				var d *roomkit.Denied
				require.ErrorAs(t, refusal(kind, roomkit.System(), cmd), &d)
				require.Equal(t, roomkit.Rule("COM-02"), d.Rule)
			}
		}
		require.NoError(t, refusal(roomkit.KindGeneral, roomkit.By("ann"), commands[0]), "the same facts of a known kind")
	})
}

// oddRoom gives facts of a room of any kind in which ann and adm take part and
// are masters.
func oddRoom(id roomkit.RoomID, kind roomkit.Kind) *decide.Facts {
	f := store.Facts{
		Room:      roomkit.Room{ID: id, Kind: kind, State: roomkit.StateActive, Version: 3, Company: "acme", Counts: roomkit.Counts{Participants: 2, Masters: 2}},
		Users:     []roomkit.User{{ID: "ben", Version: 1, Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}},
		Companies: []roomkit.Company{{ID: "acme", Version: 1, Core: true, MembersCreateGroups: true}},
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
