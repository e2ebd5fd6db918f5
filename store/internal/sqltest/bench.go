package sqltest

import (
	"errors"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

// Way is one of several ways of doing the same; Do does it n times.
type Way struct {
	Name string
	Do   func(n int) error
}

// Compare runs ways in turn, n times each, and reports the medians of the time for
// one. What else the machine does hits all of them. ratio is the last way, ours, to
// the best of the others; cpu-ratio is the same of the microseconds that busy says
// processors have worked, which a busy machine disturbs less.
func Compare(b *testing.B, n int, busy func() float64, ways ...Way) {
	b.Helper()
	passed, worked := make([][]float64, len(ways)), make([][]float64, len(ways)) // microseconds for one
	for b.Loop() {
		for i, way := range ways {
			before, start := busy(), time.Now()
			if err := way.Do(n); err != nil {
				b.Fatal(way.Name, err)
			}
			end := time.Now()
			passed[i] = append(passed[i], float64(end.Sub(start).Nanoseconds())/float64(n)/1000)
			worked[i] = append(worked[i], (busy()-before)/float64(n))
		}
	}
	b.ReportMetric(0, "ns/op")
	for i, way := range ways {
		b.ReportMetric(median(passed[i]), way.Name+"-µs")
		if median(worked[i]) > 0 {
			b.ReportMetric(median(worked[i]), way.Name+"-cpu-µs")
		}
	}
	b.ReportMetric(lastToBest(passed), "ratio")
	if median(worked[0]) > 0 {
		b.ReportMetric(lastToBest(worked), "cpu-ratio")
	}
}

func lastToBest(all [][]float64) float64 {
	best := median(all[0])
	for _, other := range all[1 : len(all)-1] {
		best = min(best, median(other))
	}
	return median(all[len(all)-1]) / best
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

// OwnTime is for how many microseconds this process has kept processors busy.
func OwnTime(tb testing.TB) float64 {
	tb.Helper()
	var u syscall.Rusage
	require.NoError(tb, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1000
}

// Callers lets several goroutines do n things altogether.
func Callers(count, n int, do func() error) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, count)
	for i := range count {
		wg.Go(func() {
			for next.Add(1) <= int64(n) && errs[i] == nil {
				errs[i] = do()
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Taker gives additions to rooms: they take turns, and nobody is added twice. The
// first three users are in all of them.
func Taker(rooms []roomkit.RoomID, users []roomkit.UserID) func() (roomkit.RoomID, roomkit.UserID) {
	var taken atomic.Int64
	return func() (roomkit.RoomID, roomkit.UserID) {
		n := int(taken.Add(1)) - 1
		return rooms[n%len(rooms)], users[3+n/len(rooms)]
	}
}

// HandAdd is a command of a program that does without the library: it adds somebody.
type HandAdd struct {
	Room       roomkit.RoomID
	Actor, Who roomkit.UserID
	Err        error
	done       chan struct{}
}

// ErrRefused is what such a program says of a command that is not allowed.
var ErrRefused = errors.New("refused")

// Event gives its event.
func (a *HandAdd) Event(command roomkit.CommandID, version, participants int64, now time.Time) []byte {
	data := make([]byte, 0, 320)
	data = append(data, `{"type":"member.joined","v":1,"room":"`...)
	data = append(data, a.Room.String()...)
	data = append(data, `","version":`...)
	data = strconv.AppendInt(data, version, 10)
	data = append(data, `,"at":`...)
	data = strconv.AppendInt(data, now.UnixMicro(), 10)
	data = append(data, `,"actor":"`...)
	data = append(data, a.Actor...)
	data = append(data, `","command":"`...)
	data = append(data, command.String()...)
	data = append(data, `","cause":"invited","kind":"general","people":[{"user":"`...)
	data = append(data, a.Who...)
	data = append(data, `","company":"acme"}],"counts":{"participants":`...)
	data = strconv.AppendInt(data, participants, 10)
	return append(data, `}}`...)
}

// HandQueue is where callers wait whose commands are run in groups.
type HandQueue chan *HandAdd

// Do lets a command be served.
func (q HandQueue) Do(a *HandAdd) error {
	a.done = make(chan struct{}, 1)
	q <- a
	<-a.done
	return a.Err
}

// Serve runs the commands of many callers, all that wait in one transaction. rest
// comes before each.
func (q HandQueue) Serve(rest func(), addAll func([]*HandAdd) error) {
	for first := range q {
		rest()
		group := []*HandAdd{first}
		for more := true; more && len(group) < 256; {
			select {
			case a := <-q:
				if more = a != nil; more {
					group = append(group, a)
				}
			default:
				more = false
			}
		}
		err := addAll(group)
		for _, a := range group {
			a.Err = errors.Join(a.Err, err)
			a.done <- struct{}{}
		}
	}
}
