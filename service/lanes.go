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
func (s *Service) run(c *job) error {
	c.ticket = ticket{}
	l := &s.lanes
	if !l.enter(c) {
		select {
		case <-c.wake:
		case <-c.ctx.Done():
			err := c.ctx.Err()
			if l.giveUp(c) {
				return fmt.Errorf("%w: %w", roomkit.ErrUnknownOutcome, err)
			}
			return err
		}
	}
	if c.state == ticketLeads {
		s.lead(c)
	}
	return nil
}

// lead runs a group. A leader on its own is ended by its own context; a group is
// not ended by any of its callers.
func (s *Service) lead(c *job) {
	defer s.lanes.leave(c)
	if len(c.group.jobs) == 1 {
		c.group.run(c.ctx, s)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), s.o.GroupTimeout)
	defer cancel()
	c.group.run(ctx, s)
}

// enter makes the job a leader if it can start at once.
func (l *lanes) enter(c *job) (leads bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running < l.count && !l.busy[c.subject] {
		l.running++
		l.busy[c.subject] = true
		c.state, c.group = ticketLeads, l.newGroup(c)
		return true
	}
	c.state, c.wake = ticketWaiting, make(chan struct{}, 1)
	l.waiting = append(l.waiting, c)
	return false
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
	for _, c := range leader.group.jobs {
		delete(l.busy, c.subject)
		c.state = ticketDone
		if c != leader {
			c.wake <- struct{}{}
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
	first := slices.IndexFunc(l.waiting, func(c *job) bool { return !l.busy[c.subject] })
	if first < 0 {
		return false
	}
	leader, group := l.waiting[first], l.newGroup()
	share := l.share()
	taken := map[roomkit.Subject]bool{leader.subject: true}
	rest := l.waiting[:0]
	for _, c := range l.waiting {
		fits := len(group.jobs) < l.maxGroup
		switch {
		case c == leader || fits && taken[c.subject]:
		case fits && len(group.jobs) < share && !l.busy[c.subject]:
			taken[c.subject] = true
		default:
			rest = append(rest, c)
			continue
		}
		c.state = ticketTaken
		group.jobs = append(group.jobs, c)
	}
	clear(l.waiting[len(rest):])
	l.waiting = rest
	l.running++
	l.start(group)
	return true
}

// start wakes the leader of a group.
func (l *lanes) start(g *group) {
	for _, c := range g.jobs {
		l.busy[c.subject] = true
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
func (l *lanes) giveUp(c *job) (taken bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch c.state {
	case ticketWaiting:
		l.waiting = slices.DeleteFunc(l.waiting, func(w *job) bool { return w == c })
	case ticketLeads:
		l.passOn(c)
	case ticketTaken:
		c.abandoned = true
	case ticketDone:
	}
	return c.abandoned
}

// passOn gives the lead of a group that has not started to its next job.
func (l *lanes) passOn(leader *job) {
	g := leader.group
	for _, c := range g.jobs {
		delete(l.busy, c.subject)
	}
	g.jobs = slices.DeleteFunc(g.jobs, func(c *job) bool { return c == leader || c.abandoned })
	if len(g.jobs) == 0 {
		l.running--
		l.startWaiting()
		return
	}
	l.start(g)
}
