package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/pgstore"
	"github.com/go-roomkit/roomkit/store/verify"
)

// trio is a primary and two standbys, x and y, that every commit waits for.
type trio struct {
	t             *testing.T
	primary, x, y *cluster
	pool          *pgxpool.Pool // to the primary, also after x has taken over
	readers       []*pgxpool.Pool
	kills         *pgxpool.Pool // of y, for who ends connections there
	follower      int           // which of the readers follows the one that has taken over

	fresh   *pgstore.Store // with readers
	accepts *pgstore.Store // and old answers
	writes  *pgstore.Store // another process, whose commits are applied on the standbys
	hasty   *pgstore.Store // and one whose are not, at first
}

const (
	waitedFor = `ALTER SYSTEM SET synchronous_standby_names = 'FIRST 2 (x, "y")'`
	applied   = `ALTER DATABASE postgres SET synchronous_commit = remote_apply` // which standbys have, too
	reload    = `SELECT pg_reload_conf()`
)

func newTrio(t *testing.T) *trio {
	t.Helper()
	p := &trio{t: t, primary: newCluster(t)}
	p.primary.start(t)
	first := poolOf(t, p.primary.url())
	require.Eventually(t, func() bool { return pgstore.Migrate(t.Context(), first, nil) == nil }, time.Minute, 10*time.Millisecond)
	p.x = p.primary.backup(t, "-R")
	p.y = p.primary.backup(t, "-R")
	p.y.configure(t, "primary_conninfo", p.primary.conninfo("y"))
	p.x.start(t, "cluster_name=x")
	p.y.start(t)
	hosts := strings.Join([]string{p.primary.address(), p.x.address(), p.y.address()}, ",")
	p.pool = poolOf(t, "postgres://postgres@"+hosts+"/postgres?sslmode=disable&target_session_attrs=read-write")
	p.readers = []*pgxpool.Pool{poolOf(t, p.x.url()), poolOf(t, p.y.url())}
	p.kills = poolOf(t, p.y.url()+"&application_name=ends")
	p.set(p.pool, waitedFor, applied)
	return p
}

// conninfo is how a standby connects to the cluster.
func (c *cluster) conninfo(name string) string {
	return fmt.Sprintf("host=127.0.0.1 port=%d user=postgres application_name=%s", c.port, name)
}

// configure writes a setting of a server that does not run.
func (c *cluster) configure(t *testing.T, name, value string) {
	t.Helper()
	file, err := os.OpenFile(filepath.Join(c.data(), "postgresql.auto.conf"), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = fmt.Fprintf(file, "%s = '%s'\n", name, value)
	require.NoError(t, errors.Join(err, file.Close()))
}

// set changes settings of a server, and waits until new questions see them.
func (p *trio) set(pool *pgxpool.Pool, texts ...string) {
	p.t.Helper()
	for _, text := range append(texts, reload) {
		mustExec(p.t, pool, text)
	}
	pool.Reset()
}

// ready waits until both standbys are synchronous, and gives a store with readers.
func (p *trio) ready() *pgstore.Store {
	p.t.Helper()
	var s *pgstore.Store
	require.Eventually(p.t, func() bool {
		var err error
		s, err = p.open(&pgstore.Options{Readers: p.readers})
		return err == nil
	}, time.Minute, 20*time.Millisecond)
	return s
}

func (p *trio) open(o *pgstore.Options) (*pgstore.Store, error) {
	o.Patience = 30 * time.Second
	return pgstore.New(p.t.Context(), p.pool, o)
}

// withSetting is the pool with another setting on each of its connections.
func (p *trio) withSetting(name, value string) *pgxpool.Pool {
	p.t.Helper()
	config := p.pool.Config()
	config.ConnConfig.RuntimeParams[name] = value
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	require.NoError(p.t, err)
	p.t.Cleanup(pool.Close)
	return pool
}

// asker knows what was acknowledged of one room, and asks another process.
type asker struct {
	writer *service.Service
	reader *service.Service
	pages  *pgstore.Store // of reader
	room   roomkit.RoomID
	key    int
	in     bool // u4 takes part
	done   service.Result

	asked, stale, unanswered *atomic.Int64
}

// step changes who is in the room, until that is acknowledged.
func (a *asker) step(ctx context.Context) error {
	var cmd roomkit.Command = roomkit.Invite{Room: a.room, People: []roomkit.UserID{"u4"}}
	if a.in {
		cmd = roomkit.Remove{Room: a.room, People: []roomkit.UserID{"u4"}}
	}
	a.key++
	for ctx.Err() == nil {
		done, err := a.writer.Do(ctx, roomkit.By("u1"), cmd, service.Call{Key: fmt.Sprint(a.room, a.key)})
		if err == nil {
			a.in, a.done = !a.in, done
			return nil
		}
		if !errors.Is(err, roomkit.ErrUnavailable) && !errors.Is(err, roomkit.ErrUnknownOutcome) && !errors.Is(err, roomkit.ErrConflict) {
			return err
		}
	}
	return ctx.Err()
}

// ask asks in five ways whether u4 is in the room.
func (a *asker) ask(ctx context.Context) {
	a.judge(a.byCheck(ctx))
	page, err := a.pages.Rooms(ctx, store.RoomQuery{User: "u4", Limit: roomkit.MaxPage})
	a.judge(slices.ContainsFunc(page, func(e roomkit.RoomEntry) bool { return e.Room.ID == a.room }), err)
	people, err := a.pages.Members(ctx, store.MemberQuery{Room: a.room})
	a.judge(slices.ContainsFunc(people, func(m roomkit.Member) bool { return m.User == "u4" }), err)
	history, err := a.pages.History(ctx, roomkit.RoomSubject(a.room), a.done.Version-1, 0)
	a.judge(a.in == (len(history) > 0), err)
	facts, err := a.pages.Load(ctx, []store.Need{{Room: a.room, Masters: true, People: []roomkit.UserID{"u4"}}})
	a.judge(err == nil && slices.ContainsFunc(facts[0].Members, func(m roomkit.Member) bool { return m.User == "u4" && m.Participant }), err)
}

func (a *asker) byCheck(ctx context.Context) (bool, error) {
	err := a.reader.Check(ctx, "u4", roomkit.ActionPost, a.room)
	if errors.Is(err, roomkit.ErrDenied) || errors.Is(err, roomkit.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

func (a *asker) judge(in bool, err error) {
	switch {
	case err != nil:
		a.unanswered.Add(1)
	case in != a.in:
		a.stale.Add(1)
		a.asked.Add(1)
	default:
		a.asked.Add(1)
	}
}

// load is many askers, and what they have found.
type load struct {
	askers                   []*asker
	asked, stale, unanswered atomic.Int64
}

func newLoad(t *testing.T, writes, reads *pgstore.Store) *load {
	t.Helper()
	writer, err := service.New(writes, nil)
	require.NoError(t, err)
	reader, err := service.New(reads, nil)
	require.NoError(t, err)
	l := &load{}
	for i := range 8 {
		room := team(t, writer, fmt.Sprint("Load ", t.Name(), i, time.Now().UnixNano()))
		l.askers = append(l.askers, &asker{
			writer: writer, reader: reader, pages: reads, room: room, asked: &l.asked, stale: &l.stale, unanswered: &l.unanswered,
		})
	}
	return l
}

// run lets all of them change and ask until done says so.
func (l *load) run(t *testing.T, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	for _, a := range l.askers {
		wg.Go(func() {
			for !done() {
				if !assert.NoError(t, a.step(ctx)) {
					return
				}
				a.ask(ctx)
			}
		})
	}
	wg.Wait()
}

// until is for run: it ends after so many answers.
func (l *load) until(n int) func() bool {
	return func() bool { return l.asked.Load() >= int64(n) }
}

func (l *load) print(t *testing.T, what string, s *pgstore.Store) {
	t.Helper()
	t.Logf("%s: %d answers, %d stale, %d not answered; %+v", what, l.asked.Load(), l.stale.Load(), l.unanswered.Load(), s.ReaderReports())
}

func answeredBy(s *pgstore.Store) (n int64) {
	for _, r := range s.ReaderReports() {
		n += r.Answered
	}
	return n
}

// someStale is for run: it ends when stale answers were found among enough others, or there
// seem to be none.
func (l *load) someStale() func() bool {
	return func() bool { n := l.asked.Load(); return l.stale.Load() > 0 && n >= 1000 || n >= 200_000 }
}

// With a primary and two standbys: what is asked right after each acknowledged command is
// never answered stale, whatever becomes of the standbys.
func TestReaders(t *testing.T) {
	p := newTrio(t)
	p.fresh = p.ready()
	svc, err := service.New(p.fresh, nil)
	require.NoError(t, err)
	settle(t, svc, 4)
	p.writes, err = p.open(&pgstore.Options{})
	require.NoError(t, err)
	p.hasty, err = pgstore.New(t.Context(), p.withSetting("synchronous_commit", "on"), nil)
	require.NoError(t, err)
	p.accepts, err = p.open(&pgstore.Options{Readers: p.readers, StaleReads: true})
	require.NoError(t, err)
	for _, step := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"fresh", p.neverStale}, {"controls", p.staleWhereAccepted}, {"settings changed", p.settingsChanged},
		{"paused", p.paused}, {"stopped", p.stopped}, {"cancelled", p.cancelled}, {"fail-over", p.failOver},
		{"cut off", p.cutOff}, {"promoted aside", p.promotedAside},
	} {
		if !t.Run(step.name, step.run) {
			return
		}
	}
	require.NoError(t, verify.Run(t.Context(), p.writes, nil))
}

// The standbys answer, also if other processes commit without waiting until standbys
// have applied it.
func (p *trio) neverStale(t *testing.T) {
	for what, writes := range map[string]*pgstore.Store{"all commit with remote_apply": p.writes, "others commit with on": p.hasty} {
		before := answeredBy(p.fresh)
		l := newLoad(t, writes, p.fresh)
		l.run(t, l.until(scale(1000, 10_000)))
		l.print(t, what, p.fresh)
		require.Zero(t, l.stale.Load())
		require.Zero(t, l.unanswered.Load())
		require.Greater(t, answeredBy(p.fresh)-before, l.asked.Load()*9/10, "standbys answer")
	}
}

// The same load finds stale answers where they are accepted.
func (p *trio) staleWhereAccepted(t *testing.T) {
	l := newLoad(t, p.hasty, p.accepts)
	l.run(t, l.someStale())
	l.print(t, "on, stale answers accepted", p.accepts)
	require.NotZero(t, l.stale.Load(), "the load finds stale answers")

	p.set(p.pool, `ALTER SYSTEM SET synchronous_standby_names = ''`)
	l = newLoad(t, p.hasty, p.accepts)
	l.run(t, l.someStale())
	l.print(t, "asynchronous, stale answers accepted", p.accepts)
	require.NotZero(t, l.stale.Load(), "the load finds stale answers")
}

// Standbys that not every commit waits for any more do not answer until all do again.
func (p *trio) settingsChanged(t *testing.T) {
	for _, names := range []string{``, `x`, `FIRST 1 (x, y)`, `ANY 1 (x, y)`, `FIRST 2 (x, y, z)`, `*`, `FIRST 1 (z)`} {
		p.set(p.pool, `ALTER SYSTEM SET synchronous_standby_names = '`+names+`'`)
		_, err := p.open(&pgstore.Options{Readers: p.readers})
		require.ErrorIs(t, err, pgstore.ErrReader, names)
	}
	p.set(p.pool, `ALTER SYSTEM SET synchronous_standby_names = ''`)
	_, err := pgstore.New(t.Context(), p.withSetting("synchronous_commit", "on"), &pgstore.Options{Readers: p.readers})
	require.ErrorIs(t, err, pgstore.ErrReader)
	before := answeredBy(p.fresh)
	l := newLoad(t, p.writes, p.fresh)
	l.run(t, l.until(200))
	require.Zero(t, l.stale.Load())
	require.Equal(t, before, answeredBy(p.fresh), "the primary answers")
	for _, r := range p.fresh.ReaderReports() {
		require.ErrorIs(t, r.Err, pgstore.ErrReader)
	}
	p.set(p.pool, waitedFor)
	p.answers(t, 0, 1)
}

// answers waits until these readers answer again.
func (p *trio) answers(t *testing.T, numbers ...int) {
	t.Helper()
	for _, number := range numbers {
		require.Eventually(t, func() bool {
			_, err := p.fresh.Users(t.Context(), store.UserQuery{Company: "acme"})
			require.NoError(t, err)
			return p.fresh.ReaderReports()[number].Err == nil
		}, time.Minute, time.Millisecond)
	}
}

// refuses demands that a reader gives no answer for a reason, and that every answer is
// right while others commit as they like.
func (p *trio) refuses(t *testing.T, number int, why error, writes *pgstore.Store) {
	t.Helper()
	l := newLoad(t, writes, p.fresh)
	before := p.fresh.ReaderReports()[number].Answered
	l.run(t, func() bool { return l.asked.Load() >= 100 && errors.Is(p.fresh.ReaderReports()[number].Err, why) })
	require.Zero(t, l.stale.Load())
	require.Zero(t, l.unanswered.Load())
	require.Equal(t, before, p.fresh.ReaderReports()[number].Answered)
}

func (p *trio) paused(t *testing.T) {
	mustExec(t, p.readers[0], `SELECT pg_wal_replay_pause()`)
	behind := p.fresh.ReaderReports()[0].Behind
	l := newLoad(t, p.hasty, p.fresh) // with remote_apply all would wait
	l.run(t, func() bool { return l.asked.Load() >= 200 && p.fresh.ReaderReports()[0].Behind > behind })
	require.Zero(t, l.stale.Load())
	require.Greater(t, p.fresh.ReaderReports()[0].Behind, behind, "none was told that the reader is behind")
	old := newLoad(t, p.hasty, p.accepts)
	old.run(t, old.someStale())
	require.NotZero(t, old.stale.Load(), "the control is stale")
	mustExec(t, p.readers[0], `SELECT pg_wal_replay_resume()`)
	p.answers(t, 0)
}

// A standby that does not move costs who asks it its patience, and others nothing.
func (p *trio) stopped(t *testing.T) {
	p.x.signal(t, syscall.SIGSTOP)
	defer p.x.signal(t, syscall.SIGCONT)
	for n := 0; n < 200 || p.fresh.ReaderReports()[0].Err == nil; n++ {
		_, err := p.fresh.Users(t.Context(), store.UserQuery{Company: "acme"})
		require.NoError(t, err)
	}
	require.ErrorIs(t, p.fresh.ReaderReports()[0].Err, context.DeadlineExceeded)
	for range 20 {
		short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		_, err := p.fresh.Users(short, store.UserQuery{Company: "acme"})
		require.NoError(t, err, "a short context leaves time for the primary")
	}
	p.x.signal(t, syscall.SIGCONT)
	p.answers(t, 0)
}

// signal goes to the server and all of its processes.
func (c *cluster) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	pid := c.server.Process.Pid
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	require.NoError(t, err)
	for _, child := range append(strings.Fields(string(children)), strconv.Itoa(pid)) {
		n, err := strconv.Atoi(child)
		require.NoError(t, err)
		require.NoError(t, syscall.Kill(n, s))
	}
}

// Connections to a standby that are ended under way cost no answer.
func (p *trio) cancelled(t *testing.T) {
	l := newLoad(t, p.writes, p.fresh)
	failed := p.fresh.ReaderReports()[1].Failed
	l.run(t, func() bool {
		_, err := p.kills.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name <> 'ends'`)
		assert.NoError(t, err)
		return l.asked.Load() >= 200 && p.fresh.ReaderReports()[1].Failed > failed
	})
	require.Zero(t, l.stale.Load())
	require.Zero(t, l.unanswered.Load())
	p.answers(t, 1)
}

// The primary is killed in the middle of load, the standby that has more takes over and the
// other one follows it: what was acknowledged is there, and no answer is stale.
func (p *trio) failOver(t *testing.T) {
	l := newLoad(t, p.writes, p.fresh)
	n := int64(scale(400, 10_000))
	over := make(chan struct{})
	go func() {
		defer close(over)
		assert.Eventually(t, func() bool { return l.asked.Load() >= n/2 }, 4*time.Minute, time.Millisecond)
		p.takeOver(t)
	}()
	l.run(t, func() bool {
		select {
		case <-over:
			return l.asked.Load() >= n
		default:
			return false
		}
	})
	p.answers(t, p.follower)
	l.print(t, "fail-over", p.fresh)
	for _, a := range l.askers {
		history, err := p.writes.History(t.Context(), roomkit.RoomSubject(a.room), 0, roomkit.MaxPage)
		require.NoError(t, err)
		require.GreaterOrEqual(t, len(history), min(int(a.done.Version), roomkit.MaxPage), "nothing acknowledged is lost")
		a.ask(t.Context())
	}
	require.Zero(t, l.stale.Load())
	require.ErrorIs(t, p.fresh.ReaderReports()[1-p.follower].Err, pgstore.ErrReaderPromoted)
}

// takeOver kills the primary and lets the standby take over that has received more.
func (p *trio) takeOver(t *testing.T) {
	p.primary.kill()
	next, name := p.x, "y"
	p.follower = 1
	if p.received(t, 1) > p.received(t, 0) {
		next, name, p.follower = p.y, "x", 0
	}
	p.tell(t, 1-p.follower, `ALTER SYSTEM SET synchronous_standby_names = 'FIRST 1 (`+name+`)'`)
	out, err := next.command("pg_ctl", "promote", "-D", next.data(), "-w").CombinedOutput()
	assert.NoError(t, err, "%s", out)
	p.tell(t, p.follower, `ALTER SYSTEM SET primary_conninfo = '`+next.conninfo(name)+`'`)
	p.primary = next
}

// tell changes a setting of a standby.
func (p *trio) tell(t *testing.T, number int, text string) {
	for _, text := range []string{text, reload} {
		_, err := p.readers[number].Exec(t.Context(), text)
		assert.NoError(t, err)
	}
}

func (p *trio) received(t *testing.T, number int) (n int64) {
	err := p.readers[number].QueryRow(t.Context(), `SELECT (pg_last_wal_receive_lsn() - '0/0')::bigint`).Scan(&n)
	assert.NoError(t, err)
	return n
}

// A standby that receives nothing does not answer: at first it has all there is, and then, as
// the primary does not wait for it any more, it falls behind.
func (p *trio) cutOff(t *testing.T) {
	p.tell(t, p.follower, `ALTER SYSTEM SET primary_conninfo = 'host=127.0.0.1 port=1'`)
	require.Eventually(t, func() bool {
		_, err := p.fresh.Users(t.Context(), store.UserQuery{Company: "acme"})
		require.NoError(t, err)
		return errors.Is(p.fresh.ReaderReports()[p.follower].Err, pgstore.ErrReaderCutOff)
	}, time.Minute, time.Millisecond)
	p.set(p.pool, `ALTER SYSTEM SET synchronous_standby_names = ''`)
	p.refuses(t, p.follower, pgstore.ErrReaderCutOff, p.writes)
}

// A standby that was made a primary beside the other one is not asked, also if
// old answers are accepted.
func (p *trio) promotedAside(t *testing.T) {
	aside := []*cluster{p.x, p.y}[p.follower]
	aside.run(t, "pg_ctl", "promote", "-D", aside.data(), "-w")
	p.refuses(t, p.follower, pgstore.ErrReaderPromoted, p.writes)
	l := newLoad(t, p.writes, p.accepts)
	l.run(t, l.until(200))
	require.Zero(t, l.stale.Load())
	for _, r := range p.accepts.ReaderReports() {
		require.ErrorIs(t, r.Err, pgstore.ErrReaderPromoted)
	}
}
