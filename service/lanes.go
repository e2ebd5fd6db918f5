package service

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/go-roomkit/roomkit"
)

// lanes decide which job runs when, and together with which others. There is no
// goroutine of their own: the caller that finds a free lane leads, and when it has
// finished, whoever has waited longest leads next.
type lanes struct {
	count    int // groups that may run side by side
	maxGroup int // jobs in one group

	mu      sync.Mutex
	running int
	busy    map[roomkit.Subject]bool // jobs with the same subject never run side by side
	waiting queue                    // in order of arrival
	groups  sync.Pool                // of *group
}

// ticket is a job's place in the lanes.
type ticket struct {
	state     ticketState
	group     *group        // of a leader: what it has to run, itself first
	wake      chan struct{} // made when the job has to wait
	queued    bool          // the attempt has begun and waits already, with others of a batch
	abandoned bool          // the caller does not wait for the outcome

	before, behind *job // in the queue
}

type ticketState uint8

const (
	ticketWaiting ticketState = iota
	ticketLeads               // the caller has to run the group
	ticketTaken               // somebody else runs the job
	ticketDone
)

// run makes one attempt, as a leader or by waiting for one. An error says that the
// caller gave up: a leader may still be writing to the attempt.
func (s *Service) run(j *job) error {
	l, queued := &s.lanes, j.queued
	if !queued {
		j.ticket = ticket{}
	}
	if j.queued = false; queued || !l.enter(j) {
		select {
		case <-j.wake:
		case <-j.ctx.Done():
			switch err := j.ctx.Err(); l.giveUp(j) {
			case ticketTaken:
				j.keep()
				return fmt.Errorf("%w: %w", roomkit.ErrUnknownOutcome, err)
			case ticketDone: // and the outcome is known
			default:
				return err
			}
		}
	}
	if j.state == ticketLeads {
		s.lead(j)
	}
	return nil
}

// lead runs a group. A leader on its own is ended by its own context, and by a panic of
// the host or the store. A group is not ended by any of its callers, and it has a
// goroutine of its own: what ends that does not end the leader.
func (s *Service) lead(j *job) {
	if len(j.group.jobs) == 1 {
		defer s.lanes.leave(j)
		j.group.run(j.ctx, s)
		return
	}
	ended := make(chan *thrown, 1)
	go watch(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(j.ctx), s.o.GroupTimeout)
		defer cancel()
		j.group.run(ctx, s)
	}, func(t *thrown) { ended <- t })
	if t := <-ended; t != nil {
		j.group.broken(t)
	}
	s.lanes.leave(j)
}

// thrown is a panic, or the end of a goroutine, on its way to the caller whose command
// has brought it about.
type thrown struct {
	value any // nil: runtime.Goexit
	stack []byte
}

// watch calls f and says how it ended: nil if it has returned.
func watch(f func(), ended func(*thrown)) {
	t := new(thrown)
	defer func() {
		if t != nil {
			if t.value = recover(); t.value != nil {
				t.stack = debug.Stack()
			}
		}
		ended(t)
	}()
	f()
	t = nil
}

// again lets it happen in this goroutine.
func (t *thrown) again() {
	if t.value == nil {
		runtime.Goexit()
	}
	panic(t.value) //nolint:forbidigo // it is the host's or the store's own
}

// enter makes the job a leader if it can start at once.
func (l *lanes) enter(j *job) (leads bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running < l.count && !l.busy[j.subject] {
		l.running++
		l.busy[j.subject] = true
		j.state, j.group = ticketLeads, l.newGroup(j)
		return true
	}
	l.wait(j)
	return false
}

func (l *lanes) wait(j *job) {
	j.state, j.wake = ticketWaiting, make(chan struct{}, 1)
	l.waiting.push(j)
}

// queue is a list from which a job can go at any place.
type queue struct {
	first, last *job
	length      int
}

func (q *queue) push(j *job) {
	if j.before = q.last; q.last == nil {
		q.first = j
	} else {
		q.last.behind = j
	}
	q.last = j
	q.length++
}

func (q *queue) remove(j *job) {
	if j.before == nil {
		q.first = j.behind
	} else {
		j.before.behind = j.behind
	}
	if j.behind == nil {
		q.last = j.before
	} else {
		j.behind.before = j.before
	}
	j.before, j.behind = nil, nil
	q.length--
}

// enterAll lets the jobs of a batch wait together, so that they share groups however
// fast the store is.
func (l *lanes) enterAll(jobs []*job) {
	for _, j := range jobs {
		j.begin()
		j.queued = true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, j := range jobs {
		l.wait(j)
	}
	l.startWaiting()
}

func (l *lanes) newGroup(jobs ...*job) *group {
	g, _ := l.groups.Get().(*group)
	if g == nil {
		g = new(group)
	}
	g.jobs = append(g.jobs, jobs...)
	return g
}

// leave ends a leader's turn: its jobs are done, and the next leaders start.
func (l *lanes) leave(leader *job) {
	group := leader.group
	l.finish(leader)
	if len(group.jobs) > 1 {
		// Those who were served come back with their next commands before the next
		// group closes its doors: that makes groups about three times as large.
		runtime.Gosched()
	}
	group.clear()
	l.groups.Put(group)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running--
	l.startWaiting()
}

// finish tells the callers of a group that they are done.
func (l *lanes) finish(leader *job) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, j := range leader.group.jobs {
		delete(l.busy, j.subject)
		j.state = ticketDone
		if j != leader {
			j.wake <- struct{}{}
		}
	}
}

// startWaiting gives every free lane to those who wait.
func (l *lanes) startWaiting() {
	for l.running < l.count && l.startNext() {
	}
}

// startNext hands a free lane to the job that has waited longest, together with
// those on the same subject and, when more wait than there are lanes, others.
func (l *lanes) startNext() bool {
	leader := l.waiting.first
	for leader != nil && l.busy[leader.subject] {
		leader = leader.behind
	}
	if leader == nil {
		return false
	}
	group, share, most := l.newGroup(), l.share(), l.maxGroup
	if leader.alone {
		most = 1
	}
	taken := map[roomkit.Subject]bool{leader.subject: true}
	for j := leader; j != nil && len(group.jobs) < most; {
		next := j.behind
		fits := j == leader || !j.alone && (taken[j.subject] || len(group.jobs) < share && !l.busy[j.subject])
		if fits {
			taken[j.subject] = true
			l.waiting.remove(j)
			j.state = ticketTaken
			group.jobs = append(group.jobs, j)
		}
		j = next
	}
	l.running++
	l.start(group)
	return true
}

// start wakes the leader of a group.
func (l *lanes) start(g *group) {
	for _, j := range g.jobs {
		l.busy[j.subject] = true
	}
	leader := g.jobs[0]
	leader.state, leader.group = ticketLeads, g
	leader.wake <- struct{}{}
}

// share is how many jobs one group should take so that all free lanes have
// about the same: 1 as long as there are lanes enough.
func (l *lanes) share() int {
	free := max(1, l.count-l.running)
	return min(l.maxGroup, (l.waiting.length+free-1)/free)
}

// giveUp takes a job out whose caller does not want to wait any longer, and says what
// had become of it: one that is taken may be carried out all the same.
func (l *lanes) giveUp(j *job) (was ticketState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch was = j.state; was {
	case ticketWaiting:
		l.waiting.remove(j)
	case ticketLeads:
		l.passOn(j)
	case ticketTaken:
		j.abandoned = true
	case ticketDone:
	}
	return was
}

// passOn gives the lead of a group that has not started to its next job.
func (l *lanes) passOn(leader *job) {
	g := leader.group
	for _, j := range g.jobs {
		delete(l.busy, j.subject)
	}
	g.jobs = slices.DeleteFunc(g.jobs, func(j *job) bool { return j == leader || j.abandoned })
	if len(g.jobs) == 0 {
		l.running--
		l.startWaiting()
		return
	}
	l.start(g)
}
