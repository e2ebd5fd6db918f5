package rules_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
)

// placeless is a leaving without what tells one room or command from another.
func placeless(e *roomkit.MemberLeft) roomkit.MemberLeft {
	left := *e
	left.Subject, left.Command = roomkit.Subject{}, roomkit.CommandID{}
	return left
}

func TestRulesMoreLeaving(t *testing.T) {
	t.Run("COM-03 GEN-35 GRP-14 EXT-21 what somebody did stays for the others", func(t *testing.T) {
		s := proof.NewStage(t)
		cases := []struct {
			room  roomkit.RoomID
			who   roomkit.UserID
			actor roomkit.UserID
			end   roomkit.Command
		}{
			{s.General, "ben", "ben", roomkit.Leave{Room: s.General}},
			{s.Line, "lin", "ann", roomkit.Remove{Room: s.Line, People: people("lin")}},
			{s.Group, "ben", "ann", roomkit.Remove{Room: s.Group, People: people("ben")}},
			{s.External, "eve", "ann", roomkit.Remove{Room: s.External, People: people("eve")}},
		}
		for _, c := range cases {
			s.Does(c.who, roomkit.Edit{Room: c.room, Photo: new("by " + string(c.who))})
			before, from, history := s.RoomOf("ann", c.room), s.AccessOf("ann", c.room).ReadFrom, s.HistoryOf("ann", c.room)
			res := s.Does(c.actor, c.end)
			require.Len(t, res.Events, 1, "nothing but the leaving happens")
			after := s.RoomOf("ann", c.room)
			require.Equal(t, before.Version+1, after.Version)
			require.Zero(t, after.EmptiedAt)
			require.Equal(t, "by "+string(c.who), after.Photo)
			require.Equal(t, from, s.AccessOf("ann", c.room).ReadFrom)
			require.Equal(t, append(history, res.Events...), s.HistoryOf("ann", c.room), "with what he did before")
		}
	})
	t.Run("GEN-11 the creator's leaving changes nothing for the others", func(t *testing.T) {
		s := proof.NewStage(t)
		before, access := s.RoomOf("ben", s.General), s.AccessOf("ben", s.General)
		s.Does("ann", roomkit.Leave{Room: s.General})
		after, still := s.RoomOf("ben", s.General), s.AccessOf("ben", s.General)
		require.Equal(t, before.Participants-1, after.Participants)
		after.Version, after.Counts, after.Digest, after.ChangedAt = before.Version, before.Counts, before.Digest, before.ChangedAt
		require.Equal(t, before, after)
		still.Version = access.Version
		require.Equal(t, access, still)
	})
	t.Run("GEN-12 leaving from inside and from the list is the same", func(t *testing.T) {
		s := proof.NewStage(t)
		other := proof.General(t, s.Service, "ann", "ben", "cat")
		inside := s.Does("ben", roomkit.Leave{Room: s.General})
		list := s.Each(ctx, roomkit.By("ben"), []roomkit.Command{roomkit.Leave{Room: other}})
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
		out := s.Each(ctx, roomkit.By("ben"), []roomkit.Command{
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
		s.Does("ann", roomkit.Remove{Room: s.General, People: people("ben", "cat")})
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

func TestRulesMoreNewRooms(t *testing.T) {
	t.Run("GEN-27 GEN-28 a new room for outsiders has nothing of the earlier one", func(t *testing.T) {
		for outsider, kind := range map[roomkit.UserID]roomkit.Kind{"eve": roomkit.KindExternalGroup, "lin": roomkit.KindGeneral} {
			s := proof.NewStage(t)
			s.Does("cat", roomkit.Edit{Room: s.General, Name: new("old"), Photo: new("p"), Description: new("d"), HistorySharing: new(true)})
			before, history := s.RoomOf("ann", s.General), s.HistoryOf("ann", s.General)
			res := s.Does("ben", roomkit.Invite{Room: s.General, People: people(outsider), Name: "new"})
			require.True(t, res.Opened)
			require.Equal(t, kind, res.Kind)
			for _, user := range people("ann", "ben", "cat", outsider) {
				from := s.AccessOf(user, res.Room).ReadFrom
				require.True(t, from.All, "%s reads all of the new room", user)
				seen := s.HistoryOf(user, res.Room)
				require.IsType(t, (*roomkit.RoomCreated)(nil), seen[0])
				require.EqualValues(t, 1, seen[0].Info().Version)
				for _, e := range seen {
					require.Equal(t, res.Events[0].Info().Command, e.Info().Command, "everything in it happened now")
				}
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
	t.Run("DIR-06 DIR-07 nor has the room opened from a 1:1 room", func(t *testing.T) {
		s := proof.NewStage(t)
		history := s.HistoryOf("ben", s.Direct)
		s.Clock.Add(time.Hour)
		res := s.Does("ann", roomkit.Invite{Room: s.Direct, People: people("cat")})
		s.Cannot("", "cat", s.Direct, roomkit.AllActions()...)
		s.Unreadable("", "cat", s.Direct)
		require.IsType(t, (*roomkit.RoomCreated)(nil), s.HistoryOf("cat", res.Room)[0])
		require.Equal(t, s.Clock.Now(), s.RoomOf("cat", res.Room).CreatedAt)
		require.Equal(t, history, s.HistoryOf("ben", s.Direct))
		require.Equal(t, people("ann", "ben"), s.Inside("ben", s.Direct))
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
	t.Run("DIR-17 COM-06 who comes back into a 1:1 room reads from then on, however often", func(t *testing.T) {
		s := proof.NewStage(t)
		for period := range 3 {
			s.Does("ben", roomkit.Leave{Room: s.Direct})
			s.Unreadable("", "ben", s.Direct)
			s.Clock.Add(time.Hour)
			res := s.Does("ann", roomkit.OpenDirect{With: "ben"})
			require.Equal(t, roomkit.ReadFrom{Allowed: true, Version: res.Version, At: s.Clock.Now()}, s.AccessOf("ben", s.Direct).ReadFrom)
			require.Equal(t, res.Events, s.HistoryOf("ben", s.Direct))
			require.EqualValues(t, period+2, s.Row("ben", s.Direct).Period)
		}
	})
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
