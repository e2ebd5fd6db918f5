package roomkit

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func about7(of Subject) func(*Meta) {
	return func(m *Meta) { m.Subject, m.Version = of, effectVersion }
}

func TestApplyToUsers(t *testing.T) {
	ben := about7(UserSubject("ben"))
	before := User{
		ID: "ben", Version: 6, Company: "acme", Kind: UserMember, Status: StatusActive, Works: true,
		WorksSince: 2, WorksLost: 1, Ended: 1, Groups: 5,
	}
	put := func(change func(*User)) User {
		u := User{Company: "acme", Kind: UserMember, Status: StatusActive, Works: true, LINE: true, Administrator: true}
		change(&u)
		return u
	}
	tests := []struct {
		name   string
		event  Event
		change func(*User)
	}{
		{"put", happened(&UserPut{User: put(func(*User) {}), CompanyVersion: 4}, ben), func(u *User) { u.LINE, u.Administrator = true, true }},
		{"put without permission", happened(&UserPut{User: put(func(u *User) { u.Works = false }), CompanyVersion: 4}, ben), func(u *User) {
			u.LINE, u.Administrator, u.Works, u.WorksLost = true, true, false, effectVersion
		}},
		{"put deleted", happened(&UserPut{User: put(func(u *User) { u.Status = StatusDeleted }), CompanyVersion: 4}, ben), func(u *User) {
			u.LINE, u.Administrator, u.Status, u.Ended = true, true, StatusDeleted, effectVersion
		}},
		{"suspended", happened(&UserStatusChanged{To: StatusSuspended}, ben), func(u *User) { u.Status = StatusSuspended }},
		{"deleted", happened(&UserStatusChanged{To: StatusDeleted}, ben), func(u *User) { u.Status, u.Ended = StatusDeleted, effectVersion }},
		{"permitted", happened(&UserMessagingChanged{Channel: ChannelWorks, On: true, Company: 4}, ben), func(u *User) { u.WorksSince = 4 }},
		{"withdrawn", happened(&UserMessagingChanged{Channel: ChannelWorks, Company: 4}, ben), func(u *User) { u.Works, u.WorksLost = false, effectVersion }},
		{"LINE", happened(&UserMessagingChanged{Channel: ChannelLINE, On: true, Company: 4}, ben), func(u *User) { u.LINE = true }},
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
		e := happened(&UserPut{User: put(func(*User) {}), CompanyVersion: 4}, ben)
		require.Equal(t, User{
			ID: "ben", Version: effectVersion, Company: "acme", Kind: UserMember, Status: StatusActive,
			Works: true, LINE: true, Administrator: true, WorksSince: 4,
		}, User{}.Apply(e))
	})
	t.Run("put deleted again", func(t *testing.T) {
		gone := User{ID: "ben", Status: StatusDeleted, Ended: 3}
		e := happened(&UserPut{User: User{Status: StatusDeleted}}, ben)
		require.Equal(t, Version(3), gone.Apply(e).Ended)
	})
}

func TestApplyToCompanies(t *testing.T) {
	acme := about7(CompanySubject("acme"))
	before := Company{ID: "acme", Version: 6, Core: true, Works: ExternalAll, WorksOff: 1, WorksNarrowed: 2, Groups: 5}
	put := Company{Core: true, MembersCreateGroups: true, Works: ExternalOff, MaxGroups: 3}
	tests := []struct {
		name   string
		before ExternalMode
		event  Event
		change func(*Company)
	}{
		{"put", ExternalAll, happened(&CompanyPut{Company: put}, acme), func(c *Company) {
			c.MembersCreateGroups, c.Works, c.MaxGroups, c.WorksOff = true, ExternalOff, 3, effectVersion
		}},
		{"off", ExternalSelected, happened(&CompanyMessagingChanged{Channel: ChannelWorks, From: ExternalSelected}, acme), func(c *Company) {
			c.Works, c.WorksOff = ExternalOff, effectVersion
		}},
		{"narrowed", ExternalAll, happened(&CompanyMessagingChanged{Channel: ChannelWorks, From: ExternalAll, To: ExternalSelected}, acme), func(c *Company) {
			c.Works, c.WorksNarrowed = ExternalSelected, effectVersion
		}},
		{"widened", ExternalSelected, happened(&CompanyMessagingChanged{Channel: ChannelWorks, From: ExternalSelected, To: ExternalAll}, acme), func(c *Company) {
			c.Works = ExternalAll
		}},
		{"still off", ExternalOff, happened(&CompanyPut{Company: put}, acme), func(c *Company) {
			c.MembersCreateGroups, c.Works, c.MaxGroups = true, ExternalOff, 3
		}},
		{"selected from off", ExternalOff, happened(&CompanyMessagingChanged{Channel: ChannelWorks, To: ExternalSelected}, acme), func(c *Company) {
			c.Works = ExternalSelected
		}},
		{"LINE", ExternalAll, happened(&CompanyMessagingChanged{Channel: ChannelLINE, To: ExternalAll}, acme), func(c *Company) { c.LINE = ExternalAll }},
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
	e := happened(&TeamSynced{
		Company: "acme", Name: "Sales", Leader: "cat", Added: []UserID{"ann", "zoe"}, Removed: []UserID{"ben"},
		Room: true, Features: true, Photo: true, Preset: Features(FeatureNote), Notify: true, Seq: 9,
	}, about7(TeamSubject("sales")))
	before := Team{ID: "sales", Version: 6, Company: "acme", Name: "Old", Leader: "ben", Members: []UserID{"ben", "cat"}}
	require.Equal(t, Team{
		ID: "sales", Version: effectVersion, Company: "acme", Name: "Sales", Leader: "cat", Members: []UserID{"ann", "cat", "zoe"},
		Room: true, Features: true, Photo: true, Preset: Features(FeatureNote), Notify: true, SyncedSeq: 9,
	}, before.Apply(e))
	require.Equal(t, []UserID{"ben", "cat"}, before.Members, "the old value is not written to")
}
