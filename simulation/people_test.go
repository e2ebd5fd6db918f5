package simulation

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store"
)

// founded is a command of the founding.
type founded struct {
	by  roomkit.Actor
	cmd roomkit.Command
}

// everybody are the people of two companies, and a consumer. The administrators are adm and bob.
var everybody = []roomkit.UserID{"ann", "ben", "cat", "dan", "eve", "fay", "adm", "bob", "lin", "bot", "gus", "zoe"}

// newcomers are known to the host's directory and to nobody else; ghost to nobody at all.
var newcomers = []roomkit.UserID{"new1", "new2", "new3"}

var administrators = []roomkit.UserID{"adm", "bob", "adm2"}

func companyOf(user roomkit.UserID) roomkit.CompanyID {
	switch user {
	case "eve", "fay", "bob", "new2":
		return "bolt"
	case "lin":
		return ""
	case "new3":
		return "core"
	}
	return "acme"
}

func userRow(id roomkit.UserID) roomkit.User {
	u := roomkit.User{ID: id, Company: companyOf(id), Kind: roomkit.UserMember, Status: roomkit.StatusActive, Partners: true}
	u.Administrator = slices.Contains(administrators, id)
	switch id {
	case "lin":
		u.Kind, u.Partners = roomkit.UserConsumer, false
	case "bot":
		u.Kind, u.Partners = roomkit.UserBot, false
	case "gus":
		u.Partners = false
	}
	return u
}

func companyRow(id roomkit.CompanyID) roomkit.Company {
	return roomkit.Company{ID: id, Licensed: true, MembersCreateGroups: true, Partners: roomkit.ExternalSelected, Consumers: roomkit.ExternalAll}
}

const team = roomkit.TeamID("sales")

func foundingCommands() []founded {
	sys, ann := roomkit.System(), roomkit.By("ann")
	list := []founded{{sys, roomkit.AddCompany{Company: companyRow("acme")}}, {sys, roomkit.AddCompany{Company: companyRow("bolt")}}}
	for _, id := range append(slices.Clone(everybody), "adm2") {
		list = append(list, founded{sys, roomkit.AddUser{User: userRow(id)}})
	}
	return append(list,
		founded{sys, roomkit.SyncTeam{Team: team, Company: "acme", Name: "Sales", Leader: "cat", Members: people("ben", "cat")}},
		founded{sys, roomkit.EditTeam{Team: team, Company: "acme", Room: new(true), Features: new(true)}},
		founded{ann, roomkit.CreateRoom{People: people("ben", "cat"), Audience: roomkit.AudienceMembers, AllowDuplicate: true}},
		founded{ann, roomkit.CreateGroup{Name: "crew", Members: people("ben", "cat")}},
		founded{ann, roomkit.CreateExternalGroup{Name: "project", Members: people("ben", "eve")}},
	)
}

func people(ids ...roomkit.UserID) []roomkit.UserID { return ids }

// contacts says who is whose contact: ann and ben know all outsiders, others nobody.
func contacts(_ context.Context, of roomkit.UserID, outsiders []roomkit.UserID) (known []roomkit.UserID, err error) {
	for _, id := range outsiders {
		if of != "cat" && of != "dan" && id != "ghost" {
			known = append(known, id)
		}
	}
	return known, nil
}

// host lets a function of the host take its time, and fail.
func (w *world) host(ctx context.Context, name string) (fault, error) {
	who := whose(ctx)
	v := w.wait(&park{who: who, point: pointHost, call: storeCall{name: name}})
	bad := &injected{fault: v.fault, point: pointHost, who: who, size: 1}
	switch v.fault {
	case faultBefore:
		return v.fault, bad
	case faultPanic:
		panic(bad)
	}
	return v.fault, ctx.Err()
}

func (w *world) contacts(ctx context.Context, of roomkit.UserID, outsiders []roomkit.UserID) ([]roomkit.UserID, error) {
	outsiders = slices.Clone(outsiders)
	if _, err := w.host(ctx, "contacts"); err != nil {
		return nil, err
	}
	return contacts(ctx, of, outsiders)
}

// directory is the host's, as the service asks it: late, and now and then about more than it
// was asked for.
type directory struct{ w *world }

func (d directory) Users(ctx context.Context, ids []roomkit.UserID) ([]roomkit.User, []roomkit.Company, error) {
	users, companies := hostRows(ids)
	f, err := d.w.host(ctx, "directory")
	if err != nil {
		return nil, nil, err
	}
	if f == faultWrong {
		for _, id := range people("new1", "ben", "new2") {
			u := userRow(id)
			if u.Administrator = true; !slices.Contains(ids, id) {
				users = append(users, u)
			}
		}
	}
	return users, companies, nil
}

// hostRows is what the host's directory says of some people.
func hostRows(ids []roomkit.UserID) (users []roomkit.User, companies []roomkit.Company) {
	for _, id := range ids {
		if !slices.Contains(newcomers, id) {
			continue
		}
		users = append(users, userRow(id))
		companies = append(companies, companyRow(companyOf(id)))
	}
	return users, companies
}

// honest is the directory that the judge believes.
type honest struct{}

func (honest) Users(_ context.Context, ids []roomkit.UserID) ([]roomkit.User, []roomkit.Company, error) {
	users, companies := hostRows(ids)
	return users, companies, nil
}

var errVetoed = errors.New("not here")

// refused is what the veto refuses, always.
func refused(_ roomkit.Actor, cmd roomkit.Command, _ service.Result) error {
	switch c := cmd.(type) {
	case roomkit.Edit:
		if c.Name != nil && *c.Name == "vetoed" {
			return errVetoed
		}
	case roomkit.Expel:
		if slices.Contains(c.People, "eve") {
			return errVetoed
		}
	}
	return nil
}

// vetoes is the veto of the processes: it panics over what says so.
func (w *world) vetoes(by roomkit.Actor, cmd roomkit.Command, planned service.Result) error {
	if panics(cmd) {
		panic(&vetoPanic{cmd})
	}
	return refused(by, cmd, planned)
}

// vetoPanic is what the veto throws.
type vetoPanic struct{ cmd roomkit.Command }

func (v *vetoPanic) String() string { return fmt.Sprintf("veto of %T", v.cmd) }

func panics(cmd roomkit.Command) bool {
	switch c := cmd.(type) {
	case roomkit.Edit:
		return c.Photo != nil && *c.Photo == "boom"
	case roomkit.Invite:
		return c.Name == "boom"
	}
	return false
}

// sight is what those who draw commands know of the rooms, which need not be right.
type sight struct {
	rooms   []roomkit.RoomID
	kinds   map[roomkit.RoomID]roomkit.Kind
	state   map[roomkit.RoomID]roomkit.RoomState
	version map[roomkit.RoomID]roomkit.Version
	members map[roomkit.RoomID]map[roomkit.UserID]roomkit.Member
	status  map[roomkit.UserID]roomkit.UserStatus
}

func (s *sight) begin() {
	*s = sight{
		kinds: map[roomkit.RoomID]roomkit.Kind{}, state: map[roomkit.RoomID]roomkit.RoomState{}, version: map[roomkit.RoomID]roomkit.Version{},
		members: map[roomkit.RoomID]map[roomkit.UserID]roomkit.Member{}, status: map[roomkit.UserID]roomkit.UserStatus{},
	}
}

// stored keeps the sight up to date.
func (w *world) stored(c *store.Change) {
	s := &w.sight
	for i := range c.Rooms {
		r := &c.Rooms[i]
		if s.kinds[r.ID] == roomkit.KindNone {
			s.rooms = append(s.rooms, r.ID)
			s.members[r.ID] = map[roomkit.UserID]roomkit.Member{}
		}
		s.kinds[r.ID], s.state[r.ID], s.version[r.ID] = r.Kind, r.State, r.Version
	}
	for i := range c.Members {
		s.members[c.Members[i].Room][c.Members[i].User] = c.Members[i]
	}
	for i := range c.Users {
		s.status[c.Users[i].ID] = c.Users[i].Status
	}
	if c.Checkpoint != nil {
		w.fellows.moved(c.Checkpoint)
	}
}
