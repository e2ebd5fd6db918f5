package oracle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// scene plays steps in the small world, a minute apart.
type scene struct {
	t   *testing.T
	w   *World
	now time.Time
}

type step struct {
	says  string // the rule or statement it stands for
	actor string
	cmd   Command
	want  Verdict
	rule  string                    // of a refusal
	then  func(s *scene, o Outcome) // what holds afterwards
}

func (s *scene) play(steps []step) {
	for _, st := range steps {
		s.now = s.now.Add(time.Minute)
		o := s.w.Do(st.actor, st.cmd, s.now)
		require.Equal(s.t, st.want, o.Verdict, "%s: %s %+v: %v", st.says, st.actor, st.cmd, o.Rules)
		if st.rule != "" {
			require.Contains(s.t, o.Rules, st.rule, st.says)
		}
		require.NoError(s.t, s.w.CheckState(), st.says)
		if st.then != nil {
			st.then(s, o)
		}
	}
}

func play(t *testing.T, steps []step) *scene {
	s := &scene{t: t, w: founded(t, Policy{}), now: start}
	s.play(steps)
	return s
}

func (s *scene) inside(room string, people ...string) {
	in := []string{}
	for p := range s.w.Rooms[room].Participants {
		in = append(in, p)
	}
	require.ElementsMatch(s.t, people, in)
}

func (s *scene) enters(room, person string, want Verdict) {
	require.Equal(s.t, want, s.w.CanEnter(person, room).Verdict, "%s into %s", person, room)
}

func masters(r *Room) []string {
	var out []string
	for p := range r.Masters {
		out = append(out, p)
	}
	return out
}

func sweep(s *scene, _ Outcome) { s.w.Sweep() }

func ref[T any](v T) *T { return &v }

func off(user string) Command {
	return SetExternalMessaging{Company: "a", User: user, Channel: WorksChannel, Mode: Off}
}

func on(user string) Command {
	return SetExternalMessaging{Company: "a", User: user, Channel: WorksChannel, Mode: Selected}
}

// TestExternalGroupStory follows the page on external group message rooms.
func TestExternalGroupStory(t *testing.T) {
	fresh := CreateRoom{People: []string{"a2", "b1"}, Audience: Externals, Name: "Fair"}
	coreless := CreateRoom{People: []string{"a1", "b1"}, Audience: Externals, Name: "No"}
	play(t, []step{
		{"E1 needs Core", "c1", coreless, Denied, "COM-10", nil},
		{"E4 the audience decides", "a1", CreateRoom{People: []string{"a2", "b1"}, Audience: Members}, Refused, "CRE-02", nil},
		{"E4 a name is needed", "a1", CreateRoom{People: []string{"a2", "b1"}, Audience: Externals}, Refused, "CRE-51", nil},
		{"E4 E5 made from the picker", "a1", fresh, OK, "", func(s *scene, o Outcome) {
			require.Equal(s.t, "r1", o.Room)
			require.Equal(s.t, ExternalRoom, o.Kind)
			s.inside("r1", "a1", "a2", "b1")
			require.Equal(s.t, []string{"a1"}, masters(s.w.Rooms["r1"]))
			require.Equal(s.t, Features{Note: true, Event: true, Folder: true}, s.w.UsableFeatures("b1", "r1"))
		}},
		{"E6 a member does not", "a2", Edit{Room: "r1", Switch: map[Feature]bool{Note: false}}, Denied, "EXT-12", nil},
		{"E6 the master does", "a1", Edit{Room: "r1", Switch: map[Feature]bool{Note: false}}, OK, "", func(s *scene, _ Outcome) {
			require.Equal(s.t, Features{Event: true, Folder: true}, s.w.UsableFeatures("b1", "r1"))
		}},
		{"E2 never public", "a1", Edit{Room: "r1", Public: ref(true)}, Denied, "EXT-10", nil},
		{"E2 no task", "a1", Edit{Room: "r1", Switch: map[Feature]bool{Task: true}}, Denied, "EXT-06", nil},
		{"E7 no foreign master", "a1", AppointMasters{"r1", []string{"b1"}}, Denied, "EXT-29", nil},
		{"E7 a member appoints nobody", "a2", AppointMasters{"r1", []string{"a2"}}, Denied, "EXT-13", nil},
		{"E7 the master appoints", "a1", AppointMasters{"r1", []string{"a3"}}, OK, "", nil},
		{"GRP-10 a master need not take part", "a3", Edit{Room: "r1", Name: ref("Fair 2")}, OK, "", func(s *scene, _ Outcome) {
			s.enters("r1", "a3", Denied)
		}},
		{"E8 nobody leaves", "a2", Leave{"r1"}, Denied, "EXT-17", nil},
		{"E8 nor an outsider", "b1", Leave{"r1"}, Denied, "EXT-17", nil},
		{"E8 nor a master", "a1", Leave{"r1"}, Denied, "EXT-18", nil},
		{"E9 a member adds nobody", "a2", Invite{Room: "r1", People: []string{"a4"}}, Denied, "EXT-15", nil},
		{"E9 a member removes nobody", "b1", Remove{"r1", []string{"a2"}}, Denied, "EXT-16", nil},
		{"E9 nobody without permission", "a1", Invite{Room: "r1", People: []string{"a5"}}, Denied, "EXT-30", nil},
		{"E9 no LINE user", "a1", Invite{Room: "r1", People: []string{"l1"}}, Denied, "EXT-03", nil},
		{"E9 no bot", "a1", Invite{Room: "r1", People: []string{"abot"}}, Denied, "EXT-04", nil},
		{"E9 only contacts", "a3", Invite{Room: "r1", People: []string{"b2"}}, Denied, "EXT-32", nil},
		{"E9 the master adds", "a1", Invite{Room: "r1", People: []string{"b2", "a4"}}, OK, "", nil},
		{"E9 the master removes", "a1", Remove{"r1", []string{"b2"}}, OK, "", nil},
		{"E10 not even the name", "b2", Edit{Room: "r1", Photo: ref("p")}, NotFound, "", func(s *scene, _ Outcome) {
			s.enters("r1", "b2", NotFound)
			require.Equal(s.t, s.w.CanEnter("b2", "nowhere"), s.w.CanEnter("b2", "r1"))
			require.Equal(s.t, 1, s.w.Rooms["r1"].Periods("b2"))
		}},
		{"E12 the permission goes", System, off("a2"), OK, "", func(s *scene, _ Outcome) {
			s.enters("r1", "a2", Denied)
			require.NotContains(s.t, s.w.RoomsOf("a2"), "r1")
		}},
		{"E12 and comes back", System, on("a2"), OK, "", func(s *scene, _ Outcome) {
			s.enters("r1", "a2", Denied)
			out := s.w.Sweep()
			require.Equal(s.t, []Move{{"r1", "a2", ByPermission}}, out.Left)
			s.enters("r1", "a2", NotFound)
		}},
		{"EXT-24 the masters too", System, SetExternalMessaging{Company: "a", Channel: WorksChannel, Mode: Off}, OK, "", func(s *scene, _ Outcome) {
			out := s.w.Sweep()
			require.Equal(s.t, []string{"r1"}, out.Vacated)
			require.Empty(s.t, out.Ended)
			s.inside("r1", "b1")
			s.enters("r1", "b1", OK)
		}},
		{"ADM-19 nobody manages", "b1", Invite{Room: "r1", People: []string{"a1"}}, Denied, "EXT-15", nil},
		{"ADM-12 not theirs", "b1", AppointMasters{"r1", []string{"b1"}}, Denied, "EXT-13", nil},
		{"ADM-19 without permission", "a1", AppointMasters{"r1", []string{"a1"}}, Denied, "EXT-28", nil},
		{"EXT-25", System, SetExternalMessaging{Company: "a", Channel: WorksChannel, Mode: Selected}, OK, "", nil},
		{"ADM-19 until the administrator names one", "a1", AppointMasters{"r1", []string{"a3"}}, OK, "", nil},
		{"EXT-15 not even the administrator adds", "a1", Invite{Room: "r1", People: []string{"a1"}}, Denied, "EXT-15", nil},
	})
}

// TestGeneralRoomStory follows the page on general message rooms.
func TestGeneralRoomStory(t *testing.T) {
	three := CreateRoom{People: []string{"a2", "a3"}, Audience: Members}
	again := three
	again.Anyway = true
	use := three
	use.Use = "r1"
	titled := CreateRoom{People: []string{"a2", "a3"}, Origin: FromEvent, Title: "Lunch", Anyway: true}
	clone := func(source string, people ...string) Command {
		return CreateRoom{People: people, Origin: FromRoom, Source: source, Anyway: true}
	}
	play(t, []step{
		{"G8 one person is a 1:1 room", "a1", CreateRoom{People: []string{"a2"}, Audience: Members}, OK, "", func(s *scene, o Outcome) {
			require.Equal(s.t, DirectID("a1", "a2"), o.Room)
		}},
		{"G14 without a name", "a1", CreateRoom{People: []string{"a2"}, Audience: Members, Name: "N"}, Invalid, "", nil},
		{"G8 several people", "a1", three, OK, "", func(s *scene, o Outcome) {
			require.Equal(s.t, GeneralRoom, o.Kind)
			require.Equal(s.t, Features{Note: true, Event: true, Task: true, Folder: true}, s.w.UsableFeatures("a3", "r1"))
		}},
		{"G9 offers first", "a1", three, Offers, "", func(s *scene, o Outcome) {
			require.Equal(s.t, []Offer{{Room: "r1", Exact: true}}, o.Offers)
		}},
		{"G10 choosing one creates nothing", "a1", use, NoOp, "", func(s *scene, o Outcome) { require.Equal(s.t, "r1", o.Room) }},
		{"G13 create anyway", "a1", again, OK, "", func(s *scene, o Outcome) { require.Equal(s.t, "r2", o.Room) }},
		{"G19 titled like the event", "a1", titled, OK, "", func(s *scene, o Outcome) {
			require.Equal(s.t, "Lunch", s.w.Rooms[o.Room].Name)
		}},
		{"G25 not from a 1:1 room", "a1", clone(DirectID("a1", "a2"), "a3", "a4"), Denied, "DIR-12", nil},
		{"G23 from a room", "a1", clone("r1", "a2", "a4"), OK, "", func(s *scene, o Outcome) {
			s.inside("r1", "a1", "a2", "a3")
			s.inside(o.Room, "a1", "a2", "a4")
		}},
		{"CRE-28 only from one's own", "a4", clone("r1", "a2", "a3"), NotFound, "", nil},
		{"G4 G27 anybody invites", "a3", Invite{Room: "r1", People: []string{"a4", "a5"}}, OK, "", func(s *scene, o Outcome) {
			require.Len(s.t, o.Joined, 2)
			since, ok := s.w.ReadFrom("a4", "r1")
			require.True(s.t, ok)
			require.Equal(s.t, s.now, since)
		}},
		{"G6 no mailing list", "a1", Edit{Room: "r1", Switch: map[Feature]bool{MailingList: true}}, Denied, "GEN-20", nil},
		{"G6 no privacy", "a1", Edit{Room: "r1", Public: ref(true)}, Denied, "GEN-21", nil},
		{"GEN-16", "a1", Edit{Room: "r1", Switch: map[Feature]bool{Note: false}}, Denied, "GEN-16", nil},
		{"GEN-22 anybody renames", "a5", Edit{Room: "r1", Name: ref("Ours")}, OK, "", nil},
		{"G28 G29 anybody removes", "a5", Remove{"r1", []string{"a1", "a4"}}, OK, "", func(s *scene, o Outcome) {
			require.Equal(s.t, []Move{{"r1", "a1", ByRemoval}, {"r1", "a4", ByRemoval}}, o.Left)
			s.enters("r1", "a4", NotFound)
		}},
		{"GEN-36", "a5", Remove{"r1", []string{"a5"}}, Denied, "GEN-36", nil},
		{"COM-08", "a5", Remove{"r1", []string{"a4"}}, Denied, "COM-08", nil},
		{"G31 leaves", "a2", Leave{"r1"}, OK, "", func(s *scene, _ Outcome) { s.enters("r1", "a2", NotFound) }},
		{"G33 the rest goes on", "a3", Edit{Room: "r1", Photo: ref("p")}, OK, "", nil},
		{"GEN-24 shares from now on", "a3", Edit{Room: "r1", Sharing: ref(true)}, OK, "", func(s *scene, _ Outcome) {
			since, _ := s.w.ReadFrom("a5", "r1")
			require.NotEqual(s.t, s.w.Rooms["r1"].BeganAt, since)
		}},
		{"COM-06 back again", "a3", Invite{Room: "r1", People: []string{"a2"}}, OK, "", func(s *scene, _ Outcome) {
			since, _ := s.w.ReadFrom("a2", "r1")
			require.Equal(s.t, s.w.Rooms["r1"].BeganAt, since)
			require.Equal(s.t, 2, s.w.Rooms["r1"].Periods("a2"))
		}},
		{"GEN-27 an outsider needs a new room", "a2", Invite{Room: "r1", People: []string{"b1"}, Name: "Far"}, OK, "", func(s *scene, o Outcome) {
			require.Equal(s.t, ExternalRoom, o.Kind)
			require.Equal(s.t, []string{"a5"}, o.Dropped)
			s.inside(o.Room, "a2", "a3", "b1")
			s.inside("r1", "a2", "a3", "a5")
		}},
		{"CRE-46 not both", "a2", Invite{Room: "r1", People: []string{"b1", "l1"}, Name: "X"}, Denied, "CRE-46", nil},
		{"DIR-06 a third person needs a new room", "a1", Invite{Room: DirectID("a1", "a2"), People: []string{"a3"}}, OK, "", func(s *scene, o Outcome) {
			s.inside(o.Room, "a1", "a2", "a3")
			s.inside(DirectID("a1", "a2"), "a1", "a2")
		}},
		{"DIR-09", "a1", Remove{DirectID("a1", "a2"), []string{"a2"}}, Denied, "DIR-09", nil},
		{"COM-09 the last one out", "a2", Leave{"r1"}, OK, "", nil},
		{"COM-09", "a3", Leave{"r1"}, OK, "", nil},
		{"COM-09", "a5", Leave{"r1"}, OK, "", func(s *scene, o Outcome) {
			require.Equal(s.t, []string{"r1"}, o.Ended)
		}},
		{"COM-14 for those who left before", "a1", Edit{Room: "r1", Photo: ref("q")}, NotFound, "", nil},
	})
}
