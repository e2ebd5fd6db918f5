package oracle_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/oracle"
	"github.com/go-roomkit/roomkit/internal/sample"
)

// commands are the library's commands by their names. The oracle has one of the same
// name for each, and its CreateGroup stands for two.
var commands = func() map[string]roomkit.Command {
	all := map[string]roomkit.Command{}
	for _, cmd := range sample.Commands(roomkit.RoomID{1}, "ann", "ben") {
		all[roomkit.CommandName(cmd)] = cmd
	}
	return all
}()

// otherNames are the fields that the two sides call differently. A field that the
// library does not have is the oracle's own.
var otherNames = map[string]string{
	"Sharing": "HistorySharing", "Withhold": "WithholdFeatures", "Withheld": "FeaturesWithheld", "Line": "LINE", "Admin": "Administrator",
	"HadLine": "HadConsumers", "BeganAt": "CreatedAt", "EmptiedAt": "EmptiedOn", "OffSince": "MessageOffSince",
	"ExternalTask": "ExternalGroupTask", "AdminsManageExternal": "AdministratorsManageExternalMembers",
	"LineFeatures": "ConsumerRoomFeatures", "OffPeriod": "MessageOffPeriod", "MembersFromRooms": "CompanyMembersFromRooms",
}

// featureFields are the fields of an Edit that switch the features.
var featureFields = map[oracle.Feature]string{
	oracle.Note: "Note", oracle.Event: "Event", oracle.Task: "Task", oracle.Folder: "Folder", oracle.MailingList: "MailingList",
}

func commandName(cmd oracle.Command) string {
	if group, ok := cmd.(oracle.CreateGroup); ok && group.External {
		return "CreateExternalGroup"
	}
	return reflect.TypeOf(cmd).Name()
}

// command is the library's form of an oracle's command.
func (m *machine) command(cmd oracle.Command) roomkit.Command {
	library := commands[commandName(cmd)]
	if library == nil {
		require.Failf(m.t, "no command of the library", "%s: %s", placeOf(cmd), commandName(cmd))
	}
	to := reflect.New(reflect.TypeOf(library)).Elem()
	m.translate(reflect.ValueOf(cmd), to)
	if edit, ok := cmd.(oracle.Edit); ok {
		for f, on := range edit.Switch {
			to.FieldByName(featureFields[f]).Set(reflect.ValueOf(&on))
		}
	}
	return to.Interface().(roomkit.Command)
}

func inWords[T any](m *machine, from any) (to T) {
	m.translate(reflect.ValueOf(from), reflect.ValueOf(&to).Elem())
	return to
}

// translate puts a value of the oracle into the library's form: fields by their
// names, constants by their texts, rooms by the ids that the service gave them.
func (m *machine) translate(from, to reflect.Value) {
	switch target := to.Addr().Interface().(type) {
	case *roomkit.RoomID:
		*target = m.id(from.String())
		return
	case *roomkit.Audience:
		*target = map[string]roomkit.Audience{"members": roomkit.AudienceMembers, "external": roomkit.AudienceExternal}[from.String()]
		return
	case *roomkit.FeatureSet:
		*target = 0
		for f, on := range from.Interface().(oracle.Features) {
			if on {
				*target |= roomkit.Features(constant[roomkit.Feature](string(f)))
			}
		}
		return
	}
	switch from.Kind() {
	case reflect.Struct:
		m.translateFields(from, to)
	case reflect.String:
		if to.Kind() == reflect.String {
			to.SetString(from.String())
		} else {
			setConstant(to, from.String())
		}
	case reflect.Slice:
		if to.Kind() == reflect.Slice && !from.IsNil() {
			to.Set(reflect.MakeSlice(to.Type(), from.Len(), from.Len()))
		}
		for i := range from.Len() {
			m.translate(from.Index(i), to.Index(i))
		}
	case reflect.Map:
		m.translateMap(from, to)
	case reflect.Pointer:
		if to.SetZero(); !from.IsNil() {
			to.Set(reflect.New(to.Type().Elem()))
			m.translate(from.Elem(), to.Elem())
		}
	default:
		to.Set(from.Convert(to.Type()))
	}
}

func (m *machine) translateFields(from, to reflect.Value) {
	if from.Type() == to.Type() { // a time
		to.Set(from)
		return
	}
	for i := range from.NumField() {
		name := from.Type().Field(i).Name
		if field := to.FieldByName(cmp.Or(otherNames[name], name)); field.IsValid() {
			m.translate(from.Field(i), field)
		}
	}
}

// translateMap gives how many there are, or limits by the kinds of rooms.
func (m *machine) translateMap(from, to reflect.Value) {
	if to.Kind() != reflect.Array {
		to.SetInt(int64(from.Len()))
		return
	}
	for _, kind := range from.MapKeys() {
		m.translate(from.MapIndex(kind), to.Index(int(constant[roomkit.Kind](kind.String()))))
	}
}

// constant finds the library's constant with a text.
func constant[T any](text string) (v T) {
	setConstant(reflect.ValueOf(&v).Elem(), text)
	return v
}

func setConstant(to reflect.Value, text string) {
	for n := range uint64(64) {
		if to.SetUint(n); text == "" || to.Interface().(fmt.Stringer).String() == text {
			return
		}
	}
	to.SetUint(0)
}

func actorOf(actor string) roomkit.Actor {
	if actor == oracle.System {
		return roomkit.System()
	}
	return roomkit.By(roomkit.UserID(actor))
}

// said is a command in words.
func said(actor string, cmd oracle.Command) string {
	text, err := json.Marshal(cmd)
	if err != nil {
		return err.Error()
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		return err.Error()
	}
	for name, value := range fields {
		if value == nil || value == false || value == "" {
			delete(fields, name)
		}
	}
	return fmt.Sprintf("%s %s %.300s", actor, commandName(cmd), strings.ReplaceAll(fmt.Sprint(fields), "map[", "["))
}

// roomsOf are the rooms that a command names.
func roomsOf(cmd oracle.Command) (named []string) {
	for _, field := range []string{"Room", "Source", "Existing"} {
		if f := reflect.ValueOf(cmd).FieldByName(field); f.IsValid() && f.Kind() == reflect.String && f.String() != "" {
			named = append(named, f.String())
		}
	}
	return named
}

var directoryNames = []string{
	"AddCompany", "EditCompany", "SetCompanyMessaging", "AddUser", "EditUser", "SetUserMessaging", "SuspendUser", "DeleteUser", "RestoreUser",
	"SyncTeam", "EditTeam",
}

// directoryName is what a command of the directory is called where it is counted
// which of them follow each other.
func directoryName(cmd oracle.Command) string {
	if name := commandName(cmd); slices.Contains(directoryNames, name) {
		return name
	}
	return ""
}

// concerned is the user whom a command of the directory is about.
func concerned(cmd oracle.Command) string {
	switch x := cmd.(type) {
	case oracle.AddUser:
		return x.User.ID
	case oracle.SyncTeam:
		return x.Leader
	}
	if user := reflect.ValueOf(cmd).FieldByName("User"); user.IsValid() {
		return user.String()
	}
	return ""
}
