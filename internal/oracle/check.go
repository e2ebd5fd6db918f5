package oracle

import (
	"fmt"
	"maps"
	"slices"
)

// CheckState demands the invariants of every state. Each violation names its clause:
//
//	masters      a group has a master, or lost the last one automatically
//	outsiders    only where they belong
//	permissions  who is in an external group held the permission all the time
//	parties      nobody else is in a room of one or two
//	end          ended and switched-off rooms
//	swept        nothing void after a sweep
func (w *World) CheckState() error {
	for _, id := range slices.Sorted(maps.Keys(w.Rooms)) {
		for _, check := range []func(*Room) error{
			w.checkMasters, w.checkOutsiders, w.checkPermissions, w.checkParties, w.checkEnd, w.checkSwept,
		} {
			if err := check(w.Rooms[id]); err != nil {
				return fmt.Errorf("%s: %w", id, err)
			}
		}
	}
	return nil
}

func broken(clause, format string, args ...any) error {
	return fmt.Errorf(clause+": "+format, args...)
}

func (w *World) checkMasters(r *Room) error {
	automatic := r.Masterless == ByPermission || r.Masterless == ByAccount || r.Masterless == AnyCause
	switch {
	case !r.Kind.Managed() && (len(r.Masters) > 0 || r.Masterless != ""):
		return broken("masters", "a %s room has masters", r.Kind)
	case !r.Kind.Managed() || r.Ended:
		return nil
	case len(r.Masters) == 0 && !automatic:
		return broken("masters", "no master, cause %q", r.Masterless)
	case len(r.Masters) > 0 && r.Masterless != "":
		return broken("masters", "called masterless with %d masters", len(r.Masters))
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
			return broken("outsiders", "outsider %s in a %s room", p, r.Kind)
		case u.Kind == Line && r.Kind != GeneralRoom && r.Kind != DirectRoom:
			return broken("outsiders", "LINE user %s in a %s room", p, r.Kind)
		case u.Kind == Bot && (line || r.Kind == ExternalRoom || r.Kind == SelfRoom):
			return broken("outsiders", "bot %s in a %s room with outsiders or of one person", p, r.Kind)
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
			return broken("permissions", "%s of company %q is a master", p, u.Company)
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
	case !w.worksInForce(u) && u.LostPartners <= since:
		return broken("permissions", "%s was admitted without the permission", person)
	case w.worksLost(u, since) && u.LostPartners <= w.Swept:
		return broken("permissions", "%s lacked the permission at the last sweep", person)
	}
	return nil
}

func (w *World) checkParties(r *Room) error {
	for p := range r.Participants {
		if len(r.Parties) > 0 && !slices.Contains(r.Parties, p) {
			return broken("parties", "%s is not among %v", p, r.Parties)
		}
	}
	return nil
}

func (w *World) checkEnd(r *Room) error {
	people := len(r.Participants) + len(r.Masters)
	switch {
	case r.Ended && people > 0:
		return broken("end", "ended with %d people", people)
	case !r.Ended && !w.hasHuman(r):
		return broken("end", "active without a human participant")
	case !r.OffSince.IsZero() && !r.Kind.Managed() && r.Kind != TeamRoom:
		return broken("end", "message is off in a %s room", r.Kind)
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
			return broken("swept", "%s still takes part", p)
		}
	}
	for p := range r.Masters {
		if w.voidMaster(r, p) {
			return broken("swept", "%s still manages", p)
		}
	}
	return nil
}
