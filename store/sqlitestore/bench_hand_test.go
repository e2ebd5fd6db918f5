package sqlitestore_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store/internal/sqltest"
)

// byHand is what somebody would write for one kind of room without this library:
// tables of their own with the same uses (events by room and in order, commands
// once, with what tells a repeat from another command under the same id; rooms of a
// user, rooms by their exact people), the same questions (is the company a customer,
// are both active and of it, is the one in and the other not), one transaction for each
// command, and a group commit for many callers.
type byHand struct {
	db                               *sql.DB
	look, room, member, event, claim *sql.Stmt
	commands                         uint64
}

const handSchema = `
CREATE TABLE h_companies (id TEXT PRIMARY KEY, core INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO h_companies VALUES ('acme', 1);
CREATE TABLE h_users (id TEXT PRIMARY KEY, company TEXT NOT NULL, active INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE h_rooms (id BLOB PRIMARY KEY, company TEXT NOT NULL, version INTEGER NOT NULL, participants INTEGER NOT NULL,
	digest BLOB NOT NULL, name TEXT, changed_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX h_digest ON h_rooms (digest, id);
CREATE TABLE h_members (room BLOB NOT NULL, user TEXT NOT NULL, company TEXT NOT NULL, participant INTEGER NOT NULL, joined_at INTEGER NOT NULL,
	joined_version INTEGER NOT NULL, read_all INTEGER NOT NULL, PRIMARY KEY (room, user)) WITHOUT ROWID;
CREATE INDEX h_of_user ON h_members (user, room) WHERE participant;
CREATE TABLE h_events (position INTEGER PRIMARY KEY, room BLOB NOT NULL, version INTEGER NOT NULL, type TEXT NOT NULL, at INTEGER NOT NULL, data BLOB NOT NULL);
CREATE UNIQUE INDEX h_of_room ON h_events (room, version);
CREATE TABLE h_commands (id BLOB PRIMARY KEY, digest BLOB NOT NULL, position INTEGER NOT NULL) WITHOUT ROWID;`

// The cache is larger than the library's, because SQLite shares the pages of all
// caches in a process: the library's connections would take them away from the one
// here, which then reads the file.
func newByHand(tb testing.TB) *byHand {
	tb.Helper()
	h := &byHand{db: handle(tb, newPath(tb), "_journal_mode=wal", "_txlock=immediate", "_pragma=cache_size(-128000)")}
	h.db.SetMaxOpenConns(1)
	mustExec(tb, h.db, handSchema)
	for text, st := range map[string]**sql.Stmt{
		`SELECT r.version, r.participants, r.digest, r.company, a.company, a.active, u.company, u.active, c.core, coalesce(m.participant, 0), coalesce(n.participant, 0)
			FROM h_rooms r JOIN h_companies c ON c.id = r.company JOIN h_users a ON a.id = ?2 JOIN h_users u ON u.id = ?3
			LEFT JOIN h_members m ON m.room = r.id AND m.user = a.id LEFT JOIN h_members n ON n.room = r.id AND n.user = u.id WHERE r.id = ?1`: &h.look,
		`UPDATE h_rooms SET version = ?, participants = ?, digest = ?, changed_at = ? WHERE id = ?`: &h.room,
		`INSERT OR REPLACE INTO h_members VALUES (?, ?, ?, 1, ?, ?, ?)`:                             &h.member,
		`INSERT INTO h_events (room, version, type, at, data) VALUES (?, ?, 'member.joined', ?, ?)`: &h.event,
		`INSERT INTO h_commands VALUES (?, ?, ?)`:                                                   &h.claim,
	} {
		var err error
		*st, err = h.db.Prepare(text)
		require.NoError(tb, err)
	}
	return h
}

func (h *byHand) fill(tb testing.TB, rooms []roomkit.RoomID, users []roomkit.UserID) {
	tb.Helper()
	tx, err := h.db.Begin()
	require.NoError(tb, err)
	for _, u := range users {
		_, err := tx.Exec("INSERT INTO h_users VALUES (?, 'acme', 1)", string(u))
		require.NoError(tb, err)
	}
	digest := roomkit.DigestOf(users[0], users[1], users[2])
	for _, r := range rooms {
		_, err := tx.Exec("INSERT INTO h_rooms VALUES (?, 'acme', 2, 3, ?, NULL, 0)", r[:], digest[:])
		require.NoError(tb, err)
		for _, u := range users[:3] {
			_, err := h.stmt(tx, h.member).Exec(r[:], string(u), "acme", 0, 1, 1)
			require.NoError(tb, err)
		}
	}
	require.NoError(tb, tx.Commit())
}

func (h *byHand) stmt(tx *sql.Tx, st *sql.Stmt) *sql.Stmt {
	return tx.StmtContext(context.Background(), st)
}

// bound are the statements of one transaction.
type bound struct{ look, room, member, event, claim *sql.Stmt }

func (h *byHand) bind(tx *sql.Tx) bound {
	return bound{h.stmt(tx, h.look), h.stmt(tx, h.room), h.stmt(tx, h.member), h.stmt(tx, h.event), h.stmt(tx, h.claim)}
}

// add runs one command in a transaction of its own.
func (h *byHand) add(ctx context.Context, a *sqltest.HandAdd) error {
	tx, err := h.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	b := h.bind(tx)
	if err := h.addIn(ctx, &b, a); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

func (h *byHand) addIn(ctx context.Context, b *bound, a *sqltest.HandAdd) error {
	var version, participants int64
	var digest []byte
	var company, actorCompany, whoCompany string
	var actorActive, whoActive, core, actorIn, whoIn bool
	err := b.look.QueryRowContext(ctx, a.Room[:], string(a.Actor), string(a.Who)).Scan(&version, &participants, &digest, &company,
		&actorCompany, &actorActive, &whoCompany, &whoActive, &core, &actorIn, &whoIn)
	if err != nil {
		return err
	}
	if !actorActive || !whoActive || !core || actorCompany != company || whoCompany != company || !actorIn || whoIn {
		return sqltest.ErrRefused
	}
	now := time.Now()
	version, participants = version+1, participants+1
	next := roomkit.SetDigest(digest).With(a.Who)
	if _, err := b.room.ExecContext(ctx, version, participants, next[:], now.UnixMicro(), a.Room[:]); err != nil {
		return err
	}
	if _, err := b.member.ExecContext(ctx, a.Room[:], string(a.Who), whoCompany, now.UnixMicro(), version, 0); err != nil {
		return err
	}
	command := h.command()
	result, err := b.event.ExecContext(ctx, a.Room[:], version, now.UnixMicro(), a.Event(command, version, participants, now))
	if err != nil {
		return err
	}
	position, err := result.LastInsertId()
	if err != nil {
		return err
	}
	payload := sha256.Sum256(append(append(a.Room[:], a.Actor...), a.Who...))
	_, err = b.claim.ExecContext(ctx, command[:], payload[:], position)
	return err
}

func (h *byHand) command() (id roomkit.CommandID) {
	h.commands++
	binary.BigEndian.PutUint64(id[:], h.commands)
	return id
}

// addAll runs commands in one transaction.
func (h *byHand) addAll(ctx context.Context, group []*sqltest.HandAdd) error {
	tx, err := h.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	b := h.bind(tx)
	for _, a := range group {
		if a.Err = h.addIn(ctx, &b, a); a.Err != nil && !errors.Is(a.Err, sqltest.ErrRefused) {
			return errors.Join(a.Err, tx.Rollback())
		}
	}
	return tx.Commit()
}
