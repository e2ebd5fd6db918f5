package service

import (
	"encoding/json"
	"errors"
	"log/slog"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/enum"
)

// Text and JSON of the words of this package, as package roomkit has them of its own.

func malformed(field string) func(reason string) error {
	return func(reason string) error { return &roomkit.Invalid{Field: field, Reason: reason} }
}

// ParseProblem gives the problem with a name; others are a [*roomkit.Invalid].
func ParseProblem(name string) (Problem, error) {
	return enum.FromText[Problem](name, malformed("Problem"))
}

// MarshalText writes the name.
func (p Problem) MarshalText() ([]byte, error) { return enum.Text(p, malformed("Problem")) }

// UnmarshalText reads a name.
func (p *Problem) UnmarshalText(text []byte) error { return enum.Read(p, ParseProblem, text) }

// ParseGroupPart gives the part of the group list with a name; others are a
// [*roomkit.Invalid].
func ParseGroupPart(name string) (GroupPart, error) {
	return enum.FromText[GroupPart](name, malformed("GroupPart"))
}

// MarshalText writes the name.
func (p GroupPart) MarshalText() ([]byte, error) { return enum.Text(p, malformed("GroupPart")) }

// UnmarshalText reads a name.
func (p *GroupPart) UnmarshalText(text []byte) error { return enum.Read(p, ParseGroupPart, text) }

// ParseRole gives the role with a name; others are a [*roomkit.Invalid].
func ParseRole(name string) (Role, error) { return enum.FromText[Role](name, malformed("Role")) }

// MarshalText writes the name.
func (r Role) MarshalText() ([]byte, error) { return enum.Text(r, malformed("Role")) }

// UnmarshalText reads a name.
func (r *Role) UnmarshalText(text []byte) error { return enum.Read(r, ParseRole, text) }

// ParseCategory gives the category with a name; others are a [*roomkit.Invalid].
func ParseCategory(name string) (Category, error) {
	return enum.FromText[Category](name, malformed("Category"))
}

// MarshalText writes the name.
func (c Category) MarshalText() ([]byte, error) { return enum.Text(c, malformed("Category")) }

// UnmarshalText reads a name.
func (c *Category) UnmarshalText(text []byte) error { return enum.Read(c, ParseCategory, text) }

// UnmarshalJSON reads what encoding/json writes of a Result, its events by
// [roomkit.UnmarshalEvent].
func (r *Result) UnmarshalJSON(data []byte) error {
	type fields Result
	v := struct {
		*fields
		Events []json.RawMessage `json:"events"`
	}{fields: (*fields)(r)}
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	var err error
	if r.Events = nil; len(v.Events) > 0 {
		r.Events, err = readEvents(v.Events)
	}
	return err
}

// LogValue gives what the command did, and the types of what happened.
func (r Result) LogValue() slog.Value {
	attrs := []slog.Attr{slog.Bool("changed", r.Changed)}
	if !r.Room.IsZero() {
		attrs = append(attrs, slog.String("room", r.Room.String()), slog.String("kind", r.Kind.String()), slog.Int64("version", int64(r.Version)))
	}
	if r.Opened {
		attrs = append(attrs, slog.Bool("opened", true))
	}
	if r.Repeat {
		attrs = append(attrs, slog.Bool("repeat", true))
	}
	if len(r.Dropped) > 0 {
		attrs = append(attrs, slog.Any("dropped", r.Dropped))
	}
	if len(r.Differs) > 0 {
		attrs = append(attrs, slog.Any("differs", r.Differs))
	}
	types := make([]string, len(r.Events))
	for i, e := range r.Events {
		types[i] = e.Type()
	}
	return slog.GroupValue(append(attrs, slog.Any("events", types))...)
}

// UnmarshalJSON reads what MarshalJSON writes; an error is a [*roomkit.Error] then, or
// one that has the same text.
func (r *BatchResult) UnmarshalJSON(data []byte) error {
	var v struct {
		Error json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	*r = BatchResult{}
	var text string
	switch {
	case v.Error == nil:
		return json.Unmarshal(data, &r.Result)
	case json.Unmarshal(v.Error, &text) == nil:
		r.Err = errors.New(text)
		return nil
	}
	var placed roomkit.Error
	err := json.Unmarshal(v.Error, &placed)
	r.Err = &placed
	return err
}

// MarshalJSON writes the result, or the error: a [*roomkit.Error] as it is written, any
// other by its text.
func (r BatchResult) MarshalJSON() ([]byte, error) {
	if r.Err == nil {
		return json.Marshal(r.Result)
	}
	var placed *roomkit.Error
	if errors.As(r.Err, &placed) {
		return json.Marshal(struct {
			Error *roomkit.Error `json:"error"`
		}{placed})
	}
	return json.Marshal(struct {
		Error string `json:"error"`
	}{r.Err.Error()})
}
