package service

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/store"
)

// Require decides as [Service.Check] does, inside a transaction of the host, and holds
// that transaction to the answer. After nil the commit of the transaction fails if what
// the answer relied on has changed by then: the room, its people and settings, the user,
// the companies of the user and the room, the team, the other party of a 1:1 room. So
// what the host writes there, a message for instance, is never stored of somebody who
// was removed, suspended, deleted or barred before the commit, nor in a room that was
// deleted, converted or silenced. Who loses the right after the commit had it when the
// message was stored. How the commit fails, and what runs the transaction again, the
// store says: pgstore.Retry for instance.
//
// It costs one Load and one [store.Guard.Rely]: with pgstore 6 round trips, a whole
// transaction with one row of the host 9; with sqlitestore 7 statements and no sync.
//
// Any change of the room fails the commit, be it a person who joins. That costs a
// second run and never an answer. What the transaction itself changes is none; ask
// again after it.
//
// The service has to stand on a store inside a transaction, see [Service.On]; on another
// one the error is ErrUnsupported, because nothing would hold. Where others keep
// changing what is to be relied on, it is decided anew, Options.Attempts times; then the
// error is ErrConflict. After any error nothing is relied on by this call, and the
// transaction can go on if it could before.
func (s *Service) Require(ctx context.Context, user roomkit.UserID, action roomkit.Action, room roomkit.RoomID) error {
	ctx, asked := s.asks(ctx, "Require", room)
	return asked.answered(ctx, placed("Require", room, s.require(ctx, user, action, room)))
}

func (s *Service) require(ctx context.Context, user roomkit.UserID, action roomkit.Action, room roomkit.RoomID) error {
	guard, ok := store.Capability[store.Guard](s.store)
	if !ok {
		return fmt.Errorf("%w: Require needs a service on a store inside a transaction of the host: service.On(store.InTx(tx))", roomkit.ErrUnsupported)
	}
	if err := checkAction(action); err != nil {
		return err
	}
	var err error
	for range s.o.Attempts {
		var f decide.Facts
		if f, err = s.look(ctx, user, room, action); err != nil {
			return err
		}
		f.Need.Room = room
		if err = guard.Rely(ctx, f.Versions(nil)); !errors.Is(err, roomkit.ErrConflict) {
			return err
		}
	}
	return err
}

// On gives a service with the rules and options of s on another store, for instance one
// inside a transaction of the host: service.On(store.InTx(tx)). It is cheap, for one
// transaction; what New would draw and work out it takes from s. It shares no lane with
// s, and its commands wait for none of them.
func (s *Service) On(st store.Store) *Service {
	on := &Service{store: st, rules: s.rules, o: s.o}
	on.accessor, _ = st.(store.Accessor)
	rand.Read(on.mark[:]) // never fails
	on.openLanes()
	return on
}
