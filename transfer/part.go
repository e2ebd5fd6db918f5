package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/codec"
	"github.com/go-roomkit/roomkit/internal/backoff"
	"github.com/go-roomkit/roomkit/internal/decide"
	"github.com/go-roomkit/roomkit/store"
)

// attempts is how often a part is judged anew because others change what it relies on.
const attempts = 16

// flush stores the part that is gathered, and begins the next.
func (m *importer) flush(ctx context.Context) error {
	if m.part.lines == 0 {
		return nil
	}
	for _, a := range m.part.rooms {
		m.complete(a)
	}
	digest := [32]byte(m.part.digest.Sum(nil))
	for attempt := range attempts {
		done, err := m.try(ctx, digest)
		if done || err != nil {
			if err == nil {
				m.begin()
				m.tell()
			}
			return err
		}
		if err := backoff.Sleep(ctx, time.Duration(attempt)*time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: others keep changing what lines up to %d rely on", roomkit.ErrConflict, m.in.line-1)
}

// command is the id of the command by which a part is stored: all of one import begin alike.
func (m *importer) command() (id roomkit.CommandID) {
	sum := sha256.Sum256([]byte("roomkit import\x00" + m.o.ID))
	binary.BigEndian.PutUint64(id[8:], m.number)
	copy(id[:11], sum[:])
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80 // a UUIDv8, which nobody takes for one with a time in it
	return id
}

// try judges and stores the part. It is not done if somebody else was faster.
func (m *importer) try(ctx context.Context, digest [32]byte) (done bool, err error) {
	command := m.command()
	if m.o.ID != "" {
		facts, err := store.Ask(ctx, m.store, []store.Need{{Command: command}})
		if err != nil {
			return false, err
		}
		if before := facts[0].Done; before != nil {
			return true, m.already(ctx, before.Digest == digest)
		}
	}
	if !m.o.DryRun {
		m.beyond = newPending()
	}
	j := &judgement{importer: m, at: m.clock(), batch: newBatch(command, digest)}
	if err := j.judge(ctx); err != nil {
		return false, err
	}
	findings := append(m.part.findings, j.findings...)
	stop := m.o.StopAtFirst && len(findings) > 0
	if !m.o.DryRun && !stop && len(j.change.Records) > 0 {
		results, err := m.store.Commit(ctx, []store.Change{j.change})
		if err == nil && len(results) == 1 {
			err = results[0].Err
		}
		switch {
		case errors.Is(err, roomkit.ErrConflict), errors.Is(err, roomkit.ErrUnknownOutcome):
			return false, nil
		case errors.Is(err, roomkit.ErrCommandReused):
			return false, m.already(ctx, false)
		case err != nil:
			return false, err
		}
		if results[0].Repeat { // another run of the same import
			m.addNumbers(&m.report.Already, &j.stored)
			j.stored = Numbers{}
		}
	}
	m.note(findings)
	if stop {
		return false, errStop
	}
	m.addNumbers(&m.report.Stored, &j.stored)
	m.addNumbers(&m.report.Already, &j.already)
	m.addNumbers(&m.report.LeftOut, &j.leftOut)
	return true, nil
}

func (*importer) addNumbers(to, n *Numbers) {
	to.Companies += n.Companies
	to.Users += n.Users
	to.Teams += n.Teams
	to.Rooms += n.Rooms
	to.Members += n.Members
}

// already passes over a part that an earlier run has stored, and tells which of its rooms
// that run has left out.
func (m *importer) already(ctx context.Context, same bool) error {
	p := &m.part
	if !same {
		return m.fatal(&Finding{Cause: CauseOtherFile, ID: m.o.ID, Reason: fmt.Sprintf("the store has begun this import with another file: it is another one in the lines before line %d", m.in.line)})
	}
	needs := make([]store.Need, len(p.rooms))
	for i, a := range p.rooms {
		needs[i].Room = a.Room.ID
	}
	facts, err := store.Ask(ctx, m.store, needs)
	if err != nil {
		return err
	}
	findings := p.findings
	n := Numbers{Companies: int64(len(p.companies)), Users: int64(len(p.users)), Teams: int64(len(p.teams))}
	for i, a := range p.rooms {
		if facts[i].Room.Version > 0 {
			n.Rooms, n.Members = n.Rooms+1, n.Members+int64(len(a.Members))
			continue
		}
		m.report.LeftOut.Rooms++
		m.report.LeftOut.Members += int64(len(a.Members))
		if !a.wrong { // else its line says so
			findings = append(findings, &Finding{
				Line: a.line, Cause: CauseLeftOut, Type: "room", ID: a.id, Whole: true,
				Reason: "an earlier run of this import has left it out: mend it and import it under another ID",
			})
		}
	}
	m.note(findings)
	m.addNumbers(&m.report.Already, &n)
	return nil
}

// batch makes one change of many decisions.
type batch struct {
	change store.Change
	relied map[roomkit.Subject]struct{}
	counts map[roomkit.Subject]int // into change.Tallies
}

func newBatch(command roomkit.CommandID, digest [32]byte) batch {
	return batch{
		change: store.Change{Command: command, Digest: digest, Outcome: store.Outcome{Changed: true}},
		relied: map[roomkit.Subject]struct{}{}, counts: map[roomkit.Subject]int{},
	}
}

// add adds a decision. On an error nothing of it is added.
func (b *batch) add(d *decide.Decision) error {
	records := make([]store.Record, len(d.Events))
	for i, e := range d.Events {
		info := e.Info()
		info.Command = b.change.Command
		data, err := codec.Encode(nil, e)
		if err != nil {
			return err
		}
		records[i] = store.Record{Subject: info.Subject, Version: info.Version, Type: e.Type(), At: info.At, Command: info.Command, Data: data}
	}
	c := &b.change
	for _, r := range records {
		c.Records = append(c.Records, r)
		c.Outcome.Events = append(c.Outcome.Events, store.EventAt{Subject: r.Subject, Version: r.Version})
	}
	for _, e := range d.Relied {
		if _, known := b.relied[e.Subject]; !known {
			b.relied[e.Subject] = struct{}{}
			c.Expect = append(c.Expect, e)
		}
	}
	c.Begins = append(c.Begins, d.Begins...)
	c.Rooms = append(c.Rooms, d.Rows.Rooms...)
	c.Members = append(c.Members, d.Rows.Members...)
	c.Users = append(c.Users, d.Rows.Users...)
	c.Companies = append(c.Companies, d.Rows.Companies...)
	c.Teams = append(c.Teams, d.Rows.Teams...)
	for _, t := range d.Rows.Tallies {
		of := roomkit.UserSubject(t.User)
		if t.User == "" {
			of = roomkit.CompanySubject(t.Company)
		}
		if at, known := b.counts[of]; known {
			have := &c.Tallies[at]
			have.Now += t.Now - t.Was
			have.Most = max(have.Most, t.Most)
			continue
		}
		b.counts[of] = len(c.Tallies)
		c.Tallies = append(c.Tallies, t)
	}
	return nil
}
