package pgstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/judge"
)

var (
	_ store.Eraser = (*Store)(nil)
	_ store.Pruner = (*Store)(nil)
)

// Rename implements [store.Eraser] in one transaction, for which writers of the same
// subject wait. What the server keeps of the old bytes, VACUUM takes away; the WAL and
// its archives keep them for as long as they are kept themselves.
func (s *Store) Rename(ctx context.Context, r store.Renaming) (done store.Renamed, err error) {
	var no *refused
	err = s.onPool(ctx, func(conn *pgx.Conn) error {
		err := pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) (err error) {
			done, err = (&renaming{Renaming: r, altering: altering{s, tx}}).run(ctx)
			return err
		})
		if errors.As(err, &no) {
			return nil
		}
		return err
	})
	if no != nil {
		err = no.error
	}
	if err != nil {
		return store.Renamed{}, err
	}
	return done, nil
}

// refused is an error of this package or of the caller, after which the connection is as
// good as before and a repeat does no better.
type refused struct{ error }

type renaming struct {
	store.Renaming
	altering
}

func (r *renaming) run(ctx context.Context) (done store.Renamed, err error) {
	if err := r.alone(ctx); err != nil {
		return done, err
	}
	if err := r.lock(ctx); err != nil {
		return done, err
	}
	if err := r.permitted(ctx); err != nil {
		return done, err
	}
	base, err := r.baseOf(ctx, r.Subject)
	if err != nil {
		return done, err
	}
	if done.Events, err = judge.RenameBase(&base, &r.Renaming); err != nil {
		return done, &refused{err}
	}
	if done.Events > 0 {
		if err := r.putBase(ctx, r.Subject.String(), int64(base.Version), base.Events); err != nil {
			return done, err
		}
	}
	for done.Version = base.Version; ; {
		page, err := r.page(ctx, done.Version)
		if err != nil {
			return done, err
		}
		if len(page) == 0 {
			break
		}
		for i := range page {
			done.Version = page[i].Version
			data, err := r.Event(page[i])
			if err != nil {
				return done, &refused{err}
			}
			if data == nil {
				continue
			}
			done.Events++
			if err := r.exec(ctx, `UPDATE roomkit_records SET data = $3 WHERE `+r.ours()+` AND version = $2`, r.key(), int64(page[i].Version), data); err != nil {
				return done, err
			}
		}
	}
	if done.Version == 0 {
		return done, nil
	}
	return done, r.rows(ctx)
}

// ours finds the records of the subject, whose key is the first argument.
func (r *renaming) ours() string {
	if r.Subject.Type == roomkit.SubjectRoom {
		return `room = $1`
	}
	return `id = $1 AND subject = '` + r.Subject.Type.String() + `'`
}

// uuidOf is an argument that needs no prepared statement.
func uuidOf(id [16]byte) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: true} }

func (r *renaming) key() any {
	if r.Subject.Type == roomkit.SubjectRoom {
		return uuidOf(r.Subject.Room)
	}
	return r.Subject.ID
}

// lock keeps writers of the subject away, those inside transactions of hosts as well.
func (r *renaming) lock(ctx context.Context) error {
	table, known := map[roomkit.SubjectType]string{
		roomkit.SubjectRoom: `rooms`, roomkit.SubjectUser: `users`, roomkit.SubjectCompany: `companies`, roomkit.SubjectTeam: `teams`,
	}[r.Subject.Type]
	if !known {
		return &refused{invalid("Subject", "malformed")}
	}
	return r.exec(ctx, `SELECT FROM roomkit_`+table+` WHERE id = $1 FOR UPDATE`, r.key())
}

func (r *renaming) page(ctx context.Context, after roomkit.Version) (page []store.Record, err error) {
	rows, err := r.tx.Query(ctx, r.s.o.named(`SELECT version, type, at, command, data FROM roomkit_records WHERE `+r.ours()+` AND version > $2 ORDER BY version LIMIT $3`),
		pgx.QueryExecModeExec, r.key(), int64(after), roomkit.MaxPage)
	if err != nil {
		return nil, err
	}
	var version int64
	var at *time.Time
	rec := store.Record{Subject: r.Subject}
	var command [16]byte
	_, err = pgx.ForEachRow(rows, []any{&version, &rec.Type, &at, &command, &rec.Data}, func() error {
		one := rec
		one.Version, one.Command = roomkit.Version(version), command
		if at != nil {
			one.At = at.UTC()
		}
		one.Data = append([]byte(nil), rec.Data...)
		page = append(page, one)
		return nil
	})
	return page, err
}

func (r *renaming) permitted(ctx context.Context) error {
	from, to := string(r.From), string(r.To)
	switch {
	case r.Subject == roomkit.UserSubject(r.From):
		return r.refuse(ctx, fmt.Sprintf("the account of %s has not ended or is still in rooms, or there is a user %s already", from, to),
			`SELECT EXISTS (SELECT FROM roomkit_users WHERE id = $1 AND status <> 'deleted') OR
			EXISTS (SELECT FROM roomkit_members WHERE "user" = $1 AND (participant OR master)) OR
			EXISTS (SELECT FROM roomkit_users WHERE id = $1) AND EXISTS (SELECT FROM roomkit_users WHERE id = $2)`, from, to)
	case r.Subject.Type == roomkit.SubjectRoom:
		return r.refuse(ctx, fmt.Sprintf("%s is still in %s, or has a row there beside one of %s", from, r.Subject, to),
			`SELECT EXISTS (SELECT FROM roomkit_members WHERE room = $3 AND "user" = $1 AND (participant OR master)) OR
			EXISTS (SELECT FROM roomkit_members WHERE room = $3 AND "user" = $1) AND EXISTS (SELECT FROM roomkit_members WHERE room = $3 AND "user" = $2)`,
			from, to, r.key())
	}
	return nil
}

// refuse is ErrConflict if a question is answered by yes.
func (r *renaming) refuse(ctx context.Context, why, question string, args ...any) error {
	var yes bool
	if err := r.tx.QueryRow(ctx, r.s.o.named(question), append([]any{pgx.QueryExecModeExec}, args...)...).Scan(&yes); err != nil {
		return err
	}
	if yes {
		return &refused{fmt.Errorf("%w: %s", roomkit.ErrConflict, why)}
	}
	return nil
}

func (r *renaming) rows(ctx context.Context) (err error) {
	from, to, key := string(r.From), string(r.To), r.key()
	do := func(text string, args ...any) {
		if err == nil {
			err = r.exec(ctx, text, args...)
		}
	}
	switch {
	case r.Subject.Type == roomkit.SubjectRoom:
		do(`UPDATE roomkit_rooms SET creator = $2 WHERE id = $3 AND creator = $1`, from, to, key)
		do(`UPDATE roomkit_rooms SET party_a = CASE WHEN party_a = $1 THEN $2 ELSE party_a END, party_b = CASE WHEN party_b = $1 THEN $2 ELSE party_b END
			WHERE id = $3 AND $1 IN (party_a, party_b)`, from, to, key)
		do(`UPDATE roomkit_rooms SET party_a = party_b, party_b = party_a WHERE id = $1 AND party_b < party_a`, key)
		do(`UPDATE roomkit_members SET "user" = $2 WHERE room = $3 AND "user" = $1`, from, to, key)
		do(`UPDATE roomkit_members SET left_by = $2 WHERE room = $3 AND left_by = $1`, from, to, key)
	case r.Subject.Type == roomkit.SubjectTeam:
		do(`UPDATE roomkit_teams SET leader = $2 WHERE id = $3 AND leader = $1`, from, to, key)
		do(`UPDATE roomkit_team_members SET "user" = $2 WHERE team = $3 AND "user" = $1`, from, to, key)
	case r.Subject == roomkit.UserSubject(r.From):
		do(`UPDATE roomkit_users SET id = $2 WHERE id = $1`, from, to)
		do(`UPDATE roomkit_records SET id = $2 WHERE id = $1 AND subject = 'user'`, from, to)
		do(`UPDATE roomkit_bases SET subject = $2 WHERE subject = $1`, r.Subject.String(), roomkit.UserSubject(r.To).String())
		do(`UPDATE roomkit_commands SET events = substr(replace(chr(10) || events, chr(10) || 'user:' || $1 || '/', chr(10) || 'user:' || $2 || '/'), 2)
			WHERE strpos(chr(10) || events, chr(10) || 'user:' || $1 || '/') > 0`, from, to)
	}
	return err
}

// PruneCommands implements [store.Pruner]: it looks without holding up anybody, and
// deletes in one short transaction.
func (s *Store) PruneCommands(ctx context.Context, after, before roomkit.CommandID, limit int, dry bool) (last roomkit.CommandID, n int, err error) {
	const prunable = `SELECT x.id FROM roomkit_commands x WHERE x.id > $1 AND x.id < $2 AND NOT x.changed AND x.events IS NULL
		AND substr(x.id::text, 15, 1) = '7' AND NOT EXISTS (SELECT FROM roomkit_records e WHERE e.command = x.id) ORDER BY x.id LIMIT $3`
	var ids [][16]byte
	err = s.onPool(ctx, func(conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, s.o.named(prunable), pgx.QueryExecModeExec, uuidOf(after), uuidOf(before), limit)
		if err != nil {
			return err
		}
		if ids, err = pgx.CollectRows(rows, pgx.RowTo[[16]byte]); err != nil || dry || len(ids) == 0 {
			return err
		}
		_, err = conn.Exec(ctx, s.o.named(`DELETE FROM roomkit_commands WHERE id = ANY($1::uuid[]) AND NOT changed`), ids)
		return err
	})
	if err != nil || len(ids) == 0 {
		return roomkit.CommandID{}, 0, err
	}
	return ids[len(ids)-1], len(ids), nil
}
