package console_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/console"
	"github.com/go-roomkit/roomkit/internal/proof"
)

// TestNamesDoNotTurnTextRound: what turns text round is taken out of names, and a name that is
// written from the right stands by itself where no element can.
func TestNamesDoNotTurnTextRound(t *testing.T) {
	stage := proof.NewStage(t)
	stage.Run("ann", roomkit.Remove{Room: stage.External, People: []roomkit.UserID{"eve"}})
	host := &register{names: map[roomkit.UserID]string{"ann": "A\u202enn\u2067", "ben": "שלום"}}
	s := newSite(t, stage.Service, console.Options{Names: host.Names})
	room := stage.External.String()
	for _, page := range []string{"timeline?room=" + room, "members?room=" + room, "user?id=ann", "why?user=ben&room=" + room, "why?user=ben"} {
		text := s.get(page)
		require.NotContains(t, text, "\u202e", page)
		require.NotContains(t, text, "\u2067", page)
	}
	require.Contains(t, s.get("timeline?room="+room), "(removed by Ann (ann))")
	require.Contains(t, s.get("members?room="+room), "What may \u2068שלום\u2069 (ben) do?")
}

// TestEndsNameWhoDidIt: what stands behind a bar has the name, as far as there is room.
func TestEndsNameWhoDidIt(t *testing.T) {
	stage := proof.NewStage(t)
	stage.Run("ann", roomkit.Remove{Room: stage.Group, People: []roomkit.UserID{"cat"}})
	for range 3 {
		stage.Clock.Add(240 * time.Hour)
		stage.Run("ann", roomkit.Edit{Room: stage.Group, Name: new("later")})
	}
	s := newSite(t, stage.Service, console.Options{Names: (&register{names: threeNames}).Names})
	require.Contains(t, s.get("timeline?room="+stage.Group.String()), ">removed by Ann Okafor</text>")
}

// TestShowMoreShowsMore: a list that just fills a page has no next one.
func TestShowMoreShowsMore(t *testing.T) {
	stage := proof.NewStage(t)
	_, err := stage.Do(t.Context(), roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{ID: "full", Licensed: true}})
	require.NoError(t, err)
	add := func(i int) {
		id := roomkit.UserID(fmt.Sprintf("f%04d", i))
		_, err := stage.Do(t.Context(), roomkit.System(), roomkit.AddUser{User: roomkit.User{ID: id, Company: "full", Kind: roomkit.UserMember, Status: roomkit.StatusActive}})
		require.NoError(t, err)
	}
	for i := range rowsOfPage {
		add(i)
	}
	s := newSite(t, stage.Service, console.Options{})
	for _, page := range []string{"people?company=full", "teams?company=acme", "company?id=acme", "health?company=acme", "user?id=ann", "members?room=" + stage.Group.String()} {
		require.NotContains(t, s.get(page), "Show more", page)
	}
	add(rowsOfPage)
	first := s.get("people?company=full")
	require.Equal(t, rowsOfPage, strings.Count(first, `<td><a href="user?id=f`))
	_, more := rowsOf(t, first)
	require.Contains(t, s.get(more), fmt.Sprintf("f%04d", rowsOfPage))
}

// TestHealthNamesRoomsByTheirPeople where they have no name.
func TestHealthNamesRoomsByTheirPeople(t *testing.T) {
	stage := proof.NewStage(t)
	for _, id := range []roomkit.UserID{"ann", "ben"} {
		_, err := stage.Do(t.Context(), roomkit.System(), roomkit.SuspendUser{User: id})
		require.NoError(t, err)
	}
	s := newSite(t, stage.Service, console.Options{Names: (&register{names: threeNames}).Names})
	require.Contains(t, s.get("health?company=acme"), "Ann Okafor, Ben Lindqvist")
}
