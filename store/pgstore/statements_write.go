package pgstore

// writeTexts are the statements of commits. Where what a change expects does
// not hold, a statement fails on purpose, with a text that is no number: that ends
// the transaction without another round trip. Rows are locked table by table in one order, companies,
// teams, users, rooms, and in the order of ids within a table.
var writeTexts = map[int]string{
	// Whether it may write is for the settings of the connection to say.
	beginWriting: `BEGIN ISOLATION LEVEL READ COMMITTED`,
	// A connection keeps the plans that it has made while the tables were small, so
	// they must not be for small tables.
	byIndex: `SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)`,
	// Plans for many rows are made once on each connection, and not for the tables
	// of that moment: every statement goes by an index, however small they were.
	keepPlans: `SELECT set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true),
			set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
			set_config('jit', 'off', true)`,
	// Who waits longer for a row than others take to commit does so for a transaction
	// of a host, and while it does, a lane of the service stands still. What it waited
	// for would have changed anyway. The turn comes without fail.
	waitBriefly: `SELECT set_config('lock_timeout', '25ms', true)`,

	lockCompanies: `SELECT FROM roomkit_companies WHERE id = ANY($1::text[]) ORDER BY id FOR NO KEY UPDATE`,
	lockTeams:     `SELECT FROM roomkit_teams WHERE id = ANY($1::text[]) ORDER BY id FOR NO KEY UPDATE`,
	lockUsers:     `SELECT FROM roomkit_users WHERE id = ANY($1::text[]) ORDER BY id FOR NO KEY UPDATE`,
	// The users whose groups will be fewer when these groups end.
	lockEnding: `SELECT FROM roomkit_users WHERE id = ANY(ARRAY(
				SELECT unnest($1::text[]) UNION
				SELECT m."user" FROM roomkit_members m WHERE m.room = ANY($2::uuid[]) AND (m.participant OR m.master) AND m.participant))
			ORDER BY id FOR NO KEY UPDATE`,
	lockRooms: `SELECT FROM roomkit_rooms WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE`,

	readCompanies: `SELECT id, version, groups FROM roomkit_companies WHERE id = ANY($1::text[])`,
	readTeams:     `SELECT id, version FROM roomkit_teams WHERE id = ANY($1::text[])`,
	readUsers:     `SELECT id, version, groups FROM roomkit_users WHERE id = ANY($1::text[])`,
	readRooms:     `SELECT id, version, company, name_key, state FROM roomkit_rooms WHERE id = ANY($1::uuid[])`,

	insertCompanies: `INSERT INTO roomkit_companies (id, version, core, members_create_groups, works, line, max_groups,
				recall_window, works_off, works_narrowed)
			SELECT * FROM {rows id text, version bigint, core boolean, members_create_groups boolean, works text, line text,
				max_groups bigint, recall_window bigint, works_off bigint, works_narrowed bigint}`,
	updateCompanies: `WITH done AS (
				UPDATE roomkit_companies c SET version = x.version, core = x.core, members_create_groups = x.members_create_groups,
					works = x.works, line = x.line, max_groups = x.max_groups, recall_window = x.recall_window,
					works_off = x.works_off, works_narrowed = x.works_narrowed
				FROM {rows id text, version bigint, core boolean, members_create_groups boolean, works text, line text,
					max_groups bigint, recall_window bigint, works_off bigint, works_narrowed bigint, was bigint}
				WHERE c.id = x.id AND c.version = x.was RETURNING 1)
			SELECT CASE WHEN count(*) <> {count} THEN concat('roomkit: not as expected, will be judged again')::integer END FROM done`,

	insertTeams: `INSERT INTO roomkit_teams (id, version, company, name, leader, room, features, photo, preset, notify, synced_seq)
			SELECT * FROM {rows id text, version bigint, company text, name text, leader text, room boolean, features boolean,
				photo boolean, preset smallint, notify boolean, synced_seq bigint}`,
	updateTeams: `WITH done AS (
				UPDATE roomkit_teams t SET version = x.version, company = x.company, name = x.name, leader = x.leader, room = x.room,
					features = x.features, photo = x.photo, preset = x.preset, notify = x.notify, synced_seq = x.synced_seq
				FROM {rows id text, version bigint, company text, name text, leader text, room boolean, features boolean,
					photo boolean, preset smallint, notify boolean, synced_seq bigint, was bigint}
				WHERE t.id = x.id AND t.version = x.was RETURNING 1)
			SELECT CASE WHEN count(*) <> {count} THEN concat('roomkit: not as expected, will be judged again')::integer END FROM done`,
	deleteTeamMembers: `DELETE FROM roomkit_team_members m WHERE m.team = ANY($1::text[])
			AND NOT EXISTS (SELECT FROM unnest($2::text[], $3::text[]) x(team, member) WHERE x.team = m.team AND x.member = m."user")`,
	insertTeamMembers: `INSERT INTO roomkit_team_members (team, "user") SELECT * FROM unnest($1::text[], $2::text[])
			ON CONFLICT DO NOTHING`,

	insertUsers: `INSERT INTO roomkit_users (id, version, company, kind, status, administrator, works, line, works_since, works_lost, ended)
			SELECT * FROM {rows id text, version bigint, company text, kind text, status text, administrator boolean, works boolean,
				line boolean, works_since bigint, works_lost bigint, ended bigint}`,
	updateUsers: `WITH done AS (
				UPDATE roomkit_users u SET version = x.version, company = x.company, kind = x.kind, status = x.status,
					administrator = x.administrator, works = x.works, line = x.line, works_since = x.works_since,
					works_lost = x.works_lost, ended = x.ended
				FROM {rows id text, version bigint, company text, kind text, status text, administrator boolean, works boolean,
					line boolean, works_since bigint, works_lost bigint, ended bigint, was bigint}
				WHERE u.id = x.id AND u.version = x.was RETURNING 1)
			SELECT CASE WHEN count(*) <> {count} THEN concat('roomkit: not as expected, will be judged again')::integer END FROM done`,

	// Rooms give up their names before others take them.
	freeNames: `UPDATE roomkit_rooms SET name_key = NULL WHERE id = ANY($1::uuid[])`,
	updateRooms: `WITH done AS (
				UPDATE roomkit_rooms r SET version = x.version, kind = x.kind, state = x.state, company = x.company, public = x.public,
					name_key = x.name_key, digest = x.digest, participants = x.participants, masters = x.masters,
					outsiders = x.outsiders, line_users = x.line_users, bots = x.bots, changed_at = x.changed_at, name = x.name,
					photo = x.photo, description = x.description, origin = x.origin, team = x.team, creator = x.creator,
					party_a = x.party_a, party_b = x.party_b, history_sharing = x.history_sharing, notify = x.notify,
					features = x.features, features_withheld = x.features_withheld, message_off_since = x.message_off_since,
					had_line = x.had_line, emptied_at = x.emptied_at, emptied_on = x.emptied_on, created_at = x.created_at
				FROM {rows id uuid, version bigint, kind text, state text, company text, public boolean, name_key text, digest bytea,
					participants bigint, masters bigint, outsiders bigint, line_users bigint, bots bigint, changed_at timestamptz,
					name text, photo text, description text, origin text, team text, creator text, party_a text, party_b text,
					history_sharing boolean, notify boolean, features smallint, features_withheld boolean,
					message_off_since timestamptz, had_line boolean, emptied_at bigint, emptied_on timestamptz,
					created_at timestamptz, keeps boolean, held text, was bigint}
				WHERE r.id = x.id AND r.version = x.was AND (NOT x.keeps OR r.state <> 'active' OR r.name_key IS NULL
					OR r.name_key = x.held AND r.company = x.company) RETURNING 1)
			SELECT CASE WHEN count(*) <> {count} THEN concat('roomkit: not as expected, will be judged again')::integer END FROM done`,
	insertRooms: `INSERT INTO roomkit_rooms (id, version, kind, state, company, public, name_key, digest, participants, masters,
				outsiders, line_users, bots, changed_at, name, photo, description, origin, team, creator, party_a, party_b,
				history_sharing, notify, features, features_withheld, message_off_since, had_line, emptied_at, emptied_on, created_at)
			SELECT * FROM {rows id uuid, version bigint, kind text, state text, company text, public boolean, name_key text, digest bytea,
				participants bigint, masters bigint, outsiders bigint, line_users bigint, bots bigint, changed_at timestamptz,
				name text, photo text, description text, origin text, team text, creator text, party_a text, party_b text,
				history_sharing boolean, notify boolean, features smallint, features_withheld boolean,
				message_off_since timestamptz, had_line boolean, emptied_at bigint, emptied_on timestamptz, created_at timestamptz}`,

	putMembers: `INSERT INTO roomkit_members (room, "user", company, kind, participant, master, period, joined, joined_at,
				joined_version, read_all, epoch_user, epoch_company, master_epoch_user, master_epoch_company, "left", left_at,
				left_version, left_by)
			SELECT * FROM {rows room uuid, "user" text, company text, kind text, participant boolean, master boolean, period bigint,
				joined text, joined_at timestamptz, joined_version bigint, read_all boolean, epoch_user bigint,
				epoch_company bigint, master_epoch_user bigint, master_epoch_company bigint, "left" text, left_at timestamptz,
				left_version bigint, left_by text}
			ON CONFLICT (room, "user") DO UPDATE SET company = excluded.company, kind = excluded.kind,
				participant = excluded.participant, master = excluded.master, period = excluded.period, joined = excluded.joined,
				joined_at = excluded.joined_at, joined_version = excluded.joined_version, read_all = excluded.read_all,
				epoch_user = excluded.epoch_user, epoch_company = excluded.epoch_company,
				master_epoch_user = excluded.master_epoch_user, master_epoch_company = excluded.master_epoch_company,
				"left" = excluded."left", left_at = excluded.left_at, left_version = excluded.left_version, left_by = excluded.left_by`,

	tallyUsers: `WITH done AS (
				UPDATE roomkit_users u SET groups = x.now FROM {rows id text, was bigint, now bigint}
				WHERE u.id = x.id AND u.groups = x.was RETURNING 1)
			SELECT CASE WHEN count(*) <> {count} THEN concat('roomkit: not as expected, will be judged again')::integer END FROM done`,
	tallyCompanies: `WITH done AS (
				UPDATE roomkit_companies c SET groups = x.now FROM {rows id text, was bigint, now bigint}
				WHERE c.id = x.id AND c.groups = x.was RETURNING 1)
			SELECT CASE WHEN count(*) <> {count} THEN concat('roomkit: not as expected, will be judged again')::integer END FROM done`,
	putCheckpoints: `WITH x AS (SELECT * FROM {rows name text, was text, now text}), done AS (
				INSERT INTO roomkit_checkpoints AS k (name, cursor)
				SELECT x.name, x.now FROM x
				WHERE x.was = '' OR EXISTS (SELECT FROM roomkit_checkpoints o WHERE o.name = x.name AND o.cursor = x.was)
				ON CONFLICT (name) DO UPDATE SET cursor = excluded.cursor
				WHERE k.cursor = (SELECT x.was FROM x WHERE x.name = k.name)
				RETURNING 1)
			SELECT CASE WHEN count(*) <> {count} THEN concat('roomkit: not as expected, will be judged again')::integer END FROM done`,

	// Ends what is left of rooms that end.
	endMembers: `WITH x AS (
				SELECT * FROM {rows room uuid, lowers boolean, cause text, at timestamptz, version bigint, by text}
			), ended AS (
				SELECT m."user" FROM x JOIN roomkit_members m ON m.room = x.room AND (m.participant OR m.master) AND m.participant
				WHERE x.lowers
			), lowered AS (
				UPDATE roomkit_users u SET groups = u.groups - fewer.n
				FROM (SELECT e."user", count(*) AS n FROM ended e GROUP BY e."user") fewer WHERE u.id = fewer."user"
			)
			UPDATE roomkit_members m SET participant = false, master = false, "left" = x.cause, left_at = x.at,
				left_version = x.version, left_by = x.by
			FROM x WHERE m.room = x.room AND (m.participant OR m.master)`,

	insertCommands: `INSERT INTO roomkit_commands (id, digest, room, changed, events)
			SELECT * FROM {rows id uuid, digest bytea, room uuid, changed boolean, events text}`,

	// From here to its end a transaction is the only one that commits. What it
	// relied on is compared in this time, so nothing has to be locked for it.
	// Followers that want to be woken hold the next lock, shared.
	takeTurn: `WITH patient AS MATERIALIZED (SELECT set_config('lock_timeout', '0', true)),
			turn AS MATERIALIZED (SELECT pg_advisory_xact_lock($1::bigint) FROM patient)
			SELECT pg_notify($2::text, '') FROM turn WHERE NOT pg_try_advisory_xact_lock($1::bigint + 1)`,
	checkPeople: `SELECT CASE WHEN EXISTS (SELECT FROM unnest($1::text[], $2::bigint[]) x(id, version)
					WHERE x.version <> coalesce((SELECT u.version FROM roomkit_users u WHERE u.id = x.id), 0))
				OR EXISTS (SELECT FROM unnest($3::text[], $4::bigint[]) x(id, version)
					WHERE x.version <> coalesce((SELECT c.version FROM roomkit_companies c WHERE c.id = x.id), 0))
			THEN concat('roomkit: not as expected, will be judged again')::integer END`,
	checkPlaces: `SELECT CASE WHEN EXISTS (SELECT FROM unnest($1::uuid[], $2::bigint[]) x(id, version)
					WHERE x.version <> coalesce((SELECT r.version FROM roomkit_rooms r WHERE r.id = x.id), 0))
				OR EXISTS (SELECT FROM unnest($3::text[], $4::bigint[]) x(id, version)
					WHERE x.version <> coalesce((SELECT t.version FROM roomkit_teams t WHERE t.id = x.id), 0))
			THEN concat('roomkit: not as expected, will be judged again')::integer END`,
	insertRecords: `INSERT INTO roomkit_records (position, subject, room, id, version, type, at, command, data)
			SELECT nextval('roomkit_positions'), x.* FROM {rows subject text, room uuid, id text, version bigint, type text,
				at timestamptz, command uuid, data bytea}
			RETURNING position`,
	// A standby, to which the pool may have gone, knows nothing of it.
	isGone: `SELECT NOT pg_is_in_recovery() AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1::bigint)`,

	// Inside the transaction of a host.
	parkRecords: `INSERT INTO roomkit_records (position, subject, room, id, version, type, at, command, data)
			SELECT nextval('roomkit_waiting'), x.* FROM {rows subject text, room uuid, id text, version bigint, type text,
				at timestamptz, command uuid, data bytea}`,
	// What was added to counts so far.
	readParked: `SELECT p.subject, p.room, p.id, sum(p.delta)::bigint FROM roomkit_pending p WHERE p.was IS NOT NULL
			GROUP BY p.subject, p.room, p.id`,
	parkTallies: `INSERT INTO roomkit_pending (subject, room, id, was, delta)
			SELECT * FROM {rows subject text, room uuid, id text, was bigint, delta bigint}`,
	// What endMembers takes from the users' rows is no change by somebody else.
	lowerParked: `UPDATE roomkit_pending p SET was = p.was - (SELECT count(*) FROM unnest($1::uuid[]) x(room)
				JOIN roomkit_members m ON m.room = x.room AND m."user" = p.id AND m.participant)
			WHERE p.was IS NOT NULL AND p.subject = 'user'`,
	// Something else than what is replaced now stays, and fails the transaction.
	replaceRelied: `DELETE FROM roomkit_pending p USING {rows subject text, room uuid, id text, was bigint}
			WHERE p.subject = x.subject AND p.room IS NOT DISTINCT FROM x.room AND p.id IS NOT DISTINCT FROM x.id AND p.version = x.was`,
	addRelied: `INSERT INTO roomkit_pending (subject, room, id, version)
			SELECT * FROM {rows subject text, room uuid, id text, version bigint}`,
	addCommands: `INSERT INTO roomkit_pending (command) SELECT unnest($1::uuid[])`,
}
