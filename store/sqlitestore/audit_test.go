package sqlitestore_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store/verify"
)

// A row of any table that no event accounts for, planted alone, is told by Verify.
func TestVerifyTellsOfStrays(t *testing.T) {
	plants := map[string]struct{ sql, what, undo string }{
		"roomkit_rooms": {`INSERT INTO roomkit_rooms (id, version, kind, state, company, public, name_key, digest, participants, masters, partners, consumers, bots,
			origin, history_sharing, notify, features_withheld, had_consumers, features, emptied_at)
			VALUES (zeroblob(16), 1, 'group', 'active', 'acme', 0, 'plans', zeroblob(32), 0, 0, 0, 0, 0, 'picker', 0, 0, 0, 0, 0, 0)`, "row", "DELETE FROM roomkit_rooms WHERE id = zeroblob(16)"},
		"roomkit_members": {`INSERT INTO roomkit_members (room, user, kind, participant, master, read_all, period, joined, joined_version,
			epoch_user, epoch_company, master_epoch_user, master_epoch_company, left_version)
			VALUES (zeroblob(16), 'ann', 'member', 0, 0, 0, 1, 'created', 1, 1, 1, 0, 0, 0)`, "members", "DELETE FROM roomkit_members WHERE room = zeroblob(16)"},
		"roomkit_users": {`INSERT INTO roomkit_users (id, version, company, kind, status, administrator, partners, consumers, partners_since, partners_lost, ended, groups)
			VALUES ('eve', 1, 'nowhere', 'member', 'active', 1, 0, 0, 0, 0, 0, 7)`, "row", "DELETE FROM roomkit_users WHERE id = 'eve'"},
		"roomkit_companies": {`INSERT INTO roomkit_companies (id, version, licensed, members_create_groups, partners, consumers, max_groups, recall_window, partners_off, partners_narrowed, groups)
			VALUES ('nowhere', 1, 1, 1, 'off', 'off', 0, 0, 0, 0, 7)`, "row", "DELETE FROM roomkit_companies WHERE id = 'nowhere'"},
		"roomkit_teams": {`INSERT INTO roomkit_teams (id, version, company, name, leader, room, features, photo, preset, notify, synced_seq)
			VALUES ('nowhere hr', 1, 'nowhere', 'hr', 'eve', 1, 1, 1, 0, 0, 0)`, "row", "DELETE FROM roomkit_teams WHERE id = 'nowhere hr'"},
		"roomkit_team_members": {`INSERT INTO roomkit_team_members VALUES ('nowhere hr', 'eve')`, "members", "DELETE FROM roomkit_team_members WHERE team = 'nowhere hr'"},
		"roomkit_records": {`INSERT INTO roomkit_records (position, subject, id, version, type, at, command, data)
			VALUES (1000000, 'user', 'eve', 1, 'user.added', 0, zeroblob(16), x'7b7d')`, "command", "DELETE FROM roomkit_records WHERE position = 1000000"},
		"roomkit_commands":    {`INSERT INTO roomkit_commands VALUES (zeroblob(16), zeroblob(32), NULL, 1, 3, 2, NULL)`, "command", "DELETE FROM roomkit_commands WHERE id = zeroblob(16)"},
		"roomkit_checkpoints": {`INSERT INTO roomkit_checkpoints VALUES ('mail', 'elsewhere-5-x')`, "checkpoint", "DELETE FROM roomkit_checkpoints WHERE name = 'mail'"},
		"roomkit_bases":       {`INSERT INTO roomkit_bases VALUES ('user:eve', 1, 3, x'7b7d')`, "row", "DELETE FROM roomkit_bases WHERE subject = 'user:eve'"},
	}
	for _, full := range []bool{false, true} {
		s := open(t, newPath(t))
		if full {
			tellStory(t, s)
		}
		verifyStore(t, s)
		for _, table := range tables(t, s.Writer) {
			before := len(firstColumn(t, s.Writer, "SELECT 1 FROM "+table))
			if table == "roomkit_meta" { // New and every commit look at it
				continue
			}
			plant, ok := plants[table]
			require.True(t, ok, "plant a row of %s here, so that Verify is seen to tell of it", table)
			mustExec(t, s.Writer, plant.sql)
			err := verify.Run(t.Context(), s, nil)
			require.ErrorIs(t, err, roomkit.ErrInconsistent, "a row of %s alone", table)
			require.Contains(t, whats(err), plant.what, "%v", err)
			mustExec(t, s.Writer, plant.undo)
			require.Len(t, firstColumn(t, s.Writer, "SELECT 1 FROM "+table), before, "taken out again")
			verifyStore(t, s)
		}
	}
}

// whats gives what is wrong by an error of Verify.
func whats(err error) (all []string) {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	for _, err := range joined.Unwrap() {
		var i *verify.Inconsistency
		if errors.As(err, &i) {
			all = append(all, i.What)
		}
	}
	return all
}

// A command that the database has forgotten would be carried out twice.
func TestVerifyTellsOfForgottenCommands(t *testing.T) {
	s := open(t, newPath(t))
	populate(t, s, 1)
	mustExec(t, s.Writer, "DELETE FROM roomkit_commands WHERE id = (SELECT command FROM roomkit_records WHERE position = 5)")
	err := verify.Run(t.Context(), s, nil)
	require.ErrorIs(t, err, roomkit.ErrInconsistent)
	require.ErrorContains(t, err, "position 5 is of a command that is not remembered")
}
