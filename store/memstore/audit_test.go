package memstore

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store/internal/judge"
	"github.com/go-roomkit/roomkit/store/verify"
)

// A row of any kind that no event accounts for, planted alone, is told by Verify.
func TestVerifyTellsOfStrays(t *testing.T) {
	id := roomkit.RoomID{1}
	groupless := &room{row: roomkit.Room{ID: id}}
	plants := map[string]struct {
		plant func(s *Store)
		what  string
	}{
		"room":    {func(s *Store) { s.rooms[id] = &room{row: roomkit.Room{ID: id, Version: 1}} }, "row"},
		"user":    {func(s *Store) { s.users["eve"] = &user{row: roomkit.User{ID: "eve", Version: 1, Groups: 7}} }, "row"},
		"company": {func(s *Store) { s.companies["c"] = &company{row: roomkit.Company{ID: "c", Version: 1, Groups: 7}} }, "row"},
		"team": {func(s *Store) {
			s.teams[roomkit.KeyOfTeam("c", "hr")] = &team{row: roomkit.Team{ID: "hr", Company: "c", Version: 1}}
		}, "row"},
		"member": {func(s *Store) {
			s.members.append(member{row: roomkit.Member{Room: id, User: "eve"}, room: groupless})
		}, "members"},
		"name": {func(s *Store) { s.names[judge.Name{Company: "c", Key: "plans"}] = groupless }, "name"},
		"record": {func(s *Store) {
			s.subjects.append(roomkit.UserSubject("eve"))
			s.records.append(record{subject: 1, version: 1, typ: s.typeNumber("user.added"), data: s.copied([]byte("{}"))})
		}, "command"},
		"command": {func(s *Store) {
			s.commands[roomkit.CommandID{1}] = s.outcomes.append(outcome{changed: true, end: 2, records: 2})
		}, "command"},
		"checkpoint": {func(s *Store) { s.checkpoints["mail"] = "elsewhere-5" }, "checkpoint"},
	}
	for name, p := range plants {
		t.Run(name, func(t *testing.T) {
			s := New()
			require.NoError(t, verify.Run(t.Context(), s, nil))
			p.plant(s)
			err := verify.Run(t.Context(), s, nil)
			require.ErrorIs(t, err, roomkit.ErrInconsistent)
			require.ErrorContains(t, err, p.what+": ")
		})
	}
}
