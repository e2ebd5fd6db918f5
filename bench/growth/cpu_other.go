//go:build !linux

package main

import "time"

// threadTime and processTime are what the thread of the caller and the whole program have had
// of the processors, which is not known here.
func threadTime() time.Duration  { return 0 }
func processTime() time.Duration { return 0 }
