package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/retention"
	"github.com/go-roomkit/roomkit/service"
)

var (
	item = regexp.MustCompile(`(?s)<li class="(happened|message)[ "].*?</li>`)
	tag  = regexp.MustCompile(`(?s)<time.*?</time>|<[^>]*>`)
	says = regexp.MustCompile(`(?s)<p class="body".*?</p>`)
)

// conversation gives what somebody sees in a room, line by line; messages in quotes.
func (d *desk) conversation(me roomkit.UserID, room roomkit.RoomID) (lines []string) {
	d.t.Helper()
	_, page := d.get(at(me, room) + "/now")
	text := func(part string) string {
		return strings.TrimSpace(html.UnescapeString(tag.ReplaceAllString(part, "")))
	}
	for _, part := range item.FindAllString(page, -1) {
		if strings.HasPrefix(part, `<li class="happened`) {
			lines = append(lines, text(part))
		} else {
			lines = append(lines, `"`+text(says.FindString(part))+`"`)
		}
	}
	return lines
}

func (d *desk) writes(room roomkit.RoomID, author roomkit.UserID, text string) {
	d.t.Helper()
	_, err := d.post(d.t.Context(), draft{Room: room, Author: author, Body: text, Key: string(author) + text})
	require.NoError(d.t, err)
}

// happenings gives what the API says happened in a room.
func (d *desk) happenings(me roomkit.UserID, room roomkit.RoomID, query string) (lines []apiHappening) {
	d.t.Helper()
	status, text := d.get("/api/as/" + string(me) + "/rooms/" + room.String() + "/happened" + query)
	require.Equal(d.t, http.StatusOK, status, text)
	require.NoError(d.t, json.Unmarshal([]byte(text), &lines))
	return lines
}

// sameByAPI: the API tells what the page shows between the messages, the whole and in parts.
func (d *desk) sameByAPI(me roomkit.UserID, room roomkit.RoomID, shown []string) {
	d.t.Helper()
	whole, before := d.happenings(me, room, ""), ""
	var texts []string
	for _, line := range whole {
		texts = append(texts, line.Text)
	}
	require.Equal(d.t, slices.DeleteFunc(slices.Clone(shown), func(line string) bool { return line[0] == '"' }), texts)
	for i := range whole {
		part := d.happenings(me, room, "?limit=1"+before)
		require.Equal(d.t, whole[len(whole)-1-i:][:1], part)
		before = fmt.Sprint("&before=", part[0].Version)
	}
}

// TestHappened: what happens in a room stands between the messages, once and in order, for
// those who may read there, and after a restart as before.
func TestHappened(t *testing.T) {
	d := newDesk(t)
	room := d.must("ben", roomkit.CreateExternalGroup{Name: "Cards", Members: []roomkit.UserID{"cat", "ivo", "kai"}}).Room
	d.writes(room, "ben", "One")
	d.must("ben", roomkit.Remove{Room: room, People: []roomkit.UserID{"ivo"}})
	d.must("ben", roomkit.AppointMasters{Room: room, People: []roomkit.UserID{"cat"}})
	d.writes(room, "kai", "Two")
	d.must("cat", roomkit.Edit{Room: room, Name: new("Cards of autumn"), Note: new(false), Photo: new("🎴")})
	d.must("ben", roomkit.Invite{Room: room, People: []roomkit.UserID{"jun", "eli"}})
	d.writes(room, "kai", "Three")
	d.must("ben", roomkit.DismissMasters{Room: room, People: []roomkit.UserID{"cat"}})
	want := []string{
		"Ben Lindqvist opened this group with Cat Moreau, Ivo Novak and Kai Reyes",
		`"One"`,
		"Ben Lindqvist removed Ivo Novak",
		"Cat Moreau became Group Master",
		`"Two"`,
		"Cat Moreau renamed the group “Cards of autumn”", "Cat Moreau changed the photo", "Cat Moreau switched note off",
		"Ben Lindqvist invited Eli Brandt and Jun Sato",
		`"Three"`,
		"Cat Moreau is no longer Group Master",
	}
	require.ElementsMatch(t, want[5:8], d.conversation("kai", room)[5:8], "of one command")
	copy(want[5:8], d.conversation("kai", room)[5:8])
	require.Equal(t, want, d.conversation("kai", room))
	require.Equal(t, want[8:], d.conversation("jun", room), "a newcomer begins with joining")
	d.sameByAPI("kai", room, want)
	d.sameByAPI("jun", room, want[8:])
	require.Empty(t, d.conversation("ivo", room), "who is out sees nothing")
	require.Empty(t, d.conversation("gus", room), "and a stranger neither")

	d.stop()
	d = startDesk(t, options{data: d.data, fill: fillDemo, people: demoPeople()})
	require.Equal(t, want, d.conversation("kai", room))
}

// TestHappenedIsRead: whoever sees a room and may not read it sees no lines, and nothing is
// left of those before it was emptied.
func TestHappenedIsRead(t *testing.T) {
	d := newDesk(t)
	room := d.room("eli", "Autumn menu")
	d.must("eli", roomkit.Remove{Room: room, People: []roomkit.UserID{"gus"}})
	require.NotEmpty(t, d.conversation("eli", room))
	row, err := d.svc.Room(t.Context(), "dev", room)
	require.NoError(t, err, "the group is public")
	require.Equal(t, "Autumn menu", row.Name)
	require.Empty(t, d.conversation("dev", room))
	for _, me := range []string{"dev", "ann", "gus", "kai"} {
		status, said := d.call("GET", me+"/rooms/"+room.String()+"/messages", "", "")
		refused, happened := d.call("GET", me+"/rooms/"+room.String()+"/happened", "", "")
		require.NotEqual(t, http.StatusOK, refused, me)
		require.Equal(t, status, refused, me)
		require.Equal(t, said, happened, "the same right as for messages")
	}
	require.Empty(t, d.conversation("ann", room), "an administrator reads nothing")
	events, err := d.happened(t.Context(), room, 0, row.Version)
	require.NoError(t, err)
	access, err := d.svc.Access(t.Context(), "cat", room)
	require.NoError(t, err)
	emptied := access[0]
	emptied.EmptiedAt = row.Version
	require.Len(t, d.tell(emptied, events), 1)
	emptied.Version--
	require.Empty(t, d.tell(emptied, events), "what came after the answer is not for them")
}

// TestHappenedAtOnce: many people are one line, however they went; of a great many changes the last
// are shown, and the others with the earlier messages.
func TestHappenedAtOnce(t *testing.T) {
	d, ctx := newDesk(t), t.Context()
	var many []roomkit.UserID
	for i := range 50 {
		many = append(many, roomkit.UserID(fmt.Sprintf("many%02d", i)))
		_, err := d.svc.Do(ctx, roomkit.System(), roomkit.AddUser{User: roomkit.User{ID: many[i], Company: "mill", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Partners: true}})
		require.NoError(t, err)
	}
	room := d.must("kai", roomkit.CreateExternalGroup{Name: "Many", Members: []roomkit.UserID{"jun", "cat", "ben", "eli"}}).Room
	d.must("kai", roomkit.Invite{Room: room, People: many})
	require.Equal(t, "Kai Reyes invited many00, many01, many02, many03, many04 and 45 others", d.conversation("jun", room)[1])
	d.must("kai", roomkit.Remove{Room: room, People: many})
	d.must("ann", roomkit.SetCompanyMessaging{Company: "harbour", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalOff)})
	d.soon("they are out", func() bool { return len(d.conversation("jun", room)) > 3 })
	d.soon("all are out", func() bool {
		row, err := d.svc.Room(ctx, "jun", room)
		return err == nil && row.Participants == 2
	})
	require.Equal(t, "Ben Lindqvist, Cat Moreau and Eli Brandt are out: external messaging was switched off", d.conversation("jun", room)[3])

	require.NoError(t, d.inTx(ctx, func(_ *sql.Tx, rooms *service.Service) error {
		for i := range 120 {
			if _, err := rooms.Do(ctx, roomkit.By("kai"), roomkit.Edit{Room: room, Name: new(fmt.Sprintf("Name %d", i))}); err != nil {
				return err
			}
		}
		return nil
	}))
	lines := d.conversation("jun", room)
	require.Len(t, lines, 100)
	require.Equal(t, "Kai Reyes renamed the group “Name 119”", lines[99])
	_, page := d.get(at("jun", room))
	require.Contains(t, page, "?messages=100")
	_, page = d.get(at("jun", room) + "?messages=100")
	require.Contains(t, page, "Ben Lindqvist</bdi>")
	require.NotContains(t, page, "?messages=200")
}

// TestEarlierHappened: with the last messages comes what happened since the one before them.
func TestEarlierHappened(t *testing.T) {
	d := newDesk(t)
	room := d.room("eli", "Autumn menu")
	d.must("eli", roomkit.Edit{Room: room, Name: new("First")})
	d.writes(room, "eli", "One")
	d.must("eli", roomkit.Edit{Room: room, Name: new("Second")})
	d.writes(room, "eli", "Two")
	_, page := d.get(at("eli", room) + "?messages=1")
	require.Contains(t, page, "“<bdi>Second</bdi>”")
	require.NotContains(t, page, "“<bdi>First</bdi>”")
	_, page = d.get(at("eli", room) + "?messages=2")
	require.Equal(t, 1, strings.Count(page, "“<bdi>First</bdi>”"))
	require.Equal(t, 1, strings.Count(page, "“<bdi>Second</bdi>”"))
}

// TestHappenedIsText: names are shown and never obeyed, and an erased person has none.
func TestHappenedIsText(t *testing.T) {
	d, ctx := newDesk(t), t.Context()
	room := d.room("eli", "Autumn menu")
	name := `</li><script>alert(1)</script>`
	d.must("eli", roomkit.Edit{Room: room, Name: &name})
	d.must("eli", roomkit.Remove{Room: room, People: []roomkit.UserID{"gus"}})
	_, page := d.get(at("eli", room) + "/now")
	require.Contains(t, page, "renamed the group “<bdi>&lt;/li&gt;&lt;script&gt;")
	require.NotContains(t, page, "<script>alert")
	require.Contains(t, d.conversation("eli", room), "Eli Brandt removed Gus Ferreira")
	d.must("ann", roomkit.DeleteUser{User: "gus"})
	d.soon("gus is erased", func() bool {
		_, err := retention.Erase(ctx, d.store, "gus", retention.EraseOptions{Pseudonym: "erased-x"})
		return err == nil
	})
	lines := d.conversation("eli", room)
	require.Contains(t, lines, "Eli Brandt removed somebody who was erased")
	require.NotContains(t, strings.Join(lines, "\n"), "Gus")
	require.NotContains(t, strings.Join(lines, "\n"), "erased-")
}
