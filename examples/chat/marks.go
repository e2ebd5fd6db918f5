package main

import (
	"context"
	"database/sql"
	"sync"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

// marksEvery is how often marks are stored. A crash forgets those of so long, and what
// was read then counts as unread again.
const marksEvery = time.Second

// place is where somebody reads.
type place struct {
	user roomkit.UserID
	room roomkit.RoomID
}

// marks remember up to which message each has read in each room. Everybody who sees a
// message has a new one: they are stored together, as a sync for each would cost more
// than the messages do.
type marks struct {
	mu  sync.Mutex
	new map[place]int64 // not stored yet
}

func (m *marks) set(at place, message int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.new == nil {
		m.new = map[place]int64{}
	}
	m.new[at] = max(m.new[at], message)
}

// get gives a mark that is not stored yet, or 0.
func (m *marks) get(at place) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.new[at]
}

func (m *marks) all() map[place]int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := make(map[place]int64, len(m.new))
	for at, message := range m.new {
		list[at] = message
	}
	return list
}

// stored forgets the marks that have not gone on meanwhile.
func (m *marks) stored(list map[place]int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for at, message := range list {
		if m.new[at] == message {
			delete(m.new, at)
		}
	}
}

// mark remembers that somebody has read messages.
func (c *chat) mark(who roomkit.UserID, list []shown) {
	if len(list) > 0 {
		last := list[len(list)-1]
		c.marks.set(place{who, last.Room}, last.ID)
	}
}

// keepMarks stores marks until ctx ends. The last ones are stored by close.
func (c *chat) keepMarks(ctx context.Context) error {
	tick := time.NewTicker(marksEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			if err := c.storeMarks(ctx); err != nil && service.CategoryOf(err) != service.CategoryUnavailable {
				return err
			}
		}
	}
}

func (c *chat) storeMarks(ctx context.Context) error {
	list := c.marks.all()
	if len(list) == 0 {
		return nil
	}
	err := c.inTx(ctx, func(tx *sql.Tx, _ *service.Service) error {
		for at, message := range list {
			_, err := tx.ExecContext(ctx, `INSERT INTO marks VALUES (?, ?, ?)
				ON CONFLICT DO UPDATE SET message = max(message, excluded.message)`, string(at.user), at.room.String(), message)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		c.marks.stored(list)
	}
	return err
}
