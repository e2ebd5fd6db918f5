// Package text is the form in which stores write values as text that people can read
// in tables: enumerations by their names, actors, and the events of an outcome.
package text

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// Names are the values of all enumerations by their stable names.
type Names struct {
	Kind     Enum[roomkit.Kind]
	State    Enum[roomkit.RoomState]
	Origin   Enum[roomkit.Origin]
	UserKind Enum[roomkit.UserKind]
	Status   Enum[roomkit.UserStatus]
	Mode     Enum[roomkit.ExternalMode]
	Cause    Enum[roomkit.Cause]
	Subject  Enum[roomkit.SubjectType]
}

// Enum gives the values of an enumeration by their names.
type Enum[T Named] map[string]T

// Named is an enumeration.
type Named interface {
	~uint8
	fmt.Stringer
}

const unknown = "unknown" // what values without a name say

// NewNames makes the names.
func NewNames() *Names {
	return &Names{
		Kind: all[roomkit.Kind](), State: all[roomkit.RoomState](), Origin: all[roomkit.Origin](),
		UserKind: all[roomkit.UserKind](), Status: all[roomkit.UserStatus](), Mode: all[roomkit.ExternalMode](),
		Cause: all[roomkit.Cause](), Subject: all[roomkit.SubjectType](),
	}
}

func all[T Named]() Enum[T] {
	e := Enum[T]{}
	for v := T(0); v.String() != unknown; v++ {
		e[v.String()] = v
	}
	return e
}

// Check demands that all values of a change have a name.
func Check(c *store.Change) error {
	ok := true
	has := func(v fmt.Stringer) { ok = ok && v.String() != unknown }
	for i := range c.Rooms {
		has(c.Rooms[i].Kind)
		has(c.Rooms[i].State)
		has(c.Rooms[i].Origin)
	}
	for i := range c.Members {
		has(c.Members[i].Kind)
		has(c.Members[i].Joined)
		has(c.Members[i].Left)
	}
	for i := range c.Ended {
		has(c.Ended[i].Cause)
	}
	for i := range c.Users {
		has(c.Users[i].Kind)
		has(c.Users[i].Status)
	}
	for i := range c.Companies {
		has(c.Companies[i].Partners)
		has(c.Companies[i].Consumers)
	}
	if !ok {
		return &roomkit.Invalid{Field: "Change", Reason: "a value that has no name"}
	}
	return nil
}

// Actor reads what [roomkit.Actor.String] has written.
func Actor(name string) roomkit.Actor {
	switch name {
	case "":
		return roomkit.Actor{}
	case roomkit.System().String(): // can be no user's id
		return roomkit.System()
	}
	return roomkit.By(roomkit.UserID(name))
}

// Events writes events, one a line, as "user:kim/3" and "room:…/1".
func Events(events []store.EventAt) string {
	var b strings.Builder
	for i, e := range events {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(e.Subject.String() + "/" + strconv.FormatInt(int64(e.Version), 10))
	}
	return b.String()
}

// ParseEvents reads what [Events] has written; ok is false for anything else.
func (n *Names) ParseEvents(text string) (events []store.EventAt, ok bool) {
	events = []store.EventAt{} // none, but not none that are known
	for word := range strings.Lines(text) {
		word = strings.TrimSuffix(word, "\n")
		slash := strings.LastIndexByte(word, '/')
		kind, id, ok := strings.Cut(word[:max(slash, 0)], ":")
		version, err := strconv.ParseInt(word[slash+1:], 10, 64)
		of, known := n.Subject[kind]
		e := store.EventAt{Subject: roomkit.Subject{Type: of, ID: id}, Version: roomkit.Version(version)}
		if known && err == nil && of == roomkit.SubjectRoom {
			e.Subject.ID = ""
			e.Subject.Room, err = roomkit.ParseRoomID(id)
		}
		if !ok || !known || err != nil {
			return nil, false
		}
		events = append(events, e)
	}
	return events, true
}
