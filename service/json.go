package service

import (
	"encoding/json"
	"errors"
	"log/slog"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/enum"
	"github.com/go-roomkit/roomkit/store"
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

// recordedJSON is what is written of a [Recorded]; the event says the rest.
type recordedJSON struct {
	Cursor roomkit.Cursor  `json:"cursor,omitzero"`
	Event  json.RawMessage `json:"event"`
}

// MarshalJSON writes the cursor and the event.
func (r Recorded) MarshalJSON() ([]byte, error) {
	event, err := json.Marshal(r.Event)
	if err != nil {
		return nil, err
	}
	return json.Marshal(recordedJSON{r.Cursor, event})
}

// UnmarshalJSON reads what MarshalJSON writes; Data stays empty.
func (r *Recorded) UnmarshalJSON(data []byte) error {
	var v recordedJSON
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	e, err := roomkit.UnmarshalEvent(v.Event)
	if err != nil {
		return err
	}
	info := e.Info()
	*r = Recorded{Event: e, Record: store.Record{
		Subject: info.Subject, Version: info.Version, Type: e.Type(), At: info.At, Command: info.Command, Cursor: v.Cursor,
	}}
	return nil
}

// MarshalJSON writes the outcome, with the error as it is written anywhere.
func (r CommandReport) MarshalJSON() ([]byte, error) {
	v := struct {
		Name     string          `json:"name"`
		Actor    roomkit.Actor   `json:"actor,omitzero"`
		Room     roomkit.RoomID  `json:"room,omitzero"`
		Error    json.RawMessage `json:"error,omitempty"`
		Changed  bool            `json:"changed,omitzero"`
		Attempts int             `json:"attempts,omitzero"`
		Took     string          `json:"took"`
	}{Name: r.Name, Actor: r.Actor, Room: r.Room, Changed: r.Changed, Attempts: r.Attempts, Took: r.Took.String()}
	if r.Err != nil {
		whole, err := json.Marshal(BatchResult{Err: r.Err})
		if err != nil {
			return nil, err
		}
		v.Error = whole[len(`{"error":`) : len(whole)-1]
	}
	return json.Marshal(v)
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
