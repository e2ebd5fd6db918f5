package storetest

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/storetest/internal/beside"
)

// patience bounds every rule, so that a store that hangs fails.
const patience = time.Minute

// kit is what a rule works with: a store with a small directory in it, and
// helpers that fail the test.
type kit struct {
	testing.TB
	rule  Rule
	ctx   context.Context
	store store.Store
	open  func(testing.TB) store.Store
	o     *Options
	seen  *sightings
	drawn *atomic.Uint64

	users     map[roomkit.UserID]*roomkit.User
	companies map[roomkit.CompanyID]*roomkit.Company
	teams     map[roomkit.TeamID]*roomkit.Team
}

func newKit(tb testing.TB, open func(testing.TB) store.Store, o *Options) *kit {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	tb.Cleanup(cancel)
	k := &kit{TB: tb, ctx: ctx, o: o, open: open, seen: newSightings(), drawn: new(atomic.Uint64)}
	k.store = open(tb)
	k.settle()
	return k
}

// Errorf begins with the sentence that does not hold and how to see it again, and cuts
// what follows.
func (k *kit) Errorf(format string, args ...any) {
	k.Helper()
	const most, width = 40, 200
	lines := strings.Split(strings.TrimSpace(fmt.Sprintf(format, args...)), "\n")
	each(lines, func(l *string) { *l = strings.ToValidUTF8((*l)[:min(len(*l), width)], "?") })
	test, _, _ := strings.Cut(k.Name(), "/")
	k.TB.Errorf("go test -run '^%s/%s$' shows again that this does not hold: %s\n%s",
		test, k.rule.Name, k.rule.Sentence, strings.Join(lines[:min(len(lines), most)], "\n"))
}

// command draws a command id. It is the only method besides change that may be
// called from several goroutines.
func (k *kit) command() (id roomkit.CommandID) {
	id[0], id[6], id[8] = 0xc0, 0x70, 0x80
	binary.BigEndian.PutUint32(id[12:], uint32(k.drawn.Add(1)))
	return id
}

// commit hands changes to the store and demands a result for each.
func (k *kit) commit(changes ...store.Change) []store.CommitResult {
	k.Helper()
	k.seen.add(changes...)
	results, err := k.store.Commit(k.ctx, beside.Clones(changes))
	require.NoError(k, err, "Commit")
	require.Len(k, results, len(changes), "results of Commit")
	return results
}

// must commits one change that has to be stored, and gives its outcome.
func (k *kit) must(c store.Change) store.Outcome {
	k.Helper()
	r := k.commit(c)[0]
	k.stored(c, r)
	return r.Outcome
}

// stored demands that a result says that c was stored just now.
func (k *kit) stored(c store.Change, r store.CommitResult) {
	k.Helper()
	require.NoError(k, r.Err, "a change that had to be stored")
	require.False(k, r.Repeat, "a change that was new is called a repeat")
	require.Equal(k, len(c.Records) > 0, r.Outcome.Cursor != "", "an outcome has a cursor if there were events")
	got := cleanOutcome(r.Outcome)
	got.Cursor = ""
	require.Equal(k, cleanOutcome(c.Outcome), got, "outcome")
}

// refuse commits one change that has to end with want, and demands that nothing
// is different afterwards.
func (k *kit) refuse(want error, c store.Change) {
	k.Helper()
	k.seen.add(c)
	before := k.picture()
	r := k.commit(c)[0]
	k.refused(want, r)
	require.Equal(k, before, k.picture(), "a refused change has left something")
}

// refused demands that a result is of one class only.
func (k *kit) refused(want error, r store.CommitResult) {
	k.Helper()
	require.ErrorIs(k, r.Err, want)
	require.Equal(k, []error{want}, beside.Classes(r.Err), "an error is of one class")
	require.False(k, r.Repeat, "a refused change is no repeat")
}

// load asks one need; what Load gives is put into one form.
func (k *kit) load(n store.Need) store.Facts {
	k.Helper()
	return k.loads(n)[0]
}

func (k *kit) loads(needs ...store.Need) []store.Facts {
	k.Helper()
	facts, err := k.store.Load(k.ctx, needs)
	require.NoError(k, err, "Load")
	require.Len(k, facts, len(needs), "facts of Load")
	each(facts, func(f *store.Facts) { *f = beside.Plain(*f) })
	return facts
}

// crowd stores many users of acme, a few hundred in one change.
func (k *kit) crowd(n int) []roomkit.UserID {
	k.Helper()
	return k.crowdOf(acme, n)
}

func (k *kit) crowdOf(company roomkit.CompanyID, n int) []roomkit.UserID {
	k.Helper()
	people := make([]roomkit.UserID, n)
	var parts []part
	for i := range people {
		people[i] = crowdID(i)
		parts = append(parts, k.newUser(people[i], company, roomkit.UserMember))
		if len(parts) == roomkit.MaxPeople || i == n-1 {
			k.must(k.change(parts...))
			parts = nil
		}
	}
	return people
}

func crowdID(i int) roomkit.UserID { return roomkit.UserID(fmt.Sprintf("u%05d", i)) }

func withoutCursors(records []store.Record) []store.Record {
	records = cleanRecords(records)
	each(records, func(r *store.Record) { r.Cursor = "" })
	return records
}

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

// begun lets what a part writes begin behind the versions that it expects.
func begun(p part) part {
	return func(c *store.Change) {
		known := len(c.Expect)
		p(c)
		each(c.Expect[known:], func(e *store.Expect) {
			c.Begins = append(c.Begins, *e)
			e.Version = 0
		})
	}
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

// The directory that every rule starts with.
const (
	acme, beta = roomkit.CompanyID("acme"), roomkit.CompanyID("beta")

	ann, bob, cho, dan = roomkit.UserID("ann"), roomkit.UserID("bob"), roomkit.UserID("cho"), roomkit.UserID("dan") // of acme
	eve, fay           = roomkit.UserID("eve"), roomkit.UserID("fay")                                               // of beta
	lin                = roomkit.UserID("lin")                                                                      // from LINE
	bot                = roomkit.UserID("bot")                                                                      // of acme

	core    = roomkit.TeamID("core") // of acme, led by ann
	coreKey = roomkit.TeamKey("acme core")
)

// settle stores the directory.
func (k *kit) settle() {
	k.Helper()
	k.users = map[roomkit.UserID]*roomkit.User{}
	k.companies = map[roomkit.CompanyID]*roomkit.Company{}
	k.teams = map[roomkit.TeamID]*roomkit.Team{}
	parts := []part{k.newCompany(acme), k.newCompany(beta)}
	for _, u := range []roomkit.UserID{ann, bob, cho, dan} {
		parts = append(parts, k.newUser(u, acme, roomkit.UserMember))
	}
	parts = append(parts,
		k.newUser(eve, beta, roomkit.UserMember), k.newUser(fay, beta, roomkit.UserMember),
		k.newUser(lin, "", roomkit.UserConsumer), k.newUser(bot, acme, roomkit.UserBot),
		k.newTeam(core, acme, ann, ann, bob))
	k.must(k.change(parts...)) // open has to give an empty store that shares nothing with others
}

func (k *kit) newCompany(id roomkit.CompanyID) part {
	c := &roomkit.Company{
		ID: id, Licensed: true, MembersCreateGroups: true, Partners: roomkit.ExternalAll, Consumers: roomkit.ExternalSelected,
		MaxGroups: 1000, RecallWindow: 90 * time.Minute,
	}
	k.companies[id] = c
	return k.putCompany(id, nil)
}

func (k *kit) newUser(id roomkit.UserID, company roomkit.CompanyID, kind roomkit.UserKind) part {
	k.users[id] = &roomkit.User{
		ID: id, Company: company, Kind: kind, Status: roomkit.StatusActive,
		Partners: true, Consumers: company == acme, Administrator: id == ann,
	}
	return k.putUser(id, nil)
}

func (k *kit) newTeam(id roomkit.TeamID, company roomkit.CompanyID, leader roomkit.UserID, members ...roomkit.UserID) part {
	k.teams[id] = &roomkit.Team{
		ID: id, Company: company, Name: "Team " + string(id), Leader: leader, Members: members,
		Room: true, Features: true, Preset: roomkit.Features(roomkit.FeatureNote, roomkit.FeatureTask), SyncedSeq: 7,
	}
	return k.putTeam(id, nil)
}

// put writes a row with its next version, which edit may change before.
func put[R any](row *R, version *roomkit.Version, edit func(*R), write func(row R, was roomkit.Version) part) part {
	return func(c *store.Change) {
		if edit != nil {
			edit(row)
		}
		write(*row, *version)(c)
		*version++
	}
}

func (k *kit) putCompany(id roomkit.CompanyID, edit func(*roomkit.Company)) part {
	return put(k.companies[id], &k.companies[id].Version, edit, writeCompany)
}

func (k *kit) putUser(id roomkit.UserID, edit func(*roomkit.User)) part {
	return put(k.users[id], &k.users[id].Version, edit, writeUser)
}

func (k *kit) putTeam(id roomkit.TeamID, edit func(*roomkit.Team)) part {
	return put(k.teams[id], &k.teams[id].Version, edit, writeTeam)
}

// writeCompany writes a row that relies on version was, whatever is stored.
func writeCompany(row roomkit.Company, was roomkit.Version) part {
	return func(c *store.Change) {
		record(c, roomkit.CompanySubject(row.ID), was)
		row.Version = was + 1
		c.Companies = append(c.Companies, row)
	}
}

func writeUser(row roomkit.User, was roomkit.Version) part {
	return func(c *store.Change) {
		record(c, roomkit.UserSubject(row.ID), was)
		row.Version = was + 1
		c.Users = append(c.Users, row)
	}
}

func writeTeam(row roomkit.Team, was roomkit.Version) part {
	return func(c *store.Change) {
		record(c, roomkit.TeamSubject(row.Company, row.ID), was)
		row.Version = was + 1
		c.Teams = append(c.Teams, row)
	}
}

// fill gives every field of the row a value that differs from field to field
// and from round to round, but for the fields named; round 0 gives zeros. Fields
// that come to the type later are filled as well.
func fill(row any, round int, except ...string) {
	v := reflect.ValueOf(row).Elem()
	for i := range v.NumField() {
		if !slices.Contains(except, v.Type().Field(i).Name) {
			fillValue(v.Field(i), round, round*100+i)
		}
	}
}

func fillValue(v reflect.Value, round, seed int) {
	if round == 0 {
		v.SetZero()
		return
	}
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(at(roomkit.Version(seed))))
		return
	case roomkit.Actor:
		v.Set(reflect.ValueOf([]roomkit.Actor{roomkit.By(bob), roomkit.System(), roomkit.By(eve)}[round%3]))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fillValue(v.Field(i), round, seed*10+i)
		}
	case reflect.String:
		v.SetString(string(rune('a'+seed%26)) + "-" + v.Type().Name())
	case reflect.Bool:
		v.SetBool((seed+round)%3 != 0)
	case reflect.Int64:
		v.SetInt(int64(1_000_000*seed + 7))
	case reflect.Uint8: // an enum or a set: each has two values at least
		v.SetUint(uint64(1 + round%2))
	case reflect.Array:
		for i := range v.Len() {
			v.Index(i).SetUint(uint64(seed+i) % 256)
		}
	}
}
