package natsstore

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// isBehind reports whether the log begins behind the message with which the copy would go on.
func (s *Store) isBehind(log jetstream.Stream) bool {
	first := log.CachedInfo().State.FirstSeq
	read, _ := s.applier.position()
	return first > max(read.seq, 1)
}

// leftBehind says of a copy that lives and is behind the beginning of the log whether the beginning was taken
// away because there is a snapshot, or lost.
func (s *Store) leftBehind(log jetstream.Stream) error {
	all, _, err := s.sealedSnapshots(s.ctx, log)
	first := log.CachedInfo().State.FirstSeq
	switch {
	case len(all) > 0 && all[0].from.seq >= first:
		return fmt.Errorf("%w: at message %d", ErrBehind, first)
	case errors.Is(err, ErrUnreachable):
		return err
	}
	return fmt.Errorf("%w: it begins at message %d", ErrLost, first)
}

// joins is how often a copy looks for a snapshot while others are written and taken away.
const joins = 5

// join fills the copy from the newest snapshot that is whole. Without one the copy begins with the first
// message, if it is still there.
func (s *Store) join(ctx context.Context, log jetstream.Stream, half bool) error {
	var passed error
	tried := map[[8]byte]bool{}
	for range joins {
		all, beside, err := s.sealedSnapshots(ctx, log)
		passed = err
		fresh := false
		for i := range all {
			if tried[all[i].id] {
				continue
			}
			tried[all[i].id], fresh = true, true
			switch err := s.fillFrom(ctx, beside, &all[i]); {
			case err == nil:
				return nil
			case errors.Is(err, errTorn), errors.Is(err, roomkit.ErrInvalid):
				s.o.Logger.WarnContext(ctx, "natsstore: a snapshot was passed over", "snapshot", all[i].name(), "error", err)
				passed = errors.Join(passed, err)
			default:
				return err
			}
		}
		if !fresh && passed == nil {
			break
		}
	}
	switch {
	case s.isBehind(log) && errors.Is(passed, ErrNewer):
		return passed
	case s.isBehind(log) && errors.Is(passed, ErrUnreachable):
		return passed
	case s.isBehind(log):
		return errors.Join(fmt.Errorf("%w: it begins at message %d, and there is no snapshot to begin with", ErrLost, log.CachedInfo().State.FirstSeq), passed)
	case half:
		return s.fill(ctx, s.applier.target, s.applier.read, func(func(*store.Contents, error) bool) {})
	}
	return nil
}

// fillFrom fills the copy from a snapshot.
func (s *Store) fillFrom(ctx context.Context, beside jetstream.Stream, v *sealed) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	return s.fill(ctx, v.at, v.from, beforehand(ctx, v.parts(v.checked(s.chunks(ctx, beside, v)))))
}

// fill fills the copy, and notes how far it is.
func (s *Store) fill(ctx context.Context, at, from place, parts iter.Seq2[*store.Contents, error]) error {
	a := &s.applier
	var err error
	if a.file != nil {
		err = a.file.fill(ctx, s, at, from, parts)
	} else {
		err = s.copy.Fill(ctx, parts)
	}
	if err == nil {
		a.target, a.read = at, from
	}
	return err
}

// decodedAhead is how many parts are read before they are needed.
const decodedAhead = 16

// beforehand reads parts beside whoever takes them.
func beforehand(ctx context.Context, parts iter.Seq2[*store.Contents, error]) iter.Seq2[*store.Contents, error] {
	type one struct {
		part *store.Contents
		err  error
	}
	return func(yield func(*store.Contents, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		given := make(chan one, decodedAhead)
		go func() {
			defer close(given)
			defer func() {
				if value := recover(); value != nil {
					given <- one{nil, panicked(value)} // who takes them takes all
				}
			}()
			for p, err := range parts {
				select {
				case given <- one{p, err}:
				case <-ctx.Done():
					return
				}
			}
		}()
		defer func() { // nothing of it runs on
			cancel()
			for range given {
			}
		}()
		for p := range given {
			if !yield(p.part, p.err) {
				return
			}
		}
	}
}
