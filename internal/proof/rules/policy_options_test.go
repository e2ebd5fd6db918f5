package rules_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/proof"
	"github.com/go-roomkit/roomkit/service"
)

// Every field of Policy turns a refusal of the default into a permission, or the
// other way round.
func TestPolicyOptions(t *testing.T) {
	photo := "new"
	tests := []struct {
		name   string
		change func(*roomkit.Policy)
		actor  roomkit.UserID
		cmd    func(*proof.Stage) roomkit.Command
		rule   roomkit.Rule // of the refusal
		opens  bool         // the option permits; else it forbids
	}{
		{"ExternalGroupTask", func(p *roomkit.Policy) { p.ExternalGroupTask = true }, "ann", func(s *proof.Stage) roomkit.Command {
			return roomkit.Edit{Room: s.External, Task: new(false)}
		}, "EXT-06", true},
		{"ForeignMasters", func(p *roomkit.Policy) { p.ForeignMasters = true }, "ann", func(s *proof.Stage) roomkit.Command {
			return roomkit.AppointMasters{Room: s.External, People: people("eve")}
		}, "EXT-29", true},
		{"AdministratorsManageExternalMembers, adding", func(p *roomkit.Policy) { p.AdministratorsManageExternalMembers = true }, "adm", func(s *proof.Stage) roomkit.Command {
			return roomkit.Invite{Room: s.External, People: people("dan")}
		}, "EXT-15", true},
		{"AdministratorsManageExternalMembers, removing", func(p *roomkit.Policy) { p.AdministratorsManageExternalMembers = true }, "adm", func(s *proof.Stage) roomkit.Command {
			return roomkit.Remove{Room: s.External, People: people("ben")}
		}, "EXT-16", true},
		{"TeamPhotoByMembers", func(p *roomkit.Policy) { p.TeamPhotoByMembers = true }, "ben", func(s *proof.Stage) roomkit.Command {
			return roomkit.Edit{Room: s.Team, Photo: &photo}
		}, "TEAM-25", true},
		{"AnyoneIsContact", func(p *roomkit.Policy) { p.AnyoneIsContact = false }, "ann", func(s *proof.Stage) roomkit.Command {
			return roomkit.Invite{Room: s.External, People: people("fay")}
		}, "EXT-32", false},
		{"MaxParticipants", func(p *roomkit.Policy) { p.MaxParticipants[roomkit.KindGroup] = 3 }, "ann", func(s *proof.Stage) roomkit.Command {
			return roomkit.Invite{Room: s.Group, People: people("dan")}
		}, "LIM-07", false},
		{"MaxGroupsPerUser", func(p *roomkit.Policy) { p.MaxGroupsPerUser = 2 }, "ann", func(*proof.Stage) roomkit.Command {
			return roomkit.CreateGroup{Name: "third", Members: people("dan")}
		}, "CRE-45", false},
		{"LeaderTeamLimit", func(p *roomkit.Policy) { p.LeaderTeamLimit = 2 }, "cat", func(s *proof.Stage) roomkit.Command {
			s.Sys(roomkit.SyncTeam{Team: proof.Team("big", "cat", "ann", "ben", "cat")})
			return roomkit.OpenTeamRoom{Team: "big"}
		}, "LIM-08", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			with := proof.NewStage(t, func(o *service.Options) { test.change(&o.Policy) })
			without := proof.NewStage(t)
			if !test.opens {
				with, without = without, with
			}
			with.Does(test.actor, test.cmd(with))
			without.Denies(test.rule, test.actor, test.cmd(without))
		})
	}
	t.Run("LINERoomFeatures", func(t *testing.T) {
		for _, on := range []bool{false, true} {
			s := proof.NewStage(t, func(o *service.Options) { o.Policy.LINERoomFeatures = on })
			require.Equal(t, on, s.AccessOf("ann", s.Line).Can(roomkit.ActionUseNote))
		}
	})
	t.Run("MessageOffPeriod", func(t *testing.T) {
		for period, emptied := range map[time.Duration]bool{0: false, time.Hour: true} {
			s := proof.NewStage(t, func(o *service.Options) { o.Policy.MessageOffPeriod = period })
			s.Does("ann", roomkit.Edit{Room: s.Group, Message: new(false)})
			s.Clock.Add(time.Hour)
			s.Does("ann", roomkit.Edit{Room: s.Group, Message: new(true)})
			require.Equal(t, emptied, s.AccessOf("ann", s.Group).EmptiedAt > 0)
		}
	})
}
