// Package messages is the messages of the example host: in memory, where a host has a
// table of its own.
package messages

import (
	"slices"
	"sync"
	"time"

	"github.com/go-roomkit/roomkit"
)

// Message is a row. Version is that of the room when the message was written: later it
// says who may read it.
type Message struct {
	From    roomkit.UserID  `json:"from"`
	At      time.Time       `json:"at"`
	Text    string          `json:"text"`
	Version roomkit.Version `json:"-"`
}

// Table holds the messages of all rooms. The zero value is empty.
type Table struct {
	mu   sync.Mutex
	rows map[roomkit.RoomID][]Message
}

// Add adds a message to a room.
func (t *Table) Add(room roomkit.RoomID, m Message) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.rows == nil {
		t.rows = map[roomkit.RoomID][]Message{}
	}
	t.rows[room] = append(t.rows[room], m)
}

// Of gives those of a room, the oldest first.
func (t *Table) Of(room roomkit.RoomID) []Message {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.rows[room])
}

// Last says when the last message of a room was written.
func (t *Table) Last(room roomkit.RoomID) (at time.Time) {
	for _, m := range t.Of(room) {
		at = m.At
	}
	return at
}
