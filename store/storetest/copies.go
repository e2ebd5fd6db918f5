package storetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/retention"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
)

// Copies proves of a store that is a [store.Copier], an [store.Eraser] and a [store.Pruner] that what it dumps is all that it
// has, and that it has what it is filled with and nothing else, all of it or nothing. Its copies are compared
// with memstore's. open gives an empty store. It is for the tests of stores, beside [Run].
func Copies(t *testing.T, open func(testing.TB) store.Store) {
	inMemory := func(testing.TB) store.Store { return memstore.New() }
	t.Run("a copy in memory", func(t *testing.T) { copyIsEqual(t, open(t), inMemory(t)) })
	t.Run("a copy of one in memory", func(t *testing.T) { copyIsEqual(t, inMemory(t), open(t)) })
	t.Run("a copy of a copy", func(t *testing.T) { copyIsEqual(t, open(t), open(t)) })
	t.Run("all or nothing", func(t *testing.T) { copyIsWhole(t, open(t)) })
	t.Run("an end in the middle", func(t *testing.T) { dumpEnds(t, open(t)) })
}

func copier(t testing.TB, st store.Store) store.Copier {
	c, ok := store.Capability[store.Copier](st)
	require.True(t, ok, "the store is no store.Copier")
	return c
}

// dumped gives all that a store holds as one part.
func dumped(t testing.TB, st store.Store) (all store.Contents) {
	t.Helper()
	for p, err := range copier(t, st).Dump(t.Context()) {
		require.NoError(t, err)
		all.Pruned += p.Pruned
		all.Checkpoints = append(all.Checkpoints, p.Checkpoints...)
		all.Companies = append(all.Companies, p.Companies...)
		all.Users = append(all.Users, p.Users...)
		all.Teams = append(all.Teams, p.Teams...)
		all.Rooms = append(all.Rooms, p.Rooms...)
		all.Members = append(all.Members, p.Members...)
		for _, b := range p.Bases {
			all.Bases = append(all.Bases, cloneBase(b))
		}
		for _, r := range p.Records {
			r.Data = append([]byte{}, r.Data...)
			all.Records = append(all.Records, r)
		}
		for _, c := range p.Commands {
			c.Events = append([]store.EventAt{}, c.Events...)
			all.Commands = append(all.Commands, c)
		}
	}
	return all
}

func cloneBase(b store.Base) store.Base {
	b.Events = append([][]byte{}, b.Events...)
	for i := range b.Events {
		b.Events[i] = append([]byte{}, b.Events[i]...)
	}
	return b
}

// once gives parts as they are, and then an error, if there is one.
func once(err error, parts ...store.Contents) iter.Seq2[*store.Contents, error] {
	return func(yield func(*store.Contents, error) bool) {
		for i := range parts {
			if !yield(&parts[i], nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

// gone is a row and a base in a lively store, in no room and without an event that is still there.
const gone roomkit.UserID = "gone-for-good"

var kim = roomkit.AddUser{User: roomkit.User{ID: "kim", Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}}

// lively is a store in which a lot has happened, of which some was pruned and a follower has seen half.
func lively(t testing.TB, st store.Store) {
	svc, group := lived(t, st)
	proof.Do(t, svc, roomkit.System(), roomkit.AddUser{User: roomkit.User{ID: gone, Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}})
	proof.Do(t, svc, roomkit.System(), roomkit.DeleteUser{User: gone})
	require.NoError(t, svc.Enforce(t.Context(), &service.EnforceOptions{Once: true}))
	for i := range 3 {
		text := string(rune('a' + i))
		proof.Do(t, svc, roomkit.By("ben"), roomkit.Edit{Room: group, Description: &text}, service.Call{Key: text})
		proof.Do(t, svc, roomkit.By("ben"), roomkit.Edit{Room: group, Description: &text}, service.Call{Key: "again " + text}) // changes nothing
	}
	pruneAll(t, st, retention.PruneOptions{})
	text := "behind it"
	proof.Do(t, svc, roomkit.By("ben"), roomkit.Edit{Room: group, Description: &text}, service.Call{Key: "behind"})
	proof.Do(t, svc, roomkit.System(), kim, service.Call{Key: "kim"})
}

func copyIsEqual(t testing.TB, from, to store.Store) {
	lively(t, from)
	other := proof.ServiceOn(t, to, &service.Options{Policy: roomkit.Policy{AnyoneIsContact: true}})
	proof.External(t, other, "cat", "ben") // which goes
	require.NoError(t, copier(t, to).Fill(t.Context(), copier(t, from).Dump(t.Context())))
	is := dumped(t, from)
	require.NotEmpty(t, is.Bases)
	require.NotEmpty(t, is.Checkpoints)
	require.Equal(t, is, dumped(t, to))
	require.Equal(t, fmt.Sprint(rows(t, from)), fmt.Sprint(rows(t, to))) // which prints maps in order
	at, err := store.FeedBegin(t.Context(), to)
	require.NoError(t, err)
	numbered, ok := store.Capability[store.Numbered](to)
	require.True(t, ok)
	place, err := numbered.Place(at)
	require.NoError(t, err)
	require.Equal(t, is.Pruned, place, "the feed begins at the same place")
	// Both go on alike.
	auditor, ok := store.Capability[store.Auditor](to)
	require.True(t, ok)
	strays, err := auditor.Strays(t.Context(), 10)
	require.NoError(t, err)
	require.Empty(t, strays)
	is.Checkpoints = nil // cursors of the other store, of which Verify would say that they are no places
	require.NoError(t, copier(t, to).Fill(t.Context(), once(nil, is)))
	goOnAlike(t, from, to)
}

// goOnAlike demands that stores which hold the same answer the same to who goes on.
func goOnAlike(t testing.TB, stores ...store.Store) {
	var results []roomkit.Version
	for _, st := range stores {
		svc, err := service.New(st, &service.Options{Policy: roomkit.Policy{AnyoneIsContact: true}})
		require.NoError(t, err)
		again := proof.Do(t, svc, roomkit.System(), kim, service.Call{Key: "kim"})
		require.True(t, again.Repeat, "what was done is not done again")
		next := proof.Do(t, svc, roomkit.System(), roomkit.SuspendUser{User: "kim"})
		results = append(results, again.Version, next.Version)
	}
	require.Equal(t, results[:2], results[2:])
	records := func(c store.Contents) []store.Record {
		last := c.Records[len(c.Records)-1]
		last.At, last.Command, last.Data = time.Time{}, roomkit.CommandID{}, nil
		return append(c.Records[:len(c.Records)-1], last)
	}
	require.Equal(t, records(dumped(t, stores[0])), records(dumped(t, stores[1])))
	for _, st := range stores {
		_, err := retention.Erase(t.Context(), st, gone, retention.EraseOptions{Pseudonym: erasedAs})
		require.NoError(t, err)
		require.NotContains(t, fmt.Sprint(rows(t, st)), gone)
	}
}

func copyIsWhole(t testing.TB, st store.Store) {
	source := memstore.New()
	lively(t, source)
	whole := dumped(t, source)
	proof.External(t, proof.ServiceOn(t, st, nil), "ann", "ben")
	was := dumped(t, st)
	broken := errors.New("broken")
	require.ErrorIs(t, copier(t, st).Fill(t.Context(), once(broken, whole)), broken)
	for name, spoil := range map[string]func(*store.Contents){
		"fewer than no records":    func(c *store.Contents) { c.Pruned = -1 },
		"people without a room":    func(c *store.Contents) { c.Rooms = c.Rooms[1:] },
		"events without a company": func(c *store.Contents) { c.Companies = nil },
		"commands without events":  func(c *store.Contents) { c.Records = c.Records[:1] },
		"bases of nobody":          func(c *store.Contents) { c.Bases[0].Subject = roomkit.UserSubject("nobody") },
	} {
		bad := whole
		bad.Bases = append([]store.Base(nil), whole.Bases...)
		spoil(&bad)
		require.ErrorIs(t, copier(t, st).Fill(t.Context(), once(nil, bad)), roomkit.ErrInvalid, name)
	}
	require.Equal(t, was, dumped(t, st), "nothing has changed")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, copier(t, st).Fill(ctx, once(nil, whole)), context.Canceled)
	require.Equal(t, was, dumped(t, st), "nothing has changed")
	require.NoError(t, copier(t, st).Fill(t.Context(), once(nil, whole)))
	require.Equal(t, whole, dumped(t, st))
	require.NoError(t, copier(t, st).Fill(t.Context(), once(nil)))
	require.Equal(t, store.Contents{}, dumped(t, st), "nothing is in it")
}

func dumpEnds(t testing.TB, st store.Store) {
	svc := proof.ServiceOn(t, st, nil)
	proof.External(t, svc, "ann", "ben")
	parts := 0
	for _, err := range copier(t, st).Dump(t.Context()) {
		require.NoError(t, err)
		parts++
		break
	}
	require.Equal(t, 1, parts)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var ended error
	for _, err := range copier(t, st).Dump(ctx) {
		ended = err
	}
	require.ErrorIs(t, ended, context.Canceled)
	proof.External(t, svc, "ben", "ann") // nobody holds the store any more
}
