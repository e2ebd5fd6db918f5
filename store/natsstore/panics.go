package natsstore

import (
	"fmt"
	"log/slog"
	"runtime/debug"
)

// beside runs something beside the callers.
func (s *Store) beside(do func()) { s.running.Go(func() { s.guard(do) }) }

// guard runs something. If it does not return, because it panics or its goroutine ends, the store stops,
// and not the process of the host.
func (s *Store) guard(do func()) {
	returned := false
	defer func() {
		if value := recover(); !returned {
			s.breakOff(value)
		}
	}()
	do()
	returned = true
}

// breakOff stops the store because of a panic, and lets go of everybody who waits: what was sent may be
// in the log.
func (s *Store) breakOff(value any) {
	err := panicked(value)
	s.halt(err)
	s.sender.end(err)
	for _, f := range s.sender.flying() {
		s.sender.settle(f, true, err)
	}
	defer func() { _ = recover() }() // the logger may be what has panicked
	s.o.Logger.LogAttrs(s.ctx, slog.LevelError, "natsstore: the store has stopped", slog.Any("error", err), slog.String("stack", string(debug.Stack())))
}

func panicked(value any) error { return fmt.Errorf("%w: %v", ErrPanicked, value) }
