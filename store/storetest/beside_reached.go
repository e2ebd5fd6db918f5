package storetest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-roomkit/roomkit"
)

// reached counts what the histories have come to.
type reached struct {
	count map[string]int
}

func newReached() *reached { return &reached{count: map[string]int{}} }

func (r *reached) note(what string, so bool) {
	if so {
		r.count[what]++
	}
}

// command counts how a command has ended.
func (r *reached) command(cmd roomkit.Command, is *told) {
	has := func(class error) bool { return slices.Contains(is.Fault.Classes, class) }
	name := roomkit.CommandName(cmd)
	r.note("commands", true)
	r.note(name+" stored", is.stored())
	r.note(name+" refused", has(roomkit.ErrDenied) || has(roomkit.ErrNotFound) || has(roomkit.ErrInvalid))
	r.note("repeat", is.Result.Repeat)
	r.note("stale", has(roomkit.ErrConflict))
	r.note("reused", has(roomkit.ErrCommandReused))
	r.note("offered", len(is.Result.Offers) > 0)
	r.note("dropped", len(is.Result.Dropped) > 0)
	r.note("noticed", len(is.Result.Notices) > 0)
	r.note("opened "+is.Result.Kind.String(), is.stored() && is.Result.Opened)
}

// besideBranches are reached besides that commands are stored.
var besideBranches = []string{
	"repeat", "stale", "reused", "noticed", "swept", "followed on", "something to read", "groups listed",
	"history read", "unwell",
}

// rareBranches take more histories than the others.
var rareBranches = []string{"recommended", "offered", "dropped", "consequences planned", "due"}

// missing gives what so many histories should have come to and have not.
func (r *reached) missing(histories int) (names []string) {
	if histories < usualHistories {
		return nil
	}
	wanted := slices.Clone(besideBranches)
	for _, w := range ways {
		wanted = append(wanted, w.name+" stored")
	}
	if histories >= manyHistories {
		wanted = append(wanted, rareBranches...)
		for _, w := range ways {
			wanted = append(wanted, w.name+" refused")
		}
		for _, kind := range roomkit.Kinds() {
			wanted = append(wanted, "opened "+kind.String())
		}
	}
	return slices.DeleteFunc(wanted, func(name string) bool { return r.count[name] > 0 })
}

// So many histories reach all usual branches for certain, and the rare ones too.
const usualHistories, manyHistories = 6, 60

// String lists how often each branch was reached.
func (r *reached) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d commands:", r.count["commands"])
	for _, name := range slices.Sorted(maps.Keys(r.count)) {
		fmt.Fprintf(&b, "\n  %s %d", name, r.count[name])
	}
	return b.String()
}
