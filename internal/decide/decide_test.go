package decide

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/names"
	"github.com/go-roomkit/roomkit/store"
)

// What the contracts of Need, Facts and Decide promise to hosts that call them
// without a service.

func backwards(of *Facts) *Facts {
	f := *of
	f.Members, f.Users, f.Companies = slices.Clone(f.Members), slices.Clone(f.Users), slices.Clone(f.Companies)
	slices.Reverse(f.Members)
	slices.Reverse(f.Users)
	slices.Reverse(f.Companies)
	return &f
}

// someWorld: a General room of ann, ben, cat and dan of acme and a bot. ann and
// dan hold the permission to talk with users of other companies, and eve of bolt
// does.
func someWorld(t *testing.T) (*world, *roomkit.Rules) {
	var users []roomkit.User
	for _, id := range []roomkit.UserID{"ann", "ben", "cat", "dan", "eve"} {
		users = append(users, roomkit.User{ID: id, Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Partners: id != "ben" && id != "cat"})
	}
	users[4].Company = "bolt"
	users = append(users, roomkit.User{ID: "bot", Company: "acme", Kind: roomkit.UserBot, Status: roomkit.StatusActive})
	company := roomkit.Company{ID: "acme", Licensed: true, MembersCreateGroups: true, Partners: roomkit.ExternalSelected}
	other := company
	other.ID = "bolt"
	w, rules := newWorld([]roomkit.Company{company, other}, users), roomkit.NewRules(roomkit.Policy{AnyoneIsContact: true})
	create := roomkit.CreateRoom{People: []roomkit.UserID{"ben", "cat", "dan", "bot"}, Audience: roomkit.AudienceMembers, AllowDuplicate: true}
	d, err := w.decide(rules, roomkit.By("ann"), create, theRoom)
	require.NoError(t, err)
	require.True(t, w.commit(&d))
	return w, rules
}

// forEverybody are the commands that need everybody in someWorld, as far as they are allowed.
func forEverybody(t *testing.T) map[string]roomkit.Command {
	allowed := roomkit.NewRules(roomkit.Policy{}).Allowed(roomkit.KindGeneral, roomkit.StandingParticipant)
	commands := map[string]roomkit.Command{}
	if allowed.Has(roomkit.ActionConvert) {
		commands["converted to a group"] = roomkit.Convert{Room: theRoom, To: roomkit.KindGroup, Name: "g"}
		commands["converted to an external group"] = roomkit.Convert{Room: theRoom, To: roomkit.KindExternalGroup, Name: "g"}
	}
	if allowed.Has(roomkit.ActionInvite) {
		commands["opened by inviting"] = roomkit.Invite{Room: theRoom, People: []roomkit.UserID{"eve"}, Name: "g"}
	}
	require.NotEmpty(t, commands)
	return commands
}

func TestDecideOnFactsInAnyOrder(t *testing.T) {
	for name, cmd := range forEverybody(t) {
		t.Run(name, func(t *testing.T) {
			w, rules := someWorld(t)
			need := store.Need{Room: theRoom, People: []roomkit.UserID{"ann", "eve"}, Everybody: true, Name: names.Key("g"), Company: "acme", Shared: []roomkit.UserID{"ann", "dan", "eve"}}
			f := w.answer(need, roomkit.RoomID{2})
			want, err := Decide(rules, f, roomkit.By("ann"), cmd, worldTime)
			require.NoError(t, err)
			if name != "converted to a group" {
				require.Equal(t, []roomkit.UserID{"ben", "bot", "cat"}, want.Dropped)
			}
			got, err := Decide(rules, backwards(f), roomkit.By("ann"), cmd, worldTime)
			require.NoError(t, err)
			require.Equal(t, want.Dropped, got.Dropped)
			require.Equal(t, want.Events, got.Events)
		})
	}
}

func TestDecideRefusesWhoIsAbsentFromTheFacts(t *testing.T) {
	w, rules := someWorld(t)
	f := w.answer(store.Need{Room: theRoom, People: []roomkit.UserID{"ann", "ben"}}, roomkit.RoomID{2})
	f.Users = slices.DeleteFunc(f.Users, func(u roomkit.User) bool { return u.ID == "ben" })
	if !rules.Allowed(f.Room.Kind, roomkit.StandingParticipant).Has(roomkit.ActionInvite) {
		f.Room.Kind, f.Members[0].Master, f.Members[0].MasterEpoch = roomkit.KindGroup, true, f.Members[0].Epoch // of ann
	}
	_, err := Decide(rules, f, roomkit.By("ann"), roomkit.Invite{Room: theRoom, People: []roomkit.UserID{"ben"}}, worldTime)
	var d *roomkit.Denied
	require.ErrorAs(t, err, &d)
	require.Equal(t, roomkit.Rule("CRE-49"), d.Rule, "a row of somebody who does not exist counts for nothing")
}

func TestDecideLimitsEverybody(t *testing.T) {
	w, rules := someWorld(t)
	f := w.answer(store.Need{Room: theRoom, People: []roomkit.UserID{"ann", "eve"}, Everybody: true, Name: names.Key("g"), Company: "acme"}, roomkit.RoomID{2})
	for _, cmd := range forEverybody(t) {
		f.Room.Participants = roomkit.MaxEverybody
		_, err := Decide(rules, f, roomkit.By("ann"), cmd, worldTime)
		require.NoError(t, err)
		f.Room.Participants = roomkit.MaxEverybody + 1
		_, err = Decide(rules, f, roomkit.By("ann"), cmd, worldTime)
		require.ErrorIs(t, err, roomkit.ErrInvalid)
	}
}

// A call of a group can meet a room that an earlier one has ended while the rows
// of its people are still those from before.
func TestDecideExpelsNobodyFromAnEndedRoom(t *testing.T) {
	w, rules := someWorld(t)
	ben := w.users["ben"]
	ben.Status, ben.Version, ben.Ended = roomkit.StatusDeleted, 2, 2
	w.users["ben"] = ben
	cmd := roomkit.Expel{Room: theRoom, People: []roomkit.UserID{"ben"}, Cause: roomkit.CauseAccount}
	f := w.answer(Need(roomkit.System(), cmd), roomkit.RoomID{2})
	d, err := Decide(rules, f, roomkit.System(), cmd, worldTime)
	require.NoError(t, err)
	require.Len(t, d.Events, 1)
	f.Room.State = roomkit.StateEnded
	d, err = Decide(rules, f, roomkit.System(), cmd, worldTime)
	require.NoError(t, err)
	require.Empty(t, d.Events, "COM-14")
}

// TestNeedOfCreateRoom: rooms to offer are asked for when several people are
// picked, unless the creator has chosen already (CRE-04 to CRE-06).
func TestNeedOfCreateRoom(t *testing.T) {
	source, use := roomkit.RoomID{7}, roomkit.RoomID{8}
	one, two := []roomkit.UserID{"ben"}, []roomkit.UserID{"ben", "cat"}
	shared := []roomkit.UserID{"ann", "ben", "cat"}
	cases := []struct {
		name   string
		cmd    roomkit.CreateRoom
		room   roomkit.RoomID
		shared []roomkit.UserID
	}{
		{"one person", roomkit.CreateRoom{People: one}, roomkit.DirectRoom("ann", "ben"), nil},
		{"one person and oneself", roomkit.CreateRoom{People: []roomkit.UserID{"ann", "ben"}}, roomkit.DirectRoom("ann", "ben"), nil},
		{"one person of a room", roomkit.CreateRoom{People: one, Origin: roomkit.OriginRoom, Source: source}, source, nil},
		{"several", roomkit.CreateRoom{People: two}, roomkit.RoomID{}, shared},
		{"several of a room", roomkit.CreateRoom{People: two, Origin: roomkit.OriginRoom, Source: source}, source, shared},
		{"several anyway", roomkit.CreateRoom{People: two, AllowDuplicate: true}, roomkit.RoomID{}, nil},
		{"an offered room", roomkit.CreateRoom{People: two, Existing: use}, use, nil},
		{"an offered room, anyway", roomkit.CreateRoom{People: two, Existing: use, AllowDuplicate: true}, use, nil},
		{"the 1:1 room", roomkit.CreateRoom{People: one, Existing: use}, use, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			need := Need(roomkit.By("ann"), c.cmd)
			require.Equal(t, c.room, need.Room)
			require.Equal(t, c.shared, need.Shared)
		})
	}
}

func TestDecideOpensTeamRoomsForKnownPeople(t *testing.T) {
	rules, cmd := roomkit.NewRules(roomkit.Policy{}), roomkit.OpenTeamRoom{Team: "t", Company: "acme"}
	need := Need(roomkit.By("ann"), cmd)
	need.People = append(need.People, "ghost")
	f := &Facts{Need: need, Facts: store.Facts{
		Team:      roomkit.Team{ID: "t", Version: 1, Company: "acme", Name: "t", Leader: "ann", Members: []roomkit.UserID{"ann", "ghost"}, Room: true},
		Users:     []roomkit.User{{ID: "ann", Version: 1, Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}},
		Companies: []roomkit.Company{{ID: "acme", Version: 1, Licensed: true}},
	}}
	d, err := Decide(rules, f, roomkit.By("ann"), cmd, worldTime)
	require.NoError(t, err)
	joined, ok := d.Events[len(d.Events)-1].(*roomkit.MemberJoined)
	require.True(t, ok)
	require.Len(t, joined.People, 1)
	require.Equal(t, roomkit.UserID("ann"), joined.People[0].User)
}

// TestTimeOfEvents: an event is not older than the one before as long as that is ahead by no
// more than clocks may differ; beyond, it has the time of the clock.
func TestTimeOfEvents(t *testing.T) {
	w, rules := someWorld(t)
	ben := w.users["ben"]
	ben.Status, ben.Version, ben.Ended = roomkit.StatusDeleted, 2, 2
	w.users["ben"] = ben
	cmd := roomkit.Expel{Room: theRoom, People: []roomkit.UserID{"ben"}, Cause: roomkit.CauseAccount}
	f := w.answer(Need(roomkit.System(), cmd), roomkit.RoomID{2})
	f.MaxDrift = time.Hour
	for ahead, at := range map[time.Duration]time.Duration{
		-time.Hour: 0, 0: 0, 1: 1, time.Hour: time.Hour, time.Hour + 1: 0, 365 * 24 * time.Hour: 0,
	} {
		f.Room.ChangedAt = worldTime.Add(ahead)
		d, err := Decide(rules, f, roomkit.System(), cmd, worldTime)
		require.NoError(t, err)
		for _, e := range d.Events {
			require.Equal(t, worldTime.Add(at), e.Info().At, "the event before is ahead by %s", ahead)
		}
	}
}

// TestEverySettingIsAnAction: no field of Edit changes anything without being asked for.
func TestEverySettingIsAnAction(t *testing.T) {
	fields := reflect.TypeFor[roomkit.Edit]()
	for i := 1; i < fields.NumField(); i++ {
		var c roomkit.Edit
		reflect.ValueOf(&c).Elem().Field(i).Set(reflect.New(fields.Field(i).Type.Elem()))
		asked := slices.DeleteFunc(slices.Clone(asks(&c)), func(a asked) bool { return !a.set })
		require.Len(t, asked, 1, "internal/decide/settings.go: add the action of Edit.%s to asks", fields.Field(i).Name)
	}
}

// TestPermissionInForce: ADM-01 and ADM-02 grant it to members of a company by
// the company's mode and their own permission; bots (EXT-04, LINE-04), consumers
// and deleted accounts (ADM-13) have none, whatever the rows say.
func TestPermissionInForce(t *testing.T) {
	cases := []struct {
		name   string
		kind   roomkit.UserKind
		status roomkit.UserStatus
		mode   roomkit.ExternalMode
		own    bool
		want   bool
	}{
		{"granted to all", roomkit.UserMember, roomkit.StatusActive, roomkit.ExternalAll, false, true},
		{"selected", roomkit.UserMember, roomkit.StatusActive, roomkit.ExternalSelected, true, true},
		{"not selected", roomkit.UserMember, roomkit.StatusActive, roomkit.ExternalSelected, false, false},
		{"off", roomkit.UserMember, roomkit.StatusActive, roomkit.ExternalOff, true, false},
		{"suspended", roomkit.UserMember, roomkit.StatusSuspended, roomkit.ExternalAll, false, true},
		{"deleted", roomkit.UserMember, roomkit.StatusDeleted, roomkit.ExternalAll, true, false},
		{"bot", roomkit.UserBot, roomkit.StatusActive, roomkit.ExternalAll, true, false},
		{"consumer", roomkit.UserConsumer, roomkit.StatusActive, roomkit.ExternalAll, true, false},
		{"nobody", roomkit.UserNone, roomkit.StatusNone, roomkit.ExternalAll, true, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			works := roomkit.User{Kind: c.kind, Status: c.status, Partners: c.own}
			require.Equal(t, c.want, (&Person{User: &works, company: &roomkit.Company{Partners: c.mode}}).partnersPermitted())
			require.False(t, (&Person{User: &works, company: &roomkit.Company{Consumers: roomkit.ExternalAll}}).partnersPermitted())
			line := roomkit.User{Kind: c.kind, Status: c.status, Consumers: c.own}
			require.Equal(t, c.want, (&Person{User: &line, company: &roomkit.Company{Consumers: c.mode}}).consumersPermitted())
			require.False(t, (&Person{User: &line, company: &roomkit.Company{Partners: roomkit.ExternalAll}}).consumersPermitted())
		})
	}
}

// TestAccountHeldSince: an admission counts while the account exists, and not
// once it has been deleted since (ADM-13, ADM-14).
func TestAccountHeldSince(t *testing.T) {
	cases := []struct {
		name  string
		user  roomkit.User
		since roomkit.Version
		want  bool
	}{
		{"never deleted", roomkit.User{Status: roomkit.StatusActive, Version: 4}, 2, true},
		{"suspended", roomkit.User{Status: roomkit.StatusSuspended, Version: 4}, 2, true},
		{"deleted", roomkit.User{Status: roomkit.StatusDeleted, Version: 3, Ended: 3}, 2, false},
		{"deleted, whenever admitted", roomkit.User{Status: roomkit.StatusDeleted, Version: 3, Ended: 3}, 3, false},
		{"restored", roomkit.User{Status: roomkit.StatusActive, Version: 4, Ended: 3}, 2, false},
		{"admitted after the restoration", roomkit.User{Status: roomkit.StatusActive, Version: 5, Ended: 3}, 4, true},
		{"nobody", roomkit.User{}, 0, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.want, (&Person{User: &c.user}).accountHeldSince(roomkit.Epoch{User: c.since}))
		})
	}
}

// TestPartnersHeldSince: nothing lost is not enough, the permission has to be in force
// (EXT-22, EXT-25).
func TestPartnersHeldSince(t *testing.T) {
	all, narrowed := roomkit.Company{Partners: roomkit.ExternalAll}, roomkit.Company{Partners: roomkit.ExternalSelected, PartnersNarrowed: 5}
	cases := []struct {
		name    string
		user    roomkit.User
		company roomkit.Company
		since   roomkit.Epoch
		want    bool
	}{
		{"never lost", roomkit.User{}, all, roomkit.Epoch{User: 1, Company: 1}, true},
		{"not in force, though no loss is known", roomkit.User{}, roomkit.Company{}, roomkit.Epoch{User: 1, Company: 1}, false},
		{"withdrawn since", roomkit.User{PartnersLost: 3}, all, roomkit.Epoch{User: 2, Company: 1}, false},
		{"admitted after that", roomkit.User{PartnersLost: 3}, all, roomkit.Epoch{User: 3, Company: 1}, true},
		{"off since", roomkit.User{}, roomkit.Company{Partners: roomkit.ExternalAll, PartnersOff: 3}, roomkit.Epoch{User: 1, Company: 2}, false},
		{"granted before the company narrowed", roomkit.User{Partners: true}, narrowed, roomkit.Epoch{User: 1, Company: 2}, true},
		{"granted after the company had narrowed before", roomkit.User{Partners: true, PartnersSince: 3}, narrowed, roomkit.Epoch{User: 1, Company: 2}, false},
		{"admitted after that narrowing", roomkit.User{Partners: true, PartnersSince: 3}, narrowed, roomkit.Epoch{User: 1, Company: 3}, true},
		{"narrowed and widened since", roomkit.User{}, roomkit.Company{Partners: roomkit.ExternalAll, PartnersNarrowed: 5}, roomkit.Epoch{User: 1, Company: 4}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.user.Kind, c.user.Status = roomkit.UserMember, roomkit.StatusActive
			require.Equal(t, c.want, (&Person{User: &c.user, company: &c.company}).partnersHeldSince(c.since))
		})
	}
}

func BenchmarkDecision(b *testing.B) {
	r := roomkit.NewRules(roomkit.Policy{})
	f := stage(roomkit.KindExternalGroup, 0)
	who := f.Person("master+member")
	b.ReportAllocs()
	for b.Loop() {
		st, _ := who.Standing(&f.Room, &f.Team)
		allowed = r.Actions(&f.Room, &f.Team, st, false)
	}
}

var allowed roomkit.ActionSet

func BenchmarkDecideInvite(b *testing.B) {
	companies, users := smallUsers()
	w := newWorld(companies, append(users, roomkit.User{ID: "new", Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}))
	rules := roomkit.NewRules(roomkit.Policy{})
	d, err := w.decide(rules, roomkit.By("ann"), roomkit.CreateRoom{People: []roomkit.UserID{"ben", "cat"}, Audience: roomkit.AudienceMembers, AllowDuplicate: true}, theRoom)
	if err != nil || !w.commit(&d) {
		b.Fatal(err)
	}
	cmd := roomkit.Invite{Room: theRoom, People: []roomkit.UserID{"new"}}
	f := w.answer(Need(roomkit.By("ann"), cmd), roomkit.RoomID{2})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decide(rules, f, roomkit.By("ann"), cmd, worldTime); err != nil {
			b.Fatal(err)
		}
	}
}
