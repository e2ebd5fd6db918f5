package roomtest_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/roomtest"
	"github.com/go-roomkit/roomkit/service"
)

// app is a program that embeds the library, as small as one can be.
type app struct{ rooms *service.Service }

func newApp(rooms *service.Service) app { return app{rooms} }

var errLater = errors.New("try again later")

func (a app) kick(by, whom roomkit.UserID, room roomkit.RoomID) error {
	_, err := a.rooms.Do(ctx, roomkit.By(by), roomkit.Remove{Room: room, People: []roomkit.UserID{whom}})
	if service.CategoryOf(err) == service.CategoryUnavailable {
		return errLater
	}
	return err
}

// The test that README.md and doc.go show.

func TestKick(t *testing.T) {
	w := roomtest.New(t).Company("acme", "ann", "ben").Company("bolt", "eve")
	room := w.External("Project", "ann", "ben", "eve") // ann is Group Master
	app := newApp(w.Service)                           // your program

	roomtest.RequireDenied(t, app.kick("ben", "eve", room), "EXT-16")

	w.Store.FailCommit(roomtest.Unavailable) // the database goes away for a moment
	if err := app.kick("ann", "eve", room); !errors.Is(err, errLater) {
		t.Fatal(err)
	}
	events := roomtest.Events(t, w.Service, func() { app.kick("ann", "eve", room) })
	roomtest.RequireEvents(t, events, "member.left")
	roomtest.RequireNotices(t, events) // nobody is told: group notification is off
	roomtest.RequireWhoMay(t, w.Service, room, roomkit.ActionPost, "ann", "ben")
}

// TestShown: README.md and doc.go show the test above.
func TestShown(t *testing.T) {
	source, err := os.ReadFile("readme_test.go")
	require.NoError(t, err)
	_, want, _ := strings.Cut(string(source), "// The test that README.md and doc.go show.\n\n")
	want, _, _ = strings.Cut(want, "\n// TestShown")
	doc, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	require.Contains(t, strings.ReplaceAll(string(doc), "//\n", "//\t\n"), "//\t"+strings.ReplaceAll(strings.TrimSpace(want), "\n", "\n//\t"),
		"doc.go: the first block is TestKick of readme_test.go")
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	require.Contains(t, string(readme), "```go\n"+want+"```\n", "README.md: under 'Test your service' is TestKick of roomtest/readme_test.go")
}
