package sqltest

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"maps"
	"math/rand/v2"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// Pen writes records of one room, which mean nothing.
type Pen struct {
	Row     roomkit.Room // as it is stored
	Changes uint64       // how many it has given, of which none has the command of another
}

// NewPen gives the pen of a room that does not exist yet.
func NewPen(n int) *Pen {
	p := &Pen{Row: roomkit.Room{Kind: roomkit.KindGeneral, State: roomkit.StateActive, Company: "acme"}}
	binary.BigEndian.PutUint32(p.Row.ID[:], uint32(n)+1)
	return p
}

// Change gives a change of n records. If it is stale it relies on a wrong version.
func (p *Pen) Change(n int, stale bool) store.Change {
	p.Changes++
	row := p.Row
	if stale {
		row.Version++
	}
	of := roomkit.RoomSubject(row.ID)
	c := store.Change{Expect: []store.Expect{{Subject: of, Version: row.Version}}}
	copy(c.Command[:], row.ID[:])
	binary.BigEndian.PutUint64(c.Command[8:], p.Changes)
	for range n {
		row.Version++
		c.Records = append(c.Records, store.Record{
			Subject: of, Version: row.Version, Type: "test", At: time.Unix(1, 0).UTC(), Command: c.Command, Data: make([]byte, 100),
		})
		c.Outcome.Events = append(c.Outcome.Events, store.EventAt{Subject: of, Version: row.Version})
	}
	c.Rooms = []roomkit.Room{row}
	if !stale {
		p.Row = row
	}
	return c
}

// Progress is what a follower has seen of a feed of rooms.
type Progress struct {
	Records  int
	after    roomkit.Cursor
	versions map[roomkit.Subject]roomkit.Version
	sum      uint32 // of all cursors in their order
}

func (p *Progress) copy() Progress {
	c := *p
	c.versions = maps.Clone(p.versions)
	return c
}

// take notes a page, and says whether a record is missing, or came before.
func (p *Progress) take(page []store.Record) error {
	if p.versions == nil {
		p.versions = map[roomkit.Subject]roomkit.Version{}
	}
	for _, r := range page {
		if has := p.versions[r.Subject]; r.Version != has+1 {
			return fmt.Errorf("%v: version %d after %d", r.Subject, r.Version, has)
		}
		p.versions[r.Subject], p.after = r.Version, r.Cursor
		p.sum = crc32.Update(p.sum, crc32.IEEETable, []byte(r.Cursor))
		p.Records++
	}
	return nil
}

// Whole is an error if not all is there that the pens have written.
func (p *Progress) Whole(pens []*Pen) error {
	for _, pen := range pens {
		if of := roomkit.RoomSubject(pen.Row.ID); p.versions[of] != pen.Row.Version {
			return fmt.Errorf("%v: version %d of %d", of, p.versions[of], pen.Row.Version)
		}
	}
	return nil
}

// Follow reads the feed while done is not closed and there is more. One page in ten
// it keeps its place, and one in ten it crashes and goes on from there.
func Follow(ctx context.Context, s store.Store, done <-chan struct{}) (p Progress, crashes int, err error) {
	var wake <-chan struct{}
	if n, ok := s.(store.Notifier); ok {
		if wake, err = n.Wake(ctx); err != nil {
			return p, 0, err
		}
	}
	kept := p.copy()
	for {
		over := false
		select {
		case <-done:
			over = true
		default:
		}
		page, err := s.Feed(ctx, p.after, 1+rand.N(roomkit.MaxPage))
		if err == nil {
			err = p.take(page)
		}
		if err != nil || over && len(page) == 0 {
			return p, crashes, err
		}
		switch rand.N(10) {
		case 0:
			kept = p.copy()
		case 1:
			p = kept.copy()
			crashes++
			continue
		}
		if len(page) == 0 {
			select {
			case <-wake:
			case <-done:
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
}

// ReadAll reads the whole feed.
func ReadAll(ctx context.Context, s store.Store) (p Progress, err error) {
	for page := []store.Record{{}}; len(page) > 0 && err == nil; {
		if page, err = s.Feed(ctx, p.after, 0); err == nil {
			err = p.take(page)
		}
	}
	return p, err
}
