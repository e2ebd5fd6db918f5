package pages

import (
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/codec"
)

var noticeTexts = map[roomkit.NoticeKey]string{
	roomkit.NoticeRemoved:          "You were removed from “{name}” by {actor}.",
	roomkit.NoticeWithdrawn:        "You have left “{name}”, because you may not talk with external users any more.",
	roomkit.NoticeDropped:          "“{name}” has become a group that you cannot be a member of.",
	roomkit.NoticeAdded:            "{actor} has added you to a group.",
	roomkit.NoticeMasterAppointed:  "You are Group Master now.",
	roomkit.NoticeMasterDismissed:  "You are no longer Group Master.",
	roomkit.NoticeRenamed:          "The group's name is “{name}” now.",
	roomkit.NoticeFeaturesSwitched: "The group's features have changed: {features}.",
	roomkit.NoticePermitted:        "You may talk with external users now.",
}

// circumstances of an event that decide who is told.
type telling struct {
	cause  roomkit.Cause
	kind   roomkit.Kind
	notify bool
}

// notices prints which events give which service notification, by trying every
// event with every cause, kind and setting.
func notices(w io.Writer, _ string) error {
	p := &printer{w: w}
	p.f(generated)
	p.f("# Service notifications\n\n`NoticesOf(event)` derives them from an event alone. They go to the service notification room of the people named, never\n")
	p.f("into the room concerned (NTF-01); whoever did it himself is not told. Bots and LINE users are not told.\n")
	p.f("The name of the room is given where the person told can no longer ask for it.\n")
	for _, key := range slices.Sorted(maps.Keys(noticeTexts)) {
		p.f("\n## %s\n\nFor instance: %s\n\n| Event | Cause | Kind of room | Group notification | To | Parameters |\n|---|---|---|---|---|---|\n", key, noticeTexts[key])
		rows := 0
		for _, typ := range codec.EventTypes() {
			for _, row := range noticeRows(typ, key) {
				p.f("| %s | %s |\n", typ, row)
				rows++
			}
		}
		if rows == 0 {
			return fmt.Errorf("no event gives the notice %s", key)
		}
	}
	return p.err
}

// noticeRows tells under which circumstances an event of a type gives a notice;
// kinds that are alike share a row.
func noticeRows(typ string, key roomkit.NoticeKey) []string {
	kinds := map[string][]string{}
	var order []string
	for _, cause := range roomkit.Causes() {
		for _, kind := range append([]roomkit.Kind{roomkit.KindNone}, roomkit.Kinds()...) {
			on, onTo := tells(typ, key, telling{cause, kind, true})
			off, _ := tells(typ, key, telling{cause, kind, false})
			if !on && !off {
				continue
			}
			setting := "on"
			if off {
				setting = "on or off"
			}
			row := fmt.Sprintf("%s | %%s | %s | %s", cause, setting, onTo)
			if kinds[row] == nil {
				order = append(order, row)
			}
			kinds[row] = append(kinds[row], kind.String())
		}
	}
	return merge(order, kinds)
}

func merge(order []string, kinds map[string][]string) (rows []string) {
	byRest := map[string][]string{} // causes that do not matter are one row
	var rests []string
	for _, row := range order {
		where := strings.Join(kinds[row], ", ")
		if len(kinds[row]) > len(roomkit.Kinds()) {
			where = "any"
		}
		cause, rest, _ := strings.Cut(fmt.Sprintf(row, where), " | ")
		if byRest[rest] == nil {
			rests = append(rests, rest)
		}
		byRest[rest] = append(byRest[rest], cause)
	}
	for _, rest := range rests {
		causes := strings.Join(byRest[rest], ", ")
		if len(byRest[rest]) == len(roomkit.Causes()) {
			causes = "any"
		}
		rows = append(rows, causes+" | "+rest)
	}
	return rows
}

// tells reports whether an event gives the notice, and to whom with what.
func tells(typ string, key roomkit.NoticeKey, when telling) (bool, string) {
	e, _ := codec.NewEvent(typ)
	v := reflect.ValueOf(e).Elem()
	meta := roomkit.Meta{Actor: roomkit.By("actor"), Cause: when.cause, Kind: when.kind, Notify: when.notify}
	v.FieldByName("Meta").Set(reflect.ValueOf(meta))
	set := func(name string, value any) {
		if f := v.FieldByName(name); f.IsValid() && reflect.TypeOf(value).AssignableTo(f.Type()) {
			f.Set(reflect.ValueOf(value))
		}
	}
	set("People", []roomkit.Person{{User: "person", Kind: roomkit.UserMember}})
	set("On", true)
	set("To", roomkit.ExternalAll)
	set("Channel", roomkit.ChannelWorks)
	for _, n := range roomkit.NoticesOf(e) {
		if n.Key != key {
			continue
		}
		to := "the people named"
		switch {
		case n.Everyone && n.Key == roomkit.NoticePermitted:
			to = "the members of the company who could not before (`Holders`)"
		case n.Everyone:
			to = "everyone who takes part"
		case n.To != "person":
			to = "the user"
		}
		return true, to + " | " + strings.Join(slices.Sorted(maps.Keys(n.Params)), ", ")
	}
	return false, ""
}
