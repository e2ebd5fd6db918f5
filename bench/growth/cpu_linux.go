package main

import (
	"time"

	"golang.org/x/sys/unix"
)

// threadTime is what the thread of the caller has had of the processors.
func threadTime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
