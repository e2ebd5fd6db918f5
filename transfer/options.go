package transfer

import "time"

// clockOr gives the clock of the host, or that of the machine.
func clockOr(clock func() time.Time) func() time.Time {
	if clock == nil {
		return time.Now
	}
	return clock
}
