package natsstore

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/go-roomkit/roomkit/store"
)

// Compacted says what [Store.Compact] has found and done.
type Compacted struct {
	Snapshot uint64 // the sequence number of the log that the newest snapshot stands for; 0: there is none
	Bytes    uint64 // of that snapshot
	Written  bool   // it was written by this call
	First    uint64 // where the log begins now
}

// margin is how many messages more stay than a copy needs that begins with the last but one snapshot, so
// that copies which are behind can go on.
const margin = 2 * window

// Compact writes a snapshot of the copy beside the log, if so many messages have come since the newest one, and
// takes from the log what nobody needs any more: what is before the last but one snapshot. So the first call
// takes nothing away. A snapshot is used, and counted, only if it can be read again as it was written.
//
// A new copy begins with the newest snapshot, instead of with the first message. One that was away
// while what it would have to apply has gone does so, too, when it is opened.
//
// Nothing calls Compact but the host: from time to time, in one process or in several. With a copy in a
// file nobody waits for it. A copy in memory does not move while it is read, about a second for each
// million commands, and as many bytes as the snapshot has are in memory until they are sent; a process of its own for
// it, with a copy of its own, holds up nobody.
//
// The snapshots are in a stream of the same settings, named as the log with "-snapshots"; it is made by
// the first call. The right to write to it, and to purge it and the log, is needed by whoever calls Compact
// only. Errors are those of [Store.Refresh]. What is broken off leaves parts that the next call takes away.
func (s *Store) Compact(ctx context.Context, messages uint64) (done Compacted, err error) {
	if err := s.Refresh(ctx); err != nil {
		return done, err
	}
	log, err := patiently(ctx, s.o.Patience, func(ctx context.Context) (jetstream.Stream, error) { return s.js.Stream(ctx, s.o.Stream) })
	if err != nil {
		_, err = classify(err)
		return done, err
	}
	beside, err := s.besides(ctx)
	if err != nil {
		return done, err
	}
	all, err := s.present(ctx, log)
	if err != nil {
		return done, err
	}
	if len(all) > 0 && s.applier.applied.Load()-all[0].at.seq < messages {
		return Compacted{Snapshot: all[0].at.seq, Bytes: all[0].bytes, First: log.CachedInfo().State.FirstSeq}, nil
	}
	v, err := s.writeSnapshot(ctx)
	if err != nil {
		return done, err
	}
	good := s.readable(ctx, beside, append([]sealed{*v}, all...))
	if len(good) > 1 {
		if err := s.purge(ctx, log, beside, &good[1]); err != nil {
			return done, err
		}
	}
	done = Compacted{Snapshot: v.at.seq, Bytes: v.bytes, Written: true}
	if len(good) == 0 || good[0] != *v {
		if newer, err := s.present(ctx, log); err != nil || len(newer) == 0 || newer[0].seq <= v.seq { // else others have gone on
			return done, cmp.Or(err, fmt.Errorf("%w: the snapshot cannot be read as it was written", ErrUnreachable))
		}
	}
	info, err := patiently(ctx, s.o.Patience, func(ctx context.Context) (*jetstream.StreamInfo, error) { return log.Info(ctx) })
	if err != nil {
		_, err = classify(err)
		return done, err
	}
	done.First = info.State.FirstSeq
	return done, nil
}

// present gives the snapshots that there are. What is foreign or has no place in the log any more counts for none.
func (s *Store) present(ctx context.Context, log jetstream.Stream) (all []sealed, err error) {
	var passed error
	_, err = patiently(ctx, s.o.Patience, func(ctx context.Context) (struct{}, error) {
		if all, _, passed = s.sealedSnapshots(ctx, log); len(all) == 0 && errors.Is(passed, ErrUnreachable) {
			return struct{}{}, passed
		}
		return struct{}{}, nil
	})
	if err == nil && len(all) == 0 && !errors.Is(passed, ErrForeign) && !errors.Is(passed, errMissing) {
		err = passed
	}
	return all, err
}

// readable gives the two newest snapshots that can be read.
func (s *Store) readable(ctx context.Context, beside jetstream.Stream, all []sealed) (good []sealed) {
	for i := range all {
		if err := s.whole(ctx, beside, &all[i]); err != nil {
			s.o.Logger.WarnContext(ctx, "natsstore: a snapshot cannot be read", "snapshot", all[i].name(), "error", err)
			continue
		}
		if good = append(good, all[i]); len(good) == 2 {
			break
		}
	}
	return good
}

// besides gives the stream of the snapshots, and makes it if it is missing.
func (s *Store) besides(ctx context.Context) (jetstream.Stream, error) {
	o := s.o
	o.Stream, o.Installation = s.o.snapshots(), "" // the log is enough
	beside, err := patiently(ctx, s.o.Patience, func(ctx context.Context) (jetstream.Stream, error) {
		stream, err := s.js.Stream(ctx, o.Stream)
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			c := o.config(s.log)
			c.Description, c.Subjects = "snapshots of the log "+s.o.Stream, []string{o.Stream + ".>"}
			stream, err = s.js.CreateStream(ctx, c)
		}
		return stream, err
	})
	if err != nil {
		return nil, err
	}
	c := beside.CachedInfo().Config
	if len(c.Subjects) != 1 || c.Subjects[0] != o.Stream+".>" {
		return nil, fmt.Errorf("%w: stream %q: subjects has to be %q alone", ErrSettings, o.Stream, o.Stream+".>")
	}
	c.Subjects = []string{o.Stream} // the rest is as of a log
	log, err := o.check(&c)
	if err == nil && log != s.log {
		err = fmt.Errorf("%w: stream %q has snapshots of the log %v, not of %v; delete it", ErrSettings, o.Stream, log, s.log)
	}
	return beside, err
}

// writeSnapshot writes what the copy holds, says so in the log, and then in the stream of the snapshots.
func (s *Store) writeSnapshot(ctx context.Context) (*sealed, error) {
	v := sealed{snapshot: snapshot{format: snapshotFormat}}
	rand.Read(v.id[:]) // never fails
	if err := s.writeParts(ctx, &v.snapshot); err != nil {
		return nil, err
	}
	r := &request{alone: &body{kind: kindSnapshot, snapshot: v.snapshot}}
	if err := s.ask(ctx, r); err != nil {
		return nil, err
	}
	v.seq = r.seq
	return &v, s.put(ctx, s.o.snapshots()+wholeOf+v.name(), v.encode())
}

// writeParts writes the parts of a snapshot, and notes what they are.
func (s *Store) writeParts(ctx context.Context, v *snapshot) error {
	var later [][]byte // of a copy in memory, as long as it must not move
	send := func(chunk []byte) error { return s.put(ctx, s.o.snapshots()+partsOf+v.name(), chunk) }
	w := newChunker(s.partSize(), send)
	next, stop := iter.Pull2(s.copy.Dump(ctx))
	defer stop()
	var first *store.Contents
	var err error
	var more bool
	s.applier.still(func() {
		if first, err, more = next(); err == nil {
			err = s.cut(v)
		}
		if s.applier.file == nil {
			w.send = func(chunk []byte) error {
				later = append(later, chunk)
				return nil
			}
			err = w.all(v, first, err, more, next)
		}
	})
	if s.applier.file != nil {
		err = w.all(v, first, err, more, next)
	}
	for _, chunk := range later {
		if err == nil {
			err = send(chunk)
		}
	}
	v.chunks, v.bytes = w.n, w.bytes
	w.sum.Sum(v.sum[:0])
	return err
}

// all writes all parts, if they are what the log has made.
func (w *chunker) all(v *snapshot, p *store.Contents, err error, more bool, next func() (*store.Contents, error, bool)) error {
	for more && err == nil {
		if err = w.part(p); err == nil {
			p, err, more = next()
		}
	}
	switch {
	case err != nil:
		return err
	case w.head != v.at.head:
		return otherHead(w.head, v.at.head)
	}
	return w.flush()
}

// cut notes how far the copy is, while it does not move.
func (s *Store) cut(v *snapshot) error {
	a := &s.applier
	v.at, v.from = *a.place.Load(), place{chain: s.log.begin()}
	if a.read.seq != v.at.seq {
		return fmt.Errorf("%w: the copy is behind what was read", ErrUnreachable)
	}
	if v.at.seq <= window {
		return nil
	}
	back := a.slot(v.at.seq - window)
	if back.seq != v.at.seq-window {
		return fmt.Errorf("%w: what came before is not known yet", ErrUnreachable)
	}
	v.from = place{seq: back.seq, chain: back.chain}
	return nil
}

// purge takes away what is before a snapshot, in the log and of other snapshots.
func (s *Store) purge(ctx context.Context, log, beside jetstream.Stream, last *sealed) error {
	if last.from.seq > margin {
		keep := last.from.seq - margin
		if _, err := patiently(ctx, s.o.Patience, func(ctx context.Context) (struct{}, error) {
			return struct{}{}, log.Purge(ctx, jetstream.WithPurgeSequence(keep))
		}); err != nil {
			_, err = classify(err)
			return err
		}
	}
	info, err := patiently(ctx, s.o.Patience, func(ctx context.Context) (*jetstream.StreamInfo, error) {
		return beside.Info(ctx, jetstream.WithSubjectFilter(s.o.snapshots()+".>"))
	})
	if err != nil {
		_, err = classify(err)
		return err
	}
	for subject := range info.State.Subjects {
		name := subject[strings.LastIndexByte(subject, '.')+1:]
		if name >= last.name() {
			continue
		}
		if _, err := patiently(ctx, s.o.Patience, func(ctx context.Context) (struct{}, error) {
			return struct{}{}, beside.Purge(ctx, jetstream.WithPurgeSubject(subject))
		}); err != nil {
			_, err = classify(err)
			return err
		}
	}
	return nil
}
