package decide

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

func about7(of roomkit.Subject) func(*roomkit.Meta) {
	return func(m *roomkit.Meta) { m.Subject, m.Version = of, effectVersion }
}

func TestApplyToUsers(t *testing.T) {
	ben := about7(roomkit.UserSubject("ben"))
	before := roomkit.User{
		ID: "ben", Version: 6, Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Works: true,
		WorksSince: 2, WorksLost: 1, Ended: 1, Groups: 5,
	}
	put := func(change func(*roomkit.User)) roomkit.User {
		u := roomkit.User{Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Works: true, LINE: true, Administrator: true}
		change(&u)
		return u
	}
	tests := []struct {
		name   string
		event  roomkit.Event
		change func(*roomkit.User)
	}{
		{"put", happened(&roomkit.UserPut{User: put(func(*roomkit.User) {}), CompanyVersion: 4}, ben), func(u *roomkit.User) { u.LINE, u.Administrator = true, true }},
		{"put without permission", happened(&roomkit.UserPut{User: put(func(u *roomkit.User) { u.Works = false }), CompanyVersion: 4}, ben), func(u *roomkit.User) {
			u.LINE, u.Administrator, u.Works, u.WorksLost = true, true, false, effectVersion
		}},
		{"put deleted", happened(&roomkit.UserPut{User: put(func(u *roomkit.User) { u.Status = roomkit.StatusDeleted }), CompanyVersion: 4}, ben), func(u *roomkit.User) {
			u.LINE, u.Administrator, u.Status, u.Ended = true, true, roomkit.StatusDeleted, effectVersion
		}},
		{"suspended", happened(&roomkit.UserStatusChanged{To: roomkit.StatusSuspended}, ben), func(u *roomkit.User) { u.Status = roomkit.StatusSuspended }},
		{"deleted", happened(&roomkit.UserStatusChanged{To: roomkit.StatusDeleted}, ben), func(u *roomkit.User) { u.Status, u.Ended = roomkit.StatusDeleted, effectVersion }},
		{"permitted", happened(&roomkit.UserMessagingChanged{Channel: roomkit.ChannelWorks, On: true, Company: 4}, ben), func(u *roomkit.User) { u.WorksSince = 4 }},
		{"withdrawn", happened(&roomkit.UserMessagingChanged{Channel: roomkit.ChannelWorks, Company: 4}, ben), func(u *roomkit.User) { u.Works, u.WorksLost = false, effectVersion }},
		{"LINE", happened(&roomkit.UserMessagingChanged{Channel: roomkit.ChannelLINE, On: true, Company: 4}, ben), func(u *roomkit.User) { u.LINE = true }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want := before
			want.Version = effectVersion
			test.change(&want)
			require.Equal(t, want, before.Apply(test.event))
		})
	}
	t.Run("first put", func(t *testing.T) {
		e := happened(&roomkit.UserPut{User: put(func(*roomkit.User) {}), CompanyVersion: 4}, ben)
		require.Equal(t, roomkit.User{
			ID: "ben", Version: effectVersion, Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive,
			Works: true, LINE: true, Administrator: true, WorksSince: 4,
		}, roomkit.User{}.Apply(e))
	})
	t.Run("put deleted again", func(t *testing.T) {
		gone := roomkit.User{ID: "ben", Status: roomkit.StatusDeleted, Ended: 3}
		e := happened(&roomkit.UserPut{User: roomkit.User{Status: roomkit.StatusDeleted}}, ben)
		require.Equal(t, roomkit.Version(3), gone.Apply(e).Ended)
	})
}

func TestApplyToCompanies(t *testing.T) {
	acme := about7(roomkit.CompanySubject("acme"))
	before := roomkit.Company{ID: "acme", Version: 6, Core: true, Works: roomkit.ExternalAll, WorksOff: 1, WorksNarrowed: 2, Groups: 5}
	put := roomkit.Company{Core: true, MembersCreateGroups: true, Works: roomkit.ExternalOff, MaxGroups: 3}
	tests := []struct {
		name   string
		before roomkit.ExternalMode
		event  roomkit.Event
		change func(*roomkit.Company)
	}{
		{"put", roomkit.ExternalAll, happened(&roomkit.CompanyPut{Company: put}, acme), func(c *roomkit.Company) {
			c.MembersCreateGroups, c.Works, c.MaxGroups, c.WorksOff = true, roomkit.ExternalOff, 3, effectVersion
		}},
		{"off", roomkit.ExternalSelected, happened(&roomkit.CompanyMessagingChanged{Channel: roomkit.ChannelWorks, From: roomkit.ExternalSelected}, acme), func(c *roomkit.Company) {
			c.Works, c.WorksOff = roomkit.ExternalOff, effectVersion
		}},
		{"narrowed", roomkit.ExternalAll, happened(&roomkit.CompanyMessagingChanged{Channel: roomkit.ChannelWorks, From: roomkit.ExternalAll, To: roomkit.ExternalSelected}, acme), func(c *roomkit.Company) {
			c.Works, c.WorksNarrowed = roomkit.ExternalSelected, effectVersion
		}},
		{"widened", roomkit.ExternalSelected, happened(&roomkit.CompanyMessagingChanged{Channel: roomkit.ChannelWorks, From: roomkit.ExternalSelected, To: roomkit.ExternalAll}, acme), func(c *roomkit.Company) {
			c.Works = roomkit.ExternalAll
		}},
		{"still off", roomkit.ExternalOff, happened(&roomkit.CompanyPut{Company: put}, acme), func(c *roomkit.Company) {
			c.MembersCreateGroups, c.Works, c.MaxGroups = true, roomkit.ExternalOff, 3
		}},
		{"selected from off", roomkit.ExternalOff, happened(&roomkit.CompanyMessagingChanged{Channel: roomkit.ChannelWorks, To: roomkit.ExternalSelected}, acme), func(c *roomkit.Company) {
			c.Works = roomkit.ExternalSelected
		}},
		{"LINE", roomkit.ExternalAll, happened(&roomkit.CompanyMessagingChanged{Channel: roomkit.ChannelLINE, To: roomkit.ExternalAll}, acme), func(c *roomkit.Company) { c.LINE = roomkit.ExternalAll }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := before
			before.Works = test.before
			want := before
			want.Version = effectVersion
			test.change(&want)
			require.Equal(t, want, before.Apply(test.event))
		})
	}
}

func TestApplyToTeams(t *testing.T) {
	e := happened(&roomkit.TeamSynced{
		Company: "acme", Name: "Sales", Leader: "cat", Added: []roomkit.UserID{"ann", "zoe"}, Removed: []roomkit.UserID{"ben"},
		Room: true, Features: true, Photo: true, Preset: roomkit.Features(roomkit.FeatureNote), Notify: true, Seq: 9,
	}, about7(roomkit.TeamSubject("sales")))
	before := roomkit.Team{ID: "sales", Version: 6, Company: "acme", Name: "Old", Leader: "ben", Members: []roomkit.UserID{"ben", "cat"}}
	require.Equal(t, roomkit.Team{
		ID: "sales", Version: effectVersion, Company: "acme", Name: "Sales", Leader: "cat", Members: []roomkit.UserID{"ann", "cat", "zoe"},
		Room: true, Features: true, Photo: true, Preset: roomkit.Features(roomkit.FeatureNote), Notify: true, SyncedSeq: 9,
	}, before.Apply(e))
	require.Equal(t, []roomkit.UserID{"ben", "cat"}, before.Members, "the old value is not written to")
}
