package roomkit

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// What the contracts of Need, Facts and Decide promise to hosts that call them
// without a service.

func backwards(f Facts) Facts {
	f.Members, f.Users, f.Companies = slices.Clone(f.Members), slices.Clone(f.Users), slices.Clone(f.Companies)
	slices.Reverse(f.Members)
	slices.Reverse(f.Users)
	slices.Reverse(f.Companies)
	return f
}

// someWorld: a General room of ann, ben, cat and dan of acme and a bot. ann and
// dan hold the permission to talk with users of other companies, and eve of bolt
// does.
func someWorld(t *testing.T) (*world, *Rules) {
	var users []User
	for _, id := range []UserID{"ann", "ben", "cat", "dan", "eve"} {
		users = append(users, User{ID: id, Company: "acme", Kind: UserMember, Status: StatusActive, Works: id != "ben" && id != "cat"})
	}
	users[4].Company = "bolt"
	users = append(users, User{ID: "bot", Company: "acme", Kind: UserBot, Status: StatusActive})
	company := Company{ID: "acme", Core: true, MembersCreateGroups: true, Works: ExternalSelected}
	other := company
	other.ID = "bolt"
	w, rules := newWorld([]Company{company, other}, users), NewRules(Policy{AnyoneIsContact: true})
	create := CreateRoom{People: []UserID{"ben", "cat", "dan", "bot"}, Audience: AudienceMembers, Anyway: true}
	d, err := w.decide(rules, By("ann"), create, theRoom)
	require.NoError(t, err)
	require.True(t, w.commit(&d))
	return w, rules
}

func TestDecideOnFactsInAnyOrder(t *testing.T) {
	commands := map[string]Command{
		"converted to a group":           Convert{Room: theRoom, To: KindGroup, Name: "g"},
		"converted to an external group": Convert{Room: theRoom, To: KindExternalGroup, Name: "g"},
		"opened by inviting":             Invite{Room: theRoom, People: []UserID{"eve"}, Name: "g"},
	}
	for name, cmd := range commands {
		t.Run(name, func(t *testing.T) {
			w, rules := someWorld(t)
			need := Need{Room: theRoom, People: []UserID{"ann", "eve"}, Everybody: true, Name: nameKey("g"), Company: "acme"}
			f := w.answer(need, RoomID{2})
			want, err := rules.Decide(f, By("ann"), cmd, worldTime)
			require.NoError(t, err)
			if name != "converted to a group" {
				require.Equal(t, []UserID{"ben", "bot", "cat"}, want.Dropped)
			}
			got, err := rules.Decide(backwards(f), By("ann"), cmd, worldTime)
			require.NoError(t, err)
			require.Equal(t, want.Dropped, got.Dropped)
			require.Equal(t, want.Events, got.Events)
		})
	}
}

func TestDecideRefusesWhoIsAbsentFromTheFacts(t *testing.T) {
	w, rules := someWorld(t)
	f := w.answer(Need{Room: theRoom, People: []UserID{"ann", "ben"}}, RoomID{2})
	f.Users = slices.DeleteFunc(f.Users, func(u User) bool { return u.ID == "ben" })
	_, err := rules.Decide(f, By("ann"), Invite{Room: theRoom, People: []UserID{"ben"}}, worldTime)
	var d *Denied
	require.ErrorAs(t, err, &d)
	require.Equal(t, Rule("CRE-49"), d.Rule, "a row of somebody who does not exist counts for nothing")
}

func TestDecideLimitsEverybody(t *testing.T) {
	w, rules := someWorld(t)
	f := w.answer(Need{Room: theRoom, People: []UserID{"ann", "eve"}, Everybody: true, Name: nameKey("g"), Company: "acme"}, RoomID{2})
	for _, cmd := range []Command{
		Convert{Room: theRoom, To: KindGroup, Name: "g"}, Invite{Room: theRoom, People: []UserID{"eve"}, Name: "g"},
	} {
		f.Room.Participants = MaxEverybody
		_, err := rules.Decide(f, By("ann"), cmd, worldTime)
		require.NoError(t, err)
		f.Room.Participants = MaxEverybody + 1
		_, err = rules.Decide(f, By("ann"), cmd, worldTime)
		require.ErrorIs(t, err, ErrInvalid)
	}
}

// A call of a group can meet a room that an earlier one has ended while the rows
// of its people are still those from before.
func TestDecideExpelsNobodyFromAnEndedRoom(t *testing.T) {
	w, rules := someWorld(t)
	ben := w.users["ben"]
	ben.Status, ben.Version, ben.Ended = StatusDeleted, 2, 2
	w.users["ben"] = ben
	cmd := Expel{Room: theRoom, People: []UserID{"ben"}, Cause: CauseAccount}
	f := w.answer(rules.Need(System(), cmd), RoomID{2})
	d, err := rules.Decide(f, System(), cmd, worldTime)
	require.NoError(t, err)
	require.Len(t, d.Events, 1)
	f.Room.State = StateEnded
	d, err = rules.Decide(f, System(), cmd, worldTime)
	require.NoError(t, err)
	require.Empty(t, d.Events, "COM-14")
}

// TestNeedOfCreateRoom: rooms to offer are asked for when several people are
// picked, unless the creator has chosen already (CRE-04 to CRE-06).
func TestNeedOfCreateRoom(t *testing.T) {
	source, use := RoomID{7}, RoomID{8}
	one, two := []UserID{"ben"}, []UserID{"ben", "cat"}
	shared := []UserID{"ann", "ben", "cat"}
	cases := []struct {
		name   string
		cmd    CreateRoom
		room   RoomID
		shared []UserID
	}{
		{"one person", CreateRoom{People: one}, DirectRoom("ann", "ben"), nil},
		{"one person and oneself", CreateRoom{People: []UserID{"ann", "ben"}}, DirectRoom("ann", "ben"), nil},
		{"one person of a room", CreateRoom{People: one, Origin: OriginRoom, Source: source}, source, nil},
		{"several", CreateRoom{People: two}, RoomID{}, shared},
		{"several of a room", CreateRoom{People: two, Origin: OriginRoom, Source: source}, source, shared},
		{"several anyway", CreateRoom{People: two, Anyway: true}, RoomID{}, nil},
		{"an offered room", CreateRoom{People: two, Use: use}, use, nil},
		{"an offered room, anyway", CreateRoom{People: two, Use: use, Anyway: true}, use, nil},
		{"the 1:1 room", CreateRoom{People: one, Use: use}, use, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			need := NewRules(Policy{}).Need(By("ann"), c.cmd)
			require.Equal(t, c.room, need.Room)
			require.Equal(t, c.shared, need.Shared)
		})
	}
}

func TestDecideOpensTeamRoomsForKnownPeople(t *testing.T) {
	rules, cmd := NewRules(Policy{}), OpenTeamRoom{Team: "t"}
	need := rules.Need(By("ann"), cmd)
	need.People = append(need.People, "ghost")
	f := Facts{
		Team:      Team{ID: "t", Version: 1, Company: "acme", Name: "t", Leader: "ann", Members: []UserID{"ann", "ghost"}, Room: true},
		Users:     []User{{ID: "ann", Version: 1, Company: "acme", Kind: UserMember, Status: StatusActive}},
		Companies: []Company{{ID: "acme", Version: 1, Core: true}},
		Asked:     &need,
	}
	d, err := rules.Decide(f, By("ann"), cmd, worldTime)
	require.NoError(t, err)
	joined, ok := d.Events[len(d.Events)-1].(*MemberJoined)
	require.True(t, ok)
	require.Len(t, joined.People, 1)
	require.Equal(t, UserID("ann"), joined.People[0].User)
}
