package oracle

import (
	"slices"
	"strings"
)

// unique keeps the first of each.
func unique(people ...string) []string {
	var out []string
	for _, p := range people {
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

func human(u *User) bool { return u.Kind == Human }

func (w *World) all(people []string, is func(*User) bool) bool {
	for _, p := range people {
		if u := w.Users[p]; u == nil || !is(u) {
			return false
		}
	}
	return true
}

func (w *World) any(people []string, is func(*User) bool) bool {
	return slices.ContainsFunc(people, func(p string) bool {
		u := w.Users[p]
		return u != nil && is(u)
	})
}

func (w *World) unknown(people []string) bool {
	return slices.ContainsFunc(people, func(p string) bool { return w.Users[p] == nil })
}

func (w *World) isContact(of, outsider string) bool {
	return w.Policy.AnyoneIsContact || w.Contacts[[2]string{of, outsider}]
}

// cannotJoin collects why nobody would let a person into anything: unknown,
// deleted, suspended (AMB-23), or of a company without the product.
func (w *World) cannotJoin(f *faults, person string) {
	u := w.Users[person]
	switch {
	case u == nil:
		f.add("CRE-49", "EXT-32")
	case u.Status == Deleted:
		f.add("ADM-13", "ADM-14", "ADM-17", "CRE-49", "AMB-23", "EXT-30", "EXT-32", "EXT-28", "LINE-01")
	case u.Status == Suspended:
		f.add("ADM-17", "ADM-18", "AMB-23", "CRE-49")
	}
	f.when(u != nil && !w.served(u), "COM-10")
}

// served: the person's company has the product (COM-10).
func (w *World) served(u *User) bool { return u.Kind == Line || w.Companies[u.Company].Licensed }

// cannotMeet adds what keeps an outsider away from the actor: not a contact
// (EXT-32). Someone who is no contact looks like someone unknown.
func (w *World) cannotMeet(f *faults, actor *User, person string) {
	u := w.Users[person]
	outsider := u == nil || u.Company != actor.Company
	bot := u != nil && u.Kind == Bot // no contact of anybody
	f.when(outsider && (bot || !w.isContact(actor.ID, person)), "CRE-49", "EXT-32", "LINE-02")
}

// notInternal collects why a person cannot be in a group of one company.
func (w *World) notInternal(f *faults, company, person string) {
	w.cannotJoin(f, person)
	u := w.Users[person]
	f.when(u != nil && u.Company != company, "GRP-02", "CRE-49", "EXT-32")
}

// notExternal collects why the actor cannot take a person into an external group.
func (w *World) notExternal(f *faults, actor *User, person string) {
	w.cannotMeet(f, actor, person)
	w.unfitForExternal(f, person)
}

// unfitForExternal collects why nobody can take a person into an external group.
func (w *World) unfitForExternal(f *faults, person string) {
	w.cannotJoin(f, person)
	u := w.Users[person]
	if u == nil {
		f.add("EXT-30")
		return
	}
	f.when(u.Kind == Line, "EXT-03", "EXT-02")
	f.when(u.Kind == Bot, "EXT-04", "EXT-02")
	f.when(u.Kind == Human && !w.worksInForce(u), "EXT-30", "EXT-33", "ADM-04")
}

// notMaster collects why a person cannot become a Group Master.
func (w *World) notMaster(f *faults, k Kind, company, person string) {
	w.cannotJoin(f, person)
	u := w.Users[person]
	if k == GroupRoom {
		bad := u == nil || u.Kind != Human || u.Company != company
		f.when(bad, "GRP-02", "GRP-03", "GRP-10", "EXT-29", "CRE-49", "EXT-32")
		return
	}
	foreign := u == nil || u.Company != company && !w.Policy.ForeignMasters
	f.when(foreign, "EXT-29", "EXT-28", "CRE-49", "EXT-32", "EXT-30")
	f.when(u != nil && u.Kind != Human, "EXT-29", "EXT-28", "EXT-03", "EXT-04", "EXT-02", "GRP-02")
	f.when(u != nil && !w.worksInForce(u), "EXT-28", "EXT-30")
}

func (w *World) mayCreateGroups(u *User) bool {
	return u.Kind == Human && (u.Admin || w.Companies[u.Company].MembersCreateGroups)
}

// groupsOf counts the groups a person takes part in (LIM-02).
func (w *World) groupsOf(user string) int {
	n := 0
	for _, r := range w.Rooms {
		if _, in := r.Participants[user]; in && r.Kind.Managed() {
			n++
		}
	}
	return n
}

// ownedGroups counts the groups of a company (LIM-01).
func (w *World) ownedGroups(company string) int {
	n := 0
	for _, r := range w.Rooms {
		if r.Kind.Managed() && !r.Ended && r.Company == company {
			n++
		}
	}
	return n
}

// tooManyGroups: somebody is in as many groups as one may be (LIM-02, CRE-45).
func (w *World) tooManyGroups(f *faults, people []string) {
	for _, p := range people {
		f.when(w.groupsOf(p) >= w.Policy.maxGroupsPerUser(), "LIM-02", "CRE-45")
	}
}

func (w *World) tooLarge(f *faults, k Kind, size int) {
	limit := w.Policy.MaxParticipants[k]
	f.when(limit > 0 && size > limit, "LIM-07")
}

// noNewGroup collects why the actor cannot have one more group of a kind.
func (w *World) noNewGroup(f *faults, k Kind, actor *User) {
	f.when(!w.mayCreateGroups(actor), "CRE-36", "CRE-37", "ADM-09")
	f.when(k == ExternalRoom && actor.Kind == Bot, "EXT-04", "EXT-02")
	if actor.Kind == Line {
		return
	}
	f.when(w.ownedGroups(actor.Company) >= w.Companies[actor.Company].maxGroups(), "LIM-01")
	f.when(k == ExternalRoom && !w.worksInForce(actor), "CRE-38", "EXT-28", "EXT-30")
}

// badGroupName collects what is wrong with a group's name (CRE-51, GRP-29,
// EXT-34). Names of external groups need not be unique.
func (w *World) badGroupName(f *faults, k Kind, company, name, holder string) {
	f.loosely(name == "", "CRE-51", "GRP-29", "EXT-34")
	f.loosely(longer(name, 100), "GRP-29", "EXT-34")
	f.when(k == GroupRoom && w.nameTaken(company, name, holder), "GRP-29")
}

func (w *World) nameTaken(company, name, except string) bool {
	for _, r := range w.Rooms {
		if r.ID != except && r.Kind == GroupRoom && !r.Ended && r.Company == company && strings.EqualFold(strings.TrimSpace(r.Name), strings.TrimSpace(name)) {
			return true
		}
	}
	return false
}
