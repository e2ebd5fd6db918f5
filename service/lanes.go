package service

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/go-roomkit/roomkit"
)

// lanes decide which job runs when, and together with which others. The caller that finds
// a free lane leads, and when its group is done, one of those who wait leads next.
//
// Those who wait are sorted by tenant, the company of whoever acts, and every group takes
// from each tenant in turn. So what one company sends delays a command of another by no
// more than the groups under way and one for every MaxGroup companies that wait, or for
// each of those whose turn is a job that runs alone. Jobs of one tenant keep their order.
// The company of somebody is known from the command before: all who act for the first time
// are one tenant, and so are all commands of the system.
type lanes struct {
	count    int // groups that may run side by side
	maxGroup int // jobs in one group

	mu       sync.Mutex
	running  int
	busy     map[roomkit.Subject]bool // jobs with the same subject never run side by side
	tenants  map[tenantID]*tenant     // those in turns
	turns    []*tenant                // the one whose turn is next first; some may have nobody left
	waiting  int                      // jobs of all of them
	arrivals uint64
	homes    map[roomkit.UserID]roomkit.CompanyID // of those who have acted, at most maxHomes
	groups   sync.Pool                            // of *group
}

// maxHomes is of how many users the lanes remember the company.
const maxHomes = 1 << 15

// tenant is the jobs that wait for one company.
type tenant struct {
	id tenantID
	queue
	next *job // while a group is put together
}

// tenantID is a company; the zero value is for users who are not known yet.
type tenantID struct {
	known   bool
	system  bool
	company roomkit.CompanyID
}

// ticket is a job's place in the lanes.
type ticket struct {
	state     ticketState
	group     *group          // of a leader: what it has to run, itself first
	wake      chan struct{}   // made when the job has to wait, and kept for the next time
	queued    bool            // the attempt has begun and waits already, with others of a batch
	abandoned bool            // the caller does not wait for the outcome
	report    *GroupReport    // which the caller has to give to the observer
	led       context.Context // of the leader, if that is another job

	tenant         *tenant
	arrival        uint64
	before, behind *job // in the queue of the tenant
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
		j.ticket = ticket{wake: j.wake}
	}
	if j.queued = false; queued || !l.enter(j) {
		if err := l.await(j); err != nil {
			return err
		}
	}
	if j.state == ticketLeads {
		if err := s.lead(j); err != nil {
			return err
		}
	}
	if r := j.report; r != nil { // when nobody waits for this any more: it may call the service
		j.report = nil
		s.o.Observer.Group(j.ctx, *r)
	}
	return nil
}

// await waits until the job leads or is done.
func (l *lanes) await(j *job) error {
	select {
	case <-j.wake:
		return nil
	case <-j.ctx.Done():
	}
	switch err := j.ctx.Err(); l.giveUp(j) {
	case ticketTaken:
		j.keep()
		return fmt.Errorf("%w: %w", roomkit.ErrUnknownOutcome, err)
	case ticketDone: // and the outcome is known
		return nil
	default:
		return err
	}
}

// lead runs a group. A leader on its own is ended by its own context, and by a panic of
// the host or the store. A group of several is not ended by any of its callers: it has a
// goroutine of its own, for which the leader waits like the others.
func (s *Service) lead(j *job) error {
	g := j.group
	if len(g.jobs) == 1 {
		defer s.leave(j.ctx, g)
		g.run(j.ctx, s)
		return nil
	}
	j.state = ticketTaken
	ctx := context.WithoutCancel(j.ctx)
	go watch(func() {
		ctx, cancel := context.WithTimeout(ctx, s.o.GroupTimeout)
		defer cancel()
		g.run(ctx, s)
	}, func(t *thrown) {
		told := t == nil || g.broken(t)
		s.leave(ctx, g)
		if !told {
			s.log(ctx, t, "roomkit: a panic while several commands were carried out, of none of which it is; they are carried out again")
		}
	})
	return s.lanes.await(j)
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

// rank is what a job has gained by losing to neighbours.
func (j *job) rank() int {
	switch {
	case j.alone:
		return 2
	case j.first:
		return 1
	}
	return 0
}

// wait puts the job behind those of its tenant and its rank.
func (l *lanes) wait(j *job) {
	j.state = ticketWaiting
	if j.wake == nil {
		j.wake = make(chan struct{}, 1)
	}
	select {
	case <-j.wake: // who gave up before has not taken it
	default:
	}
	l.arrivals++
	j.arrival = l.arrivals
	id := l.tenantOf(j)
	t := l.tenants[id]
	if t == nil {
		t = &tenant{id: id}
		put(&l.tenants, id, t)
		l.turns = append(l.turns, t)
	}
	j.tenant = t
	t.push(j)
	l.waiting++
}

func (l *lanes) tenantOf(j *job) tenantID {
	if j.actor.IsSystem() {
		return tenantID{system: true}
	}
	home, known := l.homes[j.actor.User()]
	return tenantID{known: known, company: home}
}

// learn remembers for which company somebody acts.
func (l *lanes) learn(j *job) {
	if !j.atHome || j.actor.IsSystem() {
		return
	}
	user := j.actor.User()
	if was, known := l.homes[user]; known && was == j.home {
		return
	}
	if len(l.homes) >= maxHomes {
		clear(l.homes)
	}
	put(&l.homes, user, j.home)
}

// queue is a list from which a job can go at any place.
type queue struct {
	first, last *job
	length      int
}

// push adds a job as the last one of its rank.
func (q *queue) push(j *job) {
	j.before = q.last
	for j.before != nil && j.before.rank() < j.rank() {
		j.behind, j.before = j.before, j.before.before
	}
	if j.before == nil {
		q.first = j
	} else {
		j.before.behind = j
	}
	if j.behind == nil {
		q.last = j
	} else {
		j.behind.before = j
	}
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

// leave ends a group: its jobs are done, and the next leaders start.
func (s *Service) leave(ctx context.Context, g *group) {
	l := &s.lanes
	report := l.finish(g)
	if len(g.jobs) > 1 {
		// Those who were served come back with their next commands before the next
		// group closes its doors: that makes groups about three times as large.
		l.gather()
	}
	g.clear()
	l.groups.Put(g)
	l.mu.Lock()
	l.running--
	l.startWaiting()
	l.mu.Unlock()
	if report != nil {
		watch(func() { s.o.Observer.Group(ctx, *report) }, func(t *thrown) {
			if t != nil {
				s.log(ctx, t, "roomkit: a panic of the observer, when all callers of the group had gone")
			}
		})
	}
}

// gather lets others run as long as more and more of them come to wait. One turn is too
// short for many: those who run on another processor meanwhile are as few as it takes to wake it.
func (l *lanes) gather() {
	for was, is := -1, 0; is > was && is < l.maxGroup; {
		runtime.Gosched()
		l.mu.Lock()
		was, is = is, l.waiting
		l.mu.Unlock()
	}
}

// finish tells the callers of a group that they are done, and the first of those who are
// still there to report it. If there are none, it gives the report.
func (l *lanes) finish(g *group) *GroupReport {
	l.mu.Lock()
	defer l.mu.Unlock()
	report := g.report
	for _, j := range g.jobs {
		delete(l.busy, j.subject)
		l.learn(j)
		if !j.abandoned {
			j.report, report = report, nil
		}
		j.state = ticketDone
		if len(g.jobs) > 1 {
			j.wake <- struct{}{}
		}
	}
	return report
}

// startWaiting gives every free lane to those who wait.
func (l *lanes) startWaiting() {
	for l.running < l.count && l.startNext() {
	}
}

// startNext hands a free lane to the tenant whose turn it is, together with others in
// their turns, when more wait than there are lanes, and with those on the same subjects.
func (l *lanes) startNext() bool {
	first := l.whoseTurn()
	if first < 0 {
		return false
	}
	g := l.newGroup()
	l.fill(g, first)
	served := map[*tenant]bool{}
	for _, j := range g.jobs {
		served[j.tenant] = true
		j.state = ticketTaken
	}
	l.nextTurns(served)
	slices.SortFunc(g.jobs, func(a, b *job) int {
		return cmp.Or(cmp.Compare(b.rank(), a.rank()), cmp.Compare(a.arrival, b.arrival))
	})
	l.running++
	l.start(g)
	return true
}

// whoseTurn gives the place of the first tenant who has a job that can start, which is
// the next one of it, or -1.
func (l *lanes) whoseTurn() int {
	for i, t := range l.turns {
		for t.next = t.first; t.next != nil && l.busy[t.next.subject]; {
			t.next = t.next.behind
		}
		if t.next != nil {
			return i
		}
	}
	return -1
}

// fill takes jobs into a group, one of each tenant in every round.
func (l *lanes) fill(g *group, first int) {
	share, most, taken := l.share(), l.maxGroup, map[roomkit.Subject]bool{}
	take := func(t *tenant) {
		j := t.next
		t.next = j.behind
		taken[j.subject] = true
		t.remove(j)
		l.waiting--
		g.jobs = append(g.jobs, j)
	}
	if take(l.turns[first]); g.jobs[0].alone {
		return
	}
	for _, t := range l.turns[first+1:] {
		t.next = t.first
	}
	for from, more := first+1, true; more; from = first {
		more = from > first // whose turn it was comes again
		for _, t := range l.turns[from:] {
			for t.next != nil && (t.next.alone || !taken[t.next.subject] && (len(g.jobs) >= share || l.busy[t.next.subject])) {
				t.next = t.next.behind
			}
			if t.next == nil {
				continue
			}
			if len(g.jobs) == most {
				return
			}
			take(t)
			more = true
		}
	}
}

// nextTurns puts the tenants that were served behind the others, and forgets those of whom
// nobody waits.
func (l *lanes) nextTurns(served map[*tenant]bool) {
	var back []*tenant
	l.turns = slices.DeleteFunc(l.turns, func(t *tenant) bool {
		if t.next = nil; t.length == 0 {
			delete(l.tenants, t.id)
			return true
		}
		if served[t] {
			back = append(back, t)
		}
		return served[t]
	})
	l.turns = append(l.turns, back...)
}

// start wakes the leader of a group.
func (l *lanes) start(g *group) {
	leader := g.jobs[0]
	for _, j := range g.jobs {
		l.busy[j.subject] = true
		j.led = leader.ctx
	}
	leader.state, leader.group, leader.led = ticketLeads, g, nil
	leader.wake <- struct{}{}
}

// share is how many jobs one group should take so that all free lanes have
// about the same: 1 as long as there are lanes enough.
func (l *lanes) share() int {
	free := max(1, l.count-l.running)
	return min(l.maxGroup, (l.waiting+free-1)/free)
}

// giveUp takes a job out whose caller does not want to wait any longer, and says what
// had become of it: one that is taken may be carried out all the same.
func (l *lanes) giveUp(j *job) (was ticketState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch was = j.state; was {
	case ticketWaiting:
		j.tenant.remove(j)
		l.waiting--
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
