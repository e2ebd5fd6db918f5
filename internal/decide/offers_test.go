package decide

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// TestOffersOfBothAudiences: what the same facts have said of rooms of colleagues says nothing
// of those with outsiders, in which whoever has no permission is not listed (ADM-06, EXT-22).
func TestOffersOfBothAudiences(t *testing.T) {
	room := func(id byte, kind roomkit.Kind, consumers int64) roomkit.RoomEntry {
		return roomkit.RoomEntry{Room: roomkit.Room{
			ID: roomkit.RoomID{id}, Version: 1, Company: "acme", Kind: kind, State: roomkit.StateActive,
			Counts: roomkit.Counts{Participants: 3, Consumers: consumers},
		}}
	}
	member := func(id roomkit.UserID) roomkit.User {
		return roomkit.User{
			ID: id, Version: 1, Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Partners: true, Consumers: true,
		}
	}
	cases := map[string]struct {
		change   func(ben *roomkit.User)
		external []byte
	}{
		"all are permitted":   {func(*roomkit.User) {}, []byte{2, 3}},
		"ADM-06 no consumers": {func(ben *roomkit.User) { ben.Consumers = false }, []byte{3}},
		"EXT-22 no partners":  {func(ben *roomkit.User) { ben.Partners = false }, []byte{2}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			all, others := []roomkit.UserID{"ann", "ben", "cat"}, []roomkit.UserID{"ben", "cat"}
			f := &Facts{Need: store.Need{People: all, Shared: all}, Facts: store.Facts{
				Users: []roomkit.User{member("ann"), member("ben"), member("cat")},
				Companies: []roomkit.Company{{
					ID: "acme", Version: 1, Licensed: true, Partners: roomkit.ExternalSelected, Consumers: roomkit.ExternalSelected,
				}},
				Shared: []roomkit.RoomEntry{room(1, roomkit.KindGeneral, 0), room(2, roomkit.KindGeneral, 1), room(3, roomkit.KindExternalGroup, 0)},
			}}
			c.change(&f.Users[1])
			rooms := func(audience roomkit.Audience) (ids []byte) {
				offers, look := Recommend(f, "ann", others, audience, false)
				require.Nil(t, look)
				for _, o := range offers {
					ids = append(ids, o.Room.ID[0])
				}
				return ids
			}
			for range 2 {
				require.Equal(t, []byte{1}, rooms(roomkit.AudienceMembers))
				require.Equal(t, c.external, rooms(roomkit.AudienceExternal))
			}
		})
	}
}
