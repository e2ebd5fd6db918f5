package transfer

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/codec"
	"github.com/go-roomkit/roomkit/internal/fold"
	"github.com/go-roomkit/roomkit/store"
)

// Export writes what a store holds in the form of docs/transfer.md, as a kept file: with
// versions and all that decisions rely on, so that in the store into which it is imported
// everybody may do the same. It has rooms that have ended and people who have left. Not in it
// are the events before the export, keys of commands, and how far followers are.
//
// The file is of one moment, that at which Export begins, although the store may be in use:
// what has changed when it is read is put back to what it was then, by its events. Memory
// does not grow with the store but with what changes meanwhile, and a room is in memory
// with its members. It reads the feed once for the companies, users, teams and rooms each.
//
// Of a store that was pruned it is the same file. If the store is pruned during the export,
// that ends with [roomkit.ErrPruned] and has to be run again.
func Export(ctx context.Context, s store.Store, w io.Writer, o *ExportOptions) (Report, error) {
	if o == nil {
		o = new(ExportOptions)
	}
	e := &exporter{store: s, o: o, out: bufio.NewWriterSize(w, 64<<10), since: map[roomkit.Subject]roomkit.Version{}}
	err := e.run(ctx)
	if err == nil {
		e.report.Done = true
		e.tell()
		return e.report, nil
	}
	return e.report, &roomkit.Error{Op: "Export", Err: err}
}

type exporter struct {
	store  store.Store
	o      *ExportOptions
	out    *bufio.Writer
	report Report
	begin  roomkit.Cursor                      // where the feed begins
	head   roomkit.Cursor                      // the moment of the file
	tail   roomkit.Cursor                      // how far the feed behind it is read
	since  map[roomkit.Subject]roomkit.Version // of what has changed since, the version that it had
}

func (e *exporter) run(ctx context.Context) error {
	clock := clockOr(e.o.Clock)
	if err := e.findHead(ctx); err != nil {
		return err
	}
	e.tail = e.head
	err := e.write(headerLine{Type: "header", Form: Form, Version: FormVersion, Kept: true, At: micro(clock())})
	for _, section := range []struct {
		of    roomkit.SubjectType
		write func(context.Context, []roomkit.Subject) error
	}{
		{roomkit.SubjectCompany, e.companies}, {roomkit.SubjectUser, e.users}, {roomkit.SubjectTeam, e.teams}, {roomkit.SubjectRoom, e.rooms},
	} {
		if err == nil {
			err = e.section(ctx, section.of, section.write)
		}
	}
	if err != nil {
		return err
	}
	n := &e.report.Stored
	if err := e.write(endLine{Type: "end", Companies: &n.Companies, Users: &n.Users, Teams: &n.Teams, Rooms: &n.Rooms, Members: &n.Members}); err != nil {
		return err
	}
	return e.out.Flush()
}

// findHead finds where the feed ends, and begins.
func (e *exporter) findHead(ctx context.Context) (err error) {
	h, ok := store.Capability[store.Header](e.store)
	if ok {
		if e.head, err = h.Head(ctx); err != nil {
			return err
		}
	}
	if e.begin, err = store.FeedBegin(ctx, e.store); err != nil || ok {
		return err
	}
	e.head = e.begin
	for page, err := range store.FeedPages(ctx, e.store, e.begin) {
		if err != nil {
			return err
		}
		e.head = page[len(page)-1].Cursor
	}
	return nil
}

// exportBatch is how many subjects are read at once.
const exportBatch = 200

// section writes the subjects of a type: those whose first events are pruned in the order
// of their bases, the others in that in which they came into the store.
func (e *exporter) section(ctx context.Context, of roomkit.SubjectType, write func(context.Context, []roomkit.Subject) error) error {
	var batch []roomkit.Subject
	for one, err := range e.subjects(ctx, of) {
		if err != nil {
			return err
		}
		if batch = append(batch, one); len(batch) < exportBatch {
			continue
		}
		if err := write(ctx, batch); err != nil {
			return err
		}
		batch = batch[:0]
		e.tell()
	}
	if len(batch) == 0 {
		return nil
	}
	defer e.tell()
	return write(ctx, batch)
}

// subjects gives those of a type that there were at the head of the feed.
func (e *exporter) subjects(ctx context.Context, of roomkit.SubjectType) iter.Seq2[roomkit.Subject, error] {
	return func(yield func(roomkit.Subject, error) bool) {
		for page, err := range store.BasePages(ctx, e.store) {
			if err != nil {
				yield(roomkit.Subject{}, err)
				return
			}
			for i := range page {
				if page[i].Subject.Type == of && !yield(page[i].Subject, nil) {
					return
				}
			}
		}
		if e.head != e.begin {
			e.begun(ctx, of, yield)
		}
	}
}

// begun gives those that begin in the feed.
func (e *exporter) begun(ctx context.Context, of roomkit.SubjectType, yield func(roomkit.Subject, error) bool) {
	for page, err := range store.FeedPages(ctx, e.store, e.begin) {
		if err != nil {
			yield(roomkit.Subject{}, err)
			return
		}
		for i := range page {
			if page[i].Subject.Type == of && begins(&page[i]) && !yield(page[i].Subject, nil) {
				return
			}
			if page[i].Cursor == e.head {
				return
			}
		}
	}
	yield(roomkit.Subject{}, fmt.Errorf("%w: the feed ends before where it ended at the beginning", roomkit.ErrInconsistent))
}

// begins reports whether a record is the first one of its subject.
func begins(r *store.Record) bool {
	if r.Version == 1 {
		return true
	}
	switch r.Type {
	case (*roomkit.RoomImported)(nil).Type():
		return true
	case (*roomkit.CompanyPut)(nil).Type(), (*roomkit.UserPut)(nil).Type(), (*roomkit.TeamSynced)(nil).Type():
		event, err := codec.DecodeRecord(*r)
		return err == nil && event.Info().Cause == roomkit.CauseImported
	}
	return false
}

// follow reads the feed to its end: whatever was read before it cannot be newer.
func (e *exporter) follow(ctx context.Context) error {
	for page, err := range store.FeedPages(ctx, e.store, e.tail) {
		if err != nil {
			return err
		}
		for i := range page {
			if _, known := e.since[page[i].Subject]; !known {
				e.since[page[i].Subject] = page[i].Version - 1
			}
			e.tail = page[i].Cursor
		}
	}
	return nil
}

// past folds the events of a subject up to the version that it had.
func (e *exporter) past(ctx context.Context, of roomkit.Subject, version roomkit.Version, fold func(roomkit.Event)) error {
	base, err := store.BaseOf(ctx, e.store, of)
	if err != nil {
		return err
	}
	if base.Version > version {
		return &roomkit.Pruned{Subject: of, Version: base.Version}
	}
	for _, data := range base.Events {
		event, err := codec.Decode(data)
		if err != nil {
			return err
		}
		fold(event)
	}
	at := base.Version
	for page, err := range store.HistoryPages(ctx, e.store, of, at) {
		if err != nil {
			return err
		}
		for i := range page {
			event, err := codec.DecodeRecord(page[i])
			switch {
			case err != nil:
				return err
			case at == 0 && page[i].Version > 1 && event.Info().Cause != roomkit.CauseImported:
				return fmt.Errorf("%w: %s has changed during the export, and its first events are gone", roomkit.ErrUnsupported, of)
			}
			if u, unknown := event.(*roomkit.Unknown); unknown {
				return fmt.Errorf("%w: %s has changed during the export, and has an event %s", roomkit.ErrUnsupported, of, u.Name)
			}
			if at = page[i].Version; at > version {
				return nil
			}
			fold(event)
		}
		if at == version {
			return nil
		}
	}
	return nil
}

// ask loads rows and then reads what has changed meanwhile.
func (e *exporter) ask(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	facts, err := store.Ask(ctx, e.store, needs)
	if err == nil {
		err = e.follow(ctx)
	}
	return facts, err
}

func (e *exporter) write(line any) error {
	data, err := json.Marshal(line)
	if err == nil && len(data) > MaxLine {
		err = fmt.Errorf("%w: a line is longer than %d bytes", roomkit.ErrUnsupported, MaxLine)
	}
	if err != nil {
		return err
	}
	e.report.Lines++
	e.report.Bytes += int64(len(data)) + 1
	_, err = e.out.Write(append(data, '\n'))
	return err
}

func (e *exporter) tell() {
	if e.o.Progress != nil {
		e.o.Progress(e.report.Progress)
	}
}

func (e *exporter) companies(ctx context.Context, list []roomkit.Subject) error {
	var need store.Need
	for _, of := range list {
		need.Companies = append(need.Companies, roomkit.CompanyID(of.ID))
	}
	facts, err := e.ask(ctx, []store.Need{need})
	if err != nil {
		return err
	}
	rows := rowsBy(facts[0].Companies, companyOf)
	for _, of := range list {
		row := first(rows[roomkit.CompanyID(of.ID)])
		if before, changed := e.since[of]; changed {
			row = roomkit.Company{}
			if err := e.past(ctx, of, before, func(event roomkit.Event) { row = row.Apply(event) }); err != nil {
				return err
			}
		}
		if err := e.write(lineOfCompany(&row)); err != nil {
			return err
		}
		e.report.Stored.Companies++
	}
	return nil
}

func first[Row any](rows []Row) (row Row) {
	if len(rows) > 0 {
		row = rows[0]
	}
	return row
}

func (e *exporter) users(ctx context.Context, list []roomkit.Subject) error {
	var need store.Need
	for _, of := range list {
		need.People = append(need.People, roomkit.UserID(of.ID))
	}
	facts, err := e.ask(ctx, []store.Need{need})
	if err != nil {
		return err
	}
	rows := rowsBy(facts[0].Users, userOf)
	for _, of := range list {
		row := first(rows[roomkit.UserID(of.ID)])
		if before, changed := e.since[of]; changed {
			row = roomkit.User{}
			if err := e.past(ctx, of, before, func(event roomkit.Event) { row = row.Apply(event) }); err != nil {
				return err
			}
		}
		if err := e.write(lineOfUser(&row)); err != nil {
			return err
		}
		e.report.Stored.Users++
	}
	return nil
}

func (e *exporter) teams(ctx context.Context, list []roomkit.Subject) error {
	needs := make([]store.Need, len(list))
	for i, of := range list {
		needs[i].Team = roomkit.TeamKey(of.ID)
	}
	facts, err := e.ask(ctx, needs)
	if err != nil {
		return err
	}
	for i, of := range list {
		row := facts[i].Team
		if before, changed := e.since[of]; changed {
			row = roomkit.Team{}
			if err := e.past(ctx, of, before, func(event roomkit.Event) { row = row.Apply(event) }); err != nil {
				return err
			}
		}
		if err := e.write(lineOfTeam(&row)); err != nil {
			return err
		}
		e.report.Stored.Teams++
	}
	return nil
}

func (e *exporter) rooms(ctx context.Context, list []roomkit.Subject) error {
	for _, of := range list {
		room, people, err := e.room(ctx, of)
		if err != nil {
			return fmt.Errorf("%s: %w", of, err)
		}
		if err := e.write(lineOfRoom(&room)); err != nil {
			return err
		}
		e.report.Stored.Rooms++
		for i := range people {
			if err := e.write(lineOfMember(&people[i])); err != nil {
				return err
			}
			e.report.Stored.Members++
		}
	}
	return nil
}

// room gives a room and the rows of its people as they were.
func (e *exporter) room(ctx context.Context, of roomkit.Subject) (room roomkit.Room, people []roomkit.Member, err error) {
	facts, err := store.Ask(ctx, e.store, []store.Need{{Room: of.Room}})
	if err != nil {
		return room, nil, err
	}
	room = facts[0].Room
	q := store.MemberQuery{Room: of.Room, Which: store.MembersAll, Limit: roomkit.MaxPage}
	for page, err := range store.MemberPages(ctx, e.store, q) {
		if err != nil {
			return room, nil, err
		}
		if people = append(people, page...); len(people) > MaxRoomMembers {
			return room, nil, fmt.Errorf("%w: more than %d people", roomkit.ErrUnsupported, MaxRoomMembers)
		}
	}
	if err := e.follow(ctx); err != nil {
		return room, nil, err
	}
	before, changed := e.since[of]
	if !changed {
		return room, people, nil
	}
	return e.pastRoom(ctx, of, before)
}

func (e *exporter) pastRoom(ctx context.Context, of roomkit.Subject, version roomkit.Version) (room roomkit.Room, people []roomkit.Member, err error) {
	rows := map[roomkit.UserID]roomkit.Member{}
	err = e.past(ctx, of, version, func(event roomkit.Event) {
		room = room.Apply(event)
		fold.People(rows, event)
	})
	people = slices.SortedFunc(maps.Values(rows), func(a, b roomkit.Member) int { return cmp.Compare(a.User, b.User) })
	if err == nil && room.Version != version {
		err = errors.Join(roomkit.ErrInconsistent, errors.New("its history does not lead to the version that it had"))
	}
	return room, people, err
}
