package proof_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/oracle"
)

var everyCommand = []string{
	"OpenSelf", "OpenDirect", "CreateRoom", "CreateGroup", "CreateExternalGroup", "OpenTeamRoom", "Convert", "DeleteRoom",
	"Invite", "Remove", "Leave", "Expel", "AppointMasters", "DismissMasters", "HandOver", "Edit", "DeleteFeatureData",
	"PutCompany", "EditCompany", "PutUsers", "SetExternalMessaging", "SuspendUser", "DeleteUser", "RestoreUser", "SyncTeam",
}

// tally counts what was reached: sections of names of results.
type tally struct{ count map[[3]string]int }

func newTally() *tally { return &tally{count: map[[3]string]int{}} }

func (c *tally) reach(section, name string) { c.count[[3]string{section, name}]++ }

// command counts how a command ended, by its name and by the kind of room it
// was about.
func (c *tally) command(name, kind string, v oracle.Verdict) {
	c.count[[3]string{"command", name, string(v)}]++
	if kind != "" {
		c.count[[3]string{"room", kind, string(v)}]++
	}
}

func (c *tally) add(o *tally) {
	for k, n := range o.count {
		c.count[k] += n
	}
}

func refusal(verdict string) bool {
	switch oracle.Verdict(verdict) {
	case oracle.Denied, oracle.NotFound, oracle.Invalid:
		return true
	}
	return false
}

// commands counts the commands that ended in one of these ways.
func (c *tally) commands(is func(verdict string) bool) (n int) {
	for k, times := range c.count {
		if k[0] == "command" && k[2] != "" && is(k[2]) {
			n += times
		}
	}
	return n
}

// rare are branches that take more steps than the others.
var rare = []string{
	"command Expel ok", "command PutCompany refused", "command EditCompany refused", "command RestoreUser refused", "command OpenTeamRoom ok",
	"opened team", "branch emptied", "branch due", "branch vacated", "branch renewed", "branch dropped", "branch recommended", "command CreateRoom offers",
}

// missing lists what should have been reached and was not.
func (c *tally) missing() []string {
	got := map[string]bool{}
	for k := range c.count {
		got[strings.TrimSpace(strings.Join(k[:], " "))] = true
		if refusal(k[2]) {
			got[k[0]+" "+k[1]+" refused"] = true
		}
	}
	wanted := slices.Clone(rare)
	for _, branch := range []string{"ended", "void", "noticed", "sweep with consequences", "planned consequences"} {
		wanted = append(wanted, "branch "+branch)
	}
	for _, name := range everyCommand {
		wanted = append(wanted, "command "+name+" ok", "command "+name+" refused")
	}
	for _, k := range roomkit.Kinds() {
		wanted = append(wanted, "opened "+k.String(), "room "+k.String()+" refused", "room "+k.String()+" ok")
	}
	return slices.DeleteFunc(wanted, func(branch string) bool {
		return got[branch] || c.checked() < rareSteps && slices.Contains(rare, branch)
	})
}

func (c *tally) checked() int { return c.commands(func(string) bool { return true }) }

// String lists the branches and how often each was reached.
func (c *tally) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d refusals", c.commands(refusal))
	section := [2]string{}
	for _, k := range slices.SortedFunc(maps.Keys(c.count), func(a, b [3]string) int { return slices.Compare(a[:], b[:]) }) {
		if k[0] != section[0] {
			fmt.Fprintf(&b, "\n%s:", k[0])
		}
		if section != [2]string{k[0], k[1]} {
			fmt.Fprintf(&b, "\n  %s", k[1])
		}
		section = [2]string{k[0], k[1]}
		fmt.Fprintf(&b, " %s %d", k[2], c.count[k])
	}
	return b.String()
}
