package pages

import (
	"io"

	"github.com/go-roomkit/roomkit"
)

// edge is a step of a lifecycle and the event that makes it.
type edge struct {
	from, to string
	roomkit.Event
	note string
}

// RoomEdges are the steps of a room's life.
var RoomEdges = []edge{
	{"[*]", "active", &roomkit.RoomCreated{}, ""},
	{"active", "active", &roomkit.RoomConverted{}, "General to Group or ExternalGroup, once"},
	{"active", "switched_off", &roomkit.MessageSwitchedOff{}, "starts the 30 days"},
	{"switched_off", "active", &roomkit.MessageSwitchedOn{}, "emptied after the deadline"},
	{"active", "ended", &roomkit.RoomEnded{}, "deleted, or the last person is gone"},
	{"switched_off", "ended", &roomkit.RoomEnded{}, ""},
	{"ended", "active", &roomkit.RoomCreated{}, "Self, Direct and Team rooms only"},
}

// MemberEdges are the steps of a membership.
var MemberEdges = []edge{
	{"[*]", "taking_part", &roomkit.MemberJoined{}, "period 1"},
	{"taking_part", "left", &roomkit.MemberLeft{}, ""},
	{"taking_part", "left", &roomkit.RoomEnded{}, ""},
	{"left", "taking_part", &roomkit.MemberJoined{}, "a new period"},
}

// MasterEdges are the steps of a master role.
var MasterEdges = []edge{
	{"[*]", "Group_Master", &roomkit.MasterAppointed{}, ""},
	{"Group_Master", "no_master", &roomkit.MasterDismissed{}, ""},
	{"Group_Master", "no_master", &roomkit.MemberLeft{}, "removal ends the role, too"},
	{"Group_Master", "no_master", &roomkit.RoomEnded{}, ""},
	{"no_master", "Group_Master", &roomkit.MasterAppointed{}, ""},
}

func lifecycle(w io.Writer, _ string) error {
	p := &printer{w: w}
	p.f(generated)
	p.f("# Lifecycles\n\n## A room\n")
	diagram(p, RoomEdges)
	p.f("\n## A membership\n\nTaking part and being a Group Master are independent of each other.\n")
	diagram(p, MemberEdges)
	p.f("\n## A master role\n")
	diagram(p, MasterEdges)
	p.f("\n## Why a membership or role began or ended\n\nThe causes are a closed set: ")
	for i, c := range roomkit.Causes() {
		if i > 0 {
			p.f(", ")
		}
		p.f("`%s`", c)
	}
	p.f(".\n")
	return p.err
}

func diagram(p *printer, edges []edge) {
	p.f("\n```mermaid\nstateDiagram-v2\n")
	for _, e := range edges {
		p.f("    %s --> %s: %s", e.from, e.to, e.Type())
		if e.note != "" {
			p.f(" (%s)", e.note)
		}
		p.f("\n")
	}
	p.f("```\n")
}
