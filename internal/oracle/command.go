package oracle

import (
	"maps"
	"slices"
	"time"
)

// Command is what an actor wants to happen. The commands mirror the library's.
type Command interface {
	wellFormed() bool
	run(c *call) *refusal
}

// The commands.
type (
	OpenSelf   struct{}
	OpenDirect struct{ With string }
	CreateRoom struct {
		People      []string
		Audience    Audience
		Origin      Origin
		Source      string
		Title       string
		Name        string
		Photo       string
		Description string
		Use         string
		Anyway      bool
	}
	CreateGroup struct {
		External    bool // the library's CreateExternalGroup
		Name        string
		Members     []string
		Masters     []string
		ForOthers   bool
		Photo       string
		Description string
		Settings    Settings
	}
	OpenTeamRoom struct{ Team string }
	Invite       struct {
		Room   string
		People []string
		Name   string
	}
	Remove struct {
		Room   string
		People []string
	}
	Leave struct{ Room string }
	Expel struct {
		Room   string
		People []string
		Cause  Cause // ByPermission or ByAccount
	}
	AppointMasters struct {
		Room   string
		People []string
	}
	DismissMasters struct {
		Room   string
		People []string
	}
	HandOver struct {
		Room string
		To   string
	}
	Edit struct {
		Room        string
		Name        *string
		Photo       *string
		Description *string
		Public      *bool
		Sharing     *bool
		Notify      *bool
		Message     *bool
		Switch      map[Feature]bool // what to switch on or off
		Withhold    *bool
	}
	DeleteFeatureData struct {
		Room     string
		Features Features
	}
	DeleteRoom struct{ Room string }
	Convert    struct {
		Room string
		To   Kind
		Name string
	}
	PutCompany  struct{ Company Company }
	EditCompany struct {
		Company             string
		MembersCreateGroups *bool
		RecallWindow        *time.Duration
	}
	PutUsers             struct{ Users []User }
	SetExternalMessaging struct {
		Company string
		User    string
		Channel Channel
		Mode    Mode
	}
	SuspendUser struct {
		User string
		Lift bool
	}
	DeleteUser  struct{ User string }
	RestoreUser struct{ User string }
	SyncTeam    struct{ Team Team }
)

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
	if overlong(cmd) || twice(cmd) {
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
		return refused()
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

func (OpenSelf) wellFormed() bool         { return true }
func (x OpenDirect) wellFormed() bool     { return x.With != "" }
func (x CreateGroup) wellFormed() bool    { return len(x.Members) <= 500 && len(x.Masters) <= 500 }
func (x OpenTeamRoom) wellFormed() bool   { return x.Team != "" }
func (x Invite) wellFormed() bool         { return some(x.People) }
func (x Remove) wellFormed() bool         { return some(x.People) }
func (Leave) wellFormed() bool            { return true }
func (x AppointMasters) wellFormed() bool { return some(x.People) }
func (x DismissMasters) wellFormed() bool { return some(x.People) }
func (x HandOver) wellFormed() bool       { return x.To != "" }
func (Edit) wellFormed() bool             { return true }
func (DeleteRoom) wellFormed() bool       { return true }
func (x Convert) wellFormed() bool        { return x.To.Managed() }
func (x PutCompany) wellFormed() bool     { return x.Company.ID != "" }
func (x EditCompany) wellFormed() bool    { return x.Company != "" }
func (x PutUsers) wellFormed() bool       { return len(x.Users) > 0 }
func (x SuspendUser) wellFormed() bool    { return x.User != "" }
func (x DeleteUser) wellFormed() bool     { return x.User != "" }
func (x RestoreUser) wellFormed() bool    { return x.User != "" }
func (x SyncTeam) wellFormed() bool       { return x.Team.ID != "" && len(x.Team.Members) <= 5000 }

func (x Expel) wellFormed() bool {
	return some(x.People) && (x.Cause == ByPermission || x.Cause == ByAccount)
}

func (x DeleteFeatureData) wellFormed() bool {
	for f, on := range x.Features {
		if on && f != Note && f != Event && f != Folder {
			return false
		}
	}
	return len(x.Features) > 0
}

func (x SetExternalMessaging) wellFormed() bool {
	return x.Company != "" && (x.User == "" || x.Mode != All)
}

// wellFormed asks a picker for its audience (CRE-02), and the path from another
// room for that room.
func (x CreateRoom) wellFormed() bool {
	return some(x.People) &&
		(x.Origin != FromPicker || x.Audience != NoAudience) &&
		(x.Origin != FromRoom || x.Source != "")
}

// namesOne: a 1:1 room takes no name (CRE-10, DIR-19).
func (x CreateRoom) namesOne() bool {
	return len(x.People) == 1 && (x.Name != "" || x.Photo != "" || x.Description != "")
}

// doubtful is a form that may be refused before the actor is looked at.
func (x CreateGroup) doubtful() bool {
	return x.Name == "" || x.ForOthers && len(x.Masters) == 0 || x.External && x.Settings.Public
}

func (x CreateRoom) doubtful() bool {
	return len(unique(x.People...)) < len(x.People) || x.namesOne() || x.Origin == FromContacts || x.Audience == Externals && x.Origin == FromRoom
}

func (x Edit) doubtful() bool { return len(x.actions()) == 0 }

func some(people []string) bool { return len(people) >= 1 && len(people) <= 500 }
