package rules_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
)

func TestTeam(t *testing.T) {
	t.Run("TEAM-01 the team's members, TEAM-02 TEAM-03 opened by leader or administrator, TEAM-04 if allowed", func(t *testing.T) {
		s := proof.NewStage(t)
		require.Equal(t, people("ben", "cat"), s.Inside("ben", s.Team))
		s.Sys(proof.Team("ops", "dan", "dan", "ann"))
		require.NotContains(t, s.Listed("dan"), roomkit.TeamRoom("acme", "ops"), "a team alone has no room")
		s.Denies("TEAM-03", "ann", roomkit.OpenTeamRoom{Team: "ops"})
		s.Denies("TEAM-03", "eve", roomkit.OpenTeamRoom{Team: "ops"})
		s.Denies("TEAM-04", "dan", roomkit.OpenTeamRoom{Team: "ops"})
		s.Does("adm", roomkit.EditTeam{Team: "ops", Room: new(true)})
		require.True(t, s.Does("adm", roomkit.OpenTeamRoom{Team: "ops"}).Opened)
		require.False(t, s.Run("dan", roomkit.OpenTeamRoom{Team: "ops"}).Changed)
		s.Does("adm", roomkit.EditTeam{Team: "ops", Room: new(false)})
		s.Cannot("TEAM-04", "dan", roomkit.TeamRoom("acme", "ops"), roomkit.ActionEnter, roomkit.ActionPost)
	})
	t.Run("TEAM-05 the room follows the chart, TEAM-09 its name too", func(t *testing.T) {
		s := proof.NewStage(t)
		moved := proof.Team("sales", "cat", "cat", "dan")
		moved.Name = "Sales EMEA"
		s.Sys(moved)
		require.Equal(t, "Sales EMEA", s.RoomOf("cat", s.Team).Name)
		require.False(t, s.Sys(moved).Changed, "the same chart changes nothing")
		s.Denies("TEAM-09", "cat", roomkit.Edit{Room: s.Team, Name: new("x")})
	})
	t.Run("TEAM-10 the leader's features, TEAM-11 as granted, TEAM-12 preset by the administrator, TEAM-25 photo", func(t *testing.T) {
		s := proof.NewStage(t)
		require.Equal(t, roomkit.Features(roomkit.FeatureNote), s.RoomOf("ben", s.Team).Features)
		require.True(t, s.RoomOf("ben", s.Team).Notify)
		s.Denies("TEAM-10", "ben", roomkit.Edit{Room: s.Team, Event: new(true)})
		s.Does("cat", roomkit.Edit{Room: s.Team, Event: new(true), Photo: new("p")})
		s.Does("adm", roomkit.EditTeam{Team: "sales", Features: new(false), Photo: new(false)})
		s.Denies("TEAM-11", "cat", roomkit.Edit{Room: s.Team, Event: new(false)})
		s.Denies("TEAM-25", "cat", roomkit.Edit{Room: s.Team, Photo: new("q")})
		s.Does("adm", roomkit.Edit{Room: s.Team, Event: new(false), Photo: new("q")})
		s.Denies("TEAM-12", "ben", roomkit.Edit{Room: s.Team, Notify: new(false)})
	})
	t.Run("TEAM-13 deleting feature data, TEAM-14 history, TEAM-15 list and privacy", func(t *testing.T) {
		s := proof.NewStage(t)
		data := roomkit.DeleteFeatureData{Room: s.Team, Features: roomkit.Features(roomkit.FeatureNote)}
		s.Denies("TEAM-13", "ben", data)
		res := s.Does("cat", data)
		require.Equal(t, data.Features, res.Events[0].(*roomkit.FeatureDataDeleted).Features)
		s.Invalid("TEAM-13", "cat", roomkit.DeleteFeatureData{Room: s.Team, Features: roomkit.Features(roomkit.FeatureTask)})
		s.Invalid("TEAM-13", "cat", roomkit.DeleteFeatureData{Room: s.Team})
		s.Denies("TEAM-14", "adm", roomkit.Edit{Room: s.Team, HistorySharing: new(true)})
		s.Does("cat", roomkit.Edit{Room: s.Team, HistorySharing: new(true)})
		s.Denies("TEAM-15", "ben", roomkit.Edit{Room: s.Team, MailingList: new(true)})
		s.Does("cat", roomkit.Edit{Room: s.Team, MailingList: new(true)})
		s.Can("ben", s.Team, roomkit.ActionUseMailingList)
		s.Denies("TEAM-15", "cat", roomkit.Edit{Room: s.Team, Public: new(true)})
		s.Does("adm", roomkit.Edit{Room: s.Team, Public: new(true)})
	})
	t.Run("TEAM-26 a source, TEAM-27 no entry point for others", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ben", roomkit.CreateRoom{People: people("cat", "dan"), Origin: roomkit.OriginRoom, Source: s.Team})
		s.Cannot("", "dan", s.Team, roomkit.ActionSeeRoom, roomkit.ActionEnter)
	})
	t.Run("LIM-08 the leader opens for small teams only", func(t *testing.T) {
		s := proof.NewStage(t)
		s.NewTeam("big", "dan", append(proof.Crowd(t, s.Service, "u", 100), "dan")...)
		s.Denies("LIM-08", "dan", roomkit.OpenTeamRoom{Team: "big"})
		s.Does("adm", roomkit.OpenTeamRoom{Team: "big"})
		require.EqualValues(t, 101, s.RoomOf("dan", roomkit.TeamRoom("acme", "big")).Participants)
	})
	t.Run("TEAM-06 TEAM-08 nobody changes who is in, and there are no masters", func(t *testing.T) {
		s := proof.NewStage(t)
		for _, actor := range people("ben", "cat", "adm") {
			s.Denies("TEAM-06", actor, roomkit.Leave{Room: s.Team})
			for _, cmd := range []roomkit.Command{
				roomkit.Invite{Room: s.Team, People: people("dan")}, roomkit.Remove{Room: s.Team, People: people("ben")},
				roomkit.Remove{Room: s.Team, People: people("cat")}, roomkit.Remove{Room: s.Team, People: people("dan")},
				roomkit.AppointMasters{Room: s.Team, People: people("ben")}, roomkit.DismissMasters{Room: s.Team, People: people("cat")},
				roomkit.HandOver{Room: s.Team, To: "ben"},
			} {
				s.Denies("TEAM-08", actor, cmd)
			}
		}
		s.Unknown("dan", roomkit.Invite{Room: s.Team, People: people("dan")})
		require.Equal(t, people("ben", "cat"), s.Inside("cat", s.Team))
		require.Zero(t, s.RoomOf("cat", s.Team).Masters)
	})
	t.Run("TEAM-05 NTF-09 joining, transfer and resignation, by the organisation", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Clock.Add(time.Hour)
		res := s.Sys(proof.Team("sales", "cat", "cat", "dan"))
		joined, left := proof.EventsOf[*roomkit.MemberJoined](res.Events), proof.EventsOf[*roomkit.MemberLeft](res.Events)
		require.Len(t, joined, 1)
		require.Len(t, left, 1)
		require.Equal(t, roomkit.UserID("dan"), joined[0].People[0].User)
		require.Equal(t, roomkit.UserID("ben"), left[0].People[0].User)
		require.Equal(t, []roomkit.Cause{roomkit.CauseOrganisation, roomkit.CauseOrganisation}, []roomkit.Cause{joined[0].Cause, left[0].Cause})
		require.Equal(t, roomkit.System(), left[0].Actor)
		require.Equal(t, s.Clock.Now(), s.AccessOf("dan", s.Team).ReadFrom.At)
		s.Unreadable("", "ben", s.Team)
		s.Does("adm", roomkit.DeleteUser{User: "dan"})
		require.Equal(t, people("cat"), s.Inside("cat", s.Team), "resignation counts at once")
		res = s.Sys(proof.Team("sales", "cat", "cat"))
		s.Sweep()
		require.Equal(t, people("cat"), s.Inside("cat", s.Team))
		require.Len(t, proof.EventsOf[*roomkit.MemberLeft](res.Events), 1)
		require.Len(t, proof.Recorded[*roomkit.MemberLeft](s, s.Team), 2, "nobody leaves twice")
		require.EqualValues(t, 1, s.RoomOf("cat", s.Team).Participants)
	})
	t.Run("TEAM-05 ADM-14 who comes back by restoring is in when the chart says so again", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("adm", roomkit.DeleteUser{User: "ben"})
		s.Does("adm", roomkit.RestoreUser{User: "ben"})
		s.Unreadable("ADM-13", "ben", s.Team)
		s.Clock.Add(time.Hour)
		s.Sys(proof.Team("sales", "cat", "ben", "cat"))
		require.Equal(t, s.Clock.Now(), s.AccessOf("ben", s.Team).ReadFrom.At)
		s.Sweep()
		require.Equal(t, people("ben", "cat"), s.Inside("cat", s.Team))
	})
	t.Run("TEAM-27 COM-14 who had left when the room ended again does not know of it", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("adm", roomkit.DeleteRoom{Room: s.Team})
		s.Denies("COM-14", "ben", roomkit.Edit{Room: s.Team, Photo: new("p")})
		s.Sys(proof.Team("sales", "cat", "cat", "dan"))
		s.Does("cat", roomkit.OpenTeamRoom{Team: "sales"})
		s.Unknown("ben", roomkit.Edit{Room: s.Team, Photo: new("p")})
		s.Does("adm", roomkit.DeleteRoom{Room: s.Team})
		s.Unknown("ben", roomkit.Edit{Room: s.Team, Photo: new("p")})
		s.Denies("COM-14", "dan", roomkit.Edit{Room: s.Team, Photo: new("p")})
	})
}

func TestTeamSync(t *testing.T) {
	// sales is as proof.NewStage has left it.
	sales := func(change func(*roomkit.SyncTeam)) roomkit.SyncTeam {
		c := proof.Team("sales", "cat", "ben", "cat")
		change(&c)
		return c
	}
	t.Run("TEAM-09 whatever differs from the chart is taken over, and nothing else is a change", func(t *testing.T) {
		for name, change := range map[string]func(*roomkit.SyncTeam){
			"name":    func(c *roomkit.SyncTeam) { c.Name = "Sales" },
			"leader":  func(c *roomkit.SyncTeam) { c.Leader = "ben" },
			"no head": func(c *roomkit.SyncTeam) { c.Leader = "" },
			"outside": func(c *roomkit.SyncTeam) { c.Leader = "dan" },
			"members": func(c *roomkit.SyncTeam) { c.Members = people("ben", "cat", "dan") },
			"number":  func(c *roomkit.SyncTeam) { c.Seq = 7 },
		} {
			t.Run(name, func(t *testing.T) {
				s := proof.NewStage(t)
				require.False(t, s.Sys(sales(func(*roomkit.SyncTeam) {})).Changed)
				require.Len(t, proof.EventsOf[*roomkit.TeamSynced](s.Sys(sales(change)).Events), 1)
				require.False(t, s.Sys(sales(change)).Changed)
				back := s.Sys(sales(func(*roomkit.SyncTeam) {}))
				require.Equal(t, name != "number", back.Changed, "back, without a number")
			})
		}
	})
	t.Run("TEAM-04 TEAM-11 TEAM-12 TEAM-25 what is granted is changed one by one, by no chart, and a new team has none of it", func(t *testing.T) {
		for name, grant := range map[string]roomkit.EditTeam{
			"room":     {Room: new(false)},
			"features": {Features: new(false)},
			"photo":    {Photo: new(false)},
			"preset":   {Preset: new(roomkit.FeatureSet(0))},
			"notify":   {Notify: new(false)},
		} {
			t.Run(name, func(t *testing.T) {
				s := proof.NewStage(t)
				back := proof.Granted("sales")
				require.False(t, s.Sys(back).Changed)
				grant.Team = "sales"
				events := proof.EventsOf[*roomkit.TeamSynced](s.Does("adm", grant).Events)
				require.Len(t, events, 1)
				require.Empty(t, slices.Concat(events[0].Added, events[0].Removed))
				require.False(t, s.Run("adm", grant).Changed)
				require.False(t, s.Sys(proof.Team("sales", "cat", "ben", "cat")).Changed, "the chart is as it was")
				require.False(t, s.Run("adm", grant).Changed)
				require.True(t, s.Does("adm", back).Changed)
				require.Equal(t, people("ben", "cat"), s.Inside("cat", s.Team))

				res := s.Sys(proof.Team("new", "dan", "dan"))
				synced := proof.EventsOf[*roomkit.TeamSynced](res.Events)[0]
				require.False(t, synced.Room || synced.Features || synced.Photo || synced.Notify || synced.Preset != 0)
				grant.Team = "new"
				require.False(t, s.Run("adm", grant).Changed)
			})
		}
	})
	t.Run("ADM-23 nobody but the administrators of the company and the system grants a team anything", func(t *testing.T) {
		s := proof.NewStage(t)
		proof.AddUsers(t, s.Service, roomkit.User{ID: "bob", Company: "bolt", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Administrator: true})
		for _, actor := range people("cat", "bob", "eve") {
			s.Denies("ADM-23", actor, roomkit.EditTeam{Team: "sales", Photo: new(false)})
		}
	})
	t.Run("TEAM-07 only people of the team's company, the leader among them", func(t *testing.T) {
		s := proof.NewStage(t)
		_, err := s.Do(ctx, roomkit.By("adm"), sales(func(c *roomkit.SyncTeam) { c.Leader, c.Members = "eve", people("ben", "eve", "nobody") }))
		var denied *roomkit.Denied
		require.ErrorAs(t, err, &denied)
		require.Equal(t, people("eve", "nobody"), denied.People, "all of them, each once")
		require.Len(t, denied.Against, 2)
		for _, foreign := range people("eve", "lin", "nobody") {
			s.Denies("TEAM-07", "adm", sales(func(c *roomkit.SyncTeam) { c.Leader = foreign }))
			s.Denies("TEAM-07", "adm", sales(func(c *roomkit.SyncTeam) { c.Members = people("ben", "cat", foreign) }))
		}
	})
	t.Run("ADM-13 TEAM-05 whose account has ended is left out of a chart that is late", func(t *testing.T) {
		s := proof.NewStage(t)
		late := sales(func(c *roomkit.SyncTeam) { c.Leader, c.Members = "dan", people("ben", "cat", "dan") })
		s.Sys(roomkit.DeleteUser{User: "dan"})
		synced := proof.EventsOf[*roomkit.TeamSynced](s.Does("adm", late).Events)[0]
		require.Empty(t, synced.Leader)
		require.Empty(t, slices.Concat(synced.Added, synced.Removed))
		require.Equal(t, people("ben", "cat"), s.Inside("cat", s.Team))
		require.False(t, s.Run("adm", late).Changed, "every night")
		s.Sys(roomkit.RestoreUser{User: "dan"})
		s.Does("adm", late)
		require.Equal(t, people("ben", "cat", "dan"), s.Inside("cat", s.Team))
	})
	t.Run("ADM-12 teams of two companies with one id do not meet", func(t *testing.T) {
		s := proof.NewStage(t)
		proof.AddUsers(t, s.Service, roomkit.User{ID: "bob", Company: "bolt", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Administrator: true})
		theirs := roomkit.SyncTeam{Team: "sales", Name: "sales", Leader: "eve", Members: people("eve")}
		s.Does("bob", theirs)
		require.False(t, s.Run("bob", theirs).Changed)
		s.Does("bob", roomkit.EditTeam{Team: "sales", Room: new(true)})
		other := s.Does("eve", roomkit.OpenTeamRoom{Team: "sales"}).Room
		require.Equal(t, roomkit.TeamRoom("bolt", "sales"), other)
		require.NotEqual(t, s.Team, other)
		require.Equal(t, people("ben", "cat"), s.Inside("cat", s.Team))
		require.Equal(t, people("eve"), s.Inside("eve", other))

		s.Does("adm", roomkit.SyncTeam{Team: "sales", Name: "sales", Leader: "cat", Members: people("cat")})
		require.Equal(t, people("eve"), s.Inside("eve", other))
		team, err := s.Service.Team(ctx, "bolt", "sales")
		require.NoError(t, err)
		require.Equal(t, people("eve"), team.Members)
	})
	t.Run("ADM-12 ADM-23 a team of another company is refused as one that is not there", func(t *testing.T) {
		s := proof.NewStage(t)
		proof.AddUsers(t, s.Service, roomkit.User{ID: "bob", Company: "bolt", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Administrator: true})
		for name, of := range map[string]func(team roomkit.TeamID, company roomkit.CompanyID) roomkit.Command{
			"OpenTeamRoom": func(team roomkit.TeamID, company roomkit.CompanyID) roomkit.Command {
				return roomkit.OpenTeamRoom{Team: team, Company: company}
			},
			"SyncTeam": func(team roomkit.TeamID, company roomkit.CompanyID) roomkit.Command {
				return roomkit.SyncTeam{Team: team, Company: company, Name: "x"}
			},
			"EditTeam": func(team roomkit.TeamID, company roomkit.CompanyID) roomkit.Command {
				return roomkit.EditTeam{Team: team, Company: company, Room: new(true)}
			},
		} {
			for _, actor := range people("bob", "eve", "lin") {
				refusal := func(team roomkit.TeamID, company roomkit.CompanyID) string {
					_, err := s.Do(ctx, roomkit.By(actor), of(team, company))
					var denied *roomkit.Denied
					require.ErrorAs(t, err, &denied, "%s by %s of %s of %s", name, actor, team, company)
					denied.Room = roomkit.RoomID{} // follows from what was named
					return denied.Error()
				}
				there := refusal("sales", "acme")
				require.Equal(t, there, refusal("none", "acme"), "%s by %s", name, actor)
				require.Equal(t, there, refusal("none", "nowhere"), "%s by %s", name, actor)
			}
		}
	})
	t.Run("TEAM-03 who belongs to no company has no team", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Denies("TEAM-03", "lin", roomkit.OpenTeamRoom{Team: "sales"})
		s.Denies("ADM-23", "lin", roomkit.EditTeam{Team: "sales", Room: new(true)})
		s.Denies("ADM-23", "lin", roomkit.SyncTeam{Team: "sales", Name: "x"})
	})
	t.Run("ADM-23 the system names the company of a team", func(t *testing.T) {
		s := proof.NewStage(t)
		for _, cmd := range []roomkit.Command{
			roomkit.OpenTeamRoom{Team: "sales"}, roomkit.EditTeam{Team: "sales", Room: new(true)}, roomkit.SyncTeam{Team: "sales", Name: "x"},
		} {
			_, err := s.Do(ctx, roomkit.System(), cmd)
			var invalid *roomkit.Invalid
			require.ErrorAs(t, err, &invalid, "%T", cmd)
			require.Equal(t, "Company", invalid.Field)
		}
	})
	t.Run("TEAM-05 a chart older than the last one is refused", func(t *testing.T) {
		s := proof.NewStage(t)
		numbered := func(seq int64) roomkit.SyncTeam { return sales(func(c *roomkit.SyncTeam) { c.Seq = seq }) }
		s.Does("adm", numbered(5))
		s.Invalid("", "adm", numbered(4))
		s.Run("adm", numbered(5))
		require.False(t, s.Run("adm", numbered(0)).Changed, "the highest number holds")
		s.Invalid("", "adm", numbered(4))
		s.Does("adm", numbered(6))
	})
}

func TestOpeningTeamRooms(t *testing.T) {
	few := func(o *service.Options) { o.Policy.LeaderTeamLimit = 2 }
	t.Run("LIM-08 the limit is the leader's, not the administrator's nor the system's", func(t *testing.T) {
		s := proof.NewStage(t, few)
		s.NewTeam("led", "dan", "ben", "cat", "dan")
		s.Denies("LIM-08", "dan", roomkit.OpenTeamRoom{Team: "led"})
		s.Does("adm", roomkit.OpenTeamRoom{Team: "led"})
		s.NewTeam("both", "adm", "ben", "cat", "dan")
		s.Does("adm", roomkit.OpenTeamRoom{Team: "both"})
		s.NewTeam("headless", "", "ben", "cat", "dan")
		s.Sys(roomkit.OpenTeamRoom{Team: "headless", Company: "acme"})
		require.Equal(t, people("ben", "cat", "dan"), s.Inside("ben", roomkit.TeamRoom("acme", "headless")))
	})
	t.Run("TEAM-01 a team without members has no room", func(t *testing.T) {
		s := proof.NewStage(t)
		s.NewTeam("empty", "cat")
		s.Denies("TEAM-01", "cat", roomkit.OpenTeamRoom{Team: "empty"})
	})
	t.Run("COM-09 TEAM-05 the room ends with its last member", func(t *testing.T) {
		s := proof.NewStage(t)
		res := s.Sys(proof.Team("sales", "cat"))
		require.Len(t, proof.EventsOf[*roomkit.RoomEnded](res.Events), 1)
		s.Denies("COM-14", "adm", roomkit.Edit{Room: s.Team, Photo: new("p")})
	})
	t.Run("ADM-13 TEAM-01 whose account is gone is left out, whatever the chart says", func(t *testing.T) {
		s := proof.NewStage(t)
		s.NewTeam("late", "cat", "ben", "cat")
		s.Sys(roomkit.DeleteUser{User: "ben"})
		room := s.Does("cat", roomkit.OpenTeamRoom{Team: "late"}).Room
		require.Equal(t, people("cat"), s.Inside("cat", room))
		require.EqualValues(t, 1, s.RoomOf("cat", room).Participants)
	})
}

func TestTeamOfThousands(t *testing.T) {
	s := proof.NewStage(t)
	many := proof.Crowd(t, s.Service, "m", 1200)
	s.NewTeam("many", "dan", append(many, "dan")...)
	res := s.Does("adm", roomkit.OpenTeamRoom{Team: "many"})
	require.Len(t, proof.EventsOf[*roomkit.MemberJoined](res.Events), 3, "one event names at most %d people", roomkit.MaxPeople)
	res = s.Sys(proof.Team("many", "dan", "dan"))
	require.Equal(t, people("dan"), s.Inside("dan", roomkit.TeamRoom("acme", "many")))
	require.True(t, res.Changed, fmt.Sprint(res.Version))
}
