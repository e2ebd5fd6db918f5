package oracle

import "time"

// The commands. They mirror those of the library by meaning, with the world's
// own ids.
type (
	OpenSelf   struct{}
	OpenDirect struct{ With string }
	CreateRoom struct {
		People                   []string
		Audience                 string // "", "members", "external"
		Origin                   string // "picker", "event", "mail", "room"
		Source                   string
		Title                    string
		Name, Photo, Description string
		Use                      string
		Anyway                   bool
	}
	// CreateGroup makes a Group or, with External set, an external group.
	CreateGroup struct {
		External                 bool
		Name, Photo, Description string
		Members, Masters         []string
		ForOthers                bool
		Public, Sharing, Notify  bool
		MessageOff               bool
		FeaturesOff              []string
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
		Cause  Cause
	}
	AppointMasters struct {
		Room   string
		People []string
	}
	DismissMasters struct {
		Room   string
		People []string
	}
	HandOver struct{ Room, To string }
	Edit     struct {
		Room                                  string
		Name, Photo, Description              *string
		Public, Sharing, Notify, Message      *bool
		Note, Event, Task, Folder, MailingLst *bool
		Withhold                              *bool
	}
	DeleteFeatureData struct {
		Room     string
		Features []string
	}
	Convert struct {
		Room string
		To   Kind
		Name string
	}
	DeleteRoom  struct{ Room string }
	PutCompany  struct{ Company Company }
	EditCompany struct {
		Company       string
		MembersCreate *bool
		Recall        *time.Duration
	}
	PutUsers             struct{ Users []User }
	SetExternalMessaging struct {
		Company, User string
		Channel       string // "works" or "line"
		Mode          Mode
	}
	SuspendUser struct {
		User string
		Lift bool
	}
	DeleteUser  struct{ User string }
	RestoreUser struct{ User string }
	SyncTeam    struct{ Team Team }
)

// Verdict is how a command ends.
type Verdict string

// The verdicts.
const (
	OK       Verdict = "ok"
	Noop     Verdict = "noop"
	Offers   Verdict = "offers"
	Denied   Verdict = "denied"
	NotFound Verdict = "notfound"
	Invalid  Verdict = "invalid"
)

// Effect is one thing that happened to one room.
type Effect struct {
	Room   string
	What   string // created, joined, left, appointed, dismissed, vacated, converted, ended
	Person string
	Cause  Cause
}

// Offer is a room to choose instead of making one.
type Offer struct {
	Room  string
	Exact bool
	Extra int
}

// Outcome is what came of a command.
type Outcome struct {
	Verdict Verdict
	Or      Verdict  // equally right, where two refusals apply at once
	Rules   []string // acceptable rules of a denial; empty: any
	Room    string   // concerned or opened
	Kind    Kind
	Opened  bool
	Dropped []string
	Offers  []Offer
	Effects []Effect
}

func deny(rules ...string) Outcome { return Outcome{Verdict: Denied, Rules: rules} }

func malformed() Outcome { return Outcome{Verdict: Invalid} }

func unknown() Outcome { return Outcome{Verdict: NotFound} }
