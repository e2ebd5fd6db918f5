package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// auditing is a step of the follower, inside a transaction of the host.
type auditing struct {
	tx   *sql.Tx
	rows store.Store      // the library's, in the same transaction
	told []roomkit.UserID // who gets a notice by it
}

type auditingKey struct{}

// audit keeps every event in a table of the host, and sends the notices of it, in the
// transaction that moves the follower's checkpoint: each is there exactly once, whenever
// the process dies.
func (c *chat) audit(ctx context.Context) error { return c.follow(ctx, false) }

// lease is how long the followers of a chat that was killed keep those of the next one
// waiting. No other process has the file, so nobody takes over from one that lives.
const lease = 5 * time.Second

// enforce carries out what follows from changes of the directory.
func (c *chat) enforce(ctx context.Context) error {
	return c.svc.Enforce(ctx, &service.EnforceOptions{Lease: lease})
}

// follow does so until ctx ends or, once, up to the end of the feed.
func (c *chat) follow(ctx context.Context, once bool) error {
	return c.svc.Follow(ctx, "chat.audit", c.record, &service.FollowOptions{
		Once:  once,
		Lease: lease,
		Within: func(ctx context.Context, step func(context.Context, store.Store) error) error {
			var a *auditing
			err := c.inTx(ctx, func(tx *sql.Tx, _ *service.Service) error {
				a = &auditing{tx: tx, rows: c.store.InTx(tx)}
				return step(context.WithValue(ctx, auditingKey{}, a), a.rows)
			})
			if err == nil {
				c.live.noticed(a.told)
			}
			return err
		},
	})
}

func (c *chat) record(ctx context.Context, rec service.Recorded) error {
	event, err := json.Marshal(rec.Event)
	if err != nil {
		return err
	}
	a, info := ctx.Value(auditingKey{}).(*auditing), rec.Event.Info()
	_, err = a.tx.ExecContext(ctx, "INSERT INTO audit (subject, version, type, actor, at, event) VALUES (?, ?, ?, ?, ?, ?)",
		info.Subject.String(), int64(info.Version), rec.Event.Type(), info.Actor.String(), info.At.UnixMicro(), string(event))
	if err != nil {
		return err
	}
	if err := a.erase(ctx, rec.Event); err != nil {
		return err
	}
	for _, notice := range roomkit.NoticesOf(rec.Event) {
		if err := a.send(ctx, notice, info); err != nil {
			return err
		}
	}
	return nil
}

// send puts a notice into the hands of those whom it is for.
func (a *auditing) send(ctx context.Context, n roomkit.Notice, info *roomkit.Meta) error {
	to := []roomkit.UserID{n.To}
	var err error
	switch {
	case n.Everyone && n.Company != "":
		to, err = a.holders(ctx, n.Company, n.Holders)
	case n.Everyone:
		to, err = a.participants(ctx, n.Room, info)
	}
	if err != nil {
		return err
	}
	text, err := json.Marshal(n)
	if err != nil {
		return err
	}
	for _, user := range to {
		if _, err := a.tx.ExecContext(ctx, "INSERT INTO notices (user, notice, at) VALUES (?, ?, ?)", string(user), string(text), info.At.UnixMicro()); err != nil {
			return err
		}
	}
	a.told = append(a.told, to...)
	return nil
}

// participants are those who were in a room when something happened and still are, but for
// who did it, bots and consumers. Newcomers learn nothing of before they came (COM-04), nor
// those who have gone meanwhile of what they lost (GEN-08, GEN-10).
func (a *auditing) participants(ctx context.Context, room roomkit.RoomID, of *roomkit.Meta) (to []roomkit.UserID, err error) {
	for page, err := range store.MemberPages(ctx, a.rows, store.MemberQuery{Room: room, Which: store.MembersTakingPart}) {
		if err != nil {
			return nil, err
		}
		for _, m := range page {
			if m.Kind == roomkit.UserMember && m.User != of.Actor.User() && m.JoinedVersion < of.Version {
				to = append(to, m.User)
			}
		}
	}
	return to, nil
}

// holders are the members of a company with the permission of their own, those without,
// or all.
func (a *auditing) holders(ctx context.Context, company roomkit.CompanyID, who roomkit.Holders) (to []roomkit.UserID, err error) {
	for page, err := range store.UserPages(ctx, a.rows, store.UserQuery{Company: company}) {
		if err != nil {
			return nil, err
		}
		for _, u := range page {
			some := who == roomkit.HoldersAll || u.Partners == (who == roomkit.HoldersOnly)
			if some && u.Kind == roomkit.UserMember && u.Status == roomkit.StatusActive {
				to = append(to, u.ID)
			}
		}
	}
	return to, nil
}
