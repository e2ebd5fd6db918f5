package proof_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

// placeless is a leaving without what tells one room or command from another.
func placeless(e *roomkit.MemberLeft) roomkit.MemberLeft {
	left := *e
	left.Subject, left.Command = roomkit.Subject{}, roomkit.CommandID{}
	return left
}

func TestRulesMoreLeaving(t *testing.T) {
	t.Run("COM-03 GEN-35 GRP-14 EXT-21 what somebody did stays for the others", func(t *testing.T) {
		s := newStage(t)
		cases := []struct {
			room  roomkit.RoomID
			who   roomkit.UserID
			actor roomkit.UserID
			end   roomkit.Command
		}{
			{s.general, "ben", "ben", roomkit.Leave{Room: s.general}},
			{s.line, "lin", "ann", roomkit.Remove{Room: s.line, People: people("lin")}},
			{s.group, "ben", "ann", roomkit.Remove{Room: s.group, People: people("ben")}},
			{s.external, "eve", "ann", roomkit.Remove{Room: s.external, People: people("eve")}},
		}
		for _, c := range cases {
			s.does(c.who, roomkit.Edit{Room: c.room, Photo: text("by " + string(c.who))})
			before, from, history := s.room("ann", c.room), s.access("ann", c.room).ReadFrom, s.history("ann", c.room)
			res := s.does(c.actor, c.end)
			require.Len(t, res.Events, 1, "nothing but the leaving happens")
			after := s.room("ann", c.room)
			require.Equal(t, before.Version+1, after.Version)
			require.Zero(t, after.EmptiedAt)
			require.Equal(t, "by "+string(c.who), after.Photo)
			require.Equal(t, from, s.access("ann", c.room).ReadFrom)
			require.Equal(t, append(history, res.Events...), s.history("ann", c.room), "with what he did before")
		}
	})
	t.Run("GEN-11 the creator's leaving changes nothing for the others", func(t *testing.T) {
		s := newStage(t)
		before, access := s.room("ben", s.general), s.access("ben", s.general)
		s.does("ann", roomkit.Leave{Room: s.general})
		after, still := s.room("ben", s.general), s.access("ben", s.general)
		require.Equal(t, before.Participants-1, after.Participants)
		after.Version, after.Counts, after.Digest, after.ChangedAt = before.Version, before.Counts, before.Digest, before.ChangedAt
		require.Equal(t, before, after)
		still.Version = access.Version
		require.Equal(t, access, still)
	})
	t.Run("GEN-12 leaving from inside and from the list is the same", func(t *testing.T) {
		s := newStage(t)
		other := newGeneral(t, s.Service, "ann", "ben", "cat")
		inside := s.does("ben", roomkit.Leave{Room: s.general})
		list := s.Each(ctx, roomkit.By("ben"), []roomkit.Command{roomkit.Leave{Room: other}})
		require.NoError(t, list[0].Err)
		require.Len(t, inside.Events, 1)
		require.Len(t, list[0].Result.Events, 1)
		require.Equal(t, placeless(eventsOf[*roomkit.MemberLeft](inside.Events)[0]), placeless(eventsOf[*roomkit.MemberLeft](list[0].Result.Events)[0]))
		require.Equal(t, inside.Notices, list[0].Result.Notices)
		for _, room := range []roomkit.RoomID{s.general, other} {
			require.NotContains(t, s.listed("ben"), room)
			s.cannot("", "ben", room, roomkit.AllActions()...)
			s.unreadable("", "ben", room)
			require.Equal(t, people("ann", "cat"), s.inside("cat", room))
		}
	})
	t.Run("GEN-13 GEN-14 refusals undo nothing and stop nothing", func(t *testing.T) {
		s := newStage(t)
		before := s.records()
		out := s.Each(ctx, roomkit.By("ben"), []roomkit.Command{
			roomkit.Leave{Room: s.external}, roomkit.Leave{Room: s.group}, roomkit.Leave{Room: s.self},
			roomkit.Leave{Room: s.direct}, roomkit.Leave{Room: s.team}, roomkit.Leave{Room: s.general},
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
		require.Equal(t, map[roomkit.RoomID]bool{s.external: true, s.group: true, s.team: true, s.line: true}, s.listed("ben"))
		require.Equal(t, before+2, s.records())
	})
	t.Run("COM-09 the end of a room takes the bot out, too", func(t *testing.T) {
		s := newStage(t)
		s.does("ann", roomkit.Invite{Room: s.general, People: people("bot")})
		s.does("ann", roomkit.Remove{Room: s.general, People: people("ben", "cat")})
		s.can("bot", s.general, roomkit.ActionPost)
		res := s.does("ann", roomkit.Leave{Room: s.general})
		ended := eventsOf[*roomkit.RoomEnded](res.Events)
		require.Len(t, ended, 1)
		require.False(t, ended[0].Deleted, "dissolved, not deleted")
		require.Equal(t, roomkit.CauseRoomEnded, ended[0].Cause)
		require.Equal(t, roomkit.Counts{Participants: 1, Bots: 1}, ended[0].Counts)
		s.cannot("COM-14", "bot", s.general, roomkit.AllActions()...)
		row := s.row("bot", s.general)
		require.False(t, row.Participant)
		require.Equal(t, roomkit.CauseRoomEnded, row.Left)
		require.Equal(t, ended[0].Version, row.LeftVersion)
		require.NotContains(t, s.listed("bot"), s.general)
	})
}

func TestRulesMoreNewRooms(t *testing.T) {
	t.Run("GEN-27 GEN-28 a new room for outsiders has nothing of the earlier one", func(t *testing.T) {
		for outsider, kind := range map[roomkit.UserID]roomkit.Kind{"eve": roomkit.KindExternalGroup, "lin": roomkit.KindGeneral} {
			s := newStage(t)
			s.does("cat", roomkit.Edit{Room: s.general, Name: text("old"), Photo: text("p"), Description: text("d"), HistorySharing: on()})
			before, history := s.room("ann", s.general), s.history("ann", s.general)
			res := s.does("ben", roomkit.Invite{Room: s.general, People: people(outsider), Name: "new"})
			require.True(t, res.Opened)
			require.Equal(t, kind, res.Kind)
			for _, user := range people("ann", "ben", "cat", outsider) {
				from := s.access(user, res.Room).ReadFrom
				require.True(t, from.All, "%s reads all of the new room", user)
				seen := s.history(user, res.Room)
				require.IsType(t, (*roomkit.RoomCreated)(nil), seen[0])
				require.EqualValues(t, 1, seen[0].Info().Version)
				for _, e := range seen {
					require.Equal(t, res.Events[0].Info().Command, e.Info().Command, "everything in it happened now")
				}
			}
			r := s.room(outsider, res.Room)
			require.Equal(t, []any{"new", "", "", false}, []any{r.Name, r.Photo, r.Description, r.HistorySharing})
			s.cannot("", outsider, s.general, roomkit.AllActions()...)
			s.unreadable("", outsider, s.general)
			require.Equal(t, before, s.room("ann", s.general))
			require.Equal(t, history, s.history("ann", s.general))
			require.Equal(t, people("ann", "ben", "cat"), s.inside("ann", s.general))
		}
	})
	t.Run("DIR-06 DIR-07 nor has the room opened from a 1:1 room", func(t *testing.T) {
		s := newStage(t)
		history := s.history("ben", s.direct)
		s.clock.add(time.Hour)
		res := s.does("ann", roomkit.Invite{Room: s.direct, People: people("cat")})
		s.cannot("", "cat", s.direct, roomkit.AllActions()...)
		s.unreadable("", "cat", s.direct)
		require.IsType(t, (*roomkit.RoomCreated)(nil), s.history("cat", res.Room)[0])
		require.Equal(t, s.clock.Now(), s.room("cat", res.Room).CreatedAt)
		require.Equal(t, history, s.history("ben", s.direct))
		require.Equal(t, people("ann", "ben"), s.inside("ben", s.direct))
	})
	t.Run("GEN-29 three people and bots who take part at that moment", func(t *testing.T) {
		s := newStage(t)
		room := s.does("ann", anyway(members("ben", "bot"))).Room
		require.Equal(t, roomkit.KindGeneral, s.room("ben", room).Kind)
		require.EqualValues(t, 3, s.room("ben", room).Participants)
		s.does("adm", roomkit.DeleteUser{User: "ben"})
		s.does("ann", roomkit.Invite{Room: s.general, People: people("lin")})
		s.does("adm", roomkit.DeleteUser{User: "cat"})
		s.denies("GEN-29", "ann", roomkit.Invite{Room: s.general, People: people("lin")})
		s.does("ann", roomkit.Invite{Room: s.general, People: people("dan")})
		s.does("ann", roomkit.Invite{Room: s.general, People: people("lin")})
	})
	t.Run("DIR-17 COM-06 who comes back into a 1:1 room reads from then on, however often", func(t *testing.T) {
		s := newStage(t)
		for period := range 3 {
			s.does("ben", roomkit.Leave{Room: s.direct})
			s.unreadable("", "ben", s.direct)
			s.clock.add(time.Hour)
			res := s.does("ann", roomkit.OpenDirect{With: "ben"})
			require.Equal(t, roomkit.ReadFrom{Allowed: true, Version: res.Version, At: s.clock.Now()}, s.access("ben", s.direct).ReadFrom)
			require.Equal(t, res.Events, s.history("ben", s.direct))
			require.EqualValues(t, period+2, s.row("ben", s.direct).Period)
		}
	})
	t.Run("SELF-02 a restored user has a message to me again", func(t *testing.T) {
		for _, swept := range []bool{false, true} {
			s := newStage(t)
			own := s.does("ben", roomkit.OpenSelf{}).Room
			s.does("adm", roomkit.DeleteUser{User: "ben"})
			s.does("adm", roomkit.RestoreUser{User: "ben"})
			if swept {
				s.enforce()
			}
			require.Equal(t, own, s.does("ben", roomkit.OpenSelf{}).Room)
			s.can("ben", own, roomkit.ActionPost)
			require.False(t, s.access("ben", own).ReadFrom.All, "nothing is carried over (COM-06)")
			require.False(t, s.ok("ben", roomkit.OpenSelf{}).Changed)
		}
	})
}
