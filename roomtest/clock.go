package roomtest

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"
)

// Clock is a time that moves only when told. It may be used from several goroutines. What
// waits, such as service.Options.Poll, waits by the clock of the machine all the same.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock gives a clock that stands at 2026-01-02 03:04:05 UTC.
func NewClock() *Clock { return &Clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

// Now gives the time, for service.Options.Clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Add moves the clock, back if d is negative.
func (c *Clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// IDs gives ids for service.Options.NewID that are the same in every run: UUIDv7 of the
// clock's time, numbered from 1 on. The services on one store have to share them, because
// ids must never repeat; for the same reason the store has to be new.
func IDs(clock *Clock) func() [16]byte {
	var n atomic.Uint64
	return func() (id [16]byte) {
		binary.BigEndian.PutUint64(id[:], uint64(clock.Now().UnixMilli())<<16|7<<12)
		binary.BigEndian.PutUint64(id[8:], 1<<63|n.Add(1))
		return id
	}
}
