package proof_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// failure is a TestingT that keeps why a test failed.
type failure struct{ why string }

type gaveUp struct{}

func (r *failure) Errorf(format string, args ...any) { r.why += fmt.Sprintf(format, args...) }
func (r *failure) FailNow()                          { panic(gaveUp{}) }

// audited gives why an audit refuses a history, or "".
func audited(history []service.Recorded, store store.Store) (why string) {
	r := &failure{}
	defer func() {
		if p := recover(); p != nil && p != (gaveUp{}) {
			panic(p)
		}
		why = r.why
	}()
	a := newAudit(r)
	for _, rec := range history {
		a.event(rec)
	}
	a.compareWith(store)
	return ""
}

// trueHistory is a history with an end, and somebody gone of every cause.
func trueHistory(t *testing.T) (*stageOf, []service.Recorded) {
	s := newStage(t)
	s.does("ann", roomkit.Invite{Room: s.general, People: people("dan")})
	s.does("ben", roomkit.Leave{Room: s.general})
	s.does("ann", roomkit.AppointMasters{Room: s.external, People: people("ben")})
	s.does("ann", roomkit.DismissMasters{Room: s.external, People: people("ben")})
	s.does("ben", roomkit.Edit{Room: s.group, Photo: text("p")})
	s.does("ann", roomkit.DeleteRoom{Room: s.group})
	s.does("adm", roomkit.DeleteUser{User: "cat"})
	s.enforce()
	var history []service.Recorded
	for rec, err := range s.Feed(ctx, "") {
		require.NoError(t, err)
		history = append(history, rec)
	}
	return s, history
}

// change alters the last event of a type in a room.
func change[E roomkit.Event](history []service.Recorded, room roomkit.RoomID, by func(E)) []service.Recorded {
	for _, rec := range slices.Backward(history) {
		if e, ok := rec.Event.(E); ok && rec.Subject.Room == room {
			by(e)
			return history
		}
	}
	return nil
}

// behind puts an event behind the last one of its room.
func behind(history []service.Recorded, last roomkit.Version, rec service.Recorded, e roomkit.Event) []service.Recorded {
	rec.Version, rec.Type, rec.Event = last, e.Type(), e
	return append(history, rec)
}

// TestAuditRefuses: the auditor notices what is false in a history, each by its
// name.
func TestAuditRefuses(t *testing.T) {
	s, history := trueHistory(t)
	require.Empty(t, audited(history, s.store))
	type past = []service.Recorded
	for name, c := range map[string]struct {
		falsify func(*stageOf, past) past
		why     string
	}{
		"by somebody who is not in the room": {func(s *stageOf, h past) past {
			return change(h, s.general, func(e *roomkit.MemberJoined) { e.Actor = roomkit.By("adm") })
		}, "not entitled: member.joined by adm (invited) in general"},
		"by the system": {func(s *stageOf, h past) past {
			return change(h, s.general, func(e *roomkit.MemberJoined) { e.Actor = roomkit.System() })
		}, "not entitled: member.joined"},
		"by nobody": {func(s *stageOf, h past) past {
			return change(h, s.group, func(e *roomkit.PhotoChanged) { e.Actor = roomkit.Actor{} })
		}, "room.photo_changed has no actor"},
		"a role given by a participant": {func(s *stageOf, h past) past {
			return change(h, s.external, func(e *roomkit.MasterAppointed) { e.Actor = roomkit.By("cat") })
		}, "not entitled: master.appointed"},
		"the last master dismissed": {func(s *stageOf, h past) past {
			return change(h, s.external, func(e *roomkit.MasterDismissed) {
				e.People = append(e.People, roomkit.Person{User: "ann"})
			})
		}, "not entitled: master.dismissed"},
		"a join on an old permission": {func(s *stageOf, h past) past {
			return change(h, s.general, func(e *roomkit.MemberJoined) { e.People[0].Epoch.User++ })
		}, "not entitled: member.joined"},
		"a wrong cause": {func(s *stageOf, h past) past {
			return change(h, s.external, func(e *roomkit.MemberLeft) { e.Cause = roomkit.CauseSelf })
		}, "not entitled: member.left"},
		"a cause that has not come about": {func(_ *stageOf, h past) past {
			for _, rec := range h {
				if e, ok := rec.Event.(*roomkit.MemberLeft); ok && e.Cause == roomkit.CauseSelf {
					e.Cause = roomkit.CausePermission
				}
			}
			return h
		}, "not entitled: member.left by ben (permission_withdrawn)"},
		"a skipped version": {func(s *stageOf, h past) past {
			return slices.DeleteFunc(h, func(rec service.Recorded) bool {
				return rec.Subject.Room == s.group && rec.Type == "room.photo_changed"
			})
		}, "versions of a room have no gap"},
		"a version twice": {func(_ *stageOf, h past) past { return append(h, h[len(h)-1]) }, "versions of a room have no gap"},
		"another version in the record": {func(_ *stageOf, h past) past {
			h[len(h)-1].Version++
			return h
		}, "the record is of another version"},
		"another room in the record": {func(s *stageOf, h past) past {
			h[len(h)-1].Subject = roomkit.RoomSubject(s.self)
			return h
		}, "the record is of another subject"},
		"a time that runs back": {func(s *stageOf, h past) past {
			return change(h, s.general, func(e *roomkit.MemberLeft) { e.At = e.At.Add(-day) })
		}, "times of a room never decrease"},
		"wrong counts": {func(s *stageOf, h past) past {
			return change(h, s.general, func(e *roomkit.MemberJoined) { e.Counts.Participants++ })
		}, "the counts are those of the people: member.joined"},
		"a wrong count of masters": {func(s *stageOf, h past) past {
			return change(h, s.external, func(e *roomkit.MasterDismissed) { e.Counts.Masters-- })
		}, "the counts are those of the people: master.dismissed"},
		"an event of a room that ended": {func(s *stageOf, h past) past {
			end := h[slices.IndexFunc(h, func(rec service.Recorded) bool { return rec.Type == "room.ended" && rec.Subject.Room == s.group })]
			meta := end.Event.Info()
			meta.Version++
			return behind(h, meta.Version, end, &roomkit.PhotoChanged{Meta: meta, To: "q"})
		}, "a room lives from its creation to its end: room.photo_changed"},
		"a room created twice": {func(s *stageOf, h past) past {
			made := h[slices.IndexFunc(h, func(rec service.Recorded) bool { return rec.Type == "room.created" && rec.Subject.Room == s.general })]
			again := *made.Event.(*roomkit.RoomCreated)
			last := 0
			for i, rec := range h {
				if rec.Subject.Room == s.general {
					last = i
				}
			}
			again.Version, again.At = h[last].Version+1, h[last].Event.Info().At
			return behind(h, again.Version, made, &again)
		}, "a room lives from its creation to its end: room.created"},
		"less than what is stored": {func(_ *stageOf, h past) past {
			return h[:len(h)-1]
		}, "the stored room is the fold"},
	} {
		t.Run(name, func(t *testing.T) {
			s, history := trueHistory(t)
			lie := c.falsify(s, history)
			require.NotEmpty(t, lie)
			require.Contains(t, audited(lie, s.store), c.why)
		})
	}
	for name, c := range map[string]struct {
		spoil func(*store.Facts)
		why   string
	}{
		"a stored row differs": {func(f *store.Facts) {
			if len(f.Members) > 0 {
				f.Members[0].Period++
			}
		}, "the stored row is the fold"},
		"a stored row is missing": {func(f *store.Facts) { f.Members = f.Members[:max(0, len(f.Members)-1)] }, "the stored rows are all of the fold"},
		"a stored room differs":   {func(f *store.Facts) { f.Room.Name += "x" }, "the stored room is the fold"},
		"a stored user differs":   {func(f *store.Facts) { f.Users[0].Works = !f.Users[0].Works }, "the stored user is the fold"},
		"a stored company differs": {func(f *store.Facts) {
			for i := range f.Companies {
				f.Companies[i].Core = false
			}
		}, "the stored company is the fold"},
		"a stored team differs": {func(f *store.Facts) { f.Team.Name += "x" }, "the stored team is the fold"},
		"a stored tally differs": {func(f *store.Facts) {
			for i := range f.Users {
				f.Users[i].Groups++
			}
		}, "groups of "},
	} {
		t.Run(name, func(t *testing.T) {
			spoilt := &otherLoad{s.store, func(facts []store.Facts, err error) ([]store.Facts, error) {
				for i := range facts {
					c.spoil(&facts[i])
				}
				return facts, err
			}}
			why := audited(history, spoilt)
			require.Contains(t, why, c.why)
		})
	}
}
