package sqlitestore

import (
	"context"

	"github.com/go-roomkit/roomkit"
)

// CursorAt gives the cursor behind the record with a number, as Place counts them: the
// empty one of 0. A number that no record has is [roomkit.ErrInvalid], that of a record before the
// beginning of the feed a [*roomkit.Pruned].
func (s *Store) CursorAt(ctx context.Context, place int64) (roomkit.Cursor, error) {
	if place == 0 {
		return "", nil
	}
	page, err := s.records(ctx, feedFrom, place, 1)
	if err != nil {
		return "", err
	}
	if n := int64(0); len(page) > 0 {
		if n, err = s.Place(page[0].Cursor); err != nil || n == place {
			return page[0].Cursor, err
		}
	}
	switch begin, pruned, err := s.beginning(ctx); {
	case err != nil:
		return "", err
	case place > 0 && place == pruned:
		return begin, nil
	case place > 0 && place < pruned:
		return "", &roomkit.Pruned{Cursor: begin}
	}
	return "", invalid("place", "of no record")
}
