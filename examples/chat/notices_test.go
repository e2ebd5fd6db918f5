package main

import (
	"html"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

// TestNoticesNameTheRoom by the name that it has now, for those who may know it, and for
// nobody else.
func TestNoticesNameTheRoom(t *testing.T) {
	d := newDesk(t)
	room := d.must("ben", roomkit.CreateExternalGroup{Name: "<i>Cards</i>", Members: []roomkit.UserID{"cat", "kai"}, Settings: roomkit.GroupSettings{Notify: true}}).Room
	d.must("ben", roomkit.AppointMasters{Room: room, People: []roomkit.UserID{"cat"}})
	d.must("ben", roomkit.Edit{Room: room, Note: new(false)})
	d.must("ben", roomkit.DismissMasters{Room: room, People: []roomkit.UserID{"cat"}})
	told := func() (page string) {
		_, page = d.get("/as/cat/notices")
		return html.UnescapeString(page)
	}
	for _, text := range []string{
		"Ben Lindqvist has added you to “<i>Cards</i>”", "Ben Lindqvist has made you Group Master of “<i>Cards</i>”",
		"Ben Lindqvist has changed what “<i>Cards</i>” has: ", "You are no longer Group Master of “<i>Cards</i>”",
	} {
		d.soon(text, func() bool { return strings.Contains(told(), text) })
	}
	_, page := d.get("/as/cat/notices")
	require.NotContains(t, page, "<i>")
	d.must("ben", roomkit.Edit{Room: room, Name: new("Secret")})
	require.Contains(t, told(), "Group Master of “Secret”")
	d.must("ben", roomkit.Edit{Room: room, Notify: new(false)})
	d.must("ben", roomkit.Remove{Room: room, People: []roomkit.UserID{"cat"}})
	d.must("ben", roomkit.Edit{Room: room, Name: new("Very secret")})
	require.Contains(t, told(), "Ben Lindqvist has made you Group Master of a group")
	require.NotContains(t, told(), "Very secret")
}
