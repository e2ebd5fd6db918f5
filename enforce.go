package roomkit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Enforce carries out what changes of the directory have already decided. It
// reads the feed from a cursor to its end and takes people out of rooms: those
// whose external permission was withdrawn out of all external groups (EXT-22,
// EXT-31, EXT-43), those whose account was deleted out of every room (ADM-13). It returns
// the cursor to go on from, also together with an error.
//
// Access has ended before, at the moment of the change; Enforce makes the rows
// follow and tells the people. It can be stopped anywhere and run again from an
// earlier cursor: every step is a command with a derived id.
func (s *Service) Enforce(ctx context.Context, after Cursor) (Cursor, error) {
	for rec, err := range s.Feed(ctx, after) {
		if err != nil {
			return after, err
		}
		if err := s.consequences(ctx, rec.Event); err != nil {
			return after, fmt.Errorf("enforcing %s/%d: %w", rec.Subject, rec.Version, err)
		}
		after = rec.Cursor
	}
	return after, nil
}

func (s *Service) consequences(ctx context.Context, e Event) error {
	info := e.Info()
	user := UserID(info.Subject.ID)
	switch e := e.(type) {
	case *UserMessagingChanged:
		if !e.On && e.Channel == ChannelWorks {
			return s.sweepUser(ctx, info, user, CausePermission)
		}
	case *UserStatusChanged:
		if e.To == StatusDeleted {
			return s.sweepUser(ctx, info, user, CauseAccount)
		}
	case *UserPut:
		if info.Version == 1 {
			return nil
		}
		if err := s.sweepUser(ctx, info, user, CausePermission); err != nil {
			return err
		}
		return s.sweepUser(ctx, info, user, CauseAccount)
	case *CompanyMessagingChanged:
		if e.Channel == ChannelWorks && e.To < e.From {
			return s.sweepCompany(ctx, info)
		}
	case *CompanyPut:
		if info.Version > 1 {
			return s.sweepCompany(ctx, info)
		}
	default: // has no consequences elsewhere
	}
	return nil
}

func (s *Service) sweepCompany(ctx context.Context, cause Meta) error {
	q := UserQuery{Company: CompanyID(cause.Subject.ID), Limit: MaxPage}
	for {
		page, err := s.store.Users(ctx, q)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, u := range page {
			if err := s.sweepUser(ctx, cause, u.ID, CausePermission); err != nil {
				return err
			}
		}
		q.After = page[len(page)-1].ID
	}
}

// sweepUser takes somebody out of all rooms in which the rows do not count any
// more.
func (s *Service) sweepUser(ctx context.Context, because Meta, user UserID, cause Cause) error {
	q := RoomQuery{User: user, Limit: MaxPage}
	if cause == CausePermission {
		q.Kinds = []Kind{KindExternalGroup}
	}
	for {
		page, err := s.store.Rooms(ctx, q)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, entry := range page {
			expel := Expel{Room: entry.Room.ID, People: []UserID{user}, Cause: cause}
			key := WithKey(derivedKey(because, user, entry.Room.ID, cause))
			if _, err := s.Do(ctx, System(), expel, key); err != nil {
				return err
			}
		}
		q.After = page[len(page)-1].Room.ID
	}
}

// derivedKey is the same whenever the same consequence of the same event is
// carried out.
func derivedKey(because Meta, user UserID, room RoomID, cause Cause) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d/%s/%s/%s", because.Subject, because.Version, user, room, cause))
	return "enforce:" + hex.EncodeToString(sum[:16])
}
