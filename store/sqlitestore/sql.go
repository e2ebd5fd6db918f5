package sqlitestore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
)

// handle is a database with its statements, which database/sql prepares once on
// every connection that needs them and closes with it.
type handle struct {
	db       *sql.DB
	text     [statementCount]string
	prepared [statementCount]atomic.Pointer[sql.Stmt]
	wanted   [statementCount]atomic.Bool // used in a transaction, but not yet prepared
	wants    atomic.Bool                 // any of wanted
}

// statement gives a prepared statement. If several prepare it at the same time
// one of them is kept.
func (h *handle) statement(ctx context.Context, id statement) (*sql.Stmt, error) {
	if st := h.prepared[id].Load(); st != nil {
		return st, nil
	}
	st, err := h.db.PrepareContext(ctx, h.text[id])
	if err != nil {
		return nil, err
	}
	if !h.prepared[id].CompareAndSwap(nil, st) {
		_ = st.Close()
	}
	return h.prepared[id].Load(), nil
}

func (h *handle) want(id statement) {
	h.wanted[id].Store(true)
	h.wants.Store(true)
}

// prepareWanted prepares what the transactions before have missed. It takes a
// connection of its own, which a transaction must not wait for.
func (h *handle) prepareWanted(ctx context.Context) error {
	if !h.wants.Swap(false) {
		return ctx.Err()
	}
	for id := range statementCount {
		if !h.wanted[id].Swap(false) {
			continue
		}
		if _, err := h.statement(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// idle reports whether a connection can be had at once, most likely.
func (h *handle) idle() bool {
	all := h.db.Stats()
	return all.MaxOpenConnections <= 0 || all.InUse < all.MaxOpenConnections
}

// read runs a statement on its own and gives each row. It ends between two rows when the
// context does.
func (s *base) read(ctx context.Context, id statement, each func(*row), args ...any) error {
	if s.alone != nil && len(args) > 0 {
		return s.alone(ctx, id, func(until context.Context, st *sql.Stmt, args []any) error {
			return collect(until, st, ctx.Err, each, args)
		}, args...)
	}
	t, err := s.begin(ctx, nil)
	if err != nil {
		return err
	}
	defer t.end()
	if t.conn == nil {
		return t.query(id, each, args...)
	}
	st, err := t.statement(id)
	if err == nil {
		err = collect(ctx, st, ctx.Err, each, args)
	}
	if ctx.Err() != nil {
		return ctx.Err() // an interrupted statement says so in many ways
	}
	return classify(err)
}

// first gives the only row that a statement has, if it has one.
func first(ctx context.Context, st *sql.Stmt, one func(*row), args []any) error {
	rows, err := st.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	if rows.Next() {
		var r row
		if err = r.scan(rows); err == nil {
			one(&r)
			err = r.err
		}
	}
	return errors.Join(err, rows.Close(), rows.Err())
}

// collect gives each row, as long as goOn has nothing against it.
func collect(ctx context.Context, st *sql.Stmt, goOn func() error, each func(*row), args []any) error {
	rows, err := st.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	var r row
	for rows.Next() {
		if err := cmp.Or(goOn(), r.scan(rows)); err != nil {
			return err
		}
		if each(&r); r.err != nil {
			return r.err
		}
	}
	return rows.Err()
}

// tx is a transaction that binds each statement once. Its statements are not
// given the caller's context: the driver would start a goroutine for each of them
// and interrupt the connection, which throws that away. None of them takes long,
// so it is enough to look at the context between them.
type tx struct {
	h     *handle
	conn  *sql.Conn // nil: the transaction is the host's
	tx    *sql.Tx
	ctx   context.Context // the caller's
	plain context.Context // the same, but it never ends
	bound []bound
	args  values        // room for those of a statement
	turn  chan struct{} // nil: nobody else waits for the end

	foreign bool // of another handle, which does not have the statements of this one
	failed  bool // a statement of the host's transaction has failed
}

// bound is a statement in a transaction.
type bound struct {
	id statement
	st *sql.Stmt
}

// begin waits for a connection as long as waiting lasts, which ends with ctx or before.
func (h *handle) begin(ctx, waiting context.Context, readOnly bool) (*tx, error) {
	t := &tx{h: h, ctx: ctx, plain: context.WithoutCancel(ctx)}
	err := h.prepareWanted(waiting)
	if err != nil {
		return nil, waited(waiting, h.db, err)
	}
	if t.conn, err = connect(waiting, h.db); err != nil {
		return nil, err
	}
	if t.tx, err = t.conn.BeginTx(t.plain, &sql.TxOptions{ReadOnly: readOnly}); err != nil {
		_ = t.conn.Close()
		return nil, classify(err)
	}
	return t, nil
}

// end gives the connection back; what was not committed is taken back.
func (t *tx) end() {
	if t.conn == nil {
		t.leave()
	} else {
		_ = t.tx.Rollback()
		_ = t.conn.Close()
	}
	if t.turn != nil {
		<-t.turn
	}
}

func (t *tx) statement(id statement) (*sql.Stmt, error) {
	if err := t.ctx.Err(); err != nil {
		return nil, err
	}
	for _, b := range t.bound { // a handful
		if b.id == id {
			return b.st, nil
		}
	}
	var err error
	b := bound{id: id}
	if st := t.h.prepared[id].Load(); st != nil && !t.foreign {
		b.st = t.tx.StmtContext(t.plain, st)
	} else {
		if st == nil {
			t.h.want(id)
		}
		b.st, err = t.tx.PrepareContext(t.plain, t.h.text[id])
	}
	if err != nil {
		t.failed = true
		return nil, classify(err)
	}
	t.bound = append(t.bound, b)
	return b.st, nil
}

func (t *tx) query(id statement, each func(*row), args ...any) error {
	st, err := t.statement(id)
	if err != nil {
		return err
	}
	err = collect(t.plain, st, t.plain.Err, each, args)
	t.failed = t.failed || err != nil
	return classify(err)
}

func (t *tx) exec(id statement, args ...any) (sql.Result, error) {
	st, err := t.statement(id)
	if err != nil {
		return nil, err
	}
	result, err := st.ExecContext(t.plain, args...)
	t.failed = t.failed || err != nil
	return result, classify(err)
}

// find runs a statement that takes any number of keys. Those of several columns
// stand one after another in keys.
func (t *tx) find(l list, keys []any, each func(*row)) error {
	return l.batches(keys, func(id statement, batch []any) error { return t.query(id, each, batch...) })
}

// batches cuts keys into batches for which there are statements.
func (l list) batches(keys []any, do func(id statement, batch []any) error) error {
	width := lists[l].width
	for len(keys) > 0 {
		id, n := l.fitting(len(keys) / width)
		batch := keys[:min(len(keys), n*width)]
		keys = keys[len(batch):]
		for len(batch) < n*width {
			batch = append(batch[:len(batch):len(batch)], nil) // finds nothing
		}
		if err := do(id, batch); err != nil {
			return err
		}
	}
	return nil
}

// part is one list of keys of a statement that takes several; width is how many
// keys a row of arguments has of it.
type part struct {
	keys  *values
	width int
}

// findParts runs such a statement until all keys are asked for.
func (t *tx) findParts(l list, parts []part, each func(*row)) error {
	for {
		most := 0
		for _, p := range parts {
			most = max(most, (len(*p.keys)+p.width-1)/p.width)
		}
		if most == 0 {
			return nil
		}
		id, n := l.fitting(most)
		args := slices.Grow(t.args[:0], n*lists[l].width)
		for _, p := range parts {
			some := min(n*p.width, len(*p.keys))
			args = append(args, (*p.keys)[:some]...)
			for range n*p.width - some {
				args = append(args, nil) // finds nothing
			}
			*p.keys = (*p.keys)[some:]
		}
		t.args = args
		if err := t.query(id, each, args...); err != nil {
			return err
		}
	}
}

// store runs a statement that writes any number of rows and gives the id of the
// last row, which has a meaning in tables of rowids.
func (t *tx) store(l list, rows []any) (last int64, err error) {
	width := lists[l].width
	for len(rows) > 0 {
		id, n := l.filled(len(rows) / width)
		result, err := t.exec(id, rows[:n*width]...)
		if err != nil {
			return 0, err
		}
		if last, err = result.LastInsertId(); err != nil {
			return 0, err
		}
		rows = rows[n*width:]
	}
	return last, nil
}

// sizes are for how many rows of a list there are statements, each of which is
// prepared when it is needed first.
var sizes = [...]int{1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 24, 32, 48, 64}

// fitting gives the smallest statement for n rows, or the largest.
func (l list) fitting(n int) (statement, int) {
	for i, size := range sizes {
		if n <= size {
			return l.sized(i), size
		}
	}
	return l.sized(len(sizes) - 1), sizes[len(sizes)-1]
}

// filled gives the largest statement that n rows fill.
func (l list) filled(n int) (statement, int) {
	for i := len(sizes) - 1; i > 0; i-- {
		if n >= sizes[i] {
			return l.sized(i), sizes[i]
		}
	}
	return l.sized(0), sizes[0]
}

func (l list) sized(i int) statement {
	return plainCount + statement(l)*statement(len(sizes)) + statement(i)
}

// texts gives the text of every statement.
func (o *Options) texts() (all [statementCount]string) {
	for id, text := range plain {
		all[id] = o.named(text)
	}
	for l, def := range lists {
		text, tuple := o.named(def.text), "("+listed("?", def.width)+")"
		for i, n := range sizes {
			all[list(l).sized(i)] = strings.NewReplacer("@rows", listed("?", n), "@pairs", listed("(?,?)", n), "@tuples", listed(tuple, n)).Replace(text)
		}
	}
	return all
}

func listed(what string, n int) string { return strings.Repeat(what+",", n-1) + what }
