package main

import (
	"context"
	"database/sql"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// erasing is how often it looks for rooms whose 30 days are over, eraseSoon when it was
// kept from it.
const (
	erasing   = time.Hour
	eraseSoon = time.Second
)

// erase deletes what was said in a room that somebody has deleted (GRP-40), in the
// transaction of the follower.
func (a *auditing) erase(ctx context.Context, event roomkit.Event) error {
	if ended, ok := event.(*roomkit.RoomEnded); ok && ended.Deleted {
		if err := a.keepWhoWasIn(ctx, ended.Info()); err != nil {
			return err
		}
		return eraseRoom(ctx, a.tx, ended.Info().Subject.Room)
	}
	return nil
}

func eraseRoom(ctx context.Context, tx *sql.Tx, room roomkit.RoomID) error {
	for _, table := range []string{"messages", "marks"} {
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE room = ?", room.String()); err != nil {
			return err
		}
	}
	return nil
}

// eraseExpired deletes, from time to time, what was said in rooms where message has been
// off for 30 days (GRP-38).
func (c *chat) eraseExpired(ctx context.Context) error {
	for {
		wait := erasing
		switch err := c.eraseAsOf(ctx, time.Now()); {
		case service.CategoryOf(err) == service.CategoryUnavailable:
			wait = eraseSoon
		case err != nil:
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

func (c *chat) eraseAsOf(ctx context.Context, at time.Time) error {
	for company := range c.people.companies {
		for room, err := range c.svc.Expired(ctx, service.ExpiredList{Company: company, At: at}) {
			if err == nil {
				err = c.eraseStill(ctx, room)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// eraseStill looks again in the transaction that deletes: where message was switched on
// since the room was found, what is written there now stays.
func (c *chat) eraseStill(ctx context.Context, room service.ExpiredRoom) error {
	return c.inTx(ctx, func(tx *sql.Tx, _ *service.Service) error {
		facts, err := store.Ask(ctx, c.store.InTx(tx), []store.Need{{Room: room.Room}})
		if err != nil || !facts[0].Room.MessageOffSince.Equal(room.Since) {
			return err
		}
		return eraseRoom(ctx, tx, room.Room)
	})
}
