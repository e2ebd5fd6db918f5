package storetest

import (
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// The directory that every rule starts with.
const (
	acme, beta = roomkit.CompanyID("acme"), roomkit.CompanyID("beta")

	ann, bob, cho, dan = roomkit.UserID("ann"), roomkit.UserID("bob"), roomkit.UserID("cho"), roomkit.UserID("dan") // of acme
	eve, fay           = roomkit.UserID("eve"), roomkit.UserID("fay")                                               // of beta
	lin                = roomkit.UserID("lin")                                                                      // from LINE
	bot                = roomkit.UserID("bot")                                                                      // of acme

	core = roomkit.TeamID("core") // of acme, led by ann
)

// settle stores the directory.
func (k *kit) settle() {
	k.Helper()
	k.users = map[roomkit.UserID]*roomkit.User{}
	k.companies = map[roomkit.CompanyID]*roomkit.Company{}
	k.teams = map[roomkit.TeamID]*roomkit.Team{}
	parts := []part{k.newCompany(acme), k.newCompany(beta)}
	for _, u := range []roomkit.UserID{ann, bob, cho, dan} {
		parts = append(parts, k.newUser(u, acme, roomkit.UserMember))
	}
	parts = append(parts,
		k.newUser(eve, beta, roomkit.UserMember), k.newUser(fay, beta, roomkit.UserMember),
		k.newUser(lin, "", roomkit.UserLINE), k.newUser(bot, acme, roomkit.UserBot),
		k.newTeam(core, acme, ann, ann, bob))
	c := k.change(parts...)
	k.seen.add(c)
	results, err := k.store.Commit(k.ctx, []store.Change{c})
	require.NoError(k, err, "storing a directory")
	require.Len(k, results, 1)
	require.NoError(k, results[0].Err, "storing a directory: open has to give an empty store that shares nothing with others")
}

func (k *kit) newCompany(id roomkit.CompanyID) part {
	c := &roomkit.Company{
		ID: id, Core: true, MembersCreateGroups: true, Works: roomkit.ExternalAll, LINE: roomkit.ExternalSelected,
		MaxGroups: 1000, RecallWindow: 90 * time.Minute,
	}
	k.companies[id] = c
	return k.putCompany(id, nil)
}

func (k *kit) newUser(id roomkit.UserID, company roomkit.CompanyID, kind roomkit.UserKind) part {
	k.users[id] = &roomkit.User{
		ID: id, Company: company, Kind: kind, Status: roomkit.StatusActive,
		Works: true, LINE: company == acme, Administrator: id == ann,
	}
	return k.putUser(id, nil)
}

func (k *kit) newTeam(id roomkit.TeamID, company roomkit.CompanyID, leader roomkit.UserID, members ...roomkit.UserID) part {
	k.teams[id] = &roomkit.Team{
		ID: id, Company: company, Name: "Team " + string(id), Leader: leader, Members: members,
		Room: true, Features: true, Preset: roomkit.Features(roomkit.FeatureNote, roomkit.FeatureTask), SyncedSeq: 7,
	}
	return k.putTeam(id, nil)
}

// putCompany writes a company's row with its next version.
func (k *kit) putCompany(id roomkit.CompanyID, edit func(*roomkit.Company)) part {
	return func(c *store.Change) {
		row := k.companies[id]
		if edit != nil {
			edit(row)
		}
		writeCompany(*row, row.Version)(c)
		row.Version++
	}
}

// putUser writes a user's row with its next version.
func (k *kit) putUser(id roomkit.UserID, edit func(*roomkit.User)) part {
	return func(c *store.Change) {
		row := k.users[id]
		if edit != nil {
			edit(row)
		}
		writeUser(*row, row.Version)(c)
		row.Version++
	}
}

// putTeam writes a team's row with its next version.
func (k *kit) putTeam(id roomkit.TeamID, edit func(*roomkit.Team)) part {
	return func(c *store.Change) {
		row := k.teams[id]
		if edit != nil {
			edit(row)
		}
		writeTeam(*row, row.Version)(c)
		row.Version++
	}
}

// writeCompany writes a row that relies on version was, whatever is stored.
func writeCompany(row roomkit.Company, was roomkit.Version) part {
	return func(c *store.Change) {
		record(c, roomkit.CompanySubject(row.ID), was)
		row.Version = was + 1
		c.Companies = append(c.Companies, row)
	}
}

func writeUser(row roomkit.User, was roomkit.Version) part {
	return func(c *store.Change) {
		record(c, roomkit.UserSubject(row.ID), was)
		row.Version = was + 1
		c.Users = append(c.Users, row)
	}
}

func writeTeam(row roomkit.Team, was roomkit.Version) part {
	return func(c *store.Change) {
		record(c, roomkit.TeamSubject(row.ID), was)
		row.Version = was + 1
		c.Teams = append(c.Teams, row)
	}
}
