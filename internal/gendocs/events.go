package main

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/go-roomkit/roomkit"
)

var meanings = map[string]string{
	"room.created":                 "A room begins.",
	"member.joined":                "People take part from now on; the cause says how.",
	"member.left":                  "People no longer take part; the cause says why.",
	"master.appointed":             "People became Group Masters.",
	"master.dismissed":             "People are no longer Group Masters.",
	"master.vacated":               "An automatic removal left the group without a Group Master.",
	"room.renamed":                 "The room has another name.",
	"room.photo_changed":           "The room has another photo.",
	"room.description_changed":     "The room has another description.",
	"room.visibility_changed":      "The group became public or private.",
	"room.history_sharing_changed": "What people may read who join from now on.",
	"room.notification_switched":   "Group notification was switched; `notify` is the new value.",
	"room.features_switched":       "Features were switched; `to` is how the switches are now.",
	"room.features_withheld":       "The administrator withheld the masters' right over features, or gave it back.",
	"room.message_off":             "The room is unusable; its content is due for deletion at the deadline.",
	"room.message_on":              "The room is usable again; `emptied` says that its content is gone.",
	"room.feature_data_deleted":    "The data of features is to be deleted for good.",
	"room.converted":               "A General room became a group; `kind` is the new kind.",
	"room.ended":                   "The room ended, and with it every membership and role in it.",
	"company.put":                  "A company was added or replaced.",
	"user.put":                     "A user was added or replaced.",
	"user.status_changed":          "An account was suspended, deleted or restored.",
	"company.messaging_changed":    "Who of a company may talk with outsiders.",
	"user.messaging_changed":       "One user's own permission to talk with outsiders.",
	"team.synced":                  "A team was brought in line with the organisation chart.",
}

// events prints the catalogue of events with a stored sample of each.
func events(root string) (string, error) {
	p := &printer{}
	p.f("# Events\n\nStable names and stored form. Every event carries the subject and its version, the time in microseconds, the actor,\n")
	p.f("the directory versions relied on (`epoch`), the command's id, and where they apply the cause, the room's kind and\nwhether group notification is on. Zero values are left out.\n")
	for _, typ := range roomkit.EventTypes() {
		e, ok := roomkit.NewEvent(typ)
		if !ok || meanings[typ] == "" {
			return "", fmt.Errorf("event %s is not described", typ)
		}
		p.f("\n## %s\n\n%s\n\n", typ, meanings[typ])
		if fields := fieldsOf(e); fields != "" {
			p.f("Fields: %s.\n\n", fields)
		}
		sample, err := os.ReadFile(filepath.Join(root, "testdata", "events", typ+".v1.json"))
		if err != nil {
			return "", err
		}
		p.f("```json\n%s\n```\n", strings.TrimSpace(string(sample)))
	}
	return p.String(), nil
}

func fieldsOf(e roomkit.Event) string {
	t := reflect.TypeOf(e).Elem()
	var names []string
	for i := range t.NumField() {
		if f := t.Field(i); !f.Anonymous {
			names = append(names, fmt.Sprintf("`%s` (%s)", f.Name, strings.ReplaceAll(f.Type.String(), "roomkit.", "")))
		}
	}
	return strings.Join(names, ", ")
}
