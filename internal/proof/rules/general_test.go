package rules_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
)

func TestCommon(t *testing.T) {
	t.Run("COM-14 who was in a room when it ended is told so, whatever is asked", func(t *testing.T) {
		for _, off := range []bool{false, true} {
			s := proof.NewStage(t)
			room := s.Run("ann", roomkit.CreateGroup{Name: "Blue", Members: people("ben"), Settings: roomkit.GroupSettings{MessageOff: off}}).Room
			s.Run("ann", roomkit.DeleteRoom{Room: room})
			for _, edit := range []roomkit.Edit{{Name: new("Gold")}, {Message: new(true)}, {Message: new(true), Name: new("Gold")}, {Message: new(false), Name: new("Gold")}} {
				edit.Room = room
				s.Denies("COM-14", "ben", edit)
				_, err := s.Do(t.Context(), roomkit.By("dan"), edit)
				require.ErrorIs(t, err, roomkit.ErrNotFound)
			}
		}
	})
	t.Run("COM-01 GEN-01 GEN-33 one kind, also with consumers", func(t *testing.T) {
		s := proof.NewStage(t)
		kinds := map[roomkit.RoomID]roomkit.Kind{
			s.Self: roomkit.KindSelf, s.Direct: roomkit.KindDirect, s.General: roomkit.KindGeneral, s.Line: roomkit.KindGeneral,
			s.Group: roomkit.KindGroup, s.External: roomkit.KindExternalGroup,
		}
		for id, kind := range kinds {
			require.Equal(t, kind, s.RoomOf("ann", id).Kind)
		}
		require.Equal(t, roomkit.KindTeam, s.RoomOf("cat", s.Team).Kind)
	})
	t.Run("COM-04 COM-05 COM-06 GEN-24 GEN-25 GEN-26 history is fixed at joining, and sharing it off at first", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Clock.Add(time.Hour)
		s.Does("ann", roomkit.Invite{Room: s.General, People: people("dan")})
		from := s.AccessOf("dan", s.General).ReadFrom
		require.True(t, from.Allowed)
		require.False(t, from.All)
		require.Equal(t, s.Clock.Now(), from.At)
		require.False(t, s.RoomOf("ann", s.General).HistorySharing)
		s.Out(s.General, "ben")
		s.Clock.Add(time.Hour)
		s.Does("ann", roomkit.Invite{Room: s.General, People: people("ben")})
		back := s.AccessOf("ben", s.General).ReadFrom
		require.False(t, back.All, "a new period gives nothing back")
		require.Equal(t, s.Clock.Now(), back.At)
		s.Does("ben", roomkit.Edit{Room: s.General, HistorySharing: new(true)})
		require.Equal(t, from, s.AccessOf("dan", s.General).ReadFrom, "the setting acts on newcomers only")
		s.Does("ann", roomkit.Invite{Room: s.General, People: people("adm")})
		require.True(t, s.AccessOf("adm", s.General).ReadFrom.All)
	})
	t.Run("COM-07 nobody takes part twice", func(t *testing.T) {
		s := proof.NewStage(t)
		res := s.Run("ann", roomkit.Invite{Room: s.General, People: people("ben")})
		require.False(t, res.Changed)
		require.Empty(t, res.Notices)
		res = s.Does("ann", roomkit.Invite{Room: s.General, People: people("ben", "dan")})
		require.Len(t, proof.EventsOf[*roomkit.MemberJoined](res.Events)[0].People, 1)
	})
	t.Run("COM-08 only participants are removed", func(t *testing.T) {
		s := proof.NewStage(t)
		d := s.Denies("COM-08", "ann", roomkit.Remove{Room: s.General, People: people("ben", "dan", "ghost")})
		require.Equal(t, people("dan", "ghost"), d.People)
		s.Unknown("dan", roomkit.Leave{Room: s.General})
	})
	t.Run("COM-10 no Core, no rooms, and nobody of it is brought in", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Sys(roomkit.EditCompany{Company: "acme", Licensed: new(false)})
		s.Denies("COM-10", "ann", roomkit.OpenDirect{With: "dan"})
		s.Denies("COM-10", "ann", roomkit.Leave{Room: s.General})
		s.Cannot("COM-10", "ann", s.General, roomkit.ActionEnter, roomkit.ActionUseNote)
		s = proof.NewStage(t)
		s.Sys(roomkit.EditCompany{Company: "bolt", Licensed: new(false)})
		s.Denies("COM-10", "ann", roomkit.CreateExternalGroup{Name: "with bolt", Members: people("fay")})
		s.Denies("COM-10", "ann", roomkit.OpenDirect{With: "fay"})
	})
	t.Run("COM-10 it is the company of each person that needs Core, and not that of the room", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Sys(roomkit.EditCompany{Company: "acme", Licensed: new(false)})
		s.Cannot("COM-10", "ann", s.External, roomkit.ActionEnter, roomkit.ActionPost)
		s.Can("eve", s.External, roomkit.ActionPost)
		s.Sys(roomkit.EditCompany{Company: "acme", Licensed: new(true)})
		s.Sys(roomkit.EditCompany{Company: "bolt", Licensed: new(false)})
		s.Cannot("COM-10", "eve", s.External, roomkit.ActionEnter, roomkit.ActionPost)
		s.Can("ann", s.External, roomkit.ActionPost)
	})
	t.Run("COM-14 an ended room refuses everything", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.DeleteRoom{Room: s.Group})
		s.Does("adm", roomkit.DeleteRoom{Room: s.Team})
		for _, room := range []roomkit.RoomID{s.Group, s.Team} {
			for _, cmd := range roomCommands(room) {
				t.Run(roomkit.CommandName(cmd), func(t *testing.T) {
					_, leaves := cmd.(roomkit.Leave)
					for _, actor := range people("ben", "cat", "adm") {
						d := s.Denies("COM-14", actor, cmd)
						require.Equal(t, room, d.Room)
					}
					if leaves {
						s.Unknown("dan", cmd)
					}
				})
			}
			s.Cannot("COM-14", "ben", room, roomkit.AllActions()...)
		}
	})
}

func TestGeneral(t *testing.T) {
	t.Run("GEN-02 GEN-03 GEN-04 COM-13 anybody invites several into the same room", func(t *testing.T) {
		s := proof.NewStage(t)
		res := s.Does("cat", roomkit.Invite{Room: s.General, People: people("dan", "adm")})
		require.Equal(t, s.General, res.Room)
		require.False(t, res.Opened)
		require.Empty(t, res.Notices, "NTF-12")
		require.Equal(t, people("adm", "ann", "ben", "cat", "dan"), s.Inside("ann", s.General))
		s.Can("dan", s.General, roomkit.ActionPost)
	})
	t.Run("GEN-05 GEN-06 anybody removes several, GEN-07 who are told, GEN-08 and lose access", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.Invite{Room: s.General, People: people("dan")})
		res := s.Does("dan", roomkit.Remove{Room: s.General, People: people("ann", "ben")})
		for _, gone := range people("ann", "ben") {
			require.Equal(t, []roomkit.NoticeKey{roomkit.NoticeRemoved}, proof.NoticesFor(res.Notices, gone))
			require.False(t, s.AccessOf(gone, s.General).ReadFrom.Allowed)
			require.NotContains(t, s.Listed(gone), s.General)
		}
		require.Equal(t, people("cat", "dan"), s.Inside("cat", s.General))
	})
	t.Run("GEN-15 features, GEN-16 GEN-17 GEN-18 GEN-19 not switchable, GEN-20 GEN-21 no list and no privacy", func(t *testing.T) {
		s := proof.NewStage(t)
		ground := roomkit.Features(roomkit.FeatureNote, roomkit.FeatureEvent, roomkit.FeatureTask, roomkit.FeatureFolder)
		require.Equal(t, ground, s.AccessOf("ben", s.General).Features)
		s.Denies("GEN-16", "ann", roomkit.Edit{Room: s.General, Note: new(false)})
		s.Denies("GEN-17", "ann", roomkit.Edit{Room: s.General, Event: new(false)})
		s.Denies("GEN-18", "ann", roomkit.Edit{Room: s.General, Folder: new(false)})
		s.Denies("GEN-19", "ann", roomkit.Edit{Room: s.General, Task: new(false)})
		s.Denies("GEN-20", "ann", roomkit.Edit{Room: s.General, MailingList: new(true)})
		s.Denies("GEN-21", "ann", roomkit.Edit{Room: s.General, Public: new(true)})
	})
	t.Run("GEN-22 anybody renames, GEN-23 and changes the photo", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("cat", roomkit.Edit{Room: s.General, Name: new("lunch"), Photo: new("p.png")})
		require.Equal(t, "lunch", s.RoomOf("ann", s.General).Name)
		require.Equal(t, "p.png", s.RoomOf("ben", s.General).Photo)
	})
	t.Run("GEN-29 three at least, GEN-30 shrinking does not change the kind", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Denies("GEN-29", "ann", roomkit.Invite{Room: func() roomkit.RoomID {
			s.Does("ben", roomkit.Leave{Room: s.Direct})
			return s.Direct
		}(), People: people("cat")})
		s.Out(s.General, "ben", "cat")
		require.Equal(t, roomkit.KindGeneral, s.RoomOf("ann", s.General).Kind)
		s.Does("ann", roomkit.Invite{Room: s.General, People: people("dan")})
	})
	t.Run("CRE-39 CRE-40 CRE-44 GEN-31 GEN-32 COM-05 conversion keeps the room and what each may read", func(t *testing.T) {
		rules := roomkit.NewRules(roomkit.Policy{})
		for _, kind := range []roomkit.Kind{roomkit.KindGroup, roomkit.KindExternalGroup} {
			if !rules.Allowed(kind, roomkit.StandingParticipant).Has(roomkit.ActionEnter) {
				continue // nothing can be read there
			}
			s := proof.NewStage(t)
			s.Clock.Add(time.Hour)
			s.Run("ben", roomkit.Edit{Room: s.General, Photo: new("p"), Description: new("d")})
			s.Does("ann", roomkit.Invite{Room: s.General, People: people("dan")})
			s.Clock.Add(time.Hour)
			s.Does("ann", roomkit.Edit{Room: s.General, HistorySharing: new(true)})
			everybody := s.Inside("ann", s.General)
			reads, history := map[roomkit.UserID]roomkit.ReadFrom{}, map[roomkit.UserID][]string{}
			for _, user := range everybody {
				reads[user], history[user] = s.AccessOf(user, s.General).ReadFrom, s.HistoryOf(user, s.General)
			}
			require.False(t, reads["dan"].All)
			before := s.RoomOf("ann", s.General)
			res := s.Does("cat", roomkit.Convert{Room: s.General, To: kind, Name: "promoted"})
			require.Empty(t, res.Dropped)
			require.Equal(t, everybody, s.Inside("ann", s.General))
			for _, user := range everybody {
				a := s.AccessOf(user, s.General)
				require.Equal(t, reads[user], a.ReadFrom, user)
				require.Equal(t, user == "cat", a.Standing&roomkit.StandingMaster != 0)
				if user != "cat" {
					s.Denies(map[roomkit.Kind]roomkit.Rule{roomkit.KindGroup: "GRP-12", roomkit.KindExternalGroup: "EXT-17"}[kind], user, roomkit.Leave{Room: s.General})
					require.Equal(t, append(history[user], proof.Lines(t, res.Events)...), s.HistoryOf(user, s.General))
				}
			}
			after := s.RoomOf("ann", s.General)
			require.Equal(t, []any{before.ID, before.Photo, before.Description, before.Digest, before.CreatedAt, before.HistorySharing, roomkit.Version(0)},
				[]any{after.ID, after.Photo, after.Description, after.Digest, after.CreatedAt, after.HistorySharing, after.EmptiedAt})
		}
	})
	t.Run("FEA-05 FEA-06 the folder goes with taking part", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Can("ben", s.General, roomkit.ActionUseFolder)
		s.Can("ben", s.General, roomkit.ActionSwitchFileNotice)
		s.Out(s.General, "ben")
		s.Cannot("", "ben", s.General, roomkit.ActionUseFolder, roomkit.ActionSwitchFileNotice)
	})
	t.Run("GEN-34 all have the same rights, the creator too", func(t *testing.T) {
		s := proof.NewStage(t)
		require.Equal(t, s.AccessOf("cat", s.General).Actions, s.AccessOf("ann", s.General).Actions)
		s.Denies("GEN-34", "ann", roomkit.AppointMasters{Room: s.General, People: people("ben")})
		s.Denies("GEN-34", "ann", roomkit.DeleteRoom{Room: s.General})
	})
	t.Run("GEN-36 nobody removes himself", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Denies("GEN-36", "ann", roomkit.Remove{Room: s.General, People: people("ann", "ben")})
	})
}

// placeless is a leaving without what tells one room or command from another.
func placeless(e *roomkit.MemberLeft) roomkit.MemberLeft {
	left := *e
	left.Subject, left.Command = roomkit.Subject{}, roomkit.CommandID{}
	return left
}

func TestLeaving(t *testing.T) {
	t.Run("COM-02 COM-03 GEN-08 GEN-35 GRP-13 GRP-14 EXT-19 EXT-20 EXT-21 who is out has no access, and what he did stays for the others", func(t *testing.T) {
		s := proof.NewStage(t)
		for room, who := range map[roomkit.RoomID]roomkit.UserID{s.General: "ben", s.Line: "lin", s.Group: "ben", s.External: "eve"} {
			if !s.MayGo(room, who) {
				continue
			}
			did := proof.Touch(t, s.Service, who, room)
			before, from, history := s.RoomOf("ann", room), s.AccessOf("ann", room).ReadFrom, s.HistoryOf("ann", room)
			s.Out(room, who)
			after, since := s.RoomOf("ann", room), s.HistoryOf("ann", room)
			require.Equal(t, before.Version+1, after.Version, "nothing but the leaving happens")
			require.Zero(t, after.EmptiedAt)
			require.Equal(t, from, s.AccessOf("ann", room).ReadFrom)
			require.Equal(t, history, since[:len(history)])
			require.Contains(t, history, proof.Lines(t, did.Events)[0], "what he did before")
			s.Cannot("", who, room, roomkit.AllActions()...)
			s.Unreadable("", who, room)
		}
	})
	t.Run("GEN-09 GEN-10 GEN-11 the creator's leaving changes nothing for the others", func(t *testing.T) {
		s := proof.NewStage(t)
		before, access := s.RoomOf("ben", s.General), s.AccessOf("ben", s.General)
		s.Does("ann", roomkit.Leave{Room: s.General})
		s.Unreadable("", "ann", s.General)
		after, still := s.RoomOf("ben", s.General), s.AccessOf("ben", s.General)
		require.Equal(t, before.Participants-1, after.Participants)
		after.Version, after.Counts, after.Digest, after.ChangedAt = before.Version, before.Counts, before.Digest, before.ChangedAt
		require.Equal(t, before, after)
		still.Version = access.Version
		require.Equal(t, access, still)
	})
	t.Run("GEN-12 LST-15 LST-22 leaving from inside and from the list is the same", func(t *testing.T) {
		s := proof.NewStage(t)
		other := proof.General(t, s.Service, "ann", "ben", "cat")
		inside := s.Does("ben", roomkit.Leave{Room: s.General})
		list := s.Batch(ctx, roomkit.By("ben"), []roomkit.Command{roomkit.Leave{Room: other}})
		require.NoError(t, list[0].Err)
		require.Len(t, inside.Events, 1)
		require.Len(t, list[0].Result.Events, 1)
		require.Equal(t, placeless(proof.EventsOf[*roomkit.MemberLeft](inside.Events)[0]), placeless(proof.EventsOf[*roomkit.MemberLeft](list[0].Result.Events)[0]))
		require.Equal(t, inside.Notices, list[0].Result.Notices)
		for _, room := range []roomkit.RoomID{s.General, other} {
			require.NotContains(t, s.Listed("ben"), room)
			s.Cannot("", "ben", room, roomkit.AllActions()...)
			s.Unreadable("", "ben", room)
			require.Equal(t, people("ann", "cat"), s.Inside("cat", room))
		}
	})
	t.Run("GEN-13 GEN-14 refusals undo nothing and stop nothing", func(t *testing.T) {
		s := proof.NewStage(t)
		before := s.Records()
		out := s.Batch(ctx, roomkit.By("ben"), []roomkit.Command{
			roomkit.Leave{Room: s.External}, roomkit.Leave{Room: s.Group}, roomkit.Leave{Room: s.Self},
			roomkit.Leave{Room: s.Direct}, roomkit.Leave{Room: s.Team}, roomkit.Leave{Room: s.General},
		})
		rules := make([]roomkit.Rule, len(out))
		for i, o := range out {
			var d *roomkit.Denied
			require.Equal(t, o.Err == nil, o.Result.Changed)
			if i == 2 {
				require.ErrorIs(t, o.Err, roomkit.ErrNotFound, "somebody else's message to me")
			} else if o.Err != nil {
				require.ErrorAs(t, o.Err, &d)
				rules[i] = d.Rule
			}
		}
		require.Equal(t, []roomkit.Rule{"EXT-17", "GRP-12", "", "", "TEAM-06", ""}, rules)
		require.Equal(t, map[roomkit.RoomID]bool{s.External: true, s.Group: true, s.Team: true, s.Line: true}, s.Listed("ben"))
		require.Equal(t, before+2, s.Records())
	})
	t.Run("COM-09 the end of a room takes the bot out, too", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.Invite{Room: s.General, People: people("bot")})
		s.Out(s.General, "ben", "cat")
		s.Can("bot", s.General, roomkit.ActionPost)
		res := s.Does("ann", roomkit.Leave{Room: s.General})
		ended := proof.EventsOf[*roomkit.RoomEnded](res.Events)
		require.Len(t, ended, 1)
		require.False(t, ended[0].Deleted, "dissolved, not deleted")
		require.Equal(t, roomkit.CauseRoomEnded, ended[0].Cause)
		require.Equal(t, roomkit.Counts{Participants: 1, Bots: 1}, ended[0].Counts)
		s.Cannot("COM-14", "bot", s.General, roomkit.AllActions()...)
		row := s.Row("bot", s.General)
		require.False(t, row.Participant)
		require.Equal(t, roomkit.CauseRoomEnded, row.Left)
		require.Equal(t, ended[0].Version, row.LeftVersion)
		require.NotContains(t, s.Listed("bot"), s.General)
	})
}

func TestNewRooms(t *testing.T) {
	s := proof.NewStage(t)
	s.Can("ann", s.General, roomkit.ActionInvite)
	t.Run("GEN-27 GEN-28 a new room for outsiders has nothing of the earlier one", func(t *testing.T) {
		for outsider, kind := range map[roomkit.UserID]roomkit.Kind{"fay": roomkit.KindExternalGroup, "lin": roomkit.KindGeneral} {
			s := proof.NewStage(t)
			proof.Touch(t, s.Service, "cat", s.General)
			before, history := s.RoomOf("ann", s.General), s.HistoryOf("ann", s.General)
			res := s.Does("ben", roomkit.Invite{Room: s.General, People: people(outsider), Name: "new"})
			require.True(t, res.Opened)
			require.Equal(t, kind, res.Kind)
			for _, user := range people("ann", "ben", "cat", outsider) {
				from := s.AccessOf(user, res.Room).ReadFrom
				require.True(t, from.All, "%s reads all of the new room", user)
				require.Equal(t, proof.Lines(t, res.Events), s.HistoryOf(user, res.Room), "it begins now")
			}
			r := s.RoomOf(outsider, res.Room)
			require.Equal(t, []any{"new", "", "", false}, []any{r.Name, r.Photo, r.Description, r.HistorySharing})
			s.Cannot("", outsider, s.General, roomkit.AllActions()...)
			s.Unreadable("", outsider, s.General)
			require.Equal(t, before, s.RoomOf("ann", s.General))
			require.Equal(t, history, s.HistoryOf("ann", s.General))
			require.Equal(t, people("ann", "ben", "cat"), s.Inside("ann", s.General))
		}
	})
	t.Run("GEN-29 three people and bots who take part at that moment", func(t *testing.T) {
		s := proof.NewStage(t)
		room := s.Does("ann", anyway(members("ben", "bot"))).Room
		require.Equal(t, roomkit.KindGeneral, s.RoomOf("ben", room).Kind)
		require.EqualValues(t, 3, s.RoomOf("ben", room).Participants)
		s.Does("adm", roomkit.DeleteUser{User: "ben"})
		s.Does("ann", roomkit.Invite{Room: s.General, People: people("lin")})
		s.Does("adm", roomkit.DeleteUser{User: "cat"})
		s.Denies("GEN-29", "ann", roomkit.Invite{Room: s.General, People: people("lin")})
		s.Does("ann", roomkit.Invite{Room: s.General, People: people("dan")})
		s.Does("ann", roomkit.Invite{Room: s.General, People: people("lin")})
	})
	t.Run("CRE-46 consumers and users of other companies do not mix in a room opened by inviting", func(t *testing.T) {
		s := proof.NewStage(t)
		room := s.Does("lin", roomkit.OpenDirect{With: "dan"}).Room
		d := s.Denies("CRE-46", "dan", roomkit.Invite{Room: room, People: people("eve", "ben"), Name: "mixed"})
		require.Equal(t, people("lin"), d.People)
		require.Equal(t, []string{"eve CRE-46", "lin CRE-46"}, rulesAgainst(d), "ben is in nobody's way")
		beside := s.Denies("CRE-46", "ann", roomkit.Invite{Room: s.Line, People: people("eve"), Name: "mixed"})
		require.Equal(t, people("eve"), beside.People, "because of those who would come, not of those who are in")
		s.Denies("CRE-46", "ann", roomkit.Invite{Room: s.General, People: people("eve", "lin"), Name: "mixed"})
	})
	t.Run("GEN-03 LINE-03 a room with consumers takes in more of them", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Provision(roomkit.UserConsumer, "lou")
		res := s.Does("ann", roomkit.Invite{Room: s.Line, People: people("lou")})
		require.Equal(t, s.Line, res.Room)
		require.False(t, res.Opened)
		require.Equal(t, people("ann", "ben", "lin", "lou"), s.Inside("ann", s.Line))
	})
	t.Run("CRE-38 EXT-33 a new room for outsiders needs the permission on both sides", func(t *testing.T) {
		s := proof.NewStage(t)
		invite := roomkit.Invite{Room: s.General, People: people("fay"), Name: "x"}
		s.SetCompany("bolt", roomkit.ExternalOff)
		s.Denies("EXT-33", "ann", invite)
		s.SetCompany("bolt", roomkit.ExternalAll)
		s.Permit("ben", false)
		require.Equal(t, people("ben"), s.Denies("CRE-38", "ben", invite).People)
	})
	t.Run("LINE-04 no bots with consumers", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Denies("LINE-04", "ann", roomkit.Invite{Room: s.Line, People: people("bot")})
	})
	t.Run("LINE-01 who lacks the permission does not invite a consumer", func(t *testing.T) {
		s := proof.NewStage(t)
		lineSelected(s, "ben", "cat")
		s.Denies("LINE-01", "ann", roomkit.Invite{Room: s.General, People: people("lin")})
		s.Does("ben", roomkit.Invite{Room: s.General, People: people("lin")})
	})
	t.Run("LINE-01 LINE-04 GEN-27 the new room takes along who may be with consumers", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.Invite{Room: s.General, People: people("dan", "bot")})
		s.Sys(roomkit.SuspendUser{User: "dan"})
		lineSelected(s, "ann", "ben", "dan")
		s.Provision(roomkit.UserConsumer, "lou")
		res := s.Does("ann", roomkit.Invite{Room: s.General, People: people("lou")})
		require.True(t, res.Opened)
		require.Equal(t, people("bot", "cat", "dan"), res.Dropped, "a bot, without the permission, suspended")
		require.Equal(t, people("ann", "ben", "lou"), s.Inside("ann", res.Room))
	})
	t.Run("GEN-27 EXT-04 the new external group takes along who may be with other companies", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.Invite{Room: s.General, People: people("dan", "bot")})
		s.Sys(roomkit.SuspendUser{User: "dan"})
		s.Permit("cat", false)
		res := s.Does("ann", roomkit.Invite{Room: s.General, People: people("eve"), Name: "with bolt"})
		require.Equal(t, roomkit.KindExternalGroup, res.Kind)
		require.Equal(t, people("bot", "cat", "dan"), res.Dropped)
		require.Equal(t, people("ann", "ben", "eve"), s.Inside("ann", res.Room))
	})
	t.Run("GEN-27 CRE-32 the new external group is named as invited, or like the room that it came from", func(t *testing.T) {
		s := proof.NewStage(t)
		invite := roomkit.Invite{Room: s.General, People: people("eve")}
		invite.People = people("fay")
		s.Invalid("CRE-51", "ann", invite)
		named := anyway(members("ben", "cat"))
		named.Name = strings.Repeat("n", roomkit.MaxGroupName+1)
		invite.Room = s.Does("ann", named).Room
		require.Equal(t, strings.Repeat("n", roomkit.MaxGroupName), s.RoomOf("ann", s.Does("ann", invite).Room).Name)
		invite.Name, invite.People = "with bolt", people("eve", "fay")
		require.Equal(t, "with bolt", s.RoomOf("ann", s.Does("ann", invite).Room).Name)
	})
}

// found demands that inviting again leads to a room that is there, and changes nothing.
func found(s *proof.Stage, room roomkit.RoomID, actor roomkit.UserID, invite roomkit.Invite) {
	s.Helper()
	before := s.Records()
	res := s.Run(actor, invite)
	want := s.RoomOf(actor, room)
	require.Equal(s, service.Result{Room: room, Kind: want.Kind, Version: want.Version, Dropped: res.Dropped, Cursor: res.Cursor}, res)
	require.Equal(s, before, s.Records())
}

func TestInvitedTwice(t *testing.T) {
	t.Run("GEN-27 DIR-06 COM-07 the room that inviting has opened is found again, from wherever", func(t *testing.T) {
		s := proof.NewStage(t)
		cases := map[string]roomkit.Invite{
			"users of other companies": {Room: s.General, People: people("eve", "fay"), Name: "joint"},
			"consumers":                {Room: s.General, People: people("lin")},
			"a third person":           {Room: s.Direct, People: people("dan")},
		}
		for name, invite := range cases {
			first := s.Does("ann", invite)
			require.True(t, first.Opened, name)
			found(s, first.Room, "ann", invite)
			found(s, first.Room, "ben", invite)
		}
		s.Permit("ben", false)
		two := roomkit.Invite{Room: s.Direct, People: people("eve"), Name: "two"}
		first := s.Does("ann", two)
		require.Equal(t, people("ann", "eve"), s.Inside("ann", first.Room))
		found(s, first.Room, "ann", two)
		s.Permit("ben", true)
		found(s, s.General, "ann", roomkit.Invite{Room: s.Direct, People: people("cat")})
	})
	t.Run("GEN-27 what was opened is found where a second one would be refused", func(t *testing.T) {
		s := proof.NewStage(t, func(o *service.Options) { o.Policy.MaxGroupsPerUser = 3 })
		invite := roomkit.Invite{Room: s.General, People: people("fay"), Name: "joint"}
		first := s.Does("ann", invite)
		s.Denies("CRE-45", "ann", roomkit.Invite{Room: s.General, People: people("eve", "fay"), Name: "another"})
		invite.Name = ""
		found(s, first.Room, "ann", invite)
	})
	t.Run("GEN-27 LST-10 another kind, other people, or a room that is switched off is not found", func(t *testing.T) {
		s := proof.NewStage(t)
		invite := roomkit.Invite{Room: s.General, People: people("fay"), Name: "joint"}
		first := s.Does("ann", invite).Room
		s.Does("ann", roomkit.Edit{Room: first, Message: new(false)})
		second := s.Does("ann", invite)
		require.True(t, second.Opened)
		s.Does("ann", roomkit.Remove{Room: second.Room, People: people("cat")})
		third := s.Does("ann", invite)
		require.True(t, third.Opened, "without cat it is another one")
		s.Does("ann", roomkit.DeleteRoom{Room: third.Room})
		require.True(t, s.Does("ann", invite).Opened)
		s.Does("ann", roomkit.CreateGroup{Name: "three", Members: people("ben", "dan")})
		opened := s.Does("ann", roomkit.Invite{Room: s.Direct, People: people("dan")})
		require.Equal(t, roomkit.KindGeneral, opened.Kind, "a group of the same people is none")
	})
	t.Run("GEN-27 EXT-22 nobody is led to a room in which somebody does not count any more", func(t *testing.T) {
		s := proof.NewStage(t)
		invite := roomkit.Invite{Room: s.General, People: people("fay"), Name: "joint"}
		first := s.Does("ann", invite)
		s.Permit("cat", false)
		s.Permit("cat", true)
		require.NotEqual(t, first.Room, s.Does("ann", invite).Room)
	})
	t.Run("GEN-27 an objection to the invited comes first", func(t *testing.T) {
		s := proof.NewStage(t, strict)
		invite := roomkit.Invite{Room: s.General, People: people("fay"), Name: "joint"}
		s.Does("ann", invite, service.Call{Contacts: people("fay")})
		s.Denies("CRE-49", "ann", invite)
	})
}

func TestDirect(t *testing.T) {
	t.Run("DIR-01 two parties, DIR-02 one room per pair", func(t *testing.T) {
		s := proof.NewStage(t)
		require.Equal(t, people("ann", "ben"), s.Inside("ann", s.Direct))
		again := s.Run("ben", roomkit.OpenDirect{With: "ann"})
		require.Equal(t, s.Direct, again.Room)
		require.False(t, again.Changed)
		s.Invalid("DIR-01", "ann", roomkit.OpenDirect{With: "ann"})
	})
	t.Run("DIR-03 either leaves, DIR-04 and reads nothing, DIR-05 the other keeps it", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ben", roomkit.Leave{Room: s.Direct})
		s.Cannot("", "ben", s.Direct, roomkit.ActionEnter)
		require.True(t, s.AccessOf("ann", s.Direct).ReadFrom.All)
		s.Denies("DIR-05", "ann", roomkit.DeleteRoom{Room: s.Direct})
	})
	t.Run("DIR-08 DIR-19 no name or profile, DIR-09 no removal, DIR-10 no features, DIR-11 no list, DIR-12 no source, DIR-16 no conversion", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Denies("DIR-08", "ann", roomkit.Edit{Room: s.Direct, Name: new("us")})
		s.Denies("DIR-19", "ann", roomkit.Edit{Room: s.Direct, Photo: new("p")})
		s.Denies("DIR-19", "ann", roomkit.Edit{Room: s.Direct, Description: new("d")})
		s.Denies("DIR-09", "ann", roomkit.Remove{Room: s.Direct, People: people("ben")})
		s.Cannot("DIR-10", "ann", s.Direct, roomkit.ActionUseNote, roomkit.ActionUseEvent, roomkit.ActionUseTask, roomkit.ActionUseFolder)
		s.Cannot("DIR-11", "ann", s.Direct, roomkit.ActionUseMailingList, roomkit.ActionSetVisibility)
		s.Denies("DIR-12", "ann", roomkit.CreateRoom{People: people("ben", "cat"), Origin: roomkit.OriginRoom, Source: s.Direct})
		s.Denies("DIR-16", "ann", roomkit.Convert{Room: s.Direct, To: roomkit.KindGroup, Name: "us"})
	})
	t.Run("DIR-13 DIR-14 with an outsider it is a 1:1 room, DIR-18 silent while a permission lacks", func(t *testing.T) {
		s := proof.NewStage(t)
		room := s.Does("ann", roomkit.OpenDirect{With: "eve"}).Room
		require.Equal(t, roomkit.KindDirect, s.RoomOf("eve", room).Kind)
		s.Can("ann", room, roomkit.ActionPost)
		s.Sys(roomkit.SetUserMessaging{User: "eve", With: roomkit.OutsiderPartner, Allow: new(false)})
		for _, party := range people("ann", "eve") {
			s.Cannot("DIR-18", party, room, roomkit.ActionPost)
			s.Can(party, room, roomkit.ActionEnter)
		}
	})
	t.Run("DIR-06 DIR-07 a third person opens a new room without the conversation", func(t *testing.T) {
		s := proof.NewStage(t)
		history := s.HistoryOf("ben", s.Direct)
		s.Clock.Add(time.Hour)
		before := s.RoomOf("ann", s.Direct)
		res := s.Does("ann", roomkit.Invite{Room: s.Direct, People: people("dan")})
		require.True(t, res.Opened)
		require.Equal(t, roomkit.KindGeneral, res.Kind)
		require.Equal(t, people("ann", "ben", "dan"), s.Inside("dan", res.Room))
		require.Equal(t, before, s.RoomOf("ann", s.Direct))
		s.Cannot("", "dan", s.Direct, roomkit.AllActions()...)
		s.Unreadable("", "dan", s.Direct)
		require.Equal(t, proof.Lines(t, res.Events), s.HistoryOf("dan", res.Room))
		require.Equal(t, s.Clock.Now(), s.RoomOf("dan", res.Room).CreatedAt)
		require.Equal(t, history, s.HistoryOf("ben", s.Direct))
	})
	t.Run("DIR-17 COM-06 who comes back into a 1:1 room reads from then on, however often", func(t *testing.T) {
		s := proof.NewStage(t)
		for period := range 3 {
			s.Does("ben", roomkit.Leave{Room: s.Direct})
			s.Unreadable("", "ben", s.Direct)
			s.Clock.Add(time.Hour)
			res := s.Does("ann", roomkit.OpenDirect{With: "ben"})
			require.Equal(t, roomkit.ReadFrom{Allowed: true, Version: res.Version, At: s.Clock.Now()}, s.AccessOf("ben", s.Direct).ReadFrom)
			require.Equal(t, proof.Lines(t, res.Events), s.HistoryOf("ben", s.Direct))
			require.EqualValues(t, period+2, s.Row("ben", s.Direct).Period)
			require.True(t, s.AccessOf("ann", s.Direct).ReadFrom.All)
		}
		s.Does("ann", roomkit.Leave{Room: s.Direct})
		s.Does("ben", roomkit.Leave{Room: s.Direct})
		s.Clock.Add(time.Hour)
		require.Equal(t, s.Direct, s.Does("ann", roomkit.OpenDirect{With: "ben"}).Room)
		require.False(t, s.AccessOf("ann", s.Direct).ReadFrom.All, "after both had left nothing of before can be read")
	})
	t.Run("DIR-17 the 1:1 room stays open to the parties when they are no contacts any more", func(t *testing.T) {
		s := proof.NewStage(t, strict)
		s.Does("ann", roomkit.OpenDirect{With: "eve"}, service.Call{Contacts: people("eve")})
		s.Does("eve", roomkit.Leave{Room: roomkit.DirectRoom("ann", "eve")})
		s.Does("ann", roomkit.OpenDirect{With: "eve"})
		require.Equal(t, people("ann", "eve"), s.Inside("ann", roomkit.DirectRoom("ann", "eve")))
	})
	t.Run("DIR-18 ADM-13 a 1:1 room accepts no messages when the account of the member is deleted", func(t *testing.T) {
		s := proof.NewStage(t)
		room := s.Does("lin", roomkit.OpenDirect{With: "dan"}).Room
		s.Can("lin", room, roomkit.ActionPost)
		s.Sys(roomkit.DeleteUser{User: "dan"})
		s.Cannot("DIR-18", "lin", room, roomkit.ActionPost)
	})
}

func TestSelf(t *testing.T) {
	s := proof.NewStage(t)
	t.Run("SELF-01 the owner only, SELF-02 exactly one, SELF-06 no features", func(t *testing.T) {
		s.Can("ann", s.Self, roomkit.ActionPost)
		s.Cannot("", "adm", s.Self, roomkit.ActionEnter)
		require.Equal(t, s.Self, s.Run("ann", roomkit.OpenSelf{}).Room)
		require.NotEqual(t, s.Self, s.Run("ben", roomkit.OpenSelf{}).Room)
		s.Denies("SELF-02", "bot", roomkit.OpenSelf{})
		require.Zero(t, s.AccessOf("ann", s.Self).Features)
		s.Cannot("SELF-06", "ann", s.Self, roomkit.ActionUseNote, roomkit.ActionUseMailingList, roomkit.ActionSetVisibility)
	})
	for rule, cmd := range map[roomkit.Rule]roomkit.Command{
		"SELF-01": roomkit.Edit{Room: s.Self, Name: new("diary")}, "SELF-02": roomkit.DeleteRoom{Room: s.Self},
		"SELF-03": roomkit.Invite{Room: s.Self, People: people("ben")}, "SELF-05": roomkit.Leave{Room: s.Self},
	} {
		t.Run(string(rule), func(*testing.T) { s.Denies(rule, "ann", cmd) })
	}
	t.Run("SELF-07 LST-09 never recommended", func(t *testing.T) {
		require.Empty(t, s.Offered("ann", roomkit.AudienceMembers, "ann", "ben"))
		require.NotContains(t, s.Offered("ann", roomkit.AudienceMembers, "ben", "cat"), s.Self)
	})
}

func TestSelfOfTheRestored(t *testing.T) {
	t.Run("SELF-02 a restored user has a message to me again", func(t *testing.T) {
		for _, swept := range []bool{false, true} {
			s := proof.NewStage(t)
			own := s.Does("ben", roomkit.OpenSelf{}).Room
			s.Does("adm", roomkit.DeleteUser{User: "ben"})
			s.Does("adm", roomkit.RestoreUser{User: "ben"})
			if swept {
				s.Sweep()
			}
			require.Equal(t, own, s.Does("ben", roomkit.OpenSelf{}).Room)
			s.Can("ben", own, roomkit.ActionPost)
			require.False(t, s.AccessOf("ben", own).ReadFrom.All, "nothing is carried over (COM-06)")
			require.False(t, s.Run("ben", roomkit.OpenSelf{}).Changed)
		}
	})
}
