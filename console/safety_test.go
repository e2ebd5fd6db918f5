package console_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/console"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
)

// evil are texts that would be elements, attributes or other links where they are not written as
// text. They have no characters that ids cannot have.
var (
	evilIDs   = []string{`a'onclick=alert(1)//`, `b&lt;script&gt;`, `javascript:alert(1)`, `../../x?y=z#w`, `{{.}}`, `c&#60;img/src=x`, `%3Cb%3E`, `data:text/html,x`}
	evilNames = []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `</title><script>alert(1)</script>`, `</svg><script>x</script>`,
		`</textarea><b>`, `<!-- `, `]]><b>`, `{{.Title}}`, `שלום עולם`, `مجموعة العمل`, strings.Repeat("long ", 199) + "name", `👩‍🚀 <b>`, `a&b=c`, "`${alert(1)}`",
	}
)

// world has rooms and people with these ids and names, and the same with harmless ones.
func world(t *testing.T, ids, names []string) (*service.Service, []string) {
	t.Helper()
	clock := proof.NewClock()
	n := byte(0)
	svc := proof.Service(t, &service.Options{Policy: roomkit.Policy{AnyoneIsContact: true}, Clock: clock.Now, NewID: func() (id [16]byte) {
		n++
		return [16]byte{1, 6: 0x70, 8: 0x80, 15: n}
	}})
	do := func(actor roomkit.Actor, cmd roomkit.Command) service.Result {
		t.Helper()
		res, err := svc.Do(t.Context(), actor, cmd)
		require.NoError(t, err)
		return res
	}
	var users []roomkit.UserID
	for i, id := range ids {
		company := roomkit.CompanyID(id)
		do(roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{ID: company, Licensed: true, MembersCreateGroups: true, Partners: roomkit.ExternalAll, Consumers: roomkit.ExternalAll}})
		if i > 5 {
			company = roomkit.CompanyID(ids[0])
		}
		do(roomkit.System(), roomkit.AddUser{User: roomkit.User{ID: roomkit.UserID(id), Company: company, Kind: roomkit.UserMember, Status: roomkit.StatusActive}})
		users = append(users, roomkit.UserID(id))
	}
	me, others := roomkit.By(users[0]), users[1:]
	do(roomkit.System(), roomkit.SyncTeam{Team: roomkit.TeamID(ids[1]), Company: roomkit.CompanyID(ids[0]), Name: names[1], Leader: users[0], Members: users[:1]})
	rooms := []string{do(me, roomkit.CreateRoom{People: users[6:], Audience: roomkit.AudienceMembers, AllowDuplicate: true, Name: names[0]}).Room.String()}
	for i, name := range names {
		cmd := roomkit.CreateExternalGroup{Name: short(name, roomkit.MaxGroupName-2) + string(rune('a'+i)), Members: others}
		res := do(me, cmd)
		do(me, roomkit.Edit{Room: res.Room, Description: new(short(name, roomkit.MaxDescription)), Photo: new(short(name, 100))})
		do(me, roomkit.Edit{Room: mustRoom(t, rooms[0]), Name: &name})
		rooms = append(rooms, res.Room.String())
	}
	do(me, roomkit.Remove{Room: mustRoom(t, rooms[1]), People: others[:1]})
	do(me, roomkit.Edit{Room: mustRoom(t, rooms[1]), Message: new(false)})
	require.NoError(t, svc.Follow(t.Context(), names[0], func(context.Context, service.Recorded) error { return nil }, &service.FollowOptions{Once: true}))
	return svc, rooms
}

func short(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most])
	}
	return text
}

func mustRoom(t *testing.T, text string) roomkit.RoomID {
	t.Helper()
	id, err := roomkit.ParseRoomID(text)
	require.NoError(t, err)
	return id
}

// evilPages are the pages that show the ids and names of a world, and what is given in a query.
func evilPages(ids, names, rooms []string) (pages []string) {
	pages = []string{"", "feed?after=", "followers", "feed"}
	for _, id := range ids {
		pages = append(pages, to("company", "id", id), to("people", "company", id), to("teams", "company", id), to("user", "id", id), to("health", "company", id),
			to("due", "company", id), to("history", "of", "user:"+id), to("history", "of", "company:"+id), to("why", "user", id), to("plan", "as", id, "command", `{"command":"OpenSelf"}`))
		for _, room := range rooms[:3] {
			pages = append(pages, to("why", "user", id, "room", room), to("why", "user", id, "room", room, "action", "remove"))
		}
	}
	pages = append(pages, to("history", "of", "team:"+ids[0]+" "+ids[1]))
	for _, room := range rooms {
		for _, page := range []string{"room?id=", "members?which=all&room=", "members?room=", "history?of=room:", "timeline?room=", "health?room="} {
			pages = append(pages, page+room)
		}
	}
	for _, name := range names {
		pages = append(pages, to("room", "id", name), to("user", "id", name), to("company", "id", name), to("history", "of", name), to("why", "user", name, "action", name, "room", name),
			to("plan", "as", name, "command", name), to("due", "company", ids[0], "days", name), to("feed", "after", name), url.PathEscape("x"+name))
	}
	return pages
}

// TestNothingComesOfNames: pages of a world with names that look like markup have the same
// elements and attributes as those of one with harmless names, and no link leads elsewhere.
func TestNothingComesOfNames(t *testing.T) {
	tame := func(list []string) (out []string) {
		for i, text := range list {
			out = append(out, strings.Repeat(string(rune('a'+i)), len([]rune(text))))
		}
		return out
	}
	evil, rooms := world(t, evilIDs, evilNames)
	harmless, same := world(t, tame(evilIDs), tame(evilNames))
	bad, good := newSite(t, evil, console.Options{Title: evilNames[0]}), newSite(t, harmless, console.Options{Title: "x"})
	pages, counterparts := evilPages(evilIDs, evilNames, rooms), evilPages(tame(evilIDs), tame(evilNames), same)
	require.Len(t, counterparts, len(pages))
	for i, page := range pages {
		one, two := bad.request(http.MethodGet, page), good.request(http.MethodGet, counterparts[i])
		require.Equal(t, two.Code, one.Code, page)
		require.Equal(t, elements(t, counterparts[i], two.Body.String()), elements(t, page, one.Body.String()), page)
	}
}
