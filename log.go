package roomkit

import "log/slog"

// What log/slog is told of errors. Everything else that has a text form it writes by
// MarshalText, and events by MarshalJSON.

// LogValue gives the rule, what was asked for, by whom, where, because of whom, and the
// reason.
func (d *Denied) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("rule", string(d.Rule))}
	if d.Action != ActionNone {
		attrs = append(attrs, slog.String("action", d.Action.String()))
	}
	if d.Actor != (Actor{}) {
		attrs = append(attrs, slog.String("actor", d.Actor.String()))
	}
	if !d.Room.IsZero() {
		attrs = append(attrs, slog.String("room", d.Room.String()))
	}
	if len(d.People) > 0 {
		attrs = append(attrs, slog.Any("people", d.People))
	}
	if len(d.Against) > 1 {
		attrs = append(attrs, slog.Any("against", d.Against))
	}
	return slog.GroupValue(append(attrs, slog.String("reason", d.Reason))...)
}

// LogValue gives the rooms, the best first.
func (e *Offered) LogValue() slog.Value {
	rooms := make([]string, len(e.Offers))
	for i := range e.Offers {
		rooms[i] = e.Offers[i].Room.ID.String()
	}
	return slog.GroupValue(slog.Any("rooms", rooms))
}

// LogValue gives the field, the reason and the rule.
func (e *Invalid) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("field", e.Field), slog.String("reason", e.Reason)}
	if e.Rule != "" {
		attrs = append(attrs, slog.String("rule", string(e.Rule)))
	}
	return slog.GroupValue(attrs...)
}

// LogValue gives the operation, the room and the cause.
func (e *Error) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("op", e.Op)}
	if !e.Room.IsZero() {
		attrs = append(attrs, slog.String("room", e.Room.String()))
	}
	return slog.GroupValue(append(attrs, slog.Any("cause", e.Err))...)
}
