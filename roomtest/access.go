package roomtest

import (
	"slices"
	"testing" //nolint:depguard // a kit for tests

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

// RequireWhoMay demands that of everybody whom the store knows exactly these may take an
// action in a room at this moment, for instance roomkit.ActionPost; without users, that
// nobody may.
func RequireWhoMay(t testing.TB, svc *service.Service, room roomkit.RoomID, action roomkit.Action, users ...roomkit.UserID) {
	t.Helper()
	requireWho(t, svc, room, action.String(), users, func(user roomkit.UserID, a *roomkit.Access) (bool, string) {
		if a.Can(action) {
			return true, ""
		}
		return false, outcome(svc.Check(background, user, action, room))
	})
}

// RequireWhoReads demands that of everybody whom the store knows exactly these may read, at
// this moment, a message that was written at a version of the room: that of the Access by
// which its author could post.
func RequireWhoReads(t testing.TB, svc *service.Service, room roomkit.RoomID, written roomkit.Version, users ...roomkit.UserID) {
	t.Helper()
	requireWho(t, svc, room, "read", users, func(user roomkit.UserID, a *roomkit.Access) (bool, string) {
		if !a.Can(roomkit.ActionEnter) {
			return false, outcome(svc.Check(background, user, roomkit.ActionEnter, room))
		}
		return a.MayRead(written), "reads from a later version on"
	})
}

// requireWho asks for everybody; may gives the reason if not.
func requireWho(
	t testing.TB, svc *service.Service, room roomkit.RoomID, what string, wanted []roomkit.UserID,
	may func(roomkit.UserID, *roomkit.Access) (bool, string),
) {
	t.Helper()
	everybody := known(t, svc)
	var wrong []string
	for _, id := range wanted {
		if !slices.Contains(everybody, id) {
			wrong = append(wrong, string(id)+" is not known")
		}
	}
	for _, id := range everybody {
		access, err := svc.Access(background, id, room)
		if err != nil {
			t.Fatalf("roomtest: who may %s cannot be found out: %s; is the store healed?", what, line(err))
		}
		is, why := may(id, &access[0])
		switch named := slices.Contains(wanted, id); {
		case is && !named:
			wrong = append(wrong, string(id)+" may and is not named")
		case !is && named:
			wrong = append(wrong, string(id)+" may not: "+why)
		}
	}
	if len(wrong) > 0 {
		t.Fatalf("roomtest: who may %s: %s; name exactly those who may, or look at what has let them in or kept them out", what, list(wrong))
	}
}

// known gives all users whom the store knows, in byte order.
func known(t testing.TB, svc *service.Service) (users []roomkit.UserID) {
	t.Helper()
	for rec, err := range svc.Feed(background, "") {
		if err != nil {
			t.Fatalf("roomtest: the feed cannot be read: %s; is the store healed?", line(err))
		}
		if rec.Subject.Type == roomkit.SubjectUser {
			users = append(users, roomkit.UserID(rec.Subject.ID))
		}
	}
	slices.Sort(users)
	return slices.Compact(users)
}

func sameUsers(a, b []roomkit.UserID) bool {
	return slices.Equal(slices.Compact(slices.Sorted(slices.Values(a))), slices.Compact(slices.Sorted(slices.Values(b))))
}

func names(users []roomkit.UserID) string { return list(users) }
