package storetest

import (
	"math"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func tallyRules() []Rule {
	return []Rule{
		{"tally/user", "A tally of a user is stored if the count was as expected, else the change is ErrConflict.", userTally},
		{"tally/company", "A tally of a company is stored if the count was as expected, else the change is ErrConflict.", companyTally},
		{"tally/every-one", "All tallies of a change count, wherever they stand among others that hold.", everyTally},
		{"tally/of-nobody", "A tally of a user or company that does not exist is ErrConflict, whatever it expects.", tallyOfNobody},
		{"tally/no-version", "A tally neither moves a version nor needs one.", tallyNoVersion},
		{"tally/kept-by-put", "Writing the row of a user or company leaves its count as it is.", tallyKeptByPut},
	}
}

func (k *kit) groupsOfCompany(id roomkit.CompanyID) int64 {
	k.Helper()
	f := k.load(store.Need{Companies: []roomkit.CompanyID{id}})
	require.Len(k, f.Companies, 1)
	return f.Companies[0].Groups
}

func userTally(k *kit) {
	r := k.found(1, roomkit.KindGroup, ann, bob)
	k.must(k.change(tallyUser(bob, 0, 3)))
	for _, was := range []int64{0, 2, 4, -3, math.MaxInt64} {
		k.refuse(roomkit.ErrConflict, k.change(r.clone().join(cho), tallyUser(bob, was, 9)))
	}
	k.must(k.change(r.join(cho), tallyUser(bob, 3, 4)))
	k.must(k.change(tallyUser(bob, 4, 0)))
	require.Equal(k, []int64{0, 0}, k.groupsOf(ann, bob))
	k.must(k.change(tallyUser(bob, 0, math.MaxInt64)))
	require.Equal(k, []int64{0, math.MaxInt64}, k.groupsOf(ann, bob))
	k.sees(r)
}

func companyTally(k *kit) {
	r := k.found(1, roomkit.KindGroup, ann, bob)
	k.must(k.change(tallyCompany(acme, 0, 3)))
	for _, was := range []int64{0, 2, 4, -3, math.MaxInt64} {
		k.refuse(roomkit.ErrConflict, k.change(r.clone().join(cho), tallyCompany(acme, was, 9)))
	}
	k.must(k.change(r.join(cho), tallyCompany(acme, 3, 4)))
	require.EqualValues(k, 4, k.groupsOfCompany(acme))
	require.EqualValues(k, 0, k.groupsOfCompany(beta))
	k.sees(r)
}

func everyTally(k *kit) {
	r := k.found(1, roomkit.KindGroup, ann, bob)
	people := []roomkit.UserID{ann, bob, cho, dan}
	for stale := range len(people) + 1 {
		was := make([]int64, len(people)+1)
		was[stale] = 1
		parts := []part{r.clone().rename("new")}
		for i, u := range people {
			parts = append(parts, tallyUser(u, was[i], 5))
		}
		parts = append(parts, tallyCompany(acme, was[len(people)], 5))
		k.refuse(roomkit.ErrConflict, k.change(parts...))
	}
}

func tallyOfNobody(k *kit) {
	r := k.found(1, roomkit.KindGroup, ann, bob)
	for _, was := range []int64{0, 1} {
		k.refuse(roomkit.ErrConflict, k.change(r.clone().join(cho), tallyUser("gil", was, 5)))
		k.refuse(roomkit.ErrConflict, k.change(r.clone().join(cho), tallyCompany("gamma", was, 5)))
		k.refuse(roomkit.ErrConflict, k.change(r.clone().join(cho), tallyUser("gil", was, 5), rely(roomkit.UserSubject("gil"), 0)))
		k.refuse(roomkit.ErrConflict, k.change(r.clone().join(cho), tallyCompany("gamma", was, 5), rely(roomkit.CompanySubject("gamma"), 0)))
	}
	k.must(k.change(k.newCompany("gamma"), k.newUser("gil", "gamma", roomkit.UserMember)))
	require.Equal(k, []int64{0}, k.groupsOf("gil"))
	require.EqualValues(k, 0, k.groupsOfCompany("gamma"))
	k.must(k.change(k.newCompany("delta"), k.newUser("hal", "delta", roomkit.UserMember), tallyUser("hal", 0, 3), tallyCompany("delta", 0, 2)))
	require.Equal(k, []int64{3}, k.groupsOf("hal"), "what the change itself begins can be counted")
	require.EqualValues(k, 2, k.groupsOfCompany("delta"))
}

func tallyNoVersion(k *kit) {
	k.must(k.change(tallyUser(bob, 0, 1), tallyCompany(beta, 0, 1)))
	k.must(k.change(rely(roomkit.UserSubject(bob), 1), rely(roomkit.CompanySubject(beta), 1)))
	k.must(k.change(k.putUser(bob, nil), k.putCompany(beta, nil)))
	k.must(k.change(tallyUser(bob, 1, 2), tallyCompany(beta, 1, 2)))
	k.refuse(roomkit.ErrConflict, k.change(rely(roomkit.UserSubject(bob), 1), tallyUser(bob, 2, 3)))
	require.Len(k, k.history(roomkit.UserSubject(bob)), 2)
	require.Len(k, k.history(roomkit.CompanySubject(beta)), 2)
}

func tallyKeptByPut(k *kit) {
	k.must(k.change(tallyUser(bob, 0, 7), tallyCompany(beta, 0, 8)))
	k.must(k.change(k.putUser(bob, func(u *roomkit.User) { u.Groups = 99 }), k.putCompany(beta, func(c *roomkit.Company) { c.Groups = 99 })))
	require.Equal(k, []int64{7}, k.groupsOf(bob))
	require.EqualValues(k, 8, k.groupsOfCompany(beta))
	k.must(k.change(k.newCompany("gamma"), k.newUser("gil", "gamma", roomkit.UserMember), func(c *store.Change) {
		c.Companies[0].Groups, c.Users[0].Groups = 5, 5
	}))
	require.Equal(k, []int64{0}, k.groupsOf("gil"), "a new user begins with no groups")
	require.EqualValues(k, 0, k.groupsOfCompany("gamma"), "a new company begins with no groups")
	k.must(k.change(k.putUser(bob, nil), tallyUser(bob, 7, 6), k.putCompany(beta, nil), tallyCompany(beta, 8, 9)))
	require.Equal(k, []int64{6}, k.groupsOf(bob))
	require.EqualValues(k, 9, k.groupsOfCompany(beta))
}
