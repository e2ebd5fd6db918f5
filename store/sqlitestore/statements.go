package sqlitestore

// statement is one of the constant texts of SQL that the store consists of; the
// prefix of the tables is put in when the store is made.
type statement uint16

const (
	lockDatabase statement = iota
	insertRoom
	updateRoom
	touchRoom
	freeName
	putUser
	putCompany
	putTeam
	clearTeam
	putCheckpoint
	tallyUser
	tallyCompany
	endGroups
	endMembers

	lastPosition
	recordsAt
	presentMembers
	takingPart
	managing
	allMembers
	roomsPresent
	roomsTakingPart
	roomsManaging
	roomsAll
	roomsOfCompany
	roomsPublic
	roomsExact
	roomsShared
	roomsOfMore
	usersOfCompany
	historyOfRoom
	historyOfID
	feedAfter
	mastersOf
	everybodyOf
	teamMembers
	nameHolder
	checkpointOf

	plainCount
	statementCount = plainCount + statement(listCount)*statement(len(sizes))
)

// list is a statement about any number of rows. @rows stands for them.
type list uint8

const (
	roomsByID list = iota
	peopleByID
	companiesByID
	teamsByID
	commandsByID
	statesByID
	busyOf

	insertCommands
	insertRecords
	putMembers
	putTeamMembers
	listCount
)

// What is selected of a row. A driver takes its time for every column of a result
// and SQLite for every string that it puts together. So yes and no come as the bits
// of one number, and what most rows do not have comes in one column, between
// commas, which is NULL for most rows; row.pack takes it apart.
const (
	roomColumns = `r.id, r.digest, r.version, r.kind, r.state, r.company, r.name_key, r.name, r.photo, r.description, r.participants, r.masters,
		r.changed_at, r.created_at, r.origin, r.creator,
		r.public + 2 * r.history_sharing + 4 * r.notify + 8 * r.features_withheld + 16 * r.had_line + 32 * r.features,
		CASE WHEN r.outsiders OR r.line_users OR r.bots OR r.emptied_at OR coalesce(r.team, r.party_a, r.party_b, r.message_off_since, r.emptied_on) IS NOT NULL
		THEN r.outsiders || ',' || r.line_users || ',' || r.bots || ',' || r.emptied_at || ',' || ifnull(r.team, '') || ',' || ifnull(r.party_a, '') || ',' ||
		ifnull(r.party_b, '') || ',' || ifnull(r.message_off_since, '') || ',' || ifnull(r.emptied_on, '') END`
	memberColumns = `m.user, m.company, m.kind, m.participant + 2 * m.master + 4 * m.read_all, m.period, m.joined, m.joined_at, m.joined_version,
		m.epoch_user, m.epoch_company,
		CASE WHEN m.master_epoch_user OR m.master_epoch_company OR m.left_version OR m."left" <> 'none' OR coalesce(m.left_at, m.left_by) IS NOT NULL
		THEN m.master_epoch_user || ',' || m.master_epoch_company || ',' || m."left" || ',' || ifnull(m.left_at, '') || ',' || m.left_version || ',' ||
		ifnull(m.left_by, '') END`
	userColumns = `u.id, u.version, u.company, u.kind, u.status, u.administrator + 2 * u.works + 4 * u.line, u.groups,
		CASE WHEN u.works_since OR u.works_lost OR u.ended THEN u.works_since || ',' || u.works_lost || ',' || u.ended END`
	companyColumns = `c.id, ` +
		`c.version || ',' || c.core || ',' || c.members_create_groups || ',' || c.works || ',' || c.line || ',' || c.max_groups || ',' || c.recall_window || ',' || ` +
		`c.works_off || ',' || c.works_narrowed || ',' || c.groups`
	recordColumns = `position, room, id, command, data, version || ',' || ifnull(at, '') || ',' || subject || ',' || type`
	teamColumns   = `t.id, t.version, t.company, t.name, t.leader, t.room, t.features, t.photo, t.preset, t.notify, t.synced_seq`

	memberWidth  = 19 // columns of the table
	memberValues = 11 // columns of memberColumns

	// Of a room: all of ?1, a JSON array of ?2 users, take part; how many take part,
	// as far as it matters beside ?2; and it is of one of the kinds ?4, each between
	// commas, or ?4 is NULL.
	allTakePart = `(SELECT count(*) FROM roomkit_members b WHERE b.room = r.id AND b.participant AND b.user IN (SELECT value FROM json_each(?1))) = ?2`
	howMany     = `(SELECT count(*) FROM (SELECT 1 FROM roomkit_members n WHERE n.room = r.id AND n.participant LIMIT ?2 + 1))`
	ofKind      = `(?4 IS NULL OR instr(?4, ',' || r.kind || ',') > 0)`

	membersOfRoom = `SELECT ` + memberColumns + ` FROM roomkit_members m WHERE m.room = ?1 AND m.user > ?2 AND `
	roomsOfUser   = `SELECT m.room, ` + roomColumns + `, ` + memberColumns + ` FROM roomkit_members m CROSS JOIN roomkit_rooms r ON r.id = m.room
		WHERE m.user = ?1 AND m.room > ?2 AND ` + ofKind + ` AND `
	roomsOfOne = `SELECT ` + roomColumns + ` FROM roomkit_members m CROSS JOIN roomkit_rooms r ON r.id = m.room
		WHERE m.user = ?6 AND (m.participant OR m.master) AND m.participant AND m.room > ?5 AND r.state = 'active' AND ` + ofKind + ` AND ` + allTakePart
)

// A bare LIMIT ? would make SQLite prepare the statement again for every value, so
// it says LIMIT ? + 0.
var plain = [plainCount]string{
	// Takes the write lock and changes nothing, whatever the handle begins
	// transactions with.
	lockDatabase: `UPDATE roomkit_meta SET epoch = epoch WHERE 0`,

	insertRoom: `INSERT INTO roomkit_rooms VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
	updateRoom: `UPDATE roomkit_rooms SET version = ?, kind = ?, state = ?, company = ?, public = ?, name_key = ?, ` + restOfRoom + ` WHERE id = ?`,
	// The columns that indexes are about stay.
	touchRoom: `UPDATE roomkit_rooms SET version = ?, ` + restOfRoom + ` WHERE id = ?`,
	freeName:  `UPDATE roomkit_rooms SET name_key = NULL WHERE id = ?`,
	// Groups stays; it is changed by tallies.
	putUser: `INSERT INTO roomkit_users VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT DO UPDATE SET version = excluded.version,
		company = excluded.company, kind = excluded.kind, status = excluded.status, administrator = excluded.administrator, works = excluded.works,
		line = excluded.line, works_since = excluded.works_since, works_lost = excluded.works_lost, ended = excluded.ended`,
	putCompany: `INSERT INTO roomkit_companies VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT DO UPDATE SET version = excluded.version,
		core = excluded.core, members_create_groups = excluded.members_create_groups, works = excluded.works, line = excluded.line,
		max_groups = excluded.max_groups, recall_window = excluded.recall_window, works_off = excluded.works_off, works_narrowed = excluded.works_narrowed`,
	putTeam:       `INSERT OR REPLACE INTO roomkit_teams VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
	clearTeam:     `DELETE FROM roomkit_team_members WHERE team = ?`,
	putCheckpoint: `INSERT OR REPLACE INTO roomkit_checkpoints VALUES (?, ?)`,
	tallyUser:     `UPDATE roomkit_users SET groups = ? WHERE id = ?`,
	tallyCompany:  `UPDATE roomkit_companies SET groups = ? WHERE id = ?`,
	endGroups:     `UPDATE roomkit_users SET groups = groups - 1 WHERE id IN (SELECT user FROM roomkit_members WHERE room = ? AND participant)`,
	endMembers: `UPDATE roomkit_members SET participant = 0, master = 0, "left" = ?, left_at = ?, left_version = ?, left_by = ?
		WHERE room = ? AND (participant OR master)`,

	presentMembers: membersOfRoom + `(m.participant OR m.master) ORDER BY m.user LIMIT ?3 + 0`,
	takingPart:     membersOfRoom + `m.participant ORDER BY m.user LIMIT ?3 + 0`,
	managing:       `SELECT ` + memberColumns + ` FROM roomkit_members m INDEXED BY roomkit_members_masters WHERE m.room = ?1 AND m.user > ?2 AND m.master ORDER BY m.user LIMIT ?3 + 0`,
	allMembers:     membersOfRoom + `1 ORDER BY m.user LIMIT ?3 + 0`,

	roomsPresent:    roomsOfUser + `(m.participant OR m.master) AND r.state = 'active' ORDER BY m.room LIMIT ?3 + 0`,
	roomsTakingPart: roomsOfUser + `(m.participant OR m.master) AND m.participant AND r.state = 'active' ORDER BY m.room LIMIT ?3 + 0`,
	roomsManaging:   roomsOfUser + `(m.participant OR m.master) AND m.master AND r.state = 'active' ORDER BY m.room LIMIT ?3 + 0`,
	roomsAll: roomsOfUser + `(m.participant OR m.master) UNION ALL ` + roomsOfUser + `NOT (m.participant OR m.master)
		ORDER BY 1 LIMIT ?3 + 0`,
	roomsOfCompany: `SELECT ` + roomColumns + ` FROM roomkit_rooms r WHERE r.company = ?1 AND r.id > ?2 AND r.state = 'active' AND ` + ofKind + ` ORDER BY r.id LIMIT ?3 + 0`,
	roomsPublic: `SELECT ` + roomColumns + ` FROM roomkit_rooms r WHERE r.company = ?1 AND r.id > ?2 AND r.state = 'active' AND r.public = 1
		AND r.kind IN ('group', 'external_group') AND ` + ofKind + ` ORDER BY r.id LIMIT ?3 + 0`,
	roomsExact: `SELECT ` + roomColumns + ` FROM roomkit_rooms r WHERE r.digest = ?6 AND r.id > ?5 AND r.state = 'active' AND ` + ofKind + `
		AND (SELECT group_concat(user) FROM (SELECT n.user FROM roomkit_members n WHERE n.room = r.id AND n.participant ORDER BY n.user LIMIT ?2 + 1)) = ?1
		ORDER BY r.id LIMIT ?3 + 0`,
	roomsShared:    roomsOfOne + ` ORDER BY m.room LIMIT ?3 + 0`,
	roomsOfMore:    roomsOfOne + ` AND ` + howMany + ` > ?2 ORDER BY m.room LIMIT ?3 + 0`,
	usersOfCompany: `SELECT ` + userColumns + ` FROM roomkit_users u WHERE u.company IS ? AND u.id > ? ORDER BY u.id LIMIT ? + 0`,

	historyOfRoom: `SELECT ` + recordColumns + ` FROM roomkit_records WHERE room = ? AND version > ? ORDER BY version LIMIT ? + 0`,
	historyOfID:   `SELECT ` + recordColumns + ` FROM roomkit_records WHERE id = ? AND subject = ? AND version > ? ORDER BY version LIMIT ? + 0`,
	feedAfter:     `SELECT ` + recordColumns + ` FROM roomkit_records WHERE position > ? ORDER BY position LIMIT ? + 0`,
	lastPosition:  `SELECT max(position) FROM roomkit_records`,
	recordsAt:     `SELECT ` + recordColumns + ` FROM roomkit_records WHERE position BETWEEN ? AND ? ORDER BY position`,

	mastersOf:    `SELECT ` + memberColumns + ` FROM roomkit_members m INDEXED BY roomkit_members_masters WHERE m.room = ? AND m.master`,
	everybodyOf:  `SELECT ` + memberColumns + ` FROM roomkit_members m WHERE m.room = ? AND (m.participant OR m.master) ORDER BY m.user LIMIT ? + 0`,
	teamMembers:  `SELECT user FROM roomkit_team_members WHERE team = ? ORDER BY user`,
	nameHolder:   `SELECT id FROM roomkit_rooms WHERE company IS ? AND name_key = ? AND state = 'active'`,
	checkpointOf: `SELECT cursor FROM roomkit_checkpoints WHERE name = ?`,
}

const restOfRoom = `digest = ?, participants = ?, masters = ?, outsiders = ?, line_users = ?, bots = ?, changed_at = ?, name = ?, photo = ?, description = ?,
	origin = ?, team = ?, creator = ?, party_a = ?, party_b = ?, history_sharing = ?, notify = ?, features = ?, features_withheld = ?,
	message_off_since = ?, had_line = ?, emptied_at = ?, emptied_on = ?, created_at = ?`

// lists have a text for each of sizes; width is the number of columns of a row.
var lists = [listCount]struct {
	width int
	bare  bool // rows are without parentheses
	text  string
}{
	roomsByID: {1, true, `SELECT ` + roomColumns + `, ` + companyColumns + ` FROM roomkit_rooms r LEFT JOIN roomkit_companies c ON c.id = r.company
		WHERE r.id IN (@rows)`},
	peopleByID: {2, false, `WITH w (room, user) AS (VALUES @rows) SELECT w.room, ` + memberColumns + `, ` + userColumns + ` FROM w
		LEFT JOIN roomkit_members m ON m.room = w.room AND m.user = w.user LEFT JOIN roomkit_users u ON u.id = w.user`},
	companiesByID: {1, true, `SELECT ` + companyColumns + ` FROM roomkit_companies c WHERE c.id IN (@rows)`},
	teamsByID:     {1, true, `SELECT ` + teamColumns + ` FROM roomkit_teams t WHERE t.id IN (@rows)`},
	commandsByID:  {1, true, `SELECT id, digest, room, changed, position, records, events FROM roomkit_commands WHERE id IN (@rows)`},
	// All that a commit compares, in one statement: of each kind of subject, some.
	statesByID: {1, true, `SELECT 'room', id, name_key, version || ',' || kind || ',' || state || ',' || ifnull(company, '') || ',' || public, NULL, NULL, NULL, NULL
			FROM roomkit_rooms WHERE id IN (@rows)
		UNION ALL SELECT 'user', id, version, groups, NULL, NULL, NULL, NULL FROM roomkit_users WHERE id IN (@rows, @rows)
		UNION ALL SELECT 'company', id, version, groups, NULL, NULL, NULL, NULL FROM roomkit_companies WHERE id IN (@rows)
		UNION ALL SELECT 'team', id, version, NULL, NULL, NULL, NULL, NULL FROM roomkit_teams WHERE id IN (@rows)
		UNION ALL SELECT 'command', id, digest, room, changed, position, records, events FROM roomkit_commands WHERE id IN (@rows)`},
	// How busy people are, as far as it matters for whose rooms to look through.
	busyOf: {1, false, `WITH w (user) AS (VALUES @rows) SELECT w.user, (SELECT count(*) FROM
		(SELECT 1 FROM roomkit_members m WHERE m.user = w.user AND (m.participant OR m.master) LIMIT 1000)) FROM w`},

	insertCommands: {7, false, `INSERT INTO roomkit_commands VALUES @rows`},
	insertRecords:  {9, false, `INSERT INTO roomkit_records VALUES @rows`},
	putMembers:     {memberWidth, false, `INSERT OR REPLACE INTO roomkit_members VALUES @rows`},
	putTeamMembers: {2, false, `INSERT OR REPLACE INTO roomkit_team_members VALUES @rows`},
}
