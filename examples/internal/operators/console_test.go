// Package operators has the stories of who looks into the console with a browser.
package operators

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/console"
	"github.com/go-roomkit/roomkit/examples/internal/chromium"
	"github.com/go-roomkit/roomkit/roomtest"
)

func TestMain(m *testing.M) { os.Exit(chromium.Main(m)) }

// desk is a console over a world, and a browser that looks at it.
type desk struct {
	*roomtest.World
	*chromium.Page
	Away    atomic.Bool // the operator is none any more
	site    string      // where the console is
	project roomkit.RoomID
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{World: roomtest.New(t).Company("acme", "ann", "ben").Company("bolt", "eve")}
	d.project = d.External("Project <b>1</b>", "ann", "ben", "eve")
	h, err := console.Handler(d.Service, console.Options{Recheck: 50 * time.Millisecond, Authorize: func(*http.Request) error {
		if d.Away.Load() {
			return errors.New("no operator")
		}
		return nil
	}})
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("/console/", h)
	mux.HandleFunc("/favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	d.site = server.URL + "/console/"
	d.Page = chromium.Open(t).Tab(d.site)
	return d
}

// why is the page that says whether somebody may do something in the project.
func (d *desk) why(user, action string) string {
	return d.site + "why?" + url.Values{"user": {user}, "action": {action}, "room": {d.project.String()}}.Encode()
}

// TestWhyNobodyLeaves finds from the first page, by clicks, why a member of an external group cannot leave.
func TestWhyNobodyLeaves(t *testing.T) {
	d := newDesk(t)
	d.Click(`css:a[href="company?id=acme"]`)
	d.See("Rooms")
	d.Click(`css:a[href="room?id=` + d.project.String() + `"]`)
	d.See("created the external group room")
	d.Click(`css:a[aria-label="why? What may ben do?"]`)
	d.See("What ben may do")
	d.Click(`css:a[href*="action=leave"]`)
	d.See("A member MUST NOT be able to leave by himself or herself.")
	d.See("whatever is changed")
	d.Axe()
}

// TestKeyboardAlone asks why without a mouse.
func TestKeyboardAlone(t *testing.T) {
	d := newDesk(t)
	d.Go(d.why("", ""))
	d.TabTo(`css:input[name="user"]`, 30)
	d.Type("ben")
	d.TabTo(`css:select[name="action"]`, 5)
	d.Press("ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown") // remove
	d.TabTo(`css:input[name="room"]`, 5)
	d.Press("Enter")
	d.See("may not remove")
	d.See("EXT-16")
}

// TestKeyboardFindsPersonAndRoom asks why without a mouse, and without an id by heart.
func TestKeyboardFindsPersonAndRoom(t *testing.T) {
	d := newDesk(t)
	follow := func(link string) {
		d.TabTo("css:"+link, 60)
		d.Press("Enter")
	}
	follow(`a[href="why?company=bolt"]`)
	d.See("Whom is it about?")
	follow(`a[href^="why?user=eve&"]`)
	d.See("Which room is it about?")
	follow(`a[href*="room=` + d.project.String() + `"]`)
	d.See("What eve may do")
	follow(`a[href*="action=leave"]`)
	d.See("eve may not leave")
	d.See("A member MUST NOT be able to leave by himself or herself.")
}

// TestEveryPageIsReadable by what axe demands, in light and dark, on a desk and on a phone, and
// without a script or a style that the policy of the page forbids. The long run has each colour
// on each width, and every row; the short one the desk in one colour and the phone in the
// other, by turns, with three rows of each table.
func TestEveryPageIsReadable(t *testing.T) {
	d := newDesk(t)
	d.Run("ann", roomkit.Remove{Room: d.project, People: []roomkit.UserID{"eve"}})
	long := os.Getenv("ROOMKIT_LONG") != ""
	for i, page := range d.pages() {
		d.Size(1280, 900)
		d.Go(d.site + page)
		if !long {
			d.True("few rows", `document => { for (const table of document.querySelectorAll("tbody")) while (table.rows.length > 3) table.deleteRow(3); return true }`)
		}
		d.readable(long || i%2 == 0, long || i%2 == 1)
		d.Size(380, 700)
		require.Empty(t, d.Wider(), page)
		d.readable(long || i%2 == 1, long || i%2 == 0)
	}
}

// readable demands what can be read, in these colours.
func (d *desk) readable(light, dark bool) {
	if light {
		d.Light()
		d.Axe()
	}
	if dark {
		d.Dark()
		d.Axe()
	}
}

// pages are all pages of the console, with something on each.
func (d *desk) pages() []string {
	room := d.project.String()
	command := url.QueryEscape(fmt.Sprintf(`{"command":"Remove","room":%q,"people":["ben"]}`, room))
	refused := url.QueryEscape(fmt.Sprintf(`{"command":"Leave","room":%q}`, room))
	return []string{
		"", "company?id=acme", "people?company=acme", "teams?company=acme", "user?id=ann", "room?id=" + room, "members?which=all&room=" + room,
		"history?of=room:" + room, "timeline?room=" + room, "followers", "health?company=acme", "due?company=acme", "feed", "feed?after=", "matrix", "rules",
		"plan", "plan?as=ann&command=" + command, "plan?as=ben&command=" + refused, "why", "why?company=acme", "why?user=ben", "why?room=" + room, "why?user=ben&room=" + room,
		"why?user=ben&action=leave&room=" + room, "why?user=ann&action=invite&room=" + room,
	}
}

// TestLongListsGoOn when their end is reached, until everybody is there once.
func TestLongListsGoOn(t *testing.T) {
	d := newDesk(t)
	var people []roomkit.UserID
	for i := range 350 {
		people = append(people, roomkit.UserID(fmt.Sprintf("p%03d", i)))
	}
	d.Company("crew", people...)
	d.Go(d.site + "people?company=crew")
	d.True("more people come", `document => { window.scrollTo(0, document.body.scrollHeight); return document.querySelectorAll("tbody > tr").length > 300 }`)
	d.See("p349")
	d.See("That is all.")
	d.True("everybody once", `document => { const ids = [...document.querySelectorAll("tbody > tr > td:first-child a")].map(a => a.textContent); return ids.length === 350 && new Set(ids).size === 350 }`)
}

// TestLiveFeedEnds when the operator is none any more.
func TestLiveFeedEnds(t *testing.T) {
	d := newDesk(t)
	d.Go(d.site + "feed")
	d.See("Live.")
	d.Run("ann", roomkit.Remove{Room: d.project, People: []roomkit.UserID{"eve"}})
	d.See("ann removed eve.")
	d.Away.Store(true)
	d.Run("ann", roomkit.Remove{Room: d.project, People: []roomkit.UserID{"ben"}})
	d.See("You may not see this any more.")
	d.Gone("ann removed ben.")
}
