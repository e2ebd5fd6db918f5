package transfer

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-roomkit/roomkit"
)

// Form and FormVersion stand in the header of every file.
const (
	Form        = "roomkit-transfer"
	FormVersion = 1
)

// The limits of a file. What is beyond them is a [*Finding].
const (
	MaxLine        = 1 << 20 // bytes of a line, without its end
	MaxRoomMembers = 200_000 // member lines of one room, which are stored in one step
)

// ImportOptions configure [Import].
type ImportOptions struct {
	// ID names the import in the store: a file that is imported again under the same ID goes on
	// where it stopped, and changes nothing if it was done. Required, but for a dry run; at
	// most roomkit.MaxKeyBytes bytes. Another file needs another ID.
	ID string
	// DryRun stores nothing and tells every finding. It keeps the directory of the file and
	// the ids of its rooms in memory, about 500 bytes for each user and 150 for each room.
	DryRun bool
	// StopAtFirst ends the import at the first finding. Without it, what is wrong is left out
	// (of a room all of it or nothing) and the rest is stored. What is wrong with the file
	// itself, a truncated line for instance, always ends the import.
	StopAtFirst bool
	// Policy is that of the services on the store.
	Policy roomkit.Policy
	// Clock gives the time of the events. Defaults to time.Now.
	Clock func() time.Time
	// Progress is called after every commit (of a dry run, whenever it would have
	// committed) and at the end.
	Progress func(Progress)
	// Found is called for every finding, in the order of the lines. The error of Import has
	// the first MaxFindings of them.
	Found func(*Finding)
}

// MaxFindings is how many findings the error of [Import] has.
const MaxFindings = 1000

// ExportOptions configure [Export]. The zero value is ready for use.
type ExportOptions struct {
	// Clock gives the time in the header. Defaults to time.Now.
	Clock func() time.Time
	// Progress is called after every part of the file.
	Progress func(Progress)
}

// Progress says how far an import or an export has come.
type Progress struct {
	Lines    int64   `json:"lines,omitzero"` // read or written
	Bytes    int64   `json:"bytes,omitzero"`
	Stored   Numbers `json:"stored,omitzero"` // by this import; of a dry run, what it would have stored; of an export, what is written
	Findings int64   `json:"findings,omitzero"`
}

// Numbers counts what an import or an export is about.
type Numbers struct {
	Companies int64 `json:"companies,omitzero"`
	Users     int64 `json:"users,omitzero"`
	Teams     int64 `json:"teams,omitzero"`
	Rooms     int64 `json:"rooms,omitzero"`
	Members   int64 `json:"members,omitzero"`
}

// of gives the number for a type of lines, or nil.
func (n *Numbers) of(typ string) *int64 {
	switch typ {
	case "company":
		return &n.Companies
	case "user":
		return &n.Users
	case "team":
		return &n.Teams
	case "room":
		return &n.Rooms
	case "member":
		return &n.Members
	}
	return nil
}

// Report says what an import or an export has done.
type Report struct {
	Progress
	Read    Numbers `json:"read,omitzero"`    // in the file
	Already Numbers `json:"already,omitzero"` // stored by an earlier run of this import, or in the directory exactly so
	LeftOut Numbers `json:"left_out,omitzero"`
	DryRun  bool    `json:"dry_run,omitzero"`
	Done    bool    `json:"done,omitzero"` // the file was read, or written, to its end
}

// Cause says what kind of thing is wrong with a line.
type Cause string

// The causes.
const (
	CauseForm      Cause = "form"       // no JSON object of a known type, an unknown field or a value of another form
	CauseTruncated Cause = "truncated"  // the file ends in a line, or before its end line
	CauseTooLong   Cause = "too_long"   // a line is longer than MaxLine, a room larger than MaxRoomMembers
	CauseUTF8      Cause = "utf8"       // bytes that are not UTF-8
	CauseOrder     Cause = "order"      // a line at a place where its type does not stand
	CauseCounts    Cause = "counts"     // the end line counts otherwise
	CauseDuplicate Cause = "duplicate"  // the file has the same company, user, team, room or member already
	CauseUnknown   Cause = "unknown"    // a company, user, team or room that is neither in the file nor in the store
	CauseExists    Cause = "exists"     // the store has it already, and otherwise
	CauseRule      Cause = "rule"       // a rule of the rule book forbids it: Rule says which one
	CauseLeftOut   Cause = "left_out"   // an earlier run of this import left it out and stored the lines around it
	CauseOtherFile Cause = "other_file" // the store has begun this import with another file
)

// Finding is one thing that is wrong with a file. errors.Is(err, roomkit.ErrInvalid) holds
// for what is wrong with the file, ErrDenied for a rule, ErrConflict for what is in the store.
type Finding struct {
	Line   int64          `json:"line,omitzero"` // counted from 1; 0: of the file as a whole
	Cause  Cause          `json:"cause"`
	Rule   roomkit.Rule   `json:"rule,omitzero"`
	Type   string         `json:"type,omitzero"` // of the line, for instance "member"
	ID     string         `json:"id,omitzero"`   // of what the line is about, as the file says it
	User   roomkit.UserID `json:"user,omitzero"` // whom it is about, if anybody
	Field  string         `json:"field,omitzero"`
	Reason string         `json:"reason"`          // a short English explanation, not meant for parsing
	Whole  bool           `json:"whole,omitempty"` // because of it the whole room, with all of its members, is left out
}

// Error names the line, the cause and the reason.
func (f *Finding) Error() string {
	var b strings.Builder
	if f.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", f.Line)
	}
	b.WriteString(string(f.Cause))
	for _, part := range []string{string(f.Rule), f.Type, f.ID, string(f.User), f.Field} {
		if part != "" {
			b.WriteString(" " + part)
		}
	}
	b.WriteString(": " + f.Reason)
	return b.String()
}

// Unwrap gives the category of the error.
func (f *Finding) Unwrap() error {
	switch f.Cause {
	case CauseRule:
		return roomkit.ErrDenied
	case CauseExists, CauseLeftOut, CauseOtherFile:
		return roomkit.ErrConflict
	}
	return roomkit.ErrInvalid
}
