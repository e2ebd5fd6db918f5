package roomkit

import (
	"database/sql/driver"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/go-roomkit/roomkit/internal/enum"
	"github.com/go-roomkit/roomkit/internal/hostid"
)

// Text of the words: what String says is what MarshalText writes and what Parse… and
// UnmarshalText read. Names and ids that there are not are an [*Invalid] that names
// the type; a value without a name is refused when it is written. encoding/json and
// log/slog use these methods.

// malformed makes an error that names a type or a field.
func malformed(field string) func(reason string) error {
	return func(reason string) error { return &Invalid{Field: field, Reason: reason} }
}

// ParseKind gives the kind with a name.
func ParseKind(name string) (Kind, error) { return enum.FromText[Kind](name, malformed("Kind")) }

// MarshalText writes the name.
func (k Kind) MarshalText() ([]byte, error) { return enum.Text(k, malformed("Kind")) }

// UnmarshalText reads a name.
func (k *Kind) UnmarshalText(text []byte) error { return enum.Read(k, ParseKind, text) }

// ParseRoomState gives the state with a name.
func ParseRoomState(name string) (RoomState, error) {
	return enum.FromText[RoomState](name, malformed("RoomState"))
}

// MarshalText writes the name.
func (s RoomState) MarshalText() ([]byte, error) { return enum.Text(s, malformed("RoomState")) }

// UnmarshalText reads a name.
func (s *RoomState) UnmarshalText(text []byte) error { return enum.Read(s, ParseRoomState, text) }

// ParseFeature gives the feature with a name.
func ParseFeature(name string) (Feature, error) {
	return enum.FromText[Feature](name, malformed("Feature"))
}

// MarshalText writes the name.
func (f Feature) MarshalText() ([]byte, error) { return enum.Text(f, malformed("Feature")) }

// UnmarshalText reads a name.
func (f *Feature) UnmarshalText(text []byte) error { return enum.Read(f, ParseFeature, text) }

// ParseOrigin gives the origin with a name.
func ParseOrigin(name string) (Origin, error) {
	return enum.FromText[Origin](name, malformed("Origin"))
}

// MarshalText writes the name.
func (o Origin) MarshalText() ([]byte, error) { return enum.Text(o, malformed("Origin")) }

// UnmarshalText reads a name.
func (o *Origin) UnmarshalText(text []byte) error { return enum.Read(o, ParseOrigin, text) }

// ParseUserKind gives the kind of user with a name.
func ParseUserKind(name string) (UserKind, error) {
	return enum.FromText[UserKind](name, malformed("UserKind"))
}

// MarshalText writes the name.
func (k UserKind) MarshalText() ([]byte, error) { return enum.Text(k, malformed("UserKind")) }

// UnmarshalText reads a name.
func (k *UserKind) UnmarshalText(text []byte) error { return enum.Read(k, ParseUserKind, text) }

// ParseUserStatus gives the status with a name.
func ParseUserStatus(name string) (UserStatus, error) {
	return enum.FromText[UserStatus](name, malformed("UserStatus"))
}

// MarshalText writes the name.
func (s UserStatus) MarshalText() ([]byte, error) { return enum.Text(s, malformed("UserStatus")) }

// UnmarshalText reads a name.
func (s *UserStatus) UnmarshalText(text []byte) error { return enum.Read(s, ParseUserStatus, text) }

// ParseExternalMode gives the mode with a name.
func ParseExternalMode(name string) (ExternalMode, error) {
	return enum.FromText[ExternalMode](name, malformed("ExternalMode"))
}

// MarshalText writes the name.
func (m ExternalMode) MarshalText() ([]byte, error) { return enum.Text(m, malformed("ExternalMode")) }

// UnmarshalText reads a name.
func (m *ExternalMode) UnmarshalText(text []byte) error { return enum.Read(m, ParseExternalMode, text) }

// ParseOutsider gives the channel with a name.
func ParseOutsider(name string) (Outsider, error) {
	return enum.FromText[Outsider](name, malformed("Outsider"))
}

// MarshalText writes the name.
func (o Outsider) MarshalText() ([]byte, error) { return enum.Text(o, malformed("Outsider")) }

// UnmarshalText reads a name.
func (o *Outsider) UnmarshalText(text []byte) error { return enum.Read(o, ParseOutsider, text) }

// ParseAudience gives the audience with a name.
func ParseAudience(name string) (Audience, error) {
	return enum.FromText[Audience](name, malformed("Audience"))
}

// MarshalText writes the name.
func (a Audience) MarshalText() ([]byte, error) { return enum.Text(a, malformed("Audience")) }

// UnmarshalText reads a name.
func (a *Audience) UnmarshalText(text []byte) error { return enum.Read(a, ParseAudience, text) }

// ParseCause gives the cause with a name.
func ParseCause(name string) (Cause, error) { return enum.FromText[Cause](name, malformed("Cause")) }

// MarshalText writes the name.
func (c Cause) MarshalText() ([]byte, error) { return enum.Text(c, malformed("Cause")) }

// UnmarshalText reads a name.
func (c *Cause) UnmarshalText(text []byte) error { return enum.Read(c, ParseCause, text) }

// ParseSubjectType gives the type of subject with a name.
func ParseSubjectType(name string) (SubjectType, error) {
	return enum.FromText[SubjectType](name, malformed("SubjectType"))
}

// MarshalText writes the name.
func (t SubjectType) MarshalText() ([]byte, error) { return enum.Text(t, malformed("SubjectType")) }

// UnmarshalText reads a name.
func (t *SubjectType) UnmarshalText(text []byte) error { return enum.Read(t, ParseSubjectType, text) }

// ParseAction gives the action with a name.
func ParseAction(name string) (Action, error) {
	return enum.FromText[Action](name, malformed("Action"))
}

// MarshalText writes the name.
func (a Action) MarshalText() ([]byte, error) { return enum.Text(a, malformed("Action")) }

// UnmarshalText reads a name.
func (a *Action) UnmarshalText(text []byte) error { return enum.Read(a, ParseAction, text) }

// ParseHolders gives the part of a company with a name.
func ParseHolders(name string) (Holders, error) {
	return enum.FromText[Holders](name, malformed("Holders"))
}

// MarshalText writes the name.
func (h Holders) MarshalText() ([]byte, error) { return enum.Text(h, malformed("Holders")) }

// UnmarshalText reads a name.
func (h *Holders) UnmarshalText(text []byte) error { return enum.Read(h, ParseHolders, text) }

// ParseActionSet reads the names of actions, separated by commas.
func ParseActionSet(names string) (ActionSet, error) {
	return enum.FromSetText[Action, ActionSet](names, malformed("ActionSet"))
}

// MarshalText writes the names, separated by commas.
func (s ActionSet) MarshalText() ([]byte, error) {
	return enum.SetText[Action](s, malformed("ActionSet"))
}

// UnmarshalText reads what MarshalText writes.
func (s *ActionSet) UnmarshalText(text []byte) error { return enum.Read(s, ParseActionSet, text) }

// MarshalJSON writes a list of names.
func (s ActionSet) MarshalJSON() ([]byte, error) {
	return enum.SetJSON[Action](s, malformed("ActionSet"))
}

// UnmarshalJSON reads a list of names.
func (s *ActionSet) UnmarshalJSON(data []byte) error {
	return enum.ReadSetJSON[Action](s, data, malformed("ActionSet"))
}

// ParseFeatureSet reads the names of features, separated by commas.
func ParseFeatureSet(names string) (FeatureSet, error) {
	return enum.FromSetText[Feature, FeatureSet](names, malformed("FeatureSet"))
}

// MarshalText writes the names, separated by commas.
func (s FeatureSet) MarshalText() ([]byte, error) {
	return enum.SetText[Feature](s, malformed("FeatureSet"))
}

// UnmarshalText reads what MarshalText writes.
func (s *FeatureSet) UnmarshalText(text []byte) error { return enum.Read(s, ParseFeatureSet, text) }

// MarshalJSON writes a list of names.
func (s FeatureSet) MarshalJSON() ([]byte, error) {
	return enum.SetJSON[Feature](s, malformed("FeatureSet"))
}

// UnmarshalJSON reads a list of names.
func (s *FeatureSet) UnmarshalJSON(data []byte) error {
	return enum.ReadSetJSON[Feature](s, data, malformed("FeatureSet"))
}

// ParseStanding reads the names of standings, separated by commas.
func ParseStanding(names string) (Standing, error) {
	return enum.FromSetText[standingBit, Standing](names, malformed("Standing"))
}

// MarshalText writes the names, separated by commas.
func (s Standing) MarshalText() ([]byte, error) {
	return enum.SetText[standingBit](s, malformed("Standing"))
}

// UnmarshalText reads what MarshalText writes.
func (s *Standing) UnmarshalText(text []byte) error { return enum.Read(s, ParseStanding, text) }

// MarshalJSON writes a list of names.
func (s Standing) MarshalJSON() ([]byte, error) {
	return enum.SetJSON[standingBit](s, malformed("Standing"))
}

// UnmarshalJSON reads a list of names.
func (s *Standing) UnmarshalJSON(data []byte) error {
	return enum.ReadSetJSON[standingBit](s, data, malformed("Standing"))
}

// UnmarshalText reads an id, or nothing.
func (id *UserID) UnmarshalText(text []byte) error { return readHostID(id, "UserID", text) }

// UnmarshalText reads an id, or nothing.
func (id *CompanyID) UnmarshalText(text []byte) error { return readHostID(id, "CompanyID", text) }

// UnmarshalText reads an id, or nothing.
func (id *TeamID) UnmarshalText(text []byte) error { return readHostID(id, "TeamID", text) }

// UnmarshalText takes keys that [KeyOfTeam] makes of valid ids, and the empty one.
func (k *TeamKey) UnmarshalText(text []byte) error {
	if key := TeamKey(text); len(text) > 0 && !key.Valid() {
		return &Invalid{Field: "TeamKey", Reason: "not the ids of a company and a team with a space between them"}
	}
	*k = TeamKey(text)
	return nil
}

func readHostID[T ~string](into *T, typ string, text []byte) error {
	if len(text) > 0 && !hostid.Valid(string(text)) {
		return &Invalid{Field: typ, Reason: "not an id: " + hostid.Form}
	}
	*into = T(text)
	return nil
}

// ParseCommandID reads the text form that [CommandID.String] writes.
func ParseCommandID(s string) (CommandID, error) { return parseUUID[CommandID]("CommandID", s) }

// MarshalText writes the id as a UUID.
func (id CommandID) MarshalText() ([]byte, error) { return uuid.UUID(id).MarshalText() }

// UnmarshalText reads a UUID.
func (id *CommandID) UnmarshalText(text []byte) error { return enum.Read(id, ParseCommandID, text) }

// Value gives the id to database/sql: as a UUID, and NULL for the zero RoomID. A
// column of type uuid takes it, and one of text. The tables of sqlitestore have the 16
// bytes instead, id[:].
func (id RoomID) Value() (driver.Value, error) {
	if id.IsZero() {
		return nil, nil
	}
	return id.String(), nil
}

// Scan reads from database/sql what Value gives, and the 16 bytes of an id.
func (id *RoomID) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*id = RoomID{}
		return nil
	case string:
		return id.UnmarshalText([]byte(v))
	case []byte:
		if len(v) == len(id) {
			copy(id[:], v)
			return nil
		}
		return id.UnmarshalText(v)
	}
	return &Invalid{Field: "RoomID", Reason: fmt.Sprintf("a %T is no id", src)}
}

// ParseSetDigest reads the text form that [SetDigest.String] writes.
func ParseSetDigest(s string) (d SetDigest, err error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(d) || strings.ToLower(s) != s {
		return d, &Invalid{Field: "SetDigest", Reason: "not 32 digits of base 16"}
	}
	return SetDigest(b), nil
}

// String gives the digest in 32 digits of base 16.
func (d SetDigest) String() string { return hex.EncodeToString(d[:]) }

// MarshalText writes what String says.
func (d SetDigest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (d *SetDigest) UnmarshalText(text []byte) error { return enum.Read(d, ParseSetDigest, text) }

// ParseActor reads the text form that [Actor.String] writes; the empty text is the
// zero Actor. It is for what this library has written, such as events. Never read
// with it who a client says it is: "*system" may do what no user may.
func ParseActor(s string) (Actor, error) {
	switch id := UserID(s); {
	case s == systemText:
		return System(), nil
	case s == "", id.Valid():
		return By(id), nil
	}
	return Actor{}, &Invalid{Field: "Actor", Reason: "neither a user id nor " + systemText}
}

// MarshalText writes the user id, or "*system".
func (a Actor) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what MarshalText writes; see [ParseActor].
func (a *Actor) UnmarshalText(text []byte) error { return enum.Read(a, ParseActor, text) }

// ParseSubject reads the text form that [Subject.String] writes.
func ParseSubject(s string) (Subject, error) {
	name, id, _ := strings.Cut(s, ":")
	subject := Subject{ID: id}
	if typ, ok := enum.Parse[SubjectType](name); ok {
		subject.Type = typ
	}
	switch {
	case subject.Type == SubjectRoom:
		room, _ := ParseRoomID(id) // of other text none
		subject = RoomSubject(room)
	case subject.Type == SubjectTeam && TeamKey(id).Valid():
	case subject.Type == SubjectTeam || !hostid.Valid(id):
		subject = Subject{}
	}
	if !subject.Valid() {
		return Subject{}, &Invalid{Field: "Subject", Reason: "not a type, a colon and an id"}
	}
	return subject, nil
}

// MarshalText writes the type and the id, for instance "user:kim". What names
// nothing is refused.
func (s Subject) MarshalText() ([]byte, error) {
	if !s.Valid() {
		return nil, &Invalid{Field: "Subject", Reason: "names nothing"}
	}
	return []byte(s.String()), nil
}

// UnmarshalText reads what MarshalText writes.
func (s *Subject) UnmarshalText(text []byte) error { return enum.Read(s, ParseSubject, text) }
