package storetest

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/retention"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/verify"
	"github.com/go-roomkit/roomkit/transfer"
)

// Retention proves of a store that is a [store.Eraser] and a [store.Pruner] that package
// retention keeps its word on it: of an erased person no trace is left, everything else is
// as before, an erasure that is broken off at any step can be finished, and nobody who
// works on older rows brings the id back. open gives an empty store. It is for the tests of
// stores, beside [Run].
func Retention(t *testing.T, open func(testing.TB) store.Store) {
	t.Run("erase leaves no trace", func(t *testing.T) { eraseLeavesNoTrace(t, open(t)) })
	t.Run("erase broken off at every step", func(t *testing.T) { eraseBrokenOff(t, open) })
	t.Run("erase meets older rows", func(t *testing.T) { eraseMeetsOlderRows(t, open(t)) })
	t.Run("erase who was imported", func(t *testing.T) { eraseImported(t, open(t)) })
	t.Run("erase refuses", func(t *testing.T) { eraseRefuses(t, open(t)) })
	t.Run("prune forgets what followers have left", func(t *testing.T) { pruneForgets(t, open(t)) })
	pruning(t, open)
}

const erasedAs roomkit.UserID = "zz-erased" // in another order than ann among all others

// lived is a store in which ann has been everything and is deleted.
func lived(t testing.TB, st store.Store) (svc *service.Service, group roomkit.RoomID) {
	svc = proof.ServiceOn(t, st, &service.Options{Policy: roomkit.Policy{AnyoneIsContact: true}})
	group = proof.External(t, svc, "ann", "ben", "dan")
	proof.Do(t, svc, roomkit.By("ann"), roomkit.Remove{Room: group, People: []roomkit.UserID{"dan"}})
	proof.Do(t, svc, roomkit.By("ann"), roomkit.AppointMasters{Room: group, People: []roomkit.UserID{"ben"}})
	ended := proof.External(t, svc, "ann", "ben")
	proof.Do(t, svc, roomkit.By("ann"), roomkit.DeleteRoom{Room: ended})
	proof.General(t, svc, "ann", "ben", "cat")
	proof.Do(t, svc, roomkit.By("ben"), roomkit.OpenDirect{With: "ann"})
	proof.Do(t, svc, roomkit.By("ann"), roomkit.OpenSelf{})
	proof.Do(t, svc, roomkit.System(), proof.Team("sales", "ann", "ann", "ben", "cat"))
	proof.Do(t, svc, roomkit.System(), proof.Granted("sales"))
	proof.Do(t, svc, roomkit.By("ann"), roomkit.OpenTeamRoom{Team: "sales"}, service.Call{Key: "team"})
	proof.Do(t, svc, roomkit.System(), roomkit.DeleteUser{User: "ann"}, service.Call{Key: "gone"})
	require.NoError(t, svc.Enforce(t.Context(), &service.EnforceOptions{Once: true}))
	return svc, group
}

// tester is a test or a rapid one.
type tester interface {
	proof.T
	Context() context.Context
}

// subjects gives all that a store has heard of.
func subjects(t tester, st store.Store) (all []roomkit.Subject) {
	seen := map[roomkit.Subject]bool{}
	add := func(of roomkit.Subject) {
		if !seen[of] {
			seen[of] = true
			all = append(all, of)
		}
	}
	for page, err := range store.BasePages(t.Context(), st) {
		require.NoError(t, err)
		for i := range page {
			add(page[i].Subject)
		}
	}
	for page, err := range store.FeedPages(t.Context(), st, begin(t, st)) {
		require.NoError(t, err)
		for i := range page {
			add(page[i].Subject)
		}
	}
	return all
}

// begin gives the place where the feed begins.
func begin(t tester, st store.Store) roomkit.Cursor {
	at, err := store.FeedBegin(t.Context(), st)
	require.NoError(t, err)
	return at
}

// accesses gives what people may do in every room that the store knows.
func accesses(t tester, st store.Store, svc *service.Service, users ...roomkit.UserID) map[string]roomkit.Access {
	all := map[string]roomkit.Access{}
	for _, of := range subjects(t, st) {
		if of.Type != roomkit.SubjectRoom {
			continue
		}
		for _, u := range users {
			list, err := svc.Access(t.Context(), u, of.Room)
			require.NoError(t, err)
			list[0].Version = 0 // an event that changes nothing may have moved it
			all[string(u)+" "+of.Room.String()] = list[0]
		}
	}
	return all
}

// traceless demands that an id occurs nowhere in the feed, in what is left of pruned events,
// and in rows.
func traceless(t tester, st store.Store, id roomkit.UserID) {
	t.Helper()
	quoted := []byte(`"` + string(id) + `"`)
	for page, err := range store.FeedPages(t.Context(), st, begin(t, st)) {
		require.NoError(t, err)
		for i := range page {
			require.False(t, bytes.Contains(page[i].Data, quoted), "%s/%d names %s: %s", page[i].Subject, page[i].Version, id, page[i].Data)
		}
	}
	for _, of := range subjects(t, st) {
		require.NotEqual(t, string(id), of.ID)
		base, err := store.BaseOf(t.Context(), st, of)
		require.NoError(t, err)
		for _, data := range base.Events {
			require.False(t, bytes.Contains(data, quoted), "the base of %s names %s: %s", of, id, data)
		}
		if of.Type == roomkit.SubjectRoom {
			facts, err := store.Ask(t.Context(), st, []store.Need{{Room: of.Room}})
			require.NoError(t, err)
			require.NotContains(t, []roomkit.UserID{facts[0].Room.Creator, facts[0].Room.Parties[0], facts[0].Room.Parties[1]}, id)
			people, err := st.Members(t.Context(), store.MemberQuery{Room: of.Room, Which: store.MembersAll})
			require.NoError(t, err)
			for _, m := range people {
				require.NotEqual(t, id, m.User)
				require.NotEqual(t, id, m.LeftBy.User())
			}
		}
	}
	facts, err := store.Ask(t.Context(), st, []store.Need{{People: []roomkit.UserID{id}}})
	require.NoError(t, err)
	require.Empty(t, facts[0].Users)
}

func eraseLeavesNoTrace(t testing.TB, st store.Store) {
	svc, group := lived(t, st)
	var last roomkit.Cursor // behind the last event of ann's own
	for rec, err := range svc.Feed(t.Context(), "") {
		require.NoError(t, err)
		if rec.Subject == roomkit.UserSubject("ann") {
			last = rec.Cursor
		}
	}
	before := accesses(t, st, svc, "ben", "cat", "dan", "eve")
	would, err := retention.Erase(t.Context(), st, "ann", retention.EraseOptions{Pseudonym: erasedAs, DryRun: true})
	require.NoError(t, err)
	did, err := retention.Erase(t.Context(), st, "ann", retention.EraseOptions{Pseudonym: erasedAs})
	require.NoError(t, err)
	require.Equal(t, would.Subjects, did.Subjects, "a dry run counts what will be")
	require.Equal(t, would.Events, did.Events, "a dry run counts what will be")
	traceless(t, st, "ann")
	require.NoError(t, verify.Run(t.Context(), st, nil))
	require.Equal(t, before, accesses(t, st, svc, "ben", "cat", "dan", "eve"))
	_, err = st.Feed(t.Context(), last, 1)
	require.NoError(t, err, "a cursor behind an event that was written anew")
	require.NoError(t, svc.Enforce(t.Context(), &service.EnforceOptions{Once: true}), "followers go on")

	proof.Do(t, svc, roomkit.System(), roomkit.DeleteUser{User: erasedAs})
	proof.Do(t, svc, roomkit.By("ben"), roomkit.DeleteRoom{Room: group})
	again, err := retention.Erase(t.Context(), st, "ann", retention.EraseOptions{Pseudonym: erasedAs})
	require.NoError(t, err)
	require.Zero(t, again.Events)
	require.NoError(t, verify.Run(t.Context(), st, nil))
}

// brittle is a store that breaks at a step, before or after it is carried out.
type brittle struct {
	store.Store
	eraser store.Eraser
	left   int
	late   bool
}

var errBroken = errors.New("broken off")

func (b *brittle) step(do func() error) error {
	if b.left--; b.left == 0 && !b.late {
		return errBroken
	}
	if err := do(); err != nil {
		return err
	}
	if b.left == 0 {
		return errBroken
	}
	return nil
}

func (b *brittle) Rename(ctx context.Context, r store.Renaming) (done store.Renamed, err error) {
	err = b.step(func() (err error) { done, err = b.eraser.Rename(ctx, r); return err })
	return done, err
}

func (b *brittle) Commit(ctx context.Context, c []store.Change) (results []store.CommitResult, err error) {
	err = b.step(func() (err error) { results, err = b.Store.Commit(ctx, c); return err })
	return results, err
}

// withoutDirect leaves out the rooms in which the other one cannot write until an erasure
// is done.
func withoutDirect(all map[string]roomkit.Access) map[string]roomkit.Access {
	maps.DeleteFunc(all, func(_ string, a roomkit.Access) bool { return a.Kind == roomkit.KindDirect })
	return all
}

func eraseBrokenOff(t *testing.T, open func(testing.TB) store.Store) {
	steps := 0
	for _, late := range []bool{false, true} {
		st := open(t)
		svc, _ := lived(t, st)
		before := withoutDirect(accesses(t, st, svc, "ben", "cat", "dan"))
		eraser, ok := store.Capability[store.Eraser](st)
		require.True(t, ok)
		for n := 1; ; n++ {
			_, err := retention.Erase(t.Context(), &brittle{st, eraser, n, late}, "ann", retention.EraseOptions{Pseudonym: erasedAs})
			require.NoError(t, verify.Run(t.Context(), st, nil), "broken off at step %d", n)
			require.Equal(t, before, withoutDirect(accesses(t, st, svc, "ben", "cat", "dan")), "broken off at step %d", n)
			if err == nil {
				break
			}
			require.ErrorIs(t, err, errBroken)
			steps++
		}
		_, err := retention.Erase(t.Context(), st, "ann", retention.EraseOptions{Pseudonym: erasedAs})
		require.NoError(t, err)
		traceless(t, st, "ann")
	}
	require.Greater(t, steps, 20, "an erasure has steps to break off at")
}

// eraseMeetsOlderRows commits a room's row as it was before the erasure.
func eraseMeetsOlderRows(t testing.TB, st store.Store) {
	_, group := lived(t, st)
	facts, err := store.Ask(t.Context(), st, []store.Need{{Room: group}})
	require.NoError(t, err)
	old := facts[0].Room
	require.Equal(t, roomkit.UserID("ann"), old.Creator)
	late := &lateWriter{Store: st}
	svc, err := service.New(late, nil)
	require.NoError(t, err)
	name := "decided before"
	_, err = svc.Do(t.Context(), roomkit.By("ben"), roomkit.Edit{Room: group, Name: &name})
	require.NoError(t, err)
	require.True(t, late.done)
	traceless(t, st, "ann")
	require.NoError(t, verify.Run(t.Context(), st, nil))
}

// lateWriter erases between the load and the commit of a command.
type lateWriter struct {
	store.Store
	done bool
}

func (l *lateWriter) Commit(ctx context.Context, c []store.Change) ([]store.CommitResult, error) {
	if !l.done {
		l.done = true
		if _, err := retention.Erase(ctx, l.Store, "ann", retention.EraseOptions{Pseudonym: erasedAs}); err != nil {
			return nil, err
		}
	}
	return l.Store.Commit(ctx, c)
}

// eraseImported: rooms of another store come with versions and rows of their own, and are rid
// of the id like others.
func eraseImported(t testing.TB, st store.Store) {
	old := memstore.New()
	_, group := lived(t, old)
	var file bytes.Buffer
	_, err := transfer.Export(t.Context(), old, &file, nil)
	require.NoError(t, err)
	_, err = transfer.Import(t.Context(), st, &file, &transfer.ImportOptions{ID: "move"})
	require.NoError(t, err)
	svc, err := service.New(st, &service.Options{Policy: roomkit.Policy{AnyoneIsContact: true}})
	require.NoError(t, err)
	name := "another"
	proof.Do(t, svc, roomkit.By("ben"), roomkit.Edit{Room: group, Name: &name})
	before := accesses(t, st, svc, "ben", "cat", "dan", "eve")
	report, err := retention.Erase(t.Context(), st, "ann", retention.EraseOptions{Pseudonym: erasedAs})
	require.NoError(t, err)
	require.Positive(t, report.Events)
	traceless(t, st, "ann")
	require.NoError(t, verify.Run(t.Context(), st, nil))
	require.Equal(t, before, accesses(t, st, svc, "ben", "cat", "dan", "eve"))
	pruneAll(t, st, retention.PruneOptions{Ignore: []string{"roomkit.enforce"}})
	traceless(t, st, "ann")
	require.NoError(t, verify.Run(t.Context(), st, nil))
}

// moved demands that a store that was pruned can be moved into another one.
func moved(t testing.TB, st store.Store, before map[string]roomkit.Access) {
	var file bytes.Buffer
	_, err := transfer.Export(t.Context(), st, &file, nil)
	require.NoError(t, err)
	to := memstore.New()
	_, err = transfer.Import(t.Context(), to, &file, &transfer.ImportOptions{ID: "move again"})
	require.NoError(t, err)
	require.NoError(t, verify.Run(t.Context(), to, nil))
	svc, err := service.New(to, &service.Options{Policy: roomkit.Policy{AnyoneIsContact: true}})
	require.NoError(t, err)
	require.Equal(t, before, accesses(t, to, svc, "ben", "cat", "dan", "eve"))
}

func eraseRefuses(t testing.TB, st store.Store) {
	svc := proof.ServiceOn(t, st, nil)
	erase := func(user, as roomkit.UserID) error {
		_, err := retention.Erase(t.Context(), st, user, retention.EraseOptions{Pseudonym: as})
		return err
	}
	group := proof.General(t, svc, "ben", "ann", "cat")
	require.ErrorIs(t, erase("ann", erasedAs), retention.ErrNotDeleted)
	eraser, _ := store.Capability[store.Eraser](st)
	for _, of := range []roomkit.Subject{roomkit.RoomSubject(group), roomkit.UserSubject("ann")} {
		_, err := eraser.Rename(t.Context(), store.Renaming{Subject: of, From: "ann", To: erasedAs, Event: func(store.Record) ([]byte, error) { return nil, nil }})
		require.ErrorIs(t, err, roomkit.ErrConflict, "%s", of)
	}
	proof.Do(t, svc, roomkit.System(), roomkit.DeleteUser{User: "ann"})
	require.ErrorIs(t, erase("ann", erasedAs), retention.ErrNotDeleted, "still in %v", group)
	require.NoError(t, svc.Enforce(t.Context(), &service.EnforceOptions{Once: true}))
	require.ErrorIs(t, erase("nobody", erasedAs), roomkit.ErrNotFound)
	require.ErrorIs(t, erase("ann", "ben"), roomkit.ErrConflict)
	require.ErrorIs(t, erase("ann", "ann"), roomkit.ErrInvalid)
	require.ErrorIs(t, erase("ann", ""), roomkit.ErrInvalid)
	require.ErrorIs(t, erase("ann", "two words"), roomkit.ErrInvalid)
	stopped, stop := context.WithCancel(t.Context())
	stop()
	_, err := retention.Erase(stopped, st, "ann", retention.EraseOptions{Pseudonym: erasedAs})
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, erase("ann", erasedAs))
	require.ErrorIs(t, erase("ann", "somebody-else"), roomkit.ErrNotFound)
}

func pruneForgets(t testing.TB, st store.Store) {
	svc, group := lived(t, st)
	name := "kept"
	edit := roomkit.Edit{Room: group, Name: &name}
	first := proof.Do(t, svc, roomkit.By("ben"), edit, service.Call{Key: "k"})
	require.False(t, proof.Do(t, svc, roomkit.By("ben"), edit, service.Call{Key: "nothing"}).Changed)
	require.NoError(t, svc.Follow(t.Context(), "f", func(context.Context, service.Recorded) error { return nil }, &service.FollowOptions{Once: true, Batch: 3}))
	prune := func(before time.Time, dry bool) int64 {
		r, err := retention.Prune(t.Context(), st, retention.PruneOptions{Before: before, Step: 2, DryRun: dry})
		require.NoError(t, err)
		require.True(t, r.Done)
		return r.Commands
	}
	far := time.Now().Add(time.Hour) //nolint:forbidigo // ids of commands are of the machine's clock
	require.Zero(t, prune(far.Add(-48*time.Hour), false), "what is younger stays")
	would := prune(far, true)
	require.Greater(t, would, int64(5), "a follower has moved its checkpoint so often")
	require.Equal(t, would, prune(far, false))
	require.Zero(t, prune(far, false), "nothing is left to forget")
	require.NoError(t, verify.Run(t.Context(), st, nil))
	require.Equal(t, first.Version, proof.Do(t, svc, roomkit.By("ben"), edit, service.Call{Key: "k"}).Version, "keys hold")
	pruner, _ := store.Capability[store.Pruner](st)
	var end roomkit.CommandID // behind ids of all forms
	for i := range end {
		end[i] = 0xff
	}
	_, n, err := pruner.PruneCommands(t.Context(), roomkit.CommandID{}, end, 100, false)
	require.NoError(t, err)
	require.Zero(t, n, "ids of other forms stay")
	other := "another"
	_, err = svc.Do(t.Context(), roomkit.By("ben"), roomkit.Edit{Room: group, Name: &other}, service.Call{Key: "nothing"})
	require.ErrorIs(t, err, roomkit.ErrCommandReused, "the key of a command that had nothing to do is remembered")
	require.NoError(t, svc.Follow(t.Context(), "f", func(context.Context, service.Recorded) error {
		return errors.New("nothing is handled twice")
	}, &service.FollowOptions{Once: true}))
	_, err = retention.Prune(t.Context(), st, retention.PruneOptions{})
	require.ErrorIs(t, err, roomkit.ErrInvalid)
}
