package main

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// auditTx is the key of the transaction in the context of a step of the follower.
type auditTx struct{}

// audit keeps every event in a table of the host, in the transaction that moves the
// follower's checkpoint: each event is there exactly once, whenever the process dies.
func (c *chat) audit(ctx context.Context) error {
	return c.svc.Follow(ctx, "chat.audit", c.record, &service.FollowOptions{
		Within: func(ctx context.Context, step func(context.Context, store.Store) error) error {
			return c.inTx(ctx, func(tx *sql.Tx, _ *service.Service) error {
				return step(context.WithValue(ctx, auditTx{}, tx), c.store.InTx(tx))
			})
		},
	})
}

func (c *chat) record(ctx context.Context, rec service.Recorded) error {
	event, err := json.Marshal(rec.Event)
	if err != nil {
		return err
	}
	tx, info := ctx.Value(auditTx{}).(*sql.Tx), rec.Event.Info()
	_, err = tx.ExecContext(ctx, "INSERT INTO audit (subject, version, type, actor, at, event) VALUES (?, ?, ?, ?, ?, ?)",
		info.Subject.String(), int64(info.Version), rec.Event.Type(), info.Actor.String(), info.At.UnixMicro(), string(event))
	return err
}
