package pgstore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/judge"
)

// Prune implements [store.Pruner] in one transaction, for which nobody waits but a Rename
// and another Prune. VACUUM gives the room of what was forgotten to new rows.
func (s *Store) Prune(ctx context.Context, p store.Pruning) error {
	var no *refused
	err := s.onPool(ctx, func(conn *pgx.Conn) error {
		err := pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
			return (&pruning{Pruning: p, altering: altering{s, tx}}).run(ctx)
		})
		if errors.As(err, &no) {
			return nil
		}
		return err
	})
	if no != nil {
		return no.error
	}
	return err
}

// altering is a transaction that changes what is stored of the past. One at a time does.
type altering struct {
	s  *Store
	tx pgx.Tx
}

func (a *altering) alone(ctx context.Context) error {
	return a.exec(ctx, `SELECT pg_advisory_xact_lock($1)`, firstLock(a.s.lock)+2)
}

func (a *altering) exec(ctx context.Context, text string, args ...any) error {
	_, err := a.tx.Exec(ctx, a.s.o.named(text), append([]any{pgx.QueryExecModeExec}, args...)...)
	return err
}

// base reads that of a subject; of the empty text it is the place where the feed begins.
func (a *altering) base(ctx context.Context, of string) (version int64, parts [][]byte, err error) {
	rows, err := a.tx.Query(ctx, a.s.o.named(`SELECT version, data FROM roomkit_bases WHERE subject = $1 ORDER BY part`), pgx.QueryExecModeExec, of)
	if err != nil {
		return 0, nil, err
	}
	var data []byte
	_, err = pgx.ForEachRow(rows, []any{&version, &data}, func() error {
		parts = append(parts, append([]byte(nil), data...))
		return nil
	})
	return version, parts, err
}

func (a *altering) baseOf(ctx context.Context, of roomkit.Subject) (store.Base, error) {
	version, parts, err := a.base(ctx, of.String())
	return store.Base{Subject: of, Version: roomkit.Version(version), Events: parts}, err
}

func (a *altering) putBase(ctx context.Context, of string, version int64, parts [][]byte) error {
	err := a.exec(ctx, `DELETE FROM roomkit_bases WHERE subject = $1`, of)
	for i, data := range parts {
		if err == nil {
			err = a.exec(ctx, `INSERT INTO roomkit_bases (subject, part, version, data) VALUES ($1, $2, $3, $4)`, of, int64(i+1), version, data)
		}
	}
	return err
}

type pruning struct {
	store.Pruning
	altering
}

func (p *pruning) run(ctx context.Context) error {
	if err := p.alone(ctx); err != nil {
		return err
	}
	records, to, err := p.records(ctx)
	if err != nil {
		return err
	}
	var failed error
	bases, err := judge.Fold(&p.Pruning, records, func(of roomkit.Subject) (b store.Base, err error) {
		b, failed = p.baseOf(ctx, of)
		return b, failed
	})
	if err != nil && failed == nil {
		err = &refused{err}
	}
	for i := range bases {
		if err == nil {
			err = p.putBase(ctx, bases[i].Subject.String(), int64(bases[i].Version), bases[i].Events)
		}
	}
	if err == nil {
		err = p.keepStraddling(ctx, to)
	}
	if err == nil {
		err = p.exec(ctx, `DELETE FROM roomkit_commands WHERE id IN (SELECT e.command FROM roomkit_records e WHERE e.position BETWEEN 1 AND $1)
			AND NOT EXISTS (SELECT FROM roomkit_records e WHERE e.command = roomkit_commands.id AND e.position > $1)`, to)
	}
	if err == nil {
		err = p.exec(ctx, `DELETE FROM roomkit_records WHERE position BETWEEN 1 AND $1`, to)
	}
	if err == nil {
		err = p.putBase(ctx, "", to, [][]byte{[]byte(p.To)})
	}
	return err
}

// records gives those to be forgotten, and the position of the last one.
func (p *pruning) records(ctx context.Context) (list []store.Record, to int64, err error) {
	from, begin, err := p.base(ctx, "")
	if err != nil {
		return nil, 0, err
	}
	if len(begin) == 0 {
		begin = [][]byte{nil}
	}
	if roomkit.Cursor(begin[0]) != p.From {
		return nil, 0, &refused{judge.PrunedMeanwhile()}
	}
	to, err = p.s.position(p.To)
	if err != nil || to <= from {
		return nil, 0, &refused{judge.NotPrunable()}
	}
	t := &trip{sql: p.s.sql}
	t.add(byIndex, nil, nil)
	var h horizon
	h.ask(t)
	t.add(pageOfFeed, new(args).int(from+1).int(to-from+1), func(r *row) { list = append(list, p.s.placedRecord(r)) })
	if err := t.run(ctx, p.tx.Conn()); err != nil {
		return nil, 0, err
	}
	n := slices.IndexFunc(list, func(r store.Record) bool { return r.Cursor == p.To }) + 1
	if n == 0 || n == len(list) || list[n-1].Command == list[n].Command || to > h.to {
		return nil, 0, &refused{judge.NotPrunable()}
	}
	return list[:n], to, nil
}

// keepStraddling lets commands of which some records stay be remembered as they were, until
// their last record is forgotten.
func (p *pruning) keepStraddling(ctx context.Context, to int64) error {
	return p.exec(ctx, `UPDATE roomkit_commands d SET events = (
			SELECT string_agg(e.subject || ':' || coalesce(e.room::text, e.id) || '/' || e.version, chr(10) ORDER BY e.position)
			FROM roomkit_records e WHERE e.command = d.id)
		WHERE d.events IS NULL AND d.id IN (SELECT e.command FROM roomkit_records e WHERE e.position BETWEEN 1 AND $1)
			AND EXISTS (SELECT FROM roomkit_records e WHERE e.command = d.id AND e.position > $1)`, to)
}

// Base implements [store.Pruner].
func (s *Store) Base(ctx context.Context, of roomkit.Subject) (store.Base, error) {
	list, err := page(ctx, &s.base, baseOf, new(args).text(of.String()), readPart)
	if err != nil {
		return store.Base{}, err
	}
	b := store.Base{Subject: of}
	for _, p := range list {
		b.Version, b.Events = p.version, append(b.Events, p.data)
	}
	return b, nil
}

// part is a row of bases.
type part struct {
	subject string
	version roomkit.Version
	data    []byte
}

func readPart(r *row) part {
	return part{r.text(), roomkit.Version(r.int()), r.bytes()}
}

// Bases implements [store.Pruner].
func (s *Store) Bases(ctx context.Context, after roomkit.Subject, limit int) ([]store.Base, error) {
	limit, err := store.PageSize(limit)
	if err != nil {
		return nil, err
	}
	from := ""
	if after != (roomkit.Subject{}) {
		from = after.String()
	}
	list, err := page(ctx, &s.base, pageOfBases, new(args).text(from).int(int64(limit)), readPart)
	if err != nil {
		return nil, err
	}
	var bases []store.Base
	for _, p := range list {
		of, err := roomkit.ParseSubject(p.subject)
		if err != nil {
			return nil, fmt.Errorf("%w: a base of %q", ErrCorrupt, p.subject)
		}
		if n := len(bases); n == 0 || bases[n-1].Subject != of {
			bases = append(bases, store.Base{Subject: of, Version: p.version})
		}
		b := &bases[len(bases)-1]
		b.Events = append(b.Events, p.data)
	}
	return bases, nil
}

// askForgotten asks up to which version the events of a subject are forgotten. It is asked
// after them, so that nothing that they lack is missed.
func (b *base) askForgotten(t *trip, of roomkit.Subject, version *roomkit.Version) {
	*version = 0
	t.add(versionOfBase, new(args).text(of.String()), func(r *row) { *version = roomkit.Version(r.int()) })
}

// behind judges a cursor whose record is not there, and gives the page behind it if it is
// the one where the feed begins. The page was read before, so nothing of it is gone that
// the beginning does not tell of.
func (b *base) behind(ctx context.Context, after roomkit.Cursor, from int64, size int, records []store.Record) ([]store.Record, error) {
	begin, err := b.begin(ctx)
	if err != nil {
		return nil, err
	}
	switch {
	case from < int64(begin.version):
		return nil, &roomkit.Pruned{Cursor: roomkit.Cursor(begin.data)}
	case after == "":
		return records, nil
	case after == roomkit.Cursor(begin.data):
		return records[:min(len(records), size-1)], nil
	}
	return nil, invalid("Cursor", "of a part of the history that this database does not have: begin at the start, or at a cursor kept with this copy")
}

// begin gives the place where the feed begins, if something was pruned.
func (b *base) begin(ctx context.Context) (begin part, err error) {
	begins, err := page(ctx, b, baseOf, new(args).text(""), readPart)
	if len(begins) > 0 {
		begin = begins[0]
	}
	return begin, err
}
