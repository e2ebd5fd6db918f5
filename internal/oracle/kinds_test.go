package oracle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDirectStory(t *testing.T) {
	room := DirectID("a1", "b1")
	line := DirectID("a2", "l2")
	play(t, []step{
		{"EXT-32 a stranger", "a1", OpenDirect{"ghost"}, Denied, "CRE-49", nil},
		{"EXT-32 no contact", "a4", OpenDirect{"b1"}, Denied, "EXT-32", func(s *scene, o Outcome) {
			require.Contains(s.t, o.Rules, "CRE-49", "looks like a stranger")
		}},
		{"DIR-01 alone", "a1", OpenDirect{"a1"}, Refused, "", nil},
		{"DIR-14 with an outsider", "a1", OpenDirect{"b1"}, OK, "", func(s *scene, o Outcome) {
			require.Equal(s.t, room, o.Room)
			s.inside(room, "a1", "b1")
		}},
		{"DIR-02 the same again", "b1", OpenDirect{"a1"}, NoOp, "", nil},
		{"DIR-08", "a1", Edit{Room: room, Name: ref("N")}, Denied, "DIR-08", nil},
		{"DIR-10", "a1", Edit{Room: room, Switch: map[Feature]bool{Note: true}}, Denied, "DIR-10", nil},
		{"DIR-03", "b1", Leave{room}, OK, "", func(s *scene, _ Outcome) {
			s.enters(room, "b1", NotFound)
			s.enters(room, "a1", OK)
		}},
		{"COM-08 twice", "b1", Leave{room}, NotFound, "", nil},
		{"DIR-17", "a1", OpenDirect{"b1"}, OK, "", func(s *scene, o Outcome) {
			require.Equal(s.t, []Move{{room, "b1", ByReopening}}, o.Joined)
			since, _ := s.w.ReadFrom("b1", room)
			require.Equal(s.t, s.now, since)
			since, _ = s.w.ReadFrom("a1", room)
			require.Equal(s.t, s.w.Rooms[room].BeganAt, since)
		}},
		{"DIR-18", "a1", off("a1"), OK, "", func(s *scene, _ Outcome) {
			require.Equal(s.t, Denied, s.w.CanPost("b1", room).Verdict)
			require.Equal(s.t, Denied, s.w.CanPost("a1", room).Verdict)
		}},
		{"ADM-04", "b1", OpenDirect{"a1"}, Denied, "EXT-33", nil},
		{"DIR-05", "a1", Leave{room}, OK, "", nil},
		{"DIR-05 the last one", "b1", Leave{room}, OK, "", func(s *scene, o Outcome) { require.Equal(s.t, []string{room}, o.Ended) }},
		{"ADM-23", "b1", on("a1"), Denied, "ADM-23", nil},
		{"DIR-18", "a1", on("a1"), OK, "", nil},
		{"DIR-02 anew", "a1", OpenDirect{"b1"}, OK, "", func(s *scene, o Outcome) {
			require.True(s.t, o.Opened)
			require.Equal(s.t, 3, s.w.Rooms[room].Periods("b1"))
			require.Equal(s.t, s.now, s.w.Rooms[room].BeganAt)
		}},
		{"LINE-02 the member cannot start", "a2", OpenDirect{"l2"}, Denied, "LINE-02", nil},
		{"LINE-01", "l2", OpenDirect{"a5"}, Denied, "LINE-01", nil},
		{"LINE-02 the LINE user starts", "l2", OpenDirect{"a2"}, OK, "", func(s *scene, _ Outcome) {
			require.Equal(s.t, "a", s.w.Rooms[line].Company)
		}},
		{"LINE-02 now the room exists", "a2", OpenDirect{"l2"}, NoOp, "", nil},
		{"LINE-01", System, SetExternalMessaging{Company: "a", Channel: LineChannel, Mode: Off}, OK, "", func(s *scene, _ Outcome) {
			s.enters(line, "a2", Denied)
			require.NotContains(s.t, s.w.RoomsOf("a2"), line)
			require.Equal(s.t, NoOp, s.w.Sweep().Verdict, "ADM-07 the room stays")
		}},
		{"LINE-01 back", System, SetExternalMessaging{Company: "a", Channel: LineChannel, Mode: Selected}, OK, "", func(s *scene, _ Outcome) {
			s.enters(line, "a2", OK)
		}},
	})
}

func TestGroupStory(t *testing.T) {
	withheld := Edit{Room: "r1", Switch: map[Feature]bool{Task: false}}
	play(t, []step{
		{"GRP-02", "a2", CreateGroup{Name: "Red", Members: []string{"b1"}}, Denied, "GRP-02", nil},
		{"GRP-03", "a2", CreateGroup{Name: "Red", Members: []string{"a3"}, Settings: Settings{Public: true}}, OK, "", nil},
		{"GRP-29", "a3", CreateGroup{Name: "RED"}, Denied, "GRP-29", nil},
		{"GRP-29 another company", "b2", CreateGroup{Name: "RED"}, OK, "", nil},
		{"GRP-21", "a4", Leave{"r1"}, Denied, "", func(s *scene, _ Outcome) {
			require.Equal(s.t, OK, s.w.Check("a4", MaySeeMembers, "r1").Verdict)
			s.enters("r1", "a4", Denied)
			require.Equal(s.t, []string{"r1"}, s.w.GroupsAll("a4"))
			require.Equal(s.t, NotFound, s.w.Check("b1", MaySeeRoom, "r1").Verdict)
		}},
		{"GRP-25", "a3", Invite{Room: "r1", People: []string{"a4"}}, Denied, "GRP-25", nil},
		{"GRP-12", "a2", Leave{"r1"}, Denied, "GRP-12", nil},
		{"GRP-09", "a2", DismissMasters{"r1", []string{"a2"}}, Denied, "GRP-09", nil},
		{"GRP-45", "a1", Remove{"r1", []string{"a2"}}, Denied, "GRP-45", nil},
		{"COM-07", "a2", Invite{Room: "r1", People: []string{"a3"}}, NoOp, "", nil},
		{"GRP-10", "a2", AppointMasters{"r1", []string{"a4"}}, OK, "", func(s *scene, _ Outcome) { s.enters("r1", "a4", Denied) }},
		{"GRP-09 both at once", "a1", DismissMasters{"r1", []string{"a2", "a4"}}, Denied, "GRP-09", nil},
		{"AMB-06 a master himself", "a2", Remove{"r1", []string{"a2"}}, OK, "", func(s *scene, _ Outcome) {
			require.Equal(s.t, []string{"a4"}, masters(s.w.Rooms["r1"]))
		}},
		{"GRP-31 only the administrator", "a4", Edit{Room: "r1", Withhold: ref(true)}, Denied, "GRP-31", nil},
		{"GRP-31", "a1", Edit{Room: "r1", Withhold: ref(true)}, OK, "", nil},
		{"GRP-31", "a4", withheld, Denied, "", nil},
		{"GRP-31", "a1", withheld, OK, "", nil},
		{"GRP-26 only a master", "a1", Edit{Room: "r1", Sharing: ref(true)}, Denied, "GRP-26", nil},
		{"GRP-37", "a1", Edit{Room: "r1", Message: ref(false)}, OK, "", func(s *scene, _ Outcome) {
			s.enters("r1", "a3", Denied)
			require.Empty(s.t, s.w.UsableFeatures("a3", "r1"))
		}},
		{"GRP-37", "a1", Edit{Room: "r1", Switch: map[Feature]bool{Note: false}}, Denied, "GRP-37", nil},
		{"GRP-38 management goes on", "a4", Invite{Room: "r1", People: []string{"a5"}}, OK, "", nil},
		{"GRP-39 within the period", "a4", Edit{Room: "r1", Message: ref(true)}, OK, "", func(s *scene, o Outcome) {
			require.False(s.t, o.Emptied)
			s.enters("r1", "a3", OK)
		}},
		{"GRP-39", "a4", Edit{Room: "r1", Message: ref(false)}, OK, "", func(s *scene, _ Outcome) { s.now = s.now.Add(31 * 24 * time.Hour) }},
		{"GRP-39 after it", "a4", Edit{Room: "r1", Message: ref(true)}, OK, "", func(s *scene, o Outcome) {
			require.True(s.t, o.Emptied)
			since, _ := s.w.ReadFrom("a3", "r1")
			require.Equal(s.t, s.now, since)
		}},
		{"ADM-13 the last master", System, DeleteUser{"a4"}, OK, "", nil},
		{"ADM-14", System, RestoreUser{"a4"}, OK, "", nil},
		{"ADM-14 no way back", "a4", Invite{Room: "r1", People: []string{"a2"}}, Denied, "ADM-14", sweep},
		{"ADM-19", "a1", AppointMasters{"r1", []string{"a3"}}, OK, "", nil},
		{"ADM-19 handed over", "a3", HandOver{"r1", "a5"}, OK, "", func(s *scene, _ Outcome) {
			require.Equal(s.t, []string{"a5"}, masters(s.w.Rooms["r1"]))
			s.inside("r1", "a3", "a5")
		}},
		{"ADM-11", "b1", DeleteRoom{"r1"}, NotFound, "", nil},
		{"GRP-41", "a5", DeleteRoom{"r1"}, OK, "", nil},
		{"COM-14", "a3", DeleteRoom{"r1"}, Denied, "COM-14", nil},
		{"COM-14 unseen", "a2", DeleteRoom{"r1"}, NotFound, "", nil},
	})
}

// TestVoidRoles: participation and mastership are lost and regained apart from
// each other.
func TestVoidRoles(t *testing.T) {
	play(t, []step{
		{"two masters", "a1", CreateGroup{External: true, Name: "Far", Members: []string{"a2", "b1"}, Masters: []string{"a2"}}, OK, "", nil},
		{"EXT-23", "a1", off("a2"), OK, "", nil},
		{"EXT-27 a void master does not count", "a1", DismissMasters{"r1", []string{"a1"}}, Denied, "EXT-27", nil},
		{"EXT-25", "a1", on("a2"), OK, "", nil},
		{"EXT-25 still void", "a2", Edit{Room: "r1", Name: ref("X")}, Denied, "EXT-25", nil},
		{"a master adds again", "a1", Invite{Room: "r1", People: []string{"a2"}}, OK, "", func(s *scene, o Outcome) {
			require.Equal(s.t, 2, s.w.Rooms["r1"].Periods("a2"))
			require.Equal(s.t, []Move{{"r1", "a2", AnyCause}}, o.Dismissed)
			s.enters("r1", "a2", OK)
		}},
		{"the role is not back", "a2", Edit{Room: "r1", Name: ref("X")}, Denied, "EXT-12", func(s *scene, _ Outcome) {
			require.Equal(s.t, NoOp, s.w.Sweep().Verdict)
		}},
		{"ADM-02 all", "a1", SetExternalMessaging{Company: "a", Channel: WorksChannel, Mode: All}, OK, "", nil},
		{"ADM-03", "a1", off("a2"), Denied, "ADM-03", nil},
		{"EXT-30 all means all", "a1", Invite{Room: "r1", People: []string{"a5"}}, OK, "", nil},
		{"narrowed", "a1", SetExternalMessaging{Company: "a", Channel: WorksChannel, Mode: Selected}, OK, "", func(s *scene, _ Outcome) {
			s.enters("r1", "a5", Denied)
			s.enters("r1", "a2", OK)
		}},
		{"EXT-43 by the own company", "b1", SetExternalMessaging{Company: "b", Channel: WorksChannel, Mode: Off}, OK, "", func(s *scene, _ Outcome) {
			require.Len(s.t, s.w.Sweep().Left, 2)
			s.inside("r1", "a1", "a2")
		}},
	})
}

func TestConversionStory(t *testing.T) {
	room := CreateRoom{People: []string{"a3", "a5", "abot"}, Audience: Members}
	play(t, []step{
		{"a general room", "a2", room, OK, "", nil},
		{"CRE-51", "a2", Convert{Room: "r1", To: GroupRoom}, Refused, "CRE-51", nil},
		{"CRE-38", "a5", Convert{Room: "r1", To: ExternalRoom, Name: "X"}, Denied, "CRE-38", nil},
		{"CRE-36", System, PutCompany{Company{ID: "a", Core: true, Works: Selected, Line: Selected}}, OK, "", nil},
		{"CRE-36", "a2", Convert{Room: "r1", To: GroupRoom, Name: "X"}, Denied, "CRE-36", nil},
		{"ADM-09", "a1", EditCompany{Company: "a", MembersCreateGroups: ref(true)}, OK, "", nil},
		{"the permission of a3 goes and comes", "a1", off("a3"), OK, "", nil},
		{"it does not matter here", "a1", on("a3"), OK, "", func(s *scene, _ Outcome) { require.Equal(s.t, NoOp, s.w.Sweep().Verdict) }},
		{"CRE-41", "a2", Convert{Room: "r1", To: ExternalRoom, Name: "Far"}, OK, "", func(s *scene, o Outcome) {
			require.Equal(s.t, []string{"a5", "abot"}, o.Dropped)
			s.inside("r1", "a2", "a3")
			s.enters("r1", "a3", OK)
			require.Equal(s.t, []string{"a2"}, masters(s.w.Rooms["r1"]))
			since, _ := s.w.ReadFrom("a3", "r1")
			require.Equal(s.t, s.w.Rooms["r1"].BeganAt, since, "CRE-40")
		}},
		{"CRE-44", "a3", Leave{"r1"}, Denied, "EXT-17", nil},
		{"CRE-43", "a2", Convert{Room: "r1", To: GroupRoom, Name: "X"}, Denied, "EXT-44", nil},
		{"a LINE room", "a1", CreateRoom{People: []string{"a2", "l1"}, Audience: Externals}, OK, "", func(s *scene, o Outcome) {
			require.Equal(s.t, GeneralRoom, o.Kind, "CRE-47")
			require.Empty(s.t, s.w.UsableFeatures("a2", "r2"), "LINE-07")
		}},
		{"CRE-42", "a1", Convert{Room: "r2", To: ExternalRoom, Name: "X"}, Denied, "CRE-42", nil},
		{"LINE-05", "a1", CreateRoom{People: []string{"a3", "a4"}, Origin: FromRoom, Source: "r2"}, Denied, "LINE-05", nil},
		{"LINE-04", "a1", Invite{Room: "r2", People: []string{"abot"}}, Denied, "LINE-04", nil},
		{"LINE-01", "a1", Invite{Room: "r2", People: []string{"a5"}}, Denied, "LINE-01", nil},
		{"LST-11", "a1", CreateRoom{People: []string{"a2", "l1"}, Audience: Externals}, Offers, "", func(s *scene, _ Outcome) {
			require.Empty(s.t, s.w.Recommend("a1", []string{"a2", "l1"}, Members))
		}},
	})
}

func TestTeamStory(t *testing.T) {
	room := TeamID("t")
	team := Team{ID: "t", Company: "a", Name: "Team", Leader: "a2", Members: []string{"a2", "a4"}, Room: true, Features: true, Preset: Features{Note: true, Folder: true}}
	renamed := team
	renamed.Name, renamed.Seq = "Crew", 5
	late := team
	late.Seq = 3
	withdrawn := renamed
	withdrawn.Features = false
	play(t, []step{
		{"TEAM-03", "a3", OpenTeamRoom{"t"}, Refused, "TEAM-03", nil},
		{"TEAM-01", "a2", OpenTeamRoom{"t"}, OK, "", func(s *scene, _ Outcome) {
			s.inside(room, "a2", "a3", "a5")
			require.Equal(s.t, Features{Note: true, Folder: true}, s.w.UsableFeatures("a3", room))
		}},
		{"TEAM-06", "a3", Leave{room}, Denied, "TEAM-06", nil},
		{"TEAM-07", "a2", Invite{Room: room, People: []string{"a4"}}, Denied, "TEAM-07", nil},
		{"TEAM-09", "a1", Edit{Room: room, Name: ref("X")}, Denied, "TEAM-09", nil},
		{"TEAM-10", "a2", Edit{Room: room, Switch: map[Feature]bool{Event: true}}, OK, "", nil},
		{"TEAM-05", "a1", SyncTeam{team}, OK, "", func(s *scene, o Outcome) {
			s.inside(room, "a2", "a4")
			require.Equal(s.t, []Move{{room, "a4", ByOrganisation}}, o.Joined)
			s.enters(room, "a3", NotFound)
		}},
		{"TEAM-05 the same", System, SyncTeam{team}, NoOp, "", nil},
		{"TEAM-09", System, SyncTeam{renamed}, OK, "", func(s *scene, _ Outcome) { require.Equal(s.t, "Crew", s.w.Rooms[room].Name) }},
		{"late", System, SyncTeam{late}, Refused, "", nil},
		{"TEAM-11", System, SyncTeam{withdrawn}, OK, "", nil},
		{"TEAM-11", "a2", Edit{Room: room, Switch: map[Feature]bool{Event: false}}, Denied, "", nil},
		{"ADM-23", "b1", SyncTeam{withdrawn}, Denied, "ADM-23", nil},
	})
}

func TestOwnRoomAndAccounts(t *testing.T) {
	room := SelfID("a2")
	play(t, []step{
		{"SELF-02", "a2", OpenSelf{}, OK, "", nil},
		{"SELF-02", "a2", OpenSelf{}, NoOp, "", nil},
		{"SELF-01", "a3", Leave{room}, NotFound, "", nil},
		{"SELF-03", "a2", Invite{Room: room, People: []string{"a3"}}, Denied, "SELF-03", nil},
		{"SELF-05", "a2", Leave{room}, Denied, "SELF-05", nil},
		{"ADM-18", "a1", SuspendUser{User: "a2"}, OK, "", func(s *scene, _ Outcome) { require.Equal(s.t, NoOp, s.w.Sweep().Verdict) }},
		{"ADM-17", "a2", OpenSelf{}, Denied, "ADM-17", nil},
		{"AMB-23", "a3", CreateRoom{People: []string{"a2", "a4"}, Audience: Members}, Denied, "AMB-23", nil},
		{"ADM-18", "a1", SuspendUser{User: "a2", Lift: true}, OK, "", func(s *scene, _ Outcome) { s.enters(room, "a2", OK) }},
		{"ADM-23", "b1", DeleteUser{"a2"}, Denied, "ADM-23", nil},
		{"ADM-23 unknown", "b1", DeleteUser{"ghost"}, Denied, "ADM-23", nil},
		{"ADM-13", "a1", DeleteUser{"a2"}, OK, "", func(s *scene, _ Outcome) { s.enters(room, "a2", Refused) }},
		{"ADM-14", "a1", RestoreUser{"a2"}, OK, "", func(s *scene, _ Outcome) {
			s.enters(room, "a2", Denied)
			require.Equal(s.t, []string{room}, s.w.Sweep().Ended)
		}},
		{"ADM-14 anew", "a2", OpenSelf{}, OK, "", func(s *scene, _ Outcome) {
			since, _ := s.w.ReadFrom("a2", room)
			require.Equal(s.t, s.now, since)
		}},
		{"ADM-23 only the system", "a1", PutUsers{[]User{{ID: "z", Company: "a", Kind: Human, Status: Active}}}, Denied, "", nil},
		{"Expel is the system's", "a1", Expel{room, []string{"a2"}, ByAccount}, Denied, "", nil},
		{"and only carries out", System, Expel{room, []string{"a2"}, ByAccount}, NoOp, "", nil},
	})
}
