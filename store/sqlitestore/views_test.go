package sqlitestore_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// viewed gives the only row of a query by the names of its columns.
func viewed(t *testing.T, db *sql.DB, query string) map[string]any {
	t.Helper()
	rows, err := db.Query(query)
	require.NoError(t, err)
	defer rows.Close()
	names, err := rows.Columns()
	require.NoError(t, err)
	values, into := make([]any, len(names)), make([]any, len(names))
	for i := range values {
		into[i] = &values[i]
	}
	require.True(t, rows.Next())
	require.NoError(t, rows.Scan(into...))
	require.False(t, rows.Next())
	row := map[string]any{}
	for i, name := range names {
		row[name] = values[i]
	}
	return row
}

// The views name what stands together in one column.
func TestViews(t *testing.T) {
	s := open(t, newPath(t))
	at := func(n int64) time.Time { return time.UnixMicro(n).UTC() }
	room := roomkit.Room{
		ID: roomkit.RoomID{1}, Version: 1, Kind: roomkit.KindDirect, State: roomkit.StateActive, Company: acme, Counts: roomkit.Counts{Participants: 2, Outsiders: 3, LINEUsers: 4, Bots: 5},
		Name: "n", Photo: "p", Description: "d", Team: "t", Parties: [2]roomkit.UserID{"a", "b"}, Creator: "c", Origin: roomkit.OriginMail,
		HistorySharing: true, FeaturesWithheld: true, Features: 9, EmptiedAt: 6, EmptiedOn: at(7), MessageOffSince: at(8), ChangedAt: at(9), CreatedAt: at(10),
	}
	member := roomkit.Member{
		Room: room.ID, User: "a", Company: acme, Kind: roomkit.UserMember, ReadAll: true, Period: 2, Joined: roomkit.CauseInvited, JoinedAt: at(11), JoinedVersion: 12,
		Epoch: roomkit.Epoch{User: 13, Company: 14}, MasterEpoch: roomkit.Epoch{User: 15, Company: 16},
		Left: roomkit.CauseRemoved, LeftAt: at(17), LeftVersion: 18, LeftBy: roomkit.System(),
	}
	who := roomkit.User{ID: "a", Version: 1, Company: acme, Kind: roomkit.UserMember, Status: roomkit.StatusActive, Works: true, WorksSince: 19, WorksLost: 20, Ended: 21}
	company := roomkit.Company{ID: acme, Version: 1, Core: true, Works: roomkit.ExternalAll, MaxGroups: 22, RecallWindow: 23, WorksOff: 24, WorksNarrowed: 25}
	c := store.Change{Command: roomkit.CommandID{1}, Rooms: []roomkit.Room{room}, Members: []roomkit.Member{member}, Users: []roomkit.User{who}, Companies: []roomkit.Company{company}}
	for _, of := range []roomkit.Subject{roomkit.RoomSubject(room.ID), roomkit.UserSubject("a"), roomkit.CompanySubject(acme)} {
		c.Expect = append(c.Expect, store.Expect{Subject: of})
		c.Records = append(c.Records, store.Record{Subject: of, Version: 1, Type: "test"})
	}
	results, err := s.Commit(t.Context(), []store.Change{c})
	require.NoError(t, err)
	require.NoError(t, results[0].Err)
	require.Equal(t, map[string]any{
		"kind": "direct", "public": int64(0), "participants": int64(2), "outsiders": int64(3), "line_users": int64(4), "bots": int64(5), "team": "t", "party_a": "a", "party_b": "b",
		"history_sharing": int64(1), "notify": int64(0), "features_withheld": int64(1), "had_line": int64(0), "features": int64(9),
		"emptied_at": int64(6), "emptied_on": int64(7), "message_off_since": int64(8), "changed_at": int64(9), "created_at": int64(10),
	}, viewed(t, s.Readers, `SELECT kind, public, participants, outsiders, line_users, bots, team, party_a, party_b, history_sharing, notify, features_withheld, had_line,
		features, emptied_at, emptied_on, message_off_since, changed_at, created_at FROM roomkit_rooms_view`))
	require.Equal(t, map[string]any{
		"participant": int64(0), "read_all": int64(1), "period": int64(2), "joined": "invited", "joined_at": int64(11), "joined_version": int64(12),
		"epoch_user": int64(13), "epoch_company": int64(14), "master_epoch_user": int64(15), "master_epoch_company": int64(16),
		"left": "removed", "left_at": int64(17), "left_version": int64(18), "left_by": "*system",
	}, viewed(t, s.Readers, `SELECT participant, read_all, period, joined, joined_at, joined_version, epoch_user, epoch_company, master_epoch_user, master_epoch_company,
		"left", left_at, left_version, left_by FROM roomkit_members_view`))
	require.Equal(t, map[string]any{
		"administrator": int64(0), "works": int64(1), "line": int64(0), "works_since": int64(19), "works_lost": int64(20), "ended": int64(21), "groups": int64(0),
	}, viewed(t, s.Readers, `SELECT administrator, works, line, works_since, works_lost, ended, groups FROM roomkit_users_view`))
	require.Equal(t, map[string]any{
		"core": int64(1), "members_create_groups": int64(0), "works": "all", "line": "off", "max_groups": int64(22), "recall_window": int64(23),
		"works_off": int64(24), "works_narrowed": int64(25), "groups": int64(0),
	}, viewed(t, s.Readers, `SELECT core, members_create_groups, works, line, max_groups, recall_window, works_off, works_narrowed, groups FROM roomkit_companies_view`))
}
