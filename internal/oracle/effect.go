package oracle

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// begin adds a room, or lets one with a derived id begin anew.
func (c *call) begin(r *Room) *Room {
	if r.ID == "" {
		c.w.lastRoom++
		r.ID = fmt.Sprintf("r%d", c.w.lastRoom)
	}
	if old := c.w.Rooms[r.ID]; old != nil {
		r.Periods, r.Lives = old.Periods, old.Lives
	} else {
		r.Periods = map[string]int{}
	}
	r.Lives++
	r.BeganAt = c.now
	r.Participants, r.Masters = map[string]Membership{}, map[string]int{}
	if r.Features == nil {
		r.Features = Features{}
	}
	c.w.Rooms[r.ID] = r
	c.changed = true
	c.out.Room, c.out.Kind, c.out.Opened = r.ID, r.Kind, true
	return r
}

// join admits people who do not take part. A void participation ends first, and
// with it a void role.
func (c *call) join(r *Room, why Cause, readAll bool, people ...string) {
	for _, p := range people {
		if _, in := r.Participants[p]; in {
			c.out.Renewed = append(c.out.Renewed, Move{r.ID, p, AnyCause})
			if c.w.voidMaster(r, p) {
				c.dismiss(r, AnyCause, p)
				c.vacate(r, AnyCause, 1)
			}
		}
		r.Participants[p] = Membership{Since: c.w.Step, JoinedAt: c.now, ReadAll: readAll, Joined: why}
		r.Periods[p]++
		r.HadLine = r.HadLine || c.w.Users[p].Kind == Line
		c.out.Joined = append(c.out.Joined, Move{r.ID, p, why})
		c.changed = true
	}
}

// leave ends a participation.
func (c *call) leave(r *Room, why Cause, person string) {
	if _, in := r.Participants[person]; !in {
		return
	}
	delete(r.Participants, person)
	c.out.Left = append(c.out.Left, Move{r.ID, person, why})
	c.changed = true
}

// appoint makes people Group Masters. A void role ends first, for its own reason.
func (c *call) appoint(r *Room, why Cause, people ...string) {
	for _, p := range people {
		if since, is := r.Masters[p]; is {
			c.dismiss(r, c.why(r, p, since), p)
		}
		r.Masters[p] = c.w.Step
		r.Masterless = ""
		c.out.Appointed = append(c.out.Appointed, Move{r.ID, p, why})
		c.changed = true
	}
}

func (c *call) dismiss(r *Room, why Cause, person string) {
	if _, is := r.Masters[person]; !is {
		return
	}
	delete(r.Masters, person)
	c.out.Dismissed = append(c.out.Dismissed, Move{r.ID, person, why})
	c.changed = true
}

// end ends a room and everything in it.
func (c *call) end(r *Room) {
	r.EndedWith = map[string]Certainty{}
	for _, p := range slices.Sorted(maps.Keys(r.Participants)) {
		r.EndedWith[p] = Certainly
		c.leave(r, ByEnd, p)
	}
	for _, p := range slices.Sorted(maps.Keys(r.Masters)) {
		r.EndedWith[p] = Certainly
		c.dismiss(r, ByEnd, p)
	}
	r.Ended = true
	r.Masterless = ""
	r.OffSince = time.Time{}
	c.out.Ended = append(c.out.Ended, r.ID)
	c.changed = true
}

// settle dissolves a room that the last human has left (COM-09).
func (c *call) settle(r *Room) {
	if !r.Ended && !c.w.hasHuman(r) {
		c.end(r)
	}
}

// vacate says that an automatic removal left a group without a master.
func (c *call) vacate(r *Room, why Cause, before int) {
	if !r.Ended && r.Kind.Managed() && before > 0 && len(r.Masters) == 0 {
		r.Masterless = why
		c.out.Vacated = append(c.out.Vacated, r.ID)
	}
}
