package judge

import (
	"fmt"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// Fold makes the bases of all who have records among those to be pruned. base gives what a
// subject has so far.
func Fold(p *store.Pruning, records []store.Record, base func(roomkit.Subject) (store.Base, error)) ([]store.Base, error) {
	var order []roomkit.Subject
	parts := map[roomkit.Subject][]store.Record{}
	for _, r := range records {
		if parts[r.Subject] == nil {
			order = append(order, r.Subject)
		}
		parts[r.Subject] = append(parts[r.Subject], r)
	}
	bases := make([]store.Base, 0, len(order))
	for _, of := range order {
		was, err := base(of)
		if err != nil {
			return nil, err
		}
		is, err := p.Fold(was, parts[of])
		if err != nil {
			return nil, err
		}
		if last := parts[of][len(parts[of])-1].Version; is.Subject != of || is.Version != last || len(is.Events) == 0 {
			return nil, &roomkit.Invalid{Field: "Fold", Reason: fmt.Sprintf("gives a base of %s/%d with %d events for one of %s/%d", is.Subject, is.Version, len(is.Events), of, last)}
		}
		bases = append(bases, CloneBase(is))
	}
	return bases, nil
}

// CloneBase gives a copy that shares nothing.
func CloneBase(b store.Base) store.Base {
	b.Events = slices.Clone(b.Events)
	for i := range b.Events {
		b.Events[i] = slices.Clone(b.Events[i])
	}
	return b
}

// RenameBase writes the events of a base anew, and gives how many there were to be.
func RenameBase(b *store.Base, r *store.Renaming) (n int64, err error) {
	for i := range b.Events {
		data, err := r.Event(store.Record{Subject: b.Subject, Version: b.Version, Data: b.Events[i]})
		if err != nil {
			return 0, err
		}
		if data != nil {
			b.Events[i], n = data, n+1
		}
	}
	return n, nil
}

// PrunedMeanwhile says that the feed begins elsewhere than the pruning has seen.
func PrunedMeanwhile() error {
	return fmt.Errorf("%w: the feed does not begin at this place any more", roomkit.ErrConflict)
}

// NotPrunable says that a feed cannot begin at a place.
func NotPrunable() error {
	return &roomkit.Invalid{Field: "To", Reason: "not a place of this feed between two commands, behind its beginning and before its newest record"}
}
