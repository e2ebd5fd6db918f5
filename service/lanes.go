package service

import (
	"context"
	"fmt"
	"runtime"
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
	waiting []*job                   // in order of arrival
	groups  sync.Pool                // of *group
}

// ticket is a job's place in the lanes.
type ticket struct {
	state     ticketState
	group     *group        // of a leader: what it has to run, itself first
	wake      chan struct{} // made when the job has to wait
	queued    bool          // the attempt has begun and waits already, with others of a batch
	abandoned bool          // the caller does not wait for the outcome
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
			err := j.ctx.Err()
			if l.giveUp(j) {
				return fmt.Errorf("%w: %w", roomkit.ErrUnknownOutcome, err)
			}
			return err
		}
	}
	if j.state == ticketLeads {
		s.lead(j)
	}
	return nil
}

// lead runs a group. A leader on its own is ended by its own context; a group is
// not ended by any of its callers.
func (s *Service) lead(j *job) {
	defer s.lanes.leave(j)
	if len(j.group.jobs) == 1 {
		j.group.run(j.ctx, s)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(j.ctx), s.o.GroupTimeout)
	defer cancel()
	j.group.run(ctx, s)
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
	l.waiting = append(l.waiting, j)
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
	first := slices.IndexFunc(l.waiting, func(j *job) bool { return !l.busy[j.subject] })
	if first < 0 {
		return false
	}
	leader, group := l.waiting[first], l.newGroup()
	share := l.share()
	taken := map[roomkit.Subject]bool{leader.subject: true}
	rest := l.waiting[:0]
	for _, j := range l.waiting {
		fits := len(group.jobs) < l.maxGroup
		switch {
		case j == leader || fits && taken[j.subject]:
		case fits && len(group.jobs) < share && !l.busy[j.subject]:
			taken[j.subject] = true
		default:
			rest = append(rest, j)
			continue
		}
		j.state = ticketTaken
		group.jobs = append(group.jobs, j)
	}
	clear(l.waiting[len(rest):])
	l.waiting = rest
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
	return min(l.maxGroup, (len(l.waiting)+free-1)/free)
}

// giveUp takes a job out whose caller does not want to wait any longer. It
// reports whether the command may be carried out all the same.
func (l *lanes) giveUp(j *job) (taken bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch j.state {
	case ticketWaiting:
		l.waiting = slices.DeleteFunc(l.waiting, func(w *job) bool { return w == j })
	case ticketLeads:
		l.passOn(j)
	case ticketTaken:
		j.abandoned = true
	case ticketDone:
	}
	return j.abandoned
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
