// Package sample has a valid command of every type, for tests. What has to hold for all
// commands, or for all that name a room, is proved with these: a new command is among them
// by itself.
package sample

import (
	"reflect"

	"github.com/go-roomkit/roomkit"
)

// Commands gives one command of each type about a room and people.
func Commands(room roomkit.RoomID, people ...roomkit.UserID) (list []roomkit.Command) {
	for _, name := range roomkit.CommandNames() {
		zero, err := roomkit.UnmarshalCommand([]byte(`{"command":"` + name + `"}`))
		if err != nil {
			continue // TestEveryType tells
		}
		v := reflect.New(reflect.TypeOf(zero)).Elem()
		fill(v, room, people)
		if cmd, ok := v.Interface().(roomkit.Command); ok {
			list = append(list, adjusted(cmd))
		}
	}
	return list
}

// OfRooms gives those of [Commands] that name the room.
func OfRooms(room roomkit.RoomID, people ...roomkit.UserID) (list []roomkit.Command) {
	for _, cmd := range Commands(room, people...) {
		v := reflect.ValueOf(cmd)
		for i := range v.NumField() {
			if v.Field(i).Interface() == any(room) {
				list = append(list, cmd)
				break
			}
		}
	}
	return list
}

// adjusted changes what a command does not take together.
func adjusted(cmd roomkit.Command) roomkit.Command {
	switch c := cmd.(type) {
	case roomkit.CreateRoom:
		return roomkit.CreateRoom{People: c.People, Origin: roomkit.OriginRoom, Source: c.Source, AllowDuplicate: true}
	default:
		return cmd
	}
}

// fill sets the fields of a struct. Flags and settings at creation stay as they are; what
// has no valid zero value is set by its type.
func fill(v reflect.Value, room roomkit.RoomID, people []roomkit.UserID) {
	for i := range v.NumField() {
		switch p := v.Field(i).Addr().Interface().(type) {
		case *roomkit.RoomID:
			*p = room
		case *roomkit.UserID:
			*p = people[0]
		case *[]roomkit.UserID:
			*p = people
		case *roomkit.CompanyID:
			*p = "acme"
		case *roomkit.TeamID:
			*p = "crew"
		case *roomkit.Kind:
			*p = roomkit.KindGroup
		case *roomkit.Cause:
			*p = roomkit.CausePermission
		case *roomkit.Outsider:
			*p = roomkit.OutsiderPartner
		case *roomkit.FeatureSet:
			*p = roomkit.Features(roomkit.FeatureNote)
		case *roomkit.Company:
			*p = roomkit.Company{ID: "acme", Licensed: true}
		case *roomkit.User:
			*p = roomkit.User{ID: people[0], Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive}
		case *string:
			*p = "name"
		case **string:
			text := "name"
			*p = &text
		case **bool:
			*p = new(bool)
		case **roomkit.ExternalMode:
			*p = new(roomkit.ExternalMode)
		default: // stays zero
		}
	}
}
