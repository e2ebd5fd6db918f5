package pgstore_test

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

// byHand is what somebody would write for one kind of room without this library:
// tables of their own with the same uses (events by room and in one order,
// commands once, rooms of a user, rooms by their exact people), a round trip to
// read and one to write for each command, and a group commit for many callers.
type byHand struct {
	pool     *pgxpool.Pool
	queue    chan *handAdd
	commands atomic.Uint64
}

const handSchema = `
CREATE TABLE h_users (id text COLLATE "C" PRIMARY KEY, company text NOT NULL, active boolean NOT NULL);
CREATE TABLE h_rooms (id uuid PRIMARY KEY, company text NOT NULL, version bigint NOT NULL, participants bigint NOT NULL,
	digest bytea NOT NULL, name text, changed_at timestamptz NOT NULL);
CREATE INDEX h_digest ON h_rooms (digest, id);
CREATE TABLE h_members (room uuid NOT NULL, "user" text COLLATE "C" NOT NULL, company text NOT NULL, participant boolean NOT NULL,
	joined_at timestamptz NOT NULL, joined_version bigint NOT NULL, read_all boolean NOT NULL, PRIMARY KEY (room, "user"));
CREATE INDEX h_of_user ON h_members ("user", room) WHERE participant;
CREATE TABLE h_events (position bigint PRIMARY KEY, room uuid NOT NULL, version bigint NOT NULL, type text NOT NULL,
	at timestamptz NOT NULL, data bytea NOT NULL);
CREATE UNIQUE INDEX h_of_room ON h_events (room, version);
CREATE TABLE h_commands (id uuid PRIMARY KEY, position bigint NOT NULL);
CREATE TABLE h_counter (position bigint NOT NULL);
INSERT INTO h_counter VALUES (0);`

const (
	handLook = `SELECT r.id, a.id, u.id, r.version, r.participants, r.digest, r.company, a.company, a.active, u.company, u.active,
			coalesce(m.participant, false), coalesce(n.participant, false)
		FROM unnest($1::uuid[], $2::text[], $3::text[]) x(room, actor, who)
		JOIN h_rooms r ON r.id = x.room JOIN h_users a ON a.id = x.actor JOIN h_users u ON u.id = x.who
		LEFT JOIN h_members m ON m.room = r.id AND m."user" = a.id LEFT JOIN h_members n ON n.room = r.id AND n."user" = u.id`
	handLookOne = `SELECT r.version, r.participants, r.digest, r.company, a.company, a.active, u.company, u.active,
			coalesce(m.participant, false), coalesce(n.participant, false)
		FROM h_rooms r JOIN h_users a ON a.id = $2 JOIN h_users u ON u.id = $3
		LEFT JOIN h_members m ON m.room = r.id AND m."user" = a.id LEFT JOIN h_members n ON n.room = r.id AND n."user" = u.id
		WHERE r.id = $1`
	handAddOne = `WITH r AS (
			UPDATE h_rooms SET version = $2, participants = $3, digest = $4, changed_at = $5 WHERE id = $1 AND version = $2 - 1 RETURNING id
		), m AS (
			INSERT INTO h_members SELECT r.id, $6, $7, true, $5, $2, false FROM r
		), c AS (
			UPDATE h_counter SET position = position + 1 FROM r RETURNING position
		), e AS (
			INSERT INTO h_events SELECT c.position, r.id, $2, 'member.joined', $5, $8 FROM r, c
		)
		INSERT INTO h_commands SELECT $9, c.position FROM c`
	handLock   = `SELECT FROM h_rooms WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE`
	handUpdate = `WITH done AS (
			UPDATE h_rooms r SET version = x.version, participants = x.participants, digest = x.digest, changed_at = x.at
			FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[], $6::timestamptz[])
				x(id, was, version, participants, digest, at)
			WHERE r.id = x.id AND r.version = x.was RETURNING 1)
		SELECT 1 / (count(*) = cardinality($1::uuid[]))::int FROM done`
	handMembers = `INSERT INTO h_members SELECT x.room, x.who, 'acme', true, x.at, x.version, false
		FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::bigint[]) x(room, who, at, version)`
	handCounter = `UPDATE h_counter SET position = position + $1`
	handEvents  = `INSERT INTO h_events SELECT c.position - cardinality($1::uuid[]) + x.n, x.room, x.version, 'member.joined', x.at, x.data
		FROM h_counter c, unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::bytea[]) WITH ORDINALITY x(room, version, at, data, n)`
	handCommands = `INSERT INTO h_commands SELECT x.id, c.position - cardinality($1::uuid[]) + x.n
		FROM h_counter c, unnest($1::uuid[]) WITH ORDINALITY x(id, n)`
)

func newByHand(tb testing.TB, pool *pgxpool.Pool, schema string) *byHand {
	tb.Helper()
	config := pool.Config()
	config.ConnConfig.RuntimeParams["search_path"] = schema
	own, err := pgxpool.NewWithConfig(tb.Context(), config)
	require.NoError(tb, err)
	tb.Cleanup(own.Close)
	_, err = own.Exec(tb.Context(), handSchema, pgx.QueryExecModeSimpleProtocol)
	require.NoError(tb, err)
	return &byHand{pool: own}
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
		{`INSERT INTO h_users SELECT unnest($1::text[]), 'acme', true`, []any{names}},
		{`INSERT INTO h_rooms SELECT unnest($1::uuid[]), 'acme', 2, 3, $2, NULL, now()`, []any{ids, digest[:]}},
		{`INSERT INTO h_members SELECT r, u, 'acme', true, now(), 1, true FROM unnest($1::uuid[]) r, unnest($2::text[]) u`, []any{ids, names[:3]}},
		{`ANALYZE h_users, h_rooms, h_members`, nil},
	} {
		_, err := h.pool.Exec(tb.Context(), fill.text, fill.args...)
		require.NoError(tb, err)
	}
}

type handAdd struct {
	room       roomkit.RoomID
	actor, who roomkit.UserID
	err        error
	done       chan struct{}
}

// handState is what one command knows.
type handState struct {
	version, participants                  int64
	digest                                 []byte
	company, actorCompany, whoCompany      string
	actorActive, whoActive, actorIn, whoIn bool
}

func (s *handState) fields() []any {
	return []any{&s.version, &s.participants, &s.digest, &s.company, &s.actorCompany, &s.actorActive, &s.whoCompany, &s.whoActive, &s.actorIn, &s.whoIn}
}

var errRefused = errors.New("refused")

func (s *handState) allowed() error {
	if !s.actorActive || !s.whoActive || s.actorCompany != s.company || s.whoCompany != s.company || !s.actorIn || s.whoIn {
		return errRefused
	}
	return nil
}

// add runs one command on its own: two round trips.
func (h *byHand) add(ctx context.Context, a *handAdd) error {
	var s handState
	if err := h.pool.QueryRow(ctx, handLookOne, [16]byte(a.room), string(a.actor), string(a.who)).Scan(s.fields()...); err != nil {
		return err
	}
	if err := s.allowed(); err != nil {
		return err
	}
	now := time.Now()
	digest := roomkit.SetDigest(s.digest).With(a.who)
	command := h.command()
	tag, err := h.pool.Exec(ctx, handAddOne, [16]byte(a.room), s.version+1, s.participants+1, digest[:], now, string(a.who), s.whoCompany,
		handEvent(a, command, s.version+1, s.participants+1, now), command)
	if err == nil && tag.RowsAffected() != 1 {
		err = errors.New("conflict")
	}
	return err
}

func (h *byHand) command() (id [16]byte) {
	binary.BigEndian.PutUint64(id[:], h.commands.Add(1))
	return id
}

func handEvent(a *handAdd, command roomkit.CommandID, version, participants int64, now time.Time) []byte {
	data := make([]byte, 0, 320)
	data = append(data, `{"type":"member.joined","v":1,"room":"`...)
	data = append(data, a.room.String()...)
	data = append(data, `","version":`...)
	data = strconv.AppendInt(data, version, 10)
	data = append(data, `,"at":`...)
	data = strconv.AppendInt(data, now.UnixMicro(), 10)
	data = append(data, `,"actor":"`...)
	data = append(data, a.actor...)
	data = append(data, `","command":"`...)
	data = append(data, command.String()...)
	data = append(data, `","cause":"invited","kind":"general","people":[{"user":"`...)
	data = append(data, a.who...)
	data = append(data, `","company":"acme"}],"counts":{"participants":`...)
	data = strconv.AppendInt(data, participants, 10)
	return append(data, `}}`...)
}

// serve runs the commands of many callers, all that wait in one transaction.
func (h *byHand) serve(ctx context.Context) {
	for first := range h.queue {
		group := []*handAdd{first}
		for more := true; more && len(group) < 256; {
			select {
			case a := <-h.queue:
				if more = a != nil; more {
					group = append(group, a)
				}
			default:
				more = false
			}
		}
		err := h.addAll(ctx, group)
		for _, a := range group {
			a.err = errors.Join(a.err, err)
			a.done <- struct{}{}
		}
	}
}

type handKey struct {
	room roomkit.RoomID
	who  roomkit.UserID
}

// look reads what a group needs in one round trip.
func (h *byHand) look(ctx context.Context, group []*handAdd) (map[handKey]*handState, error) {
	rooms, actors, people := make([][16]byte, len(group)), make([]string, len(group)), make([]string, len(group))
	for i, a := range group {
		rooms[i], actors[i], people[i] = a.room, string(a.actor), string(a.who)
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
		var actor, who string
		if err := rows.Scan(append([]any{&room, &actor, &who}, s.fields()...)...); err != nil {
			return nil, err
		}
		states[handKey{room, roomkit.UserID(who)}] = &s
	}
	return states, rows.Err()
}

// addAll runs a group: a round trip to read, and one to write.
func (h *byHand) addAll(ctx context.Context, group []*handAdd) error {
	states, err := h.look(ctx, group)
	if err != nil {
		return err
	}
	type final struct {
		was, version, participants int64
		digest                     roomkit.SetDigest
	}
	rooms := map[roomkit.RoomID]*final{}
	now := time.Now()
	var added, commands [][16]byte
	var people []string
	var versions []int64
	var times []time.Time
	var events [][]byte
	for _, a := range group {
		s := states[handKey{a.room, a.who}]
		if a.err = s.allowed(); a.err != nil {
			continue
		}
		f := rooms[a.room]
		if f == nil {
			f = &final{was: s.version, version: s.version, participants: s.participants, digest: roomkit.SetDigest(s.digest)}
			rooms[a.room] = f
		}
		f.version, f.participants, f.digest = f.version+1, f.participants+1, f.digest.With(a.who)
		command := h.command()
		added, people, commands = append(added, a.room), append(people, string(a.who)), append(commands, command)
		versions, times = append(versions, f.version), append(times, now)
		events = append(events, handEvent(a, command, f.version, f.participants, now))
	}
	ids := make([][16]byte, 0, len(rooms))
	for id := range rooms {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b [16]byte) int { return slices.Compare(a[:], b[:]) })
	var was, version, participants []int64
	var digests [][]byte
	var changed []time.Time
	for _, id := range ids {
		f := rooms[id]
		was, version, participants = append(was, f.was), append(version, f.version), append(participants, f.participants)
		digests, changed = append(digests, f.digest[:]), append(changed, now)
	}
	b := &pgx.Batch{}
	b.Queue("BEGIN")
	if len(ids) > 1 {
		b.Queue(handLock, ids)
	}
	b.Queue(handUpdate, ids, was, version, participants, digests, changed)
	b.Queue(handMembers, added, people, times, versions)
	b.Queue(handCounter, len(added))
	b.Queue(handEvents, added, versions, times, events)
	b.Queue(handCommands, commands)
	b.Queue("COMMIT")
	return h.pool.SendBatch(ctx, b).Close()
}
