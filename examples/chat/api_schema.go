package main

import (
	"cmp"
	"encoding/json"
	"reflect"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/enum"
	"github.com/go-roomkit/roomkit/service"
)

// libraryJudges leaves it to the library to find what is wrong with a request: its answer
// names the field and the rule.
func libraryJudges(o *huma.Operation) { o.SkipValidateBody, o.SkipValidateParams = true, true }

// one is a word out of a closed set.
type one[E enum.Value] struct{}

// Schema lists all words.
func (one[E]) Schema(huma.Registry) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString}
	for _, v := range enum.Values(E(0)) {
		s.Enum = append(s.Enum, v.String())
	}
	return s
}

// some are words out of a closed set.
type some[E enum.Value] struct{}

// Schema is a list of words.
func (some[E]) Schema(registry huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeArray, Items: one[E]{}.Schema(registry)}
}

// duration is a time as Go writes it.
type duration struct{}

// Schema is text.
func (duration) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Examples: []any{(24 * time.Hour).String()}}
}

// describeWords describes the types of the library by the words that it reads and writes.
func describeWords(registry huma.Registry) {
	say := func(words, described reflect.Type) { registry.RegisterTypeAlias(words, described) }
	say(reflect.TypeFor[roomkit.Action](), reflect.TypeFor[one[roomkit.Action]]())
	say(reflect.TypeFor[roomkit.Audience](), reflect.TypeFor[one[roomkit.Audience]]())
	say(reflect.TypeFor[roomkit.Cause](), reflect.TypeFor[one[roomkit.Cause]]())
	say(reflect.TypeFor[roomkit.ExternalMode](), reflect.TypeFor[one[roomkit.ExternalMode]]())
	say(reflect.TypeFor[roomkit.FeatureSet](), reflect.TypeFor[some[roomkit.Feature]]())
	say(reflect.TypeFor[roomkit.Kind](), reflect.TypeFor[one[roomkit.Kind]]())
	say(reflect.TypeFor[roomkit.Origin](), reflect.TypeFor[one[roomkit.Origin]]())
	say(reflect.TypeFor[roomkit.Outsider](), reflect.TypeFor[one[roomkit.Outsider]]())
	say(reflect.TypeFor[roomkit.RoomState](), reflect.TypeFor[one[roomkit.RoomState]]())
	say(reflect.TypeFor[roomkit.UserKind](), reflect.TypeFor[one[roomkit.UserKind]]())
	say(reflect.TypeFor[roomkit.UserStatus](), reflect.TypeFor[one[roomkit.UserStatus]]())
	say(reflect.TypeFor[service.Category](), reflect.TypeFor[one[service.Category]]())
	say(reflect.TypeFor[time.Duration](), reflect.TypeFor[duration]())
}

// commandBody is a command as the library reads it.
type commandBody struct{ json.RawMessage }

// Schema describes each command by its type.
func (commandBody) Schema(registry huma.Registry) *huma.Schema {
	all := &huma.Schema{Description: "A command by its name, and its fields."}
	for _, name := range roomkit.CommandNames() {
		cmd, err := roomkit.UnmarshalCommand([]byte(`{"command":"` + name + `"}`))
		if err != nil {
			continue
		}
		one := huma.SchemaFromType(registry, reflect.TypeOf(cmd))
		one.Title = name
		one.Properties["command"] = &huma.Schema{Type: huma.TypeString, Enum: []any{name}}
		one.Required = []string{"command"}
		for field, s := range one.Properties {
			s.Description = cmp.Or(fields[name+"."+field], fields[field])
			if slices.Contains(required[name], field) {
				one.Required = append(one.Required, field)
			}
		}
		takesOnly(name, one)
		slices.Sort(one.Required)
		one.Examples = examples()[name]
		all.OneOf = append(all.OneOf, one)
	}
	for name, part := range registry.Map() {
		takesOnly(name, part)
	}
	return all
}

// takesOnly lists of words those that are not refused always.
func takesOnly(name string, of *huma.Schema) {
	for field, s := range of.Properties {
		if s.Items != nil {
			s = s.Items
		}
		if words := takes[name+"."+field]; words != nil {
			s.Enum = words
		}
	}
}

// examples are of the commands that have the most fields, with people of the demo.
func examples() map[string][]any {
	cooks, both := []roomkit.UserID{"eli", "fay"}, []roomkit.UserID{"cat", "kai"}
	byName, room := map[string][]any{}, roomkit.RoomID{0x01, 0xa2, 6: 0x70, 8: 0x80, 15: 0x01}
	for _, cmd := range []roomkit.Command{
		roomkit.CreateRoom{People: cooks, Audience: roomkit.AudienceMembers, Name: "Tasting", Description: "On Friday", AllowDuplicate: true},
		roomkit.CreateGroup{Name: "Spring menu", Members: cooks, Settings: roomkit.GroupSettings{
			Public: true, Notify: true, FeaturesOff: roomkit.Features(roomkit.FeatureTask),
		}},
		roomkit.CreateExternalGroup{Name: "Spring cards", Members: both, Settings: roomkit.GroupSettings{HistorySharing: true}},
		roomkit.Convert{Room: room, To: roomkit.KindGroup, Name: "Party people"},
		roomkit.Edit{Room: room, Name: new("Winter party"), Description: new("In the hall")},
		roomkit.SetCompanyMessaging{Company: "harbour", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalOff)},
		roomkit.EditCompany{Company: "harbour", MembersCreateGroups: new(false), RecallWindow: new(12 * time.Hour)},
		roomkit.SyncTeam{Company: "harbour", Team: "van", Name: "Drivers", Leader: "gus", Members: []roomkit.UserID{"dev", "gus"}},
		roomkit.EditTeam{Company: "harbour", Team: "sales", Room: new(true), Preset: new(roomkit.Features(roomkit.FeatureNote, roomkit.FeatureEvent))},
	} {
		text, err := roomkit.MarshalCommand(cmd)
		if err != nil {
			continue
		}
		var example map[string]any
		if json.Unmarshal(text, &example) == nil {
			name, _ := example["command"].(string)
			byName[name] = append(byName[name], example)
		}
	}
	return byName
}

// actionName is an action as a path names it.
type actionName string

// Schema lists all actions.
func (actionName) Schema(huma.Registry) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString}
	for _, action := range roomkit.AllActions() {
		s.Enum = append(s.Enum, action.String())
	}
	return s
}
