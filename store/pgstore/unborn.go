package pgstore

import (
	"maps"
	"slices"

	"github.com/go-roomkit/roomkit"
)

// unborn are versions that refused changes of one call would have made. A later
// change of the call that was decided on one of them must not take a version of
// the same number, which somebody else has made meanwhile, for it.
type unborn map[roomkit.Expect]struct{}

// refuse notes what a change would have made, but for what it has made before.
func (u unborn) refuse(c *roomkit.Change, made []roomkit.EventAt) {
	for i := range c.Records {
		r := &c.Records[i]
		if !slices.Contains(made, roomkit.EventAt{Subject: r.Subject, Version: r.Version}) {
			u[roomkit.Expect{Subject: r.Subject, Version: r.Version}] = struct{}{}
		}
	}
}

// accept forgets what a change has made.
func (u unborn) accept(c *roomkit.Change) {
	if len(u) == 0 {
		return
	}
	for i := range c.Records {
		delete(u, roomkit.Expect{Subject: c.Records[i].Subject, Version: c.Records[i].Version})
	}
}

func (u unborn) compare(c *roomkit.Change) error {
	if len(u) == 0 {
		return nil
	}
	for _, e := range c.Expect {
		if _, never := u[e]; never {
			return conflict("%v as a refused change of the same call would have left it", e.Subject)
		}
	}
	return nil
}

// become takes over what a batch has found.
func (u unborn) become(other unborn) {
	clear(u)
	maps.Copy(u, other)
}
