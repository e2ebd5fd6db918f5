package main

import (
	"context"
	"fmt"

	"github.com/casbin/casbin/v2"
	casbinmodel "github.com/casbin/casbin/v2/model"
	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/service"
	"github.com/go-roomkit/roomkit/store/memstore"
)

func engines(m *model) ([]engine, error) {
	var list []engine
	for _, make := range []func(*model) (engine, error){casbinEngine, cedarEngine, inHandEngine, roomkitEngine} {
		e, err := make(m)
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, nil
}

const casbinRoles = `
[request_definition]
r = sub, dom, act
[policy_definition]
p = role, act
[role_definition]
g = _, _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.act == p.act && g(r.sub, p.role, r.dom)
`

// casbinEngine keeps roles per room as domains.
func casbinEngine(m *model) (engine, error) {
	cm, err := casbinmodel.NewModelFromString(casbinRoles)
	if err != nil {
		return engine{}, err
	}
	e, err := casbin.NewEnforcer(cm)
	if err != nil {
		return engine{}, err
	}
	for role, acts := range map[string][]string{"member": {"enter", "post"}, "master": {"invite", "remove"}} {
		for _, act := range acts {
			if _, err := e.AddPolicy(role, act); err != nil {
				return engine{}, err
			}
		}
	}
	for i, room := range m.rooms {
		for role, people := range map[string]map[string]bool{"member": room.members, "master": room.masters} {
			for person, is := range people {
				if !is {
					continue
				}
				if _, err := e.AddGroupingPolicy(person, role, roomName(i)); err != nil {
					return engine{}, err
				}
			}
		}
	}
	return engine{"casbin v2, RBAC with domains", func(q question) bool {
		ok, err := e.Enforce(q.person, roomName(q.room), q.action)
		return err == nil && ok
	}}, nil
}

func roomName(i int) string { return roomNames[i] }

var roomNames = func() (list []string) {
	for i := range 100_000 {
		list = append(list, fmt.Sprint("room", i))
	}
	return list
}()

const cedarPolicies = `
permit (principal, action in [Action::"enter", Action::"post"], resource) when { resource.members.contains(principal) };
permit (principal, action in [Action::"invite", Action::"remove"], resource) when { resource.masters.contains(principal) };
`

// cedarEngine keeps the people of a room as sets of its entity.
func cedarEngine(m *model) (engine, error) {
	policies, err := cedar.NewPolicySetFromBytes("rooms.cedar", []byte(cedarPolicies))
	if err != nil {
		return engine{}, err
	}
	entities := types.EntityMap{}
	for i, room := range m.rooms {
		id := types.NewEntityUID("Room", types.String(roomName(i)))
		entities[id] = types.Entity{UID: id, Attributes: types.NewRecord(types.RecordMap{
			"members": cedarSet(room.members), "masters": cedarSet(room.masters),
		})}
	}
	return engine{"cedar-go", func(q question) bool {
		decision, _ := cedar.Authorize(policies, entities, cedar.Request{
			Principal: types.NewEntityUID("User", types.String(q.person)),
			Action:    types.NewEntityUID("Action", types.String(q.action)),
			Resource:  types.NewEntityUID("Room", types.String(roomName(q.room))),
		})
		return decision == cedar.Allow
	}}, nil
}

func cedarSet(people map[string]bool) types.Set {
	var list []types.Value
	for person, is := range people {
		if is {
			list = append(list, types.NewEntityUID("User", types.String(person)))
		}
	}
	return types.NewSet(list...)
}

var roomkitActions = map[string]roomkit.Action{
	"enter": roomkit.ActionEnter, "post": roomkit.ActionPost, "invite": roomkit.ActionInvite,
	"remove": roomkit.ActionRemove, "leave": roomkit.ActionLeave,
}

// inHandEngine is the decision alone, with the standing in hand.
func inHandEngine(m *model) (engine, error) {
	rules := roomkit.NewRules(roomkit.Policy{})
	type key struct {
		room   int
		person string
	}
	standings := map[key]roomkit.Standing{}
	for i, room := range m.rooms {
		for person, is := range room.members {
			if is {
				standings[key{i, person}] |= roomkit.StandingParticipant
			}
		}
		for person := range room.masters {
			standings[key{i, person}] |= roomkit.StandingMaster
		}
	}
	return engine{"roomkit, standing from a Go map", func(q question) bool {
		return rules.Allowed(roomkit.KindGroup, standings[key{q.room, q.person}]).Has(roomkitActions[q.action])
	}}, nil
}

// roomkitEngine is Service.Access on the memory store, by ids.
func roomkitEngine(m *model) (engine, error) {
	ctx := context.Background()
	svc, err := service.New(memstore.New(), nil)
	if err != nil {
		return engine{}, err
	}
	company := roomkit.Company{ID: "c", Licensed: true, MembersCreateGroups: true}
	if _, err := svc.Do(ctx, roomkit.System(), roomkit.AddCompany{Company: company}); err != nil {
		return engine{}, err
	}
	var users []roomkit.Command
	for i, p := range append([]string{"admin"}, m.people...) {
		users = append(users, roomkit.AddUser{User: roomkit.User{
			ID: roomkit.UserID(p), Company: "c", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Administrator: i == 0,
		}})
	}
	for _, cmd := range users {
		if _, err := svc.Do(ctx, roomkit.System(), cmd); err != nil {
			return engine{}, err
		}
	}
	ids := make([]roomkit.RoomID, len(m.rooms))
	for i, room := range m.rooms {
		create := roomkit.CreateGroup{Name: roomName(i), ForOthers: true, Masters: userIDs(room.masters), Members: userIDs(room.members)}
		res, err := svc.Do(ctx, roomkit.By("admin"), create)
		if err != nil {
			return engine{}, err
		}
		ids[i] = res.Room
	}
	return engine{"roomkit, Service.Access by ids", func(q question) bool {
		list, err := svc.Access(ctx, roomkit.UserID(q.person), ids[q.room])
		return err == nil && list[0].Can(roomkitActions[q.action])
	}}, nil
}

func userIDs(people map[string]bool) (list []roomkit.UserID) {
	for person, is := range people {
		if is {
			list = append(list, roomkit.UserID(person))
		}
	}
	return list
}
