package main

import (
	"encoding"
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

// wordsOf finds the types below a type that are words out of a closed set, or sets of them.
func wordsOf(t reflect.Type, found map[reflect.Type]bool) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		wordsOf(t.Elem(), found)
	case reflect.Struct:
		for i := range t.NumField() {
			wordsOf(t.Field(i).Type, found)
		}
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
			found[t] = true
		}
	}
}

// TestWordsAreListed: whoever reads the description alone knows each word that a field takes.
func TestWordsAreListed(t *testing.T) {
	found := map[reflect.Type]bool{}
	for _, name := range roomkit.CommandNames() {
		cmd, err := roomkit.UnmarshalCommand([]byte(`{"command":"` + name + `"}`))
		require.NoError(t, err)
		wordsOf(reflect.TypeOf(cmd), found)
	}
	for _, answer := range []any{apiLine{}, apiRoomBody{}, apiAllowed{}, apiResult{}, problem{}} {
		wordsOf(reflect.TypeOf(answer), found)
	}
	require.True(t, found[reflect.TypeFor[roomkit.Audience]()])
	require.True(t, found[reflect.TypeFor[roomkit.FeatureSet]()])
	registry := huma.NewMapRegistry("#/", huma.DefaultSchemaNamer)
	describeWords(registry)
	for words := range found {
		schema := registry.Schema(words, false, "")
		if schema.Items != nil {
			schema = schema.Items
		}
		require.NotEmpty(t, schema.Enum, words)
		for _, word := range schema.Enum {
			require.NotEqual(t, "unknown", word, words)
		}
	}
}

// described are the commands of the description, by their names.
func (d *desk) described() map[string]huma.Schema {
	d.t.Helper()
	_, text := d.get("/api/openapi.json")
	var doc struct {
		Paths map[string]map[string]struct {
			RequestBody struct {
				Content map[string]struct {
					Schema struct{ OneOf []json.RawMessage }
				}
			}
		}
	}
	require.NoError(d.t, json.Unmarshal([]byte(text), &doc))
	commands := map[string]huma.Schema{}
	for _, raw := range doc.Paths["/api/as/{user}/commands"]["post"].RequestBody.Content["application/json"].Schema.OneOf {
		var one struct {
			Title      string
			Properties map[string]struct {
				Type        any
				Description string
				Enum        []any
				Items       struct{ Enum []any }
			}
			Required []string
			Examples []any
		}
		require.NoError(d.t, json.Unmarshal(raw, &one))
		schema := huma.Schema{Examples: one.Examples, Required: one.Required, Properties: map[string]*huma.Schema{}}
		for name, p := range one.Properties {
			schema.Properties[name] = &huma.Schema{Enum: append(p.Enum, p.Items.Enum...), Description: p.Description}
		}
		commands[one.Title] = schema
	}
	return commands
}

// probing tries words out in commands.
type probing struct {
	*desk
	all, listed huma.Registry // of all words of a type, and of those that are listed
	body        map[string]any
	tried       int
}

// TestCommandsListTheirWords: a word is listed where it is not refused whatever else the command
// says, and only there.
func TestCommandsListTheirWords(t *testing.T) {
	p := probing{desk: newDesk(t), all: huma.NewMapRegistry("#/", huma.DefaultSchemaNamer), listed: huma.NewMapRegistry("#/", huma.DefaultSchemaNamer)}
	describeWords(p.all)
	describeWords(p.listed)
	bodies := map[string]map[string]any{
		"Expel":             {"people": []any{"kai"}},
		"DeleteFeatureData": {},
		"SetUserMessaging":  {"user": "cat", "allow": true},
		"AddCompany":        {"company": map[string]any{"id": "new"}},
		"AddUser":           {"user": map[string]any{"id": "new", "company": "harbour", "kind": "member", "status": "active"}},
	}
	for name, command := range p.described() {
		for _, example := range command.Examples {
			bodies[name] = example.(map[string]any)
		}
	}
	party := p.room("ann", "Summer party").String()
	for _, one := range (commandBody{}).Schema(p.listed).OneOf {
		cmd, err := roomkit.UnmarshalCommand([]byte(`{"command":"` + one.Title + `"}`))
		require.NoError(t, err)
		if p.body = bodies[one.Title]; p.body != nil {
			p.body["command"], p.body["room"] = one.Title, party
		}
		if one.Properties["room"] == nil || one.Properties["room"].Type != huma.TypeString {
			delete(p.body, "room")
		}
		p.try(one.Title+".", p.body, huma.SchemaFromType(p.all, reflect.TypeOf(cmd)), one)
	}
	require.Greater(t, p.tried, 60)
	require.Equal(t, takes["Convert.to"], p.described()["Convert"].Properties["to"].Enum, "as it is served")
}

// try puts each word into a part of the command.
func (p *probing) try(path string, part map[string]any, all, listed *huma.Schema) {
	for field, s := range all.Properties {
		if s.Ref != "" {
			inner, _ := part[field].(map[string]any)
			p.try(path+field+".", inner, p.all.SchemaFromRef(s.Ref), p.listed.SchemaFromRef(listed.Properties[field].Ref))
			continue
		}
		words, accepted := s.Enum, listed.Properties[field].Enum
		if s.Items != nil {
			words, accepted = s.Items.Enum, listed.Properties[field].Items.Enum
		}
		was, given := part[field]
		for _, word := range words {
			part[field] = word
			if s.Items != nil {
				part[field] = []any{word}
			}
			require.Equal(p.t, slices.Contains(accepted, word), !p.refuses(path+field), "%s%s: %s", path, field, word)
			p.tried++
		}
		if delete(part, field); given {
			part[field] = was
		}
	}
}

// refuses says that the command is refused for what is in a field.
func (p *probing) refuses(path string) bool {
	text, err := json.Marshal(p.body)
	require.NoError(p.t, err)
	status, answer := p.call("POST", "ann/commands?plan=true", string(text), "")
	field, _ := answer["field"].(string)
	_, path, _ = strings.Cut(strings.ReplaceAll(path, "_", ""), ".")
	if status != http.StatusBadRequest || !strings.EqualFold(field, path) {
		return false
	}
	require.NotEmpty(p.t, answer["detail"])
	return true
}

// TestExamplesRun: each example is accepted as it stands, but for the id of its room.
func TestExamplesRun(t *testing.T) {
	d := newDesk(t)
	party, n := d.room("ann", "Summer party").String(), 0
	for name, command := range d.described() {
		for _, example := range command.Examples {
			fields := example.(map[string]any)
			if _, ok := fields["room"].(string); ok {
				fields["room"] = party
			}
			text, err := json.Marshal(fields)
			require.NoError(t, err)
			require.NotContains(t, strings.ToLower(string(text)), "null")
			status, answer := d.call("POST", "ann/commands?plan=true", string(text), "")
			require.Equal(t, http.StatusOK, status, "%s %v", name, answer)
			require.Equal(t, true, answer["changed"], name)
			n++
		}
	}
	require.Equal(t, 9, n)
}

// TestFieldsAreDescribed: each field says what it means, and those are required without
// which the command of the example is refused, and no others.
func TestFieldsAreDescribed(t *testing.T) {
	d := newDesk(t)
	party := d.room("ann", "Summer party").String()
	for name, command := range d.described() {
		for field, s := range command.Properties {
			require.NotEmpty(t, s.Description, "%s.%s", name, field)
		}
		for _, field := range command.Required {
			require.Contains(t, command.Properties, field, name)
		}
		for _, example := range command.Examples {
			for field := range command.Properties {
				fields := maps.Clone(example.(map[string]any))
				if _, ok := fields["room"].(string); ok {
					fields["room"] = party
				}
				if _, given := fields[field]; !given {
					continue
				}
				delete(fields, field)
				text, err := json.Marshal(fields)
				require.NoError(t, err)
				status, answer := d.call("POST", "ann/commands?plan=true", string(text), "")
				require.Equal(t, slices.Contains(command.Required, field), status == http.StatusBadRequest, "%s.%s %v", name, field, answer)
			}
		}
	}
}
