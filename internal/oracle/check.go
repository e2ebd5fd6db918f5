package oracle

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// CheckState demands the invariants of every state. Each violation names its clause:
//
//	S1 one open period per person and role   S5 kind, owner, creator, origin stay
//	S2 a group has a master or says why not  S6 parties of 1:1 and own rooms
//	S3 outsiders only where they belong      S7 ended and switched-off rooms
//	S4 permissions in external groups        S8 nothing void after a sweep
func (w *World) CheckState() error {
	var all []error
	for _, id := range slices.Sorted(maps.Keys(w.Rooms)) {
		r := w.Rooms[id]
		for _, check := range []func(*Room) error{
			w.checkPeriods, w.checkMasters, w.checkOutsiders, w.checkPermissions,
			w.checkBirth, w.checkParties, w.checkEnd, w.checkSwept,
		} {
			if err := check(r); err != nil {
				all = append(all, fmt.Errorf("%s: %w", id, err))
			}
		}
	}
	return errors.Join(all...)
}

func broken(clause, format string, args ...any) error {
	return fmt.Errorf(clause+": "+format, args...)
}

type post struct {
	user string
	role Role
}

// checkPeriods: the open periods are the present participations and masterships,
// one each, and periods of one role do not overlap.
func (w *World) checkPeriods(r *Room) error {
	open, until := map[post]bool{}, map[post]int{}
	for _, t := range r.Tenures {
		k := post{t.User, t.Role}
		switch {
		case t.Role != Participant && t.Role != Master:
			return broken("S1", "%s has the unknown role %q", t.User, t.Role)
		case open[k]:
			return broken("S1", "%s is twice at a time %s", t.User, t.Role)
		case t.From < until[k] || t.Until != 0 && t.Until < t.From:
			return broken("S1", "periods of %s as %s overlap", t.User, t.Role)
		}
		until[k] = t.Until
		if t.Until == 0 {
			open[k] = true
		}
	}
	if present := r.posts(); !maps.Equal(open, present) {
		return broken("S1", "open periods %v for the people %v", open, present)
	}
	return nil
}

func (r *Room) posts() map[post]bool {
	present := map[post]bool{}
	for p := range r.Participants {
		present[post{p, Participant}] = true
	}
	for p := range r.Masters {
		present[post{p, Master}] = true
	}
	return present
}

func (w *World) checkMasters(r *Room) error {
	automatic := r.Masterless == ByPermission || r.Masterless == ByAccount || r.Masterless == AnyCause
	switch {
	case !r.Kind.Managed() && (len(r.Masters) > 0 || r.Masterless != ""):
		return broken("S2", "a %s room has masters", r.Kind)
	case !r.Kind.Managed() || r.Ended:
		return nil
	case len(r.Masters) == 0 && !automatic:
		return broken("S2", "no master, cause %q", r.Masterless)
	case len(r.Masters) > 0 && r.Masterless != "":
		return broken("S2", "called masterless with %d masters", len(r.Masters))
	}
	return nil
}

func (w *World) checkOutsiders(r *Room) error {
	line := w.hasLine(r)
	for p := range r.Participants {
		u := w.Users[p]
		outsider := u.Kind != Line && u.Company != r.Company
		switch {
		case outsider && r.Kind != ExternalRoom && r.Kind != DirectRoom:
			return broken("S3", "outsider %s in a %s room", p, r.Kind)
		case u.Kind == Line && r.Kind != GeneralRoom && r.Kind != DirectRoom:
			return broken("S3", "LINE user %s in a %s room", p, r.Kind)
		case u.Kind == Bot && (line || r.Kind == ExternalRoom || r.Kind == SelfRoom):
			return broken("S3", "bot %s in a %s room with outsiders or of one person", p, r.Kind)
		}
	}
	return nil
}

// checkPermissions: who is in an external group held the permission at the
// admission and until the last sweep; masters are of the owning company.
func (w *World) checkPermissions(r *Room) error {
	for p, since := range r.Masters {
		u := w.Users[p]
		foreign := u.Company != r.Company && (r.Kind == GroupRoom || !w.Policy.ForeignMasters)
		if foreign || u.Kind != Human {
			return broken("S4", "%s of company %q is a master", p, u.Company)
		}
		if err := w.checkPermission(r, p, since); err != nil {
			return err
		}
	}
	for p, m := range r.Participants {
		if err := w.checkPermission(r, p, m.Since); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) checkPermission(r *Room, person string, since int) error {
	u := w.Users[person]
	switch {
	case r.Kind != ExternalRoom:
		return nil
	case !w.worksInForce(u) && u.LostWorks <= since:
		return broken("S4", "%s was admitted without the permission", person)
	case w.worksLost(u, since) && u.LostWorks <= w.Swept:
		return broken("S4", "%s lacked the permission at the last sweep", person)
	}
	return nil
}

func (w *World) checkBirth(r *Room) error {
	b := w.Births[r.ID]
	converted := b.Kind == GeneralRoom && r.Kind.Managed() && r.Converted
	switch {
	case r.Kind != b.Kind && !converted:
		return broken("S5", "born %s, now %s", b.Kind, r.Kind)
	case r.Company != b.Company || r.Creator != b.Creator || r.Origin != b.Origin:
		return broken("S5", "owner, creator or origin changed from %+v", b)
	}
	return nil
}

func (w *World) checkParties(r *Room) error {
	want := ""
	switch {
	case r.Kind == DirectRoom && len(r.Parties) == 2 && r.Parties[0] != r.Parties[1]:
		want = DirectID(r.Parties[0], r.Parties[1])
	case r.Kind == SelfRoom && len(r.Parties) == 1:
		want = SelfID(r.Parties[0])
	case r.Kind == DirectRoom || r.Kind == SelfRoom:
		return broken("S6", "a %s room has the parties %v", r.Kind, r.Parties)
	case r.Kind == TeamRoom:
		want = TeamID(r.Team)
	default:
		return nil
	}
	if r.ID != want {
		return broken("S6", "the room should be %s", want)
	}
	for p := range r.Participants {
		if r.Kind != TeamRoom && !slices.Contains(r.Parties, p) {
			return broken("S6", "%s is not among the parties %v", p, r.Parties)
		}
	}
	return nil
}

func (w *World) checkEnd(r *Room) error {
	people := len(r.Participants) + len(r.Masters)
	switch {
	case r.Ended && people > 0:
		return broken("S7", "ended with %d people", people)
	case !r.Ended && !w.hasHuman(r):
		return broken("S7", "active without a human participant")
	case !r.OffSince.IsZero() && !r.Kind.Managed() && r.Kind != TeamRoom:
		return broken("S7", "message is off in a %s room", r.Kind)
	}
	return nil
}

// checkSwept: once a sweep has followed the last change of the directory,
// nothing void is left anywhere.
func (w *World) checkSwept(r *Room) error {
	if w.Swept < w.Changed {
		return nil
	}
	for p := range r.Participants {
		if w.voidParticipant(r, p) {
			return broken("S8", "%s still takes part", p)
		}
	}
	for p := range r.Masters {
		if w.voidMaster(r, p) {
			return broken("S8", "%s still manages", p)
		}
	}
	return nil
}
