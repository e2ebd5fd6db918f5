package simulation

import (
	"context"

	"github.com/go-roomkit/roomkit/store"
)

// control is a lie between the store and the processes; nil is honest.
type control struct {
	loads   func([]store.Facts)
	feeds   func([]store.Record) []store.Record
	commits func(ctx context.Context, d *disk, changes []store.Change, w *world) ([]store.CommitResult, error)
}

func (b *control) load(facts []store.Facts, err error) ([]store.Facts, error) {
	if b != nil && b.loads != nil {
		b.loads(facts)
	}
	return facts, err
}

func (b *control) feed(page []store.Record, err error) ([]store.Record, error) {
	if b != nil && b.feeds != nil {
		page = b.feeds(page)
	}
	return page, err
}

func (b *control) commit(ctx context.Context, d *disk, changes []store.Change, w *world) ([]store.CommitResult, error) {
	if b != nil && b.commits != nil {
		return b.commits(ctx, d, changes, w)
	}
	return d.commit(ctx, changes, w)
}
