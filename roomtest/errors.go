package roomtest

import (
	"errors"
	"slices"
	"strings"
	"testing" //nolint:depguard // a kit for tests

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

// RequireDenied demands that a command or question was refused by a rule, and, if people
// are named, because of exactly these. It gives the refusal.
func RequireDenied(t testing.TB, err error, rule roomkit.Rule, because ...roomkit.UserID) *roomkit.Denied {
	t.Helper()
	denied := &roomkit.Denied{}
	switch category := service.CategoryOf(err); {
	case category != service.CategoryDenied && category != service.CategoryUnknownActor:
		t.Fatalf("roomtest: wanted a refusal by %s, got %s; docs/rules.md says what the rule forbids, and to whom", rule, outcome(err))
	case !errors.As(err, &denied):
		t.Fatalf("roomtest: wanted a refusal by %s, got only %q: wrap the error of the service with %%w, so that the rule is not lost", rule, line(err))
	case denied.Rule != rule:
		t.Fatalf("roomtest: wanted a refusal by %s, got one by %s (%s); name that rule, or change who asks for what", rule, denied.Rule, denied.Reason)
	case len(because) > 0 && !sameUsers(because, denied.People):
		t.Fatalf("roomtest: %s refuses because of %s, not of %s; name exactly these", rule, names(denied.People), names(because))
	}
	return denied
}

// RequireInvalid demands that input was malformed in a field, for instance "People[1]", and
// gives what was wrong with it.
func RequireInvalid(t testing.TB, err error, field string) *roomkit.Invalid {
	t.Helper()
	invalid := &roomkit.Invalid{}
	switch {
	case service.CategoryOf(err) != service.CategoryInvalid:
		t.Fatalf("roomtest: wanted %s to be malformed, got %s; what is well-formed is judged by the rules: see RequireDenied", field, outcome(err))
	case !errors.As(err, &invalid):
		t.Fatalf("roomtest: wanted %s to be malformed, got only %q: wrap the error of the service with %%w, so that the field is not lost", field, line(err))
	case invalid.Field != field:
		t.Fatalf("roomtest: wanted %s to be malformed, got %s (%s); name that field, or mend it in the command", field, invalid.Field, invalid.Reason)
	}
	return invalid
}

// RequireOffered demands that rooms were offered instead of a new one, and, if rooms are
// named, these in this order. It gives the offer.
func RequireOffered(t testing.TB, err error, rooms ...roomkit.RoomID) *roomkit.Offered {
	t.Helper()
	offered := &roomkit.Offered{}
	if !errors.As(err, &offered) || service.CategoryOf(err) != service.CategoryOffered {
		t.Fatalf("roomtest: wanted rooms to be offered, got %s; they are where all those chosen share a room, unless AllowDuplicate or Existing is set", outcome(err))
	}
	var got []roomkit.RoomID
	for _, o := range offered.Offers {
		got = append(got, o.Room.ID)
	}
	if len(rooms) > 0 && !slices.Equal(rooms, got) {
		t.Fatalf("roomtest: wanted the rooms %v to be offered, got %v; name exactly these, the best first", rooms, got)
	}
	return offered
}

// RequireNotFound demands that there is no such room, user, company or team for whoever
// asks.
func RequireNotFound(t testing.TB, err error) {
	t.Helper()
	RequireCategory(t, err, service.CategoryNotFound)
}

// RequireConflict demands that others were faster too often, or that Call.IfVersion did not
// hold.
func RequireConflict(t testing.TB, err error) {
	t.Helper()
	RequireCategory(t, err, service.CategoryConflict)
}

// RequireCategory demands an error of a category, for instance
// service.CategoryUnknownOutcome, or with service.CategoryNone none.
func RequireCategory(t testing.TB, err error, category service.Category) {
	t.Helper()
	if got := service.CategoryOf(err); got != category {
		t.Fatalf("roomtest: wanted category %s, got %s, %s; if it comes from the service, wrap it with %%w only", category, got, outcome(err))
	}
}

// outcome says in one line what came instead of what was wanted.
func outcome(err error) string {
	if err == nil {
		return "no error: it was done, or the error was dropped"
	}
	return line(err)
}

func line(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
