// Command bench asks the same question, "may this person do that in this room?",
// of casbin, of cedar-go and of roomkit, and prints how they compare. All three
// hold the same rooms, people and roles and must give the same answers before
// anything is timed. All are timed in every round, so that other work on the
// machine hits them alike.
//
//	go run ./bench [-rooms 200] [-rounds 5]
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"
)

// engine answers whether a person may take an action in a room.
type engine struct {
	name string
	may  func(q question) bool
}

func main() {
	rooms := flag.Int("rooms", 200, "rooms of 10 people each")
	rounds := flag.Int("rounds", 5, "how often each engine is timed; medians are printed")
	flag.Parse()
	if err := run(*rooms, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(rooms, rounds int) error {
	m := newModel(rooms)
	engines, err := engines(m)
	if err != nil {
		return err
	}
	if err := agree(m, engines); err != nil {
		return err
	}
	fmt.Printf("%d rooms, %d people, %d questions with equal answers\n", len(m.rooms), len(m.people), len(m.questions))
	timed := make([][]result, len(engines))
	for range max(1, rounds) {
		for i, e := range engines {
			timed[i] = append(timed[i], measure(e, m.questions))
		}
	}
	best := timed[len(timed)-1]
	for i, e := range engines {
		ns := median(timed[i], func(round int) float64 { return timed[i][round].ns })
		ratio := median(timed[i], func(round int) float64 { return timed[i][round].ns / best[round].ns })
		fmt.Printf("%-34s %10.1f ns/op %6d allocs/op %9.2f × roomkit by ids\n", e.name, ns, timed[i][0].allocs, ratio)
	}
	return nil
}

// agree demands equal answers of all engines to all questions, and that both
// answers occur.
func agree(m *model, engines []engine) error {
	yes := 0
	for _, q := range m.questions {
		want := q.expected
		if want {
			yes++
		}
		for _, e := range engines {
			if e.may(q) != want {
				return fmt.Errorf("%s says %v to %+v", e.name, !want, q)
			}
		}
	}
	if yes == 0 || yes == len(m.questions) {
		return fmt.Errorf("%d of %d answers are yes: the questions tell nothing", yes, len(m.questions))
	}
	return nil
}

type result struct {
	ns     float64
	allocs int64
}

func measure(e engine, questions []question) result {
	r := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for i := range b.N {
			q := questions[i%len(questions)]
			if e.may(q) != q.expected {
				b.Fatal("another answer than before")
			}
		}
	})
	return result{float64(r.T.Nanoseconds()) / float64(r.N), r.AllocsPerOp()}
}

// median gives the middle one of the values of all rounds.
func median(rounds []result, value func(round int) float64) float64 {
	all := make([]float64, len(rounds))
	for i := range all {
		all[i] = value(i)
	}
	slices.Sort(all)
	return all[len(all)/2]
}
