package service_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// trips is a store that counts what it is asked.
type trips struct {
	store.Store
	loads, pages int
}

func (c *trips) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	c.loads++
	return c.Store.Load(ctx, needs)
}

func (c *trips) Members(ctx context.Context, q store.MemberQuery) ([]roomkit.Member, error) {
	c.pages++
	return c.Store.Members(ctx, q)
}

func (c *trips) Users(ctx context.Context, q store.UserQuery) ([]roomkit.User, error) {
	c.pages++
	return c.Store.Users(ctx, q)
}

// TestScreen: rooms come in the order given, each as often as it was named, what the user
// may not know of with its id alone, and all of it in one round trip.
func TestScreen(t *testing.T) {
	s := proof.NewStage(t)
	s.Does("ann", roomkit.Edit{Room: s.Group, Photo: new("crew.png")})
	direct := s.Run("eve", roomkit.OpenDirect{With: "ben"}).Room
	ghost := roomkit.RoomID{7: 7}
	st := &trips{Store: s.Store}
	svc, err := service.New(st, nil)
	require.NoError(t, err)
	rooms := []roomkit.RoomID{s.External, direct, ghost, s.General, s.Self, s.Group, s.Direct, direct, s.Line, s.Team}
	views, err := svc.Screen(ctx, "ben", rooms...)
	require.NoError(t, err)
	require.Equal(t, trips{Store: s.Store, loads: 1}, *st)

	access, err := svc.Access(ctx, "ben", rooms...)
	require.NoError(t, err)
	for i := range views {
		require.Equal(t, access[i], views[i].Access, "room %d", i)
		views[i].Access = roomkit.Access{Room: views[i].Room}
	}
	active := func(v roomkit.RoomView) roomkit.RoomView { v.State = roomkit.StateActive; return v }
	withEve := active(roomkit.RoomView{Access: roomkit.Access{Room: direct}, WithPartners: true, Counts: roomkit.Counts{Participants: 2, Partners: 1}, People: people("eve")})
	require.Equal(t, []roomkit.RoomView{
		active(roomkit.RoomView{Access: roomkit.Access{Room: s.External}, Name: "project", Badge: true, WithPartners: true, Counts: roomkit.Counts{Participants: 4, Masters: 1, Partners: 1}}),
		withEve,
		{Access: roomkit.Access{Room: ghost}},
		active(roomkit.RoomView{Access: roomkit.Access{Room: s.General}, Counts: roomkit.Counts{Participants: 3}, People: people("ann", "cat")}),
		{Access: roomkit.Access{Room: s.Self}},
		active(roomkit.RoomView{Access: roomkit.Access{Room: s.Group}, Name: "crew", Photo: "crew.png", Badge: true, Counts: roomkit.Counts{Participants: 3, Masters: 1}}),
		active(roomkit.RoomView{Access: roomkit.Access{Room: s.Direct}, Counts: roomkit.Counts{Participants: 2}, People: people("ann")}),
		withEve,
		active(roomkit.RoomView{Access: roomkit.Access{Room: s.Line}, WithConsumers: true, Counts: roomkit.Counts{Participants: 3, Consumers: 1}, People: people("ann", "lin")}),
		active(roomkit.RoomView{Access: roomkit.Access{Room: s.Team}, Name: "sales", Badge: true, Counts: roomkit.Counts{Participants: 2}}),
	}, views)
	own, err := svc.Screen(ctx, "ann", s.Self)
	require.NoError(t, err)
	require.Empty(t, own[0].People)
	require.True(t, own[0].Can(roomkit.ActionPost))
}

// TestScreenOfSoManyRooms: MaxScreenRooms are a screen, one more is malformed.
func TestScreenOfSoManyRooms(t *testing.T) {
	s := proof.NewStage(t)
	rooms := make([]roomkit.RoomID, roomkit.MaxScreenRooms+1)
	for n := range rooms {
		binary.BigEndian.PutUint64(rooms[n][:], uint64(n)+1)
	}
	rooms[99] = s.Group
	views, err := s.Screen(ctx, "ann", rooms[:roomkit.MaxScreenRooms]...)
	require.NoError(t, err)
	require.Len(t, views, 100)
	require.Equal(t, "crew", views[99].Name)
	require.Equal(t, roomkit.RoomView{Access: roomkit.Access{Room: rooms[98]}}, views[98])
	namesField(t, "Rooms", second(s.Screen(ctx, "ann", rooms...)))
	namesField(t, "Room", second(s.Screen(ctx, "ann", s.Group, roomkit.RoomID{})))
	namesField(t, "User", second(s.Screen(ctx, "", s.Group)))
	views, err = s.Screen(ctx, "ann")
	require.NoError(t, err)
	require.Empty(t, views)
}

// TestScreenNamesWhoCounts: the people of a room without a name are the first others whose
// participation counts; a 1:1 room has the other party even when that one has left.
func TestScreenNamesWhoCounts(t *testing.T) {
	s := proof.NewStage(t)
	crew := proof.Crowd(t, s.Service, "u", 9)
	s.Does("ann", roomkit.Invite{Room: s.General, People: crew})
	for _, gone := range crew[:3] {
		s.Sys(roomkit.DeleteUser{User: gone})
	}
	s.Does("ben", roomkit.Leave{Room: s.Direct})
	views, err := s.Screen(ctx, "ann", s.General, s.Direct)
	require.NoError(t, err)
	require.Equal(t, append(people("ben", "cat"), crew[3:6]...), views[0].People)
	require.EqualValues(t, 12, views[0].Counts.Participants, "those whose account has ended are counted until the sweep")
	require.Equal(t, people("ben"), views[1].People)
	require.EqualValues(t, 1, views[1].Counts.Participants)
}

// TestScreenIsAccessRoomAndMembers: a screen says nothing else than the three questions
// that it stands for.
func TestScreenIsAccessRoomAndMembers(t *testing.T) {
	s := proof.NewStage(t)
	crew := proof.Crowd(t, s.Service, "u", 8)
	s.Does("ann", roomkit.Invite{Room: s.General, People: crew[:4]})
	abroad := s.Does("ann", roomkit.Invite{Room: s.General, People: people("eve"), Name: "with bolt"}).Room
	s.Does("ann", roomkit.Remove{Room: s.General, People: crew[3:4]})
	rooms := []roomkit.RoomID{s.Self, s.Direct, s.General, s.Group, s.External, s.Team, s.Line, abroad, {5: 5}}
	users := append(people("adm", "ann", "ben", "cat", "dan", "eve", "fay", "lin", "bot", "nobody"), crew...)
	steps := []roomkit.Command{
		roomkit.SuspendUser{User: "ben"}, roomkit.SuspendUser{User: "ben", Lift: true}, roomkit.DeleteUser{User: crew[1]}, roomkit.DeleteUser{User: crew[0]},
		roomkit.SetUserMessaging{User: "ben", With: roomkit.OutsiderPartner, Allow: new(false)},
	}
	rapid.Check(t, func(t *rapid.T) {
		if cmd := rapid.SampledFrom(steps).Draw(t, "step"); rapid.Bool().Draw(t, "something happens") {
			_, _ = s.Do(ctx, roomkit.System(), cmd)
		}
		user, some := rapid.SampledFrom(users).Draw(t, "user"), rapid.SliceOfN(rapid.SampledFrom(rooms), 0, 9).Draw(t, "rooms")
		views, err := s.Screen(ctx, user, some...)
		require.NoError(t, err)
		access, err := s.Access(ctx, user, some...)
		require.NoError(t, err)
		for i, v := range views {
			require.Equal(t, access[i], v.Access)
			row, err := s.Room(ctx, user, some[i])
			if err != nil {
				require.Equal(t, roomkit.RoomView{Access: v.Access, State: v.State}, v, "%v", err)
				require.Equal(t, v.Version > 0, v.State != roomkit.StateAbsent)
				continue
			}
			require.Equal(t, []any{row.Name, row.Photo, row.Counts, row.State}, []any{v.Name, v.Photo, v.Counts, v.State})
			require.Equal(t, []any{row.Kind.HasBadge(), row.Counts.Partners > 0, row.Counts.Consumers > 0}, []any{v.Badge, v.WithPartners, v.WithConsumers})
			require.Equal(t, titleOf(t, s.Service, user, row), v.People, "%s of %s", row.Kind, user)
		}
	})
}

// titleOf gives the people of a room without a name from the list of its members.
func titleOf(t proof.T, svc *service.Service, user roomkit.UserID, room roomkit.Room) (others []roomkit.UserID) {
	if room.Kind == roomkit.KindDirect {
		return slices.DeleteFunc(people(room.Parties[0], room.Parties[1]), func(id roomkit.UserID) bool { return id == user })
	}
	if room.Name == "" {
		others = slices.DeleteFunc(proof.Participants(t, svc, user, room.ID), func(id roomkit.UserID) bool { return id == user })
	}
	if len(others) == 0 {
		return nil
	}
	return others[:min(len(others), roomkit.MaxTitlePeople)]
}

// TestRemovalNotice: who is removed from a room without a name learns from the notice who
// is in it, from the event alone; a room with a name is told by it.
func TestRemovalNotice(t *testing.T) {
	s := proof.NewStage(t)
	crew := proof.Crowd(t, s.Service, "u", 9)
	s.Does("ann", roomkit.Invite{Room: s.General, People: crew})
	told := func(res service.Result, key roomkit.NoticeKey) (list [][]roomkit.UserID) {
		t.Helper()
		for _, n := range res.Notices {
			if n.Key == key {
				list = append(list, n.People)
			}
		}
		return list
	}
	removed := s.Does("ben", roomkit.Remove{Room: s.General, People: append(people("ann"), crew[:2]...)})
	among := people("ben", "cat", crew[2], crew[3], crew[4])
	require.Equal(t, [][]roomkit.UserID{among, among, among}, told(removed, roomkit.NoticeRemoved))
	require.Equal(t, removed.Notices[0], roomkit.NoticesOf(removed.Events[0])[0])
	s.Sys(roomkit.DeleteUser{User: "cat"})
	last := s.Does("ben", roomkit.Remove{Room: s.General, People: crew[2:4]})
	among = append(people("ben"), crew[4:7]...)
	require.Equal(t, [][]roomkit.UserID{among, among}, told(last, roomkit.NoticeRemoved), "whose account has ended is not there")
	s.Does("ben", roomkit.Edit{Room: s.General, Name: new("lunch")})
	named := s.Does("ben", roomkit.Remove{Room: s.General, People: crew[4:5]})
	require.Equal(t, [][]roomkit.UserID{nil}, told(named, roomkit.NoticeRemoved))
	require.Equal(t, "lunch", named.Notices[0].Params["name"])

	s.Permit("dan", false)
	room := proof.General(t, s.Service, "adm", "ann", "ben", "dan")
	dropped := s.Does("adm", roomkit.Convert{Room: room, To: roomkit.KindExternalGroup, Name: "abroad"})
	require.Equal(t, [][]roomkit.UserID{people("adm", "ann", "ben")}, told(dropped, roomkit.NoticeDropped), "the room had no name")
}

// TestManyDropped: the notices of a conversion that drops more people than fit into an
// event name only those who stay.
func TestManyDropped(t *testing.T) {
	s := proof.NewStage(t)
	var users []roomkit.User
	var crew []roomkit.UserID
	for i := range roomkit.MaxPeople + 10 {
		crew = append(crew, roomkit.UserID(fmt.Sprintf("a%03d", i)))
		users = append(users, roomkit.User{ID: crew[i], Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive})
	}
	proof.AddUsers(t, s.Service, users...)
	proof.Fill(t, s.Service, s.General, crew)
	res := s.Does("ann", roomkit.Convert{Room: s.General, To: roomkit.KindExternalGroup, Name: "abroad"})
	require.Len(t, res.Dropped, len(crew))
	for _, n := range res.Notices {
		if n.Key == roomkit.NoticeDropped {
			require.Equal(t, people("ann", "ben", "cat"), n.People, "%s", n.To)
		}
	}
}

// TestRemovalNoticeInAGroup: commands that go to the store together, one decided on what
// the others make of the room, name nobody who has gone before.
func TestRemovalNoticeInAGroup(t *testing.T) {
	s := proof.NewStage(t)
	crew := proof.Crowd(t, s.Service, "a", 60) // before everybody else in byte order
	s.Does("ann", roomkit.Invite{Room: s.General, People: crew})
	var cmds []roomkit.Command
	for _, id := range crew {
		cmds = append(cmds, roomkit.Remove{Room: s.General, People: people(id)})
	}
	for _, r := range s.Batch(ctx, roomkit.By("ann"), cmds) {
		require.NoError(t, r.Err)
	}
	present := map[roomkit.UserID]bool{}
	named := 0
	for e, err := range s.History(ctx, "ann", s.General, service.HistoryList{}) {
		require.NoError(t, err)
		switch e := e.(type) {
		case *roomkit.MemberJoined:
			for _, p := range e.People {
				present[p.User] = true
			}
		case *roomkit.MemberLeft:
			for _, p := range e.People {
				delete(present, p.User)
			}
			for _, id := range e.Among {
				require.True(t, present[id], "version %d: %s has gone before", e.Version, id)
				named++
			}
			require.NotEmpty(t, e.Among, "version %d", e.Version)
		default:
		}
	}
	require.Greater(t, named, 60)
}

// TestScreenBehindTheLost: people who have lost their part in a room without a name hide
// none of those who have it.
func TestScreenBehindTheLost(t *testing.T) {
	for _, lost := range []int{5, 14, 50} {
		s := proof.NewStage(t)
		var everybody []roomkit.UserID
		for i := range lost + 6 {
			u := active(roomkit.UserID(fmt.Sprintf("a%02d", i)), "acme")
			proof.AddUsers(t, s.Service, u)
			everybody = append(everybody, u.ID)
		}
		room := s.Does("ann", roomkit.CreateRoom{People: everybody, AllowDuplicate: true}).Room
		for _, id := range everybody[:lost] {
			s.Sys(roomkit.DeleteUser{User: id})
		}
		views, err := s.Screen(ctx, "ann", s.General, room)
		require.NoError(t, err)
		require.Equal(t, everybody[lost:lost+roomkit.MaxTitlePeople], views[1].People, "%d are lost", lost)
	}
}
