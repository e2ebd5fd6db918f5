package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"
)

// timed is what one row took in one world.
type timed struct {
	took   durations
	worked durations // by the thread that asked, whoever else wanted the processors
	calls  string    // of the store, for one of them
	blocks int64     // that the database looked at, for one of them
	none   bool
}

// durations are in order when all are there.
type durations []time.Duration

func (d durations) quantile(q float64) time.Duration {
	return d[min(len(d)-1, int(q*float64(len(d))))]
}

// The worlds take turns of so many samples, after some that do not count.
const turn, warmUps = 10, 3

// measure times a row in all worlds.
func (j *job) measure(ctx context.Context, p *probe, worlds []*world) ([]timed, error) {
	all := make([]timed, len(worlds))
	spent := make([]time.Duration, len(worlds))
	samples, warm := j.samples, warmUps
	if p.once {
		samples, warm = 3, 0
	}
	for at := 0; at < samples+warm; at += turn {
		for n, w := range worlds {
			for i := at; i < min(at+turn, samples+warm) && !all[n].none && (spent[n] < j.budget || i <= warm); i++ {
				took, worked, err := sample(ctx, p, w, i)
				if errors.Is(err, errNone) {
					all[n].none = true
					break
				}
				if err != nil {
					return nil, fmt.Errorf("%s in %s: %w", p.name, w.name, err)
				}
				spent[n] += took
				if i >= warm {
					all[n].took, all[n].worked = append(all[n].took, took), append(all[n].worked, worked)
				}
			}
		}
	}
	for n, w := range worlds {
		if all[n].none {
			continue
		}
		slices.Sort(all[n].took)
		slices.Sort(all[n].worked)
		if err := all[n].count(ctx, p, w, samples+warm); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func sample(ctx context.Context, p *probe, w *world, i int) (took, worked time.Duration, err error) {
	f, err := p.prepare(ctx, w, i)
	if err != nil {
		return 0, 0, err
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	began, idle := time.Now(), threadTime()
	err = f(ctx)
	return time.Since(began), threadTime() - idle, err
}
