package roomkit

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"
)

// JSON of commands, events and rows, for HTTP and logs. Keys are the names of fields in
// snake_case; zero values are left out; times are as in RFC 3339 and durations as Go
// writes them, "24h0m0s". What a store keeps of events is another form, that of package
// codec.

// MarshalCommand writes a command as a JSON object: its name under "command", and its
// fields. What is no command, and a value without a name, is an [*Invalid].
func MarshalCommand(c Command) ([]byte, error) {
	if c == nil || reflect.TypeOf(c).Kind() != reflect.Struct {
		return nil, &Invalid{Field: "Command", Reason: fmt.Sprintf("a %T is no command", c)}
	}
	return named("command", c.name(), c)
}

// UnmarshalCommand reads what [MarshalCommand] writes. It is strict: a name or a field
// that there is not, equal keys, null, and values of another form are an [*Invalid]
// that names the field. It looks at the form alone; what a command needs, and who may
// run it, is judged when it runs. Take care which commands you accept from whom:
// the actor says what is allowed, and it is never part of a command.
func UnmarshalCommand(data []byte) (Command, error) {
	name, err := nameUnder("command", data)
	if err != nil {
		return nil, err
	}
	for _, c := range allCommands() {
		if c.name() != name {
			continue
		}
		v := reflect.New(reflect.TypeOf(c)).Elem()
		if err := readObject(data, "command", v, false); err != nil {
			return nil, err
		}
		c, _ = v.Interface().(Command)
		return c, nil
	}
	return nil, &Invalid{Field: "command", Reason: fmt.Sprintf("no such command: %.64q", name)}
}

// UnmarshalEvent reads the JSON of an event: what [json.Marshal] of an event gives, its
// type under "type" and its fields. Types and names that there are not, equal keys,
// null and values of another form are an [*Invalid] that names the field. Fields that
// there are not are passed over, so that a reader goes on when events get more fields.
// It looks at the form alone; codec.Decode reads what stores keep.
func UnmarshalEvent(data []byte) (Event, error) {
	typ, err := nameUnder("type", data)
	if err != nil {
		return nil, err
	}
	e, known := NewEvent(typ)
	if later, _ := rawUnder("codec", data); later != nil {
		e = &Unknown{Name: typ}
	} else if !known {
		return nil, &Invalid{Field: "type", Reason: fmt.Sprintf("no such type of event: %.64q", typ)}
	}
	if err := readObject(data, "type", reflect.ValueOf(e).Elem(), true); err != nil {
		return nil, err
	}
	if u, ok := e.(*Unknown); ok && u.Codec <= 0 {
		return nil, &Invalid{Field: "Codec", Reason: "not a codec version"}
	}
	return e, nil
}

// MarshalJSON writes the fields.
func (c Company) MarshalJSON() ([]byte, error) {
	type fields Company
	return json.Marshal(struct {
		fields
		RecallWindow durationText `json:"recall_window,omitzero"`
	}{fields(c), durationText(c.RecallWindow)})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (c *Company) UnmarshalJSON(data []byte) error {
	type fields Company
	return json.Unmarshal(data, &struct {
		*fields
		RecallWindow *durationText `json:"recall_window"`
	}{(*fields)(c), (*durationText)(&c.RecallWindow)})
}

// MarshalJSON writes the fields.
func (c EditCompany) MarshalJSON() ([]byte, error) {
	type fields EditCompany
	return json.Marshal(struct {
		fields
		RecallWindow *durationText `json:"recall_window,omitzero"`
	}{fields(c), (*durationText)(c.RecallWindow)})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (c *EditCompany) UnmarshalJSON(data []byte) error {
	type fields EditCompany
	v := struct {
		*fields
		RecallWindow *durationText `json:"recall_window"`
	}{(*fields)(c), (*durationText)(c.RecallWindow)}
	err := json.Unmarshal(data, &v)
	c.RecallWindow = (*time.Duration)(v.RecallWindow)
	return err
}

// MarshalJSON writes the fields.
func (a Access) MarshalJSON() ([]byte, error) {
	type fields Access
	return json.Marshal(struct {
		fields
		RecallWindow durationText `json:"recall_window,omitzero"`
	}{fields(a), durationText(a.RecallWindow)})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (a *Access) UnmarshalJSON(data []byte) error {
	type fields Access
	return json.Unmarshal(data, &struct {
		*fields
		RecallWindow *durationText `json:"recall_window"`
	}{(*fields)(a), (*durationText)(&a.RecallWindow)})
}

// MarshalJSON writes the fields.
func (v RoomView) MarshalJSON() ([]byte, error) {
	type access Access
	type fields struct {
		access
		RecallWindow  durationText `json:"recall_window,omitzero"`
		State         RoomState    `json:"state,omitzero"`
		Name          string       `json:"name,omitzero"`
		Photo         string       `json:"photo,omitzero"`
		Badge         bool         `json:"badge,omitzero"`
		WithPartners  bool         `json:"with_partners,omitzero"`
		WithConsumers bool         `json:"with_consumers,omitzero"`
		Counts        Counts       `json:"counts,omitzero"`
		People        []UserID     `json:"people,omitempty"`
	}
	return json.Marshal(fields{
		access(v.Access), durationText(v.RecallWindow), v.State, v.Name, v.Photo, v.Badge, v.WithPartners, v.WithConsumers, v.Counts, v.People,
	})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (v *RoomView) UnmarshalJSON(data []byte) error {
	type look struct {
		State         *RoomState `json:"state"`
		Name          *string    `json:"name"`
		Photo         *string    `json:"photo"`
		Badge         *bool      `json:"badge"`
		WithPartners  *bool      `json:"with_partners"`
		WithConsumers *bool      `json:"with_consumers"`
		Counts        *Counts    `json:"counts"`
		People        *[]UserID  `json:"people"`
	}
	if err := json.Unmarshal(data, &v.Access); err != nil {
		return err
	}
	return json.Unmarshal(data, &look{&v.State, &v.Name, &v.Photo, &v.Badge, &v.WithPartners, &v.WithConsumers, &v.Counts, &v.People})
}

// MarshalJSON writes the fields; the limits of kinds are an object with their names.
func (p Policy) MarshalJSON() ([]byte, error) {
	type fields Policy
	limits := map[Kind]int64{}
	for k, most := range p.MaxParticipants {
		if most != 0 {
			limits[Kind(k)] = most
		}
	}
	return json.Marshal(struct {
		fields
		MaxParticipants  map[Kind]int64 `json:"max_participants,omitempty"`
		MessageOffPeriod durationText   `json:"message_off_period,omitzero"`
	}{fields(p), limits, durationText(p.MessageOffPeriod)})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (p *Policy) UnmarshalJSON(data []byte) error {
	type fields Policy
	v := struct {
		*fields
		MaxParticipants  map[Kind]int64 `json:"max_participants"`
		MessageOffPeriod *durationText  `json:"message_off_period"`
	}{fields: (*fields)(p), MessageOffPeriod: (*durationText)(&p.MessageOffPeriod)}
	err := json.Unmarshal(data, &v)
	for k, most := range v.MaxParticipants {
		p.MaxParticipants[k] = most
	}
	return err
}

// errorJSON is what is written of an [Error].
type errorJSON struct {
	Op      string   `json:"op"`
	Room    RoomID   `json:"room,omitzero"`
	Error   string   `json:"error"`
	Is      string   `json:"is,omitzero"` // the text of one of the Sentinels, if its details do not say it
	Denied  *Denied  `json:"denied,omitzero"`
	Offered *Offered `json:"offered,omitzero"`
	Invalid *Invalid `json:"invalid,omitzero"`
	Pruned  *Pruned  `json:"pruned,omitzero"`
}

// MarshalJSON writes the place, the text, the category and the details of a refusal.
func (e *Error) MarshalJSON() ([]byte, error) {
	v := errorJSON{Op: e.Op, Room: e.Room, Error: textOf(e.Err)}
	errors.As(e.Err, &v.Denied)
	errors.As(e.Err, &v.Offered)
	errors.As(e.Err, &v.Invalid)
	errors.As(e.Err, &v.Pruned)
	detailed := map[error]bool{ErrDenied: v.Denied != nil, ErrOffered: v.Offered != nil, ErrInvalid: v.Invalid != nil, ErrPruned: v.Pruned != nil}
	for _, sentinel := range Sentinels() {
		if errors.Is(e.Err, sentinel) && !detailed[sentinel] {
			v.Is = sentinel.Error()
			break
		}
	}
	return json.Marshal(v)
}

// UnmarshalJSON reads what MarshalJSON writes. Err is then of the same category, and a
// [*Denied], [*Offered], [*Invalid] or [*Pruned] again; what else was inside of it is only its text.
func (e *Error) UnmarshalJSON(data []byte) error {
	var v errorJSON
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	var inside []error
	for _, sentinel := range Sentinels() {
		if v.Is == sentinel.Error() {
			inside = append(inside, sentinel)
		}
	}
	if v.Denied != nil {
		inside = append(inside, v.Denied)
	}
	if v.Offered != nil {
		inside = append(inside, v.Offered)
	}
	if v.Invalid != nil {
		inside = append(inside, v.Invalid)
	}
	if v.Pruned != nil {
		inside = append(inside, v.Pruned)
	}
	*e = Error{Op: v.Op, Room: v.Room}
	switch {
	case len(inside) == 1 && inside[0].Error() == v.Error:
		e.Err = inside[0]
	case len(inside) > 0 || v.Error != "":
		e.Err = &remote{v.Error, inside}
	}
	return nil
}

// remote is an error as another process has told it.
type remote struct {
	text   string
	inside []error
}

func (r *remote) Error() string   { return r.text }
func (r *remote) Unwrap() []error { return r.inside }

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
