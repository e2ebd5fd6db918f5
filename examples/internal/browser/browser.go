// Package browser is a client of the example host: it reads what the host answers with
// the library's own types, and tells what it sees.
package browser

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/examples/internal/messages"
	"github.com/go-roomkit/roomkit/service"
)

// browser talks with a host.
type browser struct {
	base    string
	out     io.Writer
	invited roomkit.Cursor // behind the invitation of min
}

func (b *browser) tell(format string, args ...any) { fmt.Fprintf(b.out, format+"\n", args...) }

// refused is what the host answers with another status than 200.
type refused struct {
	status   int
	Category service.Category `json:"category"`
	Error    struct {
		Error   string           `json:"error"`
		Denied  *roomkit.Denied  `json:"denied"`
		Invalid *roomkit.Invalid `json:"invalid"`
		Offered *roomkit.Offered `json:"offered"`
	} `json:"error"`
}

func (b *browser) open(ctx context.Context, user, method, path, body string, header ...string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, b.base+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("User", user)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return http.DefaultClient.Do(r)
}

// ask reads the answer into value. A refusal belongs to the story.
func (b *browser) ask(ctx context.Context, user, method, path, body string, value any, header ...string) (*refused, error) {
	resp, err := b.open(ctx, user, method, path, body, header...)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		return nil, json.NewDecoder(resp.Body).Decode(value)
	}
	no := &refused{status: resp.StatusCode}
	return no, json.NewDecoder(resp.Body).Decode(no)
}

// must is ask for what is not refused.
func (b *browser) must(ctx context.Context, user, method, path, body string, value any, header ...string) error {
	no, err := b.ask(ctx, user, method, path, body, value, header...)
	if no != nil {
		err = fmt.Errorf("%s %s: %d %s", method, path, no.status, no.Error.Error)
	}
	return err
}

// do sends a command of the library.
func (b *browser) do(ctx context.Context, user string, cmd roomkit.Command, key string) (made service.Result, err error) {
	body, err := roomkit.MarshalCommand(cmd)
	if err == nil {
		err = b.must(ctx, user, "POST", "/commands", string(body), &made, "Idempotency-Key", key)
	}
	return made, err
}

// Talk tells a story with a host at an address.
func Talk(ctx context.Context, base string, out io.Writer) error {
	b := &browser{base: base, out: out}
	create := roomkit.CreateRoom{People: []roomkit.UserID{"adm", "lee"}, Name: "Launch"}
	made, err := b.do(ctx, "kim", create, "launch")
	if err != nil {
		return err
	}
	b.tell("# A room\nkim picks adm and lee: a %s room", made.Kind)
	room := "/rooms/" + made.Room.String()
	for _, scene := range []func(context.Context, roomkit.RoomID, string) error{b.pickers, b.newcomer, b.removal, b.screen, b.refusals} {
		if err := scene(ctx, made.Room, room); err != nil {
			return err
		}
	}
	return nil
}

func (b *browser) write(ctx context.Context, user, room, text string) error {
	var m messages.Message
	b.tell("%s writes: %s", user, text)
	return b.must(ctx, user, "POST", room+"/messages", text, &m)
}

func (b *browser) read(ctx context.Context, user, room string) error {
	var all []messages.Message
	if err := b.must(ctx, user, "GET", room+"/messages", "", &all); err != nil {
		return err
	}
	for _, m := range all {
		b.tell("  %s reads of %s: %s", user, m.From, m.Text)
	}
	return nil
}

// pickers shows two of them, with the people who cannot be chosen.
func (b *browser) pickers(ctx context.Context, room roomkit.RoomID, _ string) error {
	b.tell("\n# Pickers of kim, who has eve among the contacts")
	for _, cmd := range []roomkit.Command{roomkit.Invite{Room: room}, roomkit.CreateGroup{Name: "Lunch"}} {
		command, err := roomkit.MarshalCommand(cmd)
		if err != nil {
			return err
		}
		body, err := json.Marshal(map[string]any{"command": json.RawMessage(command), "candidates": []roomkit.UserID{"lee", "min", "eve", "fay", "ghost"}})
		if err != nil {
			return err
		}
		var choices []roomkit.Choice
		if err := b.must(ctx, "kim", "POST", "/choices", string(body), &choices); err != nil {
			return err
		}
		b.tell("%s:", roomkit.CommandName(cmd))
		for _, c := range choices {
			box := map[bool]string{true: "[x]", false: "[ ]"}[c.Already]
			for _, no := range c.Against {
				box += fmt.Sprintf(" grey, %s: %s", no.Rule, no.Reason)
			}
			b.tell("  %-5s %s", c.User, box)
		}
	}
	return nil
}

// newcomer: who comes later reads from then on.
func (b *browser) newcomer(ctx context.Context, room roomkit.RoomID, path string) error {
	b.tell("\n# Messages")
	if err := b.write(ctx, "kim", path, "only among us"); err != nil {
		return err
	}
	b.tell("kim invites min")
	invited, err := b.do(ctx, "kim", roomkit.Invite{Room: room, People: []roomkit.UserID{"min"}}, "")
	if err != nil {
		return err
	}
	b.invited = invited.Cursor
	if err := b.write(ctx, "lee", path, "welcome, min"); err != nil {
		return err
	}
	for _, user := range []string{"kim", "min"} {
		if err := b.read(ctx, user, path); err != nil {
			return err
		}
	}
	return nil
}

// removal: it is news to those who watch, and the end of reading.
func (b *browser) removal(ctx context.Context, room roomkit.RoomID, path string) error {
	b.tell("\n# News\nkim describes the room")
	about, err := b.do(ctx, "kim", roomkit.Edit{Room: room, Description: new("about the launch")}, "")
	if err == nil && !about.Changed { // an earlier run has said so
		_, err = b.do(ctx, "kim", roomkit.Edit{Room: room, Description: new("")}, "")
	}
	if err != nil {
		return err
	}
	news, err := b.open(ctx, "min", "GET", path+"/events", "", "Last-Event-ID", string(b.invited))
	if err != nil {
		return err
	}
	defer news.Body.Close()
	removed := false
	lines := bufio.NewScanner(news.Body)
	for lines.Scan() {
		kind, is := strings.CutPrefix(lines.Text(), "event: ")
		if !is {
			continue
		}
		b.tell("  min sees: %s", kind)
		if removed { // what min has seen first says that the host watches
			continue
		}
		removed = true
		b.tell("kim removes min")
		if _, err := b.do(ctx, "kim", roomkit.Remove{Room: room, People: []roomkit.UserID{"min"}}, ""); err != nil {
			return err
		}
	}
	b.tell("  and the stream ends")
	return lines.Err()
}

func (b *browser) screen(ctx context.Context, _ roomkit.RoomID, _ string) error {
	b.tell("\n# The screen of lee")
	if _, err := b.do(ctx, "lee", roomkit.OpenDirect{With: "kim"}, ""); err != nil {
		return err
	}
	var page service.Page[roomkit.RoomView]
	if err := b.must(ctx, "lee", "GET", "/rooms", "", &page); err != nil {
		return err
	}
	for _, v := range page.Rows {
		b.tell("  %s %q %v: %d people, may post %v, may rename %v", v.Kind, v.Name, v.People, v.Counts.Participants, v.Can(roomkit.ActionPost), v.Can(roomkit.ActionRename))
	}
	return nil
}

// refusals: each has the status of its category, and says why.
func (b *browser) refusals(ctx context.Context, _ roomkit.RoomID, path string) error {
	b.tell("\n# What does not work")
	for _, try := range []struct{ user, method, path, body, key string }{
		{"min", "GET", path + "/messages", "", ""},
		{"min", "POST", "/commands", `{"command":"OpenDirect","whom":"kim"}`, ""},
		{"min", "POST", "/commands", `{"command":"OpenDirect","with":"fay"}`, ""},
		{"min", "POST", "/commands", `{"command":"DeleteUser","user":"kim"}`, ""},
		{"ghost", "GET", "/rooms", "", ""},
		{"lee", "POST", "/commands", `{"command":"CreateRoom","people":["adm","kim"]}`, ""},
		{"kim", "POST", "/commands", `{"command":"OpenSelf"}`, "launch"},
		{"kim", "GET", "/rooms?after=lunch", "", ""},
	} {
		no, err := b.ask(ctx, try.user, try.method, try.path, try.body, &struct{}{}, "Idempotency-Key", try.key)
		switch {
		case err != nil:
			return err
		case no == nil:
			return fmt.Errorf("%v is not refused", try)
		}
		b.tell("%s %s %s %s", try.user, try.method, strings.Replace(try.path, path, "/rooms/{room}", 1), try.body)
		b.tell("  %d %s: %s", no.status, no.Category, no.Error.Error)
	}
	return nil
}
