package sqlitestore

import (
	"context"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// Strays implements [store.Auditor].
func (s *Store) Strays(ctx context.Context, limit int) (found []store.Stray, err error) {
	err = s.read(ctx, straysOf, func(r *row) {
		stray := store.Stray{Subject: roomkit.Subject{Type: value(r, s.names.Subject), Room: r.id(), ID: r.text()}}
		stray.What, stray.Detail = r.text(), r.text()
		found = append(found, stray)
	}, int64(limit))
	return found, err
}

// Checkpoints implements [store.Auditor].
func (s *Store) Checkpoints(ctx context.Context) (map[string]roomkit.Cursor, error) {
	all := map[string]roomkit.Cursor{}
	err := s.read(ctx, checkpoints, func(r *row) {
		name := r.text()
		all[name] = roomkit.Cursor(r.text())
	})
	return all, err
}

const eventOf = `(SELECT 1 FROM roomkit_records e WHERE e.id = x.id AND e.subject = `

// baseIsOf finds what is left of the events of a subject that were pruned.
const baseIsOf = ` AND NOT EXISTS (SELECT 1 FROM roomkit_bases b WHERE b.subject = `

// uuidText is the id of a room as text.
const uuidText = `lower(substr(hex(x.id), 1, 8) || '-' || substr(hex(x.id), 9, 4) || '-' || substr(hex(x.id), 13, 4) || '-' || substr(hex(x.id), 17, 4) || '-' || substr(hex(x.id), 21))`

// strays finds rows by what they should come with. The cost is a look or two for every
// row of the database.
const strays = `SELECT * FROM (
	SELECT 'room' AS subject, x.id AS room, NULL AS id, 'row' AS what, 'there is no event of this room' AS detail FROM roomkit_rooms x
		WHERE NOT EXISTS (SELECT 1 FROM roomkit_records e WHERE e.room = x.id)` + baseIsOf + `'room:' || ` + uuidText + `)
	UNION ALL SELECT 'room', x.room, NULL, 'members', 'a row of ' || x.user || ', but there is no such room' FROM roomkit_members x
		WHERE NOT EXISTS (SELECT 1 FROM roomkit_rooms r WHERE r.id = x.room)
	UNION ALL SELECT 'user', NULL, x.id, 'row', 'there is no event of this user' FROM roomkit_users x WHERE NOT EXISTS ` + eventOf + `'user')` + baseIsOf + `'user:' || x.id)
	UNION ALL SELECT 'company', NULL, x.id, 'row', 'there is no event of this company' FROM roomkit_companies x WHERE NOT EXISTS ` + eventOf + `'company')` + baseIsOf + `'company:' || x.id)
	UNION ALL SELECT 'team', NULL, x.id, 'row', 'there is no event of this team' FROM roomkit_teams x WHERE NOT EXISTS ` + eventOf + `'team')` + baseIsOf + `'team:' || x.id)
	UNION ALL SELECT 'team', NULL, x.team, 'members', 'a row of ' || x.user || ', but there is no such team' FROM roomkit_team_members x
		WHERE NOT EXISTS (SELECT 1 FROM roomkit_teams t WHERE t.id = x.team)
	UNION ALL SELECT x.subject, x.room, x.id, 'command', 'the event at position ' || x.position || ' is of a command that is not remembered' FROM roomkit_records x
		WHERE NOT EXISTS (SELECT 1 FROM roomkit_commands c WHERE c.id = x.command)
	UNION ALL SELECT NULL, NULL, NULL, 'command', 'the events of command ' || hex(x.id) || ' are not there' FROM roomkit_commands x
		WHERE x.records <> (SELECT count(*) FROM roomkit_records e WHERE e.position BETWEEN x.position - x.records + 1 AND x.position AND e.command = x.id)
			OR x.records = 0 AND (x.changed OR x.position IS NOT NULL)
) LIMIT ? + 0`
