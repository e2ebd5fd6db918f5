package pgstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/backoff"
	"github.com/go-roomkit/roomkit/store"
)

// Why one of [Options.Readers] did not answer, and the primary did: see [ReaderReport].
var (
	// ErrReader means that a reader may not answer, as the servers are set up.
	ErrReader = fmt.Errorf("%w: a reader is none that every commit waits for; on the primary set synchronous_commit = remote_apply, and synchronous_standby_names = 'FIRST n (…)' with the names of all n standbys; or accept old answers with Options.StaleReads", roomkit.ErrUnsupported)
	// ErrReaderBehind means that a reader had not applied all that was acknowledged, within
	// 50 ms. It passes, unless replay is paused.
	ErrReaderBehind = fmt.Errorf("%w: the reader has not applied yet what was acknowledged; if that lasts, look for pg_wal_replay_pause, long queries there, or its disk", roomkit.ErrUnavailable)
	// ErrReaderCutOff means that a reader receives nothing, or not from the primary of
	// the pool that [New] was given.
	ErrReaderCutOff = fmt.Errorf("%w: the reader receives nothing from this primary; look at its primary_conninfo and its log", roomkit.ErrUnavailable)
	// ErrReaderPromoted means that a reader is no standby any more. It is not asked what
	// its own history is.
	ErrReaderPromoted = fmt.Errorf("%w: the reader is no standby any more; call New with the pools as the servers are now", roomkit.ErrUnsupported)
)

// ReaderReport says what became of what one of [Options.Readers] was asked, since [New].
type ReaderReport struct {
	Answered int64 // by the reader
	Behind   int64 // by the primary: the reader had not applied all that was acknowledged
	Failed   int64 // by the primary: the reader did not answer, or may not
	Err      error // why it did not answer the last time; nil if it did
}

// ReaderReports has a report for each of [Options.Readers], in their order. It asks nobody.
func (s *Store) ReaderReports() []ReaderReport {
	if s.readers == nil {
		return nil
	}
	reports := make([]ReaderReport, len(s.readers.list))
	for i, r := range s.readers.list {
		reports[i] = r.report()
	}
	return reports
}

// How long a reader is waited for before the primary answers, and how long it is left
// alone afterwards.
const (
	readerBehind   = 50 * time.Millisecond  // until it has applied what was acknowledged
	readerPatience = 500 * time.Millisecond // for all of an answer
	firstAside     = 50 * time.Millisecond
	longestAside   = 5 * time.Second
)

var (
	behindPauses = backoff.Pauses{First: 200 * time.Microsecond, Longest: 4 * time.Millisecond}
	errNoMark    = errors.New("the primary does not say how far its log is")
)

// readers are the standbys that may answer.
type readers struct {
	primary *pgxpool.Pool
	o       Options
	sql     *statements
	store   string // its epoch
	list    []*standby
	next    atomic.Uint32
	marks   marks
}

type standby struct {
	pool *pgxpool.Pool

	mu    sync.Mutex
	did   ReaderReport
	tried int              // in a row without an answer
	rest  <-chan time.Time // for how long it is left alone
}

// asks asks something on a connection, with the proof that its trip has to bring if that is
// one of a reader.
type asks func(ctx context.Context, conn *pgx.Conn, p *proof) error

// newReaders looks whether the readers that can be reached may answer.
func newReaders(ctx context.Context, s *Store) (*readers, error) {
	if len(s.o.Readers) == 0 {
		return nil, nil
	}
	r := &readers{primary: s.pool, o: s.o, sql: s.sql, store: s.epoch}
	r.marks.ask = r.askPrimary
	for i, pool := range s.o.Readers {
		if pool == nil {
			return nil, invalid(fmt.Sprintf("Readers[%d]", i), "missing")
		}
		r.list = append(r.list, &standby{pool: pool})
	}
	if s.o.StaleReads {
		return r, nil
	}
	for _, one := range r.list {
		err := r.attempt(ctx, one, func(context.Context, *pgx.Conn, *proof) error { return nil })
		if ctx.Err() != nil {
			return nil, classify(ctx, ctx.Err())
		}
		if errors.Is(err, ErrReader) {
			return nil, err
		}
		if err != nil {
			one.ended(0, err)
		}
	}
	return r, nil
}

// onReaders lets a reader answer, or the primary if none can.
func (s *Store) onReaders(ctx context.Context, do asks) error {
	if r := s.readers; r != nil && !store.WantsPrimary(ctx) {
		if one, tried := r.choose(); one != nil {
			err := r.attempt(ctx, one, do)
			if ctx.Err() == nil {
				one.ended(tried, err)
			}
			if err == nil {
				return nil
			}
		}
	}
	return s.onPool(ctx, func(conn *pgx.Conn) error { return do(ctx, conn, nil) })
}

// choose takes the readers in turn, without those that are left alone. It tells how often
// the reader was tried in a row.
func (r *readers) choose() (one *standby, tried int) {
	first := r.next.Add(1)
	for i := range uint32(len(r.list)) {
		one = r.list[(first+i)%uint32(len(r.list))]
		if tried, due := one.isDue(); due {
			return one, tried
		}
	}
	return nil, 0
}

// isDue reports whether a reader may be asked. One that did not answer is asked by one
// caller at a time; others go on without it.
func (s *standby) isDue() (tried int, due bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tried == 0 {
		return 0, true
	}
	select {
	case <-s.rest:
		s.rest = time.After(2 * readerPatience)
		return s.tried, true
	default:
		return 0, false
	}
}

// ended notes how an attempt has ended.
func (s *standby) ended(tried int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if errors.Is(err, errNoMark) {
		return // no fault of the reader
	}
	s.did.Err = err
	switch {
	case err == nil:
		s.did.Answered++
		s.tried = 0
		return
	case errors.Is(err, ErrReaderBehind):
		s.did.Behind++
	default:
		s.did.Failed++
	}
	if again(err) || verdict(err) == stateCancelled || tried != s.tried {
		return // replay has cancelled a statement; or others have found out meanwhile
	}
	s.rest = time.After(min(firstAside<<min(tried, 10), longestAside))
	s.tried++
}

func (s *standby) report() ReaderReport {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.did
}

// attempt asks a reader, for as long as leaves time to ask the primary.
func (r *readers) attempt(ctx context.Context, one *standby, do asks) error {
	patience := readerPatience
	if end, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(end)/2)
	}
	brief, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var at mark
	if !r.o.StaleReads {
		var err error
		if at, err = r.marks.next(brief); err != nil {
			return fmt.Errorf("%w: %w", errNoMark, err)
		}
	}
	return onConn(brief, one.pool, func(conn *pgx.Conn) error {
		if !r.o.StaleReads {
			if err := r.vouch(brief, conn, at); err != nil {
				return err
			}
		}
		return r.proven(brief, conn, at, do)
	})
}

// proven does something until the reader has proven that it had applied all of what
// was acknowledged before.
func (r *readers) proven(ctx context.Context, conn *pgx.Conn, at mark, do asks) error {
	p := newProof()
	if err := do(ctx, conn, p); err != nil {
		return err
	}
	err := p.judge(at, r.o.StaleReads)
	if !errors.Is(err, ErrReaderBehind) {
		return err
	}
	if err := r.waitFor(ctx, conn, at); err != nil {
		return err
	}
	if err := do(ctx, conn, p); err != nil {
		return err
	}
	return p.judge(at, r.o.StaleReads)
}

// waitFor waits until a reader has applied what comes before a mark.
func (r *readers) waitFor(ctx context.Context, conn *pgx.Conn, at mark) error {
	wait, cancel := context.WithTimeout(ctx, readerBehind)
	defer cancel()
	for n := 0; ; n++ {
		p := newProof()
		if err := (&trip{sql: r.sql}).provenBy(p).run(ctx, conn); err != nil {
			return err
		}
		if err := p.judge(at, false); !errors.Is(err, ErrReaderBehind) {
			return err
		}
		if behindPauses.Wait(wait, n) != nil {
			return ErrReaderBehind
		}
	}
}
