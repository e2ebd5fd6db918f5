package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/examples/internal/chromium"
	"github.com/go-roomkit/roomkit/service"
)

func TestStoryTwoTalk(t *testing.T) {
	h, w := story(t)
	room := h.room("ben", "Menu cards")
	ben, kai, eli := h.inRoom(w, "ben", room), h.inRoom(w, "kai", room), h.home(w, "eli")
	say(ben, "Is Tuesday <b>final</b>?")
	kai.SeeIn("css:#messages", "Is Tuesday <b>final</b>?")
	empty(ben)
	kai.Fill("compose", "It is.")
	kai.Click("send")
	ben.SeeIn("css:#messages", "It is.")
	eli.SeeIn("room-"+room.String(), "It is.")
	eli.SeeIn("css:#rooms li:first-child", "Menu cards")
	eli.SeeIn("room-"+room.String(), "unread")
	eli.Click("room-" + room.String())
	eli.SeeIn("css:#messages", "It is.")
	eli.Shows("compose")
	eli.Lacks("css:.room.open .unread")
}

// removing lets somebody remove another with the page's buttons, and ends with the last click.
func removing(p *chromium.Page, who string) {
	p.Click("action-remove-" + who)
	p.Click("confirm")
}

func TestStoryRemoval(t *testing.T) {
	h, w := story(t)
	room := h.room("ben", "Menu cards")
	ben := h.inRoom(w, "ben", room)
	var seen []time.Duration
	for _, who := range []roomkit.UserID{"jun", "kai", "ivo"} {
		p := h.inRoom(w, who, room)
		p.Forgive("status of 404", "Response Status Error Code 404")
		say(p, "The last of "+string(who))
		p.Fill("compose", "Typed when it happened")
		ben.SeeIn("css:#messages", "The last of "+string(who))
		removing(ben, string(who))
		begun := time.Now()
		p.SeeIn("gone", "You were removed from this room")
		seen = append(seen, time.Since(begun))
		p.SeeIn("gone", "EXT-20")
		p.SeeIn("gone", "Ben Lindqvist")
		p.Gone("We print on Thursday")
		p.Lacks("person-ben")
		p.Lacks("room-" + room.String())
		require.Equal(t, "Typed when it happened", p.Value("compose"))
		p.Click("compose")
		p.Press("Enter")
		p.Shows("css:#compose-result .problem")
		p.SeeIn("css:#compose-result", "EXT-20")
		require.Equal(t, "Typed when it happened", p.Value("compose"))
		p.HoverSee("send", "tip-post", "EXT-20")
		p.Reload()
		p.Lacks("compose")
		p.Gone("We print on Thursday")
		p.Close()
		ben.Lacks("person-" + string(who))
	}
	t.Logf("from the click to the other's screen: %v", seen)
	require.Less(t, slices.Min(seen), time.Second, "a removal is seen within a second")
}

func TestStoryLeave(t *testing.T) {
	h, w := story(t)
	party, cards := h.room("cat", "Summer party"), h.room("cat", "Menu cards")
	eli, cat := h.inRoom(w, "eli", party), h.inRoom(w, "cat", party)
	eli.Click("action-leave")
	eli.SeeIn("css:main", "not even what was said before")
	eli.Click("confirm")
	eli.Lacks("room-" + party.String())
	cat.Lacks("person-eli")

	fay := h.inRoom(w, "fay", party)
	fay.Shows("person-cat")
	cat.Click("css:.rooms-column [href$='/leave']")
	cat.Click("leave-" + party.String())
	cat.HoverSee("leave-"+cards.String(), "tip-leave-"+cards.String(), string(h.denied("cat", roomkit.ActionLeave, cards).Rule))
	lunch := cat.Attribute("css:.choices li:has(.badge):not(:has([aria-disabled])) input:not(:checked)", "id")
	cat.Click("css:#" + lunch)
	cat.Click("next")
	cat.SeeIn("chosen-rooms", "Summer party")
	cat.SeeIn("css:main", "not even what was said before")
	cat.Axe()
	cat.Shows("room-" + party.String())
	cat.Click("confirm")
	cat.SeeIn("left", "and 1 more")
	cat.Axe()
	cat.Lacks("room-" + party.String())
	cat.Lacks("room-" + lunch[len("leave-"):])
	cat.Shows("room-" + cards.String())
	fay.Lacks("person-cat")
}

func TestStoryReload(t *testing.T) {
	h, w := story(t)
	room := h.room("ben", "Menu cards")
	ben := h.inRoom(w, "ben", room)
	say(ben, "Sent before")
	ben.Reload()
	ben.Count("css:.message:last-child .body", 1)
	ben.SeeIn("css:.message:last-child .body", "Sent before")
	ben.Fill("compose", "Not sent yet")
	ben.Reload()
	ben.True("the draft to be back", "doc => doc.getElementById('compose').value === 'Not sent yet'")
	ben.Click("send")
	ben.SeeIn("css:.message:last-child .body", "Not sent yet")
	empty(ben)
	ben.Reload()
	ben.SeeIn("css:.message:last-child .body", "Not sent yet")
	empty(ben)
	ben.True("each message once", "doc => [...doc.querySelectorAll('.message .body')].filter(e => e.innerText.includes('ent ')).length === 2")
}

func TestStoryTwoTabs(t *testing.T) {
	h, w := story(t)
	room := h.room("ben", "Menu cards")
	one, two, list := h.inRoom(w, "ben", room), h.inRoom(w, "ben", room), h.home(w, "ben")
	say(one, "From the first")
	two.SeeIn("css:#messages", "From the first")
	say(two, "From the second")
	one.SeeIn("css:#messages", "From the second")
	list.SeeIn("room-"+room.String(), "From the second")
	one.Close()
	say(two, "Still here")
	list.SeeIn("room-"+room.String(), "Still here")
}

func TestStoryKeyboard(t *testing.T) {
	h, w := story(t)
	room := h.room("jun", "Menu cards")
	jun := h.tab(w, "/")
	jun.TabTo("pick-jun", 60)
	jun.Press("Enter")
	jun.TabTo("room-"+room.String(), 20)
	jun.Press("Enter")
	jun.Shows("compose")
	jun.TabTo("action-leave", 80)
	jun.SeeIn("tip-leave", string(h.denied("jun", roomkit.ActionLeave, room).Rule))
	jun.Press("Enter")
	require.Equal(t, "action-leave", jun.Focus(), "what is denied does nothing")
	jun.Press("Escape")
	jun.Lacks("tip-leave")
	jun.TabTo("compose", 20)
	jun.Type("By keys alone")
	jun.Press("Enter")
	jun.SeeIn("css:#messages", "By keys alone")
	jun.TabTo("action-remove-ben", 30)
	jun.SeeIn("tip-remove-ben", string(h.denied("jun", roomkit.ActionRemove, room).Rule))
}

func TestStoryTips(t *testing.T) {
	h, w := story(t)
	for _, place := range []struct {
		me   roomkit.UserID
		room string
	}{{"jun", "Menu cards"}, {"cat", "Autumn menu"}, {"fay", "Kitchen"}, {"ben", "Menu cards"}} {
		room := h.room(place.me, place.room)
		p := h.inRoom(w, place.me, room)
		for _, way := range roomWays {
			name := way.action.String()
			if h.svc.Check(t.Context(), place.me, way.action, room) == nil {
				require.Empty(t, p.Attribute("action-"+name, "aria-disabled"), "%s may %s", place.me, name)
				continue
			}
			denied := h.denied(place.me, way.action, room)
			require.Equal(t, "true", p.Attribute("action-"+name, "aria-disabled"), "%s may not %s", place.me, name)
			p.Lacks("tip-" + name)
			p.HoverSee("action-"+name, "tip-"+name, string(denied.Rule))
			p.SeeIn("tip-"+name, (&chat{svc: h.svc}).problemOf(t.Context(), denied).Detail)
			p.Away()
			p.Lacks("tip-" + name)
			p.TabTo("action-"+name, 60)
			p.SeeIn("tip-"+name, string(denied.Rule))
			require.Equal(t, p.Attribute("tip-"+name, "id"), p.Attribute("action-"+name, "aria-describedby"))
			p.Press("Escape")
		}
		p.Close()
	}
}

// fits demands that nothing is wider than the screen.
func fits(t *testing.T, p *chromium.Page) {
	t.Helper()
	require.Empty(t, p.Wider(), "of %s", p.Path())
}

func TestStoryPhone(t *testing.T) {
	h, w := story(t)
	room := h.room("ben", "Menu cards")
	ben := h.home(w, "ben")
	ben.Width(380)
	fits(t, ben)
	ben.Lacks("compose")
	ben.Click("room-" + room.String())
	ben.Shows("compose")
	ben.Lacks("room-" + room.String())
	ben.Lacks("person-jun")
	fits(t, ben)
	say(ben, "From the road")
	ben.Click("css:.to-people")
	ben.Shows("person-jun")
	ben.Lacks("compose")
	fits(t, ben)
	ben.Click("css:.people-head .back")
	ben.SeeIn("css:#messages", "From the road")
	ben.Click("css:#room-head .back")
	ben.SeeIn("room-"+room.String(), "From the road")
	ben.Lacks("compose")
}

func TestStoryRestart(t *testing.T) {
	h, w := story(t)
	room := h.room("ben", "Menu cards")
	ben, kai := h.inRoom(w, "ben", room), h.inRoom(w, "kai", room)
	for _, p := range []*chromium.Page{ben, kai} {
		p.Forgive("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE", "htmx:sendError")
	}
	say(ben, "Before")
	kai.See("Before")
	h.stop()
	kai.See("Connecting again")
	kai.Fill("compose", "Typed meanwhile")
	h.start()
	say(ben, "After")
	kai.SeeIn("css:#messages", "After")
	kai.Gone("Connecting again")
	require.Equal(t, "Typed meanwhile", kai.Value("compose"))
	kai.Click("send")
	ben.SeeIn("css:#messages", "Typed meanwhile")
	for _, p := range []*chromium.Page{ben, kai} {
		p.True("every message once, in its order", `doc => [...doc.querySelectorAll('.message .body')].slice(-3).map(e => e.innerText).join() === 'Before,After,Typed meanwhile'`)
	}
}

func TestStoryAxe(t *testing.T) {
	h, w := story(t)
	room := h.room("jun", "Menu cards")
	for _, path := range []string{"/", "/as/jun/", at("jun", room), at("jun", room) + "?show=people", at("gus", room)} {
		p := h.tab(w, path)
		p.Forgive("status of 404")
		p.Axe()
		p.Dark()
		p.Axe()
		p.Width(380)
		p.Axe()
		fits(t, p)
		p.Close()
	}
}

// hostile are names that a page has to show as they are.
var hostile = map[roomkit.UserID]string{
	"markup": `<script>document.title="broken"</script><img src=x onerror="document.title='broken'">`,
	"quote":  `"><b data-testid="injected">'&lt;`,
	"right":  "\u202eשלום \u2066עולם\u2069 مرحبا",
	"long":   strings.Repeat("Wolfeschlegelsteinhausenbergerdorff", 30),
	"emoji":  "👩‍👩‍👧‍👦🏳️‍🌈 " + strings.Repeat("🎉", 200),
}

func hostilePeople() directory {
	list := []person{{ID: "ann", Name: "Ann", Company: "c", Administrator: true}}
	for id, name := range hostile {
		list = append(list, person{ID: id, Name: name, Job: name, Mail: name + "@c.example", Company: "c"})
	}
	return newDirectory(map[roomkit.CompanyID]string{"c": hostile["markup"]}, list...)
}

func fillHostile(ctx context.Context, c *chat) error {
	f := &filler{chat: c, ctx: ctx}
	f.provision()
	var members []roomkit.UserID
	for id := range hostile {
		members = append(members, id)
	}
	slices.Sort(members)
	for _, id := range members {
		name := []rune(strings.NewReplacer("\u202e", "", "\u2066", "", "\u2069", "").Replace(hostile[id])) // which no room's name may hold
		room := f.do(roomkit.By("ann"), roomkit.CreateGroup{Name: string(name[:min(50, len(name))]), Members: members})
		f.write(room, id, hostile[id])
	}
	f.do(roomkit.By("ann"), roomkit.CreateRoom{People: members, Audience: roomkit.AudienceMembers, AllowDuplicate: true})
	return f.err
}

// TestStoryHostileNames: markup stays text, and nothing is wider than the screen.
func TestStoryHostileNames(t *testing.T) {
	t.Parallel()
	w := chromium.Open(t)
	h := newHouseOf(t, hostilePeople(), fillHostile)
	var rooms []roomkit.RoomID
	for entry, err := range h.svc.Rooms(t.Context(), "ann", service.RoomList{}) {
		require.NoError(t, err)
		rooms = append(rooms, entry.Room.ID)
	}
	require.Len(t, rooms, len(hostile)+1)
	var wide []string
	p := h.tab(w, "/")
	look := func(path string) {
		p.Go(h.url + path)
		for _, width := range []int64{1280, 380} {
			p.Width(width)
			if found := p.Wider(); found != "" {
				wide = append(wide, fmt.Sprintf("%s at %d: %s", path, width, found))
			}
			p.Lacks("injected")
			p.Lacks("css:img")
			p.True("its own title", "doc => doc.title !== 'broken'")
		}
	}
	look("/")
	look("/side?who=markup&who=long")
	for _, room := range rooms {
		look(at("ann", room))
		look(at("ann", room) + "?show=people")
	}
	look(at("ann", rooms[0]) + "/settings")
	look(at("ann", rooms[0]) + "/masters")
	look("/as/ann/admin")
	look("/as/ann/admin/accounts")
	look("/as/long/leave")
	for _, path := range []string{
		"new/members?who=markup&who=right&who=long&chosen=1&open=no+team", "new/members?who=markup&who=right&who=long&step=details", "contacts", "profile/long",
	} {
		look("/as/ann/" + path)
		narrowEnough(p)
		p.Width(1280)
		narrowEnough(p)
	}
	require.Empty(t, wide, "pages are wider than the screen")
}

// TestStoryManyPages opens 200 pages, whose streams all tell of one message. A browser has
// six connections to one host, so each few pages come from a host of their own.
func TestStoryManyPages(t *testing.T) {
	if os.Getenv("ROOMKIT_LONG") == "" {
		t.Skip("200 pages are long: ROOMKIT_LONG=1")
	}
	w := chromium.Open(t)
	fill := func(ctx context.Context, c *chat) error { return fillLoad(ctx, c, loadMembers, 1) }
	h := &house{t: t, o: options{listen: "0.0.0.0:0", data: t.TempDir(), people: loadDirectory(loadMembers), fill: fill}}
	h.start()
	h.open()
	room := h.room(loadID(0), "Group 0")
	_, port, err := net.SplitHostPort(strings.TrimPrefix(h.url, "http://"))
	require.NoError(t, err)
	var pages []*chromium.Page
	for len(pages) < 200 {
		h.url = fmt.Sprintf("http://127.0.0.%d:%s", 1+len(pages)/4, port)
		pages = append(pages, h.inRoom(w, loadID(len(pages)%loadMembers), room))
	}
	say(pages[0], "To all of you")
	begun := time.Now()
	for _, p := range pages {
		p.SeeIn("css:#messages", "To all of you")
	}
	t.Logf("200 pages show a message after %v", time.Since(begun))
	for _, p := range pages {
		p.True("the message once", "doc => [...doc.querySelectorAll('.message .body')].filter(e => e.innerText === 'To all of you').length === 1")
	}
}
