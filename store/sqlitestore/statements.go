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
	feedFrom
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

	insertCommands
	insertRecords
	putMembers
	putTeamMembers
	listCount
)

// What is selected of a row. A driver takes its time for every column of a result,
// so what is true or false comes together as the bits of flags.
const (
	roomColumns = `r.id, ` + roomValues
	roomValues  = `r.digest, r.version, r.kind, r.state, r.company, r.name_key, r.name, r.photo, r.description, r.participants, r.masters,
		r.outsiders, r.line_users, r.bots, r.changed_at, r.created_at, r.origin, r.creator, r.team, r.party_a, r.party_b,
		r.public + 2 * r.history_sharing + 4 * r.notify + 8 * r.features_withheld + 16 * r.had_line + 32 * r.features AS flags,
		r.message_off_since, r.emptied_at, r.emptied_on`
	memberColumns = `m.user, ` + memberValues
	memberValues  = `m.company, m.kind, m.participant + 2 * m.master + 4 * m.read_all AS flags, m.period, m.joined, m.joined_at, m.joined_version,
		m.epoch_user, m.epoch_company, m.master_epoch_user, m.master_epoch_company, m."left", m.left_at, m.left_version, m.left_by`
	userColumns = `u.id, u.version, u.company, u.kind, u.status, u.administrator + 2 * u.works + 4 * u.line AS flags,
		u.works_since, u.works_lost, u.ended, u.groups`
	companyColumns = `c.id, c.version, c.core + 2 * c.members_create_groups AS flags, c.works, c.line, c.max_groups, c.recall_window,
		c.works_off, c.works_narrowed, c.groups`
	recordColumns = `position, room, id, command, data, version, at, subject, type`
	teamColumns   = `t.id, t.version, t.company, t.name, t.leader, t.room, t.features, t.photo, t.preset, t.notify, t.synced_seq`

	memberWidth = 19 // columns of the table

	// Of a room: all of p, ?2 users, take part; how many take part, as far as it
	// matters beside ?2; and it is of one of the kinds ?4, each between commas, or ?4
	// is NULL.
	allTakePart = `(SELECT count(*) FROM p CROSS JOIN roomkit_members b ON b.room = r.id AND b.user = p.user AND b.participant) = ?2`
	howMany     = `(SELECT count(*) FROM (SELECT 1 FROM roomkit_members n WHERE n.room = r.id AND n.participant LIMIT ?2 + 1))`
	ofKind      = `(?4 IS NULL OR instr(?4, ',' || r.kind || ',') > 0)`

	membersOfRoom = `SELECT ` + memberColumns + ` FROM roomkit_members m WHERE m.room = ?1 AND m.user > ?2 AND `
	roomsOfUser   = `SELECT m.room, ` + roomValues + `, ` + memberValues + ` FROM roomkit_members m CROSS JOIN roomkit_rooms r ON r.id = m.room
		WHERE m.user = ?1 AND m.room > ?2 AND ` + ofKind + ` AND `

	// Rooms of all users of ?1, a JSON array: behind a room, none of them can be
	// shared before the last of everybody's next ones. So the search leaps from room
	// to room, at most as often as the one with the fewest rooms has some.
	roomsOfAll = `WITH RECURSIVE p (user) AS MATERIALIZED (SELECT value FROM json_each(?1)),
		leap (room) AS (VALUES (?5) UNION ALL SELECT (SELECT max(ifnull((SELECT m.room FROM roomkit_members m
			WHERE m.user = p.user AND m.room > leap.room AND (m.participant OR m.master) ORDER BY m.room LIMIT 1), ` + behindAll + `)) FROM p)
			FROM leap WHERE leap.room < ` + behindAll + `)
		SELECT ` + roomColumns + ` FROM leap CROSS JOIN roomkit_rooms r ON r.id = leap.room
		WHERE r.id > ?5 AND r.state = 'active' AND ` + ofKind + ` AND ` + allTakePart
	behindAll = `x'ffffffffffffffffffffffffffffffffff'` // longer than an id
)

// A bare LIMIT ? would make SQLite prepare the statement again for every value, so
// it says LIMIT ? + 0.
var plain = [plainCount]string{
	// Takes the write lock and changes nothing, whatever the handle begins
	// transactions with.
	lockDatabase: `UPDATE roomkit_meta SET epoch = epoch WHERE 0`,

	// Parameters of rooms are numbered: ?1 and ?2 are id and version, then come the usual
	// ones and then the rest.
	insertRoom: `INSERT INTO roomkit_rooms (id, version, digest, participants, masters, outsiders, line_users, bots, changed_at, created_at,
		name, photo, description, origin, creator, history_sharing, notify, features_withheld, had_line, features,
		kind, state, company, public, name_key, team, party_a, party_b, message_off_since, emptied_at, emptied_on)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16 & 1, ?16 >> 1 & 1, ?16 >> 2 & 1, ?16 >> 3 & 1, ?16 >> 4,
		?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27)`,
	updateRoom: `UPDATE roomkit_rooms SET ` + usualOfRoom + `, kind = ?17, state = ?18, company = ?19, public = ?20, name_key = ?21,
		team = ?22, party_a = ?23, party_b = ?24, message_off_since = ?25, emptied_at = ?26, emptied_on = ?27 WHERE id = ?1`,
	// What indexes are about stays, and what few rooms have is neither there nor comes.
	touchRoom: `UPDATE roomkit_rooms SET ` + usualOfRoom + ` WHERE id = ?1`,
	freeName:  `UPDATE roomkit_rooms SET name_key = NULL WHERE id = ?`,
	// Groups stays; it is changed by tallies.
	putUser: `INSERT INTO roomkit_users VALUES (` + ten + `, ?, 0) ON CONFLICT DO UPDATE SET version = excluded.version,
		company = excluded.company, kind = excluded.kind, status = excluded.status, administrator = excluded.administrator,
		works = excluded.works, line = excluded.line, works_since = excluded.works_since, works_lost = excluded.works_lost, ended = excluded.ended`,
	putCompany: `INSERT INTO roomkit_companies VALUES (` + ten + `, 0) ON CONFLICT DO UPDATE SET version = excluded.version,
		core = excluded.core, members_create_groups = excluded.members_create_groups, works = excluded.works, line = excluded.line,
		max_groups = excluded.max_groups, recall_window = excluded.recall_window, works_off = excluded.works_off, works_narrowed = excluded.works_narrowed`,
	putTeam:       `INSERT OR REPLACE INTO roomkit_teams VALUES (` + ten + `, ?)`,
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
	roomsExact: `WITH p (user) AS MATERIALIZED (SELECT value FROM json_each(?1))
		SELECT ` + roomColumns + ` FROM roomkit_rooms r WHERE r.digest = ?6 AND r.id > ?5 AND r.state = 'active' AND ` + ofKind + `
		AND ` + howMany + ` = ?2 AND ` + allTakePart + ` ORDER BY r.id LIMIT ?3 + 0`,
	roomsShared:    roomsOfAll + ` LIMIT ?3 + 0`,
	roomsOfMore:    roomsOfAll + ` AND ` + howMany + ` > ?2 LIMIT ?3 + 0`,
	usersOfCompany: `SELECT ` + userColumns + ` FROM roomkit_users u WHERE u.company IS ? AND u.id > ? ORDER BY u.id LIMIT ? + 0`,

	historyOfRoom: `SELECT ` + recordColumns + ` FROM roomkit_records WHERE room = ? AND version > ? ORDER BY version LIMIT ? + 0`,
	historyOfID:   `SELECT ` + recordColumns + ` FROM roomkit_records WHERE id = ? AND subject = ? AND version > ? ORDER BY version LIMIT ? + 0`,
	feedFrom:      `SELECT ` + recordColumns + ` FROM roomkit_records WHERE position >= ? ORDER BY position LIMIT ? + 0`,
	recordsAt:     `SELECT ` + recordColumns + ` FROM roomkit_records WHERE position BETWEEN ? AND ? ORDER BY position`,

	mastersOf:    `SELECT ` + memberColumns + ` FROM roomkit_members m INDEXED BY roomkit_members_masters WHERE m.room = ? AND m.master`,
	everybodyOf:  `SELECT ` + memberColumns + ` FROM roomkit_members m WHERE m.room = ? AND (m.participant OR m.master) ORDER BY m.user LIMIT ? + 0`,
	teamMembers:  `SELECT user FROM roomkit_team_members WHERE team = ? ORDER BY user`,
	nameHolder:   `SELECT id FROM roomkit_rooms WHERE company IS ? AND name_key = ? AND state = 'active'`,
	checkpointOf: `SELECT cursor FROM roomkit_checkpoints WHERE name = ?`,
}

const (
	usualOfRoom = `version = ?2, digest = ?3, participants = ?4, masters = ?5, outsiders = ?6, line_users = ?7, bots = ?8,
		changed_at = ?9, created_at = ?10, name = ?11, photo = ?12, description = ?13, origin = ?14, creator = ?15,
		history_sharing = ?16 & 1, notify = ?16 >> 1 & 1, features_withheld = ?16 >> 2 & 1, had_line = ?16 >> 3 & 1, features = ?16 >> 4`
	rareOfRoom = `(team IS NOT NULL OR party_a IS NOT NULL OR party_b IS NOT NULL OR message_off_since IS NOT NULL
		OR emptied_at <> 0 OR emptied_on IS NOT NULL)`
)

const noMore = `NULL, NULL, NULL, NULL, NULL, NULL, NULL`

const ten = `?, ?, ?, ?, ?, ?, ?, ?, ?, ?`

// lists have a text for each of sizes; width is the number of arguments of a row.
// In one of several parts a row of arguments is one of each part.
var lists = [listCount]struct {
	width int
	text  string // @rows stands for lists of arguments, @pairs and @tuples for lists in parentheses
}{
	roomsByID: {1, `SELECT ` + roomColumns + ` FROM roomkit_rooms r WHERE r.id IN (@rows)`},
	// The people that a load is about: their rows in rooms, themselves, and companies.
	peopleByID: {4, `WITH w (room, user) AS (VALUES @pairs) SELECT 'member', w.room, ` + memberColumns + ` FROM w
			CROSS JOIN roomkit_members m ON m.room = w.room AND m.user = w.user
		UNION ALL SELECT 'user', ` + userColumns + `, ` + noMore + ` FROM roomkit_users u WHERE u.id IN (@rows)
		UNION ALL SELECT 'company', ` + companyColumns + `, ` + noMore + ` FROM roomkit_companies c WHERE c.id IN (@rows)`},
	companiesByID: {1, `SELECT ` + companyColumns + ` FROM roomkit_companies c WHERE c.id IN (@rows)`},
	teamsByID:     {1, `SELECT ` + teamColumns + ` FROM roomkit_teams t WHERE t.id IN (@rows)`},
	commandsByID:  {1, `SELECT id, digest, room, changed, position, records, events FROM roomkit_commands WHERE id IN (@rows)`},
	// What a commit compares: of each kind of subject but teams, some.
	statesByID: {5, `SELECT 'room', id, name_key, version, kind, state, company, public + 2 * ` + rareOfRoom + ` FROM roomkit_rooms WHERE id IN (@rows)
		UNION ALL SELECT 'user', id, version, groups, NULL, NULL, NULL, NULL FROM roomkit_users WHERE id IN (@rows, @rows)
		UNION ALL SELECT 'company', id, version, groups, NULL, NULL, NULL, NULL FROM roomkit_companies WHERE id IN (@rows)
		UNION ALL SELECT 'command', id, digest, room, changed, position, records, events FROM roomkit_commands WHERE id IN (@rows)`},

	insertCommands: {7, `INSERT OR FAIL INTO roomkit_commands VALUES @tuples`},
	insertRecords:  {9, `INSERT OR FAIL INTO roomkit_records VALUES @tuples`},
	putMembers:     {memberWidth, `INSERT INTO roomkit_members VALUES @tuples`},
	putTeamMembers: {2, `INSERT OR FAIL INTO roomkit_team_members VALUES @tuples`},
}
