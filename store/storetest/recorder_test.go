package storetest

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit/store"
)

// recorder is a testing.TB that fails without failing the test around it.
type recorder struct {
	testing.TB
	ctx     context.Context
	mu      sync.Mutex
	failed  bool
	skipped bool
	text    strings.Builder
	cleanup []func()
}

// runRule runs one rule in a goroutine of its own, because a failure ends it.
func runRule(t *testing.T, r Rule, open func(testing.TB) store.Store, o *Options, bound time.Duration) *recorder {
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	rec := &recorder{TB: t, ctx: ctx}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer func() {
			if p := recover(); p != nil {
				rec.Errorf("panic: %v", p)
			}
		}()
		r.check(rec, open, o)
	}()
	<-ended
	for _, f := range slices.Backward(rec.cleanup) {
		f()
	}
	return rec
}

func (r *recorder) Context() context.Context { return r.ctx }
func (r *recorder) Helper()                  {}
func (r *recorder) Cleanup(f func())         { r.cleanup = append(r.cleanup, f) }

func (r *recorder) Failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

func (r *recorder) Fail() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = true
}

func (r *recorder) Log(args ...any) { r.Logf("%s", fmt.Sprint(args...)) }

func (r *recorder) Logf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(&r.text, format+"\n", args...)
}

func (r *recorder) Errorf(format string, args ...any) { r.Logf(format, args...); r.Fail() }
func (r *recorder) Error(args ...any)                 { r.Log(args...); r.Fail() }
func (r *recorder) Fatalf(format string, args ...any) { r.Logf(format, args...); r.FailNow() }
func (r *recorder) Fatal(args ...any)                 { r.Log(args...); r.FailNow() }
func (r *recorder) FailNow()                          { r.Fail(); runtime.Goexit() }
func (r *recorder) Skip(args ...any)                  { r.Log(args...); r.SkipNow() }
func (r *recorder) Skipf(format string, args ...any)  { r.Logf(format, args...); r.SkipNow() }
func (r *recorder) SkipNow()                          { r.skipped = true; runtime.Goexit() }

func TestRecorder(t *testing.T) {
	t.Parallel()
	rule := Rules()[0]
	sentence := "rule " + rule.Name + ": " + rule.Sentence
	rec := runRule(t, rule, openMemstore, &Options{}, time.Minute)
	require.False(t, rec.failed || rec.skipped, "a rule that holds: %s", &rec.text)
	require.NotContains(t, rec.text.String(), sentence)

	rule.run = func(k *kit) { k.FailNow() }
	rec = runRule(t, rule, openMemstore, &Options{}, time.Minute)
	require.True(t, rec.failed)
	require.Contains(t, rec.text.String(), sentence)
}
