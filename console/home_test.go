package console_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/console"
	"github.com/go-roomkit/roomkit/internal/proof"
)

// next is where a page says that one looks further, or "".
func next(t *testing.T, page string) string {
	t.Helper()
	for _, link := range links(t, page) {
		if rest, ok := strings.CutPrefix(link, "./?after="); ok {
			return "?after=" + rest
		}
	}
	return ""
}

// TestCompaniesOfALongFeed: the first page looks at a part of the feed, says how large that is, and
// goes on where it ends, up to the end; a company is reached by its id from the beginning on.
func TestCompaniesOfALongFeed(t *testing.T) {
	stage := proof.NewStage(t)
	for i := range 10000 {
		stage.Run("ann", roomkit.Edit{Room: stage.General, HistorySharing: new(i%2 == 0)})
	}
	add := func(id string) {
		_, err := stage.Do(t.Context(), roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{ID: roomkit.CompanyID(id), Licensed: true}})
		require.NoError(t, err)
	}
	add("late")
	s := newSite(t, stage.Service, console.Options{})
	page := s.get("")
	require.Contains(t, page, "10000 events of the feed were looked at for companies, from the first one on, and there are more")
	require.Contains(t, page, "company?id=acme")
	require.NotContains(t, page, "company?id=late")
	s.get("company?id=late")
	page = s.get(next(t, page))
	require.Contains(t, page, "events of the feed were looked at for companies, behind those of the page before, up to the last one")
	require.Contains(t, page, "company?id=late")
	require.NotContains(t, page, "company?id=acme")
	require.Empty(t, next(t, page))
}

// TestManyCompanies: no company is lost between two parts, and those of the host are counted.
func TestManyCompanies(t *testing.T) {
	stage := proof.NewStage(t)
	var ids []roomkit.CompanyID
	for i := range 1100 {
		ids = append(ids, roomkit.CompanyID(fmt.Sprintf("c%04d", i)))
		_, err := stage.Do(t.Context(), roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{ID: ids[i], Licensed: true}})
		require.NoError(t, err)
	}
	s := newSite(t, stage.Service, console.Options{})
	first := s.get("")
	both := first + s.get(next(t, first))
	for _, id := range ids {
		require.Equal(t, 1, strings.Count(both, `<td><a href="company?id=`+string(id)+`">`), id)
	}
	given := newSite(t, stage.Service, console.Options{Companies: func(context.Context) ([]roomkit.CompanyID, error) { return ids, nil }}).get("")
	require.Contains(t, given, "the first 1000 of 1100 companies")
	require.Contains(t, given, "c0999")
	require.NotContains(t, given, "c1000")
}
