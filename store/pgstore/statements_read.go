package pgstore

// The columns of the rows, in the order in which rows.go reads them.
const (
	roomColumns = `r.id, r.version, r.kind, r.state, r.company, r.public, r.name_key, r.digest, r.participants, r.masters,
	r.outsiders, r.line_users, r.bots, r.changed_at, r.name, r.photo, r.description, r.origin, r.team, r.creator,
	r.party_a, r.party_b, r.history_sharing, r.notify, r.features, r.features_withheld, r.message_off_since, r.had_line,
	r.emptied_at, r.emptied_on, r.created_at`

	memberColumns = `m.room, m."user", m.company, m.kind, m.participant, m.master, m.period, m.joined, m.joined_at, m.joined_version,
	m.read_all, m.epoch_user, m.epoch_company, m.master_epoch_user, m.master_epoch_company, m."left", m.left_at,
	m.left_version, m.left_by`

	userColumns = `u.id, u.version, u.company, u.kind, u.status, u.administrator, u.works, u.line, u.works_since, u.works_lost,
	u.ended, u.groups`

	// teamRow is a row t of a team and the list of its people. To set up an
	// aggregate would cost more, even where there is no team.
	teamRow = `t, array_to_string(ARRAY(
				SELECT tm."user" FROM roomkit_team_members tm WHERE tm.team = t.id ORDER BY tm.team, tm."user"), ' ')`

	recordColumns = `e.position, e.subject, e.room, e.id, e.version, e.type, e.at, e.command, e.data`

	// peopleRows are what is known of people: a row for each of the users u, for each
	// pair p of a room and a user that is a row of members, and for each of the
	// companies k, in columns of their own. So what many share comes once. Whole rows
	// are one column each, since all columns of a table are copied from step to step.
	// LIMIT keeps it a look-up for each pair, however small the tables are at first.
	peopleRows = `SELECT u.whole, NULL::roomkit_members, NULL::roomkit_companies` + noRoom + ` FROM u
			UNION ALL SELECT NULL, m.whole, NULL` + noRoom + ` FROM p CROSS JOIN LATERAL (
				SELECT l AS whole FROM roomkit_members l WHERE l.room = p.room AND l."user" = p."user" LIMIT 1) m
			UNION ALL SELECT NULL, NULL, c` + noRoom + ` FROM roomkit_companies c WHERE c.id = ANY(ARRAY(SELECT k.company FROM k))`
	noRoom = `, NULL::roomkit_rooms, NULL::roomkit_teams, NULL::text`

	// roomOfRow adds to a row m of a member the room.
	roomOfRow = ` CROSS JOIN LATERAL (SELECT * FROM roomkit_rooms l WHERE l.id = m.room LIMIT 1) r`

	// tookPart holds for a row m of one of the people $2 if all of them take part.
	tookPart = `(SELECT count(*) FROM unnest($2::text[]) p("user") CROSS JOIN LATERAL (
			SELECT FROM roomkit_members o WHERE o.room = m.room AND o."user" = p."user" AND o.participant LIMIT 1) one)
		= cardinality($2::text[])`

	// fewestRooms is the one of the people $2 who is in the fewest rooms, as far as
	// a short look tells.
	fewestRooms = `WITH fewest AS MATERIALIZED (SELECT p."user" FROM unnest($2::text[]) p("user") ORDER BY (
			SELECT count(*) FROM (
				SELECT FROM roomkit_members o
				WHERE (o."user", o.room) > (p."user", $1::uuid) AND o."user" <= p."user" AND (o.participant OR o.master)
				ORDER BY o."user", o.room LIMIT 200) few)
			LIMIT 1)
		`
	// ofFewest are the rows of that one, in their order.
	ofFewest = `(m."user", m.room) > ((SELECT f."user" FROM fewest f), $1::uuid) AND m."user" <= (SELECT f."user" FROM fewest f)
				AND (m.participant OR m.master) AND m.participant`
)

// readTexts are the statements that only read.
var readTexts = map[int]string{
	// All of one moment: the statements between begin and end see one snapshot.
	beginReading: `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`,
	endTx:        `COMMIT`,

	// Rooms and people. The parties of a direct room and the team of a team room come with it.
	loadFacts: `WITH r AS MATERIALIZED (
				SELECT l AS whole, l.id, l.company, l.kind, l.team, l.party_a, l.party_b FROM roomkit_rooms l WHERE l.id = ANY($1::uuid[])
			), party AS MATERIALIZED (
				SELECT r.id AS room, unnest(ARRAY[r.party_a, r.party_b]) AS "user" FROM r WHERE r.kind = 'direct'
			), p AS (
				SELECT named.room, named."user" FROM unnest($2::uuid[], $3::text[]) named(room, "user") UNION ALL SELECT * FROM party
			), u AS MATERIALIZED (
				SELECT l AS whole, l.company FROM roomkit_users l
				WHERE l.id = ANY($3::text[] || ARRAY(SELECT party."user" FROM party))
			), k AS (
				SELECT r.company FROM r UNION ALL SELECT u.company FROM u
			) ` + peopleRows + `
			UNION ALL SELECT NULL, NULL, NULL, r.whole, NULL, NULL FROM r
			UNION ALL SELECT NULL, NULL, NULL, NULL, ` + teamRow + `
			FROM roomkit_teams t WHERE t.id = ANY(ARRAY(SELECT r.team FROM r WHERE r.kind = 'team'))`,
	loadCrowd: `WITH p AS MATERIALIZED (
				SELECT o.room, o."user" FROM roomkit_members o WHERE o.room = ANY($1::uuid[]) AND o.master
				UNION
				SELECT o.room, o."user" FROM unnest($2::uuid[]) everybody(room) CROSS JOIN LATERAL (
					SELECT a.room, a."user" FROM roomkit_members a
					WHERE a.room = everybody.room AND (a.participant OR a.master) ORDER BY a."user" LIMIT $3::bigint) o
				UNION
				SELECT led.room, t.leader FROM unnest($4::text[], $5::uuid[]) led(team, room) JOIN roomkit_teams t ON t.id = led.team
				WHERE t.leader IS NOT NULL
			), u AS MATERIALIZED (
				SELECT l AS whole, l.company FROM roomkit_users l WHERE l.id = ANY(ARRAY(SELECT p."user" FROM p))
			), k AS (SELECT u.company FROM u) ` + peopleRows,
	loadTeams:     `SELECT ` + teamRow + ` FROM roomkit_teams t WHERE t.id = ANY($1::text[])`,
	loadCompanies: `SELECT c FROM roomkit_companies c WHERE c.id = ANY($1::text[])`,
	loadNames: `SELECT r.company, r.name_key, r.id FROM unnest($1::text[], $2::text[]) n(company, name_key)
			JOIN roomkit_rooms r ON r.company = n.company AND r.name_key = n.name_key AND r.name_key IS NOT NULL AND r.state = 'active'`,
	loadCheckpoints: `SELECT k.name, k.cursor FROM roomkit_checkpoints k WHERE k.name = ANY($1::text[])`,
	loadCommands: `SELECT d.id, d.digest, d.room, d.changed, d.events, e.position, e.subject, e.room, e.id, e.version
			FROM roomkit_commands d LEFT JOIN roomkit_records e ON e.command = d.id
			WHERE d.id = ANY($1::uuid[]) ORDER BY d.id, e.position`,
	loadExact: `SELECT ` + roomColumns + ` FROM roomkit_rooms r
			WHERE r.digest = $1::bytea AND r.state = 'active' AND r.id > $3::uuid
				AND (SELECT count(*) FROM roomkit_members o
					WHERE o.room = r.id AND o."user" = ANY($2::text[]) AND o.participant) = cardinality($2::text[])
				AND NOT EXISTS (SELECT FROM roomkit_members o WHERE o.room = r.id AND (o.participant OR o.master) AND o.participant
					AND o."user" <> ALL($2::text[]))
				AND ($4::text[] IS NULL OR r.kind = ANY($4::text[]))
			ORDER BY r.digest, r.id LIMIT $5::bigint`,
	loadMore: fewestRooms + `SELECT ` + roomColumns + ` FROM roomkit_members m` + roomOfRow + `
			WHERE ` + ofFewest + `
				AND r.state = 'active' AND ` + tookPart + `
				AND (SELECT true FROM roomkit_members o WHERE o.room = m.room AND (o.participant OR o.master) AND o.participant
					AND o."user" <> ALL($2::text[]) LIMIT 1)
				AND ($3::text[] IS NULL OR r.kind = ANY($3::text[]))
			ORDER BY m."user", m.room LIMIT $4::bigint`,
	pageOfShared: fewestRooms + `SELECT ` + roomColumns + ` FROM roomkit_members m` + roomOfRow + `
			WHERE ` + ofFewest + `
				AND r.state = 'active' AND ` + tookPart + `
				AND ($3::text[] IS NULL OR r.kind = ANY($3::text[]))
			ORDER BY m."user", m.room LIMIT $4::bigint`,

	// A page begins behind a point of the index and goes on in its order. That it
	// stays with one room, user or company is said as a range: the planner would
	// take an equality for so few rows that it might read and sort all of them.
	pageOfPresent: `SELECT ` + memberColumns + ` FROM roomkit_members m
			WHERE (m.room, m."user") > ($1::uuid, $2::text) AND m.room <= $1::uuid AND (m.participant OR m.master) ORDER BY m.room, m."user" LIMIT $3::bigint`,
	pageOfParticipants: `SELECT ` + memberColumns + ` FROM roomkit_members m
			WHERE (m.room, m."user") > ($1::uuid, $2::text) AND m.room <= $1::uuid AND (m.participant OR m.master) AND m.participant
			ORDER BY m.room, m."user" LIMIT $3::bigint`,
	pageOfMasters: `SELECT ` + memberColumns + ` FROM roomkit_members m
			WHERE (m.room, m."user") > ($1::uuid, $2::text) AND m.room <= $1::uuid AND m.master ORDER BY m.room, m."user" LIMIT $3::bigint`,
	pageOfAll: `SELECT ` + memberColumns + ` FROM roomkit_members m
			WHERE (m.room, m."user") > ($1::uuid, $2::text) AND m.room <= $1::uuid ORDER BY m.room, m."user" LIMIT $3::bigint`,

	pageOfUsers: `SELECT ` + userColumns + ` FROM roomkit_users u
			WHERE (u.company, u.id) > ($1::text, $2::text) AND u.company <= $1::text ORDER BY u.company, u.id LIMIT $3::bigint`,
	pageOfFree: `SELECT ` + userColumns + ` FROM roomkit_users u
			WHERE u.company IS NULL AND u.id > $1::text ORDER BY u.company, u.id LIMIT $2::bigint`,

	pageOfUserRooms: `SELECT ` + roomColumns + `, ` + memberColumns + ` FROM roomkit_members m` + roomOfRow + `
			WHERE (m."user", m.room) > ($1::text, $2::uuid) AND m."user" <= $1::text AND (m.participant OR m.master) AND r.state = 'active'
				AND (m.participant OR NOT $5::boolean) AND (m.master OR NOT $6::boolean)
				AND ($3::text[] IS NULL OR r.kind = ANY($3::text[]))
			ORDER BY m."user", m.room LIMIT $4::bigint`,
	pageOfPastRooms: `SELECT ` + roomColumns + `, ` + memberColumns + ` FROM (
				(SELECT o."user", o.room FROM roomkit_members o JOIN roomkit_rooms q ON q.id = o.room
				WHERE (o."user", o.room) > ($1::text, $2::uuid) AND o."user" <= $1::text AND (o.participant OR o.master) AND ($3::text[] IS NULL OR q.kind = ANY($3::text[]))
				ORDER BY o."user", o.room LIMIT $4::bigint)
				UNION ALL
				(SELECT o."user", o.room FROM roomkit_members o JOIN roomkit_rooms q ON q.id = o.room
				WHERE (o."user", o.room) > ($1::text, $2::uuid) AND o."user" <= $1::text AND NOT (o.participant OR o.master) AND ($3::text[] IS NULL OR q.kind = ANY($3::text[]))
				ORDER BY o."user", o.room LIMIT $4::bigint)
			) p CROSS JOIN LATERAL (SELECT * FROM roomkit_members l WHERE l.room = p.room AND l."user" = p."user" LIMIT 1) m` + roomOfRow + `
			ORDER BY p.room LIMIT $4::bigint`,
	pageOfCompany: `SELECT ` + roomColumns + ` FROM roomkit_rooms r
			WHERE (r.company, r.id) > ($1::text, $2::uuid) AND r.company <= $1::text AND r.state = 'active' AND ($3::text[] IS NULL OR r.kind = ANY($3::text[]))
			ORDER BY r.company, r.id LIMIT $4::bigint`,
	pageOfPublic: `SELECT ` + roomColumns + ` FROM roomkit_rooms r
			WHERE (r.company, r.id) > ($1::text, $2::uuid) AND r.company <= $1::text AND r.state = 'active' AND r.public AND r.kind IN ('group', 'external_group')
				AND ($3::text[] IS NULL OR r.kind = ANY($3::text[]))
			ORDER BY r.company, r.id LIMIT $4::bigint`,

	pageOfFeed: `SELECT ` + recordColumns + ` FROM roomkit_records e WHERE e.position > $1::bigint AND e.position > 0
			ORDER BY e.position LIMIT $2::bigint`,
	isPosition: `SELECT EXISTS (SELECT FROM roomkit_records e WHERE e.position = $1::bigint AND e.position > 0)`,
	pageOfRoomHistory: `SELECT ` + recordColumns + ` FROM roomkit_records e
			WHERE (e.room, e.version) > ($1::uuid, $2::bigint) AND e.room <= $1::uuid AND e.room IS NOT NULL ORDER BY e.room, e.version LIMIT $3::bigint`,
	pageOfHistory: `SELECT ` + recordColumns + ` FROM roomkit_records e
			WHERE (e.id, e.subject, e.version) > ($1::text, $4::text, $2::bigint) AND (e.id, e.subject) <= ($1::text, $4::text)
				AND e.id IS NOT NULL
			ORDER BY e.id, e.subject, e.version LIMIT $3::bigint`,
}
