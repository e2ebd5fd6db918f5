package pgstore

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// All SQL of the store is constant text in readTexts and writeTexts. When a store is
// built, the schema and the prefix are put in, and the columns of tables are written
// out: see columnsOf. {rows …} is a source of rows x with these columns, whose parameters
// are behind those that the text names.
const (
	beginReading = iota
	beginFollowing
	beginWriting
	byIndex
	writeOne
	writeMany
	waitBriefly
	waitLonger
	endTx

	loadFacts
	loadPairs
	loadOne
	loadCrowd
	loadTeams
	loadCompanies
	loadNames
	loadCheckpoints
	loadCommands
	loadExact
	loadMore
	pageOfShared
	pageOfPresent
	pageOfParticipants
	pageOfMasters
	pageOfAll
	pageOfUsers
	pageOfFree
	pageOfTeams
	pageOfUserRooms
	pageOfPastRooms
	pageOfCompany
	pageOfPublic
	pageOfFeed
	newestOfFeed
	pageOfRoomHistory
	pageOfHistory
	pageOfBases // whose rows are few and may be sorted
	baseOf
	versionOfBase
	askMark // of and for readers; see mark and proof
	countSenders
	nameReader
	proveReader
	isWitness
	firstStraddling
	lastDrawn
	oldestInFlight

	lockCompanies
	lockTeams
	lockUsers
	lockEnding
	lockRooms
	readCompanies
	readTeams
	readUsers
	readRooms
	insertCompanies
	updateCompanies
	insertTeams
	updateTeams
	deleteTeamMembers
	insertTeamMembers
	insertUsers
	updateUsers
	freeNames
	updateRooms
	insertRooms
	putMembers
	tallyUsers
	tallyCompanies
	putCheckpoints
	endMembers
	insertCommands
	lockSubjects
	checkPeople
	checkPlaces
	insertRecords
	checkStore
	demandDurable
	emitMessage
	wakeOthers
	isGone
	isTableLocked
	readParked
	parkRecords
	parkTallies
	lowerParked
	replaceRelied
	addRelied
	addCommands
	checkTrigger

	statementCount
)

// statement is a text that is prepared once on every connection.
type statement struct {
	name string
	text string
}

// statements have two forms: for one row of {rows …}, and for any number.
type statements struct {
	one, many [statementCount]statement
}

func (s *statements) of(number int, a *args) *statement {
	if a != nil && a.many {
		return &s.many[number]
	}
	return &s.one[number]
}

// statements are those for the tables that were found, and for no others: the texts
// that prove it have what tells them from others.
func (o *Options) statements(has *found) *statements {
	at := *o
	at.Schema = has.schema
	demands, isOurs := durable, fmt.Sprintf(ours, has.epoch, has.lock)
	if o.Weak {
		demands = ""
	}
	proofs := strings.NewReplacer("{durable}", demands, "{ours}", isOurs, "{prefix}", o.Prefix, "{space}", fmt.Sprint(spaceOf(has.lock)))
	var s statements
	for _, texts := range [...]map[int]string{readTexts, writeTexts} {
		for number, text := range texts {
			one, many := rowSources(hideLengths(writeColumns(proofs.Replace(at.named(text)))))
			s.one[number], s.many[number] = newStatement(one), newStatement(many)
		}
	}
	return &s
}

func newStatement(text string) statement {
	sum := sha256.Sum256([]byte(text))
	return statement{name: "roomkit_" + hex.EncodeToString(sum[:12]), text: text}
}

// hideLengths keeps the length of arrays and pages from the planner. It could
// make a cheaper plan for each otherwise, which costs more than running it.
func hideLengths(text string) string {
	text = arrayMark.ReplaceAllString(text, "(SELECT $0)::$1")
	return limitMark.ReplaceAllString(text, "LIMIT (SELECT $1)")
}

// writeColumns puts the columns of tables where a text names them.
func writeColumns(text string) string {
	return columnsMark.ReplaceAllStringFunc(text, func(mark string) string {
		parts := columnsMark.FindStringSubmatch(mark)
		use, table, more := parts[1], parts[2], parts[3]
		list, ok := columnsOf[table]
		switch {
		case !ok:
			return mark
		case use == "rows":
			return "{rows " + list + more + "}"
		}
		keys, source := 1, "x."
		if table == "members" {
			keys, source = 2, "excluded."
		}
		var names []string
		for i, column := range columnsEnd.Split(list, -1) {
			name, _, _ := strings.Cut(column, " ")
			switch alias := strings.TrimSpace(more); {
			case use == "set" && i >= keys:
				names = append(names, name+" = "+source+name)
			case use == "" && alias != "":
				names = append(names, alias+"."+name)
			case use == "":
				names = append(names, name)
			}
		}
		return strings.Join(names, ", ")
	})
}

var (
	columnsMark   = regexp.MustCompile(`\{(?:(set|rows) )?(\w+)([^}]*)\}`)
	arrayMark     = regexp.MustCompile(`\$\d+::(\w+\[\])`)
	limitMark     = regexp.MustCompile(`LIMIT (\$\d+::bigint)`)
	rowsMark      = regexp.MustCompile(`\{rows ([^}]*)\}`)
	parameterMark = regexp.MustCompile(`\$(\d+)`)
	columnsEnd    = regexp.MustCompile(`,\s*`)
)

// rowSources writes {rows a text, b bigint} as a row of two parameters and as
// rows of two array parameters, behind those that the text names. {count} is the parameter behind them.
func rowSources(text string) (one, many string) {
	found := rowsMark.FindStringSubmatch(text)
	if found == nil {
		return text, text
	}
	before := 0
	for _, mark := range parameterMark.FindAllStringSubmatch(text, -1) {
		n, _ := strconv.Atoi(mark[1])
		before = max(before, n)
	}
	columns := columnsEnd.Split(found[1], -1)
	heads, values, lists := make([]string, len(columns)), make([]string, len(columns)), make([]string, len(columns))
	for i, column := range columns {
		name, typ, _ := strings.Cut(column, " ")
		heads[i] = name
		values[i] = fmt.Sprintf("$%d::%s", before+i+1, typ)
		lists[i] = fmt.Sprintf("$%d::%s[]", before+i+1, typ)
	}
	head := " x(" + strings.Join(heads, ", ") + ")"
	count := fmt.Sprintf("$%d::bigint", before+len(columns)+1)
	source := func(list string) string {
		return strings.ReplaceAll(strings.Replace(text, found[0], list+head, 1), "{count}", count)
	}
	return source("(VALUES (" + strings.Join(values, ", ") + "))"), source("unnest(" + strings.Join(lists, ", ") + ")")
}

// The columns of the rows, in the order in which rows.go reads them.
const (
	// teamRow is a row t of a team and the list of its people, in no order. To set up
	// an aggregate would cost more, even where there is no team.
	teamRow = `t, array_to_string(ARRAY(
				SELECT tm."user" FROM roomkit_team_members tm WHERE tm.team = t.id), ' ')`

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
	// Each statement sees what has been committed before it begins.
	beginFollowing: `BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY`,
	endTx:          `COMMIT`,

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
			FROM roomkit_teams t WHERE t.id = ANY(ARRAY(SELECT r.company || ' ' || r.team FROM r WHERE r.kind = 'team'))`,
	// One person in one room: as loadFacts, with the companies of both, which come once if they are one.
	loadOne: `SELECT r, m, u, o, h FROM (SELECT) one LEFT JOIN roomkit_rooms r ON r.id = $1::uuid LEFT JOIN roomkit_users u ON u.id = $2::text
			LEFT JOIN roomkit_members m ON m.room = $1::uuid AND m."user" = $2::text LEFT JOIN roomkit_companies o ON o.id = r.company
			LEFT JOIN roomkit_companies h ON h.id = u.company AND r.company IS DISTINCT FROM u.company`,
	// Pairs of a room and a user, where no room brings more: as loadFacts, with the room and its company in
	// the first row of each. Nothing is joined, so that everything is looked up, however small the tables are at first.
	loadPairs: `SELECT CASE WHEN f.first THEN f.r END, f.m, f.u,
				CASE WHEN f.first THEN (SELECT c FROM roomkit_companies c WHERE c.id = (f.r).company) END,
				CASE WHEN (f.u).company IS DISTINCT FROM (f.r).company THEN (SELECT c FROM roomkit_companies c WHERE c.id = (f.u).company) END
			FROM (SELECT x.first, (SELECT r FROM roomkit_rooms r WHERE r.id = x.room) AS r,
					(SELECT m FROM roomkit_members m WHERE m.room = x.room AND m."user" = x."user") AS m,
					(SELECT u FROM roomkit_users u WHERE u.id = x."user") AS u
				FROM unnest($1::uuid[], $2::text[], $3::boolean[]) x(room, "user", first) OFFSET 0) f`,
	loadCrowd: `WITH p AS MATERIALIZED (
				SELECT o.room, o."user" FROM roomkit_members o WHERE o.room = ANY($1::uuid[]) AND o.master
				UNION
				SELECT o.room, o."user" FROM unnest($2::uuid[]) everybody(room) CROSS JOIN LATERAL (
					SELECT a.room, a."user" FROM roomkit_members a
					WHERE a.room = everybody.room AND (a.participant OR a.master) ORDER BY a."user" LIMIT $3::bigint) o
				UNION
				SELECT led.room, t.leader FROM unnest($4::text[], $5::uuid[]) led(team, room) JOIN roomkit_teams t ON t.id = led.team
				WHERE t.leader IS NOT NULL
				UNION
				SELECT o.room, o."user" FROM unnest($6::uuid[], $7::bigint[]) first(room, n)
					CROSS JOIN LATERAL (SELECT FROM roomkit_rooms l WHERE l.id = first.room AND l.name IS NULL LIMIT 1) unnamed
					CROSS JOIN LATERAL (
					SELECT a.room, a."user" FROM roomkit_members a
					WHERE a.room = first.room AND (a.participant OR a.master) AND a.participant ORDER BY a."user" LIMIT first.n) o
			), u AS MATERIALIZED (
				SELECT l AS whole, l.company FROM roomkit_users l WHERE l.id = ANY(ARRAY(SELECT p."user" FROM p))
			), k AS (SELECT u.company FROM u) ` + peopleRows,
	loadTeams:     `SELECT ` + teamRow + ` FROM roomkit_teams t WHERE t.id = ANY($1::text[])`,
	loadCompanies: `SELECT c FROM roomkit_companies c WHERE c.id = ANY($1::text[])`,
	loadNames: `SELECT r.company, r.name_key, r.id FROM unnest($1::text[], $2::text[]) n(company, name_key)
			JOIN roomkit_rooms r ON r.company = n.company AND r.name_key = n.name_key AND r.name_key IS NOT NULL AND r.state = 'active'`,
	loadCheckpoints: `SELECT k.name, k.cursor FROM roomkit_checkpoints k WHERE k.name = ANY($1::text[])`,
	loadCommands: `SELECT d.id, d.digest, d.room, d.changed, current_setting('synchronous_standby_names') <> '' AND NOT pg_is_in_recovery(),
				d.events, e.position, e.subject, e.room, e.id, e.version, e.type, e.at
			FROM roomkit_commands d LEFT JOIN roomkit_records e ON e.command = d.id
			WHERE d.id = ANY($1::uuid[]) ORDER BY d.id, e.position`,
	loadExact: `SELECT {rooms r} FROM roomkit_rooms r
			WHERE r.digest = $1::bytea AND r.state = 'active' AND r.id > $3::uuid
				AND (SELECT count(*) FROM roomkit_members o
					WHERE o.room = r.id AND o."user" = ANY($2::text[]) AND o.participant) = cardinality($2::text[])
				AND NOT EXISTS (SELECT FROM roomkit_members o WHERE o.room = r.id AND (o.participant OR o.master) AND o.participant
					AND o."user" <> ALL($2::text[]))
				AND ($4::text[] IS NULL OR r.kind = ANY($4::text[]))
			ORDER BY r.digest, r.id LIMIT $5::bigint`,
	loadMore: fewestRooms + `SELECT {rooms r} FROM roomkit_members m` + roomOfRow + `
			WHERE ` + ofFewest + `
				AND r.state = 'active' AND ` + tookPart + `
				AND (SELECT true FROM roomkit_members o WHERE o.room = m.room AND (o.participant OR o.master) AND o.participant
					AND o."user" <> ALL($2::text[]) LIMIT 1)
				AND ($3::text[] IS NULL OR r.kind = ANY($3::text[]))
			ORDER BY m."user", m.room LIMIT $4::bigint`,
	pageOfShared: fewestRooms + `SELECT {rooms r} FROM roomkit_members m` + roomOfRow + `
			WHERE ` + ofFewest + `
				AND r.state = 'active' AND ` + tookPart + `
				AND ($3::text[] IS NULL OR r.kind = ANY($3::text[]))
			ORDER BY m."user", m.room LIMIT $4::bigint`,

	// A page begins behind a point of the index and goes on in its order. That it
	// stays with one room, user or company is said as a range: the planner would
	// take an equality for so few rows that it might read and sort all of them.
	pageOfPresent: `SELECT {members m} FROM roomkit_members m
			WHERE (m.room, m."user") > ($1::uuid, $2::text) AND m.room <= $1::uuid AND (m.participant OR m.master) ORDER BY m.room, m."user" LIMIT $3::bigint`,
	pageOfParticipants: `SELECT {members m} FROM roomkit_members m
			WHERE (m.room, m."user") > ($1::uuid, $2::text) AND m.room <= $1::uuid AND (m.participant OR m.master) AND m.participant
			ORDER BY m.room, m."user" LIMIT $3::bigint`,
	pageOfMasters: `SELECT {members m} FROM roomkit_members m
			WHERE (m.room, m."user") > ($1::uuid, $2::text) AND m.room <= $1::uuid AND m.master ORDER BY m.room, m."user" LIMIT $3::bigint`,
	pageOfAll: `SELECT {members m} FROM roomkit_members m
			WHERE (m.room, m."user") > ($1::uuid, $2::text) AND m.room <= $1::uuid ORDER BY m.room, m."user" LIMIT $3::bigint`,

	pageOfUsers: `SELECT {users u}, u.groups FROM roomkit_users u
			WHERE (u.company, u.id) > ($1::text, $2::text) AND u.company <= $1::text ORDER BY u.company, u.id LIMIT $3::bigint`,
	pageOfFree: `SELECT {users u}, u.groups FROM roomkit_users u
			WHERE u.company IS NULL AND u.id > $1::text ORDER BY u.company, u.id LIMIT $2::bigint`,
	pageOfTeams: `SELECT ` + teamRow + ` FROM roomkit_teams t
			WHERE (t.company, t.id) > ($1::text, $2::text) AND t.company <= $1::text ORDER BY t.company, t.id LIMIT $3::bigint`,

	pageOfUserRooms: `SELECT {rooms r}, {members m} FROM roomkit_members m` + roomOfRow + `
			WHERE (m."user", m.room) > ($1::text, $2::uuid) AND m."user" <= $1::text AND (m.participant OR m.master) AND r.state = 'active'
				AND (m.participant OR NOT $5::boolean) AND (m.master OR NOT $6::boolean)
				AND ($3::text[] IS NULL OR r.kind = ANY($3::text[]))
			ORDER BY m."user", m.room LIMIT $4::bigint`,
	pageOfPastRooms: `SELECT {rooms r}, {members m} FROM (
				(SELECT o."user", o.room FROM roomkit_members o JOIN roomkit_rooms q ON q.id = o.room
				WHERE (o."user", o.room) > ($1::text, $2::uuid) AND o."user" <= $1::text AND (o.participant OR o.master) AND ($3::text[] IS NULL OR q.kind = ANY($3::text[]))
				ORDER BY o."user", o.room LIMIT $4::bigint)
				UNION ALL
				(SELECT o."user", o.room FROM roomkit_members o JOIN roomkit_rooms q ON q.id = o.room
				WHERE (o."user", o.room) > ($1::text, $2::uuid) AND o."user" <= $1::text AND NOT (o.participant OR o.master) AND ($3::text[] IS NULL OR q.kind = ANY($3::text[]))
				ORDER BY o."user", o.room LIMIT $4::bigint)
			) p CROSS JOIN LATERAL (SELECT * FROM roomkit_members l WHERE l.room = p.room AND l."user" = p."user" LIMIT 1) m` + roomOfRow + `
			ORDER BY p.room LIMIT $4::bigint`,
	pageOfCompany: `SELECT {rooms r} FROM roomkit_rooms r
			WHERE (r.company, r.id) > ($1::text, $2::uuid) AND r.company <= $1::text AND r.state = 'active' AND ($3::text[] IS NULL OR r.kind = ANY($3::text[]))
			ORDER BY r.company, r.id LIMIT $4::bigint`,
	pageOfPublic: `SELECT {rooms r} FROM roomkit_rooms r
			WHERE (r.company, r.id) > ($1::text, $2::uuid) AND r.company <= $1::text AND r.state = 'active' AND r.public AND r.kind IN ('group', 'external_group')
				AND ($3::text[] IS NULL OR r.kind = ANY($3::text[]))
			ORDER BY r.company, r.id LIMIT $4::bigint`,

	// How far a feed can be read; see horizon. A standby does not know what is in flight.
	lastDrawn: `SELECT ` + drawn + `, CASE WHEN pg_is_in_recovery() THEN concat('` + saysStandby + `')::integer END`,
	// A lock has 40 bits of a place, so the place is the one of these that is not far ahead of the newest.
	oldestInFlight: `SELECT f.place, f.pid FROM (
				SELECT p.last_value + 16777216 - ((p.last_value + 16777216 - (((l.classid::bigint & 255) << 32) | l.objid::bigint)) & 1099511627775) AS place,
					l.pid::bigint AS pid
				FROM roomkit_places p, pg_locks l
				WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.granted AND l.classid::bigint >> 8 = {space}
					AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()) AND l.pid IS DISTINCT FROM pg_backend_pid()
			) f ORDER BY f.place LIMIT 1`,
	// A feed begins with the record that the cursor is behind.
	pageOfFeed: `SELECT e.position, {records e} FROM roomkit_records e WHERE e.position >= $1::bigint AND e.position > 0
			ORDER BY e.position LIMIT $2::bigint`,
	newestOfFeed: `SELECT e.position, {records e} FROM roomkit_records e WHERE e.position > 0 AND e.position <= $1::bigint ORDER BY e.position DESC LIMIT 1`,
	pageOfRoomHistory: `SELECT e.position, {records e} FROM roomkit_records e
			WHERE (e.room, e.version) > ($1::uuid, $2::bigint) AND e.room <= $1::uuid AND e.room IS NOT NULL ORDER BY e.room, e.version LIMIT $3::bigint`,
	pageOfHistory: `SELECT e.position, {records e} FROM roomkit_records e
			WHERE (e.id, e.subject, e.version) > ($1::text, $4::text, $2::bigint) AND (e.id, e.subject) <= ($1::text, $4::text)
				AND e.id IS NOT NULL
			ORDER BY e.id, e.subject, e.version LIMIT $3::bigint`,

	baseOf:        `SELECT b.subject, b.version, b.data FROM roomkit_bases b WHERE b.subject = $1::text ORDER BY b.subject, b.part`,
	versionOfBase: `SELECT b.version FROM roomkit_bases b WHERE b.subject = $1::text AND b.part = 1`,
	// The first record before a place of those commands that have some behind it, too.
	firstStraddling: `SELECT coalesce(min(f.position), 0) FROM roomkit_records e CROSS JOIN LATERAL (
				SELECT o.position FROM roomkit_records o WHERE o.command = e.command AND o.position > 0 AND o.position <= $1::bigint) f
			WHERE e.position > $1::bigint`,
	pageOfBases: `SELECT b.subject, b.version, b.data FROM roomkit_bases b WHERE b.subject > $1::text AND b.subject <= (SELECT max(w.subject) FROM (
				SELECT n.subject FROM roomkit_bases n WHERE n.subject > $1::text AND n.part = 1 ORDER BY n.subject LIMIT $2::bigint
			) w)
			ORDER BY b.subject, b.part`,

	// Whatever was acknowledged before lies before this place of the log.
	askMark: `SELECT (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::bigint,
				('x' || left(pg_walfile_name(pg_current_wal_flush_lsn()), 8))::bit(32)::bigint,
				(extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint,
				current_setting('synchronous_standby_names'), current_setting('synchronous_commit')`,
	countSenders: `SELECT (SELECT count(*) FROM pg_stat_replication p WHERE lower(p.application_name) = lower($1::text) AND p.state = 'streaming'
					AND p.sync_state IN ('sync', 'quorum')),
				(SELECT count(*) FROM pg_stat_replication p WHERE p.state IS NULL),
				(SELECT c.system_identifier FROM pg_control_system() c),
				(pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::bigint, coalesce(newest.position, 0), newest.command
			FROM (SELECT) one LEFT JOIN (
				SELECT e.position, e.command FROM roomkit_records e WHERE e.position > 0 ORDER BY e.position DESC LIMIT 1) newest ON true`,
	nameReader: `SELECT pg_is_in_recovery(), coalesce(w.pid, 0)::bigint, coalesce(w.conninfo, ''), (SELECT c.system_identifier FROM pg_control_system() c)
			FROM (SELECT) one LEFT JOIN pg_stat_wal_receiver w ON true`,
	// It is a snapshot of its own, for the place may be later than a snapshot.
	proveReader: `SELECT pg_is_in_recovery(), coalesce(pg_last_wal_replay_lsn() - '0/0'::pg_lsn, 0)::bigint,
				coalesce((SELECT w.received_tli FROM pg_stat_wal_receiver w), 0)::bigint`,
	isWitness: `SELECT EXISTS (SELECT FROM roomkit_meta m WHERE {ours})
				AND ($1::bigint = 0 OR EXISTS (SELECT FROM roomkit_records e WHERE e.position = $1::bigint AND e.command = $2::uuid))`,
}

// failure makes a statement fail on purpose.
const (
	failure = `concat('roomkit: not as expected, will be judged again')::integer`
	allDone = `SELECT CASE WHEN count(*) <> {count} THEN ` + failure + ` END FROM done`
)

// What a commit relies on besides rows is not what New once saw but what the commit
// finds. What does not hold is said by a text that is no number, too; see saidBy.
const (
	saysReplaced = "roomkit: other tables than those that were opened"
	saysWeak     = "roomkit: fsync is off"
	saysTrigger  = "roomkit: the trigger is missing or off"
	saysBehind   = "roomkit: the sequence of places is behind the records"
	saysStandby  = "roomkit: a standby has no feed"

	// ours tells the tables that were opened from others of the same name.
	ours = `m.only_row AND m.epoch = '%s' AND m.lock_key = %d`
	// demandTables and demandPlaces fail unless these are the tables that were opened, and no record is behind
	// place, which somebody has drawn last: what the statement sees has drawn its places before it began.
	demandTables = `CASE WHEN NOT EXISTS (SELECT FROM roomkit_meta m WHERE {ours}) THEN concat('` + saysReplaced + `')::integer END`
	demandPlaces = `CASE WHEN (SELECT true FROM roomkit_records e WHERE e.position > n.place ORDER BY e.position LIMIT 1) THEN concat('` + saysBehind + `')::integer END`
	indexes      = `set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)`
	briefly      = `set_config('lock_timeout', '25ms', true)`
	longer       = `set_config('lock_timeout', '250ms', true)`
	// drawn is the last place that somebody has drawn. A SELECT from the sequence itself looks
	// at it without the lock of who draws, and may see up to 32 places more.
	drawn = `coalesce(pg_sequence_last_value('roomkit_places'::regclass), 0)`
	// peopleChanged and placesChanged hold if something relied on has changed.
	peopleChanged = `EXISTS (SELECT FROM unnest($1::boolean[], $2::text[], $3::bigint[]) x(company, id, version) WHERE x.version <> coalesce(CASE
					WHEN x.company THEN (SELECT c.version FROM roomkit_companies c WHERE c.id = x.id)
					ELSE (SELECT u.version FROM roomkit_users u WHERE u.id = x.id) END, 0))`
	placesChanged = `EXISTS (SELECT FROM unnest($1::uuid[], $2::bigint[]) x(id, version)
					WHERE x.version <> coalesce((SELECT r.version FROM roomkit_rooms r WHERE r.id = x.id), 0))
				OR EXISTS (SELECT FROM unnest($3::text[], $4::bigint[]) x(id, version)
					WHERE x.version <> coalesce((SELECT t.version FROM roomkit_teams t WHERE t.id = x.id), 0))`
	// durable demands that a commit is acknowledged only when it survives a crash, whatever
	// the settings are by now, and that it is told if a standby was not waited for.
	durable = `, set_config('client_min_messages', 'warning', true),
			set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, true),
			CASE WHEN current_setting('fsync') = 'off' THEN concat('` + saysWeak + `')::integer END`
)

// writeTexts are the statements of commits. Where what a change expects does
// not hold, a statement fails on purpose, with a text that is no number: that ends
// the transaction without another round trip. Rows are locked table by table in one order, companies,
// teams, users, rooms, and in the order of ids within a table.
var writeTexts = map[int]string{
	// Whether it may write is for the settings of the connection to say.
	beginWriting: `BEGIN ISOLATION LEVEL READ COMMITTED`,
	// A connection keeps the plans that it has made while the tables were small, so
	// they must not be for small tables.
	byIndex: `SELECT ` + indexes,
	// Who waits longer for a row than others take to commit does so for a transaction
	// of a host, and while it does, a lane of the service stands still. What it waited
	// for would have changed anyway.
	waitBriefly: `SELECT ` + briefly,
	writeOne:    `SELECT ` + indexes + `, ` + briefly,
	// Plans for many rows are made once on each connection, and not for the tables
	// of that moment: every statement goes by an index, however small they were.
	writeMany: `SELECT set_config('plan_cache_mode', 'force_generic_plan', true),
			set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true), ` + indexes + `, ` + briefly,
	// A company of which only the count changes is held by others who make groups in it, in
	// turn, and seldom by a transaction of a host.
	waitLonger: `SELECT ` + longer,

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

	insertCompanies: `INSERT INTO roomkit_companies ({companies}) SELECT * FROM {rows companies}`,
	updateCompanies: `WITH done AS (
				UPDATE roomkit_companies c SET {set companies} FROM {rows companies, was bigint}
				WHERE c.id = x.id AND c.version = x.was RETURNING 1) ` + allDone,
	insertTeams: `INSERT INTO roomkit_teams ({teams}) SELECT * FROM {rows teams}`,
	updateTeams: `WITH done AS (
				UPDATE roomkit_teams t SET {set teams} FROM {rows teams, was bigint}
				WHERE t.id = x.id AND t.version = x.was RETURNING 1) ` + allDone,
	deleteTeamMembers: `DELETE FROM roomkit_team_members m WHERE m.team = ANY($1::text[])
			AND NOT EXISTS (SELECT FROM unnest($2::text[], $3::text[]) x(team, member) WHERE x.team = m.team AND x.member = m."user")`,
	insertTeamMembers: `INSERT INTO roomkit_team_members (team, "user") SELECT * FROM unnest($1::text[], $2::text[])
			ON CONFLICT DO NOTHING`,
	insertUsers: `INSERT INTO roomkit_users ({users}) SELECT * FROM {rows users}`,
	updateUsers: `WITH done AS (
				UPDATE roomkit_users u SET {set users} FROM {rows users, was bigint}
				WHERE u.id = x.id AND u.version = x.was RETURNING 1) ` + allDone,

	// Rooms give up their names before others take them.
	freeNames: `UPDATE roomkit_rooms SET name_key = NULL WHERE id = ANY($1::uuid[])`,
	updateRooms: `WITH done AS (
				UPDATE roomkit_rooms r SET {set rooms} FROM {rows rooms, keeps boolean, held text, was bigint}
				WHERE r.id = x.id AND r.version = x.was AND (NOT x.keeps OR r.state <> 'active' OR r.name_key IS NULL
					OR r.name_key = x.held AND r.company = x.company) RETURNING 1) ` + allDone,
	insertRooms: `INSERT INTO roomkit_rooms ({rooms}) SELECT * FROM {rows rooms}`,
	putMembers: `INSERT INTO roomkit_members AS m ({members}) SELECT * FROM {rows members}
			ON CONFLICT (room, "user") DO UPDATE SET {set members}`,

	tallyUsers: `WITH done AS (
				UPDATE roomkit_users u SET groups = u.groups + x.delta FROM {rows id text, least bigint, most bigint, delta bigint}
				WHERE u.id = x.id AND u.groups BETWEEN x.least AND x.most RETURNING 1) ` + allDone,
	tallyCompanies: `WITH done AS (
				UPDATE roomkit_companies c SET groups = c.groups + x.delta FROM {rows id text, least bigint, most bigint, delta bigint}
				WHERE c.id = x.id AND c.groups BETWEEN x.least AND x.most RETURNING 1) ` + allDone,
	putCheckpoints: `WITH x AS (SELECT * FROM {rows name text, was text, now text}), done AS (
				INSERT INTO roomkit_checkpoints AS k (name, cursor)
				SELECT x.name, x.now FROM x
				WHERE x.was = '' OR EXISTS (SELECT FROM roomkit_checkpoints o WHERE o.name = x.name AND o.cursor = x.was)
				ON CONFLICT (name) DO UPDATE SET cursor = excluded.cursor
				WHERE k.cursor = (SELECT x.was FROM x WHERE x.name = k.name)
				RETURNING 1) ` + allDone,

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

	insertCommands: `INSERT INTO roomkit_commands ({commands}) SELECT * FROM {rows commands}`,

	// What is written and what is relied on; see subjectLocks. Rows are locked before, and who
	// holds these locks waits for nobody's row, so it may wait for them as long as it takes; but not
	// for a table, as the next statement does when an index is made. Then nobody's row is waited for any more, only
	// now and then for a file that somebody makes longer.
	// Everybody takes the first one shared: who takes it alone lets nobody commit.
	lockSubjects: `WITH first AS MATERIALIZED (SELECT set_config('lock_timeout', '0', true) AS forever{durable}, pg_advisory_xact_lock_shared($1::bigint)),
			held AS MATERIALIZED (SELECT count(*) FROM first, unnest($2::bigint[], $3::boolean[]) k(key, alone)
				WHERE CASE WHEN first.forever IS NULL THEN NULL WHEN k.alone THEN pg_advisory_xact_lock(k.key) ELSE pg_advisory_xact_lock_shared(k.key) END IS NULL)
			SELECT ` + longer + ` FROM held`,
	checkPeople: `SELECT CASE WHEN ` + peopleChanged + ` THEN ` + failure + ` END`,
	checkPlaces: `SELECT CASE WHEN ` + placesChanged + ` THEN ` + failure + ` END`,
	// It also says that from now on places behind the newest one are drawn; see horizon.
	insertRecords: `WITH entered AS MATERIALIZED (
				SELECT CASE WHEN ` + peopleChanged + ` THEN ` + failure + ` END, ` + demandTables + `,
					pg_advisory_xact_lock_shared(({space} * 256 + ((n.place >> 32) & 255))::integer, (((n.place & 4294967295) # 2147483648) - 2147483648)::integer),
					` + demandPlaces + `
				FROM (SELECT ` + drawn + ` AS place) n)
			INSERT INTO roomkit_records (position, {records}) SELECT nextval('roomkit_places'), x.* FROM entered, {rows records} RETURNING position`,
	checkStore: `SELECT ` + demandTables,
	// Behind the commit, since to notify takes a lock that would be held over the flush.
	// Followers that want to be woken hold the lock, shared. It is given up at once, and not with the transaction, or those
	// who commit at the same time would think that somebody listens; and in one expression, since between two a
	// cancelled statement would leave it behind.
	wakeOthers:    `SELECT pg_notify($2::text, '') WHERE CASE WHEN pg_try_advisory_lock($1::bigint) THEN NOT pg_advisory_unlock($1::bigint) ELSE true END`,
	demandDurable: `SELECT true{durable}`,
	// A commit of its own behind others, which waits for standbys as they should have.
	emitMessage: `SELECT pg_logical_emit_message(true, 'roomkit', '')`,
	// A standby, to which the pool may have gone, knows nothing of it.
	isGone: `SELECT NOT pg_is_in_recovery() AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1::bigint)`,

	// Somebody keeps others from writing to a table, as CREATE INDEX does. The error does
	// not tell that from a row that is held.
	isTableLocked: `SELECT EXISTS (SELECT FROM pg_locks l WHERE l.locktype = 'relation' AND l.granted
			AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
			AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
			AND l.relation = ANY(ARRAY['roomkit_rooms', 'roomkit_members', 'roomkit_users', 'roomkit_companies', 'roomkit_teams',
				'roomkit_team_members', 'roomkit_records', 'roomkit_commands', 'roomkit_checkpoints', 'roomkit_bases', 'roomkit_meta']::regclass[]))`,

	// Inside the transaction of a host.
	parkRecords: `INSERT INTO roomkit_records (position, {records}) SELECT nextval('roomkit_waiting'), x.* FROM {rows records}`,
	// What was added to counts so far.
	readParked: `SELECT p.subject, p.room, p.id, sum(p.delta)::bigint FROM roomkit_pending p
			WHERE p.xid = pg_current_xact_id_if_assigned() AND p.delta IS NOT NULL
			GROUP BY p.subject, p.room, p.id`,
	parkTallies: `INSERT INTO roomkit_pending (subject, room, id, least, most, delta)
			SELECT * FROM {rows subject text, room uuid, id text, least bigint, most bigint, delta bigint}`,
	// What endMembers takes from the users' rows is no change by somebody else.
	lowerParked: `UPDATE roomkit_pending p SET least = p.least - ended.n, most = p.most - ended.n
			FROM (SELECT m."user", count(*) AS n FROM unnest($1::uuid[]) x(room)
				JOIN roomkit_members m ON m.room = x.room AND m.participant GROUP BY m."user") ended
			WHERE p.xid = pg_current_xact_id() AND p.delta IS NOT NULL AND p.subject = 'user' AND p.id = ended."user"`,
	// Something else than what is replaced now stays, and fails the transaction.
	replaceRelied: `DELETE FROM roomkit_pending p USING {rows subject text, room uuid, id text, was bigint}
			WHERE p.xid = pg_current_xact_id() AND p.subject = x.subject AND p.room IS NOT DISTINCT FROM x.room
				AND p.id IS NOT DISTINCT FROM x.id AND p.version = x.was`,
	addRelied: `INSERT INTO roomkit_pending (subject, room, id, version)
			SELECT x.* FROM {rows subject text, room uuid, id text, version bigint} WHERE NOT EXISTS (
				SELECT FROM roomkit_pending p WHERE p.xid = pg_current_xact_id() AND p.subject = x.subject AND p.room IS NOT DISTINCT FROM x.room
					AND p.id IS NOT DISTINCT FROM x.id AND p.version = x.version)`,
	addCommands: `INSERT INTO roomkit_pending (command) SELECT c FROM unnest($1::uuid[]) c WHERE NOT EXISTS (
				SELECT FROM roomkit_pending p WHERE p.xid = pg_current_xact_id() AND p.command = c)`,
	// Since the transaction has written to the table, nobody takes the trigger away before
	// its end.
	checkTrigger: `SELECT CASE WHEN NOT EXISTS (` + isTrigger + `) THEN concat('` + saysTrigger + `')::integer END`,
}

// isTrigger finds the trigger that settles the commits inside a transaction of a host.
const isTrigger = `SELECT FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid
			WHERE t.tgrelid = 'roomkit_pending'::regclass AND t.tgname = '{prefix}settle' AND t.tgenabled = 'A' AND t.tginitdeferred
				AND f.proname = '{prefix}settle' AND f.pronamespace = (SELECT c.relnamespace FROM pg_class c WHERE c.oid = t.tgrelid)`
