//go:build !linux

package main

import "time"

// threadTime is what the thread of the caller has had of the processors, which is not
// known here.
func threadTime() time.Duration { return 0 }
