package sqlitestore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"math"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/text"
)

var _ store.Copier = (*Store)(nil)

// partSize is how many rows a part of a dump has.
const partSize = 512

// Dump implements [store.Copier] in one transaction that reads. Nobody waits for it, but the WAL
// grows until it has ended.
func (s *Store) Dump(ctx context.Context) iter.Seq2[*store.Contents, error] {
	return func(yield func(*store.Contents, error) bool) {
		d := &dump{names: s.names, yield: yield}
		t, err := s.begin(ctx, nil)
		if err == nil {
			err = s.dump(t, d)
			t.end()
		}
		if err != nil && !d.over {
			yield(nil, err)
		}
	}
}

// dump is how far a dump is.
type dump struct {
	names *names
	yield func(*store.Contents, error) bool
	part  store.Contents
	rows  int
	over  bool
}

// errOver ends a statement of which nobody wants more rows.
var errOver = errors.New("nobody wants more")

func (d *dump) flush() error {
	if !d.yield(&d.part, nil) {
		d.over = true
		return errOver
	}
	p := &d.part
	*p = store.Contents{
		Companies: p.Companies[:0], Users: p.Users[:0], Teams: p.Teams[:0], Rooms: p.Rooms[:0], Members: p.Members[:0],
		Bases: p.Bases[:0], Records: p.Records[:0], Commands: p.Commands[:0],
	}
	d.rows = 0
	return nil
}

func (s *Store) dump(t *tx, d *dump) error {
	_, pruned, err := s.beginningIn(t)
	if err == nil {
		d.part.Pruned = pruned
		err = t.query(dumpCheckpoints, func(r *row) {
			d.part.Checkpoints = append(d.part.Checkpoints, store.Checkpoint{Name: r.text(), Now: roomkit.Cursor(r.text())})
		})
	}
	if err == nil {
		err = d.flush()
	}
	for _, of := range []struct {
		id   statement
		take func(*row)
		args []any
	}{
		{dumpCompanies, func(r *row) { d.part.Companies = append(d.part.Companies, d.names.company(r)) }, nil},
		{dumpUsers, func(r *row) { d.part.Users = append(d.part.Users, d.names.user(r)) }, nil},
		{dumpTeams, func(r *row) { d.part.Teams = append(d.part.Teams, d.names.team(r)) }, nil},
		{dumpRooms, func(r *row) { d.part.Rooms = append(d.part.Rooms, d.names.room(r)) }, nil},
		{dumpMembers, func(r *row) { d.part.Members = append(d.part.Members, d.names.member(r, r.id())) }, nil},
		{dumpBases, d.base, nil},
		{feedFrom, func(r *row) { _ = r.int(); d.part.Records = append(d.part.Records, d.names.record(r)) }, []any{int64(1), int64(math.MaxInt64)}},
		{dumpCommands, func(r *row) { d.part.Commands = append(d.part.Commands, s.remembered(r)) }, nil},
	} {
		if err == nil {
			err = d.rowsOf(t, of.id, of.take, of.args)
		}
	}
	if err == nil {
		err = d.flush()
	}
	return err
}

// rowsOf takes all rows of a statement.
func (d *dump) rowsOf(t *tx, id statement, take func(*row), args []any) error {
	return t.query(id, func(r *row) {
		if d.rows >= partSize && (len(d.part.Bases) == 0 || d.lastBase(r)) {
			r.err = errors.Join(r.err, d.flush(), t.ctx.Err())
		}
		if r.err == nil {
			take(r)
			d.rows++
		}
	}, args...)
}

// lastBase reports whether a row is not of the base that the part ends with.
func (d *dump) lastBase(r *row) bool {
	of, ok := r.cells[0].v.(string)
	return !ok || of != d.part.Bases[len(d.part.Bases)-1].Subject.String()
}

func (d *dump) base(r *row) {
	of, err := roomkit.ParseSubject(r.text())
	if err != nil {
		r.fail("no subject")
		return
	}
	version := r.version()
	if n := len(d.part.Bases); n == 0 || d.part.Bases[n-1].Subject != of {
		d.part.Bases = append(d.part.Bases, store.Base{Subject: of, Version: version})
	}
	b := &d.part.Bases[len(d.part.Bases)-1]
	b.Events = append(b.Events, bytes.Clone(r.bytes()))
}

func (s *base) remembered(r *row) store.Remembered {
	c := s.command(r)
	return store.Remembered{
		Command: c.Command, Digest: c.Digest, Room: c.Room, Changed: c.Changed, Records: c.records, Place: c.last, Listed: c.listed, Events: c.Events,
	}
}

// Fill implements [store.Copier] in one transaction, for which other writers wait.
func (s *Store) Fill(ctx context.Context, parts iter.Seq2[*store.Contents, error]) error {
	began := false
	f := fill{s: s}
	err := s.alter(ctx, func(t *tx) error {
		if began {
			return fmt.Errorf("%w: the parts cannot be asked for a second time", roomkit.ErrUnavailable)
		}
		began = true
		f.t = t
		return f.all(parts)
	})
	if err == nil {
		s.newest.Store(&f.newest)
	}
	return err
}

// fill is how far a Fill is.
type fill struct {
	s        *Store
	t        *tx
	pruned   int64
	position int64
	newest   newest
}

var clearTables = [...]string{
	`DELETE FROM roomkit_rooms`, `DELETE FROM roomkit_members`, `DELETE FROM roomkit_users`, `DELETE FROM roomkit_companies`, `DELETE FROM roomkit_teams`,
	`DELETE FROM roomkit_team_members`, `DELETE FROM roomkit_records`, `DELETE FROM roomkit_commands`, `DELETE FROM roomkit_checkpoints`, `DELETE FROM roomkit_bases`,
}

func (f *fill) all(parts iter.Seq2[*store.Contents, error]) error {
	for _, text := range clearTables {
		if err := f.s.put(f.t, text); err != nil {
			return err
		}
	}
	first := true
	for part, err := range parts {
		if err == nil && first {
			err = f.begin(part)
		}
		for _, step := range [...]func(*store.Contents) error{f.directory, f.rooms, f.bases, f.records, f.commands} {
			if err == nil {
				err = step(part)
			}
		}
		if err != nil {
			return err
		}
		first = false
	}
	return f.fits()
}

// begin writes what stands in the first part.
func (f *fill) begin(p *store.Contents) error {
	for i := range p.Checkpoints {
		if _, err := f.t.exec(putCheckpoint, p.Checkpoints[i].Name, string(p.Checkpoints[i].Now)); err != nil {
			return err
		}
	}
	if f.pruned, f.position = p.Pruned, p.Pruned; p.Pruned == 0 {
		return nil
	}
	at := f.s.cursor(p.Pruned, &store.Record{})
	return f.s.put(f.t, `INSERT INTO roomkit_bases (subject, part, version, data) VALUES ('', 1, ?, ?)`, p.Pruned, []byte(at))
}

func (f *fill) directory(p *store.Contents) error {
	w := writes{store: &f.s.base}
	for i := range p.Companies {
		w.companies.rows = append(w.companies.rows, &p.Companies[i])
	}
	for i := range p.Users {
		w.users.rows = append(w.users.rows, &p.Users[i])
	}
	for i := range p.Teams {
		w.teams.rows = append(w.teams.rows, &p.Teams[i])
	}
	for i := range p.Members {
		w.members.rows = append(w.members.rows, &p.Members[i])
	}
	err := errors.Join(w.writeDirectory(f.t), w.writeTeams(f.t), w.writeMembers(f.t))
	for i := range p.Companies {
		if c := &p.Companies[i]; err == nil && c.Groups != 0 {
			_, err = f.t.exec(tallyCompany, c.Groups, string(c.ID))
		}
	}
	for i := range p.Users {
		if u := &p.Users[i]; err == nil && u.Groups != 0 {
			_, err = f.t.exec(tallyUser, u.Groups, string(u.ID))
		}
	}
	return err
}

func (f *fill) rooms(p *store.Contents) error {
	for i := range p.Rooms {
		if _, err := f.t.exec(insertRoom, values{}.usualRoom(&p.Rooms[i]).roomRest(&p.Rooms[i])...); err != nil {
			return err
		}
	}
	return nil
}

func (f *fill) bases(p *store.Contents) error {
	for i := range p.Bases {
		if err := f.s.putBase(f.t, &p.Bases[i]); err != nil {
			return err
		}
	}
	return nil
}

func (f *fill) records(p *store.Contents) error {
	rows := make(values, 0, len(p.Records)*lists[insertRecords].width)
	for i := range p.Records {
		f.position++
		rows = append(rows, f.position).record(&p.Records[i])
	}
	if n := len(p.Records); n > 0 {
		f.newest = newest{f.position, f.s.cursor(f.position, &p.Records[n-1])}
	}
	_, err := f.t.store(insertRecords, rows)
	return err
}

func (f *fill) commands(p *store.Contents) error {
	rows := make(values, 0, len(p.Commands)*lists[insertCommands].width)
	for i := range p.Commands {
		c := &p.Commands[i]
		if c.Records < 0 || c.Place > f.position || c.Records > 0 && c.Place-c.Records < f.pruned {
			return invalid("Commands", "the records of a command are missing")
		}
		rows = append(rows, c.Command[:], c.Digest[:]).id(c.Room).bool(c.Changed)
		if c.Place == 0 {
			rows = append(rows, nil, c.Records)
		} else {
			rows = append(rows, c.Place, c.Records)
		}
		if c.Listed {
			rows = append(rows, text.Events(c.Events))
		} else {
			rows = append(rows, nil)
		}
	}
	_, err := f.t.store(insertCommands, rows)
	return err
}

// fits demands what no statement has.
func (f *fill) fits() error {
	bad := false
	err := f.t.query(misfits, func(r *row) { bad = r.bool() })
	if err == nil && bad {
		err = invalid("Contents", "rows of a room or records of a subject that is not there")
	}
	return err
}
