package main

import (
	"bytes"
	"io"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

var all = regexp.MustCompile("")

// Every method and every command is measured by a row, or named with the reason why not.
func TestNothingIsForgotten(t *testing.T) {
	measured := map[string]bool{}
	for _, p := range allProbes() {
		for _, name := range strings.Fields(p.of) {
			measured[name] = true
		}
	}
	known := roomkit.CommandNames()
	for m := range reflect.TypeFor[*service.Service]().Methods() {
		known = append(known, m.Name)
	}
	for _, name := range known {
		require.NotEqual(t, leftOut[name] != "", measured[name], "%s needs a row in allProbes, or a reason in leftOut, not both", name)
		delete(measured, name)
	}
	require.Empty(t, measured, "rows of what is neither a method nor a command")
	for name := range leftOut {
		require.Contains(t, known, name, "leftOut names what is not there")
	}
}

func TestRowsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range allProbes() {
		require.NotContains(t, seen, p.name)
		require.NotContains(t, p.name, "|")
		seen[p.name] = true
	}
}

// The worlds are what they say, every row can be measured in them, and afterwards they
// verify.
func TestQuick(t *testing.T) {
	for name, where := range map[string]string{"memory": "memory", "sqlite": "sqlite:" + t.TempDir()} {
		t.Run(name, func(t *testing.T) {
			sizes, samples := []int{10_000, 100_000}, 3
			if name == "sqlite" {
				sizes = []int{1000, 10_000}
			}
			var out bytes.Buffer
			j := job{where: where, sizes: sizes, seed: 3, samples: samples, only: all, budget: time.Second, checks: true, out: &out, told: io.Discard}
			require.NoError(t, j.run(t.Context()))
			require.NotContains(t, out.String(), "NaN")
			for _, p := range allProbes() {
				require.Contains(t, out.String(), "| "+p.name+" |")
			}
			require.Equal(t, len(sizes), strings.Count(out.String(), "verified in"))
		})
	}
}

// A world in a log is filled, asked and joined by another copy.
func TestQuickLog(t *testing.T) {
	var out bytes.Buffer
	j := job{where: "nats:", sizes: []int{1000}, seed: 3, samples: 1, only: regexp.MustCompile("^Check|^Invite"), budget: time.Second, checks: true, out: &out, told: io.Discard}
	require.NoError(t, j.run(t.Context()))
	require.Contains(t, out.String(), "| Invite, into a room of 15 |")
	require.Regexp(t, `1e3: another copy joined: [1-9]\d* messages, .* a snapshot of \d+ MB written in `, out.String())
	require.Regexp(t, `1e3: \d+ MB, \d+ bytes for each of 1000 memberships, log \d+, copy \d+`, out.String())
}

func TestQuickUpdates(t *testing.T) {
	var out bytes.Buffer
	j := job{where: "memory", seed: 3, samples: 3, budget: time.Second, out: &out, told: io.Discard}
	require.NoError(t, j.parse("1e3", 2000, "History"))
	require.NoError(t, j.run(t.Context()))
	require.Contains(t, out.String(), "2000 updates of one room in")
	require.Contains(t, out.String(), "| | 1e3 | p99 | 1e3 + 2e3 | p99 | ratio | of p10 | of work | calls | blocks |")
}

func TestShape(t *testing.T) {
	for _, n := range []int{10_000, 100_000} {
		s := newShape(n, 1)
		memberships := 0
		for at := range s.rooms() {
			one := s.room(at)
			require.IsIncreasing(t, append([]int{-1}, one.people...), "room %d", at)
			for _, u := range one.people {
				require.True(t, one.kind != roomkit.KindGroup && one.kind != roomkit.KindGeneral || s.companyOf(u) == one.company, "room %d has colleagues only", at)
			}
			memberships += len(one.people)
		}
		require.InEpsilon(t, n, memberships, 0.01)
		for i := range 500 {
			require.Len(t, s.room(s.usual(i)).people, 15)
		}
		for c := range s.companies {
			require.Equal(t, c, s.companyOf(s.worker(c, s.staffOf(c)-1)))
			require.Less(t, s.worker(c, s.staffOf(c)-1), s.users)
		}
	}
}
