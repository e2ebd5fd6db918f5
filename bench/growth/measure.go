package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// timed is what one row took in one world.
type timed struct {
	took  []time.Duration // in order when all are there
	calls string          // of the store, for one of them
	none  bool
}

func (t *timed) quantile(q float64) time.Duration {
	return t.took[min(len(t.took)-1, int(q*float64(len(t.took))))]
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
				took, err := sample(ctx, p, w, i)
				if errors.Is(err, errNone) {
					all[n].none = true
					break
				}
				if err != nil {
					return nil, fmt.Errorf("%s in %s: %w", p.name, w.name, err)
				}
				spent[n] += took
				if i >= warm {
					all[n].took = append(all[n].took, took)
				}
			}
		}
	}
	for n, w := range worlds {
		slices.Sort(all[n].took)
		if all[n].none {
			continue
		}
		var err error
		if all[n].calls, err = callsOf(ctx, p, w, samples+warm); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func sample(ctx context.Context, p *probe, w *world, i int) (time.Duration, error) {
	f, err := p.prepare(ctx, w, i)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	err = f(ctx)
	return time.Since(began), err
}
