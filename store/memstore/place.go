package memstore

import (
	"context"

	"github.com/go-roomkit/roomkit"
)

// CursorAt gives the cursor behind the record with a number, as [Store.Place] counts them:
// the empty one of 0. A number that no record has is [roomkit.ErrInvalid].
func (s *Store) CursorAt(ctx context.Context, place int64) (roomkit.Cursor, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if place < 0 || place > s.records.n {
		return "", &roomkit.Invalid{Field: "place", Reason: "of no record"}
	}
	return s.cursor(place), ctx.Err()
}
