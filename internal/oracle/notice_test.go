package oracle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestNotices plays who is told of what.
func TestNotices(t *testing.T) {
	told := func(want ...Notice) func(*scene, Outcome) {
		return func(s *scene, o Outcome) { require.Equal(s.t, want, o.Notices) }
	}
	silent := func(s *scene, o Outcome) { require.Empty(s.t, o.Notices) }
	to := func(user, room, text string) Notice { return Notice{To: user, Room: room, Text: text} }
	unsure := func(n Notice) Notice {
		n.Unsure = true
		return n
	}
	general := CreateRoom{People: []string{"a2", "a3", "a5"}, Audience: Members}
	loud := CreateGroup{Name: "Red", Members: []string{"a2", "a3"}, Settings: Settings{Notify: true}}
	far := CreateGroup{External: true, Name: "Far", Members: []string{"a2", "b1"}, Masters: []string{"a3"}}
	play(t, []step{
		{"NTF-12 nobody is told of an invitation", "a1", general, OK, "", silent},
		{"GEN-07 NTF-02", "a1", Remove{"r1", []string{"a3"}}, OK, "", told(to("a3", "r1", TextRemoved))},
		{"NTF-03", "a5", Leave{"r1"}, OK, "", silent},
		{"AMB-13 the actor knows", "a1", loud, OK, "", told(to("a2", "r2", TextAdded), to("a3", "r2", TextAdded))},
		{"AMB-13 everybody", "a1", Edit{Room: "r2", Name: ref("Blue"), Switch: map[Feature]bool{Note: false}}, OK, "",
			told(Notice{Room: "r2", Text: TextRenamed}, Notice{Room: "r2", Text: TextSwitched})},
		{"AMB-13 a master", "a1", HandOver{"r2", "a2"}, OK, "", told(to("a2", "r2", TextAppointed))},
		{"NTF-04 which comes first", "a2", Edit{Room: "r2", Name: ref("Grey"), Notify: ref(false)}, OK, "",
			told(unsure(Notice{Room: "r2", Text: TextRenamed}))},
		{"NTF-04 off", "a2", Remove{"r2", []string{"a3"}}, OK, "", silent},
		{"NTF-05 off by default", "a1", far, OK, "", silent},
		{"EXT-22", System, SetExternalMessaging{Company: "a", Channel: WorksChannel, Mode: Off}, OK, "", func(s *scene, _ Outcome) {
			require.Equal(s.t, []Notice{
				to("a1", "r3", TextWithdrawn), to("a2", "r3", TextWithdrawn), // NTF-11
				unsure(to("a1", "r3", TextWithdrawn)), unsure(to("a1", "r3", TextDismissed)),
				unsure(to("a3", "r3", TextWithdrawn)), unsure(to("a3", "r3", TextDismissed)),
			}, s.w.Sweep().Notices)
		}},
		{"NTF-06 all", System, SetExternalMessaging{Company: "a", Channel: WorksChannel, Mode: All}, OK, "", func(s *scene, o Outcome) {
			require.Equal(s.t, Notice{Company: "a", Text: TextPermitted}, o.Notices[0])
		}},
		{"NTF-06 one", System, on("a5"), OK, "", told(Notice{To: "a5", Text: TextPermitted, Unsure: true})},
	})
}

// TestAnswer: what the rule book leaves open is as the service answers it, and
// stays open without an answer.
func TestAnswer(t *testing.T) {
	w := furnished(t)
	gone := DeleteUser{"a1"} // an administrator
	require.Equal(t, Open, w.Plan(System, gone, start).Verdict)
	w.Answer = Denied
	require.Equal(t, Refused, w.Plan(System, gone, start).Verdict)
	w.Answer = OK
	require.Equal(t, OK, w.Do(System, gone, start).Verdict)
	require.Equal(t, Deleted, w.Users["a1"].Status)
	w.Answer = OK
	require.Equal(t, Denied, w.Plan("a1", OpenSelf{}, start).Verdict, "what is settled stays so")
}

// TestRecall plays who may recall what.
func TestRecall(t *testing.T) {
	w := furnished(t)
	direct := DirectID("a1", "a2")
	for _, c := range []struct {
		says, user, author, room string
		age                      time.Duration
		want                     Verdict
	}{
		{"FEA-10 own", "a1", "a1", "r1", time.Hour, OK},
		{"FEA-10 own, too old", "a1", "a1", "r1", 25 * time.Hour, Denied},
		{"FEA-11 the master's right", "a1", "a2", "r2", time.Hour, OK},
		{"FEA-11 a member has none", "a2", "a1", "r2", time.Hour, Denied},
		{"FEA-12 general", "a1", "a2", "r1", time.Hour, Denied},
		{"FEA-12 1:1", "a1", "a2", direct, time.Hour, Denied},
		{"COM-02", "a4", "a4", "r1", time.Hour, Refused},
	} {
		require.Equal(t, c.want, w.Recall(c.user, c.author, c.room, c.age).Verdict, c.says)
	}
	w.Rooms["r1"].HadLine = true
	require.Equal(t, []string{"FEA-14"}, w.Recall("a1", "a1", "r1", time.Second).Rules)
}
