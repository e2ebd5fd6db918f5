package service

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"iter"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/enum"
)

// Every list of this package can be read in two ways: as a sequence, and page by page.
// A sequence goes on to the end of the list, or for so many rows as Limit says: a
// non-nil error is yielded once and last, and nothing is held while the loop body runs.
// A page has at most Limit rows and never more than roomkit.MaxPage, and the token from
// which the next one goes on. Both begin behind the token that is given as After, and both
// give the same rows. What changes meanwhile can be seen or not; no row is given twice, and
// none is passed over that was there all the time.

// PageToken is a place in a list, behind one of its rows. It is opaque text of letters,
// digits, "-" and "_", and holds as long as one likes. It holds for the same list of the
// same user with the same filters, whatever the limit; another one is a [*roomkit.Invalid]
// that names After. It grants nothing, so it may go through other hands. The empty token
// is the beginning.
type PageToken string

// Page is a part of a list.
type Page[T any] struct {
	Rows []T       `json:"rows"`          // never nil
	Next PageToken `json:"next,omitzero"` // where the next page begins; empty: there is no other row
}

// MarshalJSON writes the fields, of a zero Page no rows.
func (p Page[T]) MarshalJSON() ([]byte, error) {
	type fields Page[T]
	if p.Rows == nil {
		p.Rows = []T{}
	}
	return json.Marshal(fields(p))
}

// UnmarshalJSON reads what MarshalJSON writes, events by [roomkit.UnmarshalEvent].
func (p *Page[T]) UnmarshalJSON(data []byte) error {
	type fields Page[T]
	events, ok := any(&p.Rows).(*[]roomkit.Event)
	if !ok {
		return json.Unmarshal(data, (*fields)(p))
	}
	var v struct {
		Rows []json.RawMessage `json:"rows"`
		Next PageToken         `json:"next"`
	}
	err := json.Unmarshal(data, &v)
	if err == nil {
		p.Next = v.Next
		*events, err = readEvents(v.Rows)
	}
	return err
}

func readEvents(list []json.RawMessage) ([]roomkit.Event, error) {
	events := make([]roomkit.Event, len(list))
	for i, raw := range list {
		var err error
		if events[i], err = roomkit.UnmarshalEvent(raw); err != nil {
			return nil, err
		}
	}
	return events, nil
}

// list is a list that somebody asks for, from which place on and how many rows.
type list struct {
	op    string // the method; tokens are for one
	room  roomkit.RoomID
	about []string // what else tokens are for
	after PageToken
	limit int
	step  int // rows to read at a time where all are wanted
	bad   error
	fits  func(place string) bool // whether a place has the form of this list's
}

// Rows to read at a time. What users read is judged with every step, so these are short.
const (
	userStep = roomkit.DefaultPage
	hostStep = roomkit.MaxPage
)

// Places in lists.

func atUser(place string) bool { return roomkit.UserID(place).Valid() }
func atTeam(place string) bool { return roomkit.TeamID(place).Valid() }
func atRoom(place string) bool { return len(place) == len(roomkit.RoomID{}) }

// roomAt gives the room at a place of a list of rooms; the zero one at the beginning.
func roomAt(place string) (id roomkit.RoomID) {
	copy(id[:], place)
	return id
}

// sum is what a token has of the question that it is for, and of its place.
const sumBytes = 9

func (l *list) sum(place string) []byte {
	h := sha256.New()
	var size [4]byte
	for _, part := range append([]string{l.op, string(l.room[:])}, append(l.about, place)...) {
		binary.BigEndian.PutUint32(size[:], uint32(len(part)))
		h.Write(size[:])
		h.Write([]byte(part))
	}
	return h.Sum(nil)[:sumBytes]
}

// token names a place.
func (l *list) token(place string) PageToken {
	return PageToken(base64.RawURLEncoding.EncodeToString(append(l.sum(place), place...)))
}

// begin gives the place from which to read, empty at the beginning.
func (l *list) begin() (string, error) {
	switch {
	case l.bad != nil:
		return "", l.bad
	case l.limit < 0:
		return "", &roomkit.Invalid{Field: "Limit", Reason: "negative"}
	case l.after == "":
		return "", nil
	}
	data, err := base64.RawURLEncoding.DecodeString(string(l.after))
	if err == nil && len(data) > sumBytes {
		if place := string(data[sumBytes:]); l.fits(place) && l.token(place) == l.after {
			return place, nil
		}
	}
	return "", &roomkit.Invalid{Field: "After", Reason: "not a token of this list"}
}

// reading reads the rows of a list behind a place, so many at a time, and yields each
// with its own place.
type reading[T any] func(ctx context.Context, from string, step int, yield func(row T, place string) bool) error

// rows gives a list as a sequence.
func rows[T any](ctx context.Context, s *Service, l list, read reading[T]) iter.Seq2[T, error] {
	return sequence(ctx, s, l.op, l.room, func(ctx context.Context, yield func(T) bool) error {
		from, err := l.begin()
		if err != nil {
			return err
		}
		step, left := l.step, l.limit
		if left > 0 {
			step = left
		}
		return read(ctx, from, step, func(row T, _ string) bool {
			left--
			return yield(row) && left != 0
		})
	})
}

// page gives one page of a list. It looks one row further.
func page[T any](ctx context.Context, s *Service, l list, read reading[T]) (Page[T], error) {
	name := l.op
	if s.o.Observer.reads() {
		name += "Page"
	}
	ctx, asked := s.asks(ctx, name, l.room)
	p := Page[T]{Rows: []T{}}
	limit := roomkit.DefaultPage
	if l.limit > 0 {
		limit = min(l.limit, roomkit.MaxPage)
	}
	from, err := l.begin()
	if err == nil {
		err = read(ctx, from, limit+1, func(row T, place string) bool {
			if len(p.Rows) == limit {
				p.Next = l.token(from)
				return false
			}
			p.Rows, from = append(p.Rows, row), place
			return true
		})
	}
	if err != nil {
		p = Page[T]{Rows: []T{}}
	}
	return p, asked.answered(ctx, placed(l.op+"Page", l.room, err))
}

// Role selects people of a room, or the rooms of a user, by what the person is there.
type Role uint8

// The roles.
const (
	RoleAny         Role = iota // who takes part or manages
	RoleParticipant             // who takes part
	RoleMaster                  // who is a Group Master
	roleCount
)

var roleNames = [roleCount]string{"any", "participant", "master"}

// String gives the stable name of the role.
func (r Role) String() string { return enum.Name(roleNames[:], r) }

func checkRole(r Role) error {
	if !enum.Known(r) {
		return &roomkit.Invalid{Field: "Role", Reason: fmt.Sprintf("unknown value %d", r)}
	}
	return nil
}
