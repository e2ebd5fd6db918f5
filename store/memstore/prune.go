package memstore

import (
	"context"
	"maps"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/judge"
)

// Prune implements [store.Pruner]. The memory of the records is given back as far as
// others do not share it.
func (s *Store) Prune(ctx context.Context, p store.Pruning) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	to, err := s.prunable(&p)
	if err != nil {
		return err
	}
	page := s.page(int(to-s.pruned), func(i int) int64 { return s.pruned + int64(i) })
	bases, err := judge.Fold(&p, page, func(of roomkit.Subject) (store.Base, error) { return s.base(of), nil })
	if err != nil {
		return err
	}
	for _, b := range bases {
		s.bases[b.Subject.String()] = b
		h := s.history(&b.Subject)
		h.base = b.Version
		keep, _ := slices.BinarySearch(h.records, to)
		h.records = slices.Clone(h.records[keep:])
	}
	s.baseOrder = nil
	s.forget(to)
	return nil
}

// prunable gives how many records there are before the end of what is to be pruned.
func (s *Store) prunable(p *store.Pruning) (to int64, err error) {
	from, err := s.position(p.From)
	if err == nil {
		to, err = s.position(p.To)
	}
	switch {
	case err != nil:
		return 0, err
	case from != s.pruned:
		return 0, judge.PrunedMeanwhile()
	case to <= from || to >= s.records.n || s.records.at(to-1).command == s.records.at(to).command:
		return 0, judge.NotPrunable()
	}
	return to, nil
}

// forget drops the records up to a place, which no history refers to any more.
func (s *Store) forget(to int64) {
	for at := s.pruned; at < to; at++ {
		r := s.records.at(at)
		delete(s.commands, r.command)
		delete(s.events, r.command)
		clear(s.data[r.data.array][r.data.from:r.data.to])
	}
	s.pruned = to
	s.records.drop(to)
	used := map[uint32]bool{uint32(len(s.data) - 1): true}
	for at := to; at < s.records.n; at++ {
		used[s.records.at(at).data.array] = true
	}
	for i := range s.data {
		if !used[uint32(i)] {
			s.data[i] = nil
		}
	}
}

// Base implements [store.Pruner].
func (s *Store) Base(ctx context.Context, of roomkit.Subject) (store.Base, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.base(of), ctx.Err()
}

func (s *Store) base(of roomkit.Subject) store.Base {
	b := judge.CloneBase(s.bases[of.String()])
	b.Subject = of
	return b
}

// Bases implements [store.Pruner].
func (s *Store) Bases(ctx context.Context, after roomkit.Subject, limit int) (page []store.Base, err error) {
	limit, err = store.PageSize(limit)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.baseOrder == nil {
		s.baseOrder = slices.Sorted(maps.Keys(s.bases))
	}
	from := 0
	if after != (roomkit.Subject{}) {
		from, _ = slices.BinarySearch(s.baseOrder, after.String()+"\x00")
	}
	for _, key := range s.baseOrder[from:min(from+limit, len(s.baseOrder))] {
		page = append(page, judge.CloneBase(s.bases[key]))
	}
	return page, ctx.Err()
}
