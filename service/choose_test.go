package service_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/storetest"
)

// town is a stage with people of every sort besides: none of the outsiders but eve and
// lin is a contact of anybody.
func town(t proof.T, change ...func(*service.Options)) *proof.Stage {
	contacts := func(_ context.Context, _ roomkit.UserID, outsiders []roomkit.UserID) (known []roomkit.UserID, _ error) {
		for _, id := range outsiders {
			if slices.Contains(people("eve", "lin", "gil", "out"), id) {
				known = append(known, id)
			}
		}
		return known, nil
	}
	s := proof.NewStage(t, append([]func(*service.Options){func(o *service.Options) {
		o.Policy.AnyoneIsContact, o.Contacts = false, contacts
	}}, change...)...)
	user := func(id roomkit.UserID, company roomkit.CompanyID, kind roomkit.UserKind) {
		s.Sys(roomkit.AddUser{User: roomkit.User{ID: id, Company: company, Kind: kind, Status: roomkit.StatusActive, Partners: kind == roomkit.UserMember}})
	}
	s.Sys(roomkit.AddCompany{Company: roomkit.Company{ID: "core", Partners: roomkit.ExternalAll}})
	user("gil", "bolt", roomkit.UserMember)
	user("out", "core", roomkit.UserMember)
	user("bat", "bolt", roomkit.UserBot)
	user("lou", "", roomkit.UserConsumer)
	for _, id := range people("sus", "del", "dum") {
		user(id, "acme", roomkit.UserMember)
	}
	s.Sys(roomkit.SuspendUser{User: "sus"})
	s.Sys(roomkit.DeleteUser{User: "del"})
	s.Sys(roomkit.SetUserMessaging{User: "dum", With: roomkit.OutsiderPartner, Allow: new(false)})
	s.Sys(roomkit.SetUserMessaging{User: "gil", With: roomkit.OutsiderPartner, Allow: new(false)})
	s.Sys(roomkit.SetCompanyMessaging{Company: "acme", With: roomkit.OutsiderConsumer, Mode: new(roomkit.ExternalSelected)})
	for _, id := range people("ann", "ben", "cat") {
		s.Sys(roomkit.SetUserMessaging{User: id, With: roomkit.OutsiderConsumer, Allow: new(true)})
	}
	return s
}

var everybody = people("adm", "ann", "bat", "ben", "bot", "cat", "dan", "del", "dum", "eve", "fay", "ghost", "gil", "lin", "lou", "out", "sus")

func against(choice roomkit.Choice) (rules []string) {
	for _, r := range choice.Against {
		rules = append(rules, r.String())
	}
	return rules
}

func chosen(t *testing.T, s *proof.Stage, actor roomkit.UserID, cmd roomkit.Command, candidates ...roomkit.UserID) map[roomkit.UserID][]string {
	t.Helper()
	list, err := s.Choose(ctx, roomkit.By(actor), cmd, candidates)
	require.NoError(t, err)
	require.Len(t, list, len(candidates))
	told := map[roomkit.UserID][]string{}
	for i, c := range list {
		require.Equal(t, candidates[i], c.User, "in the order given")
		told[c.User] = against(c)
	}
	return told
}

func TestChoose(t *testing.T) {
	t.Run("of everybody for an external group, each with all rules against", func(t *testing.T) {
		s := town(t)
		require.Equal(t, map[roomkit.UserID][]string{
			"adm": nil, "ann": nil, "ben": nil, "cat": nil, "dan": nil, "eve": nil,
			"fay": {"fay EXT-32"}, "ghost": {"ghost EXT-32"}, "del": {"del EXT-32"}, "bat": {"bat EXT-32"}, "lou": {"lou EXT-32"},
			"sus": {"sus ADM-17"}, "dum": {"dum EXT-30"}, "gil": {"gil EXT-33"}, "out": {"out COM-10"},
			"lin": {"lin EXT-03"}, "bot": {"bot EXT-04"},
		}, chosen(t, s, "ann", roomkit.Invite{Room: s.External}, everybody...))
	})
	t.Run("somebody can have more than one rule against them", func(t *testing.T) {
		s := town(t, func(o *service.Options) { o.Policy.MaxGroupsPerUser = 2 })
		s.Sys(roomkit.SuspendUser{User: "cat"})
		s.Sys(roomkit.SetUserMessaging{User: "cat", With: roomkit.OutsiderPartner, Allow: new(false)})
		told := chosen(t, s, "adm", roomkit.CreateExternalGroup{}, "cat", "fay", "dan")
		require.Equal(t, []string{"cat ADM-17", "cat EXT-30", "cat CRE-45"}, told["cat"])
		require.Equal(t, []string{"fay EXT-32"}, told["fay"], "of somebody unknown nothing else is told")
		require.Empty(t, told["dan"])
	})
	t.Run("together with those chosen before", func(t *testing.T) {
		s := town(t)
		pick := func(with ...roomkit.UserID) roomkit.CreateRoom { return roomkit.CreateRoom{People: with} }
		told := chosen(t, s, "ann", pick("eve"), "lin", "bot", "dum", "ben")
		require.Equal(t, []string{"eve CRE-46", "lin CRE-46"}, told["lin"])
		require.Equal(t, []string{"bot EXT-04"}, told["bot"])
		require.Equal(t, []string{"dum EXT-30"}, told["dum"])
		require.Empty(t, told["ben"])
		told = chosen(t, s, "ann", pick("dum", "bot"), "eve", "lin", "ben")
		require.Equal(t, []string{"bot EXT-04", "dum EXT-30"}, told["eve"], "because of whom it is")
		require.Equal(t, []string{"bot LINE-04", "dum LINE-01"}, told["lin"])
		require.Empty(t, told["ben"])
	})
	t.Run("the actor may lack what the choice needs, or the company", func(t *testing.T) {
		s := town(t)
		s.Sys(roomkit.EditCompany{Company: "acme", MembersCreateGroups: new(false)})
		told := chosen(t, s, "dum", roomkit.CreateRoom{People: people("ben")}, "eve", "lin", "cat")
		require.Equal(t, []string{" CRE-37"}, told["eve"], "nobody's fault")
		require.Equal(t, []string{"dum LINE-01"}, told["lin"])
		require.Empty(t, told["cat"])
	})
	t.Run("one person leads to the 1:1 room, which may be there already", func(t *testing.T) {
		s := town(t)
		s.Run("ann", roomkit.OpenDirect{With: "dan"})
		s.Sys(roomkit.SuspendUser{User: "dan"})
		for _, cmd := range []roomkit.Command{roomkit.OpenDirect{}, roomkit.OpenDirect{With: "fay"}, roomkit.CreateRoom{Name: "later"}} {
			told := chosen(t, s, "ann", cmd, "dan", "sus", "gil", "fay", "bot", "eve")
			require.Equal(t, map[roomkit.UserID][]string{
				"dan": nil, "bot": nil, "eve": nil, "sus": {"sus ADM-17"}, "gil": {"gil ADM-04"}, "fay": {"fay CRE-49"},
			}, told)
		}
		require.Equal(t, []string{" DIR-01"}, chosen(t, s, "ann", roomkit.OpenDirect{}, "ann")["ann"])
	})
	t.Run("what is missing yet is no objection", func(t *testing.T) {
		s := town(t)
		outside := roomkit.CreateRoom{Audience: roomkit.AudienceExternal}
		require.Empty(t, chosen(t, s, "ann", outside, "ben")["ben"])
		outside.People = people("cat")
		require.Empty(t, chosen(t, s, "ann", outside, "ben")["ben"])
		require.Empty(t, chosen(t, s, "ann", roomkit.CreateGroup{}, "bot")["bot"])
		require.Empty(t, chosen(t, s, "adm", roomkit.CreateGroup{ForOthers: true}, "bot")["bot"])
		require.Equal(t, []string{"eve CRE-02"}, chosen(t, s, "ann", members("ben"), "eve")["eve"])
	})
	t.Run("who is there already", func(t *testing.T) {
		s := town(t)
		already := func(actor roomkit.UserID, cmd roomkit.Command) (list []roomkit.UserID) {
			choices, err := s.Choose(ctx, roomkit.By(actor), cmd, everybody)
			require.NoError(t, err)
			for _, c := range choices {
				if c.Already {
					require.Empty(t, c.Against)
					list = append(list, c.User)
				}
			}
			return list
		}
		require.Equal(t, people("ann", "ben", "cat"), already("ann", roomkit.Invite{Room: s.Group}))
		require.Equal(t, people("ann"), already("ann", roomkit.AppointMasters{Room: s.Group}))
		require.Equal(t, people("ann"), already("ann", roomkit.CreateRoom{People: people("ben")}))
		require.Equal(t, people("ann"), already("ann", roomkit.CreateGroup{Name: "Crew 2"}))
		require.Equal(t, people("ann"), already("ann", roomkit.CreateExternalGroup{}))
		require.Empty(t, already("adm", roomkit.CreateGroup{ForOthers: true}))
		require.Empty(t, already("adm", roomkit.CreateExternalGroup{ForOthers: true}))
		require.Empty(t, already("ann", roomkit.OpenDirect{}))
	})
}

func members(list ...roomkit.UserID) roomkit.CreateRoom {
	return roomkit.CreateRoom{People: list, Audience: roomkit.AudienceMembers}
}

func TestChooseRefused(t *testing.T) {
	s := town(t)
	for name, c := range map[string]struct {
		actor roomkit.UserID
		cmd   roomkit.Command
		rule  roomkit.Rule
	}{
		"no right to invite":              {"ben", roomkit.Invite{Room: s.Group}, "GRP-07"},
		"nor into a team":                 {"ben", roomkit.Invite{Room: s.Team, People: people("dan")}, "TEAM-08"},
		"somebody chosen before":          {"ann", roomkit.Invite{Room: s.Group, People: people("sus")}, "ADM-17"},
		"no group":                        {"bot", roomkit.CreateGroup{}, "CRE-36"},
		"an account that is not in use":   {"sus", roomkit.OpenDirect{}, "ADM-17"},
		"somebody who is not known":       {"ghost", roomkit.OpenDirect{}, "COM-16"},
		"a room that is no source":        {"ann", roomkit.CreateRoom{Origin: roomkit.OriginRoom, Source: s.Direct}, "DIR-12"},
		"only administrators, for others": {"ann", roomkit.CreateGroup{ForOthers: true}, "ADM-10"},
	} {
		t.Run(name, func(t *testing.T) {
			list, err := s.Choose(ctx, roomkit.By(c.actor), c.cmd, people("ben", "dan"))
			proof.Refused(t, c.rule, err)
			require.Empty(t, list)
			var place *roomkit.Error
			require.ErrorAs(t, err, &place)
			require.Equal(t, "Choose", place.Op)
		})
	}
	_, err := s.Choose(ctx, roomkit.By("dan"), roomkit.Invite{Room: s.Group}, people("ben"))
	require.ErrorIs(t, err, roomkit.ErrNotFound)
	s.Run("ann", roomkit.OpenDirect{With: "fay"}, service.Call{Contacts: people("fay")})
	list, err := s.Choose(ctx, roomkit.By("ann"), roomkit.CreateRoom{People: people("fay")}, people("ben"))
	require.NoError(t, err, "the 1:1 room is there already")
	require.Len(t, list[0].Against, 1, "and makes no contact for a room of several")
	require.Equal(t, roomkit.Rule("CRE-49"), list[0].Against[0].Rule)
	require.Equal(t, roomkit.UserID("fay"), list[0].Against[0].User)
	_, err = s.Choose(ctx, roomkit.System(), roomkit.OpenDirect{}, people("ben"))
	proof.Refused(t, "CRE-30", err)
	gone, cancel := context.WithCancel(ctx)
	cancel()
	_, err = s.Choose(gone, roomkit.By("ann"), roomkit.OpenDirect{}, people("ben"))
	require.ErrorIs(t, err, context.Canceled)
}

func TestChooseMalformed(t *testing.T) {
	s := town(t)
	crowd := make([]roomkit.UserID, roomkit.MaxPeople+1)
	for i := range crowd {
		crowd[i] = roomkit.UserID(fmt.Sprint("u", i))
	}
	ok := roomkit.Invite{Room: s.Group}
	for name, c := range map[string]struct {
		cmd        roomkit.Command
		candidates []roomkit.UserID
		call       []service.Call
		field      string
	}{
		"no command":                       {nil, people("ben"), nil, "Command"},
		"a command that chooses nobody":    {roomkit.Leave{Room: s.Group}, people("ben"), nil, "Command"},
		"a command that is malformed":      {roomkit.Invite{}, people("ben"), nil, "Room"},
		"and chooses nobody":               {roomkit.Leave{}, people("ben"), nil, "Room"},
		"no id":                            {ok, people("ben", "a b"), nil, "Candidates[1]"},
		"twice":                            {ok, people("ben", "ben"), nil, "Candidates"},
		"too many":                         {ok, crowd, nil, "Candidates"},
		"somebody chosen before, twice":    {roomkit.Invite{Room: s.Group, People: people("dan", "dan")}, people("ben"), nil, "People"},
		"a name that is too long anywhere": {roomkit.CreateGroup{Name: string(make([]byte, 2000))}, people("ben"), nil, "Name"},
		"a key":                            {ok, people("ben"), []service.Call{{Key: "k"}}, "Call"},
		"a version":                        {ok, people("ben"), []service.Call{{IfVersion: 1}}, "Call"},
		"two calls":                        {ok, people("ben"), []service.Call{{}, {}}, "Call"},
		"a contact that is no id":          {ok, people("ben"), []service.Call{{Contacts: people("a b")}}, "Contacts[0]"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.Choose(ctx, roomkit.By("ann"), c.cmd, c.candidates, c.call...)
			require.ErrorIs(t, err, roomkit.ErrInvalid)
			requireField(t, c.field, err)
		})
	}
	list, err := s.Choose(ctx, roomkit.By("ann"), ok, nil)
	require.NoError(t, err)
	require.Empty(t, list)
}

// missing are the rules for what is not there yet, which Choose does not look at.
var missing = []roomkit.Rule{"CRE-11", "GEN-29", "CRE-51", "GRP-29"}

// testChoosePlan: Choose says of everybody what Plan says of the command with them.
func testChoosePlan(t *rapid.T) {
	s := town(t, func(o *service.Options) {
		o.Policy.ForeignMasters = rapid.Bool().Draw(t, "foreign masters")
		o.Policy.CompanyMembersFromRooms = rapid.Bool().Draw(t, "members from rooms")
		o.Policy.MaxGroupsPerUser = rapid.SampledFrom([]int64{0, 0, 3}).Draw(t, "groups")
		o.Policy.MaxParticipants[roomkit.KindGeneral] = rapid.SampledFrom([]int64{0, 0, 4}).Draw(t, "participants")
	})
	s.Run("ben", roomkit.CreateGroup{Name: "second", Members: people("dan", "bot")})
	somebody := rapid.SampledFrom(everybody)
	for range rapid.IntRange(0, 3).Draw(t, "changes") {
		id, allow := somebody.Draw(t, "whom"), rapid.Bool().Draw(t, "allow")
		cmd := rapid.SampledFrom([]roomkit.Command{
			roomkit.SuspendUser{User: id}, roomkit.RestoreUser{User: id}, roomkit.SetUserMessaging{User: id, With: roomkit.OutsiderPartner, Allow: &allow},
			roomkit.SetUserMessaging{User: id, With: roomkit.OutsiderConsumer, Allow: &allow}, roomkit.EditCompany{Company: "acme", MembersCreateGroups: &allow},
		}).Draw(t, "change")
		_, _ = s.Do(ctx, roomkit.System(), cmd)
	}
	actor := roomkit.By(rapid.SampledFrom(append(people("ann", "ann", "ann", "ben", "adm"), everybody...)).Draw(t, "actor"))
	before := rapid.SliceOfNDistinct(somebody, 0, 3, rapid.ID).Draw(t, "chosen")
	cmd := drawChoosing(t, s, before)
	choices, err := s.Choose(ctx, actor, cmd, everybody)
	for i, id := range everybody {
		whole := completed(cmd, id)
		res, planned := s.Plan(ctx, actor, whole)
		if invite, ok := whole.(roomkit.Invite); ok && planned == nil && res.Room != invite.Room && !res.Opened {
			continue // a room that is there already, whomever a new one could take
		}
		var denied *roomkit.Denied
		errors.As(planned, &denied)
		switch {
		case err != nil && (slices.Contains(before, id) || id == actor.User()): // nobody more
		case err != nil:
			require.Error(t, planned, "%T with %s: Choose says %v", cmd, id, err)
		case denied != nil && !slices.Contains(missing, denied.Rule) && len(denied.Against) > 0:
			require.Equal(t, denied.Against, choices[i].Against, "%+v with %s", whole, id)
		case denied != nil && !slices.Contains(missing, denied.Rule):
			require.Equal(t, []roomkit.Refusal{{Rule: denied.Rule, Reason: denied.Reason}}, choices[i].Against, "%+v with %s", whole, id)
		case planned == nil:
			require.Empty(t, choices[i].Against, "%+v with %s", whole, id)
		}
	}
}

func drawChoosing(t *rapid.T, s *proof.Stage, picked []roomkit.UserID) roomkit.Command {
	room := rapid.SampledFrom([]roomkit.RoomID{s.Direct, s.General, s.Group, s.External, s.Line, s.Team, s.Self}).Draw(t, "room")
	pick := roomkit.CreateRoom{People: picked}
	pick.Audience = rapid.SampledFrom([]roomkit.Audience{0, 0, roomkit.AudienceMembers, roomkit.AudienceExternal}).Draw(t, "audience")
	from := pick
	from.Origin, from.Source = roomkit.OriginRoom, room
	into := pick
	into.Existing = room
	others := rapid.Bool().Draw(t, "for others")
	var masters []roomkit.UserID
	if rapid.Bool().Draw(t, "masters") {
		masters = people("cat")
	}
	return rapid.SampledFrom([]roomkit.Command{
		roomkit.OpenDirect{}, pick, pick, from, into, roomkit.Invite{Room: room, People: picked}, roomkit.Invite{Room: room, People: picked},
		roomkit.CreateGroup{Members: picked, Masters: masters, ForOthers: others}, roomkit.AppointMasters{Room: room, People: picked},
		roomkit.CreateExternalGroup{Members: picked, Masters: masters, ForOthers: others},
	}).Draw(t, "command")
}

// completed is a whole command with one more person.
func completed(cmd roomkit.Command, id roomkit.UserID) roomkit.Command {
	with := func(list []roomkit.UserID) []roomkit.UserID {
		if slices.Contains(list, id) {
			return list
		}
		return append(slices.Clone(list), id)
	}
	switch c := cmd.(type) {
	case roomkit.OpenDirect:
		c.With = id
		return c
	case roomkit.CreateRoom:
		c.People, c.AllowDuplicate = with(c.People), true
		if len(c.People) > 1 {
			c.Name = "made"
		}
		return c
	case roomkit.CreateGroup:
		c.Name, c.Members = "made", with(c.Members)
		return c
	case roomkit.CreateExternalGroup:
		c.Name, c.Members = "made", with(c.Members)
		return c
	case roomkit.Invite:
		c.Name, c.People = "made", with(c.People)
		return c
	case roomkit.AppointMasters:
		c.People = with(c.People)
		return c
	default:
		return cmd
	}
}

func TestChoosePlan(t *testing.T) { rapid.Check(t, testChoosePlan) }

func FuzzChoosePlan(f *testing.F) { f.Fuzz(rapid.MakeFuzz(testChoosePlan)) }

// counted is a town whose store and host are counted.
type counted struct {
	*service.Service
	*proof.Stage
	store    *storetest.Faulty
	contacts int // how often it was asked who is one
}

func newCounted(t *testing.T, change ...func(*service.Options)) *counted {
	c := &counted{Stage: town(t)}
	c.store = storetest.NewFaulty(c.Stage.Store, storetest.Plan{})
	o := &service.Options{Contacts: func(_ context.Context, _ roomkit.UserID, outsiders []roomkit.UserID) ([]roomkit.UserID, error) {
		c.contacts++
		return slices.DeleteFunc(slices.Clone(outsiders), func(id roomkit.UserID) bool { return id != "eve" && id != "lin" }), nil
	}}
	for _, change := range change {
		change(o)
	}
	var err error
	c.Service, err = service.New(c.store, o)
	require.NoError(t, err)
	return c
}

func (c *counted) loads() int { return c.store.Calls(storetest.MethodLoad) }

func TestChooseCosts(t *testing.T) {
	crowd := make([]roomkit.UserID, 0, roomkit.MaxPeople)
	for i := range roomkit.MaxPeople {
		crowd = append(crowd, roomkit.UserID(fmt.Sprint("u", i)))
	}
	copy(crowd, everybody)
	for name, test := range map[string]struct {
		cmd   func(*counted) roomkit.Command
		loads int
	}{
		"a 1:1 room":                    {func(*counted) roomkit.Command { return roomkit.OpenDirect{} }, 1},
		"the first of a room":           {func(*counted) roomkit.Command { return roomkit.CreateRoom{} }, 1},
		"the second":                    {func(*counted) roomkit.Command { return roomkit.CreateRoom{People: people("ben")} }, 1},
		"the third":                     {func(*counted) roomkit.Command { return roomkit.CreateRoom{People: people("ben", "eve")} }, 1},
		"a group":                       {func(*counted) roomkit.Command { return roomkit.CreateGroup{Name: "Crew"} }, 1},
		"an external group":             {func(*counted) roomkit.Command { return roomkit.CreateExternalGroup{Members: people("eve")} }, 1},
		"further masters":               {func(c *counted) roomkit.Command { return roomkit.AppointMasters{Room: c.Group} }, 1},
		"a group that takes more":       {func(c *counted) roomkit.Command { return roomkit.Invite{Room: c.External} }, 1},
		"a room that outsiders come to": {func(c *counted) roomkit.Command { return roomkit.Invite{Room: c.General} }, 2},
		"a third for a 1:1 room":        {func(c *counted) roomkit.Command { return roomkit.Invite{Room: c.Direct, People: people("dan")} }, 2},
		"from a room": {func(c *counted) roomkit.Command {
			return roomkit.CreateRoom{Origin: roomkit.OriginRoom, Source: c.Group}
		}, 2},
		"more from a room": {func(c *counted) roomkit.Command {
			return roomkit.CreateRoom{Origin: roomkit.OriginRoom, Source: c.Group, People: people("ben", "cat")}
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCounted(t)
			before, records := c.loads(), c.Records()
			list, err := c.Service.Choose(ctx, roomkit.By("ann"), test.cmd(c), crowd)
			require.NoError(t, err)
			require.Len(t, list, len(crowd))
			require.Equal(t, test.loads, c.loads()-before, "calls of Load")
			require.Equal(t, 1, c.contacts, "once about all")
			require.Equal(t, records, c.Records())
		})
	}
}

// TestUnknownLikeStranger: nobody can tell by the answer, or by what it takes, whether an
// outsider who is no contact exists.
func TestUnknownLikeStranger(t *testing.T) {
	type tried struct {
		answer         []roomkit.Choice
		denied         *roomkit.Denied
		loads, commits int
		contacts       int
	}
	for name, cmd := range map[string]func(c *counted) roomkit.Command{
		"1:1":            func(*counted) roomkit.Command { return roomkit.OpenDirect{} },
		"picked":         func(*counted) roomkit.Command { return roomkit.CreateRoom{People: people("ben", "dum", "bot")} },
		"with a partner": func(*counted) roomkit.Command { return roomkit.CreateRoom{People: people("ben", "eve"), Name: "x"} },
		"with a consumer": func(*counted) roomkit.Command {
			return roomkit.CreateRoom{People: people("ben", "lin")}
		},
		"external": func(*counted) roomkit.Command {
			return roomkit.CreateRoom{People: people("ben", "cat"), Audience: roomkit.AudienceExternal, Name: "x"}
		},
		"from a room": func(c *counted) roomkit.Command {
			return roomkit.CreateRoom{People: people("cat", "dan"), Origin: roomkit.OriginRoom, Source: c.Group}
		},
		"invited into a General room": func(c *counted) roomkit.Command { return roomkit.Invite{Room: c.General} },
		"with others":                 func(c *counted) roomkit.Command { return roomkit.Invite{Room: c.General, People: people("eve")} },
		"invited into a 1:1 room":     func(c *counted) roomkit.Command { return roomkit.Invite{Room: c.Direct} },
		"invited into a group":        func(c *counted) roomkit.Command { return roomkit.Invite{Room: c.Group, People: people("dan")} },
		"beside consumers":            func(c *counted) roomkit.Command { return roomkit.Invite{Room: c.Line} },
		"invited externally":          func(c *counted) roomkit.Command { return roomkit.Invite{Room: c.External} },
		"appointed":                   func(c *counted) roomkit.Command { return roomkit.AppointMasters{Room: c.External} },
		"in a new group":              func(*counted) roomkit.Command { return roomkit.CreateGroup{Members: people("ben")} },
		"in a new external group":     func(*counted) roomkit.Command { return roomkit.CreateExternalGroup{Members: people("ben", "cat")} },
	} {
		t.Run(name, func(t *testing.T) {
			try := func(id roomkit.UserID) (is tried) {
				c := newCounted(t)
				before := c.loads()
				var err error
				is.answer, err = c.Service.Choose(ctx, roomkit.By("ann"), cmd(c), []roomkit.UserID{id})
				require.NoError(t, err)
				require.NotEmpty(t, is.answer[0].Against)
				whole := completed(cmd(c), id)
				_, err = c.Service.Do(ctx, roomkit.By("ann"), whole)
				require.ErrorAs(t, err, &is.denied)
				is.loads, is.commits, is.contacts = c.loads()-before, c.store.Calls(storetest.MethodCommit), c.contacts
				is.answer[0].User, is.denied.Room = "x", roomkit.RoomID{}
				for _, list := range [][]roomkit.Refusal{is.answer[0].Against, is.denied.Against} {
					for i := range list {
						if list[i].User == id {
							list[i].User = "x"
						}
					}
					slices.SortStableFunc(list, func(a, b roomkit.Refusal) int { return slices.Compare([]byte(a.User), []byte(b.User)) })
				}
				for i := range is.denied.People {
					if is.denied.People[i] == id {
						is.denied.People[i] = "x"
					}
				}
				return is
			}
			want := try("ghost")
			for _, stranger := range people("fay", "lou", "bat") {
				require.Equal(t, want, try(stranger), "%s", stranger)
			}
		})
	}
}

func TestChooseAsksTheDirectory(t *testing.T) {
	asked := [][]roomkit.UserID{}
	c := newCounted(t, func(o *service.Options) {
		o.Directory = lookup(func(ids []roomkit.UserID) ([]roomkit.User, []roomkit.Company, error) {
			asked = append(asked, slices.Clone(ids))
			return staffList{}.Users(ctx, ids)
		})
	})
	before, records := c.loads(), c.Records()
	list, err := c.Service.Choose(ctx, roomkit.By("ann"), roomkit.Invite{Room: c.General}, people("new", "ghost", "ben", "eve"))
	require.NoError(t, err)
	require.Equal(t, [][]string{nil, {"ghost CRE-49"}, nil, nil}, [][]string{against(list[0]), against(list[1]), against(list[2]), against(list[3])})
	require.Equal(t, [][]roomkit.UserID{people("eve", "ghost", "new")}, asked, "about eve, too: it cannot tell who is known")
	require.Equal(t, 3, c.loads()-before, "one, one with whom the directory knows, and everybody in the room")
	require.Equal(t, records, c.Records())
	_, err = c.Service.Choose(ctx, roomkit.By("ann"), roomkit.OpenDirect{With: "nobody"}, people("ghost", "ben"))
	require.NoError(t, err)
	require.Equal(t, people("ghost"), asked[1], "no other than the candidates")
}

type lookup func(ids []roomkit.UserID) ([]roomkit.User, []roomkit.Company, error)

func (l lookup) Users(_ context.Context, ids []roomkit.UserID) ([]roomkit.User, []roomkit.Company, error) {
	return l(ids)
}

// TestPlanFillsIn: Plan answers what Do would, also about people who are not known yet,
// and stores nothing of them.
func TestPlanFillsIn(t *testing.T) {
	active := func(id roomkit.UserID, company roomkit.CompanyID) roomkit.User {
		return roomkit.User{ID: id, Company: company, Kind: roomkit.UserMember, Status: roomkit.StatusActive, Partners: true}
	}
	suspended := active("new", "acme")
	suspended.Status = roomkit.StatusSuspended
	nowhere := roomkit.Company{ID: "zinc", Partners: roomkit.ExternalAll}
	zinc := nowhere
	zinc.Licensed = true
	down := errors.New("down")
	for name, test := range map[string]struct {
		users     []roomkit.User
		companies []roomkit.Company
		err       error
		actor     roomkit.UserID
		is        error
	}{
		"a colleague":                        {[]roomkit.User{active("new", "acme")}, nil, nil, "ann", nil},
		"whose company stays as it is":       {[]roomkit.User{active("new", "acme")}, []roomkit.Company{{ID: "acme"}}, nil, "ann", nil},
		"of another company":                 {[]roomkit.User{active("new", "bolt")}, nil, nil, "ann", nil},
		"of a new company":                   {[]roomkit.User{active("new", "zinc")}, []roomkit.Company{zinc}, nil, "ann", nil},
		"of a company without a licence":     {[]roomkit.User{active("new", "zinc")}, []roomkit.Company{nowhere}, nil, "ann", roomkit.ErrDenied},
		"of a company that is not given":     {[]roomkit.User{active("new", "zinc")}, nil, nil, "ann", errOfHost},
		"suspended":                          {[]roomkit.User{suspended}, nil, nil, "ann", roomkit.ErrDenied},
		"malformed":                          {[]roomkit.User{{ID: "new", Company: "acme"}}, nil, nil, "ann", errOfHost},
		"nobody":                             {nil, nil, nil, "ann", roomkit.ErrDenied},
		"no answer":                          {nil, nil, down, "ann", down},
		"somebody else":                      {[]roomkit.User{active("other", "acme")}, nil, nil, "ann", roomkit.ErrDenied},
		"twice":                              {[]roomkit.User{active("new", "acme"), suspended}, nil, nil, "ann", nil},
		"the actor is not known yet, either": {[]roomkit.User{active("new", "acme"), active("novice", "acme")}, nil, nil, "novice", nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := proof.NewStage(t)
			svc, err := service.New(s.Store, &service.Options{
				Clock: s.Clock.Now, Policy: roomkit.Policy{AnyoneIsContact: true},
				Directory: lookup(func([]roomkit.UserID) ([]roomkit.User, []roomkit.Company, error) {
					return test.users, test.companies, test.err
				}),
			})
			require.NoError(t, err)
			before := s.Records()
			cmd := roomkit.CreateRoom{People: people("ben", "new"), Name: "made"}
			planned, planErr := svc.Plan(ctx, roomkit.By(test.actor), cmd)
			require.Equal(t, before, s.Records(), "nothing is stored")
			res, err := svc.Do(ctx, roomkit.By(test.actor), cmd)
			isError(t, test.is, err)
			require.Equal(t, err, planErr)
			require.Equal(t, res.Kind, planned.Kind)
			require.Equal(t, res.Changed, planned.Changed)
			require.Len(t, planned.Events, len(res.Events))
			for i := range res.Events {
				require.Equal(t, proof.NamedBy(res.Events[i]), proof.NamedBy(planned.Events[i]))
				require.Equal(t, res.Events[i].Info().Epoch, planned.Events[i].Info().Epoch)
			}
		})
	}
}

// TestOfferedIsAnError: nobody takes offered rooms for success, however a command is given.
func TestOfferedIsAnError(t *testing.T) {
	reports, mu := []service.CommandReport{}, sync.Mutex{}
	s := proof.NewStage(t, func(o *service.Options) {
		o.Observer.Command = func(_ context.Context, r service.CommandReport) {
			mu.Lock()
			defer mu.Unlock()
			reports = append(reports, r)
		}
	})
	reports = reports[:0]
	before := s.Records()
	cmd := roomkit.CreateRoom{People: people("ben", "cat")}
	want := s.Offers("ann", cmd)
	require.Len(t, want, 2)
	require.ErrorIs(t, reports[0].Err, roomkit.ErrOffered)
	require.False(t, reports[0].Changed)
	require.Equal(t, want, s.Offers("ann", cmd, service.Call{Key: "k"}))
	require.Equal(t, want, s.Offers("ann", cmd, service.Call{Key: "k"}), "the key is as good as new")
	for _, r := range s.Batch(ctx, roomkit.By("ann"), []roomkit.Command{cmd, cmd}, service.Call{Key: "k"}) {
		var offered *roomkit.Offered
		require.ErrorAs(t, r.Err, &offered)
		require.Equal(t, want, offered.Offers)
		require.Zero(t, r.Result)
	}
	require.Equal(t, before, s.Records())
	cmd.AllowDuplicate = true
	require.True(t, s.Does("ann", cmd, service.Call{Key: "k"}).Opened)
	require.True(t, s.Run("ann", cmd, service.Call{Key: "k"}).Repeat)
}

// TestAtOnce: what two commands of one group ask for is opened once.
func TestAtOnce(t *testing.T) {
	s := proof.NewStage(t)
	invite := roomkit.Invite{Room: s.General, People: people("fay"), Name: "joint"}
	opened := 0
	list := s.Batch(ctx, roomkit.By("ann"), []roomkit.Command{invite, invite, invite})
	for _, r := range list {
		require.NoError(t, r.Err)
		require.Equal(t, list[0].Result.Room, r.Result.Room)
		require.Equal(t, r.Result.Opened, r.Result.Changed)
		if r.Result.Opened {
			opened++
		}
	}
	require.Equal(t, 1, opened)

	synctest.Test(t, func(t *testing.T) {
		create := order{roomkit.By("ann"), roomkit.CreateRoom{People: people("dan", "adm")}}
		results := newGrouped(t).together(create, create)
		require.NoError(t, results[0].Err)
		require.ErrorIs(t, results[1].Err, roomkit.ErrOffered)
	})
}

// TestChooseOnBrokenStores: an error of the store or of the host is no answer.
func TestChooseOnBrokenStores(t *testing.T) {
	down := errors.New("down")
	for name, o := range map[string]*service.Options{
		"contacts": {Contacts: func(context.Context, roomkit.UserID, []roomkit.UserID) ([]roomkit.UserID, error) { return nil, down }},
		"directory": {Directory: lookup(func([]roomkit.UserID) ([]roomkit.User, []roomkit.Company, error) {
			return nil, nil, down
		})},
	} {
		t.Run(name, func(t *testing.T) {
			s := proof.NewStage(t)
			svc, err := service.New(s.Store, o)
			require.NoError(t, err)
			_, err = svc.Choose(ctx, roomkit.By("ann"), roomkit.Invite{Room: s.General}, people("ghost", "eve"))
			require.ErrorIs(t, err, down)
		})
	}
	t.Run("store", func(t *testing.T) {
		s := proof.NewStage(t)
		for call := range 2 {
			script := slices.Repeat([]storetest.Fault{storetest.FaultNone}, call)
			faulty := storetest.NewFaulty(s.Store, storetest.Plan{Script: map[storetest.Method][]storetest.Fault{
				storetest.MethodLoad: append(script, storetest.FaultBefore),
			}})
			svc, err := service.New(faulty, &service.Options{Policy: roomkit.Policy{AnyoneIsContact: true}})
			require.NoError(t, err)
			_, err = svc.Choose(ctx, roomkit.By("ann"), roomkit.Invite{Room: s.General}, people("eve"))
			require.ErrorIs(t, err, storetest.ErrInjected, "call %d", call)
		}
	})
}

// testTogether: where nobody decides about others, a command is refused for exactly those
// who would be refused alone, by the same rules.
func testTogether(t *rapid.T) {
	s := town(t)
	for _, id := range rapid.SliceOfNDistinct(rapid.SampledFrom(everybody), 0, 3, rapid.ID).Draw(t, "not permitted") {
		if id != "ann" { // who may give the commands
			_, _ = s.Do(ctx, roomkit.System(), roomkit.SetUserMessaging{User: id, With: roomkit.OutsiderPartner, Allow: new(false)})
		}
	}
	list := rapid.SliceOfNDistinct(rapid.SampledFrom(everybody), 1, 8, rapid.ID).Draw(t, "people")
	command := rapid.SampledFrom([]func([]roomkit.UserID) roomkit.Command{
		func(all []roomkit.UserID) roomkit.Command { return roomkit.Invite{Room: s.Group, People: all} },
		func(all []roomkit.UserID) roomkit.Command { return roomkit.Invite{Room: s.External, People: all} },
		func(all []roomkit.UserID) roomkit.Command { return roomkit.AppointMasters{Room: s.Group, People: all} },
		func(all []roomkit.UserID) roomkit.Command {
			return roomkit.AppointMasters{Room: s.External, People: all}
		},
		func(all []roomkit.UserID) roomkit.Command { return roomkit.CreateGroup{Name: "made", Members: all} },
		func(all []roomkit.UserID) roomkit.Command {
			return roomkit.CreateExternalGroup{Name: "made", Members: all, Masters: all}
		},
	}).Draw(t, "command")
	refusals := func(all ...roomkit.UserID) (told []string) {
		_, err := s.Plan(ctx, roomkit.By("ann"), command(all))
		var denied *roomkit.Denied
		if errors.As(err, &denied) {
			require.NotEmpty(t, denied.Against, "%v", denied)
			require.Equal(t, denied.People, slices.Sorted(slices.Values(denied.People)))
			for _, r := range denied.Against {
				told = append(told, r.String())
			}
		}
		return told
	}
	var alone []string
	for _, id := range list {
		for _, told := range refusals(id) {
			if !slices.Contains(alone, told) {
				alone = append(alone, told)
			}
		}
	}
	require.ElementsMatch(t, alone, refusals(list...))
}

func TestTogether(t *testing.T) { rapid.Check(t, testTogether) }

func FuzzTogether(f *testing.F) { f.Fuzz(rapid.MakeFuzz(testTogether)) }
