package sqlitestore

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/judge"
)

var (
	_ store.Eraser = (*Store)(nil)
	_ store.Pruner = (*Store)(nil)
)

// Rename implements [store.Eraser] in one transaction, for which other writers wait. What
// SQLite keeps of the old bytes, in free pages and in the WAL, PRAGMA secure_delete, a
// checkpoint and VACUUM take away.
func (s *Store) Rename(ctx context.Context, r store.Renaming) (done store.Renamed, err error) {
	err = s.alter(ctx, func(t *tx) error {
		done, err = s.rename(t, &r)
		return err
	})
	if err != nil {
		return store.Renamed{}, err
	}
	return done, nil
}

// alter runs a transaction that stores no events. What it does can be done again.
func (s *Store) alter(ctx context.Context, do func(*tx) error) error {
	return patiently(ctx, s.o.Patience, func(waiting context.Context) error {
		select {
		case s.turn <- struct{}{}:
			defer func() { <-s.turn }()
		case <-waiting.Done():
			return waited(waiting, s.writer.db, waiting.Err())
		}
		t, err := s.writer.begin(ctx, waiting, false)
		if err != nil {
			return err
		}
		defer t.end()
		if err := s.lock(t); err != nil {
			return err
		}
		if err := do(t); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := t.tx.Commit(); err != nil {
			return classify(err)
		}
		if _, err := s.file.check(t.conn); err != nil {
			return s.file.lose(err)
		}
		return nil
	})
}

// rename changes what is there under the write lock.
func (s *Store) rename(t *tx, r *store.Renaming) (done store.Renamed, err error) {
	if err := s.renamable(t, r); err != nil {
		return done, err
	}
	base, err := s.baseIn(t, r.Subject)
	if err == nil {
		done.Events, err = judge.RenameBase(&base, r)
	}
	if err == nil && done.Events > 0 {
		err = s.putBase(t, &base)
	}
	if err != nil {
		return done, err
	}
	for done.Version = base.Version; ; {
		page, err := s.historyIn(t, r.Subject, done.Version)
		if err != nil {
			return done, err
		}
		if len(page) == 0 {
			break
		}
		for i := range page {
			done.Version = page[i].Version
			data, err := r.Event(page[i].Record)
			if err != nil {
				return done, err
			}
			if data == nil {
				continue
			}
			done.Events++
			if err := s.put(t, `UPDATE roomkit_records SET data = ? WHERE position = ?`, data, page[i].position); err != nil {
				return done, err
			}
		}
	}
	if done.Version == 0 {
		return done, nil
	}
	return done, s.renameRows(t, r)
}

type placed struct {
	store.Record
	position int64
}

func (s *Store) historyIn(t *tx, of roomkit.Subject, after roomkit.Version) (page []placed, err error) {
	each := func(r *row) {
		p := placed{position: r.int()}
		p.Record = s.names.record(r)
		page = append(page, p)
	}
	if of.Type == roomkit.SubjectRoom {
		err = t.query(historyOfRoom, each, of.Room[:], int64(after), int64(roomkit.MaxPage))
	} else {
		err = t.query(historyOfID, each, of.ID, of.Type.String(), int64(after), int64(roomkit.MaxPage))
	}
	return page, err
}

func (s *Store) renamable(t *tx, r *store.Renaming) error {
	from, to := string(r.From), string(r.To)
	switch {
	case r.Subject == roomkit.UserSubject(r.From):
		return s.refuse(t, fmt.Sprintf("the account of %s has not ended or is still in rooms, or there is a user %s already", from, to),
			`SELECT EXISTS (SELECT 1 FROM roomkit_users WHERE id = ?1 AND status <> 'deleted') OR
			EXISTS (SELECT 1 FROM roomkit_members WHERE user = ?1 AND (participant OR master)) OR
			EXISTS (SELECT 1 FROM roomkit_users WHERE id = ?1) AND EXISTS (SELECT 1 FROM roomkit_users WHERE id = ?2)`, from, to)
	case r.Subject.Type == roomkit.SubjectRoom:
		return s.refuse(t, fmt.Sprintf("%s is still in %s, or has a row there beside one of %s", from, r.Subject, to),
			`SELECT EXISTS (SELECT 1 FROM roomkit_members WHERE room = ?3 AND user = ?1 AND (participant OR master)) OR
			EXISTS (SELECT 1 FROM roomkit_members WHERE room = ?3 AND user = ?1) AND EXISTS (SELECT 1 FROM roomkit_members WHERE room = ?3 AND user = ?2)`,
			from, to, r.Subject.Room[:])
	}
	return nil
}

// refuse is ErrConflict if a question is answered by yes.
func (s *Store) refuse(t *tx, why, question string, args ...any) error {
	var yes bool
	if err := t.tx.QueryRowContext(t.plain, s.o.named(question), args...).Scan(&yes); err != nil {
		return classify(err)
	}
	if yes {
		return fmt.Errorf("%w: %s", roomkit.ErrConflict, why)
	}
	return nil
}

func (s *Store) put(t *tx, text string, args ...any) error {
	if err := t.ctx.Err(); err != nil {
		return err
	}
	_, err := t.tx.ExecContext(t.plain, s.o.named(text), args...)
	return classify(err)
}

func (s *Store) renameRows(t *tx, r *store.Renaming) error {
	from, to := string(r.From), string(r.To)
	var err error
	do := func(text string, args ...any) {
		if err == nil {
			err = s.put(t, text, args...)
		}
	}
	switch {
	case r.Subject.Type == roomkit.SubjectRoom:
		room := r.Subject.Room[:]
		do(`UPDATE roomkit_rooms SET creator = ?2 WHERE id = ?3 AND creator = ?1`, from, to, room)
		do(`UPDATE roomkit_rooms SET party_a = iif(party_a = ?1, ?2, party_a), party_b = iif(party_b = ?1, ?2, party_b) WHERE id = ?3 AND ?1 IN (party_a, party_b)`, from, to, room)
		do(`UPDATE roomkit_rooms SET party_a = party_b, party_b = party_a WHERE id = ?1 AND party_b < party_a`, room)
		do(`UPDATE roomkit_members SET user = ?2 WHERE room = ?3 AND user = ?1`, from, to, room)
		do(`UPDATE roomkit_members SET left_by = ?2 WHERE room = ?3 AND left_by = ?1`, from, to, room)
	case r.Subject.Type == roomkit.SubjectTeam:
		do(`UPDATE roomkit_teams SET leader = ?2 WHERE id = ?3 AND leader = ?1`, from, to, r.Subject.ID)
		do(`UPDATE roomkit_team_members SET user = ?2 WHERE team = ?3 AND user = ?1`, from, to, r.Subject.ID)
	case r.Subject == roomkit.UserSubject(r.From):
		do(`UPDATE roomkit_users SET id = ?2 WHERE id = ?1`, from, to)
		do(`UPDATE roomkit_records SET id = ?2 WHERE id = ?1 AND subject = 'user'`, from, to)
		do(`UPDATE roomkit_bases SET subject = ?2 WHERE subject = ?1`, r.Subject.String(), roomkit.UserSubject(r.To).String())
		do(`UPDATE roomkit_commands SET events = substr(replace(char(10) || events, char(10) || 'user:' || ?1 || '/', char(10) || 'user:' || ?2 || '/'), 2)
			WHERE events IS NOT NULL AND instr(char(10) || events, char(10) || 'user:' || ?1 || '/') > 0`, from, to)
	}
	return err
}

// PruneCommands implements [store.Pruner]: it looks without holding up anybody, and
// deletes in one short transaction.
func (s *Store) PruneCommands(ctx context.Context, after, before roomkit.CommandID, limit int, dry bool) (last roomkit.CommandID, n int, err error) {
	ids, err := s.prunable(ctx, after, before, limit)
	if err == nil && len(ids) > 0 && !dry {
		err = s.alter(ctx, func(t *tx) error {
			for _, id := range ids {
				if err := s.put(t, `DELETE FROM roomkit_commands WHERE id = ? AND records = 0`, id); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err != nil || len(ids) == 0 {
		return roomkit.CommandID{}, 0, err
	}
	return roomkit.CommandID(ids[len(ids)-1]), len(ids), nil
}

func (s *Store) prunable(ctx context.Context, after, before roomkit.CommandID, limit int) (ids [][]byte, err error) {
	t, err := s.beginRead(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer t.end()
	rows, err := t.tx.QueryContext(ctx, s.o.named(`SELECT id FROM roomkit_commands WHERE id > ? AND id < ? AND records = 0
		AND events IS NULL AND hex(substr(id, 7, 1)) LIKE '7%' ORDER BY id LIMIT ? + 0`), after[:], before[:], int64(limit))
	if err != nil {
		return nil, classify(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id []byte
		if err := rows.Scan(&id); err != nil {
			return nil, classify(err)
		}
		if len(id) != len(after) {
			return nil, corrupt("a command id of %d bytes", len(id))
		}
		ids = append(ids, id)
	}
	return ids, classify(errors.Join(rows.Err(), ctx.Err()))
}
