package main

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/go-roomkit/roomkit"
)

// shape is a world of about n memberships. All that stands in it follows from n and the
// seed, so that the fill and the questions after it know it without asking the store.
//
//	users      n/10; every second one is of company 0, user 0 administers that
//	crowd      an external group of all of them
//	staff      a group of all of company 0
//	own        n/100 groups of company 0, most of 15 people, some of 60 and of 200; every
//	           fourth is public; three users, the hub, its twin and a third, are in the first n/1000 of them
//	external   n/200 external groups of 40 people of all companies
//	general    n/50 General rooms of 8 colleagues
//	direct     n/50 1:1 rooms
//	others     groups of 40 in the other companies, as many as make n
type shape struct {
	n, users, companies int
	seed                uint64
	hubRooms            int
	begins              [kinds + 1]int // of the rooms of a class
}

// The classes of rooms, in their order.
const (
	crowd = iota
	staff
	own
	external
	general
	direct
	others
	kinds
)

const (
	boss  = 0 // administers company 0 and is Group Master of the crowd
	hub   = 2 // is in many groups
	twin  = 4 // is in the same ones
	third = 6 // and so is this one, who was invited
)

const peopleOfOthers, peopleOfExternal, peopleOfGeneral = 40, 40, 8

func newShape(n int, seed uint64) *shape {
	s := &shape{n: n, seed: seed, users: max(200, n/10), companies: max(2, n/50_000), hubRooms: max(5, n/1000)}
	ownGroups := max(50, n/100)
	memberships := s.users + s.staffOf(0)
	for i := range ownGroups {
		memberships += s.sizeOfOwn(i)
	}
	size := [kinds]int{crowd: 1, staff: 1, own: ownGroups, external: n / 200, general: n / 50, direct: n / 50}
	memberships += size[external]*peopleOfExternal + size[general]*peopleOfGeneral + size[direct]*2
	size[others] = max(1, (n-memberships)/peopleOfOthers)
	for class, many := range size {
		s.begins[class+1] = s.begins[class] + many
	}
	return s
}

func (s *shape) sizeOfOwn(i int) int {
	switch {
	case i%100 == 0:
		return min(200, s.staffOf(0))
	case i%10 == 0:
		return 60
	}
	return 15
}

func (s *shape) rooms() int { return s.begins[kinds] }

func (s *shape) class(room int) int {
	class := 0
	for room >= s.begins[class+1] {
		class++
	}
	return class
}

// usual gives a group of company 0 of 15 people, in which the hub is not.
func (s *shape) usual(i int) int {
	many := s.begins[external] - s.begins[own] - s.hubRooms
	at := s.hubRooms + i%many
	if at%10 == 0 {
		at++
	}
	if at >= s.hubRooms+many {
		at -= 2
	}
	return s.begins[own] + at
}

// companyOf and the next two say who is of which company.
func (s *shape) companyOf(user int) int {
	if user%2 == 0 {
		return 0
	}
	return 1 + user/2%(s.companies-1)
}

func (s *shape) staffOf(company int) int {
	if company == 0 {
		return (s.users + 1) / 2
	}
	return (s.users/2 + s.companies - 1 - company) / (s.companies - 1)
}

func (s *shape) worker(company, k int) int {
	if company == 0 {
		return 2 * k
	}
	return 2*(k*(s.companies-1)+company-1) + 1
}

// spec is a room of the shape: its people are users in order, the first one of whoever
// opened it manages it, if it is a group.
type spec struct {
	class   int
	kind    roomkit.Kind
	company int
	public  bool
	creator int
	people  []int
}

func (s *shape) room(at int) spec {
	class := s.class(at)
	i := at - s.begins[class]
	r := rand.New(rand.NewPCG(s.seed, uint64(at)))
	one := spec{class: class, kind: roomkit.KindGroup}
	switch class {
	case crowd:
		one.kind, one.creator = roomkit.KindExternalGroup, boss
		one.people = s.some(r, s.users, s.users, func(k int) int { return k })
	case staff:
		one.creator = boss
		one.people = s.ofCompany(r, 0, s.staffOf(0))
	case own:
		one.public = i%4 == 0
		one.people = s.ofCompany(r, 0, s.sizeOfOwn(i))
		if i < s.hubRooms {
			one.people = with(with(one.people, hub), twin)
		}
	case external:
		one.kind = roomkit.KindExternalGroup
		one.people = s.some(r, peopleOfExternal, s.users, func(k int) int { return k })
		one.company = s.companyOf(one.people[0])
	case general:
		one.kind, one.company = roomkit.KindGeneral, i%s.companies
		one.people = s.ofCompany(r, one.company, peopleOfGeneral)
	case direct:
		one.kind = roomkit.KindDirect
		one.people = s.pair(i)
		one.company = s.companyOf(one.people[0])
	default:
		one.company = 1 + i%(s.companies-1)
		one.people = s.ofCompany(r, one.company, peopleOfOthers)
	}
	if class > staff {
		one.creator = one.people[0]
	}
	return one
}

// pair gives the people of a 1:1 room; no two rooms have the same ones.
func (s *shape) pair(i int) []int {
	a := i % s.users
	b := (a + 1 + i/s.users) % s.users
	return []int{min(a, b), max(a, b)}
}

func (s *shape) ofCompany(r *rand.Rand, company, many int) []int {
	return s.some(r, many, s.staffOf(company), func(k int) int { return s.worker(company, k) })
}

// some draws so many of all, each once, in order.
func (s *shape) some(r *rand.Rand, many, all int, user func(int) int) []int {
	list := make([]int, 0, many)
	if many >= all {
		for k := range all {
			list = append(list, user(k))
		}
		return list
	}
	for len(list) < many {
		list = append(list, user(r.IntN(all)))
		if len(list) == many {
			slices.Sort(list)
			list = slices.Compact(list)
		}
	}
	return list
}

func with(people []int, user int) []int {
	at, in := slices.BinarySearch(people, user)
	if in {
		return people
	}
	return slices.Insert(people, at, user)
}

func userID(i int) roomkit.UserID       { return roomkit.UserID(fmt.Sprintf("u%07d", i)) }
func companyID(i int) roomkit.CompanyID { return roomkit.CompanyID(fmt.Sprintf("c%04d", i)) }
func teamID(i int) roomkit.TeamID       { return roomkit.TeamID(fmt.Sprintf("t%05d", i)) }

func (s *shape) teams() int { return max(10, s.n/10_000) }

func (s *shape) user(i int) roomkit.User {
	return roomkit.User{
		ID: userID(i), Company: companyID(s.companyOf(i)), Kind: roomkit.UserMember, Status: roomkit.StatusActive,
		Administrator: i == s.worker(s.companyOf(i), 0),
	}
}

func (s *shape) company(i int) roomkit.Company {
	return roomkit.Company{
		ID: companyID(i), Licensed: true, MembersCreateGroups: true, Partners: roomkit.ExternalAll, Consumers: roomkit.ExternalAll, MaxGroups: 10_000_000,
	}
}

// began is when the first event of a world happened; each further command is a
// millisecond later.
var began = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// id makes a UUIDv7 of a number.
func (s *shape) id(number uint64, what byte) (id [16]byte) {
	ms := uint64(began.UnixMilli()) + number
	binary.BigEndian.PutUint64(id[:8], ms<<16|uint64(what))
	binary.BigEndian.PutUint64(id[8:], (number+1)*0x9e3779b97f4a7c15^s.seed)
	id[6], id[8] = 0x70|what&0x0f, id[8]&0x3f|0x80
	return id
}

func (s *shape) roomID(at int) roomkit.RoomID {
	if s.class(at) == direct {
		pair := s.pair(at - s.begins[direct])
		return roomkit.DirectRoom(userID(pair[0]), userID(pair[1]))
	}
	return s.id(uint64(at), 1)
}
