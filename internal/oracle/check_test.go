package oracle

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestOwnFeet demands that the oracle shares nothing with what it judges.
func TestOwnFeet(t *testing.T) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	seen := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		require.NoError(t, err)
		seen++
		for _, spec := range file.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			first, _, _ := strings.Cut(path, "/")
			require.NotContains(t, first, ".", "%s imports %s", name, path)
		}
	}
	require.Greater(t, seen, 10)
}

// furnished is the small world with a room of every kind: r1 general, r2 group,
// r3 external group.
func furnished(t *testing.T) *World {
	w := founded(t, Policy{})
	for _, s := range []struct {
		actor string
		cmd   Command
	}{
		{"a1", OpenSelf{}},
		{"a1", OpenDirect{"a2"}},
		{"a1", CreateRoom{People: []string{"a2", "a3"}, Audience: Members}},
		{"a1", CreateGroup{Name: "Red", Members: []string{"a2"}, Masters: []string{"a3"}}},
		{"a1", CreateGroup{External: true, Name: "Far", Members: []string{"a2", "b1"}}},
		{"a2", OpenTeamRoom{"t"}},
	} {
		out := w.Do(s.actor, s.cmd, start)
		require.Equal(t, OK, out.Verdict, "%+v %v", s.cmd, out.Rules)
	}
	require.NoError(t, w.CheckState())
	return w
}

// TestCheckRefuses feeds the invariant checker worlds that must not be.
func TestCheckRefuses(t *testing.T) {
	drop := func(r *Room, person string) {
		delete(r.Participants, person)
		for i := range r.Tenures {
			if r.Tenures[i].User == person && r.Tenures[i].Role == Participant {
				r.Tenures[i].Until = 99
			}
		}
	}
	add := func(r *Room, person string) {
		r.Participants[person] = Membership{Since: 50}
		r.Tenures = append(r.Tenures, Tenure{User: person, Role: Participant, From: 50})
	}
	rule := func(r *Room, person string) {
		r.Masters[person] = 50
		r.Tenures = append(r.Tenures, Tenure{User: person, Role: Master, From: 50})
	}
	vacate := func(r *Room) {
		clear(r.Masters)
		for i := range r.Tenures {
			if r.Tenures[i].Role == Master {
				r.Tenures[i].Until = 99
			}
		}
	}
	for _, c := range []struct {
		name, clause string
		spoil        func(w *World)
	}{
		{"two open periods", "S1", func(w *World) {
			w.Rooms["r1"].Tenures = append(w.Rooms["r1"].Tenures, Tenure{User: "a1", Role: Participant, From: 60})
		}},
		{"overlapping periods", "S1", func(w *World) {
			w.Rooms["r1"].Tenures = append(w.Rooms["r1"].Tenures,
				Tenure{User: "a4", Role: Participant, From: 20, Until: 30}, Tenure{User: "a4", Role: Participant, From: 25, Until: 40})
		}},
		{"a period that ends before it begins", "S1", func(w *World) {
			w.Rooms["r1"].Tenures = append(w.Rooms["r1"].Tenures, Tenure{User: "a4", Role: Participant, From: 20, Until: 10})
		}},
		{"two masterships", "S1", func(w *World) {
			w.Rooms["r2"].Tenures = append(w.Rooms["r2"].Tenures, Tenure{User: "a1", Role: Master, From: 60})
		}},
		{"an unknown role", "S1", func(w *World) {
			w.Rooms["r1"].Tenures = append(w.Rooms["r1"].Tenures, Tenure{User: "a4", Role: "owner", From: 20, Until: 30})
		}},
		{"a participant without a period", "S1", func(w *World) { w.Rooms["r1"].Participants["a4"] = Membership{} }},
		{"a period without a participant", "S1", func(w *World) { delete(w.Rooms["r1"].Participants, "a1") }},
		{"a master without a period", "S1", func(w *World) { w.Rooms["r2"].Masters["a4"] = 3 }},
		{"no master", "S2", func(w *World) { vacate(w.Rooms["r2"]) }},
		{"a user made it masterless", "S2", func(w *World) { vacate(w.Rooms["r2"]); w.Rooms["r2"].Masterless = ByRemoval }},
		{"masterless with masters", "S2", func(w *World) { w.Rooms["r2"].Masterless = ByAccount }},
		{"a master of a general room", "S2", func(w *World) { rule(w.Rooms["r1"], "a1") }},
		{"an outsider in a general room", "S3", func(w *World) { add(w.Rooms["r1"], "b1") }},
		{"an outsider in a group", "S3", func(w *World) { add(w.Rooms["r2"], "b1") }},
		{"an outsider in a team room", "S3", func(w *World) { add(w.Rooms["team:t"], "b1") }},
		{"a LINE user in an external group", "S3", func(w *World) { add(w.Rooms["r3"], "l1") }},
		{"a LINE user in a group", "S3", func(w *World) { add(w.Rooms["r2"], "l1") }},
		{"a bot in an external group", "S3", func(w *World) { add(w.Rooms["r3"], "abot") }},
		{"a bot beside a LINE user", "S3", func(w *World) { add(w.Rooms["r1"], "l1"); add(w.Rooms["r1"], "abot") }},
		{"admitted without the permission", "S4", func(w *World) { add(w.Rooms["r3"], "a5") }},
		{"appointed without the permission", "S4", func(w *World) { rule(w.Rooms["r3"], "a5") }},
		{"a foreign master", "S4", func(w *World) { rule(w.Rooms["r3"], "b1") }},
		{"a foreign master of a group", "S4", func(w *World) { rule(w.Rooms["r2"], "b1") }},
		{"a sweep forgot somebody", "S4", func(w *World) { w.Users["a2"].LostWorks, w.Swept, w.Changed = 90, 91, 95 }},
		{"the kind changed", "S5", func(w *World) { w.Rooms["r2"].Kind = ExternalRoom }},
		{"an external group became general", "S5", func(w *World) {
			b := w.Births["r1"]
			b.Kind = ExternalRoom
			w.Births["r1"] = b
			w.Rooms["r1"].Converted = true
		}},
		{"a general room changed without conversion", "S5", func(w *World) { w.Rooms["r1"].Kind = GroupRoom }},
		{"the owner changed", "S5", func(w *World) { w.Rooms["r3"].Company = "b" }},
		{"the creator changed", "S5", func(w *World) { w.Rooms["r3"].Creator = "a2" }},
		{"the origin changed", "S5", func(w *World) { w.Rooms["r3"].Origin = FromMail }},
		{"three parties", "S6", func(w *World) { add(w.Rooms["direct:a1|a2"], "a3") }},
		{"one party twice", "S6", func(w *World) { w.Rooms["direct:a1|a2"].Parties = []string{"a1", "a1"} }},
		{"a second room of a pair", "S6", func(w *World) {
			r := *w.Rooms["direct:a1|a2"]
			r.ID = "r9"
			w.Rooms["r9"], w.Births["r9"] = &r, w.Births["direct:a1|a2"]
		}},
		{"somebody else's own room", "S6", func(w *World) { add(w.Rooms["self:a1"], "a2") }},
		{"an ended room with people", "S7", func(w *World) { w.Rooms["r1"].Ended = true }},
		{"a room without people", "S7", func(w *World) {
			for _, p := range []string{"a1", "a2", "a3"} {
				drop(w.Rooms["r1"], p)
			}
		}},
		{"message off in a general room", "S7", func(w *World) { w.Rooms["r1"].OffSince = start.Add(time.Hour) }},
		{"a deleted account after the sweep", "S8", func(w *World) {
			w.Users["a2"].Status, w.Users["a2"].LostAccount, w.Changed, w.Swept = Deleted, 90, 90, 91
		}},
		{"a restored account after the sweep", "S8", func(w *World) {
			w.Users["a3"].LostAccount, w.Changed, w.Swept = 90, 91, 92
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := furnished(t)
			c.spoil(w)
			require.ErrorContains(t, w.CheckState(), c.clause+":")
		})
	}
}
