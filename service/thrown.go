package service

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
)

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

// asError makes an error of what has broken off something.
func (t *thrown) asError() error {
	return fmt.Errorf("broken off by a panic: %v\n%s", t.value, t.stack)
}

// guarded makes a panic an error.
func guarded(f func() error) (err error) {
	watch(func() { err = f() }, func(t *thrown) {
		if t != nil {
			err = t.asError()
		}
	})
	return err
}

// log tells the logger of something that was thrown, and outlives the logger.
func (s *Service) log(ctx context.Context, t *thrown, message string) {
	watch(func() {
		s.o.Logger.LogAttrs(ctx, slog.LevelError, message, slog.Any("value", t.value), slog.String("stack", string(t.stack)))
	}, func(*thrown) {})
}
