package sqlitestore

import (
	"context"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/judge"
)

// Prune implements [store.Pruner] in one transaction, for which other writers wait. SQLite
// uses the room again; the file becomes smaller by VACUUM only.
func (s *Store) Prune(ctx context.Context, p store.Pruning) error {
	return s.alter(ctx, func(t *tx) error {
		records, to, err := s.prunableRecords(t, &p)
		if err != nil {
			return err
		}
		bases, err := judge.Fold(&p, records, func(of roomkit.Subject) (store.Base, error) { return s.baseIn(t, of) })
		if err != nil {
			return err
		}
		for i := range bases {
			if err := s.putBase(t, &bases[i]); err != nil {
				return err
			}
		}
		err = s.put(t, `DELETE FROM roomkit_commands WHERE id IN (SELECT e.command FROM roomkit_records e WHERE e.position <= ?)`, to)
		if err == nil {
			err = s.put(t, `DELETE FROM roomkit_records WHERE position <= ?`, to)
		}
		if err == nil {
			err = s.put(t, `INSERT OR REPLACE INTO roomkit_bases (subject, part, version, data) VALUES ('', 1, ?, ?)`, to, []byte(p.To))
		}
		return err
	})
}

// prunableRecords gives the records to be forgotten, and the position of the last one.
func (s *Store) prunableRecords(t *tx, p *store.Pruning) (records []store.Record, to int64, err error) {
	begin, from, err := s.beginningIn(t)
	if err != nil {
		return nil, 0, err
	}
	if begin != p.From {
		return nil, 0, judge.PrunedMeanwhile()
	}
	to, ok := s.position(p.To)
	if !ok || to <= from {
		return nil, 0, judge.NotPrunable()
	}
	records, err = s.recordsIn(t, feedFrom, from+1, to-from+1)
	if err != nil {
		return nil, 0, err
	}
	if n := int(to - from); len(records) != n+1 || records[n-1].Cursor != p.To || records[n-1].Command == records[n].Command {
		return nil, 0, judge.NotPrunable()
	}
	return records[:to-from], to, nil
}

func (s *Store) putBase(t *tx, b *store.Base) error {
	of := b.Subject.String()
	err := s.put(t, `DELETE FROM roomkit_bases WHERE subject = ?`, of)
	for i, data := range b.Events {
		if err == nil {
			err = s.put(t, `INSERT INTO roomkit_bases (subject, part, version, data) VALUES (?, ?, ?, ?)`, of, int64(i+1), int64(b.Version), data)
		}
	}
	return err
}

// beginningIn gives the place in the feed where it begins.
func (s *base) beginningIn(t *tx) (begin roomkit.Cursor, position int64, err error) {
	err = t.query(baseOf, func(r *row) {
		_ = r.text()
		position = r.int()
		begin = roomkit.Cursor(r.bytes())
	}, "")
	return begin, position, err
}

func (s *base) baseIn(t *tx, of roomkit.Subject) (store.Base, error) {
	b := store.Base{Subject: of}
	err := t.query(baseOf, func(r *row) {
		_ = r.text()
		b.Version = r.version()
		b.Events = append(b.Events, append([]byte(nil), r.bytes()...))
	}, of.String())
	return b, err
}

// Base implements [store.Pruner].
func (s *Store) Base(ctx context.Context, of roomkit.Subject) (store.Base, error) {
	b := store.Base{Subject: of}
	err := s.read(ctx, baseOf, func(r *row) {
		_ = r.text()
		b.Version = r.version()
		b.Events = append(b.Events, append([]byte(nil), r.bytes()...))
	}, of.String())
	return b, err
}

// Bases implements [store.Pruner].
func (s *Store) Bases(ctx context.Context, after roomkit.Subject, limit int) (page []store.Base, err error) {
	limit, err = store.PageSize(limit)
	if err != nil {
		return nil, err
	}
	from := ""
	if after != (roomkit.Subject{}) {
		from = after.String()
	}
	err = s.read(ctx, pageOfBases, func(r *row) {
		of, err := roomkit.ParseSubject(r.text())
		if err != nil {
			r.fail("no subject")
			return
		}
		version := r.version()
		if n := len(page); n == 0 || page[n-1].Subject != of {
			page = append(page, store.Base{Subject: of, Version: version})
		}
		b := &page[len(page)-1]
		b.Events = append(b.Events, append([]byte(nil), r.bytes()...))
	}, from, int64(limit))
	return page, err
}

// beginning gives the place in the feed where it begins.
func (s *base) beginning(ctx context.Context) (begin roomkit.Cursor, position int64, err error) {
	err = s.read(ctx, baseOf, func(r *row) {
		_ = r.text()
		position = r.int()
		begin = roomkit.Cursor(r.bytes())
	}, "")
	return begin, position, err
}

// feedWhole gives the first page of the feed, if it still has its beginning.
func (s *base) feedWhole(ctx context.Context, limit int) ([]store.Record, error) {
	page, err := s.records(ctx, feedFrom, int64(1), limit)
	if err != nil || len(page) == 0 {
		return nil, err
	}
	if first, _ := s.position(page[0].Cursor); first != 1 {
		begin, _, err := s.beginning(ctx)
		switch {
		case err != nil:
			return nil, err
		case begin != "":
			return nil, &roomkit.Pruned{Cursor: begin}
		}
	}
	return page, nil
}

// behind judges a cursor whose record is not there, and gives the page behind it if it is
// the one where the feed begins. The page was read before, so nothing of it is gone that
// the beginning does not tell of.
func (s *base) behind(ctx context.Context, after roomkit.Cursor, from int64, page []store.Record) ([]store.Record, error) {
	begin, position, err := s.beginning(ctx)
	switch {
	case err != nil:
		return nil, err
	case from < position:
		return nil, &roomkit.Pruned{Cursor: begin}
	case begin == after && len(page) > 0:
		if first, _ := s.position(page[0].Cursor); first == from+1 {
			return page[:max(1, len(page)-1)], nil
		}
	}
	return nil, invalid("Cursor", "of a part of the history that this database does not have: begin at the start, or at a cursor kept with this copy")
}

// forgotten is ErrPruned if records of a subject after a version are.
func (s *base) forgotten(ctx context.Context, of roomkit.Subject, after roomkit.Version) error {
	var version roomkit.Version
	err := s.read(ctx, versionOfBase, func(r *row) { version = r.version() }, of.String())
	if err == nil && after < version {
		err = &roomkit.Pruned{Subject: of, Version: version}
	}
	return err
}
