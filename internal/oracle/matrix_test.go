package oracle

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestAuthorityMatrix writes section 4 of the rule book down once more: P is a
// participant and nothing else, M a Group Master who does not take part, L a
// leader who does not, A an administrator of the owning company.
func TestAuthorityMatrix(t *testing.T) {
	s := play(t, []step{
		{"", "a3", OpenSelf{}, OK, "", nil},
		{"", "a3", OpenDirect{"a5"}, OK, "", nil},
		{"", "a3", CreateRoom{People: []string{"a5", "a2"}, Audience: Members}, OK, "", nil},
		{"", "a1", CreateGroup{Name: "Red", Members: []string{"a3"}, Masters: []string{"a4"}, ForOthers: true}, OK, "", nil},
		{"", "a1", CreateGroup{External: true, Name: "Far", Members: []string{"a3"}, Masters: []string{"a4"}, ForOthers: true}, OK, "", nil},
		{"", System, SyncTeam{Team{
			ID: "t", Company: "a", Name: "Team", Leader: "a4", Members: []string{"a3", "a5"}, Room: true, Features: true, Photo: true,
		}}, OK, "", nil},
		{"", "a4", OpenTeamRoom{"t"}, OK, "", nil},
	})
	rooms := []string{SelfID("a3"), DirectID("a3", "a5"), "r1", "r2", "r3", TeamID("t")}
	persons := map[string]string{"P": "a3", "M": "a4", "L": "a4", "A": "a1"}
	for _, row := range []struct {
		action Action
		may    [6]string // SELF, DIR, GEN, GRP, EXT, TEAM
	}{
		{MayEnter, [6]string{"P", "P", "P", "P", "P", "P"}},
		{MayPost, [6]string{"P", "P", "P", "P", "P", "P"}},
		{MayInvite, [6]string{"", "P", "P", "MA", "M", ""}},
		{MayRemove, [6]string{"", "", "P", "MA", "M", ""}},
		{MayLeave, [6]string{"", "P", "P", "", "", ""}},
		{MayAppoint, [6]string{"", "", "", "MA", "MA", ""}},
		{MayDismiss, [6]string{"", "", "", "MA", "MA", ""}},
		{MayRename, [6]string{"", "", "P", "MA", "MA", ""}},
		{MayChangePhoto, [6]string{"", "", "P", "P", "P", "LA"}},
		{MayDescribe, [6]string{"", "", "P", "MA", "MA", "A"}},
		{MaySwitchNote, [6]string{"", "", "", "MA", "MA", "LA"}},
		{MaySwitchEvent, [6]string{"", "", "", "MA", "MA", "LA"}},
		{MaySwitchFolder, [6]string{"", "", "", "MA", "MA", "LA"}},
		{MaySwitchTask, [6]string{"", "", "", "MA", "", "LA"}},
		{MaySwitchMessage, [6]string{"", "", "", "MA", "MA", "LA"}},
		{MaySwitchMailingList, [6]string{"", "", "", "MA", "", "LA"}},
		{MaySetVisibility, [6]string{"", "", "", "MA", "", "A"}},
		{MayShareHistory, [6]string{"", "", "P", "M", "M", "L"}},
		{MayDeleteData, [6]string{"", "", "", "MA", "MA", "LA"}},
		{MayWithhold, [6]string{"", "", "", "A", "", ""}},
		{MayConvert, [6]string{"", "", "P", "", "", ""}},
		{MayDelete, [6]string{"", "", "", "MA", "MA", "A"}},
		{MaySource, [6]string{"", "", "P", "P", "", "P"}},
		{MayUseNote, [6]string{"", "", "P", "P", "P", ""}},
		{MayUseTask, [6]string{"", "", "P", "P", "", ""}},
		{MayUseMailingList, [6]string{"", "", "", "P", "", ""}},
		{MayInviteAttendees, [6]string{"", "", "P", "P", "", ""}},
		{MayShareFolderLinks, [6]string{"", "", "P", "", "", ""}},
		{MaySwitchFileNotice, [6]string{"", "", "P", "P", "P", ""}},
		{MayRecallOwn, [6]string{"P", "P", "P", "P", "P", "P"}},
	} {
		for i, room := range rooms {
			for letter, person := range persons {
				if letter == "M" && i != 3 && i != 4 || letter == "L" && i != 5 {
					continue
				}
				may, open := s.w.Actions(person, room)
				if open[row.action] {
					require.NotContains(t, row.may[i], letter, "%s in %s is called open", row.action, room)
					continue
				}
				want := strings.Contains(row.may[i], letter)
				require.Equal(t, want, may[row.action], "%s in %s by %s (%s)", row.action, room, letter, person)
				require.Equal(t, want, s.w.Check(person, row.action, room).Verdict == OK)
			}
		}
	}
}

// TestPolicy turns the open points the other way.
func TestPolicy(t *testing.T) {
	p := Policy{
		ExternalTask: true, ForeignMasters: true, AdminsManageExternal: true, LineFeatures: true, TeamPhotoByMembers: true,
		MaxParticipants: map[Kind]int{GeneralRoom: 3}, MaxGroupsPerUser: 2, LeaderTeamLimit: 2, OffPeriod: time.Hour,
	}
	s := &scene{t: t, w: founded(t, p), now: start}
	s.play([]step{
		{"AMB-01", "a3", CreateGroup{External: true, Name: "Far", Members: []string{"b1"}}, OK, "", func(s *scene, _ Outcome) {
			require.True(s.t, s.w.UsableFeatures("b1", "r1")[Task])
		}},
		{"AMB-04", "a3", AppointMasters{"r1", []string{"b1"}}, OK, "", nil},
		{"ADM-10", "a1", Invite{Room: "r1", People: []string{"a2"}}, OK, "", nil},
		{"AMB-11", "a1", CreateRoom{People: []string{"a2", "l1"}, Audience: Externals}, OK, "", func(s *scene, o Outcome) {
			require.True(s.t, s.w.UsableFeatures("a2", o.Room)[Note])
		}},
		{"LIM-07", "a1", CreateRoom{People: []string{"a2", "a3", "a4"}, Audience: Members}, Denied, "LIM-07", nil},
		{"LIM-02", "a1", CreateGroup{Name: "Red", Members: []string{"a2"}}, OK, "", nil},
		{"CRE-45", "a1", CreateGroup{Name: "Blue", Members: []string{"a2"}}, Denied, "CRE-45", nil},
		{"LIM-02", "a1", AppointMasters{"r3", []string{"a2", "a3", "a4"}}, OK, "", nil},
		{"LIM-08", "a2", OpenTeamRoom{"t"}, Denied, "LIM-08", nil},
		{"LIM-08", "a1", OpenTeamRoom{"t"}, OK, "", nil},
		{"AMB-17", "a3", Edit{Room: TeamID("t"), Photo: ref("p")}, OK, "", nil},
		{"LIM-01", "a4", CreateGroup{Name: "G1"}, OK, "", nil},
		{"LIM-01", "a3", CreateGroup{Name: "G2"}, OK, "", nil},
		{"LIM-01", "a5", CreateGroup{Name: "G3"}, Denied, "LIM-01", nil},
		{"GRP-39", "a4", Edit{Room: "r4", Message: ref(false)}, OK, "", func(s *scene, _ Outcome) { s.now = s.now.Add(time.Hour) }},
		{"GRP-39", "a4", Edit{Room: "r4", Message: ref(true)}, OK, "", func(s *scene, o Outcome) { require.True(s.t, o.Emptied) }},
	})
}

func TestQuestions(t *testing.T) {
	s := play(t, []step{
		{"", "a2", CreateGroup{Name: "Red", Members: []string{"a3", "a4"}, Masters: []string{"a5"}, Settings: Settings{Public: true}}, OK, "", nil},
		{"", "a2", CreateRoom{People: []string{"a3", "a4"}, Audience: Members, Anyway: true}, OK, "", nil},
		{"", "a2", CreateRoom{People: []string{"a3", "b1"}, Audience: Externals, Name: "Far"}, OK, "", nil},
		{"", System, DeleteUser{"a4"}, OK, "", nil},
	})
	effective, others := s.w.Members("r1")
	require.Equal(t, []string{"a2", "a3", "a5"}, effective)
	require.Equal(t, []string{"a4"}, others)
	require.Equal(t, []string{"r1", "r2", "r3"}, s.w.RoomsOf("a2"))
	require.Empty(t, s.w.RoomsOf("a4"))
	require.Equal(t, []string{"r1"}, s.w.GroupsManaged("a5"))
	require.Empty(t, s.w.GroupsBelonging("a5"))
	require.Equal(t, []string{"r1", "r3"}, s.w.GroupsBelonging("a3"))
	require.Equal(t, []string{"r1"}, s.w.GroupsAll("a1"))
	require.Empty(t, s.w.GroupsAll("b2"))
	require.Empty(t, s.w.Recommend("a2", []string{"a3", "a4"}, Members), "LST-06")
	require.Equal(t, []Offer{{Room: "r3", Exact: true}}, s.w.Recommend("a2", []string{"a3", "b1"}, NoAudience))
	require.Empty(t, s.w.Recommend("a2", []string{"a3", "b1"}, Members), "LST-11")
	require.Empty(t, s.w.Recommend("a1", []string{"a2", "a3"}, Members), "LST-07")
	require.Empty(t, s.w.Recommend("a2", []string{"a3"}, Members), "LST-05")
	require.Equal(t, Refused, s.w.Check("a4", MaySeeRoom, "r1").Verdict)
	require.Equal(t, NotFound, s.w.Check("ghost", MaySeeRoom, "r1").Verdict)
}

func TestVerdictsFit(t *testing.T) {
	require.True(t, Refused.Accepts(Denied))
	require.True(t, Refused.Accepts(Invalid))
	require.False(t, Refused.Accepts(OK))
	require.False(t, Denied.Accepts(NotFound))
	require.False(t, NoOp.Accepts(OK))
	require.True(t, Open.Accepts(OK))
	require.True(t, Outcome{}.AcceptsRule("EXT-17"))
	require.False(t, Outcome{Rules: []string{"EXT-18"}}.AcceptsRule("EXT-17"))
}
