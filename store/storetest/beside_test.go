package storetest

import "testing"

func TestBeside(t *testing.T) { Beside(t, openMemstore, openMemstore, besideHistories()) }

// besideHistories is a number that finds every mutant and with -short, which the race
// detector needs, takes no time.
func besideHistories() int {
	if testing.Short() {
		return 2
	}
	return 12
}
