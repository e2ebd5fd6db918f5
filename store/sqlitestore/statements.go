package sqlitestore

import "strings"

// statement is one of the constant texts of SQL that the store consists of; the
// prefix of the tables is put in when the store is made.
type statement uint16

const (
	lockDatabase statement = iota
	recordAt
	ofTransaction
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
	teamsOfCompany
	historyOfRoom
	historyOfID
	feedFrom
	newestOfFeed
	mastersOf
	everybodyOf
	firstOf
	accessOfOne
	nameHolder
	checkpointOf
	checkpoints
	baseOf
	versionOfBase
	pageOfBases
	straysOf
	dumpCheckpoints
	dumpCompanies
	dumpUsers
	dumpTeams
	dumpRooms
	dumpMembers
	dumpBases
	dumpCommands
	misfits

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
	accessByRoom
	accessByUser

	insertCommands
	insertRecords
	putMembers
	putTeamMembers
	listCount
)

// What is selected of a row: see columns.go.
var (
	roomColumns    = selected("r", usualOfRoom+restOfRoom, 0)
	roomValues     = selected("r", usualOfRoom+restOfRoom, 1)
	memberColumns  = selected("m", ofMember, 1)
	memberValues   = selected("m", ofMember, 2)
	userColumns    = selected("u", ofUser, 0) + ", u.groups"
	companyColumns = selected("c", ofCompany, 0) + ", c.groups"
	recordColumns  = selected("e", ofRecord, 0)
	teamColumns    = selected("t", ofTeam, 0) + ", (SELECT group_concat(w.user, ' ') FROM roomkit_team_members w WHERE w.team = t.id)"
	memberWidth    = len(columnsOf(ofMember))

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
)

const (
	behindAll = `x'ffffffffffffffffffffffffffffffffff'` // longer than an id

	// Of a room: all of p, ?2 users, take part; how many take part, as far as it
	// matters beside ?2; and it is of one of the kinds ?4, each between commas, or ?4
	// is NULL.
	allTakePart = `(SELECT count(*) FROM p CROSS JOIN roomkit_members b ON b.room = r.id AND b.user = p.user AND b.participant) = ?2`
	howMany     = `(SELECT count(*) FROM (SELECT 1 FROM roomkit_members n WHERE n.room = r.id AND n.participant LIMIT ?2 + 1))`
	ofKind      = `(?4 IS NULL OR instr(?4, ',' || r.kind || ',') > 0)`
)

// A bare LIMIT ? would make SQLite prepare the statement again for every value, so
// it says LIMIT ? + 0.
var plain = [plainCount]string{
	// Takes the write lock and changes nothing, whatever the handle begins
	// transactions with.
	lockDatabase: `UPDATE roomkit_meta SET epoch = epoch WHERE 0`,

	// The record at a position, without its data, and the epoch of the database.
	recordAt: `SELECT (SELECT epoch FROM roomkit_meta WHERE only_row = 1), e.position, e.subject, e.room, e.id, e.version, e.type, e.at, e.command, NULL
		FROM roomkit_records e WHERE e.position = ?`,

	// The database and the settings of a transaction.
	ofTransaction: `SELECT epoch, (SELECT file FROM pragma_database_list WHERE name = 'main'), (SELECT journal_mode FROM pragma_journal_mode),
		(SELECT synchronous FROM pragma_synchronous) FROM roomkit_meta WHERE only_row = 1`,

	insertRoom: `INSERT` + insertion("roomkit_rooms", usualOfRoom+restOfRoom) + `(` + strings.Join(parameters(usualOfRoom+restOfRoom), ", ") + `)`,
	updateRoom: `UPDATE roomkit_rooms SET ` + assigned(usualOfRoom+restOfRoom) + ` WHERE id = ?1`,
	// What indexes are about stays, and what few rooms have is neither there nor comes.
	touchRoom: `UPDATE roomkit_rooms SET ` + assigned(usualOfRoom) + ` WHERE id = ?1`,
	freeName:  `UPDATE roomkit_rooms SET name_key = NULL WHERE id = ?`,
	// Groups stays; it is changed by tallies.
	putUser:       `INSERT` + insertion("roomkit_users", ofUser+" groups") + `(` + marks(ofUser) + `, 0) ON CONFLICT DO UPDATE SET ` + replaced(ofUser),
	putCompany:    `INSERT` + insertion("roomkit_companies", ofCompany+" groups") + `(` + marks(ofCompany) + `, 0) ON CONFLICT DO UPDATE SET ` + replaced(ofCompany),
	putTeam:       `INSERT OR REPLACE` + insertion("roomkit_teams", ofTeam) + `(` + marks(ofTeam) + `)`,
	clearTeam:     `DELETE FROM roomkit_team_members WHERE team = ?`,
	putCheckpoint: `INSERT OR REPLACE INTO roomkit_checkpoints VALUES (?, ?)`,
	tallyUser:     `UPDATE roomkit_users SET groups = groups + ? WHERE id = ?`,
	tallyCompany:  `UPDATE roomkit_companies SET groups = groups + ? WHERE id = ?`,
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
		AND ` + howMany + ` = ?2 AND (SELECT count(*) FROM json_each(?1) CROSS JOIN roomkit_members b ON b.room = r.id
		AND b.user = json_each.value AND b.participant) = ?2 ORDER BY r.id LIMIT ?3 + 0`,
	roomsShared:    roomsOfAll + ` LIMIT ?3 + 0`,
	roomsOfMore:    roomsOfAll + ` AND ` + howMany + ` > ?2 LIMIT ?3 + 0`,
	usersOfCompany: `SELECT ` + userColumns + ` FROM roomkit_users u WHERE u.company IS ? AND u.id > ? ORDER BY u.id LIMIT ? + 0`,
	teamsOfCompany: `SELECT ` + teamColumns + ` FROM roomkit_teams t WHERE t.company = ? AND t.id > ? ORDER BY t.id LIMIT ? + 0`,

	historyOfRoom: `SELECT ` + recordColumns + ` FROM roomkit_records e WHERE room = ? AND version > ? ORDER BY version LIMIT ? + 0`,
	historyOfID:   `SELECT ` + recordColumns + ` FROM roomkit_records e WHERE id = ? AND subject = ? AND version > ? ORDER BY version LIMIT ? + 0`,
	feedFrom:      `SELECT ` + recordColumns + ` FROM roomkit_records e WHERE position >= ? ORDER BY position LIMIT ? + 0`,
	newestOfFeed:  `SELECT ` + recordColumns + ` FROM roomkit_records e WHERE position = (SELECT max(position) FROM roomkit_records)`,
	recordsAt:     `SELECT ` + recordColumns + ` FROM roomkit_records e WHERE position BETWEEN ? AND ? ORDER BY position`,

	mastersOf:   `SELECT ` + memberColumns + ` FROM roomkit_members m INDEXED BY roomkit_members_masters WHERE m.room = ? AND m.master`,
	everybodyOf: `SELECT ` + memberColumns + ` FROM roomkit_members m WHERE m.room = ? AND (m.participant OR m.master) ORDER BY m.user LIMIT ? + 0`,
	firstOf:     `SELECT ` + memberColumns + ` FROM roomkit_members m WHERE m.room = ? AND m.participant ORDER BY m.user LIMIT ? + 0`,
	// Who somebody is and what they are in a room ?1.
	accessOfOne: `SELECT ` + accessOfRoom + `, ` + accessOfUser + ` FROM roomkit_rooms r LEFT JOIN roomkit_members m ON m.room = r.id AND m.user = ?2
		LEFT JOIN roomkit_users u ON u.id = ?2` + companyOfUser + `WHERE r.id = ?1`,
	nameHolder:    `SELECT id FROM roomkit_rooms WHERE company IS ? AND name_key = ? AND state = 'active'`,
	checkpoints:   `SELECT name, cursor FROM roomkit_checkpoints`,
	baseOf:        `SELECT b.subject, b.version, b.data FROM roomkit_bases b WHERE b.subject = ? ORDER BY b.part`,
	versionOfBase: `SELECT b.version FROM roomkit_bases b WHERE b.subject = ? AND b.part = 1`,
	pageOfBases: `SELECT b.subject, b.version, b.data FROM roomkit_bases b WHERE b.subject > ?1 AND b.subject <=
		(SELECT max(w.subject) FROM (SELECT n.subject FROM roomkit_bases n WHERE n.subject > ?1 AND n.part = 1 ORDER BY n.subject LIMIT ?2 + 0) w)
		ORDER BY b.subject, b.part`,
	straysOf:     strays,
	checkpointOf: `SELECT cursor FROM roomkit_checkpoints WHERE name = ?`,

	dumpCheckpoints: `SELECT name, cursor FROM roomkit_checkpoints ORDER BY name`,
	dumpCompanies:   `SELECT ` + companyColumns + ` FROM roomkit_companies c ORDER BY c.id`,
	dumpUsers:       `SELECT ` + userColumns + ` FROM roomkit_users u ORDER BY u.id`,
	dumpTeams:       `SELECT ` + teamColumns + ` FROM roomkit_teams t ORDER BY t.id`,
	dumpRooms:       `SELECT ` + roomColumns + ` FROM roomkit_rooms r ORDER BY r.id`,
	dumpMembers:     `SELECT m.room, ` + memberColumns + ` FROM roomkit_members m ORDER BY m.room, m.user`,
	dumpBases:       `SELECT b.subject, b.version, b.data FROM roomkit_bases b WHERE b.subject > '' ORDER BY b.subject, b.part`,
	dumpCommands:    `SELECT id, digest, room, changed, position, records, events FROM roomkit_commands ORDER BY id`,
	misfits: `SELECT EXISTS (SELECT 1 FROM roomkit_members x WHERE NOT EXISTS (SELECT 1 FROM roomkit_rooms r WHERE r.id = x.room))
		OR EXISTS (SELECT 1 FROM roomkit_records x WHERE ` + subjectless + `)
		OR EXISTS (SELECT 1 FROM (SELECT substr(b.subject, 1, instr(b.subject, ':') - 1) AS subject, substr(b.subject, instr(b.subject, ':') + 1) AS id,
			unhex(substr(b.subject, 6), '-') AS room FROM roomkit_bases b WHERE b.subject > '') x WHERE ` + subjectless + `)`,
}

// subjectless holds for what is of a subject that is not there.
const subjectless = `CASE x.subject WHEN 'room' THEN NOT EXISTS (SELECT 1 FROM roomkit_rooms r WHERE r.id = x.room)
	WHEN 'user' THEN NOT EXISTS (SELECT 1 FROM roomkit_users u WHERE u.id = x.id)
	WHEN 'company' THEN NOT EXISTS (SELECT 1 FROM roomkit_companies c WHERE c.id = x.id)
	ELSE NOT EXISTS (SELECT 1 FROM roomkit_teams t WHERE t.id = x.id) END`

const rareOfRoom = `(team IS NOT NULL OR party_a IS NOT NULL OR party_b IS NOT NULL OR message_off_since IS NOT NULL
	OR emptied_at <> 0 OR emptied_on IS NOT NULL)`

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
		UNION ALL SELECT 'user', ` + userColumns + `, ` + padding(ofUser) + ` FROM roomkit_users u WHERE u.id IN (@rows)
		UNION ALL SELECT 'company', ` + companyColumns + `, ` + padding(ofCompany) + ` FROM roomkit_companies c WHERE c.id IN (@rows)`},
	companiesByID: {1, `SELECT ` + companyColumns + ` FROM roomkit_companies c WHERE c.id IN (@rows)`},
	teamsByID:     {1, `SELECT ` + teamColumns + ` FROM roomkit_teams t WHERE t.id IN (@rows)`},
	commandsByID:  {1, `SELECT id, digest, room, changed, position, records, events FROM roomkit_commands WHERE id IN (@rows)`},
	// What a commit compares: of each kind of subject but teams, some.
	statesByID: {5, `SELECT 'room', id, name_key, version, kind, state, company, public + 2 * ` + rareOfRoom + ` FROM roomkit_rooms WHERE id IN (@rows)
		UNION ALL SELECT 'user', id, version, groups, NULL, NULL, NULL, NULL FROM roomkit_users WHERE id IN (@rows, @rows)
		UNION ALL SELECT 'company', id, version, groups, NULL, NULL, NULL, NULL FROM roomkit_companies WHERE id IN (@rows)
		UNION ALL SELECT 'command', id, digest, room, changed, position, records, events FROM roomkit_commands WHERE id IN (@rows)`},
	accessByRoom: {1, `SELECT r.id, ` + accessOfRoom + ` FROM roomkit_rooms r LEFT JOIN roomkit_members m ON m.room = r.id AND m.user = ?1
		WHERE r.id IN (@rows)`},
	accessByUser: {1, `SELECT u.id, ` + accessOfUser + ` FROM roomkit_users u` + companyOfUser + `WHERE u.id IN (@rows)`},

	insertCommands: {len(columnsOf(ofCommand)), `INSERT OR FAIL` + insertion("roomkit_commands", ofCommand) + `@tuples`},
	insertRecords:  {len(columnsOf(ofRecord)), `INSERT OR FAIL` + insertion("roomkit_records", ofRecord) + `@tuples`},
	putMembers:     {memberWidth, `INSERT` + insertion("roomkit_members", ofMember) + `@tuples`},
	putTeamMembers: {2, `INSERT OR FAIL INTO roomkit_team_members VALUES @tuples`},
}
