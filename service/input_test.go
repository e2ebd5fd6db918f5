package service_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
)

func many(n int) (list []roomkit.UserID) {
	for i := range n {
		list = append(list, roomkit.UserID(fmt.Sprint("m", i)))
	}
	return list
}

func window(d time.Duration) *time.Duration { return &d }

// TestBadInput: every malformed input gets an *Invalid that names the field, and
// changes nothing.
func TestBadInput(t *testing.T) {
	s := proof.NewStage(t)
	long := roomkit.UserID(strings.Repeat("x", 129))
	user := func(change func(*roomkit.User)) roomkit.Command {
		u := roomkit.User{ID: "new", Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}
		change(&u)
		return roomkit.AddUser{User: u}
	}
	team := func(change func(*roomkit.SyncTeam)) roomkit.Command {
		c := proof.Team("t", "")
		change(&c)
		return c
	}
	cases := []struct {
		name, field string
		cmd         roomkit.Command
	}{
		{"no command", "Command", nil},
		{"zero room", "Room", roomkit.Leave{}},
		{"nobody", "People", roomkit.Invite{Room: s.General}},
		{"empty id", "People[1]", roomkit.Invite{Room: s.General, People: people("dan", "")}},
		{"long id", "People[0]", roomkit.Invite{Room: s.General, People: people(long)}},
		{"id with a space", "People[0]", roomkit.Remove{Room: s.General, People: people("a b")}},
		{"id with NUL", "People[0]", roomkit.Remove{Room: s.General, People: people("a\x00b")}},
		{"id beyond ASCII", "With", roomkit.OpenDirect{With: "é"}},
		{"id that looks like the system", "With", roomkit.OpenDirect{With: "*system"}},
		{"twice the same", "People", roomkit.AppointMasters{Room: s.Group, People: people("ben", "ben")}},
		{"too many", "People", roomkit.Invite{Room: s.General, People: many(roomkit.MaxPeople + 1)}},
		{"unknown audience", "Audience", roomkit.CreateRoom{People: people("ben"), Audience: 9}},
		{"unknown origin", "Origin", roomkit.CreateRoom{People: people("ben"), Audience: roomkit.AudienceMembers, Origin: roomkit.OriginSystem}},
		{"source without its origin", "Source", roomkit.CreateRoom{People: people("ben"), Audience: roomkit.AudienceMembers, Source: s.General}},
		{"oneself only", "People", roomkit.CreateRoom{People: people("ann"), Audience: roomkit.AudienceMembers}},
		{"an edit of nothing", "Edit", roomkit.Edit{Room: s.General}},
		{"a name with a line break", "Name", roomkit.Edit{Room: s.General, Name: new("a\nb")}},
		{"a name with a bidi override", "Name", roomkit.Edit{Room: s.General, Name: new("a\u202eb")}},
		{"a name of broken UTF-8", "Name", roomkit.Edit{Room: s.General, Name: new("a\xff")}},
		{"a blank name", "Name", roomkit.Edit{Room: s.General, Name: new(" \u2003 ")}},
		{"a long photo", "Photo", roomkit.Edit{Room: s.General, Photo: new(strings.Repeat("p", 513))}},
		{"conversion to nothing", "To", roomkit.Convert{Room: s.General}},
		{"conversion to a team", "To", roomkit.Convert{Room: s.General, To: roomkit.KindTeam}},
		{"hand over to oneself", "To", roomkit.HandOver{Room: s.Group, To: "ann"}},
		{"conversion to an unknown kind", "To", roomkit.Convert{Room: s.General, To: 99}},
		{"expel for another cause", "Cause", roomkit.Expel{Room: s.Group, People: people("ben"), Cause: roomkit.CauseSelf}},
		{"expel for an unknown cause", "Cause", roomkit.Expel{Room: s.Group, People: people("ben"), Cause: 99}},
		{"twice the same invited", "People", roomkit.Invite{Room: s.General, People: people("dan", "adm", "dan")}},
		{"twice the same removed", "People", roomkit.Remove{Room: s.General, People: people("ben", "ben")}},
		{"twice the same picked", "People", roomkit.CreateRoom{People: people("ben", "ben"), Audience: roomkit.AudienceMembers}},
		{"suspend a bad id", "User", roomkit.SuspendUser{User: "a b"}},
		{"delete a bad id", "User", roomkit.DeleteUser{}},
		{"restore a bad id", "User", roomkit.RestoreUser{User: long}},
		{"expel without cause", "Cause", roomkit.Expel{Room: s.Group, People: people("ben")}},
		{"unknown features", "Settings.FeaturesOff", roomkit.CreateGroup{Name: "x", Settings: roomkit.GroupSettings{FeaturesOff: 1 << 7}}},
		{"empty team id", "Team", roomkit.OpenTeamRoom{}},
		{"no channel", "With", roomkit.SetCompanyMessaging{Company: "acme", Mode: new(roomkit.ExternalOff)}},
		{"unknown channel", "With", roomkit.SetCompanyMessaging{Company: "acme", With: 9, Mode: new(roomkit.ExternalOff)}},
		{"unknown mode", "Mode", roomkit.SetCompanyMessaging{Company: "acme", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalMode(9))}},
		{"no mode", "Mode", roomkit.SetCompanyMessaging{Company: "acme", With: roomkit.OutsiderPartner}},
		{"no channel for a user", "With", roomkit.SetUserMessaging{User: "ben", Allow: new(false)}},
		{"neither allowed nor forbidden to a user", "Allow", roomkit.SetUserMessaging{User: "ben", With: roomkit.OutsiderPartner}},
		{"no user", "User", roomkit.SetUserMessaging{With: roomkit.OutsiderPartner, Allow: new(false)}},
		{"permission for a bot", "User", roomkit.SetUserMessaging{User: "bot", With: roomkit.OutsiderPartner, Allow: new(true)}},
		{"permission for a consumer", "User", roomkit.SetUserMessaging{User: "lin", With: roomkit.OutsiderPartner, Allow: new(true)}},
		{"permission for nobody known", "User", roomkit.SetUserMessaging{User: "nobody", With: roomkit.OutsiderPartner, Allow: new(true)}},
		{"permission in a company that is not known", "Company", roomkit.SetCompanyMessaging{Company: "nowhere", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalAll)}},
		{"a change of nothing in a user", "Administrator", roomkit.EditUser{User: "ben"}},
		{"a change of no user", "User", roomkit.EditUser{Administrator: new(true)}},
		{"a change of nobody known", "User", roomkit.EditUser{User: "nobody", Administrator: new(true)}},
		{"a consumer as administrator", "User", roomkit.EditUser{User: "lin", Administrator: new(true)}},
		{"a bot as administrator", "User", roomkit.EditUser{User: "bot", Administrator: new(true)}},
		{"a consumer who administers", "User.Administrator", user(func(u *roomkit.User) { u.Kind, u.Company, u.Administrator = roomkit.UserConsumer, "", true })},
		{"a bot that administers", "User.Administrator", user(func(u *roomkit.User) { u.Kind, u.Administrator = roomkit.UserBot, true })},
		{"a user without id", "User.ID", user(func(u *roomkit.User) { u.ID = "" })},
		{"a user without kind", "User.Kind", user(func(u *roomkit.User) { u.Kind = 0 })},
		{"a user of an unknown kind", "User.Kind", user(func(u *roomkit.User) { u.Kind = 9 })},
		{"a user without status", "User.Status", user(func(u *roomkit.User) { u.Status = 0 })},
		{"a member without company", "User.Company", user(func(u *roomkit.User) { u.Company = "" })},
		{"a consumer with a company", "User.Company", user(func(u *roomkit.User) { u.Kind = roomkit.UserConsumer })},
		{"a user of an unknown company", "User.Company", user(func(u *roomkit.User) { u.Company = "nowhere" })},
		{"a negative limit", "Company.MaxGroups", roomkit.AddCompany{Company: roomkit.Company{ID: "x", MaxGroups: -1}}},
		{"a team without name", "Name", team(func(c *roomkit.SyncTeam) { c.Name = "" })},
		{"a team too large", "Members", proof.Team("t", "", many(roomkit.MaxTeamMembers+1)...)},
		{"invite to no room", "Room", roomkit.Invite{People: people("dan")}},
		{"a long name for an invitation", "Name", roomkit.Invite{Room: s.General, People: people("dan"), Name: strings.Repeat("n", 101)}},
		{"remove from no room", "Room", roomkit.Remove{People: people("ben")}},
		{"expel from no room", "Room", roomkit.Expel{People: people("ben"), Cause: roomkit.CauseAccount}},
		{"appoint in no room", "Room", roomkit.AppointMasters{People: people("ben")}},
		{"dismiss in no room", "Room", roomkit.DismissMasters{People: people("ben")}},
		{"hand over no room", "Room", roomkit.HandOver{To: "ben"}},
		{"edit no room", "Room", roomkit.Edit{Name: new("x")}},
		{"convert no room", "Room", roomkit.Convert{To: roomkit.KindGroup, Name: "x"}},
		{"a long name for a conversion", "Name", roomkit.Convert{Room: s.General, To: roomkit.KindGroup, Name: strings.Repeat("n", 101)}},
		{"a conversion with a line break in the name", "Name", roomkit.Convert{Room: s.General, To: roomkit.KindGroup, Name: "a\nb"}},
		{"an invitation with a line break in the name", "Name", roomkit.Invite{Room: s.General, People: people("eve"), Name: "a\nb"}},
		{"a group without name, whoever is in it", "Name", roomkit.CreateGroup{Members: people("nobody")}},
		{"a bad id among members", "Members[1]", roomkit.CreateGroup{Name: "x", Members: people("ben", "a b")}},
		{"a bad id among masters", "Masters[0]", roomkit.CreateGroup{Name: "x", Masters: people("a b")}},
		{"a company without id", "Company.ID", roomkit.AddCompany{}},
		{"a company of an unknown mode", "Company.Partners", roomkit.AddCompany{Company: roomkit.Company{ID: "x", Partners: 9}}},
		{"a company of an unknown consumer mode", "Company.Consumers", roomkit.AddCompany{Company: roomkit.Company{ID: "x", Consumers: 9}}},
		{"a negative window", "Company.RecallWindow", roomkit.AddCompany{Company: roomkit.Company{ID: "x", RecallWindow: -1}}},
		{"a window finer than times are", "RecallWindow", roomkit.EditCompany{Company: "acme", RecallWindow: window(time.Nanosecond)}},
		{"a change of nothing in a company", "EditCompany", roomkit.EditCompany{Company: "acme"}},
		{"a change of no company", "Company", roomkit.EditCompany{RecallWindow: window(time.Hour)}},
		{"permission in no company", "Company", roomkit.SetCompanyMessaging{With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalOff)}},
		{"permission for a bad id", "User", roomkit.SetUserMessaging{User: "a b", With: roomkit.OutsiderPartner, Allow: new(false)}},
		{"a team without id", "Team", proof.Team("", "")},
		{"a team without company", "Company", team(func(c *roomkit.SyncTeam) { c.Company = "" })},
		{"a team with a bad leader", "Leader", proof.Team("t", "a b")},
		{"a team with a long name", "Name", team(func(c *roomkit.SyncTeam) { c.Name = strings.Repeat("n", 101) })},
		{"a team with a bad member", "Members[0]", proof.Team("t", "", "a b")},
		{"a user of a company with a bad id", "User.Company", user(func(u *roomkit.User) { u.Company = "a b" })},
		{"a team with an unknown feature", "Preset", roomkit.EditTeam{Team: "sales", Preset: new(roomkit.FeatureSet(1 << 7))}},
		{"a team with a negative number", "Seq", team(func(c *roomkit.SyncTeam) { c.Seq = -1 })},
		{"a team of a company that is not known", "Company", team(func(c *roomkit.SyncTeam) { c.Company = "nowhere" })},
		{"a change of nothing in a team", "EditTeam", roomkit.EditTeam{Team: "sales"}},
		{"a change of no team", "Team", roomkit.EditTeam{Room: new(true)}},
		{"a change of a team that is not known", "Team", roomkit.EditTeam{Team: "nowhere", Company: "acme", Room: new(true)}},
		{"a team of no company by the system", "Company", roomkit.EditTeam{Team: "sales", Room: new(true)}},
		{"a chart of no company by the system", "Company", roomkit.SyncTeam{Team: "sales", Name: "Sales"}},
		{"a team of a malformed company", "Company", roomkit.OpenTeamRoom{Team: "sales", Company: "a b"}},
		{"a change of a company that is not known", "Company", roomkit.EditCompany{Company: "nowhere", Licensed: new(true)}},
		{"a negative limit in a change", "MaxGroups", roomkit.EditCompany{Company: "acme", MaxGroups: new(int64(-1))}},
		{"a photo of few characters and many bytes", "Photo", roomkit.Edit{Room: s.General, Photo: new(strings.Repeat("é", 257))}},
		{"a group with a long photo", "Photo", roomkit.CreateGroup{Name: "x", Photo: strings.Repeat("p", 513)}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			before := s.Records()
			actor := roomkit.By("ann")
			switch c.cmd.(type) {
			case roomkit.AddCompany, roomkit.EditCompany, roomkit.SetCompanyMessaging, roomkit.AddUser, roomkit.EditUser, roomkit.SetUserMessaging,
				roomkit.SyncTeam, roomkit.EditTeam, roomkit.Expel:
				actor = roomkit.System()
			}
			_, err := s.Do(ctx, actor, c.cmd)
			namesField(t, c.field, err)
			var place *roomkit.Error
			require.ErrorAs(t, err, &place)
			require.Equal(t, before, s.Records())
		})
	}
	t.Run("actors", func(t *testing.T) {
		for _, actor := range []roomkit.Actor{{}, roomkit.By(""), roomkit.By("*system"), roomkit.By("a b")} {
			_, err := s.Do(ctx, actor, roomkit.OpenSelf{})
			require.ErrorIs(t, err, roomkit.ErrInvalid)
		}
		s.Denies("COM-16", "nobody", roomkit.OpenSelf{})
		_, err := s.Do(ctx, roomkit.System(), roomkit.CreateGroup{Name: "of nobody"})
		require.ErrorIs(t, err, roomkit.ErrDenied)
	})
	t.Run("keys", func(t *testing.T) {
		_, err := s.Do(ctx, roomkit.By("ann"), roomkit.OpenSelf{}, service.Call{Key: strings.Repeat("k", roomkit.MaxKeyBytes+1)})
		namesField(t, "Key", err)
	})
	t.Run("versions", func(t *testing.T) {
		_, err := s.Do(ctx, roomkit.By("ann"), roomkit.CreateGroup{Name: "x"}, service.Call{IfVersion: 1})
		require.ErrorIs(t, err, roomkit.ErrInvalid)
	})
	t.Run("contacts", func(t *testing.T) {
		_, err := s.Do(ctx, roomkit.By("ann"), roomkit.OpenDirect{With: "eve"}, service.Call{Contacts: people("eve", "a b")})
		namesField(t, "Contacts[1]", err)
	})
	t.Run("calls", func(t *testing.T) {
		_, err := s.Do(ctx, roomkit.By("ann"), roomkit.OpenSelf{}, service.Call{Key: "k"}, service.Call{})
		namesField(t, "Call", err)
	})
}

func namesField(t testing.TB, field string, err error) {
	t.Helper()
	require.ErrorIs(t, err, roomkit.ErrInvalid)
	var bad *roomkit.Invalid
	require.ErrorAs(t, err, &bad)
	require.Equal(t, field, bad.Field, "%v", err)
}

// TestBadQuestions: what is malformed in a question is named as in a command.
func TestBadQuestions(t *testing.T) {
	s := proof.NewStage(t)
	rooms := func(q service.RoomList) error { return proof.Refusal(t, s.Rooms(ctx, "ann", q)) }
	members := func(q service.MemberList) error { return proof.Refusal(t, s.Members(ctx, "ann", s.General, q)) }
	recommend := func(user roomkit.UserID, audience roomkit.Audience, picked ...roomkit.UserID) error {
		_, err := s.Recommend(ctx, user, picked, audience, false)
		return err
	}
	access := func(user roomkit.UserID, rooms ...roomkit.RoomID) error {
		_, err := s.Access(ctx, user, rooms...)
		return err
	}
	for _, c := range []struct {
		name, field string
		err         error
	}{
		{"access of a bad id", "User", access("a b", s.General)},
		{"access to too many rooms", "Rooms", access("ann", make([]roomkit.RoomID, roomkit.MaxAccessRooms+1)...)},
		{"no action", "Action", s.Check(ctx, "ann", 0, s.General)},
		{"an unknown action", "Action", s.Check(ctx, "ann", 200, s.General)},
		{"members of an unknown role", "Role", members(service.MemberList{Role: 3})},
		{"a negative number of members", "Limit", members(service.MemberList{Limit: -1})},
		{"rooms of an unknown role", "Role", rooms(service.RoomList{Role: 99})},
		{"a negative number of rooms", "Limit", rooms(service.RoomList{Limit: -1})},
		{"rooms of no kind", "Kinds[0]", rooms(service.RoomList{Kinds: []roomkit.Kind{roomkit.KindNone}})},
		{"rooms of an unknown kind", "Kinds[1]", rooms(service.RoomList{Kinds: []roomkit.Kind{roomkit.KindTeam, 99}})},
		{"rooms of a bad id", "User", proof.Refusal(t, s.Rooms(ctx, "a b", service.RoomList{}))},
		{"an unknown list of groups", "Part", proof.Refusal(t, s.Groups(ctx, "ann", service.GroupList{Part: 9}))},
		{"a history from before the beginning", "Since", proof.Refusal(t, s.History(ctx, "ann", s.General, service.HistoryList{Since: -1}))},
		{"a history of no room", "Room", proof.Refusal(t, s.History(ctx, "ann", roomkit.RoomID{}, service.HistoryList{}))},
		{"a cursor of nobody", "Cursor", proof.Refusal(t, s.Feed(ctx, "garbage"))},
		{"rooms with nobody", "People", recommend("ann", roomkit.AudienceMembers)},
		{"rooms with a bad id", "People[1]", recommend("ann", roomkit.AudienceMembers, "ben", "a b")},
		{"rooms with somebody twice", "People", recommend("ann", roomkit.AudienceMembers, "ben", "ben")},
		{"rooms with too many", "People", recommend("ann", roomkit.AudienceMembers, many(roomkit.MaxPeople+1)...)},
		{"rooms for an unknown audience", "Audience", recommend("ann", 9, "ben", "cat")},
		{"rooms for a bad id", "User", recommend("a b", roomkit.AudienceMembers, "ben", "cat")},
	} {
		t.Run(c.name, func(t *testing.T) { namesField(t, c.field, c.err) })
	}
}

// TestNames: one list of texts with the verdict of each. What is taken comes
// back byte for byte.
func TestNames(t *testing.T) {
	s := proof.NewStage(t)
	good := []string{
		"a", "Ärger über Öl", "日本語の部屋", "🧑‍🚀 mission", "👩‍❤️‍👩", "é", "e\u0301", "'); DROP TABLE rooms;--", "$1 %s %n", `"quoted" \ back`,
		"<b>&amp;", "a\u00a0b", "مرحبا", "שלום", "ﬁ ligature", "𝒳", "…", "  inner  spaces  ", "null", "0", "-1", "🇰🇷",
		"ශ්\u200dරී ලංකා", "می\u200cخواهم", "کتێب\u200cخانە", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "🙂\u200d↔️", "ភាសា\u200bខ្មែរ", "\u200fC++\u200f קורס",
	}
	create := roomkit.CreateRoom{People: people("ben", "cat"), Audience: roomkit.AudienceMembers, AllowDuplicate: true}
	for _, name := range good {
		create.Name = name
		require.Equal(t, name, s.RoomOf("ben", s.Does("ann", create).Room).Name)
	}
	bad := []string{
		"a\x00", "a\tb", "a\nb", "a\rb", "\x7f", "\u0085", "\u200b", "\u200e", "\u202a", "\u202e", "\u2066", "\u2069", "\ufeff", "\u00ad",
		"\u2028", "\u2029", "\u2060", "\u180e", "a\u200d", "\u200da", "a\u200db", "\u3164", "\ue000", "\xff", "\xed\xa0\x80", "\xc0\x80", " ", "\ufffe",
		"\ufe0f", "\u034f", "\u2800", "\u3000", "\u0301", "\U000e0067\U000e007f",
	}
	for _, name := range bad {
		_, err := s.Do(ctx, roomkit.By("ann"), roomkit.Edit{Room: s.General, Name: new(name)})
		require.ErrorIs(t, err, roomkit.ErrInvalid, "%q", name)
	}
	derived := s.Does("ann", roomkit.CreateRoom{
		People: people("ben", "dan"), Origin: roomkit.OriginMail, Title: " Re:\r\n\tbudget\u202e \xff\u200b2027 ",
	})
	require.Equal(t, "Re: budget 2027", s.RoomOf("ann", derived.Room).Name, "what a mail says is mended, not refused")
}
