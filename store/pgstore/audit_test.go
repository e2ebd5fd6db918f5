package pgstore_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store/verify"
)

// A row of any table that no event accounts for, planted alone, is told by Verify.
func TestVerifyTellsOfStrays(t *testing.T) {
	pool := poolOf(t, databaseURL(t))
	const id = "00000000-0000-0000-0000-000000000001"
	for table, plant := range map[string]struct{ row, what string }{
		"rooms": {`"id": "` + id + `", "version": 1, "kind": "group", "state": "active", "company": "acme", "public": false, "name_key": "plans",
			"digest": "\\x` + strings.Repeat("00", 32) + `", "participants": 0, "masters": 0, "partners": 0, "consumers": 0, "bots": 0, "origin": "picker",
			"history_sharing": false, "notify": false, "features": 0, "features_withheld": false, "had_consumers": false, "emptied_at": 0`, "row"},
		"members": {`"room": "` + id + `", "user": "ann", "kind": "member", "participant": false, "master": false, "period": 1, "joined": "created",
			"joined_version": 1, "read_all": false, "epoch_user": 1, "epoch_company": 1, "master_epoch_user": 0, "master_epoch_company": 0, "left": "", "left_version": 0`, "members"},
		"users": {`"id": "eve", "version": 1, "company": "nowhere", "kind": "member", "status": "active", "administrator": true, "partners": false,
			"consumers": false, "partners_since": 0, "partners_lost": 0, "ended": 0, "groups": 7`, "row"},
		"companies": {`"id": "nowhere", "version": 1, "licensed": true, "members_create_groups": true, "partners": "off", "consumers": "off",
			"max_groups": 0, "recall_window": 0, "partners_off": 0, "partners_narrowed": 0, "groups": 7`, "row"},
		"teams": {`"id": "nowhere hr", "version": 1, "company": "nowhere", "name": "hr", "leader": "eve", "room": true, "features": true,
			"photo": true, "preset": 0, "notify": false, "synced_seq": 0`, "row"},
		"team_members": {`"team": "nowhere hr", "user": "eve"`, "members"},
		"records": {`"position": 1000000, "subject": "user", "id": "eve", "version": 1, "type": "user.added", "at": "2030-01-01T00:00:00Z",
			"command": "` + id + `", "data": "\\x7b7d"`, "command"},
		"commands":    {`"id": "` + id + `", "digest": "\\x` + strings.Repeat("00", 32) + `", "changed": true`, "command"},
		"checkpoints": {`"name": "mail", "cursor": "elsewhere-5-x"`, "checkpoint"},
		"bases":       {`"subject": "user:eve", "part": 1, "version": 3, "data": "\\x7b7d"`, "row"},
		"pending":     {`"xid": "5", "number": 1, "command": "` + id + `"`, "pending"},
	} {
		t.Run(table, func(t *testing.T) {
			s, o := newStore(t, pool)
			require.NoError(t, verify.Run(t.Context(), s, nil))
			name := o.Schema + ".roomkit_" + table
			text := `INSERT INTO ` + name + ` OVERRIDING SYSTEM VALUE SELECT (jsonb_populate_record(NULL::` + name + `, '{` + plant.row + `}')).*`
			conn, err := pool.Acquire(t.Context())
			require.NoError(t, err)
			defer conn.Release()
			for _, text := range []string{"SELECT setval('" + o.Schema + ".roomkit_places', 1000000)", "SET session_replication_role = replica", text, "SET session_replication_role = DEFAULT"} {
				_, err = conn.Exec(t.Context(), text)
				require.NoError(t, err)
			}
			err = verify.Run(t.Context(), s, nil)
			require.ErrorIs(t, err, roomkit.ErrInconsistent)
			require.ErrorContains(t, err, plant.what+": ")
		})
	}
}
