package roomkit

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// These tables say field by field what each event does to a row; nothing else may
// change.

const effectVersion = 7

var effectTime = worldTime.Add(time.Hour)

func happened[E Event](e E, change ...func(*Meta)) E {
	*e.meta() = Meta{Subject: RoomSubject(theRoom), Version: effectVersion, At: effectTime, Actor: By("ann"), Kind: KindGroup}
	for _, c := range change {
		c(e.meta())
	}
	return e
}

func TestApplyToRooms(t *testing.T) {
	before := Room{
		ID: theRoom, Kind: KindGroup, State: StateActive, Version: 6, Company: "acme", Creator: "ann", Name: "old", NameKey: "old",
		Photo: "p", Description: "d", Features: Features(FeatureNote), Counts: Counts{Participants: 2, Masters: 1},
		Digest: SetDigest{}.With("ann").With("ben"), CreatedAt: worldTime, ChangedAt: worldTime, MessageOffSince: worldTime,
	}
	counts := Counts{Participants: 3, Masters: 2, LINEUsers: 1}
	cat := []Person{{User: "cat"}}
	tests := []struct {
		event  Event
		change func(*Room)
	}{
		{happened(&MemberJoined{People: cat, Counts: counts}), func(r *Room) { r.Counts, r.HadLINE, r.Digest = counts, true, r.Digest.With("cat") }},
		{happened(&MemberJoined{People: cat, Counts: Counts{Participants: 3}}), func(r *Room) { r.Counts, r.Digest = Counts{Participants: 3}, r.Digest.With("cat") }},
		{happened(&MemberLeft{People: []Person{{User: "ben"}}, Counts: counts}), func(r *Room) { r.Counts, r.Digest = counts, SetDigest{}.With("ann") }},
		{happened(&MasterAppointed{People: cat, Counts: counts}), func(r *Room) { r.Counts = counts }},
		{happened(&MasterDismissed{People: cat, Counts: counts}), func(r *Room) { r.Counts = counts }},
		{happened(&MasterVacated{}), func(*Room) {}},
		{happened(&RoomRenamed{From: "old", To: "New", NameKey: "new"}), func(r *Room) { r.Name, r.NameKey = "New", "new" }},
		{happened(&PhotoChanged{From: "p", To: "q"}), func(r *Room) { r.Photo = "q" }},
		{happened(&DescriptionChanged{From: "d", To: "e"}), func(r *Room) { r.Description = "e" }},
		{happened(&VisibilityChanged{Public: true}), func(r *Room) { r.Public = true }},
		{happened(&HistorySharingChanged{On: true}), func(r *Room) { r.HistorySharing = true }},
		{happened(&NotificationSwitched{}, func(m *Meta) { m.Notify = true }), func(r *Room) { r.Notify = true }},
		{happened(&FeaturesSwitched{To: Features(FeatureTask)}), func(r *Room) { r.Features = Features(FeatureTask) }},
		{happened(&FeaturesWithheldChanged{Withheld: true}), func(r *Room) { r.FeaturesWithheld = true }},
		{happened(&MessageSwitchedOff{Deadline: effectTime}), func(r *Room) { r.MessageOffSince = effectTime }},
		{happened(&MessageSwitchedOn{}), func(r *Room) { r.MessageOffSince = time.Time{} }},
		{happened(&MessageSwitchedOn{Emptied: true}), func(r *Room) {
			r.MessageOffSince, r.EmptiedAt, r.EmptiedOn = time.Time{}, effectVersion, effectTime
		}},
		{happened(&FeatureDataDeleted{}), func(*Room) {}},
		{happened(&RoomConverted{Features: Features(FeatureFolder)}, func(m *Meta) { m.Kind = KindExternalGroup }), func(r *Room) {
			r.Kind, r.Features = KindExternalGroup, Features(FeatureFolder)
		}},
		{happened(&RoomEnded{Counts: counts}), func(r *Room) { r.State, r.NameKey, r.Counts, r.Digest = StateEnded, "", Counts{}, SetDigest{} }},
	}
	for _, test := range tests {
		t.Run(test.event.Type(), func(t *testing.T) {
			want := before
			want.Version, want.ChangedAt = effectVersion, effectTime
			test.change(&want)
			require.Equal(t, want, before.Apply(test.event))
		})
	}
}

func TestApplyCreatesRooms(t *testing.T) {
	e := &RoomCreated{
		Company: "acme", Team: "t", Parties: [2]UserID{"a", "b"}, Name: "n", NameKey: "k", Photo: "p", Description: "d",
		Origin: OriginMail, Public: true, HistorySharing: true, Features: Features(FeatureNote),
	}
	happened(e, func(m *Meta) { m.Version, m.Notify = 1, true })
	want := Room{
		ID: theRoom, Kind: KindGroup, State: StateActive, Version: 1, Company: "acme", Team: "t", Creator: "ann",
		Parties: [2]UserID{"a", "b"}, Name: "n", NameKey: "k", Photo: "p", Description: "d", Origin: OriginMail,
		Public: true, HistorySharing: true, Notify: true, Features: Features(FeatureNote), CreatedAt: effectTime, ChangedAt: effectTime,
	}
	require.Equal(t, want, Room{}.Apply(e))
	e.Version = 9
	want.Version, want.EmptiedAt, want.EmptiedOn = 9, 9, effectTime
	require.Equal(t, want, Room{Version: 8, Name: "before", State: StateEnded}.Apply(e), "a room that begins anew hides what was before")
}

func TestApplyToMembers(t *testing.T) {
	ben := []Person{{User: "ben", Company: "acme", Kind: UserMember, Epoch: Epoch{3, 4}}}
	in := Member{
		Room: theRoom, User: "ben", Company: "acme", Kind: UserMember, Participant: true, Master: true, Period: 1,
		Joined: CauseCreated, JoinedAt: worldTime, JoinedVersion: 2, Epoch: Epoch{1, 1}, MasterEpoch: Epoch{2, 2},
	}
	out := in
	out.Participant, out.Master, out.Left, out.LeftAt, out.LeftVersion, out.LeftBy = false, false, CauseRemoved, worldTime, 5, By("cat")
	cause := func(c Cause) func(*Meta) { return func(m *Meta) { m.Cause = c } }
	left := func(m *Member, c Cause) {
		m.Participant, m.Left, m.LeftAt, m.LeftVersion, m.LeftBy = false, c, effectTime, effectVersion, By("ann")
	}
	tests := []struct {
		name   string
		before Member
		event  Event
		change func(*Member)
	}{
		{"back", out, happened(&MemberJoined{People: ben, ReadAll: true}, cause(CauseInvited)), func(m *Member) {
			*m = Member{
				Room: theRoom, User: "ben", Company: "acme", Kind: UserMember, Participant: true, Period: 2, Joined: CauseInvited,
				JoinedAt: effectTime, JoinedVersion: effectVersion, ReadAll: true, Epoch: Epoch{3, 4}, MasterEpoch: Epoch{2, 2},
			}
		}},
		{"new", Member{User: "ben"}, happened(&MemberJoined{People: ben}, cause(CauseAdded)), func(m *Member) {
			*m = Member{
				Room: theRoom, User: "ben", Company: "acme", Kind: UserMember, Participant: true, Period: 1, Joined: CauseAdded,
				JoinedAt: effectTime, JoinedVersion: effectVersion, Epoch: Epoch{3, 4},
			}
		}},
		{"left, still master", in, happened(&MemberLeft{People: ben}, cause(CauseSelf)), func(m *Member) { left(m, CauseSelf) }},
		{"left with the role", in, happened(&MemberLeft{People: ben, Roles: true}, cause(CauseRemoved)), func(m *Member) {
			left(m, CauseRemoved)
			m.Master = false
		}},
		{"appointed without taking part", Member{User: "ben"}, happened(&MasterAppointed{People: ben}), func(m *Member) {
			*m = Member{Room: theRoom, User: "ben", Company: "acme", Kind: UserMember, Master: true, MasterEpoch: Epoch{3, 4}}
		}},
		{"dismissed", in, happened(&MasterDismissed{People: ben}, cause(CauseRemoved)), func(m *Member) { m.Master = false }},
		{"converted", in, happened(&RoomConverted{People: ben}), func(m *Member) { m.Epoch = Epoch{3, 4} }},
		{"room ended", in, happened(&RoomEnded{}, cause(CauseRoomEnded)), func(m *Member) {
			left(m, CauseRoomEnded)
			m.Master = false
		}},
		{"room ended for a master", Member{User: "ben", Master: true}, happened(&RoomEnded{}, cause(CauseRoomEnded)), func(m *Member) {
			left(m, CauseRoomEnded)
			m.Master = false
		}},
		{"renamed", in, happened(&RoomRenamed{To: "x"}), func(*Member) {}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want := test.before
			test.change(&want)
			require.Equal(t, want, test.before.Apply(test.event))
		})
	}
}
