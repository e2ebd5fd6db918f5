package pgstore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/judge"
)

// txStore is a store inside a transaction of the host.
type txStore struct {
	base
	tx pgx.Tx
}

var _ store.Store = (*txStore)(nil)

// InTx gives a store whose loads and commits are part of a transaction of the
// host, which has to be READ COMMITTED. What it stores becomes visible, comes
// into the feed and is durable when that transaction commits, and is gone if it
// rolls back. Until then outcomes have no cursor. Use it for one goroutine, like
// the transaction.
//
// Writers of other rooms do not wait for the transaction; writers of the same
// rows do, and so does who wants to give a group the same name in the same
// company. Therefore what a command has relied on without writing it, for instance
// a company's switches, is compared when the transaction commits, and the numbers of
// groups of companies and users are added to only then. If something has changed that
// a command has relied on, or a limit of these numbers is reached, tx.Commit fails with
// SQLSTATE 40001 and the host has to run the transaction again. (As always with
// transactions that lock several rows, 40P01 is another reason to.) The end of a group is
// different: it lowers the numbers of those who took part at once, and their rows are
// locked from then on.
//
// SET CONSTRAINTS ALL IMMEDIATE and PREPARE TRANSACTION make all other commits wait
// for the rest of the transaction.
func (s *Store) InTx(tx pgx.Tx) store.Store {
	t := &txStore{base: s.base, tx: tx}
	t.inTx = true
	t.reading = t.onTx
	return t
}

// onTx runs something that only reads. Nothing is left of it, not even settings.
func (s *txStore) onTx(ctx context.Context, do func(*pgx.Conn) error) error {
	if err := ctx.Err(); err != nil {
		return classify(ctx, err)
	}
	return classify(ctx, s.guarded(ctx, func() error { return do(s.tx.Conn()) }, true))
}

// guarded runs something so that an error does not end the host's transaction. It
// prepares nothing itself, so that it can run it again where the server has forgotten
// what was prepared.
func (s *txStore) guarded(ctx context.Context, do func() error, reads bool) error {
	const mark = `SAVEPOINT roomkit; SELECT current_setting('transaction_isolation')`
	conn := s.tx.Conn().PgConn()
	said, err := conn.Exec(ctx, mark).ReadAll()
	if err != nil {
		return err
	}
	if err = do(); verdict(err) == stateForgotten {
		if err = s.undo(ctx); err == nil {
			err = s.tx.Conn().DeallocateAll(ctx)
		}
		if err == nil {
			err = do()
		}
	}
	if isolation := string(said[1].Rows[0][0]); err == nil && isolation != "read committed" {
		err = fmt.Errorf("%w, not %s", ErrIsolation, isolation)
	}
	var forgotten error
	if err != nil || reads {
		_, forgotten = conn.Exec(ctx, `ROLLBACK TO SAVEPOINT roomkit; RELEASE SAVEPOINT roomkit`).ReadAll()
	} else {
		_, forgotten = conn.Exec(ctx, `RELEASE SAVEPOINT roomkit`).ReadAll()
	}
	return errors.Join(err, forgotten)
}

func (s *txStore) undo(ctx context.Context) error {
	_, err := s.tx.Conn().PgConn().Exec(ctx, `ROLLBACK TO SAVEPOINT roomkit`).ReadAll()
	return err
}

// Load implements [store.Store]. It reads until two answers agree, because the
// statements of a READ COMMITTED transaction see different moments.
func (s *txStore) Load(ctx context.Context, needs []store.Need) ([]store.Facts, error) {
	facts, err := s.base.Load(ctx, needs)
	for range maxTries {
		if err != nil {
			return nil, err
		}
		before := facts
		if facts, err = s.base.Load(ctx, needs); err == nil && reflect.DeepEqual(before, facts) {
			return facts, nil
		}
	}
	return nil, fmt.Errorf("pgstore: %w: what was to be loaded kept changing", roomkit.ErrConflict)
}

// Commit implements [store.Store].
func (s *txStore) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	return commitAll(ctx, changes, s.commitSome)
}

func (s *txStore) commitSome(ctx context.Context, changes []store.Change, call *judge.Call) ([]store.CommitResult, error) {
	var err error
	for range maxTries {
		var p *plan
		err = s.guarded(ctx, func() (err error) {
			p, err = s.park(ctx, changes, call)
			return err
		}, false)
		switch {
		case err == nil:
			return p.finish(&s.base, call), nil
		case mismatch(err) || again(err):
			continue
		}
		err = classify(ctx, err)
		switch {
		case !errors.Is(err, roomkit.ErrInvalid):
			return nil, err
		case len(changes) == 1:
			return []store.CommitResult{call.Refuse(&changes[0], err)}, nil
		}
		return s.commitSome(ctx, changes[:len(changes)/2], call)
	}
	return nil, classify(ctx, err)
}

// park judges changes and writes those that hold. Their records wait for their
// places, and what they relied on for being compared, until the host commits.
func (s *txStore) park(ctx context.Context, changes []store.Change, call *judge.Call) (*plan, error) {
	p, err := s.judge(ctx, s.tx.Conn(), &trip{sql: s.sql}, changes, call)
	if err != nil || len(p.stored) == 0 {
		return p, err
	}
	t := &trip{sql: s.sql}
	p.writeCommands(t)
	p.writeRows(t)
	p.parkTallies(t)
	p.writeCheckpoints(t)
	p.writeEnds(t)
	p.park(t)
	return p, t.run(ctx, s.tx.Conn())
}

// askParked asks what earlier commits of a host's transaction have added to
// counts. The rows of users and companies do not have it yet.
func (b *base) askParked(t *trip) map[roomkit.Subject]int64 {
	parked := map[roomkit.Subject]int64{}
	if b.inTx { // nobody else sees any
		t.add(readParked, nil, func(r *row) {
			of := read(r, b.names.subject)
			parked[of] = r.int()
		})
	}
	return parked
}

// parkTallies adds what takes the place of writing counts inside a transaction of
// the host: what their rows have to hold when it commits, and what they get then.
func (p *plan) parkTallies(t *trip) {
	tallied := map[roomkit.Subject]*tally{}
	for id, c := range p.companyTallies {
		tallied[roomkit.CompanySubject(id)] = c
	}
	for id, c := range p.userTallies {
		tallied[roomkit.UserSubject(id)] = c
	}
	p.addSubjects(t, parkTallies, slices.Collect(maps.Keys(tallied)), func(f *fields, of *roomkit.Subject) {
		c := tallied[*of]
		least, most := shifted(c.least, -p.parked[*of]), shifted(c.most, -p.parked[*of])
		f.ints(&least, &most, &c.delta)
	})
	if groups := p.endingGroups(); len(groups) > 0 {
		t.add(lowerParked, uuids(new(args), groups), nil)
	}
}

// addSubjects adds a statement about subjects, each with something of its own.
func (p *plan) addSubjects(t *trip, number int, list []roomkit.Subject, more func(*fields, *roomkit.Subject)) {
	if len(list) > 0 {
		t.add(number, rows(len(list), func(i int) *roomkit.Subject { return &list[i] }, func(f *fields, of *roomkit.Subject) {
			p.names.subject(f, of)
			more(f, of)
		}), nil)
	}
}

// park adds what takes the place of publish inside a transaction of the host.
func (p *plan) park(t *trip) {
	if len(p.records) > 0 {
		t.add(parkRecords, p.recordRows(), nil)
	}
	var writes, relied []roomkit.Subject
	for of := range p.base {
		if p.writes(&of) {
			writes = append(writes, of)
		} else {
			relied = append(relied, of)
		}
	}
	version := func(f *fields, of *roomkit.Subject) {
		v := p.base[*of]
		f.version(&v)
	}
	p.addSubjects(t, replaceRelied, writes, version) // earlier commits of the transaction relied on them as they were until now
	p.addSubjects(t, addRelied, relied, version)
	t.add(addCommands, uuids(new(args), p.commands()), nil) // with them the trigger is due
	t.add(checkTrigger, nil, nil)
	t.add(checkStore, nil, nil)
	t.add(demandDurable, nil, nil)
}
