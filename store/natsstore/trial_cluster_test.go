package natsstore_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/natsstore"
	"github.com/go-roomkit/roomkit/store/natsstore/internal/cluster"
)

const (
	boss      = roomkit.UserID("boss")
	trialLog  = "trial"
	maxWrongs = 20 // complaints of one trial
)

// trialOptions say what kind of trial it is.
type trialOptions struct {
	cluster cluster.Options
	seats   []seatOptions
	callers int
	rooms   int
	seed    uint64
}

// seatOptions say where a copy runs.
type seatOptions struct {
	process bool // of its own, with a file
	node    int  // the only one that it is connected to; anyNode: all
	lie     string
	// patience is that of the store: a short one gives up while something is broken.
	patience time.Duration
}

const anyNode = -1

// trial is many callers of several services on one log, while something breaks. Each caller
// has a person of its own, takes it into rooms and out again, and insists until it knows
// how each command has ended.
type trial struct {
	trialOptions
	*cluster.Cluster
	seats   []*seat
	rooms   []roomkit.RoomID
	founded map[roomkit.RoomID]roomkit.Version
	begin   time.Time
	halt    chan struct{}
	all     sync.WaitGroup

	acknowledged, checks, unknowns, breaks atomic.Int64

	mu       sync.Mutex
	ops      []operation
	edits    []operation // each with a text of its own, given once
	wrong    []string
	progress chan struct{} // closed with the next acknowledgement
}

// seat is where a copy runs, and runs again after it was killed.
type seat struct {
	seatOptions
	conf copyConfig
	way  []*cluster.Proxy // to the nodes

	mu   sync.RWMutex // held for reading while somebody asks
	host host
}

// operation is one order and what came of it.
type operation struct {
	Order
	Answer
	from, to time.Duration
}

func newTrial(t *testing.T, o trialOptions) *trial {
	t.Helper()
	if o.cluster.Dir == "" {
		o.cluster.Dir = t.TempDir()
	}
	tr := &trial{trialOptions: o, begin: time.Now(), founded: map[roomkit.RoomID]roomkit.Version{}, halt: make(chan struct{}), progress: make(chan struct{})}
	ctx := minutes(t, 1)
	var err error
	tr.Cluster, err = cluster.Start(ctx, o.cluster)
	t.Cleanup(func() { require.NoError(t, tr.Cluster.Close()) })
	require.NoError(t, err)
	conn, err := tr.Connect()
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	require.NoError(t, err)
	require.NoError(t, natsstore.CreateStream(ctx, js, &natsstore.Options{Stream: trialLog, SyncAlways: true}))
	require.NoError(t, tr.Whole(ctx, trialLog))
	tr.found(t, js)
	for i, s := range o.seats {
		tr.seats = append(tr.seats, tr.take(t, i, s))
	}
	return tr
}

func minutes(tb testing.TB, n int) context.Context {
	tb.Helper()
	ctx, stop := context.WithTimeout(tb.Context(), time.Duration(n)*time.Minute)
	tb.Cleanup(stop)
	return ctx
}

func personOf(caller int) roomkit.UserID { return roomkit.UserID(fmt.Sprintf("u%02d", caller)) }

// found makes the company, its people and its rooms.
func (tr *trial) found(t *testing.T, js jetstream.JetStream) {
	t.Helper()
	s, err := natsstore.Open(minutes(t, 1), js, memstore.New(), &natsstore.Options{Stream: trialLog, SyncAlways: true})
	require.NoError(t, err)
	defer s.Close()
	svc, err := service.New(s, nil)
	require.NoError(t, err)
	do := func(by roomkit.Actor, cmd roomkit.Command) service.Result {
		r, err := svc.Do(t.Context(), by, cmd)
		require.NoError(t, err)
		return r
	}
	do(roomkit.System(), roomkit.AddCompany{Company: roomkit.Company{ID: "acme", Licensed: true, MembersCreateGroups: true}})
	add := func(id roomkit.UserID) {
		do(roomkit.System(), roomkit.AddUser{User: roomkit.User{ID: id, Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}})
	}
	add(boss)
	for caller := range tr.callers {
		add(personOf(caller))
	}
	for i := range tr.trialOptions.rooms {
		r := do(roomkit.By(boss), roomkit.CreateGroup{Name: fmt.Sprint("Group ", i)})
		tr.rooms = append(tr.rooms, r.Room)
		tr.founded[r.Room] = r.Version
	}
}

// take opens a copy, which reaches the nodes over ways of its own.
func (tr *trial) take(t *testing.T, i int, o seatOptions) *seat {
	t.Helper()
	s := &seat{seatOptions: o, conf: copyConfig{Stream: trialLog, Lie: o.lie, Patience: o.patience}}
	for n, node := range tr.Nodes {
		p, err := cluster.NewProxy(node.Address())
		require.NoError(t, err)
		t.Cleanup(func() { _ = p.Close() })
		s.way = append(s.way, p)
		if o.node == anyNode || o.node == n {
			s.conf.URLs = append(s.conf.URLs, "nats://"+p.Address())
		}
	}
	if o.process {
		s.conf.Path = filepath.Join(t.TempDir(), fmt.Sprintf("copy%d.db", i))
	}
	require.NoError(t, s.open())
	t.Cleanup(func() { _ = s.host.end(true) })
	return s
}

func (s *seat) open() (err error) {
	if s.process {
		s.host, err = openRemote(s.conf)
		return err
	}
	d, err := openCopy(s.conf)
	s.host = local{d}
	return err
}

// kill kills the process of a copy while it is asked, and starts another one from its file, or from
// nothing: then it begins with a snapshot, if there is one.
func (s *seat) kill(fresh bool) error {
	s.mu.RLock()
	h := s.host
	s.mu.RUnlock()
	if err := h.end(true); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, rest := range []string{"", "-wal", "-shm"} {
		if !fresh {
			break
		}
		if err := os.Remove(s.conf.Path + rest); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return s.open()
}

func (s *seat) ask(o Order) Answer {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.host.ask(o)
}

func (tr *trial) complain(format string, args ...any) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if len(tr.wrong) < maxWrongs {
		tr.wrong = append(tr.wrong, fmt.Sprintf(format, args...))
	}
}

func (tr *trial) complained() int {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return len(tr.wrong)
}

// ask asks and writes down what came of it.
func (tr *trial) ask(s *seat, o Order) operation {
	op := operation{Order: o, from: time.Since(tr.begin)} //nolint:forbidigo // written down, not tested
	op.Answer = s.ask(o)
	op.to = time.Since(tr.begin) //nolint:forbidigo // written down, not tested
	switch op.Fate {
	case unknown:
		tr.unknowns.Add(1)
	case stopped:
		tr.complain("a copy has stopped: %s", op.Error)
	case refused:
		tr.complain("%s of %s is refused: %s", o.What, o.Person, op.Error)
	default: // counted by who asks
	}
	return op
}

// start lets the callers begin.
func (tr *trial) start() {
	for caller := range tr.callers {
		tr.all.Go(func() { tr.caller(caller) })
	}
}

func (tr *trial) over() bool {
	select {
	case <-tr.halt:
		return true
	default:
		return false
	}
}

// caller takes its person into a room and out again, round after round.
func (tr *trial) caller(me int) {
	r := rand.New(rand.NewPCG(tr.seed, uint64(me)))
	for round := 0; !tr.over(); round++ {
		o := Order{Room: tr.rooms[r.IntN(len(tr.rooms))], Person: personOf(me)}
		for _, o.What = range []what{invite, remove} {
			o.Key = fmt.Sprint(me, o.What, round)
			if !tr.insist(r, o) {
				return
			}
			tr.everywhere(o)
		}
		tr.look(r)
		if r.IntN(3) == 0 {
			tr.write(r, o.Room, fmt.Sprint("text ", me, " ", round))
		}
	}
}

func (tr *trial) anySeat(r *rand.Rand) *seat { return tr.seats[r.IntN(len(tr.seats))] }

// insist repeats a command under its key, at any service, until it is done.
func (tr *trial) insist(r *rand.Rand, o Order) bool {
	from := time.Since(tr.begin) //nolint:forbidigo // written down, not tested
	for n := 0; ; n++ {
		op := tr.ask(tr.anySeat(r), o)
		switch {
		case op.Fate == done:
			if !op.Changed {
				tr.complain("%s of %s has found it done", o.What, o.Person)
			}
			op.from = from
			tr.keep(&tr.ops, op)
			tr.acknowledge()
			return true
		case op.Fate == refused || op.Fate == stopped || tr.over() && n > 100:
			return false
		}
	}
}

func (tr *trial) keep(list *[]operation, op operation) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	*list = append(*list, op)
}

func (tr *trial) acknowledge() {
	tr.acknowledged.Add(1)
	tr.mu.Lock()
	defer tr.mu.Unlock()
	close(tr.progress)
	tr.progress = make(chan struct{})
}

// everywhere demands that every service knows what was acknowledged.
func (tr *trial) everywhere(o Order) {
	said := o.What
	o.What, o.Key = check, ""
	var all sync.WaitGroup
	for i, s := range tr.seats {
		all.Go(func() {
			op := tr.ask(s, o)
			if op.Fate != done {
				return
			}
			tr.checks.Add(1)
			tr.keep(&tr.ops, op)
			if in := said == invite; op.Changed != in {
				tr.complain("copy %d says after the acknowledged %s of %s that it may enter: %v", i, said, o.Person, op.Changed)
			}
		})
	}
	all.Wait()
}

// look asks about somebody else, who comes or goes at the same time.
func (tr *trial) look(r *rand.Rand) {
	o := Order{What: check, Room: tr.rooms[r.IntN(len(tr.rooms))], Person: personOf(r.IntN(tr.callers))}
	if op := tr.ask(tr.anySeat(r), o); op.Fate == done {
		tr.checks.Add(1)
		tr.keep(&tr.ops, op)
	}
}

// write gives a command once, without a key.
func (tr *trial) write(r *rand.Rand, room roomkit.RoomID, text string) {
	op := tr.ask(tr.anySeat(r), Order{What: edit, Room: room, Text: text})
	tr.keep(&tr.edits, op)
	if op.Fate == done {
		tr.acknowledge()
	}
}

// moves waits until so many commands are acknowledged.
func (tr *trial) moves(t *testing.T, n int64) {
	t.Helper()
	ctx := minutes(t, 2)
	for want := tr.acknowledged.Load() + n; tr.acknowledged.Load() < want; {
		tr.mu.Lock()
		next, wrong := tr.progress, slices.Clone(tr.wrong)
		tr.mu.Unlock()
		require.Less(t, len(wrong), maxWrongs, "%q", wrong)
		select {
		case <-next:
		case <-time.After(time.Second):
		case <-ctx.Done():
			require.Fail(t, "nothing is acknowledged any more", "%d of %d; %q", tr.acknowledged.Load(), want, wrong)
		}
	}
}

// end heals everything, ends the callers, and judges.
func (tr *trial) end(t *testing.T) {
	t.Helper()
	tr.heal(t)
	close(tr.halt)
	tr.all.Wait()
	require.NoError(t, tr.Whole(minutes(t, 2), trialLog))
	tr.judge(t)
	tr.compare(t)
	t.Logf("seed %d: %d breaks, %d commands acknowledged, %d unknown at first, %d checks, in %.0f s", tr.seed,
		tr.breaks.Load(), tr.acknowledged.Load(), tr.unknowns.Load(), tr.checks.Load(), time.Since(tr.begin).Seconds()) //nolint:forbidigo // printed, not tested
}

func (tr *trial) heal(t *testing.T) {
	t.Helper()
	tr.Heal()
	for _, s := range tr.seats {
		for _, p := range s.way {
			p.Heal()
		}
	}
	for _, n := range tr.Nodes {
		require.NoError(t, n.Start())
	}
}

// compare demands that all copies hold the same, and one that begins now with a snapshot as well.
func (tr *trial) compare(t *testing.T) {
	t.Helper()
	for _, s := range tr.seats {
		if here, ok := s.host.(local); ok {
			done, err := here.store.Compact(minutes(t, 1), 0)
			require.NoError(t, err)
			require.True(t, done.Written)
			break
		}
	}
	tr.seats = append(tr.seats, tr.take(t, len(tr.seats), seatOptions{node: anyNode}))
	var first Digest
	for i, s := range tr.seats {
		got, err := s.host.sum()
		require.NoError(t, err)
		require.Empty(t, got.Incorrect, "copy %d", i)
		if i == 0 {
			first = got
		}
		require.Equal(t, first, got, "copies 0 and %d differ", i)
	}
}
