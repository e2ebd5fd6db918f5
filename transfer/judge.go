package transfer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/internal/names"
	"github.com/go-roomkit/roomkit/store"
)

// pending is what of the file is not in the store when something is judged: what stands in
// the same part before it, and in a dry run everything.
type pending struct {
	companies map[roomkit.CompanyID]entry[roomkit.Company]
	users     map[roomkit.UserID]entry[roomkit.User]
	teams     map[roomkit.TeamKey]entry[roomkit.Team]
	rooms     map[roomkit.RoomID]int64 // the lines
	names     map[name]roomkit.RoomID
	groups    map[roomkit.Subject]int64
}

type name struct {
	company roomkit.CompanyID
	key     string
}

func newPending() pending {
	return pending{
		companies: map[roomkit.CompanyID]entry[roomkit.Company]{}, users: map[roomkit.UserID]entry[roomkit.User]{},
		teams: map[roomkit.TeamKey]entry[roomkit.Team]{}, rooms: map[roomkit.RoomID]int64{}, names: map[name]roomkit.RoomID{},
		groups: map[roomkit.Subject]int64{},
	}
}

// judgement is one look at a part.
type judgement struct {
	*importer
	batch
	at                       time.Time
	findings                 []*Finding
	stored, already, leftOut Numbers
}

func (j *judgement) judge(ctx context.Context) error {
	switch {
	case len(j.part.companies) > 0:
		return j.judgeCompanies(ctx)
	case len(j.part.users) > 0:
		return j.judgeUsers(ctx)
	case len(j.part.teams) > 0:
		return j.judgeTeams(ctx)
	}
	return j.judgeRooms(ctx)
}

// one counts one line of the directory.
func (j *judgement) one(is *Finding, d *decide.Decision, of func(*Numbers) *int64) {
	switch {
	case is != nil:
		j.findings = append(j.findings, is)
		*of(&j.leftOut)++
	case len(d.Events) > 0:
		*of(&j.stored)++
	default:
		*of(&j.already)++
	}
}

// concerning says what is wrong with a line, if anything. A decision that is right is taken
// into the batch.
func (j *judgement) concerning(f Finding, before int64, d *decide.Decision, against []roomkit.Refusal, err error) *Finding {
	var invalid *roomkit.Invalid
	var denied *roomkit.Denied
	switch {
	case before > 0:
		f.Cause, f.Reason = CauseDuplicate, fmt.Sprintf("line %d has it already", before)
	case errors.As(err, &denied):
		f.Cause, f.Rule, f.Reason = CauseRule, denied.Rule, denied.Reason
	case errors.As(err, &invalid):
		f.Cause, f.Rule, f.Field, f.Reason = CauseForm, invalid.Rule, keyOf(invalid.Field), invalid.Reason
		if invalid.Reason == "not known" {
			f.Cause = CauseUnknown
		}
	case len(against) > 0:
		f.User = against[0].User
		f.Cause, f.Rule, f.Reason = CauseRule, against[0].Rule, against[0].Reason
	case d.Differs != nil:
		f.Cause, f.Reason = CauseExists, "the store has it already, and otherwise: it stays as it is"
	default:
		err := j.add(d)
		if err == nil {
			return nil
		}
		f.Cause, f.Reason = CauseForm, err.Error()
	}
	return &f
}

// keyOf gives the key of a line for a field of a command: "max_groups" for Company.MaxGroups.
func keyOf(field string) string {
	field = field[strings.LastIndexByte(field, '.')+1:]
	var key []byte
	for i, c := range []byte(field) {
		if c >= 'A' && c <= 'Z' {
			if i > 0 && field[i-1] >= 'a' {
				key = append(key, '_')
			}
			c += 'a' - 'A'
		}
		key = append(key, c)
	}
	return string(key)
}

func (j *judgement) judgeCompanies(ctx context.Context) error {
	var need store.Need
	for _, e := range j.part.companies {
		need.Companies = append(need.Companies, e.row.ID)
	}
	facts, err := store.Ask(ctx, j.store, []store.Need{need})
	if err != nil {
		return err
	}
	has := rowsBy(facts[0].Companies, func(c *roomkit.Company) roomkit.CompanyID { return c.ID })
	for _, e := range j.part.companies {
		before := j.beyond.companies[e.row.ID].line
		f := &decide.Facts{Facts: store.Facts{Companies: has[e.row.ID]}}
		d, against, err := decide.ArriveCompany(j.rules, f, e.row, j.in.kept, j.at)
		wrong := j.concerning(Finding{Line: e.line, Type: "company", ID: string(e.row.ID)}, before, &d, against, err)
		if wrong == nil && len(d.Rows.Companies) > 0 {
			j.beyond.companies[e.row.ID] = entry[roomkit.Company]{e.line, d.Rows.Companies[0]}
		}
		j.one(wrong, &d, func(n *Numbers) *int64 { return &n.Companies })
	}
	return nil
}

// rowsBy gives each row as the list of itself.
func rowsBy[ID comparable, Row any](rows []Row, id func(*Row) ID) map[ID][]Row {
	by := make(map[ID][]Row, len(rows))
	for i := range rows {
		by[id(&rows[i])] = rows[i : i+1]
	}
	return by
}

func userOf(u *roomkit.User) roomkit.UserID          { return u.ID }
func companyOf(c *roomkit.Company) roomkit.CompanyID { return c.ID }

// companiesOf gives companies of the store, and of what is not in it.
func (j *judgement) companyRows(has map[roomkit.CompanyID][]roomkit.Company, id roomkit.CompanyID) []roomkit.Company {
	if rows := has[id]; len(rows) > 0 || id == "" {
		return rows
	}
	if e, known := j.beyond.companies[id]; known {
		return []roomkit.Company{e.row}
	}
	return nil
}

func (j *judgement) judgeUsers(ctx context.Context) error {
	var need store.Need
	asked := map[roomkit.CompanyID]struct{}{}
	for _, e := range j.part.users {
		need.People = append(need.People, e.row.ID)
		if _, known := asked[e.row.Company]; !known && e.row.Company != "" {
			asked[e.row.Company] = struct{}{}
			need.Companies = append(need.Companies, e.row.Company)
		}
	}
	facts, err := store.Ask(ctx, j.store, []store.Need{need})
	if err != nil {
		return err
	}
	users, companies := rowsBy(facts[0].Users, userOf), rowsBy(facts[0].Companies, companyOf)
	for _, e := range j.part.users {
		before := j.beyond.users[e.row.ID].line
		f := &decide.Facts{Facts: store.Facts{Users: users[e.row.ID], Companies: j.companyRows(companies, e.row.Company)}}
		d, against, err := decide.ArriveUser(j.rules, f, e.row, j.in.kept, j.at)
		wrong := j.concerning(Finding{Line: e.line, Type: "user", ID: string(e.row.ID)}, before, &d, against, err)
		if wrong == nil && len(d.Rows.Users) > 0 {
			j.beyond.users[e.row.ID] = entry[roomkit.User]{e.line, d.Rows.Users[0]}
		}
		j.one(wrong, &d, func(n *Numbers) *int64 { return &n.Users })
	}
	return nil
}

func (j *judgement) judgeTeams(ctx context.Context) error {
	needs := make([]store.Need, len(j.part.teams))
	for i := range j.part.teams {
		needs[i] = decide.NeedTeamArrival(&j.part.teams[i].row)
	}
	facts, err := store.Ask(ctx, j.store, needs)
	if err != nil {
		return err
	}
	for i, e := range j.part.teams {
		key := roomkit.KeyOfTeam(e.row.Company, e.row.ID)
		f := j.facts(&facts[i], needs[i])
		d, against, err := decide.ArriveTeam(j.rules, f, e.row, j.in.kept, j.at)
		wrong := j.concerning(Finding{Line: e.line, Type: "team", ID: string(e.row.ID)}, j.beyond.teams[key].line, &d, against, err)
		if wrong == nil && len(d.Rows.Teams) > 0 {
			j.beyond.teams[key] = entry[roomkit.Team]{e.line, d.Rows.Teams[0]}
		}
		j.one(wrong, &d, func(n *Numbers) *int64 { return &n.Teams })
	}
	return nil
}

// facts adds to what the store has what is not in it yet.
func (j *judgement) facts(f *store.Facts, need store.Need) *decide.Facts {
	p := &j.beyond
	if len(p.users)+len(p.companies)+len(p.teams) > 0 {
		users, companies := rowsBy(f.Users, userOf), rowsBy(f.Companies, companyOf)
		for _, id := range need.People {
			if e, known := p.users[id]; known && len(users[id]) == 0 {
				f.Users = append(f.Users, e.row)
			}
		}
		asked := need.Companies
		for i := range f.Users {
			asked = append(asked, f.Users[i].Company)
		}
		for _, id := range asked {
			if e, known := p.companies[id]; known && len(companies[id]) == 0 {
				f.Companies = append(f.Companies, e.row)
				companies[id] = []roomkit.Company{e.row}
			}
		}
		if e, known := p.teams[need.Team]; known && f.Team.Version == 0 {
			f.Team = e.row
		}
	}
	for i := range f.Users {
		f.Users[i].Groups += p.groups[roomkit.UserSubject(f.Users[i].ID)]
	}
	for i := range f.Companies {
		f.Companies[i].Groups += p.groups[roomkit.CompanySubject(f.Companies[i].ID)]
	}
	if holder, taken := p.names[name{need.Company, need.Name}]; taken && f.NameHolder.IsZero() {
		f.NameHolder = holder
	}
	return &decide.Facts{Facts: *f, Need: need}
}

func (j *judgement) judgeRooms(ctx context.Context) error {
	var needs []store.Need
	var rooms []*arriving
	for _, a := range j.part.rooms {
		if a.wrong {
			j.leftOut.Rooms++
			j.leftOut.Members += int64(len(a.Members))
			continue
		}
		rooms, needs = append(rooms, a), append(needs, decide.NeedArrival(&a.Arrival))
	}
	if len(rooms) == 0 {
		return nil
	}
	facts, err := store.Ask(ctx, j.store, needs)
	if err != nil {
		return err
	}
	for i, a := range rooms {
		if err := j.judgeRoom(ctx, a, j.facts(&facts[i], needs[i])); err != nil {
			return err
		}
	}
	return nil
}

func (j *judgement) judgeRoom(ctx context.Context, a *arriving, f *decide.Facts) error {
	found := Finding{Line: a.line, Type: "room", ID: a.id, Whole: true}
	before := j.beyond.rooms[a.Room.ID]
	if f.Room.Version > 0 {
		cause, err := j.whoseRoom(ctx, a.Room.ID)
		if err != nil {
			return err
		}
		found.Cause, found.Reason = cause, "the room is in the store already"
		if cause == CauseDuplicate {
			found.Reason = "a line of this file before it has brought the room"
		}
		j.leave(a, &found)
		return nil
	}
	if !a.asGiven && !a.Kept {
		a.Room.Features = j.rules.Offered(a.Room.Kind, consumersOf(a, f))
	}
	d, against, err := decide.Arrive(j.rules, f, &a.Arrival, j.at)
	if before == 0 && len(against) > 0 {
		j.peopleOf(a, against)
		if err == nil {
			j.leave(a, nil)
			return nil
		}
	}
	if wrong := j.concerning(found, before, &d, nil, err); wrong != nil {
		j.leave(a, wrong)
		return nil
	}
	j.keep(a, &d)
	return nil
}

func consumersOf(a *arriving, f *decide.Facts) (n int64) {
	for i := range a.Members {
		if who := f.Person(a.Members[i].User); who.User != nil && who.Kind == roomkit.UserConsumer {
			n++
		}
	}
	return n
}

// keep notes a room that is in the batch.
func (j *judgement) keep(a *arriving, d *decide.Decision) {
	j.stored.Rooms++
	j.stored.Members += int64(len(a.Members))
	p, r := &j.beyond, &a.Room
	p.rooms[r.ID] = a.line
	if r.Kind == roomkit.KindGroup && r.State == roomkit.StateActive {
		p.names[name{r.Company, names.Key(r.Name)}] = r.ID
	}
	for _, t := range d.Rows.Tallies {
		of := roomkit.UserSubject(t.User)
		if t.User == "" {
			of = roomkit.CompanySubject(t.Company)
		}
		p.groups[of] += t.Now - t.Was
	}
}

func (j *judgement) leave(a *arriving, wrong *Finding) {
	j.leftOut.Rooms++
	j.leftOut.Members += int64(len(a.Members))
	if wrong != nil {
		j.findings = append(j.findings, wrong)
	}
}

// peopleOf tells what stands against people, each at the line of the member.
func (j *judgement) peopleOf(a *arriving, against []roomkit.Refusal) {
	for _, r := range against {
		f := Finding{Line: a.at[r.User], Cause: CauseRule, Rule: r.Rule, Type: "member", ID: a.id, User: r.User, Reason: r.Reason, Whole: true}
		if f.Line == 0 { // a party who is no member
			f.Line, f.Type = a.line, "room"
		}
		if r.Rule == "" {
			f.Cause = CauseUnknown
		}
		j.findings = append(j.findings, &f)
	}
}

// whoseRoom tells whether a room was stored by this import or is another one.
func (j *judgement) whoseRoom(ctx context.Context, id roomkit.RoomID) (Cause, error) {
	first, err := j.store.History(ctx, roomkit.RoomSubject(id), 0, 1)
	if errors.Is(err, roomkit.ErrPruned) {
		return CauseExists, nil // who has stored it is forgotten
	}
	if err != nil {
		return "", err
	}
	if command := j.command(); j.o.ID != "" && len(first) > 0 && [11]byte(first[0].Command[:11]) == [11]byte(command[:11]) {
		return CauseDuplicate, nil
	}
	return CauseExists, nil
}
