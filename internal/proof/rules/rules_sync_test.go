package rules_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
)

func TestRulesTeamSync(t *testing.T) {
	// sales is as proof.NewStage has left it.
	sales := func(change func(*roomkit.Team)) roomkit.SyncTeam {
		c := roomkit.SyncTeam{Team: proof.Team("sales", "cat", "ben", "cat")}
		change(&c.Team)
		return c
	}
	t.Run("TEAM-09 whatever differs from the chart is taken over, and nothing else is a change", func(t *testing.T) {
		for name, change := range map[string]func(*roomkit.Team){
			"name":     func(t *roomkit.Team) { t.Name = "Sales" },
			"leader":   func(t *roomkit.Team) { t.Leader = "ben" },
			"no head":  func(t *roomkit.Team) { t.Leader = "" },
			"outside":  func(t *roomkit.Team) { t.Leader = "dan" },
			"members":  func(t *roomkit.Team) { t.Members = people("ben", "cat", "dan") },
			"room":     func(t *roomkit.Team) { t.Room = false },
			"features": func(t *roomkit.Team) { t.Features = false },
			"photo":    func(t *roomkit.Team) { t.Photo = false },
			"preset":   func(t *roomkit.Team) { t.Preset = 0 },
			"notify":   func(t *roomkit.Team) { t.Notify = false },
			"number":   func(t *roomkit.Team) { t.SyncedSeq = 7 },
		} {
			t.Run(name, func(t *testing.T) {
				s := proof.NewStage(t)
				require.False(t, s.Sys(sales(func(*roomkit.Team) {})).Changed)
				require.Len(t, proof.EventsOf[*roomkit.TeamSynced](s.Sys(sales(change)).Events), 1)
				require.False(t, s.Sys(sales(change)).Changed)
				require.True(t, s.Sys(sales(func(*roomkit.Team) {})).Changed, "and back")
			})
		}
	})
	t.Run("TEAM-07 only people of the team's company, the leader among them", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Sys(roomkit.DeleteUser{User: "dan"})
		for _, foreign := range people("eve", "lin", "nobody", "dan") {
			s.Denies("TEAM-07", "adm", sales(func(t *roomkit.Team) { t.Leader = foreign }))
			s.Denies("TEAM-07", "adm", sales(func(t *roomkit.Team) { t.Members = people("ben", "cat", foreign) }))
		}
	})
	t.Run("ADM-23 a team stays with its company", func(t *testing.T) {
		s := proof.NewStage(t)
		_, err := s.Do(ctx, roomkit.System(), roomkit.SyncTeam{Team: roomkit.Team{
			ID: "sales", Company: "bolt", Name: "sales", Members: people("eve"),
		}})
		var d *roomkit.Denied
		require.ErrorAs(t, err, &d)
		require.Equal(t, roomkit.Rule("ADM-23"), d.Rule)
		require.Equal(t, people("ben", "cat"), s.Inside("cat", s.Team))
	})
	t.Run("TEAM-05 a chart older than the last one is refused", func(t *testing.T) {
		s := proof.NewStage(t)
		numbered := func(seq int64) roomkit.SyncTeam { return sales(func(t *roomkit.Team) { t.SyncedSeq = seq }) }
		s.Does("adm", numbered(5))
		s.Invalid("", "adm", numbered(4))
		s.Run("adm", numbered(5))
		s.Run("adm", numbered(0))
		s.Does("adm", numbered(6))
	})
}

func TestRulesOpeningTeamRooms(t *testing.T) {
	few := func(o *service.Options) { o.Policy.LeaderTeamLimit = 2 }
	t.Run("LIM-08 the limit is the leader's, not the administrator's nor the system's", func(t *testing.T) {
		s := proof.NewStage(t, few)
		s.Sys(roomkit.SyncTeam{Team: proof.Team("led", "dan", "ben", "cat", "dan")})
		s.Denies("LIM-08", "dan", roomkit.OpenTeamRoom{Team: "led"})
		s.Does("adm", roomkit.OpenTeamRoom{Team: "led"})
		s.Sys(roomkit.SyncTeam{Team: proof.Team("both", "adm", "ben", "cat", "dan")})
		s.Does("adm", roomkit.OpenTeamRoom{Team: "both"})
		s.Sys(roomkit.SyncTeam{Team: proof.Team("headless", "", "ben", "cat", "dan")})
		s.Sys(roomkit.OpenTeamRoom{Team: "headless"})
		require.Equal(t, people("ben", "cat", "dan"), s.Inside("ben", roomkit.TeamRoom("headless")))
	})
	t.Run("TEAM-01 a team without members has no room", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Sys(roomkit.SyncTeam{Team: proof.Team("empty", "cat")})
		s.Denies("TEAM-01", "cat", roomkit.OpenTeamRoom{Team: "empty"})
	})
	t.Run("COM-09 TEAM-05 the room ends with its last member", func(t *testing.T) {
		s := proof.NewStage(t)
		res := s.Sys(roomkit.SyncTeam{Team: proof.Team("sales", "cat")})
		require.Len(t, proof.EventsOf[*roomkit.RoomEnded](res.Events), 1)
		s.Denies("COM-14", "adm", roomkit.Edit{Room: s.Team, Photo: new("p")})
	})
	t.Run("ADM-13 TEAM-01 whose account is gone is left out, whatever the chart says", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Sys(roomkit.SyncTeam{Team: proof.Team("late", "cat", "ben", "cat")})
		s.Sys(roomkit.DeleteUser{User: "ben"})
		room := s.Does("cat", roomkit.OpenTeamRoom{Team: "late"}).Room
		require.Equal(t, people("cat"), s.Inside("cat", room))
		require.EqualValues(t, 1, s.RoomOf("cat", room).Participants)
	})
}
