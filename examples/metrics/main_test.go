package main

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/examples/internal/storytest"
)

func TestStory(t *testing.T) {
	for _, store := range storytest.Stores(t) {
		var out bytes.Buffer
		require.NoError(t, run(storytest.Context(t), store, "", &out))
		storytest.Compare(t, "testdata/story.txt", out.String())
	}
}

// dashboard is what Grafana reads of the file, as far as it asks Prometheus.
type dashboard struct {
	Title         string
	SchemaVersion int
	Panels        []struct {
		ID          int
		Title, Type string
		GridPos     struct{ X, Y, W, H int }
		Targets     []struct{ RefID, Expr, LegendFormat string }
	}
}

// TestDashboard: the dashboard asks for what a scrape shows, and for all of it.
func TestDashboard(t *testing.T) {
	text, err := os.ReadFile("dashboard.json")
	require.NoError(t, err)
	var d dashboard
	require.NoError(t, json.Unmarshal(text, &d))
	require.Positive(t, d.SchemaVersion)
	var out bytes.Buffer
	require.NoError(t, run(storytest.Context(t), "memory", "", &out))
	there := map[string]bool{}
	for line := range strings.Lines(out.String()) {
		name, kind, _ := strings.Cut(strings.TrimSpace(line), " ")
		there[name] = true
		if kind == "histogram" {
			for _, part := range []string{"_bucket", "_sum", "_count"} {
				there[name+part] = true
			}
		}
	}
	asked, ids := map[string]bool{}, map[int]bool{}
	metric := regexp.MustCompile(`roomkit_[a-z_]+\b`)
	for _, p := range d.Panels {
		require.False(t, ids[p.ID], "two panels %d", p.ID)
		ids[p.ID] = true
		require.NotEmpty(t, p.Title)
		require.LessOrEqual(t, p.GridPos.X+p.GridPos.W, 24)
		require.NotEmpty(t, p.Targets, p.Title)
		for _, q := range p.Targets {
			require.Equal(t, strings.Count(q.Expr, "("), strings.Count(q.Expr, ")"), q.Expr)
			require.NotEmpty(t, q.LegendFormat, q.Expr)
			for _, name := range metric.FindAllString(labels.ReplaceAllString(q.Expr, ""), -1) {
				require.True(t, there[name], "%q asks for %s, which no scrape shows", p.Title, name)
				asked[name] = true
			}
		}
	}
	require.Greater(t, len(asked), 15)
}

// labels are the parts of an expression that name no metric.
var labels = regexp.MustCompile(`by \([^)]*\)|\{[^}]*\}`)
