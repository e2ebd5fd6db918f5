package storetest

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// part is a piece of a change.
type part func(c *store.Change)

// change puts a change together: a fresh command, the parts in order, and the
// outcome that follows from them.
func (k *kit) change(parts ...part) store.Change {
	return k.changeAs(k.command(), parts...)
}

// changeAs is change with a given command id.
func (k *kit) changeAs(id roomkit.CommandID, parts ...part) store.Change {
	c := store.Change{Command: id, Digest: sha256.Sum256(id[:])}
	for _, p := range parts {
		p(&c)
	}
	finish(&c)
	return c
}

// finish sets what follows from the rest: commands of records and the outcome.
func finish(c *store.Change) {
	c.Outcome = store.Outcome{Command: c.Command, Digest: c.Digest, Changed: len(c.Records) > 0}
	if len(c.Rooms) > 0 {
		c.Outcome.Room = c.Rooms[0].ID
	}
	for i := range c.Records {
		c.Records[i].Command = c.Command
		c.Outcome.Events = append(c.Outcome.Events, store.EventAt{Subject: c.Records[i].Subject, Version: c.Records[i].Version})
	}
}

// record adds the event that leads on from version was, and the expectation of
// was unless the change has one of this subject.
func record(c *store.Change, of roomkit.Subject, was roomkit.Version) {
	if !slices.ContainsFunc(c.Expect, func(e store.Expect) bool { return e.Subject == of }) {
		c.Expect = append(c.Expect, store.Expect{Subject: of, Version: was})
	}
	c.Records = append(c.Records, store.Record{
		Subject: of, Version: was + 1, Type: "test.happened", At: at(was + 1),
		Data: fmt.Appendf(nil, "%s %d\x00\xff", of, was+1),
	})
}

// rely adds an expectation of something that is not written.
func rely(on roomkit.Subject, v roomkit.Version) part {
	return func(c *store.Change) { c.Expect = append(c.Expect, store.Expect{Subject: on, Version: v}) }
}

func tallyUser(id roomkit.UserID, was, now int64) part {
	return func(c *store.Change) {
		c.Tallies = append(c.Tallies, store.Tally{User: id, Was: was, Now: now})
	}
}

func tallyCompany(id roomkit.CompanyID, was, now int64) part {
	return func(c *store.Change) {
		c.Tallies = append(c.Tallies, store.Tally{Company: id, Was: was, Now: now})
	}
}

func checkpoint(name string, was, now roomkit.Cursor) part {
	return func(c *store.Change) { c.Checkpoint = &store.Checkpoint{Name: name, Was: was, Now: now} }
}

// at is the time of the event with a version, with microseconds.
func at(v roomkit.Version) time.Time {
	return time.Date(2026, time.March, 29, 1, 59, 58, 987654000, time.UTC).Add(time.Duration(v) * 1001 * time.Microsecond)
}

// roomID gives a room id; ids are in the order of their numbers.
func roomID(n int) roomkit.RoomID {
	return roomkit.RoomID{byte(n >> 8), byte(n), 2, 3, 4, 5, 0x70, 7, 0x80, 9, 10, 11, 12, 13, 14, 0xff}
}

// cloneChanges copies changes with all their slices, so that what a store does to
// them does not reach the rule.
func cloneChanges(changes []store.Change) []store.Change {
	copies := slices.Clone(changes)
	for i := range copies {
		copies[i] = changes[i].Clone()
	}
	return copies
}

func cloneRecords(records []store.Record) []store.Record {
	records = slices.Clone(records)
	for i := range records {
		records[i].Data = slices.Clone(records[i].Data)
	}
	return records
}
