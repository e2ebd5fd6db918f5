package storetest

import (
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func versionRules() []Rule {
	return []Rule{
		{"commit/room-version", "A change that writes a room on another version than the stored one is ErrConflict and stores nothing.", roomVersion},
		{"commit/user-version", "A change that writes a user on another version than the stored one is ErrConflict and stores nothing.", userVersion},
		{"commit/company-version", "A change that writes a company on another version than the stored one is ErrConflict and stores nothing.", companyVersion},
		{"commit/team-version", "A change that writes a team on another version than the stored one is ErrConflict and stores nothing.", teamVersion},
		{"commit/relied-room", "A room that a change relies on without writing it is compared too.", reliedRoom},
		{"commit/relied-user", "A user that a change relies on without writing it is compared too.", reliedUser},
		{"commit/relied-company", "A company that a change relies on without writing it is compared too.", reliedCompany},
		{"commit/relied-team", "A team that a change relies on without writing it is compared too.", reliedTeam},
		{"commit/every-expectation", "All expectations count, wherever they stand among others that hold.", everyExpectation},
		{"commit/zero-means-absent", "Expecting version 0 holds only for what does not exist.", zeroMeansAbsent},
		{"commit/absent-is-zero", "Expecting a version of something that does not exist is ErrConflict.", absentIsZero},
		{"commit/subjects-apart", "A room, a user, a company and a team are different subjects even if their ids are equal.", subjectsApart},
	}
}

func roomVersion(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	k.must(k.change(r.rename("two")))
	for _, v := range []roomkit.Version{0, 1, 3, 1 << 40} {
		k.refuse(roomkit.ErrConflict, k.change(r.as(v).join(cho)))
	}
	k.must(k.change(r.rename("three")))
	k.sees(r)
}

func userVersion(k *kit) {
	k.must(k.change(k.putUser(bob, nil)))
	for _, v := range []roomkit.Version{0, 1, 3, 1 << 40} {
		k.refuse(roomkit.ErrConflict, k.change(writeUser(*k.users[bob], v)))
	}
	k.must(k.change(k.putUser(bob, nil)))
}

func companyVersion(k *kit) {
	k.must(k.change(k.putCompany(acme, nil)))
	for _, v := range []roomkit.Version{0, 1, 3, 1 << 40} {
		k.refuse(roomkit.ErrConflict, k.change(writeCompany(*k.companies[acme], v)))
	}
	k.must(k.change(k.putCompany(acme, nil)))
}

func teamVersion(k *kit) {
	k.must(k.change(k.putTeam(core, nil)))
	for _, v := range []roomkit.Version{0, 1, 3, 1 << 40} {
		k.refuse(roomkit.ErrConflict, k.change(writeTeam(*k.teams[core], v)))
	}
	k.must(k.change(k.putTeam(core, nil)))
}

func reliedRoom(k *kit) {
	other := k.found(2, roomkit.KindGeneral, ann, bob)
	k.must(k.change(other.rename("two")))
	relied(k, other.subject())
}

func reliedUser(k *kit) {
	k.must(k.change(k.putUser(bob, nil)))
	relied(k, roomkit.UserSubject(bob))
}

func reliedCompany(k *kit) {
	k.must(k.change(k.putCompany(beta, nil)))
	relied(k, roomkit.CompanySubject(beta))
}

func reliedTeam(k *kit) {
	k.must(k.change(k.putTeam(core, nil)))
	relied(k, roomkit.TeamSubject(core))
}

// relied changes a room while relying on a subject of version 2.
func relied(k *kit, on roomkit.Subject) {
	k.Helper()
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	for _, v := range []roomkit.Version{0, 1, 3} {
		k.refuse(roomkit.ErrConflict, k.change(r.clone().join(cho), rely(on, v)))
		k.refuse(roomkit.ErrConflict, k.change(rely(on, v), r.clone().join(cho)))
	}
	k.must(k.change(r.join(cho), rely(on, 2)))
	k.sees(r)
}

func everyExpectation(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	people := []roomkit.UserID{ann, bob, cho, dan, eve, fay, lin, bot}
	for stale := range people {
		parts := []part{r.clone().rename("new")}
		for i, u := range people {
			v := roomkit.Version(1)
			if i == stale {
				v = 2
			}
			parts = append(parts, rely(roomkit.UserSubject(u), v))
		}
		k.refuse(roomkit.ErrConflict, k.change(parts...))
	}
}

func zeroMeansAbsent(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	missing := []part{
		rely(roomkit.RoomSubject(roomID(99)), 0), rely(roomkit.UserSubject("nobody"), 0),
		rely(roomkit.CompanySubject("nowhere"), 0), rely(roomkit.TeamSubject("none"), 0),
	}
	k.must(k.change(append(missing, r.rename("new"))...))
	for _, existing := range []roomkit.Subject{
		k.foundDirect(ann, bob).subject(), roomkit.UserSubject(ann), roomkit.CompanySubject(acme), roomkit.TeamSubject(core),
	} {
		k.refuse(roomkit.ErrConflict, k.change(r.clone().rename("newer"), rely(existing, 0)))
	}
	k.refuse(roomkit.ErrConflict, k.change(r.as(0).begin(cho, dan)))
	k.sees(r)
}

func absentIsZero(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	for _, missing := range []roomkit.Subject{
		roomkit.RoomSubject(roomID(99)), roomkit.UserSubject("nobody"),
		roomkit.CompanySubject("nowhere"), roomkit.TeamSubject("none"),
	} {
		k.refuse(roomkit.ErrConflict, k.change(r.clone().rename("new"), rely(missing, 1)))
	}
	unborn := k.sheet(roomID(98), roomkit.KindGeneral)
	k.refuse(roomkit.ErrConflict, k.change(unborn.as(1).begin(ann, bob)))
}

func subjectsApart(k *kit) {
	k.must(k.change(k.newCompany("same"), k.newUser("same", "same", roomkit.UserMember), k.newTeam("same", "same", "same", "same")))
	k.must(k.change(k.putUser("same", nil)))
	k.must(k.change(k.putUser("same", nil)))
	k.must(k.change(k.putTeam("same", nil)))
	f := k.load(store.Need{People: []roomkit.UserID{"same"}, Team: "same"})
	require.Equal(k, []roomkit.User{*k.users["same"]}, f.Users)
	require.Equal(k, []roomkit.Company{*k.companies["same"]}, f.Companies)
	require.Equal(k, *k.teams["same"], cleanTeam(f.Team))
	versions := map[roomkit.SubjectType]roomkit.Version{
		roomkit.SubjectUser: 3, roomkit.SubjectTeam: 2, roomkit.SubjectCompany: 1,
	}
	for of, n := range versions {
		require.Len(k, k.history(roomkit.Subject{Type: of, ID: "same"}), int(n), "history of the %s", of)
	}
}
