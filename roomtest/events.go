package roomtest

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing" //nolint:depguard // a kit for tests

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
)

// Events gives what happens in the store of a service while do runs, whoever does it.
func Events(t testing.TB, svc *service.Service, do func()) (events []roomkit.Event) {
	t.Helper()
	from, err := svc.Head(background)
	if err != nil {
		t.Fatalf("roomtest: the feed cannot be read: %s; is the store healed?", line(err))
	}
	do()
	for rec, err := range svc.Feed(background, from) {
		if err != nil {
			t.Fatalf("roomtest: the feed cannot be read: %s; is the store healed?", line(err))
		}
		events = append(events, rec.Event)
	}
	return events
}

// RequireEvents demands events of exactly these types in this order, for instance
// "member.left"; without types, that nothing has happened.
func RequireEvents(t testing.TB, events []roomkit.Event, types ...string) {
	t.Helper()
	for _, typ := range types {
		if !slices.Contains(roomkit.EventTypes(), typ) {
			t.Fatalf("roomtest: %q is no type of event: docs/events.md has them all", typ)
		}
	}
	if got := typesOf(events); !slices.Equal(got, types) {
		t.Fatalf("roomtest: wanted %s, got %s; name exactly what has to happen, in order", list(types), list(got))
	}
}

// RequireEvent demands exactly one event of a type among others, and gives it:
//
//	left := roomtest.RequireEvent[*roomkit.MemberLeft](t, events)
func RequireEvent[E roomkit.Event](t testing.TB, events []roomkit.Event) (event E) {
	t.Helper()
	n := 0
	for _, e := range events {
		if match, ok := e.(E); ok {
			event = match
			n++
		}
	}
	if n != 1 {
		t.Fatalf("roomtest: wanted one %s, got %d among %s; look at the commands that should make it", reflect.TypeFor[E](), n, list(typesOf(events)))
	}
	return event
}

func typesOf(events []roomkit.Event) (types []string) {
	for _, e := range events {
		types = append(types, e.Type())
	}
	return types
}

// RequireNotices demands exactly these service notifications of some events, in any order;
// without any, that nobody is told. To, which is empty where everyone is told, and Key of
// each are compared, the other fields if they are set, and of Params those that are there.
func RequireNotices(t testing.TB, events []roomkit.Event, want ...roomkit.Notice) {
	t.Helper()
	var got []roomkit.Notice
	for _, e := range events {
		got = append(got, roomkit.NoticesOf(e)...)
	}
	want = slices.Clone(want)
	slices.SortStableFunc(want, func(a, b roomkit.Notice) int { return cmp.Compare(demands(&b), demands(&a)) })
	rest := slices.Clone(got)
	var missing []roomkit.Notice
	for i := range want {
		at := slices.IndexFunc(rest, func(n roomkit.Notice) bool { return fits(&want[i], &n) })
		if at < 0 {
			missing = append(missing, want[i])
			continue
		}
		rest = slices.Delete(rest, at, at+1)
	}
	if len(missing)+len(rest) > 0 {
		t.Fatalf("roomtest: missing %s; too many %s; docs/notices.md says which event tells whom, and that most need group notification", told(missing), told(rest))
	}
}

// demands counts the fields of a wanted notice that are compared only if they are set: who
// demands most chooses first.
func demands(n *roomkit.Notice) (fields int) {
	for _, set := range []bool{!n.Room.IsZero(), n.Company != "", n.Holders != roomkit.HoldersAll, n.People != nil} {
		if set {
			fields++
		}
	}
	return fields + len(n.Params)
}

func fits(want, n *roomkit.Notice) bool {
	for key, value := range want.Params {
		if got, ok := n.Params[key]; !ok || got != value {
			return false
		}
	}
	return want.To == n.To && want.Key == n.Key &&
		(want.Room.IsZero() || want.Room == n.Room) && (want.Company == "" || want.Company == n.Company) &&
		(want.Holders == roomkit.HoldersAll || want.Holders == n.Holders) && (want.People == nil || slices.Equal(want.People, n.People))
}

// told says in one line who is told what.
func told(notices []roomkit.Notice) string {
	var lines []string
	for _, n := range notices {
		to := cmp.Or(string(n.To), "everyone")
		about := fmt.Sprint(cmp.Or(string(n.Company), n.Room.String()))
		text := fmt.Sprintf("%q to %s (%s", n.Key, to, about)
		for _, key := range slices.Sorted(maps.Keys(n.Params)) {
			text += fmt.Sprintf(", %s %q", key, n.Params[key])
		}
		lines = append(lines, text+")")
	}
	return list(lines)
}

// list shows some in one line.
func list[S ~string](some []S) string {
	const most = 10
	if len(some) == 0 {
		return "nothing"
	}
	var b strings.Builder
	for i, s := range some[:min(len(some), most)] {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(s))
	}
	if more := len(some) - most; more > 0 {
		fmt.Fprintf(&b, " and %d more", more)
	}
	return b.String()
}
