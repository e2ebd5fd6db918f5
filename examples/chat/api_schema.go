package main

import (
	"encoding/json"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/go-roomkit/roomkit"
)

// libraryJudges leaves it to the library to find what is wrong with a request: its answer
// names the field and the rule.
func libraryJudges(o *huma.Operation) { o.SkipValidateBody, o.SkipValidateParams = true, true }

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
		all.OneOf = append(all.OneOf, one)
	}
	return all
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
