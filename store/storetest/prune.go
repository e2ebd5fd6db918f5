package storetest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/retention"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/verify"
)

// pruning proves of a store that what it forgets of the feed is told to everybody who asks
// for it, and that everything else is as before.
func pruning(t *testing.T, open func(testing.TB) store.Store) {
	t.Run("prune forgets events", func(t *testing.T) { pruneEvents(t, open(t)) })
	t.Run("prune tells who comes late", func(t *testing.T) { pruneTells(t, open(t)) })
	t.Run("prune broken off at every step", func(t *testing.T) { pruneBrokenOff(t, open) })
	t.Run("prune refuses", func(t *testing.T) { pruneRefuses(t, open(t)) })
	t.Run("prune before erase", func(t *testing.T) { pruneBeforeErase(t, open(t)) })
	t.Run("prune beside erase and commands", func(t *testing.T) { pruneBeside(t, open(t)) })
}

// future is behind all that has happened.
func future() time.Time { return time.Now().Add(time.Hour) } //nolint:forbidigo // ids of commands are of the machine's clock

func pruneAll(t tester, st store.Store, o retention.PruneOptions) retention.PruneReport {
	t.Helper()
	o.EventsBefore = future()
	report, err := retention.Prune(t.Context(), st, o)
	require.NoError(t, err)
	require.True(t, report.Done)
	return report
}

// rows gives all rows of all subjects.
func rows(t tester, st store.Store) map[roomkit.Subject]any {
	all := map[roomkit.Subject]any{}
	for _, of := range subjects(t, st) {
		facts, err := store.Ask(t.Context(), st, []store.Need{{
			Room: of.Room, People: []roomkit.UserID{roomkit.UserID(of.ID)}, Companies: []roomkit.CompanyID{roomkit.CompanyID(of.ID)},
			Team: roomkit.TeamKey(of.ID),
		}})
		require.NoError(t, err)
		people, err := st.Members(t.Context(), store.MemberQuery{Room: of.Room, Which: store.MembersAll})
		require.NoError(t, err)
		all[of] = []any{facts[0].Room, facts[0].Users, facts[0].Companies, facts[0].Team, people}
	}
	return all
}

func handled(context.Context, service.Recorded) error { return nil }

func pruneEvents(t testing.TB, st store.Store) {
	svc, group := lived(t, st)
	name := "kept"
	edit := roomkit.Edit{Room: group, Name: &name}
	proof.Do(t, svc, roomkit.By("ben"), edit, service.Call{Key: "k"})
	newest := "the newest"
	proof.Do(t, svc, roomkit.By("ben"), roomkit.Edit{Room: group, Name: &newest})
	require.NoError(t, svc.Enforce(t.Context(), &service.EnforceOptions{Once: true}))
	stop := errors.New("enough")
	n := 0
	err := svc.Follow(t.Context(), "half", func(context.Context, service.Recorded) error {
		if n++; n > 9 {
			return stop
		}
		return nil
	}, &service.FollowOptions{Once: true, Batch: 3, Attempts: 1})
	require.ErrorIs(t, err, stop)
	before, may := rows(t, st), accesses(t, st, svc, "ann", "ben", "cat", "dan", "eve")
	same := func(when string) {
		t.Helper()
		require.NoError(t, verify.Run(t.Context(), st, nil), when)
		require.Equal(t, before, rows(t, st), when)
		require.Equal(t, may, accesses(t, st, svc, "ann", "ben", "cat", "dan", "eve"), when)
	}
	require.Empty(t, pruneAll(t, st, retention.PruneOptions{Ignore: []string{"half"}, DryRun: true}).HeldBy)
	held := pruneAll(t, st, retention.PruneOptions{Step: 2})
	require.Equal(t, "half", held.HeldBy)
	require.Positive(t, held.Events)
	require.LessOrEqual(t, held.Events, int64(9), "what a follower has not handled stays")
	require.Equal(t, begin(t, st), held.Begin)
	same("held")
	require.Zero(t, pruneAll(t, st, retention.PruneOptions{}).Events, "nothing more to forget")
	require.NoError(t, svc.Follow(t.Context(), "half", handled, &service.FollowOptions{Once: true}), "who has held it back goes on")

	young, err := retention.Prune(t.Context(), st, retention.PruneOptions{EventsBefore: future().Add(-48 * time.Hour)})
	require.NoError(t, err)
	require.Zero(t, young.Events, "what is younger stays")
	would := pruneAll(t, st, retention.PruneOptions{DryRun: true})
	same("a dry run")
	did := pruneAll(t, st, retention.PruneOptions{Step: 5})
	would.DryRun = false
	require.Equal(t, would, did, "a dry run counts what will be")
	require.Positive(t, did.Events)
	same("all")
	other := "another"
	require.True(t, proof.Do(t, svc, roomkit.By("ben"), roomkit.Edit{Room: group, Name: &other}, service.Call{Key: "k"}).Changed, "a key holds as long as its events")
	proof.Do(t, svc, roomkit.By("ben"), roomkit.DeleteRoom{Room: group})
	pruneAll(t, st, retention.PruneOptions{Ignore: []string{"half", "roomkit.enforce"}})
	require.NoError(t, verify.Run(t.Context(), st, nil))
}

// pruneTells asks for all that was forgotten.
func pruneTells(t testing.TB, st store.Store) {
	svc, group := lived(t, st)
	var before []store.Record
	for rec, err := range svc.Feed(t.Context(), "") {
		require.NoError(t, err)
		before = append(before, rec.Record)
	}
	dies := func(context.Context, service.Recorded) error { return errors.New("dies") }
	require.Error(t, svc.Follow(t.Context(), "dead", dies, &service.FollowOptions{Once: true, Attempts: 1}))
	report := pruneAll(t, st, retention.PruneOptions{Ignore: []string{"dead"}})
	require.NoError(t, verify.Run(t.Context(), st, nil), "the checkpoint of a follower that was left behind is no fault")
	left := before[report.Events:]
	require.NotEmpty(t, left)
	require.Equal(t, before[report.Events-1].Cursor, report.Begin)
	for i, cursor := 0, roomkit.Cursor(""); i < len(before); i++ {
		page, err := st.Feed(t.Context(), cursor, 3)
		if int64(i) < report.Events {
			isPruned(t, roomkit.Pruned{Cursor: report.Begin}, err)
		} else {
			require.NoError(t, err)
			require.Equal(t, before[i:min(i+3, len(before))], page)
		}
		cursor = before[i].Cursor
	}
	for i := range before[:report.Events] {
		of, version := before[i].Subject, before[i].Version
		base, err := store.BaseOf(t.Context(), st, of)
		require.NoError(t, err)
		_, err = st.History(t.Context(), of, version-1, 0)
		isPruned(t, roomkit.Pruned{Subject: of, Version: base.Version}, err)
		rest, err := st.History(t.Context(), of, base.Version, 0)
		require.NoError(t, err)
		for j := range rest {
			require.Equal(t, base.Version+roomkit.Version(j)+1, rest[j].Version)
		}
	}
	head, err := svc.Head(t.Context())
	require.NoError(t, err)
	require.Equal(t, before[len(before)-1].Cursor, head)
	pruneTellsReaders(t, st, svc, group, report.Begin, len(left))
}

func isPruned(t testing.TB, want roomkit.Pruned, err error) {
	t.Helper()
	var gone *roomkit.Pruned
	require.ErrorAs(t, err, &gone)
	require.ErrorIs(t, err, roomkit.ErrPruned)
	require.Equal(t, want, *gone)
	require.Equal(t, service.CategoryPruned, service.CategoryOf(err))
}

func pruneTellsReaders(t testing.TB, st store.Store, svc *service.Service, group roomkit.RoomID, at roomkit.Cursor, left int) {
	want := roomkit.Pruned{Cursor: at}
	for _, follower := range []string{"dead", "new"} {
		isPruned(t, want, svc.Follow(t.Context(), follower, handled, &service.FollowOptions{Once: true}))
		require.NoError(t, svc.RestartFollower(t.Context(), follower, at))
		n := 0
		require.NoError(t, svc.Follow(t.Context(), follower, func(context.Context, service.Recorded) error { n++; return nil }, &service.FollowOptions{Once: true}))
		require.Equal(t, left, n, follower)
	}
	isPruned(t, want, svc.RestartFollower(t.Context(), "new", ""))
	for _, err := range svc.Feed(t.Context(), "") {
		isPruned(t, want, err)
	}
	for _, err := range svc.Watch(t.Context(), "") {
		isPruned(t, want, err)
		break
	}
	for _, err := range svc.WatchRooms(t.Context(), "ben", "", group) {
		isPruned(t, want, err)
		break
	}
	base, err := store.BaseOf(t.Context(), st, roomkit.RoomSubject(group))
	require.NoError(t, err)
	_, err = svc.HistoryPage(t.Context(), "ben", group, service.HistoryList{})
	isPruned(t, roomkit.Pruned{Subject: base.Subject, Version: base.Version}, err)
	_, err = svc.HistoryPage(t.Context(), "ben", group, service.HistoryList{Since: base.Version})
	require.NoError(t, err)
	before := at
	pruneAll(t, st, retention.PruneOptions{})
	if after := begin(t, st); after != before {
		_, err = st.Feed(t.Context(), before, 1)
		isPruned(t, roomkit.Pruned{Cursor: after}, err)
	}
}

// brittlePruner breaks at a step, before or after it is carried out.
type brittlePruner struct {
	brittle
	store.Pruner
}

func (b *brittlePruner) Prune(ctx context.Context, p store.Pruning) error {
	return b.step(func() error { return b.Pruner.Prune(ctx, p) })
}

func (b *brittlePruner) Unwrap() store.Store { return b.Store }

func pruneBrokenOff(t *testing.T, open func(testing.TB) store.Store) {
	steps := 0
	for _, late := range []bool{false, true} {
		st := open(t)
		lived(t, st)
		before := rows(t, st)
		pruner, ok := store.Capability[store.Pruner](st)
		require.True(t, ok)
		for {
			b := &brittlePruner{brittle{Store: st, left: 2, late: late}, pruner}
			_, err := retention.Prune(t.Context(), b, retention.PruneOptions{EventsBefore: future(), Step: 2})
			require.NoError(t, verify.Run(t.Context(), st, nil), "broken off after %d steps", steps)
			require.Equal(t, before, rows(t, st), "broken off after %d steps", steps)
			if err == nil {
				break
			}
			require.ErrorIs(t, err, errBroken)
			steps++
		}
	}
	require.Greater(t, steps, 20, "it has steps to break off at")
}

func pruneRefuses(t testing.TB, st store.Store) {
	svc, _ := lived(t, st)
	var all []store.Record
	for rec, err := range svc.Feed(t.Context(), "") {
		require.NoError(t, err)
		all = append(all, rec.Record)
	}
	by, ok := store.Capability[store.Pruner](st)
	require.True(t, ok)
	inside := 0 // between two records of a command
	for i := 1; i < len(all) && inside == 0; i++ {
		if all[i].Command == all[i-1].Command {
			inside = i
		}
	}
	asTold := func(was store.Base, records []store.Record) (store.Base, error) {
		return store.Base{Subject: was.Subject, Version: records[len(records)-1].Version, Events: [][]byte{records[0].Data}}, nil
	}
	failing := errors.New("cannot be folded")
	for name, c := range map[string]struct {
		store.Pruning
		want error
	}{
		"another beginning": {store.Pruning{From: all[0].Cursor, To: all[1].Cursor, Fold: asTold}, roomkit.ErrConflict},
		"half a command":    {store.Pruning{To: all[inside-1].Cursor, Fold: asTold}, roomkit.ErrInvalid},
		"the newest":        {store.Pruning{To: all[len(all)-1].Cursor, Fold: asTold}, roomkit.ErrInvalid},
		"nothing":           {store.Pruning{Fold: asTold}, roomkit.ErrInvalid},
		"no cursor":         {store.Pruning{To: "elsewhere", Fold: asTold}, roomkit.ErrInvalid},
		"no base": {store.Pruning{To: all[0].Cursor, Fold: func(store.Base, []store.Record) (store.Base, error) {
			return store.Base{}, nil
		}}, roomkit.ErrInvalid},
		"no fold": {store.Pruning{To: all[0].Cursor, Fold: func(store.Base, []store.Record) (store.Base, error) {
			return store.Base{}, failing
		}}, failing},
	} {
		require.ErrorIs(t, by.Prune(t.Context(), c.Pruning), c.want, name)
		require.Empty(t, begin(t, st), name)
		require.NoError(t, verify.Run(t.Context(), st, nil), name)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	require.ErrorIs(t, by.Prune(stopped, store.Pruning{To: all[0].Cursor, Fold: asTold}), context.Canceled)
	_, err := retention.Prune(t.Context(), st, retention.PruneOptions{EventsBefore: future(), Step: roomkit.MaxPage + 1})
	require.ErrorIs(t, err, roomkit.ErrInvalid)
	require.NoError(t, by.Prune(t.Context(), store.Pruning{To: all[0].Cursor, Fold: asTold}))
	require.ErrorIs(t, by.Prune(t.Context(), store.Pruning{To: all[1].Cursor, Fold: asTold}), roomkit.ErrConflict)
	basesAreListed(t, st, by, all)
}

// basesAreListed looks at the bases one by one and page by page. That of the first record is its data.
func basesAreListed(t testing.TB, st store.Store, by store.Pruner, all []store.Record) {
	base, err := by.Base(t.Context(), all[0].Subject)
	require.NoError(t, err)
	require.Equal(t, store.Base{Subject: all[0].Subject, Version: 1, Events: [][]byte{all[0].Data}}, base)
	base, err = by.Base(t.Context(), all[len(all)-1].Subject)
	require.NoError(t, err)
	require.Equal(t, store.Base{Subject: all[len(all)-1].Subject}, base)
	pruneAll(t, st, retention.PruneOptions{})
	var bases []store.Base
	after := roomkit.Subject{}
	for {
		page, err := by.Bases(t.Context(), after, 2)
		require.NoError(t, err)
		require.LessOrEqual(t, len(page), 2)
		if len(page) == 0 {
			break
		}
		for _, b := range page {
			one, err := by.Base(t.Context(), b.Subject)
			require.NoError(t, err)
			require.Equal(t, one, b)
			require.True(t, after == roomkit.Subject{} || after.String() < b.Subject.String(), "in byte order")
			after = b.Subject
			bases = append(bases, b)
		}
	}
	require.Greater(t, len(bases), 5)
}

// pruneBeforeErase erases who is named only by what is left of pruned events.
func pruneBeforeErase(t testing.TB, st store.Store) {
	svc, _ := lived(t, st)
	pruneAll(t, st, retention.PruneOptions{})
	before := accesses(t, st, svc, "ben", "cat", "dan", "eve")
	moved(t, st, before)
	would, err := retention.Erase(t.Context(), st, "ann", retention.EraseOptions{Pseudonym: erasedAs, DryRun: true})
	require.NoError(t, err)
	did, err := retention.Erase(t.Context(), st, "ann", retention.EraseOptions{Pseudonym: erasedAs})
	require.NoError(t, err)
	require.Positive(t, did.Events)
	require.Equal(t, would.Subjects, did.Subjects, "a dry run counts what will be")
	require.Equal(t, would.Events, did.Events, "a dry run counts what will be")
	traceless(t, st, "ann")
	require.NoError(t, verify.Run(t.Context(), st, nil))
	require.Equal(t, before, accesses(t, st, svc, "ben", "cat", "dan", "eve"))
	pruneAll(t, st, retention.PruneOptions{})
	traceless(t, st, "ann")
	require.NoError(t, verify.Run(t.Context(), st, nil))
}

// pruneBeside lets an erasure, a pruning and commands meet.
func pruneBeside(t *testing.T, st store.Store) {
	svc, group := lived(t, st)
	before := withoutDirect(accesses(t, st, svc, "ben", "cat", "dan", "eve"))
	var wg sync.WaitGroup
	wg.Go(func() {
		_, err := retention.Erase(t.Context(), st, "ann", retention.EraseOptions{Pseudonym: erasedAs})
		assert.NoError(t, err)
	})
	wg.Go(func() {
		for range 3 {
			_, err := retention.Prune(t.Context(), st, retention.PruneOptions{EventsBefore: future(), Step: 1, Ignore: []string{"roomkit.enforce"}})
			assert.NoError(t, err)
		}
	})
	wg.Go(func() {
		for _, name := range []string{"a", "b", "c", "d", "e", "f", "g"} {
			_, err := svc.Do(t.Context(), roomkit.By("ben"), roomkit.Edit{Room: group, Name: &name})
			assert.NoError(t, err)
		}
	})
	wg.Wait()
	traceless(t, st, "ann")
	require.NoError(t, verify.Run(t.Context(), st, nil))
	require.Equal(t, before, withoutDirect(accesses(t, st, svc, "ben", "cat", "dan", "eve")))
}
