package main

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/verify"
)

func (j *job) report(ctx context.Context, worlds []*world) error {
	for _, w := range worlds {
		if err := j.ready(ctx, w); err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
	}
	if j.updates > 0 {
		if err := j.update(ctx, worlds); err != nil {
			return err
		}
	}
	if err := j.table(ctx, worlds); err != nil {
		return err
	}
	if j.checks {
		return j.check(ctx, worlds)
	}
	return nil
}

// ready finds what the rows need of a world.
func (j *job) ready(ctx context.Context, w *world) error {
	w.stamp, w.middles = fmt.Sprintf("%x", time.Now().UnixNano()), map[string]service.PageToken{}
	w.hot = -1
	if j.updates > 0 {
		w.hot = w.usual(1)
	}
	of := roomkit.RoomSubject(w.roomID(w.begins[general]))
	list, err := w.store.History(ctx, of, 0, 1)
	if err != nil || len(list) == 0 {
		return fmt.Errorf("no history of %s: %w", of, err)
	}
	w.half = list[0].Cursor
	return nil
}

// table measures every row and prints it.
func (j *job) table(ctx context.Context, worlds []*world) error {
	scans, next := make([]scanned, len(worlds)), make([]func(string) error, len(worlds))
	for i, w := range worlds {
		var err error
		if next[i], scans[i], err = watchScans(ctx, w); err != nil {
			return err
		}
	}
	fmt.Fprintf(j.out, "\n%s, %s, %d processors, GOMAXPROCS %d, median and p99 of up to %d; calls of the store: loads, pages, commits\n\n|", j.kind(), runtime.Version(), runtime.NumCPU(), runtime.GOMAXPROCS(0), j.samples)
	for _, w := range worlds {
		fmt.Fprintf(j.out, " | %s | p99", w.title)
	}
	fmt.Fprintf(j.out, " | ratio | of p10 | of work | calls | blocks |\n|---|%s---:|---:|---:|---|---|\n", strings.Repeat("---:|---:|", len(worlds)))
	for _, p := range allProbes() {
		if !j.only.MatchString(p.name) {
			continue
		}
		all, err := j.measure(ctx, &p, worlds)
		if err != nil {
			return err
		}
		fmt.Fprintln(j.out, row(&p, all))
		for i := range worlds {
			if err := next[i](p.name); err != nil {
				return err
			}
		}
	}
	j.tellSizes(worlds)
	for i, w := range worlds {
		if scans[i] != nil {
			fmt.Fprintf(j.out, "%s: rows read by going through a table: %s\n", w.title, scans[i])
		}
	}
	return nil
}

func (j *job) kind() string {
	kind, _, _ := strings.Cut(j.where, ":")
	return kind
}

func row(p *probe, all []timed) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s", p.name)
	for i := range all {
		if all[i].none {
			return b.String() + strings.Repeat(" | – | –", len(all)) + " | – | – | – | – | – |"
		}
		fmt.Fprintf(&b, " | %s | %s", brief(all[i].took.quantile(0.5)), brief(all[i].took.quantile(0.99)))
	}
	small, large := &all[0], &all[len(all)-1]
	fmt.Fprintf(&b, " | %s | %s | %s", ratio(small.took, large.took, 0.5), ratio(small.took, large.took, 0.1), ratio(small.worked, large.worked, 0.5))
	fmt.Fprintf(&b, " | %s", both(small.calls, large.calls))
	if small.blocks+large.blocks > 0 {
		return b.String() + " | " + both(fmt.Sprint(small.blocks), fmt.Sprint(large.blocks)) + " |"
	}
	return b.String() + " | |"
}

func ratio(small, large durations, q float64) string {
	if small.quantile(q) == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", float64(large.quantile(q))/float64(small.quantile(q)))
}

func both(small, large string) string {
	if small == large {
		return small
	}
	return small + " → " + large
}

// brief writes a duration with three digits.
func brief(d time.Duration) string {
	for _, unit := range []struct {
		of   time.Duration
		name string
	}{{time.Second, "s"}, {time.Millisecond, "ms"}} {
		if d >= unit.of {
			return fmt.Sprintf("%.3g %s", float64(d)/float64(unit.of), unit.name)
		}
	}
	return fmt.Sprintf("%.3g µs", float64(d)/float64(time.Microsecond))
}

func (j *job) tellSizes(worlds []*world) {
	for _, w := range worlds {
		list, all := w.size, total(w.size)
		fmt.Fprintf(j.out, "\n%s: %d MB, %.0f bytes for each of %d memberships", w.title, all>>20, float64(all)/float64(w.n), w.n)
		for _, t := range list {
			if len(list) > 1 && t.bytes*100 > all {
				fmt.Fprintf(j.out, ", %s %.0f", t.table, float64(t.bytes)/float64(w.n))
			}
		}
	}
	fmt.Fprintln(j.out)
}

func total(list []sized) (all int64) {
	for _, t := range list {
		all += t.bytes
	}
	return all
}

// scanned is what was read of a table by going through it, and for which rows.
type scanned map[string]*struct {
	tuples int64
	rows   []string
}

// watchScans notes what the tables of a world were read since it was called last. It is
// nothing where the store does not count it.
func watchScans(ctx context.Context, w *world) (next func(row string) error, found scanned, err error) {
	found = scanned{}
	if w.scans == nil {
		return func(string) error { return nil }, nil, nil
	}
	before, err := w.scans(ctx)
	return func(row string) error {
		after, err := w.scans(ctx)
		for table, n := range after {
			if n == before[table] {
				continue
			}
			if found[table] == nil {
				found[table] = &struct {
					tuples int64
					rows   []string
				}{}
			}
			found[table].tuples += n - before[table]
			found[table].rows = append(found[table].rows, row)
		}
		before = after
		return err
	}, found, err
}

func (s scanned) String() string {
	var read []string
	for _, table := range slices.Sorted(maps.Keys(s)) {
		rows := s[table].rows
		text := strings.Join(rows[:min(3, len(rows))], "; ")
		if len(rows) > 3 {
			text += fmt.Sprintf("; %d others", len(rows)-3)
		}
		read = append(read, fmt.Sprintf("%s %d (%s)", table, s[table].tuples, text))
	}
	return strings.Join(append(read, "no others"), ", ")
}

// update changes one room of the last world so many times.
func (j *job) update(ctx context.Context, worlds []*world) error {
	w := worlds[len(worlds)-1]
	room, people := w.usualRoom(0)
	was, err := w.svc.Room(ctx, userID(people[0]), room)
	if err != nil {
		return err
	}
	before, err := w.sizes(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	done := int(was.Version)
	for ; done < j.updates; done += roomkit.MaxBatch {
		cmds := make([]roomkit.Command, roomkit.MaxBatch)
		for i := range cmds {
			cmds[i] = roomkit.Edit{Room: room, Description: w.text()}
		}
		for _, r := range w.svc.Batch(ctx, roomkit.By(userID(people[0])), cmds) {
			if r.Err != nil {
				return r.Err
			}
		}
	}
	after, err := w.sizes(ctx)
	if made := done - int(was.Version); err == nil && made > 0 {
		fmt.Fprintf(j.out, "%d updates of one room in %s, %.0f bytes each", made, brief(time.Since(began)), float64(total(after)-total(before))/float64(made))
		for _, t := range after {
			for _, was := range before {
				if grown := t.bytes - was.bytes; len(after) > 1 && t.table == was.table && grown > int64(made) {
					fmt.Fprintf(j.out, ", %s %.0f", t.table, float64(grown)/float64(made))
				}
			}
		}
		fmt.Fprintln(j.out)
	}
	w.updated = done
	return err
}

// check reads the feeds of the worlds, verifies them, and lets copies join.
func (j *job) check(ctx context.Context, worlds []*world) error {
	for _, w := range worlds {
		records, c := 0, &counted{Store: w.store}
		took, err := spent(func() error {
			for page, err := range store.FeedPages(ctx, c, "") {
				if err != nil {
					return err
				}
				records += len(page)
			}
			return nil
		})
		if err != nil {
			return err
		}
		fmt.Fprintf(j.out, "%s: feed of %d records read in %s, calls %s\n", w.title, records, took, c)
		c = &counted{Store: w.store}
		took, err = spent(func() error { return verify.Run(ctx, c, nil) })
		if err != nil {
			return err
		}
		fmt.Fprintf(j.out, "%s: verified in %s, calls %s\n", w.title, took, c)
		if w.join == nil {
			continue
		}
		joined, err := w.join(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(j.out, "%s: another copy joined: %s\n", w.title, joined)
	}
	return nil
}

// spent tells the time that something takes, and what of it the program has had of the
// processors; a server of a database has its own.
func spent(do func() error) (string, error) {
	began, idle := time.Now(), processTime()
	err := do()
	return fmt.Sprintf("%s, %s of work", brief(time.Since(began)), brief(processTime()-idle)), err
}
