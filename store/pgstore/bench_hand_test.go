package pgstore_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
)

// byHand is what somebody would write for one kind of room without this library:
// tables of their own with the same uses (events by room and in one order,
// commands once, rooms of a user, rooms by their exact people), a round trip to
// read and one to write for each command, and a group commit for many callers.
//
// It gives the same promises: it compares the versions of everybody and of the
// company that a decision relied on, and does so while it holds the counter, since
// a comparison in the statement that waits for a lock would see what was before.
// It takes back people who were in the room before. Its plans are generic and go
// by indexes, as those of the library; memberships are looked up one by one, since
// a join is planned for the room as it was and reads all of one that has grown.
type byHand struct {
	pool     *pgxpool.Pool // for commands
	readers  *pgxpool.Pool // with the settings of the server
	commands atomic.Uint64
}

var handSettings = map[string]string{
	"plan_cache_mode": "force_generic_plan", "enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off", "jit": "off",
}

const handSchema = `
CREATE TABLE h_companies (id text COLLATE "C" PRIMARY KEY, version bigint NOT NULL, core boolean NOT NULL);
CREATE TABLE h_users (id text COLLATE "C" PRIMARY KEY, version bigint NOT NULL, company text COLLATE "C" NOT NULL, active boolean NOT NULL);
CREATE TABLE h_rooms (id uuid PRIMARY KEY, company text COLLATE "C" NOT NULL, active boolean NOT NULL, version bigint NOT NULL,
	participants bigint NOT NULL, digest bytea NOT NULL, name text, changed_at timestamptz NOT NULL);
CREATE INDEX h_digest ON h_rooms (digest, id);
CREATE TABLE h_members (room uuid NOT NULL, "user" text COLLATE "C" NOT NULL, company text NOT NULL, participant boolean NOT NULL,
	joined_at timestamptz NOT NULL, joined_version bigint NOT NULL, read_all boolean NOT NULL, PRIMARY KEY (room, "user"));
CREATE INDEX h_of_user ON h_members ("user", room) WHERE participant;
CREATE TABLE h_events (position bigint PRIMARY KEY, room uuid NOT NULL, version bigint NOT NULL, type text NOT NULL,
	at timestamptz NOT NULL, data bytea NOT NULL);
CREATE UNIQUE INDEX h_of_room ON h_events (room, version);
CREATE TABLE h_commands (id uuid PRIMARY KEY, digest bytea NOT NULL, room uuid NOT NULL, position bigint NOT NULL);
CREATE TABLE h_counter (position bigint NOT NULL);
INSERT INTO h_counter VALUES (0);`

const (
	handFacts = `r.version, r.participants, r.digest, r.active, r.company, c.version, c.core, a.company, a.version, a.active,
			u.company, u.version, u.active,
			coalesce((SELECT m.participant FROM h_members m WHERE m.room = r.id AND m."user" = a.id), false),
			coalesce((SELECT m.participant FROM h_members m WHERE m.room = r.id AND m."user" = u.id), false)`

	handLook = `SELECT r.id, u.id, ` + handFacts + ` FROM unnest($1::uuid[], $2::text[], $3::text[]) x(room, actor, who)
		JOIN h_rooms r ON r.id = x.room JOIN h_companies c ON c.id = r.company JOIN h_users a ON a.id = x.actor JOIN h_users u ON u.id = x.who`
	handLookOne = `SELECT ` + handFacts + ` FROM h_rooms r JOIN h_companies c ON c.id = r.company JOIN h_users a ON a.id = $2
		JOIN h_users u ON u.id = $3 WHERE r.id = $1`

	// Without the room's version the position stays taken, and handStoreOne fails.
	handMoveOne = `WITH r AS (
			UPDATE h_rooms SET version = $2, participants = $3, digest = $4, changed_at = $5 WHERE id = $1 AND version = $2 - 1 RETURNING id
		), m AS (
			INSERT INTO h_members SELECT r.id, $6, $7, true, $5, $2, false FROM r` + handAgain + `
		)
		UPDATE h_counter SET position = position + 1 FROM r`
	handStoreOne = `WITH e AS (
			INSERT INTO h_events SELECT c.position / (
				EXISTS (SELECT FROM h_users WHERE id = $5 AND version = $6) AND EXISTS (SELECT FROM h_users WHERE id = $7 AND version = $8)
				AND EXISTS (SELECT FROM h_companies WHERE id = $9 AND version = $10))::int, $1, $2, 'member.joined', $3, $4 FROM h_counter c RETURNING position
		)
		INSERT INTO h_commands SELECT $11, $12, $1, position FROM e`
	handAgain = ` ON CONFLICT (room, "user") DO UPDATE SET participant = true, joined_at = excluded.joined_at,
			joined_version = excluded.joined_version, read_all = excluded.read_all`

	handLock   = `SELECT FROM h_rooms WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE`
	handUpdate = `WITH done AS (
			UPDATE h_rooms r SET version = x.version, participants = x.participants, digest = x.digest, changed_at = x.at
			FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[], $6::timestamptz[])
				x(id, was, version, participants, digest, at)
			WHERE r.id = x.id AND r.version = x.was RETURNING 1)
		SELECT 1 / (count(*) = cardinality($1::uuid[]))::int FROM done`
	handMembers = `INSERT INTO h_members SELECT x.room, x.who, 'acme', true, x.at, x.version, false
		FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::bigint[]) x(room, who, at, version)` + handAgain
	handCounter = `UPDATE h_counter SET position = position + $1`
	handUsers   = `SELECT 1 / (count(*) = cardinality($1::text[]))::int FROM unnest($1::text[], $2::bigint[]) x(id, version)
		JOIN h_users u ON u.id = x.id AND u.version = x.version`
	handCompanies = `SELECT 1 / (count(*) = cardinality($1::text[]))::int FROM unnest($1::text[], $2::bigint[]) x(id, version)
		JOIN h_companies c ON c.id = x.id AND c.version = x.version`
	handEvents = `INSERT INTO h_events SELECT c.position - cardinality($1::uuid[]) + x.n, x.room, x.version, 'member.joined', x.at, x.data
		FROM h_counter c, unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::bytea[]) WITH ORDINALITY x(room, version, at, data, n)`
	handCommands = `INSERT INTO h_commands SELECT x.id, x.digest, x.room, c.position - cardinality($1::uuid[]) + x.n
		FROM h_counter c, unnest($1::uuid[], $2::bytea[], $3::uuid[]) WITH ORDINALITY x(id, digest, room, n)`
)

func newByHand(tb testing.TB, pool *pgxpool.Pool, schema string) *byHand {
	tb.Helper()
	open := func(settings map[string]string) *pgxpool.Pool {
		config := pool.Config()
		maps.Copy(config.ConnConfig.RuntimeParams, settings)
		config.ConnConfig.RuntimeParams["search_path"] = schema
		own, err := pgxpool.NewWithConfig(tb.Context(), config)
		require.NoError(tb, err)
		tb.Cleanup(own.Close)
		return own
	}
	h := &byHand{pool: open(handSettings), readers: open(nil)}
	_, err := h.pool.Exec(tb.Context(), handSchema, pgx.QueryExecModeSimpleProtocol)
	require.NoError(tb, err)
	return h
}

func (h *byHand) fill(tb testing.TB, rooms []roomkit.RoomID, users []roomkit.UserID) {
	tb.Helper()
	names, ids := make([]string, len(users)), make([][16]byte, len(rooms))
	for i, u := range users {
		names[i] = string(u)
	}
	for i, r := range rooms {
		ids[i] = r
	}
	digest := roomkit.DigestOf(users[:3]...)
	for _, fill := range []struct {
		text string
		args []any
	}{
		{`INSERT INTO h_companies VALUES ('acme', 1, true)`, nil},
		{`INSERT INTO h_users SELECT unnest($1::text[]), 1, 'acme', true`, []any{names}},
		{`INSERT INTO h_rooms SELECT unnest($1::uuid[]), 'acme', true, 2, 3, $2, NULL, now()`, []any{ids, digest[:]}},
		{`INSERT INTO h_members SELECT r, u, 'acme', true, now(), 1, true FROM unnest($1::uuid[]) r, unnest($2::text[]) u`, []any{ids, names[:3]}},
		{`ANALYZE h_companies, h_users, h_rooms, h_members`, nil},
	} {
		_, err := h.pool.Exec(tb.Context(), fill.text, fill.args...)
		require.NoError(tb, err)
	}
}

// handState is what one command knows.
type handState struct {
	version, participants, companyVersion, actorVersion, whoVersion int64
	digest                                                          []byte
	company, actorCompany, whoCompany                               string
	active, core, actorActive, whoActive, actorIn, whoIn            bool
}

func (s *handState) fields() []any {
	return []any{
		&s.version, &s.participants, &s.digest, &s.active, &s.company, &s.companyVersion, &s.core, &s.actorCompany, &s.actorVersion, &s.actorActive,
		&s.whoCompany, &s.whoVersion, &s.whoActive, &s.actorIn, &s.whoIn,
	}
}

func (s *handState) allowed() error {
	if !s.active || !s.core || !s.actorActive || !s.whoActive || s.actorCompany != s.company || s.whoCompany != s.company || !s.actorIn || s.whoIn {
		return sqltest.ErrRefused
	}
	return nil
}

// add runs one command on its own: two round trips, more if somebody was faster.
func (h *byHand) add(ctx context.Context, a *sqltest.HandAdd) error {
	for {
		var e *pgconn.PgError
		if err := h.addOnce(ctx, a); !errors.As(err, &e) || e.Code != "23505" && e.Code != "22012" {
			return err
		}
	}
}

func (h *byHand) addOnce(ctx context.Context, a *sqltest.HandAdd) error {
	var s handState
	if err := h.pool.QueryRow(ctx, handLookOne, [16]byte(a.Room), string(a.Actor), string(a.Who)).Scan(s.fields()...); err != nil {
		return err
	}
	if err := s.allowed(); err != nil {
		return err
	}
	now := time.Now()
	digest := roomkit.SetDigest(s.digest).With(a.Who)
	command, payload := h.command(), payloadOf(a)
	b := &pgx.Batch{}
	b.Queue("BEGIN")
	b.Queue(handMoveOne, [16]byte(a.Room), s.version+1, s.participants+1, digest[:], now, string(a.Who), s.whoCompany)
	b.Queue(handStoreOne, [16]byte(a.Room), s.version+1, now, a.Event(command, s.version+1, s.participants+1, now),
		string(a.Actor), s.actorVersion, string(a.Who), s.whoVersion, s.company, s.companyVersion, command, payload[:])
	b.Queue("COMMIT")
	return h.pool.SendBatch(ctx, b).Close()
}

// payloadOf is what tells whether a command that comes again is the same.
func payloadOf(a *sqltest.HandAdd) [32]byte {
	return sha256.Sum256([]byte(a.Room.String() + string(a.Actor+a.Who)))
}

func (h *byHand) command() (id [16]byte) {
	binary.BigEndian.PutUint64(id[:], h.commands.Add(1))
	return id
}

type handKey struct {
	room roomkit.RoomID
	who  roomkit.UserID
}

// look reads what a group needs in one round trip.
func (h *byHand) look(ctx context.Context, group []*sqltest.HandAdd) (map[handKey]*handState, error) {
	rooms, actors, people := make([][16]byte, len(group)), make([]string, len(group)), make([]string, len(group))
	for i, a := range group {
		rooms[i], actors[i], people[i] = a.Room, string(a.Actor), string(a.Who)
	}
	rows, err := h.pool.Query(ctx, handLook, rooms, actors, people)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	states := make(map[handKey]*handState, len(group))
	for rows.Next() {
		var s handState
		var room [16]byte
		var who string
		if err := rows.Scan(append([]any{&room, &who}, s.fields()...)...); err != nil {
			return nil, err
		}
		states[handKey{room, roomkit.UserID(who)}] = &s
	}
	return states, rows.Err()
}

// handGroup is what a group writes, column by column.
type handGroup struct {
	rooms            map[roomkit.RoomID]*handRoomNow
	users            map[string]int64 // versions relied on
	companies        map[string]int64
	added, commands  [][16]byte
	people           []string
	versions         []int64
	times            []time.Time
	events, payloads [][]byte
}

type handRoomNow struct {
	was, version, participants int64
	digest                     roomkit.SetDigest
}

// addAll runs a group: a round trip to read, and one to write.
func (h *byHand) addAll(ctx context.Context, group []*sqltest.HandAdd) error {
	states, err := h.look(ctx, group)
	if err != nil {
		return err
	}
	g := handGroup{rooms: map[roomkit.RoomID]*handRoomNow{}, users: map[string]int64{}, companies: map[string]int64{}}
	now := time.Now()
	for _, a := range group {
		s := states[handKey{a.Room, a.Who}]
		if a.Err = s.allowed(); a.Err == nil {
			g.add(a, s, h.command(), now)
		}
	}
	return h.pool.SendBatch(ctx, g.batch(now)).Close()
}

func (g *handGroup) add(a *sqltest.HandAdd, s *handState, command [16]byte, now time.Time) {
	r := g.rooms[a.Room]
	if r == nil {
		r = &handRoomNow{was: s.version, version: s.version, participants: s.participants, digest: roomkit.SetDigest(s.digest)}
		g.rooms[a.Room] = r
	}
	r.version, r.participants, r.digest = r.version+1, r.participants+1, r.digest.With(a.Who)
	g.users[string(a.Actor)], g.users[string(a.Who)], g.companies[s.company] = s.actorVersion, s.whoVersion, s.companyVersion
	g.added, g.people, g.commands = append(g.added, a.Room), append(g.people, string(a.Who)), append(g.commands, command)
	g.versions, g.times = append(g.versions, r.version), append(g.times, now)
	payload := payloadOf(a)
	g.events = append(g.events, a.Event(command, r.version, r.participants, now))
	g.payloads = append(g.payloads, payload[:])
}

func (g *handGroup) batch(now time.Time) *pgx.Batch {
	ids := make([][16]byte, 0, len(g.rooms))
	for id := range g.rooms {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b [16]byte) int { return slices.Compare(a[:], b[:]) })
	var was, version, participants []int64
	var digests [][]byte
	var changed []time.Time
	for _, id := range ids {
		r := g.rooms[id]
		was, version, participants = append(was, r.was), append(version, r.version), append(participants, r.participants)
		digests, changed = append(digests, r.digest[:]), append(changed, now)
	}
	b := &pgx.Batch{}
	b.Queue("BEGIN")
	if len(ids) > 1 {
		b.Queue(handLock, ids)
	}
	b.Queue(handUpdate, ids, was, version, participants, digests, changed)
	b.Queue(handMembers, g.added, g.people, g.times, g.versions)
	b.Queue(handCounter, len(g.added))
	users, userVersions := columns(g.users)
	b.Queue(handUsers, users, userVersions)
	companies, companyVersions := columns(g.companies)
	b.Queue(handCompanies, companies, companyVersions)
	b.Queue(handEvents, g.added, g.versions, g.times, g.events)
	b.Queue(handCommands, g.commands, g.payloads, g.added)
	b.Queue("COMMIT")
	return b
}

func columns(m map[string]int64) (ids []string, versions []int64) {
	for id, version := range m {
		ids, versions = append(ids, id), append(versions, version)
	}
	return ids, versions
}
