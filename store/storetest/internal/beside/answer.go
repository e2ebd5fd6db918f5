package beside

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// fault is an error as far as it is the same on every store.
type fault struct {
	Classes []error
	Op      string
	Room    roomkit.RoomID
	Denied  roomkit.Denied
	Offered roomkit.Offered
	Invalid roomkit.Invalid
}

func faultOf(err error) (f fault) {
	if err == nil {
		return fault{}
	}
	if f.Classes = Classes(err); f.Classes == nil {
		f.Classes = []error{err}
	}
	var where *roomkit.Error
	if errors.As(err, &where) {
		f.Op, f.Room = where.Op, where.Room
	}
	var denied *roomkit.Denied
	if errors.As(err, &denied) {
		f.Denied = *denied
	}
	var offered *roomkit.Offered
	if errors.As(err, &offered) {
		f.Offered = *offered
	}
	var invalid *roomkit.Invalid
	if errors.As(err, &invalid) {
		f.Invalid = *invalid
	}
	return f
}

// Classes gives the sentinels that an error wraps.
func Classes(err error) (found []error) {
	for _, class := range []error{
		roomkit.ErrConflict, roomkit.ErrCommandReused, roomkit.ErrInvalid, roomkit.ErrUnknownOutcome, roomkit.ErrNotFound,
		roomkit.ErrDenied, roomkit.ErrOffered, roomkit.ErrUnsupported, roomkit.ErrInconsistent, context.Canceled, context.DeadlineExceeded,
	} {
		if errors.Is(err, class) {
			found = append(found, class)
		}
	}
	return found
}

// told is what a command was answered.
type told struct {
	Result service.Result // without its cursor
	Behind string         // the event that the cursor is behind
	Fault  fault
}

// stored reports whether the command has changed something just now.
func (is *told) stored() bool {
	return is.Fault.Classes == nil && is.Result.Changed && !is.Result.Repeat
}

func (s *side) tell(results []service.BatchResult) []told {
	list := make([]told, len(results))
	for i, r := range results {
		list[i] = told{Result: r.Result, Behind: s.behind(r.Result.Cursor), Fault: faultOf(r.Err)}
		list[i].Result.Cursor = ""
	}
	return list
}

// behind says which event a cursor is behind.
func (s *side) behind(c roomkit.Cursor) string {
	if c == "" {
		return ""
	}
	i, ok := s.places[c]
	if !ok {
		return "no event"
	}
	return nameOf(&s.records[i])
}

func nameOf(r *store.Record) string { return fmt.Sprintf("%s/%d", r.Subject, r.Version) }

// answered is one answer with its error.
type answered[T any] struct {
	Is    T
	Fault fault
}

func answerTo[T any](is T, err error) answered[T] { return answered[T]{is, faultOf(err)} }

// listOf reads a sequence to its end.
func listOf[T any](seq iter.Seq2[T, error]) (l answered[[]T]) {
	for item, err := range seq {
		if err != nil {
			l.Fault = faultOf(err)
			return l
		}
		l.Is = append(l.Is, item)
	}
	return l
}

// news reads what is new in the feed. The events of commands that ran side by side
// come in any order, so for the comparison they are put into one.
func (s *side) news(sideBySide bool) answered[[]service.Recorded] {
	after := roomkit.Cursor("")
	if n := len(s.records); n > 0 {
		after = s.records[n-1].Cursor
	}
	l := listOf(s.svc.Feed(s.h.ctx, after))
	for i := range l.Is {
		s.places[l.Is[i].Cursor] = len(s.records)
		s.records = append(s.records, l.Is[i].Record)
		l.Is[i].Cursor = ""
	}
	if sideBySide {
		slices.SortFunc(l.Is, func(a, b service.Recorded) int {
			return cmp.Or(cmp.Compare(a.Subject.String(), b.Subject.String()), cmp.Compare(a.Version, b.Version))
		})
	}
	return l
}

// follow compares what is new in the feeds.
func (h *history) follow(sideBySide bool) []service.Recorded {
	l := both(h, func(s *side) answered[[]service.Recorded] { return s.news(sideBySide) }, "new in the feed")
	require.Equal(h, fault{}, l.Fault, "the feed is read")
	return l.Is
}

// plain is Plain with events instead of cursors.
func (s *side) plain(f store.Facts) store.Facts {
	if f = Plain(f); f.Checkpoint != "" { // which event it is depends on which of those that ran side by side came first
		f.Checkpoint = roomkit.Cursor(fmt.Sprint("record ", s.places[f.Checkpoint]))
	}
	if f.Done != nil {
		f.Done.Cursor = roomkit.Cursor(s.behind(f.Done.Cursor))
	}
	return f
}

// Plain brings what a store returns into one form: without an order where none is
// promised, with nil for empty slices, and sharing nothing with the store.
func Plain(f store.Facts) store.Facts {
	f.Members = Sorted(f.Members, func(m roomkit.Member) roomkit.UserID { return m.User })
	f.Users = Sorted(f.Users, func(u roomkit.User) roomkit.UserID { return u.ID })
	f.Companies = Sorted(f.Companies, func(c roomkit.Company) roomkit.CompanyID { return c.ID })
	f.Shared, f.Team.Members = Own(f.Shared), Own(f.Team.Members)
	if f.Done != nil {
		done := *f.Done
		done.Events = Own(done.Events)
		f.Done = &done
	}
	if f.Room.Version == 0 {
		f.Room = roomkit.Room{}
	}
	if f.Team.Version == 0 {
		f.Team = roomkit.Team{}
	}
	return f
}

// Sorted gives a copy of rows in the order of their ids.
func Sorted[T any, K cmp.Ordered](rows []T, id func(T) K) []T {
	rows = Own(rows)
	slices.SortFunc(rows, func(a, b T) int { return cmp.Compare(id(a), id(b)) })
	return rows
}

// Own gives a copy, and nil for an empty slice.
func Own[T any](s []T) []T {
	if len(s) == 0 {
		return nil
	}
	return slices.Clone(s)
}
