package roomkit

import (
	"context"
	"log/slog"
	"time"
)

// Options configure a [Service]. The zero value is ready for use.
type Options struct {
	// Policy holds the decisions on open points. The zero value is the
	// recommended one.
	Policy Policy
	// Clock gives the time. Defaults to time.Now.
	Clock func() time.Time
	// NewID gives the ids of rooms and commands; they must never repeat.
	// Defaults to UUIDv7.
	NewID func() [16]byte
	// Logger receives debug lines: commands that run again, followers that try again
	// or cannot give up their lease, waiting without the store's wake-ups. Defaults to
	// none.
	Logger *slog.Logger
	// Observer is told what the service does. Its functions must not block.
	Observer Observer
	// Directory fills in users that the store has not seen yet.
	Directory Directory
	// Contacts tells which of some outsiders (users of other companies, LINE
	// users) are contacts of a user (EXT-32, LINE-02). Without it, nobody is,
	// unless [WithContacts] says so or Policy.AnyoneIsContact is set.
	Contacts func(ctx context.Context, of UserID, outsiders []UserID) ([]UserID, error)
	// Veto can refuse what the rules allow; it can never allow what they forbid.
	// It must be a pure function of its arguments. A non-nil error refuses the
	// command with Rule "VETO" and the error's text as the reason.
	Veto func(actor Actor, cmd Command, d Decision) error
	// Attempts is how often a command is decided at most when others keep
	// changing what it relies on. Defaults to 16.
	Attempts int
	// MaxGroup is how many commands share a commit at most. Defaults to 256.
	MaxGroup int
	// Poll is how long Watch and Follow wait for news at most, also on a store that
	// wakes them. Defaults to a second.
	Poll time.Duration
	// GroupTimeout bounds the store calls that several callers share. Defaults to
	// 30 seconds.
	GroupTimeout time.Duration
}

// Directory is the host's source of users. Users returns those it knows of ids,
// with their companies; ids it does not know are left out.
type Directory interface {
	Users(ctx context.Context, ids []UserID) ([]User, []Company, error)
}

// Observer holds functions that the service calls; nil ones are skipped.
type Observer struct {
	// Command is called once for every command that Do or Each ends.
	Command func(CommandReport)
	// Group is called for every commit.
	Group func(GroupReport)
}

// CommandReport tells how a command ended.
type CommandReport struct {
	Name     string // the command's name
	Actor    Actor
	Room     RoomID
	Err      error // nil, or what Do returned
	Changed  bool
	Attempts int
	Took     time.Duration
}

// GroupReport tells about one commit.
type GroupReport struct {
	Commands  int // how many commands were in it
	Conflicts int // how many of them have to run again
	Took      time.Duration
}

// CallOption changes one call of Do, Each or Plan.
type CallOption func(*callOptions)

type callOptions struct {
	key      string
	hasKey   bool
	ifVer    Version
	hasIfVer bool
	contacts []UserID
}

// WithKey makes a command idempotent: repeating it with the same key and actor
// returns the first outcome (Room, Opened, Changed, Events, Notices, Cursor, and
// Kind and Version as of those events) and changes nothing. Another command under
// the same key, be it the same people in another order, is ErrCommandReused.
// Refusals and offers are no outcomes: after them the key is as good as new. The
// key is 1 to MaxKeyBytes bytes. With Each the key belongs to the whole call.
func WithKey(key string) CallOption {
	return func(o *callOptions) { o.key = key; o.hasKey = true }
}

// IfVersion demands that the room named in the command has this version;
// otherwise a command that would be allowed ends with ErrConflict and is not run
// again. A command that names no room is ErrInvalid; OpenDirect and OpenSelf mean the
// room that they open.
func IfVersion(v Version) CallOption {
	return func(o *callOptions) { o.ifVer, o.hasIfVer = v, true }
}

// WithContacts says that these outsiders are contacts of the actor (EXT-32).
func WithContacts(people ...UserID) CallOption {
	return func(o *callOptions) { o.contacts = append(o.contacts, people...) }
}
