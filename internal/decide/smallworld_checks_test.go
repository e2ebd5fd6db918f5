package decide

import (
	"errors"
	"fmt"
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

func (x *explorer) checkRefusal(m move, err error) {
	known := errors.Is(err, roomkit.ErrDenied) || errors.Is(err, roomkit.ErrInvalid) || errors.Is(err, roomkit.ErrNotFound)
	if !known {
		require.NoError(x.t, err, "%v: not a refusal", m)
	}
	var d *roomkit.Denied
	if errors.As(err, &d) && d.Rule == "" {
		require.NotEmpty(x.t, d.Rule, "%v: a refusal names its rule", m)
	}
}

func (x *explorer) checkStep(before, after *world, m move, d *Decision) {
	for _, problem := range []string{
		countsProblem(after), masterProblem(before, after, m, d.Events), externalProblem(before, after, m),
		leaveProblem(before, after, m), roleProblem(before, after, m), endProblem(after), frameProblem(before, after, d),
	} {
		if problem != "" {
			require.FailNow(x.t, problem, "%v\nbefore %s\nafter  %s", m, x.key(before), x.key(after))
		}
	}
}

// countsProblem: stored counts and digests equal a recount (S10).
func countsProblem(w *world) string {
	for id, r := range w.rooms {
		var c roomkit.Counts
		var digest roomkit.SetDigest
		for _, row := range w.rows[id] {
			if row.Master {
				c.Masters++
			}
			if !row.Participant {
				continue
			}
			c.Participants++
			digest = digest.With(row.User)
			switch u := w.users[row.User]; {
			case u.Kind == roomkit.UserLINE:
				c.LINEUsers++
			case u.Kind == roomkit.UserBot:
				c.Bots++
			case u.Company != r.Company:
				c.Outsiders++
			}
		}
		if c != r.Counts || digest != r.Digest {
			return fmt.Sprintf("counts of the row %+v, of the people %+v", r.Counts, c)
		}
	}
	return ""
}

func masters(w *world) (list []roomkit.UserID) {
	for id, row := range w.rows[w.main] {
		if row.Master {
			list = append(list, id)
		}
	}
	slices.Sort(list)
	return list
}

func participants(w *world) (list []roomkit.UserID) {
	for id, row := range w.rows[w.main] {
		if row.Participant {
			list = append(list, id)
		}
	}
	slices.Sort(list)
	return list
}

// masterProblem: no user's command leaves an active group without a Group
// Master, and what happens automatically says so (S2).
func masterProblem(before, after *world, _ move, events []roomkit.Event) string {
	r := after.rooms[after.main]
	if r.State != roomkit.StateActive || !r.Kind.IsGroup() || len(masters(after)) > 0 || len(masters(before)) == 0 {
		return ""
	}
	for _, e := range events {
		if v, ok := e.(*roomkit.MasterVacated); ok && (v.Cause == roomkit.CausePermission || v.Cause == roomkit.CauseAccount) {
			return ""
		}
	}
	return "S2: the group was left without a Group Master"
}

// externalProblem: who takes part in an external group changes only by one of
// its masters or automatically (A1), and whoever comes in is permitted (S4).
func externalProblem(before, after *world, m move) string {
	was, is := before.rooms[before.main], after.rooms[after.main]
	if was.Kind != roomkit.KindExternalGroup || slices.Equal(participants(before), participants(after)) {
		return ""
	}
	if is.State == roomkit.StateActive && !m.actor.IsSystem() && !slices.Contains(masters(before), m.actor.User()) {
		return "A1: the members of an external group changed without a master"
	}
	for _, u := range participants(after) {
		user := after.users[u]
		mode := after.companies[user.Company].Works
		if !slices.Contains(participants(before), u) && mode != roomkit.ExternalAll && (mode != roomkit.ExternalSelected || !user.Works) {
			return "S4: somebody without permission came in"
		}
	}
	return ""
}

// leaveProblem: nobody leaves a group by himself (A2).
func leaveProblem(before, _ *world, m move) string {
	if _, leaves := m.cmd.(roomkit.Leave); leaves && before.rooms[before.main].Kind.IsGroup() {
		return "A2: somebody left a group by himself"
	}
	return ""
}

// roleProblem: master roles change only by masters, administrators or
// automatically (A3), and masters belong to the owning company (EXT-29).
func roleProblem(before, after *world, m move) string {
	if slices.Equal(masters(before), masters(after)) {
		return ""
	}
	actor := before.users[m.actor.User()]
	converts := before.rooms[before.main].Kind == roomkit.KindGeneral
	entitled := m.actor.IsSystem() || slices.Contains(masters(before), actor.ID) || actor.Administrator || converts
	if !entitled {
		return "A3: master roles changed without entitlement"
	}
	for _, u := range masters(after) {
		if after.users[u].Company != after.rooms[after.main].Company {
			return "EXT-29: a master of another company"
		}
	}
	return ""
}

// endProblem: an ended room has nobody (S7), an active one somebody (COM-09).
func endProblem(w *world) string {
	for id, r := range w.rooms {
		people := 0
		for _, row := range w.rows[id] {
			if row.Participant || row.Master && r.State == roomkit.StateEnded {
				people++
			}
		}
		if (r.State == roomkit.StateEnded) != (people == 0) {
			return fmt.Sprintf("room in state %s with %d people", r.State, people)
		}
	}
	return ""
}

// frameProblem: versions grow by the number of events (T1), and rooms that no
// event names stay as they were (T3).
func frameProblem(before, after *world, d *Decision) string {
	grown := map[roomkit.Subject]roomkit.Version{}
	for _, e := range d.Events {
		grown[e.Info().Subject]++
	}
	for id, r := range after.rooms {
		if r.Version-before.rooms[id].Version != grown[roomkit.RoomSubject(id)] {
			return "T1: the version did not grow by the number of events"
		}
		if grown[roomkit.RoomSubject(id)] == 0 && r != before.rooms[id] {
			return "T3: a room changed without an event"
		}
	}
	return ""
}
