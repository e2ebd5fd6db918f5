// Command growth shows how roomkit grows. It fills a store with worlds of several sizes
// and asks each query and gives each command of the service in all of them, in turn, so
// that other work on the machine hits them alike.
//
//	go run ./growth -store memory -sizes 1e5,1e6
//	go run ./growth -store sqlite:worlds -sizes 1e6,1e7
//	../.ci/with-postgres go run ./growth -store postgres: -sizes 1e6,1e7
//	go run ./growth -store nats: -sizes 1e5,1e6
//	go run ./growth -store memory -sizes 1e6 -updates 1e5
//
// What was filled into files and schemas stays there and is used again.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// job is what the flags ask for.
type job struct {
	where   string
	sizes   []int
	seed    uint64
	updates int
	only    *regexp.Regexp
	samples int
	budget  time.Duration
	checks  bool
	out     io.Writer
	told    io.Writer
}

func main() {
	j := job{out: os.Stdout, told: os.Stderr}
	sizes := flag.String("sizes", "1e5,1e6", "memberships of each world")
	updates := flag.Float64("updates", 0, "instead: two worlds of the first size, and so many updates of one room in the second")
	quick := flag.Bool("quick", false, "1e4 and 1e5 memberships and a tenth of the samples")
	flag.StringVar(&j.where, "store", "memory", "memory, sqlite:FOLDER, postgres:[URL], nats:[FOLDER], or nats-stale:[FOLDER], whose reads do not ask the log")
	flag.Uint64Var(&j.seed, "seed", 1, "of the worlds")
	only := flag.String("only", "", "only rows whose name this regular expression finds; - for none")
	flag.IntVar(&j.samples, "samples", 200, "of each row in each world")
	flag.DurationVar(&j.budget, "budget", 3*time.Second, "for a row in a world, from the third sample on")
	flag.BoolVar(&j.checks, "verify", true, "verify the worlds and read their feeds, before anything else")
	flag.Parse()
	if *quick {
		*sizes, j.samples, j.budget = "1e4,1e5", 20, j.budget/10
	}
	err := j.parse(*sizes, *updates, *only)
	if err == nil {
		err = j.run(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "growth:", err)
		os.Exit(1)
	}
}

func (j *job) parse(sizes string, updates float64, only string) (err error) {
	if j.only, err = regexp.Compile(only); err != nil {
		return fmt.Errorf("-only: %w", err)
	}
	for _, text := range strings.Split(sizes, ",") {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || n < 1000 || n > 1e8 {
			return fmt.Errorf("-sizes: %q is not a number from 1e3 to 1e8", text)
		}
		j.sizes = append(j.sizes, int(n))
	}
	if j.updates = int(updates); j.updates > 0 {
		j.sizes = []int{j.sizes[0], j.sizes[0]}
	}
	return nil
}

// world is a filled store and what is asked of it.
type world struct {
	*site
	*shape
	name   string
	title  string
	size   []sized // when it was filled
	svc    *service.Service
	stamp  string // of this run, in the names of what it makes
	serial int

	hot     int                          // the room that is always asked about; -1: they take turns
	updated int                          // how often it was
	half    roomkit.Cursor               // in the middle of the feed
	middles map[string]service.PageToken // of lists
}

func (j *job) run(ctx context.Context) (err error) {
	open, end, err := openerOf(j.where)
	if err != nil {
		return err
	}
	var worlds []*world
	defer func() {
		for _, w := range worlds {
			err = errors.Join(err, w.close())
		}
		err = errors.Join(err, end())
	}()
	for i, n := range j.sizes {
		w, err := j.world(ctx, open, n, i)
		if err != nil {
			return err
		}
		worlds = append(worlds, w)
	}
	return j.report(ctx, worlds)
}

// world fills a world, unless it is there, and opens it as a host would.
func (j *job) world(ctx context.Context, open opener, n, number int) (*world, error) {
	s := newShape(n, j.seed)
	w := &world{shape: s, name: worldName(n, j.seed), title: short(n)}
	if j.updates > 0 {
		w.name += fmt.Sprint("_", [...]string{"still", "updated"}[number])
	}
	if j.updates > 0 && number > 0 {
		w.title += " + " + short(j.updates)
	}
	if err := j.fill(ctx, open, w); err != nil {
		return nil, fmt.Errorf("%s: %w", w.name, err)
	}
	var err error
	if w.site, err = open(ctx, w.name, false); err != nil {
		return nil, err
	}
	if w.size, err = w.sizes(ctx); err == nil {
		w.svc, err = newService(w.store)
	}
	return w, err
}

func worldName(n int, seed uint64) string { return fmt.Sprintf("growth_%d_%d", n, seed) }

func newService(st store.Store) (*service.Service, error) {
	return service.New(st, &service.Options{Policy: roomkit.Policy{MaxGroupsPerUser: 1_000_000, AnyoneIsContact: true}})
}

func (j *job) fill(ctx context.Context, open opener, w *world) error {
	var err error
	if w.site, err = open(ctx, w.name, true); err != nil {
		return err
	}
	there, err := isFilled(ctx, w.store)
	if err != nil || there {
		return errors.Join(err, w.close())
	}
	began, last := time.Now(), time.Now()
	err = fill(ctx, w.shape, w.store, func(stored int) {
		if time.Since(last) > 5*time.Second {
			last = time.Now()
			fmt.Fprintf(j.told, "%s: %d of %d memberships, %s\n", w.name, stored, w.n, time.Since(began).Round(time.Second))
		}
	})
	if err == nil {
		w.svc, err = newService(w.store)
	}
	if err == nil {
		err = fillTeams(ctx, w.shape, w.svc)
	}
	if err == nil {
		err = fillThird(ctx, w.shape, w.svc)
	}
	if err == nil {
		err = markFilled(ctx, w.store)
	}
	fmt.Fprintf(j.told, "%s: filled in %s\n", w.name, time.Since(began).Round(time.Second))
	if err = errors.Join(err, w.close()); err != nil {
		return err
	}
	return settle(ctx, j.where, w.name)
}

// short writes 1e6 for 1000000.
func short(n int) string {
	text := strconv.FormatFloat(float64(n), 'e', -1, 64)
	return strings.Replace(text, "e+0", "e", 1)
}
