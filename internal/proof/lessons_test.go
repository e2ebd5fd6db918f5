package proof_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
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
func (s *stageOf) late(attempts int, then func()) *service.Service {
	svc, err := service.New(&meanwhile{s.store, then}, &service.Options{Clock: s.clock.Now, Attempts: attempts})
	require.NoError(s, err)
	return svc
}

func (s *stageOf) cursor() (at roomkit.Cursor) {
	for rec, err := range s.Feed(ctx, "") {
		require.NoError(s, err)
		at = rec.Cursor
	}
	return at
}

func TestLessonsOfRaces(t *testing.T) {
	// nextcloud/spreed#3601
	t.Run("two moderators who go at the same time leave one behind", func(t *testing.T) {
		s := newStage(t)
		s.does("ann", roomkit.AppointMasters{Room: s.external, People: people("ben")})
		svc := s.late(0, func() { s.does("ben", roomkit.DismissMasters{Room: s.external, People: people("ben")}) })
		_, err := svc.Do(ctx, roomkit.By("ann"), roomkit.DismissMasters{Room: s.external, People: people("ann")})
		var d *roomkit.Denied
		require.ErrorAs(t, err, &d)
		require.Equal(t, roomkit.Rule("EXT-27"), d.Rule)
		require.EqualValues(t, 1, s.room("ann", s.external).Masters)
	})
	// hmans/chatto PR#672
	t.Run("two joins of one person at the same time are one membership and one event", func(t *testing.T) {
		s := newStage(t)
		invite := roomkit.Invite{Room: s.general, People: people("dan")}
		svc := s.late(0, func() { s.does("ben", invite) })
		require.False(t, mustDo(t, svc, roomkit.By("ann"), invite).Changed, "it was so already")
		joined := slices.DeleteFunc(recorded[*roomkit.MemberJoined](s, s.general), func(e *roomkit.MemberJoined) bool {
			return !slices.Contains(namedBy(e), "dan")
		})
		require.Len(t, joined, 1)
		require.Equal(t, people("ann", "ben", "cat", "dan"), s.inside("ann", s.general))
		require.EqualValues(t, 4, s.room("ann", s.general).Participants)
	})
	// Eventuous/eventuous#553
	t.Run("a write that came too late is a conflict, never silently dropped", func(t *testing.T) {
		s := newStage(t)
		svc := s.late(1, func() { s.does("ben", roomkit.Edit{Room: s.general, Name: text("first")}) })
		before := s.records()
		_, err := svc.Do(ctx, roomkit.By("ann"), roomkit.Edit{Room: s.general, Name: text("second")})
		require.ErrorIs(t, err, roomkit.ErrConflict)
		require.Equal(t, before+1, s.records())
		require.Equal(t, "first", s.room("ann", s.general).Name)
	})
	// eugene-khyst/postgresql-event-sourcing#2, #16; Eventuous/eventuous#222;
	// NEventStore/NEventStore.Persistence.SQL#21; kamu-data/kamu-cli#1398
	t.Run("a reader does not go past an event that is committed late", func(t *testing.T) {
		s := newStage(t)
		at := s.cursor()
		var told []string
		read := func() {
			for rec, err := range s.Feed(ctx, at) {
				require.NoError(t, err)
				told, at = append(told, place(rec.Record)), rec.Cursor
			}
		}
		from := at
		svc := s.late(0, func() { s.does("ben", roomkit.Edit{Room: s.general, Name: text("early")}); read() })
		mustDo(t, svc, roomkit.By("ann"), roomkit.Edit{Room: s.group, Name: text("late")})
		read()
		var all []string
		for rec, err := range s.Feed(ctx, from) {
			require.NoError(t, err)
			all = append(all, place(rec.Record))
		}
		require.Len(t, all, 2)
		require.Equal(t, all, told)
	})
}

func TestLessonsOfCommits(t *testing.T) {
	failing := func(s *stageOf) (*service.Service, *storetest.Faulty) {
		faulty := storetest.NewFaulty(s.store, storetest.Plan{Script: map[storetest.Method][]storetest.Fault{
			storetest.MethodCommit: {storetest.FaultBefore},
		}})
		svc, err := service.New(faulty, &service.Options{Clock: s.clock.Now})
		require.NoError(t, err)
		return svc, faulty
	}
	// mattermost/mattermost#9796
	t.Run("a direct room comes into being with its people and events, or not at all", func(t *testing.T) {
		s := newStage(t)
		svc, faulty := failing(s)
		before, room := s.records(), roomkit.DirectRoom("ann", "dan")
		_, err := svc.Do(ctx, roomkit.By("ann"), roomkit.OpenDirect{With: "dan"})
		require.ErrorIs(t, err, storetest.ErrInjected)
		s.cannot("", "ann", room, roomkit.ActionSeeRoom)
		require.Equal(t, before, s.records())
		mustDo(t, svc, roomkit.By("ann"), roomkit.OpenDirect{With: "dan"})
		require.Equal(t, 2, faulty.Calls(storetest.MethodCommit), "one commit for all of it")
		require.Equal(t, people("ann", "dan"), s.inside("dan", room))
		require.Equal(t, before+2, s.records())
	})
	// processone/ejabberd#4614
	t.Run("a right that was not taken away is not reported as taken", func(t *testing.T) {
		s := newStage(t)
		svc, _ := failing(s)
		remove := roomkit.Remove{Room: s.general, People: people("ben")}
		_, err := svc.Do(ctx, roomkit.By("ann"), remove)
		require.Error(t, err)
		s.can("ben", s.general, roomkit.ActionPost)
		require.True(t, mustDo(t, svc, roomkit.By("ann"), remove).Changed)
		again, err := service.New(s.store, nil)
		require.NoError(t, err)
		require.ErrorIs(t, again.Check(ctx, "ben", roomkit.ActionPost, s.general), roomkit.ErrNotFound, "nor does it come back")
	})
}

func TestLessonsOfMembership(t *testing.T) {
	// esl/MongooseIM#4780
	t.Run("the last owner and the last person are two cases", func(t *testing.T) {
		s := newStage(t)
		s.does("ann", roomkit.Remove{Room: s.external, People: people("ben", "cat", "eve")})
		s.denies("EXT-27", "ann", roomkit.DismissMasters{Room: s.external, People: people("ann")})
		for _, last := range people("ann", "ben", "cat") {
			s.does(last, roomkit.Leave{Room: s.general})
		}
		require.Len(t, recorded[*roomkit.RoomEnded](s, s.general), 1)
	})
	// RocketChat/Rocket.Chat#18506, #18659, #24934
	t.Run("who is the last owner of a room can be offboarded, and a dry run tells", func(t *testing.T) {
		s := newStage(t)
		masterless := map[roomkit.RoomID]bool{}
		for c, err := range s.PlanConsequences(ctx, roomkit.By("adm"), roomkit.DeleteUser{User: "ann"}) {
			require.NoError(t, err)
			masterless[c.Room] = c.Masterless
		}
		require.True(t, masterless[s.group])
		require.True(t, masterless[s.external])
		require.False(t, masterless[s.general])
		s.does("adm", roomkit.DeleteUser{User: "ann"})
		s.enforce()
		s.does("adm", roomkit.AppointMasters{Room: s.group, People: people("ben")})
		s.can("ben", s.group, roomkit.ActionInvite)
	})
	// HushChat/hush-chat#610
	t.Run("an administrator of a room who goes and comes back is none", func(t *testing.T) {
		s := newStage(t)
		s.does("ann", roomkit.AppointMasters{Room: s.external, People: people("ben")})
		s.does("ann", roomkit.Remove{Room: s.external, People: people("ben")})
		s.does("ann", roomkit.Invite{Room: s.external, People: people("ben")})
		require.False(t, s.row("ben", s.external).Master)
	})
	// GetStream/stream-chat-js#311, GetStream/stream-node#76,
	// GetStream/stream-chat-swift#2190
	t.Run("a set of participants is no identity", func(t *testing.T) {
		s := newStage(t)
		second := newGeneral(t, s.Service, "ann", "ben", "cat")
		require.NotEqual(t, s.general, second)
		require.Subset(t, s.offered("ann", roomkit.AudienceMembers, "ben", "cat"), []roomkit.RoomID{s.general, second})
		s.does("ann", roomkit.Invite{Room: second, People: people("dan")})
		require.Equal(t, people("ann", "ben", "cat", "dan"), s.inside("ann", second))
		s.does("ann", roomkit.Remove{Room: second, People: people("dan")})
		require.Subset(t, s.offered("ann", roomkit.AudienceMembers, "ben", "cat"), []roomkit.RoomID{s.general, second})
	})
	// IBM/mcp-context-forge#959, 1024pix/pix#1932
	t.Run("who was removed can be added again, for a new period of the same membership", func(t *testing.T) {
		s := newStage(t)
		s.does("ann", roomkit.Remove{Room: s.group, People: people("ben")})
		s.does("ann", roomkit.Invite{Room: s.group, People: people("ben")})
		row := s.row("ben", s.group)
		require.True(t, row.Participant)
		require.EqualValues(t, 2, row.Period)
	})
	// element-hq/element-web#23180
	t.Run("who may read the past changes from now on, not for the past", func(t *testing.T) {
		s := newStage(t)
		s.does("ann", roomkit.Invite{Room: s.external, People: people("dan")})
		s.does("ann", roomkit.Edit{Room: s.external, HistorySharing: on()})
		s.does("ann", roomkit.Invite{Room: s.external, People: people("adm")})
		require.Equal(t, s.row("dan", s.external).JoinedVersion, s.access("dan", s.external).ReadFrom.Version)
		require.True(t, s.access("adm", s.external).ReadFrom.All)
		s.does("ann", roomkit.Edit{Room: s.external, HistorySharing: off()})
		require.True(t, s.access("adm", s.external).ReadFrom.All)
	})
}

func TestLessonsOfEvents(t *testing.T) {
	// GetStream/stream-chat-js#1761
	t.Run("an event that comes twice is counted once", func(t *testing.T) {
		s := newStage(t)
		before := s.room("ann", s.general)
		res := s.does("ann", roomkit.Remove{Room: s.general, People: people("ben")})
		left := eventsOf[*roomkit.MemberLeft](res.Events)
		require.Len(t, left, 1)
		once := before.Apply(left[0])
		require.Equal(t, s.room("ann", s.general), once)
		require.EqualValues(t, 2, once.Participants)
		require.Equal(t, once.Counts, once.Apply(left[0]).Counts)
		require.Equal(t, once.Version, left[0].Version, "the version tells that it has been applied")
	})
	// GetStream/stream-chat-js#1761
	t.Run("who is removed is told so, and nothing after it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newStage(t)
			types, err := watched("ben", []roomkit.RoomID{s.general}, s.Service, func() {
				s.does("ann", roomkit.Remove{Room: s.general, People: people("ben")})
				s.does("ann", roomkit.Edit{Room: s.general, Name: text("secret")})
			})
			require.NoError(t, err)
			require.Equal(t, []string{"member.left"}, types)
		})
	})
	// discord/discord-api-docs#56, #114, #756;
	// RocketChat/Rocket.Chat.Apps-engine PR#387, RocketChat/Rocket.Chat PR#32724
	t.Run("leaving, being removed and losing the account tell who did it and why", func(t *testing.T) {
		s := newStage(t)
		s.does("ben", roomkit.Leave{Room: s.general})
		s.does("ann", roomkit.Remove{Room: s.group, People: people("ben")})
		s.does("adm", roomkit.DeleteUser{User: "cat"})
		s.enforce()
		for room, want := range map[roomkit.RoomID][]roomkit.Meta{
			s.general: {{Actor: roomkit.By("ben"), Cause: roomkit.CauseSelf}, {Actor: roomkit.System(), Cause: roomkit.CauseAccount}},
			s.group:   {{Actor: roomkit.By("ann"), Cause: roomkit.CauseRemoved}, {Actor: roomkit.System(), Cause: roomkit.CauseAccount}},
		} {
			var told []roomkit.Meta
			for _, e := range recorded[*roomkit.MemberLeft](s, room) {
				told = append(told, roomkit.Meta{Actor: e.Actor, Cause: e.Cause})
			}
			require.Equal(t, want, told)
		}
	})
	// RocketChat/Rocket.Chat#25096
	t.Run("somebody removed by an administrator has left for every listener", func(t *testing.T) {
		s := newStage(t)
		s.does("adm", roomkit.Remove{Room: s.group, People: people("ben")})
		left := recorded[*roomkit.MemberLeft](s, s.group)
		require.Len(t, left, 1)
		require.Equal(t, people("ben"), namedBy(left[0]))
		require.Equal(t, roomkit.By("adm"), left[0].Actor)
	})
}
