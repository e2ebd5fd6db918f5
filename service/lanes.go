package service

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/store"
)

// request is one command on its way through the service.
type request struct {
	ctx   context.Context
	actor roomkit.Actor
	cmd   roomkit.Command
	Call
	plan     bool
	id       roomkit.CommandID
	digest   [32]byte
	newRoom  roomkit.RoomID
	asks     store.Need      // what the command asks for at first
	need     *store.Need     // what it asks for now, after a first look may have shown that it needs more
	subject  roomkit.Subject // what it will most likely change: calls with the same one never run side by side
	contacts []roomkit.UserID

	people  [4]roomkit.UserID // where need.People begins, so that most calls need no allocation for it
	needs   [1]store.Need     // what the store is given when the call is loaded alone
	changes [1]store.Change   // the same for its commit
	records [2]store.Record   // the same for the records of it
	events  [2]store.EventAt
	data    [448]byte
	scratch decide.Scratch

	attempts      int
	uncertain     bool // an earlier attempt may have been stored
	filledIn      bool // the directory has been asked
	askedContacts bool

	facts    decide.Facts
	first    *decide.Facts // of a first look at another room, which the decision relied on, too
	decision decide.Decision
	result   Result
	err      error

	// Guarded by batches.mu.
	state callState
	alone [1]*request   // where group is when the call leads alone
	group []*request    // for a leader: the calls to run, itself among them
	wake  chan struct{} // made when the call has to wait

	abandoned bool // the caller does not wait for the outcome
}

type callState uint8

const (
	callWaiting callState = iota
	callLeads             // the call's goroutine has to run its group
	callTaken             // somebody else runs it
	callDone
)

// asksFor completes what the command asks for at first.
func (c *request) asksFor() {
	n := &c.asks
	if c.Key != "" {
		n.Command = c.id
	}
	switch {
	case !n.Room.IsZero():
		c.subject = roomkit.RoomSubject(n.Room)
	case len(n.Companies) > 0:
		c.subject = roomkit.CompanySubject(n.Companies[0])
	case len(n.People) > 0 && n.Shared == nil:
		c.subject = roomkit.UserSubject(n.People[len(n.People)-1])
	default:
		c.subject = roomkit.RoomSubject(c.newRoom)
	}
}

// batches decides which call runs when, and together with which others. There is
// no goroutine of its own: the caller that finds a free lane leads, and when it
// has finished, whoever has waited longest leads next.
type batches struct {
	mu      sync.Mutex
	lanes   int // groups that may run side by side
	running int
	busy    map[roomkit.Subject]bool
	waiting []*request // in order of arrival
}

// enter makes the call a leader if it can start at once.
func (b *batches) enter(c *request) (leads bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.busy == nil {
		b.busy = make(map[roomkit.Subject]bool)
	}
	if b.running < b.lanes && !b.busy[c.subject] {
		b.running++
		b.busy[c.subject] = true
		c.state, c.group = callLeads, append(c.alone[:0], c)
		return true
	}
	c.state, c.wake = callWaiting, make(chan struct{}, 1)
	b.waiting = append(b.waiting, c)
	return false
}

// leave ends a leader's turn: its calls are done, and the next leaders start.
func (b *batches) leave(leader *request, maxGroup int) {
	if b.finish(leader) > 1 {
		// Those who were served come back with their next commands before the next
		// group closes its doors: that makes groups about three times as large.
		runtime.Gosched()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.running--
	for b.running < b.lanes && b.startNext(maxGroup) {
	}
}

// finish tells the callers of a group that they are done.
func (b *batches) finish(leader *request) (served int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range leader.group {
		delete(b.busy, c.subject)
		c.state = callDone
		if c != leader {
			c.wake <- struct{}{}
		}
	}
	served, leader.group = len(leader.group), nil
	return served
}

// startNext hands a free lane to the call that has waited longest, together with
// those on the same subject and, when more wait than there are lanes, others.
func (b *batches) startNext(maxGroup int) bool {
	first := slices.IndexFunc(b.waiting, func(c *request) bool { return !b.busy[c.subject] })
	if first < 0 {
		return false
	}
	leader := b.waiting[first]
	share := b.share(maxGroup)
	taken := map[roomkit.Subject]bool{leader.subject: true}
	rest := b.waiting[:0]
	for _, c := range b.waiting {
		fits := len(leader.group) < maxGroup
		switch {
		case c == leader || fits && taken[c.subject]:
		case fits && len(leader.group) < share && !b.busy[c.subject]:
			taken[c.subject] = true
		default:
			rest = append(rest, c)
			continue
		}
		c.state = callTaken
		leader.group = append(leader.group, c)
	}
	clear(b.waiting[len(rest):])
	b.waiting = rest
	for subject := range taken {
		b.busy[subject] = true
	}
	b.running++
	leader.state = callLeads
	leader.wake <- struct{}{}
	return true
}

// share is how many calls one group should take so that all free lanes have
// about the same: 1 as long as there are lanes enough.
func (b *batches) share(maxGroup int) int {
	free := max(1, b.lanes-b.running)
	return min(maxGroup, (len(b.waiting)+free-1)/free)
}

// giveUp takes a call out whose caller does not want to wait any longer. It
// reports whether the command may be carried out all the same.
func (b *batches) giveUp(c *request, maxGroup int) (taken bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch c.state {
	case callWaiting:
		b.waiting = slices.DeleteFunc(b.waiting, func(w *request) bool { return w == c })
	case callLeads:
		b.passOn(c, maxGroup)
	case callTaken:
		c.abandoned = true
		return true
	}
	return false
}

// passOn gives the lead of a group that has not started to its next call.
func (b *batches) passOn(c *request, maxGroup int) {
	for _, m := range c.group {
		delete(b.busy, m.subject)
	}
	group := slices.DeleteFunc(c.group, func(m *request) bool { return m == c || m.abandoned })
	c.group = nil
	if len(group) == 0 {
		b.running--
		for b.running < b.lanes && b.startNext(maxGroup) {
		}
		return
	}
	for _, m := range group {
		b.busy[m.subject] = true
	}
	group[0].state, group[0].group = callLeads, group
	group[0].wake <- struct{}{}
}

// run carries a call out, as a leader or by waiting for one; the outcome is in
// c.result and c.err. The error says that the caller gave up: then the call is
// not to be looked at any more, because its leader may still be writing to it.
func (s *Service) run(c *request) error {
	c.err, c.result = nil, Result{}
	c.need, c.first = &c.asks, nil
	if c.plan {
		s.runGroup(c.ctx, []*request{c})
		return nil
	}
	if !s.batches.enter(c) {
		select {
		case <-c.wake:
		case <-c.ctx.Done():
			err := c.ctx.Err()
			if s.batches.giveUp(c, s.o.MaxGroup) {
				return fmt.Errorf("%w: %w", roomkit.ErrUnknownOutcome, err)
			}
			return err
		}
	}
	if c.state == callLeads {
		s.lead(c)
	}
	return nil
}

// lead runs a group. A leader on its own is ended by its own context; a group is
// not ended by any of its callers.
func (s *Service) lead(c *request) {
	defer s.batches.leave(c, s.o.MaxGroup)
	if len(c.group) == 1 {
		s.runGroup(c.ctx, c.group)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), s.o.GroupTimeout)
	defer cancel()
	s.runGroup(ctx, c.group)
}
