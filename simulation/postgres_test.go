package simulation

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/pgstore"
)

// server is a PostgreSQL server, and schemas that worlds use one after another.
type server struct {
	t     *testing.T
	url   string
	admin *pgxpool.Pool
	mu    sync.Mutex
	free  []*ground
	count int
}

// ground is a schema with the processes that may use it, each with a pool of its own.
type ground struct {
	*server
	schema string
	name   string // of its sessions
	lock   int64  // of commits
	own    store.Store
	slots  []*slot
}

// slot is a process of the host: its pool, behind a proxy.
type slot struct {
	store.Store
	pool  *pgxpool.Pool
	proxy *proxy
	taken bool
}

func newServer(t *testing.T) *server {
	url := os.Getenv("ROOMKIT_POSTGRES_URL")
	const needs = "it needs PostgreSQL: ../.ci/with-postgres go test ., or set ROOMKIT_POSTGRES_URL"
	switch {
	case url == "" && os.Getenv("CI") == "true":
		t.Fatal(needs)
	case url == "":
		t.Skip(needs)
	}
	s := &server{t: t, url: url}
	s.admin = s.pool("", "simulation", 10)
	t.Cleanup(func() {
		for _, g := range s.free {
			_, err := s.admin.Exec(context.Background(), "DROP SCHEMA "+g.schema+" CASCADE")
			require.NoError(t, err)
		}
	})
	return s
}

// pool makes a pool of sessions that have this name; through a proxy, if an address is given.
func (s *server) pool(through, name string, most int32) *pgxpool.Pool {
	config, err := pgxpool.ParseConfig(s.url)
	require.NoError(s.t, err)
	config.MaxConns = most
	config.ConnConfig.RuntimeParams["application_name"] = name
	config.ConnConfig.RuntimeParams["deadlock_timeout"] = "10ms"
	if through != "" {
		config.ConnConfig.DialFunc = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", through)
		}
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	require.NoError(s.t, err)
	s.t.Cleanup(pool.Close)
	return pool
}

// engine gives a schema with nothing in it.
func (s *server) engine() (e *engine, end func()) {
	g := s.ground()
	e = &engine{
		own: g.own, open: g.open, drop: g.drop, rest: g.rest, strike: g.strike,
		commits: []fault{faultCut, faultHeld, faultHeld, faultRequest, faultResponse, faultResponse, faultTerminated, faultCrossing},
		reads:   []fault{faultCut, faultRequest, faultResponse, faultTerminated},
	}
	return e, func() {
		for _, at := range g.slots {
			at.taken = false
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.free = append(s.free, g)
	}
}

var tables = []string{"rooms", "members", "users", "companies", "teams", "team_members", "records", "commands", "checkpoints", "pending"}

func (s *server) ground() *ground {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.free); n > 0 {
		g := s.free[n-1]
		s.free = s.free[:n-1]
		text := "TRUNCATE "
		for i, name := range tables {
			text += fmt.Sprintf("%s%s.roomkit_%s", []string{"", ", "}[min(i, 1)], g.schema, name)
		}
		if _, err := s.admin.Exec(context.Background(), text); err != nil {
			panic(err)
		}
		return g
	}
	s.count++
	g := &ground{server: s, schema: fmt.Sprintf("simulation%d_%d_%d", os.Getpid(), time.Now().UnixMicro()%1_000_000, s.count)}
	g.name = g.schema
	if err := pgstore.Migrate(context.Background(), s.admin, &pgstore.Options{Schema: g.schema}); err != nil {
		panic(err)
	}
	if err := s.admin.QueryRow(context.Background(), "SELECT lock_key FROM "+g.schema+".roomkit_meta").Scan(&g.lock); err != nil {
		panic(err)
	}
	g.own = g.store(s.admin)
	return g
}

func (g *ground) store(pool *pgxpool.Pool) store.Store {
	s, err := pgstore.New(context.Background(), pool, &pgstore.Options{Schema: g.schema, Patience: time.Second})
	if err != nil {
		panic(err)
	}
	return s
}

// open gives the store of a process that begins.
func (g *ground) open() store.Store {
	for _, at := range g.slots {
		if !at.taken {
			at.taken, at.Store = true, g.store(at.pool)
			return at
		}
	}
	at := &slot{proxy: newProxy(g.t, g.admin.Config().ConnConfig), taken: true}
	at.pool = g.pool(at.proxy.listener.Addr().String(), g.name, 6)
	at.Store = g.store(at.pool)
	g.slots = append(g.slots, at)
	return at
}

// drop is the end of a process: nobody ends its sessions.
func (g *ground) drop(of store.Store) {
	at, _ := of.(*slot)
	at.proxy.cut()
	at.pool.Reset()
	at.taken = false
}

// rest waits until no session of a process does anything.
func (g *ground) rest() {
	for range 1000 {
		var n int
		err := g.admin.QueryRow(context.Background(), "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND state <> 'idle'", g.name).Scan(&n)
		if err == nil && n == 0 {
			return
		}
		time.Sleep(time.Millisecond) //nolint:forbidigo // a server is waited for
	}
	panic("a session does not come to its end")
}

// strike brings a fault about for the time of a call.
func (g *ground) strike(f fault, of store.Store, amount int) (heal func()) {
	at, _ := of.(*slot)
	switch f {
	case faultRequest, faultResponse:
		at.proxy.arm(f, amount%2)
		return func() { at.proxy.arm(faultNone, 0) }
	case faultTerminated:
		end := func() {
			if _, err := g.admin.Exec(context.Background(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", g.name); err != nil {
				panic(err)
			}
		}
		if amount < 30 {
			end()
			return func() {}
		}
		return g.meanwhile(time.Duration(amount)*20*time.Microsecond, end)
	}
	tx, err := g.admin.Begin(context.Background())
	if err != nil {
		panic(err)
	}
	over := func() { _ = tx.Rollback(context.Background()) }
	lock := func(text string, values ...any) { _, _ = tx.Exec(context.Background(), text, values...) } // or it is the victim
	if f == faultHeld && amount%2 == 0 {
		lock("SELECT pg_advisory_xact_lock($1)", g.lock)
		return g.meanwhile(time.Duration(amount)*50*time.Microsecond, over)
	}
	rows := []string{"rooms", "users", "companies"}
	if amount%4 < 2 {
		slices.Reverse(rows)
	}
	take := func(some []string) {
		for _, name := range some {
			lock(fmt.Sprintf("SELECT FROM %s.roomkit_%s FOR UPDATE", g.schema, name))
		}
	}
	if f == faultHeld {
		take(rows)
		return g.meanwhile(time.Duration(amount)*50*time.Microsecond, over)
	}
	take(rows[:1])
	return g.meanwhile(time.Duration(amount)*100*time.Microsecond, func() {
		take(rows[1:])
		lock("SELECT pg_advisory_xact_lock($1)", g.lock)
		over()
	})
}

// meanwhile does something some time after a call has begun, and waits for it.
func (g *ground) meanwhile(after time.Duration, do func()) (wait func()) {
	done := make(chan any, 1)
	time.AfterFunc(after, func() { done <- thrown(do) })
	return func() {
		if what := <-done; what != nil {
			panic(what)
		}
	}
}

// proxy passes connections on to a server, until one is cut.
type proxy struct {
	listener net.Listener
	network  string
	target   string
	armed    atomic.Int64 // the fault
	skip     atomic.Int64 // after so many requests
	mu       sync.Mutex
	open     map[net.Conn]struct{}
}

func newProxy(t *testing.T, to *pgx.ConnConfig) *proxy {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	p := &proxy{listener: listener, open: map[net.Conn]struct{}{}}
	p.network, p.target = pgxNetwork(to)
	go p.accept()
	t.Cleanup(func() {
		_ = listener.Close()
		p.cut()
	})
	return p
}

func pgxNetwork(c *pgx.ConnConfig) (network, address string) {
	if len(c.Host) > 0 && c.Host[0] == '/' {
		return "unix", fmt.Sprintf("%s/.s.PGSQL.%d", c.Host, c.Port)
	}
	return "tcp", net.JoinHostPort(c.Host, fmt.Sprint(c.Port))
}

func (p *proxy) arm(f fault, skip int) {
	p.skip.Store(int64(skip))
	p.armed.Store(int64(f))
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial(p.network, p.target)
		if err != nil {
			_ = client.Close()
			continue
		}
		p.mu.Lock()
		p.open[client], p.open[server] = struct{}{}, struct{}{}
		p.mu.Unlock()
		drop := new(atomic.Bool)
		go p.pass(server, client, func() bool { // what the client says
			f := fault(p.armed.Load())
			if f == faultNone || p.skip.Add(-1) >= 0 || !p.armed.CompareAndSwap(int64(f), int64(faultNone)) {
				return true
			}
			drop.Store(true)
			return f == faultResponse
		})
		go p.pass(client, server, func() bool { return !drop.Load() })
	}
}

func (p *proxy) pass(to, from net.Conn, may func() bool) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 && !may() {
			break
		}
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				break
			}
		}
		if err != nil {
			break
		}
	}
	for _, c := range []net.Conn{to, from} {
		_ = c.Close()
		p.mu.Lock()
		delete(p.open, c)
		p.mu.Unlock()
	}
}

// cut ends all connections at once.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		_ = c.Close()
	}
}

// TestSimulationOnPostgres runs worlds on a server, until so many commands have been sent as
// ROOMKIT_POSTGRES_STEPS says.
func TestSimulationOnPostgres(t *testing.T) {
	s := newServer(t)
	simulate(t, stepsOf(t, "ROOMKIT_POSTGRES_STEPS", 1_000), s.engine)
	var deadlocks, killed int
	require.NoError(t, s.admin.QueryRow(t.Context(), "SELECT deadlocks, sessions_killed FROM pg_stat_database WHERE datname = current_database()").Scan(&deadlocks, &killed))
	t.Logf("the server has seen %d deadlocks and has ended %d sessions", deadlocks, killed)
}

// TestControlsOnPostgres: a store that lies is found on a server as in memory.
func TestControlsOnPostgres(t *testing.T) {
	if os.Getenv("ROOMKIT_POSTGRES_STEPS") == "" {
		t.Skip("it takes some seconds; ROOMKIT_POSTGRES_STEPS=20000 runs it")
	}
	lies(t, newServer(t).engine)
}
