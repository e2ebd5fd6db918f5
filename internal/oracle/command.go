package oracle

import (
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Command is what an actor wants to happen. The commands mirror the library's. Each
// is in one place: its fields, its form, what it does. How it is drawn is in draw.go.
// Two more methods say what may be refused too early, before anything else is looked at:
//
//   - excessive: a text is longer than any room allows (EXT-34, EXT-35, GRP-29, GRP-30,
//     LIM-04, LIM-05), though it may turn out not to be needed, or somebody is named twice
//   - doubtful: the form, where the actor may do nothing either
type Command interface {
	wellFormed() bool
	run(c *call) *refusal
}

// Audience is the choice a picker starts with.
type Audience string

// The audiences.
const (
	NoAudience Audience = ""
	Members    Audience = "members"
	Externals  Audience = "external"
)

// Settings are chosen when a group is created.
type Settings struct {
	Public      bool
	Sharing     bool
	Notify      bool
	MessageOff  bool
	FeaturesOff Features
}

// call is one command on its way.
type call struct {
	w       *World
	actor   string
	who     *User // nil for the system
	now     time.Time
	out     Outcome
	changed bool
	trusts  bool // the answer of the service decides
}

// Do runs a command. A refused one changes nothing but the step.
func (w *World) Do(actor string, cmd Command, now time.Time) Outcome {
	w.Step++
	c := &call{w: w, actor: actor, now: now}
	r := c.start(cmd)
	if c.trusts {
		w.Trusted++
	}
	switch {
	case r != nil:
		return Outcome{Verdict: r.verdict, Rules: r.rules}
	case len(c.out.Offers) > 0:
		c.out.Verdict = Offers
	case c.changed:
		c.out.Verdict = OK
	default:
		c.out.Verdict = NoOp
	}
	c.notify()
	return c.out
}

func (c *call) start(cmd Command) *refusal {
	if !cmd.wellFormed() {
		return malformed
	}
	if d, ok := cmd.(interface{ excessive() bool }); ok && d.excessive() {
		if no := c.either(); no != nil {
			return no
		}
	}
	if c.actor != System {
		if r := c.w.actorRefused(c.actor); r != nil {
			if d, ok := cmd.(interface{ doubtful() bool }); ok && d.doubtful() {
				return refused() // for the form or for the actor
			}
			return r
		}
		c.who = c.w.Users[c.actor]
	}
	return cmd.run(c)
}

func (w *World) actorRefused(id string) *refusal {
	u := w.Users[id]
	switch {
	case u == nil:
		return denied("COM-16")
	case u.Status == Deleted:
		return denied("ADM-13", "ADM-17")
	case u.Status == Suspended:
		return denied("ADM-17")
	case !w.served(u):
		return denied("COM-10")
	}
	return nil
}

// either stands where the rule book leaves open whether a command is refused: the
// answer that the service has given is right, and has to be meant. Rules are those
// that a refusal may name; none: any. Without an answer the command stays open.
func (c *call) either(rules ...string) *refusal {
	c.trusts = c.w.Answer != ""
	switch c.w.Answer {
	case "":
		return unsettled
	case Denied, NotFound, Invalid:
		return refused(rules...)
	}
	return nil
}

// judge refuses because of faults; doubts alone are left to the service.
func (c *call) judge(f, doubts faults) *refusal {
	switch {
	case len(f.rules) > 0:
		f.add(slices.Collect(maps.Keys(doubts.rules))...)
		return f.refusal()
	case len(doubts.rules) > 0:
		return c.either(slices.Sorted(maps.Keys(doubts.rules))...)
	}
	return nil
}

func (c *call) system() bool { return c.who == nil }

// room finds a room that the actor may know of and that has not ended.
func (c *call) room(id string) (*Room, *refusal) {
	r := c.w.Rooms[id]
	known := Certainly
	if r == nil {
		known = 0
	} else if !c.system() {
		known = c.w.Visible(c.actor, id)
	}
	switch {
	case known == Perhaps:
		return nil, refused()
	case known != Certainly:
		return nil, notFound
	case r.Ended:
		return nil, denied("COM-14")
	}
	c.out.Room, c.out.Kind = r.ID, r.Kind
	return r, nil
}

// authorised finds a room in which the actor may do something.
func (c *call) authorised(id string, a Action) (*Room, *refusal) {
	r, no := c.room(id)
	if no != nil {
		return nil, no
	}
	if no := c.may(r, a); no != nil {
		return nil, no
	}
	return r, nil
}

func (c *call) may(r *Room, a Action) *refusal {
	if c.system() {
		return denied()
	}
	return c.w.mayDo(c.who, r, a)
}

func some(people []string) bool { return len(people) >= 1 && len(people) <= 500 }

// twice reports whether a list names somebody twice. People form a set (COM-07);
// whether a list has to be one is not said.
func twice(people []string) bool { return len(unique(people...)) < len(people) }

func longer(s string, runes int) bool { return utf8.RuneCountInString(s) > runes }

func shorten(s string, runes int) string {
	s = strings.TrimSpace(s)
	if !longer(s, runes) {
		return s
	}
	return string([]rune(s)[:runes])
}
