package beside

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// stage is a testing.TB for a part of a test. What is opened on it is closed with it; a
// failure ends that part alone, and its text is kept.
type stage struct {
	testing.TB
	ctx     context.Context
	mu      sync.Mutex
	failed  bool
	skipped bool
	text    strings.Builder
	cleanup []func()
}

// On plays a part of a test in a goroutine of its own, because a failure ends it.
func On(tb testing.TB, bound time.Duration, play func(tb testing.TB)) *stage {
	return on(tb, bound, func(s *stage) { play(s) })
}

func on(tb testing.TB, bound time.Duration, play func(s *stage)) *stage {
	ctx, cancel := context.WithTimeout(tb.Context(), bound)
	defer cancel()
	s, ended := &stage{TB: tb, ctx: ctx}, make(chan struct{})
	go func() {
		defer close(ended)
		defer func() {
			if p := recover(); p != nil {
				s.Errorf("panic: %v\n%s", p, debug.Stack())
			}
		}()
		play(s)
	}()
	<-ended
	for _, f := range slices.Backward(s.cleanup) {
		f()
	}
	return s
}

// Text is what the part has said.
func (s *stage) Text() string { return s.text.String() }

// Context, and all that follows, is as in testing.TB.
func (s *stage) Context() context.Context { return s.ctx }
func (s *stage) Helper()                  {}
func (s *stage) Cleanup(f func())         { s.cleanup = append(s.cleanup, f) }
func (s *stage) Skipped() bool            { return s.skipped }

func (s *stage) Failed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

func (s *stage) Fail() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = true
}

func (s *stage) Logf(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(&s.text, strings.TrimLeft(format, "\n")+"\n", args...)
}

func (s *stage) Log(args ...any)                   { s.Logf("%s", fmt.Sprint(args...)) }
func (s *stage) Errorf(format string, args ...any) { s.Logf(format, args...); s.Fail() }
func (s *stage) Error(args ...any)                 { s.Log(args...); s.Fail() }
func (s *stage) Fatalf(format string, args ...any) { s.Logf(format, args...); s.FailNow() }
func (s *stage) Fatal(args ...any)                 { s.Log(args...); s.FailNow() }
func (s *stage) FailNow()                          { s.Fail(); runtime.Goexit() }
func (s *stage) Skip(args ...any)                  { s.Log(args...); s.SkipNow() }
func (s *stage) Skipf(format string, args ...any)  { s.Logf(format, args...); s.SkipNow() }
func (s *stage) SkipNow()                          { s.skipped = true; runtime.Goexit() }
