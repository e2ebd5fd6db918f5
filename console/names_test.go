package console_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/console"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
)

// register is a host that knows what some people are called, and notes when it is asked.
type register struct {
	names map[roomkit.UserID]string
	calls [][]roomkit.UserID
}

func (r *register) Names(_ context.Context, ids []roomkit.UserID) (map[roomkit.UserID]string, error) {
	r.calls = append(r.calls, slices.Clone(ids))
	return r.names, nil
}

var threeNames = map[roomkit.UserID]string{"ann": "Ann Okafor", "ben": "Ben Lindqvist", "eve": "Eve Tran"}

// said is the text of a page, as it is read.
func said(t *testing.T, page string) string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	require.NoError(t, err)
	return strings.Join(strings.Fields(textOf(root)), " ")
}

// TestNames stand on every page that speaks of people, beside the ids, and the host is asked
// once for each page, for everybody once.
func TestNames(t *testing.T) {
	stage := proof.NewStage(t)
	stage.Run("ann", roomkit.Remove{Room: stage.External, People: []roomkit.UserID{"eve"}})
	host := &register{names: threeNames}
	s := newSite(t, stage.Service, console.Options{Names: host.Names})
	room := stage.External.String()
	for page, want := range map[string][]string{
		"people?company=acme":                    {"Ann Okafor ann", "cat"},
		"company?id=acme":                        {"Ann Okafor, Ben Lindqvist, cat"},
		"user?id=ann":                            {"User ann, Ann Okafor", "Ann Okafor, Ben Lindqvist"},
		"room?id=" + room:                        {"Ann Okafor ann removed Eve Tran eve", "(removed by Ann Okafor (ann))"},
		"room?id=" + stage.Direct.String():       {"Ann Okafor, Ben Lindqvist"},
		"members?which=all&room=" + room:         {"Eve Tran eve", "by Ann Okafor ann"},
		"history?of=room:" + room:                {"Ann Okafor ann removed Eve Tran eve"},
		"history?of=user:ann":                    {"Of Ann Okafor ann"},
		"timeline?room=" + room:                  {"Eve Tran eve", "(removed by Ann Okafor (ann))", "Ben Lindqvist (ben)"},
		"why?user=ben":                           {"Ann Okafor, Ben Lindqvist"},
		"why?room=" + room:                       {"Ann Okafor ann"},
		"why?user=ben&room=" + room:              {"What Ben Lindqvist (ben) may do in project"},
		"why?user=ben&action=leave&room=" + room: {"Ben Lindqvist ben may not leave in project"},
		to("plan", "as", "ann", "command", remove(room, "ben")): {"Ann Okafor ann removed Ben Lindqvist ben"},
		"feed?after=": {"Ann Okafor ann removed Eve Tran eve"},
	} {
		host.calls = nil
		text := said(t, s.get(page))
		for _, one := range want {
			require.Contains(t, text, one, page)
		}
		require.Len(t, host.calls, 1, page)
		slices.Sort(host.calls[0])
		require.Equal(t, slices.Compact(slices.Clone(host.calls[0])), host.calls[0], page)
	}
	for _, page := range []string{"", "matrix", "rules", "followers", "why", "plan"} {
		host.calls = nil
		s.get(page)
		require.Empty(t, host.calls, page)
	}
}

func remove(room, who string) string {
	return fmt.Sprintf(`{"command":"Remove","room":%q,"people":[%q]}`, room, who)
}

// TestNamesOfManyPeople are asked for in one call, too.
func TestNamesOfManyPeople(t *testing.T) {
	stage := proof.NewStage(t)
	var crew []roomkit.UserID
	for i := range 150 {
		id := roomkit.UserID(fmt.Sprintf("p%03d", i))
		_, err := stage.Do(t.Context(), roomkit.System(), roomkit.AddUser{User: roomkit.User{ID: id, Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}})
		require.NoError(t, err)
		crew = append(crew, id)
	}
	stage.Run("ann", roomkit.Invite{Room: stage.Group, People: crew})
	host := &register{}
	newSite(t, stage.Service, console.Options{Names: host.Names}).get("members?room=" + stage.Group.String())
	require.Len(t, host.calls, 1)
	require.GreaterOrEqual(t, len(host.calls[0]), rowsOfPage)
}

const rowsOfPage = roomkit.DefaultPage

// TestNothingComesOfGivenNames: names of the host make no elements, attributes or links,
// wherever they stand.
func TestNothingComesOfGivenNames(t *testing.T) {
	svc, rooms := world(t, evilIDs, evilNames)
	called := func(names []string) *site {
		given := map[roomkit.UserID]string{}
		for i, id := range evilIDs {
			given[roomkit.UserID(id)] = names[i]
		}
		return newSite(t, svc, console.Options{Names: (&register{names: given}).Names})
	}
	bad, good := called(evilNames), called(strings.Split("a b c d e f g h i j k l m n o", " "))
	for _, page := range evilPages(evilIDs, evilNames, rooms) {
		one, two := bad.request(http.MethodGet, page), good.request(http.MethodGet, page)
		require.Equal(t, two.Code, one.Code, page)
		require.Equal(t, elements(t, page, two.Body.String()), elements(t, page, one.Body.String()), page)
	}
}

// TestWithoutAnAnswerOfNames: an error, a panic and a host that never answers leave the page with
// ids and a word, and the reason in the log alone.
func TestWithoutAnAnswerOfNames(t *testing.T) {
	stage := proof.NewStage(t)
	forever := make(chan struct{})
	t.Cleanup(func() { close(forever) })
	for name, ask := range map[string]func(context.Context, []roomkit.UserID) (map[roomkit.UserID]string, error){
		"secret error": func(context.Context, []roomkit.UserID) (map[roomkit.UserID]string, error) {
			return threeNames, errors.New("secret error")
		},
		"secret panic": func(context.Context, []roomkit.UserID) (map[roomkit.UserID]string, error) { panic("secret panic") },
		"not ended": func(context.Context, []roomkit.UserID) (map[roomkit.UserID]string, error) {
			<-forever
			return threeNames, nil
		},
	} {
		var log bytes.Buffer
		s := newSite(t, stage.Service, console.Options{Names: ask, NamesWithin: 50 * time.Millisecond, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		text := said(t, s.get("members?room="+stage.Group.String()))
		require.Contains(t, text, "The names of people could not be had", name)
		require.Contains(t, text, "ann")
		require.NotContains(t, text, "Okafor")
		require.NotContains(t, text, "secret")
		require.Contains(t, log.String(), name)
		require.NotContains(t, s.get("matrix"), "could not be had")
	}
}

// TestNamesHangBounded: calls that never end are not made again and again.
func TestNamesHangBounded(t *testing.T) {
	stage := proof.NewStage(t)
	forever := make(chan struct{})
	t.Cleanup(func() { close(forever) })
	var calls atomic.Int64
	s := newSite(t, stage.Service, console.Options{NamesWithin: time.Millisecond, Names: func(context.Context, []roomkit.UserID) (map[roomkit.UserID]string, error) {
		calls.Add(1)
		<-forever
		return nil, nil
	}})
	for range 40 {
		require.Contains(t, s.get("user?id=ann"), "could not be had")
	}
	require.LessOrEqual(t, calls.Load(), int64(16))
}

// TestNamesAreShortened at a character, and unknown ids and empty names are none.
func TestNamesAreShortened(t *testing.T) {
	stage := proof.NewStage(t)
	host := &register{names: map[roomkit.UserID]string{"ann": strings.Repeat("é", 5000), "ben": "", "nobody": "No Body"}}
	text := said(t, newSite(t, stage.Service, console.Options{Names: host.Names}).get("people?company=acme"))
	require.Contains(t, text, strings.Repeat("é", 99)+"… ann")
	require.NotContains(t, text, strings.Repeat("é", 101))
	require.NotContains(t, text, "No Body")
	require.Contains(t, text, "ben")
}

// TestNamesInALiveFeed are asked for once for each event that speaks of others, and again where
// there was no answer.
func TestNamesInALiveFeed(t *testing.T) {
	stage := proof.NewStage(t, func(o *service.Options) { o.Poll = 10 * time.Millisecond })
	var calls atomic.Int64
	names := func(context.Context, []roomkit.UserID) (map[roomkit.UserID]string, error) {
		if calls.Add(1) == 1 {
			return nil, errors.New("not yet")
		}
		return threeNames, nil
	}
	head, err := stage.Head(t.Context())
	require.NoError(t, err)
	feed := listen(t, serve(t, stage.Service, console.Options{Authorize: anybody, Names: names}), string(head), "")
	for i, name := range []string{"one", "two", "three"} {
		stage.Run("ann", roomkit.Edit{Room: stage.External, Name: &name})
		text := said(t, feed.next()["data"])
		require.Contains(t, text, name)
		require.Equal(t, i > 0, strings.Contains(text, "Ann Okafor ann changed the name"), text)
	}
	require.EqualValues(t, 2, calls.Load())
	stage.Run("ann", roomkit.Remove{Room: stage.External, People: []roomkit.UserID{"eve"}})
	require.Contains(t, said(t, feed.next()["data"]), "Ann Okafor ann removed Eve Tran eve")
	require.EqualValues(t, 3, calls.Load())
}

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
