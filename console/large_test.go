package console_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/console"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// counting is a store that counts the rows it gives.
type counting struct {
	store.Store
	rows atomic.Int64
}

func (c *counting) Unwrap() store.Store { return c.Store }

func (c *counting) Members(ctx context.Context, q store.MemberQuery) ([]roomkit.Member, error) {
	list, err := c.Store.Members(ctx, q)
	c.rows.Add(int64(len(list)))
	return list, err
}

func (c *counting) History(ctx context.Context, of roomkit.Subject, after roomkit.Version, limit int) ([]store.Record, error) {
	list, err := c.Store.History(ctx, of, after, limit)
	c.rows.Add(int64(len(list)))
	return list, err
}

func (c *counting) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	list, err := c.Store.Load(ctx, needs)
	for i := range list {
		c.rows.Add(int64(len(list[i].Members) + len(list[i].Users)))
	}
	return list, err
}

// rowsOf gives the rows of the list of a page, and the link to the next page.
func rowsOf(t *testing.T, text string) (rows []string, next string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(text))
	require.NoError(t, err)
	for n := range root.Descendants() {
		for _, a := range n.Attr {
			switch {
			case n.Data == "tbody" && a.Key == "data-rows":
				for tr := range n.ChildNodes() {
					if tr.Data == "tr" {
						rows = append(rows, textOf(tr))
					}
				}
			case n.Data == "a" && a.Key == "class" && a.Val == "more":
				for _, b := range n.Attr {
					if b.Key == "href" {
						next = b.Val
					}
				}
			}
		}
	}
	return rows, next
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// TestHundredThousandMembers scrolls through a large room: everybody once, in pages of which
// each reads only its own rows.
func TestHundredThousandMembers(t *testing.T) {
	many := 100_000
	if testing.Short() {
		many = 2_000
	}
	st := &counting{Store: memstore.New()}
	svc := proof.ServiceOn(t, st, &service.Options{Clock: proof.NewClock().Now})
	room := proof.General(t, svc, "ann", "ben", "cat")
	proof.Fill(t, svc, room, proof.Crowd(t, svc, "p", many-3))
	s := newSite(t, svc, console.Options{})
	st.rows.Store(0)
	page := s.get("room?id=" + room.String())
	if !testing.Short() {
		require.Less(t, st.rows.Load(), int64(1_500), "the page of a large room reads a part of it")
		require.Contains(t, page, "The room is large")
	}
	seen := 0
	last := ""
	for next := "members?room=" + room.String(); next != ""; {
		st.rows.Store(0)
		rows, more := rowsOf(t, s.get(next))
		require.LessOrEqual(t, st.rows.Load(), int64(3*(roomkit.DefaultPage+1)))
		for _, row := range rows {
			require.Less(t, last, row)
			last = row
			seen++
		}
		next = more
	}
	require.Equal(t, many, seen)
	events := 0
	for next := "history?of=room:" + room.String(); next != ""; {
		rows, more := rowsOf(t, s.get(next))
		events, next = events+len(rows), more
	}
	require.Equal(t, 2+many/roomkit.MaxPeople, events)
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
