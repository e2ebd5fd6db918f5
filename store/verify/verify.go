// Package verify compares what a store holds with the fold of its events. It
// belongs behind a restored backup, into the tests of a store of one's own, and
// wherever somebody may have written into the tables by hand.
package verify

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/codec"
	"github.com/go-roomkit/roomkit/store"
)

// Inconsistency is a place where a store's rows, events and counts contradict
// each other. errors.Is(err, ErrInconsistent) holds.
type Inconsistency struct {
	Subject roomkit.Subject // zero: of none, for instance a checkpoint
	What    string          // for instance "row", "feed", "members", "groups"
	Detail  string
}

// Error describes the contradiction.
func (i *Inconsistency) Error() string {
	if i.Subject == (roomkit.Subject{}) {
		return i.What + ": " + i.Detail
	}
	return fmt.Sprintf("%s: %s: %s", i.Subject, i.What, i.Detail)
}

// Unwrap makes an Inconsistency an [roomkit.ErrInconsistent].
func (i *Inconsistency) Unwrap() error { return roomkit.ErrInconsistent }

// Progress says how far [Run] has come.
type Progress struct {
	Records         int64 // read from the feed
	Rooms           int64 // checked
	People          int64 // rows of people in rooms, ended ones included, checked
	Inconsistencies int64 // found
}

// maxInconsistencies ends a verification that would only go on complaining.
const maxInconsistencies = 100

// Run reads the whole feed of a store, folds the events of every room, user,
// company and team, from what is kept of those that were pruned on, and compares the result with the stored rows, counts,
// digests, lists and tallies. Of a store that is a [store.Auditor] it also finds rows
// that no event is about, and checkpoints that lead nowhere. It returns nil, an error of the store, or the
// [*Inconsistency] errors it found, joined, at most 100.
//
// progress may be nil; it is called after every page of the feed and at the end.
// Run writes nothing. It can run beside writers: a room that changes while it
// is compared is compared again, a store that is pruned meanwhile is verified from the beginning, and what only a quiet store can promise (tallies
// and lists of users and teams) is left out if the feed has grown meanwhile. It reads every event
// about twice, makes three calls for each subject one after another, and has memory in proportion to the number of subjects.
func Run(ctx context.Context, s store.Store, progress func(Progress)) error {
	for range tries {
		v := &verifier{
			store: s, seen: map[roomkit.Subject]roomkit.Version{}, rows: map[roomkit.Subject]roomkit.Version{},
			takes: map[roomkit.UserID]int64{}, groups: map[roomkit.UserID]int64{}, owns: map[roomkit.CompanyID]int64{},
			teams: map[roomkit.CompanyID]int64{},
		}
		err := v.run(ctx, progress)
		if progress != nil {
			progress(v.Progress)
		}
		switch {
		case errors.Is(err, roomkit.ErrPruned):
			continue
		case err != nil && !errors.Is(err, errEnough):
			return &roomkit.Error{Op: "Verify", Err: err}
		}
		return errors.Join(v.found...)
	}
	return &roomkit.Error{Op: "Verify", Err: fmt.Errorf("%w: the store does not stop being pruned", roomkit.ErrConflict)}
}

// tries bounds how often is looked again at what others change.
const tries = 10

func (v *verifier) run(ctx context.Context, progress func(Progress)) error {
	err := v.feed(ctx, progress)
	if err == nil {
		err = v.complete(ctx)
	}
	if err == nil {
		err = v.tallies(ctx)
	}
	if err == nil {
		err = v.strays(ctx)
	}
	return err
}

// strays complains of what no event is about, so that nothing above has met it.
func (v *verifier) strays(ctx context.Context) error {
	auditor, ok := store.Capability[store.Auditor](v.store)
	if !ok {
		return nil
	}
	strays, err := auditor.Strays(ctx, maxInconsistencies)
	if err != nil {
		return err
	}
	for _, s := range strays {
		if err := v.complain(s.Subject, s.What, "%s", s.Detail); err != nil {
			return err
		}
	}
	marks, err := auditor.Checkpoints(ctx)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(marks)) {
		// Who is at work stands in further lines.
		cursor, _, _ := strings.Cut(string(marks[name]), "\n")
		_, err := v.store.Feed(ctx, roomkit.Cursor(cursor), 1)
		switch {
		case errors.Is(err, roomkit.ErrPruned):
			err = nil // the host has chosen to leave that follower behind
		case errors.Is(err, roomkit.ErrInvalid):
			err = v.complain(roomkit.Subject{}, "checkpoint", "that of %q is no place in the feed: %v", name, err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// imported reports whether a record begins a subject that was somewhere else before.
func imported(rec *store.Record) bool {
	e, err := codec.DecodeRecord(*rec)
	return err == nil && e.Info().Cause == roomkit.CauseImported
}

var errEnough = errors.New("too many inconsistencies")

type verifier struct {
	Progress
	store store.Store
	seen  map[roomkit.Subject]roomkit.Version // the newest version in the feed
	rows  map[roomkit.Subject]roomkit.Version // the version with which the row was compared
	end   roomkit.Cursor
	grown bool // rows have changed since they were compared
	found []error

	// What the folded rooms say, to be compared with lists and tallies.
	takes  map[roomkit.UserID]int64 // rooms in which the user takes part or manages
	groups map[roomkit.UserID]int64
	owns   map[roomkit.CompanyID]int64 // active groups
	teams  map[roomkit.CompanyID]int64
}

func (v *verifier) complain(of roomkit.Subject, what, format string, args ...any) error {
	v.found = append(v.found, &Inconsistency{of, what, fmt.Sprintf(format, args...)})
	v.Inconsistencies++
	if len(v.found) >= maxInconsistencies {
		return errEnough
	}
	return nil
}

// feed checks that every subject's records come in order without gaps, and
// checks every subject as soon as it is met.
func (v *verifier) feed(ctx context.Context, progress func(Progress)) error {
	begin, err := v.bases(ctx)
	if err != nil {
		return err
	}
	v.end = begin
	for page, err := range store.FeedPages(ctx, v.store, begin) {
		if err != nil {
			return err
		}
		met, err := v.meet(page)
		if err == nil {
			err = v.subjects(ctx, met, false)
		}
		if err != nil {
			return err
		}
		v.end = page[len(page)-1].Cursor
		if progress != nil {
			progress(v.Progress)
		}
	}
	return nil
}

// meet checks the order of the records of a page and gives the subjects that are new there.
func (v *verifier) meet(page []store.Record) (met []roomkit.Subject, err error) {
	for i := range page {
		rec := &page[i]
		v.Records++
		before, known := v.seen[rec.Subject]
		v.seen[rec.Subject] = rec.Version
		if rec.Version != before+1 && (before != 0 || !imported(rec)) {
			if err := v.complain(rec.Subject, "feed", "version %d follows %d", rec.Version, before); err != nil {
				return nil, err
			}
		}
		if !known {
			met = append(met, rec.Subject)
		}
	}
	return met, nil
}

// bases checks all subjects of which records are pruned, and gives the place where the feed
// begins.
func (v *verifier) bases(ctx context.Context) (begin roomkit.Cursor, err error) {
	if begin, err = store.FeedBegin(ctx, v.store); err != nil {
		return begin, err
	}
	for page, err := range store.BasePages(ctx, v.store) {
		if err != nil {
			return begin, err
		}
		if begin == "" && len(v.seen) == 0 {
			if err := v.complain(page[0].Subject, "feed", "begins at the beginning, although there is a base"); err != nil {
				return begin, err
			}
		}
		var based []roomkit.Subject
		for i := range page {
			v.seen[page[i].Subject] = page[i].Version
			based = append(based, page[i].Subject)
		}
		if err := v.subjects(ctx, based, true); err != nil {
			return begin, err
		}
	}
	return begin, nil
}

// complete checks that the feed, which was read to its end after the rows, has
// all that the rows have, and that the rows have by now what the feed has.
func (v *verifier) complete(ctx context.Context) error {
	for of, version := range v.rows {
		seen := v.seen[of]
		var err error
		switch {
		case seen < version:
			err = v.complain(of, "feed", "ends at version %d, the row has %d", seen, version)
		case seen > version:
			err = v.follow(ctx, of)
		}
		if err != nil {
			return err
		}
	}
	for user := range v.takes {
		if of := roomkit.UserSubject(user); v.seen[of] == 0 {
			if err := v.complain(of, "feed", "has no record of this user"); err != nil {
				return err
			}
		}
	}
	return nil
}

// follow looks whether the row of a subject has meanwhile got what the feed has.
func (v *verifier) follow(ctx context.Context, of roomkit.Subject) error {
	facts, err := v.load(ctx, of)
	if err != nil {
		return err
	}
	v.grown = true
	if has, _ := rowIn(&facts[0], of); has < v.seen[of] {
		return v.complain(of, "row", "is of version %d, the feed has %d", has, v.seen[of])
	}
	return nil
}

// behind looks whether the row of a subject is older than its base, or was only read before
// that.
func (v *verifier) behind(ctx context.Context, of roomkit.Subject, base roomkit.Version) error {
	facts, err := v.load(ctx, of)
	if err != nil {
		return err
	}
	if has, _ := rowIn(&facts[0], of); has < base {
		return v.complain(of, "row", "is of version %d, the base of what was pruned has %d", has, base)
	}
	return &roomkit.Pruned{Subject: of, Version: base}
}

// together is of how many subjects the rows are loaded at once.
const together = 100

// subjects checks some that are met for the first time. Those of which nothing was pruned have
// no base that has to be asked for; if that changes meanwhile, their history says so.
func (v *verifier) subjects(ctx context.Context, all []roomkit.Subject, based bool) error {
	for some := range slices.Chunk(all, together) {
		facts, err := v.load(ctx, some...)
		if err != nil {
			return err
		}
		for i, of := range some {
			h := history{of: of, based: based}
			if of.Type == roomkit.SubjectRoom {
				v.Rooms++
				err = v.room(ctx, h, &facts[i].Room)
			} else {
				err = v.compareDirectory(ctx, h, &facts[i])
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// needOf asks for the row of a subject.
func needOf(of roomkit.Subject) (need store.Need) {
	switch of.Type {
	case roomkit.SubjectRoom:
		need.Room = of.Room
	case roomkit.SubjectUser:
		need.People = []roomkit.UserID{roomkit.UserID(of.ID)}
	case roomkit.SubjectCompany:
		need.Companies = []roomkit.CompanyID{roomkit.CompanyID(of.ID)}
	default:
		need.Team = roomkit.TeamKey(of.ID)
	}
	return need
}

// rowIn gives the row of a subject, without what no event says, and its version.
func rowIn(f *store.Facts, of roomkit.Subject) (version roomkit.Version, row any) {
	switch of.Type {
	case roomkit.SubjectRoom:
		return f.Room.Version, f.Room
	case roomkit.SubjectUser:
		u := userIn(f, roomkit.UserID(of.ID))
		u.Groups = 0
		return u.Version, u
	case roomkit.SubjectCompany:
		c := companyIn(f, roomkit.CompanyID(of.ID))
		c.Groups = 0
		return c.Version, c
	default:
		return f.Team.Version, f.Team
	}
}

// load gives the facts about each subject.
func (v *verifier) load(ctx context.Context, of ...roomkit.Subject) ([]store.Facts, error) {
	needs := make([]store.Need, len(of))
	for i := range of {
		needs[i] = needOf(of[i])
	}
	return store.Ask(ctx, v.store, needs)
}

// history is what a subject's row is compared with.
type history struct {
	of    roomkit.Subject
	based bool // its first records are pruned, and summed up in a base
}

// events gives the decoded events of a subject up to a version to fold. It
// reports whether all of them are known to this version of the library.
func (v *verifier) events(ctx context.Context, h history, upTo roomkit.Version, fold func(roomkit.Event)) (known bool, err error) {
	of, base := h.of, store.Base{}
	if h.based {
		if base, err = store.BaseOf(ctx, v.store, of); err != nil {
			return false, err
		}
	}
	if base.Version > upTo {
		return false, v.behind(ctx, of, base.Version)
	}
	for i, data := range base.Events {
		e, err := codec.Decode(data)
		if err != nil || e.Info().Subject != of || e.Info().Version != base.Version {
			return false, v.complain(of, "base", "event %d of it is not one of version %d: %v", i, base.Version, err)
		}
		fold(e)
	}
	known = true
	at := base.Version
	for page, err := range store.HistoryPages(ctx, v.store, of, at) {
		if err != nil {
			return false, err
		}
		for i := range page {
			if at == upTo {
				return known, nil
			}
			if at == 0 && page[i].Version > 1 && imported(&page[i]) {
				at = page[i].Version - 1
			}
			e, complaint := checkRecord(of, &page[i], at+1)
			if complaint != "" {
				return false, v.complain(of, "history", "%s", complaint)
			}
			if _, unknown := e.(*roomkit.Unknown); unknown {
				known = false
			}
			fold(e)
			at++
		}
		if at == upTo {
			return known, nil
		}
	}
	if at < upTo {
		return false, v.complain(of, "history", "ends at version %d, the row has %d", at, upTo)
	}
	return known, nil
}

// checkRecord compares the envelope of a record with the event in it.
func checkRecord(of roomkit.Subject, rec *store.Record, want roomkit.Version) (roomkit.Event, string) {
	if rec.Subject != of || rec.Version != want {
		return nil, fmt.Sprintf("%s/%d stands where version %d should", rec.Subject, rec.Version, want)
	}
	e, err := codec.DecodeRecord(*rec)
	if err != nil {
		return nil, err.Error()
	}
	info := e.Info()
	if info.Subject != of || info.Version != rec.Version || !info.At.Equal(rec.At) || info.Command != rec.Command || e.Type() != rec.Type {
		return nil, fmt.Sprintf("the event of version %d is not that of its record", want)
	}
	return e, ""
}

// foldedRoom is a room and its people as the events have made them.
type foldedRoom struct {
	room   roomkit.Room
	people map[roomkit.UserID]roomkit.Member
	wrong  string // what cannot have happened so
}

func (r *foldedRoom) fold(e roomkit.Event) {
	info := e.Info()
	if r.room.Version == 0 && info.Cause == roomkit.CauseImported {
		r.room = r.room.Apply(e)
		return
	}
	_, follows := e.(*roomkit.MembersImported) // also into a room that has ended before
	if _, opens := e.(*roomkit.RoomCreated); !follows && opens == (r.room.State == roomkit.StateActive) {
		r.wrong = fmt.Sprintf("version %d: %s in a room that is %s", info.Version, e.Type(), r.room.State)
	}
	if back := r.room.ChangedAt.Sub(info.At); back > 0 && back <= roomkit.MinClockDrift { // beyond, a clock has been wrong
		r.wrong = fmt.Sprintf("version %d: its time lies before that of the version before", info.Version)
	}
	r.room = r.room.Apply(e)
	switch e := e.(type) {
	case *roomkit.MembersImported:
		for i := range e.Rows {
			r.people[e.Rows[i].User] = e.Rows[i]
		}
	case *roomkit.MemberJoined:
		r.each(e, e.People)
	case *roomkit.MemberLeft:
		r.each(e, e.People)
	case *roomkit.MasterAppointed:
		r.each(e, e.People)
	case *roomkit.MasterDismissed:
		r.each(e, e.People)
	case *roomkit.RoomConverted:
		r.each(e, e.People)
	case *roomkit.RoomEnded:
		for id, row := range r.people {
			r.people[id] = row.Apply(e)
		}
	default: // does not concern people
	}
}

func (r *foldedRoom) each(e roomkit.Event, people []roomkit.Person) {
	for i := range people {
		row := r.people[people[i].User]
		row.User = people[i].User
		r.people[row.User] = row.Apply(e)
	}
}

// room folds a room and compares it with its row and the people, which are read later: again
// if they differ because the room has changed meanwhile.
func (v *verifier) room(ctx context.Context, h history, row *roomkit.Room) error {
	for range tries {
		v.rows[h.of] = row.Version
		folded := foldedRoom{people: map[roomkit.UserID]roomkit.Member{}}
		known, err := v.events(ctx, h, row.Version, folded.fold)
		if err != nil || !known { // a newer version of the library has written here
			return err
		}
		people, err := v.members(ctx, h.of.Room)
		if err != nil {
			return err
		}
		found := folded.compare(row, people)
		if found == nil {
			v.count(row, people)
			return nil
		}
		after, err := v.load(ctx, h.of)
		if err != nil {
			return err
		}
		if after[0].Room.Version == row.Version {
			v.count(row, people)
			return v.complain(h.of, found.What, "%s", found.Detail)
		}
		row = &after[0].Room
	}
	return fmt.Errorf("%w: %s does not stop changing", roomkit.ErrConflict, h.of)
}

func (v *verifier) members(ctx context.Context, room roomkit.RoomID) ([]roomkit.Member, error) {
	var all []roomkit.Member
	q := store.MemberQuery{Room: room, Which: store.MembersAll, Limit: roomkit.MaxPage}
	for page, err := range store.MemberPages(ctx, v.store, q) {
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
	}
	return all, nil
}

// compare gives the first difference to what is stored.
func (r *foldedRoom) compare(stored *roomkit.Room, people []roomkit.Member) *Inconsistency {
	differ := func(what, format string, args ...any) *Inconsistency {
		return &Inconsistency{What: what, Detail: fmt.Sprintf(format, args...)}
	}
	if r.wrong != "" {
		return differ("history", "%s", r.wrong)
	}
	if *stored != r.room {
		return differ("row", "stored %+v, events say %+v", *stored, r.room)
	}
	var counts roomkit.Counts
	var digest roomkit.SetDigest
	for i := range people {
		m := &people[i]
		if want, ok := r.people[m.User]; !ok || want != *m {
			return differ("members", "stored %+v, events say %+v", *m, want)
		}
		delete(r.people, m.User)
		if m.Participant {
			digest = digest.With(m.User)
		}
		add(&counts, stored, m)
	}
	for id := range r.people {
		return differ("members", "the row of %q is missing", id)
	}
	if counts != stored.Counts || digest != stored.Digest {
		return differ("counts", "the rows give %+v, the room has %+v", counts, stored.Counts)
	}
	return nil
}

// add counts somebody among the people of a room.
func add(c *roomkit.Counts, room *roomkit.Room, m *roomkit.Member) {
	if m.Master {
		c.Masters++
	}
	if !m.Participant {
		return
	}
	c.Participants++
	switch {
	case m.Kind == roomkit.UserBot:
		c.Bots++
	case m.Kind == roomkit.UserConsumer:
		c.Consumers++
	case m.Company != room.Company:
		c.Partners++
	}
}

// count notes what lists and tallies have to say about the people of a room and its owner.
func (v *verifier) count(room *roomkit.Room, people []roomkit.Member) {
	v.People += int64(len(people))
	for i := range people {
		m := &people[i]
		if m.Participant || m.Master {
			v.takes[m.User]++
		}
		if m.Participant && room.Kind.IsGroup() {
			v.groups[m.User]++
		}
	}
	if room.State == roomkit.StateActive && room.Kind.IsGroup() {
		v.owns[room.Company]++
	}
}

// compareDirectory compares a user, a company or a team with the fold of its
// events.
func (v *verifier) compareDirectory(ctx context.Context, h history, f *store.Facts) error {
	of := h.of
	var user roomkit.User
	var company roomkit.Company
	var team roomkit.Team
	version, stored := rowIn(f, of)
	v.rows[of] = version
	known, err := v.events(ctx, h, version, func(e roomkit.Event) {
		user, company, team = user.Apply(e), company.Apply(e), team.Apply(e)
	})
	if err != nil || !known {
		return err
	}
	folded := map[roomkit.SubjectType]any{roomkit.SubjectUser: user, roomkit.SubjectCompany: company, roomkit.SubjectTeam: team}[of.Type]
	if of.Type == roomkit.SubjectTeam {
		v.teams[team.Company]++
	}
	if !reflect.DeepEqual(folded, stored) {
		return v.complain(of, "row", "stored %+v, events say %+v", stored, folded)
	}
	return nil
}

// tallies compares what can only be compared while nobody writes: in how many
// rooms a user is, in how many groups, and how many groups a company owns.
func (v *verifier) tallies(ctx context.Context) error {
	counted := make([]roomkit.Subject, 0, len(v.seen))
	for of := range v.seen {
		if of.Type == roomkit.SubjectUser || of.Type == roomkit.SubjectCompany {
			counted = append(counted, of)
		}
	}
	for some := range slices.Chunk(counted, together) {
		facts, err := v.load(ctx, some...)
		if err != nil {
			return err
		}
		for i, of := range some {
			if of.Type == roomkit.SubjectCompany {
				err = v.company(ctx, of, companyIn(&facts[i], roomkit.CompanyID(of.ID)))
			} else {
				err = v.user(ctx, of, userIn(&facts[i], roomkit.UserID(of.ID)))
			}
			if err != nil {
				return err
			}
		}
	}
	return v.listed(ctx, "") // users from LINE
}

func (v *verifier) company(ctx context.Context, of roomkit.Subject, c roomkit.Company) error {
	id := roomkit.CompanyID(of.ID)
	err := v.compareCount(ctx, of, "groups", c.Groups, v.owns[id])
	if err == nil {
		err = v.listed(ctx, id)
	}
	if err == nil {
		err = v.teamsOf(ctx, of, id)
	}
	return err
}

func userIn(f *store.Facts, id roomkit.UserID) (u roomkit.User) {
	if i := slices.IndexFunc(f.Users, func(u roomkit.User) bool { return u.ID == id }); i >= 0 {
		u = f.Users[i]
	}
	return u
}

func companyIn(f *store.Facts, id roomkit.CompanyID) (c roomkit.Company) {
	if i := slices.IndexFunc(f.Companies, func(c roomkit.Company) bool { return c.ID == id }); i >= 0 {
		c = f.Companies[i]
	}
	return c
}

// listed checks that the feed knows the users of a company.
func (v *verifier) listed(ctx context.Context, company roomkit.CompanyID) error {
	q := store.UserQuery{Company: company, Limit: roomkit.MaxPage}
	for page, err := range store.UserPages(ctx, v.store, q) {
		if err != nil {
			return err
		}
		for i := range page {
			of := roomkit.UserSubject(page[i].ID)
			if err := v.compareCount(ctx, of, "feed", 1, int64(min(1, v.seen[of]))); err != nil {
				return err
			}
		}
	}
	return nil
}

// teamsOf checks that the list of a company's teams has all of them.
func (v *verifier) teamsOf(ctx context.Context, of roomkit.Subject, company roomkit.CompanyID) error {
	listed := int64(0)
	for page, err := range store.TeamPages(ctx, v.store, store.TeamQuery{Company: company}) {
		if err != nil {
			return err
		}
		for i := range page {
			team := roomkit.TeamSubject(page[i].Company, page[i].ID)
			if err := v.compareCount(ctx, team, "feed", 1, int64(min(1, v.seen[team]))); err != nil {
				return err
			}
		}
		listed += int64(len(page))
	}
	return v.compareCount(ctx, of, "teams listed", listed, v.teams[company])
}

func (v *verifier) user(ctx context.Context, of roomkit.Subject, u roomkit.User) error {
	if err := v.compareCount(ctx, of, "groups", u.Groups, v.groups[roomkit.UserID(of.ID)]); err != nil {
		return err
	}
	listed := int64(0)
	q := store.RoomQuery{User: roomkit.UserID(of.ID), Limit: roomkit.MaxPage}
	for page, err := range store.RoomPages(ctx, v.store, q) {
		if err != nil {
			return err
		}
		listed += int64(len(page))
	}
	return v.compareCount(ctx, of, "rooms listed", listed, v.takes[roomkit.UserID(of.ID)])
}

// compareCount complains unless somebody has written since the feed was read.
func (v *verifier) compareCount(ctx context.Context, of roomkit.Subject, what string, stored, folded int64) error {
	if stored == folded || v.grown {
		return nil
	}
	newer, err := v.store.Feed(ctx, v.end, 1)
	if err != nil || len(newer) > 0 {
		return err
	}
	return v.complain(of, what, "stored %d, the events give %d", stored, folded)
}
