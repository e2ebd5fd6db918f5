package memstore

import (
	"context"
	"fmt"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
	"github.com/go-roomkit/roomkit/store/internal/judge"
)

var (
	_ store.Eraser = (*Store)(nil)
	_ store.Pruner = (*Store)(nil)
)

// Rename implements [store.Eraser]. The bytes of the events before are overwritten.
func (s *Store) Rename(ctx context.Context, r store.Renaming) (done store.Renamed, err error) {
	if err := ctx.Err(); err != nil {
		return done, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.history(&r.Subject)
	if h == nil || h.version == 0 {
		return done, nil
	}
	done.Version = h.version
	if err := s.renamable(&r); err != nil {
		return store.Renamed{}, err
	}
	places := h.records
	anew := make([][]byte, len(places))
	for i, rec := range s.page(len(places), func(i int) int64 { return places[i] }) {
		if anew[i], err = r.Event(rec); err != nil {
			return store.Renamed{}, err
		}
	}
	base := s.base(r.Subject)
	if done.Events, err = judge.RenameBase(&base, &r); err != nil {
		return store.Renamed{}, err
	}
	if done.Events > 0 {
		s.bases[r.Subject.String()] = base
	}
	for i, data := range anew {
		if data != nil {
			rec := s.records.at(places[i])
			clear(s.data[rec.data.array][rec.data.from:rec.data.to])
			rec.data = s.copied(data)
			done.Events++
		}
	}
	s.renameRows(&r)
	return done, nil
}

// renamable says what stands against a renaming.
func (s *Store) renamable(r *store.Renaming) error {
	from, to := s.users[r.From], s.users[r.To]
	if from == nil {
		return nil
	}
	if r.Subject == roomkit.UserSubject(r.From) {
		switch {
		case from.row.Status != roomkit.StatusDeleted || from.present.living > 0:
			return fmt.Errorf("%w: the account of %s has not ended, or is still in rooms", roomkit.ErrConflict, r.From)
		case to != nil && to.row.Version > 0:
			return fmt.Errorf("%w: there is a user %s already", roomkit.ErrConflict, r.To)
		}
	}
	if r.Subject.Type == roomkit.SubjectRoom {
		in := s.rooms[r.Subject.Room]
		m := s.member(in, from)
		switch {
		case m == nil:
		case m.present():
			return fmt.Errorf("%w: %s is still in %s", roomkit.ErrConflict, r.From, r.Subject)
		case to != nil && s.member(in, to) != nil:
			return fmt.Errorf("%w: %s and %s have both been in %s", roomkit.ErrConflict, r.From, r.To, r.Subject)
		}
	}
	return nil
}

func (s *Store) renameRows(r *store.Renaming) {
	switch r.Subject.Type {
	case roomkit.SubjectRoom:
		s.renameRoom(s.rooms[r.Subject.Room], r)
	case roomkit.SubjectTeam:
		row := &s.teams[roomkit.TeamKey(r.Subject.ID)].row
		renameID(&row.Leader, r)
		for i := range row.Members {
			renameID(&row.Members[i], r)
		}
		slices.Sort(row.Members)
	case roomkit.SubjectUser:
		if r.Subject.ID == string(r.From) {
			s.renameUser(r)
		}
	default: // rows of companies name nobody
	}
}

func renameID(id *roomkit.UserID, r *store.Renaming) {
	if *id == r.From {
		*id = r.To
	}
}

func (s *Store) renameRoom(in *room, r *store.Renaming) {
	renameID(&in.row.Creator, r)
	renameID(&in.row.Parties[0], r)
	renameID(&in.row.Parties[1], r)
	if in.row.Parties[1] != "" {
		slices.Sort(in.row.Parties[:])
	}
	for _, list := range [][]*member{in.present.page(nil, in.present.living, nil), in.left.page(nil, in.left.living, nil)} {
		for _, m := range list {
			if m.row.LeftBy == roomkit.By(r.From) {
				m.row.LeftBy = roomkit.By(r.To)
			}
		}
	}
	from := s.users[r.From]
	if from == nil {
		return
	}
	m := s.member(in, from)
	if m == nil {
		return
	}
	in.present.forget(m, false) // where it may be left from earlier periods
	in.masters.forget(m, false)
	in.left.forget(m, true)
	from.present.forget(m, false)
	from.left.forget(m, true)
	at := s.places[place{in.history.number, from.history.number}]
	delete(s.places, place{in.history.number, from.history.number})
	m.user = there(s.users, r.To)
	m.row.User = r.To
	s.places[place{in.history.number, s.number(&m.user.history, roomkit.UserSubject(r.To))}] = at
	in.left.turn(m, false, true)
	m.user.left.turn(m, false, true)
}

// renameUser moves the row and the records. Rows of rooms refer to the new user already.
func (s *Store) renameUser(r *store.Renaming) {
	from, to := s.users[r.From], there(s.users, r.To)
	from.company.users.forget(from, true)
	number := s.number(&to.history, roomkit.UserSubject(r.To))
	if n := from.history.number; n > 0 { // one whose events were pruned before the copy was made has none
		*s.subjects.at(int64(n) - 1) = roomkit.UserSubject(r.To)
	}
	to.history.version, to.history.records, to.history.base = from.history.version, from.history.records, from.history.base
	if base, has := s.bases[r.Subject.String()]; has {
		delete(s.bases, r.Subject.String())
		base.Subject = roomkit.UserSubject(r.To)
		s.bases[base.Subject.String()], s.baseOrder = base, nil
	}
	for _, at := range to.history.records {
		s.records.at(at).subject = number
	}
	to.row, to.company = from.row, from.company
	to.row.ID = r.To
	to.company.users.turn(to, false, true)
	from.history, from.row, from.company = history{}, roomkit.User{}, nil
	delete(s.users, r.From)
	for _, events := range s.events {
		for i := range events {
			if events[i].Subject == r.Subject {
				events[i].Subject.ID = string(r.To)
			}
		}
	}
}

// PruneCommands implements [store.Pruner].
func (s *Store) PruneCommands(ctx context.Context, after, before roomkit.CommandID, limit int, dry bool) (last roomkit.CommandID, n int, err error) {
	if err := ctx.Err(); err != nil {
		return last, 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []roomkit.CommandID
	for id, at := range s.commands {
		if _, others := s.events[id]; !others && s.outcomes.at(at).records == 0 && id[6]>>4 == 7 &&
			string(after[:]) < string(id[:]) && string(id[:]) < string(before[:]) {
			found = append(found, id)
		}
	}
	slices.SortFunc(found, func(a, b roomkit.CommandID) int { return slices.Compare(a[:], b[:]) })
	found = found[:min(limit, len(found))]
	for _, id := range found {
		if last = id; !dry {
			delete(s.commands, id)
		}
	}
	return last, len(found), nil
}
