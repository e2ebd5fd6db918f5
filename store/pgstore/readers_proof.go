package pgstore

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
)

// mark is where the log of the primary was at a moment, and what the primary was then.
// Whatever was acknowledged before that moment lies before it.
type mark struct {
	lsn int64
	incarnation
}

// incarnation is what a reader has been vouched for under. If it becomes another one, who
// commits may wait for others.
type incarnation struct {
	store    string
	timeline int64
	started  int64  // when the server was, in microseconds
	standbys string // synchronous_standby_names
	commits  string // synchronous_commit
}

func (r *readers) askPrimary(ctx context.Context) (m mark, err error) {
	err = onConn(ctx, r.primary, func(conn *pgx.Conn) error {
		t := &trip{sql: r.sql}
		t.add(askMark, nil, func(row *row) {
			m = mark{lsn: row.int(), incarnation: incarnation{store: r.store, timeline: row.int(), started: row.int(), standbys: row.text(), commits: row.text()}}
		})
		return t.run(ctx, conn)
	})
	return m, err
}

// marks asks for marks. Who comes while a question is on its way shares the next one with
// all others who do, so the primary is asked once for many.
type marks struct {
	ask func(context.Context) (mark, error)

	mu      sync.Mutex
	waiting *question // not sent yet
	asking  bool
}

type question struct {
	answered chan struct{} // closed when the others are there
	mark     mark
	err      error
}

// next gives a mark of a moment after the call.
func (m *marks) next(ctx context.Context) (mark, error) {
	m.mu.Lock()
	q := m.waiting
	if q == nil {
		q = &question{answered: make(chan struct{})}
		m.waiting = q
	}
	if !m.asking {
		m.asking = true
		go m.answer(context.WithoutCancel(ctx))
	}
	m.mu.Unlock()
	select {
	case <-q.answered:
		return q.mark, q.err
	case <-ctx.Done():
		return mark{}, ctx.Err()
	}
}

// answer asks until nobody waits.
func (m *marks) answer(ctx context.Context) {
	for {
		m.mu.Lock()
		q := m.waiting
		m.waiting, m.asking = nil, q != nil
		m.mu.Unlock()
		if q == nil {
			return
		}
		brief, cancel := context.WithTimeout(ctx, readerPatience)
		q.mark, q.err = m.ask(brief)
		cancel()
		close(q.answered)
	}
}

// proof is what a reader says of itself before it answers, with a snapshot of its own: what
// it had applied then, all later snapshots show.
type proof struct {
	isStandby bool
	lsn       int64 // applied
	timeline  int64 // of what the primary sends it; 0 if it receives nothing
}

func newProof() *proof { return &proof{} }

// provenBy lets a trip to a reader begin with what that says of itself; p is nil on the
// primary.
func (t *trip) provenBy(p *proof) *trip {
	if p == nil {
		return t
	}
	whole := &trip{sql: t.sql, apart: true}
	whole.add(proveReader, nil, func(r *row) { p.isStandby, p.lsn, p.timeline = r.bool(), r.int(), r.int() })
	whole.calls = append(whole.calls, t.calls...)
	return whole
}

// judge compares what a reader has said with a mark.
func (p *proof) judge(at mark, stale bool) error {
	switch {
	case !p.isStandby:
		return ErrReaderPromoted
	case stale:
		return nil
	case p.timeline != at.timeline:
		return ErrReaderCutOff
	case p.lsn < at.lsn:
		return ErrReaderBehind
	}
	return nil
}

// vouch makes sure, once for each connection and incarnation of the primary, that a reader
// is a standby of this primary for which all commits wait, and has its history.
func (r *readers) vouch(ctx context.Context, conn *pgx.Conn, at mark) error {
	const key = "roomkit: vouched for"
	if conn.PgConn().CustomData()[key] == at.incarnation {
		return nil
	}
	name, system, err := r.nameOf(ctx, conn)
	if err == nil {
		err = mustWaitFor(name, at)
	}
	if err != nil {
		return err
	}
	sent, err := r.senders(ctx, name)
	switch {
	case err != nil:
		return err
	case sent.hidden > 0:
		return errHidden
	case sent.system != system:
		return fmt.Errorf("%w; it is of another cluster", ErrReader)
	case sent.standbys != 1:
		return fmt.Errorf("%w; the primary sends to %d synchronous standbys of the name %q", ErrReader, sent.standbys, name)
	}
	is := false
	err = r.proven(ctx, conn, mark{lsn: sent.lsn, incarnation: at.incarnation}, func(ctx context.Context, conn *pgx.Conn, p *proof) error {
		t := &trip{sql: r.sql}
		t.add(isWitness, new(args).int(sent.newest).uuid(sent.command), func(row *row) { is = row.bool() })
		return t.provenBy(p).run(ctx, conn)
	})
	if err == nil && !is {
		err = fmt.Errorf("%w; it has other tables, or another history", ErrReader)
	}
	if err == nil {
		conn.PgConn().CustomData()[key] = at.incarnation
	}
	return err
}

var errHidden = fmt.Errorf("%w; the role may not see replication: GRANT pg_read_all_stats to it", ErrReader)

// nameOf asks a reader as what it receives from the primary.
func (r *readers) nameOf(ctx context.Context, conn *pgx.Conn) (name string, system int64, err error) {
	var isStandby bool
	var receiver int64
	var info string
	t := &trip{sql: r.sql}
	t.add(nameReader, nil, func(row *row) { isStandby, receiver, info, system = row.bool(), row.int(), row.text(), row.int() })
	err = t.run(ctx, conn)
	switch {
	case err != nil:
		return "", 0, err
	case !isStandby:
		return "", 0, ErrReaderPromoted
	case receiver == 0:
		return "", 0, ErrReaderCutOff
	case info == "":
		return "", 0, errHidden
	}
	if name = applicationName(info); name == "" {
		name, err = nameOfCluster(ctx, conn)
	}
	return name, system, err
}

// nameOfCluster gives the name under which a standby receives whose primary_conninfo has none.
// After a change of timeline PostgreSQL shows that text instead of what the connection was made of.
func nameOfCluster(ctx context.Context, conn *pgx.Conn) (name string, err error) {
	err = conn.QueryRow(ctx, `SELECT coalesce(nullif(current_setting('cluster_name'), ''), 'walreceiver')`, pgx.QueryExecModeExec).Scan(&name)
	return name, err
}

// sender is what the primary says of who receives under a name, and of its newest record.
type sender struct {
	standbys, hidden, system, lsn, newest int64
	command                               [16]byte
}

func (r *readers) senders(ctx context.Context, name string) (s sender, err error) {
	err = onConn(ctx, r.primary, func(conn *pgx.Conn) error {
		t := &trip{sql: r.sql}
		t.add(countSenders, new(args).text(name), func(row *row) {
			s = sender{standbys: row.int(), hidden: row.int(), system: row.int(), lsn: row.int(), newest: row.int(), command: row.uuid()}
		})
		return t.planned().run(ctx, conn)
	})
	return s, err
}

// mustWaitFor demands that every commit waits until the standby has applied it.
func mustWaitFor(name string, at mark) error {
	if at.commits != "remote_apply" {
		return fmt.Errorf("%w; synchronous_commit is %s", ErrReader, at.commits)
	}
	waits, names := syncStandbys(at.standbys)
	if waits == 0 || waits != len(names) {
		return fmt.Errorf("%w; synchronous_standby_names is %q, with which not all are waited for", ErrReader, at.standbys)
	}
	for _, n := range names {
		if strings.EqualFold(n, name) && n != "*" {
			return nil
		}
	}
	return fmt.Errorf("%w; synchronous_standby_names is %q, the reader's name %q", ErrReader, at.standbys, name)
}

var (
	standbyList = regexp.MustCompile(`(?is)^\s*(?:(?:FIRST\s+|ANY\s+)?(\d+)\s*\((.*)\)|(.*))\s*$`)
	standbyName = regexp.MustCompile(`"((?:[^"]|"")*)"|([^\s,"]+)`)
	nameInInfo  = regexp.MustCompile(`(?:^|\s)(application_name|fallback_application_name)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|(\S*))`)
	escaped     = regexp.MustCompile(`\\(.)`)
)

// syncStandbys reads synchronous_standby_names: how many of the names are waited for.
func syncStandbys(setting string) (waits int, names []string) {
	parts := standbyList.FindStringSubmatch(setting)
	if parts == nil {
		return 0, nil
	}
	list := parts[3]
	if parts[1] != "" {
		list = parts[2]
		waits, _ = strconv.Atoi(parts[1]) // digits; what is too large is no number of names either
	}
	for _, found := range standbyName.FindAllStringSubmatch(list, -1) {
		name := found[2]
		if name == "" {
			name = strings.ReplaceAll(found[1], `""`, `"`)
		}
		names = append(names, name)
	}
	if parts[1] == "" {
		waits = min(1, len(names))
	}
	return waits, names
}

// applicationName finds in a connection string, also one that somebody has written by hand,
// under which name a standby receives.
func applicationName(info string) (name string) {
	if scheme, _, isURL := strings.Cut(info, "://"); isURL && strings.HasPrefix(scheme, "postgres") {
		_, query, _ := strings.Cut(info, "?")
		values, _ := url.ParseQuery(query) // what cannot be read, PostgreSQL cannot either
		return values.Get("application_name")
	}
	for _, found := range nameInInfo.FindAllStringSubmatch(info, -1) {
		is := found[3] + escaped.ReplaceAllString(found[2], "$1")
		if found[1] == "application_name" {
			return is
		}
		name = is
	}
	return name
}
