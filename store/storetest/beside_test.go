package storetest

import "testing"

func TestBeside(t *testing.T) { Beside(t, openMemstore, openMemstore, besideHistories()) }

// besideHistories are few with -short, which the race detector needs.
func besideHistories() int {
	if testing.Short() {
		return 2
	}
	return 12
}
