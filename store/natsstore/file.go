package natsstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// file is a copy that remembers how far it has applied the log: in one row, which is written in
// the transaction that writes the data.
type file struct {
	db     *sql.DB
	copy   fileCopy
	from   place // where to read the log from, to know what later messages are compared with
	marked place // what the file says
	writes int   // since the journal was emptied
}

// fileCopy is a copy that can be part of a transaction.
type fileCopy interface {
	InTx(tx *sql.Tx) store.Store
}

const createMark = `CREATE TABLE IF NOT EXISTS natsstore_mark (
	-- How far this copy has applied the log, in one row.
	only_row   INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1), -- always 1
	log        TEXT NOT NULL,    -- which log
	seq        INTEGER NOT NULL, -- the sequence number of the last message that was applied
	chain      BLOB NOT NULL,    -- a hash of all messages up to there
	results    BLOB NOT NULL,    -- a hash of what this copy has made of them
	head       INTEGER NOT NULL, -- the number of the newest record that came of them
	from_seq   INTEGER NOT NULL, -- from where on the log is read again when the copy is opened
	from_chain BLOB NOT NULL     -- a hash of all messages up to there
) STRICT`

const (
	readMark    = `SELECT log, seq, chain, results, head, from_seq, from_chain FROM natsstore_mark WHERE only_row = 1`
	makeMark    = `INSERT OR IGNORE INTO natsstore_mark (only_row, log, seq, chain, results, head, from_seq, from_chain) VALUES (1, ?, 0, ?, ?, 0, 0, ?)`
	moveMark    = `UPDATE natsstore_mark SET seq = ?, chain = ?, from_seq = ?, from_chain = ? WHERE only_row = 1 AND log = ? AND seq = ? AND chain = ?`
	fillMark    = `INSERT OR REPLACE INTO natsstore_mark (only_row, log, seq, chain, results, head, from_seq, from_chain) VALUES (1, ?, -1, x'', x'', 0, -1, x'')`
	filledMark  = `UPDATE natsstore_mark SET seq = ?, chain = ?, results = ?, head = ?, from_seq = ?, from_chain = ? WHERE only_row = 1 AND log = ? AND seq = -1`
	markResults = `UPDATE natsstore_mark SET results = ?, head = ? WHERE only_row = 1`
)

// open finds out how far the file has applied the log, or that it is half filled from a snapshot.
func (a *applier) open(ctx context.Context, s *Store, empty bool) (half bool, err error) {
	copied, ok := s.copy.(fileCopy)
	if !ok {
		return false, invalid("File", "the copy has no InTx(*sql.Tx) store.Store")
	}
	a.file = &file{db: s.o.File, copy: copied, from: a.read}
	if _, err := a.file.db.ExecContext(ctx, createMark); err != nil {
		return false, fmt.Errorf("%w: the copy's file: %w", roomkit.ErrUnavailable, err)
	}
	log, at, from, err := a.file.mark(ctx)
	switch {
	case errors.Is(err, sql.ErrNoRows) && empty:
		a.file.marked = a.target
		_, err := a.file.db.ExecContext(ctx, makeMark, s.log.String(), a.target.chain[:], a.target.results[:], a.target.chain[:])
		return false, err
	case errors.Is(err, sql.ErrNoRows):
		return false, fmt.Errorf("%w: the file has data that are of no log", ErrOtherLog)
	case errors.Is(err, errHalf) && log == s.log.String():
		return true, nil
	case log != s.log.String():
		return false, fmt.Errorf("%w: the file is one of the log %s, not %v", ErrOtherLog, log, s.log)
	case err != nil:
		return false, err
	}
	a.target, a.read = at, from
	a.file.from, a.file.marked = a.read, a.target
	return false, s.demandHead(nil, at.head)
}

// errHalf says that a file was being filled from a snapshot when its process ended.
var errHalf = errors.New("the file is half filled")

// fill replaces what the file holds. A mark says so in between, so that half of it is never taken for
// the whole.
func (f *file) fill(ctx context.Context, s *Store, at, from place, parts iter.Seq2[*store.Contents, error]) error {
	if _, err := f.db.ExecContext(ctx, fillMark, s.log.String()); err != nil {
		return err
	}
	if err := s.copy.Fill(ctx, parts); err != nil {
		return err
	}
	done, err := f.db.ExecContext(ctx, filledMark, int64(at.seq), at.chain[:], at.results[:], at.head, int64(from.seq), from.chain[:], s.log.String())
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n != 1 {
		return errTwoOnFile
	}
	f.from, f.marked = from, at
	return nil
}

// mark gives what the file says of itself.
func (f *file) mark(ctx context.Context) (log string, at, from place, err error) {
	var seq, head, fromSeq int64
	var chained, fromChain, made []byte
	err = f.db.QueryRowContext(ctx, readMark).Scan(&log, &seq, &chained, &made, &head, &fromSeq, &fromChain)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return log, at, from, err
	case err != nil:
		return log, at, from, fmt.Errorf("%w: the copy's file: %w", roomkit.ErrUnavailable, err)
	case seq == -1:
		return log, at, from, errHalf
	case len(chained) != len(chain{}) || len(fromChain) != len(chain{}) || len(made) != len(results{}) || fromSeq < 0 || fromSeq > seq:
		return log, at, from, fmt.Errorf("%w: its mark is damaged", ErrOtherLog)
	}
	return log, place{uint64(seq), chain(chained), results(made), head}, place{seq: uint64(fromSeq), chain: chain(fromChain)}, nil
}

// idleMark is after how many messages that do nothing the mark is moved all the same.
const idleMark = 1000

// idle reports whether messages do nothing, so that the file need not be written for them.
func (f *file) idle(actions []action) bool {
	for i := range actions {
		if b := actions[i].of; b != nil && (b.kind != kindCalls || len(b.calls) > 0) {
			return false
		}
	}
	return actions[len(actions)-1].at.seq < f.marked.seq+idleMark
}

// write applies messages in one transaction, those with a body of their own alone.
func (f *file) write(s *Store, actions []action) (done []result, err error) {
	n := 0
	for n < len(actions) && (actions[n].of == nil || actions[n].of.kind == kindCalls) {
		n++
	}
	if n == 0 {
		return f.writeAlone(s, &actions[0])
	}
	return f.writeCalls(s, actions[:n])
}

func (f *file) writeCalls(s *Store, actions []action) (done []result, err error) {
	tx, err := f.db.BeginTx(context.Background(), nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }() // nothing after a commit
	at := actions[len(actions)-1].at
	if err := f.move(s, tx, at); err != nil {
		return nil, err
	}
	if done, err = s.carry(f.copy.InTx(tx), actions); err != nil {
		return nil, err
	}
	at = actions[len(actions)-1].at // with the results
	if _, err := tx.Exec(markResults, at.results[:], at.head); err != nil {
		return nil, err
	}
	if err := tx.Commit(); err != nil {
		return nil, f.resolve(err, at)
	}
	f.marked = at
	f.tidy()
	return done, nil
}

// writeAlone applies a message in a transaction of the copy's own, and then moves the mark. What
// such messages do can be done again.
func (f *file) writeAlone(s *Store, act *action) (done []result, err error) {
	alone := []action{*act}
	if done, err = s.carry(nil, alone); err != nil {
		return nil, err
	}
	act.at = alone[0].at // with the results
	tx, err := f.db.BeginTx(context.Background(), nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }() // nothing after a commit
	if err := f.move(s, tx, act.at); err != nil {
		return nil, err
	}
	if err := tx.Commit(); err != nil {
		return nil, err
	}
	f.marked = act.at
	return done, nil
}

// move writes how far the log is applied, if the file is as far as this store has brought it.
func (f *file) move(s *Store, tx *sql.Tx, at place) error {
	if at.seq-f.from.seq >= 2*window-1 {
		if back := s.applier.slot(at.seq - window); back.seq == at.seq-window {
			f.from = back.place
		}
	}
	done, err := tx.Exec(moveMark, int64(at.seq), at.chain[:], int64(f.from.seq), f.from.chain[:],
		s.log.String(), int64(f.marked.seq), f.marked.chain[:])
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n != 1 {
		return errTwoOnFile
	}
	return nil
}

var errTwoOnFile = fmt.Errorf("%w: another process applies the log to this file; every process needs one of its own", ErrOtherLog)

// resolve finds out whether a transaction whose end failed is there: then the copy has to be opened
// anew, because what it has answered is not known.
func (f *file) resolve(failure error, at place) error {
	_, is, _, err := f.mark(context.Background())
	if err == nil && is.seq >= at.seq {
		return fmt.Errorf("%w: the copy's file has failed; open it anew: %w", roomkit.ErrUnsupported, failure)
	}
	return failure
}

// tidyAfter is after how many transactions the journal of the file is emptied.
const tidyAfter = 2000

// tidy empties the journal of the file now and then, which a file that is always read from
// does not do by itself. Failing is no failure.
func (f *file) tidy() {
	if f.writes++; f.writes >= tidyAfter {
		f.writes = 0
		_, _ = f.db.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
	}
}
