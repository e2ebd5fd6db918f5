package roomkit_test

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

var (
	theRoom   = roomkit.RoomID{1}
	worldTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
)

// These tables say field by field what each event does to a row; nothing else may
// change.

const effectVersion = 7

var effectTime = worldTime.Add(time.Hour)

func happened[E roomkit.Event](e E, change ...func(*roomkit.Meta)) E {
	*e.Info() = roomkit.Meta{Subject: roomkit.RoomSubject(theRoom), Version: effectVersion, At: effectTime, Actor: roomkit.By("ann"), Kind: roomkit.KindGroup}
	for _, c := range change {
		c(e.Info())
	}
	return e
}

func TestApplyToRooms(t *testing.T) {
	before := roomkit.Room{
		ID: theRoom, Kind: roomkit.KindGroup, State: roomkit.StateActive, Version: 6, Company: "acme", Creator: "ann", Name: "old", NameKey: "old",
		Photo: "p", Description: "d", Features: roomkit.Features(roomkit.FeatureNote), Counts: roomkit.Counts{Participants: 2, Masters: 1},
		Digest: roomkit.SetDigest{}.With("ann").With("ben"), CreatedAt: worldTime, ChangedAt: worldTime, MessageOffSince: worldTime,
	}
	counts := roomkit.Counts{Participants: 3, Masters: 2, Consumers: 1}
	cat := []roomkit.Person{{User: "cat"}}
	tests := []struct {
		event  roomkit.Event
		change func(*roomkit.Room)
	}{
		{happened(&roomkit.RoomImported{
			State: roomkit.StateActive, Company: "bolt", Team: "t", Creator: "eve", Parties: [2]roomkit.UserID{"eve", "fay"}, Name: "n", NameKey: "k", Photo: "q",
			Description: "e", Origin: roomkit.OriginMail, Public: true, HistorySharing: true, Features: roomkit.Features(roomkit.FeatureTask), FeaturesWithheld: true,
			MessageOffSince: worldTime, HadConsumers: true, EmptiedAt: 2, EmptiedOn: worldTime, CreatedAt: worldTime,
		}, func(m *roomkit.Meta) { m.Kind, m.Notify = roomkit.KindTeam, true }), func(r *roomkit.Room) {
			*r = roomkit.Room{
				ID: theRoom, Kind: roomkit.KindTeam, State: roomkit.StateActive, Company: "bolt", Team: "t", Creator: "eve", Parties: [2]roomkit.UserID{"eve", "fay"},
				Name: "n", NameKey: "k", Photo: "q", Description: "e", Origin: roomkit.OriginMail, Public: true, HistorySharing: true, Notify: true,
				Features: roomkit.Features(roomkit.FeatureTask), FeaturesWithheld: true, MessageOffSince: worldTime, HadConsumers: true,
				EmptiedAt: 2, EmptiedOn: worldTime, CreatedAt: worldTime, Version: r.Version, ChangedAt: r.ChangedAt,
			}
		}},
		{happened(&roomkit.MembersImported{Rows: []roomkit.Member{{User: "cat", Participant: true}, {User: "dan", Master: true}}, Counts: counts}), func(r *roomkit.Room) {
			r.Counts, r.HadConsumers, r.Digest = counts, true, r.Digest.With("cat")
		}},
		{happened(&roomkit.MemberJoined{People: cat, Counts: counts}), func(r *roomkit.Room) { r.Counts, r.HadConsumers, r.Digest = counts, true, r.Digest.With("cat") }},
		{happened(&roomkit.MemberJoined{People: cat, Counts: roomkit.Counts{Participants: 3}}), func(r *roomkit.Room) { r.Counts, r.Digest = roomkit.Counts{Participants: 3}, r.Digest.With("cat") }},
		{happened(&roomkit.MemberLeft{People: []roomkit.Person{{User: "ben"}}, Counts: counts}), func(r *roomkit.Room) { r.Counts, r.Digest = counts, roomkit.SetDigest{}.With("ann") }},
		{happened(&roomkit.MasterAppointed{People: cat, Counts: counts}), func(r *roomkit.Room) { r.Counts = counts }},
		{happened(&roomkit.MasterDismissed{People: cat, Counts: counts}), func(r *roomkit.Room) { r.Counts = counts }},
		{happened(&roomkit.MasterVacated{}), func(*roomkit.Room) {}},
		{happened(&roomkit.RoomRenamed{From: "old", To: "New", NameKey: "new"}), func(r *roomkit.Room) { r.Name, r.NameKey = "New", "new" }},
		{happened(&roomkit.PhotoChanged{From: "p", To: "q"}), func(r *roomkit.Room) { r.Photo = "q" }},
		{happened(&roomkit.DescriptionChanged{From: "d", To: "e"}), func(r *roomkit.Room) { r.Description = "e" }},
		{happened(&roomkit.VisibilityChanged{Public: true}), func(r *roomkit.Room) { r.Public = true }},
		{happened(&roomkit.HistorySharingChanged{On: true}), func(r *roomkit.Room) { r.HistorySharing = true }},
		{happened(&roomkit.NotificationSwitched{}, func(m *roomkit.Meta) { m.Notify = true }), func(r *roomkit.Room) { r.Notify = true }},
		{happened(&roomkit.FeaturesSwitched{To: roomkit.Features(roomkit.FeatureTask)}), func(r *roomkit.Room) { r.Features = roomkit.Features(roomkit.FeatureTask) }},
		{happened(&roomkit.FeaturesWithheldChanged{Withheld: true}), func(r *roomkit.Room) { r.FeaturesWithheld = true }},
		{happened(&roomkit.MessageSwitchedOff{Deadline: effectTime}), func(r *roomkit.Room) { r.MessageOffSince = effectTime }},
		{happened(&roomkit.MessageSwitchedOn{}), func(r *roomkit.Room) { r.MessageOffSince = time.Time{} }},
		{happened(&roomkit.MessageSwitchedOn{Emptied: true}), func(r *roomkit.Room) {
			r.MessageOffSince, r.EmptiedAt, r.EmptiedOn = time.Time{}, effectVersion, effectTime
		}},
		{happened(&roomkit.FeatureDataDeleted{}), func(*roomkit.Room) {}},
		{happened(&roomkit.RoomConverted{Features: roomkit.Features(roomkit.FeatureFolder)}, func(m *roomkit.Meta) { m.Kind = roomkit.KindExternalGroup }), func(r *roomkit.Room) {
			r.Kind, r.Features = roomkit.KindExternalGroup, roomkit.Features(roomkit.FeatureFolder)
		}},
		{happened(&roomkit.RoomEnded{Counts: counts}), func(r *roomkit.Room) {
			r.State, r.NameKey, r.Counts, r.Digest = roomkit.StateEnded, "", roomkit.Counts{}, roomkit.SetDigest{}
		}},
	}
	for _, test := range tests {
		t.Run(test.event.Type(), func(t *testing.T) {
			want := before
			want.Version, want.ChangedAt = effectVersion, effectTime
			test.change(&want)
			require.Equal(t, want, before.Apply(test.event), "apply.go: what Room.Apply makes of %s", test.event.Type())
		})
	}
}

func TestApplyCreatesRooms(t *testing.T) {
	e := &roomkit.RoomCreated{
		Company: "acme", Team: "t", Parties: [2]roomkit.UserID{"a", "b"}, Name: "n", NameKey: "k", Photo: "p", Description: "d",
		Origin: roomkit.OriginMail, Public: true, HistorySharing: true, Features: roomkit.Features(roomkit.FeatureNote),
	}
	happened(e, func(m *roomkit.Meta) { m.Version, m.Notify = 1, true })
	want := roomkit.Room{
		ID: theRoom, Kind: roomkit.KindGroup, State: roomkit.StateActive, Version: 1, Company: "acme", Team: "t", Creator: "ann",
		Parties: [2]roomkit.UserID{"a", "b"}, Name: "n", NameKey: "k", Photo: "p", Description: "d", Origin: roomkit.OriginMail,
		Public: true, HistorySharing: true, Notify: true, Features: roomkit.Features(roomkit.FeatureNote), CreatedAt: effectTime, ChangedAt: effectTime,
	}
	require.Equal(t, want, roomkit.Room{}.Apply(e))
	e.Version = 9
	want.Version, want.EmptiedAt, want.EmptiedOn = 9, 9, effectTime
	require.Equal(t, want, roomkit.Room{Version: 8, Name: "before", State: roomkit.StateEnded}.Apply(e), "a room that begins anew hides what was before")
}

func TestApplyToMembers(t *testing.T) {
	ben := []roomkit.Person{{User: "ben", Company: "acme", Kind: roomkit.UserMember, Epoch: roomkit.Epoch{User: 3, Company: 4}}}
	in := roomkit.Member{
		Room: theRoom, User: "ben", Company: "acme", Kind: roomkit.UserMember, Participant: true, Master: true, Period: 1,
		Joined: roomkit.CauseCreated, JoinedAt: worldTime, JoinedVersion: 2, Epoch: roomkit.Epoch{User: 1, Company: 1}, MasterEpoch: roomkit.Epoch{User: 2, Company: 2},
	}
	out := in
	out.Participant, out.Master, out.Left, out.LeftAt, out.LeftVersion, out.LeftBy = false, false, roomkit.CauseRemoved, worldTime, 5, roomkit.By("cat")
	cause := func(c roomkit.Cause) func(*roomkit.Meta) { return func(m *roomkit.Meta) { m.Cause = c } }
	left := func(m *roomkit.Member, c roomkit.Cause) {
		m.Participant, m.Left, m.LeftAt, m.LeftVersion, m.LeftBy = false, c, effectTime, effectVersion, roomkit.By("ann")
	}
	tests := []struct {
		name   string
		before roomkit.Member
		event  roomkit.Event
		change func(*roomkit.Member)
	}{
		{"back", out, happened(&roomkit.MemberJoined{People: ben, ReadAll: true}, cause(roomkit.CauseInvited)), func(m *roomkit.Member) {
			*m = roomkit.Member{
				Room: theRoom, User: "ben", Company: "acme", Kind: roomkit.UserMember, Participant: true, Period: 2, Joined: roomkit.CauseInvited,
				JoinedAt: effectTime, JoinedVersion: effectVersion, ReadAll: true, Epoch: roomkit.Epoch{User: 3, Company: 4}, MasterEpoch: roomkit.Epoch{User: 2, Company: 2},
			}
		}},
		{"new", roomkit.Member{User: "ben"}, happened(&roomkit.MemberJoined{People: ben}, cause(roomkit.CauseAdded)), func(m *roomkit.Member) {
			*m = roomkit.Member{
				Room: theRoom, User: "ben", Company: "acme", Kind: roomkit.UserMember, Participant: true, Period: 1, Joined: roomkit.CauseAdded,
				JoinedAt: effectTime, JoinedVersion: effectVersion, Epoch: roomkit.Epoch{User: 3, Company: 4},
			}
		}},
		{"imported", in, happened(&roomkit.MembersImported{Rows: []roomkit.Member{{User: "ann"}, {Room: theRoom, User: "ben", Master: true, LeftVersion: 3}}}), func(m *roomkit.Member) {
			*m = roomkit.Member{Room: theRoom, User: "ben", Master: true, LeftVersion: 3}
		}},
		{"left, still master", in, happened(&roomkit.MemberLeft{People: ben}, cause(roomkit.CauseSelf)), func(m *roomkit.Member) { left(m, roomkit.CauseSelf) }},
		{"left with the role", in, happened(&roomkit.MemberLeft{People: ben, Roles: true}, cause(roomkit.CauseRemoved)), func(m *roomkit.Member) {
			left(m, roomkit.CauseRemoved)
			m.Master = false
		}},
		{"appointed without taking part", roomkit.Member{User: "ben"}, happened(&roomkit.MasterAppointed{People: ben}), func(m *roomkit.Member) {
			*m = roomkit.Member{Room: theRoom, User: "ben", Company: "acme", Kind: roomkit.UserMember, Master: true, MasterEpoch: roomkit.Epoch{User: 3, Company: 4}}
		}},
		{"dismissed", in, happened(&roomkit.MasterDismissed{People: ben}, cause(roomkit.CauseRemoved)), func(m *roomkit.Member) { m.Master = false }},
		{"converted", in, happened(&roomkit.RoomConverted{People: ben}), func(m *roomkit.Member) { m.Epoch = roomkit.Epoch{User: 3, Company: 4} }},
		{"room ended", in, happened(&roomkit.RoomEnded{}, cause(roomkit.CauseRoomEnded)), func(m *roomkit.Member) {
			left(m, roomkit.CauseRoomEnded)
			m.Master = false
		}},
		{"room ended for a master", roomkit.Member{User: "ben", Master: true}, happened(&roomkit.RoomEnded{}, cause(roomkit.CauseRoomEnded)), func(m *roomkit.Member) {
			left(m, roomkit.CauseRoomEnded)
			m.Master = false
		}},
		{"renamed", in, happened(&roomkit.RoomRenamed{To: "x"}), func(*roomkit.Member) {}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want := test.before
			test.change(&want)
			require.Equal(t, want, test.before.Apply(test.event))
		})
	}
}

// TestApplyConcernsOnlyTheNamed: an event leaves the rows of people it does not
// name, and of other subjects, as they are.
func TestApplyConcernsOnlyTheNamed(t *testing.T) {
	row := roomkit.Member{Room: theRoom, User: "ben", Participant: true, Master: true, Period: 1}
	others := []roomkit.Person{{User: "ann"}, {User: "cat"}}
	for _, e := range []roomkit.Event{
		&roomkit.MemberJoined{People: others}, &roomkit.MemberLeft{People: others, Roles: true}, &roomkit.MasterAppointed{People: others},
		&roomkit.MasterDismissed{People: others}, &roomkit.RoomConverted{People: others}, &roomkit.RoomRenamed{To: "x"},
	} {
		*e.Info() = roomkit.Meta{Subject: roomkit.RoomSubject(theRoom), Version: 7, At: worldTime, Cause: roomkit.CauseRemoved}
		require.Equal(t, row, row.Apply(e), e.Type())
		require.Equal(t, roomkit.Company{ID: "acme"}, roomkit.Company{ID: "acme"}.Apply(e))
		require.Equal(t, roomkit.User{ID: "ben"}, roomkit.User{ID: "ben"}.Apply(e))
		require.Equal(t, roomkit.Team{ID: "t"}, roomkit.Team{ID: "t"}.Apply(e))
	}
	e := &roomkit.CompanyPut{}
	e.Subject, e.Version = roomkit.CompanySubject("acme"), 3
	require.Equal(t, roomkit.Room{ID: theRoom}, roomkit.Room{ID: theRoom}.Apply(e))
	ended := &roomkit.RoomEnded{}
	ended.Subject, ended.Version, ended.At, ended.Cause = roomkit.RoomSubject(theRoom), 9, worldTime, roomkit.CauseRoomEnded
	gone := roomkit.Member{User: "dan", Left: roomkit.CauseSelf, LeftVersion: 4}
	require.Equal(t, gone, gone.Apply(ended), "who had left before keeps how")
}

func about7(of roomkit.Subject) func(*roomkit.Meta) {
	return func(m *roomkit.Meta) { m.Subject, m.Version = of, effectVersion }
}

func TestApplyToUsers(t *testing.T) {
	ben := about7(roomkit.UserSubject("ben"))
	before := roomkit.User{
		ID: "ben", Version: 6, Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Partners: true,
		PartnersSince: 2, PartnersLost: 1, Ended: 1, Groups: 5,
	}
	put := func(change func(*roomkit.User)) roomkit.User {
		u := roomkit.User{Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Partners: true, Consumers: true, Administrator: true}
		change(&u)
		return u
	}
	tests := []struct {
		name   string
		event  roomkit.Event
		change func(*roomkit.User)
	}{
		{"put", happened(&roomkit.UserPut{User: put(func(*roomkit.User) {})}, ben), func(u *roomkit.User) { u.Consumers, u.Administrator = true, true }},
		{"suspended", happened(&roomkit.UserStatusChanged{To: roomkit.StatusSuspended}, ben), func(u *roomkit.User) { u.Status = roomkit.StatusSuspended }},
		{"deleted", happened(&roomkit.UserStatusChanged{To: roomkit.StatusDeleted}, ben), func(u *roomkit.User) { u.Status, u.Ended = roomkit.StatusDeleted, effectVersion }},
		{"permitted", happened(&roomkit.UserMessagingChanged{With: roomkit.OutsiderPartner, On: true, PartnersNarrowed: 4}, ben), func(u *roomkit.User) { u.PartnersSince = 4 }},
		{"withdrawn", happened(&roomkit.UserMessagingChanged{With: roomkit.OutsiderPartner, PartnersNarrowed: 4}, ben), func(u *roomkit.User) { u.Partners, u.PartnersLost = false, effectVersion }},
		{"LINE", happened(&roomkit.UserMessagingChanged{With: roomkit.OutsiderConsumer, On: true, PartnersNarrowed: 4}, ben), func(u *roomkit.User) { u.Consumers = true }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want := before
			want.Version = effectVersion
			test.change(&want)
			require.Equal(t, want, before.Apply(test.event))
		})
	}
	t.Run("first put", func(t *testing.T) {
		e := happened(&roomkit.UserPut{User: put(func(*roomkit.User) {})}, ben)
		require.Equal(t, roomkit.User{
			ID: "ben", Version: effectVersion, Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive,
			Partners: true, Consumers: true, Administrator: true,
		}, roomkit.User{}.Apply(e))
	})
}

func TestApplyToCompanies(t *testing.T) {
	acme := about7(roomkit.CompanySubject("acme"))
	before := roomkit.Company{ID: "acme", Version: 6, Licensed: true, Partners: roomkit.ExternalAll, PartnersOff: 1, PartnersNarrowed: 2, Groups: 5}
	put := roomkit.Company{Licensed: true, MembersCreateGroups: true, Partners: roomkit.ExternalAll, MaxGroups: 3}
	tests := []struct {
		name   string
		before roomkit.ExternalMode
		event  roomkit.Event
		change func(*roomkit.Company)
	}{
		{"put", roomkit.ExternalAll, happened(&roomkit.CompanyPut{Company: put}, acme), func(c *roomkit.Company) {
			c.MembersCreateGroups, c.MaxGroups = true, 3
		}},
		{"off", roomkit.ExternalSelected, happened(&roomkit.CompanyMessagingChanged{With: roomkit.OutsiderPartner, From: roomkit.ExternalSelected}, acme), func(c *roomkit.Company) {
			c.Partners, c.PartnersOff = roomkit.ExternalOff, effectVersion
		}},
		{"off from all", roomkit.ExternalAll, happened(&roomkit.CompanyMessagingChanged{With: roomkit.OutsiderPartner, From: roomkit.ExternalAll}, acme), func(c *roomkit.Company) {
			c.Partners, c.PartnersOff = roomkit.ExternalOff, effectVersion
		}},
		{"narrowed", roomkit.ExternalAll, happened(&roomkit.CompanyMessagingChanged{With: roomkit.OutsiderPartner, From: roomkit.ExternalAll, To: roomkit.ExternalSelected}, acme), func(c *roomkit.Company) {
			c.Partners, c.PartnersNarrowed = roomkit.ExternalSelected, effectVersion
		}},
		{"widened", roomkit.ExternalSelected, happened(&roomkit.CompanyMessagingChanged{With: roomkit.OutsiderPartner, From: roomkit.ExternalSelected, To: roomkit.ExternalAll}, acme), func(c *roomkit.Company) {
			c.Partners = roomkit.ExternalAll
		}},
		{"selected from off", roomkit.ExternalOff, happened(&roomkit.CompanyMessagingChanged{With: roomkit.OutsiderPartner, To: roomkit.ExternalSelected}, acme), func(c *roomkit.Company) {
			c.Partners = roomkit.ExternalSelected
		}},
		{"LINE", roomkit.ExternalAll, happened(&roomkit.CompanyMessagingChanged{With: roomkit.OutsiderConsumer, To: roomkit.ExternalAll}, acme), func(c *roomkit.Company) { c.Consumers = roomkit.ExternalAll }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := before
			before.Partners = test.before
			want := before
			want.Version = effectVersion
			test.change(&want)
			require.Equal(t, want, before.Apply(test.event))
		})
	}
}

func TestApplyToTeams(t *testing.T) {
	e := happened(&roomkit.TeamSynced{
		Company: "acme", Name: "Sales", Leader: "cat", Added: []roomkit.UserID{"ann", "zoe"}, Removed: []roomkit.UserID{"ben"},
		Room: true, Features: true, Photo: true, Preset: roomkit.Features(roomkit.FeatureNote), Notify: true, Seq: 9,
	}, about7(roomkit.TeamSubject("acme", "sales")))
	before := roomkit.Team{ID: "sales", Version: 6, Company: "acme", Name: "Old", Leader: "ben", Members: []roomkit.UserID{"ben", "cat"}}
	require.Equal(t, roomkit.Team{
		ID: "sales", Version: effectVersion, Company: "acme", Name: "Sales", Leader: "cat", Members: []roomkit.UserID{"ann", "cat", "zoe"},
		Room: true, Features: true, Photo: true, Preset: roomkit.Features(roomkit.FeatureNote), Notify: true, SyncedSeq: 9,
	}, before.Apply(e))
	require.Equal(t, []roomkit.UserID{"ben", "cat"}, before.Members, "the old value is not written to")
	nobody := happened(&roomkit.TeamSynced{Company: "acme", Name: "Old", Removed: []roomkit.UserID{"ben", "cat"}}, about7(roomkit.TeamSubject("acme", "sales")))
	require.Equal(t, roomkit.Team{ID: "sales", Version: effectVersion, Company: "acme", Name: "Old"}, before.Apply(nobody), "nobody is nil")
}

// TestEveryEventIsApplied: the tables above have a row for every type of event.
func TestEveryEventIsApplied(t *testing.T) {
	source, err := os.ReadFile("apply_test.go")
	require.NoError(t, err)
	for _, typ := range roomkit.EventTypes() {
		e, _ := roomkit.NewEvent(typ)
		name := reflect.TypeOf(e).Elem().Name()
		if !strings.Contains(string(source), "&roomkit."+name+"{") {
			t.Errorf("apply_test.go: add a row that says what %s changes", name)
		}
	}
}

func BenchmarkApply(b *testing.B) {
	e := &roomkit.MemberJoined{
		People: []roomkit.Person{{User: "new", Company: "acme", Kind: roomkit.UserMember}}, Counts: roomkit.Counts{Participants: 3, Masters: 1},
	}
	e.Subject, e.Version, e.At = roomkit.RoomSubject(theRoom), 4, worldTime
	room := roomkit.Room{ID: theRoom, Kind: roomkit.KindGroup, Version: 3, Counts: roomkit.Counts{Participants: 2, Masters: 1}}
	row := roomkit.Member{User: "new"}
	b.ReportAllocs()
	for b.Loop() {
		_ = room.Apply(e)
		_ = row.Apply(e)
	}
}
