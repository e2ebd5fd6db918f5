package rules_test

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/storetest"
)

// What users of other chat servers, SDKs and event stores have suffered from, as
// the public threads named here tell. Each subtest is the same situation here.

// meanwhile is a store on which something happens right before the next commit.
type meanwhile struct {
	store.Store
	do func()
}

func (m *meanwhile) Unwrap() store.Store { return m.Store }

func (m *meanwhile) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	if do := m.do; do != nil {
		m.do = nil
		do()
	}
	return m.Store.Commit(ctx, changes)
}

// late gives a service whose next command is decided before then and committed
// after it.
func late(s *proof.Stage, attempts int, then func()) *service.Service {
	svc, err := service.New(&meanwhile{s.Store, then}, &service.Options{Clock: s.Clock.Now, Attempts: attempts})
	require.NoError(s, err)
	return svc
}

func TestIncidentsOfRaces(t *testing.T) {
	// nextcloud/spreed#3601
	t.Run("two moderators who go at the same time leave one behind", func(t *testing.T) {
		s := proof.NewStage(t)
		s.Does("ann", roomkit.AppointMasters{Room: s.External, People: people("ben")})
		svc := late(s, 0, func() { s.Does("ben", roomkit.DismissMasters{Room: s.External, People: people("ben")}) })
		_, err := svc.Do(ctx, roomkit.By("ann"), roomkit.DismissMasters{Room: s.External, People: people("ann")})
		proof.Refused(t, "EXT-27", err)
		require.EqualValues(t, 1, s.RoomOf("ann", s.External).Masters)
	})
	// hmans/chatto PR#672
	t.Run("two joins of one person at the same time are one membership and one event", func(t *testing.T) {
		s := proof.NewStage(t)
		room := proof.Open(s, s.Service, roomkit.Actions(roomkit.ActionInvite), "ben", "cat")
		invite := roomkit.Invite{Room: room, People: people("dan")}
		svc := late(s, 0, func() { s.Does("ben", invite) })
		require.False(t, proof.Do(t, svc, roomkit.By("ann"), invite).Changed, "it was so already")
		joined := slices.DeleteFunc(proof.Recorded[*roomkit.MemberJoined](s, room), func(e *roomkit.MemberJoined) bool {
			return !slices.Contains(proof.NamedBy(e), "dan")
		})
		require.Len(t, joined, 1)
		require.Equal(t, people("ann", "ben", "cat", "dan"), s.Inside("ann", room))
		require.EqualValues(t, 4, s.RoomOf("ann", room).Participants)
	})
	// Eventuous/eventuous#553
	t.Run("a write that came too late is a conflict, never silently dropped", func(t *testing.T) {
		s := proof.NewStage(t)
		second := proof.AnyEdit(s, s.Service, "ann", s.General, "second")
		svc := late(s, 1, func() { proof.Touch(s, s.Service, "ben", s.General) })
		before, was := s.Records(), s.RoomOf("ann", s.General)
		_, err := svc.Do(ctx, roomkit.By("ann"), second)
		require.ErrorIs(t, err, roomkit.ErrConflict)
		require.Equal(t, before+1, s.Records())
		require.Equal(t, was.Version+1, s.RoomOf("ann", s.General).Version)
	})
	// eugene-khyst/postgresql-event-sourcing#2, #16; Eventuous/eventuous#222;
	// NEventStore/NEventStore.Persistence.SQL#21; kamu-data/kamu-cli#1398
	t.Run("a reader does not go past an event that is committed late", func(t *testing.T) {
		s := proof.NewStage(t)
		at := proof.Touch(t, s.Service, "ann", s.Group).Cursor
		var told []roomkit.CommandID
		read := func() {
			for rec, err := range s.Feed(ctx, at) {
				require.NoError(t, err)
				told, at = append(told, rec.Command), rec.Cursor
			}
		}
		from := at
		svc := late(s, 0, func() { proof.Touch(t, s.Service, "ben", s.General); read() })
		proof.Touch(t, svc, "ann", s.Group)
		read()
		var all []roomkit.CommandID
		for rec, err := range s.Feed(ctx, from) {
			require.NoError(t, err)
			all = append(all, rec.Command)
		}
		require.Len(t, all, 2)
		require.Equal(t, all, told)
	})
}

func TestIncidentsOfCommits(t *testing.T) {
	failing := func(s *proof.Stage) (*service.Service, *storetest.Faulty) {
		faulty := storetest.NewFaulty(s.Store, storetest.Plan{Script: map[storetest.Method][]storetest.Fault{
			storetest.MethodCommit: {storetest.FaultBefore},
		}})
		svc, err := service.New(faulty, &service.Options{Clock: s.Clock.Now})
		require.NoError(t, err)
		return svc, faulty
	}
	// mattermost/mattermost#9796
	t.Run("a direct room comes into being with its people and events, or not at all", func(t *testing.T) {
		s := proof.NewStage(t)
		svc, faulty := failing(s)
		before, room := s.Records(), roomkit.DirectRoom("ann", "dan")
		_, err := svc.Do(ctx, roomkit.By("ann"), roomkit.OpenDirect{With: "dan"})
		require.ErrorIs(t, err, storetest.ErrInjected)
		s.Cannot("", "ann", room, roomkit.ActionSeeRoom)
		require.Equal(t, before, s.Records())
		proof.Do(t, svc, roomkit.By("ann"), roomkit.OpenDirect{With: "dan"})
		require.Equal(t, 2, faulty.Calls(storetest.MethodCommit), "one commit for all of it")
		require.Equal(t, people("ann", "dan"), s.Inside("dan", room))
		require.Equal(t, before+2, s.Records())
	})
	// processone/ejabberd#4614
	t.Run("a right that was not taken away is not reported as taken", func(t *testing.T) {
		s := proof.NewStage(t)
		svc, _ := failing(s)
		room := s.Where("ann", roomkit.Actions(roomkit.ActionRemove), s.Group, s.General, s.External)
		remove := roomkit.Remove{Room: room, People: people("ben")}
		_, err := svc.Do(ctx, roomkit.By("ann"), remove)
		require.Error(t, err)
		require.True(t, s.Row("ben", room).Participant)
		require.True(t, proof.Do(t, svc, roomkit.By("ann"), remove).Changed)
		again, err := service.New(s.Store, nil)
		require.NoError(t, err)
		require.ErrorIs(t, again.Check(ctx, "ben", roomkit.ActionPost, room), roomkit.ErrNotFound, "nor does it come back")
	})
}

func TestIncidentsOfMembership(t *testing.T) {
	// esl/MongooseIM#4780
	t.Run("the last owner and the last person are two cases", func(t *testing.T) {
		s := proof.NewStage(t)
		if s.MayGo(s.External, "eve") {
			s.Out(s.External, "ben", "cat", "eve")
		}
		s.Denies("EXT-27", "ann", roomkit.DismissMasters{Room: s.External, People: people("ann")})
		s.Out(s.General, "cat")
		s.Out(s.General, "ben")
		s.Sys(roomkit.DeleteUser{User: "ann"})
		s.Sweep()
		require.Len(t, proof.Recorded[*roomkit.RoomEnded](s, s.General), 1)
	})
	// RocketChat/Rocket.Chat#18506, #18659, #24934
	t.Run("who is the last owner of a room can be offboarded, and a dry run tells", func(t *testing.T) {
		s := proof.NewStage(t)
		masterless := map[roomkit.RoomID]bool{}
		for c, err := range s.PlanConsequences(ctx, roomkit.By("adm"), roomkit.DeleteUser{User: "ann"}) {
			require.NoError(t, err)
			masterless[c.Room] = c.Masterless
		}
		require.True(t, masterless[s.Group])
		require.True(t, masterless[s.External])
		require.False(t, masterless[s.General])
		s.Does("adm", roomkit.DeleteUser{User: "ann"})
		s.Sweep()
		s.Does("adm", roomkit.AppointMasters{Room: s.Group, People: people("ben")})
		require.True(t, s.AccessOf("ben", s.Group).Standing.Has(roomkit.StandingMaster))
	})
	// HushChat/hush-chat#610
	t.Run("an administrator of a room who goes and comes back is none", func(t *testing.T) {
		s := proof.NewStage(t)
		room := s.Where("ann", roomkit.Actions(roomkit.ActionInvite, roomkit.ActionRemove, roomkit.ActionAppointMaster), s.External, s.Group)
		s.Does("ann", roomkit.AppointMasters{Room: room, People: people("ben")})
		s.Out(room, "ben")
		s.Does("ann", roomkit.Invite{Room: room, People: people("ben")})
		require.False(t, s.Row("ben", room).Master)
	})
	// GetStream/stream-chat-js#311, GetStream/stream-node#76,
	// GetStream/stream-chat-swift#2190
	t.Run("a set of participants is no identity", func(t *testing.T) {
		s := proof.NewStage(t)
		second := proof.General(t, s.Service, "ann", "ben", "cat")
		require.NotEqual(t, s.General, second)
		third := proof.General(t, s.Service, "ann", "ben", "cat", "dan")
		s.Out(third, "dan")
		require.Equal(t, people("ann", "ben", "cat"), s.Inside("ann", third))
		require.Subset(t, s.Offered("ann", roomkit.AudienceMembers, "ben", "cat"), []roomkit.RoomID{s.General, second, third})
	})
	// IBM/mcp-context-forge#959, 1024pix/pix#1932
	t.Run("who was removed can be added again, for a new period of the same membership", func(t *testing.T) {
		s := proof.NewStage(t)
		room := s.Where("ann", roomkit.Actions(roomkit.ActionInvite, roomkit.ActionRemove), s.Group, s.General, s.External)
		s.Does("ann", roomkit.Remove{Room: room, People: people("ben")})
		s.Does("ann", roomkit.Invite{Room: room, People: people("ben")})
		row := s.Row("ben", room)
		require.True(t, row.Participant)
		require.EqualValues(t, 2, row.Period)
	})
	// element-hq/element-web#23180
	t.Run("who may read the past changes from now on, not for the past", func(t *testing.T) {
		s := proof.NewStage(t)
		needs := roomkit.Actions(roomkit.ActionInvite, roomkit.ActionShareHistory, roomkit.ActionEnter)
		room := s.Where("ann", needs, s.External, s.Group, s.General)
		s.Does("ann", roomkit.Invite{Room: room, People: people("dan")})
		s.Does("ann", roomkit.Edit{Room: room, HistorySharing: new(true)})
		s.Does("ann", roomkit.Invite{Room: room, People: people("adm")})
		require.Equal(t, s.Row("dan", room).JoinedVersion, s.AccessOf("dan", room).ReadFrom.Version)
		require.True(t, s.AccessOf("adm", room).ReadFrom.All)
		s.Does("ann", roomkit.Edit{Room: room, HistorySharing: new(false)})
		require.True(t, s.AccessOf("adm", room).ReadFrom.All)
	})
}

func TestIncidentsOfEvents(t *testing.T) {
	// GetStream/stream-chat-js#1761
	t.Run("an event that comes twice is counted once", func(t *testing.T) {
		s := proof.NewStage(t)
		before := s.RoomOf("ann", s.General)
		s.Out(s.General, "ben")
		left := proof.Recorded[*roomkit.MemberLeft](s, s.General)
		require.Len(t, left, 1)
		once := before.Apply(left[0])
		require.Equal(t, s.RoomOf("ann", s.General), once)
		require.EqualValues(t, 2, once.Participants)
		require.Equal(t, once.Counts, once.Apply(left[0]).Counts)
		require.Equal(t, once.Version, left[0].Version, "the version tells that it has been applied")
	})
	// discord/discord-api-docs#56, #114, #756;
	// RocketChat/Rocket.Chat.Apps-engine PR#387, RocketChat/Rocket.Chat PR#32724
	t.Run("leaving, being removed and losing the account tell who did it and why", func(t *testing.T) {
		s := proof.NewStage(t)
		left := s.Where("ben", roomkit.Actions(roomkit.ActionLeave), s.Direct, proof.General(s, s.Service, "ann", "ben", "dan"))
		removed := s.Where("ann", roomkit.Actions(roomkit.ActionRemove), s.Group, s.External)
		s.Does("ben", roomkit.Leave{Room: left})
		s.Does("ann", roomkit.Remove{Room: removed, People: people("ben")})
		s.Does("adm", roomkit.DeleteUser{User: "cat"})
		s.Sweep()
		for room, want := range map[roomkit.RoomID][]roomkit.Meta{
			left:    {{Actor: roomkit.By("ben"), Cause: roomkit.CauseSelf}},
			s.Team:  {{Actor: roomkit.System(), Cause: roomkit.CauseAccount}},
			removed: {{Actor: roomkit.By("ann"), Cause: roomkit.CauseRemoved}, {Actor: roomkit.System(), Cause: roomkit.CauseAccount}},
		} {
			var told []roomkit.Meta
			for _, e := range proof.Recorded[*roomkit.MemberLeft](s, room) {
				told = append(told, roomkit.Meta{Actor: e.Actor, Cause: e.Cause})
			}
			require.Equal(t, want, told)
		}
	})
	// RocketChat/Rocket.Chat#25096
	t.Run("somebody removed by an administrator has left for every listener", func(t *testing.T) {
		s := proof.NewStage(t)
		room := s.Where("ann", roomkit.Actions(roomkit.ActionRemove), s.Group, s.External, s.General)
		s.Does("ann", roomkit.Remove{Room: room, People: people("ben")})
		left := proof.Recorded[*roomkit.MemberLeft](s, room)
		require.Len(t, left, 1)
		require.Equal(t, people("ben"), proof.NamedBy(left[0]))
		require.Equal(t, roomkit.By("ann"), left[0].Actor)
	})
}
