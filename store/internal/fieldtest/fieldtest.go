// Package fieldtest looks whether a store keeps every field of every row, before tests
// that would all fail and say less.
package fieldtest

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

// EveryField writes, for each field of a row, a row in which only that one is set, then
// sets and empties it again, and reads all rows each time. The error names the first
// field that does not come back. s has to be empty; fields that come to the types later
// are looked at as well.
func EveryField(ctx context.Context, s store.Store) error {
	f := newFieldRows()
	for version, set := range []bool{false, true, false} {
		if err := f.put(ctx, s, roomkit.Version(version), set); err != nil {
			return err
		}
		facts, err := s.Load(ctx, f.needs())
		if err != nil {
			return fmt.Errorf("on Load: %w", err)
		}
		if err := f.compare(facts); err != nil {
			return err
		}
	}
	return nil
}

const (
	fieldCompany = roomkit.CompanyID("acme")
	fieldUser    = roomkit.UserID("ann")
	fieldTeam    = roomkit.TeamID("core")
)

// fieldRows are a row for each field, and the directory that they name.
type fieldRows struct {
	rooms     []roomkit.Room
	members   []roomkit.Member
	users     []roomkit.User
	companies []roomkit.Company
	teams     []roomkit.Team
}

func newFieldRows() *fieldRows {
	f := &fieldRows{
		rooms: make([]roomkit.Room, len(leaves(roomkit.Room{}))), members: make([]roomkit.Member, len(leaves(roomkit.Member{}))),
		users: make([]roomkit.User, len(leaves(roomkit.User{}))+1), companies: make([]roomkit.Company, len(leaves(roomkit.Company{}))+1),
		teams: make([]roomkit.Team, len(leaves(roomkit.Team{}))+1),
	}
	for i := range f.rooms {
		f.rooms[i].ID = roomkit.RoomID{1, byte(i), 6: 0x70, 8: 0x80}
	}
	for i := range f.members {
		f.members[i].Room, f.members[i].User = f.rooms[i].ID, fieldUser
	}
	for i := range f.users {
		f.users[i].ID = roomkit.UserID(fmt.Sprintf("u%d", i))
	}
	for i := range f.companies {
		f.companies[i].ID = roomkit.CompanyID(fmt.Sprintf("c%d", i))
	}
	for i := range f.teams {
		f.teams[i].ID, f.teams[i].Company = roomkit.TeamID(fmt.Sprintf("t%d", i)), fieldCompany
	}
	// The last ones are those that others name.
	f.users[len(f.users)-1].ID = fieldUser
	f.companies[len(f.companies)-1].ID = fieldCompany
	f.teams[len(f.teams)-1].ID = fieldTeam
	return f
}

// put writes all rows with the next version.
func (f *fieldRows) put(ctx context.Context, s store.Store, was roomkit.Version, set bool) error {
	c := store.Change{Command: roomkit.CommandID{1, byte(was), 6: 0x70, 8: 0x80}}
	add := func(of roomkit.Subject) roomkit.Version {
		c.Expect = append(c.Expect, store.Expect{Subject: of, Version: was})
		c.Records = append(c.Records, store.Record{Subject: of, Version: was + 1, Type: "test", At: time.Unix(1, 0).UTC(), Command: c.Command})
		c.Outcome.Events = append(c.Outcome.Events, store.EventAt{Subject: of, Version: was + 1})
		return was + 1
	}
	setEach(f.companies, set)
	setEach(f.users, set)
	setEach(f.teams, set)
	setEach(f.rooms, set)
	setEach(f.members, set)
	for i := range f.companies {
		f.companies[i].Version = add(roomkit.CompanySubject(f.companies[i].ID))
	}
	for i := range f.users {
		f.users[i].Version = add(roomkit.UserSubject(f.users[i].ID))
	}
	for i := range f.teams {
		f.teams[i].Version = add(roomkit.TeamSubject(f.teams[i].Company, f.teams[i].ID))
	}
	for i := range f.rooms {
		f.rooms[i].Version = add(roomkit.RoomSubject(f.rooms[i].ID))
	}
	c.Rooms, c.Members, c.Users, c.Companies, c.Teams = f.rooms, f.members, f.users, f.companies, f.teams
	c.Outcome.Command, c.Outcome.Changed = c.Command, true
	results, err := s.Commit(ctx, []store.Change{c.Clone()})
	if err == nil {
		err = results[0].Err
	}
	if err != nil {
		return fmt.Errorf("on Commit: %w", err)
	}
	return nil
}

func (f *fieldRows) needs() (all []store.Need) {
	for i := range f.rooms {
		all = append(all, store.Need{Room: f.rooms[i].ID, People: []roomkit.UserID{fieldUser}})
	}
	for i := range f.users {
		all = append(all, store.Need{People: []roomkit.UserID{f.users[i].ID}})
	}
	for i := range f.companies {
		all = append(all, store.Need{Companies: []roomkit.CompanyID{f.companies[i].ID}})
	}
	for i := range f.teams {
		all = append(all, store.Need{Team: roomkit.KeyOfTeam(f.teams[i].Company, f.teams[i].ID)})
	}
	return all
}

func (f *fieldRows) compare(facts []store.Facts) error {
	for i := range f.rooms {
		if err := sameRow(f.rooms[i], facts[i].Room); err != nil {
			return err
		}
		if i < len(f.members) {
			if err := found(f.members[i], facts[i].Members, func(m roomkit.Member) bool { return m.User == fieldUser }); err != nil {
				return err
			}
		}
	}
	facts = facts[len(f.rooms):]
	for i, row := range f.users {
		if err := found(row, facts[i].Users, func(u roomkit.User) bool { return u.ID == row.ID }); err != nil {
			return err
		}
	}
	facts = facts[len(f.users):]
	for i, row := range f.companies {
		if err := found(row, facts[i].Companies, func(c roomkit.Company) bool { return c.ID == row.ID }); err != nil {
			return err
		}
	}
	facts = facts[len(f.companies):]
	for i, row := range f.teams {
		if err := sameRow(row, facts[i].Team); err != nil {
			return err
		}
	}
	return nil
}

func found[R any](want R, rows []R, is func(R) bool) error {
	i := slices.IndexFunc(rows, is)
	if i < 0 {
		return fmt.Errorf("%T: a row that was written is not found", want)
	}
	return sameRow(want, rows[i])
}

func sameRow[R any](want, got R) error {
	has := leaves(got)
	for i, l := range leaves(want) {
		if w, g := fmt.Sprint(l.value), fmt.Sprint(has[i].value); w != g {
			return fmt.Errorf("%s.%s: %q was written, %q came back", strings.TrimPrefix(fmt.Sprintf("%T", want), "roomkit."), l.name, w, g)
		}
	}
	return nil
}

// leaf is a field that is no struct of fields.
type leaf struct {
	name  string
	value any
}

func leaves[R any](row R) (all []leaf) {
	eachLeaf(reflect.ValueOf(&row).Elem(), "", func(name string, v reflect.Value) { all = append(all, leaf{name, v.Interface()}) })
	return all
}

// setEach sets, or empties, a field in each row but those that are named by others.
func setEach[R any](rows []R, set bool) {
	for i := range rows {
		at := 0
		eachLeaf(reflect.ValueOf(&rows[i]).Elem(), "", func(_ string, v reflect.Value) {
			if at++; at == i+1 && set {
				v.Set(example(v.Type()))
			} else {
				v.SetZero()
			}
		})
	}
}

// Keys and versions are no subject here, nor what is written otherwise: counts of
// groups by tallies, the people of teams in rows of their own.
func eachLeaf(v reflect.Value, path string, do func(name string, v reflect.Value)) {
	for i := range v.NumField() {
		name, field := path+v.Type().Field(i).Name, v.Field(i)
		key := slices.Contains([]string{"ID", "Version", "Groups"}, name) || v.Type() == reflect.TypeFor[roomkit.Member]() && (name == "Room" || name == "User") ||
			v.Type() == reflect.TypeFor[roomkit.Team]() && name == "Company"
		switch _, isTime := field.Interface().(time.Time); {
		case key || field.Kind() == reflect.Slice:
		case field.Kind() == reflect.Struct && !isTime && field.Type() != reflect.TypeFor[roomkit.Actor]():
			eachLeaf(field, name+".", do)
		case field.Kind() == reflect.Array && field.Type().Elem().Kind() == reflect.String:
			for n := range field.Len() {
				do(fmt.Sprintf("%s[%d]", name, n), field.Index(n))
			}
		default:
			do(name, field)
		}
	}
}

// example gives a value that is not zero.
func example(of reflect.Type) reflect.Value {
	for _, known := range []any{fieldCompany, fieldUser, fieldTeam, roomkit.By(fieldUser), time.Unix(1, 0).UTC()} {
		if reflect.TypeOf(known) == of {
			return reflect.ValueOf(known)
		}
	}
	v := reflect.New(of).Elem()
	switch of.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString("x")
	case reflect.Uint8: // a set, or an enumeration of two values at least
		v.SetUint(1)
	case reflect.Array:
		v.Index(0).SetUint(1)
	default:
		v.SetInt(7)
	}
	return v
}
