package pgstore

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// strays finds rows by what they should come with. The cost is a look or two for every
// row of the database.
const strays = `
	SELECT 'room' AS subject, x.id AS room, '' AS id, 'row' AS what, 'there is no event of this room' AS detail FROM roomkit_rooms x
		WHERE NOT EXISTS (SELECT FROM roomkit_records e WHERE e.room = x.id) AND NOT EXISTS (SELECT FROM roomkit_bases b WHERE b.subject = 'room:' || x.id)
	UNION ALL SELECT 'room', x.room, '', 'members', 'a row of ' || x."user" || ', but there is no such room' FROM roomkit_members x
		WHERE NOT EXISTS (SELECT FROM roomkit_rooms r WHERE r.id = x.room)
	UNION ALL SELECT 'user', NULL, x.id, 'row', 'there is no event of this user' FROM roomkit_users x
		WHERE NOT EXISTS (SELECT FROM roomkit_records e WHERE e.id = x.id AND e.subject = 'user') AND NOT EXISTS (SELECT FROM roomkit_bases b WHERE b.subject = 'user:' || x.id)
	UNION ALL SELECT 'company', NULL, x.id, 'row', 'there is no event of this company' FROM roomkit_companies x
		WHERE NOT EXISTS (SELECT FROM roomkit_records e WHERE e.id = x.id AND e.subject = 'company') AND NOT EXISTS (SELECT FROM roomkit_bases b WHERE b.subject = 'company:' || x.id)
	UNION ALL SELECT 'team', NULL, x.id, 'row', 'there is no event of this team' FROM roomkit_teams x
		WHERE NOT EXISTS (SELECT FROM roomkit_records e WHERE e.id = x.id AND e.subject = 'team') AND NOT EXISTS (SELECT FROM roomkit_bases b WHERE b.subject = 'team:' || x.id)
	UNION ALL SELECT 'team', NULL, x.team, 'members', 'a row of ' || x."user" || ', but there is no such team' FROM roomkit_team_members x
		WHERE NOT EXISTS (SELECT FROM roomkit_teams t WHERE t.id = x.team)
	UNION ALL SELECT x.subject, x.room, coalesce(x.id, ''), 'command', 'the event at position ' || x.position || ' is of a command that is not remembered'
		FROM roomkit_records x WHERE NOT EXISTS (SELECT FROM roomkit_commands c WHERE c.id = x.command)
	UNION ALL SELECT '', NULL, '', 'command', 'the events of command ' || x.id || ' are not there' FROM roomkit_commands x
		WHERE x.changed AND x.events IS NULL AND NOT EXISTS (SELECT FROM roomkit_records e WHERE e.command = x.id)
	UNION ALL SELECT '', NULL, '', 'pending', 'row ' || x.number || ' was never settled' FROM roomkit_pending x
	LIMIT $1`

// Strays implements [store.Auditor].
func (s *Store) Strays(ctx context.Context, limit int) (found []store.Stray, err error) {
	err = s.reading(ctx, func(conn *pgx.Conn) error {
		found = nil
		rows, err := conn.Query(ctx, s.o.named(strays), pgx.QueryExecModeExec, limit)
		if err != nil {
			return err
		}
		var of, id string
		var room *[16]byte
		var stray store.Stray
		_, err = pgx.ForEachRow(rows, []any{&of, &room, &id, &stray.What, &stray.Detail}, func() error {
			stray.Subject = roomkit.Subject{ID: id}
			if room != nil {
				stray.Subject.Room = *room
			}
			if of != "" {
				if err := stray.Subject.Type.UnmarshalText([]byte(of)); err != nil {
					return err
				}
			}
			found = append(found, stray)
			return nil
		})
		return err
	})
	return found, err
}

// Checkpoints implements [store.Auditor].
func (s *Store) Checkpoints(ctx context.Context) (map[string]roomkit.Cursor, error) {
	all := map[string]roomkit.Cursor{}
	err := s.reading(ctx, func(conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, s.o.named(`SELECT name, cursor FROM roomkit_checkpoints`), pgx.QueryExecModeExec)
		if err != nil {
			return err
		}
		var name, cursor string
		_, err = pgx.ForEachRow(rows, []any{&name, &cursor}, func() error {
			all[name] = roomkit.Cursor(cursor)
			return nil
		})
		return err
	})
	return all, err
}
