package pgstore

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/jackc/pgx/v5"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
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
// a company's switches, is compared when the transaction commits, and so are the
// numbers of groups of companies and users, which it changes only then. If
// something of it has changed, tx.Commit fails with SQLSTATE 40001 and the host
// has to run the transaction again. (As always with transactions that lock several
// rows, 40P01 is another reason to.) The end of a group is different: it lowers the
// numbers of those who took part at once, and their rows are locked from then on.
//
// SET CONSTRAINTS ALL IMMEDIATE and PREPARE TRANSACTION make all other commits wait
// for the rest of the transaction.
func (s *Store) InTx(tx pgx.Tx) store.Store {
	t := &txStore{base: s.base, tx: tx}
	t.inTx = true
	t.reading = t.onTx
	return t
}

// onTx runs something that only reads.
func (s *txStore) onTx(ctx context.Context, do func(*pgx.Conn) error) error {
	if err := ctx.Err(); err != nil {
		return classify(ctx, err)
	}
	return classify(ctx, s.guarded(ctx, func() error { return do(s.tx.Conn()) }))
}

// guarded runs something so that an error does not end the host's transaction. It
// prepares nothing itself, so that it can run it again where the server has forgotten
// what was prepared.
func (s *txStore) guarded(ctx context.Context, do func() error) error {
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
	var undone error
	if err != nil {
		undone = s.undo(ctx)
	}
	_, forgotten := conn.Exec(ctx, `RELEASE SAVEPOINT roomkit`).ReadAll()
	return errors.Join(err, undone, forgotten)
}

func (s *txStore) undo(ctx context.Context) error {
	_, err := s.tx.Conn().PgConn().Exec(ctx, `ROLLBACK TO SAVEPOINT roomkit`).ReadAll()
	return err
}

// Load implements [roomkit.Store]. It reads until two answers agree, because the
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
	return nil, conflict("what was to be loaded kept changing")
}

// Commit implements [roomkit.Store].
func (s *txStore) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	return commitAll(ctx, changes, s.commitSome)
}

func (s *txStore) commitSome(ctx context.Context, changes []store.Change, never *store.Refusals) ([]store.CommitResult, error) {
	var err error
	for range maxTries {
		var p *plan
		err = s.guarded(ctx, func() (err error) {
			p, err = s.park(ctx, changes, never)
			return err
		})
		switch {
		case err == nil:
			return p.results(&s.base, never), nil
		case mismatch(err) || again(err):
			continue
		}
		err = classify(ctx, err)
		switch {
		case !errors.Is(err, roomkit.ErrInvalid):
			return nil, err
		case len(changes) == 1:
			return refused(changes, never, err), nil
		}
		return s.commitSome(ctx, changes[:len(changes)/2], never)
	}
	return nil, classify(ctx, err)
}

// park judges changes and writes those that hold. Their records wait for their
// places, and what they relied on for being compared, until the host commits.
func (s *txStore) park(ctx context.Context, changes []store.Change, never *store.Refusals) (*plan, error) {
	p, err := s.judge(ctx, s.tx.Conn(), &trip{sql: s.sql}, changes, never)
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
			of := b.names.readSubject(r)
			parked[of] = r.int()
		})
	}
	return parked
}

func addParked(parked map[roomkit.Subject]int64, users map[roomkit.UserID]*roomkit.User, companies map[roomkit.CompanyID]*roomkit.Company) {
	for of, n := range parked {
		if u := users[roomkit.UserID(of.ID)]; u != nil && of.Type == roomkit.SubjectUser {
			u.Groups += n
		}
		if c := companies[roomkit.CompanyID(of.ID)]; c != nil && of.Type == roomkit.SubjectCompany {
			c.Groups += n
		}
	}
}

// parkTallies adds what takes the place of writing counts inside a transaction of
// the host: what their rows have to hold when it commits, and what they get then.
func (p *plan) parkTallies(t *trip) {
	var tallied []roomkit.Subject
	var counts []*count
	for id, c := range p.companyTallies {
		tallied, counts = append(tallied, roomkit.CompanySubject(id)), append(counts, c)
	}
	for id, c := range p.userTallies {
		tallied, counts = append(tallied, roomkit.UserSubject(id)), append(counts, c)
	}
	if n := len(tallied); n > 0 {
		a := bindSubjects(of(n), n, func(i int) *roomkit.Subject { return &tallied[i] })
		a.ints(n, func(i int) int64 { return counts[i].was - p.known.parked[tallied[i]] })
		t.add(parkTallies, a.ints(n, func(i int) int64 { return counts[i].now - counts[i].was }), nil)
	}
	if groups := p.endingGroups(); len(groups) > 0 {
		t.add(lowerParked, uuidList(arrays(), groups), nil)
	}
}

// park adds what takes the place of publish inside a transaction of the host.
func (p *plan) park(t *trip) {
	if n := len(p.records); n > 0 {
		t.add(parkRecords, bindRecords(of(n), p.records), nil)
	}
	var writes []roomkit.Subject
	var relied []store.Expect
	for subject, v := range p.base {
		if _, ok := p.writtenVersion(&subject); ok {
			writes = append(writes, subject)
		} else {
			relied = append(relied, store.Expect{Subject: subject, Version: v})
		}
	}
	if n := len(writes); n > 0 { // earlier commits of the transaction relied on them as they were until now
		a := bindSubjects(of(n), n, func(i int) *roomkit.Subject { return &writes[i] })
		t.add(replaceRelied, a.ints(n, func(i int) int64 { return int64(p.base[writes[i]]) }), nil)
	}
	if n := len(relied); n > 0 {
		a := bindSubjects(of(n), n, func(i int) *roomkit.Subject { return &relied[i].Subject })
		t.add(addRelied, a.ints(n, func(i int) int64 { return int64(relied[i].Version) }), nil)
	}
	commands := make([]roomkit.CommandID, len(p.stored))
	for i, f := range p.stored {
		commands[i] = f.change.Command
	}
	t.add(addCommands, uuidList(arrays(), commands), nil) // with them the trigger is due
}
