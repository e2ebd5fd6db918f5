package main

import (
	"context"
	"database/sql"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

// erasing is how often it looks for rooms whose 30 days are over.
const erasing = time.Hour

// erase deletes what was said in a room that somebody has deleted (GRP-40), in the
// transaction of the follower.
func (a *auditing) erase(ctx context.Context, event roomkit.Event) error {
	if ended, ok := event.(*roomkit.RoomEnded); ok && ended.Deleted {
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
		if err := c.eraseAsOf(ctx, time.Now()); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(erasing):
		}
	}
}

func (c *chat) eraseAsOf(ctx context.Context, at time.Time) error {
	for company := range c.people.companies {
		for room, err := range c.svc.Expired(ctx, service.ExpiredList{Company: company, At: at}) {
			if err != nil {
				return err
			}
			err := c.inTx(ctx, func(tx *sql.Tx, _ *service.Service) error { return eraseRoom(ctx, tx, room.Room) })
			if err != nil {
				return err
			}
		}
	}
	return nil
}
