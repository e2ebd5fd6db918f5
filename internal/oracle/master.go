package oracle

// AppointMasters makes people Group Masters (GRP-06).
type AppointMasters struct {
	Room   string
	People []string
}

func (x AppointMasters) wellFormed() bool { return some(x.People) }

func (x AppointMasters) excessive() bool { return twice(x.People) }

func (x AppointMasters) run(c *call) *refusal {
	r, no := c.authorised(x.Room, MayAppoint)
	if no != nil {
		return no
	}
	var fresh []string
	var f faults
	for _, p := range unique(x.People...) {
		if !c.w.manages(r, p) {
			c.w.notMaster(&f, r.Kind, r.Company, p)
			c.strange(&f, r, p)
			fresh = append(fresh, p)
		}
	}
	if no := f.refusal(); no != nil {
		return no
	}
	c.appoint(r, ByMaster, fresh...)
	return nil
}

// strange adds that a future master of another company is no contact (EXT-32).
func (c *call) strange(f *faults, r *Room, person string) {
	if _, in := r.Participants[person]; !in && r.Kind == ExternalRoom {
		c.w.cannotMeet(f, c.who, person)
	}
}

// DismissMasters ends their roles (GRP-06, GRP-09).
type DismissMasters struct {
	Room   string
	People []string
}

func (x DismissMasters) wellFormed() bool { return some(x.People) }

func (x DismissMasters) excessive() bool { return twice(x.People) }

func (x DismissMasters) run(c *call) *refusal {
	r, no := c.authorised(x.Room, MayDismiss)
	if no != nil {
		return no
	}
	people := unique(x.People...)
	if endsRole(r, people) && len(c.w.mastersWithout(r, people)) == 0 {
		return denied("GRP-09", "GRP-04", "GRP-08", "EXT-27")
	}
	for _, p := range people {
		why := ByRemoval
		if p == c.actor {
			why = AnyCause
		}
		c.dismissFor(r, why, p)
	}
	return nil
}

// HandOver gives the actor's own role to somebody else (GRP-08).
type HandOver struct {
	Room string
	To   string
}

func (x HandOver) wellFormed() bool { return x.To != "" }

// run demands that the actor is a Group Master: an administrator has no role of
// his own to hand over.
func (x HandOver) run(c *call) *refusal {
	r, no := c.authorised(x.Room, MayAppoint)
	if no != nil {
		return no
	}
	if !c.w.manages(r, c.actor) {
		return denied()
	}
	if x.To == c.actor {
		return refused()
	}
	if !c.w.manages(r, x.To) {
		var f faults
		c.w.notMaster(&f, r.Kind, r.Company, x.To)
		c.strange(&f, r, x.To)
		if no := f.refusal(); no != nil {
			return no
		}
		c.appoint(r, ByHandOver, x.To)
	}
	c.dismiss(r, ByHandOver, c.actor)
	return nil
}
