package natsstore_test

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/rpc"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/memstore"
	"github.com/go-roomkit/roomkit/store/natsstore"
	"github.com/go-roomkit/roomkit/store/natsstore/internal/cluster"
	"github.com/go-roomkit/roomkit/store/sqlitestore/sqliteopen"
	"github.com/go-roomkit/roomkit/store/verify"
	"github.com/go-roomkit/roomkit/transfer"
)

// what a caller asks of a service.
type what string

const (
	invite what = "invite"
	remove what = "remove"
	edit   what = "edit"
	check  what = "check" // whether the person may enter
)

// Order is a command or a question.
type Order struct {
	What   what
	Room   roomkit.RoomID
	Person roomkit.UserID
	Key    string // of a command that may be repeated
	Text   string // the description that edit writes
}

// fate is what an answer says of what was asked.
type fate string

const (
	done    fate = "done"
	refused fate = "refused" // nothing was stored, and never is
	nothing fate = "nothing" // nothing was stored
	unknown fate = "unknown"
	stopped fate = "stopped" // nothing was stored, and the store answers no more
)

// Answer is what came of an order.
type Answer struct {
	Fate    fate
	Changed bool // of a command; of check: yes
	Version roomkit.Version
	Error   string
}

// Digest is all that a copy holds, summed up.
type Digest struct {
	Records   int
	Feed      [32]byte // of all records with their cursors
	Export    [32]byte
	Incorrect string // what Verify says
}

// Lies are what a copy of a control does wrong.
const (
	lieEarly = "commits are acknowledged before they are in the log"
	lieStale = "reads do not ask the log"
)

// copyConfig is what a copy is opened with.
type copyConfig struct {
	Stream string
	URLs   []string
	Path   string // of its SQLite file; empty: in memory
	Lie    string
	// Patience is that of the store; 0: callPatience.
	Patience time.Duration
}

// Copy is a service on a copy of the log, in this process or in one of its own.
type Copy struct {
	conn  *nats.Conn
	file  *sqliteopen.Store
	store *natsstore.Store
	seen  store.Store // by the service
	svc   *service.Service

	orders     atomic.Int64
	compacting sync.Mutex
}

func openCopy(c copyConfig) (_ *Copy, err error) {
	d := &Copy{}
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	if d.conn, err = cluster.Connect(c.URLs); err != nil {
		return nil, err
	}
	js, err := jetstream.New(d.conn)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	o := &natsstore.Options{Stream: c.Stream, SyncAlways: true, StaleReads: c.Lie == lieStale, Patience: cmp.Or(c.Patience, callPatience)}
	var local store.Store = memstore.New()
	if c.Path != "" {
		if d.file, err = sqliteopen.Open(ctx, c.Path, &sqliteopen.Options{Create: true}); err != nil {
			return nil, err
		}
		local, o.File = d.file, d.file.Writer
	}
	if d.store, err = natsstore.Open(ctx, js, local, o); err != nil {
		return nil, err
	}
	d.seen = d.store
	if c.Lie == lieEarly {
		d.seen = early{d.store}
	}
	d.svc, err = service.New(d.seen, nil)
	return d, err
}

func (d *Copy) close() {
	if d.store != nil {
		_ = d.store.Close()
	}
	d.compacting.Lock() // it ends with the store
	defer d.compacting.Unlock()
	if d.conn != nil {
		d.conn.Close()
	}
	if d.file != nil {
		_ = d.file.Close()
	}
}

const callPatience = 15 * time.Second

// compactEvery is after how many orders a copy writes a snapshot, if nobody else has written one lately.
const compactEvery = 100

// compact writes a snapshot now and then, beside everything else. What is broken off is no failure.
func (d *Copy) compact() {
	if d.orders.Add(1)%compactEvery == 0 && d.compacting.TryLock() {
		go func() {
			defer d.compacting.Unlock()
			ctx, stop := context.WithTimeout(context.Background(), callPatience)
			defer stop()
			_, _ = d.store.Compact(ctx, compactEvery)
		}()
	}
}

// Carry carries an order out.
func (d *Copy) Carry(o Order, a *Answer) error {
	d.compact()
	ctx, stop := context.WithTimeout(context.Background(), 2*callPatience)
	defer stop()
	people := []roomkit.UserID{o.Person}
	var cmd roomkit.Command
	switch o.What {
	case invite:
		cmd = roomkit.Invite{Room: o.Room, People: people}
	case remove:
		cmd = roomkit.Remove{Room: o.Room, People: people}
	case edit:
		cmd = roomkit.Edit{Room: o.Room, Description: &o.Text}
	case check:
		*a = d.enters(ctx, o)
		return nil
	}
	r, err := d.svc.Do(ctx, roomkit.By(boss), cmd, service.Call{Key: o.Key})
	*a = Answer{Fate: d.fate(err), Changed: r.Changed, Version: r.Version, Error: fmt.Sprint(err)}
	return nil
}

func (d *Copy) enters(ctx context.Context, o Order) Answer {
	err := d.svc.Check(ctx, o.Person, roomkit.ActionEnter, o.Room)
	if errors.Is(err, roomkit.ErrDenied) || errors.Is(err, roomkit.ErrNotFound) {
		return Answer{Fate: done}
	}
	return Answer{Fate: d.fate(err), Changed: err == nil, Error: fmt.Sprint(err)}
}

func (d *Copy) fate(err error) fate {
	switch {
	case err == nil:
		return done
	case errors.Is(err, roomkit.ErrUnknownOutcome):
		return unknown
	case d.store.Err() != nil:
		return stopped
	case errors.Is(err, roomkit.ErrUnavailable), errors.Is(err, roomkit.ErrConflict),
		errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return nothing
	}
	return refused
}

// Sum sums up what the copy holds.
func (d *Copy) Sum(_ int, out *Digest) error {
	ctx, stop := context.WithTimeout(context.Background(), 2*time.Minute)
	defer stop()
	all, err := recordsOf(ctx, d.store)
	if err != nil {
		return err
	}
	feed, export := sha256.New(), sha256.New()
	for i := range all {
		if err := json.NewEncoder(feed).Encode(all[i]); err != nil {
			return err
		}
	}
	at := func() time.Time { return time.Unix(0, 0) }
	if _, err := transfer.Export(ctx, d.store, export, &transfer.ExportOptions{Clock: at}); err != nil {
		return err
	}
	out.Records, out.Feed, out.Export = len(all), [32]byte(feed.Sum(nil)), [32]byte(export.Sum(nil))
	if err := verify.Run(ctx, d.store, nil); err != nil {
		out.Incorrect = err.Error()
	}
	return nil
}

// recordsOf reads a whole feed.
func recordsOf(ctx context.Context, s store.Store) (all []store.Record, err error) {
	for page, err := range store.FeedPages(ctx, s, "") {
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
	}
	return all, nil
}

// early is a client that does not wait until its commits are in the log.
type early struct{ *natsstore.Store }

func (e early) Unwrap() store.Store { return e.Store }

func (e early) Commit(ctx context.Context, changes []store.Change) ([]store.CommitResult, error) {
	results := make([]store.CommitResult, len(changes))
	copies := make([]store.Change, len(changes))
	for i := range changes {
		results[i].Outcome = changes[i].Outcome
		copies[i] = changes[i].Clone()
	}
	go e.Store.Commit(context.WithoutCancel(ctx), copies) //nolint:errcheck // nobody waits for it: this is the lie
	return results, nil
}

// copyEnvironment names the variable that makes a process a copy.
const copyEnvironment = "ROOMKIT_NATS_COPY"

// stdio is the way to whoever has started this process.
type stdio struct {
	io.Reader
	io.WriteCloser
}

// copyMain makes the process a copy if it was started as one.
func copyMain() {
	text := os.Getenv(copyEnvironment)
	if text == "" {
		return
	}
	var c copyConfig
	err := json.Unmarshal([]byte(text), &c)
	var d *Copy
	for err == nil && d == nil {
		if d, err = openCopy(c); errors.Is(err, roomkit.ErrUnavailable) {
			err = nil // as whoever starts services again and again
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	s := rpc.NewServer()
	if err := s.Register(d); err != nil {
		panic(err)
	}
	s.ServeConn(stdio{os.Stdin, os.Stdout}) // until the input ends
	d.close()
	os.Exit(0)
}

// host is a place where a copy runs.
type host interface {
	ask(o Order) Answer
	sum() (Digest, error)
	end(kill bool) error
}

// local is a copy in this process.
type local struct{ *Copy }

func (l local) ask(o Order) (a Answer) {
	_ = l.Carry(o, &a)
	return a
}

func (l local) sum() (out Digest, err error) { return out, l.Sum(0, &out) }

func (l local) end(bool) error {
	l.close()
	return nil
}

// remote is a copy in a process of its own.
type remote struct {
	cmd    *exec.Cmd
	client *rpc.Client
}

func openRemote(c copyConfig) (host, error) {
	cmd, input, output, err := cluster.Again(copyEnvironment, c)
	if err != nil {
		return nil, err
	}
	return &remote{cmd, rpc.NewClient(stdio{output, input})}, nil
}

// ask gives an unknown fate to what a process does not answer any more.
func (r *remote) ask(o Order) (a Answer) {
	if err := r.client.Call("Copy.Carry", o, &a); err != nil {
		return Answer{Fate: unknown, Error: err.Error()}
	}
	return a
}

func (r *remote) sum() (out Digest, err error) { return out, r.client.Call("Copy.Sum", 0, &out) }

func (r *remote) end(kill bool) error {
	if kill {
		err := r.cmd.Process.Kill()
		_ = r.cmd.Wait() // killed
		_ = r.client.Close()
		return err
	}
	_ = r.client.Close() // it may have ended by itself, which Wait tells
	return r.cmd.Wait()
}
