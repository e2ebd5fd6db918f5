package service

import (
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
)

// keyed has one command of each type with every kind of field that it has.
func keyed() []roomkit.Command {
	on, off, name, day := true, false, "Plans", 24*time.Hour
	room := roomkit.SelfRoom("kim")
	two := []roomkit.UserID{"lee", "ann"}
	group := roomkit.CreateGroup{
		Name: name, Members: two, Masters: []roomkit.UserID{"lee"}, ForOthers: true, Photo: "p", Description: "d",
		Settings: roomkit.GroupSettings{HistorySharing: true},
	}
	return []roomkit.Command{
		roomkit.OpenSelf{},
		roomkit.OpenDirect{With: "lee"},
		roomkit.CreateRoom{People: two, Audience: roomkit.AudienceExternal, Origin: roomkit.OriginMail, Source: room, Title: "t", AllowDuplicate: true},
		group,
		roomkit.CreateExternalGroup(group),
		roomkit.OpenTeamRoom{Team: "sales"},
		roomkit.Convert{Room: room, To: roomkit.KindExternalGroup, Name: name},
		roomkit.DeleteRoom{Room: room},
		roomkit.Invite{Room: room, People: two},
		roomkit.Remove{Room: room, People: two},
		roomkit.Leave{Room: room},
		roomkit.Expel{Room: room, People: two, Cause: roomkit.CausePermission},
		roomkit.AppointMasters{Room: room, People: two},
		roomkit.DismissMasters{Room: room, People: two},
		roomkit.HandOver{Room: room, To: "lee"},
		roomkit.Edit{Room: room, Name: &name, Public: &on, Notify: &off},
		roomkit.DeleteFeatureData{Room: room, Features: roomkit.Features(roomkit.FeatureNote, roomkit.FeatureFolder)},
		roomkit.AddCompany{Company: roomkit.Company{ID: "acme", Licensed: true, Partners: roomkit.ExternalSelected, MaxGroups: 3, RecallWindow: day}},
		roomkit.EditCompany{Company: "acme", MembersCreateGroups: &off, MaxGroups: new(int64(0)), RecallWindow: &day},
		roomkit.AddUser{User: roomkit.User{ID: "kim", Company: "acme", Kind: roomkit.UserMember, Status: roomkit.StatusActive, Partners: true}},
		roomkit.EditUser{User: "kim", Administrator: &on},
		roomkit.SetCompanyMessaging{Company: "acme", With: roomkit.OutsiderPartner, Mode: new(roomkit.ExternalSelected)},
		roomkit.SetUserMessaging{User: "kim", With: roomkit.OutsiderPartner, Allow: &off},
		roomkit.SuspendUser{User: "kim", Lift: true},
		roomkit.DeleteUser{User: "kim"},
		roomkit.RestoreUser{User: "kim"},
		roomkit.SyncTeam{Team: "sales", Company: "acme", Name: "Sales", Members: two, Seq: -2},
		roomkit.EditTeam{Team: "sales", Room: &on, Photo: &off, Preset: new(roomkit.AllFeatures)},
	}
}

var writeDigests = flag.Bool("write-digests", false, "add the digest of a new command to testdata/digests.txt")

// TestDigestsStay: the digests of commands are what they were. A digest that changes
// makes every key that was used for such a command ErrCommandReused after an upgrade.
func TestDigestsStay(t *testing.T) {
	data, err := os.ReadFile("../testdata/digests.txt")
	require.NoError(t, err)
	want := strings.FieldsFunc(string(data), func(r rune) bool { return r == '\n' })
	for i, cmd := range keyed() {
		sum := digest(cmd)
		require.Equal(t, byte(digestVersion), sum[0])
		have := roomkit.CommandName(cmd) + " " + hex.EncodeToString(sum[:])
		switch {
		case i >= len(want) && *writeDigests:
			data = fmt.Appendf(data, "%s\n", have)
			require.NoError(t, os.WriteFile("../testdata/digests.txt", data, 0o644))
		case i >= len(want):
			t.Errorf("testdata/digests.txt lacks %s; run: go test ./service -run DigestsStay -args -write-digests", have)
		case want[i] != have:
			t.Errorf("testdata/digests.txt says %q, it is %q: digests never change; what changes the form has a new digestVersion", want[i], have)
		}
	}
	for _, name := range roomkit.CommandNames() {
		if !slices.ContainsFunc(keyed(), func(c roomkit.Command) bool { return roomkit.CommandName(c) == name }) {
			t.Errorf("service/digest_test.go: add %s to keyed, at the end", name)
		}
	}
	require.GreaterOrEqual(t, len(keyed()), len(want), "testdata/digests.txt has more lines than there are commands")
}

// TestDigestSeesEveryField: a command that differs in one field, at any depth, has
// another digest.
func TestDigestSeesEveryField(t *testing.T) {
	for _, cmd := range keyed() {
		v := reflect.New(reflect.TypeOf(cmd)).Elem()
		v.Set(reflect.ValueOf(cmd))
		seen := map[[32]byte]bool{digest(cmd): true}
		for _, f := range leaves(v) {
			before := reflect.New(f.Type()).Elem()
			before.Set(f)
			if f.IsZero() {
				set(f)
			} else {
				f.SetZero()
			}
			changed, _ := v.Interface().(roomkit.Command)
			require.False(t, seen[digest(changed)], "digest does not see a field of type %s in %+v", f.Type(), changed)
			seen[digest(changed)] = true
			f.Set(before)
		}
	}
}

// leaves lists the fields of a value, those of structs and of their lists too.
func leaves(v reflect.Value) (list []reflect.Value) {
	switch {
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			list = append(list, leaves(v.Field(i))...)
		}
		return list
	case v.Kind() == reflect.Slice && v.Len() > 0:
		for i := range v.Len() {
			list = append(list, leaves(v.Index(i))...)
		}
	}
	return append(list, v)
}

func set(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int64:
		v.SetInt(1)
	case reflect.Array:
		v.Index(0).SetUint(1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
	default:
		v.SetUint(1)
	}
}

func TestDigestForm(t *testing.T) {
	sum := digest
	empty, full := "", "x"
	require.Equal(t, sum(roomkit.Invite{}), sum(roomkit.Invite{People: []roomkit.UserID{}}), "nobody is nobody")
	require.NotEqual(t, sum(roomkit.Edit{}), sum(roomkit.Edit{Name: &empty}), "an empty name is a name")
	require.NotEqual(t, sum(roomkit.Edit{Name: &full}), sum(roomkit.Edit{Photo: &full}))
	require.NotEqual(t, sum(roomkit.Remove{People: []roomkit.UserID{"a"}}), sum(roomkit.AppointMasters{People: []roomkit.UserID{"a"}}))
	require.NotEqual(t, sum(roomkit.Invite{People: []roomkit.UserID{"ab", "c"}}), sum(roomkit.Invite{People: []roomkit.UserID{"a", "bc"}}))
	require.NotEqual(t, sum(roomkit.Invite{People: []roomkit.UserID{"a", "b"}}), sum(roomkit.Invite{People: []roomkit.UserID{"b", "a"}}))
}
