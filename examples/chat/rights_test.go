package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// TestStrangersHaveNoName: whatever id somebody writes into an address or a form, the name
// comes only of people whom one knows or meets in the room.
func TestStrangersHaveNoName(t *testing.T) {
	d := newDesk(t)
	cards, autumn := at("ben", d.room("ben", "Menu cards")), at("ann", d.room("eli", "Autumn menu"))
	for _, path := range []string{
		cards + "/remove?who=", cards + "/remove?who=kai&who=", cards + "/invite?chosen=1&who=", cards + "/new?chosen=1&step=details&who=",
		autumn + "/remove?who=", "/as/ann/profile/", "/as/ann/new/external?chosen=1&who=", "/as/ann/new/members?chosen=1&step=details&who=",
		"/as/ann/admin/do?do=suspend&who=", "/as/ann/admin/do?do=lift&who=", "/as/ann/admin/do?do=delete&who=", "/as/ann/admin/do?do=restore&who=",
		"/as/ann/admin/do?do=person&with=partner&allow=on&who=", "/as/ann/admin/do?do=person&with=consumer&allow=off&who=",
		"/as/ann/admin/do?do=team&team=sales&name=Sales&member=", "/as/ann/admin/do?do=team&team=sales&name=Sales&leader=",
		"/as/ann/admin/do?do=team&team=sales&name=Sales&member=ben&member=ivo&member=",
	} {
		_, page := d.get(path + "lea")
		require.NotContains(t, page, "Rossi", path)
		to, form, _ := strings.Cut(path+"lea", "?")
		values, err := url.ParseQuery(form + "&key=" + url.QueryEscape(path))
		require.NoError(t, err)
		_, page = d.postForm(to, values, false)
		require.NotContains(t, page, "Rossi", path)
	}
	made := d.must("kai", roomkit.CreateExternalGroup{Name: "Fonts", Members: []roomkit.UserID{"ben", "lea"}})
	_, page := d.get(at("ben", made.Room) + "/remove?who=lea")
	require.Contains(t, page, "Remove Lea Rossi?", "one meets her there")
	_, page = d.get("/as/hana/admin/do?do=suspend&who=lea")
	require.Contains(t, page, "<bdi>Lea Rossi</bdi> cannot sign in", "a colleague")
}

// greyed says whether a page shows something to do greyed.
func greyed(page, name string) bool {
	at := strings.Index(page, `data-testid="`+name+`"`)
	end := strings.Index(page[max(at, 0):], ">")
	return at >= 0 && end > 0 && strings.Contains(page[at:at+end], `aria-disabled="true"`)
}

// TestGreyedIsRefused: the ways to a new room and the steps of a room's settings are
// greyed for exactly those whom the page behind them would refuse, also while only
// administrators may create groups.
func TestGreyedIsRefused(t *testing.T) {
	d := newDesk(t)
	seen := map[bool]int{}
	compare := func(page, name, path, note string) {
		t.Helper()
		status, _ := d.get(path)
		require.Contains(t, page, `data-testid="`+name+`"`)
		require.Equal(t, status == http.StatusForbidden, greyed(page, name), "%s: %s %d %s", note, path, status, name)
		seen[status == http.StatusForbidden]++
	}
	for _, members := range []bool{true, false} {
		d.must("ann", roomkit.EditCompany{Company: "harbour", MembersCreateGroups: &members})
		for _, p := range d.people.all() {
			note := fmt.Sprintf("members create groups: %t", members)
			_, page := d.get("/as/" + string(p.ID) + "/new")
			for _, way := range ways {
				compare(page, "way-"+way.Name, "/as/"+string(p.ID)+"/new/"+way.Name, note)
			}
			list, err := d.list(t.Context(), p.ID, roomkit.RoomID{}, listMost)
			require.NoError(t, err)
			for _, line := range list.Rows {
				settings := at(p.ID, line.View.Room) + "/settings"
				_, page := d.get(settings)
				for _, s := range steps {
					if strings.Contains(page, `data-testid="action-`+s.Name+`"`) {
						compare(page, "action-"+s.Name, settings+"/"+s.Name, note)
					}
				}
			}
		}
	}
	require.Greater(t, seen[true], 50)
	require.Greater(t, seen[false], 50)
	_, page := d.get(at("gus", d.room("gus", "Cat Moreau, Dev Patel, Fay Nakamura")) + "/settings")
	require.Contains(t, page, `data-testid="tip-to-external"><b class="rule">`)
}

// TestReasonsAreWords: every refusal in a room of the demo is told without the library's
// names of actions and kinds, and says who may where that is the reason.
func TestReasonsAreWords(t *testing.T) {
	d := newDesk(t)
	seen := map[string]bool{}
	for _, p := range d.people.all() {
		list, err := d.list(t.Context(), p.ID, roomkit.RoomID{}, listMost)
		require.NoError(t, err)
		for _, line := range list.Rows {
			for _, action := range roomkit.AllActions() {
				denied := (*roomkit.Denied)(nil)
				if !errors.As(d.svc.Check(t.Context(), p.ID, action, line.View.Room), &denied) {
					continue
				}
				words := d.denial(t.Context(), p.ID, action, line.View.Room).Detail
				require.NotContains(t, words, "_", denied.Reason)
				require.NotContains(t, words, "of kind")
				if _, known := actionWords[action]; known {
					require.Equal(t, strings.HasSuffix(denied.Reason, "not possible there"), strings.Contains(words, " nobody can "), "%s: %s", denied.Reason, words)
					require.Equal(t, strings.HasPrefix(denied.Reason, "only as "), strings.Contains(words, " only "), "%s: %s", denied.Reason, words)
				}
				seen[words] = true
			}
		}
	}
	require.True(t, seen["In an external group nobody can leave by themselves. To go, ask Group Masters to remove you."])
	require.True(t, seen["In a group only Group Masters and the owner's administrators can invite people."])
	_, page := d.get("/as/ben/")
	require.True(t, greyed(page, "menu-admin"))
	require.Contains(t, page, `<b class="rule">ADM-23</b> Your company is administered by Ann Okafor.`)
	_, page = d.get("/as/ann/")
	require.False(t, greyed(page, "menu-admin"))
	_, page = d.get("/as/ben/new/external")
	require.Less(t, strings.Index(page, "Contacts at Mill Print"), strings.Index(page, "Kitchen"))
}

// TestMoreRoomsThanShown: of very many rooms those where something was said last are on the
// page, also the newest, and it says that there are others.
func TestMoreRoomsThanShown(t *testing.T) {
	d, ctx := newDesk(t), t.Context()
	old := d.room("gus", "Autumn menu")
	var last roomkit.RoomID
	require.NoError(t, d.inTx(ctx, func(_ *sql.Tx, rooms *service.Service) error {
		for i := range listMost {
			made, err := rooms.Do(ctx, roomkit.By("gus"), roomkit.CreateGroup{Name: fmt.Sprintf("Group %d", i)})
			if err != nil {
				return err
			}
			last = made.Room
		}
		return nil
	}))
	list, err := d.list(ctx, "gus", roomkit.RoomID{}, listMost)
	require.NoError(t, err)
	require.Len(t, list.Rows, listMost)
	require.Equal(t, last, list.Rows[0].View.Room)
	require.Equal(t, 3, list.Rest)
	require.Zero(t, list.More)
	_, err = d.post(ctx, draft{Room: old, Author: "eli", Body: "Here again", Key: "again"})
	require.NoError(t, err)
	_, page := d.get("/as/gus/list?rooms=1000")
	require.Contains(t, page, "3 older rooms are not shown")
	require.Less(t, strings.Index(page, "Here again"), strings.Index(page, "Group 999"))
}

// settled waits until a stream has told of all that has happened so far.
func (d *desk) settled(signal func() string, key string) {
	d.t.Helper()
	d.soon("the feed is read", func() bool {
		head, err := d.svc.Head(d.t.Context())
		d.live.mu.Lock()
		defer d.live.mu.Unlock()
		return err == nil && d.live.at == head
	})
	lunch := d.room("gus", "Cat Moreau, Dev Patel, Fay Nakamura")
	_, err := d.post(d.t.Context(), draft{Room: lunch, Author: "gus", Body: key, Key: "settled " + key})
	require.NoError(d.t, err)
	for s := signal(); s != "room "+lunch.String(); s = signal() {
		require.NotEqual(d.t, "the end", s)
	}
}

// quiet posts a message and then changes the room of a follower, and gives all that a
// stream says until it has told of that change.
func (d *desk) quiet(signal func() string, room roomkit.RoomID, author roomkit.UserID, key string) (told []string) {
	d.t.Helper()
	_, err := d.post(d.t.Context(), draft{Room: room, Author: author, Body: key, Key: key})
	require.NoError(d.t, err)
	lunch := d.room("gus", "Cat Moreau, Dev Patel, Fay Nakamura")
	_, err = d.post(d.t.Context(), draft{Room: lunch, Author: "gus", Body: key, Key: "lunch " + key})
	require.NoError(d.t, err)
	for {
		s := signal()
		if s == "room "+lunch.String() || s == "the end" {
			return told
		}
		told = append(told, s)
	}
}

// TestStreamEndsWithTheRight: whoever may not see a room any more hears of it that once,
// however the right was lost; and whoever still may see it goes on hearing.
func TestStreamEndsWithTheRight(t *testing.T) {
	d, ctx := newDesk(t), t.Context()
	room := d.must("eli", roomkit.CreateGroup{Name: "Oven", Members: []roomkit.UserID{"ann", "gus"}}).Room
	about := "room " + room.String()
	d.must("eli", roomkit.AppointMasters{Room: room, People: []roomkit.UserID{"dev"}})
	dev, ann := d.signals("/as/dev/live?room="+room.String()), d.signals("/as/ann/live?room="+room.String())
	until := func(signal func() string, want string) {
		for s := signal(); s != want; s = signal() {
			require.NotEqual(t, "the end", s)
		}
	}
	until(dev, "all")
	until(ann, "all")
	_, err := d.post(ctx, draft{Room: room, Author: "gus", Body: "It is hot", Key: "hot"})
	require.NoError(t, err)
	until(dev, about)
	until(ann, about)

	d.settled(dev, "dev")
	d.must("eli", roomkit.DismissMasters{Room: room, People: []roomkit.UserID{"dev"}})
	until(dev, about)
	require.NotContains(t, d.quiet(dev, room, "gus", "dismissed"), about)
	d.must("eli", roomkit.Remove{Room: room, People: []roomkit.UserID{"ann"}})
	until(ann, about)
	until(ann, "rooms")
	_, err = d.post(ctx, draft{Room: room, Author: "gus", Body: "Still hot", Key: "still"})
	require.NoError(t, err)
	until(ann, about)

	d.must("eli", roomkit.Edit{Room: room, Public: new(true)})
	fay := d.signals("/as/fay/live?room=" + room.String())
	until(fay, "all")
	d.settled(fay, "fay")
	d.must("eli", roomkit.Edit{Room: room, Public: new(false)})
	until(fay, about)
	require.NotContains(t, d.quiet(fay, room, "gus", "private"), about)

	gus := d.signals("/as/gus/live")
	until(gus, "all")
	d.must("ann", roomkit.SuspendUser{User: "gus"})
	until(gus, "all")
	require.Equal(t, "the end", gus(), "whose account is blocked hears nothing more")
	status, _ := d.get("/as/gus/live")
	require.Equal(t, http.StatusForbidden, status)
}

// TestLookMeetsEvents: a room that somebody comes into while a stream looks up its rooms is
// not forgotten.
func TestLookMeetsEvents(t *testing.T) {
	d := newDesk(t)
	s, err := d.live.begin("dev", roomkit.RoomID{})
	require.NoError(t, err)
	room := roomkit.RoomID{9} // of which the look cannot know
	head, err := d.svc.Head(t.Context())
	require.NoError(t, err)
	joined := &roomkit.MemberJoined{People: []roomkit.Person{{User: "dev"}}}
	joined.Subject = roomkit.Subject{Type: roomkit.SubjectRoom, Room: room}
	d.live.happened(t.Context(), service.Recorded{Record: store.Record{Cursor: head}, Event: joined})
	require.NoError(t, d.live.look(context.WithoutCancel(t.Context()), s))
	require.Contains(t, s.sees, room)
	text, _, err := d.live.take(t.Context(), s)
	require.NoError(t, err)
	require.Contains(t, text, "all")
	require.NotContains(t, s.sees, room, "looked at again, it is not the person's")
}

// TestAfterTheSwitch: who cannot write any more is told so where one would write, and who
// stays in a group that nobody manages is told who can change that.
func TestAfterTheSwitch(t *testing.T) {
	d := newDesk(t)
	room, pair := d.room("kai", "Menu cards"), d.room("cat", "Ivo Novak")
	_, page := d.get(at("kai", room))
	require.NotContains(t, page, `data-testid="masterless"`)
	require.NotContains(t, page, `data-testid="silent"`)
	d.must("ann", roomkit.SetCompanyMessaging{Company: "harbour", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalOff)})
	_, page = d.get(at("cat", pair))
	rule := string(d.denial(t.Context(), "cat", roomkit.ActionPost, pair).Rule)
	require.Contains(t, page, `data-testid="silent"><b class="rule">`+rule+`</b> You cannot write here: `)
	d.soon("the group has no master", func() bool {
		_, page := d.get(at("kai", room))
		return strings.Contains(page, `data-testid="masterless">Nobody manages this group. An administrator of <span dir="auto">Harbour Foods`)
	})
}

// TestListSaysWhy: a list without rooms says by which rule, and a room which kind it is once.
func TestListSaysWhy(t *testing.T) {
	d := newDesk(t)
	d.must("ann", roomkit.SuspendUser{User: "gus"})
	for _, path := range []string{"/as/gus/", "/as/gus/list"} {
		_, page := d.get(path)
		require.Contains(t, page, `data-testid="no-rooms"><b class="rule">ADM-17</b> You see no rooms: the account is suspended.`)
		require.NotContains(t, page, "No rooms yet")
	}
	d.must("kai", roomkit.OpenSelf{})
	d.must("kai", roomkit.OpenDirect{With: "jun"})
	d.must("kai", roomkit.CreateExternalGroup{Name: "Empty", Members: []roomkit.UserID{"cat"}})
	_, list := d.get("/as/kai/list")
	rows := map[string]string{}
	for _, row := range strings.Split(list, "<li>") {
		text := strings.Join(strings.Fields(tag.ReplaceAllString(row, " ")), " ")
		for _, name := range []string{"Message to me", "Jun Sato", "Empty", "Menu cards"} {
			if strings.HasPrefix(text, name) {
				rows[name] = text
			}
		}
	}
	require.Equal(t, map[string]string{
		"Message to me": "Message to me Nothing to read yet", "Jun Sato": "Jun Sato 1:1", "Empty": "Empty Nothing to read yet External group",
		"Menu cards": "Menu cards Ivo Novak: We print on Thursday if the text is final by Tuesday. 2 unread External group",
	}, rows)
}
