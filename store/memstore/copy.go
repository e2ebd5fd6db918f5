package memstore

import (
	"bytes"
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/judge"
)

// partSize is how many rows a part of a dump has.
const partSize = 512

// Dump implements [store.Copier]. Who commits waits until it has ended, and who reads meanwhile
// waits for whoever commits.
func (s *Store) Dump(ctx context.Context) iter.Seq2[*store.Contents, error] {
	return func(yield func(*store.Contents, error) bool) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		d := dump{ctx: ctx, yield: yield, part: store.Contents{Pruned: s.pruned}}
		for _, name := range slices.Sorted(maps.Keys(s.checkpoints)) {
			d.part.Checkpoints = append(d.part.Checkpoints, store.Checkpoint{Name: name, Now: s.checkpoints[name]})
		}
		d.flush()
		s.dumpDirectory(&d)
		s.dumpRooms(&d)
		s.dumpFeed(&d)
		d.flush()
	}
}

// dump is how far a dump is.
type dump struct {
	ctx   context.Context
	yield func(*store.Contents, error) bool
	part  store.Contents
	rows  int
	over  bool
}

func (d *dump) flush() {
	if err := d.ctx.Err(); !d.over && err != nil {
		d.yield(nil, err)
		d.over = true
	}
	if !d.over {
		d.over = !d.yield(&d.part, nil)
	}
	p := &d.part
	*p = store.Contents{
		Companies: p.Companies[:0], Users: p.Users[:0], Teams: p.Teams[:0], Rooms: p.Rooms[:0], Members: p.Members[:0],
		Bases: p.Bases[:0], Records: p.Records[:0], Commands: p.Commands[:0],
	}
	d.rows = 0
}

// more counts a row, and reports whether another one is wanted.
func (d *dump) more() bool {
	if d.rows++; d.rows >= partSize {
		d.flush()
	}
	return !d.over
}

func (s *Store) dumpDirectory(d *dump) {
	for _, id := range slices.Sorted(maps.Keys(s.companies)) {
		if c := s.companies[id]; c.row.Version > 0 {
			if d.part.Companies = append(d.part.Companies, c.row); !d.more() {
				return
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(s.users)) {
		if u := s.users[id]; u.row.Version > 0 {
			if d.part.Users = append(d.part.Users, u.row); !d.more() {
				return
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(s.teams)) {
		row := s.teams[key].row
		row.Members = slices.Sorted(slices.Values(row.Members))
		if d.part.Teams = append(d.part.Teams, row); !d.more() {
			return
		}
	}
}

func (s *Store) dumpRooms(d *dump) {
	ids := slices.SortedFunc(maps.Keys(s.rooms), func(a, b roomkit.RoomID) int { return bytes.Compare(a[:], b[:]) })
	for _, id := range ids {
		if d.part.Rooms = append(d.part.Rooms, s.rooms[id].row); !d.more() {
			return
		}
	}
	for _, id := range ids {
		r := s.rooms[id]
		all := append(r.present.page(nil, r.present.living, nil), r.left.page(nil, r.left.living, nil)...)
		slices.SortFunc(all, byUser{}.compare)
		for _, m := range all {
			if d.part.Members = append(d.part.Members, m.row); !d.more() {
				return
			}
		}
	}
}

func (s *Store) dumpFeed(d *dump) {
	for _, key := range slices.Sorted(maps.Keys(s.bases)) {
		if d.part.Bases = append(d.part.Bases, s.bases[key]); !d.more() {
			return
		}
	}
	for at := s.pruned; at < s.records.n; at++ {
		if d.part.Records = append(d.part.Records, s.bare(s.records.at(at))); !d.more() {
			return
		}
	}
	ids := slices.SortedFunc(maps.Keys(s.commands), func(a, b roomkit.CommandID) int { return bytes.Compare(a[:], b[:]) })
	for _, id := range ids {
		c := s.outcomes.at(s.commands[id])
		events, listed := s.events[id]
		d.part.Commands = append(d.part.Commands, store.Remembered{
			Command: id, Digest: c.digest, Room: c.room, Changed: c.changed, Records: c.records, Place: c.end, Listed: listed, Events: events,
		})
		if !d.more() {
			return
		}
	}
}

// bare gives a record without its cursor. Its data are those of the store.
func (s *Store) bare(r *record) store.Record {
	return store.Record{
		Subject: s.subject(r), Version: r.version, Type: *s.types.at(int64(r.typ)), At: time.UnixMicro(r.at).UTC(), Command: r.command,
		Data: s.data[r.data.array][r.data.from:r.data.to:r.data.to],
	}
}

// Fill implements [store.Copier]. Nobody waits until all is there.
func (s *Store) Fill(ctx context.Context, parts iter.Seq2[*store.Contents, error]) error {
	is := &Store{tables: newTables()}
	first := true
	for part, err := range parts {
		if err = cmp.Or(err, ctx.Err()); err == nil {
			err = is.fill(part, first)
		}
		if err != nil {
			return err
		}
		first = false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tables = is.tables
	return nil
}

func unfitting(field, reason string) error { return &roomkit.Invalid{Field: field, Reason: reason} }

// fill adds a part to a store that nobody has seen yet.
func (s *Store) fill(p *store.Contents, first bool) error {
	switch {
	case p.Pruned < 0 || p.Pruned > 0 && !first:
		return unfitting("Pruned", "not a number of records that the first part says")
	case first:
		s.beginAt(p.Pruned)
	}
	for i := range p.Checkpoints {
		s.checkpoints[p.Checkpoints[i].Name] = p.Checkpoints[i].Now
	}
	for i := range p.Companies {
		there(s.companies, p.Companies[i].ID).row = p.Companies[i]
	}
	for i := range p.Users {
		s.putUser(&p.Users[i])
		s.users[p.Users[i].ID].row.Groups = p.Users[i].Groups
	}
	for i := range p.Teams {
		s.putTeam(&p.Teams[i])
	}
	s.putRooms(p.Rooms)
	for i := range p.Members {
		if s.rooms[p.Members[i].Room] == nil {
			return unfitting("Members", "of a room that is not there")
		}
		s.putMember(&p.Members[i])
	}
	return s.fillFeed(p)
}

// beginAt makes a feed that begins behind so many records.
func (s *Store) beginAt(pruned int64) {
	s.pruned, s.records.n = pruned, pruned
	s.records.chunks = make([]*[logChunk]record, pruned/logChunk, pruned/logChunk+1)
	if pruned%logChunk > 0 {
		s.records.chunks = append(s.records.chunks, new([logChunk]record))
	}
}

func (s *Store) fillFeed(p *store.Contents) error {
	for i := range p.Bases {
		b := judge.CloneBase(p.Bases[i])
		h := s.held(&b.Subject)
		if h == nil {
			return unfitting("Bases", "of a subject that is not there")
		}
		s.bases[b.Subject.String()], h.base, h.version = b, b.Version, b.Version
	}
	for i := range p.Records {
		r := &p.Records[i]
		h := s.held(&r.Subject)
		if h == nil {
			return unfitting("Records", "of a subject that is not there")
		}
		s.append(h, r)
	}
	for i := range p.Commands {
		c := &p.Commands[i]
		if c.Records < 0 || c.Place > s.records.n || c.Records > 0 && c.Place-c.Records < s.pruned {
			return unfitting("Commands", "the records of a command are missing")
		}
		s.commands[c.Command] = s.outcomes.append(outcome{digest: c.Digest, room: c.Room, changed: c.Changed, end: c.Place, records: c.Records})
		if c.Listed {
			s.events[c.Command] = slices.Clone(c.Events)
		}
	}
	return nil
}

// held gives the history of a subject that has a row, or nil.
func (s *Store) held(of *roomkit.Subject) *history {
	h := s.history(of)
	switch {
	case of.Type == roomkit.SubjectUser && h != nil && s.users[roomkit.UserID(of.ID)].row.Version == 0,
		of.Type == roomkit.SubjectCompany && h != nil && s.companies[roomkit.CompanyID(of.ID)].row.Version == 0:
		return nil
	}
	return h
}
