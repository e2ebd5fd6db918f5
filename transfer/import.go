package transfer

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/store"
)

// Import reads a file in the form of docs/transfer.md and stores what is in it.
//
// What is stored has passed the checks that commands pass; the directory is added as by
// AddCompany, AddUser and SyncTeam, so that what exists is never changed. A room is stored
// with all of its members in one step or not at all. The file is stored part by part; each
// part is one command with an id that follows from ImportOptions.ID and its number. So an
// import may be killed anywhere, or run twice at a time: another run passes over the parts
// that are stored, and nothing is stored twice.
//
// Memory does not grow with the file but for a dry run. The store may be in use meanwhile.
//
// The error has the findings, joined, up to MaxFindings of them: errors.As finds a
// [*Finding]. Every other error is one of the store, of the reader or of the context; then
// the import goes on where it stopped when it is run again.
func Import(ctx context.Context, s store.Store, r io.Reader, o *ImportOptions) (Report, error) {
	if o == nil {
		o = new(ImportOptions)
	}
	m := &importer{store: s, o: o, rules: roomkit.NewRules(o.Policy), in: newReader(r)}
	m.report.DryRun = o.DryRun
	err := m.check()
	if err == nil {
		err = m.run(ctx)
	}
	m.tell()
	if err != nil && !errors.Is(err, errStop) {
		return m.report, &roomkit.Error{Op: "Import", Err: errors.Join(append([]error{err}, m.found...)...)}
	}
	if len(m.found) > 0 {
		return m.report, &roomkit.Error{Op: "Import", Err: errors.Join(m.found...)}
	}
	return m.report, nil
}

// The size of a part: it is closed before the first company, user, team or room that comes
// after so many lines or bytes. Parts have to be the same in every run.
const (
	partLines = 4000
	partBytes = 1 << 20
)

// The sections of a file.
const (
	sectionHeader = iota
	sectionCompanies
	sectionUsers
	sectionTeams
	sectionRooms
	sectionEnd
)

// errStop ends an import because of a finding.
var errStop = errors.New("stopped at a finding")

type importer struct {
	store  store.Store
	o      *ImportOptions
	rules  *roomkit.Rules
	in     *reader
	ids    ids
	clock  func() time.Time
	report Report
	found  []error

	section int
	number  uint64 // of the part
	seed    [32]byte
	part    part
	unread  int64   // lines of which not even the type is known
	lost    bool    // the member lines that come are of a room line that could not be read
	beyond  pending // what of the file is not in the store
}

// part is what is stored in one step.
type part struct {
	digest    hash.Hash
	lines     int
	bytes     int
	companies []entry[roomkit.Company]
	users     []entry[roomkit.User]
	teams     []entry[roomkit.Team]
	rooms     []*arriving
	findings  []*Finding // about lines that could not be taken
}

// entry is a row of the directory and its line.
type entry[Row any] struct {
	line int64
	row  Row
}

// arriving is a room of the file.
type arriving struct {
	decide.Arrival
	line    int64
	id      string                   // as the file says it
	at      map[roomkit.UserID]int64 // the lines of the members
	asGiven bool                     // the features are
	given   []memberDefaults
	wrong   bool
}

// memberDefaults says what of a member follows from the room.
type memberDefaults struct{ joined, readAll bool }

func (m *importer) check() error {
	m.clock = clockOr(m.o.Clock)
	switch id := m.o.ID; {
	case id == "" && !m.o.DryRun:
		return &roomkit.Invalid{Field: "ID", Reason: "missing"}
	case len(id) > roomkit.MaxKeyBytes:
		return &roomkit.Invalid{Field: "ID", Reason: fmt.Sprintf("longer than %d bytes", roomkit.MaxKeyBytes)}
	}
	m.beyond = newPending()
	return nil
}

// run reads the file to its end.
func (m *importer) run(ctx context.Context) error {
	for {
		raw, value, wrong, err := m.in.next()
		m.report.Lines, m.report.Bytes = m.in.line, m.in.bytes
		if errors.Is(err, io.EOF) {
			if m.section != sectionEnd {
				return m.fatal(m.in.finding(CauseTruncated, "the file ends before its end line"))
			}
			return nil
		}
		if err == nil {
			err = m.take(ctx, raw, value, wrong)
		}
		if err = cmp.Or(err, ctx.Err()); err != nil {
			return err
		}
		if m.section == sectionEnd {
			m.report.Done = true
		}
	}
}

// fatal notes a finding after which nothing more is read, and nothing of the part is stored.
func (m *importer) fatal(f *Finding) error {
	m.note(append(m.part.findings, f))
	return errStop
}

// note tells findings in the order of their lines.
func (m *importer) note(list []*Finding) {
	slices.SortStableFunc(list, func(a, b *Finding) int { return cmp.Compare(a.Line, b.Line) })
	for _, f := range list {
		m.tellFinding(f)
	}
}

func (m *importer) tellFinding(f *Finding) {
	if m.report.Findings++; len(m.found) < MaxFindings {
		m.found = append(m.found, f)
	}
	if m.o.Found != nil {
		m.o.Found(f)
	}
}

// take goes on with a line.
func (m *importer) take(ctx context.Context, raw []byte, value any, wrong *Finding) error {
	if m.section == sectionHeader {
		return m.header(raw, value, wrong)
	}
	if wrong != nil && wrong.Cause == CauseTruncated {
		return m.fatal(wrong)
	}
	section, member := sectionOf(value), false
	if _, member = value.(*memberLine); wrong == nil && section < m.section || m.section == sectionEnd {
		wrong = m.in.finding(CauseOrder, "a line of this type does not stand here")
	}
	if end, ok := value.(*endLine); ok && wrong == nil {
		if err := m.end(end); err != nil {
			return err
		}
	}
	if wrong == nil && !member && (section > m.section || m.part.lines >= partLines || m.part.bytes >= partBytes) {
		if err := m.flush(ctx); err != nil {
			return err
		}
	}
	m.part.lines++
	m.part.bytes += len(raw)
	m.part.digest.Write(raw)
	m.part.digest.Write([]byte("\n"))
	typ := typeOf(value, wrong)
	if n := m.report.Read.of(typ); n != nil {
		*n++
	} else if typ == "" {
		m.unread++
	}
	gathered := wrong == nil
	if gathered {
		m.section = section
		wrong = m.gather(value)
	}
	if wrong == nil {
		return nil
	}
	if n := m.report.LeftOut.of(typ); n != nil && (member || !gathered) {
		*n++ // no room has it
	}
	if m.o.StopAtFirst || m.section == sectionEnd {
		return m.fatal(wrong)
	}
	m.leaveOut(wrong)
	return nil
}

// leaveOut notes a line that cannot be taken; where it may be one of a room's members, the
// room is left out with it.
func (m *importer) leaveOut(wrong *Finding) {
	if m.section == sectionRooms && len(m.part.rooms) > 0 && wrong.Type != "room" && wrong.Cause != CauseOrder {
		m.part.rooms[len(m.part.rooms)-1].wrong, wrong.Whole = true, true
	}
	m.lost = m.lost || wrong.Type == "room"
	m.part.findings = append(m.part.findings, wrong)
}

// typeOf gives the type of a line, "" if it could not be read.
func typeOf(value any, wrong *Finding) string {
	switch value.(type) {
	case *companyLine:
		return "company"
	case *userLine:
		return "user"
	case *teamLine:
		return "team"
	case *roomLine:
		return "room"
	case *memberLine:
		return "member"
	case *endLine:
		return "end"
	}
	return wrong.Type
}

func sectionOf(value any) int {
	switch value.(type) {
	case *companyLine:
		return sectionCompanies
	case *userLine:
		return sectionUsers
	case *teamLine:
		return sectionTeams
	case *roomLine, *memberLine:
		return sectionRooms
	case *endLine:
		return sectionEnd
	}
	return sectionHeader
}

func (m *importer) header(raw []byte, value any, wrong *Finding) error {
	h, ok := value.(*headerLine)
	switch {
	case wrong != nil:
		return m.fatal(wrong)
	case !ok || h.Form != Form:
		return m.fatal(m.in.finding(CauseForm, "the first line is not the header of a "+Form))
	case h.Version != FormVersion:
		return m.fatal(m.in.finding(CauseForm, fmt.Sprintf("version %d of the form is not known", h.Version)))
	case h.Kept && (h.Namespace != "" || h.Escape):
		return m.fatal(m.in.finding(CauseForm, "ids that are kept are not mapped"))
	}
	m.ids, m.in.kept = ids{h.Namespace, h.Escape}, h.Kept
	m.seed = sha256.Sum256(raw)
	m.section = sectionCompanies
	m.begin()
	return nil
}

// begin begins the next part.
func (m *importer) begin() {
	m.number++
	m.part = part{digest: sha256.New()}
	m.part.digest.Write(m.seed[:])
}

// end compares the counts. A line of which not even the type could be read may be of any.
func (m *importer) end(l *endLine) error {
	left := m.unread
	for _, c := range []struct {
		typ, name string
		given     *int64
	}{{"company", "companies", l.Companies}, {"user", "users", l.Users}, {"team", "teams", l.Teams}, {"room", "rooms", l.Rooms}, {"member", "members", l.Members}} {
		if c.given == nil {
			continue
		}
		read := *m.report.Read.of(c.typ)
		if left -= *c.given - read; *c.given < read || left < 0 {
			f := m.in.finding(CauseCounts, fmt.Sprintf("the file has %d, not %d", read, *c.given))
			f.Type, f.Field = "end", c.name
			return m.fatal(f)
		}
	}
	return nil
}

// gather takes a line into the part.
func (m *importer) gather(value any) *Finding {
	line := m.in.line
	switch l := value.(type) {
	case *companyLine:
		m.part.companies = append(m.part.companies, entry[roomkit.Company]{line, l.row(&m.ids)})
	case *userLine:
		m.part.users = append(m.part.users, entry[roomkit.User]{line, l.row(&m.ids)})
	case *teamLine:
		m.part.teams = append(m.part.teams, entry[roomkit.Team]{line, l.row(&m.ids)})
	case *roomLine:
		m.lost = false
		return m.room(l)
	case *memberLine:
		return m.member(l)
	}
	return nil
}

func micro(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}

func (m *importer) room(l *roomLine) *Finding {
	a := &arriving{line: m.in.line, id: l.ID, asGiven: l.Features != nil}
	a.Kept = m.in.kept
	a.Room = roomkit.Room{
		Kind: l.Kind, State: l.State, Version: l.Version, Company: roomkit.CompanyID(m.ids.text(l.Company)), Team: roomkit.TeamID(m.ids.text(l.Team)),
		Creator: m.ids.user(l.Creator), Name: l.Name, Photo: l.Photo, Description: l.Description, Origin: l.Origin, Public: l.Public,
		HistorySharing: l.HistorySharing, Notify: l.Notify, FeaturesWithheld: l.FeaturesWithheld, MessageOffSince: micro(l.MessageOffSince),
		HadConsumers: l.HadConsumers, CreatedAt: micro(l.CreatedAt), EmptiedAt: l.EmptiedAt, EmptiedOn: micro(l.EmptiedOn),
	}
	if a.Room.State == roomkit.StateAbsent {
		a.Room.State = roomkit.StateActive
	}
	if l.Features != nil {
		a.Room.Features = *l.Features
	}
	parties := m.ids.users(l.Parties)
	slices.Sort(parties)
	m.part.rooms = append(m.part.rooms, a)
	wrong := m.in.finding(CauseForm, "")
	wrong.Type, wrong.ID, wrong.Whole = "room", l.ID, true
	if len(parties) > 2 {
		a.wrong, wrong.Field, wrong.Reason = true, "parties", "more than two"
		return wrong
	}
	copy(a.Room.Parties[:], parties)
	if derived(l.Kind) && (!m.in.kept || l.ID == "") {
		return nil // the id follows when the people are known
	}
	id, err := m.ids.room(l.ID)
	if err != nil {
		a.wrong, wrong.Field, wrong.Reason = true, "id", "not a UUID, and the header names no namespace"
		return wrong
	}
	a.Room.ID = id
	return nil
}

func derived(k roomkit.Kind) bool {
	return k == roomkit.KindSelf || k == roomkit.KindDirect || k == roomkit.KindTeam
}

func (m *importer) member(l *memberLine) *Finding {
	wrong := m.in.finding(CauseForm, "")
	wrong.Type, wrong.ID, wrong.User, wrong.Whole = "member", l.Room, roomkit.UserID(l.User), true
	if l.Room == "" && len(m.part.rooms) > 0 && !m.lost {
		m.part.rooms[len(m.part.rooms)-1].wrong = true
		wrong.Field, wrong.Reason = "room", "missing"
		return wrong
	}
	if len(m.part.rooms) == 0 || m.part.rooms[len(m.part.rooms)-1].id != l.Room {
		if m.lost {
			m.report.LeftOut.Members++
			return nil
		}
		wrong.Cause, wrong.Reason, wrong.Whole = CauseOrder, "not behind the line of its room", false
		return wrong
	}
	a := m.part.rooms[len(m.part.rooms)-1]
	row := roomkit.Member{
		User: m.ids.user(l.User), JoinedAt: micro(l.JoinedAt), Period: l.Period, Joined: l.Joined, JoinedVersion: l.JoinedVersion,
		Epoch: roomkit.Epoch(l.Epoch), MasterEpoch: roomkit.Epoch(l.MasterEpoch), Left: l.Left, LeftAt: micro(l.LeftAt),
		LeftVersion: l.LeftVersion, LeftBy: l.LeftBy,
	}
	if l.ReadAll != nil {
		row.ReadAll = *l.ReadAll
	}
	switch l.Role {
	case "", roleMember:
		row.Participant = true
	case roleMaster:
		row.Participant, row.Master = true, true
	case roleKeeper:
		row.Master = true
	case roleFormer:
		wrong.Field, wrong.Reason = "role", "former members are in kept files only"
	default:
		wrong.Field, wrong.Reason = "role", "neither member, master nor manager"
	}
	before, twice := a.at[row.User]
	switch {
	case twice:
		wrong.Cause, wrong.Reason = CauseDuplicate, fmt.Sprintf("line %d has this member", before)
	case !row.User.Valid():
		wrong.Field, wrong.Reason = "user", "missing, or not an id: it may have to be escaped"
	case wrong.Reason != "" && (l.Role != roleFormer || !a.Kept):
	case len(a.Members) >= MaxRoomMembers:
		wrong.Cause, wrong.Reason = CauseTooLong, fmt.Sprintf("more than %d members", MaxRoomMembers)
	default:
		if a.at == nil {
			a.at = map[roomkit.UserID]int64{}
		}
		a.at[row.User] = m.in.line
		a.Members = append(a.Members, row)
		a.given = append(a.given, memberDefaults{!l.JoinedAt.IsZero(), l.ReadAll != nil})
		return nil
	}
	a.wrong = true
	return wrong
}

// complete gives a room what follows from its people and what was not said.
func (m *importer) complete(a *arriving) {
	r := &a.Room
	if r.Parties[0] == "" && (r.Kind == roomkit.KindSelf && len(a.Members) == 1 || r.Kind == roomkit.KindDirect && len(a.Members) == 2) {
		for i := range a.Members {
			r.Parties[i] = a.Members[i].User
		}
		slices.Sort(r.Parties[:len(a.Members)])
	}
	switch {
	case a.Kept && !r.ID.IsZero():
		return // it is judged
	case r.Kind == roomkit.KindSelf:
		r.ID = roomkit.SelfRoom(r.Parties[0])
	case r.Kind == roomkit.KindDirect:
		r.ID = roomkit.DirectRoom(r.Parties[0], r.Parties[1])
	case r.Kind == roomkit.KindTeam:
		r.ID = roomkit.TeamRoom(r.Company, r.Team)
	}
	if a.Kept {
		return
	}
	if r.CreatedAt.IsZero() {
		r.CreatedAt = m.clock().UTC().Truncate(time.Microsecond)
	}
	for i := range a.Members {
		row, given := &a.Members[i], a.given[i]
		if !given.joined {
			row.JoinedAt = r.CreatedAt
		}
		if !given.readAll {
			row.ReadAll = !given.joined || r.HistorySharing
		}
	}
}

// tell reports the progress.
func (m *importer) tell() {
	if m.o.Progress != nil {
		m.o.Progress(m.report.Progress)
	}
}
