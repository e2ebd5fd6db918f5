package natsstore

import (
	"context"
	"fmt"

	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/judge"
)

// A copy is written by its store alone. Whoever else stores something there adds records, as nearly every
// command does: then the newest one has not the number that the log makes of it.

// otherHead says that the copy has other records than the log.
func otherHead(is, want int64) error {
	return fmt.Errorf("%w: somebody else has written to the copy: it has %d records, the log has made %d", ErrOtherLog, is, want)
}

// headOf gives the number of the newest record of a copy, or of one in a transaction.
func (s *Store) headOf(ctx context.Context, of store.Store) (int64, error) {
	header, ok := of.(store.Header)
	if !ok {
		return 0, invalid("copy", "it has no Head in a transaction")
	}
	head, err := header.Head(ctx)
	if err == nil && head == "" { // it is empty, or all of it was forgotten
		head, err = store.FeedBegin(ctx, of)
	}
	if err != nil {
		return 0, err
	}
	return s.copy.Place(head)
}

// demandHead demands that the newest record of a copy has a number; nil stands for the copy itself.
func (s *Store) demandHead(of store.Store, head int64) error {
	if of == nil {
		of = s.copy
	}
	is, err := s.headOf(context.Background(), of)
	if err == nil && is != head {
		err = otherHead(is, head)
	}
	return err
}

// outwardResults gives the results of a message the cursors of the log, and notes them and their places.
func (s *Store) outwardResults(calls [][]store.CommitResult, at *place) error {
	var few [16]int64
	places := few[:0]
	for _, call := range calls {
		for i := range call {
			n, err := s.copy.Place(call[i].Outcome.Cursor)
			if err != nil {
				return err
			}
			call[i].Outcome.Cursor = s.cursor(n)
			if judge.Stored(call[i]) {
				places = append(places, n)
				at.head = max(at.head, n)
			}
		}
	}
	at.results = at.results.after(calls, places)
	return nil
}
